"""Decides how an emergency fix is rolled out safely.

A deploy tool embeds this library and asks it what to do. The library decides; the tool acts. A rollout uses no clock,
file or network: it receives time and observations, and returns log lines and actions.

>>> import hotfix
>>> plan = hotfix.Policy.preset("standard").plan(
...     {"id": "INC-2041", "service": "payments", "severity": "P1"},
...     {"version": "2.3.1", "previous": "2.3.0", "methods": [{"kind": "feature_flag", "seconds": 5}]},
... )
>>> rollout = hotfix.Rollout(plan)
>>> approval, *items = rollout.blockers()
>>> _ = rollout.handle("2026-03-03T14:31:00Z", {"kind": "approve", "by": "iris", "role": approval["roles"][0]})
>>> for item in items:
...     _ = rollout.handle("2026-03-03T14:38:00Z", {"kind": "check_item", "by": "omar", "item": item["item"]})
>>> outcome = rollout.handle("2026-03-03T14:40:00Z", {"kind": "start", "by": "lena"})
>>> [action.kind for action in outcome.actions if action.awaits]
['deploy']
"""

from hotfix import kayenta, stats, vcs
from hotfix._backtest import backtest, history
from hotfix._core import (
    Action,
    Advice,
    Audit,
    AuditFinding,
    Backtest,
    Backtests,
    Candidate,
    Cause,
    Classification,
    Comparison,
    ComparisonRow,
    Decision,
    DecisionStep,
    Efficacy,
    FactChange,
    Finding,
    Forecast,
    Harm,
    Imported,
    ImportFault,
    ImportFinding,
    Leaf,
    Method,
    MetricEvidence,
    MetricForecast,
    MetricHarm,
    MetricVerdict,
    MetricWhy,
    NextQuestion,
    Outcome,
    Phase,
    Plan,
    Policy,
    Problem,
    RecordedHistory,
    Rollout,
    RuleVerdict,
    TestForecast,
    Train,
    TrainFinding,
    TrainMove,
    TrainOutcome,
    Verdict,
    VersionImpact,
    Why,
    __version__,
    audit,
    cdevents,
    convert,
    dora,
    dora_chart,
    dora_markdown,
    explain,
    grafana_annotations,
    measures,
    measures_markdown,
    redact,
    report,
    similar,
)
from hotfix._errors import (
    ConvertError,
    Error,
    FactError,
    InputError,
    KayentaError,
    LogError,
    MessageError,
    PlanError,
    PolicyError,
    RecordedError,
    Refused,
    ReportError,
    SimulationError,
    StatsError,
)
from hotfix._simulate import advise, compare, drill, simulate
from hotfix._values import ByValue

__all__ = [
    # Documents
    "Policy",
    "Plan",
    "Phase",
    "Method",
    # An incident under a policy
    "Classification",
    "RuleVerdict",
    "FactChange",
    "Decision",
    "Leaf",
    "DecisionStep",
    "NextQuestion",
    "ByValue",
    "Finding",
    # The rollout
    "Rollout",
    "Outcome",
    "Action",
    "Verdict",
    "MetricVerdict",
    "MetricEvidence",
    "Cause",
    "Efficacy",
    "Why",
    "MetricWhy",
    "Harm",
    "MetricHarm",
    "VersionImpact",
    "Forecast",
    "MetricForecast",
    "TestForecast",
    "Comparison",
    "ComparisonRow",
    "Audit",
    "AuditFinding",
    "audit",
    "redact",
    "report",
    # Measures of past incidents
    "measures",
    "measures_markdown",
    "dora",
    "dora_markdown",
    "dora_chart",
    "similar",
    # Export to other tools
    "cdevents",
    "grafana_annotations",
    # Policies from documents of other tools
    "convert",
    "Imported",
    "ImportFinding",
    # One hot-fix for several services
    "Train",
    "TrainOutcome",
    "TrainMove",
    "TrainFinding",
    # Backtests on recorded metrics
    "backtest",
    "Backtests",
    "Backtest",
    "history",
    "RecordedHistory",
    # Simulated rollouts
    "simulate",
    "compare",
    "drill",
    "advise",
    "Advice",
    "Candidate",
    # Statistics
    "stats",
    "kayenta",
    # Source control
    "vcs",
    # Errors
    "explain",
    "Error",
    "PolicyError",
    "Problem",
    "FactError",
    "PlanError",
    "InputError",
    "Refused",
    "LogError",
    "ReportError",
    "StatsError",
    "KayentaError",
    "RecordedError",
    "ConvertError",
    "ImportFault",
    "MessageError",
    "SimulationError",
    "__version__",
]
