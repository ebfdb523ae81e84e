//! The scenes: what is tried, how each is run, and what it has to show.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use hotfix_core::rollout::audit;

use crate::drive::now;
use crate::lines::Line;
use crate::load::Summary;
use crate::platform::{Platform, Release, Setup, Shared};
use crate::process::Proc;
use crate::progress::Row;
use crate::real;
use crate::record::RunRecord;
use crate::switch::Switch;

/// The version that is live, with the bug.
pub(crate) const BASELINE: &str = "2.3.0";
/// The fix.
pub(crate) const CANARY: &str = "2.3.1";

/// How a scene must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The fix has all the traffic, is shown to work, and was watched to the end.
    Closed,
    /// The old version has all the traffic.
    RolledBack,
}

/// One scene.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    /// Short name.
    pub(crate) id: &'static str,
    /// Title in the report.
    pub(crate) title: &'static str,
    /// What is tried.
    pub(crate) story: &'static str,
    /// Fault flags of the fix.
    pub(crate) fault: &'static [&'static str],
    /// A fault of both versions: seconds after the scene's start, seconds that it lasts.
    pub(crate) shock: Option<(f64, f64)>,
    /// Kill the driver while it carries out this many-th action.
    pub(crate) kill_at_action: Option<usize>,
    /// How it must end.
    pub(crate) ending: Ending,
}

/// The scenes of `demo`, the long ones first.
pub(crate) const SCENES: [Scene; 8] = [
    Scene {
        id: "good",
        title: "A good fix goes out",
        story: "The fix has no fault. It goes to 10, 50 and 100% and is shown to work.",
        fault: &[],
        shock: None,
        kill_at_action: None,
        ending: Ending::Closed,
    },
    Scene {
        id: "shock",
        title: "A shock in both versions is no reason to go back",
        story: "For 3 s the database is slow to answer and 7% of requests fail in both versions.",
        fault: &["--fault=errors", "--fault-level=0.07"],
        shock: Some((17.0, 3.0)),
        kill_at_action: None,
        ending: Ending::Closed,
    },
    Scene {
        id: "killed",
        title: "The driver is killed and goes on from its log",
        story: "SIGKILL hits the driver while half of the traffic moves: after the promotion is \
                on record, before its confirmation. A new driver resumes.",
        fault: &[],
        shock: None,
        kill_at_action: Some(3),
        ending: Ending::Closed,
    },
    Scene {
        id: "leak",
        title: "A fix that leaks slowly is rolled back",
        story: "Failures of the fix grow from nothing by 0.4% of its requests per second, and each \
                request takes longer likewise.",
        fault: &["--fault=leak", "--fault-level=0.004", "--fault-after=3"],
        shock: None,
        kill_at_action: None,
        ending: Ending::RolledBack,
    },
    Scene {
        id: "errors",
        title: "A fix that brings errors is rolled back",
        story: "From 16 s on, in the second phase, 6% of the fix's requests fail for a new reason.",
        fault: &["--fault=errors", "--fault-level=0.06", "--fault-after=14"],
        shock: None,
        kill_at_action: None,
        ending: Ending::RolledBack,
    },
    Scene {
        id: "tail",
        title: "A fix with a slow tail is rolled back",
        story: "Two requests in a hundred of the fix take 0.7 s longer. The 95th percentile hardly \
                moves, so a bound on it is blind.",
        fault: &["--fault=tail", "--fault-level=0.02", "--fault-after=3"],
        shock: None,
        kill_at_action: None,
        ending: Ending::RolledBack,
    },
    Scene {
        id: "latency",
        title: "A slower fix is rolled back",
        story: "Every request of the fix takes 1.6 times as long: the 95th percentile lies between \
                the alert and the rollback bound.",
        fault: &["--fault=latency", "--fault-level=1.6", "--fault-after=3"],
        shock: None,
        kill_at_action: None,
        ending: Ending::RolledBack,
    },
    Scene {
        id: "crash",
        title: "A fix that crashes is rolled back",
        story: "The fix's process exits in the second phase. Its metrics are gone; the splitter \
                still counts what its callers lose.",
        fault: &["--fault=crash", "--fault-after=15"],
        shock: None,
        kill_at_action: None,
        ending: Ending::RolledBack,
    },
];

