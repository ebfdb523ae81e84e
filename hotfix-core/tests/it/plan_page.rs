//! The plan as a page, as a chart, and its digest: kept ones for every preset, and texts that must not be taken for markup.
//! `scripts/trees.sh` draws the charts that are kept here.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use hotfix_core::grade::Severity;
use hotfix_core::plan::{ChangeRecord, Plan, PlannedCommands, PreparedBy, Preparer};
use hotfix_core::plan::{Release, Subject};
use hotfix_core::policy::Policy;
use hotfix_core::vcs::{Command, Step};
use proptest::prelude::*;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use serde_json::json;

use crate::crate_files::in_crate;
use crate::readable::reads;

const START: &str = "2026-03-03T14:40:00Z";

/// The payments incident that the documentation tells, once it is known that people can log in.
fn scenario(policy: &str) -> Plan {
    // S1 takes the severity as given, and S3 has one only; the others say it themselves.
    let severity = match policy {
        "phased-canary" => Some("P1"),
        "fast-track" => Some("P2"),
        _ => None,
    };
    let mut incident = json!({
        "id": "INC-2041", "service": "payments", "title": "null pointer in the payment processor",
        "began_at": "2026-03-03T14:02:00Z", "detected_at": "2026-03-03T14:06:00Z",
        "facts": {
            "payment_failure_share": 0.55, "revenue_impact": true, "service_down": false, "data_corruption": false,
            "security_vulnerability": false, "authentication_down": false, "preceding_deploy": "2.3.0",
        },
    });
    if let Some(severity) = severity {
        incident["severity"] = json!(severity);
    }
    let release = json!({
        "version": "2.3.1", "previous": "2.3.0", "branch": "hotfix/payment-null-check", "author": "Sam",
        "description": "payment null check",
        "methods": [{"kind": "feature_flag", "seconds": 5}, {"kind": "redeploy", "seconds": 150}, {"kind": "git_revert"}],
        "change_record": {"prepared_by": {"name": "Sam", "kind": "person"}, "created": "2026-03-03T14:20:00Z"},
    });
    let traffic = json!({"requests_per_minute": 1000});
    let policy = Arc::new(Policy::preset(policy).unwrap());
    let [incident, release, traffic] = [incident, release, traffic].map(|part| part.to_string());
    Plan::from_json(policy, &incident, &release, &traffic).unwrap()
}

/// Compares with what is kept, or keeps it.
fn kept(name: &str, text: &str, wrong: &mut Vec<String>) {
    let path = in_crate(&format!("tests/golden/plan/{name}"));
    if std::env::var_os("HOTFIX_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    if std::fs::read_to_string(&path).ok().as_deref() != Some(text) {
        wrong.push(format!("{} is out of date: HOTFIX_BLESS=1 rewrites it", path.display()));
    }
}

