//! How long a healthy release is watched: at least `watch`, and longer where a phase waits for
//! evidence of no harm, or until its metrics can be judged.

use crate::grade::{PromotionRule, Role};
use crate::policy::Policy;
use crate::policy::section::{Metric, Phase};
use crate::stats::planning::Comparison;
use crate::stats::planning::chances::Draw;
use crate::stats::replay::CountModel;
use crate::text;
use crate::unit::{MetricName, PhaseName, Share, Span};

use super::Plan;
use super::error_budget::ErrorBudget;
use super::healthy::{Law, traffic};

/// Trials assumed for each event of a metric that counts no trials: so many that events are rare.
const TRIALS_AN_EVENT: f64 = 1_000.0;
/// Evidence of no harm is slow if a smaller part of healthy releases than this shows it in time.
const USUAL: f64 = 0.5;
/// Requests per minute and rate of bad ones, so high that only the margin limits the evidence:
/// assumed if the traffic is unknown.
const PLENTY: (f64, f64) = (1e9, 1.0 / TRIALS_AN_EVENT);

/// What the time of phases depends on.
#[derive(Clone, Copy)]
pub(crate) struct Load<'a> {
    pub(super) policy: &'a Policy,
    /// The policy's phases, or those of another strategy.
    pub(super) phases: &'a [Phase],
    /// Requests per minute over all arms. None if unknown.
    pub(super) traffic: Option<f64>,
}

/// The test that a metric shows no harm in a phase, as the planning formulas take it.
struct NoHarm {
    comparison: Comparison,
    model: CountModel,
    margin: f64,
    alpha: f64,
    /// Time of the phase whose data the test does not use: the warm-up and the delay of evidence.
    unused: Span,
}

/// A metric that seldom gives evidence of no harm in the time of a phase that waits for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SlowEvidence {
    /// Index of the phase.
    pub(crate) index: usize,
    pub(crate) phase: PhaseName,
    pub(crate) metric: MetricName,
    margin: f64,
    /// The longest time of the phase.
    pub(crate) most: Span,
    /// Chance that a healthy release gives it by then; if the traffic is unknown, with any amount of it.
    pub(crate) shown: f64,
    /// Time in which half of them give it. None if no time is long enough.
    pub(crate) needed: Option<Span>,
}

impl<'a> Load<'a> {
    /// The load with the policy's own traffic, the reference of its volume metric.
    pub(crate) fn of(policy: &'a Policy) -> Self {
        Self::with(policy, None)
    }

    /// The load with this traffic, or else with the policy's own.
    pub(super) fn with(policy: &'a Policy, requests_per_minute: Option<f64>) -> Self {
        let traffic = requests_per_minute.or_else(|| traffic(policy));
        Self { policy, phases: policy.phases(), traffic }
    }

    /// How long a healthy release is watched in a phase: until the reading at which all deciding metrics can be
    /// judged and, where the phase waits for evidence of no harm, half of the healthy releases have shown it (the
    /// longest time if no time is enough). At least `watch`, at most `watch_most` where that ends the phase.
    pub(crate) fn watch(self, phase: &Phase) -> Span {
        let metrics = self.policy.metrics().iter();
        let no_harm = metrics.filter_map(|metric| self.no_harm(metric, phase));
        let shown = no_harm.map(|of| of.needed().unwrap_or(phase.longest()));
        let watch = shown.fold(self.policy.gate_after(phase), Span::max);
        let watch = phase.longest_held().map_or(watch, |most| watch.min(most));
        self.until_read(phase, watch)
    }

    /// The longest time of a phase, until the reading that ends it.
    pub(super) fn longest(self, phase: &Phase) -> Span {
        self.until_read(phase, phase.longest()).max(self.watch(phase))
    }

    /// `time` after the deployment of a phase, extended to the next reading. Readings come once in
    /// a cadence, counted from the one that ended the phase before.
    fn until_read(self, phase: &Phase, time: Span) -> Span {
        let every = self.policy.watch().cadence.as_millis().max(1);
        let readings = (phase.deploy + time).as_millis().div_ceil(every);
        Span::from_millis(readings.saturating_mul(every)) - phase.deploy
    }

    /// The planned time of a phase, deployment and veto window included.
    pub(crate) fn lasts(self, phase: &Phase) -> Span {
        phase.deploy + self.watch(phase) + phase.veto_window()
    }

