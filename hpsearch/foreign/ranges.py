"""Ranges as several libraries write them, in ours."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hpsearch.dimensions import Categorical, Dimension, Integer, Ordinal, Real
from hpsearch.foreign.reading import MAX_VALUES


def reals(low: float, high: float, log: bool = False) -> Dimension:
    """The real numbers from low to high; a single one is allowed."""
    low, high = float(low), float(high)
    return Categorical([low]) if low == high else Real(low, high, log=log)


def integers(low: int, high: int, log: bool = False) -> Dimension:
    """The integers from low to high; a single one is allowed."""
    low, high = int(low), int(high)
    return Categorical([low]) if low == high else Integer(low, high, log=log)


def steps(low: float, high: float, step: float) -> Dimension:
    """Values low, low + step, ... up to high; ints if all of them are whole."""
    n = math.floor((high - low) / step + 1e-9) + 1
    if n > MAX_VALUES:
        raise ValueError(f"{n} values in steps of {step!r} are too many; give a range without.")
    if all(float(v).is_integer() for v in (low, step)):
        if step == 1:
            return integers(int(low), int(low) + n - 1)
        return listed([int(low) + k * int(step) for k in range(n)])
    return listed([min(low + k * step, high) for k in range(n)])


def listed(values: list[Any]) -> Dimension:
    """Numbers whose order means something."""
    return Categorical(values) if len(values) < 3 else Ordinal(values)


def choices(values: Any, weights: Any = None) -> Dimension:
    """Values without an order, each as likely.

    Raises
    ------
    ValueError
        If some are to be likelier than others.
    """
    if weights is not None and not np.allclose(weights, np.asarray(weights)[0]):
        raise ValueError(
            f"choices with unequal weights ({list(weights)!r}) have no counterpart here; leave the "
            "weights out, or list a value more than once for SampledSearchCV."
        )
    return Categorical(list(values))
