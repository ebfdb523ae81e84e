//! Functions that panic on purpose. Only with the feature `test-hooks`, never in a shipped library.

use crate::error::hotfix_error;
use crate::guard::guard;
use crate::pointer;
use crate::policy::hotfix_policy;
use crate::rollout::hotfix_rollout;
use crate::status::hotfix_status;

/// Panics while it reads a rollout, also one that a train owns.
#[unsafe(no_mangle)]
#[allow(clippy::panic, clippy::missing_panics_doc, reason = "what it is for")]
pub unsafe extern "C" fn hotfix_hook_panic_rollout(
    rollout: *mut hotfix_rollout,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { guard(err, || pointer::read(rollout, "rollout", |_| panic!("a planted defect"))) }
}

/// Panics while it reads a policy, with a payload that panics again when it is dropped.
#[unsafe(no_mangle)]
#[allow(clippy::panic, clippy::missing_panics_doc, reason = "what it is for")]
pub unsafe extern "C" fn hotfix_hook_panic_policy(
    policy: *const hotfix_policy,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    struct Payload;
    impl Drop for Payload {
        fn drop(&mut self) {
            panic!("a payload that panics");
        }
    }
    // SAFETY: the caller keeps the header's contract.
    unsafe { guard(err, || pointer::read(policy, "policy", |_| std::panic::panic_any(Payload))) }
}
