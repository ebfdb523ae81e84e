//! The joint bet: one factor a tick from all buckets at once, for 'no slower at all'.
//!
//! Boundaries cut times into buckets `k = 0..=B`, slower ones last. A tick has `n_c` and `n_b`
//! requests, `x_ck` and `x_bk` of them in bucket `k`, and `w = n_c/(n_c + n_b)`. Take numbers `ρ_0
//! ≤ ρ_1 ≤ … ≤ ρ_B`, all above zero, from what was known before the tick's times were, and multiply
//! by
//!
//! ```text
//! Π_k f_k^{x_ck} g_k^{x_bk},   f_k = ρ_k/(w ρ_k + 1 - w),   g_k = 1/(w ρ_k + 1 - w)
//! ```
//!
//! The mean of this factor is at most 1 for independent requests where the canary is stochastically
//! no slower, whatever the distributions (proof: `docs/statistics.md`, A3). Times that depend on
//! each other within a tick are not covered: see the clustered mode, and the cap.
//!
//! Sixteen alternatives, each a shape that is fitted to the pooled shares of *past* ticks of both
//! arms, `s_k` the share slower than boundary `k`:
//!
//! | shape | `ρ_k` up to a factor | what it finds |
//! |---|---|---|
//! | odds of being slower times `o`, at every boundary | `o/((1 + s_{k-1} e)(1 + s_k e))`, `e = o - 1` | everything slower by a factor |
//! | stretch of the tail | `((s_{k-1} + s_k)/2)^{-1/4}` | the slower, the more so |
//! | a share `ε` of all requests comes to be beyond boundary `j` | `1 - ε`, beyond `j` `1 - ε + ε/s_j` | some requests much slower |
//! | the share beyond `j` grows by a factor | the same with `ε` from `s_j` | a rare tail that grows |
//! | some beyond `j`, in equal parts in each of the `i` buckets beyond | `1 - ε`, beyond `j` `1 - ε + ε/(i (s_{k-1} - s_k))` | the same, however far |
//!
//! Where a slower bucket's `ρ` would be less, it is raised to that of the one before. The factor
//! makes the pooled mean of `f` 1, which is where such a bet grows fastest (Kelly): a few steps of
//! Newton's method, from the left. Shapes and factors affect power only, so they are kept until the
//! pooled trials have grown by a quarter or the split is quite another; so a tick takes no powers,
//! divisions or logarithms but those of its split, and none where that is the one of the tick
//! before.

use super::{MAX_BOUNDARIES, SlowCounts};
use crate::stats::Bounds;
use crate::stats::numeric::{
    is_near_zero, larger, largest, ln, ln1p_each, ln1p_near_zero, log_mean_exp, smaller,
};
use serde::{Deserialize, Serialize};

/// Buckets that a state has room for.
const MAX_BUCKETS: usize = MAX_BOUNDARIES + 1;
/// Alternatives; a power of two for the sums.
pub(super) const ALTERNATIVES: usize = 16;
/// Largest share of all requests that [`Shape::Times`] moves beyond its boundary.
const MOST_MOVED: f64 = 0.2;
/// Pooled trials grow by this factor before the alternatives are fitted again.
const GROWTH: f64 = 1.25;
/// The odds of the split change by this factor before the alternatives are fitted again.
const OTHER_SPLIT: f64 = 1.5;
/// Floor of the share of requests in a bucket.
const LEAST_WITHIN: f64 = 1e-18;
/// Steps of Newton's method: quadratic, from a start that is exact for a small canary.
const STEPS: usize = 4;

/// How the canary's times differ from the baseline's under an alternative.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// The odds of being slower than a boundary are multiplied by this, at every boundary.
    Odds(f64),
    /// A bucket's chance is multiplied by its share of slower requests to the power -1/4.
    Stretch,
    /// This share of all requests moves beyond a boundary.
    Beyond(f64, At),
    /// This share of all requests moves beyond a boundary, in equal parts to each bucket there.
    Spread(f64, At),
    /// The share beyond a boundary is multiplied by this.
    Times(f64, At),
}

/// The boundary of a shape, found from past shares, because a policy may set any boundaries.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    /// The one whose share of slower requests is nearest to this, as a ratio.
    Share(f64),
    /// The last.
    Last,
}

