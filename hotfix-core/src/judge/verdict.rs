//! The judge's verdict, with its evidence.

use std::fmt;
use std::sync::Arc;

use educe::Educe;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::evidence_basis::Guarantee;
use crate::grade::{EvidenceMode, MetricKind, closed_set};
use crate::metric::Band;
use crate::policy::Policy;
use crate::text::{enumerated, joined};
use crate::unit::MetricName;

use super::harm::Version;

closed_set! {
    /// Decision of a verdict.
    #[derive(Default)]
    Decision {
        /// No cause for concern: continue to watch.
        Continue = "continue",
        /// Stay in the phase: something prevents its promotion.
        #[default]
        Hold = "hold",
        /// Promote: the phase has met its gate.
        Promote = "promote",
        /// Roll back.
        RollBack = "roll_back",
        /// A person has to decide.
        Ask = "ask",
    }
    /// Reason for a decision other than to continue or promote.
    Reason {
        /// The sequential tests together have crossed: the canary is worse.
        Evidence = "evidence",
        /// The sequential tests together, or a calibrated one by itself, are above the hold level.
        HoldLevel = "hold_level",
        /// The canary is slower, but its instances are new, or its excess is decaying: its latency
        /// evidence does not roll back yet.
        WarmingUp = "warming_up",
        /// The canary is more than 1.1 times as slow, which is tolerated, or only one boundary of its
        /// histogram shows more: by itself that does not roll back.
        SlightlySlower = "slightly_slower",
        /// The exact test at the end of the phase: the canary is worse.
        PhaseEndTest = "phase_end_test",
        /// The tests have crossed, and errors are only assumed to be independent: the policy asks.
        EvidenceAssumed = "evidence_assumed",
        /// The live version fails at least 10 of 100 requests more than the canary: a rollback would
        /// make them fail again.
        FewerFailures = "fewer_failures",
        /// The evidence is enough only because of one instance, which the cause names.
        OnlyWholePasses = "only_whole_passes",
        /// Only one of `replay` and `randomised` finds the canary worse.
        NotBoth = "not_both",
        /// One instance of the canary is worse than the others: replace it.
        BadInstance = "bad_instance",
        /// A metric is beyond its rollback bound.
        RollbackBand = "rollback_band",
        /// A metric is beyond its rollback bound, but not without this one of the canary's
        /// instances.
        OneInstance = "one_instance",
        /// A metric is beyond its rollback bound, and a test that knows the noise of the service, or
        /// its bursts of failures, does not confirm that the canary is worse.
        NotConfirmed = "not_confirmed",
        /// The canary may be in a burst of failures or slow requests: they count once they have stayed for
        /// minutes.
        Burst = "burst",
        /// A metric is beyond its alert bound.
        AlertBand = "alert_band",
        /// A metric was beyond one of its bounds over the phase when readings covered its least time,
        /// or when its longest time was over.
        CriterionMissed = "criterion_missed",
        /// A quantile lies in the same bucket as its bound, where it cannot be interpolated.
        Between = "between",
        /// There are fewer trials than the policy's least, or no request has come for too long.
        TooFewTrials = "too_few_trials",
        /// The metric was not read.
        NoData = "no_data",
        /// The last reading is too old.
        Stale = "stale",
        /// The readings of the live version are missing: none came, none with a request, or none but NaN
        /// and infinities, for too long or in this phase, though it was read before, by this metric or
        /// another.
        NoLiveData = "no_live_data",
        /// With some of the traffic held back no metric has ever read the live version, so that a test
        /// or a bound of this one compares nothing. Not raised any more once a person has promoted a
        /// phase for it.
        LiveNeverRead = "live_never_read",
        /// Nothing judges its reading now: no bound has its reference, and no test has a live arm
        /// or readings from before the start, or these are used up.
        /// Without a metric: no metric decides.
        NotJudged = "not_judged",
        /// A person is asked about a metric that nothing judges, and it is clearly worse than when one was
        /// last asked; after the completion, where it was not read then, than before the deployment.
        WorseThanSeen = "worse_than_seen",
        /// A reading of the canary was NaN or infinite.
        NotFinite = "not_finite",
        /// Readings cover less than the phase's least time: time without readings does not count.
        Gaps = "gaps",
        /// The promotion test has not crossed.
        NotShownSafe = "not_shown_safe",
        /// The fix has not been shown to work.
        EfficacyNotShown = "efficacy_not_shown",
        /// The trials of both arms do not split as planned; of a volume, the fix has at least twice its share.
        SplitNotAsPlanned = "split_not_as_planned",
        /// The arms look swapped.
        ArmsSwapped = "arms_swapped",
        /// Both arms had the same counts in every tick: they read one series.
        IdenticalArms = "identical_arms",
        /// The phase's longest time is over, or it has none and was held for too long.
        Inconclusive = "inconclusive",
        /// The phase can no longer meet its gate in the time that is left.
        CannotDecide = "cannot_decide",
        /// A success bound can no longer be met in the time that is left.
        WillFail = "will_fail",
    }
}

