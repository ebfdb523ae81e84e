//! Errors as objects. Unlike thread-local state, they work in a runtime that moves tasks between
//! threads.

use std::fmt::Display;

use hotfix_core::canonical::{CanonicalError, DigestError};
use hotfix_core::document::{DocumentErrors, FaultFamily};
use hotfix_core::fact::FactError;
use hotfix_core::metric::ReadingError;
use hotfix_core::plan::PlanError;
use hotfix_core::policy::Problem;
use hotfix_core::rollout::{InputError, InputKind, LogError, Refusal, SnapshotError, State};
use hotfix_core::stats::StatError;
use hotfix_core::train::{TrainError, TrainRefusal, TrainRefusalReason};
use hotfix_core::unit::{Timestamp, UnitError};
use hotfix_core::vcs::{CommitError, VcsError};
use serde_json::{Value, json};

use crate::buffer::hotfix_str;
use crate::pointer;
use crate::slot::{self, kinded};
use crate::status::hotfix_status;

/// An error: code, message, place and details. A call returns it through its last parameter; the
/// caller owns it. It never changes.
pub struct hotfix_error {
    pub(crate) status: hotfix_status,
    code: String,
    path: String,
    message: String,
    detail: Value,
    json: String,
    accepted: Vec<&'static str>,
    pub(crate) events: String,
}

kinded!(hotfix_error);

/// The error is boxed, so that the successful result stays small.
pub(crate) type Fallible<T> = Result<T, Box<hotfix_error>>;

impl hotfix_error {
    #[inline]
    pub(crate) fn new(
        status: hotfix_status,
        code: &str,
        path: &str,
        message: impl Display,
    ) -> Box<Self> {
        Self::made(status, code, path, &message)
    }

    /// The same for every type of message.
    #[cold]
    #[inline(never)]
    fn made(status: hotfix_status, code: &str, path: &str, message: &dyn Display) -> Box<Self> {
        Box::new(Self {
            status,
            code: code.to_owned(),
            path: path.to_owned(),
            message: message.to_string(),
            detail: json!({}),
            json: String::new(),
            accepted: Vec::new(),
            events: String::new(),
        })
    }

    pub(crate) fn with(mut self: Box<Self>, detail: Value) -> Box<Self> {
        self.detail = detail;
        self
    }

    /// The same error with a place inside the document.
    pub(crate) fn at(mut self: Box<Self>, path: String) -> Box<Self> {
        self.path = path;
        self
    }

    /// The same error, where its place is a setting of the document at `root`.
    pub(crate) fn within(self: Box<Self>, root: &str) -> Box<Self> {
        let path = format!("{root}/{}", self.path);
        if self.path.is_empty() { self } else { self.at(path) }
    }

    /// Serialises the details, once, when the caller asked for an error object.
    pub(crate) fn finish(mut self: Box<Self>) -> Box<Self> {
        if let Value::Object(detail) = &mut self.detail {
            for (key, value) in
                [("code", &self.code), ("message", &self.message), ("path", &self.path)]
            {
                detail.insert(key.to_owned(), Value::from(value.as_str()));
            }
            detail.insert("status".to_owned(), Value::from(self.status as i32));
        }
        self.json = std::mem::take(&mut self.detail).to_string();
        self
    }

    pub(crate) fn of_refusal(refusal: Refusal) -> Box<Self> {
        let path = refusal.path();
        let detail = serde_json::to_value(&refusal).unwrap_or_default();
        Self::new(hotfix_status::Refused, refusal.code(), &path, &refusal)
            .with(detail)
            .refused(&refusal.accepted, refusal.events)
    }

    pub(crate) fn of_train_refusal(refusal: TrainRefusal) -> Box<Self> {
        let (status, path) = match &refusal.reason {
            TrainRefusalReason::NoSuchService { .. } => {
                (hotfix_status::Input, "service".to_owned())
            }
            TrainRefusalReason::Rollout(reason) => (hotfix_status::Refused, reason.path()),
            _ => (hotfix_status::Refused, String::new()),
        };
        let detail = json!({
            "accepted": refusal.accepted,
            "got": refusal.got.as_str(),
            "service": refusal.service,
            "state": refusal.state.map(State::as_str),
        });
        Self::new(status, refusal.code(), &path, &refusal)
            .with(detail)
            .refused(&refusal.accepted, refusal.events)
    }

    fn refused(mut self: Box<Self>, accepted: &[InputKind], events: String) -> Box<Self> {
        self.accepted = accepted.iter().map(|kind| kind.as_str()).collect();
        self.events = events;
        self
    }
}

