//! Renders a [`Report`] with templates: one HTML page without external references, and Markdown.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};
use serde::Serialize;

use super::Report;
use super::machine::{self, Machine};
use super::plot::{self, Plot, question_name};
use crate::conclusion::Conclusion;
use crate::lines::{self, METRICS, Metric, TOGETHER};
use crate::record::{Evidence, FirstAttempt, RunRecord, Verdict};

const PAGE: &str = include_str!("templates/page.html");
const STYLE: &str = include_str!("templates/style.css");
const TEXT: &str = include_str!("templates/report.md");

/// One row of the table of figures.
#[derive(Serialize)]
struct Figures {
    at: String,
    cells: Vec<String>,
}

/// One row of the table of verdicts.
#[derive(Serialize)]
struct VerdictRow {
    at: String,
    phase: String,
    decision: String,
    why: String,
    cells: Vec<Cell>,
}

/// One metric's verdict.
#[derive(Serialize)]
struct Cell {
    band: String,
    figures: String,
    evidence: String,
}

/// A scene for the templates.
#[derive(Serialize)]
struct Scene<'a> {
    record: &'a RunRecord,
    conclusion: Conclusion,
    /// Why there was a second attempt.
    repeated: Option<String>,
    machine: Option<Machine>,
    plots: Vec<Plot>,
    evidence: Vec<Plot>,
    /// Metrics without evidence against the fix at any time.
    quiet: Option<String>,
    phases: Vec<(String, String, String, String)>,
    verdicts: Vec<VerdictRow>,
    figures: Vec<Figures>,
    /// The decision that ended it.
    decided: Option<String>,
    affected: Option<String>,
    last_evidence: Vec<(String, String, String, String)>,
}

/// The HTML page and the Markdown text.
pub(crate) fn render(report: &Report) -> anyhow::Result<(String, String)> {
    let scenes = report.scenes.iter().map(scene).collect::<anyhow::Result<Vec<_>>>()?;
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_auto_escape_callback(|name| {
        if name == "page.html" { AutoEscape::Html } else { AutoEscape::None }
    });
    environment.add_filter("seconds", |s: f64| format!("{s:.1} s"));
    environment.add_filter("ms", |s: f64| format!("{:.0} ms", s * 1e3));
    environment.add_filter("percent", |s: f64| format!("{:.0}%", s * 100.0));
    environment.add_filter("words", |name: String| name.replace('_', " "));
    // Markdown: a bar or a line break would end the cell, a bracket would start a link or tag.
    environment.add_filter("cell", |text: String| {
        let mut out = String::new();
        for c in text.chars() {
            match c {
                '\n' => out.push(' '),
                '|' | '<' | '>' | '[' | ']' | '*' | '_' | '`' | '\\' => {
                    out.push('\\');
                    out.push(c);
                }
                _ => out.push(c),
            }
        }
        out
    });
    environment.add_template("page.html", PAGE)?;
    environment.add_template("report.md", TEXT)?;
    let names: Vec<&str> = METRICS.iter().map(|m| m.name).collect();
    let all: Value = context! {
        report => Value::from(Serde(report)),
        scenes => Value::from(Serde(&scenes)),
        began => utc(report.began),
        result => report.conclusion.to_string(),
        sentence => report.sentence(),
        metrics => names,
        style => Value::from_safe_string(STYLE.to_owned()),
    };
    let page = environment.get_template("page.html")?.render(&all)?;
    let text = environment.get_template("report.md")?.render(&all)?;
    Ok((page, text))
}

