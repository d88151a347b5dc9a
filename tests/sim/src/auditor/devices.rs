//! What wallets keep, send and say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tuppence_protocol::scrip::Scrip;
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::{ErrorCode, Seal};
use tuppence_wallet::error::Money;
use tuppence_wallet::view::HistoryEntry;

use super::Auditor;
use super::books::{Kind, PayoutStand};
use super::invariants::Invariant;
use crate::device::Records;
use crate::kernel::Party;
use crate::person::{Deed, Rest, may_wait};

/// Paths whose messages move money or register: they must be stored before they are sent.
// Not the end of a step that has begun: the step is among the records, or the center's own statement has named it, and a
// device that forgets the message makes it again.
const STORED: [&str; 4] = ["issue", "payment", "registration", "vendor-scrip/buy"];

/// What the auditor knows of the devices.
#[derive(Debug, Default)]
pub struct Devices {
    /// On which devices a purse is or was.
    homes: BTreeMap<u64, BTreeSet<usize>>,
    /// Devices whose records were wiped or set back, or into which a copy was put.
    set_back: BTreeSet<usize>,
    /// The highest price that was approved, by device and address.
    approved: BTreeMap<(usize, String), u64>,
    /// Of each M4 and S4, by its seal: what a device, or the center, did with it last.
    starts: BTreeMap<[u8; 32], Last>,
}

/// What was done last with an M4 or S4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    /// Its device has sent it.
    Sent,
    /// The center has refused it since.
    Refused,
}

impl Devices {
    /// The center has refused an M4 or S4.
    pub(super) fn refused(&mut self, start: &Seal) {
        if let Some(last) = self.starts.get_mut(start.as_bytes()) {
            *last = Last::Refused;
        }
    }

    /// Whether the device that made an M4 or S4 has not sent it since it was refused: what is taken after that is a copy,
    /// or somebody else has sent it.
    fn is_stray(&self, start: &Seal) -> bool {
        self.starts.get(start.as_bytes()) == Some(&Last::Refused)
    }

    /// Whether a purse was always on one device, and that device's records never went back.
    pub(super) fn is_simple(&self, customer: u64) -> bool {
        self.homes.get(&customer).is_none_or(|homes| {
            homes.len() == 1 && homes.iter().all(|device| !self.set_back.contains(device))
        })
    }
}

impl Auditor {
    /// A device's records were wiped or set back, or a copy is about to be put in their place.
    pub fn set_back(&mut self, device: usize) {
        self.devices.set_back.insert(device);
    }

    /// A device has written records.
    pub fn wrote(&mut self, device: usize, records: &Records) {
        let Some((wallet, scrip)) = wallet(records) else { return };
        let customer = scrip.scrip.custom_id.serial_number.get();
        self.devices.homes.entry(customer).or_default().insert(device);
        let (serial, value) = (scrip.scrip.scrip_id.serial_number.get(), scrip.scrip.value.micros());
        let given = self.was_given(customer, serial, value);
        self.check(Invariant::WalletsHoldIssuedScrip, given, || {
            format!("device {device}: scrip {serial} with {value} was never given to purse {customer}")
        });
        let number = wallet["entries"].as_u64().unwrap_or(0);
        let last: Option<HistoryEntry> = records
            .get(&format!("history/{number:016}"))
            .and_then(|entry| serde_json::from_slice(entry).ok());
        let says = last.map(|entry| entry.balance_after.micros());
        self.check(Invariant::HistoriesAddUp, says == Some(value), || {
            format!("device {device}: entry {number} says {says:?}; the scrip is worth {value}")
        });
    }

    /// A device sends a message.
    pub fn sends(&mut self, device: usize, to: Party, path: &str, body: &[u8], records: &Records) {
        let Ok(message) = serde_json::from_slice::<Value>(body) else { return };
        let mark = match to {
            Party::Center if STORED.contains(&path) => {
                let message = if path == "vendor-scrip/buy" { &message["payment"] } else { &message };
                message["hash"].as_str().or(message["id"].as_str())
            }
            Party::Shop(_) if path == "vendor-scrip/buy" => {
                return self.sends_request(device, message["hash"].as_str().unwrap_or_default(), records);
            }
            Party::Shop(_) if path == "earn" => message["earner"]["seal"].as_str(),
            _ => None,
        };
        let Some(mark) = mark else { return };
        if ["issue", "payment", "vendor-scrip/buy"].contains(&path)
            && let Ok(seal) = serde_json::from_value::<Seal>(Value::from(mark))
        {
            self.devices.starts.insert(*seal.as_bytes(), Last::Sent);
        }
        let stored = records
            .range("operation/".to_owned()..)
            .take_while(|(key, _)| key.starts_with("operation/"))
            .any(|(_, record)| contains(record, mark.as_bytes()));
        self.check(Invariant::StoredBeforeSent, stored, || {
            format!("device {device}: {path} leaves and is not among the records")
        });
    }

