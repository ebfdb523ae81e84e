//! The C ABI of hotfix: opaque handles, a status from every call that can fail, and errors as
//! objects.
//!
//! `include/hotfix.h` is generated from this crate by `tests/it/header.rs`, its conventions from
//! `conventions.txt`. These rules keep it sound:
//!
//! - every exported function is one call of `guard`, most through `answer`: a panic becomes a status
//!   and never reaches C;
//! - pointers become references in `pointer` and `versioned` only, each after its null check;
//! - a handle that C holds is the address of a slot (`slot`), so a handle that was freed, or has
//!   another type, is refused;
//! - a handle that a panic went through is poisoned: from then on it can only be freed.
#![warn(clippy::undocumented_unsafe_blocks)]
#![allow(non_camel_case_types, reason = "types carry the names that C sees")]
#![allow(
    clippy::missing_safety_doc,
    reason = "the header's conventions are the contract of every function"
)]
#![allow(clippy::doc_markdown, reason = "the comments are C's documentation")]

#[cfg(feature = "simulate")]
pub mod advise;
mod answer;
pub mod audit;
#[cfg(feature = "simulate")]
pub mod backtest;
pub mod buffer;
pub mod ceiling;
pub mod code;
pub mod commit;
pub mod duty;
pub mod error;
#[cfg(feature = "interop")]
pub mod export;
pub mod extend;
pub mod fixed;
pub mod fixed_counts;
mod guard;
#[cfg(feature = "test-hooks")]
pub mod hook;
pub mod instances;
#[cfg(feature = "interop")]
pub mod interop;
#[cfg(feature = "kayenta")]
pub mod kayenta;
pub mod latency;
#[cfg(feature = "report")]
pub mod measure;
#[cfg(feature = "message")]
pub mod message;
mod names;
pub mod outcome;
pub mod plan;
pub mod plan_page;
pub mod planning;
mod pointer;
pub mod policy;
pub mod rate_ratio;
pub mod reading;
pub mod redact;
#[cfg(feature = "report")]
pub mod report;
pub mod rollout;
pub mod sequential_test;
pub mod severity;
#[cfg(feature = "simulate")]
pub mod simulate;
mod slot;
pub mod snapshot;
pub mod status;
pub mod time;
pub mod train;
pub mod train_view;
pub mod vcs;
pub mod version;
mod versioned;
pub mod view;
pub mod view_table;
pub mod views;
