"""A script of inputs, step by step: what is handed over, and all that can be seen of the rollout afterwards.

`hotfix-core/tests/cases/roll/readings.toml` describes the form.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import hotfix

Case = dict[str, Any]
File = dict[str, Any]

START = datetime(2026, 3, 3, 14, 40, tzinfo=UTC)

SEEN = (
    *("error", "refused", "says", "accepts", "state", "phase", "share"),
    *("decision", "causes", "modes", "actions", "pending", "lines", "repeated"),
    *("why", "harm", "table", "shows", "report", "poll_at", "attempt", "takes"),
)


def moment(seconds: float) -> datetime:
    """What a case counts from 14:40."""
    return START + timedelta(seconds=seconds)


def open_gates(document: Any) -> None:
    """Take out what holds the start and the end: approvals, rollback point, moment of start lists, what lists hold."""
    document["approvals"] = []
    document["rollback"]["point"] = False
    for level in document["severities"].values():
        level["approvals"] = []
    for checklist in document["checklists"]:
        checklist["at"] = "before" if checklist["at"] == "start" else checklist["at"]
        checklist.pop("holds", None)


def gates(rollout: hotfix.Rollout) -> dict[str, Any]:
    """What is on record for the start and after it."""
    return {
        "blockers": rollout.blockers(),
        "approvals": rollout.approvals(),
        "checklists": rollout.checklists(),
        "procedure": rollout.procedure(),
        "interventions": {intent["kind"]: intent for intent in rollout.interventions()},
        "change_record": rollout.change_record(),
        "questions": rollout.questions(),
    }


def history(case: Case) -> dict[str, dict[str, list[list[float]]]] | None:
    """The made-up history that `roll/readings.toml` describes."""
    if "history" not in case:
        return None
    made: dict[str, Any] = case["history"]

    def counts(pod: int) -> list[list[float]]:
        bursts = [(tick + 7 * pod) % made["every"] == 0 for tick in range(made["ticks"])]
        return [[made["burst"] if burst else 0, made["trials"]] for burst in bursts]

    return {made["metric"]: {f"pod-{pod}": counts(pod) for pod in range(made["instances"])}}


def again(rollout: hotfix.Rollout) -> hotfix.Rollout:
    """The same rollout out of its log, which has to be clean."""
    log = rollout.log()
    assert hotfix.audit(log, rollout.head).findings == []
    replayed = hotfix.Rollout.replay(log)
    for seen in (gates, standing):
        assert seen(replayed) == seen(rollout)
    return replayed


def standing(rollout: hotfix.Rollout) -> tuple[Any, ...]:
    """Where it stands, and what is due; any time before the last input is read as that."""
    return (
        *(rollout.state, rollout.phase, rollout.share, rollout.head, rollout.poll_at(), rollout.attempt),
        *(rollout.accepted, [action.to_dict() for action in rollout.pending_actions()], rollout.duties(START)),
    )


def deliver(rollout: hotfix.Rollout, at: datetime, step: Case, file: File) -> dict[str, Any]:
    """Hand one input over; everything that a step may compare."""
    seen: dict[str, Any] = dict.fromkeys(("error", "refused"), None) | {"says": "", "accepts": [], "repeated": False}
    actions: list[hotfix.Action] = []
    events: list[str] = []
    try:
        if "observe" in step:
            outcome = rollout.observe(at, file["observations"][step["observe"]])
        else:
            outcome = rollout.handle(at, document_of(step, rollout.head))
        actions, events, seen["repeated"] = outcome.actions, outcome.events, outcome.repeated
    except json.JSONDecodeError:
        seen["error"] = "HF-IN-001"  # what is no JSON is no dict either
    except hotfix.InputError as error:
        seen |= {"error": error.code, "says": str(error)}
    except hotfix.Refused as refused:
        seen |= {"refused": refused.code, "says": str(refused), "accepts": refused.accepted}
        events = refused.events
    verdict = rollout.verdict
    why, harm = rollout.why(), rollout.harm()
    return seen | {
        "why": {name: str(metric) for name, metric in why.metrics.items()} if why else {},
        "harm": (harm.lesser or "") if harm else None,
        "table": rollout.comparison().to_markdown(),
        "state": rollout.state,
        "phase": rollout.phase or "",
        "share": rollout.share,
        "decision": verdict.decision,
        "causes": [" ".join(filter(None, (cause.reason, cause.metric, cause.instance))) for cause in verdict.causes],
        "modes": {name: f"{metric.mode} {metric.guarantee}" for name, metric in verdict.metrics.items()},
        "actions": [f"{action.id} {action.kind}" for action in actions],
        "pending": [f"{action.id} {action.kind}" for action in rollout.pending_actions()],
        "lines": len(events),
        "poll_at": "never" if (poll_at := rollout.poll_at()) is None else (poll_at - START).total_seconds(),
        "attempt": rollout.attempt,
        "takes": rollout.accepted,
        "report": rollout.report("markdown") if "report" in step else "",
        "shows": gates(rollout)
        | {
            "actions": [action.to_dict() for action in actions],
            "duties": rollout.duties(moment(step["asked_at"]) if "asked_at" in step else at),
            "line": json.loads(events[-1]) if events else None,
            "verdict": verdict.to_dict(),
            "messages": [message(rollout, dict(request)) for request in step.get("messages", [])],
        },
    }


def message(rollout: hotfix.Rollout, request: dict[str, Any]) -> Any:
    """A message as it is asked for: a text, a document, or the error's code and sentence."""
    try:
        return rollout.message(request.pop("kind"), **request)
    except hotfix.MessageError as error:
        return {"code": error.code, "message": str(error)}


def document_of(step: Case, head: str) -> Any:
    if "json" in step:
        return json.loads(step["json"].replace("$head", head))
    return {key: head if value == "$head" else value for key, value in step["input"].items()}
