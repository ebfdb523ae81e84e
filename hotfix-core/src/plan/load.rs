//! How long a healthy release is watched: at least `watch`, and longer where a phase waits for evidence of
//! no harm, or for what judges a metric.

use crate::grade::{PromotionRule, Role};
use crate::policy::Policy;
use crate::policy::section::{Metric, Model, Phase};
use crate::stats::planning::Comparison;
use crate::unit::{Share, Span};

use super::Plan;
use super::error_budget::ErrorBudget;
use super::healthy::{Law, traffic};

/// Trials per minute for each event of a metric without trials: events are rare.
const TRIALS_AN_EVENT: f64 = 1_000.0;

#[derive(Clone, Copy)]
pub(crate) struct Load<'a> {
    pub(super) policy: &'a Policy,
    /// Requests per minute over all arms. None if unknown.
    traffic: Option<f64>,
}

/// What a healthy release needs until a metric shows that it does no harm.
pub(crate) struct NoHarm {
    comparison: Comparison,
    margin: f64,
    alpha: f64,
    /// The time that does not count.
    unused: Span,
}

impl<'a> Load<'a> {
    /// With the traffic that the policy gives.
    pub(crate) fn of(policy: &'a Policy) -> Self {
        Self { policy, traffic: traffic(policy) }
    }

    /// How long a phase is watched: until all that decides can be judged, and where it waits for evidence of
    /// no harm, the time in which half of the healthy releases have shown it, as far as that can be
    /// foreseen; not less than `watch`, and not more than `watch_most` where that ends it.
    pub(crate) fn watch(self, phase: &Phase) -> Span {
        let deciding = self.policy.metrics().iter().filter(|of| of.role == Role::Decide);
        let needed = deciding.map(|metric| {
            let shown = self.no_harm(metric, phase).and_then(|of| of.needed());
            self.policy.judged_after(metric).max(shown.unwrap_or_default())
        });
        let watch = needed.fold(phase.watch, Span::max);
        phase.longest_held().map_or(watch, |most| watch.min(most))
    }

    /// The planned time of a phase, deployment and veto window included.
    pub(crate) fn lasts(self, phase: &Phase) -> Span {
        phase.deploy + self.watch(phase) + phase.veto_window()
    }

    /// The evidence of no harm that a phase asks of a metric. None if it asks for none, without a usable
    /// reference, or if the formula does not fit the test.
    pub(crate) fn no_harm(self, metric: &Metric, phase: &Phase) -> Option<NoHarm> {
        let asks = phase.promotion == PromotionRule::EvidenceOfNoHarm && phase.share < Share::ALL;
        if !asks || metric.role != Role::Decide || metric.model != Model::Poisson {
            return None;
        }
        // Both arms together, for a minute.
        let law = Law::of(metric, Share::ALL, Span::from_seconds(60), (self.traffic, 0.0))?;
        let (requests, base_rate) = match law {
            Law::Trials { trials, rate, .. } => (trials, rate),
            Law::Events { expected, .. } => (expected * TRIALS_AN_EVENT, 1.0 / TRIALS_AN_EVENT),
        };
        // If no events are expected, the faulty arm decides, and nothing says what it has.
        if law.expected() <= 0.0 {
            return None;
        }
        let (settings, watch) = (self.policy.settings(metric), self.policy.watch());
        Some(NoHarm {
            comparison: Comparison {
                tick_seconds: watch.cadence.as_seconds(),
                ..Comparison::new(requests, phase.share.as_fraction(), base_rate)
            },
            margin: settings.margin.value(),
            alpha: ErrorBudget::new(self.policy).promotion(),
            unused: settings.warm_up + watch.evidence_delay(),
        })
    }
}

impl NoHarm {
    /// The probability that it is shown within this time.
    pub(crate) fn chance_within(&self, time: Span) -> Option<f64> {
        let minutes = (time - self.unused).as_seconds() / 60.0;
        let chance = self.comparison.chance_to_promote(1.0, minutes, self.margin, self.alpha);
        Some(chance.ok()?.chance)
    }

    /// The time in which half of the releases show it, in whole minutes: more precision is not justified.
    /// None where no time is long enough.
    pub(crate) fn needed(&self) -> Option<Span> {
        let minutes = self.comparison.time_to_promote(1.0, self.margin, self.alpha).ok()??;
        let minutes = (minutes + self.unused.as_seconds() / 60.0).ceil();
        Span::try_from_seconds(minutes * 60.0).ok()
    }
}

impl Plan {
    pub(crate) fn load(&self) -> Load<'_> {
        Load { policy: self.policy(), traffic: self.requests_per_minute() }
    }
}
