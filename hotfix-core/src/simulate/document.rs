//! Reader of a scenario's values: units as in policies, every error with its place.

use serde_json::{Map, Value};

use crate::policy::Policy;
use crate::text::{nearest, pointer_step, shown};
use crate::unit::{MetricName, PerMinute, Proportion, Ratio, Share, Span, Timestamp, UnitError};

use super::error::{SimulationErrors, SimulationFault};

/// A table of the document.
pub(super) type Table = Map<String, Value>;

/// Reads one value. None after an error, which is recorded.
pub(super) type Read<T> = fn(&mut ScenarioReader, &Value) -> Option<T>;

/// The place and the errors so far.
pub(super) struct ScenarioReader {
    pub(super) errors: SimulationErrors,
    path: String,
}

/// A delay. None: never.
pub(super) type Delay = Option<Span>;

/// Reads TOML, or JSON if it begins with a brace.
pub(super) fn parse(text: &str) -> Result<Value, SimulationErrors> {
    let (language, read) = if text.trim_start().starts_with('{') {
        ("JSON", serde_json::from_str(text).map_err(|error| error.to_string()))
    } else {
        ("TOML", toml::from_str(text).map_err(|error| error.to_string()))
    };
    read.map_err(|detail| {
        let detail = shown(detail.lines().next().unwrap_or_default());
        SimulationErrors::of("", SimulationFault::Syntax { language, detail })
    })
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("`{}`", shown(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a table".to_owned(),
    }
}

impl ScenarioReader {
    pub(super) const fn new() -> Self {
        Self { errors: SimulationErrors::new(), path: String::new() }
    }

    /// Records an error at the present place.
    pub(super) fn fail<T>(&mut self, fault: SimulationFault) -> Option<T> {
        self.errors.push(&self.path, fault);
        None
    }

    pub(super) fn fail_at<T>(&mut self, key: &str, fault: SimulationFault) -> Option<T> {
        self.within(key, |reader| reader.fail(fault))
    }

    /// Records keys without a meaning together.
    pub(super) fn meaningless(&mut self, key: &str, detail: impl Into<String>) {
        self.fail_at::<()>(key, SimulationFault::Meaningless { detail: detail.into() });
    }

    pub(super) fn within<T>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        self.path.push('/');
        self.path.push_str(&pointer_step(key));
        let out = read(self);
        self.path.truncate(length);
        out
    }

    fn wrong<T>(&mut self, expected: &'static str, value: &Value) -> Option<T> {
        self.fail(SimulationFault::WrongType { expected, got: kind(value) })
    }

    /// A table with these keys and no other.
    pub(super) fn table<'v>(
        &mut self,
        value: &'v Value,
        known: &'static [&'static str],
    ) -> Option<&'v Table> {
        let table = self.open_table(value)?;
        for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
            let near = nearest(key, known.iter().copied());
            let fault = SimulationFault::UnknownKey { key: shown(key), nearest: near, known };
            self.fail_at::<()>(key, fault);
        }
        Some(table)
    }

    /// A table with any keys.
    pub(super) fn open_table<'v>(&mut self, value: &'v Value) -> Option<&'v Table> {
        match value {
            Value::Object(table) => Some(table),
            _ => self.wrong("a table", value),
        }
    }

    /// The value of a key. None if it is absent or has an error.
    pub(super) fn key<T>(&mut self, table: &Table, key: &str, read: Read<T>) -> Option<T> {
        table.get(key).and_then(|value| self.within(key, |reader| read(reader, value)))
    }

    /// The value of a required key.
    pub(super) fn needed<T>(
        &mut self,
        table: &Table,
        key: &'static str,
        read: Read<T>,
    ) -> Option<T> {
        if !table.contains_key(key) {
            return self.fail(SimulationFault::MissingKey { key });
        }
        self.key(table, key, read)
    }

    /// A list, each item read by itself.
    pub(super) fn list<T>(&mut self, table: &Table, key: &str, read: Read<T>) -> Vec<T> {
        let Some(value) = table.get(key) else { return Vec::new() };
        self.within(key, |reader| match value {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .filter_map(|(index, item)| {
                    reader.within(&index.to_string(), |reader| read(reader, item))
                })
                .collect(),
            _ => reader.wrong("a list", value).unwrap_or_default(),
        })
    }

    /// A unit that is written as a number or as a text.
    fn unit<T: std::str::FromStr<Err = UnitError>>(
        &mut self,
        value: &Value,
        expected: &'static str,
        number: impl FnOnce(f64) -> Result<T, UnitError>,
    ) -> Option<T> {
        let read = match value {
            Value::Number(n) => number(n.as_f64().unwrap_or(f64::NAN)),
            Value::String(text) => shown(text).parse(),
            _ => return self.wrong(expected, value),
        };
        match read {
            Ok(read) => Some(read),
            Err(_) => self.wrong(expected, value),
        }
    }

    pub(super) fn span(&mut self, value: &Value) -> Option<Span> {
        self.unit(value, "a duration, as in \"10min\" or seconds", Span::try_from_seconds)
    }

    pub(super) fn lasting(&mut self, value: &Value) -> Option<Span> {
        let span = self.span(value)?;
        if span.is_zero() {
            let range = "a duration above 0";
            return self.fail(SimulationFault::OutOfRange { got: kind(value), range });
        }
        Some(span)
    }

    /// A duration, or `"never"`.
    pub(super) fn delay(&mut self, value: &Value) -> Option<Delay> {
        match value {
            Value::String(text) if text == "never" => Some(None),
            _ => self.unit(value, "a duration, or \"never\"", Span::try_from_seconds).map(Some),
        }
    }

    pub(super) fn chance(&mut self, value: &Value) -> Option<f64> {
        let expected = "a share, as in 0.1 or \"10%\"";
        let read = self.unit(value, expected, Proportion::try_from_fraction)?;
        Some(read.as_fraction())
    }

    pub(super) fn share(&mut self, value: &Value) -> Option<Share> {
        self.unit(value, "a share, as in 0.1 or \"10%\"", Share::try_from_fraction)
    }

    pub(super) fn per_minute(&mut self, value: &Value) -> Option<f64> {
        let expected = "a frequency, as in \"5/min\" or a number per minute";
        Some(self.unit(value, expected, PerMinute::try_new)?.value())
    }

    pub(super) fn time(&mut self, value: &Value) -> Option<Timestamp> {
        let expected = "a time, as in \"2026-03-03T14:00:00Z\"";
        match value {
            Value::String(text) => match shown(text).parse() {
                Ok(time) => Some(time),
                Err(_) => self.wrong(expected, value),
            },
            _ => self.wrong(expected, value),
        }
    }

    pub(super) fn number(&mut self, value: &Value) -> Option<f64> {
        match value.as_f64().filter(|number| number.is_finite()) {
            Some(number) => Some(number),
            None => self.wrong("a finite number", value),
        }
    }

    /// A number of at least 0.
    pub(super) fn amount(&mut self, value: &Value) -> Option<f64> {
        let number = self.number(value)?;
        if number < 0.0 {
            let range = "a number of at least 0";
            return self.fail(SimulationFault::OutOfRange { got: kind(value), range });
        }
        Some(number)
    }

    pub(super) fn ratio(&mut self, value: &Value) -> Option<f64> {
        if let Ok(ratio) = Ratio::try_new(self.number(value)?) {
            return Some(ratio.value());
        }
        let range = "a number above 0";
        self.fail(SimulationFault::OutOfRange { got: kind(value), range })
    }

    /// A spread of a normal logarithm: beyond 3 one tick in a thousand would have ten thousand
    /// times as many.
    pub(super) fn deviation(&mut self, value: &Value) -> Option<f64> {
        let number = self.amount(value)?;
        if number > 3.0 {
            let range = "a number from 0 to 3";
            return self.fail(SimulationFault::OutOfRange { got: kind(value), range });
        }
        Some(number)
    }

    /// A whole number of at least 1 and at most ten thousand.
    pub(super) fn count(&mut self, value: &Value) -> Option<u32> {
        let whole = value.as_u64().and_then(|whole| u32::try_from(whole).ok());
        let range = "a whole number from 1 to 10000";
        whole
            .filter(|whole| (1..=10_000).contains(whole))
            .or_else(|| self.fail(SimulationFault::OutOfRange { got: kind(value), range }))
    }

    /// A seed that every JSON reader represents exactly.
    pub(super) fn seed(&mut self, value: &Value) -> Option<u64> {
        let range = "a whole number from 0 to 2^53";
        value
            .as_u64()
            .filter(|seed| *seed <= 1 << 53)
            .or_else(|| self.fail(SimulationFault::OutOfRange { got: kind(value), range }))
    }

    pub(super) fn flag(&mut self, value: &Value) -> Option<bool> {
        match value.as_bool() {
            Some(flag) => Some(flag),
            None => self.wrong("true or false", value),
        }
    }

    pub(super) fn text(&mut self, value: &Value) -> Option<String> {
        match value.as_str() {
            Some(text) => Some(text.to_owned()),
            None => self.wrong("a text", value),
        }
    }

    pub(super) fn metric(&mut self, value: &Value) -> Option<MetricName> {
        let expected = "the name of a metric";
        match value.as_str().map(MetricName::try_new) {
            Some(Ok(name)) => Some(name),
            _ => self.wrong(expected, value),
        }
    }

    /// One of a closed set.
    pub(super) fn one_of<T: Copy>(
        &mut self,
        value: &Value,
        all: &[T],
        as_str: fn(T) -> &'static str,
    ) -> Option<T> {
        let Some(text) = value.as_str() else { return self.wrong("a text", value) };
        if let Some(found) = all.iter().copied().find(|one| as_str(*one) == text) {
            return Some(found);
        }
        let known: Vec<&'static str> = all.iter().map(|one| as_str(*one)).collect();
        let near = nearest(text, known.iter().copied());
        self.fail(SimulationFault::UnknownValue { got: shown(text), nearest: near, known })
    }
}

/// The error that the policy has no such metric.
pub(super) fn unknown_metric(policy: &Policy, metric: MetricName) -> SimulationFault {
    let names = policy.metrics().iter().map(|metric| metric.id.as_str());
    SimulationFault::UnknownMetric {
        metric: metric.to_string(),
        nearest: nearest(metric.as_str(), names).map(str::to_owned),
    }
}
