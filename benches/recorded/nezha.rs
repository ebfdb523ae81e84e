//! Faults injected into a real shop: which the latency test finds, how soon, and its alarms without
//! a fault.
//!
//! The recordings are from before and after a fault on one deployment. The way to turn them into
//! two arms was chosen with these same faults in view, among about five pairings (mirrored in time,
//! or spread over 60 s, the concurrent mode finds 7 and 7). So were the shapes of the joint test.
//! The figures are therefore in-sample; the other half of the published faults is the real test.
//!
//! - A case is a fault of a type that slows requests, at the front end (`root`) or on the affected
//!   pod, with at least 100 spans on both sides. α is 0.01 for the whole case, 'slower' only.
//! - Boundaries come from the window before the fault ([`boundaries_from_samples`]) and stay.
//! - The canary is the 120 s after the fault, at their own times. The baseline is the window
//!   before: its spans in time order, each used once. The windows have different lengths, so playing
//!   them side by side would leave ticks without a baseline, which give no evidence.
//! - *Concurrent*: a tick every 10 s without a cap; the baseline is spread evenly over the 120 s.
//! - *Before and after*: a tick every second, its gain capped at 0.6, so that ten ticks decide at the
//!   earliest; with ticks of 2 s, a fault whose spans end after 16 s was not found, however slow. The
//!   baseline is spread evenly over 60 s, and a tick without a span of the canary uses none of it, as
//!   in the judge: the canary's spans cover less than 120 s in most cases, and what is left of the
//!   baseline is wasted.
//! - *Kayenta*: one judgement with the compatible judge's defaults, direction `increase`, on up to
//!   400 spans a side, chosen evenly, when the 120 s are over or the recording ends; times are in
//!   milliseconds.
//! - A/A, concurrent: 2,000 splits of quiet windows (before each fault, and the fault-free
//!   minutes), half of them *shuffled* (every window; each span goes to an arm at random), half
//!   *interleaved* (front-end windows; spans, which are requests there, go to the arms in turn from
//!   somewhere in the first 5 s on).
//! - 1,000 pod windows interleaved by milliseconds are counted separately and are not A/A: a pod's
//!   spans are parts of requests that follow each other in fixed steps, so taking them in turn
//!   compares unlike parts. The test at each boundary alarms there more often, in 53.
//! - Halves, before and after: the second half of each quiet window against its first, and the
//!   reverse.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use hotfix_benches::recordings::{Failure, fields, text};
use hotfix_core::kayenta::{Arms, Classification, Direction, MetricSettings, classify};
use hotfix_core::stats::latency::{
    Latency, LatencyDesign, LatencySettings, SlowCounts, boundaries_from_samples, slow_from_samples,
};
use rand_distr::{Distribution, Uniform};
use rand_pcg::Pcg64Mcg;

const SLOWING: [&str; 3] = ["cpu_consumed", "cpu_contention", "network_delay"];
const LEAST_SPANS: usize = 100;
const WATCH: f64 = 120.0;
const SPLITS: usize = 2_000;
const MOST_OF_KAYENTA: usize = 400;

/// A span: its start and its duration, in seconds.
type Span = (f64, f64);

/// A fault, as seen at one place.
struct Case {
    fault: String,
    place: String,
    kind: String,
    before: Vec<Span>,
    after: Vec<Span>,
}

/// Settings of a run of the test.
#[derive(Clone, Copy)]
struct Mode {
    tick: f64,
    cap: Option<f64>,
}

const CONCURRENT: Mode = Mode { tick: 10.0, cap: None };
const BEFORE_AFTER: Mode = Mode { tick: 1.0, cap: Some(0.6) };
/// Seconds over which the baseline is spread in the mode before and after.
const SPREAD: f64 = 60.0;

/// Found faults and false alarms of all methods.
#[cfg_attr(not(test), expect(dead_code, reason = "the figures are for the tests"))]
pub(crate) struct Summary {
    /// Cases found at the front end and on the pod, by method: concurrent, before and after,
    /// Kayenta.
    pub(crate) found: [[usize; 2]; 3],
    /// Cases at the front end and on the pod.
    pub(crate) cases: [usize; 2],
    /// Alarms among the A/A splits, and among the halves.
    pub(crate) alarms: [usize; 2],
    /// Tables and text.
    pub(crate) text: String,
}

