//! Traffic of each arm over the time that its own readings cover. See `docs/statistics.md`, "Arms
//! read at different times".
//!
//! The trials of arms that are read at different times are of different stretches of time, so
//! neither a tick nor a pool can be compared with the planned split. Over a window of several
//! readings each arm has a rate: its trials, over the time from its first new counts to its last.
//! When they came is known to within a tick.

use serde::{Deserialize, Serialize};

use crate::unit::{Span, Timestamp};

/// The least length of a window.
const LEAST: Span = Span::from_seconds(60);
/// The least length as a multiple of the longest time between an arm's readings.
const READINGS: u64 = 2;
/// The least length as a multiple of the longest time between two observations, to within which
/// both its ends are known.
const TICKS: u64 = 6;

/// Trials of the canary and of the baseline in equal times, as near to the planned share as the
/// uncertain ends of their times allow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Traffic {
    /// In the present window.
    pub(super) window: [f64; 2],
    /// In all windows, where one ends here.
    pub(super) all: Option<[f64; 2]>,
}

/// The present window of both arms' trials, and those before it under the same split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Covered {
    arms: [Option<ArmTraffic>; 2],
    /// When each arm last had new counts; None before that.
    read_at: [Option<Timestamp>; 2],
    /// The last observation.
    observed: Option<Timestamp>,
    /// Longest gaps in this window, and in the one before.
    gaps: [Gaps; 2],
    ended: Ended,
}

/// The windows that have ended. Each begins where the one before it ended, so however many they are,
/// only their first and last ends are uncertain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Ended {
    trials: [f64; 2],
    seconds: [f64; 2],
    /// The longest time between two observations when they began.
    tick: Span,
}

/// The longest times between readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Gaps {
    /// Between readings of an arm.
    arm: Span,
    /// Between observations.
    tick: Span,
}

impl Gaps {
    fn max(self, other: Self) -> Self {
        Self { arm: self.arm.max(other.arm), tick: self.tick.max(other.tick) }
    }
}

/// Trials of an arm from its first new counts in the window to its last.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct ArmTraffic {
    from: Timestamp,
    to: Timestamp,
    trials: f64,
}

impl Covered {
    /// Starts another window: the split has changed, or traffic was not read.
    pub(super) fn clear(&mut self) {
        self.gaps = [Gaps::default(), self.gaps()];
        (self.arms, self.read_at, self.observed) = ([None; 2], [None; 2], None);
        self.forget_ended();
    }

    /// Discards the windows that have ended: they do not count for what comes.
    pub(super) fn forget_ended(&mut self) {
        self.ended = Ended::default();
    }

    /// Whether both arms had new counts.
    pub(super) fn has_both(&self) -> bool {
        self.read_at.iter().all(Option::is_some)
    }

    /// Adds the trials of an observation, under a split in force from `since` on. The time between two
    /// readings of an arm is `interval`, or longer if that was seen. None before both arms have begun.
    pub(super) fn read(
        &mut self,
        at: Timestamp,
        since: Timestamp,
        trials: [f64; 2],
        share: f64,
        interval: Span,
    ) -> Option<Traffic> {
        let gaps = &mut self.gaps[0];
        gaps.arm = gaps.arm.max(interval);
        if let Some(observed) = self.observed.replace(at) {
            gaps.tick = gaps.tick.max(at.since(observed));
        }
        let is_late = at.since(since) >= self.window();
        for ((arm, read_at), trials) in self.arms.iter_mut().zip(&mut self.read_at).zip(trials) {
            let begins = ArmTraffic { from: at, to: at, trials: 0.0 };
            if trials > 0.0 {
                let Some(read_at) = read_at.replace(at) else {
                    // The first new counts are of the time before.
                    *arm = Some(begins);
                    continue;
                };
                self.gaps[0].arm = self.gaps[0].arm.max(at.since(read_at));
                if let Some(arm) = arm {
                    (arm.to, arm.trials) = (at, arm.trials + trials);
                }
            } else if is_late {
                // An arm that never has trials is watched all the same.
                arm.get_or_insert(begins);
            }
        }
        self.close(at, share)
    }

    /// A long silence counts until the end of the next window.
    fn gaps(&self) -> Gaps {
        self.gaps[0].max(self.gaps[1])
    }

    fn window(&self) -> Span {
        let times = |span: Span, times: u64| Span::from_millis(span.as_millis() * times);
        let Gaps { arm, tick } = self.gaps();
        LEAST.max(times(arm, READINGS)).max(times(tick, TICKS))
    }

    /// The traffic in the window, which ends once it is long enough; None before both arms have begun.
    fn close(&mut self, at: Timestamp, share: f64) -> Option<Traffic> {
        let (window, tick) = (self.window(), self.gaps().tick);
        let [Some(canary), Some(baseline)] = &mut self.arms else { return None };
        for arm in [&mut *canary, &mut *baseline] {
            // After twice as long without new counts it had no traffic.
            if at.since(arm.to) >= window + window {
                arm.to = at;
            }
        }
        let times = [&*canary, &*baseline].map(|arm| arm.to.since(arm.from));
        let seconds = times.map(Span::as_seconds);
        let trials = [canary.trials, baseline.trials];
        let of_window = in_equal_times(trials, seconds, tick, share);
        let ends = times.iter().all(|time| *time >= window);
        if ends {
            for arm in [canary, baseline] {
                (arm.from, arm.trials) = (arm.to, 0.0);
            }
            self.gaps = [Gaps::default(), self.gaps[0]];
        }
        let all = ends.then(|| self.ended.add(trials, seconds, tick, share));
        Some(Traffic { window: of_window, all })
    }
}

