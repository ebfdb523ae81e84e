//! Rules and trees of the presets, over every combination of facts that their implications allow.

use hotfix_core::fact::{Builder, Condition, Diagram, Facts, Placed, Ref, Space};
use hotfix_core::grade::Hotfix;
use hotfix_core::grade::Severity::{self, P0, P1};
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::{Answer, Branches, Effect, Target, Tree};
use serde_json::json;

/// A severity, with whether it is a hot-fix, as a terminal.
const fn answer(severity: u32, hotfix: bool) -> u32 {
    severity * 2 + hotfix as u32
}

/// No severity and no hot-fix.
const NORMAL: u32 = answer(9, false);

/// An answer that leads nowhere.
const NOWHERE: u32 = 100;

/// What rules and tree of a preset say, on what its implications allow.
struct Preset {
    policy: Policy,
    space: Space,
    rules: Diagram,
    tree: Diagram,
    /// 1 where both say the same, 0 elsewhere.
    agree: Diagram,
}

impl Preset {
    fn read(name: &str) -> Self {
        let policy = Policy::preset(name).unwrap();
        let space = Space::new(&conditions(&policy));
        let mut builder = Builder::new(&space, 1_000_000);
        let possible = possible(&policy, &mut builder);
        let rules = by_rules(&policy, &mut builder);
        let tree = match policy.tree() {
            Some(tree) => by_tree(tree, Some(tree.root), &mut builder),
            None => builder.constant(NOWHERE),
        };
        let agree = builder.apply(rules, tree, |a, b| u32::from(a == b)).unwrap();
        let only = |answer, possible| if possible == 1 { answer } else { Diagram::IMPOSSIBLE };
        let [rules, tree, agree] = [rules, tree, agree].map(|root| {
            let root = builder.apply(root, possible, only).unwrap();
            builder.finish(root)
        });
        Self { policy, space, rules, tree, agree }
    }

    fn place(&self, facts: &serde_json::Value) -> Placed {
        let facts = Facts::read(facts.as_object().unwrap(), self.policy.vocabulary()).unwrap();
        self.space.place(&facts)
    }
}

fn conditions(policy: &Policy) -> Vec<Condition> {
    let mut all: Vec<Condition> = policy.rules().iter().map(|rule| rule.when.clone()).collect();
    for implication in policy.implications() {
        all.extend([implication.when.clone(), implication.then.clone()]);
    }
    for question in policy.tree().into_iter().flat_map(|tree| &tree.questions) {
        match &question.branches {
            Branches::Condition { when, .. } => all.push(when.clone()),
            Branches::Values { answers, .. } => {
                all.extend(answers.iter().map(Answer::condition));
            }
        }
    }
    all
}

fn possible(policy: &Policy, builder: &mut Builder<'_>) -> Ref {
    let mut possible = builder.constant(1);
    for implication in policy.implications() {
        let when = builder.condition(&implication.when).unwrap();
        let then = builder.condition(&implication.then).unwrap();
        let mut follows = |premise, conclusion| {
            let not = builder.not(premise).unwrap();
            let holds = builder.or(not, conclusion).unwrap();
            possible = builder.and(possible, holds).unwrap();
        };
        follows(when, then);
        if implication.iff {
            follows(then, when);
        }
    }
    possible
}

/// The most severe rule that fires.
fn by_rules(policy: &Policy, builder: &mut Builder<'_>) -> Ref {
    let mut said = builder.constant(NORMAL);
    for level in policy.severities().iter().rev() {
        for rule in policy.rules() {
            if rule.effect() == Effect::Severity(level.severity) {
                let when = builder.condition(&rule.when).unwrap();
                let fires = builder.constant(answer(level.severity as u32, level.hotfix));
                said = builder.choose(when, fires, said).unwrap();
            }
        }
    }
    said
}

/// The leaf that is reached.
fn by_tree(tree: &Tree, from: Option<Target>, builder: &mut Builder<'_>) -> Ref {
    let question = match from {
        None => return builder.constant(NOWHERE),
        Some(Target::Leaf(index)) => {
            let leaf = &tree.leaves[index];
            let severity = leaf.severity.map_or(9, |severity| severity as u32);
            return builder.constant(answer(severity, leaf.hotfix));
        }
        Some(Target::Question(index)) => &tree.questions[index],
    };
    match &question.branches {
        Branches::Condition { when, yes, no } => {
            let (yes, no) = (by_tree(tree, *yes, builder), by_tree(tree, *no, builder));
            let when = builder.condition(when).unwrap();
            builder.choose(when, yes, no).unwrap()
        }
        Branches::Values { answers, .. } => {
            let mut said = builder.constant(NOWHERE);
            for answer in answers.iter().rev() {
                let to = by_tree(tree, Some(answer.to), builder);
                let accepted = builder.condition(&answer.condition()).unwrap();
                said = builder.choose(accepted, to, said).unwrap();
            }
            said
        }
    }
}

