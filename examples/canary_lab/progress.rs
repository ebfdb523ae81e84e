//! Live progress: one compact line a scene on a terminal, plain lines elsewhere.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::lines::{Judged, Line, METRICS, Tick};

/// Seconds between two plain lines of one scene.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// The display of a demo.
pub(crate) struct Board {
    bars: Option<MultiProgress>,
    width: usize,
}

impl Board {
    /// A board for scenes whose names have at most `width` letters.
    pub(crate) fn new(width: usize) -> Self {
        let bars = std::io::stderr().is_terminal().then(MultiProgress::new);
        Self { bars, width }
    }

    /// A line for one scene.
    pub(crate) fn scene(&self, name: &str) -> Row {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new_spinner());
            // A template that is wrong would only cost the colour.
            if let Ok(style) = ProgressStyle::with_template("{prefix:.bold} {wide_msg}") {
                bar.set_style(style);
            }
            bar.set_prefix(format!("{name:<0$}", self.width));
            bar
        });
        Row { name: format!("{name:<0$}", self.width), bar, last: Mutex::new(None) }
    }
}

/// One scene's line.
pub(crate) struct Row {
    name: String,
    bar: Option<ProgressBar>,
    last: Mutex<Option<Instant>>,
}

impl Row {
    /// Shows a line of the scene's driver.
    pub(crate) fn show(&self, line: &Line) {
        let text = match line {
            Line::Tick(tick) if self.bar.is_some() => Some(compact(tick)),
            _ => plain(line),
        };
        let Some(text) = text else { return };
        if matches!(line, Line::Tick(_)) {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if self.bar.is_none() && last.is_some_and(|l| l.elapsed() < PLAIN_EVERY) {
                return;
            }
            *last = Some(Instant::now());
        } else if self.bar.is_some() && matches!(line, Line::Acted { .. } | Line::Message { .. }) {
            return;
        }
        self.say(&text);
    }

    /// Shows a text.
    pub(crate) fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            // A display that has gone must not end a scene.
            None => drop(writeln!(std::io::stderr().lock(), "{} {text}", self.name)),
        }
    }

    /// Shows the end, which stays.
    pub(crate) fn finish(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.finish_with_message(text.to_owned()),
            None => self.say(text),
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
            format!("told {audience}: {}", text.lines().next().unwrap_or_default())
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

/// The band, and the evidence of harm, or on the only question there is, in log e.
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
