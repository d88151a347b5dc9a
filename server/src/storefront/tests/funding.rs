//! Budgets, and how the shop gets to know its center.

use super::*;

/// Waits until `seen` is true of what the shop has done.
async fn until(what: &str, mut seen: impl FnMut() -> bool) {
    let wait = async {
        while !seen() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.unwrap_or_else(|_| panic!("{what}: not seen"));
}

fn last(center: &fake_center::Center, item: &str) -> Option<String> {
    let funded = center.funded.lock().unwrap();
    funded.iter().rev().find(|(known, _)| known == item).map(|(_, budget)| budget.to_string())
}

#[tokio::test]
async fn a_new_shop_meets_its_center_and_sets_budgets_aside() {
    let (center, origin) = fake_center::serve().await;
    let root = tempfile::tempdir().unwrap();
    for (file, text) in
        [("content/bread.md", BREAD), ("campaigns/quiz.toml", QUIZ), ("campaigns/survey.toml", SURVEY)]
    {
        let path = root.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let settings = settings(root.path(), &origin);
    let http = client(Duration::from_secs(10)).unwrap();
    let shop = Storefront::open(settings.clone(), TestClock::new(), http.clone()).unwrap();
    let running = shop.start();
    until("both budgets", || last(&center, "quiz").is_some() && last(&center, "survey").is_some()).await;
    let left = |item: &str| {
        let campaign = shop.campaigns().find(&item.parse().unwrap()).cloned().unwrap();
        shop.rewards_left(&campaign)
    };
    // The center has heard of both before the shop has its answers.
    until("what is left", || left("quiz") == Some(50) && left("survey") == Some(0)).await;
    assert_eq!(last(&center, "quiz").unwrap(), "USD:2");
    // The center refused the survey's budget: nobody shall answer it for nothing.
    let declined = shop.answer(m1("survey", &["a", "x"], 1)).await.unwrap_err();
    assert_eq!(declined.refusal.code, ErrorCode::CampaignExhausted);
    drop(running);

    // The next start needs no center to sell.
    let again = Storefront::open(settings, TestClock::new(), http).unwrap();
    assert!(again.quote(&selling::s1("https://shop.example/articles/bread")).await.is_ok());
}

#[tokio::test]
async fn a_removed_or_ended_campaign_gives_its_rest_back_when_no_offer_is_out() {
    let (center, origin) = fake_center::serve().await;
    let stand = stand(&origin);
    stand.shop.fund_all().await;
    stand.shop.answer(m1("quiz", &["b"], 1)).await.unwrap();
    std::fs::remove_file(stand.root.path().join("campaigns/quiz.toml")).unwrap();
    stand.shop.reload();
    stand.shop.fund_all().await;
    assert_eq!(last(&center, "quiz").unwrap(), "USD:2", "an offer is still out");
    stand.clock.advance(tuppence_protocol::Duration::from_minutes(61));
    stand.shop.fund_all().await;
    assert_eq!(last(&center, "quiz").unwrap(), "USD:0");

    let ended = QUIZ.replace("budget = 2", "budget = 2\nend = 2026-12-31");
    std::fs::write(stand.root.path().join("campaigns/ended.toml"), ended).unwrap();
    stand.shop.reload();
    stand.shop.fund_all().await;
    assert_eq!(last(&center, "ended").unwrap(), "USD:0");
    assert_eq!(stand.shop.campaigns_view().campaigns.len(), 1);
}
