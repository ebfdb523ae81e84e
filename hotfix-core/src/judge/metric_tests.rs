//! The sequential tests of a metric.

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::getters::getters;
use crate::plan::HistoryBursts;
use crate::policy::section::{Metric, Watch};
use crate::stats::latency::SlowCounts;
use crate::stats::{Counts, StatError};
use crate::unit::Timestamp;

use super::aligned::{Aligned, Side};
use super::bursts::{Bursts, KnownBursts};
use super::evidence_basis::Limits;
use super::fed::{Fed, slow_of};
use super::settling::Settling;
use super::snapshot::{Misfit, both_or_neither};
use super::test::{Claim, Test, TestRead};

/// The claim that the canary is worse, and where a phase asks for it, that it is not.
pub(super) type Claims = (Claim, Option<Claim>);

/// The sequential tests of a metric; None for one that is compared by its bounds only. `T`: a test,
/// or its evidence in a snapshot.
#[derive(Debug, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
pub(super) struct MetricTests<T = Test> {
    pub(super) worse: Option<Aligned<T>>,
    safe: Option<Aligned<T>>,
    /// The least log evidence of harm since the watch of the phase began, on the alignment where it is
    /// larger; of counts.
    lowest: f64,
    /// Warm-up of a latency with a tolerance.
    settling: Option<Box<Settling>>,
    /// Bursts of both versions; of rare proportions.
    bursts: Option<Box<Aligned<Bursts>>>,
}

impl MetricTests {
    pub(super) const fn none() -> Self {
        Self { worse: None, safe: None, lowest: 0.0, settling: None, bursts: None }
    }

    /// The tests of a metric's counts; those of a latency are made with its first reading.
    pub(super) fn try_new(
        metric: &Metric,
        (worse, safe): Claims,
        before: Option<HistoryBursts>,
    ) -> Result<Self, StatError> {
        let test = |claim| {
            if metric.kind.has_buckets() {
                Ok(None)
            } else {
                Ok(Test::try_new(metric.model, claim)?.map(Aligned::new))
            }
        };
        let worse = test(worse)?;
        let counts =
            worse.as_ref().filter(|_| metric.kind.is_fraction()).and_then(Aligned::rate_design);
        let bursts = counts.map(|_| Box::new(Aligned::new(Bursts::after(before))));
        let safe = match safe {
            Some(claim) => test(claim)?,
            None => None,
        };
        Ok(Self { worse, safe, lowest: 0.0, settling: None, bursts })
    }

    /// The tests of a latency at these boundaries, in seconds.
    pub(super) fn of_latency(
        (worse, safe): Claims,
        boundaries: &[f64],
        columns: usize,
        watch: &Watch,
        (began, calibrated): (Option<Timestamp>, bool),
    ) -> Self {
        let block = watch.block();
        // The claims' settings were accepted for other metrics already, so they are valid.
        let test =
            |claim| Test::try_latency(claim, boundaries, block, calibrated).ok().map(Aligned::new);
        let (worse, safe) = (test(worse), safe.and_then(test));
        let tolerates = worse.as_ref().is_some_and(|test| test.all(Test::tolerates));
        let settling = tolerates.then(|| Box::new(Settling::new(watch.cadence, columns, began)));
        Self { worse, safe, lowest: 0.0, settling, bursts: None }
    }

    /// Whether the log evidence of harm fell by this much, and has risen by as much from its lowest
    /// point in this phase; of counts.
    ///
    /// While the canary is better than a faulty live version, the evidence falls: harm that begins
    /// afterwards shows here first. Where arms are read apart, a shock that is read in the live
    /// version first lowers and raises one alignment only: so the smaller evidence has to rise from
    /// the lowest point of the larger one.
    pub(super) fn has_risen(&self, by: f64) -> bool {
        let bounds = self.worse.as_ref().and_then(Aligned::log_e_bounds);
        self.lowest <= -by && bounds.is_some_and(|[least, _]| least - self.lowest >= by)
    }

