//! Cash-out over HTTP: the center's own offer, and how an order stands (spec/01, rule 11).

use actix_web::Responder;
use actix_web::web::Data;
use tuppence_protocol::scrip::payment::PurchaseRequest;
use tuppence_protocol::scrip::receipt::Receipt;

use super::{CenterApi, fresh, unexpected};
use crate::center::{Command, Reply};
use crate::http::error::ApiError;
use crate::http::message::Message;

/// S1 -> S2 of the center as a seller; nothing is stored.
pub(super) async fn order(
    api: Data<CenterApi>,
    Message(message): Message<PurchaseRequest>,
) -> Result<impl Responder, ApiError> {
    Ok(fresh(api.center.current().cash_out_offer(&message, api.tran_id()?, api.now())?))
}

/// How the order of a receipt stands.
pub(super) async fn state(
    api: Data<CenterApi>,
    Message(receipt): Message<Receipt>,
) -> Result<impl Responder, ApiError> {
    match api.submit(Command::CashOutState(Box::new(receipt))).await? {
        Reply::CashOut(state) => Ok(fresh(state)),
        _ => Err(unexpected()),
    }
}
