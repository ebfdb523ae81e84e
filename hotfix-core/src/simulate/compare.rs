//! Two policies against the same luck: what one does differently, run by run.

use std::ops::Range;

use serde::Serialize;

use crate::stats::interval::Interval;
use crate::unit::Timestamp;

use super::campaign::Campaign;
use super::error::{SimulationErrors, SimulationFault};
use super::run::Run;
use super::tally::{Mean, Outcome, Said, Sum, Tally, Truth, hurt, whole};

/// Two plans in one scenario and with one seed: run `i` of both meets the same traffic, faults and people.
///
/// What is alike in both is drawn alike: time of day, bursts, noise, instances and faults at each moment. What follows from
/// the decisions, as the requests that each version gets, is each plan's own.
#[derive(Clone, Debug)]
pub struct Comparison {
    first: Campaign,
    second: Campaign,
}

/// What came of a range of pairs; parts are merged as those of a campaign are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs {
    first: Tally,
    second: Tally,
    said: [Table; 6],
    hurt: Sum,
    hurt_by_canary: Sum,
    questions: Sum,
    duties_missed: Sum,
    /// Of the pairs that both went back rightly: how much longer the second one took.
    later: Sum,
    both_found: u64,
}

/// A question with two answers, of both: both yes, only the first, only the second, neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Table([u64; 4]);

impl Comparison {
    /// Two campaigns of one scenario and seed.
    ///
    /// # Errors
    /// `HF-SIM-011` where they have another scenario or seed.
    pub fn try_new(first: Campaign, second: Campaign) -> Result<Self, SimulationErrors> {
        if first.is_like(&second) {
            return Ok(Self { first, second });
        }
        let detail = "two plans are compared in one scenario and with one seed";
        Err(SimulationErrors::of("", SimulationFault::OtherCampaign { detail }))
    }

    /// Plays these pairs.
    pub fn pairs(&self, runs: Range<u64>) -> Pairs {
        let mut pairs = Pairs {
            first: self.first.nothing(),
            second: self.second.nothing(),
            ..Pairs::default()
        };
        // So many at a time that what is kept of the first ones stays small.
        let mut from = runs.start;
        while from < runs.end {
            let to = runs.end.min(from.saturating_add(64));
            let mut played = Vec::with_capacity(64);
            self.first.each(from..to, |_, run, truth| played.push((run.clone(), truth)));
            let mut played = played.into_iter();
            self.second.each(from..to, |_, run, truth| {
                if let Some((other, others)) = played.next() {
                    pairs.add((&other, others), (run, truth));
                }
            });
            from = to;
        }
        pairs
    }
}

impl Pairs {
    fn add(&mut self, first: (&Run, Truth), second: (&Run, Truth)) {
        self.first.add(first.0, first.1);
        self.second.add(second.0, second.1);
        let (a, b) = (Said::of(first.0, first.1), Said::of(second.0, second.1));
        for (table, (a, b)) in self.said.iter_mut().zip(a.all().into_iter().zip(b.all())) {
            table.0[2 * usize::from(!a) + usize::from(!b)] += 1;
        }
        self.hurt.add(hurt(second.0) - hurt(first.0));
        self.hurt_by_canary.add(whole(second.0.hurt.canary) - whole(first.0.hurt.canary));
        self.questions.add(i64::from(second.0.asked) - i64::from(first.0.asked));
        let missed = |run: &Run| i64::from(run.duties_missed);
        self.duties_missed.add(missed(second.0) - missed(first.0));
        let found = |(run, truth): (&Run, Truth)| -> Option<Timestamp> {
            run.turned_back_at.filter(|back| truth.bad_since.is_some_and(|bad| *back >= bad))
        };
        if let Some((a, b)) = found(first).zip(found(second)) {
            self.both_found += 1;
            self.later.add(b.as_millis() - a.as_millis());
        }
    }

    /// How many pairs it has.
    pub const fn runs(&self) -> u64 {
        self.first.runs()
    }

