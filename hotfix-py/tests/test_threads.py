"""Objects may be shared between threads; calls wait for each other."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

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
    assert hotfix.audit(rollout.log(), rollout.head).clean
    assert sorted(lines) == sorted(rollout.log().splitlines(keepends=True)[len(story.lines) :])


def test_a_rollout_does_not_wait_for_its_report() -> None:
    story, asked = Story().start(), 0
    for _ in range(100):
        story.observe(healthy)
    with ThreadPoolExecutor(1) as pool:
        report = pool.submit(story.rollout.report, "html")
        while not report.done():
            assert story.rollout.head
            asked += 1
    assert asked > 20


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


@pytest.mark.parametrize("name", ["Randomisation", "BadInstance"])
def test_a_count_may_call_back_into_the_test_that_takes_it(name: str) -> None:
    # A lock held while the caller's code runs waits for itself, which no signal ends: so in a process of its own.
    script = f"""
from hotfix import stats
names = [f"pod-{{pod:02}}" for pod in range(20)]
test = stats.Randomisation(names, names[:10]) if {name!r} == "Randomisation" else stats.{name}(names)
class Callback:
    def __float__(self):
        test.update({{names[0]: (1, 100)}})
        return 3.0
test.update({{names[0]: (Callback(), 100)}})
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


class Growing(dict[str, Any]):
    """A dict to which its own values add, as another thread would while one of them is read."""

    def grow(self) -> None:
        self[f"more_{len(self)}"] = [0, 1]


def count_in(live: Growing) -> object:
    class Count:
        def __float__(self) -> float:
            live.grow()
            return 1.0

    return Count()


def document_in(live: Growing) -> object:
    class Document:
        def to_dict(self) -> dict[str, object]:
            live.grow()
            return {}

    return Document()


def duration_in(live: Growing) -> timedelta:
    class Duration(timedelta):
        def total_seconds(self) -> float:
            live.grow()
            return 60.0

    return Duration()


def test_a_dict_that_changes_while_it_is_read_is_read_as_it_was() -> None:
    story = Story().start()
    at = story.at + timedelta(seconds=1)
    delivers: list[Callable[[Any], hotfix.Outcome]] = [
        lambda metrics: story.rollout.observe(at, metrics),
        lambda metrics: story.rollout.handle(at, {"kind": "observe", "metrics": metrics}),
    ]
    for deliver in delivers:
        pods = Growing()
        pods |= {"a": [count_in(pods), 100], "b": [0, 100]}
        line = deliver({"error_rate": {"canary": pods}}).events[0]
        assert json.loads(line)["metrics"] == {"error_rate": {"canary": {"a": [1, 100], "b": [0, 100]}}}
        # The second time the metrics are those of the last, and are read in place.
        for _ in range(2):
            metrics = Growing()
            metrics |= {"bug": {"canary": [count_in(metrics), 60]}, "error_rate": {"canary": [0, 100]}}
            line = deliver(metrics).events[0]
            assert json.loads(line)["metrics"].keys() == {"bug", "error_rate"}


def test_a_document_that_changes_while_it_is_read_is_read_as_it_was() -> None:
    policy = hotfix.Policy.preset("enterprise")
    incident, history = Growing(id="INC-1"), Growing()
    incident["facts"] = document_in(incident)
    assert policy.plan(incident, {"version": "2", "previous": "1"}).incident["id"] == "INC-1"
    facts = Growing()
    facts |= {"latency_p95": duration_in(facts), "service_down": True}
    assert policy.classify(facts).act_on == "P0"
    for pod in range(4):
        history[f"pod_{pod}"] = [(count_in(history), 100)] * 3 + [(0, 100)] * 60
    assert hotfix.stats.calibrate(history, share=0.25, ticks=10) is not None


def test_a_list_that_becomes_shorter_while_it_is_read_counts_as_it_was() -> None:
    story = Story().start()

    class Count:
        def __init__(self, of: list[object]) -> None:
            self.of = of

        def __float__(self) -> float:
            self.of.clear()
            return 1.0

    pair: list[Any] = []
    pair += [Count(pair), 100]
    outcome = story.rollout.observe(story.at, {"error_rate": {"canary": pair}})
    assert '"canary":[1,100]' in outcome.events[0]
