//! The center's side of recovery: a claim, a statement, notes. Nothing here moves money.

use crate::amount::Amount;
use crate::envelope::SecretBox;
use crate::error::{ErrorCode, Refusal};
use crate::ids::{IdType, Serial};
use crate::recovery::claim::{ClaimReply, ClaimRequest};
use crate::recovery::notes::{Notes, NotesReply, NotesRequest};
use crate::recovery::statement::{
    StatementKind, StatementReply, StatementRequest, StatementState, StatementStep,
};
use crate::scrip::cash_out::CashOutState;
use crate::scrip::center::{Center, Purse, Seller, Step, StepKind, StepState};
use crate::scrip::{Code, Header, Scrip};
use crate::seal::Seal;
use crate::secret::Secret;
use crate::time::Timestamp;

/// A step with what its line in a statement needs besides.
#[derive(Debug, Clone)]
pub struct StatementRow<'a> {
    /// The step.
    pub step: &'a Step,
    /// Its seller.
    pub seller: Seller<'a>,
    /// How the payout stands, of a completed cash-out.
    pub payout: Option<CashOutState>,
}

/// What the center knows of a wallet that is claimed.
#[derive(Debug, Clone, Copy)]
pub struct Claimed {
    /// The Ed25519 key of its R1.
    pub wallet_key: [u8; 32],
    /// Its purse.
    pub custom_id: IdType,
    /// When it was registered.
    pub registered: Timestamp,
}

impl Center {
    /// Whether a C1 is worth a look into the records: a challenge of this center was solved for just this claim, in
    /// time. Whether the solution was used before is for the records to say.
    ///
    /// # Errors
    /// [`ErrorCode::Challenge`], [`ErrorCode::Version`] or [`ErrorCode::WrongMessage`].
    pub fn check_claim(&self, request: &ClaimRequest, now: Timestamp) -> Result<(), Refusal> {
        request.header.expect(&[Code::Rm1])?;
        request.solution.verify(request.content(&self.keys.center_id), &self.keys.challenge_secret, 0, now)
    }

