//! Outcomes of calls: plain structs with views, filled without copying or allocating.

use std::ffi::c_char;

use hotfix_core::judge::Decision;
use hotfix_core::rollout::{Act, Action, State};
use hotfix_core::unit::RoleName;

use crate::buffer::{hotfix_str, in_place};
use crate::error::{Fallible, hotfix_error};
use crate::names::named;
use crate::versioned::{self, Versioned};

/// The name of a state.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum hotfix_state {
    /// There is no release, the severity is unknown, a checklist item is open, or a previous attempt
    /// still has traffic.
    Drafted = 1,
    /// An approval or a waiver is missing.
    AwaitingApproval = 2,
    /// Nothing is missing. Outside of a change window `start` is still refused.
    Ready = 3,
    /// A deployment or a change of traffic is in progress.
    Deploying = 4,
    /// A phase is being watched.
    Monitoring = 5,
    /// A person has to decide, or may object.
    Gate = 6,
    /// The final validation, before the rollout is complete.
    FinalValidation = 7,
    /// Complete; the metrics are still watched.
    Complete = 8,
    /// Closed. Final.
    Closed = 9,
    /// Rolling back.
    RollingBack = 10,
    /// Rolled back. Final.
    RolledBack = 11,
    /// Paused by a person.
    Paused = 12,
    /// A person has to act: every rollback method failed, or a change cannot be rolled back.
    Frozen = 13,
    /// Aborted. Final.
    Aborted = 14,
    /// The deployment failed before any traffic moved. Final.
    Failed = 15,
}

named! {
    hotfix_state is State {
        Drafted = c"drafted",
        AwaitingApproval = c"awaiting_approval",
        Ready = c"ready",
        Deploying = c"deploying",
        Monitoring = c"monitoring",
        Gate = c"gate",
        FinalValidation = c"final_validation",
        Complete = c"complete",
        Closed = c"closed",
        RollingBack = c"rolling_back",
        RolledBack = c"rolled_back",
        Paused = c"paused",
        Frozen = c"frozen",
        Aborted = c"aborted",
        Failed = c"failed",
    }
}

/// The decision of the last verdict.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum hotfix_decision {
    /// No fault is found: continue watching.
    Continue = 1,
    /// Something prevents promotion: hold. Also before the first verdict.
    Hold = 2,
    /// The phase met its criteria: promote.
    Promote = 3,
    /// Roll back.
    RollBack = 4,
    /// A person has to decide.
    Ask = 5,
}

named! {
    hotfix_decision is Decision {
        Continue = c"continue",
        Hold = c"hold",
        Promote = c"promote",
        RollBack = c"roll_back",
        Ask = c"ask",
    }
}

/// The kinds of action.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum hotfix_action_kind {
    /// Send this `share` of the traffic to the canary. Awaits `confirm` or `failed`.
    SetTraffic = 1,
    /// Deploy this `version` next to the live one. Awaits `confirm` or `failed`. Of a blue-green
    /// deployment the JSON of the action has the checks to pass before `confirm`: `validate`.
    Deploy = 2,
    /// Roll back to this `version` with this `method`. Awaits `confirm` or `failed`.
    RollBack = 3,
    /// Ask a person the question in `text`; send the answer as an input.
    AskDecision = 4,
    /// Ask one of several roles for approval. `role` is empty: the roles are in `any_of` in the
    /// JSON of hotfix_rollout_actions.
    RequestApproval = 5,
    /// Send the `message` to this `audience`. Where there is a `role`, send `text` to whoever holds it;
    /// there is no `message` to write.
    Notify = 6,
    /// Page this `role` with `text`.
    Page = 7,
    /// Update the status page with the `message`.
    UpdateStatusPage = 8,
    /// Schedule the meeting that `text` names.
    Schedule = 9,
}

named! {
    hotfix_action_kind {
        SetTraffic = c"set_traffic",
        Deploy = c"deploy",
        RollBack = c"roll_back",
        AskDecision = c"ask_decision",
        RequestApproval = c"request_approval",
        Notify = c"notify",
        Page = c"page",
        UpdateStatusPage = c"update_status_page",
        Schedule = c"schedule",
    }
}

