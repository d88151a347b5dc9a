//! The center over both stores, with the protocol's own buyer and seller at the other end.

mod batches;
mod campaigns;
mod cash_outs;
mod clock;
mod kept_replies;
mod keys;
mod old_copy;
mod operator;
mod payword;
mod property;
mod races;
mod registration;
mod the_loop;
mod vendor_scrip;

use std::path::PathBuf;

use serde::Serialize;
use tempfile::TempDir;
use tuppence_protocol::challenge::{Solution, solve};
use tuppence_protocol::ids::VendorId;
use tuppence_protocol::scrip::Code;
use tuppence_protocol::scrip::buyer::{
    AwaitingEcash, AwaitingIssueOffer, AwaitingPaymentOffer, AwaitingReceipt, AwaitingRegistration, Ecash,
    NewWallet, Offer, Purse, Start, Started,
};
use tuppence_protocol::scrip::center::{Center, CenterKeys, Policy};
use tuppence_protocol::scrip::finish::{Finish, FinishReply};
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::scrip::seller::{Fresh, Seller};
use tuppence_protocol::{
    Amount, Currency, Duration, ErrorCode, HashAlgorithm, KeyRing, Refusal, Secret, Timestamp, TranId,
    WalletId, bytes::Bytes,
};

use super::{CenterRules, Command, Reply};
use crate::ledger::AccountId;
use crate::ledger::audit::audit;
use crate::store::committer::Rules;
use crate::store::memory::MemoryStore;
use crate::store::records::Direction;
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, Wanted};

const SESSION_KEY: Secret = Secret::from_bytes([42; 32]);

struct Shop {
    number: u32,
    seller: Seller,
}

/// A center on a store, its clock, and two shops of which the first has 20 dollars and a quiz with a budget of 10.
struct Bench {
    center: Center,
    store: Box<dyn Store>,
    file: Option<(PathBuf, TempDir)>,
    now: Timestamp,
    shops: Vec<Shop>,
    draws: u16,
}

