//! What a line of the log says, as plain text: no markup, no names of people (POST-1).

use crate::fact::FactValue;
use crate::judge::{Cause, Decision, Reason};
use crate::plan::Plan;
use crate::policy::Policy;
use crate::rollout::{Act, Command, ItemStatus, Resume, RollbackCause, Stage, WayBack};
use crate::text::{self, words};
use crate::unit::{MetricName, Name, Share, Span, Timestamp};

/// Date and time in UTC: `2026-03-03 14:52:10`.
pub(super) fn utc(at: Timestamp) -> String {
    at.to_string().chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

/// A time in whole seconds where it has any: milliseconds tell nobody anything.
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

/// Four significant digits.
pub(super) fn figure(value: f64) -> String {
    if value.abs() >= 1e4 { format!("{value:.0}") } else { text::figure(value, 4) }
}

/// What people call a duty.
pub(super) fn duty(policy: &Policy, id: Name) -> String {
    let known = policy.duties().iter().find(|duty| duty.id == id);
    known.map_or_else(|| words(id.as_str()), |duty| duty.title.clone())
}

/// What a checklist item or a step says.
fn item(policy: &Policy, id: Name) -> String {
    let mut items = policy.checklists().iter().flat_map(|list| &list.items);
    items.find(|item| item.id == id).map_or_else(|| words(id.as_str()), |item| item.text.clone())
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

/// What is to be done, in a few words.
pub(super) fn act(policy: &Policy, act: &Act) -> String {
    match act {
        Act::SetTraffic { share } => {
            format!("give {} of the traffic to the new version", percent(*share))
        }
        Act::Deploy { version, .. } => format!("deploy {version}"),
        Act::RollBack { method, version } => {
            format!("go back to {version} by {}", words(method.as_str()))
        }
        Act::AskDecision { question } => format!("a person is asked: {question}"),
        Act::RequestApproval { any_of } => {
            let roles: Vec<String> = any_of.iter().map(|id| policy.role_title(*id)).collect();
            format!("approval is asked of {}", roles.join(" or "))
        }
        Act::Notify { audience, message, .. } => {
            format!("tell {audience}: {}", words(message.as_str()))
        }
        Act::Page { role: id, why, .. } => format!("call {}: {why}", policy.role_title(*id)),
        Act::UpdateStatusPage { message, .. } => {
            format!("status page: {}", words(message.as_str()))
        }
        Act::Schedule { title, by, .. } => match by {
            Some(by) => format!("find a time for: {title}, by {}", utc(*by)),
            None => format!("find a time for: {title}"),
        },
    }
}

/// Causes of a verdict, those of one reason together: `error rate and payment success: beyond its rollback bound`.
pub(super) fn causes(policy: &Policy, causes: &[Cause]) -> String {
    let mut told: Vec<(Reason, Vec<String>)> = Vec::new();
    for cause in causes {
        let mut about = match cause.metric {
            Some(id) => metric(policy, id),
            None => String::new(),
        };
        if let Some(instance) = &cause.instance {
            about = format!("{about} ({instance})");
        }
        match told.iter_mut().find(|(reason, _)| *reason == cause.reason) {
            Some((_, all)) => all.push(about),
            None => told.push((cause.reason, vec![about])),
        }
    }
    let one = |(why, about): &(Reason, Vec<String>)| {
        let about: Vec<String> = about.iter().filter(|of| !of.is_empty()).cloned().collect();
        match about.as_slice() {
            [] => reason(*why).to_owned(),
            about => format!("{}: {}", text::enumerated(about), reason(*why)),
        }
    };
    told.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// What people call a metric.
pub(super) fn metric(policy: &Policy, id: MetricName) -> String {
    policy.metric(id.as_str()).map_or_else(|| words(id.as_str()), |metric| metric.title.clone())
}

/// `1 item`, `2 items`.
pub(super) fn number(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

const fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Evidence => "the evidence says that the new version is worse",
        Reason::HoldLevel => "evidence against it is above the level at which promotion waits",
        Reason::PhaseEndTest => "the exact test at the end of the phase says that it is worse",
        Reason::EvidenceAssumed => {
            "the tests have crossed, and errors are only assumed to be independent"
        }
        Reason::OnlyWholePasses => "the tests cross only with all instances together",
        Reason::NotBoth => "one of two methods says that it is worse, the other does not",
        Reason::BadInstance => "one instance is worse than the others",
        Reason::RollbackBand => "beyond its rollback bound",
        Reason::AlertBand => "beyond its alert bound",
        Reason::CriterionMissed => "its success bound was missed when the phase was due",
        Reason::Between => "its bound lies within one bucket, so it cannot be told",
        Reason::TooFewTrials => "too few requests yet",
        Reason::NoData => "no reading",
        Reason::Stale => "its last reading is too old",
        Reason::NotJudged => "nothing judges it: no bound, no test, no reference",
        Reason::NotFinite => "its reading is not a finite number",
        Reason::Gaps => "readings cover less than the phase's least time",
        Reason::NotShownSafe => "not yet shown to be no worse than the margin",
        Reason::EfficacyNotShown => "the fix is not yet shown to work",
        Reason::SplitNotAsPlanned => "the traffic does not split as planned",
        Reason::ArmsSwapped => "the two versions look swapped",
        Reason::IdenticalArms => "both versions read one series",
        Reason::Undecided => "the phase's longest time is over",
        Reason::CannotDecide => "what it must show cannot be shown in the time that is left",
        Reason::WillFail => "a success bound can no longer be met in the time that is left",
    }
}

/// What a verdict asks for.
pub(super) const fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Continue => "go on",
        Decision::Hold => "hold",
        Decision::Promote => "the phase may be passed",
        Decision::RollBack => "go back",
        Decision::Ask => "a person has to decide",
    }
}

