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

_Against: TypeAlias = Literal["hold_back", "reference"]
_Audience: TypeAlias = Literal["responders", "stakeholders", "business", "public"]
_Band: TypeAlias = Literal[
    "success", "hold", "between", "alert", "rollback", "not_judged", "no_data", "stale", "no_live_data", "not_finite"
]
_BlockerKind: TypeAlias = Literal[
    "release",
    "severity",
    "denial",
    "normal_process",
    "change_window",
    "volume_bound",
    "readings",
    "approval",
    "item",
    "traffic",
    "policy",
]
_Calendar: TypeAlias = Literal["next_business_day", "next_day", "next_release", "next_sprint"]
_CommitField: TypeAlias = Literal[
    "issue", "severity", "impact", "cause", "change", "solution", "tested", "approved_by", "deployed_by"
]
_Decision: TypeAlias = Literal["continue", "hold", "promote", "roll_back", "ask"]
_EvidenceMode: TypeAlias = Literal["plain", "replay", "randomised", "both"]
_FactKind: TypeAlias = Literal["flag", "share", "duration", "number", "text", "time"]
_GateMode: TypeAlias = Literal["automatic", "manual", "veto"]
_Guarantee: TypeAlias = Literal["guaranteed", "calibrated", "assumed"]
_Hotfix: TypeAlias = Literal["yes", "no", "unknown"]
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
_Level: TypeAlias = Literal["deny", "warn", "note"]
_MessageKind: TypeAlias = Literal[
    "alert", "deployment_started", "phase_passed", "deployed", "rolling_back", "rolled_back", "update", "resolved"
]
_MetricKind: TypeAlias = Literal["proportion", "count", "latency", "gauge", "volume"]
_Period: TypeAlias = Literal["month", "week"]
_Place: TypeAlias = Literal[
    "waiting", "next", "held", "running", "complete", "closed", "in_turn", "kept", "rolling_back", "frozen", "restored"
]
_PromotionRule: TypeAlias = Literal["no_evidence_of_harm", "evidence_of_no_harm"]
_Reason: TypeAlias = Literal[
    "evidence",
    "hold_level",
    "warming_up",
    "slightly_slower",
    "phase_end_test",
    "evidence_assumed",
    "fewer_failures",
    "only_whole_passes",
    "not_both",
    "bad_instance",
    "rollback_band",
    "one_instance",
    "not_confirmed",
    "burst",
    "alert_band",
    "criterion_missed",
    "between",
    "too_few_trials",
    "no_data",
    "stale",
    "no_live_data",
    "live_never_read",
    "not_judged",
    "worse_than_seen",
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
_Response: TypeAlias = Literal["continue", "hold", "ask", "roll_back"]
_RollbackMethod: TypeAlias = Literal["feature_flag", "redeploy", "git_revert", "blue_green_switch", "platform"]
_Severity: TypeAlias = Literal["P0", "P1", "P2", "P3"]
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
_StepKind: TypeAlias = Literal["deploy", "monitor", "gate", "final_validation", "complete"]
_TrainState: TypeAlias = Literal["waiting", "running", "complete", "closed", "rolling_back", "frozen", "rolled_back"]
_Version: TypeAlias = Literal["canary", "live"]
_Versioning: TypeAlias = Literal["patch", "hotfix_identifier"]

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

__all__ = [
    "Action",
    "Outcome",
    "_advise",
    "Advice",
    "Candidate",
    "Audit",
    "AuditFinding",
    "audit",
    "_backtest",
    "_history",
    "_mapping",
    "Backtest",
    "Backtests",
    "RecordedHistory",
    "Calibration",
    "calibrate",
    "Ceiling",
    "explain",
    "Evidence",
    "Comparison",
    "ComparisonRow",
    "Forecast",
    "Harm",
    "MetricForecast",
    "MetricHarm",
    "MetricWhy",
    "TestForecast",
    "VersionImpact",
    "Why",
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
    "BadInstance",
    "Randomisation",
    "ImportFault",
    "ImportFinding",
    "Imported",
    "convert",
    "GroupScore",
    "Judgement",
    "KayentaFinding",
    "MetricResult",
    "classify",
    "judge",
    "Latency",
    "latency_boundaries",
    "cdevents",
    "dora",
    "dora_chart",
    "dora_markdown",
    "grafana_annotations",
    "measures",
    "measures_markdown",
    "similar",
    "Method",
    "Phase",
    "Plan",
    "Chance",
    "TimeToDetect",
    "chance_to_decide",
    "chance_to_promote",
    "detectable_ratio",
    "fixed_horizon_ratio",
    "fixed_horizon_trials",
    "gate_pass_chance",
    "time_to_detect",
    "time_to_promote",
    "Policy",
    "Problem",
    "redact",
    "report",
    "Rollout",
    "Classification",
    "Decision",
    "DecisionStep",
    "FactChange",
    "Finding",
    "Leaf",
    "NextQuestion",
    "RuleVerdict",
    "_compare",
    "_drill",
    "_simulate",
    "RateRatio",
    "wilson",
    "Train",
    "TrainFinding",
    "TrainMove",
    "TrainOutcome",
    "branch_name",
    "next_version",
    "tag_name",
    "Cause",
    "Efficacy",
    "MetricEvidence",
    "MetricVerdict",
    "Verdict",
    "__version__",
]
__version__: Final[str]

@final
class Action(_Document):
    """One action for your deploy tool. Its id is the same after every replay.

    The attributes depend on its kind; the others are None as attributes and absent in
    `to_dict`."""
    @property
    def any_of(self) -> list[str] | None:
        """With ``request_approval``: the roles; the approval of any one of them is enough."""
    @property
    def audience(self) -> _Audience | None:
        """With ``notify``: the audience."""
    @property
    def awaits(self) -> bool:
        """Whether the rollout waits for ``confirm`` or ``failed``."""
    @property
    def by(self) -> str | None:
        """With ``schedule``: the time by which the meeting is due, if that is known."""
    @property
    def commands(self) -> list[dict[str, Any]]:
        """Your organisation's own commands for the action, where the policy has some:
        ``[{"of", "id", "title", "commands": [{"line", "missing"}, …]}, …]``, with the values of
        the plan. Nothing is run. They are not in the log."""
    @property
    def condition(self) -> str | None:
        """With ``roll_back``: the condition of its method, in the policy's words, and the risk of a schema
        change."""
    @property
    def contacts(self) -> list[dict[str, Any]]:
        """Whom to contact, where the policy names somebody: with ``page`` the holders of the role,
        with ``notify`` and ``update_status_page`` those of the duty's role, with
        ``request_approval`` those of each role: ``[{"role", "title", "holders": [{"name",
        "reach"}], "reach", "stand_in", "stand_ins"}, …]``. They are not in the log."""
    @property
    def duty(self) -> str | None:
        """The duty that caused the action, which ``acknowledge`` and ``done`` name."""
    @property
    def id(self) -> str:
        """Its id, such as ``"7.1"``, which ``confirm`` and ``failed`` name."""
    @property
    def kind(self) -> _ActionKind:
        """``set_traffic``, ``deploy``, ``roll_back``, ``ask_decision``, ``request_approval``,
        ``notify``, ``page``, ``update_status_page`` or ``schedule``."""
    @property
    def message(self) -> _MessageKind | None:
        """With ``notify`` and ``update_status_page``: the kind of message."""
    @property
    def method(self) -> _RollbackMethod | None:
        """With ``roll_back``: the rollback method."""
    @property
    def question(self) -> str | None:
        """With ``ask_decision``: the question, in a sentence."""
    @property
    def role(self) -> str | None:
        """With ``page``: the role to page. With ``notify``: the role that it is for, where that is
        not everybody in the audience; ``why`` is its text then."""
    @property
    def rollback_point(self) -> str | None:
        """With ``roll_back`` to the previous version: its rollback point, as release and checklists
        name it."""
    @property
    def share(self) -> float | None:
        """With ``set_traffic``: the canary's share, from 0 to 1."""
    @property
    def signs(self) -> dict[str, Any] | None:
        """With ``deploy``: the signs by which it is answered with ``confirm`` or ``failed``, where
        the policy has some: ``{"success": […], "failure": […]}``."""
    @property
    def title(self) -> str | None:
        """With ``schedule``: the name of the meeting."""
    @property
    def validate(self) -> list[str]:
        """With ``deploy`` of a blue-green rollout: the checks that the idle side has to pass
        before ``confirm``; otherwise empty."""
    @property
    def version(self) -> str | None:
        """With ``deploy`` and ``roll_back``: the version."""
    @property
    def why(self) -> str | None:
        """With ``page``: the reason, in a sentence."""

@final
class Outcome(_Document):
    """The outcome of an input."""
    @property
    def actions(self) -> list[Action]:
        """The actions, in the order in which to carry them out."""
    @property
    def events(self) -> list[str]:
        """The log lines to append durably before you act; each ends with a line feed."""
    @property
    def repeated(self) -> bool:
        """Whether an input with this key was delivered before: nothing changed. The actions are
        those of the first delivery: do not carry them out, others may have followed since."""

def _advise(
    policy: Policy,
    question: Mapping[str, Any],
    threads: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Advice:
    """The advice for a question; `hotfix.advise` calls it."""

@final
class Advice(_Document):
    """The policies that were simulated, and the recommended one."""
    @property
    def best(self) -> int | None:
        """The index of the recommended candidate; None if no candidate keeps the bound."""
    @property
    def candidates(self) -> list[Candidate]:
        """The policy as it is, then every other combination in the order of the axes."""
    @property
    def most_false_rollbacks(self) -> float:
        """The allowed share of false rollbacks."""
    @property
    def runs(self) -> int:
        """Runs of each candidate in each scenario."""
    def to_markdown(self) -> str:
        """The candidates as a table in Markdown, the best first."""

@final
class Candidate(_Document):
    """One policy that was simulated."""
    @property
    def affected(self) -> _Mean:
        """Requests that both versions failed, summed over one run of every scenario: "mean",
        "low", "high"."""
    @property
    def at_most(self) -> float:
        """Upper bound of the share of false rollbacks in any scenario, with 95% confidence over
        all candidates and scenarios."""
    @property
    def changes(self) -> dict[str, Any]:
        """The values that differ from the policy as it is, by place."""
    @property
    def completed(self) -> _Rate:
        """Runs that were complete at some time."""
    @property
    def false_rollbacks(self) -> _Rate:
        """False rollbacks in the scenario with the most of them: "count", "of", "share", "low",
        "high"."""
    @property
    def keeps(self) -> bool:
        """Whether `at_most` is within the allowed share."""
    @property
    def missed_faults(self) -> _Rate:
        """Faults that were never rolled back, of the runs in which the fix was worse."""
    @property
    def not_tried(self) -> str | None:
        """The reason why it could not be simulated; None if it was simulated."""

@final
class Audit(_Document):
    """The result of an audit."""
    @property
    def clean(self) -> bool:
        """Whether the log is intact and all verdicts, recomputed, equal the recorded ones."""
    @property
    def findings(self) -> list[AuditFinding]:
        """The faults, in the order of the lines; empty for an intact log."""
    @property
    def head(self) -> str:
        """The hash of the last line."""
    @property
    def lines(self) -> int:
        """The number of lines read."""

@final
class AuditFinding(_Document):
    """One fault of a log."""
    @property
    def code(self) -> str:
        """A stable code."""
    @property
    def line(self) -> int:
        """The line, from 1."""
    @property
    def message(self) -> str:
        """The value that was found and the value that was expected."""

def audit(log: str | bytes | bytearray, expected_head: str | None = None) -> Audit:
    """Check a log for changed, moved and missing lines, and recompute every verdict, action and change
    of state.

    A fault of the log is a finding, never an exception.

    Parameters
    ----------
    log : str or bytes
        All lines.
    expected_head : str, optional
        The hash that the last line should have, 64 hexadecimal digits; with it, missing lines at
        the end are found too.

    Returns
    -------
    Audit

    Raises
    ------
    InputError
        If `expected_head` is not a valid digest.

    Examples
    --------
    >>> import hotfix
    >>> policy = hotfix.Policy.preset("phased-canary")
    >>> rollout = hotfix.Rollout(policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"}))
    >>> _ = rollout.handle("2026-03-03T14:40:00Z", {"kind": "note", "by": "lena", "text": "we are on it"})
    >>> hotfix.audit(rollout.log(), rollout.head).clean
    True
    >>> hotfix.audit(rollout.log().replace("on it", "not on it")).findings[0].code
    'HF-JSON-013'"""

def _backtest(policies: list[Policy], text: str | bytes, format: str, mapping: str) -> Backtests:
    """The core's backtest of texts; `hotfix.backtest` reads files and keyword arguments."""

def _history(policy: Policy, text: str | bytes, format: str, mapping: str) -> RecordedHistory:
    """The core's history from a text; `hotfix.history` reads files."""

def _mapping(mapping: Mapping[str, Any] | str, assume: Mapping[str, Any]) -> str:
    """A mapping as JSON that can be read, with assumptions that replace its own; `hotfix.backtest` and
    `hotfix.history` call it."""

@final
class Backtest(_Document):
    """The backtest of one policy on a recording."""
    @property
    def crossed_at(self) -> datetime | None:
        """The time when the combined evidence of all tests first reached the rollback threshold."""
    @property
    def ended(self) -> dict[str, Any]:
        """The end of the rollout: "at", "state", "phase", and seconds "after" the first traffic."""
    @property
    def findings(self) -> list[dict[str, Any]]:
        """Findings: "code", "message", "count", "at", "metric"."""
    @property
    def first_alert(self) -> datetime | None:
        """The time when a deciding metric first exceeded its alert bound."""
    @property
    def first_ask(self) -> datetime | None:
        """The time when it would first have asked a person."""
    @property
    def first_rollback(self) -> datetime | None:
        """The time when it would have rolled back."""
    @property
    def metrics(self) -> dict[str, dict[str, Any]]:
        """Each metric of the policy by id: "role", "left_out", "alert_at", "rollback_at",
        "held_at", "crossed_at", "bands"."""
    @property
    def policy(self) -> str:
        """The policy's name."""
    @property
    def why(self) -> str:
        """The reason for the rollback, or else for the first question; "" without either."""
    @property
    def would(self) -> list[dict[str, Any]]:
        """Every decision that it would have made, in order: "at", "what", "phase", "reason",
        "metrics", "evidence"."""

@final
class Backtests(_Document):
    """The backtests of several policies on one recording."""
    @property
    def findings(self) -> list[dict[str, Any]]:
        """Findings about the recording: "code", "message", "count", "at", "metric"."""
    @property
    def from_(self) -> datetime:
        """The assumed time of the fix's first traffic."""
    @property
    def policies(self) -> list[Backtest]:
        """The backtest of each policy, in the order given."""
    @property
    def readings(self) -> int:
        """The number of times with a reading in this interval."""
    @property
    def until(self) -> datetime:
        """The latest time at which watching ended."""
    def to_markdown(self) -> str:
        """The policies side by side as a table in Markdown."""

@final
class RecordedHistory(_Document):
    """What each instance counted in ordinary operation, made by `history`."""
    @property
    def findings(self) -> list[dict[str, Any]]:
        """Findings about the recording: "code", "message", "count", "at", "metric"."""
    @property
    def history(self) -> dict[str, dict[str, list[list[float]]]]:
        """By metric and instance, one pair of events and trials per tick of the policy's cadence;
        of a latency by arm, one row of requests up to each boundary and of all. It is the
        ``calibration`` of `Policy.plan`. ``["history"]`` has the pairs, ``["times"]`` the rows."""

@final
class Calibration(_Document):
    """Threshold, cap and hold level for a rollback test, calibrated on the noise of a history.

    Made by `calibrate`. Attributes and ``[]`` give the same values, except `advice`: the
    attribute has sentences, ``["advice"]`` has their figures."""
    @property
    def advice(self) -> list[str]:
        """Advice to read before you rely on the calibration."""
    @property
    def base_rate(self) -> float | None:
        """Events divided by trials of the history; None without trials."""
    @property
    def by_instance(self) -> dict[str, float] | None:
        """``threshold``, ``cap``, ``hold`` and ``clip_rate`` where the counts of both arms come by
        instance: limits for the smaller of the evidence and 1.6 times that without any single
        canary instance, of clipped counts: lower where single instances have bursts, and else
        sometimes higher. The judge uses them; None if the history has no events, and with
        the model ``bernoulli``."""
    @property
    def canary_instances(self) -> int:
        """The number of instances of a simulated canary."""
    @property
    def cap(self) -> float:
        """Upper limit of the log evidence that one tick may add for each ratio of the grid."""
    @property
    def detectable(self) -> float | None:
        """Smallest ratio that the phase detects with power 0.8 at this threshold; None if there is
        no such ratio."""
    @property
    def dispersion(self) -> float | None:
        """Upper limit of the dispersion: the variance as a multiple of that of independent errors;
        None if the history has no events."""
    @property
    def hold(self) -> float:
        """Log evidence at which the rollout holds."""
    @property
    def leave_one_out(self) -> bool:
        """Whether a rollback also needs enough evidence without each single canary instance."""
    @property
    def promotion_temper(self) -> float:
        """``log(1/alpha)`` divided by the threshold: the `temper` of a promotion test with the
        same noise."""
    @property
    def shards(self) -> int:
        """The number of simulated canaries that were compared."""
    @property
    def threshold(self) -> float:
        """Log evidence that rolls back; at least ``log(1/alpha)``."""
    @property
    def windows(self) -> int:
        """The number of windows of the phase's length in each shard; they overlap by three
        quarters."""

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
    model: _Model = "poisson",
) -> Calibration:
    """Calibrate threshold and cap of the rollback test on the service's own history.

    Runs the test on recorded normal operation. Groups of instances as large as the canary act as
    canaries, in windows of the phase's length, and the limits follow from the evidence that noise
    alone produced. At most `alpha` false rollbacks are guaranteed for independent errors, and
    calibrated for noise that resembles the history.

    Parameters
    ----------
    history : mapping
        ``{instance: [[events, trials], ...]}``, one pair for each tick; ``[0, 0]`` is a tick
        without data. With ``model="poisson"`` trials may be an exposure, so more events than
        trials are accepted: check the counts of a proportion, whose two numbers may be swapped.
    share : float
        The canary's share of the traffic.
    ticks : int
        The phase's length.
    alpha : float, default 0.01
        Probability of ever rolling back a release that is not worse.
    seed : int, default 0
        Seed of the random groups, which are used if the share is above 0.25.
    tolerated : float, default 1.0
        The tolerated ratio.
    grid, weights : sequence of float, optional
        As in `RateRatio`.
    temper : float, default 1.0
        As in `RateRatio`.
    horizon : int, optional
        Planned ticks of the change-point form.
    zones : sequence of sequence of str, optional
        If the canary is a zone: the instances of each zone.
    tick_seconds : float, default 10.0
        Length of a tick; only advice and `detectable` depend on it.
    model : {"poisson", "bernoulli"}, default "poisson"
        The test, as in `RateRatio`. With "bernoulli" there are no limits by instance.

    Returns
    -------
    Calibration

    Raises
    ------
    StatsError
        For invalid settings, and for a history that is invalid or shorter than the phase.

    Examples
    --------
    >>> import hotfix
    >>> history = {f"pod-{pod}": [[1 if tick % 100 == pod * 10 else 0, 100] for tick in range(2160)] for pod in range(10)}
    >>> limits = hotfix.stats.calibrate(history, share=0.1, ticks=60)
    >>> round(limits.threshold, 2), limits.hold < limits.threshold
    (4.61, True)
    >>> test = hotfix.stats.RateRatio(cap=limits.cap, threshold=limits.threshold)"""

@final
class Ceiling:
    """A sequential test that a rate is below a ceiling, without a baseline. It may be evaluated at
    every tick.

    For rates that are too small to compare two arms. Null hypothesis: the rate is `ceiling` or
    more.

    Parameters
    ----------
    ceiling : float
        Above 0 and below 1.
    alpha : float, default 0.05
        Probability of ever deciding while the null hypothesis is true.
    grid, weights : sequence of float, optional
        Rates of the alternatives as shares of the ceiling, at least 0 and below 1, and their
        weights, which sum to 1. Default: 0.5, 0.2, 0.05 and 0 with equal weights.

    Raises
    ------
    StatsError
        For invalid settings.

    Examples
    --------
    >>> import hotfix
    >>> test = hotfix.stats.Ceiling(0.005)
    >>> test.clean_trials
    690.0
    >>> test.update((0, 400)).decided, test.update((0, 290)).decided
    (False, True)"""
    @property
    def clean_trials(self) -> float:
        """The number of requests without an error that is enough to decide."""
    @property
    def evidence(self) -> Evidence:
        """The evidence so far."""
    @staticmethod
    def from_bytes(bytes: bytes | bytearray) -> Ceiling:
        """Restore the test that `to_bytes` wrote.

        Raises
        ------
        StatsError
            For bytes that are not a saved test."""
    @property
    def threshold(self) -> float:
        """The log evidence at which the test decides: ``log(1/alpha)``."""
    def __new__(
        cls,
        ceiling: float,
        alpha: float = 0.05,
        grid: Sequence[float] | None = None,
        weights: Sequence[float] | None = None,
    ) -> Ceiling: ...
    def merge(self, other: Ceiling) -> Evidence:
        """Add the counts of another test with the same settings.

        Raises
        ------
        StatsError
            If the settings differ."""
    def to_bytes(self) -> bytes:
        """Settings and evidence as bytes."""
    def update(self, canary: _Counts) -> Evidence:
        """Add the counts of one tick.

        Parameters
        ----------
        canary : (float, float)
            Events and trials.

        Returns
        -------
        Evidence
            Its `ratio` is the rate divided by the ceiling; its `interval` is None.

        Raises
        ------
        StatsError
            For invalid counts; the test is unchanged."""

def explain(code: str) -> str | None:
    """Explain the code of an error, a refusal or a finding.

    Parameters
    ----------
    code : str
        As in ``error.code``.

    Returns
    -------
    str or None
        What is wrong, the cause, and what to do, as Markdown; None for a code that this release
        does not have.

    Examples
    --------
    >>> import hotfix
    >>> print(hotfix.explain("HF-JSON-001").splitlines()[0])
    A number is NaN or infinite, and JSON has no form for it.
    >>> hotfix.explain("E0308") is None
    True"""

@final
class Evidence(_Document):
    """The evidence of a sequential test.

    Attributes and ``[]`` give the same values, except `interval`, which is computed when it is
    read."""
    @property
    def decided(self) -> bool:
        """Whether the evidence has reached the threshold at any time; it stays True."""
    @property
    def interval(self) -> tuple[float, float] | None:
        """Interval ``(low, high)`` for the ratio at confidence ``1 - alpha``; valid at every
        evaluation.

        It conditions on the number of events of each traffic split, so a changing split does not
        bias it. It uses its own mixture and the plain likelihood: the temper, cap, threshold or
        horizon of the test does not affect it, so it may exclude 1 before the test decides. With
        ``model="bernoulli"`` it is wider than necessary at high rates. None for a `Ceiling`, a
        `Latency` and sets of instances, and for the evidence of a rollout, which has its own
        interval."""
    @property
    def log_e(self) -> float:
        """Log of the e-value; 0 without data. The test decides at its threshold, by default
        ``log(1/alpha)``."""
    @property
    def p_value(self) -> float:
        """The p-value; valid at every evaluation."""
    @property
    def ratio(self) -> float | None:
        """The canary's rate divided by the baseline's, with 0.5 for a count of zero; None without
        an event in either. It is of the sums over ticks and strata: where the split changes, or
        strata differ, it may lie outside `interval`, which is within them."""

@final
class Comparison(_Document):
    """The comparison table of metrics by phase; `to_markdown` writes it."""
    @property
    def phases(self) -> list[dict[str, Any]]:
        """The phases, in order: ``{"phase", "share", "since", "ended"}``; the last two are absent
        before the phase began or ended."""
    @property
    def rows(self) -> list[ComparisonRow]:
        """One row for each metric, in the order of their ids."""
    def to_markdown(self) -> str:
        """The table in Markdown. The baseline is the metric's reference, or the live arm if there
        is no reference; ``-`` means no reading."""

@final
class ComparisonRow(_Document):
    """The row of one metric over all phases."""
    @property
    def cells(self) -> list[dict[str, Any] | None]:
        """One entry for each phase: ``{"canary", "baseline", "band", "healed"}``, or None without
        a reading."""
    @property
    def edges(self) -> list[float]:
        """The edges of its histogram in seconds, if it is a latency: values between them are
        interpolated."""
    @property
    def kind(self) -> _MetricKind:
        """The kind of the metric."""
    @property
    def live(self) -> float | None:
        """The value of the live arm in this attempt, without warm-ups; None without data."""
    @property
    def metric(self) -> str:
        """The metric."""
    @property
    def reference(self) -> float | None:
        """The value before the incident; None if the policy has no reference."""
    @property
    def title(self) -> str:
        """Its title."""

@final
class Forecast(_Document):
    """The forecast for the rest of a phase: how long the tests still need, and whether promotion and
    efficacy can still be decided.

    Times and required requests are estimates of the planning formula from the rates of
    the phase so far. They do not affect decisions."""
    @property
    def at(self) -> datetime:
        """The time, in UTC."""
    @property
    def efficacy(self) -> TestForecast | None:
        """The test that the fix works; None if the policy does not claim it, or it is already
        shown."""
    @property
    def metrics(self) -> dict[str, MetricForecast]:
        """The deciding metrics, by id."""
    @property
    def phase(self) -> str:
        """The phase."""
    @property
    def requests_per_minute(self) -> float | None:
        """Requests per minute over all arms, as planned, otherwise as observed; None if neither is
        known."""
    @property
    def until_due(self) -> float:
        """Seconds until the minimum time of the phase has passed."""
    @property
    def until_overdue(self) -> float | None:
        """Seconds until its maximum time has passed; None if it has no maximum."""

@final
class Harm(_Document):
    """The estimated impact of each version in bad events per minute, over the trailing window."""
    @property
    def at(self) -> datetime:
        """The time, in UTC."""
    @property
    def canary(self) -> tuple[float, float] | None:
        """Bad events per minute if the canary had all of the traffic, ``(least, most)``; None
        without data."""
    @property
    def lesser(self) -> _Version | None:
        """The version that is certain to have fewer bad events, ``"canary"`` or ``"live"``; None
        if that is not certain."""
    @property
    def live(self) -> tuple[float, float] | None:
        """Bad events per minute if the live version had all of the traffic, ``(least, most)``;
        None without data."""
    @property
    def metrics(self) -> dict[str, MetricHarm]:
        """The metrics that count bad events and decide, by id."""
    @property
    def requests_per_minute(self) -> float | None:
        """Requests per minute over all arms, as planned, otherwise as observed; None if neither is
        known."""

@final
class MetricForecast(_Document):
    """The forecast of one metric for the rest of a phase."""
    @property
    def bound(self) -> dict[str, Any] | None:
        """Its success bound over the phase, ``{"allows", "possible"}``; None if that cannot be
        computed in advance."""
    @property
    def live_missing(self) -> bool:
        """Whether the readings of the live version are missing: while they are, its tests cannot
        decide, and have no forecast."""
    @property
    def metric(self) -> str:
        """The metric."""
    @property
    def promotion(self) -> TestForecast | None:
        """The promotion test, if the canary is equal; None if the phase does not require it, or it
        has already decided."""
    @property
    def rollback(self) -> TestForecast | None:
        """The rollback test, if the canary is worse by the policy's margin; None without a rate."""

@final
class MetricHarm(_Document):
    """The impact of both versions by one metric."""
    @property
    def canary(self) -> VersionImpact | None:
        """The version under test; None without data."""
    @property
    def live(self) -> VersionImpact | None:
        """The live version; None without data."""
    @property
    def metric(self) -> str:
        """The metric."""

@final
class MetricWhy(_Document):
    """The part of one metric in a verdict; `sentence` summarises it."""
    @property
    def counterfactual(self) -> dict[str, Any]:
        """The smallest change of the tick that would have changed the verdict: ``{"kind": "events" |
        "slow" | "level", "from", "to", "then"}``, or ``{"kind": "none", "reason"}``."""
    @property
    def metric(self) -> str:
        """The metric."""
    @property
    def rules(self) -> list[dict[str, Any]]:
        """Every rule that was applied: ``{"rule": "bound" | "evidence" | …, "reason": …}`` with
        its figures; without a reason the rule was met."""
    @property
    def sentence(self) -> str:
        """Numbers, rule and counterfactual in one sentence."""
    @property
    def tick(self) -> dict[str, Any] | None:
        """The counts of the last reading, by arm; None if it was not used."""
    @property
    def window(self) -> dict[str, Any]:
        """The trailing window, by arm."""

@final
class TestForecast(_Document):
    """The forecast of one test."""
    @property
    def minutes(self) -> float | None:
        """Average minutes until it decides; None where its bets gain nothing from the assumed ratio, so
        that it decides by chance or never."""
    @property
    def possible(self) -> bool | None:
        """False if the test cannot decide in the time left even in the best case; None for
        rollback tests."""
    @property
    def ratio(self) -> float:
        """The assumed ratio of the canary's rate to the live rate."""
    @property
    def requests(self) -> float | None:
        """Average number of requests of both arms that it still needs; None without ``minutes``, or
        if the traffic is unknown."""

@final
class VersionImpact(_Document):
    """Bad events per minute."""
    @property
    def at_full(self) -> float:
        """Bad events per minute if it had all of the traffic."""
    @property
    def at_full_range(self) -> tuple[float, float]:
        """The 95% interval of `at_full`."""
    @property
    def now(self) -> float:
        """Bad events per minute with its present traffic."""

@final
class Why(_Document):
    """The explanation of a verdict.

    Examples
    --------
    >>> import hotfix
    >>> policy = hotfix.Policy.preset("phased-canary")
    >>> plan = policy.plan({"id": "INC-2041", "severity": "P1"}, {"version": "2.3.1", "previous": "2.3.0"})
    >>> rollout = hotfix.Rollout(plan)
    >>> approval, *items = rollout.blockers()
    >>> _ = rollout.handle("2026-03-03T14:31:00Z", {"kind": "approve", "by": "iris", "role": approval["roles"][0]})
    >>> for item in items:
    ...     _ = rollout.handle("2026-03-03T14:38:00Z", {"kind": "check_item", "by": "omar", "item": item["item"]})
    >>> _ = rollout.handle("2026-03-03T14:40:00Z", {"kind": "start", "by": "lena"})
    >>> while rollout.pending_actions():
    ...     done = rollout.pending_actions()[0].id
    ...     _ = rollout.handle("2026-03-03T14:42:00Z", {"kind": "confirm", "by": "tool", "action": done})
    >>> _ = rollout.observe("2026-03-03T14:43:00Z", {"error_rate": {"canary": [6, 100], "baseline": [3, 900]}})
    >>> why = rollout.why()
    >>> print(why.metrics["error_rate"])
    error_rate: 6 of 100 requests failed, against 3 of 900 in the baseline. 6% over the window is above the rollback bound of 5%. Decision: roll back. With 4 failures in this tick instead of 6 the decision would have been to hold.
    >>> why.metrics["error_rate"].counterfactual
    {'from': 6.0, 'kind': 'events', 'then': 'hold', 'to': 4.0}"""
    @property
    def at(self) -> datetime:
        """The time of the verdict, in UTC."""
    @property
    def causes(self) -> list[Cause]:
        """Its causes, the most severe first."""
    @property
    def decision(self) -> _Decision:
        """Its decision."""
    @property
    def hold(self) -> float:
        """Log e-value at which promotion is held."""
    @property
    def log_e(self) -> float:
        """Log e-value of all rollback tests together."""
    @property
    def metrics(self) -> dict[str, MetricWhy]:
        """Each metric's part, by id."""
    @property
    def threshold(self) -> float:
        """Log e-value at which it rolls back."""

@final
class Equivalence(_Document):
    """The result of `equivalence`."""
    @property
    def not_better(self) -> NonInferiority:
        """p-value for "the canary is not better by the margin"."""
    @property
    def not_worse(self) -> NonInferiority:
        """p-value for "the canary is not worse by the margin"."""
    @property
    def p_value(self) -> float:
        """The larger p-value of the two tests."""

@final
class FisherExact(_Document):
    """The result of `fisher_exact`."""
    @property
    def assumptions(self) -> list[_Assumption]:
        """Findings about the assumptions: some of "small_expected", "sparse". The test is exact in
        any case."""
    @property
    def difference(self) -> float:
        """Effect size: the canary's rate minus the baseline's."""
    @property
    def odds_ratio(self) -> float | None:
        """Effect size: the canary's odds divided by the baseline's; may be infinite; None if
        undefined."""
    @property
    def p_value(self) -> float:
        """Probability of such a table, or a more extreme one with the same margins, if both rates
        are equal."""

@final
class KolmogorovSmirnov(_Document):
    """The result of `ks_2samp`."""
    @property
    def assumptions(self) -> list[_Assumption]:
        """Findings about the assumptions: some of "ties", "all_equal", "binned"."""
    @property
    def exact(self) -> bool:
        """Whether the p-value is exact; otherwise it is an approximation for large samples."""
    @property
    def p_value(self) -> float:
        """Probability of such a difference, or a larger one, if both samples have the same
        continuous distribution."""
    @property
    def statistic(self) -> float:
        """Effect size: the largest difference between the distribution functions, in the direction
        of the alternative."""

@final
class MannWhitney(_Document):
    """The result of `mann_whitney_u`."""
    @property
    def assumptions(self) -> list[_Assumption]:
        """Findings about the assumptions: some of "ties", "all_equal", "few_samples", "binned"."""
    @property
    def common_language(self) -> float:
        """Effect size: probability that a value of `x` is larger than one of `y`; equal values
        count one half."""
    @property
    def exact(self) -> bool:
        """Whether the p-value is exact; otherwise it is from the normal approximation."""
    @property
    def p_value(self) -> float:
        """Probability of such a `u`, or a more extreme one, if neither sample tends to be larger."""
    @property
    def rank_biserial(self) -> float:
        """Effect size from -1 (all of `x` is smaller) to 1."""
    @property
    def u(self) -> float:
        """Number of pairs in which `x` is the larger value; equal values count one half."""

@final
class NonInferiority(_Document):
    """The result of `non_inferiority`."""
    @property
    def assumptions(self) -> list[_Assumption]:
        """Findings about the assumptions: some of "small_expected", "sparse"."""
    @property
    def difference(self) -> float:
        """Effect size: the canary's rate minus the baseline's."""
    @property
    def p_value(self) -> float:
        """Probability of such a `z`, or a smaller one, if the canary is worse by the margin."""
    @property
    def restricted(self) -> tuple[float, float]:
        """The most likely rates of canary and baseline if the canary is worse by the margin."""
    @property
    def z(self) -> float:
        """Distance of the canary from the margin in standard errors; negative is evidence that it
        is not worse."""

@final
class PoissonRatio(_Document):
    """The result of `poisson_ratio`."""
    @property
    def assumptions(self) -> list[_Assumption]:
        """Findings about the assumptions: some of "small_expected", "sparse". The test is exact in
        any case."""
    @property
    def interval(self) -> tuple[float, float]:
        """``(low, high)`` for the ratio."""
    @property
    def p_value(self) -> float:
        """Probability of such a division of the events, or a more extreme one, under the null
        ratio."""
    @property
    def ratio(self) -> float | None:
        """Effect size: the canary's rate divided by the baseline's; may be infinite; None without
        events."""

@final
class Shift(_Document):
    """The result of `hodges_lehmann`."""
    @property
    def assumptions(self) -> list[_Assumption]:
        """Findings about the assumptions: some of "ties", "all_equal", "few_samples"."""
    @property
    def exact(self) -> bool:
        """Whether the interval is from the exact distribution; otherwise it is from the normal
        approximation."""
    @property
    def interval(self) -> tuple[float, float]:
        """``(low, high)``; infinite if the samples are too small for the confidence."""
    @property
    def shift(self) -> float:
        """Median of all differences ``x - y``."""

def clopper_pearson(events: float, trials: float, confidence: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson's interval for one proportion; valid for one evaluation only.

    Parameters
    ----------
    events, trials : float
        Whole numbers. Without trials the interval is 0 to 1.
    confidence : float, default 0.95
        Two-sided; guaranteed for every proportion.

    Returns
    -------
    (float, float)

    Raises
    ------
    StatsError
        For counts that are not whole numbers in range, or an invalid confidence.

    Examples
    --------
    >>> import hotfix
    >>> low, high = hotfix.stats.clopper_pearson(0, 1000)
    >>> low, round(high, 6)
    (0.0, 0.003682)"""

def equivalence(canary: _Counts, baseline: _Counts, margin: float, scale: _Scale = "ratio") -> Equivalence:
    """Two one-sided tests that two rates are within a margin of each other, for one evaluation.

    Parameters
    ----------
    canary, baseline : (float, float)
        Events and trials.
    margin : float
        A ratio above 1, or a difference above 0: the rates differ by less than this in either
        direction.
    scale : {"ratio", "difference"}
        Whether `margin` is a ratio or a difference.

    Returns
    -------
    Equivalence

    Raises
    ------
    StatsError
        As `non_inferiority`, and for a margin that leaves no range between its two bounds.

    Examples
    --------
    >>> import hotfix
    >>> hotfix.stats.equivalence((500, 10_000), (4_490, 90_000), 0.01, scale="difference").p_value < 0.001
    True"""

def fisher_exact(canary: _Counts, baseline: _Counts, alternative: _Alternative = "two-sided") -> FisherExact:
    """Fisher's exact test of two proportions, for one evaluation.

    Parameters
    ----------
    canary, baseline : (float, float)
        Events and trials, whole numbers.
    alternative : {"two-sided", "less", "greater"}
        "greater": the canary's rate is higher. "two-sided" sums the tables that are not more likely
        than the observed one.

    Returns
    -------
    FisherExact

    Raises
    ------
    StatsError
        For counts that are not whole numbers in range, an arm without trials, or more than about
        10^13 trials.

    Examples
    --------
    >>> import hotfix
    >>> test = hotfix.stats.fisher_exact((8, 20), (2, 25), alternative="greater")
    >>> round(test.p_value, 6), round(test.odds_ratio, 3)
    (0.01322, 7.667)"""

def hodges_lehmann(x: _Samples, y: _Samples, confidence: float = 0.95) -> Shift:
    """The Hodges-Lehmann estimate of the shift of `x` relative to `y`.

    Parameters
    ----------
    x, y : sequence of float
        Finite values, in any order.
    confidence : float, default 0.95
        Confidence of the two-sided interval.

    Returns
    -------
    Shift

    Raises
    ------
    StatsError
        For an empty sample, a value that is not finite, or an invalid confidence.

    Examples
    --------
    >>> import hotfix
    >>> slower = hotfix.stats.hodges_lehmann([14, 15, 16, 18], [10, 11, 12, 13], confidence=0.9)
    >>> slower.shift, slower.interval
    (4.0, (2.0, 7.0))"""

def ks_2samp(
    x: _Samples, y: _Samples, alternative: _Alternative = "two-sided", method: _TestMethod = "auto"
) -> KolmogorovSmirnov:
    """The Kolmogorov-Smirnov test of two samples, for one evaluation.

    Parameters
    ----------
    x, y : sequence of float
        Finite values, in any order.
    alternative : {"two-sided", "less", "greater"}
        As in SciPy, it refers to the distribution functions: "greater" finds an `x` whose values
        tend to be smaller.
    method : {"auto", "asymptotic", "exact"}
        "auto" is exact up to 10,000 against 10,000 values, or the same number of pairs.
        "asymptotic" gives SciPy's numbers: two-sided, the one-sample distribution with the
        effective sample size. They are 0 if the samples do not overlap.

    Returns
    -------
    KolmogorovSmirnov

    Raises
    ------
    StatsError
        For an empty sample or a value that is not finite, and with "exact" for samples that are too
        large.

    Examples
    --------
    >>> import hotfix
    >>> test = hotfix.stats.ks_2samp([1, 2, 3], [4, 5, 6])
    >>> test.statistic, round(test.p_value, 6)
    (1.0, 0.1)"""

def ks_from_counts(
    x: _Samples, y: _Samples, alternative: _Alternative = "two-sided", method: _TestMethod = "auto"
) -> KolmogorovSmirnov:
    """The Kolmogorov-Smirnov test of two histograms with the same buckets, for one evaluation.

    Parameters
    ----------
    x, y : sequence of float
        Whole counts of each bucket, in order, not cumulative.
    alternative, method
        As in `ks_2samp`.

    Returns
    -------
    KolmogorovSmirnov

    Raises
    ------
    StatsError
        As `mann_whitney_from_counts` and `ks_2samp`.

    Examples
    --------
    >>> import hotfix
    >>> hotfix.stats.ks_from_counts([5, 40, 55], [50, 35, 15]).assumptions
    ['ties', 'binned']"""

def mann_whitney_from_counts(
    x: _Samples, y: _Samples, alternative: _Alternative = "two-sided", continuity: bool = True
) -> MannWhitney:
    """The Mann-Whitney U test of two histograms with the same buckets, for one evaluation.

    Parameters
    ----------
    x, y : sequence of float
        Whole counts of each bucket, in order, not cumulative.
    alternative : {"two-sided", "less", "greater"}
        "greater": values of `x` tend to be larger.
    continuity : bool
        Whether the normal approximation has a continuity correction.

    Returns
    -------
    MannWhitney

    Raises
    ------
    StatsError
        If the lengths differ, a histogram is empty, or counts are not whole numbers in range.

    Examples
    --------
    >>> import hotfix
    >>> hotfix.stats.mann_whitney_from_counts([5, 40, 55], [50, 35, 15]).common_language
    0.79125"""

def mann_whitney_u(
    x: _Samples,
    y: _Samples,
    alternative: _Alternative = "two-sided",
    method: _TestMethod = "auto",
    continuity: bool = True,
) -> MannWhitney:
    """The Mann-Whitney U test of two samples, for one evaluation.

    Parameters
    ----------
    x, y : sequence of float
        Finite values, in any order: a list, a tuple, an array of doubles.
    alternative : {"two-sided", "less", "greater"}
        "greater": values of `x` tend to be larger.
    method : {"auto", "asymptotic", "exact"}
        "auto" is exact if one sample has at most 8 values and no values are tied.
    continuity : bool
        Whether the normal approximation has a continuity correction; it is always corrected for
        ties.

    Returns
    -------
    MannWhitney

    Raises
    ------
    StatsError
        For an empty sample or a value that is not finite, and with "exact" for samples that are too
        large or have ties.

    Examples
    --------
    >>> import hotfix
    >>> test = hotfix.stats.mann_whitney_u([9.0, 8.0, 7.5], [1.0, 2.0, 3.0, 7.0], alternative="greater")
    >>> test.u, round(test.p_value, 6), test.common_language
    (12.0, 0.028571, 1.0)"""

def newcombe(canary: _Counts, baseline: _Counts, confidence: float = 0.95) -> tuple[float, float]:
    """Newcombe's interval for the canary's proportion minus the baseline's; valid for one evaluation
    only.

    Parameters
    ----------
    canary, baseline : (float, float)
        Events and trials.
    confidence : float, default 0.95
        Two-sided.

    Returns
    -------
    (float, float)

    Raises
    ------
    StatsError
        For invalid counts or an invalid confidence.

    Examples
    --------
    >>> import hotfix
    >>> low, high = hotfix.stats.newcombe((56, 70), (48, 80))
    >>> round(low, 4), round(high, 4)
    (0.0524, 0.3339)"""

def non_inferiority(canary: _Counts, baseline: _Counts, margin: float, scale: _Scale = "ratio") -> NonInferiority:
    """Farrington and Manning's test that the canary is not worse than the baseline by a margin, for
    one evaluation.

    Parameters
    ----------
    canary, baseline : (float, float)
        Bad events, and trials.
    margin : float
        The null hypothesis: the canary's rate is at least `margin` times the baseline's, or at
        least `margin` above it.
    scale : {"ratio", "difference"}
        Whether `margin` is a ratio or a difference.

    Returns
    -------
    NonInferiority

    Raises
    ------
    StatsError
        For invalid counts, an arm without trials, or an invalid margin.

    Examples
    --------
    >>> import hotfix
    >>> test = hotfix.stats.non_inferiority((30, 10_000), (270, 90_000), margin=2.0)
    >>> test.z < -3, test.p_value < 0.001
    (True, True)"""

def poisson_ratio(
    canary: _Counts,
    baseline: _Counts,
    ratio: float = 1.0,
    alternative: _Alternative = "two-sided",
    confidence: float = 0.95,
) -> PoissonRatio:
    """The exact conditional test of the ratio of two rates, for one evaluation.

    Parameters
    ----------
    canary, baseline : (float, float)
        Events and exposure, in any unit that is the same for both.
    ratio : float, default 1.0
        The canary's rate divided by the baseline's under the null hypothesis.
    alternative : {"two-sided", "less", "greater"}
        "greater": the true ratio is greater than `ratio`.
    confidence : float, default 0.95
        Confidence of the two-sided interval.

    Returns
    -------
    PoissonRatio

    Raises
    ------
    StatsError
        For events that are not whole numbers in range, an arm without exposure, or an invalid ratio
        or confidence.

    Examples
    --------
    >>> import hotfix
    >>> test = hotfix.stats.poisson_ratio((12, 60.0), (27, 540.0), alternative="greater")
    >>> test.ratio, test.p_value < 0.001
    (4.0, True)"""

@final
class BadInstance:
    """Find the canary instance that is worse than the others: a plain test of each instance against
    the rest, at ``alpha/k`` each.

    Parameters
    ----------
    canary : sequence of str
        The canary's instances, at least two.
    alpha : float, default 0.01
        Probability of ever naming an instance while all are alike and errors are independent.
    tolerated, grid, weights
        As in `RateRatio`.

    Raises
    ------
    StatsError
        For fewer than two instances, or a name that occurs twice.

    Examples
    --------
    >>> import hotfix
    >>> hotfix.stats.BadInstance(["a", "b", "c"]).update({"a": (9, 100), "b": (0, 100), "c": (1, 100)})
    ['a']"""
    @property
    def found(self) -> list[str]:
        """The instances that were found bad."""
    @staticmethod
    def from_bytes(bytes: bytes | bytearray) -> BadInstance:
        """Restore the tests that `to_bytes` wrote.

        Raises
        ------
        StatsError
            For bytes that are not a saved test."""
    @property
    def log_e(self) -> dict[str, float]:
        """Log evidence of each instance against the others."""
    @property
    def threshold(self) -> float:
        """The log evidence at which an instance is named: ``log(k/alpha)``."""
    def __new__(
        cls,
        canary: Sequence[str],
        alpha: float = 0.01,
        tolerated: float = 1.0,
        *,
        grid: Sequence[float] | None = None,
        weights: Sequence[float] | None = None,
    ) -> BadInstance: ...
    def to_bytes(self) -> bytes:
        """Settings and evidence as bytes."""
    def update(self, canary: Mapping[str, _Counts]) -> list[str]:
        """Add the counts of one tick.

        Parameters
        ----------
        canary : mapping
            ``{instance: (events, trials)}``; an instance that is left out has no data.

        Returns
        -------
        list of str
            The instances that were found bad, in this tick or before: replace them.

        Raises
        ------
        StatsError
            For invalid counts or an unknown instance."""

@final
class Randomisation:
    """A randomisation test: compares the canary with random subsets of the instances. It is exact for
    any noise if the canary's instances were drawn at random.

    Evidence is compared at fixed ticks (3, 6, 12, 18, 30, 60, 120, 210 and 300 unless `evaluations`
    gives others). At each of them the test spends a part of its budget on the subsets with the most
    evidence, and it decides when the canary is one of these. Until then `p_value` is 1; afterwards
    it is the canary's rank among the spent subsets, divided by the number of all subsets.

    Parameters
    ----------
    instances : sequence of str
        Every instance of the service.
    canary : sequence of str
        Those that run the new version. At least about 2,000 subsets of this size should be
        possible: 10 of 20 instances, or 5 of 50.
    alpha : float, default 0.01
        Probability of ever rolling back a release that changes nothing.
    subsets : int, default 2000
        The number of subsets, including the canary.
    seed : int, default 0
        Seed of the random subsets; record it with the rollout.
    tolerated, grid, weights
        As in `RateRatio`.
    evaluations : sequence of int, optional
        Ticks at which evidence is compared.
    budget : sequence of float, optional
        For each evaluation, the part of ``alpha * subsets`` that may be spent up to it.
    zones : sequence of sequence of str, optional
        Draw within zones: each zone's instances; every instance belongs to one zone.

    Raises
    ------
    StatsError
        If ``alpha * subsets < 1``, and for other invalid settings or names.

    Examples
    --------
    >>> import hotfix
    >>> pods = [f"pod-{pod:02}" for pod in range(20)]
    >>> test = hotfix.stats.Randomisation(pods, pods[:10], seed=7)
    >>> for _ in range(3):
    ...     evidence = test.update({pod: [1 if pod in pods[:10] else 0, 50] for pod in pods})
    >>> evidence.decided, evidence.p_value
    (True, 0.0005)"""
    @property
    def evidence(self) -> Evidence:
        """The evidence so far."""
    @staticmethod
    def from_bytes(bytes: bytes | bytearray) -> Randomisation:
        """Restore the test that `to_bytes` wrote.

        Raises
        ------
        StatsError
            For bytes that are not a saved test."""
    @property
    def threshold(self) -> float:
        """The smallest log evidence at which the test can decide: ``log(1/alpha)``."""
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
    def to_bytes(self) -> bytes:
        """Settings and evidence of every subset as bytes: about 150 kB for 2,000 subsets."""
    def update(self, counts: Mapping[str, _Counts]) -> Evidence:
        """Add the counts of one tick.

        Parameters
        ----------
        counts : mapping
            ``{instance: [events, trials]}``; an instance that is left out has no data.

        Returns
        -------
        Evidence
            The canary's evidence; `decided` is True if the test has decided to roll back.

        Raises
        ------
        StatsError
            For invalid counts or an unknown instance; the test is unchanged."""

@final
class ImportFault(_Document):
    """A fault that prevents an import."""
    @property
    def code(self) -> str:
        """A stable code."""
    @property
    def column(self) -> int:
        """The column, from 1, in characters."""
    @property
    def document(self) -> int:
        """The number of the document in the text, from 0."""
    @property
    def line(self) -> int:
        """The line, from 1."""
    @property
    def message(self) -> str:
        """What is wrong, and what to do."""
    @property
    def path(self) -> str:
        """The place: a JSON Pointer into the document."""

@final
class ImportFinding(_Document):
    """A finding of an import."""
    @property
    def code(self) -> str:
        """A stable code."""
    @property
    def column(self) -> int:
        """The column, from 1, in characters."""
    @property
    def document(self) -> int:
        """The number of the document in the text, from 0."""
    @property
    def level(self) -> _Level:
        """Its level: "deny", "warn" or "note"."""
    @property
    def line(self) -> int:
        """The line, from 1."""
    @property
    def message(self) -> str:
        """The setting that was lost or changed."""
    @property
    def path(self) -> str:
        """The place: a JSON Pointer into the document."""
    @property
    def remedy(self) -> str:
        """What to do about it."""

@final
class Imported(_Document):
    """The result of an import."""
    @property
    def findings(self) -> list[ImportFinding]:
        """The findings, in the order of the source: what has no counterpart, what behaves
        differently, and what was filled in."""
    @property
    def kind(self) -> _ImportKind:
        """The tool of the documents: "argo_rollouts", "flagger", "kayenta" or "openslo"."""
    @property
    def policy(self) -> Policy:
        """The policy, checked like any other."""
    @property
    def text(self) -> str:
        """The policy as TOML, with every default written out."""

def convert(text: str, kind: _ImportKind | None = None) -> Imported:
    """Import documents of another tool as one policy.

    Argo Rollouts' ``Rollout``, ``AnalysisTemplate`` and ``ClusterAnalysisTemplate``, Flagger's
    ``Canary`` and ``MetricTemplate``, Kayenta's configurations, and OpenSLO's ``SLO`` with what it
    refers to. Every key is mapped, or named by a finding, or has no meaning for a policy;
    `docs/import.md` lists them.

    Parameters
    ----------
    text : str
        YAML or JSON, at most 1 MiB; several documents are joined by their references.
    kind : {"argo_rollouts", "flagger", "kayenta", "openslo"}, optional
        The tool of the documents; by default it is recognised from them.

    Returns
    -------
    Imported

    Raises
    ------
    ConvertError
        With every fault, each with line and column.
    InputError
        If `kind` is not one of these.

    Examples
    --------
    >>> import hotfix
    >>> imported = hotfix.convert('''
    ... apiVersion: argoproj.io/v1alpha1
    ... kind: Rollout
    ... metadata: {name: checkout}
    ... spec:
    ...   strategy:
    ...     canary:
    ...       trafficRouting: {nginx: {stableIngress: checkout}}
    ...       steps: [{setWeight: 20}, {pause: {duration: 10m}}, {setWeigth: 50}]
    ... ''')
    >>> [str(phase["share"]) for phase in imported.policy.to_dict()["phases"]]
    ['0.2', '1']
    >>> [(f.path, f.line) for f in imported.findings if f.code == "HF-CONV-020"]
    [('/spec/strategy/canary/steps/2/setWeigth', 9)]"""

@final
class GroupScore(_Document):
    """The result of a group."""
    @property
    def labels(self) -> dict[_KayentaLabel, int]:
        """The number of its metrics by classification."""
    @property
    def name(self) -> str:
        """Its name."""
    @property
    def no_data(self) -> bool:
        """Whether none of its metrics could be judged: the score then counts it as 100."""
    @property
    def score(self) -> float:
        """Passed metrics per 100 that could be judged; 0 if none could be judged."""
    @property
    def weight(self) -> float:
        """Its weight in the score, in per cent."""

@final
class Judgement(_Document):
    """The judgement of a configuration."""
    @property
    def classification(self) -> _KayentaOutcome:
        """By the thresholds: "Pass", "Marginal" or "Fail"."""
    @property
    def exact_classification(self) -> _KayentaOutcome:
        """The classification by `exact_score`."""
    @property
    def exact_score(self) -> float:
        """The score with the exact classifications."""
    @property
    def findings(self) -> list[KayentaFinding]:
        """Faults that Kayenta ignores silently."""
    @property
    def groups(self) -> list[GroupScore]:
        """The groups, in the order in which the metrics name them."""
    @property
    def metrics(self) -> list[MetricResult]:
        """The metrics, in the order of the configuration."""
    @property
    def reason(self) -> str | None:
        """The reason why the score is 0 regardless of the groups; otherwise None."""
    @property
    def score(self) -> float:
        """The score, 0 to 100, to two decimals."""

@final
class KayentaFinding(_Document):
    """A fault that Kayenta ignores silently: an unknown key or word, or weights that do not sum to 100."""
    @property
    def code(self) -> str:
        """A stable code such as ``"HF-KAY-010"``."""
    @property
    def message(self) -> str:
        """The fault and the remedy, in a sentence."""
    @property
    def path(self) -> str:
        """The place in the configuration, a JSON Pointer."""

@final
class MetricResult(_Document):
    """The result of a metric, with the numbers that it is based on."""
    @property
    def classification(self) -> _KayentaLabel:
        """Kayenta's classification: "Pass", "High", "Low", "Nodata", "NodataFailMetric" or
        "Error"."""
    @property
    def control(self) -> dict[str, Any]:
        """The control after preparation: n, missing, outliers, mean, median."""
    @property
    def critical(self) -> bool:
        """Whether it fails the whole judgement, as in Kayenta."""
    @property
    def differs(self) -> bool:
        """Whether the classification differs from the exact one because of Kayenta's root finder."""
    @property
    def effect(self) -> float | None:
        """The effect size by the configured measure; None if the ratio is None or nothing was
        compared."""
    @property
    def estimate(self) -> float | None:
        """Estimate of the shift, as Kayenta's root finder finds it."""
    @property
    def exact(self) -> _KayentaLabel:
        """The classification by the exact interval and estimate."""
    @property
    def exact_critical(self) -> bool:
        """Whether `exact` would fail the whole judgement."""
    @property
    def exact_estimate(self) -> float | None:
        """The exact estimate: the median of all differences between a point of the experiment and
        one of the control."""
    @property
    def exact_interval(self) -> tuple[float, float] | None:
        """The exact interval for the shift."""
    @property
    def experiment(self) -> dict[str, Any]:
        """The experiment after preparation."""
    @property
    def findings(self) -> list[KayentaFinding]:
        """Faults that Kayenta ignores silently; a judgement has those of all metrics."""
    @property
    def groups(self) -> list[str]:
        """The groups that it belongs to."""
    @property
    def interval(self) -> tuple[float, float] | None:
        """Interval for the shift from control to experiment, as Kayenta's root finder finds it;
        its ends may be swapped."""
    @property
    def muted(self) -> bool:
        """Whether it is judged but not counted in the score."""
    @property
    def name(self) -> str:
        """The metric's name."""
    @property
    def note(self) -> str | None:
        """A note for the reader of this result."""
    @property
    def ratio(self) -> float | None:
        """Mean of the experiment divided by mean of the control; 1 if nothing was compared, None
        if a compared mean is 0."""
    @property
    def reason(self) -> str | None:
        """The reason, in a sentence; None for an ordinary pass."""

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
) -> MetricResult:
    """Classify one metric and give the result of Kayenta's judge.

    Parameters
    ----------
    control, experiment : sequence of float or None
        The samples; None and NaN are missing points.
    direction : str, default "either"
        The direction in which the metric must not move: "increase", "decrease" or "either"; any
        other word means "either".
    nan_strategy : str, default "remove"
        How missing points are handled: "remove", or "replace" by 0; any other word means "remove".
    critical, must_have_data : bool, default False
        Whether its failure fails the whole judgement; whether a sample without points fails the
        metric.
    effect_size : dict, optional
        Kayenta's: ``measure`` ("meanRatio" or "cles"), ``allowedIncrease``, ``allowedDecrease``,
        ``criticalIncrease``, ``criticalDecrease``.
    outliers : dict or str, optional
        Kayenta's: ``strategy`` ("keep" or "remove") and ``outlierFactor``; or the strategy alone.
    tolerance : float, default 0.25
        The distance of the interval from 0 that is required, as a fraction of the estimate.
    confidence : float, default 0.98
        Of the two-sided interval.

    Returns
    -------
    MetricResult

    Raises
    ------
    KayentaError
        For invalid points or settings.

    Examples
    --------
    >>> from hotfix import kayenta
    >>> result = kayenta.classify([12, 14, None, 13, 12, 15, 11], [19, 22, 24, 20, 19, 23, 25], direction="increase")
    >>> result.classification, result.exact, result.control["missing"]
    ('High', 'High', 1)
    >>> rare = kayenta.classify([0, 0, 0, 0, 0, 0], [0, 1, 2, 1, 0, 0])  # Kayenta's issue 426
    >>> rare.classification, rare.exact_interval
    ('Pass', (0.0, 2.0))"""

def judge(
    config: Mapping[str, Any] | str,
    samples: Mapping[str, Mapping[str, _KayentaSample]] | str,
    pass_score: float | None = None,
    marginal_score: float | None = None,
) -> Judgement:
    """Judge samples with a Kayenta configuration, and give Kayenta's result.

    Parameters
    ----------
    config : dict or str
        Kayenta's canary configuration; as text it is JSON.
    samples : dict or str
        For each metric ``{"control": [...], "experiment": [...]}``; None and NaN are missing
        points.
    pass_score, marginal_score : float, optional
        The lowest score that passes, and the lowest that is marginal; by default the
        configuration's ``scoreThresholds``.

    Returns
    -------
    Judgement

    Raises
    ------
    KayentaError
        With code and place, for a configuration or samples that cannot be judged; for text that is
        not JSON with line and column.

    Examples
    --------
    >>> from hotfix import kayenta
    >>> config = {
    ...     "metrics": [
    ...         {"name": "errors", "groups": ["errors"]},
    ...         {"name": "latency", "groups": ["speed"], "analysisConfigurations": {"canary": {"direction": "increase"}}},
    ...     ],
    ...     "classifier": {"groupWeights": {"errors": 60, "speed": 40}},
    ... }
    >>> samples = {
    ...     "errors": {"control": [3, 1, 2, 4], "experiment": [2, 3, 1, 2]},
    ...     "latency": {"control": [10, 11, 12], "experiment": [20, 21, 22]},
    ... }
    >>> verdict = kayenta.judge(config, samples, 75, 50)
    >>> verdict.score, verdict.classification
    (60.0, 'Marginal')
    >>> [(metric.name, metric.classification) for metric in verdict.metrics]
    [('errors', 'Pass'), ('latency', 'High')]"""

@final
class Latency:
    """A sequential test of whether the canary is slower than the baseline. It may be evaluated at
    every tick.

    By chance alone its e-value ever reaches ``1/alpha`` with probability at most `alpha`, however
    often it is evaluated.

    Parameters
    ----------
    boundaries : sequence of float
        Ascending, 1 to 12, in the unit of the readings: see `latency_boundaries`. They stay for the
        whole rollout.
    direction : {"worse", "better"}, default "worse"
        The claim to show: that the canary is slower than `tolerated`, or better than `margin`.
    alpha : float, default 0.01
        Probability of ever deciding while the null hypothesis is true.
    tolerated : float, default 1.0
        With "worse": the tolerated ratio of slow requests at every boundary. At 1 all buckets are
        tested jointly, which detects a fault sooner.
    margin : float, default 2.0
        With "better": the null hypothesis is that slow requests are at least this many times the
        baseline's.
    cap : float, optional
        Upper limit of the log evidence that one tick may add to a term. Use 0.5 to 0.7 for a
        comparison of before and after, with an evaluation every 1 to 2 s.
    threshold : float, optional
        Log evidence at which the test decides; default ``log(1/alpha)``.
    mode : {"independent", "clustered"}, default "independent"
        The assumption about the requests of one tick. "clustered" assumes nothing, and detects a
        fault later.
    prior_trials : float, optional
        Number of prior requests of the estimated rates; default 5.
    temper : float, default 1.0
        Factor on every gain, above 0 and at most 1: evidence under noise is worth less.
    quantile : float, optional
        With "better": the claim has to be shown at each boundary up to the one at or above this
        quantile of the baseline. Default: on average over the boundaries.

    Raises
    ------
    StatsError
        For invalid settings.

    Examples
    --------
    >>> import hotfix
    >>> test = hotfix.stats.Latency([0.1, 0.25, 0.5])
    >>> for _ in range(5):  # every canary request takes half as long again
    ...     evidence = test.update(
    ...         {"le": [0.1, 0.25, 0.5], "counts": [25, 78, 95], "count": 100},
    ...         {"le": [0.1, 0.25, 0.5], "counts": [450, 855, 891], "count": 900},
    ...     )
    >>> evidence.decided
    True"""
    @property
    def boundaries(self) -> list[float]:
        """The boundaries, ascending."""
    @property
    def evidence(self) -> Evidence:
        """The evidence so far; the ratio is that of requests slower than the boundary with the
        strongest evidence."""
    @property
    def form(self) -> _LatencyForm:
        """The form of the test: "joint" (all buckets together), "boundaries" (each by itself) or
        "clustered"."""
    @staticmethod
    def from_bytes(bytes: bytes | bytearray) -> Latency:
        """Restore the test that `to_bytes` wrote.

        Raises
        ------
        StatsError
            For bytes that are not a saved test."""
    @property
    def threshold(self) -> float:
        """The log evidence at which the test decides."""
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
        temper: float = 1.0,
        quantile: float | None = None,
    ) -> Latency: ...
    def to_bytes(self) -> bytes:
        """Boundaries, settings and evidence as bytes."""
    def update(self, canary: Mapping[str, object], baseline: Mapping[str, object]) -> Evidence:
        """Add the counts of one tick.

        Parameters
        ----------
        canary, baseline : {"le", "counts", "count"} or {"samples"}
            As in a rollout's observation: cumulative buckets, of which every boundary is an edge,
            or raw times.

        Returns
        -------
        Evidence

        Raises
        ------
        StatsError
            For invalid readings; the test is unchanged."""

