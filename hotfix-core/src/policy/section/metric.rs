//! Metrics, their bounds and their tests (MET-1, MET-2, MET-6, STAT-5).

use crate::grade::{MetricKind, Reference, Role, Worse, closed_set};
use crate::unit::{MetricName, Proportion, Ratio, Share, Span};

closed_set! {
    /// Which sequential test weighs a metric (statistics, sections 1 to 3).
    Model {
        /// The rate-ratio e-process: counts and rare proportions.
        Poisson = "poisson",
        /// The two-sample Bernoulli e-process: proportions above about 5%; for latency one per boundary.
        Bernoulli = "bernoulli",
        /// No sequential test: bands alone.
        None = "none",
    }
}

/// Most metrics that may share the false-rollback budget; a policy with more is refused.
pub const MOST_TESTED: usize = 32;

/// Most boundaries of a latency metric; more are refused.
pub const MOST_BOUNDARIES: usize = 12;

/// One metric of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its id in observations: `error_rate`.
    pub id: MetricName,
    /// What people call it.
    pub title: String,
    /// What its readings are.
    pub kind: MetricKind,
    /// Which way is worse.
    pub worse: Worse,
    /// Whether it decides or is only watched.
    pub role: Role,
    /// The value from before the incident, in the kind's unit: a fraction, seconds, events per minute, a level.
    pub record: Option<f64>,
    /// Success, alert and rollback bounds; success includes its value, alert and rollback do not.
    pub bounds: Bounds,
    /// Whether bounds and exposure scale with the traffic share: volumes and counts per minute do, rates hold per arm.
    pub scaled: bool,
    /// The sequential test. Default: poisson for proportion and count, bernoulli for latency, none for gauge and volume.
    pub model: Model,
    /// Its share of the false-rollback budget; the weights of all tested metrics sum to 1 (statistics, section 8).
    pub weight: f64,
    /// For latency: which quantile the bounds speak of.
    pub quantile: Proportion,
    /// For latency: the boundaries above which slow requests are counted, ascending; fixed before the first look.
    pub boundaries: Vec<Span>,
}

/// The bounds of one metric, each optional.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// At or on the good side of it: success.
    pub success: Option<Bound>,
    /// Beyond it: alert.
    pub alert: Option<Bound>,
    /// Beyond it: rollback.
    pub rollback: Option<Bound>,
}

/// One bound with its reference (MET-2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// The figure or the ratio.
    pub value: BoundValue,
    /// The bound is not crossed while the live baseline arm is beyond it too: a shock in both arms (MET-5).
    pub unless_both_arms: bool,
}

/// What a bound compares with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BoundValue {
    /// A figure in the metric's unit.
    Absolute(f64),
    /// A ratio of the record or of the live baseline arm; never of `Reference::Absolute`.
    Relative(Ratio, Reference),
}

/// The claim that the fix works: the bug's own metric is cut to at most `cut_to` of the live baseline (STAT-5).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Efficacy {
    /// The bug's own metric; a tested proportion or count.
    pub metric: MetricName,
    /// At most this ratio of the live baseline's rate, above 0 and at most 1.
    pub cut_to: Ratio,
    /// Its own error rate.
    pub alpha: Proportion,
    /// Whether a phase below 100% is only passed once it is shown.
    pub required: bool,
}

impl Bounds {
    /// Those that there are, mildest first.
    pub fn all(self) -> impl Iterator<Item = Bound> {
        [self.success, self.alert, self.rollback].into_iter().flatten()
    }
}

impl Metric {
    /// Whether a test that decides compares it with the live arm, where there is one.
    pub fn is_tested(&self) -> bool {
        self.role == Role::Decide && self.model != Model::None && self.weight > 0.0
    }

    /// Whether its events are bad ones, or tell how many were: of a count of what is wanted nobody knows how many did not
    /// come.
    pub(crate) fn counts_bad_events(&self) -> bool {
        match self.kind {
            MetricKind::Proportion => true,
            MetricKind::Count => self.worse == Worse::Higher,
            MetricKind::Latency | MetricKind::Gauge | MetricKind::Volume => false,
        }
    }

    /// The record scaled to an arm with this share of the traffic.
    pub fn record_for(&self, share: Share) -> Option<f64> {
        self.record.map(|r| if self.scaled { r * share.as_fraction() } else { r })
    }
}
