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
        rollout, hooks, {"default": "key"}, format, post=lambda url, body: sent.append((url, body))
    )
    for action in actions:
        notifier.send(action.to_dict())
    notifier.send({"kind": "ask_decision", "question": "paused (<!channel> [x](https://example.org)). Continue?"})
    asked = json.dumps(sent[-1][1])
    assert "&lt;!channel&gt;" in asked if format == "slack" else "TextRun" in asked and '"TextBlock"' not in asked
    forms = [{"slack": "text", "teams": "attachments"}[format] in body for _, body in sent]
    assert all(forms)
    assert [hook for hook, _ in sent] == ["responders", "stakeholders", "decisions"]
    rollout.handle(START, {"kind": "roll_back", "by": "lena", "why": "in doubt"})
    assert notifier.send(actions[0].to_dict()) is None  # the start is not true any more: nothing is sent
    assert len(sent) == 3


def pages(folder: Path, rollout: hotfix.Rollout, *at: int) -> list[dict[str, Any]]:
    """What PagerDuty gets at these minutes, while nobody answers."""
    assert folder.exists()
    keys = {"default": "first line", "engineering_manager": "managers", "cto": "board"}
    events: list[dict[str, Any]] = []
    notifier = load("hotfix_notify").Notifier(rollout, {}, keys, post=lambda _, body: events.append(body))
    for minute in at:
        for action in rollout.handle(START + timedelta(minutes=minute), {"kind": "tick"}).actions:
            if action.kind == "page":
                notifier.send(action.to_dict())
                notifier.send(action.to_dict())  # sent twice, as after a crash
    return events


def test_comm_2_a_page_wakes_its_role_and_its_repetitions_are_one_alert(folder: Path) -> None:
    incident = {**INCIDENT, "severity": "P0", "facts": {"service_down": True}}
    release = {"version": "2.3.1", "previous": "2.3.0"}
    rollout = hotfix.Rollout(hotfix.Policy.preset("standard").plan(incident, release))
    events = pages(folder, rollout, *range(0, 71, 5))
    assert {(one["event_action"], one["payload"]["source"]) for one in events} == {("trigger", "payments")}
    alerts = {(one["payload"]["custom_details"]["role"], one["routing_key"], one["dedup_key"]) for one in events}
    assert len(events) > 30
    assert len({key for *_, key in alerts}) == len(alerts)
    routes = {role: route for role, route, _ in alerts}
    assert len(alerts) == len(routes)
    others = {role: route for role, route in routes.items() if route != "first line"}
    assert others == {"engineering_manager": "managers", "cto": "board"}


def test_comm_2_a_page_about_another_thing_is_another_alert(folder: Path) -> None:
    """A rollback that nobody confirms, then one whose methods have all failed: pages without a duty."""
    rollout = quick()
    rollout.handle(START, {"kind": "start", "by": "lena"})
    while pending := rollout.pending_actions():
        rollout.handle(START, {"kind": "confirm", "by": "tool", "action": pending[0].id})
    rollout.handle(START, {"kind": "roll_back", "by": "lena"})
    events = pages(folder, rollout, *range(1, 90, 5))
    assert len({one["payload"]["summary"] for one in events}) > 1
    assert len({one["dedup_key"] for one in events}) == 1
    while pending := rollout.pending_actions():
        moment = rollout.now or START
        actions = rollout.handle(moment, {"kind": "failed", "by": "tool", "action": pending[0].id}).actions
    (page,) = [action for action in actions if action.kind == "page"]
    notifier = load("hotfix_notify").Notifier(rollout, {}, {"default": "first line"})
    assert notifier.event(page.to_dict())["dedup_key"] != events[0]["dedup_key"]


def test_comm_2_a_status_page_gets_plain_text(folder: Path) -> None:
    assert folder.exists()
    rollout, _ = started()
    action = {"kind": "update_status_page", "id": "1.0", "message": "update"}
    sent: list[tuple[str, dict[str, Any]]] = []
    for form in ("slack", "teams"):
        notifier = load("hotfix_notify").Notifier(
            rollout, {"status_page": "page"}, {}, form, post=lambda url, body: sent.append((url, body))
        )
        notifier.send(action)
    assert sent[0] == sent[1]
    assert sent[0] == ("page", {"text": rollout.message("update", "public", values=notifier.values)})


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
        values = {"dashboard": "https://grafana.example.org/d/payments"}
        environment = {"HOTFIX_LOG": "log.jsonl", "HOTFIX_INBOX": str(folder), "HOOKS": json.dumps(hooks)}
        environment |= {"VALUES": json.dumps(values), "FORMAT": "teams"}
        command = [sys.executable, "act_notify.py"]
        document = json.dumps(notice.to_dict())
        subprocess.run(command, input=document, text=True, check=True, cwd=folder, env=os.environ | environment)
    assert asked == ["/hook"]
    report = json.loads((folder / f"sent-{notice.id}.json").read_text())
    assert rollout.handle(START, report).events
    assert notice.duty in [duty["id"] for duty in rollout.duties(START)["done"]]
    assert not list(folder.glob("*.tmp"))