def latency_boundaries(baseline: Mapping[str, object]) -> list[float]:
    """Choose boundaries for a latency test from the baseline's latencies before the phase.

    They are near its p50, p75, p90, p95 and p99, and at twice the p99. With buckets they are the
    nearest bucket edges.

    Parameters
    ----------
    baseline : {"le", "counts", "count"} or {"samples"}
        The window before the phase. Boundaries that are chosen from the tested data make the test
        invalid.

    Returns
    -------
    list of float
        1 to 6, ascending.

    Raises
    ------
    StatsError
        For invalid readings, and readings without any latency.

    Examples
    --------
    >>> import hotfix
    >>> hotfix.stats.latency_boundaries({"samples": [ms / 1000 for ms in range(1, 1001)]})
    [0.5, 0.75, 0.9, 0.95, 0.99, 1.98]"""

def cdevents(
    log: str | bytes | bytearray, *, source: str = "hotfix", environment: str = "production", ticket: str | None = None
) -> list[dict[str, Any]]:
    """Export a log as CDEvents 0.4.1 in CloudEvents 1.0. The same log gives the same ids.

    Parameters
    ----------
    log : str or bytes
        All lines.
    source : str, default "hotfix"
        The sender of the events: a URI reference.
    environment : str, default "production"
        The environment that the service runs in.
    ticket : str, optional
        The URI of the incident's ticket; without it there is no ``incident.reported`` event.

    Returns
    -------
    list of dict

    Raises
    ------
    LogError
        If the log is broken.
    ReportError
        For a setting that is not valid.

    Examples
    --------
    >>> import hotfix
    >>> incident = {"id": "INC-2041", "detected_at": "2026-03-03T14:06:00Z"}
    >>> plan = hotfix.Policy.preset("phased-canary").plan(incident, {"version": "2.3.1", "previous": "2.3.0"})
    >>> rollout = hotfix.Rollout(plan)
    >>> _ = rollout.handle("2026-03-03T14:08:00Z", {"kind": "note", "by": "lena", "text": "payments fail"})
    >>> [(event["type"], event["time"]) for event in hotfix.cdevents(rollout.log())]
    [('dev.cdevents.incident.detected.0.2.0', '2026-03-03T14:06:00.000Z')]"""

