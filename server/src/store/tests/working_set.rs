//! What no command can do, whatever it tries.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tuppence_protocol::scrip::center::{StepKind, StepState};
use tuppence_protocol::{Currency, ErrorCode, Refusal};

use super::fixture::*;
use crate::ledger::{AccountId, Posting, Transfer};
use crate::store::memory::MemoryStore;
use crate::store::records::Direction;
use crate::store::{Store, Wanted, WorkingSet};

/// A set with the furnished buyer's purse, and a step 1/2 that there is not.
fn set() -> WorkingSet {
    let mut store = MemoryStore::new(Currency::USD);
    furnish(&mut store);
    store.load(wanted([1], [key(1, 1), key(1, 2)])).unwrap()
}

/// That `command` succeeds by itself, and is a fault all the same, without a trace.
fn assert_fault(command: impl FnOnce(&mut WorkingSet)) {
    let mut set = set();
    let result = set.command(|set| {
        command(set);
        Ok(())
    });
    assert_eq!(result.map_err(|refusal| refusal.code), Err(ErrorCode::Fault));
    assert!(set.into_changes().is_empty());
}

fn hold(micros: u64) -> Transfer {
    Transfer {
        debit: AccountId::Purse(1),
        credit: AccountId::Transit,
        amount: usd(micros),
        posting: Posting::Hold,
        step: Some(key(1, 2)),
        payout: None,
        movement: None,
        at: AT,
    }
}

#[test]
fn a_refused_command_leaves_no_trace() {
    let mut set = set();
    let refused = set.command(|set| {
        add_vendor(set, "other.example")?;
        register(set, 9)?;
        begin(set, StepKind::Payment, serial(1), key(1, 2), 100)?;
        end(set, key(1, 2), true)?;
        set.put_salt([1; 16], AT);
        set.forget_salts(AT);
        Err::<(), _>(Refusal::new(ErrorCode::Busy, "After all of that."))
    });
    assert_eq!(refused.unwrap_err().code, ErrorCode::Busy);
    assert_eq!(set.purse(serial(1)).unwrap().live.value, usd(500));
    assert!(set.vendor(2).is_none());
    assert_eq!(set.funds(AccountId::Transit), Some(usd(0)));
    assert_eq!(set.next_customer(), Some(serial(2)));
    assert!(set.into_changes().is_empty());
}

#[test]
fn a_refusal_keeps_what_the_command_before_it_did() {
    let mut set = set();
    set.command(|set| begin(set, StepKind::Payment, serial(1), key(1, 2), 100)).unwrap();
    let refused = set.command(|set| {
        end(set, key(1, 2), true)?;
        begin(set, StepKind::Payment, serial(1), key(1, 1), 1_000)
    });
    assert_eq!(refused.unwrap_err().code, ErrorCode::BalanceInsufficient);
    assert_eq!(set.step(&key(1, 2)).unwrap().state, StepState::Pending);
    let changes = set.into_changes();
    assert_eq!((changes.transfers, changes.steps.len()), (vec![hold(100)], 1));
}

#[test]
fn a_command_that_panics_leaves_no_trace() {
    let mut set = set();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        set.command(|set| -> Result<(), Refusal> {
            begin(set, StepKind::Payment, serial(1), key(1, 2), 100)?;
            panic!("in the middle of it");
        })
    }));
    assert!(panicked.is_err());
    set.command(|set| begin(set, StepKind::Payment, serial(1), key(1, 2), 30)).unwrap();
    assert_eq!(set.into_changes().transfers, [hold(30)]);
}

#[test]
fn money_that_moves_without_scrip_is_a_fault() {
    assert_fault(|set| set.post(hold(100)).unwrap());
}

#[test]
fn scrip_that_changes_without_money_is_a_fault() {
    assert_fault(|set| {
        let mut purse = set.purse(serial(1)).unwrap().clone();
        purse.live = scrip(3, 600);
        set.put_purse(purse);
    });
}

#[test]
fn scrip_that_changes_under_the_same_serial_is_a_fault() {
    assert_fault(|set| {
        let mut purse = set.purse(serial(1)).unwrap().clone();
        purse.live.secret_id = 2;
        set.put_purse(purse);
    });
}

#[test]
fn a_serial_that_goes_back_is_a_fault() {
    assert_fault(|set| {
        let mut purse = set.purse(serial(1)).unwrap().clone();
        purse.live = scrip(1, 500);
        set.put_purse(purse);
    });
}

#[test]
fn a_step_without_its_transfers_is_a_fault() {
    assert_fault(|set| {
        begin(set, StepKind::Payment, serial(1), key(1, 2), 100).unwrap();
        let mut step = set.step(&key(1, 2)).unwrap().clone();
        step.state = StepState::Posted(AT);
        let mut purse = set.purse(serial(1)).unwrap().clone();
        purse.pending = None;
        set.put_step(step);
        set.put_purse(purse);
    });
}

#[test]
fn a_transfer_too_many_is_a_fault() {
    assert_fault(|set| {
        begin(set, StepKind::Payment, serial(1), key(1, 2), 100).unwrap();
        let fee =
            Transfer { debit: AccountId::Transit, credit: AccountId::Fees, posting: Posting::Fee, ..hold(1) };
        set.post(fee).unwrap();
    });
}

