//! Findings: anomalies of a recording, or of a policy's run on it, that were accepted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::code::coded;
use crate::grade::Strategy;
use crate::metric::ReadingError;
use crate::text;
use crate::unit::{MetricName, Span, Timestamp};

/// A finding. Every assumption has one.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFinding {
    /// Its first time, if it has one.
    pub at: Option<Timestamp>,
    /// The stable code.
    pub code: String,
    /// The number of occurrences.
    pub count: usize,
    /// The anomaly and how it was handled.
    pub message: String,
    /// The metric concerned.
    pub metric: Option<MetricName>,
}

coded! {
    /// The kinds of findings. Each has its own code.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
    pub(in crate::simulate) enum Anomaly;

    #[error(
        "readings are out of order by up to {}: each is used at its own time, but a live rollout \
         would have received it late",
        text::time(*.0)
    )]
    OutOfOrder(_: Span) => "HF-REC-020",
    #[error("several readings have the same time: the last one is used")]
    Duplicate => "HF-REC-021",
    #[error(
        "there are gaps of more than three times the usual step, the longest {}: they are not \
         filled",
        text::time(*.0)
    )]
    Gap(_: Span) => "HF-REC-022",
    #[error(
        "readings lack a part, for example the trials of their events: they are left out. Where there is no \
         series of errors before the first one, join the requests times 0 to it"
    )]
    Incomplete => "HF-REC-023",
    #[error(
        "instances never have both `events` and `trials`: they are left out. Those without an error \
         yet have no series of errors: join their requests times 0 to it"
    )]
    Partial => "HF-REC-046",
    #[error(
        "numbers are NaN or infinite: they are passed on, and the arm's reading does not count"
    )]
    NotFinite => "HF-REC-024",
    #[error("no series matches its {0}: that arm has no readings")]
    NoSeries(_: &'static str) => "HF-REC-025",
    #[error(
        "readings of one tick cannot be added because their buckets or strata differ: the last \
         one is used"
    )]
    Unmerged => "HF-REC-026",
    #[error("the policy does not have this metric: it is left out")]
    NotInPolicy => "HF-REC-027",
    #[error(
        "a deciding metric that was not recorded: it does not decide in this backtest, and the weights \
         of the others are scaled up"
    )]
    LeftOut => "HF-REC-028",
    #[error(
        "it has no live version to compare with: it is compared with its reference, and its test does not run"
    )]
    NoBaseline => "HF-REC-029",
    #[error(
        "in the policy this metric scales with the share of traffic: the recorded arm is assumed \
         to have the phase's share"
    )]
    Scaled => "HF-REC-030",
    #[error(
        "ticks have no reading: the policy evaluates every {}, and these evaluations have no \
         data",
        text::time(*.0)
    )]
    Coarse(_: Span) => "HF-REC-031",
    #[error(
        "the log's rollout had a history of it, for tests that this policy does not have: its test runs \
         without one"
    )]
    OtherTests => "HF-REC-050",
    #[error("the recording ends before the rollout{}", rolled_back(*.0))]
    Over(_: Option<Timestamp>) => "HF-REC-032",
    #[error("the policy asked a person at a gate, or because the live version was not recorded: this backtest \
         assumes an immediate go")]
    Passed => "HF-REC-033",
    #[error(
        "ticks have another share of the traffic than the log's rollout had: the recorded readings \
         are used unchanged"
    )]
    OtherShare => "HF-REC-045",
    #[error(
        "the canary has another share of the recorded requests than its phase, which is not promoted \
         (`split_not_as_planned`): give the phases the recorded shares"
    )]
    OtherSplit => "HF-REC-051",
    #[error("further entries are not listed: at most {0} are")]
    Cut(_: usize) => "HF-REC-034",
    #[error("it is not by instance, which a history is: it is left out")]
    NotByInstance => "HF-REC-035",
    #[error(
        "readings are no histogram of both arms with the metric's boundaries: they are left out \
         of the history"
    )]
    NotInBoundaries => "HF-REC-039",
    #[error("no history calibrates its test under this policy: it is left out")]
    NotCalibrated => "HF-REC-036",
    #[error("numbers are negative, NaN or infinite: they are left out of the history")]
    NoCount => "HF-REC-037",
    #[error(
        "readings have more events than trials, which a proportion cannot have, often because \
         the two are swapped: they are left out of the history, and if they are most, so is the \
         metric"
    )]
    MoreThanTrials => "HF-REC-040",
    #[error(
        "the trials rise and hardly ever fall, as running totals do: say `totals`. A backtest counts each as \
         new requests, and a history leaves it out"
    )]
    RisesOnly => "HF-REC-042",
    #[error(
        "it covers {}, and {} or more are wanted: with less, false rollbacks may exceed alpha. If it \
         should cover more, check the unit of its times",
        text::time(*has),
        text::time(*wanted)
    )]
    Short { has: Span, wanted: Span } => "HF-REC-043",
    #[error(
        "none of its readings has trials: it is left out of the history. Numbers that are no running \
         totals are not `totals`"
    )]
    NoTrials => "HF-REC-044",
    #[error(
        "its readings are {} or more apart, at least twice as far as those of a rollout, which bounds a burst \
         in each: it is left out of the history. Record it in steps of the policy's cadence, or set \
         `watch.scrape` if a rollout is read as seldom",
        text::time(*.0)
    )]
    Seldom(_: Span) => "HF-REC-047",
    #[error(
        "the trials fall about as often as they rise, which running totals do not: do not say `totals`. A \
         backtest takes each fall for a restart, and a history leaves it out"
    )]
    FallsToo => "HF-REC-048",
    #[error(
        "it has one instance, which there is none to compare with: it is left out of the history. Use a \
         mode that needs none"
    )]
    OneInstance => "HF-REC-049",
    #[error(
        "there are pauses, the longest {}: the history goes on after them as if they were not \
         there",
        text::time(*.0)
    )]
    Pause(_: Span) => "HF-REC-038",
    #[error(
        "the log's rollout had the strategy `{0}`, which cannot be planned with this policy: its \
         own phases are used"
    )]
    OtherStrategy(_: Strategy) => "HF-REC-041",
}

