//! Plots as SVG. The colours come from the page, so that they fit light and dark mode.
//!
//! Each plot has the width of a phone, and the page arranges them in a grid: text has the same size
//! on any screen.

use anyhow::anyhow;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::lines::{self, Metric, Unit};
use crate::record::{EventKind, Evidence, RunRecord};

const WIDTH: u32 = 420;
const HEIGHT: u32 = 230;
const TEXT: i32 = 13;

/// A placeholder colour for `plotters`, and the colour of the page that replaces it in the SVG.
struct Ink(RGBColor, &'static str);

const FIX: Ink = Ink(RGBColor(1, 1, 1), "var(--fix)");
const OLD: Ink = Ink(RGBColor(1, 1, 2), "var(--old)");
const PHASE: Ink = Ink(RGBColor(1, 1, 3), "var(--phase)");
const GRID: Ink = Ink(RGBColor(1, 1, 4), "var(--grid)");
const WORDS: Ink = Ink(RGBColor(1, 1, 5), "var(--soft)");
// The inks of marks bring their dashes along: the quotes close one attribute and open the next.
const GOOD: Ink = Ink(RGBColor(1, 1, 6), "var(--good)\" stroke-dasharray=\"3 3");
const BAD: Ink = Ink(RGBColor(1, 1, 7), "var(--bad)\" stroke-dasharray=\"3 3");
const LAB: Ink = Ink(RGBColor(1, 1, 8), "var(--lab)\" stroke-dasharray=\"3 3");
const FOURTH: Ink = Ink(RGBColor(1, 1, 9), "var(--fourth)");
const THIRD: Ink = Ink(RGBColor(1, 1, 10), "var(--lab)");
const BUSY: Ink = Ink(RGBColor(1, 1, 11), "var(--busy)");
const INKS: [Ink; 11] = [FIX, OLD, PHASE, GRID, WORDS, GOOD, BAD, LAB, FOURTH, THIRD, BUSY];

/// Height of the band that marks busy seconds of the machine, as a part of the plot's.
const BAND: f64 = 0.05;

/// A line of a plot.
pub(crate) struct Line<'a> {
    /// Its name in the text alternative.
    pub(crate) name: String,
    /// Which colour.
    ink: &'static Ink,
    points: &'a [(f64, f64)],
}

/// A plot with its text alternative.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Plot {
    /// Heading.
    pub(crate) title: String,
    /// The drawing.
    pub(crate) svg: String,
    /// A description of the plot.
    pub(crate) words: String,
}

/// A metric by arm over time; `None` if it was not measured.
pub(crate) fn metric(record: &RunRecord, metric: &Metric) -> anyhow::Result<Option<Plot>> {
    let Some(series) = record.series.get(metric.id) else { return Ok(None) };
    let scaled = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
        points.iter().map(|(t, v)| (*t, v * metric.unit.scale())).collect()
    };
    let (canary, baseline) = (scaled(&series.canary), scaled(&series.baseline));
    if canary.is_empty() && baseline.is_empty() {
        return Ok(None);
    }
    let top = canary.iter().chain(&baseline).map(|p| p.1).fold(0.0, f64::max);
    let top = match metric.unit {
        Unit::Percent if metric.id == "payment_success" => 100.0,
        _ => top.max(1.0),
    };
    let lines = [
        Line { name: "the old version".into(), ink: &OLD, points: &baseline },
        Line { name: "the fix".into(), ink: &FIX, points: &canary },
    ];
    let described: Vec<String> =
        lines.iter().map(|l| describe(l, |v| metric.unit.show(v / metric.unit.scale()))).collect();
    Ok(Some(Plot {
        title: format!("{} ({})", metric.name, metric.unit.axis()),
        svg: draw(record, &lines, (0.0, top * 1.08), None)?,
        words: format!(
            "{} over {:.0} seconds. {}.{}",
            metric.name,
            record.seconds,
            described.join(". "),
            busy_words(record)
        ),
    }))
}

/// Lowest value of log e that is drawn.
const FLOOR: f64 = -3.0;

