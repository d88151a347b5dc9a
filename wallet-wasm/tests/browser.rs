//! The browser's ports and the JavaScript API, in a real browser.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::future::join;
use js_sys::{Array, Function, Object, Promise, Reflect};
use tuppence_protocol::Duration;
use tuppence_wallet::kit::Included;
use tuppence_wallet::ports::browser::{Channel, CryptoVault, Fetch, IndexedDb, SystemClock, WebLocks};
use tuppence_wallet::ports::{
    Changes, Clock, Events, Lock, LockError, NetworkError, Request, Scan, Storage, Transport, Vault,
    VaultError,
};
use tuppence_wallet::view::WalletEvent;
use tuppence_wallet::{Problem, browser};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const MOMENT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(20);

/// A name that no other test uses.
fn fresh(name: &str) -> String {
    let mut random = [0; 8];
    getrandom::fill(&mut random).unwrap();
    format!("{name}-{}", tuppence_protocol::bytes::encode(&random))
}

fn put(changes: &[(&str, &str)]) -> Changes {
    let mut all = Changes::default();
    for (key, record) in changes {
        all.put(*key, record.as_bytes().to_vec());
    }
    all
}

fn texts(records: Vec<(String, Vec<u8>)>) -> Vec<String> {
    records.into_iter().map(|(key, record)| format!("{key}={}", String::from_utf8(record).unwrap())).collect()
}

#[wasm_bindgen_test]
async fn records_are_written_listed_and_removed_together() {
    let database = IndexedDb::open(&fresh("records")).await.unwrap();
    database
        .commit(put(&[("a/1", "x"), ("a/2", "y"), ("a/3", "z"), ("ab", "other"), ("b/1", "w")]))
        .await
        .unwrap();
    assert_eq!(texts(database.list("a/", Scan::All).await.unwrap()), ["a/1=x", "a/2=y", "a/3=z"]);
    assert_eq!(database.list("", Scan::All).await.unwrap().len(), 5);
    let latest = Scan::Latest { before: None, limit: 2 };
    assert_eq!(texts(database.list("a/", latest).await.unwrap()), ["a/3=z", "a/2=y"]);
    let latest = Scan::Latest { before: Some("a/3".into()), limit: 9 };
    assert_eq!(texts(database.list("a/", latest).await.unwrap()), ["a/2=y", "a/1=x"]);
    let none = Scan::Latest { before: Some("a/1".into()), limit: 9 };
    assert!(database.list("a/", none).await.unwrap().is_empty());

    let mut changes = put(&[("a/1", "new")]);
    changes.remove("a/2");
    changes.remove("never there");
    changes.put("a/3", b"first".to_vec());
    changes.put("a/3", b"last".to_vec());
    database.commit(changes).await.unwrap();
    assert_eq!(texts(database.list("a/", Scan::All).await.unwrap()), ["a/1=new", "a/3=last"]);
    assert_eq!(database.read("a/2").await.unwrap(), None);
}

#[wasm_bindgen_test]
async fn records_survive_closing_and_are_seen_by_other_tabs() {
    let name = fresh("records");
    let database = IndexedDb::open(&name).await.unwrap();
    database.commit(put(&[("key", "kept")])).await.unwrap();
    let other = IndexedDb::open(&name).await.unwrap();
    assert_eq!(other.read("key").await.unwrap().unwrap(), b"kept");
    database.close();
    assert_eq!(database.read("key").await.unwrap().unwrap(), b"kept", "it is opened again when it is used");
    let empty = IndexedDb::open(&fresh("records")).await.unwrap();
    assert_eq!(empty.read("key").await.unwrap(), None);
}

#[wasm_bindgen_test]
async fn a_secret_is_given_back_here_and_nowhere_else() {
    let name = fresh("vault");
    let vault = CryptoVault::new(IndexedDb::open(&name).await.unwrap());
    let wrapped = vault.wrap(b"a secret of some length").await.unwrap();
    assert!(!wrapped.windows(6).any(|bytes| bytes == b"secret"));
    assert_ne!(vault.wrap(b"a secret of some length").await.unwrap(), wrapped, "each time otherwise");

    // The next start of the browser: another connection to the same database.
    let again = CryptoVault::new(IndexedDb::open(&name).await.unwrap());
    assert_eq!(again.unwrap(&wrapped).await.unwrap().as_slice(), b"a secret of some length");

    let elsewhere = CryptoVault::new(IndexedDb::open(&fresh("vault")).await.unwrap());
    assert_eq!(elsewhere.unwrap(&wrapped).await.unwrap_err(), VaultError::Lost);
    elsewhere.wrap(b"makes a key").await.unwrap();
    assert_eq!(elsewhere.unwrap(&wrapped).await.unwrap_err(), VaultError::Lost);
    for position in [0, wrapped.len() - 1] {
        let mut altered = wrapped.clone();
        altered[position] ^= 1;
        assert_eq!(vault.unwrap(&altered).await.unwrap_err(), VaultError::Lost);
    }
    assert_eq!(vault.unwrap(&[]).await.unwrap_err(), VaultError::Lost);
}

