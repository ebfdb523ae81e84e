//! Whether a metric is at an earlier level: after a rollback at that before the deployment, and after
//! a question at the one that a person saw.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::grade::Worse;
use crate::metric::{Band, Judged};
use crate::metric_kind::Data;
use crate::policy::section::Metric;
use crate::sorting::map_of;
use crate::stats::Counts;
use crate::stats::interval::{is_clearly_more, wilson};
use crate::unit::MetricName;

use super::watched::Watched;
use super::{Cause, Judge, Reason, Verdict};

/// Whether the metrics are back at their level before the deployment. The original fault is expected
/// to return: that level is no healthy one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Recovery {
    /// A metric is at its level, and none is clearly worse.
    Returned,
    /// A metric is clearly worse than it was.
    NotReturned,
    /// Nothing was read after the rollback, or nothing before the deployment to compare it with.
    NotKnown,
}

impl Recovery {
    /// Whether each metric that decides has returned, since the rollback was confirmed; None for one
    /// that cannot be compared.
    pub(crate) fn of_each(judge: &Judge) -> impl Iterator<Item = (MetricName, Option<bool>)> {
        let of = |watched: &Watched| watched.returned(watched.window().phase());
        judge.deciding().map(move |watched| (watched.metric().id, of(watched)))
    }

    /// Whether the deciding metrics are back at their level since the rollback was confirmed.
    pub(crate) fn of(judge: &Judge) -> Self {
        Self::from(Self::of_each(judge).map(|(_, returned)| returned))
    }

    /// As [`of`](Self::of), by the last readings, after the watch of a rollback has ended.
    pub(crate) fn lately(judge: &Judge) -> Self {
        Self::from(judge.deciding().map(|watched| watched.returned(watched.window().sums())))
    }

    /// The deciding metrics that are clearly worse than before the deployment by the last readings, with
    /// their levels now and before it.
    pub(crate) fn worse(judge: &Judge) -> BTreeMap<MetricName, [f64; 2]> {
        let worse = judge.deciding().filter_map(|watched| {
            let sums = watched.window().sums();
            let level = |of| watched.value(of, 1.0).and_then(Judged::finite);
            let levels = [level(&sums[watched.columns()..])?, level(&watched.totals().level)?];
            (watched.returned(sums) == Some(false)).then_some((watched.metric().id, levels))
        });
        map_of(worse)
    }

    fn from(each: impl Iterator<Item = Option<bool>>) -> Self {
        let mut seen = each.flatten().peekable();
        if seen.peek().is_none() {
            Self::NotKnown
        } else if seen.all(|returned| returned) {
            Self::Returned
        } else {
            Self::NotReturned
        }
    }
}

/// Confidence of the intervals that have to overlap: the present measurement, and the level before,
/// which was measured too.
const CONFIDENCE: f64 = 0.95;

/// How much worse than before a metric may be where no bound says it.
struct Tolerated {
    /// For failures, counts and slow requests: how many times as many as before.
    times: f64,
    /// For a level: a difference, as a share of the one before.
    level: f64,
}

/// Tolerated after a rollback.
const RETURNED: Tolerated = Tolerated { times: 1.0, level: 0.2 };
/// Tolerated after a person was asked about what they saw: a service wanders within hours.
const AS_SEEN: Tolerated = Tolerated { times: 2.0, level: 0.5 };

/// Whether a metric is clearly worse than when a person was last asked; after the completion, where it was
/// not read then, than the live version was before the deployment.
pub(crate) fn is_worse_than_seen(judge: &Judge, id: MetricName, is_complete: bool) -> bool {
    judge.metric(id).is_some_and(|watched| {
        let now = &watched.window().sums()[..watched.columns()];
        let least = watched.watch().least_trials;
        let is_enough = watched.trials(now).is_none_or(|trials| trials >= least);
        let before = is_complete.then_some(&*watched.totals().level);
        let is_worse = |seen| watched.is_at(now, seen, &AS_SEEN) == Some(false);
        is_enough && watched.seen().or(before).is_some_and(is_worse)
    })
}

