//! A small center for the tests of the store: the moves of spec 01 without messages, seals or limits.

use tuppence_protocol::ids::{IdType, Serial};
use tuppence_protocol::payword::{
    self, Authority, AuthorityOrder, Certificate, Countersigned, Payword, Position,
};
use tuppence_protocol::recovery::notes::Notes;
use tuppence_protocol::scrip::center::{Purse, ScripState, Step, StepKey, StepKind, StepState};
use tuppence_protocol::vendor_scrip::{
    self, IdRange, LicenceState, LicenceTerms, Licensed, Order, VendorScrip, VendorScripBody,
};
use tuppence_protocol::{
    Amount, Currency, ErrorCode, HashAlgorithm, KeyRing, PublicKey, Refusal, Seal, Secret, Signature,
    Timestamp, TranId, VendorId, WalletId,
};

use crate::ledger::{AccountId, Posting, Transfer, demands};
use crate::store::records::{
    Campaign, Claim, Direction, Held, KeptLicence, KeptNotes, Movement, Payout, PayoutState, Reference,
    Registration, Reservation, Sale, Vendor,
};
use crate::store::{Store, Wanted, WorkingSet};

/// When everything happens.
pub const AT: Timestamp = Timestamp::from_millis(1_000_000);

pub fn usd(micros: u64) -> Amount {
    Amount::new(Currency::USD, micros).unwrap()
}

pub fn serial(number: u64) -> Serial {
    Serial::try_from(number).unwrap()
}

pub fn wallet(number: u8) -> WalletId {
    WalletId::from_bytes([number; 16])
}

pub fn key(vendor: u32, tran: u8) -> StepKey {
    StepKey { vendor, tran_id: TranId::from_bytes([tran; 16]) }
}

/// Wants these buyers' purses and these steps.
pub fn wanted<const C: usize, const S: usize>(customers: [u64; C], steps: [StepKey; S]) -> Wanted {
    Wanted {
        purses: customers.into_iter().map(serial).collect(),
        steps: steps.into_iter().collect(),
        ..Wanted::default()
    }
}

/// Notes of a buyer.
pub fn notes(customer: u64, version: u64) -> KeptNotes {
    let sealed = vec![u8::try_from(version).unwrap(); 40].try_into().unwrap();
    KeptNotes { customer: serial(customer), notes: Notes { version: serial(version), sealed }, at: AT }
}

/// Wants the movements of these references.
pub fn references<const N: usize>(references: [&str; N]) -> Wanted {
    let movements = references.into_iter().map(|reference| reference.parse().unwrap()).collect();
    Wanted { movements, ..Wanted::default() }
}

/// Runs one command and commits it.
pub fn run<R>(
    store: &mut dyn Store,
    wanted: Wanted,
    command: impl FnOnce(&mut WorkingSet) -> Result<R, Refusal>,
) -> Result<R, Refusal> {
    let mut set = store.load(wanted).unwrap();
    let reply = set.command(command)?;
    store.commit(set.into_changes()).unwrap();
    Ok(reply)
}

pub fn scrip(number: u64, micros: u64) -> ScripState {
    ScripState {
        algorithm: HashAlgorithm::HmacSha256,
        secret_id: 1,
        serial: serial(number),
        value: usd(micros),
        ad: None,
        expires: Timestamp::from_millis(9_000_000),
    }
}

pub fn register(set: &mut WorkingSet, number: u8) -> Result<Serial, Refusal> {
    let customer = set.next_customer().unwrap();
    let first = scrip(1, 0);
    set.put_purse(Purse {
        custom_id: IdType { secret_id: 1, serial_number: customer },
        live: first.clone(),
        pending: None,
    });
    set.put_registration(Registration {
        wallet: wallet(number),
        digest: [number; 32],
        customer,
        nonce: [number; 12],
        first,
        wallet_key: [number; 32],
        name: Some("Ada".parse().unwrap()),
        address: None,
        e_mail: None,
        at: AT,
    });
    Ok(customer)
}

/// A seller with a deposit of 1,000,000.
pub fn add_vendor(set: &mut WorkingSet, name: &str) -> Result<u32, Refusal> {
    let number = set.next_vendor().unwrap();
    let id = VendorId {
        dns_name: name.parse().unwrap(),
        ip_addr: None,
        server_name: "A shop".parse().unwrap(),
        port: 443,
    };
    let secrets = KeyRing::new(1, Secret::from_bytes([7; 32]));
    let origin = format!("https://{name}").parse().unwrap();
    set.put_vendor(Vendor { number, id, origin, secrets, at: AT });
    book(set, &format!("opening {number}"), number, Direction::Deposit, 1_000_000)?;
    Ok(number)
}

