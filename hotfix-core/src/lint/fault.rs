//! All faults that the linter knows, each with its code, level, sentence and remedy.

use crate::grade::Severity;
use crate::policy::section::Due;
use crate::unit::Name;

/// An enumeration of findings, as `coded!` has it, each variant with its code, level and remedy:
/// `Name { fields } => "HF-…" Warn, "remedy";`. Its parts are other such enumerations.
macro_rules! findings {
    (
        $(#[$about:meta])*
        pub enum $name:ident $({ $($(#[$($part_doc:tt)+])* $part:ident($wrapped:ty),)* })?;
        $(
            $(#[$($of:tt)+])*
            $variant:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? }
                => $code:literal $level:ident, $remedy:literal;
        )*
    ) => {
        $crate::code::coded! {
            $(#[$about])*
            #[derive(Clone, Debug, PartialEq, thiserror::Error)]
            pub enum $name;

            $($($(#[$($part_doc)+])* #[error(transparent)] $part(part: #[from] $wrapped) => part.code(),)*)?
            $($(#[$($of)+])* $variant { $($(#[$field_doc])* $field: $type),* } => $code,)*
        }

        impl $name {
            /// How serious it is.
            pub const fn level(&self) -> $crate::lint::Level {
                match self {
                    $($(Self::$part(part) => part.level(),)*)?
                    $(Self::$variant { .. } => $crate::lint::Level::$level,)*
                }
            }

            /// What to do about it.
            pub const fn remedy(&self) -> &'static str {
                match self {
                    $($(Self::$part(part) => part.remedy(),)*)?
                    $(Self::$variant { .. } => $remedy,)*
                }
            }
        }
    };
}
pub(crate) use findings;

mod figures;
mod people;
mod times;

pub use figures::{FigureFault, PhaseChance};
pub use people::PeopleFault;
pub use times::TimeFault;

// Tree and rules: 001 to 019. Bounds, phases and statistics: 020 to 039. Deadlines, people and
// messages: 040 to 070.
findings! {
    /// A fault that the linter finds.
    pub enum Fault {
        /// About bounds, phases and statistics.
        Figures(FigureFault),
        /// About deadlines and other times.
        Times(TimeFault),
        /// About roles, approvals, escalation and notifications.
        People(PeopleFault),
    };

    #[error("these questions form a cycle: {questions}")]
    Cycle { questions: String } => "HF-LINT-001" Deny, "let one of them lead to a leaf";

    #[error("no answers lead from the root to `{id}`")]
    Unconnected { id: Name } => "HF-LINT-002" Warn, "let an answer lead to it, or delete it";

    /// Answers lead to a question or leaf, but no combination of facts does.
    #[error("no facts lead to `{id}`: {why}")]
    Unreached { id: Name, why: String }
        => "HF-LINT-003" Warn, "ask it earlier, change the answers before it, or delete it";

    #[error("`{question}` leads nowhere if the answer is {answer}{listed}")]
    Unanswered { question: Name, answer: String, listed: String }
        => "HF-LINT-004" Warn, "let the answer lead to a question or leaf";

    #[error("`{question}` leads nowhere for {ranges}{listed}")]
    Gap { question: Name, ranges: String, listed: String }
        => "HF-LINT-005" Warn, "let the answers cover every value";

    #[error("answer {answer} of `{question}` is never used: {why}")]
    IdleAnswer {
        question: Name,
        /// Its place among the answers, from 1.
        answer: usize,
        why: &'static str,
    } => "HF-LINT-006" Warn, "put it before the answers that accept its values, change its bounds, or delete it";

    #[error("some facts that satisfy everything for `{leaf}` ({severity}) end at `{by}` ({less}), which is asked first: {answers}")]
    Shadowed { leaf: Name, severity: Severity, by: Name, less: &'static str, answers: String }
        => "HF-LINT-007" Warn, "ask the more severe question first";

    #[error("{list}, but the tree ends at `{leaf}` with {severity}")]
    SeverityDiffers { list: String, leaf: Name, severity: Severity }
        => "HF-LINT-008" Warn, "change the rules or the tree until both agree, or leave the tree out (`tree = { remove = true }`): it then follows from the rules";

    #[error("{list}, but the tree ends at `{leaf}`, which is {hotfix}")]
    HotfixDiffers { list: String, leaf: Name, hotfix: &'static str }
        => "HF-LINT-009" Warn, "change the rules or the tree until both agree, or leave the tree out (`tree = { remove = true }`): it then follows from the rules";

    #[error("if no rule fires{tree}, it remains unknown whether a hot-fix is needed, even if all facts are known")]
    Silent { tree: &'static str } => "HF-LINT-010" Note, "set `classification.otherwise`";

    #[error("`{exclusion}` excludes a hot-fix that {called} for: a person has to decide")]
    Excluded { exclusion: Name, called: String }
        => "HF-LINT-011" Note, "set `classification.exclusions` to `yield` or `win`, or narrow one of the rules";

    /// A rule cannot fire.
    #[error("`{rule}` can never fire: {why}")]
    NeverFires { rule: Name, why: &'static str }
        => "HF-LINT-012" Warn, "change its condition, or delete it";

    #[error("no combination of facts satisfies `{implication}` and the implications before it")]
    Impossible {
        /// The first implication that makes every combination impossible.
        implication: Name,
    } => "HF-LINT-014" Deny, "correct the implications: every incident would contradict them";

    #[error("no rule and no leaf gives {severity}")]
    UnusedSeverity { severity: Severity } => "HF-LINT-015" Note, "add a rule for it, or delete it";

    #[error("`{leaf}` is {hotfix}, but the policy answers its severity {severity} with {answered}")]
    LeafHotfix { leaf: Name, hotfix: &'static str, severity: Severity, answered: &'static str }
        => "HF-LINT-016" Warn, "make the leaf and the severity agree";

    #[error("the deadline of `{leaf}` ({}) differs from that of its severity {severity} ({}), by which plan and duties count", deadline.in_words(), due.in_words())]
    LeafDeadline { leaf: Name, deadline: Due, severity: Severity, due: Due }
        => "HF-LINT-019" Warn, "make the leaf and the duty of kind `fix` agree";

    #[error("the conditions are too complex to check every combination of facts: answers may be unknown unnecessarily, and faults may be missed")]
    Entangled {} => "HF-LINT-018" Note, "use fewer facts in each condition";
}
