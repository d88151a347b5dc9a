//! Approval of a payment: shop, article, price, balance before and after, and one button with the price on it.
//!
//! Whoever leads a reader here can only ask. The page names who asks, it is never shown within another page, and
//! its button arms itself only while it is looked at (T19).

mod choice;
mod pay_button;

use std::future::pending;
use std::pin::Pin;

use leptos::prelude::*;
use leptos::task::spawn_local;
use tuppence_protocol::Amount;
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_wallet::view::{ArticleCard, LibraryEntry, ShopInfo};
use tuppence_wallet::{Money, Wallet, WalletError};

use crate::address::{A, Address};
use crate::asker::{self, Bought};
use crate::browser;
use crate::components::{Heading, OpenForm, Skeleton, Sum, Trouble};
use crate::errors::While;
use crate::locales::{Said, texts};
use crate::money;
use crate::state::{Errand, Load, Loader, WalletState};
use crate::view::{child, view};

use choice::{Approved, Choice};
use pay_button::PayButton;

/// The address at which an article is approved.
pub fn path(shop: &str, article: &str) -> String {
    format!("/approve?shop={}&article={}", browser::encoded(shop), browser::encoded(article))
}

/// What is asked for, and whether it was bought before.
#[derive(Debug, Clone)]
struct Asked {
    shop: ShopInfo,
    article: ArticleCard,
    bought: Option<LibraryEntry>,
    /// Whether the page that leads here need not ask.
    allowed: bool,
}

/// How far the payment is. What was paid stays on this page until the shop opens it, or the page has it.
#[derive(Debug, Clone)]
enum Payment {
    Open,
    Running,
    Paid(Box<Receipt>),
    Budget(String),
    Failed(WalletError),
}

/// The page that a shop leads to.
#[component]
pub fn Approve() -> impl IntoView {
    let texts = &texts().approve;
    if browser::is_framed() {
        return view! { <Refusal title=texts.framed_title text=texts.framed/> };
    }
    let address = Address::current();
    let place = Memo::new(move |_| {
        let shop = address.parameter("shop").and_then(|shop| browser::origin(&shop))?;
        let article = address.parameter("article").filter(|article| !article.is_empty())?;
        Some((shop, article))
    });
    child(move || match place.get() {
        Some((shop, article)) => view! { <Approval shop=shop article=article/> },
        None => view! { <Refusal title=texts.bad_link_title text=texts.bad_link/> },
    })
}

async fn ask(wallet: Wallet, shop: String, article: String) -> Result<Asked, WalletError> {
    // What was bought is this reader's even if the shop doesn't answer in words.
    let bought = wallet.library().await?;
    let bought = bought.into_iter().find(|entry| entry.shop.origin == shop && entry.slug == article);
    let info = wallet.shop(&shop).await?;
    let article = wallet.article(&shop, &article).await?;
    let allowed = match asker::origin(&shop, &article.slug) {
        Some(page) => wallet.may_be_allowed(&shop, &page).await?,
        None => false,
    };
    Ok(Asked { shop: info, article, bought, allowed })
}

