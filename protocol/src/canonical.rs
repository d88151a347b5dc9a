//! Canonical encoding: the bytes that every hash and signature covers (spec/README).
//!
//! `domain tag || protocol version (u16) || field_1 || field_2 ...`, each field as its length
//! (`u32`, big-endian) and its bytes. No tag begins another, every field says its length, and the
//! fields of a tag are fixed, so two different messages never give the same bytes.

use crate::PROTOCOL_VERSION;

/// The length that stands for an absent optional field.
const ABSENT: u32 = u32::MAX;

/// Something with a fixed list of fields.
pub trait Canonical {
    /// Writes the fields, in the order of the message's table.
    fn write(&self, writer: &mut Writer);
}

/// What a hash or signature is made for; no tag is the beginning of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is the message, record or key that its tag names")]
pub enum Tag {
    Certificate,
    RegistrationEnvelope,
    RegistrationRequest,
    Challenge,
    ChallengeSolution,
    RegistrationContent,
    EarnerAsk,
    Earner,
    EarnerAttestation,
    IssueRequest,
    IssueOffer,
    IssueStart,
    IssueEcash,
    IssueFinish,
    PaymentOffer,
    PaymentStart,
    PaymentBalance,
    PaymentFinish,
    Receipt,
    RelayRequest,
    RelayOutcome,
    CampaignFunding,
    CustomSecret,
    Entitlement,
    BooksRow,
    BooksJournal,
    RecoveryWalletId,
    RecoveryWalletKey,
    RecoveryNotesKey,
    Claim,
    ClaimContent,
    ClaimEnvelope,
    StatementAsk,
    StatementReply,
    Notes,
    NotesAsk,
    NotesReply,
    PaywordLink,
    ChainId,
    CustomerKey,
    CertificateAsk,
    CustomerCertificate,
    Authority,
    Countersignature,
    Deposit,
    DepositReply,
    VendorScripCertificate,
    VendorScripCustomer,
    LicenceKey,
    Licence,
    LicensedSecret,
    VendorScripOrder,
    VendorScripKey,
    VendorScripRequest,
    VendorScripReply,
    VendorScripReturn,
    Settlement,
    SettlementReply,
    CenterSigningKey,
}

impl Tag {
    /// Every tag, for the tests and the documentation.
    pub const ALL: [Tag; 59] = [
        Tag::Certificate,
        Tag::RegistrationEnvelope,
        Tag::RegistrationRequest,
        Tag::Challenge,
        Tag::ChallengeSolution,
        Tag::RegistrationContent,
        Tag::EarnerAsk,
        Tag::Earner,
        Tag::EarnerAttestation,
        Tag::IssueRequest,
        Tag::IssueOffer,
        Tag::IssueStart,
        Tag::IssueEcash,
        Tag::IssueFinish,
        Tag::PaymentOffer,
        Tag::PaymentStart,
        Tag::PaymentBalance,
        Tag::PaymentFinish,
        Tag::Receipt,
        Tag::RelayRequest,
        Tag::RelayOutcome,
        Tag::CampaignFunding,
        Tag::CustomSecret,
        Tag::Entitlement,
        Tag::BooksRow,
        Tag::BooksJournal,
        Tag::RecoveryWalletId,
        Tag::RecoveryWalletKey,
        Tag::RecoveryNotesKey,
        Tag::Claim,
        Tag::ClaimContent,
        Tag::ClaimEnvelope,
        Tag::StatementAsk,
        Tag::StatementReply,
        Tag::Notes,
        Tag::NotesAsk,
        Tag::NotesReply,
        Tag::PaywordLink,
        Tag::ChainId,
        Tag::CustomerKey,
        Tag::CertificateAsk,
        Tag::CustomerCertificate,
        Tag::Authority,
        Tag::Countersignature,
        Tag::Deposit,
        Tag::DepositReply,
        Tag::VendorScripCertificate,
        Tag::VendorScripCustomer,
        Tag::LicenceKey,
        Tag::Licence,
        Tag::LicensedSecret,
        Tag::VendorScripOrder,
        Tag::VendorScripKey,
        Tag::VendorScripRequest,
        Tag::VendorScripReply,
        Tag::VendorScripReturn,
        Tag::Settlement,
        Tag::SettlementReply,
        Tag::CenterSigningKey,
    ];

