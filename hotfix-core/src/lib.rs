//! Decides how an emergency fix is rolled out safely.
#![forbid(unsafe_code)]
// A panic must not cross a language boundary, so the library does not panic itself.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod canonical;
pub mod code;
pub mod deadline;
pub mod decision;
pub mod fact;
pub mod gate;
pub mod grade;
pub mod interop;
pub mod judge;
pub mod kayenta;
pub mod lint;
pub mod message;
pub mod metric;
pub mod plan;
pub mod policy;
pub mod report;
pub mod rollout;
pub mod severity;
pub mod simulate;
pub mod stats;
mod text;
pub mod train;
pub mod unit;
pub mod vcs;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ReadMe;

#[cfg(doctest)]
#[doc = include_str!("../../docs/kayenta.md")]
struct ComingFromKayenta;

#[cfg(doctest)]
#[doc = include_str!("../../docs/statistics.md")]
struct Statistics;

#[cfg(doctest)]
#[doc = include_str!("../../docs/policy.md")]
struct Policies;

#[cfg(doctest)]
#[doc = include_str!("../../docs/simulation.md")]
struct Simulation;
