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

/// A burst of the fix at a tenth of the traffic, in which every thirteenth request fails, and one at half of it,
/// in which every twentieth does.
const LARGE: &str =
    "{ kind = 'errors', metric = 'error_rate', times = 25, after = '8min', lasts = '2min' }";
const SMALL: &str =
    "{ kind = 'errors', metric = 'error_rate', times = 15, after = '18min', lasts = '2min' }";

#[test]
fn field_17_a_burst_such_as_the_live_version_has_had_does_not_roll_back() {
    for feed in ["", "feed = { every = '30s', live = '15s' }"] {
        let alone = with_faults(&[LARGE], feed);
        assert!(alone.rolled_back.count >= 15, "{alone:?}");
        let known = with_faults(&[OF_LIVE, LARGE], feed);
        assert!(known.rolled_back.count <= 2, "{known:?}");
        assert!(known.completed.count >= 36, "{known:?}");
    }
}

#[test]
fn field_17_a_burst_that_fails_few_requests_of_a_fix_that_was_good_does_not_roll_back() {
    for feed in ["", "feed = { every = '30s', live = '15s' }"] {
        let of = with_faults(&[SMALL], feed);
        assert!(of.rolled_back.count <= 4 && of.completed.count >= 36, "{of:?}");
    }
}

#[test]
fn field_17_failures_of_a_fix_that_was_good_are_found_if_they_stay() {
    let fault = "{ kind = 'errors', metric = 'error_rate', times = 15, after = '18min' }";
    let of = with_faults(&[fault], "");
    let median = of.seconds_to_find.as_ref().map_or(f64::INFINITY, |of| of.median);
    assert!(of.found_faults.count == 40 && median <= 360.0, "{of:?}");
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
