//! The comparison table: each metric, its baseline, and its values by phase.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::getters::getters;
use crate::grade::MetricKind;
use crate::metric::{Band, Judged, Window, in_unit, measured};
use crate::policy::section::{Bound, Phase};
use crate::unit::{MetricName, PhaseName, Share, Timestamp};

use super::aligned::Aligned;
use super::assess::seconds_watched;
use super::criterion::Without;
use super::cured::traffic;
use super::watched::Watched;
use super::{Decision, Judge, MetricVerdict, Reason, Verdict};

/// Metrics by phases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The phases, in order: the columns.
    pub phases: Vec<PhaseColumn>,
    /// One row for each metric, in the order of their ids.
    pub rows: Vec<ComparisonRow>,
}

/// A phase of the plan.
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseColumn {
    /// When it ended; absent if it is still watched or was not reached.
    pub ended: Option<Timestamp>,
    /// Its name.
    pub phase: PhaseName,
    /// The canary's share in it.
    pub share: Share,
    /// When it began; absent if it was not reached.
    pub since: Option<Timestamp>,
}

/// One metric.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparisonRow {
    /// One entry for each phase; null where there is no reading.
    pub cells: Vec<Option<Cell>>,
    /// Edges of its histogram in seconds, where it is a latency: values between them are
    /// interpolated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<f64>,
    /// Kind of its readings.
    pub kind: MetricKind,
    /// The live arm in this attempt, without warm-ups; absent without data.
    pub live: Option<f64>,
    /// The metric.
    pub metric: MetricName,
    /// The value from before the incident, where the policy has one.
    pub reference: Option<f64>,
    /// Its title.
    pub title: String,
}

/// A metric's value over the readings that count for the success bound of a phase, in the metric's
/// unit; over the whole phase where all of these came too long ago: its band is `stale` then.
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Band of the canary's value, or of `without_one` or `without_bursts`; absent with too few
    /// trials, and where a metric without trials was watched for less than the window.
    pub band: Option<Band>,
    /// The live arm; absent without data.
    pub baseline: Option<f64>,
    /// The canary.
    pub canary: f64,
    /// There was degradation in this phase, and it was over at its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub healed: bool,
    /// The canary over the trailing window at the end of the phase, if the evidence has risen within
    /// the phase by what decides: it was better before.
    pub latest: Option<f64>,
    /// The canary without the bursts that its evidence leaves out, if the success bound is met only then.
    pub without_bursts: Option<f64>,
    /// The canary without one of its instances, if the success bound is met only then.
    pub without_one: Option<f64>,
}

impl Cell {
    /// The canary without what is left out where the success bound is met only then, and what that is.
    pub(crate) fn without(&self) -> Option<(f64, &'static str)> {
        let one = self.without_one.map(|rest| (rest, "without one instance"));
        one.or_else(|| Some((self.without_bursts?, "without bursts")))
    }
}

/// A phase's values, stored when it ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PhaseRecord {
    pub(crate) index: usize,
    pub(crate) since: Timestamp,
    /// When and by what it ended.
    ended: Option<(Timestamp, EndedBy)>,
    /// One entry a metric.
    cells: Vec<Option<Cell>>,
}

/// By what a phase ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EndedBy {
    /// The last verdict about it was to promote.
    Met,
    /// It was to continue, and the time of the phase was not over.
    Early,
    /// One instance was worse than the others, or alone beyond a bound.
    OneInstance,
    /// Nothing was bad, and readings were missing.
    ReadingsMissing,
    /// It was another one.
    NotMet,
    /// A person was asked about harm that somebody stated, whatever the verdict.
    HarmStated,
}

impl EndedBy {
    /// By what a phase ends after this verdict; `is_early`: its time is not over.
    pub(crate) fn of(verdict: &Verdict, is_early: bool) -> Self {
        let reasons = || verdict.causes.iter().map(|cause| cause.reason);
        match verdict.decision {
            Decision::Promote => Self::Met,
            Decision::Continue if is_early => Self::Early,
            _ if reasons().any(Reason::is_of_one_instance) => Self::OneInstance,
            _ if reasons().any(|reason| !reason.waits()) => Self::NotMet,
            _ if reasons().any(Reason::is_missing) => Self::ReadingsMissing,
            _ if is_early => Self::Early,
            _ => Self::NotMet,
        }
    }

    /// Why the phase did not pass by itself; None if it did.
    pub(crate) const fn passed_without(self) -> Option<&'static str> {
        Some(match self {
            Self::Met => return None,
            Self::Early => "its time was not over",
            Self::OneInstance => "one instance was worse than the others",
            Self::ReadingsMissing => "readings were missing",
            Self::NotMet => "its criteria were not met",
            Self::HarmStated => "harm was stated while it was watched",
        })
    }
}

