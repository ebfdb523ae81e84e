//! Classification, decision and lint findings of a policy, as typed objects.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hotfix_core::fact::{FactKind, Facts};
use hotfix_core::grade::{Calendar, Hotfix, Severity};
use hotfix_core::lint::Level;
use hotfix_core::policy::Policy;
use hotfix_core::severity as core;
use hotfix_core::unit::Span;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::convert::{duration, object};
use crate::document::{document, each, every, flag, maybe, name, one, text, texts, value, word};
use crate::typed::{FactsByName, Json, LeavesByValue, Name, SeveritiesByValue, Typed};

type ByValue<H> = Typed<H, Py<PyAny>>;

/// A question to a policy. Its answer is computed as far as it is read: the whole answer takes a
/// hundred times as long as the severity. After pickling it is the document of the answer.
#[derive(Clone, Debug)]
pub(crate) struct Asked<Q> {
    of: Option<(Arc<Policy>, Facts)>,
    whole: OnceLock<Value>,
    question: PhantomData<Q>,
}

/// The parts of an answer.
pub(crate) trait Question {
    /// The whole answer.
    fn answer(policy: &Policy, facts: &Facts) -> Value;
}

/// How severe an incident is.
#[derive(Clone, Debug)]
pub(crate) enum HowSevere {}

/// The plan to carry out.
#[derive(Clone, Debug)]
pub(crate) enum ToDo {}

impl Question for HowSevere {
    fn answer(policy: &Policy, facts: &Facts) -> Value {
        value(&policy.classify(facts))
    }
}

impl Question for ToDo {
    fn answer(policy: &Policy, facts: &Facts) -> Value {
        value(&policy.decide(facts))
    }
}

impl<Q: Question> Asked<Q> {
    pub(crate) fn new(policy: &Arc<Policy>, facts: Facts) -> Self {
        let of = Some((Arc::clone(policy), facts));
        Self { of, whole: OnceLock::new(), question: PhantomData }
    }

    fn whole(&self) -> &Value {
        let answer = |(policy, facts): &(Arc<Policy>, Facts)| Q::answer(policy, facts);
        self.whole.get_or_init(|| self.of.as_ref().map(answer).unwrap_or_default())
    }
}

impl Asked<HowSevere> {
    /// The parts that are available at once.
    fn now<T>(
        &self,
        now: impl FnOnce(core::Classification<'_>) -> T,
        read: impl FnOnce(&Value) -> T,
    ) -> T {
        match &self.of {
            Some((policy, facts)) => now(policy.classify(facts)),
            None => read(self.whole()),
        }
    }
}

impl<Q: Question> PartialEq for Asked<Q> {
    fn eq(&self, other: &Self) -> bool {
        self.whole() == other.whole()
    }
}

impl<Q: Question> Serialize for Asked<Q> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.whole().serialize(serializer)
    }
}

impl<'de, Q> Deserialize<'de> for Asked<Q> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let whole = OnceLock::from(Value::deserialize(deserializer)?);
        Ok(Self { of: None, whole, question: PhantomData })
    }
}

