//! Whatever is lost, repeated or brought late, all books agree to the unit.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, Copy)]
enum Event {
    /// The customer pays this many units; the charge arrives so many times.
    Charge(u32, u8),
    /// An earlier charge arrives again.
    Replay(usize),
    /// The shop deposits, and hears of it or not.
    Deposit(bool),
    /// An earlier deposit arrives again.
    ReplayDeposit(usize),
    /// The customer ends the budget.
    End,
    /// So many days pass.
    Days(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0..8u32, 0..3u8).prop_map(|(units, times)| Event::Charge(units, times)),
        2 => any::<usize>().prop_map(Event::Replay),
        3 => any::<bool>().prop_map(Event::Deposit),
        2 => any::<usize>().prop_map(Event::ReplayDeposit),
        1 => Just(Event::End),
        2 => prop_oneof![9 => 0..9u64, 1 => Just(40)].prop_map(Event::Days),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_order_of_messages_makes_or_loses_a_unit(
        events in prop::collection::vec(event(), 1..40),
    ) {
        let world = World::new();
        let vendor = world.vendor("shop");
        let (mut session, mut budget, mut chain) = world.session("shop");
        let mut reservation = world.reservation("shop");
        let (mut charges, mut deposits) = (Vec::new(), Vec::new());
        let (mut days, mut units, mut to_shop, mut to_purse) = (0, 0, 0, 0);
        for event in events {
            let mut arriving = Vec::new();
            match event {
                Event::Charge(more, times) => {
                    if let Ok(charge) = budget.charge(&mut chain, more) {
                        charges.push(charge);
                        arriving.extend((0..times).map(|_| charge));
                    }
                }
                Event::Replay(which) if !charges.is_empty() => arriving.push(charges[which % charges.len()]),
                Event::End => {
                    let charge = budget.end(&mut chain).unwrap();
                    charges.push(charge);
                    arriving.push(charge);
                }
                Event::Days(more) => days += more,
                _ => (),
            }
            for charge in arriving {
                if let Ok(charged) = session.charge(&charge, later(days)) {
                    units += charged.units;
                    session = charged.session;
                }
                prop_assert_eq!(units, session.index());
                prop_assert!(units <= budget.paid());
            }
            let sent = match event {
                Event::Deposit(heard) => vendor.deposit(&session).unwrap().map(|deposit| (deposit, heard)),
                Event::ReplayDeposit(which) if !deposits.is_empty() => {
                    let deposit: &Deposit = &deposits[which % deposits.len()];
                    Some((deposit.clone(), false))
                }
                _ => None,
            };
            if let Some((deposit, heard)) = sent {
                if let Ok(taken) = world.deposit("shop", &deposit, &reservation, later(days)) {
                    to_shop += taken.to_vendor.micros() + taken.fee.micros();
                    to_purse += taken.to_purse.micros();
                    reservation = taken.reservation;
                    if heard {
                        session = vendor.confirm(&session, &taken.reply).unwrap();
                    }
                }
                deposits.push(deposit);
            }
            if let Some(closed) = world.broker().close(&reservation, later(days)).unwrap() {
                to_purse += closed.to_purse.micros();
                reservation = closed.reservation;
            }
            let rest = reservation.rest().unwrap().micros();
            prop_assert_eq!(to_shop + to_purse + rest, usd("0.25").micros());
            prop_assert!(to_shop <= u64::from(units) * 5_000);
        }
        // The shop that deposits in time gets all that it was paid, and the customer the rest.
        if reservation.closed.is_none() {
            while let Some(deposit) = vendor.deposit(&session).unwrap() {
                let taken = world.deposit("shop", &deposit, &reservation, later(days)).unwrap();
                to_shop += taken.to_vendor.micros() + taken.fee.micros();
                to_purse += taken.to_purse.micros();
                reservation = taken.reservation;
                session = vendor.confirm(&session, &taken.reply).unwrap();
            }
            if let Some(closed) = world.broker().close(&reservation, later(1_000)).unwrap() {
                to_purse += closed.to_purse.micros();
            }
            prop_assert_eq!(to_shop, u64::from(units) * 5_000);
            prop_assert_eq!(to_shop + to_purse, usd("0.25").micros());
        }
    }
}
