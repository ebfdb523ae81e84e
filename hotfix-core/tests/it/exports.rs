//! What is written for other tools: against their published rules, on files that every language compares (POST-3, TIME-3).

use std::collections::{BTreeMap, BTreeSet};

use hotfix_core::deadline::{Awaits, Item};
use hotfix_core::grade::Moment;
use hotfix_core::interop::{cdevents, grafana, icalendar, openmetrics};
use hotfix_core::plan::{Plan, Subject};
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Command, Input, Recording, Rollout, Stage};
use hotfix_core::unit::{Span, Timestamp};
use serde_json::{Value, json};

use crate::measure_cases::{Incident, incidents, path};
use crate::tree;

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

/// An hour before the last line, at it, and a day later: a file has the last.
fn moments(incident: &Incident) -> [Timestamp; 3] {
    let last = incident.rollout.now().unwrap();
    [last - Span::from_seconds(3600), last, last + Span::from_seconds(86_400)]
}

#[test]
fn post_3_exports_are_on_file_for_every_language() {
    for incident in incidents() {
        let (id, log) = (&incident.id, incident.log.as_bytes());
        let at = moments(&incident)[1] + Span::from_seconds(60);
        let options = cdevents::Options::default();
        let events = cdevents::events(log, &options).unwrap();
        tree::committed(&path(&format!("{id}.cdevents.json")), &pretty(&Value::Array(events)));
        let notes = grafana::annotations(log).unwrap();
        tree::committed(&path(&format!("{id}.grafana.json")), &pretty(&Value::Array(notes)));
        let text = openmetrics::text(&incident.rollout, at);
        tree::committed(&path(&format!("{id}.openmetrics.txt")), &text);
        tree::committed(&path(&format!("{id}.ics")), &icalendar::text(&incident.rollout, at));
    }
}

#[test]
fn post_3_a_fix_that_was_rolled_back_affects_no_request() {
    let mut rollout =
        incidents().into_iter().find(|incident| incident.id == "INC-2055").unwrap().rollout;
    let at = rollout.now().unwrap();
    let affected = |of: &Rollout| openmetrics::text(of, at).contains("hotfix_affected_requests");
    assert!(affected(&rollout));
    rollout.handle(at, &Input::new(Command::RollBack { why: None }).by("lena")).unwrap();
    let action = rollout.pending_actions()[0].id;
    rollout.handle(at, &Input::new(Command::Confirm { action, why: None }).by("tool")).unwrap();
    assert!(!affected(&rollout));
}

#[test]
fn post_3_no_export_names_a_person() {
    for incident in incidents() {
        let log = incident.log.as_bytes();
        let mut all = cdevents::json_lines(log, &cdevents::Options::default()).unwrap();
        all += &Value::Array(grafana::annotations(log).unwrap()).to_string();
        for at in moments(&incident) {
            all += &openmetrics::text(&incident.rollout, at);
            all += &icalendar::text(&incident.rollout, at);
        }
        for word in ["lena", "omar", "pepper", "somebody else as", "payments fail", "mended"] {
            assert!(incident.log.contains("lena") || incident.log.contains("omar"));
            assert!(!all.contains(word), "{}: {word}", incident.id);
        }
    }
}

// ---- CDEvents ----

