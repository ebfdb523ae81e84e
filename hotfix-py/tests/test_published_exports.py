"""Every export on file, and of every kept log, by what the formats' own people publish (POST-3, TIME-3).

CDEvents are read by their official SDK in ``hotfix-core/tests/it/exports_published.rs``: Python has none.
Grafana publishes no schema of its annotations.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import icalendar
import pytest
from cloudevents.core.bindings.http import from_http_event, to_binary_event
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.formats.json import JSONFormat
from icalendar.error import IncompleteComponent
from prometheus_client.openmetrics.parser import text_string_to_metric_families

import hotfix

TESTS = Path(__file__).parents[2] / "hotfix-core" / "tests"
FOLDER = TESTS / "cases" / "measures"
LOGS = [*sorted(FOLDER.glob("INC-*.jsonl")), *sorted((TESTS / "logs").glob("*/*.jsonl"))]
KINDS = (".cdevents.json", ".grafana.json", ".openmetrics.txt", ".ics")
# What is no export: the logs, and what is measured of them.
OTHERS = (".jsonl", ".measures.json", ".measures.md")


def files(kind: str) -> list[Path]:
    return sorted(FOLDER.glob(f"INC-*{kind}"))


def read(path: Path) -> str:
    # No translation of line ends: iCalendar has its own.
    return path.read_bytes().decode()


def test_post_3_no_export_is_left_out() -> None:
    """Each incident has each kind of file, and none of a kind that is not known here."""
    logs = {path.name.removesuffix(".jsonl") for path in FOLDER.glob("INC-*.jsonl")}
    assert len(logs) >= 4
    assert len(LOGS) > len(logs)
    expected = {f"{name}{kind}" for name in logs for kind in KINDS + OTHERS}
    assert {path.name for path in FOLDER.glob("INC-*")} == expected
    for kind in KINDS:
        assert {path.name.removesuffix(kind) for path in files(kind)} == logs


# ---- CloudEvents ----


def check_cloud_event(event: dict[str, Any]) -> None:
    """By the official SDK: its checks of each attribute, and the way there and back in both modes of HTTP."""
    parsed = JSONFormat().read(None, json.dumps(event))
    assert json.loads(JSONFormat().write(parsed))["data"] == event["data"] == parsed.get_data()
    # CDEvents' binding: what stands in both says the same.
    context, subject = event["data"]["context"], event["data"]["subject"]
    assert parsed.get_specversion() == "1.0"
    assert parsed.get_id() == context["id"]
    assert parsed.get_source() == context["source"]
    assert parsed.get_type() == context["type"]
    assert parsed.get_subject() == subject["id"]
    assert parsed.get_datacontenttype() == "application/json"
    assert parsed.get_time() == datetime.fromisoformat(context["timestamp"])
    again = from_http_event(to_binary_event(parsed))
    assert (again.get_attributes(), again.get_data()) == (parsed.get_attributes(), parsed.get_data())


def test_post_3_the_sdk_of_cloudevents_reads_every_event() -> None:
    count = 0
    for path in files(".cdevents.json"):
        for event in json.loads(read(path)):
            check_cloud_event(event)
            count += 1
    assert count > 40
    for log in LOGS:
        for event in hotfix.cdevents(read(log), ticket="https://t.example/1"):
            check_cloud_event(event)


def test_post_3_the_sdk_of_cloudevents_would_see_a_fault() -> None:
    event = json.loads(read(files(".cdevents.json")[0]))[0]
    for change in ({"id": None}, {"type": ""}, {"subject": ""}, {"time": 7}, {"Chain_ID": "x"}):
        with pytest.raises((CloudEventValidationError, AssertionError, TypeError, ValueError)):
            check_cloud_event(event | change)


# ---- OpenMetrics ----


def check_metrics(text: str) -> int:
    """By Prometheus's strict parser of OpenMetrics."""
    parse: Any = text_string_to_metric_families  # it has no types
    families = list(parse(text))
    assert len({family.name for family in families}) == len(families)
    assert all(family.documentation for family in families)
    return len(families)


def test_post_3_prometheus_reads_every_file() -> None:
    for path in files(".openmetrics.txt"):
        assert check_metrics(read(path)) >= 5, path.name


