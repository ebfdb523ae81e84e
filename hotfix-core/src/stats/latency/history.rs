//! Request times of every instance over a stretch of ordinary operation.

use std::collections::BTreeMap;

use super::SlowCounts;
use super::boundaries::check_number;
use super::stretch::Past;
use crate::stats::replay::check_presence;
use crate::stats::{MAX_COUNT, StatError};

/// How many requests of each instance were up to each boundary and in all, tick by tick, while
/// nothing was wrong.
///
/// A row is what a histogram has: requests up to the first boundary, up to the second and so on,
/// then all requests; zeros for a tick without data. All instances have the same ticks.
///
/// If the only names are `canary` and `baseline`, they are the arms of healthy rollouts. Only such
/// a history shows how far arms of one version wander apart. See
/// [`calibrate_slow`](super::calibrate_slow) for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct SlowHistory {
    boundaries: usize,
    ticks: usize,
    names: Vec<String>,
    /// For each instance, in the order of names, a row a tick: requests slower than each boundary,
    /// then all requests.
    series: Vec<Vec<f64>>,
}

impl SlowHistory {
    /// Checks the rows of at least two instances.
    ///
    /// # Errors
    /// [`StatError`] for instances with different numbers of ticks, a row of another length than
    /// the first or of counts that fall, a count that is not finite, negative or over 2^53, and
    /// fewer than two instances.
    pub fn try_new(rows: BTreeMap<String, Vec<Vec<f64>>>) -> Result<Self, StatError> {
        if rows.len() < 2 {
            return Err(StatError::FewInstances { instances: rows.len(), needed: 2 });
        }
        let first = rows.values().next();
        let ticks = first.map_or(0, Vec::len);
        let width = first.and_then(|rows| rows.first()).map_or(0, Vec::len);
        let boundaries = width.saturating_sub(1);
        check_number(boundaries)?;
        let mut this = Self { boundaries, ticks, names: Vec::new(), series: Vec::new() };
        for (instance, read) in rows {
            if read.len() != ticks {
                let (ticks, expected) = (read.len(), ticks);
                return Err(StatError::UnevenHistory { instance, ticks, expected });
            }
            let mut series = Vec::with_capacity(ticks * width);
            for (tick, row) in read.iter().enumerate() {
                let all = row.last().copied().unwrap_or_default();
                let rises = row.iter().zip(row.iter().skip(1)).all(|(fewer, more)| fewer <= more);
                let counts = row.iter().all(|count| (0.0..=MAX_COUNT).contains(count));
                if row.len() != width || !rises || !counts {
                    return Err(StatError::HistoryRow { instance, tick, expected: width });
                }
                series.extend(row[..boundaries].iter().map(|up_to| all - up_to));
                series.push(all);
            }
            this.names.push(instance);
            this.series.push(series);
        }
        Ok(this)
    }

    pub(super) fn check_presence(&self) -> Result<(), StatError> {
        check_presence(self.series.iter().map(|series| {
            let mut ticks = series.chunks_exact(self.boundaries + 1);
            let counted = |row: &[f64]| row.last().is_some_and(|trials| *trials > 0.0);
            Some((ticks.clone().position(counted)?, ticks.rposition(counted)?))
        }))
    }

    /// The place of the canary in a history of two arms; None in one of instances.
    pub(super) fn canary(&self) -> Option<usize> {
        (self.names == ["baseline", "canary"]).then_some(1)
    }

    /// The requests of some instances in a tick.
    pub(super) fn of(&self, members: impl IntoIterator<Item = usize>, tick: usize) -> Past {
        let mut sum = Past::NONE;
        let width = self.boundaries + 1;
        for series in members.into_iter().filter_map(|member| self.series.get(member)) {
            if let Some((trials, slow)) =
                series.get(tick * width..(tick + 1) * width).and_then(<[f64]>::split_last)
            {
                sum.add(SlowCounts::new(slow, *trials));
            }
        }
        sum
    }

    /// How many instances there are.
    pub const fn instances(&self) -> usize {
        self.names.len()
    }

    /// How many ticks each instance has.
    pub const fn ticks(&self) -> usize {
        self.ticks
    }

    /// How many boundaries each row has.
    pub const fn boundaries(&self) -> usize {
        self.boundaries
    }
}
