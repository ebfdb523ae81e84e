//! Reasons of a classification, and the facts that would change it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use super::{Classification, Outcomes};
use crate::fact::{Condition, Deduced, Diagram, FactId, FactValue, Facts, Informed, Truth};
use crate::getters::object;
use crate::grade::{Hotfix, Severity};
use crate::policy::Policy;
use crate::policy::section::{Implication, Rule};
use crate::sorting::map_of;
use crate::unit::Name;

/// A rule with the known and unknown facts that it depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleVerdict<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// The known facts that it depends on.
    pub facts: Vec<(FactId, &'a FactValue)>,
    /// The unknown facts that it depends on.
    pub unknown: Vec<FactId>,
}

/// The classification that would follow from one value of an unknown fact.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct FactChange {
    /// The value or the range of values, as text: `true`, `50%`, `above 5%, below 50%`.
    pub value: String,
    /// The severity that would be certain.
    pub severity: Option<Severity>,
    /// The most severe severity that would still be possible.
    pub at_worst: Option<Severity>,
    /// Whether the incident would need a hot-fix.
    pub hotfix: Hotfix,
}

impl Policy {
    /// The implications that these facts certainly break, each on its own.
    pub(crate) fn contradicted<'a>(
        &'a self,
        facts: &'a Facts,
    ) -> impl Iterator<Item = &'a Implication> {
        self.implications.iter().filter(|implication| {
            let (when, then) = (implication.when.holds(facts), implication.then.holds(facts));
            let broken = |premise, conclusion| premise == Truth::Yes && conclusion == Truth::No;
            broken(when, then) || (implication.iff && broken(then, when))
        })
    }

    /// The implications that contradictory facts break. Where none is broken on its own, all that
    /// mention a known fact; where none does, all, because they contradict each other.
    pub(crate) fn contradictions<'a>(&'a self, facts: &'a Facts) -> Vec<&'a Implication> {
        let broken: Vec<&Implication> = self.contradicted(facts).collect();
        if !broken.is_empty() {
            return broken;
        }
        let mentions_known = |condition: &Condition| {
            let mut known = false;
            condition.comparisons(&mut |comparison| known |= facts.get(comparison.fact).is_some());
            known
        };
        let concerned = |i: &&Implication| mentions_known(&i.when) || mentions_known(&i.then);
        let found: Vec<&Implication> = self.implications.iter().filter(concerned).collect();
        if found.is_empty() { self.implications.iter().collect() } else { found }
    }
}

