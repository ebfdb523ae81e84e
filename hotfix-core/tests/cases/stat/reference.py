"""Writes rate_ratio.toml, bernoulli.toml and ceiling.toml: the formulas as specified, in 60 digits (mpmath 1.3.0).

Run in this folder: python3 reference.py
"""

from mpmath import exp, log, mp, mpf, sqrt

mp.dps = 60
SPARSE = {"grid": [2.0, 4.0, 8.0, 20.0], "weights": [0.4, 0.25, 0.2, 0.15]}
EIGHT = [1.2, 1.5, 2.0, 3.0, 5.0, 8.0, 14.0, 30.0]
DEFAULTS = {"direction": "worse", "alpha": 0.01, "tolerated": 1.0, "margin": 2.0}


def plan(settings, grid, weights):
    """Null ratio, alternatives over the null and weights, as exact numbers."""
    s = DEFAULTS | settings
    grid = s.get("grid", grid)
    if "weights" in s:
        weights = [mpf(w) for w in s["weights"]]
    elif "grid" in s or weights is None:
        weights = [mpf(1) / len(grid)] * len(grid)
    else:
        weights = [mpf(w) for w in weights]
    worse = s["direction"] == "worse"
    null = mpf(s["tolerated"] if worse else s["margin"])
    ratios = [mpf(g) if worse else 1 / mpf(g) for g in grid]
    return s, null, ratios, weights


def rate_gains(null, ratios, tick, past):
    xc, nc, xb, nb = tick
    m = xc + xb
    base = log(null * nc + nb)
    return [xc * log(g) + m * (base - log(null * g * nc + nb)) for g in ratios]


def bernoulli_gains(null, ratios, tick, past, worse, prior):
    xc, nc, xb, nb = tick
    p = (past[0] + past[2] + mpf("0.5")) / (past[1] + past[3] + prior)
    w = nc / (nc + nb)
    gains = []
    for g in ratios:
        r = null * g
        tb = min(p / (w * r + 1 - w), mpf("0.999"))
        o = r * tb / (1 - tb)
        ta = o / (1 + o)
        s = w * ta + (1 - w) * tb
        beta = s * (1 + null) + w * (1 - ta) * null + (1 - w) * (1 - tb)
        q = 2 * s / (beta + sqrt(max(beta * beta - 4 * null * s, 0)))
        pa = null * q
        if (worse and null > 1 and pa >= ta) or (not worse and null < 1 and pa <= ta):
            gains.append(mpf(0))
            continue
        gains.append(
            xc * log(ta / pa) + (nc - xc) * (log(1 - ta) - log(1 - pa))
            + xb * log(tb / q) + (nb - xb) * (log(1 - tb) - log(1 - q))
        )
    return gains


