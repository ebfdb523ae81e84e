//! What the judge says, with its evidence (STAT-4, FIELD-11).

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::grade::closed_set;
use crate::metric::Band;
use crate::unit::MetricName;

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
        /// The sequential tests together are above the hold level.
        HoldLevel = "hold_level",
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
        /// The phase's longest time is over.
        Undecided = "undecided",
    }
}

/// A reason and the metric it speaks of; none where it is about the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<MetricName>,
    /// The reason.
    pub reason: Reason,
}

/// The judge's answer at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Why, the gravest first; empty for `continue` and `promote`.
    pub causes: Vec<Cause>,
    /// What to do.
    pub decision: Decision,
    /// Whether the fix is shown to work, where the policy claims it (STAT-5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub efficacy: Option<Efficacy>,
    /// Log e-value of all rollback tests together.
    pub log_e: f64,
    /// Per metric, in the order of their ids.
    #[serde(with = "by_metric")]
    pub metrics: Vec<(MetricName, MetricVerdict)>,
}

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
    /// Log e-value of the rollback test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_e: Option<f64>,
    /// Log e-value of the promotion test, where a phase asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_e_safe: Option<f64>,
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
            causes: Vec::new(),
            decision: Decision::Hold,
            efficacy: None,
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
