"""Laws over made-up values: round trips, observations of any shape, replay of any prefix."""

from __future__ import annotations

import json
import pickle
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hotfix
from story import INCIDENT, Story, make_plan

settings.register_profile("repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("repeatable")

numbers = st.one_of(st.integers(-3, 2000), st.floats(), st.floats(0, 1e6))
counts = st.lists(st.integers(0, 1000), min_size=2, max_size=2).map(sorted)
nonsense = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=5), st.binary(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)
readings = st.one_of(
    counts,
    numbers,
    st.lists(numbers, max_size=3),
    st.fixed_dictionaries(
        {"le": st.lists(numbers, max_size=4), "counts": st.lists(numbers, max_size=4), "count": numbers}
    ),
    st.fixed_dictionaries({"samples": st.lists(numbers, max_size=5)}),
    st.dictionaries(st.text(max_size=6), counts, max_size=3),
    nonsense,
)
METRICS = ["error_rate", "payment_success", "latency_p95", "request_volume", "bug", "nothing", "No Name"]
observations = st.one_of(
    st.dictionaries(
        st.sampled_from(METRICS),
        st.one_of(
            st.dictionaries(st.sampled_from(["canary", "baseline", "totals", "canry"]), readings, max_size=3), nonsense
        ),
        max_size=5,
    ),
    nonsense,
)


@given(st.lists(observations, max_size=8))
def test_no_observation_breaks_a_rollout(stream: list[Any]) -> None:
    story = Story().start()
    for metrics in stream:
        at = story.at = story.at + timedelta(seconds=10)
        head = story.rollout.head
        try:
            outcome = story.rollout.observe(at, metrics)
        except hotfix.Refused as refused:
            story.lines += refused.events
        except (hotfix.InputError, TypeError, UnicodeEncodeError):
            assert story.rollout.head == head
        else:
            story.lines += outcome.events
    assert story.rollout.log() == "".join(story.lines)
    assert hotfix.audit(story.rollout.log(), story.rollout.head).clean


@given(observations)
def test_observe_and_handle_read_alike(metrics: Any) -> None:
    def outcome(of: Story, *, by_handle: bool) -> object:
        at = of.at + timedelta(seconds=10)
        try:
            if by_handle:
                return of.rollout.handle(at, {"kind": "observe", "metrics": metrics}).to_dict()
            return of.rollout.observe(at, metrics).to_dict()
        except hotfix.Error as error:
            # Without an object of metrics, one says that it is missing and the other that it is none.
            return type(error), error.code if isinstance(metrics, dict) else None
        except (TypeError, UnicodeEncodeError) as error:
            return type(error)

    one, other = (outcome(Story().start(), by_handle=by_handle) for by_handle in (False, True))
    if isinstance(metrics, dict):
        assert one == other


@given(st.lists(observations, max_size=6), st.data())
def test_any_prefix_of_a_log_replays(stream: list[Any], data: st.DataObject) -> None:
    story = Story().start()
    for metrics in stream:
        try:
            story.observe(lambda _, metrics=metrics: metrics)  # type: ignore[misc]
        except hotfix.Refused as refused:
            story.lines += refused.events
        except (hotfix.InputError, TypeError, UnicodeEncodeError):
            pass
    count = data.draw(st.integers(1, len(story.lines)))
    prefix = "".join(story.lines[:count])
    assert hotfix.Rollout.replay(prefix).log() == prefix
    cut = prefix.encode()
    cut = cut[: data.draw(st.integers(len(story.lines[0].encode()), len(cut)))]
    recovered = hotfix.Rollout.recover(cut)
    assert recovered.recovered_length is not None
    assert recovered.recovered_length + recovered.dropped == len(cut)
    assert recovered.log().encode() == cut[: recovered.recovered_length]


@given(nonsense)
def test_no_input_breaks_a_rollout(input: Any) -> None:
    story = Story()
    for document in (input, {"kind": "note", "by": "lena", "text": input}):
        with suppress(hotfix.Error, TypeError, UnicodeEncodeError):
            story.input(document)
    assert story.rollout.state == "drafted"
    assert story.make_ready().rollout.state == "ready"


@given(st.datetimes(datetime(2001, 9, 11), datetime(9999, 12, 30), timezones=st.timezones()))
def test_times_are_read_to_the_millisecond_in_any_zone(at: datetime) -> None:
    utc = at.astimezone(UTC)
    text = f"{utc:%H:%M:%S}.{utc.microsecond // 1000:03}Z"
    step = make_plan().timeline(at)[0]
    assert step["at"] == f"{utc.year:04}-{utc:%m-%d}T{text}"
    rollout = hotfix.Rollout(make_plan())
    rollout.handle(at, {"kind": "note", "by": "lena", "text": "on it"})
    assert rollout.now == utc.replace(microsecond=utc.microsecond // 1000 * 1000)


facts = st.fixed_dictionaries(
    {},
    optional={
        "service_down": st.booleans(),
        "users_affected": st.floats(0, 1),
        "latency_p95": st.floats(0.001, 1e6),
        "preceding_deploy": st.text(max_size=5),
    },
)


@given(facts, st.text(min_size=1, max_size=20).filter(str.strip))
def test_plans_survive_pickling_and_dicts(facts: dict[str, Any], title: str) -> None:
    incident = {**INCIDENT, "facts": facts, "title": title}
    policy = hotfix.Policy.preset("phased-canary")
    plan = policy.plan(incident, {"version": "2", "previous": "1"})
    assert pickle.loads(pickle.dumps(plan)) == plan
    document = json.loads(json.dumps(plan.to_dict()))
    again = hotfix.Policy.from_json(json.dumps(document["policy"])).plan(document["incident"], document["release"])
    assert again == plan
    assert again.digest == plan.digest


@given(st.lists(st.tuples(counts, counts), max_size=20))
def test_a_test_survives_bytes_at_every_look(ticks: list[tuple[list[int], list[int]]]) -> None:
    for model in ("poisson", "bernoulli"):
        whole = hotfix.stats.RateRatio(model=model)
        saved = hotfix.stats.RateRatio(model=model)
        for canary, baseline in ticks:
            evidence = whole.update(canary, baseline)
            assert saved.update(canary, baseline) == evidence
            assert 0 < evidence.p_value <= 1
            interval = evidence.interval
            assert interval is None or interval[0] <= interval[1]
            saved = hotfix.stats.RateRatio.from_bytes(saved.to_bytes())
