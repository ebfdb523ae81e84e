//! DORA's four keys over many logs, and their trend (POST-3).

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Utc};
use serde::Serialize;

use super::course::{Attempt, Course, Incident};
use super::logs::first_line;
use super::{Chart, MeasureError, Median, page};
use crate::canonical::Digest;
use crate::grade::{Moment, closed_set};
use crate::unit::{Span, Timestamp};

closed_set! {
    /// How long the periods of a trend are.
    Period {
        /// Calendar months, in UTC: `2026-03`.
        Month = "month",
        /// ISO weeks, Monday to Sunday, in UTC: `2026-W10`.
        Week = "week",
    }
}

impl Period {
    /// The period that a time lies in.
    fn of(self, at: Timestamp) -> Label {
        let at: DateTime<Utc> = at.into();
        match self {
            Self::Month => Label { year: at.year(), part: at.month(), by: self },
            Self::Week => {
                let week = at.iso_week();
                Label { year: week.year(), part: week.week(), by: self }
            }
        }
    }
}

/// A period, in the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Label {
    year: i32,
    part: u32,
    by: Period,
}

impl Label {
    fn next(self) -> Self {
        let last = match self.by {
            Period::Month => 12,
            // The 28th of December lies in the last week of its year.
            Period::Week => chrono::NaiveDate::from_ymd_opt(self.year, 12, 28)
                .map_or(52, |day| day.iso_week().week()),
        };
        if self.part < last {
            Self { part: self.part + 1, ..self }
        } else {
            Self { year: self.year + 1, part: 1, ..self }
        }
    }
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let week = if self.by == Period::Week { "W" } else { "" };
        write!(f, "{:04}-{week}{:02}", self.year, self.part)
    }
}

/// DORA's four keys of the hot-fixes in some logs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dora {
    /// How long the periods are.
    pub by: Period,
    /// How many logs they are of.
    pub logs: usize,
    /// The periods from the first with anything in it to the last, those with nothing as well.
    pub periods: Vec<DoraRow>,
    /// All periods together.
    pub whole: DoraRow,
    /// What the lead times count from.
    pub clocks: Clocks,
}

/// The four keys of a period.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DoraRow {
    /// `2026-03` or `2026-W10`; absent for the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// Deployment frequency: versions that first had traffic in this period. Each attempt is one.
    pub deployments: usize,
    /// What became of them.
    pub outcomes: Outcomes,
    /// Failed ones of those that failed or were good; absent where there is none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_failure_rate: Option<f64>,
    /// Lead time for changes, of attempts whose clock started in this period.
    pub lead_time: Median,
    /// Time to restore, of incidents that began in this period.
    pub time_to_restore: Median,
}

/// What became of deployments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcomes {
    /// Complete, and it stayed so.
    pub good: usize,
    /// It went back, froze, failed or was aborted.
    pub failed: usize,
    /// Another release took its place before it showed what it was: neither.
    pub superseded: usize,
    /// It is still watched: neither yet.
    pub open: usize,
}

/// From when lead times count: the time of the commit is in no log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Clocks {
    /// From `fix_started`, which somebody told.
    pub fix_started: usize,
    /// From when the release's record says that its plan was made.
    pub plan_created: usize,
    /// Of another attempt without either: from when it took the place of the one before.
    pub attempt_begun: usize,
    /// Nothing tells: in no figure.
    pub not_said: usize,
}

/// What a clock has shown so far: since when, how long, and whether it has stopped.
type Lasted = (Timestamp, Span, bool);

#[derive(Default)]
struct Cell {
    outcomes: Outcomes,
    lead: Vec<(Span, bool)>,
    lead_not_said: usize,
    restore: Vec<(Span, bool)>,
    restore_not_said: usize,
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
            lead_time: Median::of(self.lead, self.lead_not_said),
            time_to_restore: Median::of(self.restore, self.restore_not_said),
        }
    }

    fn add(&mut self, other: &Self) {
        self.outcomes.good += other.outcomes.good;
        self.outcomes.failed += other.outcomes.failed;
        self.outcomes.superseded += other.outcomes.superseded;
        self.outcomes.open += other.outcomes.open;
        self.lead.extend_from_slice(&other.lead);
        self.lead_not_said += other.lead_not_said;
        self.restore.extend_from_slice(&other.restore);
        self.restore_not_said += other.restore_not_said;
    }
}

