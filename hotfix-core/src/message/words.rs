//! How it stands, what is being done, what comes next and why it goes back: each in words for its readers.

use crate::gate::approval::DemandState;
use crate::grade::{GateMode, Signal};
use crate::judge::{Cause, Reason};
use crate::plan::Plan;
use crate::policy::section::Phase;
use crate::rollout::{InputKind, Resume, RollbackCause, Rollout, Stage, State, Step, WayBack};
use crate::text::{enumerated, time};

/// How it stands, for everybody: nothing of versions, phases or what went wrong.
pub(super) fn public_status(rollout: &Rollout) -> &'static str {
    match rollout.state() {
        State::Drafted | State::AwaitingApproval | State::Ready => "we are working on it",
        State::Deploying
        | State::Monitoring
        | State::Gate
        | State::FinalValidation
        | State::Paused => "a fix is being rolled out",
        State::Complete => "the fix is in place, and we keep an eye on it",
        State::Closed => "resolved",
        State::RollingBack | State::RolledBack | State::Frozen | State::Aborted | State::Failed => {
            "we are still working on it"
        }
    }
}

/// How it stands, for readers who need no versions and no phases.
pub(super) fn business_status(rollout: &Rollout) -> String {
    let share = rollout.share();
    match rollout.state() {
        State::Drafted => "a fix is being prepared".to_owned(),
        State::AwaitingApproval => "a fix waits for approval".to_owned(),
        State::Ready => "a fix is ready to go out".to_owned(),
        State::Deploying if share.as_fraction() <= 0.0 => "the fix is going out".to_owned(),
        State::Deploying | State::Monitoring | State::Gate | State::Paused => {
            format!("{share} of the traffic has the fix, and it is being watched")
        }
        State::FinalValidation => {
            "all traffic has the fix, and a last check is under way".to_owned()
        }
        State::Complete => "everybody has the fix, and it is still being watched".to_owned(),
        State::Closed => "resolved".to_owned(),
        State::RollingBack => "the fix is being taken back".to_owned(),
        State::RolledBack => "the fix was taken back, and the version before it runs".to_owned(),
        State::Frozen => "the rollout stands still until somebody decides".to_owned(),
        State::Aborted => "the rollout was stopped".to_owned(),
        State::Failed => "the fix could not be deployed".to_owned(),
    }
}

/// How it stands, for those who work on it.
pub(super) fn status(rollout: &Rollout) -> String {
    let (share, release) = (rollout.share(), &rollout.plan().subject().release);
    let at = |step: &Step| format!("phase {}", step.phase);
    match rollout.stage() {
        Stage::Preparing => business_status(rollout),
        Stage::Deploying(step) => {
            format!("{} is being deployed, {share} of the traffic has the fix", at(step))
        }
        Stage::Monitoring(step) => format!("{} is being watched at {share}", at(step)),
        Stage::Gate { step, .. } => format!("{} has shown what it must, at {share}", at(step)),
        Stage::FinalValidation { .. } => format!("final validation at {share}"),
        Stage::Complete { .. } => format!("{} is live and still being watched", release.version),
        Stage::Closed => format!("{} is live, and the watch is over", release.version),
        Stage::RollingBack(way) if way.watching.is_some() => {
            format!("{} runs again, and its metrics are being watched", goes_to(way, rollout))
        }
        Stage::RollingBack(way) => format!("going back to {}", goes_to(way, rollout)),
        Stage::RolledBack => format!("back on {}", release.previous),
        Stage::Paused { from, .. } => match from {
            Resume::Deploying(step) | Resume::Monitoring(step) | Resume::Gate(step) => {
                format!("paused in {} at {share}", at(step))
            }
            Resume::FinalValidation { .. } => {
                format!("paused in the final validation at {share}")
            }
        },
        Stage::Frozen { tried: true, .. } => {
            format!("every way back failed: traffic stays at {share}")
        }
        Stage::Frozen { .. } => format!("frozen: traffic stays at {share}"),
        Stage::Aborted => "stopped".to_owned(),
        Stage::Failed => "the deployment failed before any traffic moved".to_owned(),
    }
}

/// The version that a way back leads to.
fn goes_to<'r>(way: &'r WayBack, rollout: &'r Rollout) -> &'r str {
    match &way.why {
        RollbackCause::Revert { version } => version,
        _ => &rollout.plan().subject().release.previous,
    }
}

