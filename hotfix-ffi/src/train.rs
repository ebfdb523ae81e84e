//! Several services in one hot-fix: make a train, feed it.

use std::ffi::{CStr, c_char};

use hotfix_core::rollout::Input;
use hotfix_core::train::{
    Move, Order, Train, TrainError, TrainFinding, TrainOutcome, TrainRefusal, TrainState,
};

use crate::buffer::hotfix_str;
use crate::error::{Fallible, hotfix_error};
use crate::guard::{Guarded, guard};
use crate::outcome::hotfix_state;
use crate::pointer::{self, Taken, handle};
use crate::reading::{Scratch, hotfix_reading, hotfix_sender};
use crate::rollout::hotfix_rollout;
use crate::status::hotfix_status;
use crate::time::any_time;
use crate::versioned::{self, Versioned};

/// Several services in one hot-fix, with their rollouts. One thread at a time.
pub struct hotfix_train(Guarded<Owned>);

handle!(hotfix_train, Owned);

/// A train and what its last call handed out.
pub(crate) struct Owned {
    pub(crate) order: Order,
    pub(crate) rollouts: Vec<Taken<hotfix_rollout>>,
    pub(crate) moves: Vec<Move>,
    pub(crate) findings: Vec<TrainFinding>,
    scratch: Scratch,
}

/// A service of a train and its rollout.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_train_service {
    /// The service's name; UTF-8, 1 to 256 bytes, borrowed for the call.
    pub name: *const c_char,
    /// Its length in bytes.
    pub name_len: usize,
    /// Its rollout.
    pub rollout: *mut hotfix_rollout,
}

/// Where a train is.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum hotfix_train_state {
    /// None of its services has started.
    Waiting = 1,
    /// Some have started, not all are complete.
    Running = 2,
    /// All are complete; some are still watched.
    Complete = 3,
    /// All are closed.
    Closed = 4,
    /// One went back, and others are to follow or on their way.
    RollingBack = 5,
    /// As ROLLING_BACK, and nothing moves until a person acts.
    Frozen = 6,
    /// One went back, and all that had started are back, but for those that were closed.
    RolledBack = 7,
}

impl hotfix_train_state {
    const ALL: &'static [Self] = &[
        Self::Waiting,
        Self::Running,
        Self::Complete,
        Self::Closed,
        Self::RollingBack,
        Self::Frozen,
        Self::RolledBack,
    ];

    const fn name(self) -> &'static CStr {
        match self {
            Self::Waiting => c"waiting",
            Self::Running => c"running",
            Self::Complete => c"complete",
            Self::Closed => c"closed",
            Self::RollingBack => c"rolling_back",
            Self::Frozen => c"frozen",
            Self::RolledBack => c"rolled_back",
        }
    }
}

impl From<TrainState> for hotfix_train_state {
    fn from(state: TrainState) -> Self {
        match state {
            TrainState::Waiting => Self::Waiting,
            TrainState::Running => Self::Running,
            TrainState::Complete => Self::Complete,
            TrainState::Closed => Self::Closed,
            TrainState::RollingBack => Self::RollingBack,
            TrainState::Frozen => Self::Frozen,
            TrainState::RolledBack => Self::RolledBack,
        }
    }
}

/// What a call on a train led to. Set `struct_size` before the call (HOTFIX_TRAIN_OUTCOME_INIT does).
///
/// Order of writing: for each move in order append its `events` to its service's log durably; then act. If an append fails,
/// free the train, replay the logs, make the train again and call hotfix_train_settle.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_train_outcome {
    /// sizeof(hotfix_train_outcome), set by the caller.
    pub struct_size: usize,
    /// How many moves there are; read them with hotfix_train_move_at. Those of a refusal too: its own lines come last.
    pub move_count: usize,
    /// How many findings came up; read them with hotfix_train_findings and tell them at once. Those of a refusal too.
    pub finding_count: usize,
    /// The train's state after the call.
    pub state: hotfix_train_state,
    /// 0.
    pub reserved: u32,
}

// SAFETY: repr(C), the size first; written only, never read as a whole, so its enum needs no value of zero.
unsafe impl Versioned for hotfix_train_outcome {
    const LEAST: usize = size_of::<Self>();
}

/// One input that one rollout took. Set `struct_size` before the call (HOTFIX_TRAIN_MOVE_INIT does). Views live until the next
/// call that takes the train without `const`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_train_move {
    /// sizeof(hotfix_train_move), set by the caller.
    pub struct_size: usize,
    /// Whose rollout it is.
    pub service: hotfix_str,
    /// The lines to append to that service's log, each with its line feed.
    pub events: hotfix_str,
    /// How many actions there are; read them with hotfix_train_action.
    pub action_count: usize,
    /// The rollout's state after it.
    pub state: hotfix_state,
    /// 1 where the input's key was known: nothing changed, and the actions are those of the first delivery.
    pub repeated: u32,
    /// 1 where the train gave the input itself, because another service went back.
    pub by_train: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: repr(C), the size first; written only, never read as a whole, so its enum needs no value of zero.
