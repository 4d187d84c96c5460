"""What an evaluation costs: a process of its own over the logarithm of the seconds.

Expected improvement per second (Snoek, Larochelle & Adams, 2012, section 3.2) is, on the log scale
on which improvement is maximised, the log of the improvement less the log of the seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hpsearch.optimizers._columns import Array, Columns
from hpsearch.optimizers._evidence import theta_of
from hpsearch.optimizers._gaussian import Posterior

MIN_COSTS = 5  # before that many are known, all points cost the same
MAX_COSTS = 150  # the latest, that the model takes
LEAST = 1e-6  # seconds; a clock may say 0


@dataclass(frozen=True, eq=False)
class Price:
    """The logarithm of what points cost, from those that were evaluated."""

    columns: Columns
    posterior: Posterior
    spread: float  # of the logarithms, which the process takes standardised

    @classmethod
    def of(cls, columns: Columns, rows: Array, costs: Array) -> Price | None:
        """Return the model of costs, (n,), in seconds, NaN where unknown; None for too few."""
        known = np.flatnonzero(np.isfinite(costs))[-MAX_COSTS:]
        if len(known) < MIN_COSTS:
            return None
        X = columns.features(rows[known])
        # A cost has no tail that must be clipped: the logarithm has taken care of it.
        y = np.log(np.maximum(costs[known], LEAST))
        spread = float(y.std())
        y = (y - y.mean()) / spread if spread > 0 else np.zeros(len(y))
        theta = theta_of(columns, X, y)
        return cls(columns, Posterior.of(X, columns.group, y, theta), spread)

    def log_cost(self, rows: Array) -> Array:
        """Return the logarithm of the cost to be expected, up to a constant, (m,)."""
        mean, _ = self.posterior(self.columns.features(rows))
        return self.spread * mean

    def slopes(self, rows: Array) -> Array:
        """Return the gradient of that by features, (m, f)."""
        x = self.columns.features(rows)
        by_mean = np.full(len(x), self.spread)
        return self.posterior.at(x).slopes(by_mean, np.zeros(len(x)))
