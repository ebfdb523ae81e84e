//! Forecast of a phase: how long its tests still need, and whether promotion and efficacy can still be
//! decided.

use serde::{Deserialize, Serialize};

use crate::grade::{PromotionRule, Role};
use crate::policy::Policy;
use crate::stats::numeric::ln;
use crate::stats::planning::{Bets, Flow};
use crate::unit::{MetricName, PhaseName, Span, Timestamp};

use super::aligned::Aligned;
use super::harm::requests_per_minute;
use super::test::Test;
use super::watched::Watched;
use super::{Judge, Moment, Running};

/// Forecast of the phase under way.
///
/// What a test needs is the planning formula's, from the rates of the phase so far: a Brownian motion
/// with the drift of the test's best bet, too low where the chance is small. They decide nothing; `cannot_decide` and
/// `will_fail` in a verdict are based on the best case.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// The time of the forecast.
    pub at: Timestamp,
    /// The efficacy test, if the policy has one and it has not crossed yet; absent while its metric's
    /// readings of the live version are missing.
    pub efficacy: Option<TestForecast>,
    /// Each deciding metric, in the order of their ids.
    pub metrics: Vec<MetricForecast>,
    /// The phase under way.
    pub phase: PhaseName,
    /// Requests a minute over all arms, as observed in the trailing window, and once that is empty in the
    /// phase; else as planned; absent if neither is known.
    pub requests_per_minute: Option<f64>,
    /// Seconds until the least time is over.
    pub until_due: f64,
    /// Seconds until the longest time is over; absent if the phase has none.
    pub until_overdue: Option<f64>,
}

/// One metric.
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricForecast {
    /// The success bound at the reading that opens the gate; absent if none can be computed
    /// beforehand.
    pub bound: Option<BoundForecast>,
    /// The readings of the live version are missing: while they are, its tests cannot decide, and
    /// have no forecast.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub live_missing: bool,
    /// The metric.
    pub metric: MetricName,
    /// The promotion test for an equal canary, if the phase uses it and it has not crossed.
    pub promotion: Option<TestForecast>,
    /// The rollback test for a canary that is worse by the policy's margin. Where its `minutes` are
    /// more than `until_due`, which is in seconds, such a fault is mostly not found in the phase.
    pub rollback: Option<TestForecast>,
}

/// How long a test still needs and, of a promotion or an efficacy test, whether it can still decide.
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestForecast {
    /// Mean time to a decision, in minutes; absent where the bets of the test gain nothing from the
    /// assumed ratio, so that it decides by chance or never.
    pub minutes: Option<f64>,
    /// False if not even the best case can cross in the time left; absent for rollback tests.
    pub possible: Option<bool>,
    /// The assumed ratio of canary to live rate.
    pub ratio: f64,
    /// Requests of both arms that it still needs on average; absent without `minutes`, or if the traffic
    /// is unknown.
    pub requests: Option<f64>,
}

/// Whether a success bound can still be met.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoundForecast {
    /// How many more bad events it allows in the requests still planned; negative where it has been
    /// missed already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allows: Option<f64>,
    /// False if it cannot be met by then, even without a bad event in 1.5 times the traffic.
    pub possible: bool,
}

impl Forecast {
    /// The forecast of the phase; None outside of a phase.
    pub fn of(judge: &Judge, moment: &Moment<'_>, policy: &Policy) -> Option<Self> {
        let running = moment.running.as_ref()?;
        let requests = requests_per_minute(judge, moment);
        let live_is_read = judge.live_is_read();
        let of_metric = |index: usize, watched: &Watched| {
            let settings = policy.settings(watched.metric());
            let (margin, null) = (settings.margin.value(), settings.tolerated.value());
            let own = judge.own_threshold(index);
            let live_missing = watched.live_missing_since(moment, live_is_read).is_some();
            let log_e = watched.log_e().filter(|_| !live_missing);
            let rollback = own.zip(log_e).and_then(|(own, log_e)| {
                let supposed = Supposed { ratio: margin, null };
                watched.look_ahead(supposed, (log_e, own - log_e), requests)
            });
            let asked = running.phase.promotion == PromotionRule::EvidenceOfNoHarm;
            let safe = watched.tests().safe().filter(|_| asked && !live_missing);
            let promotion = safe.and_then(|test| {
                let null = test.null_ratio();
                let supposed = Supposed { ratio: 1.0, null };
                watched.claim(test, supposed, moment, running, requests)
            });
            let left = watched.until_gate(moment, running);
            let bound = watched.can_meet(moment, left).map(|possible| BoundForecast {
                allows: watched.allowance(moment, left),
                possible,
            });
            let metric = watched.metric().id;
            MetricForecast { bound, live_missing, metric, promotion, rollback }
        };
        let efficacy = judge.fix_test.as_ref().filter(|fix| !fix.now.shown).and_then(|fix| {
            let (watched, test) = (&judge.watched[fix.metric], &fix.now.test);
            if watched.live_missing_since(moment, live_is_read).is_some() {
                return None;
            }
            let null = test.null_ratio();
            // The observed ratio, but at most half of the claimed one: at the claim itself the
            // test never crosses.
            let ratio = test.ratio().unwrap_or(null).min(0.5 * null);
            let supposed = Supposed { ratio, null };
            watched.claim(test, supposed, moment, running, requests)
        });
        Some(Self {
            at: moment.at,
            efficacy,
            metrics: judge
                .watched
                .iter()
                .enumerate()
                .filter(|(_, watched)| watched.metric().role == Role::Decide)
                .map(|(index, watched)| of_metric(index, watched))
                .collect(),
            phase: running.phase.name,
            requests_per_minute: requests,
            until_due: running.until_due.as_seconds(),
            until_overdue: running.until_overdue.map(Span::as_seconds),
        })
    }
}

