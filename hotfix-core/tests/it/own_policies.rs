//! Policies of one's own: what the linter and the plan say of them, and what whole rollouts under them do.

use std::sync::Arc;

use hotfix_core::grade::{Audience, MessageKind, Strategy};
use hotfix_core::message::{Format, Rendered};
use hotfix_core::metric::Band;
use hotfix_core::plan::{Plan, PlanFindingKind, StepKind};
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Act, Input, Recording, Rollout, State};
use hotfix_core::simulate::{Campaign, Scenario};
use hotfix_core::unit::{Span, Timestamp};
use serde_json::{Value, json};

use crate::crate_files::in_crate;
use crate::ready;

const REST: &str = r#"
final_validation = { watch = "1min", gate = "automatic" }
watch = { cadence = "10s", window = "5min", stale = "1min", alert = "ask", no_data = { after = "2min", then = "ask" } }
rollback = { watch = "2min", returned_within = "5min" }
"#;
const VOLUME: &str = r#"
[metrics.traffic]
kind = "volume"
worse = "lower"
reference = "1000/min"
"#;
pub(crate) const ERRORS: &str = r#"
[metrics.error_rate]
kind = "proportion"
worse = "higher"
reference = "0.5%"
weight = 1.0
"#;

/// A small policy, with this strategy and phases.
pub(crate) fn small(strategy: Strategy, shares: &[(&str, &str)], metrics: &str) -> Arc<Policy> {
    smallest(strategy, shares, &format!("{REST}{metrics}"))
}

/// The same with the rest of its tables as given.
pub(crate) fn smallest(strategy: Strategy, shares: &[(&str, &str)], rest: &str) -> Arc<Policy> {
    let phase = |(name, share): &(&str, &str)| {
        format!(
            r#"{{ name = "{name}", share = "{share}", deploy = "2min", watch = "10min", promotion = "no_evidence_of_harm", criteria_missed = "ask", gate = "automatic" }}"#
        )
    };
    let phases: Vec<String> = shares.iter().map(phase).collect();
    let text = format!(
        "format = 1\nname = \"co\"\ntitle = \"co\"\nafter = [\"1h\"]\nstrategy = \"{strategy}\"\nphases = [{}]\n{rest}",
        phases.join(", ")
    );
    Arc::new(Policy::from_toml(&text).unwrap_or_else(|errors| panic!("{errors}")))
}

fn at_once(metrics: &str) -> Arc<Policy> {
    small(
        Strategy::Immediate,
        &[("all", "100%")],
        &format!("{ERRORS}rollback = \"10%\"\n{metrics}"),
    )
}

fn canary(metrics: &str) -> Arc<Policy> {
    let metrics = format!("{metrics}{VOLUME}role = \"watch\"\n");
    small(Strategy::Canary, &[("canary", "10%"), ("all", "100%")], &metrics)
}

fn plan(policy: &Arc<Policy>) -> Plan {
    let incident = r#"{"id": "INC-1", "severity": "P1"}"#;
    let release = r#"{"version": "2", "previous": "1"}"#;
    let traffic = r#"{"requests_per_minute": 1000}"#;
    Plan::from_json(Arc::clone(policy), incident, release, traffic).expect("a plan")
}

/// What a rollout came to that moves all traffic at once.
#[derive(Debug)]
struct Seen {
    state: State,
    /// Seconds after its first traffic, at the end and where a person was first asked.
    after: u32,
    asked: Option<u32>,
    band: Option<Band>,
}

