//! What everybody may know: the center, its shops, and whether it is well.

use actix_web::Responder;
use actix_web::web::{Data, Json};
use serde_json::{Value, json};
use tuppence_protocol::scrip::info::{CenterInfo, Shop, Shops};
use tuppence_protocol::{PROTOCOL_VERSION, Refusal};

use super::{CenterApi, fresh};
use crate::http::error::ApiError;

/// The center, with its clock; so never from a cache.
pub(super) async fn center(api: Data<CenterApi>) -> impl Responder {
    let center = api.center.current();
    let policy = &center.policy;
    let info = CenterInfo {
        center_id: api.keys.center_id().clone(),
        origin: api.settings.origin.clone(),
        currency: policy.currency,
        public_key: api.keys.public_key().clone(),
        fingerprint: api.keys.public_key().fingerprint(),
        hash_algorithm: center.keys.algorithm,
        fee_basis_points: policy.fee_basis_points,
        payout_threshold: policy.payout_threshold,
        payout_fee: policy.payout_fee,
        balance_max: policy.balance_max,
        pending_minutes: u32::try_from(policy.pending.as_millis() / 60_000).unwrap_or(u32::MAX),
        server_date: api.now(),
        protocol_version: PROTOCOL_VERSION,
    };
    fresh(info)
}

/// The shops that work with this center.
pub(super) async fn shops(api: Data<CenterApi>) -> impl Responder {
    let directory = api.committer.directory();
    let shops = directory
        .vendors()
        .map(|vendor| Shop { vendor_id: vendor.id.clone(), origin: vendor.origin.clone() });
    fresh(Shops { shops: shops.collect() })
}

/// Whether the center answers and its store can be read.
pub(super) async fn health(api: Data<CenterApi>) -> Result<Json<Value>, ApiError> {
    api.committer.read(|store| store.counts()).await.map_err(Refusal::from)?;
    Ok(Json(json!({"status": "ok"})))
}
