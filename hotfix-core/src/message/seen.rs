//! Observations and times of a rollout, as values of message fields.

use std::collections::BTreeMap;

use crate::deadline::{Item, Source};
use crate::fact::Fact;
use crate::grade::{Audience, DutyKind, MessageKind, MetricKind, Moment};
use crate::judge::{Cell, ComparisonRow, Decision, PhaseColumn, Reason};
use crate::metric;
use crate::plan::{Release, RollbackPlan};
use crate::policy::section::LaterWatch;
use crate::rollout::{Downtime, RollbackCause, Rollout, Stage, State};
use crate::sorting::sort_by_key;
use crate::text::{brief, figure, percentage, time_range};
use crate::unit::{PhaseName, Share, Span, Timestamp};

use super::zone::Clock;

/// One line for each metric that has a reading: with the fix, without it, before the incident.
///
/// A message about a phase that passed shows the readings of that phase; others what was read last.
/// After a rollback that is the level of the live version, or the line names the time before. Of a
/// metric whose readings have stopped the line has the time of the last one.
pub(super) fn metrics(
    rollout: &Rollout,
    kind: MessageKind,
    clock: &Clock,
    at: Timestamp,
) -> Vec<String> {
    let (policy, comparison) = (rollout.plan().policy(), rollout.comparison());
    let only = passed(rollout, kind).map(|(column, _)| column);
    let last = if only.is_some() { None } else { rollout.read_last() };
    let back = rollout.read_since_rollback();
    let worse = back.as_ref().map_or_else(BTreeMap::new, |_| rollout.worse_than_before());
    let read = |row: &ComparisonRow| {
        if let Some(last) = &last {
            let (_, [canary, live]) = last.iter().find(|(id, _)| *id == row.metric)?;
            // With all of the traffic on the fix, the live version's last reading is of its last seconds.
            let live = if rollout.share() == Share::ALL { row.live } else { *live };
            return Some(((*canary)?, None, live));
        }
        let cell = match only {
            Some(column) => (*row.cells.get(column)?)?,
            None => *row.cells.iter().rev().flatten().next()?,
        };
        Some((cell.canary, Some(cell), cell.baseline))
    };
    let stopped = |row: &ComparisonRow| {
        let read_at = rollout.metric_read_at(row.metric)?;
        (back.is_none() && at.since(read_at) > policy.watch().stale).then(|| clock.time(read_at))
    };
    comparison
        .rows
        .iter()
        .filter_map(|row| {
            let value = |value: f64| measured(row.kind, &row.edges, value);
            // What is not scaled to all of the traffic cannot be compared at another share of it.
            let compares = !row.kind.depends_on_share()
                || policy.metric(row.metric.as_str()).is_some_and(|metric| metric.scaled);
            let mut line = if let Some(live) = back.as_ref().and_then(|back| back.get(&row.metric))
            {
                format!("{} {} after the rollback", row.title, value(*live))
            } else {
                let (canary, cell, live) = read(row)?;
                let before = if back.is_some() { "before the rollback: " } else { "" };
                let mut line = format!("{before}{} {} with the fix", row.title, value(canary));
                let latest = cell.and_then(|cell| Some((cell.latest?, "at the end")));
                let without = cell.as_ref().and_then(Cell::without);
                for (other, of) in without.into_iter().chain(latest) {
                    line.extend([" (", &value(other), " ", of, ")"]);
                }
                if let Some(live) = live.filter(|_| compares) {
                    line.extend([", ", &value(live), " ", policy.without_the_fix()]);
                }
                line
            };
            if let Some(excess) = only.and_then(|_| rollout.excess(row.metric)) {
                line.extend([" (", &excess, ")"]);
            }
            if let Some([_, before]) = worse.get(&row.metric) {
                line.extend([" (", &value(*before), " before the deployment)"]);
            } else if let Some(reference) = row.reference.filter(|_| compares) {
                let before = measured(row.kind, &[], reference);
                line.extend([" (", &before, " before the incident)"]);
            }
            if let Some(at) = stopped(row) {
                line.extend([" (last read ", &at, ")"]);
            }
            Some(line)
        })
        .collect()
}

