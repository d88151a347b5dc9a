//! What each command must lead to (spec/01, docs/protocol): predicted from the books, before the center's own answer
//! is looked at.

use tuppence_protocol::scrip::earner::earner;
use tuppence_protocol::scrip::finish::Finish;
use tuppence_protocol::scrip::issue::IssueStart;
use tuppence_protocol::scrip::payment::{DeliveryMethod, PaymentStart};
use tuppence_protocol::scrip::registration::RegistrationRequest;
use tuppence_protocol::scrip::{Code, Header, Scrip};
use tuppence_protocol::{ErrorCode, PROTOCOL_VERSION, Seal, Secret, Timestamp};
use tuppence_server::center::Command;
use tuppence_server::store::records::Direction;

use super::books::{
    Books, Campaign, Key, Kind, Note, Payout, PayoutStand, Purse, Registered, Stand, Step, Touched,
};
use super::budgets::BudgetId;
use super::epochs::{epoch_of, first_of};
use super::offer::Offer;
use crate::fixture;

/// What a command must be answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// R2 with this buyer and this date.
    Registered(u64, u64),
    /// E2.
    Attested,
    /// M5 or S5: whether it is an M5, the transaction, the scrip, the date.
    Scrip(bool, Option<[u8; 16]>, Note, u64),
    /// The receipt of this transaction.
    Receipt(Key),
    /// How a transaction stands: open, posted or voided.
    Open,
    /// Posted.
    Posted(Key),
    /// Voided.
    Voided,
    /// A campaign: budget and rest.
    Campaign(u64, u64),
    /// A payout order by its number.
    Payout(u64),
    /// A movement of real money.
    Booked,
    /// The countersigned authority of this identifier.
    Countersigned([u8; 32]),
    /// The scrip that this budget is.
    Purchased(BudgetId),
    /// A shop's deposit or settlement: all that it has in millionths, and whether it is the last one.
    Paid(u64, bool),
    /// So many budgets came to their end.
    Released(usize),
    /// The licence of this number.
    Licensed(u32),
    /// S2 for this order, under this TranID.
    Quoted([u8; 32], [u8; 16]),
    /// Whatever else; it changes no money.
    Other,
}

/// Why not.
pub(super) type Verdict<T = Expected> = Result<T, ErrorCode>;

/// The furthest that an offer's end may be ahead, and how long a cancellation is worth remembering after it.
const MONTH: u64 = 30 * 24 * 60 * 60 * 1_000;

/// A purse while a message works on it; nothing counts before [`Books::close`].
pub(super) struct Turn {
    pub(super) customer: u64,
    pub(super) purse: Purse,
    pub(super) steps: Vec<(Key, Step)>,
}

