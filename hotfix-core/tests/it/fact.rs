//! Spaces and diagrams by example: what reads well, what Kleene's logic misses, what a hostile policy costs.

use hotfix_core::fact::{
    Builder, Comparison, Condition, Cut, Diagram, Fact, FactId, FactValue, Facts, Operator, Placed,
    Ref, Space, Truth,
};
use hotfix_core::unit::Timestamp;

use crate::fact_common::{built_in, compare, house, millis, share, text};

fn flag(name: &str) -> Condition {
    Condition::flag(house(name))
}

/// The values that stand for the classes of a fact with these cuts.
fn shown(fact: FactId, cuts: &[FactValue]) -> Vec<String> {
    let conditions: Vec<Condition> =
        cuts.iter().map(|cut| compare(fact, Operator::Is, cut.clone())).collect();
    let space = Space::new(&conditions);
    let value = |class| serde_json::to_string(&space.value(0, class)).expect("a value");
    (0..space.classes(0)).map(value).collect()
}

#[test]
fn dec_4_examples_read_well() {
    let users = built_in(Fact::UsersAffected);
    let shares =
        |cuts: &[f64]| shown(users, &cuts.iter().map(|cut| share(*cut)).collect::<Vec<_>>());
    let latency = |cuts: &[u64]| {
        let cuts: Vec<_> = cuts.iter().map(|cut| millis(*cut)).collect();
        shown(built_in(Fact::LatencyP95), &cuts)
    };
    let tickets = |cuts: &[f64]| {
        shown(house("tickets"), &cuts.iter().map(|cut| FactValue::Number(*cut)).collect::<Vec<_>>())
    };
    let texts = |cuts: &[&str]| {
        shown(built_in(Fact::Service), &cuts.iter().map(|cut| text(cut)).collect::<Vec<_>>())
    };
    let longest = 864_000_000_000;
    let next = 0.05_f64.next_up();
    let cases: Vec<(Vec<String>, Vec<&str>)> = vec![
        (shares(&[0.5]), vec!["0.2", "0.5", "0.8"]),
        (shares(&[0.05, 0.5]), vec!["0.02", "0.05", "0.3", "0.5", "0.8"]),
        (shares(&[0.5, 0.05, 0.5]), vec!["0.02", "0.05", "0.3", "0.5", "0.8"]),
        (shares(&[0.0]), vec!["0", "0.5"]),
        (shares(&[1.0]), vec!["0.5", "1"]),
        (shares(&[0.05, next]), vec!["0.02", "0.05", "0.05000000000000001", "0.5"]),
        (latency(&[5_000]), vec!["3", "5", "10"]),
        (latency(&[60_000, 3_600_000]), vec!["30", "60", "1800", "3600", "7200"]),
        // Durations are whole milliseconds, so nothing lies between these.
        (latency(&[1_000, 1_001]), vec!["0.5", "1", "1.001", "2"]),
        (latency(&[0, longest]), vec!["0", "432000000", "864000000"]),
        (tickets(&[100.0]), vec!["50", "100", "200"]),
        (tickets(&[0.0]), vec!["-1", "0", "1"]),
        (tickets(&[-0.0, 3.0]), vec!["-1", "0", "1", "3", "6"]),
        (tickets(&[-10.0]), vec!["-20", "-10", "1"]),
        (
            tickets(&[f64::MIN, f64::MAX]),
            vec!["-1.7976931348623157e308", "0", "1.7976931348623157e308"],
        ),
        (texts(&["web", "api"]), vec![r#""another""#, r#""api""#, r#""web""#]),
        (texts(&["another"]), vec![r#""another 2""#, r#""another""#]),
    ];
    let wrong: Vec<String> = cases
        .into_iter()
        .filter(|(got, expected)| {
            let number = |text: &str| text.parse::<f64>().map_err(|_| text.to_owned());
            !got.iter().map(|got| number(got)).eq(expected.iter().map(|text| number(text)))
        })
        .map(|(got, expected)| format!("{got:?}, expected {expected:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sev_5_variables_stand_in_the_order_of_first_mention() {
    let (began, at) = (built_in(Fact::BeganAt), Timestamp::try_from_millis(0).expect("a time"));
    let conditions = [
        Condition::All(vec![flag("b"), compare(began, Operator::Is, FactValue::Time(at))]),
        Condition::Not(Box::new(Condition::Any(vec![flag("c"), flag("b"), flag("a")]))),
    ];
    let space = Space::new(&conditions);
    let facts: Vec<FactId> = (0..space.len()).map(|variable| space.fact(variable)).collect();
    assert_eq!(facts, [house("b"), house("c"), house("a")]);
    assert_eq!(space.variable(house("a")), Some(2));
    assert_eq!(space.variable(began), None);
}

#[test]
fn sev_5_values_of_another_type_or_range_stay_unknown() {
    let [users, down] = [built_in(Fact::UsersAffected), built_in(Fact::ServiceDown)];
    let space = Space::new(&[compare(users, Operator::Above, share(0.5)), Condition::flag(down)]);
    let mut facts = Facts::default();
    facts.set(users, FactValue::Number(1.5));
    facts.set(down, text("yes"));
    assert_eq!(space.place(&facts), space.unknown());
    for number in [f64::NAN, f64::INFINITY, -f64::INFINITY] {
        assert_eq!(space.class(0, &FactValue::Number(number)), None);
    }
}

#[test]
fn sev_5_bounds_that_are_no_numbers_or_out_of_range_hold_where_accepts_says() {
    let users = built_in(Fact::UsersAffected);
    for bound in [f64::NAN, f64::INFINITY, -f64::INFINITY, 2.0, -1.0, 0.0, 1.0] {
        for operator in Operator::ALL {
            let value = FactValue::Number(bound);
            let comparison = Comparison { fact: users, operator: *operator, value };
            let condition = Condition::Compare(comparison.clone());
            let space = Space::new([&condition]);
            let mut builder = Builder::new(&space, 100);
            let root = builder.condition(&condition).expect("small");
            let diagram = builder.finish(root);
            for fraction in [0.0, 0.5, 1.0] {
                let mut facts = Facts::default();
                facts.set(users, share(fraction));
                let expected = u32::from(comparison.accepts(&share(fraction)));
                let decided = diagram.decided(&space.place(&facts));
                assert_eq!(decided, Some(expected), "{fraction} {operator} {bound}");
            }
        }
    }
}

#[test]
fn sev_5_what_holds_either_way_is_decided_where_kleene_does_not_know() {
    let users = built_in(Fact::UsersAffected);
    let [few, many] = [(Operator::AtMost, 0.5), (Operator::Above, 0.05)]
        .map(|(operator, bound)| compare(users, operator, share(bound)));
    let either = Condition::Any(vec![few, many]);
    assert_eq!(either.holds(&Facts::default()), Truth::Unknown);
    let space = Space::new([&either]);
    let mut builder = Builder::new(&space, 100);
    let root = builder.condition(&either).expect("small");
    assert_eq!(root, builder.constant(1));
}

/// `a` and what is possible only where `a` and `b` are the same; `c` is possible only where `d` is.
fn tied(space: &Space) -> Diagram {
    let mut builder = Builder::new(space, 1_000);
    let [a, b, c, d] =
        ["a", "b", "c", "d"].map(|name| builder.condition(&flag(name)).expect("small"));
    let same = builder.apply(a, b, |a, b| u32::from(a == b)).expect("small");
    let implied = builder.apply(c, d, |c, d| u32::from(c <= d)).expect("small");
    let possible = builder.and(same, implied).expect("small");
    let root = builder.apply(a, possible, |a, possible| match possible {
        0 => Diagram::IMPOSSIBLE,
        _ => a,
    });
    let root = root.expect("small");
    builder.finish(root)
}

#[test]
fn sev_5_a_constraint_ties_facts_and_is_no_answer() {
    let flags = ["a", "b", "c", "d"].map(flag);
    let space = Space::new(&flags);
    let tied = tied(&space);
    let known = |classes: &[(usize, u32)]| {
        let mut placed = space.unknown();
        for (variable, class) in classes {
            placed.set(*variable, Some(*class));
        }
        placed
    };
    let variables = |placed: &Placed| tied.support(placed);
    assert_eq!(tied.terminals().collect::<Vec<_>>(), [0, 1]);
    // Either of the two tells; what only ties others together does not.
    assert_eq!(variables(&space.unknown()), [0, 1]);
    assert_eq!(tied.decided(&known(&[(1, 1)])), Some(1));
    assert!(variables(&known(&[(1, 1)])).is_empty());
    let broken = known(&[(0, 1), (1, 0)]);
    tied.reachable(&broken, |terminal| panic!("{terminal} cannot be"));
    assert_eq!(tied.decided(&broken), None);
    assert!(variables(&broken).is_empty());
    assert_eq!(tied.example(&broken, |_| true), None);
    assert_eq!(tied.example(&space.unknown(), |terminal| terminal == 1), Some(known(&[(0, 1)])));
}

#[test]
fn dec_4_an_example_takes_few_facts_and_false_flags() {
    let flags = ["a", "b", "c"].map(flag);
    let space = Space::new(&flags);
    let mut builder = Builder::new(&space, 1_000);
    let [a, b, c] = [0, 1, 2].map(|at| builder.condition(&flags[at]).expect("small"));
    let any = builder.or(a, b).and_then(|ab| builder.or(ab, c)).expect("small");
    let odd = |x, y| u32::from(x != y);
    let xor = builder.apply(a, b, odd).and_then(|ab| builder.apply(ab, c, odd)).expect("small");
    let shown = |root: Ref, builder: &Builder<'_>, wanted: u32| {
        let example = builder.finish(root).example(&space.unknown(), |terminal| terminal == wanted);
        format!("{:?}", example.expect("reachable"))
    };
    assert_eq!(shown(any, &builder, 1), "{0: 1}");
    assert_eq!(shown(any, &builder, 0), "{0: 0, 1: 0, 2: 0}");
    assert_eq!(shown(xor, &builder, 1), "{0: 0, 1: 0, 2: 1}");
    assert_eq!(shown(xor, &builder, 0), "{0: 0, 1: 0, 2: 0}");
}

fn flags(prefix: &str, count: usize) -> Vec<Condition> {
    (0..count).map(|number| flag(&format!("{prefix}{number}"))).collect()
}

fn not(condition: &Condition) -> Condition {
    Condition::Not(Box::new(condition.clone()))
}

/// That flags are pairwise equal, which takes 2ⁿ nodes where all the first ones come before all the second ones.
fn pairwise(count: usize) -> (Vec<Condition>, Condition) {
    let [first, second] = ["a", "b"].map(|prefix| flags(prefix, count));
    let pairs = first.iter().zip(&second).map(|(a, b)| {
        Condition::Any(vec![
            Condition::All(vec![a.clone(), b.clone()]),
            Condition::All(vec![not(a), not(b)]),
        ])
    });
    let all = Condition::All(pairs.collect());
    ([first, second].concat(), all)
}

#[test]
fn sev_5_a_hostile_policy_is_cut_and_a_similar_harmless_one_is_not() {
    let (flags, equal) = pairwise(40);
    let badly = Space::new(&flags);
    let mut builder = Builder::new(&badly, 5_000);
    assert_eq!(builder.condition(&equal), Err(Cut { budget: 5_000 }));
    // What was cut stays so.
    assert_eq!(builder.condition(&equal), Err(Cut { budget: 5_000 }));

    let well = Space::new([&equal]);
    let mut builder = Builder::new(&well, 5_000);
    let root = builder.condition(&equal).expect("each pair side by side");
    assert_eq!(builder.finish(root).count(), 3 * 40);
}

#[test]
fn sev_5_parity_is_no_hardship() {
    let flags = flags("f", 40);
    let space = Space::new(&flags);
    let mut builder = Builder::new(&space, 5_000);
    let mut root = builder.constant(0);
    for flag in &flags {
        let flag = builder.condition(flag).expect("small");
        root = builder.apply(flag, root, |a, b| a ^ b).expect("small");
    }
    let parity = builder.finish(root);
    assert_eq!(parity.count(), 2 * 40 - 1);
    assert_eq!(parity.support(&space.unknown()).len(), 40);
    assert_eq!(parity.decided(&space.unknown()), None);
}

#[test]
fn sev_5_ten_thousand_rules_on_ten_thousand_facts_take_no_deep_stack() {
    let flags = flags("f", 10_000);
    let any = Condition::Any(flags);
    let space = Space::new([&any]);
    let body = move || {
        let mut builder = Builder::new(&space, 200_000);
        let root = builder.condition(&any).expect("one node each");
        let diagram = builder.finish(root);
        assert_eq!(diagram.count(), 10_000);
        let mut reached = Vec::new();
        diagram.reachable(&space.unknown(), |terminal| reached.push(terminal));
        assert_eq!(reached, [0, 1]);
        let mut last = space.unknown();
        last.set(9_999, Some(1));
        assert_eq!(diagram.decided(&last), Some(1));
        assert_eq!(diagram.restrict(&last).count(), 0);
        assert_eq!(space.place(&space.facts(&last)), last);
        assert_eq!(diagram.support(&space.unknown()).len(), 10_000);
    };
    let thread = std::thread::Builder::new().stack_size(256 * 1024).spawn(body).expect("a thread");
    thread.join().expect("all of it holds");
}

#[test]
fn sev_5_thousands_of_cuts_on_one_fact_are_one_node_a_condition() {
    let tickets = house("tickets");
    let rules: Vec<Condition> = (0..10_000)
        .map(|cut| compare(tickets, Operator::Is, FactValue::Number(f64::from(cut))))
        .collect();
    let space = Space::new(&rules);
    assert_eq!(space.classes(0), 20_001);
    let mut builder = Builder::new(&space, 200_000);
    let any = builder.condition(&Condition::Any(rules)).expect("balanced");
    let diagram = builder.finish(any);
    assert_eq!(diagram.count(), 1);
    for (number, expected) in [(7.0, 1), (7.5, 0), (10_000.0, 0), (-1.0, 0), (9_999.0, 1)] {
        let mut facts = Facts::default();
        facts.set(tickets, FactValue::Number(number));
        assert_eq!(diagram.decided(&space.place(&facts)), Some(expected), "{number}");
    }
}

#[test]
fn sev_5_where_the_facts_that_matter_take_too_long_it_says_so() {
    // Every flag stands for one of a pair, and pairs that are equal are impossible: many sets of answers.
    let (flags, _) = pairwise(9);
    let space = Space::new(&flags);
    let mut builder = Builder::new(&space, 2_000_000);
    let mut root = builder.constant(0);
    for (number, pair) in (0..).zip(flags[..9].iter().zip(&flags[9..])) {
        let [a, b] = [pair.0, pair.1].map(|flag| builder.condition(flag).expect("small"));
        let both = builder.apply(a, b, |a, b| a + b).expect("small");
        let added = builder.apply(root, both, |sum, both| match both {
            _ if sum == Diagram::IMPOSSIBLE => sum,
            2 => Diagram::IMPOSSIBLE,
            both => sum + (both << number),
        });
        root = added.expect("within the budget");
    }
    let support = builder.finish(root).support(&space.unknown());
    // Too many to say which of them matter.
    assert_eq!(support, (0..18).collect::<Vec<_>>());
}
