"""The rollout: inputs in, log lines, actions and verdicts out."""

from __future__ import annotations

import json
import math
from array import array
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

import hotfix
from story import START, Story, clearing, failing, healthy, make_plan


def test_roll_1_a_good_fix_goes_from_10_to_100_and_completes() -> None:
    story = Story().start()
    assert (story.rollout.state, story.rollout.phase, story.rollout.share) == ("monitoring", "canary", 0.1)
    story.run_until("deploying", healthy)
    story.confirm_all()
    assert (story.rollout.phase, story.rollout.share) == ("partial", 0.5)
    story.run_until("deploying", healthy)
    story.confirm_all()
    assert story.rollout.share == 1.0
    story.run_until("final_validation", healthy)
    story.check("final_validation").run_until("complete", healthy)
    assert story.rollout.phase is None
    assert hotfix.audit(story.rollout.log(), story.rollout.head).clean


def test_roll_5_a_bad_fix_is_rolled_back_by_the_next_method_when_the_first_fails() -> None:
    story = Story().start()
    for _ in range(12):
        story.observe(healthy)
    assert story.run_until("rolling_back", failing) <= 6
    verdict = story.rollout.verdict
    assert verdict.decision == "roll_back"
    assert verdict["decision"] == "roll_back"
    assert verdict.causes[0].reason == verdict["causes"][0]["reason"]
    first, *rest = story.rollout.pending_actions()
    assert not rest
    assert (first.kind, first.method, first.version, first.awaits) == ("roll_back", "feature_flag", "2.3.0", True)
    outcome = story.input({"kind": "failed", "by": "tool", "action": first.id, "why": "no answer"})
    assert [action.method for action in outcome.actions if action.kind == "roll_back"] == ["redeploy"]
    story.confirm_all()
    assert story.rollout.share == 0.0


def test_an_outcome_is_lines_and_actions() -> None:
    opening = Story().input({"kind": "note", "by": "lena", "text": "on it"})
    assert [json.loads(line)["kind"] for line in opening.events] == ["opened", "note"]
    outcome = Story().make_ready().input({"kind": "start", "by": "lena"})
    assert not outcome.repeated
    assert [json.loads(line)["kind"] for line in outcome.events] == ["start"]
    assert all(line.endswith("\n") for line in outcome.events)
    assert outcome["actions"] == [action.to_dict() for action in outcome.actions]
    deploy = outcome.actions[-1]
    assert deploy.to_dict() == {"id": deploy.id, "kind": "deploy", "version": "2.3.1", "awaits": True} == dict(deploy)
    assert deploy.share is None
    assert deploy["version"] == "2.3.1"
    with pytest.raises(KeyError):
        deploy["share"]
    notify = outcome.actions[0]
    assert (notify.kind, notify.audience, notify.message) == ("notify", "responders", "deployment_started")
    assert not notify.awaits


def test_the_log_is_all_lines_in_order() -> None:
    story = Story().start()
    story.observe(healthy)
    assert story.rollout.log() == "".join(story.lines)
    assert json.loads(story.lines[-1])["hash"] == story.rollout.head
    without = Story(keep_log=False).start()
    without.observe(healthy)
    assert without.rollout.log() == ""
    assert without.lines == story.lines


def test_before_the_first_input_nothing_is_known() -> None:
    rollout = hotfix.Rollout(make_plan())
    assert rollout.state == "drafted"
    assert rollout.now is None
    assert rollout.head == "0" * 64
    assert rollout.verdict.decision == "hold"
    assert rollout.pending_actions() == []
    assert rollout.poll_at() == datetime(1970, 1, 1, tzinfo=UTC)
    assert "approve" in rollout.accepted
    assert "start" not in rollout.accepted
    assert rollout.plan == make_plan()
    assert (rollout.dropped, rollout.recovered_length) == (0, None)
    assert "INC-2041" in repr(rollout)


