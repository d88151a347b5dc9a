//! One list of behaviours, run against every store.

use std::path::PathBuf;

use tempfile::TempDir;
use tuppence_protocol::ids::{IdType, Serial};
use tuppence_protocol::scrip::center::{StepKind, StepState};
use tuppence_protocol::{Currency, ErrorCode, Refusal, Timestamp};

use super::fixture::*;
use crate::ledger::audit::audit;
use crate::ledger::{AccountId, Posting};
use crate::store::memory::MemoryStore;
use crate::store::records::{Claim, Direction, Epoch, EpochReason, PayoutState};
use crate::store::sqlite::SqliteStore;
use crate::store::{Change, Changes, Counts, Store, StoreError, Wanted, WorkingSet};

/// A store, and what must outlive it.
type Made = (Box<dyn Store>, Option<TempDir>);

macro_rules! store_conformance {
    ($store:ident, $make:expr) => {
        mod $store {
            use super::*;

            store_conformance!(@tests $make;
                a_new_store_is_empty,
                what_was_committed_is_loaded,
                records_come_with_what_they_belong_to,
                numbers_go_on_where_they_stopped,
                a_working_set_that_was_dropped_leaves_nothing,
                what_changed_meanwhile_is_refused_whole,
                a_serial_is_spent_once,
                a_step_that_has_ended_never_changes,
                money_moves_once_for_each_reason,
                no_account_but_the_reserve_goes_below_zero,
                a_reference_is_used_once,
                a_reservation_comes_with_its_payment_and_stays_as_it_ended,
                a_budget_gives_out_no_more_than_its_sum,
                a_sale_comes_with_its_payment_and_licences_and_stays_as_it_ended,
                budgets_whose_time_is_over_are_found_until_they_are_closed,
                a_wallet_is_registered_once,
                solved_challenges_are_remembered_until_they_end,
                an_epoch_begins_with_numbers_of_its_own,
                a_buyer_has_one_claim,
                what_was_cancelled_and_never_came_is_forgotten_and_nothing_else,
                a_statement_has_the_steps_of_one_buyer_in_order,
                notes_replace_those_that_were_read_and_no_others,
                the_oldest_pending_steps_come_first,
                payout_orders_are_listed_in_order,
                after_a_whole_life_the_audit_finds_nothing,
            );
        }
    };
    (@tests $make:expr; $($behaviour:ident,)*) => {
        $(#[test]
        fn $behaviour() {
            let (mut store, _folder): Made = $make;
            super::$behaviour(store.as_mut());
        })*
    };
}

store_conformance!(memory, (Box::new(MemoryStore::new(Currency::USD)), None));
store_conformance!(sqlite, {
    let folder = TempDir::new().unwrap();
    let path: PathBuf = folder.path().join("center.db");
    (Box::new(SqliteStore::open(&path, Currency::USD).unwrap()), Some(folder))
});

/// What `store` makes of changes that a working set would never produce.
fn force(store: &mut dyn Store, changes: Changes) -> Result<(), StoreError> {
    let before = (store.counts().unwrap(), shown(store));
    let result = store.commit(changes);
    if result.is_err() {
        assert_eq!((store.counts().unwrap(), shown(store)), before, "something was written all the same");
    }
    result
}

/// All rows, as text.
fn shown(store: &mut dyn Store) -> Vec<String> {
    let mut rows = Vec::new();
    store.rows(&mut |row| rows.push(format!("{row:?}"))).unwrap();
    rows
}

fn assert_refused(result: Result<(), StoreError>) {
    assert!(matches!(result, Err(StoreError::Integrity(_))), "{result:?}");
}

/// The changes of one command, not committed.
fn changes(store: &mut dyn Store, wanted: Wanted, command: impl FnOnce(&mut WorkingSet)) -> Changes {
    let mut set = store.load(wanted).unwrap();
    set.command(|set| {
        command(set);
        Ok(())
    })
    .unwrap();
    set.into_changes()
}

fn a_new_store_is_empty(store: &mut dyn Store) {
    assert_eq!(store.counts().unwrap(), Counts::default());
    assert_eq!(store.directory().unwrap().vendors().count(), 0);
    assert_eq!(store.balance(AccountId::Reserve).unwrap(), 0);
    let mut set = store.load(Wanted::default()).unwrap();
    assert_eq!(set.next_customer(), Some(serial(1)));
    assert_eq!((set.next_vendor(), set.next_campaign(), set.next_payout()), (Some(1), Some(1), Some(1)));
    assert!(set.into_changes().is_empty());
}

