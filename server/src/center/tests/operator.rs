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
        let deposit = |vendor, amount| book("invoice 7", vendor, Direction::Deposit, amount);
        let withdraw = |vendor, amount| book("invoice 7", vendor, Direction::Withdrawal, amount);
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
            (book("", 1, Direction::Deposit, "USD:1"), ErrorCode::Malformed),
            (book(" ", 1, Direction::Deposit, "USD:1"), ErrorCode::Malformed),
        ] {
            assert_eq!(code(bench.send(command.clone())), expected, "{command:?}");
        }
        // A refusal has not used the reference.
        bench.send(withdraw(1, "USD:10")).unwrap();
        assert_eq!(bench.balance(AccountId::Vendor(1)), usd("0"));
        bench.send(book("invoice 8", 1, Direction::Deposit, "USD:3")).unwrap();
        assert_eq!(bench.balance(AccountId::Vendor(1)), usd("3"));
    });
}

#[test]
fn the_same_deposit_or_withdrawal_again_moves_nothing_and_gets_the_same_reply() {
    over_each_store(|bench| {
        let deposit = book("invoice 7", 2, Direction::Deposit, "USD:5");
        let withdrawal = book("invoice 8", 2, Direction::Withdrawal, "USD:5");
        // In one batch, in another, and after a restart; at the end nothing would cover the withdrawal.
        let mut replies: Vec<_> = bench.batch(vec![deposit.clone(), deposit.clone(), withdrawal.clone()]);
        for _ in 0..2 {
            bench.pass_minutes(1);
            replies.extend([deposit.clone(), withdrawal.clone()].map(|command| bench.send(command)));
            bench.reopen();
        }
        let replies: Vec<String> = replies.into_iter().map(|reply| format!("{:?}", reply.unwrap())).collect();
        let [deposited, again, withdrawn, rest @ ..] = &replies[..] else { panic!("{replies:?}") };
        assert_eq!(again, deposited);
        assert!(rest.chunks(2).all(|pair| pair == [deposited.clone(), withdrawn.clone()]), "{replies:?}");
        assert_eq!(bench.balance(AccountId::Vendor(2)), usd("0"));
    });
}

#[test]
fn a_reference_with_other_content_is_a_conflict() {
    over_each_store(|bench| {
        bench.send(book("invoice 7", 1, Direction::Deposit, "USD:5")).unwrap();
        for other in [
            book("invoice 7", 2, Direction::Deposit, "USD:5"),
            book("invoice 7", 9, Direction::Deposit, "USD:5"),
            book("invoice 7", 1, Direction::Withdrawal, "USD:5"),
            book("invoice 7", 1, Direction::Deposit, "USD:5.000001"),
            book("invoice 7", 1, Direction::Deposit, "EUR:5"),
        ] {
            assert_eq!(code(bench.send(other.clone())), ErrorCode::TransactionConflict, "{other:?}");
            bench.reopen();
        }
        let batch = vec![
            book("invoice 8", 1, Direction::Deposit, "USD:1"),
            book("invoice 8", 1, Direction::Deposit, "USD:2"),
        ];
        let replies = bench.batch(batch);
        assert!(replies[0].is_ok());
        assert_eq!(replies[1].as_ref().unwrap_err().code, ErrorCode::TransactionConflict);
        assert_eq!(bench.balance(AccountId::Vendor(1)), usd("16"));
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
