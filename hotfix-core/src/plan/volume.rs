//! Planned traffic beyond a bound of a volume metric: then every reading of a healthy fix is, too.

use crate::grade::{MetricKind, Role, Worse};
use crate::metric::{bound_figure, in_unit};
use crate::policy::section::Metric;
use crate::unit::MetricName;

use super::Plan;
use super::power::Which;

/// A volume bound that the planned traffic does not meet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct VolumeBeyond {
    pub(super) metric: MetricName,
    /// The gravest such bound.
    pub(super) which: Which,
    /// Its figure at 100% of the traffic, per minute.
    pub(super) bound: f64,
    /// The planned traffic.
    pub(super) requests_per_minute: f64,
}

impl Plan {
    /// The deciding volume metrics whose bounds the planned traffic does not meet. A bound that
    /// scales has the same relation to the traffic in every phase.
    pub(super) fn volumes_beyond(&self) -> Vec<VolumeBeyond> {
        let Some(requests_per_minute) = self.subject().traffic.requests_per_minute else {
            return Vec::new();
        };
        let metrics = self.policy().metrics().iter();
        let volumes = metrics.filter(|of| of.kind == MetricKind::Volume && of.role == Role::Decide);
        let of = |metric: &Metric| {
            let gravest_first = [
                (Which::Rollback, metric.bounds.rollback),
                (Which::Success, metric.bounds.success),
            ];
            gravest_first.into_iter().find_map(|(which, bound)| {
                let bound = bound_figure(metric, bound?, None)?;
                let is_beyond = match metric.worse {
                    Worse::Higher => requests_per_minute > bound,
                    Worse::Lower => requests_per_minute < bound,
                };
                let metric = metric.id;
                is_beyond.then_some(VolumeBeyond { metric, which, bound, requests_per_minute })
            })
        };
        volumes.filter_map(of).collect()
    }
}

impl VolumeBeyond {
    /// What follows, and what to do.
    pub(super) fn sentence(&self) -> String {
        let [traffic, bound] =
            [self.requests_per_minute, self.bound].map(|of| in_unit(MetricKind::Volume, of));
        let (name, then) = match self.which {
            Which::Rollback => ("rollback", "a healthy fix is rolled back"),
            Which::Success => ("success", "a healthy fix misses the criterion of every phase"),
        };
        format!(
            "the planned traffic of {traffic} does not meet the {name} bound {bound} of `{}`, so \
             {then}: set the bounds and the reference of the metric to your traffic",
            self.metric
        )
    }
}