/// What is being done now.
pub(super) fn action(rollout: &Rollout) -> &'static str {
    match rollout.stage() {
        Stage::Preparing => match rollout.state() {
            State::AwaitingApproval => "asking for approval",
            State::Ready => "about to deploy",
            _ => "preparing a fix",
        },
        Stage::Deploying(_) => "deploying the fix",
        // With all of the traffic there is no more to get.
        Stage::Monitoring(step) if is_last(rollout, step.index) => "watching the fix",
        Stage::Monitoring(_) => "watching the fix before it gets more traffic",
        Stage::Gate { .. } => "deciding whether it gets more traffic",
        Stage::FinalValidation { .. } => "looking everything over a last time",
        Stage::Complete { .. } => "watching the fix",
        Stage::Closed => "nothing more",
        Stage::RollingBack(way) if way.watching.is_some() => "watching the version before return",
        Stage::RollingBack(_) => "taking the fix back",
        Stage::RolledBack | Stage::Aborted | Stage::Failed => "finding out why, for another fix",
        Stage::Paused { .. } => "waiting for somebody to let it go on",
        Stage::Frozen { .. } => "deciding what to do",
    }
}

/// Whether no phase follows.
fn is_last(rollout: &Rollout, index: usize) -> bool {
    index + 1 >= rollout.plan().policy().phases().len()
}

/// What comes next; `plain` without names of phases.
pub(super) fn next_step(rollout: &Rollout, plain: bool) -> Option<String> {
    let policy = rollout.plan().policy();
    let phase = |index: usize| policy.phases().get(index);
    let after = |index: usize| match phase(index + 1) {
        Some(next) => gets(next, plain),
        None => "a last look at everything".to_owned(),
    };
    Some(match rollout.stage() {
        Stage::Preparing => match rollout.state() {
            State::Ready => "the deployment starts".to_owned(),
            State::AwaitingApproval => awaited(rollout, plain),
            _ => return None,
        },
        Stage::Deploying(step) => {
            let phase = phase(step.index)?;
            format!("{}, which is then watched for {}", gets(phase, plain), time(phase.watch))
        }
        Stage::Gate { step, until: None } if phase(step.index)?.gate != GateMode::Automatic => {
            format!("somebody says go, then {}", after(step.index))
        }
        Stage::Monitoring(step) | Stage::Gate { step, .. } => after(step.index),
        Stage::FinalValidation { .. } => "the hot-fix is complete".to_owned(),
        Stage::Complete { .. } => "it is watched on".to_owned(),
        Stage::Closed => return None,
        Stage::RollingBack(_) => "watch until everything is as it was before the fix".to_owned(),
        Stage::RolledBack | Stage::Aborted | Stage::Failed => {
            "find out why it failed, then another fix".to_owned()
        }
        Stage::Paused { .. } => "it goes on once somebody says so".to_owned(),
        Stage::Frozen { .. } => "somebody decides whether to go back or on".to_owned(),
    })
}

fn gets(phase: &Phase, plain: bool) -> String {
    if plain {
        format!("{} of the traffic gets the fix", phase.share)
    } else {
        format!("phase {} with {} of the traffic", phase.name, phase.share)
    }
}

/// The approval that is waited for.
fn awaited(rollout: &Rollout, plain: bool) -> String {
    let policy = rollout.plan().policy();
    let approvals = rollout.approvals();
    let open = approvals.demands.iter().find(|d| d.state != DemandState::Approved);
    let roles = open.filter(|_| !plain).map(|demand| {
        demand.any_of.iter().map(|role| policy.role_title(*role)).collect::<Vec<_>>().join(" or ")
    });
    roles.map_or_else(|| "approval".to_owned(), |roles| format!("approval by {roles}"))
}

