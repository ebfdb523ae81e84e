"""docs/how-to/ci.md: the step runs, is killed, and goes on."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

import hotfix
from guides import DOCS, of, serving
from pipeline import APPROVED, BACK, PLAN, POLICY, START, TICK, ByHand, act, pipeline, prometheus

LATENCY = """
[metrics.latency_p95]
kind = "latency"
worse = "higher"
quantile = 0.95
boundaries = ["250ms"]
success = "250ms"
model = "none"
"""
LONG = POLICY.replace('after = ["1s"]', 'after = ["1h"]')


@pytest.fixture
def hand(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ByHand]:
    hand = ByHand(folder, monkeypatch)
    yield hand
    hand.end()


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
        awaited = [kind for kind in job.acted() if kind in ("deploy", "set_traffic", "roll_back")]
        assert (awaited[0], awaited[-1]) == ("deploy", last)
        assert [file.name for file in (job.inbox / "sent").iterdir()] == ["1.json"]
        assert job.printed.count("latency_p95 is read and not sent: the policy has no such metric") <= 1
        acted = job.acted()
        assert job.run() == code  # run again, it says the same and does nothing
        assert job.acted() == acted


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


@pytest.mark.parametrize("died", [True, False], ids=["unsent", "sent"])
def test_roll_7_messages_that_a_crash_left_are_sent_before_the_inbox_is_read(hand: ByHand, died: bool) -> None:
    hand.settle()
    if died:
        hand.step.done.unlink()  # the line is written, and nothing is known to be done
    hand.put("1.json", {"kind": "note", "by": "lena", "text": "looking"})
    for _ in range(2):
        hand.crash()
        assert hand.step.run(0) == 75
    assert hand.acted() == ["request_approval"] * (2 if died else 1)


def test_roll_2_a_late_fault_is_rolled_back_by_the_job_that_watches(folder: Path) -> None:
    good, bad = prometheus(0.01), prometheus(0.5)
    fails = False
    with pipeline(folder, answer=lambda path: (bad if fails else good)(path), policy=LONG) as job:
        assert job.run(HOTFIX_UNTIL="complete") == 0
        assert job.audit() == "complete"
        lines = job.log.read_text().splitlines()
        assert job.run(0.05) == 75  # the job that watches from then on
        assert job.audit() == "complete"
        later = [json.loads(line)["kind"] for line in job.log.read_text().splitlines()[len(lines) :]]
        assert len(later) > 3
        assert set(later) == {"observe"}
        fails = True
        assert job.run() == 3
        assert job.audit() == "rolled_back"


def test_roll_2_a_fix_that_another_one_replaces_is_closed_without_readings(folder: Path) -> None:
    policy = POLICY.replace('after = ["1s"]', 'after = ["20s"]').replace('"30s"', '"3s"').replace('"60s"', '"3s"')
    with pipeline(folder, policy=policy) as job:
        assert job.run(HOTFIX_UNTIL="complete") == 0
        job.url = ""  # the metrics are those of the second fix now
        asked = job.acted().count("ask_decision")
        with job.start() as running:
            job.wait_for("ask_decision")
            job.put("2.json", {"kind": "promote", "by": "lena", "why": "2.4.0 of INC-2055 replaces it"})
            assert job.end(running) == 0
        assert job.audit() == "closed"
        assert job.acted().count("ask_decision") == asked + 1
        assert "roll_back" not in job.acted()


def test_roll_2_a_deployment_that_fails_before_any_traffic_pages_nobody(folder: Path) -> None:
    with pipeline(folder) as job:
        act(folder, '[ "$1" != deploy ]')
        assert job.run() == 3
        assert job.audit() == "failed"


@pytest.mark.parametrize("text", ["[]", "null", '"roll_back"', "3", "[" * 100_000, "{", "\ufffd", '{"kind": 5}'])
def test_roll_4_a_file_that_is_no_input_is_skipped(hand: ByHand, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    hand.put("0.json", text)
    hand.put("1.json", APPROVED)
    hand.people()
    assert "inbox: 0.json" in capsys.readouterr().out
    assert sorted(file.name for file in hand.step.sent.iterdir()) == ["0.json", "1.json"]
    assert hand.step.rollout.state == "ready"


def test_roll_4_the_inbox_is_read_in_the_order_in_which_it_was_written(hand: ByHand) -> None:
    hand.send(APPROVED, START)
    hand.put("omar-resumes.json", {"kind": "resume", "by": "omar"}, 20)
    hand.put("zoe-pauses.json", {"kind": "pause", "by": "zoe"}, 10)
    hand.people()
    assert hand.step.rollout.state == "monitoring"


SLOW = {
    "act": 'echo "$1" >> acted\n[ "$1" != set_traffic ] || sleep 300',
    "messages": 'echo "$1" >> acted\n[ "$1" != notify ] || [ -e late ] || sleep 300',
}


@pytest.mark.parametrize("slow", ["act", "messages", "prometheus"])
def test_roll_4_a_rollback_in_the_inbox_waits_for_nothing(folder: Path, slow: str) -> None:
    """Not for an action that does not end, nor for a message that is not sent, nor for the metrics."""
    good = prometheus(0.01)

    def answer(path: str) -> str:
        if slow == "prometheus" and (folder / "late").exists():
            time.sleep(4)
        return good(path)

    with pipeline(folder, answer=answer) as job:
        act(folder, SLOW.get(slow, SLOW["act"].split("\n")[0]))
        with job.start() as running:
            job.wait_for("set_traffic")
            (folder / "late").touch()
            time.sleep(1)
            job.put("2.json", '{"kind": "roll_ba')  # not a document: it is skipped
            job.put("3.json", BACK)
            began = time.monotonic()
            job.wait_for("roll_back")
            assert time.monotonic() - began < 5
            if slow == "messages":
                running.terminate()  # else it waits for them
            job.end(running)
        if slow != "messages":
            assert running.returncode == 3
            assert job.audit() == "rolled_back"
        assert ("set_traffic 4.0: overtaken" in job.printed) == (slow == "act")


def test_roll_4_what_is_overtaken_does_nothing_more(hand: ByHand) -> None:
    """Nor does what it has started."""
    act(hand.folder, 'echo "$1" >> acted\n[ "$1" != deploy ] || (sleep 1; echo late >> acted)')
    hand.step.send(APPROVED)
    hand.step.send(START)
    hand.step.work()
    time.sleep(0.3)
    assert "deploy" in hand.acted()
    hand.send(BACK)
    time.sleep(1)
    assert "late" not in hand.acted()


def test_roll_7_a_job_that_is_cancelled_ends_what_it_has_begun(folder: Path) -> None:
    with pipeline(folder) as job:
        act(folder, 'echo "$1" >> acted\n[ "$1" != deploy ] || (sleep 2; echo late >> acted)')
        with job.start() as running:
            job.wait_for("deploy")
            running.terminate()
            assert job.end(running) == 75
        time.sleep(2)
        assert "late" not in job.acted()


def test_field_3_a_metric_that_cannot_be_read_stops_no_rollback(folder: Path) -> None:
    """The fix has other buckets than the live version, and fails."""
    with pipeline(folder, answer=prometheus(0.5, buckets="0.2"), policy=POLICY + LATENCY) as job:
        assert job.run() == 3, job.printed
        assert "of `latency_p95` lacks buckets" in job.printed
        assert job.audit() == "rolled_back"


@pytest.mark.parametrize(
    ("read", "printed"),
    [
        (lambda: {"error_rate": {"canary": [9, 1], "baseline": [1, 100]}}, "refused: "),  # more errors than requests
        (lambda: [][0], "no metrics: IndexError"),
        (lambda: {"errors": {"canary": [1, 100]}}, "errors is read and not sent: the policy has no such metric"),
        (lambda: time.sleep(1000), ""),
    ],
    ids=["refused", "an error", "another name", "no answer"],
)
def test_field_3_time_passes_without_readings(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    read: Any,
    printed: str,
) -> None:
    hand = ByHand(folder, monkeypatch, POLICY.replace('after = "60s"', 'after = "2s"'))

    class Source:
        def __init__(self, *_: object) -> None:
            pass

        @staticmethod
        def read(_: float) -> Any:
            return read()

    monkeypatch.setattr(hand.module, "Source", Source)
    monkeypatch.setenv("PROMETHEUS", "none")
    hand.send(APPROVED, START)
    assert hand.step.rollout.state == "monitoring"
    for _ in range(40):
        hand.later(milliseconds=200)
        time.sleep(0.03)
        hand.step.watch()
    hand.settle()
    assert hand.clock - hand.step.rollout.now < timedelta(seconds=1)
    assert "ask_decision" in hand.acted()
    out = capsys.readouterr().out
    assert printed in out
    if "errors" in printed:
        assert out.count(printed) == 1


def test_field_3_a_source_that_has_hung_is_replaced(hand: ByHand, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []

    class Source:
        def __init__(self, *_: object) -> None:
            made.append(self)

        def read(self, _: float) -> dict[str, Any]:
            if self is made[0]:
                time.sleep(1000)
            return {"error_rate": {"baseline": [1, 100]}}

    monkeypatch.setattr(hand.module, "Source", Source)
    monkeypatch.setattr(hand.module, "GIVE_UP", 0.2)
    monkeypatch.setenv("PROMETHEUS", "none")
    for _ in range(20):
        hand.later(milliseconds=200)
        time.sleep(0.03)
        hand.step.watch()
    assert len(made) == 2
    assert '"observe"' in hand.log.read_text()


def test_roll_4_a_rollback_in_the_inbox_comes_before_what_a_dead_job_left(
    hand: ByHand,
) -> None:
    for document in (APPROVED, START):
        hand.step.send(document)  # the job dies before it has done anything
    assert [action.kind for action in hand.step.rollout.pending_actions()] == ["deploy"]
    hand.crash()
    hand.put("stop.json", BACK)
    assert hand.step.run(0) == 75
    assert not {"deploy", "set_traffic"} & set(hand.acted())
    assert hand.step.rollout.state == "rolling_back"


def test_roll_4_a_pause_in_the_inbox_keeps_the_traffic_that_a_dead_job_left(hand: ByHand) -> None:
    for document in (APPROVED, START):
        hand.step.send(document)
    (deploy,) = hand.step.rollout.pending_actions()
    hand.step.send({"kind": "confirm", "by": "ci", "action": deploy.id})
    assert [action.kind for action in hand.step.rollout.pending_actions()] == ["set_traffic"]
    hand.crash()
    for kind, expected in (("pause", ("paused", 0)), ("resume", ("monitoring", 1))):
        hand.later(seconds=1)
        hand.put(f"{kind}.json", {"kind": kind, "by": "lena"})
        hand.people()
        assert (hand.step.rollout.state, hand.acted().count("set_traffic")) == expected
    assert hand.step.next_change() == []


def test_principle_5_a_name_in_the_inbox_may_be_used_again(hand: ByHand) -> None:
    hand.send(APPROVED, START)
    before: object = None
    for second, (by, kind) in enumerate((("omar", "pause"), ("omar", "resume"), ("iris", "pause"))):
        hand.later(milliseconds=100)
        for delivered in range(2):  # the same file twice, as after a crash
            hand.put(f"{kind}.json", {"kind": kind, "by": by}, second)
            hand.people()
            found = hand.step.rollout.head, hand.acted()
            assert not delivered or found == before
            before = found
    assert hand.step.rollout.state == "paused"


def test_principle_8_a_file_that_cannot_be_opened_stays_and_is_named(
    hand: ByHand, capsys: pytest.CaptureFixture[str]
) -> None:
    (hand.inbox / "a.json").mkdir()
    (hand.inbox / "b.json").symlink_to("nowhere")
    hand.put("c.json", {"kind": "note", "by": "iris", "text": "on it"})
    for _ in range(3):
        hand.people()
    printed = capsys.readouterr().out
    assert [printed.count(f"{name}.json stays in the inbox: ") for name in "ab"] == [1, 1]
    assert (hand.inbox / "a.json").exists()
    assert (hand.inbox / "sent" / "c.json").exists()


def test_roll_7_a_log_that_cannot_be_written_ends_the_job(hand: ByHand, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rollout is ahead of the log then. The file stays, and the next job reads it."""

    def full(_: object) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(hand.step.log, "append", full)
    hand.put("1.json", APPROVED)
    with pytest.raises(OSError, match="no space left"):
        hand.people()
    hand.crash()
    hand.people()
    assert hand.step.rollout.state == "ready"


