//! The rules of the strategy recommendation. Each rule reads one input and gives at most one
//! reason.
//!
//! | input | for | against, a drawback or forbidden |
//! |---|---|---|
//! | `/traffic/flags` | feature flag, if there are flags | feature flag: forbidden without flags, a drawback if that is unknown |
//! | `/traffic/requests_per_minute` | steps, if the first one fills the window | steps, if it does not: the bands cannot decide; all at once as well, unless there is a switch back |
//! | `/traffic/instances` | | canary with one instance; rolling whose first batch is larger than the policy's first phase |
//! | `/traffic/schema_change` | immediate: one version runs on it | canary and rolling: two versions on one schema; a drawback of flag and blue-green |
//! | `/incident/facts/service_down` | all at once: nothing is left to protect | steps |
//! | severity, by the duties of the kind `fix` | | a strategy that takes longer than the deadline |
//! | severity | | all at once, for P2 and P3 |
//! | `/release/methods` | blue-green, if the release names a switch | blue-green, if it names none |
//! | the policy | its own reason | all at once: nobody has seen the fix work |

use super::{Grounds, Reason, Weight};
use crate::grade::{Moment, RollbackMethod, Severity, Strategy, closed_set};
use crate::plan::duration::Schedule;
use crate::plan::load::Load;
use crate::plan::strategy::Obstacle;
use crate::plan::volume::waits_for_trials;
use crate::policy::Policy;
use crate::text::time;
use crate::unit::{Share, Span};

closed_set! {
    /// The reason for or against a strategy.
    ReasonCode {
        CannotBePlanned = "cannot_be_planned",
        /// More reasons are against the policy's own strategy.
        InsteadOfOwn = "instead_of_own",
        PolicySays = "policy_says",
        FlagsAtHand = "flags_at_hand",
        FlagsUnknown = "flags_unknown",
        /// The first step has too little traffic for the bands.
        FirstPhaseBlind = "first_phase_blind",
        /// The first step has enough traffic for the bands.
        FirstPhaseSees = "first_phase_sees",
        OneInstance = "one_instance",
        /// The first batch is larger than the policy's first phase.
        CoarseSteps = "coarse_steps",
        TwoVersionsOneSchema = "two_versions_one_schema",
        OneVersionOneSchema = "one_version_one_schema",
        /// The service is down.
        NothingToProtect = "nothing_to_protect",
        /// It takes longer than the deadline.
        TooSlow = "too_slow",
        /// It meets the deadline.
        InTime = "in_time",
        /// The severity leaves time for a rollout in steps.
        NothingPresses = "nothing_presses",
        SwitchAtHand = "switch_at_hand",
        NoSwitch = "no_switch",
        AllAtOnce = "all_at_once",
    }
}

pub(super) struct Case<'a> {
    pub(super) policy: &'a Policy,
    pub(super) grounds: &'a Grounds<'a>,
    pub(super) strategy: Strategy,
    /// Its phases and traffic. None if it cannot be planned.
    pub(super) load: Option<Load<'a>>,
}

impl Case<'_> {
    /// Whether a few users get the fix before all do.
    fn in_steps(&self) -> bool {
        !matches!(self.strategy, Strategy::BlueGreen | Strategy::Immediate)
            && self.first_share().is_none_or(|share| share < Share::ALL)
    }

    fn has_switch(&self) -> bool {
        let mut named = self.grounds.subject.named_methods().iter();
        self.strategy == Strategy::BlueGreen
            && named.any(|method| method.kind == RollbackMethod::BlueGreenSwitch)
    }

    fn first_share(&self) -> Option<Share> {
        self.load?.phases.first().map(|phase| phase.share)
    }
}

type Rule = fn(&Case<'_>) -> Option<Reason>;

/// Every rule. Reasons of the same weight are shown in this order.
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
    let rests_on = obstacle.rests_on(strategy);
    reason(ReasonCode::CannotBePlanned, Weight::Forbids, rests_on, obstacle.to_string())
}

pub(super) fn instead(own: Strategy) -> Reason {
    let text = format!("the policy's own strategy is `{own}`, which has more against it");
    reason(ReasonCode::InsteadOfOwn, Weight::Note, "/policy/strategy", text)
}

fn service_down(case: &Case<'_>) -> Option<Reason> {
    if case.grounds.service_down != Some(true) {
        return None;
    }
    let input = "/incident/facts/service_down";
    let (weight, text) = if case.in_steps() {
        (
            Weight::Against,
            "the service is down: a rollout in steps protects nobody, and there is no live traffic to compare with",
        )
    } else {
        (
            Weight::For,
            "the service is down: a deployment at once repairs it soonest, and nothing is left to protect",
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
            "the release changes the schema, and both versions would run on it at the same time",
        ),
        Strategy::FeatureFlag => (
            ReasonCode::TwoVersionsOneSchema,
            Weight::Drawback,
            "the release changes the schema, and the code must work on it with the flag on and off",
        ),
        Strategy::BlueGreen => (
            ReasonCode::TwoVersionsOneSchema,
            Weight::Drawback,
            "the release changes the schema, and after a switch back the previous version runs on it",
        ),
        Strategy::Immediate => (
            ReasonCode::OneVersionOneSchema,
            Weight::For,
            "the release changes the schema, and only one version at a time runs on it",
        ),
    };
    Some(reason(code, weight, "/traffic/schema_change", text))
}