#[test]
fn plan_3_plan_7_pages_and_charts_are_as_they_were() {
    let mut wrong = Vec::new();
    let start = Some(START.parse().unwrap());
    for name in Policy::presets() {
        let plan = scenario(name);
        kept(&format!("{name}.md"), &plan.to_markdown(start), &mut wrong);
        kept(&format!("{name}.mmd"), &plan.gantt(None), &mut wrong);
        kept(&format!("{name}-utc.mmd"), &plan.gantt(start), &mut wrong);
    }
    kept("hostile.mmd", &hostile_plan(HOSTILE).gantt(None), &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn plan_7_digests_are_the_same_everywhere() {
    let mut wrong = Vec::new();
    let digest = |name: &&str| format!("{} {name}\n", scenario(name).digest());
    let digests: String = Policy::presets().iter().map(digest).collect();
    kept("digests.txt", &digests, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const HOSTILE: &str = "section x :done, a|b \\| `c` <img src=x onerror=alert(1)> [d](http://e.f) #1; %% %%{init}%% direction LR\n| --- |\n# g\n\t* h & **i** ![j](k)";

/// A plan whose texts from outside are all this one, those of its policy included.
fn hostile_plan(text: &str) -> Plan {
    let mut policy = serde_json::to_value(Policy::preset("standard").unwrap()).unwrap();
    policy["title"] = json!(text);
    policy["strategy_why"] = json!(text);
    // Blank texts are refused where something must be said.
    let said =
        |other: &str| if text.trim().is_empty() { other.to_owned() } else { text.to_owned() };
    policy["vendors"] = json!([{"name": said("Acme"), "support": text, "status": text}]);
    policy["success"] = json!([{"id": "one", "group": "business", "text": text}]);
    for (list, keys) in [
        ("procedure", &["title", "goal", "done_when"][..]),
        ("advice", &["text"][..]),
        ("risks", &["risk", "mitigation"][..]),
        ("contingencies", &["when"][..]),
        ("remedies", &["text"][..]),
        ("duties", &["title"][..]),
        ("rules", &["title"][..]),
        ("phases", &["objective"][..]),
    ] {
        for item in policy[list].as_array_mut().unwrap() {
            for key in keys {
                item[*key] = json!(text);
            }
        }
    }
    for contingency in policy["contingencies"].as_array_mut().unwrap() {
        contingency["actions"] = json!([text, text]);
    }
    for phase in policy["phases"].as_array_mut().unwrap() {
        phase["watch_for"] = json!([text]);
        phase["commands"] = json!(["echo '````' '~~~'"]);
        phase["watch"] = json!("1min");
        phase["watch_most"] = json!("2min");
    }
    for later in policy["after"].as_array_mut().unwrap() {
        later["watch"] = json!([text]);
    }
    for role in policy["roles"].as_object_mut().unwrap().values_mut() {
        role["title"] = json!(text);
        // Of two people: of one, it hangs on the text whether only the author could approve.
        let iris = json!({ "name": said("Iris"), "reach": said("pager") });
        role["holders"] = json!([iris, { "name": "Bo" }]);
        role["reach"] = json!(said("channel"));
    }
    for level in policy["severities"].as_object_mut().unwrap().values_mut() {
        level["label"] = json!(text);
        level["process"] = json!(text);
    }
    for fact in policy["facts"].as_object_mut().unwrap().values_mut() {
        fact["ask"] = json!(text);
    }
    policy["rules"].as_array_mut().unwrap().truncate(1);
    policy["implications"] = json!([]);
    policy.as_object_mut().unwrap().remove("tree");
    policy.as_object_mut().unwrap().remove("vcs");
    for list in policy["checklists"].as_array_mut().unwrap() {
        list["title"] = json!(text);
        for item in list["items"].as_array_mut().unwrap() {
            item["text"] = json!(text);
        }
    }
    policy["scope"]["wanted"] = json!([text]);
    policy["change_record"]["slo"]["name"] = json!(text);
    for metric in policy["metrics"].as_object_mut().unwrap().values_mut() {
        metric["title"] = json!(said("metric"));
    }
    policy["rollback"]["aftercare"] = json!([text]);
    let policy = Policy::from_json(&policy.to_string()).unwrap();
    let some = || Some(text.to_owned());
    let mut subject = Subject::default();
    subject.incident.id = said("id");
    subject.incident.title = some();
    subject.incident.service = some();
    subject.incident.severity = Some(Severity::P0);
    subject.release = Some(Release {
        version: format!("{text}b"),
        previous: format!("{text}a"),
        branch: some(),
        commit: some(),
        author: some(),
        description: some(),
        change_record: Some(ChangeRecord {
            prepared_by: Some(PreparedBy { name: said("name"), kind: Preparer::Agent }),
            build: Some(said("build")),
            artifact: Some(said("artifact")),
            links: hotfix_core::plan::Link::ALL.iter().map(|link| (*link, said("link"))).collect(),
            ..ChangeRecord::default()
        }),
        ..Release::default()
    });
    // A log of an earlier release may have control characters in names.
    Plan::restored(Arc::new(policy), subject, BTreeMap::new()).unwrap()
}

fn parse(page: &str) -> Parser<'_> {
    Parser::new_ext(
        page,
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS,
    )
}

/// What a page is made of, without its texts; anything that only markup from outside makes ends the test.
fn skeleton(page: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for event in parse(page) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(kind))) if &*kind == "sh" => {
                parts.push("commands".to_owned());
            }
            Event::Start(tag) => {
                let stranger = matches!(
                    tag,
                    Tag::Link { .. }
                        | Tag::Image { .. }
                        | Tag::HtmlBlock
                        | Tag::CodeBlock(_)
                        | Tag::Emphasis
                        | Tag::Strikethrough
                );
                assert!(!stranger, "{tag:?} in {page}");
                parts.push(format!("{tag:?}"));
            }
            Event::End(tag) => parts.push(format!("{tag:?}")),
            Event::Code(name) => {
                let ours = |c: char| {
                    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '~' | '–')
                };
                assert!(name.chars().all(ours), "{name} in {page}");
            }
            Event::Text(_) | Event::SoftBreak => {}
            other => panic!("{other:?} in {page}"),
        }
    }
    parts
}