/// A sentence about the log's own rollout, if it was rolled back.
fn rolled_back(at: Option<Timestamp>) -> String {
    let so = |at| {
        format!(
            ". The rollout of the log was rolled back at {at}: by another policy, by a person, or because it was \
             read at other times than the ticks of the backtest"
        )
    };
    at.map_or_else(String::new, so)
}

impl Anomaly {
    pub(in crate::simulate) fn finding(
        self,
        count: usize,
        metric: Option<MetricName>,
        at: Option<Timestamp>,
    ) -> RecordedFinding {
        let message = self.to_string();
        RecordedFinding { at, code: self.code().to_owned(), count, message, metric }
    }
}

/// Anomalies by metric and code: each with how often and when first, and of those with a time span
/// the longest.
#[derive(Clone, Default)]
pub(in crate::simulate) struct Anomalies(
    BTreeMap<(Option<MetricName>, &'static str), (Anomaly, usize, Timestamp)>,
);

impl Anomalies {
    pub(in crate::simulate) fn note(
        &mut self,
        odd: Anomaly,
        of: Option<MetricName>,
        at: Timestamp,
    ) {
        let (most, count, _) = self.0.entry((of, odd.code())).or_insert((odd, 0, at));
        *most = odd.max(*most);
        *count += 1;
    }

    /// How often a metric had this anomaly.
    pub(super) fn count(&self, odd: Anomaly, metric: MetricName) -> usize {
        self.0.get(&(Some(metric), odd.code())).map_or(0, |(_, count, _)| *count)
    }

    pub(in crate::simulate) fn findings(&self) -> impl Iterator<Item = RecordedFinding> {
        let all = self.0.iter();
        all.map(|((metric, _), (odd, count, at))| odd.finding(*count, *metric, Some(*at)))
    }
}

impl RecordedFinding {
    pub(super) fn in_arm(self, arm: &str) -> Self {
        Self { message: format!("{arm}: {}", self.message), ..self }
    }

    /// The finding as a further clause of a sentence. None if it names no metric.
    pub(super) fn of_metric(&self) -> Option<String> {
        let Self { code, message, .. } = self;
        self.metric.map(|metric| format!("; {code} of `{metric}`: {message}"))
    }

    /// Readings that the rollout refused, with the first error.
    pub(in crate::simulate) fn refused(error: &ReadingError, count: usize, at: Timestamp) -> Self {
        let message = format!("readings were refused and are left out: {error}");
        let metric = Some(error.metric());
        Self { at: Some(at), code: error.code().to_owned(), count, message, metric }
    }
}