/// A metric's value with its unit, to the digits that a reader can use: two of a percentage.
fn measured(kind: MetricKind, edges: &[f64], value: f64) -> String {
    if !kind.is_fraction() {
        return metric::measured(kind, edges, value);
    }
    percentage(value, 2)
}

/// Estimated impact per minute of each version, if it had all of the traffic.
pub(super) fn harm(rollout: &Rollout) -> Option<String> {
    let (versions, what) = rollout.harm_now()?.in_one_unit(rollout.plan().policy());
    let range = |range: crate::stats::interval::Interval| {
        let (low, high) = (figure(range.low, 2), figure(range.high, 2));
        if low == high { low } else { format!("{low}–{high}") }
    };
    Some(match versions.map(|of| of.map(range)) {
        [Some(fix), Some(live)] => {
            format!("{fix} {what} per minute with the fix, {live} without it")
        }
        [Some(fix), None] => format!("{fix} {what} per minute with the fix"),
        [None, live] => format!("{} {what} per minute without the fix", live?),
    })
}

/// The phase that a message is about, with its share; for `phase_passed`, the phase that passed.
pub(super) fn phase(rollout: &Rollout, kind: MessageKind) -> Option<(PhaseName, Share)> {
    if let Some((_, passed)) = passed(rollout, kind) {
        return Some((passed.phase, passed.share));
    }
    let step = rollout.stage().step()?;
    // A phase that starts has no traffic yet: its share is the planned one.
    let planned = rollout.plan().policy().phases().get(step.index).map(|phase| phase.share);
    let starts = kind == MessageKind::DeploymentStarted;
    Some((step.phase, planned.filter(|_| starts).unwrap_or(rollout.share())))
}

/// Why a person had to pass the phase; `None` where it met its criteria.
pub(super) fn unseen(rollout: &Rollout, kind: MessageKind) -> Option<&'static str> {
    rollout.passed_without(passed(rollout, kind)?.1.phase)
}

/// For a message about a phase that passed: the last such phase, with its place in the comparison.
fn passed(rollout: &Rollout, kind: MessageKind) -> Option<(usize, PhaseColumn)> {
    if kind != MessageKind::PhasePassed {
        return None;
    }
    let columns = rollout.comparison().phases;
    let at_gate = match rollout.stage() {
        Stage::Gate { step, .. } => Some(step.phase),
        _ => None,
    };
    let ended = |of: &PhaseColumn| of.ended.is_some() || Some(of.phase) == at_gate;
    let mut watched = columns.into_iter().enumerate().rev();
    watched.find(|(_, column)| ended(column)).filter(|(_, column)| column.since.is_some())
}

pub(super) fn duration(rollout: &Rollout, kind: MessageKind, at: Timestamp) -> Option<Span> {
    // The first input is not when it began.
    let stated = |(moment, at)| (moment != Moment::Declared).then_some(at);
    let begun = || rollout.beginning().and_then(stated);
    match kind {
        MessageKind::PhasePassed => {
            let (_, passed) = passed(rollout, kind)?;
            Some(passed.ended.or(rollout.now())?.since(passed.since?))
        }
        MessageKind::DeploymentStarted => Some(planned(rollout)),
        MessageKind::Deployed => {
            let started = rollout.moment(Moment::DeployStarted)?;
            Some(rollout.moment(Moment::Deployed)?.since(started))
        }
        MessageKind::Alert
        | MessageKind::Update
        | MessageKind::RollingBack
        | MessageKind::RolledBack
        | MessageKind::Resolved => {
            Some(rollout.moment(Moment::Resolved).unwrap_or(at).since(begun()?))
        }
    }
    .filter(|span| !span.is_zero())
}