    /// A device sends a request with a shop's scrip, which must be among what the budget holds.
    fn sends_request(&mut self, device: usize, hash: &str, records: &Records) {
        let held = |record: &Vec<u8>| {
            let record: Value = serde_json::from_slice(record).ok()?;
            tuppence_protocol::bytes::decode(record["held"].as_str()?).ok()
        };
        let budgets = records.range("budget/".to_owned()..).take_while(|(key, _)| key.starts_with("budget/"));
        let stored =
            budgets.filter_map(|(_, record)| held(record)).any(|held| contains(&held, hash.as_bytes()));
        self.check(Invariant::StoredBeforeSent, stored, || {
            format!("device {device}: a request leaves and is not among the records")
        });
    }

    /// Somebody did something.
    pub fn did(&mut self, device: usize, deed: &Deed, records: &Records) {
        match deed {
            Deed::Importing => self.set_back(device),
            Deed::Approves(url, price) => {
                let most = self.devices.approved.entry((device, url.clone())).or_insert(0);
                *most = (*most).max(price.micros());
            }
            Deed::Paid(approved, entry, charged) => {
                // It may have been approved when the button was pressed before; a copy may know an older approval.
                let receipt = &entry.receipt;
                let most = self.devices.approved.get(&(device, receipt.subject.to_string())).copied();
                let paid = receipt.amount;
                let fine = !charged || most >= Some(paid.micros()) || self.devices.set_back.contains(&device);
                self.check(Invariant::NobodyPaysMoreThanApproved, fine, || {
                    format!("device {device}: {paid} was paid, {approved} approved")
                });
                self.receipt(device, receipt);
            }
            Deed::Drew(_, entry, _) => {
                let receipt = &entry.receipt;
                let most = self.devices.approved.get(&(device, receipt.subject.to_string())).copied();
                let fine = most >= Some(receipt.amount.micros()) || self.devices.set_back.contains(&device);
                self.check(Invariant::NobodyPaysMoreThanApproved, fine, || {
                    format!("device {device}: {} was paid, {most:?} approved", receipt.amount)
                });
                self.receipt(device, receipt);
            }
            Deed::Earned(entry) => {
                if let Some(receipt) = &entry.receipt {
                    self.receipt(device, receipt);
                }
            }
            Deed::CashedOut(order) => self.receipt(device, &order.receipt),
            Deed::Failed("pay" | "earn" | "cash_out", error) if error.money == Money::Untouched => {
                let Some((wallet, scrip)) = wallet(records) else { return };
                let customer = scrip.scrip.custom_id.serial_number.get();
                if !self.devices.is_simple(customer) || wallet["stale"] == Value::Bool(true) {
                    return;
                }
                let pending = self.books.pending(customer);
                let known = pending.is_none_or(|key| {
                    let tran = key.1;
                    // The wallet has heard that it was refused: a reward then comes of itself, and a payment goes back.
                    let stray =
                        self.books.steps.get(&key).is_some_and(|step| self.devices.is_stray(&step.hash));
                    if stray || self.remembered.revived.contains(&key) {
                        return true;
                    }
                    let tran = tuppence_protocol::TranId::from_bytes(tran).to_string();
                    records
                        .range("operation/".to_owned()..)
                        .take_while(|(key, _)| key.starts_with("operation/"))
                        .any(|(_, record)| contains(record, tran.as_bytes()))
                });
                self.check(Invariant::UntouchedMeansUntouched, known, || {
                    format!("device {device}: {} is said to be untouched; {pending:?} is pending", error.code)
                });
            }
            _ => {}
        }
    }