/// Errors of this library's own: each with its place, status, code and sentence.
macro_rules! own {
    ($(
        $(#[$doc:meta])*
        fn $error:ident($($arg:ident: $type:ty),*) at $place:expr =>
            $status:ident, $code:literal, $text:literal;
    )+) => {
        impl hotfix_error {$(
            $(#[$doc])*
            #[cold]
            #[inline(never)]
            pub(crate) fn $error($($arg: $type),*) -> Box<Self> {
                Self::new(hotfix_status::$status, $code, $place, format_args!($text))
            }
        )+}
    };
}

own! {
    /// A pointer that must not be null is null.
    fn null(name: &str) at name =>
        Null, "HF-FFI-001", "`{name}` is null: pass a valid pointer";
    fn utf8(name: &str, fault: std::str::Utf8Error) at name =>
        Utf8, "HF-FFI-002", "`{name}` is not UTF-8: {fault}";
    fn structure(name: &str, fault: impl Display) at name =>
        Struct, "HF-FFI-003", "`{name}` has {fault}";
    fn no_member(name: &str, got: impl Display, of: &str) at name =>
        Enum, "HF-FFI-004", "`{name}` is {got}, which is not a value of {of}: use its constants";
    /// A name that is not one of those known.
    fn no_name(name: &str, got: std::str::EscapeDebug<'_>, known: &str) at name =>
        Enum, "HF-FFI-004", "`{name}` is `{got}`: give one of {known}";
    /// An array whose address is not aligned.
    fn not_aligned(name: &str) at name =>
        Range, "HF-FFI-005", "`{name}` has an address that is not aligned: give an array of its type";
    fn range(name: &str, got: usize, expected: impl Display) at name =>
        Range, "HF-FFI-005", "`{name}` is {got}: give {expected}";
    /// No action with this id can be found.
    fn no_action(id: std::str::EscapeDebug<'_>) at "id" =>
        Range, "HF-FFI-005",
        "no action `{id}` is pending or came from the last call: read the log for older ones";
    fn poisoned(name: &str) at name =>
        Poisoned, "HF-FFI-006",
        "`{name}` is poisoned by an earlier panic: free it and replay the log";
    fn panicked(what: &str) at "" =>
        Panic, "HF-FFI-007",
        "the library has a defect: {what}; free the handle and replay the log";
    /// A handle that was freed, or is not a handle of this library.
    fn no_handle(name: &str) at name =>
        Handle, "HF-FFI-008",
        "`{name}` was freed before, or is not a handle of this library: pass a live handle";
    /// A handle of another kind.
    fn other_kind(name: &str, got: &str, wanted: &str) at name =>
        Handle, "HF-FFI-009", "`{name}` is a `{got}`: pass a `{wanted}`";
    /// A rollout that a train owns.
    fn owned(name: &str) at name =>
        Handle, "HF-FFI-013",
        "`{name}` belongs to a train: call the functions of the train, which also frees it";
    /// A test of another kind than the call is for.
    fn other_test(name: &str, got: &str, wanted: &str) at name =>
        Handle, "HF-FFI-009",
        "`{name}` is a test of the kind `{got}`: pass one of the kind `{wanted}`, as \
         hotfix_{wanted}_new makes it";
    /// Tests of instances, each of which has its own evidence.
    fn no_evidence(name: &str) at name =>
        Handle, "HF-FFI-009",
        "`{name}` is a test of the kind `instances`, which has no evidence of the whole canary: \
         read hotfix_instances_found";
    /// A time that RFC 3339 cannot write.
    fn no_time(name: &str, got: i64) at name =>
        Unit, "HF-UNIT-003",
        "`{name}` is {got}: give milliseconds since 1970-01-01T00:00:00Z, in the years 1 to 9999";
    /// A time that is probably in seconds.
    fn seconds(name: &str, at: Timestamp) at name =>
        Unit, "HF-FFI-010",
        "`{name}` is {at}: give milliseconds, not seconds, since 1970-01-01T00:00:00Z";
    /// Numbers of an arm that no flag names.
    fn no_flags() at "flags" =>
        Enum, "HF-FFI-011",
        "the reading has numbers, but `flags` names no arm: set HOTFIX_READING_CANARY, \
         HOTFIX_READING_BASELINE or both";
    /// An argument of a view that is missing, or that the view does not have.
    fn argument(place: &str, fault: impl Display) at place =>
        Input, "HF-FFI-012", "{fault}";
    /// A view of a part that the library was built without.
    fn left_out(view: &str, part: &str) at "view" =>
        Enum, "HF-FFI-004",
        "the view `{view}` belongs to the part `{part}`, which this library was built without: \
         build it with the feature `{part}`";
    fn not_written(fault: impl Display) at "" =>
        Unit, "HF-JSON-006", "{fault}";
    /// A head in the parameter `name` that is not a valid digest.
    fn digest(name: &str, fault: DigestError) at name =>
        Unit, "HF-JSON-014", "{fault}";
}

impl hotfix_error {
    pub(crate) fn of_document<F: FaultFamily + std::fmt::Debug>(
        status: hotfix_status,
        errors: &DocumentErrors<F>,
    ) -> Box<Self> {
        let (code, path) = errors.first().map_or(("", ""), |first| (first.code(), first.path()));
        Self::new(status, code, path, errors)
            .with(json!({"count": errors.count(), "errors": errors}))
    }
}

/// The faults of a kind of document.
pub(crate) trait FaultStatus: FaultFamily + std::fmt::Debug {
    /// The status of a call that such a document fails.
    const STATUS: hotfix_status;
}

impl FaultStatus for Problem {
    const STATUS: hotfix_status = hotfix_status::Policy;
}

impl FaultStatus for FactError {
    const STATUS: hotfix_status = hotfix_status::Fact;
}

impl<F: FaultStatus> From<DocumentErrors<F>> for Box<hotfix_error> {
    fn from(errors: DocumentErrors<F>) -> Self {
        hotfix_error::of_document(F::STATUS, &errors)
    }
}

/// Errors that become an object with this status and this place.
macro_rules! errors {
    ($($error:ident: $type:ty => $status:ident, $path:expr;)+) => {$(
        impl From<$type> for Box<hotfix_error> {
            fn from($error: $type) -> Self {
                hotfix_error::new(hotfix_status::$status, $error.code(), $path, &$error)
            }
        }
    )+};
}

errors! {
    error: PlanError => Plan, &error.path();
    error: TrainError => Plan, &error.path();
    error: CommitError => Plan, error.path();
    error: VcsError => Plan, error.path();
    error: InputError => Input, &error.path();
    error: ReadingError => Input, &error.path();
    error: StatError => Stat, &parameter(&error);
    error: UnitError => Unit, "";
}

impl From<CanonicalError> for Box<hotfix_error> {
    /// Facts that are not a JSON object: the one fault is of the whole document.
    fn from(error: CanonicalError) -> Self {
        let fault = json!({"code": error.code(), "path": "", "message": error.to_string()});
        hotfix_error::new(hotfix_status::Fact, error.code(), "", &error)
            .with(json!({"count": 1, "errors": [fault]}))
    }
}

/// The parameter, member or setting that an error of a test or of planning is about; empty where it is
/// about several, about data, or a state.
fn parameter(error: &StatError) -> String {
    use StatError as E;
    let name = match error {
        E::NotFinite { what, .. }
        | E::Negative { what, .. }
        | E::TooLarge { what, .. }
        | E::EmptySample { what }
        | E::NoTrials { what }
        | E::NotWhole { what, .. }
        | E::SampleNotFinite { what, .. }
        | E::OutOfRange { what, .. } => match *what {
            "bound" => "at_most",
            "interim analysis" => "evaluations",
            "tick length" => "tick_seconds",
            what if what.starts_with("the ") => "",
            what => what,
        },
        E::EventsExceedTrials { .. } => "events",
        E::WeightCount { .. } | E::WeightSum { .. } => "weights",
        E::BoundaryMismatch { .. } => "boundaries",
        E::FewSubsets { .. } => "subsets",
        E::NoComparison { what: "the canary" } => "canary",
        E::NoComparison { what: "a zone" | "the list of zones" } => "zones",
        E::BadNullRatio { .. } => "ratio",
        _ => "",
    };
    name.replace(' ', "_")
}

impl From<LogError> for Box<hotfix_error> {
    fn from(error: LogError) -> Self {
        hotfix_error::new(hotfix_status::Log, error.code(), "", &error)
            .with(json!({"line": error.line}))
    }
}

impl From<SnapshotError> for Box<hotfix_error> {
    fn from(error: SnapshotError) -> Self {
        let made = hotfix_error::new(hotfix_status::Log, error.code(), "", &error);
        match error {
            SnapshotError::Tail(LogError { line, .. }) => made.with(json!({"line": line})),
            _ => made,
        }
    }
}

/// Reads from an error; null, or what is not a live error, gives `none`.
unsafe fn of<R>(error: *const hotfix_error, none: R, read: impl FnOnce(&hotfix_error) -> R) -> R {
    // SAFETY: live, and no thread frees it during the call, by the header's contract; errors never
    // change.
    slot::find(error, "error").map_or(none, |error| read(unsafe { &*error }))
}

/// The status that came with this error.
///
/// @param error  An error, or null.
/// @return Its status; HOTFIX_STATUS_OK for null.
///
/// Thread rule: an error never changes; any number of threads may read it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_error_status(error: *const hotfix_error) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { of(error, hotfix_status::Ok, |e| e.status) }
}

/// The stable code: "HF-POL-006". Codes are listed in docs/codes.md and never change their meaning.
///
/// @param error  An error, or null.
/// @return A view that lives as long as the error; empty for null.
///
/// Thread rule: any number of threads may read one error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_error_code(error: *const hotfix_error) -> hotfix_str {
    // SAFETY: the caller keeps the header's contract.
    unsafe { of(error, hotfix_str::EMPTY, |e| hotfix_str::of(&e.code)) }
}

/// The place of the error: a JSON Pointer into the document ("/phases/1/share"), or the name of the
/// parameter, or of the member of a struct.
///
/// @param error  An error, or null.
/// @return A view that lives as long as the error; empty if the error concerns the whole document
///         or has no place, and for null.
///
/// Thread rule: any number of threads may read one error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_error_path(error: *const hotfix_error) -> hotfix_str {
    // SAFETY: the caller keeps the header's contract.
    unsafe { of(error, hotfix_str::EMPTY, |e| hotfix_str::of(&e.path)) }
}

/// What is wrong and what to do, as a sentence in English. For a policy there is one line for each
/// fault.
///
/// @param error  An error, or null.
/// @return A view that lives as long as the error; empty for null.
///
/// Thread rule: any number of threads may read one error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_error_message(error: *const hotfix_error) -> hotfix_str {
    // SAFETY: the caller keeps the header's contract.
    unsafe { of(error, hotfix_str::EMPTY, |e| hotfix_str::of(&e.message)) }
}

