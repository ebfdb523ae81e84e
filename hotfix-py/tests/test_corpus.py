"""The case files that Rust, C and Python share: `hotfix-core/tests/cases/<family>/*.toml`."""

from __future__ import annotations

import copy
import json
import math
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import hotfix

CASES = Path(__file__).parents[2] / "hotfix-core" / "tests" / "cases"

Case = dict[str, Any]
File = dict[str, Any]


def policy_case(case: Case, _file: File, _name: str) -> None:
    """A policy that is refused, or loads: `policy/keys.toml` describes the form."""
    if "policy" in case:
        document = json.loads(hotfix.Policy.preset(case["policy"]).to_json())
        for pointer, value in case.get("set", []):
            put(document, pointer, copy.deepcopy(value))
        for pointer in case.get("remove", []):
            take(document, pointer)
        read, text = hotfix.Policy.from_json, json.dumps(document)
    elif "toml" in case:
        read, text = hotfix.Policy.from_toml, case["toml"]
    else:
        read, text = hotfix.Policy.from_json, case["json"]
    errors: list[hotfix.Problem] = []
    if case["errors"]:
        with pytest.raises(hotfix.PolicyError) as caught:
            read(text)
        errors = caught.value.errors
        assert (caught.value.code, caught.value.path) == (errors[0].code, errors[0].path)
        assert all(problem.message in str(caught.value) for problem in errors)
    else:
        read(text)
    assert sorted([problem.code, problem.path] for problem in errors) == sorted(case["errors"])
    sentences = "\n".join(problem.message for problem in errors)
    for part in case.get("says", []):
        assert part in sentences


def split(pointer: str) -> tuple[list[str], str]:
    *parents, key = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    return parents, key


def at(document: Any, steps: list[str]) -> Any:
    for step in steps:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def put(document: Any, pointer: str, value: Any) -> None:
    steps, key = split(pointer)
    parent = at(document, steps)
    if not isinstance(parent, list):
        parent[key] = value
    elif key == "-":
        parent.append(value)
    else:
        parent[int(key)] = value


def take(document: Any, pointer: str) -> None:
    steps, key = split(pointer)
    parent = at(document, steps)
    del parent[int(key) if isinstance(parent, list) else key]


def stat_case(case: Case, _file: File, name: str) -> None:
    """A test that is fed tick by tick; the file's name is the test's."""
    model = {"rate_ratio": "poisson", "bernoulli": "bernoulli"}[name]
    test = hotfix.stats.RateRatio(model=model, **case["settings"])  # type: ignore[arg-type]
    evidence, decided_at = test.evidence, 0
    for tick, (x_c, n_c, x_b, n_b) in enumerate(case["updates"] * case["repeat"], 1):
        evidence = test.update((x_c, n_c), (x_b, n_b))
        assert evidence.decided or decided_at == 0, "a decision was taken back"
        decided_at = decided_at or (tick if evidence.decided else 0)
    expect = case["expect"]
    assert math.isclose(evidence.log_e, expect["log_e"], rel_tol=1e-12, abs_tol=1e-12)
    assert math.isclose(evidence.p_value, expect["p_value"], rel_tol=1e-11)
    assert decided_at == expect["decided_at"]
    if "ratio" in expect:
        assert evidence.ratio is not None
        assert math.isclose(evidence.ratio, expect["ratio"], rel_tol=1e-14)
    else:
        assert evidence.ratio is None


START = datetime(2026, 3, 3, 14, 40, tzinfo=UTC)
INCIDENT = {"id": "INC-2041", "service": "payments", "severity": "P1"}
RELEASE = {
    "version": "2.3.1",
    "previous": "2.3.0",
    "methods": [{"kind": "feature_flag", "seconds": 5}, {"kind": "redeploy", "seconds": 150}],
}


