//! Fixed-horizon tests against exact references, as the bindings run them too, and what they refuse.

use hotfix_core::stats::fixed::{
    Alternative, Assumption, Method, Scale, clopper_pearson, equivalence, fisher_exact,
    hodges_lehmann, ks_2samp, ks_from_counts, mann_whitney_from_counts, mann_whitney_u, newcombe,
    non_inferiority, poisson_ratio,
};
use hotfix_core::stats::interval::Interval;
use hotfix_core::stats::{Counts, StatError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

const CASES: &str = include_str!("../cases/stat/fixed.toml");

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

/// The form is described at the head of `cases/stat/fixed.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    test: String,
    arguments: Arguments,
    near: f64,
    expect: toml::Table,
    #[serde(default)]
    absent: Vec<String>,
}

#[derive(Deserialize)]
struct Arguments(toml::Table);

impl Arguments {
    fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        self.0.get(name).map(|value| value.clone().try_into().expect("an argument of its kind"))
    }

    fn or<T: DeserializeOwned>(&self, name: &str, default: T) -> T {
        self.get(name).unwrap_or(default)
    }

    fn counts(&self, name: &str) -> Counts {
        let [events, trials]: [f64; 2] = self.get(name).expect("an arm");
        Counts::new(events, trials)
    }

    fn values(&self, name: &str) -> Vec<f64> {
        self.get(name).expect("a sample")
    }
}

impl Case {
    /// What the test says, as a document.
    fn run(&self) -> Result<Value, StatError> {
        let a = &self.arguments;
        let alternative = a.or("alternative", Alternative::TwoSided);
        let (method, confidence) = (a.or("method", Method::Auto), a.or("confidence", 0.95));
        let (scale, continuity) = (a.or("scale", Scale::Ratio), a.or("continuity", true));
        let margin = || a.get("margin").expect("a margin");
        Ok(match self.test.as_str() {
            "fisher_exact" => {
                document(fisher_exact(a.counts("canary"), a.counts("baseline"), alternative)?)
            }
            "poisson_ratio" => document(poisson_ratio(
                a.counts("canary"),
                a.counts("baseline"),
                a.or("ratio", 1.0),
                alternative,
                confidence,
            )?),
            "clopper_pearson" => {
                let counts = Counts::new(a.or("events", 0.0), a.or("trials", 0.0));
                json!({"interval": clopper_pearson(counts, confidence)?})
            }
            "newcombe" => {
                let interval = newcombe(a.counts("canary"), a.counts("baseline"), confidence)?;
                json!({"interval": interval})
            }
            "non_inferiority" => document(non_inferiority(
                a.counts("canary"),
                a.counts("baseline"),
                margin(),
                scale,
            )?),
            "equivalence" => {
                document(equivalence(a.counts("canary"), a.counts("baseline"), margin(), scale)?)
            }
            "mann_whitney_u" => document(mann_whitney_u(
                &a.values("x"),
                &a.values("y"),
                alternative,
                method,
                continuity,
            )?),
            "mann_whitney_from_counts" => document(mann_whitney_from_counts(
                &a.values("x"),
                &a.values("y"),
                alternative,
                continuity,
            )?),
            "hodges_lehmann" => {
                document(hodges_lehmann(&a.values("x"), &a.values("y"), confidence)?)
            }
            "ks_2samp" => document(ks_2samp(&a.values("x"), &a.values("y"), alternative, method)?),
            "ks_from_counts" => {
                document(ks_from_counts(&a.values("x"), &a.values("y"), alternative, method)?)
            }
            other => panic!("{}: no test `{other}`", self.id),
        })
    }

    fn differences(&self) -> Vec<String> {
        let got = match self.run() {
            Ok(got) => got,
            Err(error) => return vec![format!("{}: {error}", self.id)],
        };
        let mut found: Vec<String> = self
            .absent
            .iter()
            .filter(|name| got.get(name.as_str()).is_some())
            .map(|name| format!("{}: `{name}` is there", self.id))
            .collect();
        for (name, wanted) in &self.expect {
            let wanted: Vec<f64> = match wanted {
                toml::Value::Array(ends) => ends.iter().filter_map(toml::Value::as_float).collect(),
                one => one.as_float().into_iter().collect(),
            };
            let got = numbers(got.get(name));
            let same = |(got, wanted): (&f64, &f64)| near(*got, *wanted, self.near);
            if got.len() != wanted.len() || !got.iter().zip(&wanted).all(same) {
                found.push(format!("{}: {name} {got:?}, expected {wanted:?}", self.id));
            }
        }
        found
    }
}

