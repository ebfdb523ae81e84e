//! Methods for comparison: a test that knows the ratio, and the methods that tools and teams use.

use std::sync::OnceLock;

use hotfix_core::stats::Counts;
use hotfix_core::stats::fixed::{Alternative, fisher_exact};
use hotfix_core::stats::numeric::{exp, ln, ln1p, normal_cdf, normal_quantile};

use crate::methods::{ALPHA, Design, Test};
use crate::traffic::{PLANNED, Tick};

/// Interim analyses of the methods that plan their number: one per minute.
const LOOKS: u32 = 50;
/// Ticks between these.
const BETWEEN: u32 = PLANNED / LOOKS;
/// Size of the experiment at which `GrowthBook` tunes its sequence to be shortest, its default.
const TUNED_TO: f64 = 5_000.0;

/// A method of another tool or team.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Peer {
    /// Sequential probability ratio test that knows the ratio: no test of level α is much faster.
    Oracle(f64),
    /// Asymptotic normal-mixture sequence on the difference, each tick: 'always valid' as in
    /// `GrowthBook`.
    NormalMixture,
    /// Group-sequential z test, O'Brien–Fleming spending over 50 interim analyses.
    OBrienFleming,
    /// Fisher's exact test at α/50 at each of 50 interim analyses.
    FisherBonferroni,
    /// Pooled z at α, each tick.
    NaiveZ,
    /// Fisher's exact test at α, each tick.
    NaiveFisher,
    /// Roll back when the canary's errors of the last minute are over this share.
    Window(f64),
    /// The efficacy test without its rule to place no bet whose alternative lies in the null.
    CutUnguarded(f64),
}

impl Peer {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Oracle(ratio) => format!("oracle, knows r = {ratio}"),
            Self::NormalMixture => "normal mixture, always valid".into(),
            Self::OBrienFleming => "O'Brien–Fleming, 50 interim analyses".into(),
            Self::FisherBonferroni => "Fisher, Bonferroni over 50 interim analyses".into(),
            Self::NaiveZ => "z each tick".into(),
            Self::NaiveFisher => "Fisher each tick".into(),
            Self::Window(share) => format!("over {}% in the last minute", 100.0 * share),
            Self::CutUnguarded(margin) => format!("cut to {margin}, without the rule"),
        }
    }

    pub(crate) fn design(self) -> Box<dyn Design> {
        match self {
            Self::Oracle(ratio) => Box::new(Oracle { ratio }),
            Self::NormalMixture => Box::new(NormalMixture),
            Self::OBrienFleming => {
                // Computed once: it takes a second.
                static BOUNDS: OnceLock<Vec<f64>> = OnceLock::new();
                let bounds = BOUNDS.get_or_init(|| obrien_fleming(LOOKS, ALPHA)).clone();
                Box::new(OBrienFleming { bounds })
            }
            Self::FisherBonferroni => {
                Box::new(Fisher { level: ALPHA / f64::from(LOOKS), every: BETWEEN })
            }
            Self::NaiveFisher => Box::new(Fisher { level: ALPHA, every: 1 }),
            Self::NaiveZ => Box::new(NaiveZ { bound: normal_quantile(1.0 - ALPHA) }),
            Self::Window(share) => Box::new(Window { share }),
            Self::CutUnguarded(margin) => Box::new(CutUnguarded { margin }),
        }
    }
}

/// Both arms' counts so far.
#[derive(Clone, Copy, Default)]
struct Sums {
    canary: Counts,
    baseline: Counts,
}

impl Sums {
    fn add(&mut self, tick: &Tick) {
        self.canary.events += tick.canary.events;
        self.canary.trials += tick.canary.trials;
        self.baseline.events += tick.baseline.events;
        self.baseline.trials += tick.baseline.trials;
    }

    fn are_empty(&self) -> bool {
        self.canary.trials == 0.0 || self.baseline.trials == 0.0
    }

    /// Difference of the rates over its standard error under equal rates.
    fn pooled_z(&self) -> f64 {
        let (n_c, n_b) = (self.canary.trials, self.baseline.trials);
        let p = (self.canary.events + self.baseline.events) / (n_c + n_b);
        if self.are_empty() || p == 0.0 || p == 1.0 {
            return 0.0;
        }
        (self.canary.events / n_c - self.baseline.events / n_b)
            / (p * (1.0 - p) * (1.0 / n_c + 1.0 / n_b)).sqrt()
    }
}

struct Oracle {
    ratio: f64,
}

impl Design for Oracle {
    fn start(&self) -> Box<dyn Test + '_> {
        Box::new((self, 0.0))
    }
}

