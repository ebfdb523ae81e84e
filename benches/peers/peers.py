"""Measures hotfix against other libraries: the same inputs, one run, medians of interleaved repeats.

`make peers` runs it; `make peers ARGS=--write` writes the table to `docs/peers.md`. Where both libraries compute the same
figure, the results must agree before anything is timed. The exit status is 1 if a ratio is below the target.
"""

from __future__ import annotations

import argparse
import importlib
import math
import os
import platform
import random
import statistics
import sys
import time
import timeit
import warnings
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from hotfix import stats

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "peers.md"
PACKAGES = ("scipy", "statsmodels", "spotify-confidence", "gbstats")
REPEATS = 15
LEAST_SECONDS = 0.02

Call = Callable[[], Any]


@dataclass
class Pair:
    """Two calls that answer the same question."""

    what: str
    package: str
    ours: Call
    theirs: Call
    # How many times faster it has to be; None without a target.
    wanted: float | None = None
    # The figure on which both must agree; None if the methods differ.
    agree: Callable[[Any, Any], tuple[float, float]] | None = None
    note: str = ""


@dataclass
class Row:
    """The measured times of a pair, in seconds."""

    pair: Pair
    ours: float
    theirs: float

    @property
    def ratio(self) -> float:
        """How many times faster hotfix is."""
        return self.theirs / self.ours

    @property
    def missed(self) -> bool:
        """Whether the ratio is below the target."""
        return self.pair.wanted is not None and self.ratio < self.pair.wanted


def seconds_of(call: Call, number: int) -> float:
    """Processor time, on which other programs' load has little effect; all calls use one thread."""
    return timeit.timeit(call, number=number, timer=time.process_time)


def number_of(call: Call) -> int:
    """The number of calls for a repeat that lasts long enough."""
    number = 1
    while (seconds := seconds_of(call, number)) < LEAST_SECONDS:
        number = max(number * 2, int(number * LEAST_SECONDS / max(seconds, 1e-9)))
    return number


def measure(pair: Pair) -> Row:
    """Medians of repeats, alternating between both, so that changes in the machine's load affect both."""
    calls = (pair.ours, pair.theirs)
    numbers = [number_of(call) for call in calls]
    # A call of seconds is not repeated fifteen times.
    repeats = REPEATS if numbers[1] > 1 else 5
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for call, number, list_ in zip(calls, numbers, times, strict=True):
            list_.append(seconds_of(call, number) / number)
    return Row(pair, *(statistics.median(list_) for list_ in times))


def p_values(ours: Any, theirs: Any) -> tuple[float, float]:
    return ours.p_value, float(theirs.pvalue)


def scipy_pairs() -> list[Pair]:
    """Rank tests and Fisher."""
    import numpy as np
    from scipy import stats as scipy

    pairs = []
    draw = random.Random(11)
    for size, wanted in ((60, 40.0), (1000, 5.0)):
        x = [draw.lognormvariate(0.1, 0.5) for _ in range(size)]
        y = [draw.lognormvariate(0.0, 0.5) for _ in range(size)]
        for kind, make in (("lists", list), ("NumPy arrays", np.array)):
            ours, theirs = make(x), np.array(x)
            ours_y, theirs_y = make(y), np.array(y)
            pairs.append(
                Pair(
                    f"Mann-Whitney, {size} against {size} ({kind})",
                    "scipy",
                    lambda x=ours, y=ours_y: stats.mann_whitney_u(x, y, method="asymptotic"),
                    lambda x=theirs, y=theirs_y: scipy.mannwhitneyu(x, y, method="asymptotic"),
                    wanted,
                    p_values,
                    "SciPy gets NumPy arrays in both rows",
                )
            )
        x, y = array("d", x), array("d", y)
        theirs, theirs_y = np.array(x), np.array(y)
        pairs.append(
            Pair(
                f"Kolmogorov-Smirnov, exact, {size} against {size}",
                "scipy",
                lambda x=x, y=y: stats.ks_2samp(x, y, method="exact"),
                lambda x=theirs, y=theirs_y: scipy.ks_2samp(x, y, method="exact"),
                None,
                p_values,
            )
        )
    pairs.append(
        Pair(
            "Fisher exact, 30 of 10,000 against 180 of 90,000",
            "scipy",
            lambda: stats.fisher_exact((30, 10_000), (180, 90_000)),
            lambda: scipy.fisher_exact([[30, 9_970], [180, 89_820]]),
            200.0,
            p_values,
        )
    )
    return pairs


def statsmodels_pairs() -> list[Pair]:
    """Rates, margins and intervals."""
    from statsmodels.stats import proportion, rates

    return [
        Pair(
            "Poisson ratio, exact, 12 in 60 against 27 in 540",
            "statsmodels",
            lambda: stats.poisson_ratio((12, 60.0), (27, 540.0)),
            lambda: rates.test_poisson_2indep(12, 60.0, 27, 540.0, method="exact-cond"),
            agree=p_values,
            note="ours with the interval",
        ),
        Pair(
            "Clopper-Pearson, 180 of 90,000",
            "statsmodels",
            lambda: stats.clopper_pearson(180, 90_000),
            lambda: proportion.proportion_confint(180, 90_000, method="beta"),
            agree=lambda ours, theirs: (ours[1], float(theirs[1])),
        ),
        Pair(
            "Newcombe, 30 of 10,000 against 180 of 90,000",
            "statsmodels",
            lambda: stats.newcombe((30, 10_000), (180, 90_000)),
            lambda: proportion.confint_proportions_2indep(30, 10_000, 180, 90_000, method="newcomb"),
            agree=lambda ours, theirs: (ours[1], float(theirs[1])),
        ),
        Pair(
            "Farrington-Manning, ratio, margin 2",
            "statsmodels",
            lambda: stats.non_inferiority((30, 10_000), (270, 90_000), 2.0),
            lambda: proportion.test_proportions_2indep(
                *(30, 10_000, 270, 90_000), value=2.0, compare="ratio", method="score", correction=False,
                alternative="smaller",
            ),
            agree=p_values,
        ),
    ]


