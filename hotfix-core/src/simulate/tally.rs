//! Results of many runs, in whole numbers, so that the sum does not depend on how runs are split.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::document::{DocumentErrors, DocumentFault};
use crate::judge::Reason;
use crate::rollout::{RollbackCause, State};
use crate::stats::Counts;
use crate::stats::interval::{Interval, null_is_infinite, null_is_minus_infinite, wilson};
use crate::unit::{Span, Timestamp};

use super::error::{SimulationErrors, SimulationFault};
use super::run::Run;

/// The confidence of every interval of an outcome table.
pub const CONFIDENCE: f64 = 0.95;

/// 97.5% of a normal distribution is below this many deviations.
pub(super) const DEVIATIONS: f64 = 1.959_963_984_540_054;

/// The truth about a run, besides its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// When the canary was first worse than the live version. None if it never was while users
    /// could be affected.
    pub bad_since: Option<Timestamp>,
}

impl Truth {
    /// When the run was rolled back rightly, and when the canary had become worse. None if it was not.
    pub(super) fn found(self, run: &Run) -> Option<(Timestamp, Timestamp)> {
        run.rolled_back_at.zip(self.bad_since).filter(|(back, bad)| back >= bad)
    }
}

/// A sum of whole numbers, and of their squares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    sum: i128,
    squares: u128,
}

impl Sum {
    /// The identity of a campaign.
    pub(super) const fn of_campaign(of: [u64; 2]) -> Self {
        Self { sum: of[0] as i128, squares: of[1] as u128 }
    }

    pub(super) fn add(&mut self, value: i64) {
        self.sum += i128::from(value);
        self.squares += u128::from(value.unsigned_abs()).pow(2);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.sum = self.sum.saturating_add(other.sum);
        self.squares = self.squares.saturating_add(other.squares);
    }

    pub(super) fn mean(self, of: u64) -> Mean {
        let n = of as f64;
        if of == 0 {
            return Mean { mean: None, low: f64::NEG_INFINITY, high: f64::INFINITY };
        }
        let mean = self.sum as f64 / n;
        // The sum of squares about the mean as a whole number over n, without cancellation.
        let about = i128::try_from(self.squares)
            .ok()
            .and_then(|squares| squares.checked_mul(i128::from(of)))
            .and_then(|squares| squares.checked_sub(self.sum.checked_mul(self.sum)?))
            .map_or(0.0, |about| about as f64 / n);
        let half = if of > 1 { DEVIATIONS * (about / (n - 1.0) / n).sqrt() } else { f64::INFINITY };
        Mean { mean: Some(mean), low: mean - half, high: mean + half }
    }
}

/// Two numbers as text, because they may exceed JSON's numbers.
impl Serialize for Sum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{} {}", self.sum, self.squares))
    }
}

impl<'de> Deserialize<'de> for Sum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = text.split_once(' ').and_then(|(sum, squares)| {
            Some(Self { sum: sum.parse().ok()?, squares: squares.parse().ok()? })
        });
        read.ok_or_else(|| serde::de::Error::custom("two whole numbers in a text"))
    }
}

/// How many runs took each duration, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Times(BTreeMap<u64, u64>);

impl Times {
    fn add(&mut self, span: Span) {
        *self.0.entry(span.as_millis()).or_default() += 1;
    }

    fn count(&self) -> u64 {
        self.0.values().fold(0, |all, count| all.saturating_add(*count))
    }

    /// The smallest time that this share of them do not exceed.
    fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = (self.count() as f64 * share).ceil().max(1.0);
        let mut seen = 0_u64;
        self.0.iter().find_map(|(millis, count)| {
            seen = seen.saturating_add(*count);
            (seen as f64 >= wanted).then_some(*millis as f64 / 1000.0)
        })
    }

    fn summary(&self) -> Option<Took> {
        Some(Took { median: self.quantile(0.5)?, most_of: self.quantile(0.9)?, runs: self.count() })
    }
}

fn add_counts<K: Ord>(counts: &mut BTreeMap<K, u64>, more: BTreeMap<K, u64>) {
    for (key, more) in more {
        let count = counts.entry(key).or_default();
        *count = count.saturating_add(more);
    }
}

/// The results of a range of runs. Tallies of one campaign can be merged; the outcome does not
/// depend on how the runs were split.
///
/// It can be sent to another process as a document, to be merged there. Its members have no other
/// use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// Its campaign: seed, plan and scenario.
    pub(super) of: Sum,
    pub(super) runs: u64,
    /// Runs in which the canary was worse at some time.
    pub(super) faulty: u64,
    /// Runs by [`facts`].
    pub(super) facts: [u64; 6],
    never_started: u64,
    ended: BTreeMap<State, u64>,
    reasons: BTreeMap<Reason, u64>,
    decided: Times,
    done: Times,
    /// The sums of [`numbers`].
    each: [Sum; 7],
}

