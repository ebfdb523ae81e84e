//! Logs that are read, and the recording of new lines.

use hotfix_core::rollout::Recording;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};

/// A whole log that is read.
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

/// How the lines that follow are recorded.
pub(crate) const fn recording(keep_log: bool) -> Recording {
    if keep_log { Recording::Keep } else { Recording::HandOut }
}