/// The schemas of `CDEvents` 0.4.1 for these types (cdevents.dev/0.4.1/schema), as constraints in our words.
fn schema(kind: &str) -> Value {
    let reference = json!({
        "type": "object", "required": ["id"], "additionalProperties": false,
        "properties": {"id": {"type": "string", "minLength": 1}, "source": {"type": "string", "minLength": 1}},
    });
    let text = json!({"type": "string", "minLength": 1});
    let (subject, properties, required) = match kind {
        "incident.detected" | "incident.resolved" => (
            "incident",
            json!({"description": text, "environment": reference, "service": reference, "artifactId": text}),
            vec!["environment"],
        ),
        "incident.reported" => (
            "incident",
            json!({"description": text, "environment": reference, "service": reference, "artifactId": text, "ticketURI": text}),
            vec!["environment", "ticketURI"],
        ),
        "service.deployed" | "service.upgraded" | "service.rolledback" => (
            "service",
            json!({"environment": reference, "artifactId": text}),
            vec!["environment", "artifactId"],
        ),
        "service.published" => ("service", json!({"environment": reference}), vec!["environment"]),
        "pipelinerun.started" => {
            ("pipelineRun", json!({"pipelineName": text, "url": text}), vec!["pipelineName", "url"])
        }
        "pipelinerun.finished" => (
            "pipelineRun",
            json!({"pipelineName": text, "url": text, "outcome": text, "errors": text}),
            vec![],
        ),
        "taskrun.started" => {
            ("taskRun", json!({"taskName": text, "pipelineRun": reference, "url": text}), vec![])
        }
        "taskrun.finished" => (
            "taskRun",
            json!({"taskName": text, "pipelineRun": reference, "url": text, "outcome": text, "errors": text}),
            vec![],
        ),
        other => panic!("{other} is no type of 0.4.1"),
    };
    json!({
        "type": "object", "required": ["context", "subject"], "additionalProperties": false,
        "properties": {
            "context": {
                "type": "object", "required": ["version", "id", "source", "type", "timestamp"], "additionalProperties": false,
                "properties": {
                    "version": {"const": "0.4.1"}, "id": text, "source": text, "schemaUri": text, "links": {},
                    "chainId": {"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"},
                    "type": {"const": format!("dev.cdevents.{kind}.0.2.0")},
                    "timestamp": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
                },
            },
            "subject": {
                "type": "object", "required": ["id", "type", "content"], "additionalProperties": false,
                "properties": {
                    "id": text, "source": text, "type": {"const": subject},
                    "content": {"type": "object", "properties": properties, "required": required, "additionalProperties": false},
                },
            },
            "customData": {"type": "object"},
            "customDataContentType": {"type": "string"},
        },
    })
}

fn kind(event: &Value) -> &str {
    let kind = event["type"].as_str().unwrap();
    kind.strip_prefix("dev.cdevents.").unwrap().strip_suffix(".0.2.0").unwrap()
}

#[test]
fn post_3_events_are_cdevents_in_cloudevents() {
    let mut seen = BTreeSet::new();
    for incident in incidents() {
        let options =
            cdevents::Options { ticket: Some("https://t.example/1"), ..Default::default() };
        let events = cdevents::events(incident.log.as_bytes(), &options).unwrap();
        // Without a detection time it is detected when it is declared.
        assert!(events.iter().any(|event| kind(event) == "incident.detected"), "{}", incident.id);
        let mut ids = BTreeSet::new();
        for event in &events {
            seen.insert(kind(event).to_owned());
            let validator = jsonschema::validator_for(&schema(kind(event))).unwrap();
            let faults: Vec<String> = validator
                .iter_errors(&event["data"])
                .map(|e| format!("{e} at {}", e.instance_path()))
                .collect();
            assert!(faults.is_empty(), "{event}: {faults:?}");
            // CloudEvents 1.0: required attributes, names of lower-case letters and digits.
            assert_eq!(event["specversion"], "1.0");
            for (name, value) in event.as_object().unwrap() {
                assert!(
                    name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
                    "{name}"
                );
                assert!(name == "data" || value.as_str().is_some_and(|text| !text.is_empty()));
            }
            let context = &event["data"]["context"];
            for (outer, inner) in
                [("id", "id"), ("source", "source"), ("type", "type"), ("time", "timestamp")]
            {
                assert_eq!(event[outer], context[inner]);
            }
            assert!(ids.insert(event["id"].as_str().unwrap().to_owned()), "{} twice", event["id"]);
        }
        let lines = cdevents::json_lines(incident.log.as_bytes(), &options).unwrap();
        let read: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read, events);
    }
    let all = [
        "incident.detected",
        "incident.reported",
        "incident.resolved",
        "pipelinerun.finished",
        "pipelinerun.started",
        "service.deployed",
        "service.published",
        "service.rolledback",
        "service.upgraded",
        "taskrun.finished",
        "taskrun.started",
    ];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), all);
}

#[test]
fn post_3_a_longer_log_gives_the_same_events_and_more() {
    for incident in incidents() {
        let events = |log: &[u8]| cdevents::events(log, &cdevents::Options::default()).unwrap();
        let whole = events(incident.log.as_bytes());
        for (end, _) in incident.log.match_indices('\n') {
            let part = events(&incident.log.as_bytes()[..=end]);
            assert_eq!(part[..], whole[..part.len()], "{}", incident.id);
        }
    }
}

