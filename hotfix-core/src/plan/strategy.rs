//! The strategy of one release, and its phases.
//!
//! A plan follows an effective policy: the policy itself, or, where the release chose another
//! strategy, a clone with strategy and phases replaced. So the judge, the rollout, the timeline and
//! the log know one policy and no exception.

use std::borrow::Cow;
use std::sync::Arc;

use super::error::PlanError;
use super::recommend::{self, Grounds};
use super::subject::{Subject, Traffic};
use crate::code::code;
use crate::grade::Strategy;
use crate::policy::Policy;
use crate::policy::section::{Phase, StrategySettings};
use crate::text::counted;
use crate::unit::{PhaseName, Share};

/// Most batches of a rollout. A larger fleet gets larger batches.
pub(super) const MOST_BATCHES: u32 = 32;

/// Why a release cannot be planned with a strategy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum Obstacle {
    /// The policy forbids it.
    #[error("the policy does not allow it")]
    Barred,
    /// The policy has no phases for it, and none can be derived.
    #[error("the policy has no phases for it")]
    NoPhases,
    /// There is no feature flag.
    #[error("no feature flags are available")]
    NoFlags,
    /// There are too few instances.
    #[error("there {} {}", if *instances == 1 { "is" } else { "are" }, counted(*instances, "instance", "instances"))]
    FewInstances { instances: u32 },
    /// No instance runs the canary.
    #[error("no instance runs the canary")]
    NoCanary,
    /// The policy's batch is all instances.
    #[error("a batch of {batch} covers all {instances} instances")]
    WholeBatch { batch: u32, instances: u32 },
    /// The number of instances is unknown.
    #[error("the number of instances is unknown")]
    InstancesUnknown,
}

impl Obstacle {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Barred | Self::NoPhases => code! {HF-PLAN-011},
            Self::InstancesUnknown => code! {HF-PLAN-012},
            Self::NoFlags
            | Self::NoCanary
            | Self::FewInstances { .. }
            | Self::WholeBatch { .. } => code! {HF-PLAN-010},
        }
    }

    /// Its input: a JSON Pointer into `{"incident", "release", "traffic", "policy"}`.
    pub(super) fn rests_on(&self, strategy: Strategy) -> Cow<'static, str> {
        match self {
            Self::Barred => format!("/policy/strategies/{strategy}/allowed").into(),
            Self::NoPhases => format!("/policy/strategies/{strategy}").into(),
            Self::NoFlags => "/traffic/flags".into(),
            Self::NoCanary => "/traffic/canary_instances".into(),
            Self::FewInstances { .. } | Self::WholeBatch { .. } | Self::InstancesUnknown => {
                "/traffic/instances".into()
            }
        }
    }
}

/// Batches of a rolling deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Batches {
    /// The requested number of instances per batch.
    pub asked: u32,
    /// How many batches there are: at most 32.
    pub count: u32,
    /// Whether the batches are larger than requested, because more than 32 would be needed.
    pub grown: bool,
    /// How many instances there are.
    pub instances: u32,
    /// Instances per batch. The last batch has the rest.
    pub size: u32,
}

impl Batches {
    /// The batches of a release under this policy. Err if the number of instances is unknown or
    /// they are all in one batch.
    pub(super) fn of(policy: &Policy, subject: &Subject) -> Result<Self, Obstacle> {
        let instances = subject.traffic.instances.ok_or(Obstacle::InstancesUnknown)?;
        let asked = subject.chosen_batch().unwrap_or_else(|| usual_batch(policy));
        if asked >= instances {
            return Err(Obstacle::WholeBatch { batch: asked, instances });
        }
        let size = asked.max(instances.div_ceil(MOST_BATCHES)).max(1);
        let count = instances.div_ceil(size);
        Ok(Self { asked, count, grown: size > asked, instances, size })
    }

    /// How many instances have the release after a batch, from 1.
    pub(super) fn after(self, batch: u32) -> u32 {
        self.size.saturating_mul(batch).min(self.instances)
    }

    /// How many instances a batch updates, from 1.
    pub(super) fn updates(self, batch: u32) -> u32 {
        self.after(batch) - self.after(batch.saturating_sub(1))
    }

