//! Chart of a trend, with a text alternative.

use std::fmt::Write as _;

use serde::Serialize;

use super::Median;
use super::dora::{Dora, DoraRow};
use super::page::failure_rate;
use crate::report::chart::round_step;
use crate::text::figure;
use crate::unit::Span;

/// Width of one of the four panels.
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 32.0;
const BOTTOM: f64 = 28.0;
/// Most labels of an axis.
const LABELS: usize = 6;

/// Colours that colour-blind readers can distinguish: blue and vermilion of Okabe and Ito (2008).
const STYLE: &str = ".all{fill:#0072b2}.bad{fill:#d55e00}.line{fill:none;stroke:#0072b2;stroke-width:2}\
    .least{fill:#fff;stroke:#0072b2;stroke-width:2}.axis{stroke:#8c8c8c;stroke-width:1}.grid{stroke:#8c8c8c;stroke-opacity:.35}\
    text{font:12px sans-serif;fill:#595959}";

/// A chart with its text alternative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chart {
    /// The chart: SVG with a title and a description for screen readers.
    pub svg: String,
    /// The content of the chart as text.
    pub text: String,
}

/// A value of a panel; hollow where it is a lower limit.
#[derive(Clone, Copy)]
struct Point {
    value: f64,
    hollow: bool,
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
        let rate = |row: &DoraRow| {
            row.change_failure_rate.map(|rate| Point { value: 100.0 * rate, hollow: false })
        };
        let counted = rows.iter().map(|row| row.deployments as f64);
        let panels = [
            Panel::new("Deployments (failed ones at the bottom)", (0.0, 0.0), rows, counted),
            Panel::of("Change failure rate (%)", (WIDTH, 0.0), rows, rate),
            Panel::of("Lead time, median (hours; hollow: at least)", (0.0, HEIGHT), rows, |row| {
                hours(&row.lead_time)
            }),
            Panel::of(
                "Time to restore, median (hours; hollow: at least)",
                (WIDTH, HEIGHT),
                rows,
                |row| hours(&row.time_to_restore),
            ),
        ];
        for panel in &panels {
            panel.axes(&mut svg, rows);
            match &panel.points {
                Some(points) => panel.line(&mut svg, points),
                None => panel.bars(&mut svg, rows),
            }
            svg.push_str("</g>\n");
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

fn hours(median: &Median) -> Option<Point> {
    let hours = |span: Span| span.as_seconds() / 3600.0;
    match (median.seconds, median.at_least) {
        (Some(span), _) => Some(Point { value: hours(span), hollow: false }),
        (None, Some(span)) => Some(Point { value: hours(span), hollow: true }),
        (None, None) => None,
    }
}

struct Panel {
    title: &'static str,
    at: (f64, f64),
    count: usize,
    /// Distance between two grid lines, and value of the highest one.
    step: f64,
    top: f64,
    /// Points of a line; `None` for bars.
    points: Option<Vec<Option<Point>>>,
}

impl Panel {
    fn new(
        title: &'static str,
        at: (f64, f64),
        rows: &[DoraRow],
        values: impl Iterator<Item = f64>,
    ) -> Self {
        let most = values.fold(0.0, f64::max);
        let most = if most > 0.0 { most } else { 1.0 };
        let step = round_step(most);
        Self { title, at, count: rows.len(), step, top: (most / step).ceil() * step, points: None }
    }

    fn of(
        title: &'static str,
        at: (f64, f64),
        rows: &[DoraRow],
        value: impl Fn(&DoraRow) -> Option<Point>,
    ) -> Self {
        let points: Vec<Option<Point>> = rows.iter().map(value).collect();
        let values = points.iter().flatten().map(|point| point.value);
        let panel = Self::new(title, at, rows, values);
        Self { points: Some(points), ..panel }
    }

    /// The middle of a period.
    fn x(&self, index: usize) -> f64 {
        LEFT + (index as f64 + 0.5) * self.slot()
    }

    fn slot(&self) -> f64 {
        (WIDTH - LEFT - RIGHT) / self.count.max(1) as f64
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - value / self.top * (HEIGHT - BOTTOM - TOP)
    }

    fn axes(&self, svg: &mut String, rows: &[DoraRow]) {
        let _ = writeln!(svg, "<g transform=\"translate({} {})\">", self.at.0, self.at.1);
        let _ = writeln!(svg, "<text x=\"8\" y=\"18\">{}</text>", self.title);
        let values = (0..).map(|line| f64::from(line) * self.step);
        for value in values.take_while(|value| *value <= self.top * 1.0001) {
            let y = self.y(value);
            let class = if value == 0.0 { "axis" } else { "grid" };
            let _ = writeln!(
                svg,
                "<path class=\"{class}\" d=\"M{LEFT} {y:.1}H{}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 4.0,
                figure(value, 3)
            );
        }
        for (index, row) in rows.iter().enumerate().step_by(rows.len().div_ceil(LABELS)) {
            let label = row.period.as_deref().unwrap_or_default();
            let (x, y) = (self.x(index), HEIGHT - 8.0);
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{label}</text>"
            );
        }
    }

    /// Bars of the deployments, with the failed ones at the bottom.
    fn bars(&self, svg: &mut String, rows: &[DoraRow]) {
        for (index, row) in rows.iter().enumerate() {
            let (failed, all) = (row.outcomes.failed as f64, row.deployments as f64);
            let width = 0.6 * self.slot();
            for (class, low, high) in [("bad", 0.0, failed), ("all", failed, all)] {
                if high > low {
                    let (x, y) = (self.x(index) - width / 2.0, self.y(high));
                    let height = self.y(low) - y;
                    let _ = writeln!(
                        svg,
                        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
                    );
                }
            }
        }
    }

    /// One value per period; the line is interrupted at a period without one.
    fn line(&self, svg: &mut String, points: &[Option<Point>]) {
        let placed: Vec<(usize, Option<Point>)> = points.iter().copied().enumerate().collect();
        for stretch in placed.split(|(_, point)| point.is_none()).filter(|part| part.len() > 1) {
            let mut path = String::new();
            for (index, point) in stretch {
                if let Some(point) = point {
                    let command = if path.is_empty() { 'M' } else { 'L' };
                    let _ =
                        write!(path, "{command}{:.1} {:.1}", self.x(*index), self.y(point.value));
                }
            }
            let _ = writeln!(svg, "<path class=\"line\" d=\"{path}\"/>");
        }
        for (index, point) in placed {
            if let Some(Point { value, hollow }) = point {
                let class = if hollow { "least" } else { "all" };
                let (x, y) = (self.x(index), self.y(value));
                let _ = writeln!(
                    svg,
                    "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>"
                );
            }
        }
    }
}
