//! The table of a backtest, the reason that it names, and how long its lists are (FIELD-12).

use std::fmt::Write as _;
use std::sync::Arc;

use hotfix_core::policy::Policy;
use hotfix_core::simulate::backtest::{Backtest, backtest};
use hotfix_core::simulate::recorded::{Assumptions, Format, Mapping, RecordedMetrics};
use hotfix_core::unit::Timestamp;

use crate::recorded::run;
use crate::shared::recorded_cases::Case;
use crate::tree;

/// The example of `docs/backtest.md`, in which one reading is refused.
#[test]
fn field_12_the_table_names_what_the_policies_did_not_read() {
    let mut text = "ts,ce,cn,be,bn\n".to_owned();
    for n in 0..90 {
        let fails = if n == 20 { 120 } else { 12 * u32::from(n >= 30) };
        let _ = writeln!(text, "{},{fails},100,{},900", 1_772_548_920 + 10 * n, n % 5);
    }
    let mapping = r#"{"time": {"from": "ts", "unit": "seconds"}, "metrics": {"error_rate": {
        "canary": {"events": "ce", "trials": "cn"}, "baseline": {"events": "be", "trials": "bn"}}},
        "assume": {"from": "2026-03-03T14:42:00Z"}}"#;
    let mapping = Mapping::from_json(mapping).unwrap();
    let recorded = RecordedMetrics::read(Format::Csv, &text, &mapping).unwrap();
    let policies =
        ["phased-canary", "standard"].map(|name| Arc::new(Policy::preset(name).unwrap()));
    let page = backtest(&policies, &recorded, &mapping.assume).unwrap().to_markdown();
    let lines: Vec<&str> = page.lines().filter(|line| line.starts_with("- ")).collect();
    let expected = [
        "- phased-canary, standard: bug, latency\\_p95, payment\\_success, request\\_volume: a deciding metric that \
         was not recorded: it does not decide in this backtest, and the weights of the others are scaled up \
         (HF-REC-028)",
        "- standard: error\\_rate: readings were refused and are left out: the canary of \\`error\\_rate\\` has 120 \
         events in 100 trials: send \\[events, all trials\\] (HF-MET-003)",
    ];
    assert_eq!(lines, expected, "{page}");
}

/// A verdict that asks names its reason where nothing is rolled back.
#[test]
fn field_12_the_reason_of_a_question_is_that_of_the_table() {
    let cases = Case::load(&tree::root().join("hotfix-core/tests/cases/recorded"));
    let split = cases.iter().find(|case| case.id.ends_with("another-split-than-the-phases"));
    let found = run(split.unwrap()).unwrap();
    let [one] = found.policies.as_slice() else { panic!("{found:?}") };
    assert_eq!((one.first_ask.is_some(), one.why()), (true, "split_not_as_planned"));
}

#[test]
fn field_12_a_list_is_cut_and_says_so() {
    // A level that is beyond its alert bound every other minute for two days and a half.
    let line = |minute: i64| {
        let at = Timestamp::try_from_millis(minute * 60_000).unwrap();
        let level = if minute % 2 == 0 { 1_000 } else { 700 };
        format!(r#"{{"at": "{at}", "metrics": {{"request_volume": {{"canary": {level}}}}}}}"#)
    };
    let text: Vec<String> = (1..3_600).map(line).collect();
    let recorded =
        RecordedMetrics::read(Format::JsonLines, &text.join("\n"), &Mapping::default()).unwrap();
    let policy = r#"
name = "flaps"
extends = "phased-canary"
[metrics.request_volume]
scaled = false
rollback = { remove = true }
success = { remove = true }
"#;
    let policy = Arc::new(Policy::from_toml(policy).unwrap());
    let found = backtest(&[policy], &recorded, &Assumptions::default()).unwrap();
    let one = &found.policies[0];
    assert_eq!(one.would.len(), Backtest::MOST_LISTED);
    assert!(one.findings.iter().any(|finding| finding.code == "HF-REC-034"), "{:?}", one.findings);
}
