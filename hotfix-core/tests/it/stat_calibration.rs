//! Thresholds from a history: every step against a slow model, and error rates on simulated noise.

use hotfix_core::stats::numeric::{exp, ln};
use hotfix_core::stats::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};
use hotfix_core::stats::replay::{
    Advice, ByInstance, Calibration, CalibrationSettings, History, calibrate,
};
use hotfix_core::stats::{Counts, StatError};
use serde::Deserialize;
use std::collections::BTreeMap;

use crate::noise::{Law, Service, sum};
use crate::power_common::Random;

const CASES: &str = include_str!("../cases/stat/calibration.toml");
const INSTANCES: usize = 20;
const TICKS: usize = 300;
const SIX_HOURS: usize = 2160;

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    settings: CalibrationSettings,
    events: Vec<String>,
    expect: Expected,
}

#[derive(Deserialize)]
struct Expected {
    threshold: f64,
    cap: f64,
    hold: f64,
    dispersion: Option<f64>,
    windows: usize,
    shards: usize,
}

impl Case {
    fn history(&self) -> History {
        let of = |(pod, line): (usize, &String)| {
            let pair = |(tick, digit): (usize, char)| {
                let events = f64::from(digit.to_digit(10).expect("a digit"));
                [events, (40 + (7 * pod + tick) % 9) as f64]
            };
            (format!("pod-{pod:02}"), line.chars().enumerate().map(pair).collect())
        };
        History::try_new(self.events.iter().enumerate().map(of).collect()).expect("valid counts")
    }
}

#[test]
fn stat_2_calibration_cases() {
    let cases: Cases = toml::from_str(CASES).expect("cases parse");
    let mut wrong = Vec::new();
    for case in &cases.case {
        let got = calibrate(&case.history(), &case.settings).expect("valid settings");
        let want = &case.expect;
        let figures = [
            ("threshold", got.threshold, want.threshold),
            ("cap", got.cap, want.cap),
            ("hold", got.hold, want.hold),
            ("dispersion", got.dispersion.unwrap_or(-1.0), want.dispersion.unwrap_or(-1.0)),
            ("windows", got.windows as f64, want.windows as f64),
            ("shards", got.shards as f64, want.shards as f64),
        ];
        for (what, got, want) in figures {
            if (got - want).abs() > 1e-9 * want.abs() {
                wrong.push(format!("{}: {what} {got:e}, expected {want:e}", case.id));
            }
        }
    }
    assert!(wrong.is_empty() && cases.case.len() >= 8, "{}", wrong.join("\n"));
}

fn history_of(instances: usize, ticks: usize, pair: [f64; 2]) -> BTreeMap<String, Vec<[f64; 2]>> {
    (0..instances).map(|pod| (format!("pod-{pod:02}"), vec![pair; ticks])).collect()
}

fn code<T: std::fmt::Debug>(result: Result<T, StatError>) -> &'static str {
    result.expect_err("it is refused").code()
}

#[test]
fn field_5_a_history_that_is_none_is_refused_with_its_place() {
    assert_eq!(code(History::try_new(history_of(1, 9, [0.0, 9.0]))), "HF-STAT-034");
    let mut uneven = history_of(3, 9, [0.0, 9.0]);
    uneven.entry("pod-01".to_owned()).or_default().pop();
    let error = History::try_new(uneven).expect_err("one tick is missing");
    assert_eq!(error.code(), "HF-STAT-031");
    assert!(error.to_string().contains("`pod-01` has `8` ticks, but the first has `9`"), "{error}");
    for bad in [f64::NAN, f64::INFINITY, -1.0, 1e17] {
        let mut counts = history_of(3, 9, [0.0, 9.0]);
        counts.entry("pod-02".to_owned()).or_default()[4] = [bad, 9.0];
        let error = History::try_new(counts).expect_err("a count that cannot be");
        assert_eq!(error.code(), "HF-STAT-032");
        assert!(error.to_string().contains("`pod-02`, tick `4`: events"), "{error}");
    }
}

