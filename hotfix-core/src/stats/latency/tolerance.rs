//! The test of 'at most so many times as slow', for arms of one version that are not equally fast.
//!
//! Instances of one version differ by some per cent, and what they differ by wanders. A test of 'no
//! slower' finds that difference, and is right; but it is no fault of the release. So the null here
//! is that the canary's times are stochastically no slower than `ρ` times the baseline's:
//!
//! ```text
//! acts:   ρ          gains of each alternative summed over a block, at most 0.4 ln(1/α) of each block
//! gross:  max(2, ρ)  every tick, no cap: faults that need no second block
//! E = (E_acts + E_gross)/2
//! hint:   min(1.1, ρ), as acts; it is no evidence for a rollback
//! ```
//!
//! Each is the [joint bet](super::joint) with the baseline's counts in a tick replaced by what they
//! would be if every request took `ρ` times as long: of the `x_i` requests in bucket `i` the share
//! `a_ik` comes to be in bucket `k`. That is fitted to the baseline's past, and kept until the past
//! has grown by a quarter.
//!
//! *Restarts.* The evidence may begin again, any number of times, at moments that the past decides:
//! the first part has 0.8 of the wealth and the `i`-th of those that follow `0.2/(i (i + 1))`. The
//! evidence is that of the present part and the stakes of those to come. Why all of it is an
//! e-process: `docs/statistics.md`, A3.
//!
//! *Limits.* A [calibration](super::calibration) may set a higher threshold, another cap, and how
//! much less the evidence of `gross` counts. Each only lowers the chance.

use super::cap::common_cap;
use super::design::{PRIOR_TRIALS, prior_shares};
use super::joint::{ALTERNATIVES, Joint, Stakes, WEIGHTS};
use super::stretch::{Axis, Past, Scores, Slowdown, Transfer, slowdown};
use super::{MAX_BOUNDARIES, SlowCounts, check_boundaries, excess, loudest_of};
use crate::stats::grid::{Grid, Hypothesis};
use crate::stats::numeric::{larger, ln, log_add_exp, smaller};
use crate::stats::{Counts, Direction, Evidence, StatError, Totals, Watch};
use core::f64::consts::LN_2;
use serde::{Deserialize, Serialize};

/// The part of `ln(1/α)` that a block may add. With a weight of a quarter, as in `standard`, four blocks
/// decide at the earliest.
const MOST_OF_BLOCK: f64 = 0.4;
/// Most blocks that one reading counts as: without a history one never decides, and two may. For a
/// reading of that length the cap is for all alternatives together: with a cap for each, two such
/// readings would stay just below the threshold.
const MOST_BLOCKS: f64 = 2.0;
/// The gross ratio: a fault this many times as slow is found without blocks.
const GROSS: f64 = 2.0;
/// The slight ratio: a canary this many times as slow is worth a person's attention.
pub(crate) const SLIGHT: f64 = 1.1;
/// Stake of the first part; those after restarts share the rest.
const FIRST_STAKE: f64 = 0.8;
/// The baseline's past grows by this factor before its times are stretched again.
const GROWTH: f64 = 1.25;

/// Number of lanes, and their indices.
pub(super) const LANES: usize = 3;
pub(super) const ACTS: usize = 0;
pub(super) const GROSSLY: usize = 1;
const HINTS: usize = 2;

/// Settings of a test of 'at most so many times as slow'.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToleranceSettings {
    /// Chance of ever deciding while the null holds, above 0 and below 1.
    pub alpha: f64,
    /// `ρ`, at least 1: how many times as slow is tolerated.
    pub tolerated: f64,
    /// Times above which slow requests are counted, ascending from above 0, at most
    /// [`MAX_BOUNDARIES`]; in any unit.
    pub boundaries: Vec<f64>,
    /// Length of a block in ticks, above 0; below 1 if a tick is longer. It should be about 30
    /// seconds, so that a burst lies within one block.
    pub block: f64,
}