/// A campaign `quiz` with this budget.
pub fn add_campaign(set: &mut WorkingSet, vendor: u32, budget: u64) -> Result<u32, Refusal> {
    let number = set.next_campaign().unwrap();
    let (budget, item) = (usd(budget), "quiz".parse().unwrap());
    set.put_campaign(Campaign { number, vendor, item, budget, funded: budget, asked: AT });
    let (debit, credit) = (AccountId::Vendor(vendor), AccountId::Campaign(number));
    let micros = budget.micros();
    set.post(transfer(demands::Flow { posting: Posting::Funding, debit, credit, micros }, None, None))?;
    Ok(number)
}

/// Real money of a seller comes in or goes out.
pub fn book(
    set: &mut WorkingSet,
    reference: &str,
    vendor: u32,
    direction: Direction,
    micros: u64,
) -> Result<(), Refusal> {
    let reference: Reference = reference.parse().unwrap();
    let movement = Movement { reference: reference.clone(), vendor, direction, amount: usd(micros), at: AT };
    let flow = demands::of_movement(&movement);
    set.post(Transfer { movement: Some(reference), ..transfer(flow, None, None) })?;
    set.put_movement(movement);
    Ok(())
}

/// Begins a step that takes the live scrip, and leaves it pending.
pub fn begin(
    set: &mut WorkingSet,
    kind: StepKind,
    customer: Serial,
    key: StepKey,
    micros: u64,
) -> Result<(), Refusal> {
    let mut purse = set.purse(customer).cloned().unwrap();
    if purse.pending.is_some() {
        return Err(Refusal::new(ErrorCode::ScripStale, "A step is pending."));
    }
    let amount = usd(micros);
    let is_budget = kind == StepKind::Payment && key.vendor == 0;
    let value = match kind {
        StepKind::Issue => purse.live.value.checked_add(amount),
        StepKind::Payment | StepKind::CashOut => purse.live.value.checked_sub(amount),
    };
    let value = value
        .map_err(|error| Refusal::new(ErrorCode::BalanceInsufficient, format!("The purse: {error}.")))?;
    let new = ScripState { serial: purse.live.serial.next().unwrap(), value, ..purse.live.clone() };
    let step = Step {
        key,
        kind,
        customer,
        amount,
        fee: if kind == StepKind::Issue || is_budget { usd(0) } else { usd(micros / 10) },
        subject: if kind == StepKind::Issue { "quiz" } else { "https://shop.example/a" }.parse().unwrap(),
        secret_id: 1,
        request_hash: Seal::from_bytes([9; 32]),
        old: purse.live.clone(),
        new: new.clone(),
        started: AT,
        state: StepState::Pending,
    };
    if is_budget && key.tran_id.as_bytes()[0] < 14 {
        set.put_reservation(budget(key, purse.custom_id, micros));
    } else if is_budget {
        let used = u32::from(key.tran_id.as_bytes()[0]) - 13;
        set.put_licence(licence(used));
        set.put_sale(sale(key, purse.custom_id));
    }
    purse.live = new;
    purse.pending = Some(key);
    set.put_purse(purse);
    put(set, None, step)
}

/// Ends a pending step: completes it, or takes it back.
pub fn end(set: &mut WorkingSet, key: StepKey, complete: bool) -> Result<(), Refusal> {
    let before = set.step(&key).cloned().unwrap();
    let mut purse = set.purse(before.customer).cloned().unwrap();
    purse.pending = None;
    let mut step = before.clone();
    if complete {
        step.state = StepState::Posted(AT);
    } else {
        let serial = purse.live.serial.next().unwrap();
        purse.live = ScripState { serial, ..before.old.clone() };
        step.state = StepState::Voided(AT, purse.live.clone());
    }
    set.put_purse(purse);
    if let Some(mut reservation) = set.reservation_of(&key).cloned() {
        reservation.funded = complete;
        reservation.kept.closed = (!complete).then_some(AT);
        set.put_reservation(reservation);
    }
    if let Some(mut sale) = set.sale_of(&key).cloned() {
        sale.funded = complete;
        sale.kept.closed = (!complete).then_some(AT);
        set.put_sale(sale);
    }
    if complete && step.kind == StepKind::CashOut {
        let number = set.next_payout().unwrap();
        set.put_payout(Payout {
            number,
            step: key,
            customer: step.customer,
            amount: step.amount.checked_sub(step.fee).unwrap(),
            fee: step.fee,
            destination: "DE00".parse().unwrap(),
            ordered: AT,
            state: PayoutState::Ordered,
        });
    }
    put(set, Some(&before), step)
}