def test_comm_2_who_has_no_address_of_its_own_gets_the_default_s(folder: Path) -> None:
    assert folder.exists()
    notify = load("hotfix_notify")
    assert notify.pick({"default": "all", "business": "sales"}, "business") == "sales"
    assert notify.pick({"business": "sales"}, "business") == "sales"
    assert notify.pick({"default": "all"}, "business") == "all"
    with pytest.raises(LookupError, match="there is no address for `cto`, and no `default`"):
        notify.pick({}, "cto")


def test_gate_1_a_request_is_from_slack_only_with_its_signature(folder: Path) -> None:
    assert folder.exists()
    chat = load("chat_approvals")
    body, now = b"payload=%7B%7D", str(int(time.time()))

    def signature(timestamp: str, secret: str = "secret") -> str:
        return "v0=" + hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()

    assert chat.is_from_slack("secret", now, body, signature(now))
    assert not chat.is_from_slack("secret", now, body + b"x", signature(now))
    assert not chat.is_from_slack("secret", now, body, signature(now, "guess"))
    assert not chat.is_from_slack("secret", "yesterday", body, "v0=\u00fc")  # of nobody who knows the secret
    old = str(int(time.time()) - 600)
    assert not chat.is_from_slack("secret", old, body, signature(old))


def test_gate_1_a_click_is_not_trusted(folder: Path) -> None:
    assert folder.exists()
    chat = load("chat_approvals")

    def click(user: str, **chosen: str | int | None) -> dict[str, Any]:
        return {"user": {"id": user}, "actions": [{"value": json.dumps(chosen), "action_ts": "1.0"}]}

    iris, omar = "U024BE7LH", "U0G9QF9C6"
    rollout = hotfix.Rollout(make_plan("standard"))
    rollout.handle(START, {"kind": "tick"})
    for refused in (
        click("U000", kind="approve", role="engineering_lead", plan_digest=rollout.plan.digest),
        click(omar, kind="approve", role="engineering_lead", plan_digest=rollout.plan.digest),
        click(iris, kind="supersede", role="engineering_lead"),
        click(iris, kind="waive_item", role="engineering_lead", item="worth_real"),
    ):
        with pytest.raises(PermissionError):
            chat.to_input(refused, rollout.log().encode())
    rollout, _ = started()
    (asked,) = [a for a in rollout.handle(START, {"kind": "pause", "by": "lena"}).actions if a.kind == "ask_decision"]
    of: dict[str, str | int | None] = {"incident": INCIDENT["id"], "service": INCIDENT["service"], "attempt": 1}
    about = {"kind": "roll_back", "question": asked.id} | of
    log, back = rollout.log().encode(), click(omar, **about)
    answer = {"kind": "roll_back", "by": "omar", "key": "click-1.0"}
    assert chat.to_input(back, log) == answer
    typed = {"state": {"values": {"why": {"why": {"type": "plain_text_input", "value": "users call"}}}}}
    assert chat.to_input(back | typed, log) == answer | {"why": "users call"}
    typed["state"]["values"]["why"]["why"]["value"] = None  # type: ignore[assignment]
    assert chat.to_input(back | typed, log) == answer
    others: list[dict[str, str | int | None]] = [{"incident": "INC-7"}, {"service": "mail"}, {"attempt": 2}]
    questions: list[dict[str, str | int | None]] = [{"question": "0.0"}, {"question": None}]
    for other in others + questions:
        with pytest.raises(chat.Outdated):
            chat.to_input(click(omar, **about | {"kind": "resume"} | other), log)
        if other in others:
            with pytest.raises(chat.Outdated):
                chat.to_input(click(omar, **about | other), log)
    begun, _ = started()  # nothing is asked
    with pytest.raises(chat.Outdated):
        chat.to_input(click(omar, **about | {"kind": "resume"} | {"question": None}), begun.log().encode())
    assert rollout.handle(START, answer).actions[0].kind == "roll_back"


