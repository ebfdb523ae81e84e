"""Messages: what comes back, and how the readers' clock may be given (COMM-1, COMM-2)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

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
    assert made.message("alert", format="markdown").startswith("**P1 INC-1")
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


def test_comm_2_what_does_not_exist_is_refused() -> None:
    with pytest.raises(hotfix.MessageError, match="did you mean `title`") as caught:
        rollout().message("alert", values={"titel": "x"})
    assert caught.value.code == "HF-MSG-003"
    assert isinstance(caught.value, ValueError)
