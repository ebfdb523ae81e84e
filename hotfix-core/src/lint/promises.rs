//! Compares the times that messages promise with the plan of the policy.

use super::fault::{PeopleFault, TimeFault};
use super::finding::{Example, Finding, put};
use super::format::{time, times};
use crate::grade::{DutyKind, MessageKind, Moment, Promised};
use crate::plan::duration::{Schedule, rollout};
use crate::plan::load::Load;
use crate::policy::Policy;
use crate::policy::section::{Due, Duty, Message, Promise};
use crate::unit::Span;

pub(super) fn find(policy: &Policy, findings: &mut Vec<Finding>) {
    for (at, message) in policy.messages().iter().enumerate() {
        if let Some(by) = policy.messages().iter().take(at).find(|first| first.hides(message)) {
            let fault = PeopleFault::HiddenMessage { message: message.id, by: by.id };
            put(findings, format!("/messages/{at}"), fault);
            continue;
        }
        for (index, promise) in message.promises.iter().enumerate() {
            let Some((found, example)) = broken(policy, message, *promise) else { continue };
            let fault = TimeFault::BrokenPromise {
                message: message.id,
                of: promise.of,
                least: promise.least.unwrap_or(promise.most),
                most: promise.most,
                found,
            };
            let path = format!("/messages/{at}/promises/{index}");
            findings.push(Finding::new(path, fault, example));
        }
    }
}

type Broken = Option<(String, Option<Example>)>;

/// What the plan has instead of the promise; `None` if it keeps the promise, or if that is unknown.
fn broken(policy: &Policy, message: &Message, promise: Promise) -> Broken {
    match promise.of {
        Promised::Duration => of_plan(policy, promise.most),
        Promised::Eta => match message.kind {
            // From then on the rollout counts.
            MessageKind::DeploymentStarted => of_plan(policy, promise.most),
            MessageKind::Alert => of_procedure(policy, promise.most),
            // The elapsed time is unknown then.
            MessageKind::PhasePassed
            | MessageKind::Deployed
            | MessageKind::RollingBack
            | MessageKind::RolledBack
            | MessageKind::Update
            | MessageKind::Resolved => None,
        },
        Promised::Watch => of_watch(policy, promise),
        Promised::Update => of_updates(policy, message, promise.most),
        Promised::Rollback => of_rollback(policy, promise.most),
        Promised::Review => of_review(policy, message, promise.most),
    }
}

fn of_plan(policy: &Policy, promised: Span) -> Broken {
    let plan = rollout(Load::of(policy));
    let found = format!("the plan takes at least {}", time(plan.least));
    (plan.least > promised).then(|| (found, Some(Example::times(plan, promised))))
}

fn of_procedure(policy: &Policy, promised: Span) -> Broken {
    let schedule = Schedule { load: Load::of(policy), level: None };
    let sum = schedule.until(Moment::Verified).filter(|sum| schedule.is_known(sum))?;
    let found = format!("the plan takes {} from the detection", times(sum.least, sum.most));
    (sum.most > promised).then(|| (found, Some(Example::times(sum, promised))))
}

/// The promise of a watch is kept if a watch ends then: that of the last phase, of the final
/// validation, or a later one.
fn of_watch(policy: &Policy, promise: Promise) -> Broken {
    let phase = policy.phases().last()?;
    let last = Load::of(policy).watch(phase);
    let (least, most) = (promise.least.unwrap_or(promise.most), promise.most);
    let mut ends = vec![last, last + phase.veto_window() + policy.final_validation().watch];
    ends.extend(policy.after().iter().map(|later| later.until));
    if ends.iter().any(|end| (least..=most).contains(end)) {
        return None;
    }
    let later: Vec<String> = policy.after().iter().map(|later| time(later.until)).collect();
    let later = if later.is_empty() {
        "there is no later watch".to_owned()
    } else {
        format!("later watches end after {}", later.join(", "))
    };
    Some((format!("the last phase is watched for {}, and {later}", time(last)), None))
}

/// The duties of a kind that are always due for some severity of the message.
fn duties<'a>(
    policy: &'a Policy,
    message: &'a Message,
    kinds: &'a [DutyKind],
) -> impl Iterator<Item = &'a Duty> {
    policy.duties().iter().filter(move |duty| {
        let mut severities = duty.severities.iter();
        let overlaps =
            duty.severities.is_empty() || severities.any(|s| message.is_for_severity(*s));
        kinds.contains(&duty.kind) && overlaps
    })
}

fn of_updates(policy: &Policy, message: &Message, promised: Span) -> Broken {
    let updates = duties(policy, message, &[DutyKind::Update]);
    let updates = updates.filter(|duty| duty.audience == Some(message.audience));
    let found = match updates.filter_map(|duty| duty.every).min() {
        None => "no duty sends updates to that audience".to_owned(),
        Some(every) if every > promised => format!("updates are due every {}", time(every)),
        Some(_) => return None,
    };
    Some((found, None))
}

fn of_rollback(policy: &Policy, promised: Span) -> Broken {
    let rollback = policy.rollback();
    let slowest = rollback.methods.iter().filter_map(|way| way.most).max();
    let most = rollback.estimate.and_then(|estimate| estimate.most).or(slowest)?
        + rollback.waits(policy.phases().last()?.share);
    (most > promised).then(|| (format!("a rollback takes up to {}", time(most)), None))
}

/// A promised review that no duty and no report makes due by then.
fn of_review(policy: &Policy, message: &Message, promised: Span) -> Broken {
    let mut dues: Vec<Due> = duties(policy, message, &[DutyKind::Review, DutyKind::Meet])
        .filter(|duty| duty.from >= Moment::Deployed)
        .map(|duty| duty.within)
        .collect();
    dues.extend(policy.report().and_then(|report| report.within));
    // The day depends on the calendar of the organisation.
    if dues.iter().any(|due| due.within().is_none_or(|within| within <= promised)) {
        return None;
    }
    let found = match dues.iter().filter_map(|due| due.within()).min() {
        Some(first) => format!("the first review is due after {}", time(first)),
        None => "no review is due".to_owned(),
    };
    Some((found, None))
}