def roll_case(case: Case, file: File, _name: str) -> None:
    """A script of inputs and what must follow: `roll/readings.toml` describes the form."""
    document = json.loads(hotfix.Policy.preset(case.get("policy", "phased-canary")).to_json())
    for pointer, value in case.get("set", []):
        put(document, pointer, value)
    policy = hotfix.Policy.from_json(json.dumps(document))
    plan = policy.plan(INCIDENT, case.get("release", RELEASE), {"requests_per_minute": 1000})
    rollout = hotfix.Rollout(plan, salt="pepper")
    for number, step in enumerate(file.get("preludes", {}).get(case.get("after"), []) + case["steps"]):
        known = {"at", "input", "json", "observe", "times", "every", *SEEN}
        assert step.keys() <= known, f"step {number}: {step.keys() - known}"
        seen: dict[str, Any] = {}
        for time in range(step.get("times", 1)):
            at = START + timedelta(seconds=step["at"] + time * step.get("every", 0))
            seen = deliver(rollout, at, step, file)
        wanted: dict[str, Any] = {"error": None, "refused": None, "repeated": False} | {
            key: step[key] for key in SEEN if key in step
        }
        for key, value in wanted.items():
            if key == "says":
                assert value in seen["says"], f"step {number}"
            elif key == "accepts":
                assert set(value) <= set(seen["accepts"]), f"step {number}"
            else:
                assert seen[key] == value, f"step {number}: {key}; {seen['says']}"
    if rollout.log():
        assert hotfix.audit(rollout.log(), rollout.head).findings == []
        again = hotfix.Rollout.replay(rollout.log())
        assert (again.state, again.head) == (rollout.state, rollout.head)


SEEN = (
    *("error", "refused", "says", "accepts", "state", "phase", "share"),
    *("decision", "causes", "actions", "pending", "lines", "repeated"),
)


def deliver(rollout: hotfix.Rollout, at: datetime, step: Case, file: File) -> dict[str, Any]:
    """Hand one input over; everything that a step may compare."""
    seen: dict[str, Any] = dict.fromkeys(("error", "refused"), None) | {"says": "", "accepts": [], "repeated": False}
    actions: list[hotfix.Action] = []
    events: list[str] = []
    try:
        if "observe" in step:
            outcome = rollout.observe(at, file["observations"][step["observe"]])
        else:
            outcome = rollout.handle(at, document_of(step, rollout.head))
        actions, events, seen["repeated"] = outcome.actions, outcome.events, outcome.repeated
    except json.JSONDecodeError:
        seen["error"] = "HF-IN-001"  # what is no JSON is no dict either
    except hotfix.InputError as error:
        seen |= {"error": error.code, "says": str(error)}
    except hotfix.Refused as refused:
        seen |= {"refused": refused.code, "says": str(refused), "accepts": refused.accepted}
        events = refused.events
    verdict = rollout.verdict
    return seen | {
        "state": rollout.state,
        "phase": rollout.phase or "",
        "share": rollout.share,
        "decision": verdict.decision,
        "causes": [" ".join(filter(None, (cause.reason, cause.metric))) for cause in verdict.causes],
        "actions": [f"{action.id} {action.kind}" for action in actions],
        "pending": [f"{action.id} {action.kind}" for action in rollout.pending_actions()],
        "lines": len(events),
    }


def document_of(step: Case, head: str) -> Any:
    if "json" in step:
        return json.loads(step["json"].replace("$head", head))
    return {key: head if value == "$head" else value for key, value in step["input"].items()}


RUNNERS: dict[str, Callable[[Case, File, str], None]] = {
    "policy": policy_case,
    "roll": roll_case,
    "stat": stat_case,
}


def cases() -> Iterator[Any]:
    for path in sorted(CASES.glob("*/*.toml")):
        file = tomllib.loads(path.read_text())
        for case in file.get("case", []):
            yield pytest.param(path.parent.name, path.stem, file, case, id=f"{path.parent.name}/{case['id']}")


@pytest.mark.parametrize(("family", "name", "file", "case"), list(cases()))
def test_case(family: str, name: str, file: File, case: Case) -> None:
    RUNNERS[family](case, file, name)


def test_every_family_has_cases_and_a_runner() -> None:
    found = {file.parent.name for file in CASES.glob("*/*.toml")}
    assert found == set(RUNNERS), "a family without cases, or cases without a runner"
