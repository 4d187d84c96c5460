"""scikit-learn's tests of metadata routing, run against ours."""

from .substitution import ported_tests

globals().update(ported_tests("sklearn.tests.test_metaestimators_metadata_routing", {}))
