//! Comparison of two policies with the same random numbers, run by run.

use std::ops::Range;

use serde::Serialize;

use super::campaign::Campaign;
use super::error::{SimulationErrors, SimulationFault};
use super::run::Run;
use super::tally::{DEVIATIONS, Mean, SimulatedOutcome, Sum, Tally, Truth, facts, numbers};

/// Two plans in one scenario with one seed: run `i` of both has the same traffic, faults and
/// people.
///
/// Both have the same time of day, bursts, noise, instances and faults at each moment. Effects of
/// the decisions differ, such as the requests of each version.
#[derive(Clone, Debug)]
pub struct Comparison {
    first: Campaign,
    second: Campaign,
}

/// The results of a range of pairs. Parts are merged like those of a campaign.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs {
    first: Tally,
    second: Tally,
    tables: [Table; 6],
    /// The differences of affected requests, of those of the canary, of questions and of missed
    /// duties.
    each: [Sum; 4],
    /// Of the pairs with two correct rollbacks: how much longer the second one took, in milliseconds.
    later: Sum,
    both_found: u64,
}

/// The pairs by a yes-or-no fact: both, only the first, only the second, neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Table([u64; 4]);

impl Comparison {
    /// Two campaigns of one scenario and seed.
    ///
    /// # Errors
    /// An error if they differ in scenario or seed.
    pub fn try_new(first: Campaign, second: Campaign) -> Result<Self, SimulationErrors> {
        if first.is_like(&second) {
            return Ok(Self { first, second });
        }
        let detail = "the two plans have different scenarios or seeds";
        Err(SimulationErrors::of("", SimulationFault::OtherCampaign { detail }))
    }

    /// Runs these pairs.
    pub fn pairs(&self, runs: Range<u64>) -> Pairs {
        let mut pairs = Pairs {
            first: self.first.nothing(),
            second: self.second.nothing(),
            ..Pairs::default()
        };
        // In batches, so that the memory for the first runs stays small.
        for from in runs.clone().step_by(64) {
            let batch = from..runs.end.min(from.saturating_add(64));
            let mut played = Vec::with_capacity(64);
            self.first.each(batch.clone(), |_, run, truth| played.push((run.clone(), truth)));
            let mut played = played.into_iter();
            self.second.each(batch, |_, run, truth| {
                if let Some((other, others)) = played.next() {
                    pairs.add((&other, others), (run, truth));
                }
            });
        }
        pairs
    }
}

impl Pairs {
    fn add(&mut self, first: (&Run, Truth), second: (&Run, Truth)) {
        self.first.add(first.0, first.1);
        self.second.add(second.0, second.1);
        let (a, b) = (facts(first.0, first.1), facts(second.0, second.1));
        for (table, (a, b)) in self.tables.iter_mut().zip(a.into_iter().zip(b)) {
            table.0[2 * usize::from(!a) + usize::from(!b)] += 1;
        }
        let compared = |run: &Run| {
            let [canary, live, missed, asked, ..] = numbers(run);
            [canary + live, canary, asked, missed]
        };
        let (a, b) = (compared(first.0), compared(second.0));
        for (sum, (a, b)) in self.each.iter_mut().zip(a.into_iter().zip(b)) {
            sum.add(b - a);
        }
        let took = |(run, truth): (&Run, Truth)| {
            truth.found(run).map(|(back, bad)| back.as_millis() - bad.as_millis())
        };
        if let Some((a, b)) = took(first).zip(took(second)) {
            self.both_found += 1;
            self.later.add(b - a);
        }
    }

    /// The number of pairs.
    pub const fn runs(&self) -> u64 {
        self.first.runs()
    }