    /// Bursts of either version; None where it has had none.
    pub(super) fn bursts(&self) -> Option<KnownBursts<'_>> {
        let of = self.bursts.as_deref().filter(|_| self.knows_bursts())?;
        Some(KnownBursts { of, design: self.worse.as_ref()?.rate_design()? })
    }

    /// Takes in counts of the live version alone.
    pub(super) fn learn_live(&mut self, at: Timestamp, live: Counts) {
        if let Some(bursts) = &mut self.bursts {
            bursts.each(|bursts| bursts.learn_live(at, live));
        }
    }

    /// Takes in the live version's times from before the start.
    pub(super) fn learn_times(&mut self, live: &[f64], boundaries: &[usize]) {
        let slow = slow_of(live, boundaries);
        let live = SlowCounts::new(&slow[..boundaries.len()], live[0]);
        if let Some(worse) = &mut self.worse {
            worse.each(|test| test.learn_before(live));
        }
    }

    /// Takes in what the rollback test was fed; used where nothing else is known of the noise.
    #[inline]
    pub(super) fn learn_bursts(&mut self, at: Timestamp, fed: &Fed<'_>) {
        let (Some(bursts), Some(worse)) = (&mut self.bursts, &self.worse) else { return };
        if fed.bracket.is_none() {
            let Some(counts) = fed.counts_on(Side::Lead) else { return };
            let Some(test) = worse.on(Side::Lead).rate() else { return };
            return bursts.each(|bursts| bursts.learn(at, counts, fed.allowed, test));
        }
        for side in Side::BOTH {
            if let (Some(counts), Some(test)) = (fed.counts_on(side), worse.on(side).rate()) {
                bursts.on_mut(side).learn(at, counts, fed.allowed, test);
            }
        }
    }

    /// A phase's watch begins, with new instances.
    pub(super) fn start(&mut self, at: Timestamp) {
        let bounds = self.worse.as_ref().and_then(Aligned::log_e_bounds);
        self.lowest = bounds.map_or(0.0, |[_, most]| most);
        if let (Some(bursts), Some(worse)) = (&mut self.bursts, &self.worse) {
            bursts.each_with(worse, |bursts, worse| {
                if let Some((design, test)) = worse.rate() {
                    bursts.start(at, design, test);
                }
            });
        }
        if let Some(settling) = &mut self.settling {
            settling.start(at, self.worse.as_mut());
        }
    }

    /// The evidence of counts begins again.
    pub(super) fn start_over(&mut self) {
        for test in [&mut self.worse, &mut self.safe].into_iter().flatten() {
            test.restart();
        }
        self.lowest = 0.0;
    }

    /// Puts the limits that apply into the rollback test; None means its own.
    pub(super) fn limit(&mut self, limits: Option<Limits>) {
        if let Some(test) = &mut self.worse {
            test.each(|test| test.limit(limits.map(|of| of.test)));
        }
    }

    #[inline]
    pub(super) fn feed(&mut self, at: Timestamp, fed: &Fed<'_>) {
        let Self { worse, safe, lowest, settling, bursts: _ } = self;
        if let Some(worse) = worse {
            fed.feed(worse);
            if let Some([_, most]) = worse.log_e_bounds() {
                *lowest = lowest.min(most);
            }
        }
        if let Some(safe) = safe {
            fed.as_sent().feed(safe);
        }
        if let (Some(settling), Some(worse)) = (settling, worse) {
            settling.learn(at, fed, worse);
        }
    }

    /// Copies the states of the same tests; their designs only where they are missing.
    #[inline]
    pub(super) fn keep(&mut self, of: &Self) {
        keep(&mut self.worse, of.worse.as_ref());
        keep(&mut self.safe, of.safe.as_ref());
        self.lowest = of.lowest;
        self.settling.clone_from(&of.settling);
        if let (Some(kept), Some(bursts)) = (&mut self.bursts, &of.bursts) {
            kept.keep_bursts(bursts);
        } else {
            self.bursts.clone_from(&of.bursts);
        }
    }

    pub(super) fn resume(&mut self, read: MetricTests<TestRead>) -> Result<(), Misfit> {
        let MetricTests { worse, safe, lowest, settling, bursts } = read;
        self.lowest = lowest;
        for (test, read) in [(&mut self.worse, worse), (&mut self.safe, safe)] {
            both_or_neither(test, read, "a test", Aligned::resume)?;
        }
        both_or_neither(&mut self.settling, settling, "a metric's warm-up", |fresh, read| {
            fresh.resume(*read)
        })?;
        let misfit = "bursts of a metric";
        both_or_neither(&mut self.bursts, bursts, misfit, |fresh, read| {
            let design = self.worse.as_ref().and_then(Aligned::rate_design);
            let fits = design.is_some_and(|design| read.all(|bursts| bursts.fits(design)));
            *fresh = read;
            fits.then_some(()).ok_or(misfit)
        })
    }
}

getters! {
    pub(super) fn MetricTests: self;

    /// The rollback test.
    worse: Option<&Aligned<Test>> = self.worse.as_ref();
    /// The promotion test.
    safe: Option<&Aligned<Test>> = self.safe.as_ref();
    /// Whether bursts are looked for in the counts.
    #[inline]
    learns_bursts: bool = self.bursts.is_some();
    /// Whether either version has had a burst.
    #[inline]
    knows_bursts: bool = self.bursts.as_ref().is_some_and(|of| of.any(Bursts::are_known));
    settling: Option<&Settling> = self.settling.as_deref();
}

#[inline]
fn keep(kept: &mut Option<Aligned<Test>>, test: Option<&Aligned<Test>>) {
    let known = match (kept.as_mut(), test) {
        (Some(kept), Some(test)) => kept.keep(test),
        (kept, test) => kept.is_none() && test.is_none(),
    };
    if !known {
        *kept = test.cloned();
    }
}