/// Half an hour of the live version, then the fix; one metric has these levels.
fn moved_at_once(
    policy: &Arc<Policy>,
    metric: &str,
    levels: [f64; 2],
    before: u32,
    step: u32,
) -> Seen {
    let mut rollout = Rollout::try_new(plan(policy), Recording::Off, "").expect("a rollout");
    let first: Timestamp = "2026-03-03T14:40:00Z".parse().expect("a time");
    let at = |second: u32| first + Span::from_seconds(second);
    let observe = |rollout: &mut Rollout, at, arm: &str, level: f64| {
        let metrics = json!({ "error_rate": { arm: [1, 167] }, metric: { arm: level } });
        let input = Input::from_value(json!({ "kind": "observe", "metrics": metrics }));
        let outcome = rollout.handle(at, &input.expect("an input")).expect("a reading");
        outcome.actions.iter().any(|action| matches!(action.act, Act::AskDecision { .. }))
    };
    for second in (0..before).step_by(step as usize) {
        observe(&mut rollout, at(second), "baseline", levels[0]);
    }
    ready::make(&mut rollout, at(before));
    rollout
        .handle(at(before), &Input::from_json(r#"{"kind":"start","by":"lena"}"#).unwrap())
        .unwrap();
    let mut seen = Seen { state: rollout.state(), after: 0, asked: None, band: None };
    for second in (step..3600).step_by(step as usize) {
        let now = at(before + second);
        while let Some(action) = rollout.pending_actions().first().map(|action| action.id) {
            let done = json!({"kind": "confirm", "by": "tool", "action": action.to_string()});
            rollout.handle(now, &Input::from_value(done).unwrap()).unwrap();
        }
        if observe(&mut rollout, now, "canary", levels[1]) {
            seen.asked.get_or_insert(second);
        }
        (seen.state, seen.after) = (rollout.state(), second);
        let own = rollout.verdict().metrics.iter().find(|(id, _)| id.as_str() == metric);
        seen.band = own.map(|(_, verdict)| verdict.band);
        if seen.state != State::Monitoring {
            break;
        }
    }
    seen
}

const LIVE: &str = "success = { ratio = 0.8, of = \"live\" }\n";

#[test]
fn field_19_a_volume_is_compared_with_the_time_before_where_all_traffic_moves_at_once() {
    let figure = at_once(&format!("{VOLUME}{LIVE}rollback = 500\n"));
    let alert = at_once(&format!("{VOLUME}{LIVE}alert = {{ ratio = 0.7, of = \"live\" }}\n"));
    for policy in [&figure, &alert] {
        let healthy = moved_at_once(policy, "traffic", [1000.0, 900.0], 1800, 10);
        assert_eq!((healthy.state, healthy.asked), (State::FinalValidation, None), "{healthy:?}");
        assert_eq!(healthy.band, Some(Band::Success), "{healthy:?}");
    }
    let lost = moved_at_once(&alert, "traffic", [1000.0, 200.0], 1800, 10);
    assert!(lost.asked.is_some_and(|asked| asked <= 310), "{lost:?}");
    // Traffic that the reference does not know: it is no standard.
    let evening = moved_at_once(&alert, "traffic", [300.0, 300.0], 1800, 10);
    assert_eq!((evening.state, evening.asked), (State::FinalValidation, None), "{evening:?}");
}

#[test]
fn field_19_a_volume_with_nothing_before_holds_no_fix_and_is_named_before_the_start() {
    let policy = at_once(&format!("{VOLUME}{LIVE}rollback = 500\n"));
    let seen = moved_at_once(&policy, "traffic", [1000.0, 1000.0], 0, 10);
    assert_eq!((seen.state, seen.asked), (State::FinalValidation, None), "{seen:?}");
    let policy = at_once(&format!("{VOLUME}{LIVE}"));
    let says = "nothing judges `traffic` in any phase: no bound that has its reference";
    let unless = "unless the live version is read for at least 12min before the start";
    let lint = policy.lint(None).into_iter().find(|finding| finding.code() == "HF-LINT-031");
    let lint = lint.expect("a finding").message();
    assert!(lint.contains(says) && lint.ends_with(unless), "{lint}");
    let found = plan(&policy).findings();
    assert!(found.iter().any(|of| of.kind == PlanFindingKind::NotJudged && of.text == lint));
}

#[test]
fn stat_4_a_gauge_is_compared_with_the_time_before_at_any_cadence() {
    let queue = "[metrics.queue]\nkind = \"gauge\"\nworse = \"higher\"\nrollback = { ratio = 2.0, of = \"live\" }\n";
    for step in [1, 10, 30] {
        let text = at_once(queue).to_toml().replace("\"10s\"", &format!("\"{step}s\""));
        let policy = Arc::new(Policy::from_toml(&text).unwrap_or_else(|errors| panic!("{errors}")));
        let worse = moved_at_once(&policy, "queue", [100.0, 500.0], 1800, step);
        assert_eq!(worse.state, State::RollingBack, "every {step} s: {worse:?}");
        assert!((300..=330).contains(&worse.after), "every {step} s: {worse:?}");
        let healthy = moved_at_once(&policy, "queue", [100.0, 150.0], 1800, step);
        assert_eq!(healthy.state, State::FinalValidation, "every {step} s: {healthy:?}");
    }
}

/// Of so many healthy fixes, those that are rolled back.
fn rolled_back(policy: &Arc<Policy>, runs: u64) -> usize {
    // Traffic moves right after a reading: a plan does not know of requests of the live version that the first
    // window of a phase still has.
    let platform = json!({ "traffic": 0.001 });
    let scenario = json!({ "until": "4h", "traffic": { "requests": 1000 }, "platform": platform });
    let scenario = Scenario::from_value(&scenario).expect("a scenario");
    let plan = scenario.plan(Arc::clone(policy)).expect("a plan");
    let campaign = Campaign::try_new(plan, &scenario, 3).expect("a campaign");
    let mut rolled_back = 0;
    campaign.each(0..runs, |_, run, _| rolled_back += usize::from(run.rolled_back_at.is_some()));
    rolled_back
}

/// The finding of the plan about the rollback bound, and the one of the linter.
fn by_chance(policy: &Arc<Policy>) -> [Option<String>; 2] {
    let of_plan = plan(policy).findings().into_iter();
    let mut of_plan = of_plan.filter(|finding| finding.kind == PlanFindingKind::MissedByChance);
    let lint = policy.lint(None).into_iter().find(|finding| finding.code() == "HF-LINT-024");
    [of_plan.next().map(|finding| finding.text), lint.map(|finding| finding.message())]
}

/// The figures before ` of 100 in `, over all phases.
fn of_100(text: &str) -> f64 {
    let parts: Vec<&str> = text.split(" of 100 in `").collect();
    let last = |part: &&str| part.rsplit([' ', '~']).next().and_then(|word| word.parse().ok());
    let kept: f64 =
        parts[..parts.len() - 1].iter().filter_map(last).map(|of: f64| 1.0 - of / 100.0).product();
    1.0 - kept
}

#[test]
fn field_18_what_is_said_of_a_rollback_bound_is_true_of_whole_rollouts() {
    const RUNS: u64 = 400;
    let halves = |metrics: &str| {
        let metrics = format!("{VOLUME}{metrics}");
        small(Strategy::Canary, &[("half", "50%"), ("all", "100%")], &metrics)
    };
    let tenth: fn(&str) -> Arc<Policy> = canary;
    for (with, bound) in [
        (tenth, "\"1%\""),
        (tenth, "\"1.5%\""),
        (tenth, "{ ratio = 2.0, of = \"reference\" }"),
        (tenth, "{ ratio = 2.0, of = \"live\" }"),
        (tenth, "{ ratio = 3.0, of = \"live\" }"),
        (halves, "{ ratio = 2.0, of = \"live\" }"),
    ] {
        let policy = with(&format!("{ERRORS}rollback = {bound}\n"));
        let [said, lint] = by_chance(&policy).map(Option::unwrap_or_default);
        let seen = rolled_back(&policy, RUNS) as f64 / RUNS as f64;
        for text in [&said, &lint] {
            // 2.5 standard errors of so many runs, and how the number of requests varies within a phase.
            let said = of_100(text);
            assert!((said - seen).abs() <= 0.08, "{bound}: {seen}, but {text}");
        }
        let advised = said.split("set it to ").nth(1).and_then(|rest| rest.split(", which").next());
        let advised = advised.unwrap_or_else(|| panic!("{bound}: {said}"));
        let policy = with(&format!("{ERRORS}rollback = \"{advised}\"\n"));
        let kept = rolled_back(&policy, RUNS);
        assert!(kept <= 20, "{bound}, then {advised}: {kept} of {RUNS}");
        assert_eq!(by_chance(&policy)[0], None, "{advised}");
    }
}

#[test]
fn field_18_successes_and_counts_beside_the_live_version_are_checked_too() {
    let paid = "[metrics.paid]\nkind = \"proportion\"\nworse = \"lower\"\nreference = \"99.5%\"\nweight = 1.0\nrollback = { ratio = 0.99, of = \"live\" }\n";
    let count = "[metrics.c]\nkind = \"count\"\nworse = \"higher\"\nmodel = \"none\"\nreference = \"6/min\"\nrollback = { ratio = 2.0, of = \"live\" }\n";
    let errors = format!("{ERRORS}rollback = \"10%\"\n");
    for metrics in [paid.to_owned(), format!("{errors}{count}")] {
        let [said, lint] = by_chance(&canary(&metrics));
        assert!(said.is_some_and(|text| text.contains("× the live version")), "{metrics}");
        assert!(lint.is_some(), "{metrics}");
    }
    assert_eq!(by_chance(&canary(&errors)), [None, None]);
}

#[test]
fn dec_5_evidence_that_takes_longer_than_the_least_time_or_cannot_come_is_found() {
    let shown = |metrics: &str| {
        let text = canary(metrics).to_toml().replace("no_evidence_of_harm", "evidence_of_no_harm");
        let policy = Policy::from_toml(&text).unwrap_or_else(|errors| panic!("{errors}"));
        let found = policy.lint(None).into_iter();
        let evidence = found.filter(|of| ["HF-LINT-026", "HF-LINT-096"].contains(&of.code()));
        evidence.map(|finding| finding.message()).collect::<Vec<_>>()
    };
    let slow = shown(&format!("{ERRORS}rollback = \"10%\"\n"));
    assert_eq!(slow.len(), 1, "{slow:?}");
    assert!(
        slow[0].starts_with("within the 10min of `canary`")
            && slow[0].contains("half of them need 2"),
        "{slow:?}"
    );
    let gauge =
        "[metrics.q]\nkind = \"gauge\"\nworse = \"higher\"\nreference = 100\nrollback = 300\n";
    let none = shown(gauge);
    assert!(none.len() == 1 && none[0].contains("no metric that decides is tested"), "{none:?}");
    let whole = "extends = \"fast-track\"\nname = \"own\"\n[[phases]]\nname = \"full\"\npromotion = \"evidence_of_no_harm\"\n";
    let found = Policy::from_toml(whole).unwrap().lint(None);
    let alone = found.iter().find(|of| of.code() == "HF-LINT-096").unwrap();
    assert!(alone.message().contains("`full` asks for evidence of no harm, but it has all of"));
}

#[test]
fn plan_3_the_wait_for_evidence_of_no_harm_is_part_of_the_planned_times() {
    let slo = "[change_record.slo]\nname = \"fix live\"\nfrom = \"deploy_started\"\nto = \"deployed\"\nwithin = \"20min\"\n";
    let of = |watch_most: Value, requests: u32| {
        let text = canary(&format!("{ERRORS}rollback = \"10%\"\n{slo}")).to_json();
        let text = text.replace("no_evidence_of_harm", "evidence_of_no_harm");
        let mut document: Value = serde_json::from_str(&text).expect("a document");
        if !watch_most.is_null() {
            document["phases"][0]["watch_most"] = watch_most;
        }
        let policy = Policy::from_json(&document.to_string()).expect("a policy");
        let incident = r#"{"id": "INC-1", "severity": "P1"}"#;
        let traffic = json!({ "requests_per_minute": requests }).to_string();
        let release = r#"{"version": "2", "previous": "1"}"#;
        Plan::from_json(Arc::new(policy), incident, release, &traffic).expect("a plan")
    };
    let minutes = |span: Span| span.as_millis() / 60_000;
    let phase = |plan: &Plan| {
        let whole = plan.duration().rollout.parts[0].clone();
        let gate = plan.offsets().into_iter().find(|step| step.step == StepKind::Gate);
        assert_eq!(gate.expect("a gate").offset, whole.least);
        (minutes(whole.least), minutes(whole.most))
    };
    let waits = of(Value::Null, 1000);
    let (least, most) = phase(&waits);
    assert!((22..=26).contains(&least) && most == least, "{least} to {most}");
    let slo = |plan: &Plan| plan.slo().slo.expect("an objective").sentence;
    assert!(slo(&waits).ends_with("The limit is missed."), "{}", slo(&waits));
    let limited = of(json!(900), 1000);
    assert_eq!(phase(&limited), (17, 17));
    let longer = of(json!(7200), 1000);
    assert_eq!(phase(&longer), (least, 122));
    let busy = of(Value::Null, 100_000);
    assert_eq!((phase(&busy), slo(&busy).ends_with("The limit is met.")), ((12, 12), true));

    let mut rollout = Rollout::try_new(waits, Recording::Off, "").expect("a rollout");
    let at: Timestamp = "2026-03-03T14:40:00Z".parse().expect("a time");
    ready::make(&mut rollout, at);
    let start = Input::from_json(r#"{"kind":"start","by":"lena"}"#).expect("an input");
    rollout.handle(at, &start).expect("a start");
    let message =
        rollout.message(MessageKind::DeploymentStarted, Audience::Stakeholders, Format::Text);
    let Ok(Rendered::Text(text)) = message else { panic!("{message:?}") };
    let end = at + rollout.plan().duration().rollout.least;
    let end = &end.to_string()[11..16];
    assert!(text.contains(&format!("{end} UTC")), "{text}");
}

#[test]
fn dec_5_vetoes_without_a_time_or_a_gate_are_found() {
    let with = |keys: &str| -> Vec<Value> {
        let text = canary(&format!("{ERRORS}rollback = \"10%\"\n")).to_json();
        let mut document: Value = serde_json::from_str(&text).expect("a document");
        let keys: Value = serde_json::from_str(keys).expect("keys");
        for (key, value) in keys.as_object().expect("a table") {
            document["phases"][0][key] = value.clone();
        }
        let policy = Policy::from_json(&document.to_string()).expect("a policy");
        let found = policy.lint(None).into_iter().filter(|of| of.code() == "HF-LINT-097");
        found.map(|finding| json!([finding.path, finding.message()])).collect()
    };
    let says = |gate: &str, veto: &str| {
        let text = format!(
            "the gate of `canary` is `{gate}`, and its `veto` is {veto}: nobody has time to object"
        );
        vec![json!(["/phases/0/veto", text])]
    };
    assert_eq!(with(r#"{"gate": "automatic", "veto": 300}"#), says("automatic", "5min"));
    assert_eq!(with(r#"{"gate": "veto"}"#), says("veto", "0s"));
    assert_eq!(with(r#"{"gate": "veto", "veto": 300}"#), Vec::<Value>::new());
}

#[test]
fn dec_5_what_is_doubtful_about_a_strategy_that_a_release_may_choose_is_found() {
    let own = r#"[strategies.immediate]
        phases = [{ name = "all", share = "100%", deploy = "1min", watch = "1min", watch_most = "2min", inconclusive = "hold",
            promotion = "no_evidence_of_harm", criteria_missed = "ask", gate = "automatic" }]"#;
    let found = |strategies: &str| -> Vec<(&'static str, String)> {
        let text = canary(&format!("{ERRORS}rollback = \"10%\"\n")).to_toml();
        let policy = Policy::from_toml(&format!("{text}\n{strategies}"))
            .unwrap_or_else(|errors| panic!("{errors}"));
        let found = policy.lint(None).into_iter();
        found.map(|finding| (finding.code(), finding.path)).collect()
    };
    let at = |code| (code, "/strategies/immediate".to_owned());
    assert_eq!(found(own), [at("HF-LINT-092")]);
    let longer = own.replace("1min", "5min").replace("2min", "10min").replace("hold", "ask");
    assert!(found(&longer).is_empty(), "{:?}", found(&longer));
}

#[test]
fn dec_5_the_page_of_the_smallest_policy_has_the_figures_of_the_linter() {
    let strict =
        "extends = \"standard\"\nname = \"strict\"\nmetrics.error_rate.rollback = \"0.8%\"\n";
    let found = Policy::from_toml(strict).expect("a policy").lint(None).into_iter();
    let found = found.filter(|of| of.code() == "HF-LINT-024").map(|of| of.message());
    let page = std::fs::read_to_string(in_crate("../docs/start/smallest-policy.md"));
    let page = page.expect("a page");
    for message in found {
        assert!(page.contains(&format!("HF-LINT-024 {message}\n")), "{message}");
    }
}

/// A canary with these bounds and these settings of `watch`, which acts after six breaches in a row.
fn six_in_a_row(bounds: &str, watch: &[(&str, Value)]) -> Arc<Policy> {
    let errors = ERRORS.replace("weight = 1.0", &format!("model = \"none\"\n{bounds}"));
    let mut document: Value = serde_json::from_str(&canary(&errors).to_json()).expect("a document");
    document["watch"]["consecutive_breaches"] = json!(6);
    for (key, value) in watch {
        document["watch"][key] = value.clone();
    }
    Arc::new(Policy::from_json(&document.to_string()).expect("a policy"))
}

/// The milliseconds after the first reading at which a rollout is rolled back that is read this often: the canary's
/// counts as totals, or as they come.
fn first_rollback(
    policy: &Arc<Policy>,
    every_ms: u32,
    reading: impl Fn(u32) -> Value,
    most_ms: u32,
) -> Option<u32> {
    let mut rollout = Rollout::try_new(plan(policy), Recording::Off, "").expect("a rollout");
    let start: Timestamp = "2026-03-03T14:40:00Z".parse().expect("a time");
    ready::make(&mut rollout, start);
    let input = Input::from_json(r#"{"kind":"start","by":"lena"}"#).expect("an input");
    rollout.handle(start, &input).expect("a start");
    while let Some(action) = rollout.pending_actions().first().map(|action| action.id) {
        let done = json!({"kind": "confirm", "by": "tool", "action": action.to_string()});
        rollout.handle(start, &Input::from_value(done).unwrap()).unwrap();
    }
    let first = start + Span::from_seconds(60);
    for after in (0..=most_ms).step_by(every_ms as usize) {
        let metrics = json!({"kind": "observe", "metrics": {"error_rate": reading(after)}});
        let at = first + Span::from_millis(u64::from(after));
        rollout.handle(at, &Input::from_value(metrics).unwrap()).unwrap();
        if rollout.state() != State::Monitoring {
            return Some(after);
        }
    }
    None
}

#[test]
fn field_8_a_breach_counts_once_however_often_it_is_read() {
    let policy = six_in_a_row("rollback = \"10%\"", &[]);
    let rolled_back_after =
        |every, reading: &dyn Fn(u32) -> Value, most| first_rollback(&policy, every, reading, most);
    let bad = |_: u32| json!({"canary": [60, 100], "baseline": [4, 900]});
    assert_eq!(rolled_back_after(10_000, &bad, 120_000), Some(50_000));
    // A reading may come early or late, and faster ones prove nothing more.
    assert_eq!(rolled_back_after(9_500, &bad, 120_000), Some(47_500));
    assert_eq!(rolled_back_after(30_000, &bad, 400_000), Some(150_000));
    assert_eq!(rolled_back_after(100, &bad, 120_000), Some(45_000));
    let once = |after: u32| match after {
        0 => bad(0),
        _ => json!({"canary": [0, 0], "baseline": [4, 900]}),
    };
    assert_eq!(rolled_back_after(10_000, &once, 120_000), None);
    // Scraped every minute: the first total shows only what the next ones count from.
    let scraped = |after: u32| {
        let scrapes = 1.0 + f64::from(after / 60_000);
        json!({"totals": true, "canary": [60.0 * scrapes, 100.0 * scrapes], "baseline": [4.0 * scrapes, 900.0 * scrapes]})
    };
    assert_eq!(rolled_back_after(10_000, &scraped, 500_000), Some(360_000));
}

#[test]
fn field_8_each_bound_counts_its_own_breaches() {
    // A window of one reading: 8% for so long, then so many readings of 60%, and 8% again.
    let window = ("window", json!(10));
    let after = |policy: &Arc<Policy>, alerting: u32, breaches: u32| {
        let reading = |after: u32| {
            let number = after / 10_000;
            let bad = if (alerting..alerting + breaches).contains(&number) { 60 } else { 8 };
            json!({"canary": [bad, 100], "baseline": [4, 900]})
        };
        first_rollback(policy, 10_000, reading, 400_000)
    };
    let bounds = "alert = \"5%\"\nrollback = \"10%\"";
    let held = six_in_a_row(bounds, &[window.clone(), ("alert", json!("hold"))]);
    assert_eq!(after(&held, 20, 1), None, "one breach after 20 alerts");
    assert_eq!(after(&held, 20, 5), None);
    assert_eq!(after(&held, 20, 6), Some(250_000));
    // A reading beyond the rollback bound is one beyond the alert bound, too.
    let rolls_back = six_in_a_row(bounds, &[window, ("alert", json!("roll_back"))]);
    assert_eq!(after(&rolls_back, 4, 2), Some(50_000));
}

/// Of each phase, the seconds for which a healthy fix is watched that is read every ten seconds, and those that are
/// planned.
fn watched(warm_up: &str) -> ([u64; 2], Vec<u64>) {
    let count = format!(
        "[metrics.bug]\nkind = \"count\"\nworse = \"higher\"\nreference = \"1/min\"\nrollback = \"50/min\"\nmodel = \"none\"\n{warm_up}"
    );
    let text = canary(&format!("{ERRORS}rollback = \"10%\"\n{count}")).to_toml();
    let text = text.replace("watch = \"10min\"", "watch = \"2min\"");
    let policy = Arc::new(Policy::from_toml(&text).unwrap_or_else(|errors| panic!("{errors}")));
    let plan = plan(&policy);
    let parts = plan.duration().rollout.parts;
    // Each is deployed for two minutes, and validated for one at the end.
    let planned = parts[..2].iter().map(|part| part.least.as_millis() / 1000 - 120).collect();
    let mut rollout = Rollout::try_new(plan, Recording::Off, "").expect("a rollout");
    let mut at: Timestamp = "2026-03-03T14:40:00Z".parse().expect("a time");
    ready::make(&mut rollout, at);
    rollout.handle(at, &Input::from_json(r#"{"kind":"start","by":"lena"}"#).unwrap()).unwrap();
    let mut seconds = [0; 2];
    for (phase, seconds) in seconds.iter_mut().enumerate() {
        while let Some(action) = rollout.pending_actions().first().map(|action| action.id) {
            let done = json!({"kind": "confirm", "by": "tool", "action": action.to_string()});
            rollout.handle(at, &Input::from_value(done).unwrap()).unwrap();
        }
        while rollout.state() == State::Monitoring && *seconds < 1_000 {
            at = at + Span::from_seconds(10);
            *seconds += 10;
            let read = if phase == 0 {
                json!({
                    "error_rate": {"canary": [0, 167], "baseline": [7, 1500]},
                    "bug": {"canary": [0, 10], "baseline": [0, 10]},
                })
            } else {
                json!({"error_rate": {"canary": [8, 1667]}, "bug": {"canary": [0, 10]}})
            };
            let metrics = json!({"kind": "observe", "metrics": read});
            rollout.handle(at, &Input::from_value(metrics).unwrap()).unwrap();
        }
    }
    (seconds, planned)
}

#[test]
fn plan_3_the_wait_for_a_full_window_is_part_of_the_planned_times() {
    // A window of five minutes, in phases of two.
    for (warm_up, lasts, most) in [
        ("", 300, 300),
        ("warm_up = \"30s\"\n", 300, 300),
        // It leaves the window empty, but for the reading with which it ends.
        ("warm_up = \"6min\"\n", 650, 660),
    ] {
        let (seconds, planned) = watched(warm_up);
        assert_eq!((seconds, planned), ([lasts; 2], vec![most; 2]), "{warm_up}");
    }
}
