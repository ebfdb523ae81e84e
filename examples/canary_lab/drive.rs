//! The deploy tool: scrapes `/metrics`, feeds the library, stores its log, carries out its actions.
//!
//! It knows the versions only through their metrics. Events are on disk before anything is done
//! about them; a confirmed action is an event, too. After a crash `--resume` reads the log, cuts a
//! torn last line off, and carries out again, under the same id, what the log does not confirm.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use hyper::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::engine::{Engine, Outcome, Setup};
use crate::http;
use crate::lines::{Line, Tick, Trail};
use crate::platform::Order;
use crate::process::told_to_end;
use crate::progress::plain;
use crate::real;
use crate::scrape::{self, Arms, Seen, Totals};
use crate::service::positive;
use crate::switch::Switch;

/// How long the platform may take for a deployment.
const DEPLOY_PATIENCE: Duration = Duration::from_secs(20);

/// Where metrics come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Each process's own `/metrics`.
    Direct,
    /// A Prometheus server that scrapes them.
    Prometheus(SocketAddr),
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "direct" {
            return Ok(Self::Direct);
        }
        let address = text.strip_prefix("prometheus:").and_then(|a| a.parse().ok());
        address
            .map(Self::Prometheus)
            .ok_or_else(|| format!("`{text}` is neither `direct` nor `prometheus:<address>`"))
    }
}

/// Flags of `canary_lab drive`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Flags {
    /// The policy, TOML.
    #[arg(long)]
    policy: PathBuf,
    /// The event log: JSON Lines, appended to.
    #[arg(long)]
    log: PathBuf,
    /// Go on from the log.
    #[arg(long)]
    resume: bool,
    /// Address of the platform that deploys.
    #[arg(long)]
    platform: SocketAddr,
    /// Control address of the splitter, or `haproxy:<socket>`.
    #[arg(long)]
    switch: Switch,
    /// `direct`, or `prometheus:<address>`.
    #[arg(long, default_value = "direct")]
    source: Source,
    /// Version that is live.
    #[arg(long, default_value = "2.3.0")]
    baseline: String,
    /// The fix.
    #[arg(long, default_value = "2.3.1")]
    canary: String,
    /// Requests per second of the whole service.
    #[arg(long, default_value_t = 150.0, value_parser = positive)]
    rate: f64,
    /// Seconds between observations.
    #[arg(long, default_value_t = 0.25, value_parser = positive)]
    every: f64,
    /// Give up after so many seconds.
    #[arg(long, default_value_t = 130.0, value_parser = positive)]
    give_up: f64,
    /// Write JSON lines, for the lab, instead of words.
    #[arg(long)]
    lines: bool,
}

/// Seconds of Unix time.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// The log file. One driver at a time holds it.
struct Journal {
    file: File,
    path: PathBuf,
}

impl Journal {
    /// Opens the log and locks it; gives what it holds.
    fn open(path: &Path, resume: bool) -> anyhow::Result<(Self, String)> {
        let shown = path.display();
        let mut file = File::options()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .with_context(|| format!("cannot open the log {shown}"))?;
        file.try_lock().with_context(|| format!("another driver holds the log {shown}"))?;
        let mut text = String::new();
        file.read_to_string(&mut text).with_context(|| format!("cannot read the log {shown}"))?;
        anyhow::ensure!(
            resume || text.is_empty(),
            "the log {shown} tells of a rollout already: go on with --resume or name another file"
        );
        anyhow::ensure!(!resume || !text.is_empty(), "the log {shown} is empty: nothing to resume");
        Ok((Self { file, path: path.to_owned() }, text))
    }

    /// Cuts the log to its first `bytes`.
    fn cut(&mut self, bytes: usize) -> anyhow::Result<()> {
        self.file.set_len(bytes as u64)?;
        self.file.seek(std::io::SeekFrom::End(0))?;
        self.file.sync_data()?;
        Ok(())
    }

    /// Appends lines and waits until the disk has them.
    fn append(&mut self, lines: &str) -> anyhow::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.file
            .write_all(lines.as_bytes())
            .and_then(|()| self.file.sync_data())
            .with_context(|| format!("cannot append to the log {}", self.path.display()))
    }
}

/// What became of an action.
type Done = (String, anyhow::Result<()>);

struct Driver {
    flags: Flags,
    engine: Engine,
    journal: Journal,
    actions: JoinSet<Done>,
    services: BTreeMap<String, SocketAddr>,
    last: Arms,
    trail: Trail,
}

impl Driver {
    fn say(&self, line: &Line) {
        let text = if self.flags.lines { serde_json::to_string(line).ok() } else { plain(line) };
        if let Some(text) = text {
            // A display that has gone must not stop a rollout.
            let _ = writeln!(std::io::stdout().lock(), "{text}");
        }
    }

