//! A payment center in memory: the rules of `protocol::scrip::center`, with maps for records.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tuppence_protocol::envelope::CenterPrivateKey;
use tuppence_protocol::ids::{Serial, TranId, WalletId};
use tuppence_protocol::recovery::claim::{ClaimReply, ClaimRequest};
use tuppence_protocol::recovery::notes::{Notes, NotesReply, NotesRequest};
use tuppence_protocol::recovery::statement::{STEPS_MAX, StatementReply, StatementRequest};
use tuppence_protocol::recovery::{Claimed, StatementRow};
use tuppence_protocol::scrip::cash_out::{CashOutStage, CashOutState};
use tuppence_protocol::scrip::center::{
    Center, CenterKeys, Change, Found, Outcome, Policy, Purse, Seller, Step, StepKey, StepKind, StepState,
};
use tuppence_protocol::scrip::earner::AttestationRequest;
use tuppence_protocol::scrip::finish::Finish;
use tuppence_protocol::scrip::issue::IssueStart;
use tuppence_protocol::scrip::payment::{PaymentStart, PurchaseRequest};
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::scrip::registration::{RegistrationReply, RegistrationRequest};
use tuppence_protocol::{
    Amount, Currency, ErrorBody, ErrorCode, HashAlgorithm, KeyRing, Refusal, Secret, Timestamp, VendorId,
};
use tuppence_wallet::ports::Random;
use tuppence_wallet::ports::memory::SeededRandom;

/// A status, and a body of JSON.
pub type Answer = (u16, Vec<u8>);

#[derive(Clone)]
pub struct CenterSim {
    pub center: Center,
    pub shop_id: VendorId,
    pub shop_secrets: KeyRing,
    pub purses: BTreeMap<Serial, Purse>,
    pub steps: BTreeMap<StepKey, Step>,
    registrations: BTreeMap<WalletId, ([u8; 32], RegistrationReply, Claimed)>,
    /// Solutions that were used for a claim.
    claimed: BTreeSet<[u8; 16]>,
    pub notes: BTreeMap<Serial, Notes>,
    /// Steps on a page of a statement.
    pub page: usize,
    campaign: Amount,
    earned_by_shop: Amount,
    paid_out: Amount,
    payouts: BTreeMap<TranId, (CashOutStage, Timestamp)>,
    random: u8,
    /// The epoch of the books.
    pub epoch: u32,
}

/// One key for all tests: making one takes a second.
fn key() -> &'static CenterPrivateKey {
    static KEY: OnceLock<CenterPrivateKey> = OnceLock::new();
    KEY.get_or_init(|| CenterPrivateKey::generate(&mut rng()).unwrap())
}

fn rng() -> impl rsa::rand_core::CryptoRng {
    struct Rng(SeededRandom);
    impl rsa::rand_core::TryRng for Rng {
        type Error = std::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            self.try_next_u64().map(|number| number as u32)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            let mut bytes = [0; 8];
            self.try_fill_bytes(&mut bytes).map(|()| u64::from_be_bytes(bytes))
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            self.0.fill(bytes).unwrap();
            Ok(())
        }
    }
    impl rsa::rand_core::TryCryptoRng for Rng {}
    Rng(SeededRandom::new(1))
}

pub fn server(name: &str) -> VendorId {
    VendorId { dns_name: name.parse().unwrap(), ip_addr: None, server_name: name.parse().unwrap(), port: 443 }
}

fn usd(text: &str) -> Amount {
    format!("USD:{text}").parse().unwrap()
}

impl CenterSim {
    pub fn new() -> Self {
        let secret = |byte| Secret::from_bytes([byte; 32]);
        let keys = CenterKeys {
            center_id: server("center.example"),
            scrip_secrets: KeyRing::new(1, secret(1)),
            customer_secrets: KeyRing::new(1, secret(2)),
            vendor_secrets: KeyRing::new(1, secret(3)),
            signing_secrets: KeyRing::new(1, secret(5)),
            challenge_secret: secret(4),
            algorithm: HashAlgorithm::HmacSha256,
            sha256_allowed: false,
        };
        let policy = Policy { challenge_bits: 6, ..Policy::new(Currency::USD) };
        CenterSim {
            center: Center { keys, policy },
            shop_id: server("shop.example"),
            shop_secrets: KeyRing::new(1, secret(5)),
            purses: BTreeMap::new(),
            steps: BTreeMap::new(),
            registrations: BTreeMap::new(),
            claimed: BTreeSet::new(),
            notes: BTreeMap::new(),
            page: STEPS_MAX,
            campaign: usd("100"),
            earned_by_shop: usd("0"),
            paid_out: usd("0"),
            payouts: BTreeMap::new(),
            random: 0,
            epoch: 0,
        }
    }

