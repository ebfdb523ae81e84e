"""docs/how-to/ci.md and migrate.md: the step runs, is killed, and goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
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
import yaml

import hotfix
from guides import DOCS, load, of, serving

POLICY = """
format = 1
name = "quick"
title = "Seconds instead of minutes"
strategy = "canary"
after = ["1s"]
final_validation = { watch = "1s", gate = "automatic" }
rollback = { watch = "1s", returned_within = "2s" }
severities.P1 = { label = "high", hotfix = true, approvals = [{ any_of = ["lead"] }] }
roles.lead = { title = "lead" }

[watch]
cadence = "200ms"
window = "1s"
stale = "30s"
least_trials = 10
no_data = { after = "60s", then = "ask" }

[[phases]]
name = "half"
share = "50%"
deploy = "1s"
watch = "2s"
promotion = "no_evidence_of_harm"
criteria_missed = "roll_back"
gate = "automatic"

[[phases]]
name = "all"
share = "100%"
deploy = "1s"
watch = "1s"
promotion = "no_evidence_of_harm"
criteria_missed = "roll_back"
gate = "automatic"

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
APPROVED = {"kind": "approve", "by": "iris", "role": "lead"}


class Pipeline:
    """A job of a pipeline: the step, in a folder, with metrics of a fault of this size."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.log, self.inbox, self.acted = folder / "log.jsonl", folder / "inbox", folder / "acted"
        (folder / "quick.toml").write_text(POLICY)
        (folder / "plan.json").write_text(json.dumps(PLAN))
        (folder / "act").write_text(f'#!/bin/sh\necho "$1" >> {self.acted}\n')
        self.inbox.mkdir()
        (self.inbox / "1.json").write_text(json.dumps(APPROVED))
        self.printed = ""

    def start(self, minutes: float = 2, **more: str) -> subprocess.Popen[str]:
        environment = {
            **more,
            **({"PROMETHEUS": self.url} if self.url else {}),
            "HOTFIX_SALT": "pepper",
            "HOTFIX_CADENCE": "0.2",
            "HOTFIX_MINUTES": str(minutes),
        }
        command = [sys.executable, "hotfix_step.py", "plan.json", str(self.log), str(self.inbox)]
        out = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=out, stderr=subprocess.STDOUT, text=True
        )

    def run(self, minutes: float = 2, **more: str) -> int:
        with self.start(minutes, **more) as job:
            self.printed, _ = job.communicate(timeout=120)
            return job.returncode

    def wait_for(self, action: str) -> None:
        for _ in range(1200):
            if self.acted.exists() and action in self.acted.read_text():
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
    folder: Path, errors: float = 0.01, answer: Callable[[str], str | bytes] | None = None
) -> Iterator[Pipeline]:
    with serving(answer or prometheus(errors)) as port:
        here = Pipeline(folder, f"http://127.0.0.1:{port}")
        (folder / "act").chmod(0o755)
        yield here


@pytest.mark.parametrize(
    ("errors", "code", "state", "last"),
    [(0.01, 0, "closed", "set_traffic"), (0.5, 3, "rolled_back", "roll_back")],
)
def test_roll_2_a_job_ends_with_the_code_of_the_rollout(
    folder: Path, errors: float, code: int, state: str, last: str
) -> None:
    with pipeline(folder, errors) as job:
        assert job.run() == code
        assert job.audit() == state
        *_, why, end = job.printed.splitlines()
        assert why.startswith("error_rate: ")  # it says why
        assert end.startswith(f"{state} log head ")
        assert job.acted.read_text().split()[-1] == "notify"  # messages are sent although the change is confirmed
        awaited = [kind for kind in job.acted.read_text().split() if kind in ("deploy", "set_traffic", "roll_back")]
        assert (awaited[0], awaited[-1]) == ("deploy", last)
        assert [file.name for file in (job.inbox / "sent").iterdir()] == ["1.json"]
        assert job.run() == code  # run again, it says the same and does nothing
        assert job.acted.read_text().split().count("deploy") == awaited.count("deploy")


def test_roll_7_a_job_that_dies_is_taken_up_by_the_next(folder: Path) -> None:
    with pipeline(folder) as job:
        first = job.start()
        job.wait_for("set_traffic")
        assert job.run() == 75  # a second job, meanwhile, ends at once
        first.send_signal(signal.SIGKILL)
        first.communicate()
        with job.log.open("ab") as log:
            log.write(b'{"at":"2026-0')  # in the middle of a line
        assert job.run(0) == 75  # it has no time left
        assert job.run() == 0
        assert job.audit() == "closed"


def test_roll_7_messages_that_a_crash_left_are_sent_before_the_inbox_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, _, acted = by_hand(folder, monkeypatch, POLICY)
    with monkeypatch.context() as crash:  # the line is written, and nothing is done
        crash.setattr(step, "do", lambda _: None)
        step.send({"kind": "tick"})
    (folder / "inbox" / "1.json").write_text('{"kind": "note", "by": "lena", "text": "looking"}')
    for _ in range(2):
        os.close(step.log.fd)
        step = type(step)(folder / "plan.json", folder / "log.jsonl", folder / "inbox")
        assert step.run(0) == 75
        assert step.rollout.last_actions() == []  # the note is the last line
        assert acted().split() == ["request_approval"]


def test_roll_7_a_message_that_was_sent_is_not_sent_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step, _, acted = by_hand(folder, monkeypatch, POLICY)
    step.send({"kind": "tick"})
    os.close(step.log.fd)
    again = type(step)(folder / "plan.json", folder / "log.jsonl", folder / "inbox")
    assert again.run(0) == 75
    assert acted().split() == ["request_approval"]


def test_roll_2_a_job_watches_until_the_rollout_is_closed(folder: Path) -> None:
    with pipeline(folder) as job:
        (folder / "quick.toml").write_text(POLICY.replace('after = ["1s"]', 'after = ["1h"]'))
        assert job.run(HOTFIX_UNTIL="complete") == 0
        assert job.audit() == "complete"
        lines = job.log.read_text().splitlines()
        assert job.run(0.05) == 75  # the job that watches from then on
        assert job.audit() == "complete"
        later = [json.loads(line)["kind"] for line in job.log.read_text().splitlines()[len(lines) :]]
        assert len(later) > 3
        assert set(later) == {"observe"}


def test_roll_2_a_late_fault_is_rolled_back_by_the_job_that_watches(folder: Path) -> None:
    good, bad = prometheus(0.01), prometheus(0.5)
    fails = False
    with pipeline(folder, answer=lambda path: (bad if fails else good)(path)) as job:
        (folder / "quick.toml").write_text(POLICY.replace('after = ["1s"]', 'after = ["1h"]'))
        assert job.run(HOTFIX_UNTIL="complete") == 0
        fails = True
        assert job.run() == 3
        assert job.audit() == "rolled_back"


def test_roll_2_a_fix_that_another_one_replaces_is_closed_without_readings(folder: Path) -> None:
    with pipeline(folder) as job:
        policy = POLICY.replace('after = ["1s"]', 'after = ["20s"]').replace('"30s"', '"3s"').replace('"60s"', '"3s"')
        (folder / "quick.toml").write_text(policy)
        assert job.run(HOTFIX_UNTIL="complete") == 0
        job.url = ""  # the metrics are those of the second fix now
        asked = job.acted.read_text().count("ask_decision")
        with job.start() as running:
            job.wait_for("ask_decision")
            answer = {"kind": "promote", "by": "lena", "why": "2.4.0 of INC-2055 replaces it"}
            (job.inbox / "2.json").write_text(json.dumps(answer))
            running.communicate(timeout=120)
            assert running.returncode == 0
        assert job.audit() == "closed"
        acted = job.acted.read_text()
        assert acted.count("ask_decision") == asked + 1
        assert "roll_back" not in acted


def test_roll_2_a_deployment_that_fails_before_any_traffic_pages_nobody(folder: Path) -> None:
    with pipeline(folder) as job:
        (folder / "act").write_text('#!/bin/sh\n[ "$1" != deploy ]\n')
        assert job.run() == 3
        assert job.audit() == "failed"


@pytest.mark.parametrize("text", ["[]", "null", '"roll_back"', "3", "[" * 100_000, "{", "\ufffd", '{"kind": 5}'])
def test_roll_4_a_file_that_is_no_input_is_skipped(folder: Path, text: str) -> None:
    with pipeline(folder) as job:
        (job.inbox / "0.json").write_text(text)
        assert job.run(0.05) == 75
        assert "0.json: " in job.printed
        assert sorted(file.name for file in (job.inbox / "sent").iterdir()) == ["0.json", "1.json"]


def test_roll_4_a_person_rolls_back_through_the_inbox(folder: Path) -> None:
    with pipeline(folder) as job:
        first = job.start()
        job.wait_for("set_traffic")
        (job.inbox / "2.json").write_text('{"kind": "roll_ba')  # not a document: it is skipped
        (job.inbox / "3.json").write_text(json.dumps({"kind": "roll_back", "by": "lena", "why": "a user calls"}))
        printed, _ = first.communicate(timeout=120)
        assert first.returncode == 3
        assert "2.json: " in printed
        assert job.audit() == "rolled_back"


def test_roll_4_a_file_that_is_delivered_again_is_not_acted_on_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, now = load("hotfix_step"), datetime(2026, 3, 3, 14, 40, tzinfo=UTC)

    class Clock:
        @staticmethod
        def now(_: object) -> datetime:
            return now

    monkeypatch.setattr(module, "datetime", Clock)
    monkeypatch.setenv("HOTFIX_SALT", "pepper")
    (folder / "act").write_text("#!/bin/sh\n(cat && echo) >> acted\n")
    (folder / "act").chmod(0o755)
    (folder / "quick.toml").write_text(POLICY.replace('"automatic"', '"manual"'))
    (folder / "plan.json").write_text(json.dumps(PLAN))
    step = module.Step(folder / "plan.json", folder / "log.jsonl", folder / "inbox")

    def deliver(name: str, **document: str) -> None:
        (folder / "inbox" / name).write_text(json.dumps({"by": "iris", **document}))
        step.people()

    def watch() -> None:
        nonlocal now
        for _ in range(20):
            now += timedelta(milliseconds=200)
            step.send({"kind": "observe", "metrics": {"error_rate": {"canary": [1, 100], "baseline": [1, 100]}}})

    step.send({"kind": "tick"})
    deliver("0.json", **APPROVED)
    deliver("1.json", kind="start")
    watch()
    deliver("2.json", kind="promote")
    watch()
    deliver("3.json", kind="promote")
    assert step.rollout.state == "final_validation"
    before = (folder / "acted").read_text()
    acted = [json.loads(line) for line in before.splitlines()]
    assert [action["share"] for action in acted if action["kind"] == "set_traffic"] == [0.5, 1]
    deliver("2.json", kind="promote")
    assert ((folder / "acted").read_text(), step.rollout.state) == (before, "final_validation")


def by_hand(
    folder: Path, monkeypatch: pytest.MonkeyPatch, policy: str
) -> tuple[Any, list[datetime], Callable[[], str]]:
    """A step that the test drives, its clock, and what it acted on."""
    module, clock = load("hotfix_step"), [datetime(2026, 3, 3, 14, 40, tzinfo=UTC)]

    class Clock:
        @staticmethod
        def now(_: object) -> datetime:
            return clock[0]

    monkeypatch.setattr(module, "datetime", Clock)
    monkeypatch.setenv("HOTFIX_SALT", "pepper")
    (folder / "acted").touch()
    (folder / "act").write_text('#!/bin/sh\necho "$1" >> acted\n')
    (folder / "act").chmod(0o755)
    (folder / "quick.toml").write_text(policy)
    (folder / "plan.json").write_text(json.dumps(PLAN))
    step = module.Step(folder / "plan.json", folder / "log.jsonl", folder / "inbox")
    return step, clock, (folder / "acted").read_text


LATENCY = """
[metrics.latency_p95]
kind = "latency"
worse = "higher"
quantile = 0.95
boundaries = ["250ms"]
success = "250ms"
model = "none"
"""


def test_field_3_a_metric_that_cannot_be_read_stops_no_rollback(folder: Path) -> None:
    """The fix has other buckets than the live version, and fails."""
    with pipeline(folder, answer=prometheus(0.5, buckets="0.2")) as job:
        (folder / "quick.toml").write_text(POLICY + LATENCY)
        assert job.run() == 3, job.printed
        assert "of `latency_p95` lacks buckets" in job.printed
        assert job.audit() == "rolled_back"


def test_field_3_time_passes_while_every_reading_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = POLICY.replace('after = "60s"', 'after = "2s"')
    step, clock, acted = by_hand(folder, monkeypatch, policy)

    class Source:
        @staticmethod
        def read(_: float) -> dict[str, Any]:
            return {"error_rate": {"canary": [9, 1], "baseline": [1, 100]}}  # more errors than requests

    monkeypatch.setattr(step, "follow_release", lambda: None)
    step.source = Source()
    step.send({"kind": "tick"})
    for document in (APPROVED, {"kind": "start", "by": "iris"}):
        step.send(document)
    assert step.rollout.state == "monitoring"
    for _ in range(20):
        clock[0] += timedelta(milliseconds=200)
        step.metrics()
    assert step.rollout.now == clock[0]
    assert "ask_decision" in acted()


def test_roll_4_a_rollback_in_the_inbox_comes_before_what_a_dead_job_left(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, _, acted = by_hand(folder, monkeypatch, POLICY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, "act", lambda _: None)  # the job dies before it has done anything
        for document in ({"kind": "tick"}, APPROVED, {"kind": "start", "by": "iris"}):
            step.send(document)
    assert [action.kind for action in step.rollout.pending_actions()] == ["deploy"]
    (folder / "inbox" / "stop.json").write_text(json.dumps({"kind": "roll_back", "by": "lena", "why": "a user calls"}))
    monkeypatch.setattr(step, "metrics", lambda: None)
    step.run(0)
    assert not {"deploy", "set_traffic"} & set(acted().split())
    assert step.rollout.state not in ("deploying", "monitoring")


def test_roll_4_a_pause_in_the_inbox_keeps_the_traffic_that_a_dead_job_left(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, clock, acted = by_hand(folder, monkeypatch, POLICY)
    act = step.act
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, "act", lambda action: act(action) if action.kind == "deploy" else None)
        for document in ({"kind": "tick"}, APPROVED, {"kind": "start", "by": "iris"}):
            step.send(document)
    assert [action.kind for action in step.rollout.pending_actions()] == ["set_traffic"]
    (folder / "inbox" / "pause.json").write_text(json.dumps({"kind": "pause", "by": "lena", "why": "the database"}))
    step.people()
    step.do(step.pending())
    assert (step.rollout.state, acted().split().count("set_traffic")) == ("paused", 0)
    clock[0] += timedelta(seconds=1)
    (folder / "inbox" / "resume.json").write_text(json.dumps({"kind": "resume", "by": "lena"}))
    step.people()
    step.do(step.pending())
    assert (step.rollout.state, acted().split().count("set_traffic")) == ("monitoring", 1)
    assert step.pending() == []


def test_principle_5_a_name_in_the_inbox_may_be_used_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step, clock, _ = by_hand(folder, monkeypatch, POLICY)
    for document in ({"kind": "tick"}, APPROVED, {"kind": "start", "by": "iris"}):
        step.send(document)
    inbox = folder / "inbox"
    for by, why, kind in (("omar", "slow", "pause"), ("omar", "fine", "resume"), ("iris", "charged twice", "pause")):
        clock[0] += timedelta(milliseconds=100)
        file = inbox / f"{kind}.json"
        file.write_text(json.dumps({"kind": kind, "by": by, "why": why}))
        read = file.read_bytes(), file.stat().st_mtime_ns
        step.people()
        before = step.rollout.head
        file.write_bytes(read[0])  # the same file again, as after a crash
        os.utime(file, ns=(read[1], read[1]))
        step.people()
        assert step.rollout.head == before
    assert step.rollout.state == "paused"


def test_principle_8_a_file_that_cannot_be_opened_stays_and_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    step, _, _ = by_hand(folder, monkeypatch, POLICY)
    step.send({"kind": "tick"})
    (folder / "inbox" / "a.json").mkdir()
    (folder / "inbox" / "b.json").symlink_to("nowhere")
    (folder / "inbox" / "c.json").write_text(json.dumps({"kind": "note", "by": "iris", "text": "on it"}))
    step.people()
    printed = capsys.readouterr().out
    assert "a.json: " in printed
    assert "b.json: " in printed
    assert (folder / "inbox" / "a.json").exists()
    assert (folder / "inbox" / "sent" / "c.json").exists()


def test_principle_5_what_a_clock_that_steps_back_refuses_is_sent_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, clock, acted = by_hand(folder, monkeypatch, POLICY)
    act, back = step.act, timedelta(seconds=2)

    def slow(action: hotfix.Action) -> Any:
        if action.kind == "deploy":
            clock[0] -= back
        return act(action)

    monkeypatch.setattr(step, "act", slow)
    for document in ({"kind": "tick"}, APPROVED, {"kind": "start", "by": "iris"}):
        step.send(document)
    assert (step.rollout.state, len(step.answers)) == ("deploying", 1)
    (folder / "inbox" / "hold.json").write_text(json.dumps({"kind": "note", "by": "iris", "text": "on it"}))
    step.people()
    assert (folder / "inbox" / "hold.json").exists()
    clock[0] += 2 * back
    step.send({"kind": "tick"})
    assert (step.rollout.state, step.answers) == ("monitoring", [])
    step.people()
    assert (folder / "inbox" / "sent" / "hold.json").exists()
    assert acted().split().count("deploy") == 1


def test_field_9_the_metrics_of_another_release_are_read(folder: Path) -> None:
    with pipeline(folder) as job:
        first = job.start()
        job.wait_for("set_traffic")
        release = PLAN["release"] | {"version": "2.3.2"}  # which fails
        other = {"kind": "supersede", "by": "lena", "why": "a better fix", "release": release}
        (job.inbox / "2.json").write_text(json.dumps(other))
        (job.inbox / "3.json").write_text(json.dumps(APPROVED))
        printed, _ = first.communicate(timeout=120)
        assert first.returncode == 3, printed
        assert job.audit() == "rolled_back"


def test_field_3_an_answer_that_is_not_of_prometheus_is_no_reading(folder: Path) -> None:
    good, asked = prometheus(0.01), 0
    bad: list[str | bytes] = [
        "<html>",
        "[]",
        '{"status": "error"}',
        '{"data": null}',
        '{"data": {"result": [{}]}}',
        b"\xff",
    ]

    def answer(path: str) -> str | bytes:
        nonlocal asked
        asked += 1
        return bad[asked // 2 % len(bad)] if asked < 24 else good(path)

    with pipeline(folder, answer=answer) as job:
        assert job.run() == 0
        assert job.printed.count("no metrics: ") >= len(bad)
        assert job.audit() == "closed"


def test_roll_7_a_plan_of_another_incident_is_not_run(folder: Path) -> None:
    with pipeline(folder) as job:
        assert job.run(INCIDENT="INC-2042") == 1
        assert "INC-2041, and INCIDENT is INC-2042" in job.printed
        assert not job.log.exists()
        assert job.run(0, INCIDENT="INC-2041") == 75
        other = PLAN | {"incident": {"id": "INC-2042", "severity": "P1"}}
        (folder / "plan.json").write_text(json.dumps(other))
        before = job.log.read_bytes()
        assert job.run() == 1
        assert "is the plan of INC-2042, and " in job.printed
        assert job.log.read_bytes() == before


def test_roll_7_the_lock_of_a_pipeline_is_that_of_its_incident() -> None:
    """Another incident does not wait for the watch of the first one."""
    locks: list[str] = []
    for block in of("yaml"):
        match yaml.safe_load(block.text):
            case {"jobs": {"rollout": {"concurrency": {"group": lock}}}}:
                locks.append(lock)
            case {"hotfix": {"resource_group": lock}}:
                locks.append(lock)
            case {"spec": {"synchronization": {"mutexes": [{"name": lock}]}}}:
                locks.append(lock)
    assert locks == [
        "hotfix-${{ matrix.incident }}",
        "hotfix-$INCIDENT",
        "hotfix-{{workflow.parameters.incident}}",
    ]
    (jenkins,) = of("groovy")
    assert "disableConcurrentBuilds" not in jenkins.text


def test_gate_1_what_blocks_the_start_is_printed_when_it_changes(folder: Path) -> None:
    with pipeline(folder) as job:
        (job.inbox / "1.json").unlink()
        assert job.run(0.05) == 75
        assert job.printed.count("blocked by:") == 1
        assert "the approval of `lead` is missing" in job.printed


def test_gate_2_the_files_of_the_inbox_clear_what_blocks_a_p1(folder: Path) -> None:
    assert folder.exists()
    page = DOCS / "how-to" / "ci.md"
    plan, *inputs = [json.loads(block.text) for block in of("json") if block.page == page]
    policy = hotfix.Policy.preset("standard")
    rollout = hotfix.Rollout(policy.plan(plan["incident"], plan["release"], plan["traffic"]))
    for at, document in enumerate(inputs):
        rollout.handle(f"2026-03-03T14:31:0{at}Z", document)
    assert (rollout.state, rollout.blockers()) == ("ready", [])


def test_post_1_the_report_is_written_to_the_page_of_the_job(folder: Path) -> None:
    with pipeline(folder) as job:
        assert job.run() == 0
        (github,) = [block for block in of("yaml") if "GITHUB_STEP_SUMMARY" in block.text]
        script = yaml.safe_load(github.text)["jobs"]["rollout"]["steps"][-1]["run"]
        here = script.replace("/srv/hotfix/$INCIDENT", str(folder)).replace("python -c", f"{sys.executable} -c")
        summary = folder / "summary.md"
        with job.log.open("ab") as log:
            log.write(b'{"at":"2026-0')  # the runner was killed
        subprocess.run(["/bin/sh", "-eu", "-c", here], env={"GITHUB_STEP_SUMMARY": str(summary)}, check=True)
        assert "INC-2041" in summary.read_text().splitlines()[0]


@pytest.mark.skipif(shutil.which("jq") is None or shutil.which("curl") is None, reason="jq or curl is not installed")
def test_the_program_for_http_calls_the_service(folder: Path) -> None:
    calls: list[str] = []

    def answer(path: str) -> str:
        calls.append(path)
        return ""

    with serving(answer) as port:
        environment = {"PATH": "/usr/bin:/bin", "SERVICE": f"http://127.0.0.1:{port}"}
        actions: dict[str, dict[str, object]] = {
            "deploy": {"version": "2.3.1"},
            "set_traffic": {"share": 0.1},
            "roll_back": {"version": "2.3.0"},
        }
        for kind, action in actions.items():
            document = json.dumps({"kind": kind, "id": "7.0", **action})
            command = ["./act_http", kind]
            subprocess.run(command, input=document, text=True, env=environment, cwd=folder, check=True)
        called = ["/deploy?version=2.3.1", "/traffic?share=0.1", "/roll_back?version=2.3.0"]
        assert calls == called
        (folder / "curl").symlink_to(str(shutil.which("curl")))
        (folder / "cat").symlink_to(str(shutil.which("cat")))
        for document, path in (("{}", environment["PATH"]), ('{"version": "2.3.1"}', str(folder))):  # no value; no jq
            done = subprocess.run(
                ["./act_http", "deploy"], input=document, text=True, env=environment | {"PATH": path}, cwd=folder
            )
            assert done.returncode != 0
        assert calls == called


# A `kubectl` with one Rollout of the steps 10%, 50% and 100%, each with a pause.
KUBECTL = """#!/usr/bin/python3
import json, pathlib, re, sys
place = pathlib.Path(__file__).with_name("rollout.json")
now, words = json.loads(place.read_text()), sys.argv[1:]
asked = " ".join(words)
with place.with_name("calls").open("a") as calls:
    print(asked, file=calls)
