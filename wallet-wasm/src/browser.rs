//! The wallet in a browser.

use std::rc::Rc;

use tuppence_protocol::Duration;
use wasm_bindgen::JsValue;

use crate::error::{Problem, WalletError};
use crate::origin::Origin;
use crate::ports::browser::{Channel, CryptoVault, Fetch, IndexedDb, SystemClock, SystemRandom, WebLocks};
use crate::ports::{Clock, Ports};
use crate::wallet::{Config, Wallet, WeakWallet};

/// When an open operation is first tried again while the page is open; then after twice as long, and so on.
const RESUME_AFTER: Duration = Duration::from_secs(10);
/// The longest pause between two tries.
const RESUME_AFTER_MAX: Duration = Duration::from_minutes(5);

/// Opens this browser's wallet of the center at `center_origin`, or of this page's own origin. While it is
/// open, what is under way is finished as soon as the center answers.
///
/// # Errors
/// `storage_unavailable`, `unsupported`: the wallet never goes on in memory instead.
pub async fn open(center_origin: Option<&str>) -> Result<Wallet, WalletError> {
    let center_origin: Origin = match center_origin {
        Some(origin) => origin.parse()?,
        None => own_origin().ok_or(Problem::Unsupported)?.parse()?,
    };
    open_with(Config { center_origin, fingerprint: None }).await
}

/// Opens this browser's wallet of a center, with a pinned fingerprint where the page brings one.
///
/// # Errors
/// As [`open`].
pub async fn open_with(config: Config) -> Result<Wallet, WalletError> {
    let name = format!("tuppence:{}", config.center_origin);
    let database = IndexedDb::open(&name).await?;
    let ports = Ports {
        storage: Rc::new(database.clone()),
        transport: Rc::new(Fetch),
        clock: Rc::new(SystemClock),
        random: Rc::new(SystemRandom),
        lock: Rc::new(WebLocks),
        events: Rc::new(Channel::new(&name)?),
        vault: Rc::new(CryptoVault::new(database)),
    };
    let wallet = Wallet::open(ports, config).await?;
    wasm_bindgen_futures::spawn_local(keep_finishing(wallet.downgrade()));
    Ok(wallet)
}

/// Finishes what is open now and then, for as long as the wallet is used.
async fn keep_finishing(wallet: WeakWallet) {
    let mut pause = RESUME_AFTER;
    let mut open = Vec::new();
    loop {
        SystemClock.sleep(pause).await;
        let Some(wallet) = wallet.upgrade() else { return };
        // What stays open says why in its own record.
        let still: Vec<String> =
            wallet.resume().await.unwrap_or_default().into_iter().map(|operation| operation.id).collect();
        let news = still != open;
        let twice = Duration::from_millis(pause.as_millis().saturating_mul(2));
        pause = if news || still.is_empty() { RESUME_AFTER } else { twice.min(RESUME_AFTER_MAX) };
        open = still;
    }
}

fn own_origin() -> Option<String> {
    let location = js_sys::Reflect::get(&js_sys::global(), &JsValue::from_str("location")).ok()?;
    js_sys::Reflect::get(&location, &JsValue::from_str("origin")).ok()?.as_string()
}
