//! Readers with budgets in paywords (spec/03): programs that know the protocol and keep notes, without a wallet. What they
//! have not written down is lost when they are ended; their notes can be set back too.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tuppence_protocol::payword::{
    AuthorityOrder, AwaitingCountersignature, Budget, Certificate, Chain, ChainError, Countersigned,
    Customer, Generator, Plan,
};
use tuppence_protocol::scrip::Scrip;
use tuppence_protocol::scrip::buyer::{AwaitingEcash, AwaitingReceipt, Ecash, Offer, Purse, Start, Started};
use tuppence_protocol::scrip::earner::earner;
use tuppence_protocol::scrip::finish::FinishReply;
use tuppence_protocol::scrip::issue::IssueOffer;
use tuppence_protocol::scrip::payment::PaymentInformation;
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::{Duration, ErrorBody, ErrorCode, PublicKeys, Seal, Secret, Timestamp, TranId};

use crate::chance::Chance;
use crate::fixture::{self, ARTICLES, READER_PURSES, ROGUE_VENDOR, SHOPS, usd};
use crate::kernel::{Party, Reply, Time, Wish, Wishes, lock, turn, wait};

/// The campaign that gives readers their money.
pub const POCKET: &str = "pocket";
/// What one payword is worth, in millionths: every price is a multiple of it.
const UNIT: u64 = 10_000;
/// How long a reader waits for an answer, in milliseconds.
const PATIENCE: u64 = 10_000;
const HOUR: u64 = 60 * 60 * 1_000;
/// For how long budgets are good.
const LIVES: [u64; 4] = [HOUR, 20 * HOUR, 60 * HOUR, 20 * 24 * HOUR];

/// What a reader has written down.
#[derive(Clone)]
pub struct Notes {
    scrip: Scrip,
    errand: Option<Errand>,
    budgets: Vec<Held>,
}

/// A step that is under way, and what it is for.
#[derive(Clone)]
struct Errand {
    what: What,
    stage: Stage,
}

#[derive(Clone)]
enum What {
    Money,
    Budget { shop: usize, order: Box<AuthorityOrder>, end: Secret },
}

#[derive(Clone)]
enum Stage {
    Starting(Box<AwaitingEcash>),
    Finishing(Box<AwaitingReceipt>),
    Paid(Box<Receipt>),
}

/// A budget at a shop.
#[derive(Clone)]
struct Held {
    shop: usize,
    budget: Budget,
    opened: bool,
    /// The address that the last charge was sent for, until it is answered.
    asked: Option<String>,
    ending: bool,
}

/// A reader.
pub struct Reader {
    index: usize,
    time: Time,
    wishes: Wishes,
    chance: RefCell<Chance>,
    /// What survives it.
    pub notes: RefCell<Notes>,
    /// Whether it is time to come to an end.
    pub ending: Cell<bool>,
    pause_max: u64,
}

/// Why something did not work.
enum No {
    /// There was no answer.
    Silence,
    /// A refusal, with its code.
    Refused(ErrorCode),
    /// It makes no sense.
    Nonsense,
}

impl Reader {
    /// A reader with an empty purse.
    pub fn new(index: usize, time: Time, chance: Chance, wishes: Wishes, pause_max: u64) -> Rc<Self> {
        let center = fixture::center();
        let purse = fixture::purse(&center, READER_PURSES[index], 1);
        let scrip = center.live_scrip(&purse).expect("the fixture's key rings have secrets");
        Rc::new(Reader {
            index,
            time,
            wishes,
            chance: RefCell::new(chance),
            notes: RefCell::new(Notes { scrip, errand: None, budgets: Vec::new() }),
            ending: Cell::new(false),
            pause_max,
        })
    }

    /// A reader's life, until it is told to end.
    pub async fn live(self: Rc<Self>) {
        while !self.ending.get() {
            // What does not work is tried again, or something else is.
            let _ = self.act().await;
            let pause = self.chance.borrow_mut().between(1, self.pause_max);
            wait(&self.wishes, pause).await;
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.time.shown())
    }

    fn secret(&self) -> Secret {
        let center = fixture::center();
        let (_, master) = center.keys.customer_secrets.current().expect("the fixture has one");
        master.custom_secret(READER_PURSES[self.index])
    }

    fn purse(&self) -> Purse {
        Purse { scrip: self.notes.borrow().scrip.clone(), custom_secret: self.secret() }
    }

