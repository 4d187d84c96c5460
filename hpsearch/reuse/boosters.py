"""Families of XGBoost, LightGBM and CatBoost; none of them is imported here.

Each is exact for what was tested, and only that is listed: boosting with dropout (dart) rescales
the earlier trees, and what stops early, or is watched by callbacks, depends on all rounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpsearch.reuse.family import Family, shallow_copy

WATCHED = ("eval_set", "callbacks", "xgb_model", "init_model", "early_stopping_rounds")


class XGBoost(Family):
    """Rounds of gradient boosted trees."""

    types = ("xgboost.XGBClassifier", "xgboost.XGBRegressor")
    name = "n_estimators"

    def holds(self, estimator: Any, fit_params: Mapping[str, Any]) -> bool:
        params = estimator.get_params()
        is_watched = any(params.get(name) is not None for name in WATCHED)
        return (
            not is_watched
            and not any(name in fit_params for name in WATCHED)
            and params.get("booster") in (None, "gbtree")
            and "process_type" not in params
        )

    def view(self, fitted: Any, value: Any) -> Any:
        whole = fitted.get_booster()
        view = shallow_copy(fitted)
        view._Booster = whole[:value]  # noqa: SLF001 - where the library itself puts it
        view._Booster.feature_names = whole.feature_names  # noqa: SLF001
        view._Booster.feature_types = whole.feature_types  # noqa: SLF001
        return view


class LightGBM(Family):
    """Iterations of gradient boosting, gradient-based sampling, or random forests."""

    types = ("lightgbm.LGBMClassifier", "lightgbm.LGBMRegressor")
    name = "n_estimators"

    def holds(self, estimator: Any, fit_params: Mapping[str, Any]) -> bool:
        others = estimator.get_params().keys() - type(estimator)().get_params().keys()
        return (
            not any(name in fit_params for name in WATCHED)
            and estimator.boosting_type in ("gbdt", "goss", "rf")
            and others <= LIGHTGBM_OTHERS
        )

    def view(self, fitted: Any, value: Any) -> Any:
        whole = fitted.booster_
        view = shallow_copy(fitted)
        cut = type(whole)(model_str=whole.model_to_string(num_iteration=value))
        cut.best_iteration = whole.best_iteration
        view._Booster = cut  # noqa: SLF001 - where the library itself puts it
        return view


# Parameters that its estimators take beside those of their constructors.
LIGHTGBM_OTHERS = {
    *("verbose", "verbosity", "bagging_fraction", "bagging_freq", "feature_fraction"),
    *("extra_trees", "linear_tree", "data_sample_strategy", "max_bin", "deterministic"),
    *("force_row_wise", "force_col_wise", "feature_fraction_bynode", "min_data_in_leaf"),
}


class CatBoost(Family):
    """Iterations, if the learning rate is given: the automatic one depends on their number."""

    types = ("catboost.CatBoostClassifier", "catboost.CatBoostRegressor")
    name = "iterations"
    parameters_at = ("_init_params", "_canonized_params")

    def holds(self, estimator: Any, fit_params: Mapping[str, Any]) -> bool:
        params = estimator.get_params()
        return (
            not any(name in fit_params for name in WATCHED)
            and params.get("learning_rate") is not None
            and params.keys() <= CATBOOST_TESTED
        )

    def value_of(self, estimator: Any) -> Any:
        return estimator.get_params().get(self.name)

    def set_value(self, estimator: Any, value: Any) -> None:
        params = {**estimator.get_params(), self.name: value}
        vars(estimator).update(_init_params=params, _canonized_params=None)

    def view(self, fitted: Any, value: Any) -> Any:
        view = fitted.copy()
        if value < view.tree_count_:
            view.shrink(ntree_end=value)
        return view


CATBOOST_TESTED = {
    *("iterations", "learning_rate", "depth", "l2_leaf_reg", "random_seed", "rsm"),
    *("loss_function", "border_count", "thread_count", "logging_level", "verbose", "silent"),
    *("boosting_type", "bootstrap_type", "subsample", "random_strength", "bagging_temperature"),
    *("cat_features", "class_weights", "auto_class_weights", "one_hot_max_size"),
    *("allow_writing_files",),
}

BOOSTER_FAMILIES: tuple[Family, ...] = (XGBoost(), LightGBM(), CatBoost())
