//! How often everything that can happen has happened. What never happens is not tested.

use std::collections::BTreeMap;

use tuppence_protocol::ErrorCode;

use crate::auditor::invariants::Invariant;

/// What goes wrong in a run.
pub const FAULTS: [&str; 52] = [
    "request_lost",
    "reply_lost",
    "request_doubled",
    "request_late",
    "messages_reordered",
    "link_cut",
    "cut_while_paying",
    "device_offline",
    "center_killed",
    "center_killed_committing",
    "center_killed_after_commit",
    "center_disk_full",
    "center_clock_ahead",
    "center_clock_back",
    "shop_killed",
    "shop_clock_wrong",
    "shop_secret_rotated",
    "tab_killed",
    "storage_full",
    "storage_wiped",
    "storage_set_back",
    "copy_imported",
    "device_clock_wrong",
    "two_tabs",
    "two_devices",
    "long_silence",
    "reader_killed",
    "reader_set_back",
    "message_replayed",
    "message_doctored",
    "rogue_offer",
    "scrip_spent_twice",
    "transaction_reused",
    "rogue_finish",
    "strange_scrip",
    "rogue_registration",
    "rogue_funding",
    "rogue_relay",
    "payword_for_another_article",
    "payword_altered",
    "budget_at_another_shop",
    "budget_sent_at_once",
    "scrip_for_another_article",
    "scrip_shown_again",
    "deposit_of_another",
    "budget_without_authority",
    "rogue_order",
    "books_copied",
    "books_restored",
    "books_restored_elsewhere",
    "books_put_back_by_hand",
    "books_put_back_unnoticed",
];

/// States that records, messages and wallets can be in.
pub const STATES: [&str; 59] = [
    "issue_pending",
    "issue_posted",
    "issue_voided",
    "payment_pending",
    "payment_posted",
    "payment_voided",
    "cash_out_pending",
    "cash_out_posted",
    "cash_out_voided",
    "cancelled_before_it_came",
    "posted_by_the_next_step",
    "ended_by_the_sweep",
    "scrip_renewed",
    "payout_ordered",
    "payout_confirmed",
    "payout_returned",
    "campaign_funded",
    "campaign_ended",
    "batch_of_many",
    "message_answered_again",
    "relay_held",
    "relay_open",
    "relay_posted",
    "relay_voided",
    "article_delivered",
    "reward_thanked",
    "wallet_asking",
    "wallet_moving",
    "wallet_confirming",
    "wallet_cancelling",
    "wallet_registered",
    "wallet_earned",
    "wallet_paid",
    "wallet_cashed_out",
    "wallet_cash_out_returned",
    "wallet_cancelled",
    "wallet_adjusted",
    "money_open",
    "money_moved",
    "epoch_restored",
    "epoch_went_back",
    "epoch_shown",
    "claim_kept",
    "wallet_books_went_back",
    "wallet_purse_lost",
    "budget_begun",
    "budget_held",
    "budget_voided",
    "budget_deposited",
    "budget_ended",
    "budget_over",
    "scrip_begun",
    "scrip_held",
    "scrip_voided",
    "scrip_settled",
    "scrip_sold_back",
    "scrip_over",
    "licence_kept",
    "article_from_a_budget",
];

/// Refusals that these processes cannot make, and why.
pub const ELSEWHERE: [(ErrorCode, &str); 14] = [
    (ErrorCode::BodyTooLarge, "the HTTP layer's, which is not simulated"),
    (ErrorCode::MediaType, "the HTTP layer's"),
    (ErrorCode::TooSlow, "the HTTP layer's"),
    (ErrorCode::Method, "the HTTP layer's"),
    (ErrorCode::Origin, "the HTTP layer's"),
    (ErrorCode::RateLimited, "the HTTP layer's"),
    (ErrorCode::PaymentRequired, "the HTTP layer's: an article asked for without a wallet"),
    (ErrorCode::Busy, "queues beyond their limits: tests of the committer and the relay"),
    (ErrorCode::Fault, "must never occur: an invariant"),
    (ErrorCode::CenterUnreachable, "counted as what a shop says below"),
    (
        ErrorCode::Unconfirmed,
        "no refusal: the status of an M7 or S7 that is yet to come, counted as relay_open",
    ),
    (ErrorCode::NotFound, "counted, but no rule's"),
    (ErrorCode::ClaimRefused, "recovery words: tests of the wallet and the center"),
    (ErrorCode::NotesStale, "recovery words: tests of the wallet and the center"),
];

/// Counts by group and name.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    counts: BTreeMap<&'static str, u64>,
    codes: BTreeMap<ErrorCode, u64>,
    checked: BTreeMap<Invariant, u64>,
    /// What wallets told their users.
    told: BTreeMap<String, u64>,
}

impl Coverage {
    /// A fault or state occurred.
    pub fn note(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }

    /// A refusal was made.
    pub fn refusal(&mut self, code: ErrorCode) {
        *self.codes.entry(code).or_default() += 1;
    }

    /// A wallet told its user.
    pub fn told(&mut self, code: &str) {
        *self.told.entry(code.to_owned()).or_default() += 1;
    }

    /// How often each invariant was checked.
    pub fn checked(&mut self, checked: &BTreeMap<Invariant, u64>) {
        for (invariant, count) in checked {
            *self.checked.entry(*invariant).or_default() += count;
        }
    }

    /// Adds another run's counts.
    pub fn add(&mut self, other: &Coverage) {
        for (name, count) in &other.counts {
            *self.counts.entry(name).or_default() += count;
        }
        for (code, count) in &other.codes {
            *self.codes.entry(*code).or_default() += count;
        }
        for (code, count) in &other.told {
            *self.told.entry(code.clone()).or_default() += count;
        }
        self.checked(&other.checked);
    }

    /// What never occurred.
    pub fn missing(&self) -> Vec<String> {
        self.rows().into_iter().filter(|(_, _, count)| *count == 0).map(|(_, name, _)| name).collect()
    }

    /// Group, name and count of everything that must occur.
    pub fn rows(&self) -> Vec<(&'static str, String, u64)> {
        let mut rows = Vec::new();
        let mut add = |group, name: &str, count: Option<&u64>| {
            rows.push((group, name.to_owned(), count.copied().unwrap_or(0)));
        };
        for name in FAULTS {
            add("fault", name, self.counts.get(name));
        }
        for name in STATES {
            add("state", name, self.counts.get(name));
        }
        for code in ErrorCode::ALL.iter().filter(|code| !ELSEWHERE.iter().any(|(other, _)| other == *code)) {
            add("refusal", code.as_str(), self.codes.get(code));
        }
        for invariant in Invariant::ALL {
            add("invariant", invariant.as_str(), self.checked.get(invariant));
        }
        rows
    }

    /// What wallets told their users, and how often.
    pub fn words(&self) -> &BTreeMap<String, u64> {
        &self.told
    }
}