#[test]
fn post_3_each_start_of_a_run_has_one_end_at_most() {
    for incident in incidents() {
        let events =
            cdevents::events(incident.log.as_bytes(), &cdevents::Options::default()).unwrap();
        let mut open: BTreeMap<(String, String), i32> = BTreeMap::new();
        for event in &events {
            let (what, step) = kind(event).split_once('.').unwrap();
            let key = (what.to_owned(), event["subject"].as_str().unwrap().to_owned());
            match step {
                "started" => *open.entry(key).or_default() += 1,
                "finished" => *open.get_mut(&key).expect("it was started") -= 1,
                _ => {}
            }
        }
        assert!(open.values().all(|left| (0..=1).contains(left)), "{open:?}");
        let finished = incident.rollout.state().is_final();
        assert!(!finished || open.values().all(|left| *left == 0), "{open:?}");
    }
}

/// A rollout that is paused three times, within phases and between them.
fn paused() -> String {
    use hotfix_core::simulate::{Campaign, Scenario};

    let scenario = r#"
        [people]
        says = [
            { after = "5min", input = { kind = "pause", by = "lena" } },
            { after = "9min", input = { kind = "resume", by = "lena" } },
            { after = "12min", input = { kind = "pause", by = "lena" } },
            { after = "13min", input = { kind = "resume", by = "lena" } },
            { after = "30min", input = { kind = "pause", by = "lena" } },
            { after = "40min", input = { kind = "resume", by = "lena" } },
        ]
    "#;
    let policy = Policy::from_toml(include_str!("../policies/simulated.toml")).unwrap();
    let scenario = Scenario::read(scenario).unwrap();
    let plan = scenario.plan(std::sync::Arc::new(policy)).unwrap();
    let (player, _) = Campaign::try_new(plan, &scenario, 1).unwrap().drill(0).unwrap();
    player.rollout().log().to_owned()
}

#[test]
fn post_3_a_pause_does_not_end_a_phase() {
    let log = paused();
    assert_eq!(log.matches(r#""kind":"resume""#).count(), 3);
    let events = cdevents::events(log.as_bytes(), &cdevents::Options::default()).unwrap();
    let mut steps: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for event in events.iter().filter(|event| kind(event).starts_with("taskrun.")) {
        *steps.entry((event["subject"].as_str().unwrap(), kind(event))).or_default() += 1;
    }
    assert_eq!(steps.len(), 6, "three phases: {steps:?}");
    assert!(steps.values().all(|count| *count == 1), "{steps:?}");
    let notes = grafana::annotations(log.as_bytes()).unwrap();
    let phases: Vec<&Value> =
        notes.iter().filter(|n| n["tags"].as_array().unwrap().contains(&json!("phase"))).collect();
    assert_eq!(phases.len(), 3, "{phases:?}");
    for pair in phases.windows(2) {
        let (end, next) = (pair[0]["timeEnd"].as_i64(), pair[1]["time"].as_i64());
        assert!(end.unwrap() <= next.unwrap(), "{pair:?}");
    }
}

#[test]
fn post_3_a_setting_that_does_not_fit_is_refused() {
    let log = incidents().remove(0).log;
    let refused = |options: cdevents::Options<'_>| {
        cdevents::events(log.as_bytes(), &options).unwrap_err().to_string()
    };
    let some = cdevents::Options::default();
    for (options, name) in [
        (cdevents::Options { source: "", ..some }, "source"),
        (cdevents::Options { source: "a b", ..some }, "source"),
        (cdevents::Options { environment: " ", ..some }, "environment"),
        (cdevents::Options { ticket: Some("INC-1"), ..some }, "ticket"),
    ] {
        assert!(refused(options).starts_with(&format!("`{name}`")), "{name}");
        assert_eq!(cdevents::events(log.as_bytes(), &options).unwrap_err().code(), "HF-EXP-001");
    }
    assert_eq!(cdevents::events(b"", &some).unwrap_err().code(), "HF-LOG-001");
    assert_eq!(grafana::annotations(b"{}\n").unwrap_err().code(), "HF-JSON-011");
}

// ---- Grafana ----

#[test]
fn post_3_annotations_are_what_grafana_takes() {
    for incident in incidents() {
        let notes = grafana::annotations(incident.log.as_bytes()).unwrap();
        let mut last = 0;
        for note in &notes {
            let time = note["time"].as_i64().unwrap();
            assert!(time >= last, "in the order of time");
            last = time;
            assert!(note.get("timeEnd").is_none_or(|end| end.as_i64().unwrap() >= time), "{note}");
            assert!(!note["text"].as_str().unwrap().is_empty());
            let tags = note["tags"].as_array().unwrap();
            assert_eq!((&tags[0], &tags[1]), (&json!("hotfix"), &json!(incident.id)));
            let known = ["time", "timeEnd", "tags", "text"];
            assert!(note.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())));
        }
        let of = |kind: &str| {
            notes.iter().filter(|n| n["tags"].as_array().unwrap().contains(&json!(kind))).count()
        };
        assert_eq!(of("incident"), 1);
        if incident.id == "INC-2041" {
            assert_eq!((of("phase"), of("start"), of("complete"), of("closed")), (3, 1, 1, 1));
        }
        if incident.id == "INC-2055" {
            assert_eq!(
                (of("phase"), of("rolling_back"), of("rolled_back"), of("retry")),
                (2, 1, 1, 1)
            );
        }
    }
}

