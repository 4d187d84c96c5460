"""Points of a space as rows of a matrix, which is what models read.

A space of several branches becomes one table: a leading column says the branch, and each parameter
has a column, shared by all branches in which it has the same values. A column holds the unit
coordinate of a point, and NaN where the point's branch lacks the parameter. A parameter with a
single value has no column, for there is nothing to learn from it.

rows      points, (n, c), one column a parameter
cells     coordinates that a column can take, ascending; None for a continuum
features  rows as a kernel reads them, (n, f): an ordered column is one feature; an unordered one
          has a feature for each of its values, so that two different values are at squared
          distance 1; what is missing lies in the middle
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hpsearch.dimensions import Dimension
from hpsearch.optimizers.history import History
from hpsearch.space import Point, Space

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Index = NDArray[np.intp]

MAX_CELLS = 4096  # an ordered parameter with more values is a continuum to the model
SAME = 1e-9  # coordinates closer than this are one: a value may come back with another last digit
MISSING = 0.5  # where a kernel places an ordered parameter that a branch lacks


@dataclass(frozen=True, eq=False)
class Column:
    """One column: the values that it can take, and the branches that have it."""

    ordered: bool
    cells: Array | None
    branches: tuple[int, ...]

    @property
    def width(self) -> float:
        """The share of the unit interval that a value has; 0 in a continuum."""
        return 0.0 if self.cells is None else 1.0 / len(self.cells)

    def snap(self, units: Array) -> Array:
        """Return the nearest cells."""
        if self.cells is None:
            return units
        return self.cells[np.searchsorted((self.cells[1:] + self.cells[:-1]) / 2, units)]


class Columns:
    """The columns of a space."""

    def __init__(self, space: Space) -> None:
        self.space = space
        n_branches = len(space.branches)
        self.columns: list[Column] = []
        if n_branches > 1:
            cells = (np.arange(n_branches) + 0.5) / n_branches
            self.columns.append(Column(False, cells, tuple(range(n_branches))))
        # For each branch, for each of its parameters: the column, None for a constant.
        self.places: list[list[int | None]] = [[None] * len(b) for b in space.branches]
        for dimension, uses in _shared(space):
            for branch, place in uses:
                self.places[branch][place] = len(self.columns)
            self.columns.append(
                Column(dimension.ordered, _cells(dimension), tuple(b for b, _ in uses))
            )
        self._constants = [
            [d.cell(0) if d.levels == 1 else math.nan for d in branch.values()]
            for branch in space.branches
        ]

    def __len__(self) -> int:
        return len(self.columns)

    @cached_property
    def ordered(self) -> Mask:
        """Which columns are ordered, (c,)."""
        return np.array([column.ordered for column in self.columns], dtype=bool)

    @cached_property
    def widths(self) -> Array:
        """The width of a cell of each column, (c,)."""
        return np.array([column.width for column in self.columns])

    @cached_property
    def active(self) -> Mask:
        """Which branch has which column, (branches, c)."""
        numbers = range(len(self.space.branches))
        return np.array([[b in c.branches for c in self.columns] for b in numbers], dtype=bool)

    @cached_property
    def groups(self) -> list[list[int]]:
        """Columns that the same branches have; the first list holds those that all have.

        For all have the first column: it says the branch, if there are several.
        """
        found: dict[tuple[int, ...], list[int]] = {}
        for number, column in enumerate(self.columns):
            found.setdefault(column.branches, []).append(number)
        return list(found.values())

    def rows(self, points: Sequence[Point]) -> Array:
        """Return the rows of points."""
        rows = np.full((len(points), len(self)), np.nan)
        branch_of = np.array([point.branch for point in points], dtype=int)
        if len(self.space.branches) > 1:
            rows[:, 0] = (branch_of + 0.5) / len(self.space.branches)
        for branch, places in enumerate(self.places):
            kept = [(i, place) for i, place in enumerate(places) if place is not None]
            at = branch_of == branch
            if kept and at.any():
                units = np.array([point.units for point in points if point.branch == branch])
                columns = [place for _, place in kept]
                rows[np.flatnonzero(at)[:, None], columns] = units[:, [i for i, _ in kept]]
        return rows

    def point(self, row: Array) -> Point:
        """Return the point of a row, as it would be evaluated."""
        branch = int(self.branches(row[None])[0])
        places, constants = self.places[branch], self._constants[branch]
        units = [
            constant if place is None else float(row[place])
            for place, constant in zip(places, constants, strict=True)
        ]
        return self.space.snap(Point(branch, tuple(units)))

    def branches(self, rows: Array) -> Index:
        """Return the number of the branch of each row; 0 where it is missing."""
        n = len(self.space.branches)
        if n == 1:
            return np.zeros(len(rows), dtype=np.intp)
        return np.minimum(np.nan_to_num(rows[:, 0]) * n, n - 1).astype(np.intp)

    def settle(self, rows: Array, units: Array) -> Array:
        """Return rows of the space near the given ones.

        Coordinates go to their cells; those that a row's branch lacks become NaN, and those that
        it has and the row lacks are taken from `units`, of the same shape.
        """
        settled = np.where(np.isnan(rows), units, rows)
        for number, column in enumerate(self.columns):
            settled[:, number] = column.snap(settled[:, number])
        settled[~self.active[self.branches(settled)]] = np.nan
        return settled

    @cached_property
    def group(self) -> Index:
        """The column that each feature belongs to, (f,)."""
        counts = [1 if c.ordered else len(_known(c.cells)) for c in self.columns]
        return np.repeat(np.arange(len(self)), counts)

    @cached_property
    def _values(self) -> Array:
        """The value that each feature of an unordered column stands for."""
        unordered = [_known(c.cells) for c in self.columns if not c.ordered]
        return np.concatenate([*unordered, np.zeros(0)])

    def features(self, rows: Array) -> Array:
        """Return the features of rows."""
        features = rows[:, self.group]
        is_value = ~self.ordered[self.group]
        features[:, is_value] = math.sqrt(0.5) * (features[:, is_value] == self._values)
        features[np.isnan(features)] = MISSING
        return features


class Table:
    """The rows of a history. Rows of points that were there before are kept, not made again."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self._history: History | None = None
        self._rows = columns.rows([])

    def rows(self, history: History) -> Array:
        """Return the rows of the history's points, (n, c)."""
        if history is not self._history:
            self._history, self._rows = history, self.columns.rows([])
        added = history.points[len(self._rows) :]
        if added:
            self._rows = np.vstack([self._rows, self.columns.rows(added)])
        return self._rows

    def first_new(self, rows: Array, history: History) -> Point | None:
        """Return the first of the rows' points that is allowed and not in the history, if any."""
        seen = np.nan_to_num(self.rows(history))
        for row in rows:
            point = self.columns.point(row)
            again = np.nan_to_num(self.columns.rows([point]))
            is_new = point not in history and (np.abs(seen - again).max(axis=1) > SAME).all()
            if is_new and self.columns.space.allows(point):
                return point
        return None


