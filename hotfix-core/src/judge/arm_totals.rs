//! Sums of both arms over the rollout and over the phase.

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::stats::interval::{Interval, ratio_interval};
use crate::stats::{Counts, SplitTotals, Totals};
use crate::unit::Share;

use super::aligned::Side;

/// Counts of the canary and of the baseline, by stratum.
pub(super) type ArmCounts = [(Counts, Counts)];

/// Sums of both arms of a metric; serialized as it is into a snapshot.
#[derive(Debug, Educe, PartialEq, Serialize, Deserialize)]
#[educe(Clone)]
pub(super) struct ArmTotals {
    /// What both arms had over the rollout, by stratum and planned split.
    compared: Vec<SplitTotals>,
    /// Totals of both arms in this phase on each alignment; None if strata were sent, which must
    /// not be summed.
    pub(super) of_phase: Option<[Totals; 2]>,
    /// The bad events that the rollback test did not count, by arm.
    pub(super) uncounted: [f64; 2],
    /// The live arm over the whole rollout, in the columns of one arm: its level before the
    /// rollback. Of a volume it is that of all of the traffic.
    pub(super) level: Vec<f64>,
}

impl ArmTotals {
    pub(super) fn new(columns: usize) -> Self {
        Self {
            compared: vec![SplitTotals::new()],
            of_phase: Some([Totals::default(); 2]),
            uncounted: [0.0; 2],
            level: vec![0.0; columns],
        }
    }

    pub(super) fn start(&mut self) {
        self.of_phase = Some([Totals::default(); 2]);
    }

    /// Empties all but the level: what was compared was of another split than planned.
    pub(super) fn start_over(&mut self) {
        *self = Self { level: std::mem::take(&mut self.level), ..Self::new(0) };
    }

    /// Adds counts under a planned split.
    pub(super) fn add(&mut self, counts: &ArmCounts, share: Share) {
        if self.compared.len() < counts.len() {
            self.compared.resize(counts.len(), SplitTotals::new());
        }
        let share = share.as_fraction();
        for (sums, &(canary, baseline)) in self.compared.iter_mut().zip(counts) {
            // Counts were checked when they were read, and a phase has a share.
            let _ = sums.add(share, canary, baseline);
        }
    }

    /// Adds counts of one alignment to what the arms had in the phase.
    pub(super) fn add_to_phase(&mut self, side: Side, counts: &ArmCounts, in_strata: bool) {
        match (counts, &mut self.of_phase) {
            ([], _) => {}
            (&[(canary, baseline)], totals) if !in_strata => {
                if let Some(totals) = totals {
                    totals[side as usize].add(canary, baseline);
                }
            }
            // Strata must not be summed.
            (_, totals) => *totals = None,
        }
    }

    /// Adds a row of the live arm to its level before the rollback; of a volume, one at this share
    /// of the traffic.
    pub(super) fn learn_level(&mut self, live: &[f64], volume: Option<Share>) {
        if let Some(share) = volume {
            return self.learn_volume(live, share.as_fraction());
        }
        for (level, value) in self.level.iter_mut().zip(live) {
            *level += value;
        }
    }

    #[cold]
    fn learn_volume(&mut self, live: &[f64], share: f64) {
        if let (&[volume, readings], true) = (live, share > 0.0) {
            self.learn_level(&[volume / share, readings], None);
        }
    }

    /// Adds bad events that the rollback test did not count.
    pub(super) fn leave_out(&mut self, uncounted: [f64; 2]) {
        for (sum, uncounted) in self.uncounted.iter_mut().zip(uncounted) {
            *sum += uncounted;
        }
    }

    /// The ratio that is common to the strata and planned splits, see [`Totals::common_ratio`]; None
    /// where there is only one.
    #[inline]
    pub(super) fn common_ratio(&self) -> Option<f64> {
        let several = self.compared.len() > 1 || self.compared[0].totals().nth(1).is_some();
        several.then(|| Totals::common_ratio(self.compared.iter().flat_map(SplitTotals::totals)))?
    }

    /// Anytime-valid interval of the ratio; None before anything was compared.
    pub(super) fn interval(&self, confidence: f64) -> Option<Interval> {
        let totals: Vec<Totals> =
            self.compared.iter().flat_map(SplitTotals::totals).copied().collect();
        if totals.is_empty() { None } else { ratio_interval(&totals, confidence).ok() }
    }

    pub(super) fn fits(&self, columns: usize) -> bool {
        self.level.len() == columns && !self.compared.is_empty()
    }
}
