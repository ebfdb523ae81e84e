//! The cases of `cases/train` through the C functions.

use std::collections::BTreeMap;
use std::ptr::{null, null_mut};

use hotfix::outcome::hotfix_state_name;
use hotfix::rollout::{hotfix_recording, hotfix_rollout_free, hotfix_rollout_new};
use hotfix::status::hotfix_status;
use hotfix::train::*;
use hotfix::train_view::*;
use hotfix::view::{HOTFIX_NEVER, hotfix_rollout_actions, hotfix_rollout_pending_actions};
use serde_json::{Value, json};

use crate::common::{Failed, Plan, Policy, action, buffer, call, in_crate, raw, text};
use crate::shared::train_common::{Case, Driver, File, Seen};

struct Train(*mut hotfix_train);

impl Drop for Train {
    fn drop(&mut self) {
        // SAFETY: made once, freed once.
        unsafe { hotfix_train_free(self.0) }
    }
}

fn policy() -> Policy {
    let path = in_crate("../hotfix-core/tests/policies/small.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let ((at, len), mut out) = (raw(&text), null_mut());
    // SAFETY: live text and slots.
    call(|e| unsafe { hotfix::policy::hotfix_policy_from_toml(at, len, &raw mut out, e) }).unwrap();
    Policy(out)
}

/// Failure frees the rollouts, which then are the caller's.
fn train(
    services: &[String],
    after: &str,
    parts: impl Fn(&str) -> [String; 3],
) -> Result<Train, Failed> {
    let policy = policy();
    let made: Vec<hotfix_train_service> = services
        .iter()
        .map(|service| {
            let parts = parts(service);
            let plan = Plan::new(&policy, [&parts[0], &parts[1], &parts[2]]).unwrap();
            let (mut rollout, keep) = (null_mut(), hotfix_recording::Keep as i32);
            // SAFETY: a live plan and slot.
            call(|e| unsafe { hotfix_rollout_new(plan.0, keep, null(), 0, &raw mut rollout, e) })
                .unwrap();
            let (name, name_len) = raw(service);
            hotfix_train_service { name, name_len, rollout }
        })
        .collect();
    let ((after, after_len), mut out) = (raw(after), null_mut());
    // SAFETY: live handles, texts and slots.
    let result = call(|e| unsafe {
        hotfix_train_new(made.as_ptr(), made.len(), after, after_len, &raw mut out, e)
    });
    if result.is_err() {
        assert!(out.is_null());
        // SAFETY: still ours, each freed once.
        made.iter().for_each(|service| unsafe { hotfix_rollout_free(service.rollout) });
    }
    result.map(|()| Train(out))
}

pub(crate) const fn outcome() -> hotfix_train_outcome {
    hotfix_train_outcome {
        struct_size: size_of::<hotfix_train_outcome>(),
        move_count: 0,
        finding_count: 0,
        state: hotfix_train_state::Waiting,
        reserved: 0,
    }
}

fn name(state: hotfix::outcome::hotfix_state) -> String {
    // SAFETY: static text that ends with a null byte.
    unsafe { std::ffi::CStr::from_ptr(hotfix_state_name(state as i32)) }
        .to_str()
        .unwrap()
        .to_owned()
}

impl Train {
    fn json(
        &self,
        view: unsafe extern "C" fn(
            *const hotfix_train,
            *mut hotfix::buffer::hotfix_buf,
            *mut *mut hotfix::error::hotfix_error,
        ) -> hotfix_status,
    ) -> Value {
        // SAFETY: a live handle and buffer.
        let text = buffer(|out, e| unsafe { view(self.0, out, e) }).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// The ids of the actions that the rollout itself shows of the last call.
    fn actions_of(&self, service: &str) -> Vec<String> {
        let ((name, len), mut rollout) = (raw(service), null());
        // SAFETY: a live handle, text and slots.
        call(|e| unsafe { hotfix_train_rollout(self.0, name, len, &raw mut rollout, e) }).unwrap();
        // SAFETY: a rollout of a live train.
        let text = buffer(|out, e| unsafe { hotfix_rollout_actions(rollout, out, e) }).unwrap();
        let actions: Vec<Value> = serde_json::from_str(&text).unwrap();
        actions.iter().map(|action| action["id"].as_str().unwrap().to_owned()).collect()
    }

    fn seen(&self, result: Result<(), Failed>, outcome: &hotfix_train_outcome) -> Seen {
        // Of an input that is none nothing is written.
        if let Err(failed) = &result
            && failed.code == "HF-TRAIN-009"
        {
            assert_eq!(failed.status, hotfix_status::Input, "{failed:?}");
            assert_eq!((outcome.move_count, outcome.finding_count), (0, 0));
            let (refused, message) = (Some(failed.code.clone()), failed.message.clone());
            return Seen { refused, message, ..Seen::default() };
        }
        let mut moves = Vec::new();
        let mut asked: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for index in 0..outcome.move_count {
            let mut made = hotfix_train_move {
                struct_size: size_of::<hotfix_train_move>(),
                service: hotfix::buffer::hotfix_str::EMPTY,
                events: hotfix::buffer::hotfix_str::EMPTY,
                action_count: 0,
                state: hotfix::outcome::hotfix_state::Drafted,
                repeated: 0,
                by_train: 0,
                reserved: 0,
            };
            // SAFETY: a live handle and struct.
            call(|e| unsafe { hotfix_train_move_at(self.0, index, &raw mut made, e) }).unwrap();
            for at in 0..made.action_count {
                let mut act = action();
                // SAFETY: as above.
                call(|e| unsafe { hotfix_train_action(self.0, index, at, &raw mut act, e) })
                    .unwrap();
                assert_ne!(act.id[0], 0);
                // SAFETY: text that ends with a null byte, within the struct.
                let id = unsafe { std::ffi::CStr::from_ptr(act.id.as_ptr()) };
                let id = id.to_str().unwrap().to_owned();
                asked.entry(text(made.service)).or_default().push(id);
            }
            moves.push(json!({
                "service": text(made.service),
                "events": text(made.events),
                "state": name(made.state),
                "by_train": made.by_train == 1,
            }));
        }
        for (service, ids) in asked {
            assert_eq!(self.actions_of(&service), ids, "{service}: all of its moves");
        }
        let findings = self.json(hotfix_train_findings);
        assert_eq!(findings.as_array().unwrap().len(), outcome.finding_count);
        match result {
            Ok(()) => Seen { moves: json!(moves), findings, ..Seen::default() },
            Err(failed) => {
                assert_eq!(failed.status, hotfix_status::Refused, "{failed:?}");
                let (refused, message) = (Some(failed.code), failed.message);
                Seen { refused, message, moves: json!(moves), findings }
            }
        }
    }
}

impl Driver for Train {
    fn handle(&mut self, at_ms: i64, service: &str, input: &Value) -> Seen {
        let input = input.to_string();
        let ((service, service_len), (input, input_len)) = (raw(service), raw(&input));
        let mut out = outcome();
        // SAFETY: a live handle, texts and struct.
        let result = call(|e| unsafe {
            hotfix_train_handle(
                self.0,
                at_ms,
                service,
                service_len,
                input,
                input_len,
                &raw mut out,
                e,
            )
        });
        self.seen(result, &out)
    }

    fn tick(&mut self, at_ms: i64) -> Seen {
        let mut out = outcome();
        // SAFETY: a live handle and struct.
        let result = call(|e| unsafe { hotfix_train_tick(self.0, at_ms, &raw mut out, e) });
        self.seen(result, &out)
    }

    fn settle(&mut self, at_ms: i64) -> Seen {
        let mut out = outcome();
        // SAFETY: a live handle and struct.
        let result = call(|e| unsafe { hotfix_train_settle(self.0, at_ms, &raw mut out, e) });
        self.seen(result, &out)
    }

    fn pending(&self, service: &str) -> Option<String> {
        let ((name, len), mut rollout) = (raw(service), null());
        // SAFETY: a live handle, text and slots.
        call(|e| unsafe { hotfix_train_rollout(self.0, name, len, &raw mut rollout, e) }).unwrap();
        // SAFETY: a rollout of a live train.
        let text = buffer(|out, e| unsafe { hotfix_rollout_pending_actions(rollout, out, e) });
        let pending: Value = serde_json::from_str(&text.unwrap()).unwrap();
        pending[0]["id"].as_str().map(ToOwned::to_owned)
    }

    fn state(&self) -> String {
        let mut state = hotfix_train_state::Waiting;
        // SAFETY: a live handle and slot.
        call(|e| unsafe { hotfix_train_state_of(self.0, &raw mut state, e) }).unwrap();
        // SAFETY: static text that ends with a null byte.
        let name = unsafe { std::ffi::CStr::from_ptr(hotfix_train_state_name(state as i32)) };
        name.to_str().unwrap().to_owned()
    }

    fn services(&self) -> Value {
        self.json(hotfix_train_services)
    }

    fn next(&self) -> Vec<String> {
        let services = self.services();
        let next = services.as_array().unwrap().iter().filter(|s| s["place"] == "next");
        next.map(|s| s["service"].as_str().unwrap().to_owned()).collect()
    }

    fn poll_at(&self) -> Option<i64> {
        let mut at = 0;
        // SAFETY: a live handle and slot.
        call(|e| unsafe { hotfix_train_poll_at(self.0, &raw mut at, e) }).unwrap();
        (at != HOTFIX_NEVER).then_some(at)
    }
}

#[test]
fn roll_5_every_train_comes_out_in_c_as_its_case_says() {
    let file = File::load(&in_crate("../hotfix-core/tests"));
    let mut faults = Vec::new();
    for case in &file.order {
        match train(&case.services, &case.after, |_| Case::default().parts("ledger")) {
            Err(failed) => {
                assert_eq!(failed.status, hotfix_status::Plan);
                faults.extend(case.compare(&failed.code, &failed.path, &failed.message));
            }
            Ok(_) => faults.push(format!("{}: it makes a train", case.id)),
        }
    }
    for case in &file.case {
        let mut train = train(&case.services, &case.after, |name| case.parts(name)).unwrap();
        faults.extend(case.run(&mut train));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
