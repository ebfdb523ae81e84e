//! What the fuzz targets do with their input; `hotfix-core/tests/fuzz_corpus.rs` runs the same on the committed corpus.

pub mod convert;
pub mod gate;
pub mod policy;
pub mod recorded;
pub mod rollout;

// The laws of the model check stand with the tests of the core, which run without libFuzzer.
#[path = "../../hotfix-core/tests/model/mod.rs"]
mod model;
