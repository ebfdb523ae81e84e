//! What a call led to: plain structs with views, filled without copying or allocating.

use std::ffi::{CStr, c_char};

use hotfix_core::judge::Decision;
use hotfix_core::rollout::{Act, Action, State};

use crate::buffer::{hotfix_str, in_place};
use crate::versioned::Versioned;

/// The name of a state.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum hotfix_state {
    /// The severity is not known, a checklist item is open, or an attempt before still has traffic.
    Drafted = 1,
    /// An approval is missing.
    AwaitingApproval = 2,
    /// Nothing is missing.
    Ready = 3,
    /// A version or traffic is under way.
    Deploying = 4,
    /// A phase is watched.
    Monitoring = 5,
    /// A person decides or may object.
    Gate = 6,
    /// The last look.
    FinalValidation = 7,
    /// Complete and still watched.
    Complete = 8,
    /// Over. Final.
    Closed = 9,
    /// On the way back.
    RollingBack = 10,
    /// Back. Final.
    RolledBack = 11,
    /// Stopped by a person for a while.
    Paused = 12,
    /// A person has to act: every way back failed, or something cannot go back.
    Frozen = 13,
    /// Stopped for good. Final.
    Aborted = 14,
    /// The deployment failed before any traffic moved. Final.
    Failed = 15,
}

impl hotfix_state {
    /// Every state, in order; the number of the first is 1.
    const ALL: &'static [Self] = &[
        Self::Drafted,
        Self::AwaitingApproval,
        Self::Ready,
        Self::Deploying,
        Self::Monitoring,
        Self::Gate,
        Self::FinalValidation,
        Self::Complete,
        Self::Closed,
        Self::RollingBack,
        Self::RolledBack,
        Self::Paused,
        Self::Frozen,
        Self::Aborted,
        Self::Failed,
    ];

    const fn name(self) -> &'static CStr {
        match self {
            Self::Drafted => c"drafted",
            Self::AwaitingApproval => c"awaiting_approval",
            Self::Ready => c"ready",
            Self::Deploying => c"deploying",
            Self::Monitoring => c"monitoring",
            Self::Gate => c"gate",
            Self::FinalValidation => c"final_validation",
            Self::Complete => c"complete",
            Self::Closed => c"closed",
            Self::RollingBack => c"rolling_back",
            Self::RolledBack => c"rolled_back",
            Self::Paused => c"paused",
            Self::Frozen => c"frozen",
            Self::Aborted => c"aborted",
            Self::Failed => c"failed",
        }
    }
}

impl From<State> for hotfix_state {
    fn from(state: State) -> Self {
        match state {
            State::Drafted => Self::Drafted,
            State::AwaitingApproval => Self::AwaitingApproval,
            State::Ready => Self::Ready,
            State::Deploying => Self::Deploying,
            State::Monitoring => Self::Monitoring,
            State::Gate => Self::Gate,
            State::FinalValidation => Self::FinalValidation,
            State::Complete => Self::Complete,
            State::Closed => Self::Closed,
            State::RollingBack => Self::RollingBack,
            State::RolledBack => Self::RolledBack,
            State::Paused => Self::Paused,
            State::Frozen => Self::Frozen,
            State::Aborted => Self::Aborted,
            State::Failed => Self::Failed,
        }
    }
}

/// What the last verdict asks for.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum hotfix_decision {
    /// Nothing is amiss; go on watching.
    Continue = 1,
    /// Something keeps the phase from passing; stay. Also before the first verdict.
    Hold = 2,
    /// The phase has shown what it must.
    Promote = 3,
    /// Go back.
    RollBack = 4,
    /// A person has to decide.
    Ask = 5,
}

impl hotfix_decision {
    const ALL: &'static [Self] =
        &[Self::Continue, Self::Hold, Self::Promote, Self::RollBack, Self::Ask];

    const fn name(self) -> &'static CStr {
        match self {
            Self::Continue => c"continue",
            Self::Hold => c"hold",
            Self::Promote => c"promote",
            Self::RollBack => c"roll_back",
            Self::Ask => c"ask",
        }
    }
}

impl From<Decision> for hotfix_decision {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Continue => Self::Continue,
            Decision::Hold => Self::Hold,
            Decision::Promote => Self::Promote,
            Decision::RollBack => Self::RollBack,
            Decision::Ask => Self::Ask,
        }
    }
}

/// What there is to do.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum hotfix_action_kind {
    /// Give the canary this `share` of the traffic. Awaits `confirm` or `failed`.
    SetTraffic = 1,
    /// Deploy this `version` beside the live one. Awaits `confirm` or `failed`.
    Deploy = 2,
    /// Go back to this `version` by this `method`. Awaits `confirm` or `failed`.
    RollBack = 3,
    /// Ask a person the question in `text`; the answer is an input.
    AskDecision = 4,
    /// Ask any of several roles for approval. `role` is empty: they are `any_of` in the JSON of hotfix_rollout_actions.
    RequestApproval = 5,
    /// Send the `message` to this `audience`.
    Notify = 6,
    /// Wake this `role` and say `text`.
    Page = 7,
    /// Put the `message` on the status page.
    UpdateStatusPage = 8,
    /// Find a time for the meeting that `text` names.
    Schedule = 9,
}

