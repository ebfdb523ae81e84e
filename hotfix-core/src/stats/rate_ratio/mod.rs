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

mod design;

pub use design::{DEFAULT_GRID, DEFAULT_WEIGHTS, RateRatioDesign, RateRatioSettings};

use super::grid;
use super::mixture::{Mixture, SHORT};
use super::mixture_state::{MixtureState, over_mixture};
use super::numeric::{largest, ln, ln1p};
use super::{Counts, MAX_GRID, StatError, Totals, check_both};
use serde::{Deserialize, Serialize};

/// The evidence of one rate-ratio test: plain data of at most 256 bytes, cheap to copy.
///
/// Every method that computes takes the design that the state was made for. Counts of ticks in
/// which an arm has no trials are left out altogether; ticks without events add trials and no
/// evidence. See [`RateRatioDesign`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "MixtureState", into = "MixtureState")]
pub struct RateRatio {
    state: MixtureState,
    /// `ln1p((g_j - 1) π)` for the split below.
    losses: [f64; MAX_GRID],
    /// Trials of the last tick with events, and the share `π` that they give; zero at the start.
    split: (f64, f64, f64),
}

impl From<MixtureState> for RateRatio {
    /// The logarithms are computed again from the next tick.
    fn from(state: MixtureState) -> Self {
        Self { state, losses: [0.0; MAX_GRID], split: (0.0, 0.0, 0.0) }
    }
}

impl From<RateRatio> for MixtureState {
    fn from(test: RateRatio) -> Self {
        test.state
    }
}

impl RateRatio {
    /// No data yet: `E = 1`.
    pub fn new(design: &RateRatioDesign) -> Self {
        MixtureState::new(&design.mixture, design.id).into()
    }

    /// Checks that a state, such as one read from a document, was made for this design; otherwise it is
    /// [`StatError::DesignMismatch`].
    pub fn check(&self, design: &RateRatioDesign) -> Result<(), StatError> {
        self.state.check(&design.mixture, design.id)
    }

    /// Takes in one tick and says whether the test has decided, now or before.
    ///
    /// # Errors
    /// The state is unchanged. [`StatError`] for counts that are not finite, negative or too large,
    /// or for another design's state. More events than trials are accepted, because trials may be
    /// an exposure; check proportions with [`Counts::check_proportion`].
    #[inline]
    pub fn update(
        &mut self,
        design: &RateRatioDesign,
        canary: Counts,
        baseline: Counts,
    ) -> Result<bool, StatError> {
        check_both(canary, baseline)?;
        self.state.check_design(design.id)?;
        Ok(if design.mixture.plain {
            self.tick::<true>(design, canary, baseline)
        } else {
            self.tick_in_full(design, canary, baseline)
        })
    }

    /// A tick with temper, cap or horizon; out of line, to keep the plain test short.
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
    ///     RateRatioSettings}};
    /// let design = RateRatioDesign::try_new(&RateRatioSettings::default())?;
    /// let (phones, desks) = (
    ///     (Counts::new(30.0, 900.0), Counts::new(33.0, 1000.0)),
    ///     (Counts::new(0.0, 100.0), Counts::new(8.0, 8000.0)),
    /// );
    /// let (mut test, mut sums) = (RateRatio::new(&design), RateRatio::new(&design));
    /// // Phones fail more often in both versions, and the canary has most of them.
    /// assert!(!test.update_strata(&design, &[phones, desks])?);
    /// assert!(sums.update(&design, Counts::new(30.0, 1000.0), Counts::new(41.0, 9000.0))?);
    /// # Ok::<(), hotfix_core::stats::StatError>(())
    /// ```
    pub fn update_strata(
        &mut self,
        design: &RateRatioDesign,
        strata: &[(Counts, Counts)],
    ) -> Result<bool, StatError> {
        if let [(canary, baseline)] = strata {
            return self.update(design, *canary, *baseline);
        }
        self.update_allowing(design, strata, 1.0)
    }

