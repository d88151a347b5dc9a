//! M3 and S3, beside the money (spec/01): the seller is asked while the center is paid, holds the request,
//! and answers with M7 or S7 when the center confirms. Whatever becomes of it, the money is not touched.

use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use tuppence_protocol::scrip::relay::{CenterInit, Delivery};
use tuppence_protocol::scrip::{Code, Document, Header};
use tuppence_protocol::{Duration, TranId};

use crate::client;
use crate::error::WalletError;
use crate::operation::Operation;
use crate::operation::exchange::{note, note_refusal};
use crate::operation::session::Session;
use crate::origin::Origin;
use crate::ports::Changes;
use crate::record;
use crate::view::{ExchangeStep, HistoryEntry, Party};
use crate::wallet::Inner;

/// How long the delivery may take once the money is settled; afterwards it is fetched with the receipt.
const GRACE: Duration = Duration::from_secs(2);

/// What came with the money, or in spite of it.
pub(super) struct Settled {
    pub(super) entry: HistoryEntry,
    pub(super) delivery: Option<Delivery>,
}

/// Where and as what a delivery is asked for.
#[derive(Clone, Copy)]
pub(super) enum Ask {
    /// M3.
    Information,
    /// S3.
    Article,
}

/// Runs an operation to its end, and asks its shop for the delivery meanwhile.
pub(super) async fn run_with_delivery(
    mut session: Session,
    operation: Operation,
    shop: &Origin,
    ask: Ask,
) -> Result<Settled, WalletError> {
    let inner = session.inner.clone();
    let (begun, beginning) = oneshot::channel();
    session.begun = Some(begun);
    let money = Box::pin(async move { session.run(operation).await });
    let delivery = Box::pin(deliver(&inner, shop, ask, beginning));
    let (result, delivered) = match select(money, delivery).await {
        Either::Left((Ok(entry), delivery)) => {
            let grace = inner.ports.clock.sleep(GRACE);
            let delivered = match select(delivery, grace).await {
                Either::Left((delivered, _)) => delivered,
                Either::Right(_) => Delivered::default(),
            };
            (Ok(entry), delivered)
        }
        Either::Left((Err(error), _)) => (Err(error), Delivered::default()),
        Either::Right((delivered, money)) => (money.await, delivered),
    };
    let entry = result?;
    let tran_id = entry.receipt.as_ref().map(|receipt| receipt.tran_id);
    let delivery = delivered.delivery.filter(|delivery| Some(delivery.receipt.tran_id) == tran_id);
    // A note that is lost costs nothing.
    let _ = append(&inner, &entry, delivered.exchange).await;
    Ok(Settled { entry, delivery })
}

#[derive(Default)]
struct Delivered {
    delivery: Option<Delivery>,
    exchange: Vec<ExchangeStep>,
}

async fn deliver(
    inner: &Rc<Inner>,
    shop: &Origin,
    ask: Ask,
    beginning: oneshot::Receiver<TranId>,
) -> Delivered {
    let Ok(tran_id) = beginning.await else {
        // The operation ended before any money moved: nothing will be delivered.
        return std::future::pending().await;
    };
    let (code, reply_code, path) = match ask {
        Ask::Information => (Code::Gm3_1, Code::Gm7_1, "/earn/deliver"),
        Ask::Article => (Code::Pm3_1, Code::Pm7_1, "/purchase/deliver"),
    };
    let clock = &inner.ports.clock;
    let mut exchange = Vec::new();
    let message = CenterInit { header: Header::new(code, clock.now()), tran_id };
    note(&mut exchange, code, Party::Buyer, Party::Seller, clock.now(), &message);
    match client::post_held::<Delivery>(&inner.ports, shop, path, &message).await {
        Ok(Some(delivery)) if delivery.header.expect(&[reply_code]).is_ok() => {
            let shown = without_document(&delivery);
            note(&mut exchange, reply_code, Party::Seller, Party::Buyer, clock.now(), &shown);
            Delivered { delivery: Some(delivery), exchange }
        }
        Ok(_) => Delivered { delivery: None, exchange },
        Err(error) => {
            note_refusal(&mut exchange, code, Party::Seller, clock.now(), &error);
            Delivered { delivery: None, exchange }
        }
    }
}

/// The delivery as the history keeps it: the article itself is fetched again when it is wanted.
fn without_document(delivery: &Delivery) -> Delivery {
    let nothing = Document::try_from(String::new());
    let document = nothing.unwrap_or_else(|_| delivery.document.clone());
    Delivery { document, ..delivery.clone() }
}

/// Adds what went between wallet and shop to the entry's exchange, in the order of time.
async fn append(inner: &Inner, entry: &HistoryEntry, steps: Vec<ExchangeStep>) -> Result<(), WalletError> {
    if steps.is_empty() {
        return Ok(());
    }
    let storage = &*inner.ports.storage;
    let name = record::numbered(entry.number);
    let mut exchange: Vec<ExchangeStep> = record::read(storage, &name).await?.unwrap_or_default();
    exchange.extend(steps);
    exchange.sort_by_key(|step| step.at);
    let mut changes = Changes::default();
    changes.write(&name, &exchange)?;
    Ok(storage.commit(changes).await?)
}
