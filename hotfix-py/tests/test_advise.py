"""POST-5: advice; and the shared cases of simulations, comparisons and advice (`simulate/simulate.toml`)."""

from __future__ import annotations

import pickle
import tomllib
from pathlib import Path
from typing import Any

import pytest
from test_corpus import ABSENT, CASES, standing

import hotfix

Case = dict[str, Any]
FOLDER = CASES / "simulate"
SCENARIOS: list[dict[str, Any]] = [
    {"until": "4h"},
    {"until": "4h", "faults": [{"kind": "errors", "times": 10.0}]},
]
AXES: list[dict[str, Any]] = [{"path": "/phases/0/share", "values": ["5%", "20%"]}]


def policy_of(name: str) -> hotfix.Policy:
    """A file, a text or a preset."""
    if "\n" in name:
        return hotfix.Policy.from_toml(name)
    return hotfix.Policy.from_toml((FOLDER / name).read_text()) if Path(name).suffix else hotfix.Policy.preset(name)


@pytest.fixture(scope="module")
def policy() -> hotfix.Policy:
    return policy_of("../../policies/simulated.toml")


def cases(what: str) -> list[Any]:
    file = tomllib.loads((FOLDER / f"{what}.toml").read_text())
    return [pytest.param(what, case, id=case["id"]) for case in file["case"]]


def run(what: str, case: Case) -> Any:
    policy = policy_of(case["policy"])
    if what == "advise":
        question = dict(case["question"])
        asked = question.pop("scenarios"), question.pop("axes", None), question.pop("runs")
        return hotfix.advise(policy, *asked, **question).to_dict()
    seed, runs = case.get("seed", 0), case["runs"]
    if what == "simulate":
        return hotfix.simulate(policy, case["scenario"], runs, seed=seed)
    return hotfix.compare(policy, policy_of(case["second"]), case["scenario"], runs, seed=seed)


@pytest.mark.parametrize(("what", "case"), [*cases("simulate"), *cases("compare"), *cases("advise")])
def test_post_5_shared_cases_come_out_as_they_say(what: str, case: Case) -> None:
    if "error" in case:
        with pytest.raises(hotfix.SimulationError) as caught:
            run(what, case)
        first = caught.value.errors[0]
        assert [first.code, first.path] == case["error"]
        return
    answer = run(what, case)

    def found(pointer: str) -> Any:
        return standing(answer, [step.replace("~1", "/") for step in pointer.split("/")[1:]])

    looks = [*case.get("at", []), *case.get("count", []), *case.get("says", []), *case.get("absent", [])]
    assert looks, "it looks at nothing"
    for pointer, expected in case.get("at", []):
        assert found(pointer) == expected, pointer
    for pointer, expected in case.get("count", []):
        assert len(found(pointer)) == expected, pointer
    for pointer, part in case.get("says", []):
        assert part in found(pointer), pointer
    for pointer in case.get("absent", []):
        assert found(pointer) in (ABSENT, None), pointer


def test_post_5_advice_is_the_same_on_any_number_of_threads(policy: hotfix.Policy) -> None:
    found = [hotfix.advise(policy, SCENARIOS, AXES, 150, seed=5, threads=threads) for threads in (1, 2, 7, None)]
    assert all(advice == found[0] for advice in found)
    assert hotfix.advise(policy, SCENARIOS, AXES, 150, seed=6) != found[0]


