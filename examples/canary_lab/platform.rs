//! The platform that a deploy tool deploys to: it starts versions of the service on request and
//! continues to run after the tool. Orders have the action's id; a repeated order is not carried
//! out again.
//!
//! Either the fix runs next to the live version, or it replaces the live version instance by
//! instance.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hyper::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Mutex;

use crate::drive::now;
use crate::http::{self, Asked, Reply};
use crate::machine::Crew;
use crate::process::Proc;
use crate::scrape;
use crate::switch::{Behind, Switch};

/// Maximum time that an instance has to answer its open requests before it is replaced.
const DRAIN: Duration = Duration::from_secs(10);

/// How a version is started.
#[derive(Clone, Debug)]
pub(crate) struct Release {
    /// Its version.
    pub(crate) version: String,
    /// Seed of its first instance.
    pub(crate) seed: u64,
    /// Further flags of `canary_lab service`.
    pub(crate) flags: Vec<String>,
}

/// Configuration of a platform.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// Where the processes' logs go.
    pub(crate) folder: PathBuf,
    /// The switch at which the versions are registered.
    pub(crate) switch: Switch,
    /// The version that is live.
    pub(crate) baseline: Release,
    /// The fix.
    pub(crate) canary: Release,
    /// Number of instances. The fix runs beside a single one, and replaces several in batches.
    pub(crate) instances: u32,
    /// Seconds that a deployment takes.
    pub(crate) deploy_seconds: f64,
    /// File that names the versions to a Prometheus server.
    pub(crate) targets: Option<PathBuf>,
    /// The processes whose waiting for a processor is measured.
    pub(crate) crew: Crew,
}

/// A running process of the service.
struct Instance {
    version: String,
    /// From 1.
    number: u32,
    process: Proc,
    at: SocketAddr,
}

/// A batch of instances that was replaced.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Batch {
    /// Seconds of Unix time at its end.
    pub(crate) at: f64,
    /// The version that the instances have afterwards.
    pub(crate) version: String,
    /// Numbers of the instances.
    pub(crate) numbers: Vec<u32>,
}

/// The platform of one scene.
pub(crate) struct Platform {
    setup: Setup,
    running: Vec<Instance>,
    done: BTreeSet<String>,
    deployments: u32,
    batches: Vec<Batch>,
    /// Last start of each version, in seconds of Unix time.
    launched: BTreeMap<String, f64>,
    /// Processes started.
    launches: u32,
    /// Locked while an order is carried out; `GET /services` is answered in the meantime.
    order: Arc<Mutex<()>>,
}

/// The platform as its server and the scene share it.
pub(crate) type Shared = Arc<Mutex<Platform>>;

impl Platform {
    /// Starts the live version and a server for orders; returns both, with the server's address.
    pub(crate) async fn start(setup: Setup) -> anyhow::Result<(Shared, SocketAddr, Server)> {
        let (live, instances) = (setup.baseline.clone(), setup.instances);
        let platform = Arc::new(Mutex::new(Self {
            setup,
            running: Vec::new(),
            done: BTreeSet::new(),
            deployments: 0,
            batches: Vec::new(),
            launched: BTreeMap::new(),
            launches: 0,
            order: Arc::default(),
        }));
        for number in 1..=instances {
            launch(&platform, &live, number).await?;
        }
        register(&platform).await?;
        let listener = http::bind(0).await?;
        let at = listener.local_addr()?;
        let shared = Arc::clone(&platform);
        let server = Server(tokio::spawn(http::serve(listener, move |asked| {
            let platform = Arc::clone(&shared);
            async move { take_order(platform, asked).await }
        })));
        Ok((platform, at, server))
    }

    /// Deployments carried out so far.
    pub(crate) fn deployments(&self) -> u32 {
        self.deployments
    }

    /// Processes started so far.
    pub(crate) fn launches(&self) -> u32 {
        self.launches
    }

    /// Batches of instances replaced so far.
    pub(crate) fn batches(&self) -> &[Batch] {
        &self.batches
    }

    /// Last start of a version, in seconds of Unix time; None if it was never started.
    pub(crate) fn launched(&self, version: &str) -> Option<f64> {
        self.launched.get(version).copied()
    }

    /// How many instances of a version run.
    pub(crate) fn running(&mut self, version: &str) -> usize {
        let of = self.running.iter_mut().filter(|i| i.version == version);
        of.filter_map(|i| i.process.runs().then_some(())).count()
    }

