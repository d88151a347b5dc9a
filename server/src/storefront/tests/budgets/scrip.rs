//! The shop's own scrip (spec/02).

use super::*;

async fn buys(market: &Market, holding: &Holding, url: &str) -> Result<(Holding, ScripSale), Refusal> {
    let paid = pays(holding, url);
    let sale = market.shop().sell_for_scrip(paid.request.clone()).await?;
    Ok((received(&paid, &sale), sale))
}

#[tokio::test]
async fn scrip_buys_with_change_and_a_lost_reply_is_answered_again_byte_for_byte() {
    let mut market = Market::open().await;
    let first = holding(&market.center, 0, "USD:0.08");
    market.down(true);
    let paid = pays(&first, BREAD_URL);
    let lost = bytes(&market.shop().sell_for_scrip(paid.request.clone()).await.unwrap());
    std::fs::remove_file(market.stand.root.path().join("content/bread.md")).unwrap();
    market.kill();
    let sale = market.shop().sell_for_scrip(paid.request.clone()).await.unwrap();
    assert_eq!(bytes(&sale), lost);
    let second = received(&paid, &sale);
    assert_eq!(second.value().to_string(), "USD:0.05");
    market.kill();
    let (third, _) = buys(&market, &second, TRAM_URL).await.unwrap();
    assert_eq!(third.value().to_string(), "USD:0.02");
    assert!(third.pay(TRAM_URL.parse().unwrap(), "USD:0.03".parse().unwrap()).is_err());
    // The old scrip buys nothing else, and nothing again: whoever paid with its change has its answer.
    for request in [pays(&first, TRAM_URL).request, paid.request] {
        let refused = market.shop().sell_for_scrip(request).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::VendorScripSpent);
    }
}

#[tokio::test]
async fn of_64_requests_with_one_scrip_one_wins_and_all_like_it_get_its_bytes() {
    let market = Market::open().await;
    let held = holding(&market.center, 0, "USD:0.5");
    let asked = (0..64).map(|number| {
        let request = pays(&held, if number % 2 == 0 { BREAD_URL } else { TRAM_URL }).request;
        let shop = market.shop().clone();
        tokio::spawn(async move { shop.sell_for_scrip(request).await })
    });
    let (mut sold, mut refused) = (Vec::new(), 0);
    for asked in asked.collect::<Vec<_>>() {
        match asked.await.unwrap() {
            Ok(sale) => sold.push(bytes(&sale)),
            Err(refusal) => {
                assert_eq!(refusal.code, ErrorCode::VendorScripSpent);
                refused += 1;
            }
        }
    }
    assert_eq!((sold.len(), refused), (32, 32));
    assert!(sold.iter().all(|sale| *sale == sold[0]));
    market.shop().settle_all().await.unwrap();
    let settlements = market.center.settlements.lock().unwrap().clone();
    assert_eq!(settlements.len(), 1);
    assert_eq!(settlements[0].redeemed.to_string(), "USD:0.03");
}

#[tokio::test]
async fn scrip_of_another_shop_forged_or_expired_buys_nothing() {
    let market = Market::open().await;
    let held = holding(&market.center, 0, "USD:0.5");
    let live = held.live().unwrap().clone();
    let sell = async |request| market.shop().sell_for_scrip(request).await.unwrap_err().code;
    let secret = market.center.licences.lock().unwrap().last_key_value().unwrap().1.clone();
    let customer = secret.customer(live.scrip.customer_id).unwrap();
    let made = |change: &dyn Fn(VendorScripBody) -> VendorScripBody, master: &Secret| {
        holding_of(&VendorScrip::new(change(live.scrip.clone()), master), &customer)
    };
    let foreign =
        made(&|body| VendorScripBody { vendor_id: server("other.example"), ..body }, &secret.scrip_secret);
    let richer = {
        let body = VendorScripBody { value: "USD:5".parse().unwrap(), ..live.scrip.clone() };
        holding_of(&VendorScrip { scrip: body, ..live.clone() }, &customer)
    };
    let own = made(&|body| body, &Secret::from_bytes([1; 32]));
    let stolen = holding_of(&live, &Secret::from_bytes([2; 32]));
    for (name, holding) in [("foreign", foreign), ("richer", richer), ("own", own), ("stolen", stolen)] {
        assert_eq!(sell(pays(&holding, BREAD_URL).request).await, ErrorCode::VendorScripInvalid, "{name}");
    }
    let other_price = held.pay(BREAD_URL.parse().unwrap(), "USD:0.01".parse().unwrap()).unwrap();
    assert_eq!(sell(other_price.request).await, ErrorCode::VendorScripInvalid);
    let nothing = pays(&held, "https://shop.example/articles/none");
    assert_eq!(sell(nothing.request).await, ErrorCode::ArticleUnknown);
    let (rest, _) = buys(&market, &held, BREAD_URL).await.unwrap();
    market.stand.clock.advance(Duration::from_days(31));
    assert_eq!(sell(pays(&rest, BREAD_URL).request).await, ErrorCode::VendorScripExpired);
    // Its answer is still there; after the grace, nothing is.
    market.shop().sell_for_scrip(pays(&held, BREAD_URL).request).await.unwrap();
    market.stand.clock.advance(Duration::from_days(8));
    market.shop().forget().await;
    assert_ne!(sell(pays(&held, BREAD_URL).request).await, ErrorCode::Fault);
    assert_eq!(sell(pays(&rest, BREAD_URL).request).await, ErrorCode::VendorScripSpent);
}

