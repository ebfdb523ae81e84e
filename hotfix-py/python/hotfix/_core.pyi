"""The types of `hotfix` and `hotfix.stats`; import them from there."""

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

__all__ = [
    "Action",
    "Outcome",
    "Audit",
    "AuditFinding",
    "audit",
    "explain",
    "_backtest",
    "_history",
    "Backtest",
    "Backtests",
    "redact",
    "measures",
    "measures_markdown",
    "dora",
    "dora_markdown",
    "dora_chart",
    "similar",
    "cdevents",
    "grafana_annotations",
    "report",
    "_simulate",
    "_compare",
    "_drill",
    "_advise",
    "Advice",
    "Candidate",
    "Equivalence",
    "FisherExact",
    "KolmogorovSmirnov",
    "MannWhitney",
    "NonInferiority",
    "PoissonRatio",
    "Shift",
    "clopper_pearson",
    "equivalence",
    "fisher_exact",
    "hodges_lehmann",
    "ks_2samp",
    "ks_from_counts",
    "mann_whitney_from_counts",
    "mann_whitney_u",
    "newcombe",
    "non_inferiority",
    "poisson_ratio",
    "Method",
    "Phase",
    "Plan",
    "Policy",
    "Problem",
    "RecordedHistory",
    "Rollout",
    "BadInstance",
    "Calibration",
    "Ceiling",
    "Chance",
    "Evidence",
    "LeaveOneOut",
    "Randomisation",
    "RateRatio",
    "TimeToDetect",
    "Train",
    "TrainFinding",
    "TrainMove",
    "TrainOutcome",
    "branch_name",
    "next_version",
    "tag_name",
    "calibrate",
    "chance_to_decide",
    "chance_to_promote",
    "detectable_ratio",
    "fixed_horizon_ratio",
    "fixed_horizon_trials",
    "gate_pass_chance",
    "power",
    "time_to_detect",
    "time_to_promote",
    "wilson",
    "Latency",
    "latency_boundaries",
    "GroupScore",
    "Judgement",
    "KayentaFinding",
    "MetricResult",
    "classify",
    "judge",
    "Classification",
    "Decision",
    "DecisionStep",
    "FactChange",
    "Finding",
    "Leaf",
    "NextQuestion",
    "RuleVerdict",
    "Cause",
    "Comparison",
    "ComparisonRow",
    "Efficacy",
    "Harm",
    "VersionImpact",
    "MetricHarm",
    "MetricForecast",
    "MetricWhy",
    "Forecast",
    "TestForecast",
    "Why",
    "MetricEvidence",
    "MetricVerdict",
    "Verdict",
    "__version__",
    "ImportFault",
    "ImportFinding",
    "Imported",
    "convert",
]

__version__: Final[str]

# Closed sets are plain strings.

_TrainState: TypeAlias = Literal["waiting", "running", "complete", "closed", "rolling_back", "frozen", "rolled_back"]
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
    "release",
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
    "supersede",
    "retry",
    "report",
    "acknowledge",
    "done",
    "set_severity",
    "set_facts",
    "set_times",
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
    "schedule",
]
_ReportFormat: TypeAlias = Literal["markdown", "json", "html"]
_Decision: TypeAlias = Literal["continue", "hold", "promote", "roll_back", "ask"]
_Band: TypeAlias = Literal[
    "success", "hold", "between", "alert", "rollback", "not_judged", "no_data", "stale", "not_finite"
]
_EvidenceMode: TypeAlias = Literal["plain", "replay", "randomised", "both"]
_Against: TypeAlias = Literal["hold_back", "reference"]
_Guarantee: TypeAlias = Literal["guaranteed", "calibrated", "assumed"]
_Reason: TypeAlias = Literal[
    "evidence",
    "hold_level",
    "warming_up",
    "slightly_slower",
    "phase_end_test",
    "evidence_assumed",
    "only_whole_passes",
    "not_both",
    "bad_instance",
    "rollback_band",
    "one_instance",
    "not_confirmed",
    "alert_band",
    "criterion_missed",
    "between",
    "too_few_trials",
    "no_data",
    "stale",
    "not_judged",
    "not_finite",
    "gaps",
    "not_shown_safe",
    "efficacy_not_shown",
    "split_not_as_planned",
    "arms_swapped",
    "identical_arms",
    "inconclusive",
    "cannot_decide",
    "will_fail",
]
_RollbackMethod: TypeAlias = Literal["feature_flag", "redeploy", "git_revert", "blue_green_switch", "platform"]
_MessageKind: TypeAlias = Literal[
    "alert",
    "deployment_started",
    "phase_passed",
    "deployed",
    "rolling_back",
    "rolled_back",
    "update",
    "resolved",
]
_Audience: TypeAlias = Literal["responders", "stakeholders", "business", "public"]
_GateMode: TypeAlias = Literal["automatic", "manual", "veto"]
_PromotionRule: TypeAlias = Literal["no_evidence_of_harm", "evidence_of_no_harm"]
_Response: TypeAlias = Literal["continue", "hold", "ask", "roll_back"]
_StepKind: TypeAlias = Literal["deploy", "monitor", "gate", "final_validation", "complete"]
_Severity: TypeAlias = Literal["P0", "P1", "P2", "P3"]
_Hotfix: TypeAlias = Literal["yes", "no", "unknown"]
_FactKind: TypeAlias = Literal["flag", "share", "duration", "number", "text", "time"]
_Calendar: TypeAlias = Literal["next_business_day", "next_day", "next_release", "next_sprint"]
_ImportKind: TypeAlias = Literal["argo_rollouts", "flagger", "kayenta", "openslo"]
_Level: TypeAlias = Literal["deny", "warn", "note"]
_CommitField: TypeAlias = Literal[
    "issue", "severity", "impact", "cause", "change", "solution", "tested", "approved_by", "deployed_by"
]
_Direction: TypeAlias = Literal["worse", "better"]
_Model: TypeAlias = Literal["poisson", "bernoulli"]
_Alternative: TypeAlias = Literal["two-sided", "less", "greater"]
_TestMethod: TypeAlias = Literal["auto", "asymptotic", "exact"]
_Scale: TypeAlias = Literal["ratio", "difference"]
_Assumption: TypeAlias = Literal["ties", "all_equal", "few_samples", "binned", "small_expected", "sparse"]

