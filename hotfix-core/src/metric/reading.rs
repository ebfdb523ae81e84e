//! One observation as the caller sends it: by metric, the readings of each arm since the last one.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::convert::Infallible;
use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::canonical::if_any;
use crate::unit::{FromNumberOrText, FromText, MetricName};

use super::strata::Reading;

/// Metrics that an observation has memory for at first: most have no more.
const USUAL: usize = 8;

/// The readings of an observation, by metric id. In JSON an object `{"error_rate": {"canary": [3,
/// 1000], …}, …}`.
///
/// A metric that is left out has no reading in this observation: absent is never zero.
///
/// ```
/// use hotfix_core::metric::Observation;
/// let seen: Observation = serde_json::from_str(
///     r#"{"error_rate": {"canary": [3, 1000], "baseline": [24, 9000]},
///         "request_volume": {"canary": 98.5}}"#,
/// )?;
/// assert_eq!(seen.len(), 2);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    readings: Vec<(MetricName, Reading)>,
}

impl Observation {
    /// Nothing observed.
    pub const fn new() -> Self {
        Self { readings: Vec::new() }
    }

    /// Sets the reading of a metric; an earlier one is replaced. Keeps its memory, so that the
    /// caller can reuse it.
    pub fn set(&mut self, metric: MetricName, reading: impl Into<Reading>) {
        let reading = reading.into();
        match self.readings.binary_search_by(|(name, _)| name.cmp(&metric)) {
            Ok(at) => self.readings[at].1 = reading,
            Err(at) => self.readings.insert(at, (metric, reading)),
        }
    }

    /// The readings in the order of their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (MetricName, &Reading)> {
        self.readings.iter().map(|(name, reading)| (*name, reading))
    }

    /// Removes and returns a metric's reading, such as a refused one: see [`ReadingError::metric`].
    ///
    /// [`ReadingError::metric`]: crate::metric::ReadingError::metric
    pub fn remove(&mut self, metric: MetricName) -> Option<Reading> {
        let at = self.readings.iter().position(|(name, _)| *name == metric)?;
        Some(self.readings.remove(at).1)
    }

    /// The reading of a metric, to be changed in place.
    pub fn get_mut(&mut self, metric: MetricName) -> Option<&mut Reading> {
        self.readings.iter_mut().find(|(name, _)| *name == metric).map(|(_, reading)| reading)
    }

    /// Moves out the arms of a metric, to be changed and set again; empty arms without a reading.
    pub(crate) fn take_arms(&mut self, metric: MetricName) -> Arms {
        let known = self.get_mut(metric).map(|reading| std::mem::take(reading.whole_mut()));
        known.unwrap_or_default()
    }

    pub(crate) fn as_slice(&self) -> &[(MetricName, Reading)] {
        &self.readings
    }

    /// The readings in the order of their ids, to be changed in place.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&MetricName, &mut Reading)> {
        self.readings.iter_mut().map(|(name, reading)| (&*name, reading))
    }

    /// How many metrics have a reading.
    pub fn len(&self) -> usize {
        self.readings.len()
    }

    /// True where nothing was observed.
    pub fn is_empty(&self) -> bool {
        self.readings.is_empty()
    }

    pub(crate) fn retain(&mut self, mut fits: impl FnMut(&Reading) -> bool) {
        self.readings.retain(|(_, reading)| fits(reading));
    }

    /// Forgets the readings and keeps the memory.
    pub fn clear(&mut self) {
        self.readings.clear();
    }
}

/// The reading of both arms of one metric.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arms {
    /// The live arm; if absent, the reference is used.
    pub baseline: Option<Sample>,
    /// The arm that runs the fix.
    pub canary: Option<Sample>,
    /// The numbers are running counters; resets are handled.
    #[serde(default, deserialize_with = "if_any", skip_serializing_if = "std::ops::Not::not")]
    pub totals: bool,
}

/// The reading of one arm.
#[derive(Clone, Debug, PartialEq)]
pub enum Sample {
    /// `[events, trials]`, or `[events, seconds of exposure]` for a count.
    Pair(f64, f64),
    /// A level: a gauge, or a volume per minute.
    Level(f64),
    /// Cumulative histogram buckets.
    Histogram(Histogram),
    /// Raw latencies in seconds.
    Samples(Vec<f64>),
    /// `[events, trials]` of each instance; judged as their sum, and by themselves where the
    /// evidence mode needs it. At least one instance, and none may have the name of a member of the
    /// other forms: `count`, `counts`, `le`, `samples`.
    Instances(BTreeMap<String, [f64; 2]>),
}

