//! Hears of changed files, and reads the folders again once it is quiet.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::Storefront;

/// An editor writes a file in several steps; the folders are read when nothing has happened for so long.
const QUIET: Duration = Duration::from_millis(200);

/// Watches while it lives.
#[derive(Debug)]
pub struct Watching {
    _watchers: Vec<RecommendedWatcher>,
}

/// Watches the shop's folders, and its rules. A shop that cannot watch goes on with what it has read, and says so.
pub(super) fn watch(shop: &Arc<Storefront>) -> Option<Watching> {
    let (sender, changes) = channel();
    let settings = &shop.settings;
    let mut folders = vec![(&*settings.campaigns, RecursiveMode::Recursive)];
    if settings.upstream.is_none() {
        folders.push((&*settings.content, RecursiveMode::Recursive));
    }
    let mut watchers: Vec<RecommendedWatcher> = watcher(&sender, &folders, |_| true).into_iter().collect();
    if let Some(site) = &settings.upstream {
        // Editors put a new file in the old one's place, so its folder is watched; other things happen there too.
        let rules = site.rules.file_name().map(ToOwned::to_owned);
        let folder = site.rules.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = [(folder.unwrap_or(Path::new(".")), RecursiveMode::NonRecursive)];
        watchers.extend(watcher(&sender, &folder, move |path| path.file_name() == rules.as_deref()));
    }
    let shop = Arc::downgrade(shop);
    let thread = std::thread::Builder::new().name("shop-folders".to_owned());
    if let Err(error) = thread.spawn(move || reload_when_quiet(&changes, &shop)) {
        tracing::warn!(%error, "no thread to watch the folders with");
    }
    (!watchers.is_empty()).then_some(Watching { _watchers: watchers })
}

/// Tells of changes in `folders` to files that are `wanted`.
fn watcher(
    sender: &Sender<()>,
    folders: &[(&Path, RecursiveMode)],
    wanted: impl Fn(&Path) -> bool + Send + 'static,
) -> Option<RecommendedWatcher> {
    let sender = sender.clone();
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading a file is an event too, and reloading reads them all.
        let matters =
            |event: &notify::Event| event.need_rescan() || event.paths.iter().any(|path| wanted(path));
        if event.is_ok_and(|event| !event.kind.is_access() && matters(&event)) {
            let _ = sender.send(());
        }
    });
    match watcher {
        Ok(mut watcher) => {
            folders.iter().for_each(|(folder, mode)| watch_folder(&mut watcher, folder, *mode));
            Some(watcher)
        }
        Err(error) => {
            tracing::warn!(%error, "changes of articles, campaigns and rules will be seen after a restart only");
            None
        }
    }
}

fn watch_folder(watcher: &mut RecommendedWatcher, folder: &Path, mode: RecursiveMode) {
    if let Err(error) = watcher.watch(folder, mode) {
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
