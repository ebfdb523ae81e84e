//! Logs as they come in, and what becomes of those that go out.

use hotfix_core::rollout::Recording;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};

/// A whole log as it comes in.
#[derive(FromPyObject)]
pub(crate) enum Log {
    Text(PyBackedStr),
    Bytes(PyBackedBytes),
}

impl Log {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// What becomes of the lines that follow.
pub(crate) const fn recording(keep_log: bool) -> Recording {
    if keep_log { Recording::Keep } else { Recording::HandOut }
}
