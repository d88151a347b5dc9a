//! The center, from bytes to answer: its message handlers' decoding, its rules over a store in memory, and its books.
//!
//! A line is the name of a message and its JSON. After `!` it is taken as it is; otherwise it shows the newest scrip, and is
//! sealed by the buyer and the shops that the target has the secrets of, so that the rules behind the seals are reached.

use std::sync::{Arc, LazyLock};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tuppence_protocol::bytes::Bytes;
use tuppence_protocol::challenge::{Solution, solve};
use tuppence_protocol::payword::{AuthorityOrder, Deposit};
use tuppence_protocol::recovery::notes::NotesRequest;
use tuppence_protocol::scrip::buyer::{
    AwaitingIssueOffer, AwaitingPaymentOffer, AwaitingRegistration, NewWallet, Offer, Purse, Start,
};
use tuppence_protocol::scrip::campaign::CampaignFunding;
use tuppence_protocol::scrip::center::{Center, CenterKeys, Policy};
use tuppence_protocol::scrip::earner::AttestationRequest;
use tuppence_protocol::scrip::finish::{Finish, Transaction};
use tuppence_protocol::scrip::issue::IssueStart;
use tuppence_protocol::scrip::payment::{PaymentInformation, PaymentStart};
use tuppence_protocol::scrip::relay::RelayRequest;
use tuppence_protocol::scrip::seller::{Fresh, Seller};
use tuppence_protocol::scrip::{Code, Header, Scrip};
use tuppence_protocol::vendor_scrip::Order;
use tuppence_protocol::{
    Amount, Currency, ErrorCode, HashAlgorithm, KeyRing, Refusal, Seal, Secret, Timestamp, TranId, VendorId,
    WalletId,
};
use tuppence_server::center::{CenterRules, Command, Reply};
use tuppence_server::clock::Clock;
use tuppence_server::http::message::decode;
use tuppence_server::ledger::audit::audit;
use tuppence_server::store::committer::engine::Engine;
use tuppence_server::store::committer::{CommitError, Rules};
use tuppence_server::store::memory::MemoryStore;
use tuppence_server::store::records::Direction;
use tuppence_server::store::{Store, Wanted};

use crate::message::written;
use crate::target::Verdict;

/// Messages of one input.
const MESSAGES_MAX: usize = 24;
const SESSION_KEY: Secret = Secret::from_bytes([42; 32]);
const SHOP: &str = "shop";
/// The target's clock.
pub const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// Any messages in any order: none is a fault, the same again gets the same, and the books add up after them.
pub fn messages(bytes: &[u8]) -> Verdict {
    if taken(bytes) > 0 { Verdict::Taken } else { Verdict::Refused }
}

/// How many of the messages were taken, where all that holds.
pub fn taken(bytes: &[u8]) -> usize {
    let mut bench = Bench::of(&OPENED);
    let mut taken = 0;
    for line in bytes.split(|byte| *byte == b'\n').take(MESSAGES_MAX) {
        let Some(command) = bench.command(line) else { continue };
        let starts = matches!(command, Command::Issue(_) | Command::Payment(_));
        let first = bench.send(command.clone());
        taken += usize::from(first.is_ok());
        if starts && let Ok(first) = first {
            let again = bench.send(command).expect("what was taken is taken again");
            assert_eq!(format!("{again:?}"), format!("{first:?}"), "another reply to the same message");
        }
    }
    let report = audit(bench.engine.store()).expect("a store in memory is read");
    assert!(report.findings.is_empty(), "{report}");
    taken
}

/// A center with a shop that has twenty dollars, and a buyer without any.
static OPENED: LazyLock<(MemoryStore, Purse)> = LazyLock::new(|| {
    let mut store = MemoryStore::new(Currency::USD);
    let mut set_up = Setup(&mut store);
    set_up.send(Command::AddVendor {
        id: server(SHOP),
        origin: "https://shop.example".parse().expect("an origin"),
        secret: shop_secret(),
    });
    set_up.send(Command::Book {
        reference: "opening".parse().expect("a reference"),
        vendor: 1,
        direction: Direction::Deposit,
        amount: usd("USD:20"),
    });
    let awaiting = registration(&center());
    let request = Box::new(awaiting.request.clone());
    let reply = set_up.send(Command::Register { request, session_key: SESSION_KEY, nonce: [7; 12] });
    let Reply::Registered(reply) = reply else { panic!("not registered: {reply:?}") };
    let purse = awaiting.receive(&reply, &SESSION_KEY).expect("it is this wallet's");
    (store, purse)
});

