//! The payment center's side (spec/01): what it keeps of a purse, and how messages change it.

mod record;

pub use record::{Purse, ScripState, Step, StepKey, StepKind, StepState};