/// The limits of the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToleranceLimits {
    /// Log evidence that decides; at least `ln(1/α)`.
    pub threshold: f64,
    /// Most that a block may add to the evidence against the tolerated ratio; above 0.
    pub cap: f64,
    /// Log evidence that is subtracted from that against the gross ratio; at least 0.
    pub gross_less: f64,
}

impl ToleranceLimits {
    /// The limits without a history.
    pub(super) fn usual(threshold: f64) -> Self {
        Self { threshold, cap: Self::cap_of(threshold), gross_less: 0.0 }
    }

    /// A cap for this threshold.
    pub(super) fn cap_of(threshold: f64) -> f64 {
        MOST_OF_BLOCK * threshold
    }
}

/// A checked test of 'at most so many times as slow'. Shared by any number of states.
///
/// ```
/// use hotfix_core::stats::latency::{SlowCounts, Tolerance, ToleranceDesign, ToleranceSettings};
/// let design = ToleranceDesign::try_new(&ToleranceSettings {
///     alpha: 0.01,
///     tolerated: 1.3,
///     boundaries: vec![0.1, 0.25],
///     block: 1.0,
/// })?;
/// let mut test = Tolerance::new(&design);
/// for _ in 0..8 {
///     // Every canary request takes twice as long.
///     let (canary, baseline) = ([84.0, 37.0], [450.0, 45.0]);
///     test.update(&design, SlowCounts::new(&canary, 100.0), SlowCounts::new(&baseline, 900.0))?;
///     test.end_tick(&design, 1.0);
/// }
/// assert!(test.decided());
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ToleranceDesign {
    hypothesis: Hypothesis,
    limits: ToleranceLimits,
    pub(super) stakes: Stakes,
    pub(super) axis: Axis,
    pub(super) ln_ratios: [f64; LANES],
    block: f64,
    /// Of the prior trials, those slower than each boundary.
    prior_slow: [f64; MAX_BOUNDARIES],
    id: u32,
}

impl ToleranceDesign {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`StatError`] if alpha, the tolerated ratio or the boundaries are out of range.
    pub fn try_new(settings: &ToleranceSettings) -> Result<Self, StatError> {
        let ToleranceSettings { alpha, tolerated, ref boundaries, block } = *settings;
        let hypothesis = Hypothesis::try_new(Direction::Worse, alpha, tolerated, GROSS)?;
        check_boundaries(boundaries)?;
        let is_time = block.is_finite() && block > 0.0;
        StatError::unless(is_time, "block", block, "above 0")?;
        let threshold = hypothesis.threshold;
        let numbers = [&[threshold, tolerated, block], &boundaries[..], &WEIGHTS];
        Ok(Self {
            hypothesis,
            limits: ToleranceLimits::usual(threshold),
            stakes: Stakes::new(),
            axis: Axis::new(boundaries),
            ln_ratios: ratios(tolerated).map(ln),
            block,
            prior_slow: prior_shares(boundaries.len()).map(|share| share * PRIOR_TRIALS),
            id: Grid::of_weights(&[1.0]).fingerprint(7, &numbers.concat()),
        })
    }

    /// The same test, same states, with a calibration's limits; None for those without a history.
    ///
    /// # Errors
    /// [`StatError`] for a threshold below `ln(1/α)`, or a figure that is not finite or too small.
    pub fn with_limits(&self, limits: Option<ToleranceLimits>) -> Result<Self, StatError> {
        let least = self.hypothesis.threshold;
        let limits = limits.unwrap_or_else(|| ToleranceLimits::usual(least));
        let ToleranceLimits { threshold, cap, gross_less } = limits;
        let figures = [
            ("threshold", threshold, threshold >= least, "at least ln(1/alpha)"),
            ("cap", cap, cap > 0.0, "above 0"),
            ("gross_less", gross_less, gross_less >= 0.0, "at least 0"),
        ];
        for (what, value, fits, expected) in figures {
            StatError::unless(value.is_finite() && fits, what, value, expected)?;
        }
        Ok(Self { limits, ..self.clone() })
    }

    /// Whether no single reading reaches the threshold without the gross ratio.
    fn needs_readings(&self) -> bool {
        MOST_BLOCKS * self.limits.cap < self.limits.threshold
    }

    /// The log evidence that decides: `ln(1/α)`, unless limits were set.
    pub const fn threshold(&self) -> f64 {
        self.limits.threshold
    }

    /// How many times as slow is tolerated.
    pub const fn null_ratio(&self) -> f64 {
        self.hypothesis.null_ratio
    }

    /// The most that a block adds to a term.
    pub const fn cap(&self) -> f64 {
        self.limits.cap
    }

    /// Ends a block of `ticks` ticks, the last `reading` of them in one reading: adds its gains.
    /// `cap` is for each gain of a block of planned length; `acts`: the lane is [`ACTS`].
    pub(super) fn end_block(
        &self,
        lane: &mut Lane,
        acts: bool,
        (ticks, reading): (f64, f64),
        cap: f64,
    ) {
        let blocks = larger(ticks / self.block, 1.0);
        let most = cap * smaller(blocks, MOST_BLOCKS);
        // The last reading has at least the length of [`MOST_BLOCKS`].
        let is_long = reading + 0.5 >= MOST_BLOCKS * self.block;
        let is_common = is_long && acts;
        let cap = if is_common { common_cap(&lane.terms, &lane.block, most) } else { most };
        for (term, gain) in lane.terms.iter_mut().zip(&mut lane.block) {
            *term += smaller(*gain, cap);
            *gain = 0.0;
        }
    }
}