/// Runs `test` over each store; the books must fit afterwards.
fn over_each_store(test: impl Fn(&mut Bench)) {
    for bench in [Bench::in_memory, Bench::in_sqlite] {
        let mut bench = bench();
        test(&mut bench);
        bench.audit();
        bench.reopen();
        bench.audit();
    }
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

fn json(reply: &impl Serialize) -> String {
    serde_json::to_string(reply).unwrap()
}

fn code<R: std::fmt::Debug>(result: Result<R, Refusal>) -> ErrorCode {
    result.unwrap_err().code
}

impl Bench {
    fn in_memory() -> Self {
        Self::new(Box::new(MemoryStore::new(Currency::USD)), None)
    }

    fn in_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("center.db");
        let store = SqliteStore::open(&path, Currency::USD).unwrap();
        Self::new(Box::new(store), Some((path, folder)))
    }

    fn new(store: Box<dyn Store>, file: Option<(PathBuf, TempDir)>) -> Self {
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
        let policy = Policy { fee_basis_points: 1_000, challenge_bits: 2, ..Policy::new(Currency::USD) };
        let mut bench = Bench {
            center: Center { keys, policy },
            store,
            file,
            now: Timestamp::from_millis(1_800_000_000_000),
            shops: Vec::new(),
            draws: 0,
        };
        bench.add_shop("first", 11);
        bench.add_shop("second", 12);
        bench.send(book("opening", 1, Direction::Deposit, "USD:20")).unwrap();
        bench.fund("quiz", "10").unwrap();
        bench
    }

    fn add_shop(&mut self, name: &str, byte: u8) {
        let secret = Secret::from_bytes([byte; 32]);
        let (id, origin) = (server(name), format!("https://{name}.example").parse().unwrap());
        let reply = self.send(Command::AddVendor { id: id.clone(), origin, secret: secret.clone() });
        let Ok(Reply::Vendor(vendor)) = reply else { panic!("no shop: {reply:?}") };
        let seller =
            Seller::new(id, self.center.keys.center_id.clone(), KeyRing::new(vendor.secret_id, secret))
                .unwrap();
        self.shops.push(Shop { number: vendor.number, seller });
    }

    fn send(&mut self, command: Command) -> Result<Reply, Refusal> {
        self.batch(vec![command]).pop().unwrap()
    }

    /// All of these commands in one batch, as the committer does it.
    fn batch(&mut self, commands: Vec<Command>) -> Vec<Result<Reply, Refusal>> {
        let rules = CenterRules::new(self.center.clone());
        let directory = self.store.directory().unwrap();
        let mut wanted = Wanted::default();
        for command in &commands {
            rules.wanted(command, &directory, &mut wanted);
        }
        let mut set = self.store.load(wanted).unwrap();
        let now = self.now;
        let apply = |command| set.command(|set| rules.apply(set, command, now));
        let replies = commands.into_iter().map(apply).collect();
        self.store.commit(set.into_changes()).unwrap();
        replies
    }

    /// Closes the database and opens it again, as a restart does.
    fn reopen(&mut self) {
        if let Some((path, _)) = &self.file {
            self.store = Box::new(MemoryStore::new(Currency::USD));
            self.store = Box::new(SqliteStore::open(path, Currency::USD).unwrap());
        }
    }

    fn audit(&mut self) {
        let report = audit(self.store.as_mut()).unwrap();
        assert!(report.findings.is_empty(), "{report}");
    }

    fn pass_minutes(&mut self, minutes: u64) {
        self.now = self.now.plus(Duration::from_minutes(minutes));
    }

    fn balance(&mut self, account: AccountId) -> Amount {
        let micros = self.store.balance(account).unwrap();
        Amount::new(Currency::USD, u64::try_from(micros).unwrap()).unwrap()
    }

    /// Ends what has waited too long, as the server does now and then.
    fn sweep(&mut self) -> usize {
        let before = Timestamp::from_millis(self.now.as_millis() + 1);
        let steps = self.store.pending_steps(before, 100).unwrap();
        match self.send(Command::Sweep(steps)).unwrap() {
            Reply::Swept(ended) => ended,
            other => panic!("not swept: {other:?}"),
        }
    }

    fn fresh(&mut self) -> Fresh {
        self.draws += 1;
        let mut random = [0; 10];
        random[..2].copy_from_slice(&self.draws.to_be_bytes());
        Fresh { now: self.now, random }
    }

    fn fund(&mut self, item: &str, budget: &str) -> Result<Reply, Refusal> {
        let message = self.shops[0].seller.fund(item.parse().unwrap(), usd(budget), self.now).unwrap();
        self.now = self.now.plus(Duration::from_millis(1));
        self.send(Command::FundCampaign(Box::new(message)))
    }

    /// R1 for a new wallet, with its challenge solved.
    fn registration(&mut self, wallet: u8) -> AwaitingRegistration {
        let challenge = self.center.challenge([wallet; 16], self.now);
        let id = WalletId::from_bytes([wallet; 16]);
        let key_envelope = Bytes::try_from(vec![wallet; 384]).unwrap();
        let wallet = NewWallet { id, wallet_key: [wallet; 32], key_envelope };
        let nonce = solve(&challenge, wallet.content(), 0, 100_000).unwrap();
        let solution = Solution { challenge, nonce };
        AwaitingRegistration::new(self.center.keys.center_id.clone(), wallet, solution, self.now)
    }

    fn register(&mut self, wallet: u8) -> Wallet {
        let awaiting = self.registration(wallet);
        let reply = self.send(register_command(&awaiting, wallet)).unwrap();
        let Reply::Registered(reply) = reply else { panic!("not registered: {reply:?}") };
        Wallet { purse: awaiting.receive(&reply, &SESSION_KEY).unwrap() }
    }

    /// A wallet that has earned `value` at the first shop.
    fn rich_wallet(&mut self, wallet: u8, value: &str) -> Wallet {
        let mut wallet = self.register(wallet);
        let offer = self.reward(&wallet, value);
        wallet.complete(self, offer).unwrap();
        wallet
    }

    /// E1 and E2, M1 and M2 at the first shop.
    fn reward(&mut self, wallet: &Wallet, value: &str) -> Offer {
        let shop = self.shops[0].seller.vendor_id().clone();
        let awaiting = wallet.purse.attestation(shop.clone(), self.now);
        let reply = self.send(Command::Attest(Box::new(awaiting.request.clone()))).unwrap();
        let Reply::Attested(reply) = reply else { panic!("not attested: {reply:?}") };
        let attestation = awaiting.receive(&reply, &wallet.purse.custom_secret).unwrap();
        let awaiting =
            AwaitingIssueOffer::new(shop, "quiz".parse().unwrap(), Vec::new(), attestation, self.now);
        let fresh = self.fresh();
        let seller = &self.shops[0].seller;
        seller.attested(&awaiting.request).unwrap();
        let permitted = seller.permit(&awaiting.request, usd(value), fresh).unwrap();
        awaiting.receive(&permitted, &wallet.purse).unwrap()
    }

    /// S1 and S2 at a shop, by its position.
    fn article(&mut self, shop: usize, wallet: &Wallet, price: &str) -> Offer {
        let fresh = self.fresh();
        let seller = &self.shops[shop].seller;
        let url = "https://shop.example/articles/coins".parse().unwrap();
        let awaiting = AwaitingPaymentOffer::new(seller.vendor_id().clone(), url, self.now);
        let information = seller.quote(&awaiting.request, usd(price), fresh).unwrap();
        awaiting.receive(&information, &wallet.purse).unwrap()
    }

    /// S1 and S2 at the center itself.
    fn cash_out(&mut self, wallet: &Wallet, amount: &str) -> Result<Offer, Refusal> {
        let fresh = self.fresh();
        let url = format!("cash-out:USD:{amount}:Account 7").parse().unwrap();
        let awaiting = AwaitingPaymentOffer::new(self.center.keys.center_id.clone(), url, self.now);
        let tran_id = TranId::new(fresh.now, fresh.random);
        let information = self.center.cash_out_offer(&awaiting.request, tran_id, self.now)?;
        Ok(awaiting.receive(&information, &wallet.purse).unwrap())
    }

    fn start(&mut self, start: &Start) -> Result<Ecash, Refusal> {
        match self.send(start_command(start))? {
            Reply::Ecash(reply) => Ok(Ecash::Issue(reply)),
            Reply::Balance(reply) => Ok(Ecash::Payment(reply)),
            other => panic!("neither M5 nor S5: {other:?}"),
        }
    }

    fn finish(&mut self, finish: &Finish) -> Result<FinishReply, Refusal> {
        match self.send(Command::Finish(Box::new(finish.clone())))? {
            Reply::Finished(reply) => Ok(reply),
            other => panic!("no reply to an M6 or S6: {other:?}"),
        }
    }
}

