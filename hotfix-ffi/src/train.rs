//! Release trains: several services in one hot-fix.

use std::ffi::c_char;

use hotfix_core::rollout::Input;
use hotfix_core::train::{
    Move, Order, Train, TrainError, TrainFinding, TrainOutcome, TrainRefusal, TrainState,
};
use hotfix_core::unit::Timestamp;

use crate::answer;
use crate::buffer::hotfix_str;
use crate::error::{Fallible, hotfix_error};
use crate::guard::{Guarded, guard};
use crate::names::named;
use crate::outcome::hotfix_state;
use crate::pointer::{self, Taken, handle};
use crate::reading::{Scratch, hotfix_reading, hotfix_sender};
use crate::rollout::hotfix_rollout;
use crate::status::hotfix_status;
use crate::time::any_time;
use crate::versioned::{self, Versioned};

/// A release train: several services in one hot-fix, with their rollouts. One thread at a time.
pub struct hotfix_train(Guarded<Owned>);

handle!(hotfix_train, Owned);

/// A train and the output of its last call.
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

/// The state of a train.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum hotfix_train_state {
    /// None of its services has started.
    Waiting = 1,
    /// Some services have started, not all are complete.
    Running = 2,
    /// All services are complete; some are still watched.
    Complete = 3,
    /// All services are closed.
    Closed = 4,
    /// One service was rolled back; others are rolling back or will follow.
    RollingBack = 5,
    /// One service was rolled back, and nothing proceeds until a person acts on those that still have the fix:
    /// they are frozen, kept or closed.
    Frozen = 6,
    /// One service was rolled back, and so were all others that had started.
    RolledBack = 7,
}

named! {
    hotfix_train_state is TrainState {
        Waiting = c"waiting",
        Running = c"running",
        Complete = c"complete",
        Closed = c"closed",
        RollingBack = c"rolling_back",
        Frozen = c"frozen",
        RolledBack = c"rolled_back",
    }
}

/// The outcome of a call on a train. Set `struct_size` before the call (HOTFIX_TRAIN_OUTCOME_INIT
/// does).
///
/// For each move in order, append its `events` durably to the log of its service; then act. If an
/// append fails, free the train, replay the logs, make the train again and call
/// hotfix_train_settle.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_train_outcome {
    /// sizeof(hotfix_train_outcome), set by the caller.
    pub struct_size: usize,
    /// Number of moves; read them with hotfix_train_move_at. Also set by a refusal, whose own lines
    /// come last.
    pub move_count: usize,
    /// Number of findings; read them with hotfix_train_findings and notify the people on call at
    /// once. Also set by a refusal.
    pub finding_count: usize,
    /// The train's state after the call.
    pub state: hotfix_train_state,
    /// 0.
    pub reserved: u32,
}

// SAFETY: repr(C), the size first; written only.
unsafe impl Versioned for hotfix_train_outcome {}

impl hotfix_train_outcome {
    /// Empties the caller's struct, so that a call that fails leaves no moves of the call before
    /// there. Returns its size.
    unsafe fn emptied(out: *mut Self) -> Fallible<usize> {
        // SAFETY: writable by the header's contract; the members are in every release's struct.
        unsafe {
            let size = versioned::size_of_caller(out, "out")?;
            ((*out).move_count, (*out).finding_count) = (0, 0);
            Ok(size)
        }
    }
}

/// One input that one rollout of the train handled. Set `struct_size` before the call
/// (HOTFIX_TRAIN_MOVE_INIT does). Views are valid until the next call that takes the train without
/// `const`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_train_move {
    /// sizeof(hotfix_train_move), set by the caller.
    pub struct_size: usize,
    /// The service of the rollout.
    pub service: hotfix_str,
    /// The lines to append to that service's log, each with its line feed.
    pub events: hotfix_str,
    /// Number of actions; read them with hotfix_train_action.
    pub action_count: usize,
    /// The rollout's state after the input.
    pub state: hotfix_state,
    /// 1 if an input with this key was delivered before: nothing changed. The actions are those of
    /// the first delivery: do not carry them out, others may have followed since.
    pub repeated: u32,
    /// 1 if the train sent the input itself: it rolls the service back or pauses it because another
    /// one was rolled back, keeps a complete service open or closes it, or notes that the service
    /// waits. `state` distinguishes them.
    pub by_train: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: repr(C), the size first; written only.
unsafe impl Versioned for hotfix_train_move {}

impl Owned {
    /// Refuses a time that is probably in seconds where a log is made: no rollout would ever be due.
    fn check(&self, at: Timestamp) -> Fallible<()> {
        let logs = |rollout: &Taken<hotfix_rollout>| {
            rollout.guarded().value("train").is_ok_and(|s| s.rollout.head().is_some())
        };
        if at < Timestamp::EARLIEST && self.rollouts.iter().any(logs) {
            return Err(hotfix_error::seconds("at_ms", at));
        }
        Ok(())
    }

