//! Texts that are sold by the part: each part for its tick, and nothing of the next one.

use super::*;

const WALK_URL: &str = "https://shop.example/articles/walk";
/// Five paragraphs are sold, in no more parts than the whole costs units.
const WALK: &str = "---\ntitle: Walk\nprice: 0.03\nmeter: paragraph\nunit: 0.01\n---\nIt begins.\n\n<!-- more -->\n\nZQX-ONE.\n\nZQX-TWO.\n\n\
    ## Over three\n\nZQX-THREE.\n\nZQX-FOUR.\n\nZQX-FIVE.\n";

fn part(number: &str) -> String {
    format!("{WALK_URL}/parts/{number}")
}

/// A shop that sells the walk, and scrip of it.
async fn open() -> (Market, Holding) {
    let market = Market::open().await;
    std::fs::write(market.stand.root.path().join("content/walk.md"), WALK).unwrap();
    market.shop().reload();
    let held = holding(&market.center, 0, "USD:0.08");
    (market, held)
}

async fn buys(market: &Market, holding: &Holding, url: &str) -> Result<(Holding, ScripSale), Refusal> {
    let paid = holding.pay(url.parse().unwrap(), "USD:0.01".parse().unwrap()).unwrap();
    let sale = market.shop().sell_for_scrip(paid.request.clone()).await?;
    Ok((received(&paid, &sale), sale))
}

#[tokio::test]
async fn each_part_is_handed_out_for_its_tick_and_all_cost_what_the_whole_does() {
    let (mut market, mut held) = open().await;
    market.down(true);
    let mut read = String::new();
    for (number, words) in [("1", "ZQX-ONE"), ("2", "ZQX-THREE"), ("3", "ZQX-FIVE")] {
        let (rest, sale) = buys(&market, &held, &part(number)).await.unwrap();
        let text = sale.delivery.document.as_str();
        assert!(text.contains(words), "{number}: {text}");
        read.push_str(text);
        held = rest;
        // Whoever stops here has paid for what was read, whatever happens to the shop.
        market.kill();
    }
    assert_eq!(held.value().to_string(), "USD:0.05");
    let whole = market.shop().article("walk").await.unwrap();
    let whole = whole.whole(catalogue::Entitlement::Receipt).as_str();
    for words in ["ZQX-ONE", "ZQX-TWO", "Over three", "ZQX-THREE", "ZQX-FOUR", "ZQX-FIVE"] {
        assert_eq!(read.matches(words).count(), 1, "{words}");
        assert_eq!(whole.matches(words).count(), 1, "{words}");
    }
    let refused = buys(&market, &held, &part("4")).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::ArticleUnknown);
}

#[tokio::test]
async fn a_lost_part_is_handed_out_again_and_paid_once() {
    let (mut market, held) = open().await;
    let paid = held.pay(part("2").parse().unwrap(), "USD:0.01".parse().unwrap()).unwrap();
    let lost = bytes(&market.shop().sell_for_scrip(paid.request.clone()).await.unwrap());
    market.kill();
    assert_eq!(bytes(&market.shop().sell_for_scrip(paid.request).await.unwrap()), lost);
    let other = buys(&market, &held, &part("1")).await.unwrap_err();
    assert_eq!(other.code, ErrorCode::VendorScripSpent);
}

#[tokio::test]
async fn a_payword_pays_a_part_too() {
    let (market, _) = open().await;
    let mut reader = Reader::at("shop.example", 50, 1);
    reader.opens(market.shop()).await.unwrap();
    let charge = reader.charge_of(1);
    let sale = market.shop().sell_for_payword(purchase(&part("1"), charge)).await.unwrap();
    assert!(sale.delivery.document.as_str().contains("ZQX-ONE"));
    // Three ticks are the whole's price, and no part's.
    let refused = market.shop().sell_for_payword(purchase(&part("2"), reader.charge())).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::PaywordInvalid);
}

#[tokio::test]
async fn a_part_s_receipt_opens_that_part_and_nothing_else() {
    let (market, held) = open().await;
    let (_, sale) = buys(&market, &held, &part("2")).await.unwrap();
    let receipt = sale.delivery.receipt;
    assert_eq!((receipt.subject.as_str(), receipt.amount.to_string().as_str()), (&*part("2"), "USD:0.01"));
    let again = market.shop().open_article(receipt.clone()).await.unwrap();
    assert_eq!(again.document.as_str(), sale.delivery.document.as_str());
    let opened = market.shop().unlock(&receipt).await.unwrap();
    assert_eq!((opened.slug.as_str(), opened.title.as_str()), ("walk/parts/2", "Walk (2/3)"));
    let cookies = market.shop().cookies();
    for other in ["walk", "walk/parts/1", "walk/parts/3"] {
        assert!(!cookies.opens(&cookies.seal(&opened.slug), other), "{other}");
    }
}

#[tokio::test]
async fn what_is_no_part_is_not_sold_and_no_part_is_sold_for_e_cash_of_the_center() {
    let (market, held) = open().await;
    let bread = format!("{BREAD_URL}/parts/1");
    for url in [
        part("0"),
        part("4"),
        part("03"),
        part("+1"),
        part(""),
        part("1/parts/1"),
        part("99999999999999999999"),
        bread,
    ] {
        let refused = buys(&market, &held, &url).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::ArticleUnknown, "{url}");
    }
    // The whole costs what it costs, and a part its tick.
    let whole = buys(&market, &held, WALK_URL).await.unwrap_err();
    assert_eq!(whole.code, ErrorCode::VendorScripInvalid);
    let dear = market.shop().sell_for_scrip(pays(&held, &part("1")).request).await.unwrap_err();
    assert_eq!(dear.code, ErrorCode::VendorScripInvalid);
    let offered = market.shop().quote(&selling::s1(&part("1"))).await.unwrap_err();
    assert_eq!(offered.refusal.code, ErrorCode::ArticleUnknown);
}

#[tokio::test]
async fn everybody_learns_what_a_part_costs_and_nothing_of_it() {
    let (market, _) = open().await;
    let view = serde_json::to_value(market.shop().article_view_of("walk").await.unwrap()).unwrap();
    assert_eq!(view["meter"], serde_json::json!({"measure": "paragraph", "unit": "USD:0.01", "parts": 3}));
    let bread = serde_json::to_value(market.shop().article_view_of("bread").await.unwrap()).unwrap();
    assert!(bread.get("meter").is_none());
    let shown = [
        serde_json::to_string(&market.shop().articles_view()).unwrap(),
        market.shop().article_page(&market.shop().article("walk").await.unwrap(), None).unwrap(),
        market.shop().atom_feed(),
        market.shop().rss_feed(),
        format!("{:?}", market.shop().article("walk").await.unwrap()),
    ];
    for shown in shown {
        assert!(!shown.contains("ZQX"), "{shown}");
    }
}