def dora(logs: Sequence[str | bytes | bytearray], by: _Period = "month") -> dict[str, Any]:
    """Compute DORA's four keys over many logs, each incident once, in any order.

    Times are Kaplan-Meier medians, which include open incidents. If too many are open, a median has
    ``at_least`` instead of ``seconds``.

    Parameters
    ----------
    logs : list of str or bytes
        Whole logs.
    by : {"month", "week"}, default "month"
        Length of the periods, in UTC.

    Returns
    -------
    dict
        ``by``, ``logs`` (their number), ``periods``, ``whole`` and ``clocks`` (the events from
        which lead times count). A period has ``deployments``, ``outcomes``,
        ``change_failure_rate``, ``lead_time`` and ``time_to_restore``.

    Raises
    ------
    LogError
        If a log is broken.
    ReportError
        If two logs are of the same incident, as a log and its redacted copy.

    Examples
    --------
    >>> import hotfix
    >>> hotfix.dora([])["whole"]["deployments"]
    0"""

def dora_chart(logs: Sequence[str | bytes | bytearray], by: _Period = "month") -> dict[str, str] | None:
    """DORA's four keys as a chart.

    Parameters
    ----------
    logs : list of str or bytes
        Whole logs.
    by : {"month", "week"}, default "month"
        Length of the periods.

    Returns
    -------
    dict or None
        ``svg``, and ``text``, which describes what the chart shows; None if there is no period."""

