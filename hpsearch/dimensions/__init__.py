"""Dimensions of a search space: one parameter's values, to the unit interval and back.

A dimension cuts [0, 1] into cells, one a value (a continuous one has no cells). `encode` returns
the centre of a value's cell, so that equal values meet in one coordinate; `decode` takes any
coordinate of the cell back to the value, the user's own object where values were listed.
"""

from hpsearch.dimensions.base import Dimension, is_number
from hpsearch.dimensions.frozen import Frozen
from hpsearch.dimensions.listed import Categorical, Ordinal
from hpsearch.dimensions.ranges import Integer, Real

__all__ = [
    "Categorical",
    "Dimension",
    "Frozen",
    "Integer",
    "Ordinal",
    "Real",
    "is_number",
]
