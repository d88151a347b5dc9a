//! Budgets in paywords (spec/03).

use tuppence_protocol::payword::{CHARGE_JUMP_MAX, Payword};

use super::*;

#[tokio::test]
async fn a_charge_buys_one_article_and_is_answered_again_byte_for_byte_also_after_a_kill() {
    let mut market = Market::open().await;
    let mut reader = Reader::at("shop.example", 50, 1);
    assert_eq!(reader.opens(market.shop()).await, Ok(0));
    let charge = reader.charge();
    let first = bytes(&market.shop().sell_for_payword(purchase(BREAD_URL, charge)).await.unwrap());
    // The article changes, then is gone: what was sold is answered as it was.
    let file = market.stand.root.path().join("content/bread.md");
    std::fs::write(&file, BREAD.replace("ZQX-PAID", "ZQX-OTHER")).unwrap();
    market.shop().reload();
    let again = market.shop().sell_for_payword(purchase(BREAD_URL, charge)).await.unwrap();
    assert_eq!(bytes(&again), first);
    std::fs::remove_file(file).unwrap();
    market.kill();
    market.down(true);
    let again = market.shop().sell_for_payword(purchase(BREAD_URL, charge)).await.unwrap();
    assert_eq!(bytes(&again), first);
    assert_eq!(reader.opens(market.shop()).await, Ok(3));
    market.shop().sell_for_payword(purchase(TRAM_URL, reader.charge())).await.unwrap();
}

#[tokio::test]
async fn of_64_requests_with_one_payword_one_article_is_sold_and_all_get_its_bytes() {
    let market = Market::open().await;
    let mut reader = Reader::at("shop.example", 50, 1);
    reader.opens(market.shop()).await.unwrap();
    let charge = reader.charge();
    let asked = (0..64).map(|number| {
        let (shop, url) = (market.shop().clone(), if number % 2 == 0 { BREAD_URL } else { TRAM_URL });
        tokio::spawn(async move { shop.sell_for_payword(purchase(url, charge)).await })
    });
    let mut sold: Vec<PaywordSale> = Vec::new();
    let mut refused = 0;
    for asked in asked.collect::<Vec<_>>() {
        match asked.await.unwrap() {
            Ok(sale) => sold.push(sale),
            Err(refusal) => {
                assert_eq!(refusal.code, ErrorCode::PaywordInvalid);
                refused += 1;
            }
        }
    }
    assert_eq!((sold.len(), refused), (32, 32));
    assert!(sold.iter().all(|sale| bytes(sale) == bytes(&sold[0])));
    assert_eq!(reader.opens(market.shop()).await, Ok(3));
}

#[tokio::test]
async fn replay_rewind_and_skip_buy_nothing() {
    let market = Market::open().await;
    let mut reader = Reader::at("shop.example", 20_000, 1);
    reader.opens(market.shop()).await.unwrap();
    let (first, second) = (reader.charge(), reader.charge());
    let buy = |url, charge| market.shop().sell_for_payword(purchase(url, charge));
    let refused = async |url, charge| buy(url, charge).await.unwrap_err().code;
    buy(BREAD_URL, first).await.unwrap();
    buy(BREAD_URL, second).await.unwrap();
    // Replay, for another article; rewind, to a payword that bought nothing by itself.
    assert_eq!(refused(TRAM_URL, first).await, ErrorCode::PaywordInvalid);
    let between = Charge { index: 4, payword: reader.chain.payword(4).unwrap(), ..first };
    assert_eq!(refused(BREAD_URL, between).await, ErrorCode::PaywordInvalid);
    // Skip: another sum than the price, and beyond the bound.
    for index in [7, 8, 10, 6 + CHARGE_JUMP_MAX, 7 + CHARGE_JUMP_MAX] {
        let charge = Charge { index, payword: reader.chain.payword(index).unwrap(), ..first };
        assert_eq!(refused(BREAD_URL, charge).await, ErrorCode::PaywordInvalid, "{index}");
    }
    // A payword of another index, and none of this chain.
    assert_eq!(refused(BREAD_URL, Charge { index: 9, ..second }).await, ErrorCode::PaywordInvalid);
    let forged = Charge { index: 9, payword: Payword::from_bytes([1; 32]), ..second };
    assert_eq!(refused(BREAD_URL, forged).await, ErrorCode::PaywordInvalid);
    assert_eq!(reader.opens(market.shop()).await, Ok(6));
    let right = Charge { index: 9, payword: reader.chain.payword(9).unwrap(), ..second };
    assert_eq!(refused("https://shop.example/articles/none", right).await, ErrorCode::ArticleUnknown);
    buy(BREAD_URL, right).await.unwrap();
}