#[component]
fn Approval(shop: String, article: String) -> impl IntoView {
    let payment = RwSignal::new(Payment::Open);
    // Whether it is asked although the page need not.
    let asks = RwSignal::new(false);
    let running = Memo::new(move |_| matches!(payment.get(), Payment::Running));
    // The page changes when the payment ends, and stays as it is while it runs.
    let ended = Memo::new(move |_| !matches!(payment.get(), Payment::Open | Payment::Running));
    let (origin, slug) = (shop.clone(), article.clone());
    // Another tab may pay for it meanwhile. What is approved here stays as it is.
    let asked = Loader::new(move |wallet| {
        let open = matches!(payment.get_untracked(), Payment::Open);
        let asking = ask(wallet, origin.clone(), slug.clone());
        async move { if open { asking.await } else { pending().await } }
    });
    let path = path(&shop, &article);
    let (shop, slug) = (StoredValue::new(shop), StoredValue::new(article));
    let again = move || {
        payment.set(Payment::Open);
        asked.again();
    };
    child(move || {
        let outcome = if ended.get() { payment.get_untracked() } else { Payment::Open };
        match (outcome, asked.load()) {
            (Payment::Paid(receipt), _) => {
                Errand::end(&path);
                match asker::origin(&shop.get_value(), &slug.get_value()) {
                    Some(page) => {
                        let bought = Bought::Receipt(receipt);
                        view! { <Handing shop=shop.get_value() article=slug.get_value() bought=bought page=page/> }
                    }
                    None => view! { <Opening shop=shop.get_value() receipt=*receipt/> },
                }
            }
            (Payment::Budget(budget), _) => {
                Errand::end(&path);
                let page = asker::origin(&shop.get_value(), &slug.get_value()).unwrap_or_default();
                let bought = Bought::Budget(budget);
                view! { <Handing shop=shop.get_value() article=slug.get_value() bought=bought page=page/> }
            }
            (Payment::Failed(error), _) | (_, Load::Failed(error)) => view! {
                <div class="stack page--narrow">
                    <Heading text=texts().approve.title/>
                    <Trouble error=error again=again during=While::Paying/>
                    <Back shop=shop.get_value() slug=slug.get_value() article=None/>
                </div>
            },
            (_, Load::Loading) => view! { <Skeleton/> },
            (_, Load::Ready(asked)) => {
                let asked = Asked { allowed: asked.allowed && !asks.get(), ..asked };
                view! { <Decision asked=asked running=running payment=payment asks=asks path=path.clone()/> }
            }
        }
    })
}

#[component]
fn Decision(
    asked: Asked,
    running: Memo<bool>,
    payment: RwSignal<Payment>,
    asks: RwSignal<bool>,
    path: String,
) -> impl IntoView {
    let texts = &texts().approve;
    let Asked { shop, article, bought, allowed } = asked;
    let origin = shop.shop.origin.clone();
    let class = "button button--primary button--large";
    let (title, words, open) = if let Some(bought) = bought {
        let receipt = bought.receipt;
        let open = match asker::origin(&origin, &article.slug) {
            Some(_) => child(view! {
                <button type="button" class=class on:click=move |_| payment.set(Payment::Paid(Box::new(receipt.clone())))>
                    {texts.open}
                </button>
            }),
            None => child(view! { <OpenForm shop=origin receipt=receipt label=texts.open class=class/> }),
        };
        (texts.owned_title, texts.owned, open)
    } else if !shop.accepted {
        return view! { <Refusal title=texts.foreign_title text=texts.foreign/> };
    } else if article.price.is_zero() {
        let open = browser::address_at(&origin, &article.url).map(|url| {
            view! {
                <a class=class href=url rel="external">
                    {texts.open}
                </a>
            }
        });
        (texts.free_title, texts.free, child(open))
    } else if allowed && !document().hidden() {
        return view! { <Unasked article=article payment=payment asks=asks/> };
    } else {
        return view! { <Price article=article shop=shop running=running payment=payment path=path/> };
    };
    view! {
        <div class="approve page--narrow">
            <Heading text=title/>
            <p>{words}</p>
            <About article=article shop=shop/>
            {open}
        </div>
    }
}

/// The page need not ask: it is paid at once, while this window is looked at.
#[component]
fn Unasked(article: ArticleCard, payment: RwSignal<Payment>, asks: RwSignal<bool>) -> impl IntoView {
    let texts = &texts().approve;
    let state = WalletState::current();
    let origin = article.shop.origin.clone();
    let words = texts.unasked.with(&[&article.title, &money::said(article.price)]);
    if let Some((wallet, page)) = state.wallet().zip(asker::origin(&origin, &article.slug)) {
        begin(
            payment,
            Box::pin(async move {
                match wallet.pay_allowed(&origin, &page, &article.slug).await {
                    Ok(paid) => Ok(Payment::Paid(Box::new(paid.article.receipt))),
                    // There is no more for today, or not enough in the purse: it is asked as ever.
                    Err(error) if error.money == Money::Untouched => {
                        asks.set(true);
                        Ok(Payment::Open)
                    }
                    Err(error) => Err(error),
                }
            }),
        );
    }
    view! {
        <div class="approve page--narrow">
            <Heading text=texts.title/>
            <p role="status">{words}</p>
        </div>
    }
}

