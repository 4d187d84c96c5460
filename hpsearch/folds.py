"""The rows of a split, cut once and lent to every candidate."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hpsearch import _sklearn as bridge
from hpsearch.resources import nested_order
from hpsearch.reuse.lending import aligned, frozen, lent, n_bytes
from hpsearch.reuse.store import Store
from hpsearch.reuse.values import Key
from hpsearch.splits import indices_of
from hpsearch.trial import Task
from hpsearch.work import Work


@dataclass(slots=True)
class Rows:
    """Training or test rows: X, y, and what a method is given besides them."""

    X: Any
    y: Any
    fit_params: Mapping[str, Any]
    score_params: Mapping[str, Any]
    is_lent: bool = False  # read-only, others use them too


@dataclass(slots=True)
class Fold:
    """The rows of one split, for estimators that take X as it is or as a kernel.

    `valid` are those that a fit is stopped by: None, or the test rows, or some of their own.
    """

    key: Key
    train: Rows
    test: Rows
    n_test_rows: int
    valid: Rows | None = None

    @property
    def parts(self) -> list[Rows]:
        """The training rows, the test rows, and the validation rows if they are others."""
        has_own = self.valid is not None and self.valid is not self.test
        return [self.train, self.test, *([self.valid] if has_own and self.valid else [])]


def fold_key(work: Work, task: Task, estimator: Any) -> Key:
    """What the rows depend on: of a precomputed kernel other columns are taken."""
    share = task.resource if work.resource is not None and work.resource.is_rows else 1.0
    is_stopped = work.stopping is not None and work.stopping.fits(estimator)
    return "fold", task.split, share, bridge.is_pairwise(estimator), is_stopped


def cut(work: Work, task: Task, estimator: Any) -> Fold:
    """Cut the rows of a task's split out of the data."""
    train, test = work.splits[task.split]
    valid = None
    if work.stopping is not None and work.stopping.fits(estimator):
        train, valid = work.stopping.rows(task.split, train, test)
    train, seen = (bridge.as_indices(work.X, r) for r in (_share(work, task, train), test))
    fit_params = bridge.params_of_rows(work.X, work.fit_params, train)
    train_params, test_params = (
        bridge.params_of_rows(work.X, work.score_params, rows) if work.score_params else {}
        for rows in (train, seen)
    )
    X_test, y_test = bridge.take_rows(estimator, work.X, work.y, seen, train)
    fold = Fold(
        fold_key(work, task, estimator),
        Rows(*bridge.take_rows(estimator, work.X, work.y, train), fit_params, train_params),
        Rows(X_test, y_test, {}, test_params),
        bridge.n_rows(X_test),
    )
    if valid is not None:
        rows = bridge.as_indices(work.X, valid)
        theirs = bridge.params_of_rows(work.X, work.fit_params, rows)
        if valid is test:
            fold.test.fit_params = theirs
            fold.valid = fold.test
        else:
            fold.valid = Rows(*bridge.take_rows(estimator, work.X, work.y, rows, train), theirs, {})
    return fold


def _share(work: Work, task: Task, train: Any) -> Any:
    """The training rows of a task; with a share of the rows, so many of them."""
    if work.resource is None or not work.resource.is_rows:
        return train
    train = indices_of(train)
    n_rows = int(work.resource.amount(task.resource, len(train)))
    if n_rows >= len(train):
        return train
    order = nested_order(work.y, train, work.is_stratified, task.split)
    return np.sort(order[:n_rows])


class Folds:
    """Folds that can be lent, as many as the store has room for.

    Parameters
    ----------
    work : Work
        What is searched.
    store : Store
        Where they are kept.
    """

    def __init__(self, work: Work, store: Store) -> None:
        self._work = work
        self._store = store
        self.can_lend = True  # False once something could not be made safe to lend

    def get(self, task: Task, estimator: Any, key: Key) -> tuple[Fold, bool]:
        """Return the fold of a key, and whether it is frozen: for others to use too."""
        if self.can_lend:
            fold = self._store.get(key)
            if fold is not None:
                return fold, True
        began = time.perf_counter()
        fold = cut(self._work, task, estimator)
        if not self.can_lend:
            return fold, False
        if not self._freeze(fold):
            self.can_lend = False
            return cut(self._work, task, estimator), False
        seconds = time.perf_counter() - began
        self._store.put(fold.key, fold, seconds=seconds, n_bytes=n_bytes(_contents(fold)))
        return fold, True

    def _freeze(self, fold: Fold) -> bool:
        for rows in fold.parts:
            rows.X = aligned(rows.X)
        return all(
            value is None or frozen(value) is not None
            for value in _contents(fold)
            if not self._is_users(value)
        )

    def lend(self, value: Any) -> Any:
        """A handle to something cut for a fold; the user's own is passed on as it is."""
        return value if self._is_users(value) else lent(value)

    def _is_users(self, value: Any) -> bool:
        """Whether it was passed on whole, not cut."""
        given = (*self._work.fit_params.values(), *self._work.score_params.values())
        return any(value is g for g in given)


def _contents(fold: Fold) -> list[Any]:
    found = []
    for rows in fold.parts:
        found += [rows.X, rows.y, *rows.fit_params.values(), *rows.score_params.values()]
    return found
