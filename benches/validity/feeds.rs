//! Chapter on arms that are read at different times.
//!
//! Written down before its first run. A scraper reads the running totals of each arm at an interval
//! of 10, 15, 30 or 60 s, at a second of the arm's own, uniform within the interval. The judge sees
//! the totals that were scraped last, every 5, 10, 30 or 60 s, for half an hour. Requests are
//! Poisson with 1,000 or 6,000 a minute at 10% canary, or 30,000 at 50%; each fails with 0.3%, and
//! in a shock both arms fail more often together:
//!
//! - none;
//! - 5 times for 2 min, beginning uniformly within the first 5 min;
//! - 50 times for 1 min, beginning uniformly within the first 5 min;
//! - 5 times for 1 min three times, beginning uniformly within the half hour;
//! - 50 times for 1 min, beginning uniformly from 1 min before the watch to 1 min after.
//!
//! The policy names no interval. Each cell of interval, ticks, traffic and shock is tried with 1,000
//! rollouts. Wanted: not more than 1% rolled back in any cell, and nobody asked about swapped arms
//! or the split. A fault of 5 times the failures, at 1,000 requests a minute, is found within 1.4
//! times the median of arms that are read together every tick of 10 s, and within 400 s at an
//! interval of 60 s, in ticks of at most 10 s.

use hotfix_core::stats::StatError;

use crate::feeds_common::{Cell, Feed, Outcome, Shock};
use crate::random::Random;
use crate::report::{Limit, Report, Sheet};
use crate::runner;
use crate::tally::{Delays, Estimate};

const RUNS: u32 = 1_000;
const SEED: u64 = 31_060_300;
const SECONDS: u32 = 1_800;
const SCRAPES: [u32; 4] = [10, 15, 30, 60];
const TICKS: [u32; 4] = [5, 10, 30, 60];
const TRAFFIC: [(f64, &str); 3] = [(1_000.0, "10%"), (6_000.0, "10%"), (30_000.0, "50%")];
const SHOCKS: [(&str, f64, f64); 5] = [
    ("none", 0.0, 1.0),
    ("5 times early", 120.0, 5.0),
    ("50 times early", 60.0, 50.0),
    ("5 times, three times", 60.0, 5.0),
    ("50 times at the start", 60.0, 50.0),
];

fn shocks(kind: usize, random: &mut Random) -> Vec<Shock> {
    let (_, lasts, times) = SHOCKS[kind];
    let (count, from, within) = match kind {
        0 => (0, 0.0, 0.0),
        1 | 2 => (1, 0.0, 300.0),
        3 => (3, 0.0, f64::from(SECONDS)),
        _ => (1, -60.0, 120.0),
    };
    (0..count).map(|_| Shock { from: from + within * random.uniform(), lasts, times }).collect()
}

fn apart(scrape: u32, tick: u32) -> Cell {
    Cell { offset: None, ..Cell::new(scrape, tick, 0.0) }
}

/// Chapter on arms that are read at different times.
#[expect(clippy::unnecessary_wraps, reason = "chapters are listed as functions of one type")]
pub(crate) fn feeds(report: &mut Report) -> Result<(), StatError> {
    report.chapter("Arms read at different times");
    let runs = report.runs(RUNS);
    report.say(&format!(
        "Running totals that are scraped every 10 to 60 s, each arm's at its own seconds, judged \
         every 5 to 60 s for half an hour; both arms share the shocks. The law is \
         in `benches/validity/feeds.rs`. Each row is of 16 cells (interval and ticks) with {runs} \
         rollouts each. Seeds {SEED} on."
    ));
    let mut sheet =
        Sheet::new(&["requests, share", "shock", "rolled back, mean", "worst cell", "asked"]);
    let mut seed = SEED;
    for (requests, share) in TRAFFIC {
        for (kind, (name, ..)) in SHOCKS.iter().enumerate() {
            let (mut all, mut asked) = (0, 0);
            let mut worst = (Estimate::share(0, runs as usize), String::new());
            for (scrape, tick) in SCRAPES.iter().flat_map(|s| TICKS.map(|tick| (*s, tick))) {
                seed += 1;
                let feed = Feed::new(&Cell { requests, share, ..apart(scrape, tick) });
                let seen: Vec<Outcome> = runner::all(runs, |run| {
                    let shocks = shocks(kind, &mut Random::new(seed, run));
                    feed.run(seed << 20 | u64::from(run), SECONDS, &shocks)
                });
                let gone = seen.iter().filter(|seen| seen.rolled_back.is_some()).count();
                asked += seen.iter().filter(|seen| seen.doubted_arms).count();
                all += gone;
                let share = Estimate::share(gone, seen.len());
                if share.value > worst.0.value {
                    worst = (share, format!(" ({scrape} s, ticks of {tick} s)"));
                }
            }
            let of = format!("{requests:.0} a minute, {share}, {name}");
            let rate = report.claim(&of, worst.0, Limit::Calibrated(0.01), 4);
            let cells = (SCRAPES.len() * TICKS.len() * runs as usize) as f64;
            let none =
                Estimate { value: f64::from(u32::try_from(asked).unwrap_or(u32::MAX)), error: 0.0 };
            let asked = report.claim(&format!("{of}: asked"), none, Limit::AtMost(0.0), 0);
            sheet.row(&[
                format!("{requests:.0}, {share}"),
                (*name).to_owned(),
                format!("{:.4}", all as f64 / cells),
                rate + &worst.1,
                asked,
            ]);
        }
    }
    report.put(&sheet);
    delays(report, runs.min(400));
    Ok(())
}

/// How soon a fault of five times the failures is found.
fn delays(report: &mut Report, runs: u32) {
    let median = |cell: Cell| {
        let feed = Feed::new(&Cell { ratio: 5.0, ..cell });
        let found = runner::all(runs, |run| feed.run(u64::from(run), 3_600, &[]).rolled_back);
        let never = Estimate { value: f64::INFINITY, error: 0.0 };
        Delays::new(found).median().unwrap_or(never)
    };
    let in_step = median(Cell { named: Some("0s"), ..Cell::new(10, 10, 0.0) });
    report.say(&format!(
        "Seconds until a fault of five times the failures is found, at 1,000 requests a minute and \
         10%, the median of {runs} rollouts; {in_step:.0} for arms that are read together every 10 s."
    ));
    let mut sheet = Sheet::new(&["interval", "ticks of 5 s", "10 s", "30 s", "60 s"]);
    for scrape in SCRAPES {
        let mut row = vec![format!("{scrape} s")];
        for tick in TICKS {
            let found = median(apart(scrape, tick));
            let most = if scrape == 60 { 400.0 } else { 1.4 * in_step.value };
            row.push(if tick <= 10 {
                let of = format!("a fault of 5 times, {scrape} s, ticks of {tick} s");
                report.claim(&of, found, Limit::AtMost(most), 0)
            } else {
                format!("{found:.0}")
            });
        }
        sheet.row(&row);
    }
    report.put(&sheet);
}