    /// That the wallet which registered `claimed` signed the claim; absent where nobody registered the identifier.
    ///
    /// # Errors
    /// [`ErrorCode::ClaimRefused`], the same in both cases, so that nobody can find out which wallets there are.
    pub fn check_claimant<'a>(
        &self,
        request: &ClaimRequest,
        claimed: Option<&'a Claimed>,
    ) -> Result<&'a Claimed, Refusal> {
        let signed = |claimed: &&Claimed| request.holds(&self.keys.center_id, &claimed.wallet_key);
        let refused = || Refusal::new(ErrorCode::ClaimRefused, "The center has no wallet of these words.");
        claimed.filter(signed).ok_or_else(refused)
    }

    /// C2, for the wallet that registered `claimed`.
    ///
    /// # Errors
    /// As [`Center::check_claimant`].
    pub fn claim(
        &self,
        request: &ClaimRequest,
        claimed: Option<&Claimed>,
        session_key: &Secret,
        nonce: [u8; 12],
        now: Timestamp,
    ) -> Result<ClaimReply, Refusal> {
        let Claimed { custom_id, registered, .. } = *self.check_claimant(request, claimed)?;
        let scrip = self.first_scrip(custom_id, now)?;
        let header = Header::new(Code::Rm2, now);
        let associated = ClaimReply::associated(&header, &scrip, registered);
        let secret = self.keys.custom_secret(custom_id)?;
        let custom_secret = SecretBox::close(session_key, nonce, &associated, &secret)
            .map_err(|_| Refusal::new(ErrorCode::Fault, "The secret cannot be encrypted."))?;
        Ok(ClaimReply { header, scrip, registered, custom_secret })
    }

    /// H2: `rows` are the purse's steps from the wanted serial on, in order, and `more` whether there are others.
    ///
    /// # Errors
    /// Whatever rule the message breaks.
    pub fn statement(
        &self,
        request: &StatementRequest,
        purse: &Purse,
        rows: &[StatementRow<'_>],
        more: bool,
        now: Timestamp,
    ) -> Result<StatementReply, Refusal> {
        self.check_statement(request)?;
        if purse.custom_id != request.scrip.scrip.custom_id {
            return Err(unknown());
        }
        let mut reply = StatementReply {
            header: Header::new(Code::Sm2, now),
            nonce: request.nonce,
            scrip: self.live_scrip(purse)?,
            steps: rows.iter().map(|row| self.line(row)).collect::<Result<_, _>>()?,
            more,
            hash: Seal::from_bytes([0; 32]),
        };
        reply.hash = reply.seal(&self.keys.custom_secret(purse.custom_id)?);
        Ok(reply)
    }

    /// Whether an H1 is a buyer's of this center.
    ///
    /// # Errors
    /// Whatever rule the message breaks.
    pub fn check_statement(&self, request: &StatementRequest) -> Result<(), Refusal> {
        request.header.expect(&[Code::Sm1])?;
        self.keys.authenticate(&request.scrip, &request.hash, |secret| request.seal(secret)).map(drop)
    }

    fn line(&self, row: &StatementRow<'_>) -> Result<StatementStep, Refusal> {
        let StatementRow { step, seller, payout } = row;
        let (state, last) = match &step.state {
            StepState::Pending => (StatementState::Pending, &step.new),
            StepState::Posted(_) => (StatementState::Posted(self.receipt(step, *seller)?.receipt), &step.new),
            StepState::Voided(at, back) => (StatementState::Voided(*at), back),
        };
        Ok(StatementStep {
            kind: match step.kind {
                StepKind::Issue => StatementKind::Issue,
                StepKind::Payment => StatementKind::Payment,
                StepKind::CashOut => StatementKind::CashOut,
            },
            vendor_id: seller.id.clone(),
            tran_id: step.key.tran_id,
            subject: step.subject.clone(),
            amount: step.amount,
            serial: step.old.serial,
            next: last.serial,
            before: step.old.value,
            after: last.value,
            started: step.started,
            state,
            payout: payout.clone(),
        })
    }

    /// N2. `kept` is what is kept now; what shall be kept from now on comes with the reply.
    ///
    /// # Errors
    /// [`ErrorCode::NotesStale`] for notes that do not follow those that are kept, and whatever rule the message
    /// breaks.
    pub fn notes(
        &self,
        request: &NotesRequest,
        purse: Option<&Purse>,
        kept: Option<&Notes>,
        now: Timestamp,
    ) -> Result<(NotesReply, Option<Notes>), Refusal> {
        let code = request.header.expect(&[Code::Nm1_1, Code::Nm1_2])?;
        self.keys.authenticate(&request.scrip, &request.hash, |secret| request.seal(secret))?;
        let custom_id = request.scrip.scrip.custom_id;
        purse.filter(|purse| purse.custom_id == custom_id).ok_or_else(unknown)?;
        let (shown, new) = match (code, &request.notes) {
            (Code::Nm1_1, None) => (kept.cloned(), None),
            // The same again, whose reply was lost.
            (Code::Nm1_2, Some(notes)) if kept == Some(notes) => (None, None),
            (Code::Nm1_2, Some(notes)) => {
                let version = kept.map_or(0, |kept| kept.version.get());
                if notes.version.get().checked_sub(1) != Some(version) {
                    let message = format!("Version {version} of the notes is kept.");
                    return Err(Refusal::new(ErrorCode::NotesStale, message));
                }
                (None, Some(notes.clone()))
            }
            _ => {
                let message = format!("{} comes with notes, and NM1_1 without.", Code::Nm1_2.as_str());
                return Err(Refusal::new(ErrorCode::Malformed, message));
            }
        };
        let mut reply = NotesReply {
            header: Header::new(Code::Nm2_1, now),
            nonce: request.nonce,
            notes: shown,
            hash: Seal::from_bytes([0; 32]),
        };
        reply.hash = reply.seal(&request.scrip, &self.keys.custom_secret(custom_id)?);
        Ok((reply, new))
    }

    /// The first scrip of a purse, made anew: its own certificate's secret may be long removed.
    fn first_scrip(&self, custom_id: IdType, now: Timestamp) -> Result<Scrip, Refusal> {
        let nothing = Amount::zero(self.policy.currency);
        let expires = now.plus(self.policy.scrip_lifetime);
        let first = self.keys.new_scrip(Serial::FIRST, nothing, None, expires)?;
        self.keys.scrip(custom_id, &first)
    }
}

fn unknown() -> Refusal {
    Refusal::new(ErrorCode::PurseUnknown, "The center has no such purse.")
}