def run(model, case):
    settings, updates, repeat = case["settings"], case["updates"], case.get("repeat", 1)
    grid, weights = (SPARSE["grid"], SPARSE["weights"]) if model == "rate_ratio" else (EIGHT, None)
    s, null, ratios, weights = plan(settings, grid, weights)
    threshold = mpf(s["threshold"]) if "threshold" in s else -log(mpf(s["alpha"]))
    temper, cap, horizon = mpf(s.get("temper", 1)), s.get("cap"), s.get("horizon")
    # The change-point form; without a horizon all is bet from the first tick on.
    cash = mpf("0.5") if horizon else mpf(0)
    stakes = [1 - cash] * len(ratios)
    past = [mpf(0)] * 4
    highest, decided_at, tick_number = mpf(0), 0, 0
    for _ in range(repeat):
        for tick in updates:
            tick_number += 1
            if horizon and tick_number > 1:
                grant = min(cash, mpf("0.5") / horizon)
                cash -= grant
                stakes = [a + grant for a in stakes]
            tick = [mpf(x) for x in tick]
            if tick[1] == 0 or tick[3] == 0:
                continue
            if model == "rate_ratio":
                gains = rate_gains(null, ratios, tick, past)
            else:
                prior = mpf(s.get("prior_trials", 50.0))
                gains = bernoulli_gains(null, ratios, tick, past, s["direction"] == "worse", prior)
            past = [a + b for a, b in zip(past, tick)]
            if model == "rate_ratio" and tick[0] + tick[2] == 0:
                continue
            gains = [min(temper * gain, mpf(cap)) if cap else temper * gain for gain in gains]
            stakes = [a * exp(gain) for a, gain in zip(stakes, gains)]
            highest = max(highest, max(log(w * a) for w, a in zip(weights, stakes)))
            log_e = log(cash + sum(w * a for w, a in zip(weights, stakes)))
            if not decided_at and log_e >= threshold:
                decided_at = tick_number
    log_e = log(cash + sum(w * a for w, a in zip(weights, stakes))) if past[1] > 0 else mpf(0)
    bound = max(log(part) for part in [cash, *(w * a for w, a in zip(weights, stakes))] if part > 0)
    expect = {
        "log_e": log_e, "log_e_bound": bound, "p_value": exp(-highest), "decided_at": decided_at,
    }
    if past[1] > 0 and (past[0] > 0 or past[2] > 0):
        half = lambda x: x if x > 0 else mpf("0.5")
        expect["ratio"] = half(past[0]) / past[1] / (half(past[2]) / past[3])
    return expect