#[tokio::test]
async fn a_chain_is_good_at_its_own_shop_alone() {
    let market = Market::open().await;
    let mut reader = Reader::at("other.example", 50, 1);
    assert_eq!(reader.opens(market.shop()).await.unwrap_err().code, ErrorCode::AuthorityInvalid);
    let charge = reader.charge();
    let refused = market.shop().sell_for_payword(purchase(BREAD_URL, charge)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::AuthorityUnknown);
    // The same nonce and end, for this shop: the other one's paywords are none of it.
    let own = Reader::at("shop.example", 50, 1);
    own.opens(market.shop()).await.unwrap();
    let moved = Charge { authority_id: own.budget.countersigned().authority().id(), ..charge };
    let refused = market.shop().sell_for_payword(purchase(BREAD_URL, moved)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::PaywordInvalid);
}

#[tokio::test]
async fn forged_and_expired_budgets_are_refused() {
    let market = Market::open().await;
    let mut reader = Reader::at("shop.example", 50, 1);
    let mut forged = reader.budget.countersigned().clone();
    forged.order.authority.length += 1;
    assert_eq!(market.shop().open_budget(forged).await.unwrap_err().code, ErrorCode::AuthorityInvalid);
    let order = reader.budget.countersigned().order.clone();
    let own = Countersigned::new(order, 1, &Secret::from_bytes([1; 32]));
    assert_eq!(market.shop().open_budget(own).await.unwrap_err().code, ErrorCode::AuthorityInvalid);
    reader.opens(market.shop()).await.unwrap();
    let (paid, late) = (reader.charge(), reader.charge());
    let first = market.shop().sell_for_payword(purchase(BREAD_URL, paid)).await.unwrap();
    market.stand.clock.advance(Duration::from_days(31));
    let refused = market.shop().sell_for_payword(purchase(BREAD_URL, late)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::AuthorityExpired);
    let again = market.shop().sell_for_payword(purchase(BREAD_URL, paid)).await.unwrap();
    assert_eq!(bytes(&again), bytes(&first));
    let other = Reader::at("shop.example", 40, 1);
    assert_eq!(other.opens(market.shop()).await.unwrap_err().code, ErrorCode::AuthorityExpired);
}

#[tokio::test]
async fn an_hour_of_selling_without_the_center_is_one_deposit_afterwards() {
    let mut market = Market::open().await;
    let mut reader = Reader::at("shop.example", 500, 1);
    market.down(true);
    reader.opens(market.shop()).await.unwrap();
    for minute in 0..60 {
        market.stand.clock.advance(Duration::from_minutes(1));
        market.shop().sell_for_payword(purchase(BREAD_URL, reader.charge())).await.unwrap();
        if minute % 20 == 0 {
            assert_eq!(market.shop().settle_all().await.unwrap_err().code, ErrorCode::CenterUnreachable);
            market.kill();
        }
    }
    market.down(false);
    market.shop().settle_all().await.unwrap();
    market.shop().settle_all().await.unwrap();
    let deposits: Vec<_> = market.center.deposits.lock().unwrap().iter().map(|sent| sent.index).collect();
    assert_eq!(deposits, [180]);
}

