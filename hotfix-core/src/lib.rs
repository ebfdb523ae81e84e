//! Decides how an emergency fix is rolled out safely.
#![forbid(unsafe_code)]
pub mod stats;
