"""The time that a search has left, and what a fit and the refit are going to take of it."""

from __future__ import annotations

import math
import time

from hpsearch.protocols import Limits
from hpsearch.trial import SplitResult, Trial


class Budget:
    """Counts the seconds of a search.

    Parameters
    ----------
    limits : Limits
        When to stop.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._began = time.monotonic()
        self._best_score = -math.inf
        self._refit_seconds = 0.0  # what the refit of the best so far should take
        self._least_seconds = math.inf  # that any fit took

    def seconds_left(self) -> float | None:
        """Seconds until the search must stop, time for the refit put aside; None for no limit."""
        if self._limits.max_time is None:
            return None
        left = self._limits.max_time - (time.monotonic() - self._began)
        return max(left - self._refit_seconds, 0.0)

    def allows_fit(self) -> bool:
        """Whether another fit may start.

        What takes longer than any fit so far may still be done in time; what is sure not to be is
        not begun.
        """
        left = self.seconds_left()
        return left is None or left > min(self._least_seconds, left / 2)

    def note_fit(self, result: SplitResult) -> None:
        """Learn what a fit takes."""
        self._least_seconds = min(self._least_seconds, result.seconds)

    def note_complete(self, trial: Trial, score: float) -> None:
        """Put time aside for the refit of the best."""
        if self._limits.refits and score > self._best_score:
            self._best_score = score
            # The refit has all rows, a fit those of all splits but one.
            times = [r.details.get("fit_time", 0.0) for r in trial.results if r.resource == 1.0]
            self._refit_seconds = math.fsum(times) / max(len(times) - 1, 1)
