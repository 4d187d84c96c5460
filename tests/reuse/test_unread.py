"""Parameters that a fit does not read."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris, make_classification, make_regression
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    VotingClassifier,
)
from sklearn.feature_selection import GenericUnivariateSelect, SelectFpr, SelectKBest
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, SGDClassifier, SGDRegressor
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, NuSVC
from sklearn.tree import DecisionTreeClassifier

from hpsearch import ExhaustiveSearchCV
from hpsearch.reuse.unread import unread_by_fit
from tests.reuse.same import assert_same, n_shared, shared

BINARY = make_classification(60, 6, random_state=0)
IRIS = load_iris(return_X_y=True)
NUMBERS = make_regression(60, 5, noise=5, random_state=0)
DIGITS = tuple(part[:150] for part in load_digits(return_X_y=True))

CASES = [
    (SVC(), {"kernel": ["linear", "rbf", "poly"], "gamma": [0.1, 1], "degree": [2, 3]}, IRIS, 5),
    (SVC(kernel="sigmoid"), {"degree": [1, 2], "coef0": [0.0, 0.5]}, BINARY, 2),
    (SVC(probability=True, random_state=0, kernel="linear"), {"gamma": ["scale", 2]}, BINARY, 1),
    (NuSVC(), {"degree": [1, 2, 3]}, BINARY, 2),
    (SVR(kernel="linear"), {"gamma": [0.1, 1, "auto"]}, NUMBERS, 2),
    (KernelRidge(), {"kernel": ["linear", "rbf"], "gamma": [0.1, 1]}, NUMBERS, 1),
    (SGDClassifier(random_state=0), {"l1_ratio": [0.1, 0.9], "epsilon": [0.1, 1]}, BINARY, 3),
    (
        SGDClassifier(random_state=0, penalty="elasticnet", loss="huber"),
        {"l1_ratio": [0.1, 0.9], "epsilon": [0.1, 1]},
        BINARY,
        0,
    ),
    (
        MLPClassifier((4,), random_state=0, max_iter=20),
        {"solver": ["adam", "sgd", "lbfgs"], "momentum": [0.1, 0.9]},
        BINARY,
        2,
    ),
    (LogisticRegression(), {"intercept_scaling": [1, 5]}, BINARY, 1),
    (
        LogisticRegression(penalty="l2", solver="saga", random_state=0),
        {"l1_ratio": [0.0, 0.5, 0.9]},
        BINARY,
        2,
    ),
    (LogisticRegression(solver="liblinear"), {"intercept_scaling": [1, 5]}, BINARY, 0),
    (KNeighborsClassifier(), {"weights": ["uniform", "distance"]}, IRIS, 1),
    (
        KNeighborsClassifier(algorithm="brute"),
        {"n_neighbors": [1, 3, 8], "leaf_size": [5, 30]},
        DIGITS,
        5,
    ),
    (
        KNeighborsRegressor(algorithm="kd_tree", metric="euclidean"),
        {"n_neighbors": [1, 3], "p": [1, 2]},
        NUMBERS,
        3,
    ),
    (GradientBoostingRegressor(n_estimators=3, random_state=0), {"alpha": [0.1, 0.9]}, NUMBERS, 1),
    (
        VotingClassifier([("nb", GaussianNB()), ("tree", DecisionTreeClassifier(random_state=0))]),
        {"voting": ["hard", "soft"], "weights": [None, [1, 3]]},
        IRIS,
        3,
    ),
    (FixedThresholdClassifier(GaussianNB()), {"threshold": [0.1, 0.5, 0.9]}, BINARY, 2),
]


@pytest.mark.parametrize(
    ("estimator", "grid", "data", "n"), CASES, ids=[type(c[0]).__name__ for c in CASES]
)
@pytest.mark.filterwarnings("ignore")
def test_idle_parameters(estimator, grid, data, n):
    """Candidates that differ in what their fit does not read are one fit, with equal scores."""
    search = assert_same(estimator, grid, *data)
    assert n_shared(search, "fit") == n * 3


NOISY = make_classification(90, 6, flip_y=0.3, random_state=0)
TIED = np.random.default_rng(0).integers(0, 3, (90, 3)).astype(float), NOISY[1]
EARLY = {"early_stopping": True, "n_iter_no_change": 2}
MLP = {"hidden_layer_sizes": (4,), "random_state": 0, "max_iter": 8}
BOOSTED = {"n_estimators": 20, "random_state": 0}
READ = [
    (SVC(kernel="rbf"), {"gamma": [0.1, 1]}, NOISY),
    (SVC(kernel="sigmoid"), {"gamma": [0.1, 1], "coef0": [0.0, 0.5]}, NOISY),
    (SVR(kernel="poly"), {"gamma": [0.1, 1], "degree": [2, 3], "coef0": [0.0, 0.5]}, NUMBERS),
    (KernelRidge(kernel="rbf"), {"gamma": [0.1, 1]}, NUMBERS),
    (KernelRidge(kernel="laplacian"), {"gamma": [0.1, 1]}, NUMBERS),
    (KernelRidge(kernel="sigmoid"), {"gamma": [0.01, 0.1], "coef0": [0.0, 0.5]}, NUMBERS),
    (KernelRidge(kernel="poly"), {"gamma": [0.1, 1], "degree": [2, 3], "coef0": [1, 2]}, NUMBERS),
    (SGDClassifier(random_state=0, penalty="elasticnet"), {"l1_ratio": [0.1, 0.9]}, NOISY),
    (SGDClassifier(random_state=0, loss="huber"), {"epsilon": [0.1, 1]}, NOISY),
    (SGDRegressor(random_state=0, loss="epsilon_insensitive"), {"epsilon": [0.1, 9]}, NUMBERS),
    (SGDClassifier(random_state=0, **EARLY), {"validation_fraction": [0.1, 0.4]}, NOISY),
    (MLPClassifier(**MLP, **EARLY), {"validation_fraction": [0.1, 0.4]}, NOISY),
    (MLPClassifier(**MLP), {"beta_1": [0.5, 0.9], "beta_2": [0.5, 0.9]}, NOISY),
    (MLPRegressor(**MLP), {"epsilon": [1e-8, 0.1], "learning_rate_init": [0.01, 0.1]}, NUMBERS),
    (
        MLPClassifier(**MLP, solver="sgd", learning_rate="invscaling"),
        {"momentum": [0.1, 0.9], "nesterovs_momentum": [True, False], "power_t": [0.1, 0.5]},
        NOISY,
    ),
    (MLPClassifier(**MLP, solver="sgd"), {"learning_rate": ["constant", "invscaling"]}, NOISY),
    (
        LogisticRegression(penalty="elasticnet", solver="saga", random_state=0, C=0.1),
        {"l1_ratio": [0.1, 0.9]},
        NOISY,
    ),
    (LogisticRegression(solver="liblinear"), {"intercept_scaling": [0.1, 5]}, NOISY),
    (KNeighborsClassifier(metric="minkowski"), {"p": [1, 4]}, NOISY),
    (KNeighborsClassifier(), {"weights": ["uniform", "distance"], "n_neighbors": [1, 4]}, NOISY),
    (KNeighborsClassifier(algorithm="kd_tree"), {"leaf_size": [1, 9]}, TIED),
    (GradientBoostingRegressor(**BOOSTED, loss="huber"), {"alpha": [0.5, 0.9]}, NUMBERS),
    (GradientBoostingRegressor(**BOOSTED, loss="quantile"), {"alpha": [0.5, 0.9]}, NUMBERS),
    (
        GradientBoostingClassifier(**BOOSTED, n_iter_no_change=2),
        {"validation_fraction": [0.1, 0.4], "tol": [1e-4, 0.1]},
        NOISY,
    ),
]


def outputs(model, X, y):
    """A score that tells any two models apart."""
    method = getattr(model, "decision_function", getattr(model, "predict_proba", model.predict))
    found = method(X)
    return float(np.sum(np.arange(1, found.size + 1) * found.ravel()))


@pytest.mark.parametrize(
    ("estimator", "grid", "data"),
    READ,
    ids=[f"{type(c[0]).__name__}-{'-'.join(c[1])}" for c in READ],
)
@pytest.mark.filterwarnings("ignore")
def test_parameters_that_are_read(estimator, grid, data):
    """What other settings make idle is read here: each value has a fit of its own."""
    for name, values in grid.items():
        search = assert_same(estimator, {name: values}, *data, scoring=outputs)
        scores = [search.cv_results_[f"split{i}_test_score"] for i in range(3)]
        assert len({tuple(column) for column in np.transpose(scores)}) == len(values), name


@pytest.mark.parametrize(
    ("selector", "grid"),
    [
        (SelectKBest(), {"k": [1, 2, "all", 100]}),
        (SelectFpr(), {"alpha": [0.01, 0.5]}),
        (GenericUnivariateSelect(mode="k_best"), {"param": [1, 2, 3]}),
    ],
    ids=repr,
)
def test_late_parameters(selector, grid):
    """A selector ranks the features once, and keeps as many as each candidate wants."""
    name = type(selector).__name__.lower()
    (values,) = grid.values()
    grid = {f"{name}__{k}": v for k, v in grid.items()} | {"logisticregression__C": [0.1, 1]}
    search = assert_same(make_pipeline(selector, LogisticRegression()), grid, *BINARY)
    assert n_shared(search, f"fit {name}") == (len(values) - 1) * 3


@pytest.mark.parametrize(
    ("estimator", "grid"),
    [
        (KernelRidge(kernel="rbf"), {"degree": [2, 3], "alpha": [1, 1]}),
        (
            KNeighborsRegressor(algorithm="brute", metric="cosine"),
            {"weights": ["uniform", "distance"], "n_neighbors": [3, 5]},
        ),
        (
            make_pipeline(StandardScaler(), KernelRidge(kernel="rbf")),
            {"kernelridge__degree": [2, 3], "standardscaler": ["passthrough", StandardScaler()]},
        ),
    ],
    ids=["kernels", "neighbors", "a pipeline"],
)
def test_rows_that_are_their_own_neighbors(estimator, grid):
    """Distances of the training rows to themselves are nought if they are the object fitted on."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5))
    y = X[:, 0] + rng.normal(size=60)
    search = assert_same(estimator, grid, X, y, scoring="neg_mean_squared_error")
    assert n_shared(search, "fit") + n_shared(search, "fit kernelridge") > 0


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_duplicates(n_jobs):
    """A candidate listed twice is fitted once; each has its own row."""
    grid = [{"max_depth": [1, 2, 2]}, {"max_depth": [2]}]
    tree = DecisionTreeClassifier(random_state=0)
    search = assert_same(tree, grid, *BINARY, n_jobs=n_jobs)
    assert len(search.trials_) == 4
    assert n_shared(search, "fit") == 2 * 3


