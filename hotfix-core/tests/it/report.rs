//! The report from the log alone (POST-1, POST-2, POST-6).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hotfix_core::grade::MetricKind;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::report::measures::{Figure, MeasureName, Measures};
use hotfix_core::report::{DutyOutcome, Format, PhaseEnd, Report, report};
use hotfix_core::rollout::{Input, Recording, Redaction, Rollout, State, redact};
use hotfix_core::unit::{Span, Timestamp};
use serde_json::{Value, json};

use crate::report_common::{Run, logs, prefixes};
use crate::story::Story;
use crate::tree;

fn read(log: &str) -> Report {
    Report::from_log(log.as_bytes()).unwrap()
}

/// The scenario's runs, as golden files.
#[test]
fn post_1_the_scenarios_runs_are_told_as_they_were() {
    for run in Run::ALL {
        let (report, name) = (read(&run.log()), run.name());
        let page = report.write(Format::Markdown).unwrap();
        tree::committed(&format!("hotfix-core/tests/golden/report/{name}.md"), &page);
    }
    // What C and Python give, too.
    let recorded = tree::read(&tree::root().join("examples/expected/canary_rollback.jsonl"));
    tree::committed(
        "hotfix-core/tests/golden/report/canary_rollback.md",
        &read(&recorded).write(Format::Markdown).unwrap(),
    );
    let mut json = read(&Run::Bad.log()).write(Format::Json).unwrap();
    json.push('\n');
    tree::committed("hotfix-core/tests/golden/report/bad.json", &json);
    let page = read(&Run::Bad.log()).write(Format::Html).unwrap();
    tree::committed("hotfix-core/tests/golden/report/bad.html", &page);
}

/// What the runs must say, whatever the words.
#[test]
fn post_1_each_run_says_how_it_ended_and_what_it_hurt() {
    let good = read(&Run::Good.log());
    assert_eq!(good.state, State::Complete);
    assert!(good.phases.iter().all(|visit| visit.end == PhaseEnd::Passed));
    assert!(good.resolution.iter().any(|it| it.starts_with("The fix was shown to work")));
    assert_eq!(good.root_cause.len(), 2);
    assert!(!good.open.iter().any(|open| open == "the root cause"));

    let bad = read(&Run::Bad.log());
    assert_eq!(bad.state, State::RolledBack);
    let ends: Vec<PhaseEnd> = bad.phases.iter().map(|visit| visit.end).collect();
    assert_eq!(ends, [PhaseEnd::Passed, PhaseEnd::RolledBack]);
    // 16th and 17th minute at 50%, then a minute of the way back: 30 of 500 each time; and 0.2% before.
    let hurt = bad.measures.get(MeasureName::RequestsAffected).figure;
    let Some(Figure::Requests(by_version)) = hurt else { panic!("{hurt:?}") };
    assert_eq!(by_version["2.3.1"].at_least, 91.0);
    assert!(bad.to_improve.iter().any(|it| it.contains("roll back to 2.3.0 by feature flag")));
    assert!(bad.detection.iter().any(|it| it.contains("before anybody reported a problem")));
    assert!(bad.open.contains(&"the root cause".to_owned()));

    let shock = read(&Run::Shock.log());
    // Both arms failed alike, and nothing went back; at its end S1's own bound is missed all the same.
    let watched = shock.phases[1].until.unwrap().since(shock.phases[1].watched_since.unwrap());
    assert_eq!(watched, Span::from_seconds(600), "{:?}", shock.summary);
    let silent = read(&Run::Silent.log());
    assert!(silent.to_improve.iter().any(|it| it == "Phase partial had no readings for 11min."));
    let drawn = &silent.plots.metrics[0].new_version;
    assert!(drawn.iter().any(|point| point.after_gap), "the silence is a gap");
}