/// Why it went back.
pub(super) fn rollback_cause(policy: &Policy, cause: &RollbackCause) -> String {
    match cause {
        RollbackCause::Verdict { causes: all } => causes(policy, all),
        RollbackCause::Signal { signal } => format!("{} was reported", words(signal.as_str())),
        RollbackCause::Person => "a person asked for it".to_owned(),
        RollbackCause::Revert { version } => format!("a person asked for {version} at once"),
        RollbackCause::ActionFailed => "moving traffic failed".to_owned(),
        RollbackCause::Abort => "a person aborted".to_owned(),
    }
}

/// What it means that a stage was entered.
pub(super) fn stage(plan: &Plan, stage: &Stage) -> String {
    let release = &plan.subject().release;
    let share = |index: usize| {
        let phase = plan.policy().phases().get(index);
        phase.map_or_else(String::new, |phase| format!(" ({})", percent(phase.share)))
    };
    match stage {
        Stage::Preparing => format!("{} is prepared", release.version),
        Stage::Deploying(step) => format!("phase {}{} is deployed", step.phase, share(step.index)),
        Stage::Monitoring(step) => {
            format!("phase {}{} is watched", step.phase, share(step.index))
        }
        Stage::Gate { step, until } => match until {
            Some(until) => {
                format!(
                    "phase {} is to be passed unless somebody objects by {}",
                    step.phase,
                    utc(*until)
                )
            }
            None => format!("phase {} waits for a person to decide", step.phase),
        },
        Stage::FinalValidation { .. } => "the final validation began".to_owned(),
        Stage::Complete { ending: Some(_), .. } => {
            "what was held back gets the new version too".to_owned()
        }
        Stage::Complete { ending: None, .. } => {
            format!("complete: {} has the traffic, and is still watched", release.version)
        }
        Stage::Closed => "the rollout was closed".to_owned(),
        Stage::RollingBack(way) => way_back(plan, way),
        Stage::RolledBack => format!("{} runs again, and was looked at", release.previous),
        Stage::Paused { from, .. } => {
            let at = match from {
                Resume::Deploying(step) | Resume::Monitoring(step) | Resume::Gate(step) => {
                    format!(" in phase {}", step.phase)
                }
                Resume::FinalValidation { .. } => " in the final validation".to_owned(),
            };
            format!("the clock stands{at}")
        }
        Stage::Frozen { why, tried, .. } => {
            let because =
                if *tried { "every way back failed" } else { "it cannot go back by itself" };
            format!(
                "traffic stays where it is and a person has to act: {because} ({})",
                rollback_cause(plan.policy(), why)
            )
        }
        Stage::Aborted => "stopped for good".to_owned(),
        Stage::Failed => "the deployment failed before any traffic moved".to_owned(),
    }
}

