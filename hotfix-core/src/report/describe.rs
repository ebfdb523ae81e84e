//! Log entries as plain text, without markup and without names of people.

use crate::fact::FactValue;
use crate::judge::{Cause, Decision, Reason};
use crate::plan::Plan;
use crate::policy::Policy;
use crate::rollout::{
    Act, Command, ItemStatus, Resume, RollbackCause, RollbackProgress, Rollout, Stage,
};
use crate::text::{self, words};
use crate::unit::{MetricName, Name, Share, Span, Timestamp};

/// Date and time in UTC: `2026-03-03 14:52:10`.
pub(super) fn utc(at: Timestamp) -> String {
    at.to_string().chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

/// A time span in whole seconds; below one second, in milliseconds.
pub(super) fn lasting(span: Span) -> String {
    let millis = span.as_millis();
    if millis < 1_000 {
        text::time(span)
    } else {
        text::time(Span::from_millis(millis - millis % 1_000))
    }
}

/// `10%`.
pub(super) fn percent(share: Share) -> String {
    format!("{}%", figure(100.0 * share.as_fraction()))
}

/// A number with four significant digits.
pub(super) fn figure(value: f64) -> String {
    if value.abs() >= 1e4 { format!("{value:.0}") } else { text::figure(value, 4) }
}

/// The title of a duty.
pub(super) fn duty(policy: &Policy, id: Name) -> String {
    let known = policy.duties().iter().find(|duty| duty.id == id);
    known.map_or_else(|| words(id.as_str()), |duty| duty.title.clone())
}

/// The text of a checklist item, or of a success criterion.
fn item(policy: &Policy, id: Name) -> String {
    let items = policy.checklists().iter().flat_map(|list| &list.items);
    let items = items.map(|item| (item.id, &item.text));
    let criteria = policy.success().iter().map(|criterion| (criterion.id, &criterion.text));
    let known = items.chain(criteria).find(|(known, _)| *known == id);
    known.map_or_else(|| words(id.as_str()), |(_, text)| text.clone())
}

/// The value of a fact.
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

/// An action in a few words.
pub(super) fn act(policy: &Policy, act: &Act) -> String {
    match act {
        Act::SetTraffic { share } => {
            format!("set the new version's traffic to {}", percent(*share))
        }
        Act::Deploy { version, .. } => format!("deploy {version}"),
        Act::RollBack { method, version } => {
            format!("roll back to {version} by {}", words(method.as_str()))
        }
        Act::AskDecision { question } => format!("ask a person: {question}"),
        Act::RequestApproval { any_of } => {
            let roles: Vec<String> = any_of.iter().map(|id| policy.role_title(*id)).collect();
            format!("request approval from {}", roles.join(" or "))
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

/// Causes of a verdict, grouped by reason:
/// `error rate and payment success: rollback bound crossed`.
pub(super) fn causes(policy: &Policy, causes: &[Cause]) -> String {
    let mut grouped: Vec<(Reason, Vec<String>)> = Vec::new();
    for cause in causes {
        let mut about = match cause.metric {
            Some(id) => metric(policy, id),
            None => String::new(),
        };
        if let Some(instance) = &cause.instance {
            about = format!("{about} ({instance})");
        }
        match grouped.iter_mut().find(|(reason, _)| *reason == cause.reason) {
            Some((_, all)) => all.push(about),
            None => grouped.push((cause.reason, vec![about])),
        }
    }
    let one = |(why, about): &(Reason, Vec<String>)| {
        let about: Vec<String> = about.iter().filter(|of| !of.is_empty()).cloned().collect();
        match about.as_slice() {
            [] => why.describe().to_owned(),
            about => format!("{}: {}", text::enumerated(about), why.describe()),
        }
    };
    grouped.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// The title of a metric.
pub(super) fn metric(policy: &Policy, id: MetricName) -> String {
    policy.metric(id.as_str()).map_or_else(|| words(id.as_str()), |metric| metric.title.clone())
}

/// The decision of a verdict.
pub(super) const fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Continue => "continue",
        Decision::Hold => "hold",
        Decision::Promote => "promote",
        Decision::RollBack => "roll back",
        Decision::Ask => "ask a person to decide",
    }
}

/// The reason of a rollback.
pub(super) fn rollback_cause(policy: &Policy, cause: &RollbackCause) -> String {
    match cause {
        RollbackCause::Verdict { causes: all } => causes(policy, all),
        RollbackCause::Signal { signal } => format!("{} was reported", words(signal.as_str())),
        RollbackCause::Person => "a person requested the rollback".to_owned(),
        RollbackCause::Revert { version } => {
            format!("a person requested an immediate return to {version}")
        }
        RollbackCause::ActionFailed => "the traffic could not be moved".to_owned(),
        RollbackCause::Abort => "a person aborted the rollout".to_owned(),
    }
}

/// A stage that was entered, as text.
pub(super) fn stage(rollout: &Rollout, stage: &Stage) -> String {
    let plan = rollout.plan();
    let subject = plan.subject();
    let share = |index: usize| {
        let phase = plan.policy().phases().get(index);
        phase.map_or_else(String::new, |phase| format!(" ({})", percent(phase.share)))
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
                format!(
                    "phase {} is promoted unless somebody objects by {}",
                    step.phase,
                    utc(*until)
                )
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
        Stage::RollingBack(way) => rolling_back(plan, way),
        Stage::RolledBack => {
            let live = rollout.live_version().unwrap_or_else(|| subject.previous());
            format!("rolled back: {live} is live again")
        }
        Stage::Paused { from, .. } => {
            let at = match from {
                Resume::Deploying(step) | Resume::Monitoring(step) | Resume::Gate(step) => {
                    format!(" in phase {}", step.phase)
                }
                Resume::FinalValidation { .. } => " in the final validation".to_owned(),
            };
            format!("paused{at}")
        }
        Stage::Frozen { why, tried, .. } => {
            let because = if *tried {
                "all rollback methods failed"
            } else {
                "the rollout cannot be rolled back automatically"
            };
            format!(
                "frozen: {because}; the traffic does not move until a person acts ({})",
                rollback_cause(plan.policy(), why)
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
        format!("{previous} has the traffic again; its metrics are watched until they recover")
    } else if way.returning.is_some() {
        format!(
            "rolling back to {previous} in traffic steps: {}",
            rollback_cause(plan.policy(), &way.why)
        )
    } else {
        format!("rolling back to {previous}{by}: {}", rollback_cause(plan.policy(), &way.why))
    }
}

/// An input as text, and the reason that its sender gave. `about` is the action that a `confirm` or
/// `failed` refers to.
pub(super) fn command(
    plan: &Plan,
    command: &Command,
    about: Option<&Act>,
) -> (String, Option<String>) {
    let policy = plan.policy();
    let done =
        |about: Option<&Act>| about.map_or_else(|| "an action".to_owned(), |of| act(policy, of));
    match command {
        Command::Approve { channel, heard_by, why, .. } => {
            let mut what = "approved the plan".to_owned();
            if let Some(channel) = channel {
                what = format!("{what}, by {channel}");
            }
            if heard_by.is_some() {
                what.push_str(", heard by another person");
            }
            (what, why.clone())
        }
        Command::Deny { why, .. } => ("denied the plan".to_owned(), why.clone()),
        Command::Withdraw { why, .. } => ("withdrew the approval".to_owned(), why.clone()),
        Command::CheckItem { item: id, more, status, evidence } => {
            let texts: Vec<String> =
                std::iter::once(id).chain(more).map(|id| item(policy, *id)).collect();
            let text = texts.join("; ");
            let what = match status {
                ItemStatus::Done => format!("checked: {text}"),
                ItemStatus::NotApplicable => format!("not applicable: {text}"),
                ItemStatus::Open => format!("reopened: {text}"),
            };
            (what, evidence.clone())
        }
        Command::WaiveItem { item: id, role, why } => {
            let role = role.map(|role| format!(" as {}", policy.role_title(role)));
            let what = format!("waived{}: {}", role.unwrap_or_default(), item(policy, *id));
            (what, Some(why.clone()))
        }
        Command::Release { release, why } => {
            (format!("gave the release, {}", release.version), why.clone())
        }
        Command::Start => ("started the deployment".to_owned(), None),
        Command::Confirm { .. } => (format!("done: {}", done(about)), None),
        Command::Failed { why, .. } => (format!("failed: {}", done(about)), why.clone()),
        Command::Observe { .. } => ("metrics received".to_owned(), None),
        Command::Tick => ("clock tick".to_owned(), None),
        Command::Promote { why } => ("promoted the phase".to_owned(), why.clone()),
        Command::Hold { why } => ("objected to promotion".to_owned(), why.clone()),
        Command::Pause { why } => ("paused the rollout".to_owned(), why.clone()),
        Command::Resume { why } => ("resumed the rollout".to_owned(), why.clone()),
        Command::Abort { why } => ("aborted the rollout".to_owned(), why.clone()),
        Command::RollBack { why } => ("requested a rollback".to_owned(), why.clone()),
        Command::Revert { version, why } => {
            (format!("requested an immediate return to {version}"), Some(why.clone()))
        }
        Command::Supersede { release, why } => {
            (format!("replaced the current release by {}", release.version), Some(why.clone()))
        }
        Command::Retry { release, why } => {
            let what = release.as_ref().map_or_else(
                || "tried again".to_owned(),
                |release| format!("tried again with {}", release.version),
            );
            (what, Some(why.clone()))
        }
        Command::Report { signal, note } => {
            (format!("reported: {}", words(signal.as_str())), note.clone())
        }
        Command::Acknowledge { duty: id, evidence } => {
            (format!("acknowledged: {}", duty(policy, *id)), evidence.clone())
        }
        Command::Done { duty: id, evidence } => {
            (format!("done: {}", duty(policy, *id)), evidence.clone())
        }
        Command::SetSeverity { severity, why } => {
            (format!("set the severity to {severity}"), why.clone())
        }
        Command::SetFacts { facts, why } => {
            let known: Vec<String> = facts
                .iter()
                .map(|(name, value)| format!("{}: {}", words(name), plain(value)))
                .collect();
            (format!("set facts: {}", known.join(", ")), why.clone())
        }
        Command::SetTimes { times, why } => {
            let known: Vec<String> = times
                .iter()
                .map(|(time, at)| match at {
                    Some(at) => format!("{} at {}", words(time.as_str()), utc(*at)),
                    None => format!("{} has not happened yet", words(time.as_str())),
                })
                .collect();
            (format!("set times: {}", known.join(", ")), why.clone())
        }
        Command::Note { text } => (format!("noted: {text}"), None),
    }
}

/// A JSON value as plain text.
fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Bool(true) => "yes".to_owned(),
        serde_json::Value::Bool(false) => "no".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => "unknown".to_owned(),
        other => other.to_string(),
    }
}
