"""Values as Python has them: numbers of other libraries, times, and what is no value of a document."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from functools import partial
from types import MappingProxyType
from typing import Any

import pytest

import hotfix
from hotfix import kayenta, stats
from story import Story

AT = "2026-03-03T14:40:00Z"
INCIDENT = {"id": "INC-1", "severity": "P1"}
RELEASE = {"version": "2", "previous": "1"}
CSV = "time,errors,requests\n" + "".join(f"2026-03-03T14:{m:02}:00Z,3,1000\n" for m in range(30))
MAPPING: dict[str, Any] = {"metrics": {"error_rate": {"canary": {"events": "errors", "trials": "requests"}}}}


class Whole:
    """A whole number of another library."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __index__(self) -> int:
        return self.number


def preset() -> hotfix.Policy:
    return hotfix.Policy.preset("enterprise")


def rollout() -> hotfix.Rollout:
    made = hotfix.Rollout(hotfix.Policy.preset("standard").plan(INCIDENT, RELEASE))
    made.handle(AT, {"kind": "note", "by": "lena", "text": "x"})
    return made


def big_endian(*numbers: float) -> Any:
    return (ctypes.c_double.__ctype_be__ * len(numbers))(*numbers)


def test_buffers_of_the_other_byte_order_are_read_right() -> None:
    story = Story().start()
    latency = {"le": big_endian(0.1, 0.5), "counts": big_endian(7, 9), "count": 10}
    metrics = {"error_rate": {"canary": big_endian(50, 100)}, "latency_p95": {"canary": latency}}
    read = json.loads(story.rollout.observe(story.at + timedelta(seconds=1), metrics).events[0])["metrics"]
    assert read["error_rate"]["canary"] == [50, 100]
    assert read["latency_p95"]["canary"] == {"le": [0.1, 0.5], "counts": [7, 9], "count": 10}
    numbers = [5.0, 6.0, 7.0, 8.0]
    assert stats.latency_boundaries({"samples": big_endian(*numbers)}) == stats.latency_boundaries({"samples": numbers})
    assert stats.hodges_lehmann(big_endian(1, 2, 3), [0.0, 1.0, 2.0]).shift == 1.0
    assert stats.ks_2samp(big_endian(*numbers), numbers).statistic == 0.0
    assert kayenta.classify(big_endian(*numbers), numbers).classification == "Pass"


def test_sets_and_bytes_are_no_numbers() -> None:
    wrongs: list[Any] = [{1, 10}, frozenset({1, 10}), b"\x01\x0a", bytearray(b"\x01\x0a"), {1: 2, 10: 3}, "12"]
    for wrong in wrongs:
        with pytest.raises(TypeError, match="counts are two numbers"):
            stats.fisher_exact(wrong, (1, 10))
        with pytest.raises(hotfix.InputError):
            stats.ks_2samp(wrong, [1.0, 2.0])
        with pytest.raises(hotfix.KayentaError):
            kayenta.classify(wrong, [1.0, 2.0])
        with pytest.raises(hotfix.InputError):
            rollout().observe(AT, {"latency_p95": {"canary": {"samples": wrong}}})


def facts_of(facts: Mapping[str, Any]) -> Any:
    return preset().plan({"id": "INC-1", "facts": facts}).incident["facts"]


@pytest.mark.parametrize("number", [Decimal("0.25"), Fraction(1, 4), 0.25])
def test_facts_have_numbers_of_other_libraries_everywhere(number: Any) -> None:
    facts = {"users_affected": number}
    assert facts_of(facts) == {"users_affected": 0.25}
    assert preset().classify(facts) == preset().classify({"users_affected": 0.25})
    made = rollout()
    made.handle(AT, {"kind": "set_facts", "by": "lena", "facts": facts, "why": "counted"})
    assert hotfix.similar(facts, [made.log()]) == hotfix.similar({"users_affected": 0.25}, [made.log()])


