"""Runs scikit-learn's own installed test modules against our classes.

A module is executed anew with our classes in the places where it imports scikit-learn's from, so
that every use, parametrisation included, is of ours.
"""

import importlib
import importlib.util
import sys
import warnings
from contextlib import ExitStack
from unittest import mock

import pytest
from sklearn.utils._test_common.instance_generator import INIT_PARAMS

from hpsearch import ExhaustiveSearchCV, SampledSearchCV

OURS = {"GridSearchCV": ExhaustiveSearchCV, "RandomizedSearchCV": SampledSearchCV}


def ported_tests(name, skips, only=lambda test: True):
    """Return the tests of a module by name, those listed in `skips` marked with their reason."""
    module = _executed_with_ours(name)
    tests = {k: v for k, v in vars(module).items() if k.startswith("test_") and only(k)}
    unknown = [test for test in skips if not hasattr(module, test)]
    for test in set(skips) - set(unknown):
        tests[test] = pytest.mark.skip(reason=skips[test])(tests[test])
    # They were written for scikit-learn's own warning filters, not for ours.
    quiet = pytest.mark.filterwarnings("default")
    return {test: quiet(function) for test, function in tests.items()}


def _executed_with_ours(name):
    spec = importlib.util.find_spec(name)
    alias = f"ours_{name.replace('.', '_')}"
    module = importlib.util.module_from_spec(spec)
    module.__name__ = alias  # classes defined in it pickle by this name
    sys.modules[alias] = module
    with ExitStack() as stack, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # modules warn of estimators that they cannot test
        for place in ("sklearn.model_selection", "sklearn.model_selection._search"):
            owner = importlib.import_module(place)
            for theirs, ours in OURS.items():
                # Arguments to make instances with, by class: ours are made like theirs.
                arguments = {ours: INIT_PARAMS.get(getattr(owner, theirs), {})}
                stack.enter_context(mock.patch.dict(INIT_PARAMS, INIT_PARAMS | arguments))
                stack.enter_context(mock.patch.object(owner, theirs, ours))
        spec.loader.exec_module(module)
    return module
