//! Outcome of each duty: kept, late or missed.
//!
//! The final list of duties no longer has what was missed before a duty was done, nor the duties that
//! another severity or other facts dropped. So the open duties are recorded after each log line that is not a mere reading.

use std::collections::BTreeMap;

use crate::deadline::{Awaits, Duties, Item, Settlement};
use crate::fact::Truth;
use crate::grade::Moment;
use crate::rollout::{Rollout, State};
use crate::sorting::sort_by_key;
use crate::unit::{Name, Span, Timestamp};

use super::model::{DutyOutcome, DutyPart};

#[derive(Clone, Debug)]
struct Known {
    /// What became of it so far.
    part: DutyPart,
    every: Option<Span>,
    opens: Option<Timestamp>,
    /// For a repeated duty: the occurrence that was due.
    occurrence: u64,
    /// The number of missed occurrences so far; of what is due once, what was dropped.
    passed: u64,
    /// For a repeated duty that is not open: those that were missed when it ended.
    ended: Option<u64>,
    /// When another severity or other facts dropped it.
    dropped: Option<Timestamp>,
    /// It applied only because something was not known.
    assumed: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct DutyTracker {
    known: BTreeMap<Name, Known>,
    /// What was late or missed when it was last listed: it may be listed no more.
    lapsed: BTreeMap<Name, DutyPart>,
    /// What was late or missed before it was to be done once more, or before a rollback revoked the moment
    /// that it counts from.
    earlier: Vec<DutyPart>,
}

impl DutyTracker {
    /// Records the duties that are open after a line, at its time.
    pub(super) fn update(&mut self, rollout: &Rollout, at: Timestamp) {
        let duties = &rollout.duties(at);
        let ask_again = rollout.plan().policy().ask_again();
        self.keep_before_rollback(rollout, duties, ask_again);
        // Such as a response that was late, once the incident is reopened.
        self.keep_lapsed(|id| open(duties).any(|item| item.id == *id));
        for item in open(duties) {
            let before = self.known.get(&item.id);
            let occurrence = item.occurrence.unwrap_or(1);
            let passed = before.map_or(0, |known| {
                // Of those that were settled since the last update, the ones after their due time.
                let settled = || occurrence.saturating_sub(known.occurrence);
                let late = || known.missed_by(duties.at).min(settled());
                known.passed + known.ended.unwrap_or_else(late)
            });
            let applies = [item.applies.condition, item.applies.stop_gap];
            let (ended, dropped, assumed) = (None, None, applies.contains(&Some(Truth::Unknown)));
            let (every, opens) = (item.every, item.opens);
            let part = self.part(rollout, item);
            let part = DutyPart { from: item.from_at, due: item.due, ..part };
            let known = Known { part, every, opens, occurrence, passed, ended, dropped, assumed };
            self.known.insert(item.id, known);
        }
        // What would have been due until it applies again is not missed. What was missed while the
        // severity and the facts before asked for it is.
        for (id, known) in &mut self.known {
            if open(duties).any(|item| item.id == *id) {
                continue;
            }
            let listed = duties.done.iter().find(|item| item.id == *id);
            let is_open = known.ended.is_none() && !known.assumed;
            if is_open && listed.is_none_or(is_dropped) {
                known.passed += known.missed_before(duties.at, ask_again);
                known.dropped = Some(duties.at);
            }
            known.ended = Some(listed.map_or(0, |item| item.missed));
        }
        for item in &duties.done {
            let part = self.part(rollout, item);
            if matches!(part.status, DutyOutcome::Late | DutyOutcome::Missed) {
                self.lapsed.insert(item.id, part);
            } else {
                self.lapsed.remove(&item.id);
            }
        }
    }

    /// Keeps what was late or missed before a rollback: it waits for the next attempt now, or does not
    /// apply any more.
    fn keep_before_rollback(&mut self, rollout: &Rollout, duties: &Duties<'_>, ask_again: Span) {
        let has_turned_back =
            rollout.stage().has_turned_back() || rollout.moment(Moment::RolledBack).is_some();
        if !has_turned_back {
            return;
        }
        // From then on nobody has to do what follows the deployment.
        let until = rollout.turned_back_at().map_or(duties.at, |back| back.min(duties.at));
        let begins_again = |id: &Name| {
            let item = all(duties).find(|item| item.id == *id);
            item.is_none_or(|item| matches!(item.awaits, Some(Awaits::Moment(_))))
        };
        for (id, known) in &mut self.known {
            let once = known.every.is_none() && known.ended.is_none();
            if once && known.missed_before(until, ask_again) > 0 && begins_again(id) {
                let missed = Known { passed: 1, dropped: Some(duties.at), ..known.clone() };
                self.earlier.extend(missed.dropped_part());
                known.ended = Some(0);
            }
        }
        self.keep_lapsed(begins_again);
    }

    /// Keeps what was late or missed of the duties due once that begin again.
    fn keep_lapsed(&mut self, begins_again: impl Fn(&Name) -> bool) {
        self.lapsed.retain(|id, part| {
            let begins_again = part.times.is_none() && begins_again(id);
            self.earlier.extend(begins_again.then(|| part.clone()));
            !begins_again
        });
    }

    pub(super) fn parts(
        &self,
        rollout: &Rollout,
        duties: &Duties<'_>,
        evidence: &BTreeMap<Name, String>,
    ) -> Vec<DutyPart> {
        let mut parts: Vec<DutyPart> = all(duties)
            .filter(|item| !awaits_in_vain(rollout, item))
            .map(|item| self.part(rollout, item))
            .collect();
        let is_listed = |id: &Name| all(duties).any(|item| item.id == *id);
        let gone = self.known.iter().filter(|(id, _)| !is_listed(id));
        parts.extend(gone.filter_map(|(id, known)| {
            known.dropped_part().or_else(|| self.lapsed.get(id).cloned())
        }));
        parts.extend_from_slice(&self.earlier);
        for part in &mut parts {
            part.evidence = evidence.get(&part.id).cloned();
        }
        sort_by_key(&mut parts, |part| {
            let at = part.due.or(part.settled);
            (at.is_none(), at)
        });
        parts
    }

