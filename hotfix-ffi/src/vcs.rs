//! Source control: names and versions on their own.

use std::ffi::c_char;

use hotfix_core::grade::{TagForm, Versioning};
use hotfix_core::unit::Timestamp;
use hotfix_core::vcs::{VcsError, branch_name, next_version, tag_name};

use crate::answer;
use crate::buffer::hotfix_buf;
use crate::error::{Fallible, hotfix_error};
use crate::names::by_number;
use crate::pointer;
use crate::policy::canonical;
use crate::status::hotfix_status;
use crate::time::moment;

/// How the next version is numbered.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum hotfix_versioning {
    /// 1.2.4 follows 1.2.3.
    Patch = 1,
    /// 1.2.3-hotfix.1 follows 1.2.3, but has lower precedence in semantic versioning.
    HotfixIdentifier = 2,
}

fn versioning_of(number: i32) -> Fallible<Versioning> {
    by_number!(number, "kind", hotfix_versioning is Versioning { Patch, HotfixIdentifier })
}

/// An error whose place is the parameter, not the key of a document that the call does not have.
fn of_parameter(error: VcsError) -> Box<hotfix_error> {
    let name = error.path().rsplit('/').next().unwrap_or_default().to_owned();
    Box::<hotfix_error>::from(error).at(name)
}

/// Makes the name of a hot-fix branch from a description: "hotfix/security-patch".
///
/// @param description      Any text; UTF-8, borrowed.
/// @param description_len  Its length in bytes.
/// @param prefix           The start of the name, such as "hotfix/"; UTF-8, borrowed. Null with
///                         length 0: the name has no prefix.
/// @param prefix_len       Its length in bytes.
/// @param out              A buffer that the caller frees with hotfix_buf_free.
/// @param err              Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_PLAN if the description has no letter or digit, or the result is not a
///         valid branch name.
///
/// Thread rule: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_branch_name(
    description: *const c_char,
    description_len: usize,
    prefix: *const c_char,
    prefix_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let description = pointer::text(description, description_len, "description")?;
            let prefix = pointer::text(prefix, prefix_len, "prefix")?;
            Ok(branch_name(prefix, description).map_err(of_parameter)?.to_string())
        })
    }
}

/// The next version for a hot-fix, as JSON: {"version", "findings"}.
///
/// @param version      The version that is live, without `v`; UTF-8, borrowed.
/// @param version_len  Its length in bytes.
/// @param kind         A hotfix_versioning.
/// @param out          A buffer that the caller frees with hotfix_buf_free.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_PLAN if `version` is not a semantic version, or the next version is not
///         clear; HOTFIX_STATUS_ENUM for an unknown kind.
///
/// Thread rule: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_next_version(
    version: *const c_char,
    version_len: usize,
    kind: i32,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let version = pointer::text(version, version_len, "version")?;
            canonical(&next_version(version, versioning_of(kind)?).map_err(of_parameter)?)
        })
    }
}

/// The name of a version's tag: "v1.2.4".
///
/// @param version      The version; UTF-8, borrowed.
/// @param version_len  Its length in bytes.
/// @param out          A buffer that the caller frees with hotfix_buf_free.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_PLAN if the version cannot be part of a tag.
///
/// Thread rule: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_version_tag(
    version: *const c_char,
    version_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let version = pointer::text(version, version_len, "version")?;
            let tag = tag_name(TagForm::Version, version, Timestamp::default());
            Ok(tag.map_err(of_parameter)?.to_string())
        })
    }
}

/// The name of a tag from a time in UTC: "hotfix-20240115-1430".
///
/// @param at_ms  The time, in milliseconds since 1970-01-01T00:00:00Z.
/// @param out    A buffer that the caller frees with hotfix_buf_free.
/// @param err    Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_UNIT outside the years 1 to 9999.
///
/// Thread rule: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_timestamp_tag(
    at_ms: i64,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let at = moment(at_ms, "at_ms")?;
            Ok(tag_name(TagForm::Timestamp, "", at)?.to_string())
        })
    }
}
