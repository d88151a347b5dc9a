//! The buyer against the center's own rules, and against replies that no center makes.

use std::collections::BTreeMap;

use super::*;
use crate::amount::Currency;
use crate::challenge::{Challenge, Solution};
use crate::envelope::SecretBox;
use crate::ids::{EarnerId, IdType, TranId, WalletId};
use crate::scrip::center::{self, Center, CenterKeys, Found, Outcome, Policy, Step};
use crate::scrip::earner::{Attestation, AttestationReply, earner};
use crate::scrip::finish::FinishReply;
use crate::scrip::issue::{IssueOffer, IssuePermitted};
use crate::scrip::payment::{DeliveryMethod, PaymentBalance, PaymentInformation, PaymentOffer};
use crate::scrip::receipt::{ReceiptKind, ReceiptReply};
use crate::scrip::registration::{RegistrationReply, associated};
use crate::scrip::{Code, Header};
use crate::seal::HashAlgorithm;
use crate::secret::KeyRing;
use crate::text::Text;
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_000_000);
const EARLY: Timestamp = Timestamp::from_millis(900_000);
const LATER: Timestamp = Timestamp::from_millis(9_000_000);
const UNSEALED: Seal = Seal::from_bytes([0; 32]);

/// A change that a forger makes to a message.
type Edit<T> = Box<dyn Fn(&mut T)>;

fn secret(byte: u8) -> Secret {
    Secret::from_bytes([byte; 32])
}