impl hotfix_action_kind {
    const ALL: &'static [Self] = &[
        Self::SetTraffic,
        Self::Deploy,
        Self::RollBack,
        Self::AskDecision,
        Self::RequestApproval,
        Self::Notify,
        Self::Page,
        Self::UpdateStatusPage,
        Self::Schedule,
    ];

    const fn name(self) -> &'static CStr {
        match self {
            Self::SetTraffic => c"set_traffic",
            Self::Deploy => c"deploy",
            Self::RollBack => c"roll_back",
            Self::AskDecision => c"ask_decision",
            Self::RequestApproval => c"request_approval",
            Self::Notify => c"notify",
            Self::Page => c"page",
            Self::UpdateStatusPage => c"update_status_page",
            Self::Schedule => c"schedule",
        }
    }
}

/// What an input led to. Set `struct_size` before the call (HOTFIX_OUTCOME_INIT does); the rest may hold anything.
///
/// Order of writing: append `events` to the log durably, then act. If the append fails, free the rollout and replay.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_outcome {
    /// sizeof(hotfix_outcome), set by the caller.
    pub struct_size: usize,
    /// The log lines to append, each with its line feed; those of a refusal too. Valid until the next call that takes
    /// this rollout without `const`.
    pub events: hotfix_str,
    /// How many actions there are; read them with hotfix_rollout_action.
    pub action_count: usize,
    /// The state after the call.
    pub state: hotfix_state,
    /// What the last verdict asks for; it is the rollout that obeys it.
    pub decision: hotfix_decision,
    /// 1 where the input's key was known: nothing changed, and the actions are those of the first delivery.
    pub repeated: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: repr(C), the size first; written only, never read as a whole, so its enums need no value of zero.
unsafe impl Versioned for hotfix_outcome {
    const LEAST: usize = size_of::<Self>();
}

/// One thing to do. Set `struct_size` before the call (HOTFIX_ACTION_INIT does). Views live until the next call that takes
/// the rollout without `const`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_action {
    /// sizeof(hotfix_action), set by the caller.
    pub struct_size: usize,
    /// The id to confirm it with: "7.1", ended by a null byte. The same after every replay.
    pub id: [c_char; 32],
    /// What to do.
    pub kind: hotfix_action_kind,
    /// 1 where the rollout waits for `confirm` or `failed`.
    pub awaits: u32,
    /// The canary's share, 0 to 1, of SET_TRAFFIC; else 0.
    pub share: f64,
    /// The version of DEPLOY and ROLL_BACK; else empty.
    pub version: hotfix_str,
    /// The method of ROLL_BACK: "feature_flag"; else empty.
    pub method: hotfix_str,
    /// The role of PAGE; else empty. Those of REQUEST_APPROVAL are in the JSON of hotfix_rollout_actions.
    pub role: hotfix_str,
    /// The message of NOTIFY and UPDATE_STATUS_PAGE: "rolling_back"; else empty.
    pub message: hotfix_str,
    /// The audience of NOTIFY: "responders"; else empty.
    pub audience: hotfix_str,
    /// The question of ASK_DECISION, the reason of PAGE, what SCHEDULE is to find a time for; else empty.
    pub text: hotfix_str,
    /// The duty that asks for it, which `acknowledge` and `done` name; else empty. When a meeting is due is in the JSON of
    /// hotfix_rollout_actions.
    pub duty: hotfix_str,
}

// SAFETY: repr(C), the size first; written only, never read as a whole, so its enums need no value of zero.
unsafe impl Versioned for hotfix_action {
    const LEAST: usize = size_of::<Self>();
}

impl hotfix_action {
    /// Views into an action; the caller's `struct_size` is kept by the write.
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
            Act::RequestApproval { .. } => {}
            Act::Notify { audience, message, .. } => {
                view.audience = hotfix_str::of(audience.as_str());
                view.message = hotfix_str::of(message.as_str());
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
/// @return Static text that ends with a null byte; "unknown" for a number that is no state.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub extern "C" fn hotfix_state_name(state: i32) -> *const c_char {
    let known = hotfix_state::ALL.iter().find(|known| **known as i32 == state);
    known.map_or(c"unknown", |known| known.name()).as_ptr()
}

/// The name of a decision: "roll_back".
///
/// @param decision  Any number.
/// @return Static text that ends with a null byte; "unknown" for a number that is no decision.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub extern "C" fn hotfix_decision_name(decision: i32) -> *const c_char {
    let known = hotfix_decision::ALL.iter().find(|known| **known as i32 == decision);
    known.map_or(c"unknown", |known| known.name()).as_ptr()
}

/// The name of an action's kind: "set_traffic".
///
/// @param kind  Any number.
/// @return Static text that ends with a null byte; "unknown" for a number that is no kind.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub extern "C" fn hotfix_action_kind_name(kind: i32) -> *const c_char {
    let known = hotfix_action_kind::ALL.iter().find(|known| **known as i32 == kind);
    known.map_or(c"unknown", |known| known.name()).as_ptr()
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
