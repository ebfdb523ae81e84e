"""What a verdict explains and foresees, as Python sees it; the figures are tested in Rust."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta

import hotfix
from story import clearing

ERRORS = {"error_rate": {"canary": [0, 100], "baseline": [3, 900]}, "bug": {"canary": [0, 60], "baseline": [72, 60]}}


def watched() -> tuple[hotfix.Rollout, datetime]:
    policy = hotfix.Policy.preset("phased-canary")
    release = {"version": "2.3.1", "previous": "2.3.0"}
    plan = policy.plan({"id": "INC-2041", "severity": "P1"}, release, {"requests_per_minute": 1000})
    rollout, at = hotfix.Rollout(plan), datetime(2026, 3, 3, 14, 40, tzinfo=UTC)
    for blocker in rollout.blockers():
        rollout.handle(at, clearing(blocker))
    rollout.handle(at, {"kind": "start", "by": "lena"})
    while rollout.pending_actions():
        rollout.handle(at, {"kind": "confirm", "by": "tool", "action": rollout.pending_actions()[0].id})
    return rollout, at


def test_field_11_nothing_judged_has_no_why() -> None:
    rollout, _ = watched()
    assert (rollout.why(), rollout.harm(), rollout.forecast()) == (None, None, None)
    assert all(cell is None for row in rollout.comparison().rows for cell in row.cells)


def test_field_11_why_is_typed_and_is_the_same_document() -> None:
    rollout, at = watched()
    rollout.observe(at + timedelta(minutes=1), ERRORS)
    why = rollout.why()
    assert why is not None
    assert (why.decision, why.at) == (rollout.verdict.decision, at + timedelta(minutes=1))
    part = why.metrics["error_rate"]
    assert str(part) == part.sentence == part.to_dict()["sentence"]
    assert (part.counterfactual["kind"], part.counterfactual["from"], part.tick) == (
        "events",
        0,
        {
            "baseline": {"events": 3, "trials": 900, "value": 3 / 900},
            "canary": {"events": 0, "trials": 100, "value": 0},
        },
    )
    assert {rule["rule"] for rule in part.rules} >= {"bound", "evidence"}
    assert pickle.loads(pickle.dumps(why)) == why
    assert hotfix.Rollout.replay(rollout.log()).why() == why


def test_stat_5_harm_has_both_versions() -> None:
    rollout, at = watched()
    rollout.observe(at + timedelta(minutes=1), ERRORS)
    harm = rollout.harm()
    assert harm is not None
    assert harm.requests_per_minute == 1000
    bug = harm.metrics["bug"]
    assert bug.live is not None
    assert bug.canary is not None
    assert abs(bug.live.now - 72) < 1e-9
    assert bug.canary.at_full == 0
    low, high = bug.live.at_full_range
    assert low < bug.live.at_full < high


def test_field_15_outlook_says_what_is_left() -> None:
    rollout, at = watched()
    rollout.observe(at + timedelta(minutes=1), ERRORS)
    forecast = rollout.forecast()
    assert forecast is not None
    assert (forecast.phase, forecast.until_due) == ("canary", 540)
    errors = forecast.metrics["error_rate"]
    assert errors.bound == {"allows": 3, "possible": True}
    assert errors.rollback is not None
    assert errors.promotion is None
    assert errors.rollback.requests is not None
    assert errors.rollback.requests > 1000
    assert json.loads(json.dumps(forecast.to_dict())) == forecast.to_dict()


def test_met_4_the_comparison_is_a_table() -> None:
    rollout, at = watched()
    rollout.observe(at + timedelta(minutes=1), ERRORS)
    table = rollout.comparison()
    assert [phase["phase"] for phase in table.phases] == ["canary", "partial", "full"]
    errors = next(row for row in table.rows if row.metric == "error_rate")
    assert errors.reference == 0.003
    assert errors.cells[0] is not None
    assert errors.cells[0]["band"] == "success"
    assert errors.cells[1] is None
    assert "| error rate | 0.3% | 0.3333% | 0%, success | - | - |" in table.to_markdown().splitlines()
