"""Fitting the winner on all rows: here, or in a process of its own if it may be dangerous."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sklearn.base import clone

from hpsearch import stopping
from hpsearch.callbacks import Callbacks, NoCallbacks
from hpsearch.executors import executor_of_one
from hpsearch.prepared import Prepared
from hpsearch.protocols import SearchAborted
from hpsearch.trial import Status, WorkerLost


def refit(search: Any, prepared: Prepared, callbacks: Callbacks | NoCallbacks) -> None:
    """Fit the winner of a search on all rows, and set `best_estimator_` and what goes with it.

    Parameters
    ----------
    search : BaseSearchCV
        Complete but for the refit.
    prepared : Prepared
        Its input, checked.
    callbacks : Callbacks or NoCallbacks
        Told of the fit.
    """
    # Values may be estimators: the fit must not change those in `cv_results_`.
    best = clone(prepared.estimator).set_params(**clone(search.best_params_, safe=False))
    early = stopping.early_of(search.early_stopping)
    if early is not None:
        rounds = stopping.settle(early, best, search.trials_[search.best_index_])
        if rounds is not None:
            search.n_rounds_ = rounds
    ready = Refit(best, prepared.X, prepared.y, prepared.fit_params)
    crashed = any(trial.status is Status.CRASHED for trial in search.trials_)
    is_dangerous = crashed or search.fit_timeout is not None
    lane = search._lane  # noqa: SLF001 - of ours
    fit = partial(ready.apart, lane) if is_dangerous else ready.here
    try:
        with callbacks.refitting(best):
            began = time.perf_counter()  # a clock may be set back
            fitted = fit()
            search.refit_time_ = time.perf_counter() - began
    except BaseException as error:
        error.add_note(
            "The search itself is complete: see cv_results_ and best_params_. "
            "refit_best(X, y) tries the refit again."
        )
        raise
    search.best_estimator_ = fitted
    if hasattr(fitted, "feature_names_in_"):
        search.feature_names_in_ = fitted.feature_names_in_


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
        with given or executor_of_one() as executor:
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
