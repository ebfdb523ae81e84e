//! What a policy says of an incident, and what is doubtful in it, as typed objects.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hotfix_core::fact::Facts;
use hotfix_core::policy::Policy;
use hotfix_core::severity as core;
use hotfix_core::unit::Span;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::convert::{duration, object};
use crate::document::{document, value};

/// What was asked of a policy. The answer is worked out as far as it is looked at: the whole of it takes a hundred times as
/// long as the severity. One that was pickled is its document.
#[derive(Clone, Debug)]
pub(crate) struct Asked<Q> {
    of: Option<(Arc<Policy>, Facts)>,
    whole: OnceLock<Value>,
    question: PhantomData<Q>,
}

/// What may be asked.
pub(crate) trait Question {
    /// The whole answer.
    fn answer(policy: &Policy, facts: &Facts) -> Value;
}

/// How severe an incident is.
#[derive(Clone, Debug)]
pub(crate) enum Severity {}

/// What is to be done.
#[derive(Clone, Debug)]
pub(crate) enum ToDo {}

impl Question for Severity {
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

impl Asked<Severity> {
    /// What is there at once.
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
    /// How severe an incident is and whether it calls for a hot-fix, as far as it is known.
    ///
    /// Made by `Policy.classify`. It is certain of what follows for all values of the unknown facts that the policy's
    /// implications allow, and only of that.
    Classification(Asked<Severity>) {
        /// The severity to act on meanwhile, as the policy says.
        fn act_on(this) -> Option<String> {
            this.now(|answer| answer.act_on().map(|s| s.to_string()), |whole| text(whole, "act_on"))
        }
        /// The most severe one that is still possible.
        fn at_worst(this) -> Option<String> {
            this.now(|answer| answer.at_worst().map(|s| s.to_string()), |whole| text(whole, "at_worst"))
        }
        /// The implications that what is known breaks: their ids.
        fn contradictions(this) -> Vec<String> { texts(this.whole(), "contradictions") }
        /// The unknown facts that can still change the answer.
        fn decisive(this) -> Vec<String> { texts(this.whole(), "decisive") }
        /// The facts that follow from what is known, by the policy's implications.
        fn deduced(this, py) -> PyResult<Py<PyAny>> { object(py, &this.whole()["deduced"]).map(Bound::unbind) }
        /// Whether the answer is exact; otherwise it may be uncertain without need, never wrongly certain.
        fn exact(this) -> bool { flag(this.whole(), "exact") }
        /// Whether a hot-fix is called for: ``yes``, ``no`` or ``unknown``.
        fn hotfix(this) -> Option<String> {
            this.now(|answer| Some(answer.hotfix().to_string()), |whole| text(whole, "hotfix"))
        }
        /// By unknown fact and value the severity that would be certain.
        fn if_known(this, py) -> PyResult<BTreeMap<String, Py<PyAny>>> {
            members(this.whole(), "if_known").map(|(fact, values)| Ok((fact, by_value(py, values)?))).collect()
        }
        /// The rules that fired, in the order of the policy.
        fn rules(this) -> Vec<RuleVerdict> { each(this.whole(), "rules", RuleVerdict) }
        /// Whether no unknown fact can change severity or hot-fix.
        fn settled(this) -> bool {
            this.now(|answer| answer.settled(), |whole| flag(whole, "settled"))
        }
        /// The severity that is certain; None where that is none, or nothing is certain.
        fn severity(this) -> Option<String> {
            this.now(|answer| answer.severity().map(|s| s.to_string()), |whole| text(whole, "severity"))
        }
        /// The rules that could not be judged.
        fn undecided(this) -> Vec<RuleVerdict> { each(this.whole(), "undecided", RuleVerdict) }
        /// The unknown facts that they ask for.
        fn unknown(this) -> Vec<String> { texts(this.whole(), "unknown") }
        /// By unknown fact what would follow from each of its values.
        fn would(this) -> BTreeMap<String, Vec<FactChange>> {
            members(this.whole(), "would").map(|(fact, changes)| (fact, every(changes, FactChange))).collect()
        }
    }
}

document! {
    /// A rule with what is known of the facts that it looks at.
    RuleVerdict(Value) {
        /// The known ones, by name.
        fn facts(this, py) -> PyResult<Py<PyAny>> { object(py, &this["facts"]).map(Bound::unbind) }
        /// Whether it asks for a hot-fix or rules one out; None for a rule that sets a severity.
        fn hotfix(this) -> Option<bool> { this["hotfix"].as_bool() }
        /// Its id.
        fn id(this) -> Option<String> { text(this, "id") }
        /// The severity that it sets; None for one that says whether to hot-fix.
        fn severity(this) -> Option<String> { text(this, "severity") }
        /// What it says, in words.
        fn title(this) -> Option<String> { text(this, "title") }
        /// The unknown ones.
        fn unknown(this) -> Vec<String> { texts(this, "unknown") }
    }
}

document! {
    /// What would follow from one value of an unknown fact.
    FactChange(Value) {
        /// The most severe one that would still be possible.
        fn at_worst(this) -> Option<String> { text(this, "at_worst") }
        /// Whether a hot-fix would be called for: ``yes``, ``no`` or ``unknown``.
        fn hotfix(this) -> Option<String> { text(this, "hotfix") }
        /// The severity that would be certain.
        fn severity(this) -> Option<String> { text(this, "severity") }
        /// The value, or the range of values: ``true``, ``above 5%, below 50%``.
        fn value(this) -> Option<String> { text(this, "value") }
    }
}

document! {
    /// Where the decision tree leads for an incident, as far as it is known.
    ///
    /// Made by `Policy.decide`; as certain as a `Classification`.
    Decision(Asked<ToDo>) {
        /// Whether the tree may lead round in a circle.
        fn circular(this) -> bool { flag(this.whole(), "circular") }
        /// The implications that what is known breaks: their ids.
        fn contradictions(this) -> Vec<String> { texts(this.whole(), "contradictions") }
        /// Whether the answer is exact; otherwise it may be uncertain without need, never wrongly certain.
        fn exact(this) -> bool { flag(this.whole(), "exact") }
        /// The questions that may have no answer for this incident: their ids.
        fn gaps(this) -> Vec<String> { texts(this.whole(), "gaps") }
        /// What to find out next; None where nothing helps.
        fn next_question(this) -> Option<NextQuestion> { one(this.whole(), "next_question", NextQuestion) }
        /// What is to be done; None while that is open.
        fn outcome(this) -> Option<Leaf> {
            match &this.of {
                Some((policy, facts)) => policy.decide(facts).outcome().map(|leaf| Leaf(value(&leaf))),
                None => one(this.whole(), "outcome", Leaf),
            }
        }
        /// The questions that are answered, in order.
        fn path(this) -> Vec<DecisionStep> { each(this.whole(), "path", DecisionStep) }
        /// The leaves that are still possible: their ids.
        fn reachable(this) -> Vec<String> { texts(this.whole(), "reachable") }
        /// Whether no unknown fact can change where the tree ends.
        fn settled(this) -> bool { flag(this.whole(), "settled") }
    }
}

/// By when.
#[derive(IntoPyObject)]
pub(crate) enum Deadline {
    Within(Duration),
    Day(String),
}

document! {
    /// What is to be done: a leaf of the decision tree.
    Leaf(Value) {
        /// By when: a `timedelta`, zero at once, or the name of a day such as ``next_release``; None where nothing says.
        /// In `to_dict` seconds or the name.
        fn deadline(this) -> Option<Deadline> {
            match &this["deadline"] {
                Value::String(day) => Some(Deadline::Day(day.clone())),
                seconds => {
                    let span = Span::try_from_seconds(seconds.as_f64()?).ok()?;
                    Some(Deadline::Within(duration(span)))
                }
            }
        }
        /// Hot-fix or scheduled release.
        fn hotfix(this) -> bool { flag(this, "hotfix") }
        /// Its id.
        fn id(this) -> Option<String> { text(this, "id") }
        /// How bad it is, where the tree says.
        fn severity(this) -> Option<String> { text(this, "severity") }
        /// What is to be done, in words.
        fn title(this) -> Option<String> { text(this, "title") }
    }
}

document! {
    /// A question of the decision tree that is answered, and what the answer rests on.
    DecisionStep(Value) {
        /// The answer in words: ``yes``, ``below 5%``.
        fn answer(this) -> Option<String> { text(this, "answer") }
        /// The question.
        fn ask(this) -> Option<String> { text(this, "ask") }
        /// Those of `facts` that nobody told: they follow from what is known.
        fn deduced(this) -> Vec<String> { texts(this, "deduced") }
        /// The facts that it looks at, each with its value, or what is left of it in words.
        fn facts(this, py) -> PyResult<Py<PyAny>> { object(py, &this["facts"]).map(Bound::unbind) }
        /// Its id.
        fn id(this) -> Option<String> { text(this, "id") }
        /// The id of the question or leaf to which the answer leads; None where it leads nowhere.
        fn to(this) -> Option<String> { text(this, "to") }
    }
}

document! {
    /// The question whose answer brings a decision nearest.
    NextQuestion(Value) {
        /// The question, for a person.
        fn ask(this) -> Option<String> { text(this, "ask") }
        /// The unknown fact.
        fn fact(this) -> Option<String> { text(this, "fact") }
        /// By value the ids of the leaves that would be left.
        fn if_known(this, py) -> PyResult<Py<PyAny>> { by_value(py, &this["if_known"]) }
        /// What its values are: ``flag``, ``share``, ``duration``, ``number``, ``text`` or ``time``.
        fn kind(this) -> Option<String> { text(this, "kind") }
    }
}

document! {
    /// Something doubtful in a policy.
    Finding(Value) {
        /// A stable code such as ``"HF-LINT-001"``.
        fn code(this) -> Option<String> { text(this, "code") }
        /// What shows it when it is fed back: ``{"facts": …}``, ``{"counts": …}`` or ``{"times": …}``; None where
        /// nothing can.
        fn example(this, py) -> PyResult<Py<PyAny>> { object(py, &this["example"]).map(Bound::unbind) }
        /// How grave it is: ``deny``, ``warn`` or ``note``.
        fn level(this) -> Option<String> { text(this, "level") }
        /// What is wrong.
        fn message(this) -> Option<String> { text(this, "message") }
        /// Where, as a JSON Pointer into the policy.
        fn path(this) -> Option<String> { text(this, "path") }
        /// What to do about it.
        fn remedy(this) -> Option<String> { text(this, "remedy") }
    }
}

fn text(of: &Value, key: &str) -> Option<String> {
    of[key].as_str().map(str::to_owned)
}

fn flag(of: &Value, key: &str) -> bool {
    of[key].as_bool().unwrap_or_default()
}

fn every<T>(of: &Value, make: impl Fn(Value) -> T) -> Vec<T> {
    of.as_array().into_iter().flatten().cloned().map(make).collect()
}

fn each<T>(of: &Value, key: &str, make: impl Fn(Value) -> T) -> Vec<T> {
    every(&of[key], make)
}

fn texts(of: &Value, key: &str) -> Vec<String> {
    of[key].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn one<T>(of: &Value, key: &str, make: impl Fn(Value) -> T) -> Option<T> {
    of.get(key).filter(|value| !value.is_null()).cloned().map(make)
}

fn members<'v>(of: &'v Value, key: &str) -> impl Iterator<Item = (String, &'v Value)> {
    of[key].as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value))
}

/// The answers as a `ByValue`.
fn by_value(py: Python<'_>, answers: &Value) -> PyResult<Py<PyAny>> {
    let answers = object(py, answers)?;
    let class = py.import(intern!(py, "hotfix._values"))?.getattr(intern!(py, "ByValue"))?;
    Ok(class.call1((answers.cast::<PyDict>()?,))?.unbind())
}
