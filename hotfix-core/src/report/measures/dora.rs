//! The four DORA metrics over many logs, and their trend.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use serde::Serialize;

use super::incident_history::{Attempt, Incident, IncidentHistory};
use super::logs::opening;
use super::{MeasureError, Median};
use crate::canonical::Digest;
use crate::grade::{Moment, closed_set};
use crate::sorting::remove;
use crate::unit::{Span, Timestamp};

closed_set! {
    /// Length of the periods of a trend.
    Period {
        /// Calendar months, in UTC: `2026-03`.
        Month = "month",
        /// ISO weeks, Monday to Sunday, in UTC: `2026-W10`.
        Week = "week",
    }
}

impl Period {
    /// The first day of the period that contains a day.
    fn first(self, day: NaiveDate) -> NaiveDate {
        let before = match self {
            Self::Month => day.day0(),
            Self::Week => day.weekday().num_days_from_monday(),
        };
        day - Days::new(before.into())
    }

    fn next(self, first: NaiveDate) -> NaiveDate {
        let most = match self {
            Self::Month => 31,
            Self::Week => 7,
        };
        self.first(first + Days::new(most))
    }

    fn label(self, first: NaiveDate) -> String {
        let week = first.iso_week();
        match self {
            Self::Month => format!("{:04}-{:02}", first.year(), first.month()),
            Self::Week => format!("{:04}-W{:02}", week.year(), week.week()),
        }
    }
}

/// The four DORA metrics of the hot-fixes in a set of logs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dora {
    /// Length of the periods.
    pub by: Period,
    /// Number of logs.
    pub logs: usize,
    /// The periods from the first to the last one with data, including empty ones between them.
    pub periods: Vec<DoraRow>,
    /// All periods together.
    pub whole: DoraRow,
    /// Start points of the lead times.
    pub clocks: Clocks,
}

/// The four DORA metrics of a period.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DoraRow {
    /// `2026-03` or `2026-W10`; absent for the whole.
    pub period: Option<String>,
    /// Deployment frequency: versions that first had traffic in this period. Each attempt counts.
    pub deployments: usize,
    /// Outcomes of the deployments.
    pub outcomes: Outcomes,
    /// Share of failed deployments among the good and failed ones; absent without such.
    pub change_failure_rate: Option<f64>,
    /// Lead time for changes, for attempts whose clock started in this period.
    pub lead_time: Median,
    /// Time to restore, for incidents that began in this period.
    pub time_to_restore: Median,
}

/// Number of deployments by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcomes {
    /// Complete, and not rolled back afterwards.
    pub good: usize,
    /// Rolled back, frozen, failed or aborted.
    pub failed: usize,
    /// Replaced by another release before it was good or failed.
    pub superseded: usize,
    /// Still being watched: not yet good or failed.
    pub open: usize,
}

/// Number of lead times by their start point. The log does not contain the time of the commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Clocks {
    /// From `fix_started`, where it was recorded.
    pub fix_started: usize,
    /// From the time in the release's change record at which the plan was created.
    pub plan_created: usize,
    /// For a further attempt without either: from the time at which it replaced the previous one.
    pub attempt_begun: usize,
    /// Without a start point: not in the lead time.
    pub not_stated: usize,
}

/// The time so far, and whether it has ended; `None` where its beginning or end is not recorded.
type Lasted = Option<(Span, bool)>;

#[derive(Default)]
struct Cell {
    outcomes: Outcomes,
    lead: Vec<Lasted>,
    restore: Vec<Lasted>,
}

impl Cell {
    fn row(self, period: Option<String>) -> DoraRow {
        let Outcomes { good, failed, superseded, open } = self.outcomes;
        let decided = good + failed;
        DoraRow {
            period,
            deployments: good + failed + superseded + open,
            outcomes: self.outcomes,
            change_failure_rate: (decided > 0).then(|| failed as f64 / decided as f64),
            lead_time: Median::of(&self.lead),
            time_to_restore: Median::of(&self.restore),
        }
    }
}

struct Cells {
    by: Period,
    each: BTreeMap<NaiveDate, Cell>,
    /// All periods together.
    whole: Cell,
}

impl Cells {
    /// The cells in which something of this time counts: that of its period, and that of the whole.
    fn at(&mut self, at: Timestamp) -> [&mut Cell; 2] {
        let first = self.by.first(DateTime::<Utc>::from(at).date_naive());
        [self.each.entry(first).or_default(), &mut self.whole]
    }
}

