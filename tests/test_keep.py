"""`keep=`: out-of-fold predictions and fold models, as scikit-learn would make them; bounded."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    make_scorer,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    roc_auc_score,
)
from sklearn.model_selection import (
    KFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from hpsearch import ExhaustiveSearchCV, GPSearchCV, Keep, OneStandardError

X, Y = load_iris(return_X_y=True)


def both_scores(estimator, X, y):
    """A scorer of which nobody knows the metrics beforehand."""
    predicted = estimator.predict(X)
    macro = f1_score(y, predicted, average="macro")
    return {"accuracy": accuracy_score(y, predicted), "f1_macro": macro}


FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)
PIPELINE = make_pipeline(StandardScaler(), PCA(random_state=0), LogisticRegression())
GRID = {"pca__n_components": [1, 2], "logisticregression__C": [0.1, 1.0]}


def test_probabilities_stand_for_decisions():
    """Both tell the same of a model, and take twice the room; each where there is no other."""
    for model, has, lacks in (
        (LogisticRegression(max_iter=500), "predict_proba", "decision_function"),
        (SVC(), "decision_function", "predict_proba"),
    ):
        search = ExhaustiveSearchCV(model, {"C": [1.0]}, cv=FOLDS, keep="predictions").fit(X, Y)
        kept = search.kept_[0]
        expected = cross_val_predict(clone(model), X, Y, cv=FOLDS, method=has)
        np.testing.assert_array_equal(kept.out_of_fold(has), expected)
        with pytest.raises(ValueError, match=f"method='{lacks}'"):
            kept.predictions(lacks)


def test_a_kept_model_can_be_fitted_again():
    """A model that shared its fit holds on to nothing of that: on other rows it is a new one."""
    search = ExhaustiveSearchCV(PIPELINE, GRID, cv=FOLDS, keep="estimators").fit(X, Y)
    plain = ExhaustiveSearchCV(PIPELINE, GRID, cv=FOLDS, keep="estimators", reuse=False).fit(X, Y)
    rows = slice(40, 110)
    for number, params in enumerate(search.cv_results_["params"]):
        kept, size = search.kept_[number].estimators[0], len(pickle.dumps(plain.kept_[number]))
        assert len(pickle.dumps(search.kept_[number])) < 1.1 * size
        expected = clone(PIPELINE).set_params(**params).fit(X[rows], Y[rows])
        last = kept[-1].fit(expected[:-1].transform(X[rows]), Y[rows])
        assert np.array_equal(last.coef_, expected[-1].coef_)
        assert np.array_equal(kept.fit(X[rows], Y[rows])[-1].coef_, expected[-1].coef_)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("reuse", [True, False])
def test_predictions_are_those_of_cross_val_predict(n_jobs, reuse):
    """For every candidate and method, also where fits are shared and come from workers."""
    search = ExhaustiveSearchCV(
        PIPELINE, GRID, cv=FOLDS, keep="predictions", n_jobs=n_jobs, reuse=reuse
    ).fit(X, Y)
    assert list(search.kept_) == [0, 1, 2, 3]
    for number, params in enumerate(search.cv_results_["params"]):
        model = clone(PIPELINE).set_params(**params)
        for method in ("predict", "predict_proba"):
            expected = cross_val_predict(model, X, Y, cv=FOLDS, method=method)
            np.testing.assert_allclose(search.kept_[number].out_of_fold(method), expected)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_estimators_are_the_fitted_ones(n_jobs):
    """One a split; each scores on its test rows what the table says; also cut from a larger one."""
    forest = RandomForestClassifier(random_state=0)
    search = ExhaustiveSearchCV(
        forest, {"n_estimators": [3, 7]}, cv=FOLDS, keep="estimators", n_jobs=n_jobs
    ).fit(X, Y)
    for number, kept in search.kept_.items():
        for split, (model, rows) in enumerate(zip(kept.estimators, kept.rows, strict=True)):
            assert model.n_estimators == len(model.estimators_) == (3, 7)[number]
            told = search.cv_results_[f"split{split}_test_score"][number]
            assert accuracy_score(Y[rows], model.predict(X[rows])) == told


def test_models_of_a_shared_pipeline_are_whole():
    """A kept pipeline works without the search that it comes from."""
    search = ExhaustiveSearchCV(PIPELINE, GRID, cv=FOLDS, keep=["estimators"]).fit(X, Y)
    models = pickle.loads(pickle.dumps(search.kept_[1].estimators))
    del search
    expected = clone(PIPELINE).set_params(pca__n_components=2, logisticregression__C=0.1)
    train, test = next(FOLDS.split(X, Y))
    np.testing.assert_allclose(
        models[0].predict_proba(X[test]), expected.fit(X[train], Y[train]).predict_proba(X[test])
    )


def test_only_the_best_are_kept():
    """The best `best` candidates by the mean score, the earlier of two equal ones."""
    grid = {"C": np.geomspace(1e-4, 10, 8).tolist()}
    search = ExhaustiveSearchCV(SVC(), grid, cv=3, keep=Keep(predictions=True, best=3)).fit(X, Y)
    ranked = sorted(range(8), key=lambda i: (-search.cv_results_["mean_test_score"][i], i))
    assert sorted(search.kept_) == sorted(ranked[:3])


def test_memory_is_bounded():
    """No more than `max_bytes`, the worst go first; the best stays if it fits."""
    grid = {"C": np.geomspace(1e-4, 10, 8).tolist()}
    size = 150 * 8 + 150 * 3 * 8  # predict, and decision_function of three classes
    keep = Keep(predictions=True, max_bytes=int(2.5 * size))
    search = ExhaustiveSearchCV(SVC(), grid, cv=3, keep=keep).fit(X, Y)
    assert len(search.kept_) == 2
    assert search.best_index_ in search.kept_
    none = ExhaustiveSearchCV(SVC(), grid, cv=3, keep=Keep(predictions=True, max_bytes=10))
    assert len(none.fit(X, Y).kept_) == 0


def test_repeated_and_partial_splits():
    """Probabilities of repeats are averaged, labels are not; rows never predicted are NaN."""
    cv = RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0)
    model = GaussianNB()
    search = ExhaustiveSearchCV(model, {"var_smoothing": [1e-9]}, cv=cv, keep="predictions").fit(
        X, Y
    )
    means = np.zeros((150, 3))
    for train, test in cv.split(X, Y):
        means[test] += clone(model).fit(X[train], Y[train]).predict_proba(X[test]) / 2
    np.testing.assert_allclose(search.kept_[0].out_of_fold("predict_proba"), means)
    with pytest.raises(ValueError, match="several"):
        search.kept_[0].out_of_fold()
    once = ShuffleSplit(1, test_size=0.2, random_state=0)
    search = ExhaustiveSearchCV(model, {"var_smoothing": [1e-9]}, cv=once, keep="predictions").fit(
        X, Y
    )
    found = search.kept_[0].out_of_fold("predict_proba")
    assert np.isnan(found).all(axis=1).sum() == 120


def test_there_is_a_place_for_each_row_of_X_without_targets_too():
    """Those after the last one that was predicted included."""
    rows = np.arange(100)
    model, grid = IsolationForest(n_estimators=5, random_state=0), {"max_features": [1, 2]}
    options = {"scoring": _mean_score, "cv": [(rows[:50], rows[50:])], "keep": "predictions"}
    search = ExhaustiveSearchCV(model, grid, **options).fit(X)
    found = search.kept_[0].out_of_fold("decision_function")
    assert found.shape == (150,)
    assert np.flatnonzero(np.isfinite(found)).tolist() == list(range(50, 100))


def _mean_score(estimator, X, y=None):
    return float(estimator.decision_function(X).mean())


def _share_of_right_rows(estimator, X, y):
    return float((estimator.predict(X) == y).all(axis=1).mean())


def test_labels_of_several_outputs_are_kept():
    """Their probabilities are a table an output, of as many columns as it has classes."""
    both = np.column_stack([Y, Y % 2])
    forest, grid = RandomForestClassifier(5, random_state=0), {"max_depth": [1, 2]}
    options = {"cv": FOLDS.split(X, Y), "scoring": _share_of_right_rows, "keep": "predictions"}
    kept = ExhaustiveSearchCV(forest, grid, **options).fit(X, both).kept_[1]
    model = clone(forest).set_params(max_depth=2)
    expected = cross_val_predict(model, X, both, cv=list(FOLDS.split(X, Y)))
    np.testing.assert_array_equal(kept.out_of_fold(), expected)
    with pytest.raises(ValueError, match="what was kept is"):
        kept.out_of_fold("predict_proba")


def test_nothing_is_written_down(tmp_path):
    """The checkpoint does not grow by it; what an earlier run computed is not kept."""
    path = tmp_path / "run.sqlite"
    options = {"cv": 3, "random_state": 0, "checkpoint": path, "keep": "estimators"}
    space = {"C": (0.1, 10.0)}
    GPSearchCV(SVC(), space, n_iter=3, **options).fit(X, Y)
    assert path.stat().st_size < 100_000
    assert b"svm" not in path.read_bytes().replace(b"sklearn.svm._classes.SVC", b"")
    search = GPSearchCV(SVC(), space, n_iter=5, **options).fit(X, Y)
    assert list(search.kept_) == [3, 4]


@pytest.mark.parametrize("refit", [False, lambda results: 0, OneStandardError(metric="f1_macro")])
@pytest.mark.parametrize("scoring", [["accuracy", "f1_macro"], both_scores])
def test_several_metrics_of_which_refit_names_none(refit, scoring):
    """What is kept goes by the metric of the rule, or by the first: it is not nothing."""
    grid = {"C": [0.001, 1.0], "gamma": [0.1, "scale"]}
    keep = Keep(predictions=True, best=1)
    options = {"cv": 3, "scoring": scoring, "refit": refit, "keep": keep}
    search = ExhaustiveSearchCV(SVC(), grid, **options).fit(X, Y)
    assert list(search.kept_) == [search.cv_results_["mean_test_accuracy"].argmax()]


def test_averages_over_classes_are_corrected_by_rows():
    """f1_macro and its like: the number is scikit-learn's on rows drawn again."""
    from hpsearch.rowwise import measure_of

    options = {"cv": KFold(3, shuffle=True, random_state=0), "keep": "predictions"}
    search = ExhaustiveSearchCV(SVC(), {"C": [0.01, 1.0]}, scoring="f1_macro", **options).fit(X, Y)
    assert search.corrected_score("rows").method == "rows"
    weights = np.random.default_rng(0).integers(0, 3, (1, len(Y))).astype(float)
    found = measure_of(search.kept_, [0, 1], search.scorer_, SVC())(weights)
    predicted = [search.kept_[number].out_of_fold() for number in (0, 1)]
    expected = [f1_score(Y, p, average="macro", sample_weight=weights[0]) for p in predicted]
    assert found[0] == pytest.approx(expected)


