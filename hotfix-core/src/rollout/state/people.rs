//! What people were asked and what they answered.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::getters::getters;
use crate::grade::{Audience, ChecklistMoment, MessageKind, Response, Severity};
use crate::judge::{Cause, Decision, Reason, Verdict};
use crate::plan::Incident;
use crate::policy::Policy;
use crate::policy::section::Checklist;
use crate::rollout::action::{Act, Action, ActionId};
use crate::rollout::conclude::FOLLOWERS;
use crate::rollout::describe::addressed;
use crate::rollout::input::{Command, Input, InputKind};
use crate::rollout::intervention::{Interventions, TrainNotice, is_of_a_train};
use crate::rollout::stage::Stage;
use crate::unit::Timestamp;

use super::severity_question::SeverityQuestion;
use super::unanswered::{About, Unanswered};

/// Questions, objections and orders.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, educe::Educe)]
#[educe(Clone)]
pub(crate) struct People {
    /// A person has been asked or paged about the present degradation.
    pub(super) asked: bool,
    /// The causes of the verdicts that people were asked about, as long as verdicts have one of the
    /// same metric.
    pub(super) asked_about: Vec<Cause>,
    /// A person objected, or was asked about a report or a withdrawn approval: from here on a
    /// person has to promote.
    pub(super) objected: bool,
    /// A verdict demanded a rollback, which the policy leaves to a person: from here on a person has
    /// to promote, too.
    pub(super) failed: bool,
    /// The last notice of the rollout's train.
    pub(super) train: Option<TrainNotice>,
    /// The status page was asked for: the public reads of the incident.
    pub(super) on_status_page: bool,
    /// The page's last text says that a fix is on its way, or that users have it.
    pub(super) page_promises: bool,
    /// The page's last text is not an alert.
    pub(super) page_goes_on: bool,
    /// Audiences other than the public that read an alert or an update, or were paged.
    pub(super) readers: Vec<Reader>,
    /// The severity that followers read with the last start of a deployment.
    pub(super) severity_at_start: Option<Named>,
    /// The last question, while nobody has answered it.
    pub(super) unanswered: Option<Unanswered>,
    /// An objection from before the pause, which the answer to the pause does not answer.
    pub(super) set_aside: Option<Unanswered>,
    /// The question about the severity, while nobody has answered it. The rollout does not wait for
    /// it, so it takes no other question's place.
    pub(super) about_severity: Option<Unanswered>,
    pub(super) interventions: Interventions,
}

/// An audience that read of the incident, and of its severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reader {
    pub(crate) audience: Audience,
    /// The severity at the last alert or update.
    pub(crate) severity: Option<Named>,
    /// The severity that it had read before, where that was another.
    pub(crate) before: Option<Named>,
    /// It read an update.
    pub(crate) updated: bool,
    /// It read no message: one of its people was paged.
    pub(crate) paged: bool,
}

impl Reader {
    /// Whether it read of another severity.
    pub(crate) fn read_another(self, now: Option<Severity>) -> bool {
        self.severity.map(|read| read.severity) != now
    }

    /// Whether this severity is more severe than the one that it read.
    pub(crate) fn is_below(self, severity: Option<Severity>) -> bool {
        severity.is_some_and(|now| self.severity.is_none_or(|read| now < read.severity))
    }
}

/// A severity as people read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Named {
    pub(crate) severity: Severity,
    /// Nobody gave it, and it may be a less severe one.
    pub(crate) assumed: bool,
}

impl Display for Named {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.severity.as_str())?;
        f.write_str(if self.assumed { " (assumed)" } else { "" })
    }
}

impl People {
    /// Whether its train is being rolled back, and accepts no promotion.
    pub(crate) fn train_rolls_back(&self) -> bool {
        self.train == Some(TrainNotice::RollsBack)
    }

    /// Whether nobody was asked about this cause of a verdict. While a question is open that a metric is not
    /// judged, whoever answers it reads of further ones in it.
    pub(crate) fn is_news(&self, cause: &Cause) -> bool {
        let is_open = self.unanswered.is_some() && cause.reason == Reason::NotJudged;
        let is_known =
            |known| cause.is_known_by(known) || is_open && known.reason == Reason::NotJudged;
        !self.asked_about.iter().any(is_known)
    }

