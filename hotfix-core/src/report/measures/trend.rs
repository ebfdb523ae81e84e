//! Chart of a trend, with a text alternative.

use std::fmt::Write as _;

use serde::Serialize;

use super::Median;
use super::dora::{Dora, DoraRow};
use super::page::failure_rate;
use crate::report::chart::round_step;
use crate::text::figure;

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
        for (index, (title, value)) in PANELS.into_iter().enumerate() {
            let (x, y) = ((index % 2) as f64 * WIDTH, (index / 2) as f64 * HEIGHT);
            let _ = writeln!(svg, "<g transform=\"translate({x} {y})\">");
            let _ = writeln!(svg, "<text x=\"8\" y=\"18\">{title}</text>");
            let panel = Panel::new(rows.iter().map(value).collect());
            panel.axes(&mut svg, rows);
            match index {
                0 => panel.bars(&mut svg, rows),
                _ => panel.line(&mut svg),
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

const fn exact(value: f64) -> Point {
    Point { value, hollow: false }
}

fn hours(median: &Median) -> Option<Point> {
    let span = median.seconds.or(median.at_least)?;
    Some(Point { value: span.as_seconds() / 3600.0, hollow: median.seconds.is_none() })
}

/// What a panel shows of a period.
type Shown = fn(&DoraRow) -> Option<Point>;

/// The panels by their titles. The first has bars, the others lines.
const PANELS: [(&str, Shown); 4] = [
    ("Deployments (failed ones at the bottom)", |row| Some(exact(row.deployments as f64))),
    ("Change failure rate (%)", |row| Some(exact(100.0 * row.change_failure_rate?))),
    ("Lead time, median (hours; hollow: at least)", |row| hours(&row.lead_time)),
    ("Time to restore, median (hours; hollow: at least)", |row| hours(&row.time_to_restore)),
];

struct Panel {
    /// One for each period.
    points: Vec<Option<Point>>,
    /// Distance between two grid lines, and value of the highest one.
    step: f64,
    top: f64,
}

impl Panel {
    fn new(points: Vec<Option<Point>>) -> Self {
        let most = points.iter().flatten().map(|point| point.value).fold(0.0, f64::max);
        let most = if most > 0.0 { most } else { 1.0 };
        let step = round_step(most);
        Self { points, step, top: (most / step).ceil() * step }
    }

    fn x(&self, index: usize) -> f64 {
        LEFT + (index as f64 + 0.5) * self.slot()
    }

    fn slot(&self) -> f64 {
        (WIDTH - LEFT - RIGHT) / self.points.len().max(1) as f64
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - value / self.top * (HEIGHT - BOTTOM - TOP)
    }

    fn axes(&self, svg: &mut String, rows: &[DoraRow]) {
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
    fn line(&self, svg: &mut String) {
        let placed: Vec<(usize, Option<Point>)> = self.points.iter().copied().enumerate().collect();
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
