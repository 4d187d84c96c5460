"""scikit-learn's tests of GridSearchCV and RandomizedSearchCV, run against ours."""

from .substitution import ported_tests

SKIPS = {
    "test_custom_run_search": "compares every attribute with a subclass of scikit-learn's base",
    "test_unsupported_sample_weight_scorer": "its scorer fails on every fit: an error here",
}

globals().update(ported_tests("sklearn.model_selection.tests.test_search", SKIPS))
