//! Assessment: from bands, tests and gates to a verdict.

use std::sync::Arc;

use crate::grade::{PromotionRule, Response, Role};
use crate::metric::{Band, Judged, Zone, bound_figure, zone};
use crate::policy::section::{Phase, Watch};
use crate::unit::{MetricName, Share, Span, Timestamp};

use super::aligned::Aligned;
use super::bracket::{BASELINE, CANARY};
use super::bursts::KnownBursts;
use super::call::Call;
use super::harm::lesser;
use super::watched::Watched;
use super::{Cause, Decision, Efficacy, Judge, MetricVerdict, Reason, Verdict, Version};

/// The bands of a window that shows nothing against the canary.
const PASSABLE: [Band; 4] = [Band::Success, Band::Hold, Band::Between, Band::NotJudged];

/// Context of a verdict: the time, the share, and the state of the phase.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// Now.
    pub at: Timestamp,
    /// The canary's confirmed share.
    pub share: Share,
    /// The policy's `watch` table.
    pub watch: &'a Watch,
    /// The phase whose least time is over; None while no phase can be promoted.
    pub due: Option<&'a Phase>,
    /// The phase's longest time is over, too; of a phase without one, the time after which a person is asked.
    pub overdue: bool,
    /// The policy makes the rollout wait for readings that are missing.
    pub waits_for_readings: bool,
    /// Whether a promotion needs the efficacy test to have crossed.
    pub needs_efficacy: bool,
    /// A later phase leaves traffic on the live version, so that the fix can be shown to work there.
    pub can_show_later: bool,
    /// All phases have passed, so a hold keeps no traffic back.
    pub after_the_phases: bool,
    /// Requests a minute over all arms, as planned; None if the plan does not say.
    pub traffic: Option<f64>,
    /// The phase under way; None where no phase is watched.
    pub running: Option<Running<'a>>,
}

/// A phase under way, and its remaining time.
#[derive(Clone, Copy, Debug)]
pub struct Running<'a> {
    /// The phase.
    pub phase: &'a Phase,
    /// Until its least time is over; zero once it is.
    pub until_due: Span,
    /// Until its longest time is over; None where it has none.
    pub until_overdue: Option<Span>,
    /// Until a person is asked about what holds it; zero once that time has come.
    pub until_asked: Span,
}

impl Moment<'_> {
    /// Whether the live version should be read beside the canary: a phase is watched or can be
    /// promoted, and both have traffic. While traffic moves, the live version may be gone already.
    fn expects_live(&self) -> bool {
        self.share < Share::ALL && (self.running.is_some() || self.due.is_some())
    }

    /// The response to an alert: the policy's, but at least a question where a hold keeps no traffic
    /// back: after the last phase, and if it has kept none back since `since`, for long enough.
    fn alert(&self, since: Option<Timestamp>) -> Response {
        let lasts = since.is_some_and(|since| self.at.since(since) >= self.watch.alert_lasts());
        let least = if self.after_the_phases || lasts { Response::Ask } else { Response::Continue };
        self.watch.alert.max(least)
    }
}

