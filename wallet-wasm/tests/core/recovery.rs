//! Recovery (docs/decisions/0007; T5, T6): twelve words bring back balance, history and articles; devices that share
//! them stay in step; records that a browser clears away end in a restoration, never in a second wallet.

use std::future::Future;
use std::pin::Pin;

use tuppence_protocol::scrip::cash_out::CashOutStage;
use tuppence_protocol::scrip::center::StepKind;
use tuppence_protocol::{Duration, ErrorCode};
use tuppence_wallet::ports::Clock;
use tuppence_wallet::view::{EntryKind, RememberedWord};
use tuppence_wallet::{Money, Problem, Wallet, WalletError};

use crate::sim::{CENTER, Loss, SHOP, World};

/// The words of the world's wallet, saved by their owner.
fn save_words(world: &World) -> String {
    let wallet = world.wallet();
    let words = world.run(wallet.recovery_words()).unwrap();
    let remembered: Vec<_> =
        [3, 7, 12].map(|number| RememberedWord { number, word: words[number - 1].clone() }).into();
    world.run(wallet.confirm_words(&remembered)).unwrap();
    words.join(" ")
}

fn restore(world: &World, words: &str) -> Result<(), WalletError> {
    let wallet = world.wallet();
    world.run(wallet.restore(words, false, |_| ()))
}

fn pay(world: &World, slug: &str, price: &str) {
    let wallet = world.wallet();
    world.run(wallet.pay(SHOP, slug, price.parse().unwrap())).unwrap();
}

fn sync(world: &World) {
    let wallet = world.wallet();
    world.run(wallet.sync()).unwrap();
    world.assert_at_rest();
}

/// What a history says, but for when and how it was written down.
fn history(world: &World) -> Vec<String> {
    let wallet = world.wallet();
    let entries = world.run(wallet.history(None, 1_000)).unwrap();
    let said = entries.into_iter().map(|entry| {
        format!(
            "{} {:?} {}{} -> {} {:?} {:?} {:?} {:?}",
            entry.number,
            entry.kind,
            if entry.change.gain { '+' } else { '-' },
            entry.change.amount,
            entry.balance_after,
            entry.shop,
            entry.title,
            entry.tran_id,
            entry.receipt.map(|receipt| receipt.subject),
        )
    });
    said.collect()
}

fn library(world: &World) -> Vec<(String, String)> {
    let wallet = world.wallet();
    let articles = world.run(wallet.library()).unwrap();
    let mut articles: Vec<_> = articles.into_iter().map(|article| (article.slug, article.title)).collect();
    articles.sort();
    articles
}

/// The second device has exactly what the first one has.
fn assert_same(device: &World, first: &World) {
    assert_eq!(device.balance(), first.balance());
    assert_eq!(history(device), history(first));
    assert_eq!(library(device), library(first));
    for (slug, _) in library(device) {
        let wallet = device.wallet();
        assert!(device.run(wallet.open_article(SHOP, &slug)).is_ok(), "{slug} can be read");
    }
}

/// A wallet that has done everything there is: earned, paid, cancelled, cashed out and had it returned.
fn with_a_life() -> World {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    pay(&world, "coins", "USD:0.03");
    world.run(wallet.earn(SHOP, "survey", &["a".into()])).unwrap();
    world.run(wallet.cash_out("USD:5".parse().unwrap(), "Account 12")).unwrap();
    world.outside.borrow_mut().center.settle_payouts(CashOutStage::Returned, world.clock.now());
    world.run(wallet.cash_out_orders()).unwrap();
    pay(&world, "bread", "USD:0.01");
    world.run(wallet.cash_out("USD:5.25".parse().unwrap(), "Account 12")).unwrap();
    world.outside.borrow_mut().center.settle_payouts(CashOutStage::Confirmed, world.clock.now());
    world.run(wallet.cash_out_orders()).unwrap();
    world.assert_at_rest();
    assert_eq!(world.balance(), "USD:0.75");
    world
}

