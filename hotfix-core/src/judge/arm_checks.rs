//! Checks of the arms: identical series (one query used for both), and a split that is not as
//! planned.

use core::f64::consts::PI;

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::getters::getters;
use crate::grade::{Response, Role, Worse};
use crate::metric::Tick;
use crate::metric_kind::Data;
use crate::policy::section::Metric;
use crate::stats::numeric::ln;
use crate::stats::split::{Split, SplitDesign, arms_swapped};
use crate::unit::{Share, Span, Timestamp};

use super::covered::{Covered, Traffic};
use super::prepared::Increment;
use super::watched::Watched;

/// Ln of one in a million: equal ticks that are more likely than this are not a finding.
const UNLIKELY: f64 = -STRIKING;

/// Ln of a million to one: what fits swapped arms this much better in a single tick, or another share over
/// a window, is not chance.
pub(super) const STRIKING: f64 = 13.815_510_557_964_274;
/// A volume can show swapped arms only if the planned odds are so far from even: ln of the odds of a fifth.
const APART: f64 = 1.386_294_361_119_890_6;
/// Time after a change of the traffic in which connections may still be at the other version: they drain
/// with a time constant of about a minute, and a tenth of the odds is tolerated.
const DRAINS: Span = Span::from_seconds(300);

/// Chance that two independent arms agree in every tick of a phase so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sameness {
    /// Ln of an upper bound of that chance.
    log_chance: f64,
    differs: bool,
}

impl Sameness {
    /// Whether chance cannot explain the agreement.
    pub(super) fn is_striking(self) -> bool {
        !self.differs && self.log_chance <= UNLIKELY
    }

    /// Compares the arms of a tick, except of gauges and volumes, which have no known distribution.
    pub(super) fn compare(&mut self, data: Data, tick: &Tick) {
        if self.differs || !tick.canary || !tick.baseline {
            return;
        }
        let (canary, baseline) = tick.row.split_at(tick.row.len() / 2);
        let equal = match data {
            Data::Trials | Data::Buckets => canary == baseline,
            // Exposures differ by the share.
            Data::Exposure => canary[0] == baseline[0],
            Data::Level => return,
        };
        if equal {
            self.log_chance += ln_chance(data, canary);
        } else {
            self.differs = true;
        }
    }
}

/// The finding that traffic is not split as planned.
///
/// The finding can clear: a splitter may be repaired during the phase, and tests are valid at any
/// split. After each finding the test restarts, and the finding remains until the test has found
/// nothing for a window and for as long as the finding took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct SplitFinding {
    /// Start of the present test of the split.
    since: Option<Timestamp>,
    /// When a wrong split was found last, and how long no further one must be found.
    found: Option<(Timestamp, Span)>,
    /// Whether the canary had more of the trials then than planned, or fewer.
    side: Option<Worse>,
}

impl SplitFinding {
    /// Whether the finding applies.
    pub(super) const fn applies(self) -> bool {
        self.found.is_some()
    }

    /// Applies the test's result of a tick: the wrong side, if any, after which the test has to restart.
    pub(super) fn apply(&mut self, at: Timestamp, wrong: Option<Worse>, window: Span) {
        let since = *self.since.get_or_insert(at);
        if wrong.is_some() {
            self.found = Some((at, at.since(since).max(window)));
            (self.since, self.side) = (Some(at), wrong);
        } else if self.found.is_some_and(|(found, quiet)| at.since(found) >= quiet) {
            (self.found, self.side) = (None, None);
        }
    }
}

/// Traffic of the two arms of one metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct MetricTraffic {
    /// The windows, where the arms are read at different times.
    covered: Covered,
    swapped: bool,
    /// Both arms are one series.
    one_series: bool,
}

/// What the checks of the arms have found; serialized as it is into a snapshot.
#[derive(Debug, Educe, PartialEq, Serialize, Deserialize)]
#[educe(Clone)]
pub(crate) struct ArmChecks {
    split: Split,
    finding: SplitFinding,
    /// Of each metric.
    traffic: Vec<MetricTraffic>,
    /// The live version may still have the connections of a canary that is to have most of the traffic.
    may_drain: bool,
}

/// An observation to check: its time, the canary's share, and when the present watch or share began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observed {
    pub(super) at: Timestamp,
    pub(super) share: Share,
    pub(super) since: Option<Timestamp>,
}

