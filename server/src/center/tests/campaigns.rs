//! Budgets: up, down, to nothing, again and late (rule 8).

use super::*;

fn remaining(reply: Result<Reply, Refusal>) -> Amount {
    match reply.unwrap() {
        Reply::Campaign(state) => state.remaining,
        other => panic!("no campaign: {other:?}"),
    }
}

#[test]
fn a_budget_goes_up_and_down_but_never_below_what_was_issued() {
    over_each_store(|bench| {
        let mut wallet = bench.register(1);
        let offer = bench.reward(&wallet, "3");
        wallet.complete(bench, offer).unwrap();
        for (budget, left, account) in [
            ("10", "7", "10"),
            ("15", "12", "5"),
            ("5", "2", "15"),
            ("2", "0", "17"),
            ("0", "0", "17"),
            ("4", "1", "16"),
        ] {
            assert_eq!(remaining(bench.fund("quiz", budget)), usd(left), "{budget}");
            assert_eq!(bench.balance(AccountId::Vendor(1)), usd(account), "{budget}");
        }
    });
}

#[test]
fn a_budget_beyond_the_account_is_refused_whole() {
    over_each_store(|bench| {
        assert_eq!(code(bench.fund("quiz", "20.000001")), ErrorCode::FundsInsufficient);
        assert_eq!(code(bench.fund("survey", "10.000001")), ErrorCode::FundsInsufficient);
        let item = "survey".parse().unwrap();
        assert_eq!(code(bench.send(Command::CampaignState { vendor: 1, item })), ErrorCode::ItemUnknown);
        assert_eq!(remaining(bench.fund("survey", "10")), usd("10"));
        assert_eq!(bench.balance(AccountId::Vendor(1)), usd("0"));
    });
}

#[test]
fn an_older_message_does_not_bring_its_budget_back() {
    over_each_store(|bench| {
        let message = |bench: &Bench, budget, date| {
            let message = bench.shops[0].seller.fund("quiz".parse().unwrap(), usd(budget), date).unwrap();
            Command::FundCampaign(Box::new(message))
        };
        let first = message(bench, "5", bench.now);
        let second = message(bench, "8", bench.now.plus(Duration::from_millis(1)));
        for (command, left) in [(&first, "5"), (&second, "8"), (&first, "8"), (&second, "8")] {
            assert_eq!(remaining(bench.send(command.clone())), usd(left));
        }
    });
}

#[test]
fn an_ended_campaign_issues_nothing_to_offers_that_are_out() {
    over_each_store(|bench| {
        let mut wallet = bench.register(1);
        let offer = bench.reward(&wallet, "0.04");
        bench.fund("quiz", "0").unwrap();
        assert_eq!(code(wallet.begin(bench, offer)), ErrorCode::CampaignExhausted);
    });
}

#[test]
fn the_center_itself_funds_no_campaign() {
    over_each_store(|bench| {
        let keys = &bench.center.keys;
        let own =
            Seller::new(keys.center_id.clone(), keys.center_id.clone(), keys.vendor_secrets.clone()).unwrap();
        let message = own.fund("quiz".parse().unwrap(), usd("1"), bench.now).unwrap();
        assert_eq!(code(bench.send(Command::FundCampaign(Box::new(message)))), ErrorCode::VendorUnknown);
    });
}
