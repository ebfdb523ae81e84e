"""Several services in one hot-fix: the cases of `cases/train`, whose `trains.toml` tells their form."""

from __future__ import annotations

import copy
import json
import pickle
import threading
import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import hotfix
from story import START

TESTS = Path(__file__).parents[2] / "hotfix-core" / "tests"
CASES = tomllib.loads((TESTS / "cases" / "train" / "trains.toml").read_text(encoding="utf-8"))
POLICY = hotfix.Policy.from_toml((TESTS / "policies" / "small.toml").read_text(encoding="utf-8"))
HEALTHY = {"error_rate": {"canary": [0, 100]}}
LENA = {"kind": "start", "by": "lena"}


def rollout(service: str, *, schema: bool = False) -> hotfix.Rollout:
    incident = {"id": "INC-2041", "service": service}
    traffic = {"schema_change": True} if schema else {}
    return hotfix.Rollout(POLICY.plan(incident, {"version": "2.3.1", "previous": "2.3.0"}, traffic), salt="pepper")


def after_of(case: dict[str, Any]) -> Any:
    return json.loads(case["after"]) if case.get("after") else None


class Host:
    """A train and the logs that its host has appended; with `dies` the logs alone bring it back after each call."""

    def __init__(self, case: dict[str, Any], *, dies: bool = False) -> None:
        self.case, self.dies = case, dies
        self.logs = dict.fromkeys(case["services"], "")
        self.train = self.made()

    def made(self) -> hotfix.Train:
        schema = self.case.get("schema", [])
        rollouts = {
            name: hotfix.Rollout.replay(log) if log else rollout(name, schema=name in schema)
            for name, log in self.logs.items()
        }
        return hotfix.Train(rollouts, after_of(self.case))

    def append(self, moves: list[hotfix.TrainMove]) -> None:
        for move in moves:
            self.logs[move.service] += "".join(move.events)

    def seen(self, outcome: hotfix.TrainOutcome) -> hotfix.TrainOutcome:
        self.append(outcome.moves)
        if self.dies:
            self.train = self.made()
        return outcome

    def handle(self, at: datetime, service: str, document: dict[str, Any]) -> hotfix.TrainOutcome:
        try:
            return self.seen(self.train.handle(at, service, document))
        except hotfix.Refused as refused:
            self.append(refused.moves)
            self.logs[service] += "".join(refused.events)
            raise

    def pending(self, service: str) -> str:
        return self.train.pending_actions()[service][0].id

    def take(self, step: dict[str, Any]) -> hotfix.TrainOutcome:
        at = START + timedelta(seconds=step["at"])
        if step.get("tick"):
            return self.seen(self.train.tick(at))
        if step.get("settle"):
            return self.seen(self.train.settle(at))
        service = step["service"]
        if "input" in step:
            return self.handle(at, service, step["input"])
        if "result" in step:
            return self.handle(at, service, {"kind": step["result"], "by": "tool", "action": self.pending(service)})
        outcome = self.handle(at, service, LENA)
        while service in self.train.pending_actions():
            outcome = self.handle(at, service, {"kind": "confirm", "by": "tool", "action": self.pending(service)})
        for look in range(1, 3 if step["to"] == "complete" else 1):
            outcome = self.seen(self.train.observe(at + timedelta(minutes=look), service, HEALTHY))
        own = [made for made in outcome.moves if made.service == service]
        assert own[-1].state == step["to"]
        return outcome

    def compare(self, step: dict[str, Any]) -> None:
        if "refused" in step:
            with pytest.raises(hotfix.Error) as caught:
                self.take(step)
            assert caught.value.code == step["refused"]
            assert isinstance(caught.value, hotfix.InputError if step["refused"] == "HF-TRAIN-009" else hotfix.Refused)
            assert step.get("says", "") in str(caught.value)
            if isinstance(caught.value, hotfix.Refused):
                assert caught.value.service == step["service"]
                assert caught.value.got == step["input"]["kind"]
                assert caught.value.got not in caught.value.accepted
                findings = [f"{finding.code} {finding.service}" for finding in caught.value.findings]
                assert findings == step.get("findings", findings)
        else:
            outcome = self.take(step)
            moves = [f"{move.service} {move.state}{' train' if move.by_train else ''}" for move in outcome.moves]
            assert moves == step.get("moves", moves)
            findings = [f"{finding.code} {finding.service}" for finding in outcome.findings]
            assert findings == step.get("findings", findings)
            assert step.get("says", "") in "".join(finding.message for finding in outcome.findings)
            assert step.get("says_in_log", "") in "".join(line for move in outcome.moves for line in move.events)
        assert self.train.state == step.get("state", self.train.state)
        assert self.train.next() == step.get("next", self.train.next())
        services = {standing["service"]: standing for standing in self.train.services()}
        for service, place in step.get("places", {}).items():
            assert services[service]["place"] == place, service
        for service, waits in step.get("waits", {}).items():
            assert sorted(services[service]["waits_for"]) == sorted(waits), service
        if "poll" in step:
            assert self.train.poll_at() == START + timedelta(seconds=step["poll"])