def dora_markdown(logs: Sequence[str | bytes | bytearray], by: _Period = "month") -> str:
    """DORA's four keys as a table in Markdown, one row for each period.

    Parameters
    ----------
    logs : list of str or bytes
        Whole logs.
    by : {"month", "week"}, default "month"
        Length of the periods.

    Returns
    -------
    str"""

def grafana_annotations(log: str | bytes | bytearray) -> list[dict[str, Any]]:
    """Export a log as Grafana annotations: each is a body for ``POST /api/annotations``.

    Parameters
    ----------
    log : str or bytes
        All lines.

    Returns
    -------
    list of dict
        ``time`` and, for a region that has ended, ``timeEnd`` in milliseconds since 1970; ``tags``
        and ``text``.

    Raises
    ------
    LogError
        If the log is broken."""

def measures(log: str | bytes | bytearray) -> dict[str, Any]:
    """Measure an incident from its log.

    Parameters
    ----------
    log : str or bytes
        All lines.

    Returns
    -------
    dict
        ``incident``, ``version``, ``attempts``, ``state``, ``at`` and ``measures``, and if known
        ``service`` and ``severity``. A measure has ``name``, ``status`` (known, open, not_stated or
        not_asked), its value under its type (``seconds``, ``yes``, ``share``, ``count``,
        ``objective``, ``requests``, ``error_rate``, ``facts``), ``from`` and ``to``, the moments
        between which it was measured, and a ``sentence``. An open measure has the value so far and
        ``until``: open; one that was not stated or not asked for has no value.

    Raises
    ------
    LogError
        If the log is broken.

    Examples
    --------
    >>> import hotfix
    >>> incident = {"id": "INC-2041", "began_at": "2026-03-03T14:02:00Z", "detected_at": "2026-03-03T14:06:00Z"}
    >>> plan = hotfix.Policy.preset("phased-canary").plan(incident, {"version": "2.3.1", "previous": "2.3.0"})
    >>> rollout = hotfix.Rollout(plan)
    >>> _ = rollout.handle("2026-03-03T14:08:00Z", {"kind": "note", "by": "lena", "text": "payments fail"})
    >>> measures = {each["name"]: each for each in hotfix.measures(rollout.log())["measures"]}
    >>> measures["time_to_detect"]["seconds"], measures["time_to_recover"]["status"]
    (240.0, 'open')
    >>> measures["users_affected"]["sentence"]
    'the share of affected users is not recorded'"""

def measures_markdown(log: str | bytes | bytearray) -> str:
    """The measures of an incident as a table in Markdown.

    Parameters
    ----------
    log : str or bytes
        All lines.

    Returns
    -------
    str"""

def similar(
    known: str | bytes | Mapping[str, object], logs: Sequence[str | bytes | bytearray], policy: Policy | None = None
) -> list[dict[str, Any]]:
    """Find incidents that are similar to a given one, by their facts, the most similar first.

    Parameters
    ----------
    known : str, bytes or mapping
        The incident: its log, or its facts by name.
    logs : list of str or bytes
        Whole logs. The incident's own is left out.
    policy : Policy, optional
        The policy that defines custom facts. Without it only the built-in facts are known; a log
        contains its own policy.

    Returns
    -------
    list of dict
        Each with ``log`` (its index), ``incident``, ``score`` from 0 to 1, ``agree``, ``differ``,
        ``unknown``, ``state``, ``version`` and, if known, ``recovered_after`` in seconds.

    Raises
    ------
    LogError
        If a log is broken.
    ReportError
        For an unknown fact, or a fact of another type.

    Examples
    --------
    >>> import hotfix
    >>> incident = {"id": "INC-7", "service": "payments", "facts": {"memory_leak": True}}
    >>> rollout = hotfix.Rollout(hotfix.Policy.preset("fast-track").plan(incident, {"version": "2", "previous": "1"}))
    >>> _ = rollout.handle("2026-03-03T14:08:00Z", {"kind": "note", "by": "lena", "text": "it leaks"})
    >>> [found] = hotfix.similar({"service": "payments", "memory_leak": True}, [rollout.log()])
    >>> found["incident"], found["score"]
    ('INC-7', 1.0)"""

@final
class Method(_Document):
    """A rollback method and its duration."""
    @property
    def kind(self) -> _RollbackMethod:
        """The method, such as ``feature_flag``."""
    @property
    def seconds(self) -> float | None:
        """How long it takes; None if that is not known."""

@final
class Phase(_Document):
    """One phase of a plan. Durations are `timedelta` as attributes and seconds in `to_dict`."""
    @property
    def criteria_missed(self) -> _Response:
        """What happens when the minimum time has passed and a success bound is not met."""
    @property
    def deploy(self) -> timedelta:
        """The expected duration of the deployment."""
    @property
    def gate(self) -> _GateMode:
        """How it is promoted: ``automatic``, ``manual`` or ``veto``."""
    @property
    def inconclusive(self) -> _Response:
        """What happens when the maximum time has passed without a decision."""
    @property
    def name(self) -> str:
        """Its name, unique in the plan."""
    @property
    def objective(self) -> str:
        """Its objective."""
    @property
    def promotion(self) -> _PromotionRule:
        """Its promotion criterion."""
    @property
    def share(self) -> float:
        """The canary's share of the traffic, from 0 to 1."""
    @property
    def watch(self) -> timedelta:
        """The minimum time to watch before its gate."""
    @property
    def watch_most(self) -> timedelta | None:
        """The maximum time to watch; None without a limit."""

