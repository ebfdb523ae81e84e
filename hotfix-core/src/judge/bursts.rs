//! Bursts of failures that the live version has had, such as those of a customer who retries, and the
//! evidence without as many of the canary. Errors that come in bursts are not independent, and a canary that
//! serves the same clients has them, too. See `docs/decisions/one-clients-failures.md`.

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::stats::Counts;
use crate::stats::rate_ratio::{RateRatio, RateRatioDesign};
use crate::unit::{Span, Timestamp};

use super::aligned::{Aligned, Side};

/// The time over which failures are counted.
const MINUTE: Span = Span::from_seconds(60);
/// Failures of the live version that stay for more minutes than these are no burst, but its rate.
const LONGEST: u32 = 10;
/// A burst of the canary lasts at most for so long and the minute in which it ends: a fault that is no larger
/// is found after that.
const LASTS: Span = Span::from_seconds(240);
/// The canary may have so many bursts more than the live version has had.
const MORE: u32 = 1;
/// A minute of the canary is part of a burst if its excess is at most so many times that of the live
/// version's worst minute, and no more than this share of its requests fail.
const LARGER: f64 = 3.0;
const MOST_FAILING: f64 = 1.0 / 3.0;
/// A burst is so many standard deviations and so many failures above the rate, as independent errors are
/// in at most one minute of 25,000.
const ABOVE: (f64, f64) = (4.0, 4.0);
/// A minute that is below the rate by this part of that is the rate from then on.
const DROPS: f64 = 0.75;
/// The rate is that of about so many minutes.
const MEMORY: f64 = 16.0;
/// Bursts of the canary that are remembered, the last ones.
const REMEMBERED: usize = 8;

/// Bursts of one metric, in counts of bad events.
#[derive(Debug, Default, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Bursts {
    live: Live,
    /// The evidence without bursts of the canary; None until the live version has had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    without: Option<Box<Without>>,
}

/// The live version, minute by minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Live {
    minute: Minute,
    /// Failures and requests without bursts, of which those of earlier minutes count less.
    usual: Counts,
    /// Minutes of the burst that is under way.
    lasts: u32,
    /// How many bursts it has had, and the largest excess of a minute.
    bursts: u32,
    worst: f64,
}

/// Counts since a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Minute {
    since: Option<Timestamp>,
    counts: Counts,
}

/// Counts of both arms, in which the canary may be so many times as bad as tolerated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Compared {
    canary: Counts,
    live: Counts,
    allowed: f64,
}

/// The evidence without bursts of the canary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Without {
    state: RateRatio,
    /// Its least lower bound since the watch of the phase began.
    lowest: f64,
    /// How many bursts were left out.
    left_out: u32,
    /// The last of them in this phase: when they were over, and the canary's counts.
    last: Vec<(Timestamp, Counts)>,
    /// The burst that may be under way, with its minutes, and when they began.
    burst: Compared,
    lasts: u32,
    began: Timestamp,
    /// The minute that is not in the evidence yet.
    since: Timestamp,
    minute: Compared,
}

impl Minute {
    /// Adds counts that end now; those of the minute, if it is over.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as long as a call to it")]
    fn add(&mut self, at: Timestamp, counts: Counts) -> Option<Counts> {
        self.counts.add(counts);
        (at.since(*self.since.get_or_insert(at)) >= MINUTE).then(|| self.end(at))
    }

    /// The counts; another minute begins.
    fn end(&mut self, at: Timestamp) -> Counts {
        self.since = Some(at);
        std::mem::take(&mut self.counts)
    }
}

impl Live {
    /// Takes in counts that end now.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as long as a call to it")]
    fn learn(&mut self, at: Timestamp, counts: Counts) {
        if let Some(minute) = self.minute.add(at, counts) {
            self.end_minute(minute);
        }
    }