    /// Whether what was asked in this stage still needs an answer.
    pub(crate) fn needs_answer(&self, stage: &Stage, decision: Decision) -> bool {
        let is_bad = decision.needs_answer();
        match stage {
            // A question about the verdict ends with it, as in a veto window; one about an objection does not.
            Stage::Monitoring(_)
            | Stage::Gate { until: Some(_), .. }
            | Stage::Complete { ending: None, .. } => self.objected() || is_bad,
            Stage::FinalValidation { .. } => self.objected() || self.asked || is_bad,
            Stage::Preparing
            | Stage::Deploying(_)
            | Stage::Gate { .. }
            | Stage::Complete { ending: Some(_), .. }
            | Stage::Paused { .. }
            | Stage::RollingBack(_)
            | Stage::Frozen { .. }
            | Stage::Failed => true,
            Stage::Aborted => {
                self.unanswered.as_ref().is_some_and(|open| open.about.is_about_the_incident())
            }
            Stage::Closed | Stage::RolledBack => false,
        }
    }

    /// Notes an input; returns whether it answers the open question, whatever that is about.
    /// `starts_after_the_end`: it asks whether to go on with a start after the end of the incident.
    pub(super) fn note(
        &mut self,
        policy: &Policy,
        at: Timestamp,
        input: &Input,
        stage: &Stage,
        starts_after_the_end: bool,
    ) -> bool {
        self.interventions.note(at, input);
        let (objects, answers) = match &input.command {
            Command::Hold { .. } => (true, true),
            // A tool may have sent it: it is no answer to a report, which it names, to a relapse or to the
            // question that the end of the incident raised. A person has to promote.
            Command::Start => {
                let is_open = |open: &Unanswered| open.about.is_kept();
                self.objected =
                    starts_after_the_end || self.unanswered.as_ref().is_some_and(is_open);
                self.failed = false;
                (self.objected, !self.objected)
            }
            Command::Release { .. }
            | Command::Promote { .. }
            | Command::Supersede { .. }
            | Command::Retry { .. } => {
                (self.objected, self.failed) = (false, false);
                // Whoever promotes has read of it: from here on worse than that is news.
                self.asked_about.retain(|cause| cause.reason != Reason::WorseThanSeen);
                (false, true)
            }
            // A response `roll_back` counts, too: on a failure the policy may ask a person.
            Command::Report { signal, .. } => {
                (stage.response_to(policy, *signal) >= Response::Ask, false)
            }
            Command::Deny { .. } | Command::Withdraw { .. } => {
                (!matches!(stage, Stage::Preparing), false)
            }
            // The question of the pause was whether to go on; what was asked before is asked again.
            Command::Resume { .. } => {
                self.asked = false;
                (false, false)
            }
            Command::Pause { .. }
            | Command::Abort { .. }
            | Command::RollBack { .. }
            | Command::Revert { .. } => (false, true),
            // A result answers a question about a late deployment or a page about a late action,
            // not what people stated.
            Command::Confirm { .. } | Command::Failed { .. } => {
                let open = self.unanswered.as_ref();
                let is_frozen = matches!(stage, Stage::Frozen { .. });
                let of_deployment = matches!(stage, Stage::Deploying(_))
                    && open.is_some_and(|open| !open.about.is_kept());
                (false, of_deployment || open.is_some_and(|open| open.page) && !is_frozen)
            }
            // A time of `resolved` answers only the question whether the incident is open again.
            Command::SetTimes { .. } => {
                if input.command.resolves() {
                    self.set_aside = self.set_aside.take().filter(|open| !open.is_relapse());
                }
                (false, self.are_answered_by(&input.command))
            }
            Command::Note { text, .. } => {
                if is_of_a_train(input) {
                    self.train = TrainNotice::of(text).or(self.train);
                }
                (false, false)
            }
            // After a rollback it shows that somebody is at work.
            Command::Acknowledge { .. } => (false, stage.is_final()),
            Command::CheckItem { .. } => {
                let of_rollback = |list: &&Checklist| list.at == ChecklistMoment::RolledBack;
                let mut lists = policy.checklists().iter().filter(of_rollback);
                let checks = |list: &Checklist| {
                    input.command.items().any(|id| list.items.iter().any(|item| item.id == id))
                };
                (false, stage.is_final() && lists.any(checks))
            }
            Command::Approve { .. }
            | Command::WaiveItem { .. }
            | Command::Observe { .. }
            | Command::Tick
            | Command::SetFacts { .. }
            | Command::SetSeverity { .. }
            | Command::Done { .. } => (false, false),
        };
        self.objected |= objects;
        answers
    }

