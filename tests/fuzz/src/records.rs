//! A wallet's records, as they lie in IndexedDB: a key in the first line, and JSON; and copies of whole wallets.

use tuppence_wallet::json::Tree;
use tuppence_wallet::kit::copy_again;
use tuppence_wallet::record_again;

use crate::target::Verdict;

/// A record by its key.
pub fn record(bytes: &[u8]) -> Verdict {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let (Ok(key), Some(json)) = (str::from_utf8(lines.next().unwrap_or_default()), lines.next()) else {
        return Verdict::Refused;
    };
    tree(json);
    let Ok(once) = record_again(key, json) else { return Verdict::Refused };
    let again = record_again(key, &once).expect("what was written is read");
    assert_eq!(again, once, "another record after a second reading");
    Verdict::Taken
}

/// The copy of a wallet.
pub fn copy(bytes: &[u8]) -> Verdict {
    let Ok(text) = str::from_utf8(bytes) else { return Verdict::Refused };
    let Ok(once) = copy_again(text) else { return Verdict::Refused };
    let again = copy_again(&once).expect("what was written is read");
    assert_eq!(again, once, "another copy after a second reading");
    Verdict::Taken
}

/// Any JSON is written as what reads as the same.
fn tree(json: &[u8]) {
    let Ok(tree) = Tree::parse(json) else { return };
    // A fraction is in no message and no record, and is not written.
    let Ok(once) = tuppence_wallet::json::write(&tree) else { return };
    let again = Tree::parse(&once).expect("what was written is read");
    assert!(again == tree, "{tree:?} and {again:?}");
}
