//! The shop's center, over HTTP only.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tuppence_protocol::scrip::campaign::{CampaignFunding, CampaignState};
use tuppence_protocol::scrip::info::CenterInfo;
use tuppence_protocol::scrip::relay::{RelayReply, RelayRequest};
use tuppence_protocol::{ErrorBody, ErrorCode, Refusal};

/// The center holds a relayed message for 25 seconds; the rest is for the way.
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(35);
/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// One center.
#[derive(Debug, Clone)]
pub struct CenterClient {
    http: reqwest::Client,
    origin: String,
}

impl CenterClient {
    /// The center at `origin`, such as `https://center.example`, asked through `http`.
    pub fn new(http: reqwest::Client, origin: &str) -> Self {
        CenterClient { http, origin: origin.to_owned() }
    }

    /// Who the center is, and what it takes.
    ///
    /// # Errors
    /// [`ErrorCode::CenterUnreachable`].
    pub async fn info(&self) -> Result<CenterInfo, Refusal> {
        self.send(self.http.get(format!("{}/api/v1/center", self.origin))).await
    }

    /// M3 or S3, relayed.
    ///
    /// # Errors
    /// [`ErrorCode::CenterUnreachable`], or the center's own refusal.
    pub async fn relay(&self, request: &RelayRequest) -> Result<RelayReply, Refusal> {
        self.post("relay", request).await
    }

    /// Sets a budget aside.
    ///
    /// # Errors
    /// [`ErrorCode::CenterUnreachable`], or the center's own refusal.
    pub async fn fund(&self, funding: &CampaignFunding) -> Result<CampaignState, Refusal> {
        self.post("campaigns", funding).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Refusal> {
        self.send(self.http.post(format!("{}/api/v1/{path}", self.origin)).json(body)).await
    }

    async fn send<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, Refusal> {
        let mut response = request.send().await.map_err(|error| unreachable_center(&error))?;
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|error| unreachable_center(&error))? {
            body.extend_from_slice(&part);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(unreachable_center(&"its answer is too long"));
            }
        }
        if response.status().is_success() {
            return serde_json::from_slice(&body).map_err(|error| unreachable_center(&error));
        }
        match serde_json::from_slice::<ErrorBody>(&body) {
            Ok(error) if response.status().is_client_error() => Err(Refusal::new(error.code, error.message)),
            Ok(error) => Err(unreachable_center(&error.message)),
            Err(_) => Err(unreachable_center(&response.status())),
        }
    }
}

fn unreachable_center(reason: &dyn std::fmt::Display) -> Refusal {
    tracing::warn!(%reason, "the center did not answer");
    Refusal::new(ErrorCode::CenterUnreachable, "The shop cannot reach the payment center.")
}
