"""docs/how-to/notifications.md, chat-approvals.md and several-services.md: what people get and send."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import hotfix
from guides import load, serving
from story import INCIDENT, START, clearing, make_plan

QUICK = """
format = 1
name = "quick"
title = "A phase that a person ends"
strategy = "canary"
after = ["24h"]
final_validation = { watch = "1min", gate = "manual" }
rollback = { watch = "1min", returned_within = "10min" }

[[phases]]
name = "all"
share = "100%"
deploy = "1min"
watch = "1min"
promotion = "no_evidence_of_harm"
criteria_missed = "ask"
gate = "manual"
early_promotion = true

[watch]
cadence = "10s"
window = "1min"
stale = "1min"
least_trials = 10
no_data = { after = "2min", then = "ask" }

[metrics.error_rate]
kind = "proportion"
worse = "higher"
reference = "1%"
rollback = "50%"
weight = 1.0
"""


def started(preset: str = "standard") -> tuple[hotfix.Rollout, list[hotfix.Action]]:
    rollout = hotfix.Rollout(make_plan(preset))
    while blockers := rollout.blockers():
        rollout.handle(START, clearing(blockers[0]))
    return rollout, rollout.handle(START, {"kind": "start", "by": "lena"}).actions


@pytest.mark.parametrize("format", ["slack", "teams"])
def test_comm_2_every_action_of_a_rollback_becomes_a_message(folder: Path, format: str) -> None:
    assert folder.exists()
    rollout, actions = started()
    sent: list[tuple[str, dict[str, Any]]] = []
    hooks = {name: name for name in ("responders", "stakeholders", "business", "status_page", "decisions")}
    notifier = load("hotfix_notify").Notifier(
        rollout, hooks, "key", format, post=lambda url, body: sent.append((url, body))
    )
    for action in actions:
        notifier.send(action.to_dict())
    assert [hook for hook, _ in sent] == ["responders", "stakeholders"]
    rollout.handle(START, {"kind": "roll_back", "by": "lena", "why": "in doubt"})
    assert notifier.send(actions[0].to_dict()) is None  # the start is not true any more: nothing is sent
    assert len(sent) == 2


def test_comm_2_a_page_wakes_nobody_twice(folder: Path) -> None:
    assert folder.exists()
    rollout = hotfix.Rollout(make_plan("enterprise"))
    events: list[dict[str, Any]] = []
    notifier = load("hotfix_notify").Notifier(rollout, {}, "key", post=lambda _, body: events.append(body))
    page = next(a for a in rollout.handle(START, {"kind": "tick"}).actions if a.kind == "page")
    notifier.send(page.to_dict())
    notifier.send(page.to_dict())
    assert events[0] == events[1]
    assert events[0]["dedup_key"] == f"{INCIDENT['id']}-{page.id}"
    assert (events[0]["event_action"], events[0]["payload"]["source"]) == ("trigger", "payments")


def test_comm_2_the_program_sends_an_action_and_reports_it(folder: Path) -> None:
    rollout = hotfix.Rollout(make_plan("standard"))
    actions = rollout.handle(START, {"kind": "tick"}).actions
    notice = next(action for action in actions if action.kind == "notify" and action.duty)
    (folder / "log.jsonl").write_text(rollout.log())
    asked: list[str] = []

    def answer(path: str) -> str:
        asked.append(path)
        return ""

    with serving(answer) as port:
        hooks = {notice.audience: f"http://127.0.0.1:{port}/hook"}
        environment = {"HOTFIX_LOG": "log.jsonl", "HOTFIX_INBOX": str(folder), "HOOKS": json.dumps(hooks)}
        command = [sys.executable, "act_notify.py"]
        document = json.dumps(notice.to_dict())
        subprocess.run(command, input=document, text=True, check=True, cwd=folder, env=os.environ | environment)
    assert asked == ["/hook"]
    report = json.loads((folder / f"sent-{notice.id}.json").read_text())
    assert rollout.handle(START, report).events
    assert notice.duty in [duty["id"] for duty in rollout.duties(START)["done"]]


def test_gate_1_a_request_is_from_slack_only_with_its_signature(folder: Path) -> None:
    assert folder.exists()
    chat = load("chat_approvals")
    body, now = b"payload=%7B%7D", str(int(time.time()))

    def signature(timestamp: str, secret: str = "secret") -> str:
        return "v0=" + hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()

    assert chat.is_from_slack("secret", now, body, signature(now))
    assert not chat.is_from_slack("secret", now, body + b"x", signature(now))
    assert not chat.is_from_slack("secret", now, body, signature(now, "guess"))
    old = str(int(time.time()) - 600)
    assert not chat.is_from_slack("secret", old, body, signature(old))


def test_gate_1_a_click_is_not_trusted(folder: Path) -> None:
    assert folder.exists()
    chat = load("chat_approvals")

    def click(user: str, **chosen: str) -> dict[str, Any]:
        return {"user": {"id": user}, "actions": [{"value": json.dumps(chosen), "action_ts": "1.0"}]}

    iris, omar = "U024BE7LH", "U0G9QF9C6"
    rollout = hotfix.Rollout(make_plan("standard"))
    other = chat.to_input(click(iris, kind="approve", role="engineering_lead", plan_digest="0" * 64))
    with pytest.raises(hotfix.Refused) as caught:
        rollout.handle(START, other)
    assert caught.value.code == "HF-ROLL-014"
    for refused in (
        click("U000", kind="approve", role="engineering_lead", plan_digest=rollout.plan.digest),
        click(omar, kind="approve", role="engineering_lead", plan_digest=rollout.plan.digest),
        click(iris, kind="abort", role="engineering_lead"),
        click(iris, kind="waive_item", role="engineering_lead", item="worth_real"),
    ):
        with pytest.raises(PermissionError):
            chat.to_input(refused)
    rollout, _ = started()
    answer = {"kind": "roll_back", "by": "omar", "key": f"{omar}-1.0"}
    assert chat.to_input(click(omar, kind="roll_back")) == answer
    typed = {"state": {"values": {"why": {"why": {"type": "plain_text_input", "value": "users call"}}}}}
    assert chat.to_input(click(omar, kind="roll_back") | typed) == answer | {"why": "users call"}
    typed["state"]["values"]["why"]["why"]["value"] = None  # type: ignore[assignment]
    assert chat.to_input(click(omar, kind="roll_back") | typed) == answer
    assert rollout.handle(START, answer).actions[0].kind == "roll_back"


def test_gate_1_a_question_offers_what_is_accepted(folder: Path) -> None:
    assert folder.exists()
    chat = load("chat_approvals")

    def offered(rollout: hotfix.Rollout, actions: list[hotfix.Action]) -> list[str]:
        (asked,) = [action for action in actions if action.kind == "ask_decision"]
        *_, buttons = chat.decision_buttons(rollout, asked)["blocks"]
        values = [element["value"] for element in buttons["elements"]]
        for value in values:
            again = hotfix.Rollout.restore(rollout.snapshot(), "")
            click = {"user": {"id": "U0G9QF9C6"}, "actions": [{"value": value, "action_ts": "1.0"}]}
            assert again.handle(again.now or START, chat.to_input(click)).events
        return [json.loads(value)["kind"] for value in values]

    plan = hotfix.Policy.from_toml(QUICK).plan(INCIDENT, {"version": "2.3.1", "previous": "2.3.0"})
    rollout = hotfix.Rollout(plan)
    actions = rollout.handle(START, {"kind": "start", "by": "lena"}).actions
    late = hotfix.Rollout.restore(rollout.snapshot(), "")
    actions = late.handle(START + timedelta(hours=1), {"kind": "tick"}).actions  # the deployment is not confirmed
    assert offered(late, actions) == ["confirm", "failed", "roll_back"]
    while pending := rollout.pending_actions():
        rollout.handle(START, {"kind": "confirm", "by": "tool", "action": pending[0].id})
    paused = hotfix.Rollout.restore(rollout.snapshot(), "")
    actions = paused.handle(START, {"kind": "pause", "by": "lena"}).actions
    assert offered(paused, actions) == ["resume", "roll_back"]
    actions = rollout.handle(START + timedelta(minutes=3), {"kind": "tick"}).actions  # there are no readings
    assert (rollout.state, offered(rollout, actions)) == ("monitoring", ["promote", "hold", "roll_back"])


def test_roll_7_a_train_is_taken_up_from_the_logs_of_its_services(folder: Path) -> None:
    services = load("hotfix_train").Services

    def new(name: str) -> hotfix.Rollout:
        policy = hotfix.Policy.from_toml(
            "extends = 'phased-canary'\nname = 'open'\nchecklists = []\ncontingencies = []\n"
            "severities = { remove = true }"
        )
        release = {"version": "2.3.1", "previous": "2.3.0", "methods": [{"kind": "redeploy", "seconds": 1}]}
        return hotfix.Rollout(policy.plan({"id": "INC-2041", "service": name}, release), keep_log=False)

    names = ["ledger", "mail", "checkout"]
    first = services(folder, new, names, START)
    for name in first.train.next():
        first.send(START, name, {"kind": "start", "by": "lena"})
    assert first.send(START, "checkout", {"kind": "start", "by": "lena"}) == []  # it waits for the others
    undo = {"kind": "roll_back", "by": "lena", "why": "in doubt", "key": "click-1"}
    assert [action.kind for _, action in first.send(START, "mail", undo) if action.awaits] == ["roll_back"] * 2
    assert first.send(START, "mail", undo) == []  # it was delivered before, and is done
    for log in first.logs.values():
        os.close(log.fd)
    # A crash: the rollback of one service is in the log, the other was never recorded.
    ledger = folder / "ledger.jsonl"
    ledger.write_text("".join(ledger.read_text().splitlines(keepends=True)[:-1]))
    again = services(folder, new, names, START + timedelta(seconds=1))
    assert again.train.state == "rolling_back"
    assert {name for name, actions in again.train.pending_actions().items() if actions} == {"mail", "ledger"}


def test_roll_7_what_a_train_did_before_a_refusal_is_recorded_and_done(folder: Path) -> None:
    services = load("hotfix_train").Services

    def new(name: str) -> hotfix.Rollout:
        release = {"version": "2.3.1", "previous": "2.3.0"}
        policy = hotfix.Policy.from_toml(QUICK)
        return hotfix.Rollout(policy.plan({"id": "INC-2041", "service": name}, release), keep_log=False)

    now = START
    train = services(folder, new, ["ledger", "mail", "checkout"], now)

    def send(service: str, **document: str) -> list[tuple[str, hotfix.Action]]:
        found: list[tuple[str, hotfix.Action]] = train.send(now, service, {"by": "lena", **document})
        return found

    def confirm(service: str) -> None:
        for action in train.train.pending_actions().get(service, []):
            send(service, kind="confirm", action=action.id)

    def states() -> dict[str, str]:
        return {row["service"]: row["state"] for row in train.train.services()}

    for name in ("ledger", "mail"):
        send(name, kind="start")
        for _ in range(5):
            confirm(name)
            now += timedelta(minutes=2)
            send(name, kind="promote")
    assert states() == {"ledger": "complete", "mail": "complete", "checkout": "ready"}
    send("checkout", kind="start")
    confirm("checkout")
    send("checkout", kind="roll_back")  # and nobody confirms it
    now += timedelta(hours=1)  # so that the others do not wait for it any longer
    found = send("ledger", kind="resume")  # is refused, and the rollback of the others is due
    assert {name for name, action in found if action.kind == "roll_back"} == {"ledger", "mail"}
    for log in train.logs.values():
        os.close(log.fd)
    train = services(folder, new, ["ledger", "mail", "checkout"], now)
    assert set(states().values()) == {"rolling_back"}
    *_, before, last = [json.loads(line)["kind"] for line in (folder / "ledger.jsonl").read_text().splitlines()]
    assert (before, last) == ("roll_back", "refused")
