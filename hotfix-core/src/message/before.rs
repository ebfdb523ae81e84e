//! What messages say before the start: what a fix waits for.

use crate::rollout::{Blocker, BlockerKind, Rollout, State, TrainNotice};
use crate::text::{enumerated, joined};

/// Status, action and next step where a fix is ready: it may wait for its change window, or for another
/// policy. Without a next step it starts when the window opens.
pub(super) fn ready(rollout: &Rollout) -> ([&'static str; 2], Option<&'static str>) {
    let by_train = rollout.train_notice();
    let (texts, next) = match rollout.window_missed() {
        _ if rollout.never_starts() => (
            [
                "a fix is ready, and cannot be deployed before an error in its policy is corrected",
                "correcting the policy",
            ],
            "another rollout begins once the policy is corrected",
        ),
        _ if by_train == Some(TrainNotice::RollsBack) => {
            ([TrainNotice::RollsBack.ready(), WAITS_FOR_RETRY], THEN_RETRIES)
        }
        _ if by_train == Some(TrainNotice::Waits) => (
            [TrainNotice::Waits.ready(), "waiting for the services before it"],
            "the deployment starts once the services before it are complete",
        ),
        _ if rollout.start_waits_for_readings() => (
            ["a fix is ready, and waits because readings are missing", "restoring the readings"],
            "the deployment starts once readings come again",
        ),
        None => (["a fix is ready to be deployed", "about to deploy"], "the deployment starts"),
        Some(window) if rollout.now().is_some_and(|now| now > window.until) => (
            [
                "a fix is ready, and its change window is over",
                "deciding whether to deploy outside of the change window",
            ],
            "the deployment starts once the change window is waived",
        ),
        Some(_) => {
            let texts =
                ["a fix is ready and waits for its change window", "waiting for the change window"];
            return (texts, None);
        }
    };
    (texts, Some(next))
}

/// What the team does while a train is rolled back.
pub(super) const WAITS_FOR_RETRY: &str =
    "waiting until the services that belong together can be deployed again";
pub(super) const THEN_RETRIES: &str =
    "deploy the services that belong together again once the cause is found";

/// Status and action before the start.
pub(super) fn prepared(rollout: &Rollout) -> [&'static str; 2] {
    let has_release = rollout.plan().release().is_some();
    let awaits = awaited(rollout).first().map(|blocker| blocker.kind);
    match (rollout.state(), awaits) {
        // Also while an item is open, because no item lifts it.
        (State::Drafted | State::AwaitingApproval, Some(BlockerKind::Denial)) if has_release => {
            ["a fix was denied approval", "deciding how to go on without the approval"]
        }
        (State::AwaitingApproval, Some(BlockerKind::NormalProcess)) => [
            "a fix is waiting for a decision whether it is deployed as a hot-fix",
            "deciding whether to deploy it as a hot-fix",
        ],
        (State::AwaitingApproval, _) => ["a fix is waiting for approval", "waiting for approval"],
        (State::Ready, _) => ready(rollout).0,
        _ if has_release => ["a fix is being prepared", "preparing a fix"],
        _ => without_release(rollout),
    }
}

/// Status and action while there is no release. What was stated of a cause or a resolution is known to whoever
/// reads the report, so it is no longer searched for; a resolution from before the incident was open again
/// did not hold.
fn without_release(rollout: &Rollout) -> [&'static str; 2] {
    let is_mitigated = rollout.resolution().is_some() && !rollout.is_reopened();
    let is_known = rollout.recorded("cause").is_some();
    if is_mitigated {
        ["a mitigation is in place", "checking that the incident is over"]
    } else if rollout.waits_for_responders() && !is_known {
        ["the responders have been paged", "waiting for a responder"]
    } else if rollout.wants_normal_process() {
        ["it is for the normal process, not for a hot-fix", "handing it to the normal process"]
    } else if is_known {
        ["the cause is known", "working on a fix"]
    } else {
        ["the cause is being investigated", "investigating the cause"]
    }
}

/// What keeps a fix from being ready besides items: denials, else all approvals that are missing, else
/// the normal process.
fn awaited(rollout: &Rollout) -> Vec<Blocker> {
    let kinds = [BlockerKind::Denial, BlockerKind::Approval, BlockerKind::NormalProcess];
    let mut blockers = rollout.blockers();
    let is_there = |kind: &BlockerKind| blockers.iter().any(|blocker| blocker.kind == *kind);
    let first = kinds.into_iter().find(is_there);
    blockers.retain(|blocker| Some(blocker.kind) == first);
    blockers
}

/// The approvals or the decision that are still missing.
pub(super) fn approval(rollout: &Rollout, plain: bool) -> String {
    let blockers = awaited(rollout);
    // Whoever reads the roles has to know that one of them has approved.
    let demands = rollout.approvals().demands.into_iter().filter(|demand| demand.holds_start);
    let is_alone = demands.filter(|demand| !demand.is_met());
    let is_alone = is_alone.map(|demand| demand.approved_by_author_alone()).all(|of| of.is_some());
    let (what, then) = match blockers.first().map(|blocker| blocker.kind) {
        Some(BlockerKind::Approval) if is_alone => {
            ("approval", ", from somebody other than the author of the fix")
        }
        Some(BlockerKind::Denial) => ("approval", ", or another fix"),
        Some(BlockerKind::NormalProcess) if plain => {
            ("a decision whether it is deployed as a hot-fix", "")
        }
        Some(BlockerKind::NormalProcess) => ("the waiver of the normal process", ""),
        _ => ("approval", ""),
    };
    let policy = rollout.plan().policy();
    let mut by: Vec<String> = Vec::new();
    for blocker in blockers.iter().filter(|blocker| !plain && !blocker.roles.is_empty()) {
        let roles = blocker.roles.iter().map(|role| policy.role_title(*role));
        by.push(format!("by {}", joined(roles, " or ")));
    }
    by.dedup();
    let by = if by.is_empty() { String::new() } else { format!(" {}", enumerated(&by)) };
    format!("{what}{by}{then}")
}
