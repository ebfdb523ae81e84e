//! How severe an incident is while nobody knows everything, what to ask next, and what the answer changes.
//!
//! The C and Python examples print the same.

use hotfix_core::fact::{FactId, FactValue, Facts};
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::Due;

fn main() -> anyhow::Result<()> {
    let policy = Policy::preset("enterprise")?;
    let known = serde_json::json!({
        "payment_failure_share": 0.55,
        "revenue_impact": true,
        "service_down": false,
        "data_corruption": false,
        "security_vulnerability": false,
        "users_affected": null,
        "workaround_exists": null,
        "preceding_deploy": "2.3.0",
    });
    let known = known.as_object().cloned().unwrap_or_default();
    let mut facts = Facts::read(&known, policy.vocabulary())?;
    explain(&policy, &facts, "14:06");
    // At 14:12 somebody has checked: people can log in.
    let login = policy.vocabulary().find("authentication_down");
    facts.set(login.ok_or_else(|| anyhow::anyhow!("no such fact"))?, FactValue::Flag(false));
    explain(&policy, &facts, "14:12");
    Ok(())
}

/// Prints the severity and the decision of the policy for the known facts.
fn explain(policy: &Policy, facts: &Facts, at: &str) {
    let (answer, decision) = (policy.classify(facts), policy.decide(facts));
    let [severity, worst] = [answer.severity(), answer.at_worst()]
        .map(|severity| severity.map_or("open", |severity| severity.as_str()));
    println!("{at} {severity}, at worst {worst}; hot-fix: {}", answer.hotfix());
    for verdict in answer.rules() {
        println!("  because {}", verdict.rule.title);
    }
    let decisive: Vec<FactId> = answer.decisive();
    for (fact, changes) in answer.if_known() {
        for change in changes.iter().filter(|_| decisive.contains(&fact)) {
            let severity = change.severity.map_or("open", |severity| severity.as_str());
            println!("  {fact} {}: {severity}", change.value);
        }
    }
    if let Some(question) = decision.next_question() {
        println!("  ask: {}", question.ask);
    }
    if let Some(outcome) = decision.outcome() {
        let hours = outcome.deadline.and_then(Due::within).map(|span| span.as_seconds() / 3600.0);
        println!("  do: {}, within {} h", outcome.title, hours.unwrap_or_default());
    }
    println!("  settled: {}", if answer.settled() { "yes" } else { "no" });
}
