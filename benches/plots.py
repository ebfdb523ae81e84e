"""Draws the figures of docs/explanation/how-the-test-works.md from runs of the library.

    .venv/bin/python benches/plots.py            writes docs/img/evidence.svg and docs/img/power.svg
    .venv/bin/python benches/plots.py --check    fails if a committed figure differs

The same on every machine: random numbers come from fixed seeds, and coordinates are rounded.
"""

from __future__ import annotations

import math
import random
import sys
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path

from hotfix import stats

IMAGES = Path(__file__).parents[1] / "docs" / "img"
RUNS, TICKS, EVERY = 20, 180, 3
# 1,000 requests a minute, a tick of 10 s, a canary on a tenth, 0.3% errors.
REQUESTS, SHARE, RATE = 167, 0.1, 0.003
GREY, BLUE, RED = "#6E6E6E", "#3B82C4", "#D1603D"  # readable on white and on black

Point = tuple[float, float]


def drawn(numbers: random.Random, trials: int, rate: float) -> int:
    return sum(numbers.random() < rate for _ in range(trials))


def run(seed: int, times: float) -> tuple[list[float], int | None, int | None]:
    """One canary with `times` the errors: log e by tick, the tick of the decision, that of the first alarm of a rule.

    The rule is 'errors over 2% in the last minute'.
    """
    numbers = random.Random(seed)
    test = stats.RateRatio(alpha=0.01)
    minute: deque[tuple[int, int]] = deque(maxlen=6)
    found: list[float] = [0.0]
    decided = alarm = None
    for tick in range(1, TICKS + 1):
        requests = drawn(numbers, REQUESTS, SHARE)
        canary = drawn(numbers, requests, times * RATE), requests
        baseline = drawn(numbers, REQUESTS - requests, RATE), REQUESTS - requests
        evidence = test.update(canary=canary, baseline=baseline)
        minute.append(canary)
        if (
            alarm is None
            and len(minute) == 6
            and sum(bad for bad, _ in minute) > 0.02 * sum(trials for _, trials in minute)
        ):
            alarm = tick
        if decided is None:
            found.append(evidence.log_e)
            decided = tick if evidence.decided else None
    return found, decided, alarm


def text(x: float, y: float, words: str, *, anchor: str = "middle", size: int = 12, fill: str = GREY) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-size="{size}" fill="{fill}">{words}</text>'


def line(points: Iterable[Point], colour: str, *, width: float = 1.0, dash: str = "", opacity: float = 1.0) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}" stroke-opacity="{opacity:g}"'
        f"{dashed}/>"
    )


def dot(x: float, y: float, colour: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>'


def page(height: int, title: str, parts: Iterable[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 {height}" width="720" height="{height}" '
        f'font-family="sans-serif" role="img">\n<title>{title}</title>\n'
    )
    return head + "\n".join(parts) + "\n</svg>\n"


def evidence() -> str:
    """log e of healthy and of bad fixes, with the alarms of a threshold on the healthy ones."""
    low, high, top, bottom = -7.0, 6.0, 40, 270
    threshold = math.log(100)

    def height(value: float) -> float:
        return bottom - (min(max(value, low), high) - low) / (high - low) * (bottom - top)

    parts = [text(14, 28, "log e", anchor="start")]
    for left, times, colour, name in ((50, 1.0, BLUE, "healthy fixes"), (395, 5.0, RED, "fixes with 5 × the errors")):
        wide = 300

        def across(tick: float, left: float = left, wide: float = wide) -> float:
            return left + tick / TICKS * wide

        runs = [run(seed, times) for seed in range(RUNS)]
        found = sum(decided is not None for _, decided, _ in runs)
        alarms = [alarm for _, _, alarm in runs if alarm is not None]
        parts.append(text(left + wide / 2, 18, f"{RUNS} {name}: {found} rolled back", size=13))
        parts += [text(left - 6, height(value) + 4, f"{value:g}", anchor="end") for value in (-6, -3, 0, 3)]
        for minutes in (0, 10, 20, 30):
            parts.append(text(across(6 * minutes), bottom + 16, f"{minutes} min"))
            parts.append(line([(across(6 * minutes), top), (across(6 * minutes), bottom)], GREY, opacity=0.2))
        parts.append(line([(left, height(0)), (left + wide, height(0))], GREY, opacity=0.4))
        parts.append(line([(left, height(threshold)), (left + wide, height(threshold))], GREY, width=1.5, dash="6 4"))
        for values, decided, _ in runs:
            ticks = [*range(0, len(values) - 1, EVERY), len(values) - 1]
            parts.append(line([(across(tick), height(values[tick])) for tick in ticks], colour, opacity=0.55))
            if decided is not None:
                parts.append(dot(across(decided), height(values[decided]), colour))
        parts += [
            line([(across(tick), bottom + 30), (across(tick), bottom + 44)], colour, width=1.5) for tick in alarms
        ]
        parts.append(text(left + wide / 2, bottom + 60, f"errors over 2% in a minute: {len(alarms)} of {RUNS} alarm"))
    parts.append(text(703, height(threshold) - 6, "4.6: rolled back", anchor="end"))
    return page(340, "Evidence of healthy and of bad fixes, by time, and the alarms of a threshold", parts)


def power() -> str:
    """The chance that the test finds a fault in a phase, by ratio."""
    ratios = [1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 14.0, 20.0]
    phases: Sequence[tuple[str, float, float, str, str]] = (
        ("10%, 10 min", 0.1, 10, BLUE, ""),
        ("10%, 30 min", 0.1, 30, BLUE, "6 4"),
        ("50%, 10 min", 0.5, 10, RED, ""),
        ("50%, 30 min", 0.5, 30, RED, "6 4"),
    )
    left, right, top, bottom = 60, 560, 20, 270

    def across(ratio: float) -> float:
        return left + (math.log(ratio) - math.log(1.25)) / (math.log(20) - math.log(1.25)) * (right - left)

    def height(chance: float) -> float:
        return bottom - chance * (bottom - top)

    parts = [text((left + right) / 2, bottom + 36, "errors of the fix, as a multiple of the live version's 0.3%")]
    for chance in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        parts.append(text(left - 8, height(chance) + 4, f"{chance:.0%}", anchor="end"))
        parts.append(line([(left, height(chance)), (right, height(chance))], GREY, opacity=0.2))
    for ratio in (1.5, 2, 3, 5, 10, 20):
        parts.append(text(across(ratio), bottom + 16, f"{ratio:g} ×"))
    for number, (name, share, minutes, colour, dash) in enumerate(phases):
        chances = [stats.chance_to_decide(1000, share, RATE, ratio, minutes).chance for ratio in ratios]
        points = [(across(ratio), height(chance)) for ratio, chance in zip(ratios, chances, strict=True)]
        parts.append(line(points, colour, width=2, dash=dash))
        row = 60 + 24 * number
        parts.append(line([(580, row - 4), (610, row - 4)], colour, width=2, dash=dash))
        parts.append(text(618, row, name, anchor="start"))
    return page(315, "Chance that the test finds a fault within a phase, by the size of the fault", parts)


def main() -> int:
    """Write the figures, or compare them."""
    wrong = 0
    for name, figure in (("evidence.svg", evidence()), ("power.svg", power())):
        path = IMAGES / name
        if "--check" not in sys.argv[1:]:
            path.write_text(figure, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != figure:
            print(f"{path} differs: run benches/plots.py")
            wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main())
