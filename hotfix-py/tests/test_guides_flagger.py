"""docs/how-to/migrate.md: the answers to Flagger move what they confirm."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import hotfix
from guides import load

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
