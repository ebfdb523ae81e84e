//! The settings in force for one metric: its own, or the policy's.

use super::metric::Metric;
use crate::grade::{EvidenceMode, Otherwise};
use crate::policy::Policy;
use crate::unit::{Ratio, Span};

/// How one metric is tested and watched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricSettings {
    /// The ratio of canary to baseline up to which a release counts as no worse.
    pub tolerated: Ratio,
    /// The ratio that the promotion test has to rule out; above `tolerated`.
    pub margin: Ratio,
    /// On what the threshold of the test is based.
    pub mode: EvidenceMode,
    /// What happens if the data for `mode` is missing.
    pub otherwise: Otherwise,
    /// How long bounds and tests ignore data at the start of each phase.
    pub warm_up: Span,
}

impl Policy {
    /// The settings of one metric: its own where it has them, otherwise those of `evidence` and
    /// `watch`.
    pub fn settings(&self, metric: &Metric) -> MetricSettings {
        let evidence = self.evidence();
        MetricSettings {
            tolerated: metric.tolerated.unwrap_or(evidence.tolerated),
            margin: metric.margin.unwrap_or(evidence.margin),
            mode: metric.mode.unwrap_or(evidence.mode),
            otherwise: metric.otherwise.unwrap_or(evidence.otherwise),
            warm_up: metric.warm_up.unwrap_or(self.watch().warm_up),
        }
    }
}
