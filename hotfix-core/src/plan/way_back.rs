//! The rollback plan: which ways back there are, how long they take, and what cannot go back (PLAN-5, FIELD-6).

use std::collections::BTreeMap;

use serde::Serialize;

use super::Plan;
use super::subject::{Method, Subject};
pub use crate::grade::OnFailure;
use crate::grade::{RollbackMethod, Strategy, closed_set};
use crate::policy::Policy;
use crate::policy::section::{Rollback, RollbackStep, TimeRange};
use crate::unit::{Share, Span};

closed_set! {
    /// Who says how long a way back takes, or that there is one.
    SaidBy {
        /// The release.
        Release = "release",
        /// The policy.
        Policy = "policy",
        /// Nobody: the previous version can always be deployed again, and a strategy's own way is at hand with it.
        Strategy = "strategy",
    }
    /// A part of the point to go back to.
    PointPart {
        /// The version.
        Version = "version",
        /// Its commit.
        Commit = "commit",
        /// Its artifact, or the platform's deployment of it.
        Artifact = "artifact",
    }
}

/// From a least to a most time, each of which may be unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Takes {
    /// The least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<Span>,
    /// The most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most: Option<Span>,
}

impl Takes {
    fn of(least: Option<Span>, most: Option<Span>) -> Option<Self> {
        (least.is_some() || most.is_some()).then_some(Self { least, most })
    }

    fn range(range: Option<TimeRange>) -> Option<Self> {
        range.and_then(|range| Self::of(range.least, range.most))
    }

    fn and(self, other: Self) -> Self {
        let sum = |a: Option<Span>, b: Option<Span>| Some(a? + b?);
        Self { least: sum(self.least, other.least), most: sum(self.most, other.most) }
    }
}

/// A way back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RollbackMethodPlan {
    /// When it can be taken, in the policy's words; absent: always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Which.
    pub kind: RollbackMethod,
    /// Who says that there is one.
    pub said_by: SaidBy,
    /// How long it takes; absent where nobody says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub takes: Option<Takes>,
    /// Who says how long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timed_by: Option<SaidBy>,
}

/// The point to go back to, which is recorded before anything is deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RollbackPointPlan {
    /// Whether the policy demands it.
    pub demanded: bool,
    /// What is known of it.
    pub known: BTreeMap<PointPart, String>,
    /// What is not.
    pub missing: Vec<PointPart>,
}

/// What of a release cannot go back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NoWayBack {
    /// What says so: a JSON Pointer into `{"incident", "release", "traffic"}`.
    pub rests_on: &'static str,
    /// A sentence.
    pub text: &'static str,
}

/// A step of the way back: how much of the traffic the old version has, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ReturnStep {
    /// Its share.
    pub share: Share,
    /// How long it is left at that; absent for the last step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<Span>,
}

/// The rollback plan of a release.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RollbackPlan {
    /// What is done once the old version is back, in order.
    pub aftercare: Vec<String>,
    /// How long it takes to find out whether to go back; absent: the policy does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assess: Option<Takes>,
    /// What cannot go back; empty where nothing is known that could not.
    pub cannot_go_back: Vec<NoWayBack>,
    /// How long the whole takes: as the policy estimates it, else the sum of its parts. Absent where a part is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Takes>,
    /// How long going back takes: what the first method takes, else what the policy says of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execute: Option<Takes>,
    /// The version that is gone back from.
    pub from: String,
    /// The ways back at hand, in the order in which the rollout tries them; at least one. Where one fails the next is
    /// taken.
    pub methods: Vec<RollbackMethodPlan>,
    /// What follows a failure: what the policy says, but where it says to go back and something cannot, `freeze`. A person's
    /// `roll_back` goes back in any case.
    pub on_failure: OnFailure,
    /// Further ways that the policy knows and the release does not name, the fastest first: a person takes them where
    /// their condition holds.
    pub others: Vec<RollbackMethodPlan>,
    /// The point to go back to.
    pub point: RollbackPointPlan,
    /// When somebody is paged because metrics have not returned.
    pub returned_within: Span,
    /// The steps in which the old version gets its traffic back, the last with all of it; empty: all at once.
    pub steps: Vec<ReturnStep>,
    /// The version that is gone back to.
    pub to: String,
    /// What would have to be known to say what can go back: JSON Pointers.
    pub unknown: Vec<&'static str>,
    /// How long it takes to see that it helped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<Takes>,
    /// The least time to watch metrics after the way back.
    pub watch: Span,
}

impl RollbackPlan {
    /// The way that is taken first: the fastest at hand; with two sides the switch back.
    pub fn chosen(&self) -> Option<&RollbackMethodPlan> {
        self.methods.first()
    }
}

