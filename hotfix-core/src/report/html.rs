//! The report as HTML: one file with its style and its plots, without scripts and external
//! references.
//!
//! The template escapes every text; the texts in charts are escaped in `chart.rs`.

use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, Value};

use crate::rollout::State;
use crate::sorting::map_of;
use crate::text;

use super::chart::Frame;
use super::outline::{Block, Table, outline, title};
use super::plot::{self, Plot};
use super::{Report, ReportError};

const PAGE: &str = include_str!("templates/page.html");
const STYLE: &str = include_str!("templates/style.css");

/// Writes the page, without what a terminal or a browser would act on instead of showing it.
pub(super) fn page(report: &Report) -> Result<String, ReportError> {
    let page = rendered(report).map_err(|error| ReportError::Write { fault: error.to_string() });
    let read = |c| if c == '\n' { Some(c) } else { text::readable(c) };
    page.map(|page| page.chars().filter_map(read).collect())
}

fn rendered(report: &Report) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let sections = outline(report).into_iter().map(|section| {
        object([
            ("id", section.id.into()),
            ("title", section.title.into()),
            ("blocks", section.blocks.into_iter().map(|of| block(report, of)).collect()),
        ])
    });
    let all = object([
        ("title", title(report).into()),
        ("state", text::words(report.state.as_str()).into()),
        ("mood", mood(report.state).into()),
        ("sections", sections.collect()),
        ("style", Value::from_safe_string(STYLE.to_owned())),
    ]);
    environment.add_template("page.html", PAGE)?;
    environment.get_template("page.html")?.render(all)
}

fn object<const N: usize>(members: [(&'static str, Value); N]) -> Value {
    Value::from(map_of(members.map(|(name, value)| (Arc::<str>::from(name), value))))
}

fn texts(texts: Vec<String>) -> Value {
    texts.into_iter().map(Value::from).collect()
}

/// A block for the template: an object with one of its members.
fn block(report: &Report, block: Block) -> Value {
    match block {
        Block::Heading(text) => object([("heading", text.into())]),
        Block::Paragraph(text) => object([("paragraph", text.into())]),
        Block::List(items) => object([("list", texts(items))]),
        Block::Table(of) => object([("table", table(of))]),
        Block::Plots(of) => {
            let plots = plots(report, of);
            object([
                ("legend", legend(of, &plots)),
                ("plots", plots.into_iter().map(figure).collect()),
                ("kind", Value::from(of)),
            ])
        }
    }
}

fn plots(report: &Report, of: &str) -> Vec<Plot> {
    let frame = Frame::of(report);
    match (of, &frame) {
        ("metrics", Some(frame)) => {
            let metrics = report.plots.metrics.iter().enumerate();
            metrics.map(|(number, plot)| frame.metric(number, plot)).collect()
        }
        ("evidence", Some(frame)) => {
            let evidence = report.plots.evidence.iter().enumerate();
            evidence.map(|(number, plot)| frame.evidence(number, plot)).collect()
        }
        ("duties", _) => plot::duties(&report.duties, report.as_of).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// What the legend of a kind of plots explains: its CSS classes, the marks that it is about, and
/// what they mean.
const LEGEND: [(&str, &str, &[&str], &str); 14] = [
    ("metrics", "new", &["line new\"", "dot new\""], "the new version"),
    ("metrics", "live", &["line live\"", "dot live\""], "the live version"),
    ("metrics", "threshold", &["\"threshold\""], "rollback bound"),
    ("metrics", "good dash", &["\"mark good\""], "next stage"),
    ("metrics", "bad dash", &["\"mark bad\""], "rollback or stop"),
    ("metrics", "plain dash", &["\"mark plain\""], "paused, or rolled back"),
    ("metrics", "shade", &["\"phase\""], "phases"),
    ("evidence", "worse", &["line worse\"", "dot worse\""], "the new version is worse"),
    ("evidence", "works", &["line works\"", "dot works\""], "the fix works"),
    ("evidence", "threshold", &["\"threshold\""], "decision threshold"),
    ("duties", "kept", &["bar kept\""], "in time"),
    ("duties", "missed", &["bar missed\""], "late or missed"),
    ("duties", "open", &["bar open\""], "open"),
    ("duties", "threshold", &["\"threshold\""], "deadline"),
];

fn legend(of: &str, plots: &[Plot]) -> Value {
    let is_shown =
        |marks: &[&str]| plots.iter().any(|plot| marks.iter().any(|mark| plot.svg.contains(mark)));
    let known = LEGEND.iter().filter(|(kind, _, marks, _)| *kind == of && is_shown(marks));
    known
        .map(|(_, class, _, text)| object([("class", (*class).into()), ("text", (*text).into())]))
        .collect()
}

fn figure(plot: Plot) -> Value {
    object([
        ("title", plot.title.into()),
        ("svg", Value::from_safe_string(plot.svg)),
        ("after", plot.after.into()),
    ])
}

fn table(table: Table) -> Value {
    let row = |cells: Vec<Vec<String>>| -> Value { cells.into_iter().map(texts).collect() };
    object([
        ("caption", table.caption.into()),
        ("count", table.rows.len().into()),
        ("rows", table.rows.into_iter().map(row).collect()),
        ("has_head", table.head.iter().any(|name| !name.is_empty()).into()),
        ("head", texts(table.head)),
        ("folded", table.folded.into()),
    ])
}

const fn mood(state: State) -> &'static str {
    match state {
        State::Complete | State::Closed => "good",
        State::RollingBack | State::RolledBack | State::Frozen | State::Aborted | State::Failed => {
            "bad"
        }
        State::Drafted
        | State::AwaitingApproval
        | State::Ready
        | State::Deploying
        | State::Monitoring
        | State::Gate
        | State::FinalValidation
        | State::Paused => "plain",
    }
}