/// The outcome of an input. Set `struct_size` before the call (HOTFIX_OUTCOME_INIT does); the rest
/// may hold anything.
///
/// Append `events` to the log durably, then act. If the append fails, free the rollout and replay
/// the log.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_outcome {
    /// sizeof(hotfix_outcome), set by the caller.
    pub struct_size: usize,
    /// The log lines to append, each with its line feed; also the lines of a refusal. Valid until
    /// the next call that takes this rollout without `const`, also one that fails.
    pub events: hotfix_str,
    /// Number of actions; read them with hotfix_rollout_action.
    pub action_count: usize,
    /// The state after the call.
    pub state: hotfix_state,
    /// The decision of the last verdict. For information: the rollout acts on it itself.
    pub decision: hotfix_decision,
    /// 1 if an input with this key was delivered before: nothing changed. The actions are those of
    /// the first delivery: do not carry them out, others may have followed since.
    pub repeated: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: repr(C), the size first; written only.
unsafe impl Versioned for hotfix_outcome {}

impl hotfix_outcome {
    /// Empties the caller's struct, so that a call that fails leaves no lines of the call before
    /// there. Returns its size.
    #[inline]
    pub(crate) unsafe fn emptied(out: *mut Self) -> Fallible<usize> {
        // SAFETY: writable by the header's contract; the members are in every release's struct.
        unsafe {
            let size = versioned::size_of_caller(out, "out")?;
            ((*out).events, (*out).action_count) = (hotfix_str::EMPTY, 0);
            Ok(size)
        }
    }
}

/// One action for the caller. Set `struct_size` before the call (HOTFIX_ACTION_INIT does). Views
/// are valid until the next call that takes the rollout without `const`, also one that fails.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_action {
    /// sizeof(hotfix_action), set by the caller.
    pub struct_size: usize,
    /// The id that `confirm` and `failed` name, such as "7.1"; ends with a null byte. It is the
    /// same after every replay.
    pub id: [c_char; 32],
    /// What to do.
    pub kind: hotfix_action_kind,
    /// 1 if the rollout waits for `confirm` or `failed`.
    pub awaits: u32,
    /// SET_TRAFFIC: the canary's share, 0 to 1; otherwise 0.
    pub share: f64,
    /// DEPLOY and ROLL_BACK: the version; otherwise empty.
    pub version: hotfix_str,
    /// ROLL_BACK: the method, such as "feature_flag"; otherwise empty.
    pub method: hotfix_str,
    /// PAGE, and NOTIFY that is for one role: the role; otherwise empty. The roles of
    /// REQUEST_APPROVAL, and whom to contact, are in the JSON of hotfix_rollout_actions.
    pub role: hotfix_str,
    /// NOTIFY and UPDATE_STATUS_PAGE: the kind of message, such as "rolling_back"; otherwise empty.
    pub message: hotfix_str,
    /// NOTIFY: the audience, such as "responders"; otherwise empty.
    pub audience: hotfix_str,
    /// ASK_DECISION: the question. PAGE and NOTIFY that is for one role: the reason. REQUEST_APPROVAL
    /// that needs one: why it is asked now, or a question about the incident that `set_facts` answers.
    /// SCHEDULE: the name of the meeting. Otherwise empty.
    pub text: hotfix_str,
    /// The duty that caused the action, which `acknowledge` and `done` name; otherwise empty. The
    /// time by which a meeting is due is in the JSON of hotfix_rollout_actions.
    pub duty: hotfix_str,
}

// SAFETY: repr(C), the size first; written only.
unsafe impl Versioned for hotfix_action {}

impl hotfix_action {
    /// Views into the action at an index.
    pub(crate) fn at(actions: &[Action], index: usize) -> Fallible<Self> {
        let count = actions.len();
        actions.get(index).map(Self::of).ok_or_else(|| {
            let wanted = format_args!("an index below the number of actions, which is {count}");
            hotfix_error::range("index", index, wanted)
        })
    }

