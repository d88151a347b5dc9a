//! The ledger's rules as tables, and as properties of any sequence of transfers.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tuppence_protocol::ids::Serial;
use tuppence_protocol::scrip::center::{ScripState, Step, StepKey, StepKind, StepState};
use tuppence_protocol::{Amount, Currency, HashAlgorithm, Seal, Timestamp, TranId};

use super::rules::{self, LedgerError};
use super::{AccountId, Cause, Posting, Transfer, demands};

const AT: Timestamp = Timestamp::from_millis(1);
const KEY: StepKey = StepKey { vendor: 1, tran_id: TranId::from_bytes([1; 16]) };

/// A table's rows, split into columns, with their line numbers; `#` begins a remark.
fn rows(table: &str) -> impl Iterator<Item = (usize, Vec<&str>)> {
    let lines = (1..).zip(table.lines().map(|line| line.split('#').next().unwrap().trim()));
    lines
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| (number, line.split_whitespace().collect()))
}

fn account(text: &str) -> AccountId {
    let (kind, number) = text.split_once(':').unwrap_or((text, "0"));
    let number: u32 = number.parse().unwrap();
    let account = match kind {
        "reserve" => AccountId::Reserve,
        "purse" => AccountId::Purse(number.into()),
        "vendor" => AccountId::Vendor(number),
        "campaign" => AccountId::Campaign(number),
        "transit" => AccountId::Transit,
        "fees" => AccountId::Fees,
        "payouts" => AccountId::Payouts,
        "reservations" => AccountId::Reservations,
        other => panic!("there is no account {other}"),
    };
    assert_eq!(account.to_string(), text);
    account
}

fn posting(text: &str) -> Posting {
    Posting::ALL.into_iter().find(|posting| posting.as_str() == text).unwrap()
}

/// A transfer that names what its posting belongs to.
fn transfer(posting: Posting, debit: AccountId, credit: AccountId, amount: Amount) -> Transfer {
    Transfer {
        debit,
        credit,
        amount,
        posting,
        step: (posting.cause() == Cause::Step).then_some(KEY),
        payout: (posting.cause() == Cause::Payout).then_some(1),
        movement: (posting.cause() == Cause::Movement).then(|| "invoice 9".parse().unwrap()),
        at: AT,
    }
}

/// Balances by account, which transfers change.
#[derive(Default)]
struct Books(BTreeMap<AccountId, i64>);

impl Books {
    fn balance(&self, account: AccountId) -> i64 {
        self.0.get(&account).copied().unwrap_or(0)
    }

    fn post(&mut self, transfer: &Transfer) -> Result<(), LedgerError> {
        rules::check(transfer, Currency::USD)?;
        let before = (self.balance(transfer.debit), self.balance(transfer.credit));
        let (debit, credit) = rules::moved(transfer, before.0, before.1)?;
        self.0.insert(transfer.debit, debit);
        self.0.insert(transfer.credit, credit);
        Ok(())
    }
}

#[test]
fn transfers_move_money_as_the_table_says() {
    let mut books = Books::default();
    for (line, row) in rows(include_str!("tests/posting.table")) {
        match row[..] {
            ["balance", name, expected] => {
                assert_eq!(books.balance(account(name)).to_string(), expected, "line {line}");
            }
            [why, debit, credit, amount, expected] => {
                let transfer =
                    transfer(posting(why), account(debit), account(credit), amount.parse().unwrap());
                let found = match books.post(&transfer) {
                    Ok(()) => "ok".to_owned(),
                    Err(error) => format!("{error:?}").split(['(', ' ']).next().unwrap().to_lowercase(),
                };
                assert_eq!(found, expected, "line {line}");
            }
            _ => panic!("line {line} has {} columns", row.len()),
        }
    }
    assert_eq!(books.0.values().sum::<i64>(), 0);
}

#[test]
fn a_step_has_the_transfers_of_the_table() {
    for (line, row) in rows(include_str!("tests/demands.table")) {
        let [kind, state, amount, fee, demanded @ ..] = &row[..] else { panic!("line {line}") };
        let step = step(kind, state, amount.parse().unwrap(), fee.parse().unwrap());
        let found: Vec<String> = match demands::of_step(&step, Some(4)) {
            Ok(flows) => {
                flows.iter().map(|m| format!("{}:{}>{}={}", m.posting, m.debit, m.credit, m.micros)).collect()
            }
            Err(_) => vec!["impossible".to_owned()],
        };
        assert_eq!(found, *demanded, "line {line}");
    }
}

