"""The families of scikit-learn, each with the conditions under which it is exact."""

from __future__ import annotations

import math
import numbers
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp

from hpsearch import _sklearn as bridge
from hpsearch.reuse.family import Family, shallow_copy

SMALL = 500  # rows and columns up to which PCA's "auto" is a full decomposition


class GradientBoosting(Family):
    """Stages, early stopping included: the stage to stop at does not depend on the last one."""

    types: ClassVar[tuple[str, ...]] = (
        "sklearn.ensemble.GradientBoostingClassifier",
        "sklearn.ensemble.GradientBoostingRegressor",
    )
    name = "n_estimators"

    def holds(self, estimator: Any, fit_params: Mapping[str, Any]) -> bool:
        return "monitor" not in fit_params  # it sees the whole, and may stop it

    def view(self, fitted: Any, value: Any) -> Any:
        view = shallow_copy(fitted)
        n_stages = min(value, fitted.n_estimators_)
        view.n_estimators_ = n_stages
        for name in ("estimators_", "train_score_", "oob_improvement_", "oob_scores_"):
            if hasattr(fitted, name):
                setattr(view, name, getattr(fitted, name)[:n_stages])
        if hasattr(view, "oob_scores_"):
            view.oob_score_ = view.oob_scores_[-1]
        return view


class HistGradientBoosting(Family):
    """Iterations, early stopping included, whatever it looks at."""

    types: ClassVar[tuple[str, ...]] = (
        "sklearn.ensemble.HistGradientBoostingClassifier",
        "sklearn.ensemble.HistGradientBoostingRegressor",
    )
    name = "max_iter"

    def view(self, fitted: Any, value: Any) -> Any:
        view = shallow_copy(fitted)
        bridge.cut_iterations(view, value)
        for name in ("train_score_", "validation_score_"):
            setattr(
                view, name, getattr(fitted, name)[: value + 1]
            )  # before the first, and after each
        return view


class Forest(Family):
    """Trees, each of which draws its seed in turn."""

    types: ClassVar[tuple[str, ...]] = (
        "sklearn.ensemble.RandomForestClassifier",
        "sklearn.ensemble.RandomForestRegressor",
        "sklearn.ensemble.ExtraTreesClassifier",
        "sklearn.ensemble.ExtraTreesRegressor",
    )
    name = "n_estimators"

    def holds(self, estimator: Any, fit_params: Mapping[str, Any]) -> bool:
        return estimator.oob_score is False

    def view(self, fitted: Any, value: Any) -> Any:
        view = shallow_copy(fitted)
        view.estimators_ = fitted.estimators_[:value]
        return view


class Bagging(Family):
    """Members, each of which draws its seed in turn."""

    types: ClassVar[tuple[str, ...]] = (
        "sklearn.ensemble.BaggingClassifier",
        "sklearn.ensemble.BaggingRegressor",
    )
    name = "n_estimators"
    cut: ClassVar[tuple[str, ...]] = ("estimators_", "estimators_features_", "_seeds")

    def holds(self, estimator: Any, fit_params: Mapping[str, Any]) -> bool:
        return estimator.oob_score is False

    def view(self, fitted: Any, value: Any) -> Any:
        view = shallow_copy(fitted)
        for name in self.cut:
            if hasattr(fitted, name):
                setattr(view, name, getattr(fitted, name)[:value])
        return view


class Isolation(Bagging):
    """Trees; with a number as contamination the offset depends on all of them."""

    types: ClassVar[tuple[str, ...]] = ("sklearn.ensemble.IsolationForest",)
    cut = (*Bagging.cut, "_decision_path_lengths", "_average_path_length_per_tree")

    def holds(self, estimator: Any, fit_params: Mapping[str, Any]) -> bool:
        return isinstance(estimator.contamination, str)