/// A budget of ten units at the first shop, which the step `key` pays for with `micros`.
pub fn budget(key: StepKey, custom_id: IdType, micros: u64) -> Reservation {
    let (none, unknown) = (Signature::from_bytes([0; 64]), PublicKey::from_bytes([5; 32]));
    let id = |name: &str| VendorId {
        dns_name: name.parse().unwrap(),
        ip_addr: None,
        server_name: "A shop".parse().unwrap(),
        port: 443,
    };
    let authority = Authority {
        vendor_id: id("shop.example"),
        center_id: id("center.example"),
        customer: unknown,
        nonce: *key.tran_id.as_bytes(),
        root: Payword::from_bytes([6; 32]),
        length: 10,
        unit: usd(micros / 10),
        expires: AT,
        signature: none,
    };
    let certificate = Certificate {
        center_id: id("center.example"),
        customer: unknown,
        expires: AT,
        key_id: 1,
        signature: none,
    };
    let order = AuthorityOrder { authority, certificate };
    let kept = payword::Reservation {
        countersigned: Countersigned { order, key_id: 1, signature: none },
        tran_id: key.tran_id,
        custom_id,
        fee_basis_points: 1_000,
        paid: Position { index: 0, payword: Payword::from_bytes([6; 32]) },
        closed: None,
    };
    Reservation { vendor: 1, funded: false, kept }
}

/// A licence of the first shop for five scrips, of which so many are used.
pub fn licence(used: u32) -> KeptLicence {
    let id = |name: &str| VendorId {
        dns_name: name.parse().unwrap(),
        ip_addr: None,
        server_name: "A shop".parse().unwrap(),
        port: 443,
    };
    let terms = LicenceTerms {
        vendor_id: id("shop.example"),
        center_id: id("center.example"),
        number: 1,
        scrips: IdRange { secret_id: 1, first: serial(1) },
        customers: IdRange { secret_id: 2, first: serial(1) },
        count: 5,
        expires: Timestamp::from_millis(9_000_000),
        props: "".parse().unwrap(),
    };
    let [scrip_secret, customer_secret] = [1, 2].map(|byte| Secret::from_bytes([byte; 32]));
    let licensed = Licensed { terms, scrip_secret, customer_secret };
    KeptLicence { vendor: 1, state: LicenceState { licensed, used } }
}

/// Scrip of the first shop worth 50, which the step `key` (0/14 to 0/18) pays for.
pub fn sale(key: StepKey, custom_id: IdType) -> Sale {
    let terms = licence(0).state.licensed.terms;
    let position = u32::from(key.tran_id.as_bytes()[0]) - 14;
    let order = Order {
        vendor_id: terms.vendor_id.clone(),
        center_id: terms.center_id.clone(),
        value: usd(50),
        nonce: *key.tran_id.as_bytes(),
    };
    let body = VendorScripBody {
        vendor_id: terms.vendor_id,
        value: usd(50),
        id: terms.scrips.nth(position).unwrap(),
        customer_id: terms.customers.nth(position).unwrap(),
        expires: AT,
        props: terms.props,
    };
    let kept = vendor_scrip::Sale {
        order,
        tran_id: key.tran_id,
        custom_id,
        licence: 1,
        scrip: VendorScrip::new(body, &Secret::from_bytes([1; 32])),
        fee_basis_points: 1_000,
        redeemed: usd(0),
        closed: None,
    };
    Sale { vendor: 1, funded: false, kept }
}

/// Wants the scrip that the step `key` pays for, and all that goes with it.
pub fn wanted_sale(customer: u64, key: StepKey) -> Wanted {
    let id = sale(key, IdType { secret_id: 1, serial_number: serial(customer) }).id();
    Wanted { sales: [id].into(), licences: [1].into(), ..wanted([customer], [key]) }
}

/// A shop settles until so much is redeemed; the last settlement buys the rest back.
pub fn settle(set: &mut WorkingSet, key: StepKey, redeemed: u64, last: bool) -> Result<(), Refusal> {
    let before = set.sale_of(&key).cloned().unwrap();
    let mut after = before.clone();
    after.kept.redeemed = usd(redeemed);
    after.kept.closed = last.then_some(AT);
    give_out(set, &before.held().unwrap(), &after.held().unwrap())?;
    set.put_sale(after);
    Ok(())
}

