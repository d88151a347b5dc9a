//! The wallet in a browser.

use crate::error::{Problem, WalletError};
use crate::wallet::Wallet;

/// Opens this browser's wallet of the center at `center_origin`, or of this page's own origin.
///
/// # Errors
/// `storage_unavailable`, `unsupported`: the wallet never goes on in memory instead.
pub async fn open(_center_origin: Option<&str>) -> Result<Wallet, WalletError> {
    Err(Problem::Unsupported.into())
}