if image := re.search("set image payments app=registry.example.org/payments:(.*)", asked):
    if image[1] != now["current"]:
        now |= {"current": image[1], "generation": now["generation"] + 1}
        now |= {"weight": 10, "phase": "Paused"} if image[1] != now["stable"] else {"weight": 0, "phase": "Healthy"}
elif asked == "argo rollouts abort payments":
    now |= {"weight": 0, "phase": "Degraded"}
elif asked.startswith("argo rollouts promote payments"):
    steps = {0: 0, 10: 50, 50: 100}
    now["weight"] = 100 if "--full" in words else steps[now["weight"]]
    if now["weight"] == 100:  # the update is complete
        now |= {"stable": now["current"], "weight": 0, "phase": "Healthy"}
else:
    names = {
        "metadata.generation": "generation", "status.observedGeneration": "generation", "status.phase": "phase",
        "status.currentPodHash": "current", "status.stableRS": "stable",
        "status.canary.weights.canary.weight": "weight", "spec.strategy.canary.trafficRouting": "routing",
    }
    path, wanted = re.search("jsonpath={.(.*)}=?(.*)", asked).groups()
    found = str(now[names[path]])
    if words[0] == "get":
        print(found, end="")
    else:
        assert words[0] == "wait" and found == wanted, (asked, found)
