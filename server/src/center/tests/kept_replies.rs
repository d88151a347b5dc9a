//! The same message gets the same bytes for at least thirty days, and what is kept for that is bounded (T2).

use tuppence_protocol::scrip::buyer::AwaitingReturn;

use super::*;
use crate::store::Row;

/// How many rows there are.
fn rows(bench: &mut Bench) -> usize {
    let mut rows = 0;
    bench
        .store
        .rows(&mut |row| {
            if !matches!(row, Row::Currency(_)) {
                rows += 1
            }
        })
        .unwrap();
    rows
}

#[test]
fn every_reply_is_the_same_after_sixty_days_and_repeating_takes_no_room() {
    over_each_store(|bench| {
        let registration = bench.registration(9);
        let registered = json(&reply(bench, register_command(&registration, 9)));
        let mut wallet = bench.rich_wallet(1, "2");
        let shop = bench.shops[0].seller.vendor_id().clone();
        let attestation = Command::Attest(Box::new(wallet.purse.attestation(shop, bench.now).request));
        let reward = bench.reward(&wallet, "1");
        let issue = wallet.purse.start(reward, bench.now).unwrap();
        let article = bench.article(0, &wallet, "0.5");
        let mut said = vec![(attestation.clone(), json(&reply(bench, attestation)))];
        let mut say = |bench: &mut Bench, command: Command| {
            let answer = json(&reply(bench, command.clone()));
            said.push((command, answer));
        };
        say(bench, start_command(&issue.start));
        let issued = wallet.begin(bench, issue.start.offer()).unwrap();
        say(bench, Command::Finish(Box::new(issued.finish.clone())));
        let paid = wallet.begin(bench, article).unwrap();
        say(bench, start_command(&paid.start));
        say(bench, Command::Finish(Box::new(paid.finish.clone())));
        let again = bench.article(0, &wallet, "0.25");
        let back = wallet.begin(bench, again).unwrap();
        let cancel = back.cancel(&wallet.purse.custom_secret, bench.now);
        let AwaitingReturn::Finish(cancel) = cancel else { panic!("no S6") };
        say(bench, start_command(&back.start));
        say(bench, Command::Finish(Box::new(cancel)));
        wallet.resynchronise(bench);
        let never = bench.article(0, &wallet, "0.1");
        let never =
            wallet.purse.start(never, bench.now).unwrap().cancel(&wallet.purse.custom_secret, bench.now);
        let AwaitingReturn::Start(never) = never else { panic!("no S4") };
        let cancelled = (start_command(&never), json(&reply(bench, start_command(&never))));

        let kept = rows(bench);
        for days in [1_u64, 29, 30] {
            bench.pass_minutes(if days == 30 { 0 } else { days * 24 * 60 });
            bench.sweep();
            bench.reopen();
            for (command, answer) in said.iter().chain([&cancelled]) {
                assert_eq!(json(&reply(bench, command.clone())), *answer, "after {days} days: {command:?}");
            }
            let again = json(&reply(bench, register_command(&registration, 77)));
            assert_eq!(again, registered, "after {days} days");
        }
        assert_eq!(rows(bench), kept, "repeating takes room");
        bench.pass_minutes(30 * 24 * 60);
        bench.sweep();
        for (command, answer) in &said {
            assert_eq!(json(&reply(bench, command.clone())), *answer, "after sixty days: {command:?}");
        }
        assert_eq!(rows(bench), kept - 1, "what was cancelled and never came is forgotten, and nothing else");
    });
}

#[test]
fn what_cancellations_of_nothing_take_is_bounded_by_a_month_of_them() {
    over_each_store(|bench| {
        let wallet = bench.rich_wallet(1, "2");
        let before = rows(bench);
        let mut most = 0;
        for _ in 0..20 {
            for _ in 0..3 {
                let offer = bench.article(0, &wallet, "0.1");
                let start = wallet.purse.start(offer, bench.now).unwrap();
                let cancel = start.cancel(&wallet.purse.custom_secret, bench.now);
                let AwaitingReturn::Start(cancel) = cancel else { panic!("no S4") };
                reply(bench, start_command(&cancel));
            }
            bench.pass_minutes(10 * 24 * 60);
            bench.sweep();
            most = most.max(rows(bench) - before);
        }
        assert!(most <= 4 * 3, "{most} rows");
        bench.pass_minutes(32 * 24 * 60);
        bench.sweep();
        assert_eq!(rows(bench), before);
        bench.reopen();
        bench.audit();
    });
}

#[test]
fn a_payment_that_was_cancelled_is_refused_as_long_as_its_offer_could_be_taken() {
    over_each_store(|bench| {
        let wallet = bench.rich_wallet(1, "2");
        let Offer::Payment(mut order) = bench.article(0, &wallet, "0.1") else { panic!("an issue") };
        let mut start = |bench: &mut Bench, days| {
            order.expires = bench.now.plus(Duration::from_days(days));
            let order = order.clone().sealed(&Secret::from_bytes([11; 32]));
            let start = wallet.purse.start(Offer::Payment(order), bench.now).unwrap();
            let cancel = start.cancel(&wallet.purse.custom_secret, bench.now);
            let AwaitingReturn::Start(cancel) = cancel else { panic!("no S4") };
            (start_command(&start.start), start_command(&cancel))
        };
        let (pay, cancel) = start(bench, 31);
        assert_eq!(code(bench.send(cancel)), ErrorCode::OfferExpired);
        assert_eq!(code(bench.send(pay)), ErrorCode::OfferExpired);
        let (pay, cancel) = start(bench, 30);
        bench.send(cancel).unwrap();
        bench.pass_minutes(30 * 24 * 60);
        bench.sweep();
        assert_eq!(code(bench.send(pay.clone())), ErrorCode::TransactionVoided);
        bench.pass_minutes(4 * 24 * 60);
        bench.sweep();
        assert_eq!(code(bench.send(pay)), ErrorCode::OfferExpired);
    });
}

fn reply(bench: &mut Bench, command: Command) -> serde_json::Value {
    let shown = match bench.send(command).unwrap() {
        Reply::Registered(reply) => serde_json::to_string(&reply),
        Reply::Attested(reply) => serde_json::to_string(&reply),
        Reply::Ecash(reply) => serde_json::to_string(&reply),
        Reply::Balance(reply) => serde_json::to_string(&reply),
        Reply::Finished(reply) => serde_json::to_string(&reply),
        other => panic!("{other:?}"),
    };
    serde_json::Value::String(shown.unwrap())
}
