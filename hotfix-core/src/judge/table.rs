//! The comparison table: each metric, its baseline, and what each phase read (MET-4, MET-7).

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::grade::MetricKind;
use crate::metric::{Band, Judged};
use crate::policy::section::Phase;
use crate::unit::{MetricName, PhaseName, Share, Timestamp};

use super::Judge;
use super::words::in_unit;

/// Metrics by phases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The phases, in order: the columns.
    pub phases: Vec<PhaseColumn>,
    /// One row a metric, in the order of their ids.
    pub rows: Vec<ComparisonRow>,
}

/// A phase of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseColumn {
    /// When it ended; absent for one that is still watched or was not reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Its name.
    pub phase: PhaseName,
    /// The canary's share in it.
    pub share: Share,
    /// Since when it was watched; absent for one that was not reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// One metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparisonRow {
    /// One entry a phase; absent where there is no reading.
    pub cells: Vec<Option<Cell>>,
    /// What its readings are.
    pub kind: MetricKind,
    /// The live arm over the whole rollout; absent without data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<f64>,
    /// The metric.
    pub metric: MetricName,
    /// The value from before the incident, where the policy has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<f64>,
    /// What people call it.
    pub title: String,
}

/// What a phase read of a metric, in the metric's unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Where the canary's value stands over the whole phase; absent with too few trials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<Band>,
    /// The live arm; absent without data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// The canary.
    pub canary: f64,
    /// There was trouble in this phase, and it was over at its end (FIELD-8).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub healed: bool,
}

/// What a phase read, kept when it ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PhaseRecord {
    pub(crate) index: usize,
    pub(crate) since: Timestamp,
    pub(crate) ended: Option<Timestamp>,
    /// One entry a metric.
    cells: Vec<Option<Cell>>,
}

impl Judge {
    /// The phase's figures so far, at this share.
    pub(crate) fn record_phase(
        &self,
        index: usize,
        since: Timestamp,
        ended: Option<Timestamp>,
        share: Share,
    ) -> PhaseRecord {
        let shown = |value: Judged| Some(value.shown()).filter(|v| v.is_finite());
        let cells = self
            .watched
            .iter()
            .map(|watched| {
                let (canary, baseline) = watched.window.phase().split_at(watched.columns());
                let live = watched.value(baseline, share.rest().as_fraction());
                Some(Cell {
                    band: watched.phase_band(share),
                    baseline: live.and_then(shown),
                    canary: watched.value(canary, share.as_fraction()).and_then(shown)?,
                    healed: watched.trouble.has_healed(),
                })
            })
            .collect();
        PhaseRecord { index, since, ended, cells }
    }

    /// What each metric's trailing window reads at this share, in the metric's unit: canary and live arm.
    pub(crate) fn levels(
        &self,
        share: Share,
    ) -> impl Iterator<Item = (MetricName, [Option<f64>; 2])> {
        self.watched.iter().map(move |watched| {
            let (canary, baseline) = watched.window.sums().split_at(watched.columns());
            let arms = [(canary, share), (baseline, share.rest())].map(|(arm, share)| {
                let value = watched.value(arm, share.as_fraction()).map(Judged::shown);
                value.filter(|value| value.is_finite())
            });
            (watched.metric.id, arms)
        })
    }

    /// The table of these phases.
    pub(crate) fn comparison(&self, phases: &[Phase], records: &[PhaseRecord]) -> Comparison {
        // A phase that was watched twice shows the last time.
        let of = |index: usize| records.iter().rev().find(|record| record.index == index);
        let columns = phases.iter().enumerate().map(|(index, phase)| PhaseColumn {
            ended: of(index).and_then(|record| record.ended),
            phase: phase.name,
            share: phase.share,
            since: of(index).map(|record| record.since),
        });
        let rows = self.watched.iter().enumerate().map(|(row, watched)| ComparisonRow {
            cells: (0..phases.len())
                .map(|index| of(index).and_then(|record| *record.cells.get(row)?))
                .collect(),
            kind: watched.metric.kind,
            // Levels of different shares do not add up: the last phase's.
            live: match watched.metric.kind {
                MetricKind::Volume => {
                    records.iter().rev().find_map(|record| (*record.cells.get(row)?)?.baseline)
                }
                _ => {
                    watched.value(&watched.level, 1.0).map(Judged::shown).filter(|v| v.is_finite())
                }
            },
            metric: watched.metric.id,
            record: watched.metric.record,
            title: watched.metric.title.clone(),
        });
        Comparison { phases: columns.collect(), rows: rows.collect() }
    }
}

impl Comparison {
    /// The table in Markdown: the baseline is the record, or where there is none the live arm; `-` is no reading.
    pub fn to_markdown(&self) -> String {
        let mut text = String::from("| metric | baseline |");
        // Writing to a string does not fail.
        for PhaseColumn { phase, share, .. } in &self.phases {
            let _ = write!(text, " {phase} ({share}) |");
        }
        text.push_str("\n|---|---|");
        text.push_str(&"---|".repeat(self.phases.len()));
        text.push('\n');
        for row in &self.rows {
            let baseline = row.record.or(row.live).map(|value| in_unit(row.kind, value));
            let title = row.title.replace('|', "\\|");
            let _ = write!(text, "| {title} | {} |", baseline.as_deref().unwrap_or("-"));
            for cell in &row.cells {
                match cell {
                    Some(cell) => {
                        let _ = write!(text, " {}", in_unit(row.kind, cell.canary));
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
