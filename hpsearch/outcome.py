"""What a search found, as the summary, the pictures and the rules that choose again read it.

c, k      complete candidates (each split has a score), and splits
S         their scores, (c, k), greater is better
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch import _sklearn as bridge
from hpsearch.dimensions import Categorical, Dimension, Ordinal
from hpsearch.space import Space, dimension_of
from hpsearch.timing import cost_of
from hpsearch.trial import Board, Params, Status, Trial

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Outcome:
    """A finished search.

    Attributes
    ----------
    name : str
        Class of the search and of its estimator.
    estimator : estimator
        What was searched for, unfitted.
    metric : str
        The score that candidates are judged by.
    trials : sequence of Trial
        In order of number.
    split_sizes : sequence of (int, int)
        Training and test rows of each split.
    space : Space
        Where the candidates come from.
    chosen : int or None
        The number of the winner, None if none was picked.
    stopped : str or None
        Why the search ended early.
    is_exhaustive : bool
        Whether every candidate of the space was to be evaluated.
    by_process : bool
        Whether a Gaussian process proposed the candidates.
    """

    name: str
    estimator: Any
    metric: str
    trials: Sequence[Trial]
    split_sizes: Sequence[tuple[int, int]]
    space: Space
    chosen: int | None
    stopped: str | None
    is_exhaustive: bool
    by_process: bool = False

    @property
    def board(self) -> Board:
        return Board(self.metric, len(self.split_sizes), self.trials)

    @cached_property
    def complete(self) -> list[Trial]:
        """The trials with a finite score on every split, at the full resource."""
        return [t for t in self.trials if t.status is Status.COMPLETE and self._scores(t)]

    def _scores(self, trial: Trial) -> list[float] | None:
        found = {r.split: r.scores.get(self.metric, math.nan) for r in trial.results}
        scores = [found.get(i, math.nan) for i in range(len(self.split_sizes))]
        return scores if all(map(math.isfinite, scores)) else None

    @cached_property
    def S(self) -> Array:  # noqa: N802 - a matrix
        """Scores of the complete trials, (c, k)."""
        rows = [self._scores(trial) or [] for trial in self.complete]
        return np.array(rows, dtype=float).reshape(len(rows), len(self.split_sizes))

    @cached_property
    def means(self) -> Array:
        """Mean scores of the complete trials, (c,)."""
        means: Array = self.S.mean(axis=1) if self.complete else np.zeros(0)
        return means

    @cached_property
    def best(self) -> int | None:
        """The place among the complete trials of the winner; of the best if none was picked."""
        numbers = [trial.number for trial in self.complete]
        if not numbers:
            return None
        if self.chosen in numbers:
            return numbers.index(self.chosen)
        return int(np.argmax(self.means))

    @cached_property
    def failed(self) -> list[Trial]:
        return [t for t in self.trials if t.status.is_failure]

    @cached_property
    def test_share(self) -> float:
        """Test rows for each training row, on average."""
        train, test = np.sum(self.split_sizes, axis=0)
        return float(test / train) if train else 0.0

    @cached_property
    def seconds(self) -> Array:
        """Seconds of fits and scoring of the complete trials, (c,)."""
        return np.array([cost_of(trial) for trial in self.complete])

    def defaults(self) -> int | None:
        """The place of the estimator's own parameters among the complete trials, if they are."""
        own = self.estimator.get_params()
        for place, trial in enumerate(self.complete):
            if trial.params and all(n in own and _same(v, own[n]) for n, v in trial.params.items()):
                return place
        return None


def observed_space(trials: Sequence[Trial]) -> Space:
    """Return the space of the values that were tried, where nothing better is known."""
    branches: dict[tuple[str, ...], dict[str, list[Any]]] = {}
    for trial in trials:
        branch = branches.setdefault(tuple(sorted(trial.params)), {n: [] for n in trial.params})
        for name, value in trial.params.items():
            branch[name].append(value)
    return Space([{n: observed(v) for n, v in b.items()} for b in branches.values()] or [{}])


def observed(values: Sequence[Any]) -> Dimension:
    """Return the dimension of the values that were tried of one parameter."""
    try:
        return Ordinal(list(values))
    except TypeError:  # not all of them are numbers
        return Categorical(list(values))


def space_of_lists(given: Any, trials: Sequence[Trial]) -> Space:
    """Return the space of a search in which a tuple is values, as in scikit-learn.

    Distributions of which only draws are known have the values that were drawn.
    """
    branches = [given] if isinstance(given, Mapping) else list(given)
    return Space([{n: _dimension(n, v, trials) for n, v in branch.items()} for branch in branches])


def _dimension(name: str, values: Any, trials: Sequence[Trial]) -> Dimension:
    try:
        return dimension_of(name, list(values) if isinstance(values, tuple) else values)
    except TypeError:
        return observed([t.params[name] for t in trials if name in t.params] or [None])


def owner_of(estimator: Any, name: str, params: Params) -> Any:
    """Return the part of a candidate that a parameter belongs to, None if there is none."""
    path = name.rpartition("__")[0]
    holder = params.get(path) if path in params else estimator.get_params().get(path)
    return estimator if not path else holder


def _same(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if isinstance(a, bool) is not isinstance(b, bool):
        return False
    if bridge.is_estimator(a) and type(a) is type(b):
        mine, other = a.get_params(deep=False), b.get_params(deep=False)
        return mine.keys() == other.keys() and all(_same(mine[n], other[n]) for n in mine)
    try:
        return bool(a == b)
    except Exception:  # noqa: BLE001 - arrays and the like; not told to be the same
        return False


def outcome_of(search: Any) -> Outcome:
    """Return what a fitted search found; raise NotFittedError if it is not fitted."""
    if not hasattr(search, "_outcome"):
        raise TypeError(
            f"{type(search).__name__}: this is drawn of a fitted search of hpsearch, such as "
            "ExhaustiveSearchCV or GPSearchCV."
        )
    outcome: Outcome = search._outcome()  # noqa: SLF001 - for readers in this package
    return outcome