def test_draws_of_duplicates():
    """Without a seed a candidate listed twice draws twice, in scikit-learn's order."""
    np.random.seed(0)  # noqa: NPY002 - the global state is the subject
    tree, grid = DecisionTreeClassifier(max_features=1), {"max_depth": [3, 3, 2, 3]}
    theirs = GridSearchCV(tree, grid, cv=3, refit=False).fit(*BINARY)
    np.random.seed(0)  # noqa: NPY002 - the global state is the subject
    ours = ExhaustiveSearchCV(tree, grid, cv=3, refit=False).fit(*BINARY)
    for name in (f"split{i}_test_score" for i in range(3)):
        assert np.array_equal(theirs.cv_results_[name], ours.cv_results_[name])
    assert shared(ours) == set()


def test_an_idle_value_that_is_refused():
    """A value that the estimator refuses fails its candidate, though its fit would not read it."""
    search = assert_same(SVC(kernel="linear"), {"gamma": [0.1, -1.0, 1]}, *BINARY)
    assert [t.status.value for t in search.trials_] == ["complete", "failed", "complete"]
    assert "'gamma' parameter" in search.trials_[1].error


def test_one_of_its_kind_is_not_told_as_shared():
    """What nobody else needs is fitted as it is."""
    assert shared(assert_same(SVC(kernel="linear"), {"C": [1, 2]}, *BINARY)) == set()


