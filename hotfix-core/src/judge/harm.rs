//! Lesser harm: estimated bad events of each version. A rollback returns to a version that is known
//! to be faulty. The impact of both is shown, so that a person can choose the lesser harm.
//!
//! It is estimated from the trailing window, as the figures beside it are: a fix that breaks late has
//! a good phase behind it. A version is the lesser harm only if the phase says the same.

use serde::{Deserialize, Serialize};

use crate::grade::Role;
use crate::policy::Policy;
use crate::stats::Counts;
use crate::stats::interval::{Interval, wilson};
use crate::unit::{MetricName, Share, Timestamp};

use super::bracket::{BASELINE, CANARY};
use super::watched::Watched;
use super::{Judge, Moment};

/// Confidence of the interval of a rate.
const CONFIDENCE: f64 = 0.95;
/// Standard deviations to either side at that confidence, for the square root of a count.
const DEVIATIONS: f64 = 1.96;

/// Bad events a minute of each version, over the trailing window.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Harm {
    /// Time of the estimate.
    pub at: Timestamp,
    /// Bad events a minute of the canary with all of the traffic; absent without data.
    pub canary: Option<Interval>,
    /// The version with certainly fewer bad events with all of the traffic, over the trailing window
    /// and over the phase so far; absent if that is not certain, as while a metric has data of only
    /// one version.
    pub lesser: Option<Version>,
    /// Bad events a minute of the live version with all of the traffic; absent without data.
    pub live: Option<Interval>,
    /// By metric, in the order of ids: those that count bad events and decide.
    pub metrics: Vec<MetricHarm>,
    /// Requests a minute over all arms, by the proportion with the most, in the trailing window, or
    /// in the phase once the window is empty; else as planned; absent if neither is known.
    pub requests_per_minute: Option<f64>,
}

crate::grade::closed_set! {
    /// One of the two versions.
    Version {
        /// The version under test.
        Canary = "canary",
        /// The live version, which a rollback returns to.
        Live = "live",
    }
}

/// Bad events of both versions by one metric.
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricHarm {
    /// The version under test; absent without data.
    pub canary: Option<VersionImpact>,
    /// The live version; absent without data.
    pub live: Option<VersionImpact>,
    /// The metric.
    pub metric: MetricName,
}

/// Bad events a minute.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct VersionImpact {
    /// With all of the traffic.
    pub at_full: f64,
    /// Its 95% interval; a Wilson interval for a proportion.
    pub at_full_range: Interval,
    /// With its present traffic.
    pub now: f64,
}

impl Harm {
    /// Estimated bad events of each version, over the trailing window: the rate of a proportion times its
    /// own trials, because payments are only a part of the requests.
    /// The bad events of several metrics may be the same requests or different ones: a version has
    /// at least the bad events of its worst metric, and at most the sum of all.
    pub fn of(judge: &Judge, moment: &Moment<'_>) -> Harm {
        let metrics: Vec<MetricHarm> = by_metric(judge, moment, Watched::window_counts)
            .filter(|m| m.canary.is_some() || m.live.is_some())
            .collect();
        let ([canary, live], _) = in_all(metrics.iter().copied());
        let lesser = lesser(judge, moment);
        let requests_per_minute = requests_per_minute(judge, moment);
        Self { at: moment.at, canary, lesser, live, metrics, requests_per_minute }
    }

    /// Bad events of both versions in one unit, canary first, and what they are: failed requests where
    /// a metric has any, else events, of which a request may have several.
    pub(crate) fn in_one_unit(&self, policy: &Policy) -> ([Option<Interval>; 2], &'static str) {
        match self.counted(policy, true) {
            [None, None] => (self.counted(policy, false), "events"),
            requests => (requests, "failed requests"),
        }
    }

    /// Bad events of both versions, canary first, by the metrics that count requests, or by the others.
    pub(crate) fn counted(&self, policy: &Policy, requests: bool) -> [Option<Interval>; 2] {
        let of = |id: &MetricName| policy.metric(id.as_str());
        let counts =
            |m: &&MetricHarm| of(&m.metric).is_some_and(|of| of.kind.is_fraction() == requests);
        in_all(self.metrics.iter().filter(counts).copied()).0
    }

    /// The version with certainly fewer bad events over the trailing window, whatever the phase shows.
    pub(crate) fn lesser_now(&self) -> Option<Version> {
        in_all(self.metrics.iter().copied()).1
    }
}

/// The version with certainly fewer bad events, now and over the phase so far.
pub(super) fn lesser(judge: &Judge, moment: &Moment<'_>) -> Option<Version> {
    let over = |counts: CountsOver| in_all(by_metric(judge, moment, counts)).1;
    over(Watched::window_counts).filter(|now| over(Watched::phase_counts) == Some(*now))
}

/// The totals of both arms over a stretch of time.
type CountsOver = fn(&Watched) -> [Counts; 2];

