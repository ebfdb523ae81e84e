//! Merges one tree over another.

use std::collections::{BTreeMap, BTreeSet};

use super::error::ExtendError;
use crate::document::{DocumentFault, Member, Node, Place, Value};
use crate::policy::error::{Problem, shown};
use crate::policy::reader::PolicyReader;
use crate::sorting::map_of;

/// The key that removes an inherited value.
const REMOVE: &str = "remove";
/// The keys that identify items of a list, in the order in which they are tried.
pub(super) const NAMES: [&str; 2] = ["id", "name"];

/// The keys of conditions, except where keys are custom names. A condition replaces the inherited
/// one as a whole: a mixture of both would mean neither.
const CONDITIONS: [&str; 3] = ["when", "then", "skip_staging_when"];
/// The list in which the first item that fits is used: what is added comes before what is inherited.
const FIRST_FITS: &str = "/messages";
/// The keys of the bounds of a metric, which are also replaced as a whole.
const BOUNDS: [&str; 3] = ["success", "alert", "rollback"];

/// Merges `over` over `base`; errors in `over` go to the reader, with their places there.
///
/// Every table of `over` is checked: no duplicate key, and no `remove` that cannot be applied. So a
/// tree that was merged over another, even over an empty one, can be a base.
pub(super) fn merged(base: Node, over: Node, reader: &mut PolicyReader) -> Node {
    let place = over.place;
    let value = match (base.value, over.value) {
        (Value::Table(base), Value::Table(over)) => Value::Table(tables(base, over, reader)),
        (Value::List(base), Value::List(over)) => match known_by(&base, &over) {
            Some(name) => Value::List(items(base, over, name, reader)),
            None => return alone(Node { value: Value::List(over), place }, reader),
        },
        (_, over) => return alone(Node { value: over, place }, reader),
    };
    Node { value, place }
}

/// Whether the keys below are custom names, which have no meaning here.
pub(super) fn has_custom_names(path: &str) -> bool {
    matches!(path, "/facts" | "/roles" | "/metrics")
}

fn tables(base: Vec<Member>, over: Vec<Member>, reader: &mut PolicyReader) -> Vec<Member> {
    let slots_by_key: BTreeMap<String, usize> =
        map_of(base.iter().enumerate().map(|(slot, member)| (member.key.clone(), slot)));
    let mut met = BTreeSet::new();
    let (mut keys, values): (Vec<(String, Place)>, Vec<Node>) =
        base.into_iter().map(|Member { key, place, node }| ((key, place), node)).unzip();
    let mut slots = Slots::new(values);
    let mut added = Vec::new();
    let of_custom_names = has_custom_names(reader.path());
    let of_metric = reader.path().strip_prefix("/metrics/").is_some_and(|id| !id.contains('/'));
    for member in over {
        if !met.insert(member.key.clone()) {
            reader.duplicate_key(&member);
            continue;
        }
        let Member { key, place, node } = member;
        let slot = slots_by_key.get(&key).copied();
        if let Some(inherited) = slot.and_then(|slot| keys.get_mut(slot)) {
            inherited.1 = place;
        }
        let is_bound = of_metric && BOUNDS.contains(&&*key);
        if is_bound || (CONDITIONS.contains(&&*key) && !of_custom_names) {
            slots.empty(slot);
        }
        if let Some(node) = reader.within(&key, |reader| slots.lay(slot, node, &[], reader)) {
            added.push(Member { key, place, node });
        }
    }
    let kept = keys.into_iter().zip(slots.0);
    let kept = kept.filter_map(|((key, place), node)| Some(Member { key, place, node: node? }));
    kept.chain(added).collect()
}