impl Test for (&Oracle, f64) {
    fn look(&mut self, tick: &Tick) -> bool {
        let (canary, baseline) = (tick.canary, tick.baseline);
        let trials = canary.trials + baseline.trials;
        if canary.trials > 0.0 && baseline.trials > 0.0 {
            // Given their number, events fall to the canary with odds of its trials times the
            // ratio.
            let ratio = self.0.ratio;
            let events = canary.events + baseline.events;
            let mixed = (ratio * canary.trials + baseline.trials) / trials;
            self.1 += canary.events * ln(ratio) - events * ln(mixed);
        }
        self.1 >= -ln(ALPHA)
    }
}

struct NormalMixture;

impl Design for NormalMixture {
    fn start(&self) -> Box<dyn Test + '_> {
        Box::new((self, Sums::default()))
    }
}

impl Test for (&NormalMixture, Sums) {
    /// Half-width of the sequence of Waudby-Smith and others (2021) as `GrowthBook` computes it;
    /// one-sided.
    fn look(&mut self, tick: &Tick) -> bool {
        self.1.add(tick);
        let sums = &self.1;
        if sums.are_empty() {
            return false;
        }
        let (n_c, n_b) = (sums.canary.trials, sums.baseline.trials);
        let (p_c, p_b) = (sums.canary.events / n_c, sums.baseline.events / n_b);
        let n = n_c + n_b;
        let variance = (p_c * (1.0 - p_c) / n_c + p_b * (1.0 - p_b) / n_b) * n;
        let two_sided = 2.0 * ALPHA;
        let log = -2.0 * ln(two_sided);
        let rho = ((log + ln(log + 1.0)) / TUNED_TO).sqrt();
        let wide = n * rho * rho + 1.0;
        let half = (variance * 2.0 * wide * ln(wide.sqrt() / two_sided)).sqrt() / (n * rho);
        p_c - p_b > half
    }
}

struct OBrienFleming {
    /// z at each interim analysis.
    bounds: Vec<f64>,
}

impl Design for OBrienFleming {
    fn start(&self) -> Box<dyn Test + '_> {
        Box::new((self, Sums::default()))
    }
}

impl Test for (&OBrienFleming, Sums) {
    fn look(&mut self, tick: &Tick) -> bool {
        self.1.add(tick);
        let look = (tick.at / BETWEEN) as usize;
        tick.at.is_multiple_of(BETWEEN)
            && self.0.bounds.get(look - 1).is_some_and(|bound| self.1.pooled_z() >= *bound)
    }
}

/// One-sided bounds of z at equally spaced interim analyses that spend `2 - 2 Φ(z_{1-α/2}/√t)` by
/// time `t`.
// Lan and DeMets (1983), Biometrika 70(3); the density of the score among the paths that have not
// crossed is carried from analysis to analysis on a grid (Armitage, McPherson and Rowe, 1969).
fn obrien_fleming(analyses: u32, alpha: f64) -> Vec<f64> {
    const STEPS: usize = 1_600;
    const LOWEST: f64 = -9.0;
    let quantile = normal_quantile(1.0 - alpha / 2.0);
    let spent = |analysis: u32| {
        let time = f64::from(analysis) / f64::from(analyses);
        2.0 * normal_cdf(-quantile / time.sqrt())
    };
    let step = 1.0 / f64::from(analyses).sqrt();
    let density = |x: f64| exp(-0.5 * x * x) / std::f64::consts::TAU.sqrt();
    let mut bounds: Vec<f64> = Vec::new();
    // Score at the last analysis: grid points and the mass at each; at first all of it at zero.
    let mut before: Vec<(f64, f64)> = vec![(0.0, 1.0)];
    for analysis in 1..=analyses {
        let time = f64::from(analysis) / f64::from(analyses);
        let beyond = |score: f64| -> f64 {
            before.iter().map(|(at, mass)| mass * normal_cdf((at - score) / step)).sum()
        };
        let spend = spent(analysis) - if analysis == 1 { 0.0 } else { spent(analysis - 1) };
        let (mut low, mut high) = (0.0, 40.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if beyond(middle * time.sqrt()) > spend { low = middle } else { high = middle }
        }
        bounds.push(high);
        // Beyond nine standard deviations nothing is left.
        let (top, bottom) = (high.min(9.0) * time.sqrt(), LOWEST * time.sqrt());
        let width = (top - bottom) / STEPS as f64;
        before = (0..STEPS)
            .map(|at| {
                let score = bottom + (at as f64 + 0.5) * width;
                let sum: f64 = before
                    .iter()
                    .filter(|(from, _)| (score - from).abs() < 9.0 * step)
                    .map(|(from, mass)| mass * density((score - from) / step) / step)
                    .sum();
                (score, sum * width)
            })
            .collect();
    }
    bounds
}

