//! Findings about the decision tree and the rules: exhaustive searches over all combinations of
//! facts that the conditions distinguish, under the implications of the policy.
//!
//! If the diagrams grow too large there is no search. Findings from the shape of the tree remain, and
//! a finding says that the rest is missing.

mod cross_checks;
mod cycle;
mod local;
mod questions;
mod rules;
mod search;
mod walk;

use super::fault::Fault;
use super::finding::Finding;
use crate::fact::Cut;
use crate::policy::Policy;
use search::Search;
use walk::Walk;

/// Adds the findings about tree, rules, implications and custom facts.
pub(super) fn find(policy: &Policy, found: &mut Vec<Finding>) {
    local::findings(policy, found);
    if let Ok(mut searched) = search(policy) {
        found.append(&mut searched);
        return;
    }
    if let Some(tree) = policy.tree() {
        cycle::by_shape(tree, found);
    }
    found.push(Finding::new(String::new(), Fault::Entangled {}, None));
}

fn search(policy: &Policy) -> Result<Vec<Finding>, Cut> {
    if policy.rules.is_empty() && policy.tree.is_none() && policy.implications.is_empty() {
        return Ok(Vec::new());
    }
    let Some(mut search) = Search::try_new(policy)? else {
        // If nothing is possible, no search is needed: every answer would be vacuous.
        let mut found = Vec::new();
        rules::impossible(policy, &mut found)?;
        policy.tree().into_iter().for_each(|tree| cycle::by_shape(tree, &mut found));
        return Ok(found);
    };
    let conditions = rules::conditions(&mut search)?;
    if let Some(tree) = policy.tree() {
        let walk = Walk::try_new(tree, &mut search)?;
        cycle::findings(&walk, &mut search)?;
        questions::findings(&walk, &mut search)?;
        cross_checks::findings(&walk, &conditions, &mut search)?;
    }
    rules::findings(&conditions, &mut search)?;
    Ok(search.found)
}
