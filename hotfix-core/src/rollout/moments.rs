//! What an input and the stage that follows it mean for the agenda.

use crate::deadline::{Agenda, Input as AgendaInput, Replan, Who};
use crate::fact::Truth;
use crate::gate::approval::Demand;
use crate::grade::{ChecklistMoment, Moment, Severity};
use crate::plan::Plan;
use crate::policy::Policy;
use crate::policy::section::Checklist;
use crate::unit::{RoleName, Span, Timestamp};

use super::input::{Command, Input, ItemStatus, KnownTime};
use super::stage::{Stage, State};
use super::state::{Readiness, RolloutState};

/// How long before the times that were stated readings may begin.
pub(super) const MOST_EARLIER: Span = Span::from_seconds(86_400);

/// Passes what is known at the first logged input to the agenda.
pub(super) fn open_agenda(case: &mut RolloutState, plan: &Plan, at: Timestamp) {
    let RolloutState { agenda, readiness, .. } = case;
    readiness.open(at);
    let policy = plan.policy();
    let incident = &plan.subject().incident;
    let mut update = |input| drop(agenda.take(policy, at, input));
    update(AgendaInput::Assumed(readiness.is_assumed(policy)));
    update(AgendaInput::Severity(readiness.severity()));
    update(AgendaInput::Facts(readiness.facts()));
    of_release(plan).into_iter().for_each(&mut update);
    // It may be after the first input, which may be a reading of the time before. Further ahead it
    // belongs to another clock, as in a rehearsal, and is not known.
    let known = |stated: Option<Timestamp>| stated.filter(|came| *came <= at + MOST_EARLIER);
    let (began, detected) = (known(plan.began_at()), known(plan.detected_at()));
    for (moment, given, came) in [
        (Moment::Began, incident.began_at, began),
        (Moment::Detected, incident.detected_at, detected),
    ] {
        match came {
            Some(at) if given.is_some() => update(AgendaInput::Stated { moment, at }),
            came => update(AgendaInput::ByFact { moment, at: came }),
        }
    }
    // Nobody declares what was not detected.
    let declared = detected.map_or(at, |detected| detected.max(at));
    update(AgendaInput::Stated { moment: Moment::Declared, at: declared });
    if readiness.state(plan) == State::Ready {
        update(AgendaInput::Moment { moment: Moment::Ready, at });
    }
}

/// What the release decides of the duties.
pub(super) fn of_release(plan: &Plan) -> [AgendaInput<'static>; 2] {
    let stop_gap = plan.subject().stop_gap().map_or(Truth::Unknown, Truth::from);
    let (flow, merged) = (plan.flow_of_duties(), plan.is_merged_alone());
    [AgendaInput::StopGap(stop_gap), AgendaInput::Flow { flow, merged }]
}

/// The change of the moment at which the rollout is ready, after these inputs.
fn update_ready(
    agenda: &Agenda,
    is_ready: bool,
    inputs: &[AgendaInput<'_>],
    at: Timestamp,
) -> Option<AgendaInput<'static>> {
    let is_revoked = inputs.iter().any(|input| matches!(input, AgendaInput::AnotherRelease));
    let was_ready = agenda.came(Moment::Ready).is_some() && !is_revoked;
    changed(was_ready, Moment::Ready, is_ready, at)
}

