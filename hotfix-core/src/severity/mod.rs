//! Classification of an incident: its severity, and whether it needs a hot-fix.
//!
//! [`Policy::classify`](crate::policy::Policy::classify) returns a [`Classification`]: what is
//! certain, what is possible at worst, the rules that fired, and the facts that would change it.

mod explain;

use crate::fact::{Fact, FactId, FactValue, Facts, Placed, Truth};
use crate::getters::getters;
use crate::grade::{ActOn, Hotfix, Severity};
use crate::policy::Policy;
use crate::policy::reasoning::{RuleOutcome, hotfix};
use crate::policy::section::{Bound, BoundValue, Effect, Rule};
use crate::sorting::sort_by_key;

pub use explain::{FactChange, RuleVerdict};

/// Classification of an incident by the rules of a policy, from the known facts.
///
/// Severity and hot-fix are computed at once; the reasons are computed on request.
#[derive(Clone, Debug)]
pub struct Classification<'a> {
    policy: &'a Policy,
    facts: &'a Facts,
    placed: Placed,
    contradictory: bool,
    outcomes: Outcomes,
}

/// The outcomes that are still possible, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outcomes(u32);

impl Outcomes {
    fn iter(self) -> impl Iterator<Item = RuleOutcome> {
        (0..RuleOutcome::COUNT).filter(move |code| self.0 & 1 << code != 0).map(RuleOutcome::of)
    }

    const fn add(&mut self, outcome: RuleOutcome) {
        self.0 |= 1 << outcome.code();
    }

    /// The least severe outcome: the severity that is certain.
    fn certain(self) -> Option<Severity> {
        // An outcome without a severity is the least severe one.
        self.iter()
            .map(|o| o.severity)
            .max_by_key(|s| s.map_or(usize::MAX, |s| s as usize))
            .flatten()
    }

    fn at_worst(self) -> Option<Severity> {
        self.iter().filter_map(|outcome| outcome.severity).min()
    }

    fn hotfix(self) -> Hotfix {
        let mut all = self.iter().map(|outcome| outcome.hotfix);
        let first = all.next().unwrap_or(Hotfix::Unknown);
        if all.all(|other| other == first) { first } else { Hotfix::Unknown }
    }
}

