//! Bursts of failures in whole simulated rollouts of `standard`, where the sums of both arms are sent and
//! nothing else is known of the noise. See `docs/decisions/one-clients-failures.md`.

use hotfix_core::simulate::SimulatedOutcome;

use crate::late_faults::simulated;

/// A customer of the live version who retries for two minutes.
const OF_LIVE: &str = "{ kind = 'errors', metric = 'error_rate', arm = 'live', times = 15, after = '4min', lasts = '2min' }";

/// Forty rollouts of a P1 at 1,000 requests a minute with these faults and this feed, in TOML.
fn with_faults(faults: &[&str], feed: &str) -> SimulatedOutcome {
    let faults = faults.join(", ");
    simulated(&format!("traffic = {{ requests = 1000 }}\nfaults = [{faults}]\n{feed}"))
}

#[test]
fn field_17_a_burst_such_as_the_live_version_has_had_does_not_roll_back() {
    let of_fix =
        "{ kind = 'errors', metric = 'error_rate', times = 40, after = '8min', lasts = '2min' }";
    for feed in ["", "feed = { every = '30s', live = '15s' }"] {
        let alone = with_faults(&[of_fix], feed);
        assert!(alone.rolled_back.count >= 36, "{alone:?}");
        let known = with_faults(&[OF_LIVE, of_fix], feed);
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
        let of = with_faults(&[OF_LIVE, &fault], "");
        let median = of.seconds_to_find.as_ref().map_or(f64::INFINITY, |of| of.median);
        assert!(of.found_faults.count == 40 && median <= most, "{fault}: {of:?}");
    }
}
