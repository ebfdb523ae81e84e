"""Writes intervals.toml: interval, estimate and classification by other means than the library's.

The statistic comes from scipy's midranks and normal quantile; the exact interval from writing all differences down and
finding by bisection where the statistic crosses the quantile; the compatible one from a root finder with the original's
absolute tolerance: Brent's `zero` as it stands in his book of 1973 (page 58), with the two changes of Netlib's form,
cross-checked with scipy.optimize.brentq where the crossing is a jump.

Run in this folder with numpy and scipy: python3 reference.py
"""

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm, rankdata

QUANTILE = norm.isf((1 - 0.98) / 2)
EPSILON = np.finfo(float).eps


def statistic(x, y, shift):
    ranks = rankdata(np.concatenate([x - shift, y]))
    n, m = len(x), len(y)
    excess = ranks[:n].sum() - n * (n + 1) / 2 - n * m / 2
    _, counts = np.unique(np.concatenate([x - shift, y]), return_counts=True)
    counts = counts.astype(float)
    ties = (counts**3 - counts).sum()
    variance = n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1)))
    return (excess - 0.5 * np.sign(excess)) / np.sqrt(variance)


def zero(function, lower, upper, tolerance=1e-4):
    a, b = lower, upper
    fa, fb = function(a), function(b)
    if fa == 0:
        return a
    if fb == 0:
        return b
    c, fc = a, fa
    while True:
        e = b - a
        if abs(fc) < abs(fb):
            a, b, c = b, c, b
            fa, fb, fc = fb, fc, fb
        t = 2 * EPSILON * abs(b) + tolerance / 2
        m = (c - b) / 2
        if abs(m) <= t or fb == 0:
            return b
        d = m
        if abs(e) >= t and abs(fa) > abs(fb):
            s = fb / fa
            if a == c:
                p, q = 2 * m * s, 1 - s
            else:
                q, r = fa / fc, fb / fc
                p, q = s * (2 * m * q * (q - r) - (b - a) * (r - 1)), (q - 1) * (r - 1) * (s - 1)
            if p > 0:
                q = -q
            else:
                p = -p
            if 2 * p < min(3 * m * q - abs(t * q), abs(e * q)):
                d = p / q
        a, fa = b, fb
        b += d if abs(d) >= t else (t if d > 0 else -t)
        fb = function(b)
        if (fb > 0) == (fc > 0) and fb != 0:
            c, fc = a, fa


def solved(x, y):
    least, most = x.min() - y.max(), x.max() - y.min()

    def end(q):
        f = lambda shift: statistic(x, y, shift) - q
        if f(least) <= 0:
            return least
        if f(most) >= 0:
            return most
        found = zero(f, least, most)
        jump = brentq(f, least, most, xtol=1e-4)
        assert abs(found - jump) <= 3e-4, (found, jump)
        return found

    return end(QUANTILE), end(-QUANTILE), zero(lambda shift: statistic(x, y, shift), least, most)


def exact(x, y):
    d = np.sort(np.subtract.outer(x, y).ravel())
    values = np.unique(d)

    def crossing(q):
        """The least difference beyond which the statistic no longer exceeds q."""
        low, high = 0, len(values) - 1
        while low < high:
            middle = (low + high) // 2
            beyond = (values[middle] + values[middle + 1]) / 2
            if statistic(x, y, beyond) > q:
                low = middle + 1
            else:
                high = middle
        return values[low]

    low = crossing(QUANTILE)
    # The upper end is the lower one of the mirror image.
    high = -exact_low(-x, -y)
    return low, high, float(np.median(d))


def exact_low(x, y):
    values = np.unique(np.subtract.outer(x, y).ravel())
    for index, value in enumerate(values[:-1]):
        if statistic(x, y, (value + values[index + 1]) / 2) <= QUANTILE:
            return value
    return values[-1]


def classified(low, high, estimate, x, y):
    bound = 0.25 * abs(estimate)
    ratio = x.mean() / y.mean() if x.mean() != 0 and y.mean() != 0 else None
    if low > bound and (ratio is None or ratio >= 1):
        return "High"
    if high < -bound and (ratio is None or ratio <= 1):
        return "Low"
    return "Pass"


def cases():
    draw = np.random.Generator(np.random.PCG64(426))
    gamma = lambda scale, n: draw.gamma(4.0, scale, n)
    yield "latency-twelve-percent-up", gamma(25.0, 60), gamma(28.0, 60)
    yield "latency-forty-percent-up", gamma(25.0, 60), gamma(35.0, 60)
    yield "latency-halved", gamma(25.0, 60), gamma(12.5, 60)
    yield "unequal-sizes", gamma(25.0, 45), gamma(33.0, 8)
    yield "an-odd-number-of-pairs", gamma(1.0, 7), gamma(2.0, 9)
    yield "negative-values", -gamma(3.0, 20), -gamma(4.0, 20)
    yield "large-values", gamma(1e9, 25), gamma(1.4e9, 25)
    for rate in (0.3, 3.0):
        for more in (1.0, 3.0):
            yield f"counts-of-{rate}-and-{more}-times", draw.poisson(rate, 30), draw.poisson(rate * more, 30)
    for scale in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6):
        for more in (1.0, 1.5, 3.0):
            a, b = draw.gamma(4.0, scale / 4, 40), draw.gamma(4.0, scale / 4 * more, 40)
            yield f"ratios-of-{scale}-and-{more}-times", a, b
    # Of thirty minutes with two thousand requests each.
    for more in (1.0, 2.0, 5.0):
        a, b = draw.binomial(2000, 2e-4, 30) / 2000, draw.binomial(2000, 2e-4 * more, 30) / 2000
        yield f"error-ratios-{more}-times", a, b


HEAD = """\
# Written by reference.py (numpy {}, scipy {}); classify.toml describes the form. The root finder's interval and estimate
# agree to 1e-9 of themselves, or 1e-15, the exact ones to 1e-12, or 1e-18.
"""


def main():
    import scipy

    out = [HEAD.format(np.__version__, scipy.__version__)]
    differ = 0
    for name, control, experiment in cases():
        y, x = np.asarray(control, float), np.asarray(experiment, float)
        low, high, estimate = solved(x, y)
        e_low, e_high, e_estimate = exact(x, y)
        label, e_label = classified(low, high, estimate, x, y), classified(e_low, e_high, e_estimate, x, y)
        differ += label != e_label
        numbers = lambda values: "[" + ", ".join(repr(float(v)) for v in values) + "]"
        out.append(
            f'\n[[case]]\nid = "STAT-1.{name}"\ncontrol = {numbers(y)}\nexperiment = {numbers(x)}\nsettings = {{}}\n'
            f'expect = {{ classification = "{label}", exact = "{e_label}", '
            f"differs = {str(label != e_label).lower()}, interval = {numbers((low, high))}, estimate = {float(estimate)!r}, "
            f"exact_interval = {numbers((e_low, e_high))}, exact_estimate = {float(e_estimate)!r} }}\n"
        )
    with open("intervals.toml", "w") as file:
        file.write("".join(out))
    print(f"{len(out) - 1} cases, {differ} in which the root finder decides")


main()
