//! The 402 of a shop, as a wallet without a browser reads it: what it is about to pay, and whom it asks.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use tuppence_protocol::{Amount, Timestamp};
use tuppence_wallet::kit::Included;
use tuppence_wallet::origin::Origin;
use tuppence_wallet::ports::memory::{
    MemoryClock, MemoryEvents, MemoryLock, MemoryStorage, PlainVault, SeededRandom,
};
use tuppence_wallet::ports::{NetworkError, Ports, Request, Response, Transport};
use tuppence_wallet::view::ArticleCard;
use tuppence_wallet::{Config, Wallet};

use crate::target::Verdict;

/// The wallet's center.
pub(crate) const CENTER: &str = "https://center.example";
/// The most that may be paid.
const APPROVED: &str = "USD:0.03";

/// An address, the status of the shop's answer, and its body, in lines: nothing is paid but what was approved, to nobody
/// but who answers there.
pub fn demand(bytes: &[u8]) -> Verdict {
    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
    let (Some(url), Some(status), Some(body)) = (lines.next(), lines.next(), lines.next()) else {
        return Verdict::Refused;
    };
    let text = |bytes| str::from_utf8(bytes).ok();
    let Some((url, status)) = text(url).zip(text(status).and_then(|status| status.parse().ok())) else {
        return Verdict::Refused;
    };
    if read(url, Response { status, body: body.to_vec() }) { Verdict::Taken } else { Verdict::Refused }
}

/// Whether a wallet that is told to pay `url`, and is answered so, takes the answer.
pub(crate) fn read(url: &str, answer: Response) -> bool {
    let storage = MemoryStorage::default();
    storage.replace(RECORDS.clone());
    let free = answer.status == 200;
    let shop = Rc::new(Shop { answer: Cell::new(Some(answer)), asked: RefCell::default() });
    let wallet =
        ready(Wallet::open(ports(storage, shop.clone()), config())).expect("the records are a wallet's");
    let approved: Amount = APPROVED.parse().expect("an amount");
    let told = Cell::new(false);
    let hear = |card: &ArticleCard| {
        assert!(
            approved.covers(card.price) && card.price.currency() == approved.currency(),
            "{card:?} is dearer"
        );
        assert!(!card.owned, "what was paid is to be paid again");
        let asked = shop.asked.borrow();
        let origin: Origin = asked[0].origin.parse().expect("what was asked has an origin");
        assert!(origin.has(&card.url), "{origin} sells {}", card.url);
        told.set(true);
    };
    let bought = ready(wallet.pay_url(url, approved, hear));
    for request in shop.asked.borrow().iter() {
        let own = request.origin == CENTER || url.to_ascii_lowercase().starts_with(&request.origin);
        assert!(own, "{} is asked, for {url}", request.origin);
        assert!(
            request.path.starts_with('/') && !request.path.contains([' ', '\r', '\n', '#']),
            "{request:?}"
        );
    }
    if let Ok(bought) = &bought {
        assert!(!bought.charged, "without a center, money has moved");
        assert!(bought.article.is_some() || free, "what is not free is given away");
    }
    told.get() || bought.is_ok()
}

/// A wallet's records, from its published copy.
static RECORDS: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| {
    let storage = MemoryStorage::default();
    let nobody = Rc::new(Shop { answer: Cell::new(None), asked: RefCell::default() });
    let wallet = ready(Wallet::open(ports(storage.clone(), nobody), config())).expect("there is room");
    ready(wallet.import(include_str!("../corpus/copies/wallet"), false)).expect("the copy is a wallet's");
    storage.records()
});

/// A shop that answers once, and is gone; nobody else answers.
struct Shop {
    answer: Cell<Option<Response>>,
    asked: RefCell<Vec<Request>>,
}

#[async_trait(?Send)]
impl Transport for Shop {
    async fn send(&self, request: Request) -> Result<Response, NetworkError> {
        self.asked.borrow_mut().push(request);
        self.answer.take().ok_or(NetworkError::Unreachable)
    }
}

fn ports(storage: MemoryStorage, shop: Rc<Shop>) -> Ports {
    Ports {
        storage: Rc::new(storage),
        transport: shop,
        clock: Rc::new(MemoryClock::new(Timestamp::from_millis(1_800_000_000_000))),
        random: Rc::new(SeededRandom::new(7)),
        lock: Rc::new(MemoryLock::default()),
        events: Rc::new(MemoryEvents::default()),
        vault: Rc::new(PlainVault),
        kit: Rc::new(Included),
    }
}

fn config() -> Config {
    Config { center_origin: CENTER.parse().expect("an origin"), fingerprint: None }
}

/// What comes of something that waits for nobody outside.
fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    for _ in 0..10_000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
    panic!("it waits, and nobody can wake it")
}