impl Judge {
    /// Writes the verdict of this moment into `verdict`, whose memory is reused. Returns how many of
    /// its causes, the first ones, lead to its decision.
    pub fn assess(&mut self, moment: &Moment<'_>, verdict: &mut Verdict) -> usize {
        verdict.causes.clear();
        verdict.metrics.clear();
        let mut call = Call::new(&mut verdict.causes);
        self.check_of_arms(moment, &mut call);
        // The tests of all metrics at once, so that their logarithms are computed in parallel.
        let tested = self.watched.iter().map(|watched| (watched.metric().id, watched.tested()));
        verdict.metrics.extend(tested);
        let live_is_read = self.live_is_read();
        let is_out = moment.share > Share::NONE || self.sees_traffic();
        for (watched, (_, seen)) in self.watched.iter_mut().zip(&mut verdict.metrics) {
            watched.expire(moment.at);
            let live_missing = watched.live_missing_since(moment, live_is_read);
            watched.add_band(moment, seen, live_missing.is_some());
            let log_e = seen.log_e.unwrap_or(0.0);
            seen.healed = seen.needs.is_none()
                && watched.degradation().healed(
                    seen.band,
                    log_e,
                    || watched.statistic(log_e),
                    self.hold,
                );
            if watched.metric().role == Role::Decide {
                let silent_since = watched.silent_since().filter(|_| is_out);
                call.band(moment, seen, watched, [silent_since, live_missing]);
                call.bad_instances(moment, watched);
                call.settling(moment.at, watched);
                if watched.bursts().is_some_and(KnownBursts::may_be_under_way) {
                    call.raise(Response::Hold, Reason::Burst, Some(watched.metric().id));
                }
                seen.band = watched.band_of_test(seen.band, seen.log_e, seen.baseline);
            }
        }
        verdict.log_e = self.combine(moment, &verdict.metrics, &mut call);
        for &index in self.phase_end.iter().flat_map(|end| &end.results.worse) {
            let metric = self.watched[index].metric().id;
            let (response, reason) = self.rolls_back(Reason::PhaseEndTest);
            call.raise(response, reason, Some(metric));
        }
        let fix = self.fix_test.as_ref().map(|fix| &fix.now);
        verdict.efficacy = fix.map(|fix| Efficacy { log_e: fix.test.log_e(), shown: fix.shown });
        if let Some(running) = &moment.running {
            self.futility(moment, running, verdict.efficacy, &mut call);
        }
        if let Some(phase) = moment.due {
            self.gate(moment, phase, &verdict.metrics, verdict.efficacy, &mut call);
            if moment.overdue && matches!(call.worst(), Response::Hold | Response::Ask) {
                let then = moment.held_too_long(phase, &call);
                // A question does not keep a phase beyond its longest time.
                if then > call.worst() || call.worst() == Response::Hold {
                    call.raise(then, Reason::Inconclusive, None);
                }
            }
        }
        verdict.decision = match (call.worst(), moment.due) {
            (Response::Continue, Some(_)) => Decision::Promote,
            (Response::Continue, None) => Decision::Continue,
            (Response::Hold, _) => Decision::Hold,
            (Response::Ask, _) => Decision::Ask,
            (Response::RollBack, _) => Decision::RollBack,
        };
        let leading = call.leading();
        let rolls_back = verdict.decision == Decision::RollBack;
        let lesser = if rolls_back { lesser(self, moment) } else { None };
        verdict.lesser_harm = lesser.filter(|of| *of == Version::Canary);
        leading
    }

    /// Raises what the checks of the arms have found.
    fn check_of_arms(&self, moment: &Moment<'_>, call: &mut Call<'_>) {
        for (index, watched) in self.watched.iter().enumerate() {
            let reason = if self.arms.is_swapped(index, moment.due.is_some()) {
                Reason::ArmsSwapped
            } else if self.arms.confuses(index) && watched.same().is_striking() {
                Reason::IdenticalArms
            } else if !self.arms.split_is_wrong() && watched.exceeds_share(moment.share) {
                Reason::SplitNotAsPlanned
            } else {
                continue;
            };
            call.raise(Response::Ask, reason, Some(watched.metric().id));
        }
        if self.split_stays_wrong(moment.due.is_some()) {
            let response = self.arms.on_wrong_split(moment.alert(None));
            call.raise(response, Reason::SplitNotAsPlanned, None);
        }
    }

