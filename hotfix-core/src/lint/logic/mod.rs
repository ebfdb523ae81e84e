//! Findings on the decision tree and the rules: exhaustive searches over all that the policy's conditions tell apart, under
//! its implications (DEC-5).
//!
//! Where the diagrams grow too large there is no search; what the shape of the tree and each condition by itself tell is
//! found still, and a finding says that the rest is missing.

mod circle;
mod local;
mod questions;
mod rules;
mod search;
mod table;
mod versus;
mod walk;
mod words;

use super::fault::Fault;
use super::finding::Finding;
use crate::fact::Cut;
use crate::policy::Policy;
use search::Search;
use walk::Walk;

/// Adds what is doubtful about tree, rules, implications and house facts. Within a code in the order of the document.
pub(super) fn find(policy: &Policy, found: &mut Vec<Finding>) {
    table::findings(policy, found);
    let mut searched = Vec::new();
    if search(policy, &mut searched).is_ok() {
        found.append(&mut searched);
        return;
    }
    if let Some(tree) = policy.tree() {
        circle::by_shape(tree, found);
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
        // What cannot be needs no search: every answer would be vacuous.
        rules::impossible(policy, found)?;
        policy.tree().into_iter().for_each(|tree| circle::by_shape(tree, found));
        return Ok(());
    };
    let conditions = rules::conditions(&mut search)?;
    if let Some(tree) = policy.tree() {
        let walk = Walk::try_new(tree, &mut search)?;
        circle::findings(&walk, &mut search, found)?;
        questions::findings(&walk, &mut search, found)?;
        versus::findings(&walk, &conditions, &mut search, found)?;
    }
    rules::findings(&conditions, &mut search, found)
}
