"""Where two fits only look alike: nothing is shared, and scores are scikit-learn's."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits, load_iris, make_classification, make_regression
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.feature_selection import RFE, SelectFromModel, SelectKBest, VarianceThreshold
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from hpsearch import ExhaustiveSearchCV
from hpsearch.reuse import Family
from tests.reuse.same import assert_same, shared

BINARY = make_classification(90, 8, random_state=0)
IRIS = load_iris(return_X_y=True)
WIDE = make_classification(60, 600, n_informative=20, random_state=0)
SIZES = [1, 2, 5]


class OwnForest(RandomForestClassifier):
    """A subclass, whose fit might do anything."""


class OwnPipeline(Pipeline):
    """A subclass, whose fit might do anything."""


def outliers(model, X, y=None):
    return float(np.mean(model.predict(X) == 1))


REFUSED = [
    ("a subclass", OwnForest(random_state=0), {"n_estimators": SIZES}, BINARY),
    (
        "oob_score",
        RandomForestClassifier(random_state=0, oob_score=True),
        {"n_estimators": SIZES},
        BINARY,
    ),
    (
        "oob_score",
        BaggingClassifier(random_state=0, oob_score=True),
        {"n_estimators": SIZES},
        BINARY,
    ),
    (
        "randomised PCA",
        make_pipeline(PCA(svd_solver="randomized", random_state=0), SVC()),
        {"pca__n_components": SIZES},
        BINARY,
    ),
    (
        "arpack",
        make_pipeline(PCA(svd_solver="arpack", random_state=0), SVC()),
        {"pca__n_components": SIZES},
        BINARY,
    ),
    (
        "auto is randomised here",
        make_pipeline(PCA(random_state=0), SVC()),
        {"pca__n_components": SIZES},
        WIDE,
    ),
    (
        "a share of the variance",
        make_pipeline(PCA(svd_solver="full"), SVC()),
        {"pca__n_components": [0.5, 0.9]},
        BINARY,
    ),
    (
        "TruncatedSVD",
        make_pipeline(TruncatedSVD(random_state=0), SVC()),
        {"truncatedsvd__n_components": SIZES},
        BINARY,
    ),
    (
        "SelectFromModel.max_features",
        make_pipeline(SelectFromModel(LogisticRegression(), threshold=-np.inf), SVC()),
        {"selectfrommodel__max_features": SIZES},
        BINARY,
    ),
    (
        "VarianceThreshold",
        make_pipeline(VarianceThreshold(), SVC()),
        {"variancethreshold__threshold": [0.0, 0.5]},
        BINARY,
    ),
    (
        "RFE",
        make_pipeline(RFE(LogisticRegression(), step=3), SVC()),
        {"rfe__n_features_to_select": SIZES},
        BINARY,
    ),
    ("SGD", SGDClassifier(random_state=0, tol=None), {"max_iter": SIZES}, BINARY),
    ("MLP", MLPClassifier((5,), random_state=0), {"max_iter": SIZES}, BINARY),
    ("LDA", LinearDiscriminantAnalysis(), {"n_components": [1, 2]}, IRIS),
    (
        "LDA as a step",
        make_pipeline(LinearDiscriminantAnalysis(), SVC()),
        {"lineardiscriminantanalysis__n_components": [1, 2]},
        IRIS,
    ),
    ("C", LogisticRegression(), {"C": [0.1, 1, 10]}, BINARY),
    ("gamma of rbf", SVC(), {"gamma": [0.01, 0.1, 1]}, BINARY),
    (
        "auto neighbours",
        KNeighborsClassifier(),
        {"n_neighbors": [1, 2, 40]},
        load_digits(return_X_y=True),
    ),
    ("depth", DecisionTreeClassifier(random_state=0), {"max_depth": SIZES}, BINARY),
    (
        "ccp_alpha of boosting",
        GradientBoostingClassifier(n_estimators=3, random_state=0),
        {"ccp_alpha": [0, 0.1]},
        BINARY,
    ),
    (
        "oob pruning",
        RandomForestClassifier(5, random_state=0, oob_score=True),
        {"ccp_alpha": [0, 0.1]},
        BINARY,
    ),
]


@pytest.mark.parametrize(
    ("why", "estimator", "grid", "data"), REFUSED, ids=[row[0] for row in REFUSED]
)
def test_not_shared(why, estimator, grid, data):
    """No fit is taken over where that would not be exact."""
    assert shared(assert_same(estimator, grid, *data)) == set()


def test_contamination_by_number():
    """An isolation forest whose threshold is learnt from all its trees is not cut."""
    forest = IsolationForest(random_state=0, contamination=0.2)
    search = assert_same(forest, {"n_estimators": SIZES}, *BINARY, scoring=outliers)
    assert shared(search) == set()


def test_tables_of_components():
    """PCA that gives tables is not cut: the layout of what it makes would be another."""
    pytest.importorskip("pandas")
    pca = PCA(svd_solver="full").set_output(transform="pandas")
    pipeline = make_pipeline(pca, LogisticRegression())
    assert shared(assert_same(pipeline, {"pca__n_components": SIZES}, *BINARY)) == set()


def test_own_pipeline():
    """Of a subclass of Pipeline nothing is known."""
    steps = [("scale", StandardScaler()), ("svc", SVC())]
    assert shared(assert_same(OwnPipeline(steps), {"svc__C": [1, 10]}, *BINARY)) == set()


def test_monitored_boosting():
    """A monitor may stop the boosting when it likes."""
    from hpsearch.reuse.families import GradientBoosting

    assert not GradientBoosting().holds(GradientBoostingClassifier(), {"monitor": print})


def test_off():
    """`reuse=False` shares nothing, with the same scores."""
    pipeline = make_pipeline(StandardScaler(), RandomForestClassifier(random_state=0))
    grid = {"randomforestclassifier__n_estimators": SIZES}
    assert shared(assert_same(pipeline, grid, *BINARY, reuse=False)) == set()


@pytest.mark.parametrize(
    ("reuse", "expected"),
    [
        (["prefix"], {"prefix standardscaler", "prefix selectkbest"}),
        (
            ["submodels"],
            {"submodel randomforestclassifier", "prefix standardscaler", "prefix selectkbest"},
        ),
        (["inactive"], {"fit selectkbest", "prefix standardscaler", "prefix selectkbest"}),
        ([], set()),
    ],
)
def test_selected(reuse, expected):
    """A list selects what is shared; a nested model brings along the steps before it."""
    forest = RandomForestClassifier(random_state=0)
    pipeline = make_pipeline(StandardScaler(), SelectKBest(), forest)
    grid = {"randomforestclassifier__n_estimators": SIZES, "selectkbest__k": [2, 4]}
    assert shared(assert_same(pipeline, grid, *BINARY, reuse=reuse)) == expected


def test_unknown_name():
    """A name that selects nothing is refused, with those that do."""
    with pytest.raises(ValueError, match="'prefixes' is neither a Family nor one of 'prefix'"):
        assert_same(SVC(), {"C": [1]}, *BINARY, reuse=["prefixes"])


class Rounds(Family):
    """A family of the user's own: the same forest, told under another name."""

    types = ("tests.reuse.test_refused.OwnForest",)
    name = "n_estimators"

    def view(self, fitted, value):
        from hpsearch.reuse import shallow_copy

        view = shallow_copy(fitted)
        view.estimators_ = fitted.estimators_[:value]
        return view


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_own_family(n_jobs):
    """A family of the user's own is used as ours are, in workers too."""
    forest = OwnForest(random_state=0)
    search = assert_same(forest, {"n_estimators": SIZES}, *BINARY, reuse=[Rounds()], n_jobs=n_jobs)
    assert shared(search) == {"submodel"}


