//! How long a healthy release is watched: at least `watch`, and longer where a phase waits for evidence of
//! no harm, or for what judges a metric.

use crate::grade::{PromotionRule, Role};
use crate::policy::Policy;
use crate::policy::section::{Metric, Phase};
use crate::stats::planning::Comparison;
use crate::stats::replay::CountModel;
use crate::text;
use crate::unit::{MetricName, PhaseName, Share, Span};

use super::Plan;
use super::error_budget::ErrorBudget;
use super::healthy::{Law, traffic};

/// Trials per minute for each event of a metric without trials: events are rare.
const TRIALS_AN_EVENT: f64 = 1_000.0;
/// Evidence is too slow if fewer healthy releases than this show it in time.
const USUAL: f64 = 0.5;
/// Traffic and rate at which only a test's bets limit what it shows.
const PLENTY: (f64, f64) = (1e9, 1.0 / TRIALS_AN_EVENT);

#[derive(Clone, Copy)]
pub(crate) struct Load<'a> {
    pub(super) policy: &'a Policy,
    /// The policy's, or those of another strategy.
    pub(super) phases: &'a [Phase],
    /// Requests per minute over all arms. None if unknown.
    pub(super) traffic: Option<f64>,
}

/// What a healthy release needs until a metric shows that it does no harm.
struct NoHarm {
    comparison: Comparison,
    model: CountModel,
    margin: f64,
    alpha: f64,
    /// The time that does not count.
    unused: Span,
}

/// A metric that seldom shows no harm in the time of a phase that waits for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SlowEvidence {
    /// Which of the phases.
    pub(crate) index: usize,
    pub(crate) phase: PhaseName,
    pub(crate) metric: MetricName,
    margin: f64,
    /// The longest time of the phase.
    pub(crate) most: Span,
    /// The chance that a healthy release shows it by then; without known traffic, at any.
    pub(crate) shown: f64,
    /// The time in which half of them do. None where no time is long enough.
    pub(crate) needed: Option<Span>,
}

impl<'a> Load<'a> {
    /// With the traffic that the policy gives.
    pub(crate) fn of(policy: &'a Policy) -> Self {
        Self::with(policy, None)
    }

    /// With this traffic, else that which the policy gives.
    pub(super) fn with(policy: &'a Policy, requests_per_minute: Option<f64>) -> Self {
        let traffic = requests_per_minute.or_else(|| traffic(policy));
        Self { policy, phases: policy.phases(), traffic }
    }

    /// How long a phase is watched: until all that decides can be judged, and where it waits for evidence of
    /// no harm, the time in which half of the healthy releases have shown it, as far as that can be
    /// foreseen, and until `watch_most` where no time is long enough; not less than `watch`, and not more than
    /// `watch_most` where that ends it; until the next reading.
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

    /// How long a phase lasts until the first reading after this time: readings are so often apart, and one of
    /// them ended the phase before.
    fn until_read(self, phase: &Phase, time: Span) -> Span {
        let every = self.policy.watch().cadence.as_millis().max(1);
        let readings = (phase.deploy + time).as_millis().div_ceil(every);
        Span::from_millis(readings.saturating_mul(every)) - phase.deploy
    }

    /// The planned time of a phase, deployment and veto window included.
    pub(crate) fn lasts(self, phase: &Phase) -> Span {
        phase.deploy + self.watch(phase) + phase.veto_window()
    }

    /// The evidence of no harm that a phase asks of a metric. None if it asks for none, without a usable
    /// reference, or if the formula does not fit the test.
    fn no_harm(self, metric: &Metric, phase: &Phase) -> Option<NoHarm> {
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
        self.no_harm_at((requests, base_rate), metric, phase)
    }

    /// The same with so many requests a minute of both arms, and this rate of bad ones.
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

    /// Where phases wait for evidence of no harm that few healthy releases give in time.
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
    /// The probability that it is shown within this time.
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

    /// The time in which half of the releases show it, in whole minutes: more precision is not justified.
    /// None where no time is long enough.
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

    /// Where the phases of the plan wait for evidence of no harm that few healthy fixes give in time.
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
