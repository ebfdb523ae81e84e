//! Values with the types that the stub gives them, where those say more than Rust's.

use std::borrow::Cow;
use std::marker::PhantomData;

use hotfix_core::fact::FactKind;
use hotfix_core::grade::{
    Audience, Calendar, EvidenceMode, GateMode, Hotfix, MessageKind, MetricKind, PromotionRule,
    Response, RollbackMethod, Severity,
};
use hotfix_core::judge::{Against, Decision, Guarantee, Reason, Version};
use hotfix_core::kayenta::{Classification, ScoreClassification};
use hotfix_core::lint::Level;
use hotfix_core::metric::Band;
use hotfix_core::rollout::{InputKind, State};
use hotfix_core::stats::fixed::Assumption;
use hotfix_core::stats::latency::LatencyForm;
use hotfix_core::train::TrainState;
use pyo3::prelude::*;
use serde::Serialize;
use serde_json::Value;

use crate::convert::object;
use crate::document::value;

/// How the stub writes a type. Its names are closed sets of the core, or in `types.pyi`.
pub(crate) trait Hint {
    #[cfg(feature = "stub")]
    const TYPE: &'static str;
}

/// A `T` that is an `H` in the stub.
pub(crate) struct Typed<H, T>(pub(crate) T, PhantomData<H>);

/// A name of a closed set.
pub(crate) type Name<H> = Typed<H, Cow<'static, str>>;

/// A document.
pub(crate) type Json<H = Dict> = Typed<H, JsonValue>;

impl<H, T> Typed<H, T> {
    pub(crate) const fn new(inner: T) -> Self {
        Self(inner, PhantomData)
    }
}

impl<H> Json<H> {
    pub(crate) fn of(inner: &impl Serialize) -> Self {
        Self::new(JsonValue(value(inner)))
    }
}

impl<'py, H: Hint, T: IntoPyObject<'py>> IntoPyObject<'py> for Typed<H, T> {
    type Target = T::Target;
    type Output = T::Output;
    type Error = T::Error;

    #[cfg(feature = "stub")]
    const OUTPUT_TYPE: pyo3::inspect::PyStaticExpr = written(H::TYPE);

    fn into_pyobject(self, py: Python<'py>) -> Result<T::Output, T::Error> {
        self.0.into_pyobject(py)
    }
}

pub(crate) struct JsonValue(Value);

impl<'py> IntoPyObject<'py> for JsonValue {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, &self.0)
    }
}

/// A type that the stub writes as this text.
#[cfg(feature = "stub")]
pub(crate) const fn written(text: &'static str) -> pyo3::inspect::PyStaticExpr {
    use pyo3::inspect::{PyStaticConstant, PyStaticExpr};
    PyStaticExpr::Constant { value: PyStaticConstant::Str(text) }
}

macro_rules! hints {
    ($($name:ty = $text:literal,)*) => {$(
        impl Hint for $name {
            #[cfg(feature = "stub")]
            const TYPE: &'static str = $text;
        }
    )*};
}

macro_rules! closed_sets {
    ($($name:ident = $text:literal,)*) => {$(
        hints! { $name = $text, }

        impl From<$name> for Name<$name> {
            fn from(of: $name) -> Self {
                Self::new(Cow::Borrowed(of.as_str()))
            }
        }
    )*};
}

closed_sets! {
    Against = "_Against",
    Assumption = "_Assumption",
    Audience = "_Audience",
    Band = "_Band",
    Calendar = "_Calendar",
    Classification = "_KayentaLabel",
    Decision = "_Decision",
    EvidenceMode = "_EvidenceMode",
    FactKind = "_FactKind",
    GateMode = "_GateMode",
    Guarantee = "_Guarantee",
    InputKind = "_InputKind",
    LatencyForm = "_LatencyForm",
    Level = "_Level",
    Hotfix = "_Hotfix",
    MessageKind = "_MessageKind",
    MetricKind = "_MetricKind",
    PromotionRule = "_PromotionRule",
    Reason = "_Reason",
    Response = "_Response",
    RollbackMethod = "_RollbackMethod",
    ScoreClassification = "_KayentaOutcome",
    Severity = "_Severity",
    State = "_State",
    TrainState = "_TrainState",
    Version = "_Version",
}

/// Types that have no other use in Rust.
macro_rules! types {
    ($($name:ident = $text:literal,)*) => {
        $(pub(crate) enum $name {})*
        hints! { $($name = $text,)* }
    };
}

types! {
    ActionKind = "_ActionKind",
    Approvals = "_Approvals",
    Blockers = "list[_Blocker]",
    Cells = "list[dict[str, Any] | None]",
    Dict = "dict[str, Any]",
    Dicts = "list[dict[str, Any]]",
    DictsByName = "dict[str, dict[str, Any]]",
    Duties = "_Duties",
    FactsByName = "dict[str, bool | float | str]",
    FiguresByName = "dict[str, float]",
    Findings = "list[_PlanFinding]",
    Histories = "dict[str, dict[str, list[list[float]]]]",
    ImportKind = "_ImportKind",
    Interventions = "list[_Intervention]",
    Labels = "dict[_KayentaLabel, int]",
    LeavesByValue = "ByValue[list[str]]",
    Mean = "_Mean",
    Questions = "list[_OpenQuestion]",
    Rate = "_Rate",
    Rollouts = "dict[str, Rollout]",
    SeveritiesByValue = "ByValue[_Severity | None]",
    Timeline = "list[_TimelineStep]",
}
