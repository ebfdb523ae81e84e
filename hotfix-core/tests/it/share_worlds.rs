//! Instances of one version of which one request in so many fails: their shares of failures vary
//! more than independent requests would, wander, or are bad for two minutes.

use std::collections::BTreeMap;

use hotfix_core::stats::Counts;
use hotfix_core::stats::numeric::{exp, ln};
use hotfix_core::stats::replay::History;
use rand_core::SeedableRng;
use rand_distr::uniform::SampleUniform;
use rand_distr::{Beta, Binomial, Distribution, Poisson, Uniform};
use rand_pcg::Pcg64;

use crate::noise::{normal, sum, wander};

/// Seconds between two readings.
pub(crate) const TICK: f64 = 10.0;
/// Six hours in ticks.
pub(crate) const SIX_HOURS: usize = 2_160;

/// How the shares of instances differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Noise {
    /// Not at all.
    None,
    /// Each tick's failures of an instance are beta-binomial: their variance is so many times that
    /// of independent requests.
    Varies(f64),
    /// The log odds of each instance wander: standard deviation, and memory in seconds.
    Wanders(f64, f64),
    /// The log odds of each arm wander.
    ArmsWander(f64, f64),
    /// One instance of the fleet fails nine requests of ten for two minutes, after so many seconds
    /// on average.
    OneBad(f64),
}

/// A service that runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    pub(crate) noise: Noise,
    pub(crate) instances: usize,
    /// Instances of the canary, which are the first.
    pub(crate) canary: usize,
    /// Requests a minute of all instances.
    pub(crate) requests: f64,
    /// Share of requests that fail.
    pub(crate) base: f64,
}

pub(crate) struct Service {
    world: World,
    random: Pcg64,
    /// Of each instance; of an arm in its first two places.
    odds: Vec<f64>,
    /// The bad instance, and the ticks that are left of it.
    bad: Option<(usize, u32)>,
}

impl Service {
    pub(crate) fn new(world: World, seed: u64) -> Self {
        let mut random = Pcg64::seed_from_u64(seed);
        let deviation = match world.noise {
            Noise::Wanders(deviation, _) | Noise::ArmsWander(deviation, _) => deviation,
            Noise::None | Noise::Varies(_) | Noise::OneBad(_) => 0.0,
        };
        let odds = (0..world.instances).map(|_| deviation * normal(&mut random)).collect();
        Self { world, random, odds, bad: None }
    }

    fn advance(&mut self) {
        match self.world.noise {
            Noise::Wanders(deviation, memory) | Noise::ArmsWander(deviation, memory) => {
                wander(&mut self.odds, deviation, exp(-TICK / memory), &mut self.random);
            }
            Noise::OneBad(every) => {
                self.bad = self.bad.and_then(|(at, left)| Some((at, left.checked_sub(1)?)));
                let begins = uniform(0.0, 1.0, &mut self.random) < TICK / every;
                if self.bad.is_none() && begins {
                    self.bad = Some((uniform(0, self.world.instances, &mut self.random), 11));
                }
            }
            Noise::None | Noise::Varies(_) => {}
        }
    }

    /// The canary has so much of the traffic, and as many of the instances.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
    pub(crate) fn serve_canary(&mut self, share: f64) {
        self.world.canary = (share * self.world.instances as f64).round() as usize;
    }

    pub(crate) const fn canary(&self) -> usize {
        self.world.canary
    }

    /// One tick of every instance; the canary's fail so many times as often.
    pub(crate) fn tick(&mut self, fault: f64, out: &mut Vec<Counts>) {
        self.advance();
        out.clear();
        let World { noise, instances, canary, requests, base } = self.world;
        for at in 0..instances {
            let of_canary = at < canary;
            let share = base * if of_canary { fault } else { 1.0 };
            let wandered = |odds: f64| 1.0 / (1.0 + exp(-(ln(share / (1.0 - share)) + odds)));
            let mean = requests * TICK / 60.0 / instances as f64;
            let trials: f64 = Poisson::new(mean).expect("a mean").sample(&mut self.random);
            let share = match noise {
                Noise::None => share,
                Noise::Varies(times) => {
                    // The variance is 1 + (n - 1)/(a + b + 1) times that of independent requests.
                    let sum = (mean - times).max(0.01) / (times - 1.0);
                    Beta::new(share * sum, (1.0 - share) * sum)
                        .expect("a law")
                        .sample(&mut self.random)
                }
                Noise::Wanders(..) => wandered(self.odds[at]),
                Noise::ArmsWander(..) => wandered(self.odds[usize::from(of_canary)]),
                Noise::OneBad(_) => {
                    if self.bad.is_some_and(|(bad, _)| bad == at) {
                        0.9
                    } else {
                        share
                    }
                }
            };
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            let events = Binomial::new(trials as u64, share.clamp(0.0, 1.0))
                .expect("a share")
                .sample(&mut self.random);
            out.push(Counts::new(events as f64, trials));
        }
    }

    /// Counts by instance; where arms wander, by arm.
    pub(crate) fn recorded(&mut self, ticks: usize) -> BTreeMap<String, Vec<[f64; 2]>> {
        let arms = matches!(self.world.noise, Noise::ArmsWander(..));
        let (mut now, mut recorded) = (Vec::new(), BTreeMap::<_, Vec<_>>::new());
        for _ in 0..ticks {
            self.tick(1.0, &mut now);
            let mut add = |name: String, of: Counts| {
                recorded.entry(name).or_default().push([of.events, of.trials]);
            };
            if arms {
                let [canary, baseline] = self.world.arms(&now);
                add("canary".to_owned(), canary);
                add("baseline".to_owned(), baseline);
                continue;
            }
            for (at, counts) in now.iter().enumerate() {
                add(format!("pod-{at:02}"), *counts);
            }
        }
        recorded
    }

    pub(crate) fn history(&mut self) -> History {
        History::try_new(self.recorded(SIX_HOURS)).expect("valid counts")
    }
}

impl World {
    /// The sums of both arms.
    pub(crate) fn arms(&self, now: &[Counts]) -> [Counts; 2] {
        let (canary, baseline) = now.split_at(self.canary);
        [sum(canary), sum(baseline)]
    }
}

fn uniform<T: SampleUniform>(from: T, to: T, random: &mut Pcg64) -> T {
    Uniform::new(from, to).expect("a range").sample(random)
}