#[test]
fn words_bring_everything_back_to_an_empty_browser() {
    let world = with_a_life();
    let words = save_words(&world);
    let device = world.other_device();
    restore(&device, &words).unwrap();
    device.assert_at_rest();
    assert_same(&device, &world);
    let kinds: Vec<_> = device.run(device.wallet().history(None, 100)).unwrap();
    let returned = kinds.iter().filter(|entry| entry.kind == EntryKind::CashOutReturned).count();
    assert_eq!(returned, 1);
    let orders = device.run(device.wallet().cash_out_orders()).unwrap();
    assert_eq!(orders.len(), 2);
    assert!(device.run(device.wallet().recovery()).unwrap().saved.is_some());
    assert_eq!(world.outside.borrow().center.purses.len(), 1, "never a second wallet");
}

#[test]
fn a_long_history_comes_back_page_by_page_whatever_breaks_off_in_between() {
    let world = with_a_life();
    let words = save_words(&world);
    for page in [1, 2, 3] {
        world.outside.borrow_mut().center.page = page;
        for lost in 0..12 {
            let device = world.other_device();
            device.faults.lose(lost, Loss::Reply);
            // A claim whose reply is lost is made again with another challenge.
            if restore(&device, &words).is_err() {
                assert!(lost < 2, "only the center's name and challenge are asked for once");
                restore(&device, &words).unwrap();
            }
            device.faults.mend();
            sync(&device);
            assert_same(&device, &world);
        }
    }
}

#[test]
fn names_come_back_though_the_shop_is_gone() {
    let world = with_a_life();
    let words = save_words(&world);
    sync(&world);
    assert_eq!(world.outside.borrow().center.notes.len(), 1, "notes are kept once the words are saved");
    world.outside.borrow_mut().shop.prices.clear();
    let device = world.other_device();
    restore(&device, &words).unwrap();
    assert_eq!(history(&device), history(&world));
    assert_eq!(library(&device), library(&world));
}

#[test]
fn before_the_words_are_saved_the_center_keeps_no_notes() {
    let world = World::with_four_cents();
    sync(&world);
    assert!(world.outside.borrow().center.notes.is_empty());
    assert_eq!(world.faults.count("/recovery/notes"), 0);
}

#[test]
fn the_center_cannot_read_the_notes() {
    let world = with_a_life();
    save_words(&world);
    sync(&world);
    let kept = world.outside.borrow().center.notes.values().next().unwrap().clone();
    let bytes = kept.sealed.as_slice();
    for told in ["On coins", "The Shop", "shop.example"] {
        assert!(!bytes.windows(told.len()).any(|part| part == told.as_bytes()), "{told}");
    }
    assert_eq!(bytes.len() % 1_024, 0, "the length says little");
}

#[test]
fn two_devices_that_take_turns_stay_in_step() {
    let world = World::with_four_cents();
    let words = save_words(&world);
    let device = world.other_device();
    restore(&device, &words).unwrap();
    // Each in turn does something without asking first, and the other one follows.
    device.run(device.wallet().earn(SHOP, "survey", &["a".into()])).unwrap();
    pay(&world, "coins", "USD:0.03");
    pay(&device, "bread", "USD:0.01");
    let _ = world.run(world.wallet().earn(SHOP, "spot", &["a".into()])).unwrap();
    for each in [&world, &device, &world] {
        sync(each);
    }
    assert_same(&device, &world);
    assert_eq!(world.balance(), "USD:6.02");
    // What one device knows, the other one's notes do not overwrite.
    world.outside.borrow_mut().shop.prices.clear();
    let third = world.other_device();
    restore(&third, &words).unwrap();
    assert_eq!(history(&third), history(&world));
}

#[test]
fn an_article_that_one_device_has_paid_is_not_paid_by_the_other() {
    let world = World::with_four_cents();
    let words = save_words(&world);
    let device = world.other_device();
    restore(&device, &words).unwrap();
    pay(&world, "coins", "USD:0.03");
    let wallet = device.wallet();
    let paid = device.run(wallet.pay(SHOP, "coins", "USD:0.03".parse().unwrap())).unwrap();
    assert!(!paid.charged);
    assert_eq!(device.balance(), "USD:0.01");
    device.assert_at_rest();
    assert_eq!(world.outside.borrow().center.posted(StepKind::Payment), 1);
}

