"""scikit-learn's tests of GridSearchCV and RandomizedSearchCV, run against ours."""

from .substitution import ported_tests

SKIPS = {}

globals().update(ported_tests("sklearn.model_selection.tests.test_search", SKIPS))