fn what_was_committed_is_loaded(store: &mut dyn Store) {
    furnish(store);
    let set = store
        .load(Wanted { registrations: [wallet(1), wallet(2)].into(), ..wanted([1], [key(1, 1)]) })
        .unwrap();
    let purse = set.purse(serial(1)).unwrap();
    assert_eq!((purse.live.value, purse.live.serial, purse.pending), (usd(500), serial(2), None));
    let step = set.step(&key(1, 1)).unwrap();
    assert_eq!((step.state.clone(), step.amount), (StepState::Posted(AT), usd(500)));
    assert_eq!((&step.old, &step.new), (&scrip(1, 0), &scrip(2, 500)));
    assert!(set.registration(&wallet(2)).is_none());
    let registration = set.registration(&wallet(1)).unwrap();
    assert_eq!((registration.customer, registration.first.clone()), (serial(1), scrip(1, 0)));
    assert_eq!(registration.name.as_ref().unwrap().as_str(), "Ada");
    let vendor = set.vendor(1).unwrap();
    assert_eq!(vendor.origin.as_str(), "https://shop.example");
    assert_eq!(vendor.secrets.current().unwrap().1.expose(), &[7; 32]);
    assert_eq!(set.vendor_by_id(&vendor.id).unwrap().number, 1);
    assert_eq!(set.campaign_by_item(1, &"quiz".parse().unwrap()).unwrap().budget, usd(1_000));
    assert_eq!(set.funds(AccountId::Campaign(1)), Some(usd(500)));
    assert_eq!(set.funds(AccountId::Vendor(1)), Some(usd(999_000)));
    assert_eq!(store.balance(AccountId::Purse(1)).unwrap(), 500);
    assert_eq!(store.balance(AccountId::Reserve).unwrap(), -1_000_000);
    assert_eq!(store.balance(AccountId::Purse(2)).unwrap(), 0);
}

fn records_come_with_what_they_belong_to(store: &mut dyn Store) {
    live_a_life(store);
    let has_all = |set: &WorkingSet| {
        assert!(set.step(&key(1, 5)).is_some_and(|step| step.state == StepState::Pending));
        assert_eq!(set.purse(serial(1)).unwrap().pending, Some(key(1, 5)));
    };
    has_all(&store.load(wanted([1], [])).unwrap());
    has_all(&store.load(wanted([], [key(1, 2)])).unwrap());
    has_all(&store.load(Wanted { registrations: [wallet(1)].into(), ..Wanted::default() }).unwrap());
    let set = store.load(Wanted { payouts: [2].into(), ..Wanted::default() }).unwrap();
    has_all(&set);
    assert_eq!(set.payout_of(&key(0, 2)).unwrap().number, 2);
    let set = store.load(wanted([], [key(0, 1)])).unwrap();
    has_all(&set);
    let payout = set.payout_of(&key(0, 1)).unwrap();
    assert_eq!((payout.number, payout.amount, payout.fee), (1, usd(45), usd(5)));
    assert_eq!(payout.state, PayoutState::Confirmed(AT, "a note".parse().unwrap()));
}

fn numbers_go_on_where_they_stopped(store: &mut dyn Store) {
    live_a_life(store);
    let mut set = store.load(Wanted::default()).unwrap();
    assert_eq!(set.next_customer(), Some(serial(2)));
    assert_eq!((set.next_vendor(), set.next_campaign(), set.next_payout()), (Some(2), Some(2), Some(4)));
}

fn a_reservation_comes_with_its_payment_and_stays_as_it_ended(store: &mut dyn Store) {
    furnish(store);
    read_on_budgets(store);
    for (wanted, tran) in [(wanted([], [key(0, 11)]), 11), (wanted_budget(7, key(0, 12), 50), 12)] {
        let set = store.load(wanted).unwrap();
        // The identifier does not depend on whose budget it is.
        let reservation = set.reservation_of(&key(0, tran)).unwrap();
        assert_eq!(reservation.id(), budget(key(0, tran), set.purse(serial(1)).unwrap().custom_id, 50).id());
        assert!(reservation.funded && set.step(&key(0, tran)).is_some());
    }
    let open = store.load(wanted([], [key(0, 11)])).unwrap().reservation_of(&key(0, 11)).unwrap().clone();
    assert_eq!((open.kept.paid.index, open.kept.closed), (3, None));
    let closed = store.load(wanted([], [key(0, 12)])).unwrap().reservation_of(&key(0, 12)).unwrap().clone();
    assert_eq!((closed.kept.paid.index, closed.kept.closed), (4, Some(AT)));
    let voided = store.load(wanted([], [key(0, 13)])).unwrap().reservation_of(&key(0, 13)).unwrap().clone();
    assert_eq!((voided.funded, voided.kept.closed), (false, Some(AT)));
    assert_eq!(store.balance(AccountId::Reservations).unwrap(), 35 + 25);

    let mut more = closed.clone();
    more.kept.paid.index = 5;
    let reservations = vec![Change { before: Some(closed), after: more }];
    assert_refused(force(store, Changes { reservations, ..Changes::default() }));
    let mut stale = open.clone();
    stale.kept.paid.index = 1;
    let reservations = vec![Change { before: Some(stale), after: open.clone() }];
    assert_refused(force(store, Changes { reservations, ..Changes::default() }));
    let reservations = vec![Change { before: None, after: open }];
    assert_refused(force(store, Changes { reservations, ..Changes::default() }));
}

