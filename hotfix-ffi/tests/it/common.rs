//! The C functions as tests call them: each call's status and error, and handles that free themselves.

use std::ffi::c_char;
use std::path::{Path, PathBuf};
use std::ptr::{null, null_mut};

use hotfix::audit::hotfix_audit;
use hotfix::buffer::{hotfix_buf, hotfix_buf_free, hotfix_str};
use hotfix::error::{
    hotfix_error, hotfix_error_accepted, hotfix_error_accepted_count, hotfix_error_code,
    hotfix_error_free, hotfix_error_json, hotfix_error_message, hotfix_error_path,
    hotfix_error_status,
};
use hotfix::outcome::{hotfix_action, hotfix_outcome};
use hotfix::plan::{hotfix_plan, hotfix_plan_free, hotfix_plan_new, hotfix_plan_new_calibrated};
use hotfix::policy::{
    hotfix_policy, hotfix_policy_free, hotfix_policy_from_json, hotfix_policy_from_toml,
    hotfix_policy_preset,
};
use hotfix::rollout::{hotfix_recording, hotfix_rollout, hotfix_rollout_free, hotfix_rollout_new};
use hotfix::status::hotfix_status;
use hotfix::view_table::{PLAN_VIEWS, ROLLOUT_VIEWS};
use hotfix::views::{View, hotfix_plan_view, hotfix_rollout_view};
use serde_json::Value;

/// 2026-03-03T14:40:00Z
pub(crate) const NOW: i64 = 1_772_548_800_000;

/// Looked up when the test runs: a shared build folder must not lead to another clone.
pub(crate) fn in_crate(path: &str) -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join(path)
}

/// An error object, read and freed.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) status: hotfix_status,
    pub(crate) code: String,
    pub(crate) path: String,
    pub(crate) message: String,
    pub(crate) accepted: Vec<String>,
    pub(crate) json: Value,
}

