"""Severities, decisions, findings: typed answers, and facts as Python has them."""

from __future__ import annotations

import copy
import json
import math
import pickle
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import hotfix

TESTS = Path(__file__).parents[2] / "hotfix-core" / "tests"

# Payments fail, and nobody has asked yet whether anyone can log in.
KNOWN: dict[str, Any] = {
    "payment_failure_share": 0.55,
    "revenue_impact": True,
    "service_down": False,
    "data_corruption": False,
    "security_vulnerability": False,
    "users_affected": None,
    "preceding_deploy": "2.3.0",
}

FACTS = """
extends = "phased-canary"
severities.P0 = { label = "critical", hotfix = true }
[facts]
tickets = { kind = "number", ask = "How many tickets came in?" }
wait = { kind = "duration", ask = "How long do people wait?" }
[[rules]]
id = "many"
title = "many tickets"
severity = "P0"
when = { fact = "tickets", at_least = 20 }
[[rules]]
id = "slow"
title = "people wait"
severity = "P0"
when = { fact = "wait", above = "5min" }
"""


def enterprise() -> hotfix.Policy:
    return hotfix.Policy.preset("enterprise")


def house() -> hotfix.Policy:
    return hotfix.Policy.from_toml(FACTS)


def policy_of(name: str) -> hotfix.Policy:
    if name in hotfix.Policy.presets():
        return hotfix.Policy.preset(name)
    return hotfix.Policy.load(TESTS / "policies" / f"{name}.toml")


def test_sev_5_what_is_known_settles_and_what_is_unknown_stays_open() -> None:
    policy = enterprise()
    answer = policy.classify(KNOWN)
    assert (answer.severity, answer.at_worst, answer.hotfix, answer.settled) == ("P1", "P0", "yes", False)
    assert [rule.id for rule in answer.rules] == ["payments_majority"]
    assert answer.rules[0].facts == {"payment_failure_share": 0.55}
    assert answer.rules[0].severity == "P1"
    assert answer.rules[0].hotfix is None
    assert answer.decisive == ["authentication_down"]
    assert "authentication_down" in answer.unknown
    assert {rule.id for rule in answer.undecided} >= {"login_down"}
    assert answer.if_known["authentication_down"] == {"true": "P0", "false": "P1"}
    assert answer.if_known["authentication_down"][True] == "P0"
    changes = {change.value: change for change in answer.would["authentication_down"]}
    assert (changes["false"].severity, changes["false"].at_worst, changes["false"].hotfix) == ("P1", "P1", "yes")
    assert answer.exact
    assert answer.contradictions == []
    assert policy.classify({**KNOWN, "authentication_down": False}).settled


def test_sev_5_contradictory_facts_are_said_to_be() -> None:
    answer = enterprise().classify({"payment_failure_share": 0.2, "payments_down": True})
    assert answer.contradictions == ["no_payment_passes"]
    assert enterprise().classify({"payment_failure_share": 1.0}).deduced["payments_down"] is True


def test_dec_4_a_decision_says_what_to_ask_next() -> None:
    policy = enterprise()
    decision = policy.decide(KNOWN)
    assert decision.outcome is None
    assert not decision.settled
    question = decision.next_question
    assert question is not None
    assert (question.fact, question.kind) == ("authentication_down", "flag")
    assert question.ask
    assert set(question.if_known[True]) | set(question.if_known[False]) == set(decision.reachable)
    outcome = policy.decide({**KNOWN, "authentication_down": False}).outcome
    assert outcome is not None
    assert (outcome.severity, outcome.hotfix, outcome.deadline) == ("P1", True, timedelta(hours=24))
    assert outcome["deadline"] == 86400
    assert outcome.id
    assert outcome.title


def test_dec_4_a_decision_says_the_way_there() -> None:
    decision = policy_of("matrix-tree").decide(
        {"service_down": False, "revenue_impact": True, "core_feature_broken": False}
    )
    assert [(step.id, step.answer, step.to) for step in decision.path] == [
        ("down", "no", "major"),
        ("major", "no", "revenue"),
        ("revenue", "yes", "p1_soon"),
    ]
    assert decision.path[0].facts == {"service_down": False}
    assert decision.path[0].deduced == []
    assert decision.path[0].ask
    assert decision.next_question is None
    assert not decision.circular
    assert decision.exact


