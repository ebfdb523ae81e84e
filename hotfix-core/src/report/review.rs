//! Review part of the report: what went well, what to improve, action items, and open points. All
//! of it follows from the log, and no person is named as a cause. What the detection, the resolution
//! and the tables of the report say is not repeated.

use std::collections::BTreeMap;

use crate::deadline::{ALREADY_DONE, Awaits, Duties, Item, Source};
use crate::fact::{Fact, Truth};
use crate::gate::approval::Demand;
use crate::gate::checklist::{self, Known};
use crate::gate::{Exception, ItemState, ListStatus, is_same_person};
use crate::grade::{ChecklistMoment, DutyKind, Moment};
use crate::plan::{Plan, Power};
use crate::policy::Policy;
use crate::policy::section::Report as Asked;
use crate::rollout::{Input, Rollout, State};
use crate::text::{self, counted, joined, plain};
use crate::unit::Name;

use super::describe::{self, lasting, utc};
use super::log_summary::LogSummary;
use super::model::{
    ActionItem, CriterionPart, DutyOutcome, DutyPart, PhaseEnd, PhaseVisit, QuestionPart, Report,
    Statement,
};
use super::statements::{self, Answers, Topic};

pub(super) fn stated(log: &LogSummary, topic: Topic) -> Vec<Statement> {
    of(log, &Answers::Topic(topic))
}

fn of(log: &LogSummary, wanted: &Answers) -> Vec<Statement> {
    let found = log.statements.iter().filter(|(answers, _)| answers == wanted);
    found.map(|(_, statement)| statement.clone()).collect()
}

pub(super) fn questions(asked: Option<&Asked>, log: &LogSummary) -> Vec<QuestionPart> {
    let questions = asked.map(|asked| asked.questions.as_slice()).unwrap_or_default();
    parts(questions, Answers::Question, log)
}

/// The policy's sections.
pub(super) fn custom_sections(asked: Option<&Asked>, log: &LogSummary) -> Vec<QuestionPart> {
    let sections = asked.map(|asked| asked.sections.as_slice()).unwrap_or_default();
    parts(sections, Answers::Section, log)
}

/// What was stated about each of these.
fn parts(asked: &[String], about: fn(usize) -> Answers, log: &LogSummary) -> Vec<QuestionPart> {
    let part = |(place, question): (usize, &String)| QuestionPart {
        question: question.clone(),
        answers: of(log, &about(place)),
        answered_in: None,
    };
    asked.iter().enumerate().map(part).collect()
}

/// A word in the name of a policy's section, and whether the built-in section that it names has
/// content, or is asked for in any case.
type Covered = (&'static str, fn(&Report) -> bool);

/// The words that name a built-in section; of several, the first counts.
const COVERED: &[Covered] = &[
    ("summary", |_| true),
    ("timeline", |_| true),
    ("beginning to end", |_| true),
    // With their reasons and results they are in the timeline.
    ("decisions", |_| true),
    ("detection", |_| true),
    ("root cause", |_| true),
    ("prevention", |_| true),
    ("impact", |_| true),
    ("resolution", |report| {
        !report.resolution.is_empty() || report.statements.contains_key("resolution")
    }),
    ("went well", |report| {
        !report.went_well.is_empty() || report.statements.contains_key("went_well")
    }),
    ("improve", is_improved),
    ("went wrong", is_improved),
    ("action", |report| !report.action_items.is_empty()),
];

fn is_improved(report: &Report) -> bool {
    !report.to_improve.is_empty() || report.statements.contains_key("to_improve")
}

/// Whether a built-in section has what a section of the policy asks for.
pub(super) fn is_covered(report: &Report, section: &str) -> bool {
    let name = plain(statements::head(section));
    let known = COVERED.iter().find(|(word, _)| name.contains(word));
    known.is_some_and(|(_, is_filled)| is_filled(report))
}

/// Questions, the section that answers them, and whether the log does.
type Answer = (&'static [&'static str], &'static str, fn(&Rollout, &Report) -> bool);

/// The sections that answer questions from the log: the questions as [`plain`] writes them, the
/// section, and whether the log answers them. Only these very questions are known: one that asks
/// for more stays open until somebody answers it.
const ANSWERED: &[Answer] = &[
    (&["what happened"], "Summary", |_, report| report.incident.title.is_some()),
    (
        &["when was it noticed", "when was it detected", "when was the incident detected"],
        "Summary",
        |rollout, _| rollout.moment(Moment::Detected).is_some(),
    ),
    (&["who was affected", "how many users were affected"], "Impact", |_, report| {
        knows_users(report) || report.statements.contains_key("impact")
    }),
    (&["how long", "how long did it last"], "Summary", |rollout, _| {
        rollout.beginning().is_some() && rollout.moment(Moment::Resolved).is_some()
    }),
    (&["why did it happen", "what was the root cause"], "Root cause", |_, report| {
        knows_cause(report)
    }),
    (
        &["which conditions led to it", "which factors contributed"],
        "Contributing factors",
        |_, report| !report.conditions.is_empty(),
    ),
    (
        &["why was it not caught before", "why was it not caught earlier"],
        "Faults that each phase could have missed",
        |_, report| report.statements.contains_key("not_caught_earlier"),
    ),
    (&["what was fixed"], "Resolution, deployment and verification", |_, report| {
        report.release.as_ref().is_some_and(|release| release.description.is_some())
            && !report.resolution.is_empty()
    }),
    (&["how was it deployed"], "Resolution, deployment and verification", |_, report| {
        !report.resolution.is_empty()
    }),
    (&["how was it verified"], "Resolution, deployment and verification", |_, report| {
        report.phases.iter().any(|visit| visit.end == PhaseEnd::Passed)
            || report.statements.contains_key("verification")
    }),
    (&["what can be improved"], "What to improve", |_, report| is_improved(report)),
    (&["how is a recurrence prevented"], "Prevention", |_, report| !report.prevention.is_empty()),
];

/// The section that answers a question from the log; None where it does not.
pub(super) fn answered_in(
    rollout: &Rollout,
    report: &Report,
    question: &str,
) -> Option<&'static str> {
    let question = plain(question);
    let known = ANSWERED.iter().find(|(asked, ..)| asked.contains(&question.as_str()));
    known.filter(|(.., is_answered)| is_answered(rollout, report)).map(|(_, section, _)| *section)
}