fn ratios(tolerated: f64) -> [f64; LANES] {
    let mut ratios = [1.0; LANES];
    ratios[ACTS] = tolerated;
    ratios[GROSSLY] = larger(GROSS, tolerated);
    ratios[HINTS] = smaller(SLIGHT, tolerated);
    ratios
}

/// `ln` of the stake of the part after so many restarts; all stakes sum to 1.
fn ln_stake(restarts: u32) -> f64 {
    if restarts == 0 {
        ln(FIRST_STAKE)
    } else {
        let i = f64::from(restarts);
        ln((1.0 - FIRST_STAKE) / (i * (i + 1.0)))
    }
}

/// `ln` of the stakes of all parts to come after so many restarts.
fn ln_left(restarts: u32) -> f64 {
    // Almost always without a restart: the logarithm of 0.2, as `ln` has it.
    const OF_ALL: f64 = -1.609_437_912_434_100_5;
    if restarts == 0 { OF_ALL } else { ln((1.0 - FIRST_STAKE) / (f64::from(restarts) + 1.0)) }
}

/// The evidence of one such test: plain data, about 20 kilobytes.
///
/// Every method that computes takes the design that the state was made for. The first tick is only
/// learnt from, unless the baseline [was known before](Self::learn_before). See [`ToleranceDesign`]
/// for an example.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tolerance {
    pub(super) lanes: [Lane; LANES],
    pub(super) canary: Past,
    pub(super) baseline: Past,
    pub(super) fit: StretchFit,
    /// Ticks of the block under way.
    pub(super) elapsed: f64,
    pub(super) watch: Watch,
    #[serde(skip)]
    pub(super) axis: Axis,
    #[serde(skip)]
    pub(super) ln_ratios: [f64; LANES],
    pub(super) design: u32,
}

/// The bet against one tolerated factor.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lane<J = Joint> {
    /// Log evidence of each alternative, times the stake of the present part.
    pub(super) terms: [f64; ALTERNATIVES],
    /// What the block under way has gained.
    pub(super) block: [f64; ALTERNATIVES],
    pub(super) joint: J,
    /// The baseline's past as stretched: requests slower than each boundary.
    pub(super) slow: [f64; MAX_BOUNDARIES],
    /// How often its evidence has begun again.
    pub(super) restarts: u32,
}

impl Lane {
    pub(super) const NEW: Self = Self {
        terms: [0.0; ALTERNATIVES],
        block: [0.0; ALTERNATIVES],
        joint: Joint::NEW,
        slow: [0.0; MAX_BOUNDARIES],
        restarts: 0,
    };

