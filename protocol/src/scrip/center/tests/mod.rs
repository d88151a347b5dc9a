//! A small world around the center: shops, a campaign, books and a buyer that can send anything.

mod cash_out;
mod epochs;
mod issue;
mod payment;
mod property;
mod refusals;
mod registration;
mod resynchronisation;
mod rotation;
mod sellers;

use std::collections::BTreeMap;

use serde::Serialize;

use super::*;
use crate::ids::{IdType, Serial, TranId, VendorId};
use crate::scrip::earner::{AttestationReply, AttestationRequest, earner};
use crate::scrip::finish::{Finish, FinishReply, Transaction};
use crate::scrip::issue::{IssueEcash, IssueOffer, IssueStart};
use crate::scrip::payment::{DeliveryMethod, PaymentBalance, PaymentOffer, PaymentStart};
use crate::scrip::receipt::Receipt;
use crate::scrip::relay::{RelayReply, RelayRequest};
use crate::scrip::{Code, Header, Scrip};
use crate::{
    Amount, Currency, Duration, ErrorCode, HashAlgorithm, KeyRing, Refusal, Seal, Secret, Timestamp,
};

const MINUTE_MS: u64 = 60_000;
const NO_SEAL: Seal = Seal::from_bytes([0; 32]);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Account {
    Purse(Serial),
    Campaign,
    Vendor(u32),
    Transit,
    Payouts,
    Fees,
}

struct Shop {
    id: VendorId,
    secrets: KeyRing,
}

impl Shop {
    fn secret(&self) -> &Secret {
        self.secrets.current().unwrap().1
    }

    fn secret_id(&self) -> u32 {
        self.secrets.current().unwrap().0
    }
}

/// Two shops, of which the first has a campaign of one dollar; the center's keys, records and books.
struct World {
    center: Center,
    now: Timestamp,
    shops: Vec<Shop>,
    purses: BTreeMap<Serial, Purse>,
    steps: BTreeMap<StepKey, Step>,
    books: BTreeMap<Account, u64>,
    transactions: u8,
    epoch: u32,
}

fn usd(text: &str) -> Amount {
    format!("USD:{text}").parse().unwrap()
}

fn server(name: &str) -> VendorId {
    VendorId {
        dns_name: format!("{name}.example").parse().unwrap(),
        ip_addr: None,
        server_name: name.parse().unwrap(),
        port: 443,
    }
}

fn bytes_of(reply: &impl Serialize) -> String {
    serde_json::to_string(reply).unwrap()
}

/// The code of a refusal; the reply itself is the failure's message otherwise.
fn code<R: std::fmt::Debug>(result: Result<R, Refusal>) -> ErrorCode {
    result.unwrap_err().code
}

impl World {
    fn new() -> Self {
        let secret = |byte| KeyRing::new(1, Secret::from_bytes([byte; 32]));
        let shop = |name: &str, byte| Shop { id: server(name), secrets: secret(byte) };
        World {
            center: Center {
                keys: CenterKeys {
                    center_id: server("center"),
                    scrip_secrets: secret(1),
                    customer_secrets: secret(2),
                    vendor_secrets: secret(3),
                    signing_secrets: secret(5),
                    challenge_secret: Secret::from_bytes([4; 32]),
                    algorithm: HashAlgorithm::HmacSha256,
                    sha256_allowed: false,
                },
                policy: Policy {
                    fee_basis_points: 1_000,
                    balance_max: usd("10"),
                    challenge_bits: 10,
                    ..Policy::new(Currency::USD)
                },
            },
            now: Timestamp::from_millis(1_800_000_000_000),
            shops: vec![shop("first", 11), shop("second", 12)],
            purses: BTreeMap::new(),
            steps: BTreeMap::new(),
            books: BTreeMap::from([(Account::Campaign, 1_000_000)]),
            transactions: 0,
            epoch: 0,
        }
    }