def test_principle_5_what_a_clock_that_steps_back_refuses_is_sent_again(hand: ByHand) -> None:
    for document in (APPROVED, START):
        hand.step.send(document)
    hand.later(seconds=-2)
    hand.settle()
    assert (hand.step.rollout.state, len(hand.step.answers)) == ("deploying", 1)
    hand.put("hold.json", {"kind": "note", "by": "iris", "text": "on it"})
    lines = len(hand.log.read_text().splitlines())
    for _ in range(5):
        hand.people()
    assert (hand.inbox / "hold.json").exists()
    assert len(hand.log.read_text().splitlines()) == lines  # it is not tried each second
    hand.later(seconds=4)
    hand.send(TICK)
    assert (hand.step.rollout.state, hand.step.answers) == ("monitoring", {})
    hand.people()
    assert (hand.inbox / "sent" / "hold.json").exists()
    assert hand.acted().count("deploy") == 1


def test_field_9_the_metrics_of_another_release_are_read(folder: Path) -> None:
    with pipeline(folder) as job, job.start() as running:
        job.wait_for("set_traffic")
        release = PLAN["release"] | {"version": "2.3.2"}  # which fails
        job.put("2.json", {"kind": "supersede", "by": "lena", "why": "a better fix", "release": release})
        job.put("3.json", APPROVED)
        assert job.end(running) == 3, job.printed
        assert job.audit() == "rolled_back"