class Chat:
    """A rollout whose questions and requests become messages, and whose people click on them."""

    def __init__(self, rollout: hotfix.Rollout) -> None:
        self.chat, self.rollout, self.now, self.clicks = load("chat_approvals"), rollout, START, 0
        self.messages: list[dict[str, str]] = []  # of each message the buttons, by their label

    def send(self, document: dict[str, Any], seconds: int = 1) -> hotfix.Outcome:
        self.now += timedelta(seconds=seconds)
        outcome = self.rollout.handle(self.now, document)
        for action in outcome.actions:
            write = {"ask_decision": self.chat.decision_buttons, "request_approval": self.chat.approval_buttons}
            if action.kind in write:
                *_, row = write[action.kind](self.rollout, action)["blocks"]
                self.messages.append({one["text"]["text"]: one["value"] for one in row["elements"]})
        return outcome

    def confirm(self) -> None:
        while pending := self.rollout.pending_actions():
            self.send({"kind": "confirm", "by": "tool", "action": pending[0].id})

    def click(self, user: str, value: str) -> hotfix.Outcome:
        self.clicks += 1
        payload = {"user": {"id": user}, "actions": [{"value": value, "action_ts": f"{self.clicks}.0"}]}
        return self.send(self.chat.to_input(payload, self.rollout.log().encode()))


def quick() -> hotfix.Rollout:
    return hotfix.Rollout(hotfix.Policy.from_toml(QUICK).plan(INCIDENT, {"version": "2.3.1", "previous": "2.3.0"}))


def test_gate_1_an_answer_to_an_old_question_is_not_sent(folder: Path) -> None:
    assert folder.exists()
    iris, omar = "U024BE7LH", "U0G9QF9C6"
    chat = Chat(quick())
    chat.send({"kind": "start", "by": "lena"})
    chat.confirm()
    chat.send({"kind": "tick"}, 180)  # there are no readings
    chat.click(iris, chat.messages[0]["promote"])
    chat.send({"kind": "tick"}, 180)
    assert len(chat.messages) == 2
    before = chat.rollout.head
    with pytest.raises(chat.chat.Outdated, match="`promote` was not sent: this question was answered"):
        chat.click(omar, chat.messages[0]["promote"])  # of the phase, after the final validation has asked
    assert (str(chat.rollout.state), chat.rollout.head) == ("final_validation", before)
    chat.click(omar, chat.messages[1]["promote"])
    assert chat.rollout.state == "complete"

    chat = Chat(quick())
    chat.send({"kind": "start", "by": "lena"})
    chat.send({"kind": "report", "by": "lena", "signal": "doubt"})
    assert list(chat.messages[0]) == ["pause", "roll_back"]
    chat.confirm()
    assert chat.rollout.state == "monitoring"
    assert chat.click(omar, chat.messages[0]["roll_back"]).actions[0].kind == "roll_back"
    chat.confirm()
    chat.send({"kind": "tick"}, 600)
    release = {"version": "2.3.2", "previous": "2.3.0"}
    chat.send({"kind": "retry", "by": "lena", "why": "again", "release": release}, 600)
    with pytest.raises(chat.chat.Outdated):
        chat.click(omar, chat.messages[0]["roll_back"])  # of another attempt

    chat = Chat(quick())
    chat.send({"kind": "start", "by": "lena"})
    chat.confirm()
    for _ in range(2):
        chat.send({"kind": "pause", "by": "lena"})
        first, last = chat.messages[0]["resume"], chat.messages[-1]["resume"]
        if first != last:
            with pytest.raises(chat.chat.Outdated):
                chat.click(omar, first)
        chat.click(iris, last)
        assert chat.rollout.state == "monitoring"


def test_gate_1_of_two_people_who_answer_at_once_the_first_one_counts(folder: Path) -> None:
    """Both clicks are read before the driver has recorded one of them."""
    assert folder.exists()
    chat = Chat(quick())
    chat.send({"kind": "start", "by": "lena"})
    chat.confirm()
    chat.send({"kind": "tick"}, 180)
    log = chat.rollout.log().encode()

    def read(user: str, kind: str) -> dict[str, Any]:
        payload = {"user": {"id": user}, "actions": [{"value": chat.messages[0][kind], "action_ts": "1.0"}]}
        found: dict[str, Any] = chat.chat.to_input(payload, log)
        return found

    one, two, back = read("U024BE7LH", "promote"), read("U0G9QF9C6", "promote"), read("U0G9QF9C6", "roll_back")
    assert not chat.send(one).repeated
    assert chat.send(one).repeated  # delivered again
    for late in (two, read("U0G9QF9C6", "hold")):
        with pytest.raises(hotfix.Refused) as caught:
            chat.send(late)
        assert caught.value.code == "HF-ROLL-011"
    assert [action.kind for action in chat.send(back).actions if action.awaits] == ["roll_back"]


