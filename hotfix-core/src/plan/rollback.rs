//! The rollback plan: the methods, their durations, and what cannot be rolled back.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Plan;
use super::subject::{Method, Subject};
use crate::gate::checklist::point_item;
pub use crate::grade::OnFailure;
use crate::grade::{RollbackMethod, Strategy, closed_set};
use crate::policy::Policy;
use crate::policy::section::{Phase, Rollback, RollbackStep, RollbackWay, TimeRange};
use crate::sorting::sort_by_key;
use crate::unit::{Name, Share, Span};
use crate::vcs::is_deployed_unmerged;

closed_set! {
    /// The source of a rollback method, or of its duration.
    StatedBy {
        Release = "release",
        Policy = "policy",
        /// The strategy: the previous version can always be deployed again, and a strategy may have
        /// its own method.
        Strategy = "strategy",
    }
    /// A part of the rollback point.
    PointPart {
        Version = "version",
        Commit = "commit",
        /// Its artifact, or the platform's deployment of it.
        Artifact = "artifact",
    }
}

impl TimeRange {
    fn of(least: Option<Span>, most: Option<Span>) -> Option<Self> {
        Self { least, most }.known()
    }

    /// None where neither time is known.
    fn known(self) -> Option<Self> {
        (self.least.is_some() || self.most.is_some()).then_some(self)
    }

    fn and(self, other: Self) -> Self {
        let sum = |a: Option<Span>, b: Option<Span>| Some(a? + b?);
        Self { least: sum(self.least, other.least), most: sum(self.most, other.most) }
    }
}

/// A rollback method.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RollbackMethodPlan {
    /// Its condition, in the policy's words. Absent: always.
    pub condition: Option<String>,
    /// Its kind.
    pub kind: RollbackMethod,
    /// The source of the method.
    pub stated_by: StatedBy,
    /// Its duration. Absent if unknown.
    pub takes: Option<TimeRange>,
    /// The source of the duration.
    pub timed_by: Option<StatedBy>,
}

/// The rollback point, which is recorded before anything is deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RollbackPointPlan {
    /// Whether the policy demands it.
    pub demanded: bool,
    /// The known parts.
    pub known: BTreeMap<PointPart, String>,
    /// The missing parts.
    pub missing: Vec<PointPart>,
    /// The checklist item whose check has to name the rollback point before the start. Absent if it
    /// is not demanded, or its commit or artifact is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<Name>,
}

/// A part of a release that cannot be rolled back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotReversible {
    /// Its input: a JSON Pointer into `{"incident", "release", "traffic"}`.
    pub rests_on: &'static str,
    /// The reason in a sentence.
    pub text: String,
}

/// A step of the rollback: the previous version's share of traffic, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ReturnStep {
    /// Its share.
    pub share: Share,
    /// How long that share is kept. Absent for the last step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<Span>,
}

/// The rollback plan of a release.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RollbackPlan {
    /// What to do after the rollback, in order.
    pub aftercare: Vec<String>,
    /// How long it takes to decide on a rollback. Absent if the policy does not state it.
    pub assess: Option<TimeRange>,
    /// What cannot be rolled back. Empty if nothing is known.
    pub not_reversible: Vec<NotReversible>,
    /// The total time: the policy's estimate with the waits of the steps, or else the sum of
    /// `execute` and the known ones of `assess` and `verify`. If the release states the time of the
    /// first method, the sum has precedence. Absent if neither is known, or if the policy does not
    /// have the first method and nobody stated its time.
    pub estimate: Option<TimeRange>,
    /// The time of the rollback itself: that of the first method, or else the policy's time for
    /// all of its methods, with the waits of its steps: at least those of the first phase, at most
    /// those of the last.
    pub execute: Option<TimeRange>,
    /// The version that is rolled back. Absent without a release.
    pub from: Option<String>,
    /// The available methods, in the order in which the rollout tries them. At least one. If one
    /// fails, the next is used.
    pub methods: Vec<RollbackMethodPlan>,
    /// The response to a failure: the policy's, but `freeze` instead of a rollback if something
    /// cannot be rolled back. A person's `roll_back` always rolls back.
    pub on_failure: OnFailure,
    /// Further methods of the policy, which the rollout does not try by itself, the fastest first:
    /// the release names others, or nothing says that there is a flag or a second environment. A
    /// person uses them if their condition holds.
    pub others: Vec<RollbackMethodPlan>,
    /// The rollback point.
    pub point: RollbackPointPlan,
    /// The time after which somebody is paged if the metrics have not recovered.
    pub returned_within: Span,
    /// The steps in which traffic returns to the previous version, the last with all traffic.
    /// Empty: all at once.
    pub steps: Vec<ReturnStep>,
    /// The previous version, which runs after the rollback. Absent without a release.
    pub to: Option<String>,
    /// Unknown inputs that may prevent a rollback: JSON Pointers.
    pub unknown: Vec<&'static str>,
    /// How long it takes to verify the rollback.
    pub verify: Option<TimeRange>,
    /// The least time to watch the metrics after the rollback.
    pub watch: Span,
}