def test_two_targets_are_not_taken_for_two_classes():
    """R2 of a regression of two targets, by rows drawn again, is scikit-learn's."""
    from hpsearch.rowwise import measure_of

    data, y = load_diabetes(return_X_y=True)
    Y2 = np.c_[y, data[:, 0] + 0.01 * y]
    search = ExhaustiveSearchCV(Ridge(), {"alpha": [0.1, 10.0]}, cv=KFold(3), keep="predictions")
    search.fit(data[:, 1:], Y2)
    weights = np.random.default_rng(0).integers(0, 3, (1, len(y))).astype(float)
    found = measure_of(search.kept_, [0, 1], search.scorer_, Ridge())(weights)
    predicted = [search.kept_[number].out_of_fold() for number in (0, 1)]
    assert found[0] == pytest.approx([r2_score(Y2, p, sample_weight=weights[0]) for p in predicted])


@pytest.mark.parametrize("keep", ["models", ["predictions", "all"], [], Keep(best=0), 3])
def test_what_is_refused(keep):
    """With what is accepted, before the first fit."""
    with pytest.raises((ValueError, TypeError), match="keep"):
        ExhaustiveSearchCV(SVC(), {"C": [1]}, keep=keep).fit(X, Y)


@pytest.mark.parametrize("kind", [bool, np.uint8])
def test_errors_of_small_integers_and_bools(kind):
    """Their differences overflow, or are not defined; those of floats are meant."""
    grid, target = {"max_depth": [1, 2, 3]}, (20 * (Y == 1)).astype(kind)
    options = {"cv": 3, "scoring": "neg_mean_squared_error", "keep": "predictions"}
    search = ExhaustiveSearchCV(DecisionTreeClassifier(random_state=0), grid, **options)
    expected = search.fit(X, target.astype(float)).corrected_score("bootstrap")
    found = search.fit(X, target).corrected_score("bootstrap")
    assert found == expected


