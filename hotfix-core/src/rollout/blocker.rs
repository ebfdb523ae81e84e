//! What blocks the start of a rollout.

use serde::Serialize;

use crate::fact::Truth;
use crate::gate::Exception;
use crate::gate::approval::{self, Demand, DemandId, DemandState, Statement};
use crate::grade::{Severity, closed_set};
use crate::plan::{Plan, PlanFinding, Window, called_first, only_author};
use crate::policy::Policy;
use crate::policy::section::{Checklist, ChecklistItem, choices};
use crate::text::{joined, moment, quoted};
use crate::unit::{Name, RoleName, Timestamp};

use super::describe;
use super::input::InputKind;
use super::refusal::waivers;
use super::stage::{Stage, State};
use super::state::{Missing, Readiness, RolloutState, Silence};

closed_set! {
    /// The kind of a blocker.
    BlockerKind {
        /// There is no release yet.
        Release = "release",
        /// The severity is not known, and the demands depend on it.
        Severity = "severity",
        /// Somebody denied the plan.
        Denial = "denial",
        /// The policy calls for the normal process instead of a hot-fix.
        NormalProcess = "normal_process",
        /// The time is outside of the release's change window.
        ChangeWindow = "change_window",
        /// At the planned traffic a bound of a volume rolls every fix back.
        VolumeBound = "volume_bound",
        /// Readings had come and have stopped, and the policy makes the rollout wait for them.
        Readings = "readings",
        /// An approval is missing.
        Approval = "approval",
        /// An item of a checklist is open.
        Item = "item",
        /// Traffic of the previous attempt is still being moved.
        Traffic = "traffic",
        /// The policy has an error that prevents a start.
        Policy = "policy",
    }
}

/// One thing that prevents the start, and how it is cleared.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Blocker {
    /// The kind of the blocker.
    pub kind: BlockerKind,
    /// The item that is open, or what a role has to waive.
    pub item: Option<Name>,
    /// The list that it is on.
    pub list: Option<Name>,
    /// The roles whose approval or waiver is needed, or that denied the plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleName>,
    /// What is wrong, with the remedy.
    pub sentence: String,
    /// The roles that can clear it, stand-ins last; of a severity, which anybody may set, the role that
    /// is called first. Empty: anybody, or for a review anybody but the author of the fix.
    pub who: Vec<RoleName>,
    /// The kinds of input that clear it; empty: none does, and a new plan has to be made.
    pub clears: Vec<InputKind>,
}

/// The demands for approval, and the statements that no demand asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approvals {
    /// Each demand, those of the whole policy first.
    pub demands: Vec<Demand>,
    /// Statements of roles that no demand names. A denial among them blocks the start as well.
    pub unasked: Vec<Statement>,
}

impl Blocker {
    fn of(missing: &Missing<'_>, plan: &Plan, of: &Readiness, stuck: &[DemandId]) -> Self {
        let policy = plan.policy();
        match missing {
            Missing::Release => Self::new(
                BlockerKind::Release,
                "there is no release yet: send `release` when there is a fix".to_owned(),
                &[InputKind::Release],
            ),
            Missing::Severity(severity) => Self::of_severity(*severity, policy),
            Missing::Denial(denial) => Self::of_denial(denial, policy),
            Missing::NormalProcess(reasons) => {
                let sentence = process_sentence(reasons, policy);
                let mut blocker = Self::of_exception(Exception::NormalProcess, sentence, policy);
                if !of.is_lifted_by_severity(plan) {
                    blocker.clears.retain(|input| *input != InputKind::SetSeverity);
                }
                blocker
            }
            Missing::VolumeBound(beyond) => {
                let sentence = volume_sentence(beyond, policy);
                Self::of_exception(Exception::VolumeBound, sentence, policy)
            }
            Missing::Approval(demand) if stuck.contains(&demand.id) => Self::of_nobody(demand),
            Missing::Approval(demand) => Self::of_demand(demand, plan),
            Missing::Item(list, item, applies) => Self::of_item(list, item, *applies),
            Missing::RollbackPoint(item) => Self::of_point(*item),
        }
    }

