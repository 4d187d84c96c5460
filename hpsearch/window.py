"""The same search for any number of workers: what a start may see, whenever results arrive.

Starts (of a new trial, or of a paused one's next stage) are numbered. Start k waits until those up
to k - size are over, and sees what came of these and of no others.
"""

from __future__ import annotations

from dataclasses import replace

from hpsearch.trial import Board, SplitResult, Status, Trial


class Window:
    """The starts of a search.

    Parameters
    ----------
    size : int
        Start k sees starts up to k - size; 1 is one after another.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._n_starts = 0
        self._latest: dict[int, int] = {}  # the latest start of each trial
        self._running: set[int] = set()  # trials
        self._starts: dict[tuple[int, float, int], int] = {}  # by trial, resource and split

    def begin(self, trial: Trial) -> None:
        """Note the start of a trial or of its next stage."""
        self._latest[trial.number] = self._n_starts
        self._running.add(trial.number)
        self._n_starts += 1

    def note(self, trial: Trial, result: SplitResult) -> None:
        """Note which start a result is of."""
        self._starts[_key(trial, result)] = self._latest[trial.number]

    def end(self, trial: Trial) -> None:
        """Note that a trial's stage is over."""
        self._running.discard(trial.number)

    def start_of(self, trial: Trial) -> int:
        """The number of a trial's latest start."""
        return self._latest[trial.number]

    def is_open(self) -> bool:
        """Whether all that the next start is to see is over."""
        last = self._n_starts - self._size
        return all(self._latest[number] > last for number in self._running)

    def seen(self, board: Board, start: int | None = None) -> Board:
        """Return the board as a start sees it, by default the next one."""
        last = (self._n_starts if start is None else start) - self._size
        trials = [self._cut(trial, last) for trial in board.trials]
        return replace(
            board,
            trials=trials,
            complete=[t for t in trials if t.status is Status.COMPLETE],
            paused=[t for t in trials if t.status is Status.PAUSED],
            stages={n: s for n, s in board.stages.items() if self._latest[n] <= last},
            memo={},
        )

    def _cut(self, trial: Trial, last: int) -> Trial:
        if self._latest[trial.number] <= last:
            return trial
        results = [r for r in trial.results if self._starts[_key(trial, r)] <= last]
        return Trial(trial.number, trial.params, Status.RUNNING, results)


def _key(trial: Trial, result: SplitResult) -> tuple[int, float, int]:
    return trial.number, result.resource, result.split
