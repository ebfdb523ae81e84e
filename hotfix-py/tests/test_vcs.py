"""Source control: the shared cases, and what Python adds."""

from __future__ import annotations

import json
import shlex
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import hotfix

CASES = Path(__file__).parents[2] / "hotfix-core" / "tests" / "cases" / "vcs"
NOON = "2024-01-15T12:00:00Z"


def read(name: str) -> dict[str, Any]:
    return tomllib.loads((CASES / name).read_text())


def plan_of(case: dict[str, Any]) -> hotfix.Plan:
    document = json.loads(hotfix.Policy.preset(case["policy"]).to_json())
    for pointer, value in case.get("set", []):
        *steps, last = pointer.split("/")[1:]
        place = document
        for step in steps:
            place = place[step]
        assert last in place
        place[last] = value
    for key in case.get("without", []):
        del document[key]
    return hotfix.Policy.from_json(json.dumps(document)).plan(case["incident"], case["release"])


def commands(steps: list[dict[str, Any]], instead: bool = False) -> Iterator[tuple[str, str]]:
    for step in steps:
        if instead:
            step = {"kind": step["kind"], **step.get("instead", {})}
        for command in step.get("commands", []):
            assert shlex.split(command["shown"]) == command["argv"]
            yield step["kind"], command["shown"]


def check_lines(got: Iterator[tuple[str, str]], expected: list[list[str]]) -> None:
    for _, kind, command in expected:
        assert (kind, command) in got, f"no {command!r} at {kind} in order"


def at(document: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        if isinstance(document, list) and int(step) < len(document):
            document = document[int(step)]
        elif isinstance(document, dict) and step in document:
            document = document[step]
        else:
            return "absent"
    return document


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in read("plans.toml")["case"]])
def test_vcs_1_every_document_has_its_lines_in_its_order(case: dict[str, Any]) -> None:
    plan = plan_of(case)
    if "error" in case:
        with pytest.raises(hotfix.PlanError) as raised:
            plan.source_control(case.get("at", NOON))
        assert [raised.value.code, raised.value.path] == case["error"]
        for part in case.get("says", []):
            assert part in str(raised.value)
        return
    vcs = plan.source_control(case.get("at", NOON))
    steps = vcs["steps"]
    check_lines(commands(steps), case.get("lines", []))
    check_lines(commands(steps, instead=True), case.get("instead", []))
    check_lines(commands(vcs["rollback"]["steps"]), case.get("back", []))
    check_lines(commands(vcs["rollback"]["again"]), case.get("again", []))
    home = [step for branch in vcs["merge_back"]["branches"] for step in branch["steps"]]
    check_lines(commands(home), case.get("home", []))
    if case.get("only"):
        assert len(list(commands(steps))) == len(case["lines"])
    if "kinds" in case:
        assert [step["kind"] for step in steps] == case["kinds"]
    for kind, part in case.get("people", []):
        assert any(
            part in step.get("people", "") or part in step.get("why", "") for step in steps if step["kind"] == kind
        )
    for pointer, expected in case.get("is", []):
        assert at(vcs, pointer) == expected
    assert [finding["code"] for finding in vcs["findings"]] == case.get("findings", [])


def test_vcs_2_branches_are_named_after_descriptions() -> None:
    cases = read("names.toml")["case"]
    assert len(cases) > 40
    for case in cases:
        description = case["description"] * case.get("repeat", 1)
        prefix = case.get("prefix", "hotfix/")
        if "error" in case:
            with pytest.raises(hotfix.PlanError) as raised:
                hotfix.vcs.branch_name(description, prefix)
            assert raised.value.code == case["error"], case
        else:
            assert hotfix.vcs.branch_name(description, prefix=prefix) == case["branch"], case


def test_vcs_3_vcs_4_versions_and_tags() -> None:
    cases = read("versions.toml")
    for case in cases["next"]:
        kind = case.get("kind", "patch")
        if "error" in case:
            with pytest.raises(hotfix.PlanError) as raised:
                hotfix.vcs.next_version(case["version"], kind)
            assert raised.value.code == case["error"], case
        else:
            assert hotfix.vcs.next_version(case["version"], kind=kind) == case["next"], case
    for case in cases["tag"]:
        if "error" in case:
            with pytest.raises(hotfix.PlanError) as raised:
                hotfix.vcs.tag_name(case["version"])
            assert raised.value.code == case["error"], case
        elif "version" in case:
            assert hotfix.vcs.tag_name(case["version"]) == case["name"], case
        else:
            assert hotfix.vcs.tag_name(at=case["at"]) == case["name"], case


def test_vcs_4_times_are_datetimes_too_and_arguments_are_checked() -> None:
    assert hotfix.vcs.tag_name(at=datetime(2024, 1, 15, 14, 30, tzinfo=UTC)) == "hotfix-20240115-1430"
    plan = hotfix.Policy.preset("fast-track").plan({"id": "INC-1"}, {"version": "1.2.4", "previous": "1.2.3"})
    assert plan.source_control(datetime(2024, 1, 15, 14, 30, tzinfo=UTC))["tag"] == "hotfix-20240115-1430"
    with pytest.raises(TypeError, match="either a version"):
        hotfix.vcs.tag_name()
    with pytest.raises(TypeError, match="either a version"):
        hotfix.vcs.tag_name("1.2.4", at=NOON)
    with pytest.raises(hotfix.InputError, match="patch, hotfix_identifier"):
        hotfix.vcs.next_version("1.2.3", kind="minor")  # type: ignore[arg-type]