/// One definition: the report has the measures of its log, and its prose and tables say no other figure.
#[test]
fn post_3_the_report_has_the_measures_of_its_log() {
    for (name, log) in logs() {
        let report = read(&log);
        assert_eq!(report.measures, Measures::from_log(log.as_bytes()).unwrap(), "{name}");
        let json: Value = serde_json::from_str(&report.write(Format::Json).unwrap()).unwrap();
        assert_eq!(json["measures"], serde_json::to_value(&report.measures).unwrap(), "{name}");
        let page = report.write(Format::Markdown).unwrap();
        for measure in &report.measures.measures {
            // Names are words in a table.
            let parts = measure.sentence.split('`').enumerate();
            let told: String = parts
                .map(|(at, part)| part.replace('_', if at % 2 == 1 { " " } else { "\\_" }))
                .collect();
            assert!(page.contains(&told), "{name}: {told}");
        }
        // Events are no requests: they are named only where no failed request is counted.
        let mut most: BTreeMap<String, (bool, f64)> = BTreeMap::new();
        for hurt in &report.impact.affected {
            let failed = hurt.kind == MetricKind::Proportion && hurt.counted.bad > 0.0;
            let known = most.entry(hurt.version.clone()).or_default();
            if *known <= (failed, hurt.counted.bad) {
                *known = (failed, hurt.counted.bad);
            }
        }
        let most: BTreeMap<_, _> = most.into_iter().map(|(of, (_, bad))| (of, bad)).collect();
        let by_version = match report.measures.get(MeasureName::RequestsAffected).figure {
            Some(Figure::Requests(by_version)) => by_version,
            _ => BTreeMap::new(),
        };
        let measured: BTreeMap<String, f64> =
            by_version.into_iter().map(|(version, hurt)| (version, hurt.at_least)).collect();
        assert_eq!(most, measured, "{name}");
    }
}

/// A way back that failed is over with its attempt.
#[test]
fn post_1_each_attempt_has_its_own_way_back() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    story.run_until(40, Story::failing, State::RollingBack);
    let first = story.at;
    while story.state() != State::Frozen {
        let input =
            json!({"kind": "failed", "by": "tool", "action": story.pending(), "why": "no answer"});
        story.input(&input.to_string());
    }
    let release = json!({"version": "2.3.2", "previous": "2.3.0"});
    let input =
        json!({"kind": "supersede", "by": "lena", "why": "a better one", "release": release});
    story.input(&input.to_string());
    story.start();
    story.run_until(40, Story::failing, State::RollingBack);
    let second = story.at;
    story.confirm_all();
    story.run_until(60, Story::after_rollback, State::RolledBack);

    let report = read(story.rollout.log());
    let time = |at: Timestamp| at.to_string()[11..19].to_owned();
    let backs = report.resolution.iter().filter(|text| text.starts_with("The rollback began"));
    let [one, other] = backs.collect::<Vec<_>>()[..] else { panic!("{:?}", report.resolution) };
    assert!(one.contains(&time(first)) && one.contains(", then "), "{one}");
    assert!(!one.contains("it was complete at"), "{one}");
    assert!(other.contains(&time(second)) && !other.contains(", then "), "{other}");
    assert!(
        other.contains(&format!("it was complete at 2026-03-03 {}", time(story.at))),
        "{other}"
    );
}

/// Of what is wanted nobody knows how many did not come: fewer orders than seconds are no requests hurt.
#[test]
fn post_3_a_count_of_what_is_wanted_counts_no_request_as_hurt() {
    let preset = Policy::preset("phased-canary").unwrap().to_json();
    let mut policy: Value = serde_json::from_str(&preset).unwrap();
    policy["metrics"]["orders"] =
        json!({"kind": "count", "worse": "lower", "role": "decide", "weight": 0.0, "alert": 10.0});
    let plan = Plan::from_json(
        Arc::new(Policy::from_json(&policy.to_string()).unwrap()),
        r#"{"id": "INC-2041", "severity": "P1"}"#,
        r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
        r#"{"requests_per_minute": 1000}"#,
    );
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.rollout = Rollout::try_new(plan.unwrap(), Recording::Keep, "").unwrap();
    story.start();
    story.run(12, |share, tick| {
        let mut metrics: Value = serde_json::from_str(&Story::healthy(share, tick)).unwrap();
        // Ten a second, and then one in ten seconds.
        let orders = if tick < 6 { 100 } else { 1 };
        metrics["orders"] = json!({"canary": [orders, 10], "baseline": [orders, 10]});
        metrics.to_string()
    });
    let harm = story.rollout.harm().unwrap();
    assert!(harm.metrics.iter().all(|metric| metric.metric.as_str() != "orders"), "{harm:?}");
    let range = harm.canary.unwrap();
    assert!(0.0 <= range.low && range.low < range.high, "{range:?}");
    let report = read(story.rollout.log());
    assert!(report.impact.affected.len() >= 4);
    for hurt in &report.impact.affected {
        assert!(hurt.metric.as_str() != "orders" && hurt.counted.bad >= 0.0, "{hurt:?}");
    }
}

