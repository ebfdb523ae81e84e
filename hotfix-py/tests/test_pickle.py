"""Values survive pickling; rollouts say why they do not."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator

import pytest

import hotfix
from story import Story, failing, healthy


def values() -> Iterator[object]:
    story = Story().start()
    outcome = story.observe(healthy)
    story.run_until("rolling_back", failing)
    rollout = story.rollout
    plan = rollout.plan
    yield from (plan.policy, plan, plan.phases[0], plan.methods[0])
    yield from (outcome, rollout.pending_actions()[0], rollout.verdict, rollout.verdict.causes[0])
    yield from (rollout.verdict.metrics["bug"], rollout.verdict.efficacy, rollout.evidence("error_rate"))
    audit = hotfix.audit(rollout.log()[:-10])
    yield from (audit, audit.findings[0], hotfix.stats.RateRatio().update((3, 100), (5, 900)))
    config = {"metrics": [{"name": "errors", "groups": ["all"]}], "verson": 1}
    judgement = hotfix.kayenta.judge(config, {"errors": {"control": [1, 2], "experiment": [3, 4.5]}}, 75, 50)
    yield from (judgement, judgement.groups[0], judgement.metrics[0], judgement.findings[0])
    few, more = [1.0, 3.0], [2.0, 4.0, 4.0]
    yield from (hotfix.stats.mann_whitney_u(few, more), hotfix.stats.ks_2samp(few, more))
    yield hotfix.stats.hodges_lehmann(few, more)  # infinite ends
    yield from (hotfix.stats.fisher_exact((1, 9), (0, 9)), hotfix.stats.fisher_exact((0, 9), (0, 9)))
    yield from (hotfix.stats.poisson_ratio((1, 9.0), (0, 9.0)), hotfix.stats.poisson_ratio((0, 9.0), (0, 9.0)))
    both = hotfix.stats.equivalence((1, 9), (2, 9), 2.0)
    yield from (both, both.not_worse)
    yield from (hotfix.stats.time_to_detect(1000, 0.1, 0.003, ratio) for ratio in (1, 5))  # one is infinite


VALUES = list(values())


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_survive_pickling_and_copying(value: object) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(value, protocol))
        assert again == value
        assert hash(again) == hash(value)
        assert repr(again) == repr(value)
    assert copy.deepcopy(value) == value


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_are_of_public_classes(value: object) -> None:
    cls = type(value)
    module = {"hotfix.stats": hotfix.stats, "hotfix.kayenta": hotfix.kayenta}.get(cls.__module__, hotfix)
    assert getattr(module, cls.__name__) is cls
    assert value != object()


def test_a_test_goes_on_after_pickling() -> None:
    test = hotfix.stats.RateRatio()
    test.update((3, 100), (5, 900))
    again = pickle.loads(pickle.dumps(test))
    assert again.update((3, 100), (5, 900)) == test.update((3, 100), (5, 900))


def test_errors_survive_pickling() -> None:
    with pytest.raises(hotfix.PolicyError) as policy:
        hotfix.Policy.from_toml("x = 1")
    with pytest.raises(hotfix.Refused) as refused:
        Story().start().input({"kind": "start", "by": "lena"})
    for error in (policy.value, refused.value):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert vars(again) == vars(error)


def test_a_rollout_is_taken_up_from_its_log() -> None:
    rollout = Story().start().rollout
    for use in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="replay its log"):
            use(rollout)
