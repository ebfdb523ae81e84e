//! Points over time, thinned as they arrive: memory does not grow with the log.

use serde::Serialize;

use crate::unit::{Span, Timestamp};

/// Most segments of a series; beyond that, neighbours are merged in pairs.
const MOST: usize = 240;

/// A value at a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Time of the value.
    pub at: Timestamp,
    /// The value; always finite.
    pub value: f64,
    /// Whether it follows a gap, so that no line leads to it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub after_gap: bool,
}

/// A series that is thinned as it grows.
///
/// Consecutive points form segments with equal numbers of points, and the lowest and the highest
/// point of each segment are kept. There are at most 240 segments; beyond that, neighbours are
/// merged in pairs. So at most 480 points are kept, the extremes of the series are among them, and
/// up to 240 points all are. Segments with a gap or a change of version between them are not merged,
/// unless there are more of those than segments. What came before [`settle`](Self::settle) is thinned by
/// itself: a long watch after it takes nothing from it.
#[derive(Clone, Debug, Default)]
pub struct Points {
    settled: Vec<Segment>,
    segments: Vec<Segment>,
    /// Number of points of a full segment, as a power of two.
    doubled: u32,
    last: Option<Timestamp>,
    /// Whether the next point belongs to another version.
    is_broken_off: bool,
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    low: Point,
    high: Point,
    count: u64,
    after_gap: bool,
}

impl Segment {
    fn join(&mut self, other: &Self) {
        self.after_gap |= other.after_gap;
        if other.low.value < self.low.value {
            self.low = other.low;
        }
        if other.high.value > self.high.value {
            self.high = other.high;
        }
        self.count += other.count;
    }

    /// Its points by time.
    fn points(&self) -> impl Iterator<Item = Point> {
        let (first, second) =
            if self.low.at <= self.high.at { (self.low, self.high) } else { (self.high, self.low) };
        let first = Point { after_gap: self.after_gap, ..first };
        let second = Point { after_gap: false, ..second };
        std::iter::once(first).chain(Some(second).filter(|second| second.at != first.at))
    }
}

impl Points {
    /// Adds a point; values that are not finite are ignored. `gap` is the time without a point
    /// beyond which no line is drawn.
    pub fn add(&mut self, at: Timestamp, value: f64, gap: Span) {
        if !value.is_finite() {
            return;
        }
        let begins = std::mem::take(&mut self.is_broken_off);
        let after_gap = self.last.is_some_and(|last| begins || at.since(last) > gap);
        self.last = Some(at);
        let point = Point { at, value, after_gap };
        let one = Segment { low: point, high: point, count: 1, after_gap };
        let full = 1_u64 << self.doubled;
        match self.segments.last_mut() {
            Some(open) if open.count < full && !after_gap => open.join(&one),
            _ => self.segments.push(one),
        }
        if self.segments.len() > MOST {
            self.segments = halved(&self.segments);
            self.doubled = (self.doubled + 1).min(62);
        }
    }

    /// Ends the line: the next point belongs to something else, such as another version.
    pub fn break_off(&mut self) {
        self.is_broken_off = true;
    }

    /// What follows is thinned by itself, with segments of its own.
    pub fn settle(&mut self) {
        self.settled.append(&mut self.segments);
        self.doubled = 0;
        while self.settled.len() > MOST {
            self.settled = halved(&self.settled);
        }
    }

    /// The points that were kept, by time.
    pub fn points(&self) -> Vec<Point> {
        self.settled.iter().chain(&self.segments).flat_map(Segment::points).collect()
    }
}

fn halved(segments: &[Segment]) -> Vec<Segment> {
    let halved = pairs(segments, |next| !next.after_gap);
    if halved.len() > MOST { pairs(segments, |_| true) } else { halved }
}

/// Merges neighbours in pairs, where the second may be merged.
fn pairs(segments: &[Segment], may_join: impl Fn(&Segment) -> bool) -> Vec<Segment> {
    let mut halved: Vec<Segment> = Vec::with_capacity(segments.len());
    let mut is_open = false;
    for segment in segments {
        match halved.last_mut() {
            Some(last) if is_open && may_join(segment) => {
                last.join(segment);
                is_open = false;
            }
            _ => {
                halved.push(*segment);
                is_open = true;
            }
        }
    }
    halved
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

    #[test]
    fn post_1_thinning_joins_no_two_versions() {
        for (first, second) in [(121, 120), (1, 240), (240, 1), (1_000, 777), (241, 100_000)] {
            let mut points = Points::default();
            for second_of in 0..first + second {
                if second_of == first {
                    points.break_off();
                }
                let value = if second_of < first { 1.0 } else { 100.0 } + (second_of % 7) as f64;
                points.add(at(second_of), value, Span::from_seconds(60));
            }
            let kept = points.points();
            assert!(kept.len() <= 2 * MOST, "{first} + {second}: {}", kept.len());
            let joined: Vec<_> = kept
                .windows(2)
                .filter(|pair| (pair[0].value < 50.0) != (pair[1].value < 50.0))
                .map(|pair| pair[1].after_gap)
                .collect();
            assert_eq!(joined, [true], "{first} + {second}");
            let gaps = kept.iter().filter(|point| point.after_gap).count();
            assert_eq!(gaps, 1, "{first} + {second}");
        }
    }

    /// With more versions than segments, the number stays bounded.
    #[test]
    fn post_1_any_number_of_versions_is_bounded() {
        for (versions, each) in [(241, 1), (500, 3), (10_000, 2)] {
            let mut points = Points::default();
            for second in 0..versions * each {
                if second % each == 0 {
                    points.break_off();
                }
                points.add(
                    at(second),
                    f64::from(u8::from(second % 2 == 0)),
                    Span::from_seconds(60),
                );
            }
            let kept = points.points();
            assert!(kept.len() <= 2 * MOST, "{versions}: {}", kept.len());
        }
    }

    #[test]
    fn post_1_a_long_watch_takes_nothing_from_the_incident() {
        let mut points = Points::default();
        let minute = Span::from_seconds(60);
        (0..200).for_each(|second| points.add(at(second), (second % 5) as f64, minute));
        points.settle();
        (200..90_000).for_each(|second| points.add(at(second), 1.0 + (second % 2) as f64, minute));
        let kept = points.points();
        assert_eq!(kept.iter().filter(|point| point.at < at(200)).count(), 200);
        assert!(kept.len() <= 200 + 2 * MOST && kept.iter().all(|point| !point.after_gap));
        // However often it is settled, it stays bounded.
        (0..20).for_each(|_| points.settle());
        assert!(points.points().len() <= 2 * MOST);
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
    fn post_1_no_line_leads_through_a_silence_however_it_is_thinned() {
        for (first, second) in [(30, 220), (31, 220), (31, 100_000), (1_001, 777)] {
            let mut points = Points::default();
            let readings = (0..first).chain(first + 600..first + 600 + second);
            readings.for_each(|second| points.add(at(second), 1.0, Span::from_seconds(60)));
            let kept = points.points();
            let after: Vec<_> = kept.iter().filter(|point| point.after_gap).collect();
            assert_eq!(after.len(), 1, "{first} + {second}");
            assert_eq!(after[0].at, at(first + 600), "{first} + {second}");
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