fn a_sale_comes_with_its_payment_and_licences_and_stays_as_it_ended(store: &mut dyn Store) {
    furnish(store);
    read_on_budgets(store);
    let custom_id = IdType { secret_id: 1, serial_number: serial(1) };
    let purchases = [sale(key(0, 14), custom_id).purchase()].into();
    let by_purchase = Wanted { purchases, ..Wanted::default() };
    for (wanted, tran) in
        [(wanted([], [key(0, 14)]), 14), (by_purchase, 14), (wanted_sale(1, key(0, 15)), 15)]
    {
        let set = store.load(wanted).unwrap();
        let found = set.sale_of(&key(0, tran)).unwrap();
        assert!(found.id() == sale(key(0, tran), custom_id).id() && found.funded);
        assert!(set.purse(serial(1)).is_some());
        assert_eq!(set.licences(1)[0].state.used, 3);
    }
    let of = |store: &mut dyn Store, tran| {
        store.load(wanted([], [key(0, tran)])).unwrap().sale_of(&key(0, tran)).unwrap().clone()
    };
    let (open, closed, voided) = (of(store, 14), of(store, 15), of(store, 16));
    assert_eq!((open.kept.redeemed, open.kept.closed), (usd(25), None));
    assert_eq!((closed.kept.redeemed, closed.kept.closed), (usd(20), Some(AT)));
    assert_eq!((voided.funded, voided.kept.closed), (false, Some(AT)));
    let due = open.kept.due().plus(tuppence_protocol::Duration::from_millis(1));
    assert_eq!(store.due_sales(due, 10).unwrap(), [open.id()]);
    assert_eq!(store.due_sales(open.kept.due(), 10).unwrap(), []);

    let mut more = closed.clone();
    more.kept.redeemed = usd(30);
    let mut stale = open.clone();
    stale.kept.redeemed = usd(10);
    let mut twice = open.clone();
    twice.kept.order.nonce = [99; 16];
    for (before, after) in [(Some(closed), more), (Some(stale), open.clone()), (None, open), (None, twice)] {
        let sales = vec![Change { before, after }];
        assert_refused(force(store, Changes { sales, ..Changes::default() }));
    }
    let licences = vec![Change { before: Some(licence(3)), after: licence(2) }];
    assert_refused(force(store, Changes { licences, ..Changes::default() }));
    let licences = vec![Change { before: Some(licence(2)), after: licence(4) }];
    assert_refused(force(store, Changes { licences, ..Changes::default() }));
}

fn a_budget_gives_out_no_more_than_its_sum(store: &mut dyn Store) {
    furnish(store);
    read_on_budgets(store);
    let deposited = changes(store, wanted_budget(1, key(0, 11), 50), |set| {
        deposit(set, key(0, 11), 4, false).unwrap();
    });
    let mut transfers = deposited.transfers;
    transfers.retain(|transfer| transfer.posting == Posting::Redeem);
    assert_eq!(transfers.len(), 1);
    // 15 of 50 are given out: 35 are left.
    transfers[0].amount = usd(36);
    assert_refused(force(store, Changes { transfers: transfers.clone(), ..Changes::default() }));
    transfers[0].amount = usd(35);
    store.commit(Changes { transfers: transfers.clone(), ..Changes::default() }).unwrap();
    transfers[0].amount = usd(1);
    assert_refused(force(store, Changes { transfers: transfers.clone(), ..Changes::default() }));
    transfers[0].step = Some(key(0, 13));
    assert_refused(force(store, Changes { transfers, ..Changes::default() }));
}

