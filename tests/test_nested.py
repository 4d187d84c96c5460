"""Nested cross-validation in one call."""

import os
import threading
import warnings

import numpy as np
import pytest
from scipy.sparse import coo_array
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from hpsearch import ExhaustiveSearchCV, GPSearchCV, OneStandardError, nested_score

X, Y = load_iris(return_X_y=True)
GRID = {"C": [0.01, 1.0, 100.0], "gamma": [0.01, 1.0]}
FOLDS = StratifiedKFold(4, shuffle=True, random_state=0)


def test_no_jobs_at_all():
    """Said in our words, as by the search itself."""
    with pytest.raises(ValueError, match="n_jobs=0: give how many"):
        nested_score(ExhaustiveSearchCV(SVC(), GRID, n_jobs=0), X, Y)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_scores_are_those_of_scikit_learn(n_jobs):
    """`cross_val_score` of GridSearchCV, split by split, with any number of workers."""
    expected = cross_val_score(GridSearchCV(SVC(), GRID, cv=3), X, Y, cv=FOLDS)
    found = nested_score(ExhaustiveSearchCV(SVC(), GRID, cv=3, n_jobs=n_jobs), X, Y, cv=FOLDS)
    np.testing.assert_array_equal(found.scores, expected)
    assert found.mean == pytest.approx(expected.mean())
    s2 = expected.var(ddof=1)
    assert found.standard_error == pytest.approx(np.sqrt((1 / 4 + 1 / 3) * s2), rel=0.02)
    assert [s.best_params_ for s in found.searches] == found.best_params
    assert len(str(found).splitlines()) == 5


def test_groups_stay_together_inside_and_outside():
    """Both splitters get the groups of their rows."""
    groups = np.arange(len(Y)) % 10
    search = ExhaustiveSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=GroupKFold(3))
    found = nested_score(search, X, Y, cv=GroupKFold(5), groups=groups)
    expected = []
    for train, test in GroupKFold(5).split(X, Y, groups):
        inner = GridSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=GroupKFold(3))
        inner.fit(X[train], Y[train], groups=groups[train])
        expected.append(inner.score(X[test], Y[test]))
    np.testing.assert_array_equal(found.scores, expected)


def test_it_can_be_resumed(tmp_path):
    """One file for the searches of all splits; the second time nothing is fitted but winners."""
    n_results = []

    def watch(event):
        if event.kind == "result":
            n_results.append(1)

    path = tmp_path / "nested.sqlite"
    model = make_pipeline(StandardScaler(), SVC())
    space = {"svc__C": (0.01, 100.0, "log-uniform")}
    search = GPSearchCV(model, space, n_iter=4, cv=3, random_state=0, checkpoint=path, watch=watch)
    data = load_breast_cancer(return_X_y=True)
    first = nested_score(search, *data, cv=3)
    assert len(n_results) == 3 * 4 * 3
    second = nested_score(search, *data, cv=3)
    assert len(n_results) == 3 * 4 * 3
    np.testing.assert_array_equal(first.scores, second.scores)


def test_shares_weights_and_rules():
    """A float is one outer hold-out; weights are cut to the rows; a rule chooses each winner."""
    search = ExhaustiveSearchCV(SVC(), GRID, cv=3, refit=OneStandardError())
    weights = np.linspace(0.5, 2.0, len(Y))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = nested_score(search, X, Y, cv=0.3, params={"sample_weight": weights})
    assert found.scores.shape == (1,)
    assert np.isnan(found.standard_error)


def test_without_a_refit_there_is_nothing_to_score():
    """Said before any fit."""
    with pytest.raises(ValueError, match="refit"):
        nested_score(ExhaustiveSearchCV(SVC(), GRID, refit=False), X, Y)


def test_a_rule_among_several_metrics_names_no_metric_to_score_by():
    """Said before any fit, as is that a metric's name would do."""
    search = ExhaustiveSearchCV(Dies("dies"), {"how": ["dies"]}, refit=OneStandardError())
    search.set_params(scoring=["accuracy", "f1_macro"])
    with pytest.raises(ValueError, match=r"one of \['accuracy', 'f1_macro'\]"):
        nested_score(search, X, Y)


def two_metrics(estimator, X, y):
    return {"accuracy": estimator.score(X, y), "nothing": 0.0}


