//! The page of a plan for the people who act: what to do first, whom to call, what is watched, what follows.

use std::sync::Arc;

use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{BlockerKind, Input, Recording, Rollout};
use serde_json::json;

fn plan(preset: &str) -> Plan {
    let policy = Arc::new(Policy::preset(preset).unwrap());
    let incident = r#"{"id": "INC-1", "severity": "P1"}"#;
    Plan::from_json(policy, incident, r#"{"version": "2", "previous": "1"}"#, "").unwrap()
}

/// What is on a page under a heading of the second level.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split_once("\n## ").map_or(rest, |(section, _)| section)
}

#[test]
fn plan_6_met_7_the_page_of_s1_has_what_people_watch_and_what_has_to_hold() {
    let page = plan("phased-canary").to_markdown(None);
    let watched = section(&page, "What is watched");
    for text in [
        "evaluated every 1min, over the last 1min",
        "without data the rollout holds; after 5min: ask",
        "| at most 0.3% (1 × the reference) | above 2% | above 5% |",
        "| at most 275 ms (1.1 × the reference) | above 300 ms | above 500 ms (2 × the reference) |",
        "| at least 800/min | below 800/min | below 600/min |",
    ] {
        assert!(watched.contains(text), "{text}: {watched}");
    }
    let validation = section(&page, "Final validation");
    assert!(
        validation.contains("3min after the last phase; gate: automatic.")
            && validation.contains("the rollout waits for it")
            && validation.contains("- there are no new problems"),
        "{validation}"
    );
    let commands = section(&page, "Commands");
    assert!(
        commands.contains(
            "(`canary`):\n\n```sh\n./deploy.sh --environment production --canary 10%\n```"
        ),
        "{commands}"
    );
    let after = section(&page, "Duties from the approval on");
    assert!(
        after.contains("| the error logs are reviewed for new anomalies | verified | 4h 15min |")
    );
}

