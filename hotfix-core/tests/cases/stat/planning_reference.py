"""Writes planning.toml: section 7 of the statistics, word by word (mpmath 1.3.0, 30 digits; exact sums for chances).

    python3 planning_reference.py > planning.toml
"""

from mpmath import binomial, erfc, erfinv, exp, findroot, inf, ln, mp, mpf, sqrt

mp.dps = 30
GRID = [(mpf(2), mpf("0.4")), (mpf(4), mpf("0.25")), (mpf(8), mpf("0.2")), (mpf(20), mpf("0.15"))]


def phi(x):
    return erfc(-x / sqrt(2)) / 2


def flow(requests, w, p, r, r0, bet=None):
    """A bet on another ratio than the true one gains less; below the grid there is no other than its least."""
    bet = min(max(r, GRID[0][0] * r0), GRID[-1][0] * r0) if bet is None else bet
    null, true, of_bet = (x * w / (x * w + 1 - w) for x in (r0, r, bet))
    a, b = ln(of_bet / null), ln((1 - of_bet) / (1 - null))
    rate = requests * p * (r * w + 1 - w)
    return rate, rate * (true * a + (1 - true) * b), rate * (true * a**2 + (1 - true) * b**2), true


def time_to_detect(requests, w, p, ratio, tolerated=mpf(1), alpha=mpf("0.01")):
    if ratio <= tolerated:
        return {"bound": inf, "expected": inf}
    best, drift = flow(requests, w, p, ratio, tolerated, ratio)[1], flow(requests, w, p, ratio, tolerated)[1]
    return {"bound": ln(1 / alpha) / best, "expected": (ln(1 / alpha) + mpf("1.2")) / drift if drift > 0 else inf}


def first_passage(requests, w, p, ratio, minutes, tolerated, alpha):
    _, mu, variance, _ = flow(requests, w, p, ratio, tolerated)
    level, sigma = ln(1 / alpha) + mpf("1.2"), sqrt(variance * minutes)
    return phi((mu * minutes - level) / sigma) + exp(2 * mu * level / variance) * phi((-mu * minutes - level) / sigma)


def detectable_ratio(requests, w, p, minutes, tolerated=mpf(1), alpha=mpf("0.01"), power=mpf("0.8")):
    def miss(r):
        return first_passage(requests, w, p, r, minutes, tolerated, alpha) - power

    low, high = tolerated * (1 + mpf(10) ** -9), min(mpf(10) ** 6, 1 / p)
    return {"ratio": findroot(miss, (low, high), solver="anderson", tol=1e-40, maxsteps=400, verify=False)}


def decided(requests, w, p, ratio, minutes, null, alpha, better):
    """The chance to have crossed by events that come one at a time, each the canary's with one chance."""
    rate, _, _, of_canary = flow(requests, w, p, ratio, null)
    expected, of_null = float(rate * minutes), null * w / (null * w + 1 - w)
    level, of_canary = float(ln(1 / alpha)), float(of_canary)
    grid = [(float(1 / g if better else g), float(v)) for g, v in GRID]
    import math

    losses = [math.log(1 - float(of_null) + g * float(of_null)) for g, _ in grid]
    paths, crossed, chance = {0: 1.0}, 0.0, math.exp(-expected)
    total = 0.0
    for events in range(1, int(expected + 12 * math.sqrt(expected) + 30)):
        moved = {}
        for x, q in paths.items():
            moved[x + 1] = moved.get(x + 1, 0.0) + q * of_canary
            moved[x] = moved.get(x, 0.0) + q * (1 - of_canary)
        paths = {}
        for x, q in moved.items():
            e = sum(v * math.exp(x * math.log(g) - events * loss) for (g, v), loss in zip(grid, losses))
            if e >= math.exp(level):
                crossed += q
            else:
                paths[x] = q
        chance *= expected / events
        total += chance * crossed
    return mpf(total)


def chance_to_decide(requests, w, p, ratio, minutes, tolerated=mpf(1), alpha=mpf("0.01")):
    return {"chance": decided(requests, w, p, ratio, minutes, tolerated, alpha, False)}