def test_gate_1_an_answer_to_the_request_of_another_plan_is_not_sent(folder: Path) -> None:
    assert folder.exists()
    chat = Chat(hotfix.Rollout(make_plan("standard")))
    chat.send({"kind": "tick"})
    release = {"version": "2.3.2", "previous": "2.3.0"}
    chat.send({"kind": "supersede", "by": "lena", "why": "a better fix", "release": release})
    first, last = chat.messages[0], chat.messages[-1]
    for answer in ("Approve", "Deny"):
        with pytest.raises(chat.chat.Outdated, match="the plan was replaced"):
            chat.click("U024BE7LH", first[f"{answer} as engineering_lead"])
    assert chat.rollout.approvals()["demands"][0]["state"] == "open"
    chat.click("U024BE7LH", last["Deny as engineering_lead"])
    assert chat.rollout.approvals()["demands"][0]["state"] == "denied"


def test_gate_1_a_question_that_is_asked_again_is_open(folder: Path) -> None:
    """What is asked again keeps the id of the first time."""
    assert folder.exists()
    chat = Chat(quick())
    chat.send({"kind": "start", "by": "lena"})
    again = 0
    for minute in range(240):
        if minute % 40 == 30:
            chat.confirm()
        if minute % 40 == 35 and "pause" in chat.rollout.accepted:
            chat.send({"kind": "pause", "by": "lena"})
        if minute % 40 == 10:
            for kind in ("resume", "hold", "promote"):
                if kind in chat.rollout.accepted:
                    chat.send({"kind": kind, "by": "lena"})
                    break
        before = [question["action"] for question in chat.rollout.questions()]
        for action in chat.send({"kind": "tick"}, 60).actions:
            if "No answer since" in (action.question or ""):
                again += 1
                assert before == [question["action"] for question in chat.rollout.questions()] != [], action.question
    assert again > 3, again


def test_gate_1_a_question_offers_what_is_accepted(folder: Path) -> None:
    assert folder.exists()
    chat = load("chat_approvals")

    def offered(rollout: hotfix.Rollout, actions: list[hotfix.Action]) -> list[str]:
        (asked,) = [action for action in actions if action.kind == "ask_decision"]
        *_, buttons = chat.decision_buttons(rollout, asked)["blocks"]
        values = [element["value"] for element in buttons["elements"]]
        for value in values:
            again = hotfix.Rollout.replay(rollout.log())
            click = {"user": {"id": "U0G9QF9C6"}, "actions": [{"value": value, "action_ts": "1.0"}]}
            assert again.handle(again.now or START, chat.to_input(click, rollout.log().encode())).events
        return [json.loads(value)["kind"] for value in values]

    rollout = quick()
    actions = rollout.handle(START, {"kind": "start", "by": "lena"}).actions
    late = hotfix.Rollout.replay(rollout.log())
    actions = late.handle(START + timedelta(hours=1), {"kind": "tick"}).actions  # the deployment is not confirmed
    assert offered(late, actions) == ["confirm", "failed", "roll_back"]
    while pending := rollout.pending_actions():
        rollout.handle(START, {"kind": "confirm", "by": "tool", "action": pending[0].id})
    paused = hotfix.Rollout.replay(rollout.log())
    actions = paused.handle(START, {"kind": "pause", "by": "lena"}).actions
    assert offered(paused, actions) == ["resume", "roll_back"]
    actions = rollout.handle(START + timedelta(minutes=3), {"kind": "tick"}).actions  # there are no readings
    assert (rollout.state, offered(rollout, actions)) == ("monitoring", ["hold", "promote", "roll_back"])
    doubted = quick()
    doubted.handle(START, {"kind": "tick"})
    actions = doubted.handle(START, {"kind": "report", "by": "omar", "signal": "doubt"}).actions
    assert offered(doubted, actions) == ["start", "abort"]


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
    first = services(folder, new, names)
    assert (first.undone, first.settle(START)) == ([], [])
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
    again = services(folder, new, names)
    # What was asked for with the start may not have been sent, and the rollback replaces it.
    assert "ledger" in {name for name, action in again.undone if action.kind == "notify"}
    left = again.settle(START + timedelta(seconds=1))
    assert again.train.state == "rolling_back"
    assert [name for name, action in left if action.awaits] == ["ledger"]
    assert {name for name, actions in again.train.pending_actions().items() if actions} == {"mail", "ledger"}


def test_roll_7_what_a_train_did_before_a_refusal_is_recorded_and_done(folder: Path) -> None:
    services = load("hotfix_train").Services

    def new(name: str) -> hotfix.Rollout:
        release = {"version": "2.3.1", "previous": "2.3.0"}
        policy = hotfix.Policy.from_toml(QUICK)
        return hotfix.Rollout(policy.plan({"id": "INC-2041", "service": name}, release), keep_log=False)

    now = START
    train = services(folder, new, ["ledger", "mail", "checkout"])

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
    train = services(folder, new, ["ledger", "mail", "checkout"])
    assert set(states().values()) == {"rolling_back"}
    *_, before, last = [json.loads(line)["kind"] for line in (folder / "ledger.jsonl").read_text().splitlines()]
    assert (before, last) == ("roll_back", "refused")
