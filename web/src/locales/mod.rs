//! Everything that the wallet says, once for each language.
//!
//! English is part of the program: the compiler finds the sentence that is missing. Another language is the same list as
//! data (`web/locales/ko.json`), fetched by whoever reads it. Sums and dates arrive formatted. Plain words only; the
//! protocol's own terms stand behind "Details".

mod en;
mod fetched;
mod said;

use std::cell::Cell;

pub use said::Said;

use said::texts;

thread_local! {
    /// The language that is shown, and what it says. One for the page: handlers and tasks outside of any view say
    /// things too.
    static SHOWN: Cell<(Language, &'static Texts)> = const { Cell::new((Language::English, &en::TEXTS)) };
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
}

/// From now on everything is said in `language`; nothing changes where its sentences cannot be had.
pub async fn show(language: Language) -> bool {
    let texts = match language {
        Language::English => Some(&en::TEXTS),
        Language::Korean => fetched::texts(language.tag()).await,
    };
    if let Some(texts) = texts {
        SHOWN.set((language, texts));
    }
    texts.is_some()
}

/// The language that is shown.
pub fn shown() -> Language {
    SHOWN.get().0
}

/// The texts of the language that is shown.
pub fn texts() -> &'static Texts {
    SHOWN.get().1
}

texts! {
    /// All texts of one language.
    Texts {
        /// Masthead, navigation, words of every page.
        common: Common,
        /// First visit.
        welcome: Welcome,
        /// Home.
        home: Home,
        /// What is under way.
        pending: Pending,
        /// Questions to choose from, and one of them.
        earn: Earn,
        /// Articles.
        read: Read,
        /// Approval of a payment.
        approve: Approve,
        /// Budgets at shops.
        budgets: Budgets,
        /// History and its entries.
        history: History,
        /// Cash-out.
        cash_out: CashOut,
        /// Recovery words.
        recovery: Recovery,
        /// Settings.
        settings: Settings,
        /// When something is wrong.
        trouble: Trouble,
    }

    /// Masthead, navigation, words of every page.
    Common {
        skip,
        navigation,
        home,
        earn,
        read,
        history,
        settings,
        cash_out,
        balance,
        loading,
        again,
        back,
        cancel,
        details,
        offline,
        today,
        yesterday,
        missing_title,
        missing,
        /// Sum with sign, balance: for screen readers when the balance changes.
        changed,
    }

    /// First visit.
    Welcome {
        title,
        sentence,
        sentence_to_pay,
        create,
        not_asked,
        have_copy,
        choose_copy,
        meeting,
        solving,
        registering,
        done,
        progress,
        stop,
        unfinished,
    }

    /// Home.
    Home {
        title,
        nothing_yet,
        earn_what,
        read_what,
        cash_out_at,
        set_aside,
        words_unsaved,
        save_words,
        pending,
    }

    /// What is under way.
    Pending {
        register,
        earn,
        pay,
        cash_out,
        asking,
        moving,
        confirming,
        cancelling,
        by_itself,
        ends_by,
        cancel,
    }

    /// Questions to choose from, and one of them.
    Earn {
        title,
        lead,
        quiz,
        survey,
        advertisement,
        from,
        minutes,
        left,
        left_none,
        answered,
        on_its_way,
        missed,
        empty_title,
        empty,
        all_done,
        saving_for,
        still_needed,
        enough,
        read_it,
        paid_by,
        questions,
        one_try,
        audience,
        visit,
        start,
        question_of,
        your_answer,
        pick_one,
        next,
        send,
        leave,
        sending,
        earned,
        now_balance,
        another,
        wrong_title,
        wrong,
        exhausted_title,
        already_title,
        shop_says,
    }

    /// Articles.
    Read {
        title,
        lead,
        search,
        all,
        yours_filter,
        yours,
        yours_in_part,
        part,
        free,
        open,
        by,
        found,
        nothing_found,
        empty_title,
        empty,
        none_yours,
        shop_silent,
    }

    /// Approval of a payment.
    Approve {
        title,
        lead,
        asked_on,
        price,
        before,
        after,
        choose,
        only_this,
        daily,
        daily_what,
        budget,
        budget_what,
        by_part,
        by_part_what,
        pay,
        set_aside,
        unasked,
        arming,
        paying,
        confirming,
        cancel,
        owned_title,
        owned,
        free_title,
        free,
        open,
        paid,
        opening,
        handing,
        leave,
        short_title,
        short,
        earn,
        foreign_title,
        foreign,
        bad_link_title,
        bad_link,
        framed_title,
        framed,
    }

    /// Budgets at shops.
    Budgets {
        title,
        lead,
        none,
        left_of,
        spent,
        until,
        end,
        ending,
        a_day,
        today,
        ask_again,
    }

    /// History and its entries.
    History {
        title,
        balance_after,
        more,
        export,
        empty_title,
        empty,
        registered,
        earned,
        paid,
        cash_out,
        cash_out_returned,
        cancelled,
        adjusted,
        budget,
        budget_rest,
        no_change,
        shop,
        destination,
        time,
        balance,
        note,
        open_again,
        receipt,
        receipt_what,
        transaction,
        exchange,
        exchange_what,
        no_exchange,
        buyer,
        center,
        seller,
        /// Sender, recipient: for screen readers.
        from_to,
        /// What a message of this code is.
        message,
    }

    /// Cash-out.
    CashOut {
        title,
        lead,
        progress,
        have_of,
        missing,
        fee,
        amount,
        amount_hint,
        amount_invalid,
        destination,
        destination_hint,
        destination_missing,
        you_get,
        kept_fee,
        review,
        confirm_title,
        confirm,
        ordering,
        change,
        orders,
        no_orders,
        ordered,
        confirmed,
        returned,
        ordered_what,
        confirmed_what,
        returned_what,
        number,
        refresh,
    }

    /// Recovery words, and restoring by them.
    Recovery {
        title,
        what,
        whoever,
        saved_on,
        unsaved,
        unavailable,
        save,
        show,
        devices,
        not_noticed,
        write_down,
        written,
        asked,
        word,
        check,
        show_again,
        done,
        home,
        have_words,
        restore_title,
        restore_what,
        words,
        words_hint,
        restore,
        meeting,
        claiming,
        following,
        replace,
        lost_title,
        lost_money,
        lost_why,
        no_words,
        anew_what,
        anew,
    }

    /// Settings.
    Settings {
        title,
        center,
        center_name,
        center_address,
        fingerprint,
        pinned,
        first_seen,
        balance_max,
        storage,
        persisted,
        not_persisted,
        persistence_unknown,
        ask_persist,
        persist_refused,
        used,
        copy,
        copy_what,
        save_copy,
        saved,
        import,
        import_what,
        imported,
        replace_title,
        replace,
        replace_yes,
        check,
        check_what,
        check_do,
        checked,
        language,
        theme,
        theme_auto,
        theme_light,
        theme_dark,
        delete,
        delete_what,
        delete_begin,
        delete_type,
        delete_word,
        delete_do,
    }

    /// When something is wrong: money first, then the cause, then the way out.
    Trouble {
        untouched,
        open,
        moved,
        safe,
        on_books,
        reload,
        to_history,
        to_settings,
        to_home,
        to_earn,
        details,
        code,
        /// The cause that goes with an error's code.
        cause,
    }
}