/// A true ratio, and the ratio of the null hypothesis.
#[derive(Clone, Copy, Debug)]
struct Supposed {
    ratio: f64,
    null: f64,
}

impl Watched {
    /// Forecast of a test at the assumed ratio. `has`: its log e-value; `lacking`: what it needs
    /// beyond that. None before a rate is known.
    fn look_ahead(
        &self,
        supposed: Supposed,
        (has, lacking): (f64, f64),
        requests: Option<f64>,
    ) -> Option<TestForecast> {
        let minutes = self.readings().learned.as_seconds() / 60.0;
        let [canary, live] = self.phase_counts();
        if minutes <= 0.0 || canary.trials <= 0.0 || live.trials <= 0.0 {
            return None;
        }
        let pace = [canary.trials / minutes, live.trials / minutes];
        // An observed rate of zero does not mean that the rate is zero.
        let rate = |events: f64| events.max(0.5) / live.trials;
        let (kind, model) = (self.metric().kind, self.metric().model);
        let bets = if kind.has_buckets() { Bets::Slow } else { model.of_counts()?.into() };
        let flow = |rate: f64, ratio: f64| Flow::of(bets, (ratio, supposed.null), rate, pace).ok();
        let (rate, several) = if kind.has_buckets() {
            let phase = &self.window().phase()[self.columns()..];
            let slow = self.boundaries().iter().map(|&edge| phase[0] - phase[1 + edge]);
            let mut rates: Vec<f64> = slow.map(rate).collect();
            let drift = |rate: &f64| flow(*rate, supposed.ratio).map_or(0.0, |flow| flow.drift);
            let by_drift = |a: &f64, b: &f64| drift(a).total_cmp(&drift(b));
            if supposed.ratio < supposed.null {
                // The claim has to be shown at each boundary up to the quantile, and at the next.
                let above = 1.0 - self.metric().quantile.as_fraction();
                let exceeded = rates.iter().take_while(|rate| **rate >= above).count();
                rates.truncate(exceeded + 1);
                (rates.into_iter().min_by(by_drift)?, 0.0)
            } else {
                // The average of several tests costs at most the logarithm of their number.
                let several = ln(rates.len() as f64);
                (rates.into_iter().max_by(by_drift)?, several)
            }
        } else {
            (rate(live.events), 0.0)
        };
        let expected = flow(rate, supposed.ratio)?;
        // What the average over several alternatives costs is paid by the evidence that there is.
        let cost = (expected.cost + several - has.max(0.0)).max(0.0);
        let height = if lacking > 0.0 { lacking + cost } else { 0.0 };
        let minutes = Some(expected.minutes(height)).filter(|minutes| minutes.is_finite());
        let pace = if kind.counts_requests() { Some(pace[0] + pace[1]) } else { requests };
        Some(TestForecast {
            minutes,
            possible: None,
            ratio: supposed.ratio,
            requests: pace.zip(minutes).map(|(pace, minutes)| (pace * minutes).ceil()),
        })
    }

    /// Forecast of a promotion or efficacy test; None if it has crossed.
    fn claim(
        &self,
        test: &Aligned<Test>,
        supposed: Supposed,
        moment: &Moment<'_>,
        running: &Running<'_>,
        requests: Option<f64>,
    ) -> Option<TestForecast> {
        if test.decided() {
            return None;
        }
        let (has, lacking) = (test.log_e(), test.threshold() - test.log_e());
        let mut forecast = self.look_ahead(supposed, (has, lacking), requests)?;
        forecast.possible =
            running.until_overdue.and_then(|left| self.can_show(test, moment, left));
        Some(forecast)
    }
}
