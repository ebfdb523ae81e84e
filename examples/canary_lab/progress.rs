//! Live progress: one compact line for each scene on a terminal, plain lines elsewhere, and a
//! permanent line with the result of each scene.

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::lines::{Judged, Line, METRICS, Tick};

/// Seconds between two plain lines of one scene.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// The display of a demo: progress lines on stderr, permanent lines on stdout.
pub(crate) struct Board {
    /// None if stderr is no terminal.
    bars: Option<MultiProgress>,
}

impl Board {
    /// An empty board.
    pub(crate) fn new() -> Self {
        Self { bars: std::io::stderr().is_terminal().then(MultiProgress::new) }
    }

    /// A line with the progress of one scene, until it is dropped.
    pub(crate) fn live(&self, name: &str) -> Row {
        Row(match self.bar("{prefix:.bold} {wide_msg}") {
            Some(bar) => {
                bar.set_prefix(format!("{name:<12}"));
                Shown::Bar(bar)
            }
            None => Shown::Plain { name: format!("{name:<12}"), last: Cell::new(None) },
        })
    }

    /// One line with the numbers of ended and running scenes.
    pub(crate) fn tally(&self, scenes: usize) -> Tally {
        Tally { bar: self.bar("{msg}"), scenes, ended: Cell::new(0), running: Cell::new(0) }
    }

    /// Writes a permanent text above the progress lines.
    pub(crate) fn print(&self, text: &str) {
        // A display that has gone must not end a scene.
        let print = || drop(writeln!(std::io::stdout().lock(), "{text}"));
        match &self.bars {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }

    fn bar(&self, template: &str) -> Option<ProgressBar> {
        let bar = self.bars.as_ref()?.add(ProgressBar::new_spinner());
        // A template that is wrong would only cost the colour.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Some(bar)
    }
}

/// One line for many scenes.
pub(crate) struct Tally {
    bar: Option<ProgressBar>,
    scenes: usize,
    ended: Cell<usize>,
    running: Cell<usize>,
}

impl Tally {
    /// Counts a scene that begins; the returned row shows nothing.
    pub(crate) fn begun(&self) -> Row {
        self.running.update(|n| n + 1);
        self.show();
        Row(Shown::Nothing)
    }

    /// Counts a scene that has ended.
    pub(crate) fn ended(&self) {
        self.running.update(|n| n - 1);
        self.ended.update(|n| n + 1);
        self.show();
    }

    fn show(&self) {
        if let Some(bar) = &self.bar {
            bar.set_message(self.text());
        }
    }

