"""docs/how-to/log.md: the file and the table that keep a log."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

import hotfix
from guides import load
from story import INCIDENT, RELEASE, START, make_plan

NOTE = {"kind": "note", "by": "lena", "text": "seen"}


def new() -> hotfix.Rollout:
    return hotfix.Rollout(make_plan("standard"), keep_log=False)


@pytest.fixture
def module(folder: Path) -> Any:
    assert folder.exists()
    return load("hotfix_log")


def begin(module: Any, path: Path) -> Any:
    log, rollout = module.open_rollout(path, new)
    log.append(rollout.handle(START, NOTE).events)
    return log


def test_roll_7_a_second_process_does_not_get_the_log(module: Any, tmp_path: Path) -> None:
    log = begin(module, tmp_path / "log.jsonl")
    with pytest.raises(BlockingIOError):
        module.open_rollout(tmp_path / "log.jsonl", new)
    assert log.read()


def test_roll_7_a_torn_line_is_cut_and_the_log_goes_on(module: Any, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"at":"2026-0')  # not even the first line is whole
    log = begin(module, path)
    whole = path.read_bytes()
    log.append(['{"at":"2026-0'])
    module.os.close(log.fd)
    log, rollout = module.open_rollout(path, new)
    assert (path.read_bytes(), rollout.dropped) == (whole, 13)
    log.append(rollout.handle(START, NOTE).events)
    assert hotfix.audit(path.read_bytes(), rollout.head).clean
    assert len(path.read_bytes().splitlines()) == len(whole.splitlines()) + 1


def test_roll_7_a_damaged_log_is_an_error(module: Any, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    module.os.close(begin(module, path).fd)
    path.write_bytes(path.read_bytes().replace(b'"seen"', b'"read"'))
    with pytest.raises(hotfix.LogError):
        module.open_rollout(path, new)


def test_roll_7_of_two_writers_of_a_table_one_is_refused(folder: Path) -> None:
    table = load("hotfix_table")
    one, two = table.connect(str(folder / "log.db")), table.connect(str(folder / "log.db"))
    first = new()
    table.append(one, INCIDENT["id"], first.handle(START, NOTE).events)
    second = hotfix.Rollout.recover(table.read(two, INCIDENT["id"]))
    table.append(one, INCIDENT["id"], first.handle(START, NOTE).events)
    with pytest.raises(sqlite3.IntegrityError):
        table.append(two, INCIDENT["id"], second.handle(START, NOTE).events)
    again = hotfix.Rollout.recover(table.read(two, INCIDENT["id"]))
    assert again.head == first.head
    release = again.plan.release
    assert release is not None
    assert release["version"] == RELEASE["version"]
    one.close()
    two.close()


def test_roll_7_logs_are_read_with_a_new_release(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """docs/how-to/upgrade.md."""
    replay = load("replay_logs")
    path = folder / "log.jsonl"
    rollout = hotfix.Rollout(make_plan("standard"))
    rollout.handle(START, NOTE)
    path.write_text(rollout.log())
    assert replay.main([str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: drafted, 0 findings\n"
    torn, broken = folder / "torn.jsonl", folder / "broken.jsonl"
    torn.write_text(rollout.log() + '{"at":"2026-0')
    broken.write_text("no log\n")
    assert replay.main([str(folder / "gone"), str(broken), str(torn), str(path)]) == 2
    gone, first, *others = capsys.readouterr().out.splitlines()
    assert gone.endswith("[not read]")
    assert first.startswith(f"{broken}: ")
    assert first.endswith("[HF-JSON-007]")
    assert others == [
        f"{torn}: drafted, 0 findings, without the 13 bytes of an incomplete last line",
        f"{path}: drafted, 0 findings",
    ]
