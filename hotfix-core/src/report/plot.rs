//! Plots of a report: metrics by version with phases and decisions, evidence over time, and duties.
//!
//! Each plot has a title and a text description.

use std::fmt::Write as _;

use crate::grade::Moment;
use crate::metric::in_unit;
use crate::rollout::State;
use crate::text::{self, joined};
use crate::unit::{Span, Timestamp};

use super::chart::{Band, Chart, Frame, Line, MarkLine, WIDTH, escaped, open, times};
use super::describe::{self, lasting, utc};
use super::model::{DutyOutcome, DutyPart, EvidencePlot, MetricPlot, Report};
use super::series::Point;

/// A plot with its text alternative, which is in the SVG.
#[derive(Clone, Debug)]
pub(super) struct Plot {
    pub(super) title: String,
    /// The SVG, in which every text is escaped.
    pub(super) svg: String,
    /// What came after the time that is drawn.
    pub(super) after: Option<String>,
}

impl Frame {
    /// The frame from the first to the last point; `None` without points. The watch after the completion,
    /// which may last a day, is drawn up to a little after the last event in it.
    pub(super) fn of(report: &Report) -> Option<Self> {
        let plots = &report.plots;
        let metrics =
            plots.metrics.iter().flat_map(|plot| plot.new_version.iter().chain(&plot.live_version));
        let points = || metrics.clone().chain(plots.evidence.iter().flat_map(|plot| &plot.points));
        let from = points().map(|point| point.at).min()?;
        let last = points().map(|point| point.at).max()?;
        let margin = |end: Timestamp| Span::from_millis(end.since(from).as_millis() / 10);
        let to = last_event(report).map_or(last, |end| last.min(end + margin(end)));
        let within = |at: Timestamp| (from..=to).contains(&at);
        let bands = report.phases.iter().filter_map(|visit| {
            let begin = visit.watched_since?;
            let end = visit.until.unwrap_or(to);
            (begin < to && end > from).then(|| Band {
                from: begin.max(from),
                to: end.min(to),
                name: format!("{} {}", visit.phase, visit.share),
            })
        });
        let mark = |state: State| match state {
            State::RollingBack | State::Frozen | State::Aborted | State::Failed => Some("bad"),
            State::RolledBack | State::Paused => Some("plain"),
            State::FinalValidation | State::Complete => Some("good"),
            _ => None,
        };
        // A rollback has a log line for each method; only the first is marked.
        let mut marks: Vec<MarkLine> = Vec::new();
        let mut before = None;
        for of in report.plots.marks.iter().filter(|of| within(of.at)) {
            if before != Some(of.state) {
                marks.extend(mark(of.state).map(|class| MarkLine { at: of.at, class }));
            }
            before = Some(of.state);
        }
        Some(Self { from, to, labels: times(from, to), bands: bands.collect(), marks })
    }

    pub(super) fn metric(&self, number: usize, plot: &MetricPlot) -> Plot {
        let unit = |value: f64| in_unit(plot.kind, value);
        let title = text::sentence(&plot.title);
        let arms =
            [("the new version", &plot.new_version), ("the live version", &plot.live_version)];
        let [new, live] = arms.map(|(_, points)| self.split(points).0);
        let mut words = arms.map(|(name, points)| described(name, points, &unit)).join(" ");
        // A metric that was first read after the time that is drawn has its axis all the same.
        let is_drawn = !new.is_empty() || !live.is_empty();
        let axis = if is_drawn { [new, live] } else { arms.map(|(_, points)| &points[..]) };
        let (low, high, bound) = range(plot, extremes(axis.into_iter().flatten()));
        if let Some(bound) = bound {
            let _ = write!(words, " Rollback bound: {}.", unit(bound));
        }
        words.push_str(&self.events());
        let chart = Chart {
            frame: self,
            title: &title,
            words: &words,
            id: format!("metric-{number}"),
            low,
            high,
            lines: vec![Line { class: "live", points: live }, Line { class: "new", points: new }],
            threshold: bound,
            unit: &unit,
        };
        let after = self.after(&arms.map(|(name, points)| (name, &points[..])), &unit);
        Plot { svg: chart.svg(), title, after }
    }

