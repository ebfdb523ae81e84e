//! The states of latency tests as documents.

use serde::{Deserialize, Serialize};

use crate::stats::grid::{self, Grid};
use crate::stats::{MAX_GRID, StatError, Watch, check_version};

use super::joint::{ALTERNATIVES, Fit, Joint};
use super::stretch::{Axis, Past};
use super::tolerance::{LANES, Lane, StretchFit, Tolerance};
use super::{Latency, MAX_BOUNDARIES, SlowCounts, Terms, check_boundaries};

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
pub(super) struct FitDocument {
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
pub(super) fn joint_terms(read: &[f64]) -> Result<[f64; ALTERNATIVES], StatError> {
    let bad = StatError::BadState { what: "terms" };
    match <[f64; ALTERNATIVES]>::try_from(read) {
        Ok(terms) if terms.iter().all(|term| term.is_finite()) => Ok(terms),
        Ok(_) | Err(_) => Err(bad),
    }
}

impl FitDocument {
    pub(super) fn of(fit: &Fit, boundaries: usize) -> Self {
        let Fit { slow, trials, share } = fit;
        Self { slow: slow[..boundaries].to_vec(), trials: *trials, share: *share }
    }

    /// Accepts what a test may have written: shares falling from below 1 to above 0, or nothing.
    pub(super) fn check(self, boundaries: usize) -> Result<Fit, StatError> {
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

const TOLERANCE_VERSION: u32 = 1;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedTolerance {
    version: u32,
    design: u32,
    boundaries: Vec<f64>,
    ln_ratios: [f64; LANES],
    lanes: [LaneDocument; LANES],
    canary: PastDocument,
    baseline: PastDocument,
    /// The baseline's past when its times were last stretched.
    fitted: PastDocument,
    elapsed: f64,
    highest: f64,
    decided: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LaneDocument {
    terms: Vec<f64>,
    block: Vec<f64>,
    slow: Vec<f64>,
    restarts: u32,
    fit: FitDocument,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PastDocument {
    slow: Vec<f64>,
    trials: f64,
}

impl From<Tolerance> for SavedTolerance {
    fn from(state: Tolerance) -> Self {
        let len = state.axis.len;
        let lane = |lane: &Lane| LaneDocument {
            terms: lane.terms.to_vec(),
            block: lane.block.to_vec(),
            slow: lane.slow[..len].to_vec(),
            restarts: lane.restarts,
            fit: FitDocument::of(&lane.joint.fit, len),
        };
        let past =
            |past: &Past| PastDocument { slow: past.slow[..len].to_vec(), trials: past.trials };
        Self {
            version: TOLERANCE_VERSION,
            design: state.design,
            boundaries: state.axis.times().to_vec(),
            ln_ratios: state.ln_ratios,
            lanes: [lane(&state.lanes[0]), lane(&state.lanes[1]), lane(&state.lanes[2])],
            canary: past(&state.canary),
            baseline: past(&state.baseline),
            fitted: past(&state.fit.past),
            elapsed: state.elapsed,
            highest: state.watch.highest,
            decided: state.watch.decided,
        }
    }
}

/// A state that is read directly into a box: by value, it would be copied on the stack at each
/// level of the document around it.
#[derive(Debug, Deserialize)]
#[serde(try_from = "SavedTolerance")]
pub(crate) struct BoxedTolerance(pub(crate) Box<Tolerance>);

impl TryFrom<SavedTolerance> for Tolerance {
    type Error = StatError;

    fn try_from(read: SavedTolerance) -> Result<Self, StatError> {
        BoxedTolerance::try_from(read).map(|read| *read.0)
    }
}

impl TryFrom<SavedTolerance> for BoxedTolerance {
    type Error = StatError;

    #[inline(never)]
    #[expect(clippy::large_stack_arrays, reason = "a state is plain data: no allocation a copy")]
    fn try_from(read: SavedTolerance) -> Result<Self, StatError> {
        check_version(read.version, TOLERANCE_VERSION)?;
        check_boundaries(&read.boundaries)?;
        let axis = Axis::new(&read.boundaries);
        let ln_ratios = read.ln_ratios;
        if !ln_ratios.iter().chain([&read.elapsed]).all(|number| (0.0..1e6).contains(number)) {
            return Err(StatError::BadState { what: "ratios" });
        }
        let baseline = read.baseline.check(axis.len)?;
        let mut this = Box::new(Tolerance {
            lanes: [Lane::NEW; LANES],
            canary: read.canary.check(axis.len)?,
            baseline,
            fit: StretchFit::of(read.fitted.check(axis.len)?, &axis, &ln_ratios),
            elapsed: read.elapsed,
            watch: Watch::restored(read.highest, read.decided)?,
            axis,
            ln_ratios,
            design: read.design,
        });
        for (lane, read) in this.lanes.iter_mut().zip(read.lanes) {
            let LaneDocument { terms, block, slow, restarts, fit } = read;
            lane.restarts = restarts;
            (lane.terms, lane.block) = (joint_terms(&terms)?, joint_terms(&block)?);
            lane.slow = PastDocument { slow, trials: baseline.trials }.check(axis.len)?.slow;
            lane.joint = Joint::fitted(fit.check(axis.len)?, axis.len);
        }
        Ok(Self(this))
    }
}

impl PastDocument {
    fn check(&self, boundaries: usize) -> Result<Past, StatError> {
        SlowCounts::new(&self.slow, self.trials).check(boundaries)?;
        let mut slow = [0.0; MAX_BOUNDARIES];
        slow[..boundaries].copy_from_slice(&self.slow);
        Ok(Past { slow, trials: self.trials })
    }
}