# What goes in.

_Time: TypeAlias = datetime | str
_Facts: TypeAlias = Mapping[str, bool | float | str | timedelta | datetime | None]
_Reading: TypeAlias = SupportsFloat | Sequence[SupportsFloat] | Mapping[str, SupportsFloat | Sequence[SupportsFloat]]
_Arms: TypeAlias = Mapping[str, _Reading | None]
_Metrics: TypeAlias = Mapping[str, _Arms | Sequence[_Arms]]
_MetricKind: TypeAlias = Literal["proportion", "count", "latency", "gauge", "volume"]
_Version: TypeAlias = Literal["canary", "live"]
_Counts: TypeAlias = tuple[SupportsFloat, SupportsFloat] | Sequence[SupportsFloat]

@type_check_only
class _Iterable(Protocol):
    """Any array or series of numbers; NumPy's iterators are not typed more closely."""

    def __iter__(self) -> Iterator[Any]: ...

_Samples: TypeAlias = Sequence[SupportsFloat] | _Iterable

@type_check_only
class _Standing(TypedDict):
    service: str
    place: Literal[
        "waiting",
        "next",
        "held",
        "running",
        "complete",
        "closed",
        "in_turn",
        "kept",
        "rolling_back",
        "frozen",
        "restored",
    ]
    state: _State
    waits_for: list[str]
    until: NotRequired[str]

