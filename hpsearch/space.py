"""The space of candidates: dicts of parameters, to points of the unit cube and back.

A space is one dict of dimensions, or a list of dicts (its *branches*): a conditional space, in
which a parameter exists only in the branches that name it. A point is a branch and one coordinate
in [0, 1] for each of the branch's parameters, in the order of their names.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from hpsearch import foreign
from hpsearch.dimensions import Categorical, Dimension, Frozen, Integer, Ordinal, Real, is_number
from hpsearch.trial import Params

Constraint = Callable[[Params], bool]
PRIORS = ("uniform", "log-uniform")


class Point(NamedTuple):
    """A candidate in coordinates. Two candidates are the same if their points are equal."""

    branch: int
    units: tuple[float, ...]


class Space:
    """The candidates of a search.

    Parameters
    ----------
    branches : list of dict
        Parameter names to dimensions.
    constraint : callable, optional
        Takes a candidate (a dict), returns whether it may be evaluated.
    shape : callable, optional
        Makes of a candidate what a function is given in its place, if it was written for the
        nested values of another library.

    Examples
    --------
    >>> from hpsearch.space import Space
    >>> space = Space.of({"C": (0.01, 100.0, "log-uniform"), "kernel": ["rbf", "poly"]})
    >>> point = space.encode({"C": 100.0, "kernel": "rbf"})
    >>> space.decode(point)
    {'C': 100.0, 'kernel': 'rbf'}
    """

    def __init__(
        self,
        branches: Sequence[Mapping[str, Dimension]],
        constraint: Constraint | None = None,
        shape: Callable[[Params], Any] | None = None,
    ) -> None:
        self.branches = [dict(sorted(branch.items())) for branch in branches]
        self.constraint = constraint
        self.shape = shape

    @classmethod
    def of(
        cls,
        given: Mapping[str, Any] | Sequence[Mapping[str, Any]] | Space,
        constraint: Constraint | None = None,
    ) -> Space:
        """Read a space as users write it.

        Parameters
        ----------
        given : dict, list of dict, or Space
            Names to values. A list is always values, never a range; a list of three or more
            distinct numbers is ordered. A tuple ``(low, high)``, ``(low, high, "uniform")`` or
            ``(low, high, "log-uniform")`` of numbers is a range: of integers if both ends are.
            `Real`, `Integer`, `Categorical`, and frozen distributions of scipy.stats stand for
            themselves. A list of dicts is a conditional space. Spaces of Optuna, scikit-optimize,
            hyperopt and ConfigSpace are read as they are.
        constraint : callable, optional
            Takes a candidate, returns whether it may be evaluated.

        Raises
        ------
        TypeError, ValueError
            That name the parameter, what was given and what is accepted.
        """
        if isinstance(given, Space):
            return given if constraint is None else cls(given.branches, constraint, given.shape)
        reading = foreign.read(given)
        given = reading.space
        listed = [given] if isinstance(given, Mapping) else given
        if isinstance(listed, (str, bytes)) or not isinstance(listed, Sequence):
            raise TypeError(f"A space is a dict or a list of dicts, got {given!r}.")
        if not listed:
            raise ValueError("A space needs at least one dict, got an empty list.")
        both = foreign.both(reading.constraint, constraint)
        return cls([_branch(branch) for branch in listed], both, reading.shape)

    @property
    def n_coordinates(self) -> int:
        """How many uniform numbers `point` takes."""
        return max(map(len, self.branches)) + (len(self.branches) > 1)

    @property
    def size(self) -> int | None:
        """How many points there are, the constraint left aside; None if they are not finite."""
        total = 0
        for branch in self.branches:
            levels = [dimension.levels for dimension in branch.values()]
            if any(n is None for n in levels):
                return None
            total += math.prod(n for n in levels if n is not None)
        return total

    def is_enumerable(self, most: int) -> bool:
        """Whether there are at most so many points."""
        return self.size is not None and self.size <= most

    def points(self) -> Iterator[Point]:
        """Go through all points of a finite space, as scikit-learn's ParameterGrid does.

        The last name varies fastest, and listed values come in the order of their list.
        """
        for number, branch in enumerate(self.branches):
            for units in itertools.product(*map(_cells, branch.values())):
                yield Point(number, units)

    def point(self, units: Sequence[float] | np.ndarray) -> Point:
        """Return the point that `n_coordinates` numbers in [0, 1] stand for."""
        units = [float(u) for u in units]
        if len(self.branches) == 1:
            return Point(0, tuple(units[: len(self.branches[0])]))
        number = min(int(units[0] * len(self.branches)), len(self.branches) - 1)
        return Point(number, tuple(units[1 : 1 + len(self.branches[number])]))

    def snap(self, point: Point) -> Point:
        """Return the point of the candidate that would be evaluated."""
        dimensions = self.branches[point.branch].values()
        units = (d.encode(d.decode(u)) for d, u in zip(dimensions, point.units, strict=True))
        return Point(point.branch, tuple(units))

    def decode(self, point: Point) -> Params:
        """Return the candidate at a point."""
        items = self.branches[point.branch].items()
        return {name: d.decode(u) for (name, d), u in zip(items, point.units, strict=True)}

    def encode(self, params: Params) -> Point:
        """Return the point of a candidate.

        Raises
        ------
        ValueError
            If the candidate lies in no branch of the space.
        """
        reasons = []
        for number, branch in enumerate(self.branches):
            try:
                return Point(number, _units(branch, params))
            except ValueError as error:
                reasons.append(str(error))
        raise ValueError(f"{params!r} is not in the space: {' '.join(dict.fromkeys(reasons))}")

    def own(self, params: Params) -> Params:
        """Return a candidate in the user's own values: listed ones as listed, numbers as given.

        Going through coordinates would change the last bits of a real number.
        """
        point = self.encode(params)
        items = self.branches[point.branch].items()
        return {
            name: params[name] if dimension.levels is None else dimension.decode(unit)
            for (name, dimension), unit in zip(items, point.units, strict=True)
        }

    def spell(self, params: Params) -> Any:
        """Write a candidate so that JSON can take it and `read` finds it again, bit for bit."""
        point = self.encode(params)
        items = self.branches[point.branch].items()
        units = zip(items, point.units, strict=True)
        return [
            point.branch,
            [_plain(params[n]) if d.levels is None else u for (n, d), u in units],
        ]

    def read(self, spelled: Any) -> Params:
        """Return the candidate that `spell` wrote."""
        number, values = spelled
        items = zip(self.branches[number].items(), values, strict=True)
        return {name: v if d.levels is None else d.decode(v) for (name, d), v in items}

    def allows(self, point: Point) -> bool:
        """Whether the constraint accepts the candidate at a point."""
        return self.constraint is None or admits(self.constraint, self.decode(point))

    def __repr__(self) -> str:
        inner = self.branches[0] if len(self.branches) == 1 else self.branches
        return f"Space({inner!r})"


def admits(constraint: Constraint, params: Params) -> bool:
    """Whether a constraint accepts a candidate, of which it gets a copy.

    Raises
    ------
    ValueError
        If the constraint fails; it names the candidate.
    """
    try:
        return bool(constraint(dict(params)))
    except Exception as error:
        hint = ""
        if isinstance(error, KeyError):
            hint = " A candidate holds what its own dict of the space names: use params.get(...)."
        told = type(error).__name__ + (f": {error}" if str(error) else "")
        raise ValueError(
            f"constraint: it raised {told}, when given {params!r}. It must return True or False "
            f"for every candidate of the space.{hint}"
        ) from error


def dimension_of(name: str, given: Any) -> Dimension:
    """Read one parameter of a space as users write it; see `Space.of`."""
    where = f"Parameter {name!r}"
    if isinstance(given, Dimension):
        return given
    try:
        if hasattr(given, "rvs"):
            return Frozen(given)
        if isinstance(given, tuple) and _is_range(given):
            return _range(given)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {error}") from None
    if isinstance(given, np.ndarray) and given.ndim != 1:
        raise ValueError(f"{where}: values must be one-dimensional, got shape {given.shape}.")
    if isinstance(given, (str, bytes)) or not isinstance(given, (Sequence, np.ndarray)):
        raise TypeError(
            f"{where}: {given!r} is neither a list of values, a range (low, high), nor a "
            f"distribution. A single value is written [{given!r}]."
        )
    given = list(given)
    if not given:
        raise ValueError(f"{where}: the list of values is empty.")
    # Two numbers have no order to learn from, and 1 and 1.0 side by side are two values.
    is_numeric = all(map(is_number, given))
    ordered = is_numeric and len({(type(v), v) for v in given}) == len(set(given)) >= 3
    return Ordinal(given) if ordered else Categorical(given)


def _branch(given: Any) -> dict[str, Dimension]:
    if not isinstance(given, Mapping):
        advice = "A range stands for its parameter in a dict: {'x': (0.0, 1.0)}."
        if isinstance(given, tuple) and any(isinstance(part, Mapping) for part in given):
            advice = "Write its dict alone: all dicts of a list share one budget, n_iter."
        raise TypeError(
            f"A space is a dict or a list of dicts, got {given!r} in the list. {advice}"
        )
    for name in given:
        if not isinstance(name, str):
            raise TypeError(f"Parameter names are strings, got {name!r}.")
    for name, values in given.items():
        if isinstance(values, list) and _is_range(values) and values[2:] and values[2] in PRIORS:
            raise ValueError(
                f"Parameter {name!r}: {values!r} is a list, and so three values. A range is a "
                f"tuple: {tuple(values)!r}."
            )
    return {name: dimension_of(name, value) for name, value in given.items()}


def _is_range(given: Sequence[Any]) -> bool:
    # NaN counts as an end here, so that it is refused as a bad range and not taken as a value.
    numbers = [
        isinstance(v, (float, int, np.number)) and not isinstance(v, bool) for v in given[:2]
    ]
    return (
        len(numbers) == 2
        and all(numbers)
        and (len(given) == 2 or (len(given) == 3 and isinstance(given[2], str)))
    )


def _range(given: tuple[Any, ...]) -> Dimension:
    low, high, prior = (*given, "uniform")[:3]
    if prior not in PRIORS:
        raise ValueError(f"{given!r}: the prior must be one of {PRIORS}, got {prior!r}.")
    whole = isinstance(low, (int, np.integer)) and isinstance(high, (int, np.integer))
    return (Integer if whole else Real)(low, high, log=prior == "log-uniform")


def _cells(dimension: Dimension) -> list[float]:
    if isinstance(dimension, Ordinal):
        return list(dict.fromkeys(map(dimension.encode, dimension)))
    return [dimension.cell(level) for level in range(dimension.levels or 0)]


def _plain(value: Any) -> Any:
    """A number as Python's own, which JSON can take."""
    if not is_number(value):
        return value
    return int(value) if isinstance(value, Integral) else float(value)


def _units(branch: dict[str, Dimension], params: Params) -> tuple[float, ...]:
    if branch.keys() != params.keys():
        raise ValueError(f"A branch has the parameters {sorted(branch)}.")
    units = []
    for name, dimension in branch.items():
        try:
            units.append(dimension.encode(params[name]))
        except ValueError as error:
            raise ValueError(f"Parameter {name!r}: {error}") from None
    return tuple(units)
