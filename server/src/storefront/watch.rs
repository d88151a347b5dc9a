//! Hears of changed files, and reads the folders again once it is quiet.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::Storefront;

/// An editor writes a file in several steps; the folders are read when nothing has happened for so long.
const QUIET: Duration = Duration::from_millis(200);

/// Watches while it lives.
#[derive(Debug)]
pub struct Watching {
    _watcher: RecommendedWatcher,
}

/// Watches the shop's folders. A shop that cannot watch goes on with what it has read, and says so.
pub(super) fn watch(shop: &Arc<Storefront>) -> Option<Watching> {
    let (sender, changes) = channel();
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading a file is an event too, and reloading reads them all.
        if event.is_ok_and(|event| !event.kind.is_access()) {
            let _ = sender.send(());
        }
    });
    let mut watcher = match watcher {
        Ok(watcher) => watcher,
        Err(error) => {
            tracing::warn!(%error, "changes of articles and campaigns will be seen after a restart only");
            return None;
        }
    };
    for folder in [&shop.settings.content, &shop.settings.campaigns] {
        watch_folder(&mut watcher, folder);
    }
    let shop = Arc::downgrade(shop);
    let thread = std::thread::Builder::new().name("shop-folders".to_owned());
    if let Err(error) = thread.spawn(move || reload_when_quiet(&changes, &shop)) {
        tracing::warn!(%error, "no thread to watch the folders with");
    }
    Some(Watching { _watcher: watcher })
}

fn watch_folder(watcher: &mut RecommendedWatcher, folder: &Path) {
    if let Err(error) = watcher.watch(folder, RecursiveMode::Recursive) {
        tracing::warn!(folder = %folder.display(), %error, "changes here will be seen after a restart only");
    }
}

/// Ends when the watcher or the shop is gone.
fn reload_when_quiet(changes: &Receiver<()>, shop: &Weak<Storefront>) {
    while changes.recv().is_ok() {
        loop {
            match changes.recv_timeout(QUIET) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        let Some(shop) = shop.upgrade() else { return };
        shop.reload();
    }
}