    /// The tag's text, as hashed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Tag::Certificate => "tuppence/scrip/certificate",
            Tag::RegistrationEnvelope => "tuppence/scrip/R2",
            Tag::RegistrationRequest => "tuppence/scrip/R1",
            Tag::Challenge => "tuppence/registration/challenge",
            Tag::ChallengeSolution => "tuppence/registration/solution",
            Tag::RegistrationContent => "tuppence/registration/content",
            Tag::EarnerAsk => "tuppence/scrip/E1",
            Tag::Earner => "tuppence/scrip/earner",
            Tag::EarnerAttestation => "tuppence/scrip/E2",
            Tag::IssueRequest => "tuppence/scrip/M1",
            Tag::IssueOffer => "tuppence/scrip/M2",
            Tag::IssueStart => "tuppence/scrip/M4",
            Tag::IssueEcash => "tuppence/scrip/M5",
            Tag::IssueFinish => "tuppence/scrip/M6",
            Tag::PaymentOffer => "tuppence/scrip/S2",
            Tag::PaymentStart => "tuppence/scrip/S4",
            Tag::PaymentBalance => "tuppence/scrip/S5",
            Tag::PaymentFinish => "tuppence/scrip/S6",
            Tag::Receipt => "tuppence/scrip/receipt",
            Tag::RelayRequest => "tuppence/relay/request",
            Tag::RelayOutcome => "tuppence/relay/outcome",
            Tag::CampaignFunding => "tuppence/campaign/funding",
            Tag::CustomSecret => "tuppence/secret/custom",
            Tag::Entitlement => "tuppence/storefront/cookie",
            Tag::BooksRow => "tuppence/books/row",
            Tag::BooksJournal => "tuppence/books/journal",
            Tag::RecoveryWalletId => "tuppence/recovery/wallet-id",
            Tag::RecoveryWalletKey => "tuppence/recovery/wallet-key",
            Tag::RecoveryNotesKey => "tuppence/recovery/notes-key",
            Tag::Claim => "tuppence/recovery/C1",
            Tag::ClaimContent => "tuppence/recovery/content",
            Tag::ClaimEnvelope => "tuppence/recovery/C2",
            Tag::StatementAsk => "tuppence/recovery/H1",
            Tag::StatementReply => "tuppence/recovery/H2",
            Tag::Notes => "tuppence/recovery/notes/sealed",
            Tag::NotesAsk => "tuppence/recovery/N1",
            Tag::NotesReply => "tuppence/recovery/N2",
            Tag::PaywordLink => "tuppence/payword/link",
            Tag::ChainId => "tuppence/payword/chain",
            Tag::CustomerKey => "tuppence/payword/customer",
            Tag::CertificateAsk => "tuppence/payword/certify",
            Tag::CustomerCertificate => "tuppence/payword/certificate",
            Tag::Authority => "tuppence/payword/authority",
            Tag::Countersignature => "tuppence/payword/countersignature",
            Tag::Deposit => "tuppence/payword/deposit",
            Tag::DepositReply => "tuppence/payword/paid",
            Tag::VendorScripCertificate => "tuppence/vendor-scrip/certificate",
            Tag::VendorScripCustomer => "tuppence/vendor-scrip/customer",
            Tag::LicenceKey => "tuppence/vendor-scrip/key-of-licence",
            Tag::Licence => "tuppence/vendor-scrip/licence",
            Tag::LicensedSecret => "tuppence/vendor-scrip/licensed",
            Tag::VendorScripOrder => "tuppence/vendor-scrip/order",
            Tag::VendorScripKey => "tuppence/vendor-scrip/key-of-order",
            Tag::VendorScripRequest => "tuppence/vendor-scrip/request",
            Tag::VendorScripReply => "tuppence/vendor-scrip/reply",
            Tag::VendorScripReturn => "tuppence/vendor-scrip/return",
            Tag::Settlement => "tuppence/vendor-scrip/settlement",
            Tag::SettlementReply => "tuppence/vendor-scrip/settled",
            Tag::CenterSigningKey => "tuppence/secret/signing",
        }
    }
}

/// The canonical bytes of `tag` and the fields that `fields` writes.
pub fn encode(tag: Tag, fields: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer { bytes: Vec::with_capacity(512) };
    writer.bytes.extend_from_slice(tag.as_str().as_bytes());
    writer.bytes.extend_from_slice(&PROTOCOL_VERSION.to_be_bytes());
    fields(&mut writer);
    writer.bytes
}

