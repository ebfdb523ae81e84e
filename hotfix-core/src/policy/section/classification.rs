//! How facts give a severity, and whether a hot-fix is needed.

use super::severity::KnownSeverity;
use crate::fact::Condition;
use crate::grade::{ActOn, Exclusions, Hotfix, Severity};
use crate::policy::error::Problem;
use crate::policy::field::NoRule;
use crate::policy::reader::{PolicyReader, section};
use crate::unit::Name;

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
    plain
    /// One rule of the classification. It has either `severity` or `hotfix`, which admits (true) or
    /// excludes (false) a hot-fix.
    pub Rule from RuleDraft, one_effect {
        /// The id of the rule, unique.
        id: Name, [required];
        /// What the rule means, for people.
        title: String, [required];
        /// The incident has at least this severity.
        severity: Severity as KnownSeverity, [optional];
        /// Whether a hot-fix is needed, regardless of the severity.
        hotfix: bool, [optional];
        /// The condition under which the rule fires.
        when: Condition, [required];
    }
}

fn one_effect(rule: &RuleDraft, reader: &mut PolicyReader) {
    if let (Some(severity), Some(hotfix)) = (rule.severity, rule.hotfix)
        && severity.is_some() == hotfix.is_some()
    {
        reader.fail::<()>(Problem::RuleEffect {});
    }
}

impl Rule {
    /// The effect.
    pub const fn effect(&self) -> Effect {
        match (self.severity, self.hotfix) {
            (Some(severity), _) => Effect::Severity(severity),
            (None, Some(false)) => Effect::Exclude,
            (None, _) => Effect::Admit,
        }
    }
}