fn reached(diagram: &Diagram, placed: &Placed) -> Vec<u32> {
    let mut reached = Vec::new();
    diagram.reachable(placed, |terminal| {
        if terminal != Diagram::IMPOSSIBLE {
            reached.push(terminal);
        }
    });
    reached.sort_unstable();
    reached.dedup();
    reached
}

const BY_P0: u32 = answer(0, true);
const BY_P1: u32 = answer(1, true);

/// INC-2041 as it is first told.
fn story() -> serde_json::Value {
    json!({
        "payment_failure_share": 0.55, "revenue_impact": true, "service_down": false, "data_corruption": false,
        "security_vulnerability": false,
    })
}

#[test]
fn dec_5_rules_and_tree_of_standard_agree_on_every_combination_of_facts() {
    let standard = Preset::read("standard");
    assert_eq!(reached(&standard.agree, &standard.space.unknown()), [1]);
    // Not because there is nothing to tell apart.
    assert_eq!(reached(&standard.tree, &standard.space.unknown()).len(), 5);
}

#[test]
fn dec_5_rules_and_tree_of_the_severity_matrix_disagree_where_the_document_does() {
    let matrix = Preset::read("severity-matrix");
    let revenue = json!({ "security_exploited": true, "revenue_impact": true, "service_down": false, "users_affected": 0.2,
        "core_feature_broken": false });
    let cases = [
        ("an attack that costs revenue", revenue, BY_P0, BY_P1),
        ("the story", story(), BY_P0, BY_P1),
        ("lost data", calm(&["data_corruption"]), BY_P0, NOWHERE),
        ("nobody can log in", calm(&["authentication_down"]), BY_P0, NOWHERE),
        ("the database", calm(&["database_down"]), BY_P0, NOWHERE),
        ("a hole that nobody uses", calm(&["security_vulnerability"]), NORMAL, BY_P0),
    ];
    for (what, facts, by_rules, by_tree) in cases {
        let placed = matrix.place(&facts);
        assert_eq!(reached(&matrix.rules, &placed), [by_rules], "{what}, by the list");
        assert_eq!(reached(&matrix.tree, &placed), [by_tree], "{what}, by the tree");
    }
}

/// What both parts of S4 ask about, all quiet at 20% of users, but for these flags.
fn calm(but: &[&str]) -> serde_json::Value {
    let mut facts = json!({
        "service_down": false, "data_corruption": false, "payment_failure_share": 0.0, "security_exploited": false,
        "security_vulnerability": false, "authentication_down": false, "database_down": false, "core_feature_broken": false,
        "payment_webhooks_failing": false, "latency_p95": 0.2, "wrong_data_shown": false, "data_integrity_at_risk": false, "critical_third_party_failing": false,
        "feature_degraded": false, "cosmetic": false, "revenue_impact": false, "users_affected": 0.2,
    });
    for flag in but {
        facts[*flag] = json!(true);
    }
    facts
}

/// Severity, severity at worst, hot-fix.
type Classified = (Option<Severity>, Option<Severity>, Hotfix);

fn classified(policy: &Policy, facts: &serde_json::Value) -> Classified {
    let facts = Facts::read(facts.as_object().unwrap(), policy.vocabulary()).unwrap();
    let answer = policy.classify(&facts);
    (answer.severity(), answer.at_worst(), answer.hotfix())
}

fn leaves(policy: &Policy, facts: &serde_json::Value) -> Vec<String> {
    let facts = Facts::read(facts.as_object().unwrap(), policy.vocabulary()).unwrap();
    policy.decide(&facts).reachable().iter().map(|leaf| leaf.id.to_string()).collect()
}

#[test]
fn sev_5_in_the_story_only_login_is_still_open_under_enterprise() {
    let policy = Policy::preset("enterprise").unwrap();
    let mut told = story();
    assert_eq!(classified(&policy, &told), (Some(P1), Some(P0), Hotfix::Yes));
    let facts = Facts::read(told.as_object().unwrap(), policy.vocabulary()).unwrap();
    let decisive = policy.classify(&facts).decisive();
    let decisive: Vec<String> = decisive.iter().map(ToString::to_string).collect();
    assert_eq!(decisive, ["authentication_down"]);
    told["authentication_down"] = json!(false);
    assert_eq!(classified(&policy, &told), (Some(P1), Some(P1), Hotfix::Yes));
}

#[test]
fn dec_2_in_the_story_list_and_tree_of_the_severity_matrix_differ() {
    let policy = Policy::preset("severity-matrix").unwrap();
    let (severity, at_worst, _) = classified(&policy, &story());
    assert_eq!((severity, at_worst), (Some(P0), Some(P0)));
    assert_eq!(leaves(&policy, &story()), ["p1_in_2h"]);
}

