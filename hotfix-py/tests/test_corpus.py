"""The case files that Rust, C and Python share: `hotfix-core/tests/cases/<family>/*.toml`."""

from __future__ import annotations

import copy
import json
import pickle
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hotfix
import script
from script import Case, File
from stat_cases import kayenta_case, stat_case

CASES = Path(__file__).parents[2] / "hotfix-core" / "tests" / "cases"


def policy_case(case: Case, _file: File, _name: str) -> None:
    """A policy that is refused, or loads: `policy/keys.toml` and `policy/extends.toml` describe the form."""
    resolve = case.get("bases", {}).get
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
            read(text, resolve)
        errors = caught.value.errors
        assert (caught.value.code, caught.value.path) == (errors[0].code, errors[0].path)
        assert all(problem.message in str(caught.value) for problem in errors)
    else:
        policy = read(text, resolve)
        outcome = policy.to_dict()
        for pointer, value in case.get("has", []):
            steps, key = split(pointer)
            assert at(outcome, [*steps, key]) == value, pointer
        for pointer in case.get("lacks", []):
            steps, key = split(pointer)
            with pytest.raises((KeyError, IndexError, TypeError)):
                at(outcome, [*steps, key])
        if "same_as" in case:
            assert policy == hotfix.Policy.preset(case["same_as"])
            assert policy.digest == hotfix.Policy.preset(case["same_as"]).digest
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


ABSENT = object()


def standing(value: Any, steps: list[str]) -> Any:
    """What stands at a pointer of a preset's case, or `ABSENT`."""
    if not steps:
        return value
    step, *rest = steps
    if step == "*":
        if not isinstance(value, list | dict):
            return ABSENT
        members = value if isinstance(value, list) else [member for _, member in sorted(value.items())]
        return [found for found in (standing(member, rest) for member in members) if found is not ABSENT]
    if isinstance(value, dict):
        return standing(value[step], rest) if step in value else ABSENT
    if not isinstance(value, list):
        return ABSENT
    named = (member for member in value if isinstance(member, dict) and member.get("id") == step)
    member = next(iter(value[int(step) :]) if step.isdigit() else named, ABSENT)
    return ABSENT if member is ABSENT else standing(member, rest)


def preset_case(case: Case, file: File, _name: str) -> None:
    """Figures of a preset: `preset/phased-canary.toml` describes the form."""
    shown(case, json.loads(hotfix.Policy.preset(file["policy"]).to_json()))


def shown(case: Case, document: Any) -> None:
    """What stands in a document, as a preset's case or the `shows` of a step says."""

    def found(pointer: str) -> Any:
        return standing(document, pointer.split("/")[1:])

    assert {"at", "count", "says", "absent"} & set(case), "looks at nothing"
    for pointer, expected in case.get("at", []):
        assert found(pointer) == expected, pointer
    for pointer, expected in case.get("count", []):
        assert len(found(pointer)) == expected, pointer
    for pointer, part in case.get("says", []):
        assert part in found(pointer), pointer
    for pointer in case.get("absent", []):
        assert found(pointer) in (ABSENT, None, "", [], {}), pointer


def view_case(case: Case) -> None:
    """What a plan says, or why there is none: `plan/timelines.toml` describes the form."""
    policy = hotfix.Policy.preset(case["policy"])
    parts = (
        case.get("incident", {"id": "INC-2041"}),
        case.get("release", {"version": "2.3.1", "previous": "2.3.0"}),
        case.get("traffic"),
    )
    if "error" in case:
        with pytest.raises(hotfix.PlanError) as caught:
            policy.plan(*parts)
        assert [caught.value.code, caught.value.path] == case["error"]
        return
    plan = policy.plan(*parts)
    document = plan.to_dict()

    def found(pointer: str) -> Any:
        return standing(document, pointer.split("/")[1:])

    assert {"at", "count", "says", "absent"} & set(case), "looks at nothing"
    for pointer, expected in case.get("at", []):
        assert found(pointer) == expected, pointer
    for pointer, expected in case.get("count", []):
        assert len(found(pointer)) == expected, pointer
    for pointer, part in case.get("says", []):
        assert part in found(pointer), pointer
    for pointer in case.get("absent", []):
        assert found(pointer) is ABSENT, pointer
    if "start" in case:
        assert [step["at"] for step in plan.timeline(case["start"])] == case["utc"]


