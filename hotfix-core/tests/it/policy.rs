//! The policy format: cases that C and Python run too, the figures of the presets, limits.

use hotfix_core::code::{self, Family};
use hotfix_core::fact::Facts;
use hotfix_core::grade::{
    BoundBase, Calendar, DutyKind, GateMode, Hotfix, MetricKind, Moment, PromotionRule,
    Refactoring, Response, ReviewTime, Severity, Signal, Worse,
};
use hotfix_core::lint::Level;
use hotfix_core::policy::section::{Bound, BoundValue, Due};
use hotfix_core::policy::{Policy, PolicyErrors};
use hotfix_core::unit::Span;
use serde_json::{Value, json};

use crate::policy_common::{apply, example, parse_cases, validated, whole};

#[test]
fn field_5_every_case_is_refused_with_its_codes_and_places() {
    let mut wrong = Vec::new();
    for case in parse_cases() {
        let resolve = |name: &str| case.bases.get(name).cloned();
        let read = match (&case.policy, &case.toml, &case.json) {
            (Some(name), None, None) => {
                let mut document: Value =
                    serde_json::from_str(&Policy::preset(name).unwrap().to_json()).unwrap();
                apply(&mut document, &case.set, &case.remove);
                validated(&document, &case.id);
                Policy::from_json_with(&document.to_string(), resolve)
            }
            (None, Some(text), None) => Policy::from_toml_with(text, resolve),
            (None, None, Some(text)) => Policy::from_json_with(text, resolve),
            _ => panic!("{}: one of policy, toml, json", case.id),
        };
        if let Ok(policy) = &read {
            let outcome: Value = serde_json::from_str(&policy.to_json()).unwrap();
            wrong.extend(case.faults_of(&outcome, &policy.digest().to_string()));
        }
        let errors: Vec<_> = read.as_ref().err().map_or_else(Vec::new, |e| e.iter().collect());
        let mut got: Vec<_> = errors.iter().map(|e| (e.code().into(), e.path().into())).collect();
        let mut expected: Vec<(String, String)> = case.errors.clone();
        got.sort();
        expected.sort();
        if got != expected {
            wrong.push(format!("{}: {got:?}, expected {expected:?}", case.id));
        }
        for part in &case.says {
            if !errors.iter().any(|e| e.sentence().contains(part)) {
                let sentences: Vec<_> = errors.iter().map(|e| e.sentence()).collect();
                wrong.push(format!("{}: nothing says `{part}` in {sentences:#?}", case.id));
            }
        }
        // A remedy holds in JSON, too.
        let toml = errors.iter().map(|e| e.sentence()).find(|text| text.contains(" = "));
        wrong.extend(toml.filter(|_| case.toml.is_none()).map(|text| format!("TOML: {text}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Codes that a patch or a short text cannot reach; the tests below do.
const ELSEWHERE: &[&str] = &["HF-POL-002", "HF-POL-003", "HF-POL-025", "HF-POL-036"];

#[test]
fn field_5_every_code_has_a_case() {
    let cases = parse_cases();
    let shown = |code: &str| cases.iter().any(|c| c.errors.iter().any(|(got, _)| got == code));
    let all = code::codes().filter(|c| c.family == Family::Policy).map(|c| c.to_string());
    let open: Vec<_> = all.filter(|c| !shown(c) && !ELSEWHERE.contains(&&**c)).collect();
    assert!(open.is_empty(), "no case shows {open:?}");
}

fn codes(read: Result<Policy, PolicyErrors>) -> Vec<&'static str> {
    read.unwrap_err().iter().map(hotfix_core::policy::PolicyError::code).collect()
}

#[test]
fn field_5_deep_nesting_is_refused_without_following_it() {
    for depth in [33, 100, 200, 100_000] {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        let (tables, ends) = ("{\"a\":".repeat(depth), "}".repeat(depth));
        for read in [
            Policy::from_json(&format!("{{\"name\": {open}{close}}}")),
            Policy::from_json(&format!("{{\"name\": {tables}1{ends}}}")),
            Policy::from_toml(&format!("name = {open}{close}")),
            Policy::from_toml(&format!("name{} = 1", ".a".repeat(depth))),
            Policy::from_toml(&format!("[name{}]", ".a".repeat(depth))),
        ] {
            assert_eq!(codes(read), ["HF-POL-003"], "{depth}");
        }
    }
    let (open, close) = ("{ a.b.c = ".repeat(78), "}".repeat(78));
    let mixed = format!("name{} = {open}1{close}", ".a".repeat(78));
    assert_eq!(codes(Policy::from_toml(&mixed)), ["HF-POL-003"]);
    let errors = Policy::from_json(&format!("{{\"a\": {}{}}}", "[".repeat(33), "]".repeat(33)));
    assert_eq!(errors.unwrap_err().first().unwrap().path(), format!("/a{}", "/0".repeat(31)));
}

#[test]
fn field_5_a_megabyte_of_errors_is_counted_and_cut() {
    let metrics: Vec<_> = (0..40_000).map(|i| format!("\"m{i}\": {{\"k\": 0}},")).collect();
    let metrics = metrics.concat();
    let text = format!("{{\"metrics\": {{{metrics} \"m\": {{}}}}}}");
    let errors = Policy::from_json(&text).unwrap_err();
    assert_eq!(errors.iter().count(), PolicyErrors::MOST);
    assert!(errors.count() > 100_000);
    assert!(errors.to_string().ends_with(" more"));
}

#[test]
fn field_5_a_text_full_of_faults_is_walked_once() {
    // Took minutes where each fault looked for its line from the start.
    let errors = Policy::from_toml(&"=\n".repeat(50_000)).unwrap_err();
    assert_eq!(errors.count(), 50_000);
    let last = errors.iter().last().unwrap().sentence();
    assert!(last.contains("at line 1000, column 1"), "{last}");
}

#[test]
fn field_5_a_policy_has_no_more_tested_metrics_than_the_judge_weighs() {
    use hotfix_core::policy::section::{MOST_BOUNDARIES, MOST_TESTED};
    assert_eq!(MOST_BOUNDARIES, hotfix_core::stats::latency::MAX_BOUNDARIES);
    for (count, expected) in [(MOST_TESTED, vec![]), (MOST_TESTED + 1, vec!["HF-POL-026"])] {
        let preset = Policy::preset("phased-canary").unwrap().to_json();
        let mut document: Value = serde_json::from_str(&preset).unwrap();
        document.as_object_mut().unwrap().remove("efficacy");
        document.as_object_mut().unwrap().remove("success");
        let weight = 1.0 / count as f64;
        let metric = json!({ "kind": "count", "worse": "higher", "weight": weight });
        document["metrics"] = (0..count).map(|i| (format!("m{i}"), metric.clone())).collect();
        let read = Policy::from_json(&document.to_string());
        assert_eq!(read.err().map_or_else(Vec::new, |e| codes(Err(e))), expected);
    }
}

#[test]
fn field_5_errors_are_listed_a_line_each_whatever_the_text() {
    let errors = Policy::from_json("{\"a\\nb\": 1, \"name\": \"x\\ny\"}").unwrap_err();
    assert_eq!(errors.to_string().lines().count(), errors.count() + 1);
    assert!(errors.to_string().starts_with("10 errors in the policy\n"));
}

#[test]
fn field_5_an_unknown_preset_names_the_nearest() {
    let errors = Policy::preset("phased-canray").unwrap_err();
    let error = errors.first().unwrap();
    assert_eq!((error.code(), error.path()), ("HF-POL-025", ""));
    assert!(error.sentence().contains("did you mean `phased-canary`"));
}

#[test]
fn field_5_bases_that_are_too_large_or_too_deep_are_refused() {
    let read = |extends: &str, text: String| {
        let errors = Policy::from_toml_with(extends, |_| Some(text.clone())).unwrap_err();
        errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let long = read("extends = 'a'", " ".repeat((1 << 20) + 1));
    let is = |text: &str, code| text.starts_with(code) && text.ends_with("(in the base `a`)");
    assert!(is(&long, "HF-POL-002 at the document: "), "{long}");
    let deep = read("extends = 'a'", format!("title = {}{}", "[".repeat(40), "]".repeat(40)));
    assert!(is(&deep, "HF-POL-003 at "), "{deep}");
}

#[test]
fn field_5_a_name_is_asked_for_once() {
    let mut asked = Vec::new();
    let document = "extends = ['a', 'b', 'a', { policy = 'c', take = ['watch'] }, 'phased-canary']";
    let policy = Policy::from_toml_with(document, |name| {
        asked.push(name.to_owned());
        ["a", "b", "c"].contains(&name).then(|| "extends = 'standard'".to_owned())
    });
    assert_eq!(policy.unwrap().name().as_str(), "phased-canary");
    assert_eq!(asked, ["a", "standard", "b", "c", "phased-canary"]);
    // Also one that it does not have.
    let mut asked = Vec::new();
    let errors = Policy::from_toml_with("extends = ['a', 'b']", |name| {
        asked.push(name.to_owned());
        ["a", "b"].contains(&name).then(|| "extends = 'c'".to_owned())
    });
    assert_eq!(errors.unwrap_err().count(), 2);
    assert_eq!(asked, ["a", "c", "b"]);
    // What is not read asks nothing.
    Policy::from_toml_with("format = 2\nextends = 'a'", |_| panic!("asked")).unwrap_err();
    Policy::from_toml_with("extends = 'a/../b'", |_| panic!("asked")).unwrap_err();
}

#[test]
fn field_5_long_lists_and_tables_are_merged_in_one_pass() {
    // Looking through all items for each one would take minutes.
    let items = |from: usize| -> Vec<Value> {
        (from..from + 20_000).map(|i| json!({ "name": format!("p{i}") })).collect()
    };
    let metrics = |from: usize| -> Value {
        (from..from + 20_000)
            .map(|i| (format!("m{i}"), json!(0)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let base = |i: usize| match i % 2 {
        0 => json!({ "phases": items(1000 * i) }),
        _ => json!({ "metrics": metrics(1000 * i) }),
    };
    let document =
        json!({ "extends": ["a", "b", "c", "d"], "phases": items(9), "metrics": metrics(9) });
    let mut i = 0;
    let errors = Policy::from_json_with(&document.to_string()[..], |_| {
        i += 1;
        Some(base(i).to_string())
    });
    let errors = errors.unwrap_err();
    assert!(errors.count() > 20_000, "{errors}");
}

#[test]
fn field_5_an_error_says_from_which_base_its_key_came() {
    let text = "extends = ['standard', 'house']\n[phases]";
    let errors =
        Policy::from_toml_with(text, |name| (name == "house").then(|| "watch = 1".to_owned()));
    let errors = errors.unwrap_err();
    let bases: Vec<_> = errors.iter().map(|error| (error.path(), error.base())).collect();
    assert_eq!(bases, [("/watch", Some("house")), ("/phases", None)]);
}

#[test]
fn roll_7_a_policy_in_a_log_extends_nothing() {
    let read = serde_json::from_str::<Policy>(r#"{"extends": "standard", "format": 1}"#);
    let sentence = read.unwrap_err().to_string();
    assert!(sentence.contains("HF-POL-036 at /extends"), "{sentence}");
}

#[test]
fn roll_7_the_log_carries_a_policy_through_the_same_checks() {
    for name in Policy::presets() {
        let policy = Policy::preset(name).unwrap();
        let wire = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&wire).unwrap(), policy);
        let broken = wire.replace("\"format\":1", "\"format\":3");
        let refused = serde_json::from_str::<Policy>(&broken).unwrap_err();
        assert!(refused.to_string().contains("HF-POL-005"));
    }
    let policy = Policy::preset("phased-canary").unwrap();
    let wire: Value = serde_json::from_str(&policy.to_json()).unwrap();
    assert_eq!(wire["phases"][0]["share"], json!(0.1));
    assert_eq!(wire["phases"][0]["watch"], json!(600));
    assert_eq!(wire["metrics"]["error_rate"]["reference"], json!(0.003));
}

#[test]
fn roll_7_the_order_of_keys_changes_neither_policy_nor_digest() {
    let policy = Policy::preset("standard").unwrap();
    let wire: Value = serde_json::from_str(&policy.to_json()).unwrap();
    let metrics = wire["metrics"].as_object().unwrap();
    let turned: Vec<String> = metrics.iter().rev().map(|(k, v)| format!("{k:?}:{v}")).collect();
    let whole = serde_json::to_string(&wire["metrics"]).unwrap();
    let text = wire.to_string().replace(&whole, &format!("{{{}}}", turned.join(",")));
    assert_ne!(text, wire.to_string());
    let read = Policy::from_json(&text).unwrap();
    assert_eq!((read.digest(), &read), (policy.digest(), &policy));
}

/// A bound as S1's table has it.
fn bound(value: BoundValue) -> Bound {
    Bound { value, unless_both_arms: false }
}

fn of_record(ratio: &str) -> BoundValue {
    BoundValue::Relative(ratio.parse().unwrap(), BoundBase::Reference)
}

#[test]
fn met_1_every_figure_of_s1s_table_is_in_the_preset() {
    use BoundValue::Absolute;
    let policy = Policy::preset("phased-canary").unwrap();
    let table = [
        (
            "error_rate",
            MetricKind::Proportion,
            Worse::Higher,
            0.003,
            Some(of_record("1.0")),
            Absolute(0.02),
            Absolute(0.05),
        ),
        (
            "latency_p95",
            MetricKind::Latency,
            Worse::Higher,
            0.25,
            Some(of_record("1.1")),
            Absolute(0.3),
            of_record("2.0"),
        ),
        (
            "payment_success",
            MetricKind::Proportion,
            Worse::Lower,
            0.995,
            Some(of_record("1.0")),
            Absolute(0.99),
            Absolute(0.98),
        ),
        (
            "request_volume",
            MetricKind::Volume,
            Worse::Lower,
            1000.0,
            Some(Absolute(800.0)),
            Absolute(800.0),
            Absolute(600.0),
        ),
        ("bug", MetricKind::Count, Worse::Higher, 0.0, None, Absolute(5.0), Absolute(10.0)),
    ];
    assert_eq!(policy.metrics().len(), table.len());
    for (id, kind, worse, record, success, alert, rollback) in table {
        let metric = policy.metric(id).unwrap();
        assert_eq!(
            (metric.kind, metric.worse, metric.reference),
            (kind, worse, Some(record)),
            "{id}"
        );
        assert_eq!(metric.bounds.success, success.map(bound), "{id}");
        assert_eq!(metric.bounds.alert, Some(bound(alert)), "{id}");
        assert_eq!(metric.bounds.rollback, Some(bound(rollback)), "{id}");
    }
    let latency = policy.metric("latency_p95").unwrap();
    assert_eq!(latency.quantile.as_fraction(), 0.95);
    assert!((latency.reference.unwrap() * 1.1 - 0.275).abs() < 1e-12, "S1: at most 275 ms");
    assert!(
        policy.metric("bug").unwrap().scaled && policy.metric("request_volume").unwrap().scaled
    );
}

#[test]
fn plan_2_phases_of_s1() {
    let policy = Policy::preset("phased-canary").unwrap();
    let phases = [("canary", 10, 2, 10), ("partial", 50, 2, 10), ("full", 100, 3, 30)];
    assert_eq!(policy.phases().len(), phases.len());
    for (phase, (name, percent, deploy, watch)) in policy.phases().iter().zip(phases) {
        assert_eq!(phase.name.as_str(), name);
        assert_eq!(phase.share.to_string(), format!("{percent}%"));
        assert_eq!(phase.deploy.as_seconds(), f64::from(deploy * 60));
        assert_eq!(phase.watch.as_seconds(), f64::from(watch * 60));
        assert_eq!(phase.promotion, PromotionRule::NoEvidenceOfHarm);
        assert_eq!(phase.criteria_missed, Response::RollBack, "S1 rolls back at once");
        assert_eq!(phase.gate, GateMode::Automatic);
        assert!(!phase.objective.is_empty());
    }
}

#[test]
fn plan_2_the_timeline_of_s1_adds_up() {
    let of_s1 = [2.0, 12.0, 14.0, 24.0, 27.0, 57.0, 60.0];
    // Thirteen minutes more of half the traffic, and less of all of it.
    let ours = [2.0, 12.0, 14.0, 37.0, 40.0, 57.0, 60.0];
    for (name, expected) in [("phased-canary", of_s1), ("standard", ours)] {
        let policy = Policy::preset(name).unwrap();
        let mut at = 0.0;
        let mut steps = Vec::new();
        for phase in policy.phases() {
            at += phase.deploy.as_seconds() / 60.0;
            steps.push(at);
            at += phase.watch.as_seconds() / 60.0;
            steps.push(at);
        }
        steps.push(at + policy.final_validation().watch.as_seconds() / 60.0);
        assert_eq!(steps, expected, "{name}");
    }
}

#[test]
fn roll_4_signals_of_s1_roll_back_and_others_are_asked_about() {
    let policy = Policy::preset("phased-canary").unwrap();
    for &signal in Signal::ALL {
        // Any uncertainty about the stability of the system rolls back.
        let asked = signal == Signal::FixDoesNotWork;
        let expected = if asked { Response::Ask } else { Response::RollBack };
        assert_eq!(policy.triggers().response(signal), expected, "{signal}");
    }
}

#[test]
fn plan_2_watching_goes_on_after_the_last_phase() {
    let policy = Policy::preset("phased-canary").unwrap();
    let minutes: Vec<f64> =
        policy.after().iter().map(|watch| watch.until.as_seconds() / 60.0).collect();
    assert_eq!(minutes, [30.0, 240.0, 1440.0]);
    assert_eq!(policy.rollback().watch.as_seconds(), 120.0);
    assert_eq!(policy.rollback().returned_within.as_seconds(), 300.0);
}

#[test]
fn met_5_s1_watches_each_minute_and_standard_every_ten_seconds() {
    let (s1, standard) =
        (Policy::preset("phased-canary").unwrap(), Policy::preset("standard").unwrap());
    assert_eq!(s1.watch().cadence.as_seconds(), 60.0);
    assert_eq!(s1.watch().window.as_seconds(), 60.0);
    assert_eq!((s1.watch().least_trials, standard.watch().least_trials), (100.0, 100.0));
    assert_eq!(standard.watch().cadence.as_seconds(), 10.0);
    for metric in standard.metrics() {
        let absolute =
            metric.bounds.rollback.filter(|b| matches!(b.value, BoundValue::Absolute(_)));
        assert!(absolute.is_none_or(|bound| bound.unless_both_arms), "{}", metric.id);
    }
}

/// Chance that more than `most` of events come where `expected` do (Poisson).
fn more_than(most: f64, expected: f64) -> f64 {
    let (mut term, mut sum, mut k) = ((-expected).exp(), 0.0, 0.0);
    while k <= most {
        sum += term;
        k += 1.0;
        term *= expected / k;
    }
    1.0 - sum
}

/// Chance that a fix as good as the record misses the success bound at the gate of the first phase.
fn missed(policy: &Policy, metric: &str) -> f64 {
    let first = &policy.phases()[0];
    let minutes = (first.watch.as_seconds() - policy.watch().warm_up.as_seconds()) / 60.0;
    let trials = 1000.0 * minutes * first.share.as_fraction();
    let metric = policy.metric(metric).unwrap();
    let Some(Bound { value: BoundValue::Relative(ratio, BoundBase::Reference), .. }) =
        metric.bounds.success
    else {
        panic!("{} has no success bound on its record", metric.id)
    };
    let record = metric.reference.unwrap();
    let bad = |level: f64| if metric.worse == Worse::Higher { level } else { 1.0 - level };
    let most = trials * bad(record * ratio.value());
    more_than((most + 1e-9).floor(), trials * bad(record))
}

#[test]
fn met_1_a_healthy_fix_meets_the_success_bounds_of_standard() {
    let (s1, standard) =
        (Policy::preset("phased-canary").unwrap(), Policy::preset("standard").unwrap());
    for (metric, of_s1, of_standard) in
        [("error_rate", 0.35277, 0.00273), ("payment_success", 0.38404, 0.00013)]
    {
        assert!((missed(&s1, metric) - of_s1).abs() < 1e-4, "{metric}: {}", missed(&s1, metric));
        assert!((missed(&standard, metric) - of_standard).abs() < 1e-5, "{metric}");
    }
}

#[test]
fn field_5_the_house_policy_of_the_scenario_loads() {
    let payments = Policy::from_toml(&example("payments")).unwrap_or_else(|e| panic!("{e}"));
    let p1 = payments.severity(Severity::P1).unwrap();
    assert!(payments.approvals().is_empty(), "they go by severity");
    let roles: Vec<Vec<&str>> = p1
        .approvals
        .iter()
        .map(|demand| demand.any_of.iter().map(hotfix_core::unit::RoleName::as_str).collect())
        .collect();
    assert_eq!(roles, [["engineering_lead"], ["product_manager"]], "both approve");
    let plan = Policy::preset("phased-canary").unwrap();
    assert_eq!(payments.phases(), plan.phases());
    assert_eq!(payments.metric("error_rate"), plan.metric("error_rate"));
    assert_eq!(payments.efficacy(), plan.efficacy());
    // From the other base, and what the house says itself.
    let enterprise = Policy::preset("enterprise").unwrap();
    assert_eq!(payments.severities(), enterprise.severities());
    assert_eq!(payments.rules().len(), enterprise.rules().len() + 1);
    assert_eq!(payments.duties().len(), enterprise.duties().len() - 1);
    let custom = |policy: &Policy| policy.vocabulary().custom().count();
    assert_eq!(custom(&payments), custom(&enterprise) + 2);
    let finding = payments.lint("2026-03-03T14:40:00Z".parse().ok());
    let denied: Vec<_> = finding.iter().filter(|f| f.level() == Level::Deny).collect();
    assert!(denied.is_empty(), "{denied:#?}");
}

#[test]
fn sev_5_the_house_policy_answers_as_the_scenario_says() {
    let payments = Policy::from_toml(&example("payments")).unwrap();
    let classified = |known: &str| {
        let facts = Facts::read(&serde_json::from_str(known).unwrap(), payments.vocabulary());
        let facts = facts.unwrap_or_else(|errors| panic!("{errors}"));
        let answer = payments.classify(&facts);
        (answer.severity(), answer.at_worst(), answer.hotfix())
    };
    let morning = r#"{"payment_failure_share": 0.55, "revenue_impact": true, "service_down": false,
        "data_corruption": false, "security_vulnerability": false, "preceding_deploy": "2.3.0""#;
    let (p0, p1) = (Some(Severity::P0), Some(Severity::P1));
    assert_eq!(classified(&format!("{morning}}}")), (p1, p0, Hotfix::Yes));
    let later =
        r#""authentication_down": false, "settlement_blocked": false, "merchants_affected": 40"#;
    assert_eq!(classified(&format!("{morning}, {later}}}")), (p1, p1, Hotfix::Yes));
    assert_eq!(classified(r#"{"merchants_affected": 1000}"#), (p0, p0, Hotfix::Yes));
}

#[test]
fn field_5_the_house_policy_has_s1s_thirty_items() {
    let payments = Policy::from_toml(&example("payments")).unwrap();
    // A seventh list is for the final validation.
    let mut start = payments.checklists().to_vec();
    start.retain(|list| list.at == hotfix_core::grade::ChecklistMoment::Start);
    let counts: Vec<usize> = start.iter().map(|list| list.items.len()).collect();
    assert_eq!(counts, [6, 5, 5, 5, 4, 5]);
    assert!(start.iter().flat_map(|list| &list.items).all(|item| item.required));
}

#[test]
fn plan_2_the_lab_has_s1s_shares_in_seconds() {
    let lab = Policy::from_toml(&example("lab")).unwrap_or_else(|e| panic!("{e}"));
    let watch: Vec<_> =
        lab.phases().iter().map(|p| (p.share.to_string(), p.watch.as_seconds())).collect();
    assert_eq!(watch, [("10%".into(), 10.0), ("50%".into(), 10.0), ("100%".into(), 30.0)]);
    assert!(lab.efficacy().unwrap().required);
}

#[test]
fn sev_6_a_policy_says_what_each_of_its_severities_asks_for() {
    let policy = Policy::from_toml(&whole()).unwrap();
    let had: Vec<Severity> = policy.severities().iter().map(|level| level.severity).collect();
    assert_eq!(had, [Severity::P0, Severity::P2], "the most severe first");
    assert!(policy.severity(Severity::P1).is_none());
    let p0 = policy.severity(Severity::P0).unwrap();
    assert_eq!((p0.label.as_str(), p0.hotfix), ("critical", true));
    let [now, later] = &p0.approvals[..] else { panic!("{:?}", p0.approvals) };
    assert_eq!((now.verbal, now.author_alone, now.holds_start()), (true, true, true));
    assert_eq!(later.after_the_fact, Some(Span::from_seconds(86_400)));
    assert!(!later.blocking && !later.holds_start());
    let review = p0.review.as_ref().unwrap();
    assert_eq!((review.time, review.approvers), (ReviewTime::After, 2));
    assert_eq!(review.most, Some(Span::from_seconds(900)));
    assert!(p0.testing.as_ref().unwrap().staging);
    // What is left out asks for nothing.
    let p2 = policy.severity(Severity::P2).unwrap();
    assert!(p2.approvals.is_empty() && p2.review.is_none() && p2.testing.is_none());
    // A demand of the whole policy that says no more than who is the one there always was.
    let plain = &policy.approvals()[0];
    assert!(
        plain.holds_start() && !plain.verbal && !plain.author_alone && plain.notified.is_empty()
    );
}

#[test]
fn sev_6_a_duty_is_for_the_severities_that_it_names_or_for_all() {
    let policy = Policy::from_toml(&whole()).unwrap();
    let [update, manager, permanent] = policy.duties() else { panic!("{:?}", policy.duties()) };
    assert_eq!(update.within, Due::Within(Span::ZERO));
    assert_eq!(
        (update.every, update.until),
        (Some(Span::from_seconds(900)), Some(Moment::Resolved))
    );
    assert_eq!((manager.kind, manager.level), (DutyKind::Escalate, Some(1)));
    assert_eq!(permanent.within, Due::Next(Calendar::NextSprint));
    assert!(permanent.stop_gap);
    for severity in Severity::ALL {
        assert_eq!(update.is_for(*severity), *severity == Severity::P0);
        assert!(permanent.is_for(*severity));
    }
}

#[test]
fn field_5_roles_are_found_by_id() {
    let policy = Policy::from_toml(&whole()).unwrap();
    let ids: Vec<&str> = policy.roles().iter().map(|role| role.id.as_str()).collect();
    assert_eq!(ids, ["cto", "engineering_manager"], "in the order of their ids");
    let manager = policy.role("engineering_manager".parse().unwrap()).unwrap();
    assert_eq!(manager.stand_ins[0].as_str(), "cto");
    assert_eq!(manager.holders[1].reach, None);
    assert!(policy.role("incident_commander".parse().unwrap()).is_none());
    assert_eq!(policy.vendors()[0].support.as_deref(), Some("support@example.com"));
}

#[test]
fn field_5_a_scope_that_says_nothing_is_strict() {
    let text = whole();
    assert_eq!(Policy::from_toml(&text).unwrap().scope().unwrap().files_most, Some(10));
    let (before, rest) = text.split_once("[scope]").unwrap();
    let (_, after) = rest.split_once("[[checklists]]").unwrap();
    let none = Policy::from_toml(&format!("{before}[[checklists]]{after}")).unwrap();
    assert_eq!(none.scope(), None);
    let empty = Policy::from_toml(&format!("{before}[scope]\n[[checklists]]{after}")).unwrap();
    let scope = empty.scope().unwrap();
    assert!(scope.one_fix && !scope.features && !scope.dependencies && !scope.migrations);
    assert_eq!((scope.refactoring, scope.lines_most), (Refactoring::Never, None));
}

#[test]
fn sev_6_the_order_of_named_severities_changes_neither_policy_nor_digest() {
    let text = whole();
    let turned = |names: &str| {
        let text = text.replacen(
            "hotfix = false",
            "hotfix = false\n[severities.P1]\nlabel = \"high\"\nhotfix = true",
            1,
        );
        Policy::from_toml(&text.replacen("severities = [\"P0\"]", names, 1)).unwrap()
    };
    let (one, other) =
        (turned("severities = [\"P0\", \"P1\"]"), turned("severities = [\"P1\", \"P0\"]"));
    assert_eq!((one.digest(), &one), (other.digest(), &other));
    assert_eq!(one.duties()[0].severities, [Severity::P0, Severity::P1]);
}
