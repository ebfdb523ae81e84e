"""Messages: what comes back, and how the readers' clock may be given (COMM-1, COMM-2)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import hotfix


def rollout() -> hotfix.Rollout:
    policy = hotfix.Policy.preset("standard")
    incident = {"id": "INC-1", "service": "Payments", "severity": "P1", "began_at": "2026-03-03T14:02:00Z"}
    made = hotfix.Rollout(policy.plan(incident, {"version": "2", "previous": "1"}))
    made.handle("2026-03-03T14:08:00Z", {"kind": "note", "by": "lena", "text": "x"})
    return made


def test_comm_2_texts_are_str_and_documents_dict() -> None:
    made = rollout()
    assert isinstance(made.message("alert"), str)
    assert made.message("alert", format="markdown").startswith("**Payments, INC-1: P1 incident: ")
    slack: dict[str, Any] = made.message("alert", "public", "slack")
    assert json.loads(json.dumps(slack))["blocks"][0]["type"] == "header"
    assert made.message("alert", format="pagerduty")["dedup_key"] == "INC-1"


def test_comm_2_an_offset_is_text_or_a_timedelta() -> None:
    made = rollout()
    for offset in ("+05:30", timedelta(hours=5, minutes=30)):
        assert "Began: 19:32 UTC+05:30" in made.message("alert", utc_offset=offset)
    at = datetime(2026, 3, 4, tzinfo=UTC)
    assert "Began: 2026-03-03 14:02 UTC" in made.message("alert", at=at)
    for offset in (timedelta(seconds=90), timedelta(hours=15), "Europe/Berlin"):
        with pytest.raises(hotfix.MessageError) as caught:
            made.message("alert", utc_offset=offset)
        assert caught.value.code == "HF-MSG-004"


def test_comm_2_a_zone_has_the_offset_of_the_messages_moment() -> None:
    made = rollout()
    berlin = ZoneInfo("Europe/Berlin")
    # Without a time it is the last one known, in winter; summer time began on 2026-03-29 at 01:00 UTC.
    assert "Began: 15:02 UTC+01:00" in made.message("alert", utc_offset=berlin)
    summer = made.message("alert", at="2026-07-03T14:00:00Z", utc_offset=berlin)
    assert "Began: 2026-03-03 16:02 UTC+02:00" in summer
    for at, hours in (("2026-03-29T00:59:59Z", 1), ("2026-03-29T01:00:00Z", 2)):
        offset = timedelta(hours=hours)
        assert made.message("alert", at=at, utc_offset=berlin) == made.message("alert", at=at, utc_offset=offset)
    assert made.message("alert", utc_offset=timezone(timedelta(hours=1))) == made.message("alert", utc_offset=berlin)
    assert made.message("alert", utc_offset=UTC) == made.message("alert")


def test_comm_2_a_zone_may_ask_the_rollout_and_what_it_raises_comes_out() -> None:
    made = rollout()

    class Asking(tzinfo):
        def utcoffset(self, _dt: datetime | None) -> timedelta:
            made.blockers()
            raise LookupError("no table")

        def dst(self, _dt: datetime | None) -> timedelta:
            return timedelta()

        def tzname(self, _dt: datetime | None) -> str:
            return "asking"

    with pytest.raises(LookupError, match="no table"):
        made.message("alert", utc_offset=Asking())


@pytest.mark.parametrize("offset", [60, 1.0, b"+01:00", datetime(2026, 3, 3, tzinfo=UTC), ZoneInfo])
def test_comm_2_anything_else_is_no_offset(offset: Any) -> None:
    with pytest.raises(TypeError, match="an offset is text, a timedelta or a tzinfo"):
        rollout().message("alert", utc_offset=offset)


def test_comm_2_before_the_first_input_there_is_no_time_to_ask_a_zone_about() -> None:
    plan = hotfix.Policy.preset("standard").plan({"id": "INC-1", "severity": "P1"}, {"version": "2", "previous": "1"})
    with pytest.raises(hotfix.MessageError) as caught:
        hotfix.Rollout(plan).message("alert", utc_offset=ZoneInfo("Europe/Berlin"))
    assert caught.value.code == "HF-MSG-005"


def test_comm_2_what_does_not_exist_is_refused() -> None:
    with pytest.raises(hotfix.MessageError, match="did you mean `title`") as caught:
        rollout().message("alert", values={"titel": "x"})
    assert caught.value.code == "HF-MSG-003"
    assert isinstance(caught.value, ValueError)
