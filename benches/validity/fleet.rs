//! Draws the counts of a fleet's instances, tick by tick, from a noise law.

use hotfix_core::stats::Counts;
use hotfix_core::stats::numeric::exp;

use crate::fleets::Fault;
use crate::laws::{BASE, Fleet, Law, Noise, Shared};
use crate::random::{Random, Table, pareto};
use crate::traffic::{TICKS_A_MINUTE, Tick};

/// Highest number of attempts of one request under [`Noise::Retries`].
const MOST_TRIES: f64 = 6.0;

/// Lasting traits of an instance: its rate over the fleet's, and the hour of its mix.
#[derive(Clone, Copy, Debug)]
struct Trait {
    rate: f64,
    phase: f64,
}

/// State that varies in time, for the instances that share it.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    deviate: f64,
    on: bool,
}

/// A fleet under one law at one traffic, with the tables that need no redrawing.
pub(crate) struct Source {
    law: Law,
    fleet: Fleet,
    requests: f64,
    /// Traffic of an instance of the canary over that of another.
    of_canary: f64,
    /// Successful requests of an instance in a tick.
    successes: Table,
    /// Successful requests of the whole canary, and of the whole baseline.
    successes_of_arms: [Table; 2],
    errors: Table,
}

/// A fleet whose lasting traits are drawn.
pub(crate) struct Instances {
    traits: Vec<Trait>,
}

/// One stream of ticks of a fleet.
pub(crate) struct Stream<'a> {
    source: &'a Source,
    instances: &'a Instances,
    levels: Vec<Level>,
    multipliers: Vec<f64>,
    fault: Fault,
    at: u32,
}

impl Source {
    pub(crate) fn new(law: Law, per_minute: f64, fleet: Fleet) -> Self {
        let requests = per_minute / TICKS_A_MINUTE / fleet.instances as f64;
        let errors = match law.noise {
            Noise::NegativeBinomial { dispersion } => {
                Table::negative_binomial(requests * BASE, dispersion)
            }
            _ => Table::poisson(requests * BASE),
        };
        let successes = Table::poisson(requests * (1.0 - BASE));
        let arms = [fleet.canary, fleet.instances - fleet.canary];
        let successes_of_arms =
            arms.map(|instances| Table::poisson(requests * (1.0 - BASE) * instances as f64));
        Self { law, fleet, requests, of_canary: 1.0, successes, successes_of_arms, errors }
    }

    /// This source with so many times the traffic at each of the canary's instances. It has to be
    /// read by instance.
    pub(crate) fn with_traffic_of_canary(self, of_canary: f64) -> Self {
        Self { of_canary, ..self }
    }

    /// The mean number of requests of an instance in a tick, and whether the tables are for it.
    fn requests_of(&self, instance: usize) -> (f64, bool) {
        let factor = if instance < self.fleet.canary { self.of_canary } else { 1.0 };
        (self.requests * factor, factor == 1.0)
    }

    pub(crate) fn fleet(&self) -> Fleet {
        self.fleet
    }

    /// Draws the lasting traits.
    pub(crate) fn traits(&self, random: &mut Random) -> Instances {
        let bad = random.below(self.fleet.instances);
        let traits = (0..self.fleet.instances)
            .map(|at| {
                let rate = match self.law.noise {
                    Noise::BadInstance { factor } if at == bad => factor,
                    Noise::Differences { spread } => {
                        exp(spread * random.normal() - 0.5 * spread * spread)
                    }
                    _ => 1.0,
                };
                Trait { rate, phase: random.uniform() }
            })
            .collect();
        Instances { traits }
    }

    /// The number of levels that vary in time.
    fn levels(&self) -> usize {
        match self.law.shared {
            Shared::Nobody => self.fleet.instances,
            Shared::InTurn => 4,
            Shared::Neighbours => self.fleet.instances.div_ceil(self.fleet.canary),
            Shared::Everybody => 1,
        }
    }

    fn level_of(&self, instance: usize) -> usize {
        match self.law.shared {
            Shared::Nobody => instance,
            Shared::InTurn => instance % 4,
            Shared::Neighbours => instance / self.fleet.canary,
            Shared::Everybody => 0,
        }
    }

    /// A stream that starts from the stationary law.
    pub(crate) fn stream<'a>(
        &'a self,
        instances: &'a Instances,
        fault: Fault,
        random: &mut Random,
    ) -> Stream<'a> {
        let levels: Vec<Level> = (0..self.levels())
            .map(|_| match self.law.noise {
                Noise::Autoregressive { .. } => Level { deviate: random.normal(), on: false },
                Noise::OnOff { share, .. } => Level { deviate: 0.0, on: random.happens(share) },
                _ => Level::default(),
            })
            .collect();
        let multipliers = vec![1.0; levels.len()];
        Stream { source: self, instances, levels, multipliers, fault, at: 0 }
    }
}