@final
class Plan(_Document):
    """A plan for one hot-fix: a policy, an incident, a release and its traffic. Immutable.

    Made by `Policy.plan`.

    Examples
    --------
    >>> import hotfix
    >>> plan = hotfix.Policy.preset("phased-canary").plan(
    ...     {"id": "INC-2041", "severity": "P1"},
    ...     {"version": "2.3.1", "previous": "2.3.0",
    ...      "methods": [{"kind": "redeploy", "seconds": 150}, {"kind": "feature_flag", "seconds": 5}]},
    ... )
    >>> [method.kind for method in plan.methods]
    ['feature_flag', 'redeploy']"""
    @property
    def advice(self) -> list[dict[str, Any]]:
        """Dos, don'ts and pitfalls, each with the part of this plan that ensures it: ``[{"id", "kind",
        "text", "shown_by", "seen_to_by"}, …]``. Without ``seen_to_by`` nothing checks the advice
        automatically."""
    @property
    def assessment(self) -> dict[str, Any]:
        """The severity with its reasons, as a dict: the rules that apply, the facts that are still
        unknown, and the policy's name for it."""
    @property
    def calibration(self) -> dict[str, Any]:
        """The calibration of the tests from the service's own history, as a dict by metric; empty
        without a history.

        ``{metric: {"history", "phases": [{"phase", "calibration": {"threshold", "cap", …}}, …]}}``;
        of a latency ``slow`` has the limits; without limits ``without`` gives the reason."""
    @property
    def change_record(self) -> dict[str, Any]:
        """The plan's change record, as a dict: who made it, when, its change window, links, and what
        is ``missing``."""
    @property
    def commands(self) -> list[dict[str, Any]]:
        """The commands that the policy has for checklist items, phases and steps, with this plan's
        values: ``[{"of", "id", "title", "commands": [{"line", "missing"}]}, …]``. A value is quoted
        for a POSIX shell; one that is not known remains a placeholder and is in ``missing``. Nothing
        is run.

        Examples
        --------
        >>> import hotfix
        >>> policy = hotfix.Policy.preset("enterprise")
        >>> plan = policy.plan({"id": "INC-1"}, {"version": "2.3.1", "previous": "2.3.0", "branch": "hotfix/a b"})
        >>> [owner["commands"][0]["line"] for owner in plan.commands if owner["id"] == "staging_health"]
        ["./deploy.sh 'hotfix/a b' staging"]"""
    @property
    def contacts(self) -> dict[str, Any]:
        """Whom to call, as a dict: ``{"escalation", "roles", "vendors"}``. A role is ``{"role",
        "title", "holders": [{"name", "reach"}], "reach", "stand_in", "stand_ins"}``."""
    @property
    def demands(self) -> dict[str, Any]:
        """The requirements of the plan's severity: approvals, review, testing, and whether staging may
        be left out.

        ``{"severity", "basis", "would_tell", "in_policy", "label", "hotfix", "process",
        "approvals", "review", "testing"}``; ``basis`` is ``"given"``, ``"settled"``, ``"assumed"``
        or ``"unknown"``. Times are seconds.

        Examples
        --------
        >>> import hotfix
        >>> policy = hotfix.Policy.preset("severity-matrix")
        >>> plan = policy.plan({"id": "INC-2041", "severity": "P0"}, {"version": "2.3.1", "previous": "2.3.0"})
        >>> plan.demands["testing"]["staging"]
        {'verdict': 'unknown', 'would_tell': ['service_down', 'no_staging']}"""
    @property
    def digest(self) -> str:
        """SHA-256 of policy, incident, release, traffic and calibration in canonical JSON."""
    @property
    def duration(self) -> dict[str, Any]:
        """The duration, in seconds: ``{"rollout", "until_live", "until_complete", "procedure"}``,
        each ``{"least", "most", "parts"}``.

        The rollout counts from the first deployment, the others from the detection; unknown
        durations are left out.

        Examples
        --------
        >>> import hotfix
        >>> plan = hotfix.Policy.preset("fast-track").plan({"id": "INC-1"}, {"version": "2", "previous": "1"})
        >>> plan.duration["procedure"]["least"], plan.duration["procedure"]["most"]
        (1680.0, 2400.0)"""
    @property
    def findings(self) -> list[_PlanFinding]:
        """Findings that the person who starts the plan should know, the most important first:
        ``[{"kind", "text"}, …]``."""
    @property
    def first_steps(self) -> list[dict[str, Any]]:
        """What has to be done first: ``[{"kind", "text", "holds_start", "within", "who"}, …]``: what
        people do at once, then what the start waits for. `Rollout.blockers` is what is still open."""
    @property
    def follow_up(self) -> dict[str, Any]:
        """What happens after the fix is live, as a dict: ``{"validation", "gate", "lists",
        "duties"}``."""
    @property
    def incident(self) -> dict[str, Any]:
        """The incident, as a dict."""
    @property
    def methods(self) -> list[Method]:
        """The rollback methods, the fastest first; at least one."""
    @property
    def phases(self) -> list[Phase]:
        """The phases of this plan's strategy, in order."""
    @property
    def policy(self) -> Policy:
        """The policy that it follows."""
    @property
    def power(self) -> dict[str, Any]:
        """The power analysis of the plan, as a dict: which faults each phase can detect, before
        anything is deployed.

        ``phases`` has one entry for each phase for the leading metric, the error rate:
        ``expected_events`` of a healthy fix, ``healthy_passes`` (the probability that it meets the
        gate with exactly the planned requests), ``false_rollback`` by the sequential test, ``faults`` of
        1.5 to 20 times the reference (``passes``, rolled back by ``plain`` bounds, detected by the
        ``sequential`` test, each with ``chance`` and whether it is ``approximate``; ``minutes``
        until then and ``requests_affected``), and ``smallest_ratio``, which the test detects with
        probability 0.8. ``all_gates`` is the probability that a healthy fix passes all gates by this
        metric. Without a reference ``phases`` and ``all_gates`` are absent, and ``missing`` says
        what the analysis lacks. ``advice`` lists changes that would improve the power. Each access computes it, which
        takes tens of milliseconds: keep the result.

        Examples
        --------
        >>> import hotfix
        >>> policy = hotfix.Policy.preset("phased-canary")
        >>> plan = policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"})
        >>> power = plan.power
        >>> [round(phase["expected_events"], 9) for phase in power["phases"]]
        [3.0, 15.0, 90.0]
        >>> [round(100 * (1 - phase["healthy_passes"])) for phase in power["phases"]], round(100 * power["all_gates"])
        ([35, 43, 47], 19)"""
    @property
    def procedure(self) -> dict[str, Any]:
        """The steps that people take, in order, and immediate remedies, as a dict: ``{"steps",
        "remedies"}``.

        Examples
        --------
        >>> import hotfix
        >>> plan = hotfix.Policy.preset("enterprise").plan({"id": "INC-1"}, {"version": "2", "previous": "1"})
        >>> [step["title"] for step in plan.procedure["steps"]][:2]
        ['Detection and assessment', 'Team assembly']"""
    @property
    def recommendation(self) -> dict[str, Any]:
        """The recommended strategy, and the reasons against the others, as a dict.

        ``{"strategy", "own", "chosen", "reasons": [{"code", "weight", "rests_on", "text"}, …],
        "alternatives"}``. The recommended strategy can always be planned.

        Examples
        --------
        >>> import hotfix
        >>> plan = hotfix.Policy.preset("phased-canary").plan(
        ...     {"id": "INC-2041", "facts": {"service_down": True}}, {"version": "2.3.1", "previous": "2.3.0"}
        ... )
        >>> plan.recommendation["strategy"]
        'immediate'"""
    @property
    def release(self) -> dict[str, Any] | None:
        """The release, as a dict; None while nobody has named it."""
    @property
    def risks(self) -> dict[str, Any]:
        """The risk register, the most severe risk first, and contingencies for other failures, as a
        dict: ``{"register", "contingencies"}``."""
    @property
    def rollback(self) -> dict[str, Any]:
        """How this release is rolled back, as a dict: methods in the order in which they are tried,
        times in seconds, the rollback point, and changes that are not reversible.

        Examples
        --------
        >>> import hotfix
        >>> plan = hotfix.Policy.preset("phased-canary").plan(
        ...     {"id": "INC-2041"},
        ...     {"version": "2.3.1", "previous": "2.3.0", "methods": [{"kind": "feature_flag", "seconds": 5}]},
        ... )
        >>> plan.rollback["methods"][0]["kind"], plan.rollback["estimate"]
        ('feature_flag', {'least': 5.0, 'most': 5.0})"""
    @property
    def scope(self) -> dict[str, Any]:
        """The check of the release's size against the policy's limits for a hot-fix, from its
        ``numstat`` and its ``change``.

        ``{"content", "figures", "breaches", "unknown", "wanted"}``: ``content`` is ``"yes"``,
        ``"no"`` or ``"unknown"``, and absent where the policy has no ``[scope]``. An unknown value
        never passes the check; ``unknown`` names the facts that would settle it.

        Examples
        --------
        >>> import hotfix
        >>> plan = hotfix.Policy.preset("standard").plan(
        ...     {"id": "INC-2041"},
        ...     {"version": "2.3.1", "previous": "2.3.0", "numstat": "6\\t2\\tpay.py\\n300\\t0\\treport.py\\n",
        ...      "change": {"fixes": 1, "features": False, "tidying": "none"}},
        ... )
        >>> plan.scope["content"], plan.scope["breaches"][0]["message"]
        ('no', 'it changes 308 lines, and the policy allows 200')"""
    @property
    def severity(self) -> _Severity | None:
        """The severity that the plan is made for: the incident's if it is given, otherwise the one
        that the policy acts on while facts are unknown; None if it cannot be determined."""
    @property
    def slo(self) -> dict[str, Any]:
        """The policy's objective, its estimate and the deadlines for the fix, each with the time that
        this plan needs, as a dict: ``{"slo", "estimate", "deadlines"}``.

        ``verdict`` is ``kept``, ``may_be_missed`` or ``missed``.

        Examples
        --------
        >>> import hotfix
        >>> plan = hotfix.Policy.preset("fast-track").plan({"id": "INC-1"}, {"version": "2", "previous": "1"})
        >>> plan.slo["slo"]["verdict"]
        'may_be_missed'"""
    @property
    def strategy(self) -> dict[str, Any]:
        """The strategy of this plan, as a dict: its name, who chose it, and its steps.

        ``{"strategy", "own", "chosen_by", "steps": [{"move", "phase", "share", "side", "lasts", …},
        …]}``; ``batches`` for a rolling deployment whose batches follow from the number of
        instances. Durations are seconds.

        Examples
        --------
        >>> import hotfix
        >>> plan = hotfix.Policy.preset("phased-canary").plan(
        ...     {"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0", "strategy": "rolling"}, {"instances": 4}
        ... )
        >>> [phase.share for phase in plan.phases]
        [0.25, 0.5, 0.75, 1.0]
        >>> plan.strategy["own"], plan.strategy["strategy"]
        ('canary', 'rolling')"""
    @property
    def thresholds(self) -> list[dict[str, Any]]:
        """The bounds of each metric: ``[{"metric", "title", "role", "scaled", "reference", "success",
        "alert", "rollback"}, …]``. A bound is ``{"figure", "text"}``; its text has side and unit.

        Examples
        --------
        >>> import hotfix
        >>> plan = hotfix.Policy.preset("phased-canary").plan({"id": "INC-1"}, {"version": "2", "previous": "1"})
        >>> [metric["alert"]["text"] for metric in plan.thresholds if metric["metric"] == "error_rate"]
        ['above 2%']"""
    @property
    def traffic(self) -> dict[str, Any]:
        """The traffic, as a dict."""
    def commit_message(
        self,
        summary: str = "",
        *,
        scope: str | None = None,
        version: str | None = None,
        fields: Mapping[_CommitField, str | None] | None = None,
    ) -> dict[str, Any]:
        """Compose the commit message of the fix, with summary, issue, severity and impact from the
        plan.

        Parameters
        ----------
        summary : str, optional
            What the fix does; by default the release's description, or the incident's title.
        scope, version, fields
            As for `Policy.commit_message`; given values have priority.

        Returns
        -------
        dict
            As `Policy.commit_message`.

        Raises
        ------
        PlanError
            As `Policy.commit_message`.

        Examples
        --------
        >>> import hotfix
        >>> plan = hotfix.Policy.preset("standard").plan(
        ...     {"id": "INC-2041", "severity": "P1", "facts": {"payments_down": True}},
        ...     {"version": "2.3.1", "previous": "2.3.0", "description": "read the secret as UTF-8"},
        ... )
        >>> message = plan.commit_message(scope="payments")
        >>> print(message["text"], end="")
        fix(payments): read the secret as UTF-8
        <BLANKLINE>
        Issue: INC-2041
        Severity: P1
        Impact: all payments fail
        >>> message["missing"]
        ['cause', 'solution']"""
    def gantt(self, start: _Time | None = None) -> str:
        """Rollout and procedure as a Mermaid gantt chart.

        Parameters
        ----------
        start : datetime or str, optional
            As in `to_markdown`. Without it the axis counts from T+00:00. With it the axis shows
            UTC, and the procedure is drawn if the incident has its time of detection.

        Returns
        -------
        str"""
    def power_markdown(self) -> str:
        """The power analysis as Markdown, with a table and advice.

        Examples
        --------
        >>> import hotfix
        >>> policy = hotfix.Policy.preset("phased-canary")
        >>> plan = policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"})
        >>> "A healthy fix is expected to have 3, 15 and 90 errors" in plan.power_markdown()
        True"""
    def source_control(self, at: _Time) -> dict[str, Any]:
        """The source control steps of the fix: deployment, rollback, and merge back. Nothing is run.

        Parameters
        ----------
        at : datetime or str
            The time of the tag, for tags that are named by time.

        Returns
        -------
        dict
            ``flow``, ``base``, ``branch``, ``version``, ``tag``; ``steps``, each with ``kind``,
            ``title``, ``commands`` (each with ``argv``, and ``shown``, quoted for a shell) and
            ``people``; ``rollback`` with its ``steps`` and those for another attempt (``again``);
            ``merge_back`` with the ``branches`` that need the fix in the end; ``findings``.

        Raises
        ------
        PlanError
            For a flow that the policy does not allow, and for names that git does not accept.

        Examples
        --------
        >>> import hotfix
        >>> plan = hotfix.Policy.preset("emergency-command").plan(
        ...     {"id": "INC-1"}, {"version": "1.2.4", "previous": "1.2.3", "description": "critical auth fix"}
        ... )
        >>> for command in plan.source_control("2026-03-03T14:40:00Z")["steps"][0]["commands"]:
        ...     print(command["shown"])
        git fetch --tags origin
        git switch --create hotfix/critical-auth-fix refs/tags/v1.2.3"""
    def timeline(self, start: _Time) -> list[_TimelineStep]:
        """The timeline of a rollout without interruptions.

        Parameters
        ----------
        start : datetime or str
            When the first deployment starts: an aware `datetime`, or RFC 3339 text.

        Returns
        -------
        list of dict
            ``{"offset", "at", "step", "phase"}``: seconds after the start, the time, one of
            ``deploy``, ``monitor``, ``gate``, ``final_validation``, ``complete``, and the phase if
            there is one.

        Examples
        --------
        >>> import hotfix
        >>> policy = hotfix.Policy.preset("phased-canary")
        >>> plan = policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"})
        >>> plan.timeline("2026-03-03T14:40:00Z")[-1]
        {'at': '2026-03-03T15:40:00.000Z', 'offset': 3600.0, 'step': 'complete'}"""
    def to_json(self) -> str:
        """The document of `to_dict` as JSON."""
    def to_markdown(self, start: _Time | None = None) -> str:
        """The plan as a page in Markdown, for the people who carry it out.

        Parameters
        ----------
        start : datetime or str, optional
            When the first deployment starts: an aware `datetime`, or RFC 3339 text. Without it the
            timeline shows only offsets (T+).

        Returns
        -------
        str
            Markdown with GitHub's tables. Markup in the caller's texts is escaped.

        Examples
        --------
        >>> import hotfix
        >>> policy = hotfix.Policy.preset("phased-canary")
        >>> plan = policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"})
        >>> plan.to_markdown().splitlines()[0]
        '# Hot-fix plan for INC-2041'"""

@final
class Chance(_Document):
    """The probability that a test has decided by some time."""
    @property
    def approximate(self) -> bool:
        """Whether more than one event a tick is expected, so that it is too high, or more than 5% of an
        arm's requests fail, or it is from the Brownian approximation, which is too low for small
        probabilities; otherwise it is exact for independent errors."""
    @property
    def chance(self) -> float:
        """From 0 to 1."""

@final
class TimeToDetect(_Document):
    """The expected time to detect a regression, by the planning formula."""
    @property
    def bound(self) -> float:
        """Lower bound in minutes: no test with this alpha is faster on average."""
    @property
    def bound_ticks(self) -> float:
        """`bound` in ticks."""
    @property
    def expected(self) -> float:
        """Expected minutes of this library's test; infinite for a ratio that is tolerated, or so near that
        none of the test's bets gains from it."""
    @property
    def expected_ticks(self) -> float:
        """`expected` in ticks."""
    @property
    def failed_requests(self) -> float:
        """Failed requests of the canary until the detection."""
    @property
    def requests_affected(self) -> float:
        """The number of those that would have succeeded on the baseline."""

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
) -> Chance:
    """Compute the probability that a regression is detected within some minutes; with ``ratio=1`` the
    probability of a false rollback.

    Exact for independent rare errors and an evaluation after every event, up to 20,000 expected events.
    Evaluations at the end of ticks detect less where a tick has many events; the length of a tick does
    not change the probability. This is the rate-ratio test: where more than 5% of an arm's requests fail,
    it detects less, and the Bernoulli test detects more.

    Parameters
    ----------
    requests_per_minute, share, base_rate, ratio, tolerated, alpha, tick_seconds, threshold
        As in `time_to_detect`.
    minutes : float
        Duration of the comparison; only complete ticks count.

    Returns
    -------
    Chance

    Examples
    --------
    >>> import hotfix
    >>> round(hotfix.stats.chance_to_decide(1000, 0.1, 0.003, 2, 50).chance, 2)
    0.55"""

def chance_to_promote(
    requests_per_minute: float,
    share: float,
    base_rate: float,
    minutes: float,
    ratio: float = 1.0,
    margin: float = 2.0,
    alpha: float = 0.05,
) -> Chance:
    """Compute the probability that, within some minutes, the test shows that the canary is not worse
    than a margin.

    Parameters
    ----------
    requests_per_minute, share, base_rate
        As in `time_to_detect`.
    minutes : float
        Duration of the comparison.
    ratio : float, default 1.0
        The true ratio of the canary's rate to the baseline's.
    margin : float, default 2.0
        The ratio below which the canary has to be shown to be; a margin of at most 1 is a claim of
        efficacy.
    alpha : float, default 0.05
        Probability of a wrong claim for a canary at the margin.

    Returns
    -------
    Chance

    Examples
    --------
    >>> import hotfix
    >>> round(hotfix.stats.chance_to_promote(1000, 0.1, 0.003, 10).chance, 2)
    0.15"""

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
) -> float | None:
    """Compute the smallest ratio that is detected within some minutes with a given probability.

    It is found by bisection on the probability that a Brownian motion with drift has crossed the
    threshold, which is off for few events: at the ratio that it gives for 0.8, `chance_to_decide` is
    between 0.55 and 0.95.

    Parameters
    ----------
    requests_per_minute, share, base_rate, tolerated, alpha, threshold
        As in `time_to_detect`.
    minutes : float
        Duration of the comparison.
    power : float, default 0.8
        Probability of detection.

    Returns
    -------
    float or None
        None if no ratio with a canary rate of at most 1 is detected so often.

    Examples
    --------
    >>> import hotfix
    >>> round(hotfix.stats.detectable_ratio(1000, 0.1, 0.003, 10), 1)
    4.5"""

def fixed_horizon_ratio(
    base_rate: float, canary_trials: float, baseline_trials: float, alpha: float = 0.01, power: float = 0.8
) -> float:
    """Compute the ratio that one test at the end detects with a given probability, by the square-root
    approximation.

    It is for rare errors, up to a few per cent, and overstates the ratio at common rates.

    Parameters
    ----------
    base_rate : float
        The baseline's events per request.
    canary_trials, baseline_trials : float
        Number of requests of each arm at the end.
    alpha : float, default 0.01
        One-sided.
    power : float, default 0.8
        Probability of detection.

    Returns
    -------
    float

    Raises
    ------
    StatsError
        For invalid figures, and if no ratio that leaves the canary's rate at 1 or below is detected.

    Examples
    --------
    >>> import hotfix
    >>> round(hotfix.stats.fixed_horizon_ratio(0.003, 5000, 45000), 2)
    2.05"""

def fixed_horizon_trials(
    base_rate: float, share: float, ratio: float, alpha: float = 0.01, power: float = 0.8
) -> float:
    """Compute the number of requests of both arms that one test at the end needs to detect a ratio
    with a given probability.

    It overstates the number at common rates: 1.5 times a rate of 30%, with half of the traffic for
    each arm, needs 662 by it and 414 by the arcsine formula.

    Parameters
    ----------
    base_rate, alpha, power
        As in `fixed_horizon_ratio`.
    share : float
        The canary's share of the requests.
    ratio : float
        Above 1; the canary's rate must not exceed 1.

    Returns
    -------
    float

    Examples
    --------
    >>> import hotfix
    >>> round(hotfix.stats.fixed_horizon_trials(0.003, 0.1, 2.0))
    54161"""

