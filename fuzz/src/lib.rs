//! What the fuzz targets do with their input; `hotfix-core/tests/fuzz_corpus.rs` runs the same on the committed corpus.

pub mod gate;
pub mod policy;
