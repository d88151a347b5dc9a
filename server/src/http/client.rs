//! The HTTP client: a storefront's way to its center and to the site behind it, and the operator's to the program.

use std::time::Duration;

use reqwest::{ClientBuilder, redirect};

/// The longest that a connection may take to be made.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// The longest that nothing comes from a site that the storefront stands in front of.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// A client that follows no redirects and gives up after `time_max`.
///
/// # Errors
/// If the system's certificates cannot be used for TLS.
pub fn client(time_max: Duration) -> Result<reqwest::Client, ClientError> {
    made(|builder| builder.user_agent(concat!("tuppence/", env!("CARGO_PKG_VERSION"))).timeout(time_max))
}

/// A client for what passes through, however long it takes: it follows no redirects, asks no proxy, adds nothing of its own,
/// and gives up when nothing comes any more.
///
/// # Errors
/// As for [`client`].
pub fn passing_through() -> Result<reqwest::Client, ClientError> {
    made(|builder| builder.no_proxy().read_timeout(SILENCE_MAX))
}

fn made(told: impl Fn(ClientBuilder) -> ClientBuilder) -> Result<reqwest::Client, ClientError> {
    // TLS by rustls with ring, so that no library of the system is needed; installed once for the process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = || {
        let builder = reqwest::Client::builder().redirect(redirect::Policy::none());
        told(builder.connect_timeout(CONNECT_TIME_MAX))
    };
    // A system without certificates still reaches plain http, as on one machine; https is then refused.
    builder()
        .build()
        .or_else(|_| builder().tls_certs_only(std::iter::empty()).build())
        .map_err(|error| ClientError(error.to_string()))
}

/// The client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be made: {0}")]
pub struct ClientError(String);