// ---- OpenMetrics ----

/// A sample: its name, labels and value.
type Sample = (String, BTreeMap<String, String>, f64);

/// Samples by family, read as strictly as `OpenMetrics` 1.0 asks.
fn parse(text: &str) -> BTreeMap<String, Vec<Sample>> {
    let body = text.strip_suffix("# EOF\n").expect("ends with EOF");
    assert!(!body.contains("# EOF"));
    let mut families: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
    let (mut name, mut kind) = (String::new(), String::new());
    for line in body.lines() {
        if let Some(meta) = line.strip_prefix("# ") {
            let mut words = meta.splitn(3, ' ');
            let [what, family, rest] = [(); 3].map(|()| words.next().unwrap());
            match what {
                "TYPE" => {
                    (name, kind) = (family.to_owned(), rest.to_owned());
                    assert!(["info", "stateset", "counter", "gauge"].contains(&rest), "{line}");
                    assert!(families.insert(name.clone(), Vec::new()).is_none(), "{name} twice");
                }
                "UNIT" => assert!(family == name && name.ends_with(&format!("_{rest}")), "{line}"),
                "HELP" => assert_eq!(family, name),
                _ => panic!("{line}"),
            }
            continue;
        }
        let (sample, rest) = line.split_once('{').unwrap();
        let (labels, value) = labels(rest);
        let suffix =
            sample.strip_prefix(&name).unwrap_or_else(|| panic!("{line} is not of {name}"));
        let wanted = match kind.as_str() {
            "info" => "_info",
            "counter" => "_total",
            _ => "",
        };
        assert_eq!(suffix, wanted, "{line}");
        let value: f64 = value.strip_prefix(' ').unwrap().parse().unwrap();
        if kind == "stateset" {
            assert!(labels.contains_key(&name) && (value == 0.0 || value == 1.0), "{line}");
        }
        let samples = families.get_mut(&name).unwrap();
        assert!(
            samples.iter().all(|(known, same, _)| known != sample || *same != labels),
            "{line} twice"
        );
        samples.push((sample.to_owned(), labels, value));
    }
    families
}

/// Labels up to the brace, with escapes taken back, and what follows.
fn labels(mut text: &str) -> (BTreeMap<String, String>, &str) {
    let mut labels = BTreeMap::new();
    loop {
        let (name, rest) = text.split_once("=\"").unwrap();
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        let (mut value, mut chars) = (String::new(), rest.char_indices());
        let end = loop {
            match chars.next().unwrap() {
                (at, '"') => break at,
                (_, '\\') => value.push(match chars.next().unwrap().1 {
                    'n' => '\n',
                    c @ ('\\' | '"') => c,
                    c => panic!("\\{c}"),
                }),
                (_, c) => value.push(c),
            }
        };
        assert!(labels.insert(name.to_owned(), value).is_none());
        text = &rest[end + 1..];
        if let Some(rest) = text.strip_prefix('}') {
            return (labels, rest);
        }
        text = text.strip_prefix(',').unwrap();
    }
}

