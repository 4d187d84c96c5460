"""Early stopping of LightGBM, XGBoost and CatBoost, against the same done by hand."""

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from hpsearch import EarlyStopping, ExhaustiveSearchCV

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
ROUNDS = 8
FOLDS = KFold(3, shuffle=True, random_state=0)


def lightgbm_by_hand(model, X, y, weight, valid, own_weight):
    from lightgbm import early_stopping

    stop = early_stopping(ROUNDS, verbose=False)
    model.fit(X, y, weight, eval_set=[valid], eval_sample_weight=[own_weight], callbacks=[stop])
    return model.best_iteration_


def xgboost_by_hand(model, X, y, weight, valid, own_weight):
    model.set_params(early_stopping_rounds=ROUNDS)
    model.fit(
        X,
        y,
        sample_weight=weight,
        eval_set=[valid],
        sample_weight_eval_set=[own_weight],
        verbose=False,
    )
    return model.best_iteration + 1


def catboost_by_hand(model, X, y, weight, valid, own_weight):
    from catboost import Pool

    pool = Pool(*valid, weight=own_weight)
    model.fit(X, y, sample_weight=weight, eval_set=pool, early_stopping_rounds=ROUNDS)
    return model.tree_count_


def classifier(name):
    if name == "lightgbm":
        lightgbm = pytest.importorskip("lightgbm")
        return lightgbm.LGBMClassifier(n_estimators=300, n_jobs=1, random_state=0, verbose=-1)
    if name == "xgboost":
        xgboost = pytest.importorskip("xgboost")
        return xgboost.XGBClassifier(n_estimators=300, n_jobs=1, random_state=0)
    catboost = pytest.importorskip("catboost")
    return catboost.CatBoostClassifier(
        iterations=300, verbose=0, thread_count=1, allow_writing_files=False, random_state=0
    )


def regressor(name):
    if name == "lightgbm":
        lightgbm = pytest.importorskip("lightgbm")
        return lightgbm.LGBMRegressor(n_estimators=300, n_jobs=1, random_state=0, verbose=-1)
    if name == "xgboost":
        xgboost = pytest.importorskip("xgboost")
        return xgboost.XGBRegressor(n_estimators=300, n_jobs=1, random_state=0)
    catboost = pytest.importorskip("catboost")
    return catboost.CatBoostRegressor(
        n_estimators=300, verbose=0, thread_count=1, allow_writing_files=False, random_state=0
    )


BY_HAND = {
    "lightgbm": lightgbm_by_hand,
    "xgboost": xgboost_by_hand,
    "catboost": catboost_by_hand,
}
DEPTH = {"lightgbm": "num_leaves", "xgboost": "max_depth", "catboost": "depth"}
MOST = {"lightgbm": "n_estimators", "xgboost": "n_estimators", "catboost": "iterations"}
every_library = pytest.mark.parametrize("name", list(BY_HAND))


def in_pipeline(booster):
    return Pipeline([("scale", StandardScaler()), ("pca", PCA(8)), ("boost", booster)])


def scores_of(search):
    return np.array([[r.scores["score"] for r in trial.results] for trial in search.trials_])


@every_library
@pytest.mark.parametrize("reuse", [True, False])
def test_held_out_part_as_by_hand(name, reuse):
    """Transformed by the fold's own fitted steps, weighted, and passed as eval set."""
    X, y = load_breast_cancer(return_X_y=True)
    weight = np.random.default_rng(0).uniform(0.2, 2.0, len(y))
    model = in_pipeline(classifier(name))
    search = ExhaustiveSearchCV(
        model,
        {f"boost__{DEPTH[name]}": [3, 5]},
        cv=FOLDS,
        scoring="roc_auc",
        early_stopping=EarlyStopping(ROUNDS, on="test"),
        reuse=reuse,
    ).fit(X, y, boost__sample_weight=weight)
    for trial in search.trials_:
        for result, (train, test) in zip(trial.results, FOLDS.split(X), strict=True):
            *before, (_, last) = clone(model).set_params(**trial.params).steps
            steps = Pipeline(before).fit(X[train])
            seen = steps.transform(X[test])
            valid = seen, y[test]
            rounds = BY_HAND[name](
                last, steps.transform(X[train]), y[train], weight[train], valid, weight[test]
            )
            assert result.details["stopped_at"]["rounds"] == rounds < 300
            score = sklearn.metrics.roc_auc_score(y[test], last.predict_proba(seen)[:, 1])
            assert result.scores["score"] == score


