//! Named instants at which a crash would hurt most, so that a test can let the program die in just these.
//!
//! Only a program that is built with the feature `crash-points` can: `TUPPENCE_CRASH_AT=committed:3` ends it, without any
//! farewell, when it passes the point `committed` for the third time. Without the feature a point is nothing.

macro_rules! points {
    ($($point:ident = $name:literal: $words:literal;)*) => {
        /// An instant.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Point {
            $(#[doc = $words] $point,)*
        }

        impl Point {
            /// All of them, in the order of a payment.
            pub const ALL: &[Point] = &[$(Point::$point),*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Point::$point => $name,)*
                }
            }

            /// What has happened by then, in a sentence.
            pub const fn words(self) -> &'static str {
                match self {
                    $(Point::$point => $words,)*
                }
            }
        }
    };
}

points! {
    Applied = "applied": "The center's rules have taken a batch; nothing is written.";
    RowsWritten = "rows-written": "The rows of a batch are written, the journal's link is not.";
    LinkWritten = "link-written": "All of a batch is written, and not committed.";
    Committed = "committed": "A batch is committed; the center's own memory does not know it yet.";
    Witnessed = "witnessed": "A batch is committed and witnessed; nobody is answered.";
    Answered = "answered": "Everybody of a batch is answered.";
    AnswerGraded = "answer-graded": "The shop has graded an answer, and kept nothing.";
    AnswerKept = "answer-kept": "The shop has kept an answer and its reward; its reader is not answered.";
    SaleConfirmed = "sale-confirmed": "The center has confirmed a sale; the shop has not delivered.";
    TillWritten = "till-written": "The shop has written what paywords or its scrip pay, and not committed it.";
    TillKept = "till-kept": "That is committed; the article has not left.";
    Depositing = "depositing": "The shop is about to tell the center what paywords or its scrip have paid.";
    Deposited = "deposited": "The center has paid that; the shop does not know it.";
}

impl Point {
    /// Whether the center passes it; else the shop does.
    pub const fn is_the_centers(self) -> bool {
        matches!(
            self,
            Point::Applied
                | Point::RowsWritten
                | Point::LinkWritten
                | Point::Committed
                | Point::Witnessed
                | Point::Answered
        )
    }
}

/// A setting of SQLite's as the program has it.
#[cfg(not(feature = "crash-points"))]
pub(crate) fn pragma(_name: &str, usual: &str) -> String {
    usual.to_owned()
}

/// A setting of SQLite's as the program has it, or as a test wants it by `TUPPENCE_SQLITE_<name>`: what cuts the power
/// wants checkpoints more often, and once less care, so that it is seen that care is needed.
#[cfg(feature = "crash-points")]
pub(crate) fn pragma(name: &str, usual: &str) -> String {
    std::env::var(format!("TUPPENCE_SQLITE_{name}")).unwrap_or_else(|_| usual.to_owned())
}

/// The program is at `point`.
#[cfg(not(feature = "crash-points"))]
pub(crate) const fn at(_point: Point) {}

/// The program is at `point`, and dies there if it was told so.
#[cfg(feature = "crash-points")]
pub(crate) fn at(point: Point) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static ORDER: OnceLock<Option<(String, AtomicU32)>> = OnceLock::new();
    let order = ORDER.get_or_init(|| {
        let order = std::env::var("TUPPENCE_CRASH_AT").ok()?;
        let (name, times) = order.split_once(':')?;
        Some((name.to_owned(), AtomicU32::new(times.parse().ok()?)))
    });
    if let Some((name, left)) = order
        && name == point.as_str()
        && left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        std::process::abort();
    }
}
