"""docs/how-to/migrate.md: `act` for Argo Rollouts moves what it confirms."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from guides import DOCS, of
from pipeline import BACK, POLICY, pipeline

# A `kubectl` and its controller, with one Rollout of the steps of the page. After a change Argo needs some readings
# of its status until it waits at the next pause; a `promote` before that skips the step that it is at.
KUBECTL = """#!/usr/bin/python3
import json, os, pathlib, re, sys, time
place = pathlib.Path(__file__).with_name("rollout.json")
now, words = json.loads(place.read_text()), sys.argv[1:]
asked, steps = " ".join(words), now["steps"]
with place.with_name("calls").open("a") as calls:
    print(asked, file=calls)

def save():
    new = place.with_name(f"new-{os.getpid()}")  # it may be killed at any time
    new.write_text(json.dumps(now))
    new.rename(place)

def reconcile():
    if not now["routing"]:
        return
    step = steps[now["index"]] if now["index"] < len(steps) else None
    if now["stable"] == now["current"] or now["aborted"]:
        now.update(phase="Degraded" if now["aborted"] else "Healthy", weight=0)
    elif step is None:
        now.update(stable=now["current"], weight=0, phase="Healthy")
    elif "pause" in step:
        now["phase"] = "Paused"
    else:
        now.update(phase="Progressing", weight=step.get("setWeight", now["weight"]))
        if now["lag"] > 0:
            now["lag"] -= 1
        else:
            now.update(index=now["index"] + 1, lag=now["slow"])

if image := re.search("set image payments app=registry.example.org/payments:(.*)", asked):
    if image[1] != now["current"]:
        now.update(current=image[1], generation=now["generation"] + 1, index=0, aborted=False, weight=0)
        reconcile()
elif asked == "argo rollouts abort payments":
    now["aborted"] = True
    reconcile()
elif asked == "argo rollouts promote payments --full":
    now["index"] = len(steps)
elif asked == "argo rollouts promote payments":
    now["index"] = min(now["index"] + 1, len(steps))
else:
    names = {
        "metadata.generation": "generation", "status.observedGeneration": "generation", "status.phase": "phase",
        "status.currentPodHash": "current", "status.stableRS": "stable",
        "status.canary.weights.canary.weight": "weight", "spec.strategy.canary.trafficRouting": "routing",
    }
    path, wanted = re.search("jsonpath={.(.*?)}=?([^=]*)$", asked).groups()
    tries = 500 if words[0] == "wait" else 1
    for _ in range(tries):
        reconcile()
        if path == "spec.strategy.canary.steps[0].setWeight":
            found = str(steps[0].get("setWeight", ""))
        else:
            found = str(now[names[path]])
        save()
        if words[0] == "get" or found == wanted:
            break
        time.sleep(0.01)
    if words[0] == "get":
        print(found, end="")
    elif found != wanted:
        sys.exit(f"timed out waiting for the condition: {asked}, it is {found}")
