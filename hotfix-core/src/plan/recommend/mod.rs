//! The recommended strategy for a release, and the reasons against the others.
//!
//! The rules are in `rules.rs`. The policy's own strategy is recommended unless a reason is against
//! it. Otherwise it is the one with the fewest reasons against it and the most for it, then the
//! first in the policy's order of alternatives.

mod rules;

use serde::Serialize;

use super::Plan;
use super::duration::phases_until_live;
use super::load::Load;
use super::strategy::{as_written, phases};
use super::subject::Subject;
use crate::fact::{Fact, Facts};
use crate::grade::{Severity, Strategy, closed_set};
use crate::policy::Policy;
use crate::sorting::sort_by_key;
use crate::unit::Span;

pub use rules::ReasonCode;

closed_set! {
    /// The effect of a reason on a strategy, most serious first.
    Weight {
        /// The strategy cannot be planned.
        Forbids = "forbids",
        /// It overrides the policy's own choice.
        Against = "against",
        /// It counts against the strategy in a comparison with others.
        Drawback = "drawback",
        /// It counts for the strategy in a comparison with others.
        For = "for",
        /// Information that decides nothing.
        Note = "note",
    }
}

/// A reason for or against a strategy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The stable code of the reason.
    pub code: ReasonCode,
    /// Its input: a JSON Pointer into `{"incident", "release", "traffic", "policy"}`.
    pub rests_on: String,
    /// A sentence.
    pub text: String,
    /// Its effect.
    pub weight: Weight,
}

/// A strategy and the reasons for and against it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Considered {
    /// Whether it can be planned for this release.
    pub can_be_planned: bool,
    /// The least time until everybody has the fix. Absent if there are no phases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<Span>,
    /// The reasons, most serious first.
    pub reasons: Vec<Reason>,
    /// The strategy.
    pub strategy: Strategy,
}

/// The recommended strategy, with reasons.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recommendation {
    /// The other strategies, in order of preference. Those that cannot be planned are last.
    pub alternatives: Vec<Considered>,
    /// The strategy of this plan.
    pub chosen: Strategy,
    /// The policy's strategy for every release.
    pub own: Strategy,
    /// The reasons for and against the recommended strategy.
    pub reasons: Vec<Reason>,
    /// The strategy.
    pub strategy: Strategy,
}

/// The inputs of a recommendation besides the policy.
#[derive(Debug)]
pub(super) struct Grounds<'g> {
    pub(super) subject: &'g Subject,
    pub(super) severity: Option<Severity>,
    pub(super) service_down: Option<bool>,
    /// How long the incident was not detected.
    undetected: Option<Span>,
}

impl<'g> Grounds<'g> {
    pub(super) fn new(subject: &'g Subject, facts: &Facts, severity: Option<Severity>) -> Self {
        let service_down = facts.flag(Fact::ServiceDown);
        let undetected = subject.undetected(facts);
        Self { subject, severity, service_down, undetected }
    }
}

impl Plan {
    /// The recommended strategy for this release, with the reasons for it and against the others.
    ///
    /// It depends on the traffic (is it enough for the bands in the first step?), the instances,
    /// flags, a schema change, whether the service is down, the severity and its deadline, an
    /// available switch back, and the policy's own reasons. The policy's own strategy is
    /// recommended unless a reason is [against](Weight::Against) it.
    ///
    /// The recommended strategy can always be planned. The plan's own strategy may differ, because
    /// a release can choose another.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy};
    /// let plan = Plan::from_json(
    ///     Arc::new(Policy::preset("phased-canary")?),
    ///     r#"{"id": "INC-2041", "severity": "P0", "facts": {"service_down": true}}"#,
    ///     r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
    ///     r#"{"requests_per_minute": 1000}"#,
    /// )?;
    /// let advice = plan.recommendation();
    /// assert_eq!((advice.own.as_str(), advice.strategy.as_str()), ("canary", "immediate"));
    /// assert!(advice.alternatives.iter().any(|other| other.reasons[0].code.as_str() == "nothing_to_protect"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recommendation(&self) -> Recommendation {
        let policy = as_written(self.policy());
        let grounds = Grounds::new(self.subject(), self.facts(), self.severity());
        let mut considered = consider(&policy, &grounds);
        let own = policy.strategy();
        let best = considered.remove(0);
        let mut reasons = best.reasons;
        if best.strategy != own {
            reasons.insert(0, rules::instead(own));
        }
        Recommendation {
            alternatives: considered,
            chosen: self.policy().strategy(),
            own,
            reasons,
            strategy: best.strategy,
        }
    }
}

/// The recommended strategy. None if no strategy can be planned.
pub(super) fn best(policy: &Policy, grounds: &Grounds<'_>) -> Option<Strategy> {
    let best = consider(policy, grounds).into_iter().next();
    best.filter(|best| best.can_be_planned).map(|best| best.strategy)
}

/// Every strategy, the recommended one first.
fn consider(policy: &Policy, grounds: &Grounds<'_>) -> Vec<Considered> {
    let mut considered: Vec<Considered> =
        Strategy::ALL.iter().map(|strategy| assess(policy, grounds, *strategy)).collect();
    let place = |strategy: Strategy| {
        let place = policy.alternatives().iter().position(|other| other.strategy == strategy);
        place.unwrap_or(usize::MAX)
    };
    sort_by_key(&mut considered, |one| {
        let count = |weight| one.reasons.iter().filter(|reason| reason.weight == weight).count();
        let against = (!one.can_be_planned, count(Weight::Against));
        let score = count(Weight::Drawback).cast_signed() - count(Weight::For).cast_signed();
        (against, one.strategy != policy.strategy(), score, place(one.strategy), one.strategy)
    });
    considered
}

fn assess(policy: &Policy, grounds: &Grounds<'_>, strategy: Strategy) -> Considered {
    let planned = phases(policy, strategy, grounds.subject);
    let usual = Load::with(policy, grounds.subject.traffic.requests_per_minute);
    let (load, mut reasons) = match &planned {
        Ok(phases) => (Some(Load { phases, ..usual }), Vec::new()),
        Err(obstacle) => (None, vec![rules::obstacle(strategy, obstacle)]),
    };
    let case = rules::Case { policy, grounds, strategy, load };
    reasons.extend(rules::RULES.iter().filter_map(|rule| rule(&case)));
    // A stable sort: reasons of the same weight keep the order of their rules.
    sort_by_key(&mut reasons, |reason| reason.weight);
    Considered {
        can_be_planned: planned.is_ok(),
        least: load.map(|load| phases_until_live(load).least),
        reasons,
        strategy,
    }
}
