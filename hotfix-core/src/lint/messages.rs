//! Messages that are never used, broken promises, and advice whose check the policy lacks.

use super::fault;
use super::finding::{Example, Finding, found, report};
use super::format::{of_a, time, times};
use super::roles::{hotfixes, is_for};
use crate::grade::{DutyKind, MessageKind, Moment, Promised, Severity};
use crate::plan::duration::{Schedule, rollout};
use crate::plan::has_check;
use crate::plan::load::Load;
use crate::policy::Policy;
use crate::policy::section::{Due, Duty, Message, Promise};
use crate::unit::Span;

pub(super) fn find(policy: &Policy, findings: &mut Vec<Finding>) {
    promises(policy, findings);
    for (index, advice) in policy.advice().iter().enumerate() {
        if let Some(check) = advice.shown_by.filter(|check| !has_check(policy, *check)) {
            report! { findings, format!("/advice/{index}/shown_by"), fault::ADVICE_WITHOUT_CHECK,
                "`{}` is shown by `{check}`, but the policy has nothing of that kind", advice.id
            }
        }
    }
}

fn promises(policy: &Policy, findings: &mut Vec<Finding>) {
    for (at, message) in policy.messages().iter().enumerate() {
        if let Some(by) = policy.messages().iter().take(at).find(|first| first.hides(message)) {
            report! { findings, format!("/messages/{at}"), fault::HIDDEN_MESSAGE,
                "`{}` is never used: `{}` comes before it, and is for the same occasion and audience, for its severities, and without a condition",
                message.id, by.id
            }
            continue;
        }
        for (index, promise) in message.promises.iter().enumerate() {
            let Some((found, example)) = broken(policy, message, *promise) else { continue };
            let least = promise.least.unwrap_or(promise.most);
            let fault = found! { fault::BROKEN_PROMISE,
                "`{}` promises {} for `{}`, but {found}",
                message.id, times(least, promise.most), promise.of
            };
            findings.push(Finding::new(format!("/messages/{at}/promises/{index}"), fault, example));
        }
    }
}

type Broken = Option<(String, Option<Example>)>;

/// What the plan has instead of the promise; `None` if it keeps the promise, or if that is unknown.
fn broken(policy: &Policy, message: &Message, promise: Promise) -> Broken {
    match promise.of {
        Promised::Duration => of_plan(policy, promise.most),
        Promised::Eta => match message.kind {
            // From that message on, only the rollout is left.
            MessageKind::DeploymentStarted => of_plan(policy, promise.most),
            MessageKind::Alert => of_procedure(policy, promise.most),
            // How much time has passed at the other messages is unknown.
            _ => None,
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

/// The first severity of the message at which no duty with a time by `due`, and not `also`, is
/// always due within the promised time, with the shortest time there. None if the promise is kept.
/// A calendar day counts as kept: it depends on the organisation.
fn unkept(
    policy: &Policy,
    message: &Message,
    promised: Span,
    also: Option<Due>,
    due: impl Fn(&Duty) -> Option<Due>,
) -> Option<(Option<Severity>, Option<Span>)> {
    let is_sure = |duty: &Duty| {
        (duty.when.is_none() || duty.when == message.when) && !duty.stop_gap && duty.flow.is_none()
    };
    let mut concerned =
        hotfixes(policy).filter(|of| of.is_none_or(|of| message.is_for_severity(of)));
    concerned.find_map(|severity| {
        let sure = policy.duties().iter().filter(|duty| is_for(duty, severity) && is_sure(duty));
        let dues: Vec<Due> = sure.filter_map(&due).chain(also).collect();
        let is_kept = |due: &Due| due.within().is_none_or(|within| within <= promised);
        let first = dues.iter().filter_map(|due| due.within()).min();
        (!dues.iter().any(is_kept)).then_some((severity, first))
    })
}

fn of_updates(policy: &Policy, message: &Message, promised: Span) -> Broken {
    let is_update =
        |duty: &Duty| duty.kind == DutyKind::Update && duty.readers() == Some(message.audience);
    // The update that follows the alert is the first one of its duty.
    let first = |duty: &Duty| duty.within.within().filter(|_| message.kind == MessageKind::Alert);
    let next = |duty: &Duty| Some(duty.every?.max(first(duty).unwrap_or_default()));
    let due = |duty: &Duty| next(duty).filter(|_| is_update(duty)).map(Due::Within);
    let (severity, every) = unkept(policy, message, promised, None, due)?;
    let of = of_a(severity);
    let found = match every {
        None => format!("no duty always sends updates{of} to that audience"),
        Some(every) => format!("the next update{of} is due after up to {}", time(every)),
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
    let report = policy.report().and_then(|report| report.within);
    let due = |duty: &Duty| duty.is_review_since(Moment::Deployed).then_some(duty.within);
    let (severity, first) = unkept(policy, message, promised, report, due)?;
    let of = of_a(severity);
    let found = match first {
        Some(first) => format!("the first review{of} is due after {}", time(first)),
        None => format!("no review{of} is always due"),
    };
    Some((found, None))
}
