//! A chart as SVG: axes, lines, marks. Its colours come from the page's CSS classes, for light,
//! dark and print. It has no script and no external reference.

use std::fmt::{Display, Write as _};

use crate::unit::Timestamp;

use super::series::Point;

/// Width of a phone: charts are arranged in a grid, so text has the same size on any screen.
pub(super) const WIDTH: f64 = 440.0;
pub(super) const HEIGHT: f64 = 230.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 22.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 24.0;

pub(super) struct Line<'a> {
    /// CSS class of its colour.
    pub(super) class: &'static str,
    pub(super) points: &'a [Point],
}

/// A period with a name above it.
pub(super) struct Band {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) name: String,
}

/// A vertical line at a time.
pub(super) struct MarkLine {
    pub(super) at: Timestamp,
    pub(super) class: &'static str,
}

/// Time range, labels, phases and marks of all plots over time.
pub(super) struct Frame {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) labels: Vec<(Timestamp, String)>,
    pub(super) bands: Vec<Band>,
    pub(super) marks: Vec<MarkLine>,
}

pub(super) struct Chart<'a> {
    pub(super) frame: &'a Frame,
    /// Title for screen readers.
    pub(super) title: &'a str,
    pub(super) words: &'a str,
    pub(super) id: String,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) lines: Vec<Line<'a>>,
    /// Value of the horizontal line at a bound or threshold.
    pub(super) threshold: Option<f64>,
    /// Writes a value at the axis.
    pub(super) unit: &'a dyn Fn(f64) -> String,
}

pub(super) fn escaped(text: &str) -> String {
    let text: String = text.chars().filter_map(crate::text::readable).collect();
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

/// Opening of an SVG, with its title and its description.
pub(super) fn open(id: &str, height: f64, title: &str, words: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\"><title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>",
        escaped(title),
        escaped(words)
    )
}

/// A coordinate with one decimal place.
struct Fixed(f64);

impl Display for Fixed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1}", self.0)
    }
}

const BASE: Fixed = Fixed(HEIGHT - BOTTOM);
const EDGE: Fixed = Fixed(WIDTH - RIGHT);

/// Draws a straight line. Writing to a string does not fail.
fn line(svg: &mut String, class: &str, [x1, x2]: [&dyn Display; 2], [y1, y2]: [&dyn Display; 2]) {
    let _ =
        write!(svg, "<line class=\"{class}\" x1=\"{x1}\" x2=\"{x2}\" y1=\"{y1}\" y2=\"{y2}\"/>");
}

