//! Detection times of the forms of the latency test: the table of `docs/decisions/latency-test.md`.
//!
//! 1,000 requests a minute, a tick every 10 s, 300 ticks, α 0.01; request times log-normal with a
//! p95 of 250 ms. Prints the median number of ticks to the decision, and without a difference the
//! share of runs that ever decide. The streams have the seeds 0, 1, 2 …, the same for every form.
//!
//! `latency_table [RUNS [NULL_RUNS]]`, by default 1,000 and 10,000.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::thread;

use hotfix_benches::request_times::{boundaries, slower};
use hotfix_core::stats::StatError;
use hotfix_core::stats::latency::{
    DEFAULT_GRID, Latency, LatencyDesign, LatencyMode, LatencySettings, SlowCounts,
};
use rand_distr::{Binomial, Distribution, Poisson};
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::SeedableRng;

const TICKS: u32 = 300;
const REQUESTS: f64 = 1000.0 / 6.0;
/// Medians of the tests' design at a share of 0.1, for the first rows.
const STATED: [u32; 6] = [95, 18, 6, 3, 22, 6];

/// A canary: this share of its requests takes `factor` times as long and `extra` seconds more.
struct Row {
    name: &'static str,
    share: f64,
    factor: f64,
    extra: f64,
}

const ROWS: [Row; 10] = [
    Row { name: "everything × 1.1", share: 1.0, factor: 1.1, extra: 0.0 },
    Row { name: "× 1.25", share: 1.0, factor: 1.25, extra: 0.0 },
    Row { name: "× 1.5", share: 1.0, factor: 1.5, extra: 0.0 },
    Row { name: "× 2", share: 1.0, factor: 2.0, extra: 0.0 },
    Row { name: "5% + 300 ms", share: 0.05, factor: 1.0, extra: 0.3 },
    Row { name: "5% + 2 s", share: 0.05, factor: 1.0, extra: 2.0 },
    Row { name: "1% + 2 s", share: 0.01, factor: 1.0, extra: 2.0 },
    Row { name: "20% + 100 ms", share: 0.2, factor: 1.0, extra: 0.1 },
    Row { name: "50% + 100 ms", share: 0.5, factor: 1.0, extra: 0.1 },
    Row { name: "everything + 20 ms", share: 1.0, factor: 1.0, extra: 0.02 },
];

impl Row {
    fn chances(&self, boundaries: &[f64; 6]) -> [f64; 6] {
        boundaries.map(|s| {
            (1.0 - self.share) * slower(s) + self.share * slower((s - self.extra) / self.factor)
        })
    }
}

/// Choice of the boundaries.
#[derive(Clone, Copy)]
enum Cut {
    /// p50, p75, p90, p95, p99 and twice p99.
    Quantiles,
    /// As in the presets.
    Preset,
}

impl Cut {
    fn boundaries(self) -> [f64; 6] {
        match self {
            Self::Quantiles => boundaries(),
            Self::Preset => [0.1, 0.25, 0.3, 0.5, 1.0, 2.5],
        }
    }
}

fn trials(mean: f64, stream: &mut Pcg64Mcg) -> f64 {
    Poisson::new(mean).map_or(0.0, |law| law.sample(stream))
}

/// Requests slower than each boundary, from the probabilities of being slower.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a drawn count")]
fn slow_counts(trials: f64, chances: &[f64; 6], stream: &mut Pcg64Mcg) -> [f64; 6] {
    let (mut left, mut before) = (trials, 1.0);
    chances.map(|chance| {
        let given = if before > 0.0 { (chance / before).clamp(0.0, 1.0) } else { 0.0 };
        left = Binomial::new(left as u64, given).map_or(0.0, |law| law.sample(stream) as f64);
        before = chance;
        left
    })
}

