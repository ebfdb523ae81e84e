//! The procedure for people, advice, signs of a good deployment, and remedies.

use std::fmt;

use super::command::CommandLine;
use super::list::none;
use crate::fact::Condition;
use crate::grade::{AdviceCheck, AdviceKind, StepClock};
use crate::policy::field::{Duration, List, TextOrNone};
use crate::policy::reader::section;
use crate::text::{brief, joined};
use crate::unit::{Name, RoleName, Span};

section! {
    plain
    /// One step of the procedure.
    pub ProcedureStep from ProcedureStepDraft {
        /// The id of the step, unique.
        id: Name, [required];
        /// The name of the step for people.
        title: String, [required];
        /// The goal of the step.
        goal: String as TextOrNone, [default ""];
        /// The condition under which the step is done, for people.
        done_when: String as TextOrNone, [default ""];
        /// The shortest duration of the step, or its earliest start, see `clock`; 0 or more.
        /// Without this key it is unknown.
        least: Span as Duration, [optional];
        /// The longest duration of the step, or its latest end, see `clock`; at least `least`.
        /// Without this key it is unknown.
        most: Span as Duration, [optional] at least least;
        /// What `least` and `most` mean: how long the step takes, or when it starts and ends,
        /// counted from the detection.
        clock: StepClock, [default "duration"];
        /// The role that does the step. Without this key no role is named.
        role: RoleName, [optional];
        /// The commands of the step, for people: a line of a POSIX shell each. Values of the plan
        /// are in double braces and get their quotes: `version`, `previous`, `tag`, `branch`,
        /// `commit`, `service`, `incident`.
        commands: Vec<String> as List<CommandLine<false>>, [default none()];
    }
}

section! {
    plain
    /// A piece of advice for people.
    pub Advice: Eq from AdviceDraft {
        /// The id of the advice, unique.
        id: Name, [required];
        /// What kind of advice it is: a do, a don't, or a common mistake.
        kind: AdviceKind, [required];
        /// The advice in a sentence.
        text: String, [required];
        /// The part of the policy that checks the advice. Without this key nothing checks it; the
        /// plan shows it to people.
        shown_by: AdviceCheck, [optional];
    }
}

section! {
    plain
    /// How long a deployment takes, and the signs of success and failure.
    pub Deploying: Default from DeployingDraft {
        /// The shortest time from the start of a deployment until the fix is live; 0 or more. Where
        /// the phases take longer, a plan has their time. Without this key it is unknown.
        least: Span as Duration, [optional];
        /// The longest such time, at least `least`. Without this key it is `least`.
        most: Span as Duration, [optional] at least least;
        /// The signs of a successful deployment: shown to whoever answers it with `confirm` or
        /// `failed`.
        success: Vec<String> as List<String>, [default none()];
        /// The signs of a failed deployment; `failed` may name one in `why`.
        failure: Vec<String> as List<String>, [default none()];
    }
}

/// The signs by which a deployment is seen to have succeeded or failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct DeploymentSigns<'a> {
    /// It has succeeded if all of these are so.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub success: &'a [String],
    /// It has failed if any of these is so.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub failure: &'a [String],
}

impl fmt::Display for DeploymentSigns<'_> {
    /// Sentences for people: `Signs of success: build passes. Signs of failure: build fails.`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = [("success", self.success), ("failure", self.failure)];
        let known = known.into_iter().filter(|(_, signs)| !signs.is_empty());
        let sentence = |(of, signs): (&str, &[String])| {
            format!("Signs of {of}: {}.", joined(signs.iter().map(|sign| brief(sign)), ", "))
        };
        f.write_str(&joined(known.map(sentence), " "))
    }
}

section! {
    plain
    /// The remedy for a known kind of fault.
    pub Remedy from RemedyDraft {
        /// The id of the remedy, unique.
        id: Name, [required];
        /// The condition that an incident has to meet.
        when: Condition, [required];
        /// What to do, in a sentence.
        text: String, [required];
    }
}
