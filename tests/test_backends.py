"""Searches through the backends of joblib, on real workers."""

import builtins
import os
import threading
import time
import warnings

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import BaseEstimator, ClassifierMixin
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


class Slow:
    """A value of which a table is made slowly: by a thread that has to wait for another one."""

    def __init__(self, comes, goes):
        self.comes = comes
        self.goes = goes

    def __array__(self, *_, **__):
        self.comes.set()
        self.goes.wait(1.0)
        raise ValueError("no number")

    def __deepcopy__(self, memo):
        return self


class Half(ClassifierMixin, BaseEstimator):
    """Fails for one of its two candidates."""

    def __init__(self, value=None, fails=True):
        self.value = value
        self.fails = fails

    def fit(self, X, y):
        if self.fails:
            raise ValueError("as it should")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X), int)


def test_searches_in_threads_leave_the_warnings_as_they_were():
    """What looks at warnings puts back what it found: two at a time must not mix that up."""
    first_in, second_in, first_out = (threading.Event() for _ in range(3))

    def search(value):
        grid = {"value": [value], "fails": [True, False]}
        return ExhaustiveSearchCV(Half(), grid, cv=2, reuse=False, refit=False).fit(X, y)

    def first():
        search(Slow(first_in, second_in))
        first_out.set()

    def second():
        first_in.wait(5)
        search(Slow(second_in, first_out))

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        threads = [threading.Thread(target=run) for run in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        warnings.warn("still heard", UserWarning, stacklevel=1)
    texts = [str(warning.message) for warning in heard]
    assert texts[-1] == "still heard"
    assert sum("fits failed" in text for text in texts) == 2


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
    ):
        yield cluster


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


def slowly(estimator, X, y):
    """A scorer that leaves time for workers to go."""
    time.sleep(0.1)
    return estimator.score(X, y)


def test_a_cluster_that_loses_all_workers(cluster, monkeypatch):
    """That is said, and what was sent meanwhile, which Dask drops, is sent again."""
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("hpsearch.executors.LOOK", 0.2)
    monkeypatch.setattr("hpsearch.dask_workers.PATIENCE", 1.0)
    told = threading.Event()

    def leave(event):
        if event.kind == "closed" and event.trial.number == 0:
            cluster.scale(0)
            while cluster.scheduler.workers:
                time.sleep(0.01)
            threading.Thread(target=come_back).start()

    def come_back():
        told.wait(60)
        time.sleep(2)  # more than Dask's patience with what is sent to no worker
        cluster.scale(2)

    def note(message, *_, **__):
        if "has no workers" in str(message):
            told.set()

    grid = {"C": list(np.logspace(-2, 2, 8))}
    expected = ExhaustiveSearchCV(SVC(), grid, cv=3).fit(X, y).cv_results_["mean_test_score"]
    with (
        distributed.Client(cluster, timeout="1s"),
        parallel_config(backend="dask", n_jobs=2),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", note)
        options = {"cv": 3, "scoring": slowly, "watch": leave, "refit": False}
        found = ExhaustiveSearchCV(SVC(), grid, **options).fit(X, y)
    assert told.is_set()
    np.testing.assert_array_equal(found.cv_results_["mean_test_score"], expected)
