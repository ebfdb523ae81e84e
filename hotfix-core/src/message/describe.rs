//! Status, current action and next step of a rollout, as text for each audience.

use crate::grade::{Audience, GateMode, MessageKind, Moment, OnFailure};
use crate::judge::{Cause, Decision, Reason, Recovery};
use crate::policy::section::Phase;
use crate::rollout::{InputKind, Resume, Rollout, Silent, Stage, Stalled, State, Step};
use crate::text::{enumerated, joined, time};
use crate::unit::Timestamp;

use super::before::{THEN_RETRIES, WAITS_FOR_RETRY, approval, prepared, ready};
use super::reason::{by_decision, by_train, cause_text};
use super::seen::held_back;
use super::zone::Clock;

/// The status for the public, without versions, phases or causes.
pub(super) fn public_status(rollout: &Rollout) -> &'static str {
    match rollout.state() {
        _ if ended_without_fix(rollout) => "resolved",
        State::Closed => "resolved",
        _ if rollout.goes_back() => "we are still working on it",
        _ if rollout.is_reopened() || ended_too_soon(rollout) => {
            if rollout.stage().is_going_out() && !rollout.is_timely(MessageKind::Deployed) {
                "it is not resolved, and a fix is being rolled out"
            } else {
                "it is not resolved, and we are working on it"
            }
        }
        // Who read that a fix is being rolled out reads more than that once it was withdrawn.
        State::Drafted | State::AwaitingApproval | State::Ready
            if rollout.moment(Moment::RolledBack).is_none() =>
        {
            "we are working on it"
        }
        // Who reads `deployed` reads that it has reached everybody.
        _ if rollout.is_timely(MessageKind::Deployed) => {
            match (held_back(rollout), rollout.missing_readings()) {
                (Some(_), Some(Silent::All)) => "the fix is in place for a part of the users",
                (Some(_), _) => {
                    "the fix is in place for a part of the users, and we are monitoring it"
                }
                (None, Some(Silent::All)) => "the fix is in place",
                (None, _) => "the fix is in place, and we are monitoring it",
            }
        }
        State::RollingBack if rollout.is_timely(MessageKind::Resolved) => {
            "resolved, and we are still checking it"
        }
        State::Deploying
        | State::Monitoring
        | State::Gate
        | State::FinalValidation
        | State::Complete
        | State::Paused => "a fix is being rolled out",
        State::Drafted
        | State::AwaitingApproval
        | State::Ready
        | State::RollingBack
        | State::RolledBack
        | State::Frozen
        | State::Aborted
        | State::Failed => "we are still working on it",
    }
}

/// Whether the incident ended by itself: it is resolved, and no fix was started or has traffic any
/// more.
fn ended_without_fix(rollout: &Rollout) -> bool {
    let stage = rollout.stage();
    matches!(stage, Stage::Preparing | Stage::RolledBack | Stage::Aborted | Stage::Failed)
        && !rollout.reach().is_any()
        && rollout.moment(Moment::Resolved).is_some()
}

/// Whether the fix fails after the incident was resolved with it.
fn ended_too_soon(rollout: &Rollout) -> bool {
    let resolved = rollout.moment(Moment::Resolved);
    resolved.is_some_and(|at| Some(at) <= rollout.turned_back_at())
        && !rollout.is_timely(MessageKind::Resolved)
}

/// A status inside, which says that the incident is open again, because its readers read that it was
/// resolved, and that the train is being rolled back.
pub(super) fn inside(rollout: &Rollout, status: &str) -> String {
    let again = if rollout.is_reopened() { "the incident is open again; " } else { "" };
    let back = if rollout.goes_back() {
        ", and a service that it belongs together with was rolled back"
    } else {
        ""
    };
    format!("{again}{status}{back}")
}

/// What the team does, and what follows, while the train of a fix that is out is being rolled back.
fn goes_back(rollout: &Rollout) -> Option<[&'static str; 2]> {
    rollout.goes_back().then(|| match rollout.plan().on_failure() {
        OnFailure::RollBack => [
            "waiting until the services that were deployed after it are rolled back",
            "the fix is rolled back in its turn",
        ],
        OnFailure::Ask | OnFailure::Freeze => [
            "deciding whether it is rolled back, too",
            "the fix stays until a person rolls it back",
        ],
    })
}

/// Whether it was aborted before anything was deployed: no fix has failed.
fn stopped_early(rollout: &Rollout) -> bool {
    rollout.state() == State::Aborted && rollout.started_at().is_none()
}

