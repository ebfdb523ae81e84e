//! The linter on bounds and phases: each finding once, with a near miss, and its figures against slow exact sums.

use hotfix_core::lint::Finding;
use hotfix_core::policy::Policy;
use serde_json::{Value, json};

use crate::lint_patch::{Row, binomial, check, row};

const ERRORS: &str = "/metrics/error_rate/success";

#[test]
fn dec_5_bounds_out_of_order_are_found() {
    let (alert, rollback) = ("/metrics/error_rate/alert", "/metrics/error_rate/rollback");
    let payments = "/metrics/payment_success/alert";
    let live = |ratio: f64| json!({ "ratio": ratio, "of": "live" });
    check(
        "standard",
        vec![
            row(
                "HF-LINT-020",
                alert,
                &["0.06", "0.05"],
                vec![(alert, json!(0.06))],
                vec![(alert, json!(0.049))],
            ),
            // It decides nothing, whatever their order.
            row(
                "HF-LINT-109",
                "/metrics/request_volume/alert",
                &["the `role` of `request_volume` is `watch`", "decided by its `alert`"],
                vec![("/metrics/request_volume/role", json!("watch"))],
                vec![],
            ),
            // The same figure: the alert never comes first.
            row(
                "HF-LINT-020",
                alert,
                &["rolled back before"],
                vec![(alert, json!(0.05))],
                vec![(rollback, json!(0.021))],
            ),
            row(
                "HF-LINT-020",
                ERRORS,
                &["may alert"],
                vec![(ERRORS, json!(0.03))],
                vec![(ERRORS, json!(0.02))],
            ),
            // Lower is worse.
            row(
                "HF-LINT-020",
                payments,
                &["0.94", "0.95"],
                vec![(payments, json!(0.94))],
                vec![(payments, json!(0.951))],
            ),
            row(
                "HF-LINT-021",
                ERRORS,
                &["0.06", "0.05"],
                vec![(ERRORS, json!(0.06))],
                vec![(ERRORS, json!(0.05))],
            ),
            // Ratios of the live arm have an order, whatever that arm does.
            row(
                "HF-LINT-020",
                alert,
                &["at 3 times the live arm, at or beyond `rollback` at 2 times the live arm"],
                vec![(alert, live(3.0)), (rollback, live(2.0))],
                vec![(alert, live(2.0)), (rollback, live(3.0))],
            ),
            row(
                "HF-LINT-021",
                ERRORS,
                &["at 2.5 times the live arm allows values for which `rollback` at 2 times"],
                vec![(ERRORS, live(2.5)), (alert, Value::Null), (rollback, live(2.0))],
                vec![(ERRORS, live(2.0)), (alert, Value::Null), (rollback, live(2.0))],
            ),
        ],
    );
}

#[test]
fn dec_5_a_gate_that_is_a_coin_toss_is_found() {
    let toss = json!({ "ratio": 1.0, "of": "reference" });
    let back = ("/phases/0/criteria_missed", json!("roll_back"));
    check(
        "standard",
        vec![
            row(
                "HF-LINT-022",
                ERRORS,
                &["`canary`", "is rolled back"],
                vec![(ERRORS, toss.clone()), back.clone()],
                vec![(ERRORS, toss.clone())],
            ),
            row(
                "HF-LINT-022",
                ERRORS,
                &["2.85 bad events are expected"],
                vec![(ERRORS, toss.clone()), back.clone()],
                vec![back.clone()],
            ),
            row("HF-LINT-033", ERRORS, &["and waits"], vec![(ERRORS, toss)], vec![]),
            // Events a minute: 1.25 a minute, 1 allowed.
            row(
                "HF-LINT-033",
                "/metrics/bug/success",
                &["`canary`", "1.19 bad events are expected"],
                vec![("/metrics/bug/reference", json!(1.25)), ("/metrics/bug/success", json!(1.5))],
                vec![("/metrics/bug/reference", json!(1.25)), ("/metrics/bug/success", json!(5))],
            ),
        ],
    );
}

#[test]
fn dec_5_bands_that_a_healthy_release_trips_are_found() {
    let (alert, rollback) = ("/metrics/payment_success/alert", "/metrics/payment_success/rollback");
    let far = (alert, json!(0.99));
    check(
        "standard",
        vec![
            row(
                "HF-LINT-023",
                alert,
                &["7.5 of 100"],
                vec![(alert, json!(0.99))],
                vec![(alert, json!(0.98))],
            ),
            row(
                "HF-LINT-024",
                rollback,
                &["is rolled back: about", " of 100 in `canary`, where 4.75"],
                vec![far.clone(), (rollback, json!(0.98))],
                vec![far.clone(), (rollback, json!(0.96))],
            ),
            row(
                "HF-LINT-024",
                rollback,
                &[],
                vec![
                    far.clone(),
                    (rollback, json!(0.98)),
                    ("/watch/consecutive_breaches", json!(2)),
                ],
                vec![far, (rollback, json!(0.98)), ("/watch/consecutive_breaches", json!(31))],
            ),
        ],
    );
}

