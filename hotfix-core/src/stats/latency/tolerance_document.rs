//! The state of a test of 'at most so many times as slow' as a document.

use super::document::{FitDocument, joint_terms};
use super::joint::Joint;
use super::stretch::{Axis, Past};
use super::tolerance::{LANES, Lane, StretchFit, Tolerance};
use super::{MAX_BOUNDARIES, SlowCounts, check_boundaries};
use crate::stats::{StatError, Watch, check_version};
use serde::{Deserialize, Serialize};

/// Version of the document.
const VERSION: u32 = 1;

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
            version: VERSION,
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

impl TryFrom<SavedTolerance> for Tolerance {
    type Error = StatError;

    #[expect(clippy::large_stack_arrays, reason = "a state is plain data: no allocation a copy")]
    fn try_from(read: SavedTolerance) -> Result<Self, StatError> {
        check_version(read.version, VERSION)?;
        check_boundaries(&read.boundaries)?;
        let axis = Axis::new(&read.boundaries);
        let ln_ratios = read.ln_ratios;
        if !ln_ratios.iter().chain([&read.elapsed]).all(|number| (0.0..1e6).contains(number)) {
            return Err(StatError::BadState { what: "ratios" });
        }
        let baseline = read.baseline.check(axis.len)?;
        let mut lanes = [Lane::NEW; LANES];
        for (lane, read) in lanes.iter_mut().zip(read.lanes) {
            let LaneDocument { terms, block, slow, restarts, fit } = read;
            lane.restarts = restarts;
            (lane.terms, lane.block) = (joint_terms(&terms)?, joint_terms(&block)?);
            lane.slow = PastDocument { slow, trials: baseline.trials }.check(axis.len)?.slow;
            lane.joint = Joint::fitted(fit.check(axis.len)?, axis.len);
        }
        Ok(Self {
            lanes,
            canary: read.canary.check(axis.len)?,
            baseline,
            fit: StretchFit::of(read.fitted.check(axis.len)?, &axis, &ln_ratios),
            elapsed: read.elapsed,
            watch: Watch::restored(read.highest, read.decided)?,
            axis,
            ln_ratios,
            design: read.design,
        })
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
