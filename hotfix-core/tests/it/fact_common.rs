//! Random conditions on a few facts of every kind, and the slow way to answer: going through all classes.

use hotfix_core::fact::{
    Comparison, Condition, Fact, FactId, FactKind, FactValue, Facts, Operator, Placed, Space,
};
use hotfix_core::unit::{FactName, Proportion, Span};
use proptest::prelude::*;

pub(crate) fn built_in(fact: Fact) -> FactId {
    FactId::BuiltIn(fact)
}

pub(crate) fn house(name: &str) -> FactId {
    FactId::Custom(FactName::try_new(name).expect("a name"))
}

pub(crate) fn share(fraction: f64) -> FactValue {
    FactValue::Share(Proportion::try_from_fraction(fraction).expect("a fraction"))
}

pub(crate) fn millis(millis: u64) -> FactValue {
    FactValue::Duration(Span::from_millis(millis))
}

pub(crate) fn text(text: &str) -> FactValue {
    FactValue::Text(text.to_owned())
}

pub(crate) fn compare(fact: FactId, operator: Operator, value: FactValue) -> Condition {
    Condition::Compare(Comparison { fact, operator, value })
}

/// Eight facts: three flags, and one or two of each other kind.
pub(crate) fn subjects() -> Vec<(FactId, FactKind)> {
    vec![
        (built_in(Fact::ServiceDown), FactKind::Flag),
        (built_in(Fact::DataCorruption), FactKind::Flag),
        (house("in_embargo"), FactKind::Flag),
        (built_in(Fact::UsersAffected), FactKind::Share),
        (built_in(Fact::LatencyP95), FactKind::Duration),
        (house("tickets"), FactKind::Number),
        (built_in(Fact::Service), FactKind::Text),
        (house("grace"), FactKind::Duration),
    ]
}

/// Shares, few and often at the ends.
fn fraction() -> impl Strategy<Value = f64> {
    prop_oneof![
        prop::sample::select(vec![0.0, 0.05, 0.5, 0.5_f64.next_up(), 1.0_f64.next_down(), 1.0]),
        0.0..=1.0_f64,
    ]
}

/// Milliseconds, often so near to each other that nothing lies between.
fn time() -> impl Strategy<Value = u64> {
    prop_oneof![
        prop::sample::select(vec![0, 1, 2, 1_000, 1_001, 5_000, 863_999_999_999, 864_000_000_000]),
        0..=864_000_000_000_u64,
    ]
}

fn size() -> impl Strategy<Value = f64> {
    prop_oneof![
        prop::sample::select(vec![0.0, -0.0, 1.0, -7.5, 3.0, f64::MIN, f64::MAX, 1e-300]),
        -100.0..100.0_f64,
        prop::num::f64::NORMAL,
    ]
}

/// A value of a kind, often one that a condition compares with.
pub(crate) fn value(kind: FactKind) -> BoxedStrategy<FactValue> {
    match kind {
        FactKind::Flag => any::<bool>().prop_map(FactValue::Flag).boxed(),
        FactKind::Share => fraction().prop_map(share).boxed(),
        FactKind::Duration => time().prop_map(millis).boxed(),
        FactKind::Number => size().prop_map(FactValue::Number).boxed(),
        _ => prop::sample::select(vec!["web", "api", "another", ""]).prop_map(text).boxed(),
    }
}

pub(crate) fn comparison() -> impl Strategy<Value = Condition> {
    prop::sample::select(subjects()).prop_flat_map(|(fact, kind)| {
        let operators = match kind {
            FactKind::Flag | FactKind::Text => &[Operator::Is],
            _ => Operator::ALL,
        };
        (prop::sample::select(operators), value(kind))
            .prop_map(move |(operator, value)| compare(fact, operator, value))
    })
}

/// Conditions of some depth, with empty lists among them.
pub(crate) fn condition() -> impl Strategy<Value = Condition> {
    comparison().prop_recursive(4, 10, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Condition::All),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Condition::Any),
            inner.prop_map(|inner| Condition::Not(Box::new(inner))),
        ]
    })
}

/// What is known of the subjects, each as likely unknown as not.
pub(crate) fn facts() -> impl Strategy<Value = Facts> {
    let each = subjects().into_iter().map(|(fact, kind)| {
        prop::option::of(value(kind)).prop_map(move |value| value.map(|value| (fact, value)))
    });
    each.collect::<Vec<_>>().prop_map(|known| {
        let mut facts = Facts::default();
        for (fact, value) in known.into_iter().flatten() {
            facts.set(fact, value);
        }
        facts
    })
}

/// Every way to make the unknown variables known.
pub(crate) fn completions(space: &Space, placed: &Placed) -> Vec<Placed> {
    let mut all = vec![placed.clone()];
    for variable in placed.unknown() {
        let classes = 0..space.classes(variable);
        let each = all.iter().flat_map(|before| {
            classes.clone().map(move |class| {
                let mut after = before.clone();
                after.set(variable, Some(class));
                after
            })
        });
        all = each.collect();
    }
    all
}

/// How many of them there are.
pub(crate) fn how_many(space: &Space, placed: &Placed) -> u64 {
    placed.unknown().map(|variable| u64::from(space.classes(variable))).product()
}