/// DORA's four keys over the logs of many incidents, each given once, in any order.
///
/// A deployment is an attempt whose version had traffic. It is good once it is complete, unless it went back after all;
/// failed where it went back, froze, failed or was aborted; superseded where another release took its place before either;
/// else open. The change failure rate is of those that are good or failed.
///
/// The lead time runs from when the fix was begun until its version was deployed; the log has no time of the commit, and
/// [`Clocks`] says what it has. The time to restore runs from when the incident began (else was detected, else declared)
/// until it was resolved. What has not ended is in the median as a time that still runs ([`Median`]), as of the last line of
/// its log. An attempt that failed or was replaced before it was deployed has no lead time.
///
/// Counts stand in the period in which the version first had traffic, times in that in which their clock started: a period's
/// times are of the same incidents however long these take.
///
/// ```
/// use hotfix_core::report::measures::{Period, dora};
/// let none = dora(&[], Period::Month)?;
/// assert_eq!((none.whole.deployments, none.whole.change_failure_rate), (0, None));
/// # Ok::<(), hotfix_core::report::measures::MeasureError>(())
/// ```
///
/// # Errors
/// `HF-REP-020` where two logs begin with the same line; what a broken log gives, with its place.
///
/// Shows POST-3. Source of the keys: Forsgren, Humble and Kim (2018), Accelerate.
pub fn dora(logs: &[&[u8]], by: Period) -> Result<Dora, MeasureError> {
    let mut cells: BTreeMap<Label, Cell> = BTreeMap::new();
    let mut clocks = Clocks::default();
    let mut openings: Vec<Digest> = Vec::with_capacity(logs.len());
    for (index, log) in logs.iter().enumerate() {
        let opening = Digest::of(first_line(log));
        if let Some(first) = openings.iter().position(|known| *known == opening) {
            return Err(MeasureError::Twice { first, second: index });
        }
        openings.push(opening);
        let (rollout, course) =
            Course::read(log).map_err(|error| MeasureError::of_log(index, error))?;
        count(Incident { rollout: &rollout, course: &course }, by, &mut cells, &mut clocks);
    }
    let mut whole = Cell::default();
    for cell in cells.values() {
        whole.add(cell);
    }
    let ends = cells.keys().next().copied().zip(cells.keys().next_back().copied());
    let mut periods = Vec::new();
    if let Some((first, last)) = ends {
        let mut label = first;
        while label <= last {
            periods.push(cells.remove(&label).unwrap_or_default().row(Some(label.to_string())));
            label = label.next();
        }
    }
    Ok(Dora { by, logs: logs.len(), periods, whole: whole.row(None), clocks })
}

fn count(
    incident: Incident<'_>,
    by: Period,
    cells: &mut BTreeMap<Label, Cell>,
    clocks: &mut Clocks,
) {
    let restore = incident.time_to_restore();
    let cell = cells.entry(by.of(restore.0)).or_default();
    match restore.1 {
        Some(time) => cell.restore.push(time),
        None => cell.restore_not_said += 1,
    }
    for (index, attempt) in incident.course.attempts.iter().enumerate() {
        if let Some(live) = attempt.live {
            let outcomes = &mut cells.entry(by.of(live)).or_default().outcomes;
            match attempt.outcome() {
                Outcome::Good => outcomes.good += 1,
                Outcome::Failed => outcomes.failed += 1,
                Outcome::Superseded => outcomes.superseded += 1,
                Outcome::Open => outcomes.open += 1,
            }
        }
        match incident.lead_time(index, attempt, clocks) {
            Lead::None => {}
            Lead::NotSaid => {
                cells.entry(by.of(attempt.begun)).or_default().lead_not_said += 1;
            }
            Lead::Lasted((since, span, ended)) => {
                cells.entry(by.of(since)).or_default().lead.push((span, ended));
            }
        }
    }
}

enum Lead {
    /// It was never deployed and will not be.
    None,
    NotSaid,
    Lasted(Lasted),
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Good,
    Failed,
    Superseded,
    Open,
}

impl Attempt {
    const fn outcome(&self) -> Outcome {
        match self {
            Self { failed: Some(_), .. } => Outcome::Failed,
            Self { good: Some(_), .. } => Outcome::Good,
            Self { replaced: Some(_), .. } => Outcome::Superseded,
            _ => Outcome::Open,
        }
    }
}

impl Incident<'_> {
    /// The period's time, and how long it took or takes; none where the end is not on record.
    fn time_to_restore(&self) -> (Timestamp, Option<(Span, bool)>) {
        let began = self.rollout.beginning().map_or(self.course.opened, |(_, at)| at);
        let time = match self.rollout.moment(Moment::Resolved) {
            Some(resolved) => (resolved >= began).then(|| (resolved.since(began), true)),
            None if self.is_over() => None,
            None => Some((self.course.last.since(began), false)),
        };
        (began, time)
    }

    fn lead_time(&self, index: usize, attempt: &Attempt, clocks: &mut Clocks) -> Lead {
        if attempt.deployed.is_none() && (attempt.failed.is_some() || attempt.replaced.is_some()) {
            return Lead::None;
        }
        // Of several attempts `fix_started` is the last one's that was told, and none before it began after that.
        let told = self.rollout.moment(Moment::FixStarted);
        let next = self.course.attempts.get(index + 1);
        let own = told.filter(|told| {
            (index == 0 || *told >= attempt.begun) && next.is_none_or(|next| *told < next.begun)
        });
        let (clock, since) = match (own, attempt.planned) {
            (Some(told), _) => (&mut clocks.fix_started, told),
            (None, Some(planned)) => (&mut clocks.plan_created, planned),
            (None, None) if index > 0 => (&mut clocks.attempt_begun, attempt.begun),
            (None, None) => {
                clocks.not_said += 1;
                return Lead::NotSaid;
            }
        };
        *clock += 1;
        let end = attempt.deployed.unwrap_or(self.course.last);
        Lead::Lasted((since, end.since(since), attempt.deployed.is_some()))
    }
}

impl Dora {
    /// The trend as a table in Markdown, the whole in its last row.
    pub fn to_markdown(&self) -> String {
        page::trend(self)
    }

    /// The trend as an SVG with its text alternative; none without a period.
    pub fn chart(&self) -> Option<Chart> {
        super::trend::trend(self)
    }
}
