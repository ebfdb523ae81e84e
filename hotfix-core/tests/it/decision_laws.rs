//! The decision against going through every combination of values, on random policies.

use std::collections::BTreeSet;

use hotfix_core::decision::Decision;
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::Target;
use hotfix_core::unit::Name;

use crate::decision_common::{self, Draw, Ended, Table, answered, asks, ends};

/// What is known at random, each fact as likely unknown as not.
fn known(draw: &mut Draw, table: &Table) -> Vec<Option<usize>> {
    let value = |subject: &decision_common::Subject| {
        (!draw.one_in(2)).then(|| draw.below(subject.values.len()))
    };
    table.subjects.iter().map(value).collect()
}

fn ids(ids: impl Iterator<Item = Name>) -> Vec<String> {
    ids.map(|id| id.to_string()).collect()
}

/// Leaves and gaps of ends, each in the order of the tree.
fn open(policy: &Policy, ends: &BTreeSet<Ended>) -> (Vec<String>, Vec<String>) {
    let tree = policy.tree().unwrap();
    let leaves = tree.leaves.iter().map(|leaf| leaf.id);
    let gaps = tree.questions.iter().map(|question| question.id);
    (
        ids(leaves.filter(|id| ends.contains(&Ended::Leaf(id.to_string())))),
        ids(gaps.filter(|id| ends.contains(&Ended::Gap(id.to_string())))),
    )
}

/// Every public answer but the next question, which has a test of its own.
fn check(policy: &Policy, table: &Table, known: &[Option<usize>], told: &str) {
    let tree = policy.tree().unwrap();
    let facts = table.facts(known);
    let decision = policy.decide(&facts);
    let (rows, contradictory) = table.agreeing(known);
    let ends = ends(&rows);
    assert!(decision.exact(), "{told}");
    assert_eq!(decision.contradictory(), contradictory, "{told}");
    assert_eq!(decision.contradictions().is_empty(), !contradictory, "{told}");
    let (leaves, gaps) = open(policy, &ends);
    assert_eq!(ids(decision.reachable().iter().map(|leaf| leaf.id)), leaves, "{told}");
    assert_eq!(ids(decision.gaps().iter().map(|question| question.id)), gaps, "{told}");
    assert_eq!(decision.circular(), ends.contains(&Ended::Cycle), "{told}");
    assert_eq!(decision.settled(), ends.len() == 1, "{told}");

    let reached: Vec<_> =
        tree.leaves.iter().filter(|l| leaves.contains(&l.id.to_string())).collect();
    let same = reached.iter().all(|leaf| asks(leaf) == asks(reached[0]));
    let certain = (same && reached.len() == ends.len()).then(|| reached[0]);
    let outcome = decision.outcome();
    assert_eq!(outcome.map(|outcome| outcome.id), certain.map(|leaf| leaf.id), "{told}");
    if let (Some(outcome), Some(leaf)) = (outcome, certain) {
        let severity = outcome.severity.map(|severity| severity.to_string());
        assert_eq!((severity, outcome.hotfix, outcome.deadline), asks(leaf), "{told}");
    }

    let mut at = tree.root;
    let path = decision.path();
    let mut met = BTreeSet::new();
    for step in &path {
        let Target::Question(index) = at else { panic!("{told}: the path goes on after its end") };
        let question = &tree.questions[index];
        assert!(met.insert(index), "{told}");
        assert_eq!(step.question.id, question.id, "{told}");
        let answers: BTreeSet<_> = rows.iter().map(|row| answered(question, &row.facts)).collect();
        let only = answers.first().filter(|_| answers.len() == 1);
        let (_, to) = only.unwrap_or_else(|| panic!("{told}: {} is open", question.id));
        assert_eq!(step.to, to.map(|to| tree.id(to)), "{told}");
        match to {
            Some(to) => at = *to,
            None => break,
        }
    }
    // It stops at a leaf, at a gap, where it has been, or at a question that is open.
    if let Target::Question(index) = at {
        let question = &tree.questions[index];
        let answers: BTreeSet<_> = rows.iter().map(|row| answered(question, &row.facts)).collect();
        assert!(answers.len() > 1 || met.contains(&index), "{told}: {} is not open", question.id);
    }
}

