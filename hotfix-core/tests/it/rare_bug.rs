//! Healthy fixes that nobody need be asked about: a bug that is too rare for a small canary, and a gap in the readings
//! (STAT-5, FIELD-15).

use hotfix_core::rollout::State;
use serde_json::{Value, json};

use crate::foresee::Watch;

/// Ten seconds of a healthy canary at 10% of 1,000 requests a minute, with so many of the bug in it and in the live
/// version.
fn quiet([canary, live]: [u32; 2]) -> Value {
    json!({
        "error_rate": {"canary": [0, 17], "baseline": [0, 150]},
        "payment_success": {"canary": [17, 17], "baseline": [150, 150]},
        "latency_p95": {
            "canary": {"le": [0.1, 0.5], "counts": [17, 17], "count": 17},
            "baseline": {"le": [0.1, 0.5], "counts": [150, 150], "count": 150},
        },
        "bug": {"canary": [canary, 10], "baseline": [live, 10]},
        "request_volume": {"canary": 17, "baseline": 150},
    })
}

/// The tool was gone for ten minutes. While the window is filled again there is nothing to decide.
#[test]
fn field_15_one_gap_in_the_readings_is_no_question() {
    let mut watch = Watch::new("standard", &[]);
    let mut asked: usize = (0..20).map(|_| watch.look(10, quiet([0, 2]))).sum();
    asked += watch.look(600, quiet([0, 2]));
    for look in 0..50 {
        asked += watch.look(10, quiet([0, 2]));
        watch.confirm_all();
        assert_eq!(asked, 0, "{look}: {:?}", watch.rollout.questions());
    }
}

/// A bug of two a minute shows within 10% of the traffic neither that the fix works nor that it does not: it was
/// asked about within minutes, in each healthy rollout.
#[test]
fn stat_5_a_claim_that_a_later_phase_can_show_holds_no_earlier_one() {
    // Of the bug in ten seconds, by turns: in the canary, and in the live version.
    let watch = |bugs: [[u32; 2]; 3]| {
        let mut watch = Watch::new("standard", &[]);
        let mut asked = 0;
        for look in 0..90 {
            asked += watch.look(10, quiet(bugs[look % 3]));
            if watch.rollout.state() != State::Monitoring {
                break;
            }
        }
        (watch, asked)
    };
    let (mended, asked) = watch([[0, 0], [0, 1], [0, 0]]);
    assert_eq!((mended.rollout.state(), asked), (State::Deploying, 0), "{:?}", mended.causes());
    let (unchanged, asked) = watch([[0, 2], [1, 2], [0, 2]]);
    assert!(
        unchanged.rollout.state() == State::Monitoring && asked > 0,
        "{:?}",
        unchanged.causes()
    );
}