/// The shortest unconditional deadline for a fix of this severity, and the duty that sets it.
fn due(policy: &Policy, severity: Severity) -> Option<(usize, Span)> {
    let duties = policy.duties().iter().enumerate();
    let sets = duties
        .filter(|(_, duty)| duty.sets_deadline() && duty.is_for(severity) && !duty.has_condition());
    let dues = sets.filter_map(|(index, duty)| Some((index, duty.within.within()?)));
    dues.min_by_key(|(_, within)| *within)
}

fn deadline(case: &Case<'_>) -> Option<Reason> {
    let severity = case.grounds.severity?;
    let (index, within) = due(case.policy, severity)?;
    let from = case.policy.duties()[index].from;
    let schedule = Schedule { load: case.load?, level: case.policy.severity(severity) };
    let least = schedule.between(from, Moment::Deployed, case.grounds.undetected)?.least;
    let rests_on = format!("/policy/duties/{index}/within");
    let live = match case.policy.held_back() {
        Some(_) => "the last phase has its traffic",
        None => "the fix is live for everybody",
    };
    let text = format!(
        "{live} {} after `{from}` at the earliest; the deadline of {severity} is {}",
        time(least),
        time(within)
    );
    let too_slow = (ReasonCode::TooSlow, Weight::Against);
    let (code, weight) = if least > within { too_slow } else { (ReasonCode::InTime, Weight::Note) };
    Some(reason(code, weight, rests_on, text))
}

/// Requests per minute at which an arm of this share has the least trials in a window. None if no
/// band needs trials.
fn requests_at(policy: &Policy, share: Share) -> Option<f64> {
    let bands = policy.metrics().iter().any(waits_for_trials);
    let watch = policy.watch();
    let minutes = watch.window.as_seconds() / 60.0;
    (bands && share < Share::ALL && watch.least_trials > 0.0)
        .then(|| watch.least_trials / (share.as_fraction() * minutes))
}

fn requests(case: &Case<'_>) -> Option<Reason> {
    let requests = case.grounds.subject.traffic.requests_per_minute?;
    let share = case.first_share()?;
    let needed = requests_at(case.policy, share)?;
    let input = "/traffic/requests_per_minute";
    let text = format!(
        "the first step has {share} of {requests} requests per minute; the bands need at least {:.0} per minute in total",
        needed.ceil(),
    );
    if is_too_few(requests, needed) {
        Some(reason(ReasonCode::FirstPhaseBlind, Weight::Against, input, text))
    } else {
        Some(reason(ReasonCode::FirstPhaseSees, Weight::For, input, text))
    }
}

/// Whether the requests are fewer than needed, apart from rounding errors.
fn is_too_few(requests: f64, needed: f64) -> bool {
    requests * (1.0 + 1e-12) < needed
}

fn instances(case: &Case<'_>) -> Option<Reason> {
    let instances = case.grounds.subject.traffic.instances?;
    let input = "/traffic/instances";
    match case.strategy {
        Strategy::Canary if instances < 2 => {
            let text = "one instance cannot run two versions: a canary needs a second instance";
            Some(reason(ReasonCode::OneInstance, Weight::Against, input, text))
        }
        Strategy::Rolling => {
            let (first, wanted) = (case.first_share()?, case.policy.phases().first()?.share);
            let text = format!(
                "its first batch has {first} of the traffic, the policy's first phase only {wanted}"
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
            let text = "a feature flag is available: switching it off removes the fix immediately";
            Some(reason(ReasonCode::FlagsAtHand, Weight::For, input, text))
        }
        // `obstacle` gives the reason that it cannot be planned.
        Some(false) => None,
        None => {
            let text = "it is unknown whether feature flags are available";
            Some(reason(ReasonCode::FlagsUnknown, Weight::Drawback, input, text))
        }
    }
}

fn switch(case: &Case<'_>) -> Option<Reason> {
    if case.strategy != Strategy::BlueGreen {
        return None;
    }
    let input = "/release/methods";
    if case.has_switch() {
        let text = "a switch back is available: the other side keeps the previous version";
        return Some(reason(ReasonCode::SwitchAtHand, Weight::For, input, text));
    }
    // A policy with blue-green has two sides.
    if case.policy.strategy() == Strategy::BlueGreen
        && case.grounds.subject.named_methods().is_empty()
    {
        return None;
    }
    let text = "the release does not list `blue_green_switch`, so it is unknown whether there are two sides";
    Some(reason(ReasonCode::NoSwitch, Weight::Drawback, input, text))
}

fn severity(case: &Case<'_>) -> Option<Reason> {
    let severity = case.grounds.severity?;
    if case.in_steps() || matches!(severity, Severity::P0 | Severity::P1) {
        return None;
    }
    let text = format!("{severity} leaves time for a rollout in steps");
    Some(reason(ReasonCode::NothingPresses, Weight::Drawback, "/incident/severity", text))
}

fn all_at_once(case: &Case<'_>) -> Option<Reason> {
    if case.in_steps() || case.grounds.service_down == Some(true) {
        return None;
    }
    let text = "all users get the fix before it has been seen to work";
    // A step with too little traffic speaks for a larger one, not for none.
    let requests = case.grounds.subject.traffic.requests_per_minute;
    let needed = requests_at(case.policy, case.policy.phases().first()?.share);
    let is_blind = requests.zip(needed).is_some_and(|(of, needed)| is_too_few(of, needed));
    let weight = if is_blind && !case.has_switch() { Weight::Against } else { Weight::Drawback };
    Some(reason(ReasonCode::AllAtOnce, weight, "/policy/phases", text))
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
    let (why, rests_on) =
        (policy.alternatives()[index].why.as_str(), format!("/policy/alternatives/{index}/why"));
    Some(reason(ReasonCode::PolicySays, Weight::Note, rests_on, why))
}
