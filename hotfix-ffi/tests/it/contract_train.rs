//! The contract of trains: null is an error, rollouts change their owner on success alone, and a view is of the last call.

use std::mem::ManuallyDrop;
use std::ptr::{null, null_mut};

use hotfix::buffer::{hotfix_buf, hotfix_str};
use hotfix::hook::hotfix_hook_panic_rollout;
use hotfix::outcome::hotfix_state;
use hotfix::reading::hotfix_reading;
use hotfix::rollout::{
    hotfix_rollout, hotfix_rollout_free, hotfix_rollout_handle, hotfix_rollout_observe,
};
use hotfix::status::hotfix_status;
use hotfix::train::*;
use hotfix::train_view::*;
use hotfix::view::{hotfix_rollout_actions, hotfix_rollout_state};

use crate::common::{self, NOTHING, NOW, Rollout, action, buffer, call, fails, raw, text};

const START: &str = r#"{"kind": "start", "by": "lena"}"#;
const PROMOTE: &str = r#"{"kind": "promote", "by": "lena"}"#;

struct Train(*mut hotfix_train);

impl Drop for Train {
    fn drop(&mut self) {
        // SAFETY: made once, freed once.
        unsafe { hotfix_train_free(self.0) }
    }
}

const fn service(name: &'static str, rollout: *mut hotfix_rollout) -> hotfix_train_service {
    let (name, name_len) = raw(name);
    hotfix_train_service { name, name_len, rollout }
}

fn make(services: &[hotfix_train_service], after: &str) -> Result<Train, common::Failed> {
    let ((after, len), mut out) = (raw(after), null_mut());
    // SAFETY: live handles, texts and slots.
    call(|e| unsafe {
        hotfix_train_new(services.as_ptr(), services.len(), after, len, &raw mut out, e)
    })?;
    Ok(Train(out))
}

/// Its rollouts are its own.
fn any() -> Train {
    let rollouts = [Rollout::any(), Rollout::any()].map(ManuallyDrop::new);
    make(&[service("ledger", rollouts[0].0), service("payments", rollouts[1].0)], "").unwrap()
}

const fn outcome() -> hotfix_train_outcome {
    hotfix_train_outcome {
        struct_size: size_of::<hotfix_train_outcome>(),
        move_count: 0,
        finding_count: 0,
        state: hotfix_train_state::Waiting,
        reserved: 0,
    }
}

const fn made() -> hotfix_train_move {
    hotfix_train_move {
        struct_size: size_of::<hotfix_train_move>(),
        service: hotfix_str::EMPTY,
        events: hotfix_str::EMPTY,
        action_count: 0,
        state: hotfix_state::Drafted,
        repeated: 0,
        by_train: 0,
        reserved: 0,
    }
}

#[test]
fn a_null_pointer_is_an_error_for_a_train() {
    let train = any();
    let rollout = Rollout::any();
    let (good, no_rollout) = ([service("a", rollout.0)], [service("a", null_mut())]);
    let no_name = [hotfix_train_service { name: null(), name_len: 1, rollout: rollout.0 }];
    let (mut new, mut out, mut act, mut view) = (null_mut(), outcome(), action(), made());
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let buf = &raw mut buf;
    let ((name, len), (start, start_len)) = (raw("ledger"), raw(START));
    let (mut state, mut ms, mut inside) = (hotfix_train_state::Waiting, 0, null());
    fails! { Null:
        hotfix_train_new(null(), 1, null(), 0, &raw mut new);
        hotfix_train_new(good.as_ptr(), 1, null(), 1, &raw mut new);
        hotfix_train_new(good.as_ptr(), 1, null(), 0, null_mut());
        hotfix_train_new(no_rollout.as_ptr(), 1, null(), 0, &raw mut new);
        hotfix_train_new(no_name.as_ptr(), 1, null(), 0, &raw mut new);
        hotfix_train_handle(null_mut(), NOW, name, len, start, start_len, &raw mut out);
        hotfix_train_handle(train.0, NOW, null(), 1, start, start_len, &raw mut out);
        hotfix_train_handle(train.0, NOW, name, len, null(), 1, &raw mut out);
        hotfix_train_handle(train.0, NOW, name, len, start, start_len, null_mut());
        hotfix_train_observe(null_mut(), NOW, name, len, null(), 0, null(), &raw mut out);
        hotfix_train_observe(train.0, NOW, null(), 1, null(), 0, null(), &raw mut out);
        hotfix_train_observe(train.0, NOW, name, len, null(), 1, null(), &raw mut out);
        hotfix_train_observe(train.0, NOW, name, len, null(), 0, null(), null_mut());
        hotfix_train_tick(null_mut(), NOW, &raw mut out);
        hotfix_train_tick(train.0, NOW, null_mut());
        hotfix_train_settle(null_mut(), NOW, &raw mut out);
        hotfix_train_settle(train.0, NOW, null_mut());
        hotfix_train_move_at(null(), 0, &raw mut view);
        hotfix_train_move_at(train.0, 0, null_mut());
        hotfix_train_action(null(), 0, 0, &raw mut act);
        hotfix_train_action(train.0, 0, 0, null_mut());
        hotfix_train_state_of(null(), &raw mut state);
        hotfix_train_state_of(train.0, null_mut());
        hotfix_train_services(null(), buf);
        hotfix_train_services(train.0, null_mut());
        hotfix_train_findings(null(), buf);
        hotfix_train_findings(train.0, null_mut());
        hotfix_train_poll_at(null(), &raw mut ms);
        hotfix_train_poll_at(train.0, null_mut());
        hotfix_train_rollout(null(), name, len, &raw mut inside);
        hotfix_train_rollout(train.0, null(), 1, &raw mut inside);
        hotfix_train_rollout(train.0, name, len, null_mut());
    }
    // SAFETY: null is fine to free.
    unsafe { hotfix_train_free(null_mut()) };
}