impl Decision {
    /// Whether a person has to decide, unless the policy rolls back.
    pub(crate) const fn needs_answer(self) -> bool {
        matches!(self, Self::Ask | Self::RollBack)
    }
}

impl Reason {
    /// The reason as a clause about a metric of this kind.
    pub(crate) const fn describe_for(self, kind: Option<MetricKind>) -> &'static str {
        match (self, kind) {
            (Self::TooFewTrials, Some(kind)) if !kind.counts_requests() => {
                "not watched for long enough yet"
            }
            (Self::Between, Some(kind)) if kind.is_traffic() => {
                "compared with its level 20 to 5 minutes ago once readings cover 10 minutes of that time"
            }
            (Self::NotJudged, None) => "no metric decides",
            (Self::Burst, Some(kind)) if kind.has_buckets() => {
                "slow requests may be a burst, which counts only if it stays"
            }
            _ => self.describe(),
        }
    }

    /// Whether it says that there is nothing to judge, and not that it is bad.
    const fn is_silent(self) -> bool {
        self.is_missing() || matches!(self, Self::NotJudged | Self::TooFewTrials)
    }

    /// Whether one of the canary's instances is the reason, and not all of them.
    pub(super) const fn is_of_one_instance(self) -> bool {
        matches!(self, Self::BadInstance | Self::OneInstance | Self::OnlyWholePasses)
    }

    /// Whether it says that more has to be seen, and not that anything is bad.
    pub(super) const fn waits(self) -> bool {
        let waits = matches!(self, Self::NotShownSafe | Self::Inconclusive | Self::CannotDecide);
        waits || self.is_silent()
    }

    /// Whether it says that readings are missing.
    pub(super) const fn is_missing(self) -> bool {
        matches!(
            self,
            Self::NoData
                | Self::Stale
                | Self::NotFinite
                | Self::NoLiveData
                | Self::LiveNeverRead
                | Self::Gaps
        )
    }

    /// Whether no reading comes, or none that is a number.
    fn has_stopped(self) -> bool {
        self.is_missing() && !matches!(self, Self::Gaps | Self::LiveNeverRead)
    }

    /// The reason as a clause, for pages, explanations and reports.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Evidence => "the evidence shows that the canary is worse",
            Self::HoldLevel => "the evidence that the canary is worse has reached the hold level",
            Self::WarmingUp => "the canary is slower, and its instances are still warming up",
            Self::SlightlySlower => {
                "the canary is slower than the baseline, and not shown to be so by more than is \
                 tolerated"
            }
            Self::PhaseEndTest => {
                "the exact test at the end of the phase shows that the canary is worse"
            }
            Self::EvidenceAssumed => {
                "the evidence shows that the canary is worse only if errors are independent"
            }
            Self::FewerFailures => {
                "the evidence shows that the canary is worse, but far fewer of its requests fail"
            }
            Self::OnlyWholePasses => {
                "the evidence is not enough without one of the canary's instances"
            }
            Self::NotBoth => {
                "only one of the modes `replay` and `randomised` shows that the canary is worse"
            }
            Self::BadInstance => "one instance of the canary is worse than the others",
            Self::RollbackBand => "rollback bound crossed",
            Self::OneInstance => {
                "the rollback bound is crossed by one instance of the canary alone"
            }
            Self::NotConfirmed => {
                "rollback bound crossed, but the test does not show that the canary is worse"
            }
            Self::Burst => {
                "the canary may be in a burst of failures, which counts only if it stays"
            }
            Self::AlertBand => "alert bound crossed",
            Self::CriterionMissed => "criterion not met at the end of the phase",
            Self::Between => "the bound lies within one histogram bucket and cannot be judged",
            Self::TooFewTrials => "too few requests so far",
            Self::NoData => "no reading",
            Self::Stale => "the last reading is too old",
            Self::NoLiveData => "the readings of the live version are missing",
            Self::LiveNeverRead => "not compared: the live version was never read",
            Self::NotJudged => "no bound or test applies at present",
            Self::WorseThanSeen => {
                "clearly worse than when a person was last asked, and nothing judges it"
            }
            Self::NotFinite => "the reading is not a finite number",
            Self::Gaps => "the readings cover less than the phase's minimum time",
            Self::NotShownSafe => "not yet shown to be within the margin",
            Self::EfficacyNotShown => "the fix is not yet shown to work",
            Self::SplitNotAsPlanned => "the traffic split differs from the plan",
            Self::ArmsSwapped => "canary and baseline look swapped",
            Self::IdenticalArms => "canary and baseline have identical readings",
            Self::Inconclusive => "the watch is over without a decision",
            Self::CannotDecide => "the criteria can no longer be met in the time that is left",
            Self::WillFail => "a success bound can no longer be met in the time that is left",
        }
    }
}

