"""What is shown while a search runs. Each display is a watcher: a callable of one Event."""

from __future__ import annotations

import math
from typing import Any

from hpsearch.loop import Event, Watcher


def watchers_for(verbose: int, n_trials: int | None) -> list[Watcher]:
    """Return the displays of a verbosity: a line that moves, unless each fit prints its own."""
    if verbose != 1:
        return []
    try:
        from tqdm.auto import tqdm  # noqa: PLC0415 - an optional extra
    except ImportError:
        return []
    return [ProgressLine(tqdm(total=n_trials, unit="candidate"))]


class ProgressLine:
    """One line: candidates done, time left, the best score so far, failures.

    Parameters
    ----------
    bar : tqdm.tqdm
        What draws the line.
    """

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._best = -math.inf
        self._n_failed = 0

    def __call__(self, event: Event) -> None:
        if event.kind == "finished":
            self._bar.close()
        elif event.kind == "closed" and event.trial is not None:
            score = event.board.score(event.trial)
            self._best = max(self._best, score) if score == score else self._best  # noqa: PLR0124
            self._n_failed += event.trial.status.is_failure
            told = [] if math.isinf(self._best) else [f"best={self._best:.4g}"]
            told += [f"failed={self._n_failed}"] if self._n_failed else []
            self._bar.set_postfix_str(", ".join(told), refresh=False)
            self._bar.update()