impl Ended {
    /// Adds a window, and returns the trials of all windows in equal times.
    fn add(&mut self, trials: [f64; 2], seconds: [f64; 2], tick: Span, share: f64) -> [f64; 2] {
        if self.seconds == [0.0; 2] {
            self.tick = tick;
        }
        for arm in 0..2 {
            self.trials[arm] += trials[arm];
            self.seconds[arm] += seconds[arm];
        }
        in_equal_times(self.trials, self.seconds, tick.max(self.tick), share)
    }
}

/// The trials of both arms in the longest time that both cover, where each time may be a tick longer
/// or shorter: those whose odds are nearest to the planned ones. Trials are only scaled down.
fn in_equal_times(trials: [f64; 2], seconds: [f64; 2], tick: Span, share: f64) -> [f64; 2] {
    let tick = tick.as_seconds();
    let [canary, baseline] = trials;
    // The factor on the canary's trials at which the baseline's need none.
    let times = |canary: f64, baseline: f64| baseline.max(0.0) / canary.max(f64::MIN_POSITIVE);
    let least = times(seconds[0] + tick, seconds[1] - tick);
    let most = times(seconds[0] - tick, seconds[1] + tick);
    let planned = share / (1.0 - share) * baseline / canary;
    let scale = if planned.is_nan() { least } else { planned.clamp(least, most) };
    if scale <= 1.0 { [canary * scale, baseline] } else { [canary, baseline / scale] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::try_from_millis(seconds * 1000).unwrap()
    }

    /// The windows of an hour: `[trials a second, scrape interval, offset]` of each arm, observed
    /// every `tick`.
    fn windows(arms: [[i64; 3]; 2], tick: i64, share: f64) -> Vec<(i64, [f64; 2])> {
        let (mut covered, mut seen) = (Covered::default(), Vec::new());
        let total = |[rate, period, offset]: [i64; 3], now: i64| {
            let scraped = offset + (now - offset).div_euclid(period) * period;
            rate * scraped
        };
        for now in (tick..=3600).step_by(usize::try_from(tick).unwrap()) {
            let trials = arms.map(|arm| (total(arm, now) - total(arm, now - tick)) as f64);
            let read = covered.read(at(now), at(0), trials, share, Span::ZERO);
            seen.extend(read.and_then(|read| Some((now, read.all?))));
        }
        seen
    }

    #[test]
    fn field_16_a_window_has_the_planned_split_wherever_the_readings_fall() {
        for (period, tick) in [(10, 5), (15, 10), (13, 10), (30, 10), (60, 10), (60, 60), (60, 25)]
        {
            for offset in [0, 1, 7, period / 2, period - 1] {
                let seen = windows([[10, period, 0], [90, period, offset]], tick, 0.1);
                assert!(!seen.is_empty());
                for (now, [canary, baseline]) in seen {
                    let share = canary / (canary + baseline);
                    let what = format!("{period} s, {offset} s apart, ticks of {tick} s, at {now}");
                    assert!((share - 0.1).abs() < 1e-9, "{what}: {share}");
                }
            }
        }
    }

    #[test]
    fn field_16_twice_the_planned_share_is_seen_in_the_first_window() {
        for (period, tick, latest) in [(10, 10, 100), (15, 10, 100), (60, 10, 250), (60, 60, 500)] {
            let seen = windows([[20, period, 0], [80, period, period / 2]], tick, 0.1);
            let (now, [canary, baseline]) = seen[0];
            assert!(now <= latest, "{period} s in ticks of {tick} s: {now}");
            let odds = canary / baseline * 9.0;
            assert!(odds > 1.45, "{period} s in ticks of {tick} s: {odds}");
        }
    }

    #[test]
    fn field_16_what_a_window_cannot_show_all_windows_do() {
        // 1.2 times the planned share, as odds 1.23: within the ends of one window.
        for (period, tick, latest) in [(10, 10, 400), (15, 10, 400), (60, 10, 500), (60, 60, 2600)]
        {
            let seen = windows([[12, period, 0], [88, period, period / 2]], tick, 0.1);
            let odds = |of: [f64; 2]| of[0] / of[1] * 9.0;
            assert!(odds(seen[0].1) < 1.1, "{period} s in ticks of {tick} s: {:?}", seen[0]);
            let shown = seen.iter().find(|(_, trials)| odds(*trials) > 1.15);
            let shown = shown.map(|(now, _)| *now);
            assert!(shown.is_some_and(|now| now <= latest), "{period} s in {tick} s: {shown:?}");
        }
    }

    #[test]
    fn field_16_the_first_new_counts_of_an_arm_are_never_of_a_window() {
        // Scraped each minute, the canary after the start: its first new counts come when an arm that
        // has none is already watched.
        let mut covered = Covered::default();
        let mut seen = Vec::new();
        for now in (5..=900).step_by(5) {
            let scraped = |offset: i64, rate: f64| {
                if now > 60 && (now - offset) % 60 == 0 { rate * 60.0 } else { 0.0 }
            };
            let trials = [scraped(50, 10.0), scraped(10, 90.0)];
            let read = covered.read(at(now), at(0), trials, 0.1, Span::from_seconds(10));
            seen.extend(read.and_then(|read| read.all));
        }
        assert!(!seen.is_empty());
        for [canary, baseline] in seen {
            assert!((canary / (canary + baseline) - 0.1).abs() < 1e-9, "{canary}, {baseline}");
        }
    }

    #[test]
    fn field_16_an_arm_without_traffic_is_seen() {
        let seen = windows([[100, 10, 0], [0, 10, 0]], 10, 0.1);
        let (now, [canary, baseline]) = seen[0];
        assert!(now <= 240 && canary > 1000.0 && baseline == 0.0, "{now}: {canary}, {baseline}");
    }
}
