//! What a metric's columns amount to: its value, and the trials behind it.

use crate::grade::MetricKind;
use crate::metric::Judged;

use super::watched::Watched;

impl Watched {
    /// The value of one arm's columns, in the metric's unit; None without trials.
    #[inline]
    pub(super) fn value(&self, columns: &[f64], share: f64) -> Option<Judged> {
        let (events, trials) = (columns[0], columns[1]);
        match self.metric.kind {
            MetricKind::Latency => Judged::quantile(
                self.metric.quantile.as_fraction(),
                events,
                &columns[1..],
                self.layout.edges(),
            ),
            MetricKind::Proportion => (trials > 0.0).then(|| Judged::exactly(events / trials)),
            MetricKind::Count => (trials > 0.0).then(|| Judged::exactly(events / trials * 60.0)),
            MetricKind::Gauge => (trials > 0.0).then(|| Judged::exactly(events / trials)),
            MetricKind::Volume => {
                let scale = if self.metric.scaled { share } else { 1.0 };
                (trials > 0.0 && scale > 0.0).then(|| Judged::exactly(events / trials / scale))
            }
        }
    }

    /// Trials that the least number applies to; None for kinds that need a length of time instead.
    pub(super) fn trials(&self, columns: &[f64]) -> Option<f64> {
        match self.metric.kind {
            MetricKind::Proportion => Some(columns[1]),
            MetricKind::Latency => Some(columns[0]),
            MetricKind::Count | MetricKind::Gauge | MetricKind::Volume => None,
        }
    }

    /// Events that are bad: failures where the metric counts successes.
    pub(super) fn bad(&self, events: f64, trials: f64) -> f64 {
        self.metric.worse.bad(events, trials)
    }
}
