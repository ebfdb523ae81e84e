//! The report as HTML: one file with its style and its plots, without scripts and external
//! references.
//!
//! The template escapes every text; the texts in charts are escaped in `chart.rs`.

use std::collections::BTreeMap;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, Value};

use crate::rollout::State;
use crate::text;
use crate::unit::is_invisible;

use super::chart::Frame;
use super::outline::{Block, Table, outline, title};
use super::plot::{self, Plot};
use super::{Report, ReportError};

const PAGE: &str = include_str!("templates/page.html");
const STYLE: &str = include_str!("templates/style.css");

/// Writes the page, without what a terminal or a browser would act on instead of showing it.
pub(super) fn page(report: &Report) -> Result<String, ReportError> {
    let page = rendered(report).map_err(|error| ReportError::Write { fault: error.to_string() });
    page.map(|mut page| {
        page.retain(|c| c == '\n' || !is_invisible(c));
        page
    })
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
    Value::from(BTreeMap::from(members))
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
        Block::Plots(of) => object([
            ("plots", plots(report, of).into_iter().map(figure).collect()),
            ("legend", Value::from(of)),
        ]),
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

fn figure(plot: Plot) -> Value {
    object([
        ("title", plot.title.into()),
        ("svg", Value::from_safe_string(plot.svg)),
        ("table", table(plot.table)),
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

/// CSS class of the state.
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
