"""Figures of `power.toml` from independent computation, with the standard library alone.

The gate's bound allows what it allows of exactly the planned requests, that of a window of as many as come, a Poisson law: of most
that it allows, one less and one more count, as is likely, and a window with fewer than the least trials is not asked. Bounds: the counts of a
phase are summed tick by tick, and what goes back is struck out; windows that overlap are followed twice, with the limits of few
and of many requests. All are sums of numbers above 0, so exact to twelve digits or more. Test: the evidence of every pair of counts is computed
from its definition, `sum_j w_j exp(l_j)`, and the chances of undecided pairs are kept in a dictionary. Nothing is shared
with the library but the definitions.

    python3 power_reference.py        # prints every figure that the cases state
"""

from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import accumulate
from math import ceil, comb, exp, fsum, inf, lgamma, log, log1p

GRID, WEIGHTS = (2, 4, 8, 20), (0.4, 0.25, 0.2, 0.15)
LEAST = 100


def pmf(trials: int, rate: Fraction) -> list[float]:
    """As far as anything is likely."""
    good = 1 - float(rate)
    return [comb(trials, x) * float(rate) ** x * good ** (trials - x) for x in range(min(trials, 160) + 1)]


def drawn(bad: Fraction, trials: int, least: int = 0) -> list[tuple[float, float]]:
    """How many bad events 'at most a share of `bad`' allows, and how likely that is; any, where it is not asked."""
    most = int(bad * trials)

    def fewer(edge: int) -> float:
        return fsum(exp(n * log(trials) - trials - lgamma(n + 1)) for n in range(edge))

    unasked = fewer(least)
    less = max(fewer(ceil(most / bad)) - unasked, 0.0)
    more = 1 - max(fewer(ceil((most + 1) / bad)), unasked)
    return [(inf, unasked), (most - 1, less), (most, 1 - less - more - unasked), (most + 1, more)]


def gated(bad: Fraction, trials: int, chances: Callable[[float], tuple[float, float]]) -> tuple[float, float]:
    """With what the gate allows of exactly as many requests as planned."""
    return chances(int(bad * trials))


def bounds(ticks: int, trials: int, rate: Fraction, window: Fraction, calm: int, phase: float) -> tuple[float, float]:
    """Passes, and goes back, where a missed gate goes back.

    `window` is what may be bad of a tick, `calm` most of the last window, `phase` most of all.
    """
    limits = drawn(window, trials, LEAST)
    step = [more * fsum(share for most, share in limits if x <= most) for x, more in enumerate(pmf(trials, rate))]
    sums = {0: 1.0}
    passes = 0.0
    for _ in range(ticks):
        last, sums = sums, defaultdict(float)
        passes = 0.0
        for total, chance in last.items():
            for x, more in enumerate(step):
                if total + x <= phase:
                    sums[total + x] += chance * more
                    passes += chance * more if x <= calm else 0.0
    return passes, 1 - sum(sums.values())


def test(ticks: list[tuple[int, int]], share: float, rate: float, ratio: float, alpha: float) -> float:
    """Found by the end."""
    losses = [log1p((g - 1) * share) for g in GRID]

    def decided(canary: int, live: int) -> bool:
        terms = zip(GRID, WEIGHTS, losses, strict=True)
        return sum(w * exp(canary * log(g) - (canary + live) * loss) for g, w, loss in terms) >= 1 / alpha

    def chances(trials: int, rate: float) -> list[float]:
        return [comb(trials, x) * rate**x * (1 - rate) ** (trials - x) for x in range(min(trials, 90) + 1)]

    known: dict[tuple[int, int], bool] = {}
    paths, found = {(0, 0): 1.0}, 0.0
    for n, others in ticks:
        step, rest = chances(n, rate * ratio), chances(others, rate)
        half = defaultdict(float)
        for (canary, live), chance in paths.items():
            for x, more in enumerate(step):
                if chance * more > 1e-19:
                    half[canary + x, live] += chance * more
        both = defaultdict(float)
        for (canary, live), chance in half.items():
            for x, more in enumerate(rest):
                if chance * more > 1e-19:
                    both[canary, live + x] += chance * more
        paths = {}
        for pair, chance in both.items():
            if pair not in known:
                known[pair] = decided(*pair)
            if known[pair]:
                found += chance
            else:
                paths[pair] = chance
    return found