    /// Adds the pairs of another part of the same comparison.
    ///
    /// # Errors
    /// `HF-SIM-011` where it is of another one; this one is as before.
    pub fn merge(&mut self, other: Self) -> Result<(), SimulationErrors> {
        let mut merged = self.clone();
        merged.first.merge(other.first)?;
        merged.second.merge(other.second)?;
        for (table, other) in merged.said.iter_mut().zip(other.said) {
            for (count, more) in table.0.iter_mut().zip(other.0) {
                *count += more;
            }
        }
        merged.hurt.merge(other.hurt);
        merged.hurt_by_canary.merge(other.hurt_by_canary);
        merged.questions.merge(other.questions);
        merged.duties_missed.merge(other.duties_missed);
        merged.later.merge(other.later);
        merged.both_found += other.both_found;
        *self = merged;
        Ok(())
    }

    /// The table of differences: what the second has more than the first.
    pub fn differences(&self) -> Differences {
        let runs = self.runs();
        let [false_rollbacks, missed_faults, turned_back, completed, asked, duties_missed] =
            self.said.map(Table::difference);
        let seconds = self.later.mean(self.both_found);
        Differences {
            runs,
            first: self.first.outcome(),
            second: self.second.outcome(),
            false_rollbacks,
            missed_faults,
            turned_back,
            completed,
            asked,
            duties_missed,
            hurt_each: self.hurt.mean(runs),
            hurt_by_canary_each: self.hurt_by_canary.mean(runs),
            questions_each: self.questions.mean(runs),
            duties_missed_each: self.duties_missed.mean(runs),
            both_found: self.both_found,
            seconds_to_find: (self.both_found > 0).then(|| Mean {
                mean: seconds.mean / 1000.0,
                low: seconds.low / 1000.0,
                high: seconds.high / 1000.0,
            }),
        }
    }
}

impl Table {
    /// How much more often the second says yes, with the interval of Agresti and Min (2005, Statistics in Medicine 24(5)):
    /// Wald's on the four counts, each with a half more.
    fn difference(self) -> Difference {
        let [both, first, second, neither] = self.0;
        let all = (both + first + second + neither) as f64;
        let n = all + 2.0;
        let (b, c) = (first as f64 + 0.5, second as f64 + 0.5);
        let centre = (c - b) / n;
        let half =
            super::tally::DEVIATIONS * (((b + c) - (c - b) * (c - b) / n).max(0.0)).sqrt() / n;
        let interval = Interval { low: (centre - half).max(-1.0), high: (centre + half).min(1.0) };
        let difference = if all > 0.0 { (second as f64 - first as f64) / all } else { 0.0 };
        Difference {
            difference,
            low: interval.low.min(difference),
            high: interval.high.max(difference),
            only_first: first,
            only_second: second,
        }
    }
}

/// What the second policy has more than the first, over the same runs. Intervals are at 95% and of pairs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Differences {
    /// Pairs.
    pub runs: u64,
    /// The first policy by itself.
    pub first: Outcome,
    /// The second policy by itself.
    pub second: Outcome,
    /// Of all runs.
    pub false_rollbacks: Difference,
    /// Of all runs.
    pub missed_faults: Difference,
    /// Of all runs.
    pub turned_back: Difference,
    /// Of all runs.
    pub completed: Difference,
    /// Of all runs.
    pub asked: Difference,
    /// Of all runs.
    pub duties_missed: Difference,
    /// Requests that failed, a run.
    pub hurt_each: Mean,
    /// Those that the canary failed.
    pub hurt_by_canary_each: Mean,
    /// Questions, a run.
    pub questions_each: Mean,
    /// Duties missed, a run.
    pub duties_missed_each: Mean,
    /// Pairs in which both found the fault.
    pub both_found: u64,
    /// How much later the second found it, of these; absent where there are none.
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
    /// Runs in which it was so for the first alone.
    pub only_first: u64,
    /// Runs in which it was so for the second alone.
    pub only_second: u64,
}
