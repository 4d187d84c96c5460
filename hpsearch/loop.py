"""The loop: ask, start, receive, judge, tell, stop.

It passes plain records between strangers: an optimizer proposes, an evaluator prepares, an
executor runs, a pruner judges, watchers look on. A slot that falls free gets the next split of a
started trial, or else a new trial, at once: nothing waits for a batch.
"""

from __future__ import annotations

import math
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from hpsearch.interrupts import Interrupts
from hpsearch.optimizers.base import Optimizer, SpaceExhausted
from hpsearch.pruners import NoPruner, Pruner, Verdict
from hpsearch.trial import (
    Board,
    FitTimeout,
    Job,
    SplitResult,
    Stage,
    Status,
    Task,
    Trial,
    WorkerLost,
)

JOB_SECONDS = 0.2  # a job should take about so long, so that sending it costs next to nothing
TASK_SECONDS = 0.0005  # what a task costs beside its fit
MAX_LOST_AT_FIRST = 5  # candidates, the first ones, that end their process, without a result
MAX_JOB_GROWTH = 2  # from one job to the next, since the first fits may be the cheap ones


@dataclass(frozen=True)
class Limits:
    """When to stop; None is no limit.

    `n_trials` counts trials; `max_time` is in seconds, the refit included if `refits`;
    `fit_timeout` is in seconds, for one task.
    """

    n_trials: int | None = None
    max_time: float | None = None
    fit_timeout: float | None = None
    refits: bool = True


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


