"""The types of `hotfix` and `hotfix.stats`; import them from there."""

# `make stub` writes `_core.pyi` from this part, which is `src/types.pyi`, and from Rust. Here are types of documents
# and arguments, and overloads, for which Rust has no place.

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from os import PathLike
from typing import (
    Any,
    Final,
    Literal,
    NotRequired,
    Protocol,
    SupportsFloat,
    TypeAlias,
    TypedDict,
    final,
    overload,
    type_check_only,
)

from hotfix._values import ByValue

# The closed sets of the core.

# Other closed sets; all are plain strings.

_ActionKind: TypeAlias = Literal[
    "set_traffic",
    "deploy",
    "roll_back",
    "ask_decision",
    "request_approval",
    "notify",
    "page",
    "update_status_page",
    "schedule",
]
_ReportFormat: TypeAlias = Literal["markdown", "json", "html"]
_ImportKind: TypeAlias = Literal["argo_rollouts", "flagger", "kayenta", "openslo"]
_Direction: TypeAlias = Literal["worse", "better"]
_Model: TypeAlias = Literal["poisson", "bernoulli"]
_Alternative: TypeAlias = Literal["two-sided", "less", "greater"]
_TestMethod: TypeAlias = Literal["auto", "asymptotic", "exact"]
_Scale: TypeAlias = Literal["ratio", "difference"]
_Assumption: TypeAlias = Literal["ties", "all_equal", "few_samples", "binned", "small_expected", "sparse"]
_LatencyForm: TypeAlias = Literal["joint", "boundaries", "clustered"]
_KayentaLabel: TypeAlias = Literal["Pass", "High", "Low", "Nodata", "NodataFailMetric", "Error"]
_KayentaOutcome: TypeAlias = Literal["Pass", "Marginal", "Fail"]

# What goes in.

_Time: TypeAlias = datetime | str
_Facts: TypeAlias = Mapping[str, bool | SupportsFloat | str | timedelta | datetime | None]
_Reading: TypeAlias = SupportsFloat | Sequence[SupportsFloat] | Mapping[str, SupportsFloat | Sequence[SupportsFloat]]
_Arms: TypeAlias = Mapping[str, _Reading | None]
_Metrics: TypeAlias = Mapping[str, Mapping[str, _Reading | _Arms | None] | Sequence[_Arms]]
_KayentaSample: TypeAlias = Iterable[float | None]
_Counts: TypeAlias = tuple[SupportsFloat, SupportsFloat] | Sequence[SupportsFloat]

@type_check_only
class _Iterable(Protocol):
    """Any array or series of numbers; NumPy's iterators are not typed more closely."""

    def __iter__(self) -> Iterator[Any]: ...

_Samples: TypeAlias = Sequence[SupportsFloat] | _Iterable

@type_check_only
class _Standing(TypedDict):
    service: str
    place: _Place
    state: _State
    waits_for: list[str]
    until: NotRequired[str]

@type_check_only
class _Blocker(TypedDict):
    kind: _BlockerKind
    sentence: str
    who: Sequence[str]
    clears: Sequence[_InputKind]
    roles: NotRequired[Sequence[str]]
    item: NotRequired[str]
    list: NotRequired[str]

@type_check_only
class _Approvals(TypedDict):
    demands: list[dict[str, Any]]
    unasked: list[dict[str, Any]]

@type_check_only
class _Duties(TypedDict):
    at: str
    due: list[dict[str, Any]]
    overdue: list[dict[str, Any]]
    next: list[dict[str, Any]]
    later: list[dict[str, Any]]
    undated: list[dict[str, Any]]
    done: list[dict[str, Any]]

@type_check_only
class _Intervention(TypedDict):
    kind: _InputKind
    at: str
    by: NotRequired[str]
    role: NotRequired[str]
    about: NotRequired[str]
    why: NotRequired[str]

@type_check_only
class _OpenQuestion(TypedDict):
    action: str | None
    since: str
    asked_at: str
    text: str
    answers: list[_InputKind]

@type_check_only
class _PlanFinding(TypedDict):
    kind: str
    text: str

@type_check_only
class _TimelineStep(TypedDict):
    at: str
    offset: float
    step: _StepKind
    phase: NotRequired[str]

@type_check_only
class _Document:
    def __getitem__(self, key: str, /) -> Any: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def keys(self) -> list[str]: ...
    # The JSON form, as in `[]` and the repr: a number that is infinite is None.
    def to_dict(self) -> dict[str, Any]: ...

@type_check_only
class _Rate(TypedDict):
    count: int
    of: int
    share: float | None
    low: float
    high: float

@type_check_only
class _Mean(TypedDict):
    mean: float | None
    low: float | None
    high: float | None

@type_check_only
class _Took(TypedDict):
    median: float
    p90: float
    runs: int

@type_check_only
class _Difference(TypedDict):
    difference: float
    low: float
    high: float
    only_first: int
    only_second: int

@type_check_only
class SimulationOutcome(TypedDict):
    runs: int
    faulty: int
    false_rollbacks: _Rate
    missed_faults: _Rate
    found_faults: _Rate
    rolled_back: _Rate
    completed: _Rate
    asked: _Rate
    duties_missed: _Rate
    never_started: int
    seconds_to_find: NotRequired[_Took]
    seconds_to_complete: NotRequired[_Took]
    affected_by_canary: _Mean
    affected_by_live: _Mean
    duties_missed_each: _Mean
    questions_each: _Mean
    pages_each: _Mean
    ticks_each: _Mean
    refused_each: _Mean
    ended: dict[str, int]
    reasons: dict[str, int]

@type_check_only
class Differences(TypedDict):
    runs: int
    first: SimulationOutcome
    second: SimulationOutcome
    false_rollbacks: _Difference
    missed_faults: _Difference
    rolled_back: _Difference
    completed: _Difference
    asked: _Difference
    duties_missed: _Difference
    affected_each: _Mean
    affected_by_canary_each: _Mean
    questions_each: _Mean
    duties_missed_each: _Mean
    both_found: int
    seconds_to_find: NotRequired[_Mean]

@type_check_only
class DrillRun(TypedDict):
    run: dict[str, Any]
    truth: dict[str, Any]
    unmet: list[str]
    log: str

# These replace what Rust declares.

class Rollout:
    @overload
    def message(
        self,
        kind: _MessageKind,
        audience: _Audience = "responders",
        format: Literal["text", "markdown"] = "text",
        *,
        at: _Time | None = None,
        utc_offset: str | timedelta | tzinfo | None = None,
        values: Mapping[str, str] | None = None,
        draft: bool = False,
    ) -> str: ...
    @overload
    def message(
        self,
        kind: _MessageKind,
        audience: _Audience,
        format: Literal["slack", "teams", "pagerduty"],
        *,
        at: _Time | None = None,
        utc_offset: str | timedelta | tzinfo | None = None,
        values: Mapping[str, str] | None = None,
        draft: bool = False,
    ) -> dict[str, Any]: ...
    @overload
    def message(
        self,
        kind: _MessageKind,
        audience: _Audience = "responders",
        *,
        format: Literal["slack", "teams", "pagerduty"],
        at: _Time | None = None,
        utc_offset: str | timedelta | tzinfo | None = None,
        values: Mapping[str, str] | None = None,
        draft: bool = False,
    ) -> dict[str, Any]: ...
