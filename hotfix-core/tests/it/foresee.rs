//! What a rollout foresees, whom each version hurts, and the table of phases (FIELD-1, FIELD-4, FIELD-8, FIELD-15, STAT-5,
//! MET-4, MET-7).

use std::sync::Arc;

use hotfix_core::judge::{Cause, Decision, Reason, Version};
use hotfix_core::metric::Band;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Act, Input, Recording, Rollout, State, audit};
use hotfix_core::stats::numeric::ln;
use hotfix_core::unit::{Span, Timestamp};
use serde_json::{Value, json};

use crate::ready;
use crate::story::Story;

/// A preset with values put in, watched from its first phase on at 1,000 requests a minute.
pub(crate) struct Watch {
    pub(crate) rollout: Rollout,
    at: Timestamp,
}

impl Watch {
    pub(crate) fn new(preset: &str, set: &[(&str, Value)]) -> Self {
        let mut document: Value =
            serde_json::from_str(&Policy::preset(preset).unwrap().to_json()).unwrap();
        for (pointer, value) in set {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            let table = document.pointer_mut(parent).and_then(Value::as_object_mut).unwrap();
            if value.is_null() {
                table.remove(key);
            } else {
                table.insert(key.to_owned(), value.clone());
            }
        }
        let plan = Plan::from_json(
            Arc::new(Policy::from_json(&document.to_string()).unwrap()),
            r#"{"id":"INC-2041","severity":"P1"}"#,
            r#"{"version":"2.3.1","previous":"2.3.0"}"#,
            r#"{"requests_per_minute":1000}"#,
        )
        .unwrap();
        let mut watch = Self {
            rollout: Rollout::try_new(plan, Recording::Keep, "").unwrap(),
            at: "2026-03-03T14:40:00Z".parse().unwrap(),
        };
        ready::make(&mut watch.rollout, watch.at);
        watch.input(&json!({"kind": "start", "by": "lena"}));
        watch.confirm_all();
        watch
    }

    fn input(&mut self, input: &Value) -> usize {
        self.at = self.at + Span::from_millis(1);
        let input = Input::from_json(&input.to_string()).unwrap();
        let actions = self.rollout.handle(self.at, &input).unwrap().actions;
        actions.iter().filter(|action| matches!(action.act, Act::AskDecision { .. })).count()
    }

    pub(crate) fn confirm_all(&mut self) {
        while let Some(id) = self.rollout.pending_actions().first().map(|a| a.id.to_string()) {
            self.input(&json!({"kind": "confirm", "by": "tool", "action": id}));
        }
    }

    /// One look, so many seconds after the last; gives the number of actions.
    pub(crate) fn look(&mut self, seconds: u32, metrics: Value) -> usize {
        self.at = self.at + Span::from_seconds(seconds);
        let input = Input::observe(serde_json::from_value(metrics).unwrap());
        let actions = self.rollout.handle(self.at, &input).unwrap().actions;
        actions.iter().filter(|action| matches!(action.act, Act::AskDecision { .. })).count()
    }

    pub(crate) fn causes(&self) -> Vec<(String, String)> {
        let text = |cause: &Cause| {
            (cause.reason.to_string(), cause.metric.map(|m| m.to_string()).unwrap_or_default())
        };
        self.rollout.verdict().causes.iter().map(text).collect()
    }

    fn decision(&self) -> Decision {
        self.rollout.verdict().decision
    }

    fn audited(&self) {
        let audit = audit(self.rollout.log().as_bytes(), self.rollout.head());
        assert!(audit.is_clean(), "{:?}", audit.findings);
    }
}

/// Only error rate decides: every other metric is watched.
fn errors_only(more: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
    let mut set = vec![
        ("/efficacy", Value::Null),
        ("/metrics/latency_p95/role", json!("watch")),
        ("/metrics/payment_success/role", json!("watch")),
        ("/metrics/request_volume/role", json!("watch")),
        ("/metrics/bug/role", json!("watch")),
        ("/metrics/error_rate/weight", json!(1.0)),
        ("/metrics/latency_p95/weight", json!(0.0)),
        ("/metrics/payment_success/weight", json!(0.0)),
        ("/metrics/bug/weight", json!(0.0)),
    ];
    set.extend_from_slice(more);
    set
}