/// The metrics that count bad events: those that decide, and the bug's own.
fn by_metric(
    judge: &Judge,
    moment: &Moment<'_>,
    counts: CountsOver,
) -> impl Iterator<Item = MetricHarm> {
    let bug = judge.fix_test.as_ref().map(|fix| fix.metric);
    judge.watched.iter().enumerate().filter_map(move |(index, watched)| {
        let decides = watched.metric().role == Role::Decide || bug == Some(index);
        (watched.metric().counts_bad_events() && decides).then(|| {
            let [canary, live] = counts(watched);
            let (share, trials) = (moment.share, watched.trials_per_minute(moment));
            MetricHarm {
                canary: watched.impact(canary, share.as_fraction(), trials),
                live: watched.impact(live, share.rest().as_fraction(), trials),
                metric: watched.metric().id,
            }
        })
    })
}

/// The traffic: the trials of the proportion that has the most, because each counts all requests or a
/// part of them; else as planned.
pub(super) fn requests_per_minute(judge: &Judge, moment: &Moment<'_>) -> Option<f64> {
    let proportions = judge.watched.iter().filter(|watched| watched.metric().kind.is_fraction());
    let observed = proportions.filter_map(|watched| watched.trials_per_minute(moment));
    observed.reduce(f64::max).or(moment.traffic)
}

/// Estimated bad events of canary and live version with all of the traffic, and the version with
/// certainly fewer of them: only if each metric has data of both or of neither, because unknown is
/// not zero.
fn in_all(metrics: impl Iterator<Item = MetricHarm>) -> ([Option<Interval>; 2], Option<Version>) {
    let (mut sums, mut alike) = ([None::<Interval>; 2], true);
    for MetricHarm { canary, live, .. } in metrics {
        alike &= canary.is_some() == live.is_some();
        for (sum, impact) in sums.iter_mut().zip([canary, live]) {
            if let Some(VersionImpact { at_full_range: Interval { low, high }, .. }) = impact {
                let known = sum.unwrap_or(Interval { low: 0.0, high: 0.0 });
                *sum = Some(Interval { low: known.low.max(low), high: known.high + high });
            }
        }
    }
    let lesser = match sums {
        [Some(canary), Some(live)] if alike && canary.high < live.low => Some(Version::Canary),
        [Some(canary), Some(live)] if alike && live.high < canary.low => Some(Version::Live),
        _ => None,
    };
    (sums, lesser)
}

impl Watched {
    /// Trials a minute over both arms in the trailing window, or in the phase once the window is
    /// empty: that readings stop is no change of the traffic. Each arm's trials are divided by the
    /// time that they cover, because the arms may be read in turn. None if no time is covered.
    fn trials_per_minute(&self, moment: &Moment<'_>) -> Option<f64> {
        let (window, is_timed) = (self.window(), |seconds: &[f64; 2]| *seconds != [0.0; 2]);
        let of_window = window.seconds(moment.at)?;
        let (counts, seconds) = if is_timed(&of_window) {
            (self.window_counts(), of_window)
        } else {
            (self.phase_counts(), window.phase_seconds())
        };
        let of = |arm: usize| {
            let (trials, seconds) = (counts[arm].trials, seconds[arm]);
            if seconds > 0.0 { 60.0 * trials / seconds } else { 0.0 }
        };
        // With all of the traffic on the fix, the readings beside it are from before the deployment.
        let live = if moment.share == Share::ALL { 0.0 } else { of(BASELINE) };
        // Where only the canary is read, the live version has the rest.
        let share = moment.share.as_fraction();
        let is_alone = live <= 0.0 && share > 0.0;
        let all = if is_alone { of(CANARY) / share } else { of(CANARY) + live };
        is_timed(&seconds).then_some(all)
    }

    /// The impact of a version with these totals and this share, of all `trials` a minute; None without data.
    fn impact(&self, arm: Counts, share: f64, trials: Option<f64>) -> Option<VersionImpact> {
        if arm.trials <= 0.0 {
            return None;
        }
        let (rates, times) = if self.metric().kind.is_fraction() {
            let trials = trials?;
            let Interval { low, high } = wilson(arm, CONFIDENCE).ok()?;
            ([arm.events / arm.trials, low, high], trials)
        } else {
            // Exposure is in seconds of full traffic, where it is scaled.
            // Without traffic now, its readings are from before the deployment, when it had all.
            let is_full = self.metric().scaled || share <= 0.0;
            let full = if is_full { 60.0 } else { 60.0 / share };
            // The square root of a count has a standard deviation of a half.
            let root = arm.events.sqrt();
            let end = |deviations: f64| (root + 0.5 * deviations).max(0.0).powi(2);
            // None observed: up to three are still plausible (95%).
            let events = [arm.events, end(-DEVIATIONS), end(DEVIATIONS).max(3.0)];
            (events.map(|events| events / arm.trials), full)
        };
        let [rate, low, high] = rates.map(|rate| rate * times);
        Some(VersionImpact {
            at_full: rate,
            at_full_range: Interval { low, high },
            now: rate * share,
        })
    }
}