    fn receipt(&mut self, device: usize, receipt: &Receipt) {
        let key = self.books.number(&receipt.vendor_id).map(|number| (number, *receipt.tran_id.as_bytes()));
        let fits = key.is_some_and(|key| self.receipt_is_true(key, receipt));
        self.check(Invariant::ReceiptsAreTrue, fits, || format!("device {device}: {receipt:?}"));
    }

    /// A wallet has come to rest, or should have.
    pub fn rests(&mut self, device: usize, rest: &Rest, records: &Records) {
        let Some(balance) = &rest.balance else {
            // Who registered in books that are lost is not lost by them; a person settles it.
            let unknown = rest.problem.as_ref().is_some_and(|no| no.is_refusal(ErrorCode::PurseUnknown));
            let customer = wallet(records).map(|(_, scrip)| scrip.scrip.custom_id.serial_number.get());
            let lost = unknown && customer.is_some_and(|customer| self.is_lost(customer));
            let fine = rest.problem.is_none() || lost;
            self.check(Invariant::WalletsComeToRest, fine, || format!("device {device}: {:?}", rest.problem));
            return;
        };
        let Some((_, scrip)) = wallet(records) else {
            self.check(Invariant::WalletsComeToRest, false, || {
                format!("device {device} has lost its wallet")
            });
            return;
        };
        let customer = scrip.scrip.custom_id.serial_number.get();
        let live = self.books.purses.get(&customer).map(|purse| purse.live.clone());
        let serial = scrip.scrip.scrip_id.serial_number.get();
        // Another copy may have gone on since.
        let alone = self.devices.homes.get(&customer).is_none_or(|homes| homes.len() == 1);
        let agrees = live
            .as_ref()
            .is_some_and(|live| balance.amount.micros() == live.value && (live.serial == serial || !alone));
        let pending = self.books.pending(customer);
        // A reward that the wallet heard was refused, and that came from somebody else later: it sees it with its next step.
        let stray = self.books.steps.values().any(|step| {
            step.kind == Kind::Issue
                && step.customer == customer
                && live.as_ref().is_some_and(|live| step.new == *live)
                && self.devices.is_stray(&step.hash)
        });
        // Real money that did not reach its account: the wallet sees it when it asks after the cash-out again.
        let returned = self.books.payouts.values().any(|payout| {
            let back = balance.amount.micros() + payout.amount + payout.fee;
            payout.customer == customer
                && matches!(payout.stand, PayoutStand::Returned(_))
                && live.as_ref().is_some_and(|live| live.value == back)
        });
        // A copy that was set back may not know what is pending; the center ends it by itself.
        let revived = pending.is_some_and(|key| self.remembered.revived.contains(&key));
        let known = pending.is_none() || revived || stray || !self.devices.is_simple(customer);
        let fine = balance.pending.iter().all(may_wait) && (agrees || stray || returned) && known;
        self.check(Invariant::WalletsComeToRest, fine, || {
            format!(
                "device {device}: shows {} with {:?} open; the books have {live:?}, {pending:?} pending; {:?}",
                balance.amount, balance.pending, rest.problem
            )
        });
        let mut sum = 0_i128;
        for entry in &rest.history {
            let amount = i128::from(entry.change.amount.micros());
            sum += if entry.change.gain { amount } else { -amount };
            let after = i128::from(entry.balance_after.micros());
            self.check(Invariant::HistoriesAddUp, sum == after, || {
                format!("device {device}: entry {} says {after}, the sum is {sum}", entry.number)
            });
            if let Some(receipt) = &entry.receipt {
                self.receipt(device, receipt);
            }
        }
        let shown = i128::from(balance.amount.micros());
        self.check(Invariant::HistoriesAddUp, sum == shown, || {
            format!("device {device}: the history adds up to {sum}, the balance is {shown}")
        });
    }
}

/// The wallet among the records, and its scrip.
fn wallet(records: &Records) -> Option<(Value, Scrip)> {
    let wallet: Value = serde_json::from_slice(records.get("wallet")?).ok()?;
    let scrip = serde_json::from_value(wallet["scrip"].clone()).ok()?;
    Some((wallet, scrip))
}

fn contains(record: &[u8], mark: &[u8]) -> bool {
    record.windows(mark.len().max(1)).any(|window| window == mark)
}
