//! How severe an incident is, and whether it calls for a hot-fix (SEV-3 to SEV-5).

mod explain;

use crate::fact::{Facts, Placed, Truth};
use crate::grade::{ActOn, Hotfix, Severity};
use crate::policy::Policy;
use crate::policy::reasoning::{Outcome, hotfix};
use crate::policy::section::Effect;

pub use explain::{FactChange, RuleVerdict};

/// What the rules of a policy say of an incident, as far as it is known.
///
/// What is asked of it first, severity and hot-fix, is there at once; why that is so is worked out when it is asked for.
#[derive(Clone, Debug)]
pub struct Classification<'a> {
    policy: &'a Policy,
    facts: &'a Facts,
    placed: Placed,
    contradictory: bool,
    outcomes: Outcomes,
}

/// Which outcomes are still possible: a bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outcomes(u32);

impl Outcomes {
    fn iter(self) -> impl Iterator<Item = Outcome> {
        (0..Outcome::COUNT).filter(move |code| self.0 & 1 << code != 0).map(Outcome::of)
    }

    const fn add(&mut self, outcome: Outcome) {
        self.0 |= 1 << outcome.code();
    }

    /// The least severe one: what is certain.
    fn certain(self) -> Option<Severity> {
        // No severity is less than the least.
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
    /// Classifies an incident.
    ///
    /// The answer is exact: it is certain of what follows for all values of the unknown facts that the policy's
    /// implications allow, and only of that. Facts that contradict each other are said to, and what follows is then taken
    /// from each as it stands.
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
    /// assert_eq!(answer.at_worst(), Some(Severity::P0)); // for all that is known, nobody can log in
    /// assert_eq!(answer.hotfix(), Hotfix::Yes);
    /// assert!(!answer.settled());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Shows SEV-3, SEV-4 and SEV-5.
    pub fn classify<'a>(&'a self, facts: &'a Facts) -> Classification<'a> {
        let reasoning = self.reasoning();
        let placed = reasoning.space.place(facts);
        let (mut outcomes, mut contradictory) = (Outcomes(0), false);
        if let Some(exact) = &reasoning.exact {
            exact.list.reachable(&placed, |code| outcomes.0 |= 1 << code);
            if outcomes == Outcomes(0) {
                contradictory = true;
                exact.list_whatever.reachable(&placed, |code| outcomes.0 |= 1 << code);
            }
        } else {
            contradictory = self.contradicted(facts).next().is_some();
            outcomes = self.roughly(facts);
        }
        Classification { policy: self, facts, placed, contradictory, outcomes }
    }

    /// By Kleene's logic: every outcome that is possible, and perhaps some that are not.
    fn roughly(&self, facts: &Facts) -> Outcomes {
        let fired = |effect: Effect| {
            let rules = self.rules.iter().filter(move |rule| rule.effect == effect);
            let mut truth = Truth::No;
            for rule in rules {
                match rule.when.holds(facts) {
                    Truth::Yes => return Truth::Yes,
                    Truth::Unknown => truth = Truth::Unknown,
                    Truth::No => {}
                }
            }
            truth
        };
        let possible = |truth: Truth| {
            [(true, Truth::No), (false, Truth::Yes)]
                .into_iter()
                .filter(move |(_, not)| truth != *not)
                .map(|(holds, _)| holds)
        };
        let mut severities = Vec::new();
        for severity in Severity::ALL {
            match fired(Effect::Severity(*severity)) {
                Truth::No => {}
                Truth::Unknown => severities.push(Some(*severity)),
                Truth::Yes => {
                    severities.push(Some(*severity));
                    break;
                }
            }
        }
        let certain = Severity::ALL.iter().any(|s| fired(Effect::Severity(*s)) == Truth::Yes);
        if !certain {
            severities.push(None);
        }
        let (admitted, excluded) = (fired(Effect::Admit), fired(Effect::Exclude));
        let mut outcomes = Outcomes(0);
        for severity in severities {
            for admitted in possible(admitted) {
                for excluded in possible(excluded) {
                    outcomes.add(Outcome {
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
    /// The severity that is certain; none where that is none, or nothing is certain.
    pub fn severity(&self) -> Option<Severity> {
        self.outcomes.certain()
    }

    /// The most severe one that is still possible.
    pub fn at_worst(&self) -> Option<Severity> {
        self.outcomes.at_worst()
    }

    /// Whether a hot-fix is called for: yes or no only where no unknown fact can change it.
    pub fn hotfix(&self) -> Hotfix {
        self.outcomes.hotfix()
    }

    /// Whether no unknown fact can change severity or hot-fix.
    pub const fn settled(&self) -> bool {
        self.outcomes.0.is_power_of_two()
    }

    /// The severity to act on meanwhile, as the policy says.
    pub fn act_on(&self) -> Option<Severity> {
        match self.policy.classifier.act_on {
            ActOn::Confirmed => self.severity(),
            ActOn::AtWorst => self.at_worst(),
        }
    }

    /// Whether what is known contradicts itself: no incident can have these facts.
    pub const fn contradictory(&self) -> bool {
        self.contradictory
    }

    /// Whether the answer is exact. Otherwise the policy's conditions are too entangled: the answer is never wrongly
    /// certain, but may be uncertain without need.
    pub fn exact(&self) -> bool {
        self.policy.reasoning().exact.is_some()
    }
}
