import math
import re

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, make_classification, make_regression
from sklearn.decomposition import PCA
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests.reuse.same import assert_same, n_shared, shared

BINARY = make_classification(90, 8, random_state=0)
IRIS = load_iris(return_X_y=True)
NUMBERS = make_regression(80, 6, noise=5, random_state=0)
SPARSE = sp.csr_matrix(np.where(BINARY[0] > 0.3, BINARY[0], 0)), BINARY[1]
OUTPUTS = NUMBERS[0], np.c_[NUMBERS[1], NUMBERS[0] @ np.arange(6.0)]
SIZES = [1, 2, 3, 5, 9]

GB, GBR = GradientBoostingClassifier, GradientBoostingRegressor
HGB, HGBR = HistGradientBoostingClassifier, HistGradientBoostingRegressor
RF, RFR, ET, ETR = (
    RandomForestClassifier,
    RandomForestRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
)
BOOSTED = [
    (GB(random_state=0), BINARY),
    (GB(random_state=0), IRIS),
    (GB(random_state=0), SPARSE),
    (GB(random_state=0, subsample=0.5, max_features=2), BINARY),
    (GB(random_state=0, init="zero", loss="exponential"), BINARY),
    (GB(random_state=0, init=GaussianNB()), BINARY),
    (GB(random_state=0, ccp_alpha=0.01), BINARY),
    (GB(random_state=0, n_iter_no_change=1, tol=0.5), BINARY),
    (GB(random_state=0, n_iter_no_change=1, tol=0.5, subsample=0.7), IRIS),
    (GB(random_state=0, warm_start=True), BINARY),
    (GB(random_state=np.random.RandomState(3), subsample=0.5), BINARY),
    (GBR(random_state=0, loss="huber"), NUMBERS),
    (GBR(random_state=0, loss="quantile", subsample=0.5), NUMBERS),
    (GBR(random_state=0, loss="absolute_error", init=DummyRegressor()), NUMBERS),
]
ITERATED = [
    (HGB(random_state=0), BINARY),
    (HGB(random_state=0, class_weight="balanced"), IRIS),
    (HGB(random_state=0, max_features=0.5, early_stopping=True, n_iter_no_change=2), BINARY),
    (HGB(random_state=0, early_stopping=True, scoring="accuracy", n_iter_no_change=3), BINARY),
    (HGB(random_state=0, early_stopping=True, scoring=None, n_iter_no_change=3), IRIS),
    (HGB(random_state=0, early_stopping=True, validation_fraction=None), BINARY),
    (HGB(random_state=0, categorical_features=[0]), (np.abs(BINARY[0]).astype(int), BINARY[1])),
    (HGBR(random_state=0, loss="poisson"), (NUMBERS[0], np.abs(NUMBERS[1]))),
    (HGBR(random_state=0, monotonic_cst=[1, 0, 0, 0, 0, -1]), NUMBERS),
    (HGBR(random_state=np.random.RandomState(3), max_features=0.5), NUMBERS),
]
PLANTED = [
    (RF(random_state=0), BINARY),
    (RF(random_state=0, class_weight="balanced_subsample"), IRIS),
    (RF(random_state=0, class_weight="balanced", max_samples=0.5), IRIS),
    (RF(random_state=0, bootstrap=False, max_features=2), SPARSE),
    (RF(random_state=0, ccp_alpha=0.02, warm_start=True), BINARY),
    (RF(random_state=np.random.RandomState(3)), BINARY),
    (RFR(random_state=0), OUTPUTS),
    (RFR(random_state=0, criterion="absolute_error", max_features=0.5), NUMBERS),
    (ET(random_state=0), IRIS),
    (ET(random_state=0, bootstrap=True, max_samples=20), BINARY),
    (ETR(random_state=0, monotonic_cst=[1, 0, 0, 0, 0, -1]), NUMBERS),
    (BaggingClassifier(random_state=0), IRIS),
    (BaggingClassifier(LogisticRegression(), random_state=0, max_samples=0.5), BINARY),
    (BaggingClassifier(random_state=0, bootstrap_features=True, max_features=0.5), SPARSE),
    (BaggingRegressor(Ridge(), random_state=0, bootstrap=False, max_features=3), NUMBERS),
    (BaggingRegressor(random_state=np.random.RandomState(3), warm_start=True), NUMBERS),
    (AdaBoostClassifier(random_state=0), BINARY),
    (AdaBoostClassifier(random_state=0, learning_rate=0.3), IRIS),
    (AdaBoostClassifier(DecisionTreeClassifier(), random_state=0), BINARY),  # perfect at once
    (AdaBoostRegressor(random_state=0, loss="square"), NUMBERS),
    (AdaBoostRegressor(Ridge(), random_state=np.random.RandomState(3)), NUMBERS),
]
FAMILIES = [(e, "n_estimators", d) for e, d in (*BOOSTED, *PLANTED)]
FAMILIES += [(e, "max_iter", d) for e, d in ITERATED]


