"""docs/how-to/prometheus.md, calibrate.md and opentelemetry.md: readings from what other programs send."""

from __future__ import annotations

import itertools
import json
import shutil
import socket
import struct
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import hotfix
from guides import load, of, serving
from story import make_plan

PROTOBUF = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"

Rows = list[dict[str, Any]]


def row(value: float, **labels: str) -> dict[str, Any]:
    return {"metric": labels, "value": [1.0, str(value)]}


@pytest.fixture
def source(folder: Path) -> Any:
    assert folder.exists()
    return load("prometheus_source").Source("http://none.invalid", "2.3.1", "2.3.0", scrape=1.0)


def test_met_6_an_instance_without_errors_has_zero_and_an_absent_one_is_absent(source: Any) -> None:
    requests = [row(100, version="2.3.1", instance="a"), row(900, version="2.3.0", instance="b")]
    errors = [row(3, version="2.3.0", instance="b")]
    assert source.counts(errors, requests) == {
        "canary": {"a": [0.0, 100.0]},
        "baseline": {"b": [3.0, 900.0]},
        "totals": True,
    }
    assert source.counts(errors, requests[:1]) == {"canary": {"a": [0.0, 100.0]}, "totals": True}
    assert source.counts([], []) == {}


def test_met_6_a_restart_adds_what_the_instance_has_counted_since(source: Any) -> None:
    def buckets(instance: str, fast: float, all: float) -> Rows:
        labels = {"version": "2.3.1", "instance": instance}
        return [row(fast, le="0.25", **labels), row(all, le="+Inf", **labels)]

    assert source.latency(buckets("a", 90, 100) + buckets("b", 9, 10)) == {}
    added = source.latency(buckets("a", 180, 210) + buckets("b", 10, 8))  # `b` began again
    assert added == {"canary": {"le": [0.25], "counts": [100.0], "count": 118.0}}


