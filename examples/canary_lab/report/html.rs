//! Renders a [`Report`] by templates: one HTML page without any reference outside, and Markdown.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};
use serde::Serialize;

use super::Report;
use super::plot::{self, Plot, question_name};
use crate::lines::{self, METRICS, Metric};
use crate::record::{RunRecord, Verdict};

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
    cells: Vec<Cell>,
}

/// One metric's verdict.
#[derive(Serialize)]
struct Cell {
    band: String,
    figures: String,
    evidence: String,
}

/// A scene as the templates see it.
#[derive(Serialize)]
struct Scene<'a> {
    record: &'a RunRecord,
    passed: bool,
    plots: Vec<Plot>,
    evidence: Vec<Plot>,
    phases: Vec<(String, String, String, String)>,
    verdicts: Vec<VerdictRow>,
    figures: Vec<Figures>,
    hurt: Option<String>,
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
    let mut evidence = Vec::new();
    for question in ["harm", "efficacy", "promotion"] {
        evidence.extend(plot::evidence(record, question)?);
    }
    let phases = plot::phases(record)
        .into_iter()
        .map(|(name, share, from, to)| {
            (name, format!("{:.0}%", share * 100.0), format!("{from:.1} s"), format!("{to:.1} s"))
        })
        .collect();
    Ok(Scene {
        record,
        passed: record.passed(),
        plots,
        evidence,
        phases,
        verdicts: verdicts(record),
        figures: figures(record),
        hurt: hurt(record),
        last_evidence: last_evidence(record),
    })
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

/// The plotted values every five seconds, as a table for those who cannot see the plots.
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

/// Customers hurt, in words.
fn hurt(record: &RunRecord) -> Option<String> {
    let load = record.load.as_ref()?;
    let hurt = load.planned - load.ok.min(load.planned);
    Some(format!("{hurt} of {} requests failed, most by the old bug", load.planned))
}

/// Metric, question, highest and last log e, and threshold.
fn last_evidence(record: &RunRecord) -> Vec<(String, String, String, String)> {
    record
        .evidence
        .iter()
        .map(|e| {
            let most = e.points.iter().map(|p| p.1).fold(f64::NEG_INFINITY, f64::max);
            let threshold = e.threshold.map_or_else(|| "–".into(), |t| format!("{t:.1}"));
            let name = lines::metric(&e.metric).map_or(e.metric.as_str(), |m| m.name);
            let question = question_name(&e.question).to_owned();
            (name.to_owned(), question, format!("{most:.1}"), threshold)
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
