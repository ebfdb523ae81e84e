//! The shared cases of the latency test through the C functions.

#![allow(
    clippy::unsafe_derive_deserialize,
    reason = "their methods call C functions, their fields promise nothing"
)]

use std::ptr::null_mut;

use hotfix::latency::*;
use hotfix::sequential_test::*;
use serde::Deserialize;
use serde_json::Value;

use crate::common::{buffer, call, in_crate, raw};

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    boundaries: usize,
    settings: Value,
    updates: Vec<Update>,
    repeat: usize,
    expect: Expected,
}

#[derive(Deserialize)]
struct Update {
    canary: Vec<f64>,
    of_canary: f64,
    baseline: Vec<f64>,
    of_baseline: f64,
}

#[derive(Deserialize)]
struct Expected {
    log_e: f64,
    p_value: f64,
    decided_at: usize,
}

fn near(got: f64, wanted: f64) -> bool {
    (got - wanted).abs() <= 1e-9 * wanted.abs().max(1.0)
}

impl Case {
    fn faults(&self) -> Option<String> {
        let mut settings = self.settings.clone();
        settings["boundaries"] = self.boundaries.into();
        let settings = settings.to_string();
        let ((at, len), mut test) = (raw(&settings), null_mut());
        // SAFETY: live text, arrays and slots; every handle is freed once.
        unsafe {
            call(|error| hotfix_latency_new(at, len, &raw mut test, error)).unwrap();
            let mut decided_at = 0;
            let ticks = (0..self.repeat).flat_map(|_| &self.updates);
            for (tick, Update { canary, of_canary, baseline, of_baseline }) in ticks.enumerate() {
                let (mut decided, all) = (false, self.boundaries);
                let (canary, baseline) = (canary.as_ptr(), baseline.as_ptr());
                let out = &raw mut decided;
                call(|error| {
                    hotfix_latency_update(
                        test,
                        canary,
                        *of_canary,
                        baseline,
                        *of_baseline,
                        all,
                        out,
                        error,
                    )
                })
                .unwrap();
                if decided && decided_at == 0 {
                    decided_at = tick + 1;
                }
            }
            // What is read back is the same test.
            let bytes = buffer(|out, error| hotfix_test_to_bytes(test, out, error)).unwrap();
            let ((at, len), mut again) = (raw(&bytes), null_mut());
            call(|error| hotfix_test_from_bytes(at, len, &raw mut again, error)).unwrap();
            let mut seen: hotfix_evidence = std::mem::zeroed();
            seen.struct_size = size_of::<hotfix_evidence>();
            call(|error| hotfix_test_evidence(again, &raw mut seen, error)).unwrap();
            hotfix_test_free(again);
            hotfix_test_free(test);
            let same = near(seen.log_e, self.expect.log_e)
                && near(seen.p_value, self.expect.p_value)
                && decided_at == self.expect.decided_at;
            (!same).then(|| format!("{}: {seen:?}, decided at {decided_at}", self.id))
        }
    }
}

#[test]
fn stat_1_latency_cases_come_out_in_c_as_they_say() {
    let path = in_crate("../hotfix-core/tests/cases/stat/latency.toml");
    let cases: Cases = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(cases.case.len() > 8);
    let faults: Vec<String> = cases.case.iter().filter_map(Case::faults).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
