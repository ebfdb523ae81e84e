//! What people do and know: steps, advice, signs of a good deployment, remedies (PLAN-8, GATE-6, ROLL-1).

use crate::fact::Condition;
use crate::grade::{AdviceCheck, AdviceKind, StepClock};
use crate::unit::{Name, RoleName, Span};

/// One step of a procedure (PLAN-8).
#[derive(Clone, Debug, PartialEq)]
pub struct ProcedureStep {
    /// Its id, unique in the procedure.
    pub id: Name,
    /// What people call it.
    pub title: String,
    /// What it is for; empty: not said.
    pub goal: String,
    /// How one knows that it is done; empty: not said.
    pub done_when: String,
    /// The least of its time, which `clock` reads; none: not said.
    pub least: Option<Span>,
    /// The most of its time, at least `least`; none: not said.
    pub most: Option<Span>,
    /// Whether the times say how long it takes, or from when to when it runs since detection. Default duration.
    pub clock: StepClock,
    /// Who does it.
    pub role: Option<RoleName>,
}

/// Something to do, not to do, or to beware of (GATE-6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// Its id, unique among the advice.
    pub id: Name,
    /// Which of the three it is.
    pub kind: AdviceKind,
    /// The advice in a sentence.
    pub text: String,
    /// What sees to it that it is followed; none: the plan shows it and people heed it.
    pub shown_by: Option<AdviceCheck>,
}

/// What a deployment looks like that goes well, and one that does not (ROLL-1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deploying {
    /// The least time it takes; none: not said.
    pub least: Option<Span>,
    /// The most time it takes, at least `least`; none: not said.
    pub most: Option<Span>,
    /// Signs that it went well.
    pub success: Vec<String>,
    /// Signs that it did not.
    pub failure: Vec<String>,
}

/// What helps against a fault that is known already.
#[derive(Clone, Debug, PartialEq)]
pub struct Remedy {
    /// Its id, unique among the remedies.
    pub id: Name,
    /// The incidents that it is for.
    pub when: Condition,
    /// What to do, in a sentence.
    pub text: String,
}