getters! {
    pub(super) fn ArmChecks: self;

    split_is_wrong: bool = self.finding.applies();
    /// Whether the canary has more or fewer trials than planned; None unless the split is known to be wrong.
    wrong_side: Option<Worse> = self.finding.side;
    any_is_swapped: bool = !self.may_drain && self.traffic.iter().any(|of| of.swapped);
}

impl ArmChecks {
    pub(super) fn new(design: &SplitDesign, metrics: usize) -> Self {
        Self {
            split: Split::new(design),
            finding: SplitFinding::default(),
            traffic: vec![MetricTraffic::default(); metrics],
            may_drain: false,
        }
    }

    /// The response to a wrong split where an alert has this one. A person is asked instead of a
    /// hold if more users than planned have the fix, which nobody has judged yet.
    pub(super) fn on_wrong_split(&self, alert: Response) -> Response {
        let has_more = self.finding.side == Some(Worse::Higher);
        if has_more && alert == Response::Hold { Response::Ask } else { alert }
    }

    /// Whether connections that drain after a change of the traffic explain the wrong split: the canary
    /// still lacks requests.
    pub(super) fn drains(&self, changed: Option<Timestamp>) -> bool {
        let SplitFinding { found, side, .. } = self.finding;
        let soon = |(found, _): (Timestamp, Span)| changed.is_some_and(|at| found < at + DRAINS);
        side == Some(Worse::Lower) && found.is_some_and(soon)
    }

    /// Whether a metric that is scaled by the planned share looks better than it is, at the wrong
    /// split that was found: if it looks bad all the same, it is.
    pub(super) fn favours(&self, metric: &Metric) -> bool {
        self.finding.side.is_some_and(|side| side != metric.worse)
    }

    pub(super) fn fits(&self, design: &SplitDesign, metrics: usize) -> bool {
        self.split.check(design).is_ok() && self.traffic.len() == metrics
    }

    pub(super) fn move_traffic(&mut self) {
        self.traffic.iter_mut().for_each(|of| of.covered.clear());
    }

    /// Whether the arms of a metric, by index, look swapped, and draining connections do not explain
    /// it. At the gate nothing drains any more.
    pub(super) fn is_swapped(&self, metric: usize, at_gate: bool) -> bool {
        self.traffic[metric].swapped && (at_gate || !self.may_drain)
    }

    /// Whether the readings of a metric, by index, are not those of its two arms.
    pub(super) fn confuses(&self, metric: usize) -> bool {
        self.is_swapped(metric, false) || self.traffic[metric].one_series
    }

    /// Forgets that arms look swapped: nothing shows it any more.
    pub(super) fn forget_swapped(&mut self) {
        self.traffic.iter_mut().for_each(|of| of.swapped = false);
    }

    /// Finds the metrics of which both arms are one series: chance cannot explain that they never
    /// differed in this phase. A query scope that is used twice makes every metric equal. Two equal
    /// halves under synthetic load make requests of one metric equal while others differ, and a
    /// healthy rollout must not stop for them; at any other share two arms never have equal requests.
    pub(super) fn compare(&mut self, metrics: &[Watched], share: Share) {
        let none_differs = metrics.iter().all(|watched| !watched.same().differs);
        let in_halves = share == share.rest();
        let shows_it = |watched: &Watched| {
            let metric = watched.metric();
            let is_alone = metric.role == Role::Decide && metric.kind.counts_requests();
            watched.same().is_striking() && (none_differs || !in_halves && is_alone)
        };
        let all = none_differs && metrics.iter().any(shows_it);
        for (of, watched) in self.traffic.iter_mut().zip(metrics) {
            of.one_series = all || shows_it(watched);
        }
    }

    /// Begins the checks of an observation: only a canary that is to have most of the traffic looks
    /// swapped while it lacks requests.
    pub(super) fn begin(&mut self, Observed { at, share, since }: Observed) {
        self.may_drain = share > share.rest() && since.is_some_and(|since| at < since + DRAINS);
    }

