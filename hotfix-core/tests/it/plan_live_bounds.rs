//! Rollback bounds that are a ratio of the live version, in a plan (PLAN-6).

use hotfix_core::stats::numeric::exp;

use crate::plan_power::{canary_text, plan_of};
use crate::power_common::Random;

/// The first windows of a phase have one event of the live version or none: a bound that is a ratio of it is then
/// reached by chance. Against draws of both arms' counts.
#[test]
fn plan_6_a_bound_on_a_live_version_with_few_events_is_reached_early() {
    for (share, times) in [("80%", 5.0), ("80%", 3.0), ("50%", 3.0), ("30%", 3.0)] {
        let bound = format!("rollback = {{ ratio = {times}, of = \"live\" }}");
        let text = canary_text(&bound).replace("10%", share).replace("0.5%", "0.3%");
        let phase = plan_of(&text, 6_000.0).power().leading.unwrap().phases.remove(0);
        assert_eq!(phase.minutes, 10.0);
        let part = phase.share.as_fraction();
        let runs = 1_500;
        let gone = (0..runs).filter(|run| {
            let mut random = Random::new(2_614, *run);
            let mut count = |mean: f64| {
                let (mut events, mut product) = (0.0, random.uniform());
                while product > exp(-mean) {
                    events += 1.0;
                    product *= random.uniform();
                }
                events
            };
            // Bad events and requests of both arms in each tick.
            let ticks: Vec<[f64; 4]> = (0..60)
                .map(|_| {
                    let [canary, live] = [1_000.0 * part, 1_000.0 * (1.0 - part)];
                    [count(0.003 * canary), canary, count(0.003 * live), live]
                })
                .collect();
            (1..=60_usize).any(|tick| {
                let window = &ticks[tick.saturating_sub(30)..tick];
                let sum = |of: usize| window.iter().map(|tick| tick[of]).sum::<f64>();
                sum(0) / sum(1) > times * sum(2) / sum(3) + 1e-12
            })
        });
        let simulated = gone.count() as f64 / f64::from(runs);
        let stated = phase.healthy_rolled_back.chance;
        assert!((stated - simulated).abs() < 0.1, "{share}, {times}: {stated}, {simulated}");
    }
}