fn step(kind: &str, state: &str, amount: u64, fee: u64) -> Step {
    let usd = |micros| Amount::new(Currency::USD, micros).unwrap();
    let scrip = |serial| ScripState {
        algorithm: HashAlgorithm::HmacSha256,
        secret_id: 1,
        serial: Serial::try_from(serial).unwrap(),
        value: usd(0),
        ad: None,
        expires: AT,
    };
    Step {
        key: KEY,
        kind: match kind {
            "issue" => StepKind::Issue,
            "payment" => StepKind::Payment,
            "cash-out" => StepKind::CashOut,
            other => panic!("there is no kind {other}"),
        },
        customer: Serial::try_from(7).unwrap(),
        amount: usd(amount),
        fee: usd(fee),
        subject: "quiz".parse().unwrap(),
        secret_id: 1,
        request_hash: Seal::from_bytes([0; 32]),
        old: scrip(1),
        new: scrip(if state.starts_with("forestalled") { 1 } else { 2 }),
        started: AT,
        state: match state {
            "pending" | "forestalled-pending" => StepState::Pending,
            "posted" => StepState::Posted(AT),
            "voided" | "forestalled" => StepState::Voided(AT, scrip(3)),
            other => panic!("there is no state {other}"),
        },
    }
}

#[test]
fn an_issue_without_its_campaign_demands_nothing_that_could_be_met() {
    assert!(demands::of_step(&step("issue", "pending", 5, 0), None).is_err());
}

#[test]
fn a_transfer_names_what_it_belongs_to_and_nothing_else() {
    for posting in Posting::ALL {
        let (debit, credit) = accounts().find(|(debit, credit)| posting.joins(*debit, *credit)).unwrap();
        let right = transfer(posting, debit, credit, "USD:1".parse().unwrap());
        assert_eq!(rules::check(&right, Currency::USD), Ok(()));
        for bits in 0..8 {
            let [step, payout, movement] = [1, 2, 4].map(|bit| bits & bit != 0);
            let named = Transfer {
                step: step.then_some(KEY),
                payout: payout.then_some(1),
                movement: movement.then(|| "invoice 9".parse().unwrap()),
                ..right.clone()
            };
            let fits = named == right;
            assert_eq!(rules::check(&named, Currency::USD).is_ok(), fits, "{posting} {bits}");
        }
    }
}

/// Every pair of two accounts, one of each kind.
fn accounts() -> impl Iterator<Item = (AccountId, AccountId)> {
    ACCOUNTS.into_iter().flat_map(|debit| ACCOUNTS.into_iter().map(move |credit| (debit, credit)))
}

const ACCOUNTS: [AccountId; 10] = [
    AccountId::Reserve,
    AccountId::Purse(1),
    AccountId::Purse(2),
    AccountId::Vendor(1),
    AccountId::Vendor(2),
    AccountId::Campaign(1),
    AccountId::Transit,
    AccountId::Fees,
    AccountId::Payouts,
    AccountId::Reservations,
];

#[test]
fn each_posting_joins_one_pair_of_kinds() {
    let kind = |account: AccountId| account.to_string().split(':').next().unwrap().to_owned();
    for posting in Posting::ALL {
        let mut pairs: Vec<_> = accounts()
            .filter(|(debit, credit)| posting.joins(*debit, *credit))
            .map(|(debit, credit)| (kind(debit), kind(credit)))
            .collect();
        pairs.dedup();
        pairs.sort();
        pairs.dedup();
        assert_eq!(pairs.len(), 1, "{posting}: {pairs:?}");
    }
}

proptest! {
    #[test]
    fn any_sequence_keeps_the_sum_at_zero_and_all_but_the_reserve_above_it(
        tries in prop::collection::vec((0..18_usize, 0..10_usize, 0..10_usize, 0..50_u64), 0..200),
    ) {
        let mut books = Books::default();
        for (why, debit, credit, micros) in tries {
            let amount = Amount::new(Currency::USD, micros).unwrap();
            let transfer = transfer(Posting::ALL[why], ACCOUNTS[debit], ACCOUNTS[credit], amount);
            let before = books.0.clone();
            if books.post(&transfer).is_err() {
                prop_assert_eq!(&books.0, &before);
            }
            prop_assert_eq!(books.0.values().sum::<i64>(), 0);
            for (account, balance) in &books.0 {
                prop_assert!(*balance >= 0 || *account == AccountId::Reserve, "{}", account);
            }
        }
    }

    #[test]
    fn no_balance_ever_overflows(debit: i64, credit: i64, micros in 1..=Amount::MICROS_MAX) {
        let amount = Amount::new(Currency::USD, micros).unwrap();
        let transfer = transfer(Posting::Deposit, AccountId::Reserve, AccountId::Vendor(1), amount);
        if let Ok((less, more)) = rules::moved(&transfer, debit, credit) {
            prop_assert_eq!(i128::from(debit) + i128::from(credit), i128::from(less) + i128::from(more));
        }
    }
}
