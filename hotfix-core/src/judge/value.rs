//! What a metric's columns amount to: its value, and the trials behind it.

use crate::metric::{Judged, trials_column};
use crate::metric_kind::Data;
use crate::stats::Counts;

use super::watched::Watched;

impl Watched {
    /// The value of one arm's columns, in the metric's unit; None without trials.
    #[inline]
    pub(super) fn value(&self, columns: &[f64], share: f64) -> Option<Judged> {
        let (events, trials) = (columns[0], columns[1]);
        match self.metric().kind.data() {
            Data::Buckets => Judged::quantile(
                self.metric().quantile.as_fraction(),
                events,
                &columns[1..],
                self.edges(),
            ),
            Data::Trials => (trials > 0.0).then(|| Judged::exactly(events / trials)),
            Data::Exposure => (trials > 0.0).then(|| Judged::exactly(events / trials * 60.0)),
            Data::Level => {
                let scale = if self.metric().scaled { share } else { 1.0 };
                (trials > 0.0 && scale > 0.0).then(|| Judged::exactly(events / trials / scale))
            }
        }
    }

    /// Trials that the least number applies to; None for kinds that need a length of time instead.
    pub(super) fn trials(&self, columns: &[f64]) -> Option<f64> {
        let kind = self.metric().kind;
        kind.counts_requests().then(|| columns[trials_column(kind)])
    }

    /// The requests of an arm's columns that took longer than this many seconds, or than the next edge
    /// above; None beyond the last edge.
    pub(super) fn slower_than(&self, seconds: f64, columns: &[f64]) -> Option<Counts> {
        let edge = self.edges().iter().position(|&edge| edge >= seconds)?;
        Some(Counts::new(columns[0] - columns[1 + edge], columns[0]))
    }

    /// Events that are bad: failures where the metric counts successes.
    pub(super) fn bad(&self, events: f64, trials: f64) -> f64 {
        self.metric().worse.bad(events, trials)
    }
}
