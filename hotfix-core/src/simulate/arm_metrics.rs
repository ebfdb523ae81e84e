//! The readings of an arm in a tick, by metric.

use std::collections::BTreeMap;

use crate::metric::Sample;
use crate::metric_kind::Data;
use crate::unit::Share;

use super::active::{Active, Faults, of_arm};
use super::environment::Impact;
use super::fault::FaultKind;
use super::healthy_service::{HealthyService, Instances};
use super::latency::LatencyLaw;
use super::random::{Chance, Draws, Drift};

/// The indices of the arms in pairs.
pub(super) const CANARY: usize = 0;
pub(super) const LIVE: usize = 1;

/// One arm in one tick.
pub(super) struct ArmMetrics {
    pub(super) index: usize,
    pub(super) share: Share,
    pub(super) minutes: f64,
    /// Its requests that are answered and counted.
    pub(super) requests: f64,
    /// The traffic as a multiple of the usual.
    pub(super) times: f64,
    /// Its share of all traffic.
    pub(super) part: f64,
}

/// The state of one metric between ticks.
#[derive(Clone, Debug, educe::Educe)]
#[educe(Default)]
pub(super) struct MetricState {
    pub(super) drift: [Drift; 2],
    /// The noise factor of each arm in the present tick, 1 without noise.
    #[educe(Default = [1.0; 2])]
    pub(super) noise: [f64; 2],
    /// The factors of the instances of the canary and the live version.
    pub(super) instances: [Vec<f64>; 2],
    /// The bad requests of the run so far, by version.
    pub(super) bad: Impact,
    /// What was computed for the last chance of a bad event, by arm.
    chance: [Chance; 2],
    latency: [LatencyLaw; 2],
}

impl MetricState {
    /// Writes one arm's reading of the metric. Returns the number of bad requests.
    pub(super) fn read(
        &mut self,
        health: &HealthyService,
        faults: Faults<'_>,
        arm: &ArmMetrics,
        draws: &mut Draws,
        sample: &mut Option<Sample>,
    ) -> f64 {
        let noise = self.noise[arm.index];
        match health.kind.data() {
            Data::Trials | Data::Exposure => match health.instances {
                Some(Instances { count, sent: true, .. }) => {
                    let count = of_arm(count, arm.share, arm.index);
                    self.read_each(count, health, faults, arm, draws, sample)
                }
                of_all => {
                    let mean = of_all.map_or(1.0, |of_all| self.mean_factor(of_all.count, arm));
                    let rate = faults.rate(health, arm, health.base * noise * mean, None);
                    let trials = tried(health, arm, draws);
                    let bad = self.bad(health, arm, rate, (trials, 1.0), draws);
                    *sample = Some(Sample::Pair(shown(health, bad, trials), trials));
                    of_requests(health, bad)
                }
            },
            Data::Buckets => {
                let law = &mut self.latency[arm.index];
                faults.slow(health, arm, noise, law);
                law.draw(health, arm.requests, draws, sample);
                0.0
            }
            Data::Level if health.kind.is_traffic() => {
                *sample = Some(Sample::Level(arm.requests / arm.minutes));
                0.0
            }
            Data::Level => {
                let mut level = health.base * noise * (1.0 + health.spread * draws.normal());
                for &Active { fault, lasted } in faults.touching(health, arm.index) {
                    if fault.kind == FaultKind::Leak {
                        level = fault.leaked(level, lasted, health.falls());
                    }
                }
                *sample = Some(Sample::Level(level));
                0.0
            }
        }
    }

    /// The mean factor of the arm's instances.
    fn mean_factor(&self, all: u32, arm: &ArmMetrics) -> f64 {
        let count = of_arm(all, arm.share, arm.index);
        let own = self.instances[arm.index].iter().take(count as usize);
        own.sum::<f64>() / f64::from(count)
    }

    /// Draws the bad events in `trials`, or for a count in this part of the arm's exposure.
    #[inline]
    fn bad(
        &mut self,
        health: &HealthyService,
        arm: &ArmMetrics,
        rate: f64,
        (trials, part): (f64, f64),
        draws: &mut Draws,
    ) -> f64 {
        if health.kind.has_exposure() {
            let of_arm = if health.scaled { arm.part } else { 1.0 };
            let exposure = arm.minutes * arm.times * of_arm;
            draws.poisson(rate * exposure * part)
        } else {
            draws.binomial_of(trials, &mut self.chance[arm.index], rate.min(1.0))
        }
    }

    /// [`read`](Self::read) for events by instance, of which the arm has `count`.
    fn read_each(
        &mut self,
        count: u32,
        health: &HealthyService,
        faults: Faults<'_>,
        arm: &ArmMetrics,
        draws: &mut Draws,
        sample: &mut Option<Sample>,
    ) -> f64 {
        let is_count = health.kind.has_exposure();
        let trials = tried(health, arm, draws);
        let mut sent = match sample.take() {
            Some(Sample::Instances(sent)) if sent.len() == count as usize => sent,
            _ => BTreeMap::new(),
        };
        let prefix = if arm.index == CANARY { "canary" } else { "live" };
        if sent.is_empty() {
            sent.extend((0..count).map(|number| (format!("{prefix}-{number:04}"), [0.0; 2])));
        }
        let (mut left, mut all) = (trials, 0.0);
        for (number, sent) in (0..count).zip(sent.values_mut()) {
            // Each instance is observed all the time, but a request goes to only one of them.
            let own = if is_count {
                trials
            } else {
                let part = (left / f64::from(count - number)).floor();
                if number + 1 == count { left } else { part }
            };
            left -= if is_count { 0.0 } else { own };
            let Some(factor) = self.instances[arm.index].get(number as usize) else { break };
            let usual = health.base * self.noise[arm.index] * factor;
            let rate = faults.rate(health, arm, usual, Some(number));
            let bad = self.bad(health, arm, rate, (own, 1.0 / f64::from(count)), draws);
            all += bad;
            *sent = [shown(health, bad, own), own];
        }
        *sample = Some(Sample::Instances(sent));
        of_requests(health, all)
    }
}

/// The trials of a proportion. Of a count its seconds; the judge scales them with the share where
/// the metric is scaled.
#[inline]
fn tried(health: &HealthyService, arm: &ArmMetrics, draws: &mut Draws) -> f64 {
    if health.kind.has_exposure() {
        arm.minutes * 60.0
    } else if health.of < 1.0 {
        draws.binomial(arm.requests, health.of)
    } else {
        arm.requests
    }
}

/// The bad events that are requests.
#[inline]
fn of_requests(health: &HealthyService, bad: f64) -> f64 {
    if health.kind.has_exposure() { 0.0 } else { bad }
}

/// The events that the metric counts: failures or successes.
#[inline]
fn shown(health: &HealthyService, bad: f64, trials: f64) -> f64 {
    if health.counts_good { trials - bad } else { bad }
}
