//! Combination of the evidence of all metrics, and the response to it.

use std::sync::Arc;

use crate::grade::{EvidenceMode, Response};
use crate::policy::section::MOST_TESTED;
use crate::unit::{MetricName, Share, Timestamp};

use super::call::Call;
use super::cured::traffic;
use super::evidence_basis::Assurance;
use super::watched::Watched;
use super::{Cause, Judge, MetricVerdict, Moment, Reason};

/// Log e-values of the tested metrics, in the order of the combination's weights.
type PerMetric = [f64; MOST_TESTED];

impl Judge {
    /// Raises the response to the tests, and returns the log e-value of all of them together.
    ///
    /// The weighted sum of the e-values of metrics in the modes plain and replay decides. A metric
    /// whose instances are compared with each other has no valid e-value: it has its own share of
    /// the error probability and adds nothing to the sum that decides, only to the one that holds.
    pub(super) fn combine(
        &self,
        moment: &Moment<'_>,
        metrics: &[(MetricName, MetricVerdict)],
        call: &mut Call<'_>,
    ) -> f64 {
        let Some(combination) = &self.combination else { return 0.0 };
        let used = self.tested.len().min(MOST_TESTED);
        let (mut seen, mut spread) = (PerMetric::default(), PerMetric::default());
        for ((seen, spread), &index) in seen.iter_mut().zip(&mut spread).zip(&self.tested) {
            let (watched, (id, verdict)) = (&self.watched[index], &metrics[index]);
            *seen = verdict.log_e.unwrap_or(0.0);
            *spread = watched.spread();
            if let Some(limits) = watched.basis().limits() {
                // The level that noise reaches in history does not count as evidence.
                *seen -= limits.test.threshold - self.threshold;
            }
            if let Some(EvidenceMode::Randomised | EvidenceMode::Both) = verdict.mode {
                self.compare(watched, verdict, *id, call);
            }
        }
        let log_e = combination.log_e(&seen[..used]).unwrap_or(0.0);
        if log_e >= self.threshold {
            return self.crossed(moment, metrics, &seen, call).unwrap_or(log_e);
        }
        // The alignment with more evidence is enough to hold.
        for (&index, &spread) in self.tested.iter().zip(&spread) {
            let (id, verdict) = &metrics[index];
            let hold = self.watched[index].basis().limits().map(|limits| limits.hold);
            let holds = |(log_e, hold): (f64, f64)| {
                log_e + spread >= hold && self.watched[index].statistic(log_e) + spread >= hold
            };
            if verdict.log_e.zip(hold).is_some_and(holds) {
                let response = moment.held(self.watched[index].is_final(moment.share));
                call.raise(response, Reason::HoldLevel, Some(*id));
            }
        }
        let mut highest = log_e;
        if spread[..used].iter().any(|spread| *spread > 0.0) {
            seen.iter_mut().zip(spread).for_each(|(seen, spread)| *seen += spread);
            highest = combination.log_e(&seen[..used]).unwrap_or(log_e);
        }
        if highest >= self.hold && self.holds_without_any(metrics, &mut seen) {
            call.raise(self.held(moment), Reason::HoldLevel, None);
        }
        log_e
    }

    /// Whether no reading can change the evidence of any metric any more.
    pub(crate) fn evidence_is_final(&self, share: Share) -> bool {
        self.tested.iter().all(|&index| self.watched[index].is_final(share))
    }

    /// The response where the evidence of all metrics together is enough to hold.
    fn held(&self, moment: &Moment<'_>) -> Response {
        moment.held(self.evidence_is_final(moment.share))
    }

    /// Whether the evidence is enough to hold with each metric's [`statistic`](Watched::statistic),
    /// which also counts the evidence without each one of the canary's instances.
    #[cold]
    fn holds_without_any(
        &self,
        metrics: &[(MetricName, MetricVerdict)],
        seen: &mut PerMetric,
    ) -> bool {
        for (seen, &index) in seen.iter_mut().zip(&self.tested) {
            let log_e = metrics[index].1.log_e.unwrap_or(0.0);
            *seen -= log_e - self.watched[index].statistic(log_e);
        }
        let used = self.tested.len().min(MOST_TESTED);
        let combination = self.combination.as_ref();
        let log_e = combination.and_then(|of| of.log_e(&seen[..used]).ok());
        log_e.is_some_and(|log_e| log_e >= self.hold)
    }