impl Chart<'_> {
    pub(super) fn svg(&self) -> String {
        let mut svg = open(&self.id, HEIGHT, self.title, self.words);
        self.draw(&mut svg);
        svg.push_str("</svg>");
        svg
    }

    /// Draws it into an SVG.
    pub(super) fn draw(&self, svg: &mut String) {
        self.phases(svg);
        self.axes(svg);
        for mark in &self.frame.marks {
            let x = Fixed(self.x(mark.at));
            line(svg, &format!("mark {}", mark.class), [&x, &x], [&TOP, &BASE]);
        }
        if let Some(threshold) = self.threshold.filter(|t| (self.low..=self.high).contains(t)) {
            let y = Fixed(self.y(threshold));
            line(svg, "threshold", [&LEFT, &EDGE], [&y, &y]);
        }
        for line in &self.lines {
            self.line(svg, line);
        }
        self.beyond(svg);
    }

    fn x(&self, at: Timestamp) -> f64 {
        let whole = self.frame.to.since(self.frame.from).as_seconds().max(1.0);
        LEFT + (WIDTH - LEFT - RIGHT) * (at.since(self.frame.from).as_seconds() / whole).min(1.0)
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value.clamp(self.low, self.high) - self.low) / (self.high - self.low);
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share
    }

    fn phases(&self, svg: &mut String) {
        for (at, band) in self.frame.bands.iter().enumerate() {
            let (from, to) = (self.x(band.from), self.x(band.to));
            let class = if at % 2 == 0 { "phase" } else { "phase other" };
            let (width, height) = (Fixed((to - from).max(0.0)), Fixed(HEIGHT - TOP - BOTTOM));
            let _ = write!(
                svg,
                "<rect class=\"{class}\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{width}\" height=\"{height}\"/>"
            );
            // A name without room is left out; the description contains it.
            if to - from > 7.0 * band.name.chars().count() as f64 {
                let (x, name) = (f64::midpoint(from, to), escaped(&band.name));
                let _ = write!(svg, "<text class=\"name\" x=\"{x:.1}\" y=\"16\">{name}</text>");
            }
        }
    }

    fn axes(&self, svg: &mut String) {
        for value in values(self.low, self.high) {
            let y = Fixed(self.y(value));
            line(svg, "grid", [&LEFT, &EDGE], [&y, &y]);
            let (x, y, text) = (LEFT - 6.0, y.0 + 4.0, escaped(&(self.unit)(value)));
            let _ = write!(svg, "<text class=\"value\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>");
        }
        for (at, label) in &self.frame.labels {
            let x = Fixed(self.x(*at));
            line(svg, "grid", [&x, &x], [&BASE, &Fixed(BASE.0 + 4.0)]);
            // The last one has its end in the picture.
            let x = Fixed(x.0.min(WIDTH - 3.7 * label.len() as f64));
            let y = HEIGHT - 6.0;
            let _ = write!(svg, "<text class=\"time\" x=\"{x}\" y=\"{y:.1}\">{label}</text>");
        }
        line(svg, "axis", [&LEFT, &EDGE], [&BASE, &BASE]);
    }

    /// Says how far lines go that are cut off at the top or at the bottom.
    fn beyond(&self, svg: &mut String) {
        let values = || self.lines.iter().flat_map(|line| line.points).map(|point| point.value);
        let ends = [
            (values().reduce(f64::max).filter(|most| *most > self.high), "↑ up to", TOP + 14.0),
            (
                values().reduce(f64::min).filter(|least| *least < self.low),
                "↓ down to",
                BASE.0 - 6.0,
            ),
        ];
        for (value, words, y) in ends {
            let Some(value) = value else { continue };
            let (x, text) = (EDGE.0 - 4.0, escaped(&(self.unit)(value)));
            let _ = write!(
                svg,
                "<text class=\"beyond\" x=\"{x:.1}\" y=\"{y:.1}\">{words} {text}</text>"
            );
        }
    }

    fn line(&self, svg: &mut String, line: &Line<'_>) {
        for piece in line.points.chunk_by(|_, next| !next.after_gap) {
            match piece {
                // A single point has no line.
                [only] => {
                    let (class, x, y) = (line.class, self.x(only.at), self.y(only.value));
                    let _ = write!(
                        svg,
                        "<circle class=\"dot {class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\"/>"
                    );
                }
                piece => {
                    let _ = write!(svg, "<polyline class=\"line {}\" points=\"", line.class);
                    for point in piece {
                        let _ = write!(svg, "{:.1},{:.1} ", self.x(point.at), self.y(point.value));
                    }
                    svg.push_str("\"/>");
                }
            }
        }
    }
}

