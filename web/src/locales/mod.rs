//! Everything that the wallet says, once for each language.
//!
//! A language is a value of [`Texts`]: the compiler finds the sentence that is missing. Sums and dates arrive
//! formatted. Plain words only; the protocol's own terms stand behind "Details".

mod en;
mod ko;

use std::cell::Cell;

thread_local! {
    /// The language that is shown. One for the page: handlers and tasks outside of any view say things too.
    static SHOWN: Cell<Language> = const { Cell::new(Language::English) };
}

/// A language of the wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    English,
    /// Korean.
    Korean,
}

impl Language {
    /// Every language, in the order of the settings.
    pub const ALL: [Language; 2] = [Language::English, Language::Korean];

    /// The language whose BCP 47 tag begins like `tag`.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or(tag).to_ascii_lowercase();
        Self::ALL.into_iter().find(|language| language.tag() == primary)
    }

    /// Its BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Korean => "ko",
        }
    }

    /// Its own name for itself.
    pub const fn name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::Korean => "한국어",
        }
    }

    /// The direction in which it is written.
    pub const fn direction(self) -> &'static str {
        match self {
            Language::English | Language::Korean => "ltr",
        }
    }

    /// What it says.
    pub const fn texts(self) -> &'static Texts {
        match self {
            Language::English => &en::TEXTS,
            Language::Korean => &ko::TEXTS,
        }
    }
}

/// From now on everything is said in `language`.
pub fn show(language: Language) {
    SHOWN.set(language);
}

/// The language that is shown.
pub fn shown() -> Language {
    SHOWN.get()
}

/// The texts of the language that is shown.
pub fn texts() -> &'static Texts {
    shown().texts()
}

/// What an entry's or a reply's code is called.
pub type Named = fn(&str) -> Option<&'static str>;

/// All texts of one language.
#[derive(Debug)]
pub struct Texts {
    /// Masthead, navigation, words of every page.
    pub common: Common,
    /// First visit.
    pub welcome: Welcome,
    /// Home.
    pub home: Home,
    /// What is under way.
    pub pending: Pending,
    /// Questions to choose from, and one of them.
    pub earn: Earn,
    /// Articles.
    pub read: Read,
    /// Approval of a payment.
    pub approve: Approve,
    /// History and its entries.
    pub history: History,
    /// Cash-out.
    pub cash_out: CashOut,
    /// Recovery words.
    pub recovery: Recovery,
    /// Settings.
    pub settings: Settings,
    /// When something is wrong.
    pub trouble: Trouble,
}

/// Masthead, navigation, words of every page.
#[derive(Debug)]
pub struct Common {
    pub skip: &'static str,
    pub navigation: &'static str,
    pub home: &'static str,
    pub earn: &'static str,
    pub read: &'static str,
    pub history: &'static str,
    pub settings: &'static str,
    pub cash_out: &'static str,
    pub balance: &'static str,
    pub loading: &'static str,
    pub again: &'static str,
    pub back: &'static str,
    pub cancel: &'static str,
    pub details: &'static str,
    pub offline: &'static str,
    pub today: &'static str,
    pub yesterday: &'static str,
    pub missing_title: &'static str,
    pub missing: &'static str,
    /// Sum with sign, balance: for screen readers when the balance changes.
    pub changed: fn(&str, &str) -> String,
}

