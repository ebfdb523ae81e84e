//! Decides how an emergency fix is rolled out safely.
#![forbid(unsafe_code)]

pub mod grade;
pub mod metric;
pub mod policy;
pub mod unit;