@pytest.mark.parametrize("dies", [False, True])
@pytest.mark.parametrize("case", CASES["case"], ids=lambda case: str(case["id"]))
def test_roll_5_every_train_comes_out_as_its_case_says(case: dict[str, Any], dies: bool) -> None:
    host = Host(case, dies=dies)
    for step in case["steps"]:
        host.compare(step)
    for name, made in host.train.rollouts.items():
        assert made.log() == host.logs[name]


# A dict cannot have a key twice, as the text of this case has.
ORDERS = [case for case in CASES["order"] if case["id"] != "ROLL-5.after-has-a-service-twice"]


@pytest.mark.parametrize("case", ORDERS, ids=lambda case: str(case["id"]))
def test_roll_5_what_makes_no_train_says_why(case: dict[str, Any]) -> None:
    with pytest.raises(hotfix.PlanError) as caught:
        hotfix.Train([(name, rollout("ledger")) for name in case["services"]], after_of(case))
    assert (caught.value.code, caught.value.path) == (case["error"], case.get("path", caught.value.path))
    assert case.get("says", "") in str(caught.value)


def test_roll_5_a_train_is_made_of_rollouts_of_their_own() -> None:
    ledger = rollout("ledger")
    with pytest.raises(hotfix.PlanError) as caught:
        hotfix.Train({"ledger": ledger, "payments": ledger})
    assert caught.value.code == "HF-TRAIN-008"
    with pytest.raises(TypeError, match="pairs of a name and a Rollout"):
        hotfix.Train(["ledger"])  # type: ignore[list-item]


def test_roll_1_documents_of_a_train_are_values() -> None:
    train = hotfix.Train({"ledger": rollout("ledger")})
    outcome = train.handle(START, "ledger", LENA)
    move = outcome.moves[0]
    assert pickle.loads(pickle.dumps(outcome)) == copy.deepcopy(outcome) == outcome
    assert move["service"] == "ledger"
    assert move.to_dict()["events"] == move.events == train.rollouts["ledger"].log().splitlines(keepends=True)
    assert repr(train) == "<Train ledger, running>"
    with pytest.raises(TypeError, match="replayed"):
        pickle.dumps(train)


def test_roll_1_two_trains_over_the_same_rollouts_do_not_wait_for_each_other() -> None:
    rollouts = {name: rollout(name) for name in ("ledger", "payments", "mail")}
    trains = [hotfix.Train(rollouts), hotfix.Train(list(reversed(rollouts.items())))]

    def look(train: hotfix.Train) -> None:
        for _ in range(300):
            train.settle(START)
            train.services()

    threads = [threading.Thread(target=look, args=(train,), daemon=True) for train in trains * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
        assert not thread.is_alive()
