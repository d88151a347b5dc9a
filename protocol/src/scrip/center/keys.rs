//! What a center is: its name, its secrets and its policy; how it makes scrip and knows it again.

use crate::amount::{Amount, Currency};
use crate::error::{ErrorCode, Refusal};
use crate::ids::{IdType, Serial, VendorId};
use crate::scrip::center::ScripState;
use crate::scrip::{Item, Scrip, ScripBody};
use crate::seal::{HashAlgorithm, Seal};
use crate::secret::{KeyRing, Secret};
use crate::time::{Duration, Timestamp};

/// A payment center: the rules with their secrets and limits.
#[derive(Debug, Clone)]
pub struct Center {
    /// Name and secrets.
    pub keys: CenterKeys,
    /// Limits, fees and times.
    pub policy: Policy,
}

/// A center's name and secrets. A new secret in a ring leaves older scrip and offers valid.
#[derive(Debug, Clone)]
pub struct CenterKeys {
    /// Who the center is; every scrip says so, so it stays for good.
    pub center_id: VendorId,
    /// Master scrip secrets, which make certificates.
    pub scrip_secrets: KeyRing,
    /// Master customer secrets, which buyers' Custom_Secrets are derived from.
    pub customer_secrets: KeyRing,
    /// The center's own Vendor_Secrets: in a cash-out it is the seller (rule 11).
    pub vendor_secrets: KeyRing,
    /// The seeds of the Ed25519 keys that shops know the center by (spec/03).
    pub signing_secrets: KeyRing,
    /// Seals the anti-robot challenges.
    pub challenge_secret: Secret,
    /// How certificates and seals of new scrip are made.
    pub algorithm: HashAlgorithm,
    /// Whether scrip with the patent's literal SHA-256 is taken although new scrip is made otherwise.
    pub sha256_allowed: bool,
}

/// What the operator decides.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The one currency of this center.
    pub currency: Currency,
    /// How long a scrip can be spent before it is renewed.
    pub scrip_lifetime: Duration,
    /// How long a step waits for its M6 or S6 (rule 5).
    pub pending: Duration,
    /// The most that a purse holds, and that a step moves.
    pub balance_max: Amount,
    /// The center's share of a payment, in hundredths of a percent.
    pub fee_basis_points: u16,
    /// The least that is cashed out at once, fee included.
    pub payout_threshold: Amount,
    /// What a cash-out costs.
    pub payout_fee: Amount,
    /// How long a cash-out offer is good.
    pub payout_offer_lifetime: Duration,
    /// Zero bits of work that a registration takes.
    pub challenge_bits: u8,
    /// How long a challenge can be solved.
    pub challenge_lifetime: Duration,
}

impl Policy {
    /// The limits of a new center in `currency`: ten minutes pending, scrip good for a year, purses up
    /// to 200 units, no fee on payments, cash-out from 5 units for 0.25.
    pub fn new(currency: Currency) -> Self {
        // The constants are far below the limit of an amount.
        let amount = |micros| Amount::new(currency, micros).unwrap_or(Amount::zero(currency));
        Policy {
            currency,
            scrip_lifetime: Duration::from_days(365),
            pending: Duration::from_minutes(10),
            balance_max: amount(200_000_000),
            fee_basis_points: 0,
            payout_threshold: amount(5_000_000),
            payout_fee: amount(250_000),
            payout_offer_lifetime: Duration::from_minutes(15),
            challenge_bits: 16,
            challenge_lifetime: Duration::from_minutes(30),
        }
    }
}

impl CenterKeys {
    /// That the center issued `scrip` and that its owner sealed the message with `theirs`; `ours` makes
    /// the seal that the message must carry. Gives the owner's Custom_Secret. Any scrip that the buyer ever
    /// had will do: whether it is the live one is for the purse to say.
    ///
    /// # Errors
    /// [`ErrorCode::Algorithm`], [`ErrorCode::ScripForged`], [`ErrorCode::SealInvalid`].
    pub fn authenticate(
        &self,
        scrip: &Scrip,
        theirs: &Seal,
        ours: impl FnOnce(&Secret) -> Seal,
    ) -> Result<Secret, Refusal> {
        self.check_issued(scrip)?;
        let custom_secret = self.custom_secret(scrip.scrip.custom_id)?;
        if !ours(&custom_secret).matches(theirs) {
            return Err(Refusal::new(ErrorCode::SealInvalid, "The message's seal is not this purse's."));
        }
        Ok(custom_secret)
    }

    /// That the center issued `scrip`, whenever that was.
    ///
    /// # Errors
    /// [`ErrorCode::Algorithm`], [`ErrorCode::ScripForged`].
    pub fn check_issued(&self, scrip: &Scrip) -> Result<(), Refusal> {
        let Scrip { hash_algorithm, scrip: body, certificate } = scrip;
        if !self.takes(*hash_algorithm) {
            let message = format!("This center does not take scrip with {}.", hash_algorithm.as_str());
            return Err(Refusal::new(ErrorCode::Algorithm, message));
        }
        let forged = || Refusal::new(ErrorCode::ScripForged, "This center did not issue the scrip.");
        let master = self.scrip_secrets.find(body.scrip_id.secret_id).ok_or_else(forged)?;
        if body.vendor_id != self.center_id || !body.certify(*hash_algorithm, master).matches(certificate) {
            return Err(forged());
        }
        Ok(())
    }

    /// The buyer's Custom_Secret.
    ///
    /// # Errors
    /// [`ErrorCode::PurseUnknown`] if its master secret was removed.
    pub fn custom_secret(&self, custom_id: IdType) -> Result<Secret, Refusal> {
        let master = self.customer_secrets.find(custom_id.secret_id);
        let unknown = || Refusal::new(ErrorCode::PurseUnknown, "The purse's master secret was removed.");
        Ok(master.ok_or_else(unknown)?.custom_secret(custom_id.serial_number.get()))
    }

    /// The scrip that `state` describes, with its certificate.
    ///
    /// # Errors
    /// [`ErrorCode::Fault`] if its master secret was removed.
    pub fn scrip(&self, custom_id: IdType, state: &ScripState) -> Result<Scrip, Refusal> {
        let master = self.scrip_secrets.find(state.secret_id).ok_or_else(no_secret)?;
        let body = ScripBody {
            value: state.value,
            vendor_id: self.center_id.clone(),
            scrip_id: IdType { secret_id: state.secret_id, serial_number: state.serial },
            custom_id,
            ad: state.ad.clone(),
            expiration_date: state.expires,
        };
        let certificate = body.certify(state.algorithm, master);
        Ok(Scrip { hash_algorithm: state.algorithm, scrip: body, certificate })
    }

    /// New scrip, under the newest secret.
    pub(crate) fn new_scrip(
        &self,
        serial: Serial,
        value: Amount,
        ad: Option<Item>,
        expires: Timestamp,
    ) -> Result<ScripState, Refusal> {
        let (secret_id, _) = self.scrip_secrets.current().ok_or_else(no_secret)?;
        Ok(ScripState { algorithm: self.algorithm, secret_id, serial, value, ad, expires })
    }

    fn takes(&self, algorithm: HashAlgorithm) -> bool {
        match algorithm {
            HashAlgorithm::HmacSha256 => true,
            HashAlgorithm::Sha256 => self.sha256_allowed || matches!(self.algorithm, HashAlgorithm::Sha256),
        }
    }
}

/// The center's key ring lacks a secret that its records name.
pub(super) fn no_secret() -> Refusal {
    Refusal::new(ErrorCode::Fault, "The center misses one of its secrets.")
}