INCIDENT = {"id": "INC-2041", "service": "payments", "severity": "P1"}
RELEASE = {
    "version": "2.3.1",
    "previous": "2.3.0",
    "methods": [{"kind": "feature_flag", "seconds": 5}, {"kind": "redeploy", "seconds": 150}],
}


def roll_case(case: Case, file: File, _name: str) -> None:
    """A script of inputs and what must follow: `roll/readings.toml` describes the form."""
    document = json.loads(hotfix.Policy.preset(case.get("policy", "phased-canary")).to_json())
    if not case.get("gates"):
        script.open_gates(document)
    for pointer, value in case.get("set", []):
        put(document, pointer, value)
    policy = hotfix.Policy.from_json(json.dumps(document))
    traffic = case.get("traffic", {"requests_per_minute": 1000})
    incident, release, past = case.get("incident", INCIDENT), case.get("release", RELEASE), script.history(case)
    plan = policy.plan(incident, release or None, traffic, calibration=past)
    rollout = hotfix.Rollout(plan, salt="pepper")
    for number, step in enumerate(file.get("preludes", {}).get(case.get("after"), []) + case["steps"]):
        known = {"at", "input", "json", "observe", "times", "every", "asked_at", "messages", *script.SEEN}
        assert step.keys() <= known, f"step {number}: {step.keys() - known}"
        seen: dict[str, Any] = {}
        for time in range(step.get("times", 1)):
            at = script.moment(step["at"] + time * step.get("every", 0))
            seen = script.deliver(rollout, at, step, file)
        wanted: dict[str, Any] = {"error": None, "refused": None, "repeated": False} | {
            key: step[key] for key in script.SEEN if key in step
        }
        for key, value in wanted.items():
            if key == "says":
                assert value in seen["says"], f"step {number}"
            elif key == "modes":
                assert {metric: seen["modes"][metric] for metric in value} == value, f"step {number}"
            elif key == "shows":
                shown(value, seen["shows"])
            elif key == "report":
                assert [part for part in value if part not in seen["report"]] == [], f"step {number}"
            elif key == "accepts":
                assert set(value) <= set(seen["accepts"]), f"step {number}"
            elif key == "why":
                assert value == {metric: seen["why"][metric] for metric in value}, f"step {number}"
            else:
                assert seen[key] == value, f"step {number}: {key}; {seen['says']}"
    if rollout.log():
        script.again(rollout)


def policy_of(name: str) -> hotfix.Policy:
    """A preset, else a policy of `tests/policies`."""
    if name in hotfix.Policy.presets():
        return hotfix.Policy.preset(name)
    return hotfix.Policy.load(CASES.parent / "policies" / f"{name}.toml")


def answered(document: Any) -> Any:
    """What a case says for null."""
    return "" if document is None else document


def decided(decision: hotfix.Decision) -> dict[str, Any]:
    """Where the tree leads: `decision/matrix.toml` describes the form."""
    document = decision.to_dict()
    outcome = document["outcome"] or {}
    return document | {
        "outcome": outcome.get("id", ""),
        "next": (document["next_question"] or {}).get("fact", ""),
        "path": [part for step in document["path"] for part in (step["id"], step["answer"])],
        **{key: answered(outcome.get(key)) for key in ("severity", "hotfix", "deadline")},
    }


def decision_case(case: Case, _file: File, _name: str) -> None:
    seen = decided(policy_of(case["policy"]).decide(case["facts"]))
    assert {key: seen[key] for key in case["expect"]} == case["expect"]


