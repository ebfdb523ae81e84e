//! Duties: what becomes due in the agenda becomes actions.

use crate::deadline::{Announcement, Asked, Source, Who};
use crate::gate::approval::stand_ins_of;
use crate::grade::{Audience, DutyKind, MessageKind, Moment};
use crate::plan::{Plan, Subject, called_first};
use crate::policy::Policy;
use crate::policy::section::{Due, Duty};
use crate::text::{brief, moment, time_range};
use crate::unit::{RoleName, Span, Timestamp};

use super::action::Act;
use super::conclude::{Changes, Conclusion, FOLLOWERS};
use super::describe::{addressed, whereabouts};
use super::input::{Command, Input};
use super::moments::update_agenda;
use super::stage::Stage;
use super::state::{Named, RolloutState, no_answer_since, stated_impact};
use super::timely::is_timely;

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
    conclusion.ask_about_severity(at, &input.command);
    if is_deployed && !conclusion.case.place.stage().is_deployed(phases) {
        conclusion.notify(MessageKind::Deployed, &FOLLOWERS);
    }
    // Once, when it is resolved: at the completion, or before if a person states it.
    match (was_resolved, came(conclusion.case, Moment::Resolved)) {
        (false, true) if fails => conclusion.notify(MessageKind::Update, &FOLLOWERS),
        (false, true) => {
            conclusion.notify(MessageKind::Resolved, &FOLLOWERS);
            conclusion.ask_before_start(at, true);
        }
        // A rollback and another attempt notify by themselves.
        (true, false) if conclusion.changes.to.is_none() => conclusion.reopen(at),
        _ => {}
    }
    case.agenda.advance(at);
    let stage = changes.to.as_ref().unwrap_or(case.place.stage());
    // The end is not announced while a person is asked whether it is one, or after the completion
    // about the fix, unless somebody states it now.
    let was_complete = changes.to.is_none() && matches!(stage, Stage::Complete { .. });
    let relapses = stated_impact(policy, &input.command).is_some();
    let asks_now = changes.asks() && (was_complete || relapses);
    let is_asked = case.awaits_answer() && (was_complete || case.people.asks_about_relapse());
    let is_open = is_asked && !case.people.are_answered_by(&input.command);
    let is_in_doubt = was_resolved && (asks_now || is_open);
    // Who has read of the incident reads an update, not another alert.
    let is_known = |notice: &Announcement| {
        let Some(audience) = notice.audience else { return false };
        if notice.first { case.has_read(audience) } else { case.has_read_on(audience) }
    };
    // A notice that is asked for again is the same as an update that is due now.
    let is_updated = |notice: &Announcement| {
        let update = (DutyKind::Update, notice.audience);
        let mut all = case.agenda.announced().iter();
        notice.kind == DutyKind::Notify && all.any(|of| (of.kind, of.audience) == update)
    };
    let follows = |audience| FOLLOWERS.contains(&audience);
    let severity = case.readiness.severity();
    let (severity, at_present) = if case.agenda.announced().is_empty() {
        (None, String::new())
    } else {
        let named = case.readiness.named_severity(policy);
        (named, whereabouts(plan, case, stage, at, severity))
    };
    for announced in case.agenda.announced() {
        for mut act in acts_for(policy, severity, (subject, &at_present), announced) {
            // What the duty was to announce may have been overtaken, or be in doubt.
            if let Act::Notify { message, .. } | Act::UpdateStatusPage { message, .. } = &mut act {
                let is_overtaken = !is_timely(*message, stage, phases, case);
                let is_doubtful = *message == MessageKind::Resolved && is_in_doubt
                    || *message == MessageKind::Alert && is_known(announced);
                // Followers have read of what overtook the message.
                let has_read = is_overtaken && announced.audience.is_some_and(follows);
                if is_overtaken || is_doubtful {
                    *message = MessageKind::Update;
                    if !announced.first && (has_read || is_updated(announced)) {
                        continue;
                    }
                }
            }
            // A rollback that begins now takes the place of an update that is due.
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
    // Another attempt notifies by itself.
    let is_held = was_ready && !came(case, Moment::Ready) && changes.to.is_none();
    if is_held || matches!(input.command, Command::SetSeverity { .. } | Command::SetFacts { .. }) {
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

/// Adds the action of a duty, so that nobody gets a message twice: it replaces the same message to the same
/// audience that the rollout raises itself, and is left out where another duty raises that.
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
    severity: Option<Named>,
    about: (&Subject, &str),
    announced: &Announcement,
) -> Vec<Act> {
    let of_policy = announced.source == Source::Duty;
    let declared = policy.duties().get(announced.index).filter(|_| of_policy);
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
    named: Option<Named>,
    (subject, at_present): (&Subject, &str),
    announced: &Announcement,
    title: &str,
) -> Vec<Act> {
    let severity = named.map(|named| named.severity);
    let Some(role) = announced.role.or_else(|| called_first(policy, severity)) else {
        return Vec::new();
    };
    let incident = &subject.incident;
    let about = incident.title.as_deref().map(|title| format!(" ({})", brief(title)));
    let assumed = named.filter(|named| named.assumed).map(|named| {
        format!(" Severity {} is assumed, because facts are missing.", named.severity)
    });
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
