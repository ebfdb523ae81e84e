//! Facts of an incident, each of which may be unknown, and conditions on them in three-valued logic (SEV-2, SEV-5).
//!
//! Unknown is a value of its own: it never silently means 'no'. [`Condition::holds`] is quick and sound; what is exact over
//! all values of the unknown facts is read off a [`Diagram`].

mod build;
mod catalogue;
mod condition;
mod describe;
mod diagram;
mod facts;
mod nodes;
mod sample;
mod space;
mod support;

pub use build::Builder;
pub use catalogue::{Fact, FactKind};
pub use condition::{Comparison, Condition, Operator, Truth};
pub use describe::Deduced;
pub use diagram::Diagram;
pub use facts::{FactError, FactErrors, FactId, FactValue, Facts, HouseFact, Vocabulary};
pub use nodes::{Cut, Ref};
pub use space::{Placed, Space};
pub use support::Support;
