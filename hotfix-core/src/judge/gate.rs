//! The gate of a phase: what it has to show when its least time is over, and what follows where
//! something holds it for too long.

use crate::grade::{PromotionRule, Response, Role};
use crate::metric::Band;
use crate::policy::section::Phase;
use crate::unit::{MetricName, Share, Span};

use super::assess::{Call, by_estimate};
use super::watched::Watched;
use super::{Efficacy, Judge, MetricVerdict, Moment, Reason};

impl Moment<'_> {
    /// Whether the phase has lasted so long that it is decided by what was read, although readings cover
    /// less than its least time. Where the policy makes the rollout wait for readings, nothing is.
    pub(super) const fn time_decides(&self) -> bool {
        self.overdue && !self.waits_for_readings
    }

    /// The response to something that has held the phase for too long.
    pub(super) fn held_too_long(&self, phase: &Phase, call: &Call<'_>) -> Response {
        // Nothing but a person ends a phase that has no longest time.
        let is_endless = phase.watch_most.is_none() && !self.after_the_phases;
        let then = if is_endless { Response::Ask } else { phase.inconclusive };
        let asks = self.running.is_none_or(|running| running.until_asked.is_zero());
        let then = if asks { then.max(Response::Ask) } else { then };
        let waits = self.waits_for_readings && call.has(Reason::Gaps);
        if waits { then.min(Response::Ask) } else { then }
    }
}

impl Judge {
    /// The gate: what a phase has to show when its least time is over.
    pub(super) fn gate(
        &self,
        moment: &Moment<'_>,
        phase: &Phase,
        metrics: &[(MetricName, MetricVerdict)],
        efficacy: Option<Efficacy>,
        call: &mut Call<'_>,
    ) {
        let mut any_is_judged = false;
        for (watched, (id, seen)) in self.watched.iter().zip(metrics) {
            if watched.metric().role != Role::Decide {
                continue;
            }
            let is_covered = watched.readings().covered >= phase.watch;
            if !is_covered {
                call.raise(Response::Hold, Reason::Gaps, Some(*id));
            }
            // The bounds apply to what counts of the phase here; too little data is not a miss.
            let zone = watched.phase_zone(moment.share);
            let band = zone.map(|zone| zone.band);
            // Rows from before the deployment may be used up: then the figures of now are compared
            // with nothing.
            any_is_judged |= band != Some(Band::NotJudged) && seen.band != Band::NotJudged;
            // What the next reading may change waits for it as a pass does, until time decides.
            if !is_covered && !moment.time_decides() {
                continue;
            }
            if watched.metric().scaled && self.arms.split_is_wrong() {
                call.raise(Response::Hold, Reason::TooFewTrials, Some(*id));
            }
            let interpolated = zone.is_some_and(|zone| zone.interpolated);
            match band {
                Some(Band::Success | Band::NotJudged) if watched.is_used_up() => {
                    call.raise(phase.inconclusive, Reason::NotJudged, Some(*id));
                }
                Some(Band::Success | Band::NotJudged) => {}
                Some(Band::Between) => call.raise(Response::Hold, Reason::Between, Some(*id)),
                Some(_) => {
                    let response = by_estimate(phase.criteria_missed, interpolated);
                    call.raise(response, Reason::CriterionMissed, Some(*id));
                }
                None => call.raise(Response::Hold, Reason::TooFewTrials, Some(*id)),
            }
            if seen.needs.is_some() && watched.stays_short() {
                call.raise(phase.inconclusive, Reason::TooFewTrials, Some(*id));
            }
            // At 100% there is no live arm to compare with; a live arm that is only silent shows
            // nothing.
            if phase.promotion == PromotionRule::EvidenceOfNoHarm
                && watched.tests().safe().is_some_and(|test| !test.decided())
                && moment.share < Share::ALL
            {
                call.raise(Response::Hold, Reason::NotShownSafe, Some(*id));
            }
        }
        if !any_is_judged {
            self.not_judged(phase, call);
        }
        if moment.needs_efficacy && efficacy.is_some_and(|e| !e.shown) {
            let bug = self.fix_test.as_ref().map(|fix| metrics[fix.metric].0);
            call.raise(Response::Hold, Reason::EfficacyNotShown, bug);
        }
        if call.worst() == Response::Continue {
            let each = self.watched.iter().zip(metrics);
            each.filter(|(watched, (_, seen))| watched.has_become_worse(seen))
                .for_each(|(_, (id, _))| call.raise(Response::Ask, Reason::Evidence, Some(*id)));
        }
    }

    /// No reading is judged by anything: the phase cannot meet its gate, and waiting does not help.
    #[cold]
    fn not_judged(&self, phase: &Phase, call: &mut Call<'_>) {
        let deciding = self.watched.iter().filter(|watched| watched.metric().role == Role::Decide);
        let mut metrics = deciding.map(|watched| Some(watched.metric().id)).peekable();
        if metrics.peek().is_none() {
            call.raise(phase.inconclusive, Reason::NotJudged, None);
        }
        metrics.for_each(|metric| call.raise(phase.inconclusive, Reason::NotJudged, metric));
    }
}

impl Watched {
    /// Whether nothing but readings from before the deployment judged it, and these are used up.
    fn is_used_up(&self) -> bool {
        self.pre_deployment().is_used_up()
            && self.trailing().is_none()
            && self.metric().bound_figures().next().is_none()
    }

    /// Whether the mean rate of the phase is too low for a window to have the least trials, by three
    /// standard errors of a Poisson count: then waiting does not help. Where it only just suffices,
    /// a fuller window comes.
    fn stays_short(&self) -> bool {
        let (canary, baseline) = self.window().phase().split_at(self.columns());
        let (Some(canary), Some(baseline)) = (self.trials(canary), self.trials(baseline)) else {
            return false;
        };
        let fewer =
            if self.compares_live() && baseline > 0.0 { canary.min(baseline) } else { canary };
        // What a warm-up left out brought no trials, and what totals count since they were read last
        // is not known yet.
        let waits = self.scrape(self.readings().totals).unwrap_or(Span::ZERO).as_seconds();
        let learned = self.readings().learned.as_seconds() - waits;
        let windows = learned / self.watch().window.as_seconds();
        fewer + 3.0 * fewer.sqrt() < self.watch().least_trials * windows
    }
}
