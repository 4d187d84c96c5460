"""Where an acquisition is greatest: a pool of rows, evolved, then climbed by gradient.

rows    points as `_columns` writes them, (m, c); NaN where a branch lacks a parameter
value   an acquisition: a function of rows, greater is better
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from hpsearch.optimizers._columns import Array, Columns

N_UNIFORM = 256
N_NEAR = 128
N_ROUNDS, N_PARENTS, N_CHILDREN = 4, 16, 64
N_CLIMBERS = 5
N_VARIATIONS = 1000
MIN_LEVELS = 16  # an ordered parameter with more values is climbed as if it were a continuum


@dataclass(frozen=True)
class Acquisition:
    """A function of rows, and its values and gradients by the ordered columns, (m,) and (m, c)."""

    value: Callable[[Array], Array]
    with_slopes: Callable[[Array], tuple[Array, Array]]


@dataclass(frozen=True)
class Ranked:
    """Rows and their values, the greatest first."""

    rows: Array
    values: Array

    @classmethod
    def of(cls, rows: Array, values: Array) -> Ranked:
        order = np.argsort(-values, kind="stable")
        return cls(rows[order], values[order])

    def joined(self, rows: Array, values: Array) -> Ranked:
        """Return these and others, ranked."""
        return Ranked.of(np.vstack([self.rows, rows]), np.append(self.values, values))


def evolve(
    value: Callable[[Array], Array],
    columns: Columns,
    allowed: Callable[[Array], Array],
    near: Array,
    rng: np.random.Generator,
) -> Ranked:
    """Return rows of the space, ranked; those that `allowed` leaves out are not among them.

    Parameters
    ----------
    value : callable
        What is to be maximised: takes rows, returns their values.
    columns : Columns
        The space.
    allowed : callable
        Takes rows, returns those that may be evaluated.
    near : array of shape (m, c)
        Rows worth looking around: the best so far.
    rng : Generator
        Where the pool comes from.
    """
    nothing = np.full((N_UNIFORM, len(columns)), np.nan)
    spread = columns.settle(nothing, rng.random(nothing.shape))
    sigmas = 10 ** rng.uniform(-2.5, -0.3, N_NEAR)
    pool = allowed(np.vstack([spread, mutants(near, sigmas, columns, rng)]))
    ranked = Ranked.of(pool, value(pool))
    for number in range(N_ROUNDS if len(pool) else 0):
        sigmas = np.full(N_CHILDREN, 0.15 * 0.4**number)
        children = allowed(mutants(ranked.rows[:N_PARENTS], sigmas, columns, rng))
        ranked = ranked.joined(children, value(children))
    return ranked


def refine(
    acquisition: Acquisition,
    columns: Columns,
    allowed: Callable[[Array], Array],
    ranked: Ranked,
) -> Ranked:
    """Return ranked rows and where gradients lead from the first of them."""
    climbed = allowed(climb(acquisition, columns, ranked.rows[:N_CLIMBERS]))
    return ranked.joined(climbed, acquisition.value(climbed))


def mutants(parents: Array, sigmas: Array, columns: Columns, rng: np.random.Generator) -> Array:
    """Return a changed parent for each sigma: at least one coordinate is another."""
    shape = len(sigmas), len(columns)
    rows = parents[np.arange(len(sigmas)) % len(parents)]
    chosen = rng.random(shape) < max(2 / len(columns), 0.2)
    chosen[np.arange(len(sigmas)), rng.integers(len(columns), size=len(sigmas))] = True
    # A step shorter than a cell would lead nowhere.
    moved = rows + (sigmas[:, None] + columns.widths) * rng.standard_normal(shape)
    moved = np.where(columns.ordered, np.clip(moved, 0.0, 1.0), rng.random(shape))
    return columns.settle(np.where(chosen, moved, rows), rng.random(shape))


def variations(parents: Array, columns: Columns, rng: np.random.Generator) -> Array:
    """Return rows that differ from a parent by one or two coordinates, by however much."""
    rows = parents[np.arange(N_VARIATIONS) % len(parents)]
    counts = rng.integers(1, 3, len(rows))
    lots = np.where(np.isnan(rows), 2.0, rng.random(rows.shape))  # what is missing is drawn last
    chosen = lots.argsort(axis=1).argsort(axis=1) < counts[:, None]
    units = rng.random(rows.shape)
    return columns.settle(np.where(chosen, units, rows), units)


def climb(acquisition: Acquisition, columns: Columns, starts: Array) -> Array:
    """Return where gradients lead from the starts, by their columns of many values.

    All climbs are one problem, the sum of their values: each has its own coordinates, so the
    optimum is that of the separate problems, and the model is asked once a step.
    """
    smooth = np.flatnonzero(columns.ordered & (columns.widths < 1 / MIN_LEVELS))
    if not len(smooth) or not len(starts):
        return starts[:0]
    missing = np.isnan(starts[:, smooth])

    def descend(x: Array) -> tuple[float, Array]:
        rows = starts.copy()
        rows[:, smooth] = np.where(missing, np.nan, x.reshape(missing.shape))
        values, slopes = acquisition.with_slopes(rows)
        return -float(values.sum()), -np.where(missing, 0.0, slopes[:, smooth]).ravel()

    start = np.where(missing, 0.5, starts[:, smooth]).ravel()
    found = minimize(
        descend,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, 1.0)] * start.size,
        options={"maxiter": 25, "ftol": 1e-4},  # a rank is wanted, not digits
    )
    rows = starts.copy()
    rows[:, smooth] = np.where(missing, np.nan, np.clip(found.x, 0.0, 1.0).reshape(missing.shape))
    return columns.settle(rows, np.full(rows.shape, 0.5))
