"""Names of branches and tags, and versions, without a plan; `Plan.source_control` has all steps of a plan.

>>> from hotfix import vcs
>>> vcs.branch_name("Security patch"), vcs.tag_name(vcs.next_version("1.2.3"))
('hotfix/security-patch', 'v1.2.4')
"""

from hotfix._core import branch_name, next_version, tag_name

__all__ = ["branch_name", "next_version", "tag_name"]
