//! Findings about the decision tree and the rules: exhaustive searches over all combinations of
//! facts that the conditions distinguish, under the implications of the policy.
//!
//! If the diagrams grow too large there is no search. Findings from the shape of the tree and from
//! single conditions remain, and a finding says that the rest is missing.

mod cross_checks;
mod cycle;
mod format;
mod local;
mod questions;
mod rules;
mod search;
mod table;
mod walk;

use super::fault::Fault;
use super::finding::Finding;
use crate::fact::Cut;
use crate::policy::Policy;
use search::Search;
use walk::Walk;

/// Adds the findings about tree, rules, implications and custom facts; within a code in the order
/// of the document.
pub(super) fn find(policy: &Policy, found: &mut Vec<Finding>) {
    table::findings(policy, found);
    let mut searched = Vec::new();
    if search(policy, &mut searched).is_ok() {
        found.append(&mut searched);
        return;
    }
    if let Some(tree) = policy.tree() {
        cycle::by_shape(tree, found);
        local::questions(tree, found);
    }
    local::rules(policy, found);
    found.push(Finding::new(String::new(), Fault::Entangled {}, None));
}

fn search(policy: &Policy, found: &mut Vec<Finding>) -> Result<(), Cut> {
    if policy.rules.is_empty() && policy.tree.is_none() && policy.implications.is_empty() {
        return Ok(());
    }
    let Some(mut search) = Search::try_new(policy)? else {
        // If nothing is possible, no search is needed: every answer would be vacuous.
        rules::impossible(policy, found)?;
        policy.tree().into_iter().for_each(|tree| cycle::by_shape(tree, found));
        return Ok(());
    };
    let conditions = rules::conditions(&mut search)?;
    if let Some(tree) = policy.tree() {
        let walk = Walk::try_new(tree, &mut search)?;
        cycle::findings(&walk, &mut search, found)?;
        questions::findings(&walk, &mut search, found)?;
        cross_checks::findings(&walk, &conditions, &mut search, found)?;
    }
    rules::findings(&conditions, &mut search, found)
}