#[wasm_bindgen_test]
async fn two_tabs_that_make_a_vault_at_once_share_one_key() {
    let name = fresh("vault");
    let first = CryptoVault::new(IndexedDb::open(&name).await.unwrap());
    let second = CryptoVault::new(IndexedDb::open(&name).await.unwrap());
    let (a, b) = join(first.wrap(b"a"), second.wrap(b"b")).await;
    assert_eq!(second.unwrap(&a.unwrap()).await.unwrap().as_slice(), b"a");
    assert_eq!(first.unwrap(&b.unwrap()).await.unwrap().as_slice(), b"b");
}

#[wasm_bindgen_test]
async fn a_lock_is_held_by_one_and_given_on() {
    let name = fresh("lock");
    let guard = WebLocks.hold(&name, LONG).await.unwrap();
    assert_eq!(WebLocks.hold(&name, MOMENT).await.unwrap_err(), LockError::Busy);

    let order = RefCell::new(Vec::new());
    let waiting = async {
        let _guard = WebLocks.hold(&name, LONG).await.unwrap();
        order.borrow_mut().push("second");
    };
    let holding = async {
        order.borrow_mut().push("first");
        drop(guard);
    };
    join(waiting, holding).await;
    assert_eq!(*order.borrow(), ["first", "second"]);
    // Whoever gave up waiting does not stand in the way.
    drop(WebLocks.hold(&name, LONG).await.unwrap());
}

#[wasm_bindgen_test]
async fn news_reach_the_other_tabs_until_they_stop_listening() {
    let name = fresh("news");
    let (here, there) = (Channel::new(&name).unwrap(), Channel::new(&name).unwrap());
    let heard = Rc::new(RefCell::new(Vec::new()));
    let listen = |channel: &Channel, who: &'static str| {
        let heard = heard.clone();
        channel.listen(Box::new(move |event| {
            heard.borrow_mut().push((who, matches!(event, WalletEvent::Wallet)))
        }))
    };
    let _own = listen(&here, "here");
    let others = listen(&there, "there");
    here.broadcast(&WalletEvent::Wallet);
    until(|| !heard.borrow().is_empty()).await;
    assert_eq!(*heard.borrow(), [("there", true)]);

    drop(others);
    here.broadcast(&WalletEvent::Wallet);
    there.broadcast(&WalletEvent::Operation);
    until(|| heard.borrow().len() > 1).await;
    assert_eq!(heard.borrow()[1..], [("here", false)]);
}

/// Waits until something holds; the test's own time limit ends it otherwise.
async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        SystemClock.sleep(Duration::from_millis(5)).await;
    }
}

fn own_origin() -> String {
    let location = Reflect::get(&js_sys::global(), &"location".into()).unwrap();
    Reflect::get(&location, &"origin".into()).unwrap().as_string().unwrap()
}

fn get(origin: &str, path: &str, timeout: Duration) -> Request {
    Request { origin: origin.into(), path: path.into(), body: None, timeout }
}

#[wasm_bindgen_test]
async fn requests_get_their_reply_or_a_reason() {
    let reply = Fetch.send(get(&own_origin(), "/", LONG)).await.unwrap();
    assert_eq!(reply.status, 200);
    assert!(!reply.body.is_empty());
    let missing = Fetch.send(get(&own_origin(), "/there/is/nothing", LONG)).await.unwrap();
    assert_eq!(missing.status, 404);
    // Nothing listens on the discard port; browsers refuse it outright.
    let refused = Fetch.send(get("http://localhost:9", "/", LONG)).await.unwrap_err();
    assert_eq!(refused, NetworkError::Unreachable);
}