/// The status for business readers, without versions and phases.
pub(super) fn business_status(rollout: &Rollout) -> String {
    let share = rollout.reach();
    match rollout.state() {
        _ if ended_without_fix(rollout) && rollout.rolled_back_since().is_some() => {
            "resolved, and the fix was rolled back".to_owned()
        }
        _ if ended_without_fix(rollout) => "resolved without a fix".to_owned(),
        _ if stopped_early(rollout) => "stopped before anything was deployed".to_owned(),
        State::Drafted | State::AwaitingApproval | State::Ready if share.is_any() => {
            format!("{}; {share} of the traffic still has an earlier fix", prepared(rollout)[0])
        }
        State::Deploying if rollout.former_version().is_some() => {
            let fix = deployed(rollout, "the fix");
            format!("{fix}; {share} of the traffic still has an earlier one")
        }
        State::Drafted | State::AwaitingApproval | State::Ready => prepared(rollout)[0].to_owned(),
        State::Deploying if !share.is_any() => deployed(rollout, "the fix"),
        State::Paused if !share.is_any() => "the deployment of the fix is paused".to_owned(),
        State::Deploying | State::Monitoring | State::Gate | State::Paused => {
            let paused = match rollout.state() {
                State::Paused => ", the rollout is paused",
                _ => "",
            };
            let then = match rollout.stage() {
                Stage::Deploying(_) => deployed(rollout, "the next part"),
                Stage::Paused { from: Resume::Deploying(_) | Resume::Deployed(_), .. } => {
                    "no more of it gets it until a person resumes it".to_owned()
                }
                _ => watched(rollout, "we are monitoring it").to_owned(),
            };
            format!("{share} of the traffic has the fix{paused}, and {then}")
        }
        State::FinalValidation => {
            let part = match held_back(rollout) {
                Some(_) => format!("{share} of the"),
                None => "all".to_owned(),
            };
            format!("{part} traffic has the fix, and the final check is in progress")
        }
        State::Complete => {
            let has = held_back(rollout)
                .map_or("all users have".to_owned(), |_| format!("{share} of the traffic has"));
            format!("{has} the fix, and {}", watched(rollout, "we continue to monitor it"))
        }
        State::Closed => "resolved".to_owned(),
        State::RollingBack => "the fix is being rolled back".to_owned(),
        State::RolledBack => {
            let previous = rollout.plan().release().map(|release| release.previous.as_str());
            let is_back = rollout.live_version() == previous;
            let live = if is_back {
                "the previous version is live again"
            } else {
                "another version is live"
            };
            format!("the fix was rolled back, and {live}")
        }
        State::Frozen => "the rollout is frozen until a person decides".to_owned(),
        State::Aborted if rollout.rolled_back_since().is_some() => {
            "the rollout was stopped, and the fix was rolled back".to_owned()
        }
        State::Aborted => "the rollout was stopped".to_owned(),
        State::Failed => "the fix could not be deployed".to_owned(),
    }
}

/// That this is being deployed, or why it is not any more.
fn deployed(rollout: &Rollout, what: &str) -> String {
    match rollout.stalled() {
        Some(Stalled::Failed) => format!("the deployment of {what} failed"),
        Some(Stalled::Late) => format!("the deployment of {what} was not confirmed in time"),
        None => format!("{what} is being deployed"),
    }
}

/// This, unless readings are missing: then which.
fn watched(rollout: &Rollout, monitored: &'static str) -> &'static str {
    match rollout.missing_readings() {
        Some(Silent::All) => "its readings are missing",
        Some(Silent::Live) => "the readings of the version without it are missing",
        None => monitored,
    }
}

/// Which readings of a phase are missing, as a clause.
fn missing(rollout: &Rollout) -> Option<&'static str> {
    Some(match rollout.missing_readings()? {
        Silent::All => ", and its readings are missing",
        Silent::Live => ", and the readings of the live version are missing",
    })
}