def severity_case(case: Case, file: File, _name: str) -> None:
    """What is known of an incident, and what follows: `sev/enterprise.toml` describes the form."""
    assert case.keys() <= {"id", "quiet", "facts", "unknown", "expect", "decide"}
    policy = hotfix.Policy.preset(file["policy"])
    facts = (file["quiet"] if case.get("quiet") else {}) | case["facts"] | dict.fromkeys(case.get("unknown", []))
    answer = {key: answered(value) for key, value in policy.classify(facts).to_dict().items()}
    answer |= {key: [rule["id"] for rule in answer[key]] for key in ("rules", "undecided")}
    decision = decided(policy.decide(facts))
    expect, decide = case.get("expect", {}), case.get("decide", {})
    assert expect or decide
    assert {key: answer[key] for key in expect} == expect
    assert {key: decision[key] for key in decide} == decide


LAB = hotfix.Policy.load(CASES.parents[2] / "examples" / "policies" / "lab.toml").to_json()


def lint_case(case: Case, _file: File, name: str) -> None:
    """What is doubtful about tree and rules: `lint/tree.toml` describes the form."""
    assert name == "tree", "another file has another form"
    document, keys = json.loads(LAB), case["policy"]
    labels = {"P0": ("critical", True), "P1": ("high", True), "P2": ("medium", False)}
    giving = [*keys.get("rules", []), *keys.get("tree", {}).get("leaves", [])]
    named = {part["severity"] for part in giving if "severity" in part}
    document["severities"] = {name: dict(zip(("label", "hotfix"), labels[name], strict=True)) for name in named}
    policy = hotfix.Policy.from_json(json.dumps(document | keys))
    found = [finding for finding in policy.lint() if finding.code <= "HF-LINT-019"]
    assert [[finding.code, finding.path] for finding in found] == case["finds"]
    for part in case.get("says", []):
        assert any(part in finding.message for finding in found), part
    for finding in found:
        facts = (finding.example or {}).get("facts")
        # What shows a fault can be fed back.
        assert facts is None or policy.classify(facts).contradictions == []


NOW = "2026-11-20T12:00:00Z"


def findings_case(case: Case, _file: File, name: str) -> None:
    """All that is found in a preset, in order."""
    found = hotfix.Policy.preset(name).lint(NOW)
    expected = case.get("finding", [])
    assert [[f.code, f.level, f.path] for f in found] == [[e["code"], e["level"], e["path"]] for e in expected]
    for finding, wanted in zip(found, expected, strict=True):
        assert all(part in finding.message for part in wanted["says"]), finding.message


def sight_case(case: Case) -> None:
    """What the phases of a plan see: `plan/power.toml` describes the form."""
    document = json.loads(hotfix.Policy.preset(case["policy"]).to_json())
    for pointer, value in case.get("set", []):
        if value == "absent":
            take(document, pointer)
        else:
            put(document, pointer, copy.deepcopy(value))
    policy = hotfix.Policy.from_json(json.dumps(document))
    plan = policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"}, case.get("traffic"))
    power, page = plan.power, plan.power_markdown()
    for pointer, wanted in case.get("near", []):
        steps, key = split(pointer)
        assert at(power, [*steps, key]) == pytest.approx(wanted, rel=1e-6, abs=1e-8), pointer
    for pointer, wanted in case.get("about", []):
        steps, key = split(pointer)
        assert at(power, [*steps, key]) == pytest.approx(wanted, abs=0.02), pointer
    for pointer, wanted in case.get("has", []):
        steps, key = split(pointer)
        assert at(power, [*steps, key]) == wanted, pointer
    for pointer in case.get("lacks", []):
        steps, key = split(pointer)
        with pytest.raises((KeyError, IndexError)):
            at(power, [*steps, key])
    assert all(part in page for part in case.get("says", [])), page