    /// Raises the response where all tests together have crossed, which depends on the evidence
    /// basis. Returns the log e-value without any one instance if they crossed only by one whose
    /// harm is over, which is no reason to hold; else None.
    #[cold]
    fn crossed(
        &self,
        moment: &Moment<'_>,
        metrics: &[(MetricName, MetricVerdict)],
        seen: &PerMetric,
        call: &mut Call<'_>,
    ) -> Option<f64> {
        let combination = self.combination.as_ref()?;
        let used = self.tested.len().min(MOST_TESTED);
        let none = [f64::NEG_INFINITY; MOST_TESTED];
        let (mut acting, mut robust, mut asking, mut held) = (none, none, none, none);
        for (place, &index) in self.tested.iter().take(used).enumerate() {
            let watched = &self.watched[index];
            let assurance = watched.assurance();
            if !matches!(assurance.mode, EvidenceMode::Plain | EvidenceMode::Replay) {
                continue;
            }
            held[place] = seen[place];
            if watched.kept_back(moment.at).is_some() {
                continue;
            }
            asking[place] = seen[place];
            if assurance.acts {
                acting[place] = seen[place];
                robust[place] = seen[place];
            }
            if let Some(log_e) = metrics[index].1.log_e {
                robust[place] -= log_e - watched.statistic(log_e);
            }
        }
        let reached = |values: &PerMetric| {
            values[..used].iter().any(|value| *value > f64::NEG_INFINITY)
                && combination.log_e(&values[..used]).is_ok_and(|log_e| log_e >= self.threshold)
        };
        if reached(&acting) && reached(&robust) {
            let (response, reason) = self.rolls_back(Reason::Evidence);
            self.name_causes(metrics, &acting, response, reason, call);
        } else if reached(&acting) {
            for (acting, &index) in acting.iter_mut().zip(&self.tested) {
                if metrics[index].1.healed {
                    *acting = f64::NEG_INFINITY;
                }
            }
            if !reached(&acting) {
                return combination.log_e(&robust[..used]).ok();
            }
            self.name_causes(metrics, &acting, self.held(moment), Reason::OnlyWholePasses, call);
        } else if reached(&asking) {
            self.name_causes(metrics, &asking, Response::Ask, Reason::EvidenceAssumed, call);
        } else if reached(&held) {
            self.name_held(moment.at, metrics, &held, call);
        } else if !call.rolls_back() {
            call.raise(self.held(moment), Reason::HoldLevel, None);
        }
        None
    }

    /// Holds where the evidence is enough only with metrics whose instances are new, or whose
    /// excess one boundary alone shows.
    fn name_held(
        &self,
        at: Timestamp,
        metrics: &[(MetricName, MetricVerdict)],
        held: &PerMetric,
        call: &mut Call<'_>,
    ) {
        for (&index, held) in self.tested.iter().zip(held) {
            let kept_back = || self.watched[index].kept_back(at);
            if let Some(reason) = (*held > 0.0).then(kept_back).flatten() {
                call.raise(Response::Hold, reason, Some(metrics[index].0));
            }
        }
    }

    /// Raises the metrics whose own share of the evidence reaches the threshold; if none does, a
    /// cause without a metric.
    fn name_causes(
        &self,
        metrics: &[(MetricName, MetricVerdict)],
        values: &PerMetric,
        response: Response,
        reason: Reason,
        call: &mut Call<'_>,
    ) {
        let Some(combination) = &self.combination else { return };
        let mut named = false;
        for (place, &index) in self.tested.iter().enumerate().take(MOST_TESTED) {
            if combination.is_cause(place, values[place]) {
                let decisive = || self.watched[index].decisive_instance().map(Arc::clone);
                let instance = (reason == Reason::OnlyWholePasses).then(decisive).flatten();
                call.raise_cause(response, Cause::new(reason, Some(metrics[index].0), instance));
                named = true;
            }
        }
        if !named {
            call.raise(response, reason, None);
        }
    }

    /// Log e-value with which a metric's rollback test decides by itself; None if the test never does.
    pub(super) fn own_threshold(&self, index: usize) -> Option<f64> {
        let watched = &self.watched[index];
        let Assurance { mode, acts, .. } = watched.assurance();
        let decides = acts && matches!(mode, EvidenceMode::Plain | EvidenceMode::Replay);
        (decides && self.tested.contains(&index)).then(|| watched.basis().own_threshold())
    }

    /// Raises the response to a metric whose canary instances are compared with other choices of as many.
    fn compare(
        &self,
        watched: &Watched,
        verdict: &MetricVerdict,
        id: MetricName,
        call: &mut Call<'_>,
    ) {
        let drawn = watched.instances().drawn;
        let replayed = verdict.mode == Some(EvidenceMode::Both) && watched.replay_says();
        let (response, reason) = match verdict.mode {
            Some(EvidenceMode::Randomised) if drawn => self.rolls_back(Reason::Evidence),
            Some(EvidenceMode::Both) if drawn && replayed => self.rolls_back(Reason::Evidence),
            Some(EvidenceMode::Both) if drawn || replayed => (Response::Hold, Reason::NotBoth),
            _ => return,
        };
        call.raise(response, reason, Some(id));
    }

    /// The response to a test that finds the canary worse, and its reason: a rollback, unless that makes
    /// far more requests fail. A person then chooses the lesser harm.
    pub(super) fn rolls_back(&self, reason: Reason) -> (Response, Reason) {
        let traffic = traffic(&self.watched, &[]);
        if traffic.is_some_and(|of| self.watched[of].cured_failures(None) > 0.0) {
            (Response::Ask, Reason::FewerFailures)
        } else {
            (Response::RollBack, reason)
        }
    }
}
