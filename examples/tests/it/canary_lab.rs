//! Tests the lab's processes from outside: the split, the metrics, and that no process outlives the
//! lab.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A child of the test that ends with it.
struct Lab(Child);

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(args: &[&str]) -> Lab {
    let child = Command::new(env!("CARGO_BIN_EXE_canary_lab"))
        .arg(format!("--die-with={}", std::process::id()))
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    Lab(child.expect("the lab starts"))
}

/// Starts a server and reads the addresses that it names.
fn server(args: &[&str], addresses: usize) -> (Lab, Vec<SocketAddr>) {
    let mut lab = start(args);
    let output = BufReader::new(lab.0.stdout.take().expect("an output"));
    let named = output
        .lines()
        .take(addresses)
        .map(|line| line.expect("a line").replace("listening ", "").parse().expect("an address"))
        .collect();
    (lab, named)
}

fn ask(at: SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(at).expect("connects");
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: lab\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .expect("sends");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status = answer.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
    let body = answer.split_once("\r\n\r\n").map(|p| p.1.to_owned()).unwrap_or_default();
    (status, body)
}

/// The value of one line of the metrics.
fn value(page: &str, name: &str) -> f64 {
    let line = page.lines().find(|l| l.strip_prefix(name).is_some_and(|r| r.starts_with(' ')));
    line.expect("the metric is there")
        .rsplit(' ')
        .next()
        .and_then(|v| v.parse().ok())
        .expect("a number")
}

