//! What the judge says, with its evidence (STAT-4, FIELD-11).

use std::fmt;
use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::footing::Guarantee;
use crate::grade::{EvidenceMode, closed_set};
use crate::metric::Band;
use crate::unit::{MetricName, clone_in_place};

use super::harm::Version;

closed_set! {
    /// What a verdict asks for.
    Decision {
        /// Nothing is amiss; go on watching.
        Continue = "continue",
        /// Something keeps the phase from passing; stay.
        Hold = "hold",
        /// The phase has shown what it must.
        Promote = "promote",
        /// Go back.
        RollBack = "roll_back",
        /// A person has to decide.
        Ask = "ask",
    }
    /// Why a verdict is not simply to go on.
    Reason {
        /// The sequential tests together have crossed: the canary is worse.
        Evidence = "evidence",
        /// The sequential tests together, or a calibrated one by itself, are above the hold level.
        HoldLevel = "hold_level",
        /// The exact test at the end of the phase: the canary is worse.
        PhaseEndTest = "phase_end_test",
        /// The tests have crossed, and errors are only assumed to be independent: the policy asks.
        EvidenceAssumed = "evidence_assumed",
        /// The tests have crossed, but not without each one of the canary's instances.
        OnlyWholePasses = "only_whole_passes",
        /// One of replay and randomised says that the canary is worse, the other does not.
        NotBoth = "not_both",
        /// One instance of the canary is worse than the others: replace it.
        BadInstance = "bad_instance",
        /// A metric is beyond its rollback bound.
        RollbackBand = "rollback_band",
        /// A metric is beyond its alert bound.
        AlertBand = "alert_band",
        /// A success bound was missed when the phase was due.
        CriterionMissed = "criterion_missed",
        /// A quantile lies in the same bucket as its bound.
        Between = "between",
        /// Fewer trials than the policy's least.
        TooFewTrials = "too_few_trials",
        /// No reading.
        NoData = "no_data",
        /// The last reading is too old.
        Stale = "stale",
        /// It was read, and nothing judges it: no bound that has its reference, no test with a live arm. Without a metric:
        /// none decides.
        NotJudged = "not_judged",
        /// A reading was NaN or infinite.
        NotFinite = "not_finite",
        /// Readings cover less time than the phase's least: silence is not watching.
        Gaps = "gaps",
        /// The promotion test has not crossed.
        NotShownSafe = "not_shown_safe",
        /// The fix has not been shown to work.
        EfficacyNotShown = "efficacy_not_shown",
        /// Trials do not split as planned.
        SplitNotAsPlanned = "split_not_as_planned",
        /// The arms look swapped.
        ArmsSwapped = "arms_swapped",
        /// Both arms read one series.
        IdenticalArms = "identical_arms",
        /// The phase's longest time is over.
        Undecided = "undecided",
        /// What the phase must show can no longer be shown in the time that is left.
        CannotDecide = "cannot_decide",
        /// A success bound can no longer be met in the time that is left.
        WillFail = "will_fail",
    }
}

/// A reason and the metric it speaks of; none where it is about the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The instance of the canary, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "shared_text")]
    pub instance: Option<Arc<str>>,
    /// The metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<MetricName>,
    /// The reason.
    pub reason: Reason,
}

closed_set! {
    /// What all of the traffic on the fix is compared with, after the last phase (ROLL-6).
    Against {
        /// The live arm: the last phase holds some traffic back.
        HoldBack = "hold_back",
        /// What is on record from before the incident.
        Record = "record",
    }
}

/// The judge's answer at one moment.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// After the last phase: what the fix is compared with (ROLL-6). Absent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
    /// Why, the gravest first; empty for `continue` and `promote`.
    pub causes: Vec<Cause>,
    /// What to do.
    pub decision: Decision,
    /// Whether the fix is shown to work, where the policy claims it (STAT-5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub efficacy: Option<Efficacy>,
    /// Where the decision is to go back although the canary surely hurts fewer requests: `canary`, so that a person can
    /// choose the lesser harm (STAT-5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lesser_harm: Option<Version>,
    /// Log e-value of all rollback tests together. A calibrated one goes in as far as it is above what noise reaches:
    /// lowered by its threshold, raised by `ln(1/α)`.
    pub log_e: f64,
    /// Per metric, in the order of their ids.
    #[serde(with = "by_metric")]
    pub metrics: Vec<(MetricName, MetricVerdict)>,
}

clone_in_place!(Verdict { against, causes, decision, efficacy, lesser_harm, log_e, metrics });

/// The claim that the fix works (STAT-5).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Efficacy {
    /// Log e-value that the rate is cut at least to the policy's ratio of the live baseline.
    pub log_e: f64,
    /// Whether it has ever crossed.
    pub shown: bool,
}

/// One metric's part in a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricVerdict {
    /// Where the trailing window stands.
    pub band: Band,
    /// The live arm's value in the window, in the metric's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// The canary's value in the window, in the metric's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<f64>,
    /// What the rollback test's error rate is known by; absent without a test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guarantee: Option<Guarantee>,
    /// There was trouble in this phase, and it is over (FIELD-8).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub healed: bool,
    /// Log e-value of the rollback test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_e: Option<f64>,
    /// Log e-value of the promotion test, where a phase asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_e_safe: Option<f64>,
    /// The evidence mode in force; absent without a test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<EvidenceMode>,
    /// How many more trials the window needs before the band speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<f64>,
    /// Rate ratio, canary over baseline, over the whole rollout (0.5 added where a count is zero).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
}

impl Default for Verdict {
    /// Nothing seen yet: hold.
    fn default() -> Self {
        Self {
            against: None,
            causes: Vec::new(),
            decision: Decision::Hold,
            efficacy: None,
            lesser_harm: None,
            log_e: 0.0,
            metrics: Vec::new(),
        }
    }
}

impl Verdict {
    /// One metric's part.
    pub fn metric(&self, id: MetricName) -> Option<&MetricVerdict> {
        self.metrics.iter().find_map(|(name, verdict)| (*name == id).then_some(verdict))
    }

    /// Whether a recorded verdict is this one. One of a release that knew no modes says nothing of them.
    pub(crate) fn agrees_with(&self, recorded: &Self) -> bool {
        let silent = recorded.metrics.iter().all(|(_, metric)| metric.mode.is_none());
        let metrics = self.metrics.len() == recorded.metrics.len()
            && self.metrics.iter().zip(&recorded.metrics).all(|((name, metric), (other, said))| {
                let mut metric = *metric;
                if silent {
                    (metric.mode, metric.guarantee, metric.healed) = (None, None, false);
                }
                name == other && metric == *said
            });
        metrics
            && self.causes == recorded.causes
            && self.decision == recorded.decision
            && self.efficacy == recorded.efficacy
            && (recorded.against.is_none() || self.against == recorded.against)
            && (silent || self.lesser_harm == recorded.lesser_harm)
            && self.log_e == recorded.log_e
    }

    /// Whether this reason is among the causes.
    pub fn has(&self, reason: Reason) -> bool {
        self.causes.iter().any(|cause| cause.reason == reason)
    }
}

/// A list of pairs that is an object on the wire.
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

/// A text that several verdicts share.
mod shared_text {
    use super::{Arc, Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
    pub(super) fn serialize<S: Serializer>(
        text: &Option<Arc<str>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        text.as_deref().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Arc<str>>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(Arc::from))
    }
}