impl Plan {
    /// How this release goes back (PLAN-5, FIELD-6).
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
        let Subject { release, traffic, .. } = self.subject();
        let rollback = self.policy().rollback();
        let methods: Vec<RollbackMethodPlan> =
            self.methods().iter().map(|method| self.way(*method)).collect();
        let assess = Takes::range(rollback.assess);
        let execute = methods
            .first()
            .and_then(|method| method.takes)
            .or_else(|| Takes::range(rollback.execute));
        let verify = Takes::range(rollback.verify);
        let parts = || Some([assess?, execute?, verify?].into_iter().fold(NOTHING, Takes::and));
        let cannot_go_back =
            if traffic.schema_change == Some(true) { vec![SCHEMA] } else { Vec::new() };
        let unknown = traffic.schema_change.is_none().then_some(SCHEMA.rests_on);
        RollbackPlan {
            aftercare: rollback.aftercare.clone(),
            assess,
            cannot_go_back,
            estimate: Takes::range(rollback.estimate).or_else(parts),
            execute,
            from: release.version.clone(),
            others: self.others(),
            methods,
            on_failure: self.on_failure(),
            point: self.point(),
            returned_within: rollback.returned_within,
            steps: return_steps(rollback),
            to: release.previous.clone(),
            unknown: unknown.into_iter().collect(),
            verify,
            watch: rollback.watch,
        }
    }

    /// What follows a failure (FIELD-6).
    pub fn on_failure(&self) -> OnFailure {
        match self.policy().rollback().on_failure {
            OnFailure::RollBack if self.subject().traffic.schema_change == Some(true) => {
                OnFailure::Freeze
            }
            said => said,
        }
    }

    fn way(&self, method: Method) -> RollbackMethodPlan {
        let is_named = self.subject().release.methods.iter().any(|named| named.kind == method.kind);
        let known = self.policy().rollback().methods.iter().find(|way| way.kind == method.kind);
        let by_policy = known.and_then(|way| Takes::of(way.least, way.most));
        let by_release = Takes::of(method.seconds, method.seconds);
        let said_by = if is_named { SaidBy::Release } else { SaidBy::Strategy };
        let timed_by = if by_release.is_some() { SaidBy::Release } else { SaidBy::Policy };
        let takes = by_release.or(by_policy);
        RollbackMethodPlan {
            // A strategy's own way needs nothing else.
            condition: known.filter(|_| is_named).and_then(|way| way.condition.clone()),
            kind: method.kind,
            said_by,
            takes,
            timed_by: takes.map(|_| timed_by),
        }
    }

    /// What the policy knows beyond what is at hand.
    fn others(&self) -> Vec<RollbackMethodPlan> {
        let flags = self.subject().traffic.flags;
        let ways = self.policy().rollback().methods.iter();
        let mut others: Vec<_> = ways
            .filter(|way| self.methods().iter().all(|method| method.kind != way.kind))
            .filter(|way| way.kind != RollbackMethod::FeatureFlag || flags != Some(false))
            .map(|way| {
                let takes = Takes::of(way.least, way.most);
                RollbackMethodPlan {
                    condition: way.condition.clone(),
                    kind: way.kind,
                    said_by: SaidBy::Policy,
                    takes,
                    timed_by: takes.map(|_| SaidBy::Policy),
                }
            })
            .collect();
        others.sort_by_key(|way| slowest(way.takes));
        others
    }

    fn point(&self) -> RollbackPointPlan {
        let release = &self.subject().release;
        let point = release.point.clone().unwrap_or_default();
        let parts = [
            (PointPart::Version, Some(release.previous.clone())),
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
        RollbackPointPlan { demanded: self.policy().rollback().point, known, missing }
    }
}

const NOTHING: Takes = Takes { least: Some(Span::ZERO), most: Some(Span::ZERO) };

const SCHEMA: NoWayBack = NoWayBack {
    rests_on: "/traffic/schema_change",
    text: "the schema change: freeze, and let a person decide; the old version may not run on the changed schema",
};

fn slowest(takes: Option<Takes>) -> Span {
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

/// The ways back in the order in which they are tried: with two sides the switch to the idle one, which still has the
/// previous version, comes first; then the fastest, by the release's own time or else the policy's. A stable sort keeps
/// the release's order among equals.
///
/// A release that names none has its strategy's own way, and the previous version can always be deployed again.
pub(super) fn ways_back(policy: &Policy, mut methods: Vec<Method>) -> Vec<Method> {
    let strategy = policy.strategy();
    if methods.is_empty() {
        let own = match strategy {
            Strategy::BlueGreen => Some(RollbackMethod::BlueGreenSwitch),
            Strategy::FeatureFlag => Some(RollbackMethod::FeatureFlag),
            Strategy::Canary | Strategy::Rolling | Strategy::Immediate => None,
        };
        let kinds = own.into_iter().chain([RollbackMethod::Redeploy]);
        return kinds.map(|kind| Method { kind, seconds: None }).collect();
    }
    methods.sort_by_key(|method| {
        let switches = method.kind == RollbackMethod::BlueGreenSwitch;
        let first = strategy == Strategy::BlueGreen && switches;
        let known = policy.rollback().methods.iter().find(|way| way.kind == method.kind);
        let by_policy = known.and_then(|way| Takes::of(way.least, way.most));
        (!first, slowest(Takes::of(method.seconds, method.seconds).or(by_policy)))
    });
    methods
}
