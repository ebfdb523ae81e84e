//! Moments at which time alone changes something, and the next of them.

use crate::deadline::Agenda;
use crate::grade::{DutyKind, GateMode, Moment};
use crate::judge::Decision;
use crate::plan::Plan;
use crate::policy::Policy;
use crate::policy::section::{Checklist, Duty, Rollback};
use crate::text::quoted;
use crate::unit::{Span, Timestamp};

use super::stage::{Returning, Stage, Step};
use super::state::RolloutState;

/// When the last watch window after a completion at `since` ends: later than `since`, whether it
/// counts from the deployment or there is no window.
pub(super) fn watch_ends(policy: &Policy, agenda: &Agenda, since: Timestamp) -> Timestamp {
    let deployed = agenda.came(Moment::Deployed).unwrap_or(since);
    let ends = policy.watched_until(deployed, since).unwrap_or(since);
    ends.max(since + Span::from_millis(1))
}

/// Whether the last watch window after a completion at `since` is over and the incident resolved:
/// as long as it is open again, the fix can be rolled back.
pub(super) fn watch_is_over(
    policy: &Policy,
    agenda: &Agenda,
    at: Timestamp,
    since: Timestamp,
) -> bool {
    let is_resolved = agenda.came(Moment::Resolved).is_some();
    is_resolved && at >= watch_ends(policy, agenda, since)
}

/// When the action that a deployment waits for has taken twice as long as expected; a pause does
/// not count. None where nothing is pending any more, or the policy does not say how long it takes.
pub(super) fn late_deployment_at(
    policy: &Policy,
    case: &RolloutState,
    step: Step,
) -> Option<Timestamp> {
    let expected = policy.phases().get(step.index)?.deploy;
    case.actions.pending().first()?;
    let since = case.actions.pending_since()?.max(step.since);
    (expected > Span::ZERO).then(|| since + expected + expected)
}

/// Whether the action that a deployment waits for is late.
pub(super) fn deployment_is_late(
    policy: &Policy,
    case: &RolloutState,
    step: Step,
    at: Timestamp,
) -> bool {
    late_deployment_at(policy, case, step).is_some_and(|late| at >= late)
}

/// The end of the deployment that was announced, while a person has to decide, or to start what was
/// announced when it was ready; None otherwise.
pub(super) fn end_in_doubt(plan: &Plan, case: &RolloutState) -> Option<Timestamp> {
    let stage = case.place.stage();
    let announces = |duty: &Duty| (duty.kind, duty.from) == (DutyKind::Notify, Moment::Ready);
    let starts = if matches!(stage, Stage::Preparing) {
        let is_announced =
            !case.people.readers().is_empty() && plan.policy().duties().iter().any(announces);
        let ready = case.agenda.came(Moment::Ready).filter(|_| is_announced)?;
        plan.change_window().map_or(ready, |window| window.from.max(ready))
    } else {
        let waits = stage.is_going_out() && case.awaits_answer();
        case.agenda.came(Moment::DeployStarted).filter(|_| waits)?
    };
    (!case.is_resolved()).then(|| starts + plan.duration().rollout.least)
}

/// When a change of traffic outside of the phases is late.
pub(super) fn late_traffic_at(policy: &Policy, case: &RolloutState) -> Option<Timestamp> {
    match case.place.stage() {
        Stage::Preparing | Stage::Complete { ending: Some(_), .. } => {
            Some(case.actions.pending_since()? + policy.rollback().returned_within)
        }
        _ => None,
    }
}

/// Whether a tick would act at once: it asks about a bad verdict with which a phase begins, or about a
/// replaced deployment after the end of the incident, and ends a validation or watch that nothing holds
/// open any more.
fn acts_now(plan: &Plan, case: &RolloutState, now: Timestamp) -> bool {
    let decision = case.judged.verdict().decision;
    match *case.place.stage() {
        Stage::Monitoring(_) => decision.needs_answer() && !case.people.asked(),
        Stage::Preparing => case.has_ended() && case.people.unanswered().is_none(),
        // At `since` itself the verdict is still that of the last phase.
        Stage::FinalValidation { since } if since < now => {
            decision == Decision::Promote
                && case.place.is_validated(plan.policy(), now)
                && ends_by_itself(plan, case)
        }
        Stage::Complete { since, ending: None } => {
            !case.is_kept_open() && watch_is_over(plan.policy(), &case.agenda, now, since)
        }
        _ => false,
    }
}