    /// Takes in one tick in which the canary may be `allowed` times as bad as is tolerated, such as
    /// while its instances are new: only what is worse counts, and no ratio up to `allowed` is bet
    /// on. Given that the canary is no worse, the mean of `E` is at most 1, as long as `allowed`
    /// does not depend on the tick's counts. With 1 it is [`update_strata`](Self::update_strata).
    ///
    /// # Errors
    /// As for [`update`](Self::update), and [`StatError`] for `allowed` below 1 or not finite, or
    /// above 1 in a test of better; the state is then unchanged.
    ///
    /// ```
    /// use hotfix_core::stats::{Counts, rate_ratio::{RateRatio, RateRatioDesign,
    ///     RateRatioSettings}};
    /// let design = RateRatioDesign::try_new(&RateRatioSettings::default())?;
    /// let mut test = RateRatio::new(&design);
    /// // Seven times as many errors: no evidence while ten times as many are allowed.
    /// let tick = [(Counts::new(7.0, 100.0), Counts::new(10.0, 1000.0))];
    /// test.update_allowing(&design, &tick, 10.0)?;
    /// assert!(test.log_e(&design) < 0.0);
    /// test.update_allowing(&design, &tick, 1.0)?;
    /// assert!(test.log_e(&design) > 4.0);
    /// # Ok::<(), hotfix_core::stats::StatError>(())
    /// ```
    pub fn update_allowing(
        &mut self,
        design: &RateRatioDesign,
        strata: &[(Counts, Counts)],
        allowed: f64,
    ) -> Result<bool, StatError> {
        for (canary, baseline) in strata {
            canary.check()?;
            baseline.check()?;
        }
        design.mixture.check_allowed(allowed)?;
        self.state.check_design(design.id)?;
        let mixture = &design.mixture;
        self.state.open_tick(mixture);
        let ln_allowed = ln(allowed);
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
            let of_allowed = canary.events * ln_allowed - events * ln1p((allowed - 1.0) * share);
            for (j, gain) in gains.iter_mut().enumerate() {
                if mixture.bets(j, allowed) {
                    *gain += canary.events * mixture.grid.ln_ratio[j] - events * losses[j];
                    *gain -= of_allowed;
                }
            }
        }
        self.state.totals.add(sum.canary, sum.baseline);
        Ok(if any { self.state.add(mixture, gains) } else { self.decided() })
    }

    /// Adds another state's evidence: log evidence and totals are those of one state fed with both.
    ///
    /// The running maximum and the decision are those of `self` and of the sum; those of `other`
    /// are dropped. A cap has been applied to the ticks of each.
    ///
    /// # Errors
    /// [`StatError`] if the states belong to another design, or the test
    /// has a horizon, as its evidence depends on the order of the ticks.
    pub fn merge(&mut self, design: &RateRatioDesign, other: &Self) -> Result<bool, StatError> {
        self.state.check_design(design.id)?;
        other.state.check_design(design.id)?;
        if design.mixture.horizon().is_some() {
            return Err(StatError::NotMergeable { of: "a test with a horizon" });
        }
        let Self { state, .. } = self;
        for (term, more) in state.terms.iter_mut().zip(other.state.terms) {
            *term += more;
        }
        state.totals.add(other.state.totals.canary, other.state.totals.baseline);
        Ok(state.evaluate(&design.mixture, design.mixture.bound(&state.terms)))
    }

    /// Whether this state was made for the design, whatever its limits.
    pub(super) fn check_design(&self, design: &RateRatioDesign) -> Result<(), StatError> {
        self.state.check_design(design.id)
    }

    /// The same evidence under another design, whose ratios are the same.
    pub(super) fn moved_to(&self, design: &RateRatioDesign) -> Self {
        Self { state: self.state.moved_to(design.id), ..*self }
    }

    /// Adds one tick of checked counts; `PLAIN` without temper, cap and horizon.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the plain test is one function with its checks")]
    fn tick<const PLAIN: bool>(
        &mut self,
        design: &RateRatioDesign,
        canary: Counts,
        baseline: Counts,
    ) -> bool {
        if !PLAIN {
            self.state.open_tick(&design.mixture);
        }
        if canary.trials == 0.0 || baseline.trials == 0.0 {
            return self.state.watch.decided;
        }
        self.state.totals.add(canary, baseline);
        let events = canary.events + baseline.events;
        if events == 0.0 {
            return self.state.watch.decided;
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
        self.state.evaluate(&design.mixture, lower)
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

    /// Copies another state of the same design without the logarithms of its split, which the next
    /// tick recomputes if it has to: half as much to copy.
    #[inline]
    pub(crate) fn take_over(&mut self, of: &Self) {
        self.state = of.state;
    }

    /// Copies the logarithms of the split of the next tick from another test with the same ratios,
    /// if that has computed them. Results keep their bits.
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
        canary_events: f64,
        events: f64,
    ) -> f64 {
        // Unused places hold negative infinity and stay there.
        let Mixture { grid, limits, .. } = &design.mixture;
        let mut weighted = [0.0; N];
        for (j, weighted) in weighted.iter_mut().enumerate() {
            let gain = canary_events * grid.ln_ratio[j] - events * self.losses[j];
            self.state.terms[j] += if PLAIN { gain } else { limits.of(gain) };
            *weighted = self.state.terms[j] + grid.ln_weight[j];
        }
        largest(&weighted)
    }
}