impl Books {
    /// What `command` must lead to at `now`; the books follow unless it must be refused.
    ///
    /// # Errors
    /// The code of the refusal.
    pub fn predict(&mut self, command: &Command, now: u64) -> Verdict {
        match command {
            Command::Register { request, .. } => self.register(request, now),
            Command::Attest(message) => {
                expect(&message.header, &[Code::Em1])?;
                self.authenticate(&message.scrip, &message.hash, |secret| message.seal(secret))?;
                self.purse_of(&message.scrip)?;
                self.number(&message.vendor_id).ok_or(ErrorCode::VendorUnknown)?;
                Ok(Expected::Attested)
            }
            Command::Issue(message) => self.issue(message, now),
            Command::Payment(message)
                if message.order.delivery_method == DeliveryMethod::Budget
                    && message.header.cmd_type == Code::Pm4_1 =>
            {
                Err(ErrorCode::AuthorityUnknown)
            }
            Command::Payment(message) => self.payment(message, now),
            Command::Finish(message) => self.finish(message, now),
            Command::Relay(message) => self.relay(message),
            Command::FundCampaign(message) => self.fund(message),
            Command::CampaignState { vendor, item } => self.campaign_state(*vendor, item),
            Command::CashOutState(receipt) => self.cash_out_state(receipt),
            Command::ConfirmPayout { number, reference } => self.confirm(*number, reference.as_str()),
            Command::ReturnPayout { number, reason } => self.give_back(*number, reason.as_str(), now),
            Command::AddVendor { id, secret, .. } => {
                let number = (1..=fixture::ROGUE_VENDOR).find(|number| fixture::vendor(*number) == *id);
                let number = number.ok_or(ErrorCode::Malformed)?;
                if self.vendors.insert(number, self.vendors.get(&number).copied().unwrap_or(0)).is_none() {
                    self.secrets.entry(number).or_default().insert(1, secret.clone());
                }
                Ok(Expected::Other)
            }
            Command::AddVendorSecret { vendor, secret } => {
                let ring = self.secrets.get_mut(vendor).ok_or(ErrorCode::VendorUnknown)?;
                let next = ring.keys().max().map_or(1, |id| id + 1);
                ring.insert(next, secret.clone());
                Ok(Expected::Other)
            }
            // Its wallets keep no words, so that they neither claim a purse nor keep notes; both move no money.
            Command::AdmitRecovery(_) | Command::Recover { .. } => Ok(Expected::Other),
            Command::Notes(message) => {
                expect(&message.header, &[Code::Nm1_1, Code::Nm1_2])?;
                self.authenticate(&message.scrip, &message.hash, |secret| message.seal(secret))?;
                self.purse_of(&message.scrip)?;
                Ok(Expected::Other)
            }
            Command::Reserve { start, order } => self.reserve(start, order, now),
            Command::Countersigned { id, receipt } => self.countersigned(id, receipt),
            Command::Deposit(message) => self.deposit(message, now),
            Command::License(message) => self.license(message, now),
            Command::QuoteScrip { order, tran_id } => self.quote_scrip(order, *tran_id.as_bytes(), now),
            Command::BuyScrip { start, order } => self.buy_scrip(start, order, now),
            Command::Purchased { id, receipt } => self.purchased(id, receipt),
            Command::Settle(message) => self.settlement(message, now),
            Command::CloseSales(ids) => {
                self.release(ids.iter().map(|id| BudgetId::Scrip(*id.as_bytes())), now)
            }
            Command::Release(ids) => {
                self.release(ids.iter().map(|id| BudgetId::Paywords(*id.as_bytes())), now)
            }
            Command::Vendors | Command::Admit(_) => Ok(Expected::Other),
            Command::Claim(scrip) => self.claim(scrip, now),
            Command::UseUp { salt, ends } => {
                self.salts.entry(*salt).or_insert(ends.as_millis());
                Ok(Expected::Other)
            }
            Command::Book { reference, vendor, direction, amount } => {
                let deposit = *direction == Direction::Deposit;
                self.book(reference.as_str(), *vendor, deposit, *amount)
            }
            Command::Sweep(keys) => self.sweep(keys, now),
        }
    }

    fn register(&mut self, request: &RegistrationRequest, now: u64) -> Verdict {
        expect(&request.header, &[Code::Um1])?;
        let known = self.wallets.get(request.id.as_bytes());
        let digest = request.digest();
        if let Some(known) = known.filter(|known| known.digest == digest) {
            return Ok(Expected::Registered(known.customer, known.at));
        }
        let challenge = &request.etc.solution.challenge;
        let secret = &self.center.keys.challenge_secret;
        request
            .etc
            .solution
            .verify(request.content(), secret, 0, Timestamp::from_millis(now))
            .map_err(|no| no.code)?;
        if self.salts.contains_key(&challenge.salt) {
            return Err(ErrorCode::Challenge);
        }
        if known.is_some() {
            return Err(ErrorCode::WalletTaken);
        }
        let customer = self.next_customer;
        self.next_customer += 1;
        let expires = now + self.center.policy.scrip_lifetime.as_millis();
        let serial = first_of(epoch_of(customer));
        self.add_purse(customer, Note { serial, value: 0, ad: None, expires });
        self.salts.insert(challenge.salt, challenge.expires.as_millis());
        self.wallets.insert(*request.id.as_bytes(), Registered { digest, customer, at: now });
        self.touched.insert(Touched::Purse(customer));
        Ok(Expected::Registered(customer, now))
    }

    fn issue(&mut self, message: &IssueStart, now: u64) -> Verdict {
        let code = expect(&message.header, &[Code::Gm4_1, Code::Gm4_2])?;
        self.authenticate(&message.scrip, &message.hash, |secret| message.seal(secret))?;
        let offer = Offer::Issue(&message.offer);
        if code == Code::Gm4_2 {
            return self.cancel(&message.scrip, offer, now);
        }
        self.start(&message.scrip, offer, &message.hash, now)
    }

