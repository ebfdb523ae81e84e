//! Rate-ratio e-process, the default test, for counts and rare proportions.
//!
//! Per tick, with `x` events in `n` trials or exposure of canary and baseline and `m = x_c + x_b`:
//!
//! ```text
//! l_j += x_c ln g_j + m (ln(r0 n_c + n_b) - ln(r0 g_j n_c + n_b))
//! ln E = logsumexp_j(ln w_j + l_j)
//! ```
//!
//! Its mean is at most 1 under the null hypothesis given the trials, for any base rate and any
//! changes of the split (proof: `docs/statistics.md`, A1). The logarithms depend on the canary's
//! share of the exposure alone, `π = r0 n_c/(r0 n_c + n_b)`, as `ln1p((g_j - 1) π)`; they are kept
//! while the split stays as it is.

use super::grid::{self, Grid};
use super::mixture::{self, Asked, Mixture, SHORT};
use super::numeric::largest;
use super::{Bounds, Counts, Direction, Evidence, MAX_GRID, StatError, Totals, Watch, check_both};
use serde::{Deserialize, Serialize};

/// Default ratios; found the best of eight sets on 18 scenarios.
pub const DEFAULT_GRID: [f64; 4] = [2.0, 4.0, 8.0, 20.0];
/// Weights of [`DEFAULT_GRID`].
pub const DEFAULT_WEIGHTS: [f64; 4] = [0.4, 0.25, 0.2, 0.15];

/// What a rate-ratio test is asked.
///
/// ```
/// use hotfix_core::stats::rate_ratio::{RateRatioDesign, RateRatioSettings};
/// let settings = RateRatioSettings { tolerated: 1.25, ..RateRatioSettings::default() };
/// assert!(RateRatioDesign::try_new(&settings).is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateRatioSettings {
    /// What is to be shown.
    pub direction: Direction,
    /// Chance of ever deciding while the null holds, above 0 and below 1.
    pub alpha: f64,
    /// `r0`, at least 1: the ratio that is tolerated; the null of worse is `r ≤ r0`.
    pub tolerated: f64,
    /// `d`: the null of better is `r ≥ d`; over 1 'not worse', up to 1 'cut at least to d'.
    pub margin: f64,
    /// Ratios over the null's, above 1, at most [`MAX_GRID`]; inverted for better. Absent: the
    /// default.
    pub grid: Option<Vec<f64>>,
    /// One weight a ratio, summing to 1. Absent: the default's, even for a grid of one's own.
    pub weights: Option<Vec<f64>>,
    /// Factor on every gain, above 0 and at most 1: evidence under noise is worth less.
    pub temper: f64,
    /// Most log evidence that a tick may add to a term, after `temper`; above 0. Absent: no cap.
    pub cap: Option<f64>,
    /// Log evidence that decides, above 0. Absent: `ln(1/α)`. The chance of ever deciding while the
    /// null holds is at most `e^-threshold`, by Ville's inequality: a lower one than `ln(1/α)`
    /// gives `α` up.
    pub threshold: Option<f64>,
    /// Planned ticks, at least 1: turns the change-point mixture on, which finds faults that start
    /// late (`docs/statistics.md`, A4). Ticks without data count, so feed them. Absent: the plain
    /// test.
    pub horizon: Option<u32>,
}

impl Default for RateRatioSettings {
    /// Rollback at α 0.01, nothing tolerated, default grid.
    fn default() -> Self {
        Self {
            direction: Direction::Worse,
            alpha: 0.01,
            tolerated: 1.0,
            margin: 2.0,
            grid: None,
            weights: None,
            temper: 1.0,
            cap: None,
            threshold: None,
            horizon: None,
        }
    }
}

impl RateRatioSettings {
    /// The promotion test at α 0.05 against a margin; a margin up to 1 is an efficacy claim.
    pub fn better(margin: f64) -> Self {
        Self { direction: Direction::Better, alpha: 0.05, margin, ..Self::default() }
    }
}

/// A checked test with everything precomputed that no tick changes. Shared by any number of states.
///
/// ```
/// use hotfix_core::stats::{Counts, rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings}};
/// # fn main() -> Result<(), hotfix_core::stats::StatError> {
/// let design = RateRatioDesign::try_new(&RateRatioSettings::default())?;
/// let mut test = RateRatio::new(&design);
/// for _ in 0..6 {
///     // Ten seconds at a share of 0.1: 3% errors in the canary, 0.3% in the baseline.
///     test.update(&design, Counts::new(2.0, 67.0), Counts::new(2.0, 600.0))?;
/// }
/// let evidence = test.evidence(&design);
/// assert!(evidence.decided && evidence.p_value < 0.01);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RateRatioDesign {
    mixture: Mixture,
    /// `g_j - 1`, what the logarithms need.
    excess: [f64; MAX_GRID],
    id: u32,
}

