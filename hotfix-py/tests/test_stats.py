"""`hotfix.stats`: sequential tests and intervals."""

from __future__ import annotations

import json
import math
import pickle
from typing import Any

import pytest

import hotfix
from hotfix import stats


def worse(ticks: int = 6) -> tuple[stats.RateRatio, stats.Evidence]:
    test = stats.RateRatio()
    evidence = test.evidence
    for _ in range(ticks):
        evidence = test.update((2, 67), (2, 600))
    return test, evidence


def test_stat_2_a_worse_canary_is_found() -> None:
    test, evidence = worse()
    assert evidence.decided
    assert evidence.log_e >= test.threshold == pytest.approx(math.log(100))
    assert evidence.p_value < 0.01
    assert evidence.ratio == pytest.approx(600 / 67)
    assert evidence == test.evidence
    assert evidence["decided"] is True
    assert evidence.to_dict() == {
        "decided": True,
        "log_e": evidence.log_e,
        "p_value": evidence.p_value,
        "ratio": evidence.ratio,
    }


def test_field_3_no_data_is_no_evidence() -> None:
    test = stats.RateRatio()
    for evidence in (test.evidence, test.update((0, 0), (3, 900)), test.update([0, 100], [0, 900])):
        assert (evidence.log_e, evidence.p_value, evidence.decided) == (0, 1, False)
    assert stats.RateRatio().evidence.ratio is None
    assert stats.RateRatio().evidence.interval == (0, math.inf)


def test_stat_2_what_belongs_to_the_other_direction_is_refused() -> None:
    for_better, for_worse = "`margin` belongs to direction", "`tolerated` belongs to direction"
    with pytest.raises(TypeError, match=for_better):
        stats.RateRatio(margin=5)
    with pytest.raises(TypeError, match=for_worse):
        stats.RateRatio("better", tolerated=2)
    with pytest.raises(TypeError, match=for_better):
        stats.Latency([0.1], margin=5)
    with pytest.raises(TypeError, match=for_worse):
        stats.Latency([0.1], "better", tolerated=2)


def test_stat_4_an_interval_that_is_valid_at_every_look() -> None:
    _, evidence = worse()
    interval = evidence.interval
    assert interval is not None
    low, high = interval
    assert evidence.ratio is not None
    assert 1 < low < evidence.ratio < high < 100
    assert evidence.interval == interval


def test_stat_4_a_ratio_is_of_sums_and_its_interval_within_strata_and_splits() -> None:
    strata = stats.RateRatio().update_strata([((30, 900), (33, 1000)), ((0, 100), (8, 8000))])
    assert strata.ratio == pytest.approx((30 / 1000) / (41 / 9000))
    # Mantel and Haenszel, by hand: what the interval is about.
    within = (30 * 1000 / 1900) / (33 * 900 / 1900 + 8 * 100 / 8100)
    low, high = strata.interval or (0.0, 0.0)
    assert strata.ratio is not None
    assert low < within < high < strata.ratio


def test_stat_4_ticks_of_different_splits_are_not_summed() -> None:
    # The canary is as good as the baseline, and a shock comes with the larger share: pooling would call it worse.
    test = stats.RateRatio()
    test.update((30, 10_000), (270, 90_000))
    evidence = test.update((15_000, 50_000), (15_000, 50_000))
    assert evidence.ratio is not None
    assert evidence.ratio > 1.5
    interval = evidence.interval
    assert interval is not None
    assert interval[0] < 1 < interval[1]


def test_evidence_is_of_its_moment() -> None:
    test, early = worse(2)
    before = early.interval
    test.update((50, 67), (2, 600))
    assert early.interval == before
    assert test.evidence.interval != before


@pytest.mark.parametrize("model", ["poisson", "bernoulli"])
def test_bytes_bring_a_test_back(model: Any) -> None:
    test = stats.RateRatio("better", 0.05, margin=1.5, grid=[2, 4], weights=[0.5, 0.5], model=model)
    test.update((3, 1000), (300, 9000))
    again = stats.RateRatio.from_bytes(test.to_bytes())
    assert again.evidence == test.evidence
    assert again.evidence.interval == test.evidence.interval
    assert again.to_bytes() == test.to_bytes()
    assert again.update((1, 100), (30, 900)) == test.update((1, 100), (30, 900))


def test_bytes_that_no_test_wrote_are_refused() -> None:
    whole, shares = stats.RateRatio().to_bytes(), stats.RateRatio(model="bernoulli").to_bytes()
    for bad, code in (
        (b"", "HF-STAT-019"),
        (whole[:-2], "HF-STAT-019"),
        (whole.replace(b'"alpha":0.01', b'"alpha":0.02'), "HF-STAT-017"),
        (whole.replace(b'"format":1', b'"format":2'), "HF-STAT-018"),
        (shares.replace(b'"model":"bernoulli",', b""), "HF-STAT-017"),
    ):
        with pytest.raises(hotfix.StatsError) as caught:
            stats.RateRatio.from_bytes(bad)
        assert caught.value.code == code


