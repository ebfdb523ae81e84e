"""Writes fixed.toml: fixed-horizon tests from their definitions, in whole numbers and 50 digits.

Each value comes from the definition: counts of tables, of rank orders and of lattice paths as integers, likelihoods
maximised by bisection. Where SciPy or statsmodels compute the same thing, they must agree, to the digits that doubles
leave them, or this program ends with an error. Run in this folder, in an environment with fixed_requirements.txt:

    python3 fixed_reference.py
"""

import math
import random
from fractions import Fraction
from functools import cache
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path

import mpmath
import numpy as np
from mpmath import mp, mpf
from scipy import stats
from statsmodels.stats import proportion
from statsmodels.stats.rates import test_poisson_2indep

mp.dps = 50
SLACK = mpf(1) + mpf(10) ** -7
TOOLS = ", ".join(f"{name} {version(name)}" for name in ("scipy", "statsmodels", "mpmath"))


def close(ours, theirs, near, what):
    if abs(mpf(ours) - mpf(float(theirs))) > near * abs(mpf(ours)):
        raise SystemExit(f"{what}: {mp.nstr(mpf(ours), 17)}, the library says {float(theirs)!r}")


# ---- discrete laws: relative probabilities from the observed outcome outwards ----


class Law:
    """Unnormalised probabilities: `anchor` at an outcome, `step(x)` from x to x + 1."""

    def __init__(self, low, high, log_probability, step):
        self.low, self.high, self.log, self.step = low, high, log_probability, step

    def down(self, x):
        """Chance of at most x."""
        if x < self.low:
            return mpf(0)
        term = total = mp.exp(self.log(x))
        while x > self.low:
            x -= 1
            term /= self.step(x)
            total += term
            if term < total * mpf(10) ** -40:
                break
        return total

    def up(self, x):
        """Chance of at least x."""
        if x > self.high:
            return mpf(0)
        term = total = mp.exp(self.log(x))
        while x < self.high:
            term *= self.step(x)
            x += 1
            total += term
            if term < total * mpf(10) ** -40:
                break
        return total

    def tail(self, x, alternative):
        if alternative == "greater":
            return self.up(x)
        if alternative == "less":
            return self.down(x)
        most = self.log(x) + mp.log(SLACK)
        low, high = self.low, self.high
        while low < high:  # the mode
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.step(middle) > 1 else (low, middle)
        mode = low
        if self.log(mode) <= most:
            return mpf(1)
        low, high = self.low - 1, mode  # the last below the mode that counts
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.log(middle) <= most else (low, middle)
        below = low
        low, high = mode, self.high + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.log(middle) <= most else (middle, high)
        return self.down(below) + self.up(high)


def log_choose(n, k):
    return mpmath.loggamma(n + 1) - mpmath.loggamma(k + 1) - mpmath.loggamma(n - k + 1)


def hypergeometric(n_c, n_b, m):
    return Law(
        max(0, m - n_b),
        min(m, n_c),
        lambda x: log_choose(n_c, x) + log_choose(n_b, m - x) - log_choose(n_c + n_b, m),
        lambda x: mpf((m - x) * (n_c - x)) / ((x + 1) * (n_b - m + x + 1)),
    )


def binomial(n, odds):
    log_odds, log_rest = mp.log(odds), n * mp.log(1 + odds)
    return Law(
        0,
        n,
        lambda x: log_choose(n, x) + x * log_odds - log_rest,
        lambda x: mpf(n - x) / (x + 1) * odds,
    )


def lower_odds(n, x, level):
    """Odds at which the chance of at least x is the level: SciPy's, made exact by Newton's method."""
    if x == 0:
        return mpf(0)
    p = mpf(float(stats.beta.ppf(float(level), x, n - x + 1)))
    log_odds = mp.log(p) - mp.log1p(-p) if p < 1 else mp.log(mpf(x))
    for _ in range(40):
        odds = mp.exp(log_odds)
        law = binomial(n, odds)
        chance = law.up(x)
        # d chance / d log odds = x q P(x)
        step = (mp.log(chance) - mp.log(level)) * chance * (1 + odds) / (x * mp.exp(law.log(x)))
        log_odds -= step
        if abs(step) < mpf(10) ** -20:
            return mp.exp(log_odds)
    raise SystemExit(f"no bound for {x} of {n}")


