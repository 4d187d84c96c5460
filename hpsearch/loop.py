"""The loop: ask, start, receive, judge, tell, stop.

It passes plain records between strangers: an optimizer proposes, an evaluator prepares, an
executor runs, a pruner judges, watchers look on. A slot that falls free gets the next split of a
started trial, or else a new trial, at once: nothing waits for a batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from hpsearch.backlog import Backlog
from hpsearch.books import Books
from hpsearch.budget import Budget
from hpsearch.interrupts import Interrupts
from hpsearch.optimizers.base import Optimizer, SpaceExhausted
from hpsearch.protocols import Evaluator, Executor, Limits, Recorder, SearchAborted, Watcher
from hpsearch.pruners import NoPruner, Pruner, Verdict
from hpsearch.telling import Teller
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
from hpsearch.window import Window

MAX_LOST_AT_FIRST = 5  # candidates, the first ones, that end their process, without a result
ROUNDS_AHEAD = 8  # of candidates for each slot, with max_time: all splits of these come first


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
        Jobs in flight, running or queued, while nothing depends on results; None for twice the
        slots. A learner and a pruner have as many as there are slots, so that nothing is decided
        too early.
    window : int or None, default=None
        If given, start number k (of a trial, or of a stage of a paused one) waits for starts up
        to k - window and sees their results alone: the search is the same for any number of slots.
    optimum : float, default=inf
        The greatest value of the metric.
    journal : Recorder or None, default=None
        Told of each trial and result, before the optimizer is.
    watch : sequence of callables, default=()
        Called with each Event.
    intake : callable or None, default=None
        Called with each trial and its new result before anyone else: takes what a worker has sent
        along and nobody else is to see.

    Attributes
    ----------
    interrupted : bool
        Whether Ctrl-C ended the loop.
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
        window: int | None = None,
        optimum: float = math.inf,
        journal: Recorder | None = None,
        watch: Sequence[Watcher] = (),
        intake: Callable[[Trial, SplitResult], None] | None = None,
    ) -> None:
        self._optimizer = optimizer
        self._evaluator = evaluator
        self._executor = executor
        self._limits = limits
        self._pruner: Pruner = NoPruner() if pruner is None else pruner
        # One whose trials all have one stage leaves nothing to be weighed before each ask.
        is_plain = type(self._pruner) is NoPruner
        self._prunes = not (is_plain or getattr(self._pruner, "is_told_at_once", False))
        self._window = None if window is None else Window(window)
        self._budget = Budget(limits)
        is_prompt = self._window is None and not self._prunes
        self._teller = Teller(optimizer, is_prompt=is_prompt)
        self._books = Books(
            metric,
            n_splits,
            self._budget,
            self._teller,
            self._window,
            optimum=optimum,
            learns=optimizer.learns,
            journal=journal,
            watch=watch,
            intake=intake,
        )
        self._trials, self._stages = self._books.trials, self._books.stages
        self.interrupted = False
        # Of a fit that is shared nobody could say whose time is up.
        is_timed = limits.fit_timeout is not None
        self._is_single = optimizer.learns or is_timed or limits.one_by_one
        self._backlog = Backlog(evaluator, executor.slots, is_single=self._is_single)
        self._in_flight: dict[int, Job] = {}  # by the number of the job
        self._n_jobs = 0
        self._is_exhausted = False
        self._is_alone = False  # what is in flight is a suspect
        self._n_lost = 0
        # One result after another makes the same search each time, if each comes in its turn.
        self._replays = self._window is None and self._prunes and executor.slots == 1
        decides = optimizer.learns or self._prunes
        self._most_in_flight = executor.slots if decides else n_ahead or 2 * executor.slots

    @property
    def board(self) -> Board:
        """All trials so far, in order of number."""
        return self._books.board

    @property
    def stopped(self) -> str | None:
        """Why it ended before its time: what a watcher said, "max_time", or "interrupted"."""
        return self._books.stopped

    def restore(self, trials: Iterable[Trial]) -> None:
        """Go on from the trials of an earlier run, in order of number."""
        restored = list(trials)
        if self._window is not None or self._replays:
            # What a start went by is not written down: everything is decided again, and a fit that
            # comes up is not run if its result is there.
            self._books.past = {trial.number: trial for trial in restored}
            return
        for trial in restored:
            self._trials.append(trial)
            self._optimizer.expect(trial.params)
            if trial.status is Status.COMPLETE:
                self._books.complete.append(trial)
        for trial in restored:
            if trial.status is not Status.RUNNING:
                self._teller.ended(trial, self._books.board)
                continue
            self._enter(trial, self._pruner.stage(trial, self._books.board))

    def run(self) -> list[Trial]:
        """Run until a limit is reached; return the trials in order of number."""
        interrupts = Interrupts()
        try:
            with interrupts.deferred():
                self._fill()
                while self._in_flight and self._books.stopped in (None, "max_time"):
                    with interrupts.allowed():
                        ended = self._executor.wait(self._budget.seconds_left())
                    if ended is None:  # out of time
                        self._books.stopped = "max_time"
                        break
                    self._receive(*ended)
                    self._fill()
        except KeyboardInterrupt:
            self.interrupted = True
            self._books.stopped = "interrupted"
        finally:
            self._books.close()
        return self._trials

    def _fill(self) -> None:
        """Give every free slot something to do."""
        backlog = self._backlog
        if not self._in_flight:
            self._is_alone = bool(backlog.suspects)
            if self._is_alone:
                self._submit((backlog.suspects.popleft(),))
        if self._is_alone or backlog.suspects:
            return
        while len(self._in_flight) < self._most_in_flight and self._may_start():
            if backlog.is_low:
                self._start()
            job = backlog.take()
            if job is None:
                return
            self._submit(job)

    def _may_start(self) -> bool:
        """Whether another fit may start; notes that time is up where there was more to do."""
        is_time = self._budget.allows_fit()
        if self._books.stopped is None and not is_time:
            is_full = self._is_final()
            if len(self._backlog) or not is_full:
                self._books.stopped = "max_time"
        return self._books.stopped is None and is_time

    def _start(self) -> None:
        """Start what would be started next whatever comes of it, and plan it together."""
        backlog, ahead = self._backlog, self._n_ahead()
        if self._window is None:
            while backlog.n_waiting < backlog.job_size and self._promote():
                pass
            if backlog.n_waiting and self._prunes:
                ahead = 0
        while backlog.n_waiting < ahead and (self._promote() or self._ask()):
            pass
        if not len(backlog):
            self._hasten()
        backlog.plan()

    def _n_ahead(self) -> int:
        """How many tasks to see at once, because some of them may share work."""
        if self._is_single or self._window is not None:
            return 1  # what is started may depend on what comes of the last start
        ahead = max(self._backlog.job_size, self._evaluator.horizon)
        if self._limits.max_time is not None:
            most = ROUNDS_AHEAD * self._executor.slots * self._books.board.n_splits
            ahead = max(self._backlog.job_size, min(ahead, most))
        return ahead

    def _submit(self, job: Job) -> None:
        """Have a job run, but for what an earlier run has of it."""
        for task in job:
            if self._books.recall(task):
                self._judge(self._trials[task.trial])
        job = tuple(task for task in job if self._books.known(task) is None)
        if not job:
            return
        self._in_flight[self._n_jobs] = job
        timeout = self._limits.fit_timeout
        total = None if timeout is None else timeout * len(job)
        self._executor.submit(self._n_jobs, self._evaluator.prepare(job), total)
        self._n_jobs += 1

    def _is_final(self) -> bool:
        """Whether no trials will be added."""
        most = self._limits.n_trials
        return self._is_exhausted or (most is not None and len(self._trials) >= most)

    def _seen(self) -> Board | None:
        """The board that the next start goes by; None if it has to wait for results."""
        if self._window is None:
            return self._books.board
        return self._window.seen(self._books.board) if self._window.is_open() else None

    def _promote(self) -> bool:
        """Start, or close, a paused trial if one deserves it; False if none does."""
        if not self._prunes:
            return False
        if self._is_final() and not self._books.board.is_final:
            self._books.board = replace(self._books.board, is_final=True)
        board = self._seen()
        move = None if board is None else self._pruner.promote(board)
        if move is None:
            return False
        trial, verdict = self._trials[move[0].number], move[1]
        self._books.paused.remove(trial)
        if isinstance(verdict, Stage):
            self._begin(trial, verdict)
        else:
            self._books.end(trial, verdict)
        return True

    def _ask(self) -> bool:
        """Start a new trial; False if there is none to start."""
        board = None if self._is_final() else self._seen()
        if board is None:
            return False
        self._teller.before_ask(board)
        try:
            trial = self._next()
        except SpaceExhausted:
            self._is_exhausted = True
            return self._promote()  # there may be more that deserve it now
        self._books.open(trial)
        self._begin(trial, self._pruner.stage(trial, board))
        return True

    def _next(self) -> Trial:
        """Return the next trial: the earlier run's, if it has one of that number, or a new one."""
        number = len(self._trials)
        if number in self._books.past:
            params = self._books.past[number].params
            self._optimizer.expect(params)
        else:
            params = self._optimizer.ask()
        return Trial(number, params)

    def _hasten(self) -> None:
        """Let a slot that would stay idle run ahead of what is decided."""
        if self._prunes and self._window is None:
            move = self._pruner.hasten(self._books.board)
            if move is not None and isinstance(move[1], Stage):
                self._enter(move[0], move[1])

    def _begin(self, trial: Trial, stage: Stage) -> None:
        if self._window is not None:
            self._window.begin(trial)
        self._enter(trial, stage)

    def _enter(self, trial: Trial, stage: Stage) -> None:
        """Let a trial run a stage; what of it is under way already is not run again."""
        trial.status = Status.RUNNING
        before = self._stages.get(trial.number)
        known = () if before is None or before.resource != stage.resource else before.splits
        missing = trial.missing(stage)
        tasks = [Task(trial.number, trial.params, split, stage.resource) for split in missing]
        if self._replays and self._books.close_as_before(trial, tasks):
            return
        self._stages[trial.number] = stage
        for task in tasks:
            is_known = not self._replays and self._books.recall(task)
            if not is_known and task.split not in known:
                self._backlog.add(task)
        self._judge(trial)

    def _receive(self, key: int, outcome: Any) -> None:
        job = self._in_flight.pop(key)
        if isinstance(outcome, WorkerLost) and not self._is_alone:
            self._backlog.suspects.extend(job)
            return
        if isinstance(outcome, (WorkerLost, FitTimeout)):
            self._give_up(job, outcome)
            return
        if isinstance(outcome, BaseException):
            raise outcome  # the user asked for it, by error_score="raise", or it is a fault of ours
        self._n_lost = -1  # the trouble is not with every candidate
        self._backlog.size_jobs(outcome, self._n_to_come())
        for task, result in zip(job, outcome, strict=True):
            self._record(task, result)

    def _record(self, task: Task, result: SplitResult) -> None:
        trial = self._trials[task.trial]
        self._books.record(trial, result)
        self._judge(trial)

    def _give_up(self, job: Job, reason: WorkerLost | FitTimeout) -> None:
        """Close the books on what crashed or took too long, and on its candidate's other splits.

        Those could not save the candidate, and each would cost as much again.
        """
        status = Status.TIMEOUT if isinstance(reason, FitTimeout) else Status.CRASHED
        for task in job:
            self._record(task, self._evaluator.lost(task, status, str(reason)))
        for task in self._backlog.withdraw({task.trial for task in job}):
            text = f"Not run after another split: {reason}"
            self._record(task, self._evaluator.lost(task, status, text))
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

    def _judge(self, trial: Trial) -> None:
        """Ask what comes after a trial's stage, once that is complete."""
        if not trial.has(self._stages[trial.number]):
            return
        board = self._books.board
        if self._window is not None:
            board = self._window.seen(board, self._window.start_of(trial))
        failed = any(result.status.is_failure for result in trial.results)
        verdict = Verdict.DONE if failed else self._pruner.judge(trial, board)
        if isinstance(verdict, Stage):
            self._enter(trial, verdict)
            return
        del self._stages[trial.number]
        if self._window is not None:
            self._window.end(trial)
        self._books.end(trial, verdict)

    def _n_to_come(self) -> int | None:
        """Tasks of trials that are not started; None if there is no end of them."""
        most = self._limits.n_trials
        return None if most is None else (most - len(self._trials)) * self._books.board.n_splits
