//! A measure and what it may come to.

use std::collections::BTreeMap;

use serde::Serialize;

use super::MeasureName;
use crate::grade::closed_set;
use crate::unit::{MetricName, Span, Timestamp};

closed_set! {
    /// How well a measure is known.
    Standing {
        /// It is known for good, unless somebody corrects what it rests on.
        Known = "known",
        /// The incident goes on: the value is the one so far.
        Open = "open",
        /// Nobody said what it takes. It is no zero.
        NotSaid = "not_said",
    }
    /// What became of an objective.
    Objective {
        /// It was reached in time.
        Kept = "kept",
        /// It was not, or its time is up.
        Missed = "missed",
    }
}

/// One measure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measure {
    /// Which.
    pub name: MeasureName,
    /// How well it is known.
    pub standing: Standing,
    /// Its value; absent where it was not said, and of an objective that is open.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub figure: Option<Figure>,
    /// `open` where the value runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<&'static str>,
    /// Where its clock started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Mark>,
    /// Where it stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Mark>,
    /// It in a sentence, with what is missing where something is.
    pub sentence: String,
}

/// A moment that a measure rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// Its name: a [`Moment`](crate::grade::Moment), or what happened.
    pub moment: &'static str,
    /// When.
    pub at: Timestamp,
}

/// A value, by what it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Figure {
    /// A time, in seconds.
    Seconds(Span),
    /// Yes or no.
    Yes(bool),
    /// A part of a whole.
    Share(f64),
    /// A number of things.
    Count(f64),
    /// What became of the objective.
    Objective(Objective),
    /// Bad requests, by version.
    Requests(BTreeMap<String, Hurt>),
    /// The share of requests that fail.
    ErrorRate(ErrorRate),
    /// What people gave, by fact.
    Facts(BTreeMap<String, f64>),
}

/// How many requests a version hurt.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Hurt {
    /// At least so many: a request may be bad for several metrics, so only the worst one counts, and what was not read is not
    /// in it.
    pub at_least: f64,
    /// The metric that says so.
    pub metric: MetricName,
}

/// The error rate before and after the fix.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ErrorRate {
    /// The metric: `error_rate`, else the policy's first proportion.
    pub metric: MetricName,
    /// From before the incident, where that is on record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<f64>,
    /// Of the live version, over the whole rollout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<f64>,
    /// Of the fix, in the last phase that was watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<f64>,
}