@type_check_only
class _Blocker(TypedDict):
    kind: Literal[
        "release",
        "severity",
        "traffic",
        "denial",
        "approval",
        "item",
        "policy",
        "normal_process",
        "change_window",
    ]
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
    def from_toml(text: str, resolve: Callable[[str], str | None] | None = None) -> Policy: ...
    @staticmethod
    def from_json(text: str, resolve: Callable[[str], str | None] | None = None) -> Policy: ...
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
    def classify(self, facts: _Facts) -> Classification: ...
    def decide(self, facts: _Facts) -> Decision: ...
    def lint(self, at: _Time | None = None) -> list[Finding]: ...
    def commit_message(
        self,
        summary: str,
        *,
        scope: str | None = None,
        version: str | None = None,
        fields: Mapping[_CommitField, str | None] | None = None,
    ) -> dict[str, Any]: ...
    def parse_commit_message(self, text: str) -> dict[str, Any]: ...
    def tree_mermaid(self) -> str | None: ...
    def tree_dot(self) -> str | None: ...
    def plan(
        self,
        incident: Mapping[str, object],
        release: Mapping[str, object] | None = None,
        traffic: Mapping[str, object] | None = None,
        calibration: Mapping[str, Mapping[str, Iterable[_Counts]]] | None = None,
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
    @property
    def line(self) -> int | None: ...
    @property
    def column(self) -> int | None: ...
    @property
    def base(self) -> str | None: ...

@final
class Classification(_Document):
    @property
    def severity(self) -> _Severity | None: ...
    @property
    def at_worst(self) -> _Severity | None: ...
    @property
    def hotfix(self) -> _Hotfix: ...
    @property
    def settled(self) -> bool: ...
    @property
    def act_on(self) -> _Severity | None: ...
    @property
    def rules(self) -> list[RuleVerdict]: ...
    @property
    def undecided(self) -> list[RuleVerdict]: ...
    @property
    def unknown(self) -> list[str]: ...
    @property
    def decisive(self) -> list[str]: ...
    @property
    def if_known(self) -> dict[str, ByValue[_Severity | None]]: ...
    @property
    def would(self) -> dict[str, list[FactChange]]: ...
    @property
    def deduced(self) -> dict[str, bool | float | str]: ...
    @property
    def contradictions(self) -> list[str]: ...
    @property
    def exact(self) -> bool: ...

@final
class RuleVerdict(_Document):
    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def severity(self) -> _Severity | None: ...
    @property
    def hotfix(self) -> bool | None: ...
    @property
    def facts(self) -> dict[str, bool | float | str]: ...
    @property
    def unknown(self) -> list[str]: ...

@final
class FactChange(_Document):
    @property
    def value(self) -> str: ...
    @property
    def severity(self) -> _Severity | None: ...
    @property
    def at_worst(self) -> _Severity | None: ...
    @property
    def hotfix(self) -> _Hotfix: ...

@final
class Decision(_Document):
    @property
    def outcome(self) -> Leaf | None: ...
    @property
    def settled(self) -> bool: ...
    @property
    def path(self) -> list[DecisionStep]: ...
    @property
    def reachable(self) -> list[str]: ...
    @property
    def gaps(self) -> list[str]: ...
    @property
    def circular(self) -> bool: ...
    @property
    def next_question(self) -> NextQuestion | None: ...
    @property
    def contradictions(self) -> list[str]: ...
    @property
    def exact(self) -> bool: ...

@final
class Leaf(_Document):
    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def severity(self) -> _Severity | None: ...
    @property
    def hotfix(self) -> bool: ...
    @property
    def deadline(self) -> timedelta | _Calendar | None: ...

@final
class DecisionStep(_Document):
    @property
    def id(self) -> str: ...
    @property
    def ask(self) -> str: ...
    @property
    def answer(self) -> str: ...
    @property
    def facts(self) -> dict[str, bool | float | str]: ...
    @property
    def deduced(self) -> list[str]: ...
    @property
    def to(self) -> str | None: ...

@final
class NextQuestion(_Document):
    @property
    def fact(self) -> str: ...
    @property
    def ask(self) -> str: ...
    @property
    def kind(self) -> _FactKind: ...
    @property
    def if_known(self) -> ByValue[list[str]]: ...

@final
class Finding(_Document):
    @property
    def code(self) -> str: ...
    @property
    def level(self) -> _Level: ...
    @property
    def path(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def remedy(self) -> str: ...
    @property
    def example(self) -> dict[str, Any] | None: ...

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
    def release(self) -> dict[str, Any] | None: ...
    @property
    def traffic(self) -> dict[str, Any]: ...
    @property
    def calibration(self) -> dict[str, Any]: ...
    @property
    def scope(self) -> dict[str, Any]: ...
    @property
    def demands(self) -> dict[str, Any]: ...
    def commit_message(
        self,
        summary: str = "",
        *,
        scope: str | None = None,
        version: str | None = None,
        fields: Mapping[_CommitField, str | None] | None = None,
    ) -> dict[str, Any]: ...
    @property
    def power(self) -> dict[str, Any]: ...
    def power_markdown(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def strategy(self) -> dict[str, Any]: ...
    @property
    def recommendation(self) -> dict[str, Any]: ...
    @property
    def rollback(self) -> dict[str, Any]: ...
    @property
    def severity(self) -> _Severity | None: ...
    @property
    def assessment(self) -> dict[str, Any]: ...
    @property
    def findings(self) -> list[_PlanFinding]: ...
    @property
    def duration(self) -> dict[str, Any]: ...
    @property
    def slo(self) -> dict[str, Any]: ...
    @property
    def procedure(self) -> dict[str, Any]: ...
    @property
    def advice(self) -> list[dict[str, Any]]: ...
    @property
    def risks(self) -> dict[str, Any]: ...
    @property
    def change_record(self) -> dict[str, Any]: ...
    @property
    def first_steps(self) -> list[dict[str, Any]]: ...
    @property
    def contacts(self) -> dict[str, Any]: ...
    @property
    def thresholds(self) -> list[dict[str, Any]]: ...
    @property
    def follow_up(self) -> dict[str, Any]: ...
    @property
    def commands(self) -> list[dict[str, Any]]: ...
    def timeline(self, start: _Time) -> list[_TimelineStep]: ...
    def gantt(self, start: _Time | None = None) -> str: ...
    def to_markdown(self, start: _Time | None = None) -> str: ...
    def to_json(self) -> str: ...
    def source_control(self, at: _Time) -> dict[str, Any]: ...

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
    def criteria_missed(self) -> _Response: ...
    @property
    def inconclusive(self) -> _Response: ...

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
    def last_actions(self) -> list[Action]: ...
    def blockers(self) -> list[_Blocker]: ...
    def approvals(self) -> _Approvals: ...
    def duties(self, at: _Time) -> _Duties: ...
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
    def openmetrics(self, at: _Time) -> str: ...
    def icalendar(self, at: _Time) -> str: ...
    @property
    def attempt(self) -> int: ...
    def checklists(self) -> list[dict[str, Any]]: ...
    def procedure(self) -> list[dict[str, Any]]: ...
    def change_record(self) -> dict[str, Any]: ...
    def interventions(self) -> list[_Intervention]: ...
    def why(self) -> Why | None: ...
    def harm(self) -> Harm | None: ...
    def forecast(self) -> Forecast | None: ...
    def comparison(self) -> Comparison: ...
    def evidence(self, metric: str) -> MetricEvidence | None: ...
    def log(self) -> str: ...
    def report(self, format: _ReportFormat) -> str: ...
    @staticmethod
    def replay(log: str | bytes, keep_log: bool = True) -> Rollout: ...
    @staticmethod
    def recover(log: str | bytes, keep_log: bool = True) -> Rollout: ...
    def snapshot(self) -> bytes: ...
    @staticmethod
    def restore(snapshot: bytes, tail: str | bytes = "", keep_log: bool = True) -> Rollout: ...
    @staticmethod
    def snapshot_seq(snapshot: bytes) -> int: ...

@final
class Outcome(_Document):
    @property
    def events(self) -> list[str]: ...
    @property
    def actions(self) -> list[Action]: ...
    @property
    def repeated(self) -> bool: ...

@final
class Train:
    def __new__(
        cls,
        rollouts: Mapping[str, Rollout] | Sequence[tuple[str, Rollout]],
        after: Mapping[str, Sequence[str]] | None = None,
    ) -> Train: ...
    def handle(self, at: _Time, service: str, input: Mapping[str, object]) -> TrainOutcome: ...
    def observe(self, at: _Time, service: str, metrics: _Metrics) -> TrainOutcome: ...
    def tick(self, at: _Time) -> TrainOutcome: ...
    def settle(self, at: _Time) -> TrainOutcome: ...
    @property
    def state(self) -> _TrainState: ...
    @property
    def rollouts(self) -> dict[str, Rollout]: ...
    def next(self) -> list[str]: ...
    def services(self) -> list[_Standing]: ...
    def findings(self) -> list[TrainFinding]: ...
    def pending_actions(self) -> dict[str, list[Action]]: ...
    def poll_at(self) -> datetime | None: ...

@final
class TrainOutcome(_Document):
    @property
    def moves(self) -> list[TrainMove]: ...
    @property
    def findings(self) -> list[TrainFinding]: ...

@final
class TrainMove(_Document):
    @property
    def service(self) -> str: ...
    @property
    def events(self) -> list[str]: ...
    @property
    def actions(self) -> list[Action]: ...
    @property
    def state(self) -> _State: ...
    @property
    def repeated(self) -> bool: ...
    @property
    def by_train(self) -> bool: ...

@final
class TrainFinding(_Document):
    @property
    def code(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def message(self) -> str: ...

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
    def validate(self) -> list[str]: ...
    @property
    def duty(self) -> str | None: ...
    @property
    def title(self) -> str | None: ...
    @property
    def by(self) -> str | None: ...
    @property
    def contacts(self) -> list[dict[str, Any]]: ...
    @property
    def commands(self) -> list[dict[str, Any]]: ...
    @property
    def any_of(self) -> list[str] | None: ...

@final
class Verdict(_Document):
    @property
    def against(self) -> _Against | None: ...
    @property
    def decision(self) -> _Decision: ...
    @property
    def causes(self) -> list[Cause]: ...
    @property
    def efficacy(self) -> Efficacy | None: ...
    @property
    def lesser_harm(self) -> _Version | None: ...
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
    def bucket(self) -> list[float] | None: ...
    @property
    def canary(self) -> float | None: ...
    @property
    def guarantee(self) -> _Guarantee | None: ...
    @property
    def healed(self) -> bool: ...
    @property
    def log_e(self) -> float | None: ...
    @property
    def log_e_safe(self) -> float | None: ...
    @property
    def mode(self) -> _EvidenceMode | None: ...
    @property
    def needs(self) -> float | None: ...
    @property
    def ratio(self) -> float | None: ...

@final
class MetricEvidence(_Document):
    @property
    def alpha(self) -> float: ...
    @property
    def cap(self) -> float | None: ...
    @property
    def decided(self) -> bool: ...
    @property
    def guarantee(self) -> _Guarantee: ...
    @property
    def hold(self) -> float: ...
    @property
    def interval(self) -> tuple[float, float] | None: ...
    @property
    def log_e(self) -> float: ...
    @property
    def log_e_safe(self) -> float | None: ...
    @property
    def log_e_without_any(self) -> float | None: ...
    @property
    def margin(self) -> float: ...
    @property
    def mode(self) -> _EvidenceMode: ...
    @property
    def not_sequential(self) -> dict[str, tuple[float, float]] | None: ...
    @property
    def p_value(self) -> float: ...
    @property
    def ratio(self) -> float | None: ...
    @property
    def threshold(self) -> float: ...
    @property
    def tolerated(self) -> float: ...
    @property
    def totals(self) -> dict[str, tuple[float, float]] | None: ...
    @property
    def weight(self) -> float: ...
    @property
    def why(self) -> str: ...

@final
class Cause(_Document):
    @property
    def instance(self) -> str | None: ...
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
class Why(_Document):
    @property
    def at(self) -> datetime: ...
    @property
    def causes(self) -> list[Cause]: ...
    @property
    def decision(self) -> _Decision: ...
    @property
    def hold(self) -> float: ...
    @property
    def log_e(self) -> float: ...
    @property
    def metrics(self) -> dict[str, MetricWhy]: ...
    @property
    def threshold(self) -> float: ...

@final
class MetricWhy(_Document):
    @property
    def metric(self) -> str: ...
    @property
    def rules(self) -> list[dict[str, Any]]: ...
    @property
    def sentence(self) -> str: ...
    @property
    def tick(self) -> dict[str, Any] | None: ...
    @property
    def counterfactual(self) -> dict[str, Any]: ...
    @property
    def window(self) -> dict[str, Any]: ...

@final
class Harm(_Document):
    @property
    def at(self) -> datetime: ...
    @property
    def canary(self) -> tuple[float, float] | None: ...
    @property
    def lesser(self) -> _Version | None: ...
    @property
    def live(self) -> tuple[float, float] | None: ...
    @property
    def metrics(self) -> dict[str, MetricHarm]: ...
    @property
    def requests_per_minute(self) -> float | None: ...

@final
class MetricHarm(_Document):
    @property
    def canary(self) -> VersionImpact | None: ...
    @property
    def live(self) -> VersionImpact | None: ...
    @property
    def metric(self) -> str: ...

@final
class VersionImpact(_Document):
    @property
    def at_full(self) -> float: ...
    @property
    def at_full_range(self) -> tuple[float, float]: ...
    @property
    def now(self) -> float: ...

@final
class Comparison(_Document):
    @property
    def phases(self) -> list[dict[str, Any]]: ...
    @property
    def rows(self) -> list[ComparisonRow]: ...
    def to_markdown(self) -> str: ...

@final
class ComparisonRow(_Document):
    @property
    def cells(self) -> list[dict[str, Any] | None]: ...
    @property
    def kind(self) -> _MetricKind: ...
    @property
    def live(self) -> float | None: ...
    @property
    def metric(self) -> str: ...
    @property
    def reference(self) -> float | None: ...
    @property
    def title(self) -> str: ...

@final
class Forecast(_Document):
    @property
    def at(self) -> datetime: ...
    @property
    def efficacy(self) -> TestForecast | None: ...
    @property
    def metrics(self) -> dict[str, MetricForecast]: ...
    @property
    def phase(self) -> str: ...
    @property
    def requests_per_minute(self) -> float | None: ...
    @property
    def until_due(self) -> float: ...
    @property
    def until_overdue(self) -> float | None: ...

@final
class MetricForecast(_Document):
    @property
    def bound(self) -> dict[str, Any] | None: ...
    @property
    def metric(self) -> str: ...
    @property
    def promotion(self) -> TestForecast | None: ...
    @property
    def rollback(self) -> TestForecast | None: ...

@final
class TestForecast(_Document):
    @property
    def chance(self) -> float | None: ...
    @property
    def minutes(self) -> float: ...
    @property
    def possible(self) -> bool | None: ...
    @property
    def ratio(self) -> float: ...
    @property
    def requests(self) -> float | None: ...

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

@final
class Backtest(_Document):
    @property
    def policy(self) -> str: ...
    @property
    def would(self) -> list[dict[str, Any]]: ...
    @property
    def first_alert(self) -> datetime | None: ...
    @property
    def first_ask(self) -> datetime | None: ...
    @property
    def first_rollback(self) -> datetime | None: ...
    @property
    def crossed_at(self) -> datetime | None: ...
    @property
    def why(self) -> str: ...
    @property
    def ended(self) -> dict[str, Any]: ...
    @property
    def metrics(self) -> dict[str, dict[str, Any]]: ...
    @property
    def findings(self) -> list[dict[str, Any]]: ...

@final
class Backtests(_Document):
    @property
    def from_(self) -> datetime: ...
    @property
    def until(self) -> datetime: ...
    @property
    def readings(self) -> int: ...
    @property
    def findings(self) -> list[dict[str, Any]]: ...
    @property
    def policies(self) -> list[Backtest]: ...
    def to_markdown(self) -> str: ...

def _backtest(policies: list[Policy], text: str, format: str, mapping: str) -> Backtests: ...

@final
class RecordedHistory(_Document):
    @property
    def history(self) -> dict[str, dict[str, list[list[float]]]]: ...
    @property
    def findings(self) -> list[dict[str, Any]]: ...

def _history(policy: Policy, text: str, format: str, mapping: str) -> RecordedHistory: ...

@final
class Imported(_Document):
    @property
    def kind(self) -> _ImportKind: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def text(self) -> str: ...
    @property
    def findings(self) -> list[ImportFinding]: ...

@final
class ImportFinding(_Document):
    @property
    def code(self) -> str: ...
    @property
    def level(self) -> _Level: ...
    @property
    def path(self) -> str: ...
    @property
    def document(self) -> int: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def message(self) -> str: ...
    @property
    def remedy(self) -> str: ...

@final
class ImportFault(_Document):
    @property
    def code(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def document(self) -> int: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def message(self) -> str: ...

def convert(text: str, kind: _ImportKind | None = None) -> Imported: ...
def audit(log: str | bytes, expected_head: str | None = None) -> Audit: ...
def explain(code: str) -> str | None: ...
def redact(log: str | bytes, names: list[str] | None = None) -> str: ...
def measures(log: str | bytes) -> dict[str, Any]: ...
def measures_markdown(log: str | bytes) -> str: ...
def dora(logs: Sequence[str | bytes], by: Literal["month", "week"] = "month") -> dict[str, Any]: ...
def dora_markdown(logs: Sequence[str | bytes], by: Literal["month", "week"] = "month") -> str: ...
def dora_chart(logs: Sequence[str | bytes], by: Literal["month", "week"] = "month") -> dict[str, str] | None: ...
def similar(
    known: str | bytes | Mapping[str, object], logs: Sequence[str | bytes], policy: Policy | None = None
) -> list[dict[str, Any]]: ...
def cdevents(
    log: str | bytes, *, source: str = "hotfix", environment: str = "production", ticket: str | None = None
) -> list[dict[str, Any]]: ...
def grafana_annotations(log: str | bytes) -> list[dict[str, Any]]: ...
def report(log: str | bytes, format: _ReportFormat) -> str: ...

@type_check_only
class _Rate(TypedDict):
    count: int
    of: int
    share: float
    low: float
    high: float

@type_check_only
class _Mean(TypedDict):
    mean: float
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

def _simulate(
    subject: Policy | Plan,
    scenario: str,
    runs: int,
    seed: int | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> SimulationOutcome: ...
def _compare(
    first: Policy | Plan,
    second: Policy | Plan,
    scenario: str,
    runs: int,
    seed: int | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Differences: ...
def _drill(subject: Policy | Plan, scenario: str, seed: int | None = None, number: int = 0) -> DrillRun: ...
def _advise(
    policy: Policy,
    question: str,
    threads: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Advice: ...

@final
class Advice(_Document):
    @property
    def most_false_rollbacks(self) -> float: ...
    @property
    def runs(self) -> int: ...
    @property
    def candidates(self) -> list[Candidate]: ...
    @property
    def best(self) -> int | None: ...
    def to_markdown(self) -> str: ...

@final
class Candidate(_Document):
    @property
    def changes(self) -> dict[str, Any]: ...
    @property
    def not_tried(self) -> str | None: ...
    @property
    def false_rollbacks(self) -> _Rate: ...
    @property
    def at_most(self) -> float: ...
    @property
    def keeps(self) -> bool: ...
    @property
    def missed_faults(self) -> _Rate: ...
    @property
    def completed(self) -> _Rate: ...
    @property
    def affected(self) -> _Mean: ...

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
        temper: float = 1.0,
        cap: float | None = None,
        threshold: float | None = None,
        horizon: int | None = None,
        *,
        prior_trials: float | None = None,
    ) -> RateRatio: ...
    def update(self, canary: _Counts, baseline: _Counts) -> Evidence: ...
    def update_strata(self, strata: Iterable[tuple[_Counts, _Counts]]) -> Evidence: ...
    def merge(self, other: RateRatio) -> Evidence: ...
    @property
    def evidence(self) -> Evidence: ...
    @property
    def threshold(self) -> float: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(bytes: bytes) -> RateRatio: ...

@final
class Ceiling:
    def __new__(
        cls,
        ceiling: float,
        alpha: float = 0.05,
        grid: Sequence[float] | None = None,
        weights: Sequence[float] | None = None,
    ) -> Ceiling: ...
    def update(self, canary: _Counts) -> Evidence: ...
    def merge(self, other: Ceiling) -> Evidence: ...
    @property
    def evidence(self) -> Evidence: ...
    @property
    def threshold(self) -> float: ...
    @property
    def clean_trials(self) -> float: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(bytes: bytes) -> Ceiling: ...

@final
class Latency:
    def __new__(
        cls,
        boundaries: Sequence[float],
        direction: _Direction = "worse",
        alpha: float = 0.01,
        tolerated: float = 1.0,
        margin: float = 2.0,
        cap: float | None = None,
        threshold: float | None = None,
        mode: Literal["independent", "clustered"] = "independent",
        *,
        prior_trials: float | None = None,
    ) -> Latency: ...
    def update(self, canary: Mapping[str, object], baseline: Mapping[str, object]) -> Evidence: ...
    @property
    def evidence(self) -> Evidence: ...
    @property
    def boundaries(self) -> list[float]: ...
    @property
    def threshold(self) -> float: ...
    @property
    def form(self) -> Literal["joint", "boundaries", "clustered"]: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(bytes: bytes) -> Latency: ...

def latency_boundaries(baseline: Mapping[str, object]) -> list[float]: ...
def wilson(events: float, trials: float, confidence: float = 0.95) -> tuple[float, float]: ...
def branch_name(description: str, prefix: str = "hotfix/") -> str: ...
def next_version(version: str, kind: Literal["patch", "hotfix_identifier"] = "patch") -> str: ...
def tag_name(version: str | None = None, *, at: _Time | None = None) -> str: ...

_KayentaLabel: TypeAlias = Literal["Pass", "High", "Low", "Nodata", "NodataFailMetric", "Error"]
_KayentaOutcome: TypeAlias = Literal["Pass", "Marginal", "Fail"]
_KayentaSample: TypeAlias = Iterable[float | None]

@final
class KayentaFinding(_Document):
    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def path(self) -> str: ...

@final
class MetricResult(_Document):
    @property
    def name(self) -> str: ...
    @property
    def groups(self) -> list[str]: ...
    @property
    def muted(self) -> bool: ...
    @property
    def classification(self) -> _KayentaLabel: ...
    @property
    def critical(self) -> bool: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def ratio(self) -> float | None: ...
    @property
    def effect(self) -> float | None: ...
    @property
    def control(self) -> dict[str, Any]: ...
    @property
    def experiment(self) -> dict[str, Any]: ...
    @property
    def interval(self) -> tuple[float, float] | None: ...
    @property
    def estimate(self) -> float | None: ...
    @property
    def exact(self) -> _KayentaLabel: ...
    @property
    def exact_critical(self) -> bool: ...
    @property
    def exact_interval(self) -> tuple[float, float] | None: ...
    @property
    def exact_estimate(self) -> float | None: ...
    @property
    def differs(self) -> bool: ...
    @property
    def note(self) -> str | None: ...
    @property
    def findings(self) -> list[KayentaFinding]: ...

@final
class GroupScore(_Document):
    @property
    def name(self) -> str: ...
    @property
    def score(self) -> float: ...
    @property
    def weight(self) -> float: ...
    @property
    def no_data(self) -> bool: ...
    @property
    def labels(self) -> dict[_KayentaLabel, int]: ...

@final
class Judgement(_Document):
    @property
    def score(self) -> float: ...
    @property
    def classification(self) -> _KayentaOutcome: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def exact_score(self) -> float: ...
    @property
    def exact_classification(self) -> _KayentaOutcome: ...
    @property
    def groups(self) -> list[GroupScore]: ...
    @property
    def metrics(self) -> list[MetricResult]: ...
    @property
    def findings(self) -> list[KayentaFinding]: ...

def classify(
    control: _KayentaSample,
    experiment: _KayentaSample,
    direction: str = "either",
    nan_strategy: str = "remove",
    critical: bool = False,
    must_have_data: bool = False,
    effect_size: Mapping[str, Any] | None = None,
    outliers: Mapping[str, Any] | str | None = None,
    tolerance: float = 0.25,
    confidence: float = 0.98,
) -> MetricResult: ...
def judge(
    config: Mapping[str, Any] | str,
    samples: Mapping[str, Mapping[str, _KayentaSample]] | str,
    pass_score: float | None = None,
    marginal_score: float | None = None,
) -> Judgement: ...

@final
class Calibration(_Document):
    @property
    def threshold(self) -> float: ...
    @property
    def cap(self) -> float: ...
    @property
    def hold(self) -> float: ...
    @property
    def dispersion(self) -> float | None: ...
    @property
    def windows(self) -> int: ...
    @property
    def shards(self) -> int: ...
    @property
    def canary_instances(self) -> int: ...
    @property
    def leave_one_out(self) -> bool: ...
    @property
    def by_instance(self) -> dict[str, float] | None: ...
    @property
    def base_rate(self) -> float | None: ...
    @property
    def detectable(self) -> float | None: ...
    @property
    def promotion_temper(self) -> float: ...
    @property
    def advice(self) -> list[str]: ...

def calibrate(
    history: Mapping[str, Iterable[_Counts]],
    share: float,
    ticks: int,
    alpha: float = 0.01,
    seed: int = 0,
    *,
    tolerated: float = 1.0,
    grid: Sequence[float] | None = None,
    weights: Sequence[float] | None = None,
    temper: float = 1.0,
    horizon: int | None = None,
    zones: Sequence[Sequence[str]] | None = None,
    tick_seconds: float = 10.0,
) -> Calibration: ...

@final
class Randomisation:
    def __new__(
        cls,
        instances: Sequence[str],
        canary: Sequence[str],
        alpha: float = 0.01,
        subsets: int = 2000,
        seed: int = 0,
        *,
        tolerated: float = 1.0,
        grid: Sequence[float] | None = None,
        weights: Sequence[float] | None = None,
        evaluations: Sequence[int] | None = None,
        budget: Sequence[float] | None = None,
        zones: Sequence[Sequence[str]] | None = None,
    ) -> Randomisation: ...
    def update(self, counts: Mapping[str, _Counts]) -> Evidence: ...
    @property
    def evidence(self) -> Evidence: ...
    @property
    def threshold(self) -> float: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(bytes: bytes) -> Randomisation: ...

@final
class LeaveOneOut:
    def __new__(
        cls,
        canary: Sequence[str],
        alpha: float = 0.01,
        tolerated: float = 1.0,
        *,
        grid: Sequence[float] | None = None,
        weights: Sequence[float] | None = None,
        temper: float = 1.0,
        cap: float | None = None,
        threshold: float | None = None,
        horizon: int | None = None,
    ) -> LeaveOneOut: ...
    def update(self, canary: Mapping[str, _Counts], baseline: _Counts) -> bool: ...
    @property
    def weakest(self) -> tuple[str, float]: ...
    @property
    def log_e(self) -> dict[str, float]: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(bytes: bytes) -> LeaveOneOut: ...

@final
class BadInstance:
    def __new__(
        cls,
        canary: Sequence[str],
        alpha: float = 0.01,
        tolerated: float = 1.0,
        *,
        grid: Sequence[float] | None = None,
        weights: Sequence[float] | None = None,
    ) -> BadInstance: ...
    def update(self, canary: Mapping[str, _Counts]) -> list[str]: ...
    @property
    def found(self) -> list[str]: ...
    @property
    def log_e(self) -> dict[str, float]: ...
    @property
    def threshold(self) -> float: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(bytes: bytes) -> BadInstance: ...

@final
class TimeToDetect:
    @property
    def bound(self) -> float: ...
    @property
    def expected(self) -> float: ...
    @property
    def bound_ticks(self) -> float: ...
    @property
    def expected_ticks(self) -> float: ...
    @property
    def failed_requests(self) -> float: ...
    @property
    def requests_affected(self) -> float: ...
    def __eq__(self, other: object, /) -> bool: ...

@final
class Chance(_Document):
    @property
    def chance(self) -> float: ...
    @property
    def approximate(self) -> bool: ...

def time_to_detect(
    requests_per_minute: float,
    share: float,
    base_rate: float,
    ratio: float,
    tolerated: float = 1.0,
    alpha: float = 0.01,
    tick_seconds: float = 10.0,
    *,
    threshold: float | None = None,
) -> TimeToDetect: ...
def detectable_ratio(
    requests_per_minute: float,
    share: float,
    base_rate: float,
    minutes: float,
    tolerated: float = 1.0,
    alpha: float = 0.01,
    power: float = 0.8,
    *,
    threshold: float | None = None,
) -> float | None: ...
def chance_to_decide(
    requests_per_minute: float,
    share: float,
    base_rate: float,
    ratio: float,
    minutes: float,
    tolerated: float = 1.0,
    alpha: float = 0.01,
    tick_seconds: float = 10.0,
    *,
    threshold: float | None = None,
) -> Chance: ...
def chance_to_promote(
    requests_per_minute: float,
    share: float,
    base_rate: float,
    minutes: float,
    ratio: float = 1.0,
    margin: float = 2.0,
    alpha: float = 0.05,
) -> Chance: ...
def time_to_promote(
    requests_per_minute: float,
    share: float,
    base_rate: float,
    ratio: float = 1.0,
    margin: float = 2.0,
    alpha: float = 0.05,
) -> float | None: ...
def gate_pass_chance(requests: float, rate: float, at_most: float) -> float: ...
def fixed_horizon_ratio(
    base_rate: float,
    canary_trials: float,
    baseline_trials: float,
    alpha: float = 0.01,
    power: float = 0.8,
) -> float: ...
def fixed_horizon_trials(
    base_rate: float,
    share: float,
    ratio: float,
    alpha: float = 0.01,
    power: float = 0.8,
) -> float: ...
def power(
    requests_per_minute: float,
    base_rate: float,
    phases: Sequence[Mapping[str, float]],
    ratios: Sequence[float] = (1.5, 2.0, 5.0, 10.0, 20.0),
    *,
    margin: float = 2.0,
    margin_alpha: float = 0.05,
    tolerated: float = 1.0,
    alpha: float = 0.01,
    tick_seconds: float = 10.0,
) -> list[dict[str, Any]]: ...

@final
class MannWhitney(_Document):
    @property
    def u(self) -> float: ...
    @property
    def p_value(self) -> float: ...
    @property
    def common_language(self) -> float: ...
    @property
    def rank_biserial(self) -> float: ...
    @property
    def exact(self) -> bool: ...
    @property
    def assumptions(self) -> list[_Assumption]: ...

@final
class Shift(_Document):
    @property
    def shift(self) -> float: ...
    @property
    def interval(self) -> tuple[float, float]: ...
    @property
    def exact(self) -> bool: ...
    @property
    def assumptions(self) -> list[_Assumption]: ...

@final
class KolmogorovSmirnov(_Document):
    @property
    def statistic(self) -> float: ...
    @property
    def p_value(self) -> float: ...
    @property
    def exact(self) -> bool: ...
    @property
    def assumptions(self) -> list[_Assumption]: ...

@final
class FisherExact(_Document):
    @property
    def p_value(self) -> float: ...
    @property
    def odds_ratio(self) -> float | None: ...
    @property
    def difference(self) -> float: ...
    @property
    def assumptions(self) -> list[_Assumption]: ...

@final
class PoissonRatio(_Document):
    @property
    def p_value(self) -> float: ...
    @property
    def ratio(self) -> float | None: ...
    @property
    def interval(self) -> tuple[float, float]: ...
    @property
    def assumptions(self) -> list[_Assumption]: ...

@final
class NonInferiority(_Document):
    @property
    def z(self) -> float: ...
    @property
    def p_value(self) -> float: ...
    @property
    def difference(self) -> float: ...
    @property
    def restricted(self) -> tuple[float, float]: ...
    @property
    def assumptions(self) -> list[_Assumption]: ...

@final
class Equivalence(_Document):
    @property
    def p_value(self) -> float: ...
    @property
    def not_worse(self) -> NonInferiority: ...
    @property
    def not_better(self) -> NonInferiority: ...

def mann_whitney_u(
    x: _Samples,
    y: _Samples,
    alternative: _Alternative = "two-sided",
    method: _TestMethod = "auto",
    continuity: bool = True,
) -> MannWhitney: ...
def mann_whitney_from_counts(
    x: _Samples,
    y: _Samples,
    alternative: _Alternative = "two-sided",
    continuity: bool = True,
) -> MannWhitney: ...
def hodges_lehmann(x: _Samples, y: _Samples, confidence: float = 0.95) -> Shift: ...
def ks_2samp(
    x: _Samples,
    y: _Samples,
    alternative: _Alternative = "two-sided",
    method: _TestMethod = "auto",
) -> KolmogorovSmirnov: ...
def ks_from_counts(
    x: _Samples,
    y: _Samples,
    alternative: _Alternative = "two-sided",
    method: _TestMethod = "auto",
) -> KolmogorovSmirnov: ...
def fisher_exact(canary: _Counts, baseline: _Counts, alternative: _Alternative = "two-sided") -> FisherExact: ...
def poisson_ratio(
    canary: _Counts,
    baseline: _Counts,
    ratio: float = 1.0,
    alternative: _Alternative = "two-sided",
    confidence: float = 0.95,
) -> PoissonRatio: ...
def non_inferiority(canary: _Counts, baseline: _Counts, margin: float, scale: _Scale = "ratio") -> NonInferiority: ...
def equivalence(canary: _Counts, baseline: _Counts, margin: float, scale: _Scale = "ratio") -> Equivalence: ...
def clopper_pearson(events: float, trials: float, confidence: float = 0.95) -> tuple[float, float]: ...
def newcombe(canary: _Counts, baseline: _Counts, confidence: float = 0.95) -> tuple[float, float]: ...