    /// The gate: what a phase has to show when its least time is over.
    fn gate(
        &self,
        moment: &Moment<'_>,
        phase: &Phase,
        metrics: &[(MetricName, MetricVerdict)],
        efficacy: Option<Efficacy>,
        call: &mut Call<'_>,
    ) {
        let mut any_is_judged = false;
        let compares_nothing =
            moment.share < Share::ALL && !self.goes_without_live && !self.live_is_read();
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
            // A miss that the next reading may change waits for it as a pass does, until time decides.
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
                    let asked = watched.asks_about_miss(moment.share);
                    let lasts = asked.is_some_and(|asked| moment.at >= asked);
                    let least = if lasts { Response::Ask } else { Response::Continue };
                    let asks = interpolated || watched.both_miss(moment);
                    let response = at_most_ask(phase.criteria_missed, asks).max(least);
                    call.raise(response, Reason::CriterionMissed, Some(*id));
                }
                None => call.raise(Response::Hold, Reason::TooFewTrials, Some(*id)),
            }
            if compares_nothing && (watched.gate_compares() || watched.needs_live()) {
                call.raise(phase.inconclusive, Reason::LiveNeverRead, Some(*id));
            }
            if seen.needs.is_some() && watched.stays_short() {
                call.raise(phase.inconclusive, Reason::TooFewTrials, Some(*id));
            }
            // At 100% there is no live arm to compare with; one that is only silent shows nothing.
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
        if moment.lacks_efficacy(efficacy) {
            let bug = self.fix_test.as_ref().map(|fix| metrics[fix.metric].0);
            call.raise(Response::Hold, Reason::EfficacyNotShown, bug);
        }
        if call.worst() == Response::Continue {
            let each = self.watched.iter().zip(metrics);
            each.filter(|(watched, (_, seen))| watched.has_become_worse(seen))
                .for_each(|(_, (id, _))| call.raise(Response::Ask, Reason::Evidence, Some(*id)));
        }
    }

    /// Raises that nothing judges a reading: the phase cannot meet its gate, and waiting does not help.
    #[cold]
    fn not_judged(&self, phase: &Phase, call: &mut Call<'_>) {
        let mut metrics = self.deciding().map(|watched| Some(watched.metric().id)).peekable();
        if metrics.peek().is_none() {
            call.raise(phase.inconclusive, Reason::NotJudged, None);
        }
        metrics.for_each(|metric| call.raise(phase.inconclusive, Reason::NotJudged, metric));
    }
}