def told(value):
    """What a case is called: the estimator, not the data; the same in each of xdist's workers."""
    text = " ".join(repr(value).split()) if hasattr(value, "fit") else ""
    return re.sub(r" at 0x\w+", "", text)


@pytest.mark.parametrize(("estimator", "name", "data"), FAMILIES, ids=told)
def test_sizes(estimator, name, data):
    """One fit a split serves all sizes, and every score is that of a fit of its own."""
    search = assert_same(estimator, {name: SIZES}, *data)
    assert n_shared(search, "submodel") == (len(SIZES) - 1) * 3


ALPHAS = [0.0, 0.001, 0.01, 0.03, 0.1, 5]


@pytest.mark.parametrize(
    ("estimator", "data"),
    [
        (DecisionTreeClassifier(random_state=0), BINARY),
        (DecisionTreeClassifier(random_state=0, class_weight="balanced", max_depth=4), IRIS),
        (DecisionTreeClassifier(random_state=0, max_features=2, splitter="random"), SPARSE),
        (DecisionTreeClassifier(random_state=0, max_leaf_nodes=6), IRIS),
        (DecisionTreeRegressor(random_state=0, min_samples_leaf=3), OUTPUTS),
        (DecisionTreeRegressor(random_state=0, monotonic_cst=[1, 0, 0, 0, 0, -1]), NUMBERS),
        (RF(4, random_state=0), IRIS),
        (ETR(4, random_state=0, bootstrap=True), OUTPUTS),
    ],
    ids=told,
)
def test_pruning(estimator, data):
    """A tree grown once and cut back is the tree grown and cut back at once."""
    search = assert_same(estimator, {"ccp_alpha": ALPHAS}, *data)
    assert n_shared(search, "submodel") == (len(ALPHAS) - 1) * 3


def margins(model, X, y):
    """A score that tells models apart that differ in the last bit."""
    return float(np.sum(model.decision_function(X)))


@pytest.mark.parametrize("solver", ["full", "covariance_eigh", "auto"])
@pytest.mark.parametrize("whiten", [False, True])
@pytest.mark.parametrize("shape", [(120, 9), (40, 30)])
def test_exact_pca(solver, whiten, shape):
    """Components cut from one decomposition are those computed on their own, to the last bit."""
    X, y = make_classification(*shape, random_state=0)
    X *= np.geomspace(1e-3, 1e3, shape[1])  # products of other shapes round in another way
    pipeline = make_pipeline(PCA(svd_solver=solver, whiten=whiten), LogisticRegression())
    grid = {"pca__n_components": [1, 2, 3, 5, 8]}
    search = assert_same(pipeline, grid, X, y, scoring=margins)
    has_all = solver != "covariance_eigh" or shape[0] > 2 * shape[1]
    assert n_shared(search, "submodel pca") == (4 * 3 if has_all else 0)


def test_pca_density():
    """What a cut PCA says of the noise it left out is what its own fit would say."""
    search = assert_same(PCA(svd_solver="full"), {"n_components": [1, 2, 4]}, BINARY[0], None)
    assert n_shared(search, "submodel") == 2 * 3
    eigen = PCA(svd_solver="covariance_eigh")
    scoring = {"density": PCA.score, "noise": lambda model, X, y=None: model.noise_variance_}
    for n_rows in (40, 300):  # of which, in a split, 40 are fewer than the columns
        X, _ = make_classification(n_rows, 30, random_state=0)
        search = assert_same(eigen, {"n_components": [1, 2, 4, 9]}, X, None, scoring=scoring)
    assert n_shared(search, "submodel") == 3 * 3


def test_isolation():
    """A forest that isolates outliers, with its own threshold."""

    def spread(model, X, y=None):
        return model.score_samples(X).mean() + model.predict(X).mean()

    forest = IsolationForest(random_state=0)
    search = assert_same(forest, {"n_estimators": SIZES}, *BINARY, scoring=spread)
    assert "submodel" in shared(search)


def attributes(model, X, y):
    """A score out of whatever a scorer could look at."""
    found = [float(getattr(model, name)) for name in ("n_estimators", "n_features_in_")]
    found += [np.sum(model.feature_importances_), len(model.estimators_), model.classes_.sum()]
    found += [len(list(model.staged_predict(X)))] if hasattr(model, "staged_predict") else []
    return float(np.sum(found))