/// The tick at which one run decides; one past the end if it does not.
fn run(
    design: &LatencyDesign,
    canary: &[f64; 6],
    baseline: &[f64; 6],
    share: f64,
    seed: u64,
) -> Result<u32, StatError> {
    let mut stream = Pcg64Mcg::seed_from_u64(seed);
    let mut test = Latency::new(design);
    for tick in 1..=TICKS {
        let (n_c, n_b) =
            (trials(REQUESTS * share, &mut stream), trials(REQUESTS * (1.0 - share), &mut stream));
        let slow_c = slow_counts(n_c, canary, &mut stream);
        let slow_b = slow_counts(n_b, baseline, &mut stream);
        let (slow_c, slow_b) = (SlowCounts::new(&slow_c, n_c), SlowCounts::new(&slow_b, n_b));
        if test.update(design, slow_c, slow_b)? {
            return Ok(tick);
        }
    }
    Ok(TICKS + 1)
}

/// The ticks of the decisions of `runs` runs, sorted.
fn runs(
    design: &LatencyDesign,
    canary: &[f64; 6],
    baseline: &[f64; 6],
    share: f64,
    runs: u64,
) -> Result<Vec<u32>, StatError> {
    let workers = thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let parts: Vec<Result<Vec<u32>, StatError>> = thread::scope(|scope| {
        let handles: Vec<_> = (0..workers)
            .map(|worker| {
                scope.spawn(move || {
                    (worker..runs)
                        .step_by(usize::try_from(workers).unwrap_or(1))
                        .map(|seed| run(design, canary, baseline, share, seed))
                        .collect()
                })
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().unwrap_or(Ok(Vec::new()))).collect()
    });
    let mut all: Vec<u32> = parts.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
    all.sort_unstable();
    Ok(all)
}

fn shown(ticks: u32) -> String {
    if ticks > TICKS { format!("> {TICKS}") } else { ticks.to_string() }
}

fn print_table(cut: Cut, share: f64, alternatives: u64, null: u64) -> Result<(), StatError> {
    let base = LatencySettings::default();
    let forms = [
        base.clone(),
        LatencySettings { grid: Some(DEFAULT_GRID.to_vec()), ..base.clone() },
        LatencySettings { mode: LatencyMode::Clustered, ..base },
    ];
    let designs = forms.iter().map(LatencyDesign::try_new).collect::<Result<Vec<_>, _>>()?;
    let boundaries = cut.boundaries();
    let baseline = boundaries.map(slower);
    println!("| canary | joint | at each boundary | clustered | stated |\n|---|---|---|---|---|");
    for (row, of) in ROWS.iter().enumerate() {
        let mut line = format!("| {} |", of.name);
        for design in &designs {
            let found = runs(design, &of.chances(&boundaries), &baseline, share, alternatives)?;
            let _ = write!(line, " {} |", shown(found[found.len() / 2]));
        }
        let stated = STATED.get(row).filter(|_| share == 0.1 && matches!(cut, Cut::Quantiles));
        println!("{line} {} |", stated.map_or(String::new(), u32::to_string));
    }
    let mut line = "| none: share of runs that decide |".to_owned();
    for design in &designs {
        let found = runs(design, &baseline, &baseline, share, null)?;
        let decided = found.iter().filter(|&&tick| tick <= TICKS).count();
        let _ = write!(line, " {:.4} |", decided as f64 / found.len() as f64);
    }
    println!("{line} 0.002 |");
    Ok(())
}

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse());
    let (alternatives, null) = match (numbers.next(), numbers.next()) {
        (None, _) => (1_000, 10_000),
        (Some(Ok(runs)), None) if runs > 0 => (runs, 10 * runs),
        (Some(Ok(runs)), Some(Ok(null))) if runs > 0 && null > 0 => (runs, null),
        _ => {
            eprintln!("latency_table [RUNS [NULL_RUNS]]: whole numbers above 0");
            return ExitCode::FAILURE;
        }
    };
    let tables = [(Cut::Quantiles, 0.1), (Cut::Quantiles, 0.5), (Cut::Preset, 0.1)];
    for (cut, share) in tables {
        let at = match cut {
            Cut::Quantiles => "near p50, p75, p90, p95, p99 and twice p99",
            Cut::Preset => "of the presets",
        };
        println!("\nCanary's share {share}, boundaries {at}, {alternatives} runs (none: {null})\n");
        if let Err(error) = print_table(cut, share, alternatives, null) {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
