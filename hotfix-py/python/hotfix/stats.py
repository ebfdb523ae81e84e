"""Tests, intervals, calibration and planning, without a rollout.

>>> from hotfix import stats
>>> stats.RateRatio(alpha=0.01).update((30, 1000), (30, 9000)).decided
True
>>> stats.fisher_exact((30, 10_000), (180, 90_000), alternative="greater").p_value < 0.05
True

Tests with an `update` (`RateRatio`, `Latency`, `Ceiling` and those of instances) may be evaluated at every tick. Tests
that are functions are valid for one evaluation, at a time that was fixed in advance.
"""

from hotfix._core import (
    BadInstance,
    Calibration,
    Ceiling,
    Chance,
    Equivalence,
    Evidence,
    FisherExact,
    KolmogorovSmirnov,
    Latency,
    MannWhitney,
    NonInferiority,
    PoissonRatio,
    Randomisation,
    RateRatio,
    Shift,
    TimeToDetect,
    calibrate,
    chance_to_decide,
    chance_to_promote,
    clopper_pearson,
    detectable_ratio,
    equivalence,
    fisher_exact,
    fixed_horizon_ratio,
    fixed_horizon_trials,
    gate_pass_chance,
    hodges_lehmann,
    ks_2samp,
    ks_from_counts,
    latency_boundaries,
    mann_whitney_from_counts,
    mann_whitney_u,
    newcombe,
    non_inferiority,
    poisson_ratio,
    time_to_detect,
    time_to_promote,
    wilson,
)

__all__ = [
    # Sequential tests, for every evaluation
    "RateRatio",
    "Latency",
    "latency_boundaries",
    "Ceiling",
    "Evidence",
    # Instances and history
    "calibrate",
    "Calibration",
    "Randomisation",
    "BadInstance",
    # Planning
    "time_to_detect",
    "TimeToDetect",
    "detectable_ratio",
    "chance_to_decide",
    "chance_to_promote",
    "Chance",
    "time_to_promote",
    "gate_pass_chance",
    "fixed_horizon_ratio",
    "fixed_horizon_trials",
    # One evaluation: samples and histograms
    "mann_whitney_u",
    "mann_whitney_from_counts",
    "MannWhitney",
    "hodges_lehmann",
    "Shift",
    "ks_2samp",
    "ks_from_counts",
    "KolmogorovSmirnov",
    # One evaluation: counts
    "fisher_exact",
    "FisherExact",
    "poisson_ratio",
    "PoissonRatio",
    "non_inferiority",
    "NonInferiority",
    "equivalence",
    "Equivalence",
    # Intervals
    "wilson",
    "clopper_pearson",
    "newcombe",
]
