//! The model check: small policies, everything that may happen, and laws that no sequence of inputs may break.
//!
//! The search (`search.rs`), the wrappers that each break one rule (`broken.rs`) and the page of the states
//! (`page.rs`) stand beside it; the fuzz target `rollout` plays random sequences against the same laws.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends at what it did not expect"
)]

pub(crate) mod alphabet;
pub(crate) mod key;
pub(crate) mod laws;
pub(crate) mod machine;
pub(crate) mod past;
pub(crate) mod policies;