def test_dec_4_a_deadline_may_be_a_day() -> None:
    outcome = (
        policy_of("house-tree").decide({"payments_down": False, "payment_failure_share": 0.5, "tickets": 19.5}).outcome
    )
    assert outcome is not None
    assert outcome.deadline == "next_sprint"


def test_dec_5_findings_are_typed() -> None:
    policy = house()
    for findings in (policy.lint(), policy.lint("2026-03-03T14:40:00Z"), policy.lint(datetime.now(UTC))):
        assert findings
        for finding in findings:
            assert finding.code.startswith("HF-LINT-")
            assert finding.level in ("deny", "warn", "note")
            assert finding.message
            assert finding.remedy
            assert finding.example is None or set(finding.example) <= {"facts", "counts", "times"}
    with pytest.raises(hotfix.InputError):
        policy.lint("tomorrow")


def test_dec_6_the_tree_is_drawn() -> None:
    mermaid, dot = enterprise().tree_mermaid(), enterprise().tree_dot()
    assert mermaid is not None
    assert mermaid.startswith("flowchart TD\n")
    assert dot is not None
    assert dot.startswith("digraph tree {\n")
    without = hotfix.Policy.preset("phased-canary")
    assert (without.tree_mermaid(), without.tree_dot()) == (None, None)


@pytest.mark.parametrize(
    ("facts", "severity"),
    [
        ({"tickets": 20}, "P0"),
        ({"tickets": 10**30}, "P0"),
        ({"tickets": 19.5, "wait": 3}, None),
        ({"wait": timedelta(minutes=5, milliseconds=1)}, "P0"),
        ({"wait": timedelta(minutes=5), "tickets": 0}, None),
        ({"wait": "6min"}, "P0"),
        ({"wait": 301}, "P0"),
        ({"tickets": Decimal(20), "wait": Fraction(3)}, "P0"),
        ({"tickets": None, "wait": None}, None),
        (MappingProxyType({"tickets": 20}), "P0"),
    ],
)
def test_sev_2_facts_are_taken_as_python_has_them(facts: Mapping[str, Any], severity: str | None) -> None:
    assert house().classify(facts).severity == severity


def test_sev_2_times_are_aware() -> None:
    policy = enterprise()
    at = datetime(2026, 3, 3, 15, 2, tzinfo=timezone(timedelta(hours=1)))
    expected = policy.classify({"began_at": "2026-03-03T14:02:00Z"})
    assert policy.classify({"began_at": at}) == expected
    with pytest.raises(hotfix.FactError) as caught:
        policy.classify({"began_at": at.replace(tzinfo=None)})
    assert (caught.value.code, caught.value.path) == ("HF-UNIT-003", "/began_at")


@pytest.mark.parametrize(
    ("facts", "code", "path"),
    [
        ({"service_dwon": True}, "HF-FACT-001", "/service_dwon"),
        ({"service_dwon": math.nan}, "HF-FACT-001", "/service_dwon"),
        ({"a/b~": 1}, "HF-FACT-001", "/a~1b~0"),
        ({"service_down": "yes"}, "HF-FACT-002", "/service_down"),
        ({"service_down": 1}, "HF-FACT-002", "/service_down"),
        ({"service_down": []}, "HF-FACT-002", "/service_down"),
        ({"users_affected": timedelta(seconds=0.5)}, "HF-FACT-002", "/users_affected"),
        ({"preceding_deploy": datetime(2026, 3, 3, tzinfo=UTC)}, "HF-FACT-002", "/preceding_deploy"),
        ({"users_affected": math.nan}, "HF-FACT-003", "/users_affected"),
        ({"users_affected": math.inf}, "HF-FACT-003", "/users_affected"),
        ({"users_affected": 10**400}, "HF-FACT-003", "/users_affected"),
        ({"users_affected": 3}, "HF-UNIT-005", "/users_affected"),
        ({"began_at": "yesterday"}, "HF-UNIT-003", "/began_at"),
    ],
)
def test_sev_2_facts_that_cannot_be_read_are_refused(facts: dict[str, Any], code: str, path: str) -> None:
    for ask in (enterprise().classify, enterprise().decide):
        with pytest.raises(hotfix.FactError) as caught:
            ask(facts)
        error = caught.value
        assert (error.code, error.path) == (code, path)
        assert [(problem.code, problem.path) for problem in error.errors] == [(code, path)]
        assert str(error) == f"{code} at {path}: {error.errors[0].message}"
        assert isinstance(error, hotfix.Error)
        assert isinstance(error, ValueError)
        assert vars(pickle.loads(pickle.dumps(error))) == vars(error)


