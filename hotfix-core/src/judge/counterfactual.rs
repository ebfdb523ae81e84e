//! Counterfactuals: the smallest change of a tick that would have changed the decision.
//!
//! Each metric keeps what its tests were before the last tick, so the tick can be judged again with
//! other counts. Another bad event at equal trials never makes a verdict less severe, so the
//! smallest change lies at the edge of an interval and is found by doubling and bisection.

use crate::metric_kind::Data;
use crate::stats::MAX_COUNT;
use crate::stats::numeric::{between, whole_between};

use super::format::shown_figure;
use super::why::{Counterfactual, NoCounterfactual};
use super::{Cause, Decision, Judge, Moment, Reason, Verdict};

impl Counterfactual {
    /// The smallest change of this metric's tick that would have led to another decision.
    pub(super) fn of(judge: &Judge, index: usize, moment: &Moment<'_>, verdict: &Verdict) -> Self {
        let watched = &judge.watched[index];
        if watched.readings().read_at != Some(moment.at) {
            return Self::None { reason: NoCounterfactual::NoReading };
        }
        if watched.last_tick().at != Some(moment.at) {
            return Self::None { reason: NoCounterfactual::NotAccepted };
        }
        if watched.last_tick().in_parts {
            return Self::None { reason: NoCounterfactual::InParts };
        }
        let mut search = Search {
            judge,
            index,
            moment,
            made: verdict,
            asks: moment.due.is_none() && verdict.has(Reason::NotJudged),
            scratch: judge.clone(),
            verdict: verdict.clone(),
        };
        let found = match watched.metric().kind.data() {
            Data::Trials | Data::Exposure => search.events(),
            Data::Buckets => search.slow(),
            Data::Level => search.level(),
        };
        found.unwrap_or(Self::None { reason: NoCounterfactual::NothingChanges })
    }
}

/// Search over changed ticks of one metric.
struct Search<'a> {
    judge: &'a Judge,
    index: usize,
    moment: &'a Moment<'a>,
    /// The verdict that was made.
    made: &'a Verdict,
    /// Outside of a gate, the rollout asks because nothing judges: whatever the judge decides, unless
    /// to roll back.
    asks: bool,
    scratch: Judge,
    verdict: Verdict,
}

