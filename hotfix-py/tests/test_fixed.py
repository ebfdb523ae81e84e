"""`hotfix.stats`: tests and intervals for one look."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import hotfix
from hotfix import stats

FAST = [1.2, 0.4, 0.9, 1.1, 0.7, 2.0, 1.9, 0.3, 0.8, 1.6]
SLOW = [1.4, 2.2, 0.6, 3.1, 1.7, 2.7, 1.5, 4.0, 1.3, 2.4]


class Series:
    """An array of another library: no sequence, no buffer, but it can be iterated."""

    def __init__(self, values: list[float]) -> None:
        self.values = values

    def __iter__(self) -> Iterator[float]:
        return iter(self.values)


@pytest.mark.parametrize("kind", [list, tuple, lambda v: array("d", v), lambda v: memoryview(array("d", v)), Series])
def test_stat_1_samples_come_as_they_are(kind: Callable[[list[float]], Any]) -> None:
    x, y = kind(SLOW), kind(FAST)
    assert stats.mann_whitney_u(x, y) == stats.mann_whitney_u(SLOW, FAST)
    assert stats.ks_2samp(x, y) == stats.ks_2samp(SLOW, FAST)
    assert stats.hodges_lehmann(x, y) == stats.hodges_lehmann(SLOW, FAST)
    counts = kind([3, 4, 5])
    assert stats.mann_whitney_from_counts(counts, kind([5, 4, 3])).u == pytest.approx(88)


def test_stat_1_other_numbers_are_read_one_by_one() -> None:
    whole = array("i", [1, 5, 7])
    assert stats.mann_whitney_u(whole, array("f", [2.0, 2.5])).u == 4
    assert stats.hodges_lehmann([1, 5, 7], array("i", [0])).shift == 5


def test_stat_4_a_result_is_a_document() -> None:
    test = stats.mann_whitney_u(SLOW, FAST, alternative="greater")
    assert test.to_dict() == {
        "u": test.u,
        "p_value": test.p_value,
        "common_language": test.common_language,
        "rank_biserial": test.rank_biserial,
        "exact": False,
        "assumptions": [],
    }
    assert test["u"] == test.u == 81
    assert repr(test).startswith("MannWhitney({")
    assert test.rank_biserial == pytest.approx(2 * test.common_language - 1)
    with pytest.raises(AttributeError):
        test.u = 1.0  # type: ignore[misc]


def test_stat_4_infinite_and_absent_are_told_apart() -> None:
    only_canary, neither = stats.fisher_exact((1, 9), (0, 9)), stats.fisher_exact((0, 9), (0, 9))
    assert only_canary.odds_ratio == math.inf
    assert neither.odds_ratio is None
    assert (neither.p_value, neither.assumptions) == (1.0, ["small_expected", "sparse"])
    assert "odds_ratio" not in neither
    assert only_canary["odds_ratio"] is None  # JSON has no word for infinite
    rates = stats.poisson_ratio((1, 9.0), (0, 9.0))
    assert (rates.ratio, rates.interval[1]) == (math.inf, math.inf)
    assert stats.hodges_lehmann([1.0], [2.0]).interval == (-math.inf, math.inf)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: stats.mann_whitney_u([], FAST), "HF-STAT-040"),
        (lambda: stats.ks_2samp(FAST, [math.nan]), "HF-STAT-048"),
        (lambda: stats.hodges_lehmann(FAST, [math.inf]), "HF-STAT-048"),
        (lambda: stats.mann_whitney_u(FAST, FAST, method="exact"), "HF-STAT-045"),
        (lambda: stats.ks_from_counts([1, 2], [1]), "HF-STAT-046"),
        (lambda: stats.mann_whitney_from_counts([1.5], [1]), "HF-STAT-042"),
        (lambda: stats.fisher_exact((0, 0), (1, 9)), "HF-STAT-041"),
        (lambda: stats.fisher_exact((1e15, 2e15), (1e15, 2e15)), "HF-STAT-044"),
        (lambda: stats.poisson_ratio((1, 9), (1, 9), ratio=0), "HF-STAT-047"),
        (lambda: stats.clopper_pearson(3, 2), "HF-STAT-004"),
        (lambda: stats.newcombe((1, 2), (1, 2), confidence=1), "HF-STAT-021"),
        (lambda: stats.non_inferiority((1, 9), (1, 9), -0.1, scale="difference"), "HF-STAT-043"),
        (lambda: stats.non_inferiority((1, 9), (1, 9), 0.0), "HF-STAT-012"),
        (lambda: stats.equivalence((1, 9), (1, 9), 1.0), "HF-STAT-049"),
    ],
)
def test_field_3_what_is_no_test_is_refused(call: Callable[[], object], code: str) -> None:
    with pytest.raises(hotfix.StatsError) as caught:
        call()
    assert caught.value.code == code


def test_stat_1_names_are_a_closed_set() -> None:
    with pytest.raises(hotfix.InputError, match="two-sided, less, greater"):
        stats.mann_whitney_u(FAST, SLOW, alternative="larger")  # type: ignore[arg-type]
    with pytest.raises(hotfix.InputError, match="auto, asymptotic, exact"):
        stats.ks_2samp(FAST, SLOW, method="asymp")  # type: ignore[arg-type]
    with pytest.raises(hotfix.InputError, match="ratio, difference"):
        stats.equivalence((1, 9), (1, 9), 2.0, scale="odds")  # type: ignore[arg-type]
    with pytest.raises(hotfix.InputError):
        stats.mann_whitney_u("abc", FAST)