impl RollbackPlan {
    /// The first method: the fastest available one, or with blue-green the switch back.
    pub fn chosen(&self) -> Option<&RollbackMethodPlan> {
        self.methods.first()
    }
}

impl Plan {
    /// The rollback plan of this release.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy};
    /// let plan = Plan::from_json(
    ///     Arc::new(Policy::preset("phased-canary")?),
    ///     r#"{"id": "INC-2041"}"#,
    ///     r#"{"version": "2.3.1", "previous": "2.3.0", "methods": [{"kind": "redeploy"}, {"kind": "feature_flag", "seconds": 5}]}"#,
    ///     "",
    /// )?;
    /// let back = plan.rollback();
    /// let kinds: Vec<&str> = back.methods.iter().map(|method| method.kind.as_str()).collect();
    /// assert_eq!(kinds, ["feature_flag", "redeploy"]);
    /// // The policy says how long a redeployment takes.
    /// assert_eq!(back.methods[1].takes.and_then(|takes| takes.most).map(|most| most.to_string()), Some("3min".to_owned()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rollback(&self) -> RollbackPlan {
        let waits = |phase: Option<&Phase>| {
            phase.map(|phase| self.policy().rollback().waits(phase.share)).unwrap_or_default()
        };
        let (first, last) = (waits(self.phases().first()), waits(self.phases().last()));
        self.rollback_with(None, first, last)
    }

    /// The rollback plan from the method `tried` on, or from the first. `least` and `most`: how
    /// long its steps wait in total.
    pub(crate) fn rollback_with(
        &self,
        tried: Option<RollbackMethod>,
        least: Span,
        most: Span,
    ) -> RollbackPlan {
        let Subject { release, traffic, .. } = self.subject();
        let rollback = self.policy().rollback();
        let waits = TimeRange { least: Some(least), most: Some(most) };
        let is_left = |method: &Method| tried.is_none_or(|tried| method.kind == tried);
        // `tried` may be none of the plan's methods: the input `revert` always deploys.
        let first = self.methods().iter().position(is_left);
        let left = first.and_then(|first| self.methods().get(first..));
        let deployed = tried.map(|kind| [Method { kind, seconds: None }]);
        let left = left.unwrap_or(deployed.as_ref().map_or(&[], |one| one));
        let methods: Vec<RollbackMethodPlan> =
            left.iter().map(|method| self.method_plan(*method, self.known(method.kind))).collect();
        let assess = rollback.assess.and_then(TimeRange::known);
        // The policy's times are for its own methods, if it has some.
        let is_own = methods.first().is_none_or(|first| {
            first.takes.is_some() || rollback.methods.is_empty() || self.known(first.kind).is_some()
        });
        let by_policy =
            |time: Option<TimeRange>| time.and_then(TimeRange::known).filter(|_| is_own);
        let execute = methods
            .first()
            .and_then(|method| method.takes)
            .or_else(|| by_policy(rollback.execute))
            .map(|execute| execute.and(waits));
        let verify = rollback.verify.and_then(TimeRange::known);
        let parts = || Some(assess.into_iter().chain(verify).fold(execute?, TimeRange::and));
        let by_policy = by_policy(rollback.estimate).map(|estimate| estimate.and(waits));
        // The policy's estimate is not for a method whose time the release states.
        let is_timed = methods.first().is_some_and(|of| of.timed_by == Some(StatedBy::Release));
        let not_reversible = (traffic.schema_change == Some(true)).then(|| self.schema_change());
        let unknown = traffic.schema_change.is_none().then_some(SCHEMA_CHANGE);
        RollbackPlan {
            aftercare: rollback.aftercare.clone(),
            assess,
            not_reversible: not_reversible.into_iter().collect(),
            estimate: if is_timed { parts().or(by_policy) } else { by_policy.or_else(parts) },
            execute,
            from: release.as_ref().map(|release| release.version.clone()),
            others: self.others(),
            methods,
            on_failure: self.on_failure(),
            point: self.point(),
            returned_within: rollback.returned_within,
            steps: return_steps(rollback),
            to: release.as_ref().map(|release| release.previous.clone()),
            unknown: unknown.into_iter().collect(),
            verify,
            watch: rollback.watch,
        }
    }

    /// The response to a failure.
    pub fn on_failure(&self) -> OnFailure {
        match self.policy().rollback().on_failure {
            OnFailure::RollBack if self.subject().traffic.schema_change == Some(true) => {
                OnFailure::Freeze
            }
            other => other,
        }
    }

    /// The schema change as a part that cannot be rolled back, with what the rollout does instead.
    fn schema_change(&self) -> NotReversible {
        let freezes =
            if self.on_failure() == OnFailure::Ask { "" } else { "the rollout freezes and " };
        let text = format!("the schema change; {freezes}a person decides, because {SCHEMA_RISK}");
        NotReversible { rests_on: SCHEMA_CHANGE, text }
    }

    fn known(&self, kind: RollbackMethod) -> Option<&RollbackWay> {
        self.policy().rollback().methods.iter().find(|way| way.kind == kind)
    }

    fn method_plan(&self, method: Method, known: Option<&RollbackWay>) -> RollbackMethodPlan {
        let is_named = self.subject().named_methods().iter().any(|named| named.kind == method.kind);
        let by_policy = known.and_then(|way| TimeRange::of(way.least, way.most));
        let by_release = TimeRange::of(method.seconds, method.seconds);
        let stated_by = match known {
            _ if is_named => StatedBy::Release,
            Some(_) => StatedBy::Policy,
            None => StatedBy::Strategy,
        };
        let timed_by = if by_release.is_some() { StatedBy::Release } else { StatedBy::Policy };
        let takes = by_release.or(by_policy);
        RollbackMethodPlan {
            condition: known.and_then(|way| way.condition.clone()),
            kind: method.kind,
            stated_by,
            takes,
            timed_by: takes.map(|_| timed_by),
        }
    }

    /// The policy's methods that the rollout does not try by itself.
    fn others(&self) -> Vec<RollbackMethodPlan> {
        let flags = self.subject().traffic.flags;
        let ways = self.policy().rollback().methods.iter();
        let unmerged = is_unmerged(self.policy(), self.subject());
        let mut others: Vec<_> = ways
            .filter(|way| way.kind != RollbackMethod::GitRevert || !unmerged)
            .filter(|way| self.methods().iter().all(|method| method.kind != way.kind))
            .filter(|way| way.kind != RollbackMethod::FeatureFlag || flags != Some(false))
            .map(|way| self.method_plan(Method { kind: way.kind, seconds: None }, Some(way)))
            .collect();
        sort_by_key(&mut others, |way| slowest(way.takes));
        others
    }

    /// Whether the release names the rollback point, by its commit or artifact.
    pub(crate) fn names_rollback_point(&self) -> bool {
        let point = self.release().and_then(|release| release.point.as_ref());
        let parts = point.map(|point| [&point.commit, &point.artifact]);
        parts.into_iter().flatten().flatten().any(|part| !part.trim().is_empty())
    }

    fn point(&self) -> RollbackPointPlan {
        let release = self.release();
        let point = release.and_then(|release| release.point.clone()).unwrap_or_default();
        let parts = [
            (PointPart::Version, release.map(|release| release.previous.clone())),
            (PointPart::Commit, point.commit),
            (PointPart::Artifact, point.artifact),
        ];
        let (mut known, mut missing) = (BTreeMap::new(), Vec::new());
        for (part, value) in parts {
            match value.filter(|value| !value.trim().is_empty()) {
                Some(value) => {
                    known.insert(part, value);
                }
                None => missing.push(part),
            }
        }
        let (demanded, item) = (self.policy().rollback().point, self.rollback_point_item());
        RollbackPointPlan { demanded, known, missing, item }
    }

    /// The checklist item that has to name the rollback point. None if the release does.
    pub(crate) fn rollback_point_item(&self) -> Option<Name> {
        point_item(self.policy()).filter(|_| !self.names_rollback_point())
    }
}

