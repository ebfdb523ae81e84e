//! Classification of one metric from its two samples.

use super::error::{KayentaErrors, KayentaFault, pointer};
use super::exact::{Shift, exact};
use super::ranks::Ranks;
use super::root::{Point, zero};
use super::sample::{Arms, Prepared, Series};
use super::settings::{Direction, EffectSize, Measure, MetricSettings, NanStrategy};
use crate::grade::closed_set;
use crate::stats::interval::Interval;
use crate::stats::numeric::normal_quantile;
use serde::{Deserialize, Serialize};

closed_set! {
    /// Classification of a metric, in Kayenta's terms.
    #[derive(Default)]
    Classification {
        /// No difference that counts.
        #[default]
        Pass = "Pass",
        /// The experiment is higher.
        High = "High",
        /// The experiment is lower.
        Low = "Low",
        /// A sample has no points.
        Nodata = "Nodata",
        /// A sample has no points and must have some.
        NodataFailMetric = "NodataFailMetric",
        /// The samples cannot be compared.
        Error = "Error",
    }
}

/// Result for a metric, with the numbers that it is based on.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricResult {
    /// The metric's name.
    pub name: String,
    /// The groups that it counts in.
    pub groups: Vec<String>,
    /// Whether it is judged, but does not count.
    pub muted: bool,
    /// Classification by Kayenta's interval and estimate.
    pub classification: Classification,
    /// Whether it fails the whole comparison, as Kayenta decides.
    pub critical: bool,
    /// Why, in a sentence; absent for an ordinary pass.
    pub reason: Option<String>,
    /// Mean of the experiment over mean of the control, Kayenta's `deviation`; 1 where nothing was
    /// compared, else None for an error or where either mean is 0.
    pub ratio: Option<f64>,
    /// The effect by the measure of the settings; None as the ratio is, and where nothing was
    /// compared.
    pub effect: Option<f64>,
    /// The control's points after preparation.
    pub control: Series,
    /// The experiment's points after preparation.
    pub experiment: Series,
    /// Interval for the shift from control to experiment, as Kayenta's root finder computes it; its
    /// ends may be swapped.
    pub interval: Option<Interval>,
    /// The shift, as Kayenta's root finder computes it.
    pub estimate: Option<f64>,
    /// Classification by the exact interval and estimate.
    pub exact: Classification,
    /// Whether by these it would fail the whole comparison.
    pub exact_critical: bool,
    /// Exact interval for the shift.
    pub exact_interval: Option<Interval>,
    /// The median of all differences of a point of the experiment and one of the control.
    pub exact_estimate: Option<f64>,
    /// Whether Kayenta's root finder, and not the data, decided the classification.
    pub differs: bool,
    /// What a reader has to know about this result.
    pub note: Option<String>,
}

/// Classifies one metric as Kayenta does.
///
/// # Errors
/// [`KayentaFault::Infinite`] for an infinite point, and all settings that are out of range.
///
/// ```
/// use hotfix_core::kayenta::{Arms, Classification, MetricSettings, classify};
///
/// // Kayenta's issue 426: rare errors against none.
/// let arms = Arms {
///     control: vec![0.0; 6],
///     experiment: vec![0.0, 1.0, 2.0, 1.0, 0.0, 0.0],
/// };
/// let result = classify("errors", &arms, &MetricSettings::default()).expect("finite points");
/// assert_eq!(result.classification, Classification::Pass);
/// assert_eq!(result.ratio, None, "the mean of the control is 0");
/// ```
pub fn classify(
    name: &str,
    arms: &Arms,
    settings: &MetricSettings,
) -> Result<MetricResult, KayentaErrors> {
    settings.check()?;
    for (arm, points) in [("control", &arms.control), ("experiment", &arms.experiment)] {
        if let Some(index) = points.iter().position(|point| point.is_infinite()) {
            let path = format!("{}/{arm}", pointer(name));
            return Err(KayentaErrors::of(&path, KayentaFault::Infinite { index }));
        }
    }
    let control = Prepared::new(&arms.control, settings);
    let experiment = Prepared::new(&arms.experiment, settings);
    let mut result = MetricResult {
        name: name.to_owned(),
        muted: settings.muted,
        ratio: Some(1.0),
        control: control.arm,
        experiment: experiment.arm,
        ..MetricResult::default()
    };
    if control.points.is_empty() || experiment.points.is_empty() {
        without_data(&mut result, settings);
    } else if control.points == experiment.points {
        result.reason = Some("the samples are identical".to_owned());
    } else if control.constant().is_some() && control.constant() == experiment.constant() {
        result.note = Some("all points of both samples are equal".to_owned());
    } else {
        compare(&mut result, &control, &experiment, settings);
    }
    Ok(result)
}

fn without_data(result: &mut MetricResult, settings: &MetricSettings) {
    if settings.nan_strategy == NanStrategy::Replace {
        result.note = Some(
            "a sample is empty, and `nanStrategy` is `replace`: the original passes it".into(),
        );
        return;
    }
    let required = settings.must_have_data && !settings.critical;
    let (classification, critical) = if required {
        (Classification::NodataFailMetric, false)
    } else {
        (Classification::Nodata, settings.critical)
    };
    (result.classification, result.critical) = (classification, critical);
    (result.exact, result.exact_critical) = (classification, critical);
    result.reason = Some(format!("missing data for {}", result.name));
}