#[tokio::test]
async fn what_was_redeemed_while_the_center_was_away_is_settled_once_and_the_rest_is_sold_back() {
    let mut market = Market::open().await;
    let mut held = holding(&market.center, 0, "USD:1");
    market.down(true);
    for _ in 0..10 {
        (held, _) = buys(&market, &held, BREAD_URL).await.unwrap();
    }
    assert!(market.shop().settle_all().await.is_err());
    market.kill();
    market.down(false);
    market.losing(true);
    assert!(market.shop().settle_all().await.is_err());
    market.losing(false);
    market.kill();
    market.shop().settle_all().await.unwrap();
    let ended = market.shop().end_purchase(held.give_back()).await.unwrap();
    market.kill();
    let again = market.shop().end_purchase(held.give_back()).await.unwrap();
    assert_eq!(bytes(&again), bytes(&ended));
    market.shop().settle_all().await.unwrap();
    market.shop().settle_all().await.unwrap();
    let settlements = market.center.settlements.lock().unwrap().clone();
    let sent: Vec<_> = settlements.iter().map(|sent| (sent.redeemed.to_string(), sent.last)).collect();
    let redeemed = || "USD:0.3".to_owned();
    // The first one's answer was lost; the same was sent again.
    assert_eq!(sent, [(redeemed(), false), (redeemed(), false), (redeemed(), true)]);
    assert_eq!(bytes(&settlements[0]), bytes(&settlements[1]));
    let refused = market.shop().sell_for_scrip(pays(&held, BREAD_URL).request).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::BudgetEnded);
}

#[tokio::test]
async fn whoever_holds_a_purchase_is_told_how_it_stands_and_it_goes_on() {
    let market = Market::open().await;
    let held = holding(&market.center, 0, "USD:0.5");
    let standing = async |held: &Holding| market.shop().standing(held.give_back()).await;
    let fresh = standing(&held).await.unwrap();
    assert_eq!((fresh.redeemed.to_string(), fresh.ended), ("USD:0".to_owned(), false));
    let (rest, _) = buys(&market, &held, BREAD_URL).await.unwrap();
    // The wallet has the scrip that was bought, the page its change: both may ask, and neither ends it.
    for held in [&held, &rest] {
        assert_eq!(standing(held).await.unwrap().redeemed.to_string(), "USD:0.03");
    }
    let (rest, _) = buys(&market, &rest, TRAM_URL).await.unwrap();
    market.shop().end_purchase(rest.give_back()).await.unwrap();
    let ended = standing(&held).await.unwrap();
    assert_eq!((ended.redeemed.to_string(), ended.ended), ("USD:0.06".to_owned(), true));
    let stolen = holding_of(held.live().unwrap(), &Secret::from_bytes([2; 32]));
    assert_eq!(standing(&stolen).await.unwrap_err().code, ErrorCode::VendorScripInvalid);
}

#[tokio::test]
async fn whoever_holds_a_purchase_is_told_what_it_bought_in_order_ended_or_not() {
    let mut market = Market::open().await;
    let first = holding(&market.center, 0, "USD:2");
    let other = holding(&market.center, 1, "USD:0.5");
    let bought = async |market: &Market, held: &Holding, after| {
        market.shop().bought(AskBought { message: held.give_back(), after }).await
    };
    assert!(bought(&market, &first, 0).await.unwrap().articles.is_empty());
    let (mut held, _) = buys(&market, &first, TRAM_URL).await.unwrap();
    buys(&market, &other, BREAD_URL).await.unwrap();
    let (change, sale) = buys(&market, &held, BREAD_URL).await.unwrap();
    held = change;
    market.kill();
    // The wallet has the scrip that was bought, the page its change.
    for held in [&first, &held] {
        let ScripBought { articles, more } = bought(&market, held, 0).await.unwrap();
        let titles: Vec<_> = articles.iter().map(|article| article.title.as_str()).collect();
        assert_eq!((titles, more), (vec!["Tram", "Bread"], false));
        assert_eq!(bytes(&articles[1].receipt), bytes(&sale.delivery.receipt));
        market.shop().open_article(articles[0].receipt.clone()).await.unwrap();
        let later = bought(&market, held, articles[0].number).await.unwrap();
        assert_eq!(later.articles.len(), 1);
    }
    for _ in 0..51 {
        (held, _) = buys(&market, &held, TRAM_URL).await.unwrap();
    }
    market.shop().end_purchase(held.give_back()).await.unwrap();
    let page = bought(&market, &first, 0).await.unwrap();
    assert_eq!((page.articles.len(), page.more), (50, true));
    let rest = bought(&market, &first, page.articles[49].number).await.unwrap();
    assert_eq!((rest.articles.len(), rest.more), (3, false));
    let stolen = holding_of(first.live().unwrap(), &Secret::from_bytes([2; 32]));
    assert_eq!(bought(&market, &stolen, 0).await.unwrap_err().code, ErrorCode::VendorScripInvalid);
    // It is forgotten with its purchase.
    market.stand.clock.advance(Duration::from_days(38));
    market.shop().forget().await;
    let rows: u32 = market
        .shop()
        .store()
        .blocking()
        .read(|store| Ok(store.query_row("SELECT count(*) FROM bought", [], |row| row.get(0))?))
        .unwrap();
    assert_eq!(rows, 0);
}