impl RateRatioDesign {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`StatError`] if a setting is out of range: alpha, grid, weights,
    /// tolerated ratio, margin, cap, temper, threshold or horizon.
    pub fn try_new(settings: &RateRatioSettings) -> Result<Self, StatError> {
        let mixture = Mixture::try_new(
            Asked {
                direction: settings.direction,
                alpha: settings.alpha,
                tolerated: settings.tolerated,
                margin: settings.margin,
                grid: settings.grid.as_deref(),
                weights: settings.weights.as_deref(),
                temper: settings.temper,
                cap: settings.cap,
                threshold: settings.threshold,
                horizon: settings.horizon,
            },
            (&DEFAULT_GRID, &DEFAULT_WEIGHTS),
        )?;
        let excess = mixture.grid.excess();
        let id = mixture.fingerprint(1, &[]);
        Ok(Self { mixture, excess, id })
    }

    /// The same test with another cap and another threshold, each as in the settings.
    ///
    /// A state belongs to both, so that evidence is carried over phases whose calibration differs.
    /// What was decided stays decided.
    ///
    /// # Errors
    /// [`StatError`] if the cap or the threshold is out of range.
    pub fn with_limits(&self, cap: Option<f64>, threshold: Option<f64>) -> Result<Self, StatError> {
        Ok(Self { mixture: self.mixture.with_limits(cap, threshold)?, ..self.clone() })
    }

    /// What the test is to show.
    pub fn direction(&self) -> Direction {
        self.mixture.hypothesis.direction
    }

    /// The log evidence that decides: `ln(1/α)` unless the settings name another.
    pub fn threshold(&self) -> f64 {
        self.mixture.limits.threshold
    }

    /// The most that a term gains in a tick; absent where nothing bounds it.
    pub fn cap(&self) -> Option<f64> {
        self.mixture.limits.cap()
    }

    /// `π`: the canary's share of the exposure at the edge of the null.
    #[inline]
    fn share(&self, canary: f64, baseline: f64) -> f64 {
        grid::share_of_events(self.mixture.hypothesis.null_ratio, canary, baseline)
    }

    /// The ratio at the edge of the null: `r0` for worse, `d` for better.
    pub fn null_ratio(&self) -> f64 {
        self.mixture.hypothesis.null_ratio
    }
}

/// The evidence of one rate-ratio test: plain data of at most 256 bytes, cheap to copy and to try
/// on.
///
/// Every method that computes takes the design that the state was made for. Counts of ticks in
/// which an arm has no trials are left out altogether; ticks without events add trials and no
/// evidence. See [`RateRatioDesign`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SavedState", into = "SavedState")]
pub struct RateRatio {
    /// `l_j`; negative infinity in unused places.
    terms: [f64; MAX_GRID],
    /// `ln1p((g_j - 1) π)` for the split below.
    losses: [f64; MAX_GRID],
    /// Trials of the last tick with events, and the share `π` that they give; zero at the start.
    split: (f64, f64, f64),
    totals: Totals,
    watch: Watch,
    /// Ticks so far, with a horizon only.
    ticks: u32,
    design: u32,
}

impl RateRatio {
    /// No data yet: `E = 1`.
    pub fn new(design: &RateRatioDesign) -> Self {
        Self {
            terms: design.mixture.start(),
            losses: [0.0; MAX_GRID],
            split: (0.0, 0.0, 0.0),
            totals: Totals::default(),
            watch: Watch::START,
            ticks: 0,
            design: design.id,
        }
    }

    /// Checks that a state, such as one read from a document, was made for this design.
    ///
    /// # Errors
    /// [`StatError`] if the state belongs to another design.
    pub fn check(&self, design: &RateRatioDesign) -> Result<(), StatError> {
        let used = grid::used(&self.terms).len();
        if self.design == design.id && used == design.mixture.grid.len {
            Ok(())
        } else {
            Err(StatError::DesignMismatch)
        }
    }