def test_counts_merge_as_one_further_tick() -> None:
    (one, _), (other, _) = worse(2), worse(3)
    merged = one.merge(other)
    _, at_once = worse(5)
    assert merged.log_e == pytest.approx(at_once.log_e, rel=1e-12)
    assert merged.ratio == at_once.ratio
    assert merged.interval == at_once.interval
    assert one.merge(one).ratio == at_once.ratio
    with pytest.raises(hotfix.StatsError):
        one.merge(stats.RateRatio(alpha=0.05))
    for bernoulli in (stats.RateRatio(model="bernoulli"), one):
        with pytest.raises(hotfix.StatsError, match="the Bernoulli test") as raised:
            stats.RateRatio(model="bernoulli").merge(bernoulli)
        assert raised.value.code == "HF-STAT-023"


def test_bernoulli_finds_a_ratio_of_three() -> None:
    test = stats.RateRatio(model="bernoulli", prior_trials=10)
    for _ in range(4):
        evidence = test.update((30, 100), (90, 900))
    assert evidence.decided
    assert evidence.interval is not None
    low, high = evidence.interval
    assert 1 < low < 3 < high
    with pytest.raises(hotfix.StatsError) as caught:
        test.update((3, 2), (0, 10))
    assert caught.value.code == "HF-STAT-004"


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"alpha": 0}, "HF-STAT-001"),
        ({"alpha": math.nan}, "HF-STAT-001"),
        ({"grid": []}, "HF-STAT-006"),
        ({"grid": [0.5]}, "HF-STAT-007"),
        ({"grid": [2, 4], "weights": [1]}, "HF-STAT-008"),
        ({"grid": [2, 4], "weights": [0, 1]}, "HF-STAT-009"),
        ({"grid": [2, 4], "weights": [0.5, 0.4]}, "HF-STAT-010"),
        ({"tolerated": 0.5}, "HF-STAT-011"),
        ({"direction": "better", "margin": 0}, "HF-STAT-012"),
        ({"model": "bernoulli", "prior_trials": 0}, "HF-STAT-013"),
    ],
)
def test_figures_that_are_no_tests(settings: dict[str, Any], code: str) -> None:
    with pytest.raises(hotfix.StatsError) as caught:
        stats.RateRatio(**settings)
    assert caught.value.code == code
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("canary", "code"),
    [
        ((math.nan, 1), "HF-STAT-002"),
        ((1, math.inf), "HF-STAT-002"),
        ((-1, 1), "HF-STAT-003"),
        ((1, 1e17), "HF-STAT-005"),
    ],
)
def test_counts_that_cannot_be(canary: tuple[float, float], code: str) -> None:
    test, before = worse()
    with pytest.raises(hotfix.StatsError) as caught:
        test.update(canary, (0, 10))
    assert caught.value.code == code
    assert test.evidence == before


def test_arguments_of_the_wrong_kind() -> None:
    unknown: dict[str, Any] = {"hurry": 1}
    with pytest.raises(TypeError, match="hurry"):
        stats.RateRatio(**unknown)
    with pytest.raises(hotfix.InputError, match="worse, better"):
        stats.RateRatio("sideways")  # type: ignore[arg-type]
    with pytest.raises(hotfix.InputError, match="poisson, bernoulli"):
        stats.RateRatio(model="normal")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="bernoulli"):
        stats.RateRatio(prior_trials=5)
    for bad in ((1,), (1, 2, 3), 5, ("a", 1), (True, 1)):
        with pytest.raises(TypeError):
            stats.RateRatio().update(bad, (0, 10))  # type: ignore[arg-type]


def test_wilson() -> None:
    # Reference: statsmodels 0.14.4, proportion_confint(3, 1000, 0.05, "wilson").
    low, high = stats.wilson(3, 1000)
    assert (low, high) == pytest.approx((0.0010207, 0.0087831), rel=1e-4)
    assert stats.wilson(0, 0) == (0, 1)
    assert stats.wilson(0, 10)[0] == 0
    assert stats.wilson(10, 10, confidence=0.99)[1] == 1
    with pytest.raises(hotfix.StatsError) as caught:
        stats.wilson(3, 2)
    assert caught.value.code == "HF-STAT-004"
    with pytest.raises(hotfix.StatsError):
        stats.wilson(1, 2, 1.0)


def test_stat_2_the_parameters_stand_in_the_documented_order() -> None:
    test = stats.RateRatio("worse", 0.01, 1.0, 2.0, None, None, "poisson", 0.5, 0.6, 7.0, 300)
    assert test.threshold == 7.0
    before = test.evidence.log_e
    assert test.update((90, 100), (1, 900)).log_e <= before + 0.6
    assert stats.RateRatio.from_bytes(test.to_bytes()).threshold == 7.0


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"temper": 0.0}, "HF-STAT-024"),
        ({"temper": 1.1}, "HF-STAT-024"),
        ({"cap": 0.0}, "HF-STAT-016"),
        ({"threshold": -1.0}, "HF-STAT-025"),
        ({"horizon": 0}, "HF-STAT-026"),
    ],
)
def test_stat_2_limits_that_are_none_are_refused(settings: dict[str, Any], code: str) -> None:
    for model in ("poisson", "bernoulli"):
        with pytest.raises(hotfix.StatsError) as raised:
            stats.RateRatio(model=model, **settings)
        assert raised.value.code == code


