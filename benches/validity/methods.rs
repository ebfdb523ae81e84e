//! The shipped tests behind one interface that is fed ticks.

use hotfix_core::stats::StatError;
use hotfix_core::stats::bernoulli::{Bernoulli, BernoulliDesign, BernoulliSettings};
use hotfix_core::stats::ceiling::{Ceiling, CeilingDesign, CeilingSettings};
use hotfix_core::stats::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};

use crate::peers::Peer;
use crate::random::Random;
use crate::runner;
use crate::tally::Delays;
use crate::traffic::{Arms, PLANNED, Tick};

/// Chance of a false rollback that is allowed.
pub(crate) const ALPHA: f64 = 0.01;
/// Chance of calling a release not worse that is worse than the margin.
pub(crate) const ALPHA_PROMOTION: f64 = 0.05;
/// The even grid of eight points, for which the tests' design has most of its figures.
pub(crate) const EVEN_GRID: [f64; 8] = [1.2, 1.5, 2.0, 3.0, 5.0, 8.0, 14.0, 30.0];

/// A test under trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Method {
    /// Counts, default grid.
    Counts,
    /// Counts, even grid of eight points.
    CountsEvenGrid,
    /// Counts with a tolerated ratio.
    Tolerating(f64),
    /// Counts, change-point mixture over the planned ticks.
    ChangePoint,
    /// Proportions, default grid.
    Bernoulli,
    /// Promotion: counts, not worse than this margin.
    NotWorse(f64),
    /// Promotion: proportions, not worse than this margin.
    BernoulliNotWorse(f64),
    /// Efficacy: proportions cut at least to this.
    Cut(f64),
    /// Efficacy: counts cut at least to this.
    CountsCut(f64),
    /// Promotion without a baseline: the canary's rate is below this ceiling.
    Below(f64),
    /// A method of another tool.
    Peer(Peer),
}

/// A method with its precomputed tables.
pub(crate) trait Design: Sync {
    fn start(&self) -> Box<dyn Test + '_>;
}

/// A method within one run.
pub(crate) trait Test {
    /// Adds a tick and returns whether the method has decided.
    fn look(&mut self, tick: &Tick) -> bool;
}

impl Method {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Counts => "counts".into(),
            Self::CountsEvenGrid => "counts, even grid of eight".into(),
            Self::Tolerating(ratio) => format!("counts, r0 = {ratio}"),
            Self::ChangePoint => "counts, change-point".into(),
            Self::Bernoulli => "proportions".into(),
            Self::NotWorse(margin) => format!("counts, not worse than {margin} ×"),
            Self::BernoulliNotWorse(margin) => format!("proportions, not worse than {margin} ×"),
            Self::Cut(margin) => format!("proportions, cut to {margin}"),
            Self::CountsCut(margin) => format!("counts, cut to {margin}"),
            Self::Below(ceiling) => format!("below {}%", 100.0 * ceiling),
            Self::Peer(peer) => peer.name(),
        }
    }

    /// The chance of a wrong decision that the method promises for independent errors, if any.
    pub(crate) fn promises(self) -> Option<f64> {
        match self {
            Self::Counts
            | Self::CountsEvenGrid
            | Self::Tolerating(_)
            | Self::ChangePoint
            | Self::Bernoulli => Some(ALPHA),
            Self::NotWorse(_)
            | Self::BernoulliNotWorse(_)
            | Self::Cut(_)
            | Self::CountsCut(_)
            | Self::Below(_) => Some(ALPHA_PROMOTION),
            Self::Peer(_) => None,
        }
    }

    pub(crate) fn design(self) -> Result<Box<dyn Design>, StatError> {
        let counts = RateRatioSettings::default();
        let even = Some(EVEN_GRID.to_vec());
        Ok(match self {
            Self::Counts => counting(&counts)?,
            Self::CountsEvenGrid => counting(&RateRatioSettings { grid: even, ..counts })?,
            Self::Tolerating(tolerated) => counting(&RateRatioSettings { tolerated, ..counts })?,
            Self::ChangePoint => counting(&RateRatioSettings { horizon: Some(PLANNED), ..counts })?,
            Self::NotWorse(margin) | Self::CountsCut(margin) => {
                counting(&RateRatioSettings::better(margin))?
            }
            Self::Bernoulli => betting(&BernoulliSettings::default())?,
            Self::Cut(margin) | Self::BernoulliNotWorse(margin) => {
                betting(&BernoulliSettings::better(margin))?
            }
            Self::Below(ceiling) => {
                Box::new(CeilingDesign::try_new(&CeilingSettings::below(ceiling))?)
            }
            Self::Peer(peer) => peer.design(),
        })
    }
}

pub(crate) fn counting(settings: &RateRatioSettings) -> Result<Box<dyn Design>, StatError> {
    Ok(Box::new(RateRatioDesign::try_new(settings)?))
}

fn betting(settings: &BernoulliSettings) -> Result<Box<dyn Design>, StatError> {
    Ok(Box::new(BernoulliDesign::try_new(settings)?))
}

impl Design for RateRatioDesign {
    fn start(&self) -> Box<dyn Test + '_> {
        Box::new((self, RateRatio::new(self)))
    }
}

impl Test for (&RateRatioDesign, RateRatio) {
    fn look(&mut self, tick: &Tick) -> bool {
        self.1.update(self.0, tick.canary, tick.baseline).expect("drawn counts are valid")
    }
}

impl Design for BernoulliDesign {
    fn start(&self) -> Box<dyn Test + '_> {
        Box::new((self, Bernoulli::new(self)))
    }
}

impl Test for (&BernoulliDesign, Bernoulli) {
    fn look(&mut self, tick: &Tick) -> bool {
        self.1.update(self.0, tick.canary, tick.baseline).expect("drawn counts are valid")
    }
}

impl Design for CeilingDesign {
    fn start(&self) -> Box<dyn Test + '_> {
        Box::new((self, Ceiling::new(self)))
    }
}

impl Test for (&CeilingDesign, Ceiling) {
    fn look(&mut self, tick: &Tick) -> bool {
        self.1.update(self.0, tick.canary).expect("drawn counts are valid")
    }
}

/// Feeds every method the same `runs` streams until it decides or `limit` ticks are over.
pub(crate) fn race(
    arms: &Arms,
    methods: &[Method],
    seed: u64,
    runs: u32,
    limit: u32,
) -> Result<Vec<Delays>, StatError> {
    let designs: Vec<_> = methods.iter().map(|method| method.design()).collect::<Result<_, _>>()?;
    let results = runner::all(runs, |run| {
        let mut random = Random::new(seed, run);
        let mut tests: Vec<_> = designs.iter().map(|design| design.start()).collect();
        let mut decided: Vec<Option<u32>> = vec![None; tests.len()];
        for at in 1..=limit {
            let tick = arms.tick(at, &mut random);
            for (test, decided) in tests.iter_mut().zip(&mut decided) {
                if decided.is_none() && test.look(&tick) {
                    *decided = Some(at);
                }
            }
            if decided.iter().all(Option::is_some) {
                break;
            }
        }
        decided
    });
    let of = |method| Delays::new(results.iter().map(|run| run[method]).collect());
    Ok((0..methods.len()).map(of).collect())
}