def chance_to_promote(requests, w, p, ratio, minutes, margin=mpf(2), alpha=mpf("0.05")):
    return {"chance": decided(requests, w, p, ratio, minutes, margin, alpha, True)}


def gate_pass_chance(requests, rate, at_most):
    n, most = int(requests), int(at_most * requests + mpf(10) ** -9)
    return {"chance": sum(binomial(n, x) * rate**x * (1 - rate) ** (n - x) for x in range(most + 1))}


def fixed_horizon_ratio(base_rate, canary, baseline, alpha, power):
    z = sqrt(2) * (erfinv(1 - 2 * alpha) + erfinv(2 * power - 1))
    return {"ratio": (1 + z / (2 * sqrt(base_rate * canary * baseline / (canary + baseline)))) ** 2}


CASES = [
    *[("a-five-fold-regression" if r == 5 else f"a-ratio-of-{r}", time_to_detect, [1000, "0.1", "0.003", r]) for r in (2, 5, 10, 20)],
    ("below-the-bets", time_to_detect, [6000, "0.1", "0.003", "1.5"]),
    ("what-no-bet-gains-from", time_to_detect, [6000, "0.1", "0.003", "1.2"]),
    ("what-is-tolerated-is-never-found", time_to_detect, [1000, "0.1", "0.003", "1.25", "1.25"]),
    ("half-of-the-traffic-at-another-alpha", time_to_detect, [30000, "0.5", "0.0001", 3, 1, "0.001"]),
    ("smallest-ratio-in-ten-minutes", detectable_ratio, [1000, "0.1", "0.003", 10]),
    ("smallest-ratio-in-an-hour-with-a-tolerance", detectable_ratio, [1000, "0.5", "0.003", 60, "1.25", "0.001", "0.9"]),
    ("smallest-ratio-in-two-hours-of-much-traffic", detectable_ratio, [20000, "0.1", "0.003", 120]),
    ("twice-as-bad-in-fifty-minutes", chance_to_decide, [1000, "0.1", "0.003", 2, 50]),
    ("three-times-as-bad-in-fifty-minutes", chance_to_decide, [1000, "0.1", "0.003", 3, 50]),
    ("half-of-the-traffic-in-fifty-minutes", chance_to_decide, [1000, "0.5", "0.003", 2, 50]),
    ("a-small-chance-is-not-the-formula's", chance_to_decide, [1000, "0.1", "0.003", "1.5", 50]),
    ("a-false-rollback", chance_to_decide, [1000, "0.1", "0.003", 1, 50]),
    ("not-worse-in-ten-minutes", chance_to_promote, [1000, "0.1", "0.003", 1, 10]),
    ("not-three-times-as-bad-in-ten-minutes", chance_to_promote, [1000, "0.1", "0.003", 1, 10, 3]),
    *[(f"a-gate-on-1000-requests-at-{r}-times", gate_pass_chance, [1000, p, "0.003"]) for r, p in ((1, "0.003"), ("1.5", "0.0045"), (2, "0.006"), (3, "0.009"))],
    *[(f"a-gate-on-10000-requests-at-{r}-times", gate_pass_chance, [10000, p, "0.003"]) for r, p in ((1, "0.003"), ("1.5", "0.0045"), (2, "0.006"))],
    ("one-look-at-the-end", fixed_horizon_ratio, ["0.003", 5000, 45000, "0.01", "0.8"]),
]


def main():
    print("# Written by planning_reference.py (mpmath 1.3.0): `ask` with the arguments `of`, in the order of")
    print("# its signature. Figures agree to 1e-9 of themselves; infinite ones are `inf`.")
    for name, ask, of in CASES:
        arguments = [mpf(value) for value in of]
        expect = ", ".join(f"{key} = {float(value)!r}" for key, value in ask(*arguments).items())
        shown = ", ".join(repr(float(value)) for value in arguments)
        print(f'\n[[case]]\nid = "PLAN-6.{name}"\nask = "{ask.__name__}"\nof = [{shown}]\nexpect = {{ {expect} }}')


main()
