//! The shop's side (spec/03): it asks nobody. What it must store is one [`Session`] for each budget.
//!
//! A session is stored before anything is handed out for it, and forgotten [`GRACE`] after its end.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::ids::VendorId;
use crate::payword::authority::{AuthorityId, Countersigned, GRACE, LIFETIME_MAX};
use crate::payword::charge::{CHARGE_JUMP_MAX, Charge, DEPOSIT_JUMP_MAX, Deposit, Paid};
use crate::payword::check::{Outcome, Position, check};
use crate::payword::error::PaywordError;
use crate::seal::Seal;
use crate::secret::KeyRing;
use crate::signature::PublicKeys;
use crate::time::Timestamp;

/// A shop that takes paywords, and whom it believes.
#[derive(Debug, Clone)]
pub struct Vendor {
    /// Who it is.
    pub vendor_id: VendorId,
    /// The center that pays.
    pub center_id: VendorId,
    /// The center's public keys, fetched once.
    pub center_keys: PublicKeys,
    /// The Vendor_Secrets that it shares with the center.
    pub secrets: KeyRing,
}

impl Vendor {
    /// Takes a budget, so that charges can follow. `known` is the session that is stored for it, if there is one:
    /// the same authority again changes nothing.
    ///
    /// # Errors
    /// [`PaywordError::Foreign`] for another shop's or center's, [`PaywordError::Forged`], [`PaywordError::Terms`],
    /// [`PaywordError::Expired`].
    pub fn open(
        &self,
        known: Option<&Session>,
        countersigned: &Countersigned,
        now: Timestamp,
    ) -> Result<Session, PaywordError> {
        let authority = countersigned.authority();
        if authority.vendor_id != self.vendor_id {
            return Err(PaywordError::Foreign("The authority is for another shop."));
        }
        if let Some(known) = known.filter(|known| known.id() == authority.id()) {
            return Ok(known.clone());
        }
        if now > authority.expires {
            return Err(PaywordError::Expired("The authority has ended."));
        }
        if authority.expires > now.plus(LIFETIME_MAX) {
            return Err(PaywordError::Expired("The authority's end is too far ahead."));
        }
        countersigned.check(&self.center_id, &self.center_keys)?;
        Ok(Session {
            last: Position { index: 0, payword: authority.root },
            countersigned: countersigned.clone(),
            ended: false,
            deposited: 0,
            settled: false,
        })
    }

    /// What to send to the center next, if there is anything that it has not confirmed. Until it has, the same is sent
    /// again.
    ///
    /// # Errors
    /// [`PaywordError::Forged`] if the shop's secrets were taken away.
    pub fn deposit(&self, session: &Session) -> Result<Option<Deposit>, PaywordError> {
        let index = session.last.index.min(session.deposited.saturating_add(DEPOSIT_JUMP_MAX));
        let last = session.ended && index == session.last.index;
        if index == session.deposited && (!last || session.settled) {
            return Ok(None);
        }
        let payword = session.authority_link().back(&session.last.payword, session.last.index - index);
        let none = PaywordError::Forged("The shop has no secret to seal with.");
        let (secret_id, secret) = self.secrets.current().ok_or(none)?;
        let deposit = Deposit {
            vendor_id: self.vendor_id.clone(),
            authority_id: session.id(),
            index,
            payword,
            last,
            secret_id,
            seal: Seal::from_bytes([0; 32]),
        };
        Ok(Some(deposit.sealed(secret)))
    }

    /// Takes the center's word that a deposit is on the shop's account. An old one changes nothing.
    ///
    /// # Errors
    /// [`PaywordError::Forged`], or [`PaywordError::Foreign`] for another session's.
    pub fn confirm(&self, session: &Session, paid: &Paid) -> Result<Session, PaywordError> {
        if paid.authority_id != session.id() || paid.index > session.last.index {
            return Err(PaywordError::Foreign("The center confirms what was not deposited."));
        }
        if !self.secrets.find(paid.secret_id).is_some_and(|secret| paid.holds(secret)) {
            return Err(PaywordError::Forged("The confirmation is not the center's."));
        }
        let deposited = session.deposited.max(paid.index);
        Ok(Session { deposited, settled: session.settled || paid.last, ..session.clone() })
    }
}

