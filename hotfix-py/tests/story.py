"""The scenario of the docs, driven tick by tick: INC-2041, 1,000 requests a minute, a look every ten seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import hotfix

INCIDENT = {"id": "INC-2041", "service": "payments", "severity": "P1"}
RELEASE = {
    "version": "2.3.1",
    "previous": "2.3.0",
    "methods": [{"kind": "redeploy", "seconds": 150}, {"kind": "feature_flag", "seconds": 5}],
}
TRAFFIC = {"requests_per_minute": 1000}
START = datetime(2026, 3, 3, 14, 40, tzinfo=UTC)

Metrics = dict[str, dict[str, Any]]


def make_plan(preset: str = "phased-canary") -> hotfix.Plan:
    return hotfix.Policy.preset(preset).plan(INCIDENT, RELEASE, TRAFFIC)


def tick(share: float, error_rate: float, *, slow: bool = False) -> Metrics:
    """What ten seconds of traffic read, doubled so that windows fill."""
    canary, baseline = round(2000 * share), round(2000 * (1 - share))

    def histogram(count: int, *, slow: bool) -> dict[str, Any]:
        shares = (0.2, 0.5, 0.6, 0.9, 1.0) if slow else (0.7, 0.97, 0.98, 0.99, 1.0)
        return {"le": [0.1, 0.25, 0.3, 0.5, 1.0], "counts": [int(count * s) for s in shares], "count": count}

    metrics: Metrics = {
        "error_rate": {"canary": [int(canary * error_rate), canary], "baseline": [int(baseline * 0.003), baseline]},
        "payment_success": {
            "canary": [canary - int(canary * error_rate), canary],
            "baseline": [int(baseline * 0.45), baseline],
        },
        "latency_p95": {"canary": histogram(canary, slow=slow), "baseline": histogram(baseline, slow=False)},
        "bug": {"canary": [0, 10], "baseline": [12, 10]},
        "request_volume": {"canary": 1000.0 * share, "baseline": 1000.0 * (1 - share)},
    }
    if share >= 1:
        for arms in metrics.values():
            del arms["baseline"]
    return metrics


def healthy(share: float) -> Metrics:
    return tick(share, 0.002)


def failing(share: float) -> Metrics:
    return tick(share, 0.06)


def clearing(blocker: Mapping[str, Any]) -> dict[str, object]:
    """The input that clears what keeps a rollout from starting."""
    match blocker["kind"]:
        case "approval" | "denial":
            return {"kind": "approve", "by": f"somebody else as {blocker['roles'][0]}", "role": blocker["roles"][0]}
        case "item":
            return {"kind": "check_item", "by": "omar", "item": blocker["item"]}
        case "severity":
            return {"kind": "set_severity", "by": "amir", "severity": "P1"}
    raise AssertionError(blocker["sentence"])


class Story:
    """A rollout with its clock, and every line that it handed out."""

    def __init__(self, preset: str = "phased-canary", *, keep_log: bool = True) -> None:
        self.rollout = hotfix.Rollout(make_plan(preset), keep_log, "pepper")
        self.at = START
        self.lines: list[str] = []

    def input(self, input: Mapping[str, object], after: float = 1.0) -> hotfix.Outcome:
        self.at += timedelta(seconds=after)
        outcome = self.rollout.handle(self.at, input)
        self.lines += outcome.events
        return outcome

    def make_ready(self) -> Story:
        """Give every approval and settle every item that the start waits for."""
        while blockers := self.rollout.blockers():
            self.input(clearing(blockers[0]))
        return self

    def start(self) -> Story:
        self.make_ready()
        self.input({"kind": "start", "by": "lena"})
        return self.confirm_all()

    def confirm_all(self) -> Story:
        while pending := self.rollout.pending_actions():
            self.input({"kind": "confirm", "by": "tool", "action": pending[0].id})
        return self

    def check(self, checklist: str) -> Story:
        """Tick every required item of a checklist."""
        (items,) = [of["items"] for of in self.rollout.checklists() if of["id"] == checklist]
        for item in items:
            if item["required"]:
                self.input({"kind": "check_item", "by": "omar", "item": item["id"]})
        return self

    def observe(self, what: Callable[[float], Metrics]) -> hotfix.Outcome:
        self.at += timedelta(seconds=10)
        outcome = self.rollout.observe(self.at, what(self.rollout.share))
        self.lines += outcome.events
        return outcome

    def run_until(self, state: str, what: Callable[[float], Metrics], most: int = 300) -> int:
        for count in range(1, most + 1):
            self.observe(what)
            if self.rollout.state == state:
                return count
        raise AssertionError(f"{state} was not reached in {most} ticks: {self.rollout!r}")