#[test]
fn two_devices_at_once_pay_both_and_neither_twice() {
    for (first, second, left) in [("coins", "bread", "USD:0"), ("coins", "coins", "USD:0.01")] {
        // The second device begins at each moment of the first one's payment, and the first one then goes on.
        let base = World::with_four_cents();
        let words = save_words(&base);
        for points in 0.. {
            let world = base.copy();
            let device = world.other_device();
            restore(&device, &words).unwrap();
            let wallet = world.wallet();
            let price = "USD:0.03".parse().unwrap();
            world.faults.crash_after(points);
            let finished = world.run_until_crash(wallet.pay(SHOP, first, price)).is_some();
            let other = device.wallet();
            let paid = device.run(other.pay(SHOP, second, price)).unwrap();
            assert!(paid.charged || first == second);
            device.assert_at_rest();
            world.faults.mend();
            let wallet = world.wallet();
            world.run(wallet.pay(SHOP, first, price)).unwrap();
            sync(&world);
            sync(&device);
            assert_eq!(world.balance(), left);
            assert_eq!(history(&device).len(), history(&world).len());
            assert_eq!(library(&device), library(&world));
            if finished {
                break;
            }
        }
    }
}

#[test]
fn a_pending_payment_of_a_lost_device_is_completed_not_lost() {
    let base = World::with_four_cents();
    let words = save_words(&base);
    for points in 0.. {
        let world = base.copy();
        let wallet = world.wallet();
        world.faults.crash_after(points);
        let price = "USD:0.03".parse().unwrap();
        let finished = world.run_until_crash(wallet.pay(SHOP, "coins", price)).is_some();
        // The device is gone for good.
        let device = world.other_device();
        restore(&device, &words).unwrap();
        device.assert_at_rest();
        let paid = device.outside.borrow().center.posted(StepKind::Payment);
        assert_eq!(library(&device).len(), paid);
        assert_eq!(device.balance(), if paid == 1 { "USD:0.01" } else { "USD:0.04" });
        if finished {
            return;
        }
    }
}

#[test]
fn a_pending_payment_that_ran_out_of_time_came_back() {
    let base = World::with_four_cents();
    let words = save_words(&base);
    for points in 0.. {
        let world = base.copy();
        let wallet = world.wallet();
        world.faults.crash_after(points);
        let price = "USD:0.03".parse().unwrap();
        let finished = world.run_until_crash(wallet.pay(SHOP, "coins", price)).is_some();
        world.wait(Duration::from_days(400));
        let device = world.other_device();
        restore(&device, &words).unwrap();
        device.assert_at_rest();
        let paid = device.outside.borrow().center.posted(StepKind::Payment);
        assert_eq!(device.balance(), if paid == 1 { "USD:0.01" } else { "USD:0.04" });
        // The scrip has expired meanwhile, and can be spent all the same.
        pay(&device, "bread", "USD:0.01");
        device.assert_at_rest();
        if finished {
            return;
        }
    }
}

type Act = fn(Wallet, String) -> Pin<Box<dyn Future<Output = ()>>>;

/// What somebody may be doing while the browser clears its storage away.
const ACTS: [Act; 4] = [
    |wallet, _| {
        Box::pin(async move {
            let _ = wallet.pay(SHOP, "coins", "USD:0.03".parse().unwrap()).await;
        })
    },
    |wallet, _| {
        Box::pin(async move {
            let _ = wallet.earn(SHOP, "spot", &["a".into()]).await;
        })
    },
    |wallet, _| {
        Box::pin(async move {
            let _ = wallet.sync().await;
        })
    },
    |wallet, words| {
        Box::pin(async move {
            let _ = wallet.restore(&words, true, |_| ()).await;
        })
    },
];