def test_sev_2_what_the_code_of_a_number_raises_is_raised() -> None:
    class Interrupted:
        def __float__(self) -> float:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        enterprise().classify({"users_affected": Interrupted()})
    rollout = hotfix.Rollout(hotfix.Policy.preset("standard").plan({"id": "I"}, {"version": "2", "previous": "1"}))
    with pytest.raises(KeyboardInterrupt):
        rollout.observe("2026-03-03T14:40:00Z", {"error_rate": {"canary": [Interrupted(), 10]}})
    with pytest.raises(KeyboardInterrupt):
        hotfix.stats.mann_whitney_u([Interrupted()], [1.0])


def test_sev_2_a_whole_number_that_is_too_large_is_named_as_one() -> None:
    wanted = r"`users_affected` is a whole number beyond 1\.8e308: write a finite number"
    with pytest.raises(hotfix.FactError, match=wanted):
        enterprise().classify({"users_affected": 10**400})


def test_sev_2_all_that_is_wrong_with_facts_comes_at_once() -> None:
    with pytest.raises(hotfix.FactError) as caught:
        enterprise().classify({"users_affected": math.nan, "service_dwon": True, "began_at": "?", "service_down": True})
    assert [problem.path for problem in caught.value.errors] == ["/began_at", "/service_dwon", "/users_affected"]


@pytest.mark.parametrize("facts", [None, [], "{}"])
def test_sev_2_facts_that_are_no_mapping_are_a_type_error(facts: Any) -> None:
    with pytest.raises(TypeError):
        enterprise().classify(facts)


@pytest.mark.parametrize(
    ("facts", "code", "path"),
    [
        ({1: True}, "HF-FACT-001", "/1"),
        ({"service_down": object()}, "HF-FACT-002", "/service_down"),
        ({"service_down": b"yes"}, "HF-FACT-002", "/service_down"),
        ({"began_at": date(2026, 3, 3)}, "HF-FACT-002", "/began_at"),
    ],
)
def test_sev_2_a_wrong_type_among_facts_is_a_fact_error(facts: Any, code: str, path: str) -> None:
    with pytest.raises(hotfix.FactError) as caught:
        enterprise().classify(facts)
    assert (caught.value.code, caught.value.path) == (code, path)


def test_sev_2_a_fact_that_is_not_unicode_is_named() -> None:
    with pytest.raises(hotfix.InputError, match="surrogate") as caught:
        enterprise().classify({"service": "\udcff"})
    assert caught.value.path == "/service"


def answers() -> Iterator[Any]:
    policy = enterprise()
    answer, decision = policy.classify(KNOWN), policy.decide(KNOWN)
    yield from (answer, answer.rules[0], answer.would["authentication_down"][0], decision, decision.next_question)
    settled = policy.decide({"service_down": True})
    yield from (settled, settled.outcome, settled.path[0])
    yield hotfix.Finding._from_json('{"code": "HF-LINT-001", "example": null, "level": "deny"}')  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", list(answers()), ids=lambda value: type(value).__name__)
def test_answers_are_values(value: Any) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(value, protocol))
        assert again == value
        assert (hash(again), repr(again)) == (hash(value), repr(value))
        # What is worked out when it is asked for is what the document has.
        assert all(getattr(again, key) == getattr(value, key) for key in value)
    assert copy.deepcopy(value) == value
    assert value != object()
    assert getattr(hotfix, type(value).__name__) is type(value)
    document = value.to_dict()
    assert json.loads(json.dumps(document)) == document
    assert list(value) == value.keys() == list(document)
    for key in document:
        assert value[key] == document[key]
        assert hasattr(value, key), key
    with pytest.raises(AttributeError):
        value.severity = "P3"


def test_what_is_looked_up_by_value_is_a_dict() -> None:
    by_value = enterprise().classify(KNOWN).if_known["authentication_down"]
    assert (by_value[True], by_value["true"], by_value.get(False), by_value.get("other")) == ("P0", "P0", "P1", None)
    yes: object = True
    one: object = 1
    assert yes in by_value
    assert one not in by_value
    with pytest.raises(KeyError):
        by_value[1]  # type: ignore[index]
    assert json.loads(json.dumps(by_value)) == dict(by_value) == {"false": "P1", "true": "P0"}
    assert pickle.loads(pickle.dumps(by_value)) == by_value
