"""Early stopping at work: by which rows, and what comes of the rounds found.

Rows that stop a fit go through the steps before the booster as these were fitted on the training
rows of that very split. The rounds found in the splits are put together for the refit, which has
no rows to be stopped by.
"""

from __future__ import annotations

import numbers
import statistics
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import (
    GroupShuffleSplit,
    ShuffleSplit,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
)

from hpsearch.reuse.family import is_one_of
from hpsearch.reuse.shadows import shadowed
from hpsearch.splits import indices_of
from hpsearch.stopping.early import EarlyStopping
from hpsearch.stopping.stoppers import STOPPERS, Found, Stopper, Validation
from hpsearch.trial import Trial

AGGREGATES: dict[str, Callable[[Sequence[int]], float]] = {
    "mean": statistics.fmean,
    "median": statistics.median,
    "max": max,
}
STOPPED_AT = "stopped_at"  # in the details of a result: what a fit has found
WATCHED = ("eval_set", "eval_X", "X_val")  # by which a user's own validation rows are given


@dataclass(frozen=True, eq=False)
class Stopping:
    """Early stopping with the rows of a search.

    Parameters
    ----------
    early : EarlyStopping
        How.
    valid : sequence of ndarray, or None
        The validation rows of each split, taken from its training rows; None for the test rows.
    """

    early: EarlyStopping
    valid: Sequence[NDArray[Any]] | None

    @classmethod
    def on(
        cls,
        early: EarlyStopping,
        splits: Sequence[tuple[Any, Any]],
        y: Any,
        groups: Any,
        cv: Any,
        *,
        of_classes: bool,
    ) -> Stopping:
        """Choose the validation rows of each split."""
        if early.on == "test":
            return cls(early, None)
        share, valid = float(early.on), []
        for number, (train, _) in enumerate(splits):
            rows = indices_of(train)
            if isinstance(cv, TimeSeriesSplit):
                valid.append(rows[len(rows) - max(1, round(share * len(rows))) :])
                continue
            try:
                valid.append(_drawn(rows, share, y, groups, number, of_classes=of_classes))
            except ValueError as error:
                of = "rows" if groups is None else "groups"
                raise ValueError(
                    f"early_stopping: on={early.on!r}, and of the training {of} of split {number} "
                    f"no such share can be held back: {error} Give another share, fewer splits, "
                    "or on='test'."
                ) from error
        return cls(early, valid)

    def fits(self, estimator: Any) -> bool:
        """Whether an estimator is stopped early."""
        return stopper_of(self.early, estimator) is not None

    def rows(self, split: int, train: Any, test: Any) -> tuple[Any, Any]:
        """Return the rows to fit on, and those to be stopped by."""
        if self.valid is None:
            return train, test
        valid = self.valid[split]
        rows = indices_of(train)
        return rows[~np.isin(rows, valid)], valid

    def found(self, estimator: Any) -> Found:
        """What the fit of an estimator has found."""
        stopper = stopper_of(self.early, estimator)
        return {} if stopper is None else stopper.found(final_of(estimator))

    def fitter(
        self, estimator: Any, given: Mapping[str, Any], rows: Validation
    ) -> Callable[..., Any]:
        """Return what is called in the place of the estimator's `fit`, or of its last step's.

        Parameters
        ----------
        estimator : estimator
            To be fitted.
        given : mapping
            What its fit is given besides X and y.
        rows : Validation
            As they are before the first step, with what a fit on them would be given.
        """
        final, path = final_of(estimator), path_of_final(estimator)

        def fit_final(X: Any, y: Any = None, **params: Any) -> Any:
            stopper = stopper_of(self.early, final)
            theirs = {n: rows.params.get(_source(n, v, given, path)) for n, v in params.items()}
            valid = Validation(_transformed(estimator, rows.X), rows.y, theirs)
            stopper.fit(final, X, y, params, valid, int(self.early.rounds))  # type: ignore[union-attr]
            return final

        def fit(part: Any, X: Any, *targets: Any, **params: Any) -> Any:
            if part is final:
                return fit_final(X, *targets, **params)
            with shadowed(final, fit=fit_final):
                return type(part).fit(part, X, *targets, **params)

        return fit


def final_of(estimator: Any) -> Any:
    """The last step of an estimator's pipelines; the estimator itself, if it is none."""
    while getattr(estimator, "steps", None):
        estimator = estimator.steps[-1][1]
    return estimator


def path_of_final(estimator: Any) -> str:
    """By what names the last step is reached."""
    names = []
    while getattr(estimator, "steps", None):
        name, estimator = estimator.steps[-1]
        names.append(name)
    return "__".join(names)


def _transformed(estimator: Any, X: Any) -> Any:
    """What the last step is given of rows, with the steps before it fitted."""
    while getattr(estimator, "steps", None):
        if len(estimator.steps) > 1:
            X = estimator[:-1].transform(X)
        estimator = estimator.steps[-1][1]
    return X


