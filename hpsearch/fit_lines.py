"""The lines that scikit-learn's searches print for verbose > 1, from where the fit runs."""

from __future__ import annotations

from hpsearch.trial import SplitResult, Task


class FitLines:
    """The lines of one fit.

    Parameters
    ----------
    verbose : int
        As in GridSearchCV: more tells more.
    task : Task
        What is fitted.
    n_splits, n_candidates : int
        How many there are; the candidates None if unknown.
    """

    def __init__(self, verbose: int, task: Task, n_splits: int, n_candidates: int | None) -> None:
        self._verbose = verbose
        if verbose <= 1:
            return
        self._place = f" {task.split + 1}/{n_splits}" if verbose > 2 else ""
        if verbose > 9 and n_candidates is not None:
            self._place += f"; {task.trial + 1}/{n_candidates}"
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
