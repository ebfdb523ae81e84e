//! Settings of a metric, in the terms of Kayenta's `analysisConfigurations.canary`.

use super::error::KayentaErrors;
use crate::document::DocumentFault;
use crate::grade::closed_set;

closed_set! {
    /// Direction in which a metric must not move.
    #[derive(Default)]
    Direction {
        /// More is bad.
        Increase = "increase",
        /// Less is bad.
        Decrease = "decrease",
        /// Both are; also any other word.
        #[default]
        Either = "either",
    }
    /// Measure of the effect size, in addition to significance.
    #[derive(Default)]
    Measure {
        /// Mean of the experiment over mean of the control; not known where either is 0. Also any
        /// other word.
        #[default]
        MeanRatio = "meanRatio",
        /// Chance that a point of the experiment exceeds one of the control, ties half.
        CommonLanguage = "cles",
    }
}

/// Treatment of a missing point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NanStrategy {
    /// It is left out; `remove`, and any other word.
    #[default]
    Remove,
    /// It counts as 0; `replace`. An empty sample then passes.
    Replace,
}

impl NanStrategy {
    /// By Kayenta's term, if it is one.
    pub fn of(word: &str) -> Option<Self> {
        match word {
            // Kayenta's own default is a value that it does not know.
            "remove" | "none" => Some(Self::Remove),
            "replace" => Some(Self::Replace),
            _ => None,
        }
    }
}

/// Treatment of outliers, for each sample separately.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Outliers {
    /// They stay; `keep`, and any other word.
    #[default]
    Keep,
    /// Points beyond Tukey's fences and beyond the first and last percent are left out; `remove`.
    Remove {
        /// How many interquartile ranges a fence lies beyond its quartile; above 0.
        factor: f64,
    },
}

impl Outliers {
    /// Kayenta's `outlierFactor` by default.
    pub const FACTOR: f64 = 3.0;
}

impl Measure {
    /// What 'no effect' is, and each threshold's default.
    pub const fn none(self) -> f64 {
        match self {
            Self::MeanRatio => 1.0,
            Self::CommonLanguage => 0.5,
        }
    }
}

/// Effect sizes from which a difference counts and from which it is critical.
#[derive(Clone, Copy, Debug, PartialEq, educe::Educe)]
#[educe(Default(expression = Self::of(Measure::default())))]
pub struct EffectSize {
    /// How an effect is measured.
    pub measure: Measure,
    /// `High` needs an effect of at least this.
    pub allowed_increase: f64,
    /// `Low` needs an effect of at most this.
    pub allowed_decrease: f64,
    /// A critical `High` needs an effect of at least this.
    pub critical_increase: f64,
    /// A critical `Low` needs an effect of at most this.
    pub critical_decrease: f64,
}

impl EffectSize {
    /// A measure with its defaults: any effect counts.
    pub const fn of(measure: Measure) -> Self {
        let none = measure.none();
        Self {
            measure,
            allowed_increase: none,
            allowed_decrease: none,
            critical_increase: none,
            critical_decrease: none,
        }
    }
}

/// Settings of one metric; the default is Kayenta's.
#[derive(Clone, Debug, PartialEq, educe::Educe)]
#[educe(Default)]
pub struct MetricSettings {
    /// In which direction it may not move.
    pub direction: Direction,
    /// Treatment of missing points.
    pub nan_strategy: NanStrategy,
    /// Whether its failure fails the whole.
    pub critical: bool,
    /// Whether a sample without points fails it, instead of leaving it out.
    pub must_have_data: bool,
    /// Whether it is judged, but does not count.
    pub muted: bool,
    /// From which effect on a difference counts.
    pub effect_size: EffectSize,
    /// Treatment of outliers.
    pub outliers: Outliers,
    /// By which fraction of the estimate the interval has to be away from 0; at least 0. The
    /// original's judge has 0.25 and no setting for it.
    #[educe(Default = 0.25)]
    pub tolerance: f64,
    /// Confidence of the two-sided interval, above 0 and below 1. Kayenta's judge has 0.98 and no
    /// setting for it.
    #[educe(Default = 0.98)]
    pub confidence: f64,
}

impl MetricSettings {
    /// Checks the figures.
    ///
    /// # Errors
    /// `HF-KAY-006` at each figure out of range: a tolerance below 0, a confidence outside 0 to 1, an
    /// outlier factor of 0 or less, and anything that is not finite.
    pub fn check(&self) -> Result<(), KayentaErrors> {
        let mut errors = KayentaErrors::new();
        let mut check = |is_in_range: bool, path: &str, value: f64, range| {
            if !is_in_range {
                let got = value.to_string();
                errors.push(path, DocumentFault::OutOfRange { got, range }.into());
            }
        };
        let (tolerance, confidence) = (self.tolerance, self.confidence);
        let is_tolerance = tolerance >= 0.0 && tolerance.is_finite();
        check(is_tolerance, "/tolerance", tolerance, "a fraction from 0 on, such as 0.25");
        // The interval is computed from the tail, so the tail has to be a probability.
        let is_confidence = confidence > 0.0 && 1.0 - confidence > 0.0;
        check(is_confidence, "/confidence", confidence, "one above 0 and below 1, such as 0.98");
        if let Outliers::Remove { factor } = self.outliers {
            let is_factor = factor > 0.0 && factor.is_finite();
            check(is_factor, "/outliers/outlierFactor", factor, "a number above 0, such as 3");
        }
        let effect = self.effect_size;
        for (path, value) in [
            ("/effectSize/allowedIncrease", effect.allowed_increase),
            ("/effectSize/allowedDecrease", effect.allowed_decrease),
            ("/effectSize/criticalIncrease", effect.critical_increase),
            ("/effectSize/criticalDecrease", effect.critical_decrease),
        ] {
            check(value.is_finite(), path, value, "a finite number");
        }
        errors.or(Some(()))
    }
}