def test_what_was_not_kept_is_said():
    """Asking for it tells how to get it."""
    search = ExhaustiveSearchCV(SVC(), {"C": [1]}, keep="predictions").fit(X, Y)
    with pytest.raises(AttributeError, match="keep='estimators'"):
        _ = search.kept_[0].estimators
    with pytest.raises(ValueError, match="decision_function"):
        search.kept_[0].predictions("predict_proba")


# The corrected score -----------------------------------------------------------------------------

METRICS = {
    "accuracy": "accuracy",
    "own score": None,
    "balanced": "balanced_accuracy",
    "auc": "roc_auc",
    "custom": make_scorer(lambda y, p: np.mean(y == p)),
}


@pytest.mark.parametrize("name", METRICS)
def test_bootstrap_of_any_metric(name):
    """The best score of noise is corrected towards that of guessing, by sums or by calls."""
    rng = np.random.default_rng(0)
    noise, labels = rng.normal(size=(80, 5)), rng.permutation([0, 1] * 40)
    grid = {"gamma": np.geomspace(0.01, 100, 6).tolist(), "C": [0.1, 1.0]}
    search = ExhaustiveSearchCV(SVC(), grid, cv=4, scoring=METRICS[name], keep="predictions").fit(
        noise, labels
    )
    honest = search.corrected_score("bootstrap")
    assert honest.method == "bootstrap"
    assert honest.score < search.best_score_
    assert abs(honest.score - 0.5) < 0.1
    assert honest.low < honest.score < honest.high
    assert "out-of-fold" in search.summary().lines[2]


