//! What a call came to.

use std::ffi::{CStr, c_char};

/// What a call came to. Values are explicit and never used again; the error object has the exact code.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum hotfix_status {
    /// It did what it says.
    Ok = 0,
    /// A pointer that must not be null is null.
    Null = 1,
    /// Text is not UTF-8.
    Utf8 = 2,
    /// A struct's `struct_size` is not one that this library can read.
    Struct = 3,
    /// A number, or a name, is not a member of its enum.
    Enum = 4,
    /// An index or a length is out of range.
    Range = 5,
    /// A panic went through this handle before: it can only be freed.
    Poisoned = 6,
    /// A handle was freed before, or is of another kind: nothing behind it was touched.
    Handle = 7,
    /// A value with a unit is none: a time, a name, a digest (HF-UNIT, HF-JSON).
    Unit = 10,
    /// A policy cannot be read; the error has all faults (HF-POL, HF-UNIT).
    Policy = 11,
    /// A plan, a train or a commit message cannot be made (HF-PLAN, HF-TRAIN, HF-VCS).
    Plan = 12,
    /// An input or a reading cannot be read; nothing was logged (HF-IN, and HF-TRAIN-009).
    Input = 13,
    /// A legal input was refused; append the outcome's events, the error has what would be taken (HF-ROLL, HF-MET,
    /// HF-TIME, HF-FACT, HF-PLAN, HF-IN, HF-TRAIN).
    Refused = 14,
    /// A log or a snapshot cannot be taken up (HF-LOG, HF-SNAP, HF-JSON and those of what it records).
    Log = 15,
    /// A test's settings, counts or state are none (HF-STAT), or the Kayenta-compatible judge's input is none (HF-KAY).
    Stat = 16,
    /// An incident's facts cannot be read; the error has all faults (HF-FACT, HF-UNIT, HF-JSON).
    Fact = 17,
    /// A message, a report, a measure or an export cannot be made (HF-MSG, HF-REP, HF-EXP).
    Message = 18,
    /// Documents of another tool cannot be imported; the error has all faults (HF-CONV).
    Convert = 19,
    /// A scenario or a recording cannot be read, or a policy not be run on it, or tallies are not of one campaign; the error has the
    /// place, and all faults of a scenario (HF-SIM, HF-REC).
    Simulate = 20,
    /// A defect of this library was caught; the handle is poisoned.
    Panic = 99,
}

impl hotfix_status {
    /// Every status.
    pub const ALL: &'static [Self] = &[
        Self::Ok,
        Self::Null,
        Self::Utf8,
        Self::Struct,
        Self::Enum,
        Self::Range,
        Self::Poisoned,
        Self::Handle,
        Self::Unit,
        Self::Policy,
        Self::Plan,
        Self::Input,
        Self::Refused,
        Self::Log,
        Self::Stat,
        Self::Fact,
        Self::Message,
        Self::Convert,
        Self::Simulate,
        Self::Panic,
    ];

    const fn name(self) -> &'static CStr {
        match self {
            Self::Ok => c"ok",
            Self::Null => c"null",
            Self::Utf8 => c"utf8",
            Self::Struct => c"struct",
            Self::Enum => c"enum",
            Self::Range => c"range",
            Self::Poisoned => c"poisoned",
            Self::Handle => c"handle",
            Self::Unit => c"unit",
            Self::Policy => c"policy",
            Self::Plan => c"plan",
            Self::Input => c"input",
            Self::Refused => c"refused",
            Self::Log => c"log",
            Self::Stat => c"stat",
            Self::Fact => c"fact",
            Self::Message => c"message",
            Self::Convert => c"convert",
            Self::Simulate => c"simulate",
            Self::Panic => c"panic",
        }
    }
}

/// The name of a status: "refused".
///
/// @param status  Any number.
/// @return Static text that ends with a null byte; "unknown" for a number that is no status.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub extern "C" fn hotfix_status_name(status: i32) -> *const c_char {
    let known = hotfix_status::ALL.iter().find(|known| **known as i32 == status);
    known.map_or(c"unknown", |known| known.name()).as_ptr()
}
