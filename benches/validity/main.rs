//! How often the tests err, and how soon they find a fault: `docs/validity.md`.
//!
//! Simulates every scenario of the tests' design on the shipped code, and the methods of other
//! tools on the same streams.
//!
//! ```text
//! validity                     write docs/validity.md and docs/img/*.svg
//! validity --check PAGE        the same run, compared with PAGE and its plots
//! validity --quick             fewer runs, wider tolerances, nothing written
//! validity --only CHAPTER …    only these chapters, to standard output; may follow --quick
//! ```
//!
//! Fails if a claim does not hold and is not known to fail, or if a page differs from the result.

mod counts;
mod feeds;
#[path = "../../hotfix-core/tests/it/feeds_common.rs"]
mod feeds_common;
mod fleet;
mod fleets;
#[path = "../../hotfix-core/tests/it/power_common.rs"]
mod foreseen;
mod intervals;
mod latency;
mod laws;
mod methods;
mod metrics;
mod noise;
mod peers;
mod planning;
mod plots;
mod power;
mod random;
mod report;
mod runner;
mod scenarios;
mod tally;
mod traffic;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use hotfix_core::stats::StatError;

use report::Report;

type Failure = Box<dyn std::error::Error>;
type Chapter = (&'static str, fn(&mut Report) -> Result<(), StatError>);

const PAGE: &str = "docs/validity.md";

/// In the order of the page.
const CHAPTERS: [Chapter; 17] = [
    ("errors", counts::errors),
    ("oracle", counts::oracle),
    ("peers", counts::peers),
    ("common", counts::common),
    ("late", counts::late),
    ("promotion", counts::promotion),
    ("efficacy", counts::efficacy),
    ("phase_ends", planning::phase_ends),
    ("planning", planning::planning),
    ("power", power::power),
    ("intervals", intervals::intervals),
    ("latency", latency::latency),
    ("metrics", metrics::metrics),
    ("noise", noise::noise),
    ("randomised", noise::randomised),
    ("instances", noise::instances),
    ("feeds", feeds::feeds),
];

/// What the program does with the page.
enum Task {
    Write,
    Check(String),
    Show,
}

/// The parsed command line.
struct Asked {
    task: Task,
    quick: bool,
    /// Names of chapters; empty for all.
    only: Vec<String>,
}

fn asked() -> Result<Asked, Failure> {
    let mut asked = Asked { task: Task::Write, quick: false, only: Vec::new() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => {
                asked.quick = true;
                asked.task = Task::Show;
            }
            "--check" => {
                asked.task = Task::Check(arguments.next().ok_or("--check needs a page")?);
            }
            "--only" => {
                asked.only.extend(arguments.by_ref());
                asked.task = Task::Show;
            }
            _ => return Err("usage: validity [--quick] [--check PAGE] [--only CHAPTER …]".into()),
        }
    }
    let known = |name: &String| CHAPTERS.iter().any(|chapter| chapter.0 == name);
    match asked.only.iter().find(|name| !known(name)) {
        None => Ok(asked),
        Some(name) => {
            let names: Vec<&str> = CHAPTERS.iter().map(|chapter| chapter.0).collect();
            Err(format!("no chapter `{name}`; the chapters are {}", names.join(", ")).into())
        }
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("validity: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, Failure> {
    let asked = asked()?;
    let mut report = Report::new(asked.quick);
    let started = Instant::now();
    for (name, chapter) in CHAPTERS {
        if !asked.only.is_empty() && !asked.only.iter().any(|wanted| wanted == name) {
            continue;
        }
        let began = Instant::now();
        chapter(&mut report)?;
        eprintln!("validity: {name} in {:.1} s", began.elapsed().as_secs_f64());
    }
    let (all, [known, missed]) = report.verdict();
    let stale = report.better_than_known();
    for (what, claims) in
        [("missed, as known", &known), ("missed", &missed), ("known as missed, but holds", &stale)]
    {
        for claim in claims {
            eprintln!("validity: {what}: {claim}");
        }
    }
    eprintln!(
        "validity: {all} claims, {} missed, {} of them known, {:.0} s",
        known.len() + missed.len(),
        known.len(),
        started.elapsed().as_secs_f64()
    );
    let current = match &asked.task {
        Task::Write => {
            for (file, content) in report.files(Path::new(PAGE))? {
                if let Some(folder) = file.parent() {
                    std::fs::create_dir_all(folder)?;
                }
                std::fs::write(file, content)?;
            }
            true
        }
        Task::Check(page) => {
            let mut current = true;
            for (file, content) in report.files(Path::new(page))? {
                if std::fs::read_to_string(&file).ok().as_deref() != Some(content.as_str()) {
                    eprintln!("validity: {} is out of date: run `make validity`", file.display());
                    current = false;
                }
            }
            current
        }
        Task::Show => {
            if !asked.only.is_empty() {
                println!("{}", report.page());
            }
            true
        }
    };
    Ok(current && missed.is_empty() && stale.is_empty())
}
