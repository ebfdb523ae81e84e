//! Runs a scene: its processes, its faults, and the inputs of people.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use hotfix_examples::stretch::stretched;
use serde_json::json;

use crate::checks::{self, Found, Readings, STALE, STALE_APART};
use crate::drive::{self, now};
use crate::lines::{Line, Tick};
use crate::load::Summary;
use crate::machine::{self, Crew};
use crate::pace::Pace;
use crate::people;
use crate::platform::{Platform, Release, Setup, Shared};
use crate::process::Proc;
use crate::progress::Row;
use crate::real;
use crate::record::RunRecord;
use crate::scenes::{APART, SCENES, Scene, ScriptedInput, Way};
use crate::service::FaultKind;
use crate::switch::{ARMS, Mover, Names, SIDES, Switch};

/// The version that is live, with the bug.
pub(crate) const BASELINE: &str = "2.3.0";
/// The fix.
pub(crate) const CANARY: &str = "2.3.1";

/// The author of the inputs in the scenes.
const PERSON: &str = "lena";

/// Settings of all scenes of a run.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    /// Folder of logs, records and reports.
    pub(crate) folder: PathBuf,
    /// The policy file.
    pub(crate) policy: PathBuf,
    /// Pace of the scenes.
    pub(crate) pace: Pace,
    /// Timeout of a scene in seconds of the script.
    pub(crate) limit: f64,
    /// Whether HAProxy and a Prometheus server are used.
    pub(crate) real: bool,
}

/// Runs one scene. Any failure is in the record; no process is left running.
pub(crate) async fn run(scene: &Scene, stage: &Stage, row: &Row) -> RunRecord {
    let mut record = RunRecord::new(scene.id, scene.title, scene.story, now());
    record.pace = stage.pace;
    let (crew, mut log) = (Crew::default(), machine::Log::default());
    let played = tokio::select! {
        played = play(scene, stage, row, &crew, &mut record) => played,
        never = machine::watch(&crew, &mut log) => match never {},
    };
    if let Err(e) = played {
        record.error = Some(format!("{e:#}"));
    }
    record.machine = log.with(record.load.as_ref(), record.began);
    record
}

