"""Scores as the sum of a candidate's level, a split's effect, and a residual.

Y, observed   scores, (n, K), 0 where there is none, and 1 where there is one, 0 elsewhere
m             splits that each candidate ran, (n,), at least 1
weight        of candidates, (n,)

The effects of the splits are the least squares solution given all the scores there are, not only
those of the complete candidates: these are few for long, and are the ones that did well on the
splits that they began with. What is dropped for its scores leaves no bias, as these are in the fit
(missing at random: Rubin, 1976). Splits have another effect on poor candidates than on good ones,
so that those below the better half count for less, the less the further they are below.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MIN_BETTER = 3  # candidates that count in full, once there are so many
N_ROUNDS = 3  # of telling who is better, and then the effects
N_RAW = 2  # residuals that the scores' own variance counts as: a few residuals may be 0 by chance
NEVER = 1e-4  # share of the better ones' spread, of a candidate's distance, below which it is out
ALIKE = 1e-9  # relative: directions of the effects that nothing is known of


@dataclass(frozen=True, eq=False)
class TwoWay:
    """The effects of the splits, and the mean scores over all splits that are to be expected.

    Attributes
    ----------
    means : array of shape (n,)
        Expected mean scores over all splits.
    variances : array of shape (n,)
        Of these, as far as it comes from splits not run; 0 where there are none.
    effects : array of shape (K,)
        Of the splits, 0 on average.
    squares, freedom : float
        Weighted sum of squared residuals, and its degrees of freedom.
    n : float
        Candidates that a split's effect comes from, on average.
    """

    means: Array
    variances: Array
    effects: Array
    squares: float
    freedom: float
    n: float

    @classmethod
    def of(cls, table: Array, *, is_even: bool = False) -> TwoWay:
        """Fit the model.

        Parameters
        ----------
        table : array of shape (n, K)
            Scores, NaN where there is none; at least one in each row.
        is_even : bool, default=False
            Whether all candidates count in full.
        """
        observed = np.isfinite(table).astype(float)
        m, n_splits = observed.sum(axis=1), table.shape[1]
        raw = np.where(observed > 0, table, 0.0).sum(axis=1) / m
        centred = np.where(observed > 0, table - raw[:, None], 0.0)
        means: Array = raw
        for _ in range(N_ROUNDS):
            weight = np.ones(len(means)) if is_even else _weights(means)
            effects = _effects(centred, observed, m, weight)
            means = np.asarray(raw - observed @ effects / m)
        residuals = observed * (centred - effects + (observed @ effects / m)[:, None])
        with np.errstate(over="ignore"):  # an exploding loss: its variance may well be infinite
            own, plain = (residuals**2).sum(axis=1), (centred**2).sum(axis=1)
        counts = weight > 0
        squares, free = float(weight[counts] @ own[counts]), float(weight @ (m - 1))
        freedom = max(free - (n_splits - 1), 0.0)
        spread = weight[counts] @ plain[counts] / free if free > 0 else float(np.var(raw))
        # Its own residuals count in full for each candidate: a poor one has greater ones.
        variances = squares + N_RAW * spread + (1 - weight) * own
        variances /= freedom + N_RAW + (1 - weight) * (m - 1)
        n = max(float((observed.T @ weight).mean()), 1.0)
        variances *= (1 + 1 / n) * (n_splits / m - 1) / n_splits
        return cls(means, np.where(m < n_splits, variances, 0.0), effects, squares, freedom, n)


def _effects(centred: Array, observed: Array, m: Array, weight: Array) -> Array:
    """Return the effects that leave the least weighted squares, each candidate's level left free.

    Of least norm: splits that nobody ran together cannot be told apart, and are taken as alike.
    """
    normal: Array = np.diag(observed.T @ weight) - (observed * (weight / m)[:, None]).T @ observed
    return np.asarray(np.linalg.lstsq(normal, centred.T @ weight, rcond=ALIKE)[0], np.float64)


def _weights(means: Array) -> Array:
    """Return 1 for the better half, and less the further a candidate is below it."""
    n_better = min(len(means), max(MIN_BETTER, (len(means) + 1) // 2))
    low = np.sort(means)[-n_better]
    spread, gap = means.max() - low, np.maximum(low - means, 0.0)
    share = np.divide(spread, spread + gap, out=np.ones_like(gap), where=gap > 0)
    weight: Array = np.where(share > NEVER, share**4, 0.0)
    return weight