    /// Adds the pairs of another part of the same comparison.
    ///
    /// # Errors
    /// An error if it is of another comparison; this one is then unchanged.
    pub fn merge(&mut self, other: Self) -> Result<(), SimulationErrors> {
        let mut merged = self.clone();
        merged.first.merge(other.first)?;
        merged.second.merge(other.second)?;
        for (table, other) in merged.tables.iter_mut().zip(other.tables) {
            for (count, more) in table.0.iter_mut().zip(other.0) {
                *count += more;
            }
        }
        for (sum, other) in merged.each.iter_mut().zip(other.each) {
            sum.merge(other);
        }
        merged.later.merge(other.later);
        merged.both_found += other.both_found;
        *self = merged;
        Ok(())
    }

    /// The table of differences: the second less the first.
    pub fn differences(&self) -> Differences {
        let runs = self.runs();
        let [false_rollbacks, missed_faults, rolled_back, completed, asked, duties_missed] =
            self.tables.map(Table::difference);
        let [affected, affected_by_canary, questions, missed_duties] =
            self.each.map(|sum| sum.mean(runs));
        let seconds = self.later.mean(self.both_found);
        Differences {
            runs,
            first: self.first.outcome(),
            second: self.second.outcome(),
            false_rollbacks,
            missed_faults,
            rolled_back,
            completed,
            asked,
            duties_missed,
            affected_each: affected,
            affected_by_canary_each: affected_by_canary,
            questions_each: questions,
            duties_missed_each: missed_duties,
            both_found: self.both_found,
            seconds_to_find: (self.both_found > 0).then(|| Mean {
                mean: seconds.mean.map(|mean| mean / 1000.0),
                low: seconds.low / 1000.0,
                high: seconds.high / 1000.0,
            }),
        }
    }
}

impl Table {
    /// How much more often the fact is true of the second, with the interval of Agresti and Min
    /// (2005, Statistics in Medicine 24(5)): Wald's on the four counts, each increased by a half.
    fn difference(self) -> Difference {
        let [both, first, second, neither] = self.0;
        let all = (both + first + second + neither) as f64;
        let n = all + 2.0;
        let (b, c) = (first as f64 + 0.5, second as f64 + 0.5);
        let centre = (c - b) / n;
        let half = DEVIATIONS * (((b + c) - (c - b) * (c - b) / n).max(0.0)).sqrt() / n;
        let difference = if all > 0.0 { (second as f64 - first as f64) / all } else { 0.0 };
        Difference {
            difference,
            low: (centre - half).max(-1.0).min(difference),
            high: (centre + half).min(1.0).max(difference),
            only_first: first,
            only_second: second,
        }
    }
}

/// The difference of the second policy and the first over the same runs. Intervals are at 95%, for
/// pairs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Differences {
    /// Pairs.
    pub runs: u64,
    /// The first policy by itself.
    pub first: SimulatedOutcome,
    /// The second policy by itself.
    pub second: SimulatedOutcome,
    /// Share of all runs with a false rollback.
    pub false_rollbacks: Difference,
    /// Share of all runs with a missed fault.
    pub missed_faults: Difference,
    /// Share of all runs that were rolled back.
    pub rolled_back: Difference,
    /// Share of all runs that were complete.
    pub completed: Difference,
    /// Share of all runs in which somebody was asked.
    pub asked: Difference,
    /// Share of all runs with a missed duty.
    pub duties_missed: Difference,
    /// Failed requests, per run.
    pub affected_each: Mean,
    /// Requests that the canary failed, per run.
    pub affected_by_canary_each: Mean,
    /// Questions, per run.
    pub questions_each: Mean,
    /// Missed duties, per run.
    pub duties_missed_each: Mean,
    /// Pairs in which both found the fault.
    pub both_found: u64,
    /// How much longer the second took from the beginning of the fault. Absent without such pairs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_to_find: Option<Mean>,
}

/// A difference of two shares of the same runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The second's share less the first's.
    pub difference: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
    /// Runs in which the fact is true of the first alone.
    pub only_first: u64,
    /// Runs in which the fact is true of the second alone.
    pub only_second: u64,
}