/// Commands over a store that stays, since an engine keeps the one that it is given.
struct Setup<'a>(&'a mut MemoryStore);

impl Setup<'_> {
    fn send(&mut self, command: Command) -> Reply {
        let rules = CenterRules::new(center());
        let directory = self.0.directory().expect("a store in memory is read");
        let mut wanted = Wanted::default();
        rules.wanted(&command, &directory, &mut wanted);
        let mut set = self.0.load(wanted).expect("a store in memory is read");
        let reply = set.command(|set| rules.apply(set, command, NOW)).expect("the center is set up");
        self.0.commit(set.into_changes()).expect("a store in memory takes it");
        reply
    }
}

/// One input's center.
struct Bench {
    engine: Engine<CenterRules>,
    purse: Purse,
}

impl Bench {
    fn of((store, purse): &(MemoryStore, Purse)) -> Self {
        Bench { engine: engine(store.clone()), purse: purse.clone() }
    }

    /// The command of a line, if its JSON is a message of that name.
    fn command(&self, line: &[u8]) -> Option<Command> {
        let (as_it_is, line) = match line.strip_prefix(b"!") {
            Some(line) => (true, line),
            None => (false, line),
        };
        let (name, json) = line.split_at_checked(line.iter().position(|byte| *byte == b' ')?)?;
        let seal = !as_it_is;
        let secret = &self.purse.custom_secret;
        let shown = || self.purse.scrip.clone();
        Some(match name {
            b"register" => Command::Admit(read(json)?),
            b"register-opened" => {
                Command::Register { request: read(json)?, session_key: SESSION_KEY, nonce: [7; 12] }
            }
            b"recover" => Command::AdmitRecovery(read(json)?),
            b"recover-opened" => {
                Command::Recover { request: read(json)?, session_key: SESSION_KEY, nonce: [7; 12] }
            }
            b"attest" => {
                let mut message: Box<AttestationRequest> = read(json)?;
                if seal {
                    message.scrip = shown();
                    message.hash = message.seal(secret);
                }
                Command::Attest(message)
            }
            b"issue" => {
                let mut message: Box<IssueStart> = read(json)?;
                if seal {
                    message.offer = message.offer.sealed(&shop_secret());
                    message.scrip = shown();
                    message.hash = message.seal(secret);
                }
                Command::Issue(message)
            }
            b"payment" => Command::Payment(Box::new(self.paying(seal, *read(json)?))),
            b"reserve" => {
                let Paying::<AuthorityOrder> { payment, order } = *read(json)?;
                Command::Reserve { start: Box::new(self.paying(seal, payment)), order: Box::new(order) }
            }
            b"buy" => {
                let Paying::<Order> { payment, order } = *read(json)?;
                Command::BuyScrip { start: Box::new(self.paying(seal, payment)), order: Box::new(order) }
            }
            b"finish" => {
                let mut message: Box<Finish> = read(json)?;
                if seal {
                    message.new_scrip = shown();
                    message.hash = message.seal(secret);
                }
                Command::Finish(message)
            }
            b"notes" => {
                let mut message: Box<NotesRequest> = read(json)?;
                if seal {
                    message.scrip = shown();
                    message.hash = message.seal(secret);
                }
                Command::Notes(message)
            }
            b"relay" => {
                let message: Box<RelayRequest> = read(json)?;
                Command::Relay(if seal { Box::new(message.sealed(&shop_secret())) } else { message })
            }
            b"campaign" => {
                let message: Box<CampaignFunding> = read(json)?;
                Command::FundCampaign(if seal { Box::new(message.sealed(&shop_secret())) } else { message })
            }
            b"cash-out-state" => Command::CashOutState(read(json)?),
            b"claim" => Command::Claim(read(json)?),
            b"deposit" => {
                let message: Box<Deposit> = read(json)?;
                Command::Deposit(if seal { Box::new(message.sealed(&shop_secret())) } else { message })
            }
            b"licence" => Command::License(read(json)?),
            b"quote" => Command::QuoteScrip { order: read(json)?, tran_id: TranId::new(NOW, [8; 10]) },
            b"settle" => Command::Settle(read(json)?),
            _ => return None,
        })
    }

