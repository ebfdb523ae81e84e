//! Metrics, their bounds and their tests.

use crate::grade::{BoundBase, MetricKind, Role, Worse, closed_set};
use crate::unit::{MetricName, Proportion, Ratio, Share, Span};

closed_set! {
    /// The sequential test of a metric; `docs/statistics.md` explains the tests.
    Model {
        /// The rate-ratio e-process: counts and rare proportions.
        Poisson = "poisson",
        /// The two-sample Bernoulli e-process: proportions above about 5%; for latency one per
        /// boundary.
        Bernoulli = "bernoulli",
        /// No sequential test: only bounds.
        None = "none",
    }
}

/// The most metrics that may share `alpha`; a policy with more is refused.
pub const MOST_TESTED: usize = 32;

/// The most boundaries of a latency metric; more are refused.
pub const MOST_BOUNDARIES: usize = 12;

/// One metric of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its id in observations, such as `error_rate`.
    pub id: MetricName,
    /// The name of the metric for people.
    pub title: String,
    /// The kind of its readings.
    pub kind: MetricKind,
    /// The direction that is worse.
    pub worse: Worse,
    /// Whether the metric decides or is only watched.
    pub role: Role,
    /// The value before the incident: a fraction, seconds, events per minute, or a number,
    /// depending on the kind.
    pub reference: Option<f64>,
    /// Success, alert and rollback bounds; success includes its value, alert and rollback do not.
    pub bounds: Bounds,
    /// Whether bounds and exposure scale with the traffic share: volumes and counts per minute do,
    /// rates hold per arm.
    pub scaled: bool,
    /// The sequential test. Default: poisson for proportion and count, bernoulli for latency, none
    /// for gauge and volume.
    pub model: Model,
    /// The share of `alpha` that this metric gets; the weights of all tested metrics sum to 1.
    pub weight: f64,
    /// For a latency: the quantile to which reference and bounds refer.
    pub quantile: Proportion,
    /// For a latency: the durations above which slow requests are counted, ascending; fixed before
    /// the first evaluation.
    pub boundaries: Vec<Span>,
}

/// The bounds of one metric, each optional.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// The success bound: met at or on the good side of it.
    pub success: Option<Bound>,
    /// The alert bound: breached beyond it.
    pub alert: Option<Bound>,
    /// The rollback bound: breached beyond it.
    pub rollback: Option<Bound>,
}

/// One bound with its reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// The figure or the ratio.
    pub value: BoundValue,
    /// Whether the bound is suppressed while the live baseline arm exceeds it too, as in a shock to
    /// both arms.
    pub unless_both_arms: bool,
}

/// The value of a bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BoundValue {
    /// A figure in the unit of the metric.
    Absolute(f64),
    /// A ratio to the reference or to the live baseline arm; never with `BoundBase::Absolute`.
    Relative(Ratio, BoundBase),
}

/// The claim that the fix works: the metric of the bug drops to at most `cut_to` of the live
/// baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Efficacy {
    /// The metric of the bug; a tested proportion or count.
    pub metric: MetricName,
    /// The ratio to the live baseline's rate that the fix has to reach; above 0 and at most 1.
    pub cut_to: Ratio,
    /// The probability of accepting a fix that does not reach the ratio.
    pub alpha: Proportion,
    /// Whether a phase below 100% can only be passed once the claim is shown.
    pub required: bool,
}

impl Bounds {
    /// The bounds that are set, the mildest first.
    pub fn all(self) -> impl Iterator<Item = Bound> {
        [self.success, self.alert, self.rollback].into_iter().flatten()
    }
}

impl Metric {
    /// Whether a deciding test compares it with the live arm, if there is one.
    pub fn is_tested(&self) -> bool {
        self.role == Role::Decide && self.model != Model::None && self.weight > 0.0
    }

    /// Whether its events are bad ones, or show how many were bad. A count of wanted events does
    /// not show how many are missing.
    pub(crate) fn counts_bad_events(&self) -> bool {
        match self.kind {
            MetricKind::Proportion => true,
            MetricKind::Count => self.worse == Worse::Higher,
            MetricKind::Latency | MetricKind::Gauge | MetricKind::Volume => false,
        }
    }

    /// The reference, scaled to an arm with this share of the traffic.
    pub fn reference_for(&self, share: Share) -> Option<f64> {
        self.reference.map(|r| if self.scaled { r * share.as_fraction() } else { r })
    }
}