impl PhaseRecord {
    /// The phase's figures so far, at this share.
    pub(crate) fn of(judge: &Judge, index: usize, since: Timestamp, share: Share) -> Self {
        let cells = judge
            .watched
            .iter()
            .map(|watched| {
                let of_canary =
                    |columns: &[f64]| watched.value(columns, share.as_fraction())?.finite();
                let counts = of_canary(&watched.counted()[..watched.columns()]).is_some();
                let sums = if counts { watched.counted() } else { watched.window().phase() };
                let (canary, baseline) = sums.split_at(watched.columns());
                let (rest, without) = watched.judged_without(share);
                let leaves_out = |of| {
                    (without == Some(of)).then(|| of_canary(&rest[..watched.columns()])).flatten()
                };
                // The live version's last requests, which come while the last traffic moves, are no baseline.
                let before = watched.pre_deployment();
                let compares = share != Share::ALL || before.goes_on() || before.is_used_up();
                let live = watched.value(baseline, share.rest().as_fraction());
                let live = live.filter(|_| compares);
                Some(Cell {
                    band: if !counts {
                        Some(Band::Stale)
                    } else if watched.awaits_window() {
                        None
                    } else {
                        watched.phase_band(share)
                    },
                    baseline: live.and_then(Judged::finite),
                    canary: of_canary(canary)?,
                    healed: watched.degradation().healed,
                    latest: if watched.has_risen() {
                        of_canary(&watched.window().sums()[..watched.columns()])
                    } else {
                        None
                    },
                    without_bursts: leaves_out(Without::Bursts),
                    without_one: leaves_out(Without::Instance),
                })
            })
            .collect();
        Self { index, since, ended: None, cells }
    }

    /// The same record, of a phase that ended at this time by this.
    pub(crate) fn end(self, at: Timestamp, by: EndedBy) -> Self {
        Self { ended: Some((at, by)), ..self }
    }

    /// By what it ended; None if it has not.
    pub(crate) fn ended_by(&self) -> Option<EndedBy> {
        self.ended.map(|(_, by)| by)
    }
}

getters! {
    pub(crate) fn Watched: self;

    /// When the canary was read last.
    read_at: Option<Timestamp> = self.readings().read_at;
    /// Whether its rollback test has compared anything.
    has_compared: bool = self.tests().worse().is_some_and(Aligned::has_compared);
    /// Whether there are readings from before the start that it was not compared with yet.
    has_rows_left: bool = self.pre_deployment().goes_on();
    /// Whether its rollback test has counted events of both arms, so that the ratio has no replacement
    /// for zero.
    has_events_of_both: bool =
        self.compared().is_some_and(|of| of.canary.events > 0.0 && of.baseline.events > 0.0);
}

impl Watched {
    /// The values of canary and live version to show for a verdict: quantiles are interpolated, others
    /// as recorded.
    pub(crate) fn shown(&self, seen: &MetricVerdict) -> [Option<f64>; 2] {
        let recorded = [seen.canary, seen.baseline];
        if self.edges().is_empty() {
            return recorded;
        }
        let arms: [&[f64]; 2] = self.window().sums().split_at(self.columns()).into();
        let now = |arm| self.value(arm, 1.0).and_then(Judged::finite);
        [0, 1].map(|arm| recorded[arm].and_then(|_| now(arms[arm])))
    }

    /// Whether it has no trials, and was watched for less than the window: no bound applies yet.
    fn awaits_window(&self) -> bool {
        let (canary, _) = self.window().sums().split_at(self.columns());
        let (read_at, since) =
            (self.readings().read_at, self.readings().coverage.since(self.began()));
        let lacks = |at| seconds_watched(at, since) < self.watch().window.as_seconds();
        self.trials(canary).is_none() && read_at.is_some_and(lacks)
    }

    /// The live version's value before the deployment; None for traffic, which has hours.
    pub(crate) fn live_before(&self) -> Option<f64> {
        let has_hours = self.metric().kind.is_traffic();
        self.value(&self.totals().level, 1.0).and_then(Judged::finite).filter(|_| !has_hours)
    }

    /// What it shows of the canary over the readings that count for the success bound of a phase.
    pub(crate) fn over_the_phase(&self, share: Share) -> Option<f64> {
        self.value(&self.judged(share)[..self.columns()], share.as_fraction())?.finite()
    }

    /// As [`over_the_phase`](Self::over_the_phase), of the live version; None for what depends on its share
    /// of the traffic, and where all traffic has the fix.
    pub(crate) fn live_over_the_phase(&self, share: Share) -> Option<f64> {
        let is_compared = share < Share::ALL && !self.metric().scaled;
        let row = is_compared.then(|| self.judged(share))?;
        self.live_value(&row[self.columns()..], share)?.finite()
    }

    /// The figure of a bound at this share that the trailing window is compared with.
    pub(crate) fn bound_now(&self, share: Share, bound: Bound) -> Option<f64> {
        self.bound_over(self.window().sums(), share, bound)
    }

    /// As [`bound_now`](Self::bound_now), of what counts of the phase.
    pub(crate) fn bound_over_the_phase(&self, share: Share, bound: Bound) -> Option<f64> {
        self.bound_over(&self.judged(share), share, bound)
    }