#[test]
fn the_splitter_keeps_the_share_and_counts_what_a_dead_backend_costs() {
    let quick = ["service", "--median=0.002", "--error-share=0"];
    let (_v1, v1) = server(&[&quick[..], &["--version=1"]].concat(), 1);
    let (v2_process, v2) = server(&[&quick[..], &["--version=2"]].concat(), 1);
    let (_splitter, at) = server(&["splitter"], 2);
    let (traffic, control) = (at[0], at[1]);
    let backends = format!(
        r#"{{"baseline":{{"address":"{}","weight":90}},"canary":{{"address":"{}","weight":10}}}}"#,
        v1[0], v2[0]
    );
    assert_eq!(ask(control, "PUT", "/backends", &backends).0, 200);
    for _ in 0..200 {
        assert_eq!(ask(traffic, "GET", "/pay", "").0, 200);
    }
    let count = |at| value(&ask(at, "GET", "/metrics", "").1, r#"payments_total{result="ok"}"#);
    assert_eq!((count(v1[0]), count(v2[0])), (180.0, 20.0));

    assert_eq!(ask(control, "PUT", "/weights", r#"{"baseline":50,"canary":50}"#).0, 200);
    drop(v2_process);
    let bad = (0..40).filter(|_| ask(traffic, "GET", "/pay", "").0 == 502).count();
    assert_eq!(bad, 20);
    let page = ask(control, "GET", "/metrics", "").1;
    assert_eq!(value(&page, r#"splitter_no_answer_total{backend="canary"}"#), 20.0);
    assert_eq!(value(&page, r#"splitter_no_answer_total{backend="baseline"}"#), 0.0);
    assert_eq!(value(&page, r#"splitter_answers_total{backend="canary",code="5xx"}"#), 20.0);

    assert_eq!(ask(control, "PUT", "/weights", r#"{"canry":1}"#).0, 404);
    assert_eq!(ask(control, "PUT", "/weights", "half").0, 400);
}

#[test]
fn the_services_metrics_are_cumulative_and_tell_the_bug_from_errors() {
    let flags = ["service", "--version=1", "--median=0.002", "--bug-share=1", "--error-share=0"];
    let (_service, at) = server(&flags, 1);
    for _ in 0..20 {
        assert_eq!(ask(at[0], "GET", "/pay", "").0, 500);
    }
    let page = ask(at[0], "GET", "/metrics", "").1;
    assert_eq!(value(&page, r#"payments_total{result="null_pointer"}"#), 20.0);
    assert_eq!(value(&page, r#"payments_total{result="error"}"#), 0.0);
    assert_eq!(value(&page, r#"exceptions_total{kind="null_pointer"}"#), 20.0);
    let buckets: Vec<f64> = page
        .lines()
        .filter(|l| l.starts_with("payment_seconds_bucket"))
        .map(|l| l.rsplit(' ').next().and_then(|v| v.parse().ok()).expect("a number"))
        .collect();
    assert!(buckets.is_sorted(), "{buckets:?}");
    assert_eq!(buckets.last(), Some(&20.0));
    assert_eq!(value(&page, "payment_seconds_count"), 20.0);
}

#[test]
fn a_flag_moves_payments_between_two_behaviours_of_one_process() {
    let flags =
        ["service", "--version=1", "--flag", "--median=0.002", "--bug-share=1", "--error-share=0"];
    let (_service, at) = server(&flags, 1);
    let pay = |times: usize| (0..times).filter(|_| ask(at[0], "GET", "/pay", "").0 == 200).count();
    assert_eq!(pay(20), 0); // off at first: each meets the bug
    assert_eq!(ask(at[0], "PUT", "/flag", r#"{"share":1}"#).0, 200);
    assert_eq!(pay(20), 20);
    assert_eq!(ask(at[0], "PUT", "/flag", r#"{"share":2}"#).0, 400);
    assert_eq!(ask(at[0], "GET", "/flag", "").1, r#"{"share":1.0}"#);
    let page = ask(at[0], "GET", "/metrics", "").1;
    assert_eq!(value(&page, r#"payments_total{flag="on",result="ok"}"#), 20.0);
    assert_eq!(value(&page, r#"payments_total{flag="off",result="null_pointer"}"#), 20.0);
    assert_eq!(value(&page, r#"payments_total{flag="on",result="null_pointer"}"#), 0.0);
}

#[test]
fn a_small_pool_shows_under_load_only_and_mute_metrics_cost_no_payment() {
    let quick = ["service", "--version=1", "--error-share=0", "--spread=0.01"];
    let pool = ["--median=0.3", "--fault=pool", "--fault-level=2"];
    let (_pool, at) = server(&[&quick[..], &pool].concat(), 1);
    let at_once = |n: usize| -> usize {
        let threads: Vec<_> = (0..n)
            .map(|_| {
                let at = at[0];
                std::thread::spawn(move || ask(at, "GET", "/pay", "").0)
            })
            .collect();
        let answers = threads.into_iter().map(|t| t.join().expect("an answer"));
        answers.filter(|status| *status == 200).count()
    };
    assert_eq!(at_once(2), 2);
    assert_eq!(at_once(6), 2);
    let (_mute, at) = server(&[&quick[..], &["--median=0.002", "--fault=mute"]].concat(), 1);
    assert_eq!(ask(at[0], "GET", "/metrics", "").0, 503);
    assert_eq!(ask(at[0], "GET", "/pay", "").0, 200);
}

#[test]
fn a_crash_ends_the_process_and_warm_up_is_not_healthy() {
    let flags = ["service", "--version=1", "--warmup=0.6", "--fault=crash", "--fault-after=1.2"];
    let (mut service, at) = server(&flags, 1);
    assert_eq!(ask(at[0], "GET", "/health", "").0, 503);
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(ask(at[0], "GET", "/health", "").0, 200);
    let code = service.0.wait().expect("it ends").code();
    assert_eq!(code, Some(139));
}

/// Process ids of this program's runs whose command line names `mark`.
fn alive(mark: &Path) -> Vec<u32> {
    let mark = mark.to_str().expect("a plain path");
    let mut alive = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("Linux").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else { continue };
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(mark) && pid != std::process::id() {
            alive.push(pid);
        }
    }
    alive
}

/// All descendants of a process.
fn family(root: u32) -> Vec<u32> {
    let mut parents: BTreeMap<u32, u32> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").expect("Linux").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else { continue };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat.rsplit(") ").next().and_then(|r| r.split(' ').nth(1));
        if let Some(parent) = parent.and_then(|p| p.parse().ok()) {
            parents.insert(pid, parent);
        }
    }
    let mut family = vec![root];
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        family.extend(parents.iter().filter(|p| *p.1 == parent).map(|p| *p.0));
        next += 1;
    }
    family.remove(0);
    family
}

fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|r| !r.is_empty() && !r.starts_with('Z'))
}

/// Starts a demo, waits until all kinds of processes run, sends the signal, and gives the demo's
/// exit code and those that are alive afterwards.
fn end_demo_by(signal: &str) -> (Option<i32>, Vec<u32>) {
    let folder = tempfile::tempdir().expect("a folder");
    let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/lab.toml");
    let out = format!("--out={}", folder.path().display());
    let policy = format!("--policy={policy}");
    let mut demo = start(&["demo", "--scene=good,errors", "--rate=300", &out, &policy]);
    let begun = Instant::now();
    let mut children = Vec::new();
    // For each scene: splitter, two versions, load, driver.
    while children.len() < 10 && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(100));
        children = family(demo.0.id());
    }
    assert!(children.len() >= 10, "only {} children after 60 s", children.len());
    let sent = Command::new("kill").args([signal, &demo.0.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
    let code = demo.0.wait().expect("it ends").code();
    if code.is_none() {
        // After SIGKILL the demo cannot wait for its children; the kernel kills them a little later.
        std::thread::sleep(Duration::from_millis(500));
    }
    let mut left: Vec<u32> = children.into_iter().filter(|pid| runs(*pid)).collect();
    left.extend(alive(folder.path()));
    (code, left)
}

/// Runs one scene and gives the exit code and what was said.
fn scene(name: &str, limit: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_canary_lab"))
        .args(["demo", "--rate=300"])
        .arg(format!("--scene={name}"))
        .arg(format!("--limit={limit}"))
        .arg(format!("--out={}", folder.path().display()))
        .arg(concat!("--policy=", env!("CARGO_MANIFEST_DIR"), "/policies/lab.toml"))
        .output()
        .expect("runs");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn plan_1_an_idle_side_that_does_not_pass_gets_no_traffic() {
    let (code, said) = scene("unfit", "60");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("passed  unfit"), "{said}");
}

#[test]
fn a_scene_that_does_not_end_as_it_must_costs_the_exit_code() {
    let (code, said) = scene("unfit", "0.2");
    // Other tests may keep the machine busy.
    let (code_due, mark) = if said.contains("is unclear, because the machine was busy") {
        (3, "BUSY")
    } else {
        (1, "FAILED")
    };
    assert_eq!(code, Some(code_due), "{said}");
    assert!(said.contains(&format!("{mark:<6}  unfit")), "{said}");
    assert!(said.contains("not finished after 0.2 s"), "{said}");
}

#[test]
fn a_scene_that_the_machine_disturbs_is_repeated_and_costs_an_exit_code_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = format!("--out={}", folder.path().display());
    let policy = concat!("--policy=", env!("CARGO_MANIFEST_DIR"), "/policies/lab.toml");
    let flags = ["demo", "--scene=unfit", "--rate=300", "--limit=0.2", &out, policy];
    let mut demo = start(&flags);
    let pid = demo.0.id().to_string();
    let signal = |signal: &str| {
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.expect("kill runs").success());
    };
    let mut said = BufReader::new(demo.0.stdout.take().expect("an output")).lines();
    let (mut first, mut earlier) = (String::new(), Vec::new());
    for attempt in ["first", "second"] {
        let begun = Instant::now();
        // Splitter, service and load run; the driver is not there yet.
        let children = loop {
            let children = family(demo.0.id());
            if children.iter().filter(|pid| !earlier.contains(*pid)).count() >= 3 {
                break children;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "the {attempt} attempt");
            std::thread::sleep(Duration::from_millis(20));
        };
        // The demo itself gets no processor for a while, and its timers are late.
        signal("-STOP");
        std::thread::sleep(Duration::from_millis(2_200));
        signal("-CONT");
        earlier = children;
        if attempt == "first" {
            first = said.next().expect("a line").expect("text");
        }
    }
    let rest = said.map(|line| line.expect("text")).collect::<Vec<_>>().join("\n");
    assert_eq!(demo.0.wait().expect("it ends").code(), Some(3), "{first}\n{rest}");
    assert!(first.starts_with("BUSY    unfit"), "{first}");
    assert!(first.ends_with("it is repeated at the end"), "{first}");
    assert!(rest.contains("; repeated: the machine was busy for "), "{rest}");
    assert!(
        rest.contains(
            "The result of 1 of 1 scenes is unclear, because the machine was busy: unfit."
        ),
        "{rest}"
    );
    let report = std::fs::read_to_string(folder.path().join("report.json")).expect("a report");
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["conclusion"], "disturbed");
    let busy = report["scenes"][0]["repeated"]["busy_seconds"].as_u64().expect("a number");
    assert!(busy >= 2, "{busy}");
}

#[test]
fn nothing_outlives_ctrl_c() {
    assert_eq!(end_demo_by("-INT"), (Some(130), vec![]));
}

#[test]
fn nothing_outlives_sigterm() {
    assert_eq!(end_demo_by("-TERM"), (Some(130), vec![]));
}

#[test]
fn nothing_outlives_sigkill() {
    assert_eq!(end_demo_by("-KILL"), (None, vec![]));
}

#[test]
fn a_child_of_a_dead_parent_does_not_start() {
    let output = Command::new(env!("CARGO_BIN_EXE_canary_lab"))
        .args(["--die-with=1", "service", "--version=1"])
        .output()
        .expect("runs");
    // The test's own parent may be process 1 in a container; then the child is its, and not 1's.
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("has ended"));
}