#[wasm_bindgen_test]
async fn a_wallet_opens_empty_and_says_when_there_is_no_center() {
    let wallet = browser::open(None, Rc::new(Included)).await.unwrap();
    assert!(!wallet.status().await.unwrap().registered);
    let error = wallet.register(|_| ()).await.unwrap_err();
    assert!(error.is(Problem::CenterUnreachable), "{error:?}");
    drop(wallet);
    let again = browser::open(None, Rc::new(Included)).await.unwrap();
    assert!(!again.status().await.unwrap().registered);
    assert!(again.pending().await.unwrap().is_empty());
    let state = again.storage_state().await;
    // WebKitGTK has no `navigator.storage`: there the wallet says that it is not told (docs/browsers.md).
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).unwrap();
    let is_told = Reflect::has(&navigator, &"storage".into()).unwrap();
    assert_eq!((state.persisted.is_some(), state.quota_bytes.is_some()), (is_told, is_told), "{state:?}");
}

#[wasm_bindgen_test]
async fn an_origin_that_is_none_is_refused() {
    let error = browser::open(Some("not an origin"), Rc::new(Included)).await.unwrap_err();
    assert!(error.is(Problem::ArgumentInvalid));
}

/// The method of an object that JavaScript was given.
async fn call(object: &JsValue, method: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    let method: Function = Reflect::get(object, &method.into()).unwrap().dyn_into().unwrap();
    let arguments: Array = arguments.iter().collect();
    let promise: Promise = method.apply(object, &arguments).unwrap().dyn_into().unwrap();
    JsFuture::from(promise).await
}

fn text(object: &JsValue, property: &str) -> String {
    Reflect::get(object, &property.into()).unwrap().as_string().unwrap_or_default()
}

#[wasm_bindgen_test]
#[cfg(feature = "js-api")]
async fn javascript_gets_plain_objects_and_errors_with_a_code() {
    use tuppence_wallet::js_api::JsWallet;

    let wallet = JsFuture::from(JsWallet::open(JsValue::UNDEFINED)).await.unwrap();
    let status = call(&wallet, "status", &[]).await.unwrap();
    assert_eq!(Reflect::get(&status, &"registered".into()).unwrap(), JsValue::FALSE);
    assert!(Reflect::get(&status, &"center".into()).unwrap().is_null());

    let error = call(&wallet, "balance", &[]).await.unwrap_err();
    assert!(error.is_instance_of::<js_sys::Error>());
    assert_eq!((text(&error, "name"), text(&error, "code")), ("WalletError".into(), "no_wallet".into()));
    assert_eq!((text(&error, "retry"), text(&error, "money")), ("never".into(), "untouched".into()));
    assert!(!text(&error, "message").is_empty() && !text(&error, "hint").is_empty());

    let error = call(&wallet, "historyDetail", &["one".into()]).await.unwrap_err();
    assert_eq!(text(&error, "code"), "argument_invalid");
    let page = Object::new();
    Reflect::set(&page, &"limit".into(), &5.into()).unwrap();
    let history: Array = call(&wallet, "history", &[page.into()]).await.unwrap().dyn_into().unwrap();
    assert_eq!(history.length(), 0);
    let options = Object::new();
    Reflect::set(&options, &"approved".into(), &"three cents".into()).unwrap();
    let arguments = ["http://localhost:9".into(), "coins".into(), options.into()];
    let error = call(&wallet, "pay", &arguments).await.unwrap_err();
    assert_eq!(text(&error, "code"), "argument_invalid");
}

#[wasm_bindgen_test]
#[cfg(feature = "js-api")]
async fn javascript_hears_events_until_it_stops_listening() {
    use tuppence_wallet::js_api::JsWallet;

    let wallet = JsFuture::from(JsWallet::open(JsValue::UNDEFINED)).await.unwrap();
    let heard = Rc::new(RefCell::new(0));
    let count = heard.clone();
    let callback = wasm_bindgen::prelude::Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
        assert_eq!(text(&event, "type"), "wallet");
        *count.borrow_mut() += 1;
    });
    let on: Function = Reflect::get(&wallet, &"on".into()).unwrap().dyn_into().unwrap();
    let stop: Function = on.call2(&wallet, &"wallet".into(), callback.as_ref()).unwrap().dyn_into().unwrap();
    call(&wallet, "delete", &[]).await.unwrap();
    assert_eq!(*heard.borrow(), 1);
    stop.call0(&JsValue::UNDEFINED).unwrap();
    call(&wallet, "delete", &[]).await.unwrap();
    assert_eq!(*heard.borrow(), 1);
}
