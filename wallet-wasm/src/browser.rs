//! The wallet in a browser.

use std::rc::Rc;

use tuppence_protocol::Duration;
use wasm_bindgen::JsValue;

use crate::error::{Problem, WalletError};
use crate::kit::Kit;
use crate::origin::Origin;
use crate::ports::browser::{Channel, CryptoVault, Fetch, IndexedDb, SystemClock, SystemRandom, WebLocks};
use crate::ports::{Clock, Ports};
use crate::wallet::{Config, Wallet, WeakWallet};

/// When an open operation is first tried again while the page is open; then after twice as long, and so on.
const RESUME_AFTER: Duration = Duration::from_secs(10);
/// The longest pause between two tries.
const RESUME_AFTER_MAX: Duration = Duration::from_minutes(5);
/// How often the center's books are followed while the page is seen: what other devices with the same words have
/// done.
const SYNC_AFTER: Duration = Duration::from_minutes(1);

/// Opens this browser's wallet of the center at `center_origin`, or of this page's own origin. While it is
/// open, what is under way is finished as soon as the center answers.
///
/// # Errors
/// `storage_unavailable`, `unsupported`: the wallet never goes on in memory instead.
pub async fn open(center_origin: Option<&str>, kit: Rc<dyn Kit>) -> Result<Wallet, WalletError> {
    let center_origin: Origin = match center_origin {
        Some(origin) => origin.parse()?,
        None => own_origin().ok_or(Problem::Unsupported)?.parse()?,
    };
    open_with(Config { center_origin, fingerprint: None }, kit).await
}

/// Opens this browser's wallet of a center, with a pinned fingerprint where the page brings one.
///
/// # Errors
/// As [`open`].
pub async fn open_with(config: Config, kit: Rc<dyn Kit>) -> Result<Wallet, WalletError> {
    let database = database(&config).await?;
    let wallet = Wallet::open(ports(database, &config, kit)?, config).await?;
    wasm_bindgen_futures::spawn_local(keep_finishing(wallet.downgrade()));
    Ok(wallet)
}

/// The records of this browser's wallet of a center.
pub(crate) async fn database(config: &Config) -> Result<IndexedDb, WalletError> {
    Ok(IndexedDb::open(&name(config)).await?)
}

/// All ports of this browser.
pub(crate) fn ports(database: IndexedDb, config: &Config, kit: Rc<dyn Kit>) -> Result<Ports, WalletError> {
    Ok(Ports {
        storage: Rc::new(database.clone()),
        transport: Rc::new(Fetch),
        clock: Rc::new(SystemClock),
        random: Rc::new(SystemRandom),
        lock: Rc::new(WebLocks),
        events: Rc::new(Channel::new(&name(config))?),
        vault: Rc::new(CryptoVault::new(database)),
        kit,
    })
}

fn name(config: &Config) -> String {
    format!("tuppence:{}", config.center_origin)
}

/// Finishes what is open now and then, for as long as the wallet is used.
async fn keep_finishing(wallet: WeakWallet) {
    let mut pause = RESUME_AFTER;
    let mut open = Vec::new();
    let mut followed = SystemClock.now();
    loop {
        SystemClock.sleep(pause).await;
        let Some(wallet) = wallet.upgrade() else { return };
        if SystemClock.now().since(followed) >= SYNC_AFTER && is_seen() {
            followed = SystemClock.now();
            // Offline, or without a wallet: the next minute comes.
            let _ = wallet.sync().await;
        }
        // What stays open says why in its own record.
        let still: Vec<String> =
            wallet.resume().await.unwrap_or_default().into_iter().map(|operation| operation.id).collect();
        let news = still != open;
        let twice = Duration::from_millis(pause.as_millis().saturating_mul(2));
        pause = if news || still.is_empty() { RESUME_AFTER } else { twice.min(RESUME_AFTER_MAX) };
        open = still;
    }
}

/// Whether somebody looks at this page; where that is unknown, yes.
fn is_seen() -> bool {
    let document = js_sys::Reflect::get(&js_sys::global(), &JsValue::from_str("document")).ok();
    let state = document
        .and_then(|document| js_sys::Reflect::get(&document, &JsValue::from_str("visibilityState")).ok());
    state.and_then(|state| state.as_string()).as_deref() != Some("hidden")
}

fn own_origin() -> Option<String> {
    let location = js_sys::Reflect::get(&js_sys::global(), &JsValue::from_str("location")).ok()?;
    js_sys::Reflect::get(&location, &JsValue::from_str("origin")).ok()?.as_string()
}
