//! How facts give a severity, and whether a hot-fix is needed.

use super::severity::KnownSeverity;
use crate::document::Node;
use crate::fact::Condition;
use crate::grade::{ActOn, Exclusions, Hotfix, Severity};
use crate::policy::error::Problem;
use crate::policy::field::NoRule;
use crate::policy::reader::{Draft as _, Field, PolicyReader, Style, section};
use crate::policy::schema::{Definitions, Schema};
use crate::unit::Name;

/// One rule: a condition on facts, and its effect.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The id of the rule, unique.
    pub id: Name,
    /// What the rule means, for people.
    pub title: String,
    /// The effect.
    pub effect: Effect,
    /// The condition under which it fires.
    pub when: Condition,
}

/// The effect of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// At least this severity, which says whether a hot-fix is needed.
    Severity(Severity),
    /// A hot-fix, regardless of the severity.
    Admit,
    /// No hot-fix.
    Exclude,
}

impl Effect {
    /// The values of the keys `severity` and `hotfix`.
    pub(crate) const fn keys(self) -> (Option<Severity>, Option<bool>) {
        match self {
            Self::Severity(severity) => (Some(severity), None),
            Self::Admit => (None, Some(true)),
            Self::Exclude => (None, Some(false)),
        }
    }
}

section! {
    plain
    /// How the rules are evaluated.
    pub Classifier: Copy from ClassifierDraft {
        /// Which severity applies while facts are unknown: the one that is certain, or the worst
        /// possible one.
        act_on: ActOn, [default "at_worst"];
        /// Whether a hot-fix is needed if no rule fires.
        otherwise: Hotfix as NoRule, [default "unknown"];
        /// What happens if an exclusion and a rule for a hot-fix both fire: the exclusion yields,
        /// it wins, or a person decides.
        exclusions: Exclusions, [default "ask"];
    }
}

section! {
    draft
    /// One rule of the classification. It has either `severity` or `hotfix`, which admits (true) or
    /// excludes (false) a hot-fix.
    Rule as RuleDraft {
        /// The id of the rule, unique.
        id: Name, [required];
        /// What the rule means, for people.
        title: String, [required];
        /// The incident has at least this severity.
        severity: KnownSeverity, [optional];
        /// Whether a hot-fix is needed, regardless of the severity.
        hotfix: bool, [optional];
        /// The condition under which the rule fires.
        when: Condition, [required];
    }
}

impl Field for Rule {
    type Out = Self;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<Self> {
        let draft = RuleDraft::read(reader.table(node)?, reader);
        let effect = match (draft.severity?, draft.hotfix?) {
            (Some(severity), None) => Some(Effect::Severity(severity)),
            (None, Some(true)) => Some(Effect::Admit),
            (None, Some(false)) => Some(Effect::Exclude),
            (Some(_), Some(_)) | (None, None) => reader.fail(Problem::RuleEffect {}),
        };
        Some(Self { id: draft.id?, title: draft.title?, effect: effect?, when: draft.when? })
    }
    fn write(value: &Self, style: Style) -> Node {
        let (severity, hotfix) = value.effect.keys();
        RuleDraft {
            id: Some(value.id),
            title: Some(value.title.clone()),
            severity: Some(severity),
            hotfix: Some(hotfix),
            when: Some(value.when.clone()),
        }
        .write(style)
    }
    fn schema(definitions: &mut Definitions) -> Schema {
        Self::refer(definitions)
    }
}
