//! Fixed-horizon tests and intervals, each with its effect size.
//!
//! A test of this module keeps its error probability for *one* analysis, planned in advance: the
//! end of a phase, a comparison of two recorded windows. It does not with repeated interim
//! analyses; for these use [`rate_ratio`](super::rate_ratio) and the other sequential tests. A
//! p-value is a number from 0 to 1, never NaN; a result also has an effect size, because with
//! enough data an irrelevant difference is significant too.
//!
//! | function | compares | null hypothesis |
//! |---|---|---|
//! | [`mann_whitney_u`], [`mann_whitney_from_counts`] | samples, histograms | neither is larger |
//! | [`hodges_lehmann`] | samples | estimate and interval of the shift |
//! | [`ks_2samp`], [`ks_from_counts`] | samples, histograms | one distribution |
//! | [`fisher_exact`] | proportions | one rate |
//! | [`poisson_ratio`] | counts with exposure | the ratio of the rates is a given one |
//! | [`non_inferiority`], [`equivalence`] | proportions | worse by the margin; apart by it |
//! | [`clopper_pearson`], [`newcombe`] | proportions | intervals for an arm, and for the difference |
//!
//! Tails of discrete distributions are sums of positive terms from Loader's saddle-point form
//! (`distribution.rs`), so that no digits cancel: relative errors stay below 1e-10, and 1e-8 from a
//! million trials on, down to p-values of 1e-280.

use serde::{Deserialize, Deserializer, Serialize};

use super::distribution::{Law, lower_tail, no_likelier, upper_tail};
use super::{Counts, StatError};
use crate::grade::closed_set;

mod fisher;
mod hodges_lehmann;
mod kolmogorov;
mod kolmogorov_smirnov;
mod mann_whitney;
mod margin;
mod poisson;
mod proportion;
mod sample;

pub use fisher::{Fisher, fisher_exact};
#[cfg(feature = "kayenta")]
pub(crate) use hodges_lehmann::Differences;
pub use hodges_lehmann::{Shift, hodges_lehmann};
pub use kolmogorov_smirnov::{KolmogorovSmirnov, ks_2samp, ks_from_counts};
pub use mann_whitney::{MannWhitney, mann_whitney_from_counts, mann_whitney_u};
pub use margin::{Equivalence, NonInferiority, Scale, equivalence, non_inferiority};
pub use poisson::{PoissonRatio, poisson_ratio};
pub use proportion::{clopper_pearson, newcombe};

closed_set! {
    /// Which departure from the null hypothesis counts.
    ///
    /// ```
    /// use hotfix_core::stats::fixed::Alternative;
    /// assert_eq!(serde_json::to_string(&Alternative::TwoSided).expect("writes"), "\"two-sided\"");
    /// ```
    #[derive(Default)]
    Alternative {
        /// Either direction.
        #[default]
        TwoSided = "two-sided",
        /// The first argument is less: its values, its rate.
        Less = "less",
        /// The first argument is greater. [`ks_2samp`] says it of the distribution function, as
        /// `SciPy`.
        Greater = "greater",
    }
    /// How a p-value is computed.
    #[derive(Default)]
    Method {
        /// Exact where that is cheap, asymptotic otherwise; each test says where.
        #[default]
        Auto = "auto",
        /// An approximation for large samples.
        Asymptotic = "asymptotic",
        /// From the law itself.
        Exact = "exact",
    }
    /// A property of the data that the reader of a p-value should know.
    Assumption {
        /// Some values are equal: ranks are shared, and the variance is corrected for it.
        Ties = "ties",
        /// All values are equal, so nothing can be inferred: `p = 1`.
        AllEqual = "all_equal",
        /// The normal approximation was used although an arm has at most 8 values.
        FewSamples = "few_samples",
        /// Values are known up to their bucket only: differences within a bucket are not seen.
        Binned = "binned",
        /// An expected count is below 5: only exact tests hold.
        SmallExpected = "small_expected",
        /// An arm has no events, or nothing but events: an estimate is at the edge of its range.
        Sparse = "sparse",
    }
}

/// A set of [`Assumption`]s; on the wire a list in their order.
///
/// ```
/// use hotfix_core::stats::Counts;
/// use hotfix_core::stats::fixed::{Alternative, Assumption, fisher_exact};
/// let none = Counts::new(0.0, 1000.0);
/// let test = fisher_exact(none, Counts::new(9.0, 9000.0), Alternative::TwoSided)?;
/// assert!(test.assumptions.contains(Assumption::Sparse));
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<Assumption>", into = "Vec<Assumption>")]
pub struct Assumptions(u8);

impl Assumptions {
    /// None found.
    pub const NONE: Self = Self(0);

    /// Whether the set has this one.
    pub const fn contains(self, one: Assumption) -> bool {
        self.0 & (1 << one as u8) != 0
    }

    /// The members, in order.
    pub fn iter(self) -> impl Iterator<Item = Assumption> {
        Assumption::ALL.iter().copied().filter(move |one| self.contains(*one))
    }

    /// As bits, the n-th for the n-th of [`Assumption::ALL`].
    pub const fn bits(self) -> u8 {
        self.0
    }

    const fn with(self, one: Assumption, found: bool) -> Self {
        Self(self.0 | ((found as u8) << one as u8))
    }
}

impl From<Vec<Assumption>> for Assumptions {
    fn from(list: Vec<Assumption>) -> Self {
        list.into_iter().fold(Self::NONE, |set, one| set.with(one, true))
    }
}

impl From<Assumptions> for Vec<Assumption> {
    fn from(set: Assumptions) -> Self {
        set.iter().collect()
    }
}

/// What an exact test checks of an arm: whole numbers in range, and that there are trials.
fn check_whole(what: &'static str, counts: Counts) -> Result<(), StatError> {
    counts.check()?;
    for value in [counts.events, counts.trials] {
        if value.fract() != 0.0 {
            return Err(StatError::NotWhole { what, value });
        }
    }
    check_trials(what, counts)
}

fn check_trials(what: &'static str, counts: Counts) -> Result<(), StatError> {
    if counts.trials > 0.0 { Ok(()) } else { Err(StatError::NoTrials { what }) }
}

/// The properties of two arms' counts: a small expected count, an arm at the edge.
fn of_arms(canary: Counts, baseline: Counts) -> Assumptions {
    let events = canary.events + baseline.events;
    let trials = canary.trials + baseline.trials;
    let rarer = super::numeric::smaller(events, trials - events);
    let smaller = super::numeric::smaller(canary.trials, baseline.trials);
    let at_edge = |arm: Counts| arm.events == 0.0 || arm.events == arm.trials;
    Assumptions::NONE
        .with(Assumption::SmallExpected, rarer * (smaller / trials) < 5.0)
        .with(Assumption::Sparse, at_edge(canary) || at_edge(baseline))
}

/// The p-value of an outcome: its chance and that of those further out, 0 to 1.
fn p_value(law: &impl Law, x: f64, alternative: Alternative) -> f64 {
    let chance = match alternative {
        Alternative::Greater => upper_tail(law, x),
        Alternative::Less => lower_tail(law, x),
        Alternative::TwoSided => no_likelier(law, x),
    };
    chance.clamp(0.0, 1.0)
}

/// Reads a ratio in which null means infinite; an undefined one is left out of a document.
fn null_is_infinite<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    super::interval::null_is_infinite(from).map(Some)
}
