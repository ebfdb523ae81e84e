//! The procedure for people, advice, signs of a good deployment, and remedies.

use crate::fact::Condition;
use crate::grade::{AdviceCheck, AdviceKind, StepClock};
use crate::unit::{Name, RoleName, Span};

/// One step of a procedure.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcedureStep {
    /// The id of the step, unique.
    pub id: Name,
    /// The name of the step for people.
    pub title: String,
    /// The goal of the step; empty: not given.
    pub goal: String,
    /// The condition under which the step is done; empty: not given.
    pub done_when: String,
    /// The shortest duration or earliest start, see `clock`; none: unknown.
    pub least: Option<Span>,
    /// The longest duration or latest end, see `clock`; at least `least`; none: unknown.
    pub most: Option<Span>,
    /// What `least` and `most` mean: how long the step takes, or when it starts and ends after the
    /// detection. Default duration.
    pub clock: StepClock,
    /// The role that does the step.
    pub role: Option<RoleName>,
    /// The commands of the step, with placeholders; see [`CommandField`](super::CommandField).
    pub commands: Vec<String>,
}

/// A piece of advice for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// The id of the advice, unique.
    pub id: Name,
    /// The kind of advice.
    pub kind: AdviceKind,
    /// The advice in a sentence.
    pub text: String,
    /// The part of the policy that checks the advice; none: nothing checks it, and the plan shows
    /// it to people.
    pub shown_by: Option<AdviceCheck>,
}

/// How long a deployment takes, and the signs of success and failure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deploying {
    /// The shortest time that a deployment takes; none: unknown.
    pub least: Option<Span>,
    /// The longest time that a deployment takes, at least `least`; none: unknown.
    pub most: Option<Span>,
    /// The signs of a successful deployment.
    pub success: Vec<String>,
    /// The signs of a failed deployment.
    pub failure: Vec<String>,
}

/// The remedy for a known kind of fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Remedy {
    /// The id of the remedy, unique.
    pub id: Name,
    /// The condition that an incident has to meet.
    pub when: Condition,
    /// What to do, in a sentence.
    pub text: String,
}
