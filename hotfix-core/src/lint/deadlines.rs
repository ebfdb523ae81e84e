//! Compares deadlines, estimates and objectives with planned times, and duties with each other.

use super::fault::TimeFault;
use super::finding::{Example, Finding, put_once};
use super::format::time;
use super::roles::{hotfixes, is_for, severities};
use crate::grade::{DutyKind, Moment, Severity};
use crate::plan::duration::{Schedule, Times, phases_until, phases_until_live, rollout};
use crate::plan::load::Load;
use crate::policy::Policy;
use crate::policy::section::{ChecklistItem, Duty, TimeRange};
use crate::unit::{Name, Span, Timestamp};

pub(super) fn find(policy: &Policy, at: Option<Timestamp>, findings: &mut Vec<Finding>) {
    deadlines(policy, findings);
    record(policy, findings);
    overdue(policy, at, findings);
    rollback(policy, findings);
    duties(policy, findings);
    lists(policy, findings);
    for severity in severities(policy) {
        reviews(policy, severity, findings);
        cadences(policy, severity, findings);
    }
}

fn put(findings: &mut Vec<Finding>, path: String, fault: TimeFault, shown: Option<(Times, Span)>) {
    let example = shown.map(|(sum, limit)| Example::times(sum, limit));
    findings.push(Finding::new(path, fault, example));
}

fn deadlines(policy: &Policy, findings: &mut Vec<Finding>) {
    for (index, duty) in policy.duties().iter().enumerate() {
        let (true, Some(limit)) = (duty.sets_deadline(), duty.within.within()) else { continue };
        let path = format!("/duties/{index}/within");
        let concerned = || hotfixes(policy).filter(|severity| is_for(duty, *severity));
        if duty.from.is_early() {
            for severity in concerned() {
                let level = severity.and_then(|severity| policy.severity(severity));
                let schedule = Schedule { load: Load::of(policy), level };
                let sum = schedule.until(Moment::Deployed).filter(|sum| sum.most > limit);
                let Some(sum) = sum.filter(|sum| schedule.is_known(sum)) else { continue };
                let fault = TimeFault::DeadlineTooShort {
                    duty: duty.id,
                    severity,
                    from: duty.from,
                    limit,
                    least: sum.least,
                    most: sum.most,
                };
                put(findings, path.clone(), fault, Some((sum, limit)));
            }
        }
        let phases = phases_until_live(Load::of(policy));
        if concerned().count() > 0 && phases.least > limit {
            let (what, least) = (format!("deadline `{}`", duty.id), phases.least);
            let fault = TimeFault::PhasesTooLong { what, limit, least, watched: false };
            put(findings, path, fault, Some((phases, limit)));
        }
    }
    for severity in hotfixes(policy).flatten() {
        let slo = policy.change_record().and_then(|record| record.slo.as_ref());
        let has_deadline = slo
            .is_some_and(|slo| slo.to == Moment::Deployed && slo.is_for(Some(severity)))
            || policy.duties().iter().any(|d| d.sets_deadline() && d.is_for(severity));
        if !has_deadline {
            let path = format!("/severities/{severity}");
            put(findings, path, TimeFault::NoDeadline { severity }, None);
        }
    }
}

/// The estimate and the objective of the policy.
fn record(policy: &Policy, findings: &mut Vec<Finding>) {
    let Some(record) = policy.change_record() else { return };
    if let Some(limit) = record.estimate.and_then(|estimate| estimate.most) {
        let path = "/change_record/estimate/most";
        let schedule = Schedule { load: Load::of(policy), level: None };
        if let Some(sum) = schedule.whole().filter(|sum| sum.most > limit) {
            let (what, least, most) = ("estimate", sum.least, sum.most);
            let fault = TimeFault::ProcedureTooLong { what, limit, least, most, watched: false };
            put(findings, path.to_owned(), fault, Some((sum, limit)));
        }
        let whole = rollout(Load::of(policy));
        if whole.least > limit {
            let (what, least) = ("estimate".to_owned(), whole.least);
            let fault = TimeFault::PhasesTooLong { what, limit, least, watched: false };
            put(findings, path.to_owned(), fault, Some((whole, limit)));
        }
    }
    let Some(slo) = &record.slo else { return };
    if let Some(why) = ends_before(slo.from, slo.to) {
        let fault = never_kept("the objective".to_owned(), why);
        put(findings, "/change_record/slo/to".to_owned(), fault, None);
    }
    let (path, limit) = ("/change_record/slo/within", slo.within);
    let load = Load::of(policy);
    let Some(phases) = phases_until(load, slo.to) else { return };
    let has_steps = !policy.procedure().is_empty();
    let steps = Schedule { load, level: None }.until(slo.to).filter(|_| has_steps);
    let watched = slo.to == Moment::Closed && !policy.after().is_empty();
    if let Some(sum) = steps.filter(|sum| slo.from.is_early() && sum.most > limit) {
        let (what, least, most) = ("objective", sum.least, sum.most);
        let fault = TimeFault::ProcedureTooLong { what, limit, least, most, watched };
        put(findings, path.to_owned(), fault, Some((sum, limit)));
    }
    if slo.from < Moment::Deployed && phases.least > limit {
        let (what, least) = ("objective".to_owned(), phases.least);
        let fault = TimeFault::PhasesTooLong { what, limit, least, watched };
        put(findings, path.to_owned(), fault, Some((phases, limit)));
    }
}