/// Computes the four DORA metrics over the logs of many incidents, each passed once, in any order.
///
/// A deployment is an attempt whose version had traffic. It is good once it is complete, unless it
/// is rolled back afterwards. It is failed where it was rolled back, frozen, failed or aborted;
/// superseded where another release replaced it before; else open. The change failure rate is the
/// share of failed ones among good and failed deployments.
///
/// The lead time runs from the start of the fix until its version was deployed. The log does not
/// contain the time of the commit; [`Clocks`] counts the start points in use. The time to restore
/// runs from when the incident began (else was detected, else declared) until it was resolved. A
/// time that has not ended enters the median as still running ([`Median`]), as of the last line of
/// its log. An attempt that failed or was replaced before it was deployed has no lead time.
///
/// A deployment counts in the period in which the version first had traffic, a time in the period
/// in which its clock started, however long it takes.
///
/// ```
/// use hotfix_core::report::measures::{Period, dora};
/// let none = dora(&[], Period::Month)?;
/// assert_eq!((none.whole.deployments, none.whole.change_failure_rate), (0, None));
/// # Ok::<(), hotfix_core::report::measures::MeasureError>(())
/// ```
///
/// # Errors
/// [`MeasureError::Twice`] where two logs have the same opening line, as a log and its redacted copy
/// do, [`MeasureError::Log`] for a log that cannot be read.
///
/// Source of the metrics: Forsgren, Humble and Kim (2018), Accelerate.
pub fn dora(logs: &[&[u8]], by: Period) -> Result<Dora, MeasureError> {
    let mut cells = Cells { by, each: BTreeMap::new(), whole: Cell::default() };
    let mut clocks = Clocks::default();
    let mut openings: Vec<Option<Digest>> = Vec::with_capacity(logs.len());
    for (index, log) in logs.iter().enumerate() {
        let opening = opening(log);
        if let Some(first) = openings.iter().position(|known| *known == opening) {
            return Err(MeasureError::Twice { first, second: index });
        }
        openings.push(opening);
        let (rollout, history) = IncidentHistory::of(log, index)?;
        count(Incident { rollout: &rollout, history: &history }, &mut cells, &mut clocks);
    }
    let Cells { each: mut cells, whole, .. } = cells;
    let last = cells.keys().next_back().copied();
    let all = std::iter::successors(cells.keys().next().copied(), |first| Some(by.next(*first)));
    let all = all.take_while(|first| Some(*first) <= last);
    let row = |first| remove(&mut cells, &first).unwrap_or_default().row(Some(by.label(first)));
    let periods = all.map(row).collect();
    Ok(Dora { by, logs: logs.len(), periods, whole: whole.row(None), clocks })
}

fn count(incident: Incident<'_>, cells: &mut Cells, clocks: &mut Clocks) {
    let (began, restore) = incident.time_to_restore();
    for cell in cells.at(began) {
        cell.restore.push(restore);
    }
    for (index, attempt) in incident.history.attempts.iter().enumerate() {
        if let Some(live) = attempt.live {
            for Cell { outcomes, .. } in cells.at(live) {
                *match attempt {
                    Attempt { failed: Some(_), .. } => &mut outcomes.failed,
                    Attempt { good: Some(_), .. } => &mut outcomes.good,
                    Attempt { replaced: Some(_), .. } => &mut outcomes.superseded,
                    _ => &mut outcomes.open,
                } += 1;
            }
        }
        if let Some((since, lead)) = incident.lead_time(index, attempt, clocks) {
            for cell in cells.at(since) {
                cell.lead.push(lead);
            }
        }
    }
}

impl Incident<'_> {
    fn time_to_restore(&self) -> (Timestamp, Lasted) {
        let began = self.rollout.beginning().map_or(self.history.opened, |(_, at)| at);
        let time = match self.rollout.moment(Moment::Resolved) {
            Some(resolved) => (resolved >= began).then(|| (resolved.since(began), true)),
            None if self.over().is_some() => None,
            None => Some((self.history.last.since(began), false)),
        };
        (began, time)
    }

    /// Start of an attempt, and its lead time; `None` where it was not deployed and will not be.
    fn lead_time(
        &self,
        index: usize,
        attempt: &Attempt,
        clocks: &mut Clocks,
    ) -> Option<(Timestamp, Lasted)> {
        if attempt.deployed.is_none() && (attempt.failed.is_some() || attempt.replaced.is_some()) {
            return None;
        }
        // The recorded `fix_started` belongs to the attempt in whose time it lies.
        let recorded = self.rollout.moment(Moment::FixStarted);
        let next = self.history.attempts.get(index + 1);
        let own = recorded.filter(|at| {
            (index == 0 || *at >= attempt.begun) && next.is_none_or(|next| *at < next.begun)
        });
        let (clock, since) = match (own, attempt.planned) {
            (Some(started), _) => (&mut clocks.fix_started, started),
            (None, Some(planned)) => (&mut clocks.plan_created, planned),
            (None, None) if index > 0 => (&mut clocks.attempt_begun, attempt.begun),
            (None, None) => {
                clocks.not_stated += 1;
                return Some((attempt.begun, None));
            }
        };
        let end = attempt.deployed.unwrap_or(self.history.last);
        if end < since {
            // One of the two times is wrong.
            clocks.not_stated += 1;
            return Some((attempt.begun, None));
        }
        *clock += 1;
        Some((since, Some((end.since(since), attempt.deployed.is_some()))))
    }
}