#[test]
fn post_2_duties_are_kept_late_missed_or_open() {
    let report = read(&Run::Good.log());
    let standing =
        |id: &str| report.duties.iter().find(|duty| duty.id.as_str() == id).unwrap().status;
    assert_eq!(standing("p1_notice"), DutyOutcome::Kept);
    assert_eq!(standing("p1_fix"), DutyOutcome::Kept);
    assert_eq!(standing("p1_root_cause"), DutyOutcome::Kept);
    assert_eq!(standing("p1_update"), DutyOutcome::Missed);
    assert_eq!(standing("p1_lead"), DutyOutcome::Over);
    let action = |task: &str| report.action_items.iter().find(|item| item.task == task).unwrap();
    let noted = action("a test that pays without a stored method");
    assert_eq!(noted.owner.as_deref(), Some("payments team"));
    assert_eq!(noted.success_criterion.as_deref(), Some("it fails on 2.3.0"));
    assert!(action("root cause written down").done);
}

/// An update that is answered late was missed, one that is answered in time was not.
#[test]
fn post_2_what_is_repeated_counts_each_time() {
    let mut rollout = Rollout::try_new(plan("harmless"), Recording::Keep, "").unwrap();
    // The update of every half hour, from 14:06: due 14:36, 15:06, 15:36, 16:06 …
    for (time, kind) in [
        ("14:10", "note"),
        ("14:36", "done"),
        ("15:10", "done"),
        ("15:36", "done"),
        ("16:00", "note"),
    ] {
        let at: Timestamp = format!("2026-03-03T{time}:00Z").parse().unwrap();
        let input = match kind {
            "done" => json!({"kind": "done", "by": "omar", "duty": "p1_update"}),
            _ => json!({"kind": "note", "by": "omar", "text": "on it"}),
        };
        rollout.handle(at, &Input::from_value(input).unwrap()).unwrap();
    }
    let report = read(rollout.log());
    let update = report.duties.iter().find(|duty| duty.id.as_str() == "p1_update").unwrap();
    assert_eq!((update.times, update.missed), (Some(3), Some(1)));
}

#[test]
fn post_6_the_trail_names_who_did_what_and_prose_names_roles_alone() {
    let log = Run::Good.log();
    let named = read(&log);
    let trail = &named.audit_trail;
    assert_eq!(trail.lines, log.lines().count() as u64);
    assert_eq!(
        trail.head.to_string(),
        Rollout::replay(log.as_bytes(), Recording::Off).map(|_| last_hash(&log)).unwrap()
    );
    assert_eq!(trail.approvals.len(), 2);
    assert_eq!(trail.approvals[0].who.as_deref(), Some("Lena"));
    let json = serde_json::to_value(&named).unwrap();
    for (part, value) in json.as_object().unwrap() {
        let has_name = ["Lena", "Noor", "Omar"].iter().any(|name| value.to_string().contains(name));
        assert_eq!(has_name, part == "audit_trail", "{part}");
    }

    let bare = redact(log.as_bytes(), &Redaction::Everything).unwrap();
    let bare = read(&bare);
    assert!(bare.audit_trail.redacted && !named.audit_trail.redacted);
    for format in Format::ALL {
        let page = bare.write(*format).unwrap();
        assert!(!["Lena", "Noor", "Omar", "pepper"].iter().any(|name| page.contains(name)));
        // Nobody is shown as a digest.
        assert!(!page.contains(&salted("Lena")), "{format}");
    }
    // Roles are told as before: the digests of holders still stand for them.
    assert_eq!(bare.summary, named.summary);
    assert_eq!(bare.timeline, named.timeline);
}

fn last_hash(log: &str) -> String {
    let last: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    last["hash"].as_str().unwrap().to_owned()
}

fn salted(name: &str) -> String {
    hotfix_core::canonical::Digest::of(format!("pepper\0{name}").as_bytes()).to_string()
}

/// A report is asked for at any time: of every beginning of every log.
#[test]
fn post_1_every_beginning_of_a_log_has_a_report() {
    for (name, log) in logs() {
        // Of the recorded story every other line, of the others some: what a phase can see is worked out each time.
        let lines = log.lines().count();
        let apart = if name.contains("canary_rollback") { 2 } else { 1 + lines / 3 };
        for (line, prefix) in prefixes(&log).enumerate().step_by(apart) {
            let report = Report::from_log(prefix.as_bytes())
                .unwrap_or_else(|error| panic!("{name}, line {line}: {error}"));
            let page = report.write(Format::Markdown).unwrap();
            assert!(!page.contains("\n\n\n"), "{name}, line {line}");
            if line % (7 * apart) == 0 {
                let html = report.write(Format::Html).unwrap();
                well_formed(&html).unwrap_or_else(|fault| panic!("{name}, line {line}: {fault}"));
            }
        }
    }
}

