//! The folded state of a rollout: everything that the log has, and nothing else.
//!
//! It has a few parts, each in a file with its methods. Their fields are private to this module:
//! the other files of `rollout/` read them by methods. A snapshot has the parts as they are.

mod actions;
mod former;
mod happened;
mod judged;
mod known_facts;
mod objection;
mod people;
mod place;
mod readiness;
mod severity_question;
mod unanswered;

use std::fmt::{self, Write};

use crate::deadline::Agenda;
use crate::fact::Fact;
use crate::getters::getters;
use crate::grade::{Audience, Moment, RollbackMethod};
use crate::judge::{Against, EndedBy, Judge, PhaseRecord, Prepared, Recovery, Use, Verdict};
use crate::judge::{go_on, note_seen};
use crate::plan::Plan;
use crate::policy::Policy;
use crate::policy::section::Contingency;
use crate::stats::StatError;
use crate::text::moment;
use crate::unit::{Share, Timestamp};

use super::action::{Act, Action};
use super::conclude::FOLLOWERS;
use super::input::{Command, Input, InputKind};
use super::intervention::Interventions;
use super::moments;
use super::question::is_moot;
use super::stage::{Resume, Stage, State};

pub(super) use actions::Actions;
pub(super) use former::{Former, FormerState};
pub(super) use happened::Happened;
pub(crate) use judged::Silent;
pub(super) use judged::{Assessed, Judged, Question};
pub(super) use objection::{Objected, Objection, stated_impact};
pub(super) use people::{Named, People};
pub(super) use place::Place;
pub(crate) use place::Reach;
pub(super) use readiness::{Afterwards, Missing, Readiness};
pub(super) use severity_question::unsettled;
pub(crate) use unanswered::repetition;
pub(super) use unanswered::{About, Unanswered, no_answer_since};

/// The folded state.
#[derive(Debug, PartialEq, educe::Educe)]
#[educe(Clone)]
pub(super) struct RolloutState {
    pub(super) place: Place,
    /// The superseded release that has the canary's share.
    pub(super) former: Option<Former>,
    pub(super) actions: Actions,
    pub(super) people: People,
    pub(super) readiness: Readiness,
    pub(super) agenda: Agenda,
    pub(super) judged: Judged,
    pub(super) happened: Happened,
}

/// Readings that had come and have stopped, and the policy's contingency for that.
pub(super) struct Silence<'a> {
    since: Timestamp,
    /// The policy's contingency: what has failed, and what to do then.
    pub(super) of: &'a Contingency,
    /// Whether the policy makes this severity wait.
    pub(super) waits: bool,
}

impl fmt::Display for Silence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: no reading has come since {}", self.of.when, moment(self.since))
    }
}

/// What the fold of an input found out and the folded state does not show.
#[derive(Default)]
pub(super) struct Resolved {
    /// The action of a `confirm` or `failed`, unless it was superseded.
    pub(super) act: Option<Act>,
    /// Harm that is stated now, while the fix has traffic.
    pub(super) relapse: Vec<Fact>,
}

impl RolloutState {
    pub(super) fn try_new(plan: &Plan) -> Result<Self, StatError> {
        Ok(Self {
            place: Place::new(),
            former: None,
            actions: Actions::new(),
            people: People::default(),
            readiness: Readiness::new(plan),
            agenda: Agenda::with_release(plan.policy(), &moments::of_release(plan)),
            judged: Judged::of(Judge::try_new(plan)?),
            happened: Happened::default(),
        })
    }

    pub(super) fn state(&self, plan: &Plan) -> State {
        // Traffic of the previous attempt is rolled back first.
        let is_withdrawn = || !self.actions.pending().is_empty();
        let preparing = || if is_withdrawn() { State::Drafted } else { self.readiness.state(plan) };
        self.place.stage().state().unwrap_or_else(preparing)
    }

    /// Whether an audience has read of the incident. Followers have once the deployment has started.
    pub(super) fn has_read(&self, audience: Audience) -> bool {
        let follows = FOLLOWERS.contains(&audience);
        match audience {
            Audience::Public => self.people.on_status_page(),
            _ if follows && self.agenda.came(Moment::DeployStarted).is_some() => true,
            _ => self.is_reader(audience),
        }
    }

