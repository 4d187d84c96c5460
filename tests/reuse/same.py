"""Comparison with scikit-learn's own search: the same split scores, to the last bit."""

import warnings

import numpy as np
from sklearn.model_selection import GridSearchCV

from hpsearch import ExhaustiveSearchCV


def assert_same(estimator, grid, X, y, n_jobs=1, reuse=True, fit_params=None, **settings):
    """Search with both, assert that every split score is the same; return ours."""
    settings = {"cv": 3, "refit": False, "return_train_score": True, **settings}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of convergence and of failures, the same in both
        theirs = GridSearchCV(estimator, grid, **settings).fit(X, y, **(fit_params or {}))
        ours = ExhaustiveSearchCV(estimator, grid, n_jobs=n_jobs, reuse=reuse, **settings)
        ours.fit(X, y, **(fit_params or {}))
    names = [name for name in theirs.cv_results_ if name.startswith("split")]
    assert names
    for name in names:
        expected, got = theirs.cv_results_[name], ours.cv_results_[name]
        assert np.array_equal(expected, got, equal_nan=True), (name, expected, got)
    return ours


def shared(search):
    """What the fits of a search took over from others, by name."""
    results = [result for trial in search.trials_ for result in trial.results]
    return {what for result in results for what in result.details.get("shared", ())}


def n_shared(search, what):
    """How many fits took something over."""
    results = [result for trial in search.trials_ for result in trial.results]
    return sum(what in result.details.get("shared", ()) for result in results)