    #[inline(never)]
    fn end_minute(&mut self, minute: Counts) {
        let (excess, differ) = (self.excess(minute), self.differ(minute));
        let is_burst = excess > differ;
        if self.usual.trials == 0.0 || excess < -DROPS * differ || is_burst && self.lasts >= LONGEST
        {
            (self.usual, self.lasts) = (minute, 0);
        } else if is_burst {
            self.bursts = self.bursts.saturating_add(u32::from(self.lasts == 0));
            self.lasts += 1;
            self.worst = self.worst.max(excess);
        } else {
            self.lasts = 0;
            let kept = 1.0 - 1.0 / MEMORY;
            self.usual = Counts::new(kept * self.usual.events, kept * self.usual.trials);
            self.usual.add(minute);
        }
    }

    /// How many bursts the canary may have.
    const fn most(&self) -> u32 {
        self.bursts.saturating_add(MORE)
    }

    /// How many of these failures are above the usual rate.
    fn excess(&self, of: Counts) -> f64 {
        of.events - self.usual.events / self.usual.trials * of.trials
    }

    /// What independent errors at about the usual rate differ by from these.
    fn differ(&self, of: Counts) -> f64 {
        let part = of.trials / self.usual.trials;
        let mean = (self.usual.events + 1.0) * part;
        ABOVE.0 * (mean * (1.0 + part)).sqrt() + ABOVE.1 + part
    }

    /// Whether independent errors at about the usual rate are fewer.
    fn is_burst(&self, of: Counts) -> bool {
        self.excess(of) > self.differ(of)
    }

    /// Whether the canary's failures of so many minutes may be of a burst like those of the live version.
    fn has_had(&self, canary: Counts, minutes: f64) -> bool {
        self.excess(canary) <= LARGER * self.worst * minutes
            && canary.events <= MOST_FAILING * canary.trials
    }
}

impl Compared {
    const NONE: Self =
        Self { canary: Counts::new(0.0, 0.0), live: Counts::new(0.0, 0.0), allowed: 1.0 };

    fn add(&mut self, Self { canary, live, allowed }: Self) {
        self.canary.add(canary);
        self.live.add(live);
        self.allowed = self.allowed.max(allowed);
    }
}

impl Aligned<Bursts> {
    /// Copies another's states, with little to do for almost every tick: no burst is known.
    #[inline]
    pub(super) fn keep_bursts(&mut self, of: &Self) {
        let lead = of.on(Side::Lead);
        if self.is_one() && of.is_one() && !lead.are_known() {
            self.each(|kept| {
                kept.live = lead.live;
                kept.without = None;
            });
        } else {
            self.clone_from(of);
        }
    }
}

impl Bursts {
    /// Takes in the live version's counts from before the start.
    pub(super) fn learn_live(&mut self, at: Timestamp, live: Counts) {
        self.live.learn(at, live);
    }

    /// Takes in counts of both arms, with which the test `of` the whole was fed.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "almost every tick adds a count and does no more")]
    pub(super) fn learn(
        &mut self,
        at: Timestamp,
        (canary, live): (Counts, Counts),
        allowed: f64,
        (design, of): (&RateRatioDesign, &RateRatio),
    ) {
        self.live.learn(at, live);
        if let Some(without) = &mut self.without {
            without.learn(at, Compared { canary, live, allowed }, design, &self.live);
        } else if self.live.bursts > 0 {
            self.without = Some(Box::new(Without::new(at, design, *of)));
        }
    }

    /// Whether the live version has had one.
    #[inline]
    pub(super) const fn are_known(&self) -> bool {
        self.without.is_some()
    }

    /// Another phase begins: what is not in the evidence yet is of another split.
    pub(super) fn start(&mut self, at: Timestamp, design: &RateRatioDesign) {
        self.live.minute.end(at);
        if let Some(without) = &mut self.without {
            (without.since, without.minute) = (at, Compared::NONE);
            (without.burst, without.lasts) = (Compared::NONE, 0);
            without.last.clear();
            without.lowest = without.state.log_e_bound(design);
        }
    }

