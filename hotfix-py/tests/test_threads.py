"""Objects may be shared between threads; calls wait for each other."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

import hotfix
from story import Story, healthy


def test_observations_from_many_threads_make_one_whole_log() -> None:
    story = Story().start()
    rollout, metrics = story.rollout, healthy(0.1)

    def observe(_: int) -> list[str]:
        return rollout.observe(story.at + timedelta(seconds=1), metrics).events

    with ThreadPoolExecutor(8) as pool:
        lines = [line for events in pool.map(observe, range(200)) for line in events]
    assert hotfix.audit(rollout.log(), rollout.head).is_clean
    assert sorted(lines) == sorted(rollout.log().splitlines(keepends=True)[len(story.lines) :])


def test_a_reading_may_call_back_into_its_rollout() -> None:
    story = Story().start()
    at = story.at + timedelta(seconds=1)

    class Callback:
        def __float__(self) -> float:
            story.rollout.observe(at, {"error_rate": {"canary": [1, 100]}})
            return 3.0

    outcome = story.rollout.observe(at, {"error_rate": {"canary": [Callback(), 1000]}})
    assert json.loads(outcome.events[0])["metrics"] == {"error_rate": {"canary": [3, 1000]}}
    assert json.loads(outcome.events[0])["seq"] == json.loads(story.lines[-1])["seq"] + 2


@pytest.mark.parametrize("name", ["Randomisation", "LeaveOneOut", "BadInstance"])
def test_a_count_may_call_back_into_the_test_that_takes_it(name: str) -> None:
    # A lock held while the caller's code runs waits for itself, which no signal ends: so in a process of its own.
    script = f"""
from hotfix import stats
names = [f"pod-{{pod:02}}" for pod in range(20)]
live = [(0, 900)] if {name!r} == "LeaveOneOut" else []
test = stats.Randomisation(names, names[:10]) if {name!r} == "Randomisation" else stats.{name}(names)
class Callback:
    def __float__(self):
        test.update({{names[0]: (1, 100)}}, *live)
        return 3.0
test.update({{names[0]: (Callback(), 100)}}, *live)
print("taken")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("taken\n", "")


def test_merging_in_both_directions_does_not_lock_up() -> None:
    one, other = hotfix.stats.RateRatio(), hotfix.stats.RateRatio()
    one.update((1, 100), (1, 900))
    other.update((1, 100), (1, 900))
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(lambda n: one.merge(other) if n % 2 else other.update((0, 10), (0, 90)), range(200)):
            pass
