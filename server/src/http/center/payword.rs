//! Budgets over HTTP (spec/03): keys, certificates, reservations, countersignatures, deposits.

use actix_web::Responder;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use tuppence_protocol::payword::{AuthorityId, AuthorityOrder, Broker, CertificateRequest, Deposit};
use tuppence_protocol::scrip::center::{Seller, refused_payment};
use tuppence_protocol::scrip::payment::PaymentStart;
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::{ErrorCode, Refusal};

use super::payment::claim;
use super::{CenterApi, fresh, unexpected};
use crate::center::{Command, Reply};
use crate::http::error::ApiError;
use crate::http::message::{Message, WithBody, decode};

/// S4 for a budget.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reserve {
    /// S4, for the offer that the authority got.
    pub payment: PaymentStart,
    /// The authority and its certificate.
    pub order: AuthorityOrder,
}

/// Asks for a countersigned authority.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AskCountersigned {
    /// Which one.
    pub authority_id: AuthorityId,
    /// The receipt of its payment.
    pub receipt: Receipt,
}

/// The keys that shops know this center by.
pub(super) async fn keys(api: Data<CenterApi>) -> impl Responder {
    fresh(Broker { center: &api.center.current() }.public_keys())
}

/// Certifies a customer's key.
pub(super) async fn certificate(
    api: Data<CenterApi>,
    Message(message): Message<CertificateRequest>,
) -> Result<impl Responder, ApiError> {
    let center = api.center.current();
    let certificate = Broker { center: &center }.certify(&message, api.now()).map_err(Refusal::from)?;
    Ok(fresh(certificate))
}

/// S2 of the center as a seller; nothing is stored.
pub(super) async fn authority(
    api: Data<CenterApi>,
    Message(order): Message<AuthorityOrder>,
) -> Result<impl Responder, ApiError> {
    let directory = api.committer.directory();
    let vendor = directory.vendor_by_id(&order.authority.vendor_id).ok_or_else(|| {
        let message = format!("{} is no shop of this center.", order.authority.vendor_id.server_name);
        Refusal::new(ErrorCode::VendorUnknown, message)
    })?;
    let shop = Seller { number: vendor.number, id: &vendor.id, secrets: &vendor.secrets };
    let center = api.center.current();
    let offer = Broker { center: &center }.quote(&order, shop, api.tran_id()?, api.now());
    Ok(fresh(offer.map_err(Refusal::from)?))
}

/// S4 -> S5.
pub(super) async fn reserve(
    api: Data<CenterApi>,
    WithBody(message, body): WithBody<Reserve>,
) -> Result<impl Responder, ApiError> {
    let Reserve { payment, order } = message;
    let command = Command::Reserve { start: Box::new(payment), order: Box::new(order) };
    match api.committer.submit(command).await {
        Ok(Reply::Balance(reply)) => Ok(fresh(reply)),
        Ok(_) => Err(unexpected()),
        Err(error) => {
            let refusal = Refusal::from(error);
            let Reserve { payment, .. } = decode(&body)?;
            claim(&api, &refusal, &payment.scrip).await;
            let reply = refused_payment(&payment, &refusal, api.now());
            Err(ApiError::from(refusal).with_reply(reply))
        }
    }
}

/// The countersigned authority of a receipt.
pub(super) async fn countersigned(
    api: Data<CenterApi>,
    Message(message): Message<AskCountersigned>,
) -> Result<impl Responder, ApiError> {
    let AskCountersigned { authority_id, receipt } = message;
    match api.submit(Command::Countersigned { id: authority_id, receipt: Box::new(receipt) }).await? {
        Reply::Countersigned(reply) => Ok(fresh(reply)),
        _ => Err(unexpected()),
    }
}

/// A shop deposits.
pub(super) async fn deposit(
    api: Data<CenterApi>,
    Message(message): Message<Deposit>,
) -> Result<impl Responder, ApiError> {
    match api.submit(Command::Deposit(Box::new(message))).await? {
        Reply::Deposited(reply) => Ok(fresh(reply)),
        _ => Err(unexpected()),
    }
}
