//! Paying (spec/01, figure 3).

use tuppence_protocol::scrip::center::StepKind;
use tuppence_protocol::{Duration, ErrorCode};
use tuppence_wallet::view::EntryKind;
use tuppence_wallet::{Money, Problem};

use crate::sim::{SHOP, World};

#[test]
fn an_article_is_paid_delivered_and_kept() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    let card = world.run(wallet.article(SHOP, "coins")).unwrap();
    assert_eq!((card.price.to_string().as_str(), card.owned), ("USD:0.03", false));
    let paid = world.run(wallet.pay(SHOP, "coins", card.price)).unwrap();
    assert!(paid.charged);
    let text = paid.text.expect("S7 came beside the money");
    assert_eq!(text.html, "<p>The whole of https://shop.example/articles/coins.</p>");
    assert_eq!(world.balance(), "USD:0.01");
    assert_eq!(world.outside.borrow().center.earned_by_shop(), "USD:0.03");
    assert!(world.run(wallet.article(SHOP, "coins")).unwrap().owned);
    world.assert_at_rest();

    let entry = &world.run(wallet.history(None, 1)).unwrap()[0];
    assert_eq!((entry.kind, entry.title.as_deref()), (EntryKind::Paid, Some("On coins")));
    let detail = world.run(wallet.history_detail(entry.number)).unwrap();
    let mut names: Vec<_> = detail.exchange.iter().map(|step| step.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["Receipt", "S1", "S2", "S3", "S4", "S5", "S6", "S7"]);
    let all = serde_json::to_string(&detail.exchange).unwrap();
    assert!(!all.contains("The whole of"), "articles are not kept in the history");
}

#[test]
fn a_paid_article_is_opened_again_and_never_paid_again() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    let price = "USD:0.03".parse().unwrap();
    world.run(wallet.pay(SHOP, "coins", price)).unwrap();
    let again = world.run(wallet.pay(SHOP, "coins", price)).unwrap();
    assert!(!again.charged);
    let text = world.run(wallet.open_article(SHOP, "coins")).unwrap();
    assert!(text.html.contains("The whole of"));
    assert_eq!(world.outside.borrow().center.posted(StepKind::Payment), 1);
    let error = world.run(wallet.open_article(SHOP, "bread")).unwrap_err();
    assert!(error.is(Problem::NotOwned));
    assert_eq!(world.run(wallet.library()).unwrap().len(), 1);
}

#[test]
fn a_double_click_pays_once() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    let price = "USD:0.03".parse().unwrap();
    let (first, second) = world
        .run(futures_util::future::join(wallet.pay(SHOP, "coins", price), wallet.pay(SHOP, "coins", price)));
    let charged = [first.unwrap().charged, second.unwrap().charged];
    assert_eq!(charged.iter().filter(|charged| **charged).count(), 1);
    assert_eq!(world.balance(), "USD:0.01");
    world.assert_at_rest();
}

#[test]
fn too_little_e_cash_charges_nothing_and_says_so() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    let error = world.run(wallet.pay(SHOP, "trains", "USD:0.12".parse().unwrap())).unwrap_err();
    assert!(error.is_refusal(ErrorCode::BalanceInsufficient), "{error:?}");
    assert_eq!(error.money, Money::Untouched);
    assert_eq!(world.faults.count("/api/v1/payment"), 0, "it is not even sent");
    world.assert_at_rest();
}

#[test]
fn a_price_above_the_approved_one_is_not_paid() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    let approved = "USD:0.02".parse().unwrap();
    let error = world.run(wallet.pay(SHOP, "coins", approved)).unwrap_err();
    assert!(error.is(Problem::PriceChanged), "{error:?}");
    world.outside.borrow_mut().shop.prices.insert("coins".into(), "USD:0.01".parse().unwrap());
    assert!(world.run(wallet.pay(SHOP, "coins", approved)).unwrap().charged, "fewer is fine");
    assert_eq!(world.balance(), "USD:0.03");
}

#[test]
fn an_article_that_the_shop_does_not_have_is_not_paid() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    let error = world.run(wallet.pay(SHOP, "nothing", "USD:1".parse().unwrap())).unwrap_err();
    assert!(error.is_refusal(ErrorCode::ArticleUnknown), "{error:?}");
}

#[test]
fn expired_scrip_is_renewed_and_the_payment_goes_on() {
    let world = World::with_four_cents();
    world.wait(Duration::from_days(400));
    let wallet = world.wallet();
    assert!(world.run(wallet.pay(SHOP, "coins", "USD:0.03".parse().unwrap())).unwrap().charged);
    assert_eq!(world.balance(), "USD:0.01");
    world.assert_at_rest();
}

#[test]
fn an_open_payment_is_taken_back_or_found_to_be_done() {
    // Each point of a payment, cancelled there.
    let base = World::with_four_cents();
    let (mut cancelled, mut too_late) = (0, 0);
    for points in 0.. {
        let world = base.copy();
        let wallet = world.wallet();
        world.faults.crash_after(points);
        let price = "USD:0.03".parse().unwrap();
        if world.run_until_crash(wallet.pay(SHOP, "coins", price)).is_some() {
            break;
        }
        world.faults.mend();
        let wallet = world.wallet();
        let Some(open) = world.run(wallet.pending()).unwrap().pop() else { continue };
        assert!(open.cancellable);
        match world.run(wallet.cancel(&open.id)) {
            Ok(()) => {
                cancelled += 1;
                assert_eq!(world.balance(), "USD:0.04");
                let entry = &world.run(wallet.history(None, 1)).unwrap()[0];
                assert_eq!(entry.kind, EntryKind::Cancelled);
            }
            Err(error) => {
                too_late += 1;
                assert!(error.is(Problem::TooLate), "{error:?}");
                assert_eq!(error.money, Money::Moved);
                assert_eq!(world.balance(), "USD:0.01");
                assert_eq!(world.run(wallet.library()).unwrap().len(), 1);
            }
        }
        world.assert_at_rest();
        let gone = world.run(wallet.cancel(&open.id)).unwrap_err();
        assert!(gone.is(Problem::OperationUnknown));
    }
    assert!(cancelled > 3 && too_late > 0, "{cancelled} cancelled, {too_late} too late");
}

#[test]
fn the_history_comes_in_pages_newest_first() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    world.run(wallet.pay(SHOP, "bread", "USD:0.01".parse().unwrap())).unwrap();
    world.run(wallet.pay(SHOP, "coins", "USD:0.03".parse().unwrap())).unwrap();
    let first = world.run(wallet.history(None, 2)).unwrap();
    let second = world.run(wallet.history(Some(first[1].number), 10)).unwrap();
    let numbers: Vec<u64> = first.iter().chain(&second).map(|entry| entry.number).collect();
    assert_eq!(numbers, [4, 3, 2, 1]);
    assert!(world.run(wallet.history(Some(1), 10)).unwrap().is_empty());
    let error = world.run(wallet.history_detail(99)).unwrap_err();
    assert!(error.is(Problem::EntryUnknown));
}