#[test]
fn post_3_the_metrics_read_back_as_the_rollout_is() {
    for incident in incidents() {
        let rollout = &incident.rollout;
        for at in moments(&incident) {
            let families = parse(&openmetrics::text(rollout, at));
            let on = |family: &str| -> Vec<String> {
                let samples = families[family].iter().filter(|(.., value)| *value == 1.0);
                samples.map(|(_, labels, _)| labels[family].clone()).collect()
            };
            assert_eq!(on("hotfix_rollout_state"), [rollout.state().as_str()]);
            assert_eq!(
                on("hotfix_phase"),
                rollout.phase().map(|p| p.to_string()).into_iter().collect::<Vec<_>>()
            );
            assert_eq!(families["hotfix_attempts"][0].2, f64::from(rollout.attempt()));
            assert_eq!(families["hotfix_traffic_share_ratio"][0].2, rollout.share().as_fraction());
            for (_, labels, value) in &families["hotfix_metric_log_evidence"] {
                let metric = labels["metric"].parse::<hotfix_core::unit::MetricName>().unwrap();
                assert_eq!(rollout.verdict().metric(metric).unwrap().log_e, Some(*value));
            }
            let duties = rollout.duties(at);
            let of = |list: &str| {
                let mut counts = families["hotfix_duties"].iter();
                counts.find(|(_, labels, _)| labels["list"] == list).unwrap().2
            };
            assert_eq!(
                (of("due"), of("overdue")),
                (duties.due.len() as f64, duties.overdue.len() as f64)
            );
            let left = families["hotfix_duty_left_seconds"].iter();
            assert!(left.clone().filter(|(.., left)| *left < 0.0).count() == duties.overdue.len());
        }
    }
}

#[test]
fn post_3_labels_are_escaped() {
    // A log of an earlier release may have such a name.
    let odd = "a\"b\\c\nd} 1\n# EOF";
    let policy = std::sync::Arc::new(Policy::preset("phased-canary").unwrap());
    let incident = json!({"id": "INC-1", "service": odd});
    let release = json!({"version": "2", "previous": "1"});
    let subject = Subject::from_values(incident, Some(release), None).unwrap();
    let plan = Plan::restored(policy, subject, BTreeMap::new()).unwrap();
    let rollout = Rollout::try_new(plan, Recording::Keep, "").unwrap();
    let at = "2026-03-03T14:40:00Z".parse().unwrap();
    let families = parse(&openmetrics::text(&rollout, at).replace("\\n# EOF", "\\n# END"));
    assert_eq!(families["hotfix_rollout"][0].1["service"], odd.replace("EOF", "END"));
}

// ---- iCalendar ----

/// The content lines, unfolded; each physical line is checked.
fn unfold(text: &str) -> Vec<String> {
    assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']));
    let mut lines: Vec<String> = Vec::new();
    for line in text.split_terminator("\r\n") {
        assert!(line.len() <= 75, "{} octets: {line}", line.len());
        match line.strip_prefix(' ') {
            Some(more) => lines.last_mut().unwrap().push_str(more),
            None => lines.push(line.to_owned()),
        }
    }
    lines
}

fn to_dos(text: &str) -> Vec<BTreeMap<String, String>> {
    let (mut all, mut nest) = (Vec::new(), Vec::new());
    let mut current = BTreeMap::new();
    for line in unfold(text) {
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no value: {line}"));
        match name {
            "BEGIN" => nest.push(value.to_owned()),
            "END" => {
                assert_eq!(nest.pop().as_deref(), Some(value));
                if value == "VTODO" {
                    all.push(std::mem::take(&mut current));
                }
            }
            _ if nest.last().is_some_and(|part| part == "VTODO") => {
                assert!(
                    current.insert(name.to_owned(), value.to_owned()).is_none(),
                    "{name} twice"
                );
            }
            _ => {}
        }
    }
    assert!(nest.is_empty());
    all
}

