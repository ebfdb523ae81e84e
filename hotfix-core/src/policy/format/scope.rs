//! What a hot-fix may change (GATE-4).

use super::phase::no_rules;
use crate::grade::Refactoring;
use crate::policy::field::{HowMany, List};
use crate::policy::node::Node;
use crate::policy::reader::section;
use crate::policy::section::Scope;

section! {
    plain
    /// How far a hot-fix may go; what is not allowed belongs in a normal release (GATE-4).
    Scope from ScopeDraft, no_rules {
        /// Whether it is one fix and no more.
        one_fix: bool, [default true];
        /// Whether it may bring features.
        features: bool, [default false];
        /// How far it may tidy the code around the fix.
        refactoring: Refactoring, [default "never"];
        /// Whether it may update dependencies that are not themselves the fix.
        dependencies: bool, [default false];
        /// Whether it may migrate a database.
        migrations: bool, [default false];
        /// The most files that it may touch. Without it there is no limit.
        files_most: HowMany, [optional];
        /// The most lines that it may add and take out together. Without it there is no limit.
        lines_most: HowMany, [optional];
        /// What the change should have besides, for those who review it.
        wanted: List<String>, [default Node::List(Vec::new())];
    }
}
