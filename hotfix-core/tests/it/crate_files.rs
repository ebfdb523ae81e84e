//! Files of the crate, as tests read them.

use std::path::{Path, PathBuf};

/// A path in the crate, looked up when the test runs: a shared build folder must not lead to another clone.
pub(crate) fn in_crate(path: &str) -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).parent().unwrap().join(path)
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