def gate_pass_chance(requests: float, rate: float, at_most: float) -> float:
    """Compute the probability that the share of failures is at or below a bound on some requests;
    exact for independent errors.

    Parameters
    ----------
    requests : float
        Number of requests.
    rate : float
        Probability that a request fails.
    at_most : float
        The bound on the share of failures.

    Returns
    -------
    float

    Examples
    --------
    >>> import hotfix
    >>> round(hotfix.stats.gate_pass_chance(1000, 0.003, 0.003), 3)
    0.647"""

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
) -> TimeToDetect:
    """Compute the expected time to detect a regression.

    Parameters
    ----------
    requests_per_minute : float
        Requests per minute of both arms together.
    share : float
        The canary's share of the requests.
    base_rate : float
        The baseline's events per request.
    ratio : float
        The canary's rate divided by the baseline's.
    tolerated : float, default 1.0
        The tolerated ratio.
    alpha : float, default 0.01
        Probability of a false rollback.
    tick_seconds : float, default 10.0
        Length of a tick; only the figures in ticks depend on it.
    threshold : float, optional
        Log evidence at which the test decides, if it is not ``log(1/alpha)``.

    Returns
    -------
    TimeToDetect
        With ``.bound`` and ``.expected`` in minutes.

    Raises
    ------
    StatsError
        For invalid figures.

    Examples
    --------
    >>> import hotfix
    >>> time = hotfix.stats.time_to_detect(1000, 0.1, 0.003, 5)
    >>> round(time.bound, 1), round(time.expected, 1)
    (4.6, 5.8)"""

def time_to_promote(
    requests_per_minute: float,
    share: float,
    base_rate: float,
    ratio: float = 1.0,
    margin: float = 2.0,
    alpha: float = 0.05,
) -> float | None:
    """Compute the minutes after which half of all rollouts have shown that the canary is not worse
    than a margin.

    Parameters
    ----------
    requests_per_minute, share, base_rate, ratio, margin, alpha
        As in `chance_to_promote`.

    Returns
    -------
    float or None
        None if it takes more than 20,000 events or is not shown so often.

    Examples
    --------
    >>> import hotfix
    >>> round(hotfix.stats.time_to_promote(1000, 0.1, 0.003))
    34"""

@final
class Policy:
    """A checked, immutable policy. Threads may share it.

    Made by `preset`, `from_toml`, `from_json` or `load`. Each of them raises `PolicyError` with
    every fault at once.

    Examples
    --------
    >>> import hotfix
    >>> policy = hotfix.Policy.preset("phased-canary")
    >>> policy.name
    'phased-canary'
    >>> policy.to_dict()["phases"][0]["share"]
    0.1
    >>> hotfix.Policy.from_toml(policy.to_toml()) == policy
    True"""
    @property
    def digest(self) -> str:
        """SHA-256 of its canonical JSON: the same on every platform and in every language."""
    @staticmethod
    def from_json(text: str, resolve: Callable[[str], str | None] | None = None) -> Policy:
        """Read JSON.

        Parameters
        ----------
        text : str
            The document, at most 1 MiB.
        resolve : callable, optional
            As for `from_toml`.

        Raises
        ------
        PolicyError
            As `from_toml`."""
    @staticmethod
    def from_toml(text: str, resolve: Callable[[str], str | None] | None = None) -> Policy:
        """Read TOML.

        Parameters
        ----------
        text : str
            The document, at most 1 MiB.
        resolve : callable, optional
            Called with each name in ``extends``, once. It returns the text of that policy, or None
            if it does not know the name, which is then the name of a preset. The text is JSON if it
            starts with ``{``, otherwise TOML. Its exceptions are passed on.

        Raises
        ------
        PolicyError
            With every error, each with a code, a place (JSON Pointer) and a sentence.

        Examples
        --------
        >>> import hotfix
        >>> enterprise = \"""
        ... extends = "phased-canary"
        ... efficacy = { remove = true }
        ... \"""
        >>> payments = \"""
        ... extends = "enterprise"
        ... name = "payments"
        ... [[phases]]
        ... name = "canary"
        ... watch = "20min"
        ... \"""
        >>> policy = hotfix.Policy.from_toml(payments, {"enterprise": enterprise}.get)
        >>> policy.to_dict()["phases"][0]["watch"]
        1200
        >>> hotfix.Policy.from_toml(policy.to_toml()).digest == policy.digest
        True"""
    @staticmethod
    def load(path: str | PathLike[str]) -> Policy:
        """Read a file: JSON if its name ends in ``.json``, otherwise TOML.

        A name in ``extends`` is the file ``<name>.toml`` or ``<name>.json`` in the same folder,
        otherwise a preset.

        Raises
        ------
        OSError
            If the file, or one that it extends, cannot be read, with its `filename`; if it is not UTF-8,
            its message has the name.
        PolicyError
            As `from_toml`; a note names the file."""
    @property
    def name(self) -> str:
        """Its name."""
    @staticmethod
    def preset(name: str) -> Policy:
        """Make the policy of a preset.

        Raises
        ------
        PolicyError
            If no preset has this name; the error names the nearest."""
    @staticmethod
    def presets() -> list[str]:
        """The names of the presets of this release.

        Returns
        -------
        list of str

        Examples
        --------
        >>> import hotfix
        >>> "phased-canary" in hotfix.Policy.presets()
        True"""
    @property
    def title(self) -> str:
        """Its title."""
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def classify(self, facts: _Facts) -> Classification:
        """Classify an incident: its severity, and whether it calls for a hot-fix.

        Parameters
        ----------
        facts : Mapping
            The known facts by name: bool, a number, text such as ``"55%"``, `timedelta`, aware
            `datetime`. A fact that is None or left out is unknown; an unknown fact is never treated
            as "no".

        Raises
        ------
        FactError
            With every error, each with a code, a place (JSON Pointer) and a sentence.

        Examples
        --------
        >>> import hotfix
        >>> policy = hotfix.Policy.from_toml(\"""
        ... extends = "phased-canary"
        ... severities.P0 = { label = "critical", hotfix = true }
        ... severities.P1 = { label = "high", hotfix = true }
        ... [[rules]]
        ... id = "down"
        ... title = "no user is served"
        ... severity = "P0"
        ... when = "service_down"
        ... [[rules]]
        ... id = "many"
        ... title = "many users are affected"
        ... severity = "P1"
        ... when = { fact = "users_affected", above = "25%" }
        ... \""")
        >>> answer = policy.classify({"users_affected": 0.3})
        >>> answer.severity, answer.at_worst, answer.hotfix, answer.settled
        ('P1', 'P0', 'yes', False)
        >>> answer.if_known["service_down"][True]
        'P0'"""
    def commit_message(
        self,
        summary: str,
        *,
        scope: str | None = None,
        version: str | None = None,
        fields: Mapping[_CommitField, str | None] | None = None,
    ) -> dict[str, Any]:
        """Compose a commit message in the form of this policy.

        Parameters
        ----------
        summary : str
            What the fix does. The subject has at most 72 characters of it; the rest is below the
            subject.
        scope : str, optional
            The scope, for forms that are conventional commits.
        version : str, optional
            The new version, for forms that raise it in a separate commit.
        fields : Mapping, optional
            The facts, by name: ``issue``, ``severity``, ``impact``, ``cause``, ``change``,
            ``solution``, ``tested``, ``approved_by``, ``deployed_by``; None is unknown. They are at
            the end, as trailers that git reads.

        Returns
        -------
        dict
            ``{"text", "subject", "missing", "later", "note", "version_commit",
            "version_missing"}``: ``missing`` has the facts that the form asks for and that were not
            given, ``later`` those that are known only after the commit, ``note`` the command that
            records those of them that were given.

        Raises
        ------
        PlanError
            For parts that do not fit the form; with the place in the arguments.

        Examples
        --------
        >>> import hotfix
        >>> policy = hotfix.Policy.preset("severity-matrix")
        >>> message = policy.commit_message("Read the secret as UTF-8", fields={"issue": "#1234", "deployed_by": "Ann"})
        >>> message["text"]
        'HOTFIX: Read the secret as UTF-8\\n\\nFixes: #1234\\n'
        >>> message["missing"]
        ['severity', 'impact', 'cause', 'solution']
        >>> message["note"]["text"]
        'Deployed-By: Ann\\n'"""
    def decide(self, facts: _Facts) -> Decision:
        """Decide what to do about an incident, by the policy's decision tree, or by the tree built
        from its rules.

        Parameters
        ----------
        facts : Mapping
            As for `classify`.

        Raises
        ------
        FactError
            As `classify`."""
    def lint(self, at: _Time | None = None) -> list[Finding]:
        """Lint this policy: return its findings, in the order of the codes.

        Parameters
        ----------
        at : datetime or str, optional
            The present time: an aware `datetime`, or RFC 3339 text. Without it overdue dates are
            not checked.

        Returns
        -------
        list of Finding"""
    def parse_commit_message(self, text: str) -> dict[str, Any]:
        """Read a commit message: exactly if this library composed it, otherwise as far as possible.

        Returns
        -------
        dict
            ``{"subject", "summary", "kind", "scope", "fields", "others", "body", "missing",
            "later", "faults"}``.

        Examples
        --------
        >>> import hotfix
        >>> read = hotfix.Policy.preset("fast-track").parse_commit_message("hotfix: guard added\\n\\nissue: INC-7\\nimpact:\\n")
        >>> read["fields"], read["missing"]
        ({'issue': 'INC-7'}, ['impact', 'change'])
        >>> read["faults"][0]["message"]
        '`impact` has a label but no value: add the value, or remove the line'"""
    def plan(
        self,
        incident: Mapping[str, object],
        release: Mapping[str, object] | None = None,
        traffic: Mapping[str, object] | None = None,
        calibration: Mapping[str, Mapping[str, Iterable[Sequence[SupportsFloat]]]] | None = None,
    ) -> Plan:
        """Make a plan for one hot-fix under this policy.

        Parameters
        ----------
        incident : Mapping
            ``{"id", "service", "title", "facts", "began_at", "detected_at", "severity"}``; all but
            ``id`` optional. Times are RFC 3339 text or aware `datetime` objects.
        release : Mapping, optional
            ``{"version", "previous", "branch", "commit", "author", "methods", "numstat",
            "bug_metric", "strategy", …}``; all but the first two optional, and all of them in
            ``docs/inputs.md``. None while there is no fix yet. ``methods`` is a list such as
            ``[{"kind": "feature_flag", "seconds": 5}]``.
        traffic : Mapping, optional
            ``{"requests_per_minute", "instances", "canary_instances", "flags", "schema_change"}``,
            all optional.
        calibration : Mapping, optional
            The counts of each instance in normal operation, by metric: ``{metric: {instance:
            [[events, trials], …]}}``, one pair for each tick of the policy's cadence. Of a latency
            one row of requests up to each of its boundaries and of all. The plan keeps the result of
            the calibration, not the history.

        Returns
        -------
        Plan

        Raises
        ------
        PlanError
            If no plan can be made from these documents; with the place.

        Examples
        --------
        >>> import hotfix
        >>> policy = hotfix.Policy.preset("phased-canary")
        >>> plan = policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"})
        >>> [phase.share for phase in plan.phases]
        [0.1, 0.5, 1.0]"""
    def to_dict(self) -> dict[str, Any]:
        """As a dict: the same JSON as `to_json`."""
    def to_json(self) -> str:
        """Write the policy as JSON: durations in seconds, shares as fractions; every default filled
        in."""
    def to_toml(self) -> str:
        """Write the policy as TOML, in the notation of policy files: ``"10min"``, ``"0.3%"``; every
        default filled in."""
    def tree_dot(self) -> str | None:
        """The decision tree in Graphviz's DOT language."""
    def tree_mermaid(self) -> str | None:
        """The decision tree as a Mermaid flowchart: the policy's own, or the one built from its rules;
        None if it has neither."""

@final
class Problem(_Document):
    """One fault of a policy, of a scenario or of the facts of an incident."""
    @property
    def base(self) -> str | None:
        """The base that has the place, if it is not the policy itself."""
    @property
    def code(self) -> str:
        """A stable code such as ``"HF-POL-006"``."""
    @property
    def column(self) -> int | None:
        """The column, from 1, in characters."""
    @property
    def line(self) -> int | None:
        """The line, from 1; None without a text, as for facts."""
    @property
    def message(self) -> str:
        """What is wrong and what to do, in a sentence."""
    @property
    def path(self) -> str:
        """The place, as a JSON Pointer."""

def redact(log: str | bytes | bytearray, names: list[str] | None = None) -> str:
    """Redact personal values in a log. The hash chain stays valid, and the log replays to the same
    state, with digests in place of names.

    Hashed values and members of newer releases are kept, in canonical form; a second redaction
    changes nothing. Free texts that people wrote are part of the hash and stay in the log.

    Parameters
    ----------
    log : str or bytes
        All lines.
    names : list of str, optional
        The people whose values are redacted: their names, in any case, and how they are reached;
        ``Name <address>`` matches either part. Without `names` all personal values are redacted,
        and the salt is removed too, so that nobody can test names against the digests.

    Returns
    -------
    str

    Raises
    ------
    LogError
        With the first line where the chain is broken.

    Examples
    --------
    >>> import hotfix
    >>> policy = hotfix.Policy.preset("phased-canary")
    >>> release = {"version": "2.3.1", "previous": "2.3.0", "author": "Lena Ode <lena@example.org>"}
    >>> rollout = hotfix.Rollout(policy.plan({"id": "INC-2041"}, release), salt="b7c1f09a")
    >>> _ = rollout.handle("2026-03-03T14:40:00Z", {"kind": "note", "by": "omar", "text": "we are on it"})
    >>> without_lena = hotfix.redact(rollout.log(), names=["lena ode"])
    >>> "Lena" in without_lena, "omar" in without_lena
    (False, True)
    >>> without_anybody = hotfix.redact(rollout.log())
    >>> "omar" in without_anybody, hotfix.audit(without_anybody, rollout.head).clean
    (False, True)"""

def report(log: str | bytes | bytearray, format: _ReportFormat) -> str:
    """Write the incident report from a log.

    A report can be written at any time, also for an open incident.

    Parameters
    ----------
    log : str or bytes
        All lines.
    format : str
        ``"markdown"``, ``"json"`` (described in `docs/report.md`) or ``"html"``: one page without
        scripts or external references.

    Returns
    -------
    str

    Raises
    ------
    LogError
        If the log cannot be replayed.
    ReportError
        For an unknown format.

    Examples
    --------
    >>> import hotfix
    >>> plan = hotfix.Policy.preset("enterprise").plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"})
    >>> rollout = hotfix.Rollout(plan)
    >>> note = {"kind": "note", "by": "omar", "text": "root cause: no default for the payment method"}
    >>> _ = rollout.handle("2026-03-03T14:40:00Z", note)
    >>> page = hotfix.report(rollout.log(), "markdown")
    >>> page.splitlines()[0]
    '# Incident report: INC-2041'
    >>> "no default for the payment method" in page
    True
    >>> rollout.report("markdown") == page
    True"""