    /// The test of no harm that a phase waits for on a metric. None if it waits for none, the
    /// metric has no usable reference, or no formula fits the test.
    fn no_harm(self, metric: &Metric, phase: &Phase) -> Option<NoHarm> {
        // Both arms together, for a minute.
        let law = Law::of(metric, Share::ALL, Span::from_seconds(60), (self.traffic, 0.0))?;
        let (requests, base_rate) = match law.draw {
            Draw::Trials { trials, rate } => (trials, rate),
            Draw::Events { expected } => (expected * TRIALS_AN_EVENT, 1.0 / TRIALS_AN_EVENT),
        };
        // Without expected events, all depends on how many a faulty canary has, which is unknown.
        if law.expected() <= 0.0 {
            return None;
        }
        self.no_harm_at((requests, base_rate), metric, phase)
    }

    /// [`no_harm`](Self::no_harm) with given requests per minute over both arms and rate of bad ones.
    fn no_harm_at(
        self,
        (requests, base_rate): (f64, f64),
        metric: &Metric,
        phase: &Phase,
    ) -> Option<NoHarm> {
        let asks = phase.promotion == PromotionRule::EvidenceOfNoHarm && phase.share < Share::ALL;
        if !asks || metric.role != Role::Decide {
            return None;
        }
        let model = metric.model.of_counts()?;
        let (settings, watch) = (self.policy.settings(metric), self.policy.watch());
        Some(NoHarm {
            comparison: Comparison {
                tick_seconds: watch.cadence.as_seconds(),
                ..Comparison::new(requests, phase.share.as_fraction(), base_rate)
            },
            model,
            margin: settings.margin.value(),
            alpha: ErrorBudget::new(self.policy).promotion(),
            unused: settings.warm_up + watch.evidence_delay(),
        })
    }

    /// The phases that wait for evidence of no harm which few healthy releases give in time.
    pub(crate) fn slow_evidence(self, phases: &'a [Phase]) -> impl Iterator<Item = SlowEvidence> {
        let each = move |phase: &'a Phase| self.policy.metrics().iter().map(move |of| (phase, of));
        let all = phases.iter().enumerate();
        let all = all.flat_map(move |(index, phase)| each(phase).map(move |of| (index, of)));
        all.filter_map(move |(index, (phase, metric))| {
            let known = self.no_harm(metric, phase);
            let needed = known.as_ref().and_then(NoHarm::needed);
            let no_harm = known.or_else(|| self.no_harm_at(PLENTY, metric, phase))?;
            let (margin, most) = (no_harm.margin, phase.longest());
            let shown = no_harm.chance_within(most).filter(|shown| *shown < USUAL)?;
            let (phase, metric) = (phase.name, metric.id);
            Some(SlowEvidence { index, phase, metric, margin, most, shown, needed })
        })
    }
}

impl NoHarm {
    /// The probability that a healthy release passes the test within this time of the phase.
    fn chance_within(&self, time: Span) -> Option<f64> {
        let minutes = (time - self.unused).as_seconds() / 60.0;
        let Self { comparison, margin, alpha, .. } = self;
        Some(match self.model {
            CountModel::Poisson => {
                comparison.chance_to_promote(1.0, minutes, *margin, *alpha).ok()?.chance
            }
            CountModel::Bernoulli => comparison.shares_to_promote(minutes, *margin, *alpha).ok()?.0,
        })
    }

    /// The time in which half of the healthy releases pass, in whole minutes: more precision is not
    /// justified. None if no time is long enough.
    fn needed(&self) -> Option<Span> {
        let Self { comparison, margin, alpha, .. } = self;
        let minutes = match self.model {
            CountModel::Poisson => comparison.time_to_promote(1.0, *margin, *alpha).ok()?,
            CountModel::Bernoulli => comparison.shares_to_promote(0.0, *margin, *alpha).ok()?.1,
        };
        let minutes = (minutes? + self.unused.as_seconds() / 60.0).ceil();
        Span::try_from_seconds(minutes * 60.0).ok()
    }
}

impl Plan {
    pub(crate) fn load(&self) -> Load<'_> {
        Load::with(self.policy(), self.subject().traffic.requests_per_minute)
    }

    pub(super) fn requests_per_minute(&self) -> Option<f64> {
        self.load().traffic
    }

    /// [`Load::slow_evidence`] of the plan's phases, a sentence each.
    pub(super) fn slow_evidence(&self) -> Vec<String> {
        let slow = self.load().slow_evidence(self.phases()).map(|slow| {
            let SlowEvidence { phase, metric, margin, most, shown, needed, .. } = slow;
            let needed = needed.map_or_else(
                || format!("with a margin of {margin} no time is long enough"),
                |needed| format!("half of them need {}", text::time(needed)),
            );
            format!(
                "phase `{phase}` waits for evidence of no harm, which `{metric}` gives within {} for {:.0} of 100 \
                 healthy fixes: {needed}. The others are held until then. Watch longer, give the phase more \
                 traffic, raise `evidence.margin`, or use `no_evidence_of_harm`",
                text::time(most),
                100.0 * shown
            )
        });
        slow.collect()
    }
}
