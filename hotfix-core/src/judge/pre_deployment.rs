//! The live version before the deployment, tick by tick: the baseline of a strategy that moves all
//! traffic at once, under which no live arm is left to compare with. See `docs/statistics.md`,
//! "Before and after".

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::getters::getters;
use crate::plan::Plan;
use crate::unit::Span;

/// Cadence of a tool that reads often, for which there is room.
const OFTEN: Span = Span::from_seconds(10);

/// The latest rows of the live version, each of which is compared once.
///
/// Each tick of the fix is compared with one tick from before. Under the assumption that ticks are
/// independent and alike before and after, such pairs are those of two arms side by side, so the
/// sequential tests keep their false-rollback rate.
#[derive(Debug, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
pub(super) struct PreDeployment {
    /// The most rows that are kept; 0 where the strategy has a live arm to compare with.
    #[serde(skip)]
    most: usize,
    /// The rows, the latest last; each has the columns of one arm.
    rows: Vec<f64>,
    /// How many of the latest rows were compared in this attempt.
    used: usize,
    /// No row was left for the last reading of the fix.
    ended: bool,
}

impl PreDeployment {
    /// Room for as many rows as the phases and the final validation have ticks, each with the one of
    /// its end, and a tenth more, also if ticks come every 10 s; none where a phase has a live arm.
    pub(super) fn new(plan: &Plan) -> Self {
        let policy = plan.policy();
        let cadence = policy.watch().cadence.as_millis();
        let often = cadence.div_ceil(OFTEN.as_millis());
        let validation = policy.final_validation().watch.as_millis() / cadence.max(1) + 1;
        let phases = policy.phases().iter().map(|phase| u64::from(policy.ticks_of(phase)) + 1);
        let ticks = phases.fold(validation, u64::saturating_add).saturating_mul(often);
        let ticks = ticks.saturating_add(ticks.div_ceil(10));
        let most = if policy.moves_at_once() { ticks } else { 0 };
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Self { most, rows: Vec::new(), used: 0, ended: false }
    }

    /// Adds a row, in the place of the oldest where there is no room.
    pub(super) fn add(&mut self, row: &[f64]) {
        let room = self.most.saturating_mul(row.len());
        if room == 0 {
            return;
        }
        if self.rows.len() >= room {
            self.rows.drain(..row.len());
        }
        self.rows.extend_from_slice(row);
    }

    /// Copies the latest row that was not compared yet into `baseline`; false where none is left.
    pub(super) fn take(&mut self, baseline: &mut [f64]) -> bool {
        let width = baseline.len();
        let start = self.rows.len().checked_sub((self.used + 1) * width);
        self.ended = start.is_none();
        let Some(start) = start else { return false };
        baseline.copy_from_slice(&self.rows[start..start + width]);
        self.used += 1;
        true
    }

    /// Takes over the rows of the attempt before (`of`): this one is compared with the same.
    pub(super) fn keep(&mut self, of: &Self) {
        self.rows.clone_from(&of.rows);
    }

    /// The layout has changed: earlier rows have other columns.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.used = 0;
    }

    pub(super) fn resume(&mut self, read: Self, columns: usize) -> bool {
        let Self { most: _, rows, used, ended } = read;
        let fits = rows.len().is_multiple_of(columns)
            && rows.len() <= self.most.saturating_mul(columns)
            && used <= rows.len() / columns;
        (self.rows, self.used, self.ended) = (rows, used, ended);
        fits
    }
}

getters! {
    pub(super) PreDeployment: self;

    /// Whether the fix is, or was, compared with rows from before.
    applies: bool = self.most > 0;
    /// Whether the fix is compared with nothing now: no row was left for its last reading.
    has_ended: bool = self.ended;
    /// Whether there is a row left to compare with.
    goes_on: bool = self.applies() && !self.ended && self.used > 0;
    /// Whether no row is left, after some were compared.
    is_used_up: bool = self.ended && self.used > 0;
}