fn budgets_whose_time_is_over_are_found_until_they_are_closed(store: &mut dyn Store) {
    furnish(store);
    read_on_budgets(store);
    let due = budget(key(0, 11), IdType { secret_id: 1, serial_number: serial(1) }, 50).due();
    assert_eq!(store.due_reservations(due, 10).unwrap(), []);
    let after = due.plus(tuppence_protocol::Duration::from_millis(1));
    let ids = store.due_reservations(after, 10).unwrap();
    let set = store.load(wanted([], [key(0, 11)])).unwrap();
    assert_eq!(ids, [set.reservation_of(&key(0, 11)).unwrap().id()]);
    assert_eq!(store.due_reservations(after, 0).unwrap(), []);
    run(store, wanted_budget(1, key(0, 11), 50), |set| deposit(set, key(0, 11), 3, true)).unwrap();
    assert_eq!(store.due_reservations(after, 10).unwrap(), []);
}

fn a_working_set_that_was_dropped_leaves_nothing(store: &mut dyn Store) {
    furnish(store);
    let before = shown(store);
    let mut set = store.load(wanted([1], [key(1, 2)])).unwrap();
    set.command(|set| begin(set, StepKind::Payment, serial(1), key(1, 2), 100)).unwrap();
    drop(set);
    assert_eq!(shown(store), before);
}

fn what_changed_meanwhile_is_refused_whole(store: &mut dyn Store) {
    furnish(store);
    let pay = |tran| {
        move |set: &mut WorkingSet| {
            begin(set, StepKind::Payment, serial(1), key(1, tran), 100).unwrap();
            add_vendor(set, "other.example").unwrap();
        }
    };
    let first = changes(store, wanted([1], [key(1, 2)]), pay(2));
    let second = changes(store, wanted([1], [key(1, 3)]), pay(3));
    store.commit(first).unwrap();
    assert_refused(force(store, second));
    assert_eq!(store.balance(AccountId::Purse(1)).unwrap(), 400);
}

fn a_serial_is_spent_once(store: &mut dyn Store) {
    live_a_life(store);
    let set = store.load(wanted([1], [key(1, 2)])).unwrap();
    let mut step = set.step(&key(1, 2)).unwrap().clone();
    step.key = key(1, 9);
    let steps = vec![Change { before: None, after: step }];
    assert_refused(force(store, Changes { steps, ..Changes::default() }));
}

fn a_step_that_has_ended_never_changes(store: &mut dyn Store) {
    live_a_life(store);
    let step = store.load(wanted([], [key(1, 2)])).unwrap().step(&key(1, 2)).unwrap().clone();
    let mut again = step.clone();
    again.state = StepState::Posted(Timestamp::from_millis(1));
    let steps = vec![Change { before: Some(step), after: again }];
    assert_refused(force(store, Changes { steps, ..Changes::default() }));
}

fn money_moves_once_for_each_reason(store: &mut dyn Store) {
    furnish(store);
    let begun = changes(store, wanted([1], [key(1, 2)]), |set| {
        begin(set, StepKind::Payment, serial(1), key(1, 2), 100).unwrap();
    });
    let hold = begun.transfers.clone();
    store.commit(begun).unwrap();
    assert_eq!(hold[0].posting, Posting::Hold);
    assert_refused(force(store, Changes { transfers: hold, ..Changes::default() }));
    let booked = changes(store, references(["invoice 9"]), |set| {
        book(set, "invoice 9", 1, Direction::Deposit, 5).unwrap();
    });
    let transfers = booked.transfers.clone();
    store.commit(booked).unwrap();
    assert_refused(force(store, Changes { transfers, ..Changes::default() }));
}

fn no_account_but_the_reserve_goes_below_zero(store: &mut dyn Store) {
    furnish(store);
    for (account, fits) in
        [(AccountId::Campaign(1), false), (AccountId::Transit, false), (AccountId::Reserve, true)]
    {
        let result = force(store, Changes { balances: vec![(account, -1)], ..Changes::default() });
        assert_eq!(result.is_ok(), fits, "{account}");
    }
}