#[test]
fn field_5_settings_that_are_none_are_refused() {
    let history = History::try_new(history_of(10, 60, [0.0, 9.0])).expect("valid counts");
    let usual = CalibrationSettings::new(0.1, 20);
    let zones = |zones: &[&[&str]]| {
        let owned = |zone: &&[&str]| zone.iter().map(|&name| name.to_owned()).collect();
        CalibrationSettings { zones: Some(zones.iter().map(owned).collect()), ..usual.clone() }
    };
    let everyone: Vec<String> = (0..10).map(|pod| format!("pod-{pod:02}")).collect();
    let table = [
        (CalibrationSettings { alpha: 0.0, ..usual.clone() }, "HF-STAT-001"),
        (CalibrationSettings { tolerated: 0.9, ..usual.clone() }, "HF-STAT-011"),
        (CalibrationSettings { share: 1.0, ..usual.clone() }, "HF-STAT-020"),
        (CalibrationSettings { share: f64::NAN, ..usual.clone() }, "HF-STAT-020"),
        (CalibrationSettings { temper: 1.5, ..usual.clone() }, "HF-STAT-024"),
        (CalibrationSettings { horizon: Some(0), ..usual.clone() }, "HF-STAT-026"),
        (CalibrationSettings { ticks: 0, ..usual.clone() }, "HF-STAT-030"),
        (CalibrationSettings { tick_seconds: 0.0, ..usual.clone() }, "HF-STAT-030"),
        (CalibrationSettings { share: 0.5, seed: u64::MAX, ..usual.clone() }, "HF-STAT-030"),
        (CalibrationSettings { ticks: 61, ..usual.clone() }, "HF-STAT-033"),
        (CalibrationSettings { share: 0.99, ..usual.clone() }, "HF-STAT-034"),
        (zones(&[&["pod-00"], &["pod-77"]]), "HF-STAT-035"),
        (zones(&[&["pod-00"], &["pod-00"]]), "HF-STAT-036"),
        (zones(&[]), "HF-STAT-037"),
        (zones(&[&[]]), "HF-STAT-037"),
        (CalibrationSettings { zones: Some(vec![everyone]), ..usual.clone() }, "HF-STAT-037"),
    ];
    for (settings, expected) in table {
        assert_eq!(code(calibrate(&history, &settings)), expected, "{settings:?}");
    }
    assert!(calibrate(&history, &CalibrationSettings { ticks: 60, ..usual }).is_ok());
}

