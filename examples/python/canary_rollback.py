"""A hot-fix that has to be rolled back, driven from Python.

The script is data that all languages share: a plan, and what happened, line by line. This program is the deploy tool:
it passes each line to the library, appends the returned events to its log (here standard output) and shows on standard
error what it would do. The log is the same, byte for byte, in every language.

    python examples/python/canary_rollback.py [examples/scripts]
"""

import json
import sys
from pathlib import Path
from typing import Any

import hotfix


def make_rollout(folder: Path) -> hotfix.Rollout:
    """Make the rollout of the plan file, which names a preset or a policy file, incident, release and traffic."""
    plan = json.loads((folder / "canary_rollback.plan.json").read_text())
    if "preset" in plan:
        policy = hotfix.Policy.preset(plan["preset"])
    else:
        policy = hotfix.Policy.load(folder.parents[1] / plan["policy_file"])
    return hotfix.Rollout(policy.plan(plan["incident"], plan["release"], plan.get("traffic")), salt=plan.get("salt"))


def append(events: list[str]) -> None:
    """Append to the log first. A real tool writes to a file and waits for the disk."""
    sys.stdout.writelines(events)
    sys.stdout.flush()


def act(action: hotfix.Action) -> None:
    """Then act. A real tool carries out the actions and sends `confirm` or `failed` for those that await it."""
    match action.kind:
        case "set_traffic":
            what = f"{action.share:.0%}"
        case "deploy":
            what = f"{action.version}"
        case "roll_back":
            what = f"by {action.method} to {action.version}"
        case _:  # messages, questions and pages are not handled by this tool
            what = ""
    print(f"    {action.id:5} {action.kind} {what}{' (to be confirmed)' if action.awaits else ''}", file=sys.stderr)


def step(rollout: hotfix.Rollout, at: str, input: dict[str, Any]) -> None:
    """Send one input. An input that has only metrics is sent with `observe`, which is faster."""
    try:
        if input.keys() == {"kind", "metrics"} and input["kind"] == "observe":
            outcome = rollout.observe(at, input["metrics"])
        else:
            outcome = rollout.handle(at, input)
    except hotfix.Refused as refused:  # valid, but not accepted now; the lines of a refusal belong to the log too
        append(refused.events)
        print(f"{at} refused: {refused}", file=sys.stderr)
        return
    append(outcome.events)
    print(f"{at} {input['kind']:9} {rollout.state}, {rollout.verdict.decision}", file=sys.stderr)
    for action in outcome.actions:
        act(action)


def main() -> None:
    """Run the script and audit the log."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1] / "scripts").resolve()
    rollout = make_rollout(folder)
    for line in (folder / "canary_rollback.jsonl").read_text().splitlines():
        recorded = json.loads(line)
        step(rollout, recorded["at"], recorded["input"])
    audit = hotfix.audit(rollout.log(), rollout.head)
    print(f"{audit.lines} lines, {'clean' if audit.clean else audit.findings}", file=sys.stderr)


if __name__ == "__main__":
    main()
