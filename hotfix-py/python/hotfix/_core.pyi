"""The types of `hotfix` and `hotfix.stats`; import them from there."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from os import PathLike
from typing import Any, Final, Literal, NotRequired, SupportsFloat, TypeAlias, TypedDict, final, type_check_only

__all__ = [
    "Action",
    "Outcome",
    "Audit",
    "AuditFinding",
    "audit",
    "Method",
    "Phase",
    "Plan",
    "Policy",
    "Problem",
    "Rollout",
    "Evidence",
    "RateRatio",
    "wilson",
    "Cause",
    "Efficacy",
    "MetricVerdict",
    "Verdict",
    "__version__",
]

__version__: Final[str]

# Closed sets are plain strings.

_State: TypeAlias = Literal[
    "drafted",
    "awaiting_approval",
    "ready",
    "deploying",
    "monitoring",
    "gate",
    "final_validation",
    "complete",
    "closed",
    "rolling_back",
    "rolled_back",
    "paused",
    "frozen",
    "aborted",
    "failed",
]
_InputKind: TypeAlias = Literal[
    "approve",
    "deny",
    "withdraw",
    "check_item",
    "waive_item",
    "start",
    "confirm",
    "failed",
    "observe",
    "tick",
    "promote",
    "hold",
    "pause",
    "resume",
    "abort",
    "roll_back",
    "revert",
    "report",
    "set_severity",
    "set_facts",
    "note",
]
_ActionKind: TypeAlias = Literal[
    "set_traffic",
    "deploy",
    "roll_back",
    "ask_decision",
    "request_approval",
    "notify",
    "page",
    "update_status_page",
]
_Decision: TypeAlias = Literal["continue", "hold", "promote", "roll_back", "ask"]
_Band: TypeAlias = Literal["success", "hold", "between", "alert", "rollback", "no_data", "stale", "not_finite"]
_Reason: TypeAlias = Literal[
    "evidence",
    "hold_level",
    "rollback_band",
    "alert_band",
    "criterion_missed",
    "between",
    "too_few_trials",
    "no_data",
    "stale",
    "not_finite",
    "gaps",
    "not_shown_safe",
    "efficacy_not_shown",
    "split_not_as_planned",
    "arms_swapped",
    "undecided",
]
_RollbackMethod: TypeAlias = Literal["feature_flag", "redeploy", "git_revert", "blue_green_switch", "platform"]
_MessageKind: TypeAlias = Literal[
    "deployment_started",
    "phase_passed",
    "deployed",
    "rolling_back",
    "rolled_back",
    "update",
    "resolved",
]
_Audience: TypeAlias = Literal["responders", "stakeholders", "public"]
_GateMode: TypeAlias = Literal["automatic", "manual", "veto"]
_PromotionRule: TypeAlias = Literal["no_evidence_of_harm", "evidence_of_no_harm"]
_Response: TypeAlias = Literal["continue", "hold", "ask", "roll_back"]
_StepKind: TypeAlias = Literal["deploy", "monitor", "gate", "final_validation", "complete"]
_Direction: TypeAlias = Literal["worse", "better"]
_Model: TypeAlias = Literal["poisson", "bernoulli"]

# What goes in.

_Time: TypeAlias = datetime | str
_Reading: TypeAlias = SupportsFloat | Sequence[SupportsFloat] | Mapping[str, SupportsFloat | Sequence[SupportsFloat]]
_Metrics: TypeAlias = Mapping[str, Mapping[str, _Reading | None]]
_Counts: TypeAlias = tuple[SupportsFloat, SupportsFloat] | Sequence[SupportsFloat]

@type_check_only
class _TimelineStep(TypedDict):
    at: str
    offset: float
    step: _StepKind
    phase: NotRequired[str]

@type_check_only
class _Document:
    def __getitem__(self, key: str, /) -> Any: ...
    def __contains__(self, key: str, /) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def keys(self) -> list[str]: ...
    def to_dict(self) -> dict[str, Any]: ...

@final
class Policy:
    @staticmethod
    def presets() -> list[str]: ...
    @staticmethod
    def preset(name: str) -> Policy: ...
    @staticmethod
    def from_toml(text: str) -> Policy: ...
    @staticmethod
    def from_json(text: str) -> Policy: ...
    @staticmethod
    def load(path: str | PathLike[str]) -> Policy: ...
    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def digest(self) -> str: ...
    def to_toml(self) -> str: ...
    def to_json(self) -> str: ...
    def to_dict(self) -> dict[str, Any]: ...
    def plan(
        self,
        incident: Mapping[str, object],
        release: Mapping[str, object],
        traffic: Mapping[str, object] | None = None,
    ) -> Plan: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...

@final
class Problem(_Document):
    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def path(self) -> str: ...

@final
class Plan(_Document):
    @property
    def policy(self) -> Policy: ...
    @property
    def phases(self) -> list[Phase]: ...
    @property
    def methods(self) -> list[Method]: ...
    @property
    def incident(self) -> dict[str, Any]: ...
    @property
    def release(self) -> dict[str, Any]: ...
    @property
    def traffic(self) -> dict[str, Any]: ...
    @property
    def digest(self) -> str: ...
    def timeline(self, start: _Time) -> list[_TimelineStep]: ...

@final
class Phase(_Document):
    @property
    def name(self) -> str: ...
    @property
    def objective(self) -> str: ...
    @property
    def share(self) -> float: ...
    @property
    def deploy(self) -> timedelta: ...
    @property
    def watch(self) -> timedelta: ...
    @property
    def watch_most(self) -> timedelta | None: ...
    @property
    def gate(self) -> _GateMode: ...
    @property
    def promotion(self) -> _PromotionRule: ...
    @property
    def missed(self) -> _Response: ...
    @property
    def undecided(self) -> _Response: ...

@final
class Method(_Document):
    @property
    def kind(self) -> _RollbackMethod: ...
    @property
    def seconds(self) -> float | None: ...

@final
class Rollout:
    def __new__(cls, plan: Plan, keep_log: bool = True, salt: str | None = None) -> Rollout: ...
    def handle(self, at: _Time, input: Mapping[str, object]) -> Outcome: ...
    def observe(self, at: _Time, metrics: _Metrics) -> Outcome: ...
    @property
    def state(self) -> _State: ...
    @property
    def phase(self) -> str | None: ...
    @property
    def share(self) -> float: ...
    @property
    def verdict(self) -> Verdict: ...
    @property
    def head(self) -> str: ...
    @property
    def now(self) -> datetime | None: ...
    @property
    def accepted(self) -> list[_InputKind]: ...
    @property
    def plan(self) -> Plan: ...
    @property
    def dropped(self) -> int: ...
    @property
    def recovered_length(self) -> int | None: ...
    def poll_at(self) -> datetime | None: ...
    def pending_actions(self) -> list[Action]: ...
    def evidence(self, metric: str) -> Evidence | None: ...
    def log(self) -> str: ...
    @staticmethod
    def replay(log: str | bytes, keep_log: bool = True) -> Rollout: ...
    @staticmethod
    def recover(log: str | bytes, keep_log: bool = True) -> Rollout: ...

@final
class Outcome(_Document):
    @property
    def events(self) -> list[str]: ...
    @property
    def actions(self) -> list[Action]: ...
    @property
    def repeated(self) -> bool: ...

@final
class Action(_Document):
    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> _ActionKind: ...
    @property
    def awaits(self) -> bool: ...
    @property
    def share(self) -> float | None: ...
    @property
    def version(self) -> str | None: ...
    @property
    def method(self) -> _RollbackMethod | None: ...
    @property
    def audience(self) -> _Audience | None: ...
    @property
    def message(self) -> _MessageKind | None: ...
    @property
    def role(self) -> str | None: ...
    @property
    def why(self) -> str | None: ...
    @property
    def question(self) -> str | None: ...
    @property
    def any_of(self) -> list[str] | None: ...

@final
class Verdict(_Document):
    @property
    def decision(self) -> _Decision: ...
    @property
    def causes(self) -> list[Cause]: ...
    @property
    def efficacy(self) -> Efficacy | None: ...
    @property
    def log_e(self) -> float: ...
    @property
    def metrics(self) -> dict[str, MetricVerdict]: ...

@final
class MetricVerdict(_Document):
    @property
    def band(self) -> _Band: ...
    @property
    def baseline(self) -> float | None: ...
    @property
    def canary(self) -> float | None: ...
    @property
    def log_e(self) -> float | None: ...
    @property
    def log_e_safe(self) -> float | None: ...
    @property
    def needs(self) -> float | None: ...
    @property
    def ratio(self) -> float | None: ...

@final
class Cause(_Document):
    @property
    def metric(self) -> str | None: ...
    @property
    def reason(self) -> _Reason: ...

@final
class Efficacy(_Document):
    @property
    def log_e(self) -> float: ...
    @property
    def shown(self) -> bool: ...

@final
class Audit(_Document):
    @property
    def findings(self) -> list[AuditFinding]: ...
    @property
    def head(self) -> str: ...
    @property
    def is_clean(self) -> bool: ...
    @property
    def lines(self) -> int: ...

@final
class AuditFinding(_Document):
    @property
    def code(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def message(self) -> str: ...

def audit(log: str | bytes, expected_head: str | None = None) -> Audit: ...

@final
class Evidence(_Document):
    @property
    def log_e(self) -> float: ...
    @property
    def p_value(self) -> float: ...
    @property
    def ratio(self) -> float | None: ...
    @property
    def decided(self) -> bool: ...
    @property
    def interval(self) -> tuple[float, float] | None: ...

@final
class RateRatio:
    def __new__(
        cls,
        direction: _Direction = "worse",
        alpha: float = 0.01,
        tolerated: float = 1.0,
        margin: float = 2.0,
        grid: Sequence[float] | None = None,
        weights: Sequence[float] | None = None,
        model: _Model = "poisson",
        *,
        prior_trials: float | None = None,
    ) -> RateRatio: ...
    def update(self, canary: _Counts, baseline: _Counts) -> Evidence: ...
    def merge(self, other: RateRatio) -> Evidence: ...
    @property
    def evidence(self) -> Evidence: ...
    @property
    def threshold(self) -> float: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(bytes: bytes) -> RateRatio: ...

def wilson(events: float, trials: float, confidence: float = 0.95) -> tuple[float, float]: ...
