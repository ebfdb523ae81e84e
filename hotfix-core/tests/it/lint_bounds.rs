//! The linter on bounds on the wrong side, on bounds and responses that can never act, and on a part
//! of the traffic that is held back: each finding once, with a near miss.

use hotfix_core::policy::Policy;
use serde_json::{Value, json};

use crate::lint_patch::{check, row};

const ERRORS: &str = "/metrics/error_rate/rollback";
const MEMORY: &str = "/metrics/memory";
const VOLUME: &str = "/metrics/request_volume/rollback";

fn live(ratio: f64) -> Value {
    json!({ "ratio": ratio, "of": "live" })
}

#[test]
fn dec_5_bounds_on_the_wrong_side_of_the_reference_are_found() {
    let memory = |worse: &str, rollback: u32| {
        let metric =
            json!({ "kind": "gauge", "worse": worse, "reference": 500, "rollback": rollback });
        vec![(MEMORY, metric)]
    };
    let (beyond, place) = ("HF-LINT-080", "/metrics/memory/rollback");
    let latency = "/metrics/latency_p95/rollback";
    let success = "/metrics/error_rate/success";
    let zero = "/metrics/bug/rollback";
    let of_reference = |reference: u32| {
        let ratio = json!({ "ratio": 20, "of": "reference" });
        vec![("/metrics/bug/reference", json!(reference)), (zero, ratio)]
    };
    check(
        "standard",
        vec![
            row(
                beyond,
                place,
                &["500, is beyond its `rollback` of 400", "as before breaches it"],
                memory("higher", 400),
                memory("higher", 501),
            ),
            row(beyond, place, &["is at"], memory("higher", 500), memory("higher", 501)),
            row(beyond, place, &["of 800"], memory("lower", 800), memory("lower", 400)),
            row(
                beyond,
                latency,
                &["0.2"],
                vec![(latency, json!(0.2))],
                vec![(latency, json!(0.6))],
            ),
            row(
                beyond,
                "/metrics/payment_success/alert",
                &["0.995"],
                vec![("/metrics/payment_success/alert", json!(0.999))],
                vec![("/metrics/payment_success/alert", json!(0.99))],
            ),
            // As good as the reference meets a success bound at it.
            row(
                beyond,
                success,
                &["misses it"],
                vec![(success, json!(0.0029))],
                vec![(success, json!(0.003))],
            ),
            // 'The first event rolls back' at a reference of none.
            row(
                beyond,
                zero,
                &["beyond"],
                vec![("/metrics/bug/reference", json!(11))],
                vec![(zero, json!(0)), ("/metrics/bug/alert", json!(0))],
            ),
            // A ratio of nothing is nothing.
            row(
                "HF-LINT-102",
                zero,
                &["`rollback` of `bug` is a ratio of its `reference`, which is 0"],
                of_reference(0),
                of_reference(1),
            ),
        ],
    );
}

#[test]
fn dec_5_ratios_of_the_live_arm_on_the_good_side_of_one_are_found() {
    let (code, success, bug) =
        ("HF-LINT-081", "/metrics/error_rate/success", "/metrics/bug/success");
    check(
        "standard",
        vec![
            row(
                code,
                ERRORS,
                &["0.5 times the live arm, where higher is worse", "breaches it"],
                vec![(ERRORS, live(0.5))],
                vec![(ERRORS, live(2.0))],
            ),
            row(code, ERRORS, &["1 times"], vec![(ERRORS, live(1.0))], vec![(ERRORS, live(1.1))]),
            row(
                code,
                VOLUME,
                &["where lower is worse"],
                vec![(VOLUME, live(2.0))],
                vec![(VOLUME, live(0.5))],
            ),
            row(
                code,
                success,
                &["misses it"],
                vec![(success, live(0.99))],
                vec![(success, live(1.1))],
            ),
            // Half of the time, as an alert.
            row(
                code,
                success,
                &["1 times the live arm", "misses it"],
                vec![(success, live(1.0))],
                vec![(success, live(1.1))],
            ),
            // The fix has to be better in what it repairs.
            row(
                code,
                success,
                &[],
                vec![(success, live(0.5))],
                vec![(bug, live(0.5)), ("/metrics/bug/alert", live(0.5))],
            ),
        ],
    );
    let of_the_bug = crate::lint_patch::patched("standard", &[&vec![(bug, live(0.5))]]);
    assert!(of_the_bug.lint(None).iter().all(|finding| finding.code() != code));
}