document! {
    /// The severity of an incident and whether it calls for a hot-fix, as far as the facts are
    /// known.
    ///
    /// Made by `Policy.classify`. An answer is certain only if it is the same for all values of the
    /// unknown facts that the policy's implications allow.
    Classification(Asked<HowSevere>) {
        /// The severity to act on while facts are unknown, by the policy.
        fn act_on(this) -> Option<Name<Severity>> {
            this.now(|answer| answer.act_on().map(Name::from), |whole| maybe(whole, "act_on"))
        }
        /// The most severe severity that is still possible.
        fn at_worst(this) -> Option<Name<Severity>> {
            this.now(|answer| answer.at_worst().map(Name::from), |whole| maybe(whole, "at_worst"))
        }
        /// The ids of the implications that the known facts contradict.
        fn contradictions(this) -> Vec<String> { texts(this.whole(), "contradictions") }
        /// The unknown facts that can still change the answer.
        fn decisive(this) -> Vec<String> { texts(this.whole(), "decisive") }
        /// What belongs to the severity to act on, by the policy.
        fn definition(this) -> Option<String> { word(this.whole(), "definition") }
        /// The facts that follow from the known ones, by the policy's implications.
        fn deduced(this) -> Json<FactsByName> { Json::of(&this.whole()["deduced"]) }
        /// Whether the answer is exact; otherwise it may be uncertain without need, but never
        /// wrongly certain.
        fn exact(this) -> bool { flag(this.whole(), "exact") }
        /// Whether a hot-fix is called for: ``yes``, ``no`` or ``unknown``.
        fn hotfix(this) -> Name<Hotfix> {
            this.now(|answer| answer.hotfix().into(), |whole| name(whole, "hotfix"))
        }
        /// The severity that would be certain, by unknown fact and value.
        fn if_known(this, py) -> PyResult<BTreeMap<String, ByValue<SeveritiesByValue>>> {
            members(this.whole(), "if_known").map(|(fact, values)| Ok((fact, by_value(py, values)?))).collect()
        }
        /// The rules that apply, in the order of the policy.
        fn rules(this) -> Vec<RuleVerdict> { each(this.whole(), "rules", RuleVerdict) }
        /// Whether no unknown fact can change severity or hot-fix.
        fn settled(this) -> bool {
            this.now(|answer| answer.settled(), |whole| flag(whole, "settled"))
        }
        /// The severity that is certain; None if the incident has none, or it is not certain.
        fn severity(this) -> Option<Name<Severity>> {
            this.now(|answer| answer.severity().map(Name::from), |whole| maybe(whole, "severity"))
        }
        /// The rules that could not be evaluated.
        fn undecided(this) -> Vec<RuleVerdict> { each(this.whole(), "undecided", RuleVerdict) }
        /// The unknown facts that they ask for.
        fn unknown(this) -> Vec<String> { texts(this.whole(), "unknown") }
        /// What would follow from each value, by unknown fact.
        fn would(this) -> BTreeMap<String, Vec<FactChange>> {
            members(this.whole(), "would").map(|(fact, changes)| (fact, every(changes, FactChange))).collect()
        }
    }
}

document! {
    /// A rule with the known and unknown facts that it uses.
    RuleVerdict(Value) {
        /// The known facts, by name.
        fn facts(this) -> Json<FactsByName> { Json::of(&this["facts"]) }
        /// Whether it requires a hot-fix or excludes one; None for a rule that sets a severity.
        fn hotfix(this) -> Option<bool> { this["hotfix"].as_bool() }
        /// Its id.
        fn id(this) -> String { text(this, "id") }
        /// The severity that it sets; None for a rule about the hot-fix.
        fn severity(this) -> Option<Name<Severity>> { maybe(this, "severity") }
        /// Its title.
        fn title(this) -> String { text(this, "title") }
        /// The unknown facts.
        fn unknown(this) -> Vec<String> { texts(this, "unknown") }
    }
}

document! {
    /// What would follow from one value of an unknown fact.
    FactChange(Value) {
        /// The most severe severity that would still be possible.
        fn at_worst(this) -> Option<Name<Severity>> { maybe(this, "at_worst") }
        /// Whether a hot-fix would be called for: ``yes``, ``no`` or ``unknown``.
        fn hotfix(this) -> Name<Hotfix> { name(this, "hotfix") }
        /// The severity that would be certain.
        fn severity(this) -> Option<Name<Severity>> { maybe(this, "severity") }
        /// The value, or the range of values: ``true``, ``above 5%, below 50%``.
        fn value(this) -> String { text(this, "value") }
    }
}

document! {
    /// The result of the decision tree for an incident, as far as the facts are known.
    ///
    /// Made by `Policy.decide`. It is as certain as a `Classification`.
    Decision(Asked<ToDo>) {
        /// Whether the tree may lead into a cycle.
        fn circular(this) -> bool { flag(this.whole(), "circular") }
        /// The ids of the implications that the known facts contradict.
        fn contradictions(this) -> Vec<String> { texts(this.whole(), "contradictions") }
        /// Whether the answer is exact; otherwise it may be uncertain without need, but never
        /// wrongly certain.
        fn exact(this) -> bool { flag(this.whole(), "exact") }
        /// The ids of the questions that may have no answer for this incident.
        fn gaps(this) -> Vec<String> { texts(this.whole(), "gaps") }
        /// The question to answer next; None if no answer helps.
        fn next_question(this) -> Option<NextQuestion> { one(this.whole(), "next_question", NextQuestion) }
        /// What to do; None while that is open.
        fn outcome(this) -> Option<Leaf> {
            match &this.of {
                Some((policy, facts)) => policy.decide(facts).outcome().map(|leaf| Leaf(value(&leaf))),
                None => one(this.whole(), "outcome", Leaf),
            }
        }
        /// The questions that are answered, in order.
        fn path(this) -> Vec<DecisionStep> { each(this.whole(), "path", DecisionStep) }
        /// The ids of the leaves that are still possible; where `exact` is false, perhaps with others.
        fn reachable(this) -> Vec<String> { texts(this.whole(), "reachable") }
        /// Whether no unknown fact can change where the tree ends.
        fn settled(this) -> bool { flag(this.whole(), "settled") }
    }
}

