"""Bayesian optimisation with tree-structured Parzen estimators.

An ask divides the scores into few good ones and the rest, estimates the density of either, draws
candidates from the good, and takes the one of greatest ratio that was not asked before. Points
still pending belong to the rest, which keeps asks in a row apart.

In a conditional space the columns that the same branches have form a group; each group has
densities of its own, estimated from the points that have it. The first group holds the branch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hpsearch.optimizers._blas import one_thread
from hpsearch.optimizers._columns import Array, Columns, Index, Table
from hpsearch.optimizers._earlier import LearningOptimizer
from hpsearch.optimizers._parzen import Kernels, Parzen
from hpsearch.optimizers.base import draw_unseen
from hpsearch.optimizers.history import History
from hpsearch.optimizers.plain import SobolOptimizer
from hpsearch.space import Point

N_START = 10  # points before the densities are asked
MIN_SCORES = 2  # finite scores that the densities need
GOOD_SHARE, MAX_GOOD = 0.15, 25  # of the scores
TILT = 0.5  # the first of the good ones weighs so much more than 1, the last so much less
N_CANDIDATES = 64
N_FADING = 10  # own scores that weigh as much as those of an earlier search
N_FRESH = 25  # the latest of the rest have full weight, the oldest next to none
MAX_REST = 1_000  # components of the density of the rest


class TPEOptimizer(LearningOptimizer):
    """Bayesian optimisation by the ratio of two densities: that of good points, and of the rest.

    The choice for thousands of evaluations, and for spaces of many branches. The first few points
    are a Sobol sequence.

    Parameters
    ----------
    space : dict, list of dict, or Space
        See `Space.of`.
    random_state : int, RandomState, Generator or None, default=None
        The seed.
    initial_params : sequence of dict, default=()
        Candidates to ask before any other.
    prior_trials : sequence of (dict, float), default=()
        Candidates of an earlier search and their scores: a hint, as in `GPOptimizer`.
    opening_params : sequence of dict, default=()
        Candidates to ask where a branch of the space is asked for the first time, one a branch.

    Raises
    ------
    ValueError
        If `prior_trials` are given and none lies in the space.

    Notes
    -----
    The tree-structured Parzen estimator [1]_ with product kernels over all parameters [2]_.
    Failed candidates belong to the rest. Beyond 1000 scores the density of the rest is estimated
    from a sample of them.

    References
    ----------
    .. [1] Bergstra, Bardenet, Bengio & Kegl, Algorithms for Hyper-Parameter Optimization, 2011.
    .. [2] Falkner, Klein & Hutter, BOHB: Robust and Efficient Hyperparameter Optimization at
       Scale, 2018.

    Examples
    --------
    >>> from hpsearch.optimizers import TPEOptimizer
    >>> optimizer = TPEOptimizer({"x": (-5.0, 10.0)}, random_state=0)
    >>> for _ in range(40):
    ...     params = optimizer.ask()
    ...     optimizer.tell(params, -((params["x"] - 3) ** 2))
    >>> bool(max(optimizer.history.scores) > -0.1)
    True
    """

    @cached_property
    def _table(self) -> Table:
        return Table(Columns(self.space))

    @cached_property
    def _earlier_rows(self) -> Array:
        return self._table.columns.rows(self.earlier.points)

    def propose(self, history: History, rng: np.random.Generator) -> Point:
        columns, scores = self._table.columns, np.array(history.scores)
        n_hints, n_finite = self.earlier.n_finite, int(np.isfinite(scores).sum())
        is_start = len(history) < N_START and n_hints < N_START
        if is_start or n_hints + n_finite < MIN_SCORES or not len(columns):
            return SobolOptimizer(self.space, self.seed).propose(history, rng)
        with one_thread():
            divided = Divided.of(self._table.rows(history), scores, rng)
            if n_hints:
                earlier = Divided.of(self._earlier_rows, self.earlier.scores, rng)
                divided = divided.joined(earlier, N_FADING / (N_FADING + n_finite))
            rows = candidates(columns, divided, rng)
        point = self._table.first_new(rows, history)
        return draw_unseen(self.space, history, rng) if point is None else point


@dataclass(frozen=True, eq=False)
class Divided:
    """The good points and the rest, (k, c), and their weights, (k,)."""

    good: Array
    good_weights: Array
    rest: Array
    rest_weights: Array

    @classmethod
    def of(cls, rows: Array, scores: Array, rng: np.random.Generator) -> Divided:
        """Divide rows, (n, c), by their scores, (n,), NaN for what failed or is pending."""
        n_good = min(math.ceil(GOOD_SHARE * int(np.isfinite(scores).sum())), MAX_GOOD)
        good = np.argsort(-scores, kind="stable")[:n_good]
        good_weights = np.linspace(1 + TILT, 1 - TILT, n_good)
        rest, weights = sample_of_rest(len(scores), good, rng)
        return cls(rows[good], good_weights, rows[rest], weights)

    def joined(self, other: Divided, weight: float) -> Divided:
        """Return these and others, of so much the weight."""
        return Divided(
            np.vstack([self.good, other.good]),
            np.append(self.good_weights, weight * other.good_weights),
            np.vstack([self.rest, other.rest]),
            np.append(self.rest_weights, weight * other.rest_weights),
        )


def candidates(columns: Columns, divided: Divided, rng: np.random.Generator) -> Array:
    """Return rows drawn from the density of the good ones, the most promising first."""
    drawn = np.full((N_CANDIDATES, len(columns)), np.nan)
    ratio = np.zeros(N_CANDIDATES)
    for group in columns.groups:
        kernels = Kernels.of([columns.columns[number] for number in group])
        promising = density(kernels, divided.good[:, group], divided.good_weights)
        common = density(kernels, divided.rest[:, group], divided.rest_weights)
        # The branch is in the first group: from then on it is known which rows have which group.
        takes = np.flatnonzero(columns.active[columns.branches(drawn)][:, group[0]])
        units = promising.draw(len(takes), rng)
        drawn[takes[:, None], group] = units
        ratio[takes] += promising.log_density(units) - common.log_density(units)
    return drawn[np.argsort(-ratio, kind="stable")]


def density(kernels: Kernels, rows: Array, weights: Array) -> Parzen:
    """Return the density of a group, (k, g), from the rows that have it."""
    has = ~np.isnan(rows[:, 0])
    return Parzen.around(kernels, rows[has], weights[has])


def sample_of_rest(n: int, good: Index, rng: np.random.Generator) -> tuple[Index, Array]:
    """Return which of n points are not good, at most MAX_REST, in order, and their weights."""
    is_rest = np.ones(n, dtype=bool)
    is_rest[good] = False
    rest = np.flatnonzero(is_rest)
    weights = np.ones(len(rest))
    n_old = max(len(rest) - N_FRESH, 0)
    weights[:n_old] = np.linspace(1 / max(len(rest), 1), 1, n_old)
    if len(rest) > MAX_REST:
        kept = np.sort(rng.choice(len(rest), MAX_REST, replace=False))
        rest, weights = rest[kept], weights[kept]
    return rest, weights
