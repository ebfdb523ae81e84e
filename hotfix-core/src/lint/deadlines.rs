//! Compares deadlines, estimates and objectives with planned times, and duties with each other.

use super::fault::{self, SettingFault};
use super::finding::{Example, Finding, found, put, put_once, report};
use super::format::{and_watch, of_a, time, times};
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

/// Adds a finding of times that add up to more than their limit.
fn put_times(findings: &mut Vec<Finding>, path: &str, fault: SettingFault, of: (Times, Span)) {
    findings.push(Finding::new(path, fault, Some(Example::times(of.0, of.1))));
}

fn phases_too_long(what: &str, limit: Span, watched: bool, phases: &Times) -> SettingFault {
    found! { fault::PHASES_TOO_LONG,
        "the {what} is {}, but the phases{} alone take at least {}",
        time(limit), and_watch(watched), time(phases.least)
    }
}

fn procedure_too_long(what: &str, limit: Span, watched: bool, sum: &Times) -> SettingFault {
    found! { fault::PROCEDURE_TOO_LONG,
        "the {what} is {}, but the steps and the phases{} take {}",
        time(limit), and_watch(watched), times(sum.least, sum.most)
    }
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
                let fault = found! { fault::DEADLINE_TOO_SHORT,
                    "`{}` requires the fix{} live within {} of `{}`, but the steps before take {}",
                    duty.id, of_a(severity), time(limit), duty.from, times(sum.least, sum.most)
                };
                put_times(findings, &path, fault, (sum, limit));
            }
        }
        let phases = phases_until_live(Load::of(policy));
        if concerned().count() > 0 && phases.least > limit {
            let what = format!("deadline `{}`", duty.id);
            let fault = phases_too_long(&what, limit, false, &phases);
            put_times(findings, &path, fault, (phases, limit));
        }
    }
    for severity in hotfixes(policy).flatten() {
        let slo = policy.change_record().and_then(|record| record.slo.as_ref());
        let has_deadline = slo
            .is_some_and(|slo| slo.to == Moment::Deployed && slo.is_for(Some(severity)))
            || policy.duties().iter().any(|d| d.sets_deadline() && d.is_for(severity));
        if !has_deadline {
            report! { findings, format!("/severities/{severity}"), fault::NO_DEADLINE,
                "a {severity} is answered with a hot-fix, but has no deadline for it"
            }
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
            let fault = procedure_too_long("estimate", limit, false, &sum);
            put_times(findings, path, fault, (sum, limit));
        }
        let whole = rollout(Load::of(policy));
        if whole.least > limit {
            let fault = phases_too_long("estimate", limit, false, &whole);
            put_times(findings, path, fault, (whole, limit));
        }
    }
    let Some(slo) = &record.slo else { return };
    if let Some(why) = ends_before(policy, slo.from, slo.to) {
        put(findings, "/change_record/slo/to", never_kept("the objective", &why));
    }
    let (path, limit) = ("/change_record/slo/within", slo.within);
    let load = Load::of(policy);
    let Some(phases) = phases_until(load, slo.to) else { return };
    let has_steps = !policy.procedure().is_empty();
    let steps = Schedule { load, level: None }.until(slo.to).filter(|_| has_steps);
    let watched = slo.to == Moment::Closed && !policy.after().is_empty();
    if let Some(sum) = steps.filter(|sum| slo.from.is_early() && sum.most > limit) {
        let fault = procedure_too_long("objective", limit, watched, &sum);
        put_times(findings, path, fault, (sum, limit));
    }
    if slo.from < Moment::Deployed && phases.least > limit {
        let fault = phases_too_long("objective", limit, watched, &phases);
        put_times(findings, path, fault, (phases, limit));
    }
}

