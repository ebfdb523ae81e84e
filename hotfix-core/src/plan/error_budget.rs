//! The error budget of a policy: which part of an error probability each decision may spend.

use crate::grade::{EvidenceMode, Otherwise};
use crate::policy::Policy;
use crate::policy::section::{Metric, MetricSettings, Phase};
use crate::stats::numeric::ln;
use crate::unit::Share;

/// Division of a policy's error probabilities among the decisions that spend them.
///
/// `evidence.alpha` is the probability that evidence ever rolls back a release that is no worse. Its
/// parts, over all metrics and phases, sum to at most that. A promotion spends `promotion_alpha`,
/// which is not divided: each guarded metric has to pass by itself.
///
/// ```
/// use hotfix_core::{plan::ErrorBudget, policy::Policy};
///
/// let policy = Policy::preset("standard")?;
/// let budget = ErrorBudget::new(&policy);
/// let parts: f64 = policy.metrics().iter().map(|metric| budget.sequential_of(metric)).sum();
/// assert!((parts - budget.alpha()).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ErrorBudget<'a> {
    policy: &'a Policy,
}

impl<'a> ErrorBudget<'a> {
    /// The budget of rollouts under this policy.
    pub const fn new(policy: &'a Policy) -> Self {
        Self { policy }
    }

    /// The whole budget of rollbacks, `evidence.alpha`.
    pub const fn alpha(self) -> f64 {
        self.policy.evidence().alpha.as_fraction()
    }

    /// The part of the sequential tests of all metrics together, over the whole rollout.
    pub fn sequential(self) -> f64 {
        self.of_metrics() * (1.0 - self.drawn())
    }

    /// Log e-value at which the sequential tests of all metrics together roll back.
    pub fn threshold(self) -> f64 {
        -ln(self.sequential())
    }

    /// The part of one metric's sequential test, over the rollout; 0 without a test that decides.
    pub fn sequential_of(self, metric: &Metric) -> f64 {
        self.of_metrics() * metric.weight * self.half(metric)
    }

    /// The weight of a metric in the evidence of all metrics together.
    pub fn weight(self, metric: &Metric) -> f64 {
        metric.weight * self.half(metric) / (1.0 - self.drawn())
    }

    /// The part of a metric's randomisation test in each phase with a live arm, which compares the
    /// canary's instances with other choices of as many. 0 if its mode has no such test.
    pub fn drawing(self, metric: &Metric) -> f64 {
        if self.draws(metric) { self.sequential_of(metric) / self.phases() } else { 0.0 }
    }

    /// The part of a metric's exact test at the end of each phase with a live arm. 0 without such tests.
    pub fn phase_end(self, metric: &Metric) -> f64 {
        (self.alpha() - self.of_metrics()) / self.phases() * metric.weight
    }

    /// The part of each guarded metric's promotion test: a promotion needs all of them to pass.
    pub const fn promotion(self) -> f64 {
        self.policy.evidence().promotion_alpha.as_fraction()
    }

    /// Whether a phase spends its part of what the phases share: it has a live arm to compare with,
    /// or what was read before all traffic moved at once.
    pub fn spends(self, phase: &Phase) -> bool {
        phase.share < Share::ALL || self.policy.moves_at_once()
    }

    /// The part for tests before a phase's end, over all metrics.
    const fn of_metrics(self) -> f64 {
        if self.policy.evidence().phase_end_test { self.alpha() / 2.0 } else { self.alpha() }
    }

    /// The factor on a metric's part: a half where both its sequential test and the comparison of
    /// its instances roll back, because the readings decide which of them applies at a time.
    fn half(self, metric: &Metric) -> f64 {
        let MetricSettings { mode, otherwise, .. } = self.policy.settings(metric);
        let asks = mode == EvidenceMode::Randomised && otherwise == Otherwise::Ask;
        if self.draws(metric) && !asks { 0.5 } else { 1.0 }
    }

    /// Whether instances are compared if readings name them; those of a latency never are.
    fn draws(self, metric: &Metric) -> bool {
        let mode = self.policy.settings(metric).mode;
        metric.is_rate() && matches!(mode, EvidenceMode::Randomised | EvidenceMode::Both)
    }

    /// The part that sequential tests leave to comparisons of instances.
    fn drawn(self) -> f64 {
        let tested = self.policy.metrics().iter().filter(|metric| metric.is_tested());
        tested.map(|metric| metric.weight * (1.0 - self.half(metric))).sum()
    }

    /// How many phases share what is divided among phases; at least 1.
    fn phases(self) -> f64 {
        let phases = self.policy.phases().iter().filter(|phase| self.spends(phase)).count();
        phases.max(1) as f64
    }
}
