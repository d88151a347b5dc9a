//! Vendor scrip over HTTP (spec/02): licences, purchases, settlements.

use actix_web::Responder;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use tuppence_protocol::Refusal;
use tuppence_protocol::scrip::center::refused_payment;
use tuppence_protocol::scrip::payment::PaymentStart;
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::vendor_scrip::{Licence, Order, OrderId, Settlement};

use super::payment::claim;
use super::{CenterApi, fresh, unexpected};
use crate::center::{Command, Reply};
use crate::http::error::ApiError;
use crate::http::message::{Message, WithBody, decode};

/// S4 for scrip of a shop.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BuyScrip {
    /// S4, for the offer that the order got.
    pub payment: PaymentStart,
    /// What is bought.
    pub order: Order,
}

/// Asks for what was bought.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AskPurchased {
    /// The order.
    pub order_id: OrderId,
    /// The receipt of its payment.
    pub receipt: Receipt,
}

/// The licence that is known.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Licensed {
    /// Its number.
    pub number: u32,
}

/// A shop licenses its scrip.
pub(super) async fn licence(
    api: Data<CenterApi>,
    Message(message): Message<Licence>,
) -> Result<impl Responder, ApiError> {
    match api.submit(Command::License(Box::new(message))).await? {
        Reply::Licensed(number) => Ok(fresh(Licensed { number })),
        _ => Err(unexpected()),
    }
}

/// S2 of the center as a seller; nothing is stored.
pub(super) async fn order(
    api: Data<CenterApi>,
    Message(order): Message<Order>,
) -> Result<impl Responder, ApiError> {
    let command = Command::QuoteScrip { order: Box::new(order), tran_id: api.tran_id()? };
    match api.submit(command).await? {
        Reply::Quoted(reply) => Ok(fresh(reply)),
        _ => Err(unexpected()),
    }
}

/// S4 -> S5.
pub(super) async fn buy(
    api: Data<CenterApi>,
    WithBody(message, body): WithBody<BuyScrip>,
) -> Result<impl Responder, ApiError> {
    let BuyScrip { payment, order } = message;
    let command = Command::BuyScrip { start: Box::new(payment), order: Box::new(order) };
    match api.committer.submit(command).await {
        Ok(Reply::Balance(reply)) => Ok(fresh(reply)),
        Ok(_) => Err(unexpected()),
        Err(error) => {
            let refusal = Refusal::from(error);
            let BuyScrip { payment, .. } = decode(&body)?;
            claim(&api, &refusal, &payment.scrip).await;
            let reply = refused_payment(&payment, &refusal, api.now());
            Err(ApiError::from(refusal).with_reply(reply))
        }
    }
}

/// What the payment of a receipt bought.
pub(super) async fn purchased(
    api: Data<CenterApi>,
    Message(message): Message<AskPurchased>,
) -> Result<impl Responder, ApiError> {
    let AskPurchased { order_id, receipt } = message;
    match api.submit(Command::Purchased { id: order_id, receipt: Box::new(receipt) }).await? {
        Reply::Purchased(reply) => Ok(fresh(reply)),
        _ => Err(unexpected()),
    }
}

/// A shop settles.
pub(super) async fn settle(
    api: Data<CenterApi>,
    Message(message): Message<Settlement>,
) -> Result<impl Responder, ApiError> {
    match api.submit(Command::Settle(Box::new(message))).await? {
        Reply::Settled(reply) => Ok(fresh(reply)),
        _ => Err(unexpected()),
    }
}