def split(ticks: int, requests: float, share: Fraction, seconds: int, skip: int = 0) -> list[tuple[int, int]]:
    """Trials of both arms a tick: whole numbers of what is planned so far."""
    made = []
    for tick in range(skip, ticks):
        ends = [Fraction(requests) * k * seconds / 60 for k in (tick, tick + 1)]
        canary = [int(end * share) for end in ends]
        both = [int(end) for end in ends]
        made.append((canary[1] - canary[0], both[1] - both[0] - (canary[1] - canary[0])))
    return made


def main() -> None:
    """Prints the figures."""
    thousandth, twentieth = Fraction(3, 1000), Fraction(1, 20)
    print("S1: passes, goes back, by phase and ratio")
    whole = {}
    for name, ticks, trials, window, calm in [
        ("canary", 10, 100, twentieth, 2), ("partial", 10, 500, twentieth, 10), ("full", 30, 1000, twentieth, 20),
    ]:
        for ratio in (1, Fraction(3, 2), 2, 5, 10, 20):
            got = gated(thousandth, ticks * trials, partial(bounds, ticks, trials, thousandth * ratio, window, calm))
            whole[name, ratio] = got
            print(f"  {name} {float(ratio)}: {got[0]!r} {got[1]!r}")
    print("  all gates:", whole["canary", 1][0] * whole["partial", 1][0] * whole["full", 1][0])
    print("S1, at or below 0.9%:")
    for name, ticks, trials, window, calm in [("canary", 10, 100, twentieth, 2), ("partial", 10, 500, twentieth, 10)]:
        print("  ", name, gated(3 * thousandth, ticks * trials, partial(bounds, ticks, trials, thousandth, window, calm)))
    print("S1, a window of 10 minutes (5% of what there is, 2% at the end):")
    print("  needs limits that grow: see the loop below")
    for name, trials in [("canary", 100), ("partial", 500)]:
        calm = Fraction(1, 50)
        got = gated(thousandth, 10 * trials, partial(growing, 10, trials, thousandth * 2, twentieth, calm))
        print("  ", name, "2.0", got)
    print("S1, payments: 99.5%, alert below 99%, rollback below 98%")
    half = Fraction(1, 200)
    for name, ticks, trials, window, calm in [("canary", 10, 100, Fraction(1, 50), 1), ("partial", 10, 500, Fraction(1, 50), 5)]:
        print("  ", name, gated(half, ticks * trials, partial(bounds, ticks, trials, half, window, calm)))
    print("The test at its own 0.0025")
    for name, ticks, share in [
        ("S1 canary", split(10, 1000, Fraction(1, 10), 60), 0.1),
        ("S1 partial", split(10, 1000, Fraction(1, 2), 60), 0.5),
        ("standard canary", split(60, 1000, Fraction(1, 10), 10, 2), 0.1),
        ("standard canary at 1200", split(60, 1200, Fraction(1, 10), 10, 2), 0.1),
    ]:
        # The share of what is counted, warm-up left out.
        canary, both = sum(n for n, _ in ticks), sum(n + m for n, m in ticks)
        assert abs(canary / both - share) < 1e-3
        for ratio in (1, 1.5, 2, 5, 10, 20):
            print(f"  {name} {ratio}: {test(ticks, canary / both, 0.003, ratio, 0.0025)!r}")


def growing(ticks: int, trials: int, rate: Fraction, most: Fraction, calm: Fraction, phase: float) -> tuple[float, float]:
    """As `bounds` with a window that nothing leaves: its limit is a share of what it holds, of few or of many requests."""
    step = pmf(trials, rate)
    passes = kept = 0.0
    for part in (0.25, 0.75):
        sums = {0: 1.0}
        for tick in range(1, ticks + 1):
            # What it allows where a quarter, or three, of the numbers of requests are smaller.
            below = list(accumulate(share for _, share in drawn(most, trials * tick, LEAST)))
            limit = next(limit for (limit, _), up_to in zip(drawn(most, trials * tick, LEAST), below, strict=True) if part < up_to)
            last, sums = sums, defaultdict(float)
            for total, chance in last.items():
                for x, more in enumerate(step):
                    if total + x > min(limit, phase):
                        break
                    sums[total + x] += chance * more
        kept += sum(sums.values()) / 2
        passes += sum(chance for total, chance in sums.items() if total <= int(calm * trials * ticks)) / 2
    return passes, 1 - kept


if __name__ == "__main__":
    main()