    fn customer(&self, shop: usize) -> Customer {
        let number = u8::try_from(self.index + 1).unwrap_or(1);
        let key = Secret::from_bytes([200 + number; 32]);
        Customer::at(fixture::vendor(u32::try_from(shop + 1).unwrap_or(1)), &key)
    }

    /// Writes something down; before and after it is a moment in which it can be ended.
    async fn note(&self, change: impl FnOnce(&mut Notes)) {
        turn().await;
        change(&mut self.notes.borrow_mut());
        turn().await;
    }

    async fn act(&self) -> Result<(), No> {
        if self.notes.borrow().errand.is_some() {
            return self.go_on().await;
        }
        let held = self.notes.borrow().budgets.len();
        let open = {
            let notes = self.notes.borrow();
            let place = notes.budgets.iter().position(|held| held.asked.is_some() || held.ending);
            place.map(|place| (place, notes.budgets[place].ending))
        };
        match open {
            Some((place, true)) => return self.end(place).await,
            Some((place, false)) => return self.ask(place).await,
            None => {}
        }
        let way = self.chance.borrow_mut().below(10);
        let place = self.chance.borrow_mut().place(held);
        match way {
            0 | 1 => self.earn().await,
            2 if held > 0 => {
                self.note(|notes| notes.budgets[place].ending = true).await;
                self.end(place).await
            }
            3..9 if held > 0 => self.buy(place).await,
            _ if self.purse().value().micros() >= UNIT => self.begin_budget().await,
            _ => self.earn().await,
        }
    }

    /// M4, with an offer that a shop has given to this reader.
    async fn earn(&self) -> Result<(), No> {
        let vendor_id = fixture::vendor(ROGUE_VENDOR);
        let now = self.now();
        let offer = IssueOffer {
            earner: earner(&vendor_id, &self.secret()),
            vendor_id,
            center_id: fixture::vendor(0),
            tran_id: TranId::new(now, self.chance.borrow_mut().bytes()),
            item: POCKET.parse().expect("an item"),
            value: usd(150_000),
            expires: now.plus(Duration::from_minutes(10)),
            secret_id: 1,
            seal: Seal::from_bytes([0; 32]),
        };
        let offer = offer.sealed(&fixture::vendor_secret(ROGUE_VENDOR, 1));
        let starting = self.purse().start(Offer::Issue(offer), now).map_err(|_| No::Nonsense)?;
        let stage = Stage::Starting(Box::new(starting));
        self.note(|notes| notes.errand = Some(Errand { what: What::Money, stage })).await;
        self.go_on().await
    }

    /// Certificate, authority and the offer for it.
    async fn begin_budget(&self) -> Result<(), No> {
        let shop = self.chance.borrow_mut().place(SHOPS.len());
        let keys: PublicKeys = self.get("payword/keys").await?;
        let customer = self.customer(shop);
        let awaiting = customer.certificate(&self.purse());
        let certificate: Certificate = self.ask_center("payword/certificate", &awaiting.request).await?;
        let certificate = awaiting.receive(&certificate, &keys).map_err(|_| No::Nonsense)?;
        let most = (self.purse().value().micros() / UNIT).min(16);
        let plan = {
            let mut chance = self.chance.borrow_mut();
            let life = *chance.one(&LIVES);
            Plan {
                nonce: chance.bytes(),
                end: Secret::from_bytes(chance.bytes()),
                // Now and then for more than there is.
                length: u32::try_from(chance.between(1, most + 1)).unwrap_or(1),
                unit: usd(UNIT),
                expires: Timestamp::from_millis(self.time.shown() + life),
            }
        };
        let vendor = fixture::vendor(u32::try_from(shop + 1).unwrap_or(1));
        let root = made(plan.generator(&vendor))?.root();
        let order = customer.authorise(certificate, &plan, root);
        let information: PaymentInformation = self.ask_center("payword/authority", &order).await?;
        let offer = information.offer;
        let starting = self.purse().start(Offer::Payment(offer), self.now()).map_err(|_| No::Nonsense)?;
        let what = What::Budget { shop, order: Box::new(order), end: plan.end };
        let stage = Stage::Starting(Box::new(starting));
        self.note(|notes| notes.errand = Some(Errand { what, stage })).await;
        self.go_on().await
    }

    /// Goes on with what is under way; what was refused is given up, and the purse asked for.
    async fn go_on(&self) -> Result<(), No> {
        loop {
            let Some(Errand { what, stage }) = self.notes.borrow().errand.clone() else { return Ok(()) };
            let done = match &stage {
                Stage::Starting(awaiting) => self.start(&what, awaiting).await,
                Stage::Finishing(awaiting) => self.finish(&what, awaiting).await,
                Stage::Paid(receipt) => self.take_budget(&what, receipt).await,
            };
            match done {
                Ok(()) => {}
                Err(No::Silence) => return Err(No::Silence),
                Err(no) => {
                    self.note(|notes| notes.errand = None).await;
                    self.resynchronise().await?;
                    return Err(no);
                }
            }
        }
    }

