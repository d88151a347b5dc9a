//! The center over HTTP: thin handlers (decode, command, encode), the operator's routes, the wallet's pages.

mod cash_out;
mod desk;
mod info;
mod operator;
mod payment;
mod payword;
mod recovery;
mod register;
mod relay;
mod shop;
mod sweeper;
mod vendor_scrip;
mod wallet_site;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use actix_web::Responder;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{self, Json, ServiceConfig};
use prometheus_client::registry::Registry;
use serde::Serialize;
use tuppence_protocol::ids::Serial;
use tuppence_protocol::{Refusal, Text, Timestamp, TranId};

use crate::center::keys::KeyFile;
use crate::center::{CenterRules, Command, LiveCenter, Reply};
use crate::clock::Clock;
use crate::http::endpoint::{self, Endpoint};
use crate::http::error::ApiError;
use crate::http::metrics::{self, Metrics};
use crate::http::middleware::gate::Access;
use crate::http::middleware::headers::SecurityHeaders;
use crate::http::middleware::rate::RateLimit;
use crate::http::openapi;
use crate::http::peer::TrustedProxies;
use crate::http::site::Site;
use crate::http::stopping::Stopping;
use crate::store::committer::Handle;
use desk::Desk;
use wallet_site::WalletSite;

pub use operator::{ConfirmPayout, MoveMoney, MovementView, NewVendor, NewVendorSecret, ReturnPayout};
pub use operator::{PayoutView, Payouts, VendorView, Vendors};
pub use payword::{AskCountersigned, Reserve};
pub use sweeper::sweep;
pub use vendor_scrip::{AskPurchased, BuyScrip, Licensed};

/// Where the API is.
pub const PREFIX: &str = "/api/v1";

/// The API's description.
pub const OPENAPI: &str = include_str!("openapi.json");

/// What the center's HTTP side is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where browsers find the center, such as `https://center.example`.
    pub origin: Text<300>,
    /// The wallet's built site.
    pub wallet_site: PathBuf,
    /// Registrations, and claims, from one network prefix.
    pub registrations_per_minute: NonZeroU32,
    /// RSA decryptions at once.
    pub decryptions_max: usize,
    /// Proxies whose word on a client's address is taken.
    pub trusted_proxies: TrustedProxies,
}

/// The center, as its handlers need it.
pub struct CenterApi {
    center: LiveCenter,
    keys: Arc<KeyFile>,
    committer: Handle<CenterRules>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    desk: Desk,
    claims: RateLimit,
    statements: RateLimit<Serial>,
    notes: RateLimit<Serial>,
    stopping: Stopping,
    wallet_site: WalletSite,
}

impl CenterApi {
    /// The HTTP side of `center`, whose records `committer` keeps.
    pub fn new(
        center: impl Into<LiveCenter>,
        keys: Arc<KeyFile>,
        committer: Handle<CenterRules>,
        clock: Arc<dyn Clock>,
        settings: Settings,
        stopping: Stopping,
    ) -> web::Data<Self> {
        web::Data::new(CenterApi {
            center: center.into(),
            keys,
            committer,
            clock,
            desk: Desk::new(RateLimit::new(settings.registrations_per_minute), settings.decryptions_max),
            claims: RateLimit::new(settings.registrations_per_minute),
            statements: RateLimit::new(recovery::STATEMENTS_PER_MINUTE),
            notes: RateLimit::new(recovery::NOTES_PER_MINUTE),
            wallet_site: WalletSite::new(settings.wallet_site.clone()),
            settings,
            stopping,
        })
    }

    async fn submit(&self, command: Command) -> Result<Reply, ApiError> {
        Ok(self.committer.submit(command).await.map_err(Refusal::from)?)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn tran_id(&self) -> Result<TranId, ApiError> {
        Ok(TranId::new(self.now(), random()?))
    }
}

/// The origin that serves the center.
pub fn site(api: web::Data<CenterApi>) -> Site {
    let https = api.settings.origin.as_str().starts_with("https://");
    let (committer, decryptions) = (api.committer.clone(), api.desk.decryptions.clone());
    let count = move |registry: &mut Registry| {
        registry.register("key_decryptions", "Registrations whose session key was decrypted", decryptions);
        sweeper::register(registry, committer);
    };
    Site {
        headers: SecurityHeaders::wallet(https),
        metrics: web::Data::new(Metrics::new(count)),
        configure: Arc::new(move |config| configure(config, api.clone())),
    }
}

/// Random bytes of the system.
fn random<const N: usize>() -> Result<[u8; N], ApiError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(ApiError::fault)?;
    Ok(bytes)
}