    /// Checks whether the arms of a metric, by index, look swapped; and of the one that `shows_split`,
    /// whether their trials fit the planned split. The state of `watched` is that before the
    /// increment.
    pub(super) fn check(
        &mut self,
        design: &SplitDesign,
        Observed { at, share, since }: Observed,
        (metric, watched): (usize, &Watched),
        increment: &Increment,
        shows_split: bool,
    ) {
        let of = &mut self.traffic[metric];
        let tick = increment.reading.map(|_| &increment.tick);
        let totals = tick.map_or(watched.readings().totals, |tick| tick.totals);
        let interval = watched.scrape(totals);
        // Where the arms are read at different times, the finding holds until the next reading.
        of.swapped &= interval.is_some();
        let Some(tick) = tick else { return };
        if !(tick.canary && tick.baseline) {
            let is_lost = tick.unused != [None; 2];
            if is_lost {
                // Windows before and after do not follow each other.
                of.covered.forget_ended();
            }
            // What a missing arm had comes with its next totals.
            if is_lost || interval.is_none() || !of.covered.has_both() {
                return;
            }
        }
        let is_shared = share != Share::ALL && share != Share::NONE;
        let share = share.as_fraction();
        let is_traffic = watched.metric().kind.is_traffic();
        // A scrape that is sent again shows nothing of the split.
        if is_traffic && (tick.row[1] <= 0.0 || tick.row[3] <= 0.0) {
            return;
        }
        let trials = if is_traffic {
            [tick.row[0] / tick.row[1], tick.row[2] / tick.row[3]]
        } else {
            watched.trials_of(tick)
        };
        // Nothing to look at in almost every tick.
        if interval.is_none() && !shows_split && !are_crossed(share, trials) {
            return;
        }
        if watched.is_cold(tick, at) {
            of.swapped = false;
            return;
        }
        if !is_shared {
            return;
        }
        if is_traffic {
            let minutes = watched.watch().cadence.as_seconds() / 60.0;
            let odds_of_plan = ln((1.0 - share) / share).abs();
            of.swapped = odds_of_plan >= APART && are_swapped(share, trials, minutes, true);
            return;
        }
        let traffic = if let Some(interval) = interval {
            since.and_then(|since| of.covered.read(at, since, trials, share, interval))
        } else {
            Some(Traffic { window: trials, all: Some(trials) }).filter(|_| !tick.uneven)
        };
        let Some(Traffic { window, all }) = traffic else { return };
        // Swapped arms are found before the window ends.
        of.swapped = are_swapped(share, window, 1.0, !shows_split);
        let is_split = shows_split && (self.may_drain || !of.swapped);
        let Some(trials) = all.filter(|_| is_split) else { return };
        if interval.is_some() {
            // These are the trials of all windows, not only those since the last one.
            self.split = Split::new(design);
        }
        if self.check_split(design, at, share, trials, watched.watch().window) {
            self.traffic[metric].covered.forget_ended();
        }
    }

    /// Compares trials of both arms in equal times with the planned split, and returns whether it
    /// is found wrong; then the test has begun again.
    fn check_split(
        &mut self,
        design: &SplitDesign,
        at: Timestamp,
        share: f64,
        [canary, baseline]: [f64; 2],
        window: Span,
    ) -> bool {
        // Counts were checked when they were read, so the test accepts them.
        let is_wrong = self.split.update(design, share, canary, baseline) == Ok(true);
        let wrong = is_wrong.then(|| {
            let (canary, baseline) =
                std::mem::replace(&mut self.split, Split::new(design)).trials();
            let has_more = canary * (1.0 - share) > baseline * share;
            if has_more { Worse::Higher } else { Worse::Lower }
        });
        self.finding.apply(at, wrong, window);
        is_wrong
    }
}

/// Whether trials of both arms a minute, over so many `minutes`, are those of swapped arms by more
/// than chance. `near`: they also have to be nearer to swapped arms than to the plan, as of a
/// metric that one version has more of by itself, or of which the other was not read at this time.
fn are_swapped(share: f64, [canary, live]: [f64; 2], minutes: f64, near: bool) -> bool {
    are_crossed(share, [canary, live])
        && arms_swapped(share, canary * minutes, live * minutes).is_ok_and(|log| log >= STRIKING)
        && (!near
            || canary.min(live) > 0.0
                && ln(canary / live).abs() >= 0.5 * ln((1.0 - share) / share).abs())
}

