"""A hot-fix that has to be rolled back, driven from Python.

The script is data that all languages share: a plan, and what happened, line by line. This program is the deploy tool:
it hands each line to the library, appends what comes back to its log (here standard output) and says on standard error
what it would do. The log is the same, byte for byte, in every language.

    python examples/python/canary_rollback.py [examples/scripts]
"""

import json
import sys
from pathlib import Path
from typing import Any

import hotfix


def make_rollout(folder: Path) -> hotfix.Rollout:
    """Make the rollout of the plan file: a preset or a policy of the house, incident, release and traffic."""
    plan = json.loads((folder / "canary_rollback.plan.json").read_text())
    if "preset" in plan:
        policy = hotfix.Policy.preset(plan["preset"])
    else:
        policy = hotfix.Policy.load(folder.parents[1] / plan["policy_file"])
    return hotfix.Rollout(policy.plan(plan["incident"], plan["release"], plan.get("traffic")), salt=plan.get("salt"))


def append(events: list[str]) -> None:
    """First the log. A real tool writes to a file and waits for the disk."""
    sys.stdout.writelines(events)
    sys.stdout.flush()


def act(action: hotfix.Action) -> None:
    """Then the actions. A real tool does them and reports `confirm` or `failed` for those that are awaited."""
    match action.kind:
        case "set_traffic":
            what = f"{action.share:.0%}"
        case "deploy":
            what = f"{action.version}"
        case "roll_back":
            what = f"by {action.method} to {action.version}"
        case _:  # messages, questions and pages: not this tool's job
            what = ""
    print(f"    {action.id:5} {action.kind} {what}{' (to be confirmed)' if action.awaits else ''}", file=sys.stderr)


def step(rollout: hotfix.Rollout, at: str, input: dict[str, Any]) -> None:
    """Hand one input over. Metrics go the short way where nothing but metrics comes."""
    try:
        if input.keys() == {"kind", "metrics"} and input["kind"] == "observe":
            outcome = rollout.observe(at, input["metrics"])
        else:
            outcome = rollout.handle(at, input)
    except hotfix.Refused as refused:  # legal, but not now; the lines of a refusal belong to the log, too
        append(refused.events)
        print(f"{at} refused: {refused}", file=sys.stderr)
        return
    append(outcome.events)
    print(f"{at} {input['kind']:9} {rollout.state}, {rollout.verdict.decision}", file=sys.stderr)
    for action in outcome.actions:
        act(action)


def main() -> None:
    """Run the script and prove the log."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1] / "scripts").resolve()
    rollout = make_rollout(folder)
    for line in (folder / "canary_rollback.jsonl").read_text().splitlines():
        recorded = json.loads(line)
        step(rollout, recorded["at"], recorded["input"])
    audit = hotfix.audit(rollout.log(), rollout.head)
    print(f"{audit.lines} lines, {'clean' if audit.is_clean else audit.findings}", file=sys.stderr)


if __name__ == "__main__":
    main()
