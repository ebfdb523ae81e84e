"""The first answer: a plan for one hot-fix, before anything is deployed.

python examples/python/first_plan.py
"""

import hotfix

policy = hotfix.Policy.preset("phased-canary")
incident = {"id": "INC-2041", "service": "payments", "severity": "P1", "detected_at": "2026-03-03T14:06:00Z"}
release = {
    "version": "2.3.1",
    "previous": "2.3.0",
    "branch": "hotfix/payment-null-check",
    "methods": [
        {"kind": "redeploy", "seconds": 150},
        {"kind": "feature_flag", "seconds": 5},
        {"kind": "git_revert", "seconds": 900},
    ],
}
plan = policy.plan(incident, release, {"requests_per_minute": 1000})

print(f"{incident['id']}: {release['previous']} to {release['version']}, {policy.title}")
print()
for phase in plan.phases:
    print(f"{phase.name:8} {phase.share:4.0%} of the traffic, watched for {phase.watch}: {phase.objective}")
print()
for step in plan.timeline("2026-03-03T14:40:00Z"):
    print(f"T+{step['offset'] / 60:<3.0f} {step['at'][11:16]} {step['step']} {step.get('phase', '')}".rstrip())
print()
for method in plan.methods:
    print(f"back by {method.kind}, {method.seconds:.0f} s")