/// Bars that part cells, in each line of a table: every line of it has as many as its head.
fn bars(page: &str) {
    let count = |line: &str| {
        let mut escaped = false;
        let bar = |c: char| {
            let bar = c == '|' && !escaped;
            escaped = c == '\\' && !escaped;
            bar
        };
        line.chars().map(bar).filter(|bar| *bar).count()
    };
    let mut head = None;
    for line in page.lines() {
        let is_table = line.starts_with('|');
        let expected = *head.get_or_insert_with(|| count(line));
        if is_table {
            assert_eq!(count(line), expected, "{line}");
        } else {
            head = None;
        }
    }
}

fn seen(text: &str) -> String {
    let line = reads(text);
    if line.is_empty() { "–".to_owned() } else { line }
}

fn title(page: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for event in parse(page) {
        match event {
            Event::Start(Tag::Strong) => inside = true,
            Event::End(TagEnd::Strong) => break,
            Event::Text(part) if inside => text.push_str(&part),
            _ => {}
        }
    }
    text
}

fn is_shown_and_not_read(text: &str) {
    static PLAIN: OnceLock<String> = OnceLock::new();
    let start = Some(START.parse().unwrap());
    let page = hostile_plan(text).to_markdown(start);
    // Made once: it foresees what phases can see.
    let plain = PLAIN.get_or_init(|| hostile_plan("x").to_markdown(start));
    assert_eq!(skeleton(&page), skeleton(plain), "{page}");
    assert_eq!(title(&page), seen(text));
    bars(&page);
    assert_eq!(page.lines().count(), plain.lines().count());
}

#[test]
fn plan_7_markup_from_outside_is_shown_and_not_read() {
    for text in [
        HOSTILE,
        "|",
        "\\",
        "\\|",
        "a\\",
        "`",
        "``x``",
        "*x*",
        "_x_",
        "~~x~~",
        "<b>x</b>",
        "<!-- x",
        "&lt;b&gt;",
        "&#60;",
        "[x](y)",
        "![x](y)",
        "<http://a.b>",
        "http://a.b",
        "www.a.b",
        "1. x",
        "12) x",
        "- x",
        "+ x",
        "# x",
        "=== ",
        "---",
        "> x",
        "    x",
        "```\nx\n```",
        "| a | b |\n| - | - |",
        "x\n\ny",
        "[x]: y",
        "[x]",
        "- [ ] x",
        "$x$",
        "@all",
        "#1",
        "\u{202e}x",
        "\u{0}",
        "**x",
        "x**",
        "2.3.1",
    ] {
        is_shown_and_not_read(text);
    }
}

#[test]
fn plan_7_the_pages_of_presets_are_markdown_with_even_tables() {
    for name in Policy::presets() {
        let page = scenario(name).to_markdown(Some(START.parse().unwrap()));
        let parts = skeleton(&page);
        assert!(parts.iter().filter(|part| part.starts_with("Table(")).count() >= 3, "{name}");
        bars(&page);
        // Without a start there are no times.
        let without = scenario(name).to_markdown(None);
        assert!(!without.contains("14:40") && without.contains("T+0"), "{name}");
    }
}

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "\"", "\\", "\n", "\r\n", "#", ";", ":", "&", "<", ">", "|", "]", "[", "(", ")", "{", "}", "`", "$", "%%", "*", "_", "~", "!", "-",
            "+", "=", "1.", "2)", "&amp;", "<br/>", "http://", "www.", "@", "\t", "\0", "\u{2028}", "\u{ffff}", "\u{202e}", " ", "x", "section ",
        ]).prop_map(str::to_owned),
        1 => "\\PC{1,12}",
        1 => any::<String>(),
    ];
    let text = prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat());
    text.prop_filter("a policy has no blank text", |text| !text.trim().is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn plan_7_whatever_stands_in_a_text_the_page_keeps_its_form(text in hostile()) {
        is_shown_and_not_read(&text);
    }

    #[test]
    fn plan_3_whatever_stands_in_a_text_a_chart_has_its_tasks_and_no_more(text in hostile()) {
        let chart = hostile_plan(&text).gantt(None);
        let plain = hostile_plan("x").gantt(None);
        prop_assert_eq!(chart.lines().count(), plain.lines().count());
        for (line, plain) in chart.lines().zip(plain.lines()) {
            // What follows the colon is ours, and what begins the line.
            let task = |line: &str| line.split_once(" :").map(|(_, task)| task.to_owned());
            prop_assert_eq!(task(line), task(plain));
            let word = |line: &str| line.split_whitespace().next().map(str::to_owned);
            prop_assert_eq!(word(line), word(plain));
            prop_assert!(!line.chars().any(char::is_control));
        }
    }
}

