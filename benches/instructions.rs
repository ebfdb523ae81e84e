//! Instruction counts compared with committed figures: a check that other load cannot disturb.
//!
//! `instructions check` compares with `baseline.json`, `instructions bless` rewrites it, and
//! `instructions run NAME` is what both start under valgrind.

use hotfix_benches::simulated::{PLAIN, campaign};
use hotfix_benches::story::{Story, count_test, proportion_test, quiet};
use hotfix_core::canonical::{Encoder, verify_line};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Recording, Rollout};
use hotfix_core::stats::Counts;
use hotfix_core::stats::rate_ratio::RateRatioSettings;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

type Region = (&'static str, fn() -> Prepared);

type Prepared = Result<Work, Box<dyn Error>>;

/// Work whose instructions are counted. Returns a number above zero if it was done.
type Work = Box<dyn FnMut() -> usize>;

const DEFAULT: fn() -> RateRatioSettings = RateRatioSettings::default;

/// The regions that are counted: a name, and the function that prepares the work. One line each.
const REGIONS: &[Region] = &[
    ("encode_event", encode_event),
    ("seal_event", seal_event),
    ("seal_event_sorting", seal_event_sorting),
    ("verify_line", verify_one_line),
    ("observe", || observe(Recording::Off)),
    ("observe_25", || observe_25(0.1)),
    ("observe_25_other_splits", || observe_25(0.101)),
    ("observe_and_log", || observe(Recording::HandOut)),
    ("update_split_unchanged", || update(1800.0, &DEFAULT())),
    ("update_split_changed", || update(1801.0, &DEFAULT())),
    ("update_capped", || update(1800.0, &RateRatioSettings { cap: Some(1.5), ..DEFAULT() })),
    ("update_horizon", || update(1800.0, &RateRatioSettings { horizon: Some(90), ..DEFAULT() })),
    ("update_at_decision", at_decision),
    ("bernoulli", || bernoulli(1.0)),
    ("bernoulli_tolerated", || bernoulli(1.25)),
    ("replay_log", replay_log),
    ("replay_1000_events", replay_1000_events),
    ("fold_1000_decoded", fold_1000_decoded),
    ("simulate_20_runs", simulate_20_runs),
    ("power_standard", power_standard),
];

#[expect(clippy::unnecessary_wraps, reason = "the table has one shape")]
fn encode_event() -> Prepared {
    let (mut encoder, mut out) = (Encoder::new(), Vec::new());
    let event = hotfix_benches::event(17);
    Ok(Box::new(move || {
        out.clear();
        encoder.encode(&event, &mut out).map_or(0, |()| out.len())
    }))
}

fn seal_event() -> Prepared {
    seal(hotfix_benches::event(17))
}

fn seal_event_sorting() -> Prepared {
    seal(hotfix_benches::unsorted(17))
}

#[expect(clippy::unnecessary_wraps, reason = "the table has one shape")]
fn seal(event: impl serde::Serialize + 'static) -> Prepared {
    let (mut encoder, mut out) = (Encoder::new(), Vec::new());
    Ok(Box::new(move || {
        out.clear();
        encoder.seal(&event, &mut out).map_or(0, |_| out.len())
    }))
}

fn verify_one_line() -> Prepared {
    let mut line = Vec::new();
    Encoder::new().seal(&hotfix_benches::event(17), &mut line)?;
    Ok(Box::new(move || usize::from(verify_line(&line).is_ok())))
}

fn observe(recording: Recording) -> Prepared {
    let (mut story, input) = (Story::monitoring(recording)?, quiet(0.1)?);
    Ok(Box::new(move || story.tick(&input).map_or(0, |logged| logged + 1)))
}

/// A sequence of ticks: most change little, some fit the latency test's alternatives again. Every
/// other one has the traffic of this share.
fn observe_25(other: f64) -> Prepared {
    let (start, inputs) = (Story::monitoring(Recording::Off)?, [quiet(0.1)?, quiet(other)?]);
    let mut stories = vec![start; WARM as usize + 1].into_iter();
    let mut kept = Vec::new();
    Ok(Box::new(move || {
        let Some(mut story) = stories.next() else { return 0 };
        let taken = (0..25).filter(|tick| story.tick(&inputs[tick % 2]).is_ok()).count();
        kept.push(story); // Freed after the counting.
        taken
    }))
}

/// The last update, which is counted, has this many trials in its baseline.
fn update(last: f64, settings: &RateRatioSettings) -> Prepared {
    let (design, mut test) = count_test(settings)?;
    let mut ticks = 0;
    Ok(Box::new(move || {
        ticks += 1;
        let trials = if ticks > WARM { last } else { 1800.0 };
        let updated = test.update(&design, Counts::new(1.0, 200.0), Counts::new(5.0, trials));
        usize::from(updated.is_ok())
    }))
}

/// An update after which the bounds do not settle whether the test has crossed.
fn at_decision() -> Prepared {
    // 3.54 by the bound, 4.18 exactly, 4.61 decides.
    let (canary, baseline) = (Counts::new(5.0, 200.0), Counts::new(5.0, 1800.0));
    let (design, fresh) = count_test(&DEFAULT())?;
    Ok(Box::new(move || {
        let mut test = fresh;
        usize::from(test.update(&design, canary, baseline) == Ok(false))
    }))
}

/// One tick of a proportion of 15%, with another split than the tick before.
fn bernoulli(tolerated: f64) -> Prepared {
    let (design, mut test) = proportion_test(tolerated)?;
    let mut trials = 900.0;
    Ok(Box::new(move || {
        trials += 1.0;
        let updated = test.update(&design, Counts::new(16.0, 100.0), Counts::new(130.0, trials));
        usize::from(updated.is_ok())
    }))
}

/// A plan's power analysis under the preset that takes longest.
fn power_standard() -> Prepared {
    let plan = Plan::from_json(
        Arc::new(Policy::preset("standard")?),
        r#"{"id": "INC-2041"}"#,
        r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
        r#"{"requests_per_minute": 1000}"#,
    )?;
    Ok(Box::new(move || plan.power().advice.len() + 1))
}

fn replay_log() -> Prepared {
    let log = Story::log()?;
    Ok(Box::new(move || usize::from(Rollout::replay(log.as_bytes(), Recording::HandOut).is_ok())))
}

fn replay_1000_events() -> Prepared {
    let log = Story::long_log(1000)?;
    Ok(Box::new(move || usize::from(Rollout::replay(log.as_bytes(), Recording::HandOut).is_ok())))
}

/// A replay of lines that are read and verified already.
fn fold_1000_decoded() -> Prepared {
    let fold = Rollout::reading(Story::long_log(1000)?.as_bytes())?;
    let mut folds = vec![fold; WARM as usize + 1].into_iter();
    Ok(Box::new(move || folds.next().map_or(0, |fold| usize::from(fold().is_ok()))))
}

/// Twenty rollouts of sixty ticks, traffic and all.
fn simulate_20_runs() -> Prepared {
    let campaign = campaign(PLAIN)?;
    Ok(Box::new(move || usize::try_from(campaign.tally(0..20).runs()).unwrap_or_default()))
}

/// How often the work is done before it is counted.
const WARM: u32 = 3;

/// Relative change from the committed figure: above it the check fails, below minus it prints a
/// note.
const TOLERANCE: f64 = 0.02;

/// The function that callgrind collects in.
#[expect(clippy::no_mangle_with_rust_abi, reason = "valgrind needs the name, nobody links it")]
#[unsafe(no_mangle)]
#[inline(never)]
fn hotfix_region(work: &mut Work) -> usize {
    work()
}

fn run(name: &str) -> Result<(), Box<dyn Error>> {
    let (_, prepare) =
        REGIONS.iter().find(|region| region.0 == name).ok_or(format!("no region `{name}`"))?;
    let mut work = prepare()?;
    for _ in 0..WARM {
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
        println!("{gone}: baseline.json has it, but the region does not exist: run `make bless`");
        good = false;
    }
    if bless {
        std::fs::write(&path, serde_json::to_string_pretty(&new)? + "\n")?;
        println!("wrote baseline.json");
        return Ok(true);
    }
    if !good && old.rustc != new.rustc {
        println!("the committed figures are for {}, this is {}", old.rustc, new.rustc);
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