impl Call<'_> {
    /// Instances of the canary that are worse than the others: a person replaces them, and the
    /// release is not judged by them.
    fn bad_instances(&mut self, moment: &Moment<'_>, watched: &Watched) {
        let response = moment.alert(None).clamp(Response::Hold, Response::Ask);
        for instance in watched.instances().bad() {
            let (reason, metric) = (Reason::BadInstance, watched.metric().id);
            let cause = Cause::new(reason, Some(metric), Some(Arc::clone(instance)));
            self.raise_cause(response, cause);
        }
    }

    /// Raises the response to a metric's band at this tick. `silent_since`: when the fix was read last,
    /// None while nothing shows traffic on it; `live_missing`: since when readings of the live
    /// version are missing.
    fn band(
        &mut self,
        moment: &Moment<'_>,
        seen: &MetricVerdict,
        watched: &Watched,
        [silent_since, live_missing]: [Option<Timestamp>; 2],
    ) {
        let no_data = moment.watch.no_data;
        let silent = |since: Option<Timestamp>, then| {
            let long = since.is_some_and(|since| moment.at.since(since) >= no_data.after);
            if long { then } else { Response::Hold }
        };
        let absent = |reason| (silent(silent_since, no_data.then), reason);
        let at_most_ask = no_data.then.min(Response::Ask);
        let stopped = watched.stopped_since(CANARY);
        let then = if moment.after_the_phases { at_most_ask } else { no_data.then };
        let without_requests = stopped.map_or(Response::Hold, |since| silent(Some(since), then));
        // With another band, and no needs, `add_band` has found that the window lacks nothing.
        let may_lack = seen.needs.is_some() || !PASSABLE.contains(&seen.band);
        let lacks = may_lack && watched.lacks_data(moment);
        // Nothing is known against the canary.
        let few = if lacks { at_most_ask } else { Response::Hold }.max(without_requests);
        let metric = Some(watched.metric().id);
        // Where the canary's readings are missing as well, they alone are named.
        let is_read = !matches!(seen.band, Band::NoData | Band::Stale | Band::NotFinite);
        // Between two readings that come too far apart the question stays.
        if seen.needs.is_none() && (lacks || is_read && stopped.is_some()) {
            self.raise(few.max(Response::Hold), Reason::TooFewTrials, metric);
        }
        if is_read && stopped.is_none() && live_missing.is_some() {
            // Nothing is known against the canary: this alone rolls nothing back.
            let response = silent(live_missing, at_most_ask);
            self.raise(response.max(Response::Hold), Reason::NoLiveData, metric);
        }
        let (response, reason) = match seen.band {
            Band::Rollback | Band::Alert => return self.breach(moment, seen, watched),
            Band::NoData => absent(Reason::NoData),
            Band::Stale => absent(Reason::Stale),
            Band::NotFinite => absent(Reason::NotFinite),
            Band::Hold if seen.needs.is_some() => (few, Reason::TooFewTrials),
            // Neither alert nor rollback: the gate asks about success, over the phase.
            Band::Hold | Band::Between | Band::Success | Band::NotJudged | Band::NoLiveData => {
                return;
            }
        };
        self.raise(response.max(Response::Hold), reason, metric);
    }

    /// Raises the response to a window beyond the alert or the rollback bound: once that bound was
    /// breached as often in a row as the policy asks for.
    #[cold]
    fn breach(&mut self, moment: &Moment<'_>, seen: &MetricVerdict, watched: &Watched) {
        let (metric, degradation) = (watched.metric(), watched.degradation());
        let in_a_row = |band| {
            let read = (watched.readings(), moment.watch.cadence);
            let breaches = degradation.consecutive_breaches(band, moment.at, read);
            f64::from(breaches) >= moment.watch.consecutive_breaches
        };
        let both_read = |band| watched.both_read_since_breach(moment, band);
        let alert = moment.alert(watched.held_in_vain_since(moment.share));
        if seen.band == Band::Alert {
            let acts = in_a_row(Band::Alert) && both_read(Band::Alert);
            let alert = at_most_ask(alert, seen.bucket.is_some());
            let response = if acts { alert.max(Response::Hold) } else { Response::Hold };
            return self.raise(response, Reason::AlertBand, Some(metric.id));
        }
        let lasts = in_a_row(Band::Rollback);
        let acts = lasts && both_read(Band::Rollback);
        let (response, cause) = if acts {
            watched.beyond_rollback(moment, seen)
        } else {
            (Response::Hold, Cause::new(Reason::RollbackBand, Some(metric.id), None))
        };
        // Such a reading is beyond the alert bound, too, which may have been breached for longer.
        let alerts = acts || !lasts && in_a_row(Band::Alert) && both_read(Band::Alert);
        if response < Response::RollBack && alerts && metric.bounds.alert.is_some() {
            self.raise(alert.max(Response::Hold), Reason::AlertBand, Some(metric.id));
        }
        self.raise_cause(response, cause);
    }
}

impl Watched {
    /// The results of the metric's tests; `band` is a placeholder until that of the window is known.
    fn tested(&self) -> MetricVerdict {
        let worse = self.tests().worse();
        let assurance = worse.map(|_| self.assurance());
        MetricVerdict {
            band: Band::Hold,
            baseline: None,
            bucket: None,
            canary: None,
            guarantee: assurance.map(|a| a.guarantee),
            healed: false,
            log_e: self.log_e(),
            log_e_safe: self.tests().safe().map(Aligned::log_e),
            mode: assurance.map(|a| a.mode),
            needs: None,
            ratio: self.ratio().filter(|v| v.is_finite()),
        }
    }

    /// Since when the window has been beyond a bound without a hold being of use: all of the
    /// traffic has the fix, or both versions are beyond it. None otherwise.
    pub(super) fn held_in_vain_since(&self, share: Share) -> Option<Timestamp> {
        let is_in_vain = |_: &Timestamp| share == Share::ALL || self.both_are_beyond(share);
        self.degradation().breached().filter(is_in_vain)
    }

