//! What a Kayenta-compatible judge makes of the same worlds: ten minutes at 10% and ten at 50% of the
//! traffic, a point a minute of each metric, judged at the end of each with the usual thresholds.

use hotfix_core::kayenta::{
    Arms, Config, Samples, ScoreClassification, Thresholds, judge as score,
};

use crate::random::Random;

use super::service::{CANARY, Counters, Fault, LIVE, Service, add, minus};
use super::world::{BOUNDARIES, World};

const NAMES: [&str; 3] = ["error_ratio", "unpaid_ratio", "latency_p95"];
const THRESHOLDS: Thresholds = Thresholds { pass: Some(75.0), marginal: Some(50.0) };
const SHARES: [f64; 2] = [0.1, 0.5];
const MINUTES: u32 = 10;

/// Three metrics of equal weight, higher is worse.
pub(super) fn config() -> Config {
    let metrics = NAMES.map(|name| {
        let direction = r#"{"canary": {"direction": "increase", "nanStrategy": "remove"}}"#;
        format!(r#"{{"name": "{name}", "groups": ["all"], "analysisConfigurations": {direction}}}"#)
    });
    let weights = r#"{"groupWeights": {"all": 100}}"#;
    Config::from_json(&format!(
        r#"{{"metrics": [{}], "classifier": {weights}}}"#,
        metrics.join(",")
    ))
    .unwrap_or_else(|error| panic!("{error}"))
}

/// Whether it fails the canary.
pub(super) fn failed(config: &Config, world: &World, fault: Fault, random: Random) -> bool {
    let mut service = Service::new(world, fault, random);
    // The counters are first read after two minutes.
    for _ in 0..120 / world.tick {
        service.tick();
    }
    let mut read = [CANARY, LIVE].map(|arm| totals(&service, arm));
    for share in SHARES {
        service.split(share);
        let mut samples: Samples =
            NAMES.iter().map(|name| ((*name).to_owned(), Arms::default())).collect();
        for _ in 0..MINUTES {
            for _ in 0..60 / world.tick {
                service.tick();
            }
            let now = [CANARY, LIVE].map(|arm| totals(&service, arm));
            let points = [CANARY, LIVE].map(|arm| points(&minus(now[arm], read[arm])));
            read = now;
            for (name, metric) in NAMES.iter().zip(0..) {
                let arms = samples.entry((*name).to_owned()).or_default();
                arms.experiment.push(points[CANARY][metric]);
                arms.control.push(points[LIVE][metric]);
            }
        }
        let judged = score(config, &samples, THRESHOLDS).unwrap_or_else(|error| panic!("{error}"));
        if judged.classification != ScoreClassification::Pass {
            return true;
        }
    }
    false
}

fn totals(service: &Service<'_>, arm: usize) -> Counters {
    let mut sum = service.arms[arm].retired;
    for one in service.of(arm) {
        add(&mut sum, &one.read);
    }
    sum
}

/// Shares of failed requests and payments, and the p95, linear within its bucket.
fn points(counts: &Counters) -> [f64; 3] {
    let [all, failed, unpaid, slow @ ..] = counts;
    let (mut low, mut before, slower) = (0.0, *all, 0.05 * all);
    for (boundary, beyond) in BOUNDARIES.into_iter().zip(slow) {
        if *beyond <= slower {
            let way = (before - slower) / (before - beyond);
            return [failed / all, unpaid / all, low + way * (boundary - low)];
        }
        (low, before) = (boundary, *beyond);
    }
    [failed / all, unpaid / all, low]
}
