//! HTTP: thin handlers, and the one place where errors become HTTP.
//!
//! A [`site::Site`] is one origin: the center with the wallet's pages, or a storefront. Each lists its API as
//! [`endpoint::Endpoint`]s, which say for every method who may call it; [`message::Message`] decodes what
//! arrives, [`error::ApiError`] answers what is refused.

pub mod center;
pub mod client;
pub mod endpoint;
pub mod error;
pub mod message;
pub mod metrics;
pub mod middleware;
pub mod openapi;
pub mod peer;
pub mod site;
pub mod stopping;
pub mod storefront;
