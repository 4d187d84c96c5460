"""Bayesian optimisation with a Gaussian process.

An ask standardises the scores, fits the process (`_gaussian`), and takes the point of greatest
expected improvement (`_acquisition`) that was not asked before. What points still pending may come
out as is drawn from the process, several times; improvement is what is to be expected on average
over these versions, beyond the best of each (Snoek, Larochelle & Adams, 2012).
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
    log_mean_improvement,
)
from hpsearch.optimizers.base import AbstractOptimizer, History, draw_unseen
from hpsearch.optimizers.plain import SobolOptimizer
from hpsearch.space import Point

N_START = 5  # points before the model is asked
MIN_SCORES = 3  # finite scores that a model needs
MAX_SCORES = 300  # scores that a model takes: its time grows with their cube
MAX_FITTED = 150  # scores that its hyperparameters are learnt from, some twenty models in a row
MAX_POINTS = 5_000  # a finite space up to this size is searched through
TAIL = 5.0  # worst score kept, in distances from the best to the median, below the median
N_VERSIONS = 16  # of the scores of pending points
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
    The covariance is the sum of two: a Matern function (nu = 5/2) of all parameters with a length
    scale for each [1]_, under a lognormal prior that is fit for many dimensions [2]_, and a Matern
    function of each parameter alone [3]_, so that what the score owes to single parameters is
    learnt from few points. Parameters without an order have the Hamming distance. Expected
    improvement is maximised on the log scale [4]_, with analytic gradients; the scores of pending
    candidates are drawn from the process, and improvement averaged over the draws [5]_. Failed
    candidates count as the worst score seen; very bad scores are clipped before they are
    standardised. Beyond 300 scores the model takes the best, the latest, and some at random; its
    hyperparameters are learnt from 150.

    References
    ----------
    .. [1] Rasmussen & Williams, Gaussian Processes for Machine Learning, 2006.
    .. [2] Hvarfner, Hellsten & Nardi, Vanilla Bayesian Optimization Performs Great in High
       Dimensions, 2024.
    .. [3] Duvenaud, Nickisch & Rasmussen, Additive Gaussian Processes, 2011.
    .. [4] Ament et al., Unexpected Improvements to Expected Improvement for Bayesian Optimization,
       2023.
    .. [5] Snoek, Larochelle & Adams, Practical Bayesian Optimization of Machine Learning
       Algorithms, 2012.

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
        normal = rng.standard_normal((len(pending), N_VERSIONS))
        model = Model.of(
            columns, data.thinned(MAX_SCORES, self.seed), self._theta(data), pending, normal
        )
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
        first = data.first(n - n % max(n // 10, 1)).thinned(MAX_FITTED, self.seed)
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
    best: (
        Array  # the greatest posterior mean at a point asked, for each version of the scores, (s,)
    )
    near: Array  # the rows of the greatest posterior means

    @classmethod
    def of(
        cls, columns: Columns, data: Scored, theta: Array, pending: Array, normal: Array
    ) -> Model:
        """Return the model of what was told, and of what the pending rows may come out as.

        Parameters
        ----------
        columns : Columns
            The space.
        data : Scored
            What was told.
        theta : array
            Hyperparameters.
        pending : array of shape (p, c)
            Rows that were asked and not told.
        normal : array of shape (p, s)
            Standard normal numbers, from which s versions of their scores are drawn.
        """
        X, y = columns.features(data.rows), standardised(data.scores)
        posterior = Posterior.of(X, columns.group, y, theta)
        mean, _ = posterior(X)
        near = data.rows[np.argsort(-mean, kind="stable")[:N_NEAR]]
        versions = y[:, None]
        if len(pending):
            awaited = columns.features(pending)
            drawn = posterior.draw(awaited, normal)
            versions = np.vstack([np.repeat(versions, drawn.shape[1], axis=1), drawn])
            X = np.vstack([X, awaited])
        posterior = Posterior.of(X, columns.group, versions, theta)
        return cls(columns, posterior, posterior(X)[0].max(axis=0), near)

    def value(self, rows: Array) -> Array:
        """Return log expected improvement, (m,)."""
        means, variance = self.posterior(self.columns.features(rows))
        return log_mean_improvement(means, variance, self.best)[0]

    def with_slopes(self, rows: Array) -> tuple[Array, Array]:
        """Return log expected improvement, and its gradient by ordered columns, (m, c)."""
        at = self.posterior.at(self.columns.features(rows))
        value, by_means, by_variance = log_mean_improvement(at.mean, at.variance, self.best)
        slopes, ordered = np.zeros(rows.shape), self.columns.ordered
        by_feature = at.slopes(by_means, by_variance)
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
