//! A storefront over HTTP: its API for wallets, and its pages for everybody.

mod budget;
mod demand;
mod earn;
pub mod embed;
mod media;
mod pages;
mod proxy;
mod purchase;
mod shop;
mod stream;
mod unlock;

use std::sync::Arc;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{self, Json, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use serde::Serialize;

use crate::http::endpoint::{self, Endpoint};
use crate::http::error::ApiError;
use crate::http::metrics::{self, Metrics};
use crate::http::middleware::gate::Access;
use crate::http::middleware::headers::SecurityHeaders;
use crate::http::openapi;
use crate::http::site::Site;
use crate::http::stopping::Stopping;
use crate::storefront::{Declined, Delivered, Storefront};

/// Where the API is.
pub const PREFIX: &str = "/api/v1";

/// The API's description.
pub const OPENAPI: &str = include_str!("openapi.json");

/// The storefront, as its handlers need it.
pub struct StorefrontApi {
    shop: Arc<Storefront>,
    stopping: Stopping,
}

impl StorefrontApi {
    /// The HTTP side of `shop`; held requests are let go when the program stops.
    pub fn new(shop: Arc<Storefront>, stopping: Stopping) -> web::Data<Self> {
        web::Data::new(StorefrontApi { shop, stopping })
    }
}

/// The origin that serves the storefront.
pub fn site(api: web::Data<StorefrontApi>) -> Site {
    let https = api.shop.settings().origin.starts_with("https://");
    Site {
        headers: SecurityHeaders::storefront(https),
        metrics: web::Data::new(Metrics::new(|_| {})),
        configure: Arc::new(move |config| configure(config, api.clone())),
    }
}

fn configure(config: &mut ServiceConfig, api: web::Data<StorefrontApi>) {
    let wallet = Access::origins([api.shop.settings().wallet_origin.clone()]);
    let in_front = api.shop.upstream().is_some();
    config.app_data(api);
    let article = if in_front { SITE_ARTICLE } else { ARTICLE };
    for endpoint in root(&wallet, article).into_iter().chain(assets()) {
        config.service(endpoint);
    }
    if in_front {
        // All other addresses are the site's.
        config.service(endpoint::scope(PREFIX, endpoints(&wallet))).default_service(web::to(proxy::serve));
        return;
    }
    for endpoint in pages() {
        config.service(endpoint);
    }
    config
        .service(endpoint::api(PREFIX, endpoints(&wallet)))
        .service(endpoint::api("/api", Vec::new()))
        .default_service(web::to(pages::not_found));
}

/// An article of the shop's own folder.
const ARTICLE: &str = "/articles/{slug}";
/// A page of the site behind the storefront, by its name: that begins with `~`, so that the site may have articles too.
const SITE_ARTICLE: &str = "/articles/{slug:~[^/]*}";

/// The addresses of the API, below [`PREFIX`].
fn endpoints(wallet: &Access) -> Vec<Endpoint> {
    let wallet = || wallet.clone();
    vec![
        Endpoint::at("/shop").get(Access::Anyone, shop::shop),
        Endpoint::at("/articles").get(Access::Anyone, shop::articles),
        Endpoint::at("/purchase").post(wallet(), purchase::quote),
        Endpoint::at("/purchase/deliver").held().post(wallet(), purchase::deliver),
        Endpoint::at("/article/{slug}").get(Access::Anyone, shop::article),
        // A receipt is all that opens an article, and no browser sends one by itself: any page that has it may ask.
        Endpoint::at("/articles/open").post(Access::Anyone, purchase::open),
        Endpoint::at("/verify").post(Access::Programs, purchase::verify),
        Endpoint::at("/claims").post(wallet(), embed::leave),
        Endpoint::at("/claims/take").post(Access::Anyone, embed::take),
        Endpoint::at("/payword/open").post(Access::Anyone, budget::open),
        Endpoint::at("/payword/buy").post(Access::Anyone, budget::payword),
        Endpoint::at("/payword/end").post(Access::Anyone, budget::end),
        Endpoint::at("/vendor-scrip/buy").post(Access::Anyone, budget::scrip),
        Endpoint::at("/vendor-scrip/standing").post(Access::Anyone, budget::standing),
        Endpoint::at("/vendor-scrip/bought").post(Access::Anyone, budget::bought),
        Endpoint::at("/vendor-scrip/end").post(Access::Anyone, budget::give_back),
        Endpoint::at("/streams").post(Access::Anyone, stream::listen),
        Endpoint::at("/campaigns").get(Access::Anyone, shop::campaigns),
        Endpoint::at("/campaigns/{item}").get(Access::Anyone, shop::campaign),
        Endpoint::at("/earn").body_bytes_max(EARN_BYTES_MAX).post(wallet(), earn::answer),
        Endpoint::at("/earn/deliver").held().post(wallet(), earn::deliver),
        Endpoint::at("/openapi.json").get(Access::Anyone, async || openapi::show(OPENAPI)),
    ]
}

/// Fifty answers of 2,000 bytes, each of which JSON may write in six.
const EARN_BYTES_MAX: usize = 640 * 1024;

/// The addresses at the root that are for programs and the wallet.
fn root(wallet: &Access, article: &'static str) -> Vec<Endpoint> {
    vec![
        Endpoint::at("/unlock").post(wallet.clone(), unlock::unlock),
        Endpoint::at(article).get(Access::Anyone, pages::article),
        Endpoint::at("/health").get(Access::Anyone, shop::health),
        Endpoint::at("/metrics").get(Access::Programs, metrics::show),
    ]
}

/// The pages.
fn pages() -> Vec<Endpoint> {
    vec![
        Endpoint::at("/").get(Access::Anyone, pages::index),
        Endpoint::at("/articles/{slug}/parts/{number}").get(Access::Anyone, pages::part),
        Endpoint::at("/articles/{slug}/stream").held().get(Access::Anyone, stream::of_article),
        Endpoint::at("/articles/{slug}/parts/{number}/stream").held().get(Access::Anyone, stream::of_part),
        Endpoint::at("/stream/{ticket}").held().get(Access::Anyone, stream::play),
        Endpoint::at("/feed.xml").get(Access::Anyone, pages::atom),
        Endpoint::at("/rss.xml").get(Access::Anyone, pages::rss),
    ]
}

/// What belongs to pages, the shop's and others.
fn assets() -> Vec<Endpoint> {
    vec![
        Endpoint::at("/embed.js").get(Access::Anyone, embed::script),
        Endpoint::at("/embed/budget.js").get(Access::Anyone, embed::budget_script),
        Endpoint::at("/embed/meter.js").get(Access::Anyone, embed::meter_script),
        Endpoint::at("/embed/stream.js").get(Access::Anyone, embed::stream_script),
        Endpoint::at("/embed/{language}.json").get(Access::Anyone, embed::words),
        Endpoint::at("/embed/shop.css").get(Access::Anyone, pages::style),
        Endpoint::at("/embed/offer.css").get(Access::Anyone, pages::offer_style),
        Endpoint::at("/embed/shop.svg").get(Access::Anyone, pages::icon),
        Endpoint::at("/media/{root:articles|campaigns}/{seal:[A-Za-z0-9_-]{43}}/{file:.*}")
            .get(Access::Anyone, media::picture),
    ]
}

impl From<Declined> for ApiError {
    fn from(declined: Declined) -> Self {
        let error = ApiError::from(declined.refusal);
        match declined.reply {
            Some(reply) => error.with_reply(*reply),
            None => error,
        }
    }
}

/// S7 or M7, or 202 with the address to ask again.
fn delivered(delivered: Delivered) -> HttpResponse {
    let no_store = (CACHE_CONTROL, "private, no-store");
    match delivered {
        Delivered::Document(delivery) => HttpResponse::Ok().insert_header(no_store).json(delivery),
        Delivered::Unconfirmed(unconfirmed) => {
            HttpResponse::Accepted().insert_header(no_store).json(unconfirmed)
        }
    }
}

/// JSON that no cache keeps.
fn fresh<T: Serialize + 'static>(body: T) -> impl Responder {
    Json(body).customize().insert_header((CACHE_CONTROL, "no-store"))
}

#[cfg(test)]
mod tests;
