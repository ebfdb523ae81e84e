//! Views of a train: the moves of its last call, and its state between inputs.

use std::ffi::c_char;

use hotfix_core::rollout::Rollout;
use hotfix_core::train::Train;
use hotfix_core::unit::Timestamp;

use crate::answer;
use crate::buffer::{hotfix_buf, hotfix_str};
use crate::error::{Fallible, hotfix_error};
use crate::guard::guard;
use crate::outcome::hotfix_action;
use crate::pointer;
use crate::policy::canonical;
use crate::rollout::hotfix_rollout;
use crate::status::hotfix_status;
use crate::train::{Owned, hotfix_train, hotfix_train_move, hotfix_train_state};
use crate::view::HOTFIX_NEVER;

impl Owned {
    /// Reads the core's train together with the rollouts.
    fn look<R>(&self, look: impl FnOnce(&Train<&Rollout>) -> Fallible<R>) -> Fallible<R> {
        let rollouts: Fallible<Vec<&Rollout>> = self
            .rollouts
            .iter()
            .map(|taken| Ok(&taken.guarded().value("train")?.rollout))
            .collect();
        look(&Train::try_new(self.order.clone(), rollouts?)?)
    }

    fn made(&self, index: usize) -> Fallible<&hotfix_core::train::Move> {
        self.moves.get(index).ok_or_else(|| {
            let count = self.moves.len();
            let wanted = format_args!("an index below the number of moves, which is {count}");
            hotfix_error::range("move_index", index, wanted)
        })
    }
}

/// One move of the last call.
///
/// @param train  A train.
/// @param index  From 0, below the outcome's `move_count`.
/// @param out    The move; set its `struct_size` before the call. Written on success only.
/// @param err    Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_RANGE if there is no such move.
///
/// Thread rule: any number of threads may read a train while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_train_move_at(
    train: *const hotfix_train,
    index: usize,
    out: *mut hotfix_train_move,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |struct_size| {
            pointer::read(train, "train", |owned| {
                let made = owned.made(index)?;
                Ok(hotfix_train_move {
                    struct_size,
                    service: hotfix_str::of(&made.service),
                    events: hotfix_str::of(&made.events),
                    action_count: made.actions.len(),
                    state: made.state.into(),
                    repeated: u32::from(made.repeated),
                    by_train: u32::from(made.by_train),
                    reserved: 0,
                })
            })
        })
    }
}

/// One action of a move of the last call.
///
/// @param train       A train.
/// @param move_index  From 0, below the outcome's `move_count`.
/// @param index       From 0, below the move's `action_count`.
/// @param out         The action; set its `struct_size` before the call. Written on success only.
///                    Its views are valid until the next call that takes the train without `const`.
/// @param err         Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_RANGE if there is no such action.
///
/// Thread rule: any number of threads may read a train while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_train_action(
    train: *const hotfix_train,
    move_index: usize,
    index: usize,
    out: *mut hotfix_action,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |_| {
            pointer::read(train, "train", |owned| {
                hotfix_action::at(&owned.made(move_index)?.actions, index)
            })
        })
    }
}

/// The state of the train.
///
/// @param train  A train.
/// @param out    The state. Written on success only.
/// @param err    Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a train while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_train_state_of(
    train: *const hotfix_train,
    out: *mut hotfix_train_state,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let state =
                pointer::read(train, "train", |owned| owned.look(|train| Ok(train.state())))?;
            pointer::put(out, "out", state.into())
        })
    }
}

/// Each service and its status in the train, as JSON: [{"service", "place", "state", "waits_for",
/// "until"}].
///
/// `place` is waiting, next (the train allows it to start), held, running, complete, closed,
/// in_turn (it is rolled back after those in `waits_for`, at the latest at `until`), kept,
/// rolling_back, frozen or restored.
///
/// @param train  A train.
/// @param out    A buffer that the caller frees with hotfix_buf_free.
/// @param err    Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a train while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_train_services(
    train: *const hotfix_train,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text_of(train, "train", out, err, |owned| {
            owned.look(|train| canonical(&train.services()))
        })
    }
}

/// The findings of the last call, about which people have to be notified, as JSON: [{"code",
/// "service", "message"}].
///
/// @param train  A train.
/// @param out    A buffer that the caller frees with hotfix_buf_free.
/// @param err    Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a train while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_train_findings(
    train: *const hotfix_train,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::text_of(train, "train", out, err, |owned| canonical(&owned.findings)) }
}

/// The next time at which hotfix_train_tick can change something in any service: set one timer to
/// it and call hotfix_train_tick.
///
/// @param train   A train.
/// @param out_ms  Milliseconds since 1970-01-01T00:00:00Z; 0 while a service has had no input: call
///                it at once. HOTFIX_NEVER if nothing waits for time. Written on success only.
/// @param err     Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a train while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_train_poll_at(
    train: *const hotfix_train,
    out_ms: *mut i64,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let at =
                pointer::read(train, "train", |owned| owned.look(|train| Ok(train.poll_at())))?;
            pointer::put(out_ms, "out_ms", at.map_or(HOTFIX_NEVER, Timestamp::as_millis))
        })
    }
}

/// The rollout of a service, for every function that takes a `const hotfix_rollout *`.
///
/// A call that takes the train without `const` changes its rollouts: it invalidates views into this
/// one, and no other thread may read it at the same time. A function that takes a rollout without
/// `const` refuses it (HF-FFI-013), and hotfix_rollout_free leaves it. Its actions are those of all its moves in
/// the train's last call.
///
/// @param train        A train.
/// @param service      The service's name; UTF-8, borrowed for the call.
/// @param service_len  Its length in bytes.
/// @param out          The rollout, which belongs to the train: hotfix_train_free frees it. Null on
///                     failure.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_ENUM if the train has no such service.
///
/// Thread rule: any number of threads may read a train and its rollouts while no thread changes the
/// train.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_train_rollout(
    train: *const hotfix_train,
    service: *const c_char,
    service_len: usize,
    out: *mut *const hotfix_rollout,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            pointer::put(out, "out", std::ptr::null())?;
            let service = pointer::text(service, service_len, "service")?;
            let rollout = pointer::read(train, "train", |owned| {
                let place = owned.order.services().position(|known| known == service);
                let taken = place.and_then(|place| owned.rollouts.get(place));
                taken.map(pointer::Taken::as_ptr).ok_or_else(|| {
                    let names: Vec<&str> = owned.order.services().collect();
                    hotfix_error::no_name("service", service.escape_debug(), &names.join(", "))
                })
            })?;
            pointer::put(out, "out", rollout)
        })
    }
}