fn overdue(policy: &Policy, at: Option<Timestamp>, findings: &mut Vec<Finding>) {
    let Some(record) = policy.change_record() else { return };
    let every = record.review.and_then(|review| review.every);
    if let (Some(at), Some(every), Some(changed)) = (at, every, record.changed)
        && at >= changed.starts() + every + Span::from_seconds(86_400)
    {
        report! { findings, "/change_record/review/every", fault::REVIEW_OVERDUE,
            "the policy was last changed on {changed} and has to be reviewed every {}: the review is overdue",
            time(every)
        }
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
            let fault = found! { fault::ROLLBACK_TOO_LONG,
                "the rollback is estimated at {} at most, but its assessment, execution and verification take up to {}",
                time(limit), time(sum.most)
            };
            put_times(findings, "/rollback/estimate/most", fault, (sum, limit));
        }
    }
    let slowest = rollback
        .methods
        .iter()
        .filter_map(|way| Some((way.kind, way.most?)))
        .reduce(|slowest, way| if way.1 > slowest.1 { way } else { slowest });
    let limit = rollback.returned_within;
    if let Some((method, most)) = slowest.filter(|(_, most)| *most > limit) {
        report! { findings, "/rollback/returned_within", fault::RETURN_TOO_SOON,
            "somebody is paged {} after a rollback started, but `{method}` takes up to {}",
            time(limit), time(most)
        }
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
        let never = |why: &str| never_kept(&format!("`{}`", duty.id), why);
        let takes = duty.lasts.and_then(|lasts| lasts.least).unwrap_or_default();
        if let Some(within) = duty.within.within()
            && duty.kind == DutyKind::Watch
            && takes > within
        {
            let why =
                format!("it lasts at least {}, but is due after {}", time(takes), time(within));
            put(findings, place("within"), never(&why));
        }
        if let Some(why) = duty.until.and_then(|until| ends_before(policy, duty.from, until)) {
            put(findings, place("until"), never(&why));
        }
        if let Some(fault) = begins_over(duty) {
            put(findings, place("from"), fault);
        }
        let has = |list: &Name| policy.checklists().iter().any(|known| known.id == *list);
        if let Some(checklist) = duty.checklist.filter(|list| !has(list)) {
            report! { findings, place("checklist"), fault::NO_SUCH_LIST,
                "the policy does not have the checklist `{checklist}`: it settles nothing"
            }
        }
        intervals.extend(duty.every.map(|every| (place("every"), every, of_people)));
    }
    for (path, interval, least) in intervals {
        if interval < least {
            put(findings, path, fault::wrong_unit(interval, "short"));
        }
    }
}

/// The fault of a level of an escalation that is over when it begins.
fn begins_over(duty: &Duty) -> Option<SettingFault> {
    let is_level = duty.kind == DutyKind::Escalate && duty.every.is_none();
    match duty.from {
        Moment::Verified if is_level => Some(found! { fault::NEVER_KEPT,
            "`{}` can be kept only where `set_times` sends `verified` before the incident is resolved: otherwise both come with the completion, and the end of the incident ends an escalation",
            duty.id
        }),
        from @ (Moment::Resolved | Moment::Closed) if is_level => {
            let why =
                format!("it begins with `{from}`, and the end of the incident ends an escalation");
            Some(never_kept(&format!("`{}`", duty.id), &why))
        }
        _ => None,
    }
}

fn never_kept(what: &str, why: &str) -> SettingFault {
    found! { fault::NEVER_KEPT, "{what} can never be kept: {why}" }
}

/// Why a time is over when it begins, or before. None if it is not.
fn ends_before(policy: &Policy, from: Moment, until: Moment) -> Option<String> {
    let is_of_the_fix = matches!(until, Moment::Approved | Moment::FixStarted);
    let after_the_fact = || policy.demands_by_place().any(|(_, of)| of.after_the_fact.is_some());
    let is_over = match (from, until) {
        (Moment::RolledBack, _) => false,
        // An incident may be resolved before the fix is made.
        (Moment::Resolved, _) => {
            until == Moment::Resolved || until < Moment::DeployStarted && !is_of_the_fix
        }
        (_, Moment::Approved) if from >= Moment::DeployStarted => !after_the_fact(),
        // Until the fix is live people state when they work on it.
        _ if is_of_the_fix && from < Moment::Deployed => until == from,
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
            let fault = never_kept(&format!("the list `{}`", list.id), &why);
            put(findings, format!("/checklists/{index}/within"), fault);
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
    let fault = found! { fault::TWO_REVIEWS,
        "the review{} is due {} after `{}` by `{}`, and {} by `{}`",
        of_a(severity), due(first), first.from, first.id, due(second), second.id
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
        let fault = found! { fault::TWO_CADENCES,
            "updates{} for {audience} are due every {} by `{}`, and every {} by `{}`",
            of_a(severity), time(first_every), first.id, time(second_every), second.id
        };
        put_once(findings, format!("{}/every", place_of(policy, second)), fault);
    }
}

fn place_of(policy: &Policy, duty: &Duty) -> String {
    let index = policy.duties().iter().position(|other| other.id == duty.id).unwrap_or_default();
    format!("/duties/{index}")
}