def test_documents_have_whole_numbers_of_other_libraries() -> None:
    plan = preset().plan(INCIDENT, RELEASE, {"requests_per_minute": Whole(1000), "instances": Whole(20)})
    assert (plan.traffic["requests_per_minute"], plan.traffic["instances"]) == (1000, 20)
    np = pytest.importorskip("numpy")
    assert facts_of({"service_down": np.bool_(True), "users_affected": np.float32(0.5)}) == {
        "service_down": True,
        "users_affected": 0.5,
    }
    assert preset().plan(INCIDENT, RELEASE, {"requests_per_minute": np.int64(1000)}).digest
    with pytest.raises(hotfix.PlanError, match="not a value of a document"):
        preset().plan(INCIDENT, RELEASE, {"requests_per_minute": np.array([1000.0])})


def test_a_duration_is_no_share() -> None:
    facts = {"payment_failure_share": timedelta(seconds=0.55)}
    calls: list[Callable[[], object]] = [
        lambda: preset().classify(facts),
        lambda: facts_of(facts),
        lambda: rollout().handle(AT, {"kind": "set_facts", "by": "lena", "facts": facts, "why": "counted"}),
        lambda: hotfix.similar(facts, [rollout().log()], preset()),
        lambda: preset().plan(INCIDENT, RELEASE, {"requests_per_minute": timedelta(seconds=5)}),
    ]
    for call in calls:
        with pytest.raises(hotfix.Error):
            call()
    method = {"kind": "redeploy", "seconds": timedelta(milliseconds=550)}
    release: Any = preset().plan(INCIDENT, {**RELEASE, "methods": [method]}).release
    assert release["methods"][0]["seconds"] == 0.55


def test_scenarios_and_mappings_are_documents_too() -> None:
    policy = hotfix.Policy.preset("phased-canary")
    begin = datetime(2026, 3, 3, 12, tzinfo=UTC)
    same = {"from": "2026-03-03T12:00:00Z", "until": "2h", "traffic": {"requests": 100}}
    scenario = {"from": begin, "until": timedelta(hours=2), "traffic": MappingProxyType({"requests": Whole(100)})}
    assert hotfix.simulate(policy, scenario, 2) == hotfix.simulate(policy, same, 2)
    assert hotfix.advise(policy, [scenario], None, 2) == hotfix.advise(policy, [same], None, 2)
    given = hotfix.backtest(policy, CSV, MAPPING, format="csv", from_=begin, severity="P1")
    text = json.dumps(MAPPING)
    assert hotfix.backtest(policy, CSV, text, format="csv", from_="2026-03-03T12:00:00Z", severity="P1") == given
    assumed = {**MAPPING, "assume": {"from": begin, "severity": "P2"}}
    assert hotfix.backtest(policy, CSV, assumed, format="csv", severity="P1") == given
    assert hotfix.backtest(policy, CSV, MappingProxyType(MAPPING), format="csv") == hotfix.backtest(
        policy, CSV, text, format="csv"
    )
    lines = "".join(
        f'{{"at": "2026-03-03T14:{minute:02}:00Z", "metrics": {{"error_rate": {{"canary": [3, 1000]}}}}}}\n'
        for minute in range(30)
    )
    assert hotfix.backtest(policy, lines, format="json_lines", severity="P1").readings == 30


def refused(code: str, path: str | None, call: Callable[[], object]) -> None:
    with pytest.raises(hotfix.Error) as caught:
        call()
    assert caught.value.code == code, caught.value
    assert path is None or getattr(caught.value, "path", None) == path, caught.value


