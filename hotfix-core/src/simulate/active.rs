//! The faults that are there in a tick, and what they do to what an arm would show.

use crate::unit::{Share, Span};

use super::arm::{Arm, CANARY};
use super::fault::{Fault, FaultKind};
use super::health::{Health, Instances};
use super::latency::LatencyLaw;

/// Instances of an arm where the scenario has none: what a fault of some instances is a part of.
const TEN: u32 = 10;

/// A fault of this run that is there in the present tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct Active {
    pub(super) fault: usize,
    pub(super) lasted: Span,
}

/// What is wrong in the present tick.
#[derive(Clone, Copy)]
pub(super) struct Faults<'a> {
    pub(super) all: &'a [Fault],
    pub(super) active: &'a [Active],
}

impl<'a> Faults<'a> {
    /// Those that touch a metric in an arm.
    pub(super) fn touching(
        self,
        health: &'a Health,
        arm: usize,
    ) -> impl Iterator<Item = (&'a Fault, Span)> {
        self.active.iter().filter_map(move |active| {
            let fault = self.all.get(active.fault)?;
            (fault.hits(arm == CANARY) && fault.touches(health)).then_some((fault, active.lasted))
        })
    }

    /// Bad events a trial, or a minute: what is usual, made worse. `instance`: of this instance alone.
    #[inline]
    pub(super) fn rate(self, health: &Health, arm: &Arm, usual: f64, instance: Option<u32>) -> f64 {
        let rate = if arm.index == CANARY { usual * health.fixed } else { usual };
        if self.active.is_empty() {
            return rate;
        }
        self.worsened(health, arm, (usual, rate), instance)
    }

    /// The same while something is wrong: `usual`, and what the version makes of it.
    fn worsened(
        self,
        health: &Health,
        arm: &Arm,
        (usual, mut rate): (f64, f64),
        instance: Option<u32>,
    ) -> f64 {
        for (fault, lasted) in self.touching(health, arm.index) {
            let hit = match (fault.instances, instance) {
                (Some(most), Some(instance)) => f64::from(u8::from(instance < most)) * fault.users,
                _ => users(fault, health.instances, arm.share, arm.index),
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

    /// Fills the law of an arm's latencies.
    pub(super) fn slow(self, health: &Health, arm: &Arm, noise: f64, law: &mut LatencyLaw) {
        law.begin(noise);
        for (fault, lasted) in self.touching(health, arm.index) {
            let hit = users(fault, health.instances, arm.share, arm.index);
            match fault.kind {
                FaultKind::Latency => law.slow(hit, fault.times),
                // Without a word of users the tail is a twentieth.
                FaultKind::Tail => law.slow(if hit >= 1.0 { 0.05 } else { hit }, fault.times),
                FaultKind::Leak => law.slow(hit, fault.grown(lasted)),
                FaultKind::Errors
                | FaultKind::Crash
                | FaultKind::NoFix
                | FaultKind::Lost
                | FaultKind::Late
                | FaultKind::Clock => {}
            }
        }
        law.work_out(health);
    }

    /// Whether an arm's readings of a metric do not come.
    pub(super) fn lose(self, health: &Health, arm: usize) -> bool {
        self.touching(health, arm).any(|(fault, _)| fault.kind == FaultKind::Lost)
    }
}

/// The share of an arm's users whom a fault hits.
pub(super) fn users(fault: &Fault, instances: Option<Instances>, share: Share, arm: usize) -> f64 {
    let Some(hit) = fault.instances else { return fault.users };
    let all = of_arm(instances.map_or(TEN, |instances| instances.count), share, arm);
    fault.users * (f64::from(hit) / f64::from(all)).min(1.0)
}

/// How many of the instances an arm has: as many as its share, and at least one.
pub(super) fn of_arm(all: u32, share: Share, arm: usize) -> u32 {
    let canary = (f64::from(all) * share.as_fraction()).round();
    let canary = if canary < 1.0 {
        1
    } else {
        (1..=all).find(|count| f64::from(*count) >= canary).unwrap_or(all)
    };
    if arm == CANARY { canary } else { (all - canary).max(1) }
}