def test_regression_of_spread():
    """A threshold on a selector's model is read only when it selects."""
    X, y = make_regression(60, 8, noise=5, random_state=0)
    selector = SelectFromModel(DecisionTreeClassifier(random_state=0))
    pipeline = make_pipeline(selector, LogisticRegression())
    grid = {"selectfrommodel__threshold": [-np.inf, 0.1, "mean"]}
    search = assert_same(pipeline, grid, X, (y > 0).astype(int))
    assert shared(search) == {"fit selectfrommodel"}


class Marks(ClassifierMixin, BaseEstimator):
    """Adds a column to the table that it is given, and scores by how many there were."""

    def __init__(self, k=0):
        self.k = k

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.seen_ = X.shape[1]
        X["mark"] = self.k
        return self

    def score(self, X, y):
        return self.seen_ + X.shape[1]


def test_a_column_that_a_fit_adds_to_its_table_stays_with_it():
    pd = pytest.importorskip("pandas")
    frame, y = pd.DataFrame(np.arange(40.0).reshape(20, 2)), np.arange(20) % 2
    found = ExhaustiveSearchCV(Marks(), {"k": [1, 2, 3]}, cv=2, refit=False).fit(frame, y)
    own = GridSearchCV(Marks(), {"k": [1, 2, 3]}, cv=2, refit=False).fit(frame, y)
    for split in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(found.cv_results_[split], own.cv_results_[split])