# ---- tests ----


def odds_ratio(x, a, y, b):
    over, under = x * (b - y), (a - x) * y
    if over == under == 0:
        return None
    return math.inf if under == 0 else mpf(over) / under


def fisher_exact(canary, baseline, alternative="two-sided"):
    (x, n_c), (y, n_b) = canary, baseline
    p = hypergeometric(n_c, n_b, x + y).tail(x, alternative)
    if n_c + n_b < 10**6:
        theirs = stats.fisher_exact([[x, n_c - x], [y, n_b - y]], alternative=alternative).pvalue
        close(p, theirs, 1e-7 if p > 1e-200 else 1, "fisher_exact")
    difference = mpf(x) / n_c - mpf(y) / n_b
    return {"p_value": p, "odds_ratio": odds_ratio(x, n_c, y, n_b), "difference": difference}


def poisson_ratio(canary, baseline, ratio=1.0, alternative="two-sided", confidence=0.95):
    (x, t_c), (y, t_b) = canary, baseline
    odds = mpf(t_c) / mpf(t_b)
    p = binomial(x + y, mpf(ratio) * odds).tail(x, alternative)
    if 0 < x + y < 10**6:
        names = {"greater": "larger", "less": "smaller"}
        theirs = test_poisson_2indep(
            x, t_c, y, t_b, value=ratio, method="exact-cond", alternative=names.get(alternative, alternative)
        ).pvalue
        close(p, theirs, 1e-7 if p > 1e-200 else 1, "poisson_ratio")
    level = (1 - mpf(confidence)) / 2
    low, mirrored = lower_odds(x + y, x, level), lower_odds(x + y, y, level)
    found = {"p_value": p, "interval": [low / odds, 1 / mirrored / odds if y else math.inf]}
    found["ratio"] = mpf(x) / y / odds if y else (math.inf if x else None)
    return found


def clopper_pearson(events, trials, confidence=0.95):
    level = (1 - mpf(confidence)) / 2
    low, mirrored = lower_odds(trials, events, level), lower_odds(trials, trials - events, level)
    low, high = low / (1 + low), 1 / (1 + mirrored)
    theirs = proportion.proportion_confint(events, trials, alpha=1 - confidence, method="beta")
    for ours, their in zip((low, high), theirs):
        close(ours, their, 1e-6, "clopper_pearson")
    return {"interval": [low, high]}


def newcombe(canary, baseline, confidence=0.95):
    z = mp.sqrt(2) * mpmath.erfinv(mpf(confidence))

    def wilson(x, n):
        middle, spread = mpf(x) + z * z / 2, z * mp.sqrt(z * z / 4 + mpf(x) * (n - x) / n)
        return mpf(x) / n, (middle - spread) / (n + z * z), (middle + spread) / (n + z * z)

    (p, l, u), (q, k, v) = wilson(*canary), wilson(*baseline)
    low, high = p - q - mp.sqrt((p - l) ** 2 + (v - q) ** 2), p - q + mp.sqrt((u - p) ** 2 + (q - k) ** 2)
    theirs = proportion.confint_proportions_2indep(*canary, *baseline, method="newcomb", alpha=1 - confidence)
    for ours, their in zip((low, high), theirs):
        close(ours, their, 1e-5, "newcombe")
    return {"interval": [low, high]}


def falling_zero(function, low, high):
    """Bisection; the ends themselves where the function does not change its sign."""
    if function(low + (high - low) * mpf(10) ** -45) <= 0:
        return low
    if function(high - (high - low) * mpf(10) ** -45) >= 0:
        return high
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) > 0 else (low, middle)
    return low