/// The whole error as JSON: `code`, `path`, `message` and `status`. A policy, facts, an import, a
/// scenario, a recording, a Kayenta configuration and a message request add `errors` and `count`,
/// the number of all faults; a log adds `line`, and where several are measured `log`, from 1; a
/// refusal adds `got`, `state` and `accepted`, and in a train `service`.
///
/// Each of the `errors` has `code`, `path` and `message`. Those of a text also have `line` and
/// `column`, from 1; in a policy that extends others `base` names the one that has the place.
///
/// @param error  An error, or null.
/// @return A view that lives as long as the error; empty for null.
///
/// Thread rule: any number of threads may read one error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_error_json(error: *const hotfix_error) -> hotfix_str {
    // SAFETY: the caller keeps the header's contract.
    unsafe { of(error, hotfix_str::EMPTY, |e| hotfix_str::of(&e.json)) }
}

/// The number of kinds of input that the rollout would have accepted instead of the refused one.
///
/// @param error  An error, or null.
/// @return The number; 0 for an error that is not a refusal, and for null.
///
/// Thread rule: any number of threads may read one error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_error_accepted_count(error: *const hotfix_error) -> usize {
    // SAFETY: the caller keeps the header's contract.
    unsafe { of(error, 0, |e| e.accepted.len()) }
}

