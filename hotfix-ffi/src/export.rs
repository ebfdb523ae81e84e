//! Exports of a log to other tools.

use std::ffi::c_char;

use hotfix_core::interop::cdevents::Options;
use hotfix_core::interop::{ExportError, cdevents, grafana};

use crate::answer;
use crate::buffer::hotfix_buf;
use crate::error::hotfix_error;
use crate::pointer;
use crate::policy::canonical;
use crate::status::hotfix_status;

/// Exports a log as CDEvents 0.4.1 in CloudEvents 1.0, as a JSON list. The same log gives the same
/// ids.
///
/// @param log              The log's bytes; borrowed for the call.
/// @param log_len          Their number.
/// @param source           The sender of the events: a URI reference; UTF-8, borrowed for the call.
///                         Null or empty: "hotfix".
/// @param source_len       Its length in bytes.
/// @param environment      The environment that the service runs in; UTF-8, borrowed. Null or
///                         empty: "production".
/// @param environment_len  Its length in bytes.
/// @param ticket           The URI of the incident's ticket; UTF-8, borrowed. Null or empty: no
///                         `incident.reported` event.
/// @param ticket_len       Its length in bytes.
/// @param out              A buffer that the caller frees with hotfix_buf_free.
/// @param err              Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_LOG for a broken log; HOTFIX_STATUS_MESSAGE for a `source`, `environment`
///         or `ticket` that is not valid.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_cdevents(
    log: *const c_char,
    log_len: usize,
    source: *const c_char,
    source_len: usize,
    environment: *const c_char,
    environment_len: usize,
    ticket: *const c_char,
    ticket_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let log = pointer::bytes(log, log_len, "log")?;
            let source = pointer::text(source, source_len, "source")?;
            let environment = pointer::text(environment, environment_len, "environment")?;
            let ticket = pointer::text(ticket, ticket_len, "ticket")?;
            let mut options = Options::default();
            if !source.is_empty() {
                options.source = source;
            }
            if !environment.is_empty() {
                options.environment = environment;
            }
            options.ticket = Some(ticket).filter(|ticket| !ticket.is_empty());
            canonical(&cdevents::events(log, &options)?)
        })
    }
}

/// Exports a log as Grafana annotations, as a JSON list. Each element is a body for `POST
/// /api/annotations`.
///
/// @param log      The log's bytes; borrowed for the call.
/// @param log_len  Their number.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_LOG for a broken log.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_grafana_annotations(
    log: *const c_char,
    log_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let log = pointer::bytes(log, log_len, "log")?;
            canonical(&grafana::annotations(log)?)
        })
    }
}

impl From<ExportError> for Box<hotfix_error> {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Log(error) => error.into(),
            error => hotfix_error::new(hotfix_status::Message, error.code(), "", &error),
        }
    }
}
