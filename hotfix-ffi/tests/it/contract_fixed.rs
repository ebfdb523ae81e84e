//! Tests for one look through C: what each function promises, and the cases that all languages share.

#![allow(
    clippy::unsafe_derive_deserialize,
    reason = "their methods call C functions, their fields promise nothing"
)]

use std::ptr::{null, null_mut};

use hotfix::error::hotfix_error;
use hotfix::fixed::*;
use hotfix::fixed_counts::*;
use hotfix::status::hotfix_status;

use crate::common::{Failed, call, fails, in_crate};

/// An empty result that knows its size.
trait Sized0 {
    fn new() -> Self;
}

macro_rules! results {
    ($($name:ident),+) => {$(
        impl Sized0 for $name {
            fn new() -> Self {
                // SAFETY: all zero bytes are a value of this struct.
                let zero: Self = unsafe { std::mem::zeroed() };
                Self { struct_size: size_of::<Self>(), ..zero }
            }
        }
    )+};
}

results!(
    hotfix_mann_whitney,
    hotfix_shift,
    hotfix_kolmogorov_smirnov,
    hotfix_fisher,
    hotfix_rates,
    hotfix_margin,
    hotfix_apart,
    hotfix_interval
);

const ARM: hotfix_counts = hotfix_counts { events: 3.0, trials: 100.0 };
const EMPTY: hotfix_counts = hotfix_counts { events: 0.0, trials: 0.0 };
const TWO: i32 = hotfix_alternative::TwoSided as i32;
const AUTO: i32 = hotfix_test_method::Auto as i32;
const RATIO: i32 = hotfix_scale::Ratio as i32;

#[test]
fn a_null_pointer_is_an_error_everywhere() {
    let sample = [1.0, 2.0, 4.0];
    let (at, n) = (sample.as_ptr(), sample.len());
    let (mut ranks, mut shift, mut ks) =
        (hotfix_mann_whitney::new(), hotfix_shift::new(), hotfix_kolmogorov_smirnov::new());
    let (ranks, shift, ks) = (&raw mut ranks, &raw mut shift, &raw mut ks);
    fails! { Null:
        hotfix_mann_whitney_u(null(), 1, at, n, TWO, AUTO, true, ranks);
        hotfix_mann_whitney_u(at, n, null(), 1, TWO, AUTO, true, ranks);
        hotfix_mann_whitney_u(at, n, at, n, TWO, AUTO, true, null_mut());
        hotfix_mann_whitney_from_counts(null(), at, n, TWO, true, ranks);
        hotfix_mann_whitney_from_counts(at, null(), n, TWO, true, ranks);
        hotfix_mann_whitney_from_counts(at, at, n, TWO, true, null_mut());
        hotfix_hodges_lehmann(null(), 1, at, n, 0.95, shift);
        hotfix_hodges_lehmann(at, n, null(), 1, 0.95, shift);
        hotfix_hodges_lehmann(at, n, at, n, 0.95, null_mut());
        hotfix_ks_2samp(null(), 1, at, n, TWO, AUTO, ks);
        hotfix_ks_2samp(at, n, null(), 1, TWO, AUTO, ks);
        hotfix_ks_2samp(at, n, at, n, TWO, AUTO, null_mut());
        hotfix_ks_from_counts(null(), at, n, TWO, AUTO, ks);
        hotfix_ks_from_counts(at, null(), n, TWO, AUTO, ks);
        hotfix_ks_from_counts(at, at, n, TWO, AUTO, null_mut());
        hotfix_fisher_exact(ARM, ARM, TWO, null_mut());
        hotfix_poisson_ratio(ARM, ARM, 1.0, TWO, 0.95, null_mut());
        hotfix_non_inferiority(ARM, ARM, 2.0, RATIO, null_mut());
        hotfix_equivalence(ARM, ARM, 2.0, RATIO, null_mut());
        hotfix_wilson(ARM, 0.95, null_mut());
        hotfix_clopper_pearson(ARM, 0.95, null_mut());
        hotfix_newcombe(ARM, ARM, 0.95, null_mut());
    }
}

