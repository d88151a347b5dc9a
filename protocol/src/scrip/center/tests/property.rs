//! Any sequence of messages, repeated, stale, cancelled and late: money is conserved, replies repeat.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What the buyer, the network and time do. Numbers choose among what there is.
#[derive(Debug, Clone)]
enum Move {
    Earn { scrip: usize, cancel: bool },
    Pay { scrip: usize, price: u64, cancel: bool },
    CancelKnown { transaction: usize, scrip: usize },
    Finish { transaction: usize, scrip: usize, code: usize },
    Resynchronise,
    Repeat { message: usize },
    Wait { minutes: u64 },
    Sweep,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    // The newest scrip most of the time, else an older one.
    let scrip = || prop_oneof![4 => Just(0_usize), 1 => 0_usize..6];
    let one = prop_oneof![
        3 => (scrip(), prop::bool::weighted(0.2)).prop_map(|(scrip, cancel)| Move::Earn { scrip, cancel }),
        4 => (scrip(), 0_u64..900_000, prop::bool::weighted(0.2))
            .prop_map(|(scrip, price, cancel)| Move::Pay { scrip, price, cancel }),
        1 => (0_usize..4, scrip()).prop_map(|(transaction, scrip)| Move::CancelKnown { transaction, scrip }),
        5 => (prop_oneof![3 => Just(0_usize), 1 => 0_usize..6], scrip(), 0_usize..3)
            .prop_map(|(transaction, scrip, code)| Move::Finish { transaction, scrip, code }),
        2 => Just(Move::Resynchronise),
        4 => (0_usize..30).prop_map(|message| Move::Repeat { message }),
        1 => (1_u64..12).prop_map(|minutes| Move::Wait { minutes }),
        1 => Just(Move::Sweep),
    ];
    prop::collection::vec(one, 1..60)
}

#[derive(Clone)]
enum Message {
    Issue(IssueStart),
    Payment(PaymentStart),
    Finish(Finish),
}

enum Offer {
    Issue(IssueOffer),
    Payment(PaymentOffer),
}

struct Run {
    world: World,
    buyer: Buyer,
    /// Every scrip that the buyer ever saw, the newest last.
    scrips: Vec<Scrip>,
    offers: Vec<Offer>,
    sent: Vec<Message>,
    /// The reply to each message about a transaction of its own, by the message's seal.
    replies: BTreeMap<[u8; 32], String>,
    money: u64,
}

impl Run {
    fn new() -> Self {
        let mut world = World::new();
        let buyer = world.buyer("1");
        let money = world.books.values().sum();
        let scrips = vec![buyer.scrip.clone()];
        Run { world, buyer, scrips, offers: Vec::new(), sent: Vec::new(), replies: BTreeMap::new(), money }
    }

    fn showing(&self, age: usize) -> Buyer {
        let position = self.scrips.len() - 1 - age.min(self.scrips.len() - 1);
        Buyer { scrip: self.scrips[position].clone(), ..self.buyer.clone() }
    }

    fn step(&mut self, step: &Move) {
        let message = match *step {
            Move::Earn { scrip, cancel } => {
                let offer = self.world.issue_offer(&self.buyer, "0.04");
                let code = if cancel { Code::Gm4_2 } else { Code::Gm4_1 };
                let message = self.showing(scrip).issue(code, &offer);
                self.offers.push(Offer::Issue(offer));
                Message::Issue(message)
            }
            Move::Pay { scrip, price, cancel } => {
                let price = Amount::new(Currency::USD, price).unwrap().to_string();
                let order = self.world.payment_offer(price.strip_prefix("USD:").unwrap());
                let code = if cancel { Code::Pm4_2 } else { Code::Pm4_1 };
                let message = self.showing(scrip).pay(code, &order);
                self.offers.push(Offer::Payment(order));
                Message::Payment(message)
            }
            Move::CancelKnown { transaction, scrip } => {
                let Some(offer) = self.offers.iter().rev().nth(transaction) else { return };
                match offer {
                    Offer::Issue(offer) => Message::Issue(self.showing(scrip).issue(Code::Gm4_2, offer)),
                    Offer::Payment(order) => Message::Payment(self.showing(scrip).pay(Code::Pm4_2, order)),
                }
            }
            Move::Finish { transaction, scrip, code } => {
                let Some(offer) = self.offers.iter().rev().nth(transaction) else { return };
                let (code, transaction) = match offer {
                    Offer::Issue(offer) => ([Code::Gm6_1, Code::Gm6_2, Code::Gm6_3][code], of_issue(offer)),
                    Offer::Payment(order) => {
                        ([Code::Pm6_1, Code::Pm6_2, Code::Pm6_3][code], of_payment(order))
                    }
                };
                Message::Finish(self.showing(scrip).finish(code, transaction))
            }
            Move::Resynchronise => Message::Finish(self.showing(0).finish(Code::Pm6_2, None)),
            Move::Repeat { message } => match self.sent.iter().rev().nth(message) {
                Some(message) => message.clone(),
                None => return,
            },
            Move::Wait { minutes } => return self.world.pass_minutes(minutes),
            Move::Sweep => {
                let purse = self.world.purse(&self.buyer);
                let pending = purse.pending.map(|key| &self.world.steps[&key]);
                let outcome = self
                    .world
                    .center
                    .sweep(purse, Found { pending, ..Found::default() }, self.world.now)
                    .unwrap();
                return self.world.keep(outcome);
            }
        };
        self.send(&message);
        self.sent.push(message);
    }

