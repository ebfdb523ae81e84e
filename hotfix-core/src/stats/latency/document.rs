//! The states of latency tests as documents.

use serde::{Deserialize, Serialize};

use crate::stats::grid::{self, Grid};
use crate::stats::{MAX_GRID, StatError, Watch, check_version};

use super::joint::{ALTERNATIVES, Fit, Joint};
use super::stretch::Past;
use super::tolerance::{LANES, Lane, StretchFit, Tolerance};
use super::{Latency, MAX_BOUNDARIES, Terms};

/// Version of the document; 1 was a test at each boundary only.
const VERSION: u32 = 2;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedState {
    version: u32,
    design: u32,
    terms: Vec<Vec<f64>>,
    slow: Vec<(f64, f64)>,
    trials: (f64, f64),
    highest: f64,
    decided: bool,
    /// Of the joint bet only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fit: Option<FitDocument>,
}

/// What the alternatives were last fitted to; the rest follows from it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FitDocument {
    slow: Vec<f64>,
    trials: f64,
    share: f64,
}

impl From<Latency> for SavedState {
    fn from(state: Latency) -> Self {
        let (terms, fit) = match &state.terms {
            Terms::Rows(rows) => (
                rows[..state.boundaries].iter().map(|row| grid::used(row).to_vec()).collect(),
                None,
            ),
            Terms::Joint(terms, Joint { fit, .. }) => {
                (vec![terms.to_vec()], Some(FitDocument::of(fit, state.boundaries)))
            }
        };
        Self {
            version: VERSION,
            design: state.design,
            terms,
            slow: state.slow[..state.boundaries].to_vec(),
            trials: state.trials,
            highest: state.watch.highest,
            decided: state.watch.decided,
            fit,
        }
    }
}

impl TryFrom<SavedState> for Latency {
    type Error = StatError;

    fn try_from(read: SavedState) -> Result<Self, StatError> {
        check_version(read.version, VERSION)?;
        let boundaries = read.slow.len();
        if boundaries == 0 || boundaries > MAX_BOUNDARIES {
            return Err(StatError::BadState { what: "boundaries" });
        }
        let terms = match (read.fit, read.terms.as_slice()) {
            (Some(fit), [terms]) => {
                Terms::Joint(joint_terms(terms)?, Joint::fitted(fit.check(boundaries)?, boundaries))
            }
            (None, rows) if rows.len() == boundaries => {
                let mut terms = [[f64::NEG_INFINITY; MAX_GRID]; MAX_BOUNDARIES];
                for (row, read) in terms.iter_mut().zip(rows) {
                    *row = Grid::terms_from(read)?;
                }
                Terms::Rows(terms)
            }
            (Some(_) | None, _) => return Err(StatError::BadState { what: "terms" }),
        };
        let mut this = Self {
            terms,
            slow: [(0.0, 0.0); MAX_BOUNDARIES],
            trials: read.trials,
            boundaries,
            watch: Watch::restored(read.highest, read.decided)?,
            design: read.design,
        };
        for (boundary, &slow) in read.slow.iter().enumerate() {
            this.slow[boundary] = slow;
            this.totals(boundary).map_or(Ok(()), |totals| totals.check())?;
        }
        Ok(this)
    }
}

/// Log evidence of each alternative of the joint bet, as read.
fn joint_terms(read: &[f64]) -> Result<[f64; ALTERNATIVES], StatError> {
    let bad = StatError::BadState { what: "terms" };
    match <[f64; ALTERNATIVES]>::try_from(read) {
        Ok(terms) if terms.iter().all(|term| term.is_finite()) => Ok(terms),
        Ok(_) | Err(_) => Err(bad),
    }
}

impl FitDocument {
    fn of(fit: &Fit, boundaries: usize) -> Self {
        let Fit { slow, trials, share } = fit;
        Self { slow: slow[..boundaries].to_vec(), trials: *trials, share: *share }
    }

    /// Accepts what a test may have written: shares falling from below 1 to above 0, or nothing.
    fn check(self, boundaries: usize) -> Result<Fit, StatError> {
        let Self { slow, trials, share } = self;
        let mut fit = Fit { trials, share, ..Fit::NONE };
        if slow.len() != boundaries {
            return Err(StatError::BadState { what: "fit" });
        }
        fit.slow[..boundaries].copy_from_slice(&slow);
        let mut before = trials;
        let falls = slow.iter().all(|&slow| {
            let fits = slow > 0.0 && slow <= before;
            before = slow;
            fits
        });
        let is_one = trials.is_finite() && falls && (0.0..=1.0).contains(&share);
        if fit == Fit::NONE || is_one { Ok(fit) } else { Err(StatError::BadState { what: "fit" }) }
    }
}

/// A [`Tolerance`] as it is read: without what follows from the design and the fits.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToleranceRead {
    lanes: [Lane<Fit>; LANES],
    canary: Past,
    baseline: Past,
    fit: Past,
    elapsed: f64,
    watch: Watch,
    design: u32,
}

impl Tolerance {
    /// Takes over a state of the same design that was read; otherwise it is [`StatError::DesignMismatch`].
    pub(crate) fn resume(&mut self, read: &ToleranceRead) -> Result<(), StatError> {
        let ToleranceRead { lanes, canary, baseline, fit, elapsed, watch, design } = *read;
        if design != self.design {
            return Err(StatError::DesignMismatch);
        }
        for (kept, Lane { terms, block, joint, slow, restarts }) in self.lanes.iter_mut().zip(lanes)
        {
            let joint = Joint::fitted(joint, self.axis.len);
            *kept = Lane { terms, block, joint, slow, restarts };
        }
        self.fit = StretchFit::of(fit, &self.axis, &self.ln_ratios);
        (self.canary, self.baseline, self.elapsed) = (canary, baseline, elapsed);
        self.watch = watch;
        Ok(())
    }
}
