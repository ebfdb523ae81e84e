//! Duties: events go to the agenda, and what becomes due there becomes actions.

use crate::deadline::{Agenda, Announcement, Asked, Input as AgendaInput, Replan, Who};
use crate::fact::Truth;
use crate::gate::approval::{Demand, stand_ins_of};
use crate::grade::{Audience, ChecklistMoment, DutyKind, MessageKind, Moment, Severity};
use crate::plan::{Plan, Subject, called_first};
use crate::policy::Policy;
use crate::policy::section::{Checklist, Due, Duty};
use crate::text::{brief, moment, time_range};
use crate::unit::{RoleName, Span, Timestamp};

use super::action::Act;
use super::conclude::{Changes, Conclusion, FOLLOWERS};
use super::describe::{addressed, whereabouts};
use super::input::{Command, Input, ItemStatus, KnownTime};
use super::stage::{Stage, State};
use super::state::{Readiness, RolloutState, no_answer_since, stated_impact};
use super::timely::is_timely;

/// How long before the times that were stated readings may begin.
pub(super) const MOST_EARLIER: Span = Span::from_seconds(86_400);

/// Passes this input and its new stage to the agenda, and raises actions for what became due.
pub(super) fn follow(
    plan: &Plan,
    case: &mut RolloutState,
    changes: &mut Changes,
    at: Timestamp,
    input: &Input,
) {
    let (policy, subject) = (plan.policy(), plan.subject());
    let phases = policy.phases().len();
    let came = |case: &RolloutState, moment| case.agenda.came(moment).is_some();
    let (was_resolved, was_ready) = (came(case, Moment::Resolved), came(case, Moment::Ready));
    update_agenda(case, plan, at, input, changes.to.as_ref(), &mut changes.replans);
    let stage = changes.to.as_ref().unwrap_or(case.place.stage());
    let (is_deployed, fails) = (stage.is_deployed(phases), case.does_not_last(stage));
    let mut conclusion = Conclusion { plan, case, changes };
    conclusion.ask_about_severity(&input.command);
    if is_deployed && !conclusion.case.place.stage().is_deployed(phases) {
        conclusion.notify(MessageKind::Deployed, &FOLLOWERS);
    }
    // Once, when it is resolved: at the completion, or before if a person states it.
    match (was_resolved, came(conclusion.case, Moment::Resolved)) {
        (false, true) if fails => conclusion.notify(MessageKind::Update, &FOLLOWERS),
        (false, true) => conclusion.notify(MessageKind::Resolved, &FOLLOWERS),
        // A rollback and another attempt notify by themselves.
        (true, false) if conclusion.changes.to.is_none() => conclusion.reopen(at),
        _ => {}
    }
    case.agenda.advance(at);
    let stage = changes.to.as_ref().unwrap_or(case.place.stage());
    // Nobody announces the end while a person is asked whether it is one, and after the completion about
    // the fix, unless somebody states it now.
    let was_complete = changes.to.is_none() && matches!(stage, Stage::Complete { .. });
    let relapses = stated_impact(policy, &input.command).is_some();
    let asks_now = changes.asks() && (was_complete || relapses);
    let is_asked = case.awaits_answer() && (was_complete || case.people.asks_about_relapse());
    let is_open = is_asked && !case.people.are_answered_by(&input.command);
    let is_in_doubt = was_resolved && (asks_now || is_open);
    // Who has read of the incident reads how it is, not of an incident.
    let is_known = |notice: &Announcement| {
        let Some(audience) = notice.audience else { return false };
        if notice.first { case.has_read(audience) } else { case.has_read_on(audience) }
    };
    // Asked for again, it is the update that comes due at this time.
    let is_updated = |notice: &Announcement| {
        let update = (DutyKind::Update, notice.audience);
        let mut all = case.agenda.announced().iter();
        notice.kind == DutyKind::Notify && all.any(|of| (of.kind, of.audience) == update)
    };
    let follows = |audience| FOLLOWERS.contains(&audience);
    let severity = case.readiness.severity();
    let (severity, at_present) = if case.agenda.announced().is_empty() {
        (Known { severity, assumed: false }, String::new())
    } else {
        let assumed = case.readiness.is_assumed(policy);
        (Known { severity, assumed }, whereabouts(plan, case, stage, at, severity))
    };
    for announced in case.agenda.announced() {
        for mut act in acts_for(policy, severity, (subject, &at_present), announced) {
            // What the duty was to announce may have been overtaken, or be in doubt.
            if let Act::Notify { message, .. } | Act::UpdateStatusPage { message, .. } = &mut act {
                let is_overtaken = !is_timely(*message, stage, phases, case);
                let is_doubtful = *message == MessageKind::Resolved && is_in_doubt
                    || *message == MessageKind::Alert && is_known(announced);
                // Who follows the rollout has read of what has overtaken it.
                let has_read = is_overtaken && announced.audience.is_some_and(follows);
                if is_overtaken || is_doubtful {
                    *message = MessageKind::Update;
                    if !announced.first && (has_read || is_updated(announced)) {
                        continue;
                    }
                }
            }
            // That the fix is being rolled back is the update that is due with it.
            if let Act::Notify { audience, message: message @ MessageKind::Update, .. } = &mut act {
                let rollback = Act::notify(*audience, MessageKind::RollingBack);
                if changes.acts.iter().any(|own| own.is_same_message(&rollback)) {
                    *message = MessageKind::RollingBack;
                }
            }
            act_for_duty(&mut changes.acts, act);
        }
    }
    drop_doubled(&mut changes.acts, case.agenda.announced());
    if matches!(input.command, Command::SetSeverity { .. } | Command::SetFacts { .. }) {
        let is_held = was_ready && !came(case, Moment::Ready);
        Conclusion { plan, case, changes }.announce_severity(is_held);
    }
}