    fn paying(&self, seal: bool, mut message: PaymentStart) -> PaymentStart {
        if seal {
            // The center seals its own offers, those of cash-outs and budgets.
            let own = message.order.vendor_id == center().keys.center_id;
            let secret = if own { Secret::from_bytes([3; 32]) } else { shop_secret() };
            message.order = message.order.sealed(&secret);
            message.scrip = self.purse.scrip.clone();
            message.hash = message.seal(&self.purse.custom_secret);
        }
        message
    }

    /// What the center answers. The buyer goes on with the scrip that it brings.
    fn send(&mut self, command: Command) -> Result<Reply, Refusal> {
        let reply = served(&mut self.engine, command)?;
        let brought: Option<&Scrip> = match &reply {
            Reply::Ecash(reply) => Some(&reply.new_scrip),
            Reply::Balance(reply) => Some(&reply.new_scrip),
            _ => None,
        };
        if let Some(scrip) = brought {
            self.purse.scrip = scrip.clone();
        }
        Ok(reply)
    }
}

/// S4, with what it is to pay for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paying<T> {
    payment: PaymentStart,
    order: T,
}

/// A message as the handlers decode it.
fn read<T: DeserializeOwned>(json: &[u8]) -> Option<Box<T>> {
    match decode::<T>(json) {
        Ok(message) => Some(Box::new(message)),
        Err(refusal) => {
            assert_eq!(refusal.code, ErrorCode::Malformed, "{refusal:?}");
            None
        }
    }
}

/// A command by itself, as the committer serves it. A refusal is for its sender; a fault would be a 500.
fn served(engine: &mut Engine<CenterRules>, command: Command) -> Result<Reply, Refusal> {
    let mut served = engine.serve(vec![command]).expect("the store takes what the rules have made");
    match served.results.pop().expect("a command has a result") {
        Ok(reply) => Ok(reply),
        Err(CommitError::Refused(refusal)) => {
            assert_ne!(refusal.code, ErrorCode::Fault, "{refusal:?}");
            Err(refusal)
        }
        Err(error) => panic!("{error:?}"),
    }
}

fn engine(store: MemoryStore) -> Engine<CenterRules> {
    Engine::new(Box::new(store), CenterRules::new(center()), Arc::new(Stopped))
}