/// Whether the arm with the smaller share has more: only then are logarithms computed.
fn are_crossed(share: f64, [canary, live]: [f64; 2]) -> bool {
    if share < 0.5 { canary > live } else { canary < live }
}

/// Ln of an upper bound of the chance that the other arm has exactly these counts, given the trials
/// and the sums of both arms.
fn ln_chance(data: Data, arm: &[f64]) -> f64 {
    match data {
        Data::Trials => ln_of_trials(arm[0], arm[1]),
        Data::Exposure => ln_of_events(arm[0]),
        // Bucket by bucket, each among the remaining requests.
        Data::Buckets => {
            let (mut left, mut below, mut sum) = (arm[0], 0.0, 0.0);
            for &at_or_below in &arm[1..] {
                sum += ln_of_trials(at_or_below - below, left);
                left -= at_or_below - below;
                below = at_or_below;
            }
            sum
        }
        Data::Level => 0.0,
    }
}

/// `x` of `n` in one arm given `2x` of `2n` in both: `C(2x,x) C(2n-2x,n-x) / C(2n,n)`, each central
/// coefficient between `4^k/√(π(k + 1/2))` and `4^k/√(π(k + 1/4))`.
fn ln_of_trials(events: f64, trials: f64) -> f64 {
    let others = trials - events;
    if events <= 0.0 || others <= 0.0 {
        return 0.0;
    }
    (0.5 * (ln(trials + 0.5) - ln(PI * (events + 0.25) * (others + 0.25)))).min(0.0)
}

/// `x` events in one arm given `2x` in both, at the split where that is most likely.
fn ln_of_events(events: f64) -> f64 {
    if events <= 0.0 { 0.0 } else { (-0.5 * ln(PI * (events + 0.25))).min(0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::numeric::exp;

    fn choose(n: u64, k: u64) -> f64 {
        (0..k).map(|i| (n - i) as f64 / (k - i) as f64).product()
    }

    #[test]
    fn field_4_the_chance_of_equal_ticks_is_never_understated_and_never_far_off() {
        for n in [1_u64, 2, 7, 40] {
            for x in 1..n {
                let exact = choose(2 * x, x) * choose(2 * (n - x), n - x) / choose(2 * n, n);
                let bound = exp(ln_of_trials(x as f64, n as f64));
                assert!(bound >= exact * (1.0 - 1e-12), "{x} of {n}: {bound} < {exact}");
                assert!(bound <= exact * 1.2, "{x} of {n}: {bound} for {exact}");
            }
        }
        for x in [1_u64, 3, 20] {
            let exact = choose(2 * x, x) / 4f64.powi(i32::try_from(2 * x).unwrap() / 2);
            let bound = exp(ln_of_events(x as f64));
            assert!(bound >= exact && bound <= exact * 1.2, "{x}: {bound} for {exact}");
        }
    }

    #[test]
    fn field_4_a_wrong_split_heals_after_as_long_as_it_took_to_find() {
        let at = |seconds: i64| Timestamp::try_from_millis(seconds * 1000).unwrap();
        let window = Span::from_seconds(60);
        let mut finding = SplitFinding::default();
        for second in (0..300).step_by(10) {
            finding.apply(at(second), None, window);
            assert!(!finding.applies());
        }
        finding.apply(at(300), Some(Worse::Higher), window);
        for second in (310..600).step_by(10) {
            finding.apply(at(second), None, window);
            assert!(finding.applies(), "{second}");
        }
        finding.apply(at(600), None, window);
        assert!(!finding.applies());
        // Found again at once, it still applies for a window.
        finding.apply(at(610), Some(Worse::Higher), window);
        finding.apply(at(620), Some(Worse::Higher), window);
        finding.apply(at(670), None, window);
        assert!(finding.applies());
        finding.apply(at(680), None, window);
        assert!(!finding.applies());
    }

    #[test]
    fn field_4_arms_without_errors_are_alike_by_nature() {
        assert_eq!(ln_of_trials(0.0, 1e9), 0.0);
        assert_eq!(ln_of_trials(1e9, 1e9), 0.0);
        assert_eq!(ln_of_events(0.0), 0.0);
        assert_eq!(ln_chance(Data::Buckets, &[100.0, 0.0, 100.0, 100.0]), 0.0);
    }
}
