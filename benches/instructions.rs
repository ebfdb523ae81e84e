//! Instruction counts against committed figures: the check that a busy machine cannot blur.
//!
//! `instructions check` compares with `baseline.json`, `instructions bless` rewrites it, and
//! `instructions run NAME` is what both start under valgrind.

use hotfix_core::canonical::{Encoder, verify_line};
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

type Work = Box<dyn FnMut() -> usize>;

/// What is counted: a name, and what prepares the work. One line each.
const REGIONS: &[(&str, fn() -> Work)] = &[
    ("encode_event", encode_event),
    ("seal_event", seal_event),
    ("seal_event_sorting", seal_event_sorting),
    ("verify_line", verify_one_line),
];

fn encode_event() -> Work {
    let (mut encoder, mut out) = (Encoder::new(), Vec::new());
    let event = hotfix_benches::event(17);
    Box::new(move || {
        out.clear();
        encoder.encode(&event, &mut out).map_or(0, |()| out.len())
    })
}

fn seal_event() -> Work {
    seal(hotfix_benches::event(17))
}

fn seal_event_sorting() -> Work {
    seal(hotfix_benches::unsorted(17))
}

fn seal(event: impl serde::Serialize + 'static) -> Work {
    let (mut encoder, mut out) = (Encoder::new(), Vec::new());
    Box::new(move || {
        out.clear();
        encoder.seal(&event, &mut out).map_or(0, |_| out.len())
    })
}

fn verify_one_line() -> Work {
    let mut line = Vec::new();
    let sealed = Encoder::new().seal(&hotfix_benches::event(17), &mut line).is_ok();
    Box::new(move || usize::from(sealed && verify_line(&line).is_ok()))
}

/// Above this share of the committed figure the check fails; below it, it says so.
const TOLERANCE: f64 = 0.02;

/// The function that callgrind collects in.
#[unsafe(no_mangle)]
#[inline(never)]
fn hotfix_region(work: &mut Work) -> usize {
    work()
}

fn run(name: &str) -> Result<(), Box<dyn Error>> {
    let (_, prepare) =
        REGIONS.iter().find(|region| region.0 == name).ok_or(format!("no region `{name}`"))?;
    let mut work = prepare();
    for _ in 0..3 {
        work(); // buffers warm, symbols resolved
    }
    if hotfix_region(&mut work) == 0 {
        return Err(format!("the work of `{name}` failed").into());
    }
    Ok(())
}

/// Instructions of one region.
fn count(name: &str) -> Result<u64, Box<dyn Error>> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=hotfix_region"])
        .arg("--callgrind-out-file=/dev/null")
        .arg(std::env::current_exe()?)
        .args(["run", name])
        .output()
        .map_err(|error| format!("valgrind does not start ({error}): install valgrind"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("region `{name}` failed under valgrind:\n{text}").into());
    }
    let collected = text.lines().find_map(|line| line.split_once("Collected :"));
    let (_, figure) = collected.ok_or(format!("valgrind printed no figure:\n{text}"))?;
    match figure.trim().parse() {
        Ok(0) | Err(_) => Err(format!("valgrind collected nothing for `{name}`:\n{text}").into()),
        Ok(count) => Ok(count),
    }
}

fn rustc() -> String {
    let version = Command::new("rustc").arg("--version").output();
    let text = version.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
    text.unwrap_or_default().split(" (").next().unwrap_or_default().to_owned()
}

/// The committed figures.
#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Baseline {
    regions: BTreeMap<String, u64>,
    /// Another compiler may count differently.
    rustc: String,
}

fn baseline() -> Result<(PathBuf, Baseline), Box<dyn Error>> {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| "benches".to_owned());
    let path = Path::new(&root).join("baseline.json");
    let read = match std::fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(_) => Baseline::default(),
    };
    Ok((path, read))
}

fn check(bless: bool) -> Result<bool, Box<dyn Error>> {
    let (path, old) = baseline()?;
    let mut new = Baseline { rustc: rustc(), ..Baseline::default() };
    let mut good = true;
    println!("{:<24}{:>12}{:>12}{:>9}", "region", "committed", "now", "change");
    for (name, _) in REGIONS {
        let now = count(name)?;
        let before = old.regions.get(*name).copied();
        let change = before.map(|before| now as f64 / before as f64 - 1.0);
        let verdict = match change {
            None => "new: run `make bless`",
            Some(change) if change > TOLERANCE => "MORE than allowed",
            Some(change) if change < -TOLERANCE => "far less: run `make bless` to keep it",
            Some(_) => "",
        };
        good &= change.is_some_and(|change| change <= TOLERANCE);
        let shown = |figure: Option<String>| figure.unwrap_or_else(|| "-".to_owned());
        let before = shown(before.map(|figure| figure.to_string()));
        let change = shown(change.map(|change| format!("{:+.2}%", 100.0 * change)));
        println!("{name:<24}{before:>12}{now:>12}{change:>9}  {verdict}");
        new.regions.insert((*name).to_owned(), now);
    }
    for gone in old.regions.keys().filter(|name| !new.regions.contains_key(*name)) {
        println!("{gone}: in baseline.json, but no such region: run `make bless`");
        good = false;
    }
    if bless {
        std::fs::write(&path, serde_json::to_string_pretty(&new)? + "\n")?;
        println!("wrote baseline.json");
        return Ok(true);
    }
    if !good && old.rustc != new.rustc {
        println!("the figures were taken with {}, this is {}", old.rustc, new.rustc);
    }
    Ok(good)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["check"] => check(false),
        ["bless"] => check(true),
        ["run", name] => run(name).map(|()| true),
        _ => Err("usage: instructions check | bless | run NAME".into()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("instructions: {error}");
            ExitCode::FAILURE
        }
    }
}
