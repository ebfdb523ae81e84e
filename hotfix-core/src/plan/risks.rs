//! The risk register, and the contingencies.

use serde::Serialize;

use crate::grade::{Grade, Severity, Sign, closed_set};
use crate::sorting::sort_by_key;
use crate::unit::Name;

use super::Plan;

closed_set! {
    /// What a plan does while a contingency lasts.
    Meanwhile {
        /// The deployment waits until it is repaired.
        Wait = "wait",
        /// The rollout continues by hand.
        GoOnByHand = "go_on_by_hand",
    }
}

/// The risks and contingencies of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Risks<'a> {
    /// The risks, the most serious first, equal ones in the order of the policy.
    pub register: Vec<RatedRisk<'a>>,
    /// The contingencies, in the order of the policy.
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
    /// Its impact.
    pub impact: Grade,
    /// The product of likelihood and impact, each from 1, very low, to 4, high.
    pub gravity: u8,
    /// Its mitigation. Empty: none.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub mitigation: &'a str,
}

/// A contingency: what to do if something else fails.
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
    /// What the rollout of a plan of this severity does meanwhile; none where it does not detect the
    /// failure by missing readings, no severity waits, or the plan's is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meanwhile: Option<Meanwhile>,
    #[serde(skip)]
    pub(super) sign: Option<Sign>,
}

impl Plan {
    /// The risk register, the gravest first, and the contingencies as they are for this plan's
    /// severity.
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
        sort_by_key(&mut register, |risk| std::cmp::Reverse(risk.gravity));
        let contingencies = self.policy().contingencies().iter().map(|contingency| {
            let waits = contingency.waits.as_slice();
            // Nothing else makes the rollout wait.
            let sign = contingency.sign;
            let holds = sign == Some(Sign::NoData) && !waits.is_empty();
            let severity = self.severity().filter(|_| holds);
            PlannedContingency {
                id: contingency.id,
                when: &contingency.when,
                actions: &contingency.actions,
                waits,
                meanwhile: severity.map(|severity| {
                    if waits.contains(&severity) { Meanwhile::Wait } else { Meanwhile::GoOnByHand }
                }),
                sign,
            }
        });
        Risks { register, contingencies: contingencies.collect() }
    }
}