/// The alternatives with their weights; found by search, see `docs/decisions/latency-test.md`.
const SHAPES: [(Shape, f64); ALTERNATIVES] = [
    (Shape::Odds(1.22), 0.14),
    (Shape::Odds(1.65), 0.1),
    (Shape::Odds(3.7), 0.07),
    (Shape::Odds(13.5), 0.03),
    (Shape::Stretch, 0.05),
    (Shape::Beyond(0.1, At::Share(0.1)), 0.03),
    (Shape::Beyond(0.05, At::Share(0.05)), 0.25),
    (Shape::Beyond(0.02, At::Share(0.025)), 0.05),
    (Shape::Beyond(0.035, At::Share(0.01)), 0.05),
    (Shape::Beyond(0.012, At::Share(0.01)), 0.05),
    (Shape::Beyond(0.005, At::Share(0.01)), 0.03),
    (Shape::Spread(0.04, At::Share(0.01)), 0.06),
    (Shape::Spread(0.01, At::Share(0.01)), 0.04),
    (Shape::Beyond(0.01, At::Share(0.002)), 0.01),
    (Shape::Times(4.0, At::Last), 0.02),
    (Shape::Times(20.0, At::Last), 0.02),
];

/// The weights, one an alternative.
pub(super) const WEIGHTS: [f64; ALTERNATIVES] = {
    let mut weights = [0.0; ALTERNATIVES];
    let mut j = 0;
    while j < ALTERNATIVES {
        weights[j] = SHAPES[j].1;
        j += 1;
    }
    weights
};

/// Bounds and value of the evidence from the terms of the weighted alternatives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stakes {
    ln_weight: [f64; ALTERNATIVES],
    /// `ln E` is never above its lower bound by more.
    pub(super) slack: f64,
}

impl Stakes {
    pub(super) fn new() -> Self {
        Self { ln_weight: WEIGHTS.map(ln), slack: ln(ALTERNATIVES as f64) }
    }

    /// `max_j (ln w_j + l_j)` and `max_j l_j`.
    #[inline]
    pub(super) fn bounds(&self, terms: &[f64; ALTERNATIVES]) -> Bounds {
        let mut weighted = self.ln_weight;
        for (weighted, term) in weighted.iter_mut().zip(terms) {
            *weighted += term;
        }
        Bounds { lower: largest(&weighted), upper: largest(terms) }
    }

    /// `ln E`, exact.
    pub(super) fn log_e(terms: &[f64; ALTERNATIVES]) -> f64 {
        log_mean_exp(terms, &WEIGHTS)
    }
}

/// What the alternatives were last fitted to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fit {
    /// Pooled requests slower than each boundary, with the prior's.
    pub(super) slow: [f64; MAX_BOUNDARIES],
    /// Pooled requests, with the prior's; zero before the first tick.
    pub(super) trials: f64,
    /// The canary's share of the requests in the tick at which they were fitted.
    pub(super) share: f64,
}

impl Fit {
    /// Before the first tick.
    pub(super) const NONE: Self = Self { slow: [0.0; MAX_BOUNDARIES], trials: 0.0, share: 0.0 };

    fn is_stale(&self, trials: f64, share: f64) -> bool {
        let odds = |a: f64, b: f64| a * (1.0 - b);
        let (up, down) = (odds(share, self.share), odds(self.share, share));
        !(trials < GROWTH * self.trials && up <= OTHER_SPLIT * down && down <= OTHER_SPLIT * up)
    }
}

/// The alternatives as fitted: what a tick needs of them.
#[derive(Clone, Copy, educe::Educe, Serialize)]
#[educe(Debug, PartialEq)]
#[serde(transparent)]
pub(super) struct Joint {
    pub(super) fit: Fit,
    /// `ρ_k - 1` by bucket and alternative.
    #[serde(skip)]
    excess: [[f64; ALTERNATIVES]; MAX_BUCKETS],
    /// `ln ρ_k`.
    #[serde(skip)]
    ln_ratio: [[f64; ALTERNATIVES]; MAX_BUCKETS],
    /// The least and the most `ρ_k - 1` of each bucket.
    #[serde(skip)]
    range: [(f64, f64); MAX_BUCKETS],
    /// A cache that follows from the rest, so states are equal with it or without it.
    #[educe(Debug(ignore), PartialEq(ignore))]
    #[serde(skip)]
    of_split: OfSplit,
}

/// `ln(1 + w (ρ_k - 1))` of the last split, kept while the split is the same.
#[derive(Clone, Copy)]
struct OfSplit {
    /// `w`; zero where nothing is kept.
    share: f64,
    /// Whether the bucket's logarithms were computed: its first requests need them.
    known: [bool; MAX_BUCKETS],
    logs: [[f64; ALTERNATIVES]; MAX_BUCKETS],
}

impl OfSplit {
    const NONE: Self =
        Self { share: 0.0, known: [false; MAX_BUCKETS], logs: [[0.0; ALTERNATIVES]; MAX_BUCKETS] };
}

impl Joint {
    /// Not fitted yet.
    pub(super) const NEW: Self = Self {
        fit: Fit::NONE,
        excess: [[0.0; ALTERNATIVES]; MAX_BUCKETS],
        ln_ratio: [[0.0; ALTERNATIVES]; MAX_BUCKETS],
        range: [(0.0, 0.0); MAX_BUCKETS],
        of_split: OfSplit::NONE,
    };

