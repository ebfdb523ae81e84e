//! What was said and done for the start and after it: severity, facts, approvals, items (GATE-1, GATE-2). Kept here, judged in
//! `gate`.

use serde_json::{Map, Value};

use crate::fact::{Facts, Truth, Vocabulary};
use crate::gate::approval::{self, Clock, Demand, DemandId, Said, Word, Words};
use crate::gate::checklist::{self, Exception, ItemState, Mark, Marks};
use crate::grade::Severity;
use crate::plan::{Plan, Remark};
use crate::policy::Policy;
use crate::policy::section::{Checklist, ChecklistItem};
use crate::unit::{RoleName, Timestamp};

use super::input::{Command, Input, ItemStatus};
use super::state::State;

/// Who said what, and which items are settled.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Readiness {
    /// The severity that is acted on.
    pub(super) severity: Option<Severity>,
    /// It was given by a person, so facts do not change it.
    pub(super) given: bool,
    /// What is known by now.
    pub(super) facts: Facts,
    pub(super) words: Words,
    pub(super) marks: Marks,
    /// Why the policy answers with the normal process, for what is known now.
    pub(super) normal: Vec<Remark>,
    /// When the rollout started.
    pub(super) started: Option<Timestamp>,
    /// Demands that somebody was asked to meet.
    pub(super) requested: Vec<DemandId>,
    /// Demands of which the roles that the policy names have been told.
    pub(super) told: Vec<DemandId>,
}

