//! An older copy of the books is put back under wallets that have gone on (rule 12, T26).

use std::path::Path;

use tuppence_protocol::ids::Serial;

use super::*;
use crate::store::records::{Claim, Epoch, EpochReason};
use crate::store::sqlite::backup::{Restored, backup, restore};

/// A backup is made, life goes on, and the backup is put back.
struct Backup {
    bench: Bench,
    path: PathBuf,
    copy: PathBuf,
}

impl Backup {
    fn of(bench: Bench) -> Self {
        let path = bench.file.as_ref().unwrap().0.clone();
        let copy = path.with_file_name("copy.db");
        backup(&path, &copy).unwrap();
        Backup { bench, path, copy }
    }

    /// By the program.
    fn restored(mut self) -> (Bench, Epoch) {
        self.close();
        std::fs::remove_file(&self.path).unwrap();
        let Restored::Done(epoch) = restore(&self.copy, &self.path, self.bench.now).unwrap() else {
            panic!("the backup was refused")
        };
        self.bench.reopen();
        (self.bench, epoch)
    }

    /// The whole folder, as of then: nothing beside the database tells of it.
    fn put_back_with_its_folder(mut self) -> Bench {
        self.close();
        std::fs::copy(&self.copy, &self.path).unwrap();
        std::fs::remove_file(witness(&self.path)).unwrap();
        self.bench.reopen();
        self.bench
    }

    fn close(&mut self) {
        self.bench.store = Box::new(MemoryStore::new(Currency::USD));
    }
}

fn witness(path: &Path) -> PathBuf {
    path.with_file_name("center.db.witness")
}

fn claims(bench: &mut Bench) -> Vec<Claim> {
    let report = audit(bench.store.as_mut()).unwrap();
    assert!(report.findings.is_empty(), "{report}");
    report.claims
}

fn number(serial: u64) -> Serial {
    Serial::try_from(serial).unwrap()
}

fn claim(bench: &mut Bench, wallet: &Wallet) {
    let reply = bench.send(Command::Claim(Box::new(wallet.purse.scrip.clone()))).unwrap();
    assert!(matches!(reply, Reply::Claimed), "{reply:?}");
}

#[test]
fn t26_no_scrip_that_was_spent_since_the_backup_is_taken_after_the_restore() {
    let mut bench = Bench::in_sqlite();
    let mut wallet = bench.rich_wallet(1, "2");
    let before = wallet.clone();
    let mut backup = Backup::of(bench);
    let offer = backup.bench.article(0, &wallet, "0.5");
    wallet.complete(&mut backup.bench, offer).unwrap();
    let (mut bench, epoch) = backup.restored();

    // Neither the scrip that the copy has as live, and that was spent, nor the one that it does not know.
    for shown in [&before, &wallet] {
        let offer = bench.article(0, shown, "0.3");
        let begun = shown.clone().begin(&mut bench, offer);
        assert_eq!(code(begun), ErrorCode::ScripStale);
    }
    // The wallet asks, and goes on with what the books have; what they have lost is noted.
    let held = wallet.purse.scrip.clone();
    assert_eq!(wallet.resynchronise(&mut bench), None);
    assert_eq!(wallet.purse.value(), usd("2"));
    assert_eq!(wallet.purse.serial().epoch(), epoch.number);
    let claims = claims(&mut bench);
    assert_eq!(claims.len(), 1);
    assert_eq!(
        (claims[0].shown.serial, claims[0].shown.value),
        (held.scrip.scrip_id.serial_number, usd("1.5"))
    );
    assert_eq!(claims[0].known, Some((number(2), usd("2"))));
    let offer = bench.article(0, &wallet, "0.3");
    wallet.complete(&mut bench, offer).unwrap();
    bench.audit();
    assert_eq!(bench.store.epochs().unwrap().len(), 2, "one epoch for one old copy");
}

