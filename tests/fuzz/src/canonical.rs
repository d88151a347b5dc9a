//! The canonical encoding: what every seal and signature covers.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tuppence_protocol::canonical::{Canonical, Tag, encode};
use tuppence_protocol::challenge::{Challenge, Solution};
use tuppence_protocol::payword::{Authority, Certificate};
use tuppence_protocol::recovery::notes::Notes;
use tuppence_protocol::recovery::statement::StatementStep;
use tuppence_protocol::scrip::cash_out::CashOutState;
use tuppence_protocol::scrip::issue::IssueOffer;
use tuppence_protocol::scrip::payment::PaymentOffer;
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::scrip::{Header, Scrip, ScripBody};
use tuppence_protocol::vendor_scrip::{IdRange, LicenceTerms, Order, VendorScrip, VendorScripBody};
use tuppence_protocol::{Amount, IdType, VendorId};
use tuppence_server::http::message::decode;

use crate::message::written;
use crate::target::Verdict;

macro_rules! canonical {
    ($($type:ty),+ $(,)?) => {
        /// Two values of one type, in two lines: the same bytes just where they are the same.
        pub fn pair(bytes: &[u8]) -> Verdict {
            let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
            let first = lines.next().unwrap_or_default();
            let second = lines.next().unwrap_or_default();
            let verdicts = [$(compare::<$type>(first, second)),+];
            if verdicts.contains(&Verdict::Taken) { Verdict::Taken } else { Verdict::Refused }
        }

        /// The types that have a canonical encoding.
        pub const CANONICAL: &[&str] = &[$(stringify!($type)),+];
    };
}

canonical! {
    Amount, Authority, CashOutState, Certificate, Challenge, Header, IdRange, IdType, IssueOffer, LicenceTerms, Notes,
    Order, PaymentOffer, Receipt, Scrip, ScripBody, Solution, StatementStep, VendorId, VendorScrip, VendorScripBody,
}

fn compare<T: Canonical + Serialize + DeserializeOwned>(first: &[u8], second: &[u8]) -> Verdict {
    let (Ok(first), Ok(second)) = (decode::<T>(first), decode::<T>(second)) else {
        return Verdict::Refused;
    };
    let again: T = decode(&written(&first)).expect("what was written is read");
    assert_eq!(bytes(&again), bytes(&first), "a second reading is sealed otherwise");
    let same_on_the_wire = written(&first) == written(&second);
    assert_eq!(
        bytes(&first) == bytes(&second),
        same_on_the_wire,
        "{} and {}",
        String::from_utf8_lossy(&written(&first)),
        String::from_utf8_lossy(&written(&second))
    );
    Verdict::Taken
}

fn bytes<T: Canonical>(value: &T) -> Vec<u8> {
    encode(Tag::Receipt, |writer| writer.nested(value))
}
