"""The Python in docs/log.md checks the log in docs/log.md, and finds what was changed in it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "log.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found.group(1)


def check(log: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    script, path = folder / "check.py", folder / "log.jsonl"
    script.write_text(block("python"), encoding="utf-8")
    path.write_text(log, encoding="utf-8")
    return subprocess.run([sys.executable, script, path], capture_output=True, text=True, check=False)


def test_roll_7_the_page_checks_its_own_log(tmp_path: Path) -> None:
    log = block("json")
    result = check(log, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"intact, head {json.loads(log.splitlines()[-1])['hash']}\n"


def test_roll_7_layout_and_personal_values_may_change(tmp_path: Path) -> None:
    events = [json.loads(line) for line in block("json").splitlines()]
    events[0]["personal"] = None
    lines = [json.dumps(dict(reversed(event.items()))) for event in events]
    # json.dumps writes 2.5e-07, which is the same value but not ECMAScript's spelling: put it right.
    log = "".join(line.replace("e-07", "e-7") + "\n" for line in lines)
    assert check(log, tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [("[3,1000]", "[2,1000]", 2), ('"format":1', '"format":2', 1), ('"seq":1', '"seq":2', 2)],
)
def test_roll_7_the_page_finds_a_change(old: str, new: str, line: int, tmp_path: Path) -> None:
    log = block("json")
    assert old in log
    result = check(log.replace(old, new), tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith(f"line {line}: ")


def test_roll_7_the_page_finds_a_lost_line(tmp_path: Path) -> None:
    log = block("json").splitlines(keepends=True)[1]
    assert check(log, tmp_path).stderr.startswith("line 1: expected prev 000")
