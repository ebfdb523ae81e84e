//! Known facts of an incident, and reading them from JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::catalogue::{Fact, FactKind};
use crate::canonical::tree_of;
use crate::code::coded;
use crate::document::{DocumentErrors, FaultFamily};
use crate::sorting::{map_of, remove};
use crate::text::{did_you_mean, nearest, pointer_step, shown};
use crate::unit::{FactName, Proportion, Span, Timestamp, UnitError};

/// Id of a fact: a built-in one or one that the policy declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum FactId {
    /// A built-in fact.
    BuiltIn(Fact),
    /// A fact that the policy declares.
    Custom(FactName),
}

impl FactId {
    /// Its name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::BuiltIn(fact) => fact.as_str(),
            Self::Custom(name) => name.as_str(),
        }
    }
}

impl fmt::Display for FactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A known value of a fact. In JSON shares are fractions, and durations seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum FactValue {
    /// Yes or no.
    Flag(bool),
    /// A share from 0 to 1.
    Share(Proportion),
    /// A duration.
    Duration(Span),
    /// A finite number.
    Number(f64),
    /// A text.
    Text(String),
    /// A time.
    Time(Timestamp),
}

impl FactValue {
    /// Type of the value.
    pub const fn kind(&self) -> FactKind {
        match self {
            Self::Flag(_) => FactKind::Flag,
            Self::Share(_) => FactKind::Share,
            Self::Duration(_) => FactKind::Duration,
            Self::Number(_) => FactKind::Number,
            Self::Text(_) => FactKind::Text,
            Self::Time(_) => FactKind::Time,
        }
    }

    /// The number that comparisons by size use, if it has one: a fraction, seconds or a number.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Share(share) => Some(share.as_fraction()),
            Self::Duration(span) => Some(span.as_seconds()),
            Self::Number(number) => Some(*number),
            Self::Flag(_) | Self::Text(_) | Self::Time(_) => None,
        }
    }

    /// Whether it is greater than another value; never for values without an order.
    pub(crate) fn is_more(&self, than: &Self) -> bool {
        match (self, than) {
            (Self::Flag(value), Self::Flag(than)) => *value && !*than,
            (Self::Duration(value), Self::Duration(than)) => value > than,
            _ => self.as_number().zip(than.as_number()).is_some_and(|(value, than)| value > than),
        }
    }
}

/// A fact that a policy declares.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomFact {
    /// Type of its values; never a time.
    pub kind: FactKind,
    /// The question that asks a person for the fact.
    pub ask: String,
}

/// The facts of a policy: the built-in ones of [`Fact`], and those that it declares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vocabulary {
    pub(crate) custom: BTreeMap<FactName, CustomFact>,
}

impl Vocabulary {
    /// The fact with this name.
    pub fn find(&self, name: &str) -> Option<FactId> {
        if let Ok(fact) = name.parse() {
            return Some(FactId::BuiltIn(fact));
        }
        let name = FactName::try_new(name).ok()?;
        self.custom.contains_key(&name).then_some(FactId::Custom(name))
    }

    /// Type of a fact's values; a fact that the policy does not declare counts as a flag.
    pub fn kind(&self, fact: FactId) -> FactKind {
        match fact {
            FactId::BuiltIn(fact) => fact.kind(),
            FactId::Custom(name) => self.custom.get(&name).map_or(FactKind::Flag, |fact| fact.kind),
        }
    }

    /// The question that asks a person for a fact.
    pub fn question(&self, fact: FactId) -> &str {
        match fact {
            FactId::BuiltIn(fact) => fact.question(),
            FactId::Custom(name) => self.custom.get(&name).map_or("", |fact| &fact.ask),
        }
    }

    /// The facts that the policy declares, by name.
    pub fn custom(&self) -> impl Iterator<Item = (FactName, &CustomFact)> {
        self.custom.iter().map(|(name, fact)| (*name, fact))
    }

    /// All names, the built-in ones first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        Fact::ALL.iter().map(|fact| fact.as_str()).chain(self.custom.keys().map(FactName::as_str))
    }
}

/// The known facts of an incident; an absent fact is unknown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts(BTreeMap<FactId, FactValue>);

