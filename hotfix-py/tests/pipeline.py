"""The step of docs/how-to/ci.md in a folder: as a job of its own, or driven by a test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import hotfix
from guides import load, serving

PHASE = 'deploy = "1s", promotion = "no_evidence_of_harm", criteria_missed = "roll_back", gate = "automatic", '
POLICY = f"""
format = 1
name = "quick"
title = "Seconds instead of minutes"
strategy = "canary"
after = ["1s"]
final_validation = {{ watch = "1s", gate = "automatic" }}
rollback = {{ watch = "1s", returned_within = "2s" }}
severities.P1 = {{ label = "high", hotfix = true, approvals = [{{ any_of = ["lead"] }}] }}
roles.lead = {{ title = "lead" }}
phases = [
    {{ {PHASE} name = "half", share = "50%", watch = "2s" }},
    {{ {PHASE} name = "all", share = "100%", watch = "1s" }},
]
[watch]
cadence = "200ms"
window = "1s"
stale = "30s"
least_trials = 10
no_data = {{ after = "60s", then = "ask" }}
[metrics.error_rate]
kind = "proportion"
worse = "higher"
reference = "1%"
success = "10%"
rollback = "30%"
weight = 1.0
"""
PLAN: dict[str, Any] = {
    "policy": "quick.toml",
    "incident": {"id": "INC-2041", "severity": "P1"},
    "release": {"version": "2.3.1", "previous": "2.3.0", "methods": [{"kind": "redeploy", "seconds": 1}]},
}
TICK = {"kind": "tick"}
APPROVED = {"kind": "approve", "by": "iris", "role": "lead"}
START = {"kind": "start", "by": "iris"}
BACK = {"kind": "roll_back", "by": "lena", "why": "a user calls"}


def act(folder: Path, script: str = 'echo "$1" >> acted') -> None:
    """Write `./act`."""
    (folder / "act").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "act").chmod(0o755)


class Folder:
    """A folder with a policy, a plan, an inbox, and an `./act` that writes down how it was called."""

    def __init__(self, folder: Path, policy: str = POLICY) -> None:
        self.folder, self.log, self.inbox = folder, folder / "log.jsonl", folder / "inbox"
        (folder / "quick.toml").write_text(policy)
        (folder / "plan.json").write_text(json.dumps(PLAN))
        act(folder)
        self.inbox.mkdir()

    def acted(self) -> list[str]:
        file = self.folder / "acted"
        return file.read_text().split() if file.exists() else []

    def put(self, name: str, document: dict[str, Any] | str, second: int | None = None) -> Path:
        """Write a file of the inbox, perhaps with a time of its own."""
        file = self.inbox / name
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        if second is not None:
            os.utime(file, (second, second))
        return file


class Job(Folder):
    """A job of a pipeline: the step in a process of its own. The plan is approved by a file in the inbox."""

    def __init__(self, folder: Path, url: str, policy: str = POLICY) -> None:
        super().__init__(folder, policy)
        self.url, self.printed = url, ""
        self.put("1.json", APPROVED)

    def start(self, minutes: float = 2, **more: str) -> subprocess.Popen[str]:
        environment = {"PATH": os.environ["PATH"], "HOTFIX_SALT": "pepper", "HOTFIX_CADENCE": "0.2"} | more
        environment |= {"HOTFIX_MINUTES": str(minutes)} | ({"PROMETHEUS": self.url} if self.url else {})
        environment |= {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
        command = [sys.executable, "hotfix_step.py", "plan.json", str(self.log), str(self.inbox)]
        out = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=out, stderr=subprocess.STDOUT, text=True
        )

    def end(self, job: subprocess.Popen[str]) -> int:
        self.printed, _ = job.communicate(timeout=60)
        return job.returncode

    def run(self, minutes: float = 2, **more: str) -> int:
        with self.start(minutes, **more) as job:
            return self.end(job)

    def wait_for(self, action: str) -> None:
        for _ in range(1200):
            if action in self.acted():
                return
            time.sleep(0.05)
        raise AssertionError(f"no {action} within a minute")

    def audit(self) -> str:
        """The state that the log gives, after a check of all of it."""
        text = self.log.read_bytes()
        rollout = hotfix.Rollout.replay(text)
        assert hotfix.audit(text, rollout.head).clean
        return rollout.state


def prometheus(errors: float, buckets: str = "0.25") -> Callable[[str], str]:
    """Answers queries for counters that grow by 1,000 requests a second, of which the canary fails this share."""
    began = time.time()

    def answer(path: str) -> str:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query)["query"][0]
        requests = round(1000 * (time.time() - began))
        rows: list[dict[str, Any]] = []
        for version, share in (("2.3.1", errors), ("2.3.0", 0.012), ("2.3.2", 0.5)):
            labels = {"version": version, "instance": "one"}
            if "_bucket" in query:
                first = buckets if version == "2.3.1" else "0.25"
                rows += [{"metric": {**labels, "le": le}, "value": [0, str(requests)]} for le in (first, "+Inf")]
            else:
                value = requests * share if "5.." in query else requests
                rows.append({"metric": labels, "value": [0, str(round(value))]})
        return json.dumps({"status": "success", "data": {"result": rows}})

    return answer


@contextmanager
def pipeline(
    folder: Path,
    errors: float = 0.01,
    answer: Callable[[str], str | bytes] | None = None,
    policy: str = POLICY,
) -> Iterator[Job]:
    """A job with a Prometheus of its own."""
    with serving(answer or prometheus(errors)) as port:
        yield Job(folder, f"http://127.0.0.1:{port}", policy)


class ByHand(Folder):
    """A step of this process, whose clock and turns are the test's."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, policy: str = POLICY) -> None:
        super().__init__(folder, policy)
        monkeypatch.setenv("HOTFIX_SALT", "pepper")
        monkeypatch.setenv("HOTFIX_CADENCE", "0.05")
        self.module, self.clock = load("hotfix_step"), datetime(2026, 3, 3, 14, 40, tzinfo=UTC)

        class Clock:
            @staticmethod
            def now(_: object) -> datetime:
                return self.clock

        monkeypatch.setattr(self.module, "datetime", Clock)
        self.open()
        self.step.send(TICK)

    def open(self) -> None:
        self.step = self.module.Step(self.folder / "plan.json", self.log, self.inbox)

    def crash(self) -> None:
        """Begin again from the log, as the next job does."""
        self.end()
        os.close(self.step.log.fd)
        self.open()

    def end(self) -> None:
        for running in self.step.running.values():
            running.end()

    def send(self, *documents: dict[str, Any]) -> None:
        for document in documents:
            self.step.send(document)
        self.settle()

    def settle(self) -> None:
        """Wait for `./act`."""
        self.step.work()
        while self.step.running:
            time.sleep(0.01)
            self.step.work()

    def people(self) -> None:
        self.step.people()
        self.settle()

    def later(self, **time: float) -> None:
        self.clock += timedelta(**time)
