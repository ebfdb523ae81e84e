"""Writes calibration.toml: section 4 of the statistics, word by word, in plain floats.

    python3 calibration_reference.py > calibration.toml

No library but Python's own: slow and obvious on purpose. Draws for shares over 0.25 come from the seed as the core draws
them (PCG XSL RR 128/64, default stream, Lemire's bounded numbers), here from O'Neill's paper.
"""

import math
import random

MASK = (1 << 128) - 1
MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645
STREAM = 0x0A02BDBF7BB3C0A7AC28FA16A64ABF96
GRID, WEIGHTS = (2.0, 4.0, 8.0, 20.0), (0.4, 0.25, 0.2, 0.15)


class Pcg:
    def __init__(self, seed):
        self.increment = (STREAM << 1 | 1) & MASK
        self.state = (seed + self.increment) & MASK
        self.step()

    def step(self):
        self.state = (self.state * MULTIPLIER + self.increment) & MASK

    def next(self):
        self.step()
        rotate = self.state >> 122
        mixed = (self.state >> 64) ^ (self.state & (2**64 - 1))
        return (mixed >> rotate | mixed << (64 - rotate)) & (2**64 - 1)

    def below(self, bound):
        while True:
            product = self.next() * bound
            if product % 2**64 >= 2**64 % bound:
                return product >> 64

    def choose(self, pool, count):
        for at in range(count):
            other = at + self.below(len(pool) - at)
            pool[at], pool[other] = pool[other], pool[at]
        pool[:count] = sorted(pool[:count])
        return pool[:count]


def gain(g, x, n, m, all_n, tolerated):
    """One tick of one grid ratio, as section 1 has it."""
    rest = all_n - n
    if m == 0 or n == 0 or rest == 0:
        return 0.0
    return x * math.log(g) + m * (math.log(tolerated * n + rest) - math.log(tolerated * g * n + rest))


def log_sum(terms):
    top = max(terms)
    return top + math.log(sum(math.exp(term - top) for term in terms))


def highest(canary, total, start, ticks, cap, case):
    """The window's maximum of ln E, tick by tick."""
    tolerated, temper, horizon = case.get("tolerated", 1.0), case.get("temper", 1.0), case.get("horizon")
    best = -math.inf
    cash = 0.5 if horizon else 0.0
    terms = [math.log(1.0 - cash)] * 4
    for tick in range(start, start + ticks):
        if horizon and tick > start:
            move = min(cash, 0.5 / horizon)
            cash -= move
            if move > 0:
                terms = [log_sum([term, math.log(move)]) for term in terms]
        (x, n), (m, all_n) = canary[tick], total[tick]
        terms = [
            term + min(temper * gain(g, x, n, m, all_n, tolerated), cap) for term, g in zip(terms, GRID)
        ]
        parts = [math.log(w) + term for w, term in zip(WEIGHTS, terms)]
        best = max(best, log_sum(parts + ([math.log(cash)] if cash > 0 else [])))
    return best


def quantile(values, p):
    values = sorted(values)
    place = p * (len(values) - 1)
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


def fit(maxima, alpha, stride, ticks):
    u = quantile(maxima, 0.7)
    above = [m for m in maxima if m > u]
    if not above:
        return max(math.log(1 / alpha), max(maxima))
    e = sum(m - u for m in above) / len(above)
    effective = len(above) * stride / ticks
    tail = u + (math.log(1 / alpha) + math.log(0.3)) * e * (1 + 1.645 / math.sqrt(effective))
    return max(math.log(1 / alpha), max(maxima), tail)


