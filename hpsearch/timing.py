"""How long candidates take: a model of their seconds, fitted to those that are done.

log(seconds) is a linear function of the parameters (ridge regression). A parameter whose values
are all numbers is one feature, on a logarithmic scale if they are positive and span a decade;
others have a feature for each value. What a candidate lacks lies in the middle.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.brief import typed_value
from hpsearch.dimensions import is_number
from hpsearch.trial import Params, Trial

Array = NDArray[np.float64]
LEAST = 1e-6  # seconds; less cannot be told from nothing
PENALTY = 0.1  # in observations
MOST_BEYOND = 10  # times the longest, and a part of the shortest, of those that are done
STRETCH = 0.25  # of the range that was seen: beyond it a line from few candidates tells nothing
MAX_FITTED = 500  # candidates; more do not change the line, and cost time


def cost_of(trial: Trial) -> float:
    """Seconds that a trial took so far, summed over its splits."""
    return math.fsum(result.seconds for result in trial.results)


class TimeModel:
    """Seconds of a candidate by its parameters.

    Parameters
    ----------
    params : sequence of dict
        Candidates that are done.
    seconds : sequence of float
        What each of them took.
    """

    def __init__(self, params: Sequence[Params], seconds: Sequence[float]) -> None:
        step = max(1, len(params) // MAX_FITTED)
        params, spent = params[::step], np.maximum(seconds[::step], LEAST)
        self._columns = _columns(params)
        X, y = self._features(params), np.log(spent)
        self._means, self._mean = X.mean(axis=0), float(y.mean())
        X, y = X - self._means, y - self._mean
        gram = X.T @ X + PENALTY * np.eye(X.shape[1])
        self._slopes = np.linalg.solve(gram, X.T @ y)
        self._range = (math.log(spent.min() / MOST_BEYOND), math.log(spent.max() * MOST_BEYOND))
        # The mean of a lognormal is more than the exponential of the mean (Duan's smearing, 1983).
        self._smear = 1.0
        self._smear = float(spent.mean() / self.predict(params).mean())

    def predict(self, params: Sequence[Params]) -> Array:
        """Return the seconds that candidates should take, (n,)."""
        X = self._features(params) - self._means
        seconds: Array = np.exp(np.clip(self._mean + X @ self._slopes, *self._range)) * self._smear
        return seconds

    def _features(self, params: Sequence[Params]) -> Array:
        return np.array([[f for c in self._columns for f in c(p)] for p in params]).reshape(
            len(params), -1
        )


def _columns(params: Sequence[Params]) -> list[_Column]:
    names = dict.fromkeys(name for p in params for name in p)
    return [_Column(name, [p[name] for p in params if name in p]) for name in names]


class _Column:
    """One parameter as features of unit size."""

    def __init__(self, name: str, values: Sequence[Any]) -> None:
        self._name = name
        self._levels = list(dict.fromkeys(map(typed_value, values)))
        self._is_numeric = all(map(_is_finite, values))
        if self._is_numeric:
            low, high = min(values), max(values)
            self._log = low > 0 and high >= 10 * low
            self._low, high = self._place(low), self._place(high)
            self._width = (high - self._low) or 1.0

    def __call__(self, params: Mapping[str, Any]) -> list[float]:
        if self._is_numeric:
            value = params.get(self._name)
            if not _is_finite(value) or (self._log and value <= 0):  # type: ignore[operator]
                return [0.5]
            at = (self._place(value) - self._low) / self._width
            return [min(max(at, -STRETCH), 1 + STRETCH)]
        label = typed_value(params.get(self._name))
        return [float(label == level) for level in self._levels]

    def _place(self, value: Any) -> float:
        return math.log(value) if self._log else float(value)


def _is_finite(value: Any) -> bool:
    return is_number(value) and math.isfinite(value)