    /// Whether this state belongs to the design.
    pub(super) fn fits(&self, design: &RateRatioDesign) -> bool {
        self.without.as_ref().is_none_or(|without| {
            without.state.check(design).is_ok() && without.last.len() <= REMEMBERED
        })
    }
}

/// Bursts of a metric, of which the live version has had one, with the design of its test.
#[derive(Clone, Copy)]
pub(super) struct KnownBursts<'a> {
    pub(super) of: &'a Aligned<Bursts>,
    pub(super) design: &'a RateRatioDesign,
}

impl KnownBursts<'_> {
    fn log_e_of(self, bursts: &Bursts) -> Option<f64> {
        Some(bursts.without.as_ref()?.log_e(self.design, &bursts.live))
    }

    /// The smaller and the larger log evidence without bursts of the canary.
    pub(super) fn log_e(self) -> Option<[f64; 2]> {
        self.of.range(|bursts| self.log_e_of(bursts))
    }

    /// Whether that has risen by so much from its lowest point in this phase, after it had fallen by as
    /// much.
    pub(super) fn has_risen(self, by: f64) -> bool {
        self.of.all(|bursts| {
            let lowest = bursts.without.as_ref().map(|without| without.lowest);
            lowest
                .zip(self.log_e_of(bursts))
                .is_some_and(|(lowest, log_e)| lowest <= -by && log_e - lowest >= by)
        })
    }

    /// How many bursts of the canary were left out, how many may be, and how many the live version has had.
    pub(super) fn numbers(self) -> [u32; 3] {
        let Bursts { live, without } = self.of.on(Side::Lag);
        let left_out = without.as_ref().map_or(0, |without| without.left_out);
        [left_out, live.most(), live.bursts]
    }

    /// The canary's counts in bursts that were over since then.
    pub(super) fn left_out_since(self, since: Option<Timestamp>) -> Counts {
        let last = self.of.on(Side::Lag).without.iter().flat_map(|without| &without.last);
        let late = last.filter(|(at, _)| since.is_none_or(|since| *at > since));
        late.map(|(_, counts)| counts).sum()
    }

    /// Whether the canary's counts of so many minutes may be of a burst like those of the live version,
    /// which began so long ago.
    pub(super) fn may_be_one(self, canary: Counts, minutes: f64, lasts: Span) -> bool {
        let live = &self.of.on(Side::Lag).live;
        lasts < LASTS && live.has_had(canary, minutes)
    }

    /// Whether the canary may be in a burst, of which it is not known whether it ends.
    pub(super) fn may_be_under_way(self) -> bool {
        let Bursts { live, without } = self.of.on(Side::Lag);
        let may_be = |of: &Without| of.lasts > 0 || live.is_burst(of.minute.canary);
        without.as_deref().is_some_and(may_be)
    }
}

impl Without {
    /// As much evidence as that of the whole.
    fn new(at: Timestamp, design: &RateRatioDesign, state: RateRatio) -> Self {
        Self {
            state,
            lowest: state.log_e_bound(design),
            left_out: 0,
            last: Vec::new(),
            burst: Compared::NONE,
            lasts: 0,
            began: at,
            since: at,
            minute: Compared::NONE,
        }
    }

    fn learn(&mut self, at: Timestamp, tick: Compared, design: &RateRatioDesign, of: &Live) {
        self.minute.add(tick);
        let canary = self.minute.canary;
        let may_be = self.left_out < of.most() && of.has_had(canary, 1.0);
        if may_be && at.since(self.since) < MINUTE {
            return;
        }
        let minute = std::mem::replace(&mut self.minute, Compared::NONE);
        let since = std::mem::replace(&mut self.since, at);
        let is_burst = of.is_burst(canary);
        if self.lasts == 0 {
            self.began = since;
        }
        if may_be && is_burst && (at.since(self.began) <= LASTS || self.fades(of, canary)) {
            self.burst.add(minute);
            self.lasts += 1;
            return;
        }
        if self.lasts > 0 {
            let burst = std::mem::replace(&mut self.burst, Compared::NONE);
            self.lasts = 0;
            if is_burst {
                // It stays, or is more than a burst.
                feed(&mut self.state, design, burst);
            } else {
                self.leave_out(at, burst.canary);
            }
        }
        feed(&mut self.state, design, minute);
        self.lowest = self.lowest.min(self.state.log_e_bound(design));
    }