    async fn start(&self, what: &What, awaiting: &AwaitingEcash) -> Result<(), No> {
        let ecash = match (&awaiting.start, what) {
            (Start::Issue(message), _) => Ecash::Issue(self.ask_center("issue", message).await?),
            (Start::Payment(payment), What::Budget { order, .. }) => {
                let message = json!({ "payment": payment, "order": order });
                Ecash::Payment(self.ask_center("payword/reserve", &message).await?)
            }
            (Start::Payment(_), What::Money) => return Err(No::Nonsense),
        };
        let started = awaiting.receive(&ecash, &self.secret(), self.now()).map_err(|_| No::Nonsense)?;
        match started {
            Started::Ours(receipt) => {
                self.note(|notes| {
                    notes.scrip = receipt.new_scrip().clone();
                    let what = what.clone();
                    notes.errand = Some(Errand { what, stage: Stage::Finishing(receipt) });
                })
                .await;
                Ok(())
            }
            Started::Other(..) => Err(No::Nonsense),
        }
    }

    async fn finish(&self, what: &What, awaiting: &AwaitingReceipt) -> Result<(), No> {
        let path = if matches!(what, What::Money) { "issue/finish" } else { "payment/finish" };
        let cancels = self.chance.borrow_mut().happens(60);
        if cancels {
            let message = awaiting.cancel(&self.secret(), self.now());
            if let tuppence_protocol::scrip::buyer::AwaitingReturn::Finish(finish) = message {
                let _: FinishReply = self.ask_center(path, &finish).await?;
            }
            return Err(No::Nonsense);
        }
        let reply: FinishReply = self.ask_center(path, &awaiting.finish).await?;
        let receipt = awaiting.receive(&reply).map_err(|_| No::Nonsense)?;
        let errand = match what {
            What::Money => None,
            What::Budget { .. } => Some(Errand { what: what.clone(), stage: Stage::Paid(Box::new(receipt)) }),
        };
        self.note(|notes| notes.errand = errand).await;
        Ok(())
    }

    /// The countersigned authority, for the receipt.
    async fn take_budget(&self, what: &What, receipt: &Receipt) -> Result<(), No> {
        let What::Budget { shop, order, end } = what else { return Err(No::Nonsense) };
        let keys: PublicKeys = self.get("payword/keys").await?;
        let message = json!({ "authorityId": order.authority.id(), "receipt": receipt });
        let countersigned: Countersigned = self.ask_center("payword/countersigned", &message).await?;
        let awaiting = AwaitingCountersignature { order: (**order).clone(), end: end.clone() };
        let budget = awaiting.receive(&countersigned, &keys).map_err(|_| No::Nonsense)?;
        let held = Held { shop: *shop, budget, opened: false, asked: None, ending: false };
        self.note(|notes| {
            notes.errand = None;
            notes.budgets.push(held);
        })
        .await;
        Ok(())
    }

    /// Whatever the books say that this purse holds.
    async fn resynchronise(&self) -> Result<(), No> {
        let awaiting = self.purse().resynchronise(self.now());
        let reply: FinishReply = self.ask_center("payment/finish", &awaiting.request).await?;
        let live = awaiting.receive(&reply, &self.secret()).map_err(|_| No::Nonsense)?;
        self.note(|notes| notes.scrip = live.scrip).await;
        Ok(())
    }

    fn chain(budget: &Budget) -> Result<Chain, No> {
        made(budget.generator())
    }

    /// Pays an article: index and address are written down before the payword leaves.
    async fn buy(&self, place: usize) -> Result<(), No> {
        let held = self.notes.borrow().budgets[place].clone();
        let article = {
            let mut chance = self.chance.borrow_mut();
            let at_shop: Vec<_> = ARTICLES.iter().filter(|(shop, ..)| *shop == held.shop).collect();
            **chance.one(&at_shop)
        };
        let (shop, slug, price) = article;
        let units = u32::try_from(price / UNIT).unwrap_or(1);
        let mut budget = held.budget;
        let mut chain = Reader::chain(&budget)?;
        if budget.charge(&mut chain, units).is_err() {
            // Not enough is left: it is ended, or left to end by itself.
            if self.chance.borrow_mut().happens(300) {
                self.note(|notes| notes.budgets[place].ending = true).await;
            }
            return Ok(());
        }
        let url = format!("{}/articles/{slug}", SHOPS[shop]);
        self.note(|notes| {
            let held = &mut notes.budgets[place];
            (held.budget, held.asked) = (budget, Some(url));
        })
        .await;
        self.ask(place).await
    }

