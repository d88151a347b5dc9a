//! The pages, one file each.

mod approve;
mod budgets;
mod cash_out;
mod earn;
mod entry;
mod history;
mod home;
mod missing;
mod question;
mod read;
mod recovery;
mod restore;
mod settings;
mod welcome;

pub use approve::Approve;
pub use budgets::Budgets;
pub use cash_out::CashOut;
pub use earn::Earn;
pub use entry::Entry;
pub use history::History;
pub use home::Home;
pub use missing::Missing;
pub use question::Question;
pub use read::Read;
pub use recovery::Recovery;
pub use restore::Restore;
pub use settings::Settings;
pub use welcome::Welcome;
