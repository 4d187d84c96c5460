"""Dimensions of a search space: one parameter's values, to the unit interval and back.

A dimension cuts [0, 1] into cells, one a value (a continuous one has no cells). `encode` returns
the centre of a value's cell, so that equal values meet in one coordinate; `decode` takes any
coordinate of the cell back to the value, the user's own object where values were listed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from numbers import Integral
from numbers import Real as RealNumber
from typing import Any, Protocol, overload, runtime_checkable

import numpy as np

MAX_INTEGER_LEVELS = 2**40  # beyond it float64 coordinates no longer tell neighbours apart
TAIL = 1e-9  # probability left out at each end of a distribution without an end


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


class _Numeric(Dimension, Protocol):
    """Draws for scikit-learn's ParameterSampler, from `decode`."""

    def rvs(self, size: int | tuple[int, ...] | None = None, random_state: Any = None) -> Any:
        """Draw values, as a frozen distribution of scipy.stats does.

        Parameters
        ----------
        size : int, tuple of int or None, default=None
            None for one value, else the shape of an array of values.
        random_state : int, RandomState, Generator or None, default=None
            Where the draws come from.

        Returns
        -------
        values : object or ndarray
            One value, or as many as asked for.

        Examples
        --------
        >>> from hpsearch import Integer
        >>> Integer(1, 9).rvs(size=4, random_state=0)
        array([6, 3, 1, 1])
        """
        if random_state is None or isinstance(random_state, Integral):
            random_state = np.random.default_rng(
                None if random_state is None else int(random_state)
            )
        if size is None:
            return self.decode(float(random_state.uniform()))
        units = np.asarray(random_state.uniform(size=size))
        return np.array([self.decode(u) for u in units.ravel()]).reshape(units.shape)


class Real(_Numeric):
    """The real numbers from `low` to `high`.

    Parameters
    ----------
    low, high : float
        Both ends belong to the range.
    log : bool, default=False
        Whether the range is to be searched on a logarithmic scale.

    Raises
    ------
    TypeError
        If an end is not a number.
    ValueError
        If the ends are not finite, not in order, or not positive with `log=True`.

    Examples
    --------
    >>> from hpsearch import Real
    >>> Real(1e-3, 1e3, log=True).decode(0.5)
    1.0
    """

    levels: int | None = None
    ordered = True

    def __init__(self, low: float, high: float, log: bool = False) -> None:
        _check_ends(f"Real({low!r}, {high!r}, log={log})", low, high, log)
        self.low, self.high, self.log = float(low), float(high), log

    def encode(self, value: Any) -> float:
        number = _number(value, self)
        if not self.low <= number <= self.high:
            raise ValueError(f"{value!r} is not in {self!r}.")
        if self.log:
            start, end = math.log(self.low), math.log(self.high)
            return _clip((math.log(number) - start) / (end - start))
        # Halves, since high - low may overflow.
        return _clip((number / 2 - self.low / 2) / (self.high / 2 - self.low / 2))

    def decode(self, unit: float) -> float:
        if self.log:
            start, end = math.log(self.low), math.log(self.high)
            value = math.exp(start * (1 - unit) + end * unit)
        else:
            value = self.low * (1 - unit) + self.high * unit
        return min(max(value, self.low), self.high)

    def cell(self, level: int) -> float:
        raise TypeError(f"{self!r} has no levels.")

    def __repr__(self) -> str:
        return f"Real({self.low!r}, {self.high!r}{', log=True' if self.log else ''})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), self.low, self.high, self.log))


class Integer(_Numeric):
    """The integers from `low` to `high`, both included.

    Parameters
    ----------
    low, high : int
        Both ends belong to the range.
    log : bool, default=False
        Whether the range is to be searched on a logarithmic scale.

    Raises
    ------
    TypeError
        If an end is not an integer.
    ValueError
        If the ends are not in order, not positive with `log=True`, or more than 2**40 apart.

    Examples
    --------
    >>> from hpsearch import Integer
    >>> trees = Integer(1, 4096, log=True)
    >>> trees.decode(0.0), trees.decode(1.0)
    (1, 4096)
    """

    ordered = True

    def __init__(self, low: int, high: int, log: bool = False) -> None:
        label = f"Integer({low!r}, {high!r}, log={log})"
        for end in (low, high):
            if isinstance(end, RealNumber) and not isinstance(end, Integral):
                raise TypeError(f"{label}: {end!r} is not an integer; use Real for real numbers.")
        _check_ends(label, low, high, log)
        if high - low >= MAX_INTEGER_LEVELS:
            raise ValueError(f"{label}: more than 2**40 values; use Real and round in a wrapper.")
        self.low, self.high, self.log = int(low), int(high), log

    @property
    def levels(self) -> int | None:
        return self.high - self.low + 1

    def encode(self, value: Any) -> float:
        number = _number(value, self)
        if number != math.floor(number) or not self.low <= number <= self.high:
            raise ValueError(f"{value!r} is not in {self!r}.")
        return self.cell(int(number) - self.low)

    def decode(self, unit: float) -> int:
        if self.log:
            start, end = math.log(self.low - 0.5), math.log(self.high + 0.5)
            value = round(math.exp(start * (1 - unit) + end * unit))
        else:
            value = self.low + math.floor(unit * (self.high - self.low + 1))
        return min(max(value, self.low), self.high)

    def cell(self, level: int) -> float:
        if not self.log:
            return (level + 0.5) / (self.high - self.low + 1)
        # The middle, on the logarithmic scale, of the half steps below and above the value.
        start, end = math.log(self.low - 0.5), math.log(self.high + 0.5)
        value = self.low + level
        middle = (math.log(value - 0.5) + math.log(value + 0.5)) / 2
        return _clip((middle - start) / (end - start))

    def __repr__(self) -> str:
        return f"Integer({self.low}, {self.high}{', log=True' if self.log else ''})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), self.low, self.high, self.log))


