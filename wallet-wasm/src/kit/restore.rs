//! Restoring (docs/decisions/0007): twelve words, and nothing else.
//!
//! ```text
//! GET /center (key pinned) -> challenge, solved in slices -> C1 -> C2: the purse as it was when it was new
//!   -> the wallet, stale -> H1 -> H2 ...: scrip, history, library
//! ```
//!
//! Nothing is written before C2 has come, and then the wallet at once: a crash leaves no wallet, which can be
//! restored again, or one that knows that it is to be brought up to date.

use tuppence_protocol::recovery::claim::{ClaimReply, ClaimRequest};
use tuppence_protocol::recovery::keys::RecoveryKeys;
use tuppence_protocol::recovery::words::Mnemonic;
use tuppence_protocol::scrip::Code;
use tuppence_protocol::scrip::buyer::Purse;
use tuppence_protocol::{Amount, ErrorCode, Timestamp};

use crate::client::{self, Peer};
use crate::error::WalletError;
use crate::kit::clear;
use crate::kit::words::parse;
use crate::operation::exchange::note;
use crate::operation::register::{challenge, enclose, meet, solve};
use crate::operation::session::{wrap, wrap_words};
use crate::ports::Changes;
use crate::record::{self, CenterRecord, VERSION, WalletRecord};
use crate::view::{Change, EntryKind, ExchangeStep, HistoryEntry, Party, Progress};
use crate::wallet::Inner;

/// How often a claim begins anew because its challenge was taken or has expired.
const ATTEMPTS_MAX: u32 = 3;

/// Puts the wallet of `words` in place of all records. An existing wallet is given up only with `replace`.
pub(super) async fn restore(
    inner: &Inner,
    words: &str,
    replace: bool,
    progress: &dyn Fn(Progress),
) -> Result<(), WalletError> {
    let words = parse(words)?;
    let storage = &*inner.ports.storage;
    let mut changes = clear(inner, replace).await?;
    let claimed = claim(inner, &words, progress).await?;
    write(inner, &mut changes, &words, claimed).await?;
    storage.commit(changes).await?;
    storage.mark(true).await;
    Ok(())
}

/// A purse that was claimed.
struct Claimed {
    center: CenterRecord,
    keys: RecoveryKeys,
    purse: Purse,
    registered: Timestamp,
    exchange: Vec<ExchangeStep>,
}

/// C1 -> C2.
async fn claim(inner: &Inner, words: &Mnemonic, progress: &dyn Fn(Progress)) -> Result<Claimed, WalletError> {
    let ports = &inner.ports;
    progress(Progress::MeetingCenter);
    let (info, center) = meet(inner).await?;
    let peer = Peer::Center(&center.origin);
    let keys = RecoveryKeys::new(words, &center.id);
    let mut attempts = 0;
    loop {
        let (session_key, envelope) = enclose(ports, &info).await?;
        let content = ClaimRequest::content_of(&center.id, keys.wallet_id, &envelope);
        let solution = solve(inner, challenge(ports, peer).await?, content, progress).await?;
        progress(Progress::Registering);
        let now = ports.clock.now();
        let message = ClaimRequest::new(&center.id, &keys, solution, envelope, now);
        let mut exchange = Vec::new();
        note(&mut exchange, Code::Rm1, Party::Buyer, Party::Center, now, &message);
        let reply: ClaimReply = match client::post(ports, peer, "/recovery/claim", &message).await {
            Ok(reply) => reply,
            // Each solution is taken once: where a reply was lost, it takes another one.
            Err(error) if error.code() == Some(ErrorCode::Challenge) && attempts < ATTEMPTS_MAX => {
                attempts += 1;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let purse = reply.receive(&center.id, &session_key)?;
        note(&mut exchange, Code::Rm2, Party::Center, Party::Buyer, ports.clock.now(), &reply);
        return Ok(Claimed { center, keys, purse, registered: reply.registered, exchange });
    }
}

/// The wallet as it was when it was new, to be brought up to date.
async fn write(
    inner: &Inner,
    changes: &mut Changes,
    words: &Mnemonic,
    claimed: Claimed,
) -> Result<(), WalletError> {
    let ports = &inner.ports;
    let Claimed { center, keys, purse, registered, exchange } = claimed;
    let nothing = Amount::zero(purse.value().currency());
    let wallet = WalletRecord {
        version: VERSION,
        center,
        wallet_id: keys.wallet_id,
        created: registered,
        custom_secret: wrap(ports, &purse.custom_secret).await?,
        scrip: purse.scrip,
        wallet_key: wrap(ports, &keys.wallet_key).await?,
        entries: 1,
        stale: true,
        words: Some(wrap_words(ports, words).await?),
        // Whoever can type them has them.
        words_saved: Some(ports.clock.now()),
        noted: 0,
        unnamed: false,
    };
    let entry = HistoryEntry {
        number: 1,
        at: registered,
        kind: EntryKind::Registered,
        change: Change::gain(nothing),
        balance_after: nothing,
        shop: None,
        title: None,
        subject: None,
        tran_id: None,
        receipt: None,
        note: None,
    };
    changes.write("", &wallet)?;
    changes.write(&record::numbered(1), &entry)?;
    changes.write(&record::numbered(1), &exchange)?;
    Ok(())
}