/// The evidence on one question about one metric over time, with the height at which it decides.
pub(crate) fn evidence(record: &RunRecord, on: &Evidence) -> anyhow::Result<Plot> {
    let ceiling = on.threshold.map_or(10.0, |t| 1.5 * t);
    let cut: Vec<(f64, f64)> =
        on.points.iter().map(|(t, v)| (*t, v.clamp(FLOOR, ceiling))).collect();
    let name = lines::name(&on.metric);
    let asked = question_name(&on.question);
    let ink = if on.question == "efficacy" { &FOURTH } else { &THIRD };
    let line = Line { name: name.to_owned(), ink, points: &cut };
    let decided = on.threshold.map_or_else(String::new, |t| format!(", decided at {t:.1}"));
    Ok(Plot {
        title: format!("{name}: {asked} (log e{decided})"),
        svg: draw(record, &[line], (FLOOR, ceiling), on.threshold)?,
        words: format!(
            "{name}, evidence in log e over {:.0} seconds: {asked}{decided}. Highest {:.1}, last {:.1}. Drawn between {FLOOR} and {ceiling:.0}.{}",
            record.seconds,
            on.highest(),
            on.points.last().map_or(0.0, |p| p.1),
            busy_words(record)
        ),
    })
}

/// The description of the band at the top.
fn busy_words(record: &RunRecord) -> String {
    match record.busy_seconds() {
        0 => String::new(),
        busy => format!(" The machine was busy for {busy} seconds."),
    }
}

/// The question, as text.
pub(crate) fn question_name(question: &str) -> &str {
    match question {
        "harm" => "the fix is worse",
        "promotion" => "the fix is not worse",
        "efficacy" => "the fix works",
        other => other,
    }
}

fn describe(line: &Line<'_>, show: impl Fn(f64) -> String) -> String {
    let values = || line.points.iter().map(|p| p.1);
    match (line.points.first(), line.points.last()) {
        (Some(first), Some(last)) => format!(
            "{}: {} at {:.0} s, {} at {:.0} s, between {} and {}",
            line.name,
            show(first.1),
            first.0,
            show(last.1),
            last.0,
            show(values().fold(f64::INFINITY, f64::min)),
            show(values().fold(f64::NEG_INFINITY, f64::max)),
        ),
        _ => format!("{}: no data", line.name),
    }
}

/// Stretches of one phase: name, share, from, to.
pub(crate) fn phases(record: &RunRecord) -> Vec<(String, f64, f64, f64)> {
    let mut merged: Vec<(String, f64, f64, f64)> = Vec::new();
    for p in record.phases.iter().filter(|p| !p.name.is_empty()) {
        match merged.last_mut() {
            Some(last) if last.0 == p.name => {
                last.3 = p.to;
                last.1 = p.share;
            }
            _ => merged.push((p.name.clone(), p.share, p.from, p.to)),
        }
    }
    merged
}

fn mark_ink(kind: EventKind) -> &'static Ink {
    match kind {
        EventKind::Good => &GOOD,
        EventKind::Bad => &BAD,
        EventKind::Lab => &LAB,
        EventKind::Plain => &WORDS,
    }
}