impl Search<'_> {
    fn row(&self) -> &[f64] {
        &self.judge.watched[self.index].last_tick().row
    }

    /// The decision with this row instead, where it is another.
    fn changed(&mut self, row: &[f64]) -> Option<Decision> {
        self.scratch.watched[self.index].clone_from(&self.judge.watched[self.index]);
        let increment = self.scratch.watched[self.index].reapply(self.moment.at, row);
        if let (Some(scratch), Some(of)) = (&mut self.scratch.fix_test, &self.judge.fix_test)
            && of.metric == self.index
        {
            scratch.learn_again(of, &self.scratch.watched[self.index], &increment);
        }
        self.scratch.phase_end.clone_from(&self.judge.phase_end);
        if let Some((phase, since)) =
            self.scratch.phase_end.as_mut().and_then(|end| end.undo(self.moment.at))
        {
            self.scratch.end_phase(self.moment.at, phase, since);
        }
        self.scratch.arms.compare(&self.scratch.watched, self.moment.share);
        self.scratch.assess(self.moment, &mut self.verdict);
        let then = self.verdict.decision;
        // Checks of the arms, which may ask sooner, are not made again: what they found stays.
        let is_found = |cause: &Cause| {
            cause.reason != Reason::SplitNotAsPlanned || self.made.causes.contains(cause)
        };
        let counts = (then == Decision::RollBack || !self.asks)
            && self.verdict.causes.first().is_none_or(is_found);
        (counts && then != self.made.decision).then_some(then)
    }

    /// The smallest whole `step`, at most `most`, for which the row `at(row, step)` leads to
    /// another decision.
    fn least(
        &mut self,
        most: f64,
        at: &dyn Fn(&[f64], f64) -> Vec<f64>,
    ) -> Option<(f64, Decision)> {
        let mut changed = |step: f64| self.changed(&at(self.row(), step));
        let (mut kept, mut step) = (0.0, 1.0);
        if most.is_nan() || most < 1.0 {
            return None;
        }
        let mut then = loop {
            if let Some(then) = changed(step) {
                break then;
            }
            if step >= most {
                return None;
            }
            (kept, step) = (step, (step * 2.0).min(most));
        };
        while let Some(middle) = whole_between(kept, step) {
            match changed(middle) {
                Some(other) => (step, then) = (middle, other),
                None => kept = middle,
            }
        }
        Some((step, then))
    }

    /// Fewer or more events of the canary in as many trials.
    fn events(&mut self) -> Option<Counterfactual> {
        let (from, trials) = (self.row()[0], self.row()[1]);
        let most = if self.judge.watched[self.index].metric().kind.is_fraction() {
            (trials - from).floor()
        } else {
            // A count has no upper end; beyond this it is not a valid count of events.
            MAX_COUNT / 1024.0
        };
        let changed = |row: &[f64], by: f64| {
            let mut row = row.to_vec();
            row[0] += by;
            row
        };
        let fewer = self.least(from.floor(), &|row, step| changed(row, -step));
        // No further than in the other direction.
        let most = fewer.map_or(most, |(step, _)| most.min(step));
        let more = self.least(most, &|row, step| changed(row, step));
        let to = nearer(fewer, more)?;
        Some(Counterfactual::Events { from, to: from + to.0, then: to.1 })
    }

    /// More or fewer requests of the canary above one edge of its histogram; they move between the
    /// buckets next to it.
    fn slow(&mut self) -> Option<Counterfactual> {
        let columns = self.judge.watched[self.index].columns();
        let mut best: Option<(f64, Counterfactual)> = None;
        for edge in self.judge.watched[self.index].deciding_edges() {
            let column = 1 + edge;
            let (count, at_or_below) = (self.row()[0], self.row()[column]);
            let from = count - at_or_below;
            let within = |most: f64, best: &Option<(f64, Counterfactual)>| {
                best.as_ref().map_or(most, |(step, _)| most.min(step - 1.0))
            };
            // A slower request is taken from the buckets below the edge, a faster one from above.
            let slower = |row: &[f64], step: f64| {
                let mut row = row.to_vec();
                let left = row[column] - step;
                row[1..=column].iter_mut().for_each(|count| *count = count.min(left));
                row
            };
            let faster = |row: &[f64], step: f64| {
                let mut row = row.to_vec();
                let reached = row[column] + step;
                row[column..columns].iter_mut().for_each(|count| *count = count.max(reached));
                row
            };
            let fewer = self.least(within(from.floor(), &best), &faster);
            let most = fewer.map_or(at_or_below, |(step, _)| step.min(at_or_below)).floor();
            let more = self.least(within(most, &best), &slower);
            if let Some((by, then)) = nearer(fewer, more) {
                let above = self.judge.watched[self.index].edges()[edge];
                best = Some((by.abs(), Counterfactual::Slow { above, from, to: from + by, then }));
            }
        }
        best.map(|(_, found)| found)
    }

    /// Another value of a gauge or a volume.
    fn level(&mut self) -> Option<Counterfactual> {
        // A scrape that is sent again covers no time, and changes nothing.
        let from = Some(self.row()).filter(|row| row[1] > 0.0).map(|row| row[0] / row[1])?;
        // Most levels cannot be negative: a queue, a share, a volume.
        let floor = if from >= 0.0 { 0.0 } else { -MAX_COUNT };
        let lower = self.nearest_level(from, -1.0, floor);
        let higher = self.nearest_level(from, 1.0, MAX_COUNT);
        let (to, then) = match (lower, higher) {
            (Some(lower), Some(higher)) if higher.0 - from < from - lower.0 => higher,
            (Some(lower), _) => lower,
            (None, higher) => higher?,
        };
        Some(Counterfactual::Level { from, to, then })
    }

    /// The nearest value in one direction that changes the decision: the figure that people read
    /// where it does, else to nine digits.
    fn nearest_level(&mut self, from: f64, sign: f64, end: f64) -> Option<(f64, Decision)> {
        let mut changed = |to: f64| {
            let mut row = self.row().to_vec();
            row[0] = to * row[1];
            self.changed(&row)
        };
        let bounded = |to: f64| if sign > 0.0 { to.min(end) } else { to.max(end) };
        let mut kept = from;
        let mut step = from.abs().max(1e-6) * 1e-3;
        let (mut to, mut then) = loop {
            let to = bounded(from + sign * step);
            if to == kept {
                return None;
            }
            if let Some(then) = changed(to) {
                break (to, then);
            }
            (kept, step) = (to, step * 2.0);
        };
        while let Some(middle) = between(kept, to) {
            if (to - kept).abs() <= 1e-9 * to.abs().max(kept.abs()) {
                break;
            }
            match changed(middle) {
                Some(other) => (to, then) = (middle, other),
                None => kept = middle,
            }
        }
        let figure = shown_figure(to);
        match changed(figure) {
            Some(other) if other == then => Some((figure, then)),
            _ => Some((to, then)),
        }
    }
}

/// The smaller of a decrease and an increase; the decrease where both are equal.
fn nearer(
    fewer: Option<(f64, Decision)>,
    more: Option<(f64, Decision)>,
) -> Option<(f64, Decision)> {
    match (fewer, more) {
        (Some((fewer, _)), Some((more, then))) if more < fewer => Some((more, then)),
        (Some((fewer, then)), _) => Some((-fewer, then)),
        (None, more) => more,
    }
}
