//! T5, T6: copies, restored after a loss, on a second device, or far too late.

use tuppence_wallet::view::EntryKind;
use tuppence_wallet::{Problem, Wallet};

use crate::sim::{SHOP, World};

fn pay(world: &World, wallet: &Wallet, slug: &str) {
    world.run(wallet.pay(SHOP, slug, "USD:0.03".parse().unwrap())).unwrap();
}

#[test]
fn a_copy_brings_everything_back_to_an_empty_browser() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    pay(&world, &wallet, "coins");
    let copy = world.run(wallet.export()).unwrap();
    world.storage.replace(Default::default());
    let wallet = world.wallet();
    let status = world.run(wallet.status()).unwrap();
    assert!(!status.registered && status.lost);
    world.run(wallet.import(&copy, false)).unwrap();
    assert_eq!(world.balance(), "USD:0.01");
    assert!(world.run(wallet.open_article(SHOP, "coins")).is_ok());
    assert_eq!(world.run(wallet.history(None, 10)).unwrap().len(), 3);
    world.assert_at_rest();
}

#[test]
fn last_weeks_copy_finds_back_to_todays_balance_and_history() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    let copy = world.run(wallet.export()).unwrap();
    pay(&world, &wallet, "coins");
    world.storage.replace(Default::default());
    let wallet = world.wallet();
    world.run(wallet.import(&copy, false)).unwrap();
    assert_eq!(world.balance(), "USD:0.01");
    let entry = &world.run(wallet.history(None, 1)).unwrap()[0];
    assert_eq!((entry.kind, entry.change.gain), (EntryKind::Paid, false));
    assert_eq!(entry.title.as_deref(), Some("On coins"));
    assert!(world.run(wallet.open_article(SHOP, "coins")).is_ok());
    world.assert_at_rest();
}

#[test]
fn a_copy_taken_in_the_middle_of_a_payment_finishes_it_once() {
    let base = World::with_four_cents();
    for points in 0.. {
        let world = base.copy();
        let wallet = world.wallet();
        world.faults.crash_after(points);
        let price = "USD:0.03".parse().unwrap();
        let finished = world.run_until_crash(wallet.pay(SHOP, "coins", price)).is_some();
        world.faults.mend();
        let wallet = world.wallet();
        let copy = world.run(wallet.export()).unwrap();
        // The first device goes on; the second begins with the copy.
        world.run(wallet.resume()).unwrap();
        let device = world.other_device();
        let other = device.wallet();
        device.run(other.import(&copy, false)).unwrap();
        device.assert_at_rest();
        world.run(wallet.resync()).unwrap();
        world.assert_at_rest();
        if finished {
            return;
        }
    }
}

#[test]
fn a_copy_that_is_restored_without_a_network_is_put_right_before_it_spends() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    let copy = world.run(wallet.export()).unwrap();
    pay(&world, &wallet, "coins");
    let device = world.other_device();
    let other = device.wallet();
    device.faults.offline.set(true);
    device.run(other.import(&copy, false)).unwrap();
    assert_eq!(device.balance(), "USD:0.04", "as the copy knows it");
    device.faults.offline.set(false);
    device.run(other.pay(SHOP, "bread", "USD:0.01".parse().unwrap())).unwrap();
    assert_eq!(device.balance(), "USD:0");
    device.assert_at_rest();
}

#[test]
fn two_devices_with_one_wallet_take_turns() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    let copy = world.run(wallet.export()).unwrap();
    let device = world.other_device();
    let other = device.wallet();
    device.run(other.import(&copy, false)).unwrap();
    pay(&world, &wallet, "bread");
    pay(&device, &other, "coins");
    assert_eq!(device.balance(), "USD:0");
    device.assert_at_rest();
    let error = world.run(wallet.pay(SHOP, "trains", "USD:0.12".parse().unwrap())).unwrap_err();
    assert!(error.is_refusal(tuppence_protocol::ErrorCode::BalanceInsufficient), "{error:?}");
    // What the other device has paid is this one's too.
    world.run(wallet.resync()).unwrap();
    let owned = world.run(wallet.pay(SHOP, "coins", "USD:0.03".parse().unwrap())).unwrap();
    assert!(!owned.charged);
    assert_eq!(world.balance(), "USD:0");
    world.assert_at_rest();
}

#[test]
fn another_wallet_is_not_replaced_unless_asked() {
    let world = World::with_four_cents();
    let copy = world.run(world.wallet().export()).unwrap();
    let wallet = world.wallet();
    let error = world.run(wallet.import(&copy, false)).unwrap_err();
    assert!(error.is(Problem::WalletExists));
    world.run(wallet.import(&copy, true)).unwrap();
    world.assert_at_rest();
}

#[test]
fn what_is_no_copy_changes_nothing() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    let copy = world.run(wallet.export()).unwrap();
    for (what, damaged, problem) in [
        ("nothing", String::new(), Problem::BackupInvalid),
        ("no JSON", "hello".into(), Problem::BackupInvalid),
        ("cut short", copy[..copy.len() / 2].to_owned(), Problem::BackupInvalid),
        ("another format", copy.replace("\"tuppence-wallet\"", "\"else\""), Problem::BackupInvalid),
        ("a newer version", copy.replacen("\"version\": 1", "\"version\": 2", 1), Problem::RecordNewer),
        ("another center", copy.replace("center.example", "else.example"), Problem::BackupForeign),
        ("a damaged amount", copy.replace("USD:0.04", "USD:0.040"), Problem::BackupInvalid),
        ("a record of another kind", copy.replace("\"history/", "\"hist/"), Problem::BackupInvalid),
    ] {
        let error = world.run(wallet.import(&damaged, true)).unwrap_err();
        assert!(error.is(problem), "{what}: {error:?}");
        world.assert_at_rest();
    }
}

#[test]
fn deleting_leaves_nothing() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    world.run(wallet.delete()).unwrap();
    assert!(world.storage.records().is_empty());
    assert!(!world.run(wallet.status()).unwrap().registered);
}