place.write_text(json.dumps(now))
"""


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_the_program_for_argo_rollouts_moves_what_it_confirms(folder: Path) -> None:
    (folder / "kubectl").write_text(KUBECTL)
    (folder / "kubectl").chmod(0o755)
    state = folder / "rollout.json"

    before = {"current": "2.3.0", "stable": "2.3.0", "weight": 0, "phase": "Healthy", "generation": 7, "routing": "{}"}

    def run(kind: str, **action: object) -> subprocess.CompletedProcess[str]:
        document = json.dumps({"kind": kind, "id": "7.0", **action})
        environment = {"PATH": f"{folder}:/usr/bin:/bin"}
        return subprocess.run(["./act", kind], input=document, text=True, env=environment, capture_output=True)

    def act(kind: str, **action: object) -> tuple[str, str, int]:
        for _ in range(2):  # each case may be repeated
            done = run(kind, **action)
            assert done.returncode == 0, done.stderr
        now = json.loads(state.read_text())
        return now["current"], now["stable"], now["weight"]

    def deploy() -> None:
        state.write_text(json.dumps(before))
        assert act("deploy", version="2.3.1") == ("2.3.1", "2.3.0", 10)
        assert act("set_traffic", share=0.1) == ("2.3.1", "2.3.0", 10)  # it has this share already

    # Rolled back during the update, and after it.
    deploy()
    assert act("set_traffic", share=0.5) == ("2.3.1", "2.3.0", 50)
    assert act("roll_back", version="2.3.0", method="platform") == ("2.3.0", "2.3.0", 0)
    deploy()
    assert act("set_traffic", share=0.5) == ("2.3.1", "2.3.0", 50)
    assert act("set_traffic", share=1) == ("2.3.1", "2.3.1", 0)
    assert act("roll_back", version="2.3.0", method="platform") == ("2.3.0", "2.3.0", 0)
    # Another release takes its place.
    deploy()
    assert act("set_traffic", share=0) == ("2.3.1", "2.3.0", 0)

    # Without traffic routing Argo has no weight: nothing is deployed or promoted.
    (folder / "calls").unlink()
    actions: dict[str, dict[str, object]] = {"deploy": {"version": "2.3.1"}, "set_traffic": {"share": 0.1}}
    for kind, action in actions.items():
        state.write_text(json.dumps(before | {"weight": "", "routing": ""}))
        done = run(kind, **action)
        assert done.returncode == 1
        assert done.stderr.endswith("it needs trafficRouting, and nothing was moved\n")
    assert all(call.startswith("get rollout payments") for call in (folder / "calls").read_text().splitlines())


FLAGGER = """
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: podinfo}
spec:
  analysis:
    interval: 1m
    threshold: 5
    maxWeight: 50
    stepWeight: 25
    metrics: [{name: request-success-rate, thresholdRange: {min: 99}}]