    fn new(kind: BlockerKind, sentence: String, clears: &[InputKind]) -> Self {
        Self {
            kind,
            item: None,
            list: None,
            roles: Vec::new(),
            sentence,
            who: Vec::new(),
            clears: clears.to_vec(),
        }
    }

    fn of_severity(severity: Option<Severity>, policy: &Policy) -> Self {
        let known = choices(policy.severities());
        let by_facts = severity.is_none() && !policy.rules().is_empty();
        let sentence = if let Some(severity) = severity {
            format!("the policy has no severity `{severity}`: set one of {known}")
        } else {
            let or = if by_facts { ", or facts from which it follows" } else { "" };
            format!(
                "severity not known: set one of {known}{or}; approvals and checklists depend on it"
            )
        };
        let clears = [InputKind::SetSeverity, InputKind::SetFacts];
        // Whoever is called first for the most severe one.
        let worst = policy.severities().first().map(|level| level.severity);
        let role = called_first(policy, worst);
        let stand_ins = approval::stand_ins_of(policy, role.as_slice());
        let who = role.into_iter().chain(stand_ins).collect();
        Self {
            who,
            ..Self::new(BlockerKind::Severity, sentence, &clears[..=usize::from(by_facts)])
        }
    }

    fn of_denial(denial: &Statement, policy: &Policy) -> Self {
        let role = denial.role;
        let stand_ins = approval::stand_ins_of(policy, &[role]);
        let sentence = format!(
            "{}: only an approval by `{role}` lifts that, so ask again, or send `supersede` with \
             another fix, or `abort`{}",
            denied(denial),
            may_stand_in(&stand_ins)
        );
        let who = [vec![role], stand_ins].concat();
        Self {
            roles: vec![role],
            who,
            ..Self::new(BlockerKind::Denial, sentence, &[InputKind::Approve])
        }
    }

    fn of_silence(silence: &Silence<'_>) -> Self {
        let sentence = silence_sentence(silence) + ": restore the readings";
        let clears = [InputKind::Observe, InputKind::SetSeverity];
        Self::new(BlockerKind::Readings, sentence, &clears)
    }

    fn of_exception(exception: Exception, sentence: String, policy: &Policy) -> Self {
        let (kind, clears): (_, &[_]) = match exception {
            Exception::NormalProcess => (
                BlockerKind::NormalProcess,
                &[InputKind::WaiveItem, InputKind::SetSeverity, InputKind::SetFacts],
            ),
            Exception::VolumeBound => (BlockerKind::VolumeBound, &[InputKind::WaiveItem]),
            Exception::ChangeWindow => (BlockerKind::ChangeWindow, &[InputKind::WaiveItem]),
        };
        let roles = policy.waived_by().to_vec();
        let mut who = roles.clone();
        who.extend(approval::stand_ins_of(policy, &roles));
        Self { item: exception.id(), roles, who, ..Self::new(kind, sentence, clears) }
    }

    fn of_demand(demand: &Demand, plan: &Plan) -> Self {
        let roles = quoted(&demand.any_of, " or ");
        // What is approved before is void with the release.
        let then = if plan.release().is_none() { " once there is a release" } else { "" };
        let sentence = match (demand.state, demand.lacks_writing()) {
            (DemandState::Withdrawn, _) => {
                format!("the approval of {roles} was withdrawn: ask for it again{then}")
            }
            (DemandState::AuthorAlone, _) => format!(
                "only the author of the fix approved for {roles}: somebody else has to approve, too"
            ),
            (_, Some(verbal)) => {
                format!("{}: ask for it{then}", describe::needed_in_writing(verbal))
            }
            (_, None) => format!("the approval of {roles} is missing: ask for it{then}"),
        };
        let sentence = sentence + &may_stand_in(&demand.stand_ins);
        Self {
            roles: demand.any_of.clone(),
            who: demand.roles(),
            ..Self::new(BlockerKind::Approval, sentence, &[InputKind::Approve])
        }
    }

    /// Once the incident is over, nobody needs a fix or its approval, unless it is deployed all the same.
    fn note_end(&mut self) {
        let [lacks, to] = match self.kind {
            BlockerKind::Release => ["there is no release".to_owned(), "`release`".to_owned()],
            BlockerKind::Approval if !self.clears.is_empty() => {
                let roles = quoted(&self.roles, " or ");
                [format!("the approval of {roles} is missing"), "ask for it".to_owned()]
            }
            _ => return,
        };
        self.sentence = format!(
            "{lacks}, and the incident is over: send `abort`, or {to} to deploy a fix all the same"
        );
    }

