//! Simulated people, who may be late, absent or wrong, and a platform with delays.

use crate::canonical::tree_of;
use crate::deadline::Source;
use crate::document::{Node, document_table};
use crate::gate::checklist::{ItemState, point_item};
use crate::grade::{DutyKind, RollbackMethod, closed_set};
use crate::policy::Policy;
use crate::rollout::{
    Act, Blocker, BlockerKind, Command, Input, InputKind, ItemStatus, Rollout, Stage,
};
use crate::unit::{Name, RoleName, Span, Timestamp};

use super::answers::Answers;
use super::document::{Delay, ScenarioReader};
use super::error::SimulationFault;
use super::random::Draws;

closed_set! {
    /// The answer of a person who is asked whether to continue.
    Judgement {
        /// Rolls back if the canary is worse at that moment, and otherwise continues.
        Right = "right",
        /// Continues.
        Promote = "promote",
        /// Rolls back.
        RollBack = "roll_back",
    }
}

document_table! {
    ScenarioReader;
    /// The people of a scenario: without more, everybody answers within minutes, and correctly. Each
    /// delay counts from the request. None: never.
    #[derive(Clone, Debug, PartialEq)]
    pub(super) struct People {
        approve: Delay = ScenarioReader::delay, or Some(Span::from_seconds(300));
        check: Delay = ScenarioReader::delay, or Some(MINUTE);
        start: Delay = ScenarioReader::delay, or Some(MINUTE);
        decide: Delay = ScenarioReader::delay, or Some(Span::from_seconds(180));
        judgement: Judgement = ScenarioReader::one_of, or Judgement::Right;
        acknowledge: Delay = ScenarioReader::delay, or Some(Span::from_seconds(120));
        /// Notifications, and duties that people do without a request.
        duties: Delay = ScenarioReader::delay, or Some(Span::from_seconds(300));
        /// The share of requests that nobody answers.
        absent: f64 = ScenarioReader::chance, or 0.0;
        /// The share of answers that are late.
        late: f64 = ScenarioReader::chance, or 0.0;
        late_by: Span = ScenarioReader::lasting, or Span::from_seconds(1800);
        /// The share of decisions that are wrong.
        wrong: f64 = ScenarioReader::chance, or 0.0;
        says: Vec<Answer> = Answer::from_node, list;
    }
    /// An input that nobody requests, at a time after the start.
    #[derive(Clone, Debug, PartialEq)]
    struct Answer {
        after: Span = ScenarioReader::span, needed;
        input: Input = input, needed;
    }
    /// The delays of the platform.
    #[derive(Clone, Debug, PartialEq)]
    pub(super) struct Platform {
        /// None: the expected time of the phase.
        deploy: Option<Delay> = ScenarioReader::delay;
        traffic: Delay = ScenarioReader::delay, or Some(Span::from_seconds(5));
        /// None: the stated time of the rollback method.
        roll_back: Option<Delay> = ScenarioReader::delay;
        /// The share of actions that fail.
        pub(super) fails: f64 = ScenarioReader::chance, or 0.0;
        /// Rollback methods that always fail.
        pub(super) broken: Vec<RollbackMethod> = ScenarioReader::one_of, list;
    }
}

fn input(reader: &mut ScenarioReader, value: &Node) -> Option<Input> {
    let input =
        Input::from_value(tree_of(value)).map_err(|error| format!("{}: {error}", error.code()));
    input.map_or_else(|detail| reader.fail(SimulationFault::NotTaken { detail }), Some)
}

/// Draws whether somebody is late, absent or wrong. None before the start, when nobody is: that
/// time is the same in every run.
#[derive(Clone, Debug, Default)]
pub(super) struct PeopleDraws(pub(super) Option<Draws>);

impl PeopleDraws {
    pub(super) fn happens(&mut self, chance: f64) -> bool {
        chance > 0.0 && self.0.as_mut().is_some_and(|draws| draws.chance(chance))
    }
}

const MINUTE: Span = Span::from_seconds(60);

impl People {
    /// Whether a person that the start needs is always absent.
    pub(super) fn may_not_start(&self) -> bool {
        [self.approve, self.check, self.start].contains(&None)
    }