#[test]
fn time_3_the_calendar_has_each_duty_once_and_says_how_it_stands() {
    for incident in incidents() {
        let rollout = &incident.rollout;
        let mut uids: Option<BTreeSet<String>> = None;
        for at in moments(&incident) {
            let duties = rollout.duties(at);
            let text = icalendar::text(rollout, at);
            let all = to_dos(&text);
            let lists = [
                &duties.due,
                &duties.overdue,
                &duties.next,
                &duties.later,
                &duties.undated,
                &duties.done,
            ];
            // What was dropped is in no list.
            let listed = lists.iter().map(|list| list.len()).sum::<usize>();
            assert!(all.len() >= listed);
            let own: BTreeSet<String> = all.iter().map(|to_do| to_do["UID"].clone()).collect();
            assert_eq!(own.len(), all.len());
            for to_do in &all {
                assert!(to_do["DTSTAMP"].ends_with('Z') && to_do["DTSTAMP"].len() == 16);
                if let (Some(start), Some(due)) = (to_do.get("DTSTART"), to_do.get("DUE")) {
                    assert!(start < due, "{to_do:?}");
                }
                let completed = to_do.contains_key("COMPLETED");
                assert_eq!(completed, to_do["STATUS"] == "COMPLETED", "{to_do:?}");
            }
            let open = all.iter().filter(|to_do| to_do["STATUS"] == "NEEDS-ACTION").count();
            let stays = matches!(rollout.stage(), Stage::Complete { .. } | Stage::Closed);
            let of_rollback = |d: &&Item<'_>| d.awaits == Some(Awaits::Moment(Moment::RolledBack));
            let in_vain = duties.later.iter().filter(of_rollback).filter(|_| stays).count();
            assert_eq!(open, listed - duties.done.len() - in_vain);
            // What is not repeated keeps its id whatever the time.
            let once: BTreeSet<String> = own;
            if let Some(before) = &uids {
                assert!(before.intersection(&once).count() > 0 || once.is_empty());
            }
            uids = Some(once);
            assert_eq!(
                text.matches("BEGIN:VALARM").count(),
                duties.due.iter().filter(|d| d.due.is_some()).count()
            );
        }
    }
}

/// RFC 5545, 3.6: at least one component.
#[test]
fn time_3_a_calendar_of_nothing_has_a_component() {
    let policy = Policy::from_toml(include_str!("../policies/simulated.toml")).unwrap();
    let policy = std::sync::Arc::new(policy);
    let release = r#"{"version": "2", "previous": "1"}"#;
    let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, release, "").unwrap();
    let rollout = Rollout::try_new(plan, Recording::Keep, "").unwrap();
    let text = icalendar::text(&rollout, "2026-03-03T14:40:00Z".parse().unwrap());
    let components: Vec<String> = unfold(&text)
        .iter()
        .filter_map(|line| line.strip_prefix("BEGIN:").map(str::to_owned))
        .collect();
    assert!(to_dos(&text).is_empty());
    assert_eq!(components, ["VCALENDAR", "VTIMEZONE", "STANDARD"]);
}

#[test]
fn time_3_lines_are_folded_and_escaped_whatever_the_text() {
    for odd in ["ä€😀".repeat(40), "a;b,c\\d\r\nEND:VCALENDAR".to_owned(), "x".repeat(200)] {
        let policy = std::sync::Arc::new(Policy::preset("enterprise").unwrap());
        let incident = json!({"id": odd, "severity": "P0", "detected_at": "2026-03-03T14:06:00Z"});
        let release = json!({"version": "2", "previous": "1"});
        let subject = Subject::from_values(incident, Some(release), None).unwrap();
        let plan = Plan::restored(policy, subject, BTreeMap::new()).unwrap();
        let mut rollout = Rollout::try_new(plan, Recording::Keep, "").unwrap();
        let at = "2026-03-03T14:40:00Z".parse().unwrap();
        let note = Input::from_json(r#"{"kind": "note", "by": "lena", "text": "x"}"#).unwrap();
        rollout.handle(at, &note).unwrap();
        let all = to_dos(&icalendar::text(&rollout, at));
        assert!(!all.is_empty());
        for to_do in all {
            let summary = to_do["SUMMARY"]
                .replace("\\n", "\n")
                .replace("\\;", ";")
                .replace("\\,", ",")
                .replace("\\\\", "\\");
            assert!(summary.starts_with(&odd.replace('\r', "")), "{summary}");
        }
    }
}