pub(super) fn started_at(rollout: &Rollout) -> Option<Timestamp> {
    rollout.started_at().filter(|_| !matches!(rollout.stage(), Stage::Preparing))
}

/// Planned time from the start until the fix is complete.
fn planned(rollout: &Rollout) -> Span {
    rollout.plan().duration().rollout.least
}

/// Downtime of the service, once the incident is resolved: zero where it was never down, `None`
/// where it is not known. The measure `downtime` has the same value ([`Rollout::downtime`]).
pub(super) fn downtime(rollout: &Rollout, at: Timestamp) -> Option<Downtime> {
    rollout.moment(Moment::Resolved)?;
    rollout.downtime(at).filter(|downtime| !downtime.goes_on())
}

/// Expected end of the deployment, from the plan and the current stage; `None` where no deployment
/// is in progress, where a person decides, or while a phase is held beyond its planned time. What is
/// late already ends now at the earliest.
pub(super) fn eta(rollout: &Rollout, at: Timestamp) -> Option<Timestamp> {
    let decides = rollout.awaits_answer() || rollout.bars_promotion();
    if decides || rollout.verdict().has(Reason::Inconclusive) {
        return None;
    }
    let (policy, load) = (rollout.plan().policy(), rollout.plan().load());
    let phases = policy.phases();
    let last = policy.final_validation().watch;
    let from = |index: usize| {
        let rest = phases.get(index..).unwrap_or_default();
        rest.iter().fold(last, |sum, phase| sum + load.lasts(phase))
    };
    let end = match rollout.stage() {
        Stage::Preparing if rollout.state() == State::Ready => {
            earliest_start(rollout, at)? + planned(rollout)
        }
        Stage::Deploying(step) => {
            let phase = phases.get(step.index)?;
            (step.since + phase.deploy).max(at)
                + load.watch(phase)
                + phase.veto_window()
                + from(step.index + 1)
        }
        Stage::Monitoring(step) => {
            let phase = phases.get(step.index)?;
            let planned = step.since + load.watch(phase);
            if planned < at && rollout.verdict().decision == Decision::Hold {
                return None;
            }
            planned.max(at) + phase.veto_window() + from(step.index + 1)
        }
        Stage::Gate { step, until } => until.unwrap_or(step.since).max(at) + from(step.index + 1),
        Stage::FinalValidation { since } => *since + last,
        Stage::Preparing
        | Stage::Complete { .. }
        | Stage::Closed
        | Stage::RollingBack(_)
        | Stage::RolledBack
        | Stage::Paused { .. }
        | Stage::Frozen { .. }
        | Stage::Aborted
        | Stage::Failed => return None,
    };
    (end > at).then_some(end)
}

/// The earliest start: now, or when the change window opens. After the window, and where the policy has
/// the normal process, the start waits for a person, in a train for other services, and for readings that
/// have stopped; with an error of the policy, and once the incident is over, there is none.
fn earliest_start(rollout: &Rollout, at: Timestamp) -> Option<Timestamp> {
    let from = rollout.window_missed().map_or(at, |window| window.from);
    let is_over = rollout.moment(Moment::Resolved).is_some();
    (from >= at && !is_over && !rollout.start_is_held()).then_some(from)
}

/// Expected end of the deployment before its release is ready: the longest planned time since the
/// detection, or since its change window opens; `None` where that is unknown, once there is less time
/// left than the rollout takes, and for another attempt.
pub(super) fn planned_end(rollout: &Rollout, at: Timestamp) -> Option<Timestamp> {
    let is_before = matches!(rollout.state(), State::Drafted | State::AwaitingApproval)
        && rollout.attempt() == 1;
    let takes = rollout.plan().until_complete(rollout.severity())?.most;
    let (_, since) = rollout.origin(Moment::Detected)?;
    let starts = earliest_start(rollout, at).filter(|_| is_before)?;
    let (planned, possible) = (since + takes, starts + rollout.plan().duration().rollout.most);
    (planned >= possible || starts > at).then_some(planned.max(possible))
}