def strategy_case(case: Case) -> None:
    """Strategies, recommendations, ways back: `plan/strategies.toml` describes the form."""
    document = json.loads(hotfix.Policy.preset(case["policy"]).to_json())
    for pointer, value in case.get("set", []):
        put(document, pointer, value)
    policy = hotfix.Policy.from_json(json.dumps(document))
    incident = {"id": "INC-2041"} | case.get("incident", {})
    release = {"version": "2.3.1", "previous": "2.3.0"} | case.get("release", {})
    if "refused" in case:
        code, path, part = case["refused"]
        with pytest.raises(hotfix.PlanError) as refused:
            policy.plan(incident, release, case.get("traffic", {}))
        assert (refused.value.code, refused.value.path) == (code, path)
        assert part in str(refused.value)
        return
    plan = policy.plan(incident, release, case.get("traffic", {}))
    assert pickle.loads(pickle.dumps(plan)) == plan
    answer = plan.to_dict() | {
        "phases": [phase.to_dict() for phase in plan.phases],
        "strategy": plan.strategy,
        "recommendation": plan.recommendation,
        "rollback": plan.rollback,
    }
    for pointer, expected in case.get("has", []):
        assert found_by_name(answer, pointer.split("/")[1:]) == expected, pointer
    for pointer, part in case.get("says", []):
        assert part in json.dumps(found_by_name(answer, pointer.split("/")[1:]), ensure_ascii=False), pointer
    for pointer in case.get("lacks", []):
        assert found_by_name(answer, pointer.split("/")[1:]) is ABSENT, pointer


def found_by_name(value: Any, steps: list[str]) -> Any:
    """What stands at a pointer of a plan's case, or `ABSENT`."""
    if not steps:
        return value
    step, *rest = steps
    if isinstance(value, dict):
        return found_by_name(value[step], rest) if step in value else ABSENT
    if not isinstance(value, list):
        return ABSENT
    if step == "*":
        return [found for found in (found_by_name(member, rest) for member in value) if found is not ABSENT]
    if step.isdigit():
        return found_by_name(value[int(step)], rest) if int(step) < len(value) else ABSENT
    for member in value:
        name = next((member[key] for key in ("strategy", "kind", "code", "move", "name") if key in member), None)
        if name == step:
            return found_by_name(member, rest)
    return ABSENT


PLAN_RUNNERS: dict[str, Callable[[Case], None]] = {
    "people": view_case,
    "procedure": view_case,
    "recommendation": strategy_case,
    "record": view_case,
    "risks": view_case,
    "rollback": strategy_case,
    "limits": strategy_case,
    "power": sight_case,
    "slo": view_case,
    "strategies": strategy_case,
    "timelines": view_case,
}


def plan_case(case: Case, _file: File, name: str) -> None:
    PLAN_RUNNERS[name](case)


RUNNERS: dict[str, Callable[[Case, File, str], None]] = {
    "decision": decision_case,
    "findings": findings_case,
    "kayenta": kayenta_case,
    "lint": lint_case,
    "plan": plan_case,
    "policy": policy_case,
    "preset": preset_case,
    "gate": roll_case,
    "roll": roll_case,
    "message": roll_case,
    "sev": severity_case,
    "stat": stat_case,
}


# Families with a test of their own, `test_scope.py` and `test_vcs.py`; duties are asked of a rollout once it has them.
ELSEWHERE = {"convert", "measures", "recorded", "scope", "simulate", "time", "train", "vcs"}


def cases() -> Iterator[Any]:
    for path in sorted(CASES.glob("*/*.toml")):
        if path.parent.name in ELSEWHERE:
            continue
        file = tomllib.loads(path.read_text())
        # A file of findings is one case, named for its preset.
        listed = [file | {"id": path.stem}] if path.parent.name == "findings" else file.get("case", [])
        for case in listed:
            yield pytest.param(path.parent.name, path.stem, file, case, id=f"{path.parent.name}/{case['id']}")


@pytest.mark.parametrize(("family", "name", "file", "case"), list(cases()))
def test_case(family: str, name: str, file: File, case: Case) -> None:
    RUNNERS[family](case, file, name)


def test_every_family_has_cases_and_a_runner() -> None:
    found = {file.parent.name for file in CASES.glob("*/*.toml")}
    assert found == set(RUNNERS) | ELSEWHERE, "a family without cases, or cases without a runner"
