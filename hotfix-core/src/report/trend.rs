//! A trend as a drawing, with what it shows in words.

use std::fmt::Write as _;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use serde::Serialize;

use super::dora::{Dora, DoraRow};
use super::page::failure_rate;
use crate::unit::Span;

const WIDTH: u32 = 640;
const HEIGHT: u32 = 480;
const TEXT: i32 = 13;
/// Dark enough on white, and told apart by colour-blind readers as well: Okabe and Ito's blue and vermilion.
const MAIN: RGBColor = RGBColor(0, 114, 178);
const FAILED: RGBColor = RGBColor(213, 94, 0);
const GRID: RGBColor = RGBColor(150, 150, 150);
const WORDS: RGBColor = RGBColor(60, 60, 60);

/// A drawing with its text alternative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chart {
    /// The drawing: SVG with a title and a description for readers that do not see it.
    pub svg: String,
    /// What it shows.
    pub words: String,
}

/// A value of a panel; hollow where it is at least that.
#[derive(Clone, Copy)]
struct Point {
    value: f64,
    hollow: bool,
}

/// Four panels: deployments (failed ones in the other colour), change failure rate, lead time, time to restore.
pub(super) fn trend(dora: &Dora) -> Option<Chart> {
    let rows = &dora.periods;
    if rows.is_empty() {
        return None;
    }
    let drawn = draw(rows)?;
    let words = words(dora);
    let title = format!("DORA's four keys by {}", dora.by);
    let head = format!(
        "<svg role=\"img\" aria-labelledby=\"trend-title trend-words\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" xmlns=\"http://www.w3.org/2000/svg\">\n\
         <title id=\"trend-title\">{title}</title>\n<desc id=\"trend-words\">{words}</desc>\n"
    );
    let body = drawn.find('>').and_then(|end| drawn.get(end + 1..))?;
    Some(Chart { svg: format!("{head}{}", body.trim_start()), words })
}

fn words(dora: &Dora) -> String {
    let mut words = String::new();
    for row in dora.periods.iter().chain([&dora.whole]) {
        let _ = write!(
            words,
            "{}: {} deployments, change failure rate {}, lead time {}, time to restore {}. ",
            row.period.as_deref().unwrap_or("All"),
            row.deployments,
            failure_rate(row),
            row.lead_time.words(),
            row.time_to_restore.words(),
        );
    }
    words.trim_end().to_owned()
}

fn median(median: &super::Median) -> Option<Point> {
    let hours = |span: Span| span.as_seconds() / 3600.0;
    match (median.seconds, median.at_least) {
        (Some(span), _) => Some(Point { value: hours(span), hollow: false }),
        (None, Some(span)) => Some(Point { value: hours(span), hollow: true }),
        (None, None) => None,
    }
}

fn draw(rows: &[DoraRow]) -> Option<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
        let panels = area.split_evenly((2, 2));
        let [first, second, third, fourth] = panels.as_slice() else { return None };
        bars(first, rows)?;
        let rate = |row: &DoraRow| {
            row.change_failure_rate.map(|rate| Point { value: 100.0 * rate, hollow: false })
        };
        line(second, "Change failure rate (%)", rows, rate)?;
        line(third, "Lead time, median (hours; hollow: at least)", rows, |row| {
            median(&row.lead_time)
        })?;
        line(fourth, "Time to restore, median (hours; hollow: at least)", rows, |row| {
            median(&row.time_to_restore)
        })?;
        area.present().ok()?;
    }
    Some(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// How many versions had traffic; those that failed from the ground up.
fn bars(area: &Area<'_>, rows: &[DoraRow]) -> Option<()> {
    let top = rows.iter().map(|row| row.deployments).max().unwrap_or(0).max(1) as f64;
    let mut chart = axes(area, "Deployments (failed ones below)", rows, top)?;
    for (index, row) in rows.iter().enumerate() {
        let at = index as f64;
        let failed = row.outcomes.failed as f64;
        let bar = |low: f64, high: f64, colour: RGBColor| {
            Rectangle::new([(at - 0.3, low), (at + 0.3, high)], colour.filled())
        };
        let all = row.deployments as f64;
        let drawn = [bar(0.0, failed, FAILED), bar(failed, all, MAIN)];
        chart.draw_series(drawn).ok()?;
    }
    Some(())
}

/// A value a period; where there is none, the line is broken.
fn line(
    area: &Area<'_>,
    title: &str,
    rows: &[DoraRow],
    value: impl Fn(&DoraRow) -> Option<Point>,
) -> Option<()> {
    let points: Vec<Option<Point>> = rows.iter().map(value).collect();
    let top = points.iter().flatten().map(|point| point.value).fold(0.0, f64::max);
    let mut chart = axes(area, title, rows, if top > 0.0 { top } else { 1.0 })?;
    let placed: Vec<(f64, Option<Point>)> =
        points.iter().enumerate().map(|(index, point)| (index as f64, *point)).collect();
    for stretch in placed.split(|(_, point)| point.is_none()) {
        let path = stretch.iter().filter_map(|(at, point)| Some((*at, point.as_ref()?.value)));
        chart.draw_series(LineSeries::new(path, MAIN.stroke_width(2))).ok()?;
    }
    let dots = placed.iter().filter_map(|(at, point)| {
        let Point { value, hollow } = (*point)?;
        let style = if hollow { MAIN.stroke_width(2) } else { MAIN.filled() };
        Some(Circle::new((*at, value), 4, style))
    });
    chart.draw_series(dots).ok()?;
    Some(())
}

type Panel<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

fn axes<'a, 'b>(
    area: &'a Area<'b>,
    title: &str,
    rows: &[DoraRow],
    top: f64,
) -> Option<Panel<'a, 'b>> {
    let last = rows.len().saturating_sub(1) as f64;
    let mut chart = ChartBuilder::on(area)
        .margin_top(26)
        .margin_right(14)
        .x_label_area_size(24)
        .y_label_area_size(48)
        .build_cartesian_2d(-0.5..last + 0.5, 0.0..top * 1.1)
        .ok()?;
    let words = ("sans-serif", TEXT).into_font().color(&WORDS);
    chart
        .configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .max_light_lines(0)
        .bold_line_style(GRID.mix(0.4))
        .axis_style(GRID)
        .x_labels(0)
        .y_labels(5)
        .y_label_formatter(&|value| crate::text::figure(*value, 3))
        .label_style(words)
        .draw()
        .ok()?;
    let style = ("sans-serif", TEXT).into_font().color(&WORDS);
    area.draw_text(title, &style, (8, 6)).ok()?;
    // At most six labels stand beside each other.
    let every = rows.len().div_ceil(6).max(1);
    let centred = style.pos(Pos::new(HPos::Center, VPos::Top));
    let (corner, _) = area.get_pixel_range();
    let height = i32::try_from(area.dim_in_pixel().1).ok()?;
    for (index, row) in rows.iter().enumerate().step_by(every) {
        let (x, _) = chart.backend_coord(&(index as f64, 0.0));
        let label = row.period.as_deref().unwrap_or_default();
        area.draw_text(label, &centred, (x - corner.start, height - 20)).ok()?;
    }
    Some(chart)
}