    /// Gives the library one input, stores what it says, then starts what it asks for.
    fn input(&mut self, input: &Value) -> anyhow::Result<()> {
        match self.engine.handle(now(), input) {
            Ok(outcome) => self.obey(outcome),
            Err(refusal) => {
                self.journal.append(&refusal.lines)?;
                eprintln!("refused {}: {} {}", input["kind"], refusal.code, refusal.why);
                Ok(())
            }
        }
    }

    fn obey(&mut self, outcome: Outcome) -> anyhow::Result<()> {
        self.journal.append(&outcome.lines)?;
        for (what, why) in outcome.decisions {
            self.say(&Line::Decided { at: now(), what, why });
        }
        for action in outcome.actions {
            self.act(&action, false);
        }
        Ok(())
    }

    /// Starts an action. It runs beside the observations, so that a slow deployment cannot hide
    /// what the metrics say, nor hold up a rollback.
    fn act(&mut self, action: &Value, again: bool) {
        let text = |key: &str| action[key].as_str().unwrap_or_default().to_owned();
        let (id, kind) = (text("id"), text("kind"));
        let at = now();
        let (platform, switch) = (self.flags.platform, self.flags.switch.clone());
        let (what, version) = match kind.as_str() {
            "deploy" => (format!("deploy {}", text("version")), Some(text("version"))),
            "set_traffic" => {
                let share = action["share"].as_f64().unwrap_or(f64::NAN);
                (format!("send {:.0}% to the fix", share * 100.0), None)
            }
            "roll_back" => {
                let redeploys = text("method") != "feature_flag";
                let version = redeploys.then(|| text("version"));
                (format!("roll back to {} by {}", text("version"), text("method")), version)
            }
            _ => {
                let audience = text("audience");
                let text = action["text"].as_str().map_or_else(|| text("message"), str::to_owned);
                self.say(&Line::Message { at, audience: format!("{kind} {audience}"), text });
                return;
            }
        };
        let share = match kind.as_str() {
            "set_traffic" => Some(action["share"].as_f64().unwrap_or(f64::NAN)),
            "roll_back" => Some(0.0),
            _ => None,
        };
        self.say(&Line::Acting { at, id: id.clone(), what, again });
        self.actions.spawn(async move {
            let done = async {
                if let Some(version) = version {
                    let order = serde_json::to_vec(&Order { version, action: id.clone() })?;
                    http::expect_ok(platform, Method::POST, "/deploy", order, DEPLOY_PATIENCE)
                        .await?;
                }
                match share {
                    Some(share) => switch.set_share(share).await,
                    None => Ok(()),
                }
            };
            let done = done.await;
            (id, done)
        });
    }

    /// Tells the library how an action ended.
    async fn acted(&mut self, (id, done): Done) -> anyhow::Result<()> {
        let failed = done.err().map(|e| format!("{e:#}"));
        self.say(&Line::Acted { at: now(), id: id.clone(), failed: failed.clone() });
        self.learn_services().await;
        self.input(&match failed {
            None => json!({ "kind": "confirm", "action": id, "by": "driver" }),
            Some(why) => json!({ "kind": "failed", "action": id, "by": "driver", "why": why }),
        })
    }

    /// Asks the platform where the versions are. Without an answer the old places stand.
    async fn learn_services(&mut self) {
        let limit = Duration::from_secs(3);
        let asked = http::expect_ok(self.flags.platform, Method::GET, "/services", "", limit).await;
        if let Ok(services) = asked.and_then(|r| Ok(serde_json::from_slice(&r.body)?)) {
            self.services = services;
        }
    }

    async fn observe(&mut self) -> anyhow::Result<()> {
        let share = self.engine.view().share;
        let seen = match self.flags.source {
            Source::Direct => self.scrape().await,
            Source::Prometheus(server) => {
                real::query(server, &self.flags.baseline, &self.flags.canary).await
            }
        };
        let mut arms = seen.arms(&self.last);
        self.last = Arms {
            canary: arms.canary.clone().or(self.last.canary.take()),
            baseline: arms.baseline.clone().or(self.last.baseline.take()),
        };
        if share >= 1.0 {
            arms.baseline = None; // it gets no traffic: nothing to compare with
        }
        let metrics = arms.metrics(self.flags.rate);
        let at = now();
        let values = self.trail.values(at, arms);
        self.input(&json!({ "kind": "observe", "metrics": metrics }))?;
        let view = self.engine.view();
        self.say(&Line::Tick(Box::new(Tick {
            at,
            state: view.state,
            phase: view.phase,
            share: view.share,
            left: view.until.map(|until| (until - at).max(0.0)),
            decision: view.decision,
            values,
            judged: view.judged,
        })));
        Ok(())
    }

