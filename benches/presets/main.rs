//! What each preset does with good and bad fixes: whole simulated rollouts.
//!
//! `presets` prints the tables; `presets --write FILE` also writes `head.md` and the tables to FILE
//! (`docs/presets.md`), `presets --check FILE` fails if FILE has others. It fails if a fix that is clearly bad
//! completes without a person, too.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use hotfix_benches::recordings::{self, Failure};
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{RollbackCause, State};
use hotfix_core::simulate::{Campaign, Run, Scenario};
use serde_json::Value;

/// Scenario of a fix with so many times the errors.
macro_rules! errors {
    ($times:literal) => {
        concat!("faults = [{ kind = \"errors\", times = ", $times, ".0 }]")
    };
}

const RUNS: u64 = 200;
const SEED: u64 = 20_261_122;

/// A simulated fix.
struct Fix {
    title: &'static str,
    scenario: &'static str,
    /// Whether no policy may let it pass by itself.
    is_bad: bool,
}

const FIXES: [Fix; 7] = [
    Fix { title: "healthy", scenario: "", is_bad: false },
    Fix { title: "2 times the errors", scenario: errors!(2), is_bad: false },
    Fix { title: "5 times the errors", scenario: errors!(5), is_bad: true },
    Fix { title: "30 times the errors", scenario: errors!(30), is_bad: true },
    Fix {
        title: "twice as slow",
        scenario: "faults = [{ kind = \"latency\", times = 2.0 }]",
        is_bad: true,
    },
    Fix { title: "no readings", scenario: "faults = [{ kind = \"lost\" }]", is_bad: true },
    Fix { title: "does not fix", scenario: "faults = [{ kind = \"no_fix\" }]", is_bad: true },
];

/// The results of one preset with one fix.
#[derive(Default)]
struct Ends {
    by_verdict: u64,
    by_person: u64,
    promoted: u64,
    alone: u64,
    /// Seconds from the start to the decision to roll back.
    found: Vec<u64>,
    failed: Vec<f64>,
}

impl Ends {
    fn add(&mut self, run: &Run) {
        let completed = matches!(run.ended, State::Complete | State::Closed);
        match &run.why {
            Some(RollbackCause::Verdict { .. }) => self.by_verdict += 1,
            Some(_) => self.by_person += 1,
            // A person promoted it: without an answer nothing continues after a question.
            None if completed && run.asked > 0 => self.promoted += 1,
            None if completed => self.alone += 1,
            None => {}
        }
        if let (Some(at), Some(since)) = (run.rolled_back_at, run.started_at) {
            self.found.push(at.since(since).as_millis() / 1_000);
        }
        self.failed.push(run.affected.canary);
    }

    /// `rolled back 198 by the verdict, 2 by a person`; what did not occur is left out.
    fn describe(&self) -> String {
        let unfinished = RUNS - self.by_verdict - self.by_person - self.promoted - self.alone;
        let all = [
            (self.by_verdict, "rolled back by the verdict"),
            (self.by_person, "rolled back by a person"),
            (self.promoted, "completed after a person promoted"),
            (self.alone, "completed without a person"),
            (unfinished, "not ended"),
        ];
        let some = all.iter().filter(|(count, _)| *count > 0);
        let share = |count: u64| 100.0 * count as f64 / RUNS as f64;
        let parts = some.map(|(count, what)| format!("{:.3}% {what}", share(*count)));
        parts.collect::<Vec<_>>().join(", ").replace(".000%", "%").replace(".500%", ".5%")
    }
}

fn median<T: Copy + PartialOrd>(values: &mut [T]) -> Option<T> {
    values.sort_unstable_by(|one, other| one.partial_cmp(other).unwrap_or(Ordering::Equal));
    values.get(values.len() / 2).copied()
}

/// Messages of a rollout's log by audience, each once, in their order.
fn messages(log: &str) -> Result<String, Failure> {
    let mut by_audience: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in log.lines() {
        let line: Value = serde_json::from_str(line)?;
        for action in line["actions"].as_array().into_iter().flatten() {
            let audience = match action["kind"].as_str() {
                Some("notify") => action["audience"].as_str().unwrap_or_default(),
                Some("update_status_page") => "public",
                _ => continue,
            };
            let message = action["message"].as_str().unwrap_or_default();
            let messages = by_audience.entry(audience.to_owned()).or_default();
            if !messages.iter().any(|known| known == message) {
                messages.push(message.to_owned());
            }
        }
    }
    let parts = by_audience.iter().map(|(who, what)| format!("{who}: {}", what.join(", ")));
    Ok(parts.collect::<Vec<_>>().join("; "))
}

/// The table of a preset; the fixes that completed although they are bad go into `wrong`.
fn table(preset: &str, wrong: &mut Vec<String>) -> Result<String, Failure> {
    let mut text = format!(
        "\n## `{preset}`\n\n| fix | ends | found after | failed | messages |\n|---|---|---|---|---|\n"
    );
    for fix in &FIXES {
        let scenario = Scenario::read(fix.scenario)?;
        let plan = scenario.plan(Arc::new(Policy::preset(preset)?))?;
        let campaign = Campaign::try_new(plan, &scenario, SEED)?;
        let mut ends = Ends::default();
        campaign.each(0..RUNS, |_, run, _| ends.add(run));
        if fix.is_bad && ends.alone > 0 {
            wrong.push(format!("{preset}: {} ({})", fix.title, ends.describe()));
        }
        let found = median(&mut ends.found).map_or_else(
            || "–".to_owned(),
            |seconds| format!("{} min {:02} s", seconds / 60, seconds % 60),
        );
        let failed = median(&mut ends.failed).unwrap_or_default();
        let (driver, _) = campaign.drill(0)?;
        let sent = messages(driver.rollout().log())?;
        let ends = ends.describe();
        writeln!(text, "| {} | {ends} | {found} | {failed:.0} | {sent} |", fix.title)?;
    }
    Ok(text)
}

fn page() -> Result<Option<String>, Failure> {
    let (mut tables, mut wrong) = (String::new(), Vec::new());
    for preset in Policy::presets() {
        tables.push_str(&table(preset, &mut wrong)?);
    }
    print!("{tables}");
    if !wrong.is_empty() {
        return Err(wrong.join("; ").into());
    }
    Ok(Some(format!("{}{tables}", include_str!("head.md"))))
}

fn main() -> ExitCode {
    recordings::run("presets", page)
}
