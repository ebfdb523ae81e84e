//! The Kayenta-compatible judge: shared cases, laws.

use hotfix_core::kayenta::{
    Arms, Classification, Config, Direction, EffectSize, KayentaErrors, Measure, MetricResult,
    MetricSettings, Thresholds, classify, judge, read_samples,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::PathBuf;

use crate::clock::Stopwatch;
use crate::shared::kayenta_common::{Came, ClassifyCase, JudgeCase, load};

fn cases() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("cases/kayenta")
}

fn code(errors: &KayentaErrors) -> &'static str {
    errors.first().expect("an error").code()
}

fn came<T: serde::Serialize>(result: Result<T, KayentaErrors>) -> Came {
    let document = |value| serde_json::to_value(value).expect("a document");
    result.map(document).map_err(|errors| (code(&errors).to_owned(), errors.to_string()))
}

fn classified(settings: &str, samples: &str) -> Came {
    came((|| {
        let (settings, findings) = MetricSettings::from_json(settings)?;
        let result = classify("metric", &Arms::from_json(samples)?, &settings)?;
        let mut result = serde_json::to_value(result).expect("a document");
        result["findings"] = serde_json::to_value(findings).expect("a document");
        Ok(result)
    })())
}

#[test]
fn stat_1_kayenta_classifies_as_the_cases_say() {
    let mut faults = Vec::new();
    for (file, least) in [("classify.toml", 40), ("intervals.toml", 29)] {
        for case in load::<ClassifyCase>(&cases(), file, least) {
            faults.extend(case.faults(classified));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn judged(case: &JudgeCase) -> Result<Value, KayentaErrors> {
    let config = Config::from_json(&case.config)?;
    let samples = read_samples(&case.samples())?;
    let thresholds = Thresholds { pass: case.pass, marginal: case.marginal };
    let verdict = judge(&config, &samples, thresholds)?;
    assert!(verdict.score != 0.0 || verdict.score.is_sign_positive(), "-0: {}", case.config);
    Ok(serde_json::to_value(verdict).expect("a document"))
}

#[test]
fn stat_1_kayenta_judges_as_the_cases_say() {
    let cases = load::<JudgeCase>(&cases(), "judge.toml", 20);
    let faults: Vec<String> =
        cases.iter().flat_map(|case| case.faults(&came(judged(case)))).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn stat_1_infinite_points_and_bad_settings_are_refused() {
    let arms = Arms { control: vec![1.0, f64::INFINITY], experiment: vec![2.0] };
    let error = classify("m", &arms, &MetricSettings::default()).expect_err("infinite");
    assert_eq!(
        (code(&error), error.first().map(hotfix_core::document::DocumentError::path)),
        ("HF-KAY-003", Some("/m/control"))
    );
    for (tolerance, confidence) in [
        (-0.1, 0.98),
        (f64::NAN, 0.98),
        (0.25, 0.0),
        (0.25, 1.0),
        (0.25, f64::NAN),
        (f64::INFINITY, 0.5),
    ] {
        let settings = MetricSettings { tolerance, confidence, ..MetricSettings::default() };
        let error = classify("m", &Arms::default(), &settings).expect_err("out of range");
        assert_eq!(code(&error), "HF-KAY-006", "{tolerance} {confidence}");
    }
}

#[test]
fn field_5_all_faults_of_a_configuration_have_line_and_column() {
    let text = r#"{"metrics": [
  {"name": 7, "groups": ["all", 1]},
  {"groups": ["all"], "name": "b", "name": "c", "analysisConfigurations": {"canary":
    {"critical": "maybe", "outliers": {"strategy": "remove", "outlierFactor": -1}}}}],
  "classifier": {"groupWeights": {"all": "much"}, "scoreThresholds": []}}"#;
    let errors = Config::from_json(text).expect_err("faults");
    let got: Vec<_> = errors
        .iter()
        .map(|e| (e.line().unwrap(), e.column().unwrap(), e.code(), e.path()))
        .collect();
    let canary = "/metrics/1/analysisConfigurations/canary";
    let (critical, factor) =
        (format!("{canary}/critical"), format!("{canary}/outliers/outlierFactor"));
    let expected = [
        (2, 12, "HF-KAY-002", "/metrics/0/name"),
        (2, 33, "HF-KAY-002", "/metrics/0/groups/1"),
        (3, 36, "HF-KAY-001", "/metrics/1/name"),
        (4, 18, "HF-KAY-002", critical.as_str()),
        (4, 79, "HF-KAY-006", factor.as_str()),
        (5, 42, "HF-KAY-002", "/classifier/groupWeights/all"),
        (5, 70, "HF-KAY-002", "/classifier/scoreThresholds"),
    ];
    assert_eq!(got, expected);
}

/// Counts and continuous values, with ties, from few points to many.
fn sample() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![
        prop::collection::vec((0_u8..6).prop_map(f64::from), 1..40),
        prop::collection::vec(-100.0..100.0_f64, 1..40),
        prop::collection::vec(prop_oneof![Just(0.0), 1e-3..1.0_f64], 1..60),
    ]
}

fn result(control: &[f64], experiment: &[f64], settings: &MetricSettings) -> MetricResult {
    let arms = Arms { control: control.to_vec(), experiment: experiment.to_vec() };
    classify("m", &arms, settings).expect("finite points")
}

fn mirrored(label: Classification) -> Classification {
    match label {
        Classification::High => Classification::Low,
        Classification::Low => Classification::High,
        other => other,
    }
}

proptest! {
    /// By the common-language effect, whose thresholds mirror; the ratio of means does not where signs differ.
    #[test]
    fn stat_1_swapped_arms_mirror_the_exact_result(a in sample(), b in sample()) {
        let settings = MetricSettings { effect_size: EffectSize::of(Measure::CommonLanguage), ..MetricSettings::default() };
        let (there, back) = (result(&a, &b, &settings), result(&b, &a, &settings));
        prop_assert_eq!(there.exact, mirrored(back.exact));
        if let (Some(there), Some(back)) = (there.exact_interval, back.exact_interval) {
            prop_assert_eq!((there.low, there.high), (-back.high, -back.low));
        }
    }

    #[test]
    fn stat_1_a_power_of_two_changes_no_exact_result(a in sample(), b in sample(), power in -40..20) {
        let by = 2.0_f64.powi(power);
        let scaled = |of: &[f64]| of.iter().map(|x| x * by).collect::<Vec<f64>>();
        let settings = MetricSettings::default();
        let (one, other) = (result(&a, &b, &settings), result(&scaled(&a), &scaled(&b), &settings));
        prop_assert_eq!(one.exact, other.exact);
        prop_assert_eq!(one.ratio, other.ratio);
        if let (Some(one), Some(other)) = (one.exact_interval, other.exact_interval) {
            prop_assert_eq!((one.low * by, one.high * by), (other.low, other.high));
        }
    }

    /// Well above the tolerance the root finder finds the place of the jump, whatever the unit.
    #[test]
    fn stat_1_above_the_tolerance_the_root_finder_finds_the_exact_interval(
        a in prop::collection::vec(0.0..1e6_f64, 8..40), b in prop::collection::vec(0.0..2e6_f64, 8..40),
    ) {
        let result = result(&a, &b, &MetricSettings::default());
        let (Some(found), Some(exact)) = (result.interval, result.exact_interval) else {
            return Err(TestCaseError::fail("compared"));
        };
        prop_assert!((found.low - exact.low).abs() <= 2e-4, "{found:?} {exact:?}");
        prop_assert!((found.high - exact.high).abs() <= 2e-4, "{found:?} {exact:?}");
    }

    #[test]
    fn stat_1_the_order_of_points_does_not_matter(a in sample(), b in sample(), turn in 0_usize..60) {
        let settings = MetricSettings::default();
        let turned = |of: &[f64]| {
            let mut of = of.to_vec();
            let by = turn % of.len();
            of.rotate_left(by);
            of.reverse();
            of
        };
        prop_assert_eq!(result(&a, &b, &settings), result(&turned(&a), &turned(&b), &settings));
    }

    /// A direction takes away one side and adds nothing.
    #[test]
    fn stat_1_a_direction_only_takes_away(a in sample(), b in sample()) {
        let either = result(&a, &b, &MetricSettings::default()).classification;
        for (direction, kept) in [(Direction::Increase, Classification::High), (Direction::Decrease, Classification::Low)] {
            let one = result(&a, &b, &MetricSettings { direction, ..MetricSettings::default() }).classification;
            prop_assert!(one == either || (one == Classification::Pass && either == mirrored(kept)) , "{direction:?} {either} {one}");
        }
    }
}

#[test]
fn field_5_tens_of_thousands_of_metrics_groups_and_keys_are_judged_in_time() {
    const MANY: usize = 15_000;
    let metrics: Vec<Value> =
        (0..MANY).map(|n| json!({"name": format!("m{n}"), "groups": [format!("g{n}")]})).collect();
    let mut config = json!({"metrics": metrics});
    for n in 0..MANY {
        config[format!("k{n}")] = Value::Null;
    }
    let arms = json!({"control": [], "experiment": []});
    let samples = Value::Object((0..MANY).map(|n| (format!("m{n}"), arms.clone())).collect());
    let began = Stopwatch::start();
    let config = Config::from_json(&config.to_string()).unwrap();
    let samples = read_samples(&samples.to_string()).unwrap();
    let thresholds = Thresholds { pass: Some(75.0), marginal: Some(50.0) };
    let judged = judge(&config, &samples, thresholds).unwrap();
    // Each name compared with each would take minutes.
    assert!(began.took().as_secs() < 20, "{:?}", began.took());
    assert_eq!((judged.groups.len(), judged.findings.len()), (MANY, MANY));
}
