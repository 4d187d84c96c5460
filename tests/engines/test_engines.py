"""Searches on clusters, by the engines' own backends of joblib: real instances on this machine."""

import builtins
import os
import shutil
import sys
import threading
import time

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.svm import SVC

from hpsearch import ExhaustiveSearchCV, GPSearchCV, SearchAborted, minimize
from hpsearch.trial import Status

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
X, y = load_iris(return_X_y=True)
GRID = {"C": [0.1, 1.0, 10.0], "gamma": [0.01, 0.1]}
SPACE = {"C": (0.01, 100.0, "log-uniform"), "gamma": (1e-3, 1.0, "log-uniform")}


def start_ray():
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray

    ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    register_ray()
    return ray.shutdown


def start_spark():
    pytest.importorskip("pyspark")
    joblibspark = pytest.importorskip("joblibspark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = session.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    joblibspark.register_spark()
    return session.stop


def start_dask():
    dask = pytest.importorskip("dask")
    distributed = pytest.importorskip("distributed")
    # A local cluster gives up a worker that is gone 15 seconds after an earlier end of it: these
    # tests end workers again and again.
    dask.config.set({"distributed.deploy.lost-worker-timeout": "1h"})
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    )
    client = distributed.Client(cluster)

    def stop():
        client.close()
        cluster.close()

    return stop


@pytest.fixture(scope="module", params=["ray", "spark", "dask"])
def engine(request):
    """Start an engine, and make its backend the active one while a test runs."""
    stop = {"ray": start_ray, "spark": start_spark, "dask": start_dask}[request.param]()
    yield request.param
    stop()


def with_process(estimator, X, y):
    """A scorer that tells the process it runs in."""
    return {"score": estimator.score(X, y), "process": float(os.getpid())}


def test_scores_are_the_same(engine):
    """Of a grid; on as many processes as n_jobs=-1 says, none of them this one."""
    expected = ExhaustiveSearchCV(SVC(), GRID, cv=3).fit(X, y).cv_results_
    options = {"cv": 3, "scoring": with_process, "refit": "score", "n_jobs": -1}
    with parallel_config(backend=engine):
        found = ExhaustiveSearchCV(SVC(), GRID, **options).fit(X, y).cv_results_
    np.testing.assert_array_equal(found["mean_test_score"], expected["mean_test_score"])
    processes = {pid for i in range(3) for pid in found[f"split{i}_test_process"]}
    assert os.getpid() not in processes
    assert 1 <= len(processes) <= 2


def test_a_learner_never_waits_for_a_batch(engine):
    """While one fit takes long, the other worker gets candidate after candidate."""
    closed = []

    def note(event):
        if event.kind == "closed":
            closed.append(event.trial.number)

    space = {"x": (0.0, 1.0), "k": (0, 1000)}
    slow = {"x": 0.5, "k": 1}
    with parallel_config(backend=engine, n_jobs=2):
        minimize(nap, space, n_iter=12, initial_params=[slow], random_state=0, watch=note)
    assert sorted(closed) == list(range(12))
    assert closed.index(0) >= 6, closed


def nap(params):
    time.sleep(15.0 if params["k"] == 1 else 0.05)
    return (params["x"] - 0.3) ** 2


def test_bayesian_search(engine):
    """Every candidate is another one, and the search finds what it should."""
    with parallel_config(backend=engine, n_jobs=2):
        search = GPSearchCV(SVC(), SPACE, n_iter=8, cv=3, random_state=0).fit(X, y)
    assert len({tuple(t.params.values()) for t in search.trials_}) == 8
    assert search.best_score_ > 0.95


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
    return {"score": 1.0, "arrivals": float(getattr(builtins, "n_arrived", 0))}


def test_data_goes_to_a_worker_once(engine):
    """However many fits there are."""
    options = {"cv": 3, "scoring": arrivals, "refit": "score", "n_jobs": 2}
    grid = {"C": list(np.logspace(-2, 2, 10)), "gamma": [0.01, 0.1]}
    with parallel_config(backend=engine):
        results = ExhaustiveSearchCV(SVC(), grid, **options).fit(Unpickled(X), y).cv_results_
    most = max(results[f"split{i}_test_arrivals"].max() for i in range(3))
    assert 1 <= most <= 4, "60 fits"


class Mortal(ClassifierMixin, BaseEstimator):
    """Ends its process for one value."""

    def __init__(self, n=0):
        self.n = n

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        if self.n == 3:
            os._exit(3)
        return self

    def score(self, X, y):
        return float(self.n)


def test_a_candidate_that_kills_its_worker(engine):
    """It has crashed; all the others have their scores."""
    with parallel_config(backend=engine, n_jobs=2):
        search = ExhaustiveSearchCV(Mortal(), {"n": list(range(8))}, cv=2).fit(X[:100], y[:100])
    statuses = [trial.status for trial in search.trials_]
    assert [n for n, status in enumerate(statuses) if status is Status.CRASHED] == [3]
    assert statuses.count(Status.COMPLETE) == 7
    assert search.best_params_ == {"n": 7}


def slowly(params):
    time.sleep(0.5)
    return {"loss": params["n"], "status": "ok", "pid": os.getpid()}


def test_a_worker_that_is_killed(engine):
    """By the machine, or by an operator: its fits are done again, and none is lost."""
    killed = []

    def kill(event):
        if event.kind == "closed" and not killed:
            pid = event.trial.results[0].details["info"]["pid"]
            killed.append(pid)
            threading.Thread(target=os.kill, args=(pid, 9)).start()

    with parallel_config(backend=engine, n_jobs=2):
        found = minimize(slowly, {"n": list(range(10))}, optimizer="grid", watch=kill)
    assert killed
    assert [t.results[0].scores["value"] for t in found.trials] == list(range(10))


def test_all_workers_killed_is_told(engine):
    """If the first candidates all end their process, that is said, and not tried for ever."""
    with parallel_config(backend=engine, n_jobs=2), pytest.raises(SearchAborted, match="each of"):
        ExhaustiveSearchCV(Mortal(3), {"n": [3] * 12}, cv=2, reuse=False).fit(X[:100], y[:100])


def test_a_fit_that_hangs(engine):
    """Ended where an engine can end a fit; where not, fit_timeout is refused before the first."""

    def search():
        return minimize(hangs, {"n": list(range(5))}, optimizer="grid", fit_timeout=10)

    with parallel_config(backend=engine, n_jobs=2):
        if engine != "ray":
            with pytest.raises(ValueError, match="fit_timeout needs worker processes"):
                search()
            return
        found = search()
    assert [str(t.status) for t in found.trials] == ["complete"] * 3 + ["timeout", "complete"]


def test_time_in_a_queue_is_not_a_fit_s(engine):
    """More calls than processes, each shorter than fit_timeout, and two of them longer."""
    if engine != "ray":
        pytest.skip("fit_timeout is refused")
    with parallel_config(backend=engine, n_jobs=4):
        found = minimize(naps, {"n": list(range(4))}, optimizer="grid", fit_timeout=6)
    assert [str(t.status) for t in found.trials] == ["complete"] * 4


def naps(params):
    time.sleep(4)
    return params["n"]


def hangs(params):
    time.sleep(1000 if params["n"] == 3 else 0)
    return params["n"]
