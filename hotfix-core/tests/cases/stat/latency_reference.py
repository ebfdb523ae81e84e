"""Writes latency.toml: the joint latency test as its module says it, in 60 digits (decimal of Python's library).

Run in this folder: python3 latency_reference.py
"""

import random
from decimal import Decimal, getcontext

getcontext().prec = 60
D = Decimal
ODDS = [(D("1.22"), D("0.14")), (D("1.65"), D("0.1")), (D("3.7"), D("0.07")), (D("13.5"), D("0.03"))]
STRETCH = D("0.05")
# Kind, share or factor, the share slower than the boundary that is wanted (none: the last), weight.
TAILS = [
    ("beyond", D("0.1"), D("0.1"), D("0.03")),
    ("beyond", D("0.05"), D("0.05"), D("0.25")),
    ("beyond", D("0.02"), D("0.025"), D("0.05")),
    ("beyond", D("0.035"), D("0.01"), D("0.05")),
    ("beyond", D("0.012"), D("0.01"), D("0.05")),
    ("beyond", D("0.005"), D("0.01"), D("0.03")),
    ("spread", D("0.04"), D("0.01"), D("0.06")),
    ("spread", D("0.01"), D("0.01"), D("0.04")),
    ("beyond", D("0.01"), D("0.002"), D("0.01")),
    ("times", D("4"), None, D("0.02")),
    ("times", D("20"), None, D("0.02")),
]
WEIGHTS = [w for _, w in ODDS] + [STRETCH] + [w for *_, w in TAILS]
assert len(WEIGHTS) == 16 and sum(WEIGHTS) == 1


def prior(boundaries, trials):
    if boundaries == 1:
        return [D("0.1") * trials]
    step = (D("0.002") / D("0.5")).ln() / (boundaries - 1)
    return [D("0.5") * (step * k).exp() * trials for k in range(boundaries)]


def shapes(slow, trials):
    """Ratios of chances by bucket, up to a factor, one list an alternative."""
    edges = [D(1)] + [s / trials for s in slow] + [D(0)]
    pairs = list(zip(edges, edges[1:]))
    for odds, _ in ODDS:
        e = odds - 1
        yield [odds / ((1 + a * e) * (1 + b * e)) for a, b in pairs]
    yield [1 / ((a + b) / 2).sqrt().sqrt() for a, b in pairs]
    last = len(pairs) - 1
    for kind, share, wanted, _ in TAILS:
        first = last
        if wanted is not None:
            miss = lambda k: max(pairs[k][0] / wanted, wanted / pairs[k][0])
            for k in range(1, last + 1):
                if miss(k) < miss(first):
                    first = k
        if kind == "times":
            share = min((share - 1) * pairs[first][0], D("0.2"))
        beyond = lambda k: share / pairs[first][0]
        if kind == "spread":
            beyond = lambda k: share / (last + 1 - first) / (pairs[k][0] - pairs[k][1])
        raised, highest = [], D(0)
        for k in range(len(pairs)):
            highest = max(highest, 1 - share + (beyond(k) if k >= first else 0))
            raised.append(highest)
        yield raised


def fit(slow, trials, w):
    edges = [D(1)] + [s / trials for s in slow] + [D(0)]
    within = [a - b for a, b in zip(edges, edges[1:])]
    fitted = []
    for ratios in shapes(slow, trials):
        c = 1 / sum(p * r for p, r in zip(within, ratios))
        for _ in range(4):
            value = sum(p * c * r / (1 - w + w * c * r) for p, r in zip(within, ratios))
            slope = sum(p * r * (1 - w) / (1 - w + w * c * r) ** 2 for p, r in zip(within, ratios))
            if 1 - value <= 0:
                break
            c += (1 - value) / slope
        fitted.append([c * r for r in ratios])
    return fitted


def run(case):
    boundaries, settings = case["boundaries"], case["settings"]
    trials = D(settings.get("prior_trials", 5))
    slow = prior(boundaries, trials)
    cap = D(str(settings["cap"])) if "cap" in settings else None
    terms, fitted, fitted_at, fitted_w = [D(0)] * len(WEIGHTS), None, D(0), D(0)
    log_e, highest, decided_at = D(0), D(0), 0
    for number, (slow_c, n_c, slow_b, n_b) in enumerate(case["updates"] * case["repeat"], 1):
        if n_c == 0 or n_b == 0:
            continue
        n_c, n_b = D(n_c), D(n_b)
        w = n_c / (n_c + n_b)
        up, down = w * (1 - fitted_w), fitted_w * (1 - w)
        kept = trials < D("1.25") * fitted_at and up <= D("1.5") * down and down <= D("1.5") * up
        if not kept:
            fitted, fitted_at, fitted_w = fit(slow, trials, w), trials, w
        x_c = [D(a) - D(b) for a, b in zip([n_c] + slow_c, slow_c + [0])]
        x_b = [D(a) - D(b) for a, b in zip([n_b] + slow_b, slow_b + [0])]
        for j, rho in enumerate(fitted):
            gain = sum(
                c * (r / (w * r + 1 - w)).ln() + b * (1 / (w * r + 1 - w)).ln()
                for c, b, r in zip(x_c, x_b, rho)
            )
            terms[j] += gain if cap is None else min(gain, cap)
        slow = [s + D(c) + D(b) for s, c, b in zip(slow, slow_c, slow_b)]
        trials += n_c + n_b
        top = max(terms)
        log_e = top + sum(v * (t - top).exp() for v, t in zip(WEIGHTS, terms)).ln()
        highest = max(highest, max(v.ln() + t for v, t in zip(WEIGHTS, terms)))
        if not decided_at and log_e >= D(100).ln():
            decided_at = number
    return {"log_e": float(log_e), "p_value": float((-highest).exp()), "decided_at": decided_at}


