"""The examples run, and print what those of the other languages print."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import hotfix

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str) -> subprocess.CompletedProcess[str]:
    program = EXAMPLES / "python" / f"{name}.py"
    return subprocess.run(
        [sys.executable, "-W", "error", program], capture_output=True, text=True, check=True, timeout=60
    )


@pytest.mark.parametrize("name", ["canary_rollback"])
def test_the_log_is_that_of_every_language(name: str) -> None:
    done = run(name)
    assert done.stdout == (EXAMPLES / "expected" / f"{name}.jsonl").read_text()
    assert "clean" in done.stderr
    assert hotfix.audit(done.stdout).is_clean


def test_sev_5_the_severity_is_explained_as_in_every_language() -> None:
    assert run("explain_severity").stdout == (EXAMPLES / "expected" / "explain_severity.txt").read_text()


def test_the_first_plan_is_s1s_hour() -> None:
    lines = run("first_plan").stdout.splitlines()
    assert lines[0].startswith("INC-2041: 2.3.0 to 2.3.1")
    assert "T+0   14:40 deploy canary" in lines
    assert "T+60  15:40 complete" in lines
    assert lines[-3:] == ["back by feature_flag, 5 s", "back by redeploy, 150 s", "back by git_revert, 900 s"]
