//! A session: this wallet, held by one writer, with its records fresh and its secret at hand.

use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::LocalBoxFuture;
use tuppence_protocol::recovery::words::Mnemonic;
use tuppence_protocol::scrip::Scrip;
use tuppence_protocol::scrip::buyer::Purse;
use tuppence_protocol::{Amount, Duration, Secret, Timestamp, TranId};

use crate::client::Peer;
use crate::error::{Problem, WalletError};
use crate::kit::{self, Task};
use crate::operation::{Errand, Operation, Stage};
use crate::ports::{Changes, LockGuard, Ports, Scan, Storage, StorageError};
use crate::record::{self, CenterRecord, Record, VERSION, WalletRecord};
use crate::view::{Change, EntryKind, ExchangeStep, HistoryEntry, ShopRef, WalletEvent};
use crate::wallet::Inner;

/// The name of the lock that every writer holds.
const LOCK: &str = "tuppence-wallet";
/// How long a writer waits for another tab.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for the other writers of this wallet.
pub(crate) fn hold(inner: &Inner) -> LocalBoxFuture<'_, Result<LockGuard, WalletError>> {
    Box::pin(async move {
        let name = format!("{LOCK}:{}", inner.config.center_origin);
        Ok(inner.ports.lock.hold(&name, PATIENCE).await?)
    })
}

/// One writer at work.
pub(crate) struct Session {
    pub(crate) inner: Rc<Inner>,
    pub(crate) wallet: WalletRecord,
    pub(crate) custom_secret: Secret,
    /// Is told the TranID when an M4 or S4 is about to go.
    pub(crate) begun: Option<oneshot::Sender<TranId>>,
    /// Absent in the kit, which works under the lock of whoever asks it.
    _guard: Option<LockGuard>,
}

/// A history entry before it has its number and balance.
pub(crate) struct NewEntry {
    pub(crate) kind: EntryKind,
    pub(crate) change: Change,
    pub(crate) shop: Option<ShopRef>,
    pub(crate) title: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) tran_id: Option<String>,
    pub(crate) receipt: Option<tuppence_protocol::scrip::receipt::Receipt>,
    pub(crate) note: Option<String>,
    /// When it was completed; now, where nothing else is known.
    pub(crate) at: Option<Timestamp>,
    /// The balance afterwards; the wallet's, where nothing else is known.
    pub(crate) balance_after: Option<Amount>,
}

impl NewEntry {
    /// An entry of this kind, without anything further.
    pub(crate) fn new(kind: EntryKind, change: Change) -> Self {
        NewEntry {
            kind,
            change,
            shop: None,
            title: None,
            subject: None,
            tran_id: None,
            receipt: None,
            note: None,
            at: None,
            balance_after: None,
        }
    }
}