def test_what_no_scenario_or_mapping_has_is_an_error_of_it_with_its_place() -> None:
    policy, wrong = hotfix.Policy.preset("standard"), {1}
    refused("HF-SIM-004", "/traffic/requests", lambda: hotfix.drill(policy, {"traffic": {"requests": wrong}}))
    refused("HF-SIM-004", "/scenarios/1/from", lambda: hotfix.advise(policy, [{}, {"from": wrong}], None, 1))

    def backtest(mapping: Any, **assume: Any) -> Callable[[], object]:
        return lambda: hotfix.backtest(policy, CSV, mapping, format="csv", **assume)

    refused("HF-REC-001", "/time", backtest({**MAPPING, "time": wrong}))
    refused("HF-REC-001", "/assume/from", backtest(MAPPING, from_=datetime(2026, 3, 3)))
    for assume in ({}, {"severity": "P1"}):
        refused("HF-REC-001", None, backtest({**MAPPING, "assume": [1]}, **assume))
        refused("HF-REC-001", None, backtest('{"metrics":{"nope":1},"metrics":{}}', **assume))
        refused("HF-REC-001", None, backtest([1], **assume))


def test_what_no_message_or_train_has_is_an_error_of_it_with_its_place() -> None:
    policy, made = hotfix.Policy.preset("standard"), rollout()
    wrong: Any = {1}
    refused("HF-MSG-001", "/values/cause", lambda: made.message("update", values={"cause": wrong}))
    issues: list[Any] = [wrong, 5]
    for issue in issues:
        refused("HF-VCS-025", "/fields/issue", partial(policy.commit_message, "x", fields={"issue": issue}))
    train: Any = {"a": made, "b": hotfix.Rollout(policy.plan(INCIDENT, RELEASE))}
    after: Any = {"b": [wrong]}
    refused("HF-TRAIN-006", "/after", lambda: hotfix.Train(train, after=after))
    config: Any = {"metrics": wrong}
    with pytest.raises(hotfix.KayentaError) as caught:
        kayenta.judge(config, {})
    assert caught.value.path == "/metrics"


def test_texts_that_are_not_unicode_are_named() -> None:
    with pytest.raises(hotfix.InputError, match="the log is not UTF-8: pass bytes"):
        hotfix.audit("\udcff\n")
    with pytest.raises(hotfix.RecordedError, match="surrogate"):
        hotfix.backtest(preset(), "\udcff", MAPPING, format="csv")
    with pytest.raises(hotfix.SimulationError, match="surrogate"):
        hotfix.simulate(preset(), "\udcff", 1)


def test_what_the_code_of_a_zone_raises_is_raised() -> None:
    class Interrupted(tzinfo):
        def utcoffset(self, _dt: datetime | None) -> timedelta:
            raise KeyboardInterrupt

        def dst(self, _dt: datetime | None) -> timedelta:
            return timedelta()

        def tzname(self, _dt: datetime | None) -> str:
            return "interrupted"

    at = datetime(2026, 3, 3, tzinfo=Interrupted())
    for call in (lambda: rollout().duties(at), lambda: preset().classify({"began_at": at})):
        with pytest.raises(KeyboardInterrupt):
            call()


def test_states_may_be_bytearrays_and_say_what_they_are() -> None:
    test = stats.RateRatio()
    assert stats.RateRatio.from_bytes(bytearray(test.to_bytes())).to_bytes() == test.to_bytes()
    snapshot = rollout().snapshot()
    assert hotfix.Rollout.snapshot_seq(bytearray(snapshot)) == hotfix.Rollout.snapshot_seq(snapshot)
    with pytest.raises(hotfix.StatsError, match="a test without a log has to start again"):
        stats.RateRatio.from_bytes(b"{}")
    assert repr(test) == "<RateRatio poisson, worse, alpha 0.01, log_e 0.000>"
    assert repr(stats.BadInstance(["a", "b"])) == "<BadInstance of 2>"


def test_only_the_names_of_members_are_in_a_document() -> None:
    verdict: Any = rollout().verdict
    assert "decision" in verdict
    assert not any(key in verdict for key in (5, None, b"decision", "\udcff"))


def test_infinite_numbers_are_none_in_the_form_of_the_json() -> None:
    found = stats.fisher_exact((5, 10), (0, 10))
    assert (found.odds_ratio, found["odds_ratio"], found.to_dict()["odds_ratio"]) == (float("inf"), None, None)