def non_inferiority(canary, baseline, margin, scale="ratio"):
    (x, n_c), (y, n_b) = canary, baseline
    margin = mpf(margin)
    if scale == "ratio":
        slope, to, end = margin, lambda p: margin * p, min(mpf(1), 1 / margin)
        above = mpf(x) / n_c - margin * y / n_b
    else:
        slope, to, end = mpf(1), lambda p: p + margin, 1 - margin
        above = mpf(x) / n_c - mpf(y) / n_b - margin

    def score(p):
        """Slope of the log likelihood on the null's edge, in the baseline's rate."""
        part = lambda events, chance: events / chance if events else mpf(0)
        q = to(p)
        return part(y, p) - part(n_b - y, 1 - p) + slope * (part(x, q) - part(n_c - x, 1 - q))

    p = falling_zero(score, mpf(0), end)
    q = to(p)
    variance = q * (1 - q) / n_c + (margin**2 if scale == "ratio" else 1) * p * (1 - p) / n_b
    if variance < mpf(10) ** -60:
        return {"z": mpf(0), "p_value": mpf(1)}
    z = above / mp.sqrt(variance)
    return {"z": z, "p_value": mpmath.erfc(-z / mp.sqrt(2)) / 2, "restricted": [q, p]}


def equivalence(canary, baseline, margin, scale="ratio"):
    sides = [non_inferiority(*arms, margin, scale) for arms in ((canary, baseline), (baseline, canary))]
    return {"p_value": max(side["p_value"] for side in sides)}


@cache
def orders(n, m):
    """How many orders of two groups give each U, by the textbook's recurrence."""
    if n == 0 or m == 0:
        return [1]
    counts = [0] * (n * m + 1)
    for u, count in enumerate(orders(n - 1, m)):
        counts[u + m] += count
    for u, count in enumerate(orders(n, m - 1)):
        counts[u] += count
    return counts


def rank_sum(x, y):
    """Of (value, count) pairs: U, its variance."""
    n_x, n_y = sum(c for _, c in x), sum(c for _, c in y)
    u = Fraction(sum(Fraction(c * d) if a > b else Fraction(c * d, 2) if a == b else 0 for a, c in x for b, d in y))
    tied = {}
    for value, count in (*x, *y):
        tied[value] = tied.get(value, 0) + count
    n = n_x + n_y
    ties = sum(t**3 - t for t in tied.values())
    return u, Fraction(n_x * n_y, 12) * ((n + 1) - Fraction(ties, n * (n - 1))), n_x, n_y, max(tied.values()) > 1


def mann_whitney(x, y, alternative, method, continuity):
    u, variance, n_x, n_y, ties = rank_sum(x, y)
    mean = Fraction(n_x * n_y, 2)
    if method == "exact" or (method == "auto" and not ties and min(n_x, n_y) <= 8):
        counts, all_orders = orders(n_x, n_y), math.comb(n_x + n_y, n_x)
        greater, less = Fraction(sum(counts[int(u):]), all_orders), Fraction(sum(counts[: int(u) + 1]), all_orders)
        p = {"greater": greater, "less": less, "two-sided": min(1, 2 * min(greater, less))}[alternative]
        p = mpf(p.numerator) / p.denominator
    elif variance == 0:
        p = mpf(1)
    else:
        excess = {"greater": u - mean, "less": mean - u, "two-sided": abs(u - mean)}[alternative]
        excess -= Fraction(1, 2) if continuity else 0
        z = mpf(excess.numerator) / excess.denominator / mp.sqrt(mpf(variance.numerator) / variance.denominator)
        p = mpmath.erfc(z / mp.sqrt(2)) / 2
        if alternative == "two-sided":
            p = min(2 * p, mpf(1))
    effect = u / (n_x * n_y)
    return {"u": float(u), "p_value": p, "common_language": mpf(effect.numerator) / effect.denominator}


def mann_whitney_u(x, y, alternative="two-sided", method="auto", continuity=True):
    found = mann_whitney([(v, 1) for v in x], [(v, 1) for v in y], alternative, method, continuity)
    theirs = stats.mannwhitneyu(x, y, use_continuity=continuity, alternative=alternative, method=method)
    close(found["u"], theirs.statistic, 0, "u")
    close(found["p_value"], theirs.pvalue, 1e-10, "mann_whitney_u")
    return found


def mann_whitney_from_counts(x, y, alternative="two-sided", continuity=True):
    return mann_whitney(list(enumerate(x)), list(enumerate(y)), alternative, "asymptotic", continuity)


