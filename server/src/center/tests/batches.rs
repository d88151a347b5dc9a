//! Many commands in one batch: one winner, and the losers leave no trace (T1, T13).

use super::*;

#[test]
fn of_64_payments_with_one_scrip_one_wins() {
    over_each_store(|bench| {
        let wallet = bench.rich_wallet(1, "1");
        let offers: Vec<Offer> = (0..64).map(|_| bench.article(0, &wallet, "0.6")).collect();
        let starts: Vec<Start> =
            offers.iter().map(|offer| wallet.purse.start(offer.clone(), bench.now).unwrap().start).collect();
        let replies = bench.batch(starts.iter().map(start_command).collect());
        // The others hear of the one that is under way, and pay nothing.
        let named: std::collections::BTreeSet<TranId> = replies
            .into_iter()
            .map(|reply| match reply.unwrap() {
                Reply::Balance(reply) => reply.tran_id.unwrap(),
                other => panic!("no S5: {other:?}"),
            })
            .collect();
        assert_eq!(named.len(), 1);
        assert_eq!(bench.balance(wallet.customer()), usd("0.4"));
    });
}

#[test]
fn of_64_replays_of_a_spent_scrip_none_wins() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "1");
        let spent = wallet.clone();
        let offer = bench.article(0, &wallet, "0.6");
        wallet.complete(bench, offer).unwrap();
        let commands = (0..64)
            .map(|_| {
                let offer = bench.article(0, &spent, "0.2");
                start_command(&spent.purse.start(offer, bench.now).unwrap().start)
            })
            .collect();
        for reply in bench.batch(commands) {
            assert_eq!(code(reply), ErrorCode::ScripStale);
        }
        assert_eq!(bench.balance(wallet.customer()), usd("0.4"));
    });
}

#[test]
fn the_last_reward_claimed_by_many_at_once_is_paid_once() {
    over_each_store(|bench| {
        bench.fund("quiz", "0.04").unwrap();
        let wallets: Vec<Wallet> = (1..=100).map(|number| bench.register(number)).collect();
        let commands = wallets
            .iter()
            .map(|wallet| {
                let offer = bench.reward(wallet, "0.04");
                start_command(&wallet.purse.start(offer, bench.now).unwrap().start)
            })
            .collect();
        let (paid, refused): (Vec<_>, Vec<_>) = bench.batch(commands).into_iter().partition(Result::is_ok);
        assert_eq!((paid.len(), refused.len()), (1, 99));
        assert!(refused.into_iter().all(|reply| code(reply) == ErrorCode::CampaignExhausted));
        assert_eq!(bench.balance(AccountId::Campaign(1)), usd("0"));
    });
}

#[test]
fn a_shop_works_in_the_batch_that_adds_it() {
    over_each_store(|bench| {
        let secret = Secret::from_bytes([13; 32]);
        let id = server("third");
        let add = Command::AddVendor {
            id: id.clone(),
            origin: "https://third.example".parse().unwrap(),
            secret: secret.clone(),
        };
        let seller = Seller::new(id, bench.center.keys.center_id.clone(), KeyRing::new(1, secret)).unwrap();
        let funding = seller.fund("quiz".parse().unwrap(), usd("1"), bench.now).unwrap();
        let replies = bench.batch(vec![
            add,
            book("invoice 3", 3, Direction::Deposit, "USD:2"),
            Command::FundCampaign(Box::new(funding)),
            Command::CampaignState { vendor: 3, item: "quiz".parse().unwrap() },
        ]);
        let Ok(Reply::Campaign(state)) = &replies[3] else { panic!("{replies:?}") };
        assert_eq!(state.remaining, usd("1"));
    });
}