def test_gate_1_what_blocks_and_what_is_on_record_are_plain_documents() -> None:
    story = Story()
    approval, *items = story.rollout.blockers()
    assert (approval["kind"], approval["roles"]) == ("approval", ["incident_commander", "release_manager"])
    assert (len(items), items[0]["list"]) == (30, "code")
    with pytest.raises(hotfix.Refused) as caught:
        story.input({"kind": "start", "by": "lena"})
    assert caught.value.code == "HF-ROLL-007"
    # Five are told, and how many more there are.
    assert all(blocker["sentence"] in str(caught.value) for blocker in [approval, *items[:4]])
    assert "; and 26 more" in str(caught.value)
    digest = story.rollout.plan.digest
    role = {"role": "release_manager", "channel": "chat", "plan_digest": digest}
    story.input({"kind": "approve", "by": "iris", "why": "small", **role})
    (word,) = story.rollout.approvals()["demands"][0]["statements"]
    assert word == {"answer": "approved", "by": "iris", "why": "small", "at": word["at"], **role}
    assert [intent["kind"] for intent in story.rollout.interventions()] == ["approve"]
    assert story.rollout.procedure() == []
    story.make_ready()
    assert story.rollout.blockers() == []
    checked = [item["state"] for items in story.rollout.checklists()[:6] for item in items["items"]]
    assert checked == ["done"] * 30
    again = hotfix.Rollout.replay(story.rollout.log())
    assert (again.approvals(), again.interventions()) == (story.rollout.approvals(), story.rollout.interventions())


def test_now_and_poll_at_are_aware() -> None:
    story = Story().start()
    assert story.rollout.now == story.at
    poll_at = story.rollout.poll_at()
    assert poll_at is not None
    assert poll_at > story.at
    assert poll_at.utcoffset() == timedelta(0)


def test_stat_4_a_verdict_carries_its_evidence() -> None:
    story = Story().start()
    story.observe(healthy)
    verdict = story.rollout.verdict
    error_rate = verdict.metrics["error_rate"]
    assert error_rate.band == "success"
    assert error_rate.log_e is not None
    assert error_rate.log_e_safe is None
    assert error_rate["log_e"] == verdict.to_dict()["metrics"]["error_rate"]["log_e"] == error_rate.log_e
    assert verdict.efficacy is not None
    assert verdict.efficacy["shown"] == verdict.efficacy.shown
    evidence = story.rollout.evidence("error_rate")
    assert evidence is not None
    assert evidence.log_e == error_rate.log_e
    assert (evidence.mode, evidence.guarantee) == (error_rate.mode, error_rate.guarantee) == ("plain", "assumed")
    assert evidence.interval is not None
    assert evidence.ratio is not None
    assert evidence.interval[0] <= evidence.ratio <= evidence.interval[1]
    assert evidence.totals == {"canary": (0, 200), "baseline": (5, 1800)}
    assert evidence.not_sequential is not None
    assert evidence["tolerated"] == evidence.tolerated == 1.0
    assert "independent" in evidence.why
    assert story.rollout.evidence("request_volume") is None
    for name, code in (("eror_rate", "HF-MET-001"), ("No Such Metric", "HF-UNIT-008")):
        with pytest.raises(hotfix.InputError) as caught:
            story.rollout.evidence(name)
        assert caught.value.code == code


def test_observe_is_handle_with_metrics() -> None:
    one, other = Story().start(), Story().start()
    metrics = healthy(0.1)
    at = one.at + timedelta(seconds=10)
    first = one.rollout.observe(at, metrics)
    second = other.rollout.handle(at.isoformat(), {"kind": "observe", "metrics": metrics})
    assert first == second
    assert one.rollout.head == other.rollout.head


FORMS: list[tuple[str, Any, Any]] = [
    ("error_rate", (3, 1000), [3, 1000]),
    ("error_rate", array("d", [3, 1000]), [3, 1000]),
    ("error_rate", {"pod-7": [3, 1000], "pod-8": (0, 10)}, {"pod-7": [3, 1000], "pod-8": [0, 10]}),
    ("error_rate", MappingProxyType({"pod-7": [3, 1000]}), {"pod-7": [3, 1000]}),
    ("latency_p95", {"samples": [0.081, 0.2]}, {"samples": [0.081, 0.2]}),
    ("latency_p95", {"samples": array("d", [0.081, 0.2])}, {"samples": [0.081, 0.2]}),
    ("latency_p95", {"samples": (x for x in [0.081])}, {"samples": [0.081]}),
    (
        "latency_p95",
        {"count": 10, "counts": (4, 9), "le": range(1, 3)},
        {"count": 10, "counts": [4, 9], "le": [1, 2]},
    ),
    ("request_volume", 98, 98),
    ("request_volume", math.inf, "Infinity"),
    ("request_volume", "NaN", "NaN"),
]