    fn share(self, batch: u32) -> Share {
        let part = f64::from(self.after(batch)) / f64::from(self.instances);
        // A part of a whole is a valid share.
        Share::try_from_fraction(part).unwrap_or(Share::ALL)
    }
}

/// The number of instances in two of the policy's batches.
pub(crate) fn instances_of_two(policy: &Policy) -> u32 {
    usual_batch(policy).saturating_mul(2)
}

/// The policy's batch: of the strategy itself, or else of its entry in the alternatives, or else 1.
fn usual_batch(policy: &Policy) -> u32 {
    let by_settings = policy.strategy_settings(Strategy::Rolling).and_then(|of| of.batch);
    let alternatives = policy.alternatives().iter();
    let by_alternative =
        || alternatives.filter(|other| other.strategy == Strategy::Rolling).find_map(|a| a.batch);
    by_settings.or_else(by_alternative).unwrap_or(1)
}

/// The traffic input that forbids a strategy, if there is one.
fn forbidden(strategy: Strategy, traffic: &Traffic) -> Option<Obstacle> {
    match strategy {
        Strategy::FeatureFlag if traffic.flags == Some(false) => Some(Obstacle::NoFlags),
        Strategy::Canary if traffic.canary_instances == Some(0) => Some(Obstacle::NoCanary),
        Strategy::Rolling => {
            let few = traffic.instances.filter(|instances| *instances < 2);
            few.map(|instances| Obstacle::FewInstances { instances })
        }
        Strategy::Canary | Strategy::FeatureFlag | Strategy::BlueGreen | Strategy::Immediate => {
            None
        }
    }
}

/// The phases of a release with this strategy, under the unmodified policy. Only `rolling` has the
/// batch that the release chose.
pub(crate) fn phases<'p>(
    policy: &'p Policy,
    strategy: Strategy,
    subject: &Subject,
) -> Result<Cow<'p, [Phase]>, Obstacle> {
    if let Some(obstacle) = forbidden(strategy, &subject.traffic) {
        return Err(obstacle);
    }
    // The batch of the release counts even where the policy writes out the phases of its batches.
    let batches = strategy == Strategy::Rolling && subject.chosen_batch().is_some();
    if strategy == policy.strategy() && !batches {
        return Ok(Cow::Borrowed(policy.phases()));
    }
    let settings = policy.strategy_settings(strategy);
    if settings.is_some_and(|settings| !settings.allowed) {
        return Err(Obstacle::Barred);
    }
    if let Some(settings) = settings.filter(|settings| !settings.phases.is_empty()) {
        return Ok(Cow::Borrowed(&settings.phases));
    }
    // A policy has a phase at least.
    let (Some(first), Some(last)) = (policy.phases().first(), policy.phases().last()) else {
        return Err(Obstacle::NoPhases);
    };
    derived(policy, strategy, subject, [first, last])
}

/// Phases derived from the policy's first and last phase.
fn derived<'p>(
    policy: &'p Policy,
    strategy: Strategy,
    subject: &Subject,
    [first, last]: [&Phase; 2],
) -> Result<Cow<'p, [Phase]>, Obstacle> {
    let changes = policy.strategy_settings(strategy);
    let whole = |name: &str| {
        let phase = Phase { share: Share::ALL, name: name_of(name, last), ..last.clone() };
        Cow::Owned(vec![changed(phase, 1, changes)])
    };
    match strategy {
        Strategy::Canary => shared(policy, Strategy::FeatureFlag, changes),
        Strategy::FeatureFlag => shared(policy, Strategy::Canary, changes),
        Strategy::BlueGreen => Ok(whole("switch")),
        Strategy::Immediate => Ok(whole("all")),
        Strategy::Rolling => {
            let batches = Batches::of(policy, subject)?;
            let batch = |number: u32| {
                let is_last = number == batches.count;
                let of = if is_last { last } else { first };
                let name = name_of(&format!("batch-{number}"), of);
                let phase = Phase { share: batches.share(number), name, ..of.clone() };
                let phase = changed(phase, number, changes);
                // All traffic is watched as long as the policy watches all traffic.
                let Phase { watch, watch_most, .. } = *last;
                if is_last { Phase { watch, watch_most, ..phase } } else { phase }
            };
            Ok(Cow::Owned((1..=batches.count).map(batch).collect()))
        }
    }
}