/// What holds a phase: what a person can remove, and once its least time is over whatever it is. Only
/// whoever can replace an instance reads which.
fn held(rollout: &Rollout, audience: Audience) -> Option<String> {
    let verdict = rollout.verdict();
    let mut causes = verdict.causes.iter().filter(|_| verdict.decision != Decision::RollBack);
    let removable = causes.find_map(|cause| match (cause.reason, &cause.instance) {
        (Reason::BadInstance | Reason::OneInstance, Some(instance)) => Some(match audience {
            Audience::Responders => {
                format!("instance {instance} is worse than the others; replace it")
            }
            _ => "one instance of the new version is worse than the others".to_owned(),
        }),
        (Reason::SplitNotAsPlanned, _) if cause.metric.is_none() => {
            Some(format!("{}; check what distributes the traffic", cause.reason.describe()))
        }
        _ => None,
    });
    removable.or_else(|| {
        let policy = rollout.plan().policy();
        let step = rollout.stage().step()?;
        let phase = policy.phases().get(step.index)?;
        let is_held = matches!(verdict.decision, Decision::Hold | Decision::Ask)
            && rollout.now()?.since(step.since) >= phase.watch;
        // That the time is over says less than what holds it.
        let holds = |cause: &&Cause| cause.reason != Reason::Inconclusive;
        let cause = verdict.causes.iter().find(holds).or(verdict.causes.first());
        let cause = cause.filter(|_| is_held)?;
        if cause.reason != Reason::NotJudged {
            return Some(cause_text(cause, rollout));
        }
        let unjudged = verdict.causes.iter().filter(|cause| cause.reason == Reason::NotJudged);
        let titles: Vec<String> =
            unjudged.filter_map(|cause| Some(policy.metric_title(cause.metric?))).collect();
        Some(format!("nothing judges {}", enumerated(&titles)))
    })
}

/// What a person is asked about a fix that is complete, where it got worse.
fn got_worse(rollout: &Rollout) -> Option<String> {
    let verdict = rollout.verdict();
    let asks = verdict.decision == Decision::Ask && rollout.awaits_answer();
    let mut causes = verdict.causes.iter().filter(|_| asks);
    let cause = causes.find(|cause| {
        matches!(
            cause.reason,
            Reason::WorseThanSeen
                | Reason::AlertBand
                | Reason::RollbackBand
                | Reason::NotConfirmed
                | Reason::Evidence
                | Reason::EvidenceAssumed
                | Reason::CriterionMissed
        )
    });
    Some(cause_text(cause?, rollout))
}

/// The status for responders and stakeholders.
pub(super) fn status(rollout: &Rollout, audience: Audience) -> String {
    let (share, subject) = (rollout.reach(), rollout.plan().subject());
    let canary = rollout.canary_version().unwrap_or_else(|| subject.version());
    let back_to = rollout.back_to().unwrap_or_else(|| subject.previous());
    let at = |step: &Step| format!("phase {}", step.phase);
    match rollout.stage() {
        _ if ended_without_fix(rollout) => business_status(rollout),
        _ if stopped_early(rollout) => {
            let why = rollout.intervention(InputKind::Abort).and_then(|order| order.why.as_deref());
            joined([business_status(rollout).as_str()].into_iter().chain(why), ": ")
        }
        Stage::Preparing if share.is_any() => {
            format!("{}; {share} of the traffic is still on {canary}", prepared(rollout)[0])
        }
        Stage::Preparing => business_status(rollout),
        Stage::Deploying(step) => {
            let has = match rollout.former_version() {
                Some(former) => format!("{share} of the traffic is still on {former}"),
                // How much is not known before it is confirmed.
                None if rollout.sees_unconfirmed_traffic() => {
                    "readings show traffic on the fix".to_owned()
                }
                None if !share.is_any() => return deployed(rollout, &at(step)),
                None => format!("{share} of the traffic has the fix"),
            };
            format!("{}; {has}", deployed(rollout, &at(step)))
        }
        Stage::Monitoring(step) => {
            let phase = at(step);
            if let Some(missing) = missing(rollout) {
                return format!("{phase} has {share} of the traffic{missing}");
            }
            let held = held(rollout, audience)
                .map_or_else(String::new, |why| format!(", and is held: {why}"));
            format!("{phase} is being watched at {share} of the traffic{held}")
        }
        Stage::Gate { step, .. } => {
            let missing = missing(rollout).unwrap_or_default();
            format!("{} has met its criteria at {share} of the traffic{missing}", at(step))
        }
        Stage::FinalValidation { .. } => format!("final validation at {share} of the traffic"),
        Stage::Complete { .. } => {
            let part = held_back(rollout).map(|_| format!(" at {share} of the traffic"));
            let part = part.unwrap_or_default();
            let then = missing(rollout).unwrap_or(" and still being watched");
            let worse = got_worse(rollout).map_or_else(String::new, |why| format!("; {why}"));
            format!("{} is live{part}{then}{worse}", subject.version())
        }
        Stage::Closed => format!("{} is live, and the watch has ended", subject.version()),
        Stage::RollingBack(way) if way.watching.is_some() => {
            let then = match rollout.recovery() {
                Recovery::NotKnown => "no readings show yet how it is",
                Recovery::Returned | Recovery::NotReturned => "its metrics are being watched",
            };
            format!("{back_to} is {}, and {then}", subject.live(back_to))
        }
        Stage::RollingBack(_) => format!("rolling back to {back_to}"),
        Stage::RolledBack => {
            let back = match rollout.recovery() {
                Recovery::Returned => "",
                Recovery::NotReturned => {
                    ", and then the metrics were not at their level before the deployment"
                }
                Recovery::NotKnown => {
                    ", and then no readings showed whether the service was at its level before \
                     the deployment"
                }
            };
            format!("rolled back to {back_to}{back}")
        }
        Stage::Paused { from, .. } => match from {
            Resume::Deploying(step) if !share.is_any() => {
                format!("paused while {} was being deployed", at(step))
            }
            Resume::Deployed(step) if !share.is_any() => {
                format!("paused before {}", at(step))
            }
            Resume::Deploying(step)
            | Resume::Deployed(step)
            | Resume::Monitoring(step)
            | Resume::Gate(step) => {
                let missing = missing(rollout).unwrap_or_default();
                format!("paused in {} at {share} of the traffic{missing}", at(step))
            }
            Resume::FinalValidation { .. } => {
                format!("paused in the final validation at {share} of the traffic")
            }
        },
        Stage::Frozen { tried: true, .. } if !share.is_any() => {
            format!("all rollback methods failed; no traffic was on {canary}")
        }
        Stage::Frozen { tried: true, .. } => {
            format!("all rollback methods failed; {share} of the traffic is still on {canary}")
        }
        Stage::Frozen { .. } => format!("frozen: {share} of the traffic stays on {canary}"),
        Stage::Aborted if rollout.rolled_back_since().is_some() => {
            format!("aborted, and rolled back to {back_to}")
        }
        Stage::Aborted => "aborted".to_owned(),
        Stage::Failed => "the deployment failed before any traffic moved".to_owned(),
    }
}

