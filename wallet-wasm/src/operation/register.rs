//! Registration (spec/01, figure 1): the wallet meets its center.
//!
//! ```text
//! GET /center (key pinned) -> challenge, solved in slices -> Registering: R1 -> R2 -> the wallet
//!                                                              | challenge expired: anew
//! ```
//!
//! R1 is stored with its wrapped session key before it is sent, so that a reload sends the same R1, gets
//! the same R2, and never makes a second wallet.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use tuppence_protocol::challenge::{self as work, BITS_MAX, Challenge, Content, Solution};
use tuppence_protocol::envelope::KeyEnvelope;
use tuppence_protocol::recovery::keys::RecoveryKeys;
use tuppence_protocol::recovery::words::Mnemonic;
use tuppence_protocol::scrip::Code;
use tuppence_protocol::scrip::buyer::{AwaitingRegistration, NewWallet};
use tuppence_protocol::scrip::info::CenterInfo;
use tuppence_protocol::scrip::registration::RegistrationReply;
use tuppence_protocol::{Amount, Duration, ErrorCode, PROTOCOL_VERSION, Secret};
use zeroize::Zeroizing;

use crate::center_key;
use crate::client::{self, CallError, Peer};
use crate::error::{Problem, WalletError};
use crate::operation::exchange::{note, note_refusal};
use crate::operation::session::{check_version, hold, new_operation, unwrap, wrap, wrap_words};
use crate::operation::{Errand, Operation, Stage};
use crate::ports::{Changes, Ports, Scan};
use crate::record::{self, CenterRecord, VERSION, WalletRecord};
use crate::view::{Change, EntryKind, HistoryEntry, Party, Progress, WalletEvent};
use crate::wallet::Inner;

/// Hashes between two breaths of the page.
const SLICE: u64 = 8_000;
/// How often a registration begins anew before it is given up.
const ATTEMPTS_MAX: u32 = 3;

/// Creates the wallet, or finishes its creation. A wallet that is there already is left as it is.
pub(crate) fn register<'a>(
    inner: &'a Rc<Inner>,
    progress: &'a dyn Fn(Progress),
) -> LocalBoxFuture<'a, Result<(), WalletError>> {
    // Behind a pointer: so large a future is compiled once, not once more for each of its callers.
    Box::pin(async move {
        let _guard = hold(inner).await?;
        inner.stop_asked.set(false);
        let storage = &*inner.ports.storage;
        let existing: Option<WalletRecord> = record::read(storage, "").await?;
        if let Some(wallet) = existing {
            return check_version(&wallet);
        }
        // A second wallet by accident would hide that the first one can be restored (T6).
        if storage.is_marked() {
            return Err(Problem::WalletLost.into());
        }
        let mut attempts = 0;
        loop {
            let open = open_registration(&inner.ports).await?;
            let operation = match open {
                Some(operation) => operation,
                None => begin(inner, progress).await?,
            };
            progress(Progress::Registering);
            match send(inner, operation).await {
                Ok(()) => {
                    progress(Progress::Done);
                    return Ok(());
                }
                // The operation is gone: its challenge had expired, or its identifier was taken.
                Err(Failed::Anew(error)) => {
                    attempts += 1;
                    if attempts == ATTEMPTS_MAX {
                        return Err(error);
                    }
                }
                Err(Failed::Stopped(error)) => return Err(error),
            }
        }
    })
}

/// The registration that is under way.
async fn open_registration(ports: &Ports) -> Result<Option<Operation>, WalletError> {
    let operations: Vec<Operation> = record::list(&*ports.storage, Scan::All).await?;
    Ok(operations.into_iter().find(|operation| matches!(operation.stage, Stage::Registering(_))))
}

/// Meets the center, solves its challenge, and stores R1.
async fn begin(inner: &Inner, progress: &dyn Fn(Progress)) -> Result<Operation, WalletError> {
    let ports = &inner.ports;
    progress(Progress::MeetingCenter);
    let (info, center) = meet(inner).await?;
    let peer = Peer::Center(&center.origin);
    let challenge = challenge(ports, peer).await?;
    let mut entropy = Zeroizing::new([0; 16]);
    ports.random.fill(&mut *entropy)?;
    let words = Mnemonic::from_entropy(*entropy);
    let keys = RecoveryKeys::new(&words, &center.id);
    let (session_key, key_envelope) = enclose(ports, &info).await?;
    let wallet = NewWallet { id: keys.wallet_id, wallet_key: keys.public_key(), key_envelope };
    let solution = solve(inner, challenge, wallet.content(), progress).await?;
    let awaiting = AwaitingRegistration::new(center.id.clone(), wallet, solution, ports.clock.now());
    let errand = Errand::Register {
        center,
        session_key: wrap(ports, &session_key).await?,
        wallet_key: wrap(ports, &keys.wallet_key).await?,
        words: Some(wrap_words(ports, &words).await?),
    };
    let operation = new_operation(ports, errand, Stage::Registering(Box::new(awaiting)))?;
    save(inner, &operation).await?;
    Ok(operation)
}

/// A challenge of the center's.
pub(crate) async fn challenge(ports: &Ports, center: Peer<'_>) -> Result<Challenge, WalletError> {
    let challenge: Challenge = client::get(ports, center, "/registration/challenge").await?;
    if challenge.bits > BITS_MAX {
        return Err(WalletError::from(Problem::CenterInvalid).because("Its challenge is too hard."));
    }
    Ok(challenge)
}

