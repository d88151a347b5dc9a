//! Refusals in the patent's own form (spec/01, M5 and S5): GM5_2-4, PM5_2-3.

use crate::error::{ErrorCode, Refusal};
use crate::scrip::issue::IssueStart;
use crate::scrip::payment::PaymentStart;
use crate::scrip::{Code, Header, Refused};
use crate::text::Text;
use crate::time::Timestamp;

/// The refusal of an M4: scrip, hash and count as sent, the count and one.
pub fn refused_issue(message: &IssueStart, refusal: &Refusal, now: Timestamp) -> Refused {
    let code = match fault_of(refusal.code) {
        FaultOf::Scrip => Code::Gm5_2,
        FaultOf::Order => Code::Gm5_3,
        FaultOf::Center => Code::Gm5_4,
    };
    Refused {
        header: header(code, refusal, now),
        document: None,
        scrip: Some(message.scrip.clone()),
        order: None,
        hash: Some(message.hash),
        p_count: Some(message.p_count.saturating_add(1)),
    }
}

/// The refusal of an S4: scrip, pOrder, hash and count as sent, the count and one.
pub fn refused_payment(message: &PaymentStart, refusal: &Refusal, now: Timestamp) -> Refused {
    // The patent has no "payment declined": a scrip that cannot pay this is invalid for it.
    let code = match fault_of(refusal.code) {
        FaultOf::Scrip | FaultOf::Order => Code::Pm5_2,
        FaultOf::Center => Code::Pm5_3,
    };
    Refused {
        header: header(code, refusal, now),
        document: None,
        scrip: Some(message.scrip.clone()),
        order: Some(message.order.clone()),
        hash: Some(message.hash),
        p_count: Some(message.p_count.saturating_add(1)),
    }
}

/// What stands in the way.
enum FaultOf {
    /// The scrip or the buyer's seal.
    Scrip,
    /// The offer, the transaction or the amounts.
    Order,
    /// The center, or the way to it.
    Center,
}

fn fault_of(code: ErrorCode) -> FaultOf {
    match code.number() {
        300..=399 => FaultOf::Scrip,
        700.. => FaultOf::Center,
        _ => FaultOf::Order,
    }
}

fn header(code: Code, refusal: &Refusal, now: Timestamp) -> Header {
    // What does not fit is replaced by the code's hint, which does.
    let fit = |text: &str| Text::normalized(text).ok();
    let error_message = fit(&refusal.message).or_else(|| fit(refusal.code.hint()));
    Header { error_message, ..Header::new(code, now) }
}
