"""Turning a job into results: cross-validation of candidates by scikit-learn's own steps.

An evaluator prepares calls here, in the parent; the calls run anywhere. A call clones the
estimator, sets the candidate, cuts the rows of its split, fits and scores, and returns
SplitResults. What goes wrong in the user's code comes back as a result, with its traceback.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sklearn.base import clone

from hpsearch import _sklearn as bridge
from hpsearch.trial import Job, SplitResult, Status, Task

Call = Callable[[], list[SplitResult]]


@dataclass(frozen=True)
class Work:
    """All of a search but its candidates; goes to each worker once."""

    estimator: Any
    X: Any
    y: Any
    splits: Sequence[tuple[Any, Any]]
    scorer: Any
    fit_params: dict[str, Any]
    score_params: dict[str, Any]
    error_score: Any
    return_train_score: bool
    verbose: int
    n_candidates: int | None
    ambient: bridge.Ambient


class CrossValidation:
    """The evaluator of estimators.

    Parameters
    ----------
    work : callable
        Gives the `Work` in whatever process it is called.
    error_score : float or "raise"
        The score of what failed.
    metrics : list of str or None
        Names of the metrics; None if they are known only once something was scored.
    callbacks : Callbacks
        Of scikit-learn, told of each fit.
    n_splits : int
        How many splits there are.
    """

    def __init__(
        self,
        work: Callable[[], Work],
        *,
        error_score: Any,
        metrics: list[str] | None,
        callbacks: bridge.Callbacks,
        n_splits: int,
    ) -> None:
        self._work = work
        self._error_score = error_score
        self._metrics = metrics
        self._callbacks = callbacks
        self._n_splits = n_splits

    def plan(self, tasks: Sequence[Task], size: int) -> list[Job]:
        return [tuple(tasks[i : i + size]) for i in range(0, len(tasks), size)]

    def prepare(self, job: Job) -> Call:
        numbers = [task.trial * self._n_splits + task.split for task in job]
        return partial(run_job, self._work, job, [self._callbacks.fit(n) for n in numbers])

    def lost(self, task: Task, status: Status, error: str) -> SplitResult:
        scores = dict.fromkeys(self._metrics or [], self._error_score)
        details = {"fit_time": 0.0, "score_time": 0.0, "failed_in": "fit"}
        return SplitResult(task.split, task.resource, scores, details, status, error)


def run_job(
    source: Callable[[], Work], job: Job, callbacks: Sequence[bridge.FitCallbacks | None]
) -> list[SplitResult]:
    """Run the tasks of a job where this is called."""
    work = source()
    with work.ambient.applied():
        return [evaluate(work, task, told) for task, told in zip(job, callbacks, strict=True)]


def evaluate(work: Work, task: Task, callbacks: bridge.FitCallbacks | None = None) -> SplitResult:
    """Fit and score one candidate on one split."""
    said = _Progress(work, task)
    said.start()
    train, test = (bridge.as_indices(work.X, rows) for rows in work.splits[task.split])
    fit_params = bridge.params_of_rows(work.X, work.fit_params, train)
    began = time.perf_counter()
    X_train = y_train = None
    try:
        # Values may be estimators, which a fit would change: candidates get clones of them.
        estimator = clone(work.estimator).set_params(**clone(task.params, safe=False))
        X_train, y_train = bridge.take_rows(estimator, work.X, work.y, train)
        X_test, y_test = bridge.take_rows(estimator, work.X, work.y, test, train)
        with bridge.around(callbacks, estimator, X_train, y_train, fit_params.get("sample_weight")):
            fit = partial(estimator.fit, X_train, **fit_params)
            _ = fit() if y_train is None else fit(y_train)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if work.error_score == "raise":
            raise
        result = _failed(work, task, error, time.perf_counter() - began)
        said.end(result)
        return result
    fitted = time.perf_counter()
    scores, failure = _score(work, estimator, X_test, y_test, test)
    scored = time.perf_counter()
    details: dict[str, Any] = {"fit_time": fitted - began, "score_time": scored - fitted}
    details["n_test_samples"] = bridge.n_rows(X_test)
    if work.return_train_score:
        details["train_scores"], _ = _score(work, estimator, X_train, y_train, train)
    if failure is not None:
        details["failed_in"] = "score"
    status = Status.COMPLETE if failure is None else Status.FAILED
    result = SplitResult(task.split, task.resource, scores, details, status, failure)
    said.end(result)
    return result


def _score(
    work: Work, estimator: Any, X: Any, y: Any, rows: Any
) -> tuple[dict[str, float], str | None]:
    params = bridge.params_of_rows(work.X, work.score_params, rows)
    scores, error = bridge.score(work.scorer, estimator, X, y, params, work.error_score)
    return scores if isinstance(scores, dict) else {"score": scores}, error


def _failed(work: Work, task: Task, error: BaseException, seconds: float) -> SplitResult:
    # No metric is named where only a score could have named it; formatting fills those in.
    names = bridge.metric_names(work.scorer) or []
    scores = dict.fromkeys(names, work.error_score)
    details: dict[str, Any] = {"fit_time": seconds, "score_time": 0.0, "failed_in": "fit"}
    if work.return_train_score:
        details["train_scores"] = dict(scores)
    text = bridge.traceback_of(error)
    return SplitResult(task.split, task.resource, scores, details, Status.FAILED, text)


class _Progress:
    """The lines that scikit-learn's searches print for verbose > 1, from the worker."""

    def __init__(self, work: Work, task: Task) -> None:
        self._verbose = work.verbose
        self._place = f" {task.split + 1}/{len(work.splits)}" if work.verbose > 2 else ""
        if work.verbose > 9 and work.n_candidates is not None:
            self._place += f"; {task.trial + 1}/{work.n_candidates}"
        self._params = ""
        if work.verbose > 1:
            self._params = ", ".join(f"{k}={task.params[k]}" for k in sorted(task.params))

    def start(self) -> None:
        if self._verbose > 9:
            print(f"[CV{self._place}] START {self._params}".ljust(80, "."))  # noqa: T201

    def end(self, result: SplitResult) -> None:
        if self._verbose <= 1:
            return
        head = f"[CV{self._place}] END "
        seconds = result.details["fit_time"] + result.details["score_time"]
        tail = f"{self._params};" if self._params else ""
        tail += self._scores(result) if self._verbose > 2 else ""
        tail += (
            f" total time={seconds:6.1f}s"
            if seconds < 60
            else f" total time={seconds / 60:4.1f}min"
        )
        print(head + tail.rjust(80 - len(head), "."))  # noqa: T201

    def _scores(self, result: SplitResult) -> str:
        train = result.details.get("train_scores", {})
        told = []
        for name, value in sorted(result.scores.items()):
            both = f"train={train[name]:.3f}, test={value:.3f}" if name in train else None
            if name == "score":
                told.append(f", score=({both})" if both else f", score={value:.3f}")
            else:
                told.append(f" {name}: ({both or f'test={value:.3f}'})")
        return "".join(told)