    fn of_nobody(demand: &Demand) -> Self {
        let sentence = format!("{}; then create a new plan", only_author(&demand.any_of));
        let roles = demand.any_of.clone();
        Self { roles, ..Self::new(BlockerKind::Approval, sentence, &[]) }
    }

    fn of_item(list: &Checklist, item: &ChecklistItem, applies: Truth) -> Self {
        let how = if item.if_applicable {
            "check it, waive it, or set its status to `not_applicable`"
        } else {
            "check or waive it"
        };
        let mut sentence = format!("`{}` is open ({}): {how}", item.id, item.text);
        let mut clears = vec![InputKind::CheckItem, InputKind::WaiveItem];
        if applies == Truth::Unknown {
            sentence = format!("{sentence}, or state whether the list `{}` applies", list.id);
            if list.when.is_some() {
                clears.push(InputKind::SetFacts);
            }
            if !list.severities.is_empty() {
                clears.push(InputKind::SetSeverity);
            }
        }
        Self {
            item: Some(item.id),
            list: Some(list.id),
            ..Self::new(BlockerKind::Item, sentence, &clears)
        }
    }

    fn of_point(item: Name) -> Self {
        let sentence = format!(
            "the rollback point is not named: check `{item}` with the commit, artifact or deployment \
             to roll back to as evidence, or waive it"
        );
        let clears = [InputKind::CheckItem, InputKind::WaiveItem];
        Self { item: Some(item), ..Self::new(BlockerKind::Item, sentence, &clears) }
    }
}

/// That the policy calls for the normal process, why, and who may waive that.
fn process_sentence(reasons: &[PlanFinding], policy: &Policy) -> String {
    let reasons = joined(reasons.iter().map(|reason| &reason.text), "; ");
    let waiver = waiver(Exception::NormalProcess, policy);
    format!("{reasons}: use the normal process, or {waiver}")
}

/// That a bound of a volume rolls every fix back, and who may start all the same.
fn volume_sentence(beyond: &[String], policy: &Policy) -> String {
    format!("{}, or {}", joined(beyond, "; "), waiver(Exception::VolumeBound, policy))
}

/// When the change window is or was, and who may waive it.
fn window_sentence(Window { from, until, .. }: Window, at: Timestamp, policy: &Policy) -> String {
    let waive = waiver(Exception::ChangeWindow, policy);
    let (is_over, [from, until]) = (at > until, [from, until].map(moment));
    if is_over {
        format!("the change window, {from} to {until}, is over: {waive}")
    } else {
        format!("the change window is {from} to {until}: start in it, or {waive}")
    }
}

/// The question about what prevents the start until somebody waives or lifts it: the normal
/// process, a change window that is over, a bound that rolls every fix back, a denial; and, once
/// the fix is ready, readings that have stopped. None where nothing of that does. `objects`: somebody
/// reported a problem with the fix, which another fix answers.
pub(super) fn question_about_process(
    plan: &Plan,
    case: &RolloutState,
    at: Timestamp,
    objects: bool,
) -> Option<String> {
    let (policy, readiness) = (plan.policy(), &case.readiness);
    let process = readiness.normal_process().map(|reasons| process_sentence(reasons, policy));
    let window = window_missed(plan, readiness, at).filter(|window| at > window.until);
    let window = window.map(|window| window_sentence(window, at, policy));
    let volume = readiness.volumes_beyond(plan);
    let volume = (!volume.is_empty()).then(|| volume_sentence(&volume, policy));
    let waivable: Vec<String> = process.into_iter().chain(window).chain(volume).collect();
    let denials = || readiness.statements().denials();
    let lifts = denials().map(|denial| {
        let stand_ins = approval::stand_ins_of(policy, &[denial.role]);
        let or = if stand_ins.is_empty() { "" } else { " or its stand-in " };
        format!("`{}`{or}{}", denial.role, quoted(&stand_ins, " or "))
    });
    let lifts = joined(lifts, " and ");
    let denials: Vec<String> = denials().map(denied).collect();
    let silence = case.silence(policy, at).filter(|silence| silence.waits);
    // While something else is missing, nobody could start.
    let silence = silence.filter(|_| case.state(plan) == State::Ready);
    let silence = silence.map(|silence| silence_sentence(&silence));
    let restore = silence.as_ref().map(|_| "readings (`observe`)");
    let waive = (!waivable.is_empty()).then_some("`waive_item`");
    let approve = format!("`approve` by {lifts}");
    let approve = (!denials.is_empty()).then_some(approve.as_str());
    let supersede = (objects || approve.is_some()).then_some("`supersede` with another fix");
    let answers = restore.into_iter().chain(waive).chain(approve).chain(supersede);
    let sentences = joined(silence.iter().chain(&waivable).chain(&denials), "; ");
    (!sentences.is_empty())
        .then(|| format!("{sentences}. Answer with {}, or send `abort`.", joined(answers, ", ")))
}