fn knows_users(report: &Report) -> bool {
    report.impact.facts.contains_key(Fact::UsersAffected.as_str())
}

fn knows_cause(report: &Report) -> bool {
    !report.root_cause.is_empty()
        || report.cause_by_author.is_some()
        || report.link_to_cause().is_some()
}

/// What went well besides what the detection and the resolution say.
pub(super) fn went_well(
    rollout: &Rollout,
    log: &LogSummary,
    duties: &[DutyPart],
    visits: &[PhaseVisit],
) -> Vec<String> {
    let mut well = Vec::new();
    let kept = duties.iter().filter(|duty| duty.status == DutyOutcome::Kept).count();
    if kept > 0 {
        well.push(format!("{} done in time.", counted(kept, "duty was", "duties were")));
    }
    let passed = visits.iter().filter(|visit| visit.end == PhaseEnd::Passed).count();
    if passed > 0 && worse_than_found(rollout, log, visits).next().is_none() {
        let phases = counted(passed, "phase was", "phases were");
        well.push(format!("{phases} passed on the evidence of the readings."));
    }
    for back in log.rollbacks.iter().filter(|back| back.cause.is_found()) {
        let visit = visits.iter().find(|visit| visit.until == Some(back.asked));
        let share = visit
            .map_or_else(String::new, |visit| format!(", with {} of the traffic", visit.share));
        well.push(format!("The metrics found the bad release {}{share}.", back.version));
    }
    if let Some(since) = log.shown_to_work(rollout) {
        well.push(format!("The fix was shown to work at {}.", utc(since)));
    }
    well
}

/// Metrics that are worse with the fix by less than the test finds, unless it was rolled back.
fn worse_than_found(
    rollout: &Rollout,
    log: &LogSummary,
    visits: &[PhaseVisit],
) -> impl Iterator<Item = String> {
    let passed = visits.iter().any(|visit| visit.end == PhaseEnd::Passed);
    let stays = passed && log.rollbacks.is_empty();
    let metrics = rollout.plan().policy().metrics().iter().filter(move |_| stays);
    metrics.filter_map(|metric| {
        let excess = rollout.excess(metric.id)?;
        Some(format!("{} passed with {excess}, which the test did not find.", metric.title))
    })
}

