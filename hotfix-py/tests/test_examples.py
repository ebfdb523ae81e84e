"""The examples run, and print what those of the other languages print."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import hotfix

EXAMPLES = Path(__file__).parents[2] / "examples"


DRILLS = sorted((EXAMPLES / "drills").glob("*.toml"))


def run(name: str, *arguments: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    program = EXAMPLES / "python" / f"{name}.py"
    return subprocess.run(
        [sys.executable, "-W", "error", program, *arguments], capture_output=True, text=True, check=check, timeout=60
    )


@pytest.mark.parametrize("name", ["canary_rollback"])
def test_the_log_is_that_of_every_language(name: str) -> None:
    done = run(name)
    assert done.stdout == (EXAMPLES / "expected" / f"{name}.jsonl").read_text()
    assert "clean" in done.stderr
    assert hotfix.audit(done.stdout).clean


def test_sev_5_the_severity_is_explained_as_in_every_language() -> None:
    assert run("explain_severity").stdout == (EXAMPLES / "expected" / "explain_severity.txt").read_text()


def test_the_first_plan_is_s1s_hour() -> None:
    lines = run("first_plan").stdout.splitlines()
    assert lines[0].startswith("INC-2041: 2.3.0 to 2.3.1")
    assert "T+0   14:40 deploy canary" in lines
    assert "T+60  15:40 complete" in lines
    assert lines[-3:] == ["back by feature_flag, 5 s", "back by redeploy, 150 s", "back by git_revert, 900 s"]


def test_post_5_the_ten_drills_come_out_as_their_files_say() -> None:
    assert len(DRILLS) >= 10
    done = run("drill", *DRILLS)
    assert "NOT AS EXPECTED" not in done.stdout
    lines = done.stdout.splitlines()
    assert len(lines) == len(DRILLS)
    for file, line in zip(DRILLS, lines, strict=True):
        document = tomllib.loads(file.read_text())
        name, title, ended = line.split(": ", 1)[0], document["title"], line.rsplit(": ", 1)[1]
        assert (name, title in line) == (file.stem, True)
        assert ended in document["scenario"]["expect"]["ended"]


def test_post_5_a_drill_that_comes_out_otherwise_is_told(tmp_path: Path) -> None:
    text = (EXAMPLES / "drills" / "fast_track_leak.toml").read_text()
    other = tmp_path / "other.toml"
    other.write_text(text.replace('ended = ["rolled_back"]', 'ended = ["complete"]'))
    done = run("drill", other, DRILLS[0], check=False)
    assert done.returncode == 1
    assert done.stdout.splitlines()[1] == "  NOT AS EXPECTED: the run ended in `rolled_back`, not in `complete`"
