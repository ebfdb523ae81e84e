"""Measures and exports: the files that Rust's tests keep come out, and other libraries read what is written."""

import datetime
import json
from pathlib import Path
from typing import Any

import icalendar
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

import hotfix

FOLDER = Path(__file__).parents[2] / "hotfix-core" / "tests" / "cases" / "measures"
INCIDENTS = ["INC-2041", "INC-2055", "INC-2101", "INC-2102", "INC-2103", "INC-2104"]


def read(name: str) -> str:
    return (FOLDER / name).read_bytes().decode()


def document(name: str) -> Any:
    return json.loads(read(name))


def logs() -> list[str]:
    return [read(f"{name}.jsonl") for name in INCIDENTS]


def replayed(name: str) -> tuple[hotfix.Rollout, datetime.datetime]:
    log = read(f"{name}.jsonl")
    last = datetime.datetime.fromisoformat(json.loads(log.splitlines()[-1])["at"])
    return hotfix.Rollout.replay(log), last + datetime.timedelta(minutes=1)


@pytest.mark.parametrize("name", INCIDENTS)
def test_post_3_measures_come_out_as_on_file(name: str) -> None:
    log = read(f"{name}.jsonl")
    assert hotfix.measures(log) == hotfix.measures(log.encode()) == document(f"{name}.measures.json")
    assert hotfix.measures_markdown(log) == read(f"{name}.measures.md")


def test_post_3_the_trend_and_like_incidents_come_out_as_on_file() -> None:
    assert hotfix.dora(logs()) == document("dora.month.json")
    assert hotfix.dora(logs(), by="week") == document("dora.week.json")
    assert hotfix.dora_markdown(logs()) == read("dora.month.md")
    chart = hotfix.dora_chart(logs())
    assert chart is not None
    assert chart["svg"] == read("dora.month.svg")
    assert hotfix.dora_chart([]) is None
    facts: dict[str, object] = {"service": "Payments", "payment_failure_share": 0.6, "revenue_impact": True}
    facts |= {"service_down": False, "users_affected": 0.5}
    assert hotfix.similar(facts, logs()) == document("similar.json")
    assert hotfix.similar(facts, logs(), hotfix.Policy.preset("enterprise")) == document("similar.json")
    assert [found["log"] for found in hotfix.similar(logs()[1], logs())].count(1) == 0


@pytest.mark.parametrize("name", INCIDENTS)
def test_post_3_exports_come_out_as_on_file(name: str) -> None:
    log = read(f"{name}.jsonl")
    assert hotfix.cdevents(log) == document(f"{name}.cdevents.json")
    assert hotfix.grafana_annotations(log) == document(f"{name}.grafana.json")
    rollout, at = replayed(name)
    assert rollout.openmetrics(at) == read(f"{name}.openmetrics.txt")
    assert rollout.icalendar(at) == read(f"{name}.ics")


@pytest.mark.parametrize("name", INCIDENTS)
def test_post_3_prometheus_reads_the_metrics(name: str) -> None:
    rollout, at = replayed(name)
    read_back: Any = text_string_to_metric_families  # it has no types
    families = {family.name: family for family in read_back(rollout.openmetrics(at))}
    states = families["hotfix_rollout_state"]
    assert states.type == "stateset"
    assert [s.labels["hotfix_rollout_state"] for s in states.samples if s.value == 1] == [rollout.state]
    assert families["hotfix_traffic_share_ratio"].unit == "ratio"
    assert [s.value for s in families["hotfix_attempts"].samples] == [rollout.attempt]


@pytest.mark.parametrize("name", INCIDENTS)
def test_time_3_icalendar_reads_the_calendar(name: str) -> None:
    rollout, at = replayed(name)
    calendar = icalendar.Calendar.from_ical(rollout.icalendar(at))
    duties = rollout.duties(at)
    asked = [item for key in ("overdue", "due", "next", "later", "undated", "done") for item in duties[key]]
    to_dos = list(calendar.walk("VTODO"))
    service = rollout.plan.incident["service"]
    titles = [f"{service}, {name}: {item['title']}" for item in asked]
    assert [str(to_do["SUMMARY"]) for to_do in to_dos] == titles
    for to_do, item in zip(to_dos, asked, strict=True):
        due = item.get("due")
        wanted = None if due is None else datetime.datetime.fromisoformat(due).replace(microsecond=0)
        assert (to_do.get("DUE").dt if "DUE" in to_do else None) == wanted


def test_post_3_what_cannot_be_measured_is_an_error() -> None:
    with pytest.raises(hotfix.LogError) as broken:
        hotfix.measures("")
    assert broken.value.code == "HF-LOG-001"
    with pytest.raises(hotfix.LogError, match="log 2") as second:
        hotfix.dora([logs()[0], "{}\n"])
    assert second.value.line == 1
    with pytest.raises(hotfix.ReportError) as twice:
        hotfix.dora([logs()[0], logs()[0]])
    assert (twice.value.code, isinstance(twice.value, hotfix.Error)) == ("HF-REP-020", True)
    with pytest.raises(hotfix.ReportError) as setting:
        hotfix.cdevents(logs()[0], source="a b")
    assert setting.value.code == "HF-EXP-001"
    with pytest.raises(hotfix.ReportError) as fact:
        hotfix.similar({"service_dwon": True}, [])
    assert fact.value.code == "HF-REP-023"
    with pytest.raises(hotfix.InputError, match="month"):
        hotfix.dora([], by="year")  # type: ignore[arg-type]


def test_post_3_one_text_is_no_list() -> None:
    log = read("INC-2041.jsonl")
    calls: list[Any] = [
        lambda: hotfix.dora(log),
        lambda: hotfix.similar({}, log.encode()),  # type: ignore[arg-type]
        lambda: hotfix.redact(log, "iris"),  # type: ignore[arg-type]
    ]
    for call in calls:
        with pytest.raises(TypeError, match="a list is expected, not one text"):
            call()
