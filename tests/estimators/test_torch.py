"""Rows that torch is given: a tensor is another view of them, and may be written to unnoticed."""

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hpsearch import ExhaustiveSearchCV
from tests.reuse.same import assert_same

pytestmark = pytest.mark.slow


class InPlace(ClassifierMixin, BaseEstimator):
    """Scales its rows in place, as a training loop may."""

    def __init__(self, by=1.0):
        self.by = by

    def fit(self, X, y):
        import torch

        torch.from_numpy(X).mul_(self.by).add_(1.0)
        self.mean_ = X.mean()
        return self

    def score(self, X, y):
        return self.mean_


def test_each_fit_has_rows_of_its_own():
    """Whatever a fit does to them."""
    pytest.importorskip("torch")
    X, y = load_iris(return_X_y=True)
    assert_same(InPlace(), {"by": [3.0, -2.0, 0.5]}, X, y)
    grid = {"inplace__by": [3.0, -2.0, 0.5]}
    assert_same(make_pipeline(StandardScaler(), InPlace()), grid, X, y)


def test_skorch_does_not_warn():
    """As torch does, once in a process, of an array that is read-only."""
    torch, skorch = pytest.importorskip("torch"), pytest.importorskip("skorch")
    X, y = load_iris(return_X_y=True)
    net = skorch.NeuralNetClassifier(
        torch.nn.Linear,
        module__in_features=4,
        module__out_features=3,
        criterion=torch.nn.CrossEntropyLoss,
        max_epochs=1,
        verbose=0,
    )
    pipeline = make_pipeline(StandardScaler(with_mean=False), net)
    grid = {"neuralnetclassifier__lr": [0.1, 0.01]}
    search = ExhaustiveSearchCV(pipeline, grid, cv=3, error_score="raise", refit=False)
    with warnings.catch_warnings(record=True) as told:  # an error would be met by a new fit
        warnings.simplefilter("always")
        search.fit(X.astype(np.float32), y)
    assert [str(w.message) for w in told if "writable" in str(w.message)] == []