pub(super) fn to_improve(
    rollout: &Rollout,
    log: &LogSummary,
    duties: &[DutyPart],
    visits: &[PhaseVisit],
    power: &Power,
) -> Vec<String> {
    let mut improve = Vec::new();
    let late = |duty: &&DutyPart| matches!(duty.status, DutyOutcome::Missed | DutyOutcome::Late);
    let late: Vec<String> = duties.iter().filter(late).map(|duty| duty.title.clone()).collect();
    if !late.is_empty() {
        let duties = counted(late.len(), "duty was", "duties were");
        improve.push(format!("{duties} missed or done late: {}.", joined(&late, "; ")));
    }
    let failed = log.failed.iter();
    improve.extend(
        failed
            .map(|(at, what)| text::ended(&format!("This action failed at {}: {what}", utc(*at)))),
    );
    let cadence = rollout.plan().policy().watch().stale;
    let silent = visits.iter().filter(|visit| visit.longest_silence > cadence);
    improve.extend(silent.map(|visit| {
        format!("Phase {} had no readings for {}.", visit.phase, lasting(visit.longest_silence))
    }));
    improve.extend(log.asked_late.iter().map(|(at, why)| {
        text::ended(&format!("After the completion a person was asked at {}: {why}", utc(*at)))
    }));
    let overridden = visits.iter().filter_map(|visit| Some((visit.phase, visit.passed_without?)));
    improve.extend(
        overridden.map(|(phase, why)| format!("Phase {phase} was passed by a person: {why}.")),
    );
    improve.extend(worse_than_found(rollout, log, visits));
    for visit in visits.iter().filter(|visit| visit.end == PhaseEnd::RolledBack) {
        let has_passed = |of: &PhaseEnd| matches!(of, PhaseEnd::Passed | PhaseEnd::Overridden);
        let before = visits.iter().filter(|of| of.attempt == visit.attempt && has_passed(&of.end));
        let before: Vec<String> = before.map(|other| other.phase.to_string()).collect();
        if !before.is_empty() {
            let back = log.rollbacks.iter().find(|back| back.attempt == visit.attempt);
            let version = back.map_or("The release", |back| &back.version);
            let (phase, passed) = (visit.phase, text::enumerated(&before));
            improve.push(format!(
                "{version} was rolled back in phase {phase} after it had passed {passed}."
            ));
        }
    }
    improve.extend(log.waivers.improvements());
    // Whoever confirms what was settled a moment before did as they were asked.
    let refused = log.refused.iter().filter(|(code, _)| *code != ALREADY_DONE);
    let (codes, counts): (Vec<_>, Vec<u64>) = refused.unzip();
    let refused: u64 = counts.iter().sum();
    if refused > 0 {
        let inputs = counted(refused, "input was", "inputs were");
        // Of one code the log has one line a minute.
        let codes = joined(codes, ", ");
        improve.push(format!("At least {inputs} refused ({codes})."));
    }
    if log.odd_clock > 0 {
        improve.push(format!(
            "{} from a sender whose clock was wrong.",
            counted(log.odd_clock, "line came", "lines came")
        ));
    }
    // Gates that stop many healthy fixes are a fault of the policy, whatever the outcome was.
    improve.extend(failed_by_chance(rollout.plan().policy(), power));
    improve
}

/// What was waived.
#[derive(Debug, Default)]
pub(super) struct Waivers {
    /// Items of checklists.
    items: u64,
    /// Whether the author of the fix alone waived the exception.
    exceptions: BTreeMap<Exception, bool>,
}

impl Waivers {
    pub(super) fn take(&mut self, plan: &Plan, input: &Input, item: Name) {
        match checklist::find(plan.policy(), item) {
            Some(Known::Item(_)) => self.items += 1,
            Some(Known::Exception(exception)) => {
                let author = plan.release().and_then(|release| release.author.as_deref());
                let both = author.zip(input.by.as_deref());
                let is_author = both.is_some_and(|(author, by)| is_same_person(author, by));
                *self.exceptions.entry(exception).or_insert(true) &= is_author;
            }
            _ => {}
        }
    }

    fn improvements(&self) -> impl Iterator<Item = String> {
        let exceptions = self.exceptions.iter().map(|(exception, by_author)| {
            let by = if *by_author { ", by the author of the fix alone" } else { "" };
            format!("The {} was waived{by}.", text::words(exception.as_str()))
        });
        let items = counted(self.items, "checklist item was", "checklist items were");
        exceptions.chain((self.items > 0).then(|| format!("{items} waived.")))
    }
}

/// How few healthy fixes would pass all gates. The chances of the metrics are multiplied.
fn failed_by_chance(policy: &Policy, power: &Power) -> Option<String> {
    let metrics = || power.leading.iter().chain(&power.metrics);
    let all_gates: f64 = metrics().map(|metric| metric.all_gates).product();
    let titles: Vec<String> = metrics().map(|of| policy.metric_title(of.metric)).collect();
    let (by, if_independent) = match titles.as_slice() {
        [one] => (one.clone(), ""),
        _ => (text::enumerated(&titles), ", as if they were independent of each other"),
    };
    (all_gates < 0.8).then(|| {
        format!(
            "Judged by {by}{if_independent}, only {} of 100 healthy fixes would pass all gates of \
             this policy; the others fail by chance.",
            describe::figure((100.0 * all_gates).round())
        )
    })
}

