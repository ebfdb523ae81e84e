//! Facts of an incident, each of which may be unknown, and conditions on them in three-valued logic (SEV-2, SEV-5).
//!
//! Unknown is a value of its own: it never silently means 'no'.

mod catalogue;
mod condition;
mod facts;

pub use catalogue::{Fact, FactKind};
pub use condition::{Comparison, Condition, Operator, Truth};
pub use facts::{FactError, FactErrors, FactId, FactValue, Facts, HouseFact, Vocabulary};