#[test]
fn roll_7_a_calibration_comes_back_from_its_document() {
    let mut service = Service::new(Law::OnOff(20.0), INSTANCES, 1000.0, 0.003, 3);
    let calibration =
        calibrate(&service.history(600), &CalibrationSettings::new(0.5, 60)).expect("valid");
    let text = serde_json::to_string(&calibration).expect("writes");
    let back: Calibration = serde_json::from_str(&text).expect("reads");
    assert_eq!(back, calibration);
    let newer = text.replace(r#""version":2"#, r#""version":3"#);
    let error = serde_json::from_str::<Calibration>(&newer).expect_err("of a later release");
    assert!(error.to_string().contains("version `3`"), "{error}");
    // The same seed draws the same halves; another one others.
    let again = calibrate(&service.history(600), &calibration.settings).expect("valid");
    assert_eq!((again.shards, again.canary_instances), (20, 10));
}

#[test]
fn stat_2_advice_says_what_a_history_lacks() {
    let sentences = |calibration: &Calibration| -> String {
        let each: Vec<String> = calibration.advice.iter().map(Advice::to_string).collect();
        each.join("; ")
    };
    let mut service = Service::new(Law::OnOff(30.0), INSTANCES, 1000.0, 0.003, 5);
    let short =
        calibrate(&service.history(400), &CalibrationSettings::new(0.1, 60)).expect("valid");
    assert!(matches!(short.advice[0], Advice::ShortHistory { hours, wanted: 6.0 } if hours < 1.2));
    assert!(sentences(&short).contains("1.1 hours of history, 6 are wanted"));
    assert!(short.advice.contains(&Advice::FewCanaryInstances { instances: 2, wanted: 4 }));
    let one = Advice::FewCanaryInstances { instances: 1, wanted: 4 }.to_string();
    assert!(one.starts_with("1 canary instance: from 4 on"), "{one}");
    assert!(!short.leave_one_out);
    let half = calibrate(&service.history(SIX_HOURS), &CalibrationSettings::new(0.5, 60))
        .expect("valid settings");
    assert!(half.advice.contains(&Advice::Randomise { instances: 20, canary: 10 }));
    assert!(half.leave_one_out && sentences(&half).contains("times as much as independent"));
    let quiet = History::try_new(history_of(3, 80, [0.0, 9.0])).expect("valid counts");
    let quiet = calibrate(&quiet, &CalibrationSettings::new(0.1, 20)).expect("valid settings");
    assert!(quiet.advice.contains(&Advice::NoEvents) && quiet.dispersion.is_none());
    assert!(sentences(&quiet).contains("0.333"), "a third of the traffic stood in for a tenth");
    assert!((quiet.threshold - ln(100.0)).abs() < 1e-12, "{quiet:?}");
}

/// The limits by instance as `docs/statistics.md` defines them, step by step and slowly.
struct Model {
    settings: CalibrationSettings,
    /// Of each instance.
    series: Vec<Vec<Counts>>,
    /// The places of each pretended canary's instances.
    groups: Vec<Vec<usize>>,
}

impl Model {
    fn rate(&self) -> f64 {
        let all = sum(&self.series.concat());
        all.events / all.trials
    }

    /// Clips the counts of one tick at this rate.
    fn clip(rate: f64, tick: &[Counts]) -> Vec<Counts> {
        let most = |mean: f64| {
            let (mut term, mut most) = (exp(-mean), 0.0);
            let mut at_most = term;
            while most < 1.0 || 1.0 - at_most > 1e-3 {
                most += 1.0;
                term *= mean / most;
                at_most += term;
            }
            most
        };
        let one = |of: &Counts| Counts::new(of.events.min(most(rate * of.trials)), of.trials);
        tick.iter().map(one).collect()
    }

    /// The rate that a tick's counts share: of all but the one that is the farthest above its bound.
    fn shared(rate: f64, tick: &[Counts]) -> f64 {
        let clipped = Self::clip(rate, tick);
        let above = |at: usize| tick[at].events - clipped[at].events;
        let worst = (0..tick.len()).max_by(|a, b| above(*a).total_cmp(&above(*b))).expect("some");
        let others: Vec<usize> = (0..tick.len()).filter(|at| *at != worst).collect();
        let of = |part: fn(&Counts) -> f64| others.iter().map(|at| part(&tick[*at])).sum::<f64>();
        let others = Counts::new(of(|of| of.events), of(|of| of.trials));
        let share = above(worst) > 0.0 && Self::clip(rate, &[others])[0] != others;
        if share { others.events / others.trials } else { rate }
    }

    /// Clips each tick, at the rate that it `shares` or at this one.
    fn clip_all(&mut self, rate: f64, unclipped: &[Vec<Counts>], shares: bool) {
        for at in 0..unclipped[0].len() {
            let tick: Vec<Counts> = unclipped.iter().map(|series| series[at]).collect();
            let rate = if shares { Self::shared(rate, &tick) } else { rate };
            for (series, counts) in self.series.iter_mut().zip(Self::clip(rate, &tick)) {
                series[at] = counts;
            }
        }
    }

    fn at(&self, tick: usize, members: impl Iterator<Item = usize>) -> Counts {
        sum(&members.map(|member| self.series[member][tick]).collect::<Vec<_>>())
    }

    /// The largest statistic of a pretended canary in a window.
    fn highest(&self, group: &[usize], window: std::ops::Range<usize>, cap: Option<f64>) -> f64 {
        let design = RateRatioDesign::try_new(&RateRatioSettings::default())
            .and_then(|design| design.with_limits(cap, None))
            .expect("valid limits");
        let mut whole = RateRatio::new(&design);
        let mut without = vec![whole; group.len()];
        let mut highest = f64::NEG_INFINITY;
        for tick in window {
            let others = (0..self.series.len()).filter(|at| !group.contains(at));
            let rest = self.at(tick, others);
            whole.update(&design, self.at(tick, group.iter().copied()), rest).expect("valid");
            for (test, out) in without.iter_mut().zip(group) {
                let kept = group.iter().copied().filter(|at| at != out);
                test.update(&design, self.at(tick, kept), rest).expect("valid");
            }
            let least =
                without.iter().map(|test| test.log_e(&design)).fold(f64::INFINITY, f64::min);
            let spared = if group.len() >= 4 { 1.6 * least } else { f64::INFINITY };
            highest = highest.max(whole.log_e(&design).min(spared));
        }
        highest
    }

    fn maxima(&self, cap: Option<f64>) -> Vec<f64> {
        let (ticks, length) = (self.series[0].len(), self.settings.ticks as usize);
        let starts = (0..=ticks - length).step_by(length / 4);
        let starts: Vec<usize> = starts.collect();
        let of_group = |group: &Vec<usize>| -> Vec<f64> {
            starts.iter().map(|start| self.highest(group, *start..start + length, cap)).collect()
        };
        let mut maxima = self.groups.iter().flat_map(of_group).collect::<Vec<f64>>();
        maxima.sort_unstable_by(f64::total_cmp);
        maxima
    }

    fn fit(maxima: &[f64]) -> f64 {
        let tail = quantile(maxima, 0.7);
        let above: Vec<f64> = maxima.iter().copied().filter(|maximum| *maximum > tail).collect();
        let mean = above.iter().map(|maximum| maximum - tail).sum::<f64>() / above.len() as f64;
        let independent = above.len() as f64 / 4.0;
        let reach = (ln(100.0) + ln(0.3)) * mean * (1.0 + 1.645 / independent.sqrt());
        (tail + reach).max(ln(100.0)).max(maxima[maxima.len() - 1])
    }

    /// With 1.645 standard errors.
    fn dispersion(&self) -> f64 {
        let ticks = self.series[0].len();
        let of_length = |length: usize| -> f64 {
            let (mut squares, mut expected, mut draws) = (0.0, 0.0, 0.0);
            for block in 0..ticks / length {
                let part = |at: usize| sum(&self.series[at][block * length..(block + 1) * length]);
                let parts: Vec<Counts> = (0..self.series.len()).map(part).collect();
                let all = sum(&parts);
                for group in &self.groups {
                    let over = |at: &usize| {
                        parts[*at].events - all.events * parts[*at].trials / all.trials
                    };
                    let mut excess: Vec<f64> = group.iter().map(over).collect();
                    excess.sort_unstable_by(f64::total_cmp);
                    if group.len() >= 4 {
                        excess.pop();
                    }
                    let share = group.iter().map(|at| parts[*at].trials).sum::<f64>() / all.trials;
                    squares += excess.iter().sum::<f64>().powi(2);
                    expected += all.events * share * (1.0 - share);
                    draws += 1.0;
                }
            }
            squares / expected * (1.0 + 1.645 * (2.0_f64 / draws).sqrt())
        };
        let lengths = [1, 6, 30, 90, 300].into_iter().filter(|length| ticks / length >= 4);
        lengths.map(of_length).fold(0.0, f64::max)
    }

    fn limits(mut self) -> ByInstance {
        let unclipped = self.series.clone();
        self.clip_all(self.rate(), &unclipped, false);
        let clip_rate = self.rate();
        self.clip_all(clip_rate, &unclipped, true);
        let cap = Self::fit(&self.maxima(None)) / 2.0;
        let capped = self.maxima(Some(cap));
        let floor = ln(100.0) * (0.75 * self.dispersion()).max(1.0);
        let threshold = Self::fit(&capped).max(floor);
        let hold = quantile(&capped, 0.9).max(ln(10.0)).min(threshold);
        let mut limits = calibrated(&self.settings, &unclipped).by_instance.expect("events");
        (limits.threshold, limits.cap, limits.hold) = (threshold, cap, hold);
        limits.clip_rate = clip_rate;
        limits
    }
}

/// By linear interpolation.
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let place = p * (sorted.len() - 1) as f64;
    let low = place.floor();
    let at = |place: f64| sorted[(0..sorted.len()).rfind(|at| *at as f64 <= place).unwrap_or(0)];
    at(low) + (place - low) * (at(low + 1.0) - at(low))
}