/// First visit.
#[derive(Debug)]
pub struct Welcome {
    pub title: &'static str,
    pub sentence: &'static str,
    pub sentence_to_pay: &'static str,
    pub create: &'static str,
    pub not_asked: [&'static str; 3],
    pub have_copy: &'static str,
    pub choose_copy: &'static str,
    pub meeting: &'static str,
    pub solving: &'static str,
    pub registering: &'static str,
    pub done: &'static str,
    pub progress: &'static str,
    pub stop: &'static str,
    pub unfinished: &'static str,
}

/// Home.
#[derive(Debug)]
pub struct Home {
    pub title: &'static str,
    pub nothing_yet: &'static str,
    pub earn_what: &'static str,
    pub read_what: &'static str,
    pub cash_out_at: fn(&str) -> String,
    pub words_unsaved: &'static str,
    pub save_words: &'static str,
    pub pending: &'static str,
}

/// What is under way.
#[derive(Debug)]
pub struct Pending {
    pub register: &'static str,
    pub earn: &'static str,
    pub pay: &'static str,
    pub cash_out: &'static str,
    pub asking: &'static str,
    pub moving: &'static str,
    pub confirming: &'static str,
    pub cancelling: &'static str,
    pub by_itself: &'static str,
    pub ends_by: fn(&str) -> String,
    pub cancel: &'static str,
}

/// Questions to choose from, and one of them.
#[derive(Debug)]
pub struct Earn {
    pub title: &'static str,
    pub lead: &'static str,
    pub quiz: &'static str,
    pub survey: &'static str,
    pub advertisement: &'static str,
    pub from: fn(&str) -> String,
    pub minutes: fn(u32) -> String,
    pub left: fn(u64) -> String,
    pub left_none: &'static str,
    pub answered: &'static str,
    pub on_its_way: &'static str,
    pub missed: &'static str,
    pub empty_title: &'static str,
    pub empty: &'static str,
    pub all_done: &'static str,
    pub saving_for: fn(&str) -> String,
    pub still_needed: fn(&str) -> String,
    pub enough: &'static str,
    pub read_it: &'static str,
    pub paid_by: fn(&str, &str) -> String,
    pub questions: fn(u32) -> String,
    pub one_try: &'static str,
    pub audience: &'static str,
    pub visit: fn(&str) -> String,
    pub start: &'static str,
    pub question_of: fn(usize, usize) -> String,
    pub your_answer: &'static str,
    pub pick_one: &'static str,
    pub next: &'static str,
    pub send: &'static str,
    pub leave: &'static str,
    pub sending: &'static str,
    pub earned: &'static str,
    pub now_balance: fn(&str) -> String,
    pub another: &'static str,
    pub wrong_title: &'static str,
    pub wrong: &'static str,
    pub exhausted_title: &'static str,
    pub already_title: &'static str,
    pub shop_says: &'static str,
}

/// Articles.
#[derive(Debug)]
pub struct Read {
    pub title: &'static str,
    pub lead: &'static str,
    pub search: &'static str,
    pub all: &'static str,
    pub yours_filter: &'static str,
    pub yours: &'static str,
    pub free: &'static str,
    pub open: &'static str,
    pub by: fn(&str) -> String,
    pub found: fn(usize) -> String,
    pub nothing_found: &'static str,
    pub empty_title: &'static str,
    pub empty: &'static str,
    pub none_yours: &'static str,
    pub shop_silent: fn(&str) -> String,
}

/// Approval of a payment.
#[derive(Debug)]
pub struct Approve {
    pub title: &'static str,
    pub lead: fn(&str) -> String,
    pub asked_on: fn(&str) -> String,
    pub price: &'static str,
    pub before: &'static str,
    pub after: &'static str,
    pub pay: fn(&str) -> String,
    pub arming: &'static str,
    pub paying: &'static str,
    pub confirming: &'static str,
    pub cancel: &'static str,
    pub owned_title: &'static str,
    pub owned: &'static str,
    pub free_title: &'static str,
    pub free: &'static str,
    pub open: &'static str,
    pub paid: &'static str,
    pub opening: &'static str,
    pub handing: fn(&str) -> String,
    pub leave: &'static str,
    pub short_title: fn(&str) -> String,
    pub short: &'static str,
    pub earn: &'static str,
    pub foreign_title: &'static str,
    pub foreign: &'static str,
    pub bad_link_title: &'static str,
    pub bad_link: &'static str,
    pub framed_title: &'static str,
    pub framed: &'static str,
}

/// History and its entries.
#[derive(Debug)]
pub struct History {
    pub title: &'static str,
    pub balance_after: fn(&str) -> String,
    pub more: &'static str,
    pub export: &'static str,
    pub empty_title: &'static str,
    pub empty: &'static str,
    pub registered: &'static str,
    pub earned: &'static str,
    pub paid: &'static str,
    pub cash_out: &'static str,
    pub cash_out_returned: &'static str,
    pub cancelled: &'static str,
    pub adjusted: &'static str,
    pub no_change: &'static str,
    pub shop: &'static str,
    pub destination: &'static str,
    pub time: &'static str,
    pub balance: &'static str,
    pub note: &'static str,
    pub open_again: &'static str,
    pub receipt: &'static str,
    pub receipt_what: &'static str,
    pub transaction: &'static str,
    pub exchange: &'static str,
    pub exchange_what: &'static str,
    pub no_exchange: &'static str,
    pub buyer: &'static str,
    pub center: &'static str,
    pub seller: &'static str,
    /// Sender, recipient: for screen readers.
    pub from_to: fn(&str, &str) -> String,
    /// What a message of this code is.
    pub message: Named,
}

/// Cash-out.
#[derive(Debug)]
pub struct CashOut {
    pub title: &'static str,
    pub lead: &'static str,
    pub progress: &'static str,
    pub have_of: fn(&str, &str) -> String,
    pub missing: fn(&str) -> String,
    pub fee: fn(&str) -> String,
    pub amount: &'static str,
    pub amount_hint: fn(&str, &str) -> String,
    pub amount_invalid: &'static str,
    pub destination: &'static str,
    pub destination_hint: &'static str,
    pub destination_missing: &'static str,
    pub you_get: &'static str,
    pub kept_fee: &'static str,
    pub review: &'static str,
    pub confirm_title: &'static str,
    pub confirm: fn(&str) -> String,
    pub ordering: &'static str,
    pub change: &'static str,
    pub orders: &'static str,
    pub no_orders: &'static str,
    pub ordered: &'static str,
    pub confirmed: &'static str,
    pub returned: &'static str,
    pub ordered_what: &'static str,
    pub confirmed_what: &'static str,
    pub returned_what: &'static str,
    pub number: fn(u64) -> String,
    pub refresh: &'static str,
}

/// Recovery words, and restoring by them.
#[derive(Debug)]
pub struct Recovery {
    pub title: &'static str,
    pub what: &'static str,
    pub whoever: &'static str,
    pub saved_on: fn(&str) -> String,
    pub unsaved: &'static str,
    pub unavailable: &'static str,
    pub save: &'static str,
    pub show: &'static str,
    pub devices: &'static str,
    pub not_noticed: &'static str,
    pub write_down: &'static str,
    pub written: &'static str,
    pub asked: &'static str,
    pub word: fn(usize) -> String,
    pub check: &'static str,
    pub show_again: &'static str,
    pub done: &'static str,
    pub home: &'static str,
    pub have_words: &'static str,
    pub restore_title: &'static str,
    pub restore_what: &'static str,
    pub words: &'static str,
    pub words_hint: &'static str,
    pub restore: &'static str,
    pub meeting: &'static str,
    pub claiming: &'static str,
    pub following: &'static str,
    pub replace: &'static str,
    pub lost_title: &'static str,
    pub lost_money: &'static str,
    pub lost_why: &'static str,
    pub no_words: &'static str,
    pub anew_what: &'static str,
    pub anew: &'static str,
}

/// Settings.
#[derive(Debug)]
pub struct Settings {
    pub title: &'static str,
    pub center: &'static str,
    pub center_name: &'static str,
    pub center_address: &'static str,
    pub fingerprint: &'static str,
    pub pinned: &'static str,
    pub first_seen: &'static str,
    pub balance_max: &'static str,
    pub storage: &'static str,
    pub persisted: &'static str,
    pub not_persisted: &'static str,
    pub persistence_unknown: &'static str,
    pub ask_persist: &'static str,
    pub persist_refused: &'static str,
    pub used: fn(&str) -> String,
    pub copy: &'static str,
    pub copy_what: &'static str,
    pub save_copy: &'static str,
    pub saved: &'static str,
    pub import: &'static str,
    pub import_what: &'static str,
    pub imported: &'static str,
    pub replace_title: &'static str,
    pub replace: &'static str,
    pub replace_yes: &'static str,
    pub check: &'static str,
    pub check_what: &'static str,
    pub check_do: &'static str,
    pub checked: fn(&str) -> String,
    pub language: &'static str,
    pub theme: &'static str,
    pub theme_auto: &'static str,
    pub theme_light: &'static str,
    pub theme_dark: &'static str,
    pub delete: &'static str,
    pub delete_what: fn(&str) -> String,
    pub delete_begin: &'static str,
    pub delete_type: fn(&str) -> String,
    pub delete_word: &'static str,
    pub delete_do: &'static str,
}

/// When something is wrong: money first, then the cause, then the way out.
#[derive(Debug)]
pub struct Trouble {
    pub untouched: &'static str,
    pub open: &'static str,
    pub moved: &'static str,
    pub safe: &'static str,
    pub on_books: &'static str,
    pub reload: &'static str,
    pub to_history: &'static str,
    pub to_settings: &'static str,
    pub to_home: &'static str,
    pub to_earn: &'static str,
    pub details: &'static str,
    pub code: fn(&str) -> String,
    /// The cause that goes with an error's code.
    pub cause: Named,
}
