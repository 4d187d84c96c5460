"""XGBoost, LightGBM and CatBoost, where they are installed.

pip install xgboost lightgbm catboost && pytest tests/reuse/test_boosters.py -m slow
"""

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_classification, make_regression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.reuse.same import assert_same, n_shared, shared

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

BINARY = make_classification(300, 8, random_state=0)
IRIS = load_iris(return_X_y=True)
NUMBERS = make_regression(200, 6, noise=5, random_state=0)
SIZES = [1, 2, 5, 12]


def made(name, **params):
    module, _, own = name.partition(".")
    quiet = {
        "xgboost": {"n_jobs": 1, "random_state": 0},
        "lightgbm": {"n_jobs": 1, "verbose": -1, "random_state": 0, "min_child_samples": 5},
        "catboost": {
            "thread_count": 1,
            "verbose": 0,
            "random_seed": 0,
            "allow_writing_files": False,
        },
    }[module]
    return getattr(pytest.importorskip(module), own)(**{**quiet, **params})


XGB, XGBR = "xgboost.XGBClassifier", "xgboost.XGBRegressor"
LGBM, LGBMR = "lightgbm.LGBMClassifier", "lightgbm.LGBMRegressor"
CAT, CATR = "catboost.CatBoostClassifier", "catboost.CatBoostRegressor"

SHARED = [
    (XGB, {}, BINARY),
    (XGB, {"subsample": 0.5, "colsample_bytree": 0.5, "colsample_bynode": 0.7}, IRIS),
    (XGB, {"tree_method": "exact", "num_parallel_tree": 2}, BINARY),
    (XGB, {"grow_policy": "lossguide", "max_leaves": 5, "base_score": 0.3}, BINARY),
    (XGBR, {"tree_method": "approx", "objective": "reg:absoluteerror"}, NUMBERS),
    (LGBM, {}, BINARY),
    (LGBM, {"subsample": 0.5, "subsample_freq": 1, "colsample_bytree": 0.5}, IRIS),
    (LGBM, {"class_weight": "balanced", "extra_trees": True}, BINARY),
    (LGBM, {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, BINARY),
    (LGBM, {"data_sample_strategy": "goss"}, BINARY),
    (LGBMR, {"linear_tree": True}, NUMBERS),
    (CAT, {"learning_rate": 0.1}, BINARY),
    (CAT, {"learning_rate": 0.1, "bootstrap_type": "Bernoulli", "subsample": 0.5}, IRIS),
    (CAT, {"learning_rate": 0.1, "boosting_type": "Ordered", "rsm": 0.5}, BINARY),
    (CATR, {"learning_rate": 0.3, "bootstrap_type": "MVS", "subsample": 0.6}, NUMBERS),
]
REFUSED = [
    (XGB, {"booster": "dart", "rate_drop": 0.5}, BINARY),
    (XGB, {"booster": "gblinear"}, BINARY),
    ("xgboost.XGBRFClassifier", {}, BINARY),
    (LGBM, {"boosting_type": "dart"}, BINARY),
    (LGBM, {"early_stopping_round": None}, BINARY),
    (CAT, {}, BINARY),
    (CAT, {"learning_rate": 0.1, "langevin": True}, BINARY),
    (CAT, {"learning_rate": 0.1, "model_shrink_rate": 0.1}, BINARY),
    (CAT, {"learning_rate": 0.1, "grow_policy": "Depthwise"}, BINARY),
]


def size_of(name):
    return "iterations" if name.startswith("catboost") else "n_estimators"


@pytest.mark.parametrize(("name", "params", "data"), SHARED, ids=[f"{r[0]} {r[1]}" for r in SHARED])
def test_rounds(name, params, data):
    """One model serves all numbers of rounds, and every score is that of a fit of its own."""
    depth = "depth" if name.startswith("catboost") else "max_depth"
    grid = {size_of(name): SIZES, depth: [2, 3]}
    search = assert_same(made(name, **params), grid, *data)
    assert n_shared(search, "submodel") == 3 * 3 * 2


@pytest.mark.parametrize(
    ("name", "params", "data"), REFUSED, ids=[f"{r[0]} {r[1]}" for r in REFUSED]
)
def test_not_shared(name, params, data):
    """Where rounds depend on those that follow, nothing is shared."""
    search = assert_same(made(name, **params), {size_of(name): SIZES}, *data)
    assert shared(search) == set()


@pytest.mark.parametrize("name", [XGB, LGBM, CAT])
def test_probabilities_and_weights(name):
    """Probabilities, several metrics, sample weights, and a pipeline."""
    params = {"learning_rate": 0.2} if name == CAT else {}
    last = made(name, **params)
    metrics = ["neg_log_loss", "roc_auc", "accuracy"]
    step = type(last).__name__.lower()
    search = assert_same(
        make_pipeline(StandardScaler(), last),
        {f"{step}__{size_of(name)}": SIZES},
        *BINARY,
        scoring=metrics,
        fit_params={f"{step}__sample_weight": np.linspace(0.1, 2, 300)},
    )
    assert n_shared(search, f"submodel {step}") == 3 * 3


@pytest.mark.parametrize("name", [XGB, LGBM])
def test_tables(name):
    """Names of the columns are kept."""
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(BINARY[0]).add_prefix("x")
    X["kind"] = pd.Categorical(np.arange(300) % 3)

    def importances(model, X, y):
        names = getattr(model, "feature_names_in_", getattr(model, "feature_name_", ()))
        return float(np.sum(model.feature_importances_)) + len(names)

    estimator = made(name, **({"enable_categorical": True} if name == XGB else {}))
    for scoring in (None, importances):
        search = assert_same(estimator, {"n_estimators": SIZES}, X, BINARY[1], scoring=scoring)
        assert n_shared(search, "submodel") == 3 * 3


def test_watched():
    """A fit that is watched is nobody else's."""
    xgb = made(XGB, early_stopping_rounds=2)
    watched = {"eval_set": [BINARY], "verbose": False}
    search = assert_same(xgb, {"n_estimators": SIZES}, *BINARY, fit_params=watched)
    assert shared(search) == set()