fn calibrated(settings: &CalibrationSettings, series: &[Vec<Counts>]) -> Calibration {
    let pairs = |series: &Vec<Counts>| series.iter().map(|of| [of.events, of.trials]).collect();
    let named = series.iter().enumerate().map(|(at, of)| (format!("pod-{at:02}"), pairs(of)));
    let history = History::try_new(named.collect()).expect("valid counts");
    calibrate(&history, settings).expect("valid settings")
}

#[test]
fn stat_2_limits_by_instance_are_those_of_a_slow_model() {
    // Five and two canary instances of 20, with a burst in one instance now and then.
    for (share, canary, law) in [
        (0.25, 5, Law::OnOff(20.0)),
        (0.25, 5, Law::NegativeBinomial(3.0)),
        (0.1, 2, Law::OnOff(20.0)),
        (0.25, 5, Law::Independent),
    ] {
        let mut service = Service::new(law, INSTANCES, 1000.0, 0.01, 11);
        let mut series = vec![Vec::new(); INSTANCES];
        let mut now = vec![Counts::default(); INSTANCES];
        for tick in 0..400 {
            service.tick(0, 1.0, &mut now);
            for (at, (series, now)) in series.iter_mut().zip(&now).enumerate() {
                let visit = at == 7 && tick % 90 < 4;
                let more = if visit { 12.0 } else { 0.0 };
                series.push(Counts::new(now.events + more, now.trials + more));
            }
        }
        let settings = CalibrationSettings::new(share, 40);
        let got = calibrated(&settings, &series).by_instance.expect("events");
        let groups = (0..INSTANCES / canary).map(|at| (at * canary..(at + 1) * canary).collect());
        let want = Model { settings, series, groups: groups.collect() }.limits();
        for (what, got, want) in [
            ("threshold", got.threshold, want.threshold),
            ("cap", got.cap, want.cap),
            ("hold", got.hold, want.hold),
            ("rate", got.clip_rate, want.clip_rate),
        ] {
            assert!((got - want).abs() <= 1e-9 * want, "{law:?}, {canary}: {what} {got}, {want}");
        }
    }
}

