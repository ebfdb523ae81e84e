//! An observation that was checked, and what it adds to each metric: [`Judge::prepare`] makes it,
//! [`Judge::take`] uses it.

use crate::metric::{Observation, ReadingError, Tick, Unused};
use crate::stats::Counts;
use crate::stats::replay::Clip;
use crate::text::instead;
use crate::unit::{MetricName, Share, Timestamp};

use super::Judge;
use super::bracket::{BASELINE, CANARY};
use super::watched::Watched;

/// An observation that was checked.
#[derive(Debug)]
pub struct Prepared<'a> {
    pub(super) at: Timestamp,
    pub(super) share: Share,
    pub(super) seen: &'a Observation,
    /// In the order of the judge's metrics.
    pub(super) increments: Vec<Increment>,
}

/// What an observation adds to one metric.
#[derive(Debug, Default)]
pub(super) struct Increment {
    /// The place of the metric's reading in the observation; None without one, and for a repeated
    /// delivery, because it counts once.
    pub(super) reading: Option<usize>,
    /// What was delivered again has [other counts](Watched::loses).
    pub(super) lost: bool,
    pub(super) tick: Tick,
    /// The tick's counts by stratum, or as a whole; none for latency.
    pub(super) counts: Vec<(Counts, Counts)>,
    /// Bounds what each instance counts in this tick.
    pub(super) clip: Option<Clip>,
    /// The bad events of each arm that are above the bound for an instance. The rollback test does
    /// not count them.
    pub(super) clipped: [f64; 2],
    /// The share of the live version's requests that fail, where many more do than with the fix.
    pub(super) cured: f64,
}

/// Increments of an earlier observation, whose memory is reused: they belong to no state.
#[derive(Default)]
pub(super) struct Spare(pub(super) Vec<Increment>);

impl Clone for Spare {
    fn clone(&self) -> Self {
        Self::default()
    }

    fn clone_from(&mut self, _: &Self) {}
}

impl Judge {
    /// Checks an observation at the time `at` and the canary's share `share`. The state does not
    /// change.
    ///
    /// # Errors
    /// [`ReadingError`].
    pub fn prepare<'a>(
        &mut self,
        at: Timestamp,
        share: Share,
        seen: &'a Observation,
    ) -> Result<Prepared<'a>, ReadingError> {
        let mut increments = std::mem::take(&mut self.spare.0);
        increments.resize_with(self.watched.len(), Increment::default);
        for increment in &mut increments {
            (increment.reading, increment.lost) = (None, false);
        }
        // Both lists are sorted by id: each reading's index is after that of the one before.
        let mut metrics = self.watched.iter().zip(&mut increments);
        for (place, (id, reading)) in seen.as_slice().iter().enumerate() {
            let Some((watched, increment)) =
                metrics.find(|(watched, _)| watched.metric().id == *id)
            else {
                return Err(self.unknown(*id));
            };
            watched.read_into(&mut increment.tick, reading, at, share)?;
            let is_new = !watched.readings().repeats(&increment.tick, at);
            increment.reading = Some(place).filter(|_| is_new);
            increment.lost = !is_new && watched.loses(&increment.tick, at, share);
        }
        Ok(Prepared { at, share, seen, increments })
    }

    /// A metric; None where the policy does not have it.
    pub(crate) fn metric(&self, id: MetricName) -> Option<&Watched> {
        self.watched.iter().find(|watched| watched.metric().id == id)
    }

    /// Refuses a metric that the policy does not have.
    ///
    /// # Errors
    /// [`ReadingError::UnknownMetric`] with what to name instead.
    pub(crate) fn check_metric(&self, metric: MetricName) -> Result<(), ReadingError> {
        if self.metric(metric).is_some() { Ok(()) } else { Err(self.unknown(metric)) }
    }

    fn unknown(&self, metric: MetricName) -> ReadingError {
        let known: Vec<MetricName> = self.watched.iter().map(|w| w.metric().id).collect();
        let instead = instead(metric.as_str(), known.iter().map(MetricName::as_str));
        ReadingError::UnknownMetric { metric, instead }
    }
}

impl Watched {
    /// Whether counts of a time that was read already are lost: they are others, of another arm, or
    /// totals of which none are kept. Of a tick that was not compared it is not known what they were.
    #[cold]
    fn loses(&self, tick: &Tick, at: Timestamp, share: Share) -> bool {
        let (readings, kind) = (self.readings(), self.metric().kind);
        if tick.totals {
            return !kind.is_traffic() && tick.unused.contains(&Some(Unused::First));
        }
        // With all of the traffic the live version's do not count.
        let came = [tick.canary, tick.baseline && share < Share::ALL];
        let read_at = [readings.read_at, readings.live_read_at];
        [CANARY, BASELINE].into_iter().any(|arm| {
            came[arm] && (read_at[arm] != Some(at) || self.last_tick().differs(at, arm, tick, kind))
        })
    }
}