#[test]
fn time_4_the_page_begins_with_what_to_do_and_whom_to_call() {
    let own = json!({
        "extends": "enterprise", "name": "own",
        "roles": {
            "on_call_engineer": {"title": "on-call engineer", "holders": [{"name": "Iris", "reach": "pager 7"}]},
            "cto": {"title": "CTO", "reach": "+44 20 7946 0100"},
        },
        "vendors": [{"name": "Acme", "support": "acme@example.com"}],
    });
    let incident = r#"{"id": "INC-1", "severity": "P0", "detected_at": "2026-03-03T14:06:00Z"}"#;
    let policy = Arc::new(Policy::from_json(&own.to_string()).unwrap());
    let plan = Plan::from_json(policy, incident, r#"{"version": "2", "previous": "1"}"#, "");
    let page = plan.unwrap().to_markdown(None);
    let now = section(&page, "What now");
    assert!(
        now.starts_with("\nAs soon as the incident is known, detected at 2026-03-03 14:06 UTC:\n\n- **at once:** on-call engineer paged (on-call engineer: Iris, pager 7)\n"),
        "{now}"
    );
    assert!(now.contains("The start waits for this. Then send `start`.\n\n1. "), "{now}");
    let call = section(&page, "Whom to call");
    for text in [
        "| at once | detected | P0 | on-call engineer: Iris, pager 7 |",
        "| 4h | detected | P0 | CTO: \\+44 20 7946 0100 |",
        "Nobody is named for `",
        "| Acme | acme\\@example.com | – | – |",
    ] {
        assert!(call.contains(text), "{text}: {call}");
    }
}

#[test]
fn gate_4_the_page_names_everything_for_which_the_start_waits() {
    let released = r#"{"version": "2", "previous": "1"}"#;
    let windowed = r#"{"version": "2", "previous": "1", "change_record": {"window": {"from": "2026-03-05T03:30:00Z", "until": "2026-03-05T06:00:00Z"}}}"#;
    let broken = r#"{"extends": "enterprise", "name": "own", "roles": {"engineering_lead": {"holders": [{"name": "Asha"}]}, "product_manager": {"holders": [{"name": "Asha"}]}}}"#;
    let cases = [
        (Policy::preset("standard"), "P1", windowed, "start in the change window, 2026-03-05"),
        (Policy::preset("standard"), "P1", "", "1. send `release` when there is a fix\n"),
        (Policy::preset("standard"), "P2", released, "use the normal process"),
        (Policy::preset("standard"), "", released, "1. "),
        (
            Policy::from_json(broken),
            "P1",
            released,
            "1. correct the policy, then make another plan",
        ),
    ];
    for (policy, severity, release, says) in cases {
        let incident = if severity.is_empty() {
            r#"{"id": "INC-1"}"#.to_owned()
        } else {
            format!(r#"{{"id": "INC-1", "severity": "{severity}"}}"#)
        };
        let plan = Plan::from_json(Arc::new(policy.unwrap()), &incident, release, "").unwrap();
        let page = plan.to_markdown(None);
        let now = section(&page, "What now");
        assert!(now.contains(says), "{says}: {now}");
        let steps = plan.first_steps();
        let named: Vec<&str> =
            steps.iter().filter(|step| step.holds_start).map(|step| step.kind.as_str()).collect();
        let mut rollout = Rollout::try_new(plan.clone(), Recording::Keep, "").unwrap();
        let tick = Input::from_json(r#"{"kind": "tick"}"#).unwrap();
        rollout.handle("2026-03-03T14:40:00Z".parse().unwrap(), &tick).unwrap();
        for blocker in rollout.blockers() {
            let kind = match blocker.kind {
                BlockerKind::Item => "checklist",
                kind => kind.as_str(),
            };
            assert!(named.contains(&kind), "{kind}: {named:?}");
        }
    }
}

#[test]
fn time_4_a_page_without_a_role_is_for_whoever_is_called_first() {
    let own = r#"{"extends": "standard", "name": "own", "duties": [{"id": "wake", "kind": "page", "title": "somebody wakes up", "from": "detected", "within": "5min"}]}"#;
    let policy = Arc::new(Policy::from_json(own).unwrap());
    let incident = r#"{"id": "INC-1", "severity": "P1"}"#;
    let plan = Plan::from_json(policy, incident, "", "").unwrap();
    let page = plan.to_markdown(None);
    let call = section(&page, "Whom to call");
    let row = call.lines().find(|line| line.contains("somebody wakes up")).unwrap();
    assert!(row.contains("| on-call engineer"), "{row}");
}

#[test]
fn plan_5_the_page_says_what_follows_where_nothing_is_rolled_back() {
    let back = |on_failure: &str, schema_change: bool| {
        let document = json!({
            "extends": "standard", "name": "own", "rollback": {"on_failure": on_failure},
        });
        let policy = Arc::new(Policy::from_json(&document.to_string()).unwrap());
        let release = r#"{"version": "2.3.1", "previous": "2.3.0"}"#;
        let traffic = json!({ "schema_change": schema_change }).to_string();
        let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, release, &traffic).unwrap();
        section(&plan.to_markdown(None), "Rollback").to_owned()
    };
    let asks = "demands a rollback, a person is asked, and meanwhile nothing is promoted";
    let freezes = "demands a rollback, the rollout freezes: the traffic stays where it is";
    let schema = "**Cannot be rolled back:** the schema change; a person decides, because";
    let frozen = "**Cannot be rolled back:** the schema change; the rollout freezes and a person";
    for (policy, change, says) in [
        ("ask", false, vec![asks]),
        ("ask", true, vec![asks, schema]),
        ("freeze", false, vec![freezes]),
        ("freeze", true, vec![freezes, frozen]),
        ("roll_back", true, vec![freezes, frozen]),
    ] {
        let back = back(policy, change);
        assert!(says.iter().all(|text| back.contains(text)), "{policy} {change}: {back}");
        assert!(!back.contains("Roll back immediately"), "{policy} {change}: {back}");
        assert!(back.contains("A rollback is demanded if somebody reports"), "{back}");
    }
    let back = back("roll_back", false);
    assert!(back.contains("Roll back immediately if somebody reports"), "{back}");
    assert!(!back.contains("automatically"), "{back}");
}

#[test]
fn plan_8_the_page_names_each_unknown_value_of_commands_once() {
    let commands = ["a {{ service }}", "b {{ commit }}", "c {{ service }}"];
    let own = json!({
        "extends": "standard", "name": "own", "phases": [{"name": "canary", "commands": commands}],
    });
    let policy = Arc::new(Policy::from_json(&own.to_string()).unwrap());
    let release = r#"{"version": "2.3.1", "previous": "2.3.0"}"#;
    let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, release, "").unwrap();
    let page = plan.to_markdown(None);
    let unknown = section(&page, "Commands").lines().find(|line| line.starts_with("Not known"));
    assert_eq!(unknown, Some("Not known: `service`, `commit`."));
}

#[test]
fn plan_3_the_page_has_what_a_phase_passes_by_and_what_follows_if_that_stays_open() {
    let text = "extends = 'standard'\nname = 'own'\n\
         [[phases]]\nname = 'canary'\npromotion = 'evidence_of_no_harm'\nearly_promotion = true\n\
         [[phases]]\nname = 'partial'\nwatch_most = { remove = true }\n\
         [[phases]]\nname = 'full'\ninconclusive = 'roll_back'\n";
    let policy = Arc::new(Policy::from_toml(text).unwrap());
    let (incident, release) = (r#"{"id": "INC-1"}"#, r#"{"version": "2", "previous": "1"}"#);
    let page = Plan::from_json(policy, incident, release, "").unwrap().to_markdown(None);
    let phases = section(&page, "Phases");
    for text in [
        "- `canary`: in addition, only once tests show that the fix is less than this many times as bad as the \
         live version: `bug` 2 ×, `error_rate` 2 ×, `latency_p95` 2 ×, `payment_success` 2 ×",
        "- `partial`: in addition, only once a test shows that the fix works: `bug` at most 0.5 ×",
        "- a phase that is still undecided is held, then a person is asked (`canary` after 21min, `partial` after \
         38min); the release is rolled back (`full` after 1h)\n",
        "- a person may send `promote` before the gate: `canary`\n",
    ] {
        assert!(phases.contains(text), "{text}: {phases}");
    }
}