#[test]
fn stat_2_without_events_there_is_nothing_to_clip_at() {
    let quiet = History::try_new(history_of(20, 80, [0.0, 9.0])).expect("valid counts");
    let quiet = calibrate(&quiet, &CalibrationSettings::new(0.25, 20)).expect("valid settings");
    assert_eq!(quiet.by_instance, None);
}

/// The tick of the decision of one rollout that the history's calibration decides.
fn rollout(
    service: &mut Service,
    calibration: &Calibration,
    canary: usize,
    ratio: f64,
) -> Option<usize> {
    let design = RateRatioDesign::try_new(&RateRatioSettings::default())
        .and_then(|design| design.with_limits(Some(calibration.cap), Some(calibration.threshold)))
        .expect("valid limits");
    let mut test = RateRatio::new(&design);
    let mut now = vec![Counts::default(); service.instances];
    (1..=TICKS).find(|_| {
        service.tick(canary, ratio, &mut now);
        let (canary, rest) = now.split_at(canary);
        test.update(&design, sum(canary), sum(rest)).expect("valid counts")
    })
}

/// Share and median tick of the rollbacks, each run with a history of its own.
fn rollbacks(law: Law, ratio: f64, runs: u64) -> (f64, usize) {
    let mut found: Vec<usize> = (0..runs)
        .map(|run| {
            let mut service = Service::new(law, INSTANCES, 1000.0, 0.003, run);
            let settings = CalibrationSettings::new(0.1, 300);
            let limits = calibrate(&service.history(SIX_HOURS), &settings).expect("valid settings");
            rollout(&mut service, &limits, 2, ratio).unwrap_or(TICKS + 1)
        })
        .collect();
    found.sort_unstable();
    let decided = found.partition_point(|tick| *tick <= TICKS);
    (decided as f64 / runs as f64, found[found.len() / 2])
}