    /// Copies another state of the same test, with as many boundaries, if it was fitted at another
    /// time: the tables follow from the fit, and pooled trials only grow.
    pub(super) fn take_over(&mut self, of: &Self) {
        if (self.fit.trials, self.fit.share) != (of.fit.trials, of.fit.share) {
            *self = *of;
        }
    }

    /// The alternatives fitted to `fit`, as read from a document.
    pub(super) fn fitted(fit: Fit, boundaries: usize) -> Self {
        let mut this = Self { fit, ..Self::NEW };
        if fit.trials > 0.0 {
            this.tabulate(boundaries);
        }
        this
    }

    /// The gain of each alternative from one tick with trials in both arms. `pooled` returns the
    /// past requests of both arms, with the prior's: those slower than each boundary, and all.
    #[inline]
    pub(super) fn gains(
        &mut self,
        pooled: impl FnOnce() -> ([f64; MAX_BOUNDARIES], f64),
        canary: SlowCounts<'_>,
        baseline: SlowCounts<'_>,
    ) -> [f64; ALTERNATIVES] {
        let boundaries = canary.slow.len();
        let share = canary.trials / (canary.trials + baseline.trials);
        let (slow, trials) = pooled();
        if self.fit.is_stale(trials, share) {
            self.fit = Fit { slow, trials, share };
            self.tabulate(boundaries);
            self.of_split.share = 0.0;
        }
        if self.of_split.share != share {
            self.of_split.share = share;
            self.of_split.known = [false; MAX_BUCKETS];
        }
        let mut gains = [0.0; ALTERNATIVES];
        let (mut left_c, mut left_b) = (canary.trials, baseline.trials);
        let buckets = boundaries + 1;
        for bucket in 0..buckets {
            let is_last = bucket == boundaries;
            let beyond = |arm: SlowCounts<'_>| if is_last { 0.0 } else { arm.slow[bucket] };
            let (slow_c, slow_b) = (beyond(canary), beyond(baseline));
            let (in_c, in_b) = (left_c - slow_c, left_b - slow_b);
            (left_c, left_b) = (slow_c, slow_b);
            if in_c == 0.0 && in_b == 0.0 {
                continue;
            }
            if !self.of_split.known[bucket] {
                self.of_split.known[bucket] = true;
                self.of_split.logs[bucket] = self.logs(bucket, share);
            }
            let logs = &self.of_split.logs[bucket];
            for j in 0..ALTERNATIVES {
                gains[j] += in_c * self.ln_ratio[bucket][j] - (in_c + in_b) * logs[j];
            }
        }
        gains
    }

    /// `ln(1 + w (ρ_k - 1))` of each alternative.
    #[inline]
    fn logs(&self, bucket: usize, share: f64) -> [f64; ALTERNATIVES] {
        let arguments = self.excess[bucket].map(|excess| share * excess);
        let (least, most) = self.range[bucket];
        if is_near_zero(share * least) && is_near_zero(share * most) {
            ln1p_near_zero(&arguments)
        } else {
            ln1p_each(&arguments)
        }
    }

    /// Fits the alternatives to `self.fit`.
    #[cold]
    fn tabulate(&mut self, boundaries: usize) {
        let Fit { slow, trials, share } = self.fit;
        // Shares slower than the lower and the upper edge of each bucket, and in it.
        let mut edges = [(1.0, 0.0); MAX_BUCKETS];
        let mut within = [0.0; MAX_BUCKETS];
        let mut above = 1.0;
        for bucket in 0..=boundaries {
            let below = if bucket < boundaries { slow[bucket] / trials } else { 0.0 };
            edges[bucket] = (above, below);
            within[bucket] = above - below;
            above = below;
        }
        let edges = &edges[..=boundaries];
        let mut ratios = [[1.0; ALTERNATIVES]; MAX_BUCKETS];
        let mut last = None;
        for (j, (shape, _)) in SHAPES.iter().enumerate() {
            let mut of_shape = [1.0; MAX_BUCKETS];
            // Alternatives with the same boundary are next to each other, so that it is found once.
            let first = match (shape.at(), last) {
                (Some(at), Some((known, bucket))) if at == known => bucket,
                (Some(at), _) => at.bucket(edges),
                (None, _) => 0,
            };
            last = shape.at().map(|at| (at, first));
            shape.fill(edges, first, &mut of_shape);
            // Ratios must not fall towards slower buckets: the proof rests on that.
            let mut highest = 0.0;
            for (ratios, ratio) in ratios[..=boundaries].iter_mut().zip(of_shape) {
                highest = larger(highest, ratio);
                ratios[j] = highest;
            }
        }
        let ratios = &ratios[..=boundaries];
        let factors = growth_factors(&within[..=boundaries], ratios, share);
        for (bucket, ratios) in ratios.iter().enumerate() {
            for j in 0..ALTERNATIVES {
                self.excess[bucket][j] = factors[j] * ratios[j] - 1.0;
            }
            self.ln_ratio[bucket] = ln1p_each(&self.excess[bucket]);
            let excess = &self.excess[bucket];
            self.range[bucket] = (-largest(&excess.map(|excess| -excess)), largest(excess));
        }
    }
}