#[test]
fn dec_4_every_answer_is_what_going_through_all_values_gives() {
    let (mut contradictory, mut settled, mut certain) = (0, 0, 0);
    for seed in 0..400 {
        let mut draw = Draw::new(seed);
        let policy = draw.policy(3 + usize::try_from(seed % 4).unwrap(), seed % 5 == 0);
        let table = Table::new(&policy);
        for case in 0..12 {
            let known = known(&mut draw, &table);
            let told =
                format!("seed {seed}, case {case}: {known:?}\n{}", policy.tree_dot().unwrap());
            check(&policy, &table, &known, &told);
            let facts = table.facts(&known);
            let decision = policy.decide(&facts);
            contradictory += u32::from(decision.contradictory());
            settled += u32::from(decision.settled());
            certain += u32::from(decision.outcome().is_some() && !decision.settled());
        }
    }
    // The cases are of every kind.
    assert!(
        contradictory > 100 && settled > 500 && certain > 20,
        "{contradictory} {settled} {certain}"
    );
}

/// What `next_question` says of the values, against the rows.
fn check_question(
    policy: &Policy,
    table: &Table,
    known: &[Option<usize>],
    decision: &Decision<'_>,
    told: &str,
) {
    let Some(next) = decision.next_question() else {
        assert!(decision.settled(), "{told}: nothing is asked");
        return;
    };
    assert!(!decision.settled(), "{told}: settled, and yet {} is asked", next.fact);
    assert_eq!(next.ask, policy.vocabulary().question(next.fact));
    let subject = table.subjects.iter().position(|subject| subject.fact == next.fact).unwrap();
    assert_eq!(known[subject], None, "{told}: {} is known", next.fact);
    let mut expected = Vec::new();
    for (at, (_, words)) in table.subjects[subject].values.iter().enumerate() {
        let mut after = known.to_vec();
        after[subject] = Some(at);
        let (rows, impossible) = table.agreeing(&after);
        if impossible && !decision.contradictory() {
            continue;
        }
        expected.push(((*words).to_owned(), open(policy, &ends(&rows))));
    }
    let said = next.if_known.iter().map(|remaining| {
        let leaves = ids(remaining.leaves.iter().map(|leaf| leaf.id));
        (remaining.value.clone(), (leaves, ids(remaining.gaps.iter().map(|question| question.id))))
    });
    assert_eq!(said.collect::<Vec<_>>(), expected, "{told}: {}", next.fact);
}

#[test]
fn dec_4_asking_says_what_each_value_leaves_open_and_always_ends() {
    for seed in 1_000..1_200 {
        let mut draw = Draw::new(seed);
        let policy = draw.policy(3 + usize::try_from(seed % 4).unwrap(), seed % 5 == 0);
        let table = Table::new(&policy);
        for _ in 0..4 {
            let mut known = known(&mut draw, &table);
            // What the incident really is; any that agrees.
            let row = {
                let (rows, _) = table.agreeing(&known);
                rows[draw.below(rows.len())].values.clone()
            };
            let mut open = None;
            loop {
                let told = format!("seed {seed}: {known:?}");
                let facts = table.facts(&known);
                let decision = policy.decide(&facts);
                check_question(&policy, &table, &known, &decision, &told);
                let Some(next) = decision.next_question() else { break };
                // What is open shrinks with every answer: the facts that matter, and so the questions.
                let matter = matter(&table, &known);
                assert!(
                    matter.contains(&next.fact.to_string()),
                    "{told}: {} does not matter",
                    next.fact
                );
                if let Some((before, asked)) = &open {
                    assert!(matter.is_subset(before) && !matter.contains(asked), "{told}");
                }
                open = Some((matter, next.fact.to_string()));
                let at = table.subjects.iter().position(|s| s.fact == next.fact).unwrap();
                known[at] = Some(row[at]);
            }
        }
    }
}