    fn text(&self) -> String {
        format!("{} of {} scenes, {} running", self.ended.get(), self.scenes, self.running.get())
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// How one scene is followed.
pub(crate) struct Row(Shown);

enum Shown {
    /// By a line of a terminal that is overwritten.
    Bar(ProgressBar),
    /// By one line after the other.
    Plain { name: String, last: Cell<Option<Instant>> },
    /// Not at all.
    Nothing,
}

impl Row {
    /// Shows a line of the scene's driver.
    pub(crate) fn show(&self, line: &Line) {
        let text = match (&self.0, line) {
            (Shown::Nothing, _) | (Shown::Bar(_), Line::Acted { .. } | Line::Message { .. }) => {
                None
            }
            (Shown::Bar(_), Line::Tick(tick)) => Some(compact(tick)),
            (Shown::Plain { last, .. }, Line::Tick(_)) => {
                if last.get().is_some_and(|last| last.elapsed() < PLAIN_EVERY) {
                    return;
                }
                last.set(Some(Instant::now()));
                plain(line)
            }
            (Shown::Bar(_) | Shown::Plain { .. }, line) => plain(line),
        };
        if let Some(text) = text {
            self.say(&text);
        }
    }

    /// Shows a text.
    pub(crate) fn say(&self, text: &str) {
        match &self.0 {
            Shown::Bar(bar) => bar.set_message(text.to_owned()),
            // A display that has gone must not end a scene.
            Shown::Plain { name, .. } => {
                drop(writeln!(std::io::stderr().lock(), "{name} {text}"));
            }
            Shown::Nothing => {}
        }
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        if let Shown::Bar(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// A driver's line in words.
pub(crate) fn plain(line: &Line) -> Option<String> {
    Some(match line {
        Line::Began { resumed: false, .. } => "driver started".into(),
        Line::Began { events, .. } => format!("driver resumed from {events} events"),
        Line::Tick(tick) => tick_text(tick),
        Line::Acting { what, again: true, .. } => format!("again: {what}"),
        Line::Acting { what, .. } => format!("now: {what}"),
        Line::Acted { id, failed: Some(why), .. } => format!("action {id} failed: {why}"),
        Line::Acted { .. } => return None,
        Line::Noted { what, why, .. } => format!("{what}: {why}"),
        Line::Decided { what, why, .. } => format!("decided: {what} ({why})"),
        Line::Message { audience, text, .. } => {
            format!("notified {audience}: {}", text.lines().next().unwrap_or_default())
        }
        Line::Ended { state, .. } => format!("ended: {state}"),
    })
}

/// `partial 50%  7 s left  continue | err 0.3%/0.2% ok -1.2 | …`: the canary's and the baseline's
/// value, the band, and the evidence of harm in log e.
fn tick_text(tick: &Tick) -> String {
    let place = if tick.phase.is_empty() { &tick.state } else { &tick.phase };
    let left = tick.left.map_or_else(|| "      ".into(), |s| format!("{s:>3.0} s "));
    let mut text = format!("{place:<8} {:>3.0}% {left}{:<9}", tick.share * 100.0, tick.decision);
    for metric in &METRICS {
        let pair = tick.values.get(metric.id).copied().unwrap_or_default();
        let show = |v: Option<f64>| v.map_or_else(|| "-".into(), |v| metric.unit.show(v));
        let judged = tick.judged.get(metric.id);
        if judged.is_none() && pair.canary.is_none() && pair.baseline.is_none() {
            continue;
        }
        let (canary, baseline) = (show(pair.canary), show(pair.baseline));
        let _ = write!(text, "| {} {canary}/{baseline}{} ", metric.short, verdict(judged));
    }
    text
}

/// `partial 50%   7s err ok -1.2  p95 ok -0.3 …`: a tick without values, for 80 columns.
fn compact(tick: &Tick) -> String {
    let place = if tick.phase.is_empty() { &tick.state } else { &tick.phase };
    let left = tick.left.map_or_else(String::new, |s| format!("{s:.0}s"));
    let mut text = format!("{place:<7} {:>3.0}% {left:>3} ", tick.share * 100.0);
    for metric in &METRICS {
        let judged = tick.judged.get(metric.id);
        let _ = write!(text, " {}{} ", metric.short, verdict(judged));
    }
    text
}

/// The band and the evidence in log e: of harm, or of the only question that has any.
fn verdict(judged: Option<&Judged>) -> String {
    let Some(judged) = judged else { return " -".into() };
    let band = match judged.band.as_str() {
        "success" => "ok",
        "rollback" => "BACK",
        "alert" => "ALERT",
        other => other,
    };
    let evidence = &judged.evidence;
    match evidence.get("harm").or_else(|| evidence.first_key_value().map(|e| e.1)) {
        Some(e) if e.abs() < 9.95 => format!(" {band} {e:+.1}"),
        Some(e) => format!(" {band} {e:+.0}"),
        None => format!(" {band}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::Pair;
    use std::collections::BTreeMap;

    #[test]
    fn a_tally_counts_scenes_that_run_and_that_have_ended() {
        let board = Board { bars: None };
        let tally = board.tally(13);
        let rows = [tally.begun(), tally.begun(), tally.begun()];
        assert_eq!(tally.text(), "0 of 13 scenes, 3 running");
        tally.ended();
        assert_eq!(tally.text(), "1 of 13 scenes, 2 running");
        drop(rows);
    }

    #[test]
    fn a_tick_shows_phase_time_share_band_and_evidence() {
        let tick = Tick {
            state: "monitoring".into(),
            phase: "partial".into(),
            share: 0.5,
            left: Some(7.2),
            decision: "continue".into(),
            values: BTreeMap::from([(
                "error_rate".into(),
                Pair { canary: Some(0.061), baseline: Some(0.003) },
            )]),
            judged: BTreeMap::from([(
                "error_rate".into(),
                Judged {
                    band: "rollback".into(),
                    evidence: BTreeMap::from([("harm".into(), 3.12)]),
                    ..Judged::default()
                },
            )]),
            ..Tick::default()
        };
        assert_eq!(
            compact(&tick).trim_end(),
            "partial  50%  7s  err BACK +3.1  p95 -  paid -  bug -  vol -"
        );
        assert_eq!(
            plain(&Line::Tick(Box::new(tick))).expect("a text").trim_end(),
            "partial   50%   7 s continue | err 6.1%/0.3% BACK +3.1"
        );
    }
}