pub(super) fn rollback_eta(rollout: &Rollout, at: Timestamp) -> Option<Timestamp> {
    let (since, waits) = steps_back(rollout)?;
    let (planned, watch) = (planned_rollback(rollout), rollout.plan().policy().rollback().watch);
    let Stage::RollingBack(way) = rollout.stage() else { return None };
    if let Some(confirmed) = way.watching {
        let verify = planned.verify.and_then(|verify| verify.most).unwrap_or(watch);
        return Some(confirmed + verify.max(watch)).filter(|end| *end > at);
    }
    let takes = match noted_text(rollout) {
        // A note that is no duration may contradict the plan.
        Some(noted) => noted_time(noted)? + waits,
        None => planned.estimate?.most?,
    };
    // A plan without a time to verify leaves out the watch, which the end waits for.
    let watched = if planned.verify.is_some() { Span::ZERO } else { watch };
    Some((since + takes + watched).max(at + watch))
}

/// The rollback as planned; while one is under way, from the method on that is tried now.
fn planned_rollback(rollout: &Rollout) -> RollbackPlan {
    let plan = rollout.plan_of_rollback();
    let Stage::RollingBack(way) = rollout.stage() else { return plan.rollback() };
    let waits = steps_back(rollout).map(|(_, waits)| waits).unwrap_or_default();
    plan.rollback_with(way.why.method(plan, way.method), waits, waits)
}

/// During a rollback: when its step began or its wait ends, and how long further steps wait.
fn steps_back(rollout: &Rollout) -> Option<(Timestamp, Span)> {
    let Stage::RollingBack(way) = rollout.stage() else { return None };
    let Some(returning) = way.returning else { return Some((way.since, Span::ZERO)) };
    let back = rollout.plan().policy().rollback();
    let wait = back.steps.get(returning.step).map(|step| step.wait).unwrap_or_default();
    let since = returning.reached.map_or(way.since, |reached| reached + wait);
    Some((since, back.waits(rollout.share())))
}

/// How long a rollback takes, as somebody noted it with an item of a checklist; of the first method.
fn noted_text(rollout: &Rollout) -> Option<&str> {
    let first = rollout.plan_of_rollback().methods().first()?;
    let is_first = planned_rollback(rollout).chosen().is_some_and(|way| way.kind == first.kind);
    rollout.rollback_time_noted().filter(|_| is_first)
}

/// The time of a note: a number of minutes, as in `7` or `7 minutes`, or a duration, as in `7min`.
fn noted_time(text: &str) -> Option<Span> {
    let text = text.trim();
    let number = [" minutes", " minute", " mins"].iter().find_map(|unit| text.strip_suffix(unit));
    let text = number.unwrap_or(text);
    format!("{text}min").parse().or_else(|_| text.parse()).ok()
}

/// How long a rollback takes; None once one is confirmed.
pub(super) fn rollback_takes(rollout: &Rollout) -> Option<String> {
    if matches!(rollout.stage(), Stage::RollingBack(way) if way.watching.is_some()) {
        return None;
    }
    let noted = noted_text(rollout);
    if let Some(time) = noted.and_then(noted_time) {
        let waits = steps_back(rollout).map(|(_, waits)| waits).unwrap_or_default();
        return time_range(Some(time + waits), Some(time + waits));
    }
    let planned = planned_rollback(rollout).estimate;
    let planned = planned.and_then(|takes| time_range(takes.least, takes.most));
    // What was noted is not lost without a word.
    match (planned, noted.map(brief)) {
        (Some(planned), Some(noted)) => {
            Some(format!("{planned} by the plan; the checklist has “{noted}”"))
        }
        (planned, noted) => planned.or(noted),
    }
}

