"""Decides how an emergency fix is rolled out safely.

A deploy tool links this library and asks it what to do; the library answers, the tool acts. It reads no clock, no file
and no network: time and observations come in, log lines and actions come out.

>>> import hotfix
>>> plan = hotfix.Policy.preset("phased-canary").plan(
...     {"id": "INC-2041", "service": "payments"},
...     {"version": "2.3.1", "previous": "2.3.0", "methods": [{"kind": "feature_flag", "seconds": 5}]},
... )
>>> rollout = hotfix.Rollout(plan)
>>> outcome = rollout.handle("2026-03-03T14:40:00Z", {"kind": "start", "by": "lena"})
>>> [action.kind for action in outcome.actions if action.awaits]
['deploy']
"""

from hotfix import stats
from hotfix._core import (
    Action,
    Audit,
    AuditFinding,
    Cause,
    Efficacy,
    Method,
    MetricVerdict,
    Outcome,
    Phase,
    Plan,
    Policy,
    Problem,
    Rollout,
    Verdict,
    __version__,
    audit,
)
from hotfix._errors import Error, InputError, LogError, PlanError, PolicyError, Refused, StatsError

__all__ = [
    # Documents
    "Policy",
    "Plan",
    "Phase",
    "Method",
    # The rollout
    "Rollout",
    "Outcome",
    "Action",
    "Verdict",
    "MetricVerdict",
    "Cause",
    "Efficacy",
    "Audit",
    "AuditFinding",
    "audit",
    # Statistics
    "stats",
    # What can go wrong
    "Error",
    "PolicyError",
    "Problem",
    "PlanError",
    "InputError",
    "Refused",
    "LogError",
    "StatsError",
    "__version__",
]
