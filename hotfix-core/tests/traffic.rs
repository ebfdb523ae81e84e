//! What the canary lab's real traffic showed: shares that move within a tick, and causes by gravity.

mod story;

use hotfix_core::judge::Reason;
use hotfix_core::rollout::State;
use story::Story;

#[test]
fn stat_4_causes_come_the_gravest_first() {
    let mut story = Story::new("phased-canary");
    story.start();
    // The window of the rare count is not full yet, which holds, when band and evidence go back.
    let rate = |share: f64, _| Story::tick(share, 0.08, [0, 12], false);
    story.run_until(6, rate, State::RollingBack);
    let causes = &story.rollout.verdict().causes;
    let back = |reason| matches!(reason, Reason::Evidence | Reason::RollbackBand);
    let first_mild = causes.iter().position(|cause| !back(cause.reason));
    let last_grave = causes.iter().rposition(|cause| back(cause.reason));
    assert!(first_mild.is_some() && last_grave < first_mild, "{causes:?}");
}
