//! Rehearses drills: synthetic incidents as files, played through the whole library, with no deployment.
//!
//! `drill examples/drills/*.toml` plays each once, shows what happened and says whether it came out as the file expects; the
//! exit code is 0 only if all did. `--runs 1000` plays each so often and prints the table; `--logs DIR` keeps the logs.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use hotfix_core::rollout::{Act, Action, Recorded, Rollout, State};
use hotfix_examples::drill_file::Drill;

#[derive(Parser)]
#[command(about = "Rehearses synthetic incidents under a policy, with no deployment")]
struct Arguments {
    /// Drills: see examples/drills.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Play each so often and print what came of it.
    #[arg(long, value_name = "RUNS", value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
    /// Keep each drill's event log in this folder.
    #[arg(long, value_name = "DIR")]
    logs: Option<PathBuf>,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    // Not `println!`, which panics where the reader has closed the pipe.
    let mut out = std::io::stdout();
    let mut failed = 0;
    for file in &arguments.files {
        let drill = Drill::read(file)?;
        let campaign = drill.campaign()?;
        if let Some(runs) = arguments.runs {
            writeln!(out, "{}: {}", drill.name, drill.title)?;
            let outcome = campaign.tally(0..runs).outcome();
            writeln!(out, "{}", serde_json::to_string_pretty(&outcome)?)?;
            continue;
        }
        let (player, _) = campaign.drill(0)?;
        let unmet = drill.scenario.unmet(player.run());
        writeln!(out, "{}: {}", drill.name, drill.title)?;
        for line in show(player.rollout())? {
            writeln!(out, "{line}")?;
        }
        if let Some(folder) = &arguments.logs {
            std::fs::create_dir_all(folder)?;
            std::fs::write(
                folder.join(&drill.name).with_extension("jsonl"),
                player.rollout().log(),
            )?;
        }
        for sentence in &unmet {
            writeln!(out, "  NOT AS EXPECTED: {sentence}")?;
        }
        failed += usize::from(!unmet.is_empty());
    }
    if failed > 0 {
        writeln!(out, "{failed} of {} drills did not come out as expected", arguments.files.len())?;
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The changes of state and the questions to people as lines, with the drill's times.
fn show(rollout: &Rollout) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    Rollout::replay_each(rollout.log().as_bytes(), |rollout, entry| {
        let input = match entry.recorded {
            Recorded::Taken(taken) => taken.command.kind().as_str(),
            Recorded::Opened => "opened",
            Recorded::Refused { .. } => "refused",
        };
        let asks =
            |action: &Action| matches!(action.act, Act::AskDecision { .. } | Act::Page { .. });
        if entry.to.is_some() || entry.actions.iter().any(|a| a.act.awaits() || asks(a)) {
            let actions: Vec<String> = entry.actions.iter().map(words).collect();
            let (at, state, actions) = (entry.at, rollout.state().as_str(), actions.join(", "));
            lines.push(format!("  {at}  {input:9} {state:17} {actions}"));
            if rollout.state() == State::RollingBack && entry.judged {
                let causes = rollout.verdict().causes.iter();
                let causes: Vec<String> = causes
                    .map(|cause| {
                        let metric =
                            cause.metric.map_or_else(String::new, |metric| format!("{metric}: "));
                        format!("{metric}{}", cause.reason)
                    })
                    .collect();
                lines.push(format!("    {}", causes.join(", ")));
            }
        }
    })?;
    Ok(lines)
}

/// An action as short text.
fn words(action: &Action) -> String {
    match &action.act {
        Act::SetTraffic { share } => format!("traffic {share}"),
        Act::Deploy { version, .. } => format!("deploy {version}"),
        Act::RollBack { method, version } => format!("roll back to {version} by {method}"),
        Act::AskDecision { question } => format!("ask: {question}"),
        Act::RequestApproval { any_of, .. } => format!(
            "ask {} for approval",
            any_of.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
        ),
        Act::Notify { audience, message, .. } => format!("notify {audience}: {message}"),
        Act::Page { role, .. } => format!("wake {role}"),
        Act::UpdateStatusPage { message, .. } => format!("status page: {message}"),
        Act::Schedule { title, .. } => format!("schedule: {title}"),
    }
}
