//! The invariants by name. docs/reliability.md lists them; a test holds that the two agree.

use tuppence_protocol::ErrorCode;

macro_rules! invariants {
    ($($name:ident = $text:literal: $words:literal;)*) => {
        /// Something that always holds.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Invariant {
            $(#[doc = $words] $name,)*
        }

        impl Invariant {
            /// All of them.
            pub const ALL: &[Invariant] = &[$(Invariant::$name),*];

            /// The name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Invariant::$name => $text),* }
            }

            /// What holds, in a sentence.
            pub const fn words(self) -> &'static str {
                match self { $(Invariant::$name => $words),* }
            }
        }
    };
}

invariants! {
    RepliesAreAsPredicted = "replies-as-predicted": "The center's reply to an accepted message says the scrip, amount, date and stage that the auditor's own books predict.";
    RefusalsAreAsPredicted = "refusals-as-predicted": "A refused message is refused for the reason that the books predict, by the order of the codes.";
    WhatIsRightIsTaken = "right-is-taken": "A message that breaks no rule is not refused.";
    NoFaults = "no-faults": "The center never finds its own records in disagreement, and no command panics.";
    TheSameMessageGetsTheSameReply = "same-reply-again": "The same M4, S4, M6, S6 or R1 gets the same bytes as the first time, after crashes too, and after a copy was put back where the copy has that first time.";
    OneTransactionOneContent = "one-transaction-one-content": "A TranID that is known is refused with any other content.";
    SerialsAreSpentOnce = "serial-spent-once": "A scrip that is not the live one begins nothing.";
    SerialsGrow = "serials-grow": "A purse's live serial never gets smaller, and a changed scrip has a new one.";
    SerialsEnd = "serials-end": "A purse at its last serials begins nothing that it could not take back.";
    ExpiredScripIsRenewed = "expired-scrip-waits": "Expired scrip begins nothing before it was renewed, and keeps its value.";
    ForgeriesAreRefused = "forgeries-refused": "Scrip, seals and algorithms that the center did not make are refused.";
    OffersAreSealed = "offers-are-sealed": "Only an offer that its shop sealed, for this center, moves money.";
    ExpiredOffersAreRefused = "expired-offers-refused": "No step begins after its offer has ended by the center's clock.";
    RewardsGoToWhoAnswered = "rewards-go-to-who-answered": "Nobody takes the reward of another's answer.";
    NoOverdraft = "no-overdraft": "No purse and no seller's account pays what it does not hold.";
    LimitsHold = "limits-hold": "No step moves nothing, another currency, or more than a purse may hold; no cash-out is below its threshold.";
    CampaignsEndAtZero = "campaigns-end-at-zero": "A campaign never gives more than was set aside for it.";
    EndedStepsStay = "ended-steps-stay": "What was completed is not taken back, and what was taken back is not completed.";
    ChallengesAreSolvedOnce = "challenge-solved-once": "A solved challenge registers one wallet, and a wallet identifier one purse.";
    OnlyTheOwnerCommands = "only-the-owner-commands": "Without the shared secret nobody funds campaigns or asks how a shop's transaction stands.";
    PayoutsEndOnce = "payouts-end-once": "A payout order is confirmed or returned once; the same again moves nothing.";
    MessagesAreKnown = "messages-are-known": "Another version, another message's code, or a shop that is none is refused.";
    MoneyIsConserved = "money-is-conserved": "Purses, sellers, campaigns, transit, fees and open payouts together hold what came in less what went out.";
    TransfersBalance = "transfers-balance": "Each transfer moves more than nothing, between two accounts that its reason joins; the sum of all accounts is zero.";
    OnlyTheReserveIsBelowZero = "only-reserve-below-zero": "No other account is ever below zero.";
    PursesAreAsPredicted = "purses-as-predicted": "Each stored purse has the serial, value and pending step that the books have, and nobody else's changed.";
    StepsAreAsPredicted = "steps-as-predicted": "Each stored step has the parties, amounts, scrips and stage that the books have.";
    AccountsAreAsPredicted = "accounts-as-predicted": "Each stored balance is what the books have.";
    PursesAreTheSumOfTheirSteps = "purse-is-sum-of-steps": "A purse holds what its rewards and returned payouts brought, less what its payments and cash-outs took.";
    MoneyMovesOncePerStep = "money-moves-once": "A transaction, payout order or reference has each of its transfers once.";
    BudgetsAreAsPredicted = "budgets-as-predicted": "Each stored budget, scrip of a shop and licence has the parties, sums and stage that the books have.";
    ReservationIsCovered = "reservation-is-covered": "What is reserved is what all open budgets have left, neither deposited nor returned.";
    ShopPaidOnce = "shop-paid-once": "A shop is paid for paywords and requests that were shown to it, each once, and nobody else is; once all is calm it has all that it earned.";
    RestReturns = "rest-returns": "The rest of a budget goes back to the purse that paid for it, once: when it is ended, and else after its end and grace.";
    ArticleHasATick = "article-has-a-tick": "An article leaves a shop for a budget only when what pays it is in the shop's store, and was new for this article.";
    TheSameSaleAgain = "same-sale-again": "A charge or request that is answered again is answered with the same bytes, after crashes of the shop too.";
    TransitIsWhatIsPending = "transit-is-pending": "What is in transit is what pending payments and cash-outs hold, and pending steps are one for each purse.";
    AcknowledgedIsDurable = "acknowledged-is-durable": "When a reply leaves, what it says is on the disk.";
    AFailedCommitChangesNothing = "failed-commit-changes-nothing": "If the store refuses a batch, nothing of it is there, and nobody is told otherwise.";
    ARestartLosesNothing = "restart-loses-nothing": "After a crash the disk has what was acknowledged, and nothing else.";
    TimeDoesNotGoBack = "time-does-not-go-back": "While the center runs, its commands' time never goes back, however its clock is set.";
    NoNumberTwice = "no-number-twice": "A serial, a buyer's number and a payout's number mean one thing in all books that this center ever had, but while an older copy stands for them and nobody can know it.";
    SpentBeforeStaysSpent = "spent-before-stays-spent": "Scrip that was spent in any books begins nothing else, in those that an older copy has replaced too, but while nobody can know it.";
    RestoredBooksAreTheCopy = "restored-books-are-the-copy": "Books that were put back are those of the moment when the copy was made, and a backup balances.";
    EpochsGrow = "epochs-grow": "An epoch begins where a copy is put back, or is shown to be one, and nowhere else; its number is later than all that can be known.";
    ClaimsAreKept = "claims-are-kept": "Of each buyer the newest scrip that the books have lost is kept, beside what they had when it was shown.";
    AnAnswerIsPaidOnce = "answer-paid-once": "A shop has never two live offers for one earner's answer: each answer is paid once in the same books, unless they have lost that the first offer was taken back.";
    WrongAnswersEarnNothing = "wrong-answers-earn-nothing": "A shop permits a reward for right answers alone, and for the first ones.";
    RewardsAreWhatShopsPermitted = "rewards-as-permitted": "Each reward was permitted by its shop, with this value.";
    AnArticleIsPaidOnce = "article-paid-once": "A wallet that was neither copied nor set back pays an article once in the same books, unless they have lost how the first payment ended.";
    PricesAreWhatShopsQuoted = "prices-as-quoted": "Each payment was quoted by its shop, at the price of the article's file.";
    NothingUnpaidIsDelivered = "nothing-unpaid-delivered": "A paid text leaves its shop only for a payment that was completed, be it in books that are lost.";
    NobodyPaysMoreThanApproved = "nothing-above-approval": "A wallet never pays more than its user approved.";
    StoredBeforeSent = "stored-before-sent": "What a wallet sends to move money is among its records before it leaves.";
    OneWriter = "one-writer": "Of a device's tabs one at a time has a message about its money under way.";
    WalletsHoldIssuedScrip = "wallets-hold-issued-scrip": "The scrip in a wallet is one that the center issued for this purse, with this value, be it in books that are lost.";
    HistoriesAddUp = "histories-add-up": "A wallet's last entry says the balance, and its entries add up to it.";
    ReceiptsAreTrue = "receipts-are-true": "Every receipt that a wallet keeps is of a completed transaction, to the letter, be it in books that are lost.";
    UntouchedMeansUntouched = "untouched-is-untouched": "Where a wallet says that the money was not touched, no step of its own is left at the center, but one whose end the books have lost, and a step whose message was refused and then sent again by others.";
    WalletsComeToRest = "wallets-come-to-rest": "When nothing fails any more, every wallet ends what was open, and shows the center's balance; one whose registration the books have lost is told so.";
}

