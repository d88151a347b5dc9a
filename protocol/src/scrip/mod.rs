//! Scrip: registration, issue, payment (KR 10-0284579, ETRI 1997; spec/01).
//!
//! A buyer holds one scrip per center. Earning and paying replace it by one of another value and the
//! next serial. The messages are in [`registration`], [`issue`], [`payment`] and [`relay`]; the three
//! sides, as state machines without I/O, in [`buyer`], [`center`] and [`seller`].

pub mod buyer;
pub mod campaign;
pub mod cash_out;
pub mod center;
pub mod earner;
pub mod finish;
pub mod info;
pub mod issue;
pub mod payment;
pub mod receipt;
pub mod registration;
pub mod relay;
pub mod seller;

use serde::{Deserialize, Serialize};

use crate::PROTOCOL_VERSION;
use crate::amount::Amount;
use crate::canonical::{Canonical, Tag, Writer};
use crate::error::{ErrorCode, Refusal};
use crate::ids::{IdType, VendorId};
use crate::seal::{HashAlgorithm, Seal};
use crate::secret::Secret;
use crate::text::Text;
use crate::time::Timestamp;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $wire:literal;)*) => {
        /// cmdType: what a message is. `GM4_1` of the patent is [`Code::Gm4_1`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[repr(u16)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $wire)] $name = $number,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Code] = &[$(Code::$name),*];

            /// The number that canonical encodings carry.
            pub const fn number(self) -> u16 {
                self as u16
            }

            /// The code as sent, such as `GM4_1`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $wire),* }
            }
        }
    };
}

codes! {
    /// R1: registration request.
    Um1 = 110, "UM1";
    /// R2: registration reply.
    Um2 = 120, "UM2";
    /// E1: asks for the attestation of an earner's pseudonym (docs/decisions/0002).
    Em1 = 130, "EM1";
    /// E2: the attestation.
    Em2 = 140, "EM2";
    /// C1: a wallet claims its purse with its words (docs/decisions/0007).
    Rm1 = 150, "RM1";
    /// C2: the purse.
    Rm2 = 160, "RM2";
    /// H1: asks what has happened to a purse.
    Sm1 = 170, "SM1";
    /// H2: the statement.
    Sm2 = 180, "SM2";
    /// N1: fetches the encrypted notes.
    Nm1_1 = 191, "NM1_1";
    /// N1: keeps encrypted notes.
    Nm1_2 = 192, "NM1_2";
    /// N2: the notes.
    Nm2_1 = 201, "NM2_1";
    /// M1: issue request.
    Gm1_1 = 211, "GM1_1";
    /// M2: issue permitted.
    Gm2_1 = 221, "GM2_1";
    /// M2: issue refused.
    Gm2_2 = 222, "GM2_2";
    /// M3: center initialisation.
    Gm3_1 = 231, "GM3_1";
    /// M4: issue start.
    Gm4_1 = 241, "GM4_1";
    /// M4: issue cancelled.
    Gm4_2 = 242, "GM4_2";
    /// M5: e-cash.
    Gm5_1 = 251, "GM5_1";
    /// M5: scrip invalid.
    Gm5_2 = 252, "GM5_2";
    /// M5: issue declined.
    Gm5_3 = 253, "GM5_3";
    /// M5: center fault.
    Gm5_4 = 254, "GM5_4";
    /// M6: issue finished.
    Gm6_1 = 261, "GM6_1";
    /// M6: send the e-cash again.
    Gm6_2 = 262, "GM6_2";
    /// M6: issue cancelled.
    Gm6_3 = 263, "GM6_3";
    /// M7: issue information.
    Gm7_1 = 271, "GM7_1";
    /// M7: not confirmed yet; ask again.
    Gm7_2 = 272, "GM7_2";
    /// The reply to GM6_1: the issue's receipt.
    Gm8_1 = 281, "GM8_1";
    /// S1: purchase request.
    Pm1_1 = 311, "PM1_1";
    /// S2: payment information.
    Pm2_1 = 321, "PM2_1";
    /// S2: not for sale.
    Pm2_2 = 322, "PM2_2";
    /// S3: center initialisation.
    Pm3_1 = 331, "PM3_1";
    /// S4: payment.
    Pm4_1 = 341, "PM4_1";
    /// S4: payment cancelled.
    Pm4_2 = 342, "PM4_2";
    /// S5: balance.
    Pm5_1 = 351, "PM5_1";
    /// S5: scrip invalid.
    Pm5_2 = 352, "PM5_2";
    /// S5: center fault.
    Pm5_3 = 353, "PM5_3";
    /// S6: payment finished.
    Pm6_1 = 361, "PM6_1";
    /// S6: send the e-cash again.
    Pm6_2 = 362, "PM6_2";
    /// S6: payment failed.
    Pm6_3 = 363, "PM6_3";
    /// S7: the article.
    Pm7_1 = 371, "PM7_1";
    /// S7: not confirmed yet; ask again.
    Pm7_2 = 372, "PM7_2";
    /// The reply to PM6_1: the payment's receipt.
    Pm8_1 = 381, "PM8_1";
}

