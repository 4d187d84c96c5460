"""How boosting is stopped early inside of a cross-validation: what a user chooses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from hpsearch.stopping.stoppers import Stopper


@dataclass(frozen=True)
class EarlyStopping:
    """How boosting is stopped early; `early_stopping=50` is `EarlyStopping(50)`.

    `early_stopping=True` is `EarlyStopping()`.

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


def early_of(given: Any) -> EarlyStopping | None:
    """Read the argument of a search."""
    if given is None or isinstance(given, EarlyStopping):
        return given
    if isinstance(given, (bool, np.bool_)):
        return EarlyStopping() if given else None
    return EarlyStopping(int(given))