/// The facts of one run, each a row of a comparison's table: a false rollback, a missed fault, a
/// rollback for any reason, completion, a question, and a missed duty.
pub(super) fn facts(run: &Run, truth: Truth) -> [bool; 6] {
    let back = run.rolled_back_at.is_some();
    [
        // A rollback before any fault is a false one.
        back && truth.found(run).is_none(),
        !back && truth.bad_since.is_some(),
        back,
        run.completed_at.is_some(),
        run.asked > 0,
        run.duties_missed > 0,
    ]
}

/// The numbers of one run: affected requests of the canary and of the live version, missed duties,
/// questions, pages, ticks and refused inputs.
pub(super) fn numbers(run: &Run) -> [i64; 7] {
    let [canary, live] = [run.affected.canary, run.affected.live].map(whole);
    let [missed, asked, paged, ticks, refused] =
        [run.duties_missed, run.asked, run.paged, run.ticks, run.refused].map(i64::from);
    [canary, live, missed, asked, paged, ticks, refused]
}

/// Requests as a whole number, which every count is.
#[expect(clippy::cast_possible_truncation, reason = "a count, and saturated beyond 2^63")]
fn whole(requests: f64) -> i64 {
    requests.round() as i64
}

impl Tally {
    pub(super) fn new(of: Sum) -> Self {
        Self { of, ..Self::default() }
    }

    pub(super) fn add(&mut self, run: &Run, truth: Truth) {
        self.runs += 1;
        self.faulty += u64::from(truth.bad_since.is_some());
        for (count, fact) in self.facts.iter_mut().zip(facts(run, truth)) {
            *count += u64::from(fact);
        }
        self.never_started += u64::from(run.started_at.is_none());
        *self.ended.entry(run.ended).or_default() += 1;
        if let Some(RollbackCause::Verdict { causes }) = &run.why
            && let Some(first) = causes.first()
        {
            *self.reasons.entry(first.reason).or_default() += 1;
        }
        if let Some((back, bad)) = truth.found(run) {
            self.decided.add(back.since(bad));
        }
        if let Some((completed, started)) = run.completed_at.zip(run.started_at) {
            self.done.add(completed.since(started));
        }
        for (sum, number) in self.each.iter_mut().zip(numbers(run)) {
            sum.add(number);
        }
    }

    /// The number of runs.
    pub const fn runs(&self) -> u64 {
        self.runs
    }

    /// Adds the runs of another part of the same campaign.
    ///
    /// # Errors
    /// An error if the other one has another seed, plan or scenario; this one is then unchanged.
    pub fn merge(&mut self, other: Self) -> Result<(), SimulationErrors> {
        if self.of != other.of {
            let detail = "seed, plan or scenario differ";
            return Err(SimulationErrors::of("", SimulationFault::OtherCampaign { detail }));
        }
        self.absorb(other);
        Ok(())
    }

    /// Adds the runs of another part, of whatever campaign it is.
    pub(super) fn absorb(&mut self, other: Self) {
        self.runs = self.runs.saturating_add(other.runs);
        self.faulty = self.faulty.saturating_add(other.faulty);
        for (count, other) in self.facts.iter_mut().zip(other.facts) {
            *count = count.saturating_add(other);
        }
        self.never_started = self.never_started.saturating_add(other.never_started);
        add_counts(&mut self.ended, other.ended);
        add_counts(&mut self.reasons, other.reasons);
        add_counts(&mut self.decided.0, other.decided.0);
        add_counts(&mut self.done.0, other.done.0);
        for (sum, other) in self.each.iter_mut().zip(other.each) {
            sum.merge(other);
        }
    }

    /// Adds up a JSON list of tallies of one campaign.
    ///
    /// # Errors
    /// An error for text that is not a list of tallies, for an empty list, and as in
    /// [`merge`](Self::merge).
    pub fn merged_from_json(text: &str) -> Result<Self, SimulationErrors> {
        let tallies: Vec<Self> = serde_json::from_str(text)
            .map_err(|error| DocumentErrors::of_json(&error, text, 0).of_family())?;
        let mut tallies = tallies.into_iter();
        let missing = DocumentFault::MissingKey { key: "tally", example: "one".to_owned() };
        let missing = || SimulationErrors::of("", missing);
        let mut all = tallies.next().ok_or_else(missing)?;
        tallies.try_for_each(|tally| all.merge(tally))?;
        Ok(all)
    }

