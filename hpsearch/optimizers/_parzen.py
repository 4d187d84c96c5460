"""Densities over rows: mixtures of products of one kernel a column, and their logarithms.

rows     points, (m, c), no NaN
centres  one for each component, (k, c); the last component is the prior, as wide as the space
widths   standard deviation of the kernels of the o ordered columns, (k, o)

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
from scipy.special import ndtr, ndtri

from hpsearch.optimizers._columns import Array, Column, Index

PRIOR_WEIGHT = 1.0  # of the prior component; that of a fresh score is 1
SPREAD, NARROWEST = 0.15, 0.01  # width of a kernel: that of a single point's, and its floor


@dataclass(frozen=True, eq=False)
class Kernels:
    """The columns of a mixture, sorted by kind."""

    columns: Sequence[Column]
    ordered: Index  # places of ordered columns, (o,)
    widths: Array  # of their cells, (o,)
    owner: Index  # place of the column that a value of an unordered column belongs to, (v,)
    values: Array  # all values of all unordered columns, (v,)
    shares: Array  # one by the number of values of the owner, (v,)

    @classmethod
    def of(cls, columns: Sequence[Column]) -> Kernels:
        ordered = [j for j, column in enumerate(columns) if column.ordered]
        cells = {j: c.cells for j, c in enumerate(columns) if not c.ordered and c.cells is not None}
        return cls(
            columns,
            np.array(ordered, dtype=np.intp),
            np.array([columns[j].width for j in ordered]),
            np.repeat(np.array([*cells], dtype=np.intp), [len(v) for v in cells.values()]),
            np.concatenate([*cells.values(), np.zeros(0)]),
            np.concatenate([*(np.full(len(v), 1 / len(v)) for v in cells.values()), np.zeros(0)]),
        )


@dataclass(frozen=True, eq=False)
class Parzen:
    """A mixture of product kernels."""

    kernels: Kernels
    centres: Array
    widths: Array
    log_weights: Array  # (k,)

    @classmethod
    def around(cls, kernels: Kernels, rows: Array, weights: Array) -> Parzen:
        """Return the mixture around rows, (n, c), of weights, (n,), and the prior."""
        n, c = rows.shape
        width = max(SPREAD * max(n, 1) ** (-1 / (c + 4)), NARROWEST)  # Scott's rule
        weights = np.append(weights, PRIOR_WEIGHT)
        widths = np.append(np.full(n, width), 1.0)[:, None]
        return cls(
            kernels,
            np.vstack([rows, np.full((1, c), 0.5)]),
            np.sqrt(widths**2 + kernels.widths**2 / 12),
            np.log(weights / weights.sum()),
        )

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Draw rows, (n, c)."""
        chosen = rng.choice(len(self.log_weights), size=n, p=np.exp(self.log_weights))
        rows, units = self.centres[chosen], rng.random((n, self.centres.shape[1]))
        is_prior = chosen[:, None] == len(self.centres) - 1
        rows = np.where((rng.random(rows.shape) < self._leaving) | is_prior, units, rows)
        ordered = self.kernels.ordered
        centre, width = self.centres[chosen][:, ordered], self.widths[chosen]
        low, high = ndtr(-centre / width), ndtr((1 - centre) / width)
        drawn = centre + width * ndtri(low + units[:, ordered] * (high - low))
        rows[:, ordered] = np.clip(drawn, 0.0, 1.0)
        for j, column in enumerate(self.kernels.columns):
            rows[:, j] = column.snap(rows[:, j])
        return rows

    def log_density(self, rows: Array) -> Array:
        """Return the logarithm of the density at rows, up to what all mixtures have in common."""
        kernels = self.kernels
        x, centre, width = rows[:, kernels.ordered], self.centres[:, kernels.ordered], self.widths
        inside = ndtr((1 - centre) / width) - ndtr(-centre / width)
        normal = -np.sum(centre**2 / (2 * width**2) + np.log(width * inside), axis=1)

        # A value that is not the centre's has its share of the leaving; the prior always leaves.
        leaving = np.append(np.full(len(centre) - 1, self._leaving), 1.0)[:, None]
        others = np.log(leaving * kernels.shares)  # (k, v)
        own = np.log1p(leaving * (kernels.shares - 1))
        is_own = self.centres[:, kernels.owner] == kernels.values

        terms = np.hstack([x**2, x, rows[:, kernels.owner] == kernels.values])
        factors = np.hstack(
            [-0.5 / width**2, centre / width**2, np.where(is_own, own, others)],
        )
        logs = terms @ factors.T + (self.log_weights + normal)  # (m, k)
        top = logs.max(axis=1)
        density: Array = top + np.log(np.exp(logs - top[:, None]).sum(axis=1))
        return density

    @property
    def _leaving(self) -> float:
        """Probability that an unordered column is drawn anew."""
        return 1 / len(self.log_weights)
