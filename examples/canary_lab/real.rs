//! Real components: HAProxy as the splitter, a Prometheus server as the source.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use hyper::Method;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use serde_json::Value;

use crate::http;
use crate::pace::Pace;
use crate::process::{Proc, announce};
use crate::scenes::SCRAPED_EVERY;
use crate::scrape::{Sample, Seen, Totals, lost};
use crate::stage::Parts;
use crate::switch::{Mover, Names, Switch, haproxy_says};

/// Flags of `canary_lab exec`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Exec {
    /// Listen on so many loopback ports and hand the sockets on as `LAB_FD0`, `LAB_FD1` …
    #[arg(long, default_value_t = 0)]
    listen: usize,
    /// The program and its arguments.
    #[arg(trailing_var_arg = true, required = true)]
    command: Vec<String>,
}

/// Replaces this process by another program, which inherits the tie to the lab's life and the
/// listening sockets, whose ports the system has chosen.
pub(crate) fn exec(flags: &Exec) -> anyhow::Result<()> {
    let [program, args @ ..] = flags.command.as_slice() else {
        anyhow::bail!("name a program");
    };
    let mut command = std::process::Command::new(find(program)?);
    command.args(args);
    let mut sockets = Vec::new();
    for i in 0..flags.listen {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
        fcntl(&socket, FcntlArg::F_SETFD(FdFlag::empty())).context("cannot hand a socket on")?;
        announce(socket.local_addr()?, None)?;
        command.env(format!("LAB_FD{i}"), socket.as_raw_fd().to_string());
        sockets.push(socket);
    }
    Err(command.exec()).with_context(|| format!("cannot run {program}"))
}

/// The file of a program, in `PATH` or in one of the `sbin` folders.
fn find(program: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into(), "/sbin".into()])
        .map(|folder: PathBuf| folder.join(program))
        .find(|file| file.is_file())
        .with_context(|| {
            format!("`{program}` is not installed: run `make demo-real`, or install the package of that name")
        })
}

/// Fails with instructions if a program is missing.
pub(crate) fn check_installed() -> anyhow::Result<()> {
    find("haproxy")?;
    find("prometheus")?;
    Ok(())
}

/// Starts HAProxy and a Prometheus server.
pub(crate) async fn parts(folder: &Path, names: Names, pace: Pace) -> anyhow::Result<Parts> {
    let folder = &folder.canonicalize().context("no such folder")?;
    let socket = socket_path(folder)?;
    let config = folder.join("haproxy.cfg");
    write(&config, &haproxy_config(&socket, names))?;
    let args = ["exec", "--listen=2", "--", "haproxy", "-db", "-f"].map(str::to_owned);
    let mut haproxy = Proc::start("haproxy", &with(&args, [config.display().to_string()]), folder)?;
    let traffic = haproxy.address().await?;
    let exporter = haproxy.address().await?;
    wait_for("HAProxy", async || haproxy_says(&socket, "show info").await.map(|_| ())).await?;

    let targets = folder.join("targets.json");
    write(&targets, "[]")?;
    let config = folder.join("prometheus.yml");
    write(&config, &prometheus_config(&targets, exporter, pace))?;
    let (prometheus, server) = prometheus(folder, &config).await?;
    Ok(Parts {
        traffic,
        switch: Switch { by: Mover::Haproxy(socket), names },
        source: format!("prometheus:{server}"),
        targets: Some(targets),
        processes: vec![haproxy, prometheus],
    })
}

/// A path that fits into the 108 bytes of a Unix socket, also with HAProxy's suffix.
fn socket_path(folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join("haproxy.sock");
    anyhow::ensure!(
        path.as_os_str().len() < 90,
        "{} is too long for a Unix socket: give a shorter --out",
        path.display()
    );
    Ok(path)
}

fn haproxy_config(socket: &Path, [old, fix]: Names) -> String {
    format!(
        r#"global
    nbthread 1
    stats socket "{}" mode 600 level admin
defaults
    mode http
    retries 0
    timeout connect 1s
    timeout client 15s
    timeout server 15s
frontend traffic
    bind "fd@${{LAB_FD0}}"
    default_backend app
frontend metrics
    bind "fd@${{LAB_FD1}}"
    http-request use-service prometheus-exporter if {{ path /metrics }}
backend app
    balance roundrobin
    server {old} 127.0.0.1:1 weight 200
    server {fix} 127.0.0.1:1 weight 0
"#,
        socket.display()
    )
}

fn prometheus_config(targets: &Path, haproxy: SocketAddr, pace: Pace) -> String {
    let every = format!("{:.0}ms", pace.seconds(SCRAPED_EVERY) * 1e3);
    let targets = targets.display();
    format!(
        "global:\n  scrape_interval: {every}\n  scrape_timeout: {every}\nscrape_configs:\n\
         \x20 - job_name: payments\n    file_sd_configs:\n      - files: ['{targets}']\n\
         \x20 - job_name: haproxy\n    static_configs:\n      - targets: ['{haproxy}']\n"
    )
}

