"""Nested cross-validation in one call."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from hpsearch import ExhaustiveSearchCV, GPSearchCV, OneStandardError, nested_score

X, Y = load_iris(return_X_y=True)
GRID = {"C": [0.01, 1.0, 100.0], "gamma": [0.01, 1.0]}
FOLDS = StratifiedKFold(4, shuffle=True, random_state=0)


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


def test_only_searches_of_hpsearch():
    """Others are told where to go."""
    with pytest.raises(TypeError, match="cross_val_score"):
        nested_score(GridSearchCV(SVC(), GRID), X, Y)