/// Leaves out what an audience would get twice: the alert is the first update, and a later update
/// takes the place of an alert that is asked for again.
fn drop_doubled(acts: &mut Vec<Act>, announced: &[Announcement]) {
    let of_duty = |act: &Act, audience: Audience, kind: MessageKind| {
        act.duty().is_some() && act.is_same_message(&Act::notify(audience, kind))
    };
    for update in announced.iter().filter(|announced| announced.kind == DutyKind::Update) {
        let Some(audience) = update.audience else { continue };
        let is_first = announced.iter().any(|notice| {
            notice.kind == DutyKind::Notify && notice.audience == Some(audience) && notice.first
        });
        let doubled = if is_first { MessageKind::Update } else { MessageKind::Alert };
        let both = [MessageKind::Alert, MessageKind::Update];
        if both.iter().all(|kind| acts.iter().any(|act| of_duty(act, audience, *kind))) {
            acts.retain(|act| !of_duty(act, audience, doubled));
        }
    }
}

/// The severity in force, and whether it is only assumed.
#[derive(Clone, Copy)]
struct Known {
    severity: Option<Severity>,
    assumed: bool,
}

/// Adds the action of a duty. Where the rollout raises the same message to the same audience by
/// itself, that action is the duty's; where another duty does, it is that one's: nobody gets a
/// message twice.
fn act_for_duty(acts: &mut Vec<Act>, act: Act) {
    match acts.iter_mut().find(|own| own.is_same_message(&act)) {
        Some(own) if own.duty().is_none() => *own = act,
        Some(_) => {}
        None => acts.push(act),
    }
}