def test_regression_is_corrected_too():
    """R2 of pooled rows, by sums of squares: the same number as scikit-learn's on all rows."""
    from hpsearch.rowwise import measure_of

    X, y = load_diabetes(return_X_y=True)
    cv = KFold(4, shuffle=True, random_state=0)
    search = ExhaustiveSearchCV(Ridge(), {"alpha": [0.01, 0.1, 1, 10]}, cv=cv, keep="predictions")
    search.fit(X, y)
    measure = measure_of(search.kept_, [0, 1, 2, 3], search.scorer_, Ridge())
    weights = np.random.default_rng(0).integers(0, 3, (2, len(y))).astype(float)
    for number in range(4):
        predicted = search.kept_[number].out_of_fold()
        expected = [r2_score(y, predicted, sample_weight=w) for w in weights]
        assert measure(weights)[:, number] == pytest.approx(expected)
    assert abs(search.corrected_score().optimism) < 0.02


@pytest.mark.parametrize("function", [mean_squared_error, mean_absolute_error])
@pytest.mark.parametrize("greater_is_better", [False, True])
def test_errors_have_the_sign_of_their_scorer(function, greater_is_better):
    """Of a loss less is better, unless the scorer says otherwise: as `best_score_` has it."""
    from hpsearch.rowwise import measure_of

    X, y = load_diabetes(return_X_y=True)
    scorer = make_scorer(function, greater_is_better=greater_is_better)
    options = {"cv": KFold(4), "scoring": scorer, "keep": "predictions"}
    search = ExhaustiveSearchCV(Ridge(), {"alpha": [0.01, 1.0]}, **options).fit(X, y)
    weights = np.random.default_rng(0).integers(0, 3, (1, len(y))).astype(float)
    found = measure_of(search.kept_, [0, 1], search.scorer_, Ridge())(weights)
    predicted = [search.kept_[number].out_of_fold() for number in (0, 1)]
    sign = 1 if greater_is_better else -1
    expected = [sign * function(y, p, sample_weight=weights[0]) for p in predicted]
    assert found[0] == pytest.approx(expected)
    assert np.sign(search.best_score_) == sign


def test_area_by_pairs_is_that_of_scikit_learn():
    """With ties among the predictions, and weights of the rows."""
    from hpsearch.rowwise import _SUMS

    rng = np.random.default_rng(0)
    P, y = rng.integers(0, 6, (3, 40)).astype(float), rng.permutation([0, 1] * 20)
    W = rng.integers(0, 3, (2, 40)).astype(float)
    expected = [[roc_auc_score(y, p, sample_weight=w) for p in P] for w in W]
    assert _SUMS[roc_auc_score](P, y)(W) == pytest.approx(np.array(expected))


def test_bootstrap_needs_predictions():
    """Without them the scores of the splits must do, and who asks for more is told."""
    data = make_classification(60, random_state=0)
    search = ExhaustiveSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=3).fit(*data)
    assert search.corrected_score().method == "splits"
    with pytest.raises(ValueError, match="keep='predictions'"):
        search.corrected_score("bootstrap")
    with pytest.raises(ValueError, match="method='magic'"):
        search.corrected_score("magic")


def test_candidates_that_were_not_kept_are_named():
    """By number, with what is there."""
    keep = Keep(predictions=True, best=1)
    search = ExhaustiveSearchCV(SVC(), {"C": [0.001, 1.0]}, cv=3, keep=keep).fit(X, Y)
    with pytest.raises(KeyError, match=r"candidate 0 nothing is kept. Kept are \[1\]"):
        search.kept_[0]
