//! How often the tests err, and how soon they find a fault: `docs/validity.md`.
//!
//! Simulates every scenario of the tests' design on the shipped code, and the methods of other
//! tools on the same streams.
//!
//! ```text
//! validity                     write docs/validity.md, docs/validity-real-feeds.md, docs/img/*.svg
//! validity --page PAGE         write only this page
//! validity --check PAGE        the same run, compared with PAGE and its plots
//! validity --quick             fewer runs, wider tolerances, nothing written
//! validity --only CHAPTER …    only these chapters, to standard output; may follow --quick
//! validity --world TEXT …      of whole rollouts only worlds whose row contains TEXT; before --only
//! ```
//!
//! The chapter `kept` has the cells that were kept for the end: --quick leaves it out.
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
mod missed;
mod noise;
mod peers;
mod planning;
mod plots;
mod power;
mod random;
#[path = "../../hotfix-core/tests/it/ready.rs"]
#[expect(dead_code, reason = "the tests of the core use all of it")]
mod ready;
mod real;
mod report;
mod runner;
mod scenarios;
mod tally;
mod traffic;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use hotfix_core::stats::StatError;

use report::{Head, Report};

type Failure = Box<dyn std::error::Error>;
type Chapter = (&'static str, fn(&mut Report) -> Result<(), StatError>);

/// A page with its chapters in order.
struct Page {
    file: &'static str,
    head: Head,
    chapters: &'static [Chapter],
}

const PAGES: [Page; 2] = [
    Page {
        file: "docs/validity.md",
        head: Head {
            title: "Validity",
            words: "How often the tests err and how soon they find a fault, simulated on the shipped \
                    code of `hotfix-core`. Written by `make validity` (`benches/validity/`); `make \
                    verify` runs the same with fewer runs and wider tolerances. Figures called \
                    'stated' come from the tests' design, not from this code. `docs/statistics.md` \
                    explains the tests. [Whole rollouts of services as they \
                    are](validity-real-feeds.md) have a page of their own.",
            notes: "- A *guaranteed* chance must lie below its limit by two standard errors, with 2 \
                    SE < α/4; a *calibrated* one must not lie above its limit by more than two. \
                    Among a hundred calibrated figures exactly at their limit, two or three would \
                    be 'missed' by chance.\n\
                    - Random numbers: PCG64 (MCG), one stream per run, from the seed of the table \
                    and the run's number; Poisson and negative binomial counts by alias tables. The \
                    page is the same, byte for byte, with any number of threads.\n\
                    - The trials of a tick are its errors plus a Poisson number of successes, so a \
                    burst of errors also adds trials. With retries, each failed or repeated attempt \
                    is a trial.\n\
                    - A tick is 10 s; 300 ticks are planned; w is the canary's share, r its error \
                    rate over the baseline's; α 0.01 for rolling back, 0.05 for promoting.\n",
        },
        chapters: &[
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
        ],
    },
    Page {
        file: "docs/validity-real-feeds.md",
        head: Head {
            title: "Validity on real feeds",
            words: "Whole rollouts of simulated services as they are: instances wander, start cold \
                    and pause, customers retry, counters are scraped. The shipped `Rollout` gets \
                    what a deploy tool would hand over and decides. Written by `make validity` \
                    (`benches/validity/real/`). Worlds, policies and limits were written down before \
                    the first run: `benches/validity/real/cells.rs`.",
            notes: "- 'Asked' is a question before the last phase has passed; nobody answers one. \
                    'Done' is the median time until the last phase has passed, over all rollouts; \
                    '–': half of them never were. After 90 minutes a rollout is given up.\n\
                    - 'Causes' counts the first cause of each rollback, or else of the first \
                    question, the most frequent ones.\n\
                    - 'Kayenta': how often a Kayenta-compatible judge fails the canary in the same \
                    world, which it sees for ten minutes at 10% and ten at 50%, a point a minute for \
                    the shares of failed requests and payments and the p95; pass from 75 on, \
                    marginal counts as failed.\n\
                    - A share must not lie above its limit by more than two standard errors.\n\
                    - Random numbers: PCG64 (MCG), one stream per run. The page is the same, byte \
                    for byte, with any number of threads.\n",
        },
        chapters: &[("rollouts", real::rollouts), (KEPT, real::kept)],
    },
];

/// Chapter of the cells that were kept for the end.
const KEPT: &str = "kept";

/// What the program does with the pages.
enum Task {
    Write,
    /// Writes only this page.
    WriteOne(String),
    Check(String),
    Show,
}

impl Task {
    fn concerns(&self, page: &Page) -> bool {
        match self {
            Self::WriteOne(one) | Self::Check(one) => {
                Path::new(one).file_name() == Path::new(page.file).file_name()
            }
            Self::Write | Self::Show => true,
        }
    }
}

/// The parsed command line.
struct Asked {
    task: Task,
    quick: bool,
    /// Empty for all worlds.
    world: String,
    /// Names of chapters; empty for all.
    only: Vec<String>,
}

impl Asked {
    fn wants(&self, chapter: &str) -> bool {
        if self.only.is_empty() {
            !self.quick || chapter != KEPT
        } else {
            self.only.iter().any(|wanted| wanted == chapter)
        }
    }
}

fn asked() -> Result<Asked, Failure> {
    let mut asked =
        Asked { task: Task::Write, quick: false, world: String::new(), only: Vec::new() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => {
                asked.quick = true;
                asked.task = Task::Show;
            }
            "--world" => {
                asked.world = arguments.next().ok_or("--world needs a text")?;
                asked.task = Task::Show;
            }
            "--page" => {
                asked.task = Task::WriteOne(arguments.next().ok_or("--page needs a page")?);
            }
            "--check" => {
                asked.task = Task::Check(arguments.next().ok_or("--check needs a page")?);
            }
            "--only" => {
                asked.only.extend(arguments.by_ref());
                asked.task = Task::Show;
            }
            _ => {
                let usage = "usage: validity [--quick] [--page PAGE] [--check PAGE] [--world TEXT] \
                             [--only CHAPTER …]";
                return Err(usage.into());
            }
        }
    }
    if !PAGES.iter().any(|page| asked.task.concerns(page)) {
        let files: Vec<&str> = PAGES.iter().map(|page| page.file).collect();
        return Err(format!("no such page; the pages are {}", files.join(", ")).into());
    }
    let names: Vec<&str> =
        PAGES.iter().flat_map(|page| page.chapters).map(|chapter| chapter.0).collect();
    match asked.only.iter().find(|name| !names.contains(&name.as_str())) {
        None => Ok(asked),
        Some(name) => {
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
    let mut good = true;
    for page in PAGES.iter().filter(|page| asked.task.concerns(page)) {
        if page.chapters.iter().any(|chapter| asked.wants(chapter.0)) {
            good &= one(page, &asked)?;
        }
    }
    Ok(good)
}

/// Runs the wanted chapters of a page. False if a claim does not hold as known, or the page differs.
fn one(page: &Page, asked: &Asked) -> Result<bool, Failure> {
    let mut report = Report::new(page.head, asked.quick);
    report.restrict(&asked.world);
    let started = Instant::now();
    for (name, chapter) in page.chapters.iter().filter(|chapter| asked.wants(chapter.0)) {
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
        Task::Write | Task::WriteOne(_) => {
            for (file, content) in report.files(Path::new(page.file))? {
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