struct NaiveZ {
    bound: f64,
}

impl Design for NaiveZ {
    fn start(&self) -> Box<dyn Test + '_> {
        Box::new((self, Sums::default()))
    }
}

impl Test for (&NaiveZ, Sums) {
    fn look(&mut self, tick: &Tick) -> bool {
        self.1.add(tick);
        self.1.pooled_z() >= self.0.bound
    }
}

struct Fisher {
    level: f64,
    every: u32,
}

impl Design for Fisher {
    fn start(&self) -> Box<dyn Test + '_> {
        Box::new((self, Sums::default()))
    }
}

impl Test for (&Fisher, Sums) {
    fn look(&mut self, tick: &Tick) -> bool {
        self.1.add(tick);
        let sums = &self.1;
        // Without an excess the p-value is near a half or above.
        tick.at.is_multiple_of(self.0.every)
            && sums.pooled_z() > 0.0
            && fisher_exact(sums.canary, sums.baseline, Alternative::Greater)
                .is_ok_and(|test| test.p_value <= self.0.level)
    }
}

struct Window {
    share: f64,
}

impl Design for Window {
    fn start(&self) -> Box<dyn Test + '_> {
        Box::new((self, [Counts::default(); BETWEEN as usize]))
    }
}

impl Test for (&Window, [Counts; BETWEEN as usize]) {
    /// The last minute, from the first full one on.
    fn look(&mut self, tick: &Tick) -> bool {
        self.1[(tick.at % BETWEEN) as usize] = tick.canary;
        let (events, trials) = self
            .1
            .iter()
            .fold((0.0, 0.0), |sum, counts| (sum.0 + counts.events, sum.1 + counts.trials));
        tick.at >= BETWEEN && events > self.0.share * trials
    }
}

/// The Bernoulli test written directly from its formula, bets of eight points, null 'rate at least
/// `margin` times the baseline's'.
struct CutUnguarded {
    margin: f64,
}

struct Bets<'a> {
    design: &'a CutUnguarded,
    sums: Sums,
    terms: [f64; 8],
}

impl Design for CutUnguarded {
    fn start(&self) -> Box<dyn Test + '_> {
        Box::new(Bets { design: self, sums: Sums::default(), terms: [0.0; 8] })
    }
}

impl Test for Bets<'_> {
    fn look(&mut self, tick: &Tick) -> bool {
        let (canary, baseline, past) = (tick.canary, tick.baseline, &self.sums);
        let r0 = self.design.margin;
        let n = canary.trials + baseline.trials;
        if n > 0.0 {
            let p = (past.canary.events + past.baseline.events + 0.5)
                / (past.canary.trials + past.baseline.trials + 50.0);
            let (w, v) = (canary.trials / n, baseline.trials / n);
            for (term, ratio) in self.terms.iter_mut().zip(crate::methods::EVEN_GRID) {
                let r = r0 / ratio;
                let t_b = (p / (w * r + v)).min(0.999);
                let odds = r * t_b / (1.0 - t_b);
                let t_a = odds / (1.0 + odds);
                let s = w * t_a + v * t_b;
                let beta = s * (1.0 + r0) + w * (1.0 - t_a) * r0 + v * (1.0 - t_b);
                let q = 2.0 * s / (beta + (beta * beta - 4.0 * r0 * s).max(0.0).sqrt());
                let p_a = r0 * q;
                *term += canary.events * ln(t_a / p_a)
                    + (canary.trials - canary.events) * (ln1p(-t_a) - ln1p(-p_a))
                    + baseline.events * ln(t_b / q)
                    + (baseline.trials - baseline.events) * (ln1p(-t_b) - ln1p(-q));
            }
            self.sums.add(tick);
        }
        let mixed = hotfix_core::stats::numeric::log_sum_exp(&self.terms) - ln(8.0);
        mixed >= -ln(crate::methods::ALPHA_PROMOTION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_2_spending_bounds_are_those_of_the_literature() {
        // Lan–DeMets O'Brien–Fleming, five analyses, one-sided 0.025 (two-sided 0.05): R gsDesign
        // and ldbounds give 4.877, 3.357, 2.680, 2.290, 2.031.
        let bounds = obrien_fleming(5, 0.025);
        for (got, published) in bounds.iter().zip([4.8769, 3.3569, 2.6803, 2.2898, 2.0310]) {
            assert!((got - published).abs() < 2e-3, "{bounds:?}");
        }
    }
}