impl Session {
    /// Waits for the other writers, and reads the wallet.
    pub(crate) fn open(inner: &Rc<Inner>) -> LocalBoxFuture<'_, Result<Session, WalletError>> {
        // Behind a pointer, as what follows: another crate's future then only holds it, instead of compiling it once more.
        Box::pin(async move {
            let guard = hold(inner).await?;
            let mut session = Session::under_lock(inner).await?;
            session._guard = Some(guard);
            Ok(session)
        })
    }

    /// Reads the wallet, for whom the caller holds the lock.
    pub(crate) async fn under_lock(inner: &Rc<Inner>) -> Result<Session, WalletError> {
        let wallet = read_wallet(inner).await?;
        let custom_secret = unwrap(&inner.ports, wallet.custom_secret.as_slice()).await?;
        Ok(Session { inner: inner.clone(), wallet, custom_secret, begun: None, _guard: None })
    }

    /// Lets the kit work under this session's lock, and reads what it has written.
    pub(crate) fn ask_kit(&mut self, task: Task) -> LocalBoxFuture<'_, Result<Vec<String>, WalletError>> {
        Box::pin(async move {
            let asked = kit::ask(&self.inner, task, kit::unheard()).await;
            self.wallet = read_wallet(&self.inner).await?;
            asked
        })
    }

    pub(crate) fn ports(&self) -> &Ports {
        &self.inner.ports
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.ports.clock.now()
    }

    pub(crate) fn center(&self) -> Peer<'_> {
        Peer::Center(&self.wallet.center.origin)
    }

    pub(crate) fn purse(&self) -> Purse {
        Purse { scrip: self.wallet.scrip.clone(), custom_secret: self.custom_secret.clone() }
    }

    pub(crate) fn value(&self) -> Amount {
        self.wallet.scrip.scrip.value
    }

    /// Takes `scrip` for the live one, unless a newer one is known.
    pub(crate) fn adopt(&mut self, scrip: &Scrip) {
        if scrip.scrip.scrip_id.serial_number > self.wallet.scrip.scrip.scrip_id.serial_number {
            self.wallet.scrip = scrip.clone();
        } else {
            self.wallet.stale = true;
        }
    }

    /// Adds an entry, with the balance as it is now, and the messages behind it.
    pub(crate) fn enter(
        &mut self,
        changes: &mut Changes,
        entry: NewEntry,
        exchange: &[ExchangeStep],
    ) -> Result<HistoryEntry, WalletError> {
        self.wallet.entries = self.wallet.entries.saturating_add(1);
        let entry = HistoryEntry {
            number: self.wallet.entries,
            at: entry.at.unwrap_or(self.now()),
            kind: entry.kind,
            change: entry.change,
            balance_after: entry.balance_after.unwrap_or(self.value()),
            shop: entry.shop,
            title: entry.title,
            subject: entry.subject,
            tran_id: entry.tran_id,
            receipt: entry.receipt,
            note: entry.note,
        };
        changes.write(&record::numbered(entry.number), &entry)?;
        changes.write(&record::numbered(entry.number), &exchange.to_vec())?;
        Ok(entry)
    }

    /// Writes the wallet with `changes`, all or nothing, and tells everybody of the new `entries`.
    pub(crate) async fn commit(
        &self,
        mut changes: Changes,
        entries: &[HistoryEntry],
    ) -> Result<(), WalletError> {
        changes.write("", &self.wallet)?;
        self.keep(changes).await?;
        for entry in entries {
            self.inner.tell(&WalletEvent::Entry { entry: Box::new(entry.clone()) });
        }
        if entries.is_empty() {
            self.inner.tell(&WalletEvent::Operation);
        }
        Ok(())
    }

    /// Writes the wallet alone, which nobody sees a difference by.
    pub(crate) async fn commit_quietly(&self) -> Result<(), WalletError> {
        let mut changes = Changes::default();
        changes.write("", &self.wallet)?;
        self.keep(changes).await
    }

    /// Writes, unless the browser has cleared the records away meanwhile: what would be left is half a wallet, and
    /// no restore screen.
    pub(crate) async fn keep(&self, mut changes: Changes) -> Result<(), WalletError> {
        changes.requires = Some(WalletRecord::PREFIX);
        self.ports().storage.commit(changes).await.map_err(|error| match error {
            StorageError::Gone => WalletError::from(error).with_money(crate::error::Money::Open),
            other => other.into(),
        })
    }

    /// A new operation, not yet written.
    pub(crate) fn operation(&self, errand: Errand, stage: Stage) -> Result<Operation, WalletError> {
        new_operation(self.ports(), errand, stage)
    }

    /// Writes an operation before its message is sent.
    pub(crate) async fn save(&self, operation: &Operation) -> Result<(), WalletError> {
        let mut changes = Changes::default();
        changes.write(&operation.id, operation)?;
        self.keep(changes).await?;
        self.inner.tell(&WalletEvent::Operation);
        Ok(())
    }

    /// What is under way, oldest first.
    pub(crate) async fn operations(&self) -> Result<Vec<Operation>, WalletError> {
        record::list(&*self.ports().storage, Scan::All).await
    }

    /// Brings the purse to rest before something new is begun: finishes what has moved money, and asks the
    /// center where the scrip may be an older one.
    ///
    /// # Errors
    /// What stopped it; the new thing was not begun.
    pub(crate) fn settle(&mut self) -> LocalBoxFuture<'_, Result<(), WalletError>> {
        Box::pin(async move {
            for operation in self.operations().await? {
                let id = operation.id.clone();
                if operation.moves_money()
                    && let Err(error) = self.run(operation).await
                    && self.is_open(&id).await?
                {
                    return Err(error.with_money(crate::error::Money::Untouched));
                }
            }
            if self.wallet.stale {
                self.resynchronise().await?;
            }
            Ok(())
        })
    }

    /// Whether the operation is still among the records.
    pub(crate) async fn is_open(&self, operation: &str) -> Result<bool, WalletError> {
        let found: Option<Operation> = record::read(&*self.ports().storage, operation).await?;
        Ok(found.is_some())
    }
}

