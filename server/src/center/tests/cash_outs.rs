//! Cash-out orders: ordered, confirmed, returned (rule 11).

use tuppence_protocol::scrip::cash_out::{CashOutStage, CashOutState};

use super::*;
use crate::store::records::{Payout, PayoutState};

fn order(bench: &mut Bench, wallet: &mut Wallet, amount: &str) -> Receipt {
    let offer = bench.cash_out(wallet, amount).unwrap();
    wallet.complete(bench, offer).unwrap()
}

fn state(bench: &mut Bench, receipt: &Receipt) -> Result<CashOutState, Refusal> {
    match bench.send(Command::CashOutState(Box::new(receipt.clone())))? {
        Reply::CashOut(state) => Ok(state),
        other => panic!("no cash-out: {other:?}"),
    }
}

fn payout(reply: Result<Reply, Refusal>) -> Payout {
    match reply.unwrap() {
        Reply::Payout(payout) => payout,
        other => panic!("no payout: {other:?}"),
    }
}

#[test]
fn a_confirmed_order_leaves_the_books() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "6");
        let receipt = order(bench, &mut wallet, "5");
        let open = bench.store.payouts(true, 0, 10).unwrap();
        assert_eq!(open.len(), 1);
        assert_eq!((open[0].amount, open[0].fee), (usd("4.75"), usd("0.25")));
        assert_eq!(open[0].destination.as_str(), "Account 7");
        assert_eq!(state(bench, &receipt).unwrap().state, CashOutStage::Ordered);

        bench.pass_minutes(1);
        let confirm = Command::ConfirmPayout { number: open[0].number, reference: "B-17".parse().unwrap() };
        let confirmed = payout(bench.send(confirm.clone()));
        assert_eq!(payout(bench.send(confirm)), confirmed);
        let other = Command::ConfirmPayout { number: open[0].number, reference: "B-18".parse().unwrap() };
        assert_eq!(code(bench.send(other)), ErrorCode::PayoutUnknown);
        let back = Command::ReturnPayout { number: open[0].number, reason: "No".parse().unwrap() };
        assert_eq!(code(bench.send(back)), ErrorCode::PayoutUnknown);
        let seen = state(bench, &receipt).unwrap();
        assert_eq!(
            (seen.state, seen.note.unwrap().as_str(), seen.date),
            (CashOutStage::Confirmed, "B-17", bench.now)
        );
        assert_eq!(
            (bench.balance(AccountId::Payouts), bench.balance(AccountId::Fees)),
            (usd("0"), usd("0.25"))
        );
        // 20 came in, 4.75 went out.
        assert_eq!(bench.store.balance(AccountId::Reserve).unwrap(), -15_250_000);
    });
}

#[test]
fn a_returned_order_is_back_in_the_purse_with_its_fee() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "6");
        let receipt = order(bench, &mut wallet, "5");
        let back = Command::ReturnPayout { number: 1, reason: "Account closed".parse().unwrap() };
        let returned = payout(bench.send(back.clone()));
        assert!(matches!(returned.state, PayoutState::Returned(..)));
        assert_eq!(payout(bench.send(back)), returned);
        let confirm = Command::ConfirmPayout { number: 1, reference: "B-17".parse().unwrap() };
        assert_eq!(code(bench.send(confirm)), ErrorCode::PayoutUnknown);
        assert_eq!(wallet.resynchronise(bench), None);
        assert_eq!((wallet.purse.value(), bench.balance(AccountId::Fees)), (usd("6"), usd("0")));
        let seen = state(bench, &receipt).unwrap();
        assert_eq!((seen.state, seen.note.unwrap().as_str()), (CashOutStage::Returned, "Account closed"));
    });
}

#[test]
fn a_return_in_the_middle_of_a_payment_gives_both_back() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "6");
        order(bench, &mut wallet, "5");
        let offer = bench.article(0, &wallet, "0.03");
        let awaiting = wallet.begin(bench, offer).unwrap();
        payout(bench.send(Command::ReturnPayout { number: 1, reason: "No".parse().unwrap() }));
        assert_eq!(code(bench.finish(&awaiting.finish)), ErrorCode::TransactionVoided);
        wallet.resynchronise(bench);
        assert_eq!(wallet.purse.value(), usd("6"));
    });
}

#[test]
fn a_return_in_the_middle_of_a_reward_keeps_the_reward() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "6");
        order(bench, &mut wallet, "5");
        let offer = bench.reward(&wallet, "0.04");
        let awaiting = wallet.begin(bench, offer).unwrap();
        payout(bench.send(Command::ReturnPayout { number: 1, reason: "No".parse().unwrap() }));
        bench.finish(&awaiting.finish).unwrap();
        wallet.resynchronise(bench);
        assert_eq!(wallet.purse.value(), usd("6.04"));
    });
}

#[test]
fn an_order_that_is_taken_back_or_times_out_pays_nothing() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "6");
        let offer = bench.cash_out(&wallet, "5").unwrap();
        let awaiting = wallet.begin(bench, offer).unwrap();
        wallet.take_back(bench, &awaiting).unwrap();
        let offer = bench.cash_out(&wallet, "5").unwrap();
        wallet.begin(bench, offer).unwrap();
        bench.pass_minutes(10);
        assert_eq!(bench.sweep(), 1);
        assert!(bench.store.payouts(false, 0, 10).unwrap().is_empty());
        assert_eq!(bench.balance(wallet.customer()), usd("6"));
    });
}

#[test]
fn spending_the_new_scrip_orders_the_payout_too() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "6");
        let offer = bench.cash_out(&wallet, "5").unwrap();
        wallet.begin(bench, offer).unwrap();
        let article = bench.article(0, &wallet, "0.03");
        wallet.complete(bench, article).unwrap();
        assert_eq!(bench.store.payouts(true, 0, 10).unwrap().len(), 1);
    });
}

#[test]
fn only_the_receipt_of_a_cash_out_asks_for_its_state() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "6");
        let receipt = order(bench, &mut wallet, "5");
        let forged = Receipt { tran_id: TranId::from_bytes([9; 16]), ..receipt.clone() };
        assert_eq!(code(state(bench, &forged)), ErrorCode::ReceiptInvalid);
        let article = bench.article(0, &wallet, "0.03");
        let article = wallet.complete(bench, article).unwrap();
        assert_eq!(code(state(bench, &article)), ErrorCode::ReceiptInvalid);
        let unknown = forged.sealed(bench.center.keys.vendor_secrets.find(1).unwrap());
        assert_eq!(code(state(bench, &unknown)), ErrorCode::PayoutUnknown);
    });
}

#[test]
fn an_order_below_the_threshold_or_unknown_is_refused() {
    over_each_store(|bench| {
        let wallet = bench.rich_wallet(1, "6");
        assert_eq!(code(bench.cash_out(&wallet, "4.99").map(drop)), ErrorCode::BelowThreshold);
        for command in [
            Command::ConfirmPayout { number: 1, reference: "B-17".parse().unwrap() },
            Command::ReturnPayout { number: 1, reason: "No".parse().unwrap() },
        ] {
            assert_eq!(code(bench.send(command)), ErrorCode::PayoutUnknown);
        }
    });
}