/// Why it goes back, or went, for those who work on it: metrics by what people call them, and what a person said.
pub(super) fn reason(rollout: &Rollout) -> Option<String> {
    let said = || {
        let turned = rollout.turned_back_at()?;
        let asks = [InputKind::RollBack, InputKind::Abort, InputKind::Revert, InputKind::Report];
        let intents = rollout.intents().into_iter();
        intents
            .filter(|intent| intent.at == turned && asks.contains(&intent.kind))
            .find_map(|intent| intent.why)
    };
    let with = |what: &str| match said() {
        Some(why) => format!("{what}: {why}"),
        None => what.to_owned(),
    };
    Some(match rollout.turned_back_for()? {
        RollbackCause::Verdict { causes } => {
            let mut metrics = Vec::new();
            let mut told: Vec<String> = Vec::new();
            // What only holds says nothing where something else goes back; of a metric the gravest is told.
            let any = causes.iter().any(|cause| is_grave(cause.reason));
            for cause in causes.iter().filter(|cause| !any || is_grave(cause.reason)) {
                if !metrics.contains(&cause.metric) {
                    metrics.push(cause.metric);
                    told.push(in_words(cause, rollout.plan()));
                }
            }
            enumerated(&told)
        }
        RollbackCause::Signal { signal } => with(signalled(*signal)),
        RollbackCause::Person => with("somebody decided to go back"),
        RollbackCause::Revert { version } => with(&format!("somebody decided to go to {version}")),
        RollbackCause::Abort => with("somebody stopped it"),
        RollbackCause::ActionFailed => "traffic could not be moved".to_owned(),
    })
}

/// The same without figures, names and what somebody wrote.
pub(super) fn plain_reason(rollout: &Rollout) -> Option<&'static str> {
    Some(match rollout.turned_back_for()? {
        RollbackCause::Verdict { .. } => "it did not do as well as it must",
        RollbackCause::Signal { signal } => signalled(*signal),
        RollbackCause::Person | RollbackCause::Revert { .. } | RollbackCause::Abort => {
            "the team decided so"
        }
        RollbackCause::ActionFailed => "its rollout met a fault",
    })
}

const fn signalled(signal: Signal) -> &'static str {
    match signal {
        Signal::Doubt => "there were doubts whether it is stable",
        Signal::UserReportsWorse => "users said that it got worse",
        Signal::FixDoesNotWork => "the fault was still there",
        Signal::NewCriticalError => "a new fault appeared",
        Signal::HealthCheckFailed => "a health check failed",
        Signal::DataCorruption => "data came to harm",
        Signal::WorsePerformance => "it got slower",
    }
}

/// Whether a reason asks to go back by itself, rather than to wait.
const fn is_grave(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Evidence
            | Reason::PhaseEndTest
            | Reason::EvidenceAssumed
            | Reason::RollbackBand
            | Reason::CriterionMissed
            | Reason::WillFail
            | Reason::CannotDecide
    )
}

fn in_words(cause: &Cause, plan: &Plan) -> String {
    let what = match cause.reason {
        Reason::Evidence | Reason::PhaseEndTest | Reason::EvidenceAssumed => {
            "is worse with the fix than without"
        }
        Reason::RollbackBand => "is beyond the bound at which it goes back",
        Reason::AlertBand => "is beyond the bound at which it alerts",
        Reason::CriterionMissed => "missed what the phase has to show",
        Reason::WillFail | Reason::CannotDecide => "can no longer show what it must in time",
        Reason::EfficacyNotShown => "is not shown to be mended",
        Reason::NotShownSafe => "is not shown to be no worse",
        Reason::NoData => "is not read",
        Reason::Stale => "was not read for too long",
        Reason::NotJudged => "is judged by nothing: no bound, no test, no reference",
        Reason::NotFinite => "was read as no number",
        Reason::Gaps => "was read with too many gaps",
        Reason::TooFewTrials | Reason::Undecided => "did not get enough data in time",
        Reason::Between => "lies too near to its bound to tell",
        Reason::BadInstance => "is worse on one instance",
        Reason::HoldLevel | Reason::OnlyWholePasses | Reason::NotBoth => "may be worse",
        Reason::SplitNotAsPlanned => "does not split as planned",
        Reason::ArmsSwapped => "looks as if both versions were swapped",
        Reason::IdenticalArms => "reads the same for both versions",
    };
    let metric = cause.metric.and_then(|id| plan.policy().metric(id.as_str()));
    let whole = || match cause.reason {
        Reason::Evidence | Reason::PhaseEndTest | Reason::EvidenceAssumed => "the fix".to_owned(),
        _ => "the rollout".to_owned(),
    };
    let subject = metric.map_or_else(whole, |metric| metric.title.clone());
    if metric.is_none() && subject == "the fix" {
        return "the metrics together are worse with the fix than without".to_owned();
    }
    format!("{subject} {what}")
}
