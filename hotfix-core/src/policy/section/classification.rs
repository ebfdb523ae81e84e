//! How facts become a severity, and whether a hot-fix is called for (SEV-3 to SEV-5, DEC-3).

use crate::fact::Condition;
use crate::grade::{ActOn, Exclusions, Hotfix, Severity};
use crate::unit::Name;

/// What the list of rules does not say by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Classifier {
    /// Which severity to act on while facts are unknown. Default `at_worst`.
    pub act_on: ActOn,
    /// Whether a hot-fix is called for where no rule fires: no or unknown. Default unknown.
    pub otherwise: Hotfix,
    /// What an exclusion does where a rule for a hot-fix fires, too. Default ask.
    pub exclusions: Exclusions,
}

/// One rule: on these facts, this follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its id, unique.
    pub id: Name,
    /// What it stands for, in words.
    pub title: String,
    /// What follows.
    pub effect: Effect,
    /// When it fires.
    pub when: Condition,
}

/// What follows from a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// At least this severity; whether it calls for a hot-fix, the severity says.
    Severity(Severity),
    /// A hot-fix, whatever the severity.
    Admit,
    /// No hot-fix.
    Exclude,
}
