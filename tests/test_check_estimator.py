"""scikit-learn's own checks of estimators: we pass every one that its searches pass."""

import warnings
from functools import cache

import pytest
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from hpsearch import ExhaustiveSearchCV, GPSearchCV, SampledSearchCV, TPESearchCV

MODELS = {
    "classifier": (GaussianNB(), {"var_smoothing": [1e-9, 1e-3]}),
    "regressor": (Ridge(), {"alpha": [0.1, 1.0]}),
    "pipeline": (
        make_pipeline(StandardScaler(with_mean=False), RidgeClassifier()),
        {"ridgeclassifier__alpha": [0.1, 1.0]},
    ),
}


def failures(search):
    """Return the names of the checks that a search does not pass."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(search, on_skip=None, on_fail=None)
    return {r["check_name"] for r in results if r["status"] == "failed"}


@cache
def failures_of_scikit_learn(model):
    return failures(GridSearchCV(*MODELS[model], cv=2))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("cls", [ExhaustiveSearchCV, SampledSearchCV, GPSearchCV, TPESearchCV])
def test_passes_what_scikit_learn_passes(cls, model):
    """No check fails that GridSearchCV passes with the same estimator and candidates."""
    options = {} if cls is ExhaustiveSearchCV else {"n_iter": 2, "random_state": 0}
    if cls is SampledSearchCV:
        options["n_iter"] = len(next(iter(MODELS[model][1].values())))
    ours = failures(cls(*MODELS[model], cv=2, **options))
    assert ours - failures_of_scikit_learn(model) == set()