fn a_reference_is_used_once(store: &mut dyn Store) {
    furnish(store);
    let book = |set: &mut WorkingSet| book(set, "invoice 9", 1, Direction::Withdrawal, 5).unwrap();
    // Neither set has seen the other's, as if two programs wrote.
    let (first, mut second) =
        (changes(store, references(["invoice 9"]), book), changes(store, references(["invoice 9"]), book));
    store.commit(first).unwrap();
    assert_refused(force(store, second.clone()));
    second.transfers.clear();
    assert_refused(force(store, second.clone()));
    assert_eq!(store.balance(AccountId::Vendor(1)).unwrap(), 999_000 - 5);

    let set = store.load(references(["invoice 9", "invoice 10"])).unwrap();
    assert_eq!(set.movement(&"invoice 9".parse().unwrap()), Some(&second.movements[0]));
    assert_eq!(set.movement(&"invoice 10".parse().unwrap()), None);
}

fn a_wallet_is_registered_once(store: &mut dyn Store) {
    furnish(store);
    let again = changes(store, Wanted { registrations: [wallet(1)].into(), ..Wanted::default() }, |set| {
        register(set, 1).unwrap();
    });
    assert_refused(force(store, again));
}

fn solved_challenges_are_remembered_until_they_end(store: &mut dyn Store) {
    let salts = || Wanted { salts: [[1; 16], [2; 16], [3; 16]].into(), ..Wanted::default() };
    let at = Timestamp::from_millis;
    run(store, salts(), |set| {
        set.put_salt([1; 16], at(100));
        set.put_salt([2; 16], at(200));
        Ok(())
    })
    .unwrap();
    run(store, salts(), |set| {
        assert_eq!((set.salt(&[1; 16]), set.salt(&[3; 16])), (Some(at(100)), None));
        set.forget_salts(at(200));
        Ok(())
    })
    .unwrap();
    let set = store.load(salts()).unwrap();
    assert_eq!((set.salt(&[1; 16]), set.salt(&[2; 16])), (None, Some(at(200))));
}

fn a_statement_has_the_steps_of_one_buyer_in_order(store: &mut dyn Store) {
    live_a_life(store);
    run(store, Wanted::default(), |set| register(set, 2)).unwrap();
    let told = store.statement(serial(1), serial(1), 100).unwrap().unwrap();
    let keys: Vec<_> = told.steps.iter().map(|step| step.key).collect();
    // The forestalled payment (1/4) never was.
    assert_eq!(
        keys,
        [
            key(1, 1),
            key(1, 2),
            key(1, 3),
            key(0, 1),
            key(0, 2),
            key(0, 3),
            key(0, 11),
            key(0, 12),
            key(0, 13),
            key(0, 14),
            key(0, 15),
            key(0, 16),
            key(1, 5),
        ]
    );
    assert_eq!(told.purse.pending, Some(key(1, 5)));
    let mut payouts: Vec<_> = told.payouts.iter().map(|payout| payout.number).collect();
    payouts.sort_unstable();
    assert_eq!(payouts, [1, 2, 3]);
    let from = told.steps[2].old.serial;
    let part = store.statement(serial(1), from, 2).unwrap().unwrap();
    assert_eq!(part.steps.iter().map(|step| step.key).collect::<Vec<_>>(), [key(1, 3), key(0, 1)]);
    assert!(store.statement(serial(2), serial(1), 100).unwrap().unwrap().steps.is_empty());
    assert!(store.statement(serial(3), serial(1), 100).unwrap().is_none());
}

fn notes_replace_those_that_were_read_and_no_others(store: &mut dyn Store) {
    furnish(store);
    let wanted = || Wanted { notes: [serial(1)].into(), ..wanted([1], []) };
    for version in [1, 2] {
        run(store, wanted(), |set| {
            set.put_notes(notes(1, version));
            Ok(())
        })
        .unwrap();
        assert_eq!(store.load(wanted()).unwrap().notes(serial(1)), Some(&notes(1, version)));
    }
    let late = Changes {
        notes: vec![Change { before: Some(notes(1, 1)), after: notes(1, 2) }],
        ..Changes::default()
    };
    assert_refused(force(store, late));
    let foreign = |set: &mut WorkingSet| -> Result<(), _> {
        set.put_notes(notes(2, 1));
        Ok(())
    };
    let wanted = Wanted { notes: [serial(2)].into(), ..Wanted::default() };
    assert!(run(store, wanted, foreign).is_err(), "notes of nobody");
}

fn the_oldest_pending_steps_come_first(store: &mut dyn Store) {
    live_a_life(store);
    run(store, Wanted::default(), |set| register(set, 2)).unwrap();
    run(store, wanted([2], [key(1, 6)]), |set| begin(set, StepKind::Issue, serial(2), key(1, 6), 100))
        .unwrap();
    let later = Timestamp::from_millis(AT.as_millis() + 1);
    assert_eq!(store.pending_steps(AT, 10).unwrap(), []);
    assert_eq!(store.pending_steps(later, 10).unwrap(), [key(1, 5), key(1, 6)]);
    assert_eq!(store.pending_steps(later, 1).unwrap(), [key(1, 5)]);
    assert_eq!(store.counts().unwrap().pending, 2);
}

