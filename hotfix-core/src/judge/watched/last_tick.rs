//! The last tick of a metric, and the small parts of the state that it changed: with its tests
//! before, what is needed to apply the tick again.

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::judge::arm_checks::Sameness;
use crate::judge::bracket::Bracket;
use crate::judge::snapshot::is_default;
use crate::judge::waiting::Waiting;
use crate::metric::Tick;
use crate::stats::Totals;
use crate::unit::Timestamp;

use super::Pairing;

/// The last tick, and what was before it; its own state in a snapshot.
#[derive(Debug, Default, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
#[serde(deny_unknown_fields)]
pub(in crate::judge) struct LastTick {
    /// When it was applied; None before the first.
    pub(in crate::judge) at: Option<Timestamp>,
    /// The columns of both arms.
    pub(in crate::judge) row: Vec<f64>,
    /// Which arms read something.
    arms: [bool; 2],
    /// It came by stratum or by instance.
    pub(in crate::judge) in_parts: bool,
    /// The traffic share was confirmed, so it goes into the totals of the phase.
    pub(super) settled: bool,
    /// The pools before it was added to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) bracket: Option<Box<Bracket>>,
    /// What waited before it for counts of the other arm.
    #[serde(default, skip_serializing_if = "Waiting::is_none")]
    pub(super) waiting: Waiting,
    pub(super) same: Sameness,
    /// The evidence had reached the threshold that was calibrated from history.
    pub(super) replayed: bool,
    /// The share of the live version's requests that the rollback test of a latency left out.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) cured: f64,
    /// What both arms had in the phase.
    pub(super) of_phase: Option<[Totals; 2]>,
}

impl LastTick {
    /// Stores a tick that comes, and the state before it, reusing the memory of the one before.
    #[inline]
    pub(super) fn keep(
        &mut self,
        at: Timestamp,
        tick: &Tick,
        settled: bool,
        pairing: &Pairing,
        (of_phase, replayed): (Option<[Totals; 2]>, bool),
    ) {
        self.at = Some(at);
        self.row.clear();
        self.row.extend_from_slice(&tick.row);
        self.arms = [tick.canary, tick.baseline];
        self.in_parts = !tick.strata.is_empty() || !tick.instances[0].is_empty();
        self.settled = settled;
        if !(self.waiting.is_none() && pairing.waiting.is_none()) {
            self.waiting.clone_from(&pairing.waiting);
        }
        match (&mut self.bracket, &pairing.bracket) {
            (None, None) => {}
            (kept, bracket) => kept.clone_from(bracket),
        }
        (self.of_phase, self.replayed) = (of_phase, replayed);
    }

    /// The tick with another row.
    pub(super) fn instead(&self, row: &[f64]) -> Tick {
        let [canary, baseline] = self.arms;
        Tick { row: row.to_vec(), canary, baseline, ..Tick::default() }
    }

    pub(super) fn fits(&self, columns: usize) -> bool {
        let pools = self.bracket.as_ref().is_none_or(|bracket| bracket.fits(columns));
        pools && self.row.len() == if self.at.is_some() { 2 * columns } else { 0 }
    }
}
