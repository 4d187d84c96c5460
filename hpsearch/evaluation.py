"""Turning a job into results: cross-validation of candidates by scikit-learn's own steps.

An evaluator plans and prepares calls here, in the parent; the calls run anywhere. A call clones
the estimator, sets the candidate, takes the rows of its split, fits and scores, and returns
SplitResults. What goes wrong in the user's code comes back as a result, with its traceback.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from hpsearch.bench import bench_of
from hpsearch.callbacks import Callbacks, FitCallbacks
from hpsearch.protocols import SearchAborted
from hpsearch.resources import Resource
from hpsearch.reuse import Planner
from hpsearch.reuse.values import Key
from hpsearch.trial import Job, SplitResult, Status, Task
from hpsearch.work import Work

Call = Callable[[], list[SplitResult]]


class CrossValidation:
    """The evaluator of estimators.

    Parameters
    ----------
    work : callable
        Gives the `Work` in whatever process it is called.
    planner : Planner
        Groups tasks that share work.
    error_score : float or "raise"
        The score of what failed.
    metrics : list of str or None
        Names of the metrics; None if they are known only once something was scored.
    callbacks : Callbacks
        Of scikit-learn, told of each fit.
    n_splits : int
        How many splits there are.
    resource : Resource or None, default=None
        What stages have shares of.
    """

    def __init__(
        self,
        work: Callable[[], Work],
        *,
        planner: Planner,
        error_score: Any,
        metrics: list[str] | None,
        callbacks: Callbacks,
        n_splits: int,
        resource: Resource | None = None,
    ) -> None:
        self._work = work
        self._planner = planner
        self._error_score = error_score
        self._metrics = metrics
        self._callbacks = callbacks
        self._n_splits = n_splits
        self._resource = resource
        self._numbers = itertools.count()  # of fits, where a split may be fitted more than once

    @property
    def horizon(self) -> int:
        """How many tasks are worth seeing at once, if they can be."""
        return self._planner.horizon

    def plan(self, tasks: Sequence[Task], slots: int) -> list[Job]:
        """Group tasks that share work into jobs, without leaving any of the slots idle."""
        return self._planner.plan([self._set(task) for task in tasks], slots)

    def prepare(self, job: Job) -> Call:
        """Return the call that gives a result a task."""
        job = tuple(map(self._set, job))
        numbers = [task.trial * self._n_splits + task.split for task in job]
        if self._resource is not None:
            numbers = list(itertools.islice(self._numbers, len(job)))
        callbacks = [self._callbacks.fit(n) for n in numbers]
        return partial(run_job, self._work, job, callbacks, self._planner.wanted(job))

    def _set(self, task: Task) -> Task:
        """A task with its share of the resource among its parameters."""
        if self._resource is None:
            return task
        return replace(task, params=self._resource.params(task.params, task.resource))

    def lost(self, task: Task, status: Status, error: str) -> SplitResult:
        """Return the result of a task whose call never came back.

        Raises
        ------
        SearchAborted
            If the user wants to hear of the first failure.
        """
        if self._error_score == "raise":
            raise SearchAborted(error)
        scores = dict.fromkeys(self._metrics or [], self._error_score)
        details = {"fit_time": 0.0, "score_time": 0.0, "failed_in": "fit"}
        return SplitResult(task.split, task.resource, scores, details, status, error)


def run_job(
    source: Callable[[], Work],
    job: Job,
    callbacks: Sequence[FitCallbacks | None],
    wanted: Mapping[Key, Sequence[Any]],
) -> list[SplitResult]:
    """Run the tasks of a job where this is called."""
    work = source()
    with work.ambient.applied():
        return bench_of(work).run(job, callbacks, wanted)