@pytest.mark.parametrize(("metric", "reading", "logged"), FORMS)
def test_met_6_forms_of_a_reading(metric: str, reading: Any, logged: Any) -> None:
    story = Story().start()
    outcome = story.observe(lambda _: {metric: {"canary": reading, "baseline": None}})
    assert json.loads(outcome.events[0])["metrics"] == {metric: {"canary": logged}}


def test_met_6_totals_are_counters() -> None:
    story = Story().start()
    outcome = story.observe(lambda _: {"error_rate": {"canary": [3, 1000], "totals": True}})
    assert json.loads(outcome.events[0])["metrics"]["error_rate"]["totals"] is True
    # The next reading without the flag is one of its own.
    outcome = story.observe(lambda _: {"error_rate": {"canary": [3, 1000]}})
    assert "totals" not in json.loads(outcome.events[0])["metrics"]["error_rate"]


def test_met_3_not_finite_is_a_band() -> None:
    for metrics in ({"error_rate": {"canary": [math.nan, 1000]}}, {"error_rate": {"canary": [1, math.inf]}}):
        story = Story().start()
        story.observe(lambda _, metrics=metrics: metrics)  # type: ignore[misc]
        assert story.rollout.verdict.metrics["error_rate"].band == "not_finite"
        by_handle = Story().start()
        by_handle.input({"kind": "observe", "metrics": metrics}, after=10)
        assert by_handle.rollout.verdict.metrics["error_rate"].band == "not_finite"


def test_memory_that_is_used_again_holds_nothing_of_before() -> None:
    """Readings of other forms, arms and metrics in a row: as in rollouts of their own memory."""
    readings: list[dict[str, dict[str, Any]]] = [
        healthy(0.1),
        {"error_rate": {"canary": [0, 10]}},
        {"bug": {"canary": [0, 10]}, "error_rate": {"canary": [0, 10]}},
        {"error_rate": {"baseline": [0, 10]}, "bug": {"canary": [0, 10]}},
        {"error_rate": {"canary": {"a": [0, 10]}}, "bug": {}},
        {"latency_p95": {"canary": {"le": [0.1, 0.25, 0.3, 0.5, 1.0], "counts": [1, 2, 3, 4, 5], "count": 5}}},
        {"latency_p95": {"baseline": {"le": [0.1, 0.25, 0.3, 0.5, 1.0], "counts": [1, 2, 3, 4, 5], "count": 5}}},
        {},
        healthy(0.1),
        {"bug": {"canary": [0, 10], "totals": True}},
        {"error_rate": {"eu": {"canary": [0, 10], "baseline": [0, 90]}, "us": {}}},
        {"bug": {"canary": [0, 10]}},
    ]
    story = Story().start()
    for metrics in readings:
        outcome = story.observe(lambda _, metrics=metrics: metrics)  # type: ignore[misc]
        assert json.loads(outcome.events[0])["metrics"] == metrics


@pytest.mark.parametrize(
    ("metrics", "says"),
    [
        ({"error_rate": {"canry": [1, 2]}}, "`canry` is not a known key: did you mean `canary`"),
        ({"error_rate": {"canary": [1]}}, r"\[events, trials\]"),
        ({"error_rate": {"eu": {"canary": [1]}}}, r"`/metrics/error_rate/eu/canary`: .*\[events, trials\]"),
        ({"error_rate": {"eu": {}, "totals": True}}, "both arms, or strata by name: write `totals` in each stratum"),
        ({"error_rate": {"totals": True, "us": {}}}, "write `totals` in each stratum"),
        ({"error_rate": {"canary": [1, 2, 3]}}, r"\[events, trials\]"),
        ({"error_rate": {"canary": [True, 2]}}, "a number is expected, not `True`"),
        ({"error_rate": {"canary": ["many", 2]}}, "a number is expected"),
        ({"error_rate": {"canary": "x"}}, "a list of numbers is expected"),
        ({"error_rate": {"canary": {}}}, "a reading is"),
        ({"error_rate": {"canary": {"pod": {"x": [1, 2]}}}}, r"`/metrics/error_rate/canary/pod`: \[events, trials\]"),
        ({"error_rate": {"canary": {"le": [1], "counts": [1]}}}, "`count` is missing"),
        ({"error_rate": {"canary": {300, 20}}}, "a list of numbers is expected"),
        ({"error_rate": {"canary": {7: [1, 10]}}}, "`/metrics/error_rate/canary`: a key is text"),
        ({"error_rate": {"totals": 1, "canary": [1, 10]}}, "`/metrics/error_rate/totals`: True or False"),
        ({"error_rate": {"canary": {"pod-1": [1, 10], "pod-77": [3]}}}, "`/metrics/error_rate/canary/pod-77`: "),
        ({"latency_p95": {"canary": {"samples": "abc"}}}, "a list of numbers is expected"),
        ({"Error Rate": {}}, "is not a name"),
        ({"error_rate": [1, 2]}, "an object is expected"),
        ([], "an object is expected"),
        (None, "an object is expected"),
    ],
)
def test_an_observation_that_is_none_changes_nothing(metrics: Any, says: str) -> None:
    story = Story().start()
    head = story.rollout.head
    at = story.at + timedelta(seconds=10)
    with pytest.raises(hotfix.InputError, match=says) as caught:
        story.rollout.observe(at, metrics)
    assert caught.value.code == "HF-IN-001"
    assert story.rollout.head == head
    # And the memory for readings is fit for use.
    story.observe(healthy)