/// The unknown facts that matter, by going through all that may be known of the others: those of which a value makes
/// fewer ends possible, but one at least.
fn matter(table: &Table, known: &[Option<usize>]) -> BTreeSet<String> {
    let (_, contradictory) = table.agreeing(known);
    let mut states = vec![known.to_vec()];
    for (at, subject) in table.subjects.iter().enumerate() {
        if known[at].is_none() {
            let longer: Vec<_> = states
                .iter()
                .flat_map(|state| {
                    (0..subject.values.len()).map(move |value| {
                        let mut state = state.clone();
                        state[at] = Some(value);
                        state
                    })
                })
                .collect();
            states.extend(longer);
        }
    }
    let mut matter = BTreeSet::new();
    for state in states {
        let (rows, impossible) = table.agreeing(&state);
        if impossible && !contradictory {
            continue;
        }
        let all = ends(&rows);
        for (at, subject) in
            table.subjects.iter().enumerate().filter(|(at, _)| state[*at].is_none())
        {
            let name = subject.fact.to_string();
            if matter.contains(&name) || all.len() == 1 {
                continue;
            }
            for value in 0..subject.values.len() {
                let mut after = state.clone();
                after[at] = Some(value);
                let (rows, impossible) = table.agreeing(&after);
                if (contradictory || !impossible) && ends(&rows).len() < all.len() {
                    matter.insert(name.clone());
                }
            }
        }
    }
    matter
}

#[test]
fn dec_4_without_diagrams_nothing_is_wrongly_certain_and_asking_ends() {
    let (mut settled, mut looser) = (0, 0);
    for seed in 5_000..5_016 {
        let mut draw = Draw::new(seed);
        let policy = draw.policy_of(5, 3 + usize::try_from(seed % 5).unwrap(), seed % 3 == 0, true);
        let table = Table::new(&policy);
        let rows = table.rows.iter().filter(|row| row.possible);
        for row in rows.step_by(5) {
            let mut known = vec![None; table.subjects.len()];
            loop {
                let told = format!("seed {seed}: {known:?}");
                let facts = table.facts(&known);
                let decision = policy.decide(&facts);
                assert!(!decision.exact(), "{told}");
                let (rows, _) = table.agreeing(&known);
                let ends = ends(&rows);
                let (leaves, gaps) = open(&policy, &ends);
                let said = ids(decision.reachable().iter().map(|leaf| leaf.id));
                assert!(leaves.iter().all(|leaf| said.contains(leaf)), "{told}");
                let said_gaps = ids(decision.gaps().iter().map(|question| question.id));
                assert!(gaps.iter().all(|gap| said_gaps.contains(gap)), "{told}");
                assert!(decision.circular() || !ends.contains(&Ended::Cycle), "{told}");
                assert!(!decision.settled() || ends.len() == 1, "{told}");
                looser += u32::from(said.len() > leaves.len());
                if let Some(outcome) = decision.outcome() {
                    let tree = policy.tree().unwrap();
                    let certain = tree.leaves.iter().find(|leaf| leaf.id == outcome.id).unwrap();
                    for leaf in tree.leaves.iter().filter(|l| leaves.contains(&l.id.to_string())) {
                        assert_eq!(asks(leaf), asks(certain), "{told}");
                    }
                    assert!(gaps.is_empty(), "{told}");
                }
                for step in decision.path() {
                    let answers: BTreeSet<_> =
                        rows.iter().map(|row| answered(step.question, &row.facts)).collect();
                    assert_eq!(answers.len(), 1, "{told}");
                }
                let Some(next) = decision.next_question() else {
                    assert!(decision.settled(), "{told}");
                    settled += 1;
                    break;
                };
                let at = table.subjects.iter().position(|s| s.fact == next.fact).unwrap();
                assert_eq!(known[at], None, "{told}");
                known[at] = Some(row.values[at]);
            }
        }
    }
    assert!(settled > 30 && looser > 5, "{settled} {looser}");
}
