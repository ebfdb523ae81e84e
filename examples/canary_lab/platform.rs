//! What a deploy tool deploys to: it starts versions of the service when asked and outlives the
//! tool. Orders carry the action's id; an order that comes again is not carried out again.

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
use crate::process::Proc;
use crate::switch::Switch;

/// How a version is started.
#[derive(Clone, Debug)]
pub(crate) struct Release {
    /// Its version.
    pub(crate) version: String,
    /// Further flags of `canary_lab service`.
    pub(crate) flags: Vec<String>,
}

/// What a platform is made of.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// Where the processes' logs go.
    pub(crate) folder: PathBuf,
    /// Where the traffic is switched.
    pub(crate) switch: Switch,
    /// The version that is live.
    pub(crate) baseline: Release,
    /// The fix.
    pub(crate) canary: Release,
    /// Seconds that an order takes.
    pub(crate) deploy_seconds: f64,
    /// File that names the versions to a Prometheus server.
    pub(crate) targets: Option<PathBuf>,
}

/// The platform of one scene.
pub(crate) struct Platform {
    setup: Setup,
    running: BTreeMap<String, (Proc, SocketAddr)>,
    done: BTreeSet<String>,
    deployments: u32,
    /// When each version was started last, in seconds of Unix time.
    launched: BTreeMap<String, f64>,
}

/// The platform as its server and the scene share it.
pub(crate) type Shared = Arc<Mutex<Platform>>;

impl Platform {
    /// Starts the version that is live and serves orders. The second value is where.
    pub(crate) async fn start(setup: Setup) -> anyhow::Result<(Shared, SocketAddr, Server)> {
        let live = setup.baseline.clone();
        let mut platform = Self {
            setup,
            running: BTreeMap::new(),
            done: BTreeSet::new(),
            deployments: 0,
            launched: BTreeMap::new(),
        };
        let address = platform.launch(&live).await?;
        platform.setup.switch.register(address, None).await?;
        let listener = http::bind(0).await?;
        let at = listener.local_addr()?;
        let platform = Arc::new(Mutex::new(platform));
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

    /// When a version was started last, in seconds of Unix time.
    pub(crate) fn launched(&self, version: &str) -> Option<f64> {
        self.launched.get(version).copied()
    }

    /// Ends all versions.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        for (process, _) in self.running.values_mut() {
            process.kill().await?;
        }
        Ok(())
    }

    /// Where each version is.
    pub(crate) fn addresses(&self) -> BTreeMap<String, SocketAddr> {
        self.running.iter().map(|(v, (_, at))| (v.clone(), *at)).collect()
    }

    async fn launch(&mut self, release: &Release) -> anyhow::Result<SocketAddr> {
        let mut args = vec!["service".to_owned(), format!("--version={}", release.version)];
        args.extend(release.flags.iter().cloned());
        let name = format!("service-{}", release.version);
        let mut process = Proc::start(&name, &args, &self.setup.folder)?;
        self.launched.insert(release.version.clone(), now());
        let address = process.address().await?;
        healthy(address).await?;
        self.running.insert(release.version.clone(), (process, address));
        self.name_targets()?;
        Ok(address)
    }

    /// Names the versions to a Prometheus server, which watches the file.
    fn name_targets(&self) -> anyhow::Result<()> {
        let Some(path) = &self.setup.targets else { return Ok(()) };
        let targets: Vec<_> = self
            .running
            .iter()
            .map(|(version, (_, at))| json!({ "targets": [at], "labels": { "version": version } }))
            .collect();
        let draft = path.with_extension("draft");
        std::fs::write(&draft, json!(targets).to_string())
            .and_then(|()| std::fs::rename(&draft, path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Makes `version` run and known to the switch.
    async fn deploy(&mut self, version: &str, action: &str) -> anyhow::Result<()> {
        if !self.done.insert(action.to_owned()) {
            return Ok(());
        }
        let carried_out = self.deploy_once(version).await;
        if carried_out.is_err() {
            self.done.remove(action);
        }
        carried_out
    }

    async fn deploy_once(&mut self, version: &str) -> anyhow::Result<()> {
        let release = [&self.setup.baseline, &self.setup.canary]
            .into_iter()
            .find(|r| r.version == version)
            .cloned()
            .with_context(|| format!("there is no artifact of version {version}"))?;
        self.deployments += 1;
        tokio::time::sleep(Duration::from_secs_f64(self.setup.deploy_seconds)).await;
        let runs = match self.running.get_mut(version) {
            Some((process, _)) => process.runs(),
            None => false,
        };
        if runs {
            return Ok(());
        }
        self.launch(&release).await?;
        let at = |r: &Release| self.running.get(&r.version).map(|(_, at)| *at);
        let baseline = at(&self.setup.baseline).context("the live version does not run")?;
        self.setup.switch.register(baseline, at(&self.setup.canary)).await
    }
}

/// Serves orders until it is dropped.
pub(crate) struct Server(tokio::task::JoinHandle<()>);

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
    /// What to deploy.
    pub(crate) version: String,
    /// Id of the action that asks for it.
    pub(crate) action: String,
}

/// `POST /deploy` with an [`Order`], and `GET /services`.
async fn take_order(platform: Shared, asked: Asked) -> Reply {
    match (&asked.method, asked.path.as_str()) {
        (&Method::GET, "/services") => Reply::json(200, &json!(platform.lock().await.addresses())),
        (&Method::POST, "/deploy") => {
            let Order { version, action } = match serde_json::from_slice(&asked.body) {
                Ok(order) => order,
                Err(e) => return Reply::text(400, format!("not an order: {e}")),
            };
            // A task of its own: the order is carried out even when the tool dies meanwhile.
            let order =
                tokio::spawn(async move { platform.lock().await.deploy(&version, &action).await });
            match order.await {
                Ok(Ok(())) => Reply::text(200, "deployed"),
                Ok(Err(e)) => Reply::text(500, format!("{e:#}")),
                Err(e) => Reply::text(500, e.to_string()),
            }
        }
        (method, path) => Reply::text(404, format!("no such order: {method} {path}")),
    }
}
