//! Chapters on whole rollouts of services as they are. The laws and limits are in `cells.rs`.

mod cells;
mod kayenta;
mod rollout;
mod service;
mod world;

use std::collections::BTreeMap;

use hotfix_core::stats::StatError;

use crate::random::Random;
use crate::report::{Limit, Report, Sheet};
use crate::runner;
use crate::tally::{Delays, Estimate};

use cells::{Cell, Faults};
use rollout::{Preset, Rollouts, Seen};
use service::Fault;
use world::World;

const SEED: u64 = 40_000;
/// Added to the seeds of the rollouts for the seeds of their histories.
const SEED_OF_HISTORIES: u64 = 90_000;

const ERRORS: Fault = Fault { errors: 5.0, ..Fault::NONE };
const SLOWER: Fault = Fault { latency: 1.5, ..Fault::NONE };
const TWICE: Fault = Fault { latency: 2.0, ..Fault::NONE };

/// How many rollouts are tried.
#[derive(Clone, Copy)]
struct Effort {
    healthy: u32,
    faulty: u32,
    histories: u32,
}

impl Effort {
    fn new(report: &Report) -> Self {
        if report.is_quick() {
            Self { healthy: 3, faulty: 3, histories: 1 }
        } else {
            Self { healthy: 100, faulty: 40, histories: 4 }
        }
    }
}

/// The readings of errors that the judge gets.
#[derive(Clone, Copy, PartialEq)]
enum Known {
    /// The sums of both arms, without a history.
    Sums,
    /// The sums of both arms, and those of the live version for a while before the start.
    Before,
    /// Counts of each instance, without a history.
    Instances,
    /// Counts of each instance, and one of so many histories.
    History(u32),
}

impl Known {
    const fn words(self) -> &'static str {
        match self {
            Self::Sums => "without history",
            Self::Before => "without history, read before the start",
            Self::Instances => "without history, by instance",
            Self::History(_) => "with history",
        }
    }

    const fn with_history(self) -> bool {
        matches!(self, Self::History(_))
    }
}

/// A cell at one traffic, with its plans: several where there is a history.
struct Tried {
    of: String,
    world: World,
    preset: Preset,
    plans: Vec<Rollouts>,
    known: Known,
    seed: u64,
}

impl Tried {
    /// None if this world is not to be tried.
    fn new(
        report: &Report,
        name: &str,
        (world, preset): (World, Preset),
        known: Known,
        seed: &mut u64,
    ) -> Option<Self> {
        *seed += 10;
        let seed = *seed;
        let evidence =
            if preset == Preset::PhasedEvidence { "evidence of `phased-canary`, " } else { "" };
        let of = format!("{evidence}{name}, {} a minute, {}", world.requests, known.words());
        if !report.tries(&of) {
            return None;
        }
        let plans = match known {
            Known::Sums => vec![Rollouts::new(&world, preset, false, None)],
            Known::Before => vec![Rollouts::new(&world, preset, false, None).read_before()],
            Known::Instances => vec![Rollouts::new(&world, preset, true, None)],
            Known::History(count) => runner::all(count, |run| {
                let random = Random::new(SEED_OF_HISTORIES + seed, run);
                Rollouts::new(&world, preset, true, Some(random))
            }),
        };
        Some(Self { of, world, preset, plans, known, seed })
    }

    /// Runs with a common history are neighbours.
    fn run(&self, fault: Fault, runs: u32, seed: u64) -> Vec<Seen> {
        let group = self.group(runs as usize);
        runner::all(runs, |run| self.plans[run as usize / group].run(fault, self.seed + seed, run))
    }

    /// In how many rollouts a Kayenta-compatible judge fails the canary. It reads no history, and what begins
    /// late is not compared.
    fn kayenta(&self, fault: Fault, runs: u32) -> String {
        if self.known != Known::Sums || fault.after > 0 {
            return String::new();
        }
        let config = kayenta::config();
        let failed = runner::all(runs, |run| {
            kayenta::failed(&config, &self.world, fault, Random::new(self.seed + 4, run))
        });
        let failed = failed.into_iter().filter(|failed| *failed).count();
        format!("{:.2}", Estimate::share(failed, runs as usize).value)
    }