    /// A buyer with `value`, which the campaign has paid for.
    fn buyer(&mut self, value: &str) -> Buyer {
        let number = Serial::try_from(u64::try_from(self.purses.len()).unwrap() + 1).unwrap();
        let mut purse = self.center.new_purse(number, self.now).unwrap();
        purse.live.value = usd(value);
        self.books.insert(Account::Purse(number), usd(value).micros());
        let buyer = Buyer {
            custom_id: purse.custom_id,
            secret: self.center.keys.custom_secret(purse.custom_id).unwrap(),
            scrip: self.center.live_scrip(&purse).unwrap(),
        };
        self.purses.insert(number, purse);
        buyer
    }

    fn pass_minutes(&mut self, minutes: u64) {
        self.now = self.now.plus(Duration::from_minutes(minutes));
    }

    fn seller(&self, id: &VendorId) -> Option<Seller<'_>> {
        if *id == self.center.keys.center_id {
            return Some(self.center.as_seller());
        }
        let position = self.shops.iter().position(|shop| shop.id == *id)?;
        let number = u32::try_from(position).unwrap() + 1;
        Some(Seller { number, id: &self.shops[position].id, secrets: &self.shops[position].secrets })
    }

    fn found(&self, customer: Serial, vendor: Option<&VendorId>, tran_id: Option<TranId>) -> Found<'_> {
        let purse = self.purses.get(&customer);
        let seller = vendor.and_then(|id| self.seller(id));
        let key = seller.zip(tran_id).map(|(seller, tran_id)| StepKey { vendor: seller.number, tran_id });
        Found {
            purse,
            pending: purse.and_then(|purse| purse.pending).and_then(|key| self.steps.get(&key)),
            seller,
            step: key.and_then(|key| self.steps.get(&key)),
            epoch: self.epoch,
        }
    }

    /// Writes an outcome into records and books, which must cover it.
    fn keep<R>(&mut self, outcome: Outcome<R>) -> R {
        for change in outcome.changes {
            let step = change.step().clone();
            let purse = Account::Purse(step.customer);
            let rest = step.amount.checked_sub(step.fee).unwrap();
            let receiver = match step.kind {
                StepKind::CashOut => Account::Payouts,
                _ => Account::Vendor(step.key.vendor),
            };
            match (&change, step.kind) {
                (Change::Began(_), StepKind::Issue) => self.transfer(Account::Campaign, purse, step.amount),
                (Change::Voided(_), StepKind::Issue) => self.transfer(purse, Account::Campaign, step.amount),
                (Change::Posted(_), StepKind::Issue) | (Change::Forestalled(_), _) => {}
                (Change::Began(_), _) => self.transfer(purse, Account::Transit, step.amount),
                (Change::Voided(_), _) => self.transfer(Account::Transit, purse, step.amount),
                (Change::Posted(_), _) => {
                    self.transfer(Account::Transit, receiver, rest);
                    self.transfer(Account::Transit, Account::Fees, step.fee);
                }
            }
            self.steps.insert(step.key, step);
        }
        if let Some(purse) = outcome.purse {
            self.purses.insert(purse.custom_id.serial_number, purse);
        }
        outcome.reply
    }

    fn transfer(&mut self, from: Account, to: Account, amount: Amount) {
        let debited = self.books.entry(from).or_default();
        *debited = debited.checked_sub(amount.micros()).expect("the account covers it");
        *self.books.entry(to).or_default() += amount.micros();
    }

    fn balance(&self, account: Account) -> u64 {
        self.books.get(&account).copied().unwrap_or(0)
    }

    fn purse(&self, buyer: &Buyer) -> &Purse {
        &self.purses[&buyer.custom_id.serial_number]
    }

    /// Books, purses and steps as text, to see that a refusal changed nothing.
    fn snapshot(&self) -> String {
        format!("{:?} {:?} {:?}", self.books, self.purses, self.steps)
    }

    fn tran_id(&mut self) -> TranId {
        self.transactions += 1;
        TranId::new(self.now, [self.transactions; 10])
    }

    /// M2 of the first shop for `buyer`'s answer.
    fn issue_offer(&mut self, buyer: &Buyer, value: &str) -> IssueOffer {
        let vendor_id = self.shops[0].id.clone();
        let offer = IssueOffer {
            earner: earner(&vendor_id, &buyer.secret),
            vendor_id,
            center_id: self.center.keys.center_id.clone(),
            tran_id: self.tran_id(),
            item: "quiz".parse().unwrap(),
            value: usd(value),
            expires: self.now.plus(Duration::from_minutes(15)),
            secret_id: self.shops[0].secret_id(),
            seal: NO_SEAL,
        };
        offer.sealed(self.shops[0].secret())
    }

    /// S2 of the first shop.
    fn payment_offer(&mut self, price: &str) -> PaymentOffer {
        let offer = PaymentOffer {
            vendor_id: self.shops[0].id.clone(),
            center_id: self.center.keys.center_id.clone(),
            tran_id: self.tran_id(),
            request_url: "https://first.example/articles/coins".parse().unwrap(),
            price: usd(price),
            delivery_method: DeliveryMethod::View,
            expires: self.now.plus(Duration::from_minutes(15)),
            secret_id: self.shops[0].secret_id(),
            seal: NO_SEAL,
        };
        offer.sealed(self.shops[0].secret())
    }

    fn m4(&mut self, message: &IssueStart) -> Result<IssueEcash, Refusal> {
        let customer = message.scrip.scrip.custom_id.serial_number;
        let found = self.found(customer, Some(&message.offer.vendor_id), Some(message.offer.tran_id));
        let budget = (message.offer.item.as_str() == "quiz").then(|| self.balance(Account::Campaign));
        let budget = budget.map(|micros| Amount::new(Currency::USD, micros).unwrap());
        let outcome = self.center.issue(message, found, budget, self.now)?;
        Ok(self.keep(outcome))
    }

    fn s4(&mut self, message: &PaymentStart) -> Result<PaymentBalance, Refusal> {
        let customer = message.scrip.scrip.custom_id.serial_number;
        let found = self.found(customer, Some(&message.order.vendor_id), Some(message.order.tran_id));
        let outcome = self.center.payment(message, found, self.now)?;
        Ok(self.keep(outcome))
    }

    fn finish(&mut self, message: &Finish) -> Result<FinishReply, Refusal> {
        let customer = message.new_scrip.scrip.custom_id.serial_number;
        let (vendor, tran_id) = message.transaction.as_ref().map(|t| (&t.vendor_id, t.tran_id)).unzip();
        let outcome = self.center.finish(message, self.found(customer, vendor, tran_id), self.now)?;
        Ok(self.keep(outcome))
    }

    fn relay(&self, code: Code, shop: usize, tran_id: TranId) -> Result<RelayReply, Refusal> {
        let vendor_id = self.shops[shop].id.clone();
        let header = Header::new(code, self.now);
        let message = RelayRequest { header, vendor_id, tran_id, secret_id: 1, seal: NO_SEAL };
        let message = message.sealed(self.shops[shop].secret());
        let found = self.found(Serial::FIRST, Some(&message.vendor_id), Some(tran_id));
        self.center.relay(&message, found, self.now)
    }

    fn attest(&self, message: &AttestationRequest) -> Result<AttestationReply, Refusal> {
        let customer = message.scrip.scrip.custom_id.serial_number;
        self.center.attest(message, self.found(customer, Some(&message.vendor_id), None))
    }
}