    pub(super) fn payment(&mut self, message: &PaymentStart, now: u64) -> Verdict {
        let code = expect(&message.header, &[Code::Pm4_1, Code::Pm4_2])?;
        self.authenticate(&message.scrip, &message.hash, |secret| message.seal(secret))?;
        let offer = Offer::Payment(&message.order);
        if code == Code::Pm4_2 {
            return self.cancel(&message.scrip, offer, now);
        }
        self.start(&message.scrip, offer, &message.hash, now)
    }

    fn authenticate(&self, scrip: &Scrip, theirs: &Seal, ours: impl FnOnce(&Secret) -> Seal) -> Verdict<()> {
        self.check_issued(scrip)?;
        let body = &scrip.scrip;
        if body.custom_id.secret_id != 1 {
            return Err(ErrorCode::PurseUnknown);
        }
        let secret = self.custom_secret(body.custom_id.serial_number.get());
        if ours(&secret).matches(theirs) { Ok(()) } else { Err(ErrorCode::SealInvalid) }
    }

    fn purse_of(&self, scrip: &Scrip) -> Verdict<u64> {
        let customer = scrip.scrip.custom_id.serial_number.get();
        if self.purses.contains_key(&customer) { Ok(customer) } else { Err(ErrorCode::PurseUnknown) }
    }

    /// The purse at work; a step that has waited too long has ended first.
    pub(super) fn open(&self, customer: u64, now: u64) -> Turn {
        let mut turn = Turn { customer, purse: self.purses[&customer].clone(), steps: Vec::new() };
        if let Some(key) = turn.purse.pending
            && now.saturating_sub(self.steps[&key].started) >= self.center.policy.pending.as_millis()
        {
            self.settle(&mut turn, now);
        }
        turn
    }

    /// Ends the pending step in the buyer's favour.
    pub(super) fn settle(&self, turn: &mut Turn, now: u64) {
        if let Some(key) = turn.purse.pending {
            match self.steps[&key].kind {
                Kind::Issue => self.post(turn, key, now),
                Kind::Payment | Kind::CashOut => self.void(turn, key, now),
            }
        }
    }

    fn post(&self, turn: &mut Turn, key: Key, now: u64) {
        let step = Step { stand: Stand::Posted(now), ..self.steps[&key].clone() };
        turn.purse.pending = None;
        turn.steps.push((key, step));
    }

    fn void(&self, turn: &mut Turn, key: Key, now: u64) {
        let mut step = self.steps[&key].clone();
        let back = Note {
            serial: self.after(turn.purse.live.serial),
            value: step.old.value,
            ad: step.old.ad.clone(),
            expires: now + self.center.policy.scrip_lifetime.as_millis(),
        };
        turn.purse.pending = None;
        turn.purse.live = back.clone();
        step.stand = Stand::Voided(now, back);
        turn.steps.push((key, step));
    }

    /// Everything that the turn did is in the books from here on.
    pub(super) fn close(&mut self, turn: Turn) {
        for (key, step) in turn.steps {
            // A budget is held, or over, with its payment.
            self.budgets.touched.extend(self.budget_of(key).filter(|_| step.stand != Stand::Pending));
            let before = self.steps.get(&key).cloned();
            self.touched.insert(Touched::Step(key));
            self.move_money(key, &step, before.as_ref());
            if !step.never_was() {
                self.begun_by.entry(step.customer).or_default().insert(key);
            }
            self.steps.insert(key, step);
        }
        self.touched.insert(Touched::Purse(turn.customer));
        self.purses.insert(turn.customer, turn.purse);
    }