#[test]
fn field_3_what_is_no_test_is_refused() {
    let (sample, tied) = ([1.0, 2.0, 4.0], [2.0, 2.0, f64::NAN]);
    let (at, n, bad) = (sample.as_ptr(), sample.len(), tied.as_ptr());
    let (mut ranks, mut shift, mut ks) =
        (hotfix_mann_whitney::new(), hotfix_shift::new(), hotfix_kolmogorov_smirnov::new());
    let (ranks, shift, ks) = (&raw mut ranks, &raw mut shift, &raw mut ks);
    let (mut fisher, mut rates, mut margin, mut apart, mut ends) = (
        hotfix_fisher::new(),
        hotfix_rates::new(),
        hotfix_margin::new(),
        hotfix_apart::new(),
        hotfix_interval::new(),
    );
    let exact = hotfix_test_method::Exact as i32;
    fails! { Enum:
        hotfix_mann_whitney_u(at, n, at, n, 0, AUTO, true, ranks);
        hotfix_mann_whitney_u(at, n, at, n, TWO, 4, true, ranks);
        hotfix_mann_whitney_from_counts(at, at, n, -1, true, ranks);
        hotfix_ks_2samp(at, n, at, n, 9, AUTO, ks);
        hotfix_ks_from_counts(at, at, n, TWO, 0, ks);
        hotfix_fisher_exact(ARM, ARM, 0, &raw mut fisher);
        hotfix_poisson_ratio(ARM, ARM, 1.0, 4, 0.95, &raw mut rates);
        hotfix_non_inferiority(ARM, ARM, 2.0, 0, &raw mut margin);
        hotfix_equivalence(ARM, ARM, 2.0, 3, &raw mut apart);
    }
    fails! { Range:
        hotfix_hodges_lehmann(at, usize::MAX, at, n, 0.95, shift);
    }
    fails! { Stat:
        hotfix_mann_whitney_u(null(), 0, at, n, TWO, AUTO, true, ranks);
        hotfix_mann_whitney_u(at, n, bad, 3, TWO, AUTO, true, ranks);
        hotfix_mann_whitney_u(bad, 2, at, n, TWO, exact, true, ranks);
        hotfix_mann_whitney_from_counts(null(), null(), 0, TWO, true, ranks);
        hotfix_hodges_lehmann(at, n, at, n, 1.0, shift);
        hotfix_ks_2samp(at, n, null(), 0, TWO, AUTO, ks);
        hotfix_ks_from_counts(bad, at, n, TWO, AUTO, ks);
        hotfix_fisher_exact(ARM, EMPTY, TWO, &raw mut fisher);
        hotfix_poisson_ratio(ARM, ARM, 0.0, TWO, 0.95, &raw mut rates);
        hotfix_non_inferiority(ARM, ARM, 0.0, RATIO, &raw mut margin);
        hotfix_equivalence(ARM, ARM, 1.0, RATIO, &raw mut apart);
        hotfix_wilson(ARM, 1.0, &raw mut ends);
        hotfix_clopper_pearson(hotfix_counts { events: 5.0, trials: 3.0 }, 0.95, &raw mut ends);
        hotfix_newcombe(ARM, ARM, f64::NAN, &raw mut ends);
    }
    for size in [0, 7, 8, size_of::<hotfix_fisher>() + 4, 1 << 20] {
        (fisher.struct_size, ends.struct_size) = (size, size);
        fails! { Struct:
            hotfix_fisher_exact(ARM, ARM, TWO, &raw mut fisher);
            hotfix_wilson(ARM, 0.95, &raw mut ends);
        }
    }
    // Nothing was written.
    assert_eq!((fisher.p_value, ends.high), (0.0, 0.0));
}

#[test]
fn stat_4_assumptions_are_the_bits_of_the_core() {
    use hotfix_core::stats::fixed::Assumption;
    let ours = [
        (hotfix_assumption::Ties, Assumption::Ties),
        (hotfix_assumption::AllEqual, Assumption::AllEqual),
        (hotfix_assumption::FewSamples, Assumption::FewSamples),
        (hotfix_assumption::Binned, Assumption::Binned),
        (hotfix_assumption::SmallExpected, Assumption::SmallExpected),
        (hotfix_assumption::Sparse, Assumption::Sparse),
    ];
    assert_eq!(ours.map(|(_, core)| core), Assumption::ALL);
    for (bit, core) in ours {
        let set = hotfix_core::stats::fixed::Assumptions::from(vec![core]);
        assert_eq!(i32::from(set.bits()), bit as i32, "{core:?}");
    }
}

#[test]
fn stat_4_what_is_undefined_is_marked() {
    let none = hotfix_counts { events: 0.0, trials: 9.0 };
    let (mut fisher, mut rates) = (hotfix_fisher::new(), hotfix_rates::new());
    // SAFETY: live structs.
    unsafe {
        call(|e| hotfix_fisher_exact(none, none, TWO, &raw mut fisher, e)).unwrap();
        call(|e| hotfix_poisson_ratio(none, none, 1.0, TWO, 0.95, &raw mut rates, e)).unwrap();
    }
    assert!(fisher.has_odds_ratio == 0 && fisher.odds_ratio.is_nan() && fisher.p_value == 1.0);
    assert!(rates.has_ratio == 0 && rates.ratio.is_nan() && rates.high == f64::INFINITY);
    assert_eq!(
        fisher.assumptions,
        hotfix_assumption::SmallExpected as u32 | hotfix_assumption::Sparse as u32
    );
}

