//! Measures and trends as tables in Markdown.

use std::fmt::Write as _;

use super::super::describe::utc;
use super::dora::{Dora, DoraRow, Outcomes};
use super::{Measure, MeasureName, MeasureStatus, Measures};
use crate::text::{figure, joined, markdown, words};

impl Measures {
    /// Writes the measures as a Markdown table.
    pub fn to_markdown(&self) -> String {
        let mut page = format!("## Measures of {}\n\n", markdown(&self.incident));
        page.push_str("| measure | value | from | to |\n|---|---|---|---|\n");
        for measure in &self.measures {
            let mark = |mark: Option<super::Mark>| {
                let text = |mark: super::Mark| format!("{} {}", words(mark.moment), utc(mark.at));
                mark.map_or_else(|| "–".to_owned(), text)
            };
            let cells = [described(measure), mark(measure.from), mark(measure.to)];
            let cells = cells.map(|cell| markdown(&cell)).join(" | ");
            let _ = writeln!(page, "| {} | {cells} |", called(measure.name));
        }
        let _ = write!(page, "\nAs of {}, attempt {}.\n", utc(self.at), self.attempts);
        page
    }
}

pub(crate) fn called(name: MeasureName) -> String {
    match name {
        MeasureName::Slo => "SLO".to_owned(),
        name => words(name.as_str()),
    }
}

pub(crate) fn described(measure: &Measure) -> String {
    // Names of moments, facts and metrics are words in a table.
    let parts = measure.sentence.split('`').enumerate();
    let sentence =
        joined(parts.map(|(at, part)| if at % 2 == 1 { words(part) } else { part.to_owned() }), "");
    match measure.status {
        MeasureStatus::Known | MeasureStatus::Open => sentence,
        MeasureStatus::NotStated => format!("not known: {sentence}"),
        MeasureStatus::NotAsked => format!("not asked for: {sentence}"),
    }
}

impl Dora {
    /// Writes the trend as a Markdown table; the last row has all periods together.
    pub fn to_markdown(&self) -> String {
        let by = self.by;
        let mut page = format!(
            "| {by} | deployments | good | failed | superseded | open | change failure rate | lead time | time to restore |\n\
         |---|---|---|---|---|---|---|---|---|\n"
        );
        for row in self.periods.iter().chain([&self.whole]) {
            let Outcomes { good, failed, superseded, open } = row.outcomes;
            let counts = [row.deployments, good, failed, superseded, open].map(|n| n.to_string());
            let times = [failure_rate(row), row.lead_time.text(), row.time_to_restore.text()];
            let cells = [counts.join(" | "), times.join(" | ")].join(" | ");
            let _ = writeln!(page, "| {} | {cells} |", row.period.as_deref().unwrap_or("all"));
        }
        page.push_str("\nTimes are medians; open ones count as times that are still running. ");
        let clocks = &self.clocks;
        let _ = writeln!(
            page,
            "Lead times are counted from the start of the fix ({}), from its plan ({}) or from the start of a further attempt ({}); {} have no start.",
            clocks.fix_started, clocks.plan_created, clocks.attempt_begun, clocks.not_stated
        );
        page
    }
}

/// `25% (1 of 4)`, or a dash.
pub(super) fn failure_rate(row: &DoraRow) -> String {
    row.change_failure_rate.map_or_else(
        || "–".to_owned(),
        |rate| {
            let decided = row.outcomes.good + row.outcomes.failed;
            format!("{}% ({} of {decided})", figure(100.0 * rate, 3), row.outcomes.failed)
        },
    )
}
