//! Earning (spec/01, figure 2).

use std::cell::Cell;

use tuppence_protocol::ErrorCode;
use tuppence_protocol::scrip::center::StepKind;
use tuppence_wallet::view::{CampaignState, EntryKind};
use tuppence_wallet::{Money, Problem};

use crate::sim::{CENTER, SHOP, World};

fn state(world: &World, item: &str) -> CampaignState {
    let wallet = world.wallet();
    let campaigns = world.run(wallet.campaigns(SHOP)).unwrap();
    campaigns.into_iter().find(|campaign| campaign.item == item).unwrap().state
}

#[test]
fn a_right_answer_earns_its_reward_and_says_how() {
    let world = World::new();
    let wallet = world.wallet();
    world.run(wallet.register(|_| ())).unwrap();
    assert_eq!(state(&world, "quiz"), CampaignState::Open);
    let detail = world.run(wallet.campaign(SHOP, "quiz")).unwrap();
    assert_eq!((detail.card.questions, detail.questions.len()), (1, 1));

    let earned = world.run(wallet.earn(SHOP, "quiz", &["b".into()])).unwrap();
    assert_eq!(earned.entry.kind, EntryKind::Earned);
    assert_eq!(earned.entry.change.amount.to_string(), "USD:0.04");
    assert_eq!(earned.document.as_deref(), Some("<p>The whole of quiz.</p>"), "M7 came beside the money");
    assert_eq!(state(&world, "quiz"), CampaignState::Earned);
    world.assert_at_rest();

    let detail = world.run(wallet.history_detail(earned.entry.number)).unwrap();
    let mut names: Vec<_> = detail.exchange.iter().map(|step| step.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["E1", "E2", "M1", "M2", "M3", "M4", "M5", "M6", "M7", "Receipt"]);
}

#[test]
fn a_wrong_answer_is_said_kindly_and_cannot_be_mended() {
    let world = World::new();
    let wallet = world.wallet();
    world.run(wallet.register(|_| ())).unwrap();
    let error = world.run(wallet.earn(SHOP, "quiz", &["a".into()])).unwrap_err();
    assert!(error.is_refusal(ErrorCode::AnswerWrong));
    assert_eq!(error.document.as_deref(), Some("<p>Not this time.</p>"), "GM2_2 says why");
    assert_eq!(error.money, Money::Untouched);
    assert_eq!(state(&world, "quiz"), CampaignState::Missed);
    let again = world.run(wallet.earn(SHOP, "quiz", &["b".into()])).unwrap_err();
    assert!(again.is_refusal(ErrorCode::AlreadyAnswered));
    world.assert_at_rest();
}

#[test]
fn a_spent_campaign_pays_nothing_and_says_so() {
    let world = World::with_four_cents();
    world.outside.borrow_mut().center.exhaust_campaign();
    let wallet = world.wallet();
    let error = world.run(wallet.earn(SHOP, "spot", &["a".into()])).unwrap_err();
    assert!(error.is_refusal(ErrorCode::CampaignExhausted), "{error:?}");
    assert_eq!(world.balance(), "USD:0.04");
    assert!(world.run(wallet.pending()).unwrap().is_empty());
}

#[test]
fn a_reward_beyond_the_purses_limit_waits_until_there_is_room() {
    let world = World::with_four_cents();
    world.outside.borrow_mut().center.center.policy.balance_max = "USD:0.05".parse().unwrap();
    let wallet = world.wallet();
    let error = world.run(wallet.earn(SHOP, "spot", &["a".into()])).unwrap_err();
    assert!(error.is_refusal(ErrorCode::BalanceLimit), "{error:?}");
    assert_eq!(state(&world, "spot"), CampaignState::Pending);
    world.run(wallet.pay(SHOP, "coins", "USD:0.03".parse().unwrap())).unwrap();
    assert!(world.run(wallet.resume()).unwrap().is_empty());
    assert_eq!(world.balance(), "USD:0.03");
    world.assert_at_rest();
}

#[test]
fn answers_that_do_not_fit_the_questions_are_not_sent() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    let before = world.faults.count("/api/v1/earn");
    for answers in [vec![], vec!["a".to_owned(), "b".to_owned()], vec!["x".repeat(2_001)]] {
        let error = world.run(wallet.earn(SHOP, "spot", &answers)).unwrap_err();
        assert!(error.is(Problem::AnswerInvalid), "{error:?}");
    }
    assert_eq!(world.faults.count("/api/v1/earn"), before);
}

#[test]
fn the_attestation_of_a_shop_is_asked_for_once() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    world.run(wallet.earn(SHOP, "spot", &["a".into()])).unwrap();
    world.run(wallet.earn(SHOP, "survey", &["a".into()])).unwrap();
    assert_eq!(world.faults.count("/api/v1/earner"), 1);
    assert_eq!(world.outside.borrow().center.posted(StepKind::Issue), 3);
}

#[test]
fn an_answer_from_before_waits_while_another_reward_is_on_its_way() {
    let world = World::new();
    let wallet = world.wallet();
    world.run(wallet.register(|_| ())).unwrap();
    let garble = |reply: &mut serde_json::Value| *reply = serde_json::Value::Null;
    // An answer without its M2, then an M4 whose M5 does not come.
    world.faults.forge(format!("{SHOP}/api/v1/earn"), garble);
    world.run(wallet.earn(SHOP, "spot", &["a".into()])).unwrap_err();
    world.faults.forge(format!("{CENTER}/api/v1/issue"), garble);
    world.run(wallet.earn(SHOP, "quiz", &["b".into()])).unwrap_err();
    assert_eq!(world.run(wallet.pending()).unwrap().len(), 2);

    // The center's word is lost once more, as often as the wallet asks; then it comes.
    let lost = Cell::new(0);
    world.faults.forge(format!("{CENTER}/api/v1/issue"), move |reply| {
        lost.set(lost.get() + 1);
        if lost.get() <= 4 {
            *reply = serde_json::Value::Null;
        }
    });
    world.run(wallet.resume()).unwrap();
    world.faults.honest();
    world.run(wallet.resume()).unwrap();
    world.assert_at_rest();
}