/// Creates an empty folder for the scene.
fn fresh_folder(stage: &Stage, id: &str) -> anyhow::Result<PathBuf> {
    let folder = stage.folder.join(id);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot clear {}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// The splitter between the customers and the versions.
pub(crate) struct Parts {
    /// Address for the customers' requests.
    pub(crate) traffic: SocketAddr,
    /// Control of the traffic.
    pub(crate) switch: Switch,
    /// The driver's `--source`.
    pub(crate) source: String,
    /// File that names the versions to a Prometheus server.
    pub(crate) targets: Option<PathBuf>,
    /// The processes.
    pub(crate) processes: Vec<Proc>,
}

/// The lab's own splitter and scraper.
async fn own_parts(folder: &Path, names: Names) -> anyhow::Result<Parts> {
    let mut splitter = Proc::start("splitter", &["splitter".to_owned()], folder)?;
    Ok(Parts {
        traffic: splitter.address().await?,
        switch: Switch { by: Mover::Splitter(splitter.address().await?), names },
        source: "direct".into(),
        targets: None,
        processes: vec![splitter],
    })
}

async fn play(
    scene: &Scene,
    stage: &Stage,
    row: &Row,
    crew: &Crew,
    record: &mut RunRecord,
) -> anyhow::Result<()> {
    let (folder, pace) = (fresh_folder(stage, scene.id)?, stage.pace);
    let names = if scene.way == Way::BlueGreen { SIDES } else { ARMS };
    let mut parts = if stage.real {
        real::parts(&folder, names, pace).await?
    } else {
        own_parts(&folder, names).await?
    };
    parts.processes.iter().for_each(|process| crew.add(process));
    // Each scene has its own seed: with the same customers in all of them, their results would
    // depend on each other.
    let place = SCENES.iter().position(|s| s.id == scene.id).unwrap_or(SCENES.len());
    let seed = 100 * (1 + place as u64);
    let (baseline, canary) = versions(scene, pace, seed, record);
    let instances = match scene.way {
        Way::Rolling { instances, .. } => instances,
        Way::Canary | Way::BlueGreen | Way::Flag => 1,
    };
    let (platform, orders, _server) = Platform::start(Setup {
        folder: folder.clone(),
        switch: parts.switch.clone(),
        baseline,
        canary,
        instances,
        deploy_seconds: pace.seconds(1.0),
        targets: parts.targets.clone(),
        crew: crew.clone(),
    })
    .await?;
    let summary = folder.join("load.json");
    let load = Proc::start(
        "load",
        &[
            "load".to_owned(),
            format!("--target={}", parts.traffic),
            format!("--rate={}", pace.rate()),
            format!("--seed={}", seed + 2),
            format!("--seconds={}", pace.seconds(stage.limit) + 30.0),
            format!("--summary={}", summary.display()),
        ],
        &folder,
    )?;
    crew.add(&load);
    tokio::time::sleep(pace.time(1.0)).await; // some traffic to compare with
    let switch = switch(scene.way, &parts.switch, &platform, orders).await?;
    let mut args = order_to_drive(scene, stage, &folder)?;
    args.extend([
        format!("--platform={orders}"),
        format!("--switch={switch}"),
        format!("--source={}", parts.source),
    ]);
    let driven = drive(scene, pace, &args, &folder, row, crew, record).await;
    tokio::time::sleep(pace.time(1.0)).await;
    // Also after a timeout: the delay of the requests shows whether the machine was busy.
    record.load = Some(stop_load(load, &summary).await?);
    driven?;
    let found = look(scene, stage, &parts.switch, &switch, &platform, record).await?;
    checks::judge(scene, record, &found);
    checks::judge_log(record, &folder.join("rollout.jsonl"))?;
    platform.lock().await.stop().await?;
    for process in &mut parts.processes {
        process.kill().await?;
    }
    Ok(())
}

/// The live version, in which more than half of the payments hit the bug, and the fix; each with
/// the scene's faults.
fn versions(scene: &Scene, pace: Pace, seed: u64, record: &mut RunRecord) -> (Release, Release) {
    let bug = "--bug-share=0.55".to_owned();
    let (mut old, mut fix) = (vec![bug.clone()], Vec::new());
    if let Some(fault) = &scene.fault {
        let (after, lasts) = (pace.seconds(fault.after), fault.lasts.map(|s| pace.seconds(s)));
        fix.push(format!("--fault={}", fault.name()));
        fix.push(format!("--fault-level={}", fault.level_at(pace)));
        fix.extend(lasts.map(|seconds| format!("--fault-for={seconds}")));
        if scene.shared {
            let at = record.began + after;
            fix.push(format!("--fault-at={at}"));
            old.extend_from_slice(&fix);
            if fault.kind == FaultKind::Errors {
                record.lab_did(at, "both versions begin to fail", "7% of requests");
                if let Some(seconds) = lasts {
                    record.lab_did(at + seconds, "both versions recover", "");
                }
            }
        } else {
            fix.push(format!("--fault-after={after}"));
        }
    }
    let of = |version: &str, seed, flags| Release { version: version.into(), seed, flags };
    if scene.way == Way::Flag {
        // The fix is in the running build behind the flag: both versions are the same program.
        fix.extend(["--flag".to_owned(), bug]);
        return (of(CANARY, seed, fix.clone()), of(CANARY, seed, fix));
    }
    fix.push(format!("--warmup={}", pace.seconds(0.5)));
    (of(BASELINE, seed, old), of(CANARY, seed + 1, fix))
}

/// The switch for this way of rolling out.
async fn switch(
    way: Way,
    weights: &Switch,
    platform: &Shared,
    orders: SocketAddr,
) -> anyhow::Result<Switch> {
    let by = match (way, &weights.by) {
        (Way::Rolling { .. }, Mover::Splitter(splitter)) => {
            Mover::Fleet { platform: orders, splitter: *splitter }
        }
        (Way::Flag, _) => {
            let places = platform.lock().await.addresses();
            let process = places.get(CANARY).and_then(|places| places.first());
            Mover::Flag(*process.context("the process with the flag does not run")?)
        }
        (_, by) => by.clone(),
    };
    Ok(Switch { by, names: weights.names })
}

/// The driver's flags without those that are known only when the processes have started.
fn order_to_drive(scene: &Scene, stage: &Stage, folder: &Path) -> anyhow::Result<Vec<String>> {
    let policy = match scene.policy {
        Some(name) => stage.policy.with_file_name(format!("{name}.toml")),
        None => stage.policy.clone(),
    };
    let played = folder.join("policy.toml");
    std::fs::write(&played, at_pace(&policy, scene.apart || stage.real, stage.pace)?)
        .with_context(|| format!("cannot write {}", played.display()))?;
    let mut args = vec![
        "drive".to_owned(),
        "--lines".to_owned(),
        format!("--policy={}", played.display()),
        format!("--log={}", folder.join("rollout.jsonl").display()),
        format!("--rate={}", stage.pace.rate()),
        format!("--give-up={}", stage.pace.seconds(stage.limit)),
    ];
    args.extend(scene.way.strategy().map(|strategy| format!("--strategy={strategy}")));
    if let Way::Rolling { instances, batch } = scene.way {
        args.extend([format!("--instances={instances}"), format!("--batch={batch}")]);
    }
    Ok(args)
}

/// The policy of a scene as text: resolved with all defaults, with a scrape interval if the arms
/// are scraped `apart`, and stretched to the pace.
fn at_pace(policy: &Path, apart: bool, pace: Pace) -> anyhow::Result<String> {
    let written = if apart {
        let stem = policy.file_stem().unwrap_or_default().to_string_lossy();
        drive::policy_beside(&format!("extends = \"{stem}\"\n{APART}"), policy)?
    } else {
        drive::policy(policy)?
    };
    let played = stretched(&written, pace.stretch())
        .with_context(|| format!("the policy {}", policy.display()))?;
    Ok(format!(
        "# {} at {:.0} requests a second: {} s for each second of the file.\n{}",
        policy.display(),
        pace.rate(),
        pace.stretch(),
        played.to_toml()
    ))
}

/// Reads the state after the driver has ended, and records the facts that only the lab knows.
async fn look(
    scene: &Scene,
    stage: &Stage,
    weights: &Switch,
    switch: &Switch,
    platform: &Shared,
    record: &mut RunRecord,
) -> anyhow::Result<Found> {
    let share = switch.canary_share().await?;
    let lost = checks::lost(weights).await;
    let mut platform = platform.lock().await;
    let own = scene.fault.filter(|fault| !scene.shared && fault.after > 0.0);
    if let (Some(fault), Some(launched)) = (own, platform.launched(CANARY)) {
        let begins = launched + record.pace.seconds(fault.after);
        let known = "known to the lab only";
        record.lab_did(begins, "the fault begins", known);
        if let Some(lasts) = fault.lasts {
            record.lab_did(begins + record.pace.seconds(lasts), "the fault ends", known);
        }
    }
    for batch in platform.batches() {
        let numbers: Vec<String> = batch.numbers.iter().map(u32::to_string).collect();
        let what = format!("instances {} have {}", numbers.join(", "), batch.version);
        record.lab_did(batch.at, &what, "drained and restarted");
    }
    record.events.sort_by(|a, b| a.at.total_cmp(&b.at));
    Ok(Found {
        share,
        live_side: switch.live_side(share),
        lost,
        deployments: platform.deployments(),
        launches: platform.launches(),
        running: [platform.running(BASELINE), platform.running(CANARY)],
        batches: platform.batches().to_vec(),
        stale: if scene.apart || stage.real { STALE_APART } else { STALE },
        readings: Readings::of(&stage.folder.join(scene.id).join("rollout.jsonl"))?,
    })
}

/// Runs the driver to its end; kills and resumes it, and sends inputs to it, if the scene requires
/// that.
async fn drive(
    scene: &Scene,
    pace: Pace,
    args: &[String],
    folder: &Path,
    row: &Row,
    crew: &Crew,
    record: &mut RunRecord,
) -> anyhow::Result<()> {
    let mut driver = Proc::start("driver", args, folder)?;
    crew.add(&driver);
    let mut kill_at = scene.kill_at_action;
    let mut acting = 0;
    let mut people = People { pace, to: None, inputs: scene.people, since: None };
    loop {
        while let Some(text) = driver.line().await {
            let line: Line = serde_json::from_str(&text)
                .with_context(|| format!("the driver wrote an invalid line: {text}"))?;
            row.show(&line);
            acting += usize::from(matches!(line, Line::Acting { .. }));
            people.listen(&line, record).await?;
            record.take(line);
            if kill_at.is_some_and(|n| acting >= n) {
                // By now the switch has the order, but the driver does not know that it is done.
                tokio::time::sleep(Duration::from_millis(200)).await;
                break;
            }
        }
        if kill_at.take().is_none() {
            break;
        }
        driver.kill().await?;
        record.lab_did(now(), "driver killed", "SIGKILL between decision and confirmation");
        row.say("driver killed by SIGKILL");
        tokio::time::sleep(pace.time(1.5)).await;
        let mut again = args.to_vec();
        again.push("--resume".to_owned());
        driver = Proc::start("driver", &again, folder)?;
        crew.add(&driver);
    }
    let code = driver.code().await?;
    anyhow::ensure!(
        code == Some(0),
        "the driver ended with {code:?}: {}",
        last_line(&folder.join("driver.log"))
    );
    Ok(())
}

/// The inputs of people to the driver.
struct People {
    pace: Pace,
    /// The address for inputs.
    to: Option<SocketAddr>,
    /// The inputs that are still to be sent, in order.
    inputs: &'static [ScriptedInput],
    /// When the rollout reached the state of the first remaining input; None until then.
    since: Option<f64>,
}

impl People {
    /// Sends the next input when it is due.
    async fn listen(&mut self, line: &Line, record: &mut RunRecord) -> anyhow::Result<()> {
        let tick: &Tick = match line {
            Line::Began { people, .. } => {
                self.to = *people;
                return Ok(());
            }
            Line::Tick(tick) => tick,
            _ => return Ok(()),
        };
        let [input, rest @ ..] = self.inputs else { return Ok(()) };
        if (tick.state.as_str(), tick.phase.as_str()) != (input.state, input.phase) {
            return Ok(());
        }
        let since = *self.since.get_or_insert(tick.at);
        if tick.at - since < self.pace.seconds(input.after) {
            return Ok(());
        }
        let to = self.to.context("the driver has no address for inputs")?;
        let ScriptedInput { kind, why, .. } = *input;
        record.lab_did(now(), &format!("a person sends {kind}"), &format!("{PERSON}: {why}"));
        people::say(to, &json!({ "kind": kind, "by": PERSON, "why": why })).await?;
        (self.inputs, self.since) = (rest, None);
        Ok(())
    }
}

fn last_line(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().last().unwrap_or("its log is empty").to_owned()
}

/// Ends the load and reads its summary.
async fn stop_load(mut load: Proc, summary: &Path) -> anyhow::Result<Summary> {
    load.stop(Duration::from_secs(15)).await?;
    let text = std::fs::read_to_string(summary)
        .with_context(|| format!("`{}` left no summary", load.name()))?;
    Ok(serde_json::from_str(&text)?)
}
