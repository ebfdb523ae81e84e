//! Where slow requests of the canary are seen: beyond one boundary alone, or in a part of its requests.

use super::stretch::{Axis, Transfer};
use super::tolerance::{ACTS, GROSSLY, Tolerance, ToleranceDesign};
use super::{MAX_BOUNDARIES, SlowCounts, loudest_of};
use crate::stats::numeric::larger;

/// A boundary shows an excess from this many slow requests and this many standard deviations above
/// the expected ones.
const LEAST_EXCESS: (f64, f64) = (2.5, 0.5);
/// More requests than expected from which on some are slow at all.
const LEAST_SLOW: f64 = 1.0;
/// A larger share of the canary's requests is not one client's.
const FEW: f64 = 0.1;

/// How many more of the canary's requests exceed a boundary than if `slow` of the baseline's did, and the
/// standard deviation of that.
fn excess(
    boundary: usize,
    slow: f64,
    canary: SlowCounts<'_>,
    baseline: SlowCounts<'_>,
) -> (f64, f64) {
    let share = slow / baseline.trials;
    let (arms, of_all) = (canary.trials / baseline.trials, canary.trials * share);
    (canary.slow[boundary] - of_all, (of_all * (1.0 - share) * (1.0 + arms)).sqrt())
}

/// Requests of the canary that are slower than the live version's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SlowPart {
    /// They take longer than this.
    pub(crate) above: f64,
    /// The share of the canary's requests that do, and of the baseline's.
    pub(crate) shares: [f64; 2],
    /// How many more of the canary's do than of the stretched baseline's.
    more: f64,
}

impl Tolerance {
    /// Whether all boundaries that show more than is tolerated are within that factor of each
    /// other. Requests of nearly the same time cross them at once, and seem far slower than they
    /// are.
    pub fn hangs_on_a_boundary(&self, canary: SlowCounts<'_>, baseline: SlowCounts<'_>) -> bool {
        let stretched = (&self.fit.transfers[ACTS], self.ln_ratios[ACTS]);
        self.knows(canary, baseline) && hangs_on_a_boundary(&self.axis, stretched, canary, baseline)
    }

    /// The canary's requests beyond the boundary that more of them exceed than of the stretched baseline's, by
    /// the most standard deviations; None where none is exceeded by more.
    pub(crate) fn slow_part(
        &self,
        canary: SlowCounts<'_>,
        baseline: SlowCounts<'_>,
    ) -> Option<SlowPart> {
        if !self.knows(canary, baseline) || canary.trials <= 0.0 || baseline.trials <= 0.0 {
            return None;
        }
        let expected = self.fit.transfers[ACTS].slow(baseline);
        let excess = |boundary: usize| excess(boundary, expected[boundary], canary, baseline);
        let most = loudest_of(self.axis.len, |boundary| {
            let (more, deviation) = excess(boundary);
            more / (1.0 + deviation)
        });
        let (more, deviation) = excess(most);
        let shares = [canary, baseline].map(|arm| arm.slow[most] / arm.trials);
        let part = SlowPart { above: self.axis.times()[most], shares, more };
        (more >= larger(LEAST_SLOW, LEAST_EXCESS.1 * deviation)).then_some(part)
    }

    /// Whether no more than a few of the canary's requests are slower than tolerated, and the others are not:
    /// they may be one client's.
    pub(crate) fn is_slow_in_part(&self, canary: SlowCounts<'_>, baseline: SlowCounts<'_>) -> bool {
        let more = self.slow_part(canary, baseline).map_or(0.0, |part| part.more);
        let mut slow = [0.0; MAX_BOUNDARIES];
        for (others, all) in slow.iter_mut().zip(canary.slow) {
            *others = larger(all - more, 0.0);
        }
        let others = SlowCounts::new(&slow[..canary.slow.len()], canary.trials - more);
        let slowdown = self.slowdown(others, baseline);
        more <= FEW * canary.trials
            && slowdown.is_none_or(|others| others.ln_ratio <= self.ln_ratios[ACTS])
    }

    /// Whether the evidence surely is half of what decides.
    pub(crate) fn is_raised(&self, design: &ToleranceDesign) -> bool {
        let least = 0.5 * design.threshold();
        let bounds = [ACTS, GROSSLY].map(|place| design.stakes.bounds(&self.lanes[place].terms));
        bounds.iter().any(|bounds| bounds.lower >= least)
    }
}

/// Whether all boundaries at which the canary has more slow requests than the `stretched` baseline
/// are within its factor of each other: requests of nearly the same time cross them all at once.
/// False where a boundary shows more than all requests that could have crossed it.
fn hangs_on_a_boundary(
    axis: &Axis,
    (stretched, ln_ratio): (&Transfer, f64),
    canary: SlowCounts<'_>,
    baseline: SlowCounts<'_>,
) -> bool {
    if canary.trials <= 0.0 || baseline.trials <= 0.0 {
        return true;
    }
    let expected = stretched.slow(baseline);
    let exceeds = |boundary: usize, slow: f64| {
        let (excess, deviation) = excess(boundary, slow, canary, baseline);
        excess >= larger(LEAST_EXCESS.0, LEAST_EXCESS.1 * deviation)
    };
    let shown = |boundary: &usize| exceeds(*boundary, expected[*boundary]);
    let first = (0..axis.len).find(shown);
    let last = (0..axis.len).rfind(shown);
    let are_apart = |(first, last): (usize, usize)| axis.ln[last] - axis.ln[first] > ln_ratio;
    let is_certain = |boundary: usize| {
        let from = (0..boundary).rfind(|of| axis.ln[*of] <= axis.ln[boundary] - ln_ratio);
        from.is_some_and(|from| exceeds(boundary, baseline.slow[from]))
    };
    !first.zip(last).is_some_and(are_apart) && !(0..axis.len).any(is_certain)
}
