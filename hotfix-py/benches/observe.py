"""What one observation of five metrics costs through Python; build with `maturin develop --release` first.

Two proportions, a histogram with six boundaries, a count and a volume in a live rollout that keeps no log. The shortest
of many short batches is printed, as the machine may be busy. What the engine itself takes, `make bench` says.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import hotfix

BATCH, BATCHES = 40, 3000

LE = [0.1, 0.25, 0.3, 0.5, 1.0, 2.5]
METRICS: dict[str, dict[str, Any]] = {
    "error_rate": {"canary": [3, 1000], "baseline": [24, 9000]},
    "payment_success": {"canary": [995, 1000], "baseline": [8955, 9000]},
    "latency_p95": {
        "canary": {"le": LE, "counts": [700, 970, 980, 990, 1000, 1000], "count": 1000},
        "baseline": {"le": LE, "counts": [6300, 8730, 8820, 8910, 9000, 9000], "count": 9000},
    },
    "bug": {"canary": [0, 10.0], "baseline": [12, 10.0]},
    "request_volume": {"canary": 100.0, "baseline": 900.0},
}


def main() -> None:
    """Measure and print."""
    incident, release = {"id": "INC-2041", "severity": "P1"}, {"version": "2.3.1", "previous": "2.3.0"}
    plan = hotfix.Policy.preset("phased-canary").plan(incident, release)
    rollout = hotfix.Rollout(plan, keep_log=False)
    at = datetime(2026, 3, 3, 14, 40, tzinfo=UTC)
    approval, *items = rollout.blockers()
    rollout.handle(at, {"kind": "approve", "by": "bench", "role": approval["roles"][0]})
    for item in items:
        rollout.handle(at, {"kind": "check_item", "by": "bench", "item": item["item"]})
    rollout.handle(at, {"kind": "start", "by": "bench"})
    while pending := rollout.pending_actions():
        rollout.handle(at, {"kind": "confirm", "by": "bench", "action": pending[0].id})
    observe, best = rollout.observe, float("inf")
    for _ in range(BATCHES):
        times = [at + timedelta(milliseconds=tick) for tick in range(1, BATCH + 1)]
        at = times[-1]
        began = time.perf_counter()
        for moment in times:
            observe(moment, METRICS)
        best = min(best, (time.perf_counter() - began) / BATCH)
    print(f"{best * 1e6:.2f} us an observation, state {rollout.state}")


if __name__ == "__main__":
    main()
