//! What went well, what is to be improved, what is to be done, and what nobody has said: drawn from the log, nothing invented,
//! and no person named as a cause (POST-1, POST-2).

use crate::deadline::{Awaits, Duties, Item};
use crate::fact::{Fact, FactId};
use crate::grade::{DutyKind, Moment};
use crate::policy::section::Report as Asked;
use crate::rollout::{Rollout, State};
use crate::text;
use crate::unit::Span;

use super::model::{
    ActionItem, DutyPart, DutyStanding, PhaseEnd, PhaseVisit, QuestionPart, Report, Statement,
};
use super::said::{self, Answers, Topic};
use super::story::Story;
use super::words::{self, lasting, number, utc};

/// What was said to a topic.
pub(super) fn said(story: &Story, topic: Topic) -> Vec<Statement> {
    of(story, &Answers::Topic(topic))
}

fn of(story: &Story, wanted: &Answers) -> Vec<Statement> {
    let said = story.said.iter().filter(|(answers, _)| answers == wanted);
    said.map(|(_, statement)| statement.clone()).collect()
}

/// The policy's questions with their answers.
pub(super) fn questions(asked: Option<&Asked>, story: &Story) -> Vec<QuestionPart> {
    let questions = asked.map(|asked| asked.questions.as_slice()).unwrap_or_default();
    let part = |(place, question): (usize, &String)| QuestionPart {
        question: question.clone(),
        answers: of(story, &Answers::Question(place)),
    };
    questions.iter().enumerate().map(part).collect()
}

/// The policy's sections that none of ours has.
pub(super) fn house_sections(asked: Option<&Asked>, story: &Story) -> Vec<QuestionPart> {
    let sections = asked.map(|asked| asked.sections.as_slice()).unwrap_or_default();
    let part = |(place, section): (usize, &String)| {
        let answers = of(story, &Answers::Section(place));
        let is_shown = !answers.is_empty() || !said::is_ours(section);
        is_shown.then(|| QuestionPart { question: section.clone(), answers })
    };
    sections.iter().enumerate().filter_map(part).collect()
}

/// What went well.
pub(super) fn went_well(
    rollout: &Rollout,
    story: &Story,
    duties: &[DutyPart],
    visits: &[PhaseVisit],
) -> Vec<String> {
    let mut well = Vec::new();
    let kept = duties.iter().filter(|duty| duty.standing == DutyStanding::Kept).count();
    if kept > 0 {
        well.push(format!("{} kept in time.", number(count(kept), "duty was", "duties were")));
    }
    if rollout.started_at().is_some() && !story.approvals.is_empty() {
        let roles = story.approved_by();
        let policy = rollout.plan().policy();
        let roles: Vec<String> = roles.iter().map(|role| policy.role_title(*role)).collect();
        if !roles.is_empty() {
            well.push(format!("It was approved by {}, on record.", text::enumerated(&roles)));
        }
    }
    let passed = visits.iter().filter(|visit| visit.end == PhaseEnd::Passed).count();
    if passed > 0 {
        well.push(format!(
            "{} passed on what was read.",
            number(count(passed), "phase was", "phases were")
        ));
    }
    if let Some(since) = story.works_since {
        let started = story.first_moments.get(&Moment::DeployStarted);
        let after = started.map_or_else(String::new, |started| {
            format!(", {} after the deployment began", lasting(since.since(*started)))
        });
        well.push(format!("The fix was shown to work{after}."));
    }
    for back in &story.back {
        if back.by_verdict {
            let share = visits
                .iter()
                .find(|visit| visit.until == Some(back.asked))
                .map_or_else(String::new, |visit| {
                    format!(", with {} of the traffic on it", words::percent(visit.share))
                });
            well.push(format!(
                "The bad release was found by what was read, at {}{share}.",
                utc(back.asked)
            ));
        }
        if back.tried.len() == 1 && back.confirmed.is_some() {
            well.push("The first way back worked.".to_owned());
        }
        if let (Some(confirmed), Some(returned)) = (back.confirmed, back.returned) {
            well.push(format!(
                "What was read was back at its level {} after the way back was done.",
                lasting(returned.since(confirmed))
            ));
        }
    }
    well
}