#[test]
fn t26_a_folder_that_was_put_back_whole_is_noticed_by_the_first_wallet_that_has_gone_on() {
    let mut bench = Bench::in_sqlite();
    let mut wallet = bench.rich_wallet(1, "2");
    let mut other = bench.rich_wallet(2, "2");
    let mut backup = Backup::of(bench);
    let offer = backup.bench.article(0, &wallet, "0.5");
    wallet.complete(&mut backup.bench, offer).unwrap();
    let mut bench = backup.put_back_with_its_folder();
    assert_eq!(bench.store.epochs().unwrap().len(), 1, "nobody has noticed yet");

    claim(&mut bench, &wallet);
    let epoch = *bench.store.epochs().unwrap().last().unwrap();
    assert_eq!(epoch.reason, EpochReason::Shown);
    // From here on every old scrip is stale, also of those who have not shown theirs.
    let offer = bench.article(0, &other, "0.3");
    assert_eq!(code(other.clone().begin(&mut bench, offer)), ErrorCode::ScripStale);
    other.resynchronise(&mut bench);
    assert_eq!((other.purse.serial().epoch(), other.purse.value()), (epoch.number, usd("2")));
    assert_eq!(claims(&mut bench).len(), 1, "the other has lost nothing");
    // Whoever asks for the live scrip at once is heard too, and gets it in the new epoch.
    bench.reopen();
    wallet.resynchronise(&mut bench);
    assert_eq!((wallet.purse.serial().epoch(), wallet.purse.value()), (epoch.number, usd("2")));
    assert_eq!(bench.store.epochs().unwrap().len(), 2);
}

#[test]
fn t26_an_epoch_that_is_lost_itself_is_not_begun_again() {
    let mut bench = Bench::in_sqlite();
    let mut wallet = bench.rich_wallet(1, "2");
    let backup = Backup::of(bench);
    let (path, copy) = (backup.path.clone(), backup.copy.clone());
    let (mut bench, lost) = backup.restored();
    wallet.resynchronise(&mut bench);
    assert_eq!(wallet.purse.serial().epoch(), lost.number);
    // Within the hour the folder as it was before that epoch is put back, too.
    let mut bench = Backup { bench, path, copy }.put_back_with_its_folder();
    assert_eq!(bench.store.epochs().unwrap().len(), 1);
    claim(&mut bench, &wallet);
    let epoch = *bench.store.epochs().unwrap().last().unwrap();
    assert!(epoch.number > lost.number, "its serials would be given twice");
}

#[test]
fn t26_asking_for_the_live_scrip_is_enough_to_notice() {
    let mut bench = Bench::in_sqlite();
    let mut wallet = bench.rich_wallet(1, "2");
    let mut backup = Backup::of(bench);
    let offer = backup.bench.article(0, &wallet, "0.5");
    wallet.complete(&mut backup.bench, offer).unwrap();
    let mut bench = backup.put_back_with_its_folder();
    wallet.resynchronise(&mut bench);
    let epoch = *bench.store.epochs().unwrap().last().unwrap();
    assert_eq!((epoch.reason, wallet.purse.serial().epoch()), (EpochReason::Shown, epoch.number));
    assert_eq!(claims(&mut bench).len(), 1);
}

#[test]
fn t26_a_buyer_whose_registration_was_lost_is_noted_and_nobody_gets_the_same_number() {
    let bench = Bench::in_sqlite();
    let mut backup = Backup::of(bench);
    let lost = backup.bench.rich_wallet(1, "2");
    let (mut bench, epoch) = backup.restored();
    let ask = lost.purse.resynchronise(bench.now);
    assert_eq!(code(bench.finish(&ask.request)), ErrorCode::PurseUnknown);
    claim(&mut bench, &lost);
    let stranger = bench.register(2);
    let custom_id = stranger.purse.scrip.scrip.custom_id;
    assert_eq!(custom_id.serial_number.epoch(), epoch.number);
    assert_eq!(code(bench.finish(&ask.request)), ErrorCode::PurseUnknown, "it reached a stranger's purse");
    let claims = claims(&mut bench);
    assert_eq!((claims.len(), claims[0].known, claims[0].shown.value), (1, None, usd("2")));
}

#[test]
fn scrip_that_the_books_know_or_the_center_never_made_is_no_claim() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "2");
        let older = wallet.clone();
        let offer = bench.article(0, &wallet, "0.5");
        wallet.complete(bench, offer).unwrap();
        claim(bench, &older);
        claim(bench, &wallet);
        let mut forged = wallet.clone();
        forged.purse.scrip.scrip.scrip_id.serial_number = number(99);
        let refused = bench.send(Command::Claim(Box::new(forged.purse.scrip)));
        assert_eq!(code(refused), ErrorCode::ScripForged);
        assert_eq!(claims(bench), []);
        assert_eq!(bench.store.epochs().unwrap().len(), 1);
    });
}
