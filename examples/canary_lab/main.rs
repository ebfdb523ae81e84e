//! The canary lab: rolls out emergency fixes on real traffic with `hotfix`.
//!
//! `demo` runs the scenes and writes the report; the other commands are its parts, each a process.

mod carry_out;
mod checks;
mod conclusion;
mod demo;
mod drive;
mod fleet;
mod http;
mod idle;
mod journal;
mod lines;
mod load;
mod machine;
mod pace;
mod people;
mod platform;
mod process;
mod progress;
mod real;
mod record;
mod report;
mod scenes;
mod scrape;
mod scrapes;
mod service;
mod splitter;
mod stage;
mod switch;
mod view;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Rolls out emergency fixes on real traffic and shows what is decided, when and why.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    /// End when the process with this id ends, which must be the parent.
    #[arg(long, global = true, hide = true)]
    die_with: Option<u32>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// One version of a small payment service.
    #[command(disable_version_flag = true)]
    Service(service::Flags),
    /// Forwards requests to versions by weight.
    Splitter(splitter::Flags),
    /// Open-loop load.
    Load(load::Flags),
    /// The deploy tool: sends inputs to the library and carries out its actions.
    Drive(drive::Flags),
    /// Runs the scenes and writes the report.
    #[command(after_help = demo::EXIT_CODES)]
    Demo(demo::Flags),
    /// Becomes another program that ends with the lab.
    #[command(hide = true)]
    Exec(real::Exec),
    /// Writes the report of an earlier run again.
    Report(report::Flags),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match start(cli) {
        Ok(code) => code,
        Err(e) => {
            eprintln!("canary_lab: {e:#}");
            ExitCode::from(2)
        }
    }
}

/// One thread: the lab's processes share two cores, and the kernel ties a child's life to the
/// thread that started it.
fn start(cli: Cli) -> anyhow::Result<ExitCode> {
    if let Some(parent) = cli.die_with {
        process::die_with(parent)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        match cli.command {
            Command::Service(flags) => service::run(flags).await.map(|()| ExitCode::SUCCESS),
            Command::Splitter(flags) => splitter::run(flags).await.map(|()| ExitCode::SUCCESS),
            Command::Load(flags) => load::run(flags).await.map(|()| ExitCode::SUCCESS),
            Command::Drive(flags) => Box::pin(drive::run(flags)).await.map(|()| ExitCode::SUCCESS),
            Command::Demo(flags) => demo::run(flags).await,
            Command::Exec(flags) => real::exec(&flags).map(|()| ExitCode::SUCCESS),
            Command::Report(flags) => report::again(&flags).map(|()| ExitCode::SUCCESS),
        }
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(1)); // drops what still runs
    process::see_children_off();
    done
}