/// The phases of `other`, canary or feature flag, with this strategy's commands: both move the same shares.
fn shared<'p>(
    policy: &'p Policy,
    other: Strategy,
    changes: Option<&StrategySettings>,
) -> Result<Cow<'p, [Phase]>, Obstacle> {
    let phases = if policy.strategy() == other {
        policy.phases()
    } else {
        match policy.strategy_settings(other) {
            Some(settings) if !settings.phases.is_empty() => &settings.phases,
            _ => return Err(Obstacle::NoPhases),
        }
    };
    let phase = |(number, phase): (u32, &Phase)| Phase {
        commands: commands_of(number, changes),
        ..phase.clone()
    };
    Ok(Cow::Owned((1..).zip(phases).map(phase).collect()))
}

/// The commands of the phase with this number, from 1.
fn commands_of(number: u32, changes: Option<&StrategySettings>) -> Vec<String> {
    let Some(changes) = changes else { return Vec::new() };
    let next = changes.next_commands.as_ref().filter(|_| number > 1);
    next.or(changes.commands.as_ref()).cloned().unwrap_or_default()
}

/// The name for a derived phase. The names given here are valid; otherwise the phase keeps its own.
fn name_of(name: &str, phase: &Phase) -> PhaseName {
    PhaseName::try_new(name).unwrap_or(phase.name)
}

fn changed(mut phase: Phase, number: u32, changes: Option<&StrategySettings>) -> Phase {
    if let Some(changes) = changes {
        phase.deploy = changes.deploy.unwrap_or(phase.deploy);
        // The strategy's times override those of the phase that this one is derived from.
        let most = changes.watch_most.unwrap_or(phase.watch);
        phase.watch = changes.watch.unwrap_or(phase.watch.min(most));
        phase.watch_most = changes.watch_most.or(phase.watch_most);
    }
    phase.watch_most = phase.watch_most.map(|most| most.max(phase.watch));
    // The commands and objective of the phase are for the strategy it was written for.
    phase.commands = commands_of(number, changes);
    phase.objective.clear();
    phase
}

/// The unmodified policy, without the choices of another release.
pub(super) fn as_written(policy: &Policy) -> Cow<'_, Policy> {
    policy.before_choice().map_or(Cow::Borrowed(policy), Cow::Owned)
}

/// The policy that a plan of this release follows.
///
/// # Errors
/// A [`PlanError`] for an impossible strategy or batch.
pub(super) fn effective(
    policy: Arc<Policy>,
    subject: &Subject,
    grounds: &Grounds<'_>,
) -> Result<Arc<Policy>, PlanError> {
    let written = match policy.before_choice() {
        Some(written) => Arc::new(written),
        None => policy,
    };
    let chosen_batch = subject.chosen_batch();
    let strategy = subject.chosen_strategy().unwrap_or_else(|| written.strategy());
    if chosen_batch.is_some() && strategy != Strategy::Rolling {
        return Err(PlanError::NoBatches { strategy });
    }
    if let Some(batch) = chosen_batch {
        let most = subject.traffic.instances;
        if batch == 0 || most.is_some_and(|most| most > 1 && batch >= most) {
            return Err(PlanError::Batch { batch, instances: most });
        }
    }
    let is_own = strategy == written.strategy() && chosen_batch.is_none();
    match phases(&written, strategy, subject) {
        Ok(_) if is_own => Ok(Arc::clone(&written)),
        Ok(chosen) => Ok(Arc::new(written.choosing(strategy, chosen.into_owned()))),
        Err(obstacle) => {
            let instead = recommend::best(&written, grounds);
            Err(PlanError::Strategy { strategy, obstacle, instead })
        }
    }
}

/// The policy of an existing plan. The choices of its release stay, even if they would be derived
/// differently today.
///
/// # Errors
/// As [`effective`].
pub(super) fn kept(
    policy: Arc<Policy>,
    subject: &Subject,
    grounds: &Grounds<'_>,
) -> Result<Arc<Policy>, PlanError> {
    let strategy = subject.chosen_strategy();
    let chose = strategy.is_some() || subject.chosen_batch().is_some();
    match policy.instead_of() {
        Some(own) if chose && strategy.unwrap_or(own.strategy) == policy.strategy() => Ok(policy),
        _ => effective(policy, subject, grounds),
    }
}
