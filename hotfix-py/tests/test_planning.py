"""`hotfix.stats`: what a comparison can see, before anything is deployed."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest

import hotfix
from hotfix import stats


def test_plan_6_time_to_detect_is_in_minutes() -> None:
    time = stats.time_to_detect(1000, 0.1, 0.003, 5)
    assert time.bound == pytest.approx(27.6 / 6, rel=2e-3)
    assert time.expected == pytest.approx(time.bound * (math.log(100) + 1.2) / math.log(100))
    assert time.bound_ticks == pytest.approx(6 * time.bound)
    assert stats.time_to_detect(1000, 0.1, 0.003, 5, tick_seconds=60).expected_ticks == time.expected
    assert time.requests_affected == pytest.approx(0.8 * time.failed_requests)
    assert time == stats.time_to_detect(1000, 0.1, 0.003, 5)
    assert stats.time_to_detect(1000, 0.1, 0.003, 1.2, tolerated=1.25).expected == math.inf
    slower = stats.time_to_detect(1000, 0.1, 0.003, 5, threshold=10)
    assert slower.expected > time.expected


def test_plan_6_chances() -> None:
    found = stats.chance_to_decide(1000, 0.1, 0.003, 1.5, 50)
    assert found.chance == pytest.approx(0.12, abs=0.01)
    assert not found.approximate
    assert found["approximate"] is False
    assert pickle.loads(pickle.dumps(found)) == found
    assert stats.chance_to_decide(1e6, 0.1, 0.003, 1.5, 50).approximate
    smallest = stats.detectable_ratio(1000, 0.1, 0.003, 10)
    assert smallest is not None
    assert stats.chance_to_decide(1000, 0.1, 0.003, smallest, 10).chance == pytest.approx(0.8, abs=0.05)
    assert stats.detectable_ratio(60, 0.1, 0.4, 1 / 60) is None
    assert stats.chance_to_promote(1000, 0.1, 0.003, 10, margin=3).chance == pytest.approx(0.4, abs=0.015)
    assert stats.time_to_promote(1000, 0.1, 0.003, margin=3) == pytest.approx(12.5, abs=0.5)
    assert stats.time_to_promote(1000, 0.1, 0.003, ratio=2) is None


def test_plan_6_gates_and_one_look() -> None:
    assert stats.gate_pass_chance(1000, 0.009, 0.003) == pytest.approx(0.021, abs=5e-4)
    trials = stats.fixed_horizon_trials(0.003, 0.1, 2)
    assert stats.fixed_horizon_ratio(0.003, 0.1 * trials, 0.9 * trials) == pytest.approx(2)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"alpha": 0}, "HF-STAT-001"),
        ({"tolerated": 0.9}, "HF-STAT-011"),
        ({"share": 1}, "HF-STAT-020"),
        ({"threshold": 0}, "HF-STAT-025"),
        ({"requests_per_minute": 0}, "HF-STAT-030"),
        ({"base_rate": math.nan}, "HF-STAT-030"),
        ({"ratio": 400}, "HF-STAT-030"),
    ],
)
def test_figures_that_cannot_be(change: dict[str, Any], code: str) -> None:
    usual = {"requests_per_minute": 1000, "share": 0.1, "base_rate": 0.003, "ratio": 2}
    with pytest.raises(hotfix.StatsError) as caught:
        stats.time_to_detect(**usual | change)
    assert caught.value.code == code
