"""Searches through the backends of joblib, on real workers."""

import builtins
import os

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.datasets import load_iris
from sklearn.svm import SVC

from hpsearch import ExhaustiveSearchCV, GPSearchCV

X, y = load_iris(return_X_y=True)
GRID = {"C": [0.1, 1.0, 10.0], "gamma": [0.01, 0.1]}
SPACE = {"C": (0.01, 100.0, "log-uniform"), "gamma": (1e-3, 1.0, "log-uniform")}


def parent_and_scores(estimator, X, y):
    """A scorer that tells the process it runs in."""
    return {"score": estimator.score(X, y), "process": float(os.getpid())}


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_scores_are_the_same_on_every_backend(backend):
    """A grid gives scikit-learn's scores wherever its fits run; a learner runs there too."""
    expected = ExhaustiveSearchCV(SVC(), GRID, cv=3).fit(X, y).cv_results_
    with parallel_config(backend=backend, n_jobs=2):
        found = ExhaustiveSearchCV(SVC(), GRID, cv=3).fit(X, y)
        learner = GPSearchCV(SVC(), SPACE, n_iter=8, cv=3, random_state=0).fit(X, y)
    np.testing.assert_array_equal(found.cv_results_["mean_test_score"], expected["mean_test_score"])
    assert len(learner.trials_) == 8
    assert len({tuple(t.params.values()) for t in learner.trials_}) == 8


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
    ):
        yield


@pytest.mark.filterwarnings("ignore")  # distributed's own
@pytest.mark.usefixtures("cluster")
def test_a_dask_cluster_runs_the_fits():
    """On Dask's processes, with the same scores, and a learner that never waits for a batch."""
    options = {"cv": 3, "scoring": parent_and_scores, "refit": "score", "n_jobs": -1}
    expected = ExhaustiveSearchCV(SVC(), GRID, cv=3).fit(X, y).cv_results_
    with parallel_config(backend="dask"):
        found = ExhaustiveSearchCV(SVC(), GRID, **options).fit(X, y)
        learner = GPSearchCV(SVC(), SPACE, n_iter=8, random_state=0, metric="score", **options).fit(
            X, y
        )
    np.testing.assert_array_equal(found.cv_results_["mean_test_score"], expected["mean_test_score"])
    for search in (found, learner):
        processes = {pid for i in range(3) for pid in search.cv_results_[f"split{i}_test_process"]}
        assert len(processes) == 2
        assert os.getpid() not in processes


class Unpickled:
    """Rows that count how often they arrive in a process."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    @property
    def shape(self):
        return self.rows.shape

    def __getitem__(self, key):
        return self.rows[key]

    def take(self, indices, axis=0):
        return self.rows.take(indices, axis=axis)

    def __array__(self, dtype=None, copy=None):
        return self.rows

    def __setstate__(self, state):
        self.__dict__.update(state)
        builtins.n_arrived = getattr(builtins, "n_arrived", 0) + 1


def arrivals(estimator, X, y):
    """A scorer that tells how often the data has arrived in its process."""
    n = float(getattr(builtins, "n_arrived", 0))
    return {"score": estimator.score(X, y), "process": float(os.getpid()), "arrivals": n}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("cluster")
def test_data_goes_to_each_worker_of_a_cluster_once():
    """However many fits there are, the data is not sent with each of them."""
    options = {"cv": 3, "scoring": arrivals, "refit": "score", "n_jobs": -1}
    grid = {"C": list(np.logspace(-2, 2, 10)), "gamma": [0.01, 0.1]}
    with parallel_config(backend="dask"):
        results = ExhaustiveSearchCV(SVC(), grid, **options).fit(Unpickled(X), y).cv_results_
    most = max(results[f"split{i}_test_arrivals"].max() for i in range(3))
    assert 1 <= most <= 4
