"""Plans: documents in, phases and timeline out."""

from __future__ import annotations

import math
import pickle
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest

import hotfix
from story import INCIDENT, RELEASE, START, TRAFFIC, make_plan


def test_plan_2_phases_are_typed() -> None:
    phases = make_plan().phases
    assert [phase.name for phase in phases] == ["canary", "partial", "full"]
    assert [phase.share for phase in phases] == [0.1, 0.5, 1.0]
    assert phases[0].watch == timedelta(minutes=10)
    assert phases[0].deploy == timedelta(minutes=2)
    assert phases[0].gate == "automatic"
    assert phases[0]["watch"] == 600
    assert phases[0].watch_most is None
    assert "watch_most" not in phases[0]
    assert set(phases[0].keys()) == set(phases[0].to_dict())


def test_plan_3_the_timeline_of_s1() -> None:
    steps = make_plan().timeline("2026-03-03T15:40:00+01:00")
    assert [(step["offset"] / 60, step["step"]) for step in steps] == [
        (0, "deploy"),
        (2, "monitor"),
        (12, "gate"),
        (12, "deploy"),
        (14, "monitor"),
        (24, "gate"),
        (24, "deploy"),
        (27, "monitor"),
        (57, "final_validation"),
        (60, "complete"),
    ]
    assert steps[0] == {"offset": 0, "at": "2026-03-03T14:40:00.000Z", "step": "deploy", "phase": "canary"}
    assert "phase" not in steps[-1]
    assert make_plan().timeline(START) == steps


def test_plan_5_methods_come_fastest_first() -> None:
    assert [(method.kind, method.seconds) for method in make_plan().methods] == [("feature_flag", 5), ("redeploy", 150)]
    without = hotfix.Policy.preset("phased-canary").plan(INCIDENT, {"version": "2", "previous": "1"})
    assert [(method.kind, method.seconds) for method in without.methods] == [("git_revert", None), ("redeploy", None)]


def test_documents_are_as_given() -> None:
    plan = make_plan()
    assert plan.incident == INCIDENT
    assert plan.release is not None
    assert plan.release["version"] == "2.3.1"
    assert plan.traffic == TRAFFIC
    assert plan.policy == hotfix.Policy.preset("phased-canary")
    document = plan.to_dict()
    assert document["digest"] == plan.digest == plan["digest"]
    assert document["policy"] == plan.policy.to_dict()
    assert sorted(document) == plan.keys() == list(plan)
    assert "phases" in plan


def test_times_and_durations_may_be_objects() -> None:
    zone = timezone(timedelta(hours=1))
    incident = {**INCIDENT, "began_at": datetime(2026, 3, 3, 15, 2, tzinfo=zone), "detected_at": "2026-03-03T14:06:00Z"}
    release = {**RELEASE, "methods": [{"kind": "platform", "seconds": timedelta(minutes=1)}]}
    plan = hotfix.Policy.preset("phased-canary").plan(MappingProxyType(incident), release)
    assert plan.incident["began_at"] == "2026-03-03T14:02:00.000Z"
    assert plan.methods[0].seconds == 60


def test_plans_are_values() -> None:
    assert make_plan() == make_plan()
    assert hash(make_plan()) == hash(make_plan())
    other = hotfix.Policy.preset("phased-canary").plan({"id": "INC-1"}, RELEASE)
    assert other != make_plan()
    assert other.digest != make_plan().digest
    assert "INC-1" in repr(other)


@pytest.mark.parametrize(
    ("incident", "release", "traffic", "code"),
    [
        ({}, RELEASE, None, "HF-PLAN-001"),
        ({"id": "a", "colour": "red"}, RELEASE, None, "HF-PLAN-001"),
        ({"id": "a", "facts": {"users_affected": float("nan")}}, RELEASE, None, "HF-PLAN-001"),
        ({"id": " "}, RELEASE, None, "HF-PLAN-002"),
        (INCIDENT, {"version": "1", "previous": "1"}, None, "HF-PLAN-003"),
        (INCIDENT, {**RELEASE, "bug_metric": "nothing"}, None, "HF-PLAN-004"),
        (INCIDENT, RELEASE, {"requests_per_minute": -1}, "HF-PLAN-005"),
    ],
)
def test_what_no_plan_can_be_made_of(incident: Any, release: Any, traffic: Any, code: str) -> None:
    with pytest.raises(hotfix.PlanError) as caught:
        hotfix.Policy.preset("phased-canary").plan(incident, release, traffic)
    assert caught.value.code == code


def test_an_incident_is_opened_before_there_is_a_release() -> None:
    plan = hotfix.Policy.preset("fast-track").plan({"id": "INC-1"})
    assert plan.release is None
    assert "no release yet" in repr(plan)
    assert "release" not in plan.to_dict()
    rollout = hotfix.Rollout(plan)
    assert rollout.blockers()[0]["kind"] == "release"
    assert plan == pickle.loads(pickle.dumps(plan))


