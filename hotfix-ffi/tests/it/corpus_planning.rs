//! The shared cases of planning and calibration through the C functions.

#![allow(
    clippy::unsafe_derive_deserialize,
    reason = "their methods call C functions, their fields promise nothing"
)]

use std::collections::BTreeMap;

use hotfix::instances::hotfix_calibrate;
use hotfix::planning::*;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::common::{buffer, call, in_crate, raw};

fn load<T: serde::de::DeserializeOwned>(name: &str) -> Vec<T> {
    #[derive(Deserialize)]
    struct File<T> {
        case: Vec<T>,
    }
    let path = in_crate("../hotfix-core/tests/cases/stat").join(name);
    toml::from_str::<File<T>>(&std::fs::read_to_string(path).unwrap()).unwrap().case
}

fn differs(got: f64, want: f64) -> bool {
    got != want && (got - want).abs() > 1e-9 * want.abs()
}

#[derive(Deserialize)]
struct Planned {
    id: String,
    ask: String,
    of: Vec<f64>,
    expect: BTreeMap<String, f64>,
}

impl Planned {
    fn answer(&self) -> BTreeMap<&'static str, f64> {
        let of = &self.of;
        let or = |at: usize, usual: f64| of.get(at).copied().unwrap_or(usual);
        // The tolerance comes after what is asked, the alpha after the tolerance.
        let tolerated = if self.ask == "chance_to_decide" { 5 } else { 4 };
        let is_promotion = self.ask == "chance_to_promote";
        let asked = hotfix_comparison {
            struct_size: size_of::<hotfix_comparison>(),
            requests_per_minute: of[0],
            share: of[1],
            base_rate: of[2],
            tolerated: if is_promotion { 0.0 } else { or(tolerated, 0.0) },
            alpha: if is_promotion { 0.0 } else { or(tolerated + 1, 0.0) },
            tick_seconds: 0.0,
            threshold: 0.0,
        };
        let asked = &raw const asked;
        let mut figure = 0.0;
        let mut chance =
            hotfix_chance { struct_size: size_of::<hotfix_chance>(), chance: 0.0, approximate: 1 };
        // SAFETY: all zero bytes are a value; live pointers.
        unsafe {
            let mut time: hotfix_detection_time = std::mem::zeroed();
            time.struct_size = size_of::<hotfix_detection_time>();
            let name = match self.ask.as_str() {
                "time_to_detect" => {
                    call(|e| hotfix_time_to_detect(asked, of[3], &raw mut time, e)).unwrap();
                    return BTreeMap::from([("bound", time.bound), ("expected", time.expected)]);
                }
                "chance_to_decide" => {
                    call(|e| hotfix_chance_to_decide(asked, of[3], of[4], &raw mut chance, e))
                        .unwrap();
                    assert_eq!(chance.approximate, 0, "{}", self.id);
                    return BTreeMap::from([("chance", chance.chance)]);
                }
                "chance_to_promote" => {
                    let (margin, alpha, out) = (or(5, 2.0), or(6, 0.05), &raw mut chance);
                    call(|e| hotfix_chance_to_promote(asked, of[3], of[4], margin, alpha, out, e))
                        .unwrap();
                    return BTreeMap::from([("chance", chance.chance)]);
                }
                "detectable_ratio" => {
                    let power = or(6, 0.8);
                    call(|e| hotfix_detectable_ratio(asked, of[3], power, &raw mut figure, e))
                        .unwrap();
                    "ratio"
                }
                "gate_pass_chance" => {
                    call(|e| hotfix_gate_pass_chance(of[0], of[1], of[2], &raw mut figure, e))
                        .unwrap();
                    "chance"
                }
                "fixed_horizon_ratio" => {
                    let out = &raw mut figure;
                    call(|e| hotfix_fixed_horizon_ratio(of[0], of[1], of[2], of[3], of[4], out, e))
                        .unwrap();
                    "ratio"
                }
                other => panic!("{}: nobody asks {other}", self.id),
            };
            BTreeMap::from([(name, figure)])
        }
    }
}

#[test]
fn plan_6_planning_cases_come_out_in_c_as_they_say() {
    let mut wrong = Vec::new();
    for case in load::<Planned>("planning.toml") {
        let got = case.answer();
        for (what, want) in &case.expect {
            if differs(got[what.as_str()], *want) {
                wrong.push(format!("{}: {what} {got:?}, expected {want:e}", case.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[derive(Deserialize)]
struct Calibrated {
    id: String,
    settings: Value,
    events: Vec<String>,
    expect: BTreeMap<String, f64>,
}

impl Calibrated {
    fn history(&self) -> Value {
        let of = |(pod, line): (usize, &String)| {
            let pair = |(tick, digit): (usize, char)| {
                json!([digit.to_digit(10).unwrap(), 40 + (7 * pod + tick) % 9])
            };
            (format!("pod-{pod:02}"), line.chars().enumerate().map(pair).collect())
        };
        Value::Object(self.events.iter().enumerate().map(of).collect())
    }
}

#[test]
fn stat_2_calibration_cases_come_out_in_c_as_they_say() {
    let mut wrong = Vec::new();
    for case in load::<Calibrated>("calibration.toml") {
        let (history, settings) = (case.history().to_string(), case.settings.to_string());
        let ((history, n), (settings, len)) = (raw(&history), raw(&settings));
        // SAFETY: live text and slot.
        let text = buffer(|out, e| unsafe { hotfix_calibrate(history, n, settings, len, out, e) });
        let got: Value = serde_json::from_str(&text.unwrap()).unwrap();
        for (what, want) in &case.expect {
            if got[what].as_f64().is_none_or(|got| differs(got, *want)) {
                wrong.push(format!("{}: {what} {}, expected {want:e}", case.id, got[what]));
            }
        }
        if !case.expect.contains_key("dispersion") && !got["dispersion"].is_null() {
            wrong.push(format!("{}: a dispersion of nothing", case.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
