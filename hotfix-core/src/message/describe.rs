//! Status, current action and next step of a rollout, as text for each audience.

use crate::deadline::Duties;
use crate::grade::{Audience, GateMode, MessageKind, Moment, OnFailure};
use crate::judge::{Cause, Decision, Reason, Recovery};
use crate::policy::section::Phase;
use crate::rollout::{InputKind, Resume, Rollout, Silent, Stage, Stalled, State};
use crate::text::{enumerated, time};
use crate::unit::Timestamp;

use super::before::{THEN_RETRIES, WAITS_FOR_RETRY, approval, prepared, ready};
use super::reason::{by_decision, by_train, cause_text};
use super::seen::held_back;
use super::zone::Clock;

/// The status for the public, without versions, phases or causes.
pub(super) fn public_status(rollout: &Rollout, at: Timestamp) -> String {
    let status = match rollout.state() {
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
            let part = if held_back(rollout).is_some() { " for a part of the users" } else { "" };
            let is_silent = rollout.missing_readings(at) == Some(Silent::All);
            let watched = if is_silent { "" } else { ", and we are monitoring it" };
            return format!("the fix is in place{part}{watched}");
        }
        State::RollingBack if rollout.is_timely(MessageKind::Resolved) => {
            "resolved, and we are still checking it"
        }
        _ if starts_after_the_end(rollout) => "it is over, and a fix is being rolled out",
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
    };
    status.to_owned()
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

/// Whether a fix is going out that was started after the incident had ended.
fn starts_after_the_end(rollout: &Rollout) -> bool {
    let [resolved, started] =
        [Moment::Resolved, Moment::DeployStarted].map(|of| rollout.moment(of));
    let is_after = resolved.zip(started).is_some_and(|(resolved, started)| resolved <= started);
    is_after && rollout.stage().is_going_out()
}

