//! M1 to M7.

use std::future::pending;

use tuppence_protocol::scrip::issue::IssuePermitted;
use tuppence_protocol::scrip::relay::Outcome;

use super::*;

fn hours(hours: u64) -> tuppence_protocol::Duration {
    tuppence_protocol::Duration::from_minutes(60 * hours)
}

fn m2(permission: &Permission) -> IssuePermitted {
    serde_json::from_str(&permission.0).unwrap()
}

fn stand_with_budget(center_origin: &str) -> Stand {
    let stand = stand(center_origin);
    set_aside(&stand.shop, "quiz", "USD:2");
    set_aside(&stand.shop, "survey", "USD:2");
    stand
}

#[tokio::test]
async fn right_answers_get_gm2_1_and_the_same_m1_gets_the_same_bytes_after_a_restart_too() {
    let stand = stand_with_budget("http://127.0.0.1:1");
    let first = stand.shop.answer(m1("quiz", &["b"], 1)).await.unwrap();
    let offer = m2(&first).offer;
    assert!(offer.holds(&vendor_secret()));
    assert_eq!((offer.value.to_string().as_str(), offer.item.as_str()), ("USD:0.04", "quiz"));
    stand.clock.advance(tuppence_protocol::Duration::from_minutes(5));
    assert_eq!(stand.shop.answer(m1("quiz", &["b"], 1)).await.unwrap(), first);

    let settings = stand.shop.settings().clone();
    let Stand { shop, clock, root } = stand;
    drop(shop);
    let again = open(settings, &clock);
    assert_eq!(again.answer(m1("quiz", &["b"], 1)).await.unwrap(), first);
    drop(root);
}

#[tokio::test]
async fn wrong_answers_get_gm2_2_and_there_is_no_second_try() {
    let stand = stand_with_budget("http://127.0.0.1:1");
    for _ in 0..2 {
        let declined = stand.shop.answer(m1("quiz", &["a"], 1)).await.unwrap_err();
        assert_eq!(declined.refusal.code, ErrorCode::AnswerWrong);
        assert_eq!(declined.reply.unwrap().header.cmd_type, Code::Gm2_2);
    }
    let declined = stand.shop.answer(m1("quiz", &["b"], 1)).await.unwrap_err();
    assert_eq!(declined.refusal.code, ErrorCode::AlreadyAnswered);
    assert_eq!(declined.reply.unwrap().header.cmd_type, Code::Gm2_2);
}

#[tokio::test]
async fn after_a_right_answer_another_one_is_refused() {
    let stand = stand_with_budget("http://127.0.0.1:1");
    stand.shop.answer(m1("survey", &["a", "A book"], 1)).await.unwrap();
    let declined = stand.shop.answer(m1("survey", &["b", "A book"], 1)).await.unwrap_err();
    assert_eq!(declined.refusal.code, ErrorCode::AlreadyAnswered);
    let kept = stand.shop.store().blocking().answers(&"survey".parse().unwrap()).unwrap();
    assert_eq!(kept.iter().map(|answer| answer.answer.as_str()).collect::<Vec<_>>(), ["a", "A book"]);
}

#[tokio::test]
async fn many_tries_at_once_are_one_try() {
    let stand = stand_with_budget("http://127.0.0.1:1");
    let tries = (0..16).map(|number| {
        let shop = stand.shop.clone();
        tokio::spawn(async move {
            shop.answer(m1("quiz", if number % 2 == 0 { &["a"] } else { &["b"] }, 1)).await
        })
    });
    let mut permissions = Vec::new();
    let mut wrong = 0;
    for answer in tries.collect::<Vec<_>>() {
        match answer.await.unwrap() {
            Ok(permission) => permissions.push(permission),
            Err(declined) if declined.refusal.code == ErrorCode::AnswerWrong => wrong += 1,
            Err(declined) => assert_eq!(declined.refusal.code, ErrorCode::AlreadyAnswered),
        }
    }
    assert!(permissions.is_empty() || wrong == 0, "both answers were graded");
    assert!(permissions.windows(2).all(|pair| pair[0] == pair[1]), "two offers are out");
}

#[tokio::test]
async fn right_and_wrong_have_the_same_length() {
    let stand = stand_with_budget("http://127.0.0.1:1");
    let permission = stand.shop.answer(m1("quiz", &["b"], 1)).await.unwrap();
    stand.shop.answer(m1("quiz", &["a"], 2)).await.unwrap_err();
    let stored = |earner: u8| {
        let earner = EarnerId::from_bytes([earner; 32]);
        stand.shop.store().blocking().attempt(earner, &"quiz".parse().unwrap()).unwrap().unwrap().reply
    };
    assert_eq!(stored(1), permission.0);
    assert_eq!(stored(1).len(), stored(2).len());
}

