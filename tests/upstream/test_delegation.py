"""scikit-learn's tests of delegated methods, run against ours."""

from .substitution import ported_tests

globals().update(ported_tests("sklearn.tests.test_metaestimators", {}))