fn draw(
    record: &RunRecord,
    lines: &[Line<'_>],
    (low, high): (f64, f64),
    threshold: Option<f64>,
) -> anyhow::Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
        let fault = |e: &dyn std::fmt::Display| anyhow!("cannot draw: {e}");
        let end = record.seconds.max(1.0);
        let mut chart = ChartBuilder::on(&area)
            .margin_top(22)
            .margin_right(10)
            .x_label_area_size(24)
            .y_label_area_size(44)
            .build_cartesian_2d(0.0..end, low..high)
            .map_err(|e| fault(&e))?;
        let words = ("sans-serif", TEXT).into_font().color(&WORDS.0);
        // Phases lie under everything.
        let stretches = phases(record);
        chart
            .draw_series(stretches.iter().enumerate().filter(|(i, _)| i % 2 == 0).map(
                |(_, (_, _, from, to))| {
                    Rectangle::new([(*from, low), (*to, high)], PHASE.0.filled())
                },
            ))
            .map_err(|e| fault(&e))?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .max_light_lines(0)
            .bold_line_style(GRID.0)
            .axis_style(GRID.0)
            .x_labels(7)
            .y_labels(5)
            .x_label_formatter(&|t| format!("{t:.0} s"))
            .y_label_formatter(&|v| {
                if high - low < 4.0 { format!("{v:.1}") } else { format!("{v:.0}") }
            })
            .label_style(words.clone())
            .draw()
            .map_err(|e| fault(&e))?;
        let vertical = |at: f64, ink: &Ink| PathElement::new([(at, low), (at, high)], ink.0);
        chart.draw_series(stretches.iter().map(|s| vertical(s.2, &GRID))).map_err(|e| fault(&e))?;
        for line in lines {
            for piece in pieces(line.points) {
                chart
                    .draw_series(LineSeries::new(piece.iter().copied(), line.ink.0.stroke_width(2)))
                    .map_err(|e| fault(&e))?;
            }
        }
        let marks = record
            .events
            .iter()
            .filter(|e| e.marked)
            .map(|e| vertical(e.at.clamp(0.0, end), mark_ink(e.kind)));
        let decided = threshold.map(|t| PathElement::new([(0.0, t), (end, t)], BAD.0));
        chart.draw_series(marks.chain(decided)).map_err(|e| fault(&e))?;
        // At the top, because many lines run along the bottom.
        let band = high - BAND * (high - low);
        let busy = record.machine.iter().filter(|second| second.busy && second.at < end).map(|s| {
            Rectangle::new([(s.at, band), ((s.at + 1.0).min(end), high)], BUSY.0.filled())
        });
        chart.draw_series(busy).map_err(|e| fault(&e))?;
        // Position of the names of phases and the numbers of events above the plot, in pixels.
        let small = ("sans-serif", TEXT).into_font();
        let place = |t: f64| chart.backend_coord(&(t, high));
        for (name, share, from, to) in &stretches {
            let (x, _) = place((from + to) / 2.0);
            let label = format!("{:.0}%", share * 100.0);
            let wide = place(*to).0 - place(*from).0;
            let text = if wide > 8 * i32::try_from(name.len() + 5).unwrap_or(0) {
                format!("{name} {label}")
            } else {
                label
            };
            if wide > 26 {
                let style = small.clone().color(&WORDS.0).pos(Pos::new(HPos::Center, VPos::Top));
                area.draw_text(&text, &style, (x, 4)).map_err(|e| fault(&e))?;
            }
        }
        area.present().map_err(|e| fault(&e))?;
    }
    Ok(take_page_colours(&svg))
}

/// Splits a line where more than two seconds are missing: a gap is not a slope.
fn pieces(points: &[(f64, f64)]) -> impl Iterator<Item = &[(f64, f64)]> {
    points.chunk_by(|a, b| b.0 - a.0 < 2.0)
}

/// Replaces the inks by the page's colours and the fixed size by the page's width.
fn take_page_colours(svg: &str) -> String {
    let mut svg = svg.to_owned();
    for Ink(RGBColor(r, g, b), colour) in &INKS {
        svg = svg.replace(&format!("#{r:02X}{g:02X}{b:02X}"), colour);
    }
    let size = format!("width=\"{WIDTH}\" height=\"{HEIGHT}\" ");
    svg.replacen(&size, "aria-hidden=\"true\" focusable=\"false\" ", 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::METRICS;
    use crate::report::sample;

    #[test]
    fn plots_take_the_pages_colours_and_say_what_they_show() {
        let record = sample::rolled_back();
        let plot = metric(&record, &METRICS[0]).expect("draws").expect("has data");
        assert!(plot.svg.contains("var(--fix)") && plot.svg.contains("var(--old)"));
        assert!(!plot.svg.contains("#0101"), "an ink is left");
        assert!(!plot.svg.contains("width=\"420\" height=\"230\" viewBox"));
        assert!(plot.words.contains("the fix: "), "{}", plot.words);
        let plot = evidence(&record, &record.evidence[0]).expect("draws");
        assert!(plot.words.contains("decided at 4.6"), "{}", plot.words);
        assert!(plot.title.contains("decided at 4.6"), "{}", plot.title);
    }

    #[test]
    fn the_seconds_of_a_busy_machine_are_a_band_in_each_plot() {
        let drawn = |record: &RunRecord| metric(record, &METRICS[0]).expect("draws").expect("data");
        let (busy, quiet) = (drawn(&sample::disturbed()), drawn(&sample::rolled_back()));
        assert_eq!(busy.svg.matches("var(--busy)").count(), 3);
        assert!(busy.words.ends_with("The machine was busy for 3 seconds."), "{}", busy.words);
        assert!(!quiet.svg.contains("var(--busy)") && !quiet.words.contains("busy"));
    }

    #[test]
    fn a_gap_is_not_drawn_as_a_slope() {
        let points = [(0.0, 1.0), (1.0, 1.0), (9.0, 1.0)];
        assert_eq!(pieces(&points).count(), 2);
    }
}
