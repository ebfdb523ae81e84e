//! How facts give a severity, and whether a hot-fix is needed.

use crate::fact::Condition;
use crate::grade::{ActOn, Exclusions, Hotfix, Severity};
use crate::unit::Name;

/// How the rules are evaluated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Classifier {
    /// Which severity applies while facts are unknown. Default `at_worst`.
    pub act_on: ActOn,
    /// Whether a hot-fix is needed if no rule fires: no or unknown. Default unknown.
    pub otherwise: Hotfix,
    /// What happens if an exclusion and a rule for a hot-fix both fire. Default ask.
    pub exclusions: Exclusions,
}

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// At least this severity, which says whether a hot-fix is needed.
    Severity(Severity),
    /// A hot-fix, regardless of the severity.
    Admit,
    /// No hot-fix.
    Exclude,
}
