//! Raises actions: notices, questions, pages and requests for approval.

use crate::fact::{FactId, Informed};
use crate::gate::approval::{Demand, DemandState, stand_ins_of};
use crate::grade::Moment;
use crate::judge;
use crate::plan::{Plan, called_first};
use crate::policy::section::Message;
use crate::text::{brief, joined, moment, quoted, sentence};
use crate::unit::{RoleName, Timestamp};

use super::action::{Act, ActionId, Audience, MessageKind};
use super::blocker::{blockers, question_about_process};
use super::conclude::{Conclusion, FOLLOWERS};
use super::input::{Command, InputKind};
use super::stage::Stage;
use super::state::Silent;
use super::{describe, poll};

impl Conclusion<'_> {
    /// The plan of the release that has the canary's share.
    pub(super) fn canary_plan(&self) -> &Plan {
        self.case.canary_plan(self.plan)
    }

    /// The version that has the canary's share.
    pub(super) fn version(&self) -> &str {
        self.canary_plan().subject().version()
    }

    pub(super) fn act(&mut self, act: Act) {
        self.changes.acts.push(act);
    }

    /// Notifies these audiences, and the public where policy or status page need it. All other
    /// readers of the incident also read how it ended, and that a fix failed after that.
    pub(super) fn notify(&mut self, message: MessageKind, audiences: &[Audience]) {
        let is_end = matches!(message, MessageKind::Resolved | MessageKind::RolledBack);
        // Whoever read that the incident is over reads that it is not.
        let fails = self.changes.to.as_ref().is_some_and(|to| self.case.keeps_a_failed(to));
        self.notify_readers(message, audiences, is_end || fails && self.case.is_resolved());
    }

    /// Notifies these audiences, with `all` also all other readers of the incident; and the public.
    pub(super) fn notify_readers(
        &mut self,
        message: MessageKind,
        audiences: &[Audience],
        all: bool,
    ) {
        // The status page is below.
        let has_read = |audience: &Audience| {
            let is_asked = audiences.contains(audience) || *audience == Audience::Public;
            !is_asked && self.case.is_reader(*audience)
        };
        let others = Audience::ALL.iter().filter(|audience| all && has_read(audience));
        let audiences: Vec<Audience> = audiences.iter().chain(others).copied().collect();
        for audience in audiences {
            self.act(Act::notify(audience, message));
        }
        let has_read = self.case.has_read(Audience::Public);
        let is_untrue = self.case.people.page_promises() && !self.next_stage().is_out();
        let missing = self.missing_for_public(message, has_read);
        let calls = missing.as_ref().is_some_and(Vec::is_empty);
        if all && has_read || message == MessageKind::Update && is_untrue || calls {
            self.act(Act::UpdateStatusPage { message, duty: None });
        } else if message == MessageKind::DeploymentStarted
            && let Some(facts) = missing
        {
            let facts = quoted(&facts, ", ");
            let what = format!(
                "the status page is left as it is, because it is not known whether it concerns the \
                 public: send {facts} with `set_facts`."
            );
            self.inform(&what);
        }
    }

    /// The facts that are missing before the public is notified: empty where it is notified now;
    /// None where no text of this kind for the public fits severity and facts. A text for certain
    /// severities does not fit an assumed one.
    fn missing_for_public(&self, message: MessageKind, has_read: bool) -> Option<Vec<FactId>> {
        let (policy, readiness) = (self.plan.policy(), &self.case.readiness);
        if message == MessageKind::Update && !has_read {
            return None;
        }
        let facts = [readiness.worst_facts(), readiness.facts()];
        let [facts, now] = facts.map(|facts| policy.classify(facts).informed());
        let fits = |text: &Message, facts: &Informed<'_>| {
            text.is_for(message, Audience::Public, readiness.severity(), facts)
        };
        let texts = policy.messages().iter().filter(|text| {
            !text.fallback
                && (fits(text, &facts) || fits(text, &now))
                && (text.severities.is_empty() || !readiness.is_assumed(policy))
        });
        let missing = texts.map(|text| text.missing(&facts));
        missing.min_by_key(Vec::len)
    }

    /// Sends an update to whoever read another severity, and, where a fix that was ready `is_held` now, to all
    /// readers, unless this input notifies them anyway. A lower severity is announced once it is certain.
    pub(super) fn announce_severity(&mut self, is_held: bool) {
        let (policy, readiness) = (self.plan.policy(), &self.case.readiness);
        let is_over = |moment: &Moment| self.case.agenda.came(*moment).is_some();
        if [Moment::Resolved, Moment::Closed].iter().any(is_over) {
            return;
        }
        let severity = readiness.severity();
        for reader in self.case.people.readers() {
            let audience = reader.audience;
            let is_news = is_held
                || reader.read_another(severity)
                    && (reader.is_below(severity) || !readiness.is_assumed(policy));
            let mut read = self.changes.acts.iter().filter_map(Act::tells_severity);
            if is_news && !read.any(|(of, _)| of == audience) {
                self.changes.acts.push(Act::notify(audience, MessageKind::Update));
            }
        }
    }

    /// Notifies all readers once the announced end of the deployment has come, while a person has to decide
    /// or to start it. Before the start followers may have read of nothing.
    pub(super) fn correct_end(&mut self, at: Timestamp) {
        let end = poll::end_in_doubt(self.plan, self.case);
        if self.changes.to.is_none() && end.is_some_and(|end| self.case.place.comes_now(at, end)) {
            let is_out = self.case.place.stage().is_out();
            let followers = if is_out { FOLLOWERS.as_slice() } else { &[] };
            self.notify_readers(MessageKind::Update, followers, true);
        }
    }

    /// Notifies everybody inside who read of the incident, or was paged, that the fix is not deployed, and
    /// asks what follows: the duties of an incident that is not over go on.
    pub(super) fn stop_before_start(&mut self, why: Option<&str>) {
        let readers = self.case.people.readers();
        let readers: Vec<Audience> = readers.iter().map(|reader| reader.audience).collect();
        if readers.is_empty() || self.case.is_resolved() {
            return;
        }
        self.notify(MessageKind::Update, &readers);
        let tried = self.case.people.interventions().last(InputKind::Start).is_some();
        self.ask(&describe::stopped(why, tried));
    }

    /// Notifies responders of bounds that the buckets of a histogram cannot judge, as soon as they
    /// are known: until the canary is read, the buckets can be changed.
    pub(super) fn notify_out_of_reach(&mut self, at: Timestamp) {
        let faults = judge::out_of_reach(self.case.judged.judge(), at);
        let mut what = joined(faults.map(|fault| format!("{fault} of the histogram.")), " ");
        if what.is_empty() {
            return;
        }
        if matches!(self.case.place.stage(), Stage::Preparing) {
            what.push_str(" Until the canary is read, a reading with more buckets replaces these.");
        }
        self.inform(&what);
    }

    pub(super) fn ask(&mut self, question: &str) {
        let question = self.addressed(question);
        self.act(Act::AskDecision { question });
    }

    /// Pages the role that the policy calls first.
    pub(super) fn page(&mut self, why: &str) {
        if let Some(role) = self.paged() {
            self.act(Act::Page { role, why: self.addressed(why), duty: None });
        }
    }

    /// Informs the role that the policy calls first; no answer is needed.
    fn inform(&mut self, what: &str) {
        if let Some(role) = self.paged() {
            self.act(Act::inform(role, self.addressed(what)));
        }
    }

    /// The text with the service and the incident in front of it.
    pub(super) fn addressed(&self, text: &str) -> String {
        describe::addressed(&self.plan.subject().incident, text)
    }

    /// The role that is paged about the rollout.
    fn paged(&self) -> Option<RoleName> {
        called_first(self.plan.policy(), self.case.readiness.severity())
    }

    /// The oldest action whose result is awaited, or the first one that this input raises.
    pub(super) fn awaited(&self) -> Option<(ActionId, &Act)> {
        let pending = self.case.actions.pending().iter().map(|action| (action.id, &action.act));
        let event = self.case.place.seq();
        let raised = (0..).zip(&self.changes.acts).filter(|(_, act)| act.awaits());
        pending.chain(raised.map(|(index, act)| (ActionId { event, index }, act))).next()
    }

    /// The stage that follows.
    pub(super) fn next_stage(&self) -> &Stage {
        self.changes.to.as_ref().unwrap_or_else(|| self.case.place.stage())
    }

    /// Asks about the severity: with the first input, where facts, a rollback or another attempt
    /// change the question, where nobody was asked about a severity that is unknown or assumed, and
    /// again while nobody answers, as the question is in the stage that follows. A given severity
    /// stays until another is set.
    pub(super) fn ask_about_severity(&mut self, at: Timestamp, command: &Command) {
        let (readiness, people) = (&self.case.readiness, &self.case.people);
        let is_answer = matches!(command, Command::SetSeverity { .. });
        let restates = is_answer || matches!(command, Command::SetFacts { .. });
        let to = self.changes.to.as_ref();
        let now = || readiness.question_now(self.plan, self.next_stage());
        let changed = (restates || to.is_some()).then(now);
        let question = changed.as_ref().unwrap_or_else(|| readiness.question());
        let Some(text) = question.text() else { return };
        // That less is left to decide in another stage is no news.
        let may_be_news = restates
            || to.is_some_and(|to| matches!(to, Stage::Preparing) || readiness.against().is_some());
        let is_news = self.case.place.seq() == 1 || may_be_news && question != readiness.question();
        let open = people.about_severity();
        let nobody_asked = question.is_open() && open.is_none();
        let (is_left, is_over) = (self.next_stage().is_left(), self.case.is_resolved());
        if (is_news && !is_answer || nobody_asked) && !(question.is_open() && (is_left || is_over))
        {
            self.ask(text);
        } else if let Some(open) = open
            && command.kind().is_by_time()
            && at >= open.asked_at + self.plan.policy().ask_again()
            && !(is_left || is_over && question.is_open())
        {
            self.ask(&open.repeated(text));
        }
    }

    /// Asks whether to deploy all the same where the policy calls for the normal process, the change
    /// window is over, or somebody denied the plan, as soon as there is a release, as approvals are
    /// requested; and where the incident is over. Not while another question is open. `now`: by this
    /// input.
    pub(super) fn ask_before_start(&mut self, at: Timestamp, now: bool) {
        let (people, changes) = (&self.case.people, &self.changes);
        let is_free = people.unanswered().is_none() || changes.to.is_some() || now;
        if is_free && matches!(self.next_stage(), Stage::Preparing) && !changes.asks() {
            // What was reported is asked about with it.
            let stated = people.unanswered().filter(|_| now);
            let stated = stated.and_then(|open| self.case.stated(&open.stated));
            match (self.question_before_start(at, stated.is_some()), stated) {
                (Some(asked), Some(stated)) => self.ask(&format!("{stated}. {}", sentence(&asked))),
                (Some(asked), None) => self.ask(&asked),
                (None, _) => {}
            }
        }
    }

    /// What somebody has to decide before the start; None where nothing is. `objects`: somebody reported
    /// a problem with the fix.
    pub(super) fn question_before_start(&self, at: Timestamp, objects: bool) -> Option<String> {
        let (stage, moves) = (self.case.place.stage(), self.changes.to.is_some());
        // Where nothing was left to do, another attempt opens the incident again.
        if !self.case.has_ended() || moves && stage.is_final() {
            self.plan.release()?;
            return question_about_process(self.plan, self.case, at, objects);
        }
        // What prevents the start is known once traffic of the former release is withdrawn.
        if !matches!(stage, Stage::Preparing) || moves && self.case.has_traffic() {
            return None;
        }
        let resolved = self.case.agenda.came(Moment::Resolved)?;
        let choices = if self.case.has_traffic() {
            sentence(&self.choices(at, false))
        } else if blockers(self.plan, self.case).is_empty() {
            let new = brief(self.plan.subject().version());
            format!("Send `abort`, or `start` to deploy {new} all the same.")
        } else {
            "Send `abort`.".to_owned()
        };
        let since = moment(resolved);
        Some(format!("the incident is over since {since}, and nothing was started. {choices}"))
    }

    /// Asks for the missing approvals. Without a release there is nothing to approve, so nobody is
    /// asked.
    pub(super) fn request_approvals(&mut self) {
        if self.plan.release().is_none() || !self.next_stage().wants_approvals() {
            return;
        }
        for demand in self.case.readiness.unrequested(self.plan.policy()) {
            self.request(&demand, &demand.any_of);
        }
    }

    /// Requests an approval from these roles. Where only the author of the fix has approved, the
    /// others are asked, with that as the reason. Whoever approved a former plan reads why it is
    /// asked for again. An open question whether this is a hot-fix is named, because whoever approves
    /// decides it.
    fn request(&mut self, demand: &Demand, roles: &[RoleName]) {
        let author = demand.approved_by_author_alone();
        let open = self.case.readiness.open_hotfix(self.plan.policy());
        let open =
            open.map(|asks| format!("whether the policy calls for a hot-fix is not known. {asks}"));
        let voided = self.case.readiness.statements().voided(&demand.roles());
        let verbal = demand.lacks_writing();
        let is_open = demand.state == DemandState::Open && verbal.is_none();
        let voided = voided.filter(|_| is_open).map(|at| {
            format!(
                "what was approved at {} was an earlier plan, and this one needs its own approval.",
                moment(at)
            )
        });
        let verbal = verbal.map(|of| describe::needed_in_writing(of) + ".");
        let open = [voided, verbal, open].into_iter().flatten();
        let why = author.map_or_else(|| joined(open, " "), |_| describe::AUTHOR_ALONE.to_owned());
        let why = (!why.is_empty()).then(|| self.addressed(&why));
        let others = |role: &&RoleName| author != Some(**role);
        let any_of: Vec<RoleName> = roles.iter().filter(others).copied().collect();
        // Where the demand has no other role, another person has to hold it.
        let any_of = if any_of.is_empty() { roles.to_vec() } else { any_of };
        let request = Act::RequestApproval { any_of, why };
        // One answer may meet two demands.
        if !self.changes.acts.contains(&request) {
            self.act(request);
        }
    }

    /// Requests another approval at once where the author of the fix has approved alone now, and
    /// all missing approvals lack only a second person.
    pub(super) fn request_another(&mut self, role: RoleName) {
        if !self.next_stage().wants_approvals() || self.case.has_ended() {
            return;
        }
        let unmet = self.case.readiness.unanswered(self.plan.policy());
        let is_alone = |demand: &Demand| demand.approved_by_author_alone().is_some();
        if !unmet.iter().all(is_alone) {
            return;
        }
        for demand in unmet.iter().filter(|of| of.approved_by_author_alone() == Some(role)) {
            self.request(demand, &demand.roles());
        }
    }

    /// Repeats the question or page, and the requests for approval, that nobody has answered in
    /// time. Whoever was paged may be unavailable, so the stand-ins of the role are paged, too.
    pub(super) fn ask_again(&mut self, at: Timestamp) {
        let every = self.plan.policy().ask_again();
        if self.next_stage().wants_approvals()
            && self.case.readiness.requested_at().is_some_and(|asked| at >= asked + every)
        {
            // Whoever was asked may be unavailable.
            for demand in self.case.readiness.unanswered(self.plan.policy()) {
                self.request(&demand, &demand.roles());
            }
        }
        let asks_now = self.changes.asks();
        // This input may settle what was asked in the final validation.
        let goes_on = matches!(self.case.place.stage(), Stage::FinalValidation { .. })
            && !self.case.people.objected()
            && !self.case.waits_for_a_person(self.plan.policy(), at);
        let settled = self.changes.to.is_some() || goes_on || !self.case.needs_answer();
        if let Some(open) = self.case.people.unanswered().filter(|_| !settled)
            && (!asks_now || open.keeps_its_place())
            && !self.changes.questions().any(|question| open.is_named_in(question))
            && at >= open.asked_at + every
        {
            let Some(text) = self.again(at, open) else { return };
            let text = open.repeated(&text);
            if !open.page {
                self.act(Act::AskDecision { question: text });
                return;
            }
            let role = self.paged();
            let stand_ins = stand_ins_of(self.plan.policy(), role.as_slice());
            for role in role.into_iter().chain(stand_ins) {
                self.act(Act::Page { role, why: text.clone(), duty: None });
            }
        }
    }

    /// Repeats the open question at once where a changed severity begins or ceases to wait for
    /// missing readings, because other answers are accepted then.
    pub(super) fn ask_with_other_answers(&mut self, at: Timestamp) {
        let (policy, severity) = (self.plan.policy(), self.case.readiness.severity());
        let waits = policy.waits_for_readings(severity).is_some();
        let turns = self.case.judged.question().is_some_and(|of| of.waits_for_readings() != waits);
        let is_blind = self.case.judged.missing(policy) == Some(Silent::All);
        if turns
            && is_blind
            && self.case.awaits_answer()
            && !self.changes.asks()
            && let Some(open) = self.case.people.unanswered().filter(|open| !open.page)
            && let Some(text) = self.again(at, open)
        {
            self.act(Act::AskDecision { question: open.repeated(&text) });
        }
    }

    /// Notifies the roles that the policy wants notified of an approval, as soon as the demand is
    /// met. `role` is who approves now; where an earlier approval met the demand, that role is named.
    /// It is not notified of its own approval.
    pub(super) fn notify_approval(&mut self, at: Timestamp, role: Option<RoleName>) {
        for demand in self.case.readiness.unnotified(self.plan.policy(), Some(at)) {
            let role = role.filter(|role| demand.approvers().any(|of| of == *role));
            let Some(approver) = role.or_else(|| demand.approvers().last()) else { continue };
            let about = self.plan.release().map_or_else(
                || ", which has no release yet".to_owned(),
                |release| format!(" for {}", brief(&release.version)),
            );
            let why = self.addressed(&format!(
                "`{approver}` approved the plan{about}. This is for your information: no answer is \
                 needed."
            ));
            for role in demand.notified.into_iter().filter(|role| *role != approver) {
                self.act(Act::inform(role, why.clone()));
            }
        }
    }
}
