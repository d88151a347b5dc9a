//! The parts of which pages are made.

mod amount;
mod anew;
mod balance;
mod coin_flight;
mod exchange;
mod gate;
mod heading;
mod icons;
mod open_form;
mod pending;
mod shell;
mod states;
mod trouble;

pub use amount::{Sum, SumChange};
pub use anew::anew;
pub use balance::Balance;
pub use coin_flight::{PURSE, fly_coin};
pub use exchange::Exchange;
pub use gate::Gate;
pub use heading::{Heading, Moved};
pub use icons::{Coin, Icon, Logo, Symbol};
pub use open_form::OpenForm;
pub use pending::PendingList;
pub use shell::Shell;
pub use states::{Empty, Skeleton, Waiting, loaded};
pub use trouble::Trouble;