    /// Begins a part: every term is its stake.
    pub(super) fn stake(&mut self) {
        self.terms = [ln_stake(self.restarts); ALTERNATIVES];
        self.block = [0.0; ALTERNATIVES];
    }

    /// Log of the present part's evidence and of the stakes of those to come.
    pub(super) fn log_e(&self) -> f64 {
        log_add_exp(Stakes::log_e(&self.terms), ln_left(self.restarts))
    }

    fn restart(&mut self) {
        self.restarts = self.restarts.saturating_add(1);
        self.stake();
    }

    /// Begins another part if the evidence is below the stake of that part.
    pub(super) fn renew(&mut self) {
        if Stakes::log_e(&self.terms) < ln_stake(self.restarts.saturating_add(1)) {
            self.restart();
        }
    }
}

/// What the baseline's times were last stretched by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct StretchFit {
    /// The baseline's past at that time; no trials before the first tick.
    past: Past,
    #[serde(skip)]
    scores: Scores,
    #[serde(skip)]
    pub(super) transfers: [Transfer; LANES],
}

impl StretchFit {
    pub(super) fn of(past: Past, axis: &Axis, ln_ratios: &[f64; LANES]) -> Self {
        if past.trials <= 0.0 {
            return Self { past, scores: Scores::NONE, transfers: [Transfer::NONE; LANES] };
        }
        let scores = Scores::of(axis, &past);
        let transfers = ln_ratios.map(|ln_ratio| Transfer::of(axis, &scores, ln_ratio));
        Self { past, scores, transfers }
    }
}

impl Tolerance {
    /// No data yet.
    #[expect(clippy::large_stack_arrays, reason = "a state is plain data: no allocation a copy")]
    pub fn new(design: &ToleranceDesign) -> Self {
        let mut this = Self {
            lanes: [Lane::NEW; LANES],
            canary: Past::NONE,
            baseline: Past::NONE,
            fit: StretchFit::of(Past::NONE, &design.axis, &design.ln_ratios),
            elapsed: 0.0,
            watch: Watch::START,
            axis: design.axis,
            ln_ratios: design.ln_ratios,
            design: design.id,
        };
        this.lanes.iter_mut().for_each(Lane::stake);
        this
    }

    /// Copies an earlier or later state of the same test; its fit only if that is to another past.
    pub(crate) fn take_over(&mut self, of: &Self) {
        if self.design != of.design {
            *self = *of;
            return;
        }
        for (kept, lane) in self.lanes.iter_mut().zip(&of.lanes) {
            (kept.terms, kept.block, kept.slow) = (lane.terms, lane.block, lane.slow);
            kept.restarts = lane.restarts;
            kept.joint.take_over(&lane.joint);
        }
        if self.fit.past.trials != of.fit.past.trials {
            self.fit = of.fit;
        }
        let Self { lanes: _, canary, baseline, fit: _, elapsed, watch, .. } = *of;
        (self.canary, self.baseline, self.elapsed) = (canary, baseline, elapsed);
        self.watch = watch;
    }

    /// Sets the baseline's past to counts from before the first tick; no effect after that.
    ///
    /// # Errors
    /// The state is unchanged. [`StatError`] for counts that [`update`](Self::update) would refuse.
    pub fn learn_before(&mut self, baseline: SlowCounts<'_>) -> Result<(), StatError> {
        baseline.check(self.axis.len)?;
        if self.canary.trials == 0.0 && baseline.trials > 0.0 {
            self.baseline = Past::NONE;
            self.baseline.add(baseline);
        }
        Ok(())
    }

