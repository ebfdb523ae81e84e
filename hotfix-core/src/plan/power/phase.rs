//! One metric, phase by phase.

use crate::metric_kind::Data;
use crate::plan::Plan;
use crate::policy::section::{Metric, Phase};

use super::test::{Found, Test, response};
use super::watch::{Watching, bad_rate, minutes_of};
use super::{
    Blind, Chance, Detection, FaultPower, MOST_TRAFFIC, MetricPower, POWER, PhasePower, RATIOS,
};

/// A chance as near to 0 or 1 as this is not called approximate.
const SURE: f64 = 1e-4;

impl Plan {
    /// The power analysis of a metric, or the reason why it cannot be made.
    pub(super) fn metric_power(&self, metric: &Metric) -> Result<MetricPower, Blind> {
        let Some(record) = metric.reference else { return Err(Blind::NoReference) };
        let rate = match (metric.kind.data(), bad_rate(metric)) {
            (Data::Buckets | Data::Level, _) => return Err(Blind::NoCount),
            (Data::Trials | Data::Exposure, Some(rate)) => rate,
            (Data::Exposure, None) if record > 0.0 => return Err(Blind::FewerIsWorse),
            (Data::Trials | Data::Exposure, None) => return Err(Blind::ReferenceOfZero),
        };
        if metric.kind.is_fraction() {
            match self.requests_per_minute() {
                None => return Err(Blind::NoTraffic),
                Some(requests) if requests > MOST_TRAFFIC => return Err(Blind::TooMuch),
                Some(_) => {}
            }
        }
        let phases = self.phases().iter().map(|phase| self.phase_power(metric, phase));
        let phases = phases.collect::<Option<Vec<_>>>().ok_or(Blind::TooMuch)?;
        let all_gates = phases.iter().map(|phase| phase.healthy_passes).product();
        Ok(MetricPower {
            metric: metric.id,
            base_rate: rate,
            alpha: response(self, metric).map(|_| self.error_budget().sequential_of(metric)),
            history: self.history_worth(metric),
            all_gates,
            all_gates_approximate: phases.iter().any(|phase| phase.healthy_passes_approximate),
            phases,
        })
    }

    fn phase_power(&self, metric: &Metric, phase: &Phase) -> Option<PhasePower> {
        let watching = Watching::try_new(self, metric, phase)?;
        let test = Test::try_new(self, &watching);
        let healthy = watching.course(1.0);
        let passes = about(healthy.passes, healthy.about);
        let false_rollback = test.as_ref().and_then(|test| test.finds(1.0));
        let faults = RATIOS.map(|ratio| fault(&watching, test.as_ref(), ratio));
        Some(PhasePower {
            phase: phase.name,
            share: phase.share,
            minutes: minutes_of(watching.lasts),
            trials: watching.trials(),
            expected_events: watching.expected(),
            allowed_events: watching.allowed().map(|most| most as f64),
            healthy_passes: passes.chance,
            healthy_passes_approximate: passes.approximate,
            healthy_rolled_back: about(healthy.gone, healthy.about),
            false_rollback: false_rollback
                .map(|found| Chance { chance: found.chance, approximate: true }),
            waits_for_trials: watching.waits(),
            faults: faults.to_vec(),
            smallest_ratio: test.as_ref().and_then(|test| test.smallest_ratio(POWER)),
        })
    }
}

/// A chance, which is not approximate where it is sure.
fn about(chance: f64, approximate: bool) -> Chance {
    Chance { chance, approximate: approximate && chance > SURE && chance < 1.0 - SURE }
}

fn fault(watching: &Watching<'_>, test: Option<&Test<'_>>, ratio: f64) -> FaultPower {
    let counted = watching.metric.kind.has_exposure();
    if !counted && watching.rate * ratio > 1.0 {
        return FaultPower { ratio, ..FaultPower::default() };
    }
    let course = watching.course(ratio);
    // In the whole of the least time, warm-up included.
    let least = minutes_of(watching.lasts).max(watching.cadence / 60.0);
    let counted_minutes = watching.minutes_counted().max(f64::MIN_POSITIVE);
    let hurt_a_minute = watching.expected() / counted_minutes * (ratio - 1.0);
    let detection = |Chance { chance, approximate }, minutes: f64| {
        let minutes = minutes.min(least);
        let requests_affected = hurt_a_minute * minutes;
        Detection { chance, approximate, minutes, requests_affected }
    };
    let plain = course.ticks() * watching.cadence / 60.0;
    let found = test
        .and_then(|test| test.finds(ratio))
        .map(|Found { chance, minutes }| detection(Chance { chance, approximate: true }, minutes));
    FaultPower {
        ratio,
        passes: Some(about(course.passes, course.about)),
        plain: Some(detection(about(course.gone, course.about), plain)),
        sequential: found,
        time_to_detect: test.and_then(|test| test.time_to_detect(ratio)),
    }
}
