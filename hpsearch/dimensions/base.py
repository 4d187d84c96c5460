"""What a dimension is, and what its kinds ask of a single value."""

from __future__ import annotations

import math
from numbers import Real as RealNumber
from typing import Any, Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Dimension(Protocol):
    """One parameter of a space. A class with these five names is a dimension.

    Examples
    --------
    >>> from hpsearch import Integer
    >>> depth = Integer(1, 4)
    >>> depth.levels, depth.ordered
    (4, True)
    >>> depth.encode(2), depth.decode(0.375), depth.cell(1)
    (0.375, 2, 0.375)
    """

    @property
    def levels(self) -> int | None:
        """How many values there are; None if they form a continuum or have no end."""

    @property
    def ordered(self) -> bool:
        """Whether the order of values means something, and not their equality alone."""

    def encode(self, value: Any) -> float:
        """Return the coordinate of a value.

        Parameters
        ----------
        value : object
            One of the dimension.

        Returns
        -------
        unit : float
            In [0, 1]; equal values have the same.

        Raises
        ------
        ValueError
            If the value does not belong to the dimension.
        """

    def decode(self, unit: float) -> Any:
        """Return the value at a coordinate.

        Parameters
        ----------
        unit : float
            In [0, 1].

        Returns
        -------
        value : object
            The user's own object where values were listed.
        """

    def cell(self, level: int) -> float:
        """Return the coordinate of a value by its number, where there are so many.

        Parameters
        ----------
        level : int
            From 0 to `levels` - 1, in order.

        Returns
        -------
        unit : float
            In [0, 1].
        """


def is_number(value: Any) -> bool:
    """Whether a value is a real number; True, False and NaN are none."""
    is_bool = isinstance(value, (bool, np.bool_))
    return isinstance(value, RealNumber) and not is_bool and not math.isnan(value)


def number_in(value: Any, dimension: object) -> float:
    """Return a value of a dimension as a float, or raise ValueError if it is not a number."""
    if not is_number(value):
        raise ValueError(f"{value!r} is not in {dimension!r}.")
    return float(value)


def clip(unit: float) -> float:
    """Bring a coordinate that rounding took out of [0, 1] back."""
    return min(max(unit, 0.0), 1.0)