fn document(result: impl serde::Serialize) -> Value {
    serde_json::to_value(result).expect("a result is a document")
}

/// A number, both ends of an interval, or a pair; null is infinite, below zero at a lower end.
fn numbers(value: Option<&Value>) -> Vec<f64> {
    let end = |value: &Value, infinite: f64| value.as_f64().unwrap_or(infinite);
    match value {
        Some(Value::Object(ends)) => {
            vec![end(&ends["low"], f64::NEG_INFINITY), end(&ends["high"], f64::INFINITY)]
        }
        Some(Value::Array(pair)) => pair.iter().map(|one| end(one, f64::INFINITY)).collect(),
        Some(one) => vec![end(one, f64::INFINITY)],
        None => Vec::new(),
    }
}

fn near(got: f64, wanted: f64, relative: f64) -> bool {
    got == wanted || (got - wanted).abs() <= relative * wanted.abs()
}

#[test]
fn stat_1_stat_3_stat_4_fixed_cases() {
    let cases: Cases = toml::from_str(CASES).expect("cases parse");
    assert!(cases.case.len() > 200, "only {} cases", cases.case.len());
    let found: Vec<String> = cases.case.iter().flat_map(Case::differences).collect();
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
}

/// Relative errors of `statrs` and of ours on the same tail, or nothing where it takes minutes.
fn errors(case: &Case) -> Option<(f64, f64)> {
    use statrs::distribution::{Binomial, DiscreteCDF, Hypergeometric};
    let a = &case.arguments;
    let (canary, baseline) = (a.counts("canary"), a.counts("baseline"));
    let (x, events) = (canary.events, canary.events + baseline.events);
    let greater = match a.or("alternative", Alternative::TwoSided) {
        Alternative::Greater => true,
        Alternative::Less => false,
        Alternative::TwoSided => return None,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole counts")]
    let whole = |value: f64| value as u64;
    let theirs = if case.test == "fisher_exact" {
        if events > 1e6 {
            return None;
        }
        let trials = whole(canary.trials + baseline.trials);
        let law = Hypergeometric::new(trials, whole(events), whole(canary.trials)).ok()?;
        if !greater {
            law.cdf(whole(x))
        } else if x == 0.0 {
            1.0
        } else {
            law.sf(whole(x) - 1)
        }
    } else {
        let odds = a.or("ratio", 1.0) * canary.trials / baseline.trials;
        let law = Binomial::new(odds / (1.0 + odds), whole(events)).ok()?;
        if !greater {
            law.cdf(whole(x))
        } else if x == 0.0 {
            1.0
        } else {
            law.sf(whole(x) - 1)
        }
    };
    let wanted = case.expect.get("p_value")?.as_float()?;
    let ours = case.run().expect("valid")["p_value"].as_f64()?;
    let error = |got: f64| if got == wanted { 0.0 } else { (got - wanted).abs() / wanted };
    Some((error(theirs), error(ours)))
}

/// Why the laws are our own: `docs/decisions/own-distributions.md`, with the worst of the errors that this prints.
#[test]
fn stat_1_our_laws_keep_the_digits_that_statrs_loses() {
    let cases: Cases = toml::from_str(CASES).expect("cases parse");
    let mut lost = (0, 0);
    println!("| case | statrs | ours |\n|---|---|---|");
    for case in cases
        .case
        .iter()
        .filter(|case| ["fisher_exact", "poisson_ratio"].contains(&case.test.as_str()))
    {
        let Some((theirs, ours)) = errors(case) else { continue };
        let name = case.id.trim_start_matches("STAT-1.");
        println!("| {name} | {theirs:.0e} | {ours:.0e} |");
        assert!(ours <= case.near, "{name}: {ours:e}");
        if theirs > case.near {
            if case.test == "fisher_exact" { lost.0 += 1 } else { lost.1 += 1 }
        }
    }
    assert!(lost.0 > 0 && lost.1 > 0, "statrs is good enough here now ({lost:?}): use it");
}

#[test]
fn stat_1_results_survive_a_document() {
    // Also where a figure is infinite or absent.
    let back = |document: &Map<String, Value>, wanted: &Value| assert_eq!(&json!(document), wanted);
    let cases: Cases = toml::from_str(CASES).expect("cases parse");
    for case in cases.case.iter().filter(|case| case.test == "fisher_exact") {
        let got = case.run().expect("valid");
        let read: hotfix_core::stats::fixed::Fisher =
            serde_json::from_value(got.clone()).expect("reads");
        let Value::Object(again) = document(read) else { panic!("an object") };
        back(&again, &got);
        assert_eq!(read.odds_ratio.is_none(), got.get("odds_ratio").is_none(), "{}", case.id);
    }
    let wide = hodges_lehmann(&[1.0], &[2.0], 0.95).expect("valid");
    assert_eq!(wide.interval, Interval { low: f64::NEG_INFINITY, high: f64::INFINITY });
    let text = serde_json::to_string(&wide).expect("writes");
    assert_eq!(
        serde_json::from_str::<hotfix_core::stats::fixed::Shift>(&text).expect("reads"),
        wide
    );
}

#[test]
fn field_3_what_is_no_data_is_an_error_with_its_place() {
    let some = [1.0, 2.0];
    let rank = |x: &[f64], y: &[f64], method| {
        mann_whitney_u(x, y, Alternative::TwoSided, method, true).expect_err("refused")
    };
    let code = |error: StatError| error.code();
    assert_eq!(code(rank(&[], &some, Method::Auto)), "HF-STAT-040");
    let nan = rank(&some, &[0.0, f64::NAN], Method::Auto);
    assert!(nan.code() == "HF-STAT-048" && nan.to_string().contains("`y[1]`"), "{nan}");
    assert_eq!(code(rank(&[f64::NEG_INFINITY], &some, Method::Auto)), "HF-STAT-048");
    assert_eq!(code(rank(&some, &some, Method::Exact)), "HF-STAT-045");
    let many: Vec<f64> = (0..400).map(f64::from).collect();
    let others: Vec<f64> = many.iter().map(|value| value + 0.5).collect();
    assert_eq!(code(rank(&many, &others, Method::Exact)), "HF-STAT-044");
    let ks = |x: &[f64], y: &[f64]| {
        ks_2samp(x, y, Alternative::Less, Method::Auto).map_err(|error| error.code())
    };
    assert_eq!(ks(&some, &[]).expect_err("empty"), "HF-STAT-040");
    assert_eq!(hodges_lehmann(&some, &[], 0.95).map_err(code), Err("HF-STAT-040"));
    assert_eq!(hodges_lehmann(&some, &some, 1.0).map_err(code), Err("HF-STAT-021"));
    let histogram = |x: &[f64], y: &[f64]| {
        mann_whitney_from_counts(x, y, Alternative::Less, true).expect_err("refused").code()
    };
    assert_eq!(histogram(&[1.0, 2.0], &[1.0]), "HF-STAT-046");
    assert_eq!(histogram(&[0.0, 0.0], &[1.0, 1.0]), "HF-STAT-040");
    assert_eq!(histogram(&[1.0, 0.5], &[1.0, 1.0]), "HF-STAT-042");
    assert_eq!(histogram(&[1.0, -1.0], &[1.0, 1.0]), "HF-STAT-003");
    assert_eq!(histogram(&[1.0, f64::NAN], &[1.0, 1.0]), "HF-STAT-002");
    let (arm, empty) = (Counts::new(3.0, 100.0), Counts::new(0.0, 0.0));
    let fisher = |a, b| fisher_exact(a, b, Alternative::TwoSided).map_err(code);
    assert_eq!(fisher(arm, empty), Err("HF-STAT-041"));
    assert_eq!(fisher(Counts::new(0.5, 3.0), arm), Err("HF-STAT-042"));
    assert_eq!(fisher(Counts::new(5.0, 3.0), arm), Err("HF-STAT-004"));
    assert_eq!(fisher(arm, Counts::new(f64::INFINITY, 3.0)), Err("HF-STAT-002"));
    let huge = Counts::new(1e15, 2e15);
    assert_eq!(fisher(huge, huge), Err("HF-STAT-044"));
    let poisson = |a, b, ratio| poisson_ratio(a, b, ratio, Alternative::Less, 0.95).map_err(code);
    assert_eq!(poisson(arm, empty, 1.0), Err("HF-STAT-041"));
    assert_eq!(poisson(arm, arm, 0.0), Err("HF-STAT-047"));
    assert_eq!(poisson(arm, arm, f64::NAN), Err("HF-STAT-047"));
    assert_eq!(poisson(Counts::new(1.0, 1e-300), Counts::new(1.0, 1e15), 1.0), Err("HF-STAT-047"));
    assert_eq!(clopper_pearson(huge, 0.95).map_err(code), Err("HF-STAT-044"));
    let margin = |margin, scale| non_inferiority(arm, arm, margin, scale).map_err(code);
    assert_eq!(margin(0.0, Scale::Ratio), Err("HF-STAT-012"));
    assert_eq!(margin(1.0, Scale::Difference), Err("HF-STAT-043"));
    assert_eq!(margin(f64::NAN, Scale::Difference), Err("HF-STAT-043"));
    assert_eq!(equivalence(arm, arm, 1.0, Scale::Ratio).map_err(code), Err("HF-STAT-049"));
    assert_eq!(equivalence(arm, arm, 0.0, Scale::Difference).map_err(code), Err("HF-STAT-049"));
    assert_eq!(newcombe(arm, empty, 0.0).map_err(code), Err("HF-STAT-021"));
}

#[test]
fn stat_4_what_was_checked_is_told() {
    let found = |assumptions: hotfix_core::stats::fixed::Assumptions| -> Vec<&'static str> {
        assumptions.iter().map(Assumption::as_str).collect()
    };
    let mw = |x: &[f64], y: &[f64], method| {
        let test = mann_whitney_u(x, y, Alternative::TwoSided, method, true).expect("valid");
        (found(test.assumptions), test.p_value, test.exact)
    };
    let (x, y) = ([1.0, 2.0, 3.0], [2.5, 3.5, 4.5, 5.5]);
    assert_eq!(mw(&x, &y, Method::Auto).0, Vec::<&str>::new());
    assert!(mw(&x, &y, Method::Auto).2);
    assert_eq!(mw(&x, &y, Method::Asymptotic).0, ["few_samples"]);
    assert_eq!(mw(&x, &x, Method::Auto).0, ["ties", "few_samples"]);
    let equal = mw(&[7.0; 9], &[7.0; 20], Method::Auto);
    assert_eq!((equal.0, equal.1), (vec!["ties", "all_equal"], 1.0));
    let ks = ks_2samp(&[7.0; 9], &[7.0; 20], Alternative::TwoSided, Method::Auto).expect("valid");
    assert_eq!((found(ks.assumptions), ks.p_value), (vec!["ties", "all_equal"], 1.0));
    let binned = mann_whitney_from_counts(&[90.0, 5.0], &[80.0, 9.0], Alternative::Less, true);
    assert_eq!(found(binned.expect("valid").assumptions), ["ties", "binned"]);
    let fisher =
        |a, b| found(fisher_exact(a, b, Alternative::Less).expect("valid counts").assumptions);
    let many = Counts::new(500.0, 1000.0);
    assert_eq!(fisher(many, many), Vec::<&str>::new());
    assert_eq!(fisher(Counts::new(0.0, 1000.0), many), ["sparse"]);
    assert_eq!(fisher(Counts::new(1.0, 1000.0), Counts::new(2.0, 1000.0)), ["small_expected"]);
}

#[test]
fn stat_1_an_interval_that_covers_exactly_the_confidence_is_given() {
    // Of 20 arrangements two are outside.
    let found = hodges_lehmann(&[0.1, 1.2, 2.3], &[0.0, 0.5, 0.7], 0.9).expect("valid");
    assert_eq!(found.interval, Interval { low: 0.1 - 0.7, high: 2.3 });
    let found = hodges_lehmann(&[0.1, 1.2, 2.3], &[0.0, 0.5, 0.7], 0.9001).expect("valid");
    assert_eq!(found.interval.high, f64::INFINITY);
}

#[test]
fn stat_1_a_shift_of_nothing_has_no_sign() {
    let found = hodges_lehmann(&[1.0, 2.0, 3.0, 4.0, 5.5], &[2.0, 3.0, 9.0, 1.0], 0.95);
    let found = found.expect("valid");
    assert!(found.shift == 0.0 && found.shift.is_sign_positive(), "{found:?}");
}
