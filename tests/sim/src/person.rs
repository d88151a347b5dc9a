//! What people do with a wallet, and what the wallet tells them. A tab is one task, which can be ended anywhere.

use std::cell::Cell;
use std::rc::Rc;

use tuppence_protocol::{Amount, ErrorCode};
use tuppence_wallet::error::Money;
use tuppence_wallet::view::{HistoryEntry, PendingOperation, PendingStage};
use tuppence_wallet::{Wallet, WalletError};

use crate::budget;
use crate::chance::Chance;
use crate::device::Device;
use crate::fixture::{self, ARTICLES, CAMPAIGNS, usd};

/// What somebody did, and what the wallet said, for the auditor and the coverage.
#[derive(Debug)]
pub enum Deed {
    /// Nothing but looking.
    Looked,
    /// A wallet was created, or finished.
    Registered,
    /// An answer was paid.
    Earned(Box<HistoryEntry>),
    /// Somebody approves this price for an article's address.
    Approves(String, Amount),
    /// An article was paid at no more than this price; whether this wallet was charged for it just now.
    Paid(Amount, Box<tuppence_wallet::view::LibraryEntry>, bool),
    /// An article was had from the budget at its shop, for at most this price; whether that was charged for just now.
    Drew(Amount, Box<tuppence_wallet::view::LibraryEntry>, bool),
    /// A budget was ended.
    EndedBudget,
    /// A payout was ordered.
    CashedOut(Box<tuppence_wallet::view::CashOutOrder>),
    /// An operation was taken back.
    Cancelled,
    /// What is under way.
    Pending(Vec<PendingStage>),
    /// The wallet was copied as a text.
    Exported(String),
    /// A copy is about to be put in its place.
    Importing,
    /// It was.
    Imported,
    /// The text of a paid article: its slug, and the words.
    Read(String, String),
    /// It went wrong.
    Failed(&'static str, WalletError),
}

/// What all of a person's tabs know.
#[derive(Debug, Default)]
pub struct Habits {
    /// Whether it is time to come to an end.
    pub ending: Cell<bool>,
    /// The longest pause between two deeds, in milliseconds.
    pub pause_max: Cell<u64>,
    /// Copies of the wallet, the oldest first.
    pub copies: std::cell::RefCell<Vec<String>>,
}

/// A tab's life: it opens the wallet, finishes what was open, and does this and that until it is told to end.
pub async fn live(device: Rc<Device>, tab: usize, habits: Rc<Habits>, mut chance: Chance) {
    let mut impatient = None;
    loop {
        let wallet = match device.open(tab).await {
            Ok(wallet) => wallet,
            Err(error) => {
                device.did(Deed::Failed("open", error));
                device.wait(5_000).await;
                continue;
            }
        };
        match wallet.resume().await {
            Ok(open) => device.did(Deed::Pending(open.iter().map(|open| open.stage).collect())),
            Err(error) => device.did(Deed::Failed("resume", error)),
        }
        for _ in 0..chance.between(2, 12) {
            if habits.ending.get() {
                return;
            }
            let deed = act(&wallet, &device, &habits, &mut chance, &mut impatient).await;
            device.did(deed);
            device.wait(chance.between(1, habits.pause_max.get())).await;
        }
    }
}

async fn act(
    wallet: &Wallet,
    device: &Device,
    habits: &Habits,
    chance: &mut Chance,
    impatient: &mut Option<usize>,
) -> Deed {
    if let Some(article) = impatient.take()
        && chance.happens(700)
    {
        return pay(wallet, device, chance, article, impatient).await;
    }
    let registered = wallet.status().await.is_ok_and(|status| status.registered);
    if !registered && !chance.happens(100) {
        return told("register", wallet.register(|_| ()).await, |()| Deed::Registered);
    }
    match chance.below(138) {
        100..124 => budget::draw(wallet, device, chance).await,
        124..128 => budget::end(wallet, chance).await,
        130..138 => cash_out_and_cancel(wallet, device, chance).await,
        128..130 => told("budgets", wallet.budgets().await, |_| Deed::Looked),
        0..32 => earn(wallet, chance).await,
        32..60 => {
            let article = chance.place(ARTICLES.len());
            pay(wallet, device, chance, article, impatient).await
        }
        60..71 => cash_out(wallet, chance).await,
        71..77 => told("orders", wallet.cash_out_orders().await, |_| Deed::Looked),
        77..81 => told("resync", wallet.resync().await, |_| Deed::Looked),
        81..88 => cancel(wallet, chance).await,
        88..91 => read(wallet, chance).await,
        91..94 => told("export", wallet.export().await, |copy| {
            habits.copies.borrow_mut().push(copy.clone());
            Deed::Exported(copy)
        }),
        94..96 => import(wallet, device, habits, chance).await,
        96..98 => told("shops", wallet.shops().await, |_| Deed::Looked),
        _ => {
            let shop = fixture::SHOPS[chance.place(fixture::SHOPS.len())];
            told("campaigns", wallet.campaigns(shop).await, |_| Deed::Looked)
        }
    }
}

pub(crate) fn told<T>(
    what: &'static str,
    result: Result<T, WalletError>,
    done: impl FnOnce(T) -> Deed,
) -> Deed {
    match result {
        Ok(value) => done(value),
        Err(error) => Deed::Failed(what, error),
    }
}

async fn earn(wallet: &Wallet, chance: &mut Chance) -> Deed {
    let campaign = chance.one(&CAMPAIGNS);
    let answers = match chance.below(20) {
        0 => vec![],
        1 => vec!["no such choice".to_owned()],
        2..6 => vec![(*chance.one(campaign.choices)).to_owned()],
        _ => vec![(*campaign.right.first().unwrap_or(&campaign.choices[0])).to_owned()],
    };
    let earned = wallet.earn(fixture::SHOPS[campaign.shop], campaign.item, &answers).await;
    told("earn", earned, |earned| Deed::Earned(Box::new(earned.entry)))
}

/// Pays an article; where it stays open, people press the button again.
async fn pay(
    wallet: &Wallet,
    device: &Device,
    chance: &mut Chance,
    article: usize,
    impatient: &mut Option<usize>,
) -> Deed {
    let (shop, slug, price) = ARTICLES[article];
    if chance.happens(30) {
        let paid = wallet.pay(fixture::SHOPS[shop], "nowhere", usd(price)).await;
        return told("pay", paid, |_| Deed::Looked);
    }
    // Now and then less is approved than the shop asks.
    let approved = usd(if chance.happens(50) { price - 1 } else { price });
    device.did(Deed::Approves(format!("{}/articles/{slug}", fixture::SHOPS[shop]), approved));
    let paid = wallet.pay(fixture::SHOPS[shop], slug, approved).await;
    let later = |error: &WalletError| error.money == Money::Open || error.code.ends_with("_unreachable");
    if paid.as_ref().is_err_and(later) {
        *impatient = Some(article);
    }
    told("pay", paid, |paid| Deed::Paid(approved, Box::new(paid.article), paid.charged))
}

async fn cash_out(wallet: &Wallet, chance: &mut Chance) -> Deed {
    let micros = match chance.below(10) {
        0 => 0,
        1 => 50_000,
        2 => 100_000_000,
        3..9 => 100_000,
        _ => chance.between(10, 40) * 10_000,
    };
    let ordered = wallet.cash_out(usd(micros), "GB33 BUKB 2020 1555 5555 55").await;
    told("cash_out", ordered, |order| Deed::CashedOut(Box::new(order)))
}

/// Orders a payout, and thinks better of it where it has not gone through.
async fn cash_out_and_cancel(wallet: &Wallet, device: &Device, chance: &mut Chance) -> Deed {
    let deed = cash_out(wallet, chance).await;
    if !matches!(deed, Deed::Failed(..)) {
        return deed;
    }
    device.did(deed);
    cancel(wallet, chance).await
}

pub(crate) async fn cancel(wallet: &Wallet, chance: &mut Chance) -> Deed {
    match wallet.pending().await {
        Err(error) => Deed::Failed("pending", error),
        Ok(open) if open.is_empty() => Deed::Looked,
        Ok(open) => {
            let operation = &open[chance.place(open.len())];
            told("cancel", wallet.cancel(&operation.id).await, |()| Deed::Cancelled)
        }
    }
}

async fn read(wallet: &Wallet, chance: &mut Chance) -> Deed {
    match wallet.library().await {
        Ok(library) if library.is_empty() => Deed::Looked,
        Ok(library) => {
            let entry = &library[chance.place(library.len())];
            let text = wallet.open_article(&entry.shop.origin, &entry.slug).await;
            told("read", text, |text| Deed::Read(entry.slug.clone(), text.html))
        }
        Err(error) => Deed::Failed("library", error),
    }
}

async fn import(wallet: &Wallet, device: &Device, habits: &Habits, chance: &mut Chance) -> Deed {
    let copy = {
        let copies = habits.copies.borrow();
        if copies.is_empty() {
            return Deed::Looked;
        }
        copies[chance.place(copies.len())].clone()
    };
    device.did(Deed::Importing);
    device.wait(chance.between(1, 1_000)).await;
    told("import", wallet.import(&copy, true).await, |()| Deed::Imported)
}

/// What a wallet is like when it has come to rest, or why it does not.
#[derive(Debug)]
pub struct Rest {
    /// What it shows; nothing where there is no wallet.
    pub balance: Option<tuppence_wallet::view::Balance>,
    /// Its history, the oldest first.
    pub history: Vec<HistoryEntry>,
    /// What went wrong last.
    pub problem: Option<WalletError>,
}

/// Brings a wallet to rest, in a world where nothing fails any more.
pub async fn settle(device: Rc<Device>, tab: usize) -> Rest {
    let mut rest = Rest { balance: None, history: Vec::new(), problem: None };
    for _ in 0..12 {
        match try_settle(&device, tab).await {
            Ok(None) => return Rest { balance: None, history: Vec::new(), problem: None },
            Ok(Some((balance, history))) => {
                let waits = balance.pending.iter().any(|open| !may_wait(open));
                let problem = balance.pending.iter().find(|open| !may_wait(open));
                let problem = problem.and_then(|open| open.problem.clone());
                rest = Rest { problem, balance: Some(balance), history };
                if !waits {
                    return rest;
                }
            }
            // Waiting brings no purse back.
            Err(error) if error.is_refusal(ErrorCode::PurseUnknown) => {
                return Rest { balance: None, history: Vec::new(), problem: Some(error) };
            }
            Err(error) => rest.problem = Some(error),
        }
        device.wait(600_000).await;
    }
    rest
}

/// Whether an operation may stay open for good: an answer whose reward the shop cannot pay yet, or that the purse has
/// no room for.
pub fn may_wait(open: &PendingOperation) -> bool {
    let problem = open.problem.as_ref();
    open.stage == PendingStage::Asking
        && problem.is_some_and(|problem| {
            problem.is_refusal(ErrorCode::BalanceLimit) || problem.is_refusal(ErrorCode::CenterUnreachable)
        })
}

type Settled = Option<(tuppence_wallet::view::Balance, Vec<HistoryEntry>)>;

async fn try_settle(device: &Rc<Device>, tab: usize) -> Result<Settled, WalletError> {
    let wallet = device.open(tab).await?;
    wallet.resume().await?;
    if !wallet.status().await?.registered {
        return Ok(None);
    }
    wallet.cash_out_orders().await?;
    let balance = wallet.resync().await?;
    let mut history = wallet.history(None, 100_000).await?;
    history.reverse();
    Ok(Some((balance, history)))
}