fn cases(folder: &Path) -> Result<Vec<Case>, Failure> {
    let mut spans: BTreeMap<(String, String), Vec<Span>> = BTreeMap::new();
    for line in text(folder, "spans.csv")?.lines().skip(1) {
        let [fault, at, place, micros] = fields(line)?;
        let span = (at.parse::<f64>()? / 1e3, micros.parse::<f64>()? / 1e6);
        spans.entry((fault.to_owned(), place.to_owned())).or_default().push(span);
    }
    let mut cases = Vec::new();
    for line in text(folder, "faults.csv")?.lines().skip(1) {
        let [fault, _, _, _, _, _, _, kind] = fields(line)?;
        for place in ["root", "pod"] {
            let Some(spans) = spans.get_mut(&(fault.to_owned(), place.to_owned())) else {
                continue;
            };
            spans.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (before, after) = spans.split_at(spans.partition_point(|span| span.0 < 0.0));
            let enough = before.len() >= LEAST_SPANS && after.len() >= LEAST_SPANS;
            if SLOWING.contains(&kind) && enough {
                cases.push(Case {
                    fault: fault.to_owned(),
                    place: place.to_owned(),
                    kind: kind.to_owned(),
                    before: before.to_vec(),
                    after: after.to_vec(),
                });
            }
        }
    }
    // The front end first.
    cases.sort_by(|a, b| b.place.cmp(&a.place));
    Ok(cases)
}

/// Windows without a fault; the times in each begin at 0 s.
fn quiet(folder: &Path, cases: &[Case]) -> Result<Vec<Vec<Span>>, Failure> {
    let mut minutes: BTreeMap<String, Vec<Span>> = BTreeMap::new();
    for line in text(folder, "fault_free_root_spans.csv")?.lines().skip(1) {
        let [file, at, micros] = fields(line)?;
        let span = (at.parse::<f64>()? / 1e3, micros.parse::<f64>()? / 1e6);
        minutes.entry(file.to_owned()).or_default().push(span);
    }
    let mut windows: Vec<Vec<Span>> = cases.iter().map(|case| case.before.clone()).collect();
    windows.extend(minutes.into_values());
    for window in &mut windows {
        window.sort_by(|a, b| a.0.total_cmp(&b.0));
        let start = window.first().map_or(0.0, |first| first.0);
        for span in window.iter_mut() {
            span.0 -= start;
        }
    }
    Ok(windows)
}

/// Spans in their order, spread evenly over so many seconds.
fn spread(spans: &[Span], seconds: f64) -> Vec<Span> {
    let step = seconds / spans.len() as f64;
    spans.iter().enumerate().map(|(i, span)| ((i as f64 + 0.5) * step, span.1)).collect()
}

fn times(spans: &[Span]) -> Vec<f64> {
    spans.iter().map(|span| span.1).collect()
}

/// When the test decides, in seconds from the start; `None` where it does not. Before and after, the
/// baseline waits for the canary.
fn decides(
    mode: Mode,
    boundaries: &[f64],
    canary: &[Span],
    baseline: &[Span],
    seconds: f64,
) -> Result<Option<f64>, Failure> {
    let design = LatencyDesign::try_new(&LatencySettings {
        boundaries: boundaries.len(),
        cap: mode.cap,
        ..LatencySettings::default()
    })?;
    let mut test = Latency::new(&design);
    let (mut slow_c, mut slow_b) = (vec![0.0; boundaries.len()], vec![0.0; boundaries.len()]);
    let of = |arm: &[Span], from: f64| -> Vec<f64> {
        let start = arm.partition_point(|span| span.0 < from);
        let end = arm.partition_point(|span| span.0 < from + mode.tick);
        times(&arm[start..end])
    };
    let (mut from, mut of_baseline) = (0.0, 0.0);
    while from < seconds {
        let to = from + mode.tick;
        let now_c = of(canary, from);
        if now_c.is_empty() && mode.cap.is_some() {
            from = to;
            continue;
        }
        let now_b = of(baseline, of_baseline);
        of_baseline += mode.tick;
        slow_from_samples(boundaries, &now_c, &mut slow_c)?;
        slow_from_samples(boundaries, &now_b, &mut slow_b)?;
        let canary = SlowCounts::new(&slow_c, now_c.len() as f64);
        let baseline = SlowCounts::new(&slow_b, now_b.len() as f64);
        if test.update(&design, canary, baseline)? {
            return Ok(Some(to));
        }
        from = to;
    }
    Ok(None)
}

impl Case {
    fn watched(&self) -> &[Span] {
        &self.after[..self.after.partition_point(|span| span.0 < WATCH)]
    }

