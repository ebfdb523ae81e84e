//! What a release brings that is as good as the record, and how likely it is to cross a bound by chance.
//!
//! Where a plan does not say, the traffic is the record of the policy's only volume metric. Each request is taken to be a
//! trial of each proportion. A metric with fewer trials is the plaything of chance more often than is said here, not less.

use crate::grade::{MetricKind, Worse};
use crate::metric::bound_figure;
use crate::policy::Policy;
use crate::policy::section::{Bound, BoundValue, Metric};
use crate::stats::planning::gate::{count_chance, pass_chance};
use crate::unit::{Share, Span};

/// Requests a minute over all arms; none where no volume metric has a record, or several have.
pub(crate) fn traffic(policy: &Policy) -> Option<f64> {
    let mut records = policy
        .metrics()
        .iter()
        .filter(|metric| metric.kind == MetricKind::Volume)
        .filter_map(|metric| metric.record)
        .filter(|record| *record > 0.0);
    let record = records.next()?;
    records.next().is_none().then_some(record)
}

/// Trials of an arm with this share in a time; whole.
pub(crate) fn trials(traffic: f64, share: Share, time: Span) -> f64 {
    // A tenth of 1,000 is 100, whatever the last bit says.
    (traffic * share.as_fraction() * time.as_seconds() / 60.0 * (1.0 + 1e-12)).floor()
}

/// A bound's figure where it does not depend on the live arm.
pub(crate) fn figure(metric: &Metric, bound: Bound) -> Option<f64> {
    match bound.value {
        BoundValue::Relative(_, crate::grade::Reference::Live) => None,
        _ => bound_figure(metric, bound, None),
    }
}

/// What an arm brings in some time: bad events by chance.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Law {
    /// Each of so many trials is bad with this chance.
    Trials { trials: f64, rate: f64 },
    /// So many events are expected in so many seconds of exposure.
    Events { seconds: f64, expected: f64 },
}

impl Law {
    /// What the record says of an arm with this share, in so much time or in so many trials; none for what is neither
    /// counted nor has a record.
    pub(crate) fn of(
        metric: &Metric,
        share: Share,
        time: Span,
        trials: Option<f64>,
    ) -> Option<Self> {
        let record = metric.record?;
        match (metric.kind, metric.worse) {
            (MetricKind::Proportion, worse) => {
                let rate = if worse == Worse::Higher { record } else { 1.0 - record };
                Some(Self::Trials { trials: trials?, rate })
            }
            (MetricKind::Count, Worse::Higher) => {
                let scale = if metric.scaled { share.as_fraction() } else { 1.0 };
                let seconds = time.as_seconds() * scale;
                Some(Self::Events { seconds, expected: record * seconds / 60.0 })
            }
            (
                MetricKind::Count | MetricKind::Latency | MetricKind::Gauge | MetricKind::Volume,
                _,
            ) => None,
        }
    }

    /// Bad events that are to be expected.
    pub(crate) fn expected(self) -> f64 {
        match self {
            Self::Trials { trials, rate } => trials * rate,
            Self::Events { expected, .. } => expected,
        }
    }

    /// The fewest bad events beyond a figure, and the chance of so many or more; none where there cannot be so many.
    pub(crate) fn beyond(self, metric: &Metric, figure: f64) -> Option<(f64, f64)> {
        match self {
            Self::Trials { trials, rate } => {
                let bad = if metric.worse == Worse::Higher { figure } else { 1.0 - figure };
                if !(0.0..1.0).contains(&bad) || trials < 1.0 {
                    return None;
                }
                let most = (bad * trials * (1.0 + 1e-12)).floor();
                let missed = 1.0 - pass_chance(trials, rate, bad).ok()?;
                (most < trials).then_some((most + 1.0, missed))
            }
            Self::Events { seconds, expected } => {
                let most = (figure * seconds / 60.0 * (1.0 + 1e-12)).floor();
                Some((most + 1.0, 1.0 - count_chance(expected, most).ok()?))
            }
        }
    }

    /// Events and trials of so many bad events, as a reading has them.
    pub(crate) fn counts(self, metric: &Metric, bad: f64) -> (f64, f64) {
        match self {
            Self::Trials { trials, .. } => (metric.worse.bad(bad, trials), trials),
            Self::Events { seconds, .. } => (bad, seconds),
        }
    }
}