impl Invariant {
    /// Which invariant a message breaks that should have been refused with `code`.
    pub const fn of(code: ErrorCode) -> Invariant {
        use ErrorCode as E;
        match code {
            E::ScripStale => Invariant::SerialsAreSpentOnce,
            E::ScripExpired => Invariant::ExpiredScripIsRenewed,
            E::SerialLimit => Invariant::SerialsEnd,
            E::ScripForged | E::SealInvalid | E::Algorithm | E::PurseUnknown | E::ReceiptInvalid => {
                Invariant::ForgeriesAreRefused
            }
            E::OfferForged | E::OfferForeign => Invariant::OffersAreSealed,
            E::OfferExpired => Invariant::ExpiredOffersAreRefused,
            E::EarnerMismatch => Invariant::RewardsGoToWhoAnswered,
            E::TransactionConflict | E::TransactionUnknown => Invariant::OneTransactionOneContent,
            E::TransactionPosted | E::TransactionVoided => Invariant::EndedStepsStay,
            E::BalanceInsufficient | E::FundsInsufficient => Invariant::NoOverdraft,
            E::CurrencyMismatch | E::AmountOutOfRange | E::BalanceLimit | E::BelowThreshold => {
                Invariant::LimitsHold
            }
            E::CampaignExhausted => Invariant::CampaignsEndAtZero,
            E::Challenge | E::WalletTaken => Invariant::ChallengesAreSolvedOnce,
            E::Unauthorized => Invariant::OnlyTheOwnerCommands,
            E::AuthorityInvalid | E::AuthorityExpired | E::PaywordInvalid => Invariant::ForgeriesAreRefused,
            E::VendorScripInvalid | E::VendorScripExpired => Invariant::ForgeriesAreRefused,
            E::AuthorityUnknown | E::VendorScripUnknown | E::Unlicensed => Invariant::BudgetsAreAsPredicted,
            E::BudgetEnded => Invariant::RestReturns,
            E::PayoutUnknown => Invariant::PayoutsEndOnce,
            _ => Invariant::MessagesAreKnown,
        }
    }
}