    /// Ends all versions.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        for instance in &mut self.running {
            instance.process.kill().await?;
        }
        Ok(())
    }

    /// The addresses of each version's instances.
    pub(crate) fn addresses(&self) -> BTreeMap<String, Vec<SocketAddr>> {
        let mut places: BTreeMap<String, Vec<SocketAddr>> = BTreeMap::new();
        for instance in &self.running {
            places.entry(instance.version.clone()).or_default().push(instance.at);
        }
        places
    }

    /// The backends for the switch. In a fleet each instance has the same traffic; otherwise the
    /// live version has all of it and the other version none.
    fn behind(&self) -> Vec<Behind> {
        let [old, fix] = self.setup.switch.names;
        let fleet = self.setup.instances > 1;
        let behind = self.running.iter().map(|instance| {
            let is_live = instance.version == self.setup.baseline.version;
            let arm = if is_live { old } else { fix };
            let name = if fleet { format!("{arm}.{}", instance.number) } else { arm.to_owned() };
            Behind { name, at: instance.at, live: fleet || is_live }
        });
        behind.collect()
    }

    fn release(&self, version: &str) -> anyhow::Result<Release> {
        let known = [&self.setup.baseline, &self.setup.canary];
        known
            .into_iter()
            .find(|r| r.version == version)
            .cloned()
            .with_context(|| format!("there is no artifact of version {version}"))
    }

    /// Names the versions to a Prometheus server, which watches the file.
    fn name_targets(&self) -> anyhow::Result<()> {
        let Some(path) = &self.setup.targets else { return Ok(()) };
        let targets: Vec<_> = self
            .addresses()
            .into_iter()
            .map(|(version, at)| json!({ "targets": at, "labels": { "version": version } }))
            .collect();
        let draft = path.with_extension("draft");
        std::fs::write(&draft, json!(targets).to_string())
            .and_then(|()| std::fs::rename(&draft, path))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Starts an instance and waits until it is healthy.
async fn launch(platform: &Shared, release: &Release, number: u32) -> anyhow::Result<()> {
    let (folder, fleet, crew) = {
        let mut now_known = platform.lock().await;
        now_known.launched.insert(release.version.clone(), now());
        now_known.launches += 1;
        let setup = &now_known.setup;
        (setup.folder.clone(), setup.instances > 1, setup.crew.clone())
    };
    let mut args = vec![
        "service".to_owned(),
        format!("--version={}", release.version),
        format!("--seed={}", release.seed + 1_000 * u64::from(number - 1)),
    ];
    args.extend(release.flags.iter().cloned());
    let suffix = if fleet { format!(".{number}") } else { String::new() };
    let mut process = Proc::start(&format!("service-{}{suffix}", release.version), &args, &folder)?;
    crew.add(&process);
    let at = process.address().await?;
    healthy(at).await?;
    let mut platform = platform.lock().await;
    platform.running.retain(|i| (&i.version, i.number) != (&release.version, number));
    platform.running.push(Instance { version: release.version.clone(), number, process, at });
    platform.name_targets()
}

/// Registers all running instances at the switch.
async fn register(platform: &Shared) -> anyhow::Result<()> {
    let (switch, behind) = {
        let platform = platform.lock().await;
        (platform.setup.switch.clone(), platform.behind())
    };
    switch.register(&behind).await
}

/// Starts `version` and registers it at the switch; a fleet gets it only when traffic moves.
/// Repeated orders have no effect.
async fn deploy(platform: &Shared, order: &Order) -> anyhow::Result<()> {
    if !platform.lock().await.done.insert(order.action.clone()) {
        return Ok(());
    }
    let carried_out = deploy_once(platform, &order.version).await;
    if carried_out.is_err() {
        platform.lock().await.done.remove(&order.action);
    }
    carried_out
}

async fn deploy_once(platform: &Shared, version: &str) -> anyhow::Result<()> {
    let (release, seconds, in_place) = {
        let mut platform = platform.lock().await;
        let release = platform.release(version)?;
        platform.deployments += 1;
        (release, platform.setup.deploy_seconds, platform.setup.instances > 1)
    };
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    if in_place || platform.lock().await.running(version) > 0 {
        return Ok(());
    }
    launch(platform, &release, 1).await?;
    register(platform).await
}

/// Replaces one batch, so that `share` of the instances have the fix: its instances get no new
/// requests, answer the open ones, and are restarted with the other version.
async fn replace(platform: &Shared, share: f64) -> anyhow::Result<()> {
    let (mut old, release) = {
        let mut platform = platform.lock().await;
        let (fix, live) = (platform.setup.canary.clone(), platform.setup.baseline.clone());
        let wanted = (share * f64::from(platform.setup.instances)).round();
        let have = platform.running.iter().filter(|i| i.version == fix.version).count() as f64;
        let to = if wanted > have { fix } else { live };
        let mut left = (wanted - have).abs();
        let (mut stay, mut leave) = (Vec::new(), Vec::new());
        for instance in std::mem::take(&mut platform.running) {
            if left >= 1.0 && instance.version != to.version {
                left -= 1.0;
                leave.push(instance);
            } else {
                stay.push(instance);
            }
        }
        platform.running = stay;
        (leave, to)
    };
    if old.is_empty() {
        return Ok(());
    }
    register(platform).await?;
    for instance in &mut old {
        drained(instance.at).await;
        instance.process.stop(Duration::from_secs(2)).await?;
    }
    let numbers: Vec<u32> = old.iter().map(|i| i.number).collect();
    for number in &numbers {
        launch(platform, &release, *number).await?;
    }
    register(platform).await?;
    let batch = Batch { at: now(), version: release.version, numbers };
    platform.lock().await.batches.push(batch);
    Ok(())
}

/// Waits, at most [`DRAIN`], until an instance has answered all its requests.
async fn drained(at: SocketAddr) {
    let idle = async {
        loop {
            // A request may be between the splitter and the instance, so one reading is not enough.
            tokio::time::sleep(Duration::from_millis(200)).await;
            let samples = scrape::fetch(at).await.unwrap_or_default();
            let under_way = samples.iter().find(|s| s.name == "payments_under_way");
            if under_way.is_some_and(|s| s.value == 0.0) {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(DRAIN, idle).await; // then it is stopped anyway
}

/// The task that serves requests; dropping it ends the task.
pub(crate) struct Server(tokio::task::JoinHandle<()>);

impl Server {
    /// Wraps a running task.
    pub(crate) fn new(task: tokio::task::JoinHandle<()>) -> Self {
        Self(task)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits for a healthy answer, 15 s at most.
async fn healthy(address: SocketAddr) -> anyhow::Result<()> {
    let mut last = String::new();
    for _ in 0..300 {
        let asked = http::call(address, Method::GET, "/health", "", Duration::from_secs(1)).await;
        match asked {
            Ok(reply) if reply.status == 200 => return Ok(()),
            Ok(reply) => last = reply.as_text(),
            Err(e) => last = e.to_string(),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("{address} did not become healthy: {last}")
}

/// The body of `POST /deploy`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    /// The version to deploy.
    pub(crate) version: String,
    /// Id of the action that asks for it.
    pub(crate) action: String,
}

/// The body of `PUT /fleet`: the share of the fleet that is to have the fix. Idempotent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fleet {
    share: f64,
}

/// `POST /deploy` with an [`Order`], `PUT /fleet`, and `GET /services`.
async fn take_order(platform: Shared, asked: Asked) -> Reply {
    // Spawned, so that the order is carried out even if the tool dies in the meantime.
    let order = match (&asked.method, asked.path.as_str()) {
        (&Method::GET, "/services") => {
            return Reply::json(200, &json!(platform.lock().await.addresses()));
        }
        (&Method::POST, "/deploy") => {
            let order: Order = match serde_json::from_slice(&asked.body) {
                Ok(order) => order,
                Err(e) => return Reply::text(400, format!("not an order: {e}")),
            };
            tokio::spawn(async move {
                let turn = Arc::clone(&platform.lock().await.order);
                let _mine = turn.lock().await;
                deploy(&platform, &order).await
            })
        }
        (&Method::PUT, "/fleet") => {
            let Fleet { share } = match serde_json::from_slice(&asked.body) {
                Ok(fleet) => fleet,
                Err(e) => return Reply::text(400, format!("not a share: {e}")),
            };
            tokio::spawn(async move {
                let turn = Arc::clone(&platform.lock().await.order);
                let _mine = turn.lock().await;
                replace(&platform, share).await
            })
        }
        (method, path) => return Reply::text(404, format!("no such order: {method} {path}")),
    };
    match order.await {
        Ok(Ok(())) => Reply::text(200, "done"),
        Ok(Err(e)) => Reply::text(500, format!("{e:#}")),
        Err(e) => Reply::text(500, e.to_string()),
    }
}
