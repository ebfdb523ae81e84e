//! What was stated and done for the start and after it: severity, facts, approvals, items. It is
//! kept here and judged in `gate`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::fact::{Fact, Facts, Truth};
use crate::gate::Exception;
use crate::gate::approval::{
    self, Answer, Clock, Demand, DemandId, DemandState, Statement, Statements,
};
use crate::gate::checklist::{self, Checks, ItemState, Mark, Marks, Situation};
use crate::getters::getters;
use crate::grade::{ChecklistMoment, Moment, Severity};
use crate::plan::{Plan, PlanFinding};
use crate::policy::Policy;
use crate::policy::section::{Checklist, ChecklistItem};
use crate::rollout::input::{Command, Input};
use crate::rollout::revision::Kept;
use crate::rollout::stage::{Stage, State};
use crate::text::quoted;
use crate::unit::{Name, Timestamp};

use super::known_facts::KnownFacts;
use super::people::Named;
use super::severity_question::{Asked, SeverityQuestion, derived, open_hotfix};

/// Severity, facts, statements about the plan, and the marks of items.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, educe::Educe)]
#[educe(Clone)]
pub(crate) struct Readiness {
    /// The severity in force.
    severity: Option<Severity>,
    /// It was given by a person, so facts do not change it.
    given: bool,
    known: KnownFacts,
    /// What a person is asked about the severity; it follows from the facts.
    #[serde(skip)]
    question: SeverityQuestion,
    words: Statements,
    marks: Marks,
    /// Why the policy answers with the normal process, for what is known now. It follows from the
    /// plan.
    #[serde(skip)]
    normal: Vec<PlanFinding>,
    /// The reasons for the normal process that somebody waived.
    waived: Vec<String>,
    /// When the rollout started.
    started: Option<Timestamp>,
    /// Demands that somebody was asked to meet.
    requested: Vec<DemandId>,
    /// When somebody was last asked for an approval that is missing; None: nobody is asked now.
    requested_at: Option<Timestamp>,
    /// Demands of whose approval the policy's roles have been notified.
    told: Vec<DemandId>,
}