def test_subclasses_are_strangers():
    """Of a subclass nothing is known."""

    class Own(SVC):
        pass

    assert unread_by_fit(SVC(kernel="linear")) == {"gamma", "degree", "coef0"}
    assert unread_by_fit(Own(kernel="linear")) == set()
    assert unread_by_fit(SVC(kernel=np.dot)) == set()


@pytest.mark.parametrize(
    ("select", "name"), [(SelectKBest(), "k"), (GenericUnivariateSelect(mode="k_best"), "param")]
)
def test_a_shared_ranking_warns_as_its_own_fit_would(select, name):
    """That k is too great is told of each k, though the columns are ranked once."""
    step = type(select).__name__.lower()
    grid = {f"{step}__{name}": [2, 7, 8, 9]}
    told = {}
    for cls in (GridSearchCV, ExhaustiveSearchCV):
        search = cls(make_pipeline(select, GaussianNB()), grid, cv=2, refit=False)
        with pytest.warns(UserWarning, match="greater than n_features") as caught:
            search.fit(*BINARY)
        told[cls] = sorted(str(w.message) for w in caught)
    assert told[ExhaustiveSearchCV] == told[GridSearchCV]
    assert len(told[GridSearchCV]) == 6
    assert n_shared(search, f"fit {step}") == 6
