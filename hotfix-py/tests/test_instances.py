"""`hotfix.stats`: calibration, and tests that need the counts of every instance."""

from __future__ import annotations

import json
import math
import pickle
import random
from collections.abc import Callable
from typing import Any

import pytest

import hotfix
from hotfix import stats

PODS = [f"pod-{pod:02}" for pod in range(20)]


def history(ticks: int = 400, burst: bool = True) -> dict[str, list[tuple[int, int]]]:
    draws = random.Random(7)
    made = {}
    for at, pod in enumerate(PODS):
        rates = [0.3 if burst and at == 3 and 100 <= tick < 130 else 0.005 for tick in range(ticks)]
        made[pod] = [(sum(draws.random() < rate for _ in range(8)), 50) for rate in rates]
    return made


def test_stat_2_noise_raises_the_threshold() -> None:
    noisy = stats.calibrate(history(), share=0.1, ticks=60)
    calm = stats.calibrate(history(burst=False), share=0.1, ticks=60)
    assert noisy.threshold > calm.threshold >= math.log(100)
    assert noisy.cap == pytest.approx(max(noisy.cap, math.log(100) / 3.5))
    assert math.log(10) <= calm.hold <= calm.threshold
    assert noisy.dispersion is not None
    assert noisy.dispersion > 2
    assert (noisy.shards, noisy.windows, noisy.canary_instances, noisy.leave_one_out) == (10, 23, 2, False)
    assert noisy.by_instance is not None
    assert set(noisy.by_instance) == {"threshold", "cap", "hold", "clip_rate"}
    assert math.log(100) <= noisy.by_instance["threshold"] < noisy.threshold
    assert any("hours of history, 6 are wanted" in sentence for sentence in noisy.advice)
    assert noisy["advice"][0]["kind"] == "short_history"
    assert noisy.promotion_temper == pytest.approx(math.log(100) / noisy.threshold)
    assert noisy.detectable is not None
    assert calm.detectable is not None
    assert noisy.detectable > calm.detectable
    assert noisy.base_rate is not None
    assert pickle.loads(pickle.dumps(noisy)) == noisy
    assert json.loads(json.dumps(noisy.to_dict()))["settings"]["ticks"] == 60
    test = stats.RateRatio(cap=noisy.cap, threshold=noisy.threshold)
    assert test.threshold == noisy.threshold


def test_the_seed_fixes_what_is_drawn() -> None:
    made = history()
    halves = [stats.calibrate(made, 0.5, 60, seed=seed).threshold for seed in (1, 1, 2)]
    assert halves[0] == halves[1] != halves[2]
    zones = stats.calibrate(made, 0.5, 60, zones=[PODS[:10], PODS[10:]])
    assert zones.shards == 2


def test_the_test_of_proportions_has_limits_for_sums() -> None:
    made = history()
    limits = stats.calibrate(made, 0.5, 60, model="bernoulli")
    assert limits.threshold >= math.log(100)
    assert limits.by_instance is None
    assert not limits.leave_one_out
    assert limits.to_dict()["settings"]["model"] == "bernoulli"
    assert "model" not in stats.calibrate(made, 0.5, 60).to_dict()["settings"]
    test = stats.RateRatio(model="bernoulli", cap=limits.cap, threshold=limits.threshold)
    assert test.threshold == limits.threshold
    with pytest.raises(hotfix.InputError, match="poisson, bernoulli"):
        stats.calibrate(made, 0.5, 60, model="binomial")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ticks": 500}, "HF-STAT-033"),
        ({"share": 1.0}, "HF-STAT-020"),
        ({"alpha": 0}, "HF-STAT-001"),
        ({"history": {"a": [(0, 1)]}}, "HF-STAT-034"),
        ({"history": {"a": [(0, 1)], "b": []}}, "HF-STAT-031"),
        ({"history": {"a": [(0, 1)], "b": [(math.nan, 1)]}}, "HF-STAT-032"),
        ({"zones": [["nobody"]]}, "HF-STAT-035"),
        ({"ticks": 0}, "HF-STAT-030"),
    ],
)
def test_histories_that_are_none(change: dict[str, Any], code: str) -> None:
    usual: dict[str, Any] = {"history": history(80), "share": 0.1, "ticks": 20}
    with pytest.raises(hotfix.StatsError) as caught:
        stats.calibrate(**usual | change)
    assert caught.value.code == code


