//! Thresholds from a history: every step against a slow model, and error rates on simulated noise.

use hotfix_core::stats::numeric::ln;
use hotfix_core::stats::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};
use hotfix_core::stats::replay::{Advice, Calibration, CalibrationSettings, History, calibrate};
use hotfix_core::stats::{Counts, StatError};
use serde::Deserialize;
use std::collections::BTreeMap;

use crate::noise::{Law, Service, sum};

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
    let newer = text.replace(r#""version":1"#, r#""version":2"#);
    let error = serde_json::from_str::<Calibration>(&newer).expect_err("of a later release");
    assert!(error.to_string().contains("version `2`"), "{error}");
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