    /// Views into an action; the write keeps the caller's `struct_size`.
    pub(crate) fn of(action: &Action) -> Self {
        let kind = match &action.act {
            Act::SetTraffic { .. } => hotfix_action_kind::SetTraffic,
            Act::Deploy { .. } => hotfix_action_kind::Deploy,
            Act::RollBack { .. } => hotfix_action_kind::RollBack,
            Act::AskDecision { .. } => hotfix_action_kind::AskDecision,
            Act::RequestApproval { .. } => hotfix_action_kind::RequestApproval,
            Act::Notify { .. } => hotfix_action_kind::Notify,
            Act::Page { .. } => hotfix_action_kind::Page,
            Act::UpdateStatusPage { .. } => hotfix_action_kind::UpdateStatusPage,
            Act::Schedule { .. } => hotfix_action_kind::Schedule,
        };
        let mut view = Self {
            struct_size: 0,
            id: in_place(&action.id),
            kind,
            awaits: u32::from(action.act.awaits()),
            share: 0.0,
            version: hotfix_str::EMPTY,
            method: hotfix_str::EMPTY,
            role: hotfix_str::EMPTY,
            message: hotfix_str::EMPTY,
            audience: hotfix_str::EMPTY,
            text: hotfix_str::EMPTY,
            duty: hotfix_str::EMPTY,
        };
        if let Some(duty) = action.act.duty() {
            view.duty = hotfix_str::of(duty.as_str());
        }
        match &action.act {
            Act::SetTraffic { share } => view.share = share.as_fraction(),
            Act::Deploy { version, .. } => view.version = hotfix_str::of(version),
            Act::RollBack { method, version } => {
                view.method = hotfix_str::of(method.as_str());
                view.version = hotfix_str::of(version);
            }
            Act::AskDecision { question } => view.text = hotfix_str::of(question),
            Act::RequestApproval { why, .. } => {
                view.text = hotfix_str::of(why.as_deref().unwrap_or_default());
            }
            Act::Notify { audience, message, role, why, .. } => {
                view.audience = hotfix_str::of(audience.as_str());
                view.message = hotfix_str::of(message.as_str());
                view.role = hotfix_str::of(role.as_ref().map_or("", RoleName::as_str));
                view.text = hotfix_str::of(why.as_deref().unwrap_or_default());
            }
            Act::Page { role, why, .. } => {
                view.role = hotfix_str::of(role.as_str());
                view.text = hotfix_str::of(why);
            }
            Act::UpdateStatusPage { message, .. } => {
                view.message = hotfix_str::of(message.as_str());
            }
            Act::Schedule { title, .. } => view.text = hotfix_str::of(title),
        }
        view
    }
}

/// The name of a state: "rolling_back".
///
/// @param state  Any number.
/// @return Static text that ends with a null byte; "unknown" for a number that is not a state.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub extern "C" fn hotfix_state_name(state: i32) -> *const c_char {
    hotfix_state::name_of(state)
}

/// The name of a decision: "roll_back".
///
/// @param decision  Any number.
/// @return Static text that ends with a null byte; "unknown" for a number that is not a decision.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub extern "C" fn hotfix_decision_name(decision: i32) -> *const c_char {
    hotfix_decision::name_of(decision)
}

/// The name of an action's kind: "set_traffic".
///
/// @param kind  Any number.
/// @return Static text that ends with a null byte; "unknown" for a number that is not a kind.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub extern "C" fn hotfix_action_kind_name(kind: i32) -> *const c_char {
    hotfix_action_kind::name_of(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roll_1_names_are_those_of_the_core() {
        for state in State::ALL {
            assert_eq!(hotfix_state::from(*state).name().to_str(), Ok(state.as_str()));
        }
        for decision in Decision::ALL {
            assert_eq!(hotfix_decision::from(*decision).name().to_str(), Ok(decision.as_str()));
        }
        assert_eq!(hotfix_state::ALL.len(), State::ALL.len());
        assert_eq!(hotfix_decision::ALL.len(), Decision::ALL.len());
    }
}