def test_a_refusal_says_what_would_be_taken() -> None:
    story = Story().start()
    for metrics, code in (
        ({"error_rate": {"canary": [5, 2]}}, "HF-MET-003"),
        ({"errror_rate": {"canary": [1, 2]}}, "HF-MET-001"),
        ({"error_rate": {"canary": 5}}, "HF-MET-002"),
    ):
        with pytest.raises(hotfix.Refused) as caught:
            story.rollout.observe(story.at, metrics)
        refused = caught.value
        assert refused.code == code
        assert (refused.state, refused.got) == ("monitoring", "observe")
        assert "roll_back" in refused.accepted
        assert refused.accepted == story.rollout.accepted
        assert json.loads(refused.events[0])["kind"] == "refused"
        story.lines += refused.events
    assert story.rollout.log() == "".join(story.lines)


def test_field_10_a_stale_head_is_refused_and_not_logged() -> None:
    story = Story().start()
    with pytest.raises(hotfix.Refused) as caught:
        story.input({"kind": "tick", "expected_head": "0" * 64})
    assert caught.value.code == "HF-ROLL-004"
    assert caught.value.events == []


def test_principle_5_a_repeated_key_gets_the_same_answer() -> None:
    story = Story().make_ready()
    start = {"kind": "start", "by": "lena", "key": "k1"}
    first = story.input(start)
    again = story.input(start)
    assert again.repeated
    assert again.events == []
    assert again.actions == first.actions


def test_principle_5_a_clock_that_steps_back_keeps_no_rollback_out() -> None:
    story = Story().start()
    with pytest.raises(hotfix.Refused):
        story.rollout.handle(START - timedelta(hours=1), {"kind": "note", "by": "lena", "text": "?"})
    outcome = story.rollout.handle(START - timedelta(hours=1), {"kind": "roll_back", "by": "lena"})
    assert any(action.kind == "roll_back" for action in outcome.actions)
    assert "claimed_at" in json.loads(outcome.events[0])


@pytest.mark.parametrize(
    ("input", "code"),
    [
        ({}, "HF-IN-002"),
        ({"kind": "tock"}, "HF-IN-002"),
        ({"kind": "pause"}, "HF-IN-003"),
        ({"kind": "observe"}, "HF-IN-003"),
        ({"kind": "observe", "metrics": None}, "HF-IN-003"),
        ({"kind": "tick", "why": "so"}, "HF-IN-004"),
        ({"kind": "tick", "metrics": {"error_rate": {}}}, "HF-IN-004"),
        ({"kind": "observe", "metrics": {}, "why": "so"}, "HF-IN-004"),
        ({"kind": "note", "by": "lena", "text": "x" * 5000}, "HF-IN-005"),
        ({"kind": "note", "by": "lena", "text": 7}, "HF-IN-001"),
        ({"kind": "note", "by": "lena", "text": "x", "colour": "red"}, "HF-IN-001"),
        ({"kind": "set_facts", "by": "lena", "facts": {"users_affected": math.nan}}, "HF-IN-001"),
        ({"kind": "observe", "metrics": {"error_rate": {"canary": [1]}}}, "HF-IN-001"),
    ],
)
def test_an_input_that_is_none_changes_nothing(input: dict[str, object], code: str) -> None:
    story = Story().start()
    head = story.rollout.head
    with pytest.raises(hotfix.InputError) as caught:
        story.input(input)
    assert caught.value.code == code
    assert story.rollout.head == head


