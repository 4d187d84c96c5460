"""What is shown while a search runs. Each display is a watcher: a callable of one Event."""

from __future__ import annotations

import importlib.util
import itertools
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol, TextIO

import numpy as np

from hpsearch.brief import short_params, short_score, short_time
from hpsearch.protocols import Event, Watcher
from hpsearch.timing import TimeModel, cost_of
from hpsearch.trial import Board, Params, Status, Trial

REDRAW = 0.2  # seconds between two looks at the board, whose time grows with the trials
FIRST_LINE, MAX_WAIT, SLOWER = 2.0, 60.0, 1.5  # seconds between lines of a log, and their growth
MIN_TIMED = 3  # candidates, before time is told
MAX_LISTED = 500  # candidates still to come whose times are predicted


def watchers_of(watch: Watcher | Sequence[Watcher] | None) -> list[Watcher]:
    """Return what a user gave as `watch=` as a list."""
    if watch is None:
        return []
    given = list(watch) if isinstance(watch, Iterable) and not callable(watch) else [watch]
    for watcher in given:
        if not callable(watcher):
            raise TypeError(
                f"watch: {watcher!r} cannot be called. Give a callable that takes one "
                "hpsearch.Event, or a list of them."
            )
    return given


def watchers_for(
    verbose: int,
    n_trials: int | None,
    listed: Iterable[Params] | None = None,
    max_time: float | None = None,
    metric: str | None = None,
) -> list[Watcher]:
    """Return the displays of a verbosity: a live line, unless each fit prints its own.

    Parameters
    ----------
    verbose : int
        As in `BaseSearchCV`.
    n_trials : int or None
        How many candidates there are at most.
    listed : iterable of dict or None
        The candidates, where they are known beforehand, in the order of their numbers.
    max_time : float or None
        Seconds that the search may take.
    metric : str or None
        The score to show of the best, if not the one that the search goes by.
    """
    if verbose != 1:
        return []
    left = TimeLeft(n_trials, listed, max_time)
    return [ProgressLine(_line(n_trials), left, metric=metric)]


class Line(Protocol):
    """Where progress is drawn."""

    every: float  # seconds between two draws

    def draw(self, n_done: int, told: Sequence[str]) -> None:
        """Show how many candidates are done, and what else is to be told."""

    def close(self, n_done: int, told: Sequence[str]) -> None:
        """Show the end."""


def _line(n_trials: int | None) -> Line:
    """Return a bar for a terminal or a notebook, and lines for whatever else."""
    in_notebook = _in_notebook()
    needed = ["tqdm", "ipywidgets"] if in_notebook else ["tqdm"]
    if not (in_notebook or _in_terminal()) or not all(map(importlib.util.find_spec, needed)):
        return LogLines(n_trials, sys.stderr)
    from tqdm.auto import tqdm  # noqa: PLC0415 - an optional extra

    options = {} if in_notebook else {"bar_format": _BAR, "dynamic_ncols": True}
    return Bar(tqdm(total=n_trials, unit="candidate", **options))


_BAR = "{bar:12} {n_fmt}/{total_fmt} candidates{postfix}"


def _in_terminal() -> bool:
    """Whether the standard error is a terminal that can go back on a line, and has a width."""
    if os.environ.get("TERM") == "dumb":
        return False
    try:
        return sys.stderr.isatty() and os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except (AttributeError, OSError):  # there is none, or an editor's window that has no number
        return False