/// Whether a final validation that the metrics pass ends without a person.
pub(super) fn ends_by_itself(plan: &Plan, case: &RolloutState) -> bool {
    let is_manual = plan.policy().final_validation().gate == GateMode::Manual;
    let (open, early, lacks) = left_open(plan, case);
    let lacks = !open.is_empty() || !early.is_empty() || lacks.is_some();
    !is_manual && !lacks && !case.people.bars_promotion()
}

/// The items for which the end of the final validation waits, those that were checked too early, and
/// what shows nothing of the fix.
pub(super) fn left_open(
    plan: &Plan,
    case: &RolloutState,
) -> (String, String, Option<&'static str>) {
    let (policy, readiness) = (plan.policy(), &case.readiness);
    let live = case.agenda.came(Moment::Deployed);
    let early = readiness.checks(policy, live, Checklist::holds_completion).early;
    let early = quoted(&early.iter().map(|item| item.id).collect::<Vec<_>>(), ", ");
    let lacks = case.judged.lacks_proof(plan, readiness.severity());
    (readiness.unvalidated(policy), early, lacks)
}

/// The next moment: see [`Rollout::poll_at`](super::Rollout::poll_at).
pub(super) fn poll_at(plan: &Plan, case: &RolloutState) -> Option<Timestamp> {
    let RolloutState {
        place,
        former: _,
        actions: _,
        people,
        readiness,
        agenda,
        judged,
        happened: _,
    } = case;
    let Some(now) = place.at() else { return Some(Timestamp::default()) };
    // After a crash with only the opening line, what is due with the first input was not raised;
    // after a `resume`, the questions from before the pause were not repeated.
    if place.seq() == 1 || place.resumed() || acts_now(plan, case, now) {
        return Some(now);
    }
    let policy = plan.policy();
    let (mut next, mut found) = (Timestamp::MAX, false);
    // A moment since the last `observe` or `tick` is due now.
    let last = place.looked_at().unwrap_or(now);
    let mut consider = |at: Timestamp| {
        if at > last && at <= next {
            (next, found) = (at, true);
        }
    };
    match place.stage() {
        Stage::Monitoring(step) => {
            if let Some(phase) = policy.phases().get(step.index) {
                consider(step.since + phase.watch);
                consider(step.since + policy.held_at_most(phase));
                consider(step.since + policy.held_unasked(phase));
            }
        }
        Stage::Gate { until: Some(until), .. } => consider(*until),
        Stage::FinalValidation { since } => {
            consider(*since + policy.final_validation().watch.max(Span::from_millis(1)));
            consider(*since + policy.validation_held_at_most());
        }
        Stage::Complete { since, ending: None } => {
            consider(watch_ends(policy, agenda, *since));
        }
        Stage::RollingBack(progress) => {
            let Rollback { watch, returned_within, steps, .. } = policy.rollback();
            match (progress.returning, progress.watching) {
                (Some(Returning { step, reached: Some(reached) }), _) if step < steps.len() => {
                    consider(reached + steps[step].wait);
                }
                (None, Some(since)) => {
                    consider(since + *watch);
                    consider(since + *returned_within);
                }
                (Some(_), _) | (None, None) => consider(progress.since + *returned_within),
            }
        }
        Stage::Deploying(step) => {
            late_deployment_at(policy, case, *step).into_iter().for_each(&mut consider);
        }
        Stage::Preparing => {
            let waits = policy.waits_for_readings(readiness.severity()).is_some();
            if let Some(read) = judged.judge().read_at().filter(|_| waits) {
                consider(read + policy.watch().no_data.after);
            }
            if let Some(window) = plan.change_window() {
                consider(window.from);
                consider(window.until + Span::from_millis(1));
            }
        }
        Stage::Gate { until: None, .. }
        | Stage::Complete { ending: Some(_), .. }
        | Stage::Closed
        | Stage::RolledBack
        | Stage::Paused { .. }
        | Stage::Frozen { .. }
        | Stage::Aborted
        | Stage::Failed => {}
    }
    if case.expects_readings() {
        let arms = (place.expects_live(), place.share());
        judged.judge().silences(policy.watch(), arms, &mut consider);
    }
    late_traffic_at(policy, case).into_iter().for_each(&mut consider);
    end_in_doubt(plan, case).into_iter().for_each(&mut consider);
    let asked = people.unanswered().filter(|_| case.needs_answer());
    let asked = asked.into_iter().chain(people.about_severity()).map(|open| open.asked_at);
    let asked = asked.chain(readiness.requested_at());
    asked.map(|asked| asked + policy.ask_again()).for_each(consider);
    let duty = agenda.next_moment(now);
    let next = found.then(|| next.max(now));
    next.into_iter().chain(duty).min()
}
