"""How the estimators of each library are stopped early; none of them is imported here.

To add one, write a class and pass it: `EarlyStopping(stoppers=[Mine()])`.

    class Mine(Stopper):
        types = ("mylibrary.BoostedThing",)
        name = "n_rounds"

        def fit(self, model, X, y, params, valid, rounds):
            type(model).fit(model, X, y, watch=(valid.X, valid.y), patience=rounds, **params)

        def found(self, model):
            return {"rounds": model.best_round_}
"""

from __future__ import annotations

import inspect
import sys
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from hpsearch import _sklearn as bridge

Found = Mapping[str, float]


@dataclass(frozen=True)
class Validation:
    """Rows that a fit is stopped by: as the last step sees them, with their own parameters."""

    X: Any
    y: Any
    params: Mapping[str, Any]

    def only(self, names: Collection[str], suffix: str = "", prefix: str = "") -> dict[str, Any]:
        """Some of the parameters, in lists of one, by the names that they have for these rows."""
        given = {name: self.params[name] for name in names if self.params.get(name) is not None}
        return {f"{prefix}{name}{suffix}": [value] for name, value in given.items()}


class Stopper(ABC):
    """Estimators of one kind; a subclass sets `types` and `name`, and writes `fit` and `found`.

    Attributes
    ----------
    types : tuple of str
        Public names of the estimators, as they are imported. Subclasses of these do not belong.
    name : str
        The parameter that says how many rounds there are at most.
    """

    types: ClassVar[tuple[str, ...]] = ()
    name: ClassVar[str] = "n_estimators"

    def obstacle(self, model: Any) -> str | None:
        """Say why an estimator of this type cannot be stopped by given rows; None if it can."""
        return None

    @abstractmethod
    def fit(
        self,
        model: Any,
        X: Any,
        y: Any,
        params: dict[str, Any],
        valid: Validation,
        rounds: int,
    ) -> None:
        """Fit until `rounds` rounds bring nothing better on the validation rows.

        Its predictions must be those of the best round. Its parameters must be as they were.
        `type(model).fit` is to be called, not `model.fit`.
        """

    @abstractmethod
    def found(self, model: Any) -> Found:
        """Return the best round of a fitted estimator, from 1, as `rounds`.

        Other numbers that a fit of so many rounds on all rows needs may go with it.
        """

    def settle(self, model: Any, rounds: int, found: Sequence[Found]) -> None:
        """Make an unfitted estimator do so many rounds, with no validation rows."""
        model.set_params(**{self.name: rounds})


class XGBoost(Stopper):
    """Fits of XGBoost."""

    types = ("xgboost.XGBClassifier", "xgboost.XGBRegressor")

    def fit(
        self, model: Any, X: Any, y: Any, params: dict[str, Any], valid: Validation, rounds: int
    ) -> None:
        theirs = valid.only(("sample_weight", "base_margin"), suffix="_eval_set")
        watched = {"verbose": False, "eval_set": [(valid.X, valid.y)], **theirs}
        with _set(model, early_stopping_rounds=rounds):
            type(model).fit(model, X, y, **{**watched, **params})

    def found(self, model: Any) -> Found:
        return {"rounds": int(model.best_iteration) + 1}

    def settle(self, model: Any, rounds: int, found: Sequence[Found]) -> None:
        model.set_params(n_estimators=rounds, early_stopping_rounds=None)


class LightGBM(Stopper):
    """Fits of LightGBM."""

    types = ("lightgbm.LGBMClassifier", "lightgbm.LGBMRegressor")

    def fit(
        self, model: Any, X: Any, y: Any, params: dict[str, Any], valid: Validation, rounds: int
    ) -> None:
        stop = sys.modules["lightgbm"].early_stopping(rounds, verbose=False)
        callbacks = [*(params.pop("callbacks", None) or ()), stop]
        theirs = valid.only(("sample_weight", "init_score"), prefix="eval_")
        if "eval_X" in inspect.signature(type(model).fit).parameters:
            theirs |= {"eval_X": valid.X, "eval_y": valid.y}
        else:
            theirs["eval_set"] = [(valid.X, valid.y)]
        type(model).fit(model, X, y, callbacks=callbacks, **theirs, **params)

    def found(self, model: Any) -> Found:
        return {"rounds": int(model.best_iteration_) or int(model.n_estimators_)}

    def settle(self, model: Any, rounds: int, found: Sequence[Found]) -> None:
        given = model.get_params().keys()
        names = {"n_estimators", *(given & LIGHTGBM_ROUNDS)}
        model.set_params(**dict.fromkeys(names, rounds))
        model.set_params(**dict.fromkeys(given & LIGHTGBM_STOPS, 0))  # none


