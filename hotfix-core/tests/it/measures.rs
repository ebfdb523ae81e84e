//! Measures of incidents from their logs, and laws that any log keeps (POST-3).

use std::collections::BTreeMap;
use std::sync::Arc;

use hotfix_core::grade::Moment;
use hotfix_core::interop::openmetrics;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::report::measures::{
    Figure, Known, MeasureError, MeasureStatus, Measures, Objective, Period, dora, similar,
    split_logs,
};
use hotfix_core::rollout::{Command, Input, Recording, Rollout};
use hotfix_core::unit::{Span, Timestamp};
use serde_json::{Value, json};

use crate::measure_cases::{Incident, incidents, path};
use crate::tree;

fn logs(incidents: &[Incident]) -> Vec<&[u8]> {
    incidents.iter().map(|incident| incident.log.as_bytes()).collect()
}

fn pretty<T: serde::Serialize>(value: &T) -> String {
    let value = serde_json::to_value(value).unwrap();
    serde_json::to_string_pretty(&value).unwrap() + "\n"
}

#[test]
fn post_3_each_incident_is_measured_as_its_case_says() {
    let mut wrong = Vec::new();
    for incident in incidents() {
        let measures = Measures::from_log(incident.log.as_bytes()).unwrap();
        let document = serde_json::to_value(&measures).unwrap();
        let expected = &incident.expected;
        if expected.state.as_deref().is_some_and(|state| document["state"] != *state) {
            wrong.push(format!("{}: state {}", incident.id, document["state"]));
        }
        if expected.attempts.is_some_and(|attempts| document["attempts"] != attempts) {
            wrong.push(format!("{}: attempts {}", incident.id, document["attempts"]));
        }
        for wanted in &expected.measures {
            let all = document["measures"].as_array().unwrap();
            let measure = all.iter().find(|measure| measure["name"] == wanted[0]).unwrap();
            let keys = ["seconds", "yes", "share", "count", "objective"];
            let value = keys.iter().find_map(|key| measure.get(key)).unwrap_or(&Value::Null);
            let same = match (value.as_f64(), wanted.get(2).and_then(Value::as_f64)) {
                (Some(a), Some(b)) => a == b,
                _ => value == wanted.get(2).unwrap_or(&Value::Null),
            };
            if measure["status"] != wanted[1] || !same {
                wrong.push(format!("{}: {wanted} is {measure}", incident.id));
            }
            assert_eq!(measure["until"] == "open", measure["status"] == "open", "{measure}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn post_3_logs_and_their_measures_are_on_file_for_every_language() {
    for incident in incidents() {
        let Incident { id, log, .. } = &incident;
        tree::committed(&path(&format!("{id}.jsonl")), log);
        let measures = Measures::from_log(log.as_bytes()).unwrap();
        tree::committed(&path(&format!("{id}.measures.json")), &pretty(&measures));
        tree::committed(&path(&format!("{id}.measures.md")), &measures.to_markdown());
    }
}

#[test]
fn post_3_every_prefix_agrees_with_what_is_known_later() {
    for incident in incidents() {
        let mut known: BTreeMap<&str, (String, u64)> = BTreeMap::new();
        let mut running: BTreeMap<&str, f64> = BTreeMap::new();
        let lines: Vec<(usize, &str)> = incident.log.match_indices('\n').collect();
        for (number, (end, _)) in (0_u64..).zip(&lines) {
            let line = incident.log[..*end].lines().last().unwrap();
            let line: Value = serde_json::from_str(line).unwrap();
            // What corrects or begins anew may change what was known.
            let kind = line["kind"].as_str().unwrap();
            if ["set_times", "set_facts", "retry", "supersede", "start"].contains(&kind)
                || line["to"]["state"] == "rolling_back"
                || line["to"]["state"] == "rolled_back"
            {
                known.clear();
                running.clear();
            }
            let measures = Measures::from_log(&incident.log.as_bytes()[..=*end]).unwrap();
            for measure in &measures.measures {
                let name = measure.name.as_str();
                // Judged values go on while it is watched; those of ended times never.
                let place = format!("{} line {number}: {name}", incident.id);
                match (measure.status, &measure.figure) {
                    (MeasureStatus::Known, figure) => {
                        // What is missed is known when its time is up, and its end comes when it comes.
                        let missed = *figure == Some(Figure::Objective(Objective::Missed));
                        let to = measure.to.as_ref().filter(|_| !missed);
                        let text = format!("{figure:?} {:?} {to:?}", measure.from);
                        let late = known.entry(name).or_insert_with(|| (text.clone(), number));
                        assert_eq!(late.0, text, "{place}, known since line {}", late.1);
                        if let (Some(Figure::Seconds(span)), Some(least)) =
                            (figure, running.get(name))
                        {
                            assert!(span.as_seconds() >= *least, "{place}");
                        }
                    }
                    (MeasureStatus::Open, figure) => {
                        assert!(!known.contains_key(name), "{place} is open again");
                        if let Some(Figure::Seconds(span)) = figure {
                            let before = running.insert(name, span.as_seconds());
                            assert!(
                                before.is_none_or(|before| before <= span.as_seconds()),
                                "{place}"
                            );
                        }
                    }
                    (MeasureStatus::NotStated | MeasureStatus::NotAsked, figure) => {
                        assert!(figure.is_none(), "{place} has a figure");
                        assert!(!known.contains_key(name), "{place} is forgotten");
                    }
                }
            }
        }
    }
}

#[test]
fn post_3_an_objective_that_is_late_is_missed_before_it_is_reached() {
    let log = incidents().into_iter().find(|i| i.id == "INC-2101").unwrap().log;
    let mut standings = Vec::new();
    for (end, _) in log.match_indices('\n') {
        let measures = Measures::from_log(&log.as_bytes()[..=end]).unwrap();
        let slo = measures.measures.into_iter().find(|m| m.name.as_str() == "slo").unwrap();
        let missed = slo.figure == Some(Figure::Objective(Objective::Missed));
        assert_eq!(missed, slo.status == MeasureStatus::Known, "{slo:?}");
        standings.push(slo.status);
    }
    standings.dedup();
    assert_eq!(standings, [MeasureStatus::Open, MeasureStatus::Known]);
}

#[test]
fn post_3_requests_hurt_are_those_that_were_counted() {
    let log = incidents().into_iter().find(|i| i.id == "INC-2055").unwrap().log;
    let measures = Measures::from_log(log.as_bytes()).unwrap();
    let hurt = measures.measures.iter().find(|m| m.name.as_str() == "requests_affected").unwrap();
    let Some(Figure::Requests(by_version)) = &hurt.figure else { panic!("{hurt:?}") };
    // 120 of 1,000 in each minute until it went back; the second attempt 5 payments of 1,000 in each of four.
    assert_eq!(by_version["2.3.1"].at_least, 360.0);
    assert_eq!(by_version["2.3.2"].at_least, 20.0);
    // 4,950 of 9,000 payments in three and in four minutes, and 5,500 of 10,000 in two of the rollback and three after it.
    let live = by_version["2.3.0"];
    assert_eq!(live.metric.as_str(), "payment_success");
    assert_eq!(live.at_least, 7.0 * 4950.0 + 5.0 * 5500.0);
}

/// The fix still has its traffic: what it does to users is read as before, and nothing is decided again.
#[test]
fn post_3_until_a_rollback_is_confirmed_the_readings_are_shown() {
    let mut rollout =
        incidents().into_iter().find(|incident| incident.id == "INC-2055").unwrap().rollout;
    let at = rollout.now().unwrap();
    rollout.handle(at, &Input::new(Command::RollBack { why: None }).by("lena")).unwrap();
    let (verdict, why) = (rollout.verdict().clone(), rollout.why());
    let before = openmetrics::text(&rollout, at);
    let at = at + Span::from_seconds(60);
    let metrics = json!({"kind": "observe", "metrics": {
        "error_rate": {"canary": [300, 1000], "baseline": [90, 9000]}}});
    let metrics = Input::from_json(&metrics.to_string()).unwrap();
    assert_eq!(rollout.handle(at, &metrics).unwrap().actions, []);
    assert_eq!((rollout.verdict(), rollout.why()), (&verdict, why));
    let value = |text: &str, name: &str, labels: &str| {
        let sample =
            format!("hotfix_{name}{{incident=\"INC-2055\",service=\"payments\",{labels}}} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&sample));
        value.unwrap_or_else(|| panic!("{sample}: {text}")).parse::<f64>().unwrap()
    };
    let after = openmetrics::text(&rollout, at);
    for (name, labels, values) in [
        ("metric_value", r#"arm="canary",metric="error_rate""#, (0.002, 0.3)),
        ("metric_value", r#"arm="baseline",metric="error_rate""#, (0.003, 0.01)),
        ("affected_requests_per_minute", r#"metric="error_rate",arm="canary""#, (2.0, 300.0)),
    ] {
        assert_eq!((value(&before, name, labels), value(&after, name, labels)), values, "{labels}");
    }
    assert_eq!(rollout.harm().unwrap().at, at);
    let level = rollout.levels().find(|(id, _)| id.as_str() == "error_rate").unwrap().1;
    assert_eq!(level, [Some(0.3), Some(0.01)]);
    // The same from the log.
    let again = Rollout::replay(rollout.log().as_bytes(), Recording::Keep).unwrap();
    assert_eq!(openmetrics::text(&again, at), after);
}

/// Whether an outage is a part of the incident is told by when it was resolved for good.
#[test]
fn post_3_an_outage_after_it_was_resolved_counts_where_the_incident_opens_again() {
    let mut rollout = incidents().into_iter().find(|i| i.id == "INC-2101").unwrap().rollout;
    let resolved = rollout.moment(Moment::Resolved).unwrap();
    let minutes = |minutes: u32| Span::from_seconds(60 * minutes);
    let say = |rollout: &mut Rollout, minute: u32, input: &Value| {
        let input = Input::from_json(&input.to_string()).unwrap();
        assert!(rollout.handle(resolved + minutes(minute), &input).is_ok());
        let downtime = rollout.downtime(resolved + minutes(minute)).unwrap();
        (downtime.whole, downtime.goes_on())
    };
    let down =
        |down: bool| json!({"kind": "set_facts", "by": "omar", "facts": {"service_down": down}});
    assert_eq!(say(&mut rollout, 10, &down(true)), (minutes(15), false));
    let back = json!({"kind": "roll_back", "by": "omar", "why": "it is down again"});
    assert_eq!(say(&mut rollout, 15, &back), (minutes(20), true));
    assert_eq!(rollout.moment(Moment::Resolved), None);
    assert_eq!(say(&mut rollout, 30, &down(false)), (minutes(35), false));
    let measures = Measures::from_log(rollout.log().as_bytes()).unwrap();
    let measure = measures.measures.iter().find(|m| m.name.as_str() == "downtime").unwrap();
    assert_eq!(measure.figure, Some(Figure::Seconds(minutes(35))));
}

/// Nobody can have reviewed a fix that did not exist.
#[test]
fn post_3_a_review_from_before_the_release_is_not_counted() {
    let policy = Arc::new(Policy::preset("phased-canary").unwrap());
    let incident = r#"{"id":"INC-1","severity":"P1","detected_at":"2026-03-03T14:40:00Z"}"#;
    let plan = Plan::from_json(policy, incident, "", "").unwrap();
    let mut rollout = Rollout::try_new(plan, Recording::Keep, "").unwrap();
    let begun: Timestamp = "2026-03-03T14:40:00Z".parse().unwrap();
    let mut say = |minute: u32, input: Value| {
        let input = Input::from_json(&input.to_string()).unwrap();
        assert!(rollout.handle(begun + Span::from_seconds(60 * minute), &input).is_ok());
        let measures = Measures::from_log(rollout.log().as_bytes()).unwrap();
        let measure = measures.measures.into_iter().find(|m| m.name.as_str() == "time_to_review");
        let measure = measure.unwrap();
        (measure.status, measure.figure)
    };
    let minutes = |minutes: u32| Some(Figure::Seconds(Span::from_seconds(60 * minutes)));
    let review = json!({"kind": "check_item", "by": "omar", "item": "code_reviewed"});
    say(0, json!({"kind": "tick"}));
    say(4, review.clone());
    let release = json!({"version": "2", "previous": "1", "author": "zoe"});
    assert_eq!(
        say(50, json!({"kind": "release", "by": "zoe", "release": release})),
        (MeasureStatus::Open, minutes(50))
    );
    assert_eq!(say(60, review), (MeasureStatus::Known, minutes(60)));
}

#[test]
fn post_3_the_trend_counts_each_attempt_where_it_belongs() {
    let incidents = incidents();
    let trend = dora(&logs(&incidents), Period::Month).unwrap();
    tree::committed(&path("dora.month.json"), &pretty(&trend));
    tree::committed(&path("dora.month.md"), &trend.to_markdown());
    let chart = trend.chart().unwrap();
    tree::committed(&path("dora.month.svg"), &chart.svg);
    tree::committed(
        &path("dora.week.json"),
        &pretty(&dora(&logs(&incidents), Period::Week).unwrap()),
    );
    let outcomes = |row: &hotfix_core::report::measures::DoraRow| {
        let o = row.outcomes;
        (
            row.period.clone().unwrap_or_default(),
            [row.deployments, o.good, o.failed, o.superseded, o.open],
        )
    };
    let rows: Vec<_> = trend.periods.iter().chain([&trend.whole]).map(outcomes).collect();
    assert_eq!(
        rows,
        [
            ("2026-03".to_owned(), [3, 1, 1, 0, 1]),
            ("2026-04".to_owned(), [6, 2, 1, 1, 2]),
            (String::new(), [9, 3, 2, 1, 3]),
        ]
    );
    assert_eq!(trend.periods[0].change_failure_rate, Some(0.5));
    // INC-2104's second version took over the traffic of the frozen one: it counts, and is open.
    assert_eq!(trend.periods[1].change_failure_rate, Some(1.0 / 3.0));
    let clocks = trend.clocks;
    assert_eq!((clocks.fix_started, clocks.plan_created, clocks.attempt_begun), (1, 2, 2));
    // INC-2055 is not over: it counts as a time that runs on.
    let restore = trend.periods[0].time_to_restore;
    assert_eq!((restore.known, restore.open), (1, 1));
    // The order of the logs does not matter.
    let mut backwards = logs(&incidents);
    backwards.reverse();
    assert_eq!(dora(&backwards, Period::Month).unwrap(), trend);
}

#[test]
fn post_3_a_period_without_anything_is_a_row_of_zeros() {
    let incidents = incidents();
    let trend = dora(&logs(&incidents), Period::Week).unwrap();
    let labels: Vec<&str> = trend.periods.iter().map(|p| p.period.as_deref().unwrap()).collect();
    assert_eq!(
        labels,
        ["2026-W10", "2026-W11", "2026-W12", "2026-W13", "2026-W14", "2026-W15", "2026-W16"]
    );
    assert_eq!(trend.periods[2].deployments, 0);
    assert_eq!(trend.periods[2].change_failure_rate, None);
}

#[test]
fn post_3_one_incident_twice_is_refused() {
    let incidents = incidents();
    let log = incidents[0].log.as_bytes();
    let begun = log.split(|b| *b == b'\n').next().unwrap().len() + 1;
    let error = dora(&[log, &log[..begun]], Period::Month).unwrap_err();
    assert_eq!((error.code(), error), ("HF-REP-020", MeasureError::Twice { first: 0, second: 1 }));
    let error = dora(&[log, b"{}\n"], Period::Month).unwrap_err();
    assert!(error.to_string().starts_with("log 2: "), "{error}");
    let joined = logs(&incidents).concat();
    assert_eq!(split_logs(&joined).unwrap(), logs(&incidents));
    assert!(split_logs(b"").unwrap().is_empty());
    assert_eq!(split_logs(b"{}\n").unwrap_err().code(), "HF-REP-021");
}

#[test]
fn post_3_similar_incidents_are_ranked_with_why() {
    let incidents = incidents();
    let facts = json!({"service": "Payments", "payment_failure_share": 0.6, "revenue_impact": true, "service_down": false, "users_affected": 0.5});
    let known = Known::read(facts.to_string().as_bytes(), None).unwrap();
    let found = similar(&known, &logs(&incidents)).unwrap();
    tree::committed(&path("similar.json"), &pretty(&found));
    let order: Vec<&str> = found.iter().map(|found| found.incident.as_str()).collect();
    assert_eq!(order, ["INC-2041", "INC-2055", "INC-2102", "INC-2104", "INC-2101", "INC-2103"]);
    assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
    assert!(found.iter().all(|found| (0.0..=1.0).contains(&found.score)));
    assert_eq!(found[4].differ, ["service_down", "service"]);
    // An incident is not like itself: it is left out.
    let own = Known::from_log(incidents[1].log.as_bytes()).unwrap();
    let others = similar(&own, &logs(&incidents)).unwrap();
    assert!(others.iter().all(|found| found.log != 1) && others.len() == 5);
    let wrong = |text: &[u8]| Known::read(text, None).unwrap_err().code();
    assert_eq!(wrong(b"[]"), "HF-REP-022");
    assert_eq!(wrong(br#"{"service_dwn": true}"#), "HF-REP-023");
}

/// At the end of an incident all is well; it is compared by what it was.
#[test]
fn post_3_incidents_are_compared_by_the_worst_that_was_known() {
    let facts = json!({"service_down": true, "users_affected": 0.4, "workaround_exists": false});
    let incident = json!({"id": "OLD-1", "service": "shop", "severity": "P0", "facts": facts});
    let log = |mended: bool| {
        let release = r#"{"version": "2", "previous": "1"}"#;
        let policy = Arc::new(Policy::preset("standard").unwrap());
        let plan = Plan::from_json(policy, &incident.to_string(), release, "").unwrap();
        let mut rollout = Rollout::try_new(plan, Recording::Keep, "").unwrap();
        let mut say = |at: &str, input: Value| {
            let input = Input::from_value(input).unwrap();
            rollout.handle(at.parse().unwrap(), &input).unwrap();
        };
        say("2026-03-03T14:00:00Z", json!({"kind": "tick"}));
        if mended {
            let facts = json!({"service_down": false, "users_affected": 0});
            say("2026-03-03T15:00:00Z", json!({"kind": "set_facts", "by": "l", "facts": facts}));
        }
        rollout.log().to_owned()
    };
    let now = json!({"service": "Shop", "service_down": true, "users_affected": 0.4, "workaround_exists": false});
    let known = Known::read(now.to_string().as_bytes(), None).unwrap();
    let (lasting, mended) = (log(false), log(true));
    for found in similar(&known, &[lasting.as_bytes(), mended.as_bytes()]).unwrap() {
        assert_eq!((found.score, found.differ.len()), (1.0, 0), "{found:?}");
    }
}

#[test]
fn post_3_what_nobody_knows_is_no_match() {
    let incidents = incidents();
    let nothing = Known::read(b"{}", None).unwrap();
    for found in similar(&nothing, &logs(&incidents)).unwrap() {
        assert_eq!((found.score, found.agree.len()), (0.0, 0), "{found:?}");
    }
    // One more fact that only this incident knows makes none more alike.
    let score = |facts: Value| {
        let known = Known::read(facts.to_string().as_bytes(), None).unwrap();
        similar(&known, &logs(&incidents)).unwrap().into_iter().find(|s| s.log == 0).unwrap().score
    };
    let few = score(json!({"service": "payments"}));
    assert!(score(json!({"service": "payments", "deadlock": true})) < few);
}

#[test]
fn post_3_the_trends_drawing_says_in_words_what_it_shows() {
    let incidents = incidents();
    let chart = dora(&logs(&incidents), Period::Month).unwrap().chart().unwrap();
    assert!(chart.svg.starts_with("<svg role=\"img\" aria-labelledby=\"trend-title trend-text\""));
    assert!(chart.svg.contains(&format!("<desc id=\"trend-text\">{}</desc>", chart.text)));
    assert!(
        chart.text.contains("2026-03: 3 deployments, change failure rate 50% (1 of 2)"),
        "{}",
        chart.text
    );
    assert_eq!(chart.svg.matches("<svg").count(), 1);
    assert!(chart.svg.trim_end().ends_with("</svg>"));
    assert_eq!(dora(&[], Period::Week).unwrap().chart(), None);
}
