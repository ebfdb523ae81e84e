//! Converts the core's errors to exceptions with the same code, place and sentence.
//!
//! The classes are Python's own (`hotfix/_errors.py`): a stable-ABI extension cannot derive from
//! built-in exceptions, and `PolicyError` has two bases.

use std::fmt::Display;
use std::sync::{Mutex, MutexGuard};

use hotfix_core::canonical::DigestError;
use hotfix_core::document::{DocumentErrors, DocumentFault, FaultFamily, ValueFault};
use hotfix_core::fact::FactErrors;
use hotfix_core::interop::{ConvertError, ConvertErrors};
use hotfix_core::kayenta::KayentaErrors;
use hotfix_core::message::{MessageError, MessageErrors};
use hotfix_core::metric::ReadingError;
use hotfix_core::plan::PlanError;
use hotfix_core::policy::PolicyErrors;
use hotfix_core::report::ReportError;
use hotfix_core::rollout::{InputError, LogError, Refusal, SnapshotError, State};
use hotfix_core::simulate::SimulationErrors;
use hotfix_core::simulate::recorded::RecordedErrors;
use hotfix_core::stats::StatError;
use hotfix_core::train::{TrainError, TrainRefusalReason};
use hotfix_core::unit::UnitError;
use hotfix_core::vcs::{CommitError, VcsError};
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::PyDict;
use serde_json::Value;

use crate::document::value;
use crate::interop::ImportFault;
use crate::policy::Problem;
use crate::train::{RefusedByTrain, TrainFinding};

/// The errors of a call. Boxed, because numbers are read in a loop and errors are rare.
#[derive(Debug)]
pub(crate) struct Fault(Box<Kind>);

pub(crate) type Result<T> = std::result::Result<T, Fault>;

/// Declares the kinds of errors, each made from the error of the core.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident($error:ty),)+) => {
        #[derive(Debug)]
        enum Kind {
            $($(#[$doc])* $kind($error),)+
        }

        $(impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self(Box::new(Kind::$kind(error)))
            }
        })+
    };
}

kinds! {
    Policy(PolicyErrors),
    Fact(FactErrors),
    Plan(PlanError),
    Commit(CommitError),
    Vcs(VcsError),
    Input(InputError),
    Digest(DigestError),
    Unit(UnitError),
    Reading(ReadingError),
    Refused(Refusal),
    Train(TrainError),
    TrainRefused(RefusedByTrain),
    Log(LogError),
    Snapshot(SnapshotError),
    Report(ReportError),
    Stat(StatError),
    Kayenta(KayentaErrors),
    Measure(Measure),
    Recorded(RecordedErrors),
    Convert(ConvertErrors),
    Message(MessageError),
    MessageRequest(MessageErrors),
    Simulation(SimulationErrors),
    /// Raised by Python itself, or a wrong type.
    Python(PyErr),
}

