//! Which strategy is advised for a release, and why not the others (PLAN-1).
//!
//! The rules stand in `rules.rs`. The policy's own strategy is advised unless something speaks against it; else the one
//! that the fewest reasons speak against and the most speak for, in the order in which the policy weighs alternatives.

mod rules;

use std::borrow::Cow;
use std::cmp::Reverse;

use serde::Serialize;

use super::Plan;
use super::strategy::{as_written, phases};
use super::subject::{Method, Subject};
use crate::fact::{Fact, FactId, FactValue, Facts};
use crate::grade::{RollbackMethod, Severity, Strategy, closed_set};
use crate::policy::Policy;
use crate::policy::section::Phase;
use crate::unit::Span;

pub use rules::ReasonCode;

closed_set! {
    /// What a reason does to a strategy, gravest first.
    Weight {
        /// No plan can have it.
        Forbids = "forbids",
        /// It overturns the policy's own choice.
        Against = "against",
        /// It counts against it where it is weighed with others.
        Drawback = "drawback",
        /// It counts for it where it is weighed with others.
        For = "for",
        /// It is worth knowing and decides nothing.
        Note = "note",
    }
}

/// Why a strategy, or why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The code word.
    pub code: ReasonCode,
    /// What it rests on: a JSON Pointer into `{"incident", "release", "traffic", "policy"}`.
    pub rests_on: String,
    /// A sentence.
    pub text: String,
    /// What it does.
    pub weight: Weight,
}

/// A strategy and what speaks for and against it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Considered {
    /// Whether a plan of this release can have it.
    pub can_be_planned: bool,
    /// The least time until everybody has the fix; absent where there are no phases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<Span>,
    /// The reasons, gravest first.
    pub reasons: Vec<Reason>,
    /// The strategy.
    pub strategy: Strategy,
}

/// What would be advised if something were known that is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IfKnown {
    /// What is not known: a JSON Pointer into `{"incident", "release", "traffic"}`.
    pub input: &'static str,
    /// What would be advised.
    pub strategy: Strategy,
    /// The value, in words.
    pub value: String,
}

/// Which strategy is advised, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recommendation {
    /// The others, in the order in which they would be advised; what cannot be planned last.
    pub alternatives: Vec<Considered>,
    /// The strategy of this plan.
    pub chosen: Strategy,
    /// What would change the answer, of what is not known.
    pub if_known: Vec<IfKnown>,
    /// What the policy has for every release.
    pub own: Strategy,
    /// Why the strategy is advised; what speaks against it all the same is among it.
    pub reasons: Vec<Reason>,
    /// The strategy.
    pub strategy: Strategy,
}

/// What a recommendation rests on besides the policy.
#[derive(Clone, Debug)]
pub(super) struct Grounds<'g> {
    pub(super) subject: Cow<'g, Subject>,
    pub(super) severity: Option<Severity>,
    pub(super) service_down: Option<bool>,
}

impl<'g> Grounds<'g> {
    pub(super) fn new(subject: &'g Subject, facts: &Facts, severity: Option<Severity>) -> Self {
        let service_down = match facts.get(FactId::BuiltIn(Fact::ServiceDown)) {
            Some(FactValue::Flag(down)) => Some(*down),
            _ => None,
        };
        Self { subject: Cow::Borrowed(subject), severity, service_down }
    }
}

impl Plan {
    /// Which strategy is advised for this release, why, and why not the others (PLAN-1).
    ///
    /// It looks at the traffic (do the bands speak in the first step?), the instances, flags, a schema change, whether the
    /// service is down, the severity and its deadline to fix against the strategy's least time, a switch back at hand, and
    /// what the policy says itself. The policy's own strategy is advised unless something speaks [against](Weight::Against)
    /// it. What is not known and would change the answer is in `if_known`.
    ///
    /// The one that is advised can always be planned. It need not be the plan's own: a release may have chosen another.
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
            if_known: if_known(&policy, &grounds, best.strategy),
            own,
            reasons,
            strategy: best.strategy,
        }
    }
}

/// The strategy that is advised; none where no strategy can be planned.
pub(super) fn best(policy: &Policy, grounds: &Grounds<'_>) -> Option<Strategy> {
    let best = consider(policy, grounds).into_iter().next();
    best.filter(|best| best.can_be_planned).map(|best| best.strategy)
}