save()
"""
PAGE = DOCS / "how-to" / "migrate.md"
STEPS: list[dict[str, Any]] = next(
    yaml.safe_load(block.text)["spec"]["strategy"]["canary"]["steps"] for block in of("yaml") if block.page == PAGE
)
BEFORE: dict[str, Any] = {
    "current": "2.3.0",
    "stable": "2.3.0",
    "weight": 0,
    "phase": "Healthy",
    "generation": 7,
    "routing": "{}",
    "steps": STEPS,
    "index": len(STEPS),
    "aborted": False,
    "lag": 0,
    "slow": 0,
}
pytestmark = pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")


class Argo:
    """A Rollout, and `./act`."""

    def __init__(self, folder: Path, **state: object) -> None:
        self.folder, self.state = folder, folder / "rollout.json"
        for name, script in (("kubectl", KUBECTL), ("sleep", "#!/bin/sh\n"), ("python", "#!/bin/sh\n")):
            (folder / name).write_text(script)
            (folder / name).chmod(0o755)
        self.reset(**state)

    def reset(self, **state: object) -> None:
        self.state.write_text(json.dumps(BEFORE | state))
        (self.folder / "calls").unlink(missing_ok=True)

    def run(self, kind: str, **action: object) -> subprocess.CompletedProcess[str]:
        document = json.dumps({"kind": kind, "id": "7.0", **action})
        environment = {"PATH": f"{self.folder}:/usr/bin:/bin"}
        command = [str(self.folder / "act"), kind]
        return subprocess.run(command, input=document, text=True, env=environment, capture_output=True)

    def act(self, kind: str, **action: object) -> tuple[str, str, int]:
        for _ in range(2):  # each case may be repeated
            done = self.run(kind, **action)
            assert done.returncode == 0, done.stderr
        now = json.loads(self.state.read_text())
        return now["current"], now["stable"], now["weight"]


@pytest.mark.parametrize("slow", [0, 2, 20])
def test_the_program_for_argo_rollouts_moves_what_it_confirms(folder: Path, slow: int) -> None:
    argo = Argo(folder)

    def deploy() -> None:
        argo.reset(slow=slow, lag=slow)
        assert argo.act("deploy", version="2.3.1") == ("2.3.1", "2.3.0", 0)  # it has no traffic yet
        assert argo.act("set_traffic", share=0.1) == ("2.3.1", "2.3.0", 10)

    back: dict[str, Any] = {"version": "2.3.0", "method": "platform"}
    for last, moved in ((0.5, ("2.3.1", "2.3.0", 50)), (1, ("2.3.1", "2.3.1", 0))):  # during the update, and after it
        deploy()
        for share in (0.5, last):
            after = argo.act("set_traffic", share=share)
        assert after == moved
        assert argo.act("roll_back", **back) == ("2.3.0", "2.3.0", 0)
    deploy()
    assert argo.act("set_traffic", share=0) == ("2.3.1", "2.3.0", 0)  # another release takes its place
    assert argo.act("deploy", version="2.3.2") == ("2.3.2", "2.3.0", 0)


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        ({"weight": "", "routing": ""}, "it needs trafficRouting, and nothing was moved\n"),
        (
            {"steps": [{"setWeight": 10}, {"pause": {}}]},
            "moves traffic with the deployment: begin with setCanaryScale\n",
        ),
    ],
    ids=["no weight", "traffic with the deployment"],
)
def test_the_program_for_argo_rollouts_moves_nothing_that_it_cannot_steer(
    folder: Path, state: dict[str, Any], refusal: str
) -> None:
    argo = Argo(folder)
    actions: dict[str, dict[str, object]] = {"deploy": {"version": "2.3.1"}}
    if "weight" in state:
        actions["set_traffic"] = {"share": 0.1}
    for kind, action in actions.items():
        argo.reset(**state)
        done = argo.run(kind, **action)
        assert done.returncode == 1
        assert done.stderr.endswith(refusal)
        assert all(call.startswith("get rollout payments") for call in (folder / "calls").read_text().splitlines())


def test_roll_4_a_rollback_does_not_wait_until_argo_has_moved_the_traffic(folder: Path) -> None:
    shares = POLICY.replace('share = "50%"', 'share = "10%"')
    script = (folder / "act").read_text()
    with pipeline(folder, policy=shares) as job:
        argo = Argo(folder, steps=[{"setCanaryScale": {"weight": 10}}, {"pause": {}}, {"setWeight": 9}], slow=10**6)
        (folder / "act").write_text(f'#!/bin/sh\necho "$1" >> acted\n{script}')
        with job.start(PATH=f"{folder}:/usr/bin:/bin") as running:
            job.wait_for("set_traffic")
            time.sleep(1)
            job.put("2.json", BACK)
            began = time.monotonic()
            assert job.end(running) == 3, job.printed
            assert time.monotonic() - began < 10
        assert job.audit() == "rolled_back"
        assert json.loads(argo.state.read_text())["current"] == "2.3.0"