def test_a_document_is_a_mapping_of_plain_values() -> None:
    plan = hotfix.Policy.preset("phased-canary").plan
    for bad, path in (({"id": object()}, "/incident/id"), ({1: "a"}, "/incident"), ({"id": {1, 2}}, "/incident/id")):
        with pytest.raises(hotfix.PlanError) as caught:
            plan(bad, RELEASE)  # type: ignore[arg-type]
        assert (caught.value.code, caught.value.path) == ("HF-PLAN-001", path)
    endless: dict[str, Any] = {"id": "a"}
    endless["facts"] = endless
    with pytest.raises(hotfix.PlanError, match="nested deeper"):
        plan(endless, RELEASE)


def test_times_have_a_zone() -> None:
    with pytest.raises(hotfix.InputError, match="with a zone") as caught:
        make_plan().timeline(datetime(2026, 3, 3, 14, 40))
    assert caught.value.code == "HF-UNIT-003"
    with pytest.raises(hotfix.InputError):
        make_plan().timeline("2026-03-03T14:40:00")
    with pytest.raises(TypeError):
        make_plan().timeline(1_772_548_800)  # type: ignore[arg-type]


def test_times_are_exact_to_the_millisecond() -> None:
    for micros, expected in ((0, "000"), (999, "000"), (1_000, "001"), (999_999, "999")):
        at = datetime(2026, 3, 3, 14, 40, 0, micros, tzinfo=UTC)
        assert make_plan().timeline(at)[0]["at"] == f"2026-03-03T14:40:00.{expected}Z"
        assert make_plan().timeline(at.isoformat())[0]["at"] == f"2026-03-03T14:40:00.{expected}Z"
    before_1970 = datetime(1969, 12, 31, 23, 59, 59, 1_500, tzinfo=UTC)
    assert make_plan().timeline(before_1970)[0]["at"] == "1969-12-31T23:59:59.001Z"
    first = datetime.min.replace(tzinfo=UTC)
    assert make_plan().timeline(first)[0]["at"] == "0001-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("incident", "release", "path"),
    [
        ({"detected_at": datetime(2026, 5, 4, 9)}, {}, "/incident/detected_at"),
        ({"service": "pay\udce4"}, {}, "/incident/service"),
        ({"facts": {7: True}}, {}, "/incident/facts"),
        ({}, {"change_record": {"created": START.date()}}, "/release/change_record/created"),
        ({}, {"methods": [{"kind": "redeploy", "seconds": float("nan")}]}, "/release/methods/0/seconds"),
    ],
)
def test_plan_1_a_value_that_no_document_has_is_named(
    incident: dict[str, object], release: dict[str, object], path: str
) -> None:
    with pytest.raises(hotfix.PlanError) as caught:
        hotfix.Policy.preset("phased-canary").plan({**INCIDENT, **incident}, {**RELEASE, **release})
    assert (caught.value.code, caught.value.path) == ("HF-PLAN-001", path)


@pytest.mark.parametrize(
    ("calibration", "path"),
    [
        (3, "/calibration"),
        ({"error_rate": None}, "/calibration/error_rate"),
        ({"error_rate": {"pod-0": [[1, 2, 3]]}}, "/calibration/error_rate"),
    ],
)
def test_plan_7_a_wrong_type_in_a_calibration_is_named(calibration: Any, path: str) -> None:
    with pytest.raises(hotfix.PlanError) as caught:
        hotfix.Policy.preset("phased-canary").plan(INCIDENT, RELEASE, TRAFFIC, calibration=calibration)
    assert (caught.value.code, caught.value.path) == ("HF-PLAN-001", path)


def test_plan_7_a_history_calibrates_the_plan() -> None:
    pods = {f"pod-{n}": [[6 if (tick + 7 * n) % 20 == 0 else 0, 100] for tick in range(240)] for n in range(10)}
    policy = hotfix.Policy.preset("phased-canary")
    plan = policy.plan(INCIDENT, RELEASE, TRAFFIC, calibration={"error_rate": pods})
    phases = plan.calibration["error_rate"]["phases"]
    assert [phase["phase"] for phase in phases] == ["canary", "partial"]
    assert phases[0]["calibration"]["threshold"] > 4.7
    assert plan["calibration"] == plan.calibration
    assert plan.digest != policy.plan(INCIDENT, RELEASE, TRAFFIC).digest
    assert "calibration" not in policy.plan(INCIDENT, RELEASE, TRAFFIC)
    again = pickle.loads(pickle.dumps(plan))
    assert (again, again.calibration) == (plan, plan.calibration)
    evidence = hotfix.Rollout(plan).evidence("error_rate")
    assert evidence is not None
    # Until a sum over an arm is read, the limits are those of counts by instance.
    by_instance = phases[0]["calibration"]["by_instance"]
    assert (evidence.threshold, evidence.mode) == (by_instance["threshold"] - math.log(evidence.weight), "replay")
    with pytest.raises(hotfix.PlanError) as caught:
        policy.plan(INCIDENT, RELEASE, TRAFFIC, calibration={"latency_p95": pods})
    assert caught.value.code == "HF-PLAN-006"