    /// The delay of an answer, which may be late or never come.
    fn when(&self, delay: Delay, random: &mut PeopleDraws) -> Delay {
        let delay = delay?;
        if random.happens(self.absent) {
            return None;
        }
        let late = random.happens(self.late);
        Some(if late { delay + self.late_by } else { delay })
    }

    /// Adds approvals and items, always with the same delays, so that the time before the start is
    /// the same in every run.
    pub(super) fn make_ready(&self, rollout: &Rollout, at: Timestamp, answers: &mut Answers) {
        let (policy, mut approvers) = (rollout.plan().policy(), Vec::new());
        for blocker in rollout.blockers() {
            let delay = if blocker.kind == BlockerKind::Item { self.check } else { self.approve };
            let Some(delay) = delay else { continue };
            if let Some(input) = cleared(policy, &blocker, "checker", &mut approvers) {
                answers.after(at, delay, input);
            }
        }
    }

    /// Adds the `start`.
    pub(super) fn send_start(&self, at: Timestamp, answers: &mut Answers) {
        if let Some(delay) = self.start {
            answers.after(at, delay, Input::new(Command::Start).by("lead"));
        }
    }

    /// Adds the inputs after the start that nobody requests.
    pub(super) fn send_own_inputs(&self, at: Timestamp, answers: &mut Answers) {
        for said in &self.says {
            answers.after(at, said.after, said.input.clone());
        }
    }

    /// Adds the answer to whether to continue. `bad`: the canary is worse at this moment.
    pub(super) fn decide(
        &self,
        rollout: &Rollout,
        at: Timestamp,
        bad: bool,
        random: &mut PeopleDraws,
        answers: &mut Answers,
    ) {
        // The answer to an earlier question may still be pending.
        if answers.will_decide("commander") {
            return;
        }
        let Some(delay) = self.when(self.decide, random) else { return };
        let right = match self.judgement {
            Judgement::Right => bad,
            Judgement::RollBack => true,
            Judgement::Promote => false,
        };
        let back = right != random.happens(self.wrong);
        if back {
            let command = Command::RollBack { why: None };
            answers.after(at, delay, Input::new(command).by("commander"));
            return;
        }
        if matches!(rollout.stage(), Stage::Gate { until: Some(_), .. }) {
            // In a veto window the phase passes unless somebody objects.
            return;
        }
        let at_the_end = matches!(rollout.stage(), Stage::FinalValidation { .. });
        if at_the_end {
            // The last items are checked before the final validation is ended.
            for list in rollout.checklists() {
                for item in list.items.iter().filter(|item| item.state == ItemState::Open) {
                    answers.after(at, delay, checked(item.id, "checker", None));
                }
            }
        }
        // If no promotion is accepted now, continuing needs no input.
        if rollout.accepted().contains(&InputKind::Promote) {
            let why = at_the_end.then(|| "what failed works again".to_owned());
            answers.after(at, delay, Input::new(Command::Promote { why }).by("commander"));
        }
    }

    /// Adds the acknowledgement of a page (`called`), or that another duty is done.
    pub(super) fn settle(
        &self,
        duty: Option<Name>,
        called: bool,
        at: Timestamp,
        random: &mut PeopleDraws,
        answers: &mut Answers,
    ) {
        let Some(duty) = duty else { return };
        // The answer to an earlier notification may still be pending.
        if !called && answers.will_settle(duty) {
            return;
        }
        let delay = if called { self.acknowledge } else { self.duties };
        let Some(delay) = self.when(delay, random) else { return };
        let evidence = None;
        let command = if called {
            Command::Acknowledge { duty, evidence }
        } else {
            Command::Done { duty, evidence }
        };
        answers.after(at, delay, Input::new(command).by("on-call"));
    }

