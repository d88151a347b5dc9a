//! The shop's center, over HTTP only.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tuppence_protocol::payword::{Deposit, Paid};
use tuppence_protocol::scrip::campaign::{CampaignFunding, CampaignState};
use tuppence_protocol::scrip::info::CenterInfo;
use tuppence_protocol::scrip::relay::{RelayReply, RelayRequest};
use tuppence_protocol::vendor_scrip::{Licence, Settled, Settlement};
use tuppence_protocol::{ErrorBody, ErrorCode, PublicKeys, Refusal};

use super::ports::{Answer, Transport};
use crate::json;

/// The center holds a relayed message for 25 seconds; the rest is for the way.
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(35);

/// One center.
#[derive(Clone)]
pub struct CenterClient {
    transport: Arc<dyn Transport>,
}

impl fmt::Debug for CenterClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CenterClient")
    }
}

impl CenterClient {
    /// The center that `transport` leads to.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        CenterClient { transport }
    }

    /// Who the center is, and what it takes.
    ///
    /// # Errors
    /// [`ErrorCode::CenterUnreachable`].
    pub async fn info(&self) -> Result<CenterInfo, Refusal> {
        self.send("center".to_owned(), None).await
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

    /// The keys that the center countersigns budgets with.
    ///
    /// # Errors
    /// [`ErrorCode::CenterUnreachable`].
    pub async fn payword_keys(&self) -> Result<PublicKeys, Refusal> {
        self.send("payword/keys".to_owned(), None).await
    }

    /// Deposits paywords.
    ///
    /// # Errors
    /// [`ErrorCode::CenterUnreachable`], or the center's own refusal.
    pub async fn deposit(&self, deposit: &Deposit) -> Result<Paid, Refusal> {
        self.post("payword/deposit", deposit).await
    }

    /// Licenses the shop's scrip.
    ///
    /// # Errors
    /// [`ErrorCode::CenterUnreachable`], or the center's own refusal.
    pub async fn license(&self, licence: &Licence) -> Result<(), Refusal> {
        self.post::<serde::de::IgnoredAny>("vendor-scrip/licence", licence).await.map(drop)
    }

    /// Settles what was redeemed of a purchase.
    ///
    /// # Errors
    /// [`ErrorCode::CenterUnreachable`], or the center's own refusal.
    pub async fn settle(&self, settlement: &Settlement) -> Result<Settled, Refusal> {
        self.post("vendor-scrip/settlement", settlement).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Refusal> {
        let json = serde_json::to_vec(body).map_err(|error| unreachable_center(&error))?;
        self.send(path.to_owned(), Some(json)).await
    }

    async fn send<T: DeserializeOwned>(&self, path: String, body: Option<Vec<u8>>) -> Result<T, Refusal> {
        let sent = self.transport.send(path, body).await;
        let Answer { status, body } = sent.map_err(|reason| unreachable_center(&reason))?;
        if (200..300).contains(&status) {
            return json::read(&body).map_err(|error| unreachable_center(&error));
        }
        match json::read::<ErrorBody>(&body) {
            Ok(error) if (400..500).contains(&status) => Err(Refusal::new(error.code, error.message)),
            Ok(error) => Err(unreachable_center(&error.message)),
            Err(_) => Err(unreachable_center(&status)),
        }
    }
}

fn unreachable_center(reason: &dyn fmt::Display) -> Refusal {
    tracing::warn!(%reason, "the center did not answer");
    Refusal::new(ErrorCode::CenterUnreachable, "The shop cannot reach the payment center.")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::storefront::ports::Later;
    use crate::storefront::tests::server;

    /// A center that says this.
    struct Saying(Value);

    impl Transport for Saying {
        fn send(&self, _: String, _: Option<Vec<u8>>) -> Later<'_, Result<Answer, String>> {
            let body = serde_json::to_vec(&self.0).unwrap();
            Box::pin(async { Ok(Answer { status: 200, body }) })
        }
    }

    async fn hears(said: Value) -> Result<Settled, Refusal> {
        let center = CenterClient::new(Arc::new(Saying(said)));
        center.post("vendor-scrip/settlement", &server("shop.example")).await
    }

    #[tokio::test]
    async fn a_list_of_its_fields_is_no_answer() {
        let fields = json!({
            "customerId": {"secretId": 1, "serialNumber": 2}, "redeemed": "USD:0.03", "last": false,
            "secretId": 3, "seal": "A".repeat(43),
        });
        assert!(hears(fields.clone()).await.is_ok());
        let in_order =
            ["customerId", "redeemed", "last", "secretId", "seal"].map(|name| fields[name].clone());
        assert!(hears(json!(in_order)).await.is_err());
        let mut inner = fields;
        inner["customerId"] = json!([1, 2]);
        assert_eq!(hears(inner).await.unwrap_err().code, ErrorCode::CenterUnreachable);
    }
}