    fn bound_over(&self, row: &[f64], share: Share, bound: Bound) -> Option<f64> {
        let (canary, baseline) = row.split_at(self.columns());
        let canary = self.value(canary, share.as_fraction())?;
        self.metric().figure_shown(bound, canary, self.live_value(baseline, share))
    }
}

/// The canary's part of the requests in the trailing window, while the split is not as planned; None
/// where no metric counts requests.
pub(crate) fn wrong_split(judge: &Judge) -> Option<f64> {
    let of = traffic(&judge.watched, &[]).filter(|_| judge.arms.split_is_wrong())?;
    let [canary, live] = judge.watched[of].window_counts().map(|arm| arm.trials);
    Some(canary / (canary + live)).filter(|part| part.is_finite())
}

/// Whether a metric is not judged because it is scaled by a share that the canary does not have.
pub(crate) fn waits_for_split(judge: &Judge, id: MetricName) -> bool {
    judge.arms.split_is_wrong() && judge.metric(id).is_some_and(|watched| watched.metric().scaled)
}

/// Whether the plan claims that the fix mends this metric, and that is not shown.
pub(crate) fn is_unproven(judge: &Judge, id: MetricName) -> bool {
    let fix = judge.fix_test.as_ref().filter(|fix| !fix.now.shown);
    fix.is_some_and(|fix| judge.watched[fix.metric].metric().id == id)
}

/// Each metric's values by sums of this kind at this share, in its unit: canary and live arm.
pub(crate) fn values(
    judge: &Judge,
    share: Share,
    sums: impl Fn(&Window) -> &[f64],
) -> impl Iterator<Item = (MetricName, [Option<f64>; 2])> {
    judge.watched.iter().map(move |watched| {
        let (canary, baseline) = sums(watched.window()).split_at(watched.columns());
        let arms = [(canary, share), (baseline, share.rest())]
            .map(|(arm, share)| watched.value(arm, share.as_fraction())?.finite());
        (watched.metric().id, arms)
    })
}

impl ComparisonRow {
    /// A reading of this metric with its unit.
    pub(crate) fn measured(&self, value: f64) -> String {
        measured(self.kind, &self.edges, value)
    }
}

impl Comparison {
    /// The table of these phases.
    pub(crate) fn of(judge: &Judge, phases: &[Phase], records: &[PhaseRecord]) -> Self {
        // A phase that was watched twice shows the last one.
        let of = |index: usize| records.iter().rev().find(|record| record.index == index);
        let columns = phases.iter().enumerate().map(|(index, phase)| PhaseColumn {
            ended: of(index).and_then(|record| Some(record.ended.as_ref()?.0)),
            phase: phase.name,
            share: phase.share,
            since: of(index).map(|record| record.since),
        });
        // Value of the live arm in the last phase that has one.
        let baseline =
            |row: usize| records.iter().rev().find_map(|of| (*of.cells.get(row)?)?.baseline);
        let rows = judge.watched.iter().enumerate().map(|(row, watched)| ComparisonRow {
            cells: (0..phases.len())
                .map(|index| of(index).and_then(|record| *record.cells.get(row)?))
                .collect(),
            edges: watched.edges().to_vec(),
            kind: watched.metric().kind,
            // The last phase's is used for traffic, which has hours, and where readings from before
            // are those of an earlier attempt.
            live: watched.live_before().or_else(|| baseline(row)),
            metric: watched.metric().id,
            reference: watched.metric().reference,
            title: watched.metric().title.clone(),
        });
        Self { phases: columns.collect(), rows: rows.collect() }
    }

    /// The table in Markdown: each metric's reference, the live version, and the fix in each phase; `-`
    /// means no reading.
    pub fn to_markdown(&self) -> String {
        let mut text = String::from("| metric | reference | live version |");
        // Writing to a string does not fail.
        for PhaseColumn { phase, share, .. } in &self.phases {
            let _ = write!(text, " {phase} ({share}) |");
        }
        text.push_str("\n|---|---|---|");
        text.push_str(&"---|".repeat(self.phases.len()));
        text.push('\n');
        for row in &self.rows {
            let before = row.reference.map(|value| in_unit(row.kind, value));
            let live = row.live.map(|value| row.measured(value));
            let title = row.title.replace('|', "\\|");
            let [before, live] = [&before, &live].map(|value| value.as_deref().unwrap_or("-"));
            let _ = write!(text, "| {title} | {before} | {live} |");
            for cell in &row.cells {
                match cell {
                    Some(cell) => {
                        let _ = write!(text, " {}", row.measured(cell.canary));
                        let latest = cell.latest.map(|latest| (latest, "at the end"));
                        for (other, of) in cell.without().into_iter().chain(latest) {
                            let _ = write!(text, " ({} {of})", row.measured(other));
                        }
                        if let Some(band) = cell.band {
                            let _ = write!(text, ", {band}");
                        }
                        text.push_str(if cell.healed { ", healed |" } else { " |" });
                    }
                    None => text.push_str(" - |"),
                }
            }
            text.push('\n');
        }
        text
    }
}