    /// Whether an audience other than the public read an alert, an update or the notice of a duty.
    pub(super) fn is_reader(&self, audience: Audience) -> bool {
        self.people.reader(audience).is_some() || self.agenda.has_notified(audience)
    }

    /// Whether an audience has read more than alerts: then a repeated alert is sent as an update.
    pub(super) fn has_read_on(&self, audience: Audience) -> bool {
        let follows = FOLLOWERS.contains(&audience);
        match audience {
            Audience::Public => self.people.page_goes_on(),
            _ if follows && self.agenda.came(Moment::DeployStarted).is_some() => true,
            _ => {
                self.people.reader(audience).is_some_and(|reader| reader.updated)
                    || self.agenda.has_notified(audience)
            }
        }
    }

    /// Whether the fix has traffic, or a pending, failed or superseded change may give it some.
    pub(super) fn has_traffic(&self) -> bool {
        let mut pending = self.actions.pending().iter();
        self.reach().is_any() || pending.any(|action| action.act.share().is_some())
    }

    /// How much of the traffic the canary has, as far as it is known. A pending change counts once
    /// the fix is not to get more traffic: the change may still be carried out.
    pub(super) fn reach(&self) -> Reach {
        let has = self.place.share();
        let pending = self.actions.pending().iter().filter_map(|action| action.act.share());
        let stopped = !self.place.stage().is_out();
        let pending = pending.filter(|share| stopped && *share > has);
        let may_have = self.actions.unsettled().chain(pending).max();
        Reach { most: has.max(may_have.unwrap_or(has)), is_known: may_have.is_none() }
    }

    /// The last reading of a fix that is to be rolled back and still has its traffic, also in a freeze. None
    /// unless it is newer than the explained verdict and the beginning of the rollback.
    pub(super) fn read_since_verdict(&self) -> Option<Question> {
        let is_frozen = matches!(self.place.stage(), Stage::Frozen { .. });
        let shows = is_frozen || self.purpose() == Use::Show;
        let read = self.judged.judge().seen_at().filter(|_| shows)?;
        let judged = self.judged.explained().question.map(|question| question.at());
        let mut known = [judged, self.place.rolled_back_since()].into_iter().flatten();
        known.all(|at| at < read).then(|| Question::of_reading(read, self.place.share()))
    }

    /// Whether missing readings mean anything at this stage: while the fix has traffic or is
    /// getting more, or readings show some although none is confirmed.
    pub(super) fn expects_readings(&self) -> bool {
        match self.purpose() {
            Use::Watch | Use::Move => true,
            Use::Deploy => self.judged.judge().sees_traffic(),
            Use::Show | Use::Level | Use::Return | Use::Ignore => false,
        }
    }