fn way_back(plan: &Plan, way: &WayBack) -> String {
    let previous = &plan.subject().release.previous;
    let method = plan.methods().get(way.method);
    let by = method.map_or_else(String::new, |of| format!(" by {}", words(of.kind.as_str())));
    if way.watching.is_some() {
        format!("{previous} has the traffic again, and it is watched whether its level returns")
    } else if way.returning.is_some() {
        format!(
            "going back to {previous} in steps of traffic: {}",
            rollback_cause(plan.policy(), &way.why)
        )
    } else {
        format!("going back to {previous}{by}: {}", rollback_cause(plan.policy(), &way.why))
    }
}

/// What somebody did, and why, in their words. `about`: the action that a `confirm` or `failed` is about.
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
                what.push_str(", heard by somebody else");
            }
            (what, why.clone())
        }
        Command::Deny { why, .. } => ("denied the plan".to_owned(), why.clone()),
        Command::Withdraw { why, .. } => ("took the approval back".to_owned(), why.clone()),
        Command::CheckItem { item: id, status, evidence } => {
            let text = item(policy, *id);
            let what = match status {
                ItemStatus::Done => format!("checked: {text}"),
                ItemStatus::NotApplicable => format!("does not apply: {text}"),
                ItemStatus::Open => format!("open again: {text}"),
            };
            (what, evidence.clone())
        }
        Command::WaiveItem { item: id, role, why } => {
            let role = role.map(|role| format!(" as {}", policy.role_title(role)));
            let what = format!("waived{}: {}", role.unwrap_or_default(), item(policy, *id));
            (what, Some(why.clone()))
        }
        Command::Start => ("started".to_owned(), None),
        Command::Confirm { .. } => (format!("done: {}", done(about)), None),
        Command::Failed { why, .. } => (format!("failed: {}", done(about)), why.clone()),
        Command::Observe { .. } => ("metrics were read".to_owned(), None),
        Command::Tick => ("time was looked at".to_owned(), None),
        Command::Promote { why } => ("let the phase pass".to_owned(), why.clone()),
        Command::Hold { why } => ("objected to going on".to_owned(), why.clone()),
        Command::Pause { why } => ("paused".to_owned(), why.clone()),
        Command::Resume { why } => ("resumed".to_owned(), why.clone()),
        Command::Abort { why } => ("aborted".to_owned(), why.clone()),
        Command::RollBack { why } => ("asked to go back".to_owned(), why.clone()),
        Command::Revert { version, why } => {
            (format!("asked for {version} at once"), Some(why.clone()))
        }
        Command::Supersede { release, why } => (
            format!("put {} in the place of the release under way", release.version),
            Some(why.clone()),
        ),
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
            (format!("took on: {}", duty(policy, *id)), evidence.clone())
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
            (format!("made known: {}", known.join(", ")), why.clone())
        }
        Command::SetTimes { times, why } => {
            let known: Vec<String> = times
                .iter()
                .map(|(time, at)| match at {
                    Some(at) => format!("{} at {}", words(time.as_str()), utc(*at)),
                    None => format!("{} did not come yet", words(time.as_str())),
                })
                .collect();
            (format!("gave times: {}", known.join(", ")), why.clone())
        }
        Command::Note { text } => (format!("noted: {text}"), None),
    }
}

/// A value as people read it.
fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Bool(true) => "yes".to_owned(),
        serde_json::Value::Bool(false) => "no".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => "unknown".to_owned(),
        other => other.to_string(),
    }
}