impl Policy {
    /// Classifies an incident by the policy's rules.
    ///
    /// The answer is exact: it is certain if and only if it is the same for all values of the
    /// unknown facts that the policy's implications allow. If the known facts contradict each
    /// other, the answer is marked as contradictory and computed without the implications.
    ///
    /// ```
    /// use hotfix_core::fact::Facts;
    /// use hotfix_core::grade::{Hotfix, Severity};
    /// use hotfix_core::policy::Policy;
    ///
    /// let policy = Policy::preset("enterprise")?;
    /// let known = serde_json::from_str(r#"{"payment_failure_share": 0.55}"#)?;
    /// let facts = Facts::read(&known, policy.vocabulary())?;
    /// let answer = policy.classify(&facts);
    /// assert_eq!(answer.severity(), Some(Severity::P1));
    /// assert_eq!(answer.at_worst(), Some(Severity::P0)); // login may be down for all users
    /// assert_eq!(answer.hotfix(), Hotfix::Yes);
    /// assert!(!answer.settled());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn classify<'a>(&'a self, facts: &'a Facts) -> Classification<'a> {
        let reasoning = self.reasoning();
        let placed = reasoning.space.place(facts);
        let mut outcomes = Outcomes(0);
        let contradictory = if let Some(exact) = &reasoning.exact {
            exact.list.visit(&placed, |code| outcomes.0 |= 1 << code)
        } else {
            outcomes = self.roughly(facts);
            self.contradicted(facts).next().is_some()
        };
        Classification { policy: self, facts, placed, contradictory, outcomes }
    }

    /// What the policy's own facts mean: the titles of the severity rules that fire only with them,
    /// the most severe first. A milder rule that names only facts of earlier ones is left out.
    pub(crate) fn own_effects(&self, facts: &Facts) -> Vec<&str> {
        let built_in = facts.only_built_in();
        let fires = |rule: &&Rule| {
            rule.when.holds(facts) == Truth::Yes && rule.when.holds(&built_in) != Truth::Yes
        };
        let mut fired: Vec<&Rule> = self.severity_rules().filter(fires).collect();
        sort_by_key(&mut fired, |rule| rule.severity);
        let mut named: Vec<FactId> = Vec::new();
        fired.retain(|rule| {
            let before = named.len();
            for fact in rule.when.facts() {
                let is_own = matches!(fact, FactId::Custom(_)) && facts.get(fact).is_some();
                if is_own && !named.contains(&fact) {
                    named.push(fact);
                }
            }
            named.len() > before
        });
        fired.into_iter().map(|rule| rule.title.as_str()).collect()
    }

    /// The known figures that this policy takes for normal: no rule about them fires, and they are
    /// no worse than the reference, or the success bound, of the metric with their name. A figure
    /// that neither rules nor a metric judge is not normal: it was stated for a reason.
    pub(crate) fn normal_figures(&self, facts: &Facts) -> Vec<Fact> {
        let is_normal = |fact: &Fact| {
            let id = FactId::BuiltIn(*fact);
            let Some(value) = facts.get(id).and_then(FactValue::as_number) else { return false };
            let mut about = self.severity_rules().filter(|rule| rule.when.facts().contains(&id));
            let is_judged = about.clone().next().is_some();
            if about.any(|rule| rule.when.holds(facts) == Truth::Yes) {
                return false;
            }
            let metric = self.metrics().iter().find(|of| of.id.as_str() == fact.as_str());
            let usual = metric.and_then(|metric| match (metric.reference, metric.bounds.success) {
                (None, Some(Bound { value: BoundValue::Absolute(figure), .. })) => Some(figure),
                (reference, _) => reference,
            });
            usual.map_or(is_judged, |usual| value <= usual)
        };
        [Fact::ErrorRate, Fact::LatencyP95].into_iter().filter(is_normal).collect()
    }

    fn severity_rules(&self) -> impl Iterator<Item = &Rule> + Clone {
        self.rules.iter().filter(|rule| matches!(rule.effect(), Effect::Severity(_)))
    }

    /// The possible outcomes by Kleene's logic, perhaps with some that are not possible.
    fn roughly(&self, facts: &Facts) -> Outcomes {
        let fired = |effect: Effect| {
            let rules = self.rules.iter().filter(move |rule| rule.effect() == effect);
            Truth::of(rules.map(|rule| rule.when.holds(facts)), Truth::Yes)
        };
        let possible =
            |truth: Truth| [true, false].into_iter().filter(move |holds| truth != (!holds).into());
        // The severities that may fire, down to the first that certainly does; `None` if none certainly does.
        let mut severities = Vec::new();
        for severity in Severity::ALL.iter().copied().map(Some).chain([None]) {
            let fires = severity.map_or(Truth::Yes, |of| fired(Effect::Severity(of)));
            severities.extend((fires != Truth::No).then_some(severity));
            if fires == Truth::Yes {
                break;
            }
        }
        let (admitted, excluded) = (fired(Effect::Admit), fired(Effect::Exclude));
        let mut outcomes = Outcomes(0);
        for severity in severities {
            for admitted in possible(admitted) {
                for excluded in possible(excluded) {
                    outcomes.add(RuleOutcome {
                        severity,
                        hotfix: hotfix(self, severity, admitted, excluded),
                    });
                }
            }
        }
        outcomes
    }
}

impl Classification<'_> {
    /// Whether no unknown fact can change severity or hot-fix.
    pub const fn settled(&self) -> bool {
        self.outcomes.0.is_power_of_two()
    }

    /// The severity to act on for now, as the policy's `act_on` sets it. Where the rules give none,
    /// the policy's severity, if it has only one.
    pub fn act_on(&self) -> Option<Severity> {
        let answer = match self.policy.classification.act_on {
            ActOn::Confirmed => self.severity(),
            ActOn::AtWorst => self.at_worst(),
        };
        answer.or_else(|| match self.policy.severities() {
            [only] => Some(only.severity),
            _ => None,
        })
    }

    /// Whether the known facts contradict each other by the policy's implications.
    pub const fn contradictory(&self) -> bool {
        self.contradictory
    }
}

getters! {
    pub fn Classification<'_>: self;

    /// The severity that is certain; `None` where no severity is certain.
    severity: Option<Severity> = self.outcomes.certain();
    /// The most severe severity that is still possible.
    at_worst: Option<Severity> = self.outcomes.at_worst();
    /// Whether the incident needs a hot-fix; unknown while an unknown fact can change that.
    hotfix: Hotfix = self.outcomes.hotfix();
    /// The policy's definition of the severity to act on.
    definition: Option<&str> = self.policy.severity(self.act_on()?)?.definition();
    /// Whether the answer is exact. If not, the policy's conditions are too complex for an exact
    /// answer: it is never wrongly certain, but may be uncertain although it need not be.
    exact: bool = self.policy.reasoning().exact.is_some();
}