#[tokio::test]
async fn licences_and_secrets_of_change_rotate_and_live_scrip_stays_good() {
    let mut market = Market::open().await;
    let old = holding(&market.center, 0, "USD:0.5");
    let (old, _) = buys(&market, &old, BREAD_URL).await.unwrap();
    market.shop().prepare().await.unwrap();
    assert_eq!(market.center.licences.lock().unwrap().len(), 1, "one licence is enough at first");
    let expires = NOW.plus(Duration::from_days(90));
    market.stand.clock.advance(Duration::from_days(46));
    market.kill();
    market.shop().prepare().await.unwrap();
    assert_eq!(market.center.licences.lock().unwrap().len(), 2, "in its second half, another one is made");
    let late = {
        let licences = market.center.licences.lock().unwrap();
        let first = licences.first_key_value().unwrap().1;
        let body = VendorScripBody {
            vendor_id: server("shop.example"),
            value: "USD:0.5".parse().unwrap(),
            id: first.terms.scrips.nth(1).unwrap(),
            customer_id: first.terms.customers.nth(1).unwrap(),
            expires,
            props: first.terms.props.clone(),
        };
        holding_of(
            &VendorScrip::new(body.clone(), &first.scrip_secret),
            &first.customer(body.customer_id).unwrap(),
        )
    };
    let (late, _) = buys(&market, &late, BREAD_URL).await.unwrap();
    market.stand.clock.advance(Duration::from_days(43));
    market.kill();
    market.shop().prepare().await.unwrap();
    let (late, _) = buys(&market, &late, BREAD_URL).await.unwrap();
    assert_eq!(late.value().to_string(), "USD:0.44");
    let change = |market: &Market| {
        let kept = market.shop().store().blocking().read(store::till::change_secrets);
        kept.unwrap().len()
    };
    market.stand.clock.advance(Duration::from_days(2));
    market.shop().prepare().await.unwrap();
    assert_eq!(change(&market), 2);
    market.stand.clock.advance(Duration::from_days(98));
    market.shop().prepare().await.unwrap();
    assert_eq!(change(&market), 2, "the first is gone, and a third one came");
    let refused = market.shop().sell_for_scrip(pays(&old, BREAD_URL).request).await.unwrap_err();
    assert_ne!(refused.code, ErrorCode::Fault);
}

#[tokio::test]
async fn a_licence_that_is_nearly_used_up_is_followed_by_another() {
    let market = Market::open().await;
    let (first, last) =
        (holding(&market.center, 74_998, "USD:0.5"), holding(&market.center, 74_999, "USD:0.5"));
    buys(&market, &first, BREAD_URL).await.unwrap();
    market.shop().prepare().await.unwrap();
    assert_eq!(market.center.licences.lock().unwrap().len(), 1);
    buys(&market, &last, BREAD_URL).await.unwrap();
    market.shop().prepare().await.unwrap();
    assert_eq!(market.center.licences.lock().unwrap().len(), 2);
    let next = holding(&market.center, 0, "USD:0.5");
    buys(&market, &next, BREAD_URL).await.unwrap();
}

#[tokio::test]
async fn a_licence_that_the_center_did_not_confirm_is_the_same_when_it_is_sent_again() {
    let (center, origin) = fake_center::serve().await;
    let mut stand = stand(&origin);
    center.losing.store(true, Ordering::SeqCst);
    assert!(stand.shop.prepare().await.is_err());
    assert!(stand.shop.license().await.is_err());
    stand.shop = open(stand.shop.settings.clone(), &stand.clock);
    assert!(stand.shop.budget_view().is_none());
    center.losing.store(false, Ordering::SeqCst);
    stand.clock.advance(Duration::from_days(1));
    stand.shop.prepare().await.unwrap();
    assert_eq!(center.licences.lock().unwrap().len(), 1);
    let market = Market { center, stand };
    let held = holding(&market.center, 0, "USD:0.5");
    let refused = market.shop().sell_for_scrip(pays(&held, TRAM_URL).request).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::ArticleUnknown);
    buys(&market, &held, BREAD_URL).await.unwrap();
}