#[test]
fn dec_5_phases_and_windows_that_cannot_do_their_work_are_found() {
    let live = |ratio: f64| json!({ "ratio": ratio, "of": "live" });
    let cpu = |record: Value| json!({ "kind": "gauge", "worse": "higher", "reference": record, "alert": live(1.5) });
    let latency = "/metrics/latency_p95/success";
    let evidence = ("/phases/0/promotion", json!("evidence_of_no_harm"));
    let volume = |key: &'static str| (key, Value::Null);
    check(
        "standard",
        vec![
            row(
                "HF-LINT-025",
                "/phases/1/share",
                &["9.99%", "10%"],
                vec![("/phases/1/share", json!(0.0999))],
                vec![("/phases/1/share", json!(0.1))],
            ),
            // Half of healthy releases need 34 minutes (statistics, section 7).
            row(
                "HF-LINT-026",
                "/phases/0/promotion",
                &["`error_rate`", "of 100 healthy", "half of them need 35min"],
                vec![evidence.clone()],
                vec![evidence.clone(), ("/phases/0/watch_most", json!(2160))],
            ),
            row(
                "HF-LINT-027",
                "/phases/0",
                &["501", "500"],
                vec![("/watch/least_trials", json!(501))],
                vec![("/watch/least_trials", json!(500))],
            ),
            // A bound that stands back with the live arm asks as many trials of it: 50 of 1% in 5 minutes.
            row(
                "HF-LINT-027",
                "/phases/1",
                &["`partial`", "has 50 trials"],
                vec![("/phases/1/share", json!(0.99))],
                vec![("/phases/1/share", json!(0.98))],
            ),
            row(
                "HF-LINT-028",
                "/watch/window",
                &["19s", "10s"],
                vec![("/watch/window", json!(19))],
                vec![("/watch/window", json!(20))],
            ),
            row(
                "HF-LINT-036",
                "/watch/stale",
                &["19s"],
                vec![("/watch/stale", json!(19))],
                vec![("/watch/stale", json!(20))],
            ),
            row(
                "HF-LINT-029",
                "/metrics/bug/rollback",
                &["10"],
                vec![],
                vec![("/metrics/bug/rollback", json!(10))],
            ),
            row(
                "HF-LINT-031",
                "/metrics",
                &[
                    "nothing judges `request_volume` in any phase",
                    "only the other metrics are judged there",
                ],
                vec![
                    volume("/metrics/request_volume/success"),
                    volume("/metrics/request_volume/alert"),
                ],
                vec![volume("/metrics/request_volume/alert")],
            ),
            row("HF-LINT-032", latency, &["`full`"], vec![(latency, live(1.2))], vec![]),
            row(
                "HF-LINT-037",
                "/metrics/cpu/alert",
                &["`full`", "no reference"],
                vec![("/metrics/cpu", {
                    let mut cpu = cpu(json!(0));
                    cpu.as_object_mut().unwrap().remove("reference");
                    cpu
                })],
                vec![("/metrics/cpu", cpu(json!(0.5)))],
            ),
        ],
    );
}

#[test]
fn dec_5_times_that_are_shorter_than_the_scrapes_are_found() {
    let after = |seconds: u32| ("/watch/no_data/after", json!(seconds));
    check(
        "standard",
        vec![
            row(
                "HF-LINT-098",
                "/watch/no_data/after",
                &["waits for 10s before `roll_back`", "the cadence of 10s"],
                vec![after(10), ("/watch/no_data/then", json!("roll_back"))],
                vec![after(11), ("/watch/no_data/then", json!("roll_back"))],
            ),
            row(
                "HF-LINT-098",
                "/watch/no_data/after",
                &["`ask`"],
                vec![after(9)],
                vec![after(9), ("/watch/no_data/then", json!("hold"))],
            ),
            row(
                "HF-LINT-071",
                "/watch/window",
                &["`window`", "two scrape intervals"],
                vec![("/watch/scrape", json!(151))],
                vec![("/watch/scrape", json!(150))],
            ),
            row(
                "HF-LINT-071",
                "/watch/stale",
                &["`stale`", "one failed scrape"],
                vec![("/watch/scrape", json!(31))],
                vec![("/watch/scrape", json!(30))],
            ),
            row(
                "HF-LINT-071",
                "/watch/no_data/after",
                &["`no_data/after`"],
                vec![("/watch/scrape", json!(61))],
                vec![("/watch/scrape", json!(60))],
            ),
        ],
    );
}