impl Facts {
    /// Reads facts from JSON: booleans, fractions or percentages, seconds or durations with a unit,
    /// RFC 3339 times. `null` means unknown, as does an absent fact.
    ///
    /// ```
    /// use hotfix_core::fact::{Fact, FactId, FactValue, Facts, Vocabulary};
    /// let map = serde_json::from_str(r#"{"service_down": false, "users_affected": "3%"}"#)?;
    /// let facts = Facts::read(&map, &Vocabulary::default())?;
    /// assert_eq!(facts.get(FactId::BuiltIn(Fact::ServiceDown)), Some(&FactValue::Flag(false)));
    /// assert_eq!(facts.get(FactId::BuiltIn(Fact::DataCorruption)), None);
    ///
    /// let map = serde_json::from_str(r#"{"users_afected": 0.03}"#)?;
    /// let errors = Facts::read(&map, &Vocabulary::default()).unwrap_err();
    /// assert!(errors.to_string().contains("did you mean `users_affected`"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// All errors at once, each a [`FactError`]: a fact that the policy does not declare, a value
    /// of another type, a number that is not finite, a wrong unit or range.
    pub fn read(map: &Map<String, Value>, vocabulary: &Vocabulary) -> Result<Self, FactErrors> {
        let mut facts = Self::default();
        let mut errors = Vec::new();
        for (name, value) in map {
            let Some(fact) = vocabulary.find(name) else {
                let nearest = nearest(name, vocabulary.names()).map(str::to_owned);
                errors.push(FactError::Unknown { name: shown(name), nearest });
                continue;
            };
            match read_value(fact, vocabulary.kind(fact), value) {
                Ok(Some(value)) => facts.set(fact, value),
                Ok(None) => {}
                Err(error) => errors.push(error),
            }
        }
        FactErrors::from_iter(errors).or(Some(facts))
    }

    /// The known value of a fact.
    pub fn get(&self, fact: FactId) -> Option<&FactValue> {
        self.0.get(&fact)
    }

    /// Whether a built-in fact holds; None where that is not known, or it is no flag.
    pub(crate) fn flag(&self, fact: Fact) -> Option<bool> {
        match self.get(FactId::BuiltIn(fact)) {
            Some(FactValue::Flag(holds)) => Some(*holds),
            _ => None,
        }
    }

    /// A built-in fact that is a time; None where that is not known, or it is no time.
    pub(crate) fn time(&self, fact: Fact) -> Option<Timestamp> {
        match self.get(FactId::BuiltIn(fact)) {
            Some(FactValue::Time(at)) => Some(*at),
            _ => None,
        }
    }

    /// Sets a fact. The value must be of the fact's type; otherwise it satisfies no comparison.
    pub fn set(&mut self, fact: FactId, value: FactValue) {
        self.0.insert(fact, value);
    }

    /// Makes a fact unknown again.
    pub fn forget(&mut self, fact: FactId) {
        remove(&mut self.0, &fact);
    }

    /// The built-in facts alone.
    pub(crate) fn only_built_in(&self) -> Self {
        let built_in = self.iter().filter(|(fact, _)| matches!(fact, FactId::BuiltIn(_)));
        Self(map_of(built_in.map(|(fact, value)| (fact, value.clone()))))
    }

    /// Takes over a fact as it is known in others, also that it is not known.
    pub(crate) fn copy(&mut self, fact: FactId, from: &Self) {
        match from.get(fact) {
            Some(value) => self.set(fact, value.clone()),
            None => self.forget(fact),
        }
    }

    /// These facts, with those about the fix (flags that are no impact) as they are known `now`.
    pub(crate) fn with_fix_of(mut self, now: &Self) -> Self {
        let is_of_fix = |fact: &&Fact| fact.kind() == FactKind::Flag && fact.impact().is_none();
        for fact in Fact::ALL.iter().filter(is_of_fix) {
            self.copy(FactId::BuiltIn(*fact), now);
        }
        self
    }

    /// The known facts in the form of an input, which [`read`](Self::read) reads.
    pub(crate) fn document(&self) -> Map<String, Value> {
        match tree_of(self) {
            Value::Object(facts) => facts,
            _ => Map::new(),
        }
    }

    /// The known facts, the built-in ones first.
    pub fn iter(&self) -> impl Iterator<Item = (FactId, &FactValue)> {
        self.0.iter().map(|(fact, value)| (*fact, value))
    }
}

