//! A driver that loses nothing: it appends durably before it acts, and continues from the log after a crash.
//!
//! `driver PLAN INPUTS LOG WORLD` feeds the recorded inputs to a rollout, appends its events to LOG and does its actions
//! in WORLD, a file that represents the outside. Run again after a crash, it continues; each action is done once.
//! `--crash N:torn`, `N:appended` and `N:acted` end the process at log line N: in the middle of it,
//! after it is on disk, and after its actions; tests use them.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, anyhow, bail};
use clap::Parser;
use hotfix_core::rollout::{Action, Input, LogFault, Recording, Refusal, Rollout};
use hotfix_core::unit::Timestamp;
use hotfix_examples::{Recorded, Script};

#[derive(Parser)]
struct Arguments {
    /// The plan: preset or policy file, incident, release, traffic.
    plan: PathBuf,
    /// The recorded inputs, one a line.
    inputs: PathBuf,
    /// The log: made where it is missing, taken up where it is there.
    log: PathBuf,
    /// What was done, one action id a line.
    world: PathBuf,
    /// Where to end the process, as in `7:torn`.
    #[arg(long)]
    crash: Option<Crash>,
}

/// A point at which the process ends.
#[derive(Clone, Copy, PartialEq)]
struct Crash {
    line: usize,
    point: Point,
}

#[derive(Clone, Copy, PartialEq)]
enum Point {
    Torn,
    Appended,
    Acted,
}

impl FromStr for Crash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (line, point) = text.split_once(':').ok_or("write LINE:POINT")?;
        let point = match point {
            "torn" => Point::Torn,
            "appended" => Point::Appended,
            "acted" => Point::Acted,
            _ => return Err("the point is torn, appended or acted".to_owned()),
        };
        Ok(Self { line: line.parse().map_err(|_| "the line is a number")?, point })
    }
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let script = Script::read(&arguments.plan)?;
    let mut driver = Driver::open(&script, &arguments)?;
    // Actions that were requested and not confirmed before a crash come first; WORLD skips those that were done.
    let pending: Vec<Action> = driver.rollout.pending_actions().to_vec();
    driver.act(&pending)?;
    for (number, Recorded { at, input }) in
        Script::inputs(&arguments.inputs)?.into_iter().enumerate()
    {
        // Inputs older than the log's last time were answered before the crash. Refused inputs are
        // not remembered by key: sent again, they would be refused as too old.
        if driver.rollout.now().is_some_and(|now| at < now) {
            continue;
        }
        // Each input has its own key, so that one that is sent again after a crash counts once.
        driver.send(at, &Input { key: Some(format!("input-{number}")), ..input })?;
    }
    println!(
        "{}: {}",
        driver.rollout.state(),
        driver.rollout.head().map_or_else(|| "no log".to_owned(), |head| head.to_string())
    );
    Ok(())
}

struct Driver {
    rollout: Rollout,
    log: File,
    lines: usize,
    world: World,
    crash: Option<Crash>,
}

impl Driver {
    /// Continues from the log, or begins one if it is missing or empty.
    fn open(script: &Script, arguments: &Arguments) -> anyhow::Result<Self> {
        let mut log = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&arguments.log)
            .with_context(|| format!("cannot open {}", arguments.log.display()))?;
        let mut text = Vec::new();
        log.read_to_end(&mut text)?;
        let (rollout, length) = match Rollout::recover(&text, Recording::HandOut) {
            Ok(recovered) => (recovered.rollout, recovered.length),
            // The log has no complete line: nothing has happened yet.
            Err(error) if error.fault == LogFault::Empty => {
                (Rollout::try_new(script.plan()?, Recording::HandOut, &script.salt)?, 0)
            }
            Err(error) => bail!("{} [{}]: {error}", arguments.log.display(), error.code()),
        };
        log.set_len(length as u64)?;
        log.seek(std::io::SeekFrom::End(0))?;
        let lines = text[..length].iter().filter(|b| **b == b'\n').count();
        Ok(Self {
            rollout,
            log,
            lines,
            world: World::open(&arguments.world)?,
            crash: arguments.crash,
        })
    }

    fn send(&mut self, at: Timestamp, input: &Input) -> anyhow::Result<()> {
        let (events, actions) = match self.rollout.handle(at, input) {
            Ok(outcome) => (outcome.events.to_owned(), outcome.actions.to_vec()),
            // A refusal is part of the record, too.
            Err(Refusal { events, .. }) => (events, Vec::new()),
        };
        for line in events.split_inclusive('\n') {
            self.append(line)?;
        }
        self.act(&actions)?;
        self.crash_at(Point::Acted);
        Ok(())
    }

    /// Appends one line and waits until it is on disk.
    fn append(&mut self, line: &str) -> anyhow::Result<()> {
        self.lines += 1;
        if self.crash == Some(Crash { line: self.lines, point: Point::Torn }) {
            self.log.write_all(&line.as_bytes()[..line.len() / 2])?;
            self.log.sync_data()?;
            std::process::abort();
        }
        self.log.write_all(line.as_bytes())?;
        self.log.sync_data()?;
        self.crash_at(Point::Appended);
        Ok(())
    }

    fn act(&mut self, actions: &[Action]) -> anyhow::Result<()> {
        actions.iter().try_for_each(|action| self.world.do_once(action))
    }

    fn crash_at(&self, point: Point) {
        if self.crash == Some(Crash { line: self.lines, point }) {
            std::process::abort();
        }
    }
}

/// The outside. It records the ids of the actions done and skips those when they are requested again.
struct World {
    file: File,
    done: Vec<String>,
}

impl World {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let done = match std::fs::read_to_string(path) {
            Ok(text) => text.lines().map(str::to_owned).collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(anyhow!("cannot read {}: {error}", path.display())),
        };
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Self { file, done })
    }

    fn do_once(&mut self, action: &Action) -> anyhow::Result<()> {
        let id = action.id.to_string();
        if !self.done.contains(&id) {
            writeln!(self.file, "{id}")?;
            self.file.sync_data()?;
            self.done.push(id);
        }
        Ok(())
    }
}
