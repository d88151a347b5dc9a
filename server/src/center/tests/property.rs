//! Any sequence of messages over each store: the working set refuses nothing, the audit finds nothing,
//! and both stores answer alike, byte for byte.

use proptest::prelude::*;
use tuppence_protocol::scrip::buyer::AwaitingReturn;

use super::*;

#[derive(Debug, Clone)]
enum Move {
    Earn,
    Pay { cents: u64, stale: bool },
    CashOut,
    Finish { age: usize },
    TakeBack { age: usize },
    Cancel { age: usize },
    Repeat { age: usize },
    Resynchronise,
    Budget { dollars: u64 },
    Confirm { number: u64 },
    Return { number: u64 },
    Wait { minutes: u64 },
    Sweep,
    Restart,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let age = || prop_oneof![3 => Just(0_usize), 1 => 0_usize..6];
    prop::collection::vec(
        prop_oneof![
            3 => Just(Move::Earn),
            4 => (1_u64..300, prop::bool::weighted(0.2)).prop_map(|(cents, stale)| Move::Pay { cents, stale }),
            2 => Just(Move::CashOut),
            6 => age().prop_map(|age| Move::Finish { age }),
            2 => age().prop_map(|age| Move::TakeBack { age }),
            1 => age().prop_map(|age| Move::Cancel { age }),
            3 => (0_usize..20).prop_map(|age| Move::Repeat { age }),
            2 => Just(Move::Resynchronise),
            1 => (0_u64..20).prop_map(|dollars| Move::Budget { dollars }),
            1 => (1_u64..4).prop_map(|number| Move::Confirm { number }),
            1 => (1_u64..4).prop_map(|number| Move::Return { number }),
            1 => (1_u64..12).prop_map(|minutes| Move::Wait { minutes }),
            1 => Just(Move::Sweep),
            1 => Just(Move::Restart),
        ],
        1..40,
    )
}

struct Run {
    bench: Bench,
    wallet: Wallet,
    first: Wallet,
    starts: Vec<Start>,
    awaiting: Vec<AwaitingReceipt>,
    sent: Vec<Command>,
    /// Every answer, to be compared between the stores.
    answers: Vec<String>,
}

impl Run {
    fn new(bench: Bench) -> Self {
        let mut bench = bench;
        let wallet = bench.rich_wallet(1, "7");
        let (starts, awaiting, sent) = (Vec::new(), Vec::new(), Vec::new());
        Run { bench, first: wallet.clone(), wallet, starts, awaiting, sent, answers: Vec::new() }
    }

    fn step(&mut self, step: &Move) {
        match *step {
            Move::Earn => {
                let offer = self.bench.reward(&self.wallet, "1");
                self.start(offer, false);
            }
            Move::Pay { cents, stale } => {
                let price = Amount::new(Currency::USD, cents * 10_000).unwrap().to_string();
                let offer = self.bench.article(0, &self.wallet, price.strip_prefix("USD:").unwrap());
                self.start(offer, stale);
            }
            Move::CashOut => {
                let offer = self.bench.cash_out(&self.wallet, "5").unwrap();
                self.start(offer, false);
            }
            Move::Finish { age } => {
                if let Some(awaiting) = self.awaiting.iter().rev().nth(age).cloned() {
                    self.send(Command::Finish(Box::new(awaiting.finish)));
                }
            }
            Move::TakeBack { age } => {
                if let Some(awaiting) = self.awaiting.iter().rev().nth(age).cloned() {
                    let back = awaiting.cancel(&self.wallet.purse.custom_secret, self.bench.now);
                    let AwaitingReturn::Finish(finish) = back else { panic!("no M6 or S6") };
                    self.send(Command::Finish(Box::new(finish)));
                }
            }
            Move::Cancel { age } => {
                if let Some(start) = self.starts.iter().rev().nth(age).cloned() {
                    let awaiting = AwaitingEcash { start };
                    let back = awaiting.cancel(&self.wallet.purse.custom_secret, self.bench.now);
                    let AwaitingReturn::Start(start) = back else { panic!("no M4 or S4") };
                    self.send(start_command(&start));
                }
            }
            Move::Repeat { age } => {
                if let Some(command) = self.sent.iter().rev().nth(age).cloned() {
                    self.send(command);
                }
            }
            Move::Resynchronise => {
                self.wallet.resynchronise(&mut self.bench);
            }
            Move::Budget { dollars } => {
                let reply = self.bench.fund("quiz", &dollars.to_string());
                self.note(&reply);
            }
            Move::Confirm { number } => {
                self.send(Command::ConfirmPayout { number, reference: "B".parse().unwrap() });
            }
            Move::Return { number } => {
                self.send(Command::ReturnPayout { number, reason: "No".parse().unwrap() });
            }
            Move::Wait { minutes } => self.bench.pass_minutes(minutes),
            Move::Sweep => {
                self.bench.sweep();
            }
            Move::Restart => self.bench.reopen(),
        }
    }

    fn start(&mut self, offer: Offer, stale: bool) {
        let wallet = if stale { &self.first } else { &self.wallet };
        let Ok(awaiting) = wallet.purse.start(offer, self.bench.now) else { return };
        self.starts.push(awaiting.start.clone());
        let reply = match self.send(start_command(&awaiting.start)) {
            Some(Reply::Ecash(reply)) => Ecash::Issue(reply),
            Some(Reply::Balance(reply)) => Ecash::Payment(reply),
            _ => return,
        };
        match awaiting.receive(&reply, &self.wallet.purse.custom_secret, self.bench.now).unwrap() {
            Started::Ours(receipt) => {
                self.wallet.purse.scrip = receipt.new_scrip().clone();
                self.awaiting.push(*receipt);
            }
            Started::Other(_, scrip) => self.wallet.purse.scrip = *scrip,
        }
    }

    fn send(&mut self, command: Command) -> Option<Reply> {
        self.sent.push(command.clone());
        let reply = self.bench.send(command);
        self.note(&reply);
        reply.ok()
    }

    fn note(&mut self, reply: &Result<Reply, Refusal>) {
        if let Err(refusal) = reply {
            assert_ne!(refusal.code, ErrorCode::Fault, "{refusal}");
        }
        self.answers.push(format!("{reply:?}"));
    }

    fn run(mut self, moves: &[Move]) -> Vec<String> {
        for step in moves {
            self.step(step);
            self.bench.audit();
        }
        let mut lost = self.first;
        lost.resynchronise(&mut self.bench);
        assert_eq!(lost.purse.value(), self.bench.balance(lost.customer()));
        self.answers
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_books_fit_and_both_stores_answer_alike(moves in moves()) {
        let in_memory = Run::new(Bench::in_memory()).run(&moves);
        let in_sqlite = Run::new(Bench::in_sqlite()).run(&moves);
        prop_assert_eq!(in_memory, in_sqlite);
    }
}
