//! What the canary lab's real traffic showed: shares that move within a tick, and causes by gravity.

use hotfix_core::judge::{Decision, Reason};
use hotfix_core::metric::{Arms, Observation, Sample};
use hotfix_core::rollout::{Act, Command, Input, Recording, State};
use hotfix_core::unit::{MetricName, Span};

use crate::story::Story;

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
    // A minute later no more is allowed to new instances.
    for _ in 0..6 {
        story.half_with_bug();
    }
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

/// Figures of a run in the lab: 0.18% before and 0.50% after, of a version that always fails in 0.3%.
#[test]
fn roll_5_chance_in_the_level_before_is_no_reason_to_wake_anybody() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    let look = |story: &mut Story, seconds, text: &str| {
        story.at = story.at + Span::from_seconds(seconds);
        let metrics: Observation = serde_json::from_str(text).unwrap();
        let outcome = story.rollout.handle(story.at, &Input::observe(metrics)).unwrap();
        outcome.actions.iter().any(|action| matches!(action.act, Act::Page { .. }))
    };
    look(
        &mut story,
        60,
        r#"{"error_rate":{"canary":[1,430],"baseline":[7,3880]},"bug":{"canary":[0,60],"baseline":[8,60]}}"#,
    );
    story.input(r#"{"kind":"roll_back","by":"lena","why":"in doubt"}"#);
    story.confirm_all();
    // The first reading spans the way back; what counts begins after it.
    let after = r#"{"error_rate":{"baseline":[11,2216]},"bug":{"baseline":[22,120]}}"#;
    assert!(!look(&mut story, 130, after), "woken by chance");
    assert_eq!(story.state(), State::RolledBack);
}

#[test]
fn roll_5_a_level_that_is_not_reached_wakes_somebody() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    story.run(12, Story::healthy);
    story.input(r#"{"kind":"roll_back","by":"lena","why":"in doubt"}"#);
    story.confirm_all();
    let worse = |_: f64, _: u64| {
        r#"{"error_rate":{"baseline":[20,2000]},"bug":{"baseline":[13,10]}}"#.to_owned()
    };
    story.run(29, worse);
    assert_eq!(story.state(), State::RollingBack, "ten errors in a thousand are no level of three");
    story.run(2, worse);
    assert_eq!(story.state(), State::RolledBack);
    assert!(story.rollout.log().contains("not at their level before"));
}