pub(crate) fn text(view: hotfix_str) -> String {
    assert!(!view.ptr.is_null(), "a view is never null");
    // SAFETY: a view of a live handle.
    let bytes = unsafe { std::slice::from_raw_parts(view.ptr.cast::<u8>(), view.len) };
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Calls, and reads the error where there is one.
pub(crate) fn call(
    function: impl FnOnce(*mut *mut hotfix_error) -> hotfix_status,
) -> Result<(), Failed> {
    let mut error: *mut hotfix_error = std::ptr::dangling_mut();
    let status = function(&raw mut error);
    if status == hotfix_status::Ok {
        assert!(error.is_null(), "success nulls the error");
        return Ok(());
    }
    // SAFETY: a failure leaves an error object, which is read and freed once.
    unsafe {
        assert_eq!(hotfix_error_status(error), status);
        let failed = Failed {
            status,
            code: text(hotfix_error_code(error)),
            path: text(hotfix_error_path(error)),
            message: text(hotfix_error_message(error)),
            accepted: (0..hotfix_error_accepted_count(error))
                .map(|index| text(hotfix_error_accepted(error, index)))
                .collect(),
            json: serde_json::from_str(&text(hotfix_error_json(error))).unwrap(),
        };
        hotfix_error_free(error);
        Err(failed)
    }
}

/// Pointer and length of text.
pub(crate) const fn raw(text: &str) -> (*const c_char, usize) {
    (text.as_ptr().cast(), text.len())
}

/// A buffer that a call fills, as text.
pub(crate) fn buffer(
    function: impl FnOnce(*mut hotfix_buf, *mut *mut hotfix_error) -> hotfix_status,
) -> Result<String, Failed> {
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let result = call(|error| function(&raw mut buf, error));
    let text = taken(&mut buf);
    result.map(|()| text.expect("success fills the buffer"))
}

/// The text of a buffer, which is freed; None if it is empty.
pub(crate) fn taken(buf: &mut hotfix_buf) -> Option<String> {
    let text = (!buf.data.is_null()).then(|| {
        // SAFETY: filled by the library, with a null byte behind it.
        let bytes = unsafe { std::slice::from_raw_parts(buf.data.cast::<u8>(), buf.len + 1) };
        assert_eq!(bytes[buf.len], 0);
        String::from_utf8(bytes[..buf.len].to_vec()).unwrap()
    });
    // SAFETY: filled by the library; the second time it is empty.
    unsafe {
        hotfix_buf_free(buf);
        hotfix_buf_free(buf);
    }
    text
}

pub(crate) struct Policy(pub(crate) *mut hotfix_policy);
pub(crate) struct Plan(pub(crate) *mut hotfix_plan);
pub(crate) struct Rollout(pub(crate) *mut hotfix_rollout);

impl Policy {
    pub(crate) fn preset(name: &str) -> Result<Self, Failed> {
        let (mut out, (at, len)) = (null_mut(), raw(name));
        // SAFETY: live text and slots.
        call(|error| unsafe { hotfix_policy_preset(at, len, &raw mut out, error) })?;
        Ok(Self(out))
    }

    /// S1's plan where nothing holds the start: for tests of what comes after it.
    pub(crate) fn open() -> Self {
        let path = in_crate("../hotfix-core/tests/policies/open.toml");
        let text = std::fs::read_to_string(path).unwrap();
        let ((at, len), mut out) = (raw(&text), null_mut());
        // SAFETY: live text and slots.
        call(|error| unsafe { hotfix_policy_from_toml(at, len, &raw mut out, error) }).unwrap();
        Self(out)
    }

    pub(crate) fn from_json(json: &str) -> Result<Self, Failed> {
        let (mut out, (at, len)) = (null_mut(), raw(json));
        // SAFETY: live text and slots.
        call(|error| unsafe { hotfix_policy_from_json(at, len, &raw mut out, error) })?;
        Ok(Self(out))
    }
}

impl Plan {
    pub(crate) fn new(policy: &Policy, parts: [&str; 3]) -> Result<Self, Failed> {
        let [(incident, a), (release, b), (traffic, c)] = parts.map(raw);
        let mut out = null_mut();
        // SAFETY: live handle, text and slots.
        call(|error| unsafe {
            hotfix_plan_new(policy.0, incident, a, release, b, traffic, c, &raw mut out, error)
        })?;
        Ok(Self(out))
    }

    /// The same with a history.
    pub(crate) fn calibrated(policy: &Policy, parts: [&str; 4]) -> Result<Self, Failed> {
        let [(incident, a), (release, b), (traffic, c), (history, d)] = parts.map(raw);
        let mut out = null_mut();
        // SAFETY: live handle, text and slots.
        call(|error| unsafe {
            hotfix_plan_new_calibrated(
                policy.0,
                incident,
                a,
                release,
                b,
                traffic,
                c,
                history,
                d,
                &raw mut out,
                error,
            )
        })?;
        Ok(Self(out))
    }

    /// A plan under an open policy, for tests that ask about something else.
    pub(crate) fn any() -> Self {
        let policy = Policy::open();
        let release = r#"{"version": "2.3.1", "previous": "2.3.0"}"#;
        Self::new(&policy, [r#"{"id": "INC-1"}"#, release, ""]).unwrap()
    }
}

impl Rollout {
    pub(crate) fn new(plan: &Plan, recording: hotfix_recording) -> Self {
        let (mut out, (salt, len)) = (null_mut(), raw("pepper"));
        // SAFETY: live handle, text and slots.
        call(|error| unsafe {
            hotfix_rollout_new(plan.0, recording as i32, salt, len, &raw mut out, error)
        })
        .unwrap();
        Self(out)
    }

    pub(crate) fn any() -> Self {
        Self::new(&Plan::any(), hotfix_recording::Keep)
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        // SAFETY: made once, freed once.
        unsafe { hotfix_policy_free(self.0) }
    }
}

impl Drop for Plan {
    fn drop(&mut self) {
        // SAFETY: made once, freed once.
        unsafe { hotfix_plan_free(self.0) }
    }
}

impl Drop for Rollout {
    fn drop(&mut self) {
        // SAFETY: made once, freed once.
        unsafe { hotfix_rollout_free(self.0) }
    }
}

/// The number of a view.
pub(crate) fn number<T>(views: &[View<T>], name: &str) -> i32 {
    views.iter().find(|view| view.name == name).unwrap().number
}

/// A view of a rollout, by its name.
pub(crate) fn rollout_view(rollout: &Rollout, name: &str, args: &str) -> Result<String, Failed> {
    let (view, (at, len)) = (number(ROLLOUT_VIEWS, name), raw(args));
    // SAFETY: a live handle, text and buffer.
    buffer(|out, e| unsafe { hotfix_rollout_view(rollout.0, view, at, len, out, e) })
}

/// A view of a plan, by its name.
pub(crate) fn plan_view(plan: &Plan, name: &str, args: &str) -> Result<String, Failed> {
    let (view, (at, len)) = (number(PLAN_VIEWS, name), raw(args));
    // SAFETY: a live handle, text and buffer.
    buffer(|out, e| unsafe { hotfix_plan_view(plan.0, view, at, len, out, e) })
}

/// An outcome to be filled.
pub(crate) const fn outcome() -> hotfix_outcome {
    hotfix_outcome {
        struct_size: size_of::<hotfix_outcome>(),
        events: hotfix_str::EMPTY,
        action_count: 0,
        state: hotfix::outcome::hotfix_state::Drafted,
        decision: hotfix::outcome::hotfix_decision::Hold,
        repeated: 0,
        reserved: 0,
    }
}

/// An action to be filled.
pub(crate) const fn action() -> hotfix_action {
    hotfix_action {
        struct_size: size_of::<hotfix_action>(),
        id: [0; 32],
        kind: hotfix::outcome::hotfix_action_kind::Deploy,
        awaits: 0,
        share: 0.0,
        version: hotfix_str::EMPTY,
        method: hotfix_str::EMPTY,
        role: hotfix_str::EMPTY,
        message: hotfix_str::EMPTY,
        audience: hotfix_str::EMPTY,
        text: hotfix_str::EMPTY,
        duty: hotfix_str::EMPTY,
    }
}

/// An audit's findings.
pub(crate) fn audit(log: &str, head: &str) -> Value {
    let ((log, log_len), (head, head_len)) = (raw(log), raw(head));
    // SAFETY: live text and slots.
    let text =
        buffer(|out, error| unsafe { hotfix_audit(log, log_len, head, head_len, out, error) });
    serde_json::from_str(&text.unwrap()).unwrap()
}

/// No text.
pub(crate) const NOTHING: (*const c_char, usize) = (null(), 0);

/// Calls that must fail in one way, collected so that all faults are seen at once.
pub(crate) struct Wanted(pub(crate) hotfix_status, pub(crate) Vec<String>);

impl Wanted {
    pub(crate) fn check(&mut self, name: &str, result: Result<(), Failed>) {
        match result {
            Err(failed) if failed.status == self.0 => {
                if failed.code.is_empty() || failed.message.is_empty() {
                    self.1.push(format!("{name}: {failed:?}"));
                }
            }
            other => self.1.push(format!("{name}: {other:?}, expected {:?}", self.0)),
        }
    }

    pub(crate) fn end(self) {
        assert!(self.1.is_empty(), "{}", self.1.join("\n"));
    }
}

#[allow(unused_macros, reason = "each test binary uses its own part")]
macro_rules! fails {
    ($status:ident: $($function:ident($($argument:expr),* $(,)?);)*) => {{
        let mut wanted = $crate::common::Wanted(hotfix::status::hotfix_status::$status, Vec::new());
        $(
            // SAFETY: each argument is live, or null where that is what is tested.
            let result = $crate::common::call(|e| unsafe { $function($($argument,)* e) });
            wanted.check(stringify!($function($($argument),*)), result);
        )*
        wanted.end();
    }};
}
#[allow(unused_imports, reason = "each test binary uses its own part")]
pub(crate) use fails;