def text(value):
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(text(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {text(v)}" for k, v in value.items()) + " }"
    return str(value) if isinstance(value, int) else repr(float(value))


NO_DATA = {"id": "FIELD-3.no-data", "settings": {}, "updates": []}
COMMON = [
    NO_DATA,
    {"id": "FIELD-3.arms-without-trials-say-nothing", "settings": {},
     "updates": [[0, 0, 3, 900], [5, 100, 0, 0], [0, 0, 0, 0], [1, 100, 2, 900]]},
    {"id": "STAT-2.one-tick", "settings": {}, "updates": [[3, 1000, 5, 9000]]},
    {"id": "STAT-2.the-split-changes", "settings": {},
     "updates": [[1, 17, 1, 150], [0, 21, 2, 131], [2, 84, 1, 80], [3, 160, 0, 11], [1, 17, 0, 150]]},
    {"id": "STAT-2.decided-and-stays-decided", "settings": {},
     "updates": [[9, 100, 3, 900], [9, 100, 3, 900]] + [[0, 100, 30, 900]] * 4},
    {"id": "STAT-2.a-tolerated-ratio", "settings": {"tolerated": 1.25},
     "updates": [[4, 100, 20, 900], [7, 120, 22, 880], [3, 90, 19, 910]]},
    {"id": "STAT-3.not-worse-than-twice", "settings": {"direction": "better", "alpha": 0.05},
     "updates": [[2, 500, 5, 500], [1, 500, 4, 500], [3, 480, 7, 520]], "repeat": 4},
    {"id": "STAT-5.cut-at-least-to-a-half",
     "settings": {"direction": "better", "alpha": 0.05, "margin": 0.5},
     "updates": [[5, 100, 490, 900], [4, 100, 510, 900]], "repeat": 2},
    {"id": "FIELD-1.rare-errors-against-none", "settings": {},
     "updates": [[x, 100, 0, 900] for x in (0, 1, 2, 1, 0, 0)]},
    {"id": "STAT-2.own-grid-and-weights",
     "settings": {"grid": [2.0, 5.0, 15.0], "weights": [0.7, 0.2, 0.1], "alpha": 0.001},
     "updates": [[2, 300, 1, 2700], [3, 310, 2, 2690]], "repeat": 3},
    {"id": "STAT-2.own-grid-with-even-weights", "settings": {"grid": EIGHT},
     "updates": [[1, 17, 1, 150], [2, 18, 0, 149]], "repeat": 3},
    {"id": "STAT-2.tiny-rates-in-huge-traffic", "settings": {},
     "updates": [[110, 1e11, 900, 9e11], [95, 1e11, 880, 9e11]]},
]
LIMITS = [
    {"id": "STAT-2.half-the-evidence-counts", "settings": {"temper": 0.5},
     "updates": [[3, 100, 3, 900], [4, 110, 2, 880]], "repeat": 4},
    {"id": "STAT-2.a-burst-is-capped", "settings": {"cap": 0.6},
     "updates": [[1, 100, 4, 900], [40, 100, 3, 900], [0, 90, 5, 910], [2, 100, 4, 900]],
     "repeat": 2},
    {"id": "STAT-2.capped-after-tempering", "settings": {"temper": 0.25, "cap": 0.5},
     "updates": [[6, 100, 4, 900], [2, 100, 3, 900]], "repeat": 5},
    {"id": "STAT-2.a-higher-threshold-decides-later", "settings": {"threshold": 9.0},
     "updates": [[5, 100, 3, 900], [4, 100, 3, 900]], "repeat": 3},
    {"id": "STAT-2.a-lower-threshold-decides-sooner", "settings": {"threshold": 1.5},
     "updates": [[2, 100, 3, 900], [1, 100, 3, 900]], "repeat": 3},
    {"id": "STAT-2.horizon-a-late-fault", "settings": {"horizon": 30},
     "updates": [[0, 100, 4, 900]] * 12 + [[3, 100, 3, 900]] * 6},
    {"id": "STAT-2.horizon-longer-than-planned", "settings": {"horizon": 3},
     "updates": [[0, 100, 2, 900], [1, 90, 3, 910], [2, 100, 2, 900]], "repeat": 4},
    {"id": "STAT-2.horizon-of-one-tick", "settings": {"horizon": 1},
     "updates": [[2, 100, 3, 900], [1, 90, 3, 910]], "repeat": 2},
    {"id": "FIELD-3.horizon-ticks-without-data-count", "settings": {"horizon": 10},
     "updates": [[1, 100, 2, 900], [0, 0, 0, 0], [0, 0, 7, 800], [3, 100, 2, 900]], "repeat": 2},
    {"id": "STAT-2.horizon-capped-and-tempered",
     "settings": {"horizon": 8, "temper": 0.5, "cap": 1.0, "threshold": 3.0, "tolerated": 1.25},
     "updates": [[0, 100, 5, 900], [6, 100, 5, 900], [9, 100, 4, 900]], "repeat": 4},
    {"id": "STAT-3.horizon-not-worse-than-twice",
     "settings": {"direction": "better", "alpha": 0.05, "horizon": 12},
     "updates": [[2, 500, 5, 500], [1, 500, 4, 500], [3, 480, 7, 520]], "repeat": 6},
    {"id": "STAT-2.horizon-own-grid",
     "settings": {"grid": [2.0, 5.0, 15.0], "weights": [0.7, 0.2, 0.1], "horizon": 20},
     "updates": [[2, 300, 1, 2700], [3, 310, 2, 2690]], "repeat": 3},
]
RATE = COMMON + LIMITS + [
    {"id": "MET-6.exposure-in-seconds", "settings": {},
     "updates": [[12, 10.5, 31, 94.5], [15, 10.0, 28, 90.0]]},
    {"id": "FIELD-3.ticks-without-events", "settings": {}, "updates": [[0, 100, 0, 900]] * 5},
    {"id": "STAT-2.default-decision", "settings": {}, "updates": [[1, 17, 1, 150], [1, 16, 0, 151]],
     "repeat": 20},
]
BERNOULLI = COMMON + LIMITS + [
    {"id": "STAT-2.every-request-fails", "settings": {}, "updates": [[100, 100, 900, 900]] * 3},
    {"id": "STAT-5.ninety-two-against-ninety-four",
     "settings": {"direction": "better", "alpha": 0.05, "margin": 0.9},
     "updates": [[92, 100, 846, 900], [91, 100, 850, 900]], "repeat": 10},
    {"id": "STAT-2.no-bet-where-the-alternative-is-tolerated", "settings": {"tolerated": 1.5},
     "updates": [[99, 100, 880, 900], [98, 100, 885, 900]], "repeat": 5},
    {"id": "STAT-1.slow-requests", "settings": {"prior_trials": 5.0},
     "updates": [[60, 100, 450, 900], [58, 110, 440, 890]], "repeat": 2},
]


CEILING = [
    {"id": "FIELD-3.no-data", "settings": {"ceiling": 0.005}, "updates": []},
    {"id": "STAT-3.clean-and-one-request-short", "settings": {"ceiling": 0.005}, "updates": [[0, 689]]},
    {"id": "STAT-3.clean-and-enough", "settings": {"ceiling": 0.005}, "updates": [[0, 300], [0, 390]]},
    {"id": "STAT-3.only-errors-never-seen", "settings": {"ceiling": 0.005, "grid": [0.0]},
     "updates": [[0, 597], [0, 1]]},
    {"id": "STAT-3.a-few-errors", "settings": {"ceiling": 0.01, "alpha": 0.01},
     "updates": [[1, 400], [0, 500], [2, 450]], "repeat": 5},
    {"id": "STAT-3.as-bad-as-the-ceiling", "settings": {"ceiling": 0.02},
     "updates": [[2, 100], [1, 50], [3, 150]], "repeat": 4},
    {"id": "STAT-3.own-grid-and-weights",
     "settings": {"ceiling": 0.001, "grid": [0.1, 0.5], "weights": [0.75, 0.25]},
     "updates": [[0, 1500], [1, 1700], [0, 0]], "repeat": 3},
    {"id": "STAT-3.tiny-ceiling-in-huge-traffic", "settings": {"ceiling": 1e-9},
     "updates": [[300, 1e12], [310, 1e12]]},
]


def run_ceiling(case):
    s = {"alpha": 0.05, "grid": [0.5, 0.2, 0.05, 0.0]} | case["settings"]
    most = mpf(s["ceiling"])
    weights = s.get("weights", [mpf(1) / len(s["grid"])] * len(s["grid"]))
    events = trials = highest = log_e = mpf(0)
    decided_at = number = 0
    for _ in range(case.get("repeat", 1)):
        for x, n in case["updates"]:
            number += 1
            events, trials = events + x, trials + n
            parts = [
                mpf(w) * mpf(g) ** events * ((1 - mpf(g) * most) / (1 - most)) ** (trials - events)
                for w, g in zip(weights, s["grid"])
            ]
            log_e = log(sum(parts))
            highest = max(highest, log(max(parts)))
            if not decided_at and log_e >= -log(mpf(s["alpha"])):
                decided_at = number
    expect = {"log_e": log_e, "p_value": exp(-highest), "decided_at": decided_at}
    if trials > 0:
        expect["ratio"] = (events if events > 0 else mpf("0.5")) / trials / most
    return expect


def write(model, cases):
    with open(f"{model}.toml", "w", encoding="utf-8") as out:
        out.write(f"# Written by reference.py (mpmath 1.3.0, 60 digits): the {model} test.\n")
        figures = "events, trials" if model == "ceiling" else "events and trials of canary, of baseline"
        out.write(f"# updates: [{figures}], gone\n")
        out.write("# through `repeat` times. decided_at: the first deciding tick from 1; 0 for none.\n")
        out.write("# Settings left out have their defaults. log_e and its bound agree to 1e-12 of the\n")
        out.write("# larger of 1 and log_e, the p-value to 1e-11 and the ratio to 1e-14 of themselves.\n")
        for case in cases:
            expect = run_ceiling(case) if model == "ceiling" else run(model, case)
            out.write(f'\n[[case]]\nid = "{case["id"]}"\nsettings = {text(case["settings"])}\n')
            rows = ",\n  ".join(text([float(x) for x in row]) for row in case["updates"])
            out.write(f"updates = [\n  {rows},\n]\n" if rows else "updates = []\n")
            out.write(f'repeat = {case.get("repeat", 1)}\nexpect = {text(expect)}\n')


write("rate_ratio", RATE)
write("bernoulli", BERNOULLI)
write("ceiling", CEILING)