impl<'a> Classification<'a> {
    /// The rules that apply, in the order of the policy.
    pub fn rules(&self) -> Vec<RuleVerdict<'a>> {
        self.judged(Truth::Yes)
    }

    /// The rules that are undecided because facts are unknown.
    pub fn undecided(&self) -> Vec<RuleVerdict<'a>> {
        self.judged(Truth::Unknown)
    }

    /// The unknown facts that the undecided rules depend on, in the order of the policy.
    pub fn unknown(&self) -> Vec<FactId> {
        let mut met = BTreeSet::new();
        let asked = self.undecided().into_iter().flat_map(|verdict| verdict.unknown);
        asked.filter(|fact| met.insert(*fact)).collect()
    }

    /// The unknown facts that can still change the answer, in the order of the policy's conditions.
    pub fn decisive(&self) -> Vec<FactId> {
        match self.diagram() {
            Some(diagram) => {
                let space = &self.policy.reasoning().space;
                let support = diagram.support(&self.placed).into_iter();
                support.map(|variable| space.fact(variable)).collect()
            }
            None if self.settled() => Vec::new(),
            None => self.unknown(),
        }
    }

    /// The classification that would follow from each value, or range of values that the policy
    /// distinguishes, of each fact of [`unknown`](Self::unknown). Impossible values are left out.
    ///
    /// Where the answer is not [`exact`](Self::exact), the lists are empty.
    pub fn if_known(&self) -> Vec<(FactId, Vec<FactChange>)> {
        let space = &self.policy.reasoning().space;
        let change = |fact: FactId| {
            let variable = space.variable(fact)?;
            let classes = 0..space.classes(variable);
            let changes = classes.filter_map(|class| {
                let outcomes = self.with(variable, class)?;
                Some(FactChange {
                    value: space.describe(variable, class),
                    severity: outcomes.certain(),
                    at_worst: outcomes.at_worst(),
                    hotfix: outcomes.hotfix(),
                })
            });
            Some((fact, changes.collect()))
        };
        self.unknown().into_iter().filter_map(change).collect()
    }

    /// The implications that the known facts break; where none is broken on its own, all that
    /// mention a known fact, or else all.
    pub fn contradictions(&self) -> Vec<&'a Implication> {
        if self.contradictory { self.policy.contradictions(self.facts) } else { Vec::new() }
    }

    fn diagram(&self) -> Option<&'a Diagram> {
        let exact = self.policy.reasoning().exact.as_ref()?;
        Some(exact.list.of(self.contradictory))
    }

    /// The outcomes with this class of one more fact; `None` where it has no such value.
    fn with(&self, variable: usize, class: u32) -> Option<Outcomes> {
        let (mut outcomes, mut placed) = (Outcomes(0), self.placed.clone());
        placed.set(variable, Some(class));
        self.diagram()?.reachable(&placed, |code| outcomes.0 |= 1 << code);
        (outcomes != Outcomes(0)).then_some(outcomes)
    }

    fn judged(&self, wanted: Truth) -> Vec<RuleVerdict<'a>> {
        let informed = self.informed();
        let rules = self.policy.rules.iter().filter(|rule| informed.holds(&rule.when) == wanted);
        let verdict = |rule: &'a Rule| {
            let facts = rule.when.facts();
            let known = |fact: &FactId| Some((*fact, self.facts.get(*fact)?));
            let unknown = |fact: &FactId| informed.get(*fact).is_none();
            RuleVerdict {
                rule,
                facts: facts.iter().filter_map(known).collect(),
                unknown: facts.iter().copied().filter(unknown).collect(),
            }
        };
        rules.map(verdict).collect()
    }

    /// The known facts, and what follows from them by the policy's implications.
    pub(crate) fn informed(&self) -> Informed<'a> {
        let (reasoning, mut placed) = (self.policy.reasoning(), self.placed.clone());
        for (variable, class) in reasoning.deduced(&self.placed) {
            placed.set(variable, Some(class));
        }
        Informed { facts: self.facts, space: &reasoning.space, placed }
    }

    /// Whether a fact that is not known is certainly more than this value, by the policy's implications.
    pub(crate) fn implies_more(&self, fact: FactId, than: &FactValue) -> bool {
        let reasoning = self.policy.reasoning();
        let has_order = !matches!(than, FactValue::Text(_) | FactValue::Time(_));
        let variable = reasoning.space.variable(fact).filter(|_| has_order);
        let least = variable.and_then(|variable| {
            let class = reasoning.space.class(variable, than);
            reasoning.least(&self.placed, variable).zip(class)
        });
        least.is_some_and(|(least, class)| least > class)
    }

    /// The unknown facts whose value or range follows from the policy's implications.
    pub fn deduced(&self) -> Vec<(FactId, Deduced)> {
        let reasoning = self.policy.reasoning();
        let deduced = reasoning.deduced(&self.placed).into_iter();
        let space = &reasoning.space;
        deduced.map(|(v, class)| (space.fact(v), space.deduced(v, class))).collect()
    }
}

impl Serialize for RuleVerdict<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let facts: BTreeMap<&str, &FactValue> =
            map_of(self.facts.iter().map(|(fact, value)| (fact.as_str(), *value)));
        object!(serializer, RuleVerdict:
            id = self.rule.id, title = self.rule.title, severity if_some = self.rule.severity,
            hotfix if_some = self.rule.hotfix, facts = facts, unknown if_any = self.unknown
        )
    }
}

impl Serialize for Classification<'_> {
    /// The whole classification as an object. `if_known` has the severity that would be certain, by
    /// fact and value; `would` has the whole change.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let changes = self.if_known();
        let if_known = map_of(changes.iter().map(|(fact, changes)| {
            let changes = changes.iter().map(|c| (c.value.as_str(), c.severity));
            (fact.as_str(), map_of(changes))
        }));
        let would =
            map_of(changes.iter().map(|(fact, changes)| (fact.as_str(), changes.as_slice())));
        let deduced = self.deduced();
        let deduced: BTreeMap<&str, &Deduced> =
            map_of(deduced.iter().map(|(fact, value)| (fact.as_str(), value)));
        let contradictions: Vec<Name> = self.contradictions().iter().map(|of| of.id).collect();
        object!(serializer, Classification:
            severity = self.severity(), at_worst = self.at_worst(), hotfix = self.hotfix(),
            settled = self.settled(), act_on = self.act_on(), definition = self.definition(),
            rules = self.rules(), undecided = self.undecided(), unknown = self.unknown(),
            decisive = self.decisive(), if_known = if_known, would = would, deduced = deduced,
            contradictions = contradictions, exact = self.exact()
        )
    }
}
