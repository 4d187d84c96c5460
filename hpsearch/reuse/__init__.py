"""Doing only the work that is different: what candidates share, and how it is shared.

Exact or not used: whatever could change a score is not shared.
"""

from hpsearch.reuse.anatomy import Settings
from hpsearch.reuse.family import Family, shallow_copy
from hpsearch.reuse.plan import Planner

__all__ = ["Family", "Planner", "Settings", "shallow_copy"]