#[tokio::test]
async fn a_shop_that_is_killed_between_any_two_steps_loses_no_unit_and_takes_none_twice() {
    let mut market = Market::open().await;
    let mut reader = Reader::at("shop.example", 50, 1);
    reader.opens(market.shop()).await.unwrap();
    market.kill();
    let mut sold = Vec::new();
    for step in 0..3 {
        let charge = reader.charge();
        let sale = market.shop().sell_for_payword(purchase(BREAD_URL, charge)).await.unwrap();
        sold.push((charge, bytes(&sale)));
        market.kill();
        // The deposit arrives, and its answer is lost with the shop.
        market.losing(step == 1);
        let done = market.shop().settle_all().await;
        assert_eq!(done.is_ok(), step != 1);
        market.losing(false);
        market.kill();
    }
    // The last one is answered again; older ones, which a reader has the answers of, are spent.
    let (charge, first) = sold.pop().unwrap();
    let again = market.shop().sell_for_payword(purchase(BREAD_URL, charge)).await.unwrap();
    assert_eq!(bytes(&again), first);
    for (charge, _) in sold {
        let refused = market.shop().sell_for_payword(purchase(BREAD_URL, charge)).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::PaywordInvalid);
    }
    market.kill();
    let last = reader.budget.end(&mut reader.chain).unwrap();
    let ended = market.shop().end_budget(last).await.unwrap();
    market.kill();
    market.shop().settle_all().await.unwrap();
    let deposits = market.center.deposits.lock().unwrap().clone();
    let sent: Vec<_> = deposits.iter().map(|deposit| (deposit.index, deposit.last)).collect();
    assert_eq!(sent, [(3, false), (6, false), (9, false), (9, true)]);
    assert_eq!(bytes(&ended.deposit), bytes(&deposits.last().unwrap()));
    let again = market.shop().end_budget(last).await.unwrap();
    assert_eq!((again.index, again.deposit.is_none()), (9, true));
}

#[tokio::test]
async fn an_ended_budget_takes_nothing_and_only_its_newest_payword_ends_it() {
    let market = Market::open().await;
    let mut reader = Reader::at("shop.example", 50, 1);
    reader.opens(market.shop()).await.unwrap();
    let (first, second) = (reader.charge(), reader.charge());
    for charge in [first, second] {
        market.shop().sell_for_payword(purchase(BREAD_URL, charge)).await.unwrap();
    }
    let third = Charge { index: 9, payword: reader.chain.payword(9).unwrap(), ..first };
    for wrong in [Charge { last: true, ..first }, Charge { last: true, ..third }, second] {
        assert!(market.shop().end_budget(wrong).await.is_err(), "{wrong:?}");
    }
    market.shop().end_budget(reader.budget.end(&mut reader.chain).unwrap()).await.unwrap();
    let refused = market.shop().sell_for_payword(purchase(BREAD_URL, third)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::BudgetEnded);
    assert!(market.shop().open_budget(reader.budget.countersigned().clone()).await.unwrap().ended);
}

#[tokio::test]
async fn a_budget_is_forgotten_after_its_end_and_grace_and_not_before() {
    let market = Market::open().await;
    let mut reader = Reader::at("shop.example", 50, 1);
    reader.opens(market.shop()).await.unwrap();
    let charge = reader.charge();
    market.shop().sell_for_payword(purchase(BREAD_URL, charge)).await.unwrap();
    let kept = || {
        let count = |table: &'static str| {
            let rows = move |store: &rusqlite::Connection| {
                Ok(store
                    .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, u32>(0))?)
            };
            market.shop().store().blocking().read(rows).unwrap()
        };
        ["sessions", "authorities", "goods"].map(count)
    };
    market.stand.clock.advance(Duration::from_days(37));
    market.shop().forget().await;
    assert_eq!(kept(), [1, 1, 1]);
    market.stand.clock.advance(Duration::from_minutes(1));
    market.shop().forget().await;
    assert_eq!(kept(), [0, 0, 0]);
    let refused = market.shop().sell_for_payword(purchase(BREAD_URL, charge)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::AuthorityUnknown);
    assert_eq!(reader.opens(market.shop()).await.unwrap_err().code, ErrorCode::AuthorityExpired);
}

#[tokio::test]
async fn the_center_s_new_key_is_fetched_when_a_budget_is_signed_with_it() {
    let market = Market::open().await;
    let reader = Reader::at("shop.example", 50, 2);
    market.stand.clock.advance(Duration::from_minutes(1));
    assert_eq!(reader.opens(market.shop()).await.unwrap_err().code, ErrorCode::AuthorityInvalid);
    market.center.keys.store(2, Ordering::SeqCst);
    // Not for every forger who names a key.
    assert_eq!(reader.opens(market.shop()).await.unwrap_err().code, ErrorCode::AuthorityInvalid);
    market.stand.clock.advance(Duration::from_minutes(1));
    assert_eq!(reader.opens(market.shop()).await, Ok(0));
}
