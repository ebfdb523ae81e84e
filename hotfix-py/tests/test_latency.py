"""``hotfix.stats.Latency``: the shared cases, readings of both forms, bytes and errors."""

import pickle
import tomllib
from pathlib import Path

import pytest

import hotfix
from hotfix.stats import Latency, latency_boundaries

CASES = Path(__file__).parents[2] / "hotfix-core/tests/cases/stat/latency.toml"


def buckets(edges: list[float], slow: list[float], count: float) -> dict[str, object]:
    return {"le": edges, "counts": [count - beyond for beyond in slow], "count": count}


def test_stat_1_latency_cases_come_out_in_python_as_they_say() -> None:
    cases = [
        # Prior trials are no option of the Python class; counts near 2^53 are told apart by slow counts only.
        case
        for case in tomllib.loads(CASES.read_text())["case"]
        if "prior_trials" not in case["settings"] and "huge" not in case["id"]
    ]
    assert len(cases) > 8
    for case in cases:
        edges = [0.1 * (k + 1) for k in range(case["boundaries"])]
        test = Latency(edges, **case["settings"])
        for update in case["updates"] * case["repeat"]:
            test.update(
                buckets(edges, update["canary"], update["of_canary"]),
                buckets(edges, update["baseline"], update["of_baseline"]),
            )
        want = case["expect"]
        assert test.evidence.log_e == pytest.approx(want["log_e"], rel=1e-11, abs=1e-11), case["id"]
        assert test.evidence.p_value == pytest.approx(want["p_value"], rel=1e-10), case["id"]
        assert test.evidence.decided == (want["decided_at"] > 0), case["id"]


def test_stat_1_samples_and_buckets_are_one() -> None:
    edges = [0.1, 0.3]
    by_buckets, by_samples = Latency(edges), Latency(edges)
    canary, baseline = [0.05, 0.2, 0.3, 0.9, 0.4], [0.05, 0.1, 0.2, 0.25, 0.1, 0.02]
    by_samples.update({"samples": canary}, {"samples": baseline})
    by_buckets.update(
        {"le": edges, "counts": [1, 3], "count": 5}, {"le": edges, "counts": [4, 6], "count": 6}
    )
    assert by_samples.evidence == by_buckets.evidence
    assert (by_samples.form, by_samples.boundaries) == ("joint", edges)


def test_roll_7_bytes_and_pickle_go_on() -> None:
    test = Latency([0.1, 0.3], cap=0.6, threshold=5.0)
    reading = {"samples": [0.05, 0.2, 0.35]}
    test.update(reading, {"samples": [0.05] * 9})
    copies = [Latency.from_bytes(test.to_bytes()), pickle.loads(pickle.dumps(test))]
    for copy in copies:
        copy.update(reading, {"samples": [0.05] * 9})
    test.update(reading, {"samples": [0.05] * 9})
    assert all(copy.evidence == test.evidence and copy.threshold == 5.0 for copy in copies)
    with pytest.raises(hotfix.StatsError) as refused:
        Latency.from_bytes(b"{}")
    assert refused.value.code == "HF-STAT-019"


@pytest.mark.parametrize(
    ("boundaries", "options", "code"),
    [
        ([], {}, "HF-STAT-014"),
        ([0.2, 0.1], {}, "HF-STAT-054"),
        ([0.1], {"cap": 0.0}, "HF-STAT-016"),
        ([0.1], {"threshold": -1.0}, "HF-STAT-025"),
        ([0.1], {"tolerated": 0.5}, "HF-STAT-011"),
    ],
)
def test_field_5_settings_are_refused_with_their_code(
    boundaries: list[float], options: dict[str, float], code: str
) -> None:
    with pytest.raises(hotfix.StatsError) as refused:
        Latency(boundaries, **options)  # type: ignore[arg-type]
    assert refused.value.code == code


def test_field_5_readings_are_refused_with_their_code() -> None:
    test = Latency([0.1, 0.3])
    good = {"samples": [0.2]}
    bad: list[tuple[dict[str, object], str]] = [
        ({"le": [0.1, 0.2], "counts": [1, 1], "count": 2}, "HF-STAT-053"),
        ({"le": [0.1, 0.3], "counts": [2, 1], "count": 2}, "HF-STAT-052"),
        ({"samples": [-0.1]}, "HF-STAT-003"),
    ]
    for reading, code in bad:
        with pytest.raises(hotfix.StatsError) as refused:
            test.update(reading, good)
        assert refused.value.code == code
    assert test.evidence.log_e == 0.0
    with pytest.raises(hotfix.StatsError) as none:
        latency_boundaries({"samples": []})
    assert none.value.code == "HF-STAT-051"
