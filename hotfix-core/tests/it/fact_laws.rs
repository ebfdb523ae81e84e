//! Laws of spaces and diagrams for any conditions, against going through every class.

use std::collections::BTreeSet;

use hotfix_core::fact::{
    Builder, Comparison, Condition, Diagram, Facts, Placed, Ref, Space, Truth,
};
use proptest::prelude::*;

use crate::fact_common::{completions, condition, facts, how_many, subjects, value};

const BUDGET: usize = 100_000;

/// Going through more is too slow.
const MOST: u64 = 3_000;

fn evaluate(condition: &Condition, space: &Space, placed: &Placed) -> bool {
    match condition.holds(&space.facts(placed)) {
        Truth::Yes => true,
        Truth::No => false,
        Truth::Unknown => panic!("{placed:?} leaves nothing unknown"),
    }
}

fn reached(diagram: &Diagram, placed: &Placed) -> Vec<u32> {
    let mut reached = Vec::new();
    diagram.reachable(placed, |terminal| reached.push(terminal));
    reached
}

fn built(space: &Space, make: impl FnOnce(&mut Builder<'_>) -> Ref) -> Diagram {
    let mut builder = Builder::new(space, BUDGET);
    let root = make(&mut builder);
    builder.finish(root)
}

/// A function with many terminals: the rule that is met first; and what is possible where `rules[3]` holds.
#[derive(Debug)]
struct Graded {
    space: Space,
    rules: [Condition; 4],
    diagram: Diagram,
}

impl Graded {
    fn new(rules: [Condition; 4], constrained: bool) -> Self {
        let space = Space::new(&rules);
        let diagram = built(&space, |builder| {
            let mut root = builder.constant(9);
            for (grade, rule) in (1..=3).rev().zip(rules[..3].iter().rev()) {
                let rule = builder.condition(rule).unwrap();
                let grade = builder.constant(grade);
                root = builder.choose(rule, grade, root).unwrap();
            }
            if constrained {
                let possible = builder.condition(&rules[3]).unwrap();
                let only =
                    |value, possible| if possible == 1 { value } else { Diagram::IMPOSSIBLE };
                root = builder.apply(root, possible, only).unwrap();
            }
            root
        });
        let graded = Self { space, rules, diagram };
        if constrained {
            return graded;
        }
        let [a, b, c, _] = graded.rules;
        let rules = [a, b, c, Condition::All(Vec::new())];
        Self { rules, ..graded }
    }

    /// The slow way, of a complete assignment.
    fn model(&self, placed: &Placed) -> Option<u32> {
        let holds = |rule| evaluate(rule, &self.space, placed);
        let grade = (1..=3).zip(&self.rules[..3]).find(|(_, rule)| holds(rule));
        holds(&self.rules[3]).then_some(grade.map_or(9, |(grade, _)| grade))
    }

    fn model_reached(&self, placed: &Placed) -> BTreeSet<u32> {
        completions(&self.space, placed).iter().filter_map(|each| self.model(each)).collect()
    }
}

fn graded() -> impl Strategy<Value = Graded> {
    let rules = prop::array::uniform4(condition());
    (rules, any::<bool>()).prop_map(|(rules, constrained)| Graded::new(rules, constrained))
}

/// Makes variables known until few enough ways are left.
fn few(space: &Space, facts: &Facts, most: u64) -> Placed {
    let mut placed = space.place(facts);
    let unknown: Vec<usize> = placed.unknown().collect();
    for variable in unknown {
        if how_many(space, &placed) > most {
            placed.set(variable, Some(space.classes(variable) / 2));
        }
    }
    placed
}

/// Every way to leave variables unknown or not.
fn partial(space: &Space, placed: &Placed) -> Vec<Placed> {
    let mut all = vec![placed.clone()];
    for variable in placed.unknown() {
        for before in all.clone() {
            for class in 0..space.classes(variable) {
                let mut after = before.clone();
                after.set(variable, Some(class));
                all.push(after);
            }
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sev_5_what_is_reachable_is_what_some_values_of_the_unknown_facts_give(
        graded in graded(), facts in facts(),
    ) {
        let placed = few(&graded.space, &facts, MOST);
        let expected: Vec<u32> = graded.model_reached(&placed).into_iter().collect();
        prop_assert_eq!(&reached(&graded.diagram, &placed), &expected);
        let decided = if let [only] = expected[..] { Some(only) } else { None };
        prop_assert_eq!(graded.diagram.decided(&placed), decided);
        let known = graded.diagram.terminals().collect::<Vec<_>>();
        prop_assert!(expected.iter().all(|terminal| known.contains(terminal)));
    }

    #[test]
    fn sev_5_what_is_restricted_is_the_same_function_of_the_rest(
        graded in graded(), facts in facts(),
    ) {
        let placed = few(&graded.space, &facts, MOST / 10);
        let left = graded.diagram.restrict(&placed);
        prop_assert!(left.count() <= graded.diagram.count());
        for each in completions(&graded.space, &placed) {
            prop_assert_eq!(left.decided(&each), graded.model(&each));
        }
        let mut only_rest = graded.space.unknown();
        for variable in placed.unknown() {
            only_rest.set(variable, Some(0));
        }
        prop_assert_eq!(left.restrict(&only_rest).count(), 0);
    }

    #[test]
    fn sev_5_what_matters_is_what_makes_fewer_answers_reachable(
        graded in graded(), facts in facts(),
    ) {
        let placed = few(&graded.space, &facts, 40);
        let all = completions(&graded.space, &placed);
        let all: Vec<_> = all.iter().map(|each| (each, graded.model(each))).collect();
        let reached = |placed: &Placed| -> BTreeSet<u32> {
            let within = |each: &Placed| placed.known().all(|(at, class)| each.get(at) == Some(class));
            all.iter().filter(|(each, _)| within(each)).filter_map(|(_, terminal)| *terminal).collect()
        };
        let mut expected = BTreeSet::new();
        for each in partial(&graded.space, &placed) {
            let before = reached(&each);
            for variable in each.unknown() {
                for class in 0..graded.space.classes(variable) {
                    let mut after = each.clone();
                    after.set(variable, Some(class));
                    let after = reached(&after);
                    if !after.is_empty() && after != before {
                        expected.insert(variable);
                    }
                }
            }
        }
        let support = graded.diagram.support(&placed);
        prop_assert_eq!(support, expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn dec_4_an_example_decides_on_what_is_wanted_and_needs_each_of_its_facts(
        graded in graded(), facts in facts(), wanted in prop::sample::select(vec![1_u32, 2, 3, 9]),
    ) {
        let placed = few(&graded.space, &facts, MOST);
        let example = graded.diagram.example(&placed, |terminal| terminal >= wanted);
        let possible = graded.model_reached(&placed).into_iter().any(|terminal| terminal >= wanted);
        prop_assert_eq!(example.is_some(), possible);
        let Some(example) = example else { return Ok(()) };
        for (variable, class) in placed.known() {
            prop_assert_eq!(example.get(variable), Some(class));
        }
        let reached = graded.model_reached(&example);
        prop_assert!(reached.len() == 1 && reached.first() >= Some(&wanted), "{:?}", reached);
        prop_assert_eq!(
            graded.diagram.decided(&graded.space.place(&graded.space.facts(&example))),
            reached.first().copied()
        );
        for variable in placed.unknown().filter(|variable| example.get(*variable).is_some()) {
            let mut without = example.clone();
            without.set(variable, None);
            prop_assert!(graded.model_reached(&without) != reached, "{variable} is not needed");
        }
    }

    #[test]
    fn sev_5_every_operation_agrees_with_its_truth_table(
        a in condition(), b in condition(), c in condition(), facts in facts(),
    ) {
        let space = Space::new([&a, &b, &c]);
        let mut builder = Builder::new(&space, BUDGET);
        let [x, y, z] = [&a, &b, &c].map(|each| builder.condition(each).unwrap());
        let not = builder.not(x).unwrap();
        let and = builder.and(x, y).unwrap();
        let or = builder.or(x, y).unwrap();
        let choose = builder.choose(x, y, z).unwrap();
        let apply = builder.apply(x, y, |x, y| 10 * x + y).unwrap();
        let map = builder.map(apply, |value| value / 10).unwrap();
        prop_assert_eq!(map, x);
        let all = [not, and, or, choose, apply].map(|root| builder.finish(root));
        for each in completions(&space, &few(&space, &facts, MOST / 10)) {
            let [x, y, z] = [&a, &b, &c].map(|each_of| evaluate(each_of, &space, &each));
            let expected = [
                u32::from(!x),
                u32::from(x && y),
                u32::from(x || y),
                u32::from(if x { y } else { z }),
                10 * u32::from(x) + u32::from(y),
            ];
            for (diagram, expected) in all.iter().zip(expected) {
                prop_assert_eq!(diagram.decided(&each), Some(expected));
            }
        }
    }

    #[test]
    fn sev_5_what_kleene_decides_the_diagram_decides(condition in condition(), facts in facts()) {
        let space = Space::new([&condition]);
        let diagram = built(&space, |builder| builder.condition(&condition).unwrap());
        let decided = diagram.decided(&space.place(&facts));
        match condition.holds(&facts) {
            Truth::Yes => prop_assert_eq!(decided, Some(1)),
            Truth::No => prop_assert_eq!(decided, Some(0)),
            Truth::Unknown => {}
        }
    }

    #[test]
    fn sev_5_one_more_known_fact_only_takes_answers_away(graded in graded(), facts in facts()) {
        let placed = graded.space.place(&facts);
        let before = reached(&graded.diagram, &placed);
        for variable in placed.unknown() {
            let mut together = BTreeSet::new();
            for class in 0..graded.space.classes(variable) {
                let mut after = placed.clone();
                after.set(variable, Some(class));
                together.extend(reached(&graded.diagram, &after));
            }
            prop_assert_eq!(together.into_iter().collect::<Vec<_>>(), before.clone());
        }
    }

    #[test]
    fn sev_5_equal_functions_are_equal_diagrams(a in condition(), b in condition()) {
        let space = Space::new([&a, &b]);
        let mut builder = Builder::new(&space, BUDGET);
        let [x, y] = [&a, &b].map(|each| builder.condition(each).unwrap());
        let not = |condition: &Condition| Condition::Not(Box::new(condition.clone()));
        let neither = not(&Condition::Any(vec![not(&b), not(&a)]));
        let both = builder.and(x, y).unwrap();
        prop_assert_eq!(builder.condition(&neither).unwrap(), both);
        let other = built(&space, |builder| builder.condition(&neither).unwrap());
        prop_assert_eq!(builder.finish(both), other);
        let differs = builder.apply(x, y, |x, y| u32::from(x != y)).unwrap();
        prop_assert_eq!(differs == builder.constant(0), x == y);
    }

    #[test]
    fn sev_5_a_value_and_its_class_satisfy_the_same_comparisons(
        conditions in prop::collection::vec(condition(), 1..6),
        values in subjects().into_iter().map(|(_, kind)| value(kind)).collect::<Vec<_>>(),
    ) {
        let space = Space::new(&conditions);
        let mut comparisons: Vec<&Comparison> = Vec::new();
        for condition in &conditions {
            condition.comparisons(&mut |comparison| comparisons.push(comparison));
        }
        let subjects = subjects();
        let random = subjects.iter().zip(&values).map(|((fact, _), value)| (*fact, value));
        let cuts = comparisons.iter().map(|comparison| (comparison.fact, &comparison.value));
        for (fact, value) in random.chain(cuts) {
            let Some(variable) = space.variable(fact) else { continue };
            let class = space.class(variable, value).expect("within the domain");
            let shown = space.value(variable, class);
            for comparison in comparisons.iter().filter(|comparison| comparison.fact == fact) {
                prop_assert_eq!(comparison.accepts(value), comparison.accepts(&shown));
                let compare = Condition::Compare((*comparison).clone());
                let diagram = built(&space, |builder| builder.condition(&compare).unwrap());
                let mut placed = space.unknown();
                placed.set(variable, Some(class));
                let accepts = u32::from(comparison.accepts(value));
                prop_assert_eq!(diagram.decided(&placed), Some(accepts));
            }
        }
    }

    #[test]
    fn sev_5_a_class_is_named_by_a_value_of_its_own(conditions in prop::collection::vec(condition(), 1..6)) {
        let space = Space::new(&conditions);
        for variable in 0..space.len() {
            prop_assert_eq!(space.variable(space.fact(variable)), Some(variable));
            for class in 0..space.classes(variable) {
                let value = space.value(variable, class);
                prop_assert_eq!(space.class(variable, &value), Some(class), "{:?}", value);
                let kind = subjects().into_iter().find(|(fact, _)| *fact == space.fact(variable));
                prop_assert_eq!(Some(value.kind()), kind.map(|(_, kind)| kind));
            }
        }
    }
}
