"""What one observation of five metrics costs through Python; `scripts/python-test.sh` builds what is measured.

The rollout and the readings of `hotfix-ffi/benches/observe.rs`: two proportions, a histogram with six boundaries, a
count and a volume; a line of the log is handed out for each and not kept. Its `HandOut` figures are what the same takes
in Rust. The shortest of many short batches is printed, as the machine may be busy.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hotfix

BATCH, BATCHES = 500, 500

LE = [0.1, 0.25, 0.3, 0.5, 1.0, 2.5]
METRICS: dict[str, dict[str, Any]] = {
    "error_rate": {"canary": [0, 100], "baseline": [3, 900]},
    "payment_success": {"canary": [100, 100], "baseline": [405, 900]},
    "latency_p95": {
        "canary": {"le": LE, "counts": [72, 97, 98, 99, 100, 100], "count": 100},
        "baseline": {"le": LE, "counts": [648, 873, 882, 891, 900, 900], "count": 900},
    },
    "bug": {"canary": [0, 10], "baseline": [12, 10]},
    "request_volume": {"canary": 100, "baseline": 900},
}

# Nothing holds the start, and the phase is so long that nothing happens.
OPEN = Path(__file__).parents[2] / "hotfix-core/tests/policies/open.toml"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = [
    {"kind": "start", "by": "lena"},
    {"kind": "confirm", "by": "tool", "action": "1.3"},
    {"kind": "confirm", "by": "tool", "action": "2.0"},
]


def quiet() -> hotfix.Rollout:
    """Make a rollout in which nothing happens."""
    whole = hotfix.Policy.from_toml(OPEN.read_text()).to_toml()
    policy = hotfix.Policy.from_toml(whole.replace('"10min"', '"9000d"'))
    plan = policy.plan({"id": "INC-1"}, {"version": "2.3.1", "previous": "2.3.0"})
    rollout = hotfix.Rollout(plan, keep_log=False)
    for second, step in enumerate(START):
        rollout.handle(EPOCH + timedelta(seconds=second), step)
    return rollout


def main() -> None:
    """Measure and print."""
    rollout = quiet()
    observe, best, at = rollout.observe, float("inf"), EPOCH + timedelta(seconds=len(START))
    for _ in range(BATCHES):
        times = [at + timedelta(seconds=tick) for tick in range(1, BATCH + 1)]
        at = times[-1]
        began = time.perf_counter()
        for moment in times:
            observe(moment, METRICS)
        best = min(best, (time.perf_counter() - began) / BATCH)
    print(f"{best * 1e6:.2f} us an observation, state {rollout.state}")


if __name__ == "__main__":
    main()
