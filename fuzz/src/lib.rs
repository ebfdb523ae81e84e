//! What the fuzz targets do with their input; `hotfix-core/tests/it/fuzz_corpus.rs` runs the same
//! on the committed corpus.

pub mod convert;
pub mod gate;
pub mod policy;
pub mod recorded;
pub mod rollout;
pub mod template;

// The laws of the model check are in the tests of the core, which run without libFuzzer.
#[path = "../../hotfix-core/tests/it/model/mod.rs"]
mod model;