/// The actions for something that became due. What people do by themselves is in the list of duties
/// and raises no action; where its time passes, an escalation policy pages somebody. A notice that
/// was not confirmed as sent is raised once more when it is late; one that is due at once, after
/// `ask_again`. A page that nobody answers is raised again every `ask_again`, also to the stand-ins
/// of its role.
fn acts_for(
    policy: &Policy,
    severity: Known,
    about: (&Subject, &str),
    announced: &Announcement,
) -> Vec<Act> {
    let declared = policy.duties().get(announced.index);
    let has_time = declared.is_some_and(|duty| duty.within != Due::Within(Span::ZERO));
    let is_notice = matches!(announced.kind, DutyKind::Notify | DutyKind::Update);
    let is_again = announced.asked == Asked::Again;
    if !(announced.first || is_again || is_notice && has_time) {
        return Vec::new();
    }
    let duty = Some(announced.id);
    let title = declared.map_or_else(|| announced.id.to_string(), |duty| duty.title.clone());
    vec![match announced.kind {
        DutyKind::Page | DutyKind::Escalate => {
            return pages(policy, severity, about, announced, &title);
        }
        DutyKind::Notify | DutyKind::Update => {
            let message = match (announced.kind, declared) {
                (DutyKind::Notify, Some(duty)) => duty.from.message(),
                _ => MessageKind::Update,
            };
            match announced.audience {
                None => return Vec::new(),
                Some(Audience::Public) => Act::UpdateStatusPage { message, duty },
                Some(audience) => Act::Notify { audience, message, duty, role: None, why: None },
            }
        }
        DutyKind::Meet => {
            // Whoever books it has to know for how long.
            let lasts = declared.and_then(|duty| duty.lasts);
            let lasts = lasts.and_then(|lasts| time_range(lasts.least, lasts.most));
            let title = lasts.map_or_else(|| title.clone(), |lasts| format!("{title}, {lasts}"));
            Act::Schedule { duty: announced.id, title, by: announced.due }
        }
        DutyKind::Act
        | DutyKind::Fix
        | DutyKind::Approve
        | DutyKind::Review
        | DutyKind::Write
        | DutyKind::Watch
        | DutyKind::FollowUp => return Vec::new(),
    }]
}

/// The pages of a duty: to its role, or to the stand-in where nobody holds it; again, also to the
/// other stand-ins, except those that have a page of their own.
fn pages(
    policy: &Policy,
    Known { severity, assumed }: Known,
    (subject, at_present): (&Subject, &str),
    announced: &Announcement,
    title: &str,
) -> Vec<Act> {
    let Some(role) = announced.role.or_else(|| called_first(policy, severity)) else {
        return Vec::new();
    };
    let incident = &subject.incident;
    let about = incident.title.as_deref().map(|title| format!(" ({})", brief(title)));
    let assumed = severity
        .filter(|_| assumed)
        .map(|severity| format!(" Severity {severity} is assumed, because facts are missing."));
    let text = format!(
        "{title}{}.{at_present}{} Send `acknowledge` for duty `{}` once you are on it.",
        about.unwrap_or_default(),
        assumed.unwrap_or_default(),
        announced.id
    );
    let mut why = addressed(incident, &text);
    let first = Who::of(policy, role).stand_in.unwrap_or(role);
    let mut roles = vec![first];
    if announced.asked == Asked::Again {
        why = unanswered(&why, announced.called_at);
        let is_call =
            |duty: &&Duty| duty.kind.is_call() && severity.is_none_or(|at| duty.is_for(at));
        let calls = policy.duties().iter().filter(is_call);
        let own: Vec<RoleName> = calls.filter_map(|duty| duty.role).collect();
        let stand_ins = stand_ins_of(policy, &[role]).into_iter();
        roles.extend(stand_ins.filter(|of| *of != first && !own.contains(of)));
    }
    let page = |role| Act::Page { role, why: why.clone(), duty: Some(announced.id) };
    roles.into_iter().map(page).collect()
}

/// The text of a page that is made once more.
fn unanswered(why: &str, since: Option<Timestamp>) -> String {
    let since = since.map(|since| no_answer_since(&moment(since)));
    format!("{why}{}", since.unwrap_or_default())
}

