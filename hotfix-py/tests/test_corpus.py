"""The case files that Rust, C and Python share: `hotfix-core/tests/cases/<family>/*.toml`."""

from __future__ import annotations

import copy
import json
import math
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hotfix

CASES = Path(__file__).parents[2] / "hotfix-core" / "tests" / "cases"

Case = dict[str, Any]


def policy_case(case: Case, _file: Path) -> None:
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


def stat_case(case: Case, file: Path) -> None:
    """A test that is fed tick by tick; the file's name is the test's."""
    model = {"rate_ratio": "poisson", "bernoulli": "bernoulli"}[file.stem]
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


RUNNERS: dict[str, Callable[[Case, Path], None]] = {"policy": policy_case, "stat": stat_case}


def cases() -> Iterator[Any]:
    for file in sorted(CASES.glob("*/*.toml")):
        for case in tomllib.loads(file.read_text()).get("case", []):
            yield pytest.param(file, case, id=f"{file.parent.name}/{file.stem}/{case['id']}")


@pytest.mark.parametrize(("file", "case"), list(cases()))
def test_case(file: Path, case: Case) -> None:
    RUNNERS[file.parent.name](case, file)


def test_every_family_has_cases_and_a_runner() -> None:
    found = {file.parent.name for file in CASES.glob("*/*.toml")}
    assert found == set(RUNNERS), "a family without cases, or cases without a runner"