    /// Adds the counts of a tick or stratum; [`end_tick`](Self::end_tick) has to end the tick.
    ///
    /// # Errors
    /// As for [`Latency::update`](super::Latency::update).
    pub fn update(
        &mut self,
        design: &ToleranceDesign,
        canary: SlowCounts<'_>,
        baseline: SlowCounts<'_>,
    ) -> Result<(), StatError> {
        canary.check(self.axis.len)?;
        baseline.check(self.axis.len)?;
        if self.design != design.id {
            return Err(StatError::DesignMismatch);
        }
        if canary.trials == 0.0 || baseline.trials == 0.0 {
            return Ok(());
        }
        if self.canary.trials == 0.0 && self.baseline.trials > 0.0 {
            self.stretch();
        }
        if self.fit.past.trials > 0.0 {
            let trials = PRIOR_TRIALS + self.canary.trials + self.baseline.trials;
            for (place, lane) in self.lanes.iter_mut().enumerate() {
                let slow = self.fit.transfers[place].slow(baseline);
                let stretched = SlowCounts::new(&slow[..self.axis.len], baseline.trials);
                let pooled = || {
                    let mut pooled = design.prior_slow;
                    for (k, pooled) in pooled.iter_mut().enumerate() {
                        *pooled += self.canary.slow[k] + lane.slow[k];
                    }
                    (pooled, trials)
                };
                let gains = lane.joint.gains(pooled, canary, stretched);
                let gaining = if place == GROSSLY { &mut lane.terms } else { &mut lane.block };
                add(gaining, &gains);
                add(&mut lane.slow, &slow);
            }
        }
        self.canary.add(canary);
        self.baseline.add(baseline);
        Ok(())
    }

    /// Ends a tick that is as long as `ticks` planned ones; returns whether the test has decided,
    /// now or before.
    pub fn end_tick(&mut self, design: &ToleranceDesign, ticks: f64) -> bool {
        if self.fit.past.trials > 0.0 {
            self.elapsed += ticks;
            // Ticks are not exactly as long as the cadence, and what is read at once may be longer
            // than a block.
            if self.elapsed + 0.5 >= design.block {
                let lasts = (std::mem::take(&mut self.elapsed), ticks);
                for (place, lane) in self.lanes.iter_mut().enumerate() {
                    design.end_block(lane, place == ACTS, lasts, design.limits.cap);
                }
            }
        }
        if self.baseline.trials > GROWTH * self.fit.past.trials {
            self.stretch();
        }
        let bounds = [ACTS, GROSSLY].map(|place| design.stakes.bounds(&self.lanes[place].terms));
        let gross = bounds[1].lower - design.limits.gross_less;
        let lower = larger(bounds[0].lower, gross) - LN_2;
        let slack = design.stakes.slack + LN_2;
        let threshold = design.threshold();
        self.watch = self.watch.evaluated(lower, slack, threshold, || self.log_e(design));
        self.watch.decided
    }

    /// Fits to the baseline's past how its times are stretched.
    #[cold]
    fn stretch(&mut self) {
        let is_first = self.fit.past.trials == 0.0;
        self.fit = StretchFit::of(self.baseline, &self.axis, &self.ln_ratios);
        if is_first {
            let past = self.baseline.of(self.axis.len);
            for (lane, transfer) in self.lanes.iter_mut().zip(&self.fit.transfers) {
                lane.slow = transfer.slow(past);
            }
        }
    }

    /// The evidence begins again, with a smaller stake. Where an excess has decayed, what was
    /// gathered says nothing of what the canary is like now.
    pub fn restart(&mut self) {
        self.lanes.iter_mut().for_each(Lane::restart);
        self.elapsed = 0.0;
    }

    /// The evidence begins again where less is left of it than a new stake: a canary that was as
    /// fast as the baseline for long would otherwise have to be slow for long. Not to be called at
    /// every tick, since each time costs a part of what is left for others.
    pub fn renew(&mut self) {
        self.lanes.iter_mut().for_each(Lane::renew);
    }

    /// How often the evidence against the tolerated ratio has begun again.
    pub fn restarts(&self) -> u32 {
        self.lanes[ACTS].restarts
    }

    /// Log of the e-value: of the present part, and of the stakes that are left; 0 without data.
    pub fn log_e(&self, design: &ToleranceDesign) -> f64 {
        joined(self.lanes[ACTS].log_e(), self.gross(design))
    }