def calibrate(history, case):
    share, ticks, alpha = case["share"], case["ticks"], case.get("alpha", 0.01)
    names = sorted(history)
    length = len(history[names[0]])
    size = max(1, math.floor(share * len(names) + 0.5))
    if "zones" in case:
        shards = [[names.index(name) for name in zone] for zone in case["zones"]]
    elif share <= 0.25:
        shards = [list(range(at, at + size)) for at in range(0, len(names) - size + 1, size)]
    else:
        draws, pool = Pcg(case.get("seed", 0)), list(range(len(names)))
        shards = [draws.choose(pool, size) for _ in range(20)]

    def sums(members):
        rows = [history[names[at]] for at in members]
        return [tuple(map(sum, zip(*(row[tick] for row in rows)))) for tick in range(length)]

    total, canaries = sums(range(len(names))), [sums(shard) for shard in shards]
    stride = max(1, ticks // 4)
    starts = range(0, length - ticks + 1, stride)

    def maxima(cap):
        return [highest(canary, total, start, ticks, cap, case) for canary in canaries for start in starts]

    cap = fit(maxima(math.inf), alpha, stride, ticks) / 3.5
    capped = maxima(cap)
    blocks = {}
    for block in (1, 6, 30, 90, 300):
        count = length // block
        if count < 4:
            continue
        over = under = 0.0
        for canary in canaries:
            for at in range(count):
                span = range(at * block, (at + 1) * block)
                x, n = sum(canary[t][0] for t in span), sum(canary[t][1] for t in span)
                m, all_n = sum(total[t][0] for t in span), sum(total[t][1] for t in span)
                if all_n:
                    over += (x - m * n / all_n) ** 2
                    under += m * n / all_n * (1 - n / all_n)
        if under:
            phi = over / under
            blocks[block] = phi * (1 + 1.645 * math.sqrt(2 / (count * len(canaries))))
    dispersion = max(blocks.values()) if blocks else None
    least = math.log(1 / alpha)
    threshold = max(fit(capped, alpha, stride, ticks), least * max(1.0, 0.75 * (dispersion or 1.0)))
    hold = max(math.log(10), quantile(capped, 0.9))
    expect = {"threshold": threshold, "cap": cap, "hold": min(hold, threshold)}
    if dispersion is not None:
        expect["dispersion"] = dispersion
    return expect | {"windows": len(starts), "shards": len(shards)}


def digits(rate, bursts, instances, ticks, seed):
    """Errors of each instance as a digit a tick; bursts: (instance, from, to, rate)."""
    draws = random.Random(seed)
    rows = []
    for instance in range(instances):
        row = ""
        for tick in range(ticks):
            at = max([rate] + [b[3] for b in bursts if b[0] == instance and b[1] <= tick < b[2]])
            count = sum(draws.random() < at for _ in range(9))
            row += str(count)
        rows.append(row)
    return rows


CASES = [
    ("STAT-2.replay-without-noise", dict(share=0.1, ticks=40), (0.01, [], 10, 240, 1)),
    ("STAT-2.replay-with-a-burst", dict(share=0.1, ticks=40), (0.01, [(3, 50, 80, 0.3)], 10, 240, 2)),
    ("STAT-2.replay-of-pairs-in-a-short-phase", dict(share=0.2, ticks=7), (0.02, [(1, 9, 30, 0.4)], 11, 120, 3)),
    ("STAT-2.replay-of-drawn-halves", dict(share=0.5, ticks=30, seed=7), (0.01, [(0, 20, 60, 0.2)], 8, 160, 4)),
    ("STAT-2.replay-of-zones", dict(share=0.5, ticks=30, zones=[["pod-00", "pod-03"], ["pod-01", "pod-02", "pod-05"]]), (0.02, [(3, 20, 60, 0.2)], 7, 120, 5)),
    ("STAT-2.replay-of-the-change-point-form", dict(share=0.1, ticks=40, horizon=40), (0.01, [(3, 50, 80, 0.3)], 10, 240, 2)),
    ("STAT-2.replay-with-a-tolerance-and-a-temper", dict(share=0.1, ticks=40, tolerated=1.25, temper=0.5, alpha=0.001), (0.01, [(3, 50, 80, 0.3)], 10, 240, 2)),
    ("FIELD-3.replay-of-a-history-without-errors", dict(share=0.1, ticks=40), (0.0, [], 10, 80, 6)),
]


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def main():
    print("# Written by calibration_reference.py: calibrate.")
    print("# Instance `pod-NN`, tick t, from 0: events are the digit of its line, trials 40 + (7 NN + t) mod 9.")
    print("# Figures agree to 1e-9 of themselves; whole numbers exactly.")
    for name, settings, made in CASES:
        rows = digits(*made)
        history = {
            f"pod-{i:02}": [(int(d), 40 + (7 * i + t) % 9) for t, d in enumerate(row)] for i, row in enumerate(rows)
        }
        print(f'\n[[case]]\nid = "{name}"\nsettings = {toml(settings)}\nevents = [')
        for row in rows:
            print(f'  "{row}",')
        print(f"]\nexpect = {toml(calibrate(history, settings))}")


main()