/// Passes an input and its new stage to the agenda. A replay calls it as well, so it depends on
/// the log alone; `replans` gets what the input changed in the duties.
pub(super) fn update_agenda(
    case: &mut RolloutState,
    plan: &Plan,
    at: Timestamp,
    input: &Input,
    to: Option<&Stage>,
    replans: &mut Vec<Replan>,
) {
    let command = &input.command;
    if to.is_none() && matches!(command, Command::Observe { .. } | Command::Tick) {
        return;
    }
    case.name_canary(plan);
    let mut inputs = of_rollback(case, to, at);
    // Traffic of the previous attempt holds the start, too, until it is withdrawn.
    let waits = !case.actions.pending().is_empty() || case.former.is_some() && case.has_traffic();
    let RolloutState { agenda, readiness, place, .. } = case;
    let policy = plan.policy();
    let started = !matches!(to.unwrap_or(place.stage()), Stage::Preparing);
    match command {
        // Approvals first: a duty that the new severity brings depends on them. Whether it is assumed comes
        // after it: a severity that falls may only have been assumed.
        Command::SetSeverity { .. } => {
            update_approvals((agenda, started), readiness, policy, at, &mut inputs);
            inputs
                .extend([AgendaInput::Severity(readiness.severity()), AgendaInput::Assumed(false)]);
        }
        Command::SetFacts { facts, .. } => {
            update_approvals((agenda, started), readiness, policy, at, &mut inputs);
            inputs.extend([
                AgendaInput::Severity(readiness.severity()),
                AgendaInput::Assumed(readiness.is_assumed(policy)),
                AgendaInput::Facts(readiness.facts()),
            ]);
            let dated =
                KnownTime::ALL.iter().filter_map(|time| Some((time.moment()?, time.fact()?)));
            let given = dated.filter(|(_, fact)| facts.contains_key(fact.as_str()));
            inputs.extend(given.map(|(moment, fact)| {
                let came = readiness.facts().time(fact).map(|came| came.min(at));
                AgendaInput::ByFact { moment, at: came }
            }));
        }
        Command::SetTimes { times, .. } => {
            // The first input declared the incident at the latest.
            let first = |time| agenda.opened().filter(|_| time == KnownTime::Declared);
            inputs.extend(times.iter().filter_map(|(t, at)| stated_time(*t, at.or(first(*t)))));
        }
        Command::Approve { .. } | Command::Deny { .. } | Command::Withdraw { .. } => {
            update_approvals((agenda, started), readiness, policy, at, &mut inputs);
        }
        Command::Acknowledge { duty, .. } => {
            inputs.push(AgendaInput::Acknowledge { duty: *duty });
        }
        Command::Done { duty, .. } => inputs.push(AgendaInput::Done { duty: *duty }),
        Command::Release { .. } | Command::Supersede { .. } | Command::Retry { .. } => {
            inputs.extend(of_release(plan));
            inputs.push(AgendaInput::AnotherAttempt);
            if matches!(
                command,
                Command::Supersede { .. } | Command::Retry { release: Some(_), .. }
            ) {
                inputs.push(AgendaInput::AnotherRelease);
            }
            update_approvals((agenda, started), readiness, policy, at, &mut inputs);
        }
        Command::CheckItem { .. } | Command::WaiveItem { .. } => {
            inputs.extend(item_inputs(agenda, readiness, policy, command));
        }
        Command::Start
        | Command::Confirm { .. }
        | Command::Failed { .. }
        | Command::Observe { .. }
        | Command::Tick
        | Command::Promote { .. }
        | Command::Hold { .. }
        | Command::Pause { .. }
        | Command::Resume { .. }
        | Command::Abort { .. }
        | Command::RollBack { .. }
        | Command::Revert { .. }
        | Command::Report { .. }
        | Command::Note { .. } => {}
    }
    if let Some(to) = to {
        update_stage(agenda, place.stage(), to, policy, at, &mut inputs);
    }
    if matches!(to.unwrap_or(place.stage()), Stage::Preparing) {
        let is_ready = readiness.state(plan) == State::Ready && !waits;
        inputs.extend(update_ready(agenda, is_ready, &inputs, at));
    }
    let roles = input.by.iter().flat_map(|by| readiness.statements().roles_of(by));
    roles.for_each(|role| answer_for(policy, role, &mut inputs));
    let before = CHECKED_FROM.map(|moment| agenda.came(moment));
    let rolled_back = agenda.came(Moment::RolledBack);
    for input in inputs {
        // An answer about a duty was checked before; everything else is accepted.
        if let Ok(replan) = agenda.take(policy, at, input)
            && !replan.changes.is_empty()
            && replan.cause.is_some()
        {
            replans.push(replan);
        }
    }
    take_reached(case, policy, at, (before, rolled_back));
}

/// Takes the lists that count from a moment that came with an input. `before`: when these, and the
/// rollback, had come before it.
fn take_reached(
    case: &mut RolloutState,
    policy: &Policy,
    at: Timestamp,
    (before, rolled_back): ([Option<Timestamp>; CHECKED_FROM.len()], Option<Timestamp>),
) {
    let RolloutState { agenda, readiness, happened, .. } = case;
    for (moment, before) in CHECKED_FROM.into_iter().zip(before) {
        let Some(came) = agenda.came(moment).filter(|_| before.is_none()) else { continue };
        readiness.reach(policy, moment, came);
        let is_due = |list: &Checklist| {
            list.counts_from() == Some(moment) || stays_checked(readiness, policy, list)
        };
        take_lists(agenda, readiness, policy, at, is_due);
    }
    // What was checked since the rollback began, or assessed before it, counts from its end on.
    if agenda.came(Moment::RolledBack) != rolled_back {
        happened.note_rollback(at);
        take_lists(agenda, readiness, policy, at, |list| list.at == ChecklistMoment::RolledBack);
    }
}