    pub(super) fn evidence(&self, number: usize, plot: &EvidencePlot) -> Plot {
        let title = match plot.question {
            "works" => "Evidence that the fix works (log e-value)",
            _ => "Evidence that the new version is worse (log e-value)",
        };
        // Values beyond these do not change the decision.
        let high = plot.threshold.map_or(10.0, |threshold| 1.5 * threshold);
        let low = -high / 2.0;
        let unit = |value: f64| text::rounded(value, 1);
        let mut words = described("evidence", &plot.points, &unit);
        if let Some(threshold) = plot.threshold {
            let _ = write!(words, " Decision threshold: {threshold:.1}.");
        }
        let _ = write!(words, " Drawn between {low:.1} and {high:.1}.{}", self.events());
        let class = if plot.question == "works" { "works" } else { "worse" };
        let chart = Chart {
            frame: self,
            title,
            words: &words,
            id: format!("evidence-{number}"),
            low,
            high,
            lines: vec![Line { class, points: self.split(&plot.points).0 }],
            threshold: plot.threshold,
            unit: &|value| describe::figure(value),
        };
        let after = self.after(&[("the log e-value", &plot.points)], &unit);
        Plot { svg: chart.svg(), title: title.to_owned(), after }
    }

    /// What is drawn of a series, and what came after it.
    fn split<'a>(&self, points: &'a [Point]) -> (&'a [Point], &'a [Point]) {
        points.split_at(points.partition_point(|point| point.at <= self.to))
    }

    /// What came after the time that is drawn, in words.
    fn after(&self, series: &[(&str, &[Point])], unit: &dyn Fn(f64) -> String) -> Option<String> {
        let later = series.iter().map(|(name, points)| (*name, self.split(points).1));
        let later: Vec<_> = later.filter(|(_, points)| !points.is_empty()).collect();
        let until = later.iter().filter_map(|(_, points)| points.last()).map(|of| of.at).max()?;
        let each = later.iter().map(|(name, points)| {
            let (low, high) = extremes(points.iter());
            match [low, high].map(unit) {
                [low, high] if low == high => format!("{name} stayed at {low}"),
                [low, high] => format!("{name} was between {low} and {high}"),
            }
        });
        Some(format!(
            "Not drawn: until {}, {}.",
            utc(until),
            text::enumerated(&each.collect::<Vec<_>>())
        ))
    }

    fn events(&self) -> String {
        let mut text = String::new();
        for band in &self.bands {
            let _ =
                write!(text, " Phase {} from {} to {}.", band.name, utc(band.from), utc(band.to));
        }
        for mark in &self.marks {
            let what = match mark.class {
                "bad" => "rollback or stop",
                "good" => "next stage",
                _ => "state change",
            };
            let _ = write!(text, " {}: {what}.", utc(mark.at));
        }
        text
    }
}

/// The last event of a rollout that is complete: a stage, a verdict that a person was asked about, the
/// end of the incident. None while it goes on.
fn last_event(report: &Report) -> Option<Timestamp> {
    let is_complete = matches!(report.state, State::Complete | State::Closed);
    let stages = report.plots.marks.iter().filter(|mark| mark.state != State::Closed);
    let resolved = report.moments.iter().filter(|of| of.moment == Moment::Resolved);
    let asked = report.verdicts.iter().filter(|verdict| verdict.decision.needs_answer());
    let events = stages.map(|mark| mark.at).chain(resolved.map(|of| of.at));
    let events = events.chain(asked.map(|verdict| verdict.at));
    events.max().filter(|_| is_complete)
}

fn extremes<'a>(points: impl Iterator<Item = &'a Point>) -> (f64, f64) {
    let ends = (f64::INFINITY, f64::NEG_INFINITY);
    points.fold(ends, |(low, high), point| (low.min(point.value), high.max(point.value)))
}

/// The lowest and the highest value to draw, and the rollback bound where it is near them. Values
/// that are all high, such as a success rate, are not drawn from 0; no share is drawn beyond 100%.
fn range(plot: &MetricPlot, (low, high): (f64, f64)) -> (f64, f64, Option<f64>) {
    let wide = (high - low).max(1e-9);
    // A constant level is drawn from 0, too, so that its noise does not fill the plot.
    let from_zero = low >= 0.0 && (low < 0.8 * high || wide < 0.001 * high);
    let low = if from_zero || low == 0.0 { 0.0 } else { low - 0.5 * wide - 0.01 * low.abs() };
    let high = if high > low { high } else { low + 1e-3 };
    let bound = plot.rollback_bound.filter(|bound| (low..=3.0 * high).contains(bound));
    let high = bound.map_or(high, |bound| high.max(bound));
    let top = if plot.kind.is_fraction() { 1.0_f64.max(high) } else { f64::INFINITY };
    (low, (high + 0.08 * (high - low)).min(top), bound)
}

/// A line as text: first, last, lowest and highest value.
fn described(name: &str, points: &[Point], unit: &dyn Fn(f64) -> String) -> String {
    let name = text::sentence(name);
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return format!("{name}: no readings.");
    };
    let [first, last] = [first, last].map(|of| format!("{} at {}", unit(of.value), utc(of.at)));
    let (low, high) = extremes(points.iter());
    format!("{name}: {first}, {last}, between {} and {}.", unit(low), unit(high))
}