/// What is to be improved.
pub(super) fn to_improve(
    rollout: &Rollout,
    story: &Story,
    duties: &[DutyPart],
    visits: &[PhaseVisit],
    sight: &crate::plan::Sight,
) -> Vec<String> {
    let mut improve = Vec::new();
    for duty in duties {
        match duty.standing {
            DutyStanding::Missed | DutyStanding::Late => improve.push(missed(duty)),
            DutyStanding::Kept | DutyStanding::Open | DutyStanding::Over | DutyStanding::Done => {}
        }
    }
    for (at, what) in &story.failed {
        improve.push(format!("It failed at {}: {what}.", utc(*at)));
    }
    let cadence = rollout.plan().policy().watch().stale;
    let silent = visits.iter().filter(|visit| visit.longest_silence > cadence);
    improve.extend(silent.map(|visit| {
        format!("In phase {} nothing was read for {}.", visit.phase, lasting(visit.longest_silence))
    }));
    let back = visits.iter().filter(|visit| visit.end == PhaseEnd::RolledBack);
    for visit in back {
        let before: Vec<String> = visits
            .iter()
            .filter(|other| other.attempt == visit.attempt && other.end == PhaseEnd::Passed)
            .map(|other| other.phase.to_string())
            .collect();
        if !before.is_empty() {
            improve.push(format!(
                "The release went back in phase {}, and had passed {} before.",
                visit.phase,
                text::enumerated(&before)
            ));
        }
    }
    let reported =
        story.signals.iter().find(|(at, _)| story.back.iter().any(|back| *at <= back.asked));
    if let Some((at, signal)) = reported {
        improve.push(format!(
            "Trouble was reported before a verdict found it: {}, at {}.",
            text::words(signal.as_str()),
            utc(*at)
        ));
    }
    if rollout.attempt() > 1 {
        improve.push(format!("It took {} attempts.", rollout.attempt()));
    }
    if story.waived > 0 {
        improve.push(format!("{} waived.", number(story.waived, "item was", "items were")));
    }
    let refused: u64 = story.refused.values().sum();
    if refused > 0 {
        let codes: Vec<&str> = story.refused.keys().map(String::as_str).collect();
        improve.push(format!(
            "{} not taken ({}).",
            number(refused, "input was", "inputs were"),
            codes.join(", ")
        ));
    }
    if story.odd_clock > 0 {
        improve.push(format!(
            "{} from a clock that was ahead or behind.",
            number(story.odd_clock, "line came", "lines came")
        ));
    }
    // A gate that luck decides as often as not is a fault of the policy, whatever came of it.
    if let Some(leading) = sight.leading.as_ref().filter(|leading| leading.all_gates < 0.8) {
        improve.push(format!(
            "By luck alone only {} of 100 healthy fixes pass all gates of this policy.",
            words::figure((100.0 * leading.all_gates).round())
        ));
    }
    improve
}

fn missed(duty: &DutyPart) -> String {
    let whose = duty.role.as_ref().map_or_else(String::new, |role| format!(" ({role})"));
    let due = duty.due.map_or_else(String::new, |due| format!(", due {}", utc(due)));
    match (duty.standing, duty.missed, duty.settled) {
        (_, Some(missed), _) => {
            let times = duty.times.unwrap_or_default();
            let [missed, times] = [missed, times].map(|count| number(count, "time", "times"));
            format!("{}{whose}: missed {missed}, done {times}.", duty.title)
        }
        (DutyStanding::Late, None, Some(settled)) => {
            let late = duty.due.map_or_else(Span::default, |due| settled.since(due));
            format!("{}{whose}{due}: done {} late.", duty.title, lasting(late))
        }
        _ if duty.kind == DutyKind::Escalate || duty.kind == DutyKind::Page => {
            format!("{}{whose}{due}: nobody acknowledged it.", duty.title)
        }
        _ => format!("{}{whose}{due}: not done in time.", duty.title),
    }
}