    /// Takes in one tick and says whether the test has decided, now or before.
    ///
    /// # Errors
    /// The state is unchanged. [`StatError`] for counts that are not
    /// finite, negative or too large, or for another design's state. More events than trials are
    /// accepted, because trials may be an exposure; check proportions with
    /// [`Counts::check_proportion`].
    #[inline]
    pub fn update(
        &mut self,
        design: &RateRatioDesign,
        canary: Counts,
        baseline: Counts,
    ) -> Result<bool, StatError> {
        check_both(canary, baseline)?;
        if self.design != design.id {
            return Err(StatError::DesignMismatch);
        }
        Ok(if design.mixture.plain {
            self.tick::<true>(design, canary, baseline)
        } else {
            self.tick_in_full(design, canary, baseline)
        })
    }

    /// Out of line, so that the plain test does not pay for what it has not.
    #[inline(never)]
    fn tick_in_full(&mut self, design: &RateRatioDesign, canary: Counts, baseline: Counts) -> bool {
        self.tick::<false>(design, canary, baseline)
    }

    /// Takes in one tick that is made of strata, such as regions or platforms, each with both arms.
    ///
    /// Their log likelihoods add, so that a canary whose users are of another kind than the
    /// baseline's is compared within itself. A cap bounds the sum, a horizon counts one tick;
    /// strata in which an arm has no trials are left out; no stratum is a tick without data. One
    /// stratum is [`update`](Self::update), bit for bit; the order of two never matters, and of
    /// more by rounding alone. [`totals`](Self::totals) and [`ratio`](Self::ratio) are of the sums
    /// over strata: where strata are split differently,
    /// [`ratio_interval`](super::interval::ratio_interval) over strata is the fair figure.
    ///
    /// # Errors
    /// As for [`update`](Self::update), for any stratum; the state is then unchanged.
    ///
    /// ```
    /// use hotfix_core::stats::{Counts, rate_ratio::{RateRatio, RateRatioDesign,
    /// RateRatioSettings}};
    /// # fn main() -> Result<(), hotfix_core::stats::StatError> {
    /// let design = RateRatioDesign::try_new(&RateRatioSettings::default())?;
    /// let (phones, desks) = (
    ///     (Counts::new(30.0, 900.0), Counts::new(33.0, 1000.0)),
    ///     (Counts::new(0.0, 100.0), Counts::new(8.0, 8000.0)),
    /// );
    /// let (mut test, mut sums) = (RateRatio::new(&design), RateRatio::new(&design));
    /// // Phones fail more often in both versions, and the canary has most of them.
    /// assert!(!test.update_strata(&design, &[phones, desks])?);
    /// assert!(sums.update(&design, Counts::new(30.0, 1000.0), Counts::new(41.0, 9000.0))?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn update_strata(
        &mut self,
        design: &RateRatioDesign,
        strata: &[(Counts, Counts)],
    ) -> Result<bool, StatError> {
        for (canary, baseline) in strata {
            canary.check()?;
            baseline.check()?;
        }
        if let [(canary, baseline)] = strata {
            return self.update(design, *canary, *baseline);
        }
        if self.design != design.id {
            return Err(StatError::DesignMismatch);
        }
        let mixture = &design.mixture;
        mixture.open_tick(&mut self.ticks, &mut self.terms);
        let mut gains = [0.0; MAX_GRID];
        let (mut sum, mut any) = (Totals::default(), false);
        for &(canary, baseline) in strata {
            if canary.trials == 0.0 || baseline.trials == 0.0 {
                continue;
            }
            sum.add(canary, baseline);
            let events = canary.events + baseline.events;
            if events == 0.0 {
                continue;
            }
            any = true;
            let share = design.share(canary.trials, baseline.trials);
            let losses = grid::losses::<MAX_GRID>(&design.excess, share);
            for (j, gain) in gains.iter_mut().enumerate() {
                *gain += canary.events * mixture.grid.ln_ratio[j] - events * losses[j];
            }
        }
        self.totals.add(sum.canary, sum.baseline);
        if !any {
            return Ok(self.watch.decided);
        }
        for (term, gain) in self.terms.iter_mut().zip(gains) {
            *term += mixture.limits.of(gain);
        }
        let lower = mixture.bound(&self.terms);
        Ok(self.look(design, lower))
    }

    /// Adds another state's evidence: log evidence and totals are those of one state fed with both.
    ///
    /// `self` has been looked at, `other` has not: the running maximum and the decision are
    /// `self`'s and that of the sum. A cap has been applied to the ticks of each.
    ///
    /// # Errors
    /// [`StatError`] if the states belong to another design, or the test
    /// has a horizon, as its evidence depends on the order of the ticks.
    pub fn merge(&mut self, design: &RateRatioDesign, other: &Self) -> Result<bool, StatError> {
        if self.design != design.id || other.design != design.id {
            return Err(StatError::DesignMismatch);
        }
        if let Some(horizon) = design.mixture.horizon() {
            return Err(StatError::NotMergeable { horizon });
        }
        for (term, more) in self.terms.iter_mut().zip(other.terms) {
            *term += more;
        }
        self.totals.add(other.totals.canary, other.totals.baseline);
        Ok(self.look(design, design.mixture.bound(&self.terms)))
    }

    /// Log of the e-value, exact; 0 without data.
    pub fn log_e(&self, design: &RateRatioDesign) -> f64 {
        design.mixture.log_e(&self.terms, self.ticks)
    }

    /// `max_j (ln w_j + l_j)`, or the log of what has not been bet yet where that is more: at most
    /// [`log_e`](Self::log_e), and less by at most `ln J`, with a horizon `ln (J + 1)`.
    #[inline]
    pub fn log_e_bound(&self, design: &RateRatioDesign) -> f64 {
        self.bounds(design).lower
    }

    /// Both bounds of the log of the e-value, for [`combine`](super::combine).
    #[inline]
    pub fn bounds(&self, design: &RateRatioDesign) -> Bounds {
        design.mixture.bounds(&self.terms, self.ticks)
    }

    /// `min(1, 1/max E)` from the running maximum of the bound: valid at every evaluation.
    pub fn p_value(&self) -> f64 {
        self.watch.p_value()
    }

    /// Whether this state was made for the design, whatever its limits.
    pub(super) fn belongs_to(&self, design: &RateRatioDesign) -> bool {
        self.design == design.id
    }

    /// Whether two states were made for one design.
    pub(super) fn same_design(&self, other: &Self) -> bool {
        let used = |test: &Self| grid::used(&test.terms).len();
        self.design == other.design && used(self) == used(other)
    }

    /// Whether the evidence has ever reached the threshold.
    pub fn decided(&self) -> bool {
        self.watch.decided
    }

    /// Estimated canary rate over baseline rate, see [`Totals::ratio`].
    pub fn ratio(&self) -> Option<f64> {
        self.totals.ratio()
    }

    /// What was compared so far.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// What a verdict reports.
    pub fn evidence(&self, design: &RateRatioDesign) -> Evidence {
        Evidence {
            log_e: self.log_e(design),
            p_value: self.p_value(),
            ratio: self.ratio(),
            decided: self.watch.decided,
        }
    }

    /// One tick of checked counts; `PLAIN` where nothing is limited and nothing kept back.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the plain test is one function with its checks")]
    fn tick<const PLAIN: bool>(
        &mut self,
        design: &RateRatioDesign,
        canary: Counts,
        baseline: Counts,
    ) -> bool {
        if !PLAIN {
            design.mixture.open_tick(&mut self.ticks, &mut self.terms);
        }
        if canary.trials == 0.0 || baseline.trials == 0.0 {
            return self.watch.decided;
        }
        self.totals.add(canary, baseline);
        let events = canary.events + baseline.events;
        if events == 0.0 {
            return self.watch.decided;
        }
        let is_short = design.mixture.grid.len <= SHORT;
        if canary.trials != self.split.0 || baseline.trials != self.split.1 {
            if is_short {
                self.resplit::<SHORT>(design, canary.trials, baseline.trials);
            } else {
                self.resplit::<MAX_GRID>(design, canary.trials, baseline.trials);
            }
        }
        let lower = if is_short {
            self.advance::<SHORT, PLAIN>(design, canary.events, events)
        } else {
            self.advance::<MAX_GRID, PLAIN>(design, canary.events, events)
        };
        self.look(design, lower)
    }

    /// Computes the logarithms of a new split for the first `N` points. Out of line: splits mostly
    /// stay.
    #[inline(never)]
    fn resplit<const N: usize>(&mut self, design: &RateRatioDesign, canary: f64, baseline: f64) {
        let share = design.share(canary, baseline);
        if share != self.split.2 {
            self.losses[..N].copy_from_slice(&grid::losses::<N>(&design.excess, share));
        }
        self.split = (canary, baseline, share);
    }

    /// Becomes a copy of another state of the same design, but for the logarithms of its split,
    /// which the next tick has or works out: half as much to copy.
    #[inline]
    pub(crate) fn take_over(&mut self, of: &Self) {
        let Self { terms, losses: _, split: _, totals, watch, ticks, design } = *of;
        (self.terms, self.totals, self.watch) = (terms, totals, watch);
        (self.ticks, self.design) = (ticks, design);
    }

    /// Takes over the logarithms of a split that another test of the same ratios has worked out,
    /// where the next tick has these trials. No evidence changes, to the bit.
    #[inline]
    pub(crate) fn split_as(
        &mut self,
        design: &RateRatioDesign,
        (canary, baseline): (f64, f64),
        other: &Self,
        of: &RateRatioDesign,
    ) {
        let is_of_tick = |test: &Self| test.split.0 == canary && test.split.1 == baseline;
        if is_of_tick(other)
            && !is_of_tick(self)
            && design.null_ratio() == of.null_ratio()
            && design.excess == of.excess
        {
            (self.losses, self.split) = (other.losses, other.split);
        }
    }

    /// Adds a tick's gain to the first `N` points and returns the lower bound of the evidence.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as long as a call to it")]
    fn advance<const N: usize, const PLAIN: bool>(
        &mut self,
        design: &RateRatioDesign,
        loud: f64,
        events: f64,
    ) -> f64 {
        // Unused places hold negative infinity and stay there.
        let Mixture { grid, limits, .. } = &design.mixture;
        let mut weighted = [0.0; N];
        for (j, weighted) in weighted.iter_mut().enumerate() {
            let gain = loud * grid.ln_ratio[j] - events * self.losses[j];
            self.terms[j] += if PLAIN { gain } else { limits.of(gain) };
            *weighted = self.terms[j] + grid.ln_weight[j];
        }
        largest(&weighted)
    }

    #[inline]
    fn look(&mut self, design: &RateRatioDesign, lower: f64) -> bool {
        let mut watch = self.watch;
        let threshold = design.mixture.limits.threshold;
        let slack = design.mixture.slack();
        let decided = watch.look(lower, slack, threshold, || self.log_e(design));
        self.watch = watch;
        decided
    }
}