#[test]
fn storage_that_is_cleared_at_any_await_ends_in_a_restoration_to_the_exact_balance() {
    let base = World::with_four_cents();
    let words = save_words(&base);
    for act in ACTS {
        for points in 0.. {
            let world = base.copy();
            let wallet = world.wallet();
            // The storage is cleared in the middle of it, and what was begun goes on.
            let mut future = act(wallet, words.clone());
            world.faults.crash_after(points);
            let finished = world.run_until_crash(future.as_mut()).is_some();
            drop(future);
            world.faults.mend();
            world.storage.replace(Default::default());
            let wallet = world.wallet();
            let status = world.run(wallet.status()).unwrap();
            assert!(!status.registered && status.lost, "the restore screen");
            for error in [
                world.run(wallet.register(|_| ())).unwrap_err(),
                world.run(wallet.balance()).unwrap_err(),
                world.run(wallet.pay(SHOP, "coins", "USD:0.03".parse().unwrap())).unwrap_err(),
            ] {
                assert!(error.is(Problem::WalletLost), "{error:?}");
            }
            assert_eq!(world.outside.borrow().center.purses.len(), 1, "never a second wallet by accident");
            restore(&world, &words).unwrap();
            world.assert_at_rest();
            let wallet = world.wallet();
            world.run(wallet.pay(SHOP, "coins", "USD:0.03".parse().unwrap())).unwrap();
            world.assert_at_rest();
            assert_eq!(world.outside.borrow().center.posted(StepKind::Payment), 1);
            if finished {
                break;
            }
        }
    }
}

#[test]
fn a_wallet_at_work_writes_nothing_into_records_that_were_cleared_away() {
    let base = World::with_four_cents();
    for points in 0.. {
        let world = base.copy();
        let wallet = world.wallet();
        let mut future = Box::pin(wallet.pay(SHOP, "coins", "USD:0.03".parse().unwrap()));
        world.faults.pause_after(points);
        let finished = world.run_until_crash(future.as_mut()).is_some();
        world.storage.replace(Default::default());
        world.faults.mend();
        if finished {
            return;
        }
        // It goes on, and finds out.
        let _ = world.run(future);
        let left: Vec<_> = world.storage.records().into_keys().collect();
        assert!(!left.iter().any(|key| key == "wallet"), "half a wallet at point {points}: {left:?}");
        assert!(world.run(world.wallet().status()).unwrap().lost);
    }
}

#[test]
fn a_restoration_that_crashed_anywhere_is_done_again_or_done() {
    let base = with_a_life();
    let words = save_words(&base);
    base.outside.borrow_mut().center.page = 3;
    for points in 0.. {
        let world = base.copy();
        let device = world.other_device();
        let wallet = device.wallet();
        device.faults.crash_after(points);
        let restored = wallet.restore(&words, false, |_| ());
        let finished = device.run_until_crash(restored).is_some();
        device.faults.mend();
        let wallet = device.wallet();
        if !device.run(wallet.status()).unwrap().registered {
            restore(&device, &words).unwrap();
        }
        sync(&device);
        assert_same(&device, &world);
        if finished {
            return;
        }
    }
}

#[test]
fn without_the_words_there_is_nothing_to_be_had() {
    let world = World::with_four_cents();
    let words = save_words(&world);
    let device = world.other_device();
    let other = "legal winner thank year wave sausage worth useful legal winner thank yellow";
    let error = restore(&device, other).unwrap_err();
    assert!(error.is_refusal(ErrorCode::ClaimRefused), "{error:?}");
    for wrong in ["", "hello", &words[..words.rfind(' ').unwrap()], &format!("{words} {words}")] {
        let error = restore(&device, wrong).unwrap_err();
        assert!(error.is(Problem::WordsInvalid), "{wrong}: {error:?}");
        assert!(!error.message.contains("legal"), "what was typed is not repeated");
    }
    assert!(device.storage.records().is_empty());
    assert!(!device.run(device.wallet().status()).unwrap().lost);
}

