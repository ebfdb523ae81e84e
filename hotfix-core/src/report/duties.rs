//! Outcome of each duty: kept, late or missed.
//!
//! The final list of duties no longer has the due time of a duty that is done. So the open duties
//! are recorded after each log line that is not a mere reading.

use std::collections::BTreeMap;

use crate::deadline::{Awaits, Duties, Item, Settlement};
use crate::grade::Moment;
use crate::plan::Plan;
use crate::rollout::{Rollout, State};
use crate::sorting::sort_by_key;
use crate::unit::{Name, Timestamp};

use super::model::{DutyOutcome, DutyPart};

/// Times of a duty while it was open.
#[derive(Clone, Copy, Debug)]
struct Known {
    from: Option<Timestamp>,
    due: Option<Timestamp>,
    opens: Option<Timestamp>,
    /// For a repeated duty: the occurrence that was due.
    occurrence: u64,
    /// For a repeated duty: the number of missed occurrences so far.
    passed: u64,
    /// For a repeated duty that is not open: those that were missed when it ended.
    ended: Option<u64>,
}

/// The duties that have been open so far.
#[derive(Clone, Debug, Default)]
pub(super) struct DutyTracker(BTreeMap<Name, Known>);

impl DutyTracker {
    /// Records the duties that are open after a line, at its time.
    pub(super) fn update(&mut self, duties: &Duties<'_>) {
        for item in open(duties) {
            let before = self.0.get(&item.id).copied();
            let occurrence = item.occurrence.unwrap_or(1);
            let passed = before.map_or(0, |known| {
                let late = || late_between(item, known, occurrence, duties.at);
                known.passed + known.ended.unwrap_or_else(late)
            });
            let Item { from_at: from, due, opens, .. } = *item;
            self.0.insert(item.id, Known { from, due, opens, occurrence, passed, ended: None });
        }
        // What would have been due until it applies again is not missed.
        for (id, known) in &mut self.0 {
            if !open(duties).any(|item| item.id == *id) {
                let ended = duties.done.iter().find(|item| item.id == *id);
                known.ended = Some(ended.map_or(0, |item| item.missed));
            }
        }
    }

    /// The outcome of each duty at the end of the log.
    pub(super) fn parts(
        &self,
        rollout: &Rollout,
        duties: &Duties<'_>,
        evidence: &BTreeMap<Name, String>,
    ) -> Vec<DutyPart> {
        let mut parts: Vec<DutyPart> = all(duties)
            .filter(|item| !awaits_in_vain(rollout, item))
            .map(|item| self.part(rollout.plan(), item, evidence))
            .collect();
        sort_by_key(&mut parts, |part| {
            let at = part.due.or(part.settled);
            (at.is_none(), at)
        });
        parts
    }

    fn part(&self, plan: &Plan, item: &Item<'_>, evidence: &BTreeMap<Name, String>) -> DutyPart {
        let known = self.0.get(&item.id).copied();
        let due = item.due.or(known.and_then(|known| known.due));
        let from = item.from_at.or(known.and_then(|known| known.from));
        // What is due as soon as it is asked for has no limit that somebody could keep.
        let opens = item.opens.or(known.and_then(|known| known.opens));
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
            role: item.who.as_ref().map(|who| plan.policy().role_title(who.role)),
            status,
            from,
            due,
            settled: settled.map(|settled| settled.at),
            times: is_repeated.then_some(item.times),
            missed: is_repeated.then_some(missed),
            evidence: evidence.get(&item.id).cloned(),
        }
    }
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

fn open<'a, 'p>(duties: &'a Duties<'p>) -> impl Iterator<Item = &'a Item<'p>> {
    [&duties.overdue, &duties.due, &duties.next, &duties.undated, &duties.later]
        .into_iter()
        .flatten()
}

/// All duties, those that are done at the end.
pub(super) fn all<'a, 'p>(duties: &'a Duties<'p>) -> impl Iterator<Item = &'a Item<'p>> {
    open(duties).chain(&duties.done)
}

/// Number of occurrences of a repeated duty that were settled after their due time, since the last
/// update.
fn late_between(item: &Item<'_>, known: Known, occurrence: u64, at: Timestamp) -> u64 {
    let (Some(every), Some(due)) = (item.every, known.due) else { return 0 };
    let settled = occurrence.saturating_sub(known.occurrence);
    if settled == 0 || at <= due {
        return 0;
    }
    let passed = (at.since(due).as_millis() - 1) / every.as_millis().max(1) + 1;
    passed.min(settled)
}