/// Records that a person promotes: without a comparison where this verdict asks about that, and
/// with what the question showed.
pub(crate) fn go_on(judge: &mut Judge, verdict: &Verdict) {
    judge.goes_without_live |= verdict.has(Reason::LiveNeverRead);
    judge.watched.iter_mut().for_each(Watched::note_answer);
}

/// Records that a person is asked: keeps what each metric shows that this verdict does not judge.
pub(crate) fn note_seen(judge: &mut Judge, verdict: &Verdict) {
    for watched in &mut judge.watched {
        let id = watched.metric().id;
        let is_worse =
            |cause: &Cause| cause.reason == Reason::WorseThanSeen && cause.metric == Some(id);
        let of = verdict.metric(id);
        let is_not_judged = of.is_some_and(|seen| seen.band == Band::NotJudged);
        watched.note_seen(is_not_judged, verdict.causes.iter().any(is_worse));
    }
}

impl Watched {
    /// The canary's value when a person was last asked about it; None if that never was.
    pub(crate) fn seen_by_a_person(&self) -> Option<f64> {
        self.value(self.seen()?, 1.0)?.finite()
    }

    /// Whether the live version, by these sums of both versions, has returned after a rollback; None
    /// where there is nothing to compare.
    fn returned(&self, sums: &[f64]) -> Option<bool> {
        self.is_at(&sums[self.columns()..], &self.totals().level, &RETURNED)
    }

    /// Whether counts are no worse than before; None where there is nothing to compare.
    fn is_at(&self, now: &[f64], before: &[f64], tolerated: &Tolerated) -> Option<bool> {
        match self.metric().kind.data() {
            Data::Trials => {
                not_above(self.bad_counts(now), self.bad_counts(before), 0.0, tolerated.times)
            }
            Data::Exposure => {
                let (more, fewer) = match self.metric().worse {
                    Worse::Higher => (now, before),
                    Worse::Lower => (before, now),
                };
                let times = more[1] / fewer[1] * tolerated.times;
                (before[1] > 0.0 && now[1] > 0.0)
                    .then(|| !is_clearly_more(more[0], fewer[0], times, CONFIDENCE))
            }
            Data::Buckets => {
                let level = self.value(before, 1.0)?;
                let above = |columns| self.slower_than(level.high, columns);
                let allowed = 1.0 - self.metric().quantile.as_fraction();
                not_above(above(now)?, above(before)?, allowed, tolerated.times)
            }
            Data::Level => {
                // Both have all of the traffic: the live version after a rollback and before, or the fix.
                let level = self.value(before, 1.0)?;
                Some(is_at(self.metric(), self.value(now, 1.0)?, level, tolerated.level))
            }
        }
    }
}

/// Whether a level is no worse than before: within the metric's own bound, compared with the level
/// before. Without a bound that it met before, within the tolerance.
fn is_at(metric: &Metric, now: Judged, before: Judged, tolerated: f64) -> bool {
    let bounds = &metric.bounds;
    let is_met = |bound, value| metric.crossed(bound, value, Some(before)) == Some(false);
    let bound = bounds.alert.or(bounds.rollback).or(bounds.success);
    if let Some(bound) = bound.filter(|bound| is_met(*bound, before)) {
        return is_met(bound, now);
    }
    let (now, before) = (now.middle(), before.middle());
    let tolerated = tolerated * before.abs();
    match metric.worse {
        Worse::Higher => now <= before + tolerated,
        Worse::Lower => now >= before - tolerated,
    }
}

/// Whether the present rate is compatible with so many times the level before, or what is allowed
/// anyway. None without trials in either.
fn not_above(now: Counts, level: Counts, allowed: f64, times: f64) -> Option<bool> {
    if now.trials <= 0.0 || level.trials <= 0.0 {
        return None;
    }
    let (now, level) = (wilson(now, CONFIDENCE).ok()?, wilson(level, CONFIDENCE).ok()?);
    Some(now.low <= times * level.high.max(allowed))
}