fn overdue(policy: &Policy, at: Option<Timestamp>, findings: &mut Vec<Finding>) {
    let Some(record) = policy.change_record() else { return };
    let every = record.review.and_then(|review| review.every);
    if let (Some(at), Some(every), Some(changed)) = (at, every, record.changed)
        && at >= changed.starts() + every + Span::from_seconds(86_400)
    {
        let fault = TimeFault::ReviewOverdue { changed, every };
        put(findings, "/change_record/review/every".to_owned(), fault, None);
    }
}

fn rollback(policy: &Policy, findings: &mut Vec<Finding>) {
    let rollback = policy.rollback();
    if let Some(limit) = rollback.estimate.and_then(|estimate| estimate.most) {
        let mut sum = Times::default();
        let parts = [
            ("assess", rollback.assess),
            ("execute", rollback.execute),
            ("verify", rollback.verify),
        ];
        for (part, range) in parts {
            let TimeRange { least, most } = range.unwrap_or_default();
            sum.add(part, least, most);
        }
        if sum.most > limit {
            let fault = TimeFault::RollbackTooLong { limit, most: sum.most };
            put(findings, "/rollback/estimate/most".to_owned(), fault, Some((sum, limit)));
        }
    }
    let slowest = rollback
        .methods
        .iter()
        .filter_map(|way| Some((way.kind, way.most?)))
        .reduce(|slowest, way| if way.1 > slowest.1 { way } else { slowest });
    let limit = rollback.returned_within;
    if let Some((method, most)) = slowest.filter(|(_, most)| *most > limit) {
        let fault = TimeFault::ReturnTooSoon { method, limit, most };
        put(findings, "/rollback/returned_within".to_owned(), fault, None);
    }
}

/// Duties that can never be kept or are never settled, and intervals with which something is likely
/// wrong: people cannot answer every few seconds, metrics are not read so often, and the result of a
/// deployment does not come before its end.
fn duties(policy: &Policy, findings: &mut Vec<Finding>) {
    let (of_people, of_metrics) = (Span::from_seconds(60), Span::from_seconds(1));
    // While a phase is deployed, no input may come for that long.
    let deploys = policy.phases().iter().map(|phase| phase.deploy).max().unwrap_or_default();
    let mut intervals = vec![
        ("/ask_again".to_owned(), policy.ask_again(), of_people),
        ("/watch/cadence".to_owned(), policy.watch().cadence, of_metrics),
        ("/clock/most_ahead".to_owned(), policy.clock().most_ahead, of_people.max(deploys)),
    ];
    for (index, duty) in policy.duties().iter().enumerate() {
        let place = |key: &str| format!("/duties/{index}/{key}");
        let never = |why| never_kept(format!("`{}`", duty.id), why);
        let takes = duty.lasts.and_then(|lasts| lasts.least).unwrap_or_default();
        if let Some(within) = duty.within.within()
            && duty.kind == DutyKind::Watch
            && takes > within
        {
            let why =
                format!("it lasts at least {}, but is due after {}", time(takes), time(within));
            put(findings, place("within"), never(why), None);
        }
        if let Some(why) = duty.until.and_then(|until| ends_before(duty.from, until)) {
            put(findings, place("until"), never(why), None);
        }
        let is_late = matches!(duty.from, Moment::Resolved | Moment::Closed);
        if duty.kind == DutyKind::Escalate && duty.every.is_none() && is_late {
            let why = format!(
                "it begins with `{}`, and the end of the incident ends an escalation",
                duty.from
            );
            put(findings, place("from"), never(why), None);
        }
        let has = |list: &Name| policy.checklists().iter().any(|known| known.id == *list);
        if let Some(checklist) = duty.checklist.filter(|list| !has(list)) {
            put(findings, place("checklist"), TimeFault::NoSuchList { checklist }, None);
        }
        intervals.extend(duty.every.map(|every| (place("every"), every, of_people)));
    }
    for (path, interval, least) in intervals {
        if interval < least {
            put(findings, path, TimeFault::WrongUnit { is: interval, so: "short" }, None);
        }
    }
}