def _shared(space: Space) -> list[tuple[Dimension, list[tuple[int, int]]]]:
    """Return dimensions of more than one value, each with the (branch, place) pairs of its use."""
    found: dict[str, list[tuple[Dimension, list[tuple[int, int]]]]] = {}
    for branch, dimensions in enumerate(space.branches):
        for place, (name, dimension) in enumerate(dimensions.items()):
            if dimension.levels == 1:
                continue
            uses = found.setdefault(name, [])
            for other, places in uses:
                if _alike(dimension, other):
                    places.append((branch, place))
                    break
            else:
                uses.append((dimension, [(branch, place)]))
    return [use for uses in found.values() for use in uses]


def _alike(a: Dimension, b: Dimension) -> bool:
    # Lists of values do not compare; what is printed alike is alike enough to be modelled as one.
    return a is b or (type(a) is type(b) and a.levels == b.levels and repr(a) == repr(b))


def _cells(dimension: Dimension) -> Array | None:
    levels = dimension.levels
    if levels is None or (dimension.ordered and levels > MAX_CELLS):
        return None
    return np.array([dimension.cell(level) for level in range(levels)])


def _known(cells: Array | None) -> Array:
    if cells is None:
        raise TypeError("A dimension without an order must have finitely many values.")
    return cells