    /// Whether an input after the completion answers the open question.
    pub(crate) fn are_answered_by(&self, command: &Command) -> bool {
        let open = self.unanswered.as_ref();
        let is_over = || open.is_some_and(|open| open.about.is_about_the_incident());
        match command {
            Command::Promote { .. } => true,
            Command::SetTimes { .. } => command.resolves() && is_over(),
            _ => false,
        }
    }

    /// Whether one of these actions asks about more than the severity.
    pub(super) fn asks_about_rollout(&self, actions: &[Action]) -> bool {
        let of_severity = |text: &str| {
            self.about_severity.as_ref().is_some_and(|open| text.starts_with(&open.text))
        };
        actions.iter().any(
            |action| matches!(&action.act, Act::AskDecision { question } if !of_severity(question)),
        )
    }

    /// Notes a verdict; `asks`: it asks a person; `at_the_end`: the final validation is over.
    pub(super) fn note_verdict(&mut self, verdict: &Verdict, asks: bool, at_the_end: bool) {
        let Verdict { causes, decision, .. } = verdict;
        if asks {
            // A repeated question adds no cause twice.
            let new =
                causes.iter().filter(|cause| self.is_news(cause)).cloned().collect::<Vec<_>>();
            self.asked_about.extend(new);
        }
        // A cause that has ended is forgotten: if it comes back, it is news.
        self.asked_about.retain(|known| causes.iter().any(|cause| known.lasts_with(cause)));
        self.failed |= matches!(decision, Decision::RollBack);
        // At the end a person is asked although nothing is wrong, and may take a while to answer:
        // readings that are late meanwhile change nothing about the question.
        // Where the policy waits for a person, one question stays open until the verdict changes.
        if !decision.needs_answer() && !at_the_end {
            self.asked = false;
        }
    }

    /// Puts the open question off, after a `hold`, or because it `ends` with the incident. If the rollout still
    /// needs an answer, it is asked again later, about the verdict or the gate instead of an objection; else it
    /// is dropped. A question whether the incident is open again stays until it `ends`.
    pub(super) fn put_off(
        &mut self,
        at: Timestamp,
        [needs_answer, ends]: [bool; 2],
        decision: Decision,
    ) {
        let goes_on = self.asks_about_relapse() && !ends;
        if needs_answer || goes_on {
            if let Some(open) = &mut self.unanswered {
                (open.since, open.asked_at, open.action) = (at, at, None);
                if open.about.is_kept() && !goes_on {
                    open.about =
                        if decision.needs_answer() { About::Verdict } else { About::Other };
                    open.stated.clear();
                }
            }
        } else {
            (self.asked, self.unanswered) = (false, None);
        }
    }

    /// Notes the next stage; `answered`: a person promoted in spite of a bad verdict. Then the same
    /// verdict does not ask again until the next phase is watched.
    pub(super) fn enter(&mut self, from: &Stage, to: &Stage, answered: bool) {
        self.asked = self.asked && from.goes_on_as(to) || answered;
        match (from, to) {
            (Stage::Paused { .. }, Stage::Paused { .. }) => {}
            (_, Stage::Paused { .. }) if self.objects_to(from) => {
                self.set_aside = self.unanswered.take();
            }
            (Stage::Paused { .. }, to) => {
                let aside = self.set_aside.take();
                if to.is_out() {
                    self.unanswered =
                        aside.or(self.unanswered.take().filter(Unanswered::is_relapse));
                }
            }
            _ => {}
        }
    }

    /// Notes what people are asked, and what about; `informs`: pages are for their information.
    /// `is_out`: the fix is being deployed, or is live; `is_over`: the rollout waits for nobody any
    /// more.
    pub(super) fn note_actions(
        &mut self,
        at: Timestamp,
        actions: &[Action],
        about: About,
        informs: bool,
        [is_out, is_over]: [bool; 2],
        severity: Option<Named>,
    ) {
        for action in actions {
            if let Some((audience, message)) = action.act.tells_severity() {
                self.note_reader(audience, Some(message), severity);
            } else if matches!(action.act, Act::Page { .. }) {
                self.note_reader(Audience::Responders, None, severity);
            }
            match &action.act {
                // A page about an approval or a duty is not a question about the rollout.
                Act::Page { duty: None, why, .. } if !informs => {
                    self.asked = true;
                    if !is_over {
                        self.note_question(at, (action.id, why), true, About::Other);
                    }
                }
                Act::AskDecision { question } => match &mut self.about_severity {
                    Some(open) if question.starts_with(&open.text) => open.asked_at = at,
                    _ => {
                        self.asked = true;
                        self.note_question(at, (action.id, question), false, about);
                    }
                },
                Act::UpdateStatusPage { message, .. } => {
                    self.on_status_page = true;
                    let of_fix = !matches!(message, MessageKind::Alert | MessageKind::Resolved);
                    self.page_promises = is_out && of_fix;
                    self.page_goes_on = *message != MessageKind::Alert;
                }
                Act::Notify { message: MessageKind::DeploymentStarted, role: None, .. } => {
                    self.severity_at_start = severity;
                }
                Act::Page { .. }
                | Act::SetTraffic { .. }
                | Act::Deploy { .. }
                | Act::RollBack { .. }
                | Act::RequestApproval { .. }
                | Act::Notify { .. }
                | Act::Schedule { .. } => {}
            }
        }
    }