/// A buyer's secret, and the scrip that it shows.
#[derive(Clone)]
struct Buyer {
    custom_id: IdType,
    secret: Secret,
    scrip: Scrip,
}

impl Buyer {
    fn issue(&self, code: Code, offer: &IssueOffer) -> IssueStart {
        let (scrip, offer) = (self.scrip.clone(), offer.clone());
        let header = Header::new(code, Timestamp::from_millis(0));
        let mut message = IssueStart { header, scrip, offer, hash: NO_SEAL, p_count: 0 };
        message.hash = message.seal(&self.secret);
        message
    }

    fn pay(&self, code: Code, order: &PaymentOffer) -> PaymentStart {
        let (scrip, order) = (self.scrip.clone(), order.clone());
        let header = Header::new(code, Timestamp::from_millis(0));
        let mut message = PaymentStart { header, scrip, order, hash: NO_SEAL, p_count: 0 };
        message.hash = message.seal(&self.secret);
        message
    }

    fn finish(&self, code: Code, transaction: Option<Transaction>) -> Finish {
        let header = Header::new(code, Timestamp::from_millis(0));
        let new_scrip = self.scrip.clone();
        let mut message = Finish { header, transaction, new_scrip, hash: NO_SEAL, p_count: 1 };
        message.hash = message.seal(&self.secret);
        message
    }