/// Orders are a part of the requests: whatever role they have, the traffic is the larger of two volumes.
#[test]
fn dec_5_the_traffic_is_the_largest_of_several_volumes() {
    let orders = |role: &str, reference: u32| {
        let metric =
            json!({ "kind": "volume", "worse": "lower", "role": role, "reference": reference });
        ("/metrics/orders", metric)
    };
    let tight = ("/metrics/payment_success/alert", json!(0.99));
    let watched = (
        "/metrics/request_volume",
        json!({ "kind": "volume", "worse": "lower", "role": "watch", "reference": 1000 }),
    );
    check(
        "standard",
        vec![
            // The same figure as without the other.
            row(
                "HF-LINT-023",
                tight.0,
                &["7.5 of 100"],
                vec![tight.clone(), orders("watch", 50)],
                vec![orders("decide", 50)],
            ),
            row(
                "HF-LINT-023",
                tight.0,
                &["7.5 of 100"],
                vec![tight, watched.clone(), orders("decide", 50)],
                vec![watched],
            ),
            row(
                "HF-LINT-027",
                "/phases/0",
                &["with the 50 requests a minute of `orders`"],
                vec![("/metrics/request_volume/reference", json!(40)), orders("decide", 50)],
                vec![orders("decide", 50)],
            ),
        ],
    );
}

#[test]
fn dec_5_bounds_that_can_never_act_are_found() {
    let (payments, after) = ("/metrics/payment_success/rollback", "/watch/no_data/after");
    let breaches = "/watch/consecutive_breaches";
    let stale = ("/watch/stale", json!(30));
    // A phase that nothing ends is held until the bound acts, or the response comes.
    let held = ("/phases/0/inconclusive", json!("hold"));
    check(
        "standard",
        vec![
            row(
                "HF-LINT-083",
                breaches,
                &["361", "at most, 1h", "10s"],
                vec![(breaches, json!(361))],
                vec![(breaches, json!(360))],
            ),
            row(
                "HF-LINT-083",
                breaches,
                &[],
                vec![(breaches, json!(361))],
                vec![(breaches, json!(361)), held.clone()],
            ),
            row(
                "HF-LINT-084",
                ERRORS,
                &["no value is higher", "nothing breaches it"],
                vec![(ERRORS, json!(1))],
                vec![(ERRORS, json!(0.99))],
            ),
            row(
                "HF-LINT-084",
                payments,
                &["no value is lower"],
                vec![(payments, json!(0))],
                vec![(payments, json!(0.01))],
            ),
            // 0.3% times 400.
            row(
                "HF-LINT-084",
                "/metrics/error_rate/success",
                &["every release meets it"],
                vec![("/metrics/error_rate/success", json!({ "ratio": 400, "of": "reference" }))],
                vec![],
            ),
            row(
                "HF-LINT-085",
                "/phases/0",
                &["`error_rate`", "21min", "`canary`"],
                vec![("/watch/warm_up", json!(1260))],
                vec![("/watch/warm_up", json!(1259))],
            ),
            row(
                "HF-LINT-085",
                "/phases/0",
                &["warm-up of `latency_p95`"],
                vec![("/metrics/latency_p95/warm_up", json!(1260))],
                vec![("/metrics/latency_p95/warm_up", json!(1259))],
            ),
            row(
                "HF-LINT-086",
                "/phases/0",
                &["the bounds of `bug`, `request_volume`", "21min"],
                vec![("/watch/window", json!(1261))],
                vec![("/watch/window", json!(1260))],
            ),
            row(
                "HF-LINT-086",
                "/phases/0",
                &["a window of 20min 51s has to be full", "as often in a row"],
                vec![("/watch/window", json!(1251)), (breaches, json!(2))],
                vec![("/watch/window", json!(1250)), (breaches, json!(2))],
            ),
            row(
                "HF-LINT-086",
                "/phases/0",
                &[],
                vec![("/watch/window", json!(1261))],
                vec![("/watch/window", json!(1261)), held.clone()],
            ),
            row(
                "HF-LINT-087",
                after,
                &["`ask`", "longer than any phase is watched at most, 1h"],
                vec![(after, json!(3601)), stale.clone()],
                vec![(after, json!(3600)), stale.clone()],
            ),
            row(
                "HF-LINT-087",
                after,
                &[],
                vec![(after, json!(3601)), stale.clone()],
                vec![(after, json!(3601)), stale, held],
            ),
            row(
                "HF-LINT-087",
                "/watch/stale",
                &["waits for 1h 1s"],
                vec![("/watch/stale", json!(3601))],
                vec![("/watch/stale", json!(3600))],
            ),
        ],
    );
}

