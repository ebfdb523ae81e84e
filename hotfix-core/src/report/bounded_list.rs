//! A list of bounded length: where it grows too long, the middle is left out.

use std::collections::VecDeque;

use serde::{Serialize, Serializer};

use crate::getters::object;

/// A list of its first and last `HALF` entries, which counts the others: bounded memory.
#[derive(Clone, Debug, PartialEq, educe::Educe)]
#[educe(Default)]
pub struct BoundedList<T, const HALF: usize> {
    first: Vec<T>,
    last: VecDeque<T>,
    left_out: u64,
}

impl<T, const HALF: usize> BoundedList<T, HALF> {
    /// Adds an entry at the end.
    pub fn push(&mut self, one: T) {
        if self.first.len() < HALF {
            self.first.push(one);
            return;
        }
        if self.last.len() >= HALF {
            self.last.pop_front();
            self.left_out += 1;
        }
        self.last.push_back(one);
    }

    /// The kept entries, the last one first.
    pub(super) fn last_first(&mut self) -> impl Iterator<Item = &mut T> {
        self.last.iter_mut().rev().chain(self.first.iter_mut().rev())
    }

    /// The kept entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(&self.last)
    }

    /// Number of entries before the gap.
    pub fn before_gap(&self) -> usize {
        self.first.len()
    }

    /// Number of entries that were left out.
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Whether the list has no entry.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }
}

impl<T: Serialize, const HALF: usize> Serialize for BoundedList<T, HALF> {
    /// `{"entries": […], "left_out": 0}`; the gap is in the middle.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object!(serializer, BoundedList:
            entries = self.iter().collect::<Vec<_>>(), left_out = self.left_out
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn post_1_a_long_list_keeps_its_ends_and_says_what_it_left_out() {
        let mut list = BoundedList::<_, 2>::default();
        (0..3).for_each(|n| list.push(n));
        assert_eq!((list.iter().copied().collect::<Vec<_>>(), list.left_out()), (vec![0, 1, 2], 0));
        (3..9).for_each(|n| list.push(n));
        assert_eq!(
            (list.iter().copied().collect::<Vec<_>>(), list.left_out()),
            (vec![0, 1, 7, 8], 5)
        );
    }
}