class AdaBoost(Family):
    """Members and their weights; the arrays of weights have an entry for those left out, too."""

    types: ClassVar[tuple[str, ...]] = (
        "sklearn.ensemble.AdaBoostClassifier",
        "sklearn.ensemble.AdaBoostRegressor",
    )
    name = "n_estimators"

    def view(self, fitted: Any, value: Any) -> Any:
        view = shallow_copy(fitted)
        for name in ("estimators_", "estimator_weights_", "estimator_errors_"):
            setattr(view, name, getattr(fitted, name)[:value])
        return view


class Pruning(Family):
    """Cost-complexity pruning: the tree is grown in full, then cut back."""

    types: ClassVar[tuple[str, ...]] = (
        "sklearn.tree.DecisionTreeClassifier",
        "sklearn.tree.DecisionTreeRegressor",
    )
    name = "ccp_alpha"

    def accepts(self, value: Any) -> bool:
        is_real = isinstance(value, numbers.Real) and not isinstance(value, bool)
        return is_real and 0 <= value < math.inf

    def fitted_at(self, values: Collection[Any], estimator: Any, X: Any) -> Any:
        return 0.0

    def serves(self, at: Any, value: Any, fitted: Any) -> bool:
        return bool(at == 0)

    def view(self, fitted: Any, value: Any) -> Any:
        return bridge.pruned(shallow_copy(fitted), value)


class ForestPruning(Pruning):
    """The same for each tree of a forest."""

    types = Forest.types

    def holds(self, estimator: Any, fit_params: Mapping[str, Any]) -> bool:
        return estimator.oob_score is False

    def view(self, fitted: Any, value: Any) -> Any:
        view = shallow_copy(fitted)
        view.estimators_ = [bridge.pruned(shallow_copy(t), value) for t in fitted.estimators_]
        return view


class ExactPCA(Family):
    """Components of a decomposition that is computed in full whatever their number."""

    types: ClassVar[tuple[str, ...]] = ("sklearn.decomposition.PCA",)
    name = "n_components"

    def holds(self, estimator: Any, fit_params: Mapping[str, Any]) -> bool:
        # What the decomposition gives for the training rows is cut as an array.
        is_exact = estimator.svd_solver in ("full", "covariance_eigh", "auto")
        return is_exact and bridge.gives_arrays(estimator)

    def fitted_at(self, values: Collection[Any], estimator: Any, X: Any) -> Any:
        if type(X) is not np.ndarray and not hasattr(X, "iloc"):
            return None  # sparse, or another array library: another decomposition
        n_rows, n_columns = X.shape
        if max(values) > min(X.shape) or sp.issparse(X):
            return None
        if estimator.svd_solver == "covariance_eigh" and n_columns > n_rows:
            return None  # its noise is a mean over more values than a fit can have components
        by_shape = (n_columns <= 1000 and n_rows >= 10 * n_columns) or max(X.shape) <= SMALL
        return min(X.shape) if estimator.svd_solver != "auto" or by_shape else None

    def view(self, fitted: Any, value: Any) -> Any:
        view = shallow_copy(fitted)
        view.n_components_ = value
        variance = fitted.explained_variance_
        # Sums over memory in another order, or products with another layout, differ in the last
        # bit: both are as the fit leaves them.
        is_full = bridge.pca_is_svd(fitted)
        rest = (variance if is_full else np.flip(np.flip(variance).copy()))[value:]
        view.noise_variance_ = np.mean(rest) if len(rest) else 0.0
        for name in (
            "components_",
            "explained_variance_",
            "explained_variance_ratio_",
            "singular_values_",
        ):
            setattr(view, name, np.array(getattr(fitted, name)[:value], copy=True, order="K"))
        return view

    def output(self, fitted: Any, output: Any, value: Any) -> Any:
        return (
            output[:, :value] if bridge.pca_is_svd(fitted) and type(output) is np.ndarray else None
        )


SKLEARN_FAMILIES: tuple[Family, ...] = (
    GradientBoosting(),
    HistGradientBoosting(),
    Forest(),
    Bagging(),
    Isolation(),
    AdaBoost(),
    Pruning(),
    ForestPruning(),
    ExactPCA(),
)
