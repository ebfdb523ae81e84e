//! What the canary lab's real traffic showed: shares that move within a tick, and causes by gravity.

mod story;

use hotfix_core::judge::{Decision, Reason};
use hotfix_core::metric::{Arms, Observation, Sample};
use hotfix_core::rollout::{Command, Input, Recording, State};
use hotfix_core::unit::{MetricName, Span};
use story::Story;

impl Story {
    /// Ten seconds in which `bug` comes 4 times a minute over the whole service and half of the traffic is the canary's.
    fn half_with_bug(&mut self) {
        self.at = self.at + Span::from_seconds(10);
        let tick = Story::healthy(0.5, 0);
        let mut metrics: Observation = serde_json::from_str(&tick).unwrap();
        let half = Sample::Pair(4.0 / 6.0 / 2.0, 10.0);
        let arms = Arms { canary: Some(half.clone()), baseline: Some(half), totals: false };
        metrics.set(MetricName::try_new("bug").unwrap(), arms);
        let input = Input::new(Command::Observe { metrics });
        self.rollout.handle(self.at, &input).unwrap();
    }
}

/// Half of the traffic is the canary's already, a tenth is confirmed: exposure at a tenth would make five times the rate.
#[test]
fn met_6_a_scaled_count_says_nothing_while_traffic_moves() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    story.run_until(90, Story::healthy, State::Deploying);
    let bug = MetricName::try_new("bug").unwrap();
    let before = story.rollout.verdict().metric(bug).unwrap().log_e;
    for _ in 0..12 {
        story.half_with_bug();
        let verdict = story.rollout.verdict();
        assert_ne!(verdict.decision, Decision::RollBack, "{verdict:?}");
        assert_eq!(verdict.metric(bug).unwrap().log_e, before);
    }
    // The tick in which the share is confirmed belongs to neither share.
    story.confirm_all();
    story.half_with_bug();
    assert_eq!(story.rollout.verdict().metric(bug).unwrap().log_e, before);
    story.half_with_bug();
    assert_ne!(story.rollout.verdict().metric(bug).unwrap().log_e, before);
    assert_eq!(story.state(), State::Monitoring);
}

#[test]
fn stat_4_causes_come_the_gravest_first() {
    let mut story = Story::new("phased-canary", Recording::Keep);
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