def test_post_5_advice_has_typed_attributes_and_is_a_document(policy: hotfix.Policy) -> None:
    advice = hotfix.advise(policy, SCENARIOS, AXES, 60, bound="20%", seed=11)
    assert (advice.most_false_rollbacks, advice.runs, len(advice.candidates)) == (0.2, 60, 3)
    as_it_is, low, _ = advice.candidates
    assert (as_it_is.changes, low.changes) == ({}, {"/phases/0/share": "5%"})
    assert (as_it_is.not_tried, as_it_is.keeps) == (None, as_it_is.at_most <= 0.2)
    assert (as_it_is.false_rollbacks["of"], as_it_is.missed_faults["of"], as_it_is.completed["of"]) == (60, 60, 120)
    assert advice.best is not None
    best = advice.candidates[advice.best]
    means = [other.affected["mean"] for other in advice.candidates if other.keeps]
    assert best.affected["mean"] == min(mean for mean in means if mean is not None)
    assert advice.to_dict()["candidates"][1] == low.to_dict()
    assert advice.to_markdown().splitlines()[0].startswith("| policy | false rollbacks |")
    assert len(advice.to_markdown().splitlines()) == 5
    # After one run intervals are unbounded, which JSON writes as null.
    for each in (advice, hotfix.advise(policy, SCENARIOS, AXES, 1)):
        assert pickle.loads(pickle.dumps(each)) == each
    assert hash(pickle.loads(pickle.dumps(advice))) == hash(advice)


def test_post_5_progress_of_advice_is_told_to_the_end(policy: hotfix.Policy) -> None:
    told: list[tuple[int, int]] = []
    hotfix.advise(policy, SCENARIOS, AXES, 100, progress=lambda done, runs: told.append((done, runs)))
    assert told[-1] == (300, 300)
    assert [done for done, _ in told] == sorted(done for done, _ in told)

    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hotfix.advise(policy, SCENARIOS, AXES, 100_000, progress=stop)


def test_post_5_scenarios_may_be_text_and_any_sequences(policy: hotfix.Policy) -> None:
    texts = ('until = "4h"', '{"until": "4h", "faults": [{"kind": "errors", "times": 10.0}]}')
    axes = tuple({**axis, "values": tuple(axis["values"])} for axis in AXES)
    assert hotfix.advise(policy, texts, axes, 9) == hotfix.advise(policy, SCENARIOS, AXES, 9)


@pytest.mark.parametrize(
    ("asked", "code", "path"),
    [
        ({"axes": [{"path": "/phasse/0", "values": [1]}]}, "HF-SIM-009", "/axes/0/path"),
        ({"axes": []}, "HF-SIM-012", "/axes"),
        ({"axes": {"path": "/phases/0/share", "values": [1]}}, "HF-SIM-004", "/axes"),
        ({"axes": [{"path": "/phases/0/share", "values": 0.1}]}, "HF-SIM-004", "/axes/0/values"),
        ({"axes": [{"path": "/phases/0/share", "values": []}]}, "HF-SIM-012", "/axes/0/values"),
        ({"bound": -0.1}, "HF-SIM-004", "/bound"),
        ({"bound": 1.1}, "HF-SIM-004", "/bound"),
        ({"runs": 0}, "HF-SIM-006", "/runs"),
        ({"runs": -1}, "HF-SIM-006", "/runs"),
        ({"seed": 2**53 + 1}, "HF-SIM-006", "/seed"),
        ({"scenarios": {}}, "HF-SIM-004", "/scenarios"),
        ({"scenarios": 'until = "4h"'}, "HF-SIM-004", "/scenarios"),
        ({"scenarios": []}, "HF-SIM-012", "/scenarios"),
        ({"scenarios": [{}, {"sed": 1}]}, "HF-SIM-002", "/scenarios/1/sed"),
        ({"scenarios": [object()]}, "HF-SIM-004", "/scenarios/0"),
    ],
)
def test_post_5_a_bad_question_has_its_code_and_place(
    policy: hotfix.Policy, asked: dict[str, Any], code: str, path: str
) -> None:
    question = {"scenarios": SCENARIOS, "axes": AXES, "runs": 1, **asked}
    with pytest.raises(hotfix.SimulationError) as caught:
        hotfix.advise(policy, **question)
    assert (caught.value.code, caught.value.path) == (code, path)


def test_post_5_what_is_no_policy_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        hotfix.advise("standard", SCENARIOS, AXES, 1)  # type: ignore[arg-type]