    fn group(&self, runs: usize) -> usize {
        runs.div_ceil(self.plans.len())
    }

    fn share(&self, seen: &[Seen], of: impl Fn(&Seen) -> bool) -> Estimate {
        let hits: Vec<bool> = seen.iter().map(of).collect();
        if self.plans.len() > 1 {
            Estimate::grouped_share(&hits, self.group(seen.len()))
        } else {
            Estimate::share(hits.iter().filter(|hit| **hit).count(), hits.len())
        }
    }
}

/// Healthy rollouts: a row of figures, and claims.
fn healthy(report: &mut Report, tried: &Tried, runs: u32) -> [String; 5] {
    let seen = tried.run(Fault::NONE, runs, 0);
    let mut claim = |what: &str, figure: Estimate, limit: Limit, digits: usize| {
        report.claim(&format!("{}: {what}", tried.of), figure, limit, digits)
    };
    let gone = tried.share(&seen, |seen| seen.rolled_back.is_some());
    let gone = if tried.preset == Preset::Phased {
        let silent = f64::from(!tried.plans[0].says_missed_by_chance());
        let silent = Estimate { value: silent, error: 0.0 };
        claim(
            "plans that do not name the bounds that chance misses",
            silent,
            Limit::AtMost(0.0),
            0,
        );
        format!("{gone:.3}")
    } else {
        let most = cells::ROLLED_BACK[usize::from(tried.known.with_history())];
        claim("rolled back", gone, Limit::Calibrated(most), 3)
    };
    let asked = tried.share(&seen, |seen| seen.asked);
    let asked = claim("asked", asked, Limit::Calibrated(cells::ASKED), 3);
    let doubted = seen.iter().filter(|seen| seen.doubted_arms).count();
    let doubted = Estimate { value: doubted as f64, error: 0.0 };
    claim("asked about the arms", doubted, Limit::AtMost(0.0), 0);
    let done = Delays::new(seen.iter().map(|seen| seen.done).collect()).median();
    let done = done.map_or_else(|| "–".into(), |done| format!("{:.0}", done.value / 60.0));
    [gone, asked, done, tried.kayenta(Fault::NONE, runs), reasons(&seen)]
}

