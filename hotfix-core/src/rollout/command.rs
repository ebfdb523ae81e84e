//! The kinds of inputs, and the command of each.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::canonical::Digest;
use crate::grade::{Severity, Signal, closed_set};
use crate::metric::Observation;
use crate::plan::Release;
use crate::unit::{Name, RoleName, Timestamp};

use super::action::ActionId;
use super::document::InputDocument;
use super::input::{InputError, ItemStatus, KnownTime};

/// A field of a command: required, unless its type is an `Option`.
pub(super) trait Field<T>: Sized {
    fn of(kind: InputKind, field: &'static str, given: Option<T>) -> Result<Self, InputError>;
}

impl<T> Field<T> for T {
    fn of(kind: InputKind, field: &'static str, given: Option<T>) -> Result<Self, InputError> {
        given.ok_or(InputError::Missing { kind, field })
    }
}

impl<T> Field<T> for Option<T> {
    fn of(_: InputKind, _: &'static str, given: Option<T>) -> Result<Self, InputError> {
        Ok(given)
    }
}

/// Makes [`InputKind`] and [`Command`] of a table: each kind with its name in documents and the fields
/// of its command. A field is read from the document's member of the same name; a command with `by` is
/// read by that method of the document.
macro_rules! commands {
    ($(
        $(#[$doc:meta])*
        $kind:ident = $text:literal $(by $method:ident)? $({
            $($(#[$field_doc:meta])* $field:ident: $type:ty),+ $(,)?
        })?;
    )+) => {
        closed_set! {
            /// The kind of an input.
            InputKind { $($(#[$doc])* $kind = $text,)+ }
        }

        /// The command of an input, with the fields of its document.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs)]
        pub enum Command {$(
            #[doc = concat!("See [`InputKind::", stringify!($kind), "`].")]
            $kind $({ $($(#[$field_doc])* $field: $type),+ })?,
        )+}

        impl Command {
            /// The kind of this command.
            pub const fn kind(&self) -> InputKind {
                match self { $(Self::$kind { .. } => InputKind::$kind,)+ }
            }

            /// Takes the fields of a kind out of a document; others are left over.
            pub(super) fn take(kind: InputKind, of: &mut InputDocument) -> Result<Self, InputError> {
                Ok(match kind {$(
                    InputKind::$kind => commands!(@take kind of $kind $($method)? $({ $($field)+ })?),
                )+})
            }
        }
    };
    (@take $kind:ident $of:ident $variant:ident) => { Self::$variant };
    (@take $kind:ident $of:ident $variant:ident { $($field:ident)+ }) => {
        Self::$variant { $($field: Field::of($kind, stringify!($field), $of.$field.take())?),+ }
    };
    (@take $kind:ident $of:ident $variant:ident $method:ident { $($field:ident)+ }) => {
        $of.$method()?
    };
}

commands! {
    /// A role approves the plan.
    Approve = "approve" {
        role: RoleName,
        /// Where it was given, such as a chat; so for `deny` and `withdraw`.
        channel: Option<String>,
        /// Who heard it, where it was verbal. Personal.
        heard_by: Option<String>,
        /// The plan that is approved; refused where it is not this rollout's.
        plan_digest: Option<Digest>,
        why: Option<String>,
    };
    /// A role denies the plan.
    Deny = "deny" {
        role: RoleName,
        channel: Option<String>,
        heard_by: Option<String>,
        why: Option<String>,
    };
    /// A role withdraws its approval.
    Withdraw = "withdraw" {
        role: RoleName,
        channel: Option<String>,
        heard_by: Option<String>,
        why: Option<String>,
    };
    /// A checklist item or a step is done, does not apply, or is open again.
    CheckItem = "check_item" by check_item {
        /// The id of an item, or of a step of the procedure.
        item: Name,
        /// Further items or steps with the same status and evidence.
        more: Vec<Name>,
        status: ItemStatus,
        evidence: Option<String>,
    };
    /// A checklist item or a step is waived.
    WaiveItem = "waive_item" by waive_item {
        /// The id of an item, of a step of the procedure, or of an
        /// [`Exception`](crate::gate::Exception).
        item: Name,
        /// In which role; an exception needs one.
        role: Option<RoleName>,
        why: String,
    };
    /// The release with the fix is known.
    Release = "release" { release: Box<Release>, why: Option<String> };
    /// The rollout starts.
    Start = "start";
    /// An action was done.
    Confirm = "confirm" { action: ActionId, why: Option<String> };
    /// An action failed.
    Failed = "failed" { action: ActionId, why: Option<String> };
    /// Metrics were read.
    Observe = "observe" { metrics: Observation };
    /// Time has passed.
    Tick = "tick";
    /// A person ends the phase now, whatever is left of its watch, or the final validation.
    Promote = "promote" { why: Option<String> };
    /// A person objects to a promotion: it is watched on, and a person promotes it later.
    Hold = "hold" { why: Option<String> };
    /// A person pauses the rollout.
    Pause = "pause" { why: Option<String> };
    /// A person resumes the rollout.
    Resume = "resume" { why: Option<String> };
    /// A person ends the rollout.
    Abort = "abort" { why: Option<String> };
    /// A person orders a rollback.
    RollBack = "roll_back" { why: Option<String> };
    /// A person orders a known version at once.
    Revert = "revert" { version: String, why: String };
    /// Another release replaces the one under way.
    Supersede = "supersede" { release: Box<Release>, why: String };
    /// A rollout that was rolled back or stopped is tried again.
    Retry = "retry" {
        /// Another release than the one that was tried. None: the same.
        release: Option<Box<Release>>,
        why: String,
    };
    /// Somebody or a check reports a problem.
    Report = "report" { signal: Signal, note: Option<String> };
    /// Somebody acknowledges a page.
    Acknowledge = "acknowledge" { duty: Name, evidence: Option<String> };
    /// A duty is done.
    Done = "done" { duty: Name, evidence: Option<String> };
    /// The severity is set.
    SetSeverity = "set_severity" { severity: Severity, why: Option<String> };
    /// Facts become known.
    SetFacts = "set_facts" {
        facts: Map<String, Value>,
        /// Whether the earlier values of these facts were wrong, and count for nothing.
        correction: Option<bool>,
        why: Option<String>,
    };
    /// Times become known that only people or calendars know.
    SetTimes = "set_times" {
        /// Times by name. None revokes a moment.
        times: BTreeMap<KnownTime, Option<Timestamp>>,
        why: Option<String>,
    };
    /// A note for the log.
    Note = "note" { text: String, why: Option<String> };
}