    /// Sends the last charge, until there is an answer.
    async fn ask(&self, place: usize) -> Result<(), No> {
        let held = self.notes.borrow().budgets[place].clone();
        let Some(url) = &held.asked else { return Ok(()) };
        if !held.opened {
            self.open(place).await?;
        }
        let charge = held.budget.again(&mut Reader::chain(&held.budget)?).map_err(|_| No::Nonsense)?;
        let message = json!({ "requestUrl": url, "charge": charge });
        let answer = self.ask_shop::<serde_json::Value>(held.shop, "payword/buy", &message).await;
        match answer {
            Ok(_) => {
                self.note(|notes| notes.budgets[place].asked = None).await;
                Ok(())
            }
            Err(No::Silence) => Err(No::Silence),
            // The rest comes back by itself.
            Err(no) => {
                self.note(|notes| drop(notes.budgets.remove(place))).await;
                Err(no)
            }
        }
    }

    async fn open(&self, place: usize) -> Result<(), No> {
        let held = self.notes.borrow().budgets[place].clone();
        let opened =
            self.ask_shop::<serde_json::Value>(held.shop, "payword/open", held.budget.countersigned()).await;
        match opened {
            Ok(_) => {
                self.note(|notes| notes.budgets[place].opened = true).await;
                Ok(())
            }
            Err(No::Refused(code)) if code != ErrorCode::CenterUnreachable => {
                self.note(|notes| drop(notes.budgets.remove(place))).await;
                Err(No::Refused(code))
            }
            Err(no) => Err(no),
        }
    }

    /// Ends a budget, and brings the last deposit to the center, or leaves that to the shop.
    async fn end(&self, place: usize) -> Result<(), No> {
        let held = self.notes.borrow().budgets[place].clone();
        if !held.opened {
            self.open(place).await?;
        }
        let mut budget = held.budget;
        let last = budget.end(&mut Reader::chain(&budget)?).map_err(|_| No::Nonsense)?;
        let answer = self.ask_shop::<serde_json::Value>(held.shop, "payword/end", &last).await;
        match answer {
            Err(No::Silence) => return Err(No::Silence),
            Ok(ended) if !ended["deposit"].is_null() && self.chance.borrow_mut().happens(500) => {
                let _ = self.ask_center::<serde_json::Value>("payword/deposit", &ended["deposit"]).await;
            }
            _ => {}
        }
        self.note(|notes| drop(notes.budgets.remove(place))).await;
        Ok(())
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, No> {
        self.send(Party::Center, path, None).await
    }

    async fn ask_center<T: DeserializeOwned>(&self, path: &str, message: &impl Serialize) -> Result<T, No> {
        self.send(Party::Center, path, serde_json::to_vec(message).ok()).await
    }

    async fn ask_shop<T: DeserializeOwned>(
        &self,
        shop: usize,
        path: &str,
        message: &impl Serialize,
    ) -> Result<T, No> {
        self.send(Party::Shop(shop), path, serde_json::to_vec(message).ok()).await
    }

    async fn send<T: DeserializeOwned>(&self, to: Party, path: &str, body: Option<Vec<u8>>) -> Result<T, No> {
        let (answer, answered) = oneshot::channel();
        lock(&self.wishes).push(Wish::Send {
            from: Party::Reader(self.index),
            to: Some(to),
            path: path.to_owned(),
            body,
            patience: PATIENCE,
            answer,
        });
        let Ok(Ok(Reply { status, body })) = answered.await else { return Err(No::Silence) };
        if status == 200 {
            return serde_json::from_slice(&body).map_err(|_| No::Nonsense);
        }
        // What a server could not do, it may do later.
        if status >= 500 {
            return Err(No::Silence);
        }
        let refused = serde_json::from_slice::<ErrorBody>(&body).map_err(|_| No::Nonsense)?;
        Err(No::Refused(refused.code))
    }
}

/// The whole chain: they are short here.
fn made(generator: Result<Generator, ChainError>) -> Result<Chain, No> {
    let mut generator = generator.map_err(|_| No::Nonsense)?;
    generator.step(u32::MAX);
    generator.finish().map_err(|_| No::Nonsense)
}