const WAITS_FOR_DECISION: &str = "waiting for a person's decision";
const THEN_DECIDES: &str = "a person decides whether to roll back or to deploy another release";

/// What the team does now.
pub(super) fn action(rollout: &Rollout) -> &'static str {
    if let Some([action, _]) = goes_back(rollout) {
        return action;
    }
    match rollout.stage() {
        _ if ended_without_fix(rollout) && rollout.awaits_answer() => WAITS_FOR_DECISION,
        _ if ended_without_fix(rollout) => "nothing more to do",
        _ if stopped_early(rollout) => "deciding whether another fix is needed",
        Stage::Preparing => prepared(rollout)[1],
        Stage::Deploying(_) if rollout.stalled().is_some() => WAITS_FOR_DECISION,
        Stage::Deploying(_) => "deploying the fix",
        Stage::Monitoring(_) | Stage::Complete { .. } if rollout.awaits_answer() => {
            WAITS_FOR_DECISION
        }
        Stage::FinalValidation { .. } if rollout.awaits_answer() => {
            if rollout.moment(Moment::Resolved).is_some() {
                "waiting for a person to confirm that the fix works"
            } else {
                "waiting for a person to confirm that the incident is resolved"
            }
        }
        // No phase gives the fix more traffic.
        Stage::Monitoring(step) if is_last(rollout, step.index) => "watching the fix",
        Stage::Monitoring(_) => "watching the fix before it gets more traffic",
        Stage::Gate { step, .. } if is_last(rollout, step.index) => {
            "deciding whether the final validation begins"
        }
        Stage::Gate { .. } => "deciding whether the fix gets more traffic",
        Stage::FinalValidation { .. } => "running the final validation",
        Stage::Complete { .. } => "watching the fix",
        Stage::Closed => "nothing more to do",
        Stage::RollingBack(way) if way.watching.is_some() => {
            "checking that the service recovers after the rollback"
        }
        Stage::RollingBack(_) => "rolling the fix back",
        Stage::RolledBack if by_train(rollout).is_some() => WAITS_FOR_RETRY,
        Stage::RolledBack | Stage::Aborted if by_decision(rollout) => {
            "deciding whether another fix is needed"
        }
        Stage::RolledBack | Stage::Aborted | Stage::Failed => {
            "investigating, to prepare a corrected fix"
        }
        Stage::Paused { .. } => "waiting for a person to resume the rollout",
        Stage::Frozen { tried: true, .. } => "deciding how to roll back by hand",
        Stage::Frozen { .. } => "deciding whether to roll back or to deploy another release",
    }
}

fn is_last(rollout: &Rollout, index: usize) -> bool {
    index + 1 >= rollout.plan().policy().phases().len()
}