    /// Whether these failures are less than half as many as those of the burst have been: it ends in this
    /// minute.
    fn fades(&self, of: &Live, canary: Counts) -> bool {
        2.0 * f64::from(self.lasts) * of.excess(canary) < of.excess(self.burst.canary)
    }

    /// A burst is over.
    #[cold]
    fn leave_out(&mut self, at: Timestamp, canary: Counts) {
        self.left_out += 1;
        if self.last.len() == REMEMBERED {
            self.last.remove(0);
        }
        self.last.push((at, canary));
    }

    /// The log evidence, with the minute that is not over unless it may be of a burst.
    fn log_e(&self, design: &RateRatioDesign, of: &Live) -> f64 {
        let mut state = self.state;
        if !of.is_burst(self.minute.canary) {
            feed(&mut state, design, self.minute);
        }
        state.log_e(design)
    }
}

fn feed(state: &mut RateRatio, design: &RateRatioDesign, of: Compared) {
    // Counts were checked when they were read, so the test takes them.
    let _ = state.update_allowing(design, &[(of.canary, of.live)], of.allowed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::numeric::{exp, ln};
    use crate::stats::rate_ratio::RateRatioSettings;

    fn minutes(count: i64) -> Timestamp {
        Timestamp::try_from_millis(60_000 * count).unwrap()
    }

    /// A live version with this number of failures in 1,000 requests of each minute.
    fn live(failures: &[f64]) -> Live {
        let mut live = Live::default();
        for (events, minute) in failures.iter().zip(0..) {
            live.learn(minutes(minute), Counts::new(*events, 1_000.0));
        }
        live
    }

    /// One minute after the other: failures of the canary and of the live version, in 100 and 1,000
    /// requests.
    fn evidence(minutes_of_both: &[(f64, f64)]) -> (f64, Option<f64>) {
        evidence_of(1, minutes_of_both)
    }

    /// The same in ticks of so many minutes.
    fn evidence_of(tick: i64, minutes_of_both: &[(f64, f64)]) -> (f64, Option<f64>) {
        let design = RateRatioDesign::try_new(&RateRatioSettings::default()).unwrap();
        let (mut bursts, mut whole) = (Aligned::<Bursts>::default(), RateRatio::new(&design));
        for (&(canary, live), minute) in minutes_of_both.iter().zip(0..) {
            let (canary, live) = (Counts::new(canary, 100.0), Counts::new(live, 1_000.0));
            whole.update(&design, canary, live).unwrap();
            let at = minutes(tick * minute);
            bursts.each(|of| of.learn(at, (canary, live), 1.0, (&design, &whole)));
        }
        let known = bursts.on(Side::Lead).are_known();
        let without = KnownBursts { of: &bursts, design: &design };
        (whole.log_e(&design), known.then(|| without.log_e().unwrap()[0]))
    }

    /// The chance of a Poisson count of this mean to be at least so many.
    fn at_least(least: f64, mean: f64) -> f64 {
        let (mut ln_chance, mut sum) = (-mean, 0.0);
        for count in (1..4_000).map(f64::from) {
            ln_chance += ln(mean) - ln(count);
            sum += if count >= least { exp(ln_chance) } else { 0.0 };
        }
        sum
    }

    #[test]
    fn field_17_independent_errors_are_no_burst() {
        for mean in [0.01, 0.3, 1.0, 3.0, 20.0, 150.0, 1_000.0] {
            let usual = Counts::new(10_000.0 * mean, 1e7);
            let live = Live { usual, ..Live::default() };
            let is_burst = |events: &f64| live.is_burst(Counts::new(*events, 1_000.0));
            let least = (0..2_000).map(f64::from).find(is_burst).unwrap();
            let chance = at_least(least, mean);
            assert!(
                chance < 4e-5 && least < mean + 4.2 * mean.sqrt() + 6.0,
                "{mean}: {least} {chance}"
            );
        }
    }

    #[test]
    fn field_17_what_ends_is_a_burst_and_what_stays_is_the_rate() {
        let calm = [3.0; 20];
        let of = |more: &[f64]| live(&[&calm, more].concat());
        assert_eq!(of(&[3.0, 2.0, 7.0]).bursts, 0);
        let one = of(&[30.0, 25.0, 3.0, 3.0]);
        assert_eq!((one.bursts, one.lasts), (1, 0));
        assert!((one.worst - 27.0).abs() < 0.5, "{one:?}");
        assert_eq!(of(&[30.0, 3.0, 3.0, 40.0]).bursts, 2);
        let stays = of(&[30.0; 14]);
        assert!(!stays.is_burst(Counts::new(30.0, 1_000.0)), "{stays:?}");
        // Back to the rate of before, from which a burst stands out again.
        let back = of(&[&[30.0; 14][..], &[3.0, 3.0, 2.0, 30.0]].concat());
        assert_eq!((back.bursts, back.lasts), (2, 1), "{back:?}");
    }

    #[test]
    fn field_17_a_burst_of_the_canary_counts_only_if_it_stays_or_the_live_version_had_none() {
        let calm = [(0.0, 3.0); 10];
        let of_live = [(0.0, 30.0), (0.0, 30.0), (0.0, 3.0)];
        let burst = |minutes: usize| vec![(20.0, 3.0); minutes];
        let after = [(0.0, 3.0); 2];
        let (_, none) = evidence(&[&calm[..], &burst(3), &after].concat());
        assert_eq!(none, None);
        let (whole, without) = evidence(&[&calm[..], &of_live, &burst(3), &after].concat());
        assert!(whole > 30.0 && without.unwrap() < 0.0, "{whole}, {without:?}");
        // While it lasts; it fades in its fifth minute.
        let (_, lasts) = evidence(&[&calm[..], &of_live, &burst(4)].concat());
        let (_, fades) =
            evidence(&[&calm[..], &of_live, &burst(4), &[(8.0, 3.0)], &after].concat());
        assert!(lasts.unwrap() < 0.0 && fades.unwrap() < 0.0, "{lasts:?}, {fades:?}");
        let (_, stays) = evidence(&[&calm[..], &of_live, &burst(5)].concat());
        assert!(stays.unwrap() > 30.0, "{stays:?}");
        // In ticks of five minutes a fault would be found too late.
        let (_, coarse) = evidence_of(5, &[&calm[..], &of_live, &burst(1)].concat());
        assert!(coarse.unwrap() > 0.0, "{coarse:?}");
        // Two may be, because the live version has had one.
        let again = [&calm[..], &of_live, &burst(2), &after, &burst(2), &after].concat();
        assert!(evidence(&again).1.unwrap() < 0.0);
        let third = [&again[..], &burst(1)].concat();
        let (before, third) = (evidence(&again).1.unwrap(), evidence(&third).1.unwrap());
        assert!(third > before + 10.0, "{before}, {third}");
    }

    #[test]
    fn field_17_more_failures_than_the_live_version_ever_had_count_at_once() {
        let calm = [(0.0, 3.0); 10];
        let of_live = [(0.0, 20.0), (0.0, 3.0)];
        // A third of the requests at most, and three times the excess of 17.
        for (failures, counts) in [(25.0, false), (33.0, false), (34.0, true), (60.0, true)] {
            let (_, without) = evidence(&[&calm[..], &of_live, &[(failures, 3.0)]].concat());
            assert_eq!(without.unwrap() > 10.0, counts, "{failures}: {without:?}");
        }
    }
}
