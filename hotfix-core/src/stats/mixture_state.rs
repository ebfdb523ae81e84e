//! State of the tests over a [`Mixture`], those of counts and of proportions, and its document.

use super::grid::{self, Grid};
use super::mixture::Mixture;
use super::{Bounds, Evidence, MAX_GRID, StatError, Totals, Watch};
use serde::{Deserialize, Serialize};

/// Terms, totals and decision of one test; its methods take the mixture that it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SavedState", into = "SavedState")]
pub(super) struct MixtureState {
    /// `l_j`; negative infinity in unused places.
    pub(super) terms: [f64; MAX_GRID],
    pub(super) totals: Totals,
    pub(super) watch: Watch,
    /// Ticks so far; stays 0 without a horizon.
    ticks: u32,
    design: u32,
}

impl MixtureState {
    pub(super) fn new(mixture: &Mixture, design: u32) -> Self {
        Self {
            terms: mixture.start(),
            totals: Totals::default(),
            watch: Watch::START,
            ticks: 0,
            design,
        }
    }

    /// Checks that this state was made for the design, and has as many terms as its grid.
    pub(super) fn check(&self, mixture: &Mixture, design: u32) -> Result<(), StatError> {
        if grid::used(&self.terms).len() != mixture.grid.len {
            return Err(StatError::DesignMismatch);
        }
        self.check_design(design)
    }

    #[inline]
    pub(super) fn check_design(&self, design: u32) -> Result<(), StatError> {
        if self.design == design { Ok(()) } else { Err(StatError::DesignMismatch) }
    }

    pub(super) const fn moved_to(&self, design: u32) -> Self {
        Self { design, ..*self }
    }

    #[inline]
    pub(super) fn open_tick(&mut self, mixture: &Mixture) {
        mixture.open_tick(&mut self.ticks, &mut self.terms);
    }

    /// Adds a tick's gains after temper and cap; returns whether the test has decided.
    pub(super) fn add(&mut self, mixture: &Mixture, gains: [f64; MAX_GRID]) -> bool {
        for (term, gain) in self.terms.iter_mut().zip(gains) {
            *term += mixture.limits.of(gain);
        }
        self.evaluate(mixture, mixture.bound(&self.terms))
    }

    /// Updates maximum and decision from the lower bound of the evidence; whether it has decided.
    #[inline]
    pub(super) fn evaluate(&mut self, mixture: &Mixture, lower: f64) -> bool {
        let (slack, threshold) = (mixture.slack(), mixture.limits.threshold);
        self.watch = self.watch.evaluated(lower, slack, threshold, || self.log_e(mixture));
        self.watch.decided
    }

    pub(super) fn log_e(&self, mixture: &Mixture) -> f64 {
        mixture.log_e(&self.terms, self.ticks)
    }

    #[inline]
    pub(super) fn bounds(&self, mixture: &Mixture) -> Bounds {
        mixture.bounds(&self.terms, self.ticks)
    }

    pub(super) fn evidence(&self, mixture: &Mixture) -> Evidence {
        self.watch.evidence(self.log_e(mixture), self.totals.ratio())
    }
}

/// Public methods of a test over a [`Mixture`]: those of its design, and those of its state, which
/// has a [`MixtureState`] in the field `$state`.
macro_rules! over_mixture {
    ($design:ident, $test:ident.$state:tt) => {
        impl $design {
            /// The same test with another cap and another threshold, each as in the settings.
            ///
            /// States of this design are valid for the result, too, so evidence is carried over
            /// phases whose calibration differs. A decision that was made stays.
            ///
            /// # Errors
            /// [`StatError`](super::StatError) if the cap or the threshold is out of range.
            pub fn with_limits(
                &self,
                cap: Option<f64>,
                threshold: Option<f64>,
            ) -> Result<Self, $crate::stats::StatError> {
                Ok(Self { mixture: self.mixture.with_limits(cap, threshold)?, ..self.clone() })
            }

            /// Most log evidence that a tick may add to a term; None without a cap.
            pub fn cap(&self) -> Option<f64> {
                self.mixture.limits.cap()
            }

            /// What the test is to show.
            pub const fn direction(&self) -> $crate::stats::Direction {
                self.mixture.hypothesis.direction
            }

            /// The log evidence that decides: `ln(1/α)` unless the settings name another.
            pub const fn threshold(&self) -> f64 {
                self.mixture.limits.threshold
            }

            /// The ratio at the edge of the null: `r0` for worse, `d` for better.
            pub const fn null_ratio(&self) -> f64 {
                self.mixture.hypothesis.null_ratio
            }
        }

        impl $test {
            /// Log of the e-value, exact; 0 without data.
            pub fn log_e(&self, design: &$design) -> f64 {
                self.$state.log_e(&design.mixture)
            }

            /// Lower bound of [`log_e`](Self::log_e): `max_j (ln w_j + l_j)`, or the logarithm of
            /// the cash if that is more. `log_e` is above it by at most `ln J`, with a horizon by
            /// `ln (J + 1)`.
            #[inline]
            pub fn log_e_bound(&self, design: &$design) -> f64 {
                self.bounds(design).lower
            }

            /// Lower and upper bound of [`log_e`](Self::log_e), which are enough for most ticks.
            #[inline]
            pub fn bounds(&self, design: &$design) -> $crate::stats::Bounds {
                self.$state.bounds(&design.mixture)
            }

            /// `min(1, 1/max E)` from the running maximum of the bound: valid at every evaluation.
            pub fn p_value(&self) -> f64 {
                self.$state.watch.p_value()
            }

            /// Whether the evidence has ever reached the threshold.
            pub fn decided(&self) -> bool {
                self.$state.watch.decided
            }

            /// Estimated canary rate over baseline rate, see [`Totals::ratio`](super::Totals::ratio).
            pub fn ratio(&self) -> Option<f64> {
                self.$state.totals.ratio()
            }

            /// Counts of both arms in the ticks that were compared so far.
            pub fn totals(&self) -> &$crate::stats::Totals {
                &self.$state.totals
            }

            /// The evidence as a verdict reports it.
            pub fn evidence(&self, design: &$design) -> $crate::stats::Evidence {
                self.$state.evidence(&design.mixture)
            }
        }
    };
}
pub(super) use over_mixture;

/// The state as a document. Version 2 counts ticks, which version 1 did not know; a state without a
/// horizon stays one of version 1, so that releases before version 2 read it.
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

impl From<MixtureState> for SavedState {
    fn from(state: MixtureState) -> Self {
        Self {
            version: if state.ticks == 0 { 1 } else { 2 },
            design: state.design,
            terms: grid::used(&state.terms).to_vec(),
            totals: state.totals,
            highest: state.watch.highest,
            decided: state.watch.decided,
            ticks: (state.ticks > 0).then_some(state.ticks),
        }
    }
}

impl TryFrom<SavedState> for MixtureState {
    type Error = StatError;

    fn try_from(read: SavedState) -> Result<Self, StatError> {
        let ticks = match (read.version, read.ticks) {
            (1, None) => 0,
            (2, Some(ticks)) if ticks > 0 => ticks,
            (1 | 2, _) => return Err(StatError::BadState { what: "ticks" }),
            (version, _) => return Err(StatError::StateVersion { version }),
        };
        read.totals.check()?;
        Ok(Self {
            terms: Grid::terms_from(&read.terms)?,
            totals: read.totals,
            watch: Watch::restored(read.highest, read.decided)?,
            ticks,
            design: read.design,
        })
    }
}
