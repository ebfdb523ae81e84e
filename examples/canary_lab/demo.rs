//! `demo`: the scenes, some side by side, then the report.

use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Instant;

use anyhow::Context as _;
use tokio::sync::Semaphore;
use tokio::task::LocalSet;

use crate::drive::now;
use crate::pace::Pace;
use crate::process::{children_cpu_seconds, told_to_end};
use crate::progress::Board;
use crate::real;
use crate::record::RunRecord;
use crate::report::{self, Report};
use crate::scenes::{Ending, SCENES};
use crate::service::positive;
use crate::stage::{self, Stage};

/// Flags of `canary_lab demo`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Flags {
    /// Where logs, records and the report go; those of `--real` in its folder `real`.
    #[arg(long, default_value = "lab-report")]
    out: PathBuf,
    /// The policy.
    #[arg(long, default_value = "examples/policies/lab.toml")]
    policy: PathBuf,
    /// Requests per second of each scene.
    #[arg(long, default_value_t = 300.0, value_parser = positive)]
    rate: f64,
    /// Seconds after which a scene is given up.
    #[arg(long, default_value_t = 110.0, value_parser = positive)]
    limit: f64,
    /// How many scenes run side by side; the long ones begin.
    #[arg(long, default_value_t = 8, value_parser = at_least_one)]
    at_once: usize,
    /// With HAProxy as the splitter and a Prometheus server as the source.
    #[arg(long)]
    real: bool,
    /// Only these scenes. With HAProxy and Prometheus those of instances and flags are left out.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    scene: Vec<String>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| format!("`{text}` is no number over 0"))
}

/// Runs the scenes; the exit code is 0 only if every one ended as it must.
pub(crate) async fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let real = flags.real;
    let known: Vec<&str> = SCENES.iter().filter(|s| s.real || !real).map(|s| s.id).collect();
    let title = if real { "Canary lab with HAProxy and Prometheus" } else { "Canary lab" };
    if real {
        real::check_installed()?;
    }
    if let Some(stranger) = flags.scene.iter().find(|s| !known.contains(&s.as_str())) {
        anyhow::bail!("no scene `{stranger}`: the scenes are {}", known.join(", "));
    }
    let stage = Stage {
        folder: if real { flags.out.join("real") } else { flags.out },
        policy: flags.policy,
        pace: Pace::at_rate(flags.rate),
        limit: flags.limit,
        real,
    };
    std::fs::create_dir_all(&stage.folder)
        .with_context(|| format!("cannot make {}", stage.folder.display()))?;
    let begun = (now(), Instant::now());
    // `cargo run` becomes this process and leaves it the compilers' time.
    let before = children_cpu_seconds().unwrap_or(0.0);
    let board = Board::new(known.iter().map(|id| id.len()).max().unwrap_or(0));
    let local = LocalSet::new();
    let wanted = |id: &&str| flags.scene.is_empty() || flags.scene.iter().any(|w| w == id);
    let mut scenes: Vec<_> = SCENES
        .iter()
        .filter(|s| known.contains(&s.id) && wanted(&s.id))
        .map(|scene| (scene, board.scene(scene.id)))
        .enumerate()
        .collect();
    // What is watched to its end takes longest.
    scenes.sort_by_key(|(_, (scene, _))| scene.ending != Ending::Closed);
    let places = Rc::new(Semaphore::new(flags.at_once));
    let mut running = Vec::new();
    for (place, (scene, row)) in scenes {
        let (stage, places) = (stage.clone(), Rc::clone(&places));
        running.push(local.spawn_local(async move {
            let _place = places.acquire().await?;
            anyhow::Ok((place, stage::run(scene, &stage, &row).await))
        }));
    }
    let all = local.run_until(async {
        let mut records: Vec<(usize, RunRecord)> = Vec::new();
        for scene in running {
            records.push(scene.await.context("a scene was lost")??);
        }
        records.sort_by_key(|(place, _)| *place);
        anyhow::Ok(records.into_iter().map(|(_, record)| record).collect::<Vec<_>>())
    });
    let records = tokio::select! {
        biased;
        why = told_to_end() => {
            eprintln!("canary_lab: {}: ending all processes", why?);
            return Ok(ExitCode::from(130));
        }
        records = all => records?,
    };
    let seconds = begun.1.elapsed().as_secs_f64();
    let cpu = children_cpu_seconds().map(|all| all - before);
    conclude(&Report::new(title, records, begun.0, seconds, cpu), &stage.folder)
}

/// Writes the report and says how the scenes ended.
pub(crate) fn conclude(report: &Report, out: &std::path::Path) -> anyhow::Result<ExitCode> {
    let files = report::write(report, out)?;
    for record in &report.scenes {
        let mark = if record.passed() { "passed" } else { "FAILED" };
        println!("{mark}  {:<12} {} in {:.0} s", record.scene, record.outcome, record.seconds);
        for check in record.checks.iter().filter(|c| !c.passed) {
            println!("        not so: {} ({})", check.what, check.seen);
        }
        if let Some(error) = &record.error {
            println!("        {error}");
        }
    }
    println!(
        "{:.0} s, {:.0}% of one core",
        report.seconds,
        report.cpu_share.unwrap_or_default() * 100.0
    );
    for file in files {
        println!("report: {}", file.display());
    }
    Ok(if report.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
