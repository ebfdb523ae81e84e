//! The model check: small policies, everything that may happen, and laws that no sequence of inputs may break.
//!
//! The search, the machines that each break one rule and the page of the states are in `model_check/`; the fuzz target
//! `rollout` plays random sequences against the same laws.

pub(crate) mod alphabet;
pub(crate) mod key;
pub(crate) mod laws;
pub(crate) mod machine;
pub(crate) mod past;
pub(crate) mod policies;