#[expect(clippy::cast_possible_truncation, reason = "milliseconds of our time")]
fn utc(unix: f64) -> String {
    chrono::DateTime::from_timestamp_millis((unix * 1e3) as i64)
        .map_or_else(String::new, |t| t.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

fn scene(record: &RunRecord) -> anyhow::Result<Scene<'_>> {
    let mut plots = Vec::new();
    for metric in &METRICS {
        plots.extend(plot::metric(record, metric)?);
    }
    let (drawn, quiet): (Vec<&Evidence>, Vec<&Evidence>) =
        sorted(&record.evidence).into_iter().partition(|e| is_drawn(e));
    let evidence: Vec<Plot> =
        drawn.into_iter().map(|e| plot::evidence(record, e)).collect::<anyhow::Result<_>>()?;
    let quiet: Vec<&str> = quiet.into_iter().map(|e| lines::name(&e.metric)).collect();
    let phases = plot::phases(record)
        .into_iter()
        .map(|(name, share, from, to)| {
            (name, format!("{:.0}%", share * 100.0), format!("{from:.1} s"), format!("{to:.1} s"))
        })
        .collect();
    Ok(Scene {
        record,
        conclusion: record.conclusion(),
        repeated: record.repeated.as_ref().map(FirstAttempt::sentence),
        machine: machine::of(record),
        plots,
        evidence,
        quiet: (!quiet.is_empty()).then(|| quiet.join(", ")),
        phases,
        verdicts: verdicts(record),
        figures: figures(record),
        decided: decided(record),
        affected: affected(record),
        last_evidence: last_evidence(record),
    })
}

/// The order of the evidence: harm by all metrics together, by each metric, then the rest.
fn sorted(evidence: &[Evidence]) -> Vec<&Evidence> {
    let place = |e: &Evidence| {
        let metric = METRICS.iter().position(|m| m.id == e.metric).map_or(0, |i| i + 1);
        (e.question != "harm", metric)
    };
    let mut sorted: Vec<&Evidence> = evidence.iter().filter(|e| !e.points.is_empty()).collect();
    sorted.sort_by_key(|e| place(e));
    sorted
}

/// Whether there is a plot: a metric without evidence against the fix has none.
fn is_drawn(e: &Evidence) -> bool {
    e.question != "harm" || e.metric == TOGETHER || e.highest() >= 0.5
}

fn verdicts(record: &RunRecord) -> Vec<VerdictRow> {
    let cell = |v: &Verdict, metric: &Metric| {
        let judged = v.judged.get(metric.id).cloned().unwrap_or_default();
        let pair = v.values.get(metric.id).copied().unwrap_or_default();
        let show = |v: Option<f64>| v.map_or_else(|| "–".into(), |v| metric.unit.show(v));
        let evidence: Vec<String> = judged
            .evidence
            .iter()
            .map(|(question, e)| format!("{} {e:+.1}", question_short(question)))
            .collect();
        Cell {
            band: if judged.band.is_empty() { "–".into() } else { judged.band },
            figures: format!("{} / {}", show(pair.canary), show(pair.baseline)),
            evidence: evidence.join(", "),
        }
    };
    record
        .verdicts
        .iter()
        .map(|v| VerdictRow {
            at: format!("{:.1} s", v.at),
            phase: v.phase.clone(),
            decision: v.decision.clone(),
            why: v.why.clone(),
            cells: METRICS.iter().map(|m| cell(v, m)).collect(),
        })
        .collect()
}

fn question_short(question: &str) -> &str {
    match question {
        "harm" => "worse",
        "promotion" => "not worse",
        "efficacy" => "works",
        other => other,
    }
}

/// The plotted values every five seconds, as a table for readers who cannot see the plots.
fn figures(record: &RunRecord) -> Vec<Figures> {
    let step = 5.0;
    let mut rows = Vec::new();
    let mut at = 0.0;
    while at <= record.seconds {
        let mut cells = Vec::new();
        for metric in &METRICS {
            let series = record.series.get(metric.id);
            for points in [series.map(|s| &s.canary), series.map(|s| &s.baseline)] {
                let near = points.and_then(|p| p.iter().rfind(|p| p.0 <= at && p.0 > at - 2.0));
                cells.push(near.map_or_else(|| "–".into(), |p| metric.unit.show(p.1)));
            }
        }
        rows.push(Figures { at: format!("{at:.0} s"), cells });
        at += step;
    }
    rows
}

/// The reason of the decisive event: rollback, proof that the fix works, failure or completion.
fn decided(record: &RunRecord) -> Option<String> {
    let event = |what: &str| record.events.iter().find(|e| e.what == what);
    let settled = ["roll_back", "efficacy_shown", "failed", "complete"];
    let event = settled.into_iter().find_map(event)?;
    // The most severe reason is first; the table of events has all of them.
    let (first, more) = event.why.split_once("; ").unwrap_or((&event.why, ""));
    let figures = more
        .split("; ")
        .next()
        .filter(|m| m.contains(" against "))
        .map_or_else(String::new, |m| format!("; {m}"));
    let mut before = record.events.iter().filter(|e| e.at <= event.at);
    let fault = before.find(|e| e.what == "the fault begins");
    let after = fault.map_or_else(String::new, |fault| {
        format!(", {:.1} s after the fault began", event.at - fault.at)
    });
    Some(format!("{first}{figures} (at {:.1} s{after})", event.at))
}

/// The affected customers, as text.
fn affected(record: &RunRecord) -> Option<String> {
    let load = record.load.as_ref()?;
    let affected = load.planned - load.ok.min(load.planned);
    Some(format!("{affected} of {} failed", load.planned))
}

/// Metric, question, highest log e, and threshold.
fn last_evidence(record: &RunRecord) -> Vec<(String, String, String, String)> {
    sorted(&record.evidence)
        .into_iter()
        .map(|e| {
            let threshold = e.threshold.map_or_else(|| "–".into(), |t| format!("{t:.1}"));
            let question = question_name(&e.question).to_owned();
            (lines::name(&e.metric).to_owned(), question, format!("{:.1}", e.highest()), threshold)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_page_refers_to_nothing_outside() {
        let (page, text) = render(&sample::report()).expect("renders");
        let page = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        for reference in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!page.contains(reference), "the page contains {reference}");
        }
        assert!(page.contains("prefers-color-scheme"));
        assert!(text.starts_with("# "));
    }

    #[test]
    fn what_a_metric_or_message_says_cannot_become_markup() {
        let mut report = sample::report();
        report.scenes[0].messages[0].text = "<script>alert(1)</script> | x".into();
        report.scenes[0].events[1].why = "a | b".into();
        let (page, text) = render(&report).expect("renders");
        assert!(!page.contains("<script>alert"));
        assert!(text.contains("a \\| b"));
    }

    #[test]
    fn every_plot_has_words() {
        let (page, _) = render(&sample::report()).expect("renders");
        assert!(page.matches("<svg ").count() >= 8);
        assert_eq!(page.matches("<svg ").count(), page.matches("role=\"img\"").count());
    }
}