/// What it costs, and the button; or how much is missing.
#[component]
fn Price(
    article: ArticleCard,
    shop: ShopInfo,
    running: Memo<bool>,
    payment: RwSignal<Payment>,
    path: String,
) -> impl IntoView {
    let texts = &texts().approve;
    let state = WalletState::current();
    let price = article.price;
    let least = choice::part(&article).filter(|unit| price.covers(*unit)).unwrap_or(price);
    let by_part = state.balance_now().and_then(|balance| choice::budget(&shop, &article, balance));
    let by_part = by_part.filter(|_| choice::part(&article).is_some());
    // While it is being paid the balance falls, and the page stays as it was approved.
    let covered = Memo::new(move |_| {
        running.get() || state.balance().is_some_and(|balance| balance.amount.covers(least))
    });
    let about = StoredValue::new((article, shop, path));
    let chosen = RwSignal::new(by_part.map_or(Approved::Article(price), Approved::Budget));
    child(move || {
        let (article, shop, path) = about.get_value();
        if !covered.get() {
            return view! { <Short article=article path=path/> };
        }
        let (origin, slug) = (article.shop.origin.clone(), article.slug.clone());
        asker::tell(&origin, &slug, "open");
        let pay = Callback::new(move |()| {
            pay(state, origin.clone(), slug.clone(), chosen.get_untracked(), payment)
        });
        let balance = state.balance_now();
        let budget = balance.and_then(|balance| choice::budget(&shop, &article, balance));
        let page = asker::origin(&article.shop.origin, &article.slug);
        view! {
            <div class="approve page--narrow">
                <Heading text=texts.title/>
                <p class="soft">{texts.lead.with(&[&shop.shop.name])}</p>
                <About article=article.clone() shop=shop/>
                {page.map(|_| view! { <Choice chosen=chosen article=about.get_value().0 balance=balance budget=budget/> })}
                // Another choice is another button, which arms itself anew.
                {child(move || {
                    let approved = chosen.get();
                    view! {
                        <div class="stack">
                            <Sums price=approved.sum()/>
                            <PayButton approved=approved busy=running pay=pay/>
                        </div>
                    }
                })}
                <Back shop=article.shop.origin slug=article.slug article=Some(article.url)/>
            </div>
        }
    })
}

fn pay(state: WalletState, shop: String, article: String, approved: Approved, payment: RwSignal<Payment>) {
    let Some(wallet) = state.wallet() else { return };
    begin(
        payment,
        Box::pin(async move {
            let page = asker::origin(&shop, &article).unwrap_or_default();
            if let Approved::Budget(sum) = approved {
                return Ok(Payment::Budget(wallet.buy_budget(&shop, &page, sum).await?));
            }
            let paid = wallet.pay(&shop, &article, approved.sum()).await?;
            if let Approved::Daily(_, sum) = approved {
                // The article is paid all the same; the page asks again then.
                let _ = wallet.allow(&shop, &page, sum).await;
            }
            Ok(Payment::Paid(Box::new(paid.article.receipt)))
        }),
    );
}

/// Pays once, however often it is called.
fn begin(payment: RwSignal<Payment>, paying: Pin<Box<dyn Future<Output = Result<Payment, WalletError>>>>) {
    if matches!(payment.get_untracked(), Payment::Open) {
        payment.set(Payment::Running);
        spawn_local(async move { payment.set(paying.await.unwrap_or_else(Payment::Failed)) });
    }
}

/// Who asks, and for what.
#[component]
fn About(article: ArticleCard, shop: ShopInfo) -> impl IntoView {
    let page = asker::origin(&shop.shop.origin, &article.slug);
    let authors = (!article.authors.is_empty()).then(|| texts().read.by.with(&[&article.authors.join(", ")]));
    view! {
        <article class="card">
            <p class="card__over">
                <strong>{shop.shop.name}</strong>
                <span class="origin">{shop.shop.origin}</span>
            </p>
            {page.map(|page| view! { <p class="soft small">{texts().approve.asked_on.with(&[&page])}</p> })}
            <h2 class="card__title">{article.title}</h2>
            {authors.map(|authors| view! { <p class="soft small">{authors}</p> })}
            <p class="approve__teaser clamp">{article.teaser}</p>
        </article>
    }
}

