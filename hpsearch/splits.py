"""Splits as splitters give them: training and test rows, by their numbers or as masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Splits = list[tuple[Any, Any]]


def indices_of(rows: Any) -> NDArray[Any]:
    """Return the numbers of rows.

    Examples
    --------
    >>> indices_of([True, False, True]), indices_of([0, 2])
    (array([0, 2]), array([0, 2]))
    """
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows


def sizes_of(splits: Sequence[tuple[Any, Any]]) -> list[tuple[int, int]]:
    """Return how many training and test rows each split has."""
    return [(len(indices_of(train)), len(indices_of(test))) for train, test in splits]
