//! Steps, advice, and signs of a good deployment (PLAN-8, GATE-6, ROLL-1).

use super::entries::Entry;
use super::list::{none, rising};
use super::phase::no_rules;
use crate::fact::Condition;
use crate::grade::{AdviceCheck, AdviceKind, StepClock};
use crate::policy::field::{Duration, List};
use crate::policy::reader::{Reader, section};
use crate::policy::section::{Advice, Deploying, ProcedureStep, Remedy};
use crate::unit::{Name, RoleName};

section! {
    plain
    /// One step of the procedure (PLAN-8).
    ProcedureStep from ProcedureStepDraft, procedure_step_rules {
        /// Its id, unique.
        id: Name, [required];
        /// What people call it.
        title: String, [required];
        /// What it is for.
        goal: String, [default ""];
        /// How one knows that it is done.
        done_when: String, [default ""];
        /// The least of its time, as `clock` has it; 0 or more. Without it: not said.
        least: Duration, [optional];
        /// The most of its time, at least `least`. Without it: not said.
        most: Duration, [optional];
        /// Whether its time says how long it takes, or from when to when it runs since detection.
        clock: StepClock, [default "duration"];
        /// Who does it. Without it: not said.
        role: RoleName, [optional];
    }
}

fn procedure_step_rules(step: &ProcedureStepDraft, reader: &mut Reader) {
    rising(reader, step.least.flatten(), step.most.flatten());
}

impl Entry for ProcedureStep {
    const WHAT: &'static str = "step";
}

section! {
    plain
    /// Something to do, not to do, or to beware of (GATE-6).
    Advice from AdviceDraft, no_rules {
        /// Its id, unique.
        id: Name, [required];
        /// Something to do, something not to do, or a mistake that others made.
        kind: AdviceKind, [required];
        /// The advice in a sentence.
        text: String, [required];
        /// What sees to it that it is followed. Without it: the plan shows it and people heed it.
        shown_by: AdviceCheck, [optional];
    }
}

impl Entry for Advice {
    const WHAT: &'static str = "advice";
}

section! {
    plain
    /// What a deployment looks like that goes well, and one that does not (ROLL-1).
    Deploying from DeployingDraft, deploying_rules {
        /// The least time it takes; 0 or more. Without it: not said.
        least: Duration, [optional];
        /// The most time it takes, at least `least`. Without it: not said.
        most: Duration, [optional];
        /// Signs that it went well.
        success: List<String>, [default none()];
        /// Signs that it did not.
        failure: List<String>, [default none()];
    }
}

fn deploying_rules(deploying: &DeployingDraft, reader: &mut Reader) {
    rising(reader, deploying.least.flatten(), deploying.most.flatten());
}

section! {
    plain
    /// What helps against a fault that is known already.
    Remedy from RemedyDraft, no_rules {
        /// Its id, unique.
        id: Name, [required];
        /// The incidents that it is for.
        when: Condition, [required];
        /// What to do, in a sentence.
        text: String, [required];
    }
}

impl Entry for Remedy {
    const WHAT: &'static str = "remedy";
}