def stream(seed, ticks, boundaries, canary, baseline, n_c, n_b):
    """Random ticks; canary and baseline are shares slower than each boundary."""
    draw = random.Random(seed)
    updates = []
    for _ in range(ticks):
        row = []
        for shares, mean in ((canary, n_c), (baseline, n_b)):
            n = draw.randint(mean * 4 // 5, mean * 6 // 5)
            slow = [0] * boundaries
            for _ in range(n):
                u = draw.random()
                for k, share in enumerate(shares):
                    slow[k] += u < share
            row += [slow, n]
        updates.append(row)
    return updates


SIX = [0.5, 0.25, 0.1, 0.05, 0.01, 0.001]
SLOWER = [0.62, 0.36, 0.17, 0.09, 0.02, 0.002]
TAIL = [0.52, 0.28, 0.14, 0.09, 0.05, 0.04]
HUGE = [[[6 * 10**11, 2 * 10**11, 10**7], 10**12, [53 * 10**11, 17 * 10**11, 8 * 10**7], 9 * 10**12],
        [[10**12, 5, 0], 10**12, [9 * 10**12, 8, 8], 9 * 10**12]]
CASES = [
    ("FIELD-3.no-data", 3, {}, [], 1),
    ("FIELD-3.arms-without-requests-say-nothing", 2, {}, [[[0, 0], 0, [9, 1], 90], [[4, 1], 10, [0, 0], 0], [[4, 1], 10, [9, 1], 90]], 1),
    ("STAT-1.everything-slower", 6, {}, stream(1, 12, 6, SLOWER, SIX, 17, 150), 1),
    ("STAT-1.a-tail", 6, {}, stream(2, 12, 6, TAIL, SIX, 17, 150), 1),
    ("STAT-1.no-difference", 6, {}, stream(3, 30, 6, SIX, SIX, 17, 150), 1),
    ("STAT-1.the-split-changes", 6, {}, stream(4, 4, 6, SLOWER, SIX, 17, 150) + stream(5, 4, 6, SLOWER, SIX, 80, 80), 1),
    ("STAT-1.one-boundary", 1, {}, stream(6, 10, 1, [0.2], [0.1], 40, 120), 1),
    ("STAT-1.twelve-boundaries", 12, {"prior_trials": 50}, stream(7, 6, 12, [0.9**k for k in range(1, 13)], [0.85**k for k in range(1, 13)], 30, 90), 1),
    ("STAT-2.capped", 6, {"cap": 0.5}, stream(8, 20, 6, TAIL, SIX, 30, 30), 1),
    ("STAT-2.every-request-is-slow", 3, {}, [[[50, 50, 50], 50, [0, 0, 0], 450], [[50, 50, 50], 50, [450, 450, 450], 450]], 3),
    ("STAT-2.huge-traffic", 3, {}, HUGE, 1),
]

with open("latency.toml", "w", encoding="utf-8") as out:
    out.write("# Written by latency_reference.py (decimal, 60 digits): the joint latency test.\n")
    out.write("# updates: requests slower than each boundary of how many, by arm; gone\n")
    out.write("# through `repeat` times. decided_at: the first deciding tick from 1; 0 for none.\n")
    for name, boundaries, settings, updates, repeat in CASES:
        expect = run({"boundaries": boundaries, "settings": settings, "updates": updates, "repeat": repeat})
        fields = ", ".join(f"{k} = {v}" for k, v in settings.items())
        out.write(f'\n[[case]]\nid = "{name}"\nboundaries = {boundaries}\nsettings = {{ {fields} }}\nupdates = [\n')
        for slow_c, n_c, slow_b, n_b in updates:
            out.write(f"  {{ canary = {[float(s) for s in slow_c]}, of_canary = {float(n_c)}, baseline = {[float(s) for s in slow_b]}, of_baseline = {float(n_b)} }},\n")
        out.write(f"]\nrepeat = {repeat}\nexpect = {{ " + ", ".join(f"{k} = {v!r}" for k, v in expect.items()) + " }\n")
