//! What an arm shows of each metric in a tick.

use std::collections::BTreeMap;

use crate::grade::MetricKind;
use crate::metric::Sample;
use crate::unit::Share;

use super::active::{Faults, of_arm};
use super::fault::FaultKind;
use super::health::Health;
use super::latency::LatencyLaw;
use super::random::{Chance, Draws, Drift};
use super::sample::{level_of, pair};

/// The arms' places in pairs.
pub(super) const CANARY: usize = 0;
pub(super) const LIVE: usize = 1;

/// One arm in one tick.
pub(super) struct Arm {
    pub(super) index: usize,
    pub(super) share: Share,
    pub(super) minutes: f64,
    /// Its requests that are answered and counted.
    pub(super) requests: f64,
    /// How many times the usual traffic there is.
    pub(super) times: f64,
    /// Its part of all traffic.
    pub(super) part: f64,
}

/// What one metric keeps from tick to tick.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) drift: [Drift; 2],
    /// What the present tick's noise makes of each arm; 1 where there is none.
    pub(super) noise: [f64; 2],
    /// The factors of the instances of canary and live version.
    pub(super) instances: [Vec<f64>; 2],
    /// The last chance of a bad event.
    chance: [Chance; 2],
    latency: [LatencyLaw; 2],
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            drift: <[Drift; 2]>::default(),
            noise: [1.0; 2],
            instances: <[Vec<f64>; 2]>::default(),
            chance: <[Chance; 2]>::default(),
            latency: <[LatencyLaw; 2]>::default(),
        }
    }
}

impl Kept {
    /// What one arm shows of the metric; gives the requests that were bad.
    pub(super) fn read(
        &mut self,
        health: &Health,
        faults: Faults<'_>,
        arm: &Arm,
        draws: &mut Draws,
        sample: &mut Option<Sample>,
    ) -> f64 {
        let noise = self.noise[arm.index];
        match health.kind {
            MetricKind::Proportion if health.instances.is_none() => {
                let rate = faults.rate(health, arm, health.base * noise, None).min(1.0);
                let trials = tried(health, arm, draws);
                let bad = draws.binomial_of(trials, &mut self.chance[arm.index], rate);
                pair(sample, shown(health, bad, trials), trials);
                bad
            }
            MetricKind::Proportion | MetricKind::Count => {
                self.read_rate(health, faults, arm, draws, sample)
            }
            MetricKind::Latency => {
                let law = &mut self.latency[arm.index];
                faults.slow(health, arm, noise, law);
                law.draw(health, arm.requests, draws, sample);
                0.0
            }
            MetricKind::Gauge => {
                let mut level = health.base * noise * (1.0 + health.spread * draws.normal());
                for (fault, lasted) in faults.touching(health, arm.index) {
                    if fault.kind == FaultKind::Leak {
                        level = fault.leaked(level, lasted, health.falls());
                    }
                }
                level_of(sample, level);
                0.0
            }
            MetricKind::Volume => {
                level_of(sample, arm.requests / arm.minutes);
                0.0
            }
        }
    }

    /// Of a count, and of a proportion whose instances differ.
    fn read_rate(
        &mut self,
        health: &Health,
        faults: Faults<'_>,
        arm: &Arm,
        draws: &mut Draws,
        sample: &mut Option<Sample>,
    ) -> f64 {
        let is_count = health.kind == MetricKind::Count;
        let trials = if is_count {
            // Seconds; the judge scales them with the share where the metric is scaled.
            arm.minutes * 60.0
        } else {
            tried(health, arm, draws)
        };
        let part = if health.scaled { arm.part } else { 1.0 };
        let exposure = arm.minutes * arm.times * part;
        let chance = &mut self.chance[arm.index];
        let mut events_of = |rate: f64, trials: f64, part: f64| {
            if is_count {
                draws.poisson(rate * exposure * part)
            } else {
                draws.binomial_of(trials, chance, rate.min(1.0))
            }
        };
        let usual = health.base * self.noise[arm.index];
        let factors = self.instances[arm.index].as_slice();
        let Some(instances) = health.instances else {
            let bad = events_of(faults.rate(health, arm, usual, None), trials, 1.0);
            pair(sample, shown(health, bad, trials), trials);
            return if is_count { 0.0 } else { bad };
        };
        let count = of_arm(instances.count, arm.share, arm.index);
        if !instances.sent {
            let own = factors.iter().take(count as usize);
            let mean = own.sum::<f64>() / f64::from(count);
            let bad = events_of(faults.rate(health, arm, usual * mean, None), trials, 1.0);
            pair(sample, shown(health, bad, trials), trials);
            return if is_count { 0.0 } else { bad };
        }
        let mut sent = match sample.take() {
            Some(Sample::Instances(sent)) if sent.len() == count as usize => sent,
            _ => BTreeMap::new(),
        };
        let prefix = if arm.index == CANARY { "canary" } else { "live" };
        if sent.is_empty() {
            sent.extend((0..count).map(|number| (format!("{prefix}-{number:04}"), [0.0; 2])));
        }
        let (mut left, mut all) = (trials, 0.0);
        for ((number, factor), sent) in (0..count).zip(factors).zip(sent.values_mut()) {
            // Side by side they are watched all the time; requests go to one of them each.
            let own = if is_count {
                trials
            } else {
                let part = (left / f64::from(count - number)).floor();
                if number + 1 == count { left } else { part }
            };
            left -= if is_count { 0.0 } else { own };
            let rate = faults.rate(health, arm, usual * factor, Some(number));
            let bad = events_of(rate, own, 1.0 / f64::from(count));
            all += bad;
            *sent = [shown(health, bad, own), own];
        }
        *sample = Some(Sample::Instances(sent));
        if is_count { 0.0 } else { all }
    }
}

/// The trials of a proportion.
#[inline]
fn tried(health: &Health, arm: &Arm, draws: &mut Draws) -> f64 {
    if health.of < 1.0 { draws.binomial(arm.requests, health.of) } else { arm.requests }
}

/// What the metric counts.
#[inline]
fn shown(health: &Health, bad: f64, trials: f64) -> f64 {
    if health.counts_good { trials - bad } else { bad }
}
