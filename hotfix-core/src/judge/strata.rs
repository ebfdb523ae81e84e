//! Evidence of single strata: half of what is bet against 'no worse' is on one ratio that all
//! strata have, the other half on each stratum by itself. See `docs/statistics.md`, A1.

use core::f64::consts::LN_2;

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::stats::bernoulli::Bernoulli;
use crate::stats::numeric::{exp, ln, log_add_exp};
use crate::stats::rate_ratio::RateRatio;
use crate::stats::{Counts, Direction, Evidence, Totals};

use super::test::{CountEvidence, Test};

/// Most strata with evidence of their own; further ones are in the common evidence alone.
const MOST: usize = 64;

/// What is bet on single strata, by the design of the test of all counts.
#[derive(Debug, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
pub(crate) struct Strata {
    /// In the order of the readings: the logarithm of what is staked on a stratum, and its evidence.
    own: Vec<(f64, CountEvidence)>,
    /// The highest log e-value of all evidence together.
    highest: f64,
}

/// The evidence of a test of counts, and what is bet on single strata.
#[derive(Debug, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
pub(crate) struct OfCounts<S> {
    pub(super) all: S,
    pub(super) strata: Option<Box<Strata>>,
}

impl<S> From<S> for OfCounts<S> {
    fn from(all: S) -> Self {
        Self { all, strata: None }
    }
}

impl Test {
    #[inline]
    pub(super) fn strata(&self) -> Option<&Strata> {
        match self {
            Self::Rate(_, of) => of.strata.as_deref(),
            Self::Bernoulli(_, of) => of.strata.as_deref(),
            Self::Latency(..) | Self::Tolerance(..) => None,
        }
    }

    /// Evidence before the first tick, and what is bet on single strata; None for latency.
    fn strata_mut(&mut self) -> Option<(CountEvidence, &mut Option<Box<Strata>>)> {
        match self {
            Self::Rate(design, of) => {
                Some((CountEvidence::Rate(RateRatio::new(design)), &mut of.strata))
            }
            Self::Bernoulli(design, of) => {
                Some((CountEvidence::Bernoulli(Bernoulli::new(design)), &mut of.strata))
            }
            Self::Latency(..) | Self::Tolerance(..) => None,
        }
    }

    /// Feeds one tick of counts by stratum: as if all had one ratio, and each by itself. Nothing is
    /// bet on each for 'better', which has to hold for all strata, nor with limits of a history,
    /// which does not show the noise of one stratum.
    pub(super) fn feed_strata(&mut self, counts: &[(Counts, Counts)], allowed: f64) {
        let is_bet = self.direction() == Direction::Worse && self.limits().1.is_none();
        let kept = self.strata_mut().map(|(fresh, strata)| (fresh, strata.take()));
        let mut strata = kept.filter(|_| is_bet).map(|(fresh, kept)| {
            let highest = ln(1.0 / self.common().p_value);
            let mut strata = kept.unwrap_or_else(|| Box::new(Strata { own: Vec::new(), highest }));
            strata.admit(counts.len().min(MOST), self, fresh);
            strata
        });
        self.feed_common(counts, allowed);
        if let Some(strata) = &mut strata {
            for ((_, own), &counts) in strata.own.iter_mut().zip(counts) {
                self.feed_other(own, counts, allowed);
            }
            strata.highest = strata.highest.max(strata.log_e(self));
        }
        if let Some((_, kept)) = self.strata_mut() {
            *kept = strata;
        }
    }
}

impl Strata {
    /// Makes room for so many strata. The first ones get half of the evidence so far. Later ones
    /// get as much as the others have on average, which is taken from those: so no evidence is won.
    fn admit(&mut self, strata: usize, test: &Test, fresh: CountEvidence) {
        let (had, has) = (self.own.len(), strata.max(self.own.len()));
        if has == had {
            return;
        }
        let wealth = if had == 0 { test.common().log_e - LN_2 } else { self.wealth(test) };
        for (stake, _) in &mut self.own {
            *stake += ln(had as f64 / has as f64);
        }
        self.own.resize(has, (wealth - ln(has as f64), fresh));
    }

    fn bets<'a>(&'a self, test: &'a Test) -> impl Iterator<Item = f64> + 'a {
        self.own.iter().map(|(stake, own)| stake + test.log_e_of(own).unwrap_or(0.0))
    }

    fn wealth(&self, test: &Test) -> f64 {
        self.bets(test).fold(f64::NEG_INFINITY, log_add_exp)
    }

