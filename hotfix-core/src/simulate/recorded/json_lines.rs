//! JSON Lines: one observation per line in the library's format, with its time. A rollout's own log
//! is also accepted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::canonical::pretty;
use crate::document::read_value;
use crate::metric::{Observation, Sample};
use crate::plan::Subject;
use crate::sorting::sort_by_key;
use crate::text;
use crate::unit::{Share, Timestamp};

use super::error::{RecordedErrors, RecordedFault};
use super::finding::{Anomalies, Anomaly};
use super::mapping::{Mapping, TimeUnit};
use super::{
    Logged, RecordedMetrics, RecordedReading, message_of, milliseconds, moment, seconds,
    shows_requests,
};

/// A line. Lines of a log have a `kind` and further members, others only `at` and `metrics`.
#[derive(Default)]
struct Line {
    at: Option<Value>,
    kind: Option<String>,
    metrics: Option<Observation>,
    plan: Option<Value>,
    policy: Option<Value>,
    calibration: Option<Value>,
    release: Option<Value>,
    severity: Option<Value>,
    action: Option<Value>,
    actions: Option<Value>,
    other: Option<String>,
}

/// The moves of traffic in a rollout's log.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Moves {
    /// The share that each action moves to.
    asked: BTreeMap<String, Share>,
    pub(super) made: Vec<(Timestamp, Share)>,
    /// When the rollback was first asked for.
    pub(super) rolled_back: Option<Timestamp>,
    /// When the log's rollout was last read.
    read_at: Option<Timestamp>,
    /// The moments of moves in which it was read before the move.
    pub(super) read_first: BTreeSet<Timestamp>,
}

impl Moves {
    fn note(&mut self, line: &Line, at: Option<Timestamp>) {
        let confirmed = line.kind.as_deref() == Some("confirm");
        let id = line.action.as_ref().and_then(Value::as_str).filter(|_| confirmed);
        // A share of 0 before the fix has had any traffic is not a move.
        let share = id.and_then(|id| self.asked.get(id));
        let share = share.filter(|share| !self.made.is_empty() || **share > Share::NONE);
        if let (Some(at), Some(share)) = (at, share) {
            self.read_first.extend(self.read_at.filter(|read| *read == at));
            self.made.push((at, *share));
        }
        if line.metrics.is_some() {
            self.read_at = at;
        }
        for action in line.actions.as_ref().and_then(Value::as_array).into_iter().flatten() {
            let share = match action["kind"].as_str() {
                Some("set_traffic") => serde_json::from_value(action["share"].clone()).ok(),
                Some("roll_back") => {
                    self.rolled_back = self.rolled_back.or(at);
                    Some(Share::NONE)
                }
                _ => None,
            };
            if let (Some(id), Some(share)) = (action["id"].as_str(), share) {
                self.asked.insert(id.to_owned(), share);
            }
        }
    }
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Line;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with `at` and `metrics`")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line, A::Error> {
                let mut line = Line::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "at" => line.at = Some(map.next_value()?),
                        "kind" => line.kind = Some(map.next_value()?),
                        "metrics" => line.metrics = Some(map.next_value()?),
                        other => {
                            match other {
                                "plan" => line.plan = Some(map.next_value()?),
                                "policy" => line.policy = Some(map.next_value()?),
                                "calibration" => line.calibration = Some(map.next_value()?),
                                "release" => line.release = Some(map.next_value()?),
                                "severity" => line.severity = Some(map.next_value()?),
                                "action" => line.action = Some(map.next_value()?),
                                "actions" => line.actions = Some(map.next_value()?),
                                _ => drop(map.next_value::<IgnoredAny>()?),
                            }
                            line.other.get_or_insert(key);
                        }
                    }
                }
                Ok(line)
            }
        }
        deserializer.deserialize_map(Members)
    }
}