const SCHEMA_CHANGE: &str = "/traffic/schema_change";
/// Why a schema change is not rolled back without a person.
pub(crate) const SCHEMA_RISK: &str = "the previous version may not run on the changed schema";

fn slowest(takes: Option<TimeRange>) -> Span {
    takes.and_then(|takes| takes.most.or(takes.least)).unwrap_or(Span::from_millis(u64::MAX))
}

fn return_steps(rollback: &Rollback) -> Vec<ReturnStep> {
    let step = |step: &RollbackStep| ReturnStep { share: step.share, wait: Some(step.wait) };
    let mut steps: Vec<ReturnStep> = rollback.steps.iter().map(step).collect();
    if !steps.is_empty() {
        steps.push(ReturnStep { share: Share::ALL, wait: None });
    }
    steps
}

/// The rollback methods in the order in which they are tried: those that the release names, else
/// those of the policy and of the strategy.
pub(super) fn methods_of(policy: &Policy, subject: &Subject) -> Vec<Method> {
    let mut methods = subject.named_methods().to_vec();
    if methods.is_empty() {
        return known_methods(policy, subject);
    }
    // With blue-green, the switch to the idle side, which still has the previous version, is first;
    // then the fastest, by the release's time or else the policy's. Equal ones keep their order.
    sort_by_key(&mut methods, |method| {
        let switches = method.kind == RollbackMethod::BlueGreenSwitch;
        let first = policy.strategy() == Strategy::BlueGreen && switches;
        let known = policy.rollback().methods.iter().find(|way| way.kind == method.kind);
        let by_policy = known.and_then(|way| TimeRange::of(way.least, way.most));
        (!first, slowest(TimeRange::of(method.seconds, method.seconds).or(by_policy)))
    });
    methods
}