/// Whether a duty has a bar: its time has begun, and it has one deadline. One that is repeated, and
/// one that was done without a time by which, are in the table only.
pub(super) fn is_drawn(duty: &DutyPart) -> bool {
    let is_once = duty.times.is_none();
    let has_no_limit = matches!(duty.status, DutyOutcome::Over | DutyOutcome::Done);
    is_once && duty.from.is_some() && duty.due.is_some() && !has_no_limit
}

/// Most characters of a title: it has one line.
const MOST: usize = 56;
/// Most bars; all duties are in the table.
const BARS: usize = 24;

/// Plot of the duties: the time of each relative to its deadline, beyond which it was late.
pub(super) fn duties(all: &[DutyPart], as_of: Timestamp) -> Option<Plot> {
    const ROW: f64 = 40.0;
    const DUE: f64 = 300.0;
    let drawn: Vec<&DutyPart> = all.iter().filter(|duty| is_drawn(duty)).take(BARS).collect();
    if drawn.is_empty() {
        return None;
    }
    let title = "Duties: time taken, relative to the deadline";
    let height = ROW * drawn.len() as f64 + 24.0;
    let texts = drawn.iter().map(|duty| format!("{}: {}", duty.title, status(duty, as_of)));
    let mut svg = open("duties", height, title, &format!("{}.", joined(texts, ". ")));
    let _ = write!(svg, "<text class=\"name\" x=\"{DUE}\" y=\"14\">due</text>");
    for (row, duty) in drawn.iter().enumerate() {
        let y = 22.0 + ROW * row as f64;
        let class = match duty.status {
            DutyOutcome::Kept => "kept",
            DutyOutcome::Late | DutyOutcome::Missed => "missed",
            DutyOutcome::Open | DutyOutcome::Over | DutyOutcome::Done => "open",
        };
        let used = (share(duty, as_of) * DUE).clamp(2.0, WIDTH - 4.0);
        let (title, text, bar) = (escaped(&text::drawn(&duty.title, MOST)), y + 13.0, y + 19.0);
        let _ = write!(
            svg,
            "<text class=\"duty\" x=\"0\" y=\"{text:.1}\">{title}</text><rect class=\"track\" x=\"0\" y=\"{bar:.1}\" width=\"{DUE}\" height=\"10\"/><rect class=\"bar {class}\" x=\"0\" y=\"{bar:.1}\" width=\"{used:.1}\" height=\"10\"/>"
        );
    }
    let _ = write!(
        svg,
        "<line class=\"threshold\" x1=\"{DUE}\" x2=\"{DUE}\" y1=\"20\" y2=\"{height}\"/></svg>"
    );
    Some(Plot { title: title.to_owned(), svg, after: None })
}

/// Share of its allowed time that a duty took.
fn share(duty: &DutyPart, as_of: Timestamp) -> f64 {
    let (Some(from), Some(due)) = (duty.from, duty.due) else { return 0.0 };
    let taken = duty.settled.unwrap_or(as_of).since(from).as_seconds();
    let allowed = due.since(from).as_seconds();
    if allowed > 0.0 {
        taken / allowed
    } else if taken > 0.0 {
        1.2
    } else {
        1.0
    }
}

fn status(duty: &DutyPart, as_of: Timestamp) -> String {
    let (Some(from), Some(due)) = (duty.from, duty.due) else { return duty.status.to_string() };
    let taken = lasting(duty.settled.unwrap_or(as_of).since(from));
    format!("{}, after {taken} of {}", duty.status, lasting(due.since(from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn post_1_what_is_cut_off_says_how_far_it_goes() {
        let at = |minute: i64| Timestamp::try_from_millis(60_000 * minute).unwrap();
        let point = |minute, value| Point { at: at(minute), value, after_gap: false };
        let (from, to, labels) = (at(0), at(9), Vec::new());
        let frame = Frame { from, to, labels, bands: Vec::new(), marks: Vec::new() };
        let drawn = |least: f64, most: f64| {
            let points = vec![point(0, 0.0), point(4, least), point(9, most)];
            let plot = EvidencePlot { question: "works", threshold: Some(3.0), points };
            frame.evidence(0, &plot).svg
        };
        let cut = drawn(-10.19, 62.1);
        assert!(cut.contains(">↑ up to 62.1</text>") && cut.contains(">↓ down to -10.19</text>"));
        assert!(!drawn(-2.0, 4.5).contains("beyond"));
    }
}
