"""Classifies an incident with incomplete facts: its severity, what to ask next, and what the answer changes.

python examples/python/explain_severity.py
"""

from datetime import timedelta

import hotfix

policy = hotfix.Policy.preset("enterprise")
facts: dict[str, bool | float | str | None] = {
    "payment_failure_share": 0.55,
    "revenue_impact": True,
    "service_down": False,
    "data_corruption": False,
    "security_vulnerability": False,
    "users_affected": None,
    "workaround_exists": None,
    "preceding_deploy": "2.3.0",
}


def explain(at: str) -> None:
    """Print the policy's answer for the known facts."""
    answer, decision = policy.classify(facts), policy.decide(facts)
    print(f"{at} {answer.severity or 'open'}, at worst {answer.at_worst or 'open'}; hot-fix: {answer.hotfix}")
    for rule in answer.rules:
        print(f"  because {rule.title}")
    for fact in answer.decisive:
        for value, severity in answer.if_known[fact].items():
            print(f"  {fact} {value}: {severity or 'open'}")
    if decision.next_question:
        print(f"  ask: {decision.next_question.ask}")
    if decision.outcome:
        deadline = decision.outcome.deadline
        hours = deadline / timedelta(hours=1) if isinstance(deadline, timedelta) else 0
        print(f"  do: {decision.outcome.title}, within {hours:g} h")
    print(f"  settled: {'yes' if answer.settled else 'no'}")


explain("14:06")
facts["authentication_down"] = False  # at 14:12 somebody tried it: users can log in
explain("14:12")