/// A reason, with the metric or instance that it applies to; without them it applies to the whole.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Educe, Eq, Serialize, Deserialize)]
#[educe(PartialEq)]
pub struct Cause {
    /// The instance of the canary, if it applies to one.
    pub instance: Option<Arc<str>>,
    /// The metric, if it applies to one.
    pub metric: Option<MetricName>,
    /// The decision is to roll back, and this cause did not lead to it.
    // Causes that somebody was asked about are compared with later ones, whatever those lead to.
    #[educe(PartialEq(ignore))]
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub milder: bool,
    /// The reason.
    pub reason: Reason,
}

impl Cause {
    pub(crate) const fn new(
        reason: Reason,
        metric: Option<MetricName>,
        instance: Option<Arc<str>>,
    ) -> Self {
        Self { instance, metric, milder: false, reason }
    }

    /// Those that led to a rollback, of the causes of its verdict: the most severe ones.
    pub(crate) fn of_rollback(causes: &[Self]) -> &[Self] {
        let milder = causes.iter().position(|cause| cause.milder);
        milder.map_or(causes, |place| &causes[..place])
    }

    /// Whether a cause says that something is bad, and not only that more has to be seen.
    pub(crate) fn find_harm(causes: &[Self]) -> bool {
        causes.iter().any(|cause| !cause.reason.waits())
    }