    /// Whether both versions are beyond a rollback bound that does not act then (`unless_both_arms`).
    fn both_are_beyond(&self, share: Share) -> bool {
        let bound = self.metric().bounds.rollback.filter(|bound| bound.unless_both_arms);
        let (canary, live) = self.window().sums().split_at(self.columns());
        let values = [self.value(canary, share.as_fraction()), self.live_value(live, share)];
        let is_beyond = |bound, value| self.metric().crossed(bound, value, None) == Some(true);
        bound.is_some_and(|bound| values.iter().all(|v| v.is_some_and(|v| is_beyond(bound, v))))
    }

    /// Adds the band of the trailing window.
    fn add_band(&self, moment: &Moment<'_>, seen: &mut MetricVerdict, live_missing: bool) {
        let columns = self.columns();
        let (canary, baseline) = self.window().sums().split_at(columns);
        let share = moment.share;
        let value = self.value(canary, share.as_fraction());
        let live = self.live_value(baseline, share);
        // A trailing level is not the value of another version.
        let other = live.filter(|_| !self.trails(share));
        seen.baseline = other.map(Judged::middle).filter(|v| v.is_finite());
        seen.canary = value.map(Judged::middle).filter(|v| v.is_finite());
        let read_at = self.readings().read_at;
        let fresh = read_at.filter(|&read| self.began().is_none_or(|began| read >= began));
        seen.band = match (fresh, value) {
            _ if self.readings().not_finite.is_some() => Band::NotFinite,
            (None, _) => Band::NoData,
            (Some(read), _) if moment.at.since(read) > moment.watch.stale => Band::Stale,
            (Some(_), None) => {
                // The window has no value of the canary, also for kinds without trials.
                let lacking = |n: f64| (moment.watch.least_trials - n).max(1.0);
                let of_window = moment.watch.window.as_seconds();
                seen.needs = Some(self.trials(canary).map_or(of_window, lacking));
                Band::Hold
            }
            (Some(_), Some(value)) => {
                seen.needs = self.needs(moment, canary, baseline);
                if seen.needs.is_some() {
                    Band::Hold
                } else {
                    let Zone { band, interpolated } =
                        zone(self.metric(), value, live, self.is_tested());
                    if interpolated {
                        seen.bucket = Some([value.low, value.high]);
                        seen.canary = value.estimate();
                        seen.baseline = other.and_then(Judged::estimate).or(seen.baseline);
                    }
                    if band == Band::Rollback
                        && let Some(last) = self.live_was_beyond(share, live)
                    {
                        seen.baseline = Some(last.middle());
                    }
                    if share == Share::NONE { self.unconfirmed_band(band, live) } else { band }
                }
            }
        };
        // A breach still counts against the canary, but a pass does not: nothing shows that it is
        // as good as the live version, or works at all.
        let lacks = self.stopped_since(CANARY).is_some() || self.lacks_data(moment);
        if (lacks || live_missing) && PASSABLE.contains(&seen.band) {
            seen.band = if lacks { Band::Hold } else { Band::NoLiveData };
            if lacks && seen.needs.is_none() {
                let trials = self.trials(canary).map(|_| moment.watch.least_trials.max(1.0));
                seen.needs = Some(trials.unwrap_or(moment.watch.window.as_seconds()));
            }
        }
    }

    /// Since when readings of the live version are missing, by the limits for the canary's. None if
    /// they are not; if no live version is expected or compared with; and if none was ever read
    /// (`live_is_read`: by any metric).
    pub(super) fn live_missing_since(
        &self,
        moment: &Moment<'_>,
        live_is_read: bool,
    ) -> Option<Timestamp> {
        let since = self.live_silent_since(live_is_read).filter(|_| moment.expects_live())?;
        let may_come = self.readings().live_read_at.is_none_or(|read| read == since);
        let fresh = may_come && moment.at.since(since) <= moment.watch.stale;
        if fresh { self.stopped_since(BASELINE) } else { Some(since) }
    }

