"""Values that were listed one by one, with an order or without."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, overload

import numpy as np

from hpsearch.dimensions.base import is_number
from hpsearch.keywords import TellsOfKeywords


class _Values(TellsOfKeywords, Sequence[Any]):
    """Listed values: what `Categorical` and `Ordinal` share. A sequence, as a list is."""

    def __init__(self, values: Sequence[Any]) -> None:
        if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
            kind = type(self).__name__
            raise TypeError(
                f"{kind}({values!r}): give a list of values; one alone as [{values!r}]."
            )
        self.values = list(values)
        if not self.values:
            raise ValueError(f"{type(self).__name__}([]): give at least one value.")
        self._cells: list[Any] = []  # distinct values, in the order of their cells
        self._places: dict[tuple[type, Any], int] = {}
        for value in self._in_cell_order():
            if self._find(value) is None:
                self._remember(value)

    def _in_cell_order(self) -> list[Any]:
        return self.values

    def _remember(self, value: Any) -> None:
        # 1, 1.0 and True are equal and hash alike, and are three values.
        with suppress(TypeError):  # not hashable: found by going through
            self._places[type(value), value] = len(self._cells)
        self._cells.append(value)

    def _find(self, value: Any) -> int | None:
        try:
            return self._places.get((type(value), value))
        except TypeError:  # not hashable, and so equal to nothing that is
            exact = (i for i, v in enumerate(self._cells) if v is value or _same(v, value))
            return next(exact, None)

    @property
    def levels(self) -> int | None:
        return len(self._cells)

    def encode(self, value: Any) -> float:
        place = self._find(value)
        if place is None:  # 1 stands for a listed 1.0, but never True for 1
            alike = (i for i, v in enumerate(self._cells) if _alike(v, value))
            place = next(alike, None)
        if place is None:
            raise ValueError(f"{value!r} is not in {self!r}.")
        return self.cell(place)

    def decode(self, unit: float) -> Any:
        n = len(self._cells)
        return self._cells[min(max(math.floor(unit * n), 0), n - 1)]

    def cell(self, level: int) -> float:
        return (level + 0.5) / len(self._cells)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self.values[index]

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.values!r})"


class Categorical(_Values):
    """Listed values of any type, without an order.

    Parameters
    ----------
    values : sequence
        The values; candidates hold these very objects.

    Raises
    ------
    ValueError
        If there is no value.

    Examples
    --------
    >>> from hpsearch import Categorical
    >>> Categorical(["gini", "entropy"]).decode(0.9)
    'entropy'
    """

    ordered = False


class Ordinal(_Values):
    """Listed numbers, whose order and not their distance tells how alike two of them are.

    Parameters
    ----------
    values : sequence of numbers
        The values, in any order; candidates hold these very objects.

    Raises
    ------
    TypeError
        If a value is not a number, or is NaN.
    ValueError
        If there is no value.

    Examples
    --------
    >>> from hpsearch import Ordinal
    >>> Ordinal([100, 1, 10]).decode(0.5)
    10
    """

    ordered = True

    def _in_cell_order(self) -> list[Any]:
        if not all(is_number(value) for value in self.values):
            raise TypeError(f"Ordinal({self.values!r}): every value must be a number.")
        return sorted(self.values)


def _alike(a: Any, b: Any) -> bool:
    """Whether two numbers are equal, or two strings, of whatever types (numpy has its own)."""
    same_kind = (is_number(a) and is_number(b)) or (isinstance(a, str) and isinstance(b, str))
    return same_kind and bool(a == b)


def _same(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    try:
        return bool(a == b)
    except Exception:  # noqa: BLE001 - what cannot be compared is equal by identity alone
        return False