/// The next step; with `plain`, without names of phases.
pub(super) fn next_step(
    rollout: &Rollout,
    clock: &Clock,
    at: Timestamp,
    plain: bool,
) -> Option<String> {
    if let Some([_, next]) = goes_back(rollout) {
        return Some(next.to_owned());
    }
    let policy = rollout.plan().policy();
    let phase = |index: usize| policy.phases().get(index);
    let after = |index: usize| match phase(index + 1) {
        Some(next) => gets(next, plain),
        None => "final validation".to_owned(),
    };
    Some(match rollout.stage() {
        _ if ended_without_fix(rollout) => return None,
        _ if stopped_early(rollout) => {
            "record that the incident is resolved, or prepare another fix".to_owned()
        }
        Stage::Preparing => match rollout.state() {
            State::Ready => {
                if let Some(next) = ready(rollout).1 {
                    next.to_owned()
                } else {
                    let from = rollout.window_missed()?.from;
                    format!("the deployment starts from {}", clock.time(from))
                }
            }
            State::AwaitingApproval => approval(rollout, plain),
            _ => return None,
        },
        _ if rollout.stalled() == Some(Stalled::Failed) => THEN_DECIDES.to_owned(),
        Stage::Deploying(step) => {
            let phase = phase(step.index)?;
            let watch = rollout.plan().load().watch(phase);
            // As the expected end has it; when a late deployment is done nobody knows.
            let from = Some(step.since + phase.deploy).filter(|from| *from >= at);
            let from = from.map_or_else(String::new, |from| format!(" from {}", clock.time(from)));
            format!("{}{from}, which is then watched for {}", gets(phase, plain), time(watch))
        }
        Stage::Monitoring(_) | Stage::Gate { .. } if rollout.waits_for_readings() => {
            "the watch continues once readings come again".to_owned()
        }
        Stage::Monitoring(step) | Stage::Gate { step, .. } if rollout.bars_promotion() => {
            format!("a person has to promote the phase, then {}", after(step.index))
        }
        Stage::Gate { step, until: None } if phase(step.index)?.gate != GateMode::Automatic => {
            format!("a person has to promote the phase, then {}", after(step.index))
        }
        Stage::Monitoring(step) | Stage::Gate { step, .. } => after(step.index),
        Stage::FinalValidation { .. } if rollout.awaits_answer() => {
            "the hot-fix is complete once that is confirmed".to_owned()
        }
        Stage::FinalValidation { .. } => {
            "the hot-fix is complete once the final validation has passed".to_owned()
        }
        Stage::Complete { .. } if rollout.is_reopened() => {
            "a person decides whether to keep the fix or to roll it back".to_owned()
        }
        Stage::Complete { ending, .. } => match (held_back(rollout), ending) {
            (Some(rest), None) => {
                format!("the watch continues, then the other {rest} of the traffic gets the fix")
            }
            (Some(rest), Some(_)) if rollout.pending_actions().is_empty() => {
                format!("a person decides whether the other {rest} of the traffic gets the fix")
            }
            (Some(rest), Some(_)) => {
                format!("the other {rest} of the traffic gets the fix, and the watch ends")
            }
            (None, _) => "the watch after the deployment continues".to_owned(),
        },
        Stage::Closed => return None,
        Stage::RollingBack(_) => {
            "watch until the metrics are back at their level before the fix".to_owned()
        }
        Stage::RolledBack | Stage::Aborted | Stage::Failed => {
            let first = match rollout.recovery() {
                Recovery::NotReturned if !plain && rollout.state() == State::RolledBack => {
                    "find out why the metrics are not at their level before the deployment; "
                }
                Recovery::NotKnown if !plain && rollout.state() == State::RolledBack => {
                    "check that the service is at its level before the deployment; "
                }
                _ => "",
            };
            let then = if by_train(rollout).is_some() {
                THEN_RETRIES
            } else if by_decision(rollout) {
                "decide whether another fix is needed"
            } else {
                "find out why it failed, then deploy a corrected fix"
            };
            format!("{first}{then}")
        }
        Stage::Paused { .. } => "the rollout continues once a person resumes it".to_owned(),
        Stage::Frozen { tried: true, .. } => "the fix is rolled back by hand".to_owned(),
        Stage::Frozen { .. } => THEN_DECIDES.to_owned(),
    })
}

fn gets(phase: &Phase, plain: bool) -> String {
    if plain {
        format!("{} of the traffic gets the fix", phase.share)
    } else {
        format!("phase {} with {} of the traffic", phase.name, phase.share)
    }
}