/// Passes what is known at the first logged input to the agenda.
pub(super) fn open_agenda(case: &mut RolloutState, plan: &Plan, at: Timestamp) {
    let RolloutState { agenda, readiness, .. } = case;
    readiness.open(at);
    let policy = plan.policy();
    let incident = &plan.subject().incident;
    let informed = policy.classify(readiness.facts()).informed();
    let mut update = |input| drop(agenda.take(policy, at, input));
    update(AgendaInput::Assumed(readiness.is_assumed(policy)));
    update(AgendaInput::Severity(readiness.severity()));
    update(AgendaInput::Facts(&informed));
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
    [AgendaInput::StopGap(stop_gap), AgendaInput::Flow(plan.flow_of_duties())]
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
    let is_another =
        matches!(command, Command::Supersede { .. } | Command::Retry { release: Some(_), .. });
    if to.is_none() && matches!(command, Command::Observe { .. } | Command::Tick) {
        return;
    }
    let informed;
    let mut inputs = of_rollback(case, to, at);
    let RolloutState { agenda, readiness, place, .. } = case;
    let policy = plan.policy();
    let started = !matches!(to.unwrap_or(place.stage()), Stage::Preparing);
    match command {
        // Approvals first: a duty that the new severity brings depends on them.
        Command::SetSeverity { .. } => {
            update_approvals((agenda, started), readiness, policy, at, &mut inputs);
            inputs
                .extend([AgendaInput::Assumed(false), AgendaInput::Severity(readiness.severity())]);
        }
        Command::SetFacts { facts, .. } => {
            update_approvals((agenda, started), readiness, policy, at, &mut inputs);
            informed = policy.classify(readiness.facts()).informed();
            inputs.extend([
                AgendaInput::Assumed(readiness.is_assumed(policy)),
                AgendaInput::Severity(readiness.severity()),
                AgendaInput::Facts(&informed),
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
            if is_another {
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
        let is_ready = readiness.state(plan) == State::Ready;
        let was_ready = agenda.came(Moment::Ready).is_some() && !is_another;
        inputs.extend(changed(was_ready, Moment::Ready, is_ready, at));
    }
    let before = CHECKED_FROM.map(|moment| agenda.came(moment));
    let rolled_back = agenda.came(Moment::RolledBack);
    let roles = input.by.iter().flat_map(|by| readiness.statements().roles_of(by));
    roles.for_each(|role| answer_for(policy, role, &mut inputs));
    for input in inputs {
        // An answer about a duty was checked before; everything else is accepted.
        if let Ok(replan) = agenda.take(policy, at, input)
            && !replan.changes.is_empty()
            && replan.cause.is_some()
        {
            replans.push(replan);
        }
    }
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
    let is_met = demands.iter().all(Demand::is_met);
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
        // A fix that fails reopens the incident.
        (from, Stage::RollingBack(_) | Stage::Frozen { .. }) if gives_up(from, to) => {
            inputs.extend([
                AgendaInput::TakenBack(Moment::Resolved),
                AgendaInput::TakenBack(Moment::Verified),
            ]);
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
    let (from, former) = (case.place.stage(), case.place.former());
    let mut inputs = Vec::new();
    // The traffic of a release that is superseded is withdrawn.
    let is_replaced =
        |to: &Stage| matches!(to, Stage::Preparing) && former.is_some() && !from.has_turned_back();
    if to.is_some_and(|to| gives_up(from, to) || is_replaced(to)) {
        inputs.push(AgendaInput::TurnedBack);
    }
    let is_aborted = matches!((from, to), (Stage::RollingBack(_), Some(Stage::Aborted)));
    if case.is_withdrawn() || is_aborted || matches!(to, Some(Stage::RolledBack)) {
        // With it the agenda revokes the deployment.
        inputs.push(AgendaInput::Moment { moment: Moment::RolledBack, at });
        // Another release than the one that was rolled back is planned already.
        inputs.extend(former.map(|_| AgendaInput::AnotherRelease));
    }
    inputs
}