impl Shape {
    /// The boundary of the shape; None if it is about all of them.
    const fn at(self) -> Option<At> {
        match self {
            Self::Odds(_) | Self::Stretch => None,
            Self::Beyond(_, at) | Self::Spread(_, at) | Self::Times(_, at) => Some(at),
        }
    }

    /// The ratios of chances by bucket, up to a factor. `edges` are shares slower than the bucket's
    /// two edges, `first` is the first bucket beyond the shape's boundary.
    fn fill(self, edges: &[(f64, f64)], first: usize, ratios: &mut [f64; MAX_BUCKETS]) {
        match self {
            Self::Odds(odds) => {
                let e = odds - 1.0;
                for (ratio, (lower, upper)) in ratios.iter_mut().zip(edges) {
                    *ratio = odds / ((1.0 + lower * e) * (1.0 + upper * e));
                }
            }
            Self::Stretch => {
                for (ratio, (lower, upper)) in ratios.iter_mut().zip(edges) {
                    *ratio = 1.0 / (0.5 * (lower + upper)).sqrt().sqrt();
                }
            }
            Self::Beyond(share, _) => step(share, first, edges, ratios),
            Self::Times(times, _) => {
                let share = smaller((times - 1.0) * edges[first].0, MOST_MOVED);
                step(share, first, edges, ratios);
            }
            Self::Spread(share, _) => {
                let part = share / (edges.len() - first) as f64;
                for (bucket, (ratio, (lower, upper))) in ratios.iter_mut().zip(edges).enumerate() {
                    // Rounding may leave nothing of what the prior put into each bucket.
                    let within = larger(lower - upper, LEAST_WITHIN);
                    let moved = if bucket < first { 0.0 } else { part / within };
                    *ratio = 1.0 - share + moved;
                }
            }
        }
    }
}

/// The ratios if this share of all requests moves to the buckets from `first` on.
fn step(share: f64, first: usize, edges: &[(f64, f64)], ratios: &mut [f64; MAX_BUCKETS]) {
    let moved = share / edges[first].0;
    for (bucket, ratio) in ratios.iter_mut().enumerate() {
        *ratio = 1.0 - share + if bucket < first { 0.0 } else { moved };
    }
}

impl At {
    /// The first bucket beyond the boundary.
    fn bucket(self, edges: &[(f64, f64)]) -> usize {
        let last = edges.len() - 1;
        match self {
            Self::Last => last,
            Self::Share(wanted) => {
                let miss =
                    |bucket: usize| larger(edges[bucket].0 / wanted, wanted / edges[bucket].0);
                let nearer = |best: (usize, f64), bucket| {
                    let miss = miss(bucket);
                    if miss < best.1 { (bucket, miss) } else { best }
                };
                (1..last).fold((last, miss(last)), nearer).0
            }
        }
    }
}

/// The factor of each alternative that makes its pooled mean of `f` 1. `ratios` are by bucket and
/// alternative.
///
/// That mean is concave in the factor and below 1 at the start (Jensen), so each step of Newton's
/// method comes nearer from below and none beyond.
fn growth_factors(
    within: &[f64],
    ratios: &[[f64; ALTERNATIVES]],
    share: f64,
) -> [f64; ALTERNATIVES] {
    let mut factors = [0.0; ALTERNATIVES];
    for (within, ratios) in within.iter().zip(ratios) {
        for (mean, ratio) in factors.iter_mut().zip(ratios) {
            *mean += within * ratio;
        }
    }
    for factor in &mut factors {
        *factor = 1.0 / *factor;
    }
    for _ in 0..STEPS {
        let (mut values, mut slopes) = ([0.0; ALTERNATIVES], [0.0; ALTERNATIVES]);
        for (within, ratios) in within.iter().zip(ratios) {
            for j in 0..ALTERNATIVES {
                let (factor, ratio) = (factors[j], ratios[j]);
                let inverse = 1.0 / (1.0 - share + share * factor * ratio);
                values[j] += within * factor * ratio * inverse;
                slopes[j] += within * ratio * (1.0 - share) * inverse * inverse;
            }
        }
        for j in 0..ALTERNATIVES {
            // Rounding alone takes it beyond; at a share of 1 there is nothing to bet.
            let step = larger((1.0 - values[j]) / slopes[j], 0.0);
            factors[j] += if step < f64::INFINITY { step } else { 0.0 };
        }
    }
    factors
}