/// What a stated time is to the agenda; without one a moment is revoked.
fn stated_time(time: KnownTime, at: Option<Timestamp>) -> Option<AgendaInput<'static>> {
    match (time.moment(), at) {
        (Some(moment), Some(at)) => Some(AgendaInput::Moment { moment, at }),
        (Some(moment), None) => Some(AgendaInput::TakenBack(moment)),
        (None, at) => Some(AgendaInput::Day { day: time.day()?, at: at? }),
    }
}

/// Whether a list about the code is complete: it stays so where the same release is tried again, whose
/// duties begin again.
fn stays_checked(readiness: &Readiness, policy: &Policy, list: &Checklist) -> bool {
    list.counts_from().is_none()
        && list.at != ChecklistMoment::RolledBack
        && readiness.marks().is_complete(policy, list, None)
}

/// Passes to the agenda which of these lists are complete.
fn take_lists(
    agenda: &mut Agenda,
    readiness: &Readiness,
    policy: &Policy,
    at: Timestamp,
    of: impl Fn(&Checklist) -> bool,
) {
    for input in list_inputs(agenda, readiness, policy, of) {
        drop(agenda.take(policy, at, input));
    }
}

/// The moments from which checks of items and of success criteria count.
const CHECKED_FROM: [Moment; 3] = [Moment::Deployed, Moment::Verified, Moment::Resolved];

/// Whoever acts in a role, or in one that stands in for a role that nobody holds, has answered the
/// pages to it.
fn answer_for(policy: &Policy, acting: RoleName, inputs: &mut Vec<AgendaInput<'_>>) {
    let replaced = policy.roles().iter().map(|role| role.id);
    let replaced = replaced.filter(|role| Who::of(policy, *role).stand_in == Some(acting));
    let answered = std::iter::once(acting).chain(replaced);
    inputs.extend(answered.map(|role| AgendaInput::Acted { role }));
}

/// Passes approvals to the agenda: whether all that the present severity needs are given, and
/// each one that may follow the start. The latter of every severity, because a statement counts
/// from its own time should the incident get that severity later. What was approved when it `started`
/// was so, whatever another severity asks for and whoever withdraws.
fn update_approvals(
    (agenda, started): (&Agenda, bool),
    readiness: &Readiness,
    policy: &Policy,
    at: Timestamp,
    inputs: &mut Vec<AgendaInput<'_>>,
) {
    let present = readiness.severity();
    let demands = readiness.demands(policy, Some(at));
    let mut update = |demands: &[Demand], of: Option<Severity>| {
        // Those of the whole policy have the same state at every severity.
        let own = demands.iter().filter(|demand| of == present || demand.severity.is_some());
        let late = own.filter(|demand| demand.after_the_fact.is_some());
        inputs.extend(late.map(|demand| AgendaInput::Approval {
            demand: demand.id.place(policy),
            given: demand.is_met(),
        }));
    };
    update(&demands, present);
    let others = policy.severities().iter().map(|level| Some(level.severity));
    for other in others.filter(|other| *other != present) {
        update(&readiness.demands_at(policy, other, Some(at)), other);
    }
    if demands.is_empty() {
        return;
    }
    // One that nothing waits for, and that cannot follow the start, decides nothing beside others.
    let any_is_required = demands.iter().any(Demand::is_required);
    let is_met = demands.iter().all(|one| one.is_met() || any_is_required && !one.is_required());
    let was_met = agenda.came(Moment::Approved).is_some();
    inputs.extend(changed(was_met, Moment::Approved, is_met || was_met && started, at));
}

/// That a moment has come now, or is not so any more; None where nothing changed.
fn changed(
    was_so: bool,
    moment: Moment,
    is_so: bool,
    at: Timestamp,
) -> Option<AgendaInput<'static>> {
    match (is_so, was_so) {
        (true, false) => Some(AgendaInput::Moment { moment, at }),
        (false, true) => Some(AgendaInput::TakenBack(moment)),
        _ => None,
    }
}

/// Which lists an input about items completes or opens. Another attempt leaves a list open again, and what
/// was kept in time stays kept: only whoever opens an item undoes that.
fn item_inputs(
    agenda: &Agenda,
    readiness: &Readiness,
    policy: &Policy,
    command: &Command,
) -> Vec<AgendaInput<'static>> {
    let has_one =
        |list: &Checklist| command.items().any(|id| list.items.iter().any(|of| of.id == id));
    let mut inputs = list_inputs(agenda, readiness, policy, has_one);
    if !matches!(command, Command::CheckItem { status: ItemStatus::Open, .. }) {
        inputs.retain(|input| matches!(input, AgendaInput::Checklist { complete: true, .. }));
    }
    inputs
}

