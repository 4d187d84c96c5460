"""Ranges of numbers, on a linear or a logarithmic scale."""

from __future__ import annotations

import math
from numbers import Integral
from numbers import Real as RealNumber
from typing import Any, Protocol

import numpy as np

from hpsearch.dimensions.base import Dimension, clip, number_in
from hpsearch.keywords import TellsOfKeywords

MAX_INTEGER_LEVELS = 2**40  # beyond it float64 coordinates no longer tell neighbours apart


class _Numeric(Dimension, Protocol):
    """What ranges have in common; `rvs` is for scikit-learn's ParameterSampler."""

    low: Any
    high: Any
    log: bool

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

    def __repr__(self) -> str:
        log = ", log=True" if self.log else ""
        return f"{type(self).__name__}({self.low!r}, {self.high!r}{log})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), self.low, self.high, self.log))


class Real(TellsOfKeywords, _Numeric):
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
        _check_ends(f"Real({low!r}, {high!r}, log={log!r})", low, high, log)
        self.low, self.high, self.log = float(low), float(high), log

    def encode(self, value: Any) -> float:
        number = number_in(value, self)
        if not self.low <= number <= self.high:
            raise ValueError(f"{value!r} is not in {self!r}.")
        if self.log:
            start, end = math.log(self.low), math.log(self.high)
            return clip((math.log(number) - start) / (end - start))
        # Halves, since high - low may overflow.
        return clip((number / 2 - self.low / 2) / (self.high / 2 - self.low / 2))

    def decode(self, unit: float) -> float:
        if self.log:
            start, end = math.log(self.low), math.log(self.high)
            value = math.exp(start * (1 - unit) + end * unit)
        else:
            value = self.low * (1 - unit) + self.high * unit
        return min(max(value, self.low), self.high)

    def cell(self, level: int) -> float:
        raise TypeError(f"{self!r} has no levels.")


class Integer(TellsOfKeywords, _Numeric):
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
        If the ends are not in order, not positive with `log=True`, or 2**40 or more apart.

    Examples
    --------
    >>> from hpsearch import Integer
    >>> trees = Integer(1, 4096, log=True)
    >>> trees.decode(0.0), trees.decode(1.0)
    (1, 4096)
    """

    ordered = True

    def __init__(self, low: int, high: int, log: bool = False) -> None:
        label = f"Integer({low!r}, {high!r}, log={log!r})"
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
        number = number_in(value, self)
        if not number.is_integer() or not self.low <= number <= self.high:
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
        return clip((middle - start) / (end - start))


def _check_ends(label: str, low: Any, high: Any, log: bool) -> None:
    for end in (low, high):
        if not isinstance(end, RealNumber) or isinstance(end, (bool, np.bool_)):
            raise TypeError(f"{label}: {end!r} is not a number.")
        if not math.isfinite(end):
            raise ValueError(f"{label}: both ends must be finite.")
    if not isinstance(log, (bool, np.bool_)):
        raise TypeError(
            f"{label}: log is True or False. A range has no other prior, and no step: list values."
        )
    if not low < high:
        raise ValueError(f"{label}: low must be less than high; list a single value as [{low!r}].")
    if log and low <= 0:
        raise ValueError(f"{label}: a logarithmic range must start above 0.")