/// Action items: the duties after the incident, and the action items in notes.
pub(super) fn action_items(
    rollout: &Rollout,
    duties: &Duties<'_>,
    parts: &[DutyPart],
    log: &LogSummary,
) -> Vec<ActionItem> {
    // What follows the success of a fix is not to be done for one that is not live.
    let ended = super::duties::ended_without_the_fix(rollout);
    let mut items: Vec<ActionItem> = super::duties::all(duties)
        .filter(|item| is_for_after(item) && !(ended && super::duties::awaits_the_fix(item)))
        .filter_map(|item| {
            let part = parts.iter().find(|part| part.id == item.id)?;
            (part.status != DutyOutcome::Over).then(|| ActionItem {
                task: part.title.clone(),
                owner: part.role.clone(),
                deadline: part.due.map(utc).or_else(|| future_deadline(rollout, item)),
                success_criterion: Some("it is recorded as done, with evidence".to_owned()),
                done: part.done_at().is_some(),
                duty: Some(item.id),
            })
        })
        .collect();
    let noted = stated(log, Topic::Action);
    items.extend(noted.iter().map(|statement| statements::action(&statement.text)));
    items.extend(policy_review(rollout));
    items
}

/// The review of the policy after each hot-fix, where its change record wants one, and one is or may
/// still be deployed.
fn policy_review(rollout: &Rollout) -> Option<ActionItem> {
    let policy = rollout.plan().policy();
    let record = policy.change_record()?;
    let is_wanted = record.review.is_some_and(|review| review.after_each);
    let is_hotfix = rollout.moment(Moment::DeployStarted).is_some() || !rollout.state().is_final();
    (is_wanted && rollout.plan().release().is_some() && is_hotfix).then(|| ActionItem {
        task: format!("review the policy `{}`, as after each hot-fix", policy.name()),
        owner: record.owner().map(str::to_owned),
        deadline: None,
        success_criterion: Some("its change record has a new date".to_owned()),
        done: false,
        duty: None,
    })
}

/// Whether a duty is an action item after the incident: not a page or update during it, and of the
/// fixes only the permanent one.
fn is_for_after(item: &Item<'_>) -> bool {
    match item.kind {
        // A list that is complete before the deployment is no part of what follows.
        _ if item.source == Source::Checklist && item.from < Moment::Deployed => false,
        DutyKind::FollowUp | DutyKind::Write | DutyKind::Review | DutyKind::Meet => true,
        DutyKind::Fix => item.from >= Moment::Deployed,
        DutyKind::Act
        | DutyKind::Approve
        | DutyKind::Notify
        | DutyKind::Update
        | DutyKind::Page
        | DutyKind::Escalate
        | DutyKind::Watch => false,
    }
}

/// The deadline of a duty whose time has not begun: `24h after resolved`.
fn future_deadline(rollout: &Rollout, item: &Item<'_>) -> Option<String> {
    let duty = rollout.plan().policy().duties().iter().find(|duty| duty.id == item.id)?;
    Some(match item.awaits? {
        Awaits::Moment(moment) => {
            let within =
                duty.within.within().map_or_else(|| text::words(&duty.within.to_string()), lasting);
            format!("{within} after {}", text::words(moment.as_str()))
        }
        Awaits::Day(day) => text::words(day.as_str()),
        Awaits::Escalation => return None,
    })
}

/// What an action item needs where the policy does not say.
const ACTION_FIELDS: [&str; 3] = ["owner", "deadline", "success criterion"];

