//! Sorting that is compiled once. The standard library's is compiled for each type and order, 5 to 10 kB each; lists of a
//! policy's length need no more speed than this. Its maps and sets sort what they are collected from, too, and what removes an
//! entry from a map is as large again.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Collects entries into a map; of two with the same key the later stays.
pub(crate) fn map_of<K: Ord, V>(entries: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    for (key, value) in entries {
        map.insert(key, value);
    }
    map
}

/// Collects values into a set.
pub(crate) fn set_of<T: Ord>(values: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    for value in values {
        set.insert(value);
    }
    set
}

/// Keeps the entries of a map that fit.
pub(crate) fn retain<K: Ord, V>(
    map: &mut BTreeMap<K, V>,
    mut fits: impl FnMut(&K, &mut V) -> bool,
) {
    for (key, mut value) in std::mem::take(map) {
        if fits(&key, &mut value) {
            map.insert(key, value);
        }
    }
}

/// Removes an entry from a map, or a member from a JSON object, and returns its value.
pub(crate) fn remove<Q, K, V, M>(map: &mut M, key: &Q) -> Option<V>
where
    Q: Eq + ?Sized,
    K: Borrow<Q>,
    M: Default + IntoIterator<Item = (K, V)> + Extend<(K, V)>,
{
    let mut removed = None;
    for (other, value) in std::mem::take(map) {
        if other.borrow() == key {
            removed = Some(value);
        } else {
            map.extend([(other, value)]);
        }
    }
    removed
}

/// Sorts a list, with equal items in the order that they had.
pub(crate) fn sort_by<T>(list: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let mut places = sorted_places(list.len(), &|a, b| compare(&list[a], &list[b]));
    // Each place is exchanged for the one that its item comes from, cycle by cycle.
    for start in 0..list.len() {
        let mut to = start;
        loop {
            let from = std::mem::replace(&mut places[to], to);
            if from == start {
                break;
            }
            list.swap(to, from);
            to = from;
        }
    }
}

/// Sorts a list by a key, with equal items in the order that they had.
pub(crate) fn sort_by_key<T, K: Ord>(list: &mut [T], key: impl Fn(&T) -> K) {
    sort_by(list, |a, b| key(a).cmp(&key(b)));
}

/// The indices of `count` items in sorted order.
fn sorted_places(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|a, b| compare(*a, *b));
    places
}

#[cfg(test)]
mod tests {
    use super::sort_by_key;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sort_by_key_is_the_stable_sort(keys in prop::collection::vec(0u8..8, 0..60)) {
            let mut list: Vec<(u8, usize)> = keys.into_iter().enumerate().map(|(at, key)| (key, at)).collect();
            let mut expected = list.clone();
            expected.sort_by_key(|(key, _)| *key);
            sort_by_key(&mut list, |(key, _)| *key);
            prop_assert_eq!(list, expected);
        }
    }
}
