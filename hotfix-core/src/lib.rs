//! Decides how an emergency fix is rolled out safely.
#![forbid(unsafe_code)]

pub mod canonical;
pub mod code;
pub mod grade;
pub mod judge;
pub mod metric;
pub mod plan;
pub mod policy;
pub mod rollout;
pub mod stats;
pub mod unit;