    /// Scrapes both versions and the splitter at once.
    async fn scrape(&self) -> Seen {
        let place = |version: &String| self.services.get(version).copied();
        let page = async |place: Option<SocketAddr>| match place {
            Some(at) => scrape::fetch(at).await.and_then(|s| Totals::from_samples(&s)).ok(),
            None => None,
        };
        let splitter = async || match self.flags.switch {
            Switch::Splitter(control) => scrape::fetch(control).await.unwrap_or_default(),
            Switch::Haproxy(_) => Vec::new(),
        };
        let (canary, baseline, splitter) = tokio::join!(
            page(place(&self.flags.canary)),
            page(place(&self.flags.baseline)),
            splitter()
        );
        Seen { canary, baseline, lost: scrape::no_answers(&splitter) }
    }

    /// Observes, acts and confirms until the rollout is over.
    async fn run(&mut self) -> anyhow::Result<()> {
        let mut ticks = tokio::time::interval(Duration::from_secs_f64(self.flags.every));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let give_up = tokio::time::sleep(Duration::from_secs_f64(self.flags.give_up));
        let end = told_to_end();
        tokio::pin!(end, give_up);
        while !(self.engine.finished() && self.actions.is_empty()) {
            let alarm = self.engine.poll_at().map(|at| (at - now()).max(0.0));
            tokio::select! {
                biased;
                why = &mut end => anyhow::bail!("{}: go on with --resume", why?),
                () = &mut give_up => anyhow::bail!(
                    "not over after {} s: it is `{}`",
                    self.flags.give_up,
                    self.engine.view().state
                ),
                Some(done) = self.actions.join_next(), if !self.actions.is_empty() => {
                    self.acted(done.context("an action was lost")?).await?;
                }
                _ = ticks.tick() => self.observe().await?,
                () = tokio::time::sleep(Duration::from_secs_f64(alarm.unwrap_or(0.0))),
                    if alarm.is_some() => self.input(&json!({ "kind": "tick" }))?,
            }
        }
        Ok(())
    }
}

/// Drives one rollout to its end.
pub(crate) async fn run(flags: Flags) -> anyhow::Result<()> {
    let policy = std::fs::read_to_string(&flags.policy)
        .with_context(|| format!("cannot read the policy {}", flags.policy.display()))?;
    let setup = Setup {
        policy,
        baseline: flags.baseline.clone(),
        canary: flags.canary.clone(),
        rate: flags.rate,
    };
    let (mut journal, log) = Journal::open(&flags.log, flags.resume)?;
    let engine = if flags.resume {
        let (engine, whole) = Engine::recover(&setup, &log)
            .with_context(|| format!("cannot go on from {}", flags.log.display()))?;
        if whole < log.len() {
            journal.cut(whole)?;
        }
        engine
    } else {
        Engine::try_new(&setup)?
    };
    let mut driver = Driver {
        engine,
        journal,
        actions: JoinSet::new(),
        services: BTreeMap::new(),
        last: Arms::default(),
        trail: Trail::new(flags.rate),
        flags,
    };
    let (resumed, events) = (driver.flags.resume, driver.engine.events());
    driver.say(&Line::Began { at: now(), resumed, events });
    driver.learn_services().await;
    if resumed {
        for action in driver.engine.pending() {
            driver.act(&action, true);
        }
    } else {
        for input in driver.engine.opening() {
            driver.input(&input)?;
        }
    }
    driver.run().await?;
    let (state, facts) = (driver.engine.view().state, driver.engine.facts());
    driver.say(&Line::Ended { at: now(), state, facts });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_held_by_one_driver_and_a_torn_line_is_cut() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log.jsonl");
        let (mut journal, text) = Journal::open(&path, false).expect("a new log");
        assert_eq!(text, "");
        journal.append("one\n").expect("appends");
        journal.append("tw").expect("appends");
        let held = Journal::open(&path, true).err().expect("it is held");
        assert!(held.to_string().contains("another driver"), "{held}");
        drop(journal);
        let started = Journal::open(&path, false).err().expect("it has lines");
        assert!(started.to_string().contains("--resume"), "{started}");
        let (mut journal, text) = Journal::open(&path, true).expect("goes on");
        assert_eq!(text, "one\ntw");
        journal.cut(4).expect("cuts");
        journal.append("two\n").expect("appends");
        assert_eq!(std::fs::read_to_string(&path).expect("text"), "one\ntwo\n");
    }

    #[test]
    fn sources_are_named_clearly() {
        assert_eq!("direct".parse(), Ok(Source::Direct));
        assert!("prometheus:127.0.0.1:9090".parse::<Source>().is_ok());
        assert!("grafana".parse::<Source>().is_err());
    }
}