fn payout_orders_are_listed_in_order(store: &mut dyn Store) {
    live_a_life(store);
    let mut numbers = |open, after, limit| -> Vec<u64> {
        store.payouts(open, after, limit).unwrap().iter().map(|payout| payout.number).collect()
    };
    assert_eq!(numbers(false, 0, 10), [1, 2, 3]);
    assert_eq!(numbers(false, 1, 1), [2]);
    assert_eq!(numbers(true, 0, 10), [3]);
    let counts = store.counts().unwrap();
    assert_eq!((counts.payouts, counts.payouts_open), (3, 1));
}

fn after_a_whole_life_the_audit_finds_nothing(store: &mut dyn Store) {
    live_a_life(store);
    let report = audit(store).unwrap();
    assert_eq!(report.findings, []);
    // The currency, a seller, a campaign, seven accounts, fifteen steps' transfers and so on.
    assert_eq!(report.rows, u64::try_from(shown(store).len()).unwrap());
    assert_eq!(store.balance(AccountId::Purse(1)).unwrap(), 500 - 50 - 50 - 50 - 20 - 2 * (50 + 20));
}

fn an_epoch_begins_with_numbers_of_its_own(store: &mut dyn Store) {
    furnish(store);
    assert_eq!(store.epochs().unwrap(), [Epoch::NEW]);
    let epoch = Epoch { number: 500_000, began: AT, reason: EpochReason::Restored, lost: None };
    let refused = run(store, Wanted::default(), |set| {
        set.begin_epoch(epoch);
        Err::<(), _>(Refusal::new(ErrorCode::Fault, "no"))
    });
    assert!(refused.is_err() && store.epochs().unwrap().len() == 1, "a refused command began an epoch");
    run(store, Wanted::default(), |set| {
        set.begin_epoch(epoch);
        assert_eq!(*set.epoch(), epoch);
        register(set, 2)
    })
    .unwrap();
    assert_eq!(store.epochs().unwrap(), [Epoch::NEW, epoch]);
    let mut set = store.load(Wanted::default()).unwrap();
    assert_eq!(*set.epoch(), epoch);
    let first = Serial::first_of(epoch.number).unwrap();
    assert_eq!(set.next_customer(), first.next());
    assert_eq!((set.next_payout(), set.next_vendor()), (Some(first.get()), Some(2)));
    drop(set);
    assert_eq!(store.counts().unwrap().purses, 2);
    assert_eq!(audit(store).unwrap().epochs, [epoch]);
}

fn a_buyer_has_one_claim(store: &mut dyn Store) {
    furnish(store);
    let claims = || Wanted { claims: [serial(1), serial(2)].into(), ..Wanted::default() };
    let claim = |shown: u64| {
        let custom_id = IdType { secret_id: 1, serial_number: serial(1) };
        Claim { custom_id, shown: scrip(shown, 400), known: None, at: AT }
    };
    for shown in [12, 14] {
        run(store, claims(), |set| {
            set.put_claim(claim(shown));
            Ok(())
        })
        .unwrap();
        let set = store.load(claims()).unwrap();
        assert_eq!((set.claim(serial(1)), set.claim(serial(2))), (Some(&claim(shown)), None));
    }
    let report = audit(store).unwrap();
    assert_eq!((report.findings, report.claims), (vec![], vec![claim(14)]));
}

fn what_was_cancelled_and_never_came_is_forgotten_and_nothing_else(store: &mut dyn Store) {
    live_a_life(store);
    let steps = |store: &mut dyn Store| shown(store).iter().filter(|row| row.starts_with("Step(")).count();
    let before = steps(store);
    let forget = |store: &mut dyn Store, before| {
        run(store, Wanted::default(), |set| {
            set.forget_cancelled(before);
            Ok(())
        })
        .unwrap();
    };
    forget(store, AT);
    assert_eq!(steps(store), before, "it was forgotten too early");
    forget(store, Timestamp::from_millis(AT.as_millis() + 1));
    assert_eq!(steps(store), before - 1);
    assert_eq!(store.load(wanted([], [key(1, 4)])).unwrap().step(&key(1, 4)).map(|step| step.key), None);
    assert_eq!(audit(store).unwrap().findings, []);
}