/// A new session key, and `KUcenter[KS]`.
pub(crate) async fn enclose(ports: &Ports, info: &CenterInfo) -> Result<(Secret, KeyEnvelope), WalletError> {
    let session_key = random_secret(ports)?;
    let envelope = center_key::encrypt(ports, &info.public_key, &session_key).await?;
    Ok((session_key, envelope))
}

/// Asks the center for its name and key; the key is checked against the pinned one.
pub(crate) async fn meet(inner: &Inner) -> Result<(CenterInfo, CenterRecord), WalletError> {
    let origin = &inner.config.center_origin;
    let info: CenterInfo = client::get(&inner.ports, Peer::Center(origin), "/center").await?;
    if info.protocol_version != PROTOCOL_VERSION {
        let message = format!("It speaks version {} of the protocol.", info.protocol_version);
        return Err(WalletError::from(Problem::CenterInvalid).because(message));
    }
    if let Some(pinned) = inner.config.fingerprint
        && pinned != info.public_key.fingerprint()
    {
        return Err(Problem::CenterKeyChanged.into());
    }
    let center = CenterRecord::new(&info, origin.clone(), inner.config.fingerprint.is_some());
    Ok((info, center))
}

/// Works in slices, so that the page stays alive and the person can stop it.
pub(crate) async fn solve(
    inner: &Inner,
    challenge: Challenge,
    content: Content,
    progress: &dyn Fn(Progress),
) -> Result<Solution, WalletError> {
    let expected = 1_u64 << challenge.bits;
    let mut tried = 0;
    loop {
        progress(Progress::Solving { tried, expected });
        if let Some(nonce) = work::solve(&challenge, content, tried, SLICE) {
            return Ok(Solution { challenge, nonce });
        }
        tried += SLICE;
        inner.ports.clock.sleep(Duration::from_millis(0)).await;
        if inner.stop_asked.get() {
            return Err(Problem::Stopped.into());
        }
    }
}

/// Why R1 has not led to a wallet.
enum Failed {
    /// It can never succeed; another one may.
    Anew(WalletError),
    /// It can be sent again later, or needs somebody's doing.
    Stopped(WalletError),
}

impl<E: Into<WalletError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Failed::Stopped(error.into())
    }
}

/// R1 -> R2 -> the wallet, in one transaction with the end of the operation.
async fn send(inner: &Inner, operation: Operation) -> Result<(), Failed> {
    let ports = &inner.ports;
    let Operation { id, errand, stage, mut exchange, .. } = operation;
    let (Errand::Register { center, session_key, wallet_key, words }, Stage::Registering(awaiting)) =
        (errand, stage)
    else {
        return Err(Problem::OperationUnknown.into());
    };
    let session_key = unwrap(ports, session_key.as_slice()).await?;
    let now = || ports.clock.now();
    note(&mut exchange, Code::Um1, Party::Buyer, Party::Center, now(), &awaiting.request);
    let peer = Peer::Center(&center.origin);
    let reply: RegistrationReply = match client::post(ports, peer, "/registration", &awaiting.request).await {
        Ok(reply) => reply,
        Err(error @ CallError::Unclear(_)) => return Err(error.into()),
        Err(error) => {
            note_refusal(&mut exchange, Code::Um1, Party::Center, now(), &error);
            let mut changes = Changes::default();
            changes.erase::<Operation>(&id);
            ports.storage.commit(changes).await?;
            return match error.code() {
                Some(ErrorCode::Challenge | ErrorCode::WalletTaken | ErrorCode::Envelope) => {
                    Err(Failed::Anew(error.into()))
                }
                _ => Err(error.into()),
            };
        }
    };
    let purse = awaiting.receive(&reply, &session_key).map_err(WalletError::from)?;
    note(&mut exchange, Code::Um2, Party::Center, Party::Buyer, now(), &reply);

    let nothing = Amount::zero(purse.value().currency());
    let wallet = WalletRecord {
        version: VERSION,
        center,
        wallet_id: awaiting.request.id,
        created: now(),
        custom_secret: wrap(ports, &purse.custom_secret).await?,
        scrip: purse.scrip,
        wallet_key,
        entries: 1,
        stale: false,
        words,
        words_saved: None,
        noted: 0,
        unnamed: false,
    };
    let entry = HistoryEntry {
        number: 1,
        at: now(),
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
    let mut changes = Changes::default();
    changes.erase::<Operation>(&id);
    changes.write("", &wallet)?;
    changes.write(&record::numbered(1), &entry)?;
    changes.write(&record::numbered(1), &exchange)?;
    ports.storage.commit(changes).await?;
    ports.storage.mark(true).await;
    inner.tell(&WalletEvent::Wallet);
    Ok(())
}

async fn save(inner: &Inner, operation: &Operation) -> Result<(), WalletError> {
    let mut changes = Changes::default();
    changes.write(&operation.id, operation)?;
    Ok(inner.ports.storage.commit(changes).await?)
}

fn random_secret(ports: &Ports) -> Result<Secret, WalletError> {
    let mut bytes = [0; 32];
    ports.random.fill(&mut bytes)?;
    Ok(Secret::from_bytes(bytes))
}