def test_an_input_is_a_mapping() -> None:
    story = Story()
    assert story.input(MappingProxyType({"kind": "note", "by": "lena", "text": "on it"})).events
    for bad in ("start", [("kind", "start")], None):
        with pytest.raises(TypeError):
            story.input(bad)  # type: ignore[arg-type]
    story.make_ready()
    assert story.input({"kind": "start", "by": "lena", "key": None}).actions
    assert story.input({"kind": "tick", "metrics": {}}).events


def test_keywords_have_the_names_of_the_design() -> None:
    rollout = hotfix.Rollout(plan=make_plan(), keep_log=True, salt="pepper")
    for blocker in rollout.blockers():
        rollout.handle(at=START, input=clearing(blocker))
    rollout.handle(at=START, input={"kind": "start", "by": "lena"})
    rollout.observe(at=START, metrics={})
    with pytest.raises(TypeError):
        hotfix.Rollout(make_plan(), threads=2)  # type: ignore[call-arg]


def test_met_6_a_refused_reading_has_its_place() -> None:
    story = Story().start()
    metrics = {"error_rate": {"canary": {"pod-1": [1, 10], "pod-77": [11, 10]}}}
    with pytest.raises(hotfix.Refused, match="instance `pod-77` of the canary of `error_rate`") as caught:
        story.rollout.observe(story.at + timedelta(seconds=10), metrics)
    assert (caught.value.code, caught.value.path) == ("HF-MET-003", "/metrics/error_rate/canary/pod-77")


def test_field_10_the_evidence_of_no_metric_names_the_nearest() -> None:
    with pytest.raises(hotfix.InputError, match="`error_rate`") as caught:
        Story().start().rollout.evidence("eror_rate")
    assert caught.value.code == "HF-MET-001"


def nested(depth: int | None) -> dict[str, Any]:
    """A mapping in a mapping, so many times; None: one that is in itself."""
    pods: dict[str, Any] = {"all": [1, 10]}
    if depth is None:
        pods["all"] = pods
    for _ in range(depth or 0):
        pods = {"all": pods}
    return pods


@pytest.mark.parametrize("depth", [1, 50, 100_000, None])
def test_field_3_instances_have_no_instances_however_deep(depth: int | None) -> None:
    """A process that died of it would leave nothing but the last line of its log."""
    story = Story().start()
    metrics = {"error_rate": {"canary": nested(depth)}}
    train = hotfix.Train({"shop": hotfix.Rollout(story.rollout.plan)})
    for call in (
        lambda: story.rollout.observe(story.at, metrics),
        lambda: story.rollout.handle(story.at, {"kind": "observe", "metrics": metrics}),
        lambda: train.observe(story.at, "shop", metrics),
    ):
        with pytest.raises(hotfix.InputError, match=r"\[events, trials\]") as caught:
            call()
        assert (caught.value.code, caught.value.path) == ("HF-IN-001", "/metrics/error_rate/canary/all")
    times = hotfix.stats.Latency([0.1, 0.5])
    for read in (
        lambda: times.update(nested(depth), {"samples": [0.1]}),
        lambda: hotfix.stats.latency_boundaries(nested(depth)),
    ):
        with pytest.raises(hotfix.InputError, match=r"`/all`: \[events, trials\]"):
            read()
    story.observe(healthy)


def test_met_6_an_array_is_one_sample_without_a_mask() -> None:
    numpy = pytest.importorskip("numpy")
    masked = numpy.ma.array([1.0, 50.0, 3.0], mask=[0, 1, 0])
    for sample, says in ((masked, "without a mask"), (numpy.ones((2, 3)), "of one dimension")):
        with pytest.raises(hotfix.InputError, match=says):
            hotfix.stats.mann_whitney_u(sample, [1.0, 2.0])
        with pytest.raises(hotfix.KayentaError, match=says):
            hotfix.kayenta.judge({"metrics": []}, {"errors": {"control": sample, "experiment": [1.0]}}, 75, 50)
    assert hotfix.stats.mann_whitney_u(masked.compressed(), [1.0, 2.0]).u == 2.5