/// One thing that keeps the rollout from starting.
pub(crate) enum Missing<'a> {
    /// There is no release.
    Release,
    /// The demands depend on the severity, and it is not known, or the policy does not have it.
    Severity(Option<Severity>),
    /// A denial is in force.
    Denial(&'a Statement),
    /// The policy answers with the normal process, and nobody has waived that.
    NormalProcess(&'a [PlanFinding]),
    /// Bounds of volumes that roll every fix back, a sentence each.
    VolumeBound(Vec<String>),
    /// A demand is not met.
    Approval(Demand),
    /// An item is open.
    Item(&'a Checklist, &'a ChecklistItem, Truth),
    /// The policy asks for the rollback point, and this item does not name it yet.
    RollbackPoint(Name),
}

impl Readiness {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut readiness = Self {
            severity: plan.severity(),
            given: plan.subject().incident.severity.is_some(),
            known: KnownFacts::new(plan.facts()),
            normal: plan.normal_at_first(),
            ..Self::default()
        };
        readiness.update_question(plan, &Stage::Preparing);
        readiness
    }

    /// What is known with the first input is recorded then.
    pub(crate) fn open(&mut self, at: Timestamp) {
        self.known.open(at);
    }

    /// Folds an input that was checked. `author`: it comes from the author of the fix.
    pub(super) fn fold(&mut self, plan: &Plan, at: Timestamp, input: &Input, author: bool) {
        let policy = plan.policy();
        let by = || input.by.clone().unwrap_or_default();
        let statement = |answer, role| {
            let [channel, heard_by, .., why] =
                input.command.texts().map(|text| text.map(str::to_owned));
            let plan_digest = plan.digest();
            Statement { answer, role, by: by(), at, channel, heard_by, why, plan_digest, author }
        };
        let mark = |state, why: Option<String>| Mark { state, by: by(), at, why };
        match &input.command {
            Command::Approve { role, .. } => {
                self.words.take(policy, statement(Answer::Approved, *role));
            }
            Command::Deny { role, .. } => {
                self.words.take(policy, statement(Answer::Denied, *role));
            }
            Command::Withdraw { role, .. } => {
                self.words.take(policy, statement(Answer::Withdrawn, *role));
            }
            Command::CheckItem { status, evidence, .. } => {
                for item in input.command.items() {
                    self.marks.put(item, mark((*status).into(), evidence.clone()));
                }
            }
            Command::WaiveItem { item, why, role: _ } => {
                self.marks.put(*item, mark(ItemState::Waived, Some(why.clone())));
                if Exception::NormalProcess.id() == Some(*item) {
                    self.waived.extend(self.normal.iter().map(|reason| reason.text.clone()));
                }
            }
            Command::Start => {
                self.started = Some(at);
                // Nobody could have seen the fix at work.
                self.marks.reopen_criteria(policy, |_| true);
                self.normal = self.normal_now(plan);
            }
            Command::SetSeverity { severity, .. } => {
                (self.severity, self.given) = (Some(*severity), true);
                self.normal = self.normal_now(plan);
            }
            Command::SetFacts { facts, correction, .. } => {
                self.known.fold(policy, at, facts, *correction == Some(true));
                if !self.given {
                    self.severity = self.by_facts(policy).0;
                }
                self.normal = self.normal_now(plan);
            }
            Command::Confirm { .. }
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
            | Command::Release { .. }
            | Command::Supersede { .. }
            | Command::Retry { .. }
            | Command::Acknowledge { .. }
            | Command::Done { .. }
            | Command::SetTimes { .. }
            | Command::Report { .. }
            | Command::Note { .. } => {}
        }
    }

    /// A rollback begins: reopens the success criteria, and items for after a rollback that were
    /// checked before it. Items that assess the attempt may have been checked from its start on.
    pub(super) fn turn_back(&mut self, policy: &Policy, at: Timestamp) {
        for (of_attempt, before) in [(false, at), (true, self.started.unwrap_or(at))] {
            self.marks.reopen_checked(policy, before, |list| {
                list.at == ChecklistMoment::RolledBack && list.is_of_attempt() == of_attempt
            });
        }
        self.marks.reopen_criteria(policy, |_| true);
    }

    /// A moment came: reopens items that count from it and were checked before. Those of the final
    /// validation stay, because its end waits for them. With the end of the validation, criteria
    /// that the log answers reopen.
    pub(crate) fn reach(&mut self, policy: &Policy, moment: Moment, came: Timestamp) {
        if moment == Moment::Verified {
            self.marks.reopen_criteria(policy, |criterion| criterion.answered_by.is_some());
        }
        self.marks.reopen_checked(policy, came, |list| {
            list.counts_from() == Some(moment) && list.at != ChecklistMoment::FinalValidation
        });
    }

    /// Why the policy wants the normal process for this severity. After the start a reason counts
    /// only if it holds by the worst known facts as well: else the incident has merely recovered.
    fn normal_for(&self, plan: &Plan, severity: Option<Severity>, given: bool) -> Vec<PlanFinding> {
        let (now, worst) = (self.known.now(), self.known.worst());
        let by = |facts: &Facts| plan.normal_process(severity, given, [facts, worst]);
        let mut normal = by(now);
        if self.started.is_some() && !normal.is_empty() {
            let at_worst = by(&worst.clone().with_fix_of(now));
            normal.retain(|reason| at_worst.iter().any(|of| of.text == reason.text));
        }
        normal
    }

    fn normal_now(&self, plan: &Plan) -> Vec<PlanFinding> {
        self.normal_for(plan, self.severity, self.given)
    }

    /// Whether the severity is only assumed: nobody gave it, and by what is known it may be a less
    /// severe one.
    pub(crate) fn is_assumed(&self, policy: &Policy) -> bool {
        !self.given && self.severity.is_some() && self.by_facts(policy).1
    }

    /// The severity that a plan by the present facts has to be given; None where it follows from them.
    pub(crate) fn severity_beyond_facts(&self, policy: &Policy) -> Option<Severity> {
        let now = policy.classify(self.known.now());
        let follows = !self.given && derived(&now, &now) == self.by_facts(policy);
        self.severity.filter(|_| !follows)
    }

    /// The severity as people read it.
    pub(crate) fn named_severity(&self, policy: &Policy) -> Option<Named> {
        self.severity.map(|severity| Named { severity, assumed: self.is_assumed(policy) })
    }

    /// Why the policy answers with the normal process; None where it does not, or somebody waived
    /// each of these reasons.
    pub(crate) fn normal_process(&self) -> Option<&[PlanFinding]> {
        let is_waived = |reason: &PlanFinding| self.waived.contains(&reason.text);
        (!self.normal.iter().all(is_waived)).then_some(self.normal.as_slice())
    }

    /// Whether a person can lift the normal process by setting one of the policy's severities.
    pub(crate) fn is_lifted_by_severity(&self, plan: &Plan) -> bool {
        let lifts = |of: Severity| self.normal_for(plan, Some(of), true).is_empty();
        plan.policy().severities().iter().any(|level| lifts(level.severity))
    }

    /// Whether the service is down now, as stated or implied by the policy; None where it is not known.
    pub(crate) fn is_down(&self, policy: &Policy) -> Option<bool> {
        is_down_by(policy, self.known.now())
    }

    /// Whether a correction of facts changes the recorded downtime: it names `service_down`, or the
    /// service was never down by what remains.
    pub(super) fn corrects_downtime(&self, policy: &Policy, command: &Command) -> bool {
        let Command::SetFacts { facts, correction: Some(true), .. } = command else { return false };
        facts.contains_key(Fact::ServiceDown.as_str())
            || is_down_by(policy, self.known.worst()) != Some(true)
    }

    /// The bounds of volumes that roll every fix back at the planned traffic, a sentence each; empty where
    /// somebody waived that.
    pub(crate) fn volumes_beyond(&self, plan: &Plan) -> Vec<String> {
        let is_waived = self.marks.is_waived(Exception::VolumeBound);
        if is_waived { Vec::new() } else { plan.volumes_that_roll_back() }
    }

    /// Why the policy answers with the normal process although the rollout has started.
    pub(crate) fn against(&self) -> Option<&[PlanFinding]> {
        self.normal_process().filter(|_| self.started.is_some())
    }

    fn by_facts(&self, policy: &Policy) -> (Option<Severity>, bool) {
        derived(&policy.classify(self.known.now()), &policy.classify(self.known.worst()))
    }

    /// The question whether this is a hot-fix, where it is open and no severity answers it.
    pub(crate) fn open_hotfix(&self, policy: &Policy) -> Option<String> {
        open_hotfix(policy, self.severity, self.known.now())
    }

    /// The question about the severity, by what is known now. That this is no hot-fix is asked while a rollback
    /// can answer it; whether it is one only before the start: whoever starts, or approves, decides that.
    pub(crate) fn question_now(&self, plan: &Plan, stage: &Stage) -> SeverityQuestion {
        let severity = (self.severity, self.given);
        let against = self.against().filter(|_| stage.may_turn_back());
        let when = match stage {
            Stage::Preparing if plan.release().is_none() => Asked::BeforeRelease,
            Stage::Preparing => Asked::BeforeStart,
            stage if stage.may_turn_back() => Asked::AfterStart,
            _ => Asked::AfterFailure,
        };
        let known = [self.known.now(), self.known.worst()];
        SeverityQuestion::of(plan.policy(), severity, known, (when, against))
    }

    /// Updates the question about the severity.
    pub(super) fn update_question(&mut self, plan: &Plan, stage: &Stage) {
        self.question = self.question_now(plan, stage);
    }

    /// Records that the present demands have been requested.
    pub(super) fn note_requests(&mut self, policy: &Policy, at: Timestamp) {
        self.requested_at = Some(at);
        let new = approval::demands(policy, self.severity).map(|(id, _)| id);
        let new: Vec<DemandId> = new.filter(|id| !self.requested.contains(id)).collect();
        self.requested.extend(new);
    }

    /// The demands that are not met and have not been requested yet; after the start only those
    /// that may still be met.
    pub(crate) fn unrequested(&self, policy: &Policy) -> Vec<Demand> {
        self.unmet(policy, |demand| !self.requested.contains(&demand.id))
    }

    /// The requested demands that are neither met nor denied. One that neither holds the start nor
    /// may follow it is requested only once. After the start only those that may still be met.
    pub(crate) fn unanswered(&self, policy: &Policy) -> Vec<Demand> {
        self.unmet(policy, |demand| match demand.state {
            _ if !demand.is_required() => false,
            DemandState::Denied => false,
            // A demand that was met from the beginning was not requested.
            DemandState::Withdrawn => true,
            _ => self.requested.contains(&demand.id),
        })
    }

    fn unmet(&self, policy: &Policy, of: impl Fn(&Demand) -> bool) -> Vec<Demand> {
        let mut demands = self.demands(policy, None);
        demands.retain(|demand| {
            let in_time = self.started.is_none() || demand.after_the_fact.is_some();
            !demand.is_met() && in_time && of(demand)
        });
        demands
    }

    /// Sets `requested_at`: None unless a requested approval is missing. `over`: nobody is asked any more.
    pub(super) fn update_requests(&mut self, policy: &Policy, at: Timestamp, over: bool) {
        let is_missing = !over && !self.requested.is_empty() && !self.unanswered(policy).is_empty();
        self.requested_at = is_missing.then(|| self.requested_at.unwrap_or(at));
    }

    /// The demands that are met and of which the policy's roles have not been notified yet.
    pub(crate) fn unnotified(&self, policy: &Policy, now: Option<Timestamp>) -> Vec<Demand> {
        let mut demands = self.demands(policy, now);
        demands.retain(|d| d.is_met() && !d.notified.is_empty() && !self.told.contains(&d.id));
        demands
    }

    /// Records that the roles were notified of all demands that are met.
    pub(super) fn note_notified(&mut self, policy: &Policy, now: Option<Timestamp>) {
        let notified = self.unnotified(policy, now);
        self.told.extend(notified.iter().map(|demand| demand.id));
    }

    /// The state of each demand.
    pub(crate) fn demands(&self, policy: &Policy, now: Option<Timestamp>) -> Vec<Demand> {
        self.demands_at(policy, self.severity, now)
    }

    /// The state that each demand would have at another severity.
    pub(crate) fn demands_at(
        &self,
        policy: &Policy,
        severity: Option<Severity>,
        now: Option<Timestamp>,
    ) -> Vec<Demand> {
        let clock = Clock { started: self.started, now };
        approval::demand_states(policy, severity, &self.words, clock)
    }

    /// Statements of roles that no demand names.
    pub(crate) fn unasked(&self, policy: &Policy) -> Vec<Statement> {
        self.words.unasked(policy, self.severity)
    }

    /// Whether the policy accepts approvals after the start, and whether one is still missing.
    pub(crate) fn afterwards(&self, policy: &Policy) -> Afterwards {
        let mut demands = self.demands(policy, None);
        demands.retain(|demand| demand.after_the_fact.is_some());
        if demands.is_empty() {
            Afterwards::Never
        } else if demands.iter().all(Demand::is_met) && self.words.denials().next().is_none() {
            Afterwards::Met
        } else {
            Afterwards::Wanted
        }
    }

    /// What keeps the rollout from starting, the gravest first.
    pub(crate) fn missing<'a>(&'a self, plan: &'a Plan) -> Vec<Missing<'a>> {
        let (policy, mut missing) = (plan.policy(), Vec::new());
        if plan.release().is_none() {
            missing.push(Missing::Release);
        }
        let known = self.severity.is_some_and(|severity| policy.severity(severity).is_some());
        if !known && !policy.severities().is_empty() {
            missing.push(Missing::Severity(self.severity));
        }
        missing.extend(self.words.denials().map(Missing::Denial));
        missing.extend(self.normal_process().map(Missing::NormalProcess));
        let beyond = self.volumes_beyond(plan);
        missing.extend((!beyond.is_empty()).then_some(Missing::VolumeBound(beyond)));
        let demands = self.demands(policy, None).into_iter();
        // A denial is listed separately: an approval lifts it.
        let holds_up = |demand: &Demand| {
            demand.holds_start && !demand.is_met() && demand.state != DemandState::Denied
        };
        missing.extend(demands.filter(holds_up).map(Missing::Approval));
        let items = self.open_items(policy, Checklist::holds_start);
        missing.extend(items.map(|(list, item, applies)| Missing::Item(list, item, applies)));
        let is_listed =
            |id| missing.iter().any(|of| matches!(of, Missing::Item(_, item, _) if item.id == id));
        let is_open = |id| self.marks.state(id) == ItemState::Open;
        let point = plan.rollback_point_item().filter(|id| is_open(*id) && !is_listed(*id));
        missing.extend(point.map(Missing::RollbackPoint));
        missing
    }

    /// What decides which checklists apply.
    pub(crate) const fn situation(&self) -> Situation<'_> {
        let (now, worst) = (self.known.now(), self.known.worst());
        Situation { severity: self.severity, now, worst, started: self.started.is_some() }
    }

    /// The open required items that hold something up: each with its list, and whether the list
    /// applies.
    pub(crate) fn open_items<'a>(
        &'a self,
        policy: &'a Policy,
        holds: impl Fn(&Checklist) -> bool + 'a,
    ) -> impl Iterator<Item = (&'a Checklist, &'a ChecklistItem, Truth)> {
        checklist::holding(policy, self.situation(), &self.marks, holds)
    }

    /// The items for which the end of the final validation waits.
    pub(crate) fn unvalidated(&self, policy: &Policy) -> String {
        let open = self.open_items(policy, Checklist::holds_completion);
        let open: Vec<_> = open.map(|(_, item, _)| item.id).collect();
        quoted(&open, ", ")
    }

    /// The results of the checks of the lists that `of` selects; `live`: since when the fix is live.
    pub(crate) fn checks<'a>(
        &self,
        policy: &'a Policy,
        live: Option<Timestamp>,
        of: impl Fn(&Checklist) -> bool,
    ) -> Checks<'a> {
        Checks::of(policy, self.situation(), self.marks(), live, of)
    }

    /// Prepares the start of another plan: statements about the former plan are void, and so are
    /// the marks that it does not keep. What is known of the incident stays.
    pub(super) fn begin_attempt(&mut self, plan: &Plan, kept: Kept) {
        self.words.void();
        match kept {
            Kept::AllButReviews => self.marks.reopen_reviews(plan.policy()),
            Kept::OfRelease | Kept::OfReverted | Kept::OfRollback => {
                self.marks.keep(plan.policy(), kept != Kept::OfRollback, self.started);
            }
        }
        if kept == Kept::OfRollback {
            self.waived.clear();
        }
        if kept == Kept::OfReverted {
            self.marks.reopen_branch(plan.policy());
        }
        // A waiver of the change window was for that time and that change.
        self.marks.reopen(Exception::ChangeWindow);
        self.started = None;
        self.normal = self.normal_now(plan);
        self.requested.clear();
        self.requested_at = None;
        self.told.clear();
        self.update_question(plan, &Stage::Preparing);
    }

    /// Adds the facts of a snapshot and what follows from the plan; `Err` names what does not fit the plan.
    pub(crate) fn resume(
        &mut self,
        plan: &Plan,
        stage: &Stage,
        facts: &Map<String, Value>,
        worst: &Map<String, Value>,
    ) -> Result<(), &'static str> {
        self.known.resume(plan.policy().vocabulary(), [facts, worst])?;
        self.normal = self.normal_now(plan);
        self.update_question(plan, stage);
        Ok(())
    }

    /// `drafted` while there is no release, the severity is not known or an item is open,
    /// `awaiting_approval` while an approval or a waiver is missing, else `ready`.
    pub(crate) fn state(&self, plan: &Plan) -> State {
        let missing = self.missing(plan);
        let drafted = |m: &Missing<'_>| {
            matches!(
                m,
                Missing::Release
                    | Missing::Severity(_)
                    | Missing::Item(..)
                    | Missing::RollbackPoint(_)
            )
        };
        if missing.iter().any(drafted) {
            State::Drafted
        } else if missing.is_empty() {
            State::Ready
        } else {
            State::AwaitingApproval
        }
    }
}

getters! {
    pub(crate) Readiness: self;

    severity: Option<Severity> = self.severity;
    known: &KnownFacts = &self.known;
    facts: &Facts = self.known.now();
    worst_facts: &Facts = self.known.worst();
    statements: &Statements = &self.words;
    marks: &Marks = &self.marks;
    requested_at: Option<Timestamp> = self.requested_at;
    question: &SeverityQuestion = &self.question;
}

fn is_down_by(policy: &Policy, facts: &Facts) -> Option<bool> {
    policy.classify(facts).informed().flag(Fact::ServiceDown)
}

/// Whether an approval may follow the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Afterwards {
    /// The policy has none.
    Never,
    /// All have been given.
    Met,
    /// One is still missing, or a denial is in force.
    Wanted,
}