/// No heading stands over nothing.
#[test]
fn post_1_what_nobody_said_is_listed_once_and_heads_nothing() {
    for (name, log) in logs() {
        let page = read(&log).write(Format::Markdown).unwrap();
        let lines: Vec<&str> = page.lines().filter(|line| !line.is_empty()).collect();
        for pair in lines.windows(2) {
            let level = |line: &str| line.bytes().take_while(|b| *b == b'#').count();
            let (first, second) = (level(pair[0]), level(pair[1]));
            assert!(first == 0 || second == 0 || second > first, "{name}: {pair:?}");
        }
        assert!(lines.last().is_some_and(|line| !line.starts_with('#')), "{name}");
    }
}

#[test]
fn post_1_a_log_that_cannot_be_read_and_one_that_is_not_kept_have_none() {
    let log = Run::Bad.log();
    assert_eq!(report(log.as_bytes(), "pdf").unwrap_err().code(), "HF-REP-002");
    assert_eq!(report(b"", "json").unwrap_err().code(), "HF-LOG-001");
    assert_eq!(report(&log.as_bytes()[..log.len() - 1], "json").unwrap_err().code(), "HF-LOG-002");
    let broken = log.replacen("14:31:00", "14:32:00", 1);
    assert!(report(broken.as_bytes(), "json").is_err());

    let note = Input::from_json(r#"{"kind":"note","by":"omar","text":"on it"}"#).unwrap();
    for recording in [Recording::HandOut, Recording::Off] {
        let mut rollout = Rollout::try_new(plan("harmless"), recording, "").unwrap();
        rollout.handle("2026-03-03T14:40:00Z".parse().unwrap(), &note).unwrap();
        assert_eq!(rollout.report("json").unwrap_err().code(), "HF-REP-001");
        assert_eq!(rollout.report("pdf").unwrap_err().code(), "HF-REP-002");
    }
    let kept = Rollout::replay(log.as_bytes(), Recording::Keep).unwrap();
    for format in ["markdown", "json", "html"] {
        assert_eq!(kept.report(format).unwrap(), report(log.as_bytes(), format).unwrap());
    }
    // A rollout that took up a snapshot keeps the lines since then alone.
    let restored = Rollout::restore(&kept.snapshot().unwrap(), &[], Recording::Keep).unwrap();
    assert_eq!(restored.report("json").unwrap_err().code(), "HF-REP-001");
}

/// A plan whose every text is this one.
fn plan(text: &str) -> Plan {
    let quoted = Value::from(text).to_string();
    let house = format!(
        r#"
extends = "enterprise"
name = "house"
title = {quoted}

[[duties]]
id = "p1_lead"
title = {quoted}

[roles.engineering_lead]
title = {quoted}
holders = [{{ name = {quoted} }}]

[report]
questions = [{quoted}, "second?"]
sections = [{quoted}]
measures = [{quoted}]
"#
    );
    let policy = Arc::new(Policy::from_toml(&house).unwrap());
    let name = text.replace(char::is_control, " ");
    let incident = json!({
        "id": name, "service": name, "title": text, "severity": "P1", "detected_at": "2026-03-03T14:06:00Z",
        "facts": {"preceding_deploy": text},
    });
    let release = json!({
        "version": name, "previous": "2.3.0", "branch": "hotfix/x", "author": text, "description": text,
        "change_record": {"links": {"cause": text}},
    });
    Plan::from_json(policy, &incident.to_string(), &release.to_string(), "").unwrap()
}

/// A log in which people wrote this wherever they can.
fn written(text: &str) -> String {
    let mut rollout = Rollout::try_new(plan(text), Recording::Keep, "").unwrap();
    let mut at: Timestamp = "2026-03-03T14:10:00Z".parse().unwrap();
    for input in [
        json!({"kind": "note", "by": text, "text": text}),
        json!({"kind": "note", "by": text, "text": format!("root cause: {text}")}),
        json!({"kind": "note", "by": text, "text": format!("prevention: {text}")}),
        json!({"kind": "note", "by": text, "text": format!("action: {text}; owner: {text}")}),
        json!({"kind": "note", "by": text, "text": format!("second? {text}")}),
        json!({"kind": "report", "by": text, "signal": "doubt", "note": text}),
        json!({"kind": "approve", "by": text, "role": "engineering_lead", "channel": text, "why": text}),
        json!({"kind": "done", "by": text, "duty": "p1_notice", "evidence": text}),
        json!({"kind": "set_severity", "by": text, "severity": "P1", "why": text}),
        json!({"kind": "abort", "by": text, "why": text}),
    ] {
        at = at + Span::from_seconds(60);
        let kind = input.to_string();
        let taken = rollout.handle(at, &Input::from_value(input).unwrap());
        assert!(taken.is_ok(), "{kind}: {:?}", taken.map(|_| ()));
    }
    rollout.log().to_owned()
}

const HOSTILE: [&str; 7] = [
    "<script>alert(1)</script>",
    "</title></svg></style><img src=x onerror=alert(1)>",
    "\" onmouseover=\"alert(1)\" x='",
    "{{ title }}{% for x in y %}",
    "a | b\n\n# heading\n- item\n1. one\n```\ncode",
    "![i](http://evil.example/i.png) [l](javascript:alert(1)) <http://evil.example>",
    "&lt;b&gt; &amp; \u{202e}turned\u{0}",
];

/// What is written from outside is text on both pages: it makes no element that harmless text does not.
#[test]
fn post_1_hostile_texts_stay_texts() {
    let harmless = written("harmless");
    let page = report(harmless.as_bytes(), "html").unwrap();
    let elements = well_formed(&page).unwrap();
    let marks = marked(&report(harmless.as_bytes(), "markdown").unwrap());
    for text in HOSTILE {
        let log = written(text);
        let page = report(log.as_bytes(), "html").unwrap();
        assert_eq!(well_formed(&page).unwrap(), elements, "{text}");
        // A terminal or a browser would act on them instead of showing them.
        let unseen = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!page.contains(unseen), "{text}");
        let text_of_markdown = report(log.as_bytes(), "markdown").unwrap();
        assert_eq!(marked(&text_of_markdown), marks, "{text}\n{text_of_markdown}");
        // In JSON it is as it was.
        let json: Value = serde_json::from_str(&report(log.as_bytes(), "json").unwrap()).unwrap();
        assert_eq!(json["incident"]["title"], text);
    }
}