/// Real money of a shop comes in or goes out.
fn book(reference: &str, vendor: u32, direction: Direction, amount: &str) -> Command {
    Command::Book {
        reference: reference.parse().unwrap(),
        vendor,
        direction,
        amount: amount.parse().unwrap(),
    }
}

fn register_command(awaiting: &AwaitingRegistration, nonce: u8) -> Command {
    let request = Box::new(awaiting.request.clone());
    Command::Register { request, session_key: SESSION_KEY, nonce: [nonce; 12] }
}

fn start_command(start: &Start) -> Command {
    match start {
        Start::Issue(message) => Command::Issue(Box::new(message.clone())),
        Start::Payment(message) => Command::Payment(Box::new(message.clone())),
    }
}

/// A buyer.
#[derive(Clone)]
struct Wallet {
    purse: Purse,
}

impl Wallet {
    /// M4 or S4, and its reply.
    fn begin(&mut self, bench: &mut Bench, offer: Offer) -> Result<AwaitingReceipt, Refusal> {
        let awaiting = self.purse.start(offer, bench.now)?;
        let reply = bench.start(&awaiting.start)?;
        match awaiting.receive(&reply, &self.purse.custom_secret, bench.now).unwrap() {
            Started::Ours(receipt) => {
                self.purse.scrip = receipt.new_scrip().clone();
                Ok(*receipt)
            }
            Started::Other(tran_id, _) => panic!("{tran_id} was under way"),
        }
    }

    /// M4 to M6, or S4 to S6.
    fn complete(&mut self, bench: &mut Bench, offer: Offer) -> Result<Receipt, Refusal> {
        let awaiting = self.begin(bench, offer)?;
        let reply = bench.finish(&awaiting.finish)?;
        Ok(awaiting.receive(&reply).unwrap())
    }

    /// Sends a command that is answered with an S5, and hears what it says.
    fn hears(&self, bench: &mut Bench, awaiting: &AwaitingEcash, command: Command) -> Started {
        let Reply::Balance(reply) = bench.send(command).unwrap() else { panic!("no S5") };
        awaiting.receive(&Ecash::Payment(reply), &self.purse.custom_secret, bench.now).unwrap()
    }

    fn resynchronise(&mut self, bench: &mut Bench) -> Option<TranId> {
        let awaiting = self.purse.resynchronise(bench.now);
        let reply = bench.finish(&awaiting.request).unwrap();
        let live = awaiting.receive(&reply, &self.purse.custom_secret).unwrap();
        self.purse.scrip = live.scrip;
        live.pending
    }

    /// Takes a started step back, and the scrip that comes for it.
    fn take_back(&mut self, bench: &mut Bench, awaiting: &AwaitingReceipt) -> Result<(), Refusal> {
        use tuppence_protocol::scrip::buyer::AwaitingReturn;
        let back = awaiting.cancel(&self.purse.custom_secret, bench.now);
        let AwaitingReturn::Finish(finish) = &back else { panic!("no M6 or S6") };
        let reply = Ecash::try_from(bench.finish(finish)?).unwrap();
        self.purse.scrip = back.receive(&reply, &self.purse.custom_secret).unwrap();
        Ok(())
    }

    fn customer(&self) -> AccountId {
        AccountId::Purse(self.purse.scrip.scrip.custom_id.serial_number.get())
    }
}