#[tokio::test]
async fn answers_that_are_none_use_up_no_try() {
    let stand = stand_with_budget("http://127.0.0.1:1");
    for (m1, code) in [
        (m1("quiz", &[], 1), ErrorCode::AnswerMalformed),
        (m1("quiz", &["c"], 1), ErrorCode::AnswerMalformed),
        (m1("none", &["b"], 1), ErrorCode::ItemUnknown),
    ] {
        let declined = stand.shop.answer(m1).await.unwrap_err();
        assert_eq!(declined.refusal.code, code);
        assert_eq!(declined.reply.unwrap().header.cmd_type, Code::Gm2_2);
    }
    let mut invented = m1("quiz", &["b"], 1);
    invented.earner.earner = EarnerId::from_bytes([9; 32]);
    assert_eq!(stand.shop.answer(invented).await.unwrap_err().refusal.code, ErrorCode::EarnerUnattested);
    assert!(stand.shop.answer(m1("quiz", &["b"], 1)).await.is_ok());
}

#[tokio::test]
async fn a_budget_that_is_spent_or_unknown_uses_up_no_try() {
    let stand = stand("http://127.0.0.1:1");
    let code = async || stand.shop.answer(m1("quiz", &["a"], 1)).await.unwrap_err().refusal.code;
    assert_eq!(code().await, ErrorCode::CenterUnreachable);
    set_aside(&stand.shop, "quiz", "USD:0.039999");
    assert_eq!(code().await, ErrorCode::CampaignExhausted);
    set_aside(&stand.shop, "quiz", "USD:0.04");
    assert!(stand.shop.answer(m1("quiz", &["b"], 1)).await.is_ok());
}

#[tokio::test]
async fn a_fresh_offer_comes_only_when_the_old_one_can_never_be_taken() {
    let (center, origin) = fake_center::serve().await;
    center.hurried.store(true, Ordering::SeqCst);
    let stand = stand_with_budget(&origin);
    let ask = async || stand.shop.answer(m1("quiz", &["b"], 1)).await.unwrap();
    let first = ask().await;

    // Just expired: the center may have taken it in time, and its clock may be behind.
    stand.clock.advance(tuppence_protocol::Duration::from_minutes(61));
    assert_eq!(ask().await, first);
    // Long expired by the shop's clock, not by the center's.
    stand.clock.advance(hours(2));
    assert_eq!(ask().await, first);
    // By both.
    center.now.store(NOW.plus(hours(3)).as_millis(), Ordering::SeqCst);
    let second = ask().await;
    assert_ne!(m2(&second).offer.tran_id, m2(&first).offer.tran_id);
    assert_eq!(ask().await, second);

    // Paid: never another one.
    let tran_id = m2(&second).offer.tran_id;
    center.end(tran_id, Outcome::Posted(receipt(ReceiptKind::Issue, tran_id, "quiz", "USD:0.04")));
    stand.clock.advance(hours(48));
    center.now.store(NOW.plus(hours(100)).as_millis(), Ordering::SeqCst);
    assert_eq!(ask().await, second);
}

#[tokio::test]
async fn a_voided_offer_is_replaced_once_it_has_expired() {
    let (center, origin) = fake_center::serve().await;
    let stand = stand_with_budget(&origin);
    let ask = async || stand.shop.answer(m1("quiz", &["b"], 1)).await.unwrap();
    let first = ask().await;
    center.end(m2(&first).offer.tran_id, Outcome::Voided);
    assert_eq!(ask().await, first);
    stand.clock.advance(tuppence_protocol::Duration::from_minutes(61));
    let second = ask().await;
    assert_ne!(m2(&second).offer.tran_id, m2(&first).offer.tran_id);
}

#[tokio::test]
async fn after_the_campaigns_end_a_dead_offer_is_said_to_be_dead() {
    let (center, origin) = fake_center::serve().await;
    let stand = stand_with_budget(&origin);
    let first = stand.shop.answer(m1("quiz", &["b"], 1)).await.unwrap();
    stand.clock.advance(tuppence_protocol::Duration::from_minutes(61));
    std::fs::remove_file(stand.root.path().join("campaigns/quiz.toml")).unwrap();
    stand.shop.reload();
    center.hurried.store(true, Ordering::SeqCst);
    assert_eq!(
        stand.shop.answer(m1("quiz", &["b"], 1)).await.unwrap(),
        first,
        "it may have been taken in time"
    );

    center.end(m2(&first).offer.tran_id, Outcome::Voided);
    let declined = stand.shop.answer(m1("quiz", &["b"], 1)).await.unwrap_err();
    assert_eq!(declined.refusal.code, ErrorCode::ItemUnknown);
}

