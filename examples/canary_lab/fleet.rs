//! Sums of the running totals of several instances.
//!
//! The counters of a replaced instance are kept in the sum, so that the sum never decreases.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::scrape::Totals;

/// The instances of one arm, including those that were replaced.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    /// The last totals by address and start time: an address may be reused.
    seen: BTreeMap<(SocketAddr, u64), Totals>,
}

impl Fleet {
    /// Adds up the answers of `asked` instances at `at` seconds of Unix time. Without an answer of
    /// every instance the arm is unknown: a part of it says nothing about the rest.
    pub(crate) fn sum(
        &mut self,
        asked: usize,
        answers: Vec<(SocketAddr, Totals)>,
        at: f64,
    ) -> Option<Totals> {
        let complete = asked > 0 && answers.len() == asked;
        for (place, totals) in answers {
            self.seen.insert((place, totals.started.to_bits()), totals);
        }
        if !complete {
            return None;
        }
        let sum = self.seen.values().cloned().reduce(|sum, next| sum.and(&next))?;
        Some(Totals { uptime: (at - sum.started).max(0.0), ..sum })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn totals(ok: f64, started: f64) -> Totals {
        let (le, counts) = (vec![0.1, 0.5], vec![ok / 2.0, ok]);
        Totals { ok, timed: ok, started, le, counts, ..Totals::default() }
    }

    #[test]
    fn what_a_replaced_instance_counted_stays_counted() {
        let mut fleet = Fleet::default();
        let both = vec![(at(1), totals(10.0, 100.0)), (at(2), totals(20.0, 100.5))];
        let sum = fleet.sum(2, both, 110.0).expect("a sum");
        assert_eq!((sum.ok, sum.timed, sum.uptime), (30.0, 30.0, 10.0));
        assert_eq!(sum.counts, [15.0, 30.0]);
        // The second instance was replaced, and the new one has its address.
        let next = vec![(at(1), totals(12.0, 100.0)), (at(2), totals(1.0, 111.0))];
        let sum = fleet.sum(2, next, 112.0).expect("a sum");
        assert_eq!((sum.ok, sum.uptime), (33.0, 12.0));
    }

    #[test]
    fn an_arm_without_an_answer_of_each_is_not_known() {
        let mut fleet = Fleet::default();
        assert_eq!(fleet.sum(0, vec![], 1.0), None);
        assert_eq!(fleet.sum(2, vec![(at(1), totals(5.0, 0.0))], 1.0), None);
        let both = vec![(at(1), totals(6.0, 0.0)), (at(2), totals(1.0, 0.0))];
        assert_eq!(fleet.sum(2, both, 2.0).map(|sum| sum.ok), Some(7.0));
    }
}