/// Cumulative histogram buckets as Prometheus gives them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Histogram {
    /// All requests.
    #[serde(serialize_with = "number")]
    pub count: f64,
    /// Requests at or below each boundary; never falling.
    #[serde(serialize_with = "numbers")]
    pub counts: Vec<f64>,
    /// Upper boundaries in seconds, ascending; the open last bucket is left out.
    #[serde(serialize_with = "numbers")]
    pub le: Vec<f64>,
}

impl Serialize for Observation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Observation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Readings;
        impl<'de> Visitor<'de> for Readings {
            type Value = Observation;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of readings by metric id")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Observation, A::Error> {
                let mut readings: Vec<(MetricName, Reading)> = Vec::new();
                while let Some(name) = map.next_key::<MetricName>()? {
                    // In a log they come in order.
                    let place = match readings.last() {
                        Some((last, _)) if *last >= name => {
                            readings.binary_search_by(|(known, _)| known.cmp(&name))
                        }
                        _ => Err(readings.len()),
                    };
                    let Err(place) = place else {
                        return Err(A::Error::custom(format_args!(
                            "the metric `{name}` comes twice"
                        )));
                    };
                    if readings.is_empty() {
                        readings.reserve(USUAL);
                    }
                    readings.insert(place, (name, map.next_value::<Reading>()?));
                }
                Ok(Observation { readings })
            }
        }
        deserializer.deserialize_map(Readings)
    }
}

/// A number, written as its name if it is not finite, as JSON has no NaN: so the log shows what was
/// sent.
struct Number(f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            serializer.serialize_f64(self.0)
        } else if self.0.is_nan() {
            serializer.serialize_str("NaN")
        } else {
            serializer.serialize_str(if self.0 > 0.0 { "Infinity" } else { "-Infinity" })
        }
    }
}

fn named_number(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let named = |text: &str| named_number(text).map(Self).ok_or("a number is expected");
        deserializer.deserialize_any(FromNumberOrText("a number", |value| Ok(Self(value)), named))
    }
}

/// Writes a field as a [`Number`].
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn number<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    Number(*value).serialize(serializer)
}

/// Writes a field as a list of [`Number`]s.
fn numbers<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(|&value| Number(value)))
}

fn plain(numbers: Vec<Number>) -> Vec<f64> {
    numbers.into_iter().map(|number| number.0).collect()
}

/// Samples as they are written.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(serialize_with = "numbers")]
    samples: &'a [f64],
}

impl Serialize for Sample {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Pair(events, trials) => (Number(*events), Number(*trials)).serialize(serializer),
            Self::Level(value) => Number(*value).serialize(serializer),
            Self::Histogram(histogram) => histogram.serialize(serializer),
            Self::Samples(samples) => Written { samples }.serialize(serializer),
            Self::Instances(instances) => {
                let pair = |&[events, trials]: &[f64; 2]| (Number(events), Number(trials));
                serializer.collect_map(instances.iter().map(|(name, counts)| (name, pair(counts))))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Sample {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SampleVisitor)
    }
}

/// Members that identify the form of an object, so no instance may have such a name.
pub(super) const NO_INSTANCES: [&str; 4] = ["count", "counts", "le", "samples"];

/// A member of a sample that is an object.
enum Key {
    Le,
    Counts,
    Count,
    Samples,
    Instance(String),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let key = |text: &str| {
            Ok::<_, Infallible>(match text {
                "le" => Self::Le,
                "counts" => Self::Counts,
                "count" => Self::Count,
                "samples" => Self::Samples,
                instance => Self::Instance(instance.to_owned()),
            })
        };
        deserializer.deserialize_str(FromText("a name", key))
    }
}

struct OfInstance([f64; 2]);

impl<'de> Deserialize<'de> for OfInstance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pair;
        impl<'de> Visitor<'de> for Pair {
            type Value = OfInstance;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "[events, trials]: only counts and proportions are read by instance; for the whole arm \
                     the list comes in place of the object, as [1, 1000]",
                )
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OfInstance, A::Error> {
                let pair = (seq.next_element::<Number>()?, seq.next_element::<Number>()?);
                match (pair, seq.next_element::<serde::de::IgnoredAny>()?) {
                    ((Some(events), Some(trials)), None) => Ok(OfInstance([events.0, trials.0])),
                    ((one, two), more) => {
                        let length = usize::from(one.is_some())
                            + usize::from(two.is_some())
                            + usize::from(more.is_some());
                        Err(A::Error::invalid_length(length, &self))
                    }
                }
            }
        }
        deserializer.deserialize_any(Pair)
    }
}