#[test]
fn a_claim_that_somebody_recorded_is_taken_once_and_tells_nothing() {
    let world = World::with_four_cents();
    let words = save_words(&world);
    let device = world.other_device();
    device.faults.keep_bodies();
    restore(&device, &words).unwrap();
    let recorded = device.faults.body_of("/recovery/claim");
    let now = world.clock.now();
    let mut outside = world.outside.borrow_mut();
    let (status, body) = outside.center.handle("/recovery/claim", Some(&recorded), now);
    assert_eq!(status, 403, "{}", String::from_utf8_lossy(&body));
    // Neither words nor keys of them go over the wire.
    let sent = device.faults.bodies().concat();
    let sent = String::from_utf8_lossy(&sent).into_owned();
    for word in words.split(' ') {
        assert!(!sent.contains(&format!(" {word} ")) && !sent.contains(&format!("\"{word}\"")));
    }
}

#[test]
fn a_statement_that_was_changed_on_its_way_changes_nothing() {
    let world = with_a_life();
    let words = save_words(&world);
    for forge in [
        |reply: &mut serde_json::Value| reply["steps"] = serde_json::json!([]),
        |reply: &mut serde_json::Value| reply["steps"][0]["amount"] = "USD:9".into(),
        |reply: &mut serde_json::Value| reply["more"] = true.into(),
        |reply: &mut serde_json::Value| reply["nonce"] = "AAAAAAAAAAAAAAAAAAAAAA".into(),
    ] {
        let device = world.other_device();
        device.faults.forge(format!("{CENTER}/api/v1/statement"), forge);
        restore(&device, &words).unwrap();
        assert_eq!(device.balance(), "USD:0", "not believed");
        device.faults.honest();
        device.run(device.wallet().resume()).unwrap();
        device.assert_at_rest();
        assert_same(&device, &world);
    }
}

#[test]
fn an_ordinary_day_needs_no_kit() {
    let world = World::with_four_cents();
    pay(&world, "coins", "USD:0.03");
    world.run(world.wallet().resume()).unwrap();
    sync(&world);
    sync(&world);
    assert_eq!(world.faults.kit_asked.get(), 0);
}

#[test]
fn without_the_kit_nothing_is_lost_and_with_it_everything_goes_on() {
    let world = World::with_four_cents();
    let words = save_words(&world);
    let device = world.other_device();
    restore(&device, &words).unwrap();
    world.run(world.wallet().earn(SHOP, "survey", &["a".into()])).unwrap();

    device.faults.kit_away.set(true);
    let wallet = device.wallet();
    let price = "USD:0.03".parse().unwrap();
    for error in [
        device.run(wallet.sync()).unwrap_err(),
        device.run(wallet.pay(SHOP, "coins", price)).unwrap_err(),
        device.run(wallet.recovery_words()).unwrap_err(),
        device.run(wallet.restore(&words, true, |_| ())).unwrap_err(),
    ] {
        assert!(error.is(Problem::KitUnavailable) && error.money == Money::Untouched, "{error:?}");
    }
    assert_eq!(device.balance(), "USD:0.04", "as far as it knows");
    assert_eq!(world.outside.borrow().center.posted(StepKind::Payment), 0);

    device.faults.kit_away.set(false);
    let paid = device.run(device.wallet().pay(SHOP, "coins", price)).unwrap();
    assert!(paid.charged);
    sync(&world);
    sync(&device);
    assert_same(&device, &world);
}

#[test]
fn a_payment_that_meets_stale_scrip_without_the_kit_waits_for_it() {
    let world = World::with_four_cents();
    let words = save_words(&world);
    let device = world.other_device();
    restore(&device, &words).unwrap();
    world.run(world.wallet().earn(SHOP, "survey", &["a".into()])).unwrap();
    // It finds out by the center's refusal alone.
    device.faults.kit_away.set(true);
    let price = "USD:0.03".parse().unwrap();
    let wallet = device.wallet();
    let error = device.run(wallet.pay(SHOP, "coins", price)).unwrap_err();
    assert!(error.is(Problem::KitUnavailable) && error.money == Money::Open, "{error:?}");
    assert_eq!(device.run(wallet.resume()).unwrap().len(), 1, "it stays open, and says why");
    device.faults.kit_away.set(false);
    assert!(device.run(device.wallet().resume()).unwrap().is_empty());
    device.assert_at_rest();
    assert_eq!(library(&device).len(), 1);
    assert_eq!(world.outside.borrow().center.posted(StepKind::Payment), 1);
}

