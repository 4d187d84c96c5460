"""Densities over rows: mixtures of products of one kernel a column, and their logarithms.

rows     points, (m, c), no NaN
centres  one for each component, (k, c); the last component is the prior, as wide as the space
widths   standard deviation of an ordered column's kernel, (k, c)

An ordered column has a normal kernel cut to [0, 1]. The mass of a cell is taken as the density of
the kernel, smoothed by the cell's width, at the cell's centre. An unordered column's kernel leaves
the centre for any of the values with a fixed probability.

All logarithms of kernels are linear in (x^2, x, [x = value 1], [x = value 2], ...), which turns
the density of many rows under many components into one matrix product.

Source: Bergstra, Bardenet, Bengio & Kegl, Algorithms for Hyper-Parameter Optimization (2011);
Watanabe, Tree-Structured Parzen Estimator: Understanding Its Algorithm Components (2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp, ndtr, ndtri

from hpsearch.optimizers._columns import Array, Column

PRIOR_WEIGHT = 1.0  # of the prior component; that of a fresh score is 1
SPREAD, NARROWEST = 0.15, 0.01  # width of a kernel: that of a single point's, and its floor


@dataclass(frozen=True, eq=False)
class Parzen:
    """A mixture of product kernels."""

    columns: Sequence[Column]
    centres: Array
    widths: Array
    log_weights: Array  # (k,)

    @classmethod
    def around(cls, columns: Sequence[Column], rows: Array, weights: Array) -> Parzen:
        """Return the mixture around rows, (n, c), of weights, (n,), and the prior."""
        n, c = rows.shape
        width = max(SPREAD * max(n, 1) ** (-1 / (c + 4)), NARROWEST)  # Scott's rule
        widths = np.vstack([np.full((n, c), width), np.ones((1, c))])
        weights = np.append(weights, PRIOR_WEIGHT)
        cells = np.array([column.width for column in columns])
        return cls(
            columns,
            np.vstack([rows, np.full((1, c), 0.5)]),
            np.sqrt(widths**2 + cells**2 / 12),
            np.log(weights / weights.sum()),
        )

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Draw rows, (n, c)."""
        chosen = rng.choice(len(self.log_weights), size=n, p=np.exp(self.log_weights))
        units = rng.random((n, len(self.columns)))
        rows = np.empty_like(units)
        for j, column in enumerate(self.columns):
            centre, u = self.centres[chosen, j], units[:, j]
            if column.ordered:
                width = self.widths[chosen, j]
                low, high = ndtr(-centre / width), ndtr((1 - centre) / width)
                drawn = centre + width * ndtri(low + u * (high - low))
                rows[:, j] = column.snap(np.clip(drawn, 0.0, 1.0))
            else:
                leaves = (rng.random(n) < self._leaving) | (chosen == len(self.centres) - 1)
                rows[:, j] = np.where(leaves, column.snap(u), centre)
        return rows

    def log_density(self, rows: Array) -> Array:
        """Return the logarithm of the density at rows, up to what all mixtures have in common."""
        constants = self.log_weights.copy()
        terms, factors = [], []
        for j, column in enumerate(self.columns):
            x, centre, width = rows[:, j, None], self.centres[:, j], self.widths[:, j]
            if column.ordered:
                terms += [x**2, x]
                factors += [(-0.5 / width**2)[:, None], (centre / width**2)[:, None]]
                inside = ndtr((1 - centre) / width) - ndtr(-centre / width)
                constants -= centre**2 / (2 * width**2) + np.log(width * inside)
            else:
                values = _values(column)
                share = np.full(len(centre), self._leaving / len(values))
                share[-1] = 1 / len(values)
                stays = np.where(share < 1 / len(values), 1 - self._leaving + share, share)
                terms.append(x == values)
                factors.append(
                    np.where(centre[:, None] == values, np.log(stays / share)[:, None], 0.0)
                )
                constants += np.log(share)
        logs = np.hstack(terms) @ np.hstack(factors).T + constants  # (m, k)
        density: Array = logsumexp(logs, axis=1)
        return density

    @property
    def _leaving(self) -> float:
        """Probability that an unordered column is drawn anew."""
        return 1 / len(self.log_weights)


def _values(column: Column) -> Array:
    if column.cells is None:
        raise TypeError("A column without an order has cells.")
    return column.cells