def test_post_3_prometheus_would_see_a_fault() -> None:
    text = read(files(".openmetrics.txt")[0])
    for wrong in (
        text.replace("# EOF\n", ""),
        text.replace("_info{", "{", 1),
        text.replace("# UNIT hotfix_traffic_share_ratio ratio", "# UNIT hotfix_traffic_share_ratio seconds"),
        text.replace("} 1\n", "} 2\n", 3),
        text.replace('"', "", 1),
    ):
        assert wrong != text
        with pytest.raises(ValueError, match=r".*"):
            check_metrics(wrong)


# ---- iCalendar ----


def check_calendar(text: str) -> int:
    """By icalendar's table of what each component must and may have once, and the way there and back."""
    for line in text.removesuffix("\r\n").split("\r\n"):
        assert len(line.encode()) <= 75
        assert "\r" not in line
        assert "\n" not in line
    calendar: Any = icalendar.Calendar.from_ical(text)  # its types are unions of whatever a value may be
    # Without a method it is a snapshot. RFC 5546, 3.4.1, wants an organizer of each to-do that is published.
    assert "METHOD" not in calendar
    calendar.validate()
    for part in calendar.walk():
        assert part.errors == []
        name = part.name
        for key in part.required:
            assert key in part, (name, key)
        for key in part.singletons:
            assert not isinstance(part.get(key), list), (name, key)
        for key in part.exclusive:
            assert sum(other in part for other in part.exclusive) <= 1, (name, key)
    assert icalendar.Calendar.from_ical(calendar.to_ical()) == calendar
    to_dos = list(calendar.walk("VTODO"))
    for to_do in to_dos:
        # RFC 5545, 3.8.1.11, 3.8.1.9, 3.8.2.1 and 3.8.2.3.
        assert to_do["STATUS"] in ("NEEDS-ACTION", "COMPLETED", "IN-PROCESS", "CANCELLED")
        assert 0 <= to_do.get("PRIORITY", 0) <= 9
        assert ("COMPLETED" in to_do) == (to_do["STATUS"] == "COMPLETED")
        assert to_do["DTSTAMP"].dt.utcoffset() == timedelta(0)
        if "DTSTART" in to_do and "DUE" in to_do:
            assert to_do["DTSTART"].dt < to_do["DUE"].dt
        for alarm in to_do.walk("VALARM"):
            # A trigger related to the end needs one (3.8.6.3).
            assert (alarm["ACTION"], "DUE" in to_do) == ("DISPLAY", True)
            assert {"TRIGGER", "DESCRIPTION"} <= set(alarm)
    return len(to_dos)


def test_time_3_icalendar_reads_every_file() -> None:
    for path in files(".ics"):
        assert check_calendar(read(path)) > 0, path.name


def test_time_3_icalendar_would_see_a_fault() -> None:
    text = read(files(".ics")[0])
    uid = next(line for line in text.split("\r\n") if line.startswith("UID:"))
    for wrong in (
        text.replace("PRODID:-//hotfix//duties//EN\r\n", ""),
        text.replace("VERSION:2.0\r\n", "VERSION:2.0\r\nMETHOD:PUBLISH\r\n"),
        text.replace(f"{uid}\r\n", ""),
        text.replace(f"{uid}\r\n", f"{uid}\r\n{uid}\r\n"),
        text.replace("END:VTODO\r\n", "", 1),
        text.replace("\r\n", "\n"),
        text.replace("STATUS:", "STATUS:X-", 1),
    ):
        assert wrong != text
        with pytest.raises((AssertionError, ValueError, KeyError, IncompleteComponent)):
            check_calendar(wrong)


# ---- Every kept log ----


@pytest.mark.parametrize("log", LOGS, ids=lambda path: path.stem)
def test_post_3_every_log_gives_what_is_read(log: Path) -> None:
    rollout = hotfix.Rollout.replay(read(log))
    at = rollout.now
    assert at is not None
    for moment in (at, at.replace(year=at.year + 1)):
        check_metrics(rollout.openmetrics(moment))
        text = rollout.icalendar(moment)
        if "BEGIN:VTODO" in text:
            check_calendar(text)