def test_field_3_a_query_that_is_not_answered_hides_no_other(
    source: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def query(text: str, _: float) -> Rows:
        if "_bucket" in text:
            raise TimeoutError
        return [row(5 if "5.." in text else 100, version="2.3.1", instance="a")]

    monkeypatch.setattr(source, "query", query)
    assert source.read(100.0) == {"error_rate": {"canary": {"a": [5.0, 100.0]}, "totals": True}}
    assert capsys.readouterr().out == "no latency_p95: TimeoutError()\n"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def exposition(errors: int, requests: int, fast: int) -> str:
    return (
        f'http_requests_total{{job="payments",code="200"}} {requests - errors}\n'
        + (f'http_requests_total{{job="payments",code="500"}} {errors}\n' if errors else "")
        + f'http_request_duration_seconds_bucket{{le="0.25"}} {fast}\n'
        + f'http_request_duration_seconds_bucket{{le="+Inf"}} {requests}\n'
    )


def varint(number: int) -> bytes:
    return bytes([number & 127 | 128]) + varint(number >> 7) if number > 127 else bytes([number])


def native(counts: list[int]) -> bytes:
    """A native histogram of schema 0, in Prometheus' protobuf. The upper bounds are 1/16, 1/8, 1/4 …."""

    def number(field: int, value: int) -> bytes:
        return varint(field << 3) + varint(value)

    def double(field: int, value: float) -> bytes:
        return varint(field << 3 | 1) + struct.pack("<d", value)

    def message(field: int, *parts: bytes) -> bytes:
        data = b"".join(parts)
        return varint(field << 3 | 2) + varint(len(data)) + data

    def signed(value: int) -> int:
        return value << 1 if value >= 0 else -value * 2 - 1

    deltas = [now - then for then, now in itertools.pairwise([0, *counts])]
    span = message(12, number(1, signed(-4)), number(2, len(counts)))
    parts = [number(1, sum(counts)), double(2, 1.0), number(5, signed(0)), double(6, 1e-9), number(7, 0), span]
    histogram = message(7, *parts, *(number(13, signed(delta)) for delta in deltas))
    family = [message(1, b"http_request_duration_seconds"), message(2, b"-"), number(3, 4), message(4, histogram)]
    return message(0, *family)[1:]  # the length, and the family


@contextmanager
def prometheus(folder: Path, targets: dict[int, str]) -> Iterator[str]:
    """A Prometheus server that scrapes these ports, with their versions, every second."""
    groups = [{"targets": [f"127.0.0.1:{port}"], "labels": {"version": version}} for port, version in targets.items()]
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [{"job_name": "payments", "static_configs": groups}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    address = f"127.0.0.1:{free_port()}"
    command = [
        "prometheus",
        "--enable-feature=native-histograms",
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
    ]
    with (folder / "prometheus.log").open("w") as log:
        server = subprocess.Popen([*command, f"--web.listen-address={address}"], stdout=log, stderr=log)
    try:
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait()


def eventually(what: Callable[[], bool]) -> None:
    for _ in range(600):
        try:
            if what():
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError("not within a minute")


needs_prometheus = pytest.mark.skipif(shutil.which("prometheus") is None, reason="Prometheus is not installed")


@needs_prometheus
def test_met_6_prometheus_answers_the_queries_of_the_page(folder: Path) -> None:
    counters = {"a": (0, 100, 90), "b": (3, 900, 800)}
    with (
        serving(lambda _: exposition(*counters["a"])) as a,
        serving(lambda _: exposition(*counters["b"])) as b,
        serving(lambda _: native([10, 20, 30, 40]), PROTOBUF) as c,
        prometheus(folder, {a: "2.3.1", b: "2.3.0", c: "2.3.2"}) as url,
    ):
        source = load("prometheus_source").Source(url, "2.3.1", "2.3.0", scrape=1.0)
        canary, baseline = f"127.0.0.1:{a}", f"127.0.0.1:{b}"
        rates: dict[str, Any] = {}

        def reads(**wanted: dict[str, list[float]]) -> bool:
            nonlocal rates
            rates = source.read(time.time())
            return bool(rates.get("error_rate") == {**wanted, "totals": True})

        eventually(lambda: reads(canary={canary: [0, 100]}, baseline={baseline: [3, 900]}))
        began = time.time()  # both have been scraped
        rollout = hotfix.Rollout(make_plan("standard"))
        rollout.observe(datetime.now(UTC), rates)
        source.read(time.time())
        # The canary restarted, the baseline goes on.
        counters |= {"a": (2, 50, 40), "b": (4, 1900, 1700)}
        last = dict(source.last)
        eventually(lambda: reads(canary={canary: [2, 50]}, baseline={baseline: [4, 1900]}))
        assert set(last) == {("2.3.1", canary), ("2.3.0", baseline)}
        source.last = last  # one of the two may have been scraped a second earlier
        rates = source.read(time.time())
        assert rates["latency_p95"]["canary"] == {"le": [0.25], "counts": [40.0], "count": 50.0}
        assert rates["latency_p95"]["baseline"] == {"le": [0.25], "counts": [900.0], "count": 1000.0}
        rollout.observe(datetime.now(UTC), rates)

        found = []
        for query in itertools.chain.from_iterable(block.text.splitlines() for block in of("promql")):
            parameters = urllib.parse.urlencode({"query": query})
            with urllib.request.urlopen(f"{url}/api/v1/query?{parameters}") as answer:
                found.append(json.load(answer)["data"]["result"])
        assert [len(rows) for rows in found] == [2, 2, 4, 1, 1]
        # Of a native histogram: all requests, and those up to 0.25 s.
        assert [rows[0]["value"][1] for rows in found[3:]] == ["100", "60"]

        recorded = load("prometheus_history")
        text = recorded.answers(url, began, time.time(), step=1.0)
        past = hotfix.history(hotfix.Policy.preset("standard"), text, recorded.MAPPING, format="prometheus")
        pairs = past.history["error_rate"]
        assert sum(pair[1] for pair in pairs[baseline]) == 1000.0
        assert sum(pair[1] for pair in pairs[canary]) == 50.0  # what it has counted since its restart


def test_met_6_a_history_of_logs_leaves_out_a_torn_line(folder: Path) -> None:
    """docs/how-to/calibrate.md."""
    rollout = hotfix.Rollout(make_plan("standard"))
    for tick in range(20):
        pods = {f"pod-{pod}": [tick % 2, 100] for pod in range(3)}
        rollout.observe(
            datetime(2026, 3, 3, 14, 40, tzinfo=UTC) + tick * timedelta(seconds=10), {"error_rate": {"baseline": pods}}
        )
    logs = [folder / "one.jsonl", folder / "two.jsonl"]
    found = []
    for tail in ("", '{"at":"2026-0'):
        for log in logs:
            log.write_text(rollout.log() + tail)
        found.append(load("log_history").history(hotfix.Policy.preset("standard"), logs).history)
    assert found[0]["error_rate"]
    assert found[0] == found[1]


def test_met_6_datadog_and_cloudwatch_give_counts(folder: Path) -> None:
    assert folder.exists()

    def answer(**points: list[list[float | None]]) -> dict[str, Any]:
        rows = [{"tag_set": [f"version:{name}"], "pointlist": pairs} for name, pairs in points.items()]
        return {"status": "ok", "series": rows}

    def version(text: dict[str, Any]) -> dict[str, Any]:
        return json.loads(json.dumps(text).replace("canary", "2.3.1").replace("baseline", "2.3.0"))  # type: ignore[no-any-return]

    errors = version(answer(baseline=[[50_000.0, 9.0], [60_000.0, 2.0], [70_000.0, None]]))
    hits = version(answer(canary=[[60_000.0, 100.0]], baseline=[[60_000.0, 400.0], [70_000.0, 500.0]]))
    arms = {"2.3.1": "canary", "2.3.0": "baseline"}
    counts = load("datadog_source").counts(errors, hits, arms, 60, 120)
    assert counts == {"canary": [0.0, 100.0], "baseline": [2.0, 900.0]}

    def result(name: str, *values: float) -> dict[str, Any]:
        return {"Id": name, "StatusCode": "Complete", "Values": list(values)}

    results = [result("requests_canary", 60, 40), result("errors_canary"), result("requests_baseline", 900)]
    counts = load("cloudwatch_source").counts({"MetricDataResults": results})
    assert counts == {"canary": [0.0, 100], "baseline": [0.0, 900]}

    # What was not answered is no reading: it would have no errors.
    with pytest.raises(ValueError, match="limit"):
        load("datadog_source").counts({"status": "error", "error": "limit", "series": []}, hits, arms, 60, 120)
    results[1]["StatusCode"] = "InternalError"
    with pytest.raises(ValueError, match="None"):
        load("cloudwatch_source").counts({"MetricDataResults": results})


def otlp(
    instance: str, start: int, points: dict[str, list[int]], *, at: int = 0, delta: bool = False, live: bool = False
) -> bytes:
    """An export: points by status code, in the JSON encoding of OTLP."""

    def attribute(name: str, value: object) -> dict[str, Any]:
        kind = "intValue" if isinstance(value, int) else "stringValue"
        return {"key": name, "value": {kind: str(value)}}

    version, bounds = ("2.3.0", [0.2, 0.5]) if live else ("2.3.1", [0.25, 0.5])
    data = [
        {"attributes": [attribute("http.response.status_code", int(code))]}
        | {"startTimeUnixNano": str(start), "timeUnixNano": str(at or start)}
        | ({"bucketCounts": [str(one) for one in counts], "explicitBounds": bounds} if counts else {"flags": 1})
        for code, counts in points.items()
    ]
    histogram = {"aggregationTemporality": 1 if delta else 2, "dataPoints": data}
    resource = {"attributes": [attribute("service.version", version), attribute("service.instance.id", instance)]}
    metric = {"name": "http.server.request.duration", "unit": "s", "histogram": histogram}
    return json.dumps({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]}).encode()


def test_met_6_open_telemetry_s_totals_and_deltas_are_added(folder: Path) -> None:
    assert folder.exists()
    source = load("otlp_source").Otlp({"2.3.1": "canary", "2.3.0": "baseline"})
    source.receive(otlp("a", 1, {"200": [80, 15, 5]}))
    assert source.metrics()["error_rate"] == {"canary": {"a": [0.0, 0.0]}}  # nothing to compare it with
    source.receive(otlp("a", 1, {"200": [160, 30, 10], "500": [1, 1, 0]}))
    source.receive(otlp("b", 1, {"200": [8, 2, 0], "500": [1, 0, 0]}, delta=True))
    metrics = source.metrics()
    assert metrics["error_rate"] == {"canary": {"a": [2.0, 102.0], "b": [1.0, 11.0]}}
    assert metrics["latency_p95"] == {"canary": {"le": [0.25, 0.5], "counts": [90.0, 108.0], "count": 113.0}}
    source.receive(otlp("a", 2, {"200": [4, 0, 0]}))  # it began again
    assert source.metrics()["error_rate"] == {"canary": {"a": [0.0, 4.0]}}
    assert source.metrics() == {}
    # A series that ended has a point without buckets, and an exponential histogram has none that can be added.
    source.receive(otlp("b", 1, {"200": [8, 2, 0]}).replace(b'"histogram"', b'"exponentialHistogram"'))
    source.receive(otlp("a", 2, {"503": [], "200": [5, 0, 0]}))
    assert source.metrics()["error_rate"] == {"canary": {"a": [0.0, 1.0]}}
    hotfix.Rollout(make_plan("standard")).observe("2026-03-03T14:40:00Z", metrics)


def test_met_6_open_telemetry_s_late_and_repeated_points_count_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert folder.exists()
    source = load("otlp_source").Otlp({"2.3.1": "canary", "2.3.0": "baseline"})

    def reads(*bodies: bytes) -> list[float]:
        for body in bodies:
            source.receive(body)
        found: list[float] = source.metrics()["error_rate"]["canary"]["a"]
        return found

    total = [otlp("a", 1, {"500": [count, 0, 0]}, at=10 * count) for count in range(10)]
    assert reads(total[1]) == [0.0, 0.0]
    assert reads(total[4], total[3], total[5]) == [4.0, 4.0]  # the third came late
    assert reads(total[2], total[6], total[6]) == [1.0, 1.0]
    assert capsys.readouterr().out == ""
    began = otlp("a", 100, {"500": [7, 0, 0]}, at=110)
    assert reads(began, total[8], otlp("a", 100, {"500": [9, 0, 0]}, at=120)) == [9.0, 9.0]
    assert capsys.readouterr().out == "canary a: not counted: a late point from before its restart\n"
    part = [otlp("a", 200 + n, {"503": [n, 0, 0]}, at=201 + n, delta=True) for n in range(5)]
    assert reads(part[1], part[3], part[3], part[2]) == [6.0, 6.0]
    assert reads(part[2], part[4]) == [4.0, 4.0]  # sent again after the reading
    unknown = [otlp("b", 0, {"500": [n, 0, 0]}, at=n) for n in (5, 9, 10)]  # without a time of the start
    unknown.append(otlp("b", 0, {"500": [2, 0, 0]}, at=11))  # it began again
    source.receive(unknown[0])
    source.metrics()
    for body in unknown[1:]:
        source.receive(body)
    assert source.metrics()["error_rate"]["canary"]["b"] == [7.0, 7.0]


def test_met_6_open_telemetry_s_boundaries_are_those_of_each_arm(folder: Path) -> None:
    """Those of one arm on the other would make it as many times as slow."""
    assert folder.exists()
    source = load("otlp_source").Otlp({"2.3.1": "canary", "2.3.0": "baseline"})
    source.receive(otlp("a", 1, {"200": [80, 15, 5]}, delta=True))
    source.receive(otlp("b", 1, {"200": [80, 15, 5]}, delta=True, live=True))
    source.receive(otlp("c", 1, {"200": [8, 1, 5]}, delta=True, live=True).replace(b"0.2,", b"0.3,"))  # of one arm
    readings = source.metrics()
    assert readings["error_rate"]["baseline"]["c"] == [0.0, 14.0]
    latency = readings["latency_p95"]
    assert {arm: latency[arm]["le"] for arm in latency} == {"canary": [0.25, 0.5], "baseline": [0.2, 0.5]}
    with pytest.raises(hotfix.Refused) as caught:
        hotfix.Rollout(make_plan("standard")).observe("2026-03-03T14:40:00Z", {"latency_p95": latency})
    assert (caught.value.code, caught.value.path) == ("HF-MET-006", "/metrics/latency_p95/baseline")
