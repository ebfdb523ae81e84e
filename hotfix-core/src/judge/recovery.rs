//! Recovery: whether the service has returned to its level before the deploy.

use crate::grade::Role;
use crate::metric_kind::Data;
use crate::stats::Counts;
use crate::stats::interval::wilson;

use super::Judge;
use super::watched::Watched;

/// Whether the metrics are back at their level before the deployment. The original fault is expected
/// to return: that level is no healthy one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// A metric is at its level, and none is clearly worse.
    Returned,
    /// A metric is clearly worse than it was.
    NotReturned,
    /// Nothing was read after the rollback, or nothing before the deployment to compare it with.
    NotKnown,
}

impl Recovery {
    /// How the deciding metrics are, since the rollback was confirmed.
    pub(crate) fn of(judge: &Judge) -> Self {
        let deciding = judge.watched.iter().filter(|w| w.metric().role == Role::Decide);
        let mut seen = deciding.filter_map(Watched::returned).peekable();
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
            Data::Level => None,
        }
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
