"""Views of a plan: attributes, page, chart."""

from __future__ import annotations

import json

import pytest

import hotfix
from story import START, make_plan


def test_plan_7_attributes_are_the_document_s() -> None:
    plan = make_plan()
    document = plan.to_dict()
    assert json.loads(plan.to_json()) == document
    assert plan.duration == document["duration"]
    assert plan.slo == document["slo"]
    assert plan.procedure == document["procedure"]
    assert plan.advice == document["advice"]
    assert plan.risks == document["risks"]
    assert plan.change_record == document["change_record"]
    assert plan.severity == document.get("severity")
    assert plan.assessment == document["assessment"]
    assert plan.findings == document["findings"]
    assert plan.strategy == document["strategy"] == plan["strategy"]
    assert plan.recommendation == document["recommendation"]
    assert plan.rollback == document["rollback"]
    assert plan.scope == document["scope"]
    assert plan.demands == document["demands"]
    # They take milliseconds, and need a time.
    assert not {"power", "source_control"} & document.keys()


def test_plan_6_the_page_of_s1_says_what_its_gates_do() -> None:
    page = make_plan().to_markdown()
    assert "passes all of them in about 19 of 100." in page
    assert "Recommended: canary." in page
    assert "## Source control" not in page
    assert "```sh\ngit switch" in make_plan().to_markdown(START)


def test_plan_7_the_record_says_how_far_the_plan_is() -> None:
    plan = make_plan()
    rollout = hotfix.Rollout(plan)
    assert rollout.change_record() == plan.change_record
    rollout.handle(START, {"kind": "abort", "by": "lena", "why": "no longer needed"})
    assert rollout.change_record() == {**plan.change_record, "status": "stopped"}


def test_plan_7_a_page_has_the_times_of_its_start() -> None:
    plan = make_plan()
    assert "| T+12min | gate | `canary` |" in plan.to_markdown()
    assert "| T+12min | 2026-03-03 14:52 | gate | `canary` |" in plan.to_markdown(START)
    assert plan.to_markdown(START) == plan.to_markdown("2026-03-03T15:40:00+01:00")
    with pytest.raises(hotfix.InputError):
        plan.to_markdown("soon")


def test_plan_3_a_chart_counts_from_its_start() -> None:
    plan = make_plan()
    assert "axisFormat T+%H:%M" in plan.gantt()
    assert "Watch canary :p1, 2026-03-03T14:42:00, 2026-03-03T14:52:00" in plan.gantt(START)
    with pytest.raises(hotfix.InputError):
        plan.gantt("soon")