/// When the next update for this audience comes: when it is asked for, if the present one was sent.
pub(super) fn next_update(
    rollout: &Rollout,
    audience: Audience,
    at: Timestamp,
) -> Option<Timestamp> {
    let duties = rollout.duties(at);
    let all = duties.due.iter().chain(&duties.next).chain(&duties.overdue);
    let is_update =
        |item: &&Item<'_>| item.kind == DutyKind::Update && item.audience == Some(audience);
    // A late update is asked for until it is sent; the next one after it is at its next interval.
    let next = |item: &Item<'_>| {
        let due = item.opens.filter(|opens| *opens > at).or(item.due)?;
        match item.every.filter(|every| due <= at && !every.is_zero()) {
            Some(every) => {
                let turns = at.since(due).as_millis() / every.as_millis() + 1;
                Some(due + Span::from_millis(turns.saturating_mul(every.as_millis())))
            }
            None => Some(due).filter(|due| *due > at),
        }
    };
    all.filter(is_update).filter_map(next).min()
}

/// When the incident is reviewed: the review or the meeting that is due first, else the report. A
/// message that the fix is live or the incident over does not name the review of an earlier fix.
pub(super) fn review_at(rollout: &Rollout, kind: MessageKind, at: Timestamp) -> Option<Timestamp> {
    let duties = rollout.duties(at);
    let is_end = matches!(kind, MessageKind::Deployed | MessageKind::Resolved);
    let is_review = |item: &Item<'_>| {
        let afterwards = match item.from {
            Moment::Deployed | Moment::Verified | Moment::Resolved | Moment::Closed => true,
            Moment::RolledBack => !is_end,
            _ => false,
        };
        afterwards && matches!(item.kind, DutyKind::Meet | DutyKind::Review)
    };
    let is_report = |item: &Item<'_>| {
        let of_incident = matches!(item.from, Moment::Resolved | Moment::Closed);
        item.source == Source::Report || (item.kind == DutyKind::Write && of_incident)
    };
    let first = |fits: &dyn Fn(&Item<'_>) -> bool| {
        let open = duties.due.iter().chain(&duties.next).chain(&duties.overdue);
        open.filter(|item| fits(item)).filter_map(|item| item.due).min()
    };
    // A review whose day nobody has given is not at the time of the report.
    let undated = duties.undated.iter().any(is_review);
    let by = first(&is_review).or_else(|| if undated { None } else { first(&is_report) });
    // An overdue one promises nothing.
    by.filter(|by| *by > at)
}

/// The share of the traffic that stays on the old version after the last phase. None if there is
/// none, or if it has the fix by now.
pub(super) fn held_back(rollout: &Rollout) -> Option<Share> {
    let rest = rollout.plan().policy().held_back()?;
    let is_kept = rollout.share() == rest.rest() && rollout.moment(Moment::Deployed).is_some();
    is_kept.then_some(rest)
}

/// Whether there was no problem: the incident is not confirmed, no fix is live, and none was at fault.
pub(super) fn is_false_alarm(rollout: &Rollout) -> bool {
    let harmless = match rollout.turned_back_for() {
        Some(RollbackCause::Verdict { .. } | RollbackCause::Signal { .. }) => false,
        // A person withdrew it, or it could not be deployed.
        Some(_) => true,
        // Of an earlier attempt the cause is not known any more.
        None => [Moment::Deployed, Moment::RolledBack].map(|of| rollout.moment(of)) == [None, None],
    };
    harmless && rollout.facts().flag(Fact::Confirmed) == Some(false)
}

