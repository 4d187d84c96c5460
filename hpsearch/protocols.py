"""Whom the loop speaks to: what runs, records and watches a search, and when it stops."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self, TypeVar

from hpsearch.trial import Board, Job, SplitResult, Status, Task, Trial

T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """When to stop; None is no limit.

    `n_trials` counts trials; `max_time` is in seconds, the refit included if `refits`;
    `fit_timeout` is in seconds, for one task. `one_by_one`: no two tasks go to a process together.
    """

    n_trials: int | None = None
    max_time: float | None = None
    fit_timeout: float | None = None
    refits: bool = True
    one_by_one: bool = False

    @classmethod
    def of(cls, given: Any, n_trials: int | None, *, refits: bool) -> Self:
        """The limits among the parameters of a search."""
        keeps_count = given.workers is not None and given.workers.max_fits is not None
        return cls(n_trials, given.max_time, given.fit_timeout, refits, one_by_one=keeps_count)

    def check(self, executor: Executor) -> None:
        """Raise if a fit is to be ended where none can be."""
        if self.fit_timeout is not None and not executor.can_kill:
            raise ValueError(
                "fit_timeout needs worker processes that can be ended: use joblib's loky "
                "backend, and do not nest the search in another one's worker."
            )


@dataclass(frozen=True)
class Event:
    """What `watch=` is called with, in the process that called `fit`.

    Parameters
    ----------
    kind : {"started", "result", "closed", "finished"}
        A candidate was started, one of its splits has a result, it has its final status, or the
        search is over. "result" comes once a split, the others once a candidate or search.
    trial : Trial or None
        The candidate: `number`, `params`, `status`, and `results`, one a split so far. None when
        all is over.
    board : Board
        The search so far: `trials` (the table, also of an earlier run that is resumed), `metric`,
        `n_splits`, `score(trial)` and `best()`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from hpsearch import Event, ExhaustiveSearchCV
    >>> def tell(event: Event) -> None:
    ...     if event.kind == "closed":
    ...         print(event.trial.number, event.trial.params, event.trial.status, end=" ")
    ...         print(round(event.score, 3))
    >>> tree = DecisionTreeClassifier(random_state=0)
    >>> search = ExhaustiveSearchCV(tree, {"max_depth": [1, 2]}, watch=tell)
    >>> search = search.fit(*load_iris(return_X_y=True))
    0 {'max_depth': 1} complete 0.667
    1 {'max_depth': 2} complete 0.933
    """

    kind: Literal["started", "result", "closed", "finished"]
    trial: Trial | None
    board: Board

    @property
    def score(self) -> float:
        """Mean score of the trial over the splits run so far; NaN without one, or if one failed."""
        return math.nan if self.trial is None else self.board.score(self.trial)


Watcher = Callable[[Event], None]


class StopSearch(Exception):
    """Raise it in a `watch=` callable to end the search in order.

    No further fit starts, fits that run in processes are ended, and the best candidate so far is
    refitted. The text of the exception is kept as the search's `stopped_`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from hpsearch import GPSearchCV, StopSearch
    >>> def good_enough(event):
    ...     if event.kind == "closed" and event.score > 0.9:
    ...         raise StopSearch("above 0.9")
    >>> tree = DecisionTreeClassifier(random_state=0)
    >>> space = {"max_depth": (1, 9), "min_samples_leaf": (1, 9)}
    >>> search = GPSearchCV(tree, space, n_iter=20, random_state=0, watch=good_enough)
    >>> search = search.fit(*load_iris(return_X_y=True))
    >>> search.stopped_, len(search.trials_)
    ('above 0.9', 1)
    """


class Evaluator(Protocol):
    """Turns tasks into results."""

    @property
    def horizon(self) -> int:
        """How many tasks are worth seeing at once, because some of them may share work."""

    def plan(self, tasks: Sequence[Task], slots: int) -> list[Job]:
        """Group tasks that share work into jobs, in the order in which to start them."""

    def prepare(self, job: Job) -> Callable[[], list[SplitResult]]:
        """Return the call, to be run anywhere, that gives one result a task."""

    def lost(self, task: Task, status: Status, error: str) -> SplitResult:
        """Return the result of a task whose call never came back."""


class Executor(Protocol):
    """Runs calls, here or elsewhere."""

    @property
    def slots(self) -> int:
        """How many calls run at a time."""

    @property
    def can_kill(self) -> bool:
        """Whether a call can be ended before it returns."""

    def share(self, value: T) -> Callable[[], T]:
        """Make an object available to calls."""

    def submit(self, key: int, call: Callable[[], Any], timeout: float | None = None) -> None:
        """Run a call as soon as a slot is free; end it after `timeout` seconds."""

    def wait(self, timeout: float | None = None) -> tuple[int, Any] | None:
        """Return the key of a call that ended, and what it returned or the exception it raised.

        None after `timeout` seconds in which no call ended.
        """


class Recorder(Protocol):
    """Writes down what happens; see `journal`."""

    def asked(self, trial: Trial) -> None:
        """A trial was started."""

    def finished(self, trial: Trial, result: SplitResult) -> None:
        """A task of a trial has a result."""

    def closed(self, trial: Trial) -> None:
        """A trial has its final status."""


class SearchAborted(RuntimeError):
    """The search cannot go on; what was computed is kept."""