fn errors(canary: [u64; 2], baseline: [u64; 2]) -> Value {
    json!({"error_rate": {"canary": canary, "baseline": baseline}})
}

#[test]
fn field_15_a_run_that_is_going_to_fail_stops_early() {
    // 0.3% of 1,000 planned requests allow three errors; half as much traffic again four.
    let mut watch = Watch::new("phased-canary", &errors_only(&[("/evidence/hold", json!(90))]));
    watch.look(60, errors([2, 100], [2, 900]));
    assert_eq!(watch.decision(), Decision::Continue);
    let forecast = watch.rollout.forecast().unwrap().metrics[0].bound.unwrap();
    assert_eq!((forecast.allows, forecast.possible), (Some(1.0), true));
    watch.look(60, errors([2, 100], [3, 900]));
    assert_eq!(
        watch.decision(),
        Decision::Continue,
        "four are one too many as planned, not with half as much again"
    );
    watch.look(60, errors([1, 100], [3, 900]));
    assert_eq!(watch.causes(), [("will_fail".to_owned(), "error_rate".to_owned())]);
    assert_eq!(watch.rollout.state(), State::RollingBack, "three of ten minutes");
    watch.audited();
}

/// The first phase of `phased-canary` in its tenth minute, up to 55 s of it: read each minute, five seconds before
/// the minute is over. `last`: errors in its last two minutes, of 600 requests each.
fn tenth_minute(set: &[(&'static str, Value)], last: [u64; 2]) -> Watch {
    let mut watch = Watch::new("phased-canary", &errors_only(set));
    let failing = [1, 2, 2, 2, 2, 2, 2, 2].into_iter().chain(last);
    for (minute, failing) in failing.enumerate() {
        let (after, requests) = if minute == 0 { (55, 590) } else { (60, 600) };
        watch.look(after, errors([failing, requests], [16, 5_400]));
    }
    watch
}

#[test]
fn field_15_a_miss_waits_for_the_reading_that_covers_the_phase_as_a_pass_does() {
    let tick = json!({"kind": "tick"});
    for ticks in [false, true] {
        // 0.3005% of ten minutes less five seconds are beyond the bound of 0.3%.
        for (failing, state) in [(1, State::Deploying), (3, State::RollingBack)] {
            let mut watch = tenth_minute(&[], [2, 1]);
            assert_eq!(watch.decision(), Decision::Continue, "{:?}", watch.causes());
            if ticks {
                watch.at = watch.at + Span::from_millis(4_999);
                watch.input(&tick);
                assert_eq!(watch.causes(), [("gaps".to_owned(), "error_rate".to_owned())]);
                let forecast = watch.rollout.forecast().unwrap().metrics[0].bound.unwrap();
                assert!(forecast.possible, "{forecast:?}");
            }
            watch.look(if ticks { 55 } else { 60 }, errors([failing, 600], [16, 5_400]));
            assert_eq!(watch.rollout.state(), state, "{:?}", watch.causes());
            watch.audited();
        }
    }
    // Where readings stay away, and the policy does not wait for them, it counts once the longest time of
    // the phase is over.
    let no_wait = [("/phases/0/watch_most", json!(780)), ("/contingencies", json!([]))];
    let mut watch = tenth_minute(&no_wait, [2, 1]);
    let began = watch.at - Span::from_seconds(595);
    while watch.rollout.state() == State::Monitoring {
        assert!(!watch.rollout.verdict().has(Reason::CriterionMissed), "{:?}", watch.causes());
        watch.at = watch.rollout.poll_at().unwrap() - Span::from_millis(1);
        watch.input(&tick);
    }
    assert!(watch.rollout.verdict().has(Reason::CriterionMissed), "{:?}", watch.causes());
    assert_eq!(
        (watch.rollout.state(), watch.at.since(began)),
        (State::RollingBack, Span::from_seconds(780))
    );
}

#[test]
fn field_15_what_the_reading_that_opens_the_gate_may_bring_is_not_foreseen() {
    // 19 of 5,990 five seconds before the least time is over; another 600 without an error meet the bound.
    let mut apart = tenth_minute(&[], [2, 2]);
    assert_eq!(apart.decision(), Decision::Continue, "{:?}", apart.causes());
    apart.look(60, errors([0, 600], [16, 5_400]));
    assert_eq!(apart.rollout.state(), State::Deploying, "{:?}", apart.causes());
    // More than half as much traffic again could make good.
    let hopeless = tenth_minute(&[], [4, 4]);
    assert_eq!(hopeless.causes(), [("will_fail".to_owned(), "error_rate".to_owned())]);
}

#[test]
fn field_15_a_shock_in_both_arms_is_not_the_canarys_failure() {
    let mut watch = Watch::new("phased-canary", &errors_only(&[]));
    for _ in 0..3 {
        watch.look(60, errors([3, 100], [27, 900]));
        assert!(!watch.rollout.verdict().has(Reason::WillFail), "{:?}", watch.causes());
    }
}

/// Minutes until `standard` ends its first phase, which is watched for 10 to 30 minutes; none where a
/// person is asked before. `failing`: errors of both arms in a minute, at 100 and 900 requests.
fn first_phase_takes(failing: impl Fn(u32) -> Value) -> Option<u32> {
    let mut watch = Watch::new("standard", &errors_only(&[]));
    for minute in 1..=31 {
        let asked = watch.look(60, failing(minute)) > 0;
        assert!(!watch.rollout.verdict().has(Reason::WillFail), "{:?}", watch.causes());
        if asked {
            assert_eq!(watch.causes()[0].0, "inconclusive");
            return None;
        }
        if watch.rollout.state() != State::Monitoring {
            assert_eq!(watch.rollout.state(), State::Deploying, "{:?}", watch.causes());
            return Some(minute);
        }
        if minute > 10 {
            assert_eq!(watch.decision(), Decision::Hold);
        }
    }
    panic!("nobody was asked");
}

#[test]
fn field_15_where_a_miss_only_holds_the_last_minutes_of_the_phase_count() {
    let healthy = || errors([0, 100], [3, 900]);
    assert_eq!(first_phase_takes(|_| healthy()), Some(10));
    // 40 of 1,000 are beyond 0.9%, and would be for 44 minutes. (Fewer than a third of a minute's would be
    // a burst of both arms, which is left out.)
    let shock = |minute| if minute == 4 { errors([40, 100], [360, 900]) } else { healthy() };
    assert_eq!(first_phase_takes(shock), Some(14), "ten minutes after the shock");
    // Both arms stay beyond the bound: that is no evidence of harm, and no success.
    let beyond = |minute| errors([1 + u64::from(minute % 2), 100], [13, 900]);
    assert_eq!(first_phase_takes(beyond), None);
}

#[test]
fn met_4_a_success_bound_is_about_the_release_and_not_about_one_instance() {
    // A customer on one of five instances retries for two minutes: 24 of 1,000 requests.
    let failing = |minute: u32| {
        let retried = if (4..6).contains(&minute) { 12 } else { 0 };
        let pod =
            |pod: usize| (format!("pod-{pod}"), json!([if pod == 0 { retried } else { 0 }, 20]));
        let canary: serde_json::Map<String, Value> = (0..5).map(pod).collect();
        json!({"error_rate": {"canary": canary, "baseline": {"live-0": [3, 900]}}})
    };
    let minutes = first_phase_takes(failing).unwrap();
    assert!(minutes <= 12, "{minutes} minutes, and 15 until the failures are ten minutes ago");
}

#[test]
fn field_15_a_phase_that_cannot_decide_says_so_early_and_once() {
    let set = errors_only(&[
        ("/phases/0/promotion", json!("evidence_of_no_harm")),
        ("/metrics/error_rate/success", Value::Null),
        ("/watch/warm_up", json!(0)),
    ]);
    // One error in 10,000: what is left of thirty minutes cannot bring the evidence.
    let mut rare = Watch::new("standard", &set);
    let mut asked = 0;
    let mut said = None;
    for minute in 1..=20 {
        asked += rare.look(60, errors([0, 100], [u64::from(minute % 11 == 0), 900]));
        if said.is_none() && rare.rollout.verdict().has(Reason::CannotDecide) {
            said = Some(minute);
            let forecast = rare.rollout.forecast().unwrap().metrics[0];
            assert_eq!(forecast.promotion.unwrap().possible, Some(false));
        }
    }
    assert!(said.is_some_and(|minute| (2..20).contains(&minute)), "{said:?}");
    assert_eq!((rare.decision(), asked), (Decision::Ask, 1));
    rare.audited();
    // Three in a thousand: it may come, so nothing is said.
    let mut common = Watch::new("standard", &set);
    for _ in 1..=20 {
        common.look(60, errors([0, 100], [3, 900]));
        assert!(!common.rollout.verdict().has(Reason::CannotDecide), "{:?}", common.causes());
        if common.rollout.state() != State::Monitoring {
            break;
        }
    }
    assert_eq!(common.rollout.state(), State::Deploying, "{:?}", common.causes());
}

#[test]
fn field_15_a_fix_that_can_no_longer_be_shown_to_work_is_asked_about() {
    let mut watch = Watch::new("standard", &[("/watch/warm_up", json!(0))]);
    let mut asked = 0;
    // The bug is as good as gone in both arms: nothing to cut. One of the canary speaks against the fix.
    for minute in 0..12 {
        let bugs = u32::from(minute == 0);
        let metrics = json!({"bug": {"canary": [bugs, 60], "baseline": [bugs, 60]}, "error_rate": {"canary": [0, 100], "baseline": [3, 900]}});
        asked += watch.look(60, metrics);
    }
    assert!(watch.rollout.verdict().has(Reason::CannotDecide), "{:?}", watch.causes());
    assert!(asked >= 1 && watch.decision() == Decision::Ask);
}

#[test]
fn field_1_evidence_says_how_many_more_requests_it_needs() {
    let mut watch = Watch::new("phased-canary", &errors_only(&[]));
    watch.look(60, errors([0, 1_000], [27, 9_000]));
    let forecast = watch.rollout.forecast().unwrap();
    let rollback = forecast.metrics[0].rollback.unwrap();
    // Section 7's formula: (ln 100 + 1.2 - ln E) / (L KL) at ratio 2, 0.3%, share 0.1.
    let (p, w, r) = (0.003, 0.1, 2.0);
    let (null, truth) = (w, r * w / (r * w + 1.0 - w));
    let kl = truth * ln(truth / null) + (1.0 - truth) * ln((1.0 - truth) / (1.0 - null));
    let lacking = ln(100.0) - watch.rollout.verdict().log_e + 1.2;
    let requests = lacking / (p * (r * w + 1.0 - w) * kl);
    assert!((rollback.requests.unwrap() / requests - 1.0).abs() < 1e-3, "{rollback:?} {requests}");
    assert_eq!(rollback.ratio, 2.0);
    // Ten times the errors: the same evidence comes ten times as soon.
    let mut loud = Watch::new("phased-canary", &errors_only(&[]));
    loud.look(60, errors([0, 1_000], [270, 9_000]));
    let sooner = loud.rollout.forecast().unwrap().metrics[0].rollback.unwrap();
    assert!(sooner.minutes < rollback.minutes, "{sooner:?}");
}

/// Payments are a part of the requests: their failures are of the payments alone, and a proportion that
/// comes first in the alphabet is not the traffic.
#[test]
fn stat_5_a_proportion_of_a_part_of_the_requests_has_only_its_own_failures() {
    let mut watch = Watch::new(
        "phased-canary",
        &errors_only(&[
            ("/metrics/payment_success/role", json!("decide")),
            ("/metrics/payment_success/weight", json!(0.0)),
        ]),
    );
    let mut reading = errors([10, 100], [9, 900]);
    reading["payment_success"] = json!({"canary": [5, 5], "baseline": [22, 45]});
    for _ in 0..3 {
        watch.look(60, reading.clone());
    }
    let harm = watch.rollout.harm().unwrap();
    assert!((harm.requests_per_minute.unwrap() - 1000.0).abs() < 1.0, "{harm:?}");
    let of = |id: &str| harm.metrics.iter().find(|of| of.metric.as_str() == id).unwrap();
    // 23 of 45 payments fail, of 50 a minute over both versions.
    let live = of("payment_success").live.unwrap().at_full;
    assert!((live - 50.0 * 23.0 / 45.0).abs() < 0.1, "{live}");
    let canary = of("error_rate").canary.unwrap().at_full;
    assert!((canary - 100.0).abs() < 0.2, "{canary}");
}

/// The live version had no traffic for 18 minutes, and was not read: its next total is of both times.
#[test]
fn stat_5_a_total_that_spans_time_without_traffic_is_no_measure_of_the_traffic() {
    let all = json!([{ "name": "all", "share": 1.0, "deploy": 60, "watch": 3600, "promotion": "no_evidence_of_harm",
        "criteria_missed": "ask", "gate": "automatic" }]);
    let window = ("/watch/window", json!(300));
    let mut watch = Watch::new("phased-canary", &errors_only(&[("/phases", all), window]));
    let read = |arm: &str, totals: [u64; 2]| json!({"error_rate": {"totals": true, arm: totals}});
    watch.look(10, read("baseline", [15, 5_000]));
    for minute in 1..=18 {
        watch.look(60, read("canary", [3 * minute, 1_000 * minute]));
    }
    watch.input(&json!({"kind": "roll_back", "by": "lena"}));
    watch.confirm_all();
    watch.look(20, read("baseline", [16, 5_333]));
    watch.look(60, read("baseline", [19, 6_333]));
    let harm = watch.rollout.harm().unwrap();
    assert!((harm.requests_per_minute.unwrap() - 1000.0).abs() < 1.0, "{harm:?}");
}

#[test]
fn stat_5_the_verdict_says_where_going_back_hurts_more() {
    let mut story = Story::new("standard", Recording::Keep);
    story.start();
    story.run(8, Story::healthy);
    // 6% of the canary's requests fail, and more than half of the live version's payments.
    story.run_until(40, Story::failing, State::RollingBack);
    assert_eq!(story.rollout.verdict().lesser_harm, Some(Version::Canary));
    let harm = story.rollout.harm().unwrap();
    assert_eq!(harm.lesser, Some(Version::Canary));
    // As read, whatever the plan says: 2,000 requests in ten seconds.
    assert_eq!(harm.requests_per_minute, Some(12_000.0));
    let payment = harm.metrics.iter().find(|m| m.metric.as_str() == "payment_success").unwrap();
    let live = payment.live.unwrap();
    assert!((live.at_full - 6600.0).abs() < 12.0 && (live.now - 5940.0).abs() < 12.0, "{live:?}");
    assert!(live.at_full_range.low < live.at_full && live.at_full < live.at_full_range.high);
    let bug = harm.metrics.iter().find(|m| m.metric.as_str() == "bug").unwrap();
    // Twelve in ten seconds of nine tenths of the traffic: 72 a minute as it stands, 80 with all of it.
    let live = bug.live.unwrap();
    assert!((live.now - 72.0).abs() < 0.5 && (live.at_full - 80.0).abs() < 0.5, "{live:?}");
    assert_eq!(bug.canary.unwrap().at_full, 0.0);
    // A live version that hurts nobody is the lesser harm, and the verdict has nothing to add.
    let mut watch = Watch::new("phased-canary", &errors_only(&[]));
    watch.look(60, errors([60, 100], [0, 900]));
    assert_eq!(watch.rollout.state(), State::RollingBack);
    assert_eq!(watch.rollout.verdict().lesser_harm, None);
    assert_eq!(watch.rollout.harm().unwrap().lesser, Some(Version::Live));
}

/// What counts by time has no band before it was watched for a window.
#[test]
fn met_4_the_table_has_each_metric_its_baseline_and_every_phase() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    story.run(60, Story::healthy);
    story.confirm_all();
    story.run(3, Story::healthy);
    let expected = "\
| metric | reference | live version | canary (10%) | partial (50%) | full (100%) |
|---|---|---|---|---|---|
| the bug's own exception | 0/min | 81.16/min | 0/min, success | 0/min | - |
| error rate | 0.3% | 0.2784% | 0%, success | 0.2%, success | - |
| response time (p95) | 250 ms | about 209 ms | about 209 ms, success | about 209 ms, success | - |
| payment success | 99.5% | 45% | 100%, success | 99.8%, success | - |
| request volume | 1000/min | 1000/min | 1000/min, success | 1000/min | - |
";
    let table = story.rollout.comparison();
    assert_eq!(table.to_markdown(), expected);
    assert!(table.phases[0].ended.is_some() && table.phases[1].ended.is_none());
    assert!(table.phases[1].since.is_some() && table.phases[2].since.is_none());
    let errors = &table.rows[1];
    assert_eq!(errors.cells[0].unwrap().baseline, Some(5.0 / 1800.0));
    let replayed = Rollout::replay(story.rollout.log().as_bytes(), Recording::Keep).unwrap();
    assert_eq!(replayed.comparison(), table);
    assert_eq!(
        serde_json::from_value::<hotfix_core::judge::Comparison>(json!(table)).unwrap(),
        table
    );
}

#[test]
fn met_7_resources_logs_and_tickets_are_metrics_with_a_value_in_every_phase() {
    let gauge = |title: &str, alert: f64, role: &str| json!({"title": title, "kind": "gauge", "worse": "higher", "role": role, "success": alert, "alert": alert, "weight": 0.0});
    let mut watch = Watch::new(
        "phased-canary",
        &errors_only(&[
            ("/metrics/cpu", gauge("CPU", 0.8, "decide")),
            ("/metrics/database_pool", gauge("connections in use", 0.9, "decide")),
            ("/metrics/log_anomalies", gauge("unusual log lines", 5.0, "decide")),
            ("/metrics/tickets", gauge("support tickets", 3.0, "watch")),
        ]),
    );
    for _ in 0..11 {
        watch.look(
            60,
            json!({
                "error_rate": {"canary": [0, 100], "baseline": [2, 900]},
                "cpu": {"canary": 0.4, "baseline": 0.5},
                "database_pool": {"canary": 0.2, "baseline": 0.2},
                "log_anomalies": {"canary": 1, "baseline": 2},
                "tickets": {"canary": 4},
            }),
        );
    }
    // Tickets are beyond their alert bound, but only watched: a person answers for them.
    assert_eq!(watch.rollout.state(), State::Deploying, "{:?}", watch.causes());
    watch.confirm_all();
    let table = watch.rollout.comparison();
    let cell =
        |id: &str| table.rows.iter().find(|r| r.metric.as_str() == id).unwrap().cells[0].unwrap();
    assert!((cell("cpu").canary - 0.4).abs() < 1e-12 && cell("cpu").band == Some(Band::Success));
    assert_eq!((cell("tickets").canary, cell("tickets").band), (4.0, Some(Band::Alert)));
    assert!(cell("database_pool").baseline.is_some_and(|level| (level - 0.2).abs() < 1e-12));
    assert!(
        table.to_markdown().contains("| unusual log lines | - | 1.818 | 1, success | - | - |")
            || table.to_markdown().contains("| unusual log lines | - | 2 | 1, success | - | - |"),
        "{}",
        table.to_markdown()
    );
}

#[test]
fn field_4_one_series_in_both_arms_is_found_and_heals() {
    let mut watch = Watch::new("phased-canary", &errors_only(&[("/phases/0/share", json!(0.5))]));
    let mut ticks = 0;
    while !watch.rollout.verdict().has(Reason::IdenticalArms) {
        watch.look(10, errors([4, 1_000], [4, 1_000]));
        ticks += 1;
        assert!(ticks < 20);
    }
    // Each equal tick has a chance of at most 0.28: eleven of them.
    assert!((10..=13).contains(&ticks), "{ticks}");
    assert_eq!(watch.decision(), Decision::Ask);
    let evidence = watch.rollout.verdict().metrics.clone();
    watch.look(10, errors([9, 1_000], [9, 1_000]));
    let of = |metrics: &[_], n: usize| -> Option<f64> {
        let m: &(_, hotfix_core::judge::MetricVerdict) = &metrics[n];
        m.1.log_e
    };
    assert_eq!(of(&evidence, 1), of(&watch.rollout.verdict().metrics, 1), "tests are frozen");
    // The query is mended: the arms differ, and it goes on by itself.
    watch.look(10, errors([3, 1_000], [5, 1_000]));
    assert!(!watch.rollout.verdict().has(Reason::IdenticalArms), "{:?}", watch.causes());
    watch.audited();
}

#[test]
fn field_4_arms_without_errors_are_alike_by_nature() {
    let mut watch = Watch::new("phased-canary", &errors_only(&[("/phases/0/share", json!(0.5))]));
    for _ in 0..50 {
        watch.look(10, errors([0, 1_000], [0, 1_000]));
        assert!(!watch.rollout.verdict().has(Reason::IdenticalArms));
    }
}

#[test]
fn field_4_a_split_that_was_mended_is_no_finding_any_more() {
    let mut watch = Watch::new("phased-canary", &errors_only(&[]));
    watch.look(10, errors([1, 330], [2, 670]));
    assert!(watch.rollout.verdict().has(Reason::SplitNotAsPlanned), "{:?}", watch.causes());
    for _ in 0..5 {
        watch.look(10, errors([0, 100], [2, 900]));
        assert!(watch.rollout.verdict().has(Reason::SplitNotAsPlanned));
    }
    watch.look(10, errors([0, 100], [2, 900]));
    assert!(!watch.rollout.verdict().has(Reason::SplitNotAsPlanned), "a window without a finding");
}

#[test]
fn field_8_trouble_that_healed_is_told_from_trouble_that_stays() {
    let set = errors_only(&[
        ("/metrics/error_rate/success", json!(0.9)),
        ("/metrics/error_rate/rollback", json!(0.95)),
        ("/watch/window", json!(60)),
        ("/watch/new_instances/ratio", json!(1)),
    ]);
    let run = |later: [u64; 2], looks: usize| {
        let mut watch = Watch::new("phased-canary", &set);
        watch.look(60, errors([3, 100], [3, 900]));
        assert!(watch.rollout.verdict().has(Reason::HoldLevel), "{:?}", watch.causes());
        assert_eq!(watch.rollout.verdict().metrics[1].1.band, Band::Alert);
        assert!(!watch.rollout.verdict().metrics[1].1.healed);
        for _ in 0..looks {
            watch.look(60, errors(later, [3, 900]));
        }
        watch
    };
    let healed = run([0, 100], 7);
    assert!(healed.rollout.verdict().metrics[1].1.healed, "{:?}", healed.rollout.verdict());
    assert!(healed.rollout.comparison().to_markdown().contains("success, healed |"));
    healed.audited();
    let replayed = Rollout::replay(healed.rollout.log().as_bytes(), Recording::Keep).unwrap();
    assert_eq!(replayed.comparison(), healed.rollout.comparison());
    let stays = run([1, 100], 3);
    assert!(!stays.rollout.verdict().metrics[1].1.healed, "{:?}", stays.rollout.verdict());
}

#[test]
fn field_8_single_bad_looks_are_tolerated_as_the_policy_says() {
    let quiet = [
        ("/metrics/error_rate/model", json!("none")),
        ("/metrics/error_rate/weight", json!(0.0)),
        ("/metrics/bug/role", json!("decide")),
        ("/metrics/bug/weight", json!(1.0)),
        ("/metrics/error_rate/success", json!(0.9)),
    ];
    let looks = |consecutive_breaches: u64, seen: &[u64]| {
        let mut set = errors_only(&quiet);
        set.push(("/watch/consecutive_breaches", json!(consecutive_breaches)));
        let mut watch = Watch::new("phased-canary", &set);
        for &errors_seen in seen {
            watch.look(60, errors([errors_seen, 100], [3, 900]));
            if errors_seen > 0 {
                assert!(watch.rollout.verdict().has(Reason::RollbackBand));
                // A timer's tick brings no reading, so it is no look.
                if watch.rollout.state() == State::Monitoring {
                    watch.input(&json!({"kind": "tick"}));
                }
            }
        }
        watch.audited();
        watch.rollout.state()
    };
    assert_eq!(looks(1, &[50]), State::RollingBack);
    assert_eq!(looks(3, &[50, 50]), State::Monitoring);
    assert_eq!(looks(3, &[50, 50, 0, 50, 50]), State::Monitoring, "in a row");
    assert_eq!(looks(3, &[50, 0, 50, 50, 50]), State::RollingBack);
}

#[test]
fn field_15_without_readings_of_the_live_version_no_test_has_a_forecast() {
    let mut watch = Watch::new("phased-canary", &errors_only(&[]));
    watch.look(60, errors([0, 100], [3, 900]));
    let forecast = |watch: &Watch| watch.rollout.forecast().unwrap().metrics[0];
    assert!(forecast(&watch).rollback.is_some() && !forecast(&watch).live_missing);
    for minute in 1..=5 {
        watch.look(60, json!({"error_rate": {"canary": [0, 100]}}));
        // A reading is stale after two minutes.
        let missing = minute > 2;
        let seen = forecast(&watch);
        assert_eq!((seen.live_missing, seen.rollback.is_none()), (missing, missing), "{minute}");
    }
    watch.audited();
}
