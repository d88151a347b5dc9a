//! R1 -> R2 over HTTP: limits and proof of work stand before the costly decryption (T14).

use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, Responder, web};
use tokio::time::timeout;
use tuppence_protocol::scrip::registration::RegistrationRequest;
use tuppence_protocol::{ErrorCode, Secret};

use super::{CenterApi, fresh, random, unexpected};
use crate::center::{Command, Reply};
use crate::http::error::ApiError;
use crate::http::message::Message;
use crate::http::peer::Prefix;

/// The longest that a registration waits for its turn.
const TURN_TIME_MAX: Duration = Duration::from_secs(5);

/// A challenge to be solved; sealed, and stored nowhere.
pub(super) async fn challenge(api: Data<CenterApi>) -> Result<impl Responder, ApiError> {
    Ok(fresh(api.center.challenge(random()?, api.now())))
}

/// R1 -> R2.
pub(super) async fn register(
    request: HttpRequest,
    api: Data<CenterApi>,
    Message(message): Message<RegistrationRequest>,
) -> Result<impl Responder, ApiError> {
    api.registrations.check(Prefix::of(&request, &api.settings.trusted_proxies))?;
    api.center.check_work(&message)?;
    let session_key = decrypt(&api, &message).await?;
    let command = Command::Register { request: Box::new(message), session_key, nonce: random()? };
    match api.submit(command).await? {
        Reply::Registered(reply) => Ok(fresh(reply)),
        _ => Err(unexpected()),
    }
}

/// KS, on a thread of its own, a few at a time.
async fn decrypt(api: &CenterApi, message: &RegistrationRequest) -> Result<Secret, ApiError> {
    let busy = || ApiError::new(ErrorCode::Busy, "Many wallets register just now.");
    let turn = timeout(TURN_TIME_MAX, api.decryptions.clone().acquire_owned()).await;
    let turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
    let (keys, envelope) = (api.keys.clone(), message.key_envelope.clone());
    let opened = web::block(move || {
        let opened = keys.session_key(&envelope);
        drop(turn);
        opened
    });
    Ok(opened.await.map_err(ApiError::fault)??)
}
