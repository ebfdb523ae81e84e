//! The active faults of a tick, and their effects on an arm's readings.

use crate::unit::{Share, Span};

use super::arm_metrics::{ArmMetrics, CANARY};
use super::fault::{Fault, FaultKind};
use super::healthy_service::HealthyService;
use super::latency::LatencyLaw;

/// Instances of an arm that are assumed for a fault of some instances, if their number is unknown.
const ASSUMED_INSTANCES: u32 = 10;

/// An active fault of this run, and how long it has lasted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Active<'a> {
    pub(super) fault: &'a Fault,
    pub(super) lasted: Span,
}

/// The active faults of the present tick.
#[derive(Clone, Copy)]
pub(super) struct Faults<'a>(pub(super) &'a [Active<'a>]);

impl<'a> Faults<'a> {
    /// Those that change a metric in an arm.
    pub(super) fn touching(
        self,
        health: &HealthyService,
        arm: usize,
    ) -> impl Iterator<Item = &'a Active<'a>> {
        let hit = move |fault: &Fault| fault.hits(arm == CANARY) && fault.touches(health);
        self.0.iter().filter(move |active| hit(active.fault))
    }

    /// The rate of bad events per trial or per minute, with faults. `instance`: of this instance
    /// only.
    #[inline]
    pub(super) fn rate(
        self,
        health: &HealthyService,
        arm: &ArmMetrics,
        usual: f64,
        instance: Option<u32>,
    ) -> f64 {
        let rate = if arm.index == CANARY { usual * health.fixed } else { usual };
        if self.0.is_empty() {
            return rate;
        }
        self.worsened(health, arm, (usual, rate), instance)
    }

    /// The arm's `rate`, changed by its active faults. `usual`: the rate without the fix.
    fn worsened(
        self,
        health: &HealthyService,
        arm: &ArmMetrics,
        (usual, mut rate): (f64, f64),
        instance: Option<u32>,
    ) -> f64 {
        for &Active { fault, lasted } in self.touching(health, arm.index) {
            let hit = match (fault.instances, instance) {
                (Some(most), Some(instance)) => f64::from(u8::from(instance < most)) * fault.users,
                _ => users(fault, health.served_by, arm.share, arm.index),
            };
            let worse = match fault.kind {
                FaultKind::Errors => fault.to.unwrap_or(rate * fault.times),
                FaultKind::Leak => fault.leaked(rate, lasted, health.falls()),
                FaultKind::NoFix => usual,
                FaultKind::Latency
                | FaultKind::Tail
                | FaultKind::Crash
                | FaultKind::Lost
                | FaultKind::Late
                | FaultKind::Clock => rate,
            };
            rate += hit * (worse - rate);
        }
        rate
    }

    /// Fills the distribution of an arm's latencies.
    pub(super) fn slow(
        self,
        health: &HealthyService,
        arm: &ArmMetrics,
        noise: f64,
        law: &mut LatencyLaw,
    ) {
        law.begin(noise);
        for &Active { fault, lasted } in self.touching(health, arm.index) {
            let hit = users(fault, health.served_by, arm.share, arm.index);
            match fault.kind {
                FaultKind::Latency | FaultKind::Tail => law.slow(hit, fault.times),
                FaultKind::Leak => law.slow(hit, fault.grown(lasted)),
                FaultKind::Errors
                | FaultKind::Crash
                | FaultKind::NoFix
                | FaultKind::Lost
                | FaultKind::Late
                | FaultKind::Clock => {}
            }
        }
        law.compute_cells(health);
    }

    /// Whether an arm's readings of a metric are missing.
    pub(super) fn lose(self, health: &HealthyService, arm: usize) -> bool {
        self.touching(health, arm).any(|active| active.fault.kind == FaultKind::Lost)
    }
}

/// The share of an arm's users that a fault affects. `instances`: those of both arms, if known.
pub(super) fn users(fault: &Fault, instances: Option<u32>, share: Share, arm: usize) -> f64 {
    let Some(hit) = fault.instances else { return fault.users };
    let all = instances.map_or(ASSUMED_INSTANCES, |all| of_arm(all, share, arm));
    fault.users * (f64::from(hit) / f64::from(all)).min(1.0)
}

/// The number of instances of an arm: by its share, and at least one.
pub(super) fn of_arm(all: u32, share: Share, arm: usize) -> u32 {
    let canary = (f64::from(all) * share.as_fraction()).round();
    let canary = if canary < 1.0 {
        1
    } else {
        (1..=all).find(|count| f64::from(*count) >= canary).unwrap_or(all)
    };
    if arm == CANARY { canary } else { (all - canary).max(1) }
}