/// Collects fields.
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Plain bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        // Every field's type limits it far below 4 GiB, and ABSENT is no length of any.
        let length = u32::try_from(bytes.len()).unwrap_or(ABSENT - 1);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(bytes);
    }

    /// Text, which its type keeps in normal form C.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// A message code, port or version.
    pub fn u16(&mut self, number: u16) {
        self.bytes(&number.to_be_bytes());
    }

    /// A secret's id.
    pub fn u32(&mut self, number: u32) {
        self.bytes(&number.to_be_bytes());
    }

    /// An amount, time or serial.
    pub fn u64(&mut self, number: u64) {
        self.bytes(&number.to_be_bytes());
    }

    /// A record as one field, with its own fields inside.
    pub fn nested(&mut self, record: &impl Canonical) {
        // The length is known when the record is written: its place is kept free until then.
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        record.write(self);
        let end = self.bytes.len();
        let length = u32::try_from(end - start - 4).unwrap_or(ABSENT - 1);
        if let Some(place) = self.bytes.get_mut(start..start + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
    }

    /// A field that may be absent.
    pub fn optional<T: ?Sized>(&mut self, value: Option<&T>, write: impl FnOnce(&mut Writer, &T)) {
        match value {
            Some(value) => write(self, value),
            None => self.bytes.extend_from_slice(&ABSENT.to_be_bytes()),
        }
    }

    /// A list: its count, then its items as fields.
    pub fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Writer, &T)) {
        let count = u32::try_from(items.len()).unwrap_or(ABSENT - 1);
        self.bytes.extend_from_slice(&count.to_be_bytes());
        for item in items {
            write(self, item);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn two_fields(a: &[u8], b: &[u8]) -> Vec<u8> {
        encode(Tag::Receipt, |w| {
            w.bytes(a);
            w.bytes(b);
        })
    }

    #[test]
    fn no_tag_begins_another() {
        for a in Tag::ALL {
            for b in Tag::ALL {
                assert!(a == b || !b.as_str().starts_with(a.as_str()), "{a:?} begins {b:?}");
            }
        }
    }

    #[test]
    fn the_layout_is_the_published_one() {
        let bytes = encode(Tag::IssueOffer, |w| {
            w.u16(0x0102);
            w.optional(None::<&str>, Writer::text);
            w.list(&["é"], |w, item| w.text(item));
        });
        let mut expected = b"tuppence/scrip/M2\x00\x01".to_vec();
        expected.extend_from_slice(&[0, 0, 0, 2, 1, 2]);
        expected.extend_from_slice(&[0xFF, 0xFF, 0xFF, 0xFF]);
        expected.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 2, 0xC3, 0xA9]);
        assert_eq!(bytes, expected);
    }

    #[test]
    fn absent_and_empty_differ() {
        let absent = encode(Tag::Receipt, |w| w.optional(None::<&str>, Writer::text));
        let empty = encode(Tag::Receipt, |w| w.optional(Some(""), Writer::text));
        assert_ne!(absent, empty);
    }

    proptest! {
        #[test]
        fn moving_a_boundary_changes_the_bytes(joined in prop::collection::vec(any::<u8>(), 0..40)) {
            let all: BTreeSet<Vec<u8>> =
                (0..=joined.len()).map(|cut| two_fields(&joined[..cut], &joined[cut..])).collect();
            prop_assert_eq!(all.len(), joined.len() + 1);
        }

        #[test]
        fn different_fields_give_different_bytes(
            a in any::<(Vec<u8>, Vec<u8>)>(), b in any::<(Vec<u8>, Vec<u8>)>(),
        ) {
            prop_assert_eq!(two_fields(&a.0, &a.1) == two_fields(&b.0, &b.1), a == b);
        }

        #[test]
        fn lists_never_flow_into_each_other(
            a in any::<(Vec<String>, Vec<String>)>(), b in any::<(Vec<String>, Vec<String>)>(),
        ) {
            let lists = |x: &(Vec<String>, Vec<String>)| encode(Tag::Receipt, |w| {
                w.list(&x.0, |w, item| w.text(item));
                w.list(&x.1, |w, item| w.text(item));
            });
            prop_assert_eq!(lists(&a) == lists(&b), a == b);
        }
    }
}