class Loop:
    """One search.

    Parameters
    ----------
    optimizer : Optimizer
        Proposes candidates.
    evaluator : Evaluator
        Turns tasks into calls.
    executor : Executor
        Runs the calls; entered and left by the caller.
    metric : str
        The score that the optimizer is told.
    n_splits : int
        Splits of the cross-validation.
    limits : Limits
        When to stop.
    pruner : Pruner, default=NoPruner()
        Judges trials after each stage.
    n_ahead : int or None, default=None
        Jobs in flight, running or queued, while the optimizer does not learn; None for twice the
        slots. A learner always has as many as there are slots, so that no ask comes too early.
    journal : Recorder or None, default=None
        Told of each trial and result, before the optimizer is.
    watch : sequence of callables, default=()
        Called with each Event.
    intake : callable or None, default=None
        Called with each trial and its new result before anyone else: takes what a worker has sent
        along and nobody else is to see.

    Attributes
    ----------
    board : Board
        All trials so far, in order of number.
    interrupted : bool
        Whether Ctrl-C ended the loop.
    stopped : str or None
        Why it ended before its time: what a watcher said, "max_time", or "interrupted".
    """

    def __init__(
        self,
        optimizer: Optimizer,
        evaluator: Evaluator,
        executor: Executor,
        *,
        metric: str,
        n_splits: int,
        limits: Limits,
        pruner: Pruner | None = None,
        n_ahead: int | None = None,
        journal: Recorder | None = None,
        watch: Sequence[Watcher] = (),
        intake: Callable[[Trial, SplitResult], None] | None = None,
    ) -> None:
        self._optimizer = optimizer
        self._evaluator = evaluator
        self._executor = executor
        self._limits = limits
        self._pruner: Pruner = NoPruner() if pruner is None else pruner
        self._journal = journal
        self._watchers = list(watch)
        self._intake = intake
        self._trials: list[Trial] = []
        self.board = Board(metric, n_splits, self._trials)
        self.interrupted = False
        self.stopped: str | None = None
        self._stages: dict[int, Stage] = {}  # of trials that run one
        self._waiting: deque[Task] = deque()  # started, not planned
        self._planned: deque[Job] = deque()  # not submitted
        self._n_planned = 0  # tasks of those jobs
        self._in_flight: dict[int, Job] = {}  # by the number of the job
        self._n_jobs = 0
        self._is_exhausted = False
        self._job_size = 1
        self._suspects: deque[Task] = deque()  # one of them ended a process: each runs alone
        self._is_alone = False  # what is in flight is a suspect
        self._n_lost = 0
        self._began = time.monotonic()
        self._best_score = -math.inf
        self._refit_seconds = 0.0  # what the refit of the best so far should take
        learns = optimizer.learns
        self._most_in_flight = executor.slots if learns else n_ahead or 2 * executor.slots

    def restore(self, trials: Iterable[Trial]) -> None:
        """Go on from the trials of an earlier run, in order of number."""
        restored = list(trials)
        for trial in restored:
            self._trials.append(trial)
            self._optimizer.expect(trial.params)
        for trial in restored:
            if trial.status is not Status.RUNNING:
                self._optimizer.tell(trial.params, self.board.score(trial), cost=_cost(trial))
                continue
            stage = self._pruner.first(trial, self.board)
            self._enter(trial, stage)
            if trial.has(stage):
                self._judge(trial)

    def run(self) -> list[Trial]:
        """Run until a limit is reached; return the trials in order of number."""
        interrupts = Interrupts()
        try:
            with interrupts.deferred():
                self._fill()
                while self._in_flight and self.stopped in (None, "max_time"):
                    with interrupts.allowed():
                        ended = self._executor.wait(self._seconds_left())
                    if ended is None:  # out of time
                        self.stopped = "max_time"
                        break
                    self._receive(*ended)
                    self._fill()
        except KeyboardInterrupt:
            self.interrupted = True
            self.stopped = "interrupted"
        finally:
            self._close_unfinished()
            self._tell_watchers("finished", None)
        return self._trials

    def _seconds_left(self) -> float | None:
        """Seconds until the search must stop, time for the refit put aside."""
        if self._limits.max_time is None:
            return None
        left = self._limits.max_time - (time.monotonic() - self._began)
        return max(left - self._refit_seconds, 0.0)

    def _fill(self) -> None:
        """Give every free slot something to do."""
        if not self._in_flight:
            self._is_alone = bool(self._suspects)
            if self._is_alone:
                self._submit((self._suspects.popleft(),))
        if self._is_alone or self._suspects:
            return
        while len(self._in_flight) < self._most_in_flight and self._may_start():
            if len(self._planned) < self._job_size:
                self._plan()
            if not self._planned:
                return
            self._submit(self._next_job())

    def _may_start(self) -> bool:
        """Whether another fit may start; notes that time is up where there was more to do."""
        if self.stopped is None and self._seconds_left() == 0:
            most = self._limits.n_trials
            is_full = self._is_exhausted or (most is not None and len(self._trials) >= most)
            if self._waiting or self._planned or not is_full:
                self.stopped = "max_time"
        return self.stopped is None and self._seconds_left() != 0

    def _plan(self) -> None:
        """Group what waits, and what would be asked next whatever comes of it, into jobs."""
        # Of a fit that is shared nobody could say whose time is up.
        is_single = self._optimizer.learns or self._limits.fit_timeout is not None
        ahead = 1 if is_single else max(self._job_size, self._evaluator.horizon)
        while len(self._waiting) < ahead and self._start():
            pass
        tasks = list(self._waiting)
        self._waiting.clear()
        self._n_planned += len(tasks)
        if is_single:
            self._planned.extend((task,) for task in tasks)
        elif tasks:
            self._planned.extend(self._evaluator.plan(tasks, self._executor.slots))

    def _next_job(self) -> Job:
        """The next job, and those after it, as long as they are short."""
        job = self._planned.popleft()
        while self._planned and len(job) + len(self._planned[0]) <= self._job_size:
            job += self._planned.popleft()
        self._n_planned -= len(job)
        return job

    def _withdraw(self, trials: set[int]) -> list[Task]:
        """Take back what was started of some trials and not submitted."""
        waiting = [*self._waiting, *self._suspects, *(t for job in self._planned for t in job)]
        kept = [tuple(t for t in job if t.trial not in trials) for job in self._planned]
        self._planned = deque(filter(None, kept))
        self._n_planned = sum(map(len, self._planned))
        self._waiting = deque(t for t in self._waiting if t.trial not in trials)
        self._suspects = deque(t for t in self._suspects if t.trial not in trials)
        return [task for task in waiting if task.trial in trials]

    def _submit(self, job: Job) -> None:
        self._in_flight[self._n_jobs] = job
        timeout = self._limits.fit_timeout
        total = None if timeout is None else timeout * len(job)
        self._executor.submit(self._n_jobs, self._evaluator.prepare(job), total)
        self._n_jobs += 1

    def _start(self) -> bool:
        """Start a stage of a paused trial, or a new trial; False if there is nothing to start."""
        promoted = self._pruner.promote(self.board)
        if promoted is not None:
            self._enter(*promoted)
            return True
        n_trials = self._limits.n_trials
        if self._is_exhausted or (n_trials is not None and len(self._trials) >= n_trials):
            return False
        try:
            params = self._optimizer.ask()
        except SpaceExhausted:
            self._is_exhausted = True
            return False
        trial = Trial(len(self._trials), params)
        self._trials.append(trial)
        if self._journal is not None:
            self._journal.asked(trial)
        self._tell_watchers("started", trial)
        self._enter(trial, self._pruner.first(trial, self.board))
        return True

    def _enter(self, trial: Trial, stage: Stage) -> None:
        trial.status = Status.RUNNING
        self._stages[trial.number] = stage
        for split in trial.missing(stage):
            self._waiting.append(Task(trial.number, trial.params, split, stage.resource))

    def _receive(self, key: int, outcome: Any) -> None:
        job = self._in_flight.pop(key)
        if isinstance(outcome, WorkerLost) and not self._is_alone:
            self._suspects.extend(job)
            return
        if isinstance(outcome, (WorkerLost, FitTimeout)):
            self._give_up(job, outcome)
            return
        if isinstance(outcome, BaseException):
            raise outcome  # the user asked for it, by error_score="raise", or it is a fault of ours
        self._n_lost = -1  # the trouble is not with every candidate
        self._size_jobs(outcome)
        for task, result in zip(job, outcome, strict=True):
            self._record(self._trials[task.trial], result)

    def _give_up(self, job: Job, reason: WorkerLost | FitTimeout) -> None:
        """Close the books on what crashed or took too long, and on its candidate's other splits.

        Those could not save the candidate, and each would cost as much again.
        """
        status = Status.TIMEOUT if isinstance(reason, FitTimeout) else Status.CRASHED
        for task in self._withdraw({task.trial for task in job}):
            text = f"Not run after another split: {reason}"
            self._record(self._trials[task.trial], self._evaluator.lost(task, status, text))
        for task in job:
            self._record(self._trials[task.trial], self._evaluator.lost(task, status, str(reason)))
        if status is Status.CRASHED:
            self._count_lost(reason)

    def _count_lost(self, reason: Exception) -> None:
        if self._n_lost >= 0:
            self._n_lost += 1
        if self._n_lost == MAX_LOST_AT_FIRST:
            raise SearchAborted(
                f"The first {MAX_LOST_AT_FIRST} candidates all ended their process, each of them "
                f"alone, so the trouble is not with one of them. {reason} Try one fit, with "
                "n_jobs=1."
            )

    def _record(self, trial: Trial, result: SplitResult) -> None:
        if self._intake is not None:
            self._intake(trial, result)
        trial.results.append(result)
        if self._journal is not None:
            self._journal.finished(trial, result)
        self._tell_watchers("result", trial)
        stage = self._stages[trial.number]
        if trial.has(stage):
            self._judge(trial)

    def _judge(self, trial: Trial) -> None:
        """Ask what comes after the stage that has just been completed."""
        verdict = self._pruner.judge(trial, self.board)
        if isinstance(verdict, Stage):
            self._enter(trial, verdict)
            return
        del self._stages[trial.number]
        failed = next((r.status for r in trial.results if r.status.is_failure), None)
        trial.status = failed or _STATUS[verdict]
        score = self.board.score(trial)
        if self._limits.refits and trial.status is Status.COMPLETE and score > self._best_score:
            self._best_score = score
            # The refit has all rows, a fit those of all splits but one.
            times = [r.details.get("fit_time", 0.0) for r in trial.results]
            self._refit_seconds = math.fsum(times) / max(len(times) - 1, 1)
        self._optimizer.tell(trial.params, score, cost=_cost(trial))
        if verdict is not Verdict.PAUSE:
            if self._journal is not None:
                self._journal.closed(trial)
            self._close(trial)

    def _close(self, trial: Trial) -> None:
        trial.results.sort(key=lambda r: (r.resource, r.split))
        self._tell_watchers("closed", trial)

    def _close_unfinished(self) -> None:
        # Not in the journal, where they stay unfinished, so that another run can finish them.
        for trial in self._trials:
            if trial.status in (Status.RUNNING, Status.PAUSED):
                trial.status = Status.PRUNED
                self._close(trial)

    def _size_jobs(self, results: Sequence[SplitResult]) -> None:
        """Let short fits travel together, unless that would leave slots without work."""
        if self._executor.slots == 1 or self._optimizer.learns:
            return
        seconds = sum(map(_seconds, results)) + TASK_SECONDS * len(results)
        wanted = int(min(JOB_SECONDS / seconds, MAX_JOB_GROWTH) * len(results))
        if self._limits.n_trials is not None:
            left = (self._limits.n_trials - len(self._trials)) * self.board.n_splits
            left += len(self._waiting) + self._n_planned
            wanted = min(wanted, left // (2 * self._executor.slots))
        self._job_size = max(1, wanted)

    def _tell_watchers(
        self, kind: Literal["started", "result", "closed", "finished"], trial: Trial | None
    ) -> None:
        for watcher in tuple(self._watchers):
            try:
                watcher(Event(kind, trial, self.board))
            except StopSearch as stop:
                self.stopped = self.stopped or str(stop) or "StopSearch"
            except Exception as error:  # noqa: BLE001 - it looks on; what is computed is worth more
                self._watchers.remove(watcher)
                warnings.warn(
                    f"watch: {watcher!r} raised {error!r} on {kind!r}. It is not called again; the "
                    "search goes on. To end a search raise hpsearch.StopSearch.",
                    RuntimeWarning,
                    stacklevel=2,
                )


def _cost(trial: Trial) -> float:
    return sum(map(_seconds, trial.results))


def _seconds(result: SplitResult) -> float:
    return float(result.details.get("fit_time", 0.0) + result.details.get("score_time", 0.0))


_STATUS = {
    Verdict.DONE: Status.COMPLETE,
    Verdict.PAUSE: Status.PAUSED,
    Verdict.STOP: Status.PRUNED,
}