/// Wants the budget that the step `key` pays for with `micros`, and all that goes with it.
pub fn wanted_budget(customer: u64, key: StepKey, micros: u64) -> Wanted {
    let custom_id = IdType { secret_id: 1, serial_number: serial(customer) };
    let id = budget(key, custom_id, micros).id();
    Wanted { reservations: [id].into(), ..wanted([customer], [key]) }
}

/// What `after` has given out beyond `before`.
fn give_out(set: &mut WorkingSet, before: &Held, after: &Held) -> Result<(), Refusal> {
    let had = demands::of_held(before);
    for flow in demands::of_held(after) {
        let had = had.iter().find(|had| had.posting == flow.posting).map_or(0, |had| had.micros);
        let micros = flow.micros - had;
        if micros > 0 {
            set.post(transfer(demands::Flow { micros, ..flow }, Some(after.step), None))?;
        }
        if flow.posting == Posting::Release {
            let mut purse = set.purse(after.customer).cloned().unwrap();
            purse.live.serial = purse.live.serial.next().unwrap();
            purse.live.value = purse.live.value.checked_add(usd(micros)).unwrap();
            set.put_purse(purse);
        }
    }
    Ok(())
}

/// A shop deposits until `index` units are paid; the last deposit returns the rest.
pub fn deposit(set: &mut WorkingSet, key: StepKey, index: u32, last: bool) -> Result<(), Refusal> {
    let before = set.reservation_of(&key).cloned().unwrap();
    let mut after = before.clone();
    after.kept.paid = Position { index, payword: Payword::from_bytes([u8::try_from(index).unwrap(); 32]) };
    after.kept.closed = last.then_some(AT);
    give_out(set, &before.held().unwrap(), &after.held().unwrap())?;
    set.put_reservation(after);
    Ok(())
}

/// Keeps a step, with the transfers that its state demands beyond those of `before`.
fn put(set: &mut WorkingSet, before: Option<&Step>, step: Step) -> Result<(), Refusal> {
    let item = step.subject.as_str().parse().unwrap();
    let campaign = set.campaign_by_item(step.key.vendor, &item).map(|campaign| campaign.number);
    let earlier = before.map_or(0, |before| demands::of_step(before, campaign).unwrap().len());
    for flow in &demands::of_step(&step, campaign).unwrap()[earlier..] {
        let transfer = transfer(*flow, Some(step.key), None);
        set.post(transfer)?;
    }
    set.put_step(step);
    Ok(())
}

fn transfer(flow: demands::Flow, step: Option<StepKey>, payout: Option<u64>) -> Transfer {
    let demands::Flow { posting, debit, credit, micros } = flow;
    Transfer { debit, credit, amount: usd(micros), posting, step, payout, movement: None, at: AT }
}

/// Remembers that a step was cancelled before it came.
pub fn forestall(set: &mut WorkingSet, customer: Serial, key: StepKey) -> Result<(), Refusal> {
    let live = set.purse(customer).unwrap().live.clone();
    set.put_step(Step {
        key,
        kind: StepKind::Payment,
        customer,
        amount: usd(5),
        fee: usd(0),
        subject: "https://shop.example/a".parse().unwrap(),
        secret_id: 1,
        request_hash: Seal::from_bytes([9; 32]),
        old: live.clone(),
        new: live.clone(),
        started: AT,
        state: StepState::Voided(AT, live),
    });
    Ok(())
}

/// Ends a payout order: confirms it, or brings it back to its purse.
pub fn end_payout(set: &mut WorkingSet, number: u64, confirm: bool) -> Result<(), Refusal> {
    let mut payout = set.payout(number).cloned().unwrap();
    let note = "a note".parse().unwrap();
    if confirm {
        payout.state = PayoutState::Confirmed(AT, note);
    } else {
        payout.state = PayoutState::Returned(AT, note);
        let mut purse = set.purse(payout.customer).cloned().unwrap();
        let back = payout.amount.checked_add(payout.fee).unwrap();
        purse.live.serial = purse.live.serial.next().unwrap();
        purse.live.value = purse.live.value.checked_add(back).unwrap();
        set.put_purse(purse);
    }
    for flow in demands::of_payout(&payout) {
        set.post(transfer(flow, None, Some(number)))?;
    }
    set.put_payout(payout);
    Ok(())
}

