//! The operator's routes: sellers and payouts, behind the operator's token.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{Data, Query};
use actix_web::{FromRequest, HttpRequest, Responder};
use serde::{Deserialize, Serialize};
use tuppence_protocol::ids::Serial;
use tuppence_protocol::scrip::RequestUrl;
use tuppence_protocol::scrip::cash_out::{CashOutOrder, CashOutStage};
use tuppence_protocol::{Amount, ErrorCode, Refusal, Secret, Text, Timestamp, VendorId};

use super::{CenterApi, fresh, unexpected};
use crate::center::{Command, Reply, VendorState};
use crate::http::error::ApiError;
use crate::http::message::Message;
use crate::store::records::{Direction, Movement, Payout, PayoutState, Reference};

/// Payout orders in one answer.
const PAYOUTS_MAX: usize = 500;

/// That the request carries the operator's token.
pub(super) struct Operator;

impl FromRequest for Operator {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let token = request
            .headers()
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let api = request.app_data::<Data<CenterApi>>();
        ready(match (api, token) {
            (Some(api), Some(token)) if api.keys.is_operator(token) => Ok(Operator),
            _ => Err(ApiError::new(ErrorCode::Unauthorized, "The operator's token is missing or wrong.")),
        })
    }
}

/// Which payouts to list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PayoutQuery {
    /// Also those that have ended.
    #[serde(default)]
    all: bool,
    /// Only those with a higher number.
    #[serde(default)]
    after: u64,
}

/// Payout orders, by number.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payouts {
    /// At most 500; ask again with the last number as `after`.
    pub payouts: Vec<PayoutView>,
}

/// A payout order as the operator sees it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PayoutView {
    /// Its number.
    pub number: u64,
    /// How it stands.
    pub state: CashOutStage,
    /// What is to be paid out.
    pub amount: Amount,
    /// What the center keeps.
    pub fee: Amount,
    /// Where to, in the reader's words.
    pub destination: String,
    /// When it was ordered.
    pub ordered: Timestamp,
    /// When it was paid or returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// The bank's reference, or why it came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<200>>,
}

impl From<Payout> for PayoutView {
    fn from(payout: Payout) -> Self {
        let (state, ended, note) = match payout.state {
            PayoutState::Ordered => (CashOutStage::Ordered, None, None),
            PayoutState::Confirmed(at, note) => (CashOutStage::Confirmed, Some(at), Some(note)),
            PayoutState::Returned(at, note) => (CashOutStage::Returned, Some(at), Some(note)),
        };
        PayoutView {
            number: payout.number,
            state,
            amount: payout.amount,
            fee: payout.fee,
            destination: destination(&payout.destination),
            ordered: payout.ordered,
            ended,
            note,
        }
    }
}

fn destination(url: &RequestUrl) -> String {
    CashOutOrder::parse(url).map_or_else(|_| url.to_string(), |order| order.destination.to_string())
}

/// A payout was paid.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfirmPayout {
    /// The order.
    pub number: Serial,
    /// The bank's reference.
    pub reference: Text<200>,
}

/// A payout cannot be paid.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReturnPayout {
    /// The order.
    pub number: Serial,
    /// Why, for its reader.
    pub reason: Text<200>,
}

/// A seller joins.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewVendor {
    /// Who it is.
    pub vendor_id: VendorId,
    /// Where readers find it.
    pub origin: Text<300>,
    /// The first secret that it shares with the center.
    pub secret: Secret,
}

/// A seller gets a further secret.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewVendorSecret {
    /// Its number.
    pub number: u32,
    /// The new secret.
    pub secret: Secret,
}

/// Real money comes in or goes out.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MoveMoney {
    /// The seller's number.
    pub number: u32,
    /// How much.
    pub amount: Amount,
    /// The operator's own, such as the bank's or an invoice's number. The same request again moves nothing.
    pub reference: Reference,
}

/// Real money that came in or went out; the same whenever it is asked for again.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MovementView {
    /// The operator's reference.
    pub reference: Reference,
    /// The seller's number.
    pub number: u32,
    /// Which way.
    pub direction: Direction,
    /// How much.
    pub amount: Amount,
    /// When it was booked.
    pub date: Timestamp,
}

impl From<Movement> for MovementView {
    fn from(movement: Movement) -> Self {
        let Movement { reference, vendor, direction, amount, at } = movement;
        MovementView { reference, number: vendor, direction, amount, date: at }
    }
}

/// The sellers, by number.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vendors {
    /// All of them.
    pub vendors: Vec<VendorView>,
}