/// What a reader of GitHub's dialect sees in a page besides text.
fn marked(page: &str) -> Vec<String> {
    use pulldown_cmark::{Event, Options, Parser};
    let events = Parser::new_ext(page, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH);
    events
        .filter(|event| !matches!(event, Event::Text(_) | Event::SoftBreak))
        .map(|event| match event {
            Event::Code(_) => "code".to_owned(),
            event => format!("{event:?}"),
        })
        .collect()
}

/// The elements of a page in order, with the names of their attributes; or what is not well formed in it.
///
/// Stricter than HTML asks: all but void elements are closed, in order; attributes are quoted; ids are unique; references point
/// into the page.
fn well_formed(page: &str) -> Result<Vec<String>, String> {
    const VOID: [&str; 2] = ["meta", "br"];
    let mut rest = page.strip_prefix("<!doctype html>").ok_or("no doctype")?;
    let (mut open, mut elements) = (Vec::new(), Vec::new());
    let (mut ids, mut references) = (BTreeSet::new(), Vec::new());
    while let Some(at) = rest.find(['<', '>']) {
        let text = &rest[..at];
        if open.last() != Some(&"style") && text.replace("&amp;", "").contains("&amp") {
            return Err(format!("an entity is cut: {text}"));
        }
        rest = rest[at..].strip_prefix('<').ok_or_else(|| format!("a stray `>` after {text}"))?;
        let (tag, after) = rest.split_once('>').ok_or("a tag is not closed")?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            let last = open.pop();
            if last != Some(name) {
                return Err(format!("`{name}` closes {last:?}"));
            }
            continue;
        }
        let (tag, is_closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut element = name.to_owned();
        while !attributes.trim().is_empty() {
            let (attribute, value) =
                attributes.trim_start().split_once("=\"").ok_or("an attribute has no value")?;
            let (value, after) = value.split_once('"').ok_or("a value is not closed")?;
            attributes = after;
            element = format!("{element} {attribute}");
            match attribute {
                "id" if !ids.insert(value.to_owned()) => {
                    return Err(format!("`{value}` is there twice"));
                }
                "href" => references
                    .push(value.strip_prefix('#').ok_or("a reference leads out")?.to_owned()),
                "aria-labelledby" => references.extend(value.split(' ').map(str::to_owned)),
                "src" | "style" | "xmlns" | "onclick" => {
                    return Err(format!("`{attribute}` on {name}"));
                }
                _ => {}
            }
        }
        elements.push(element);
        if !is_closed && !VOID.contains(&name) {
            open.push(name);
        }
    }
    if !open.is_empty() {
        return Err(format!("not closed: {open:?}"));
    }
    let lost: Vec<&String> = references.iter().filter(|of| !ids.contains(*of)).collect();
    if lost.is_empty() { Ok(elements) } else { Err(format!("references to nothing: {lost:?}")) }
}

