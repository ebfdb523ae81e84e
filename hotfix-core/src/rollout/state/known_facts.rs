//! What is known of the incident: now, and the worst that was known of each fact.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::deadline::Agenda;
use crate::fact::{FactId, FactValue, Facts, Vocabulary};
use crate::getters::getters;
use crate::grade::Moment;
use crate::policy::Policy;
use crate::rollout::stage::Stage;
use crate::sorting::map_of;
use crate::unit::Timestamp;

/// The known facts, the worst that was known of each, and when each was recorded last. A snapshot has
/// the facts in the form of an input.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, educe::Educe)]
#[educe(Clone)]
#[serde(transparent)]
pub(crate) struct KnownFacts {
    #[serde(skip)]
    now: Facts,
    #[serde(skip)]
    worst: Facts,
    recorded: BTreeMap<String, Timestamp>,
}

impl KnownFacts {
    /// What the plan is about.
    pub(super) fn new(facts: &Facts) -> Self {
        Self { now: facts.clone(), worst: facts.clone(), recorded: BTreeMap::new() }
    }

    /// What is known with the first input is recorded then.
    pub(super) fn open(&mut self, at: Timestamp) {
        self.recorded = map_of(self.now.iter().map(|(fact, _)| (fact.to_string(), at)));
    }

    /// Adds facts that somebody states. `corrects`: their earlier values were wrong.
    pub(super) fn fold(
        &mut self,
        policy: &Policy,
        at: Timestamp,
        facts: &Map<String, Value>,
        corrects: bool,
    ) {
        learn(&mut self.now, facts, policy.vocabulary());
        if corrects {
            let named = facts.keys().filter_map(|name| policy.vocabulary().find(name));
            named.for_each(|fact| self.worst.copy(fact, &self.now));
        }
        self.worsen(policy);
        self.recorded.extend(facts.keys().map(|name| (name.clone(), at)));
    }

    /// Takes over each present value that is no better than the worst one. Where a fact follows from the
    /// worst ones, its recovery is better, although nobody stated the fact before.
    fn worsen(&mut self, policy: &Policy) {
        let by_worst = policy.classify(&self.worst);
        let is_no_better = |(fact, value): &(FactId, &FactValue)| match self.worst.get(*fact) {
            Some(worst) => !worst.is_more(value),
            None => !by_worst.implies_more(*fact, value),
        };
        let news = self.now.iter().filter(is_no_better).map(|(fact, _)| fact);
        for fact in news.collect::<Vec<_>>() {
            self.worst.copy(fact, &self.now);
        }
    }

    /// The impact, split by when the fix got all of the traffic: the times of its oldest and newest fact from
    /// before, a sentence on those, and one on later ones. None where no fix is live, or no fact is older.
    pub(crate) fn impact_before_the_fix(
        &self,
        agenda: &Agenda,
        stage: &Stage,
        sentence: impl Fn(&Facts) -> Option<String>,
    ) -> Option<([Timestamp; 2], String, Option<String>)> {
        let is_live = stage.is_out() || stage.keeps_the_failed();
        let deployed = agenda.came(Moment::Deployed).filter(|_| is_live)?;
        let all = sentence(&self.now)?;
        let [mut before, mut later] = [Facts::default(), Facts::default()];
        let recorded = |fact: FactId| self.recorded.get(fact.as_str()).copied();
        for (fact, value) in self.now.iter() {
            let mut rest = self.now.clone();
            rest.forget(fact);
            let Some(at) = recorded(fact) else { continue };
            // A fact without which the sentence is the same is not in it.
            if sentence(&rest).as_ref() != Some(&all) {
                let part = if at < deployed { &mut before } else { &mut later };
                part.set(fact, value.clone());
            }
        }
        let times = || before.iter().filter_map(|(fact, _)| recorded(fact));
        let times = [times().min()?, times().max()?];
        // Facts that make a sentence only together have the times of those from before.
        Some(match (sentence(&before), sentence(&later)) {
            (Some(before), Some(later)) => (times, before, Some(later)),
            _ => (times, all, None),
        })
    }

    /// Adds the facts of a snapshot; `Err` names what does not fit the plan.
    pub(super) fn resume(
        &mut self,
        vocabulary: &Vocabulary,
        [now, worst]: [&Map<String, Value>; 2],
    ) -> Result<(), &'static str> {
        let read = |facts| Facts::read(facts, vocabulary).map_err(|_| "the facts");
        (self.now, self.worst) = (read(now)?, read(worst)?);
        Ok(())
    }
}

getters! {
    pub(crate) KnownFacts: self;

    now: &Facts = &self.now;
    worst: &Facts = &self.worst;
}

/// Adds facts; `null` makes a fact unknown again. A fact that cannot be read changes nothing: it is
/// refused now, but logs of earlier releases have some.
fn learn(facts: &mut Facts, map: &Map<String, Value>, vocabulary: &Vocabulary) {
    for (name, value) in map {
        let Some(fact) = vocabulary.find(name) else { continue };
        if value.is_null() {
            facts.forget(fact);
            continue;
        }
        let read = Facts::read(&Map::from_iter([(name.clone(), value.clone())]), vocabulary);
        if let Some(value) = read.ok().as_ref().and_then(|read| read.get(fact)) {
            facts.set(fact, value.clone());
        }
    }
}
