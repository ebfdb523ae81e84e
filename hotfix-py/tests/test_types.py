"""What the stub promises: the closed sets of the core, and what type checkers accept and refuse.

The functions run under pytest; `mypy --strict tests` checks them too. An ignore that is not needed is an error there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, assert_type

import pytest

import hotfix
import stub
from hotfix import stats
from story import START, Story, healthy, make_plan


def test_the_stub_is_written_from_the_module() -> None:
    written = stub.written(hotfix._core)
    assert written, "the module has no descriptions: build it with `make module`"
    if stub.STUB.read_text() != written:
        pytest.fail("the stub is not what the doc comments and types say: write it with `make stub`")


def test_kinds_of_action_are_the_cores() -> None:
    action = (stub.CORE / "rollout" / "action.rs").read_text()
    body = action.split("pub enum Act {")[1].split("\n}")[0]
    kinds = [
        re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower() for name in re.findall(r"^ {4}(\w+) \{", body, re.MULTILINE)
    ]
    literal = re.search(r"^_ActionKind: TypeAlias = Literal\[(.*?)\]", stub.TYPES.read_text(), re.DOTALL | re.MULTILINE)
    assert literal
    assert re.findall(r'"(\w+)"', literal[1]) == kinds


def test_what_type_checkers_infer() -> None:
    story = Story().start()
    rollout = story.rollout
    outcome = story.observe(healthy)
    assert_type(rollout.phase, str | None)
    assert_type(rollout.now, datetime | None)
    assert_type(outcome.events, list[str])
    assert_type(outcome.actions, list[hotfix.Action])
    assert_type(rollout.verdict.decision, Literal["continue", "hold", "promote", "roll_back", "ask"])
    assert_type(rollout.verdict.metrics, dict[str, hotfix.MetricVerdict])
    assert_type(rollout.evidence("bug"), hotfix.MetricEvidence | None)
    assert_type(make_plan().phases[0].watch, timedelta)
    assert_type(make_plan().to_dict(), dict[str, Any])
    assert_type(stats.wilson(1, 2), tuple[float, float])
    assert_type(stats.mann_whitney_u([1], [2.0]), stats.MannWhitney)
    assert_type(stats.fisher_exact((1, 2), (1, 2)).odds_ratio, float | None)


def test_what_type_checkers_accept() -> None:
    story = Story().start()
    pairs: dict[str, dict[str, list[int]]] = {"error_rate": {"canary": [0, 10]}}
    buckets: Mapping[str, Mapping[str, dict[str, Any]]] = {"latency_p95": {"canary": {"samples": [0.1]}}}
    story.rollout.observe(story.at, pairs)
    story.rollout.observe(story.at, buckets)
    story.rollout.observe(
        story.at,
        {"error_rate": {"canary": (0, 10.0), "baseline": None}, "request_volume": {"canary": 98.5, "totals": False}},
    )


def test_what_type_checkers_refuse() -> None:
    rollout = hotfix.Rollout(make_plan())
    with pytest.raises(TypeError):
        rollout.handle(START.timestamp(), {"kind": "tick"})  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        rollout.state = "closed"  # type: ignore[misc]
    assert rollout.state != "opened"  # type: ignore[comparison-overlap]
    with pytest.raises(TypeError):
        hotfix.Rollout("phased-canary")  # type: ignore[arg-type]
    with pytest.raises(TypeError):

        class Mine(hotfix.Rollout):  # type: ignore[misc]
            pass
