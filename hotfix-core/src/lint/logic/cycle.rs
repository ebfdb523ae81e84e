//! Findings from the shape of the tree alone: cycles, and unconnected questions and leaves.

use std::collections::VecDeque;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::Dfs;

use super::super::fault::Fault;
use super::super::finding::{Example, Finding, put};
use super::super::format::{enumerated, quoted};
use super::search::Search;
use super::walk::Walk;
use crate::fact::Cut;
use crate::policy::reasoning::{graph, place};
use crate::policy::section::{Target, Tree};
use crate::sorting::sort_by;

/// The findings, each cycle with facts that lead through it, if there are any.
pub(super) fn findings(walk: &Walk<'_>, search: &mut Search<'_>) -> Result<(), Cut> {
    for cycle in cycles(walk.tree, &walk.graph) {
        let mut round = walk.reached(Target::Question(cycle[0]));
        for (at, from) in cycle.iter().enumerate() {
            let next = Target::Question(cycle[(at + 1) % cycle.len()]);
            let mut on = search.never;
            for edge in walk.edges[*from].iter().filter(|edge| edge.to == Some(next)) {
                on = search.builder.or(on, edge.taken)?;
            }
            round = search.builder.and(round, on)?;
        }
        let example = search.example(round)?;
        search.found.push(finding(walk.tree, &cycle, example));
    }
    unconnected(walk.tree, &walk.graph, &mut search.found);
    Ok(())
}

/// The findings without facts, for conditions that cannot be searched.
pub(super) fn by_shape(tree: &Tree, found: &mut Vec<Finding>) {
    let graph = graph(tree);
    for cycle in cycles(tree, &graph) {
        found.push(finding(tree, &cycle, None));
    }
    unconnected(tree, &graph, found);
}

fn finding(tree: &Tree, cycle: &[usize], example: Option<Example>) -> Finding {
    let ids: Vec<String> = cycle.iter().map(|q| quoted(tree.questions[*q].id)).collect();
    let path = Tree::path(Target::Question(cycle[0]));
    Finding::new(path, Fault::Cycle { questions: enumerated(&ids) }, example)
}

/// One cycle of each group of questions: the shortest through its first question.
fn cycles(tree: &Tree, graph: &DiGraph<Target, ()>) -> Vec<Vec<usize>> {
    // It has an explicit stack: a tree may have more questions than fit on that of the thread.
    let groups = kosaraju_scc(graph);
    let group_of = groups_of(graph, &groups);
    let mut cycles: Vec<Vec<usize>> = groups
        .iter()
        .filter_map(|group| {
            let first = *group.iter().min()?;
            shortest(tree, graph, first, |node| group_of[node.index()] == group_of[first.index()])
        })
        .collect();
    sort_by(&mut cycles, Ord::cmp);
    cycles
}

/// The shortest path from a question back to itself.
fn shortest(
    tree: &Tree,
    graph: &DiGraph<Target, ()>,
    first: NodeIndex,
    inside: impl Fn(NodeIndex) -> bool,
) -> Option<Vec<usize>> {
    let mut from: Vec<Option<NodeIndex>> = vec![None; graph.node_count()];
    let mut open = VecDeque::from([first]);
    while let Some(node) = open.pop_front() {
        let Target::Question(question) = graph[node] else { continue };
        for target in tree.questions[question].targets() {
            let next = NodeIndex::new(place(tree, target));
            if next == first {
                let mut cycle = vec![question];
                let mut at = node;
                while let Some(before) = from[at.index()] {
                    cycle.push(before.index());
                    at = before;
                }
                cycle.reverse();
                return Some(cycle);
            }
            if inside(next) && from[next.index()].is_none() {
                from[next.index()] = Some(node);
                open.push_back(next);
            }
        }
    }
    None
}

/// Questions and leaves to which no answers lead from the root. Of those that lead to each other
/// only the first is reported: the rest follows from it.
fn unconnected(tree: &Tree, graph: &DiGraph<Target, ()>, found: &mut Vec<Finding>) {
    let connected = connected(tree, graph);
    let groups = kosaraju_scc(graph);
    let group_of = groups_of(graph, &groups);
    // A group is a start if nothing unconnected outside of it leads to it.
    let mut begins = vec![true; groups.len()];
    for edge in graph.edge_indices() {
        if let Some((from, to)) = graph.edge_endpoints(edge) {
            let [from_group, to_group] = [from, to].map(|node| group_of[node.index()]);
            if !connected[from.index()] && from_group != to_group {
                begins[to_group] = false;
            }
        }
    }
    for node in graph.node_indices() {
        if connected[node.index()] || !std::mem::take(&mut begins[group_of[node.index()]]) {
            continue;
        }
        let target = graph[node];
        let fault = Fault::Unconnected { id: tree.id(target) };
        put(found, Tree::path(target), fault);
    }
}

/// Whether answers lead from the root to each node.
fn connected(tree: &Tree, graph: &DiGraph<Target, ()>) -> Vec<bool> {
    let mut connected = vec![false; graph.node_count()];
    let mut visit = Dfs::new(graph, NodeIndex::new(place(tree, tree.root)));
    while let Some(node) = visit.next(graph) {
        connected[node.index()] = true;
    }
    connected
}

fn groups_of(graph: &DiGraph<Target, ()>, groups: &[Vec<NodeIndex>]) -> Vec<usize> {
    let mut group_of = vec![0; graph.node_count()];
    for (number, group) in groups.iter().enumerate() {
        for node in group {
            group_of[node.index()] = number;
        }
    }
    group_of
}