/// A measure or an export that cannot be made: code, line of the broken log, and sentence.
#[derive(Debug)]
struct Measure(&'static str, Option<usize>, String);

impl Fault {
    /// An invalid input, with the code that JSON with the same content would have.
    pub(crate) fn input(fault: impl Into<String>) -> Self {
        InputError::Syntax { fault: fault.into() }.into()
    }

    /// A measure or an export that cannot be made, with the line of the broken log among several.
    pub(crate) fn measure(code: &'static str, line: Option<usize>, sentence: String) -> Self {
        Measure(code, line, sentence).into()
    }

    /// A value that no document has; its place is given by [`within`](Self::within).
    pub(crate) fn value(sentence: impl Into<String>) -> Self {
        let fault = ValueFault { path: String::new(), sentence: sentence.into() };
        InputError::Values { faults: vec![fault] }.into()
    }

    /// The same as the fault of a value, whatever its code is alone: of a time, or of a wrong type.
    pub(crate) fn into_value(self, py: Python<'_>) -> Self {
        match *self.0 {
            Kind::Unit(error) => Self::value(error.to_string()),
            Kind::Python(error) if error.is_instance_of::<PyTypeError>(py) => {
                Self::value(error.value(py).to_string())
            }
            kind => Self(Box::new(kind)),
        }
    }

    /// The fault of a value in the part `step` of a document; any other error is returned unchanged.
    pub(crate) fn within(self, step: &str) -> Self {
        let step = step.replace('~', "~0").replace('/', "~1");
        self.into_faults().map_or_else(
            |other| other,
            |faults| {
                let faults = faults.into_iter().map(|fault| fault.under(&step)).collect();
                InputError::Values { faults }.into()
            },
        )
    }

    /// The fault of a value as one of a document of this family.
    pub(crate) fn of<F: From<DocumentFault>>(self) -> Self
    where
        Self: From<DocumentErrors<F>>,
    {
        let faults = match self.into_faults() {
            Ok(faults) => faults,
            Err(other) => return other,
        };
        match faults.as_slice() {
            [ValueFault { path, sentence }, ..] => {
                let sentence = sentence.clone();
                DocumentErrors::of(path, DocumentFault::Foreign { sentence }).into()
            }
            [] => InputError::Values { faults }.into(),
        }
    }

    /// The faults of the values of a document; any other error is returned unchanged.
    pub(crate) fn into_faults(self) -> std::result::Result<Vec<ValueFault>, Self> {
        match *self.0 {
            Kind::Input(InputError::Values { faults }) => Ok(faults),
            kind => Err(Self(Box::new(kind))),
        }
    }

    /// The exception.
    fn raise(self, py: Python<'_>) -> PyResult<PyErr> {
        let fields = PyDict::new(py);
        let coded = |class: &'static str, code: &str, error: &dyn Display| {
            fields.set_item("code", code)?;
            PyResult::Ok((class, error.to_string()))
        };
        let placed = |class, code: &str, path: &str, error: &dyn Display| {
            fields.set_item("path", path)?;
            coded(class, code, error)
        };
        let (class, message) = match *self.0 {
            Kind::Python(error) => return Ok(error),
            Kind::Policy(errors) => ("PolicyError", not_read(&errors, &fields)?),
            Kind::Fact(errors) => ("FactError", not_read(&errors, &fields)?),
            Kind::Plan(error) => placed("PlanError", error.code(), &error.path(), &error)?,
            Kind::Commit(error) => placed("PlanError", error.code(), error.path(), &error)?,
            Kind::Vcs(error) => placed("PlanError", error.code(), error.path(), &error)?,
            Kind::Train(error) => placed("PlanError", error.code(), &error.path(), &error)?,
            Kind::Input(error) => placed("InputError", error.code(), &error.path(), &error)?,
            Kind::Reading(error) => placed("InputError", error.code(), &error.path(), &error)?,
            Kind::Digest(error) => coded("InputError", "HF-JSON-014", &error)?,
            Kind::Unit(error) => coded("InputError", error.code(), &error)?,
            Kind::Report(ReportError::Log(error)) | Kind::Log(error) => {
                fields.set_item("line", error.line)?;
                coded("LogError", error.code(), &error)?
            }
            Kind::Report(error) => coded("ReportError", error.code(), &error)?,
            Kind::Stat(error) => coded("StatsError", error.code(), &error)?,
            Kind::Message(error) => coded("MessageError", error.code(), &error)?,
            Kind::Refused(refusal) => {
                let accepted: Vec<_> = refusal.accepted.iter().map(|k| k.as_str()).collect();
                fields.set_item("accepted", accepted)?;
                fields.set_item("state", refusal.state.as_str())?;
                fields.set_item("got", refusal.got.as_str())?;
                fields.set_item("events", lines(&refusal.events))?;
                placed("Refused", refusal.code(), &refusal.path(), &refusal)?
            }
            Kind::TrainRefused(refusal) => train_refused(refusal, &fields)?,
            Kind::Snapshot(error) => {
                if let SnapshotError::Tail(LogError { line, .. }) = error {
                    fields.set_item("line", line)?;
                }
                coded("LogError", error.code(), &error)?
            }
            Kind::Simulation(errors) => ("SimulationError", not_read(&errors, &fields)?),
            Kind::Kayenta(errors) => ("KayentaError", not_read(&errors, &fields)?),
            Kind::Measure(Measure(code, line, sentence)) => {
                fields.set_item("code", code)?;
                if line.is_some() {
                    fields.set_item("line", line)?;
                }
                (if line.is_some() { "LogError" } else { "ReportError" }, sentence)
            }
            Kind::Recorded(errors) => {
                let message = not_read(&errors, &fields)?;
                fields.set_item("path", errors.place())?;
                ("RecordedError", message)
            }
            Kind::Convert(errors) => not_imported(&errors, &fields)?,
            Kind::MessageRequest(errors) => ("MessageError", not_read(&errors, &fields)?),
        };
        let exception =
            py.import(intern!(py, "hotfix._errors"))?.getattr(class)?.call1((message,))?;
        exception
            .getattr(intern!(py, "__dict__"))?
            .cast::<PyDict>()?
            .update(fields.as_mapping())?;
        Ok(PyErr::from_value(exception))
    }
}