unsafe impl Versioned for hotfix_train_move {
    const LEAST: usize = size_of::<Self>();
}

impl Owned {
    /// Lets the core's train work on the rollouts, and keeps what came of it.
    unsafe fn call(
        &mut self,
        out: *mut hotfix_train_outcome,
        size: usize,
        call: impl FnOnce(
            &mut Train<&mut hotfix_core::rollout::Rollout>,
            &Scratch,
        ) -> Result<TrainOutcome, Box<TrainRefusal>>,
    ) -> Fallible<()> {
        let Self { order, rollouts, moves, findings, scratch } = self;
        let all = rollouts.iter_mut().map(Taken::guarded_mut).collect();
        let (state, result) = Guarded::change_all(all, "train", |mut sessions| {
            let borrowed = sessions.iter_mut().map(|session| &mut session.rollout).collect();
            let mut train = Train::try_new(order.clone(), borrowed)?;
            let result = call(&mut train, scratch);
            let state = train.state();
            let (made, result) = match result {
                Ok(outcome) => (outcome, Ok(())),
                Err(mut refusal) => {
                    let made = handed_out(&mut refusal);
                    let error = hotfix_error::of_train_refusal(*refusal);
                    if error.status == hotfix_status::Input {
                        // Nothing has moved, and what the last call handed out stays.
                        return Err(error);
                    }
                    (made, Err(error))
                }
            };
            (*moves, *findings) = (made.moves, made.findings);
            for (session, name) in sessions.iter_mut().zip(order.services()) {
                // What hotfix_rollout_action shows is what the last call asked of this rollout, in all its moves.
                let own = moves.iter().filter(|made| made.service == name);
                session.actions.clear();
                session.actions.extend(own.flat_map(|made| made.actions.iter().cloned()));
            }
            Ok((state, result))
        })?;
        let outcome = hotfix_train_outcome {
            struct_size: size,
            move_count: moves.len(),
            finding_count: findings.len(),
            state: state.into(),
            reserved: 0,
        };
        // SAFETY: `size` was checked against the caller's struct.
        unsafe { versioned::write(out, size, &outcome) };
        result
    }
}

/// What was done before a refusal; the line that it adds itself comes last.
fn handed_out(refusal: &mut TrainRefusal) -> TrainOutcome {
    let mut moves = std::mem::take(&mut refusal.moves);
    if let Some(state) = refusal.state {
        moves.push(Move {
            service: refusal.service.clone(),
            events: refusal.events.clone(),
            actions: Vec::new(),
            state,
            repeated: false,
            by_train: false,
        });
    }
    TrainOutcome { moves, findings: std::mem::take(&mut refusal.findings) }
}

/// A train of these services. After a crash: the same again with the rollouts replayed, and then hotfix_train_settle.
///
/// @param services   An array: each service with its rollout; borrowed for the call. On success the train takes the rollouts
///                   over: they are freed with it, and from then on fed through it alone. On failure they stay the caller's.
/// @param count      How many services.
/// @param after      What each service waits for to be complete, as JSON: an object with a list of names for a service; UTF-8, borrowed. With
///                   length 0 (may be null) they go one after the other, in the order of `services`.
/// @param after_len  Its length in bytes.
/// @param out        The train; the caller frees it with hotfix_train_free. Null on failure.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_PLAN for services that make no train: none, a name twice, a circle.
///
/// Thread rule: one thread, which alone uses the rollouts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_train_new(
    services: *const hotfix_train_service,
    count: usize,
    after: *const c_char,
    after_len: usize,
    out: *mut *mut hotfix_train,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            pointer::make(out, || {
                let services = pointer::array(services, count, "services")?;
                let after = pointer::text(after, after_len, "after")?;
                let mut names = Vec::with_capacity(count);
                for (place, service) in services.iter().enumerate() {
                    pointer::not_null(service.rollout, "rollout")?;
                    let name = pointer::text(service.name, service.name_len, "name")?;
                    if services.iter().take(place).any(|other| other.rollout == service.rollout) {
                        return Err(TrainError::Shared { service: name.to_owned() }.into());
                    }
                    pointer::read(service.rollout, "rollout", |_| Ok(()))?;
                    names.push(name);
                }
                let order = Order::from_json(&names, after)?;
                // Nothing can fail from here on: the rollouts are the train's.
                let rollouts: Fallible<Vec<_>> =
                    services.iter().map(|s| Taken::new(s.rollout, "rollout")).collect();
                let (rollouts, scratch) = (rollouts?, Scratch::new());
                Ok(Owned { order, rollouts, moves: Vec::new(), findings: Vec::new(), scratch })
            })
        })
    }
}

