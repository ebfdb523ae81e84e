//! What the tests in Rust and in C share: the cases, and what differs in an answer.

pub(crate) mod answer_cases;
pub(crate) mod convert_cases;
pub(crate) mod gate_cases;
pub(crate) mod kayenta_common;
pub(crate) mod lint_cases;
pub(crate) mod plan_cases;
pub(crate) mod plan_common;
pub(crate) mod power_cases;
pub(crate) mod preset_common;
pub(crate) mod recorded_cases;
pub(crate) mod roll_common;
pub(crate) mod simulate_cases;
pub(crate) mod train_common;
pub(crate) mod vcs_cases;
