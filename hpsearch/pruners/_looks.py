"""How much of an error probability each of several looks at the same candidate may spend.

A race looks at a candidate after each split, and each look is an occasion to drop it wrongly. The
looks are dependent, so that sharing the probability out evenly among them would waste most of it.
Here each look spends its share of what is really spent, given that no look before has dropped the
candidate (Armitage, McPherson & Rowe, 1969; spending: Lan & DeMets, 1983).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

Array = NDArray[np.float64]
N_GRID = 300  # cells of the distribution of the sums so far
REACH = 8.0  # standard deviations beyond which there is nothing


@cache
def tail_probabilities(level: float, n_splits: int, power: int = 1) -> tuple[float, ...]:
    """Return below which probability each look, after 1 to n_splits - 1 splits, may drop.

    Sums of independent normal residuals of which all n_splits together sum to 0, the worst case for
    a candidate that wins, are followed from split to split as a density on a grid. Look number m
    spends a share of the level in proportion to 1 / m**power: early drops save the most.

    Parameters
    ----------
    level : float
        The probability, in (0, 1), that any of the looks drops the candidate.
    n_splits : int
        Splits in all, at least 2.
    power : int, default=1
        How much more the early looks spend.
    """
    shares = 1 / np.arange(1, n_splits) ** power
    spent = level * shares / shares.sum()
    found: list[float] = []
    centres, mass = np.zeros(1), np.ones(1)  # no sum yet
    for m in range(1, n_splits):
        # The sum after m splits, given that after m - 1: a step of a random walk that ends at 0.
        shrink = (n_splits - m) / (n_splits - m + 1)
        before = shrink * centres, mass, np.sqrt(shrink)
        deviation = np.sqrt(m * (n_splits - m) / n_splits)
        top = REACH * deviation
        boundary = brentq(_excess, -2 * top, top, args=(spent[m - 1], *before))
        found.append(float(ndtr(boundary / deviation)))
        edges = np.linspace(boundary, top, N_GRID + 1)
        centres, mass = (edges[1:] + edges[:-1]) / 2, np.diff(_below(edges, *before))
    return tuple(found)


def _below(x: Array, means: Array, mass: Array, deviation: float) -> Array:
    """Probability that a sum is below x, and that no look has dropped it before."""
    return np.asarray(ndtr((x[:, None] - means) / deviation) @ mass)


def _excess(x: float, spent: float, means: Array, mass: Array, deviation: float) -> float:
    return float(_below(np.array([x]), means, mass, deviation)[0]) - spent