    /// Causes of a verdict by reason: `error rate and log errors above the rollback bound; response
    /// time: evidence of harm`.
    pub(crate) fn described(policy: &Policy, causes: &[Self]) -> String {
        let mut grouped: Vec<(String, Vec<String>)> = Vec::new();
        for cause in causes.iter().filter(|cause| !cause.is_covered(causes)) {
            let metric = cause.metric.and_then(|id| policy.metric(id.as_str()));
            let mut about =
                cause.metric.map(|id| policy.metric_title(id)).filter(|title| !title.is_empty());
            if let Some(instance) = &cause.instance {
                about = Some(format!("{} ({instance})", about.unwrap_or_default()));
            }
            let why = match (cause.reason, metric.map(|metric| metric.worse.side())) {
                (Reason::RollbackBand, Some(side)) => format!(" {side} the rollback bound"),
                (Reason::AlertBand, Some(side)) => format!(" {side} the alert bound"),
                (reason, _) => {
                    let kind = metric.map(|metric| metric.kind);
                    let link = if about.is_some() { ": " } else { "" };
                    format!("{link}{}", reason.describe_for(kind))
                }
            };
            // Where all traffic moves at once there is no canary.
            let why =
                if policy.moves_at_once() { why.replace("the canary", "the fix") } else { why };
            match grouped.iter_mut().find(|(known, _)| *known == why) {
                Some((_, all)) => all.extend(about),
                None => grouped.push((why, about.into_iter().collect())),
            }
        }
        let one = |(why, about): &(String, Vec<String>)| format!("{}{why}", enumerated(about));
        joined(grouped.iter().map(one), "; ")
    }

    /// Whether another cause is of the same metric or instance; without one, of the same reason.
    pub(crate) fn is_of_the_same(&self, other: &Self) -> bool {
        self.metric == other.metric
            && self.instance == other.instance
            && (self.metric.is_some() || self.reason == other.reason)
    }

    /// Whether who was asked about another cause knows of this one: the figures of the same metric or
    /// instance are bad, none of them is judged, they have gaps, or they have stopped.
    pub(crate) fn is_known_by(&self, other: &Self) -> bool {
        let shows =
            |of: &Self| (of.reason.is_silent(), of.reason == Reason::Gaps, of.reason.has_stopped());
        self.is_of_the_same(other) && shows(self) == shows(other)
    }

    /// Whether what somebody was asked about, this cause, may still be so beside one of a later verdict.
    pub(crate) fn lasts_with(&self, now: &Self) -> bool {
        self.is_of_the_same(now) && (now.reason.has_stopped() || !self.reason.has_stopped())
    }

    /// Whether another cause says more of the same metric.
    pub(crate) fn is_covered(&self, causes: &[Self]) -> bool {
        let more: &[Reason] = match self.reason {
            Reason::SlightlySlower => &[
                Reason::Evidence,
                Reason::PhaseEndTest,
                Reason::EvidenceAssumed,
                Reason::FewerFailures,
                Reason::RollbackBand,
                Reason::AlertBand,
            ],
            Reason::TooFewTrials => {
                &[Reason::Stale, Reason::NoData, Reason::IdenticalArms, Reason::ArmsSwapped]
            }
            Reason::Gaps => &[Reason::Stale],
            Reason::NotJudged => &[Reason::LiveNeverRead],
            Reason::BadInstance => &[Reason::OneInstance],
            _ => return false,
        };
        causes.iter().any(|other| {
            (other.metric, &other.instance) == (self.metric, &self.instance)
                && more.contains(&other.reason)
        })
    }
}

closed_set! {
    /// What all of the traffic on the fix is compared with, after the last phase.
    Against {
        /// The live arm: the last phase holds some traffic back.
        HoldBack = "hold_back",
        /// How the metric was before the incident: its key `reference`.
        Reference = "reference",
    }
}

/// The judge's verdict at one moment.
#[serde_with::skip_serializing_none]
#[derive(Debug, Default, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
pub struct Verdict {
    /// After the last phase: what the fix is compared with. Absent before.
    pub against: Option<Against>,
    /// The causes, most severe first; empty for `continue` and `promote`.
    pub causes: Vec<Cause>,
    /// The decision.
    pub decision: Decision,
    /// The efficacy test, if the policy has one.
    pub efficacy: Option<Efficacy>,
    /// `canary` where the decision is to roll back although the canary certainly has fewer bad
    /// events, so that a person can choose the lesser harm.
    pub lesser_harm: Option<Version>,
    /// Log e-value of all rollback tests together. A calibrated test counts as far as it exceeds
    /// the level of noise: its log e is lowered by its threshold and raised by `ln(1/α)`.
    pub log_e: f64,
    /// Each metric's part, in the order of their ids.
    #[serde(with = "by_metric")]
    pub metrics: Vec<(MetricName, MetricVerdict)>,
}