pub(super) fn twice<E: Error>(name: &str) -> E {
    E::custom(format_args!("`{name}` comes twice"))
}

struct SampleVisitor;

impl<'de> Visitor<'de> for SampleVisitor {
    type Value = Sample;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a number, [events, trials], {\"le\", \"counts\", \"count\"}, {\"samples\"} or \
             {instance: [events, trials]}",
        )
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Sample, E> {
        Ok(Sample::Level(value))
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Sample, E> {
        Ok(Sample::Level(value as f64))
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Sample, E> {
        Ok(Sample::Level(value as f64))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Sample, E> {
        named_number(text).map(Sample::Level).ok_or_else(|| E::custom("a number is expected"))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Sample, A::Error> {
        let pair = (seq.next_element::<Number>()?, seq.next_element::<Number>()?);
        match (pair, seq.next_element::<serde::de::IgnoredAny>()?) {
            ((Some(events), Some(trials)), None) => Ok(Sample::Pair(events.0, trials.0)),
            _ => Err(A::Error::custom("a list has two numbers: [events, trials]")),
        }
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sample, A::Error> {
        let (mut le, mut counts, mut count, mut samples) = (None, None, None, None);
        let mut instances = BTreeMap::new();
        while let Some(key) = map.next_key::<Key>()? {
            let again = match key {
                Key::Le => le.replace(plain(map.next_value()?)).map(|_| "le"),
                Key::Counts => counts.replace(plain(map.next_value()?)).map(|_| "counts"),
                Key::Count => count.replace(map.next_value::<Number>()?.0).map(|_| "count"),
                Key::Samples => samples.replace(plain(map.next_value()?)).map(|_| "samples"),
                Key::Instance(name) => match instances.entry(name) {
                    Entry::Occupied(known) => return Err(twice(known.key())),
                    Entry::Vacant(place) => {
                        place.insert(map.next_value::<OfInstance>()?.0);
                        None
                    }
                },
            };
            if let Some(name) = again {
                return Err(twice(name));
            }
        }
        let none = instances.is_empty();
        match (le, counts, count, samples) {
            (Some(le), Some(counts), Some(count), None) if none => {
                Ok(Sample::Histogram(Histogram { count, counts, le }))
            }
            (None, None, None, Some(samples)) if none => Ok(Sample::Samples(samples)),
            (None, None, None, None) if !none => Ok(Sample::Instances(instances)),
            (le, counts, count, None) if none && (le.is_some() || count.is_some()) => {
                let missing = match (le, counts) {
                    (None, _) => "le",
                    (_, None) => "counts",
                    _ => "count",
                };
                Err(A::Error::missing_field(missing))
            }
            _ => Err(A::Error::custom(
                "an object is {\"le\", \"counts\", \"count\"}, {\"samples\"} or {instance: \
                 [events, trials]}",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn met_6_every_form_reads_back_as_written() {
        let text = r#"{"bug":{"baseline":[5,10.0],"canary":[0,10.0]},"cpu":{"canary":"NaN"},"e":{"canary":{"pod-7":[3.0,1000.0],"pod-8":["NaN","Infinity"]}},"h":{"baseline":{"count":"Infinity","counts":[61.0,"NaN"],"le":[0.1,0.5]}},"l":{"canary":{"samples":[0.081,"Infinity"]}},"p":{"canary":{"count":100.0,"counts":[61.0,99.0],"le":[0.1,0.5]},"totals":true},"s":{"eu":{"canary":5.0},"us":{}},"t":{"eu":{}}}"#;
        let seen: Observation = serde_json::from_str(text).unwrap();
        let again = serde_json::to_string(&seen).unwrap();
        assert_eq!(again, text.replace("[5,", "[5.0,").replace("[0,", "[0.0,"));
    }

    #[test]
    fn field_5_an_unknown_form_says_what_is_known() {
        for text in [
            r#"{"e":{"canary":[1]}}"#,
            r#"{"e":{"canary":{"le":[1]}}}"#,
            r#"{"e":{"canry":[1,2]}}"#,
            r#"{"e":{"eu":{"canary":[1,2]},"totals":true}}"#,
        ] {
            let error = serde_json::from_str::<Observation>(text).unwrap_err().to_string();
            let known = ["events, trials", "canary", "counts", "both arms"];
            assert!(known.iter().any(|known| error.contains(known)), "{error}");
        }
    }
}