def _in_notebook() -> bool:
    """Whether this is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in getattr(shell, "config", ())


class Bar:
    """A bar that moves, drawn by tqdm.

    Parameters
    ----------
    bar : tqdm.tqdm
        What draws it.
    """

    every = REDRAW

    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def draw(self, n_done: int, told: Sequence[str]) -> None:
        self._bar.n = n_done
        self._bar.set_postfix_str(", ".join(told), refresh=False)
        self._bar.refresh()

    def close(self, n_done: int, told: Sequence[str]) -> None:
        self.draw(n_done, told)
        self._bar.close()


class LogLines:
    """Whole lines, ever more seldom, without control codes: for files and pipes.

    Parameters
    ----------
    n_trials : int or None
        How many candidates there are at most.
    file : text stream
        Where to write.
    """

    def __init__(self, n_trials: int | None, file: TextIO) -> None:
        self._total = "" if n_trials is None else f"/{n_trials}"
        self._file = file
        self.every = FIRST_LINE

    def draw(self, n_done: int, told: Sequence[str]) -> None:
        line = ", ".join([f"{n_done}{self._total} candidates", *told])
        print(line, file=self._file, flush=True)
        self.every = min(self.every * SLOWER, MAX_WAIT)

    def close(self, n_done: int, told: Sequence[str]) -> None:
        self.draw(n_done, told)


class ProgressLine:
    """One live line: done, the best so far, failed, pruned, the time left.

    Parameters
    ----------
    line : Line
        Where it is drawn.
    left : TimeLeft
        Predicts the time left.
    clock : callable
        Gives seconds.
    metric : str or None
        The score to show of the best, if not the one that the search goes by.
    """

    def __init__(
        self,
        line: Line,
        left: TimeLeft,
        clock: Callable[[], float] = time.monotonic,
        metric: str | None = None,
    ) -> None:
        self._metric = metric
        self._line = line
        self._left = left
        self._clock = clock
        self._began = self._last = clock()

    def __call__(self, event: Event) -> None:
        now = self._clock()
        elapsed = now - self._began
        if event.kind == "result" and event.trial is not None:
            self._left.add(event.trial)
        if event.kind == "finished":
            counts = _counts(event.board)
            told = [*_told(event.board, counts, self._metric), f"in {short_time(elapsed)}"]
            self._line.close(_n_done(counts), told)
        elif now - self._last >= self._line.every:
            self._last = now
            counts = _counts(event.board)
            seconds = self._left.seconds(event.board, elapsed)
            left = [] if seconds is None else [f"{short_time(seconds)} left"]
            self._line.draw(_n_done(counts), [*_told(event.board, counts, self._metric), *left])


def _counts(board: Board) -> dict[Status, int]:
    counts = dict.fromkeys(Status, 0)
    for trial in board.trials:
        counts[trial.status] += 1
    return counts


def _n_done(counts: dict[Status, int]) -> int:
    return sum(counts.values()) - counts[Status.RUNNING]


def _told(board: Board, counts: dict[Status, int], metric: str | None) -> list[str]:
    shown = replace(board, metric=metric or board.metric)
    best = board.best() or shown.best()
    told = []
    if best is not None:
        params = short_params(best.params)
        score = shown.score(best)
        told.append(f"best {short_score(score)}" + (f" ({params})" if params else ""))
    n_failed = sum(n for status, n in counts.items() if status.is_failure)
    told += [f"{n_failed} failed"] if n_failed else []
    n_pruned = counts[Status.PRUNED]
    return told + ([f"{n_pruned} pruned"] if n_pruned else [])


class TimeLeft:
    """Predicts how long the search goes on.

    The seconds of the candidates that are left, by a `TimeModel` of those that are done, divided
    by how many seconds of fits a second of this search has brought so far: that takes in workers,
    overhead, and what candidates share.

    Parameters
    ----------
    n_trials : int or None
        How many candidates there are at most; no prediction without it.
    listed : iterable of dict or None
        The candidates, where they are known beforehand, in the order of their numbers.
    max_time : float or None
        Seconds that the search may take.
    """

    def __init__(
        self, n_trials: int | None, listed: Iterable[Params] | None, max_time: float | None
    ) -> None:
        self._n_trials = n_trials
        self._listed = listed
        self._max_time = max_time
        self._spent = 0.0  # seconds of fits in this run
        self._sample: list[tuple[int, Params]] | None = None  # with their numbers
        self._model: tuple[int, TimeModel] | None = None  # with how many candidates it is of

    def add(self, trial: Trial) -> None:
        """Take note of a trial's latest result."""
        self._spent += trial.results[-1].seconds

    def seconds(self, board: Board, elapsed: float) -> float | None:
        """Return the seconds left, None if that cannot be said yet.

        Parameters
        ----------
        board : Board
            The search so far.
        elapsed : float
            Seconds since it began.
        """
        limit = None if self._max_time is None else max(self._max_time - elapsed, 0.0)
        work = self._work_left(board)
        if work is None or self._spent <= 0:
            return limit
        seconds = work * elapsed / self._spent
        return seconds if limit is None else min(seconds, limit)

    def _work_left(self, board: Board) -> float | None:
        """Seconds of fits that are still to be done."""
        done = [t for t in board.trials if t.status is not Status.RUNNING and t.results]
        if self._n_trials is None or len(done) < MIN_TIMED:
            return None
        n_left = self._n_trials - len(done)
        begun = math.fsum(cost_of(t) for t in board.trials if t.status is Status.RUNNING)
        numbers = {t.number for t in done}
        left = [params for number, params in self._known() if number not in numbers]
        if left:
            each = float(np.mean(self._fitted(done).predict(left)))
        else:  # a learner stays near where it was last
            recent = done[-max(MIN_TIMED, len(done) // 4) :]
            each = math.fsum(map(cost_of, recent)) / len(recent)
        return max(n_left * each - begun, 0.0)

    def _known(self) -> list[tuple[int, Params]]:
        """Some of the candidates that are known beforehand."""
        if self._sample is None:
            if self._listed is None or self._n_trials is None:
                self._sample = []
            elif hasattr(self._listed, "__getitem__"):  # a grid: any of a million at once
                step = max(1, self._n_trials // MAX_LISTED)
                self._sample = [(i, self._listed[i]) for i in range(0, self._n_trials, step)]
            else:
                self._sample = list(enumerate(itertools.islice(self._listed, MAX_LISTED)))
        return self._sample

    def _fitted(self, done: Sequence[Trial]) -> TimeModel:
        """The model of those that are done, made anew when they are a quarter more."""
        if self._model is None or len(done) >= 1.25 * self._model[0]:
            model = TimeModel([t.params for t in done], [cost_of(t) for t in done])
            self._model = len(done), model
        return self._model[1]