impl Scene {
    /// Seconds from the start of the fix's process to its own fault.
    fn fault_after(&self) -> Option<f64> {
        self.fault.iter().find_map(|flag| flag.strip_prefix("--fault-after=")?.parse().ok())
    }
}

/// What all scenes of a run share.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    /// Where logs, records and reports go.
    pub(crate) folder: PathBuf,
    /// The policy file.
    pub(crate) policy: PathBuf,
    /// Requests per second of each scene.
    pub(crate) rate: f64,
    /// Seconds after which a scene is given up.
    pub(crate) limit: f64,
    /// With HAProxy and a Prometheus server.
    pub(crate) real: bool,
}

/// Flags of the version that is live: more than half of the payments meet the bug.
pub(crate) fn baseline(seed: u64, more: &[String]) -> Release {
    let mut flags = vec!["--bug-share=0.55".to_owned(), format!("--seed={seed}")];
    flags.extend_from_slice(more);
    Release { version: BASELINE.into(), flags }
}

/// Flags of the fix.
pub(crate) fn canary(seed: u64, more: &[String]) -> Release {
    let mut flags = vec!["--warmup=0.5".to_owned(), format!("--seed={}", seed + 1)];
    flags.extend_from_slice(more);
    Release { version: CANARY.into(), flags }
}

/// Runs one scene. Whatever goes wrong stands in the record; nothing is left running.
pub(crate) async fn run(scene: &Scene, stage: &Stage, row: &Row) -> RunRecord {
    let mut record = RunRecord::new(scene.id, scene.title, scene.story, now());
    if let Err(e) = play(scene, stage, row, &mut record).await {
        record.error = Some(format!("{e:#}"));
    }
    let end = if record.passed() { "as it must" } else { "NOT as it must" };
    row.finish(&format!("{} after {:.0} s: {end}", record.outcome, record.seconds));
    record
}