pub(super) fn timeline(rollout: &Rollout, clock: &Clock, at: Timestamp) -> Vec<String> {
    let deployed = match rollout.plan().policy().held_back() {
        Some(rest) => &format!("{} of the traffic has the fix", rest.rest()),
        None => "all traffic has the fix",
    };
    // Who states that it is verified while it is still watched has completed nothing.
    let is_complete = matches!(rollout.state(), State::Complete | State::Closed);
    let verified = match rollout.unverified() {
        None => Some("fix verified".to_owned()),
        Some(why) => is_complete.then(|| format!("completed with {why}")),
    };
    let back = rollout.rolled_back_since().and(rollout.back_to());
    let back = back.map(|version| format!("{version} {}", rollout.plan().subject().live(version)));
    let moments = [
        (Moment::Began, "incident began"),
        (Moment::Detected, "detected"),
        (Moment::Approved, "approved"),
        (Moment::DeployStarted, "deployment started"),
        (Moment::Deployed, deployed),
        (Moment::Closed, "closed"),
    ];
    let verified = verified.as_deref().map(|what| (Moment::Verified, what));
    let moments = moments.into_iter().chain(verified);
    let moments = moments.filter_map(|(moment, what)| Some((rollout.moment(moment)?, what)));
    let mut events: Vec<(Timestamp, &str)> = moments.collect();
    // A rollback revokes that the fix was live, and that the incident was resolved.
    let is_live = rollout.moment(Moment::Deployed).is_some();
    let revoked = rollout.was_live().filter(|_| !is_live);
    events.extend(revoked.map(|when| (when, deployed)));
    events.extend(rollout.reopened_at().map(|when| (when, "incident reopened")));
    events.extend(rollout.earlier_rollbacks().map(|when| (when, "an earlier fix was rolled back")));
    events.extend(rollout.cause_stated_at().map(|stated| (stated, "root cause identified")));
    // A flag is off in the moment in which that begins.
    events.extend(rollout.rolled_back_since().map(|since| (since, "rollback started")));
    events.extend(rollout.live_again_at().zip(back.as_deref()));
    events.retain(|(when, _)| *when <= at);
    sort_by_key(&mut events, |(when, _)| *when);
    events.into_iter().map(|(when, what)| format!("{} {what}", clock.time(when))).collect()
}

/// The release that a message is about. A rollback may be that of an earlier attempt.
pub(super) fn release(rollout: &Rollout, kind: MessageKind) -> Option<&Release> {
    match kind {
        MessageKind::RollingBack | MessageKind::RolledBack => rollout.canary_plan().release(),
        _ => rollout.plan().release(),
    }
}

/// What the fix does; a message that the incident is over names what ended it, without a fix as it was
/// stated for the report.
pub(super) fn fix(rollout: &Rollout, kind: MessageKind) -> Option<String> {
    let ended = rollout.moment(Moment::Resolved).is_some() || rollout.state().is_final();
    let ended_without = rollout.rolled_back_since().is_some()
        || ended && rollout.moment(Moment::Deployed).is_none();
    if kind == MessageKind::Resolved && ended_without {
        return rollout.resolution().map(str::to_owned);
    }
    release(rollout, kind)?.description.clone()
}

/// What is still watched, and until when.
pub(super) fn watch_for(rollout: &Rollout, clock: &Clock, at: Timestamp) -> Vec<String> {
    let policy = rollout.plan().policy();
    if let Stage::Complete { since, .. } = rollout.stage() {
        let deployed = rollout.moment(Moment::Deployed).unwrap_or(*since);
        let ends = |later: &LaterWatch| later.ends(deployed, *since);
        let open = policy.after().iter().filter(|later| ends(later) > at);
        return open
            .map(|later| {
                let until = clock.time(ends(later));
                if later.watch.is_empty() {
                    format!("until {until}: the metrics")
                } else {
                    // An item may contain a comma.
                    format!("until {until}: {}", later.watch.join("; "))
                }
            })
            .collect();
    }
    let step = rollout.stage().step();
    let phase = step.and_then(|step| policy.phases().get(step.index));
    phase.map(|phase| phase.watch_for.clone()).unwrap_or_default()
}
