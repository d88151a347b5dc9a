//! Sellers join, bring and take money, and change secrets.

use super::*;
use crate::center::VendorState;

fn vendor(reply: Result<Reply, Refusal>) -> VendorState {
    match reply.unwrap() {
        Reply::Vendor(vendor) => vendor,
        other => panic!("no shop: {other:?}"),
    }
}

#[test]
fn a_shop_is_added_once() {
    over_each_store(|bench| {
        let again = Command::AddVendor {
            id: server("first"),
            origin: "https://other.example".parse().unwrap(),
            secret: Secret::from_bytes([99; 32]),
        };
        let first = vendor(bench.send(again));
        assert_eq!((first.number, first.origin.as_str()), (1, "https://first.example"));
        let Ok(Reply::Vendors(all)) = bench.send(Command::Vendors) else { panic!("no shops") };
        assert_eq!(all.iter().map(|vendor| vendor.number).collect::<Vec<_>>(), [1, 2]);
        assert_eq!((all[0].balance, all[1].balance), (usd("10"), usd("0")));
        let own = Command::AddVendor {
            id: server("center"),
            origin: "https://center.example".parse().unwrap(),
            secret: Secret::from_bytes([99; 32]),
        };
        assert_eq!(code(bench.send(own)), ErrorCode::Malformed);
    });
}

#[test]
fn deposits_and_withdrawals_are_checked() {
    over_each_store(|bench| {
        let deposit = |vendor, amount: &str| Command::Deposit { vendor, amount: amount.parse().unwrap() };
        let withdraw = |vendor, amount: &str| Command::Withdraw { vendor, amount: amount.parse().unwrap() };
        for (command, expected) in [
            (deposit(3, "USD:1"), ErrorCode::VendorUnknown),
            (deposit(0, "USD:1"), ErrorCode::VendorUnknown),
            (deposit(1, "EUR:1"), ErrorCode::CurrencyMismatch),
            (deposit(1, "USD:0"), ErrorCode::AmountOutOfRange),
            (deposit(1, "USD:9007199254.740991"), ErrorCode::AmountOutOfRange),
            (withdraw(3, "USD:1"), ErrorCode::VendorUnknown),
            (withdraw(1, "EUR:1"), ErrorCode::CurrencyMismatch),
            (withdraw(1, "USD:0"), ErrorCode::AmountOutOfRange),
            (withdraw(1, "USD:10.000001"), ErrorCode::FundsInsufficient),
        ] {
            assert_eq!(code(bench.send(command.clone())), expected, "{command:?}");
        }
        assert_eq!(vendor(bench.send(withdraw(1, "USD:10"))).balance, usd("0"));
        assert_eq!(vendor(bench.send(deposit(1, "USD:3"))).balance, usd("3"));
    });
}

#[test]
fn a_further_secret_leaves_older_offers_good() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "1");
        let offer = bench.article(0, &wallet, "0.03");
        let secret = Secret::from_bytes([21; 32]);
        let add = Command::AddVendorSecret { vendor: 1, secret: secret.clone() };
        assert_eq!(vendor(bench.send(add)).secret_id, 2);
        let unknown = Command::AddVendorSecret { vendor: 9, secret: secret.clone() };
        assert_eq!(code(bench.send(unknown)), ErrorCode::VendorUnknown);
        bench.reopen();

        let receipt = wallet.complete(bench, offer).unwrap();
        assert_eq!(receipt.secret_id, 1);
        let (id, center_id) = (server("first"), bench.center.keys.center_id.clone());
        bench.shops[0].seller = Seller::new(id, center_id, KeyRing::new(2, secret)).unwrap();
        let offer = bench.article(0, &wallet, "0.03");
        assert_eq!(wallet.complete(bench, offer).unwrap().secret_id, 2);
    });
}