impl Serialize for Facts {
    /// An object with the facts by name, in the order of [`Facts::iter`].
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

fn read_value(fact: FactId, kind: FactKind, value: &Value) -> Result<Option<FactValue>, FactError> {
    fn unit<T: FromStr<Err = UnitError>>(fact: FactId, text: &str) -> Result<T, FactError> {
        shown(text).parse().map_err(|error| FactError::Unit { fact, error })
    }
    let in_range = |error| FactError::Unit { fact, error };
    let read = match (kind, value) {
        (_, Value::Null) => return Ok(None),
        (FactKind::Flag, Value::Bool(flag)) => FactValue::Flag(*flag),
        (FactKind::Share, Value::String(text)) => FactValue::Share(unit(fact, text)?),
        (FactKind::Share, Value::Number(_)) => {
            FactValue::Share(Proportion::try_from_fraction(number(fact, value)?).map_err(in_range)?)
        }
        (FactKind::Duration, Value::String(text)) => FactValue::Duration(unit(fact, text)?),
        (FactKind::Duration, Value::Number(_)) => {
            FactValue::Duration(Span::try_from_seconds(number(fact, value)?).map_err(in_range)?)
        }
        (FactKind::Number, Value::Number(_)) => FactValue::Number(number(fact, value)?),
        (FactKind::Text, Value::String(text)) => FactValue::Text(text.clone()),
        (FactKind::Time, Value::String(text)) => FactValue::Time(unit(fact, text)?),
        _ => {
            let got = match value {
                Value::Null => "nothing",
                Value::Bool(_) => "true or false",
                Value::Number(_) => "a number",
                Value::String(_) => "a string",
                Value::Array(_) => "a list",
                Value::Object(_) => "an object",
            };
            return Err(FactError::Type { fact, expected: expected(kind), got });
        }
    };
    Ok(Some(read))
}

fn number(fact: FactId, value: &Value) -> Result<f64, FactError> {
    value
        .as_f64()
        .filter(|number| number.is_finite())
        .ok_or_else(|| FactError::NotFinite { fact, got: value.to_string() })
}

const fn expected(kind: FactKind) -> &'static str {
    match kind {
        FactKind::Flag => "true or false",
        FactKind::Share => "a share, as in 0.03 or \"3%\"",
        FactKind::Duration => "a duration, as in 5.2 (seconds) or \"5200ms\"",
        FactKind::Number => "a number",
        FactKind::Text => "a text",
        FactKind::Time => "a time, as in \"2026-03-03T14:02:00.000Z\"",
    }
}

coded! {
    /// Error of reading one fact.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum FactError;

    #[error(
        "the policy has no fact `{name}`: {}correct the name, or declare it under `facts`",
        did_you_mean(nearest.as_deref())
    )]
    Unknown { name: String, nearest: Option<String> } => "HF-FACT-001",
    #[error("`{fact}` is {got}: write {expected}, or leave it out where it is unknown")]
    Type { fact: FactId, expected: &'static str, got: &'static str } => "HF-FACT-002",
    #[error("`{fact}` is {got}: write a finite number, or leave it out where it is unknown")]
    NotFinite { fact: FactId, got: String } => "HF-FACT-003",
    /// Wrong unit, or value out of range.
    #[error("`{fact}`: {error}")]
    Unit { fact: FactId, error: UnitError } => error.code(),
}

impl FactError {
    /// The fact's place as a JSON Pointer: `/users_affected`.
    pub fn path(&self) -> String {
        match self {
            Self::Unknown { name, .. } => format!("/{}", pointer_step(name)),
            Self::Type { fact, .. } | Self::NotFinite { fact, .. } | Self::Unit { fact, .. } => {
                format!("/{fact}")
            }
        }
    }
}

impl FaultFamily for FactError {}

/// All errors in an incident's facts, by name of the fact; never empty.
pub type FactErrors = DocumentErrors<FactError>;

impl FromIterator<FactError> for FactErrors {
    fn from_iter<I: IntoIterator<Item = FactError>>(faults: I) -> Self {
        let mut errors = Self::new();
        for fault in faults {
            errors.push(&fault.path(), fault);
        }
        errors
    }
}