/// What is to be done: the duties of the time after, and what notes ask for.
pub(super) fn action_items(
    rollout: &Rollout,
    duties: &Duties<'_>,
    parts: &[DutyPart],
    story: &Story,
) -> Vec<ActionItem> {
    let lists =
        [&duties.overdue, &duties.due, &duties.next, &duties.undated, &duties.later, &duties.done];
    let mut items: Vec<ActionItem> = lists
        .into_iter()
        .flatten()
        .filter(|item| is_for_after(item))
        .filter_map(|item| {
            let part = parts.iter().find(|part| part.id == item.id)?;
            if part.standing == DutyStanding::Over {
                return None;
            }
            Some(ActionItem {
                task: part.title.clone(),
                owner: part.role.clone(),
                deadline: part.due.map(utc).or_else(|| in_words(rollout, item)),
                success_criterion: Some("it is recorded as done, with what shows it".to_owned()),
                done: part.settled.is_some(),
                duty: Some(item.id),
            })
        })
        .collect();
    items.extend(said(story, Topic::Action).into_iter().map(|statement| {
        let noted = said::action(&statement.text);
        ActionItem {
            task: noted.task,
            owner: noted.owner,
            deadline: noted.deadline,
            success_criterion: noted.success,
            done: false,
            duty: None,
        }
    }));
    items
}

/// Whether it belongs to the time after: not the calls and updates while it lasts, and of fixes the lasting one.
fn is_for_after(item: &Item<'_>) -> bool {
    match item.kind {
        DutyKind::FollowUp | DutyKind::Write | DutyKind::Review | DutyKind::Meet => true,
        DutyKind::Fix => item.from >= Moment::Deployed,
        DutyKind::Act
        | DutyKind::Approve
        | DutyKind::Tell
        | DutyKind::Update
        | DutyKind::Page
        | DutyKind::Escalate
        | DutyKind::Watch => false,
    }
}

/// When something is due whose time has not begun: `24h after resolved`.
fn in_words(rollout: &Rollout, item: &Item<'_>) -> Option<String> {
    let duty = rollout.plan().policy().duties().iter().find(|duty| duty.id == item.id)?;
    Some(match item.awaits? {
        Awaits::Moment(moment) => {
            let within =
                duty.within.within().map_or_else(|| text::words(&duty.within.to_string()), lasting);
            format!("{within} after: {}", text::words(moment.as_str()))
        }
        Awaits::Day(day) => text::words(day.as_str()),
        Awaits::Ladder => return None,
    })
}

/// What nobody has said, and what is still to be done.
pub(super) fn open(rollout: &Rollout, report: &Report) -> Vec<String> {
    let mut open = Vec::new();
    let mut ask = |missing: bool, what: &str| {
        if missing {
            open.push(what.to_owned());
        }
    };
    let is_unsaid = |topic: &str| report.said.get(topic).is_none_or(Vec::is_empty);
    let unknown_users = rollout.facts().get(FactId::BuiltIn(Fact::UsersAffected)).is_none();
    ask(rollout.moment(Moment::Began).is_none(), "when it began");
    ask(rollout.moment(Moment::Detected).is_none(), "when it was noticed");
    ask(is_unsaid("detection"), "how it was noticed");
    ask(unknown_users && is_unsaid("impact"), "how many users it hit");
    ask(
        report.root_cause.is_empty() && !report.release.links.contains_key("cause"),
        "the root cause",
    );
    ask(report.conditions.is_empty(), "which conditions led to it");
    ask(report.prevention.is_empty(), "what keeps it from coming back");
    for part in report.questions.iter().chain(&report.house_sections) {
        if part.answers.is_empty() {
            open.push(part.question.clone());
        }
    }
    for item in &report.action_items {
        let lacking: Vec<&str> = [
            (item.owner.is_none(), "an owner"),
            (item.deadline.is_none(), "a deadline"),
            (item.success_criterion.is_none(), "a success criterion"),
        ]
        .into_iter()
        .filter_map(|(lacks, what)| lacks.then_some(what))
        .collect();
        if !lacking.is_empty() && !item.done {
            open.push(format!("{}: it lacks {}", item.task, lacking.join(" and ")));
        }
    }
    let waiting = report.duties.iter().filter(|duty| duty.settled.is_none());
    for duty in waiting.filter(|duty| duty.standing == DutyStanding::Missed) {
        open.push(format!("{}: overdue", duty.title));
    }
    let back = matches!(report.state, State::RolledBack | State::Aborted | State::Failed);
    if back && rollout.moment(Moment::Resolved).is_none() {
        open.push(format!(
            "the fault itself: {} runs, and nobody has said that the incident is resolved",
            report.release.previous
        ));
    }
    open
}

fn count(things: usize) -> u64 {
    u64::try_from(things).unwrap_or(u64::MAX)
}