@pytest.mark.parametrize("cls", [GB, RF, ET, AdaBoostClassifier])
def test_any_scorer(cls):
    """The model that a scorer is given has the attributes and stages of one of its size."""
    search = assert_same(cls(random_state=0), {"n_estimators": SIZES}, *BINARY, scoring=attributes)
    assert "submodel" in shared(search)


@pytest.mark.parametrize("cls", [GB, RF, HGB])
def test_several_metrics_and_weights(cls):
    """Several metrics, sample weights, and scores of probabilities."""
    name = "max_iter" if cls is HGB else "n_estimators"
    weight = {"sample_weight": np.linspace(0.1, 2, len(BINARY[1]))}
    metrics = ["roc_auc", "neg_log_loss", "accuracy"]
    search = assert_same(
        cls(random_state=0), {name: SIZES}, *BINARY, scoring=metrics, fit_params=weight
    )
    assert "submodel" in shared(search)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_with_other_parameters(n_jobs):
    """A family for each value of the other parameters, in any order, with workers too."""
    grid = {"max_depth": [1, 2], "n_estimators": [5, 1, 9, 2], "learning_rate": [0.1, 0.5]}
    search = assert_same(GB(random_state=0), grid, *BINARY, n_jobs=n_jobs)
    assert n_shared(search, "submodel") == 4 * 3 * 3


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_as_last_step(n_jobs):
    """The last step of a pipeline, of a nested one too."""
    inner = make_pipeline(StandardScaler(), GB(random_state=0))
    search = assert_same(
        make_pipeline(PCA(3), inner),
        {"pipeline__gradientboostingclassifier__n_estimators": SIZES},
        *BINARY,
        n_jobs=n_jobs,
    )
    assert n_shared(search, "submodel pipeline__gradientboostingclassifier") == 4 * 3


def test_bad_values_fail_alone():
    """A value that no fit accepts fails in its own fit; the others are served."""
    search = assert_same(RF(random_state=0), {"n_estimators": [-1, 2, 4, 0, 8]}, *BINARY)
    assert n_shared(search, "submodel") == 2 * 3
    assert [t.status.value for t in search.trials_].count("failed") == 2
    assert "'n_estimators' parameter" in search.trials_[0].error


def test_bad_prunings_fail_alone():
    """So does a pruning that no fit accepts, though a tree in full could be cut by it."""
    alphas = [-1.0, math.nan, 0.01, math.inf, True, "much", 0.1]
    tree = DecisionTreeClassifier(random_state=0)
    search = assert_same(tree, {"ccp_alpha": alphas}, *BINARY)
    assert search.trials_[0].status.value == "failed"
    assert n_shared(search, "submodel") == 3


def test_failures_are_each_their_own():
    """Where the shared fit fails, each of its candidates fails with its own traceback."""
    grid = {"max_depth": [0, 2], "n_estimators": [1, 2, 3]}
    search = assert_same(GB(random_state=0), grid, *BINARY)
    failed = [trial for trial in search.trials_ if trial.status.value == "failed"]
    assert [trial.number for trial in failed] == [0, 1, 2]
    assert all("'max_depth' parameter" in trial.error for trial in failed)


def test_numpy_integers():
    """Sizes drawn by numpy are sizes."""
    search = assert_same(RF(random_state=0), {"n_estimators": np.array([2, 4, 8])}, *BINARY)
    assert n_shared(search, "submodel") == 2 * 3


def test_times_are_divided():
    """The times of a family add up to what its one fit took."""
    search = assert_same(GB(random_state=0), {"n_estimators": [1, 2, 100]}, *BINARY)
    means = search.cv_results_["mean_fit_time"]
    assert means.min() > means.max() / 3  # each has a third of the fit, and what is its own
    assert not np.isnan(means).any()


def test_given_model_is_left_alone():
    """Neither the estimator given nor the largest model is changed by the views."""
    forest = RF(random_state=0)
    before = clone(forest).get_params()
    assert_same(forest, {"n_estimators": SIZES}, *BINARY)
    assert forest.get_params() == before
    assert not hasattr(forest, "estimators_")


def test_diabetes_multi_metric_early():
    """Early stopping of a regression: the sizes past the stop are all the same model."""
    X, y = load_diabetes(return_X_y=True)
    early = GBR(random_state=0, n_iter_no_change=2, tol=0.1)
    search = assert_same(early, {"n_estimators": [2, 10, 40]}, X, y)
    assert n_shared(search, "submodel") == 2 * 3