/// One seller with a campaign of 1,000, and one buyer who earned 500 of it (step 1/1).
pub fn furnish(store: &mut dyn Store) {
    run(store, Wanted::default(), |set| {
        let vendor = add_vendor(set, "shop.example")?;
        add_campaign(set, vendor, 1_000)?;
        register(set, 1).map(drop)
    })
    .unwrap();
    run(store, wanted([1], [key(1, 1)]), |set| {
        begin(set, StepKind::Issue, serial(1), key(1, 1), 500)?;
        end(set, key(1, 1), true)
    })
    .unwrap();
}

/// [`furnish`], then one of everything: a claim, a solved challenge, a paid, a cancelled, a forestalled and a pending payment (steps 1/2 to 1/5),
/// a cash-out confirmed, returned and open each (steps 0/1 to 0/3), three budgets,
/// and a withdrawal.
pub fn live_a_life(store: &mut dyn Store) {
    furnish(store);
    go_on(store);
}

/// Three budgets of 50: one that is open, with three units deposited in two parts, one that was closed after four, and
/// one whose payment was taken back (steps 0/11 to 0/13); and scrip likewise, with 25 and 20 redeemed (0/14 to 0/16).
pub fn read_on_budgets(store: &mut dyn Store) {
    let one = serial(1);
    for tran in 11..=13 {
        let key = key(0, tran);
        run(store, wanted_budget(1, key, 50), |set| begin(set, StepKind::Payment, one, key, 50)).unwrap();
        run(store, wanted([], [key]), |set| end(set, key, tran < 13)).unwrap();
    }
    run(store, Wanted { licences: [1].into(), ..Wanted::default() }, |set| {
        set.put_licence(licence(0));
        Ok(())
    })
    .unwrap();
    for tran in 14..=16 {
        let key = key(0, tran);
        run(store, wanted_sale(1, key), |set| begin(set, StepKind::Payment, one, key, 50)).unwrap();
        run(store, wanted([], [key]), |set| end(set, key, tran < 16)).unwrap();
    }
    for (tran, redeemed, last) in [(14, 10, false), (14, 25, false), (15, 20, true)] {
        let key = key(0, tran);
        run(store, wanted_sale(1, key), |set| settle(set, key, redeemed, last)).unwrap();
    }
    for (tran, index, last) in [(11, 1, false), (11, 3, false), (12, 4, true)] {
        run(store, wanted_budget(1, key(0, tran), 50), |set| deposit(set, key(0, tran), index, last))
            .unwrap();
    }
}

/// What comes after [`furnish`] in a whole life.
pub fn go_on(store: &mut dyn Store) {
    buy_and_cash_out(store);
    read_on_budgets(store);
    leave_things_open(store);
}

/// [`live_a_life`] as it was before there were budgets.
pub fn live_without_budgets(store: &mut dyn Store) {
    furnish(store);
    buy_and_cash_out(store);
    leave_things_open(store);
}

fn buy_and_cash_out(store: &mut dyn Store) {
    let one = serial(1);
    for (kind, key, complete) in [
        (StepKind::Payment, key(1, 2), true),
        (StepKind::Payment, key(1, 3), false),
        (StepKind::CashOut, key(0, 1), true),
        (StepKind::CashOut, key(0, 2), true),
        (StepKind::CashOut, key(0, 3), true),
    ] {
        run(store, wanted([1], [key]), |set| begin(set, kind, one, key, 50)).unwrap();
        run(store, wanted([], [key]), |set| end(set, key, complete)).unwrap();
    }
    for (number, confirm) in [(1, true), (2, false)] {
        let wanted = Wanted { payouts: [number].into(), ..Wanted::default() };
        run(store, wanted, |set| end_payout(set, number, confirm)).unwrap();
    }
}

/// A forestalled and a pending payment, and what else is kept.
fn leave_things_open(store: &mut dyn Store) {
    let one = serial(1);
    run(store, wanted([1], [key(1, 4)]), |set| forestall(set, one, key(1, 4))).unwrap();
    run(store, wanted([1], [key(1, 5)]), |set| begin(set, StepKind::Payment, one, key(1, 5), 20)).unwrap();
    let wanted_notes = Wanted { notes: [one].into(), ..wanted([1], []) };
    run(store, wanted_notes, |set| {
        set.put_notes(notes(1, 1));
        set.put_salt([3; 16], AT);
        let custom_id = IdType { secret_id: 1, serial_number: one };
        let known = Some((serial(9), usd(300)));
        set.put_claim(Claim { custom_id, shown: scrip(12, 400), known, at: AT });
        Ok(())
    })
    .unwrap();
    run(store, references(["invoice 9"]), |set| book(set, "invoice 9", 1, Direction::Withdrawal, 45))
        .unwrap();
}