    /// Log evidence against the gross ratio, less `gross_less`.
    fn gross(&self, design: &ToleranceDesign) -> f64 {
        self.lanes[GROSSLY].log_e() - design.limits.gross_less
    }

    /// [`log_e`](Self::log_e) with its uncapped part at most `uncapped`, so that one reading cannot
    /// decide. That part is the gross ratio's, or all where two blocks may decide.
    pub(crate) fn log_e_if(&self, design: &ToleranceDesign, uncapped: f64) -> f64 {
        if !design.needs_readings() {
            return smaller(self.log_e(design), uncapped);
        }
        joined(self.lanes[ACTS].log_e(), smaller(self.gross(design), uncapped))
    }

    /// Log evidence of the uncapped part, see [`log_e_if`](Self::log_e_if).
    pub(crate) fn uncapped(&self, design: &ToleranceDesign) -> f64 {
        if design.needs_readings() { self.gross(design) } else { self.log_e(design) }
    }

    /// Log of the e-value against 'at most 1.1 times as slow': a reason to look into it, no
    /// evidence for a rollback.
    pub fn log_e_slightly(&self) -> f64 {
        Stakes::log_e(&self.lanes[HINTS].terms)
    }

    /// Whether [`log_e_slightly`](Self::log_e_slightly) reaches the threshold.
    pub(crate) fn is_slightly_slower(&self, design: &ToleranceDesign) -> bool {
        let least = design.threshold();
        design.stakes.bounds(&self.lanes[HINTS].terms).upper >= least
            && self.log_e_slightly() >= least
    }

    /// Whether the evidence has ever reached the threshold.
    pub fn decided(&self) -> bool {
        self.watch.decided
    }

    /// Slow requests above one boundary, and all requests, of both arms so far; None without it.
    pub fn totals(&self, boundary: usize) -> Option<Totals> {
        let of = |arm: &Past| {
            let slow = arm.slow[..self.axis.len].get(boundary)?;
            Some(Counts::new(*slow, arm.trials))
        };
        Some(Totals { canary: of(&self.canary)?, baseline: of(&self.baseline)? })
    }

    /// The boundary above which the canary exceeds the baseline by the most standard errors.
    pub fn loudest(&self) -> usize {
        loudest_of(self.axis.len, |k| self.totals(k).map_or(0.0, |totals| excess(&totals)))
    }

    /// The evidence as a verdict reports it; its ratio is that above the loudest boundary.
    pub fn evidence(&self, design: &ToleranceDesign) -> Evidence {
        let totals = self.totals(self.loudest());
        self.watch.evidence(self.log_e(design), totals.and_then(|totals| totals.ratio()))
    }

    /// By what factor the canary's times exceed the baseline's in these counts. What is known of
    /// the baseline's past says how far apart the boundaries are. None before the first tick, or
    /// where nearly all or nearly no requests exceed every boundary.
    pub fn slowdown(&self, canary: SlowCounts<'_>, baseline: SlowCounts<'_>) -> Option<Slowdown> {
        let knows = self.knows(canary, baseline);
        knows.then(|| slowdown(&self.axis, &self.fit.scores, canary, baseline)).flatten()
    }

    /// Whether the baseline's past is known, and the counts have as many boundaries.
    pub(super) fn knows(&self, canary: SlowCounts<'_>, baseline: SlowCounts<'_>) -> bool {
        let fits = |counts: SlowCounts<'_>| counts.slow.len() == self.axis.len;
        self.fit.past.trials > 0.0 && fits(canary) && fits(baseline)
    }
}

/// Log of the mean of both e-values.
pub(super) fn joined(acts: f64, gross: f64) -> f64 {
    log_add_exp(acts, gross) - LN_2
}

fn add<const N: usize>(sums: &mut [f64; N], more: &[f64; N]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_1_the_stakes_that_are_left_have_the_logarithm_of_their_share() {
        assert_eq!(ln_left(0).to_bits(), ln(1.0 - FIRST_STAKE).to_bits());
        assert!((ln_left(3) - ln(0.05)).abs() < 1e-15);
    }
}
