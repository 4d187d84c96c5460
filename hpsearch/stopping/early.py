"""Early stopping inside of a cross-validation: by which rows, and what comes of the rounds found.

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
from typing import Any, Literal

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
from hpsearch.stopping.stoppers import STOPPERS, Found, Stopper, Validation
from hpsearch.trial import Trial

AGGREGATES: dict[str, Callable[[Sequence[int]], float]] = {
    "mean": statistics.fmean,
    "median": statistics.median,
    "max": max,
}
STOPPED_AT = "stopped_at"  # in the details of a result: what a fit has found
WATCHED = ("eval_set", "eval_X", "X_val")  # by which a user's own validation rows are given


@dataclass(frozen=True)
class EarlyStopping:
    """How boosting is stopped early; `early_stopping=50` is `EarlyStopping(50)`.

    The estimator, or the last step of its Pipeline, is one of LightGBM's, XGBoost's or CatBoost's
    classifiers and regressors, or scikit-learn's HistGradientBoosting (from 1.7 on). Its number of
    rounds (`n_estimators`, `iterations`, `max_iter`) is the most that there may be. What "better"
    means is its own matter, too: set `eval_metric`, `metric` or `scoring` on the estimator.

    Parameters
    ----------
    rounds : int, default=50
        A fit ends when so many rounds have brought nothing better on the validation rows; it
        predicts with the best round.
    on : float or "test", default=0.1
        The validation rows: a share of the training rows of each split, which are then not fitted
        on (with the classes in proportion; whole groups, if `groups` are given; the last rows, if
        `cv` is a TimeSeriesSplit). Or "test", the test rows of the split: nothing is lost for the
        fit, but then the scores are of rows that have chosen the number of rounds, and so too good.
    aggregate : {"mean", "median", "max"} or callable, default="mean"
        Makes of the rounds found in the splits of the best candidate the number of rounds of the
        refit, on all rows. A callable takes a list of int.
    stoppers : sequence of Stopper, default=()
        Estimators of other libraries; see `Stopper`.

    Notes
    -----
    With a share, the score is of models like the one that is refitted, found without the test
    rows. Where training rows are few, a share of them is missed; the refit has all of them, and
    about as many rounds as were right for fewer.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from hpsearch import EarlyStopping, ExhaustiveSearchCV
    >>> model = make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=500))
    >>> grid = {"histgradientboostingclassifier__learning_rate": [0.1, 0.3]}
    >>> search = ExhaustiveSearchCV(model, grid, cv=3, early_stopping=EarlyStopping(5))
    >>> search = search.fit(*load_breast_cancer(return_X_y=True))
    >>> search.n_rounds_ < 500
    True
    >>> search.best_estimator_[-1].max_iter == search.n_rounds_
    True
    """

    rounds: int = 50
    on: float | Literal["test"] = 0.1
    aggregate: Literal["mean", "median", "max"] | Callable[[Sequence[int]], float] = "mean"
    stoppers: Sequence[Stopper] = ()

    @classmethod
    def of(cls, given: Any) -> EarlyStopping | None:
        """Read the argument of a search."""
        return given if given is None or isinstance(given, cls) else cls(int(given))

    def check(
        self, estimator: Any, searched: Collection[str], fit_params: Mapping[str, Any]
    ) -> None:
        """Raise ValueError for what cannot be used, before anything is fitted."""
        if not _is_count(self.rounds):
            raise ValueError(f"early_stopping: rounds={self.rounds!r} is not a positive integer.")
        is_share = isinstance(self.on, numbers.Real) and 0 < self.on < 1
        if not is_share and self.on != "test":
            raise ValueError(
                f"early_stopping: on={self.on!r} is neither 'test' nor a share of the training "
                "rows, between 0 and 1."
            )
        if not callable(self.aggregate) and self.aggregate not in AGGREGATES:
            raise ValueError(
                f"early_stopping: aggregate={self.aggregate!r} is neither callable nor one of "
                f"{', '.join(map(repr, AGGREGATES))}."
            )
        watched = [n for n in fit_params if n.rpartition("__")[2] in WATCHED]
        if watched:
            raise ValueError(
                f"early_stopping: fit was given {watched[0]!r} too, the same rows for every split "
                "and not transformed. Leave it out, or early_stopping."
            )
        final, path = final_of(estimator), path_of_final(estimator)
        stopper = self.stopper_of(estimator)
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

    @property
    def types(self) -> set[str]:
        """Of the estimators that are stopped."""
        return {name for stopper in (*self.stoppers, *STOPPERS) for name in stopper.types}

    def stopper_of(self, estimator: Any) -> Stopper | None:
        """Who stops the last step of an estimator; None for one that has no rounds."""
        final = final_of(estimator)
        found = (s for s in (*self.stoppers, *STOPPERS) if is_one_of(final, s.types))
        return next(found, None)

    def rounds_of(self, trial: Trial) -> tuple[int, list[Found]] | None:
        """What the splits of a trial come to, and what they found; None if nothing was found."""
        most = max((r.resource for r in trial.results), default=1.0)
        full = [r.details for r in trial.results if r.resource == most]
        found = [details[STOPPED_AT] for details in full if STOPPED_AT in details]
        if not found:
            return None
        rounds = [int(of["rounds"]) for of in found]
        how = self.aggregate
        together = how(rounds) if callable(how) else AGGREGATES[how](rounds)
        return max(1, round(together)), found

    def settle(self, estimator: Any, trial: Trial) -> int | None:
        """Give an unfitted estimator the rounds that a trial has found; return them."""
        stopper, known = self.stopper_of(estimator), self.rounds_of(trial)
        if stopper is None or known is None:
            return None
        stopper.settle(final_of(estimator), *known)
        return known[0]

    def columns(self, trials: Sequence[Trial], n_splits: int) -> dict[str, NDArray[Any]]:
        """What `cv_results_` has of it: the rounds of each split, and what they come to."""
        table = np.full((len(trials), n_splits + 1), np.nan)
        for row, trial in zip(table, trials, strict=True):
            known = self.rounds_of(trial)
            row[-1] = np.nan if known is None else known[0]
            for result in trial.results:
                if STOPPED_AT in result.details:
                    row[result.split] = result.details[STOPPED_AT]["rounds"]
        names = [*(f"split{i}_n_rounds" for i in range(n_splits)), "n_rounds"]
        return dict(zip(names, table.T.copy(), strict=True))


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
            rows = _as_numbers(train)
            if isinstance(cv, TimeSeriesSplit):
                valid.append(rows[len(rows) - max(1, round(share * len(rows))) :])
            else:
                valid.append(_drawn(rows, share, y, groups, number, of_classes=of_classes))
        return cls(early, valid)

    def fits(self, estimator: Any) -> bool:
        """Whether an estimator is stopped early."""
        return self.early.stopper_of(estimator) is not None

    def rows(self, split: int, train: Any, test: Any) -> tuple[Any, Any]:
        """Return the rows to fit on, and those to be stopped by."""
        if self.valid is None:
            return train, test
        valid = self.valid[split]
        rows = _as_numbers(train)
        return rows[~np.isin(rows, valid)], valid

    def found(self, estimator: Any) -> Found:
        """What the fit of an estimator has found."""
        stopper = self.early.stopper_of(estimator)
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
            stopper = self.early.stopper_of(final)
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


def _as_numbers(rows: Any) -> NDArray[Any]:
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows


def _is_count(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and int(value) > 0
