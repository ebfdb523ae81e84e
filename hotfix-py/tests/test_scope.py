"""The scope guard, what severities ask for, and commit messages (GATE-3, GATE-4, VCS-5).

The cases are Rust's and C's, too: `scope/scope.toml` describes the form.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from test_corpus import ABSENT, CASES, standing

import hotfix

Case = dict[str, Any]


def cases(name: str) -> list[Any]:
    file = tomllib.loads((CASES / f"{name}.toml").read_text())
    return [pytest.param(case, id=case["id"]) for case in file["case"]]


def policy_of(case: Case) -> hotfix.Policy:
    text: str = case["policy"]
    return hotfix.Policy.from_toml(text) if "\n" in text else hotfix.Policy.preset(text)


def plan_of(case: Case) -> hotfix.Plan:
    return policy_of(case).plan(
        {"id": "INC-2041"} | case.get("incident", {}),
        {"version": "2.3.1", "previous": "2.3.0"} | case.get("release", {}),
        case.get("traffic", {}),
    )


def check(case: Case, ask: Callable[[], dict[str, Any]]) -> None:
    if "error" in case:
        with pytest.raises(hotfix.PlanError) as caught:
            ask()
        assert [caught.value.code, caught.value.path] == case["error"]
        return
    answer = ask()

    def found(pointer: str) -> Any:
        return standing(answer, pointer.split("/")[1:])

    for pointer, expected in case.get("at", []):
        assert found(pointer) == expected, pointer
    for pointer, expected in case.get("count", []):
        assert len(found(pointer)) == expected, pointer
    for pointer in case.get("absent", []):
        assert found(pointer) is ABSENT, pointer


@pytest.mark.parametrize("case", cases("scope/scope"))
def test_gate_4_every_document_s_rules(case: Case) -> None:
    check(case, lambda: plan_of(case).scope)


@pytest.mark.parametrize("case", cases("scope/demands"))
def test_gate_3_what_every_severity_asks_for(case: Case) -> None:
    check(case, lambda: plan_of(case).demands)


def message_of(case: Case) -> dict[str, Any]:
    if "text" in case:
        return policy_of(case).parse_commit_message(case["text"])
    parts = case["parts"]
    if "incident" in case or "release" in case:
        return plan_of(case).commit_message(**parts)
    return policy_of(case).commit_message(**parts)


@pytest.mark.parametrize("case", cases("vcs/messages"))
def test_vcs_5_every_document_s_messages(case: Case) -> None:
    if "colour" in case.get("parts", {}):
        with pytest.raises(TypeError):
            message_of(case)
    else:
        check(case, lambda: message_of(case))


def test_vcs_5_a_fact_that_is_none_is_unknown() -> None:
    message = hotfix.Policy.preset("fast-track").commit_message("x", fields={"issue": None, "impact": "y"})
    assert (message["text"], message["missing"]) == ("hotfix: x\n\nImpact: y\n", ["issue", "change"])


def test_vcs_5_what_was_composed_is_read_to_the_letter() -> None:
    policy = hotfix.Policy.preset("severity-matrix")
    fields = {"issue": "#1\n\n# two", "impact": "…\n..\n ."}
    message = policy.commit_message("word " * 40, fields=fields)  # type: ignore[arg-type]
    read = policy.parse_commit_message(message["text"])
    assert (read["summary"], read["fields"]) == (("word " * 40).strip(), fields)