#[test]
fn plan_3_a_chart_tells_days_where_it_is_longer_than_one() {
    let mut policy = serde_json::to_value(Policy::preset("fast-track").unwrap()).unwrap();
    policy["procedure"][0]["most"] = json!(100_000);
    let policy = Arc::new(Policy::from_json(&policy.to_string()).unwrap());
    let plan =
        Plan::from_json(policy, r#"{"id": "INC-1"}"#, r#"{"version": "2", "previous": "1"}"#, "")
            .unwrap();
    assert!(plan.gantt(None).contains("    axisFormat day %-d, %H:%M\n"));
    assert!(plan.gantt(Some(START.parse().unwrap())).contains("    axisFormat %m-%d %H:%M\n"));
}

#[test]
fn plan_3_a_chart_with_a_start_has_the_procedure_only_where_the_detection_is_known() {
    let policy = Arc::new(Policy::preset("fast-track").unwrap());
    let plan =
        Plan::from_json(policy, r#"{"id": "INC-1"}"#, r#"{"version": "2", "previous": "1"}"#, "")
            .unwrap();
    assert!(plan.gantt(None).contains("section Procedure"));
    assert!(!plan.gantt(Some(START.parse().unwrap())).contains("section Procedure"));
    assert!(
        scenario("fast-track").gantt(Some(START.parse().unwrap())).contains("2026-03-03T14:06:00")
    );
}

/// What stands on a page under a heading of the second level.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let start =
        page.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("{heading}: {page}"));
    let rest = &page[start + 4 + heading.len()..];
    rest.find("\n## ").map_or(rest, |end| &rest[..end])
}

#[test]
fn plan_6_the_page_of_s1_says_what_its_gates_do_and_what_to_do_about_it() {
    let page = scenario("phased-canary").to_markdown(None);
    let power = section(&page, "What each phase can detect");
    let sentence = "A healthy fix is expected to have 3, 15 and 90 errors. By chance it misses the gates in 35, 43 and 47 of 100 cases and passes all of them in about 19 of 100.";
    let at = power.find(sentence).unwrap();
    // What to do comes before the tables, and what to change in the policy among the findings.
    let advice = power.find("80 of 100 need about 98 min, or 9720 requests per minute").unwrap();
    assert!(at < advice && advice < power.find("| phase |").unwrap(), "{power}");
    let change = "set it to 0.9%, which 99.9 of 100 healthy fixes keep in all phases";
    assert!(page.contains(change), "{page}");
    let strategy = section(&page, "Strategy");
    assert!(
        strategy.contains("**canary**, the strategy of the policy")
            && strategy.contains("Recommended: canary."),
        "{strategy}"
    );
    // Without a start there are no commands.
    assert!(!page.contains("## Source control"));
}

#[test]
fn plan_7_the_page_is_in_the_order_of_an_incident() {
    for name in Policy::presets() {
        let page = scenario(name).to_markdown(Some(START.parse().unwrap()));
        let wanted = [
            "What now",
            "Whom to call",
            "Severity",
            "Needed before the start",
            "Findings",
            "Strategy",
            "What is watched",
            "Phases",
            "What each phase can detect",
            "Timeline",
            "Final validation",
            "Rollback",
            "If something else fails",
            "Source control",
            "Procedure",
            "Commands",
            "Duties from the approval on",
            "After the rollout",
            "Risks",
            "Dos and don'ts",
            "Change record",
        ];
        let found: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let in_order: Vec<&str> =
            wanted.into_iter().filter(|title| found.contains(title)).collect();
        assert_eq!(found, in_order, "{name}");
        assert!(found.len() >= 9, "{name}: {found:?}");
    }
}