impl Plan {
    /// Whether the push that merges the fix may deploy it to all of the traffic. After a failed
    /// deployment the fix is then still on the branch, and the next push deploys it again.
    pub(crate) fn is_deployed_by_merge(&self) -> bool {
        self.policy().strategy() == Strategy::Immediate && self.is_merged_first()
    }

    /// Whether the fix is merged into a shared branch before it is deployed.
    pub(crate) fn is_merged_first(&self) -> bool {
        self.policy().vcs().is_some() && !is_unmerged(self.policy(), self.subject())
    }
}

/// Whether the release is deployed from its own branch: a revert on another one would do nothing.
fn is_unmerged(policy: &Policy, subject: &Subject) -> bool {
    let Some(vcs) = policy.vcs() else { return false };
    let release = subject.release.as_ref();
    let way = release.and_then(|release| release.way.as_deref());
    is_deployed_unmerged(vcs, release.and_then(|release| release.flow), way)
}

/// The methods of a release that names none: the policy's that can be used, the fastest first and
/// equal ones in its order, then the strategy's own, then the deployment of the previous version,
/// which is always possible.
///
/// Where the release chose the strategy, the strategy's method is first: the traffic moved by it.
fn known_methods(policy: &Policy, subject: &Subject) -> Vec<Method> {
    let strategy = policy.strategy();
    let own = match strategy {
        Strategy::BlueGreen => Some(RollbackMethod::BlueGreenSwitch),
        Strategy::FeatureFlag => Some(RollbackMethod::FeatureFlag),
        Strategy::Canary | Strategy::Rolling | Strategy::Immediate => None,
    };
    let unmerged = is_unmerged(policy, subject);
    let mut ways: Vec<_> = policy.rollback().methods.iter().collect();
    ways.retain(|way| match way.kind {
        RollbackMethod::FeatureFlag => own == Some(way.kind) || subject.traffic.flags == Some(true),
        RollbackMethod::BlueGreenSwitch => own == Some(way.kind),
        RollbackMethod::GitRevert => !unmerged,
        RollbackMethod::Platform | RollbackMethod::Redeploy => true,
    });
    sort_by_key(&mut ways, |way| slowest(TimeRange::of(way.least, way.most)));
    let mut kinds: Vec<RollbackMethod> = ways.iter().map(|way| way.kind).collect();
    if let Some(own) = own {
        if subject.chosen_strategy().is_some() {
            kinds.retain(|kind| *kind != own);
            kinds.insert(0, own);
        } else if !kinds.contains(&own) {
            kinds.push(own);
        }
    }
    if !kinds.contains(&RollbackMethod::Redeploy) {
        kinds.push(RollbackMethod::Redeploy);
    }
    kinds.into_iter().map(|kind| Method { kind, seconds: None }).collect()
}