    /// What the accounts beside the purse have afterwards.
    fn move_money(&mut self, key: Key, step: &Step, before: Option<&Step>) {
        if step.never_was() {
            return;
        }
        let amount = step.amount;
        match (step.kind, &step.stand, before.is_some()) {
            (Kind::Issue, Stand::Pending, _) => self.campaign_of(key.0, &step.subject).held -= amount,
            (Kind::Issue, Stand::Posted(_), _) => {}
            (Kind::Issue, Stand::Voided(..), _) => self.campaign_of(key.0, &step.subject).held += amount,
            (_, Stand::Pending, _) => self.transit += amount,
            (_, Stand::Voided(..), _) => self.transit -= amount,
            (kind, Stand::Posted(_), _) => {
                self.transit -= amount;
                self.fees += step.fee;
                // The center itself sells nothing but budgets.
                if kind == Kind::Payment && key.0 == 0 {
                    self.budgets.account += amount;
                    return;
                }
                if kind == Kind::Payment {
                    *self.vendors.entry(key.0).or_default() += amount - step.fee;
                    return;
                }
                self.owed += amount - step.fee;
                let number = self.next_payout;
                self.next_payout += 1;
                let payout = Payout {
                    step: key,
                    customer: step.customer,
                    amount: amount - step.fee,
                    fee: step.fee,
                    stand: PayoutStand::Ordered,
                };
                self.payouts.insert(number, payout);
                self.touched.insert(Touched::Payout(number));
            }
        }
    }

    fn campaign_of(&mut self, vendor: u32, item: &str) -> &mut Campaign {
        self.campaigns.get_mut(&(vendor, item.to_owned())).expect("a step that began had a campaign")
    }

    /// GM4_1, PM4_1.
    fn start(&mut self, scrip: &Scrip, offer: Offer<'_>, hash: &Seal, now: u64) -> Verdict {
        let customer = self.purse_of(scrip)?;
        let seller = self.number(offer.vendor());
        let key = seller.map(|seller| (seller, offer.tran_id()));
        if let Some(step) = key.and_then(|key| self.steps.get(&key)) {
            if step.never_was() && self.began_with(step, customer, offer) {
                return Err(ErrorCode::TransactionVoided);
            }
            let same = step.customer == customer && (step.kind == Kind::Issue) == offer.is_issue();
            if same && step.hash.matches(hash) {
                return Ok(offer.started(step));
            }
            return Err(ErrorCode::TransactionConflict);
        }
        let mut turn = self.open(customer, now);
        let shown = Books::note(scrip);
        if let Some(pending) = turn.purse.pending
            && self.steps[&pending].old == shown
        {
            let step = &self.steps[&pending];
            return Ok(Expected::Scrip(offer.is_issue(), Some(pending.1), step.new.clone(), step.started));
        }
        if turn.purse.live != shown || self.is_of_earlier_epoch(&shown) {
            return Err(ErrorCode::ScripStale);
        }
        if now > turn.purse.live.expires {
            return Err(ErrorCode::ScripExpired);
        }
        if turn.purse.live.serial + 2 > fixture::SERIAL_MAX {
            return Err(ErrorCode::SerialLimit);
        }
        if let Some(pending) = turn.purse.pending {
            self.post(&mut turn, pending, now);
        }
        let (seller, kind) = self.check_offer(customer, seller, offer, now, true)?;
        let amount = offer.amount();
        let value = turn.purse.live.value;
        let (value, fee) = match kind {
            Kind::Issue => {
                let raised = value + amount;
                if raised > self.center.policy.balance_max.micros() {
                    return Err(ErrorCode::BalanceLimit);
                }
                let left = self.campaigns.get(&(seller, offer.subject())).map_or(0, |campaign| campaign.held);
                if left < amount {
                    return Err(ErrorCode::CampaignExhausted);
                }
                (raised, 0)
            }
            Kind::Payment => {
                let lowered = value.checked_sub(amount).ok_or(ErrorCode::BalanceInsufficient)?;
                // A budget pays its fee as it is spent.
                let amount = if seller == 0 { 0 } else { amount };
                (lowered, amount * u64::from(self.center.policy.fee_basis_points) / 10_000)
            }
            Kind::CashOut => {
                let lowered = value.checked_sub(amount).ok_or(ErrorCode::BalanceInsufficient)?;
                (lowered, self.check_cash_out(offer)?)
            }
        };
        let ad = if kind == Kind::Issue { Some(offer.subject()) } else { turn.purse.live.ad.clone() };
        let expires = now + self.center.policy.scrip_lifetime.as_millis();
        let old = turn.purse.live.clone();
        let new = Note { serial: self.after(old.serial), value, ad, expires };
        let key = (seller, offer.tran_id());
        let step = Step {
            kind,
            customer,
            amount,
            fee,
            subject: offer.subject(),
            hash: *hash,
            old,
            new: new.clone(),
            started: now,
            stand: Stand::Pending,
        };
        let answer = offer.started(&step);
        turn.purse.pending = Some(key);
        turn.purse.live = new;
        turn.steps.push((key, step));
        self.close(turn);
        Ok(answer)
    }