/// Open points: what nobody has stated, and what is not done.
pub(super) fn open(rollout: &Rollout, report: &Report) -> Vec<String> {
    let mut open = Vec::new();
    let mut ask = |missing: bool, what: &str| {
        if missing {
            open.push(what.to_owned());
        }
    };
    let is_missing = |topic: &str| !report.statements.contains_key(topic);
    ask(rollout.moment(Moment::Began).is_none(), "when the incident began");
    ask(rollout.moment(Moment::Detected).is_none(), "when it was detected");
    ask(is_missing("detection"), "how it was detected");
    ask(!knows_users(report) && is_missing("impact"), "how many users were affected");
    ask(!knows_cause(report), "the root cause");
    ask(report.conditions.is_empty(), "the contributing factors");
    ask(report.prevention.is_empty(), "how a recurrence is prevented");
    let is_open = |part: &&QuestionPart| part.answers.is_empty() && part.answered_in.is_none();
    let questions = report.questions.iter().filter(is_open);
    open.extend(questions.map(|part| part.question.clone()));
    let sections = report.custom_sections.iter().filter(is_open);
    let name = |part: &QuestionPart| statements::head(&part.question).to_owned();
    open.extend(sections.map(|part| format!("the section “{}”: not written yet", name(part))));
    let asked = rollout.plan().policy().report().map(|report| report.action_item.as_slice());
    let asked = asked.filter(|fields| !fields.is_empty());
    let asked = asked.map_or(ACTION_FIELDS.to_vec(), |of| of.iter().map(String::as_str).collect());
    for item in &report.action_items {
        let lacks = asked.iter().filter(|field| !statements::has_field(item, field));
        let lacking = joined(lacks.map(|field| format!("no {field}")), ", ");
        if !lacking.is_empty() && !item.done {
            open.push(format!("{}: {lacking}", item.task));
        }
    }
    let overdue = &rollout.duties(report.as_of).overdue;
    open.extend(overdue.iter().map(|item| format!("{}: overdue", item.title)));
    let is_started = report.phases.iter().any(|visit| visit.attempt == rollout.attempt());
    if is_started {
        open.extend(approvals_missing(rollout));
        open.extend(rollout.hotfix_in_doubt());
    }
    let lists = rollout.checklists();
    open.extend(
        lists.iter().filter(|list| is_due(rollout, list, is_started)).filter_map(unchecked),
    );
    if rollout.moment(Moment::Verified).is_some() {
        let all = &report.success_criteria;
        let is_open =
            |part: &&CriterionPart| part.state == ItemState::Open && part.against.is_none();
        let open_ones = all.iter().filter(is_open).count();
        let text = format!("success criteria: {open_ones} of {} were not confirmed", all.len());
        open.extend((open_ones > 0).then_some(text));
    }
    let back = matches!(report.state, State::RolledBack | State::Aborted | State::Failed);
    if back && rollout.moment(Moment::Resolved).is_none() {
        let live = match rollout.live_version() {
            Some(version) => format!("{version} is live"),
            None => "there was no release".to_owned(),
        };
        open.push(format!(
            "the fault itself: {live}, and the incident is not recorded as resolved"
        ));
    }
    open
}

/// The approvals that nobody gave before the start, because the severity has changed since.
fn approvals_missing(rollout: &Rollout) -> Vec<String> {
    let policy = rollout.plan().policy();
    let demands = rollout.approvals().demands;
    let missing = demands.iter().filter(|demand| demand.holds_start && !demand.is_met());
    let sentence = |demand: &Demand| {
        let roles = demand.any_of.iter().map(|role| policy.role_title(*role));
        let how = if demand.lacks_writing().is_some() { " in writing" } else { "" };
        format!("approval by {}: not given{how}", joined(roles, " or "))
    };
    missing.map(sentence).collect()
}

/// Whether the time of a list that applies has come, and no duty asks for it; this attempt `is_started`.
fn is_due(rollout: &Rollout, list: &ListStatus, is_started: bool) -> bool {
    let came = |moment| rollout.moment(moment).is_some();
    let is_its_time = match list.at {
        // Where they are open after the start, the severity or a fact has changed since.
        ChecklistMoment::Start | ChecklistMoment::Before => is_started,
        ChecklistMoment::FinalValidation => false,
        ChecklistMoment::Deployed => came(Moment::Deployed),
        ChecklistMoment::Verified => came(Moment::Verified),
        // Also of an earlier attempt: what it failed for is still to be found.
        ChecklistMoment::RolledBack => came(Moment::RolledBack),
        ChecklistMoment::After => rollout.state() == State::Closed,
    };
    let severity = rollout.severity();
    let mut duties = rollout.plan().policy().duties().iter();
    let has_duty = list.within.is_some()
        || duties.any(|duty| {
            duty.checklist == Some(list.id) && severity.is_none_or(|of| duty.is_for(of))
        });
    is_its_time && list.applies == Truth::Yes && !has_duty
}

/// `payment issue: 3 of 3 checks were not made`.
fn unchecked(list: &ListStatus) -> Option<String> {
    let required = || list.items.iter().filter(|item| item.required);
    let open = required().filter(|item| item.state == ItemState::Open).count();
    let all = required().count();
    (open > 0).then(|| format!("{}: {open} of {all} checks were not made", list.title))
}
