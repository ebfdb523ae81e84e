//! The rules by which strategies are weighed (PLAN-1): each looks at one input, and gives at most one reason.
//!
//! | input | for | against, a drawback or forbidden |
//! |---|---|---|
//! | `/traffic/flags` | feature flag, where there are flags | feature flag is forbidden without them, and doubtful where that is not known |
//! | `/traffic/requests_per_minute` | steps, where their first one fills the window | steps, where it does not: the bands stay silent |
//! | `/traffic/instances` | | canary with one instance; rolling whose first batch is larger than the policy's first phase |
//! | `/traffic/schema_change` | immediate: one version meets it | canary and rolling: two versions side by side on one schema; flag and blue-green, somewhat |
//! | `/incident/facts/service_down` | all at once: nothing is left to protect | steps |
//! | severity, by the duties of the kind `fix` | | what takes longer than the deadline |
//! | severity | | all at once, where it is P2 or P3 and nothing presses |
//! | `/release/methods` | blue-green, where a switch back is at hand | blue-green, where none is named |
//! | the policy | what it says itself | all at once: nobody has seen the fix work |

use super::{Grounds, Reason, Weight, until_live};
use crate::grade::{
    DutyKind, MetricKind, Moment, Role, RollbackMethod, Severity, Strategy, closed_set,
};
use crate::plan::strategy::Obstacle;
use crate::policy::Policy;
use crate::policy::section::Phase;
use crate::unit::{Share, Span};

closed_set! {
    /// Why a strategy, or why not.
    ReasonCode {
        /// It cannot be planned.
        CannotBePlanned = "cannot_be_planned",
        /// Something speaks against the policy's own strategy.
        InsteadOfOwn = "instead_of_own",
        /// The policy says so.
        PolicySays = "policy_says",
        /// Feature flags are at hand.
        FlagsAtHand = "flags_at_hand",
        /// Whether there are feature flags is not known.
        FlagsUnknown = "flags_unknown",
        /// The first step has too little traffic for the bands to speak.
        FirstPhaseBlind = "first_phase_blind",
        /// The first step has traffic enough.
        FirstPhaseSees = "first_phase_sees",
        /// One instance cannot run two versions.
        OneInstance = "one_instance",
        /// The first batch is larger than the policy's first phase.
        CoarseSteps = "coarse_steps",
        /// Two versions would meet one schema.
        TwoVersionsOneSchema = "two_versions_one_schema",
        /// One version at a time meets the changed schema.
        OneVersionOneSchema = "one_version_one_schema",
        /// The service is down.
        NothingToProtect = "nothing_to_protect",
        /// It takes longer than the deadline.
        TooSlow = "too_slow",
        /// It keeps the deadline.
        InTime = "in_time",
        /// The severity leaves time to go in steps.
        NothingPresses = "nothing_presses",
        /// A switch back to the other side is at hand.
        SwitchAtHand = "switch_at_hand",
        /// No switch back is named.
        NoSwitch = "no_switch",
        /// Everybody meets the fix at once.
        AllAtOnce = "all_at_once",
    }
}

/// What a rule looks at.
pub(super) struct Case<'a> {
    pub(super) policy: &'a Policy,
    pub(super) grounds: &'a Grounds<'a>,
    pub(super) strategy: Strategy,
    /// The phases that it would have, where it can be planned.
    pub(super) phases: Option<&'a [Phase]>,
}

impl Case<'_> {
    /// Whether few meet the fix before all do.
    const fn in_steps(&self) -> bool {
        match self.strategy {
            Strategy::Canary | Strategy::FeatureFlag | Strategy::Rolling => true,
            Strategy::BlueGreen | Strategy::Immediate => false,
        }
    }

    fn first_share(&self) -> Option<Share> {
        self.phases?.first().map(|phase| phase.share)
    }
}

