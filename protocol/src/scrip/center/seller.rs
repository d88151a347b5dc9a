//! What sellers ask the center: how a transaction stands (M3, S3), and a campaign's budget (rule 8).

use crate::amount::Amount;
use crate::error::{ErrorCode, Refusal};
use crate::scrip::campaign::CampaignFunding;
use crate::scrip::center::{Center, Found, Seller, StepKind, StepState};
use crate::scrip::relay::{Outcome, RELAY, RelayReply, RelayRequest};
use crate::scrip::{Code, Header};
use crate::seal::Seal;
use crate::time::Timestamp;

impl Center {
    /// A relayed M3 or S3 -> how the transaction stands. Changes nothing.
    ///
    /// # Errors
    /// Whatever rule the message breaks.
    pub fn relay(
        &self,
        message: &RelayRequest,
        found: Found<'_>,
        now: Timestamp,
    ) -> Result<RelayReply, Refusal> {
        let code = message.header.expect(&RELAY)?;
        let seller = found.seller(&message.vendor_id)?;
        let secret = seller.secrets.find(message.secret_id).filter(|secret| message.holds(secret));
        let secret = secret.ok_or_else(|| unauthorized(seller))?;
        let step = found.step.filter(|step| step.key.tran_id == message.tran_id);
        if let Some(step) = step
            && matches!(step.kind, StepKind::Issue) != matches!(code, Code::Gm3_1)
        {
            let message = format!("{} does not belong to this kind of transaction.", code.as_str());
            return Err(Refusal::new(ErrorCode::TransactionConflict, message));
        }
        // An end's date is the step's, so that the same question gets the same bytes once it has ended. That of a pending step
        // is its beginning: a later one would tell the seller that nothing has come, and can come, of an offer that is past.
        let (outcome, date) = match step.map(|step| (step, &step.state)) {
            None => (Outcome::Open, now),
            Some((step, StepState::Pending)) => (Outcome::Open, step.started),
            Some((step, StepState::Posted(at))) => {
                (Outcome::Posted(self.receipt(step, seller)?.receipt), *at)
            }
            Some((_, StepState::Voided(at, _))) => (Outcome::Voided, *at),
        };
        let reply = RelayReply {
            header: Header::new(code, date),
            tran_id: message.tran_id,
            outcome,
            secret_id: message.secret_id,
            seal: Seal::from_bytes([0; 32]),
        };
        Ok(reply.sealed(secret))
    }

    /// Whether a seller may set this budget; how much of it must be moved is for the books to say.
    ///
    /// # Errors
    /// Whatever rule the message breaks.
    pub fn check_funding(&self, message: &CampaignFunding, found: Found<'_>) -> Result<(), Refusal> {
        let seller = found.seller(&message.vendor_id)?;
        let secret = seller.secrets.find(message.secret_id).filter(|secret| message.holds(secret));
        secret.ok_or_else(|| unauthorized(seller))?;
        if message.budget.currency() != self.policy.currency {
            let message = format!("This center's e-cash is in {}.", self.policy.currency);
            return Err(Refusal::new(ErrorCode::CurrencyMismatch, message));
        }
        Ok(())
    }

    /// What a campaign should hold so that it issues `budget` in all, when it has `funded` less what it
    /// holds already issued: nothing that was issued comes back.
    ///
    /// # Errors
    /// [`ErrorCode::Fault`] if the campaign holds more than was ever set aside.
    pub fn campaign_target(&self, budget: Amount, funded: Amount, held: Amount) -> Result<Amount, Refusal> {
        let fault = |error| Refusal::new(ErrorCode::Fault, format!("The campaign's books: {error}."));
        let issued = funded.checked_sub(held).map_err(fault)?;
        Ok(budget.checked_sub(issued).unwrap_or(Amount::zero(self.policy.currency)))
    }
}

fn unauthorized(seller: Seller<'_>) -> Refusal {
    let message = format!("{} did not seal this message.", seller.id.server_name);
    Refusal::new(ErrorCode::Unauthorized, message)
}