#[test]
fn plan_5_gate_4_the_page_says_what_cannot_go_back_and_what_is_too_much() {
    let policy = Arc::new(Policy::preset("standard").unwrap());
    let release = json!({
        "version": "2.3.1", "previous": "2.3.0", "strategy": "immediate",
        "numstat": "900\t0\tsrc/a|b.rs\n3\t1\tmigrations/2.sql\n",
        "change": {"fixes": 1, "features": false, "tidying": "none"},
    });
    let traffic = json!({"schema_change": true, "requests_per_minute": 1000});
    let plan = Plan::from_json(
        policy,
        r#"{"id": "INC-1", "severity": "P1"}"#,
        &release.to_string(),
        &traffic.to_string(),
    );
    let page = plan.unwrap().to_markdown(None);
    let needed = section(&page, "Needed before the start");
    assert!(needed.contains("**too much for a hot-fix:** it migrates a database (migrations/2.sql): remove the migration"), "{needed}");
    assert!(needed.contains("it changes 904 lines, and the policy allows 200"), "{needed}");
    assert!(needed.contains("the change: 2 files, +903 −1 lines, none of them a test"), "{needed}");
    let back = section(&page, "Rollback");
    assert!(
        back.contains("**Cannot be rolled back:** the schema change; the rollout freezes"),
        "{back}"
    );
    assert!(!back.contains("traffic.schema_change"), "{back}");
    assert!(
        section(&page, "Strategy")
            .contains("chosen for this release; the policy's strategy is canary"),
        "{page}"
    );
    assert!(section(&page, "Findings").contains("changes a schema"), "{page}");
}

/// The blocks of commands of a page, as a reader of Markdown takes them.
fn commands(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut inside = false;
    for event in parse(page) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => {
                inside = true;
                blocks.push(String::new());
            }
            Event::End(TagEnd::CodeBlock) => inside = false,
            Event::Text(part) if inside => blocks.last_mut().unwrap().push_str(&part),
            _ => {}
        }
    }
    blocks
}

fn source_control_is_shown_as_it_is(preset: &str, text: &str) {
    let incident = json!({"id": "INC-1", "title": text});
    let release = json!({"version": "2.3.1", "previous": "2.3.0", "description": text});
    let policy = Arc::new(Policy::preset(preset).unwrap());
    let plan = Plan::from_json(policy, &incident.to_string(), &release.to_string(), "").unwrap();
    let start = START.parse().unwrap();
    let vcs = plan.source_control(start).unwrap();
    let mut wanted = Vec::new();
    let mut put = |commands: &[Command]| {
        let lines: Vec<&str> = commands.iter().map(Command::shown).collect();
        if !lines.is_empty() {
            wanted.push(format!("{}\n", lines.join("\n")));
        }
    };
    let mut steps = |steps: &[Step]| {
        for step in steps {
            put(step
                .condition
                .as_ref()
                .map_or(&[][..], |when| std::slice::from_ref(&when.command)));
            put(&step.commands);
            put(step.instead.as_ref().map_or(&[][..], |instead| &instead.commands));
        }
    };
    steps(&vcs.steps);
    steps(&vcs.rollback.steps);
    steps(&vcs.rollback.again);
    for (at, branch) in vcs.merge_back.branches.iter().filter(|branch| !branch.planned).enumerate()
    {
        let look = Step { commands: vcs.merge_back.inspect.clone(), ..blank(&vcs.steps[0]) };
        steps(if at == 0 { std::slice::from_ref(&look) } else { &[] });
        let has = Step { commands: vec![branch.has.clone()], ..blank(&vcs.steps[0]) };
        steps(&[has]);
        steps(&branch.steps);
    }
    let lines =
        |of: PlannedCommands<'_>| of.commands.iter().map(|c| c.line.clone() + "\n").collect();
    wanted.extend(plan.commands().into_iter().map(lines).collect::<Vec<String>>());
    assert_eq!(commands(&plan.to_markdown(Some(start))), wanted, "{preset}: {text}");
}

fn blank(step: &Step) -> Step {
    Step { condition: None, commands: Vec::new(), instead: None, ..step.clone() }
}

#[test]
fn vcs_1_no_text_gets_out_of_the_blocks_of_commands() {
    for preset in ["enterprise", "standard", "severity-matrix", "emergency-command"] {
        for text in [
            HOSTILE,
            "a",
            "```",
            "x\n```\n# y",
            "````sh\n````",
            "~~~",
            "x\n\n    y",
            "\\```",
            "'```'\n```\n'",
            "a\n``````````\nb",
            "<script>",
            "$(x)\n```sh",
        ] {
            source_control_is_shown_as_it_is(preset, text);
        }
    }
}

#[test]
fn vcs_1_a_refusal_is_a_remark_on_the_page() {
    let policy = Arc::new(Policy::preset("enterprise").unwrap());
    let release = r#"{"version": "2", "previous": "1", "branch": "--x `y` <b>"}"#;
    let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, release, "").unwrap();
    let page = plan.to_markdown(Some(START.parse().unwrap()));
    let shown = section(&page, "Source control");
    assert!(
        shown.contains("No source-control plan can be made: ") && !shown.contains("```"),
        "{shown}"
    );
    skeleton(&page);
}