/// What a shop stores of one budget.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Session {
    /// The authority, which was checked.
    countersigned: Countersigned,
    /// The highest payword that was paid; at first the root.
    last: Position,
    /// Whether the customer has ended it.
    ended: bool,
    /// The index up to which the center has confirmed deposits.
    deposited: u32,
    /// Whether the center has confirmed the last one.
    settled: bool,
}

/// What changes of a session, for a store that keeps the authority, which does not, apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The highest payword that was paid; at first the root.
    pub last: Position,
    /// Whether the customer has ended it.
    pub ended: bool,
    /// The index up to which the center has confirmed deposits.
    pub deposited: u32,
    /// Whether the center has confirmed the last one.
    pub settled: bool,
}

/// What a charge does. `session` is to be stored before anything is handed out.
#[derive(Debug, Clone)]
pub struct Charged {
    /// The session as it is now.
    pub session: Session,
    /// Units that this charge adds; none if it was paid before.
    pub units: u32,
    /// What they are worth.
    pub amount: Amount,
}

impl Session {
    /// The session of `countersigned`, which was checked when it was opened, as it stood.
    pub fn of(countersigned: Countersigned, standing: Standing) -> Self {
        let Standing { last, ended, deposited, settled } = standing;
        Session { countersigned, last, ended, deposited, settled }
    }

    /// What changes of it.
    pub const fn standing(&self) -> Standing {
        Standing { last: self.last, ended: self.ended, deposited: self.deposited, settled: self.settled }
    }

    /// Which budget.
    pub fn id(&self) -> AuthorityId {
        self.countersigned.authority().id()
    }

    /// The authority.
    pub fn countersigned(&self) -> &Countersigned {
        &self.countersigned
    }

    /// How many units were paid in all.
    pub const fn index(&self) -> u32 {
        self.last.index
    }

    /// Whether no more is taken, because the customer has ended it.
    pub const fn is_ended(&self) -> bool {
        self.ended
    }

    /// Takes a charge: the units between the last payword and this one. The same or an older one again adds nothing,
    /// also after the end.
    ///
    /// # Errors
    /// [`PaywordError::Foreign`] for another budget's, [`PaywordError::Payword`] for what is not this chain's or
    /// too far on, [`PaywordError::Ended`] and [`PaywordError::Expired`] for what comes too late.
    pub fn charge(&self, charge: &Charge, now: Timestamp) -> Result<Charged, PaywordError> {
        let authority = self.countersigned.authority();
        if charge.authority_id != self.id() {
            return Err(PaywordError::Foreign("The charge is for another budget."));
        }
        let link = self.authority_link();
        let outcome = check(&link, authority.length, CHARGE_JUMP_MAX, &self.last, &charge.position())?;
        let mut session = self.clone();
        let units = match outcome {
            Outcome::Repeated => 0,
            Outcome::Paid(_) if self.ended => return Err(PaywordError::Ended(self.last.index)),
            Outcome::Paid(_) if now > authority.expires => {
                return Err(PaywordError::Expired("The budget's time is over."));
            }
            Outcome::Paid(units) => {
                session.last = charge.position();
                units
            }
        };
        // Whoever knows only an older payword, from a copy of an older charge, ends nothing.
        if charge.last && charge.index < session.last.index {
            return Err(PaywordError::Forged("An older payword ends nothing."));
        }
        session.ended |= charge.last;
        Ok(Charged { session, units, amount: authority.worth(units)? })
    }

    /// Whether it can be forgotten: nobody can pay or be paid by it any more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now > self.countersigned.authority().expires.plus(GRACE)
    }

    fn authority_link(&self) -> super::Link {
        self.countersigned.authority().link()
    }
}