#[test]
fn words_are_asked_back_before_they_count_as_saved() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    let state = world.run(wallet.recovery()).unwrap();
    assert!(state.available && state.saved.is_none());
    let asked = world.run(async { wallet.words_to_ask() }).unwrap();
    assert!(asked.len() == 3 && asked.is_sorted() && asked.iter().all(|number| (1..=12).contains(number)));
    let words = world.run(wallet.recovery_words()).unwrap();
    assert_eq!(words.len(), 12);
    let word = |number: usize, word: &str| RememberedWord { number, word: word.to_owned() };
    let confirm = |remembered: &[RememberedWord]| world.run(wallet.confirm_words(remembered));
    let wrong = confirm(&[word(1, &words[0]), word(2, &words[1]), word(3, "wrong")]).unwrap_err();
    assert!(wrong.is(Problem::WordsWrong));
    assert!(confirm(&[word(0, &words[0]), word(13, "x"), word(1, "y")]).unwrap_err().is(Problem::WordsWrong));
    let few = [word(1, &words[0]), word(1, &words[0]), word(2, &words[1])];
    assert!(confirm(&few).unwrap_err().is(Problem::ArgumentInvalid), "the same word thrice is one");
    assert!(world.run(wallet.recovery()).unwrap().saved.is_none());
    confirm(&[word(1, &format!(" {} ", words[0].to_uppercase())), word(2, &words[1]), word(12, &words[11])])
        .unwrap();
    assert!(world.run(wallet.recovery()).unwrap().saved.is_some());
}

#[test]
fn a_lost_wallet_is_given_up_only_when_somebody_says_so() {
    let world = World::with_four_cents();
    world.storage.replace(Default::default());
    let wallet = world.wallet();
    assert!(world.run(wallet.register(|_| ())).unwrap_err().is(Problem::WalletLost));
    world.run(wallet.start_anew()).unwrap();
    assert!(!world.run(wallet.status()).unwrap().lost);
    world.run(wallet.register(|_| ())).unwrap();
    assert!(world.run(wallet.start_anew()).unwrap_err().is(Problem::WalletExists));
    assert_eq!(world.outside.borrow().center.purses.len(), 2);
}

#[test]
fn a_deleted_wallet_is_not_missed_and_a_copy_brings_its_words_along() {
    let world = World::with_four_cents();
    let words = save_words(&world);
    let copy = world.run(world.wallet().export()).unwrap();
    world.run(world.wallet().delete()).unwrap();
    assert!(!world.run(world.wallet().status()).unwrap().lost);
    world.run(world.wallet().import(&copy, false)).unwrap();
    let wallet = world.wallet();
    assert_eq!(world.run(wallet.recovery_words()).unwrap().join(" "), words);
    assert!(world.run(wallet.recovery()).unwrap().saved.is_some());
}

#[test]
fn another_wallet_is_replaced_by_words_only_when_asked() {
    let world = World::with_four_cents();
    let words = save_words(&world);
    let error = restore(&world, &words).unwrap_err();
    assert!(error.is(Problem::WalletExists));
    let wallet = world.wallet();
    world.run(wallet.restore(&words, true, |_| ())).unwrap();
    world.assert_at_rest();
    assert_eq!(world.balance(), "USD:0.04");
}

#[test]
fn a_mark_that_was_cleared_away_is_set_again() {
    let world = World::with_four_cents();
    world.storage.set_mark(false);
    world.run(world.wallet().resume()).unwrap();
    world.storage.replace(Default::default());
    assert!(world.run(world.wallet().status()).unwrap().lost);
}
