//! Messages: all types that are read from JSON, chapter by chapter.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tuppence_protocol::ErrorCode;
use tuppence_server::http::message::decode;
use tuppence_wallet::json;

use crate::target::Verdict;

/// Reads a value as the center does and as a wallet does, and holds them to what must be.
pub(crate) fn check<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Verdict {
    let by_wallet = json::read::<T>(bytes).ok();
    let value = match decode::<T>(bytes) {
        Ok(value) => value,
        Err(refusal) => {
            assert_eq!(refusal.code, ErrorCode::Malformed, "{refusal:?}");
            assert!(by_wallet.is_none(), "a wallet takes what a center refuses: {refusal:?}");
            return Verdict::Refused;
        }
    };
    let once = written(&value);
    let again: T = decode(&once).expect("what was written is read");
    assert_eq!(written(&again), once, "another value after a second reading");
    let by_wallet = by_wallet.expect("a wallet takes what a center takes");
    assert_eq!(written(&by_wallet), once, "wallet and center read different values");
    let by_wallet: T = json::read(&once).expect("a wallet reads what is written");
    assert_eq!(written(&by_wallet), once, "a wallet reads another value");
    Verdict::Taken
}

/// A value as JSON.
pub(crate) fn written<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("every message can be written")
}

/// A chapter's types: a function that tries each, and their names.
macro_rules! chapter {
    ($(#[$doc:meta])* $function:ident, $names:ident: $($type:ty),+ $(,)?) => {
        $(#[$doc])*
        pub fn $function(bytes: &[u8]) -> Verdict {
            let verdicts = [$(check::<$type>(bytes)),+];
            if verdicts.contains(&Verdict::Taken) { Verdict::Taken } else { Verdict::Refused }
        }

        /// The types of this chapter, as they are named in the protocol.
        pub const $names: &[&str] = &[$(stringify!($type)),+];
    };
}

mod of_scrip {
    use super::*;
    use tuppence_protocol::challenge::{Challenge, Solution};
    use tuppence_protocol::envelope::{CenterPublicKey, Fingerprint, SecretBox};
    use tuppence_protocol::ids::{DnsName, EarnerId, Serial};
    use tuppence_protocol::scrip::buyer::{
        AwaitingAttestation, AwaitingEcash, AwaitingIssueOffer, AwaitingLiveScrip, AwaitingPaymentOffer,
        AwaitingReceipt, AwaitingRegistration, AwaitingReturn, Ecash, Offer, Start,
    };
    use tuppence_protocol::scrip::campaign::{CampaignFunding, CampaignState};
    use tuppence_protocol::scrip::cash_out::{CashOutStage, CashOutState};
    use tuppence_protocol::scrip::earner::{Attestation, AttestationReply, AttestationRequest};
    use tuppence_protocol::scrip::finish::{Finish, FinishReply, Transaction};
    use tuppence_protocol::scrip::info::{CenterInfo, Shop, Shops};
    use tuppence_protocol::scrip::issue::{IssueEcash, IssueOffer, IssuePermitted, IssueRequest, IssueStart};
    use tuppence_protocol::scrip::payment::{
        DeliveryMethod, PaymentBalance, PaymentInformation, PaymentMethod, PaymentOffer, PaymentStart,
        PurchaseRequest,
    };
    use tuppence_protocol::scrip::receipt::{Receipt, ReceiptKind, ReceiptReply};
    use tuppence_protocol::scrip::registration::{Etc, RegistrationReply, RegistrationRequest};
    use tuppence_protocol::scrip::relay::{
        CenterInit, Delivery, Outcome, RelayReply, RelayRequest, Unconfirmed,
    };
    use tuppence_protocol::scrip::{Code, Header, Refused, Scrip, ScripBody};
    use tuppence_protocol::{
        Amount, Currency, ErrorBody, HashAlgorithm, IdType, KeyRing, PublicKey, PublicKeys, Retry, Seal,
        Secret, Signature, Text, Timestamp, TranId, VendorId, WalletId,
    };

    chapter! {
        /// Spec 01, what its buyer stores, and what all chapters share.
        scrip, SCRIP:
        Amount, Attestation, AttestationReply, AttestationRequest, AwaitingAttestation, AwaitingEcash,
        AwaitingIssueOffer, AwaitingLiveScrip, AwaitingPaymentOffer, AwaitingReceipt, AwaitingRegistration,
        AwaitingReturn, CampaignFunding, CampaignState, CashOutStage, CashOutState, CenterInfo, CenterInit,
        CenterPublicKey, Challenge, Code, Currency, Delivery, DeliveryMethod, DnsName, EarnerId, Ecash, ErrorBody,
        ErrorCode, Etc, Fingerprint, Finish, FinishReply, HashAlgorithm, Header, IdType, IssueEcash, IssueOffer,
        IssuePermitted, IssueRequest, IssueStart, KeyRing, Offer, Outcome, PaymentBalance, PaymentInformation,
        PaymentMethod, PaymentOffer, PaymentStart, PublicKey, PublicKeys, PurchaseRequest, Receipt, ReceiptKind,
        ReceiptReply, Refused, RegistrationReply, RegistrationRequest, RelayReply, RelayRequest, Retry, Scrip,
        ScripBody, Seal, Secret, SecretBox, Serial, Shop, Shops, Signature, Solution, Start, Text<64>, Timestamp,
        TranId, Transaction, Unconfirmed, VendorId, WalletId,
    }
}

mod of_recovery {
    use super::*;
    use tuppence_protocol::recovery::claim::{ClaimReply, ClaimRequest};
    use tuppence_protocol::recovery::notes::{Notes, NotesReply, NotesRequest};
    use tuppence_protocol::recovery::statement::{
        StatementKind, StatementReply, StatementRequest, StatementState, StatementStep,
    };

    chapter! {
        /// Bringing a wallet back.
        recovery, RECOVERY:
        ClaimReply, ClaimRequest, Notes, NotesReply, NotesRequest, StatementKind, StatementReply, StatementRequest,
        StatementState, StatementStep,
    }
}

mod of_payword {
    use super::*;
    use tuppence_protocol::payword::{
        Authority, AuthorityId, AuthorityOrder, AwaitingCertificate, AwaitingCountersignature, Budget,
        Certificate, CertificateRequest, ChainId, Charge, Countersigned, Deposit, Paid, Payword, Plan,
        Position, Reservation, Session,
    };

    chapter! {
        /// Spec 03, and what its three sides store.
        payword, PAYWORD:
        Authority, AuthorityId, AuthorityOrder, AwaitingCertificate, AwaitingCountersignature, Budget, Certificate,
        CertificateRequest, ChainId, Charge, Countersigned, Deposit, Paid, Payword, Plan, Position, Reservation,
        Session,
    }
}

mod of_vendor_scrip {
    use super::*;
    use tuppence_protocol::vendor_scrip::{
        Account, AwaitingChange, AwaitingScrip, Holding, IdRange, Licence, LicenceState, LicenceTerms,
        Licensed, Order, OrderId, Purchased, Reply, Request, Return, Sale, Settled, Settlement, Spent,
        VendorScrip, VendorScripBody,
    };

    chapter! {
        /// Spec 02, and what its three sides store.
        vendor_scrip, VENDOR_SCRIP:
        Account, AwaitingChange, AwaitingScrip, Holding, IdRange, Licence, LicenceState, LicenceTerms, Licensed, Order,
        OrderId, Purchased, Reply, Request, Return, Sale, Settled, Settlement, Spent, VendorScrip, VendorScripBody,
    }
}

pub use of_payword::{PAYWORD, payword};
pub use of_recovery::{RECOVERY, recovery};
pub use of_scrip::{SCRIP, scrip};
pub use of_vendor_scrip::{VENDOR_SCRIP, vendor_scrip};