#[component]
fn Sums(price: Amount) -> impl IntoView {
    let texts = &texts().approve;
    // As it stands when the reader decides.
    let balance = WalletState::current().balance_now();
    let after = balance.and_then(|balance| balance.checked_sub(price).ok());
    let row = |class, name, amount: Option<Amount>| {
        amount.map(|amount| {
            view! {
                <div class=class>
                    <dt>{name}</dt>
                    <dd>
                        <Sum amount=amount beside=balance/>
                    </dd>
                </div>
            }
        })
    };
    view! {
        <dl class="sums">
            {row("sums__row", texts.before, balance)} {row("sums__row", texts.price, Some(price))}
            {row("sums__row sums__row--total", texts.after, after)}
        </dl>
    }
}

/// Back to the page that led here: as easy as paying.
#[component]
fn Back(shop: String, slug: String, article: Option<String>) -> impl IntoView {
    if asker::origin(&shop, &slug).is_some() {
        let cancel = move |_| {
            asker::tell(&shop, &slug, "cancelled");
            asker::leave(&shop, &slug);
        };
        return child(view! {
            <button type="button" class="button button--full" on:click=cancel>
                {texts().approve.cancel}
            </button>
        });
    }
    let address = article.and_then(|url| browser::address_at(&shop, &url)).unwrap_or(shop);
    child(view! {
        <a class="button button--full" href=address rel="external">
            {texts().approve.cancel}
        </a>
    })
}

/// The balance does not cover it: earn the rest, and come back.
#[component]
fn Short(article: ArticleCard, path: String) -> impl IntoView {
    let texts = &texts().approve;
    let balance = WalletState::current().balance_now();
    let missing =
        balance.and_then(|balance| article.price.checked_sub(balance).ok()).unwrap_or(article.price);
    asker::tell(&article.shop.origin, &article.slug, "short");
    Errand { path, title: article.title.clone(), price: article.price }.begin();
    view! {
        <div class="approve page--narrow">
            <Heading text=texts.short_title.with(&[&money::said(missing)])/>
            <p>{texts.short}</p>
            <div class="card">
                <h2 class="card__title">{article.title.clone()}</h2>
                <p class="card__foot">
                    <span class="soft">{article.shop.name.clone()}</span>
                    <span class="price">
                        <Sum amount=article.price/>
                    </span>
                </p>
            </div>
            <A href="/earn" class="button button--primary button--large">
                {texts.earn}
            </A>
            <Back
                shop=article.shop.origin.clone()
                slug=article.slug.clone()
                article=Some(article.url.clone())
            />
        </div>
    }
}

/// Paid: the shop opens the article in exchange for the receipt.
#[component]
fn Opening(shop: String, receipt: Receipt) -> impl IntoView {
    let texts = &texts().approve;
    view! {
        <div class="approve page--narrow">
            <Heading text=texts.paid/>
            <p role="status">{texts.opening}</p>
            <OpenForm
                shop=shop
                receipt=receipt
                label=texts.open
                class="button button--primary button--large"
                at_once=true
            />
        </div>
    }
}

/// Paid: the page that asked gets what was bought, and opens the article itself.
#[component]
fn Handing(shop: String, article: String, bought: Bought, page: String) -> impl IntoView {
    let texts = &texts().approve;
    let (at, slug) = (shop.clone(), article.clone());
    spawn_local(async move {
        asker::hand(&at, &slug, &bought).await;
        asker::leave(&at, &slug);
    });
    view! {
        <div class="approve page--narrow">
            <Heading text=texts.paid/>
            <p role="status">{texts.handing.with(&[&page])}</p>
            <button
                type="button"
                class="button button--primary button--large"
                on:click=move |_| asker::leave(&shop, &article)
            >
                {texts.leave}
            </button>
        </div>
    }
}

#[component]
fn Refusal(title: &'static str, text: &'static str) -> impl IntoView {
    view! {
        <div class="stack page--narrow">
            <Heading text=title/>
            <p>{text}</p>
            <A href="/" class="button">
                {texts().trouble.to_home}
            </A>
        </div>
    }
}
