//! Every fault that the linter knows, each with its code, level, sentence and remedy.

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
            /// The codes of its own, in order; its parts have theirs.
            pub const CODES: &'static [&'static str] = &[$($code,)*];

            /// The stable code.
            pub const fn code(&self) -> &'static str {
                match self {
                    $($(Self::$part(part) => part.code(),)*)?
                    $(Self::$variant { .. } => $code,)*
                }
            }

            /// How grave it is.
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

// Tree and rules: 001 to 019. Bounds, phases and statistics: 020 to 039. Deadlines, people and messages: 040 to 070.
faults! {
    /// What the linter may find.
    Fault
    parts {
        /// In bounds, phases and statistics.
        Figures(FigureFault),
        /// In deadlines and other times.
        Times(TimeFault),
        /// In who does what, and who is told.
        People(PeopleFault),
    }

    /// The questions lead round in a circle.
    #[error("these questions lead back to the first of them: {questions}")]
    "HF-LINT-001" Deny Circle {
        /// Their ids, in the order of the circle.
        questions: String,
    }
    remedy "let one of them lead to a leaf"

    /// No chain of answers leads to a question or leaf.
    #[error("no answers lead from the root to `{id}`")]
    "HF-LINT-002" Warn Unconnected {
        /// Its id.
        id: Name,
    }
    remedy "let an answer lead to it, or take it out"

    /// Answers lead to a question or leaf, but no facts give them.
    #[error("no facts lead to `{id}`: {why}")]
    "HF-LINT-003" Warn Unreached {
        /// Its id.
        id: Name,
        /// The answers that take what would lead there, or those that nothing can give.
        why: String,
    }
    remedy "ask for it earlier, change the answers before it, or take it out"

    /// A question has no answer for some facts that reach it.
    #[error("`{question}` leads nowhere where the answer is {answer}{listed}")]
    "HF-LINT-004" Warn Unanswered {
        /// The question's id.
        question: Name,
        /// The answer that is left out.
        answer: String,
        /// What the rules say of such incidents, where they say something.
        listed: String,
    }
    remedy "give the answer a question or leaf to lead to"

    /// A question about a number has no answer for some values.
    #[error("`{question}` leads nowhere for {ranges}{listed}")]
    "HF-LINT-005" Warn Gap {
        /// The question's id.
        question: Name,
        /// The values, in words.
        ranges: String,
        /// What the rules say of such incidents, where they say something.
        listed: String,
    }
    remedy "let the answers cover every value"

    /// An answer accepts no value that is still there.
    #[error("answer {answer} of `{question}` never counts: {why}")]
    "HF-LINT-006" Warn IdleAnswer {
        /// The question's id.
        question: Name,
        /// Its place among the answers, from 1.
        answer: usize,
        /// Where its values are.
        why: &'static str,
    }
    remedy "put it before the answers that take its values, change its bounds, or take it out"

    /// A less severe leaf takes facts that meet all that a more severe one asks for.
    #[error("some facts with all that leads to `{leaf}` ({severity}) end at `{by}` ({less}), which comes earlier: {answers}")]
    "HF-LINT-007" Warn Shadowed {
        /// The more severe leaf's id.
        leaf: Name,
        /// How bad that is.
        severity: Severity,
        /// The less severe leaf's id.
        by: Name,
        /// How bad that is, in words.
        less: &'static str,
        /// The answers that lead there.
        answers: String,
    }
    remedy "ask for what is more severe first"

    /// Rules and tree give different severities.
    #[error("{list}, but the tree ends at `{leaf}` with {severity}")]
    "HF-LINT-008" Warn SeverityDiffers {
        /// What the rules say.
        list: String,
        /// The leaf's id.
        leaf: Name,
        /// How bad that is.
        severity: Severity,
    }
    remedy "change the rules, the tree, or what leads to this leaf, until both say the same"

    /// Rules and tree disagree on whether it is a hot-fix.
    #[error("{list}, but the tree ends at `{leaf}`, which is {hotfix}")]
    "HF-LINT-009" Warn HotfixDiffers {
        /// What the rules say.
        list: String,
        /// The leaf's id.
        leaf: Name,
        /// What the leaf says, in words.
        hotfix: &'static str,
    }
    remedy "change the rules, the tree, or what leads to this leaf, until both say the same"

    /// Neither a rule nor a leaf says anything.
    #[error("where no rule fires{tree}, it stays unknown whether a hot-fix is called for, though all facts are known")]
    "HF-LINT-010" Note Silent {
        /// What the tree has to say, in words.
        tree: &'static str,
    }
    remedy "say under `classification.otherwise` what follows where no rule fires"

    /// An exclusion meets what calls for a hot-fix, and a person must settle it.
    #[error("`{exclusion}` excludes a hot-fix that {called} for: a person must settle it")]
    "HF-LINT-011" Note Excluded {
        /// The excluding rule's id.
        exclusion: Name,
        /// What calls for a hot-fix, in words.
        called: String,
    }
    remedy "say under `classification.exclusions` whether exclusions yield or win, or narrow one of the rules"

    /// A rule cannot fire.
    #[error("`{rule}` can never fire: {why}")]
    "HF-LINT-012" Warn NeverFires {
        /// The rule's id.
        rule: Name,
        /// What keeps it from firing.
        why: &'static str,
    }
    remedy "change its condition, or take it out"

    /// A rule changes no outcome.
    #[error("`{rule}` changes nothing: whenever it fires, {others}")]
    "HF-LINT-013" Note Redundant {
        /// The rule's id.
        rule: Name,
        /// What fires with it, in words.
        others: String,
    }
    remedy "take it out, unless it is there to be named among the reasons"

    /// The implications leave nothing that is possible.
    #[error("no facts at all keep `{implication}` and the implications before it")]
    "HF-LINT-014" Deny Impossible {
        /// The first implication with which nothing is possible.
        implication: Name,
    }
    remedy "correct the implications: any incident would contradict itself"

    /// A severity follows from nothing.
    #[error("no rule and no leaf gives {severity}")]
    "HF-LINT-015" Note UnusedSeverity {
        /// The severity.
        severity: Severity,
    }
    remedy "add a rule for it, or take it out"

    /// A leaf and its severity disagree on whether it is a hot-fix.
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
    remedy "let the leaf and the severity say the same"

    /// No condition looks at a house fact.
    #[error("nothing asks for the fact `{fact}`")]
    "HF-LINT-017" Note UnusedFact {
        /// The fact's name.
        fact: FactName,
    }
    remedy "use it in a condition, or take it out"

    /// The conditions are too entangled to go through.
    #[error("the conditions are too entangled to go through every combination of facts: answers may be uncertain without need, and faults may be missed")]
    "HF-LINT-018" Note Entangled {}
    remedy "let each condition look at fewer facts"
}