fn items(
    base: Vec<Node>,
    over: Vec<Node>,
    name: &'static str,
    reader: &mut PolicyReader,
) -> Vec<Node> {
    let places = base.iter().enumerate();
    let places: BTreeMap<String, usize> = map_of(
        places.filter_map(|(place, item)| Some((item.key(name)?.as_text()?.to_owned(), place))),
    );
    let mut slots = Slots::new(base);
    let (mut added, mut firsts) = (Vec::new(), BTreeMap::new());
    for (i, item) in over.into_iter().enumerate() {
        let list = reader.path().to_owned();
        added.extend(reader.within(&i.to_string(), |reader| {
            let id = identity(&item, name, reader)?.to_owned();
            let place = places.get(&id).copied();
            if let Some(first) = firsts.get(&id) {
                let (name, first) = (shown(&id), format!("{list}/{first}"));
                return reader.fail_in(item.place, Problem::StandsTwice { name, first });
            }
            firsts.insert(id, i);
            slots.lay(place, item, &NAMES, reader)
        }));
    }
    let inherited = slots.0.into_iter().flatten();
    if reader.path() == FIRST_FITS {
        added.extend(inherited);
        return added;
    }
    inherited.chain(added).collect()
}

/// The inherited values, in order; `None` was removed.
struct Slots(Vec<Option<Node>>);

impl Slots {
    fn new(nodes: Vec<Node>) -> Self {
        Self(nodes.into_iter().map(Some).collect())
    }

    /// Empties the inherited value at a place, so that nothing of it is merged.
    fn empty(&mut self, place: Option<usize>) {
        if let Some(slot) = place.and_then(|place| self.0.get_mut(place)) {
            *slot = Some(Value::Null.into());
        }
    }

    /// Merges a value over the inherited one at a place; returns it if nothing is inherited.
    /// `beside`: the keys that may be next to `remove`.
    fn lay(
        &mut self,
        place: Option<usize>,
        node: Node,
        beside: &[&str],
        reader: &mut PolicyReader,
    ) -> Option<Node> {
        let inherited = place.and_then(|place| self.0.get_mut(place));
        let removal = is_removal(&node);
        match (inherited, removal) {
            (Some(slot), true) => {
                let fits = |key: &str| key == REMOVE || beside.contains(&key);
                if !node.members().iter().all(|member| fits(&member.key)) {
                    return reader.fail_in(node.place, ExtendError::BESIDE);
                }
                *slot = None;
                checked(&node, reader);
                None
            }
            (Some(slot), false) => {
                let base = slot.take().unwrap_or_else(|| Value::Null.into());
                *slot = Some(merged(base, node, reader));
                None
            }
            (None, true) => reader.fail_in(node.place, ExtendError::NOTHING),
            (None, false) => Some(alone(node, reader)),
        }
    }
}

/// The key that identifies the items of both lists: all are tables, and each inherited one has it as
/// a unique text.
fn known_by(base: &[Node], over: &[Node]) -> Option<&'static str> {
    let are_tables = over.iter().all(|item| matches!(item.value, Value::Table(_)));
    let all_differ = |name: &&str| {
        let mut met = BTreeSet::new();
        let mut names = base.iter().map(|item| item.key(name).and_then(Node::as_text));
        names.all(|name| name.is_some_and(|name| met.insert(name)))
    };
    let is_merged = are_tables && !base.is_empty() && !over.is_empty();
    NAMES.into_iter().filter(|_| is_merged).find(all_differ)
}

/// The text that identifies an item.
fn identity<'n>(item: &'n Node, key: &'static str, reader: &mut PolicyReader) -> Option<&'n str> {
    let Some(id) = item.key(key) else {
        let example = "it, or correct its name".to_owned();
        return reader.fail_in(item.place, DocumentFault::MissingKey { key, example });
    };
    id.as_text().or_else(|| {
        reader.within(key, |reader| {
            let (expected, got) = ("a text", id.kind().to_owned());
            reader.fail_in(id.place, DocumentFault::WrongType { expected, got })
        })
    })
}

fn is_removal(node: &Node) -> bool {
    node.key(REMOVE).is_some_and(|remove| remove.value == Value::Flag(true))
}

/// Checks a value for which nothing is inherited.
fn alone(node: Node, reader: &mut PolicyReader) -> Node {
    checked(&node, reader);
    node
}