#[test]
fn dec_5_phases_that_last_longer_than_their_least_time_are_found() {
    let held = ("/phases/0/inconclusive", json!("hold"));
    check(
        "standard",
        vec![
            row(
                "HF-LINT-099",
                "/phases/0/watch",
                &[
                    "`canary` lasts at least 5min, and not its `watch` of 4min 59s",
                    "`bug`, `request_volume` can be judged only then",
                ],
                vec![("/phases/0/watch", json!(299))],
                vec![("/phases/0/watch", json!(300))],
            ),
            // What the phase does not wait for is HF-LINT-086 alone.
            row(
                "HF-LINT-099",
                "/phases/0/watch",
                &["`error_rate`"],
                vec![("/watch/warm_up", json!(1259)), held],
                vec![("/watch/window", json!(1261))],
            ),
        ],
    );
}

#[test]
fn dec_5_latencies_without_a_unit_are_found() {
    const LONG: &str = "is so long that a wrong unit is likely";
    let (bound, reference) = ("/metrics/latency_p95/rollback", "/metrics/latency_p95/reference");
    let boundaries = "/metrics/latency_p95/boundaries";
    check(
        "standard",
        vec![
            row("HF-LINT-095", bound, &["8min", LONG], vec![(bound, json!(500))], vec![]),
            row(
                "HF-LINT-095",
                reference,
                &[LONG],
                vec![(reference, json!(250))],
                vec![(reference, json!(60))],
            ),
            // Buckets from a second on are for requests that take minutes.
            row(
                "HF-LINT-095",
                boundaries,
                &["8min", LONG],
                vec![(boundaries, json!([100, 250, 300, 500]))],
                vec![(boundaries, json!([0.1, 0.25, 0.3, 0.5, 120]))],
            ),
        ],
    );
}

#[test]
fn dec_5_traffic_that_is_held_back_is_found() {
    let (share, immediate) = ("/phases/2/share", ("/strategy", json!("immediate")));
    let full = |share: f64| {
        let preset: Value =
            serde_json::from_str(&Policy::preset("standard").unwrap().to_json()).unwrap();
        let mut full = preset["phases"][2].clone();
        full["share"] = json!(share);
        full
    };
    let named = |name: &str, mut phase: Value| {
        phase["name"] = json!(name);
        phase
    };
    let phases = |phases: Value| ("/phases", phases);
    check(
        "standard",
        vec![
            row(
                "HF-LINT-088",
                share,
                &["`full`, has 90% of the traffic", "the other 10%"],
                vec![(share, json!(0.9))],
                vec![],
            ),
            // A soak phase.
            row(
                "HF-LINT-108",
                "/phases/1/share",
                &["`soak` has 100% of the traffic, as `full` before it"],
                vec![phases(json!([full(1.0), named("soak", full(1.0))]))],
                vec![phases(json!([full(0.9), named("soak", full(1.0))]))],
            ),
            row(
                "HF-LINT-089",
                "/phases",
                &["one phase with all traffic", "has `full` with 90%"],
                vec![immediate.clone(), phases(json!([full(0.9)]))],
                vec![immediate.clone(), phases(json!([full(1.0)]))],
            ),
            // The plan would be of several phases, and at once.
            row(
                "HF-LINT-089",
                "/phases",
                &["`canary` with 10%, `partial` with 50%, `full` with 100%"],
                vec![immediate],
                vec![],
            ),
        ],
    );
}