def test_a_rule_among_the_metrics_of_a_callable_names_none_either():
    """Said after the first search, before which nobody knows what a callable gives."""
    search = ExhaustiveSearchCV(SVC(), GRID, scoring=two_metrics, refit=lambda results: 0)
    with pytest.raises(ValueError, match=r"one of \['accuracy', 'nothing'\]"):
        nested_score(search, X, Y)
    assert nested_score(search.set_params(refit="accuracy"), X, Y).mean > 0.9


class Masks(KFold):
    """Gives rows as masks, as splitters may."""

    def split(self, X, y=None, groups=None):
        for _, test in super().split(X, y, groups):
            mask = np.isin(np.arange(len(X)), test)
            yield ~mask, mask


def test_splits_may_be_masks():
    """Scores and their error are those of the same splits as numbers."""
    search = ExhaustiveSearchCV(SVC(), GRID, cv=3)
    shuffled = {"n_splits": 3, "shuffle": True, "random_state": 0}
    found = nested_score(search, X, Y, cv=Masks(**shuffled))
    expected = nested_score(search, X, Y, cv=KFold(**shuffled))
    np.testing.assert_array_equal(found.scores, expected.scores)
    assert found.standard_error == expected.standard_error
    plan = ExhaustiveSearchCV(SVC(), GRID, cv=Masks(**shuffled)).plan(X, Y, n_probes=0)
    assert "about 100 rows each" in str(plan)


def test_a_sparse_matrix_of_any_format():
    """One that cannot be indexed is read as in scikit-learn's cross-validation."""
    search = ExhaustiveSearchCV(SVC(), GRID, cv=3)
    found = nested_score(search, coo_array(X), Y, cv=3)
    np.testing.assert_array_equal(found.scores, cross_val_score(search, coo_array(X), Y, cv=3))


def test_only_searches_of_hpsearch():
    """Others are told where to go."""
    with pytest.raises(TypeError, match="cross_val_score"):
        nested_score(GridSearchCV(SVC(), GRID), X, Y)


class Dies(ClassifierMixin, BaseEstimator):
    """Takes its process with it, if told to."""

    def __init__(self, how="well"):
        self.how = how

    def fit(self, X, y):
        if self.how == "dies":
            os._exit(3)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def test_a_crash_in_one_pool_is_blamed_on_whom_it_is_due():
    """In each search the one candidate, and no other, whatever ran beside it."""
    grid = {"how": ["well", "dies", "fine"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = nested_score(ExhaustiveSearchCV(Dies(), grid, cv=2, n_jobs=2), X, Y, cv=2)
    for search in found.searches:
        statuses = [trial.status.value for trial in search.trials_]
        assert statuses == ["complete", "crashed", "complete"]
    np.testing.assert_allclose(found.scores, 1 / 3, atol=0.02)


BEGUN = threading.Event()


class Waits(Dies):
    """Its refit, which runs in the process of the test, waits for the second search to begin."""

    def __init__(self, how="well", home=0):
        self.how = how
        self.home = home

    def fit(self, X, y):
        if os.getpid() == self.home:
            assert BEGUN.wait(timeout=120)
        self.classes_ = np.unique(y)
        return self


def test_searches_overlap_and_watchers_are_at_home():
    """The second search begins before the refit of the first is over; watchers run here."""
    threads, boards = set(), set()

    def watch(event):
        threads.add(threading.current_thread())
        boards.add(id(event.board.trials))
        if len(boards) > 1:
            BEGUN.set()

    grid = {"how": ["well", "fine", "good"]}
    search = ExhaustiveSearchCV(Waits(home=os.getpid()), grid, cv=3, n_jobs=2, watch=watch)
    found = nested_score(search, X, Y, cv=3)
    assert threads == {threading.main_thread()}
    assert all(s.watch == watch for s in found.searches)
    assert not {"_lane"} & vars(found.searches[0]).keys()


def test_a_failure_in_one_pool():
    """`error_score="raise"` raises, as it would alone."""
    search = ExhaustiveSearchCV(SVC(), {"C": [1.0, -1.0]}, cv=3, n_jobs=2, error_score="raise")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="'C' parameter of SVC"):
            nested_score(search, X, Y, cv=3)


def test_learning_searches_in_one_pool():
    """With `deterministic`, the number of workers changes nothing."""
    space = {"C": (0.01, 100.0, "log-uniform")}
    found = [
        nested_score(
            GPSearchCV(SVC(), space, n_iter=6, cv=3, random_state=0, deterministic=2, n_jobs=n),
            X, Y, cv=FOLDS,
        )
        for n in (1, 3)
    ]  # fmt: skip
    assert found[0].best_params == found[1].best_params
    np.testing.assert_array_equal(found[0].scores, found[1].scores)