# Other names that LightGBM has for its parameters.
LIGHTGBM_ROUNDS = {
    *("num_iterations", "num_iteration", "n_iter", "num_tree", "num_trees", "num_round"),
    *("num_rounds", "nrounds", "num_boost_round", "max_iter"),
}
LIGHTGBM_STOPS = {
    *("early_stopping_round", "early_stopping_rounds", "early_stopping", "n_iter_no_change"),
}


class CatBoost(Stopper):
    """Fits of CatBoost."""

    types = ("catboost.CatBoostClassifier", "catboost.CatBoostRegressor")
    name = "iterations"

    def fit(
        self, model: Any, X: Any, y: Any, params: dict[str, Any], valid: Validation, rounds: int
    ) -> None:
        rows: Any = (valid.X, valid.y)
        weight, start = (valid.params.get(name) for name in ("sample_weight", "baseline"))
        if weight is not None or start is not None:
            kinds = model.get_params() | params
            given = {name: kinds.get(name) for name in CATBOOST_KINDS}
            pool = sys.modules["catboost"].Pool
            rows = pool(valid.X, valid.y, weight=weight, baseline=start, **given)
        watched = {"early_stopping_rounds": rounds, "use_best_model": True, **params}
        type(model).fit(model, X, y, eval_set=rows, **watched)

    def found(self, model: Any) -> Found:
        best = model.get_best_iteration()
        found: dict[str, float] = {"rounds": int(model.tree_count_ if best is None else best + 1)}
        # The automatic rate depends on how many rounds there may be: fewer would be faster ones.
        given = model.get_params()
        if given.get("learning_rate") is None and given.get("eta") is None:
            found["learning_rate"] = float(model.learning_rate_)
        return found

    def settle(self, model: Any, rounds: int, found: Sequence[Found]) -> None:
        given = model.get_params()
        name = next((alias for alias in CATBOOST_ROUNDS if alias in given), self.name)
        settled: dict[str, Any] = {name: rounds}
        rates = [of["learning_rate"] for of in found if "learning_rate" in of]
        if rates:
            settled["learning_rate"] = float(np.mean(rates))
        if given.get("use_best_model"):
            settled["use_best_model"] = False
        model.set_params(**settled)


CATBOOST_ROUNDS = ("iterations", "n_estimators", "num_boost_round", "num_trees")
CATBOOST_KINDS = ("cat_features", "text_features", "embedding_features")


class HistGradientBoosting(Stopper):
    """Fits of scikit-learn's gradient boosting on histograms."""

    types = (
        "sklearn.ensemble.HistGradientBoostingClassifier",
        "sklearn.ensemble.HistGradientBoostingRegressor",
    )
    name = "max_iter"

    def obstacle(self, model: Any) -> str | None:
        if "X_val" in inspect.signature(type(model).fit).parameters:
            return None
        return f"{type(model).__name__} takes validation rows from scikit-learn 1.7 on."

    def fit(
        self, model: Any, X: Any, y: Any, params: dict[str, Any], valid: Validation, rounds: int
    ) -> None:
        weight = valid.params.get("sample_weight")
        rows = {"X_val": valid.X, "y_val": valid.y, "sample_weight_val": weight}
        with _set(model, early_stopping=True, n_iter_no_change=rounds):
            type(model).fit(model, X, y, **rows, **params)
        # It stops some rounds after the best one, and keeps them all; the first is of no round.
        bridge.cut_iterations(model, 1 + int(np.argmax(model.validation_score_[1:])))

    def found(self, model: Any) -> Found:
        return {"rounds": int(model.n_iter_)}

    def settle(self, model: Any, rounds: int, found: Sequence[Found]) -> None:
        model.set_params(max_iter=rounds, early_stopping=False)  # else it may still stop by itself


@contextmanager
def _set(model: Any, **params: Any) -> Iterator[None]:
    """Give an estimator other values of its parameters for a while, and nothing but these."""
    before = {name: getattr(model, name) for name in params}
    vars(model).update(params)
    try:
        yield
    finally:
        vars(model).update(before)


STOPPERS: tuple[Stopper, ...] = (XGBoost(), LightGBM(), CatBoost(), HistGradientBoosting())