    /// GM4_2, PM4_2.
    fn cancel(&mut self, scrip: &Scrip, offer: Offer<'_>, now: u64) -> Verdict {
        let customer = self.purse_of(scrip)?;
        let seller = self.number(offer.vendor());
        let key = seller.map(|seller| (seller, offer.tran_id()));
        if let Some((key, step)) = key.and_then(|key| self.steps.get(&key).map(|step| (key, step))) {
            if !self.began_with(step, customer, offer) {
                return Err(ErrorCode::TransactionConflict);
            }
            return self.take_back(key, offer.is_issue(), now);
        }
        let (seller, kind) = self.check_offer(customer, seller, offer, now, false)?;
        let mut turn = self.open(customer, now);
        let live = turn.purse.live.clone();
        let key = (seller, offer.tran_id());
        if now > offer.expires().saturating_add(MONTH) {
            // Nobody can take it any more: that it was cancelled need not be remembered.
            self.close(turn);
            return Ok(Expected::Scrip(offer.is_issue(), Some(offer.tran_id()), live, now));
        }
        let step = Step {
            kind,
            customer,
            amount: offer.amount(),
            fee: 0,
            subject: offer.subject(),
            hash: self.start_seal(customer, &live, offer),
            old: live.clone(),
            new: live.clone(),
            started: now,
            stand: Stand::Voided(now, live.clone()),
        };
        turn.steps.push((key, step));
        self.close(turn);
        Ok(Expected::Scrip(offer.is_issue(), Some(offer.tran_id()), live, now))
    }

    /// The seal of the message that would begin with `note`.
    fn start_seal(&self, customer: u64, note: &Note, offer: Offer<'_>) -> Seal {
        let scrip = self.scrip(customer, note);
        let secret = self.custom_secret(customer);
        let header = |code| Header::new(code, Timestamp::from_millis(0));
        let (hash, p_count) = (Seal::from_bytes([0; 32]), 0);
        match offer {
            Offer::Issue(offer) => {
                let offer = offer.clone();
                IssueStart { header: header(Code::Gm4_1), scrip, offer, hash, p_count }.seal(&secret)
            }
            Offer::Payment(order) => {
                let order = order.clone();
                PaymentStart { header: header(Code::Pm4_1), scrip, order, hash, p_count }.seal(&secret)
            }
        }
    }

    fn began_with(&self, step: &Step, customer: u64, offer: Offer<'_>) -> bool {
        step.customer == customer
            && (step.kind == Kind::Issue) == offer.is_issue()
            && self.start_seal(customer, &step.old, offer).matches(&step.hash)
    }

    fn check_offer(
        &self,
        customer: u64,
        seller: Option<u32>,
        offer: Offer<'_>,
        now: u64,
        begins: bool,
    ) -> Verdict<(u32, Kind)> {
        let seller = seller.ok_or(ErrorCode::VendorUnknown)?;
        if !self.secret(seller, offer.secret_id()).is_some_and(|secret| offer.holds(secret)) {
            return Err(ErrorCode::OfferForged);
        }
        let kind = match (offer, seller) {
            (Offer::Issue(_), 1..) => Kind::Issue,
            (Offer::Payment(payment), _) => match (seller, payment.delivery_method) {
                (0, DeliveryMethod::Payout) => Kind::CashOut,
                (0, DeliveryMethod::Budget) => Kind::Payment,
                (0, _) | (_, DeliveryMethod::Payout | DeliveryMethod::Budget) => {
                    return Err(ErrorCode::OfferForged);
                }
                _ => Kind::Payment,
            },
            _ => return Err(ErrorCode::OfferForged),
        };
        if *offer.center() != fixture::vendor(0) {
            return Err(ErrorCode::OfferForeign);
        }
        let over = begins && now > offer.expires();
        if over || offer.expires() > now.saturating_add(MONTH) {
            return Err(ErrorCode::OfferExpired);
        }
        if let Offer::Issue(issue) = offer
            && earner(&issue.vendor_id, &self.custom_secret(customer)) != issue.earner
        {
            return Err(ErrorCode::EarnerMismatch);
        }
        let most = self.center.policy.balance_max;
        if offer.price().currency() != most.currency() {
            return Err(ErrorCode::CurrencyMismatch);
        }
        if offer.amount() == 0 || offer.amount() > most.micros() {
            return Err(ErrorCode::AmountOutOfRange);
        }
        Ok((seller, kind))
    }