impl Stream<'_> {
    /// Advances the time-varying state by a tick.
    fn advance(&mut self, random: &mut Random) {
        if let Noise::Visitor { every, by_clock, ticks, .. } = self.source.law.noise {
            for level in self.levels.iter_mut().filter(|level| level.on) {
                level.on = !random.happens(1.0 / ticks);
            }
            let begins = if by_clock {
                let first = (self.instances.traits[0].phase * every).floor();
                (f64::from(self.at) + first) % every == 0.0
            } else {
                random.happens(1.0 / every)
            };
            if begins {
                self.levels[random.below(self.source.fleet.instances)].on = true;
            }
        }
        for (level, multiplier) in self.levels.iter_mut().zip(&mut self.multipliers) {
            match self.source.law.noise {
                Noise::Autoregressive { memory, spread } => {
                    level.deviate =
                        memory * level.deviate + (1.0 - memory * memory).sqrt() * random.normal();
                    *multiplier = exp(spread * level.deviate - 0.5 * spread * spread);
                }
                Noise::OnOff { factor, share, ticks } => {
                    let turns = if level.on { 1.0 } else { share / (1.0 - share) } / ticks;
                    level.on ^= random.happens(turns);
                    *multiplier =
                        if level.on { factor } else { 1.0 } / (1.0 + share * (factor - 1.0));
                }
                Noise::HeavyTails { index } => *multiplier = pareto(index, random),
                _ => {}
            }
        }
    }

    /// The next tick of both arms together: cheaper than by instance, with the same law.
    pub(crate) fn arms(&mut self, random: &mut Random) -> Tick {
        self.at += 1;
        self.advance(random);
        let mut arms = [Counts::default(); 2];
        for (arm, successes) in arms.iter_mut().zip(&self.source.successes_of_arms) {
            arm.trials = successes.sample(random);
        }
        for instance in 0..self.source.fleet.instances {
            let failures = self.failures(instance, random);
            let arm = &mut arms[usize::from(instance >= self.source.fleet.canary)];
            arm.events += failures.events;
            arm.trials += failures.trials;
        }
        Tick { at: self.at, canary: arms[0], baseline: arms[1] }
    }

    /// The counts of the next tick by instance, and of both arms together.
    pub(crate) fn instances(&mut self, counts: &mut Vec<Counts>, random: &mut Random) -> Tick {
        self.at += 1;
        self.advance(random);
        counts.clear();
        let mut arms = [Counts::default(); 2];
        for instance in 0..self.source.fleet.instances {
            let mut one = self.failures(instance, random);
            one.trials += match self.source.requests_of(instance) {
                (_, true) => self.source.successes.sample(random),
                (requests, false) => random.poisson(requests * (1.0 - BASE)),
            };
            let arm = &mut arms[usize::from(instance >= self.source.fleet.canary)];
            arm.events += one.events;
            arm.trials += one.trials;
            counts.push(one);
        }
        Tick { at: self.at, canary: arms[0], baseline: arms[1] }
    }

    /// Failed attempts of an instance, with the attempts that they caused.
    fn failures(&self, at: usize, random: &mut Random) -> Counts {
        let source = self.source;
        let (lasting, ratio) =
            (self.instances.traits[at], self.fault.of(at, source.fleet.canary, self.at));
        let (requests, is_usual) = source.requests_of(at);
        let mean = requests * BASE * lasting.rate * ratio;
        let usual = is_usual && lasting.rate * ratio == 1.0;
        let events = match source.law.noise {
            Noise::Independent | Noise::BadInstance { .. } | Noise::Differences { .. } => {
                if usual {
                    source.errors.sample(random)
                } else {
                    random.poisson(mean)
                }
            }
            Noise::Visitor { failures, .. } => {
                let usual = if usual { source.errors.sample(random) } else { random.poisson(mean) };
                let visited = self.levels[at].on;
                usual + if visited { random.poisson(failures) } else { 0.0 }
            }
            Noise::NegativeBinomial { dispersion } => {
                if usual {
                    source.errors.sample(random)
                } else {
                    negative_binomial(mean, dispersion, random)
                }
            }
            Noise::Autoregressive { .. } | Noise::OnOff { .. } | Noise::HeavyTails { .. } => {
                let rate = self.multipliers[source.level_of(at)];
                random.poisson((mean * rate).min(requests))
            }
            Noise::DriftingMix { spread, ticks } => {
                let turn = (f64::from(self.at) / ticks + lasting.phase) * std::f64::consts::TAU;
                random.poisson(mean * exp(spread * turn.sin() - 0.25 * spread * spread))
            }
            Noise::Retries { again } => return retried(mean, again, random),
        };
        Counts::new(events, events)
    }
}

/// The number of first failures that gives the stated mean of failed attempts. An attempt that
/// succeeds after a failure also counts.
fn retried(mean: f64, again: f64, random: &mut Random) -> Counts {
    let tries = (1.0 - again.powf(MOST_TRIES)) / (1.0 - again);
    let first = random.poisson(mean / tries);
    let (mut failed, mut left, mut tried) = (first, first, 1.0);
    while left > 0.0 && tried < MOST_TRIES {
        left = random.among(left, again);
        failed += left;
        tried += 1.0;
    }
    Counts::new(failed, failed + first - left)
}

/// Negative binomial as a Poisson count with a gamma mean.
fn negative_binomial(mean: f64, dispersion: f64, random: &mut Random) -> f64 {
    let scale = dispersion - 1.0;
    let gamma = random.gamma(mean / scale);
    random.poisson(gamma * scale)
}
