//! M3 and S3 by way of a seller: held until the transaction has ended, or the time is up (spec/01).

use std::time::Duration;

use actix_web::Responder;
use actix_web::web::Data;
use tuppence_protocol::ErrorCode;
use tuppence_protocol::scrip::center::StepKey;
use tuppence_protocol::scrip::relay::{Outcome, RelayReply, RelayRequest};

use super::{CenterApi, fresh, unexpected};
use crate::center::{Command, Reply};
use crate::http::error::ApiError;
use crate::http::message::Message;

/// The longest that a request is held: less than a seller waits, who in turn waits less than a wallet.
const HELD_TIME_MAX: Duration = Duration::from_secs(25);

/// How a transaction stands, as soon as it has ended.
pub(super) async fn relay(
    api: Data<CenterApi>,
    Message(message): Message<RelayRequest>,
) -> Result<impl Responder, ApiError> {
    // First the subscription, then the question: no end falls in between.
    let vendor = api.committer.directory().vendor_by_id(&message.vendor_id).map(|vendor| vendor.number);
    let ended = match vendor {
        Some(vendor) => {
            let ended = api.committer.ended().subscribe(StepKey { vendor, tran_id: message.tran_id });
            Some(ended.ok_or_else(|| ApiError::new(ErrorCode::Busy, "Too many requests are held."))?)
        }
        None => None,
    };
    let reply = ask(&api, &message).await?;
    let (Outcome::Open, Some(ended)) = (&reply.outcome, ended) else { return Ok(fresh(reply)) };
    tokio::select! {
        _ = ended => {}
        () = tokio::time::sleep(HELD_TIME_MAX) => {}
        () = api.stopping.wait() => {}
    }
    Ok(fresh(ask(&api, &message).await?))
}

async fn ask(api: &CenterApi, message: &RelayRequest) -> Result<RelayReply, ApiError> {
    match api.submit(Command::Relay(Box::new(message.clone()))).await? {
        Reply::Relayed(reply) => Ok(reply),
        _ => Err(unexpected()),
    }
}