    fn attestation(&self, vendor_id: &VendorId) -> AttestationRequest {
        let header = Header::new(Code::Em1, Timestamp::from_millis(0));
        let (scrip, vendor_id) = (self.scrip.clone(), vendor_id.clone());
        let mut message = AttestationRequest { header, scrip, vendor_id, hash: NO_SEAL };
        message.hash = message.seal(&self.secret);
        message
    }

    /// Takes the scrip of an M5, S5 or the reply to `_6_2` and `_6_3`, whose seal must hold.
    fn take(&mut self, reply: &impl Brings) {
        assert!(reply.holds(&self.secret));
        assert_eq!(reply.scrip().scrip.custom_id, self.custom_id);
        self.scrip = reply.scrip().clone();
    }

    fn serial(&self) -> u64 {
        self.scrip.scrip.scrip_id.serial_number.get()
    }

    fn value(&self) -> Amount {
        self.scrip.scrip.value
    }
}

/// A reply that brings a scrip.
trait Brings {
    fn scrip(&self) -> &Scrip;
    fn tran_id(&self) -> Option<TranId>;
    fn holds(&self, secret: &Secret) -> bool;
}

impl Brings for IssueEcash {
    fn scrip(&self) -> &Scrip {
        &self.new_scrip
    }
    fn tran_id(&self) -> Option<TranId> {
        self.tran_id
    }
    fn holds(&self, secret: &Secret) -> bool {
        self.seal(secret).matches(&self.hash) && self.header.cmd_type == Code::Gm5_1 && self.p_count == 0
    }
}

impl Brings for PaymentBalance {
    fn scrip(&self) -> &Scrip {
        &self.new_scrip
    }
    fn tran_id(&self) -> Option<TranId> {
        self.tran_id
    }
    fn holds(&self, secret: &Secret) -> bool {
        self.seal(secret).matches(&self.hash) && self.header.cmd_type == Code::Pm5_1 && self.p_count == 0
    }
}

impl Brings for FinishReply {
    fn scrip(&self) -> &Scrip {
        match self {
            FinishReply::Ecash(reply) => reply.scrip(),
            FinishReply::Balance(reply) => reply.scrip(),
            FinishReply::Receipt(_) => panic!("a receipt brings no scrip"),
        }
    }
    fn tran_id(&self) -> Option<TranId> {
        match self {
            FinishReply::Ecash(reply) => reply.tran_id,
            FinishReply::Balance(reply) => reply.tran_id,
            FinishReply::Receipt(reply) => Some(reply.receipt.tran_id),
        }
    }
    fn holds(&self, secret: &Secret) -> bool {
        match self {
            FinishReply::Ecash(reply) => reply.holds(secret),
            FinishReply::Balance(reply) => reply.holds(secret),
            FinishReply::Receipt(_) => false,
        }
    }
}

fn of_issue(offer: &IssueOffer) -> Option<Transaction> {
    Some(Transaction { vendor_id: offer.vendor_id.clone(), tran_id: offer.tran_id })
}

fn of_payment(order: &PaymentOffer) -> Option<Transaction> {
    Some(Transaction { vendor_id: order.vendor_id.clone(), tran_id: order.tran_id })
}

fn receipt(reply: FinishReply) -> Receipt {
    match reply {
        FinishReply::Receipt(reply) => reply.receipt,
        other => panic!("no receipt: {other:?}"),
    }
}