    /// Nothing was made or lost: what the center has given out is somewhere.
    pub fn assert_conserved(&self) {
        let purses = self.purses.values().map(|purse| purse.live.value.micros());
        let pending = self.steps.values().filter(|step| matches!(step.state, StepState::Pending));
        let transit = pending.filter(|step| step.kind != StepKind::Issue).map(|step| step.amount.micros());
        let accounts = [self.campaign, self.earned_by_shop, self.paid_out].map(Amount::micros);
        let sum: u64 = purses.chain(transit).chain(accounts).sum();
        assert_eq!(sum, usd("100").micros(), "money was made or lost");
    }

    pub fn is_idle(&self) -> bool {
        self.purses.values().all(|purse| purse.pending.is_none())
    }

    pub fn only_purse_value(&self) -> Amount {
        assert_eq!(self.purses.len(), 1, "there is one wallet");
        self.purses.values().next().unwrap().live.value
    }

    /// How many steps of a kind were completed.
    pub fn posted(&self, kind: StepKind) -> usize {
        let posted = |step: &&Step| matches!(step.state, StepState::Posted(_)) && step.kind == kind;
        self.steps.values().filter(posted).count()
    }

    /// What the shop has got.
    pub fn earned_by_shop(&self) -> String {
        self.earned_by_shop.to_string()
    }

    /// The campaign's budget is spent.
    pub fn exhaust_campaign(&mut self) {
        self.paid_out = self.paid_out.checked_add(self.campaign).unwrap();
        self.campaign = usd("0");
    }

    /// The operator confirms or returns every open payout.
    pub fn settle_payouts(&mut self, stage: CashOutStage, now: Timestamp) {
        let open: Vec<TranId> = self
            .payouts
            .iter()
            .filter(|(_, state)| state.0 == CashOutStage::Ordered)
            .map(|(id, _)| *id)
            .collect();
        for tran_id in open {
            self.payouts.insert(tran_id, (stage, now));
            if stage == CashOutStage::Returned {
                let step = self.steps.values().find(|step| step.key.tran_id == tran_id).unwrap().clone();
                let purse = self.purses[&step.customer].clone();
                let pending = purse.pending.and_then(|key| self.steps.get(&key)).cloned();
                let outcome = self
                    .center
                    .return_payout(&purse, self.pending(pending.as_ref()), step.amount, now)
                    .unwrap();
                self.paid_out = self.paid_out.checked_sub(step.amount).unwrap();
                self.keep(outcome);
            }
        }
    }

