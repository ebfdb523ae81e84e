//! What a hot-fix may change (GATE-4).

use crate::grade::Refactoring;

/// How far a hot-fix may go; what is not allowed belongs in a normal release.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a yes or no for each thing that a change may do"
)]
pub struct Scope {
    /// Whether it is one fix and no more. Default true.
    pub one_fix: bool,
    /// Whether it may bring features. Default false.
    pub features: bool,
    /// How far it may tidy the code around the fix. Default never.
    pub refactoring: Refactoring,
    /// Whether it may update dependencies that are not themselves the fix. Default false.
    pub dependencies: bool,
    /// Whether it may migrate a database. Default false.
    pub migrations: bool,
    /// The most files that it may touch. None: no limit.
    pub files_most: Option<u32>,
    /// The most lines that it may add and take out together. None: no limit.
    pub lines_most: Option<u32>,
    /// What the change should have besides, for those who review it.
    pub wanted: Vec<String>,
}