def hodges_lehmann(x, y, confidence=0.95):
    differences = sorted(a - b for a in x for b in y)
    pairs, level = len(differences), (1 - mpf(confidence)) / 2
    middle = differences[(pairs - 1) // 2] / 2 + differences[pairs // 2] / 2
    if min(len(x), len(y)) <= 8:
        counts, all_orders = orders(len(x), len(y)), math.comb(len(x) + len(y), len(x))
        sums = list(accumulate(counts))
        rank = sum(1 for total in sums if mpf(total) / all_orders <= level)
    else:
        sd = mp.sqrt(mpf(pairs) * (len(x) + len(y) + 1) / 12)
        rank = int(mp.floor(mpf(pairs) / 2 - mp.sqrt(2) * mpmath.erfinv(mpf(confidence)) * sd + mpf("0.5")))
    if rank < 1:
        return {"shift": middle, "interval": [-math.inf, math.inf]}
    return {"shift": middle, "interval": [differences[rank - 1], differences[pairs - rank]]}


def leaving(n, m, reached, two_sided):
    """Share of lattice paths that leave the band, from the number of those that stay."""
    def inside(i, j):
        return i * m - j * n < reached and (not two_sided or j * n - i * m < reached)

    row = [0] * (m + 1)
    for i in range(n + 1):
        for j in range(m + 1):
            arriving = (1 if i == j == 0 else 0) + (row[j] if i else 0) + (row[j - 1] if j else 0)
            row[j] = arriving if inside(i, j) else 0
    outside = 1 - Fraction(row[m], math.comb(n + m, n))
    return mpf(outside.numerator) / outside.denominator


def one_sample(n, d):
    """What SciPy takes for the asymptotic two-sided test: the chance that one sample of n is d or more from its law.

    Up to 140 SciPy is exact, and must say what Birnbaum and Tingey's sum says from a half on, where only one side can be
    so far, and below it the matrix of Marsaglia, Tsang and Wang, in 50 digits. Above 140 it takes the expansion of Pelz
    and Good or twice the one-sided chance, and its number is the one that is meant. Of a size that rounds to nothing it
    has none.
    """
    if n == 0:
        return mpf(1)
    theirs = stats.kstwo.sf(float(d), n)
    if n > 140 or d == 0:
        return mpf(float(theirs))
    if d >= 0.5:
        far = range(int(mp.floor(n * (1 - d))) + 1)
        p = 2 * d * sum(math.comb(n, j) * (d + mpf(j) / n) ** (j - 1) * (1 - d - mpf(j) / n) ** (n - j) for j in far)
        close(p, theirs, 1e-10, f"kstwo of {n} and {mp.nstr(d, 6)}")
        return p
    k = int(mp.ceil(n * d))
    h, size = k - n * d, 2 * k - 1
    table = [[mpf(1) if i - j + 1 >= 0 else mpf(0) for j in range(size)] for i in range(size)]
    for i in range(size):
        table[i][0] -= h ** (i + 1)
        table[-1][i] -= h ** (size - i)
    table[-1][0] += (2 * h - 1) ** size if 2 * h > 1 else 0
    row = [mpf(i == k - 1) for i in range(size)]
    for step in range(n):
        row = [
            sum(row[i] * table[i][j] / mp.factorial(i - j + 1) for i in range(max(j - 1, 0), size)) * (step + 1) / n
            for j in range(size)
        ]
    p = 1 - row[k - 1]
    close(p, theirs, 1e-10, f"kstwo of {n} and {mp.nstr(d, 6)}")
    return p


def kolmogorov_smirnov(x, y, alternative, method):
    """Of (value, count) pairs in order."""
    n, m = sum(c for _, c in x), sum(c for _, c in y)
    above = below = 0
    for value in sorted({v for v, _ in (*x, *y)}):
        difference = sum(c for v, c in x if v <= value) * m - sum(c for v, c in y if v <= value) * n
        above, below = max(above, difference), max(below, -difference)
    reached = {"greater": above, "less": below, "two-sided": max(above, below)}[alternative]
    statistic = mpf(reached) / (n * m)
    if method != "asymptotic" and n * m <= 10**8:
        p = leaving(n, m, reached, alternative == "two-sided") if reached else mpf(1)
    elif alternative == "two-sided":
        p = one_sample(round(Fraction(n * m, n + m)), statistic)
    else:
        many, few = max(n, m), min(n, m)
        z = mp.sqrt(mpf(n) * m / (n + m)) * statistic
        p = mp.exp(-2 * z * z - 2 * z * (many + 2 * few) / mp.sqrt(mpf(many) * few * (many + few)) / 3)
    return {"statistic": statistic, "p_value": min(p, mpf(1))}


def ks_2samp(x, y, alternative="two-sided", method="auto"):
    found = kolmogorov_smirnov([(v, 1) for v in x], [(v, 1) for v in y], alternative, method)
    theirs = stats.ks_2samp(x, y, alternative=alternative, method={"asymptotic": "asymp"}.get(method, method))
    close(found["statistic"], theirs.statistic, 1e-14, "ks statistic")
    if not math.isnan(theirs.pvalue):  # SciPy has no number for one value against one.
        close(found["p_value"], theirs.pvalue, 1e-9 if method != "asymptotic" else 1e-10, "ks_2samp")
    return found


def ks_from_counts(x, y, alternative="two-sided", method="auto"):
    return kolmogorov_smirnov(list(enumerate(x)), list(enumerate(y)), alternative, method)


# ---- cases ----

BILLION = 10**9
draw = random.Random(20)
FAST = [round(draw.lognormvariate(0.0, 0.5), 3) for _ in range(60)]
SLOW = [round(draw.lognormvariate(0.25, 0.5), 3) for _ in range(60)]
TIED_FAST, TIED_SLOW = [round(v, 1) for v in FAST[:25]], [round(v, 1) for v in SLOW[:35]]
SMALL, OTHER = [3.1, 0.4, 2.2, 5.9, 4.8], [1.5, 7.3, 8.8, 6.1, 9.7, 3.3, 6.6]
HISTOGRAM = ([120, 340, 280, 160, 70, 20, 8, 2], [150, 420, 230, 120, 50, 20, 6, 4])
HUGE = ([999_000_000, 990_000, 9_000, 1_000], [999_100_000, 892_000, 7_200, 800])
SIDES = ("two-sided", "less", "greater")


def cases():
    tables = {
        "thirty-of-ten-thousand": ((30, 10_000), (180, 90_000)),
        "small": ((8, 20), (2, 25)),
        "equally-likely-tables-count-on-both-sides": ((4, 10), (1, 10)),
        "no-events": ((0, 500), (0, 900)),
        "no-events-in-the-canary": ((0, 500), (40, 4_500)),
        "all-events": ((500, 500), (900, 900)),
        "all-but-one": ((499, 500), (900, 900)),
        "below-the-smallest-number": ((900, 10_000), (90, 90_000)),
        "far-out": ((380, 10_000), (90, 90_000)),
        "one-trial": ((1, 1), (0, 3)),
        "a-billion-trials-and-rare-events": ((9, BILLION), (1, BILLION)),
        "a-billion-trials-and-many-events": ((100_010_000, BILLION), (99_993_000, BILLION)),
        "a-billion-trials-nearly-all-events": ((BILLION - 3, BILLION), (4 * BILLION - 40, 4 * BILLION)),
        "uneven-billions": ((101_500, 10_000_000), (9_900_000, 990_000_000)),
    }
    for name, (canary, baseline) in tables.items():
        for side in SIDES:
            yield "fisher_exact", f"STAT-1.fisher-{name}-{side}", {
                "canary": canary, "baseline": baseline, "alternative": side}, canary[1] + baseline[1]
    counts = {
        "a-rate-that-quadruples": ((12, 60.0), (27, 540.0), {}),
        "another-null": ((12, 60.0), (27, 540.0), {"ratio": 2.5, "confidence": 0.99}),
        "no-events": ((0, 60.0), (0, 540.0), {}),
        "no-events-in-the-canary": ((0, 60.0), (41, 540.0), {}),
        "no-events-in-the-baseline": ((7, 60.0), (0, 540.0), {}),
        "a-billion-to-one": ((3, 1.0), (5, 1e9), {}),
        "below-the-smallest-number": ((700, 100.0), (10, 900.0), {}),
        "far-out": ((280, 100.0), (10, 900.0), {}),
        "a-billion-events": ((100_020_000, 1.0), (900_000_000, 9.0), {}),
    }
    for name, (canary, baseline, more) in counts.items():
        for side in SIDES:
            yield "poisson_ratio", f"STAT-1.poisson-{name}-{side}", {
                "canary": canary, "baseline": baseline, "alternative": side, **more}, canary[0] + baseline[0]
    for events, trials, confidence in (
        (3, 1000, 0.95), (0, 50, 0.95), (50, 50, 0.99), (1, 1, 0.9), (999, 1000, 0.999), (180, 90_000, 0.99),
        (1, BILLION, 0.95), (BILLION - 2, BILLION, 0.95), (300_000_000, BILLION, 0.95),
    ):
        yield "clopper_pearson", f"STAT-4.clopper-pearson-{events}-of-{trials}", {
            "events": events, "trials": trials, "confidence": confidence}, trials
    for name, canary, baseline, confidence in (
        ("textbook", (56, 70), (48, 80), 0.95), ("no-events", (0, 10), (0, 20), 0.95),
        ("all-events", (10, 10), (20, 20), 0.99), ("nothing-and-all", (0, 30), (25, 25), 0.95),
        ("rare", (3, 1000), (18, 9000), 0.95), ("a-billion", (4, BILLION), (9, BILLION), 0.99),
        ("nearly-all-of-a-billion", (BILLION - 4, BILLION), (BILLION - 9, BILLION), 0.95),
    ):
        yield "newcombe", f"STAT-4.newcombe-{name}", {
            "canary": canary, "baseline": baseline, "confidence": confidence}, canary[1] + baseline[1]
    arms = {
        "equal": ((30, 10_000), (270, 90_000)), "worse": ((60, 10_000), (270, 90_000)),
        "better": ((3, 10_000), (270, 90_000)), "common": ((420, 1000), (3_900, 9_000)),
        "no-events": ((0, 1000), (0, 9000)), "no-events-in-the-canary": ((0, 1000), (27, 9000)),
        "no-events-in-the-baseline": ((2, 1000), (0, 9000)), "all-events": ((50, 50), (80, 80)),
        "all-but-three": ((998, 1000), (8999, 9000)), "a-billion": ((3, BILLION), (1, BILLION)),
        "half-a-billion": ((500_010_000, BILLION), (499_990_000, BILLION)),
        "all-but-three-of-a-billion": ((BILLION - 2, BILLION), (BILLION - 1, BILLION)),
    }
    for name, (canary, baseline) in arms.items():
        for scale, margins in (("ratio", (2.0, 1.0, 0.9, 1.1)), ("difference", (0.05, 0.0, 1e-9, 0.3))):
            for margin in margins:
                arguments = {"canary": canary, "baseline": baseline, "margin": margin, "scale": scale}
                size = canary[1] + baseline[1]
                yield "non_inferiority", f"STAT-3.{name}-{scale}-{margin}", arguments, size
        for scale, margin in (("ratio", 1.5), ("difference", 0.002)):
            yield "equivalence", f"STAT-3.equivalence-{name}-{scale}", {
                "canary": canary, "baseline": baseline, "margin": margin, "scale": scale}, canary[1] + baseline[1]
    samples = {
        "sixty": (FAST, SLOW), "tied": (TIED_FAST, TIED_SLOW), "small": (SMALL, OTHER), "one-each": ([1.0], [2.0]),
        "all-equal": ([2.5] * 9, [2.5] * 12), "apart": (SMALL, [v + 10 for v in OTHER]),
        "negative-zero": ([0.0, -1.0, 2.0], [-0.0, 1.0]), "small-against-many": (SMALL[:3], SLOW),
    }
    for name, (x, y) in samples.items():
        for side in SIDES:
            yield "mann_whitney_u", f"STAT-1.mann-whitney-{name}-{side}", {"x": x, "y": y, "alternative": side}, 0
        yield "hodges_lehmann", f"STAT-1.hodges-lehmann-{name}", {"x": x, "y": y}, 0
        for side in SIDES:
            yield "ks_2samp", f"STAT-1.ks-{name}-{side}", {"x": x, "y": y, "alternative": side}, 0
    yield "mann_whitney_u", "STAT-1.mann-whitney-plain", {"x": FAST, "y": SLOW, "continuity": False}, 0
    yield "mann_whitney_u", "STAT-1.mann-whitney-forced", {"x": SMALL, "y": OTHER, "method": "asymptotic"}, 0
    yield "mann_whitney_u", "STAT-1.mann-whitney-exact", {
        "x": sorted(set(FAST[:40])), "y": sorted({round(v + 0.0005, 4) for v in SLOW[10:45]}), "method": "exact"}, 0
    for side in SIDES:
        yield "ks_2samp", f"STAT-1.ks-asymptotic-{side}", {
            "x": FAST, "y": SLOW, "alternative": side, "method": "asymptotic"}, 0
    yield "ks_2samp", "STAT-1.ks-asymptotic-close", {
        "x": FAST, "y": [v + 0.02 for v in FAST], "method": "asymptotic"}, 0
    for name, (x, y) in {
        "one-each": ([1.0], [2.0]), "apart": (SMALL, [v + 10 for v in OTHER]), "all-equal": ([2.5] * 9, [2.5] * 12),
        "half-to-even-down": (SMALL, OTHER[:5]), "half-to-even-up": (SMALL + OTHER[:2], OTHER), "tied": (
            TIED_FAST, TIED_SLOW), "small-against-many": (SMALL[:3], SLOW),
    }.items():
        yield "ks_2samp", f"STAT-1.ks-asymptotic-{name}", {"x": x, "y": y, "method": "asymptotic"}, 0
    # Two buckets have any difference. In `steps` of one over the size of an arm, at every place where the formula changes.
    for size, steps in {
        2: (1, 2), 4: (1, 2, 3), 6: (1, 3, 5), 10: (1, 2, 4, 6, 8, 9, 10), 40: (2, 3, 7, 13, 19, 20, 21, 38, 39),
        280: (1, 2, 3, 20, 24, 47, 48, 60, 139, 140, 260, 270), 282: (2, 3, 12, 13, 14, 36, 37, 60, 141, 270, 281),
        2_000: (3, 10, 24, 25, 26, 60, 93, 94, 200, 700, 1_000, 1_200), 20_000: (54, 55, 100, 200, 296, 297, 900),
        199_998: (90, 116, 117, 250, 600, 937, 940, 2_000), 200_002: (2, 116, 250, 600, 940, 2_000),
        2_000_000: (900, 2_966, 2_968, 9_000), 2_000_002: (900, 2_968, 9_000), BILLION: (20_000, 66_332, 66_334, 200_000),
    }.items():
        for step in steps:
            x, y = (size // 2 + (step + 1) // 2, size // 2 - (step + 1) // 2), (size // 2 - step // 2, size // 2 + step // 2)
            yield "ks_from_counts", f"STAT-1.ks-asymptotic-{size}-each-{step}-apart", {
                "x": x, "y": y, "method": "asymptotic"}, 2 * size
    for name, (x, y) in {"histogram": HISTOGRAM, "a-billion": HUGE}.items():
        for side in SIDES:
            arguments = {"x": x, "y": y, "alternative": side}
            yield "mann_whitney_from_counts", f"STAT-1.mann-whitney-{name}-{side}", arguments, sum(x) + sum(y)
            yield "ks_from_counts", f"STAT-1.ks-{name}-{side}", arguments, sum(x) + sum(y)


def text(value):
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(text(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {text(v)}" for k, v in value.items() if v is not None) + " }"
    number = float(value)
    return repr(number)


HEAD = f"""\
# Written by fixed_reference.py ({TOOLS}); see there.
# `near` is the relative error that is allowed: 1e-10, above a million trials 1e-8. What is absent from `expect` is
# not compared; `absent` names what must be absent.
"""


def main():
    np.seterr(all="ignore")
    with open(Path(__file__).with_name("fixed.toml"), "w", encoding="utf-8") as out:
        out.write(HEAD)
        for test, id_, arguments, size in cases():
            expect = globals()[test](**arguments)
            near = 1e-8 if size > 10**6 else 1e-10
            absent = [name for name, value in expect.items() if value is None]
            out.write(f'\n[[case]]\nid = "{id_}"\ntest = "{test}"\narguments = {text(arguments)}\n')
            out.write(f"near = {near}\nexpect = {text(expect)}\n")
            if absent:
                out.write(f"absent = {text(absent)}\n")


if __name__ == "__main__":
    main()