type Rule = fn(&Case<'_>) -> Option<Reason>;

/// Every rule, in the order in which their reasons are shown where they weigh alike.
pub(super) const RULES: &[Rule] = &[
    service_down,
    schema_change,
    deadline,
    requests,
    instances,
    flags,
    switch,
    severity,
    all_at_once,
    policy_says,
];

fn reason(
    code: ReasonCode,
    weight: Weight,
    rests_on: impl Into<String>,
    text: impl Into<String>,
) -> Reason {
    Reason { code, rests_on: rests_on.into(), text: text.into(), weight }
}

pub(super) fn obstacle(strategy: Strategy, obstacle: &Obstacle) -> Reason {
    Reason {
        code: ReasonCode::CannotBePlanned,
        rests_on: obstacle.rests_on(strategy).into_owned(),
        text: obstacle.to_string(),
        weight: Weight::Forbids,
    }
}

pub(super) fn instead(own: Strategy) -> Reason {
    Reason {
        code: ReasonCode::InsteadOfOwn,
        rests_on: "/policy/strategy".to_owned(),
        text: format!("the policy's own strategy is `{own}`, and more speaks against that"),
        weight: Weight::Note,
    }
}

fn service_down(case: &Case<'_>) -> Option<Reason> {
    if case.grounds.service_down != Some(true) {
        return None;
    }
    let input = "/incident/facts/service_down";
    let (weight, text) = if case.in_steps() {
        (
            Weight::Against,
            "the service is down: steps protect nobody, and there is no live traffic to compare with",
        )
    } else {
        (
            Weight::For,
            "the service is down: all at once mends it soonest, and there is nothing left to protect",
        )
    };
    Some(reason(ReasonCode::NothingToProtect, weight, input, text))
}

fn schema_change(case: &Case<'_>) -> Option<Reason> {
    if case.grounds.subject.traffic.schema_change != Some(true) {
        return None;
    }
    let (code, weight, text) = match case.strategy {
        Strategy::Canary | Strategy::Rolling => (
            ReasonCode::TwoVersionsOneSchema,
            Weight::Against,
            "the release changes the schema: both versions would run on it side by side",
        ),
        Strategy::FeatureFlag => (
            ReasonCode::TwoVersionsOneSchema,
            Weight::Drawback,
            "the release changes the schema: both paths of the flag have to work on it",
        ),
        Strategy::BlueGreen => (
            ReasonCode::TwoVersionsOneSchema,
            Weight::Drawback,
            "the release changes the schema: after a switch back the old version meets it",
        ),
        Strategy::Immediate => (
            ReasonCode::OneVersionOneSchema,
            Weight::For,
            "the release changes the schema: one version at a time meets it",
        ),
    };
    Some(reason(code, weight, "/traffic/schema_change", text))
}

/// The shortest deadline that a fix of this severity has in any case, and the duty that sets it.
fn due(policy: &Policy, severity: Severity) -> Option<(usize, Span)> {
    let duties = policy.duties().iter().enumerate();
    let sets = duties.filter(|(_, duty)| {
        duty.kind == DutyKind::Fix
            && duty.is_for(severity)
            && !duty.stop_gap
            && duty.when.is_none()
            && duty.from < Moment::Deployed
    });
    let dues = sets.filter_map(|(index, duty)| Some((index, duty.within.within()?)));
    dues.min_by_key(|(_, within)| *within)
}

fn deadline(case: &Case<'_>) -> Option<Reason> {
    let severity = case.grounds.severity?;
    let (index, within) = due(case.policy, severity)?;
    let least = until_live(case.phases?);
    let rests_on = format!("/policy/duties/{index}/within");
    let from = case.policy.duties()[index].from;
    let text = format!(
        "everybody has the fix after {least} at least, and a {severity}'s is due {within} after `{from}`"
    );
    if least > within {
        Some(reason(ReasonCode::TooSlow, Weight::Against, rests_on, text))
    } else {
        Some(reason(ReasonCode::InTime, Weight::Note, rests_on, text))
    }
}

/// Requests a minute that fill the window at this share; none where no band asks for a number of them.
fn requests_at(policy: &Policy, share: Share) -> Option<f64> {
    let bands = policy.metrics().iter().any(|metric| {
        metric.role == Role::Decide
            && matches!(metric.kind, MetricKind::Proportion | MetricKind::Latency)
            && (metric.bounds.alert.is_some() || metric.bounds.rollback.is_some())
    });
    let watch = policy.watch();
    let minutes = watch.window.as_seconds() / 60.0;
    (bands && share < Share::ALL && watch.least_trials > 0.0)
        .then(|| watch.least_trials / (share.as_fraction() * minutes))
}

/// Requests a minute from which the bands speak in the policy's own first phase, in whole ones.
pub(super) fn requests_needed(policy: &Policy) -> Option<f64> {
    requests_at(policy, policy.phases().first()?.share).map(f64::ceil)
}

fn requests(case: &Case<'_>) -> Option<Reason> {
    let requests = case.grounds.subject.traffic.requests_per_minute?;
    let share = case.first_share()?;
    let needed = requests_at(case.policy, share)?;
    let input = "/traffic/requests_per_minute";
    let text = format!(
        "the first step has {share} of {requests} requests a minute, and bands speak from {:.0} a minute on",
        needed.ceil(),
    );
    // A tenth of 1,000 is 100, whatever the last bit says.
    if requests * (1.0 + 1e-12) < needed {
        Some(reason(ReasonCode::FirstPhaseBlind, Weight::Against, input, text))
    } else {
        Some(reason(ReasonCode::FirstPhaseSees, Weight::For, input, text))
    }
}

fn instances(case: &Case<'_>) -> Option<Reason> {
    let instances = case.grounds.subject.traffic.instances?;
    let input = "/traffic/instances";
    match case.strategy {
        Strategy::Canary if instances < 2 => {
            let text = "one instance cannot run two versions: a canary needs a further one";
            Some(reason(ReasonCode::OneInstance, Weight::Against, input, text))
        }
        Strategy::Rolling => {
            let (first, wanted) = (case.first_share()?, case.policy.phases().first()?.share);
            let text = format!(
                "the first of its batches has {first} of the traffic at once, the policy's first phase {wanted}"
            );
            (first > wanted).then(|| reason(ReasonCode::CoarseSteps, Weight::Drawback, input, text))
        }
        Strategy::Canary | Strategy::FeatureFlag | Strategy::BlueGreen | Strategy::Immediate => {
            None
        }
    }
}

fn flags(case: &Case<'_>) -> Option<Reason> {
    if case.strategy != Strategy::FeatureFlag {
        return None;
    }
    let input = "/traffic/flags";
    match case.grounds.subject.traffic.flags {
        Some(true) => {
            let text = "flags are at hand: switched off, the fix is gone at once";
            Some(reason(ReasonCode::FlagsAtHand, Weight::For, input, text))
        }
        // That it cannot be planned has been said.
        Some(false) => None,
        None => {
            let text = "whether flags are at hand is not known";
            Some(reason(ReasonCode::FlagsUnknown, Weight::Drawback, input, text))
        }
    }
}

fn switch(case: &Case<'_>) -> Option<Reason> {
    if case.strategy != Strategy::BlueGreen {
        return None;
    }
    let methods = &case.grounds.subject.release.methods;
    let input = "/release/methods";
    if methods.iter().any(|method| method.kind == RollbackMethod::BlueGreenSwitch) {
        let text = "a switch back is at hand: the other side keeps the previous version";
        return Some(reason(ReasonCode::SwitchAtHand, Weight::For, input, text));
    }
    // A policy of two sides has them.
    if case.policy.strategy() == Strategy::BlueGreen && methods.is_empty() {
        return None;
    }
    let text = "the release names no switch back, so nothing says that there are two sides";
    Some(reason(ReasonCode::NoSwitch, Weight::Drawback, input, text))
}

fn severity(case: &Case<'_>) -> Option<Reason> {
    let severity = case.grounds.severity?;
    if case.in_steps() || matches!(severity, Severity::P0 | Severity::P1) {
        return None;
    }
    let text = format!("a {severity} leaves time to go in steps");
    Some(reason(ReasonCode::NothingPresses, Weight::Drawback, "/incident/severity", text))
}

fn all_at_once(case: &Case<'_>) -> Option<Reason> {
    if case.in_steps() || case.grounds.service_down == Some(true) {
        return None;
    }
    let text = "everybody meets the fix before anybody has seen it work";
    Some(reason(ReasonCode::AllAtOnce, Weight::Drawback, "/policy/phases", text))
}

fn policy_says(case: &Case<'_>) -> Option<Reason> {
    let policy = case.policy;
    if case.strategy == policy.strategy() {
        let why = policy.strategy_why();
        let rests_on = if why.is_empty() { "/policy/strategy" } else { "/policy/strategy_why" };
        let text = if why.is_empty() { "it is the policy's own strategy" } else { why };
        return Some(reason(ReasonCode::PolicySays, Weight::Note, rests_on, text));
    }
    let index = policy.alternatives().iter().position(|other| other.strategy == case.strategy)?;
    let why = policy.alternatives()[index].why.as_str();
    Some(reason(
        ReasonCode::PolicySays,
        Weight::Note,
        format!("/policy/alternatives/{index}/why"),
        why,
    ))
}