/// Compares two samples that have points and differ.
fn compare(
    result: &mut MetricResult,
    control: &Prepared,
    experiment: &Prepared,
    settings: &MetricSettings,
) {
    let mut ranks = Ranks::new(&experiment.points, &control.points);
    let means = experiment.arm.mean.zip(control.arm.mean);
    let means = means.filter(|(over, under)| *over != 0.0 && *under != 0.0);
    result.ratio = means.map(|(over, under)| over / under).filter(|ratio| ratio.is_finite());
    let effect = match settings.effect_size.measure {
        Measure::MeanRatio => result.ratio,
        Measure::CommonLanguage => {
            let pairs = experiment.points.len() as f64 * control.points.len() as f64;
            Some(ranks.wins() / pairs)
        }
    };
    result.effect = effect;
    let constant = control.constant().zip(experiment.constant());
    let quantile = -normal_quantile(0.5 * (1.0 - settings.confidence));
    let shifts = match constant {
        // Equal samples are handled before, so the difference is not 0.
        Some((from, to)) => {
            result.note =
                Some("both samples are constant: the difference decides, without noise".into());
            let estimate = to - from;
            let shift = Shift { interval: Interval { low: estimate, high: estimate }, estimate };
            Some((shift, shift))
        }
        None => shifts(&mut ranks, &experiment.points, &control.points, quantile),
    };
    let is_finite = |Shift { interval, estimate }: &Shift| {
        [interval.low, interval.high, *estimate].iter().all(|end| end.is_finite())
    };
    let shifts = shifts.filter(|(found, exact)| is_finite(found) && is_finite(exact));
    let Some((found, exact)) = shifts else {
        result.classification = Classification::Error;
        result.exact = Classification::Error;
        (result.ratio, result.effect) = (None, None);
        result.reason = Some(
            "metric classification failed: the shift between the samples is beyond the precision \
             of their points"
                .into(),
        );
        return;
    };
    (result.interval, result.estimate) = (Some(found.interval), Some(found.estimate));
    (result.exact_interval, result.exact_estimate) = (Some(exact.interval), Some(exact.estimate));
    result.classification = label(&found, effect, settings);
    result.critical = is_critical(result.classification, effect, settings);
    result.exact = label(&exact, effect, settings);
    result.exact_critical = is_critical(result.exact, effect, settings);
    result.differs = result.classification != result.exact;
    result.reason = reason(result, &found, settings);
    if result.differs {
        result.note = Some(format!(
            "the original's root finder stops within 1e-4, which decides here: exactly, the \
             interval is {} to {} and the estimate {}, which is {}",
            exact.interval.low, exact.interval.high, exact.estimate, result.exact
        ));
    }
}

/// The shift as Kayenta computes it, and exactly; `None` where Kayenta fails.
fn shifts(ranks: &mut Ranks, x: &[f64], y: &[f64], quantile: f64) -> Option<(Shift, Shift)> {
    let (least, most) = (x[0] - y[y.len() - 1], x[x.len() - 1] - y[0]);
    let (at_least, at_most) = (ranks.statistic(least)?, ranks.statistic(most)?);
    let mut solve = |quantile: f64| {
        let lower = Point { at: least, value: at_least - quantile };
        let upper = Point { at: most, value: at_most - quantile };
        zero(lower, upper, |shift| Some(ranks.statistic(shift)? - quantile))
    };
    let mut end = |quantile: f64| {
        if at_least - quantile <= 0.0 {
            Some(least)
        } else if at_most - quantile >= 0.0 {
            Some(most)
        } else {
            solve(quantile)
        }
    };
    let interval = Interval { low: end(quantile)?, high: end(-quantile)? };
    let found = Shift { interval, estimate: solve(0.0)? };
    Some((found, exact(ranks, x, y, quantile, &found)))
}

fn label(shift: &Shift, effect: Option<f64>, settings: &MetricSettings) -> Classification {
    let bound = settings.tolerance * shift.estimate.abs();
    let EffectSize { allowed_increase, allowed_decrease, .. } = settings.effect_size;
    let Interval { low, high } = shift.interval;
    let rises = low > bound && effect.is_none_or(|effect| effect >= allowed_increase);
    let falls = high < -bound && effect.is_none_or(|effect| effect <= allowed_decrease);
    match settings.direction {
        Direction::Increase | Direction::Either if rises => Classification::High,
        Direction::Decrease | Direction::Either if falls => Classification::Low,
        _ => Classification::Pass,
    }
}

fn is_critical(label: Classification, effect: Option<f64>, settings: &MetricSettings) -> bool {
    let EffectSize { critical_increase, critical_decrease, .. } = settings.effect_size;
    settings.critical
        && match label {
            Classification::High => effect.is_none_or(|effect| effect >= critical_increase),
            Classification::Low => effect.is_none_or(|effect| effect <= critical_decrease),
            _ => false,
        }
}

fn reason(result: &MetricResult, shift: &Shift, settings: &MetricSettings) -> Option<String> {
    let EffectSize { allowed_increase, allowed_decrease, .. } = settings.effect_size;
    let bound = settings.tolerance * shift.estimate.abs();
    let label = result.classification;
    let (side, bound, way, allowed) = match label {
        Classification::High => ("above", bound, "at least", allowed_increase),
        Classification::Low => ("below", -bound, "at most", allowed_decrease),
        _ => return None,
    };
    let effect = result.effect.map_or_else(
        || "the effect is not known".to_owned(),
        |effect| format!("the effect {effect} is {way} {allowed}"),
    );
    let Interval { low, high } = shift.interval;
    let critical = if result.critical { " (critical)" } else { "" };
    Some(format!(
        "{label}{critical}: the shift, from {low} to {high}, lies {side} {bound}, and {effect}"
    ))
}
