//! Statuses of calls.

use std::ffi::c_char;

use crate::names::named;

/// The status of a call. Values are explicit and are never reused; the error object has the exact
/// code.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum hotfix_status {
    /// Success.
    Ok = 0,
    /// A pointer that must not be null is null.
    Null = 1,
    /// Text is not UTF-8.
    Utf8 = 2,
    /// This library cannot read a struct of this `struct_size`.
    Struct = 3,
    /// A number, or a name, is not a member of its enum.
    Enum = 4,
    /// An index or a length is out of range.
    Range = 5,
    /// The handle is poisoned by an earlier panic: it can only be freed.
    Poisoned = 6,
    /// A handle was freed before, or has another type: nothing behind it was accessed.
    Handle = 7,
    /// A time, a name, a digest or a value with a unit is not valid.
    Unit = 10,
    /// A policy cannot be read; the error has every fault.
    Policy = 11,
    /// A plan, a train, a commit message or a name for source control cannot be made.
    Plan = 12,
    /// An input or a reading cannot be read, or a train has no such service; nothing was logged.
    Input = 13,
    /// A valid input was refused in the present state: append the outcome's events. The error has
    /// the kinds of input that would be accepted.
    Refused = 14,
    /// A log or a snapshot cannot be replayed or restored.
    Log = 15,
    /// The settings, counts or state of a test are not valid, or the input of the
    /// Kayenta-compatible judge is not valid.
    Stat = 16,
    /// An incident's facts cannot be read; the error has every fault.
    Fact = 17,
    /// A message, a report, a measure or an export cannot be made.
    Message = 18,
    /// Documents of another tool cannot be imported; the error has every fault.
    Convert = 19,
    /// A scenario or a recording cannot be read, a policy cannot be run on it, or tallies are not
    /// of one simulation. The error has the place, and every fault of a scenario.
    Simulate = 20,
    /// A panic in this library was caught, which is a defect; the handle is poisoned.
    Panic = 99,
}

named! {
    hotfix_status {
        Ok = c"ok",
        Null = c"null",
        Utf8 = c"utf8",
        Struct = c"struct",
        Enum = c"enum",
        Range = c"range",
        Poisoned = c"poisoned",
        Handle = c"handle",
        Unit = c"unit",
        Policy = c"policy",
        Plan = c"plan",
        Input = c"input",
        Refused = c"refused",
        Log = c"log",
        Stat = c"stat",
        Fact = c"fact",
        Message = c"message",
        Convert = c"convert",
        Simulate = c"simulate",
        Panic = c"panic",
    }
}

/// The name of a status: "refused".
///
/// @param status  Any number.
/// @return Static text that ends with a null byte; "unknown" for a number that is not a status.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub extern "C" fn hotfix_status_name(status: i32) -> *const c_char {
    hotfix_status::name_of(status)
}