    fn decides(&self, mode: Mode) -> Result<Option<f64>, Failure> {
        let boundaries = boundaries_from_samples(&times(&self.before))?;
        let seconds = if mode.cap.is_some() { SPREAD } else { WATCH };
        decides(mode, &boundaries, self.watched(), &spread(&self.before, seconds), WATCH)
    }

    /// Kayenta's single judgement, at the end.
    fn kayenta(&self) -> Result<Option<f64>, Failure> {
        let thin = |spans: &[Span]| -> Vec<f64> {
            let most = spans.len().min(MOST_OF_KAYENTA);
            (0..most).map(|i| 1e3 * spans[i * spans.len() / most].1).collect()
        };
        let arms = Arms { control: thin(&self.before), experiment: thin(self.watched()) };
        let settings = MetricSettings { direction: Direction::Increase, ..Default::default() };
        let result = classify("latency", &arms, &settings)?;
        let end = self.watched().last().map_or(WATCH, |span| span.0);
        Ok((result.classification == Classification::High).then_some(end))
    }
}

/// How a quiet window is split into two arms.
#[derive(Clone, Copy, PartialEq)]
enum Deal {
    AtRandom,
    /// Span by span.
    InTurn,
    /// Millisecond by millisecond.
    InTurnOfMillis,
}

/// Alarms among splits of quiet windows into two arms.
fn concurrent_alarms(windows: &[&Vec<Span>], deal: Deal) -> Result<usize, Failure> {
    let mut stream = Pcg64Mcg::new(0xa11a_a11a);
    let law = Uniform::new(0.0, 1.0)?;
    let mut alarms = 0;
    for split in 0..SPLITS / 2 {
        let window = windows[split % windows.len()];
        // Taken in turn from its beginning, a window has only two splits: so start at a random place.
        let skip = if deal == Deal::AtRandom { 0.0 } else { 5.0 * law.sample(&mut stream) };
        let mut arms = [Vec::new(), Vec::new()];
        let (mut arm, mut last) = (law.sample(&mut stream) < 0.5, None);
        for &span in window.iter().filter(|span| span.0 >= skip) {
            match deal {
                Deal::AtRandom => arm = law.sample(&mut stream) < 0.5,
                Deal::InTurnOfMillis if last == Some(span.0) => {}
                Deal::InTurn | Deal::InTurnOfMillis => arm = !arm,
            }
            last = Some(span.0);
            arms[usize::from(arm)].push(span);
        }
        let [canary, baseline] = &arms;
        let boundaries = boundaries_from_samples(&times(window))?;
        let end = window.last().map_or(0.0, |last| last.0) + 1e-3;
        let found = decides(CONCURRENT, &boundaries, canary, baseline, end)?;
        alarms += usize::from(found.is_some());
    }
    Ok(alarms)
}

/// Alarms among halves of quiet windows compared with each other, and how many comparisons there
/// were.
fn alarms_of_halves(windows: &[Vec<Span>]) -> Result<(usize, usize), Failure> {
    let (mut alarms, mut comparisons) = (0, 0);
    for window in windows {
        let half = window.last().map_or(0.0, |last| last.0) / 2.0;
        let (first, second) = window.split_at(window.partition_point(|span| span.0 < half));
        let second: Vec<Span> = second.iter().map(|span| (span.0 - half, span.1)).collect();
        for (canary, baseline) in [(second.as_slice(), first), (first, second.as_slice())] {
            if canary.is_empty() || baseline.is_empty() {
                continue;
            }
            let boundaries = boundaries_from_samples(&times(baseline))?;
            let baseline = spread(baseline, half);
            let found = decides(BEFORE_AFTER, &boundaries, canary, &baseline, half + 1e-3)?;
            alarms += usize::from(found.is_some());
            comparisons += 1;
        }
    }
    Ok((alarms, comparisons))
}