/// Starts a Prometheus server. It cannot inherit a socket, so a free port is chosen first, and
/// another one if it is taken in the meantime.
async fn prometheus(folder: &Path, config: &Path) -> anyhow::Result<(Proc, SocketAddr)> {
    let mut last = None;
    for _ in 0..5 {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let args = ["exec", "--", "prometheus"].map(str::to_owned);
        let more = [
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", folder.join("prometheus").display()),
            format!("--web.listen-address={address}"),
            "--log.level=warn".to_owned(),
        ];
        let mut server = Proc::start("prometheus", &with(&args, more), folder)?;
        let ready = async || {
            let limit = Duration::from_secs(1);
            http::expect_ok(address, Method::GET, "/-/ready", "", limit).await.map(|_| ())
        };
        match wait_for("Prometheus", ready).await {
            Ok(()) if server.runs() => return Ok((server, address)),
            Ok(()) => {}
            Err(e) => last = Some(e),
        }
    }
    Err(last.unwrap_or_else(|| anyhow::anyhow!("no port is free for long enough")))
        .with_context(|| format!("see {}", folder.join("prometheus.log").display()))
}

fn with(args: &[String], more: impl IntoIterator<Item = String>) -> Vec<String> {
    args.iter().cloned().chain(more).collect()
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Repeats `ask` until it succeeds, for at most 10 s.
async fn wait_for<F>(what: &str, ask: F) -> anyhow::Result<()>
where
    F: AsyncFn() -> anyhow::Result<()>,
{
    let mut last = None;
    for _ in 0..100 {
        match ask().await {
            Ok(()) => return Ok(()),
            Err(e) => last = Some(e),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(last.unwrap_or_else(|| anyhow::anyhow!("never asked")))
        .with_context(|| format!("{what} is not ready after 10 s"))
}

/// Queries a Prometheus server for the running totals of both arms at `now`: the last scrape of
/// each target, whose times differ.
pub(crate) async fn query(
    server: SocketAddr,
    [baseline, canary]: [&str; 2],
    switch: &Switch,
    now: f64,
) -> Seen {
    let Ok(samples) = instant(server, "{job=~\"payments|haproxy\"}", now).await else {
        return Seen::default();
    };
    Seen {
        canary: arm(&samples, canary, now),
        baseline: arm(&samples, baseline, now),
        lost: lost(&samples, switch),
    }
}

/// The totals of one version.
fn arm(samples: &[Sample], version: &str, at: f64) -> Option<Totals> {
    let own = |s: &&Sample| s.labels.get("version").is_some_and(|v| v == version);
    let own: Vec<Sample> = samples.iter().filter(own).cloned().collect();
    Totals::from_samples(&own, None, at).ok()
}

/// Runs an instant query for a moment in seconds of Unix time and gives its vector.
async fn instant(server: SocketAddr, query: &str, at: f64) -> anyhow::Result<Vec<Sample>> {
    let path = format!("/api/v1/query?query={}&time={at:.3}", escape(query));
    let reply = http::expect_ok(server, Method::GET, &path, "", Duration::from_millis(800)).await?;
    vector(&serde_json::from_slice(&reply.body)?)
}

fn vector(answer: &Value) -> anyhow::Result<Vec<Sample>> {
    let rows = answer["data"]["result"].as_array().context("Prometheus gave no vector")?;
    Ok(rows.iter().filter_map(sample).collect())
}

fn sample(row: &Value) -> Option<Sample> {
    let mut labels: BTreeMap<String, String> =
        serde_json::from_value(row["metric"].clone()).ok()?;
    let name = labels.remove("__name__")?;
    let value = match row["value"][1].as_str()? {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        number => number.parse().ok()?,
    };
    Some(Sample { name, labels, value })
}

/// Percent-encodes all but letters and digits.
fn escape(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(b).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn totals_come_from_the_services_and_lost_requests_from_haproxy() {
        let row = |metric: Value, value: &str| json!({ "metric": metric, "value": [1.0, value] });
        let payments = |result: &str, version: &str, value: &str| {
            row(
                json!({ "__name__": "payments_total", "result": result, "version": version }),
                value,
            )
        };
        let failed = |server: &str, value: &str| {
            let name = "haproxy_server_connection_errors_total";
            row(json!({ "__name__": name, "proxy": "app", "server": server }), value)
        };
        let answer = json!({ "data": { "result": [
            payments("ok", "2.3.1", "90"), payments("error", "2.3.1", "1"),
            payments("ok", "2.3.0", "40"), payments("null_pointer", "2.3.0", "50"),
            failed("canary", "3"), failed("baseline", "0"),
        ] } });
        let samples = vector(&answer).expect("a vector");
        let canary = arm(&samples, "2.3.1", 100.0).expect("totals");
        assert_eq!((canary.ok, canary.error), (90.0, 1.0));
        let baseline = arm(&samples, "2.3.0", 100.0).expect("totals");
        assert_eq!((baseline.ok, baseline.null_pointer), (40.0, 50.0));
        assert_eq!(arm(&samples, "9.9.9", 100.0), None);
        let switch: Switch = "haproxy:/run/lab.sock".parse().expect("legal");
        assert_eq!(lost(&samples, &switch)["canary"], 3.0);
        assert!(vector(&json!({ "error": "x" })).is_err());
    }

    #[test]
    fn a_query_is_escaped_and_a_long_socket_path_refused() {
        assert_eq!(escape("{a=\"b\"}"), "%7Ba%3D%22b%22%7D");
        assert!(socket_path(Path::new("/tmp/lab")).is_ok());
        let long = "x".repeat(100);
        let error = socket_path(Path::new(&long)).unwrap_err().to_string();
        assert!(error.contains("shorter --out"), "{error}");
    }
}
