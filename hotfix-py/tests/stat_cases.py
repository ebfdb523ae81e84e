"""How Python asks the statistics of the shared case files: `hotfix-core/tests/cases/{stat,kayenta}`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

import pytest

import hotfix
from hotfix import kayenta
from script import Case, File


def stat_case(case: Case, _file: File, name: str) -> None:
    """A test that is fed tick by tick, where the file's name is the test's; one look; or a figure that is asked for."""
    if name == "fixed":
        fixed_case(case)
        return
    if name in FIGURES:
        figure_case(case, name)
        return
    if name == "latency":
        latency_case(case)
        return
    settings: dict[str, Any] = case["settings"]
    test: Any
    if name == "ceiling":
        test = hotfix.stats.Ceiling(**settings)
    else:
        model = {"rate_ratio": "poisson", "bernoulli": "bernoulli"}[name]
        test = hotfix.stats.RateRatio(model=model, **settings)  # type: ignore[arg-type]
    evidence, decided_at = test.evidence, 0
    for tick, figures in enumerate(case["updates"] * case["repeat"], 1):
        evidence = test.update(*(tuple(figures[at : at + 2]) for at in range(0, len(figures), 2)))
        assert evidence.decided or decided_at == 0, "a decision was taken back"
        decided_at = decided_at or (tick if evidence.decided else 0)
    expect = case["expect"]
    assert math.isclose(evidence.log_e, expect["log_e"], rel_tol=1e-12, abs_tol=1e-12)
    assert math.isclose(evidence.p_value, expect["p_value"], rel_tol=1e-11)
    assert decided_at == expect["decided_at"]
    if "ratio" in expect:
        assert evidence.ratio is not None
        assert math.isclose(evidence.ratio, expect["ratio"], rel_tol=1e-14)
    else:
        assert evidence.ratio is None
    assert type(test).from_bytes(test.to_bytes()).evidence == evidence


SAMPLES: dict[str, Any] = {
    "$high": {"control": [10, 11, 12], "experiment": [20, 21, 22]},
    "$low": {"control": [20, 21, 22], "experiment": [10, 11, 12]},
    "$fine": {"control": [10, 11, 12], "experiment": [11, 10, 13]},
    "$none": {"control": [None, math.nan], "experiment": [1, 2]},
}


def near(got: Any, wanted: Any, tolerance: float) -> bool:
    if isinstance(wanted, list) and isinstance(got, list | tuple):
        return len(got) == len(wanted) and all(near(g, w, tolerance) for g, w in zip(got, wanted, strict=True))
    if isinstance(wanted, float) and isinstance(got, float | int):
        return abs(got - wanted) <= tolerance * max(abs(wanted), 1e-6)
    return bool(got == (None if wanted == "absent" else wanted))


def kayenta_case(case: Case, _file: File, name: str) -> None:
    """One metric, or a configuration with samples: `kayenta/classify.toml` and `judge.toml` describe the forms."""
    if name == "judge":
        kayenta_judge_case(case)
        return
    names = {"nanStrategy": "nan_strategy", "mustHaveData": "must_have_data", "effectSize": "effect_size"}
    settings = {names.get(key, key): value for key, value in case["settings"].items()}
    if "HF-KAY-010" in case["expect"].get("findings", []):
        # Python itself refuses an argument that is not there.
        with pytest.raises(TypeError, match="unexpected keyword"):
            kayenta.classify(case["control"], case["experiment"], **settings)
        return
    result = kayenta.classify(case["control"], case["experiment"], **settings)
    for key, wanted in case["expect"].items():
        arm, _, figure = key.partition("_")
        if key in ("says", "note"):
            got = (result.reason if key == "says" else result.note) or ""
            assert wanted in got, key
        elif key == "findings":
            assert [finding.code for finding in result.findings] == wanted
        else:
            got = result[arm][figure] if arm in ("control", "experiment") and figure else getattr(result, key)
            assert near(got, wanted, 1e-9 if key in ("interval", "estimate") else 1e-12), f"{key}: {got}"


def kayenta_judge_case(case: Case) -> None:
    text = case["samples"]
    for word in SAMPLES:
        text = text.replace(word, f'"{word}"')
    thresholds = (case.get("pass"), case.get("marginal"))
    if "error" in case:
        code, part = case["error"]
        for word, arms in SAMPLES.items():
            text = text.replace(f'"{word}"', json.dumps(arms))
        with pytest.raises(hotfix.KayentaError, match=re.escape(part)) as caught:
            kayenta.judge(case["config"], text, *thresholds)
        assert caught.value.code == code
        return
    samples: dict[str, Any] = json.loads(text)
    samples = {metric: SAMPLES[arms] if isinstance(arms, str) else arms for metric, arms in samples.items()}
    # As text, and as dicts.
    for config in (case["config"], json.loads(case["config"])):
        got = kayenta.judge(config, samples, *thresholds)
        for key, wanted in case["expect"].items():
            if key == "says":
                assert wanted in (got.reason or "")
            elif key == "groups":
                groups = [[group.name, group.score, group.weight] for group in got.groups]
                assert near(groups, wanted, 1e-12), groups
            elif key == "labels":
                labels = {metric.name: metric.classification for metric in got.metrics}
                assert {metric: labels[metric] for metric in wanted} == wanted
            elif key == "findings":
                assert sorted([finding.code, finding.path] for finding in got.findings) == sorted(wanted)
            else:
                assert near(getattr(got, key), wanted, 1e-12), key


def planned(case: Case) -> dict[str, float | None]:
    """Asks for a figure; the order of the arguments is that of the case file."""
    stats, of = hotfix.stats, case["of"]
    match case["ask"]:
        case "time_to_detect":
            time = stats.time_to_detect(*of)
            return {"bound": time.bound, "expected": time.expected}
        case "detectable_ratio":
            return {"ratio": stats.detectable_ratio(*of)}
        case "chance_to_decide":
            return {"chance": stats.chance_to_decide(*of).chance}
        case "chance_to_promote":
            requests, share, base, ratio, minutes, *rest = of
            return {"chance": stats.chance_to_promote(requests, share, base, minutes, ratio, *rest).chance}
        case "gate_pass_chance":
            return {"chance": stats.gate_pass_chance(*of)}
        case "fixed_horizon_ratio":
            return {"ratio": stats.fixed_horizon_ratio(*of)}
    raise AssertionError(f"nobody asks {case['ask']}")


def calibrated(case: Case) -> dict[str, float | None]:
    history = {
        f"pod-{pod:02}": [(int(digit), 40 + (7 * pod + tick) % 9) for tick, digit in enumerate(line)]
        for pod, line in enumerate(case["events"])
    }
    limits = hotfix.stats.calibrate(history, **case["settings"])
    names = ("threshold", "cap", "hold", "dispersion", "windows", "shards")
    return {name: value for name in names if (value := getattr(limits, name)) is not None}


FIGURES: dict[str, Callable[[Case], dict[str, float | None]]] = {"planning": planned, "calibration": calibrated}


def figure_case(case: Case, name: str) -> None:
    got = FIGURES[name](case)
    assert got.keys() == case["expect"].keys()
    for what, want in case["expect"].items():
        figure = got[what]
        assert figure is not None
        assert math.isclose(figure, want, rel_tol=1e-9), what


def latency_case(case: Case) -> None:
    """Requests slower than each boundary, as the buckets that say the same."""
    edges = list(range(1, case["boundaries"] + 1))
    test = hotfix.stats.Latency(edges, **case["settings"])
    evidence, decided_at = test.evidence, 0
    for tick, update in enumerate(case["updates"] * case["repeat"], 1):
        arms: list[dict[str, object]] = [
            {"le": edges, "counts": [update[f"of_{arm}"] - slow for slow in update[arm]], "count": update[f"of_{arm}"]}
            for arm in ("canary", "baseline")
        ]
        evidence = test.update(*arms)
        decided_at = decided_at or (tick if evidence.decided else 0)
    expect = case["expect"]
    assert math.isclose(evidence.log_e, expect["log_e"], rel_tol=1e-9, abs_tol=1e-9)
    assert math.isclose(evidence.p_value, expect["p_value"], rel_tol=1e-9)
    assert decided_at == expect["decided_at"]
    assert hotfix.stats.Latency.from_bytes(test.to_bytes()).evidence == evidence


def fixed_case(case: Case) -> None:
    """One look: `stat/fixed.toml` describes the form."""
    result = getattr(hotfix.stats, case["test"])(**case["arguments"])
    expect = case["expect"]
    for name, wanted in expect.items():
        got: Any = result if isinstance(result, tuple) else getattr(result, name)
        both = zip(got, wanted, strict=True) if isinstance(wanted, list) else [(got, wanted)]
        for value, reference in both:
            assert math.isclose(value, reference, rel_tol=case["near"]), name
    for name in case.get("absent", []):
        assert getattr(result, name) is None
        assert name not in result.to_dict()
