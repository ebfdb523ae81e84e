"""A judge that decides as Kayenta's does, from Kayenta's own configuration.

It is for users who move over, and for comparisons: it looks once, at the end. `hotfix.stats` has tests that may be
looked at every tick. `docs/kayenta.md` says what is the same and what differs.

>>> from hotfix import kayenta
>>> kayenta.classify([10, 11, 12], [20, 21, 22]).classification
'High'
"""

from hotfix._core import GroupScore, Judgement, KayentaFinding, MetricResult, classify, judge

__all__ = ["GroupScore", "Judgement", "KayentaFinding", "MetricResult", "classify", "judge"]
