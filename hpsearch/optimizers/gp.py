"""Bayesian optimisation with a Gaussian process.

An ask standardises the scores, fits the process (`_gaussian`), and takes the point of greatest
expected improvement (`_acquisition`) that was not asked before. Points still pending are believed
to come out as predicted (the kriging believer of Ginsbourger, Le Riche & Carraro, 2010): the mean
stays as it is, and the variance around them shrinks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hpsearch.optimizers._acquisition import Acquisition, Ranked, maximise
from hpsearch.optimizers._blas import one_thread
from hpsearch.optimizers._columns import Array, Columns, Table
from hpsearch.optimizers._gaussian import (
    Posterior,
    default_theta,
    fit,
    log_expected_improvement,
    log_expected_improvement_slopes,
)
from hpsearch.optimizers.base import AbstractOptimizer, History, draw_unseen
from hpsearch.optimizers.plain import SobolOptimizer
from hpsearch.space import Point

N_START = 5  # points before the model is asked
MIN_SCORES = 3  # finite scores that a model needs
MAX_SCORES = 300  # scores that a model takes: its time grows with their cube
MAX_POINTS = 5_000  # a finite space up to this size is searched through
TAIL = 5.0  # worst score kept, in distances from the best to the median, below the median
N_NEAR = 5  # best points around which to look


class GPOptimizer(AbstractOptimizer):
    """Bayesian optimisation: the point of greatest expected improvement under a Gaussian process.

    The best choice up to some hundreds of evaluations. The first few points are a Sobol sequence.

    Parameters
    ----------
    space : dict, list of dict, or Space
        See `Space.of`.
    random_state : int, RandomState, Generator or None, default=None
        The seed.
    initial_params : sequence of dict, default=()
        Candidates to ask before any other.

    Notes
    -----
    The covariance is a Matern function (nu = 5/2) with a length scale for each parameter [1]_, a
    lognormal prior on it that is fit for many dimensions [2]_, and the Hamming distance for
    parameters without an order. Expected improvement is maximised on the log scale [3]_, with
    analytic gradients. Failed candidates count as the worst score seen; very bad scores are clipped
    before they are standardised. Beyond 300 scores the model takes the best, the latest, and some
    at random.

    References
    ----------
    .. [1] Rasmussen & Williams, Gaussian Processes for Machine Learning, 2006.
    .. [2] Hvarfner, Hellsten & Nardi, Vanilla Bayesian Optimization Performs Great in High
       Dimensions, 2024.
    .. [3] Ament et al., Unexpected Improvements to Expected Improvement for Bayesian Optimization,
       2023.

    Examples
    --------
    >>> from hpsearch.optimizers import GPOptimizer
    >>> optimizer = GPOptimizer({"x": (-5.0, 10.0)}, random_state=0)
    >>> for _ in range(15):
    ...     params = optimizer.ask()
    ...     optimizer.tell(params, -((params["x"] - 3) ** 2))
    >>> bool(abs(optimizer.ask()["x"] - 3) < 0.1)
    True
    """

    @cached_property
    def _table(self) -> Table:
        return Table(Columns(self.space))

    @cached_property
    def _fitted(self) -> dict[bytes, Array]:
        return {}

    @cached_property
    def _finite(self) -> FiniteSpace:
        return FiniteSpace.of(self._table.columns)

    def propose(self, history: History, rng: np.random.Generator) -> Point:
        n_finite = np.count_nonzero(np.isfinite(history.scores))
        if len(history) < N_START or n_finite < MIN_SCORES or not len(self._table.columns):
            return SobolOptimizer(self.space, self.seed).propose(history, rng)
        try:
            with one_thread():
                ranked = self._ranked(history, rng)
        except np.linalg.LinAlgError:
            return draw_unseen(self.space, history, rng)
        point = self._table.first_new(ranked.rows, history)
        return draw_unseen(self.space, history, rng) if point is None else point

    def _ranked(self, history: History, rng: np.random.Generator) -> Ranked:
        columns = self._table.columns
        rows, told = self._table.rows(history), np.array(history.told)
        data = Scored(rows[told], np.array(history.scores)[told])
        pending = rows[~told][-MAX_SCORES:]
        model = Model.of(columns, data.thinned(self.seed), self._theta(data), pending)
        if self.space.is_enumerable(MAX_POINTS):
            left = self._finite.left(history)
            return Ranked.of(left, model.value(left))
        return maximise(
            Acquisition(model.value, model.with_slopes), columns, self._allowed, model.near, rng
        )

    def _theta(self, data: Scored) -> Array:
        """Return hyperparameters for the data, learnt when last their number had grown by a tenth.

        They are a function of the data alone, never of an earlier fit, so that a resumed search
        finds the same.
        """
        n = len(data.scores)
        first = data.first(n - n % max(n // 10, 1)).thinned(self.seed)
        key = first.rows.tobytes() + first.scores.tobytes()
        if key not in self._fitted:
            self._fitted.clear()
            self._fitted[key] = first.theta(self._table.columns)
        return self._fitted[key]

    def _allowed(self, rows: Array) -> Array:
        if self.space.constraint is None:
            return rows
        point = self._table.columns.point
        allowed: Array = rows[np.array([self.space.allows(point(row)) for row in rows], dtype=bool)]
        return allowed


@dataclass(frozen=True, eq=False)
class Scored:
    """Rows, (n, c), and what was told of them, (n,); NaN says that it failed."""

    rows: Array
    scores: Array

    def first(self, n: int) -> Scored:
        return Scored(self.rows[:n], self.scores[:n])

    def thinned(self, seed: int) -> Scored:
        """Return at most MAX_SCORES of them: a third each the best, the latest, and any others."""
        n, third = len(self.scores), MAX_SCORES // 3
        if n <= MAX_SCORES:
            return self
        kept = np.zeros(n, dtype=bool)
        kept[np.argsort(-self.scores, kind="stable")[:third]] = True  # NaN comes last
        kept[-third:] = True
        others = np.flatnonzero(~kept)
        # Drawn by an order that does not change as scores come in, lest the model jump about.
        lottery = np.random.default_rng([seed]).random(n)[others]
        kept[others[np.argsort(lottery)[: MAX_SCORES - np.count_nonzero(kept)]]] = True
        return Scored(self.rows[kept], self.scores[kept])

    def theta(self, columns: Columns) -> Array:
        """Return the hyperparameters that these scores suggest."""
        y = standardised(self.scores)
        if not y.any():
            return default_theta(len(columns))
        return fit(columns.features(self.rows), columns.group, y)


@dataclass(frozen=True, eq=False)
class Model:
    """A posterior over rows, and the improvement to be expected."""

    columns: Columns
    posterior: Posterior
    best: float  # the greatest posterior mean at a point told
    near: Array  # the rows of the greatest posterior means

    @classmethod
    def of(cls, columns: Columns, data: Scored, theta: Array, pending: Array) -> Model:
        X, y = columns.features(data.rows), standardised(data.scores)
        posterior = Posterior.of(X, columns.group, y, theta)
        mean, _ = posterior(X)
        near = data.rows[np.argsort(-mean, kind="stable")[:N_NEAR]]
        if len(pending):
            believed = columns.features(pending)
            y = np.append(y, posterior(believed)[0])
            posterior = Posterior.of(np.vstack([X, believed]), columns.group, y, theta)
        return cls(columns, posterior, float(mean.max()), near)

    def value(self, rows: Array) -> Array:
        """Return log expected improvement, (m,)."""
        mean, variance = self.posterior(self.columns.features(rows))
        return log_expected_improvement(mean, variance, self.best)

    def with_slopes(self, rows: Array) -> tuple[Array, Array]:
        """Return log expected improvement, and its gradient by ordered columns, (m, c)."""
        x = self.columns.features(rows)
        mean, variance, mean_slopes, variance_slopes = self.posterior.with_slopes(x)
        value, by_mean, by_variance = log_expected_improvement_slopes(mean, variance, self.best)
        by_feature = by_mean[:, None] * mean_slopes + by_variance[:, None] * variance_slopes
        slopes = np.zeros(rows.shape)
        ordered = self.columns.ordered
        slopes[:, ordered] = by_feature[:, ordered[self.columns.group]]
        return value, slopes


@dataclass(frozen=True, eq=False)
class FiniteSpace:
    """All allowed points of a finite space, and their rows."""

    points: list[Point]
    rows: Array

    @classmethod
    def of(cls, columns: Columns) -> FiniteSpace:
        points = [p for p in columns.space.points() if columns.space.allows(p)]
        return cls(points, columns.rows(points))

    def left(self, history: History) -> Array:
        """Return the rows of points that are not in the history."""
        rows: Array = self.rows[np.array([p not in history for p in self.points], dtype=bool)]
        return rows


def standardised(scores: Array) -> Array:
    """Return scores of mean 0 and variance 1; failures as the worst, and the worst not too bad.

    Scores whose distance below the median is more than TAIL times that of the best above it are
    clipped: a few exploding losses would otherwise make all the others equal. Where the median
    is itself the best, the lower quartile takes its part.
    """
    finite = scores[np.isfinite(scores)]
    unit = np.abs(finite).max(initial=0.0)
    if unit == 0:
        return np.zeros(len(scores))
    finite, y = finite / unit, scores / unit  # no overflow in what follows
    low, median, high = np.quantile(finite, [0.25, 0.5, 1.0])
    if median < high:
        floor = median - TAIL * (high - median)
    else:
        floor = low - 3 * (high - low) if low < high else -np.inf
    y = np.maximum(np.where(np.isfinite(y), y, finite.min()), floor)
    y = y - y.mean()
    spread = y.std()
    return y / spread if spread > 0 else np.zeros(len(y))