def test_stat_2_a_horizon_does_not_merge_and_survives_its_bytes() -> None:
    one, other = stats.RateRatio(horizon=60), stats.RateRatio(horizon=60)
    for _ in range(5):
        one.update((1, 100), (3, 900))
    with pytest.raises(hotfix.StatsError) as raised:
        one.merge(other)
    assert raised.value.code == "HF-STAT-023"
    again = stats.RateRatio.from_bytes(one.to_bytes())
    assert again.evidence == one.evidence
    assert again.update((2, 100), (3, 900)) == one.update((2, 100), (3, 900))


def test_stat_2_bytes_from_before_there_were_limits_still_read() -> None:
    test = stats.RateRatio()
    test.update((3, 100), (3, 900))
    saved = json.loads(test.to_bytes())
    for name in ("temper", "cap", "threshold", "horizon"):
        del saved["settings"][name]
    assert stats.RateRatio.from_bytes(json.dumps(saved).encode()).evidence == test.evidence


def test_stat_4_an_interval_does_not_depend_on_limits() -> None:
    plain, limited = stats.RateRatio(), stats.RateRatio(temper=0.5, cap=0.6, horizon=60)
    for test in (plain, limited):
        for _ in range(20):
            test.update((4, 100), (6, 900))
    assert plain.evidence.interval == limited.evidence.interval
    assert plain.evidence.log_e > limited.evidence.log_e


def test_stat_2_strata_are_compared_with_their_own_kind() -> None:
    strata = [((30, 900), (33, 1000)), ((0, 100), (8, 8000))]
    test, sums, one = stats.RateRatio(), stats.RateRatio(), stats.RateRatio()
    evidence = test.update_strata(strata)
    assert not evidence.decided
    assert sums.update((30, 1000), (41, 9000)).decided
    assert evidence.log_e == stats.RateRatio().update_strata(strata[::-1]).log_e
    assert one.update_strata(strata[:1]) == stats.RateRatio().update(*strata[0])
    low, high = evidence.interval or (math.nan, math.nan)
    assert low < 1 < high
    with pytest.raises(TypeError, match="poisson"):
        stats.RateRatio(model="bernoulli").update_strata(strata)
    with pytest.raises(TypeError, match="stratum"):
        test.update_strata([((1, 2),)])  # type: ignore[list-item]


def test_stat_3_a_ceiling_for_tiny_rates() -> None:
    test = stats.Ceiling(0.005)
    assert test.clean_trials == 690
    assert stats.Ceiling(0.005, grid=[0.0]).clean_trials == 598
    assert test.threshold == pytest.approx(math.log(20))
    assert test.evidence.ratio is None
    evidence = test.update((0, 689))
    assert not evidence.decided
    assert evidence.interval is None
    other = stats.Ceiling(0.005)
    other.update((0, 1))
    assert test.merge(other).decided
    again = pickle.loads(pickle.dumps(test))
    assert again.evidence == test.evidence
    assert repr(test) == "<Ceiling 0.005, alpha 0.05, log_e 2.997>"
    for call in (lambda: stats.Ceiling(0.0), lambda: test.update((2, 1))):
        with pytest.raises(hotfix.StatsError):
            call()
    with pytest.raises(hotfix.StatsError) as raised:
        test.merge(stats.Ceiling(0.006))
    assert raised.value.code == "HF-STAT-017"


@pytest.mark.parametrize("value", [-1, 2**64, 10**400])
def test_field_3_a_whole_number_out_of_range_is_refused_with_the_range(value: int) -> None:
    calls: list[tuple[str, Any]] = [
        ("horizon", lambda: hotfix.stats.RateRatio(horizon=value)),
        ("subsets", lambda: hotfix.stats.Randomisation(["a", "b"], ["a"], subsets=value)),
        ("seed", lambda: hotfix.stats.Randomisation(["a", "b"], ["a"], seed=value)),
        ("evaluations", lambda: hotfix.stats.Randomisation(["a", "b"], ["a"], evaluations=[value])),
        ("ticks", lambda: hotfix.stats.calibrate({"a": [(1, 2)] * 100}, 0.1, value)),
        ("runs", lambda: hotfix.simulate(hotfix.Policy.preset("standard"), {}, value)),
    ]
    for parameter, call in calls:
        with pytest.raises(hotfix.InputError, match="is out of range: give 0 to") as caught:
            call()
        assert caught.value.code == "HF-IN-001"
        assert caught.value.__notes__ == [f"while processing '{parameter}'"]


def test_field_3_too_few_instances_are_named() -> None:
    with pytest.raises(hotfix.StatsError, match=r"at least `2` are needed: give more instances$"):
        hotfix.stats.BadInstance(["a"])