    /// How much the window lacks before bounds apply: trials, or seconds of observation; None if nothing.
    fn needs(&self, moment: &Moment<'_>, canary: &[f64], baseline: &[f64]) -> Option<f64> {
        let least = moment.watch.least_trials;
        let lacking =
            if let (Some(canary), Some(baseline)) = (self.trials(canary), self.trials(baseline)) {
                let other = if self.compares_live() && baseline > 0.0 { baseline } else { least };
                least - canary.min(other)
            } else {
                // One tick of a rare count or a level does not fill a window: observe for the
                // length of the window, also after a gap.
                let since = self.readings().coverage.since(self.began());
                moment.watch.window.as_seconds() - seconds_watched(moment.at, since)
            };
        (lacking > 0.0).then_some(lacking)
    }

    /// Whether the canary is compared with a trailing level, because no live arm is left.
    pub(super) fn trails(&self, share: Share) -> bool {
        share == Share::ALL && self.trailing().is_some()
    }

    /// The value that the canary is compared with; None without data. Rows from before the
    /// deployment have to be enough to judge by, because no more of them come. Once they are used
    /// up, the latest readings are compared with nothing, whatever rows the window still has.
    pub(super) fn live_value(&self, baseline: &[f64], share: Share) -> Option<Judged> {
        if self.trails(share) {
            return self.trailing()?.level().map(Judged::exactly);
        }
        if share == Share::ALL && self.pre_deployment().has_ended() {
            // A canary that was beyond a bound relative to the live version is compared with its last value.
            let stays = self.degradation().breached().is_some() && self.needs_live();
            return self.last_live().filter(|_| stays);
        }
        let enough = match self.trials(baseline) {
            _ if share < Share::ALL => true,
            Some(trials) => trials >= self.watch().least_trials,
            // One row is enough of a level, and of a count those beside the canary's: a tick may be missing.
            None => true,
        };
        enough.then(|| self.value(baseline, share.rest().as_fraction())).flatten()
    }

    /// When the canary was read last with finite numbers, or else when the watch began.
    pub(super) fn silent_since(&self) -> Option<Timestamp> {
        self.readings().finite_at().max(self.began())
    }

    /// When the live version was read last, or else when the watch began. None if the metric is not
    /// compared with it, or if no metric ever read it (`live_is_read`): then it may not be readable.
    pub(super) fn live_silent_since(&self, live_is_read: bool) -> Option<Timestamp> {
        let compared = self.is_tested() || self.compares_live();
        let silent = self.readings().live_read_at.max(self.began());
        silent.filter(|_| compared && live_is_read)
    }

    /// Whether readings have come for long but cannot be judged: they are too far apart, or after
    /// the last phase the window has no request.
    fn lacks_data(&self, moment: &Moment<'_>) -> bool {
        let (readings, long) = (self.readings(), moment.watch.no_data.after);
        let for_long = |since| moment.at.since(since) >= long;
        let recent = |read| moment.at.since(read) < moment.watch.window;
        match self.trials(&self.window().sums()[..self.columns()]) {
            Some(trials) => {
                moment.after_the_phases
                    && trials <= 0.0
                    && readings.read_at.is_some_and(recent)
                    && readings.coverage.since(self.began()).is_some_and(for_long)
            }
            None => readings.coverage.lacks_for(long),
        }
    }

    /// Whether a bound has no figure without the live version.
    fn needs_live(&self) -> bool {
        self.metric().bounds.all().any(|bound| bound_figure(self.metric(), bound, None).is_none())
    }

    /// Whether a test that decides compares both arms.
    pub(super) fn is_tested(&self) -> bool {
        self.metric().is_tested() && self.tests().worse().is_some()
    }
}

/// The response to a bound that is missed or breached: an interpolated quantile never rolls back, nor
/// a miss that the live version shares.
fn at_most_ask(response: Response, asks: bool) -> Response {
    if asks { response.min(Response::Ask) } else { response }
}

/// Seconds of observation since then; infinite if no phase has begun.
///
/// Not inlined: hoisted out of the loop over metrics, it would compute with the uninitialised time
/// of an absent start. The result is not used, but valgrind reports the branch to programs that run
/// under it.
#[inline(never)]
pub(super) fn seconds_watched(at: Timestamp, since: Option<Timestamp>) -> f64 {
    since.map_or(f64::INFINITY, |since| at.since(since).as_seconds())
}
