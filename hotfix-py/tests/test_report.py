"""The incident report (POST-1, POST-6)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import hotfix
from story import Story, failing

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def story() -> Story:
    story = Story().start()
    story.run_until("rolling_back", failing)
    return story


def test_post_1_a_log_has_a_report_in_three_formats(story: Story) -> None:
    log = story.rollout.log()
    document = json.loads(hotfix.report(log, "json"))
    assert document["state"] == "rolling_back"
    assert document["audit_trail"]["head"] == story.rollout.head
    assert hotfix.report(log, "markdown").startswith("# Incident report: INC-2041")
    assert hotfix.report(log.encode(), "html").startswith("<!doctype html>")
    assert story.rollout.report("markdown") == hotfix.report(log, "markdown")
    assert story.rollout.report("json") == hotfix.report(log, "json")
    assert story.rollout.report("html") == hotfix.report(log, "html")


def test_post_1_the_report_is_that_of_the_core() -> None:
    log = (ROOT / "examples/expected/canary_rollback.jsonl").read_text(encoding="utf-8")
    golden = ROOT / "hotfix-core/tests/golden/report/canary_rollback.md"
    assert hotfix.report(log, "markdown") == golden.read_text(encoding="utf-8")


def test_post_1_what_has_no_report_says_so(story: Story) -> None:
    with pytest.raises(hotfix.ReportError, match="is not a format") as error:
        hotfix.report(story.rollout.log(), "pdf")  # type: ignore[arg-type]
    assert error.value.code == "HF-REP-002"
    with pytest.raises(hotfix.LogError) as torn:
        hotfix.report(story.rollout.log()[:-1], "json")
    assert torn.value.code == "HF-LOG-002"
    without = hotfix.Rollout.replay(story.rollout.log(), keep_log=False)
    with pytest.raises(hotfix.ReportError, match="keeps no log") as none:
        without.report("json")
    assert none.value.code == "HF-REP-001"