#[test]
fn roll_5_a_train_takes_rollouts_over_on_success_alone() {
    let rollout = Rollout::any();
    let twice = [service("a", rollout.0), service("b", rollout.0)];
    assert_eq!(make(&twice, "").map(|_| ()).unwrap_err().code, "HF-TRAIN-008");
    let circle = make(&[service("a", rollout.0)], r#"{"a": ["a"]}"#).map(|_| ()).unwrap_err();
    assert_eq!((circle.status, circle.code.as_str()), (hotfix_status::Plan, "HF-TRAIN-005"));
    // Still the caller's: it is used, and given to a train that then frees it.
    let mut state = hotfix_state::Failed;
    // SAFETY: a live handle and slot.
    call(|e| unsafe { hotfix_rollout_state(rollout.0, &raw mut state, e) }).unwrap();
    assert_eq!(state, hotfix_state::Ready);
    let rollout = ManuallyDrop::new(rollout);
    make(&[service("a", rollout.0)], "").unwrap();
}

#[test]
fn roll_7_the_caller_can_read_a_rollout_of_a_train_and_neither_change_nor_free_it() {
    let mut train = any();
    let ((name, len), (start, start_len)) = (raw("ledger"), raw(START));
    let (mut inside, mut out, mut to, mut state) =
        (null(), common::outcome(), outcome(), hotfix_state::Failed);
    // SAFETY: live handles, texts and structs; what is freed is used no more.
    unsafe {
        call(|e| hotfix_train_rollout(train.0, name, len, &raw mut inside, e)).unwrap();
        let own = inside.cast_mut();
        hotfix_rollout_free(own);
        for refused in [
            call(|e| hotfix_rollout_handle(own, NOW, start, start_len, &raw mut out, e)),
            call(|e| hotfix_rollout_observe(own, NOW, null(), 0, null(), &raw mut out, e)),
            make(&[service("ledger", own)], "").map(drop),
        ] {
            let refused = refused.unwrap_err();
            assert_eq!(
                (refused.status, refused.code.as_str()),
                (hotfix_status::Handle, "HF-FFI-013"),
                "{refused:?}"
            );
        }
        call(|e| hotfix_rollout_state(inside, &raw mut state, e)).unwrap();
        assert_eq!(state, hotfix_state::Ready);
        call(|e| hotfix_train_tick(train.0, NOW, &raw mut to, e)).unwrap();
        drop(std::mem::replace(&mut train, any()));
        let gone = call(|e| hotfix_rollout_state(inside, &raw mut state, e));
        assert_eq!(gone.unwrap_err().code, "HF-FFI-008");
        hotfix_rollout_free(own);
        // Seconds in the timer of a train: no rollout would ever be due.
        for refused in [
            call(|e| hotfix_train_tick(train.0, NOW / 1_000, &raw mut to, e)),
            call(|e| hotfix_train_settle(train.0, NOW / 1_000, &raw mut to, e)),
        ] {
            assert_eq!(refused.unwrap_err().code, "HF-FFI-010");
        }
    }
    let (name, name_len) = raw("a");
    let rollout = Rollout::any();
    let services = [
        service("b", rollout.0),
        hotfix_train_service { name: null(), name_len: 3, ..service("", null_mut()) },
    ];
    assert_eq!(make(&services, "").map(drop).unwrap_err().path, "/services/1/name");
    let services = [hotfix_train_service { name, name_len, rollout: null_mut() }];
    assert_eq!(make(&services, "").map(drop).unwrap_err().path, "/services/0/rollout");
}

#[test]
fn roll_1_a_refusal_and_a_view_are_of_the_last_call() {
    let train = any();
    let ((ledger, ledger_len), (payments, payments_len)) = (raw("ledger"), raw("payments"));
    let ((start, start_len), (promote, promote_len)) = (raw(START), raw(PROMOTE));
    let (mut out, mut view, mut act, mut inside) = (outcome(), made(), action(), null());
    // SAFETY: live handles, texts and structs throughout.
    unsafe {
        let refused = call(|e| {
            hotfix_train_handle(
                train.0,
                NOW,
                payments,
                payments_len,
                start,
                start_len,
                &raw mut out,
                e,
            )
        });
        let refused = refused.unwrap_err();
        assert_eq!(
            (refused.status, refused.code.as_str()),
            (hotfix_status::Refused, "HF-TRAIN-010")
        );
        assert_eq!(
            (&refused.json["service"], &refused.json["state"]),
            (&"payments".into(), &"ready".into())
        );
        assert!(
            refused.accepted.contains(&"note".to_owned())
                && !refused.accepted.contains(&"start".to_owned())
        );
        // The rollout's own refusal has a line of its log, where there is one: it is the last move.
        call(|e| hotfix_train_tick(train.0, NOW, &raw mut out, e)).unwrap();
        let refused = call(|e| {
            hotfix_train_handle(
                train.0,
                NOW,
                ledger,
                ledger_len,
                promote,
                promote_len,
                &raw mut out,
                e,
            )
        });
        assert_eq!(refused.unwrap_err().code, "HF-ROLL-001");
        assert_eq!(out.move_count, 1);
        call(|e| hotfix_train_move_at(train.0, 0, &raw mut view, e)).unwrap();
        assert!(text(view.events).contains("refused") && text(view.service) == "ledger");
        call(|e| {
            hotfix_train_handle(train.0, NOW, ledger, ledger_len, start, start_len, &raw mut out, e)
        })
        .unwrap();
        // The service that waits for it knows that since the first input.
        assert_eq!((out.move_count, out.state), (1, hotfix_train_state::Running));
        call(|e| hotfix_train_move_at(train.0, 0, &raw mut view, e)).unwrap();
        assert_eq!((view.state, view.by_train), (hotfix_state::Deploying, 0));
        let last = view.action_count - 1;
        call(|e| hotfix_train_action(train.0, 0, last, &raw mut act, e)).unwrap();
        assert_eq!(act.awaits, 1);
        for result in [
            call(|e| hotfix_train_move_at(train.0, 1, &raw mut view, e)),
            call(|e| hotfix_train_action(train.0, 0, last + 1, &raw mut act, e)),
            call(|e| hotfix_train_action(train.0, 1, 0, &raw mut act, e)),
        ] {
            assert_eq!(result.unwrap_err().status, hotfix_status::Range);
        }
        // What the rollout itself shows of the call is the same.
        call(|e| hotfix_train_rollout(train.0, ledger, ledger_len, &raw mut inside, e)).unwrap();
        assert!(
            buffer(|buf, e| hotfix_rollout_actions(inside, buf, e)).unwrap().contains("deploy")
        );
        let nobody = call(|e| hotfix_train_rollout(train.0, NOTHING.0, 0, &raw mut inside, e));
        assert_eq!(nobody.unwrap_err().status, hotfix_status::Enum);
        assert!(inside.is_null());
        // Seconds, where milliseconds are expected.
        let readings: [hotfix_reading; 0] = [];
        let refused = call(|e| {
            hotfix_train_observe(
                train.0,
                NOW / 1_000,
                payments,
                payments_len,
                readings.as_ptr(),
                0,
                null(),
                &raw mut out,
                e,
            )
        });
        assert_eq!(refused.unwrap_err().code, "HF-ROLL-025");
        call(|e| hotfix_train_tick(train.0, NOW, &raw mut out, e)).unwrap();
        call(|e| hotfix_train_settle(train.0, NOW, &raw mut out, e)).unwrap();
        assert_eq!((out.move_count, out.finding_count), (0, 0));
        assert_eq!(buffer(|buf, e| hotfix_train_findings(train.0, buf, e)).unwrap(), "[]");
        let services = buffer(|buf, e| hotfix_train_services(train.0, buf, e)).unwrap();
        assert!(services.contains(r#""place":"waiting""#), "{services}");
        let (mut state, mut ms) = (hotfix_train_state::Waiting, 0);
        call(|e| hotfix_train_state_of(train.0, &raw mut state, e)).unwrap();
        assert_eq!(state, hotfix_train_state::Running);
        call(|e| hotfix_train_poll_at(train.0, &raw mut ms, e)).unwrap();
        let unknown = std::ffi::CStr::from_ptr(hotfix_train_state_name(99));
        assert_eq!(unknown, c"unknown");
    }
}

#[test]
fn roll_1_an_input_for_a_service_that_is_not_there_leaves_what_was_handed_out() {
    let train = any();
    let ((ledger, ledger_len), (nobody, nobody_len)) = (raw("ledger"), raw("legder"));
    let (start, start_len) = raw(START);
    let (mut out, mut view, mut act, mut inside) = (outcome(), made(), action(), null());
    // SAFETY: live handles, texts and structs throughout.
    unsafe {
        call(|e| {
            hotfix_train_handle(train.0, NOW, ledger, ledger_len, start, start_len, &raw mut out, e)
        })
        .unwrap();
        call(|e| hotfix_train_rollout(train.0, ledger, ledger_len, &raw mut inside, e)).unwrap();
        let asked = buffer(|buf, e| hotfix_rollout_actions(inside, buf, e)).unwrap();
        assert!(asked.contains("deploy"), "{asked}");
        call(|e| hotfix_train_move_at(train.0, 0, &raw mut view, e)).unwrap();
        let (state, events) = (hotfix_train_state::Frozen, text(view.events));
        let mut none = hotfix_train_outcome { move_count: 7, finding_count: 7, state, ..outcome() };
        let to = &raw mut none;
        for failed in [
            call(|e| {
                hotfix_train_handle(train.0, NOW, nobody, nobody_len, start, start_len, to, e)
            }),
            call(|e| {
                let (none, nobody_sent) = (null(), null());
                hotfix_train_observe(train.0, NOW, nobody, nobody_len, none, 0, nobody_sent, to, e)
            }),
        ] {
            let failed = failed.unwrap_err();
            assert_eq!(
                (failed.status, failed.code.as_str()),
                (hotfix_status::Input, "HF-TRAIN-009")
            );
            // The struct has nothing to append again; what the last call handed out is still there.
            assert_eq!((none.move_count, none.finding_count, none.state), (0, 0, state));
            call(|e| hotfix_train_move_at(train.0, 0, &raw mut view, e)).unwrap();
            assert_eq!(text(view.events), events);
            call(|e| hotfix_train_action(train.0, 0, 0, &raw mut act, e)).unwrap();
            let still = buffer(|buf, e| hotfix_rollout_actions(inside, buf, e)).unwrap();
            assert_eq!(still, asked);
        }
    }
}

#[test]
fn a_struct_of_another_size_is_an_error_for_a_train() {
    let train = any();
    let mut out = hotfix_train_outcome { struct_size: 8, ..outcome() };
    let mut view = hotfix_train_move { struct_size: 0, ..made() };
    fails! { Struct:
        hotfix_train_tick(train.0, NOW, &raw mut out);
        hotfix_train_settle(train.0, NOW, &raw mut out);
        hotfix_train_move_at(train.0, 0, &raw mut view);
    }
}

#[test]
fn a_poisoned_rollout_poisons_its_train() {
    let train = any();
    let ((name, len), (start, start_len)) = (raw("ledger"), raw(START));
    let (mut inside, mut out, mut state) = (null(), outcome(), hotfix_train_state::Waiting);
    // SAFETY: live handles and slots.
    call(|e| unsafe { hotfix_train_rollout(train.0, name, len, &raw mut inside, e) }).unwrap();
    fails! { Panic: hotfix_hook_panic_rollout(inside.cast_mut()); }
    fails! { Poisoned:
        hotfix_train_handle(train.0, NOW, name, len, start, start_len, &raw mut out);
        hotfix_train_tick(train.0, NOW, &raw mut out);
        hotfix_train_settle(train.0, NOW, &raw mut out);
        hotfix_train_state_of(train.0, &raw mut state);
    }
}
