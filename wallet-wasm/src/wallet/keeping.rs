//! Keeping the wallet: its words, copies of it, other devices, and its end (docs/decisions/0007).

use std::rc::Rc;

use futures_util::future::{LocalBoxFuture, ready, select};
use tuppence_protocol::recovery::words::WORDS;

use crate::error::{Problem, WalletError};
use crate::kit::{self, Heard, Task};
use crate::operation::session::{Session, hold, missing};
use crate::ports::{Changes, Scan};
use crate::record::{self, WalletRecord};
use crate::view::{Progress, RecoveryState, RememberedWord, WalletEvent};
use crate::wallet::Inner;

/// So many words are asked back.
const ASKED: usize = 3;

/// Whether there are words, and whether they were saved.
pub(crate) async fn state(inner: &Inner) -> Result<RecoveryState, WalletError> {
    let wallet = inner.existing().await?;
    Ok(RecoveryState { available: wallet.words.is_some(), saved: wallet.words_saved })
}

/// The twelve words.
pub(crate) async fn words(inner: &Rc<Inner>) -> Result<Vec<String>, WalletError> {
    inner.existing().await?;
    kit::ask(inner, Task::Words, kit::unheard()).await
}

/// Numbers of words, by chance.
pub(crate) fn to_ask(inner: &Inner) -> Result<Vec<usize>, WalletError> {
    let mut left: Vec<usize> = (1..=WORDS).collect();
    let mut random = [0; WORDS];
    inner.ports.random.fill(&mut random)?;
    for byte in random {
        if left.len() > ASKED {
            left.remove(usize::from(byte) % left.len());
        }
    }
    Ok(left)
}

/// Notes that the words are saved, if those that were asked back are right.
pub(crate) async fn confirm(inner: &Rc<Inner>, remembered: &[RememberedWord]) -> Result<(), WalletError> {
    let mut session = Session::open(inner).await?;
    session.ask_kit(Task::Confirm(remembered.to_vec())).await?;
    drop(session);
    inner.tell(&WalletEvent::Wallet);
    // A browser that was asked by somebody who cares for the wallet is likelier to grant it. It may ask back, and never get
    // an answer: it is asked, and nobody waits.
    select(inner.ports.storage.persist(), ready(())).await;
    Ok(())
}

/// Puts another wallet in place of all records, and follows it to where it stands now.
pub(crate) fn replace(
    inner: &Rc<Inner>,
    task: Task,
    heard: Heard,
) -> LocalBoxFuture<'_, Result<(), WalletError>> {
    Box::pin(async move {
        let guard = hold(inner).await?;
        kit::ask(inner, task, heard.clone()).await?;
        drop(guard);
        inner.tell(&WalletEvent::Wallet);

        heard(Progress::Following);
        // Where the center cannot be reached now, the record says that it is still to be asked.
        if let Ok(mut session) = Session::open(inner).await {
            let _ = session.settle().await;
        }
        heard(Progress::Done);
        Ok(())
    })
}

/// The whole wallet as text.
pub(crate) async fn export(inner: &Rc<Inner>) -> Result<String, WalletError> {
    let _session = Session::open(inner).await?;
    let copy = kit::ask(inner, Task::Export, kit::unheard()).await?;
    Ok(copy.into_iter().next().unwrap_or_default())
}

/// Removes all records.
pub(crate) async fn delete(inner: &Rc<Inner>) -> Result<(), WalletError> {
    let guard = hold(inner).await?;
    let mut changes = Changes::default();
    for (key, _) in inner.ports.storage.list("", Scan::All).await? {
        changes.remove(key);
    }
    inner.ports.storage.commit(changes).await?;
    inner.ports.storage.mark(false).await;
    drop(guard);
    inner.tell(&WalletEvent::Wallet);
    Ok(())
}

/// Whether this browser had a wallet whose records are gone.
pub(crate) fn is_lost(inner: &Inner, wallet: Option<&WalletRecord>) -> bool {
    wallet.is_none() && inner.ports.storage.is_marked()
}

/// Gives up on records that are gone, so that a new wallet can be created.
pub(crate) async fn start_anew(inner: &Inner) -> Result<(), WalletError> {
    let wallet: Option<WalletRecord> = record::read(&*inner.ports.storage, "").await?;
    if wallet.is_some() {
        return Err(Problem::WalletExists.into());
    }
    inner.ports.storage.mark(false).await;
    inner.tell(&WalletEvent::Wallet);
    Ok(())
}

/// Follows the center's books, and keeps the notes. The kit is asked only where there is something to do for it.
pub(crate) fn sync(inner: &Rc<Inner>) -> LocalBoxFuture<'_, Result<(), WalletError>> {
    Box::pin(async move {
        let mut session = Session::open(inner).await?;
        session.settle().await?;
        if session.is_behind().await? {
            session.resynchronise().await?;
        }
        let wallet = &session.wallet;
        if wallet.unnamed || (wallet.words_saved.is_some() && wallet.noted < wallet.entries) {
            // Names and notes make nothing wrong when they are late.
            let _ = session.ask_kit(Task::Notes).await;
        }
        Ok(())
    })
}

/// A wallet whose mark was cleared away, or which is older than the mark, gets one.
pub(crate) async fn mark(inner: &Inner) {
    let storage = &*inner.ports.storage;
    if !storage.is_marked() {
        storage.mark(true).await;
    }
}

/// Why there is no wallet here.
pub(crate) fn no_wallet(inner: &Inner) -> WalletError {
    missing(&*inner.ports.storage)
}