    /// The contingency that keeps the phase from being promoted while readings are missing.
    pub(super) fn waits_for_data<'a>(&self, policy: &'a Policy) -> Option<&'a Contingency> {
        let is_phase = matches!(self.place.stage(), Stage::Gate { .. } | Stage::Monitoring(_));
        let waits = || self.judged.waits_for_data(policy, self.readiness.severity());
        is_phase.then(waits)?
    }

    /// The silence of readings that had come and have been missing for `no_data.after`; None where
    /// the policy has no contingency for that.
    pub(super) fn silence<'a>(&self, policy: &'a Policy, at: Timestamp) -> Option<Silence<'a>> {
        let since = self.judged.judge().read_at()?;
        let severity = self.readiness.severity();
        let waiting = policy.waits_for_readings(severity);
        let of = waiting.or_else(|| policy.on_silence())?;
        let is_silent = at.since(since) >= policy.watch().no_data.after;
        is_silent.then_some(Silence { since, of, waits: waiting.is_some() })
    }

    /// Whether a question would still need an answer in this stage.
    pub(super) fn needs_answer(&self) -> bool {
        self.people.needs_answer(self.place.stage(), self.judged.verdict().decision)
            || self.lacks_recovery().is_some()
    }

    /// Whether the rollout waits for a person, whatever was reported: at a gate, for a bad verdict,
    /// or at the end of the final validation.
    pub(super) fn waits_for_a_person(&self, policy: &Policy, at: Timestamp) -> bool {
        matches!(self.place.stage(), Stage::Gate { .. })
            || self.judged.verdict().decision.needs_answer()
            || self.place.is_validated(policy, at)
    }

    /// Whether only an answer ends the watch after the completion: an open question offers a rollback, which a
    /// closed rollout does not accept. A page about a late change of traffic does not keep the watch open.
    pub(super) fn is_kept_open(&self) -> bool {
        let is_page = self.people.unanswered().is_some_and(|open| open.page);
        self.people.objected() || self.awaits_answer() && !is_page
    }

    /// Folds the opening line.
    pub(super) fn open(&mut self, plan: &Plan, at: Timestamp) {
        self.place.seq = 1;
        (self.place.at, self.place.looked_at) = (Some(at), Some(at));
        moments::open_agenda(self, plan, at);
        self.happened.note_service(at, self.readiness.is_down(plan.policy()), true);
    }

    /// Folds an input that was checked; `author`: it comes from the author of the fix; `readings`:
    /// those of an observation. It is the first half of an event, and cannot fail.
    pub(super) fn fold(
        &mut self,
        plan: &Plan,
        at: Timestamp,
        input: &Input,
        author: bool,
        readings: Option<Prepared<'_>>,
    ) -> Resolved {
        let relapse = self.relapse(plan.policy(), &input.command);
        let mut resolved = Resolved { act: None, relapse };
        self.readiness.fold(plan, at, input, author);
        if let Some(readings) = readings {
            let purpose = self.purpose();
            if purpose == Use::Ignore {
                self.judged.keep();
            }
            self.judged.now.judge.take(readings, purpose);
        }
        match &input.command {
            Command::Observe { .. } | Command::Tick => self.end_phase(at),
            Command::Confirm { action, .. } => {
                resolved.act = self.actions.resolve(*action);
                let act = &resolved.act;
                let share = match act {
                    Some(Act::SetTraffic { share }) => Some(*share),
                    Some(Act::RollBack { .. }) => Some(Share::NONE),
                    _ => None,
                };
                if let Some(Act::RollBack { version, method, .. }) = act {
                    self.place.reverted = *method == RollbackMethod::GitRevert;
                    let is_other = version != plan.subject().previous();
                    self.place.restored = is_other.then(|| version.clone());
                }
                let is_going_out = self.place.stage.is_going_out()
                    || matches!(self.place.stage, Stage::Frozen { .. });
                if is_going_out && matches!(act, Some(Act::SetTraffic { .. })) {
                    self.former = None;
                }
                if let Some(share) = share {
                    self.actions.unsettled.clear();
                    if share != self.place.share {
                        self.place.share = share;
                        self.judged.now.judge.move_traffic(at);
                    }
                }
            }
            Command::Failed { action, why } => {
                resolved.act = self.actions.fail(*action);
                if let Some(act) = &resolved.act {
                    self.happened.note_failure(*action, act, why.as_deref());
                }
            }
            Command::SetFacts { .. } => {
                let corrected = self.readiness.corrects_downtime(plan.policy(), &input.command);
                self.happened.note_facts(at, self.readiness.is_down(plan.policy()), corrected);
            }
            Command::Start if self.agenda.came(Moment::DeployStarted).is_none() => {
                self.happened.note_first_start();
            }
            Command::Note { .. } | Command::Done { .. } => {
                self.happened.note_statement(at, &input.command, plan.policy());
            }
            Command::Approve { .. }
            | Command::Deny { .. }
            | Command::Withdraw { .. }
            | Command::CheckItem { .. }
            | Command::WaiveItem { .. }
            | Command::SetSeverity { .. }
            | Command::Release { .. }
            | Command::Start
            | Command::Promote { .. }
            | Command::Hold { .. }
            | Command::Pause { .. }
            | Command::Resume { .. }
            | Command::Abort { .. }
            | Command::RollBack { .. }
            | Command::Revert { .. }
            | Command::Supersede { .. }
            | Command::Retry { .. }
            | Command::Report { .. }
            | Command::Acknowledge { .. }
            | Command::SetTimes { .. } => {}
        }
        resolved
    }

    /// Notifies the judge when the minimum time of a watched phase is over.
    fn end_phase(&mut self, at: Timestamp) {
        if let Stage::Monitoring(step) = self.place.stage() {
            self.judged.now.judge.end_phase(at, step.index, step.since);
        }
    }

    /// Makes a verdict. Returns the question that it answers and how many of its causes lead to its
    /// decision; None where nothing is judged.
    pub(super) fn assess(&mut self, plan: &Plan, at: Timestamp) -> Option<(Question, usize)> {
        let question = self.question(plan, at)?;
        let against =
            question.is_after_the_phases().then_some(if self.place.share() < Share::ALL {
                Against::HoldBack
            } else {
                Against::Reference
            });
        let mut leading = self.judged.assess(plan, &question, against);
        let is_complete = matches!(self.place.stage(), Stage::Complete { .. });
        if is_complete {
            leading = self.judged.ask_if_not_judged(plan.policy(), leading);
        }
        Some((question, self.judged.name_worse(leading, is_complete)))
    }

    /// Takes over a recorded verdict; returns the question that it answers.
    pub(super) fn take_verdict(
        &mut self,
        plan: &Plan,
        at: Timestamp,
        verdict: Verdict,
    ) -> Option<Question> {
        self.judged.now.verdict = verdict;
        self.question(plan, at)
    }

    /// The question to the judge at this time; None where nothing is judged.
    pub(super) fn question(&self, plan: &Plan, at: Timestamp) -> Option<Question> {
        let question = Question::of(&self.place, plan, at, self.readiness.severity());
        question.filter(|_| !self.reads_former())
    }

    /// Folds the recorded outcome: the second half of an event. `relapse`: the harm that the fold found.
    pub(super) fn settle(
        &mut self,
        plan: &Plan,
        at: Timestamp,
        (input, relapse): (&Input, &[Fact]),
        to: &mut Option<Stage>,
        actions: &[Action],
        judged: Option<Question>,
    ) {
        let (policy, kind) = (plan.policy(), input.command.kind());
        self.place.advance(at, kind);
        if let Command::Confirm { action, .. } | Command::Failed { action, .. } = &input.command {
            self.actions.end(*action);
        }
        if self.is_withdrawn() {
            self.former = None;
        }
        if kind == InputKind::Promote {
            go_on(&mut self.judged.now.judge, &self.judged.now.verdict);
        }
        let restates =
            matches!(kind, InputKind::SetFacts | InputKind::SetSeverity | InputKind::WaiveItem);
        if to.is_some() || restates {
            self.readiness.update_question(plan, to.as_ref().unwrap_or(self.place.stage()));
        }
        // Before all that asks which of the actions is the question about the severity.
        let question = self.readiness.question();
        self.people.note_severity_question((at, kind), &plan.subject().incident, question, actions);
        let asks = self.is_resolved() && self.people.asks_about_rollout(actions);
        let answers = self.people.note(policy, at, input, self.place.stage(), asks);
        let notifies =
            matches!(kind, InputKind::Approve | InputKind::SetSeverity | InputKind::SetFacts);
        // By the recorded actions: earlier releases notified nobody of a changed severity, or paged.
        let informs = |action: &Action| {
            matches!(action.act, Act::Page { duty: None, .. } | Act::Notify { role: Some(_), .. })
        };
        if notifies && actions.iter().any(informs) {
            self.readiness.note_notified(policy, Some(at));
        }
        let decision = self.judged.verdict().decision;
        if let Some(question) = judged {
            self.judged.note(at, question);
            let asks = self.people.asks_about_rollout(actions);
            if asks {
                note_seen(&mut self.judged.now.judge, &self.judged.now.verdict);
            }
            let at_the_end = self.place.is_validated(policy, at);
            self.people.note_verdict(self.judged.verdict(), asks, at_the_end);
        }
        // The result of an action that was under way answers neither a pause nor a question after
        // the completion.
        let goes_on = matches!(
            (self.place.stage(), &*to),
            (Stage::Paused { .. }, Some(Stage::Paused { .. }))
                | (Stage::Complete { ending: Some(_), .. }, Some(Stage::Complete { .. }))
        );
        let is_settled = to.is_some() && !goes_on || answers;
        if let Some(to) = to.take() {
            let answered = kind == InputKind::Promote
                && decision.needs_answer()
                && matches!(
                    to,
                    Stage::Deploying(_) | Stage::FinalValidation { .. } | Stage::Complete { .. }
                );
            self.people.enter(self.place.stage(), &to, answered);
            self.enter(policy, at, to);
        }
        // A rollback that nobody confirmed is still not confirmed after another order.
        let is_unconfirmed = matches!(self.place.stage(), Stage::RollingBack(_))
            && !self.actions.pending().is_empty()
            && self.people.unanswered().is_some_and(|open| open.page);
        let (has_ended, waits) = (self.has_ended(), self.needs_answer());
        // An objection also counts in the next stage, until a person answers it.
        let objects = !answers && self.people.objects_to(self.place.stage());
        let is_corrected = self.people.correct_harm(&input.command);
        let open = self.people.unanswered();
        let is_moot = is_corrected || open.is_some_and(|open| is_moot(plan, self, open, at));
        let stated = matches!(kind, InputKind::SetTimes | InputKind::SetFacts);
        let ends = stated && (answers || is_moot) && self.people.asks_about_relapse();
        let is_unseen = !waits && !self.place.stage().is_in_veto_window();
        if kind == InputKind::Hold || ends {
            let needs_answer = self.waits_for_a_person(policy, at);
            self.people.put_off(at, [needs_answer, ends], decision);
        } else if is_settled && !is_unconfirmed && !objects || is_unseen || is_moot {
            self.people.unanswered = None;
        }
        if actions.iter().any(|action| matches!(action.act, Act::RequestApproval { .. })) {
            self.readiness.note_requests(policy, at);
        }
        if is_settled || has_ended || !kind.is_by_time() {
            let is_over = has_ended || !self.place.stage().wants_approvals();
            self.readiness.update_requests(policy, at, is_over);
        }
        let is_over = self.place.stage().is_final();
        let asks = judged.is_some() && decision.needs_answer();
        let is_resolved = self.is_resolved();
        let harm =
            !relapse.is_empty() || is_resolved && stated_impact(policy, &input.command).is_some();
        let about = About::of(kind, [asks, self.people.objected(), harm], self.place.stage());
        let severity = actions.first().and_then(|_| self.readiness.named_severity(policy));
        let now = [self.place.stage().is_out(), is_over && (!waits || has_ended)];
        self.people.note_actions(at, actions, about, notifies, now, severity);
        self.people.note_objection(&input.command);
        self.people.note_harm(relapse);
        // Once the incident is over, nobody is asked for facts about it.
        if self.place.stage().is_left()
            || is_resolved && (is_over || self.readiness.question().is_open())
        {
            self.people.about_severity = None;
        }
        self.actions.add(at, input, actions);
    }

    fn enter(&mut self, policy: &Policy, at: Timestamp, to: Stage) {
        let watched = self.place.stage.watched_step();
        let still_watched =
            matches!(to, Stage::Monitoring(_) | Stage::Gate { .. } | Stage::Paused { .. });
        let is_new_attempt = matches!(to, Stage::Preparing);
        if let Some(step) = watched.filter(|_| !still_watched && !is_new_attempt) {
            let (judge, share) = (self.judged.judge(), self.place.share());
            let record = PhaseRecord::of(judge, step.index, step.since, share);
            let phase = policy.phases().get(step.index);
            let is_early = phase.is_some_and(|phase| at < step.since + phase.watch);
            let by = if self.people.asks_about_relapse() {
                EndedBy::HarmStated
            } else {
                EndedBy::of(self.judged.verdict(), is_early)
            };
            self.happened.phases.push(record.end(at, by));
        }
        match (self.place.stage(), &to) {
            (_, Stage::Deploying(step)) => self.judged.now.judge.enter_phase(step.index),
            (_, Stage::Monitoring(_) | Stage::Paused { from: Resume::Monitoring(_), .. })
                if watched.is_none() =>
            {
                self.judged.now.question = None;
                self.judged.now.judge.start_phase(at);
            }
            (Stage::RollingBack(before), Stage::RollingBack(now)) => {
                if before.watching.is_none() && now.watching.is_some() {
                    self.judged.now.judge.start_phase(at);
                } else if before.method != now.method
                    || before.why != now.why
                    || before.returning != now.returning
                {
                    self.actions.supersede(false);
                }
            }
            (_, Stage::RollingBack(_)) => {
                self.readiness.turn_back(policy, at);
                self.judged.keep();
                self.actions.supersede(false);
            }
            // Pending actions may still happen: their result shows where the traffic is.
            (_, Stage::Frozen { .. }) => self.judged.keep(),
            // A freeze does not withdraw traffic, so a pending change may still be confirmed.
            (Stage::Frozen { .. }, Stage::Preparing) => self.actions.supersede(true),
            (_, Stage::Preparing) => {
                if self.has_traffic() {
                    self.readiness.turn_back(policy, at);
                }
                self.actions.supersede(false);
            }
            _ => {}
        }
        let is_back = matches!(to, Stage::RolledBack | Stage::Aborted);
        let recovery = is_back.then(|| Recovery::of(self.judged.judge()));
        self.place.enter(at, to, recovery);
    }

    /// Folds a logged refusal: only the number of the next line and the record of refusals change.
    pub(super) fn note_refusal(&mut self, code: &str, at: Timestamp) {
        self.place.seq += 1;
        self.happened.note_refusal(code, at);
    }

    /// Writes all that the answer to any input may depend on, but for the number of the next event:
    /// the model check treats rollouts with the same text as one. A new field counts unless it is left
    /// out here.
    pub(super) fn write_behaviour(&self, into: &mut dyn Write) -> fmt::Result {
        // What happened is read by explanations and by the table, which change nothing.
        let Self { former, readiness, agenda, judged, .. } = self;
        let former = former.as_ref().map(|former| (former.plan.release(), &former.marks));
        // Only trains and messages ask since when and why it was rolled back. The numbers of events
        // and attempts only name lines and actions.
        let place = Place {
            turned_back_at: None,
            rolled_back_since: None,
            live_again_at: None,
            recovery: None,
            turned_back_for: None,
            seq: 0,
            attempt: 0,
            ..self.place.clone()
        };
        // The last actions are only for the recovery after a crash.
        let actions = Actions { last: Vec::new(), ..self.actions.clone() };
        let mut people = People { interventions: Interventions::default(), ..self.people.clone() };
        let People { unanswered, set_aside, about_severity, .. } = &mut people;
        for open in [unanswered, set_aside, about_severity].into_iter().flatten() {
            // Inputs depend on when it was asked and what about: the text is only repeated.
            (open.text, open.action) = (String::new(), None);
            open.stated.retain(|objection| matches!(objection.of, Objected::Harm(_)));
        }
        let Assessed { judge, verdict, .. } = &judged.now;
        write!(
            into,
            "{place:?}{former:?}{actions:?}{people:?}{readiness:?}{agenda:?}{judge:?}{verdict:?}"
        )
    }
}

getters! {
    pub(super) fn RolloutState: self;

    /// Whether the incident is over.
    is_resolved: bool = self.agenda.came(Moment::Resolved).is_some();
    /// Whether the incident is over and no fix is live or being deployed: then no approval is requested.
    has_ended: bool = self.is_resolved() && !self.place.stage().is_out();
    /// Whether readings show traffic on the fix although none is confirmed.
    sees_unconfirmed_traffic: bool =
        self.place.share() == Share::NONE && self.judged.judge().sees_traffic();
    /// Whether a question is open that a person has to answer.
    awaits_answer: bool = self.people.unanswered().is_some() && self.needs_answer();
}