    /// Runs the core's train on the rollouts, and keeps its outcome.
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
                        // Nothing has changed, and the output of the last call stays valid.
                        return Err(error);
                    }
                    (made, Err(error))
                }
            };
            (*moves, *findings) = (made.moves, made.findings);
            for (session, name) in sessions.iter_mut().zip(order.services()) {
                // hotfix_rollout_action shows the actions of the last call for this rollout, over
                // all its moves.
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

/// The moves before a refusal; the line of the refusal itself comes last.
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

/// Makes a train of services. After a crash, make it again from the replayed rollouts, then call
/// hotfix_train_settle.
///
/// @param services   An array: each service with its rollout; borrowed for the call. On success the
///                   train owns the rollouts: it alone frees them, and inputs go through the train
///                   only. On failure the caller still owns them.
/// @param count      Number of services.
/// @param after      The services that have to be complete before each service starts, as JSON: an
///                   object with a list of names for a service; UTF-8, borrowed. With length 0 (may
///                   be null) each service waits for the one before it in `services`.
/// @param after_len  Its length in bytes.
/// @param out        The train; the caller frees it with hotfix_train_free. Null on failure.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_PLAN for services that cannot form a train: no service, a name that occurs
///         twice, or a cycle. HOTFIX_STATUS_HANDLE for a rollout that another train owns.
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
        answer::handle(out, err, || {
            let services = pointer::array(services, count, "services")?;
            let after = pointer::text(after, after_len, "after")?;
            let mut names = Vec::new();
            for (place, service) in services.iter().enumerate() {
                let at = |error: Box<hotfix_error>, member| {
                    error.at(format!("/services/{place}/{member}"))
                };
                let name = pointer::text(service.name, service.name_len, "name");
                let name = name.map_err(|error| at(error, "name"))?;
                if services.iter().take(place).any(|other| other.rollout == service.rollout) {
                    return Err(TrainError::Shared { service: name.to_owned() }.into());
                }
                pointer::change(service.rollout, "rollout", |_| Ok(()))
                    .map_err(|error| at(error, "rollout"))?;
                names.push(name);
            }
            let order = Order::from_json(&names, after)?;
            // Nothing can fail from here on: the train owns the rollouts.
            let rollouts: Fallible<Vec<_>> =
                services.iter().map(|s| Taken::new(s.rollout, "rollout")).collect();
            let (rollouts, scratch) = (rollouts?, Scratch::new());
            Ok(Owned { order, rollouts, moves: Vec::new(), findings: Vec::new(), scratch })
        })
    }
}

/// Handles one input for one service, and returns the actions of every rollout that changed.
///
/// @param train        A train.
/// @param at_ms        The present time, in milliseconds since 1970-01-01T00:00:00Z.
/// @param service      The service's name; UTF-8, borrowed for the call.
/// @param service_len  Its length in bytes.
/// @param input        {"kind", "by", …} as for hotfix_rollout_handle; UTF-8, borrowed for the
///                     call.
/// @param input_len    Its length in bytes.
/// @param out          The outcome. Written on success and on HOTFIX_STATUS_REFUSED: append the
///                     moves of a refusal too. On any other failure it has no moves and no findings.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_INPUT for a document that is not a valid input, and for a service that is
///         not in the train: nothing has changed, and the output of the last call stays valid.
///         HOTFIX_STATUS_REFUSED for an input that the train or the rollout does not accept now.
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
            let size = hotfix_train_outcome::emptied(out)?;
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

/// Handles one observation of one service from plain structs: the same as an input of kind
/// `observe`.
///
/// @param train        A train.
/// @param at_ms        The present time, in milliseconds since 1970-01-01T00:00:00Z.
/// @param service      The service's name; UTF-8, borrowed for the call.
/// @param service_len  Its length in bytes.
/// @param readings     An array as for hotfix_rollout_observe; borrowed for the call. May be null
///                     with count 0.
/// @param count        Number of readings.
/// @param sender       Actor, key and expected head; may be null.
/// @param out          The outcome. Written on success and on HOTFIX_STATUS_REFUSED: append the
///                     moves of a refusal too. On any other failure it has no moves and no findings.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return As hotfix_train_handle; HOTFIX_STATUS_STRUCT, HOTFIX_STATUS_ENUM, HOTFIX_STATUS_UNIT and
///         HOTFIX_STATUS_RANGE as hotfix_rollout_observe.
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
            let size = hotfix_train_outcome::emptied(out)?;
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

/// Sends a `tick` to each rollout that is due, and continues a rollback. Call it at the time that
/// hotfix_train_poll_at gives.
///
/// @param train  A train.
/// @param at_ms  The present time, in milliseconds since 1970-01-01T00:00:00Z.
/// @param out    The outcome. On failure it has no moves and no findings.
/// @param err    Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_UNIT for a time that is probably in seconds (HF-FFI-010).
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
            let size = hotfix_train_outcome::emptied(out)?;
            let at = any_time(at_ms, "at_ms")?;
            pointer::change(train, "train", |owned| {
                owned.check(at)?;
                owned.call(out, size, |train, _| Ok(train.tick(at)))
            })
        })
    }
}

/// Continues a rollback as far as possible, and reports every finding that still applies. Call it
/// after a crash, once the actions of each rollout's last input that await nothing are done
/// (hotfix_rollout_action): it is an input of the services that it rolls back, and replaces their
/// lists. A second call changes nothing.
///
/// @param train  A train.
/// @param at_ms  The present time, in milliseconds since 1970-01-01T00:00:00Z.
/// @param out    The outcome. On failure it has no moves and no findings.
/// @param err    Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_UNIT for a time that is probably in seconds (HF-FFI-010).
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
            let size = hotfix_train_outcome::emptied(out)?;
            let at = any_time(at_ms, "at_ms")?;
            pointer::change(train, "train", |owned| {
                owned.check(at)?;
                owned.call(out, size, |train, _| Ok(train.settle(at)))
            })
        })
    }
}

/// Frees a train with its rollouts, also a poisoned one. Views into its outcomes and rollouts
/// become invalid.
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
/// @return Static text that ends with a null byte; "unknown" for a number that is not a state.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub extern "C" fn hotfix_train_state_name(state: i32) -> *const c_char {
    hotfix_train_state::name_of(state)
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