/// One kind of input that the rollout would have accepted instead of the refused one: "roll_back".
///
/// @param error  An error, or null.
/// @param index  From 0.
/// @return Static text; empty for an index out of range, and for null.
///
/// Thread rule: any number of threads may read one error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_error_accepted(
    error: *const hotfix_error,
    index: usize,
) -> hotfix_str {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        of(error, hotfix_str::EMPTY, |e| {
            e.accepted.get(index).map_or(hotfix_str::EMPTY, |kind| hotfix_str::of(kind))
        })
    }
}

/// The log lines that a refusal added: append them like any other lines. They equal the outcome's
/// `events` of that call.
///
/// @param error  An error, or null.
/// @return A view that lives as long as the error; empty if nothing was logged, and for null.
///
/// Thread rule: any number of threads may read one error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_error_events(error: *const hotfix_error) -> hotfix_str {
    // SAFETY: the caller keeps the header's contract.
    unsafe { of(error, hotfix_str::EMPTY, |e| hotfix_str::of(&e.events)) }
}

/// Frees an error. Its views become invalid. Freeing it again does nothing.
///
/// @param error  An error that a function of this library returned, or null.
///
/// Thread rule: one thread, after every other thread has finished reading.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_error_free(error: *mut hotfix_error) {
    pointer::free(error);
}