def test_what_is_no_history_is_a_type_error() -> None:
    for bad in ([1], {"a": 5}, {"a": [5], "b": [5]}, {5: [(0, 1)], 6: [(0, 1)]}):
        with pytest.raises(TypeError):
            stats.calibrate(bad, 0.1, 5)  # type: ignore[arg-type]


def tick(bad: int, count: int = 2) -> dict[str, tuple[int, int]]:
    return {pod: (count if at < bad else 0, 50) for at, pod in enumerate(PODS)}


def test_stat_2_a_canary_that_stands_out_is_spent_at_a_look() -> None:
    test = stats.Randomisation(PODS, PODS[:10], seed=7)
    seen = [test.update(tick(10)).decided for _ in range(4)]
    assert seen == [False, False, True, True]
    evidence = test.evidence
    assert evidence.p_value == 1 / 2000
    assert evidence.log_e > test.threshold == pytest.approx(math.log(100))
    assert evidence.interval is None
    # An instance that is left out has no data.
    assert test.update({}) == evidence


def test_stat_2_alike_instances_tie_and_the_canary_loses() -> None:
    test = stats.Randomisation(PODS, PODS[:10], seed=7, evaluations=[1, 2], budget=[0.5, 1])
    for _ in range(2):
        evidence = test.update(tick(20))
    assert (evidence.decided, evidence.p_value) == (False, 1)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"subsets": 99}, "HF-STAT-038"),
        ({"canary": []}, "HF-STAT-037"),
        ({"canary": ["nobody"]}, "HF-STAT-035"),
        ({"canary": PODS[:1] * 2}, "HF-STAT-036"),
        ({"evaluations": [2, 1]}, "HF-STAT-030"),
        ({"zones": [PODS[:4]]}, "HF-STAT-035"),
    ],
)
def test_randomisations_that_are_none(settings: dict[str, Any], code: str) -> None:
    with pytest.raises(hotfix.StatsError) as caught:
        stats.Randomisation(**{"instances": PODS, "canary": PODS[:10]} | settings)
    assert caught.value.code == code


def test_stat_2_a_bad_instance_is_named_and_equal_ones_are_not() -> None:
    names = PODS[:5]
    bad = stats.BadInstance(names)
    counts = {pod: (9 if pod == "pod-02" else 0, 100) for pod in names}
    for _ in range(2):
        bad.update(counts)
    assert bad.found == ["pod-02"] == bad.update({})
    assert bad.log_e["pod-02"] > bad.threshold == pytest.approx(math.log(500))
    # All of them bad: none stands out.
    bad = stats.BadInstance(names)
    assert bad.update(dict.fromkeys(names, (9, 100))) == []


def test_bytes_bring_tests_of_instances_back() -> None:
    drawn = stats.Randomisation(PODS, PODS[:10], seed=7, subsets=100)
    drawn.update(tick(10))
    bad = stats.BadInstance(PODS[:5])
    bad.update(dict.fromkeys(PODS[:5], (1, 100)))
    for test in (drawn, bad):
        again = pickle.loads(pickle.dumps(test))
        assert again.to_bytes() == test.to_bytes()
    again = stats.Randomisation.from_bytes(drawn.to_bytes())
    assert again.update(tick(10)) == drawn.update(tick(10))
    readers: list[Callable[[bytes], Any]] = [
        stats.Randomisation.from_bytes,
        stats.BadInstance.from_bytes,
    ]
    for read in readers:
        with pytest.raises(hotfix.StatsError) as caught:
            read(b"{}")
        assert caught.value.code == "HF-STAT-019"
    with pytest.raises(hotfix.StatsError) as caught:
        stats.Randomisation.from_bytes(drawn.to_bytes().replace(b'"seed":7', b'"seed":8'))
    assert caught.value.code == "HF-STAT-017"


def test_unknown_instances_and_bad_counts_change_nothing() -> None:
    drawn = stats.Randomisation(PODS, PODS[:10], seed=7, subsets=100)
    before = drawn.to_bytes()
    for counts, code in (({"nobody": (0, 1)}, "HF-STAT-035"), ({PODS[0]: (math.nan, 1)}, "HF-STAT-002")):
        with pytest.raises(hotfix.StatsError) as caught:
            drawn.update(counts)
        assert caught.value.code == code
    for bad in ([1], {5: (0, 1)}, {PODS[0]: (1,)}):
        with pytest.raises(TypeError):
            drawn.update(bad)  # type: ignore[arg-type]
    assert drawn.to_bytes() == before
