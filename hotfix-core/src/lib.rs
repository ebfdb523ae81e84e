//! Decides how an emergency fix is rolled out safely.
#![forbid(unsafe_code)]

pub mod canonical;
pub mod code;
pub mod grade;
pub mod policy;
pub mod unit;
