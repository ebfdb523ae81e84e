//! Counts of every instance over a stretch of ordinary operation.

use super::Clip;
use crate::stats::{Counts, MAX_COUNT, StatError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most instances in all, as a multiple of those present at a time.
const IN_TURN: f64 = 1.5;

/// Checks that instances run at the same time, not in turn: groups of them have to be as large as
/// the canary. `present` has the first and last tick with trials of each; None without trials.
pub(in crate::stats) fn check_presence(
    present: impl Iterator<Item = Option<(usize, usize)>>,
) -> Result<(), StatError> {
    let (mut instances, mut there, mut whole) = (0, 0, None);
    for of in present {
        instances += 1;
        if let Some((first, last)) = of {
            there += last - first + 1;
            let (from, until) = whole.unwrap_or((first, last));
            whole = Some((first.min(from), last.max(until)));
        }
    }
    let Some((from, until)) = whole else { return Ok(()) };
    let at_a_time = there as f64 / (until - from + 1) as f64;
    if instances as f64 <= IN_TURN * at_a_time {
        Ok(())
    } else {
        Err(StatError::InstancesInTurn { instances, at_a_time })
    }
}

/// What each instance counted, tick by tick, while nothing was being rolled out.
///
/// As a document `{"pod-1": [[events, trials], …], …}`, one pair a tick; `[0, 0]` is a tick without
/// data. All instances have the same ticks. Trials may be an exposure, so more events than trials
/// are accepted; [`check_proportion`](Self::check_proportion) refuses them.
///
/// ```
/// use hotfix_core::stats::replay::History;
/// let text = r#"{"pod-1": [[0, 100], [1, 98]], "pod-2": [[0, 101], [0, 99]]}"#;
/// let history: History = serde_json::from_str(text)?;
/// assert_eq!((history.instances(), history.ticks()), (2, 2));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, Vec<[f64; 2]>>", into = "BTreeMap<String, Vec<[f64; 2]>>")]
pub struct History {
    ticks: usize,
    names: Vec<String>,
    /// Of each instance, in the order of names.
    series: Vec<Vec<Counts>>,
}

impl History {
    /// Checks the counts of at least two instances.
    ///
    /// # Errors
    /// [`StatError`] for instances with different numbers of ticks, a
    /// count that is not finite, negative or over 2^53, or fewer than two instances.
    pub fn try_new(counts: BTreeMap<String, Vec<[f64; 2]>>) -> Result<Self, StatError> {
        if counts.len() < 2 {
            return Err(StatError::FewInstances { instances: counts.len(), needed: 2 });
        }
        let ticks = counts.values().next().map_or(0, Vec::len);
        let (mut names, mut series) = (Vec::new(), Vec::new());
        for (instance, read) in counts {
            if read.len() != ticks {
                let (ticks, expected) = (read.len(), ticks);
                return Err(StatError::UnevenHistory { instance, ticks, expected });
            }
            for (tick, &[events, trials]) in read.iter().enumerate() {
                for (what, value) in [("events", events), ("trials", trials)] {
                    if !(0.0..=MAX_COUNT).contains(&value) {
                        return Err(StatError::HistoryCount { instance, tick, what, value });
                    }
                }
            }
            names.push(instance);
            series.push(read.iter().map(|&[events, trials]| Counts::new(events, trials)).collect());
        }
        Ok(Self { ticks, names, series })
    }

    /// Checks that no instance has more events than trials: it is a history of a proportion.
    ///
    /// # Errors
    /// [`StatError`] for the first that has.
    pub fn check_proportion(&self) -> Result<(), StatError> {
        for (instance, series) in self.names.iter().zip(&self.series) {
            let impossible = |counts: &Counts| counts.events > counts.trials;
            if let Some(tick) = series.iter().position(impossible) {
                let (instance, Counts { events, trials }) = (instance.clone(), series[tick]);
                return Err(StatError::HistoryProportion { instance, tick, events, trials });
            }
        }
        Ok(())
    }

    /// The history with events replaced by a function of events and trials.
    ///
    /// # Errors
    /// [`StatError::HistoryCount`] for a result that is not a count.
    pub(crate) fn with_events(self, events: impl Fn(f64, f64) -> f64) -> Result<Self, StatError> {
        let mut counts = BTreeMap::from(self);
        for [of, trials] in counts.values_mut().flatten() {
            *of = events(*of, *trials);
        }
        Self::try_new(counts)
    }

    pub(super) fn check_presence(&self) -> Result<(), StatError> {
        check_presence(self.series.iter().map(|series| {
            let counted = |counts: &Counts| counts.trials > 0.0;
            Some((series.iter().position(counted)?, series.iter().rposition(counted)?))
        }))
    }

    /// Sums of some instances, given by their places, tick by tick.
    pub(super) fn sums(&self, members: impl Iterator<Item = usize>) -> Vec<Counts> {
        let mut sums = vec![Counts::default(); self.ticks];
        for series in members.filter_map(|member| self.series.get(member)) {
            for (sum, counts) in sums.iter_mut().zip(series) {
                sum.add(*counts);
            }
        }
        sums
    }

    pub(crate) fn all(&self) -> Vec<Counts> {
        self.sums(0..self.instances())
    }

    /// Counts of some instances, given by their places.
    pub(super) fn series(&self, members: &[usize]) -> impl Iterator<Item = &[Counts]> {
        members.iter().filter_map(|member| self.series.get(*member)).map(Vec::as_slice)
    }

    /// Events over trials; None without events.
    fn rate(&self) -> Option<f64> {
        let sum: Counts = self.series.iter().flatten().sum();
        (sum.events > 0.0 && sum.trials > 0.0).then(|| sum.events / sum.trials)
    }

    /// The bound for an instance, and its rate: the history's after one pass of clipping at its own
    /// rate. None without events.
    pub(super) fn clip(&self) -> Option<(Clip, f64)> {
        let once = Clip::try_new(self.rate()?).ok()?;
        let sum: Counts = self.series.iter().flatten().map(|counts| once.clipped(*counts)).sum();
        let rate = sum.events / sum.trials;
        Some((Clip::try_new(rate).ok()?, rate))
    }

    /// The history with each reading of an instance clipped, as in a rollout.
    pub(super) fn clipped(&self, clip: Clip) -> Self {
        let mut clipped = self.clone();
        for tick in 0..self.ticks {
            let shared =
                clip.shared(self.series.iter().filter_map(|series| series.get(tick)).copied());
            let readings = clipped.series.iter_mut().filter_map(|series| series.get_mut(tick));
            readings.for_each(|counts| *counts = shared.clipped(*counts));
        }
        clipped
    }

    /// How many instances there are.
    pub const fn instances(&self) -> usize {
        self.names.len()
    }

    /// How many ticks each instance has.
    pub const fn ticks(&self) -> usize {
        self.ticks
    }

    /// Names in their order.
    pub const fn names(&self) -> &[String] {
        self.names.as_slice()
    }
}

impl TryFrom<BTreeMap<String, Vec<[f64; 2]>>> for History {
    type Error = StatError;

    fn try_from(read: BTreeMap<String, Vec<[f64; 2]>>) -> Result<Self, StatError> {
        Self::try_new(read)
    }
}

impl From<History> for BTreeMap<String, Vec<[f64; 2]>> {
    fn from(history: History) -> Self {
        let pairs = |series: Vec<Counts>| {
            series.iter().map(|counts| [counts.events, counts.trials]).collect()
        };
        let mut map = Self::new();
        map.extend(history.names.into_iter().zip(history.series.into_iter().map(pairs)));
        map
    }
}
