//! Recovery: whether the service has returned to its level before the deploy.

use serde::{Deserialize, Serialize};

use crate::grade::{Role, Worse};
use crate::metric::Judged;
use crate::metric_kind::Data;
use crate::policy::section::Metric;
use crate::stats::Counts;
use crate::stats::interval::wilson;
use crate::unit::MetricName;

use super::Judge;
use super::watched::Watched;

/// Whether the metrics are back at their level before the deployment. The original fault is expected
/// to return: that level is no healthy one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Recovery {
    /// A metric is at its level, and none is clearly worse.
    Returned,
    /// A metric is clearly worse than it was.
    NotReturned,
    /// Nothing was read after the rollback, or nothing before the deployment to compare it with.
    NotKnown,
}

impl Recovery {
    /// Whether each metric that decides has returned, since the rollback was confirmed; None for one
    /// that cannot be compared.
    pub(crate) fn of_each(judge: &Judge) -> impl Iterator<Item = (MetricName, Option<bool>)> {
        let deciding = judge.watched.iter().filter(|w| w.metric().role == Role::Decide);
        deciding.map(|watched| (watched.metric().id, watched.returned()))
    }

    /// How the deciding metrics are, since the rollback was confirmed.
    pub(crate) fn of(judge: &Judge) -> Self {
        let mut seen = Self::of_each(judge).filter_map(|(_, returned)| returned).peekable();
        if seen.peek().is_none() {
            Self::NotKnown
        } else if seen.all(|returned| returned) {
            Self::Returned
        } else {
            Self::NotReturned
        }
    }
}

/// Confidence of the intervals that have to overlap: the present measurement, and the level before,
/// which was measured too.
const CONFIDENCE: f64 = 0.95;
/// How much worse than before a level may be where no bound says it, as a share of it.
const TOLERANCE: f64 = 0.2;

impl Watched {
    /// None where there is nothing to compare.
    fn returned(&self) -> Option<bool> {
        let columns = self.columns();
        let (now, before) = (&self.window().phase()[columns..], &self.totals().level);
        match self.metric().kind.data() {
            Data::Trials => {
                let level = Counts::new(self.bad(before[0], before[1]), before[1]);
                not_above(Counts::new(self.bad(now[0], now[1]), now[1]), level, 0.0)
            }
            Data::Exposure => {
                let longer = now[1] / before[1];
                let expected = before[0] * longer;
                // Square roots of counts have a standard deviation of a half, and so has the
                // expected count: two of both, and a tolerance of one event.
                let apart = (1.0 + longer).sqrt();
                (before[1] > 0.0 && now[1] > 0.0)
                    .then(|| (now[0] - 1.0).max(0.0).sqrt() <= expected.sqrt() + apart)
            }
            Data::Buckets => {
                let level = self.value(before, 1.0)?;
                let above = |columns| self.slower_than(level.high, columns);
                let allowed = 1.0 - self.metric().quantile.as_fraction();
                not_above(above(now)?, above(before)?, allowed)
            }
            Data::Level => {
                // After the rollback the live version has all of the traffic, as its level before
                // has.
                let level = self.value(before, 1.0)?;
                Some(is_at(self.metric(), self.value(now, 1.0)?, level))
            }
        }
    }
}

/// Whether a level is no worse than before: within the metric's own bound, compared with the level
/// before. Without a bound that it met before, within the tolerance.
fn is_at(metric: &Metric, now: Judged, before: Judged) -> bool {
    let bounds = &metric.bounds;
    let is_met = |bound, value| metric.crossed(bound, value, Some(before)) == Some(false);
    let bound = bounds.alert.or(bounds.rollback).or(bounds.success);
    if let Some(bound) = bound.filter(|bound| is_met(*bound, before)) {
        return is_met(bound, now);
    }
    let (now, before) = (now.middle(), before.middle());
    let tolerated = TOLERANCE * before.abs();
    match metric.worse {
        Worse::Higher => now <= before + tolerated,
        Worse::Lower => now >= before - tolerated,
    }
}

/// Whether the present rate is compatible with the level before, or is allowed anyway. None without
/// trials in either.
fn not_above(now: Counts, level: Counts, allowed: f64) -> Option<bool> {
    if now.trials <= 0.0 || level.trials <= 0.0 {
        return None;
    }
    let (now, level) = (wilson(now, CONFIDENCE).ok()?, wilson(level, CONFIDENCE).ok()?);
    Some(now.low <= level.high.max(allowed))
}
