//! HTTP without a browser.

use std::time::Duration;

use anyhow::{Context, Result};

/// A client that no proxy of the environment gets between.
///
/// # Errors
/// If it can't be made.
pub fn client() -> Result<reqwest::Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only(std::iter::empty());
    client.timeout(Duration::from_secs(120)).build().context("an HTTP client")
}