/// The distance between two lines of a grid: one, two or five of a power of ten, so that at most
/// five of them fit into a width.
pub(super) fn round_step(wide: f64) -> f64 {
    if !(wide.is_finite() && wide > 0.0) {
        return 1.0;
    }
    // A width that is five steps but for what floating point loses is five steps.
    let fits = |step: &f64| wide / step <= 5.000_001;
    let mut power = 1.0;
    while power * 10.0 <= wide / 5.0 {
        power *= 10.0;
    }
    while power > wide / 5.0 {
        power /= 10.0;
    }
    [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(fits).unwrap_or(wide)
}

/// Round values of an axis, about four.
fn values(low: f64, high: f64) -> Vec<f64> {
    let wide = high - low;
    let step = round_step(wide);
    let first = (low / step).ceil();
    (0..8)
        .map(|n| (first + f64::from(n)) * step)
        .take_while(|value| *value <= high + 1e-9 * wide)
        .collect()
}

/// Round times of an axis with their labels: at most six, and four where they are wide, with seconds.
pub(super) fn times(from: Timestamp, to: Timestamp) -> Vec<(Timestamp, String)> {
    const STEPS: [i64; 19] = [
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400,
        172_800, 604_800,
    ];
    let (first, last) = (from.as_millis(), to.as_millis());
    let fits = |step: &&i64| (last - first) / (**step * 1_000) <= if **step < 60 { 3 } else { 5 };
    // There are no labels for years: a log of a year still has at most six.
    let rough = 1_000 * (last - first).div_euclid(5_000).max(1);
    let step = STEPS.iter().find(fits).map_or(rough, |step| step * 1_000);
    let begin = first.div_euclid(step) * step;
    let label = |at: Timestamp| {
        let text = at.to_string();
        // Midnight is named by the day that begins.
        let part = if at.as_millis() % 86_400_000 == 0 && last - first >= 86_400_000
            || step >= 86_400_000
        {
            5..10
        } else if step >= 60_000 {
            11..16
        } else {
            11..19
        };
        text.get(part).unwrap_or_default().to_owned()
    };
    (0..8)
        .map(|n| begin + n * step)
        .filter(|at| (first..=last).contains(at))
        .filter_map(|at| Timestamp::try_from_millis(at).ok())
        .map(|at| (at, label(at)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn post_1_axes_have_round_figures() {
        let shown =
            |low, high| values(low, high).iter().map(|v| format!("{v:.2}")).collect::<Vec<_>>();
        assert_eq!(shown(0.0, 0.06), ["0.00", "0.02", "0.04", "0.06"]);
        assert_eq!(shown(-3.0, 7.0), ["-2.00", "0.00", "2.00", "4.00", "6.00"]);
        assert_eq!(shown(-1.0, 0.2), ["-1.00", "-0.50", "0.00"]);
        let at = |text: &str| text.parse().unwrap();
        let labels = |from, to| -> Vec<String> {
            times(at(from), at(to)).into_iter().map(|(_, label)| label).collect()
        };
        assert_eq!(
            labels("2026-03-03T14:41:00Z", "2026-03-03T15:40:00Z"),
            ["14:50", "15:00", "15:10", "15:20", "15:30", "15:40"]
        );
        assert_eq!(labels("2026-03-03T14:41:00Z", "2026-03-03T14:41:00Z"), ["14:41:00"]);
        assert_eq!(
            labels("2026-03-03T14:41:00Z", "2026-03-03T14:42:59Z"),
            ["14:41:00", "14:41:30", "14:42:00", "14:42:30"]
        );
        assert_eq!(
            labels("2026-03-03T02:00:00Z", "2026-03-04T14:00:00Z"),
            ["12:00", "03-04", "12:00"]
        );
        assert!(labels("2026-03-03T14:41:00Z", "2029-03-03T14:41:00Z").len() <= 6);
    }

    #[test]
    fn post_1_the_last_label_of_time_ends_inside() {
        let shown = |seconds: i64| {
            let [from, to] = [0, 1_000 * seconds].map(|at| Timestamp::try_from_millis(at).unwrap());
            let (bands, marks) = (Vec::new(), Vec::new());
            let frame = Frame { from, to, labels: times(from, to), bands, marks };
            let (id, lines) = (String::new(), Vec::new());
            let (title, words, unit) = ("", "", &|value: f64| value.to_string());
            let threshold = None;
            Chart { frame: &frame, title, words, id, low: 0.0, high: 1.0, lines, threshold, unit }
                .svg()
        };
        let (short, long) = (shown(90), shown(300));
        assert!(short.contains("x=\"410.4\" y=\"224.0\">00:01:30<"), "{short}");
        assert!(long.contains("x=\"418.0\" y=\"224.0\">00:05<"), "{long}");
    }
}