    /// Ends a step by taking it back, unless it has ended.
    fn take_back(&mut self, key: Key, issue: bool, now: u64) -> Verdict {
        let step = &self.steps[&key];
        if step.stand == Stand::Pending {
            let mut turn = self.open(step.customer, now);
            if turn.steps.is_empty() {
                self.void(&mut turn, key, now);
            }
            let ended = turn.steps.last().map(|(_, step)| step.stand.clone());
            if let Some(Stand::Voided(at, back)) = ended {
                self.close(turn);
                return Ok(Expected::Scrip(issue, Some(key.1), back, at));
            }
            return Err(ErrorCode::TransactionPosted);
        }
        match &step.stand {
            Stand::Voided(at, back) => Ok(Expected::Scrip(issue, Some(key.1), back.clone(), *at)),
            _ => Err(ErrorCode::TransactionPosted),
        }
    }

    /// M6, S6.
    fn finish(&mut self, message: &Finish, now: u64) -> Verdict {
        use Code::{Gm6_1, Gm6_2, Gm6_3, Pm6_1, Pm6_2, Pm6_3};
        let code = expect(&message.header, &[Gm6_1, Gm6_2, Gm6_3, Pm6_1, Pm6_2, Pm6_3])?;
        let issue = matches!(code, Gm6_1 | Gm6_2 | Gm6_3);
        self.authenticate(&message.new_scrip, &message.hash, |secret| message.seal(secret))?;
        let customer = self.purse_of(&message.new_scrip)?;
        let Some(transaction) = &message.transaction else {
            if !matches!(code, Gm6_2 | Pm6_2) {
                return Err(ErrorCode::Malformed);
            }
            let asked = message.header.server_date.as_millis();
            return self.resynchronise(&message.new_scrip, customer, issue, asked, now);
        };
        let seller = self.number(&transaction.vendor_id).ok_or(ErrorCode::VendorUnknown)?;
        let key = (seller, *transaction.tran_id.as_bytes());
        let step = self.steps.get(&key).filter(|step| step.customer == customer);
        let step = step.ok_or(ErrorCode::TransactionUnknown)?;
        if (step.kind == Kind::Issue) != issue {
            return Err(ErrorCode::TransactionConflict);
        }
        if matches!(code, Gm6_2 | Pm6_2) {
            if step.never_was() {
                return Err(ErrorCode::TransactionVoided);
            }
            return Ok(Expected::Scrip(issue, Some(key.1), step.new.clone(), step.started));
        }
        if step.new != Books::note(&message.new_scrip) {
            return Err(ErrorCode::ScripStale);
        }
        if matches!(code, Gm6_3 | Pm6_3) {
            return self.take_back(key, issue, now);
        }
        match step.stand {
            Stand::Voided(..) => Err(ErrorCode::TransactionVoided),
            Stand::Posted(_) => Ok(Expected::Receipt(key)),
            Stand::Pending => {
                let mut turn = self.open(customer, now);
                if turn.steps.is_empty() {
                    self.post(&mut turn, key, now);
                }
                if turn.steps.iter().any(|(_, step)| matches!(step.stand, Stand::Voided(..))) {
                    return Err(ErrorCode::TransactionVoided);
                }
                self.close(turn);
                Ok(Expected::Receipt(key))
            }
        }
    }
}

pub(super) fn expect(header: &Header, codes: &[Code]) -> Verdict<Code> {
    if header.protocol_version != PROTOCOL_VERSION {
        return Err(ErrorCode::Version);
    }
    if codes.contains(&header.cmd_type) { Ok(header.cmd_type) } else { Err(ErrorCode::WrongMessage) }
}