    fn part(&self, rollout: &Rollout, item: &Item<'_>) -> DutyPart {
        let known = self.known.get(&item.id);
        // The moment that a settled duty counts from may have been corrected since.
        let times = rollout.duty_times(item.id, rollout.now().unwrap_or_default()).unzip();
        let due = item.due.or(times.1).or(known.and_then(|known| known.part.due));
        let from = item.from_at.or(known.and_then(|known| known.part.from));
        // What is due as soon as it is asked for has no limit that somebody could keep.
        let opens = item.opens.or(times.0).or(known.and_then(|known| known.opens));
        let limit = due.filter(|due| opens.is_none_or(|opens| opens < *due));
        let is_repeated = item.every.is_some();
        let missed = item.missed + known.map_or(0, |known| known.passed);
        let is_open = item.left.is_some() || item.late_by.is_some() || item.awaits.is_some();
        let settled = item.settled.filter(|_| !is_open);
        let status = match settled {
            _ if is_repeated && missed > 0 => DutyOutcome::Missed,
            None if item.late_by.is_some() => DutyOutcome::Missed,
            None => DutyOutcome::Open,
            Some(_) if is_repeated && item.times > 0 => DutyOutcome::Kept,
            Some(settled) => match (settled.how, due) {
                (Settlement::Ended, Some(due)) if due < settled.at => DutyOutcome::Missed,
                (Settlement::Ended, _) => DutyOutcome::Over,
                // It was missed before it was dropped for a while.
                (_, Some(_)) if missed > 0 => DutyOutcome::Late,
                (_, Some(_)) => match limit {
                    Some(limit) if settled.at > limit => DutyOutcome::Late,
                    Some(_) => DutyOutcome::Kept,
                    None => DutyOutcome::Done,
                },
                (_, None) => DutyOutcome::Done,
            },
        };

        DutyPart {
            id: item.id,
            title: item.title.to_string(),
            kind: item.kind,
            role: item.who.as_ref().map(|who| rollout.plan().policy().role_title(who.role)),
            status,
            from,
            due,
            settled: settled.map(|settled| settled.at),
            times: is_repeated.then_some(item.times),
            missed: is_repeated.then_some(missed),
            evidence: None,
        }
    }
}

impl Known {
    fn missed_by(&self, at: Timestamp) -> u64 {
        let Some(due) = self.part.due.filter(|due| *due < at) else { return 0 };
        let passed = |every: Span| (at.since(due).as_millis() - 1) / every.as_millis().max(1);
        1 + self.every.map_or(0, passed)
    }

    /// How often it was missed before it was dropped. What was due as soon as it was
    /// asked for was missed once it was asked for again.
    fn missed_before(&self, at: Timestamp, ask_again: Span) -> u64 {
        let at_once = self.part.due.filter(|due| self.opens.is_some_and(|opens| *due <= opens));
        let is_early = at_once.is_some_and(|due| at < due + ask_again);
        if is_early { 0 } else { self.missed_by(at) }
    }

    /// The outcome of a duty that nobody did until it was dropped; None where it was not missed.
    fn dropped_part(&self) -> Option<DutyPart> {
        self.dropped.filter(|_| self.passed > 0).map(|dropped| DutyPart {
            status: DutyOutcome::Missed,
            settled: Some(dropped),
            times: self.every.map(|_| 0),
            missed: self.every.map(|_| self.passed),
            ..self.part.clone()
        })
    }
}

/// Whether a duty in the list of done ones is there only for what was done before it was dropped.
fn is_dropped(item: &Item<'_>) -> bool {
    let has_ended = item.settled.is_some_and(|settled| settled.how == Settlement::Ended);
    item.every.is_some() && !has_ended
}

/// Whether the rollout has ended, and its fix is not live: rolled back, aborted or failed.
pub(super) fn ended_without_the_fix(rollout: &Rollout) -> bool {
    rollout.state().is_final() && rollout.state() != State::Closed
}

/// Whether a duty waits for the deployment of a fix, or what comes after it.
pub(super) const fn awaits_the_fix(item: &Item<'_>) -> bool {
    matches!(
        item.awaits,
        Some(Awaits::Moment(
            Moment::DeployStarted | Moment::Deployed | Moment::Verified | Moment::Closed,
        ))
    )
}

/// Whether a duty waits for what does not happen any more: a rollback where nothing was rolled
/// back, or the deployment of a fix after the incident has ended without one.
fn awaits_in_vain(rollout: &Rollout, item: &Item<'_>) -> bool {
    let is_over = ended_without_the_fix(rollout) && rollout.moment(Moment::Resolved).is_some();
    item.awaits == Some(Awaits::Moment(Moment::RolledBack)) || (is_over && awaits_the_fix(item))
}

/// All duties that are not done.
pub(super) fn open<'a, 'p>(duties: &'a Duties<'p>) -> impl Iterator<Item = &'a Item<'p>> {
    [&duties.overdue, &duties.due, &duties.next, &duties.undated, &duties.later]
        .into_iter()
        .flatten()
}

/// All duties, those that are done at the end.
pub(super) fn all<'a, 'p>(duties: &'a Duties<'p>) -> impl Iterator<Item = &'a Item<'p>> {
    open(duties).chain(&duties.done)
}
