//! Messages written from the present state of a rollout.

use std::ffi::c_char;

use hotfix_core::message::{MessageError, Request};

use crate::answer;
use crate::buffer::hotfix_buf;
use crate::error::{FaultStatus, hotfix_error};
use crate::pointer;
use crate::rollout::hotfix_rollout;
use crate::status::hotfix_status;

impl FaultStatus for MessageError {
    const STATUS: hotfix_status = hotfix_status::Message;
}

impl From<MessageError> for Box<hotfix_error> {
    fn from(error: MessageError) -> Self {
        hotfix_error::new(hotfix_status::Message, error.code(), "", &error)
    }
}

/// Writes the message of a kind for an audience, in a format, from the present state.
///
/// The request is {"kind", "audience", "format", "at", "utc_offset", "values", "draft"}, all but the
/// kind optional. Kinds are alert, deployment_started, phase_passed, deployed, rolling_back,
/// rolled_back, update and resolved; audiences responders (default), stakeholders, business and
/// public; formats text (default), markdown, slack, teams and pagerduty. "at" is the time of the
/// message, such as "2026-03-03T14:40:00Z" (default: the time of the last input). "utc_offset" is
/// the readers' time zone, such as "+01:00". "values" has texts by field for what the rollout does
/// not know, such as the address of the status page. "draft" is true to read a text in advance: a
/// message that is not true in the present state is an error otherwise.
///
/// @param rollout      A rollout.
/// @param request      The request, JSON; UTF-8, borrowed for the call.
/// @param request_len  Its length in bytes.
/// @param out          A buffer that the caller frees with hotfix_buf_free: the text, or for slack,
///                     teams and pagerduty the JSON document that the service accepts.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_MESSAGE for an invalid request, or a message that cannot be written.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_message(
    rollout: *const hotfix_rollout,
    request: *const c_char,
    request_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            pointer::read(rollout, "rollout", |session| {
                let request = Request::from_json(pointer::text(request, request_len, "request")?)?;
                Ok(session.rollout.message_for(&request)?.to_string())
            })
        })
    }
}