/// JSON that no cache keeps.
fn fresh<T: Serialize + 'static>(body: T) -> impl Responder {
    Json(body).customize().insert_header((CACHE_CONTROL, "no-store"))
}

/// A reply of another kind than the command's: a mistake of the program.
fn unexpected() -> ApiError {
    ApiError::fault("the committer gave a reply of another kind")
}

fn configure(config: &mut ServiceConfig, api: web::Data<CenterApi>) {
    config.app_data(api);
    for endpoint in root() {
        config.service(endpoint);
    }
    config
        .service(endpoint::api(PREFIX, endpoints()))
        .service(endpoint::api("/api", Vec::new()))
        .default_service(wallet_site::route());
}

/// The addresses of the API, below [`PREFIX`].
fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::at("/center").get(Access::Anyone, info::center),
        Endpoint::at("/shops").get(Access::Anyone, info::shops),
        Endpoint::at("/registration/challenge").get(Access::SameOrigin, register::challenge),
        Endpoint::at("/registration").post(Access::SameOrigin, register::register),
        Endpoint::at("/recovery/claim").post(Access::SameOrigin, recovery::claim),
        Endpoint::at("/recovery/notes").post(Access::SameOrigin, recovery::notes),
        Endpoint::at("/recovery/mark").post(Access::SameOrigin, recovery::mark),
        Endpoint::at("/statement").post(Access::SameOrigin, recovery::statement),
        Endpoint::at("/earner").post(Access::SameOrigin, payment::attest),
        Endpoint::at("/issue").post(Access::SameOrigin, payment::issue),
        Endpoint::at("/issue/finish").post(Access::SameOrigin, payment::finish_issue),
        Endpoint::at("/payment").post(Access::SameOrigin, payment::payment),
        Endpoint::at("/payment/finish").post(Access::SameOrigin, payment::finish_payment),
        Endpoint::at("/cash-out").post(Access::SameOrigin, cash_out::order),
        Endpoint::at("/cash-out/state").post(Access::SameOrigin, cash_out::state),
        Endpoint::at("/payword/keys").get(Access::Anyone, payword::keys),
        Endpoint::at("/payword/certificate").post(Access::SameOrigin, payword::certificate),
        Endpoint::at("/payword/authority").post(Access::SameOrigin, payword::authority),
        Endpoint::at("/payword/reserve").post(Access::SameOrigin, payword::reserve),
        Endpoint::at("/payword/countersigned").post(Access::SameOrigin, payword::countersigned),
        Endpoint::at("/payword/deposit").post(Access::Programs, payword::deposit),
        Endpoint::at("/vendor-scrip/licence").post(Access::Programs, vendor_scrip::licence),
        Endpoint::at("/vendor-scrip/order").post(Access::SameOrigin, vendor_scrip::order),
        Endpoint::at("/vendor-scrip/buy").post(Access::SameOrigin, vendor_scrip::buy),
        Endpoint::at("/vendor-scrip/purchased").post(Access::SameOrigin, vendor_scrip::purchased),
        Endpoint::at("/vendor-scrip/settlement").post(Access::SameOrigin, vendor_scrip::settle),
        Endpoint::at("/relay").held().post(Access::Programs, relay::relay),
        Endpoint::at("/campaigns").post(Access::Programs, shop::fund_campaign),
        Endpoint::at("/campaigns/{vendor}/{item}").get(Access::Anyone, shop::campaign),
        Endpoint::at("/operator/payouts").get(Access::Programs, operator::payouts),
        Endpoint::at("/operator/payouts/confirm").post(Access::Programs, operator::confirm_payout),
        Endpoint::at("/operator/payouts/return").post(Access::Programs, operator::return_payout),
        Endpoint::at("/operator/vendors")
            .get(Access::Programs, operator::vendors)
            .post(Access::Programs, operator::add_vendor),
        Endpoint::at("/operator/vendors/secret").post(Access::Programs, operator::add_vendor_secret),
        Endpoint::at("/operator/vendors/deposit").post(Access::Programs, operator::deposit),
        Endpoint::at("/operator/vendors/withdraw").post(Access::Programs, operator::withdraw),
        Endpoint::at("/openapi.json").get(Access::Anyone, async || openapi::show(OPENAPI)),
    ]
}

/// The addresses at the root.
fn root() -> Vec<Endpoint> {
    vec![
        Endpoint::at("/health").get(Access::Anyone, info::health),
        Endpoint::at("/metrics").get(Access::Programs, metrics::show),
    ]
}

#[cfg(test)]
mod tests;