    /// The log e-value of all evidence together.
    pub(super) fn log_e(&self, test: &Test) -> f64 {
        log_add_exp(test.common().log_e - LN_2, self.wealth(test))
    }

    pub(super) fn evidence(&self, test: &Test) -> Evidence {
        let (p_value, decided) = (exp(-self.highest), self.highest >= test.threshold());
        Evidence { log_e: self.log_e(test), p_value, decided, ..test.common() }
    }

    /// Place and totals of the stratum with more than half of all evidence; None if none has.
    pub(super) fn loudest(&self, test: &Test) -> Option<(usize, &Totals)> {
        let bets = self.bets(test).enumerate();
        let (place, bet) = bets.max_by(|(_, one), (_, other)| one.total_cmp(other))?;
        (bet > self.log_e(test) - LN_2).then(|| (place, self.own[place].1.totals()))
    }

    /// Whether this may be the state of strata of this test.
    pub(super) fn fits(&self, test: &Test) -> bool {
        self.own.len() <= MOST && self.own.iter().all(|(_, own)| test.log_e_of(own).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::evidence_basis::of_counts;
    use crate::judge::test::Claim;
    use crate::policy::section::Model;

    const TRIALS: [(f64, f64); 3] = [(100.0, 700.0), (30.0, 900.0), (500.0, 500.0)];

    /// The mean of `E` after one more tick with so many events in each stratum, the canary's rate being
    /// this many times the other: over all ways in which the events may fall.
    fn mean(test: &Test, events: [u32; 3], ratio: f64) -> f64 {
        let of_way = |mut way: u32| {
            let mut chance = 1.0;
            let counts = events.into_iter().zip(TRIALS).map(|(of, (canary, live))| {
                let (x, share) = (way % (of + 1), ratio * canary / (ratio * canary + live));
                way /= of + 1;
                let ways = (0..x).map(|k| f64::from(of - k) / f64::from(k + 1));
                let (of_canary, rest) = (f64::from(x), f64::from(of - x));
                chance *=
                    ways.product::<f64>() * exp(of_canary * ln(share) + rest * ln(1.0 - share));
                (Counts::new(of_canary, canary), Counts::new(rest, live))
            });
            let (counts, mut test): (Vec<_>, _) = (counts.collect(), test.clone());
            test.feed_strata(&counts, 1.0);
            chance * exp(test.log_e())
        };
        (0..events.iter().map(|of| of + 1).product()).map(of_way).sum()
    }

    #[test]
    fn stat_2_no_evidence_is_won_where_strata_begin_late_or_later_than_others() {
        for tolerated in [1.0, 1.25] {
            let claim = Claim::Worse { alpha: 0.01, tolerated, horizon: None };
            let mut test = Test::try_new(Model::Poisson, claim).unwrap().unwrap();
            let bad = (Counts::new(6.0, 100.0), Counts::new(3.0, 900.0));
            let good = (Counts::new(0.0, 100.0), Counts::new(9.0, 900.0));
            // One is a tick without strata.
            for tick in [&[bad][..], &[bad, good], &[good, bad], &[good, bad, bad], &[]] {
                for events in [[0, 0, 1], [3, 1, 2], [5, 6, 4]] {
                    let (had, has) = (exp(test.log_e()), mean(&test, events, tolerated));
                    assert!((has / had - 1.0).abs() < 1e-9, "{tick:?} {events:?}: {had}, {has}");
                }
                match tick {
                    [(canary, live)] => test.feed(*canary, *live, 1.0),
                    strata => test.feed_strata(strata, 1.0),
                }
            }
        }
    }

    #[test]
    fn stat_2_only_worse_is_bet_on_each_of_a_bounded_number_of_strata_without_a_history() {
        let better = Claim::Better { alpha: 0.05, margin: 2.0, quantile: None, temper: 1.0 };
        let worse = Claim::Worse { alpha: 0.01, tolerated: 1.0, horizon: Some(30) };
        let tick = [(Counts::new(9.0, 100.0), Counts::new(9.0, 900.0)); 500];
        for model in [Model::Poisson, Model::Bernoulli] {
            for (claim, history, bets) in
                [(better, false, None), (worse, false, Some(MOST)), (worse, true, None)]
            {
                let mut test = Test::try_new(model, claim).unwrap().unwrap();
                test.limit(history.then(|| of_counts(30.0, 2.0)));
                test.feed_strata(&tick, 1.0);
                assert_eq!(test.strata().map(|strata| strata.own.len()), bets);
            }
        }
    }
}
