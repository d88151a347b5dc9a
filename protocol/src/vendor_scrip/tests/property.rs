//! Whatever is lost, repeated or brought late, all books agree to the unit.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, Copy)]
enum Event {
    /// The customer pays this many cents; the request arrives so often, and the reply or not.
    Pay(u32, u8, bool),
    /// An earlier request arrives again.
    Replay(usize),
    /// A cent is paid for something else, with the live scrip or one that was held before.
    PayElsewhere(usize),
    /// The shop settles, and hears of it or not.
    Settle(bool),
    /// An earlier settlement arrives again.
    ReplaySettlement(usize),
    /// The customer ends the purchase, with the live scrip or the first one.
    End(bool),
    /// So many days pass.
    Days(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (1..3u32, 1..3u8, any::<bool>()).prop_map(|(cents, times, heard)| Event::Pay(cents, times, heard)),
        2 => any::<usize>().prop_map(Event::Replay),
        1 => any::<usize>().prop_map(Event::PayElsewhere),
        3 => any::<bool>().prop_map(Event::Settle),
        2 => any::<usize>().prop_map(Event::ReplaySettlement),
        1 => any::<bool>().prop_map(Event::End),
        2 => prop_oneof![9 => 0..9u64, 1 => Just(40)].prop_map(Event::Days),
    ]
}

/// Sends `request`. What was answered once is answered in the same bytes for ever.
fn ask(
    shop: &mut Shop,
    answered: &mut BTreeMap<[u8; 32], String>,
    request: &Request,
    now: Timestamp,
) -> Option<Reply> {
    let price = request.price.to_string().replace("USD:", "");
    let reply = shop.serve(request, &price, now).ok();
    let bytes = reply.as_ref().map(|reply| serde_json::to_string(reply).unwrap());
    if let Some(first) = answered.get(request.hash.as_bytes()) {
        assert_eq!(bytes.as_ref(), Some(first), "a repetition got another reply");
    } else if let Some(bytes) = bytes {
        answered.insert(*request.hash.as_bytes(), bytes);
    }
    reply
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_order_of_messages_makes_or_loses_anything(events in prop::collection::vec(event(), 1..40)) {
        let world = World::new();
        let mut shop = Shop::new("shop");
        let (mut sale, first) = world.bought("shop");
        let mut holding = first.clone();
        let mut unanswered: Option<AwaitingChange> = None;
        let (mut requests, mut settlements) = (Vec::<Request>::new(), Vec::<Settlement>::new());
        let (mut holdings, mut answered) = (vec![first.clone()], BTreeMap::new());
        let (mut days, mut to_shop, mut to_purse) = (0, 0, 0);
        for event in events {
            let mut sent = Vec::new();
            match event {
                Event::Pay(cents, times, heard) => {
                    // What is unanswered is sent again before anything else.
                    let wanted = usd("0.01").times(cents).unwrap();
                    let asking = unanswered.take().or_else(|| holding.pay(URL.parse().unwrap(), wanted).ok());
                    if let Some(asking) = asking {
                        for _ in 0..times {
                            let reply = ask(&mut shop, &mut answered, &asking.request, later(days));
                            if let (Some(reply), true) = (&reply, heard) {
                                holding = asking.receive(reply, digest(b"article")).unwrap();
                                holdings.push(holding.clone());
                            }
                        }
                        requests.push(asking.request.clone());
                        if !heard {
                            unanswered = Some(asking);
                        }
                    }
                }
                Event::Replay(which) if !requests.is_empty() => {
                    ask(&mut shop, &mut answered, &requests[which % requests.len()], later(days));
                }
                Event::PayElsewhere(which) => {
                    let held = &holdings[which % holdings.len()];
                    if let Ok(asking) = held.pay(format!("{URL}/else").parse().unwrap(), usd("0.01")) {
                        ask(&mut shop, &mut answered, &asking.request, later(days));
                        requests.push(asking.request);
                    }
                }
                Event::End(live) => {
                    let message = if live { holding.give_back() } else { first.give_back() };
                    sent.push((shop.end(&message).unwrap(), false));
                }
                Event::Settle(heard) if !shop.accounts.is_empty() => {
                    let settlement = shop.vendor.settle(shop.account()).unwrap();
                    sent.extend(settlement.map(|settlement| (settlement, heard)));
                }
                Event::ReplaySettlement(which) if !settlements.is_empty() => {
                    sent.push((settlements[which % settlements.len()].clone(), false));
                }
                Event::Days(more) => days += more,
                _ => (),
            }
            for (settlement, heard) in sent {
                if let Ok(settling) = world.settle("shop", &settlement, &sale, later(days)) {
                    to_shop += settling.to_vendor.micros() + settling.fee.micros();
                    to_purse += settling.to_purse.micros();
                    sale = settling.sale;
                    if heard {
                        let account = shop.vendor.confirm(shop.account(), &settling.reply).unwrap();
                        shop.accounts.insert(account.customer_id, account);
                    }
                }
                settlements.push(settlement);
            }
            if let Some(closed) = world.broker().close(&sale, later(days)).unwrap() {
                to_purse += closed.to_purse.micros();
                sale = closed.sale;
            }
            prop_assert_eq!(to_shop + to_purse + sale.rest().unwrap().micros(), usd("0.1").micros());
            let redeemed: u64 = shop.spent.values().map(|spent| {
                let request = requests.iter().find(|request| request.hash.matches(&spent.request));
                // Each was stored before it was sent, the one that is unanswered apart.
                request.or(unanswered.as_ref().map(|asking| &asking.request)).unwrap().price.micros()
            }).sum();
            if let Some(account) = shop.accounts.values().next() {
                prop_assert_eq!(account.redeemed.micros(), redeemed, "each ID# was spent once");
                prop_assert!(to_shop <= redeemed && redeemed <= usd("0.1").micros());
            }
        }
    }
}