pub(super) fn read(text: &str, mapping: &Mapping) -> Result<RecordedMetrics, RecordedErrors> {
    if !mapping.metrics.is_empty() {
        let fault = "JSON Lines contain the ids of their metrics: omit `metrics`".to_owned();
        return Err(RecordedFault::Mapping { fault }.at("/metrics"));
    }
    let mut lines: Vec<(RecordedReading, Option<Timestamp>)> = Vec::new();
    let mut latest: Option<Timestamp> = None;
    let (mut subject, mut calibrated) = (Subject::default(), None);
    let mut moves = Moves::default();
    for (number, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(text).map_err(|error| {
            RecordedFault::Json { fault: message_of(&error) }.at_line(number, error.column())
        })?;
        if line.kind.is_some() {
            let at = line.at.as_ref().and_then(|at| time(at, mapping.time.unit, number).ok());
            moves.note(&line, at);
        }
        if line.kind.as_deref().is_some_and(|kind| kind != "observe") {
            if let Some(opened) = line.plan.and_then(|plan| read_value(&plan).ok()) {
                subject = opened;
                let read = |policy: Value, of: Value| {
                    Some((read_value(&policy).ok()?, read_value(&of).ok()?))
                };
                calibrated = line.policy.zip(line.calibration).and_then(|(p, of)| read(p, of));
            }
            let release = line.release.and_then(|release| read_value(&release).ok());
            subject.release = release.or(subject.release);
            if moves.made.is_empty() {
                let severity = line.severity.and_then(|severity| read_value(&severity).ok());
                subject.incident.severity = severity.or(subject.incident.severity);
            }
            continue;
        }
        let refuse = |fault: String| RecordedFault::Json { fault }.at_line(number, 1);
        if let (None, Some(other)) = (&line.kind, &line.other) {
            let other = text::shown(other);
            return Err(refuse(format!("`{other}` is not known: a line has `at` and `metrics`")));
        }
        let (Some(at), Some(metrics)) = (line.at, line.metrics) else {
            return Err(refuse("a line has `at` and `metrics`".to_owned()));
        };
        let at = time(&at, mapping.time.unit, number)?;
        let after = latest.filter(|last| at < *last);
        if after.is_none() {
            latest = Some(at);
        }
        if lines.len() == RecordedMetrics::MOST_POINTS {
            let (what, most) = ("lines", RecordedMetrics::MOST_POINTS);
            return Err(RecordedFault::TooMuch { what, most }.anywhere());
        }
        lines.push((RecordedReading { at, metrics }, after));
    }
    // Stable: readings of the same time keep the order of the text.
    sort_by_key(&mut lines, |(reading, _)| reading.at);
    let mut odd = Anomalies::default();
    let mut readings = Vec::with_capacity(lines.len());
    // The readings of the present time as text, in which NaN equals NaN.
    let (mut now, mut seen) = (None, BTreeSet::new());
    let mut lines = lines.into_iter().peekable();
    while let Some((reading, after)) = lines.next() {
        let at = reading.at;
        // Most times have one reading.
        let is_alone = now != Some(at) && lines.peek().is_none_or(|(next, _)| next.at != at);
        if now.replace(at) != Some(at) {
            seen.clear();
        }
        // An identical observation with the same time is a second delivery, wherever it is in the
        // text.
        let text = || pretty(&reading.metrics);
        if !is_alone && text().is_ok_and(|text| !seen.insert(text)) {
            odd.note(Anomaly::Duplicate, None, at);
            continue;
        }
        if let Some(after) = after {
            odd.note(Anomaly::OutOfOrder(after.since(at)), None, at);
        }
        for (metric, reading) in reading.metrics.iter() {
            let mut samples =
                reading.strata().flat_map(|arms| arms.canary.iter().chain(&arms.baseline));
            if !samples.all(is_finite) {
                odd.note(Anomaly::NotFinite, Some(metric), at);
            }
        }
        readings.push(reading);
    }
    let findings = odd.findings().collect();
    let Subject { incident, release, traffic, .. } = subject;
    let severity = incident.severity;
    let planned = |release| Box::new(Logged { release, severity, traffic, calibrated });
    let planned = release.map(planned);
    let mut first_of_canary = BTreeMap::new();
    for reading in &readings {
        for (metric, of) in reading.metrics.iter() {
            if of.strata().any(|arms| arms.canary.as_ref().is_some_and(shows_requests)) {
                first_of_canary.entry(metric).or_insert(reading.at);
            }
        }
    }
    Ok(RecordedMetrics { readings, findings, first_of_canary, planned, moves })
}

fn time(at: &Value, unit: TimeUnit, line: u64) -> Result<Timestamp, RecordedErrors> {
    let read = match (at, unit) {
        (Value::String(text), TimeUnit::Rfc3339) => moment(text, unit),
        (Value::Number(number), TimeUnit::Seconds) => number.as_f64().and_then(seconds),
        (Value::Number(number), TimeUnit::Milliseconds) => number.as_i64().and_then(milliseconds),
        _ => None,
    };
    read.ok_or_else(|| {
        let (got, unit) = (text::shown(&at.to_string()), unit.as_str());
        RecordedFault::Time { got, unit }.at_line(line, 1)
    })
}

fn is_finite(sample: &Sample) -> bool {
    match sample {
        Sample::Pair(events, trials) => events.is_finite() && trials.is_finite(),
        Sample::Level(level) => level.is_finite(),
        Sample::Histogram(histogram) => {
            histogram.count.is_finite() && histogram.counts.iter().all(|count| count.is_finite())
        }
        Sample::Samples(samples) => samples.iter().all(|sample| sample.is_finite()),
        Sample::Instances(instances) => {
            instances.values().flatten().all(|number| number.is_finite())
        }
    }
}