/// `HeaderType`: what every message begins with.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Header {
    /// What the message is.
    pub cmd_type: Code,
    /// The version of the protocol, [`PROTOCOL_VERSION`].
    pub protocol_version: u16,
    /// The sender's clock; informative, but in an R2, which authenticates it.
    pub server_date: Timestamp,
    /// Why it was refused; absent when all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<Text<500>>,
}

impl Header {
    /// The header of a message that is well.
    pub fn new(cmd_type: Code, server_date: Timestamp) -> Self {
        Header { cmd_type, protocol_version: PROTOCOL_VERSION, server_date, error_message: None }
    }

    /// Refuses another version, and a code that is none of `expected`.
    ///
    /// # Errors
    /// [`ErrorCode::Version`] or [`ErrorCode::WrongMessage`].
    pub fn expect(&self, expected: &[Code]) -> Result<Code, Refusal> {
        if self.protocol_version != PROTOCOL_VERSION {
            let message = format!("Version {} is not spoken here.", self.protocol_version);
            return Err(Refusal::new(ErrorCode::Version, message));
        }
        if !expected.contains(&self.cmd_type) {
            let names: Vec<_> = expected.iter().map(|code| code.as_str()).collect();
            let message =
                format!("{} came where {} is expected.", self.cmd_type.as_str(), names.join(" or "));
            return Err(Refusal::new(ErrorCode::WrongMessage, message));
        }
        Ok(self.cmd_type)
    }
}

impl Canonical for Header {
    fn write(&self, writer: &mut Writer) {
        writer.u16(self.cmd_type.number());
        writer.u16(self.protocol_version);
        writer.u64(self.server_date.as_millis());
        writer.optional(self.error_message.as_ref(), |w, message| w.text(message.as_str()));
    }
}

/// The number of a campaign's item (an advertisement, survey or quiz) at its seller.
pub type Item = Text<64>;

/// The address of an article, or of a cash-out order.
pub type RequestUrl = Text<1024>;

/// A document for the reader, HTML.
pub type Document = Text<1_000_000>;

/// `ScripBodyType`: what a certificate covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScripBody {
    /// Currency and value.
    pub value: Amount,
    /// The center that issued it.
    pub vendor_id: VendorId,
    /// The master scrip secret of the certificate, and which of the buyer's scrips this is.
    pub scrip_id: IdType,
    /// The master customer secret of the buyer's Custom_Secret, and which buyer this is.
    pub custom_id: IdType,
    /// The campaign item that last raised the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ad: Option<Item>,
    /// Until when it can be spent; afterwards it is renewed with the same value.
    pub expiration_date: Timestamp,
}

impl ScripBody {
    /// `H[ScripBodyType || master_scrip_secret]`.
    pub fn certify(&self, algorithm: HashAlgorithm, master_scrip_secret: &Secret) -> Seal {
        algorithm.seal(master_scrip_secret, Tag::Certificate, |w| self.write(w))
    }
}

impl Canonical for ScripBody {
    fn write(&self, writer: &mut Writer) {
        self.value.write(writer);
        writer.nested(&self.vendor_id);
        writer.nested(&self.scrip_id);
        writer.nested(&self.custom_id);
        writer.optional(self.ad.as_ref(), |w, ad| w.text(ad.as_str()));
        writer.u64(self.expiration_date.as_millis());
    }
}

/// `ScripType`: e-cash. Worth something only to whoever has the Custom_Secret too.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scrip {
    /// How certificate and seals of this scrip are made.
    pub hash_algorithm: HashAlgorithm,
    /// What it says.
    pub scrip: ScripBody,
    /// That the center said so.
    pub certificate: Seal,
}

impl Canonical for Scrip {
    fn write(&self, writer: &mut Writer) {
        writer.text(self.hash_algorithm.as_str());
        writer.nested(&self.scrip);
        writer.bytes(self.certificate.as_bytes());
    }
}

/// A refusal in the protocol's own form: GM2_2, GM5_2-4, PM2_2, PM5_2-3.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Refused {
    /// The code, and why.
    pub header: Header,
    /// The reason as a document for the reader (GM2_2, PM2_2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
    /// The scrip as sent (GM5, PM5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrip: Option<Scrip>,
    /// The offer as sent (PM5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<payment::PaymentOffer>,
    /// The hash as sent (GM5, PM5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<Seal>,
    /// The count as sent, and one (GM5, PM5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_count: Option<u16>,
}