    fn pending<'a>(&self, pending: Option<&'a Step>) -> Found<'a> {
        Found { pending, epoch: self.epoch, ..Found::default() }
    }

    /// Ends steps that nobody has ended within ten minutes.
    pub fn sweep(&mut self, now: Timestamp) {
        for purse in self.purses.values().cloned().collect::<Vec<_>>() {
            let pending = purse.pending.and_then(|key| self.steps.get(&key)).cloned();
            let outcome = self.center.sweep(&purse, self.pending(pending.as_ref()), now).unwrap();
            self.keep(outcome);
        }
    }

    /// The completed step's receipt: what a relayed M3 or S3 is answered with.
    pub fn outcome(&self, tran_id: TranId) -> Option<Receipt> {
        let step = self.steps.values().find(|step| step.key.tran_id == tran_id)?;
        self.center.receipt(step, self.shop()).ok().map(|reply| reply.receipt)
    }

    fn shop(&self) -> Seller<'_> {
        Seller { number: 1, id: &self.shop_id, secrets: &self.shop_secrets }
    }

    pub fn handle(&mut self, path: &str, body: Option<&[u8]>, now: Timestamp) -> Answer {
        match path {
            "/center" => ok(&self.info(now)),
            "/shops" => ok(&json!({"shops": [{"vendorId": self.shop_id, "origin": super::SHOP}]})),
            "/registration/challenge" => {
                self.random += 1;
                ok(&self.center.challenge([self.random; 16], now))
            }
            "/registration" => reply(decode(body).and_then(|message| self.register(&message, now))),
            "/recovery/claim" => reply(decode(body).and_then(|message| self.claim(&message, now))),
            "/recovery/notes" => reply(decode(body).and_then(|message| self.notes(&message, now))),
            "/statement" => reply(decode(body).and_then(|message| self.statement(&message, now))),
            "/earner" => reply(decode(body).and_then(|message| self.attest(&message))),
            "/issue" => reply(decode(body).and_then(|message| self.issue(&message, now))),
            "/payment" => reply(decode(body).and_then(|message| self.pay(&message, now))),
            "/issue/finish" | "/payment/finish" => {
                reply(decode(body).and_then(|message| self.finish(&message, now)))
            }
            "/cash-out" => reply(decode(body).and_then(|message: PurchaseRequest| {
                self.random += 1;
                self.center.cash_out_offer(&message, TranId::new(now, [128 + self.random; 10]), now)
            })),
            "/cash-out/state" => reply(decode(body).and_then(|receipt| self.cash_out_state(&receipt))),
            _ => (404, Vec::new()),
        }
    }

    fn info(&self, now: Timestamp) -> impl Serialize {
        let policy = &self.center.policy;
        let public_key = key().public().unwrap();
        tuppence_protocol::scrip::info::CenterInfo {
            center_id: self.center.keys.center_id.clone(),
            origin: super::CENTER.parse().unwrap(),
            currency: policy.currency,
            fingerprint: public_key.fingerprint(),
            public_key,
            hash_algorithm: self.center.keys.algorithm,
            fee_basis_points: policy.fee_basis_points,
            payout_threshold: policy.payout_threshold,
            payout_fee: policy.payout_fee,
            balance_max: policy.balance_max,
            pending_minutes: 10,
            server_date: now,
            protocol_version: tuppence_protocol::PROTOCOL_VERSION,
        }
    }

    fn register(
        &mut self,
        message: &RegistrationRequest,
        now: Timestamp,
    ) -> Result<RegistrationReply, Refusal> {
        if let Some((digest, reply, _)) = self.registrations.get(&message.id) {
            if *digest == message.digest() {
                return Ok(reply.clone());
            }
            return Err(Refusal::new(ErrorCode::WalletTaken, "The identifier is taken."));
        }
        self.center.check_registration(message, now)?;
        let session_key = key()
            .decrypt(&message.key_envelope, &mut rng())
            .map_err(|error| Refusal::new(ErrorCode::Envelope, error.to_string()))?;
        let customer = Serial::try_from(self.purses.len() as u64 + 1).unwrap();
        let purse = self.center.new_purse(customer, now)?;
        let reply =
            self.center.registration_reply(purse.custom_id, &purse.live, &session_key, [9; 12], now)?;
        let claimed =
            Claimed { wallet_key: message.etc.wallet_key, custom_id: purse.custom_id, registered: now };
        self.purses.insert(customer, purse);
        self.registrations.insert(message.id, (message.digest(), reply.clone(), claimed));
        Ok(reply)
    }

    fn claim(&mut self, message: &ClaimRequest, now: Timestamp) -> Result<ClaimReply, Refusal> {
        self.center.check_claim(message, now)?;
        let session_key = key()
            .decrypt(&message.key_envelope, &mut rng())
            .map_err(|error| Refusal::new(ErrorCode::Envelope, error.to_string()))?;
        if !self.claimed.insert(message.solution.challenge.salt) {
            return Err(Refusal::new(ErrorCode::Challenge, "The solution was used before."));
        }
        let claimed = self.registrations.get(&message.id).map(|(_, _, claimed)| claimed);
        self.center.claim(message, claimed, &session_key, [9; 12], now)
    }

    fn statement(&self, message: &StatementRequest, now: Timestamp) -> Result<StatementReply, Refusal> {
        self.center.check_statement(message)?;
        let customer = message.scrip.scrip.custom_id.serial_number;
        let own = self.steps.values().filter(|step| step.customer == customer && !step.is_tombstone());
        let mut steps: Vec<&Step> = own.filter(|step| step.old.serial >= message.from).collect();
        steps.sort_by_key(|step| step.old.serial);
        let more = steps.len() > self.page;
        let rows: Vec<StatementRow<'_>> = steps
            .into_iter()
            .take(self.page)
            .map(|step| StatementRow {
                step,
                seller: if step.key.vendor == 0 { self.center.as_seller() } else { self.shop() },
                payout: self.payout(step),
            })
            .collect();
        self.center.statement(message, &self.purses[&customer], &rows, more, now)
    }

    fn notes(&mut self, message: &NotesRequest, now: Timestamp) -> Result<NotesReply, Refusal> {
        let customer = message.scrip.scrip.custom_id.serial_number;
        let (reply, notes) =
            self.center.notes(message, self.purses.get(&customer), self.notes.get(&customer), now)?;
        if let Some(notes) = notes {
            self.notes.insert(customer, notes);
        }
        Ok(reply)
    }

    fn payout(&self, step: &Step) -> Option<CashOutState> {
        let (state, date) = self.payouts.get(&step.key.tran_id).filter(|_| step.key.vendor == 0)?;
        let fee = self.center.policy.payout_fee;
        let amount = step.amount.checked_sub(fee).unwrap();
        Some(CashOutState { state: *state, number: 1, amount, fee, date: *date, note: None })
    }

    fn attest(&self, message: &AttestationRequest) -> Result<impl Serialize + use<>, Refusal> {
        let found = Found {
            purse: self.purses.get(&message.scrip.scrip.custom_id.serial_number),
            seller: Some(self.shop()),
            ..Found::default()
        };
        self.center.attest(message, found)
    }

    fn issue(&mut self, message: &IssueStart, now: Timestamp) -> Result<impl Serialize + use<>, Refusal> {
        let budget = Some(self.campaign);
        let offer = &message.offer;
        let (customer, vendor, tran) =
            (message.scrip.scrip.custom_id.serial_number, &offer.vendor_id, offer.tran_id);
        let outcome = self
            .with(customer, vendor, Some(tran), |center, found| center.issue(message, found, budget, now))?;
        Ok(self.keep(outcome))
    }

    fn pay(&mut self, message: &PaymentStart, now: Timestamp) -> Result<impl Serialize + use<>, Refusal> {
        let (customer, vendor, tran) =
            (message.scrip.scrip.custom_id.serial_number, &message.order.vendor_id, message.order.tran_id);
        let outcome =
            self.with(customer, vendor, Some(tran), |center, found| center.payment(message, found, now))?;
        Ok(self.keep(outcome))
    }

    fn finish(&mut self, message: &Finish, now: Timestamp) -> Result<impl Serialize + use<>, Refusal> {
        let customer = message.new_scrip.scrip.custom_id.serial_number;
        let tran = message.transaction.as_ref().map(|transaction| transaction.tran_id);
        let own = self.center.keys.center_id.clone();
        let vendor = message.transaction.as_ref().map_or(&own, |transaction| &transaction.vendor_id);
        let outcome =
            self.with(customer, vendor, tran, |center, found| center.finish(message, found, now))?;
        Ok(self.keep(outcome))
    }

    fn with<R>(
        &self,
        customer: Serial,
        vendor: &VendorId,
        tran_id: Option<TranId>,
        act: impl FnOnce(&Center, Found<'_>) -> Result<Outcome<R>, Refusal>,
    ) -> Result<Outcome<R>, Refusal> {
        let seller = match vendor {
            id if *id == self.shop_id => Some(self.shop()),
            id if *id == self.center.keys.center_id => Some(self.center.as_seller()),
            _ => None,
        };
        let purse = self.purses.get(&customer);
        let key = seller.zip(tran_id).map(|(seller, tran_id)| StepKey { vendor: seller.number, tran_id });
        let found = Found {
            purse,
            pending: purse.and_then(|purse| purse.pending).and_then(|key| self.steps.get(&key)),
            seller,
            step: key.and_then(|key| self.steps.get(&key)),
            epoch: self.epoch,
        };
        act(&self.center, found)
    }

    /// Keeps what has changed, and moves the money with it.
    fn keep<R>(&mut self, outcome: Outcome<R>) -> R {
        for change in &outcome.changes {
            let step = change.step().clone();
            match (change, step.kind) {
                (Change::Began(_), StepKind::Issue) => {
                    self.campaign = self.campaign.checked_sub(step.amount).unwrap();
                }
                (Change::Voided(_), StepKind::Issue) => {
                    self.campaign = self.campaign.checked_add(step.amount).unwrap();
                }
                (Change::Posted(_), StepKind::Payment) => {
                    self.earned_by_shop = self.earned_by_shop.checked_add(step.amount).unwrap();
                }
                (Change::Posted(step), StepKind::CashOut) => {
                    self.paid_out = self.paid_out.checked_add(step.amount).unwrap();
                    self.payouts.insert(step.key.tran_id, (CashOutStage::Ordered, step.started));
                }
                _ => {}
            }
            self.steps.insert(step.key, step);
        }
        if let Some(purse) = outcome.purse {
            self.purses.insert(purse.custom_id.serial_number, purse);
        }
        outcome.reply
    }

    fn cash_out_state(&self, receipt: &Receipt) -> Result<CashOutState, Refusal> {
        let unknown = || Refusal::new(ErrorCode::PayoutUnknown, "There is no such order.");
        let (state, date) = self.payouts.get(&receipt.tran_id).ok_or_else(unknown)?;
        let fee = self.center.policy.payout_fee;
        Ok(CashOutState {
            state: *state,
            number: 1,
            amount: receipt.amount.checked_sub(fee).unwrap(),
            fee,
            date: *date,
            note: None,
        })
    }
}

pub fn decode<T: DeserializeOwned>(body: Option<&[u8]>) -> Result<T, Refusal> {
    serde_json::from_slice(body.unwrap_or_default())
        .map_err(|error| Refusal::new(ErrorCode::Malformed, error.to_string()))
}

pub fn ok(value: &impl Serialize) -> Answer {
    (200, serde_json::to_vec(value).unwrap())
}

pub fn reply<T: Serialize>(result: Result<T, Refusal>) -> Answer {
    match result {
        Ok(value) => ok(&value),
        Err(refusal) => (refusal.code.status(), serde_json::to_vec(&ErrorBody::from(&refusal)).unwrap()),
    }
}