/// A seller as the operator sees it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VendorView {
    /// Its number.
    pub number: u32,
    /// Who it is.
    pub vendor_id: VendorId,
    /// Where readers find it.
    pub origin: Text<300>,
    /// The newest of its secrets.
    pub secret_id: u32,
    /// What it has at the center.
    pub balance: Amount,
    /// Since when it takes part.
    pub since: Timestamp,
}

impl From<VendorState> for VendorView {
    fn from(vendor: VendorState) -> Self {
        let VendorState { number, id, origin, secret_id, balance, since } = vendor;
        VendorView { number, vendor_id: id, origin, secret_id, balance, since }
    }
}

/// Lists payouts.
pub(super) async fn payouts(
    _: Operator,
    api: Data<CenterApi>,
    query: Query<PayoutQuery>,
) -> Result<impl Responder, ApiError> {
    let PayoutQuery { all, after } = query.into_inner();
    let found = api.committer.read(move |store| store.payouts(!all, after, PAYOUTS_MAX)).await;
    let payouts = found.map_err(Refusal::from)?.into_iter().map(PayoutView::from).collect();
    Ok(fresh(Payouts { payouts }))
}

/// Confirms a payout.
pub(super) async fn confirm_payout(
    _: Operator,
    api: Data<CenterApi>,
    Message(ConfirmPayout { number, reference }): Message<ConfirmPayout>,
) -> Result<impl Responder, ApiError> {
    payout(&api, Command::ConfirmPayout { number: number.get(), reference }).await
}

/// Returns a payout to its purse.
pub(super) async fn return_payout(
    _: Operator,
    api: Data<CenterApi>,
    Message(ReturnPayout { number, reason }): Message<ReturnPayout>,
) -> Result<impl Responder, ApiError> {
    payout(&api, Command::ReturnPayout { number: number.get(), reason }).await
}

async fn payout(api: &CenterApi, command: Command) -> Result<impl Responder + use<>, ApiError> {
    match api.submit(command).await? {
        Reply::Payout(payout) => Ok(fresh(PayoutView::from(payout))),
        _ => Err(unexpected()),
    }
}

/// Lists the sellers.
pub(super) async fn vendors(_: Operator, api: Data<CenterApi>) -> Result<impl Responder, ApiError> {
    match api.submit(Command::Vendors).await? {
        Reply::Vendors(vendors) => {
            Ok(fresh(Vendors { vendors: vendors.into_iter().map(VendorView::from).collect() }))
        }
        _ => Err(unexpected()),
    }
}

/// Adds a seller.
pub(super) async fn add_vendor(
    _: Operator,
    api: Data<CenterApi>,
    Message(NewVendor { vendor_id, origin, secret }): Message<NewVendor>,
) -> Result<impl Responder, ApiError> {
    vendor(&api, Command::AddVendor { id: vendor_id, origin, secret }).await
}

/// Gives a seller a further secret.
pub(super) async fn add_vendor_secret(
    _: Operator,
    api: Data<CenterApi>,
    Message(NewVendorSecret { number, secret }): Message<NewVendorSecret>,
) -> Result<impl Responder, ApiError> {
    vendor(&api, Command::AddVendorSecret { vendor: number, secret }).await
}

/// Books real money that a seller paid in.
pub(super) async fn deposit(
    _: Operator,
    api: Data<CenterApi>,
    Message(money): Message<MoveMoney>,
) -> Result<impl Responder, ApiError> {
    book(&api, money, Direction::Deposit).await
}

/// Books real money that a seller was paid out.
pub(super) async fn withdraw(
    _: Operator,
    api: Data<CenterApi>,
    Message(money): Message<MoveMoney>,
) -> Result<impl Responder, ApiError> {
    book(&api, money, Direction::Withdrawal).await
}

async fn book(
    api: &CenterApi,
    money: MoveMoney,
    direction: Direction,
) -> Result<impl Responder + use<>, ApiError> {
    let MoveMoney { number, amount, reference } = money;
    match api.submit(Command::Book { reference, vendor: number, direction, amount }).await? {
        Reply::Booked(movement) => Ok(fresh(MovementView::from(movement))),
        _ => Err(unexpected()),
    }
}

async fn vendor(api: &CenterApi, command: Command) -> Result<impl Responder + use<>, ApiError> {
    match api.submit(command).await? {
        Reply::Vendor(vendor) => Ok(fresh(VendorView::from(vendor))),
        _ => Err(unexpected()),
    }
}