over_mixture! { RateRatioDesign, RateRatio.state }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::numeric::exp;

    /// The mean of `E` after one tick of `events` in both arms, where the canary's rate is `ratio`
    /// times the baseline's: over all ways in which the events may fall.
    fn mean(design: &RateRatioDesign, events: u32, ratio: f64, allowed: f64) -> f64 {
        let (canary, baseline) = (100.0, 700.0);
        let share = ratio * canary / (ratio * canary + baseline);
        let (mut mean, mut ways) = (0.0, 1.0);
        for of_canary in 0..=events {
            let rest = f64::from(events - of_canary);
            let (x, mut test) = (f64::from(of_canary), RateRatio::new(design));
            let tick = (Counts::new(x, canary), Counts::new(rest, baseline));
            test.update_allowing(design, &[tick], allowed).unwrap();
            let ln_chance = x * ln(share) + rest * ln(1.0 - share);
            mean += ways * exp(ln_chance + test.log_e(design));
            ways *= rest / (x + 1.0);
        }
        mean
    }

    #[test]
    fn stat_1_what_is_allowed_is_no_evidence() {
        for tolerated in [1.0, 1.25] {
            let settings = RateRatioSettings { tolerated, ..RateRatioSettings::default() };
            let design = RateRatioDesign::try_new(&settings).unwrap();
            for allowed in [1.0, 1.5, 4.3, 10.0, 30.0] {
                for events in [1, 2, 5, 12, 40] {
                    let edge = tolerated * allowed;
                    let here = mean(&design, events, edge, allowed);
                    assert!((here - 1.0).abs() < 1e-9, "{here} at {edge}, {events} events");
                    for lower in [0.3, 0.9, 1.0] {
                        let below = mean(&design, events, edge * lower, allowed);
                        assert!(below <= 1.0 + 1e-9, "{below} at {lower} of {edge}");
                    }
                    let above = mean(&design, events, edge * 1.5, allowed);
                    let bets = allowed < 20.0;
                    assert_eq!(above > 1.0 + 1e-12, bets, "{above} above {edge}, {events} events");
                }
            }
        }
    }

    #[test]
    fn stat_1_a_tick_that_allows_nothing_more_is_any_tick() {
        let design = RateRatioDesign::try_new(&RateRatioSettings::default()).unwrap();
        let strata = [
            (Counts::new(3.0, 101.0), Counts::new(2.0, 899.0)),
            (Counts::new(0.0, 10.0), Counts::new(1.0, 50.0)),
        ];
        let (mut one, mut other) = (RateRatio::new(&design), RateRatio::new(&design));
        one.update_strata(&design, &strata).unwrap();
        other.update_allowing(&design, &strata, 1.0).unwrap();
        assert_eq!(one, other);
        let before = one;
        for allowed in [0.9, 0.0, -1.0, 2e6, f64::NAN, f64::INFINITY] {
            let refused = one.update_allowing(&design, &strata, allowed).unwrap_err();
            assert_eq!(refused.code(), "HF-STAT-030", "{allowed}");
            assert_eq!(one, before);
        }
        let better = RateRatioDesign::try_new(&RateRatioSettings::better(2.0)).unwrap();
        let mut test = RateRatio::new(&better);
        assert!(test.update_allowing(&better, &strata, 2.0).is_err());
        assert!(test.update_allowing(&better, &strata, 1.0).is_ok());
    }

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
