//! The risk register, and what is done when something else fails (PLAN-4).

use serde::Serialize;

use crate::grade::{Grade, Severity, closed_set};
use crate::unit::Name;

use super::Plan;

closed_set! {
    /// What a plan does while something else fails.
    Meanwhile {
        /// The deployment waits until it is mended.
        Wait = "wait",
        /// It goes on by hand.
        GoOnByHand = "go_on_by_hand",
    }
}

/// What may go wrong, and what is done then (PLAN-4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Risks<'a> {
    /// The risks, the gravest first; those that are as grave in the order of the policy.
    pub register: Vec<RatedRisk<'a>>,
    /// What is done when something else fails, in the order of the policy.
    pub contingencies: Vec<PlannedContingency<'a>>,
}

/// One entry of the risk register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RatedRisk<'a> {
    /// Its id.
    pub id: Name,
    /// What may happen.
    pub risk: &'a str,
    /// How likely it is.
    pub likelihood: Grade,
    /// How much it would matter.
    pub impact: Grade,
    /// How grave it is: the product of both, each from 1, very low, to 4, high.
    pub gravity: u8,
    /// What is done against it beforehand; empty: nothing.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub mitigation: &'a str,
}

/// What is done when something else fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedContingency<'a> {
    /// Its id.
    pub id: Name,
    /// What has happened.
    pub when: &'a str,
    /// What is done then, in order.
    pub actions: &'a [String],
    /// The severities that wait until it is mended.
    #[serde(skip_serializing_if = "<[Severity]>::is_empty")]
    pub waits: &'a [Severity],
    /// What a plan of this severity does meanwhile; none where no severity waits, or the plan's is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meanwhile: Option<Meanwhile>,
}

impl Plan {
    /// The risk register, the gravest first, and the contingencies as they are for this plan's severity.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::{Meanwhile, Plan}, policy::Policy};
    ///
    /// let policy = Arc::new(Policy::preset("phased-canary")?);
    /// let incident = r#"{"id": "INC-1", "severity": "P0"}"#;
    /// let plan = Plan::from_json(policy, incident, r#"{"version": "2", "previous": "1"}"#, "")?;
    /// let risks = plan.risks();
    /// assert_eq!((risks.register[0].id.as_str(), risks.register[0].gravity), ("edge_case", 6));
    /// assert_eq!(risks.contingencies[1].when, "monitoring is unavailable");
    /// assert_eq!(risks.contingencies[1].meanwhile, Some(Meanwhile::GoOnByHand));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Shows PLAN-4.
    pub fn risks(&self) -> Risks<'_> {
        let weight = |grade: Grade| grade as u8 + 1;
        let register = self.policy().risks().iter().map(|risk| RatedRisk {
            id: risk.id,
            risk: &risk.risk,
            likelihood: risk.likelihood,
            impact: risk.impact,
            gravity: weight(risk.likelihood) * weight(risk.impact),
            mitigation: &risk.mitigation,
        });
        let mut register: Vec<_> = register.collect();
        register.sort_by_key(|risk| std::cmp::Reverse(risk.gravity));
        let contingencies = self.policy().contingencies().iter().map(|contingency| {
            let waits = contingency.waits.as_slice();
            let severity = self.severity().filter(|_| !waits.is_empty());
            PlannedContingency {
                id: contingency.id,
                when: &contingency.when,
                actions: &contingency.actions,
                waits,
                meanwhile: severity.map(|severity| {
                    if waits.contains(&severity) { Meanwhile::Wait } else { Meanwhile::GoOnByHand }
                }),
            }
        });
        Risks { register, contingencies: contingencies.collect() }
    }
}