/// Takes one input for one service, and says what every rollout that moved has to do.
///
/// @param train        A train.
/// @param at_ms        The present time, in milliseconds since 1970-01-01T00:00:00Z.
/// @param service      The service's name; UTF-8, borrowed for the call.
/// @param service_len  Its length in bytes.
/// @param input        {"kind", "by", …} as for hotfix_rollout_handle; UTF-8, borrowed for the call.
/// @param input_len    Its length in bytes.
/// @param out          What it led to. Written on success and on HOTFIX_STATUS_REFUSED, whose moves are to be appended too.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_INPUT for a document that is no input, and for a service that is not in the train: nothing has
///         changed, and what the last call handed out stays. HOTFIX_STATUS_REFUSED for one that is not taken now, by the
///         train (HF-TRAIN) or by the rollout.
///
/// Thread rule: one thread at a time for one train.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_train_handle(
    train: *mut hotfix_train,
    at_ms: i64,
    service: *const c_char,
    service_len: usize,
    input: *const c_char,
    input_len: usize,
    out: *mut hotfix_train_outcome,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let size = versioned::size_of_caller(out, "out")?;
            let at = any_time(at_ms, "at_ms")?;
            let service = pointer::text(service, service_len, "service")?;
            let input = Input::from_json(pointer::text(input, input_len, "input")?)?;
            pointer::change(train, "train", |owned| {
                owned
                    .call(out, size, |train, _| train.handle(at, service, &input).map_err(Box::new))
            })
        })
    }
}

/// Takes one observation of one service from plain structs: the same as an input of kind `observe`.
///
/// @param train        A train.
/// @param at_ms        The present time, in milliseconds since 1970-01-01T00:00:00Z.
/// @param service      The service's name; UTF-8, borrowed for the call.
/// @param service_len  Its length in bytes.
/// @param readings     An array as for hotfix_rollout_observe; borrowed for the call. May be null with count 0.
/// @param count        How many readings.
/// @param sender       Actor, key and expected head; may be null.
/// @param out          What it led to. Written on success and on HOTFIX_STATUS_REFUSED, whose moves are to be appended too.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return As hotfix_train_handle; HOTFIX_STATUS_STRUCT, HOTFIX_STATUS_ENUM, HOTFIX_STATUS_UNIT and HOTFIX_STATUS_RANGE as
///         hotfix_rollout_observe.
///
/// Thread rule: one thread at a time for one train.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "a time, a service, an array and its sender")]
pub unsafe extern "C" fn hotfix_train_observe(
    train: *mut hotfix_train,
    at_ms: i64,
    service: *const c_char,
    service_len: usize,
    readings: *const hotfix_reading,
    count: usize,
    sender: *const hotfix_sender,
    out: *mut hotfix_train_outcome,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let size = versioned::size_of_caller(out, "out")?;
            let at = any_time(at_ms, "at_ms")?;
            let service = pointer::text(service, service_len, "service")?;
            pointer::change(train, "train", |owned| {
                owned.scratch.fill(readings, count, sender)?;
                owned.call(out, size, |train, scratch| {
                    train.handle(at, service, scratch.input()).map_err(Box::new)
                })
            })
        })
    }
}

/// Sends a `tick` to each rollout whose time has come, and goes on with a way back: for the timer that hotfix_train_poll_at
/// arms.
///
/// @param train  A train.
/// @param at_ms  The present time, in milliseconds since 1970-01-01T00:00:00Z.
/// @param out    What it led to. Written on success only.
/// @param err    Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: one thread at a time for one train.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_train_tick(
    train: *mut hotfix_train,
    at_ms: i64,
    out: *mut hotfix_train_outcome,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let size = versioned::size_of_caller(out, "out")?;
            let at = any_time(at_ms, "at_ms")?;
            pointer::change(train, "train", |owned| {
                owned.call(out, size, |train, _| Ok(train.tick(at)))
            })
        })
    }
}

/// Goes on with a way back as far as it can, and gives every finding that stands: for after a crash. Again it changes nothing.
///
/// @param train  A train.
/// @param at_ms  The present time, in milliseconds since 1970-01-01T00:00:00Z.
/// @param out    What it led to. Written on success only.
/// @param err    Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: one thread at a time for one train.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_train_settle(
    train: *mut hotfix_train,
    at_ms: i64,
    out: *mut hotfix_train_outcome,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let size = versioned::size_of_caller(out, "out")?;
            let at = any_time(at_ms, "at_ms")?;
            pointer::change(train, "train", |owned| {
                owned.call(out, size, |train, _| Ok(train.settle(at)))
            })
        })
    }
}

/// Frees a train with its rollouts, a poisoned one too. Views of its outcomes and rollouts end with it.
///
/// @param train  A train, or null.
///
/// Thread rule: one thread, after every other use of this handle and of its rollouts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_train_free(train: *mut hotfix_train) {
    pointer::free(train);
}

/// The name of a train's state: "rolling_back".
///
/// @param state  Any number.
/// @return Static text that ends with a null byte; "unknown" for a number that is no state.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub extern "C" fn hotfix_train_state_name(state: i32) -> *const c_char {
    let known = hotfix_train_state::ALL.iter().find(|known| **known as i32 == state);
    known.map_or(c"unknown", |known| known.name()).as_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roll_1_names_of_a_trains_states_are_those_of_the_core() {
        for state in TrainState::ALL {
            assert_eq!(hotfix_train_state::from(*state).name().to_str(), Ok(state.as_str()));
        }
        assert_eq!(hotfix_train_state::ALL.len(), TrainState::ALL.len());
    }
}