fn never_kept(what: String, why: String) -> TimeFault {
    TimeFault::NeverKept { what, why }
}

/// Why a time is over when it begins, or before. None if it is not.
fn ends_before(from: Moment, until: Moment) -> Option<String> {
    let is_over = match (from, until) {
        (Moment::RolledBack, _) => false,
        // Approvals may follow the start, and people state when they work on the fix.
        (_, Moment::Approved | Moment::FixStarted) => until == from,
        // An incident may be resolved before the fix is deployed.
        (Moment::Resolved, _) => until == Moment::Resolved || until < Moment::DeployStarted,
        _ => until <= from,
    };
    is_over.then(|| format!("it ends at `{until}`, which is not after `{from}`"))
}

/// Lists that are due before one of their items can be checked.
fn lists(policy: &Policy, findings: &mut Vec<Finding>) {
    for (index, list) in policy.checklists().iter().enumerate() {
        let Some(within) = list.within else { continue };
        let is_late = |item: &&ChecklistItem| item.lasts.is_some_and(|lasts| lasts > within);
        if let Some((id, lasts)) =
            list.items.iter().find(is_late).and_then(|item| Some((item.id, item.lasts?)))
        {
            let (lasts, within) = (time(lasts), time(within));
            let why =
                format!("`{id}` has to have lasted {lasts}, but the list is due after {within}");
            let fault = never_kept(format!("the list `{}`", list.id), why);
            put(findings, format!("/checklists/{index}/within"), fault, None);
        }
    }
}

/// Reviews of the incident that are due at different times, or a review and a meeting.
fn reviews(policy: &Policy, severity: Option<Severity>, findings: &mut Vec<Finding>) {
    let is_review = |duty: &&Duty| {
        duty.is_review_since(Moment::Resolved) && duty.when.is_none() && is_for(duty, severity)
    };
    let mut reviews = policy.duties().iter().filter(is_review);
    let Some(first) = reviews.next() else { return };
    let differs = |duty: &&Duty| {
        let one_is_review = first.kind == DutyKind::Review || duty.kind == DutyKind::Review;
        one_is_review && duty.from == first.from && duty.within != first.within
    };
    let Some(second) = reviews.find(differs) else { return };
    let due = |duty: &Duty| duty.within.within().map_or_else(|| duty.within.to_string(), time);
    let fault = TimeFault::TwoReviews {
        severity,
        from: first.from,
        first: first.id,
        first_due: due(first),
        second: second.id,
        second_due: due(second),
    };
    put_once(findings, place_of(policy, second), fault);
}

/// Updates of one audience at two intervals.
fn cadences(policy: &Policy, severity: Option<Severity>, findings: &mut Vec<Finding>) {
    let updates: Vec<(&Duty, Span)> = policy
        .duties()
        .iter()
        .filter(|duty| duty.kind == DutyKind::Update && duty.when.is_none())
        .filter(|duty| is_for(duty, severity))
        .filter_map(|duty| Some((duty, duty.every?)))
        .collect();
    for (index, &(second, second_every)) in updates.iter().enumerate() {
        let earlier = updates
            .iter()
            .take(index)
            .find(|(first, every)| first.readers() == second.readers() && *every != second_every);
        let (Some(&(first, first_every)), Some(audience)) = (earlier, second.readers()) else {
            continue;
        };
        let fault = TimeFault::TwoCadences {
            severity,
            audience,
            first: first.id,
            first_every,
            second: second.id,
            second_every,
        };
        put_once(findings, format!("{}/every", place_of(policy, second)), fault);
    }
}

fn place_of(policy: &Policy, duty: &Duty) -> String {
    let index = policy.duties().iter().position(|other| other.id == duty.id).unwrap_or_default();
    format!("/duties/{index}")
}
