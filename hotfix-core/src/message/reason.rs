//! The reason of a rollback, as text for each audience.

use std::slice;

use crate::grade::Audience;
use crate::judge::{Cause, Reason};
use crate::rollout::{InputKind, RollbackCause, Rollout, Stage, TRAIN};
use crate::text::{joined, words};

/// The reason of a rollback, not for the public: metrics by title, what a person gave, and for responders
/// which step failed.
pub(super) fn reason(rollout: &Rollout, audience: Audience) -> Option<String> {
    let policy = rollout.plan().policy();
    let cause = rollout.turned_back_for()?;
    // With the reason that the person gave. An order may come long after a freeze, and for another
    // reason than what froze the rollout.
    let with = |asked: InputKind| {
        let is_it = |at| asked != InputKind::Report || Some(at) == rollout.turned_back_at();
        let order = rollout.intervention(asked).filter(|order| is_it(order.at));
        let why = order.and_then(|order| order.why.as_deref());
        joined([cause.described(policy).as_str()].into_iter().chain(why), ": ")
    };
    let reason = match cause {
        RollbackCause::Verdict { causes } => {
            let grave = Cause::of_rollback(causes);
            // Each metric is named once, with its gravest cause.
            let is_first = |(place, cause): &(usize, &Cause)| {
                !grave[..*place].iter().any(|before| before.metric == cause.metric)
            };
            let named = grave.iter().enumerate().filter(is_first);
            let reasons = joined(named.map(|(_, cause)| cause_text(cause, rollout)), "; ");
            // What was read until then missed it, when the phase's longest time was over.
            let is_missed = grave.iter().any(|cause| cause.reason == Reason::CriterionMissed);
            let is_silent = |cause: &Cause| matches!(cause.reason, Reason::Stale | Reason::NoData);
            let silent = is_missed && causes.iter().any(is_silent);
            let silent = if silent {
                "; judged by what had been read, because readings were missing"
            } else {
                ""
            };
            reasons + silent
        }
        RollbackCause::Signal { .. } => with(InputKind::Report),
        RollbackCause::Person => {
            by_train(rollout).map_or_else(|| with(InputKind::RollBack), str::to_owned)
        }
        RollbackCause::Revert { .. } => with(InputKind::Revert),
        RollbackCause::Abort => with(InputKind::Abort),
        RollbackCause::ActionFailed => {
            let step = rollout.failed_step().filter(|_| audience == Audience::Responders);
            step.map_or_else(|| cause.described(policy), str::to_owned)
        }
    };
    let Some([failed, next]) = methods(rollout) else { return Some(reason) };
    let reason = reason.trim_end_matches('.');
    Some(format!("{reason}; the rollback by {failed} failed, and {next} is tried now"))
}

/// While a rollback goes on by another method: the one that failed, and the one that is tried now.
fn methods(rollout: &Rollout) -> Option<[String; 2]> {
    let Stage::RollingBack(way) = rollout.stage() else { return None };
    let before = way.method.checked_sub(1).filter(|_| way.watching.is_none())?;
    let method = |index| way.why.method(rollout.canary_plan(), index);
    Some([method(before)?, method(way.method)?].map(|method| words(method.as_str())))
}

/// The reason of a rollback that the train of this service has requested: nothing is known against
/// its own fix.
pub(super) fn by_train(rollout: &Rollout) -> Option<&str> {
    rollout.turned_back_for().filter(|cause| matches!(cause, RollbackCause::Person))?;
    let order = rollout.intervention(InputKind::RollBack)?;
    order.why.as_deref().filter(|_| order.by.as_deref() == Some(TRAIN))
}

/// Whether a person decided to do without the fix, by an `abort` or a `revert`: it may be healthy.
pub(super) fn by_decision(rollout: &Rollout) -> bool {
    let cause = rollout.turned_back_for();
    matches!(cause, Some(RollbackCause::Abort | RollbackCause::Revert { .. }))
}

/// The reason of a rollback for business readers: no figures, no names, no text of a person.
pub(super) fn plain_reason(rollout: &Rollout) -> Option<String> {
    let reason = match rollout.turned_back_for()? {
        cause @ RollbackCause::Verdict { .. } if !cause.is_found() => {
            "it could not be seen whether the fix works"
        }
        RollbackCause::Verdict { .. } => "the fix did not meet its criteria",
        RollbackCause::Signal { signal } => signal.described(),
        RollbackCause::Person if by_train(rollout).is_some() => {
            "a service that belongs with it had to be rolled back"
        }
        RollbackCause::Person | RollbackCause::Revert { .. } | RollbackCause::Abort => {
            "the team decided to roll back"
        }
        RollbackCause::ActionFailed => "the fix could not be deployed",
    };
    let again = methods(rollout)
        .map_or("", |_| "; an attempt to roll it back failed, and another way is tried now");
    Some(format!("{reason}{again}"))
}

/// A cause, with what a criterion that was missed has measured.
pub(super) fn cause_text(cause: &Cause, rollout: &Rollout) -> String {
    let policy = rollout.plan().policy();
    let is_missed = matches!(cause.reason, Reason::CriterionMissed | Reason::WillFail);
    let metric = cause.metric.filter(|_| is_missed).and_then(|id| policy.metric(id.as_str()));
    // The line of its readings has those of the window.
    let figures = metric.and_then(|metric| rollout.missed_criterion(metric));
    let figures = figures.map_or_else(String::new, |figures| format!(" ({figures})"));
    Cause::described(policy, slice::from_ref(cause)) + &figures
}