/// One page, by itself: no reference outside, no script; each drawing has a name, a description and its figures.
#[test]
fn post_1_the_page_needs_nothing_else() {
    for run in Run::ALL {
        let page = report(run.log().as_bytes(), "html").unwrap();
        let elements = well_formed(&page).unwrap();
        for outside in
            ["http:", "https:", "//", "@import", "url(", "src=", "<script", "<link", "<iframe"]
        {
            let found = page.find(outside).map(|at| &page[at.saturating_sub(40)..at + 40]);
            assert_eq!(found, None, "{outside}");
        }
        let count =
            |name: &str| elements.iter().filter(|of| of.split(' ').next() == Some(name)).count();
        assert!(count("svg") >= 7, "{}", count("svg"));
        assert_eq!([count("title") - 1, count("desc"), count("figure")], [count("svg"); 3]);
        assert_eq!(page.matches("role=\"img\"").count(), count("svg"));
        assert!(page.contains("prefers-color-scheme: dark") && page.contains("@media print"));
    }
    let bent = "<!doctype html><p><b></p></b>";
    assert!(well_formed(bent).is_err(), "the check sees what is not well formed");
}

/// The page says which members JSON has; one that comes or goes is written down.
#[test]
fn post_1_the_members_of_the_document_are_documented() {
    let report = serde_json::to_value(read(&Run::Bad.log())).unwrap();
    let page = tree::read(&tree::root().join("docs/report.md"));
    for member in report.as_object().unwrap().keys() {
        assert!(page.contains(&format!("| `{member}` |")), "docs/report.md lacks `{member}`");
    }
}

/// A long log makes no long report.
#[test]
fn post_1_a_long_log_has_a_short_report() {
    let mut rollout = Rollout::try_new(plan("harmless"), Recording::Keep, "").unwrap();
    let mut at: Timestamp = "2026-03-03T14:10:00Z".parse().unwrap();
    for number in 0..3_000 {
        at = at + Span::from_seconds(1);
        let note = json!({"kind": "note", "by": "omar", "text": format!("note {number}")});
        rollout.handle(at, &Input::from_value(note).unwrap()).unwrap();
    }
    let report = read(rollout.log());
    assert_eq!(report.timeline.iter().count() as u64 + report.timeline.left_out(), 3_001);
    assert_eq!(report.timeline.iter().count(), 1_000);
    let page = report.write(Format::Markdown).unwrap();
    assert!(page.contains("2001 entries are left out here") && page.contains("note 2999"));
}

/// A run of readings that ends on another day says on which.
#[test]
fn post_1_a_run_across_midnight_has_both_dates() {
    use hotfix_core::simulate::{Campaign, Scenario};
    let scenario = Scenario::read(r#"from = "2026-03-03T23:10:00Z""#).unwrap();
    let policy = Policy::from_toml(include_str!("../policies/simulated.toml")).unwrap();
    let plan = scenario.plan(Arc::new(policy)).unwrap();
    let (player, _) = Campaign::try_new(plan, &scenario, 1).unwrap().drill(0).unwrap();
    let page = read(player.rollout().log()).write(Format::Markdown).unwrap();
    let runs: Vec<(&str, &str)> = page
        .lines()
        .filter_map(|line| line.split(" | ").next()?.trim_matches(['|', ' ']).split_once(" to "))
        .filter(|(from, _)| from.starts_with("2026-03-0"))
        .collect();
    let across = runs.iter().filter(|(_, until)| until.starts_with("2026-03-04 00:"));
    assert_eq!(across.count(), 1, "{runs:?}");
    assert!(runs.iter().any(|(_, until)| until.len() == 8), "{runs:?}");
    for (from, until) in runs {
        assert!(until.len() == 8 || !until.starts_with(&from[..10]), "{from} to {until}");
    }
}