def _source(name: str, value: Any, given: Mapping[str, Any], path: str) -> str:
    """By what name the caller has given a parameter that reaches the last step by `name`."""
    same = [key for key, own in given.items() if own is value]
    own = [key for key in (name, f"{path}__{name}") if key in given]
    return next(iter([*same, *own]), name)


def _drawn(
    rows: NDArray[Any], share: float, y: Any, groups: Any, seed: int, *, of_classes: bool
) -> NDArray[Any]:
    """Draw a share of rows: whole groups, or with the classes in proportion where that can be."""
    if groups is not None:
        draw: Any = GroupShuffleSplit(1, test_size=share, random_state=seed)
        return np.sort(rows[next(draw.split(rows, None, np.asarray(groups)[rows]))[1]])
    if of_classes:
        draw = StratifiedShuffleSplit(1, test_size=share, random_state=seed)
        with suppress(ValueError):  # a class of one row, or fewer rows than classes
            return np.sort(rows[next(draw.split(rows, np.asarray(y)[rows]))[1]])
    draw = ShuffleSplit(1, test_size=share, random_state=seed)
    return np.sort(rows[next(draw.split(rows))[1]])


def _is_count(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and int(value) > 0


def check(
    early: EarlyStopping, estimator: Any, searched: Collection[str], fit_params: Mapping[str, Any]
) -> None:
    """Raise ValueError for what cannot be used, before anything is fitted."""
    if not _is_count(early.rounds):
        raise ValueError(f"early_stopping: rounds={early.rounds!r} is not a positive integer.")
    is_share = isinstance(early.on, numbers.Real) and 0 < early.on < 1
    if not is_share and early.on != "test":
        raise ValueError(
            f"early_stopping: on={early.on!r} is neither 'test' nor a share of the training "
            "rows, between 0 and 1."
        )
    if not callable(early.aggregate) and early.aggregate not in AGGREGATES:
        raise ValueError(
            f"early_stopping: aggregate={early.aggregate!r} is neither callable nor one of "
            f"{', '.join(map(repr, AGGREGATES))}."
        )
    watched = [n for n in fit_params if n.rpartition("__")[2] in WATCHED]
    if watched:
        raise ValueError(
            f"early_stopping: fit was given {watched[0]!r} too, the same rows for every split "
            "and not transformed. Leave it out, or early_stopping."
        )
    final, path = final_of(estimator), path_of_final(estimator)
    stopper = stopper_of(early, estimator)
    is_searched = bool(path) and any(path == n or path.startswith(f"{n}__") for n in searched)
    if stopper is None and not is_searched:
        known = ", ".join(name.rpartition(".")[2] for s in STOPPERS for name in s.types)
        raise ValueError(
            f"early_stopping: {type(final).__name__} is not known to stop early. It must be "
            f"the estimator, or the last step of a Pipeline, and one of {known}; for another "
            "one pass a Stopper of yours, EarlyStopping(stoppers=[...])."
        )
    obstacle = None if stopper is None else stopper.obstacle(final)
    if obstacle is not None:
        raise ValueError(f"early_stopping: {obstacle}")


def types_of(early: EarlyStopping) -> set[str]:
    """Types of the estimators that are stopped."""
    return {name for stopper in (*early.stoppers, *STOPPERS) for name in stopper.types}


def stopper_of(early: EarlyStopping, estimator: Any) -> Stopper | None:
    """Who stops the last step of an estimator; None for one that has no rounds."""
    final = final_of(estimator)
    found = (s for s in (*early.stoppers, *STOPPERS) if is_one_of(final, s.types))
    return next(found, None)


def rounds_of(early: EarlyStopping, trial: Trial) -> tuple[int, list[Found]] | None:
    """What the splits of a trial come to, and what they found; None if nothing was found."""
    most = max((r.resource for r in trial.results), default=1.0)
    full = [r.details for r in trial.results if r.resource == most]
    found = [details[STOPPED_AT] for details in full if STOPPED_AT in details]
    if not found:
        return None
    rounds = [int(of["rounds"]) for of in found]
    how = early.aggregate
    together = how(rounds) if callable(how) else AGGREGATES[how](rounds)
    return max(1, round(together)), found


def settle(early: EarlyStopping, estimator: Any, trial: Trial) -> int | None:
    """Give an unfitted estimator the rounds that a trial has found; return them."""
    stopper, known = stopper_of(early, estimator), rounds_of(early, trial)
    if stopper is None or known is None:
        return None
    stopper.settle(final_of(estimator), *known)
    return known[0]


def columns(
    early: EarlyStopping, trials: Sequence[Trial], n_splits: int
) -> dict[str, NDArray[Any]]:
    """What `cv_results_` has of it: the rounds of each split, and what they come to."""
    table = np.full((len(trials), n_splits + 1), np.nan)
    for row, trial in zip(table, trials, strict=True):
        known = rounds_of(early, trial)
        row[-1] = np.nan if known is None else known[0]
        for result in trial.results:
            if STOPPED_AT in result.details:
                row[result.split] = result.details[STOPPED_AT]["rounds"]
    names = [*(f"split{i}_n_rounds" for i in range(n_splits)), "n_rounds"]
    return dict(zip(names, table.T.copy(), strict=True))