/// The sentence for a document that cannot be read; the rest goes into `fields`.
fn not_read<F: FaultFamily>(
    errors: &DocumentErrors<F>,
    fields: &Bound<'_, PyDict>,
) -> PyResult<String> {
    let first = errors.first();
    fields.set_item("code", first.map_or("", |e| e.code()))?;
    fields.set_item("path", first.map_or("", |e| e.path()))?;
    fields.set_item("errors", listed(errors, Problem))?;
    Ok(errors.to_string())
}

/// Faults of a document as objects.
fn listed<F: FaultFamily, T>(errors: &DocumentErrors<F>, of: fn(Value) -> T) -> Vec<T> {
    errors.iter().map(|error| of(value(error))).collect()
}

/// Class and sentence for documents that cannot be imported; the rest goes into `fields`.
fn not_imported(
    errors: &ConvertErrors,
    fields: &Bound<'_, PyDict>,
) -> PyResult<(&'static str, String)> {
    let first = errors.first();
    let message = not_read(errors, fields)?;
    fields.set_item("line", first.and_then(ConvertError::line))?;
    fields.set_item("column", first.and_then(ConvertError::column))?;
    fields.set_item("errors", listed(errors, ImportFault))?;
    Ok(("ConvertError", message))
}

/// Class and sentence for an input that a train refuses; the rest goes into `fields`.
fn train_refused(
    refused: RefusedByTrain,
    fields: &Bound<'_, PyDict>,
) -> PyResult<(&'static str, String)> {
    let RefusedByTrain { refusal, moves } = refused;
    let message = refusal.to_string();
    fields.set_item("code", refusal.code())?;
    if matches!(refusal.reason, TrainRefusalReason::NoSuchService { .. }) {
        return Ok(("InputError", message));
    }
    let accepted: Vec<_> = refusal.accepted.iter().map(|k| k.as_str()).collect();
    fields.set_item("accepted", accepted)?;
    fields.set_item("state", refusal.state.map_or("", State::as_str))?;
    fields.set_item("got", refusal.got.as_str())?;
    if let TrainRefusalReason::Rollout(reason) = &refusal.reason {
        fields.set_item("path", reason.path())?;
    }
    fields.set_item("events", lines(&refusal.events))?;
    fields.set_item("service", &refusal.service)?;
    fields.set_item("moves", moves)?;
    fields.set_item("findings", TrainFinding::list(refusal.findings))?;
    Ok(("Refused", message))
}

impl From<Fault> for PyErr {
    fn from(fault: Fault) -> Self {
        Python::attach(|py| fault.raise(py).unwrap_or_else(|error| error))
    }
}

/// Splits log lines, each with its line feed, as they have to be appended.
pub(crate) fn lines(events: &str) -> Vec<&str> {
    events.split_inclusive('\n').collect()
}

/// Waits for a handle without holding up Python; refused if an earlier panic left it in an unknown
/// state.
pub(crate) fn locked<'a, T>(py: Python<'_>, handle: &'a Mutex<T>) -> PyResult<MutexGuard<'a, T>> {
    let what = "an internal error interrupted an earlier call on this object: replay the log into a new one";
    handle.lock_py_attached(py).map_err(|_| PyRuntimeError::new_err(what))
}
