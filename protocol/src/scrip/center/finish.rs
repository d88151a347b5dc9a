//! M6 and S6 (spec/01): a step is finished or taken back, or the wallet asks where it stands.

use crate::error::{ErrorCode, Refusal};
use crate::scrip::center::purse::OpenPurse;
use crate::scrip::center::reply::Answer;
use crate::scrip::center::{Center, Found, Outcome, Purse, ScripState, Step, StepKind, StepState};
use crate::scrip::finish::{Finish, FinishReply, ISSUE_FINISH, PAYMENT_FINISH, Transaction};
use crate::scrip::{Code, Scrip};
use crate::secret::Secret;
use crate::time::Timestamp;

impl Center {
    /// M6 or S6 -> its reply.
    ///
    /// # Errors
    /// Whatever rule the message breaks; nothing has changed then.
    pub fn finish(
        &self,
        message: &Finish,
        found: Found<'_>,
        now: Timestamp,
    ) -> Result<Outcome<FinishReply>, Refusal> {
        let code = message.header.expect(&[ISSUE_FINISH, PAYMENT_FINISH].concat())?;
        let scrip = &message.new_scrip;
        let secret = self.keys.authenticate(scrip, &message.hash, |secret| message.seal(secret))?;
        let purse = found.purse(scrip.scrip.custom_id)?;
        match (code, &message.transaction) {
            (Code::Gm6_2 | Code::Pm6_2, None) => {
                let outcome = self.resynchronise(message, purse, &found, now)?;
                outcome.map(|answer| self.finish_reply(code, purse, &secret, answer))
            }
            (Code::Gm6_2 | Code::Pm6_2, Some(transaction)) => {
                let step = find(transaction, code, purse, &found)?;
                if step.is_tombstone() {
                    return Err(voided());
                }
                let reply = self.finish_reply(code, purse, &secret, Answer::started(step))?;
                Ok(Outcome::unchanged(reply))
            }
            (Code::Gm6_1 | Code::Pm6_1, Some(transaction)) => {
                self.complete(find(transaction, code, purse, &found)?, scrip, purse, &found, now)
            }
            (_, Some(transaction)) => self
                .take_back(find(transaction, code, purse, &found)?, scrip, purse, &found, now)?
                .map(|answer| self.finish_reply(code, purse, &secret, answer)),
            (_, None) => {
                let message = format!("{} names its transaction.", code.as_str());
                Err(Refusal::new(ErrorCode::Malformed, message))
            }
        }
    }

    /// `_6_2` without a transaction: the pending reply, or the live scrip, renewed if it has expired (rules 6, 7).
    fn resynchronise(
        &self,
        message: &Finish,
        purse: &Purse,
        found: &Found<'_>,
        now: Timestamp,
    ) -> Result<Outcome<Answer>, Refusal> {
        let mut purse = OpenPurse::open(self, purse, found, now)?;
        if purse.is_of_earlier_epoch() {
            // Whether the pending step was ended in the books that are lost is unknown: as when nobody ends it.
            purse.settle()?;
        }
        purse.renew()?;
        let answer = match purse.pending() {
            Some(step) => Answer::started(step),
            // The question's own date, so that the same question gets the same bytes while nothing changes.
            None => Answer::live(purse.live(), message.header.server_date),
        };
        Ok(purse.close(answer))
    }

    /// `_6_1`.
    fn complete(
        &self,
        step: &Step,
        shown: &Scrip,
        purse: &Purse,
        found: &Found<'_>,
        now: Timestamp,
    ) -> Result<Outcome<FinishReply>, Refusal> {
        check_new_scrip(step, shown)?;
        let seller = found.seller.ok_or_else(unknown)?;
        self.end(step, purse, found, now, OpenPurse::post)?.map(|step| match step.state {
            StepState::Voided(..) => Err(voided()),
            _ => self.receipt(&step, seller).map(FinishReply::Receipt),
        })
    }

    /// `_6_3`.
    fn take_back(
        &self,
        step: &Step,
        shown: &Scrip,
        purse: &Purse,
        found: &Found<'_>,
        now: Timestamp,
    ) -> Result<Outcome<Answer>, Refusal> {
        check_new_scrip(step, shown)?;
        self.end(step, purse, found, now, OpenPurse::void)?.map(|step| Answer::taken_back(&step))
    }

    /// M5 or S5, whichever the code asks for.
    fn finish_reply(
        &self,
        code: Code,
        purse: &Purse,
        secret: &Secret,
        answer: Answer,
    ) -> Result<FinishReply, Refusal> {
        if PAYMENT_FINISH.contains(&code) {
            self.balance(purse.custom_id, secret, answer).map(FinishReply::Balance)
        } else {
            self.ecash(purse.custom_id, secret, answer).map(FinishReply::Ecash)
        }
    }
}

/// The step that an M6 or S6 names, if it is this buyer's and of this kind.
fn find<'a>(
    transaction: &Transaction,
    code: Code,
    purse: &Purse,
    found: &Found<'a>,
) -> Result<&'a Step, Refusal> {
    found.seller(&transaction.vendor_id)?;
    let step = found.step.filter(|step| step.key.tran_id == transaction.tran_id);
    let step = step.filter(|step| step.customer == purse.custom_id.serial_number).ok_or_else(unknown)?;
    let issue = matches!(step.kind, StepKind::Issue);
    if issue != ISSUE_FINISH.contains(&code) {
        let message = format!("{} does not belong to this kind of transaction.", code.as_str());
        return Err(Refusal::new(ErrorCode::TransactionConflict, message));
    }
    Ok(step)
}

/// `_6_1` and `_6_3` show the scrip that M5 or S5 brought.
fn check_new_scrip(step: &Step, shown: &Scrip) -> Result<(), Refusal> {
    if step.new == ScripState::shown_by(shown) {
        return Ok(());
    }
    Err(Refusal::new(ErrorCode::ScripStale, "The scrip is not the one that the transaction brought."))
}

fn unknown() -> Refusal {
    Refusal::new(ErrorCode::TransactionUnknown, "The center knows no such transaction of this purse.")
}

fn voided() -> Refusal {
    Refusal::new(ErrorCode::TransactionVoided, "The transaction was taken back, or ran out of time.")
}