/// The state as a document; constants of the split are computed again from the next tick.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedState {
    version: u32,
    design: u32,
    terms: Vec<f64>,
    totals: Totals,
    highest: f64,
    decided: bool,
    /// With a horizon only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ticks: Option<u32>,
}

impl From<RateRatio> for SavedState {
    fn from(state: RateRatio) -> Self {
        Self {
            version: mixture::version(state.ticks),
            design: state.design,
            terms: grid::used(&state.terms),
            totals: state.totals,
            highest: state.watch.highest,
            decided: state.watch.decided,
            ticks: (state.ticks > 0).then_some(state.ticks),
        }
    }
}

impl TryFrom<SavedState> for RateRatio {
    type Error = StatError;

    fn try_from(read: SavedState) -> Result<Self, StatError> {
        let ticks = mixture::ticks_from(read.version, read.ticks)?;
        read.totals.check()?;
        Ok(Self {
            terms: Grid::terms_from(&read.terms)?,
            losses: [0.0; MAX_GRID],
            split: (0.0, 0.0, 0.0),
            totals: read.totals,
            watch: Watch::restored(read.highest, read.decided)?,
            ticks,
            design: read.design,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roll_7_a_split_that_is_taken_over_changes_no_bit() {
        let design = |tolerated, alpha| {
            let settings = RateRatioSettings { alpha, tolerated, ..RateRatioSettings::default() };
            RateRatioDesign::try_new(&settings).unwrap()
        };
        let ticks =
            [(3.0, 101.0, 899.0), (1.0, 101.0, 899.0), (2.0, 97.0, 905.0), (0.0, 97.0, 1.0)];
        for (of, same) in [(design(1.0, 0.05), true), (design(1.25, 0.01), false)] {
            let own = design(1.0, 0.01);
            let (mut other, mut taken, mut alone) =
                (RateRatio::new(&of), RateRatio::new(&own), RateRatio::new(&own));
            for (events, canary, baseline) in ticks {
                let arms = (Counts::new(events, canary), Counts::new(2.0, baseline));
                other.update(&of, arms.0, arms.1).unwrap();
                taken.split_as(&own, (canary, baseline), &other, &of);
                assert_eq!(taken.split == other.split, same, "{canary} of {baseline}");
                taken.update(&own, arms.0, arms.1).unwrap();
                alone.update(&own, arms.0, arms.1).unwrap();
                assert_eq!(taken, alone);
            }
        }
    }
}
