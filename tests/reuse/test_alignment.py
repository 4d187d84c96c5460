"""Rows that many fits read begin where the processor reads them fastest, and are the same rows."""

from typing import ClassVar

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from hpsearch import ExhaustiveSearchCV
from hpsearch.reuse.lending import ALIGNMENT, aligned

DATA, y = load_breast_cancer(return_X_y=True)
DATA, y = DATA[:150, :7], y[:150]


def address(array):
    return array.__array_interface__["data"][0]


class Looker(ClassifierMixin, BaseEstimator):
    """Notes how the rows lie that it is given."""

    seen: ClassVar[list] = []

    def __init__(self, depth=1):
        self.depth = depth

    def look(self, X):
        flags = X.flags.c_contiguous, X.flags.f_contiguous
        self.seen.append((address(X) % ALIGNMENT, X.dtype, X.strides, flags, X.tobytes()))

    def fit(self, X, y):
        self.look(X)
        self.classes_ = np.unique(y)
        return self

    def score(self, X, y):
        self.look(X)
        return 0.5


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "u1", "?", "c16"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("scaled", [False, True])
def test_rows_are_aligned_and_the_same(dtype, order, scaled):
    X = np.array(DATA, dtype=dtype, order=order)
    estimator, grid = Looker(), {"depth": [1, 2, 3]}
    if scaled:
        if dtype == "c16":
            pytest.skip("scalers take no complex numbers")
        estimator, grid = make_pipeline(StandardScaler(), Looker()), {"looker__depth": [1, 2, 3]}
    found = []
    for cls in (GridSearchCV, ExhaustiveSearchCV):
        Looker.seen.clear()
        cls(estimator, grid, cv=3, refit=False).fit(X, y)
        found.append(sorted(Looker.seen, key=repr))
    theirs, ours = found
    assert {offset for offset, *_ in ours} == {0}
    assert [seen[1:] for seen in sorted(theirs, key=lambda s: repr(s[1:]))] == [
        seen[1:] for seen in sorted(ours, key=lambda s: repr(s[1:]))
    ]


@pytest.mark.parametrize(
    "value",
    [[1.0, 2.0], np.array(["a", None], dtype=object), np.arange(20.0)[1::2], np.float64(1.0), None],
    ids=["list", "objects", "strided", "scalar", "none"],
)
def test_other_things_are_left_alone(value):
    assert aligned(value) is value


@pytest.mark.parametrize(
    "estimator",
    [
        SVC(),
        LogisticRegression(),
        RidgeClassifier(),
        SGDClassifier(random_state=0),
        KNeighborsClassifier(),
        GaussianNB(),
        LinearDiscriminantAnalysis(),
        RandomForestClassifier(5, random_state=0),
        HistGradientBoostingClassifier(max_iter=5),
        MLPClassifier((9,), max_iter=20, random_state=0),
        GaussianProcessClassifier(),
        make_pipeline(PCA(3), SVC()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
@pytest.mark.filterwarnings("ignore")
def test_results_do_not_depend_on_where_rows_lie(estimator):
    """So that what is quicker for it is the same, bit for bit."""
    found = []
    for offset in (0, 8, 16, 32, 40):
        room = np.empty(DATA.nbytes + 2 * ALIGNMENT, dtype=np.uint8)
        start = -address(room) % ALIGNMENT + offset
        X = np.ndarray(DATA.shape, DATA.dtype, room, start)
        X[...] = DATA
        with threadpool_limits(1):  # threads that wait for one another take long on a busy machine
            model = estimator.fit(X, y)
        response = getattr(model, "decision_function", None) or model.predict_proba
        found.append(response(X))
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])
