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

/// Trials of both arms in equal times, as near to the planned share as the uncertain ends of their
/// times allow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Traffic {
    /// Of the canary, and of the baseline.
    pub(super) trials: [f64; 2],
    /// The window ends here; otherwise it goes on.
    pub(super) ends: bool,
}

/// The present window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Covered {
    arms: [Option<ArmTraffic>; 2],
    /// When each arm last had new counts.
    read_at: [Option<Timestamp>; 2],
    /// The last observation.
    observed: Option<Timestamp>,
    /// In this window, and in the one before.
    gaps: [Gaps; 2],
}

/// The longest times between readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
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
    }

    /// Adds the trials of an observation, under a split that has been in force since then. The time
    /// between two readings of an arm is `interval`, or a longer one that was seen.
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
            if trials > 0.0 {
                if let Some(read_at) = read_at.replace(at) {
                    self.gaps[0].arm = self.gaps[0].arm.max(at.since(read_at));
                }
                if let Some(arm) = arm {
                    (arm.to, arm.trials) = (at, arm.trials + trials);
                    continue;
                }
            }
            // The first new counts are of the time before. An arm that never has any is watched
            // from the first observation.
            if trials > 0.0 || is_late {
                arm.get_or_insert(ArmTraffic { from: at, to: at, trials: 0.0 });
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

    /// The traffic in the window, which ends once it is long enough.
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
        let trials = in_equal_times([canary.trials, baseline.trials], seconds, tick, share);
        let ends = times.iter().all(|time| *time >= window);
        if ends {
            for arm in [canary, baseline] {
                (arm.from, arm.trials) = (arm.to, 0.0);
            }
            self.gaps = [Gaps::default(), self.gaps[0]];
        }
        Some(Traffic { trials, ends })
    }
}

/// The trials of both arms in the longest time that both cover, where each time may be a tick
/// longer or shorter: those whose odds are nearest to the planned ones. Neither arm has more than
/// it had.
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
            if let Some(Traffic { trials, ends: true }) = read {
                seen.push((now, trials));
            }
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
    fn field_16_an_arm_without_traffic_is_seen() {
        let seen = windows([[100, 10, 0], [0, 10, 0]], 10, 0.1);
        let (now, [canary, baseline]) = seen[0];
        assert!(now <= 240 && canary > 1000.0 && baseline == 0.0, "{now}: {canary}, {baseline}");
    }
}