/// What earns, pays and cashes out at this center, and what is wrong: the corpus begins with them.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let (_, purse) = &*OPENED;
    let mut bench = Bench::of(&OPENED);
    let shop = Seller::new(server(SHOP), center().keys.center_id, KeyRing::new(1, shop_secret()))
        .expect("the shop has a secret");
    let fresh = |byte| Fresh { now: NOW, random: [byte; 10] };
    let funding = shop.fund("quiz".parse().expect("an item"), usd("USD:10"), NOW).expect("it is sealed");
    let fund = line("campaign", &funding);

    let awaiting = purse.attestation(server(SHOP), NOW);
    let attest = line("attest", &awaiting.request);
    let reply = bench.send(Command::Attest(Box::new(awaiting.request.clone()))).expect("it is attested");
    let Reply::Attested(reply) = reply else { panic!("not attested: {reply:?}") };
    let attestation = awaiting.receive(&reply, &purse.custom_secret).expect("it is this buyer's");
    let asking =
        AwaitingIssueOffer::new(server(SHOP), "quiz".parse().expect("an item"), Vec::new(), attestation, NOW);
    let permitted = shop.permit(&asking.request, usd("USD:7"), fresh(1)).expect("it is permitted");
    let earning = asking.receive(&permitted, purse).expect("it is for this buyer");
    let pay = AwaitingPaymentOffer::new(
        server(SHOP),
        "https://shop.example/articles/coins".parse().expect("an address"),
        NOW,
    );
    let quoted = shop.quote(&pay.request, usd("USD:0.03"), fresh(2)).expect("it is for sale");
    let cash_out = AwaitingPaymentOffer::new(
        center().keys.center_id,
        "cash-out:USD:5:Account 7".parse().expect("an order"),
        NOW,
    );
    let out = center()
        .cash_out_offer(&cash_out.request, TranId::new(NOW, [3; 10]), NOW)
        .expect("the center pays out");

    let start = |offer: Offer| purse.start(offer, NOW).expect("it begins").start;
    let Start::Issue(issue) = start(earning) else { panic!("no M4") };
    let mut rich = purse.clone();
    rich.scrip.scrip.value = usd("USD:7");
    let paying = |awaiting: &AwaitingPaymentOffer, information: &PaymentInformation| {
        let offer = awaiting.receive(information, &rich).expect("it is for this buyer");
        let Start::Payment(start) = rich.start(offer, NOW).expect("it begins").start else { panic!("no S4") };
        start
    };
    let (payment, cashing) = (paying(&pay, &quoted), paying(&cash_out, &out));
    let finish = |vendor_id: &VendorId, tran_id, code| {
        let message = Finish {
            header: Header::new(code, NOW),
            transaction: Some(Transaction { vendor_id: vendor_id.clone(), tran_id }),
            new_scrip: purse.scrip.clone(),
            hash: Seal::from_bytes([0; 32]),
            p_count: 1,
        };
        line("finish", &message)
    };
    let earned = [
        fund.clone(),
        line("issue", &issue),
        finish(&issue.offer.vendor_id, issue.offer.tran_id, Code::Gm6_1),
    ];
    let paid =
        [line("payment", &payment), finish(&payment.order.vendor_id, payment.order.tran_id, Code::Pm6_1)];
    let cashed =
        [line("payment", &cashing), finish(&cashing.order.vendor_id, cashing.order.tran_id, Code::Pm6_1)];
    let back =
        [line("payment", &payment), finish(&payment.order.vendor_id, payment.order.tran_id, Code::Pm6_3)];
    let lines = |parts: &[&[String]]| parts.concat().join("\n").into_bytes();
    let register = line("register-opened", &registration(&center()).request);
    vec![
        ("attest", lines(&[&[attest]])),
        ("register", lines(&[&[register]])),
        ("earn", lines(&[&earned])),
        ("pay", lines(&[&earned, &paid])),
        ("pay-twice", lines(&[&earned, &paid, &paid])),
        ("take-back", lines(&[&earned, &back])),
        ("cash-out", lines(&[&earned, &cashed])),
        ("without-money", lines(&[&paid])),
        ("as-it-is", format!("!{}", line("payment", &payment)).into_bytes()),
        ("no-json", b"payment {".to_vec()),
    ]
}

fn line(name: &str, message: &impl Serialize) -> String {
    format!("{name} {}", String::from_utf8_lossy(&written(message)))
}

fn usd(text: &str) -> Amount {
    text.parse().expect("an amount")
}

fn registration(center: &Center) -> AwaitingRegistration {
    let wallet = NewWallet {
        id: WalletId::from_bytes([1; 16]),
        wallet_key: [1; 32],
        key_envelope: Bytes::try_from(vec![1; 384]).expect("as long as an envelope"),
    };
    let challenge = center.challenge([1; 16], NOW);
    let nonce = solve(&challenge, wallet.content(), 0, 100_000).expect("it is easy");
    AwaitingRegistration::new(center.keys.center_id.clone(), wallet, Solution { challenge, nonce }, NOW)
}

fn center() -> Center {
    let ring = |byte| KeyRing::new(1, Secret::from_bytes([byte; 32]));
    let keys = CenterKeys {
        center_id: server("center"),
        scrip_secrets: ring(1),
        customer_secrets: ring(2),
        vendor_secrets: ring(3),
        signing_secrets: ring(5),
        challenge_secret: Secret::from_bytes([4; 32]),
        algorithm: HashAlgorithm::HmacSha256,
        sha256_allowed: false,
    };
    Center {
        keys,
        policy: Policy { fee_basis_points: 1_000, challenge_bits: 2, ..Policy::new(Currency::USD) },
    }
}

fn server(name: &str) -> VendorId {
    VendorId {
        dns_name: format!("{name}.example").parse().expect("a name"),
        ip_addr: None,
        server_name: name.parse().expect("a name"),
        port: 443,
    }
}

fn shop_secret() -> Secret {
    Secret::from_bytes([11; 32])
}

/// Time stands still, so that the same bytes do the same.
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        NOW
    }
}