const LAWS: [Law; 5] = [
    Law::Independent,
    Law::NegativeBinomial(2.0),
    Law::Wandering(0.7, 0.98),
    Law::OnOff(20.0),
    Law::OneBad(5.0),
];

#[test]
fn stat_2_a_calibrated_threshold_keeps_alpha_under_bursts() {
    for law in LAWS {
        let (found, _) = rollbacks(law, 1.0, 40);
        // The chance of three or more of 40 at 0.01 is 0.008.
        assert!(found < 3.0 / 40.0, "{law:?}: {found}");
    }
}

#[test]
fn stat_2_calibration_costs_the_stated_delay() {
    // Stated for the default grid: 40, 15 and 8 without noise.
    for (ratio, stated) in [(5.0, 40.0), (20.0, 8.0)] {
        let (found, median) = rollbacks(Law::Independent, ratio, 60);
        let median = median as f64;
        assert!(found > 0.98 && (median - stated).abs() <= 0.2 * stated, "{ratio}: {median}");
    }
}

/// The larger campaign: `cargo test --release --test it stat_calibration:: -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes"]
fn stat_2_calibration_at_length() {
    for law in LAWS {
        let (found, _) = rollbacks(law, 1.0, 2_000);
        let medians = [5.0, 10.0, 20.0].map(|ratio| rollbacks(law, ratio, 500).1);
        println!("{law:?}: false rollbacks {found:.4}, median ticks {medians:?}");
        assert!(found <= 0.01 + 2.0 * (0.01 * 0.99 / 2_000.0_f64).sqrt(), "{law:?}: {found}");
    }
}

/// `docs/decisions/replay-by-instance.md`: lower where single instances have bursts, and higher where ten of twenty
/// differ for long.
#[test]
fn field_5_events_in_no_time_are_no_incident() {
    let mut pods = history_of(10, 2_160, [0.0, 10.0]);
    for (pod, series) in pods.values_mut().enumerate() {
        series.iter_mut().skip(pod).step_by(37).for_each(|[events, _]| *events = 1.0);
        series[300..330].fill([5.0, 0.0]);
    }
    let history = History::try_new(pods).expect("valid counts");
    let of = calibrate(&history, &CalibrationSettings::new(0.1, 60)).expect("valid settings");
    assert!(!of.advice.iter().any(|of| matches!(of, Advice::Incident { .. })), "{:?}", of.advice);
}

#[test]
fn stat_2_limits_by_instance_are_not_always_lower() {
    let limits = |deviation: f64, bursts: bool| {
        let mut random = Random::new(2_613, u32::from(bursts));
        let mut pods = BTreeMap::new();
        for pod in 0..INSTANCES {
            // Twelve uniform numbers are about normal.
            let normal = (0..12).map(|_| random.uniform()).sum::<f64>() - 6.0;
            let mean = 0.5 * exp(deviation * normal);
            let series = (0..SIX_HOURS).map(|tick| {
                let (mut events, mut product) = (0.0, random.uniform());
                while product > exp(-mean) {
                    events += 1.0;
                    product *= random.uniform();
                }
                let burst = bursts && (tick + 97 * pod) % 700 < 8;
                [events + if burst { 8.0 } else { 0.0 }, 50.0]
            });
            pods.insert(format!("pod-{pod:02}"), series.collect());
        }
        let history = History::try_new(pods).expect("valid counts");
        let of = calibrate(&history, &CalibrationSettings::new(0.5, 60)).expect("valid settings");
        (of.threshold, of.by_instance.expect("by instance").threshold)
    };
    let (sums, each) = limits(0.4, false);
    assert!(each > sums, "lasting levels: {each} by instance, {sums} by sums");
    let (sums, each) = limits(0.0, true);
    assert!(each < sums, "bursts: {each} by instance, {sums} by sums");
}
