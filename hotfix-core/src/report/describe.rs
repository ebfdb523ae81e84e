//! Log entries as plain text, without markup and without names of people.

use serde_json::{Map, Value};

use crate::fact::{FactValue, Facts};
use crate::judge::Decision;
use crate::plan::Plan;
use crate::policy::Policy;
use crate::rollout::{Act, Command, ItemStatus, Resume, RollbackProgress, Rollout, Stage};
pub(super) use crate::text::lasting;
use crate::text::{self, joined, words};
use crate::unit::{Name, Timestamp};

/// Date and time in UTC: `2026-03-03 14:52:10`.
pub(super) fn utc(at: Timestamp) -> String {
    at.to_string().chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

/// A number with four significant digits.
pub(super) fn figure(value: f64) -> String {
    if value.abs() >= 1e4 { format!("{value:.0}") } else { text::figure(value, 4) }
}

pub(super) fn duty(policy: &Policy, id: Name) -> String {
    let known = policy.duties().iter().find(|duty| duty.id == id);
    known.map_or_else(|| words(id.as_str()), |duty| duty.title.clone())
}

fn item(policy: &Policy, id: Name) -> String {
    let items = policy.checklists().iter().flat_map(|list| &list.items);
    let items = items.map(|item| (item.id, &item.text));
    let criteria = policy.success().iter().map(|criterion| (criterion.id, &criterion.text));
    let known = items.chain(criteria).find(|(known, _)| *known == id);
    known.map_or_else(|| words(id.as_str()), |(_, text)| text.clone())
}

pub(super) fn fact(value: &FactValue) -> String {
    match value {
        FactValue::Flag(true) => "yes".to_owned(),
        FactValue::Flag(false) => "no".to_owned(),
        FactValue::Share(share) => format!("{}%", figure(100.0 * share.as_fraction())),
        FactValue::Duration(span) => text::time(*span),
        FactValue::Number(number) => figure(*number),
        FactValue::Text(text) => text.clone(),
        FactValue::Time(at) => utc(*at),
    }
}

pub(super) fn act(policy: &Policy, act: &Act) -> String {
    match act {
        Act::SetTraffic { share } => format!("set the new version's traffic to {share}"),
        Act::Deploy { version, .. } => format!("deploy {version}"),
        Act::RollBack { method, version } => {
            format!("roll back to {version} by {}", words(method.as_str()))
        }
        Act::AskDecision { question } => format!("ask a person: {question}"),
        Act::RequestApproval { any_of, why } => {
            let roles = joined(any_of.iter().map(|id| policy.role_title(*id)), " or ");
            let why = why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
            format!("request approval from {roles}{why}")
        }
        Act::Notify { role: Some(role), why: Some(why), .. } => {
            format!("notify {}: {why}", policy.role_title(*role))
        }
        Act::Notify { audience, message, .. } => {
            format!("notify {audience}: {}", words(message.as_str()))
        }
        Act::Page { role: id, why, .. } => format!("page {}: {why}", policy.role_title(*id)),
        Act::UpdateStatusPage { message, .. } => {
            format!("update the status page: {}", words(message.as_str()))
        }
        Act::Schedule { title, by, .. } => match by {
            Some(by) => format!("schedule {title}, by {}", utc(*by)),
            None => format!("schedule {title}"),
        },
    }
}

pub(super) fn decision(decision: Decision) -> String {
    match decision {
        Decision::Ask => "ask a person to decide".to_owned(),
        known => words(known.as_str()),
    }
}

pub(super) fn stage(rollout: &Rollout, stage: &Stage) -> String {
    let plan = rollout.plan();
    let subject = plan.subject();
    let share = |index: usize| {
        let phase = plan.policy().phases().get(index);
        phase.map_or_else(String::new, |phase| format!(" ({})", phase.share))
    };
    match stage {
        Stage::Preparing => match &subject.release {
            Some(release) => format!("{} is being prepared", release.version),
            None => "the rollout is prepared, without a release yet".to_owned(),
        },
        Stage::Deploying(step) => {
            format!("phase {}{} is being deployed", step.phase, share(step.index))
        }
        Stage::Monitoring(step) => {
            format!("phase {}{} is being watched", step.phase, share(step.index))
        }
        Stage::Gate { step, until } => match until {
            Some(until) => {
                let (phase, until) = (step.phase, utc(*until));
                format!("phase {phase} is promoted unless somebody objects by {until}")
            }
            None => format!("phase {} waits for a person to decide", step.phase),
        },
        Stage::FinalValidation { .. } => "the final validation began".to_owned(),
        Stage::Complete { ending: Some(_), .. } => {
            "the traffic that was held back moves to the new version, too".to_owned()
        }
        Stage::Complete { ending: None, .. } => {
            format!("complete: {} has the traffic and is still being watched", subject.version())
        }
        Stage::Closed => "the rollout was closed".to_owned(),
        Stage::RollingBack(way) => rolling_back(rollout.canary_plan(), way),
        Stage::RolledBack => {
            let live = rollout.live_version().unwrap_or_else(|| subject.previous());
            format!("rolled back: {live} is {}", subject.live(live))
        }
        Stage::Paused { from, .. } => match from {
            Resume::FinalValidation { .. } => "paused in the final validation".to_owned(),
            Resume::Deploying(step)
            | Resume::Deployed(step)
            | Resume::Monitoring(step)
            | Resume::Gate(step) => {
                format!("paused in phase {}", step.phase)
            }
        },
        Stage::Frozen { why, tried, .. } => {
            let because = if *tried {
                "all rollback methods failed"
            } else {
                "the rollout cannot be rolled back automatically"
            };
            format!(
                "frozen: {because}; the traffic does not move until a person acts ({})",
                why.described(plan.policy())
            )
        }
        Stage::Aborted => "aborted".to_owned(),
        Stage::Failed => "the deployment failed before any traffic moved".to_owned(),
    }
}

fn rolling_back(plan: &Plan, way: &RollbackProgress) -> String {
    let previous = way.why.target(plan.subject().previous());
    let method = way.why.method(plan, way.method);
    let by = method.map_or_else(String::new, |kind| format!(" by {}", words(kind.as_str())));
    if way.watching.is_some() {
        return format!(
            "{previous} has the traffic again; its metrics are watched until they recover"
        );
    }
    let by = if way.returning.is_some() { " in traffic steps".to_owned() } else { by };
    format!("rolling back to {previous}{by}: {}", way.why.described(plan.policy()))
}

/// An input as text. `about` is the action that a `confirm` or `failed` refers to.
pub(super) fn command(plan: &Plan, command: &Command, about: Option<&Act>) -> String {
    let policy = plan.policy();
    let done = || about.map_or_else(|| "an action".to_owned(), |of| act(policy, of));
    match command {
        Command::Approve { channel, heard_by, .. } => {
            stated("approved the plan", channel.as_deref(), heard_by.is_some())
        }
        Command::Deny { channel, heard_by, .. } => {
            stated("denied the plan", channel.as_deref(), heard_by.is_some())
        }
        Command::Withdraw { channel, heard_by, .. } => {
            stated("withdrew the approval", channel.as_deref(), heard_by.is_some())
        }
        Command::CheckItem { status, .. } => {
            let items = command.items().map(|id| item(policy, id));
            let what = match status {
                ItemStatus::Done => "checked",
                ItemStatus::NotApplicable => "not applicable",
                ItemStatus::Open => "reopened",
            };
            format!("{what}: {}", joined(items, "; "))
        }
        Command::WaiveItem { item: id, role, .. } => {
            let role = role.map(|role| format!(" as {}", policy.role_title(role)));
            format!("waived{}: {}", role.unwrap_or_default(), item(policy, *id))
        }
        Command::Release { release, .. } => format!("gave the release, {}", release.version),
        Command::Confirm { .. } => format!("done: {}", done()),
        Command::Failed { .. } => format!("failed: {}", done()),
        Command::Revert { version, .. } => {
            format!("requested an immediate return to {version}")
        }
        Command::Supersede { release, .. } => {
            format!("replaced the current release by {}", release.version)
        }
        Command::Retry { release: Some(release), .. } => {
            format!("tried again with {}", release.version)
        }
        Command::Report { signal, .. } => format!("reported: {}", words(signal.as_str())),
        Command::Acknowledge { duty: id, .. } => format!("acknowledged: {}", duty(policy, *id)),
        Command::Done { duty: id, .. } => format!("done: {}", duty(policy, *id)),
        Command::SetSeverity { severity, .. } => format!("set the severity to {severity}"),
        Command::SetFacts { facts, correction, .. } => {
            let set = if *correction == Some(true) { "corrected" } else { "set" };
            let shown = |name: &String, value: &Value| {
                let one = Map::from_iter([(name.clone(), value.clone())]);
                let read = Facts::read(&one, policy.vocabulary()).ok()?;
                read.get(policy.vocabulary().find(name)?).map(fact)
            };
            let known = facts.iter().map(|(name, value)| {
                let shown = shown(name, value).unwrap_or_else(|| plain(value));
                format!("{}: {shown}", words(name))
            });
            format!("{set} facts: {}", joined(known, ", "))
        }
        Command::SetTimes { times, .. } => {
            let known = times.iter().map(|(time, at)| match at {
                Some(at) => format!("{} at {}", words(time.as_str()), utc(*at)),
                None => format!("{} has not happened yet", words(time.as_str())),
            });
            format!("set times: {}", joined(known, ", "))
        }
        Command::Note { text, .. } => format!("noted: {text}"),
        Command::Start => "started the deployment".to_owned(),
        Command::Observe { .. } => "metrics received".to_owned(),
        Command::Tick => "clock tick".to_owned(),
        Command::Promote { .. } => "promoted the phase".to_owned(),
        Command::Hold { .. } => "held it: no promotion without a person".to_owned(),
        Command::Pause { .. } => "paused the rollout".to_owned(),
        Command::Resume { .. } => "resumed the rollout".to_owned(),
        Command::Abort { .. } => "aborted the rollout".to_owned(),
        Command::RollBack { .. } => "requested a rollback".to_owned(),
        Command::Retry { release: None, .. } => "tried again".to_owned(),
    }
}

/// A statement about the plan, with how it was given.
fn stated(what: &str, channel: Option<&str>, is_heard: bool) -> String {
    let by = channel.map(|channel| format!(", by {channel}")).unwrap_or_default();
    format!("{what}{by}{}", if is_heard { ", heard by another person" } else { "" })
}

/// A fact that is not known any more, or that the policy cannot read.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "unknown".to_owned(),
        other => other.to_string(),
    }
}
