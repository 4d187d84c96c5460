"""Frozen distributions of scipy.stats as dimensions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hpsearch.dimensions.base import clip, number_in

TAIL = 1e-9  # probability left out at each end of a distribution without an end


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
        number = number_in(value, self)
        is_inside = math.isfinite(number) and self.low <= number <= self.high
        if not is_inside or (self.discrete and not number.is_integer()):
            raise ValueError(f"{value!r} is not in {self!r}.")
        at = float(self.distribution.cdf(number))
        if self.discrete:
            at = (float(self.distribution.cdf(number - 1)) + at) / 2
        return clip(at)

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