@every_library
def test_refit_has_the_rounds_and_no_eval_set(name):
    """It is a plain fit on all rows with so many rounds."""
    X, y = load_diabetes(return_X_y=True)
    model = in_pipeline(regressor(name)).set_params(boost__learning_rate=0.1)
    search = ExhaustiveSearchCV(
        model, {f"boost__{DEPTH[name]}": [3, 5]}, cv=FOLDS, early_stopping=ROUNDS
    ).fit(X, y)
    row = search.best_index_
    found = [search.cv_results_[f"split{i}_n_rounds"][row] for i in range(3)]
    assert search.n_rounds_ == search.cv_results_["n_rounds"][row] == round(np.mean(found)) < 300
    most = "n_estimators" if name == "catboost" else MOST[name]  # as it was spelled
    plain = clone(model).set_params(**search.best_params_, **{f"boost__{most}": search.n_rounds_})
    np.testing.assert_array_equal(search.predict(X), plain.fit(X, y).predict(X))


@every_library
def test_fits_of_other_limits_are_not_nested(name):
    """With and without reuse the scores are the same, with the limit searched too."""
    X, y = load_breast_cancer(return_X_y=True)
    model = in_pipeline(classifier(name))
    if name == "catboost":
        model.set_params(boost__learning_rate=0.2)  # without it nothing is nested anyway
    grid = {f"boost__{MOST[name]}": [3, 15, 300], "pca__n_components": [3, 8]}
    shared, apart = (
        ExhaustiveSearchCV(model, grid, cv=FOLDS, early_stopping=ROUNDS, reuse=reuse).fit(X, y)
        for reuse in (True, False)
    )
    np.testing.assert_array_equal(scores_of(shared), scores_of(apart))
    for column in ("split0_n_rounds", "n_rounds"):
        np.testing.assert_array_equal(shared.cv_results_[column], apart.cv_results_[column])
    assert len(set(apart.cv_results_["split0_n_rounds"])) > 2


def test_automatic_rate_of_catboost_goes_along():
    """It depends on the number of rounds: fewer of them alone would be another, faster model."""
    X, y = load_breast_cancer(return_X_y=True)
    model = classifier("catboost")
    search = ExhaustiveSearchCV(model, {"depth": [3]}, cv=FOLDS, early_stopping=ROUNDS).fit(X, y)
    rates = [r.details["stopped_at"]["learning_rate"] for r in search.trials_[0].results]
    assert search.best_estimator_.get_params()["learning_rate"] == np.mean(rates)
    assert model.set_params(iterations=search.n_rounds_).fit(X, y).learning_rate_ > 1.2 * max(rates)


def test_frames_with_categories():
    """Columns of categories reach LightGBM and XGBoost as such, in the eval set too."""
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=300), "b": rng.choice(list("xyz"), 300)})
    y = (X["a"] + (X["b"] == "x") + rng.normal(size=300) > 0.3).astype(int)
    X["b"] = X["b"].astype("category")
    for name in ("lightgbm", "xgboost"):
        model = classifier(name)
        if name == "xgboost":
            model.set_params(enable_categorical=True)
        search = ExhaustiveSearchCV(
            model, {DEPTH[name]: [2, 4]}, cv=3, early_stopping=EarlyStopping(5), error_score="raise"
        ).fit(X, y)
        assert search.best_score_ > 0.6
        assert search.n_rounds_ < 300