async fn read_wallet(inner: &Inner) -> Result<WalletRecord, WalletError> {
    let storage = &*inner.ports.storage;
    let wallet: Option<WalletRecord> = record::read(storage, "").await?;
    let mut wallet = wallet.ok_or_else(|| missing(storage))?;
    check_version(&wallet)?;
    wallet.version = VERSION;
    Ok(wallet)
}

/// A new operation, not yet written.
pub(crate) fn new_operation(ports: &Ports, errand: Errand, stage: Stage) -> Result<Operation, WalletError> {
    let started = ports.clock.now();
    let mut random = [0; 6];
    ports.random.fill(&mut random)?;
    let id = format!("{:016}-{}", started.as_millis(), tuppence_protocol::bytes::encode(&random));
    Ok(Operation { id, started, errand, stage, exchange: Vec::new(), rounds: 0, problem: None })
}

/// Why there is no wallet here.
pub(crate) fn missing(storage: &dyn Storage) -> WalletError {
    if storage.is_marked() { Problem::WalletLost.into() } else { Problem::NoWallet.into() }
}

/// Refuses records that a newer program has written.
pub(crate) fn check_version(wallet: &WalletRecord) -> Result<(), WalletError> {
    if wallet.version > VERSION { Err(Problem::RecordNewer.into()) } else { Ok(()) }
}

/// Gives back a wrapped secret.
pub(crate) async fn unwrap(ports: &Ports, wrapped: &[u8]) -> Result<Secret, WalletError> {
    let bytes = ports.vault.unwrap(wrapped).await?;
    let bytes = bytes.as_slice().try_into().map_err(|_| Problem::VaultLost)?;
    Ok(Secret::from_bytes(bytes))
}

/// Wraps a secret for the records.
pub(crate) async fn wrap(ports: &Ports, secret: &Secret) -> Result<record::Wrapped, WalletError> {
    let wrapped = ports.vault.wrap(secret.expose()).await?;
    Ok(wrapped.try_into().map_err(|_| Problem::Unsupported)?)
}

/// Wraps recovery words for the records.
pub(crate) async fn wrap_words(ports: &Ports, words: &Mnemonic) -> Result<record::Wrapped, WalletError> {
    let wrapped = ports.vault.wrap(words.entropy()).await?;
    Ok(wrapped.try_into().map_err(|_| Problem::Unsupported)?)
}

/// Gives back wrapped recovery words.
pub(crate) async fn unwrap_words(ports: &Ports, wrapped: &[u8]) -> Result<Mnemonic, WalletError> {
    let bytes = ports.vault.unwrap(wrapped).await?;
    let bytes = bytes.as_slice().try_into().map_err(|_| Problem::VaultLost)?;
    Ok(Mnemonic::from_entropy(bytes))
}

/// The center's record, where there is a wallet.
pub(crate) async fn known_center(inner: &Inner) -> Result<Option<CenterRecord>, WalletError> {
    let wallet: Option<WalletRecord> = record::read(&*inner.ports.storage, "").await?;
    Ok(wallet.map(|wallet| wallet.center))
}