@final
class Rollout:
    """The rollout of one hot-fix, from plan to closed incident.

    It uses no clock, file or network: you send time and observations with `handle` and `observe`,
    and receive log lines and actions. Append ``outcome.events`` to your log durably, then act.
    Several threads may use one rollout; calls wait for each other.

    Parameters
    ----------
    plan : Plan
        The plan to carry out.
    keep_log : bool, default True
        Keep every line for `log`. Otherwise lines are only returned with each outcome, and memory
        use stays constant.
    salt : str, optional
        A secret for each incident, which salts the digests of personal values in the log.

    Examples
    --------
    >>> import hotfix
    >>> policy = hotfix.Policy.preset("phased-canary")
    >>> plan = policy.plan({"id": "INC-2041", "severity": "P1"}, {"version": "2.3.1", "previous": "2.3.0"})
    >>> rollout = hotfix.Rollout(plan)
    >>> approval, *items = rollout.blockers()
    >>> _ = rollout.handle("2026-03-03T14:31:00Z", {"kind": "approve", "by": "iris", "role": approval["roles"][0]})
    >>> for item in items:
    ...     _ = rollout.handle("2026-03-03T14:38:00Z", {"kind": "check_item", "by": "omar", "item": item["item"]})
    >>> outcome = rollout.handle("2026-03-03T14:40:00Z", {"kind": "start", "by": "lena"})
    >>> [action.kind for action in outcome.actions if action.awaits]
    ['deploy']
    >>> rollout.state
    'deploying'
    >>> while rollout.pending_actions():  # deployed, then traffic moved
    ...     done = rollout.pending_actions()[0].id
    ...     _ = rollout.handle("2026-03-03T14:42:00Z", {"kind": "confirm", "by": "tool", "action": done})
    >>> rollout.state, rollout.phase, rollout.share
    ('monitoring', 'canary', 0.1)
    >>> outcome = rollout.observe("2026-03-03T14:43:00Z", {"error_rate": {"canary": [0, 100], "baseline": [3, 900]}})
    >>> rollout.verdict.metrics["error_rate"].band
    'success'"""
    @property
    def accepted(self) -> list[_InputKind]:
        """The kinds of input that would be accepted now."""
    @property
    def attempt(self) -> int:
        """The number of attempts: 1, and one more for each ``supersede`` and each ``retry``."""
    @property
    def dropped(self) -> int:
        """After `recover`: the number of bytes of the incomplete last line that were dropped;
        otherwise 0.

        The input of a dropped line was not accepted: send it again."""
    @property
    def head(self) -> str:
        """The hash of the last log line; 64 zeros before the first."""
    @property
    def now(self) -> datetime | None:
        """The time of the last input, in UTC; None before the first input."""
    @property
    def phase(self) -> str | None:
        """The phase that is being deployed, watched or decided on; None outside of phases."""
    @property
    def plan(self) -> Plan:
        """The plan."""
    @staticmethod
    def recover(log: str | bytes | bytearray, keep_log: bool = True) -> Rollout:
        """Replay a log whose last line may be incomplete after a crash during a write.

        ``rollout.dropped`` is the number of bytes that were dropped, ``rollout.recovered_length``
        the length of the valid part: truncate the file to it before appending.

        Parameters
        ----------
        log : str or bytes
            The content of the file; pass bytes, because the crash may have cut a character in half.
        keep_log : bool, default True
            As for `Rollout`.

        Raises
        ------
        LogError
            As `replay` for the complete lines, and if no line is complete."""
    @property
    def recovered_length(self) -> int | None:
        """After `recover`: the length in bytes (UTF-8) of the valid part of the log: truncate the file
        to it before appending. Otherwise None."""
    @staticmethod
    def replay(log: str | bytes | bytearray, keep_log: bool = True) -> Rollout:
        """Replay a whole log, strictly.

        Parameters
        ----------
        log : str or bytes
            All lines, each with its line feed.
        keep_log : bool, default True
            As for `Rollout`.

        Raises
        ------
        LogError
            With the first line that is wrong."""
    @staticmethod
    def restore(snapshot: bytes | bytearray, tail: str | bytes = "", keep_log: bool = True) -> Rollout:
        """Restore a rollout from a snapshot and the log lines after it: the same, byte for byte, as
        `replay` of the whole log.

        Parameters
        ----------
        snapshot : bytes
            The bytes from `snapshot`.
        tail : str or bytes, default ""
            The log lines from the one whose ``seq`` is the result of `snapshot_seq`, each with its
            line feed.
        keep_log : bool, default True
            As for `Rollout`; `log` begins with the tail.

        Raises
        ------
        LogError
            For a snapshot that cannot be restored, or a wrong tail, with its first wrong line. Then
            replay the whole log."""
    @property
    def share(self) -> float:
        """The canary's confirmed share of the traffic in this attempt, from 0 to 1."""
    @staticmethod
    def snapshot_seq(snapshot: bytes | bytearray) -> int:
        """The number of log lines when the snapshot was made: the tail begins with the line that has
        this ``seq``.

        Parameters
        ----------
        snapshot : bytes
            The bytes from `snapshot`.

        Raises
        ------
        LogError
            For bytes that are not a complete snapshot of this format."""
    @property
    def state(self) -> _State:
        """The name of the present state."""
    @property
    def verdict(self) -> Verdict:
        """The last verdict."""
    def __new__(cls, plan: Plan, keep_log: bool = True, salt: str | None = None) -> Rollout: ...
    def approvals(self) -> _Approvals:
        """Each required approval and its state, as a dict.

        Its ``demands``: each with ``any_of``, ``state`` (open, approved, denied, withdrawn,
        author_alone, afterwards, late) and ``statements``: who answered what, when, in which
        role, through which channel, why and for which plan. ``unasked``: statements of roles
        that no demand asks."""
    def blockers(self) -> list[_Blocker]:
        """The blockers: what prevents the rollout from starting, each with who can clear it, and how.

        Returns
        -------
        list of dict
            ``{"kind", "sentence", "who", "clears"}``, and if applicable ``item``, ``list`` and
            ``roles``. The list is empty when a start would be accepted, and after the start.
            ``who`` is empty if anybody can clear it (of a severity: whom to ask first), ``clears`` if
            a new plan is needed.

        Examples
        --------
        >>> import hotfix
        >>> plan = hotfix.Policy.preset("emergency-command").plan({"id": "INC-2041"}, {"version": "2", "previous": "1"})
        >>> approval, first, *_ = hotfix.Rollout(plan).blockers()
        >>> approval["sentence"], approval["who"]
        ('the approval of `senior_engineer` is missing: ask for it', ['senior_engineer'])
        >>> first["item"], first["clears"]
        ('focused_tests', ['check_item', 'waive_item'])"""
    def change_record(self) -> dict[str, Any]:
        """The plan's change record with its present status.

        Returns
        -------
        dict
            As ``plan.change_record``; ``status`` is drafted, awaiting_approval, ready, in_progress,
            complete, rolled_back or stopped. During a rollback it is still in_progress.

        Examples
        --------
        >>> import hotfix
        >>> plan = hotfix.Policy.preset("phased-canary").plan({"id": "INC-2041"}, {"version": "2", "previous": "1"})
        >>> rollout = hotfix.Rollout(plan)
        >>> _ = rollout.handle("2026-03-03T14:40:00Z", {"kind": "abort", "by": "lena", "why": "no longer needed"})
        >>> rollout.change_record()["status"], plan.change_record["status"]
        ('stopped', 'drafted')"""
    def checklists(self) -> list[dict[str, Any]]:
        """Each checklist, whether it applies, and the state of its items.

        Returns
        -------
        list of dict
            ``applies`` is yes, no or unknown, and follows from severity and facts. An item's
            ``state`` is open, done, waived or not_applicable; its ``mark`` has who set it, when and
            why."""
    def comparison(self) -> Comparison:
        """The comparison table: each metric, its baseline and its readings in each phase, including
        the present one."""
    def duties(self, at: _Time) -> _Duties:
        """The duties at a time, from what is known now: due, overdue, next and done.

        Parameters
        ----------
        at : datetime or str
            Any time from the last input on. An earlier time is treated as the time of the last
            input.

        Returns
        -------
        dict
            ``due``, ``overdue``, ``next``, ``later``, ``undated`` and ``done``: each item in one of
            them, with ``id``, ``kind``, ``title``, ``who``, ``due``, ``left`` or ``late_by`` in
            seconds, and why it applies. Before the first input there are only those of `later`.

        Examples
        --------
        >>> import hotfix
        >>> plan = hotfix.Policy.preset("enterprise").plan(
        ...     {"id": "INC-2041", "severity": "P0", "detected_at": "2026-03-03T14:06:00Z"},
        ...     {"version": "2.3.1", "previous": "2.3.0"},
        ... )
        >>> rollout = hotfix.Rollout(plan)
        >>> outcome = rollout.handle("2026-03-03T14:06:00Z", {"kind": "note", "by": "lena", "text": "payments fail"})
        >>> [action.duty for action in outcome.actions if action.kind == "page"]
        ['p0_on_call']
        >>> done = rollout.handle("2026-03-03T14:07:00Z", {"kind": "acknowledge", "by": "omar", "duty": "p0_on_call"})
        >>> duties = rollout.duties("2026-03-03T14:20:00Z")
        >>> duties["due"][0]["id"], duties["due"][0]["left"]
        ('p0_update', 60.0)"""
    def evidence(self, metric: str) -> MetricEvidence | None:
        """The evidence of a metric, by its id, and its basis. The call computes it: call it on demand,
        not at every tick. None for a metric without a test, or a latency that was never read;
        `InputError` for an id that the policy does not have."""
    def forecast(self) -> Forecast | None:
        """The forecast for the rest of the phase: how long the tests still need, and whether promotion and
        efficacy can still be decided. None if no phase is watched."""
    def handle(self, at: _Time, input: Mapping[str, object]) -> Outcome:
        """Handle one input: check it, record it and return what to do.

        Parameters
        ----------
        at : datetime or str
            Now: an aware `datetime`, or RFC 3339 text.
        input : Mapping
            ``{"kind", "by", …}`` with the fields of its kind, and optionally ``key`` and
            ``expected_head`` (`docs/inputs.md`).

        Raises
        ------
        InputError
            For an invalid time or input. Nothing has changed.
        Refused
            For a valid input that is not accepted in the present state. Append its ``events`` like
            any others."""
    def harm(self) -> Harm | None:
        """The estimated impact of each version in bad events per minute, over the trailing window;
        None if `why` is None."""
    def icalendar(self, at: _Time) -> str:
        """Export the duties as iCalendar text (RFC 5545): one to-do for each duty, with the role that
        does it.

        Lines end with a carriage return and a line feed. `at` is any time from the last input on.
        An earlier time is treated as the time of the last input."""
    def interventions(self) -> list[_Intervention]:
        """The last intervention of each kind: who asked for what, when, why, whatever the result was.

        Returns
        -------
        list of dict
            ``{"kind", "at"}`` and, if present, ``by``, ``role``, ``about``, ``why``; ordered by time."""
    def last_actions(self) -> list[Action]:
        """The actions of the last accepted input, also after `replay`, `recover` and `restore`.

        If the process crashed between append and act, some of those that await nothing (``awaits``
        is False) may not have been carried out: repeat those of which you are not certain, before
        the next input replaces the list. A refusal and a repeated delivery do not change them."""
    def log(self) -> str:
        """Every log line so far; empty if the rollout does not keep its log (`keep_log`)."""
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
    ) -> dict[str, Any]:
        """Write the message of a kind for an audience, in a format, from the present state.

        Parameters
        ----------
        kind, audience, format : str
            The kind of message, its readers and its format: `docs/messages.md` lists all three.
        at, utc_offset : optional
            The time of the message; the readers' UTC offset: ``"+01:00"``, timedelta or tzinfo.
        values, draft : optional
            Texts by field that the rollout does not know; True for a text that is not true yet.

        Examples
        --------
        >>> import hotfix
        >>> incident = {"id": "INC-2041", "service": "Payments", "severity": "P1"}
        >>> rollout = hotfix.Rollout(hotfix.Policy.preset("standard").plan(incident, {"version": "2.3.1", "previous": "2.3.0"}))
        >>> _ = rollout.handle("2026-03-03T14:08:00Z", {"kind": "note", "by": "lena", "text": "payments fail"})
        >>> print(rollout.message("alert", "public", values={"status_page": "https://status.example.org"}))
        We are investigating a problem with Payments
        More information: https://status.example.org"""
    def observe(self, at: _Time, metrics: _Metrics) -> Outcome:
        """Handle the readings of the metrics: the same as ``handle`` with ``{"kind": "observe",
        "metrics": metrics}``, but faster.

        Parameters
        ----------
        at : datetime or str
            Now.
        metrics : Mapping
            By metric id ``{"canary": reading, "baseline": reading, "totals": bool}``. A reading is
            ``[events, trials]``, a number, a histogram ``{"le", "counts", "count"}``, ``{"samples":
            [...]}``, or ``{instance: [events, trials]}``. NaN and infinities are allowed: the canary's
            give the band ``not_finite``, others are no reading. Instead of the two arms, ``{stratum:
            {"canary", "baseline", "totals"}}`` gives them for each stratum: each is compared
            separately, and windows use the sums. With totals, each reading has every stratum.

        Raises
        ------
        InputError, Refused
            As `handle`."""
    def openmetrics(self, at: _Time) -> str:
        """Export the state as OpenMetrics 1.0 text, for a scraper.

        `at` is any time from the last input on. An earlier time is treated as the time of the last
        input.

        Examples
        --------
        >>> import hotfix
        >>> plan = hotfix.Policy.preset("phased-canary").plan({"id": "INC-1"}, {"version": "2", "previous": "1"})
        >>> text = hotfix.Rollout(plan).openmetrics("2026-03-03T14:40:00Z")
        >>> [line for line in text.splitlines() if line.startswith("hotfix_attempts")]
        ['hotfix_attempts_total{incident="INC-1"} 1']"""
    def pending_actions(self) -> list[Action]:
        """The actions that await ``confirm`` or ``failed``, the oldest first. After a crash check
        whether each was carried out; if not, carry it out."""
    def poll_at(self) -> datetime | None:
        """The next time at which a ``tick`` can change something: set one timer to it and send a
        ``tick``.

        Returns
        -------
        datetime or None
            In UTC. Before the first input it is the beginning of 1970: send a ``tick`` at once.
            None if nothing waits for time."""
    def procedure(self) -> list[dict[str, Any]]:
        """Each step of the procedure and its state, as a list of dict; ``check_item`` marks a step as
        done."""
    def questions(self) -> list[_OpenQuestion]:
        """The questions and pages that wait for an answer, at most one about the rollout and one about
        the severity: ``{"action", "since", "asked_at", "text", "answers"}``; ``action`` asked first."""
    def report(self, format: _ReportFormat) -> str:
        """Write the incident report: ``hotfix.report(rollout.log(), format)``."""
    def snapshot(self) -> bytes:
        """Write the present state as bytes, for `restore`. The same state gives the same bytes.

        Keep the whole log as well: another release may refuse a snapshot. A snapshot contains names
        and the salt in clear text: after a redaction of the log, delete older snapshots and make
        new ones."""
    def why(self) -> Why | None:
        """Explain the last verdict: numbers, rules, and the smallest change that would have changed it.

        During and after a rollback this explains the verdict before the rollback. The search may
        take some milliseconds: call it on demand, not at every tick. None before the first verdict,
        and between a change of traffic and the next evaluation."""

@final
class Classification(_Document):
    """The severity of an incident and whether it calls for a hot-fix, as far as the facts are
    known.

    Made by `Policy.classify`. An answer is certain only if it is the same for all values of the
    unknown facts that the policy's implications allow."""
    @property
    def act_on(self) -> _Severity | None:
        """The severity to act on while facts are unknown, by the policy."""
    @property
    def at_worst(self) -> _Severity | None:
        """The most severe severity that is still possible."""
    @property
    def contradictions(self) -> list[str]:
        """The ids of the implications that the known facts contradict."""
    @property
    def decisive(self) -> list[str]:
        """The unknown facts that can still change the answer."""
    @property
    def deduced(self) -> dict[str, bool | float | str]:
        """The facts that follow from the known ones, by the policy's implications."""
    @property
    def definition(self) -> str | None:
        """What belongs to the severity to act on, by the policy."""
    @property
    def exact(self) -> bool:
        """Whether the answer is exact; otherwise it may be uncertain without need, but never
        wrongly certain."""
    @property
    def hotfix(self) -> _Hotfix:
        """Whether a hot-fix is called for: ``yes``, ``no`` or ``unknown``."""
    @property
    def if_known(self) -> dict[str, ByValue[_Severity | None]]:
        """The severity that would be certain, by unknown fact and value."""
    @property
    def rules(self) -> list[RuleVerdict]:
        """The rules that apply, in the order of the policy."""
    @property
    def settled(self) -> bool:
        """Whether no unknown fact can change severity or hot-fix."""
    @property
    def severity(self) -> _Severity | None:
        """The severity that is certain; None if the incident has none, or it is not certain."""
    @property
    def undecided(self) -> list[RuleVerdict]:
        """The rules that could not be evaluated."""
    @property
    def unknown(self) -> list[str]:
        """The unknown facts that they ask for."""
    @property
    def would(self) -> dict[str, list[FactChange]]:
        """What would follow from each value, by unknown fact."""

@final
class Decision(_Document):
    """The result of the decision tree for an incident, as far as the facts are known.

    Made by `Policy.decide`. It is as certain as a `Classification`."""
    @property
    def circular(self) -> bool:
        """Whether the tree may lead into a cycle."""
    @property
    def contradictions(self) -> list[str]:
        """The ids of the implications that the known facts contradict."""
    @property
    def exact(self) -> bool:
        """Whether the answer is exact; otherwise it may be uncertain without need, but never
        wrongly certain."""
    @property
    def gaps(self) -> list[str]:
        """The ids of the questions that may have no answer for this incident."""
    @property
    def next_question(self) -> NextQuestion | None:
        """The question to answer next; None if no answer helps."""
    @property
    def outcome(self) -> Leaf | None:
        """What to do; None while that is open."""
    @property
    def path(self) -> list[DecisionStep]:
        """The questions that are answered, in order."""
    @property
    def reachable(self) -> list[str]:
        """The ids of the leaves that are still possible; where `exact` is false, perhaps with others."""
    @property
    def settled(self) -> bool:
        """Whether no unknown fact can change where the tree ends."""

@final
class DecisionStep(_Document):
    """An answered question of the decision tree, and the facts that the answer is based on."""
    @property
    def answer(self) -> str:
        """The answer in words: ``yes``, ``below 5%``."""
    @property
    def ask(self) -> str:
        """The question."""
    @property
    def deduced(self) -> list[str]:
        """Those of `facts` that were not given: they follow from the known facts."""
    @property
    def facts(self) -> dict[str, bool | float | str]:
        """The facts that it uses, each with its value, or its possible values in words."""
    @property
    def id(self) -> str:
        """Its id."""
    @property
    def to(self) -> str | None:
        """The id of the question or leaf to which the answer leads; None if it leads nowhere."""

@final
class FactChange(_Document):
    """What would follow from one value of an unknown fact."""
    @property
    def at_worst(self) -> _Severity | None:
        """The most severe severity that would still be possible."""
    @property
    def hotfix(self) -> _Hotfix:
        """Whether a hot-fix would be called for: ``yes``, ``no`` or ``unknown``."""
    @property
    def severity(self) -> _Severity | None:
        """The severity that would be certain."""
    @property
    def value(self) -> str:
        """The value, or the range of values: ``true``, ``above 5%, below 50%``."""

@final
class Finding(_Document):
    """A lint finding of a policy."""
    @property
    def code(self) -> str:
        """A stable code such as ``"HF-LINT-001"``."""
    @property
    def example(self) -> dict[str, Any] | None:
        """An input that demonstrates it: ``{"facts": …}``, ``{"counts": …}`` or ``{"times": …}``;
        None if it has no example."""
    @property
    def level(self) -> _Level:
        """Its level: ``deny``, ``warn`` or ``note``."""
    @property
    def message(self) -> str:
        """What is wrong."""
    @property
    def path(self) -> str:
        """The place, as a JSON Pointer into the policy."""
    @property
    def remedy(self) -> str:
        """What to do about it."""

@final
class Leaf(_Document):
    """What to do: a leaf of the decision tree."""
    @property
    def deadline(self) -> timedelta | _Calendar | None:
        """The deadline: a `timedelta` (zero: at once), or the name of a day such as
        ``next_release``; None if the tree gives none. In `to_dict` it is in seconds, or the
        name."""
    @property
    def hotfix(self) -> bool:
        """Whether it is a hot-fix; otherwise the normal process."""
    @property
    def id(self) -> str:
        """Its id."""
    @property
    def severity(self) -> _Severity | None:
        """The severity, if the tree gives one."""
    @property
    def title(self) -> str:
        """What to do, in words."""

@final
class NextQuestion(_Document):
    """The question whose answer brings the decision closest."""
    @property
    def ask(self) -> str:
        """The question, for a person."""
    @property
    def fact(self) -> str:
        """The unknown fact."""
    @property
    def if_known(self) -> ByValue[list[str]]:
        """The ids of the leaves that would be left, by value."""
    @property
    def kind(self) -> _FactKind:
        """The type of its values: ``flag``, ``share``, ``duration``, ``number``, ``text`` or
        ``time``."""

@final
class RuleVerdict(_Document):
    """A rule with the known and unknown facts that it uses."""
    @property
    def facts(self) -> dict[str, bool | float | str]:
        """The known facts, by name."""
    @property
    def hotfix(self) -> bool | None:
        """Whether it requires a hot-fix or excludes one; None for a rule that sets a severity."""
    @property
    def id(self) -> str:
        """Its id."""
    @property
    def severity(self) -> _Severity | None:
        """The severity that it sets; None for a rule about the hot-fix."""
    @property
    def title(self) -> str:
        """Its title."""
    @property
    def unknown(self) -> list[str]:
        """The unknown facts."""

