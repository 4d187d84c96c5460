"""The books of a search: its trials, what came of them, and whoever is told of it.

A result is on its trial, in the journal and with the watchers before anything is decided by it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Literal

from hpsearch.budget import Budget
from hpsearch.protocols import Event, Recorder, StopSearch, Watcher
from hpsearch.pruners import Verdict
from hpsearch.telling import Teller
from hpsearch.trial import Board, SplitResult, Stage, Status, Task, Trial
from hpsearch.window import Window

STATUS = {
    Verdict.DONE: Status.COMPLETE,
    Verdict.PAUSE: Status.PAUSED,
    Verdict.STOP: Status.PRUNED,
}


class Books:
    """The trials of one search; see `Loop` for the parameters.

    Attributes
    ----------
    trials, complete, paused : list of Trial
        All in order of number; those with that status in the order in which they came to it.
    stages : dict of int to Stage
        Of trials that run one.
    board : Board
        These, as pruners and watchers see them.
    past : dict of int to Trial
        Of an earlier run, that this one goes through again.
    stopped : str or None
        Why the search ends before its time.
    """

    def __init__(
        self,
        metric: str,
        n_splits: int,
        budget: Budget,
        teller: Teller,
        window: Window | None,
        *,
        optimum: float = math.inf,
        learns: bool = False,
        journal: Recorder | None = None,
        watch: Sequence[Watcher] = (),
        intake: Callable[[Trial, SplitResult], None] | None = None,
    ) -> None:
        self._budget = budget
        self._teller = teller
        self._window = window
        self._journal = journal
        self._watchers = list(watch)
        self._intake = intake
        self.trials: list[Trial] = []
        self.complete: list[Trial] = []
        self.paused: list[Trial] = []
        self.stages: dict[int, Stage] = {}
        parts = (self.trials, self.complete, self.paused, self.stages)
        self.board = Board(metric, n_splits, *parts, optimum=optimum, learns=learns)
        self.past: dict[int, Trial] = {}
        self.stopped: str | None = None

    def open(self, trial: Trial) -> None:
        """Enter a new trial."""
        self.trials.append(trial)
        if trial.number not in self.past:
            if self._journal is not None:
                self._journal.asked(trial)
            self._tell("started", trial)

    def record(self, trial: Trial, result: SplitResult) -> None:
        """Enter a result that has just come."""
        if self._intake is not None:
            self._intake(trial, result)
        self.note(trial, result)
        if self._journal is not None:
            self._journal.finished(trial, result)
        self._tell("result", trial)

    def note(self, trial: Trial, result: SplitResult) -> None:
        """Put a result on its trial."""
        trial.results.append(result)
        self._budget.note_fit(result)
        if self._window is not None:
            self._window.note(trial, result)

    def end(self, trial: Trial, verdict: Verdict) -> None:
        """Give a trial the status that it has from now on."""
        past = self.past.get(trial.number)
        if verdict is Verdict.STOP and self._window is None and past is not None:
            _add_missing(trial, past)  # by more workers, or towards another n_iter: they are spent
            verdict = Verdict.DONE if past.status is Status.COMPLETE else verdict
        failed = next((r.status for r in trial.results if r.status.is_failure), None)
        trial.status = failed or STATUS[verdict]
        if trial.status.is_final:
            self.board.memo.clear()
        if trial.status is Status.COMPLETE:
            self.complete.append(trial)
            self._budget.note_complete(trial, self.board.score(trial))
        self._teller.ended(trial, self.board)
        if trial.status is Status.PAUSED:
            self.paused.append(trial)
            return
        if past is not None and past.status is trial.status:
            trial.results.sort(key=_place)
            return
        if self._journal is not None:
            self._journal.closed(trial)
        self._close(trial)

    def known(self, task: Task) -> SplitResult | None:
        """Return what an earlier run, that this one goes through again, has of a task."""
        past = self.past.get(task.trial)
        return None if past is None else past.result(task.split, task.resource)

    def recall(self, task: Task) -> bool:
        """Enter what an earlier run has of a task; whether it has anything."""
        result = self.known(task)
        if result is not None:
            self.note(self.trials[task.trial], result)
        return result is not None

    def close_as_before(self, trial: Trial, tasks: Sequence[Task]) -> bool:
        """End a trial that an earlier run has ended, and without some of these tasks.

        That run had more workers, or another `n_iter`: it decided otherwise, and what has ended
        stays so. Whether there was such a run is returned.
        """
        past = self.past.get(trial.number)
        if past is None or not past.status.is_final or all(map(self.known, tasks)):
            return False
        self.stages.pop(trial.number, None)
        self.end(trial, Verdict.STOP)  # which leaves a complete one complete
        return True

    def close(self) -> None:
        """Enter what this run has not come to of an earlier one; end all that is unfinished."""
        self._recall()
        # Not in the journal, where they stay unfinished, so that another run can finish them.
        for trial in self.trials:
            if not trial.status.is_final:
                trial.status = Status.PRUNED
                self._close(trial)
        self._tell("finished", None)

    def _recall(self) -> None:
        for number, past in sorted(self.past.items()):
            if number == len(self.trials):
                self.trials.append(past)
                continue
            trial = self.trials[number]
            if past.status.is_final and not trial.status.is_final:
                trial.status = past.status
            _add_missing(trial, past)

    def _close(self, trial: Trial) -> None:
        trial.results.sort(key=_place)
        self._tell("closed", trial)

    def _tell(
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


def _add_missing(trial: Trial, past: Trial) -> None:
    """Add the results that a trial has of an earlier run alone."""
    trial.results += [r for r in past.results if not trial.result(r.split, r.resource)]


def _place(result: SplitResult) -> tuple[float, int]:
    return result.resource, result.split
