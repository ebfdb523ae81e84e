//! Chart of a trend, with a text alternative.

use std::fmt::Write as _;

use serde::Serialize;

use super::Median;
use super::dora::{Dora, DoraRow};
use super::page::failure_rate;
use crate::report::chart::{self, Frame, HEIGHT, Line, WIDTH, round_step};
use crate::report::series::Point;
use crate::text::figure;
use crate::unit::{Span, Timestamp};

/// Most labels of an axis, so that those of weeks do not overlap.
const LABELS: usize = 5;

/// Colours that colour-blind readers can distinguish: blue and vermilion of Okabe and Ito (2008).
const STYLE: &str = ".line{fill:none;stroke-width:2}.line.all{stroke:#0072b2}.line.bad{stroke:#d55e00}\
    .dot{stroke-width:2}.dot.all{fill:#0072b2;stroke:#0072b2}.dot.bad{fill:#d55e00;stroke:#d55e00}\
    .dot.least{fill:#fff;stroke:#0072b2}.axis{stroke:#8c8c8c}.grid{stroke:#8c8c8c;stroke-opacity:.35}\
    text{font:12px sans-serif;fill:#595959}.time{text-anchor:middle}.value{text-anchor:end}";

/// A chart with its text alternative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chart {
    /// The chart: SVG with a title and a description for screen readers.
    pub svg: String,
    /// The content of the chart as text.
    pub text: String,
}

impl Dora {
    /// Draws the trend as SVG with a text alternative; `None` if there is no period. It has four
    /// panels: deployments (failed ones in another colour), change failure rate, lead time, time to
    /// restore.
    pub fn chart(&self) -> Option<Chart> {
        let rows = &self.periods;
        if rows.is_empty() {
            return None;
        }
        let text = text(self);
        let mut svg = format!(
            "<svg role=\"img\" aria-labelledby=\"trend-title trend-text\" viewBox=\"0 0 {} {}\" xmlns=\"http://www.w3.org/2000/svg\">\n\
         <title id=\"trend-title\">The four DORA metrics by {}</title>\n<desc id=\"trend-text\">{text}</desc>\n<style>{STYLE}</style>\n",
            2.0 * WIDTH,
            2.0 * HEIGHT,
            self.by
        );
        let frame = frame(rows);
        for (index, (title, series)) in PANELS.into_iter().enumerate() {
            let (x, y) = ((index % 2) as f64 * WIDTH, (index / 2) as f64 * HEIGHT);
            let _ = writeln!(svg, "<g transform=\"translate({x} {y})\">");
            let _ = writeln!(svg, "<text x=\"8\" y=\"16\">{title}</text>");
            panel(&mut svg, &frame, rows, series);
            svg.push_str("\n</g>\n");
        }
        svg.push_str("</svg>\n");
        Some(Chart { svg, text })
    }
}

fn text(dora: &Dora) -> String {
    let mut text = String::new();
    for row in dora.periods.iter().chain([&dora.whole]) {
        let _ = write!(
            text,
            "{}: {} deployments, change failure rate {}, lead time {}, time to restore {}. ",
            row.period.as_deref().unwrap_or("All"),
            row.deployments,
            failure_rate(row),
            row.lead_time.text(),
            row.time_to_restore.text(),
        );
    }
    text.trim_end().to_owned()
}

/// A value of a period, and whether it is only a lower limit.
type Value = Option<(f64, bool)>;

fn hours(median: &Median) -> Value {
    let span = median.seconds.or(median.at_least)?;
    Some((span.as_seconds() / 3600.0, median.seconds.is_none()))
}

/// A line of a panel: its class, and its values.
type Series = (&'static str, fn(&DoraRow) -> Value);

/// The panels by their titles.
const PANELS: [(&str, &[Series]); 4] = [
    (
        "Deployments (the lower line: failed ones)",
        &[
            ("all", |row| Some((row.deployments as f64, false))),
            ("bad", |row| Some((row.outcomes.failed as f64, false))),
        ],
    ),
    ("Change failure rate (%)", &[("all", |row| Some((100.0 * row.change_failure_rate?, false)))]),
    ("Lead time, median (hours; hollow: at least)", &[("all", |row| hours(&row.lead_time))]),
    (
        "Time to restore, median (hours; hollow: at least)",
        &[("all", |row| hours(&row.time_to_restore))],
    ),
];

/// Where so many half periods are on the axis of time, a second each.
fn halves(count: usize) -> Timestamp {
    Timestamp::default() + Span::from_millis(1_000 * count as u64)
}

fn frame(rows: &[DoraRow]) -> Frame {
    let label =
        |(index, row): (usize, &DoraRow)| Some((halves(2 * index + 1), row.period.clone()?));
    let labels = rows.iter().enumerate().step_by(rows.len().div_ceil(LABELS)).filter_map(label);
    let to = halves(2 * rows.len());
    let (bands, marks) = (Vec::new(), Vec::new());
    Frame { from: Timestamp::default(), to, labels: labels.collect(), bands, marks }
}

/// A dot for each value; the line is interrupted at a period without one.
fn panel(svg: &mut String, frame: &Frame, rows: &[DoraRow], series: &[Series]) {
    let mut points: Vec<(&'static str, Vec<Point>)> = Vec::new();
    for (class, value) in series {
        let mut line = Vec::new();
        let mut after_gap = false;
        for (index, row) in rows.iter().enumerate() {
            let value = value(row);
            if let Some((value, is_least)) = value {
                let point = Point { at: halves(2 * index + 1), value, after_gap };
                points.push((if is_least { "least" } else { *class }, vec![point]));
                line.push(point);
            }
            after_gap = value.is_none();
        }
        points.insert(0, (*class, line));
    }
    let values = || points.iter().flat_map(|(_, points)| points).map(|point| point.value);
    let most = values().reduce(f64::max).filter(|most| *most > 0.0).unwrap_or(1.0);
    let step = round_step(most);
    let lines = points.iter().map(|(class, points)| Line { class, points }).collect();
    let high = (most / step).ceil() * step;
    let unit = |value: f64| figure(value, 3);
    let (title, words, id, threshold) = ("", "", String::new(), None);
    chart::Chart { frame, title, words, id, low: 0.0, high, lines, threshold, unit: &unit }
        .draw(svg);
}
