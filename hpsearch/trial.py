"""The vocabulary: what the loop, the pruners, the evaluator and the journal say to each other.

A *candidate* is a dict of parameters; a *trial* is a candidate that was started, with a number and
results; a *split* is one (train, test) pair of the cross-validation; a *stage* is "these splits at
this resource"; a *task* is one split of one trial; a *job* is the tasks that travel to a worker
together. Greater scores are better everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Params = dict[str, Any]
NAN_RETURNED = "ValueError: the scorer returned nan"


class Status(StrEnum):
    """Where a trial, or the result of one split, stands."""

    RUNNING = "running"
    PAUSED = "paused"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CRASHED = "crashed"

    @property
    def is_failure(self) -> bool:
        return self in (Status.FAILED, Status.TIMEOUT, Status.CRASHED)

    @property
    def is_final(self) -> bool:
        return self not in (Status.RUNNING, Status.PAUSED)


class WorkerLost(Exception):
    """The process that ran a call went away before the call returned."""


class FitTimeout(Exception):
    """A call ran for longer than it may, and was ended."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Splits to be run, at a share of the full resource in (0, 1]."""

    splits: tuple[int, ...]
    resource: float = 1.0


@dataclass(frozen=True, slots=True)
class Task:
    """One split of one trial."""

    trial: int
    params: Params
    split: int
    resource: float = 1.0


Job = tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class SplitResult:
    """What came of one task.

    `scores` holds what the scorer gave, by metric; it is empty where nothing could be scored.
    `details` holds what only the evaluator and the reports understand (times in seconds, train
    scores, sizes). `error` is a traceback or a sentence, None unless `status` is a failure.
    """

    split: int
    resource: float = 1.0
    scores: dict[str, float] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    status: Status = Status.COMPLETE
    error: str | None = None

    @property
    def seconds(self) -> float:
        """What fitting and scoring took."""
        return float(self.details.get("fit_time", 0.0) + self.details.get("score_time", 0.0))


@dataclass(slots=True)
class Trial:
    """A candidate that was started. Only the loop changes one."""

    number: int
    params: Params
    status: Status = Status.RUNNING
    results: list[SplitResult] = field(default_factory=list)

    @property
    def error(self) -> str | None:
        """The first failure's text, None if nothing failed."""
        return next((r.error for r in self.results if r.error is not None), None)

    def result(self, split: int, resource: float) -> SplitResult | None:
        """The result of a split at a resource, None if there is none yet."""
        found = (r for r in self.results if r.split == split and r.resource == resource)
        return next(found, None)

    def has(self, stage: Stage) -> bool:
        """Whether every split of the stage has a result at its resource."""
        return not self.missing(stage)

    def missing(self, stage: Stage) -> tuple[int, ...]:
        """The splits of the stage that have no result yet."""
        done = {r.split for r in self.results if r.resource == stage.resource}
        return tuple(split for split in stage.splits if split not in done)


@dataclass(frozen=True)
class Board:
    """The search as pruners, stop rules and displays see it.

    Attributes
    ----------
    metric : str
        The score that candidates are judged by.
    n_splits : int
        Splits of the cross-validation.
    trials : sequence of Trial
        All trials, in order of number.
    complete, paused : sequence of Trial
        Those with that status, in the order in which they came to it.
    stages : mapping of int to Stage
        What running trials run, by their number.
    optimum : float
        The greatest value that the metric can take, as far as is known.
    learns : bool
        Whether candidates are proposed in view of the scores so far.
    is_final : bool
        Whether no trials will be added.
    memo : dict
        For what is made of the trials that are over; emptied as one more is.
    """

    metric: str
    n_splits: int
    trials: Sequence[Trial]
    complete: Sequence[Trial] = ()
    paused: Sequence[Trial] = ()
    stages: Mapping[int, Stage] = field(default_factory=dict)
    optimum: float = math.inf
    learns: bool = False
    is_final: bool = False
    memo: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def score(
        self, trial: Trial, resource: float | None = None, splits: Sequence[int] | None = None
    ) -> float:
        """Mean score over the splits run; NaN if there are none, or if one of them failed.

        Parameters
        ----------
        trial : Trial
            The trial to look at.
        resource : float, optional
            Only results at this resource; by default, at the greatest that the trial has reached.
        splits : sequence of int, optional
            Only these splits; by default, all.
        """
        results = [r for r in trial.results if splits is None or r.split in splits]
        if resource is None:
            resource = max((r.resource for r in results), default=1.0)
        results = [r for r in results if r.resource == resource]
        if not results or any(r.status.is_failure for r in results):
            return math.nan
        values = [r.scores.get(self.metric, math.nan) for r in results]
        # An infinite score would win every comparison, and a mean of +inf and -inf is undefined.
        return math.fsum(values) / len(values) if all(map(math.isfinite, values)) else math.nan

    def best(self) -> Trial | None:
        """The complete trial with the greatest score (the first of them), None if there is none."""
        complete = [t for t in self.trials if t.status is Status.COMPLETE]
        scored = [(self.score(t), -t.number, t) for t in complete]
        finite = [row for row in scored if not math.isnan(row[0])]
        return max(finite)[2] if finite else None