"""


class Flagger:
    """What `advanceCanary` of Flagger does at each interval, after its source (15bd6ad5), without metrics."""

    def __init__(self, ask: Callable[[str, str], int]) -> None:
        self.ask, self.phase, self.weight = ask, "Initialized", 0

    def passes(self, webhook: str, phase: str = "Progressing") -> bool:
        return self.ask(webhook, phase) == 200

    def advance(self) -> None:
        match self.phase:
            case "Initialized" | "Waiting":
                self.phase = "Progressing" if self.passes("confirm-rollout", self.phase) else "Waiting"
            case "Progressing" | "WaitingPromotion" if self.passes("rollback", self.phase):
                self.phase, self.weight = "Failed", 0
                self.passes("post-rollout", "Failed")
            case "Progressing" | "WaitingPromotion":
                self.move()
            case "Promoting":
                self.phase, self.weight = "Finalising", 0
            case "Finalising":
                self.phase = "Succeeded"
                self.passes("post-rollout", "Succeeded")

    def move(self) -> None:
        if self.weight == 0 and not self.passes("pre-rollout"):
            return
        if self.phase != "WaitingPromotion" and not self.passes("confirm-traffic-increase"):
            return
        if self.weight < 50:
            self.weight += 25
        else:
            self.phase = "Promoting" if self.passes("confirm-promotion") else "WaitingPromotion"


class Gate:
    """A rollout of the imported policy, with the manual's answers, of which the first `lost` of each do not arrive."""

    def __init__(self, lost: int) -> None:
        self.gate, self.left = load("flagger_gate"), dict[tuple[str, int], int]()
        self.lost, self.errors, self.now = lost, 1, datetime(2026, 3, 3, 14, 40, tzinfo=UTC)
        plan = hotfix.convert(FLAGGER).policy.plan({"id": "INC-7"}, {"version": "6.0.1", "previous": "6.0.0"})
        self.rollout, self.flagger = hotfix.Rollout(plan), Flagger(self.answer)
        self.send({"kind": "tick"})
        self.send({"kind": "start", "by": "ci"})

    def send(self, document: dict[str, Any]) -> None:
        self.rollout.handle(self.now, document)

    def confirm(self, action: str) -> None:
        self.send({"kind": "confirm", "by": "flagger", "action": action})

    def settle(self) -> None:
        self.gate.settle(self.rollout, self.flagger.weight, self.flagger.phase, self.confirm)

    def answer(self, webhook: str, _: str) -> int:
        self.settle()
        status = int(self.gate.answer(self.rollout, webhook, self.flagger.weight, self.confirm))
        left = self.left.setdefault((webhook, self.flagger.weight), self.lost)
        if status == 200 and left > 0:
            self.left[webhook, self.flagger.weight] -= 1
            return 500
        return status

    def run(self, minutes: int) -> None:
        for tick in range(4 * minutes):
            self.now += timedelta(seconds=15)
            if tick % 4 == 1:
                self.flagger.advance()
            self.settle()
            failed = self.errors if self.rollout.share >= 0.5 else 1
            metrics = {"request-success-rate": {"canary": [1000 - failed, 1000]}}
            watched = "observe" in self.rollout.accepted
            self.send({"kind": "observe", "metrics": metrics} if watched else {"kind": "tick"})
            # The rollout says what Flagger has done.
            share = 1 if self.flagger.phase == "Succeeded" else self.flagger.weight / 100
            if self.flagger.phase not in ("Promoting", "Finalising"):
                assert self.rollout.share == share
            if self.rollout.state in ("closed", "rolled_back"):
                break


