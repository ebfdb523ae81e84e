//! How exported functions answer: each is one call of one of these, or of `guard`.

use crate::buffer::{hotfix_buf, put_text};
use crate::error::{Fallible, hotfix_error};
use crate::guard::guard;
use crate::pointer::{self, Handle};
use crate::status::hotfix_status;
use crate::versioned::{self, Versioned};

/// Writes text into the caller's buffer.
pub(crate) unsafe fn text(
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
    make: impl FnOnce() -> Fallible<String>,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { guard(err, || put_text(out, make)) }
}

/// Writes text that is made from a handle.
pub(crate) unsafe fn text_of<H: Handle>(
    handle: *const H,
    name: &str,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
    make: impl FnOnce(&H::Value) -> Fallible<String>,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { text(out, err, || pointer::read(handle, name, make)) }
}

/// Makes a new handle.
pub(crate) unsafe fn handle<H: Handle>(
    out: *mut *mut H,
    err: *mut *mut hotfix_error,
    value: impl FnOnce() -> Fallible<H::Value>,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { guard(err, || pointer::make(out, value)) }
}

/// Writes a plain value that is read from a handle.
pub(crate) unsafe fn value_of<H: Handle, T>(
    handle: *const H,
    name: &str,
    (out, out_name): (*mut T, &str),
    err: *mut *mut hotfix_error,
    read: impl FnOnce(&H::Value) -> T,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let value = pointer::read(handle, name, |value| Ok(read(value)))?;
            pointer::put(out, out_name, value)
        })
    }
}

/// Writes a number, after a check that there is a place for it.
pub(crate) unsafe fn number<T>(
    out: *mut T,
    err: *mut *mut hotfix_error,
    compute: impl FnOnce() -> Fallible<T>,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            pointer::not_null(out, "out")?;
            pointer::put(out, "out", compute()?)
        })
    }
}

/// Writes as much of a struct, which gets its size, as the caller's has room for; writes nothing on
/// failure.
pub(crate) unsafe fn structure<T: Versioned>(
    out: *mut T,
    err: *mut *mut hotfix_error,
    compute: impl FnOnce(usize) -> Fallible<T>,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let size = versioned::size_of_caller(out, "out")?;
            let value = compute(size)?;
            versioned::write(out, size, &value);
            Ok(())
        })
    }
}

/// Writes whether a test has decided, if the caller wants to know.
#[inline]
pub(crate) unsafe fn decided(
    out_decided: *mut bool,
    err: *mut *mut hotfix_error,
    update: impl FnOnce() -> Fallible<bool>,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let decided = update()?;
            if !out_decided.is_null() {
                out_decided.write(decided);
            }
            Ok(())
        })
    }
}