def sequential() -> Call:
    """One update of a sequential test: the tenth date of ten, after the first nine."""
    test = stats.RateRatio(alpha=0.05)
    for _ in range(9):
        test.update((3, 1_000), (18, 9_000))
    state = test.to_bytes()
    tenth = stats.RateRatio.from_bytes(state)
    return lambda: tenth.update((3, 1_000), (18, 9_000))


def spotify_pairs() -> list[Pair]:
    """Pair an evaluation with a group-sequential one at ten dates."""
    import pandas as pd
    from spotify_confidence import ZTest

    rows = [
        {"date": date, "group": group, "events": events * date, "trials": trials * date, "final": 100_000}
        for date in range(1, 11)
        for group, events, trials in (("canary", 3, 1_000), ("baseline", 18, 9_000))
    ]
    frame = pd.DataFrame(rows)
    names = {"numerator_column": "events", "numerator_sum_squares_column": "events", "denominator_column": "trials"}

    def evaluate() -> Any:
        test = ZTest(frame, **names, categorical_group_columns="group", ordinal_group_column="date")
        arms = {"level_1": "baseline", "level_2": "canary"}
        return test.difference(**arms, groupby="date", final_expected_sample_size_column="final")

    what, note = "one sequential evaluation, the tenth of ten", "theirs is a z-test with spending over ten dates"
    return [Pair(what, "spotify-confidence", sequential(), evaluate, 10_000.0, None, note)]


def gbstats_pairs() -> list[Pair]:
    """Pair an evaluation with another always-valid one."""
    from gbstats.frequentist.tests import SequentialConfig, SequentialTwoSidedTTest
    from gbstats.models.statistics import ProportionStatistic

    config = SequentialConfig(alpha=0.05, difference_type="absolute")

    def evaluate() -> Any:
        baseline, canary = ProportionStatistic(n=90_000, sum=180), ProportionStatistic(n=10_000, sum=30)
        return SequentialTwoSidedTTest(baseline, canary, config).compute_result()

    note = "theirs is a t-test with a normal mixture"
    return [Pair("one sequential evaluation", "gbstats", sequential(), evaluate, None, None, note)]


GROUPS: dict[str, Callable[[], list[Pair]]] = {
    "scipy": scipy_pairs,
    "statsmodels": statsmodels_pairs,
    "spotify-confidence": spotify_pairs,
    "gbstats": gbstats_pairs,
}


def duration(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def ratio(value: float) -> str:
    return f"{float(f'{value:.2g}'):,.0f} ×" if value >= 10 else f"{value:.2g} ×"


def table(rows: list[Row]) -> str:
    lines = ["| what | hotfix | other library | ratio | target |", "|---|---|---|---|---|"]
    for row in rows:
        pair = row.pair
        wanted = f"≥ {pair.wanted:,.0f} ×" if pair.wanted else ""
        wanted += ", **missed**" if row.missed else ""
        what = f"{pair.what}; {pair.note}" if pair.note else pair.what
        peer = f"{duration(row.theirs)} ({pair.package})"
        lines.append(f"| {what} | {duration(row.ours)} | {peer} | {ratio(row.ratio)} | {wanted} |")
    return "\n".join(lines)


def versions() -> str:
    found = []
    for name in ("hotfix", *PACKAGES, "numpy"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    return ", ".join(found)


def page(rows: list[Row], left_out: list[str]) -> str:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    return (
        "# Speed compared with other libraries\n\n"
        "Written by `make peers ARGS=--write`. Both libraries run in one process, on the same inputs, called from Python.\n"
        "The times are processor time, medians of interleaved repeats. Where both compute the same figure, the results\n"
        "were compared first.\n\n"
        f"{versions()};\nPython {platform.python_version()}, {machine}.\n\n"
        f"{table(rows)}\n" + "".join(f"\nNot compared: {line}.\n" for line in left_out)
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/peers.md")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    rows: list[Row] = []
    left_out: list[str] = []
    for package, make in GROUPS.items():
        try:
            importlib.import_module({"spotify-confidence": "spotify_confidence"}.get(package, package))
        except ImportError as error:
            left_out.append(f"{package} cannot be imported ({error})")
            continue
        for pair in make():
            result, theirs = pair.ours(), pair.theirs()
            if pair.agree and not math.isclose(*(both := pair.agree(result, theirs)), rel_tol=1e-6):
                print(f"{pair.what}: {both[0]!r} here, {both[1]!r} there", file=sys.stderr)
                return 2
            rows.append(measure(pair))
    text = page(rows, left_out)
    print(text)
    if arguments.write:
        PAGE.write_text(text, encoding="utf-8")
    missed = [row.pair.what for row in rows if row.missed]
    wanted = {"scipy", "spotify-confidence"} - {row.pair.package for row in rows}
    for what in (*missed, *(f"{package}: a target is not measured" for package in sorted(wanted))):
        print(f"MISSED {what}", file=sys.stderr)
    return 1 if missed or wanted else 0


if __name__ == "__main__":
    sys.exit(main())
