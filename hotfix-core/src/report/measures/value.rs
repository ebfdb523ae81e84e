//! A measure and its value.

use std::collections::BTreeMap;

use serde::Serialize;

use super::MeasureName;
use crate::grade::closed_set;
use crate::unit::{MetricName, Span, Timestamp};

closed_set! {
    /// Status of a measure.
    MeasureStatus {
        /// The value is final, unless a time that it is computed from is corrected.
        Known = "known",
        /// The incident is not over: the value is the one so far.
        Open = "open",
        /// The inputs of the measure were not recorded. The value is unknown, not zero.
        NotStated = "not_stated",
        /// The policy does not ask for what is measured, and nobody did it.
        NotAsked = "not_asked",
    }
    /// What the failed requests of a version are counted in.
    ImpactUnit {
        /// Failed requests.
        Requests = "requests",
        /// Events, of which a request may have several: no failed request was counted.
        Events = "events",
    }
    /// Outcome of an objective.
    Objective {
        Kept = "kept",
        Missed = "missed",
    }
}

/// One measure.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measure {
    /// Name of the measure.
    pub name: MeasureName,
    /// Status of the measure.
    pub status: MeasureStatus,
    /// The value; absent where it was not stated, and for an objective that is open.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub figure: Option<Figure>,
    /// `open` where the clock still runs.
    pub until: Option<&'static str>,
    /// Start of its clock.
    pub from: Option<Mark>,
    /// End of its clock.
    pub to: Option<Mark>,
    /// The measure as a sentence, or what is missing.
    pub sentence: String,
}

/// A moment from or to which a measure runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// Name of the moment: a [`Moment`](crate::grade::Moment), or an event.
    pub moment: &'static str,
    /// Time of the moment.
    pub at: Timestamp,
}

/// Value of a measure, by its type.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Figure {
    /// A time span, in seconds.
    Seconds(Span),
    /// Yes or no.
    Yes(bool),
    /// A share from 0 to 1.
    Share(f64),
    /// A count.
    Count(f64),
    /// Outcome of the objective.
    Objective(Objective),
    /// Failed requests by version.
    Requests(BTreeMap<String, Impact>),
    /// Error rate without and with the fix.
    ErrorRate(ErrorRate),
    /// Values of facts, by fact.
    Facts(BTreeMap<String, f64>),
}

/// Failed requests of one version.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Impact {
    /// Lower limit: a request may fail for several metrics, so only the metric with the highest
    /// count is used, and requests without a reading are not counted.
    pub at_least: f64,
    /// The metric with the highest count.
    pub metric: MetricName,
    /// What is counted.
    pub unit: ImpactUnit,
}

/// Error rate before the incident, without the fix and with it. A share of successes is turned.
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ErrorRate {
    /// The metric: `error_rate`, else the policy's first proportion.
    pub metric: MetricName,
    /// Reference from before the incident, if the policy has one.
    pub reference: Option<f64>,
    /// Rate of the live version in the last attempt, without warm-ups.
    pub before: Option<f64>,
    /// Rate of the fix in the last phase that was watched.
    pub after: Option<f64>,
}
