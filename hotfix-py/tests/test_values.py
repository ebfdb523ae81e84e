"""Values as Python has them: numbers of other libraries, times, and what is no value of a document."""

from __future__ import annotations

import ctypes
import json
from datetime import timedelta
from typing import Any

import pytest

import hotfix
from hotfix import kayenta, stats
from story import Story

AT = "2026-03-03T14:40:00Z"
INCIDENT = {"id": "INC-1", "severity": "P1"}
RELEASE = {"version": "2", "previous": "1"}


def preset() -> hotfix.Policy:
    return hotfix.Policy.preset("enterprise")


def rollout() -> hotfix.Rollout:
    made = hotfix.Rollout(hotfix.Policy.preset("standard").plan(INCIDENT, RELEASE))
    made.handle(AT, {"kind": "note", "by": "lena", "text": "x"})
    return made


def big_endian(*numbers: float) -> Any:
    return (ctypes.c_double.__ctype_be__ * len(numbers))(*numbers)


def test_buffers_of_the_other_byte_order_are_read_right() -> None:
    story = Story().start()
    latency = {"le": big_endian(0.1, 0.5), "counts": big_endian(7, 9), "count": 10}
    metrics = {"error_rate": {"canary": big_endian(50, 100)}, "latency_p95": {"canary": latency}}
    read = json.loads(story.rollout.observe(story.at + timedelta(seconds=1), metrics).events[0])["metrics"]
    assert read["error_rate"]["canary"] == [50, 100]
    assert read["latency_p95"]["canary"] == {"le": [0.1, 0.5], "counts": [7, 9], "count": 10}
    numbers = [5.0, 6.0, 7.0, 8.0]
    assert stats.latency_boundaries({"samples": big_endian(*numbers)}) == stats.latency_boundaries({"samples": numbers})
    assert stats.hodges_lehmann(big_endian(1, 2, 3), [0.0, 1.0, 2.0]).shift == 1.0
    assert stats.ks_2samp(big_endian(*numbers), numbers).statistic == 0.0
    assert kayenta.classify(big_endian(*numbers), numbers).classification == "Pass"


def test_sets_and_bytes_are_no_numbers() -> None:
    wrongs: list[Any] = [{1, 10}, frozenset({1, 10}), b"\x01\x0a", bytearray(b"\x01\x0a"), {1: 2, 10: 3}, "12"]
    for wrong in wrongs:
        with pytest.raises(TypeError, match="counts are two numbers"):
            stats.fisher_exact(wrong, (1, 10))
        with pytest.raises(hotfix.InputError):
            stats.ks_2samp(wrong, [1.0, 2.0])
        with pytest.raises(hotfix.KayentaError):
            kayenta.classify(wrong, [1.0, 2.0])
        with pytest.raises(hotfix.InputError):
            rollout().observe(AT, {"latency_p95": {"canary": {"samples": wrong}}})
