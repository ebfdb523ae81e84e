//! The linter: what a policy says that can be read and run, and is doubtful all the same (DEC-5).
//!
//! A finding has a stable code, a level, a place, a sentence, a remedy and, where there can be one, an example that shows
//! the fault when it is fed back to the engine.

mod fault;
mod finding;
mod logic;

pub use fault::Fault;
pub use finding::{Example, Finding, Level};

use crate::policy::Policy;
use crate::unit::Timestamp;

impl Policy {
    /// Everything doubtful in this policy, in the order of the codes, and within a code in the order of the document.
    ///
    /// `at` is the present time; without it nothing is said of what is overdue.
    ///
    /// Shows DEC-5.
    pub fn lint(&self, at: Option<Timestamp>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let _ = at;
        logic::findings(self, &mut findings);
        findings.sort_by_key(|finding: &Finding| finding.code());
        findings
    }
}