/// Whether each of these lists is complete: a list is not before its moment has come.
fn list_inputs(
    agenda: &Agenda,
    readiness: &Readiness,
    policy: &Policy,
    of: impl Fn(&Checklist) -> bool,
) -> Vec<AgendaInput<'static>> {
    let lists = policy.checklists().iter().enumerate().filter(|(_, list)| of(list));
    let input = |(place, list): (usize, &Checklist)| {
        let since = list.counts_from().map(|moment| agenda.came(moment));
        let is_complete = |since| readiness.marks().is_complete(policy, list, since);
        let complete = since != Some(None) && is_complete(since.flatten());
        AgendaInput::Checklist { list: place, complete }
    };
    lists.map(input).collect()
}

/// Passes the moments that a change of stage means to the agenda.
fn update_stage(
    agenda: &Agenda,
    from: &Stage,
    to: &Stage,
    policy: &Policy,
    at: Timestamp,
    inputs: &mut Vec<AgendaInput<'_>>,
) {
    let deployed = agenda.came(Moment::Deployed);
    let mut came = |moment| inputs.push(AgendaInput::Moment { moment, at });
    match (from, to) {
        (Stage::Preparing, Stage::Deploying(_)) => came(Moment::DeployStarted),
        (Stage::Deploying(_) | Stage::Paused { .. }, to)
            if to.is_deployed(policy.phases().len()) && deployed.is_none() =>
        {
            came(Moment::Deployed);
        }
        // The end of a hold-back is a change of traffic: it does not change the incident's
        // times.
        (Stage::Complete { .. }, Stage::Complete { .. }) => {}
        (_, Stage::Complete { .. }) => {
            for moment in [Moment::Verified, Moment::Resolved] {
                if agenda.came(moment).is_none() {
                    came(moment);
                }
            }
        }
        (_, Stage::Closed) if agenda.came(Moment::Closed).is_none() => came(Moment::Closed),
        // The fix that was live is replaced: it is due again, and the next attempt has its own
        // time.
        (from, Stage::Preparing) => {
            inputs.extend(deployed.map(|_| AgendaInput::TakenBack(Moment::Deployed)));
            // Nobody tries again what is over.
            inputs.extend(from.is_final().then_some(AgendaInput::TakenBack(Moment::Resolved)));
        }
        _ => {}
    }
}

/// Whether the fix is given up with this stage: it fails, or a rollback begins after a freeze in which it
/// kept its traffic.
const fn gives_up(from: &Stage, to: &Stage) -> bool {
    let begins = matches!((from, to), (Stage::Frozen { tried: false, .. }, Stage::RollingBack(_)));
    begins || to.has_turned_back() && !from.has_turned_back()
}

/// That the fix is given up, and that it was rolled back or its traffic withdrawn.
fn of_rollback<'a>(case: &RolloutState, to: Option<&Stage>, at: Timestamp) -> Vec<AgendaInput<'a>> {
    let (from, former) = (case.place.stage(), case.former.as_ref());
    let mut inputs = Vec::new();
    // The traffic of a release that is superseded is withdrawn.
    let is_replaced =
        |to: &Stage| matches!(to, Stage::Preparing) && former.is_some() && !from.has_turned_back();
    if to.is_some_and(|to| gives_up(from, to) || is_replaced(to)) {
        inputs.push(AgendaInput::TurnedBack);
    }
    let fails = |to: &&Stage| matches!(to, Stage::RollingBack(_) | Stage::Frozen { .. });
    if let Some(to) = to.filter(fails).filter(|to| gives_up(from, to)) {
        // A fix that fails reopens the incident.
        let reopens = !case.withdraws_unneeded(to);
        inputs.extend(reopens.then_some(AgendaInput::TakenBack(Moment::Resolved)));
        inputs.push(AgendaInput::TakenBack(Moment::Verified));
    }
    let is_aborted = matches!((from, to), (Stage::RollingBack(_), Some(Stage::Aborted)));
    if case.is_withdrawn() || is_aborted || matches!(to, Some(Stage::RolledBack)) {
        // With it the agenda revokes the deployment.
        inputs.push(if case.withdraws_unneeded(from) {
            AgendaInput::NotNeeded
        } else {
            AgendaInput::Moment { moment: Moment::RolledBack, at }
        });
        inputs.extend(case.place.is_reverted().then_some(AgendaInput::Reverted));
        // Another release than the one that was rolled back is planned already.
        inputs.extend(former.map(|_| AgendaInput::AnotherRelease));
    }
    inputs
}