/// A folder of its own for a scene, empty.
pub(crate) fn fresh_folder(stage: &Stage, id: &str) -> anyhow::Result<PathBuf> {
    let folder = stage.folder.join(id);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot clear {}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// What stands between the customers and the versions.
pub(crate) struct Parts {
    /// Where the customers' requests go.
    pub(crate) traffic: SocketAddr,
    /// Where the traffic is switched.
    pub(crate) switch: Switch,
    /// The driver's `--source`.
    pub(crate) source: String,
    /// File that names the versions to a Prometheus server.
    pub(crate) targets: Option<PathBuf>,
    /// The processes.
    pub(crate) processes: Vec<Proc>,
}

/// The lab's own splitter and scraper.
async fn own_parts(folder: &Path) -> anyhow::Result<Parts> {
    let mut splitter = Proc::start("splitter", &["splitter".to_owned()], folder)?;
    Ok(Parts {
        traffic: splitter.address().await?,
        switch: Switch::Splitter(splitter.address().await?),
        source: "direct".into(),
        targets: None,
        processes: vec![splitter],
    })
}

async fn play(
    scene: &Scene,
    stage: &Stage,
    row: &Row,
    record: &mut RunRecord,
) -> anyhow::Result<()> {
    let folder = fresh_folder(stage, scene.id)?;
    let mut parts =
        if stage.real { real::parts(&folder).await? } else { own_parts(&folder).await? };
    // Another seed a scene: the same customers everywhere would be one trial, not eight.
    let place = SCENES.iter().position(|s| s.id == scene.id).unwrap_or(SCENES.len());
    let seed = 100 * (1 + place as u64);
    let mut fault: Vec<String> = scene.fault.iter().map(|f| (*f).to_owned()).collect();
    let mut both = Vec::new();
    if let Some((after, lasts)) = scene.shock {
        fault.push(format!("--fault-at={}", record.began + after));
        fault.push(format!("--fault-for={lasts}"));
        both.clone_from(&fault);
        record.lab_did(record.began + after, "both versions begin to fail", "7% of requests");
        record.lab_did(record.began + after + lasts, "both versions recover", "");
    }
    let (platform, orders, _server) = Platform::start(Setup {
        folder: folder.clone(),
        switch: parts.switch.clone(),
        baseline: baseline(seed, &both),
        canary: canary(seed, &fault),
        deploy_seconds: 1.0,
        targets: parts.targets.clone(),
    })
    .await?;
    let summary = folder.join("load.json");
    let load = Proc::start(
        "load",
        &[
            "load".to_owned(),
            format!("--target={}", parts.traffic),
            format!("--rate={}", stage.rate),
            format!("--seed={}", seed + 2),
            format!("--seconds={}", stage.limit + 30.0),
            format!("--summary={}", summary.display()),
        ],
        &folder,
    )?;
    tokio::time::sleep(Duration::from_secs(1)).await; // some traffic to compare with
    let args = vec![
        "drive".to_owned(),
        "--lines".to_owned(),
        format!("--policy={}", stage.policy.display()),
        format!("--log={}", folder.join("rollout.jsonl").display()),
        format!("--platform={orders}"),
        format!("--switch={}", parts.switch),
        format!("--source={}", parts.source),
        format!("--rate={}", stage.rate),
        format!("--give-up={}", stage.limit),
    ];
    drive(scene, &args, &folder, row, record).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    record.load = Some(stop_load(load, &summary).await?);
    if let (Some(after), Some(launched)) =
        (scene.fault_after(), platform.lock().await.launched(CANARY))
    {
        record.lab_did(launched + after, "the fault begins", "known to the lab only");
    }
    record.events.sort_by(|a, b| a.at.total_cmp(&b.at));
    judge(scene, record, parts.switch.canary_share().await?);
    judge_actions(scene, record, &platform).await;
    judge_log(record, &folder.join("rollout.jsonl"))?;
    platform.lock().await.stop().await?;
    for process in &mut parts.processes {
        process.kill().await?;
    }
    Ok(())
}

/// Runs the driver to its end; kills and resumes it where the scene asks for that.
pub(crate) async fn drive(
    scene: &Scene,
    args: &[String],
    folder: &Path,
    row: &Row,
    record: &mut RunRecord,
) -> anyhow::Result<()> {
    let mut driver = Proc::start("driver", args, folder)?;
    let mut kill_at = scene.kill_at_action;
    let mut acting = 0;
    loop {
        while let Some(text) = driver.line().await {
            let line: Line = serde_json::from_str(&text)
                .with_context(|| format!("the driver wrote what is no line: {text}"))?;
            row.show(&line);
            acting += usize::from(matches!(line, Line::Acting { .. }));
            record.take(line);
            if kill_at.is_some_and(|n| acting >= n) {
                // The order has reached the switch by now; its end has not reached the driver.
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
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let mut again = args.to_vec();
        again.push("--resume".to_owned());
        driver = Proc::start("driver", &again, folder)?;
    }
    let code = driver.code().await?;
    anyhow::ensure!(
        code == Some(0),
        "the driver ended with {code:?}: {}",
        last_line(&folder.join("driver.log"))
    );
    Ok(())
}

fn last_line(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().last().unwrap_or("its log is empty").to_owned()
}

/// Ends the load and reads what the customers met.
pub(crate) async fn stop_load(mut load: Proc, summary: &Path) -> anyhow::Result<Summary> {
    load.stop(Duration::from_secs(15)).await?;
    let text = std::fs::read_to_string(summary)
        .with_context(|| format!("`{}` left no summary", load.name()))?;
    Ok(serde_json::from_str(&text)?)
}

/// Notes whether the scene showed what it had to.
pub(crate) fn judge(scene: &Scene, record: &mut RunRecord, share: f64) {
    let decided = |what: &str| record.events.iter().filter(|e| e.what == what).count();
    let (backs, promoted) = (decided("roll_back"), decided("promote"));
    let shown = decided("efficacy_shown");
    let outcome = record.outcome.clone();
    let split = format!("{:.0}% to the fix at the switch", share * 100.0);
    match scene.ending {
        Ending::Closed => {
            let completed = decided("complete");
            record.check("the rollout completes", completed == 1, times(completed));
            record.check("it is watched to its end", outcome == "closed", outcome);
            record.check("nothing is rolled back", backs == 0, times(backs));
            record.check("all traffic goes to the fix", share == 1.0, split);
            record.check("the fix is shown to work", shown == 1, times(shown));
        }
        Ending::RolledBack => {
            record.check("the rollout is rolled back", outcome == "rolled_back", outcome);
            record.check("by one decision", backs == 1, times(backs));
            record.check("all traffic goes to the old version", share == 0.0, split);
            record.check(
                "it never reached everybody",
                !record.phases.iter().any(|p| p.share >= 1.0),
                format!("{promoted} promotions"),
            );
        }
    }
    if scene.shock.is_some() {
        let most = |arm: &[(f64, f64)]| arm.iter().map(|p| p.1).fold(0.0, f64::max);
        let errors = record.series.get("error_rate").cloned().unwrap_or_default();
        let (canary, baseline) = (most(&errors.canary), most(&errors.baseline));
        record.check(
            "both versions were seen to fail",
            canary > 0.01 && baseline > 0.01,
            format!("errors up to {:.1}% and {:.1}%", canary * 100.0, baseline * 100.0),
        );
    }
    if let Some(load) = &record.load {
        let (sent, planned) = (load.sent, load.planned);
        record.check(
            "the load kept its rate",
            sent == planned && planned > 0,
            format!("{sent} of {planned} sent, {:.0} per second", load.rate_sent),
        );
    }
}

/// Notes whether each action was carried out and confirmed once.
async fn judge_actions(scene: &Scene, record: &mut RunRecord, platform: &Shared) {
    let actions = &record.actions;
    let once = actions.iter().all(|a| a.confirmed_times == 1 && a.failed_times == 0);
    let (number, again) = (actions.len(), actions.iter().filter(|a| a.begun_times > 1).count());
    record.check("each action is confirmed once", once && number > 0, format!("{number} actions"));
    if scene.kill_at_action.is_some() {
        let resumed = record.events.iter().filter(|e| e.what == "driver resumed").count();
        record.check("the driver was killed and resumed", resumed == 1, times(resumed));
        record.check(
            "it took the open action up again",
            again == 1,
            format!("{again} taken up twice"),
        );
        let deployed = platform.lock().await.deployments();
        let asked = record.actions.iter().filter(|a| a.what.starts_with("deploy ")).count();
        record.check(
            "nothing was deployed twice",
            usize::try_from(deployed) == Ok(asked),
            format!("{deployed} deployments for {asked} actions"),
        );
    }
}

/// Notes whether the log holds what happened: unbroken, and the same when it is judged anew.
fn judge_log(record: &mut RunRecord, path: &Path) -> anyhow::Result<()> {
    let log = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let head = record.facts.get("head").and_then(|head| head.parse().ok());
    let audit = audit(&log, head);
    let seen = audit.findings.first().map_or_else(
        || format!("{} lines", audit.lines),
        |finding| format!("line {}: {}", finding.line, finding.message),
    );
    record.check("its log, judged anew, tells the same", head.is_some() && audit.is_clean(), seen);
    Ok(())
}

fn times(n: usize) -> String {
    match n {
        1 => "once".into(),
        n => format!("{n} times"),
    }
}
