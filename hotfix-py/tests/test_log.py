"""Logs: replay, recover, audit (ROLL-7)."""

from __future__ import annotations

import hashlib
import json

import pytest

import hotfix
from story import Story, failing, healthy


@pytest.fixture(scope="module")
def story() -> Story:
    story = Story().start()
    for _ in range(12):
        story.observe(healthy)
    story.run_until("rolling_back", failing)
    return story


def state(rollout: hotfix.Rollout) -> tuple[object, ...]:
    return (
        rollout.state,
        rollout.phase,
        rollout.share,
        rollout.verdict,
        rollout.head,
        rollout.now,
        rollout.pending_actions(),
        rollout.evidence("error_rate"),
    )


def test_roll_7_the_log_alone_rebuilds_the_rollout(story: Story) -> None:
    log = story.rollout.log()
    for again in (hotfix.Rollout.replay(log), hotfix.Rollout.replay(log.encode(), keep_log=True)):
        assert state(again) == state(story.rollout)
        assert again.log() == log
    flat = hotfix.Rollout.replay(log, keep_log=False)
    assert state(flat) == state(story.rollout)
    assert flat.log() == ""


def test_roll_7_replay_is_strict(story: Story) -> None:
    lines = story.lines
    bad = {
        "HF-LOG-001": "",
        "HF-LOG-002": "".join(lines)[:-1],
        "HF-LOG-003": "".join(lines[:4] + lines[5:]),
        "HF-LOG-006": lines[0] + lines[0],
        "HF-JSON-013": "".join(lines).replace('"state":"monitoring"', '"state":"paused"', 1),
    }
    for code, log in bad.items():
        with pytest.raises(hotfix.LogError) as caught:
            hotfix.Rollout.replay(log)
        assert caught.value.code == code, log[-200:]
        assert caught.value.line >= 1
        assert f"line {caught.value.line}" in str(caught.value)


def test_roll_7_recover_drops_one_incomplete_line_and_says_so(story: Story) -> None:
    whole = story.rollout.log().encode()
    torn = whole + b'{"half'
    rollout = hotfix.Rollout.recover(torn)
    assert (rollout.dropped, rollout.recovered_length) == (6, len(whole))
    assert state(rollout) == state(story.rollout)
    again = hotfix.Rollout.recover(whole.decode())
    assert (again.dropped, again.recovered_length) == (0, len(whole))
    cut_in_a_character = whole + '{"é'.encode()[:-1]
    assert hotfix.Rollout.recover(cut_in_a_character).dropped == 3
    with pytest.raises(hotfix.LogError) as caught:
        hotfix.Rollout.recover(b'{"at"')
    assert caught.value.code == "HF-LOG-001"