/// A status inside, which says that the incident is open again, because its readers read that it was
/// resolved, and that the train is being rolled back.
pub(super) fn inside(rollout: &Rollout, status: &str) -> String {
    let again = if rollout.is_reopened() { "the incident is open again; " } else { "" };
    let back = if rollout.goes_back() {
        ", and a service that belongs with it had to be rolled back"
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

/// The status where the incident or the rollout ended without a fix that is live.
fn ended_early(rollout: &Rollout, plain: bool) -> Option<String> {
    if ended_without_fix(rollout) {
        let was_live = rollout.rolled_back_since().is_some();
        let how = if was_live { ", and the fix was rolled back" } else { " without a fix" };
        return Some(format!("resolved{how}"));
    }
    stopped_early(rollout).then(|| {
        let order = rollout.intervention(InputKind::Abort).filter(|_| !plain);
        let why = order.and_then(|order| Some(format!(": {}", order.why.as_deref()?)));
        format!("stopped before anything was deployed{}", why.unwrap_or_default())
    })
}

/// The fix, the version that has the traffic of it, and the version that a rollback restores.
fn versions(rollout: &Rollout, plain: bool) -> [&str; 3] {
    let subject = rollout.plan().subject();
    let back_to = rollout.back_to().unwrap_or_else(|| subject.previous());
    if !plain {
        let canary = rollout.canary_version().unwrap_or_else(|| subject.version());
        return [subject.version(), canary, back_to];
    }
    let is_previous = back_to == subject.previous();
    let back_to = if is_previous { "the previous version" } else { "another version" };
    ["the fix", "an earlier fix", back_to]
}

/// The status for readers inside; for business readers, without versions, names of phases and causes.
pub(super) fn status(rollout: &Rollout, audience: Audience, at: Timestamp) -> String {
    let plain = audience == Audience::Business;
    if let Some(ended) = ended_early(rollout, plain) {
        return ended;
    }
    let share = rollout.reach();
    let [fix, former, back_to] = versions(rollout, plain);
    let step = rollout.stage().step().filter(|_| !plain);
    let phase = step.map(|step| format!("phase {}", step.phase));
    let has = || {
        let phase = phase.as_ref().map_or_else(String::new, |phase| format!(" ({phase})"));
        format!("{share} of the traffic has the fix{phase}")
    };
    let is_silent = rollout.missing_readings(at);
    let watched = match is_silent {
        Some(Silent::All) => "its readings are missing",
        Some(Silent::Live) => "the readings of the version without it are missing",
        None => "we are monitoring it",
    };
    match rollout.stage() {
        Stage::Preparing if share.is_any() => {
            format!("{}; {share} of the traffic is still on {former}", prepared(rollout)[0])
        }
        Stage::Preparing => prepared(rollout)[0].to_owned(),
        Stage::Deploying(_) => deploying(rollout, phase.as_deref().unwrap_or("the fix"), plain),
        stage @ (Stage::Monitoring(_) | Stage::Gate { .. }) => {
            let is_at_gate = matches!(stage, Stage::Gate { .. });
            let met = if is_at_gate && !plain { "; the phase has met its criteria" } else { "" };
            let is_held = !is_at_gate && !plain && is_silent.is_none();
            let held = held(rollout, audience).filter(|_| is_held);
            let held = held.map_or_else(String::new, |why| format!("; it is held ({why})"));
            format!("{}{met}, and {watched}{held}", has())
        }
        Stage::Paused { .. } if !share.is_any() => {
            format!("the deployment of {} is paused", phase.as_deref().unwrap_or(fix))
        }
        Stage::Paused { from, .. } => {
            let then = match from {
                Resume::Deploying(_) | Resume::Deployed(_) => {
                    "no more of it gets it until a person resumes it"
                }
                _ => watched,
            };
            format!("{}, the rollout is paused, and {then}", has())
        }
        Stage::FinalValidation { .. } => {
            format!("{share} of the traffic has the fix, and the final validation is in progress")
        }
        Stage::Complete { .. } => {
            let part = held_back(rollout).map(|_| format!(" for {share} of the traffic"));
            let worse = got_worse(rollout).filter(|_| !plain);
            let worse = worse.map_or_else(String::new, |why| format!("; {why}"));
            format!("{fix} is live{}, and {watched}{worse}", part.unwrap_or_default())
        }
        Stage::Closed if plain => "resolved".to_owned(),
        Stage::Closed => format!("{fix} is live, and the watch has ended"),
        Stage::RollingBack(way) if way.watching.is_some() => {
            let then = match rollout.recovery() {
                Recovery::NotKnown => "no readings show yet how it is",
                Recovery::Returned | Recovery::NotReturned => "its metrics are being watched",
            };
            let live = rollout.plan().subject().live(rollout.back_to().unwrap_or_default());
            format!("{back_to} is {live}, and {then}")
        }
        Stage::RollingBack(_) => format!("the fix is being rolled back to {back_to}"),
        Stage::RolledBack => {
            let back = match rollout.recovery() {
                Recovery::NotReturned if !plain => {
                    ", and then the metrics were not at their level before the deployment"
                }
                Recovery::NotKnown if !plain => {
                    ", and then no readings showed whether the service was at its level before \
                     the deployment"
                }
                _ => "",
            };
            format!("the fix was rolled back to {back_to}{back}")
        }
        Stage::Frozen { tried, .. } => {
            let why = if *tried {
                "all rollback methods failed"
            } else {
                "the rollout is frozen until a person decides"
            };
            let on = if plain { fix } else { former };
            let has = if share.is_any() {
                format!("{share} of the traffic is still")
            } else {
                "no traffic was".to_owned()
            };
            format!("{why}; {has} on {on}")
        }
        Stage::Aborted if rollout.rolled_back_since().is_some() => {
            format!("the rollout was stopped, and the fix was rolled back to {back_to}")
        }
        Stage::Aborted => "the rollout was stopped".to_owned(),
        Stage::Failed => "the deployment failed before any traffic moved".to_owned(),
    }
}

/// That this is being deployed, or why it is not any more, and what has the traffic.
fn deploying(rollout: &Rollout, what: &str, plain: bool) -> String {
    let deployed = match rollout.stalled() {
        Some(Stalled::Failed) => format!("the deployment of {what} failed"),
        Some(Stalled::Late) => format!("the deployment of {what} was not confirmed in time"),
        None => format!("{what} is being deployed"),
    };
    let share = rollout.reach();
    let has = match rollout.former_version() {
        Some(_) if plain => format!("; {share} of the traffic is still on an earlier fix"),
        Some(version) => format!("; {share} of the traffic is still on {version}"),
        // How much is not known before it is confirmed.
        None if rollout.sees_unconfirmed_traffic() => "; readings show traffic on the fix".into(),
        None if share.is_any() => format!("; {share} of the traffic has the fix"),
        None => String::new(),
    };
    deployed + &has
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
        let first = verdict.causes.iter().find(holds).or(verdict.causes.first());
        let reason = first.filter(|_| is_held)?.reason;
        let causes = verdict.causes.iter().filter(|cause| cause.reason == reason);
        Some(match causes.cloned().collect::<Vec<_>>().as_slice() {
            [one] => cause_text(one, rollout),
            all => Cause::described(policy, all),
        })
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

const NOTHING: &str = "nothing more to do";
const WAITS_FOR_DECISION: &str = "waiting for a person's decision";
const THEN_DECIDES: &str = "a person decides whether to roll back or to deploy another release";

/// What the team does now; None where nothing is done and duties are open.
pub(super) fn action(rollout: &Rollout, at: Timestamp) -> Option<&'static str> {
    let Duties { due, overdue, undated, .. } = rollout.duties(at);
    let is_left = [due, overdue, undated].iter().any(|duties| !duties.is_empty());
    let action = action_of_rollout(rollout);
    (action != NOTHING || !is_left).then_some(action)
}

fn action_of_rollout(rollout: &Rollout) -> &'static str {
    if let Some([action, _]) = goes_back(rollout) {
        return action;
    }
    match rollout.stage() {
        _ if ended_without_fix(rollout) && rollout.awaits_answer() => WAITS_FOR_DECISION,
        _ if ended_without_fix(rollout) => NOTHING,
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
        Stage::Gate { .. } => "deciding whether the rollout continues",
        Stage::FinalValidation { .. } => "running the final validation",
        Stage::Monitoring(_) | Stage::Complete { .. } => "watching the fix",
        Stage::Closed => NOTHING,
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

/// The metrics that are worse than before: `error rate is not at its level before the deployment`.
fn not_returned(rollout: &Rollout) -> String {
    let policy = rollout.plan().policy();
    let worse = rollout.worse_than_before().into_keys();
    let titles: Vec<String> = worse.map(|id| policy.metric_title(id)).collect();
    let (of, at) = match titles.as_slice() {
        [] => ("the metrics".to_owned(), "are not at their"),
        [one] => (one.clone(), "is not at its"),
        all => (enumerated(all), "are not at their"),
    };
    format!("{of} {at} level before the deployment")
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
            let recovery =
                (!plain && rollout.state() == State::RolledBack).then(|| rollout.recovery());
            let first = match recovery {
                Some(Recovery::NotReturned) => format!("find out why {}; ", not_returned(rollout)),
                Some(Recovery::NotKnown) => {
                    "check that the service is at its level before the deployment; ".to_owned()
                }
                Some(Recovery::Returned) | None => String::new(),
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
