"""Tests and intervals for use on their own.

>>> from hotfix import stats
>>> stats.RateRatio(alpha=0.01).update((30, 1000), (30, 9000)).decided
True
"""

from hotfix._core import Evidence, RateRatio, wilson

__all__ = ["Evidence", "RateRatio", "wilson"]
