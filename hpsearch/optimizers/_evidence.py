"""What a model learns from: scores as targets, and a hint from an earlier search.

rows, X   points as `_columns` writes them, (n, c), and their features, (n, f)
y         targets, (n,): scores of mean 0 and variance 1, greater is better
m         what the earlier search expects at points: the mean of a process given its scores alone
trust     the factor of m, from 0 to about 1

The process has trust * m as its prior mean. Trust begins at 1 and becomes the slope of own scores
over m as they come in, but never negative: scores that say the contrary are a hint to nothing. Own
scores also outweigh the prior mean wherever they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hpsearch.optimizers._columns import Array, Columns
from hpsearch.optimizers._earlier import Earlier
from hpsearch.optimizers._gaussian import Posterior, default_theta, deviations, fit

MAX_EARLIER = 100  # scores of an earlier search that a model takes
N_TRUSTED = 5  # own scores that count as much as the trust at first
N_PLACED = 10  # own scores that say as much as the earlier search of where their middle is
MOST_NOISE = 1e6  # of a target: it says nothing
TAIL = 5.0  # worst score kept, in distances from the best to the median, below the median


@dataclass(frozen=True, eq=False)
class Scored:
    """Rows, (n, c), what was told of them, (n,); NaN says that it failed; and its variance, (n,).

    The variance is that of scores which were worked out from less than all splits or rows.
    """

    rows: Array
    scores: Array
    noises: Array

    @classmethod
    def of(cls, rows: Array, scores: Array, noises: Array | None = None) -> Scored:
        return cls(rows, scores, np.zeros(len(scores)) if noises is None else noises)

    def first(self, n: int) -> Scored:
        return Scored(self.rows[:n], self.scores[:n], self.noises[:n])

    def thinned(self, most: int, seed: int) -> Scored:
        """Return at most so many of them: a third each the best, the latest, and any others."""
        n, third = len(self.scores), most // 3
        if n <= most:
            return self
        kept = np.zeros(n, dtype=bool)
        kept[np.argsort(-self.scores, kind="stable")[:third]] = True  # NaN comes last
        kept[-third:] = True
        others = np.flatnonzero(~kept)
        # Drawn by an order that does not change as scores come in, lest the model jump about.
        lottery = np.random.default_rng([seed]).random(n)[others]
        kept[others[np.argsort(lottery)[: most - np.count_nonzero(kept)]]] = True
        return Scored(self.rows[kept], self.scores[kept], self.noises[kept])


@dataclass(frozen=True, eq=False)
class Hint:
    """What an earlier search expects."""

    columns: Columns
    rows: Array  # those it has scores of
    posterior: Posterior

    @classmethod
    def of(cls, columns: Columns, earlier: Earlier, seed: int) -> Hint | None:
        """Return the hint, None if there are no scores."""
        if not len(earlier.scores) or not len(columns):
            return None
        scored = Scored.of(columns.rows(earlier.points), earlier.scores)
        scored = scored.thinned(MAX_EARLIER, seed)
        X, y = columns.features(scored.rows), standardised(scored.scores)
        return cls(columns, scored.rows, Posterior.of(X, columns.group, y, theta_of(columns, X, y)))

    def expected(self, rows: Array) -> Array:
        """Return m at rows."""
        return self.posterior(self.columns.features(rows))[0]


@dataclass(frozen=True, eq=False)
class Evidence:
    """Own scores as a model takes them."""

    columns: Columns
    rows: Array
    X: Array
    y: Array  # what is left of the targets when trust * m is taken off
    hint: Hint | None
    trust: float
    noise: Array  # of the targets, (n,)

    @classmethod
    def of(cls, columns: Columns, data: Scored, hint: Hint | None) -> Evidence:
        X, trust = columns.features(data.rows), 1.0
        y, spread = scaled(data.scores)
        with np.errstate(over="ignore", under="ignore"):  # of the largest and smallest scores
            noise = np.minimum(np.square(np.sqrt(data.noises) / spread), MOST_NOISE)
        if hint is not None and len(y):
            m = hint.expected(data.rows)
            # A few scores may all be good ones, or all be alike: the earlier search places them
            # until they are many enough to say themselves where their middle is.
            share = N_PLACED / (N_PLACED + len(y))
            factor = math.sqrt(share * m.var() + 1 - share)
            y, noise = factor * y + share * m.mean(), factor**2 * noise
            change = m - m.mean()
            trust = max(float((N_TRUSTED + change @ y) / (N_TRUSTED + change @ change)), 0.0)
            y = y - trust * m
        return cls(columns, data.rows, X, y, hint, trust, noise)

    def theta(self) -> Array:
        """Return the hyperparameters that these suggest."""
        return theta_of(self.columns, self.X, self.y, self.noise)

    def deviations(self, theta: Array) -> Array:
        """Return how far log length scales of theta, which these suggest, are known, (d,)."""
        return deviations(theta, self.X, self.columns.group, self.y, self.noise)

    def prior_mean(self, rows: Array) -> Array:
        """Return trust * m at rows."""
        return np.zeros(len(rows)) if self.hint is None else self.trust * self.hint.expected(rows)

    def prior_slopes(self, rows: Array, by_mean: Array) -> Array:
        """Return the gradient by features, (m, f), of a function with derivatives by_mean, (m,)."""
        x = self.columns.features(rows)
        if self.hint is None:
            return np.zeros(x.shape)
        return self.hint.posterior.at(x).slopes(self.trust * by_mean, np.zeros(len(x)))


def theta_of(columns: Columns, X: Array, y: Array, noise: Array | float = 0.0) -> Array:
    """Return the hyperparameters that targets suggest; the default if they say nothing."""
    return fit(X, columns.group, y, noise) if y.any() else default_theta(len(columns))


def standardised(scores: Array) -> Array:
    """Return scores of mean 0 and variance 1; see `scaled`."""
    return scaled(scores)[0]


def scaled(scores: Array) -> tuple[Array, float]:
    """Return scores of mean 0 and variance 1, failures as the worst, and what they were divided by.

    Scores whose distance below the median is more than TAIL times that of the best above it are
    clipped: a few exploding losses would otherwise make all the others equal. Where the median
    is itself the best, the lower quartile takes its part.
    """
    finite = scores[np.isfinite(scores)]
    unit = np.abs(finite).max(initial=0.0)
    if unit == 0:
        return np.zeros(len(scores)), 1.0
    finite, y = finite / unit, scores / unit  # no overflow in what follows
    low, median, high = np.quantile(finite, [0.25, 0.5, 1.0])
    if median < high:
        floor = median - TAIL * (high - median)
    else:
        floor = low - 3 * (high - low) if low < high else -np.inf
    y = np.maximum(np.where(np.isfinite(y), y, finite.min()), floor)
    y = y - y.mean()
    spread = float(y.std())
    return (y / spread, spread * unit) if spread > 0 else (np.zeros(len(y)), 1.0)
