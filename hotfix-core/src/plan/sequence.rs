//! The steps of a plan's strategy, in order.

use serde::Serialize;

use super::Plan;
use super::strategy::{Batches, as_written};
use crate::grade::{Strategy, closed_set};
use crate::policy::section::Phase;
use crate::unit::{PhaseName, Share, Span};

closed_set! {
    /// Who chose a plan's strategy.
    ChosenBy {
        Policy = "policy",
        Release = "release",
    }
    /// One of the two sides of a blue-green deployment. The roles change with each switch.
    Side {
        /// The side with the traffic.
        Live = "live",
        /// The other side.
        Idle = "idle",
    }
    /// The kind of a strategy's step.
    Move {
        /// The version is deployed without traffic.
        Deploy = "deploy",
        /// The idle side is checked before it gets traffic.
        Validate = "validate",
        /// The version gets a share of the traffic.
        Shift = "shift",
        /// A flag's percentage is set.
        Flag = "flag",
        /// All traffic is switched to the idle side, which becomes the live side.
        Switch = "switch",
        /// Further instances get the version.
        Batch = "batch",
        /// The version is watched until the gate.
        Watch = "watch",
    }
    /// What ends a step of a strategy.
    EndedBy {
        /// The `confirm` of the requested action. `failed` ends the rollout or rolls it back.
        Confirm = "confirm",
        Gate = "gate",
    }
}

/// The strategy of a plan: which one, who chose it, and its steps.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChosenStrategy {
    /// The batches of `rolling`, if they follow from the number of instances.
    pub batches: Option<Batches>,
    /// Who chose it.
    pub chosen_by: ChosenBy,
    /// The policy's strategy for every release.
    pub own: Strategy,
    /// The steps, in order.
    pub steps: Vec<StrategyStep>,
    /// The strategy.
    pub strategy: Strategy,
    /// The policy's reason. Absent if it gives none or the release chose the strategy.
    pub why: Option<String>,
}

/// One step of a strategy.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, educe::Educe)]
#[educe(Default)]
pub struct StrategyStep {
    /// What is checked besides the metrics.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
    /// What ends it. Absent if the next step begins immediately.
    pub ended_by: Option<EndedBy>,
    /// How many instances have the version after it.
    pub instances: Option<u32>,
    /// Its duration, or least duration. Absent for a deployment before the first phase, whose time
    /// includes it.
    pub lasts: Option<Span>,
    /// Its kind.
    #[serde(rename = "move")]
    #[educe(Default = Move::Watch)]
    pub what: Move,
    /// Its phase.
    pub phase: Option<PhaseName>,
    /// Share of the traffic that has the version after it.
    pub share: Option<Share>,
    /// The side that it concerns.
    pub side: Option<Side>,
}

impl Plan {
    /// The checks of the idle side before the `deploy` of a blue-green rollout is confirmed, in
    /// order. Empty for any other strategy.
    pub fn validations(&self) -> &[String] {
        let strategy = self.policy().strategy();
        let settings =
            self.policy().strategy_settings(strategy).filter(|_| strategy == Strategy::BlueGreen);
        settings.map_or(&[], |settings| &settings.validate)
    }

    /// The strategy of this plan, who chose it, and its steps.
    ///
    /// With blue-green, the rollout's `deploy` goes to the idle side. Its `confirm` states that the
    /// version is deployed *and* that the side passed the checks of the `validate` step. Its
    /// `failed` ends the rollout before any user gets the version.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy};
    /// let plan = Plan::from_json(
    ///     Arc::new(Policy::preset("phased-canary")?),
    ///     r#"{"id": "INC-2041"}"#,
    ///     r#"{"version": "2.3.1", "previous": "2.3.0", "strategy": "rolling"}"#,
    ///     r#"{"instances": 4}"#,
    /// )?;
    /// let shares: Vec<String> = plan.phases().iter().map(|phase| phase.share.to_string()).collect();
    /// assert_eq!(shares, ["25%", "50%", "75%", "100%"]);
    /// assert_eq!((plan.strategy().own.as_str(), plan.policy().strategy().as_str()), ("canary", "rolling"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn strategy(&self) -> ChosenStrategy {
        let (policy, batches) = (self.policy(), self.batches());
        let by_release =
            policy.instead_of().is_some() || self.subject().chosen_strategy().is_some();
        let why = policy.strategy_why();
        ChosenStrategy {
            batches,
            chosen_by: if by_release { ChosenBy::Release } else { ChosenBy::Policy },
            own: policy.instead_of().map_or(policy.strategy(), |own| own.strategy),
            steps: steps(self, batches),
            strategy: policy.strategy(),
            why: (!why.is_empty()).then(|| why.to_owned()),
        }
    }

    /// The batches of `rolling`, if they follow from the number of instances.
    pub(super) fn batches(&self) -> Option<Batches> {
        let policy = self.policy();
        policy.instead_of().filter(|_| policy.strategy() == Strategy::Rolling)?;
        let batches = Batches::of(&as_written(policy), self.subject()).ok();
        // Phases that the policy writes out are not derived batches.
        batches.filter(|batches| batches.count as usize == policy.phases().len())
    }

    /// The phases of this plan's strategy, in order; at least one.
    pub fn phases(&self) -> &[Phase] {
        self.policy().phases()
    }
}

fn steps(plan: &Plan, batches: Option<Batches>) -> Vec<StrategyStep> {
    let policy = plan.policy();
    let strategy = policy.strategy();
    let mut steps = Vec::new();
    let confirmed = |what| {
        let ended_by = Some(EndedBy::Confirm);
        StrategyStep { ended_by, what, ..StrategyStep::default() }
    };
    match strategy {
        // The version is already deployed.
        Strategy::FeatureFlag => {}
        Strategy::BlueGreen => {
            let side = Some(Side::Idle);
            steps.push(StrategyStep { what: Move::Deploy, side, ..StrategyStep::default() });
            let checks = plan.validations().to_vec();
            steps.push(StrategyStep { checks, side, ..confirmed(Move::Validate) });
        }
        Strategy::Canary | Strategy::Rolling | Strategy::Immediate => {
            steps.push(confirmed(Move::Deploy));
        }
    }
    for (number, phase) in (1..).zip(policy.phases()) {
        let what = match strategy {
            Strategy::FeatureFlag => Move::Flag,
            Strategy::Rolling => Move::Batch,
            Strategy::BlueGreen if phase.share == Share::ALL => Move::Switch,
            Strategy::Canary | Strategy::BlueGreen | Strategy::Immediate => Move::Shift,
        };
        let (name, share) = (Some(phase.name), Some(phase.share));
        steps.push(StrategyStep {
            instances: batches.map(|batches| batches.after(number)),
            lasts: Some(phase.deploy),
            phase: name,
            share,
            side: (what == Move::Switch).then_some(Side::Idle),
            ..confirmed(what)
        });
        steps.push(StrategyStep {
            checks: phase.watch_for.clone(),
            ended_by: Some(EndedBy::Gate),
            lasts: Some(plan.load().watch(phase)),
            phase: name,
            side: (what == Move::Switch).then_some(Side::Live),
            ..StrategyStep::default()
        });
    }
    steps
}