@pytest.mark.parametrize("lost", [0, 1, 2])
@pytest.mark.parametrize(
    ("errors", "ends"),
    [(1, ("closed", "Succeeded", 0)), (200, ("rolled_back", "Failed", 0))],
    ids=["healthy", "faulty"],
)
def test_the_answers_to_flagger_move_what_they_confirm(
    folder: Path, errors: int, ends: tuple[str, str, int], lost: int
) -> None:
    assert folder.exists()
    world = Gate(lost)
    world.errors = errors
    world.run(120)
    assert (world.rollout.state, world.flagger.phase, world.flagger.weight) == ends


def test_field_13_flagger_takes_back_what_another_release_replaces(folder: Path) -> None:
    assert folder.exists()
    world = Gate(0)
    while world.flagger.weight < 25:
        world.run(1)
    release = {"version": "6.0.2", "previous": "6.0.0"}
    world.send({"kind": "supersede", "by": "lena", "why": "orders are doubled", "release": release})
    while world.flagger.phase == "Progressing":
        assert world.flagger.weight <= 25
        world.flagger.advance()
    world.settle()
    assert (world.flagger.phase, world.flagger.weight, world.rollout.share) == ("Failed", 0, 0.0)


def test_roll_4_flagger_adds_no_traffic_while_it_is_paused(folder: Path) -> None:
    assert folder.exists()
    world = Gate(0)
    while not any(action.kind == "set_traffic" for action in world.rollout.pending_actions()):
        world.now += timedelta(seconds=15)
        world.answer("confirm-rollout", "Progressing")
        world.answer("pre-rollout", "Progressing")
    assert world.answer("confirm-traffic-increase", "Progressing") == 200
    world.send({"kind": "pause", "by": "lena", "why": "the database"})
    assert world.answer("confirm-traffic-increase", "Progressing") == 403
    world.send({"kind": "resume", "by": "lena"})
    assert world.answer("confirm-traffic-increase", "Progressing") == 200
