"""A judge that is compatible with Kayenta's judge and reads Kayenta's configuration.

It is for users who migrate from Kayenta, and for comparisons. It evaluates once, at the end; `hotfix.stats` has tests
that may be evaluated at every tick. `docs/kayenta.md` describes what is the same and what differs.

>>> from hotfix import kayenta
>>> kayenta.classify([10, 11, 12], [20, 21, 22]).classification
'High'
"""

from hotfix._core import GroupScore, Judgement, KayentaFinding, MetricResult, classify, judge

__all__ = ["GroupScore", "Judgement", "KayentaFinding", "MetricResult", "classify", "judge"]