/// The tables over one folder of recordings.
pub(crate) fn nezha(folder: &Path) -> Result<Summary, Failure> {
    let cases = cases(folder)?;
    if cases.is_empty() {
        return Err("no case with enough spans".into());
    }
    let mut text = String::from(
        "| fault | type | place | spans before / after | concurrent | before and after | Kayenta, \
         once |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let shown = |found: Option<f64>| found.map_or("–".to_owned(), |at| format!("{at:.0} s"));
    let mut found = [[0; 2]; 3];
    let mut totals = [0; 2];
    let mut delays: [Vec<f64>; 3] = Default::default();
    for case in &cases {
        let results = [case.decides(CONCURRENT)?, case.decides(BEFORE_AFTER)?, case.kayenta()?];
        let at = usize::from(case.place == "pod");
        let place = ["front end", "pod"][at];
        totals[at] += 1;
        for ((found, delays), result) in found.iter_mut().zip(&mut delays).zip(results) {
            found[at] += usize::from(result.is_some());
            delays.extend(result);
        }
        let [a, b, c] = results.map(shown);
        let (before, after) = (case.before.len(), case.watched().len());
        let row = format!("| {} | {} | {place} | {before} / {after}", case.fault, case.kind);
        let _ = writeln!(text, "{row} | {a} | {b} | {c} |");
    }
    for (at, place) in ["front end", "pod"].iter().enumerate() {
        let [a, b, c] = found.map(|found| format!("{} of {}", found[at], totals[at]));
        let _ = writeln!(text, "| **found** | | {place} | | {a} | {b} | {c} |");
    }
    let [a, b, c] = delays.map(|mut delays| {
        delays.sort_by(f64::total_cmp);
        shown(delays.get(delays.len() / 2).copied())
    });
    let _ = writeln!(text, "| **median time** | | both | | {a} | {b} | {c} |\n");
    let windows = quiet(folder, &cases)?;
    let is_pod = |at: &usize| cases.get(*at).is_some_and(|case| case.place == "pod");
    let (pods, fronts): (Vec<usize>, Vec<usize>) = (0..windows.len()).partition(is_pod);
    let of = |which: &[usize]| which.iter().map(|&at| &windows[at]).collect::<Vec<_>>();
    let shuffled = concurrent_alarms(&windows.iter().collect::<Vec<_>>(), Deal::AtRandom)?;
    let interleaved = concurrent_alarms(&of(&fronts), Deal::InTurn)?;
    let of_splits = shuffled + interleaved;
    let of_pods = concurrent_alarms(&of(&pods), Deal::InTurnOfMillis)?;
    let (of_halves, halves) = alarms_of_halves(&windows)?;
    let each = SPLITS / 2;
    let _ = writeln!(
        text,
        "Alarms where nothing happened:\n\n\
         - concurrent: {shuffled} in {each} shuffled and {interleaved} in {each} interleaved \
         splits\n\
         - before and after: {of_halves} in {halves} halves of quiet windows\n\
         - pods interleaved by milliseconds, whose arms differ: {of_pods} in {each}"
    );
    Ok(Summary { found, cases: totals, alarms: [of_splits, of_halves], text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_1_made_up_faults_are_found_and_quiet_ones_are_not() -> Result<(), Failure> {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("recorded/sample/nezha");
        let summary = nezha(&sample)?;
        assert_eq!(summary.cases, [3, 3]);
        // Four times as slow, and a tail of 2 s: both modes find them in both places. The third
        // fault had no effect.
        assert_eq!(summary.found[..2], [[2, 2], [2, 2]], "{}", summary.text);
        assert_eq!(summary.alarms, [0, 0], "{}", summary.text);
        Ok(())
    }

    #[test]
    fn stat_1_a_slowdown_is_found_in_sixteen_seconds_of_spans() -> Result<(), Failure> {
        // Ten spans a second, of 50 to 140 ms: a minute of them, and then 40 times as slow.
        let span =
            |n: u32, times: f64| (f64::from(n) / 10.0, times * f64::from(5 + n * 7 % 10) / 100.0);
        let case = Case {
            fault: String::new(),
            place: "root".into(),
            kind: "cpu_contention".into(),
            before: (0..600).map(|n| span(n, 1.0)).collect(),
            after: (0..160).map(|n| span(n, 40.0)).collect(),
        };
        assert!(case.decides(BEFORE_AFTER)?.is_some_and(|at| at <= 12.0));
        Ok(())
    }

    /// The expected figures for the recorded half, where it is available.
    #[test]
    fn stat_1_recorded_faults_are_found_sooner_than_by_one_look() -> Result<(), Failure> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let data = std::env::var_os("HOTFIX_DATA")
            .map_or_else(|| workspace.join("../shared/data"), |data| workspace.join(data));
        if !data.join("nezha/faults.csv").exists() {
            return Ok(());
        }
        let Summary { found, cases, alarms, text } = nezha(&data.join("nezha"))?;
        let [concurrent, before_after, kayenta] = found;
        assert_eq!(cases, [11, 10], "{text}");
        assert!(concurrent[0] > kayenta[0] && concurrent[1] > kayenta[1], "{text}");
        assert!(before_after[0] > kayenta[0] && before_after[1] > kayenta[1], "{text}");
        assert!(alarms[0] <= 2 && alarms[1] == 0, "{text}");
        Ok(())
    }
}