def test_roll_7_a_recovered_rollout_goes_on_to_the_same_log(story: Story) -> None:
    for count in (1, 2, 5, len(story.lines) // 2):
        rollout = hotfix.Rollout.recover("".join(story.lines[:count]) + "{")
        assert rollout.log() == "".join(story.lines[:count])


def test_roll_7_a_snapshot_with_its_tail_is_a_replay(story: Story) -> None:
    lines = story.lines
    for count in (1, 7, len(lines) - 1, len(lines)):
        before = hotfix.Rollout.replay("".join(lines[:count]))
        snapshot = before.snapshot()
        assert hotfix.Rollout.snapshot_seq(snapshot) == count
        tail = "".join(lines[count:])
        for again in (
            hotfix.Rollout.restore(snapshot, tail),
            hotfix.Rollout.restore(snapshot, tail.encode(), keep_log=True),
        ):
            assert state(again) == state(story.rollout)
            assert again.log() == tail
            assert again.snapshot() == story.rollout.snapshot()
        assert hotfix.Rollout.restore(snapshot).head == before.head
        assert hotfix.Rollout.restore(snapshot, tail=tail, keep_log=False).log() == ""


def test_roll_7_a_snapshot_that_is_none_is_a_log_error(story: Story) -> None:
    snapshot = story.rollout.snapshot()
    bad = {
        "HF-SNAP-001": b"",
        "HF-SNAP-002": snapshot[:8] + b"\xff" + snapshot[9:],
        "HF-SNAP-003": snapshot[:-1],
        "HF-SNAP-004": snapshot[:70] + bytes([snapshot[70] ^ 1]) + snapshot[71:],
    }
    for code, wrong in bad.items():
        with pytest.raises(hotfix.LogError, match="replay the log") as caught:
            hotfix.Rollout.restore(wrong)
        assert (caught.value.code, caught.value.line) == (code, 0)
        with pytest.raises(hotfix.LogError):
            hotfix.Rollout.snapshot_seq(wrong)
    with pytest.raises(hotfix.LogError) as caught:
        hotfix.Rollout.restore(snapshot, story.lines[0])
    assert (caught.value.code, caught.value.line) == ("HF-LOG-006", 1)
    with pytest.raises(TypeError):
        hotfix.Rollout.restore("no bytes")  # type: ignore[arg-type]


def test_roll_7_an_audit_names_what_is_wrong(story: Story) -> None:
    log, head, lines = story.rollout.log(), story.rollout.head, story.lines
    clean = hotfix.audit(log, expected_head=head)
    assert clean.clean
    assert (clean.head, clean.lines, clean.findings) == (head, len(lines), [])
    for changed in (
        log.replace('"canary":[', '"canary":[1', 1),
        "".join([*lines[:3], lines[4], lines[3], *lines[5:]]),
        "".join(lines[:3] + lines[4:]),
        log[:-10],
        "",
        "no log at all\n",
    ):
        audit = hotfix.audit(changed, head)
        assert not audit.clean
        finding = audit.findings[0]
        assert finding.code.startswith("HF-")
        assert finding.line >= 1
        assert audit["findings"][0]["message"] == finding.message
    assert hotfix.audit("".join(lines[:-1])).clean
    cut = hotfix.audit("".join(lines[:-1]), head)
    assert [finding.code for finding in cut.findings] == ["HF-LOG-008"]
    with pytest.raises(hotfix.InputError):
        hotfix.audit(log, "no digest")
    with pytest.raises(TypeError):
        hotfix.audit(7)  # type: ignore[arg-type]


def test_roll_7_names_are_taken_out_and_the_chain_holds(story: Story) -> None:
    log, head = story.rollout.log(), story.rollout.head
    assert '"personal"' in log
    nobody = hotfix.redact(log.encode())
    assert '"personal"' not in nobody
    assert hotfix.audit(nobody, head).clean
    assert hotfix.Rollout.replay(nobody).state == story.rollout.state
    assert hotfix.redact(nobody) == nobody
    assert hotfix.redact(log, names=[]) == log == hotfix.redact(log, ["nobody at all"])
    for broken in ("", log[:-1], "".join(story.lines[1:])):
        with pytest.raises(hotfix.LogError) as caught:
            hotfix.redact(broken)
        assert caught.value.line is not None
    with pytest.raises(TypeError):
        hotfix.redact(log, "lena")  # type: ignore[arg-type]


def test_roll_7_a_release_is_written_without_its_author() -> None:
    release = {"version": "2.3.1", "previous": "2.3.0", "author": "Lena Ode <lena@example.org>"}
    plan = hotfix.Policy.preset("phased-canary").plan({"id": "INC-2041"}, release)
    rollout = hotfix.Rollout(plan, salt="pepper")
    rollout.handle("2026-03-03T14:40:00Z", {"kind": "note", "by": "omar", "text": "on it"})
    opening = json.loads(rollout.log().splitlines()[0])
    place = "/plan/release/author"
    assert opening["personal"]["values"] == {place: release["author"]}
    digests = [hashlib.sha256(f"pepper\0{part}".encode()).hexdigest() for part in ("Lena Ode", "lena@example.org")]
    assert opening["plan"]["release"]["author"] == f"{digests[0]} <{digests[1]}>"
    again = hotfix.Rollout.replay(hotfix.redact(rollout.log(), names=["lena ode"]))
    assert again.plan.digest == plan.digest
    forged = rollout.log().replace("Lena Ode", "Zoe Ode")
    assert [finding.code for finding in hotfix.audit(forged, rollout.head).findings] == ["HF-LOG-010"]
