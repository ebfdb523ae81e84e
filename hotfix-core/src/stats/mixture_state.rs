//! What a [`Mixture`] has accrued: the state of the tests of counts and proportions, and its
//! document.

use super::grid::{self, Grid};
use super::mixture::Mixture;
use super::{Bounds, Evidence, MAX_GRID, StatError, Totals, Watch};
use serde::{Deserialize, Serialize};

/// Terms, totals and decision of one test. What computes takes the mixture it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SavedState", into = "SavedState")]
pub(super) struct MixtureState {
    /// `l_j`; negative infinity in unused places.
    pub(super) terms: [f64; MAX_GRID],
    pub(super) totals: Totals,
    pub(super) watch: Watch,
    /// Ticks so far, with a horizon only.
    ticks: u32,
    /// Fingerprint of the design.
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

    /// Checks that it was made for this design, and has as many terms.
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

    /// Whether two states were made for one design.
    pub(super) fn same_design(&self, other: &Self) -> bool {
        self.design == other.design
            && grid::used(&self.terms).len() == grid::used(&other.terms).len()
    }

    #[inline]
    pub(super) fn open_tick(&mut self, mixture: &Mixture) {
        mixture.open_tick(&mut self.ticks, &mut self.terms);
    }

    /// Adds a tick's gains, as far as its limits go, and says whether that decides.
    pub(super) fn add(&mut self, mixture: &Mixture, gains: [f64; MAX_GRID]) -> bool {
        for (term, gain) in self.terms.iter_mut().zip(gains) {
            *term += mixture.limits.of(gain);
        }
        self.look(mixture, mixture.bound(&self.terms))
    }

    /// Whether it has decided, where the lower bound of the terms is now this.
    #[inline]
    pub(super) fn look(&mut self, mixture: &Mixture, lower: f64) -> bool {
        let (slack, threshold) = (mixture.slack(), mixture.limits.threshold);
        self.watch = self.watch.looked(lower, slack, threshold, || self.log_e(mixture));
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
            terms: grid::used(&state.terms),
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