class _Values(Sequence[Any]):
    """Listed values: what `Categorical` and `Ordinal` share. A sequence, as a list is."""

    def __init__(self, values: Sequence[Any]) -> None:
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
        if not all(_is_number(value) for value in self.values):
            raise TypeError(f"Ordinal({self.values!r}): every value must be a number.")
        return sorted(self.values)


class Frozen:
    """A frozen distribution of scipy.stats; its quantiles are the coordinates.

    Parameters
    ----------
    distribution : frozen distribution
        Anything with `cdf`, `ppf` and `rvs`.

    Raises
    ------
    TypeError
        If one of the three is missing.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from hpsearch.dimensions import Frozen
    >>> float(round(Frozen(loguniform(0.01, 100)).decode(0.5), 6))
    1.0
    """

    ordered = True

    def __init__(self, distribution: Any) -> None:
        missing = [n for n in ("cdf", "ppf", "rvs") if not hasattr(distribution, n)]
        if missing:
            raise TypeError(
                f"{distribution!r} has no {' and no '.join(missing)}: a model-based search needs "
                "them. Give a frozen distribution of scipy.stats, Real, Integer or a list."
            )
        self.distribution = distribution
        low, high = (
            distribution.support() if hasattr(distribution, "support") else (-np.inf, np.inf)
        )
        self.low, self.high = float(low), float(high)
        self.discrete = hasattr(distribution, "pmf")

    @property
    def levels(self) -> int | None:
        if not self.discrete or not math.isfinite(self.high - self.low):
            return None
        return int(self.high - self.low) + 1

    def encode(self, value: Any) -> float:
        number = _number(value, self)
        whole = number == math.floor(number)
        if not self.low <= number <= self.high or (self.discrete and not whole):
            raise ValueError(f"{value!r} is not in {self!r}.")
        at = float(self.distribution.cdf(number))
        if self.discrete:
            at = (float(self.distribution.cdf(number - 1)) + at) / 2
        return _clip(at)

    def decode(self, unit: float) -> float | int:
        value = float(self.distribution.ppf(min(max(unit, TAIL), 1 - TAIL)))
        value = min(max(value, self.low), self.high)
        return int(value) if self.discrete else value

    def cell(self, level: int) -> float:
        return self.encode(self.low + level)

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        """Draw from the distribution."""
        given = {} if size is None else {"size": size}
        return self.distribution.rvs(random_state=random_state, **given)

    def __repr__(self) -> str:
        dist = getattr(self.distribution, "dist", None)
        if dist is None:
            return repr(self.distribution)
        given = [*map(repr, self.distribution.args)]
        given += [f"{k}={v!r}" for k, v in self.distribution.kwds.items()]
        return f"{dist.name}({', '.join(given)})"


def _check_ends(label: str, low: Any, high: Any, log: bool) -> None:
    for end in (low, high):
        if not isinstance(end, RealNumber) or isinstance(end, (bool, np.bool_)):
            raise TypeError(f"{label}: {end!r} is not a number.")
        if not math.isfinite(end):
            raise ValueError(f"{label}: both ends must be finite.")
    if not low < high:
        raise ValueError(f"{label}: low must be less than high; list a single value as [{low!r}].")
    if log and low <= 0:
        raise ValueError(f"{label}: a logarithmic range must start above 0.")


def _is_number(value: Any) -> bool:
    is_bool = isinstance(value, (bool, np.bool_))
    return isinstance(value, RealNumber) and not is_bool and not math.isnan(value)


def _number(value: Any, dimension: object) -> float:
    if not _is_number(value):
        raise ValueError(f"{value!r} is not in {dimension!r}.")
    return float(value)


def _alike(a: Any, b: Any) -> bool:
    """Whether two numbers are equal, or two strings, of whatever types (numpy has its own)."""
    same_kind = (_is_number(a) and _is_number(b)) or (isinstance(a, str) and isinstance(b, str))
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


def _clip(unit: float) -> float:
    return min(max(unit, 0.0), 1.0)
