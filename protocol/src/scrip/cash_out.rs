//! Cash-out orders (spec/01, rule 11): what a reader asks of the center as a seller, and how it stands.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::error::{ErrorCode, Refusal};
use crate::scrip::RequestUrl;
use crate::text::Text;
use crate::time::Timestamp;

/// What the requestURL of a cash-out begins with.
const SCHEME: &str = "cash-out:";

/// Where a payout goes: an account, or whatever else the operator's payout rail knows; one line.
pub type Destination = Text<400>;

/// A cash-out order. Its requestURL is `cash-out:<amount>:<destination>`, such as
/// `cash-out:USD:5:GB33 BUKB 2020 1555 5555 55`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CashOutOrder {
    /// What leaves the purse, the fee included.
    pub amount: Amount,
    /// Where the rest goes.
    pub destination: Destination,
}

impl CashOutOrder {
    /// The order that `url` states.
    ///
    /// # Errors
    /// [`ErrorCode::Malformed`] with what is wrong.
    pub fn parse(url: &RequestUrl) -> Result<Self, Refusal> {
        let malformed = |message: &str| Refusal::new(ErrorCode::Malformed, message);
        let form = || malformed("A cash-out's requestURL is written cash-out:USD:5:destination.");
        let order = url.as_str().strip_prefix(SCHEME).ok_or_else(form)?;
        let mut parts = order.splitn(3, ':');
        let (currency, number) = (parts.next().ok_or_else(form)?, parts.next().ok_or_else(form)?);
        let destination = parts.next().ok_or_else(form)?;
        let amount: Amount =
            format!("{currency}:{number}").parse().map_err(|error| malformed(&format!("{error}.")))?;
        if destination.trim().is_empty() || destination.contains('\n') {
            return Err(malformed("The destination of a cash-out is one line of text."));
        }
        let destination =
            destination.parse().map_err(|error| malformed(&format!("The destination: {error}.")))?;
        Ok(CashOutOrder { amount, destination })
    }

    /// The order as a requestURL.
    ///
    /// # Errors
    /// [`ErrorCode::Malformed`] for a destination that is not one line of text.
    pub fn to_request_url(&self) -> Result<RequestUrl, Refusal> {
        let url = format!("{SCHEME}{}:{}", self.amount, self.destination);
        let url = RequestUrl::try_from(url);
        let url = url.map_err(|error| Refusal::new(ErrorCode::Malformed, error.to_string()))?;
        Self::parse(&url).map(|_| url)
    }
}

/// How an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CashOutStage {
    /// The operator has yet to pay.
    Ordered,
    /// Paid.
    Confirmed,
    /// Back in the purse, with the fee.
    Returned,
}

/// An order as its reader sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CashOutState {
    /// How it stands.
    pub state: CashOutStage,
    /// Its number, for questions to the operator; at most 2^53 - 1.
    pub number: u64,
    /// What is paid out.
    pub amount: Amount,
    /// The center's fee.
    pub fee: Amount,
    /// Since when it stands so.
    pub date: Timestamp,
    /// The bank's reference, or why it came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<200>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_and_its_url_agree() {
        for (url, amount, destination) in [
            ("cash-out:USD:5:GB33 BUKB 2020", "USD:5", "GB33 BUKB 2020"),
            ("cash-out:EUR:0.000001:a:b:c", "EUR:0.000001", "a:b:c"),
            ("cash-out:USD:12.5:은행 123", "USD:12.5", "은행 123"),
        ] {
            let url: RequestUrl = url.parse().unwrap();
            let order = CashOutOrder::parse(&url).unwrap();
            assert_eq!(
                (order.amount.to_string().as_str(), order.destination.as_str()),
                (amount, destination)
            );
            assert_eq!(order.to_request_url().unwrap(), url);
        }
    }

    #[test]
    fn anything_else_is_malformed() {
        let long = format!("cash-out:USD:5:{}", "x".repeat(401));
        for url in [
            "",
            "cash-out:",
            "cash-out:USD",
            "cash-out:USD:5",
            "cash-out:USD:5:",
            "cash-out:USD:5: ",
            "cash-out:USD:5:two\nlines",
            "cash-out:USD:05:x",
            "cash-out:usd:5:x",
            "cash-out:USD:-5:x",
            "Cash-out:USD:5:x",
            "https://shop.example/",
            &long,
        ] {
            let refusal = CashOutOrder::parse(&url.parse().unwrap()).unwrap_err();
            assert_eq!(refusal.code, ErrorCode::Malformed, "{url:?}");
        }
    }
}
