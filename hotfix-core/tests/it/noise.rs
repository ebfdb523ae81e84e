//! Simulated operation of a service: 20 instances, errors independent or in bursts.

use hotfix_core::stats::Counts;
use hotfix_core::stats::numeric::exp;
use hotfix_core::stats::replay::History;
use rand_core::SeedableRng;
use rand_distr::{Distribution, Gamma, Normal, Poisson, StandardNormal, Uniform};
use rand_pcg::Pcg64;

pub(crate) fn stream(seed: u64) -> Pcg64 {
    Pcg64::seed_from_u64(seed)
}

pub(crate) fn normal(random: &mut Pcg64) -> f64 {
    StandardNormal.sample(random)
}

/// One step of logarithms that wander with this standard deviation; `kept` is what is left of each
/// after the step.
pub(crate) fn wander(logs: &mut [f64], deviation: f64, kept: f64, random: &mut Pcg64) {
    let new = deviation * (1.0 - kept * kept).sqrt();
    for log in logs {
        *log = kept * *log + new * normal(random);
    }
}

/// How errors cluster within an instance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Law {
    /// Not at all.
    Independent,
    /// Each tick's errors of an instance are negative binomial, their variance so many times the mean.
    NegativeBinomial(f64),
    /// The logarithm of an instance's rate wanders: AR(1) with this standard deviation and memory.
    Wandering(f64, f64),
    /// Now and then an instance is so many times as bad, for 30 ticks on average.
    OnOff(f64),
    /// One instance is so many times as bad for the time of one rollout in ten.
    OneBad(f64),
}

/// A service that runs.
pub(crate) struct Service {
    pub(crate) law: Law,
    pub(crate) instances: usize,
    /// Requests of an instance in a tick, on average.
    pub(crate) requests: f64,
    pub(crate) base: f64,
    stream: Pcg64,
    state: Vec<f64>,
}

impl Service {
    pub(crate) fn new(law: Law, instances: usize, per_minute: f64, base: f64, seed: u64) -> Self {
        let requests = per_minute / 6.0 / instances as f64;
        let mut service = Self {
            law,
            instances,
            requests,
            base,
            stream: stream(seed),
            state: vec![0.0; instances],
        };
        // The laws with memory forget where they began.
        for _ in 0..200 {
            service.move_on();
        }
        service
    }

    fn uniform(&mut self) -> f64 {
        Uniform::new(0.0, 1.0).expect("a range").sample(&mut self.stream)
    }

    fn move_on(&mut self) {
        match self.law {
            Law::Wandering(spread, memory) => {
                let fresh = spread * (1.0 - memory * memory).sqrt();
                let law = Normal::new(0.0, fresh).expect("a spread");
                for state in &mut self.state {
                    *state = memory * *state + law.sample(&mut self.stream);
                }
            }
            Law::OnOff(_) => {
                for at in 0..self.instances {
                    let turn = self.uniform();
                    let on = self.state[at] > 0.0;
                    self.state[at] =
                        f64::from(if on { turn >= 1.0 / 30.0 } else { turn < 1.0 / 3000.0 });
                }
            }
            Law::OneBad(_) => {
                if self.uniform() < 1.0 / 300.0 {
                    self.state.fill(0.0);
                    if self.uniform() < 0.1 {
                        let place = self.uniform() * self.instances as f64;
                        let bad = (0..self.instances).rev().find(|at| *at as f64 <= place);
                        self.state[bad.unwrap_or_default()] = 1.0;
                    }
                }
            }
            Law::Independent | Law::NegativeBinomial(_) => {}
        }
    }

    /// One tick of every instance; instances up to `canary` are `ratio` times as bad.
    pub(crate) fn tick(&mut self, canary: usize, ratio: f64, out: &mut [Counts]) {
        self.move_on();
        for (at, out) in out.iter_mut().enumerate().take(self.instances) {
            let trials = Poisson::new(self.requests).expect("positive").sample(&mut self.stream);
            let bad = if at < canary { ratio } else { 1.0 };
            let factor = match self.law {
                Law::Independent => 1.0,
                Law::NegativeBinomial(times) => {
                    let mean = self.requests * self.base * bad;
                    let shape = mean / (times - 1.0);
                    Gamma::new(shape, 1.0 / shape).expect("positive").sample(&mut self.stream)
                }
                Law::Wandering(spread, _) => exp(self.state[at] - 0.5 * spread * spread),
                Law::OnOff(times) | Law::OneBad(times) => 1.0 + self.state[at] * (times - 1.0),
            };
            let mean = trials * self.base * bad * factor;
            let events = if mean > 0.0 {
                Poisson::new(mean).expect("positive").sample(&mut self.stream)
            } else {
                0.0
            };
            *out = Counts::new(events.min(trials), trials);
        }
    }

    pub(crate) fn history(&mut self, ticks: usize) -> History {
        let mut series = vec![Vec::with_capacity(ticks); self.instances];
        let mut now = vec![Counts::default(); self.instances];
        for _ in 0..ticks {
            self.tick(0, 1.0, &mut now);
            for (series, counts) in series.iter_mut().zip(&now) {
                series.push([counts.events, counts.trials]);
            }
        }
        let named = series.into_iter().enumerate();
        History::try_new(named.map(|(at, series)| (format!("pod-{at:02}"), series)).collect())
            .expect("valid counts")
    }
}

pub(crate) fn sum(counts: &[Counts]) -> Counts {
    let add = |a: Counts, b: &Counts| Counts::new(a.events + b.events, a.trials + b.trials);
    counts.iter().fold(Counts::default(), add)
}