/// The efficacy test: whether the fix works.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Efficacy {
    /// Log e-value that the rate is cut to at most the policy's ratio of the live baseline.
    pub log_e: f64,
    /// Whether it has crossed. No longer so where the evidence has fallen as far below zero since.
    pub shown: bool,
}

/// One metric's part in a verdict.
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricVerdict {
    /// Band of the trailing window.
    pub band: Band,
    /// The live arm's value in the window, in the metric's unit; with all traffic moved at once,
    /// that of the live version before the deployment. A quantile as in `canary`.
    pub baseline: Option<f64>,
    /// Edges of the histogram bucket, in seconds, in which `canary` was interpolated to decide the
    /// band, with an error of 10%; absent where the edges alone decide.
    pub bucket: Option<[f64; 2]>,
    /// The canary's value in the window, in the metric's unit. A quantile is the middle of its bucket,
    /// in the open last one the lower edge, and where `bucket` is given it is interpolated, as texts and
    /// tables have it.
    pub canary: Option<f64>,
    /// Basis of the rollback test's false-rollback rate; absent without a test.
    pub guarantee: Option<Guarantee>,
    /// There was degradation in this phase, and it is over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub healed: bool,
    /// Log e-value of the rollback test.
    pub log_e: Option<f64>,
    /// Log e-value of the promotion test, if a phase uses it.
    pub log_e_safe: Option<f64>,
    /// The evidence mode in force; absent without a test.
    pub mode: Option<EvidenceMode>,
    /// How many more trials the window needs before bounds apply, or seconds for a metric without
    /// trials; absent if none.
    pub needs: Option<f64>,
    /// Rate ratio, canary over baseline, over the whole rollout: with 0.5 in place of a count that is
    /// zero, and absent where both are. With several strata or planned splits it is the one within
    /// them, by Mantel and Haenszel.
    pub ratio: Option<f64>,
}

impl Verdict {
    /// One metric's part.
    pub fn metric(&self, id: MetricName) -> Option<&MetricVerdict> {
        self.metrics.iter().find_map(|(name, verdict)| (*name == id).then_some(verdict))
    }

    /// Marks the causes of a rollback that did not lead to it: the first `leading` ones did.
    pub(crate) fn mark_milder(&mut self, leading: usize) {
        if self.decision == Decision::RollBack {
            self.causes.iter_mut().skip(leading).for_each(|cause| cause.milder = true);
        }
    }

    /// Why it decides so: its causes, or of a rollback those that led to it.
    pub(crate) fn led_by(&self) -> &[Cause] {
        Cause::of_rollback(&self.causes)
    }

    /// Whether this reason is among the causes.
    pub fn has(&self, reason: Reason) -> bool {
        self.causes.iter().any(|cause| cause.reason == reason)
    }
}

/// Serialises a list of pairs as an object.
mod by_metric {
    use super::{Deserializer, MapAccess, MetricName, MetricVerdict, Serializer, Visitor, fmt};

    type Pairs = Vec<(MetricName, MetricVerdict)>;

    pub(super) fn serialize<S: Serializer>(
        pairs: &Pairs,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(pairs.iter().map(|(name, verdict)| (name, verdict)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Pairs, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of verdicts by metric id")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(8));
                while let Some(entry) = map.next_entry()? {
                    pairs.push(entry);
                }
                Ok(pairs)
            }
        }
        deserializer.deserialize_map(Map)
    }
}