#[tokio::test]
async fn a_word_that_came_after_the_wallet_had_given_up_is_there_when_it_asks_again() {
    let (center, origin) = fake_center::serve().await;
    let stand = stand_with_budget(&origin);
    let ask = || stand.shop.answer(m1("quiz", &["b"], 1));
    ask().await.unwrap();
    stand.clock.advance(hours(3));
    center.now.store(NOW.plus(hours(3)).as_millis(), Ordering::SeqCst);
    std::fs::remove_file(stand.root.path().join("campaigns/quiz.toml")).unwrap();
    stand.shop.reload();
    let held = async {
        while center.asked.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        answer = ask() => panic!("the center holds the question: {answer:?}"),
        () = held => {}
    }
    center.release();
    assert_eq!(ask().await.unwrap_err().refusal.code, ErrorCode::ItemUnknown);
    center.hurried.store(false, Ordering::SeqCst);
    let again = tokio::time::timeout(Duration::from_secs(20), ask()).await.unwrap();
    assert_eq!(again.unwrap_err().refusal.code, ErrorCode::ItemUnknown);
    assert_eq!(center.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_word_from_before_the_centers_clock_was_set_back_gives_out_no_second_offer() {
    let (center, origin) = fake_center::serve().await;
    let stand = stand_with_budget(&origin);
    let ask = || stand.shop.answer(m1("quiz", &["b"], 1));
    let first = ask().await.unwrap();
    stand.clock.advance(hours(3));
    center.now.store(NOW.plus(hours(3)).as_millis(), Ordering::SeqCst);
    center.hurried.store(true, Ordering::SeqCst);
    let file = stand.root.path().join("campaigns/quiz.toml");
    let campaign = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    stand.shop.reload();
    assert_eq!(ask().await.unwrap_err().refusal.code, ErrorCode::ItemUnknown);
    // The campaign is there again, and by the center's clock the first offer is good.
    std::fs::write(&file, campaign).unwrap();
    stand.shop.reload();
    center.now.store(NOW.as_millis(), Ordering::SeqCst);
    assert_eq!(ask().await.unwrap(), first);
}

#[tokio::test]
async fn a_campaign_that_the_center_does_not_fund_has_no_rewards_and_uses_up_no_try() {
    let (_center, origin) = fake_center::serve().await;
    let stand = stand(&origin);
    let code = async || stand.shop.answer(m1("survey", &["Tea"], 1)).await.unwrap_err().refusal.code;
    assert_eq!(code().await, ErrorCode::CenterUnreachable, "the center has not been asked");
    stand.shop.fund_all().await;
    assert_eq!(code().await, ErrorCode::CampaignExhausted);
    let campaigns = stand.shop.campaigns_view().campaigns;
    let survey = campaigns.iter().find(|campaign| campaign.item.as_str() == "survey").unwrap();
    assert_eq!(survey.remaining, Some(0));
    // Money has come.
    set_aside(&stand.shop, "survey", "USD:1");
    assert_ne!(
        stand.shop.campaigns_view().campaigns.iter().find(|c| c.item.as_str() == "survey").unwrap().remaining,
        Some(0)
    );
}

#[tokio::test]
async fn an_expired_offer_stays_while_the_center_is_away() {
    let stand = stand_with_budget("http://127.0.0.1:1");
    let first = stand.shop.answer(m1("quiz", &["b"], 1)).await.unwrap();
    stand.clock.advance(hours(48));
    assert_eq!(stand.shop.answer(m1("quiz", &["b"], 1)).await.unwrap(), first);
}

#[tokio::test]
async fn m3_is_answered_with_what_was_issued() {
    let (center, origin) = fake_center::serve().await;
    let stand = stand_with_budget(&origin);
    let tran_id = m2(&stand.shop.answer(m1("quiz", &["b"], 1)).await.unwrap()).offer.tran_id;
    center.end(tran_id, Outcome::Posted(receipt(ReceiptKind::Issue, tran_id, "quiz", "USD:0.04")));
    let delivered = stand.shop.deliver_reward(&init(Code::Gm3_1, tran_id), pending()).await.unwrap();
    let Delivered::Document(delivery) = delivered else { panic!("not delivered") };
    assert_eq!((delivery.header.cmd_type, delivery.title.as_str()), (Code::Gm7_1, "Coins"));
    assert_eq!(delivery.document.as_str(), "<p>Thank you. Mint has paid you 4¢.</p>");

    center.end(tran(9), Outcome::Voided);
    let declined = stand.shop.deliver_reward(&init(Code::Gm3_1, tran(9)), pending()).await.unwrap_err();
    assert_eq!(declined.refusal.code, ErrorCode::TransactionVoided);
}

#[tokio::test]
async fn m3_without_a_confirmation_says_where_to_ask_again() {
    let (_center, origin) = fake_center::serve().await;
    let stand = stand_with(&origin, |settings| Settings { hold: Duration::from_millis(30), ..settings });
    let delivered = stand.shop.deliver_reward(&init(Code::Gm3_1, tran(1)), pending()).await.unwrap();
    let Delivered::Unconfirmed(unconfirmed) = delivered else { panic!("delivered") };
    assert_eq!(
        (unconfirmed.header.cmd_type, unconfirmed.ask_again.as_str()),
        (Code::Gm7_2, "/api/v1/earn/deliver")
    );
}