#[test]
fn a_pending_step_that_its_purse_forgot_is_a_fault() {
    assert_fault(|set| {
        begin(set, StepKind::Payment, serial(1), key(1, 2), 100).unwrap();
        let mut purse = set.purse(serial(1)).unwrap().clone();
        purse.pending = None;
        set.put_purse(purse);
    });
}

#[test]
fn an_ended_step_that_changes_is_a_fault() {
    assert_fault(|set| {
        let mut step = set.step(&key(1, 1)).unwrap().clone();
        step.started = tuppence_protocol::Timestamp::from_millis(1);
        set.put_step(step);
    });
}

#[test]
fn a_payout_order_of_another_amount_is_a_fault() {
    let mut store = MemoryStore::new(Currency::USD);
    furnish(&mut store);
    let mut set = store.load(wanted([1], [key(0, 2)])).unwrap();
    let fault = set.command(|set| {
        begin(set, StepKind::CashOut, serial(1), key(0, 2), 100)?;
        end(set, key(0, 2), true)?;
        let mut payout = set.payout_of(&key(0, 2)).unwrap().clone();
        payout.amount = usd(91);
        set.put_payout(payout);
        Ok(())
    });
    assert_eq!(fault.unwrap_err().code, ErrorCode::Fault);
}

#[test]
fn real_money_that_moves_without_its_movement_is_a_fault() {
    let transfer = Transfer {
        debit: AccountId::Reserve,
        credit: AccountId::Vendor(1),
        posting: Posting::Deposit,
        step: None,
        movement: Some("invoice 9".parse().unwrap()),
        ..hold(5)
    };
    assert_fault(|set| set.post(transfer.clone()).unwrap());
    assert_fault(|set| {
        book(set, "invoice 9", 1, Direction::Deposit, 5).unwrap();
        set.post(transfer.clone()).unwrap();
    });
}

#[test]
fn a_movement_of_another_amount_than_its_transfer_is_a_fault() {
    assert_fault(|set| {
        book(set, "invoice 9", 1, Direction::Withdrawal, 5).unwrap();
        let mut movement = set.movement(&"invoice 9".parse().unwrap()).unwrap().clone();
        movement.amount = usd(6);
        set.put_movement(movement);
    });
}

#[test]
fn a_movement_that_changes_is_a_fault() {
    let mut store = MemoryStore::new(Currency::USD);
    furnish(&mut store);
    let mut set = store.load(references(["opening 1"])).unwrap();
    let fault = set.command(|set| book(set, "opening 1", 1, Direction::Deposit, 1_000_000));
    assert_eq!(fault.unwrap_err().code, ErrorCode::Fault);
    assert!(set.into_changes().is_empty());
}

#[test]
fn asking_for_what_was_not_loaded_is_a_fault_and_not_a_refusal() {
    let mut set = set();
    let asked = set.command(|set| match set.step(&key(1, 77)) {
        Some(_) => Ok(()),
        None => Err(Refusal::new(ErrorCode::TransactionUnknown, "There is no such step.")),
    });
    assert_eq!(asked.unwrap_err().code, ErrorCode::Fault);
    // What was loaded, and is not there, is simply not there.
    assert!(set.command(|set| Ok(set.step(&key(1, 2)).is_none())).unwrap());
}

#[test]
fn another_currency_stays_out() {
    let mut set = set();
    let euro = Transfer { amount: "EUR:1".parse().unwrap(), ..hold(1) };
    assert!(set.command(|set| Ok(set.post(euro)?)).is_err());
}

#[test]
fn two_commands_of_one_batch_see_each_other() {
    let mut store = MemoryStore::new(Currency::USD);
    furnish(&mut store);
    let mut set =
        store.load(Wanted { registrations: [wallet(2)].into(), ..wanted([], [key(1, 2)]) }).unwrap();
    let customer = set.command(|set| register(set, 2)).unwrap();
    set.command(|set| begin(set, StepKind::Issue, customer, key(1, 2), 100)).unwrap();
    set.command(|set| end(set, key(1, 2), true)).unwrap();
    store.commit(set.into_changes()).unwrap();
    assert_eq!(store.balance(AccountId::Purse(2)).unwrap(), 100);
    assert_eq!(store.balance(AccountId::Campaign(1)).unwrap(), 400);
}

#[test]
fn scrip_with_numbers_that_its_licence_has_not_given_is_a_fault() {
    let mut store = MemoryStore::new(Currency::USD);
    furnish(&mut store);
    let licences = Wanted { licences: [1].into(), ..Wanted::default() };
    run(&mut store, licences, |set| {
        set.put_licence(licence(0));
        Ok(())
    })
    .unwrap();
    let sell = |store: &mut MemoryStore, used: u32| {
        run(store, wanted_sale(1, key(0, 14)), |set| {
            begin(set, StepKind::Payment, serial(1), key(0, 14), 50)?;
            set.put_licence(licence(used));
            Ok(())
        })
    };
    assert_eq!(sell(&mut store, 0).unwrap_err().code, ErrorCode::Fault);
    assert!(sell(&mut store, 1).is_ok());
}
