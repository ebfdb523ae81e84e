//! A hot-fix that has to be rolled back, driven from Rust.
//!
//! The script is data (`examples/scripts/canary_rollback.*`). The log on stdout is the same, byte for byte, as that of the C,
//! C++ and Python examples; the story goes to stderr. `canary_rollback [FOLDER]`, by default `examples/scripts`.

use std::path::PathBuf;

use hotfix_core::rollout::{Act, Action, Recording, Rollout, audit};
use hotfix_examples::{Recorded, Script};

fn main() -> anyhow::Result<()> {
    let folder =
        std::env::args_os().nth(1).map_or_else(|| "examples/scripts".into(), PathBuf::from);
    let script = Script::read(&folder.join("canary_rollback.plan.json"))?;
    let mut rollout = Rollout::try_new(script.plan()?, Recording::Keep, &script.salt)?;
    for Recorded { at, input } in Script::inputs(&folder.join("canary_rollback.jsonl"))? {
        match rollout.handle(at, &input) {
            Ok(outcome) => {
                // First the log, durably; then the actions.
                print!("{}", outcome.events);
                let actions = outcome.actions.to_vec();
                eprintln!("{at} {}, {}", rollout.state(), rollout.verdict().decision);
                actions.iter().for_each(act);
            }
            Err(refusal) => {
                // A refusal is part of the record, too.
                print!("{}", refusal.events);
                eprintln!("  refused: {refusal}");
            }
        }
    }
    let checked = audit(rollout.log().as_bytes(), rollout.head());
    eprintln!("{} lines, clean: {}", checked.lines, checked.is_clean());
    Ok(())
}

/// What the deploy tool would do now.
fn act(Action { id, act }: &Action) {
    match act {
        Act::Deploy { version, .. } => eprintln!("    {id} deploy {version}"),
        Act::SetTraffic { share } => eprintln!("    {id} set_traffic {share}"),
        Act::RollBack { method, version } => {
            eprintln!("    {id} roll_back by {method} to {version}");
        }
        Act::AskDecision { .. }
        | Act::RequestApproval { .. }
        | Act::Notify { .. }
        | Act::Page { .. }
        | Act::UpdateStatusPage { .. }
        | Act::Schedule { .. } => {} // messages, questions and pages: not this tool's job
    }
}