    /// The outcome table.
    pub fn outcome(&self) -> SimulatedOutcome {
        let runs = self.runs;
        let rate = |count| Rate::new(count, runs);
        let [false_rollbacks, missed, rolled_back, completed, asked, with_missed] = self.facts;
        let [canary, live, missed_duties, questions, pages, ticks, refused] =
            self.each.map(|sum| sum.mean(runs));
        SimulatedOutcome {
            runs,
            faulty: self.faulty,
            // A run with a later fault can have a false rollback before it.
            false_rollbacks: rate(false_rollbacks),
            missed_faults: Rate::new(missed, self.faulty),
            found_faults: Rate::new(rolled_back.saturating_sub(false_rollbacks), self.faulty),
            rolled_back: rate(rolled_back),
            completed: rate(completed),
            asked: rate(asked),
            duties_missed: rate(with_missed),
            never_started: self.never_started,
            seconds_to_find: self.decided.summary(),
            seconds_to_complete: self.done.summary(),
            affected_by_canary: canary,
            affected_by_live: live,
            duties_missed_each: missed_duties,
            questions_each: questions,
            pages_each: pages,
            ticks_each: ticks,
            refused_each: refused,
            ended: self.ended.clone(),
            reasons: self.reasons.clone(),
        }
    }
}

/// The outcome table of a campaign. Intervals are at 95%: Wilson's for shares, normal ones for
/// means.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SimulatedOutcome {
    /// Runs.
    pub runs: u64,
    /// Runs in which the canary was worse at some time.
    pub faulty: u64,
    /// Runs that were rolled back, also by a person, while the canary was not worse.
    pub false_rollbacks: Rate,
    /// Of the faulty runs: those that were never rolled back.
    pub missed_faults: Rate,
    /// Of the faulty runs: those that were rolled back after the fault began.
    pub found_faults: Rate,
    /// Runs that were rolled back for any reason.
    pub rolled_back: Rate,
    /// Runs that were complete at some time.
    pub completed: Rate,
    /// Runs in which somebody was asked.
    pub asked: Rate,
    /// Runs with a missed duty.
    pub duties_missed: Rate,
    /// Runs that never started.
    pub never_started: u64,
    /// From the beginning of the fault to the decision to roll back. Absent without such a
    /// decision.
    pub seconds_to_find: Option<Took>,
    /// From the start to completion. Absent if no run was complete.
    pub seconds_to_complete: Option<Took>,
    /// Requests that the canary failed, per run.
    pub affected_by_canary: Mean,
    /// Requests that the live version failed, per run.
    pub affected_by_live: Mean,
    /// Missed duties, per run.
    pub duties_missed_each: Mean,
    /// Questions, per run.
    pub questions_each: Mean,
    /// Pages, per run.
    pub pages_each: Mean,
    /// Ticks, per run.
    pub ticks_each: Mean,
    /// Refused inputs, per run.
    pub refused_each: Mean,
    /// Runs by their final state.
    pub ended: BTreeMap<State, u64>,
    /// Runs that a verdict rolled back, by the most serious reason.
    pub reasons: BTreeMap<Reason, u64>,
}

/// A share of runs with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// The number of these runs.
    pub count: u64,
    /// The number of all runs considered.
    pub of: u64,
    /// Their share; null without runs.
    pub share: Option<f64>,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
}

impl Rate {
    pub(super) fn new(count: u64, of: u64) -> Self {
        let interval = wilson(Counts::new(count as f64, of as f64), CONFIDENCE)
            .unwrap_or(Interval { low: 0.0, high: 1.0 });
        let share = (of > 0).then(|| count as f64 / of as f64);
        Self { count, of, share, low: interval.low, high: interval.high }
    }
}

/// A mean with its interval. With one run or none, the interval is unbounded, which JSON writes as null.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// The mean; null without runs.
    pub mean: Option<f64>,
    /// The interval's lower end.
    #[serde(deserialize_with = "null_is_minus_infinite")]
    pub low: f64,
    /// The interval's upper end.
    #[serde(deserialize_with = "null_is_infinite")]
    pub high: f64,
}

/// Durations in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Took {
    /// The median.
    pub median: f64,
    /// The 90th percentile.
    #[serde(rename = "p90")]
    pub most_of: f64,
    /// In so many runs.
    pub runs: u64,
}