    fn send(&mut self, message: &Message) {
        let before = self.world.snapshot();
        let steps_before = self.world.steps.len();
        let (seal, own, sent) = match message {
            Message::Issue(m) => (
                m.hash,
                Some(m.offer.tran_id),
                self.world.m4(m).map(|r| (bytes_of(&r), r.tran_id, Some(r.new_scrip))),
            ),
            Message::Payment(m) => (
                m.hash,
                Some(m.order.tran_id),
                self.world.s4(m).map(|r| (bytes_of(&r), r.tran_id, Some(r.new_scrip))),
            ),
            Message::Finish(m) => {
                let reply = self.world.finish(m).map(|r| {
                    let scrip = match &r {
                        FinishReply::Receipt(_) => None,
                        other => Some(other.scrip().clone()),
                    };
                    (bytes_of(&r), r.tran_id(), scrip)
                });
                (m.hash, m.transaction.as_ref().map(|t| t.tran_id), reply)
            }
        };
        let known = self.replies.get(seal.as_bytes());
        match sent {
            Err(refusal) => {
                assert_ne!(refusal.code, ErrorCode::Fault, "{refusal}");
                assert_eq!(self.world.snapshot(), before, "a refusal changed something");
                assert!(known.is_none(), "a message that had a reply is refused: {refusal}");
            }
            Ok((bytes, tran_id, scrip)) => {
                if let Some(known) = known {
                    assert_eq!(*known, bytes, "a repetition got another reply");
                    assert_eq!(self.world.snapshot(), before, "a repetition changed something");
                } else if own.is_some() && tran_id == own {
                    self.replies.insert(*seal.as_bytes(), bytes);
                }
                if self.world.steps.len() > steps_before {
                    self.check_begun(message);
                }
                let newest = self.scrips.last().unwrap().scrip.scrip_id.serial_number;
                if let Some(scrip) = scrip.filter(|scrip| scrip.scrip.scrip_id.serial_number > newest) {
                    self.scrips.push(scrip);
                }
            }
        }
    }

    /// A step began: with the scrip that was shown and live, which is spent by it.
    fn check_begun(&self, message: &Message) {
        let (scrip, tran_id) = match message {
            Message::Issue(m) => (&m.scrip, m.offer.tran_id),
            Message::Payment(m) => (&m.scrip, m.order.tran_id),
            Message::Finish(_) => panic!("an M6 or S6 began a step"),
        };
        let step = self.world.steps.values().find(|step| step.key.tran_id == tran_id).unwrap();
        let shown = scrip.scrip.scrip_id.serial_number;
        assert!(step.is_tombstone() || step.old.serial == shown, "a step began with a stale scrip");
    }

    fn check(&mut self) {
        let world = &self.world;
        assert_eq!(world.books.values().sum::<u64>(), self.money, "money came or went");
        let purse = world.purse(&self.buyer);
        assert_eq!(purse.live.value.micros(), world.balance(Account::Purse(purse.custom_id.serial_number)));
        let pending: Vec<_> = world.steps.values().filter(|s| s.state == StepState::Pending).collect();
        assert_eq!(pending.iter().map(|step| Some(step.key)).next(), purse.pending.map(Some));
        assert!(pending.len() <= 1);
        let held: u64 =
            pending.iter().filter(|s| s.kind == StepKind::Payment).map(|s| s.amount.micros()).sum();
        assert_eq!(world.balance(Account::Transit), held);
        let posted = |kind| {
            let ended = world
                .steps
                .values()
                .filter(move |s| s.kind == kind && matches!(s.state, StepState::Posted(_)));
            ended.map(|step| step.amount.micros()).sum::<u64>()
        };
        assert_eq!(
            world.balance(Account::Vendor(1)) + world.balance(Account::Fees),
            posted(StepKind::Payment)
        );
        for step in world.steps.values().filter(|step| !step.is_tombstone()) {
            assert_eq!(step.old.serial.next(), Some(step.new.serial));
        }
    }

    /// From whatever it has, the wallet comes back to the live scrip.
    fn find_back(&mut self) {
        let first = Buyer { scrip: self.scrips[0].clone(), ..self.buyer.clone() };
        let reply = self.world.finish(&first.finish(Code::Gm6_2, None)).unwrap();
        assert!(reply.holds(&self.buyer.secret));
        let live = self.world.center.live_scrip(self.world.purse(&self.buyer)).unwrap();
        assert_eq!(bytes_of(reply.scrip()), bytes_of(&live));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn money_is_conserved_and_replies_repeat(moves in moves()) {
        let mut run = Run::new();
        for step in &moves {
            run.step(step);
            run.check();
        }
        run.find_back();
        run.check();
    }
}