// ---- the shared cases ----

#[derive(serde::Deserialize)]
struct File {
    case: Vec<Case>,
}

/// The form is described at the head of `cases/stat/fixed.toml`.
#[derive(serde::Deserialize)]
struct Case {
    id: String,
    test: String,
    arguments: toml::Table,
    near: f64,
    expect: toml::Table,
    #[serde(default)]
    absent: Vec<String>,
}

/// Calls with an empty result, and gives it back filled.
fn result<T: Sized0>(
    function: impl FnOnce(*mut T, *mut *mut hotfix_error) -> hotfix_status,
) -> Result<T, Failed> {
    let mut out = T::new();
    call(|error| function(&raw mut out, error))?;
    Ok(out)
}

/// Names of a result with their numbers; an absent one has none.
type Seen = Vec<(&'static str, Vec<f64>)>;

fn some(has: u32, value: f64) -> Vec<f64> {
    if has == 1 { vec![value] } else { Vec::new() }
}

fn of_ranks(test: &hotfix_mann_whitney) -> Seen {
    vec![
        ("u", vec![test.u]),
        ("p_value", vec![test.p_value]),
        ("common_language", vec![test.common_language]),
    ]
}

fn of_functions(test: &hotfix_kolmogorov_smirnov) -> Seen {
    vec![("statistic", vec![test.statistic]), ("p_value", vec![test.p_value])]
}

impl Case {
    fn number(&self, name: &str, default: f64) -> f64 {
        let value = self.arguments.get(name);
        value.map_or(default, |value| value.clone().try_into().unwrap())
    }

    fn values(&self, name: &str) -> Vec<f64> {
        self.arguments[name].clone().try_into().unwrap()
    }

    fn arm(&self, name: &str) -> hotfix_counts {
        let pair = self.values(name);
        hotfix_counts { events: pair[0], trials: pair[1] }
    }

    fn one_of(&self, name: &str, known: &[&str]) -> i32 {
        let given = self.arguments.get(name).and_then(toml::Value::as_str).unwrap_or(known[0]);
        i32::try_from(known.iter().position(|one| *one == given).unwrap()).unwrap() + 1
    }

    fn of_samples(&self) -> Result<Seen, Failed> {
        let alternative = self.one_of("alternative", &["two-sided", "less", "greater"]);
        let method = self.one_of("method", &["auto", "asymptotic", "exact"]);
        let continuity =
            self.arguments.get("continuity").and_then(toml::Value::as_bool).unwrap_or(true);
        let confidence = self.number("confidence", 0.95);
        let samples = || (self.values("x"), self.values("y"));
        // SAFETY: live structs and samples.
        Ok(unsafe {
            match self.test.as_str() {
                "mann_whitney_u" => {
                    let (x, y) = samples();
                    let (x, n, y, m) = (x.as_ptr(), x.len(), y.as_ptr(), y.len());
                    of_ranks(&result(|out, e| {
                        hotfix_mann_whitney_u(x, n, y, m, alternative, method, continuity, out, e)
                    })?)
                }
                "mann_whitney_from_counts" => {
                    let (x, y) = samples();
                    let (x, y, n) = (x.as_ptr(), y.as_ptr(), x.len());
                    of_ranks(&result(|out, e| {
                        hotfix_mann_whitney_from_counts(x, y, n, alternative, continuity, out, e)
                    })?)
                }
                "ks_2samp" => {
                    let (x, y) = samples();
                    let (x, n, y, m) = (x.as_ptr(), x.len(), y.as_ptr(), y.len());
                    of_functions(&result(|out, e| {
                        hotfix_ks_2samp(x, n, y, m, alternative, method, out, e)
                    })?)
                }
                "ks_from_counts" => {
                    let (x, y) = samples();
                    let (x, y, n) = (x.as_ptr(), y.as_ptr(), x.len());
                    of_functions(&result(|out, e| {
                        hotfix_ks_from_counts(x, y, n, alternative, method, out, e)
                    })?)
                }
                "hodges_lehmann" => {
                    let (x, y) = samples();
                    let (x, n, y, m) = (x.as_ptr(), x.len(), y.as_ptr(), y.len());
                    let found: hotfix_shift =
                        result(|out, e| hotfix_hodges_lehmann(x, n, y, m, confidence, out, e))?;
                    vec![("shift", vec![found.shift]), ("interval", vec![found.low, found.high])]
                }
                other => panic!("{}: no test `{other}`", self.id),
            }
        })
    }

    fn of_counts(&self) -> Result<Seen, Failed> {
        let alternative = self.one_of("alternative", &["two-sided", "less", "greater"]);
        let scale = self.one_of("scale", &["ratio", "difference"]);
        let (confidence, margin) = (self.number("confidence", 0.95), self.number("margin", 0.0));
        let ends = |ends: &hotfix_interval| vec![("interval", vec![ends.low, ends.high])];
        let arms = || (self.arm("canary"), self.arm("baseline"));
        // SAFETY: live structs.
        Ok(unsafe {
            match self.test.as_str() {
                "fisher_exact" => {
                    let (canary, baseline) = arms();
                    let test: hotfix_fisher = result(|out, e| {
                        hotfix_fisher_exact(canary, baseline, alternative, out, e)
                    })?;
                    vec![
                        ("p_value", vec![test.p_value]),
                        ("odds_ratio", some(test.has_odds_ratio, test.odds_ratio)),
                        ("difference", vec![test.difference]),
                    ]
                }
                "poisson_ratio" => {
                    let ((canary, baseline), ratio) = (arms(), self.number("ratio", 1.0));
                    let test: hotfix_rates = result(|out, e| {
                        hotfix_poisson_ratio(
                            canary,
                            baseline,
                            ratio,
                            alternative,
                            confidence,
                            out,
                            e,
                        )
                    })?;
                    vec![
                        ("p_value", vec![test.p_value]),
                        ("ratio", some(test.has_ratio, test.ratio)),
                        ("interval", vec![test.low, test.high]),
                    ]
                }
                "non_inferiority" => {
                    let (canary, baseline) = arms();
                    let test: hotfix_margin = result(|out, e| {
                        hotfix_non_inferiority(canary, baseline, margin, scale, out, e)
                    })?;
                    vec![
                        ("z", vec![test.z]),
                        ("p_value", vec![test.p_value]),
                        ("restricted", vec![test.restricted_canary, test.restricted_baseline]),
                    ]
                }
                "equivalence" => {
                    let (canary, baseline) = arms();
                    let test: hotfix_apart = result(|out, e| {
                        hotfix_equivalence(canary, baseline, margin, scale, out, e)
                    })?;
                    assert_eq!(test.p_value, test.p_not_worse.max(test.p_not_better));
                    vec![("p_value", vec![test.p_value])]
                }
                "clopper_pearson" => {
                    let (events, trials) = (self.number("events", 0.0), self.number("trials", 0.0));
                    let counts = hotfix_counts { events, trials };
                    ends(&result(|out, e| hotfix_clopper_pearson(counts, confidence, out, e))?)
                }
                "newcombe" => {
                    let (canary, baseline) = arms();
                    ends(&result(|out, e| hotfix_newcombe(canary, baseline, confidence, out, e))?)
                }
                other => panic!("{}: no test `{other}`", self.id),
            }
        })
    }

    fn faults(&self) -> Vec<String> {
        let of_samples = self.arguments.contains_key("x");
        let seen = if of_samples { self.of_samples() } else { self.of_counts() };
        let seen = seen.unwrap_or_else(|failed| panic!("{}: {failed:?}", self.id));
        let mut faults = Vec::new();
        for (name, got) in &seen {
            let wanted: Vec<f64> = match self.expect.get(*name) {
                Some(toml::Value::Array(list)) => {
                    list.iter().filter_map(toml::Value::as_float).collect()
                }
                Some(one) => one.as_float().into_iter().collect(),
                None if self.absent.iter().any(|absent| absent == name) => Vec::new(),
                None => continue,
            };
            let near = |(a, b): (&f64, &f64)| a == b || (a - b).abs() <= self.near * b.abs();
            if got.len() != wanted.len() || !got.iter().zip(&wanted).all(near) {
                faults.push(format!("{}: {name} {got:?}, expected {wanted:?}", self.id));
            }
        }
        faults
    }
}

#[test]
fn stat_1_stat_3_fixed_cases_come_out_in_c_as_they_say() {
    let path = in_crate("../hotfix-core/tests/cases/stat/fixed.toml");
    let file: File = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(file.case.len() > 200, "only {} cases", file.case.len());
    let faults: Vec<String> = file.case.iter().flat_map(Case::faults).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
