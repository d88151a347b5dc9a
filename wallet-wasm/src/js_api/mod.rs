//! The JavaScript API: the class `Wallet`, and nothing else (docs/js-api.md).
//!
//! Every method returns a promise. It resolves to a plain object of `types.d.ts`, or rejects with an
//! `Error` that has a stable `code`, a `hint`, `retry`, and what happened to the `money`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect};
use serde::{Deserialize, Serialize};
use tuppence_protocol::Amount;
use tuppence_protocol::envelope::Fingerprint;
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::future_to_promise;

use crate::error::{Problem, WalletError};
use crate::kit::Included;
use crate::ports::Subscription;
use crate::ports::browser::adapter;
use crate::view::{Progress, RememberedWord, WalletEvent};
use crate::{Config, Wallet, browser};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

/// A wallet of one payment center, in this browser.
#[wasm_bindgen(js_name = Wallet)]
pub struct JsWallet {
    wallet: Wallet,
    subscriptions: Rc<RefCell<Subscriptions>>,
}

#[derive(Default)]
struct Subscriptions {
    next: u32,
    open: BTreeMap<u32, Subscription>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Options {
    center: Option<String>,
    fingerprint: Option<Fingerprint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PayUrlOptions {
    max: Amount,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HistoryPage {
    before: Option<u64>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PayOptions {
    approved: Amount,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RestoreOptions {
    #[serde(default)]
    replace: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ImportOptions {
    #[serde(default)]
    replace: bool,
}

#[wasm_bindgen(js_class = Wallet)]
impl JsWallet {
    /// Opens this browser's wallet of a center: the page's own origin, unless `center` names another.
    #[wasm_bindgen(unchecked_return_type = "Promise<Wallet>")]
    pub fn open(#[wasm_bindgen(unchecked_optional_param_type = "OpenOptions")] options: JsValue) -> Promise {
        future_to_promise(async move {
            let open = async {
                let (options, storage) = without_storage(options);
                let options: Option<Options> = argument(options)?;
                let kit = Rc::new(Included);
                if let Some(storage) = storage {
                    let Options { center, fingerprint } = options.unwrap_or_default();
                    return adapter::open(storage, center, fingerprint).await;
                }
                match options {
                    Some(Options { center: Some(center), fingerprint }) => {
                        browser::open_with(Config { center_origin: center.parse()?, fingerprint }, kit).await
                    }
                    Some(Options { center: None, fingerprint: Some(_) }) => {
                        Err(WalletError::from(Problem::ArgumentInvalid)
                            .because("A fingerprint needs its center."))
                    }
                    _ => browser::open(None, kit).await,
                }
            };
            let wallet = open.await.map_err(error)?;
            Ok(JsWallet { wallet, subscriptions: Rc::default() }.into())
        })
    }

    /// Whether there is a wallet yet, and of which center.
    #[wasm_bindgen(unchecked_return_type = "Promise<Status>")]
    pub fn status(&self) -> Promise {
        self.call(|wallet| async move { wallet.status().await })
    }

    /// Creates the wallet, if there is none yet.
    #[wasm_bindgen(unchecked_return_type = "Promise<null>")]
    pub fn register(
        &self,
        #[wasm_bindgen(js_name = onProgress, unchecked_optional_param_type = "(progress: Progress) => void")]
        on_progress: Option<Function>,
    ) -> Promise {
        self.call(
            |wallet| async move { wallet.register(|progress| tell(on_progress.as_ref(), progress)).await },
        )
    }

    /// Stops `register` while it works on the challenge: it is rejected with `stopped`, and nothing is kept.
    #[wasm_bindgen(js_name = stopRegistering, unchecked_return_type = "Promise<null>")]
    pub fn stop_registering(&self) -> Promise {
        self.call(|wallet| async move {
            wallet.stop_registering();
            Ok(())
        })
    }

    /// Balance, what is under way, and what changed it last.
    #[wasm_bindgen(unchecked_return_type = "Promise<Balance>")]
    pub fn balance(&self) -> Promise {
        self.call(|wallet| async move { wallet.balance().await })
    }

    /// A page of the history, newest first: `limit` entries (50), numbered below `before`.
    #[wasm_bindgen(unchecked_return_type = "Promise<HistoryEntry[]>")]
    pub fn history(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "HistoryPage")] page: JsValue,
    ) -> Promise {
        self.call(|wallet| async move {
            let page: HistoryPage = argument::<Option<_>>(page)?.unwrap_or_default();
            wallet.history(page.before, page.limit.unwrap_or(50)).await
        })
    }

    /// An entry with the messages that were exchanged for it.
    #[wasm_bindgen(js_name = historyDetail, unchecked_return_type = "Promise<HistoryDetail>")]
    pub fn history_detail(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] number: JsValue,
    ) -> Promise {
        self.call(|wallet| async move { wallet.history_detail(argument(number)?).await })
    }

    /// The shops of the center.
    #[wasm_bindgen(unchecked_return_type = "Promise<ShopInfo[]>")]
    pub fn shops(&self) -> Promise {
        self.call(|wallet| async move { wallet.shops().await })
    }

    /// The questions that a shop asks now.
    #[wasm_bindgen(unchecked_return_type = "Promise<CampaignCard[]>")]
    pub fn campaigns(&self, shop: String) -> Promise {
        self.call(|wallet| async move { wallet.campaigns(&shop).await })
    }

    /// One campaign with its questions.
    #[wasm_bindgen(unchecked_return_type = "Promise<CampaignDetail>")]
    pub fn campaign(&self, shop: String, item: String) -> Promise {
        self.call(|wallet| async move { wallet.campaign(&shop, &item).await })
    }

    /// Answers a campaign, with a choice's id or text for each question, and takes the reward.
    #[wasm_bindgen(unchecked_return_type = "Promise<Earned>")]
    pub fn earn(&self, shop: String, item: String, answers: Vec<String>) -> Promise {
        self.call(|wallet| async move { wallet.earn(&shop, &item, &answers).await })
    }

    /// The articles that a shop sells.
    #[wasm_bindgen(unchecked_return_type = "Promise<ArticleCard[]>")]
    pub fn articles(&self, shop: String) -> Promise {
        self.call(|wallet| async move { wallet.articles(&shop).await })
    }

    /// One article of a shop.
    #[wasm_bindgen(unchecked_return_type = "Promise<ArticleCard>")]
    pub fn article(&self, shop: String, slug: String) -> Promise {
        self.call(|wallet| async move { wallet.article(&shop, &slug).await })
    }

    /// Pays an article at no more than the approved price; never twice.
    #[wasm_bindgen(unchecked_return_type = "Promise<Paid>")]
    pub fn pay(
        &self,
        shop: String,
        slug: String,
        #[wasm_bindgen(unchecked_param_type = "PayOptions")] options: JsValue,
    ) -> Promise {
        self.call(|wallet| async move {
            let PayOptions { approved } = argument(options)?;
            wallet.pay(&shop, &slug, approved).await
        })
    }

    /// Gets what is at an address, and pays at most `max` for it if it asks for e-cash.
    #[wasm_bindgen(js_name = payUrl, unchecked_return_type = "Promise<Bought>")]
    pub fn pay_url(
        &self,
        url: String,
        #[wasm_bindgen(unchecked_param_type = "PayUrlOptions")] options: JsValue,
    ) -> Promise {
        self.call(|wallet| async move {
            let PayUrlOptions { max } = argument(options)?;
            wallet.pay_url(&url, max, |_| ()).await
        })
    }

    /// The articles that were paid, newest first.
    #[wasm_bindgen(unchecked_return_type = "Promise<LibraryEntry[]>")]
    pub fn library(&self) -> Promise {
        self.call(|wallet| async move { wallet.library().await })
    }

    /// Fetches a paid article with its receipt.
    #[wasm_bindgen(js_name = openArticle, unchecked_return_type = "Promise<ArticleText>")]
    pub fn open_article(&self, shop: String, slug: String) -> Promise {
        self.call(|wallet| async move { wallet.open_article(&shop, &slug).await })
    }

    /// What cashing out asks for.
    #[wasm_bindgen(js_name = cashOutTerms, unchecked_return_type = "Promise<CashOutTerms>")]
    pub fn cash_out_terms(&self) -> Promise {
        self.call(|wallet| async move { wallet.cash_out_terms().await })
    }

    /// Orders that `amount` be paid out, less the fee, to `destination`.
    #[wasm_bindgen(js_name = cashOut, unchecked_return_type = "Promise<CashOutOrder>")]
    pub fn cash_out(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Amount")] amount: JsValue,
        destination: String,
    ) -> Promise {
        self.call(|wallet| async move { wallet.cash_out(argument(amount)?, &destination).await })
    }

    /// The cash-out orders, newest first, as the center has them.
    #[wasm_bindgen(js_name = cashOutOrders, unchecked_return_type = "Promise<CashOutOrder[]>")]
    pub fn cash_out_orders(&self) -> Promise {
        self.call(|wallet| async move { wallet.cash_out_orders().await })
    }

    /// Finishes what was under way; gives what is still open, and why.
    #[wasm_bindgen(unchecked_return_type = "Promise<PendingOperation[]>")]
    pub fn resume(&self) -> Promise {
        self.call(|wallet| async move { wallet.resume().await })
    }

    /// Fetches the live scrip from the center.
    #[wasm_bindgen(unchecked_return_type = "Promise<Balance>")]
    pub fn resync(&self) -> Promise {
        self.call(|wallet| async move { wallet.resync().await })
    }

    /// Follows the center's books, so that devices with the same words stay in step.
    #[wasm_bindgen(unchecked_return_type = "Promise<Balance>")]
    pub fn sync(&self) -> Promise {
        self.call(|wallet| async move { wallet.sync().await })
    }

    /// Whether there are recovery words, and whether they were saved.
    #[wasm_bindgen(unchecked_return_type = "Promise<RecoveryState>")]
    pub fn recovery(&self) -> Promise {
        self.call(|wallet| async move { wallet.recovery().await })
    }

    /// The twelve recovery words, of the official English list of BIP 39.
    #[wasm_bindgen(js_name = recoveryWords, unchecked_return_type = "Promise<string[]>")]
    pub fn recovery_words(&self) -> Promise {
        self.call(|wallet| async move { wallet.recovery_words().await })
    }

    /// Notes that the words are saved, if at least three different ones are remembered rightly.
    #[wasm_bindgen(js_name = confirmWords, unchecked_return_type = "Promise<null>")]
    pub fn confirm_words(
        &self,
        #[wasm_bindgen(unchecked_param_type = "RememberedWord[]")] remembered: JsValue,
    ) -> Promise {
        self.call(|wallet| async move {
            let remembered: Vec<RememberedWord> = argument(remembered)?;
            wallet.confirm_words(&remembered).await
        })
    }

    /// Brings the wallet of twelve words back, from nothing but the center.
    #[wasm_bindgen(unchecked_return_type = "Promise<null>")]
    pub fn restore(
        &self,
        words: String,
        #[wasm_bindgen(unchecked_optional_param_type = "RestoreOptions")] options: JsValue,
        #[wasm_bindgen(js_name = onProgress, unchecked_optional_param_type = "(progress: Progress) => void")]
        on_progress: Option<Function>,
    ) -> Promise {
        self.call(|wallet| async move {
            let options: RestoreOptions = argument::<Option<_>>(options)?.unwrap_or_default();
            let heard = move |progress| tell(on_progress.as_ref(), progress);
            wallet.restore(&words, options.replace, heard).await
        })
    }

    /// Gives up a wallet that this browser has lost, so that a new one can be created.
    #[wasm_bindgen(js_name = startAnew, unchecked_return_type = "Promise<null>")]
    pub fn start_anew(&self) -> Promise {
        self.call(|wallet| async move { wallet.start_anew().await })
    }

    /// Takes an operation back, where its money allows.
    #[wasm_bindgen(unchecked_return_type = "Promise<null>")]
    pub fn cancel(&self, operation: String) -> Promise {
        self.call(|wallet| async move { wallet.cancel(&operation).await })
    }

    /// The whole wallet as text. Whoever has it has the e-cash.
    #[wasm_bindgen(js_name = export, unchecked_return_type = "Promise<string>")]
    pub fn export_copy(&self) -> Promise {
        self.call(|wallet| async move { wallet.export().await })
    }

    /// Takes an exported wallet.
    #[wasm_bindgen(js_name = import, unchecked_return_type = "Promise<null>")]
    pub fn import_copy(
        &self,
        copy: String,
        #[wasm_bindgen(unchecked_optional_param_type = "ImportOptions")] options: JsValue,
    ) -> Promise {
        self.call(|wallet| async move {
            let options: ImportOptions = argument::<Option<_>>(options)?.unwrap_or_default();
            wallet.import(&copy, options.replace).await
        })
    }

    /// Removes all records from this device.
    #[wasm_bindgen(js_name = delete, unchecked_return_type = "Promise<null>")]
    pub fn delete_records(&self) -> Promise {
        self.call(|wallet| async move { wallet.delete().await })
    }

    /// How safe the records are on this device.
    #[wasm_bindgen(js_name = storageState, unchecked_return_type = "Promise<StorageState>")]
    pub fn storage_state(&self) -> Promise {
        self.call(|wallet| async move { Ok(wallet.storage_state().await) })
    }

    /// Asks the browser to keep the records; tells whether it will.
    #[wasm_bindgen(js_name = requestPersistence, unchecked_return_type = "Promise<boolean>")]
    pub fn request_persistence(&self) -> Promise {
        self.call(|wallet| async move { Ok(wallet.request_persistence().await) })
    }

    /// Calls back on every event of this type, also from other tabs. Gives a function that ends it.
    #[wasm_bindgen(skip_typescript)]
    pub fn on(&self, event: String, callback: Function) -> JsValue {
        let heard = move |happened: WalletEvent| {
            let Ok(happened) = value(&happened) else { return };
            let kind = Reflect::get(&happened, &JsValue::from_str("type")).ok();
            if kind.and_then(|kind| kind.as_string()).as_deref() == Some(event.as_str()) {
                // A listener that throws does not stop the wallet.
                let _ = callback.call1(&JsValue::UNDEFINED, &happened);
            }
        };
        let subscription = self.wallet.subscribe(heard);
        let mut subscriptions = self.subscriptions.borrow_mut();
        let number = subscriptions.next;
        subscriptions.next = number.wrapping_add(1);
        subscriptions.open.insert(number, subscription);
        let all = self.subscriptions.clone();
        Closure::once_into_js(move || {
            // Ended outside of the borrow: it may call back.
            let ended = all.borrow_mut().open.remove(&number);
            drop(ended);
        })
    }

    fn call<T, F>(&self, act: impl FnOnce(Wallet) -> F) -> Promise
    where
        T: Serialize,
        F: Future<Output = Result<T, WalletError>> + 'static,
    {
        let result = act(self.wallet.clone());
        future_to_promise(async move { result.await.and_then(|result| value(&result)).map_err(error) })
    }
}

/// Tells how far something is. A callback that throws does not stop it.
fn tell(callback: Option<&Function>, progress: Progress) {
    if let (Some(callback), Ok(progress)) = (callback, value(&progress)) {
        let _ = callback.call1(&JsValue::UNDEFINED, &progress);
    }
}

/// The options without the storage, which is no plain value; and the storage.
fn without_storage(options: JsValue) -> (JsValue, Option<JsValue>) {
    if !options.is_object() {
        return (options, None);
    }
    let storage = Reflect::get(&options, &JsValue::from_str("storage")).unwrap_or_default();
    let plain = Object::assign(&Object::new(), options.unchecked_ref());
    let _ = Reflect::delete_property(&plain, &JsValue::from_str("storage"));
    let storage = (!storage.is_undefined() && !storage.is_null()).then_some(storage);
    (plain.into(), storage)
}

/// A value as JavaScript has it: plain objects, `null` for what is absent.
fn value<T: Serialize + ?Sized>(value: &T) -> Result<JsValue, WalletError> {
    value
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .map_err(|error| WalletError::from(Problem::RecordDamaged).because(format!("{error}.")))
}

/// An argument as its type.
fn argument<T: for<'de> Deserialize<'de>>(argument: JsValue) -> Result<T, WalletError> {
    serde_wasm_bindgen::from_value(argument)
        .map_err(|error| WalletError::from(Problem::ArgumentInvalid).because(format!("{error}.")))
}

/// An `Error` with what its reader needs to know.
fn error(error: WalletError) -> JsValue {
    let thrown: JsValue = js_sys::Error::new(&error.message).unchecked_into();
    let set = |name: &str, value: &JsValue| {
        // An Error takes further properties.
        let _ = Reflect::set(&thrown, &JsValue::from_str(name), value);
    };
    set("name", &JsValue::from_str("WalletError"));
    if let Ok(properties) = value(&error) {
        for name in ["code", "hint", "retry", "money", "document"] {
            if let Ok(property) = Reflect::get(&properties, &JsValue::from_str(name)) {
                set(name, &property);
            }
        }
    }
    thrown
}