/// One thing that keeps the rollout from starting.
pub(super) enum Missing<'a> {
    /// The policy asks for things by severity, and there is none, or none of the policy's.
    Severity(Option<Severity>),
    /// A denial stands.
    Denial(&'a Word),
    /// The policy answers with the normal process, and nobody has waived that.
    NormalProcess(&'a [Remark]),
    /// A demand is not met.
    Approval(Demand),
    /// An item is open.
    Item(&'a Checklist, &'a ChecklistItem, Truth),
}

impl Readiness {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            severity: plan.severity(),
            given: plan.subject().incident.severity.is_some(),
            facts: plan.facts().clone(),
            words: Words::default(),
            marks: Marks::default(),
            normal: plan.normal_process(plan.severity(), plan.facts()),
            started: None,
            requested: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Folds an input that was checked. `author`: it comes from whoever wrote the fix.
    pub(super) fn fold(&mut self, plan: &Plan, at: Timestamp, input: &Input, author: bool) {
        let policy = plan.policy();
        let by = || input.by.clone().unwrap_or_default();
        let word = |said, role, why: &Option<String>| Word {
            said,
            role,
            by: by(),
            at,
            channel: None,
            heard_by: None,
            why: why.clone(),
            plan_digest: plan.digest(),
            author,
        };
        let mark = |state, why: Option<String>| Mark { state, by: by(), at, why };
        match &input.command {
            Command::Approve { role, channel, heard_by, why, plan_digest: _ } => {
                let (channel, heard_by) = (channel.clone(), heard_by.clone());
                let said = Word { channel, heard_by, ..word(Said::Approved, *role, why) };
                self.words.take(policy, said);
            }
            Command::Deny { role, why } => self.words.take(policy, word(Said::Denied, *role, why)),
            Command::Withdraw { role, why } => {
                self.words.take(policy, word(Said::Withdrawn, *role, why));
            }
            Command::CheckItem { item, status, evidence } => {
                let state = match status {
                    ItemStatus::Done => ItemState::Done,
                    ItemStatus::NotApplicable => ItemState::NotApplicable,
                    ItemStatus::Open => ItemState::Open,
                };
                self.marks.put(*item, mark(state, evidence.clone()));
            }
            Command::WaiveItem { item, why, role: _ } => {
                self.marks.put(*item, mark(ItemState::Waived, Some(why.clone())));
            }
            Command::Start => self.started = Some(at),
            Command::SetSeverity { severity, .. } => {
                (self.severity, self.given) = (Some(*severity), true);
                self.see_process(plan);
            }
            Command::SetFacts { facts, .. } => {
                learn(&mut self.facts, facts, policy.vocabulary());
                if !self.given {
                    self.severity = policy.classify(&self.facts).act_on();
                }
                self.see_process(plan);
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
            | Command::Supersede { .. }
            | Command::Retry { .. }
            | Command::Acknowledge { .. }
            | Command::Done { .. }
            | Command::SetTimes { .. }
            | Command::Report { .. }
            | Command::Note { .. } => {}
        }
    }

    /// Sees whether the policy answers with the normal process. Who waived that for fewer reasons did not know of these.
    fn see_process(&mut self, plan: &Plan) {
        let normal = plan.normal_process(self.severity, &self.facts);
        if normal.iter().any(|reason| !self.normal.contains(reason)) {
            self.marks.reopen(Exception::NormalProcess);
        }
        self.normal = normal;
    }

    /// Everybody has been asked about the present demands.
    pub(super) fn note_requests(&mut self, policy: &Policy) {
        let new = approval::demands(policy, self.severity).map(|(id, _)| id);
        let new: Vec<DemandId> = new.filter(|id| !self.requested.contains(id)).collect();
        self.requested.extend(new);
    }

    /// The roles of each demand that somebody has yet to be asked about; after the start of those that may still be met.
    pub(super) fn unrequested(&self, policy: &Policy) -> Vec<Vec<RoleName>> {
        approval::demands(policy, self.severity)
            .filter(|(id, _)| !self.requested.contains(id))
            .filter(|(_, demand)| self.started.is_none() || demand.after_the_fact.is_some())
            .map(|(_, demand)| demand.any_of.clone())
            .collect()
    }

    /// The demands that are met and of which the policy's roles have yet to be told.
    pub(super) fn untold(&self, policy: &Policy, now: Option<Timestamp>) -> Vec<Demand> {
        let mut demands = self.demands(policy, now);
        demands.retain(|d| d.is_met() && !d.told.is_empty() && !self.told.contains(&d.id));
        demands
    }

    /// They have been told.
    pub(super) fn note_told(&mut self, policy: &Policy, now: Option<Timestamp>) {
        let told: Vec<DemandId> = self.untold(policy, now).iter().map(|demand| demand.id).collect();
        self.told.extend(told);
    }

    pub(super) fn has_approved(&self, role: RoleName) -> bool {
        self.words.has_approved(role)
    }

    /// How each demand stands.
    pub(super) fn demands(&self, policy: &Policy, now: Option<Timestamp>) -> Vec<Demand> {
        self.demands_at(policy, self.severity, now)
    }

    /// How each demand would stand at another severity.
    pub(super) fn demands_at(
        &self,
        policy: &Policy,
        severity: Option<Severity>,
        now: Option<Timestamp>,
    ) -> Vec<Demand> {
        let clock = Clock { started: self.started, now };
        approval::stand(policy, severity, &self.words, clock)
    }

    /// What was said by roles that nobody asks.
    pub(super) fn unasked(&self, policy: &Policy) -> Vec<Word> {
        self.words.unasked(policy, self.severity)
    }

    /// Whether the policy takes approvals after the start, and whether one is still wanted.
    pub(super) fn afterwards(&self, policy: &Policy) -> Afterwards {
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
    pub(super) fn missing<'a>(&'a self, policy: &'a Policy) -> Vec<Missing<'a>> {
        let mut missing = Vec::new();
        let known = self.severity.is_some_and(|severity| policy.severity(severity).is_some());
        if !known && !policy.severities().is_empty() {
            missing.push(Missing::Severity(self.severity));
        }
        missing.extend(self.words.denials().map(Missing::Denial));
        if !self.normal.is_empty() && !self.marks.is_waived(Exception::NormalProcess) {
            missing.push(Missing::NormalProcess(&self.normal));
        }
        let demands = self.demands(policy, None).into_iter();
        missing.extend(demands.filter(holds_up).map(Missing::Approval));
        let items = self.open_items(policy, Checklist::holds_start);
        missing.extend(items.map(|(list, item, applies)| Missing::Item(list, item, applies)));
        missing
    }

    /// The required items for which something waits that are not settled: each with its list, and whether that applies.
    pub(super) fn open_items<'a>(
        &'a self,
        policy: &'a Policy,
        holds: impl Fn(&Checklist) -> bool + 'a,
    ) -> impl Iterator<Item = (&'a Checklist, &'a ChecklistItem, Truth)> {
        checklist::holding(policy, self.severity, &self.facts, &self.marks, holds)
    }

    /// Another attempt begins: what was said of the plan is void, and with another release also what was done for it. What is
    /// known of the incident stays.
    pub(super) fn begin_anew(&mut self, plan: &Plan, same_release: bool) {
        self.words = Words::default();
        if !same_release {
            self.marks = Marks::default();
        }
        self.see_process(plan);
        self.started = None;
        self.requested.clear();
        self.told.clear();
    }

    /// `drafted` while the severity is not known or an item is open, `awaiting_approval` while an approval or a waiver is
    /// missing, else `ready`.
    pub(super) fn state(&self, policy: &Policy) -> State {
        let missing = self.missing(policy);
        let drafted = |m: &Missing<'_>| matches!(m, Missing::Severity(_) | Missing::Item(..));
        if missing.iter().any(drafted) {
            State::Drafted
        } else if missing.is_empty() {
            State::Ready
        } else {
            State::AwaitingApproval
        }
    }
}

/// A denial is named by itself: whoever lifts it approves with that.
fn holds_up(demand: &Demand) -> bool {
    demand.holds_start && !demand.is_met() && demand.state != approval::DemandState::Denied
}

/// What approvals after the start are good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Afterwards {
    /// The policy has none.
    Never,
    /// All have been given.
    Met,
    /// One is still wanted, or a denial stands.
    Wanted,
}

/// Adds what became known; `null` makes a fact unknown again. What cannot be read changes nothing: such facts are refused, but
/// logs of earlier releases have them.
fn learn(facts: &mut Facts, map: &Map<String, Value>, vocabulary: &Vocabulary) {
    for (name, value) in map {
        let Some(fact) = vocabulary.find(name) else { continue };
        if value.is_null() {
            facts.forget(fact);
            continue;
        }
        let one = Map::from_iter([(name.clone(), value.clone())]);
        if let Ok(read) = Facts::read(&one, vocabulary)
            && let Some(value) = read.get(fact)
        {
            facts.set(fact, value.clone());
        }
    }
}
