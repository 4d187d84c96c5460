"""Bayesian optimisation with a Gaussian process.

An ask standardises the scores, fits the process (`_gaussian`), and takes the point of greatest
expected improvement (`_acquisition`) that was not asked before. Points still pending are believed
to come out as the process expects (Ginsbourger, Le Riche & Carraro, 2010).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from hpsearch.optimizers._acquisition import Acquisition, Ranked, evolve, refine, variations
from hpsearch.optimizers._blas import one_thread
from hpsearch.optimizers._columns import Array, Columns, Table
from hpsearch.optimizers._earlier import LearningOptimizer
from hpsearch.optimizers._evidence import Evidence, Hint, Scored
from hpsearch.optimizers._gaussian import Posterior, shortened
from hpsearch.optimizers._improvement import log_expected_improvement
from hpsearch.optimizers._price import Price
from hpsearch.optimizers.base import draw_unseen
from hpsearch.optimizers.history import History
from hpsearch.optimizers.plain import SobolOptimizer
from hpsearch.space import Point, Space
from hpsearch.trial import Params

N_START = 5  # points before the model is asked
MIN_SCORES = 3  # finite scores that a model needs
MAX_SCORES = 300  # scores that a model takes: its time grows with their cube
MAX_FITTED = 150  # scores that its hyperparameters are learnt from, some twenty models in a row
MAX_POINTS = 5_000  # a finite space up to this size is searched through
N_NEAR = 5  # best points around which to look
LITTLE = 0.03  # improvement, in standard deviations of the scores, below which a model is doubted
MAX_DOUBTS = 4  # how often its length scales are shortened then
TRUSTING, NEARBY, ANYWHERE = range(3)  # what an ask in turn does about a model to be doubted
FEW = 3  # parameters: with no more, all points are near a good one


class GPOptimizer(LearningOptimizer):
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
    prior_trials : sequence of (dict, float), default=()
        Candidates of an earlier search, on other data or by another cross-validation, and their
        scores. They say where to look first, in place of the Sobol points, and count for less as
        own scores come in; they are never taken for own scores. Those outside the space are left
        out.
    opening_params : sequence of dict, default=()
        Candidates to ask where a branch of the space is asked for the first time, one a branch.
    cost_aware : bool, default=False
        Whether the improvement to be expected is weighed by the time that it takes [6]_: the costs
        told are learnt by a process of their own.

    Raises
    ------
    ValueError
        If `prior_trials` are given and none lies in the space.

    Notes
    -----
    The covariance is the sum of two: a Matern function (nu = 5/2) of all parameters with a length
    scale for each [1]_, under a lognormal prior that is fit for many dimensions [2]_, and a Matern
    function of each parameter alone [3]_, so that what the score owes to single parameters is
    learnt from few points. What it owes to these, and how much bumpier they are than the rest, is
    learnt as well: a score that is a sum of bumps needs no more points than its parameters one by
    one. Parameters without an order have the Hamming distance. Expected improvement is maximised on
    the log scale [4]_, with analytic gradients; pending candidates are believed to score what the
    process expects [5]_. Failed candidates count as the worst score seen; very bad scores are
    clipped before they are standardised. A model that expects next to no improvement anywhere is
    rather too sure than right: its length scales are then shortened until it expects some [7]_.
    Asks take turns at this: one halves them all, so that a search does not stay on a plateau; one,
    with more than three parameters, takes off each what it is uncertain by and looks at points that
    differ from a good one by one or two coordinates, so that a parameter which all good points have
    at the same value is varied; one goes on refining the best point all the same. Beyond 300 scores
    the model takes the best, the latest, and some at random; its hyperparameters are learnt from
    150.

    References
    ----------
    .. [1] Rasmussen & Williams, Gaussian Processes for Machine Learning, 2006.
    .. [2] Hvarfner, Hellsten & Nardi, Vanilla Bayesian Optimization Performs Great in High
       Dimensions, 2024.
    .. [3] Duvenaud, Nickisch & Rasmussen, Additive Gaussian Processes, 2011.
    .. [4] Ament et al., Unexpected Improvements to Expected Improvement for Bayesian Optimization,
       2023.
    .. [5] Ginsbourger, Le Riche & Carraro, Kriging Is Well-Suited to Parallelize Optimization,
       2010.
    .. [6] Snoek, Larochelle & Adams, Practical Bayesian Optimization of Machine Learning
       Algorithms, 2012.
    .. [7] Berkenkamp, Schoellig & Krause, No-Regret Bayesian Optimization with Unknown
       Hyperparameters, 2019.

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

    def __init__(
        self,
        space: Mapping[str, Any] | Sequence[Mapping[str, Any]] | Space,
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
        initial_params: Sequence[Params] = (),
        prior_trials: Sequence[tuple[Params, float]] = (),
        opening_params: Sequence[Params] = (),
        *,
        cost_aware: bool = False,
    ) -> None:
        super().__init__(space, random_state, initial_params, prior_trials, opening_params)
        self.cost_aware = cost_aware

    @cached_property
    def _table(self) -> Table:
        return Table(Columns(self.space))

    @cached_property
    def _lessons(self) -> dict[bytes, Learnt]:
        return {}

    @cached_property
    def _hint(self) -> Hint | None:
        return Hint.of(self._table.columns, self.earlier, self.seed)

    @cached_property
    def _finite(self) -> FiniteSpace:
        return FiniteSpace.of(self._table.columns)

    def propose(self, history: History, rng: np.random.Generator) -> Point:
        n_hints, n_finite = self.earlier.n_finite, np.count_nonzero(np.isfinite(history.scores))
        is_start = len(history) < N_START and n_hints < MIN_SCORES
        if is_start or n_hints + n_finite < MIN_SCORES or not len(self._table.columns):
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
        rows, told = self._table.rows(history), np.array(history.told, dtype=bool)
        noises = np.nan_to_num(np.array(history.noises)[told])
        data = Scored(rows[told], np.array(history.scores)[told], noises)
        pending = rows[~told][-MAX_SCORES:]
        evidence = Evidence.of(columns, data.thinned(MAX_SCORES, self.seed), self._hint)
        price = Price.of(columns, rows, np.array(history.costs)) if self.cost_aware else None
        learnt = self._learnt(data)
        theta, turn = learnt.theta, self._turn(history, data)
        for doubts in range(MAX_DOUBTS + 1):
            model = Model.of(evidence, theta, pending, price)
            is_nearby = doubts > 0 and turn == NEARBY
            ranked = self._nearby(model, rng) if is_nearby else self._pool(model, history, rng)
            if turn == TRUSTING or model.expects_more(ranked.rows[:1]):
                break
            theta = shortened(theta, learnt.deviations if turn == NEARBY else math.log(2))
        if is_nearby or self.space.is_enumerable(MAX_POINTS):
            return ranked
        acquisition = Acquisition(model.value, model.with_slopes)
        return refine(acquisition, columns, self._allowed, ranked)

    def _pool(self, model: Model, history: History, rng: np.random.Generator) -> Ranked:
        """Return rows ranked by the model's acquisition: all that are left, or an evolved pool."""
        if self.space.is_enumerable(MAX_POINTS):
            left = self._finite.left(history)
            return Ranked.of(left, model.value(left))
        return evolve(model.value, self._table.columns, self._allowed, model.near, rng)

    def _nearby(self, model: Model, rng: np.random.Generator) -> Ranked:
        """Return rows ranked of those that differ from a good one by one or two coordinates."""
        rows = self._allowed(variations(model.near, self._table.columns, rng))
        return Ranked.of(rows, model.value(rows))

    def _turn(self, history: History, data: Scored) -> int:
        """Return what this ask does about a model to be doubted."""
        turn = len(history) % 3
        if last_is_best(data.scores):
            return TRUSTING
        is_small = len(self._table.columns) <= FEW or self.space.is_enumerable(MAX_POINTS)
        return ANYWHERE if turn == NEARBY and is_small else turn

    def _learnt(self, data: Scored) -> Learnt:
        """Return what the data taught when last their number had grown by a tenth.

        It is a function of the data alone, never of an earlier fit, so that a resumed search
        finds the same.
        """
        n = len(data.scores)
        first = data.first(n - n % max(n // 10, 1)).thinned(MAX_FITTED, self.seed)
        key = first.rows.tobytes() + first.scores.tobytes() + first.noises.tobytes()
        if key not in self._lessons:
            self._lessons.clear()
            self._lessons[key] = Learnt(Evidence.of(self._table.columns, first, self._hint))
        return self._lessons[key]

    def _allowed(self, rows: Array) -> Array:
        if self.space.constraint is None:
            return rows
        point = self._table.columns.point
        allowed: Array = rows[np.array([self.space.allows(point(row)) for row in rows], dtype=bool)]
        return allowed


@dataclass(frozen=True, eq=False)
class Learnt:
    """Hyperparameters that evidence suggests, and how far they are known."""

    evidence: Evidence

    @cached_property
    def theta(self) -> Array:
        return self.evidence.theta()

    @cached_property
    def deviations(self) -> Array:
        """The posterior standard deviations of log length scales, (d,)."""
        return self.evidence.deviations(self.theta)


@dataclass(frozen=True, eq=False)
class Model:
    """A posterior over rows, and the improvement to be expected."""

    evidence: Evidence
    posterior: Posterior
    best: float  # the greatest posterior mean at a point asked
    near: Array  # the rows of the greatest posterior means
    price: Price | None = None  # what points cost to evaluate, if that is to count

    @classmethod
    def of(
        cls, evidence: Evidence, theta: Array, pending: Array, price: Price | None = None
    ) -> Model:
        """Return the model of what was told, and of pending rows as it expects them to come out.

        Parameters
        ----------
        evidence : Evidence
            What was told.
        theta : array
            Hyperparameters.
        pending : array of shape (p, c)
            Rows that were asked and not told.
        price : Price or None, default=None
            What evaluations cost, if that is to count.
        """
        X, y, noise, group = evidence.X, evidence.y, evidence.noise, evidence.columns.group
        posterior = Posterior.of(X, group, y, theta, noise)
        alone = cls(evidence, posterior, 0.0, evidence.rows)
        known = (
            evidence.rows
            if evidence.hint is None
            else np.vstack([evidence.rows, evidence.hint.rows])
        )
        near = known[np.argsort(-alone.means(known), kind="stable")[:N_NEAR]]
        if len(pending):
            awaited = evidence.columns.features(pending)
            X, y = np.vstack([X, awaited]), np.append(y, posterior.mean(awaited))
            noise = np.append(noise, np.zeros(len(awaited)))
            posterior = Posterior.of(X, group, y, theta, noise)
        model = cls(evidence, posterior, 0.0, near)
        # What is to be improved upon is this search's own; before the first ask, what is known.
        asked = np.vstack([evidence.rows, pending])
        best = float(model.means(asked if len(asked) else known).max())
        return cls(evidence, posterior, best, near, price)

    def means(self, rows: Array) -> Array:
        """Return the posterior mean, (m,)."""
        means = self.posterior.mean(self.evidence.columns.features(rows))
        return means + self.evidence.prior_mean(rows)

    def expects_more(self, rows: Array) -> bool:
        """Whether the improvement to be expected at one of the rows is more than LITTLE."""
        improvement = log_expected_improvement(*self._predicted(rows), self.best)[0]
        return bool((improvement > math.log(LITTLE)).any())

    def value(self, rows: Array) -> Array:
        """Return log expected improvement, (m,); less the log of the cost, if that counts."""
        value = log_expected_improvement(*self._predicted(rows), self.best)[0]
        return value if self.price is None else value - self.price.log_cost(rows)

    def with_slopes(self, rows: Array) -> tuple[Array, Array]:
        """Return the same, and its gradient by ordered columns, (m, c)."""
        columns = self.evidence.columns
        at = self.posterior.at(columns.features(rows))
        mean = at.mean + self.evidence.prior_mean(rows)
        value, by_mean, by_variance = log_expected_improvement(mean, at.variance, self.best)
        by_feature = at.slopes(by_mean, by_variance)
        by_feature += self.evidence.prior_slopes(rows, by_mean)
        if self.price is not None:
            value = value - self.price.log_cost(rows)
            by_feature -= self.price.slopes(rows)
        slopes = np.zeros(rows.shape)
        slopes[:, columns.ordered] = by_feature[:, columns.ordered[columns.group]]
        return value, slopes

    def _predicted(self, rows: Array) -> tuple[Array, Array]:
        mean, variance = self.posterior(self.evidence.columns.features(rows))
        return mean + self.evidence.prior_mean(rows), variance


def last_is_best(scores: Array) -> bool:
    """Whether the last score, in the order of asking, is greater than all others."""
    before = scores[:-1][np.isfinite(scores[:-1])]
    return len(scores) > 0 and bool(scores[-1] > before.max(initial=-np.inf))


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
