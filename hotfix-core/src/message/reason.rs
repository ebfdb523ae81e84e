//! The reason of a rollback, as text for each audience.

use crate::judge::{Cause, Reason};
use crate::rollout::{InputKind, RollbackCause, Rollout, Stage, TRAIN};
use crate::text::{enumerated, words};

/// The reason of a rollback, not for the public: metrics by title, and what a person gave.
pub(super) fn reason(rollout: &Rollout) -> Option<String> {
    // With the reason that the person gave. An order may come long after a freeze, and for another
    // reason than what froze the rollout.
    let with = |what: &str, asked: InputKind| {
        let is_it = |at| asked != InputKind::Report || Some(at) == rollout.turned_back_at();
        let order = rollout.intervention(asked).filter(|order| is_it(order.at));
        match order.and_then(|order| order.why.as_deref()) {
            Some(why) => format!("{what}: {why}"),
            None => what.to_owned(),
        }
    };
    let reason = match rollout.turned_back_for()? {
        RollbackCause::Verdict { causes } => {
            let mut metrics = Vec::new();
            let mut reasons: Vec<String> = Vec::new();
            // Each metric is named once, with its gravest cause.
            let grave = Cause::of_rollback(rollout.plan().policy(), causes);
            for cause in grave {
                if !metrics.contains(&cause.metric) {
                    metrics.push(cause.metric);
                    reasons.push(cause_text(cause, rollout));
                }
            }
            // What was read until then missed it, when the phase's longest time was over.
            let is_missed = grave.iter().any(|cause| cause.reason == Reason::CriterionMissed);
            let is_silent = |cause: &Cause| matches!(cause.reason, Reason::Stale | Reason::NoData);
            let silent = is_missed && causes.iter().any(is_silent);
            let silent =
                if silent { " by what had been read, and readings were missing" } else { "" };
            enumerated(&reasons) + silent
        }
        RollbackCause::Signal { signal } => with(signal.described(), InputKind::Report),
        RollbackCause::Person => by_train(rollout).map_or_else(
            || with("a person decided to roll back", InputKind::RollBack),
            str::to_owned,
        ),
        RollbackCause::Revert { version } => {
            with(&format!("a person decided to return to {version}"), InputKind::Revert)
        }
        RollbackCause::Abort => with("a person aborted the rollout", InputKind::Abort),
        RollbackCause::ActionFailed => "a step of the deployment failed".to_owned(),
    };
    let Some([failed, next]) = methods(rollout) else { return Some(reason) };
    let reason = reason.trim_end_matches('.');
    Some(format!("{reason}; the rollback by {failed} failed, and {next} is tried now"))
}

/// While a rollback goes on by another method: the one that failed, and the one that is tried now.
fn methods(rollout: &Rollout) -> Option<[String; 2]> {
    let Stage::RollingBack(way) = rollout.stage() else { return None };
    let before = way.method.checked_sub(1).filter(|_| way.watching.is_none())?;
    let method = |index| way.why.method(rollout.plan(), index);
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
        RollbackCause::Verdict { .. } => "the fix did not meet its criteria",
        RollbackCause::Signal { signal } => signal.described(),
        RollbackCause::Person if by_train(rollout).is_some() => {
            "a service that it belongs together with was rolled back"
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

/// A cause as a clause: the metric's title and what is wrong with it.
pub(super) fn cause_text(cause: &Cause, rollout: &Rollout) -> String {
    let what = match cause.reason {
        Reason::Evidence
        | Reason::PhaseEndTest
        | Reason::EvidenceAssumed
        | Reason::FewerFailures => "is worse with the fix than without it",
        Reason::RollbackBand => "is beyond its rollback bound",
        Reason::OneInstance => "is beyond its rollback bound on one instance",
        Reason::NotConfirmed => "is beyond its rollback bound, which may be noise",
        Reason::AlertBand => "is beyond its alert bound",
        Reason::CriterionMissed => "missed its criterion for the phase",
        Reason::WillFail | Reason::CannotDecide => "can no longer meet its criterion in time",
        Reason::EfficacyNotShown => "does not show that the fix works",
        Reason::NotShownSafe => "is not shown to be as good as without the fix",
        Reason::NoData => "has no readings",
        Reason::Stale => "has had no reading for too long",
        Reason::NoLiveData => "has no readings of the live version",
        Reason::LiveNeverRead => "is not compared, because the live version was never read",
        Reason::WorseThanSeen => "is clearly worse than when a person was last asked",
        Reason::NotJudged => "is not judged",
        Reason::NotFinite => "has a reading that is not a number",
        Reason::Gaps => "has too many gaps in its readings",
        Reason::TooFewTrials | Reason::Inconclusive => "did not get enough data in time",
        Reason::Between => "is too close to its bound to decide",
        Reason::BadInstance => "is worse on one instance",
        Reason::HoldLevel | Reason::OnlyWholePasses | Reason::NotBoth | Reason::Burst => {
            "may be worse"
        }
        Reason::WarmingUp => "is slower while its instances warm up",
        Reason::SlightlySlower => "is slower with the fix than without it",
        Reason::SplitNotAsPlanned => "shows a traffic split that is not the planned one",
        Reason::ArmsSwapped => "looks as if the two versions were swapped",
        Reason::IdenticalArms => "has identical readings for both versions",
    };
    let metric = cause.metric.and_then(|id| rollout.plan().policy().metric(id.as_str()));
    match (metric, cause.reason) {
        (Some(metric), reason) => {
            // Its worse side is known.
            let what = what.replace("beyond", metric.worse.side());
            let missed = matches!(reason, Reason::CriterionMissed | Reason::WillFail);
            // The line of its readings has those of the window.
            let figures = Some(metric).filter(|_| missed);
            let figures = figures.and_then(|metric| rollout.missed_criterion(metric));
            let figures = figures.map_or_else(String::new, |figures| format!(" ({figures})"));
            format!("{} {what}{figures}", metric.title)
        }
        (
            None,
            Reason::Evidence
            | Reason::PhaseEndTest
            | Reason::EvidenceAssumed
            | Reason::FewerFailures,
        ) => "the metrics combined are worse with the fix than without it".to_owned(),
        (None, _) => format!("the rollout {what}"),
    }
}
