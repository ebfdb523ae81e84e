//! All faults that the linter knows, each with its code, level, sentence and remedy.

use super::finding::Level;
use crate::grade::Severity;
use crate::unit::{FactName, Name};

macro_rules! faults {
    (
        $(#[$name_doc:meta])*
        $name:ident
        $(parts { $($(#[$part_doc:meta])* $part:ident($part_type:ident),)* })?
        $($(#[$doc:meta])* $code:literal $level:ident $variant:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* } remedy $remedy:literal)*
    ) => {
        $(#[$name_doc])*
        #[derive(Clone, Debug, PartialEq, thiserror::Error)]
        #[non_exhaustive]
        pub enum $name {
            $($($(#[$part_doc])* #[error(transparent)] $part(#[from] $part_type),)*)?
            $($(#[$doc])* $variant { $($(#[$field_doc])* $field: $type,)* },)*
        }

        impl $name {
            /// Its codes, in order; the parts have their own.
            pub const CODES: &'static [&'static str] = &[$($code,)*];

            /// The stable code.
            pub const fn code(&self) -> &'static str {
                match self {
                    $($(Self::$part(part) => part.code(),)*)?
                    $(Self::$variant { .. } => $code,)*
                }
            }

            /// How serious it is.
            pub const fn level(&self) -> Level {
                match self {
                    $($(Self::$part(part) => part.level(),)*)?
                    $(Self::$variant { .. } => Level::$level,)*
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

mod figures;
mod people;
mod times;

pub use figures::{FigureFault, PhaseChance};
pub use people::PeopleFault;
pub use times::TimeFault;

// Tree and rules: 001 to 019. Bounds, phases and statistics: 020 to 039. Deadlines, people and
// messages: 040 to 070.
faults! {
    /// A fault that the linter finds.
    Fault
    parts {
        /// About bounds, phases and statistics.
        Figures(FigureFault),
        /// About deadlines and other times.
        Times(TimeFault),
        /// About roles, approvals, escalation and notifications.
        People(PeopleFault),
    }

    /// Questions of the tree that form a cycle.
    #[error("these questions form a cycle: {questions}")]
    "HF-LINT-001" Deny Cycle {
        /// Their ids, in the order of the cycle.
        questions: String,
    }
    remedy "let one of them lead to a leaf"

    /// No chain of answers leads to a question or leaf.
    #[error("no answers lead from the root to `{id}`")]
    "HF-LINT-002" Warn Unconnected {
        /// Its id.
        id: Name,
    }
    remedy "let an answer lead to it, or delete it"

    /// Answers lead to a question or leaf, but no combination of facts does.
    #[error("no facts lead to `{id}`: {why}")]
    "HF-LINT-003" Warn Unreached {
        /// Its id.
        id: Name,
        /// The answers that come first, or that no facts can give.
        why: String,
    }
    remedy "ask it earlier, change the answers before it, or delete it"

    /// A question without an answer for some facts that reach it.
    #[error("`{question}` leads nowhere if the answer is {answer}{listed}")]
    "HF-LINT-004" Warn Unanswered {
        /// The question's id.
        question: Name,
        /// The missing answer.
        answer: String,
        /// What the rules say about such incidents, if anything.
        listed: String,
    }
    remedy "let the answer lead to a question or leaf"

    /// A question about a number without an answer for some values.
    #[error("`{question}` leads nowhere for {ranges}{listed}")]
    "HF-LINT-005" Warn Gap {
        /// The question's id.
        question: Name,
        /// The values, in words.
        ranges: String,
        /// What the rules say about such incidents, if anything.
        listed: String,
    }
    remedy "let the answers cover every value"

    /// An answer that is never used.
    #[error("answer {answer} of `{question}` is never used: {why}")]
    "HF-LINT-006" Warn IdleAnswer {
        /// The question's id.
        question: Name,
        /// Its place among the answers, from 1.
        answer: usize,
        /// The reason.
        why: &'static str,
    }
    remedy "put it before the answers that accept its values, change its bounds, or delete it"

    /// A less severe leaf gets facts that satisfy everything that leads to a more severe one.
    #[error("some facts that satisfy everything for `{leaf}` ({severity}) end at `{by}` ({less}), which is asked first: {answers}")]
    "HF-LINT-007" Warn Shadowed {
        /// The more severe leaf's id.
        leaf: Name,
        /// Its severity.
        severity: Severity,
        /// The less severe leaf's id.
        by: Name,
        /// Its severity, in words.
        less: &'static str,
        /// The answers that lead there.
        answers: String,
    }
    remedy "ask the more severe question first"

    /// Rules and tree give different severities.
    #[error("{list}, but the tree ends at `{leaf}` with {severity}")]
    "HF-LINT-008" Warn SeverityDiffers {
        /// What the rules say.
        list: String,
        /// The leaf's id.
        leaf: Name,
        /// Its severity.
        severity: Severity,
    }
    remedy "change the rules or the tree until both agree"

    /// Rules and tree disagree about the hot-fix.
    #[error("{list}, but the tree ends at `{leaf}`, which is {hotfix}")]
    "HF-LINT-009" Warn HotfixDiffers {
        /// What the rules say.
        list: String,
        /// The leaf's id.
        leaf: Name,
        /// What the leaf says, in words.
        hotfix: &'static str,
    }
    remedy "change the rules or the tree until both agree"

    /// No rule and no leaf decides.
    #[error("if no rule fires{tree}, it remains unknown whether a hot-fix is needed, even if all facts are known")]
    "HF-LINT-010" Note Silent {
        /// The part of the tree, in words.
        tree: &'static str,
    }
    remedy "set `classification.otherwise`"

    /// An exclusion contradicts a rule for a hot-fix, and a person has to decide.
    #[error("`{exclusion}` excludes a hot-fix that {called} for: a person has to decide")]
    "HF-LINT-011" Note Excluded {
        /// The excluding rule's id.
        exclusion: Name,
        /// The rules for a hot-fix, in words.
        called: String,
    }
    remedy "set `classification.exclusions` to `yield` or `win`, or narrow one of the rules"

    /// A rule cannot fire.
    #[error("`{rule}` can never fire: {why}")]
    "HF-LINT-012" Warn NeverFires {
        /// The rule's id.
        rule: Name,
        /// The reason.
        why: &'static str,
    }
    remedy "change its condition, or delete it"

    /// A rule that changes no outcome.
    #[error("`{rule}` changes nothing: whenever it fires, {others}")]
    "HF-LINT-013" Note Redundant {
        /// The rule's id.
        rule: Name,
        /// What fires with it, in words.
        others: String,
    }
    remedy "delete it, unless it has to appear among the reasons"

    /// Implications that contradict each other.
    #[error("no combination of facts satisfies `{implication}` and the implications before it")]
    "HF-LINT-014" Deny Impossible {
        /// The first implication that makes every combination impossible.
        implication: Name,
    }
    remedy "correct the implications: every incident would contradict them"

    /// A severity that no rule and no leaf gives.
    #[error("no rule and no leaf gives {severity}")]
    "HF-LINT-015" Note UnusedSeverity {
        /// The severity.
        severity: Severity,
    }
    remedy "add a rule for it, or delete it"

    /// A leaf and its severity disagree about the hot-fix.
    #[error("`{leaf}` is {hotfix}, but the policy answers its severity {severity} with {answered}")]
    "HF-LINT-016" Warn LeafHotfix {
        /// The leaf's id.
        leaf: Name,
        /// What the leaf says, in words.
        hotfix: &'static str,
        /// Its severity.
        severity: Severity,
        /// What the severity says, in words.
        answered: &'static str,
    }
    remedy "make the leaf and the severity agree"

    /// A custom fact that no condition uses.
    #[error("no condition uses the fact `{fact}`")]
    "HF-LINT-017" Note UnusedFact {
        /// The fact's name.
        fact: FactName,
    }
    remedy "use it in a condition, or delete it"

    /// Conditions that are too complex for a complete check.
    #[error("the conditions are too complex to check every combination of facts: answers may be unknown unnecessarily, and faults may be missed")]
    "HF-LINT-018" Note Entangled {}
    remedy "use fewer facts in each condition"
}