    /// Notes what an audience read. `message`: None where one of its people was paged.
    fn note_reader(
        &mut self,
        audience: Audience,
        message: Option<MessageKind>,
        severity: Option<Named>,
    ) {
        let now = severity.map(|now| now.severity);
        let (updated, paged) = (message == Some(MessageKind::Update), message.is_none());
        let known = self.readers.iter_mut().find(|reader| reader.audience == audience);
        if let Some(reader) = known {
            reader.updated |= updated;
            reader.paged &= paged;
            if !paged {
                reader.before = reader.severity.filter(|_| reader.read_another(now));
                reader.severity = severity;
            }
            return;
        }
        // Who follows the rollout reads of its start.
        let before = self.severity_at_start.filter(|_| FOLLOWERS.contains(&audience));
        let before = before.filter(|before| Some(before.severity) != now);
        self.readers.push(Reader { audience, severity, before, updated, paged });
    }

    /// What an audience read of the incident; None where it read nothing of it.
    pub(crate) fn reader(&self, audience: Audience) -> Option<&Reader> {
        self.readers.iter().find(|reader| reader.audience == audience && !reader.paged)
    }

    /// Updates the open question about the severity: asked now, with a new text, or None with nothing to ask.
    pub(super) fn note_severity_question(
        &mut self,
        (at, kind): (Timestamp, InputKind),
        incident: &Incident,
        question: &SeverityQuestion,
        actions: &[Action],
    ) {
        let only_facts_settle_it = question.is_open() || kind != InputKind::SetSeverity;
        let Some(text) = question.text().filter(|_| only_facts_settle_it) else {
            self.about_severity = None;
            return;
        };
        let text = addressed(incident, text);
        let asks = |act: &Act| matches!(act, Act::AskDecision { question } if *question == text);
        if let Some(action) = actions.iter().find(|action| asks(&action.act)) {
            self.about_severity = Some(Unanswered::new(at, &text, action.id));
        } else if let Some(open) = &mut self.about_severity {
            // Less is left to decide, as once the fix has no traffic: it is not asked again for that.
            open.text = text;
        }
    }

    /// Records a question or page as the open one. A repetition updates its time. A question replaces neither a
    /// page nor a question that it may not ([`About::replaces`]); objections are joined.
    fn note_question(
        &mut self,
        at: Timestamp,
        (action, question): (ActionId, &str),
        page: bool,
        about: About,
    ) {
        match &mut self.unanswered {
            Some(open) if open.is_repeated_by(question) => {
                open.asked_at = at;
                open.action.get_or_insert(action);
            }
            Some(open) if open.page && !page => {}
            Some(open) if !about.replaces(open.about) && !page => {
                if open.is_named_in(question) {
                    open.asked_at = at;
                }
            }
            open => {
                let mut new = Unanswered { page, about, ..Unanswered::new(at, question, action) };
                let is_objection = !page && matches!(about, About::Objection | About::Harm);
                let joins = |open: &Unanswered| {
                    is_objection && (open.about == About::Objection || !open.stated.is_empty())
                };
                if let Some(open) = open.take().filter(joins) {
                    (new.since, new.stated) = (open.since, open.stated);
                }
                *open = Some(new);
            }
        }
    }
}

getters! {
    pub(crate) People: self;

    asked: bool = self.asked;
    train: Option<TrainNotice> = self.train;
    on_status_page: bool = self.on_status_page;
    page_promises: bool = self.page_promises;
    page_goes_on: bool = self.page_goes_on;
    readers: &[Reader] = self.readers.as_slice();
    unanswered: Option<&Unanswered> = self.unanswered.as_ref();
    set_aside: Option<&Unanswered> = self.set_aside.as_ref();
    about_severity: Option<&Unanswered> = self.about_severity.as_ref();
    interventions: &Interventions = &self.interventions;
}