    /// Adds the completion of duties that became due without an action: people see them on their
    /// list. `known` has those that were added before.
    pub(super) fn do_duties(
        &self,
        rollout: &Rollout,
        at: Timestamp,
        known: &mut Vec<(Name, u64)>,
        random: &mut PeopleDraws,
        answers: &mut Answers,
    ) {
        if rollout.plan().policy().duties().is_empty() {
            return;
        }
        let duties = rollout.duties(at);
        for item in duties.due.iter().chain(&duties.overdue) {
            let by_hand = matches!(
                item.kind,
                DutyKind::Act
                    | DutyKind::Review
                    | DutyKind::Write
                    | DutyKind::Watch
                    | DutyKind::FollowUp
                    | DutyKind::Meet
            );
            // Each occurrence of a repeated duty is done.
            let asked = (item.id, item.occurrence.unwrap_or(1));
            if by_hand && matches!(item.source, Source::Duty) && !known.contains(&asked) {
                known.push(asked);
                let from = item.watched_until().map_or(at, |until| at.max(until));
                self.settle(Some(item.id), false, from, random, answers);
            }
        }
    }
}

/// The input that clears a blocker of the start. None if only the scenario's own inputs can, as for
/// severity, denial, traffic and policy. An approval is given by a holder of the role who is not
/// yet among the `approvers`, if there is one.
pub(super) fn cleared(
    policy: &Policy,
    blocker: &Blocker,
    checker: &str,
    approvers: &mut Vec<String>,
) -> Option<Input> {
    match (blocker.kind, blocker.item, blocker.roles.first()) {
        (BlockerKind::Item, Some(item), _) => {
            let names = point_item(policy) == Some(item);
            let evidence = names.then(|| "the deployment before it".to_owned());
            Some(checked(item, checker, evidence))
        }
        (BlockerKind::Approval, _, Some(&role)) => {
            let (channel, heard_by, plan_digest, why) = (None, None, None, None);
            let command = Command::Approve { role, channel, heard_by, plan_digest, why };
            Some(Input::new(command).by(&approver(policy, role, approvers)))
        }
        // It is rehearsed as a hot-fix, whatever the facts, the hour and the traffic are.
        (
            BlockerKind::NormalProcess | BlockerKind::ChangeWindow | BlockerKind::VolumeBound,
            Some(item),
            role,
        ) => {
            let role = role.copied().or_else(|| RoleName::try_new("approver").ok())?;
            let why = "it is rehearsed as a hot-fix".to_owned();
            let command = Command::WaiveItem { item, role: Some(role), why };
            Some(Input::new(command).by(&approver(policy, role, &mut Vec::new())))
        }
        _ => None,
    }
}

/// The input that an item of a checklist is done.
pub(super) fn checked(item: Name, by: &str, evidence: Option<String>) -> Input {
    let (more, status) = (Vec::new(), ItemStatus::Done);
    Input::new(Command::CheckItem { item, more, status, evidence }).by(by)
}

impl Platform {
    /// How long the platform takes for an action. None if it does not answer.
    pub(super) fn takes(&self, rollout: &Rollout, act: &Act) -> Delay {
        let plan = rollout.plan();
        match act {
            Act::SetTraffic { .. } => self.traffic,
            Act::Deploy { .. } => self.deploy.unwrap_or_else(|| {
                let step = rollout.stage().step();
                let phase = step.and_then(|step| plan.policy().phases().get(step.index));
                Some(phase.map_or(MINUTE, |phase| phase.deploy))
            }),
            Act::RollBack { method, .. } => self.roll_back.unwrap_or_else(|| {
                let known = plan.methods().iter().find(|known| known.kind == *method);
                Some(known.and_then(|known| known.seconds).unwrap_or(MINUTE))
            }),
            Act::AskDecision { .. }
            | Act::RequestApproval { .. }
            | Act::Notify { .. }
            | Act::Page { .. }
            | Act::UpdateStatusPage { .. }
            | Act::Schedule { .. } => None,
        }
    }
}

/// The approver in a role. If the policy names holders, only they approve, and two approvals are of
/// two people.
fn approver(policy: &Policy, role: RoleName, approvers: &mut Vec<String>) -> String {
    let holders = policy.role(role).map(|role| role.holders.as_slice()).unwrap_or_default();
    let mut names = holders.iter().map(|holder| &holder.name);
    let by = names.clone().find(|name| !approvers.contains(name)).or_else(|| names.next());
    let by = by.map_or_else(|| format!("approver as {role}"), Clone::clone);
    approvers.push(by.clone());
    by
}