fn server(name: &str) -> VendorId {
    VendorId { dns_name: name.parse().unwrap(), ip_addr: None, server_name: name.parse().unwrap(), port: 443 }
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

/// A center with one buyer and one shop, and its records of them.
struct World {
    center: Center,
    purse: center::Purse,
    steps: BTreeMap<TranId, Step>,
    shop: VendorId,
    shop_secrets: KeyRing,
}

impl World {
    fn new() -> (World, Purse) {
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
        let center = Center { keys, policy: Policy::new(Currency::USD) };
        let purse = center.new_purse(Serial::FIRST, NOW).unwrap();
        let buyer = Purse {
            scrip: center.live_scrip(&purse).unwrap(),
            custom_secret: center.keys.custom_secret(purse.custom_id).unwrap(),
        };
        let world = World {
            center,
            purse,
            steps: BTreeMap::new(),
            shop: server("shop.example"),
            shop_secrets: KeyRing::new(1, secret(5)),
        };
        (world, buyer)
    }

    fn issue_offer(&self, tran: u8, buyer: &Purse) -> IssueOffer {
        IssueOffer {
            vendor_id: self.shop.clone(),
            center_id: self.center.keys.center_id.clone(),
            tran_id: TranId::from_bytes([tran; 16]),
            item: "quiz-1".parse().unwrap(),
            value: amount("USD:0.04"),
            earner: earner(&self.shop, &buyer.custom_secret),
            expires: LATER,
            secret_id: 1,
            seal: UNSEALED,
        }
        .sealed(&secret(5))
    }

    fn payment_offer(&self, tran: u8, price: &str) -> PaymentOffer {
        PaymentOffer {
            vendor_id: self.shop.clone(),
            center_id: self.center.keys.center_id.clone(),
            tran_id: TranId::from_bytes([tran; 16]),
            request_url: "https://shop.example/articles/coins".parse().unwrap(),
            price: amount(price),
            delivery_method: DeliveryMethod::View,
            expires: LATER,
            secret_id: 1,
            seal: UNSEALED,
        }
        .sealed(&secret(5))
    }

    fn answer<R>(
        &mut self,
        tran_id: Option<TranId>,
        act: impl FnOnce(&Center, Found<'_>) -> Result<Outcome<R>, Refusal>,
    ) -> Result<R, Refusal> {
        let seller = center::Seller { number: 1, id: &self.shop, secrets: &self.shop_secrets };
        let found = Found {
            purse: Some(&self.purse),
            pending: self.purse.pending.and_then(|key| self.steps.get(&key.tran_id)),
            seller: Some(seller),
            step: tran_id.and_then(|id| self.steps.get(&id)),
            epoch: 0,
        };
        let outcome = act(&self.center, found)?;
        for change in &outcome.changes {
            self.steps.insert(change.step().key.tran_id, change.step().clone());
        }
        if let Some(purse) = outcome.purse {
            self.purse = purse;
        }
        Ok(outcome.reply)
    }

    fn start(&mut self, start: &Start) -> Result<Ecash, Refusal> {
        let tran_id = Some(start.offer().tran_id());
        match start {
            Start::Issue(start) => self
                .answer(tran_id, |center, found| center.issue(start, found, Some(amount("USD:1")), NOW))
                .map(Ecash::Issue),
            Start::Payment(start) => {
                self.answer(tran_id, |center, found| center.payment(start, found, NOW)).map(Ecash::Payment)
            }
        }
    }

    fn finish(&mut self, finish: &crate::scrip::finish::Finish) -> Result<FinishReply, Refusal> {
        let tran_id = finish.transaction.as_ref().map(|transaction| transaction.tran_id);
        self.answer(tran_id, |center, found| center.finish(finish, found, NOW))
    }
}

fn ours(started: Started) -> AwaitingReceipt {
    match started {
        Started::Ours(awaiting) => *awaiting,
        Started::Other(..) => panic!("another transaction's reply"),
    }
}

/// A buyer who has earned four cents.
fn with_four_cents() -> (World, Purse) {
    let (mut world, mut buyer) = World::new();
    let offer = Offer::Issue(world.issue_offer(1, &buyer));
    let awaiting = buyer.start(offer, NOW).unwrap();
    let reply = world.start(&awaiting.start).unwrap();
    let awaiting = ours(awaiting.receive(&reply, &buyer.custom_secret, NOW).unwrap());
    let reply = world.finish(&awaiting.finish).unwrap();
    let receipt = awaiting.receive(&reply).unwrap();
    assert_eq!(receipt.amount, amount("USD:0.04"));
    buyer.scrip = awaiting.new_scrip().clone();
    (world, buyer)
}

fn code<T>(result: Result<T, Refusal>) -> ErrorCode {
    match result {
        Ok(_) => panic!("it was accepted"),
        Err(refusal) => refusal.code,
    }
}

#[test]
fn gm4_1_and_gm6_1_earn_and_pm4_1_and_pm6_1_pay() {
    let (mut world, mut buyer) = with_four_cents();
    assert_eq!(buyer.value(), amount("USD:0.04"));
    let awaiting = buyer.start(Offer::Payment(world.payment_offer(2, "USD:0.03")), NOW).unwrap();
    let reply = world.start(&awaiting.start).unwrap();
    let awaiting = ours(awaiting.receive(&reply, &buyer.custom_secret, NOW).unwrap());
    let receipt = awaiting.receive(&world.finish(&awaiting.finish).unwrap()).unwrap();
    buyer.scrip = awaiting.new_scrip().clone();
    assert_eq!((buyer.value(), receipt.amount), (amount("USD:0.01"), amount("USD:0.03")));
    assert_eq!(world.purse.live.value, buyer.value());
}

#[test]
fn a_price_beyond_the_purse_is_not_even_sent() {
    let (world, buyer) = with_four_cents();
    let offer = Offer::Payment(world.payment_offer(2, "USD:0.05"));
    assert_eq!(code(buyer.start(offer, NOW)), ErrorCode::BalanceInsufficient);
}

#[test]
fn m5_and_s5_with_any_other_content_are_refused() {
    let (mut world, buyer) = with_four_cents();
    let awaiting = buyer.start(Offer::Payment(world.payment_offer(2, "USD:0.03")), NOW).unwrap();
    let Ecash::Payment(good) = world.start(&awaiting.start).unwrap() else { panic!("not an S5") };
    let receive = |change: &dyn Fn(&mut PaymentBalance)| {
        let mut reply = good.clone();
        change(&mut reply);
        reply.hash = reply.seal(&buyer.custom_secret);
        awaiting.receive(&Ecash::Payment(reply), &buyer.custom_secret, NOW)
    };
    assert!(receive(&|_| ()).is_ok());

    let other = IdType { secret_id: 1, serial_number: Serial::try_from(99).unwrap() };
    let forgeries: [(&str, Edit<PaymentBalance>); 5] = [
        ("value", Box::new(|r| r.new_scrip.scrip.value = amount("USD:0.02"))),
        ("currency", Box::new(|r| r.new_scrip.scrip.value = amount("EUR:0.01"))),
        ("buyer", Box::new(move |r| r.new_scrip.scrip.custom_id = other)),
        ("center", Box::new(|r| r.new_scrip.scrip.vendor_id = server("other.example"))),
        ("serial", Box::new(move |r| r.new_scrip.scrip.scrip_id.serial_number = other.serial_number)),
    ];
    for (forgery, change) in forgeries {
        assert_eq!(code(receive(&*change)), ErrorCode::ScripForged, "{forgery}");
    }
    assert_eq!(code(receive(&|r| r.tran_id = None)), ErrorCode::WrongMessage);
    assert_eq!(code(receive(&|r| r.header.cmd_type = Code::Pm5_2)), ErrorCode::WrongMessage);
    assert_eq!(code(receive(&|r| r.header.protocol_version = 2)), ErrorCode::Version);

    let unsealed = Ecash::Payment(PaymentBalance { hash: UNSEALED, ..good.clone() });
    let refusal = awaiting.receive(&unsealed, &buyer.custom_secret, NOW);
    assert_eq!(code(refusal), ErrorCode::SealInvalid);
}

#[test]
fn a_reply_of_the_other_figure_is_refused() {
    let (mut world, buyer) = World::new();
    let awaiting = buyer.start(Offer::Issue(world.issue_offer(1, &buyer)), NOW).unwrap();
    let Ecash::Issue(m5) = world.start(&awaiting.start).unwrap() else { panic!("not an M5") };
    let mut s5 = PaymentBalance {
        header: Header::new(Code::Pm5_1, NOW),
        tran_id: m5.tran_id,
        new_scrip: m5.new_scrip,
        hash: UNSEALED,
        p_count: 0,
    };
    s5.hash = s5.seal(&buyer.custom_secret);
    let refusal = awaiting.receive(&Ecash::Payment(s5), &buyer.custom_secret, NOW);
    assert_eq!(code(refusal), ErrorCode::WrongMessage);
}

#[test]
fn another_transactions_reply_brings_its_scrip_and_the_offer_is_taken_with_that() {
    let (mut world, buyer) = with_four_cents();
    let first = buyer.start(Offer::Payment(world.payment_offer(2, "USD:0.01")), NOW).unwrap();
    world.start(&first.start).unwrap();

    let offer = Offer::Payment(world.payment_offer(3, "USD:0.02"));
    let second = buyer.start(offer.clone(), NOW).unwrap();
    let reply = world.start(&second.start).unwrap();
    let Started::Other(tran_id, scrip) = second.receive(&reply, &buyer.custom_secret, NOW).unwrap() else {
        panic!("the reply names the pending transaction");
    };
    assert_eq!(tran_id, first.start.offer().tran_id());
    let buyer = Purse { scrip: *scrip, ..buyer };
    let again = buyer.start(offer, NOW).unwrap();
    let reply = world.start(&again.start).unwrap();
    let awaiting = ours(again.receive(&reply, &buyer.custom_secret, NOW).unwrap());
    assert_eq!(awaiting.new_scrip().scrip.value, amount("USD:0.01"));
}

#[test]
fn a_receipt_of_anything_else_is_refused() {
    let (mut world, buyer) = with_four_cents();
    let awaiting = buyer.start(Offer::Payment(world.payment_offer(2, "USD:0.03")), NOW).unwrap();
    let reply = world.start(&awaiting.start).unwrap();
    let awaiting = ours(awaiting.receive(&reply, &buyer.custom_secret, NOW).unwrap());
    let FinishReply::Receipt(good) = world.finish(&awaiting.finish).unwrap() else { panic!("no receipt") };
    let receive = |change: &dyn Fn(&mut ReceiptReply)| {
        let mut reply = good.clone();
        change(&mut reply);
        awaiting.receive(&FinishReply::Receipt(reply))
    };
    assert!(receive(&|_| ()).is_ok());
    let differences: [(&str, Edit<ReceiptReply>); 5] = [
        ("kind", Box::new(|r| r.receipt.kind = ReceiptKind::Issue)),
        ("seller", Box::new(|r| r.receipt.vendor_id = server("other.example"))),
        ("transaction", Box::new(|r| r.receipt.tran_id = TranId::from_bytes([9; 16]))),
        ("amount", Box::new(|r| r.receipt.amount = amount("USD:0.02"))),
        ("subject", Box::new(|r| r.receipt.subject = "https://shop.example/x".parse().unwrap())),
    ];
    for (difference, change) in differences {
        assert_eq!(code(receive(&*change)), ErrorCode::ReceiptInvalid, "{difference}");
    }
    assert_eq!(code(receive(&|r| r.header.cmd_type = Code::Gm8_1)), ErrorCode::WrongMessage);
}

#[test]
fn gm4_2_and_pm4_2_take_back_what_may_not_have_come() {
    let (mut world, buyer) = with_four_cents();
    for (known, tran) in [(false, 2), (true, 3)] {
        let buyer = Purse { scrip: world.center.live_scrip(&world.purse).unwrap(), ..buyer.clone() };
        let awaiting = buyer.start(Offer::Payment(world.payment_offer(tran, "USD:0.03")), NOW).unwrap();
        if known {
            world.start(&awaiting.start).unwrap();
        }
        let cancelling = awaiting.cancel(&buyer.custom_secret, NOW);
        let AwaitingReturn::Start(message) = &cancelling else { panic!("PM4_2 is expected") };
        let reply = world.start(message).unwrap();
        let scrip = cancelling.receive(&reply, &buyer.custom_secret).unwrap();
        assert_eq!(scrip.scrip.value, amount("USD:0.04"));
    }

    let buyer = Purse { scrip: world.center.live_scrip(&world.purse).unwrap(), ..buyer };
    let awaiting = buyer.start(Offer::Issue(world.issue_offer(4, &buyer)), NOW).unwrap();
    let cancelling = awaiting.cancel(&buyer.custom_secret, NOW);
    let AwaitingReturn::Start(message) = &cancelling else { panic!("GM4_2 is expected") };
    let reply = world.start(message).unwrap();
    assert!(cancelling.receive(&reply, &buyer.custom_secret).is_ok());
    assert_eq!(code(world.start(&awaiting.start)), ErrorCode::TransactionVoided);
}

#[test]
fn gm6_3_and_pm6_3_take_back_what_was_not_confirmed() {
    let (mut world, mut buyer) = with_four_cents();
    for offer in
        [Offer::Payment(world.payment_offer(2, "USD:0.03")), Offer::Issue(world.issue_offer(3, &buyer))]
    {
        let awaiting = buyer.start(offer, NOW).unwrap();
        let reply = world.start(&awaiting.start).unwrap();
        let awaiting = ours(awaiting.receive(&reply, &buyer.custom_secret, NOW).unwrap());
        let cancelling = awaiting.cancel(&buyer.custom_secret, NOW);
        let AwaitingReturn::Finish(message) = &cancelling else { panic!("_6_3 is expected") };
        let reply = Ecash::try_from(world.finish(message).unwrap()).unwrap();
        buyer.scrip = cancelling.receive(&reply, &buyer.custom_secret).unwrap();
        assert_eq!(buyer.value(), amount("USD:0.04"));
        assert_eq!(code(world.finish(&awaiting.finish)), ErrorCode::TransactionVoided);
    }
}

#[test]
fn pm6_2_finds_the_live_scrip_with_an_old_one() {
    let (mut world, buyer) = World::new();
    let old = buyer.clone();
    let awaiting = buyer.start(Offer::Issue(world.issue_offer(1, &buyer)), NOW).unwrap();
    world.start(&awaiting.start).unwrap();

    let asking = old.resynchronise(NOW);
    let reply = world.finish(&asking.request).unwrap();
    let live = asking.receive(&reply, &old.custom_secret).unwrap();
    assert_eq!(live.pending, Some(awaiting.start.offer().tran_id()));
    assert_eq!(live.scrip.scrip.value, amount("USD:0.04"));

    let FinishReply::Balance(mut forged) = reply else { panic!("no balance") };
    forged.new_scrip.scrip.value = amount("USD:9");
    let refusal = asking.receive(&FinishReply::Balance(forged), &old.custom_secret);
    assert_eq!(code(refusal), ErrorCode::SealInvalid);
}

#[test]
fn um2_is_opened_only_as_it_was_closed() {
    let (world, buyer) = World::new();
    let session_key = secret(7);
    let challenge = Challenge::new([1; 16], 1, LATER, &secret(4));
    let solution = Solution { challenge, nonce: Serial::FIRST };
    let key_envelope = vec![1; 256].try_into().unwrap();
    let center_id = world.center.keys.center_id.clone();
    let wallet = NewWallet { id: WalletId::from_bytes([1; 16]), wallet_key: [2; 32], key_envelope };
    let awaiting = AwaitingRegistration::new(center_id, wallet, solution, NOW);
    let reply = |change: &dyn Fn(&mut Scrip)| {
        let header = Header::new(Code::Um2, NOW);
        let mut scrip = buyer.scrip.clone();
        change(&mut scrip);
        let associated = associated(&header, &scrip);
        let custom_secret =
            SecretBox::close(&session_key, [3; 12], &associated, &buyer.custom_secret).unwrap();
        RegistrationReply { header, scrip, custom_secret }
    };
    let purse = awaiting.receive(&reply(&|_| ()), &session_key).unwrap();
    assert_eq!(purse.custom_secret.expose(), buyer.custom_secret.expose());

    let changes: [Edit<Scrip>; 3] = [
        Box::new(|scrip| scrip.scrip.value = amount("USD:1")),
        Box::new(|scrip| scrip.scrip.vendor_id = server("other.example")),
        Box::new(|scrip| scrip.scrip.scrip_id.serial_number = Serial::try_from(2).unwrap()),
    ];
    for change in changes {
        assert_eq!(code(awaiting.receive(&reply(&*change), &session_key)), ErrorCode::ScripForged);
    }
    let mut altered = reply(&|_| ());
    altered.header.server_date = LATER;
    assert_eq!(code(awaiting.receive(&altered, &session_key)), ErrorCode::ScripForged);
    assert_eq!(code(awaiting.receive(&reply(&|_| ()), &secret(8))), ErrorCode::ScripForged);
}

#[test]
fn em2_is_taken_for_the_own_pseudonym_only() {
    let (world, buyer) = World::new();
    let asking = buyer.attestation(world.shop.clone(), NOW);
    let reply = |earner: EarnerId| AttestationReply {
        header: Header::new(Code::Em2, NOW),
        attestation: Attestation::new(&world.shop, earner, 1, &secret(5)),
    };
    let own = earner(&world.shop, &buyer.custom_secret);
    assert_eq!(asking.receive(&reply(own), &buyer.custom_secret).unwrap().earner, own);
    let foreign = reply(EarnerId::from_bytes([1; 32]));
    assert_eq!(code(asking.receive(&foreign, &buyer.custom_secret)), ErrorCode::EarnerMismatch);
}

#[test]
fn gm2_1_is_taken_for_what_was_answered_only() {
    let (world, buyer) = World::new();
    let own = earner(&world.shop, &buyer.custom_secret);
    let attestation = Attestation::new(&world.shop, own, 1, &secret(5));
    let answers: Vec<Text<2_000>> = vec!["a".parse().unwrap()];
    let item = "quiz-1".parse().unwrap();
    let asking = AwaitingIssueOffer::new(world.shop.clone(), item, answers, attestation, EARLY);
    let receive = |change: &dyn Fn(&mut IssueOffer)| {
        let mut offer = world.issue_offer(1, &buyer);
        change(&mut offer);
        asking.receive(&IssuePermitted { header: Header::new(Code::Gm2_1, NOW), offer }, &buyer)
    };
    assert!(receive(&|_| ()).is_ok());
    let changes: [(ErrorCode, Edit<IssueOffer>); 6] = [
        (ErrorCode::WrongMessage, Box::new(|o| o.item = "quiz-2".parse().unwrap())),
        (ErrorCode::WrongMessage, Box::new(|o| o.vendor_id = server("other.example"))),
        (ErrorCode::OfferForeign, Box::new(|o| o.center_id = server("other.example"))),
        (ErrorCode::EarnerMismatch, Box::new(|o| o.earner = EarnerId::from_bytes([1; 32]))),
        (ErrorCode::CurrencyMismatch, Box::new(|o| o.value = amount("EUR:1"))),
        (ErrorCode::AmountOutOfRange, Box::new(|o| o.value = amount("USD:0"))),
    ];
    for (expected, change) in changes {
        assert_eq!(code(receive(&*change)), expected);
    }
}

#[test]
fn pm2_1_is_taken_for_what_was_asked_only() {
    let (world, buyer) = World::new();
    let url = "https://shop.example/articles/coins".parse().unwrap();
    let asking = AwaitingPaymentOffer::new(world.shop.clone(), url, NOW);
    let receive = |change: &dyn Fn(&mut PaymentOffer)| {
        let mut offer = world.payment_offer(1, "USD:0.03");
        change(&mut offer);
        asking.receive(&PaymentInformation { header: Header::new(Code::Pm2_1, NOW), offer }, &buyer)
    };
    assert!(receive(&|_| ()).is_ok());
    let changes: [(ErrorCode, Edit<PaymentOffer>); 5] = [
        (ErrorCode::WrongMessage, Box::new(|o| o.request_url = "https://shop.example/x".parse().unwrap())),
        (ErrorCode::WrongMessage, Box::new(|o| o.vendor_id = server("other.example"))),
        (ErrorCode::OfferForeign, Box::new(|o| o.center_id = server("other.example"))),
        (ErrorCode::CurrencyMismatch, Box::new(|o| o.price = amount("EUR:1"))),
        (ErrorCode::AmountOutOfRange, Box::new(|o| o.price = amount("USD:0"))),
    ];
    for (expected, change) in changes {
        assert_eq!(code(receive(&*change)), expected);
    }
}

#[test]
fn stored_states_go_on_where_they_were() {
    let (mut world, buyer) = with_four_cents();
    let awaiting = buyer.start(Offer::Payment(world.payment_offer(2, "USD:0.03")), NOW).unwrap();
    let mut awaiting: AwaitingEcash =
        serde_json::from_str(&serde_json::to_string(&awaiting).unwrap()).unwrap();
    let first = world.start(&awaiting.start).unwrap();
    awaiting.start.count();
    let again = world.start(&awaiting.start).unwrap();
    assert_eq!(serde_json::to_string(&first).unwrap(), serde_json::to_string(&again).unwrap());
    let awaiting = ours(awaiting.receive(&again, &buyer.custom_secret, NOW).unwrap());
    let awaiting: AwaitingReceipt = serde_json::from_str(&serde_json::to_string(&awaiting).unwrap()).unwrap();
    assert!(awaiting.receive(&world.finish(&awaiting.finish).unwrap()).is_ok());
}