def test_field_3_an_answer_that_is_not_of_prometheus_is_no_reading(folder: Path) -> None:
    good, asked = prometheus(0.01), 0
    bad: list[str | bytes] = [
        "<html>",
        "[]",
        '{"status": "error"}',
        '{"data": null}',
        '{"data": {"result": [{}]}}',
        '{"data": {"result": [{"metric": []}]}}',
        b"\xff",
    ]

    def answer(path: str) -> str | bytes:
        nonlocal asked
        asked += 1
        return bad[asked // 2 % len(bad)] if asked < 24 else good(path)

    with pipeline(folder, answer=answer) as job:
        assert job.run() == 0
        assert job.printed.count("no error_rate: ") + job.printed.count("no latency_p95: ") >= len(bad)
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
        if len(calls) == 2:
            raise ConnectionResetError  # the answer is lost
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
        called = ["/deploy?version=2.3.1", *["/traffic?share=0.1"] * 2, "/roll_back?version=2.3.0"]
        assert calls == called
        (folder / "curl").symlink_to(str(shutil.which("curl")))
        (folder / "cat").symlink_to(str(shutil.which("cat")))
        for document, path in (("{}", environment["PATH"]), ('{"version": "2.3.1"}', str(folder))):  # no value; no jq
            done = subprocess.run(
                ["./act_http", "deploy"], input=document, text=True, env=environment | {"PATH": path}, cwd=folder
            )
            assert done.returncode != 0
        assert calls == called
