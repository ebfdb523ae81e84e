//! Logs that are read, and the recording of new lines.

use hotfix_core::rollout::Recording;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::{PyBytes, PyString};

use crate::error::Fault;

/// A whole log that is read.
pub(crate) enum Log {
    Text(PyBackedStr),
    Bytes(PyBackedBytes),
}

impl<'py> FromPyObject<'_, 'py> for Log {
    type Error = PyErr;

    #[cfg(feature = "stub")]
    const INPUT_TYPE: pyo3::inspect::PyStaticExpr =
        crate::typed::written("str | bytes | bytearray");

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyString>() {
            let text =
                object.extract().map_err(|_| Fault::value("the log is not UTF-8: pass bytes"))?;
            return Ok(Self::Text(text));
        }
        object.extract().map(Self::Bytes).map_err(|_| {
            let kind = object.get_type();
            PyTypeError::new_err(format!("a log is str or bytes, not {kind}: join its lines"))
        })
    }
}

/// A list of logs or names: one text is no list of its letters.
pub(crate) struct Listed<T>(pub(crate) Vec<T>);

impl<'py, T: FromPyObjectOwned<'py>> FromPyObject<'_, 'py> for Listed<T> {
    type Error = PyErr;

    #[cfg(feature = "stub")]
    const INPUT_TYPE: pyo3::inspect::PyStaticExpr = Vec::<T>::INPUT_TYPE;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyString>() || object.is_instance_of::<PyBytes>() {
            let text = "a list is expected, not one text: put it into brackets, as in `[log]`";
            return Err(PyTypeError::new_err(text));
        }
        object.extract().map(Self)
    }
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