/// The most frequent causes of rollbacks and of questions.
fn reasons(seen: &[Seen]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for seen in seen {
        if let Some(why) = &seen.why {
            let what = if seen.rolled_back.is_some() { "back" } else { "asked" };
            *counts.entry(format!("{what} {why}")).or_default() += 1;
        }
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let words: Vec<String> =
        counts.iter().take(4).map(|(why, count)| format!("{why} {count}")).collect();
    words.join("; ")
}

/// The median seconds to a rollback.
fn median(seen: &[Seen]) -> Estimate {
    let delays = Delays::new(seen.iter().map(|seen| seen.rolled_back).collect());
    delays.median().unwrap_or(Estimate { value: f64::INFINITY, error: 0.0 })
}

/// Medians of the quiet world by traffic, without and with a history.
type Quiet = [[f64; 2]; 2];

fn quiet(report: &Report, effort: Effort, seed: &mut u64) -> Quiet {
    let Cell { name, world, preset, .. } = cells::STATED[0];
    cells::TRAFFIC.map(|requests| {
        [Known::Sums, Known::History(effort.histories)].map(|known| {
            let what = (World { requests, ..world }, preset);
            Tried::new(report, name, what, known, seed).map_or(f64::INFINITY, |tried| {
                median(&tried.run(ERRORS, effort.faulty.max(5), 1)).value
            })
        })
    })
}

/// One fault: a row of figures, and a claim.
fn faulty(
    report: &mut Report,
    tried: &Tried,
    (fault, what, limit): (Fault, &str, f64),
    runs: u32,
) -> [String; 5] {
    let seen = tried.run(fault, runs, if fault.latency > 1.6 { 3 } else { 2 });
    let found = tried.share(&seen, |seen| seen.rolled_back.is_some());
    let delay = median(&seen);
    let delay = Estimate { value: delay.value / 60.0, error: delay.error / 60.0 };
    // A median of few runs may be far from the true one.
    let grace = if report.is_quick() { 2.0 } else { 1.0 };
    let found = format!("{:.2}", found.value);
    let noisy = fault == ERRORS && tried.world.errors_are_noisy();
    // The limits of a latency differ by history, and a quick run has one.
    let lone = fault.latency > 1.0 && tried.known == Known::History(1);
    let (delay, limit) = if noisy || lone || limit.is_infinite() {
        (format!("{delay:.1}"), "–".to_owned())
    } else {
        let limit = (grace * limit / 6.0).round() / 10.0;
        let of = format!("{}: minutes until {what} is found", tried.of);
        (report.claim(&of, delay, Limit::AtMost(limit), 1), format!("{limit:.1}"))
    };
    [found, delay, limit, tried.kayenta(fault, runs), reasons(&seen)]
}

/// Slower fixes, with the seconds in which each is to be found at this traffic.
const fn slower(place: usize) -> [(Fault, &'static str, f64); 2] {
    [
        (SLOWER, "1.5 × slower", cells::SLOWER_FOUND[place]),
        (TWICE, "2 × slower", cells::TWICE_FOUND),
    ]
}

/// A table of [`healthy`] rollouts, whose rows begin with these columns.
fn healthy_sheet(cell: &[&str]) -> Sheet {
    let figures = ["rolled back", "asked", "done after, min", "Kayenta", "causes"];
    Sheet::new(&[cell, &figures].concat())
}

/// A table of [`faulty`] rollouts, whose rows begin with these columns.
fn faulty_sheet(cell: &[&str]) -> Sheet {
    let figures = ["found", "median min", "wanted", "Kayenta", "causes"];
    Sheet::new(&[cell, &figures].concat())
}

/// The tables of a list of cells.
fn tables(report: &mut Report, cells: &[Cell], effort: Effort, quiet: &Quiet, seed: &mut u64) {
    let mut well = healthy_sheet(&["world", "requests a minute", "history"]);
    let mut ill = faulty_sheet(&["world", "requests a minute", "history", "fault"]);
    for cell in cells {
        for (place, requests) in cells::TRAFFIC.into_iter().enumerate() {
            for known in [Known::Sums, Known::History(effort.histories)] {
                let world = World { requests, ..cell.world };
                let what = (world, cell.preset);
                let Some(tried) = Tried::new(report, cell.name, what, known, seed) else {
                    continue;
                };
                let history = if known.with_history() { "yes" } else { "no" };
                let heads = [cell.name.to_owned(), requests.to_string(), history.to_owned()];
                let row = healthy(report, &tried, effort.healthy);
                well.row(&[&heads[..], &row].concat());
                let in_quiet = quiet[place][usize::from(known.with_history())];
                let mut faults = Vec::new();
                if matches!(cell.faults, Faults::Errors | Faults::Both) {
                    faults.push((ERRORS, "5 × errors", cells::errors_found(&world, in_quiet)));
                }
                if matches!(cell.faults, Faults::Latency | Faults::Both) {
                    faults.extend(slower(place));
                }
                for fault in faults {
                    let row = faulty(report, &tried, fault, effort.faulty);
                    ill.row(&[&heads[..], &[fault.1.to_owned()], &row].concat());
                }
            }
        }
    }
    report.put(&well);
    report.say("Faults from the canary's first request on.");
    report.put(&ill);
}

/// Chapter on the worlds that were asked for, and on those that were added to them.
#[expect(clippy::unnecessary_wraps, reason = "chapters are listed as functions of one type")]
pub(crate) fn rollouts(report: &mut Report) -> Result<(), StatError> {
    let effort = Effort::new(report);
    let mut seed = SEED;
    let quiet = quiet(report, effort, &mut seed);
    report.chapter("Whole rollouts");
    report.say(&format!(
        "{} healthy rollouts a row, {} with a fault; with a history they share {} histories. Seeds \
         {SEED} on, those of histories {} on.",
        effort.healthy,
        effort.faulty,
        effort.histories,
        SEED + SEED_OF_HISTORIES
    ));
    report.section("The worlds that were asked for");
    tables(report, &cells::STATED, effort, &quiet, &mut seed);
    phased(report, effort, &mut seed);
    feeds(report, effort, &quiet, &mut seed);
    report.section("Other worlds");
    tables(report, &cells::OWN, effort, &quiet, &mut seed);
    by_instance(report, effort, &quiet, &mut seed);
    smaller(report, effort, &mut seed);
    at_all(report, effort, &mut seed);
    before(report, effort, &quiet, &mut seed);
    late(report, effort, &mut seed);
    report.section("Slow requests of one client");
    tables(report, &cells::SLOW_CLIENT, effort, &quiet, &mut seed);
    Ok(())
}

/// Chapter on the worlds that were kept for the end.
#[expect(clippy::unnecessary_wraps, reason = "chapters are listed as functions of one type")]
pub(crate) fn kept(report: &mut Report) -> Result<(), StatError> {
    let effort = Effort::new(report);
    let mut seed = SEED + 20_000;
    let quiet = quiet(report, effort, &mut seed);
    report.chapter("Worlds kept for the end");
    report.say(
        "These worlds were written down before the first run, and first run on 25 November 2026: 23 of their \
         258 claims were missed, among them ten to 24 of 100 rolled back where both arms are twice as slow, \
         some of them beside a live version. After that two things were changed: the rollback bound of a latency \
         waits where the live version is about as slow as the bound, and `standard` watches its phases for other \
         times. This is the run after it.",
    );
    tables(report, &cells::KEPT, effort, &quiet, &mut seed);
    Ok(())
}

/// `phased-canary`: its evidence in the stated worlds, and all of it in one.
fn phased(report: &mut Report, effort: Effort, seed: &mut u64) {
    report.section("`phased-canary`");
    let mut sheet = healthy_sheet(&["world", "requests a minute"]);
    let evidence = cells::STATED.iter().filter(|cell| cell.preset == Preset::Standard(250));
    let evidence = evidence.map(|cell| Cell { preset: Preset::PhasedEvidence, ..*cell });
    for cell in evidence.chain([cells::AT_REFERENCE]) {
        for requests in cells::TRAFFIC {
            let world = World { requests, ..cell.world };
            let what = (world, cell.preset);
            let Some(tried) = Tried::new(report, cell.name, what, Known::Sums, seed) else {
                continue;
            };
            let row = healthy(report, &tried, effort.healthy);
            sheet.row(&[&[cell.name.to_owned(), requests.to_string()][..], &row].concat());
        }
    }
    report.put(&sheet);
}

/// What counts by instance are worth without a history, where errors are those of one client or of
/// new instances.
fn by_instance(report: &mut Report, effort: Effort, quiet: &Quiet, seed: &mut u64) {
    report.section("Counts by instance, without a history");
    report.say(
        "The worlds with errors of clients and of new instances. The tables above without a history \
         have the sums of both arms.",
    );
    let mut well = healthy_sheet(&["world", "requests a minute"]);
    let mut ill = faulty_sheet(&["world", "requests a minute"]);
    let with_errors = |cell: &&Cell| matches!(cell.faults, Faults::Errors | Faults::Both);
    for cell in cells::STATED.iter().chain(&cells::OWN).filter(with_errors) {
        for (at, requests) in cells::TRAFFIC.into_iter().enumerate() {
            let world = World { requests, ..cell.world };
            let what = (world, cell.preset);
            let Some(tried) = Tried::new(report, cell.name, what, Known::Instances, seed) else {
                continue;
            };
            let heads = [cell.name.to_owned(), requests.to_string()];
            well.row(&[&heads[..], &healthy(report, &tried, effort.healthy)].concat());
            let limit = cells::errors_found(&world, quiet[at][0]);
            let row = faulty(report, &tried, (ERRORS, "5 × errors", limit), effort.faulty);
            ill.row(&[&heads[..], &row].concat());
        }
    }
    report.put(&well);
    report.say("Five times the errors from the canary's first request on.");
    report.put(&ill);
}

/// How often smaller faults are found before the last phase has passed, and what other phases would
/// change.
fn smaller(report: &mut Report, effort: Effort, seed: &mut u64) {
    report.section("Smaller faults, and the phases of `standard`");
    report.say(
        "The quiet world without a history. 'Half for 30 min': half the traffic for 30 minutes instead \
         of 23, and all of it for 10 instead of 17.",
    );
    let mut sheet = Sheet::new(&[
        "phases",
        "requests a minute",
        "fault",
        "found",
        "median min of those found",
        "causes",
    ]);
    let Cell { name, world, preset, .. } = cells::STATED[0];
    for (phases, preset) in [("as they are", preset), ("half for 30 min", Preset::LongHalf)] {
        for requests in cells::TRAFFIC {
            let what = (World { requests, ..world }, preset);
            let Some(tried) = Tried::new(report, name, what, Known::Sums, seed) else { continue };
            for (number, errors) in (4..).zip([1.0, 1.5, 2.0, 3.0]) {
                let fault = Fault { errors, ..Fault::NONE };
                let seen = tried.run(fault, effort.healthy, number);
                let found = tried.share(&seen, |seen| seen.rolled_back.is_some());
                let mut delays: Vec<u32> =
                    seen.iter().filter_map(|seen| seen.rolled_back).collect();
                delays.sort_unstable();
                let median = delays.get(delays.len() / 2).filter(|_| errors > 1.0);
                sheet.row(&[
                    phases.to_owned(),
                    requests.to_string(),
                    if errors > 1.0 { format!("{errors} × errors") } else { "none".to_owned() },
                    format!("{found:.3}"),
                    median.map_or_else(|| "–".into(), |s| format!("{:.0}", f64::from(*s) / 60.0)),
                    reasons(&seen),
                ]);
            }
        }
    }
    report.put(&sheet);
}

/// Whether a cell's world has no noise of errors, and all faults are tried in it.
fn is_steady(cell: &Cell) -> bool {
    cell.faults == Faults::Both && !cell.world.errors_are_noisy()
}

/// Faults that begin where no live version is left: bounds alone find them.
fn at_all(report: &mut Report, effort: Effort, seed: &mut u64) {
    report.section("Faults that begin with all of the traffic");
    report.say("Thirty times the errors. Minutes from then on; without a history.");
    let mut sheet = faulty_sheet(&["world", "requests a minute", "counts"]);
    let fault = Fault { errors: 30.0, from: 1.0, ..Fault::NONE };
    for cell in cells::STATED.iter().chain(&cells::OWN).filter(|cell| is_steady(cell)) {
        for requests in cells::TRAFFIC {
            for (known, counts) in [(Known::Sums, "sums"), (Known::Instances, "by instance")] {
                let what = (World { requests, ..cell.world }, cell.preset);
                let name = format!("{}, from all of the traffic on", cell.name);
                let Some(tried) = Tried::new(report, &name, what, known, seed) else { continue };
                let fault = (fault, "30 × errors", cells::AT_ALL_FOUND);
                let row = faulty(report, &tried, fault, effort.faulty);
                let heads = [cell.name.to_owned(), requests.to_string(), counts.to_owned()];
                sheet.row(&[&heads[..], &row].concat());
            }
        }
    }
    report.put(&sheet);
}

/// What readings of the live version from before the start are worth without a history, where errors are
/// those of one client.
fn before(report: &mut Report, effort: Effort, quiet: &Quiet, seed: &mut u64) {
    report.section("The live version read before the start, without a history");
    report.say(&format!(
        "The sums of the live version for {} minutes before the start, and then of both arms.",
        cells::READ_BEFORE / 60
    ));
    let mut well = healthy_sheet(&["world", "requests a minute"]);
    let mut ill = faulty_sheet(&["world", "requests a minute", "fault"]);
    let gross = Fault { errors: 30.0, ..Fault::NONE };
    let with_errors = |cell: &&Cell| matches!(cell.faults, Faults::Errors | Faults::Both);
    for cell in cells::STATED.iter().chain(&cells::OWN).filter(with_errors) {
        for (at, requests) in cells::TRAFFIC.into_iter().enumerate() {
            let what = (World { requests, ..cell.world }, cell.preset);
            let Some(tried) = Tried::new(report, cell.name, what, Known::Before, seed) else {
                continue;
            };
            let heads = [cell.name.to_owned(), requests.to_string()];
            well.row(&[&heads[..], &healthy(report, &tried, effort.healthy)].concat());
            let limit = cells::errors_found(&cell.world, quiet[at][0]);
            let mut faults =
                vec![(ERRORS, "5 × errors", limit), (gross, "30 × errors", cells::GROSS_FOUND)];
            if cell.faults == Faults::Both {
                faults.extend(slower(at));
            }
            for fault in faults {
                let row = faulty(report, &tried, fault, effort.faulty);
                ill.row(&[&heads[..], &[fault.1.to_owned()], &row].concat());
            }
        }
    }
    report.put(&well);
    report.say("Faults from the canary's first request on.");
    report.put(&ill);
}

/// Scrapes and ticks of different lengths, with shocks in both arms.
fn feeds(report: &mut Report, effort: Effort, quiet: &Quiet, seed: &mut u64) {
    report.section("Scrapes, ticks and shocks");
    report.say("Totals of arms that are read up to an interval apart, without a history.");
    let mut sheet = healthy_sheet(&["scrape, tick", "shocks", "requests a minute"]);
    let mut ill = faulty_sheet(&["scrape, tick", "requests a minute"]);
    for lengths in cells::FEEDS {
        let place = format!("{} s, {} s", lengths.0, lengths.1);
        for (shock, spells) in cells::SHOCKS {
            for (at, requests) in cells::TRAFFIC.into_iter().enumerate() {
                let world = World { requests, ..cells::feed(lengths, spells) };
                let name = format!("scrape and tick {place}, shocks {shock}");
                let what = (world, Preset::Standard(250));
                let Some(tried) = Tried::new(report, &name, what, Known::Sums, seed) else {
                    continue;
                };
                let row = healthy(report, &tried, effort.healthy / 2);
                let heads = [place.clone(), shock.to_owned(), requests.to_string()];
                sheet.row(&[&heads[..], &row].concat());
                if shock == cells::SHOCKS[0].0 {
                    let limit = cells::errors_found(&world, quiet[at][0]);
                    let fault = (ERRORS, "5 × errors", limit);
                    let row = faulty(report, &tried, fault, effort.faulty);
                    ill.row(&[&[place.clone(), requests.to_string()][..], &row].concat());
                }
            }
        }
    }
    report.put(&sheet);
    report.say("Five times the errors from the canary's first request on.");
    report.put(&ill);
}

/// Faults that begin while the fix has been good for minutes.
fn late(report: &mut Report, effort: Effort, seed: &mut u64) {
    report.section("Faults that begin late");
    report.say(
        "With this share of the traffic, and so long after the canary has that. Minutes from then on. The sums \
         of both arms, without a history.",
    );
    let mut sheet = Sheet::new(&[
        "world",
        "requests a minute",
        "begins",
        "fault",
        "found",
        "median min",
        "wanted",
        "causes",
    ]);
    for cell in cells::STATED.iter().filter(|cell| is_steady(cell)) {
        for requests in cells::TRAFFIC {
            for (from, after, begins) in cells::LATE {
                let what = (World { requests, ..cell.world }, cell.preset);
                let name = format!("{}, late: {begins}", cell.name);
                let Some(tried) = Tried::new(report, &name, what, Known::Sums, seed) else {
                    continue;
                };
                for (errors, fault, limit) in cells::LATE_FOUND {
                    let of = Fault { errors, from, after, ..Fault::NONE };
                    let [found, delay, wanted, _, causes] =
                        faulty(report, &tried, (of, fault, limit), effort.faulty);
                    let heads =
                        [cell.name, &requests.to_string(), begins, fault].map(str::to_owned);
                    sheet.row(&[&heads[..], &[found, delay, wanted, causes]].concat());
                }
            }
        }
    }
    report.put(&sheet);
}
