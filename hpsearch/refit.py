"""Fitting the winner on all rows: here, or in a process of its own if it may be dangerous."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sklearn.base import clone

from hpsearch.executors import JoblibExecutor
from hpsearch.protocols import SearchAborted
from hpsearch.trial import WorkerLost


@dataclass(frozen=True)
class Refit:
    """An estimator, not fitted, with what it is to be fitted on."""

    estimator: Any
    X: Any
    y: Any
    fit_params: Mapping[str, Any]

    def here(self) -> Any:
        """Fit in this process."""
        targets = () if self.y is None else (self.y,)
        self.estimator.fit(self.X, *targets, **self.fit_params)
        return self.estimator

    def apart(self, given: Any = None) -> Any:
        """Fit in another process, so that a crash does not end this one.

        Parameters
        ----------
        given : Executor or None, default=None
            Whose processes to use; None for one of its own.

        Raises
        ------
        SearchAborted
            If the process dies.
        """
        with given or JoblibExecutor(2, slots=1) as executor:
            if not executor.can_kill:  # threads, or inside another search's worker
                return self.here()
            # A clone leaves behind what scikit-learn's callbacks have put on the estimator.
            sent = replace(self, estimator=clone(self.estimator))
            executor.submit(0, partial(_fit, executor.share(sent)))
            ended = executor.wait()
        outcome = None if ended is None else ended[1]
        if isinstance(outcome, WorkerLost):
            raise SearchAborted(f"The refit of the best candidate failed. {outcome}")
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def _fit(source: Callable[[], Refit]) -> Any:
    return source().here()