/// Every strategy, the one that is advised first.
fn consider(policy: &Policy, grounds: &Grounds<'_>) -> Vec<Considered> {
    let mut considered: Vec<Considered> =
        Strategy::ALL.iter().map(|strategy| weigh(policy, grounds, *strategy)).collect();
    let place = |strategy: Strategy| {
        let place = policy.alternatives().iter().position(|other| other.strategy == strategy);
        place.unwrap_or(usize::MAX)
    };
    considered.sort_by_cached_key(|one| {
        let count = |weight| one.reasons.iter().filter(|reason| reason.weight == weight).count();
        let against = (!one.can_be_planned, count(Weight::Against));
        let drawbacks = Strategy::ALL.len() * 10 + count(Weight::For);
        let score = drawbacks.saturating_sub(count(Weight::Drawback));
        (
            against,
            one.strategy != policy.strategy(),
            Reverse(score),
            place(one.strategy),
            one.strategy,
        )
    });
    considered
}

fn weigh(policy: &Policy, grounds: &Grounds<'_>, strategy: Strategy) -> Considered {
    let subject = subject_with(grounds, strategy);
    let planned = phases(policy, strategy, &subject);
    let (phases, mut reasons) = match &planned {
        Ok(phases) => (Some(&**phases), Vec::new()),
        Err(obstacle) => (None, vec![rules::obstacle(strategy, obstacle)]),
    };
    let case = rules::Case { policy, grounds, strategy, phases };
    reasons.extend(rules::RULES.iter().filter_map(|rule| rule(&case)));
    // A stable sort: rules that weigh alike stay in their order.
    reasons.sort_by_key(|reason| reason.weight);
    Considered { can_be_planned: planned.is_ok(), least: phases.map(until_live), reasons, strategy }
}

/// The release as it would choose this strategy: its batch is one of `rolling`.
fn subject_with<'a>(grounds: &'a Grounds<'_>, strategy: Strategy) -> Cow<'a, Subject> {
    let subject: &Subject = &grounds.subject;
    if subject.release.batch.is_none() || strategy == Strategy::Rolling {
        return Cow::Borrowed(subject);
    }
    let mut subject = subject.clone();
    subject.release.batch = None;
    Cow::Owned(subject)
}

/// The least time until the last phase has its traffic.
fn until_live(phases: &[Phase]) -> Span {
    let Some((last, before)) = phases.split_last() else { return Span::ZERO };
    before.iter().fold(last.deploy, |sum, phase| sum + phase.deploy + phase.watch)
}

/// What would be advised with each value of what is not known, where that is another strategy.
fn if_known(policy: &Policy, grounds: &Grounds<'_>, now: Strategy) -> Vec<IfKnown> {
    let mut found = Vec::new();
    let mut ask = |input: &'static str, value: String, known: Grounds<'_>| {
        if let Some(strategy) = best(policy, &known).filter(|strategy| *strategy != now) {
            found.push(IfKnown { input, strategy, value });
        }
    };
    let with = |set: &dyn Fn(&mut Subject)| {
        let mut known = grounds.clone();
        set(known.subject.to_mut());
        known
    };
    let traffic = &grounds.subject.traffic;
    for value in [true, false] {
        if traffic.flags.is_none() {
            ask("/traffic/flags", value.to_string(), with(&|s| s.traffic.flags = Some(value)));
        }
        if traffic.schema_change.is_none() {
            let known = with(&|s| s.traffic.schema_change = Some(value));
            ask("/traffic/schema_change", value.to_string(), known);
        }
        if grounds.service_down.is_none() {
            let known = Grounds { service_down: Some(value), ..grounds.clone() };
            ask("/incident/facts/service_down", value.to_string(), known);
        }
    }
    if let (None, Some(needed)) = (traffic.requests_per_minute, rules::requests_needed(policy)) {
        // What is needed lies between the two.
        for (value, requests) in
            [(format!("below {needed}"), needed * 0.5), (format!("{needed} or more"), needed * 2.0)]
        {
            ask(
                "/traffic/requests_per_minute",
                value,
                with(&|s| s.traffic.requests_per_minute = Some(requests)),
            );
        }
    }
    if traffic.instances.is_none() {
        for instances in [1, 2, 10] {
            ask(
                "/traffic/instances",
                instances.to_string(),
                with(&|s| s.traffic.instances = Some(instances)),
            );
        }
    }
    if grounds.severity.is_none() {
        for severity in Severity::ALL {
            let known = Grounds { severity: Some(*severity), ..grounds.clone() };
            ask("/incident/severity", severity.to_string(), known);
        }
    }
    if grounds.subject.release.methods.is_empty() {
        let kind = RollbackMethod::BlueGreenSwitch;
        let known = with(&|s| s.release.methods = vec![Method { kind, seconds: None }]);
        ask("/release/methods", kind.to_string(), known);
    }
    found
}