def _compare(
    first: Policy | Plan,
    second: Policy | Plan,
    scenario: str | Mapping[str, Any],
    runs: int,
    seed: int | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Differences:
    """The table of differences of two plans; `hotfix.compare` calls it."""

def _drill(
    subject: Policy | Plan, scenario: str | Mapping[str, Any], seed: int | None = None, number: int = 0
) -> DrillRun:
    """One run with its log; `hotfix.drill` calls it."""

def _simulate(
    subject: Policy | Plan,
    scenario: str | Mapping[str, Any],
    runs: int,
    seed: int | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> SimulationOutcome:
    """The outcome table of many runs; `hotfix.simulate` calls it."""

@final
class RateRatio:
    """A sequential test of the canary's rate against the baseline's. It may be evaluated at every
    tick.

    Its evidence is an e-value: by chance alone it ever reaches ``1/alpha`` with probability at most
    `alpha`, however often it is evaluated.

    Parameters
    ----------
    direction : {"worse", "better"}, default "worse"
        The claim to show: that the canary is worse than `tolerated`, or better than `margin`.
    alpha : float, default 0.01
        Probability of ever deciding while the null hypothesis is true.
    tolerated : float, default 1.0
        With "worse": the null hypothesis is ``ratio <= tolerated``.
    margin : float, default 2.0
        With "better": the null hypothesis is ``ratio >= margin``; a margin of at most 1 is a claim
        of efficacy.
    grid, weights : sequence of float, optional
        The ratios above 1 of the alternatives (inverted for "better"), and their weights, which sum
        to 1.
    model : {"poisson", "bernoulli"}, default "poisson"
        "poisson" for counts and rare proportions, "bernoulli" for proportions above about 5%.
    temper : float, default 1.0
        Factor on the evidence of every tick, above 0 and at most 1: with noise, evidence counts
        less.
    cap : float, optional
        Upper limit of the log evidence that a tick may add to an alternative, after `temper`: one
        burst of errors cannot decide.
    threshold : float, optional
        Log evidence at which the test decides; default ``log(1/alpha)``. The probability of ever
        deciding while the null hypothesis is true is at most ``exp(-threshold)``.
    horizon : int, optional
        Number of planned ticks: enables the change-point mixture, which detects faults that start
        late. A tick without data counts too, so send ``(0, 0)``.
    prior_trials : float, optional
        With "bernoulli": number of prior trials of the estimated rate; default 50.

    Raises
    ------
    StatsError
        For invalid settings.

    Examples
    --------
    >>> import hotfix
    >>> test = hotfix.stats.RateRatio(alpha=0.01)
    >>> for _ in range(6):  # ten seconds each: 3% errors in the canary, 0.3% in the baseline
    ...     evidence = test.update((2, 67), (2, 600))
    >>> evidence.decided, evidence.p_value < 0.01
    (True, True)
    >>> low, high = evidence.interval
    >>> low < evidence.ratio < high
    True"""
    @property
    def evidence(self) -> Evidence:
        """The evidence so far."""
    @staticmethod
    def from_bytes(bytes: bytes | bytearray) -> RateRatio:
        """Restore the test that `to_bytes` wrote.

        Raises
        ------
        StatsError
            For bytes that are not a saved test."""
    @property
    def threshold(self) -> float:
        """The log evidence at which the test decides: ``log(1/alpha)`` unless another was given."""
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
    def merge(self, other: RateRatio) -> Evidence:
        """Add the evidence of another test with the same settings. The result equals one test that
        received the data of both.

        Raises
        ------
        StatsError
            If the settings differ; with ``model="bernoulli"``, whose evidence depends on the order
            of the ticks; and with a horizon, because the evidence then depends on the time of the
            ticks."""
    def to_bytes(self) -> bytes:
        """Settings and evidence as bytes."""
    def update(self, canary: _Counts, baseline: _Counts) -> Evidence:
        """Add the counts of one tick.

        Parameters
        ----------
        canary, baseline : (float, float)
            Events, and the trials or the exposure in which they occurred.

        Returns
        -------
        Evidence

        Raises
        ------
        StatsError
            For invalid counts; the test is unchanged.

        Examples
        --------
        A fault that starts late is detected only with a horizon.

        >>> import hotfix
        >>> plain, planned = hotfix.stats.RateRatio(), hotfix.stats.RateRatio(horizon=300)
        >>> for tick in range(200):
        ...     canary = (2, 17) if tick >= 190 else (0, 17)
        ...     late = plain.update(canary, (1, 150)).decided, planned.update(canary, (1, 150)).decided
        >>> late
        (False, True)"""
    def update_strata(self, strata: Iterable[tuple[_Counts, _Counts]]) -> Evidence:
        """Add one tick of strata, such as regions, whose log likelihoods are summed.

        Parameters
        ----------
        strata : sequence of ((float, float), (float, float))
            Canary and baseline of each stratum, as in `update`. A cap limits the sum; a horizon
            counts one tick.

        Returns
        -------
        Evidence
            Its `ratio` uses the sums over strata; its `interval` is stratified, and the fair figure.

        Raises
        ------
        StatsError
            For invalid counts; the test is unchanged.
        TypeError
            With ``model="bernoulli"``, which has no strata.

        Examples
        --------
        >>> import hotfix
        >>> test = hotfix.stats.RateRatio()
        >>> phones, desks = ((30, 900), (33, 1000)), ((0, 100), (8, 8000))
        >>> test.update_strata([phones, desks]).decided
        False"""

def wilson(events: float, trials: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's interval for one proportion; valid for one evaluation only.

    Parameters
    ----------
    events, trials : float
        Events and trials; without trials the interval is 0 to 1.
    confidence : float, default 0.95
        Two-sided.

    Returns
    -------
    (float, float)

    Raises
    ------
    StatsError
        For invalid counts or an invalid confidence.

    Examples
    --------
    >>> import hotfix
    >>> low, high = hotfix.stats.wilson(3, 1000)
    >>> round(low, 5), round(high, 5)
    (0.00102, 0.00878)"""

@final
class Train:
    """A release train: several services in one hot-fix, each with its own rollout.

    A service's ``start`` is accepted when the services that it waits for are complete. If one
    service is rolled back, by its verdict or by a person, the train rolls back all others:
    incomplete ones at once, complete ones after the services that wait for them have been rolled
    back. A train has no log: after a crash make it again from the replayed rollouts and call
    `settle`.

    Parameters
    ----------
    rollouts : Mapping or sequence of pairs
        The rollouts by the names of their services. You may still read them, but send inputs
        through the train only.
    after : Mapping, optional
        The services that each service waits for. Without it, each waits for the one before it.

    Raises
    ------
    PlanError
        For services that cannot form a train: no service, a name that occurs twice, or a cycle.

    Examples
    --------
    >>> import hotfix
    >>> text = '''
    ... extends = "phased-canary"
    ... name = "open"
    ... checklists = []
    ... contingencies = []
    ... severities = { remove = true }
    ... '''
    >>> policy = hotfix.Policy.from_toml(text)
    >>> def rollout(service):
    ...     incident = {"id": "INC-2041", "service": service}
    ...     return hotfix.Rollout(policy.plan(incident, {"version": "2.3.1", "previous": "2.3.0"}))
    >>> train = hotfix.Train({"ledger": rollout("ledger"), "payments": rollout("payments")})
    >>> train.next()
    ['ledger']
    >>> try:
    ...     train.handle("2026-03-03T14:40:00Z", "payments", {"kind": "start", "by": "lena"})
    ... except hotfix.Refused as refused:
    ...     print(refused)
    `start` of `payments` is refused in state `ready`: it starts after `ledger` (ready)
    >>> outcome = train.handle("2026-03-03T14:40:00Z", "ledger", {"kind": "start", "by": "lena"})
    >>> [(move.service, move.state) for move in outcome.moves]
    [('ledger', 'deploying')]
    >>> train.state
    'running'"""
    @property
    def rollouts(self) -> dict[str, Rollout]:
        """The rollouts of the train, by service."""
    @property
    def state(self) -> _TrainState:
        """The state of the train: ``waiting``, ``running``, ``complete``, ``closed``,
        ``rolling_back``, ``frozen`` (one was rolled back, and nothing proceeds until a person acts
        on those that still have the fix) or ``rolled_back``."""
    def __new__(
        cls,
        rollouts: Mapping[str, Rollout] | Sequence[tuple[str, Rollout]],
        after: Mapping[str, Sequence[str]] | None = None,
    ) -> Train: ...
    def findings(self) -> list[TrainFinding]:
        """The present findings: services that are not rolled back like the others.

        Returns
        -------
        list of TrainFinding"""
    def handle(self, at: _Time, service: str, input: Mapping[str, object]) -> TrainOutcome:
        """Handle one input for one service, and return the actions of every rollout that changed.

        Parameters
        ----------
        at : datetime or str
            Now.
        service : str
            Its name.
        input : Mapping
            As for `Rollout.handle`.

        Returns
        -------
        TrainOutcome

        Raises
        ------
        InputError
            For an invalid time or input, or if the train has no such service. Nothing has changed.
        Refused
            For a valid input that the train or the rollout does not accept now. Append and act on
            its ``moves``, then append its ``events`` to the log of ``service``; notify people of
            its ``findings``."""
    def next(self) -> list[str]:
        """The services that the train allows to start now; `Rollout.blockers` has what their rollouts
        still need.

        Returns
        -------
        list of str"""
    def observe(self, at: _Time, service: str, metrics: _Metrics) -> TrainOutcome:
        """Handle the readings of one service, as ``handle`` with ``{"kind": "observe", "metrics":
        metrics}``.

        Parameters
        ----------
        at : datetime or str
            Now.
        service : str
            Its name.
        metrics : Mapping
            As for `Rollout.observe`.

        Returns
        -------
        TrainOutcome

        Raises
        ------
        InputError, Refused
            As `handle`."""
    def pending_actions(self) -> dict[str, list[Action]]:
        """The actions that await ``confirm`` or ``failed``, by service. After a crash check whether
        each was carried out; if not, carry it out.

        Returns
        -------
        dict of str to list of Action"""
    def poll_at(self) -> datetime | None:
        """The next time at which `tick` can change something in any service: set one timer to it and
        call `tick`.

        Returns
        -------
        datetime or None
            In UTC; None if nothing waits for time."""
    def services(self) -> list[_Standing]:
        """Each service with its status in the train and the services that it waits for.

        Returns
        -------
        list of dict
            ``{"service", "place", "state", "waits_for"}`` and during a rollback ``until``.
            ``place`` is waiting, next, held, running, complete, closed, in_turn (it is rolled back
            after those in ``waits_for``), kept, rolling_back, frozen or restored."""
    def settle(self, at: _Time) -> TrainOutcome:
        """Continue a rollback as far as possible, and report every finding that still applies. Call it
        after a crash, once the messages, pages and questions in `Rollout.last_actions` of each
        service are sent: it is an input of those that it rolls back, and replaces their lists.

        A second call changes nothing.

        Parameters
        ----------
        at : datetime or str
            Now.

        Returns
        -------
        TrainOutcome"""
    def tick(self, at: _Time) -> TrainOutcome:
        """Send a ``tick`` to each rollout that is due, and continue a rollback. Call it at the time
        that `poll_at` gives.

        Parameters
        ----------
        at : datetime or str
            Now.

        Returns
        -------
        TrainOutcome"""

@final
class TrainFinding(_Document):
    """A finding about which people have to be notified: a service of a train that is not rolled
    back like the others."""
    @property
    def code(self) -> str:
        """The stable code; `docs/codes.md` lists all."""
    @property
    def message(self) -> str:
        """The problem, and what a person can do."""
    @property
    def service(self) -> str:
        """The service."""

@final
class TrainMove(_Document):
    """One input that one rollout of a train handled."""
    @property
    def actions(self) -> list[Action]:
        """The actions, in the order in which to carry them out."""
    @property
    def by_train(self) -> bool:
        """Whether the train sent the input itself: it rolls the service back or pauses it because
        another one was rolled back, keeps a complete service open or closes it, or notes that the
        service waits. `state` distinguishes them."""
    @property
    def events(self) -> list[str]:
        """The lines to append durably to that service's log before you act; each ends with a line
        feed."""
    @property
    def repeated(self) -> bool:
        """Whether an input with this key was delivered before: nothing changed. The actions are
        those of the first delivery: do not carry them out, others may have followed since."""
    @property
    def service(self) -> str:
        """The service of the rollout."""
    @property
    def state(self) -> _State:
        """The rollout's state after the input."""

@final
class TrainOutcome(_Document):
    """The outcome of a call on a train."""
    @property
    def findings(self) -> list[TrainFinding]:
        """Findings about which people have to be notified at once."""
    @property
    def moves(self) -> list[TrainMove]:
        """The rollouts that changed: append the lines of each to its service's log, in this order,
        then act."""

def branch_name(description: str, prefix: str = "hotfix/") -> str:
    """Make the name of a hot-fix branch from a description.

    It has lower-case letters, digits and single hyphens, at most 50 after the prefix. All other
    characters of the description are replaced by hyphens, so none of them reaches a shell or a
    reference.

    Parameters
    ----------
    description : str
        What the fix does, in a few words.
    prefix : str, default "hotfix/"
        The start of the name.

    Returns
    -------
    str
        A name that ``git check-ref-format`` accepts.

    Raises
    ------
    PlanError
        If the description has no letter or digit, or the prefix makes the name invalid.

    Examples
    --------
    >>> import hotfix
    >>> hotfix.vcs.branch_name("Payments: don't charge twice!")
    'hotfix/payments-dont-charge-twice'"""

def next_version(version: str, kind: _Versioning = "patch") -> str:
    """Compute the next version for a hot-fix.

    Parameters
    ----------
    version : str
        The semantic version that is live, without ``v``.
    kind : {"patch", "hotfix_identifier"}, default "patch"
        ``1.2.4``, or ``1.2.3-hotfix.1``, after ``1.2.3``. The second has lower precedence than
        ``1.2.3``: a tool that selects the newest version keeps the old one.

    Returns
    -------
    str
        The next version.

    Raises
    ------
    PlanError
        If `version` is not a semantic version, or the next version is not clear.

    Examples
    --------
    >>> import hotfix
    >>> hotfix.vcs.next_version("1.2.3")
    '1.2.4'
    >>> hotfix.vcs.next_version("1.2.3-hotfix.1", kind="hotfix_identifier")
    '1.2.3-hotfix.2'"""

def tag_name(version: str | None = None, *, at: _Time | None = None) -> str:
    """Make the name of a tag, from a version or from a time in UTC.

    Parameters
    ----------
    version : str, optional
        The version.
    at : datetime or str, optional
        The time; give either this or the version.

    Returns
    -------
    str
        A name that ``git check-ref-format`` accepts.

    Raises
    ------
    PlanError
        If the version cannot be part of a tag.

    Examples
    --------
    >>> import hotfix
    >>> hotfix.vcs.tag_name("1.2.4")
    'v1.2.4'
    >>> hotfix.vcs.tag_name(at="2024-01-15T15:30:00+01:00")
    'hotfix-20240115-1430'"""

@final
class Cause(_Document):
    """A cause: a reason and its metric."""
    @property
    def instance(self) -> str | None:
        """The instance of the canary; None if the cause does not concern one instance."""
    @property
    def metric(self) -> str | None:
        """The metric; None if the cause concerns the whole rollout."""
    @property
    def reason(self) -> _Reason:
        """The reason, such as ``evidence`` or ``no_data``."""

@final
class Efficacy(_Document):
    """The claim that the fix works."""
    @property
    def log_e(self) -> float:
        """Log e-value that the rate is reduced at least to the policy's ratio of the live
        baseline."""
    @property
    def shown(self) -> bool:
        """Whether the evidence has reached the threshold at any time."""

@final
class MetricEvidence(_Document):
    """The evidence of a metric and its basis. Absent values are None as attributes and left out in
    `to_dict`.

    Counts are bad events: failures if the metric counts successes."""
    @property
    def alpha(self) -> float:
        """Probability of ever rolling back a release that is not worse; all tested metrics share
        it by their weights."""
    @property
    def cap(self) -> float | None:
        """Upper limit of the log evidence that one tick adds."""
    @property
    def decided(self) -> bool:
        """Whether this metric alone has reached `threshold` at any time; in mode
        ``randomised`` and ``both``, whether what decides there has."""
    @property
    def guarantee(self) -> _Guarantee:
        """The basis of the probability of a false rollback: ``guaranteed``, ``calibrated`` or
        ``assumed``."""
    @property
    def hold(self) -> float:
        """Log evidence from which this metric alone holds a promotion."""
    @property
    def interval(self) -> tuple[float, float] | None:
        """Interval ``(low, high)`` for the ratio at confidence ``1 - alpha``, valid at every
        evaluation for independent errors."""
    @property
    def log_e(self) -> float:
        """Log e-value that the canary is worse than tolerated."""
    @property
    def log_e_safe(self) -> float | None:
        """Log e-value that it is better than the margin, if a phase requires it."""
    @property
    def log_e_without_any(self) -> float | None:
        """The smallest `log_e` without one of the canary's instances, if at least four instances
        are known."""
    @property
    def margin(self) -> float:
        """The margin of the test of `log_e_safe`."""
    @property
    def mode(self) -> _EvidenceMode:
        """The evidence mode in force: ``plain``, ``replay``, ``randomised`` or ``both``."""
    @property
    def not_sequential(self) -> dict[str, tuple[float, float]] | None:
        """Wilson's 95% intervals of each arm, ``{"canary": (low, high), "baseline": …}``: valid
        for this one evaluation only, **not** at every evaluation."""
    @property
    def p_value(self) -> float:
        """The p-value; valid at every evaluation under the conditions of `guarantee`."""
    @property
    def ratio(self) -> float | None:
        """The canary's rate divided by the baseline's, with 0.5 for a count of zero; None without
        an event in either."""
    @property
    def threshold(self) -> float:
        """Log evidence with which this metric alone decides, by its `weight`."""
    @property
    def tolerated(self) -> float:
        """The tolerated ratio."""
    @property
    def totals(self) -> dict[str, tuple[float, float]] | None:
        """What was compared so far: ``{"canary": (events, trials), "baseline": …}``; None for
        latency."""
    @property
    def weight(self) -> float:
        """Its weight: its share of `alpha`."""
    @property
    def why(self) -> str:
        """The reason why the mode in force is valid here, or is not known to be valid."""

@final
class MetricVerdict(_Document):
    """The part of one metric in a verdict. Absent values are None as attributes and left out in
    `to_dict`."""
    @property
    def band(self) -> _Band:
        """The band of the trailing window: ``success``, ``hold``, ``alert``, ``rollback``,
        ``no_data``, …"""
    @property
    def baseline(self) -> float | None:
        """The live arm's value in the window, in the metric's unit."""
    @property
    def bucket(self) -> list[float] | None:
        """Edges of the histogram bucket, in seconds, in which `canary` was interpolated to decide
        the band, with an error of 10%; None where the edges alone decide."""
    @property
    def canary(self) -> float | None:
        """The canary's value in the window, in the metric's unit; a quantile is the middle of its bucket."""
    @property
    def guarantee(self) -> _Guarantee | None:
        """The basis of the rollback test's error rate: ``guaranteed``, ``calibrated`` or
        ``assumed``; None without a test."""
    @property
    def healed(self) -> bool:
        """Whether the metric was degraded in this phase and has recovered."""
    @property
    def log_e(self) -> float | None:
        """Log e-value of the rollback test."""
    @property
    def log_e_safe(self) -> float | None:
        """Log e-value of the promotion test, if a phase requires it."""
    @property
    def mode(self) -> _EvidenceMode | None:
        """The evidence mode in force: ``plain``, ``replay``, ``randomised`` or ``both``; None
        without a test."""
    @property
    def needs(self) -> float | None:
        """The number of trials that the window still needs before its band is evaluated."""
    @property
    def ratio(self) -> float | None:
        """Ratio of the canary's rate to the baseline's, over the whole rollout; None without an event
        in either."""

@final
class Verdict(_Document):
    """The verdict of the judge at one time.

    Attributes and ``[]`` give the same: ``verdict.decision`` and ``verdict["decision"]``.

    Examples
    --------
    >>> import hotfix
    >>> policy = hotfix.Policy.preset("phased-canary")
    >>> plan = policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"})
    >>> hotfix.Rollout(plan).verdict.decision  # nothing seen yet
    'hold'"""
    @property
    def against(self) -> _Against | None:
        """After the last phase: ``hold_back`` or ``reference``, with which the fix is compared."""
    @property
    def causes(self) -> list[Cause]:
        """The causes, the most severe first; empty for ``continue`` and ``promote``."""
    @property
    def decision(self) -> _Decision:
        """``continue``, ``hold``, ``promote``, ``roll_back`` or ``ask``."""
    @property
    def efficacy(self) -> Efficacy | None:
        """Whether the fix is shown to work, if the policy requires it."""
    @property
    def lesser_harm(self) -> _Version | None:
        """``"canary"`` if the decision is to roll back although the canary is certain to affect
        fewer requests."""
    @property
    def log_e(self) -> float:
        """Log e-value of all rollback tests together."""
    @property
    def metrics(self) -> dict[str, MetricVerdict]:
        """Each metric's part, by id."""
