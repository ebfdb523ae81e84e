//! Facts of an incident, each of which may be unknown, and conditions on them in three-valued
//! logic.
//!
//! [`Facts::read`] checks what is known of an incident against the policy's [`Vocabulary`].
//!
//! Unknown is a value of its own: it never silently means false. [`Condition::holds`] is fast and
//! sound; a [`Diagram`] gives the exact answer over all values of the unknown facts.

mod build;
mod catalogue;
mod condition;
mod diagram;
mod facts;
mod impact;
mod informed;
mod nodes;
mod sample;
mod space;
mod support;

pub use build::Builder;
pub(crate) use catalogue::OUTCOMES;
pub use catalogue::{Fact, FactKind};
pub use condition::{Comparison, Condition, Operator, Truth};
pub use diagram::Diagram;
pub use facts::{CustomFact, FactError, FactErrors, FactId, FactValue, Facts, Vocabulary};
pub(crate) use impact::Impact;
pub(crate) use informed::Informed;
pub use nodes::{Cut, Ref};
pub use space::{Deduced, Placed, Space};
