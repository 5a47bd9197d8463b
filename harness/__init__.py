"""A paper as data, and a machine that says which of its numbers come back.

>>> from harness import Study
"""

from harness.study.study import Study

__all__ = ["Study"]