fn silence_sentence(silence: &Silence<'_>) -> String {
    format!("{silence}, and the policy makes the start wait")
}

fn denied(denial: &Statement) -> String {
    format!("`{}` denied the plan{}", denial.role, describe::given(denial.why.as_deref()))
}

/// How an exception is waived, and by whom.
pub(super) fn waiver(exception: Exception, policy: &Policy) -> String {
    let roles = policy.waived_by();
    let stand_ins = may_stand_in(&approval::stand_ins_of(policy, roles));
    format!("let {} waive `{exception}` with a reason{stand_ins}", waivers(roles))
}

/// Which roles may act for those that a sentence names.
fn may_stand_in(stand_ins: &[RoleName]) -> String {
    match stand_ins {
        [] => String::new(),
        stand_ins => format!("; {} may stand in", quoted(stand_ins, " or ")),
    }
}

/// The blockers that depend on the time of the start: the change window, where this time is outside
/// of it and the window is not waived, and readings that have stopped.
pub(super) fn blocked_at(
    plan: &Plan,
    case: &RolloutState,
    at: Timestamp,
) -> impl Iterator<Item = Blocker> {
    let window = window_missed(plan, &case.readiness, at);
    let window = window.map(|window| {
        let sentence = window_sentence(window, at, plan.policy());
        Blocker::of_exception(Exception::ChangeWindow, sentence, plan.policy())
    });
    let silence = case.silence(plan.policy(), at).filter(|silence| silence.waits);
    window.into_iter().chain(silence.map(|silence| Blocker::of_silence(&silence)))
}

pub(super) fn window_missed(plan: &Plan, readiness: &Readiness, at: Timestamp) -> Option<Window> {
    let is_waived = readiness.marks().is_waived(Exception::ChangeWindow);
    let window = plan.change_window();
    window.filter(|window| !is_waived && !(window.from..=window.until).contains(&at))
}

/// Everything that prevents the start: see [`Rollout::blockers`](super::Rollout::blockers).
pub(super) fn blockers(plan: &Plan, case: &RolloutState) -> Vec<Blocker> {
    let RolloutState { place, actions, readiness, .. } = case;
    if *place.stage() != Stage::Preparing {
        return Vec::new();
    }
    let policy = plan.policy();
    let missing = readiness.missing(plan);
    let stuck: Vec<DemandId> =
        plan.only_for_author(readiness.severity()).map(|(id, _)| id).collect();
    let mut blockers: Vec<Blocker> =
        missing.iter().map(|missing| Blocker::of(missing, plan, readiness, &stuck)).collect();
    if case.is_resolved() {
        blockers.iter_mut().for_each(Blocker::note_end);
    }
    blockers.extend(actions.pending().iter().map(|action| {
        let sentence = format!(
            "traffic of the previous attempt is still being moved: send `confirm` or `failed` for \
             action {}",
            action.id
        );
        Blocker::new(BlockerKind::Traffic, sentence, &[InputKind::Confirm, InputKind::Failed])
    }));
    blockers.extend(place.at().into_iter().flat_map(|at| blocked_at(plan, case, at)));
    blockers.extend(policy.denials().iter().map(|finding| {
        let sentence = format!("{finding}; fix the policy, then create a new plan");
        Blocker::new(BlockerKind::Policy, sentence, &[])
    }));
    blockers
}