#[test]
fn dec_5_late_faults_with_arms_that_are_read_apart_are_found() {
    let (late, scrape) = (("/evidence/change_point", json!(true)), "/watch/scrape");
    check(
        "standard",
        vec![row(
            "HF-LINT-090",
            "/evidence/change_point",
            &["up to 15s apart", "a shock in both"],
            vec![late.clone(), (scrape, json!(15))],
            vec![late, (scrape, json!(0))],
        )],
    );
}

#[test]
fn dec_5_a_confidence_for_alpha_and_waits_without_a_question_are_found() {
    let (alpha, undecided) = ("/evidence/alpha", "/phases/0/inconclusive");
    let rows = vec![
        row(
            "HF-LINT-091",
            alpha,
            &["up to 95 of 100"],
            vec![(alpha, json!("95%"))],
            vec![(alpha, json!("10%"))],
        ),
        row(
            "HF-LINT-092",
            undecided,
            &["nobody is asked"],
            vec![(undecided, json!("hold"))],
            vec![(undecided, json!("roll_back"))],
        ),
        row(
            "HF-LINT-092",
            "/watch/no_data/then",
            &["nobody is asked"],
            vec![("/watch/no_data", json!({"after": 60, "then": "hold"}))],
            vec![("/watch/no_data", json!({"after": 60, "then": "ask"}))],
        ),
    ];
    check("standard", rows);
}

#[test]
fn dec_5_source_control_that_trips_is_found() {
    let vcs = |version: &str, merge: &str| {
        ("/vcs", json!({ "flow": "git_flow", "version": version, "merge": merge }))
    };
    let revert = ("/rollback/methods", json!([{ "kind": "git_revert" }]));
    let testing = json!({ "staging": true, "skip_staging_when": "service_down" });
    let p0 = json!({ "label": "critical", "hotfix": true, "testing": testing });
    let advice = |kind: &str| {
        (
            "/advice",
            json!([{ "id": "no_test_left_out", "kind": kind, "text": "…", "shown_by": "testing" }]),
        )
    };
    check(
        "standard",
        vec![
            row(
                "HF-LINT-056",
                "/vcs/version",
                &["1.2.3-hotfix.1"],
                vec![vcs("hotfix_identifier", "squash")],
                vec![vcs("patch", "squash")],
            ),
            row(
                "HF-LINT-057",
                "/rollback/methods/0",
                &["parent"],
                vec![vcs("patch", "no_ff"), revert.clone()],
                vec![vcs("patch", "squash"), revert],
            ),
            Row {
                code: "HF-LINT-058",
                place: "/severities/P0/testing/skip_staging_when",
                says: &["`no_test_left_out`"],
                base: vec![("/severities/P0", p0)],
                fault: vec![advice("dont")],
                near: vec![advice("do")],
            },
        ],
    );
}

#[test]
fn dec_5_the_figures_of_the_canary_plan_are_exact() {
    let policy = Policy::preset("phased-canary").unwrap();
    let found = policy.lint(None);
    let of_100 = |chance: f64| format!("{:.0} of 100", chance * 100.0);
    for (metric, rate, expected) in
        [("error_rate", 0.003, [3.0, 15.0, 90.0]), ("payment_success", 0.005, [5.0, 25.0, 150.0])]
    {
        let path = format!("/metrics/{metric}/success");
        let of_metric = |f: &&Finding| (f.code(), f.path.as_str()) == ("HF-LINT-022", &path);
        let message = found.iter().find(of_metric).unwrap().message();
        let mut all = 1.0;
        for ((phase, trials), events) in
            policy.phases().iter().zip([1_000, 5_000, 30_000]).zip(expected)
        {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
            let within: f64 = binomial(trials, rate)[..=events as usize].iter().sum();
            let (missed, name) = (of_100(1.0 - within), phase.name);
            let says = format!("{missed} in `{name}`, where {events} bad events are expected");
            assert!(message.contains(&says), "{message}: {says}");
            all *= within;
        }
        let says = format!("it passes all such gates in {} cases", of_100(all));
        assert!(message.ends_with(&says), "{message}: {says}");
    }
    // Of 1,000 requests, 35 of 100 are rolled back, and 19 of 100 come through.
    let message = found.iter().find(|f| f.code() == "HF-LINT-022").unwrap().message();
    let figures = ["35 of 100 in `", "43 of 100 in `", "47 of 100 in `", "in 19 of 100 cases"];
    assert!(figures.iter().all(|figure| message.contains(figure)), "{message}");
}