fn checked(node: &Node, reader: &mut PolicyReader) {
    let inner = |node: &Node, reader: &mut PolicyReader| {
        if is_removal(node) {
            reader.fail_in::<()>(node.place, ExtendError::NOTHING);
        } else {
            checked(node, reader);
        }
    };
    match &node.value {
        Value::Table(entries) => {
            let mut met = BTreeSet::new();
            for member in entries {
                if met.insert(&member.key) {
                    reader.within(&member.key, |reader| inner(&member.node, reader));
                } else {
                    reader.duplicate_key(member);
                }
            }
        }
        Value::List(items) => {
            for (i, item) in items.iter().enumerate() {
                let is_named = NAMES.iter().any(|name| item.key(name).is_some());
                reader.within(&i.to_string(), |reader| {
                    if is_removal(item) && !is_named {
                        reader.fail_in::<()>(item.place, ExtendError::WHOLE);
                    } else {
                        inner(item, reader);
                    }
                });
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use proptest::sample::select;
    use serde_json::{Map, Value, json};

    use super::*;

    /// The result of merging `over` over `base`, slow and by the documented rules: `None` if it was
    /// removed, an error if a removal cannot be applied. A removal may have the keys in `beside`.
    fn model(
        base: Option<&Value>,
        over: &Value,
        beside: &[&str],
        place: &[&str],
    ) -> Result<Option<Value>, ()> {
        let below = |step: &str, base: Option<&Value>, over: &Value, beside: &[&str]| {
            let place: Vec<&str> = place.iter().copied().chain([step]).collect();
            model(base, over, beside, &place)
        };
        // Values that are replaced, not merged.
        let whole = |key: &str| match (place, key) {
            (["facts" | "roles" | "metrics"], _) => false,
            (["metrics", _], "success" | "alert" | "rollback") => true,
            (_, key) => ["when", "then", "skip_staging_when"].contains(&key),
        };
        if over.get("remove") == Some(&json!(true)) {
            let keys = over.as_object().into_iter().flat_map(Map::keys);
            let lone =
                keys.filter(|key| *key != "remove").all(|key| beside.contains(&key.as_str()));
            return if base.is_some() && lone { Ok(None) } else { Err(()) };
        }
        let outcome = match (base, over) {
            (_, Value::Object(over)) => {
                let base = base.and_then(Value::as_object).cloned().unwrap_or_default();
                let mut all: Vec<&String> = base.keys().chain(over.keys()).collect();
                all.sort();
                all.dedup();
                let mut out = Map::new();
                for key in all {
                    let value = match over.get(key) {
                        Some(value) => {
                            let inherited = base.get(key);
                            let inherited =
                                inherited.map(|it| if whole(key) { &Value::Null } else { it });
                            below(key, inherited, value, &[])?
                        }
                        None => base.get(key).cloned(),
                    };
                    out.extend(value.map(|value| (key.clone(), value)));
                }
                Value::Object(out)
            }
            (_, Value::Array(over)) => {
                let base = base.and_then(Value::as_array).cloned().unwrap_or_default();
                let are_tables = !over.is_empty() && over.iter().all(Value::is_object);
                let name =
                    ["id", "name"].into_iter().find(|name| are_tables && differ(&base, name));
                if name.is_some_and(|name| !differ(over, name)) {
                    return Err(());
                }
                // If nothing fits, nothing is inherited.
                let base = if name.is_some() { base } else { Vec::new() };
                let same = |a: &Value, b: &Value| name.is_some_and(|name| a[name] == b[name]);
                let (mut inherited, mut added) = (Vec::new(), Vec::new());
                for item in &base {
                    match over.iter().position(|other| same(item, other)) {
                        Some(i) => {
                            let step = i.to_string();
                            inherited.extend(below(&step, Some(item), &over[i], &["id", "name"])?);
                        }
                        None => inherited.push(item.clone()),
                    }
                }
                for (i, item) in over.iter().enumerate() {
                    if !base.iter().any(|other| same(item, other)) {
                        added.extend(below(&i.to_string(), None, item, &[])?);
                    }
                }
                let added_first = name.is_some() && place == ["messages"];
                let [first, second] =
                    if added_first { [added, inherited] } else { [inherited, added] };
                Value::Array([first, second].concat())
            }
            (_, other) => other.clone(),
        };
        Ok(Some(outcome))
    }

    fn differ(list: &[Value], name: &str) -> bool {
        let names: Vec<&str> = list.iter().filter_map(|item| item.get(name)?.as_str()).collect();
        let pairs = || {
            names
                .iter()
                .enumerate()
                .flat_map(|(i, a)| names.iter().skip(i + 1).map(move |b| (a, b)))
        };
        !list.is_empty() && names.len() == list.len() && pairs().all(|(a, b)| a != b)
    }

    /// Few keys and few names, so that they coincide.
    fn value(removals: bool) -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..3).prop_map(Value::from),
            "[ab]".prop_map(Value::from),
        ];
        // Most lists have items of one kind, so that they can be identified.
        let list = move |inner: BoxedStrategy<Value>| {
            let kinds =
                vec![vec!["id"], vec!["name"], vec!["id", "name"], vec!["id", "name"], vec![]];
            let item = ("[abc]", "[abc]", btree_map("[xy]", inner, 0..2), any::<bool>());
            (select(kinds), vec(item, 0..4)).prop_map(move |(kinds, items)| {
                let of_kind = |(id, name, mut item, out): (_, _, BTreeMap<_, _>, _)| {
                    for (kind, name) in [("id", id), ("name", name)] {
                        if kinds.contains(&kind) {
                            item.insert(kind.to_owned(), Value::String(name));
                        }
                    }
                    if removals && out {
                        item.retain(|key, _| kinds.contains(&key.as_str()));
                        item.insert("remove".to_owned(), json!(true));
                    }
                    json!(item)
                };
                items.into_iter().map(of_kind).collect::<Value>()
            })
        };
        scalar.prop_recursive(3, 24, 4, move |inner| {
            let removal = if removals { json!({ "remove": true }) } else { json!({}) };
            prop_oneof![
                2 => btree_map("[ab]", inner.clone(), 0..3)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
                4 => list(inner.clone().boxed()),
                1 => vec(inner, 0..3).prop_map(Value::from),
                1 => Just(removal),
            ]
        })
    }

    /// Has tables whose keys are custom names, some of which are keys of the format elsewhere.
    fn table(removals: bool) -> impl Strategy<Value = Value> {
        let tables = select(vec!["facts", "roles", "metrics", "rules"]);
        let names = select(vec!["a", "when", "then", "success", "rollback"]);
        let keys = select(vec!["a", "when", "success", "rollback"]);
        let named = btree_map(names, btree_map(keys, value(removals), 0..3), 0..3);
        let plain = btree_map("a|b|messages", value(removals), 0..3);
        (plain, btree_map(tables, named, 0..3)).prop_map(|(plain, named)| {
            let named = named.into_iter().map(|(key, table)| (key.to_owned(), json!(table)));
            Value::Object(plain.into_iter().chain(named).collect())
        })
    }

    fn node(value: &Value) -> Node {
        serde_json::from_value(value.clone())
            .unwrap_or_else(|_| crate::document::Value::TooDeep.into())
    }

    fn laid(base: &Value, over: &Value) -> Result<Value, ()> {
        let mut reader = PolicyReader::new();
        let merged = merged(node(base), node(over), &mut reader);
        if reader.into_errors().is_clean() {
            serde_json::to_value(&merged).map_err(|_| ())
        } else {
            Err(())
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn field_5_merging_is_what_a_slow_model_says(base in table(false), over in table(true)) {
            prop_assert_eq!(laid(&base, &over).map(Some), model(Some(&base), &over, &[], &[]));
        }

        #[test]
        fn field_5_what_was_laid_over_once_changes_nothing_the_second_time(base in table(false), over in table(false)) {
            if let Ok(once) = laid(&base, &over) {
                prop_assert_eq!(laid(&once, &over), Ok(once));
            }
        }
    }
}