/// The deadline.
#[derive(IntoPyObject)]
pub(crate) enum Deadline {
    Within(Duration),
    Day(Name<Calendar>),
}

document! {
    /// What to do: a leaf of the decision tree.
    Leaf(Value) {
        /// The deadline: a `timedelta` (zero: at once), or the name of a day such as
        /// ``next_release``; None if the tree gives none. In `to_dict` it is in seconds, or the
        /// name.
        fn deadline(this) -> Option<Deadline> {
            match &this["deadline"] {
                Value::String(day) => Some(Deadline::Day(Name::new(day.clone().into()))),
                seconds => {
                    let span = Span::try_from_seconds(seconds.as_f64()?).ok()?;
                    Some(Deadline::Within(duration(span)))
                }
            }
        }
        /// Whether it is a hot-fix; otherwise the normal process.
        fn hotfix(this) -> bool { flag(this, "hotfix") }
        /// Its id.
        fn id(this) -> String { text(this, "id") }
        /// The severity, if the tree gives one.
        fn severity(this) -> Option<Name<Severity>> { maybe(this, "severity") }
        /// What to do, in words.
        fn title(this) -> String { text(this, "title") }
    }
}

document! {
    /// An answered question of the decision tree, and the facts that the answer is based on.
    DecisionStep(Value) {
        /// The answer in words: ``yes``, ``below 5%``.
        fn answer(this) -> String { text(this, "answer") }
        /// The question.
        fn ask(this) -> String { text(this, "ask") }
        /// Those of `facts` that were not given: they follow from the known facts.
        fn deduced(this) -> Vec<String> { texts(this, "deduced") }
        /// The facts that it uses, each with its value, or its possible values in words.
        fn facts(this) -> Json<FactsByName> { Json::of(&this["facts"]) }
        /// Its id.
        fn id(this) -> String { text(this, "id") }
        /// The id of the question or leaf to which the answer leads; None if it leads nowhere.
        fn to(this) -> Option<String> { word(this, "to") }
    }
}

document! {
    /// The question whose answer brings the decision closest.
    NextQuestion(Value) {
        /// The question, for a person.
        fn ask(this) -> String { text(this, "ask") }
        /// The unknown fact.
        fn fact(this) -> String { text(this, "fact") }
        /// The ids of the leaves that would be left, by value.
        fn if_known(this, py) -> PyResult<ByValue<LeavesByValue>> { by_value(py, &this["if_known"]) }
        /// The type of its values: ``flag``, ``share``, ``duration``, ``number``, ``text`` or
        /// ``time``.
        fn kind(this) -> Name<FactKind> { name(this, "kind") }
    }
}

document! {
    /// A lint finding of a policy.
    Finding(Value) {
        /// A stable code such as ``"HF-LINT-001"``.
        fn code(this) -> String { text(this, "code") }
        /// An input that demonstrates it: ``{"facts": …}``, ``{"counts": …}`` or ``{"times": …}``;
        /// None if it has no example.
        fn example(this) -> Option<Json> { one(this, "example", |example| Json::of(&example)) }
        /// Its level: ``deny``, ``warn`` or ``note``.
        fn level(this) -> Name<Level> { name(this, "level") }
        /// What is wrong.
        fn message(this) -> String { text(this, "message") }
        /// The place, as a JSON Pointer into the policy.
        fn path(this) -> String { text(this, "path") }
        /// What to do about it.
        fn remedy(this) -> String { text(this, "remedy") }
    }
}

fn members<'v>(of: &'v Value, key: &str) -> impl Iterator<Item = (String, &'v Value)> {
    of[key].as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value))
}

/// The answers as a `ByValue`.
fn by_value<H>(py: Python<'_>, answers: &Value) -> PyResult<ByValue<H>> {
    let answers = object(py, answers)?;
    let class = py.import(intern!(py, "hotfix._values"))?.getattr(intern!(py, "ByValue"))?;
    Ok(Typed::new(class.call1((answers.cast::<PyDict>()?,))?.unbind()))
}
