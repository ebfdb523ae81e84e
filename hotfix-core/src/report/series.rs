//! Points over time, thinned as they come, so that a log of any length takes as much memory as a short one.

use serde::Serialize;

use crate::unit::{Span, Timestamp};

/// Stretches that a series has at most before two and two become one.
const MOST: usize = 240;

/// A value at a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// When.
    pub at: Timestamp,
    /// The value; never infinite.
    pub value: f64,
    /// Nothing came for a while before it, so no line leads to it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub after_gap: bool,
}

/// A series that is thinned as it grows.
///
/// The rule: points that follow each other form stretches of equal number, and of each stretch the lowest and the highest are
/// kept. There are at most 240 stretches; when there would be more, two and two become one. So at most 480 points are left, the
/// extremes of the whole are among them, and up to 240 points all are. A gap inside of a stretch is not shown.
#[derive(Clone, Debug, Default)]
pub struct Points {
    stretches: Vec<Stretch>,
    /// How many points a full stretch has, as a power of two.
    doubled: u32,
    last: Option<Timestamp>,
    /// What comes is of something else.
    is_broken_off: bool,
}

#[derive(Clone, Copy, Debug)]
struct Stretch {
    low: Point,
    high: Point,
    count: u64,
    after_gap: bool,
}

impl Stretch {
    fn join(&mut self, other: &Self) {
        if other.low.value < self.low.value {
            self.low = other.low;
        }
        if other.high.value > self.high.value {
            self.high = other.high;
        }
        self.count += other.count;
    }

    /// Its points in the order of time.
    fn points(&self) -> impl Iterator<Item = Point> {
        let (first, second) =
            if self.low.at <= self.high.at { (self.low, self.high) } else { (self.high, self.low) };
        let first = Point { after_gap: self.after_gap, ..first };
        let second = Point { after_gap: false, ..second };
        std::iter::once(first).chain(Some(second).filter(|second| second.at != first.at))
    }
}

impl Points {
    /// Adds a point; what is not finite is left out. `gap` is the time without a point from which on no line is drawn.
    pub fn add(&mut self, at: Timestamp, value: f64, gap: Span) {
        if !value.is_finite() {
            return;
        }
        let begins = std::mem::take(&mut self.is_broken_off);
        let after_gap = self.last.is_some_and(|last| begins || at.since(last) > gap);
        self.last = Some(at);
        let point = Point { at, value, after_gap };
        let one = Stretch { low: point, high: point, count: 1, after_gap };
        let full = 1_u64 << self.doubled;
        match self.stretches.last_mut() {
            Some(open) if open.count < full && !begins => open.join(&one),
            _ => self.stretches.push(one),
        }
        if self.stretches.len() > MOST && self.doubled < 62 {
            self.halve();
        }
    }

    /// What comes now is of something else, as of another version: no line leads to it.
    pub fn break_off(&mut self) {
        self.is_broken_off = true;
    }

    fn halve(&mut self) {
        let mut halved: Vec<Stretch> = Vec::with_capacity(self.stretches.len());
        for pair in self.stretches.chunks(2) {
            if let [first, rest @ ..] = pair {
                let mut joined = *first;
                for stretch in rest {
                    joined.join(stretch);
                }
                halved.push(joined);
            }
        }
        self.stretches = halved;
        self.doubled += 1;
    }

    /// What is left, in the order of time.
    pub fn points(&self) -> Vec<Point> {
        self.stretches.iter().flat_map(Stretch::points).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn post_1_no_line_leads_from_one_version_to_another() {
        let mut points = Points::default();
        points.break_off();
        for (second, value) in [(0, 1.0), (1, 2.0)] {
            points.add(at(second), value, Span::from_seconds(60));
        }
        points.break_off();
        points.add(at(2), 9.0, Span::from_seconds(60));
        points.add(at(3), 8.0, Span::from_seconds(60));
        let gaps: Vec<bool> = points.points().iter().map(|point| point.after_gap).collect();
        assert_eq!(gaps, [false, false, true, false]);
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::try_from_millis(second * 1_000).unwrap()
    }

    #[test]
    fn post_1_thinning_keeps_the_extremes_and_a_bounded_number() {
        for count in [1, 2, 240, 241, 1_000, 100_000] {
            let mut points = Points::default();
            for second in 0..count {
                let value = match second {
                    _ if second == count / 3 => 99.0,
                    _ if second == count / 2 => -99.0,
                    _ => (second % 7) as f64,
                };
                points.add(at(second), value, Span::from_seconds(5));
            }
            let kept = points.points();
            assert!(kept.len() <= 2 * MOST, "{count}: {}", kept.len());
            assert!(kept.is_sorted_by_key(|point| point.at), "{count}");
            let any = |value: f64| kept.iter().any(|point| point.value == value);
            assert!(count < 3 || (any(-99.0) && any(99.0)), "{count}");
            if count <= 240 {
                assert_eq!(kept.len(), usize::try_from(count).unwrap());
            }
        }
    }

    #[test]
    fn post_1_what_is_no_number_is_left_out_and_a_gap_is_marked() {
        let mut points = Points::default();
        for (second, value) in [(0, 1.0), (1, f64::NAN), (2, 1.0), (60, f64::INFINITY), (61, 2.0)] {
            points.add(at(second), value, Span::from_seconds(5));
        }
        let kept: Vec<_> = points.points().iter().map(|point| point.after_gap).collect();
        assert_eq!(kept, [false, false, true]);
    }
}
