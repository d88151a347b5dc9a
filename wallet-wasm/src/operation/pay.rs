//! Paying for an article (spec/01, figure 3).
//!
//! ```text
//! S1 -> S2 (nothing stored: neither has an effect)
//! Starting: S4 -> S5 -> Finishing: S6 -> receipt -> scrip + "paid" + library
//!           S3 ------------------------> S7, beside the money
//! ```
//!
//! An article is paid once: the library is asked first, and again when this wallet has the lock, after
//! whatever was open has ended.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use tuppence_protocol::scrip::buyer::{AwaitingPaymentOffer, Offer};
use tuppence_protocol::scrip::payment::PaymentInformation;
use tuppence_protocol::scrip::relay::Delivery;
use tuppence_protocol::scrip::{Code, RequestUrl};
use tuppence_protocol::{Amount, VendorId};

use crate::client::{self, Peer};
use crate::error::{Money, Problem, WalletError};
use crate::operation::delivery::{Ask, run_with_delivery};
use crate::operation::exchange::note;
use crate::operation::session::Session;
use crate::operation::{Errand, Operation, Stage};
use crate::record::{self, ShopRecord, at_shop};
use crate::shop_wire::Article;
use crate::view::{ArticleText, ExchangeStep, LibraryEntry, Paid, Party};
use crate::wallet::Inner;

/// Pays `article` of `shop` at no more than `approved`.
pub(crate) fn pay(
    inner: &Rc<Inner>,
    shop: ShopRecord,
    article: Article,
    approved: Amount,
) -> LocalBoxFuture<'_, Result<Paid, WalletError>> {
    // Behind a pointer: so large a future is compiled once, not once more for each of its callers.
    Box::pin(async move {
        let origin = shop.origin.clone();
        let owned = || bought(inner, origin.as_str(), &article.slug);
        if let Some(article) = owned().await? {
            return Ok(Paid { charged: false, article, text: None });
        }
        let mut session = Session::open(inner).await?;
        // Another tab may have paid it while this one waited.
        if let Some(article) = owned().await? {
            return Ok(Paid { charged: false, article, text: None });
        }
        session.settle().await?;
        // What was open may have been this very payment.
        if let Some(article) = owned().await? {
            return Ok(Paid { charged: true, article, text: None });
        }
        let operation = session.begin_payment(&shop, &article, approved).await?;
        let settled = match run_with_delivery(session, operation, &origin, Ask::Article).await {
            Ok(settled) => settled,
            // Another device of this wallet has paid it a moment ago.
            Err(error) => match owned().await? {
                Some(article) => return Ok(Paid { charged: false, article, text: None }),
                None => return Err(error),
            },
        };
        let article = owned()
            .await?
            .ok_or_else(|| WalletError::from(Problem::RecordDamaged).with_money(Money::Moved))?;
        Ok(Paid { charged: true, article, text: settled.delivery.map(text_of) })
    })
}

/// The library's entry of an article.
pub(crate) async fn bought(
    inner: &Inner,
    origin: &str,
    slug: &str,
) -> Result<Option<LibraryEntry>, WalletError> {
    record::read(&*inner.ports.storage, &at_shop(origin, slug)).await
}

/// Fetches a paid article with its receipt.
pub(crate) async fn open_article(inner: &Inner, entry: &LibraryEntry) -> Result<ArticleText, WalletError> {
    let origin = entry.shop.origin.parse()?;
    let peer = Peer::Shop(&origin);
    let delivery: Delivery = client::post(&inner.ports, peer, "/articles/open", &entry.receipt).await?;
    delivery.header.expect(&[Code::Pm7_1])?;
    if delivery.receipt.tran_id != entry.receipt.tran_id {
        return Err(WalletError::from(Problem::ReplyInvalid).because("It is another article."));
    }
    Ok(text_of(delivery))
}

fn text_of(delivery: Delivery) -> ArticleText {
    ArticleText { title: delivery.title.to_string(), html: delivery.document.to_string() }
}

impl Session {
    async fn begin_payment(
        &self,
        shop: &ShopRecord,
        article: &Article,
        approved: Amount,
    ) -> Result<Operation, WalletError> {
        if !shop.origin.has(&article.url) {
            let error = WalletError::from(Problem::ShopInvalid);
            return Err(error.because(format!("{} is not at this shop.", article.url)));
        }
        let mut exchange = Vec::new();
        let vendor_id = shop.shop.vendor_id.clone();
        let peer = Peer::Shop(&shop.origin);
        let offer =
            self.ask_price(&mut exchange, peer, Party::Seller, "/purchase", vendor_id, &article.url).await?;
        if offer.amount().currency() != approved.currency() || !approved.covers(offer.amount()) {
            let error = WalletError::from(Problem::PriceChanged);
            return Err(error.because(format!("It is {} now.", offer.amount())));
        }
        let awaiting = self.purse().start(offer, self.now())?;
        let errand = Errand::Pay {
            shop: shop.reference(),
            slug: article.slug.clone(),
            url: article.url.clone(),
            title: article.title.clone(),
        };
        let mut operation = self.operation(errand, Stage::Starting(Box::new(awaiting)))?;
        operation.exchange = exchange;
        Ok(operation)
    }

    /// S1 -> S2, of a shop or of the center as a seller.
    pub(super) async fn ask_price(
        &self,
        exchange: &mut Vec<ExchangeStep>,
        peer: Peer<'_>,
        seller: Party,
        path: &str,
        vendor_id: VendorId,
        url: &str,
    ) -> Result<Offer, WalletError> {
        let url = RequestUrl::normalized(url).map_err(|error| {
            WalletError::from(Problem::ArgumentInvalid).because(format!("{url:?}: {error}."))
        })?;
        let asking = AwaitingPaymentOffer::new(vendor_id, url, self.now());
        note(exchange, Code::Pm1_1, Party::Buyer, seller, self.now(), &asking.request);
        let reply: PaymentInformation = client::post(self.ports(), peer, path, &asking.request).await?;
        note(exchange, reply.header.cmd_type, seller, Party::Buyer, self.now(), &reply);
        Ok(asking.receive(&reply, &self.purse())?)
    }
}