#[test]
fn sev_5_the_story_under_standard_is_p1_until_login_or_the_database_fails() {
    let policy = Policy::preset("standard").unwrap();
    assert_eq!(classified(&policy, &story()), (Some(P1), Some(P0), Hotfix::Yes));
    assert_eq!(leaves(&policy, &story()), ["p0", "p1"]);
    let mut told = story();
    told["authentication_down"] = json!(false);
    told["database_down"] = json!(false);
    assert_eq!(classified(&policy, &told), (Some(P1), Some(P1), Hotfix::Yes));
    assert_eq!(leaves(&policy, &told), ["p1"]);
}

#[test]
fn dec_5_lost_data_of_two_in_a_hundred_is_a_hot_fix_by_each_list_and_by_the_tree_of_standard() {
    let mut facts = calm(&["data_corruption"]);
    facts["users_affected"] = json!(0.02);
    for (name, leaf) in [("severity-matrix", "no_hotfix"), ("standard", "p0")] {
        let policy = Policy::preset(name).unwrap();
        assert_eq!(classified(&policy, &facts), (Some(P0), Some(P0), Hotfix::Yes), "{name}");
        facts["security_exploited"] = json!(false);
        assert_eq!(leaves(&policy, &facts), [leaf], "{name}");
    }
}

#[test]
fn sev_4_what_is_neither_is_the_normal_release() {
    let mut facts = calm(&[]);
    for quiet in ["new_feature", "refactoring", "optimisation", "documentation"] {
        facts[quiet] = json!(false);
    }
    let mut matrix = facts.clone();
    matrix["non_critical_improvement"] = json!(false);
    matrix["non_urgent_bug"] = json!(false);
    let policy = Policy::preset("severity-matrix").unwrap();
    // Neither listed nor excluded: S4 has no answer.
    assert_eq!(classified(&policy, &matrix), (None, None, Hotfix::Unknown));
    matrix["documentation"] = json!(true);
    assert_eq!(classified(&policy, &matrix), (None, None, Hotfix::No));
    for quiet in [
        "search_empty",
        "crash_at_start",
        "endpoints_failing",
        "data_integrity_at_risk",
        "wrong_reporting",
        "nonessential_feature_broken",
        "api_inconsistent",
        "can_wait",
    ] {
        facts[quiet] = json!(false);
    }
    let policy = Policy::preset("standard").unwrap();
    assert_eq!(classified(&policy, &facts), (None, None, Hotfix::No));
    assert_eq!(leaves(&policy, &facts), ["normal"]);
}

/// Metrics are one house's, and so are phases; the rest of a procedure goes with any plan.
#[test]
fn field_5_the_process_of_every_preset_goes_with_the_plan_of_every_other() {
    const PROCESS: [&str; 14] = [
        "facts",
        "implications",
        "classification",
        "rules",
        "tree",
        "severities",
        "duties",
        "roles",
        "vendors",
        "checklists",
        "messages",
        "advice",
        "report",
        "scope",
    ];
    let mut refused = Vec::new();
    for process in Policy::presets() {
        let preset = Policy::preset(process).unwrap().to_json();
        let preset: serde_json::Value = serde_json::from_str(&preset).unwrap();
        let empty = [json!(null), json!([]), json!({})];
        let take: Vec<_> = PROCESS.iter().filter(|key| !empty.contains(&preset[**key])).collect();
        assert!(take.len() > 5, "{process}");
        for plan in Policy::presets() {
            let document = json!({ "extends": [plan, { "policy": process, "take": take }] });
            if let Err(errors) = Policy::from_json(&document.to_string()) {
                refused.push(format!("{process} with the plan of {plan}: {errors}"));
            }
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn sev_3_examples_of_the_enterprise_procedure() {
    let enterprise = Preset::read("enterprise");
    let p2 = answer(2, false);
    let cases = [
        ("service_down", BY_P0),
        ("data_corruption", BY_P0),
        ("security_exploited", BY_P0),
        ("payments_down", BY_P0),
        ("authentication_down", BY_P0),
        ("core_feature_broken", BY_P1),
        ("search_empty", BY_P1),
        ("crash_at_start", BY_P1),
        ("endpoints_failing", BY_P1),
        ("cosmetic", p2),
        ("nonessential_feature_broken", p2),
        ("feature_degraded", p2),
        ("api_inconsistent", p2),
        ("wrong_reporting", p2),
    ];
    for (flag, expected) in cases {
        let mut facts = json!({ flag: true });
        for (other, _) in cases {
            if other != flag {
                facts[other] = json!(false);
            }
        }
        if flag != "payments_down" {
            facts["payment_failure_share"] = json!(0.5);
        }
        let placed = enterprise.place(&facts);
        assert_eq!(reached(&enterprise.rules, &placed), [expected], "{flag}");
        facts["payment_failure_share"] = json!(0.51);
        let placed = enterprise.place(&facts);
        let at_worst = if flag == "payments_down" { vec![] } else { vec![expected.min(BY_P1)] };
        assert_eq!(reached(&enterprise.rules, &placed), at_worst, "{flag}, half of payments fail");
    }
}
