"""Tests, intervals, calibration and planning for use on their own.

>>> from hotfix import stats
>>> stats.RateRatio(alpha=0.01).update((30, 1000), (30, 9000)).decided
True
>>> stats.fisher_exact((30, 10_000), (180, 90_000), alternative="greater").p_value < 0.05
True

Tests with an `update` (`RateRatio`, `Latency`, `Ceiling` and those of instances) may be looked at every tick; those
that are functions keep their promise for one look, decided on beforehand.
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
    LeaveOneOut,
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
    sight,
    time_to_detect,
    time_to_promote,
    wilson,
)

__all__ = [
    # At every look
    "RateRatio",
    "Latency",
    "latency_boundaries",
    "Ceiling",
    "Evidence",
    # Instances and history
    "calibrate",
    "Calibration",
    "Randomisation",
    "LeaveOneOut",
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
    "sight",
    # One look: samples and histograms
    "mann_whitney_u",
    "mann_whitney_from_counts",
    "MannWhitney",
    "hodges_lehmann",
    "Shift",
    "ks_2samp",
    "ks_from_counts",
    "KolmogorovSmirnov",
    # One look: counts
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
