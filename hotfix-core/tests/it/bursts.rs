//! Bursts of failures in whole simulated rollouts of `standard`, where the sums of both arms are sent and
//! nothing else is known of the noise. See `docs/decisions/one-clients-failures.md`.

use std::sync::Arc;

use hotfix_core::policy::Policy;
use hotfix_core::simulate::{Campaign, Scenario, SimulatedOutcome};

/// A customer of the live version who retries for two minutes.
const OF_LIVE: &str = "{ kind = 'errors', metric = 'error_rate', arm = 'live', times = 15, after = '4min', lasts = '2min' }";

/// Forty rollouts of a P1 at 1,000 requests a minute with these faults and this feed, in TOML.
fn simulated(faults: &[&str], feed: &str) -> SimulatedOutcome {
    let text = format!(
        "until = '2h'\nincident = {{ id = 'INC-2041', severity = 'P1' }}\n\
         release = {{ version = '2.3.1', previous = '2.3.0' }}\ntraffic = {{ requests = 1000 }}\n\
         faults = [{}]\n{feed}",
        faults.join(", ")
    );
    let policy = Arc::new(Policy::preset("standard").unwrap());
    let scenario = Scenario::read(&text).unwrap_or_else(|errors| panic!("{errors}"));
    let plan = scenario.plan(policy).unwrap();
    Campaign::try_new(plan, &scenario, 1).unwrap().tally(0..40).outcome()
}

#[test]
fn field_17_a_burst_such_as_the_live_version_has_had_does_not_roll_back() {
    let of_fix =
        "{ kind = 'errors', metric = 'error_rate', times = 40, after = '8min', lasts = '2min' }";
    for feed in ["", "feed = { every = '30s', live = '15s' }"] {
        let alone = simulated(&[of_fix], feed);
        assert!(alone.rolled_back.count >= 36, "{alone:?}");
        let known = simulated(&[OF_LIVE, of_fix], feed);
        assert!(known.rolled_back.count <= 1, "{known:?}");
        assert!(known.completed.count >= 36, "{known:?}");
    }
}

#[test]
fn field_17_failures_that_stay_are_found_although_the_live_version_had_a_burst() {
    // As large as its burst; and as many as it never had.
    for (fault, most) in [("times = 16", 420.0), ("to = '40%'", 60.0)] {
        let fault =
            format!("{{ kind = 'errors', metric = 'error_rate', {fault}, after = '25min' }}");
        let of = simulated(&[OF_LIVE, &fault], "");
        let median = of.seconds_to_find.as_ref().map_or(f64::INFINITY, |of| of.median);
        assert!(of.found_faults.count == 40 && median <= most, "{fault}: {of:?}");
    }
}
