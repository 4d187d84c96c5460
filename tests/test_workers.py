"""Processes end after so many fits, have environments of their own, and share out the cores."""

import os
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
import threadpoolctl
from joblib import parallel_config
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris

from hpsearch import ExhaustiveSearchCV, GPSearchCV, Workers, minimize

X, Y = load_iris(return_X_y=True)
LEAK = []
NAME = "HPSEARCH_TEST_PLACE"


class Leaks(ClassifierMixin, BaseEstimator):
    """Never gives back what a fit took, and says where it ran."""

    def __init__(self, a=0, log=None):
        self.a = a
        self.log = log

    def fit(self, X, y):
        LEAK.append(bytes(1000))
        with Path(self.log).open("a") as file:
            file.write(f"{os.getpid()} {len(LEAK)} {os.environ.get(NAME)}\n")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[self.a % 3])


def lines(log):
    return [line.split() for line in Path(log).read_text().splitlines()]


def leaks(params):
    LEAK.append(bytes(1000))
    return {"loss": params["x"], "leak": len(LEAK), "pid": os.getpid()}


def told(found, name):
    return [trial.results[0].details["info"][name] for trial in found.trials]


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("optimizer", ["grid", "gp"])
def test_processes_end_after_so_many_trials(n_jobs, optimizer):
    """No process has more, none is in this one, and every trial has its value."""
    space = {"x": list(range(11))} if optimizer == "grid" else {"x": (0, 40)}
    found = minimize(
        leaks,
        space,
        n_iter=11,
        optimizer=optimizer,
        n_jobs=n_jobs,
        workers=Workers(max_fits=2),
        random_state=0,
    )
    assert len(found.trials) == 11
    assert [t.status.value for t in found.trials] == ["complete"] * 11
    assert max(told(found, "leak")) <= 2
    pids = told(found, "pid")
    assert len(set(pids)) >= 6
    assert os.getpid() not in pids


def test_recycling_changes_no_result(tmp_path):
    """Only where the fits run; with a checkpoint it may change from run to run."""
    grid = {"a": list(range(7))}
    logs = [str(tmp_path / name) for name in ("plain", "recycled")]
    plain = ExhaustiveSearchCV(Leaks(log=logs[0]), grid, cv=2, n_jobs=2).fit(X, Y)
    file = tmp_path / "run.sqlite"
    recycled = ExhaustiveSearchCV(
        Leaks(log=logs[1]), grid, cv=2, n_jobs=2, workers=Workers(max_fits=3), checkpoint=file
    ).fit(X, Y)
    name = "mean_test_score"
    np.testing.assert_array_equal(plain.cv_results_[name], recycled.cv_results_[name])
    *fits, refit = lines(logs[1])
    assert len(fits) == 14
    assert int(refit[0]) == os.getpid()
    assert max(int(n) for _, n, _ in fits) <= 3
    again = recycled.set_params(workers=Workers(max_fits=1)).fit(X, Y)
    np.testing.assert_array_equal(plain.cv_results_[name], again.cv_results_[name])
    assert len(lines(logs[1])) == 16, "only the refit is done again"


def hangs_or_dies(params):
    if params["x"] == 3:
        time.sleep(1000)
    if params["x"] == 5:
        os._exit(1)
    return leaks(params)


@pytest.mark.filterwarnings("ignore:.*trials failed:RuntimeWarning")
def test_recycling_beside_kills_and_crashes():
    """What hangs or dies costs itself alone."""
    found = minimize(
        hangs_or_dies,
        {"x": list(range(9))},
        optimizer="grid",
        n_jobs=2,
        fit_timeout=15,
        workers=Workers(max_fits=2),
    )
    status = [trial.status.value for trial in found.trials]
    assert status[3] == "timeout"
    assert status[5] == "crashed"
    assert status.count("complete") == 7
    complete = [t for t in found.trials if t.status == "complete"]
    assert max(t.results[0].details["info"]["leak"] for t in complete) <= 2


class Met:
    """Waits for another process, so that there are two; says where it ran."""

    def __init__(self, folder, n_wanted=2):
        self.folder = folder
        self.n_wanted = n_wanted

    def __call__(self, params):
        Path(self.folder, str(os.getpid())).touch()
        end = time.monotonic() + 60
        while len(list(Path(self.folder).iterdir())) < self.n_wanted and time.monotonic() < end:
            time.sleep(0.01)
        return {"loss": params["x"], "place": os.environ.get(NAME), "pid": os.getpid()}


GPUS = [{NAME: "first"}, {NAME: "second"}]


@pytest.mark.parametrize("env", [GPUS, lambda place: GPUS[place]], ids=["list", "callable"])
def test_each_process_has_its_own_environment(env, tmp_path):
    """One each, the same for all that it runs; this process has none of them."""
    found = minimize(
        Met(tmp_path),
        {"x": list(range(8))},
        optimizer="grid",
        n_jobs=2,
        workers=Workers(env=env),
    )
    places = set(zip(told(found, "pid"), told(found, "place"), strict=True))
    assert sorted(place for _, place in places) == ["first", "second"]
    assert NAME not in os.environ


def test_a_process_takes_the_place_of_one_that_has_ended(tmp_path):
    """With its environment: a GPU is never given twice at a time."""
    found = minimize(
        Met(tmp_path),
        {"x": list(range(8))},
        optimizer="grid",
        n_jobs=2,
        workers=Workers(max_fits=1, env=GPUS),
    )
    assert len(set(told(found, "pid"))) == 8
    assert set(told(found, "place")) <= {"first", "second"}


def test_fewer_environments_than_processes_come_again(tmp_path):
    """Two processes may share a GPU."""
    found = minimize(
        Met(tmp_path),
        {"x": [1, 2, 3, 4]},
        optimizer="grid",
        n_jobs=2,
        workers=Workers(env=GPUS[:1]),
    )
    assert set(told(found, "place")) == {"first"}
    assert len(set(told(found, "pid"))) == 2


def test_searches_give_environments_too(tmp_path):
    """And later searches do not inherit them."""
    logs = [str(tmp_path / name) for name in ("own", "later")]
    space = {"a": (0, 20)}
    for log, workers in zip(logs, (Workers(env=GPUS), None), strict=True):
        GPSearchCV(
            Leaks(log=log), space, n_iter=4, cv=2, n_jobs=2, random_state=0, workers=workers
        ).fit(X, Y)
    assert {place for _, _, place in lines(logs[0])[:-1]} <= {"first", "second"}
    assert {place for _, _, place in lines(logs[1])} == {"None"}


@pytest.mark.parametrize(
    ("workers", "text"),
    [
        (Workers(max_fits=0), "max_fits=0 is neither a positive integer nor None"),
        (Workers(env={"A": "1"}), "must be a list with a dict for each process"),
        (Workers(env=[]), "must be a list with a dict for each process"),
        (Workers(env=[{"A": 1}]), "is not a dict of strings to strings"),
        (3, "workers"),
    ],
)
def test_what_cannot_be_is_said_before_the_first_fit(workers, text):
    """By `minimize` and by the searches."""
    with pytest.raises((ValueError, TypeError), match=text):
        minimize(leaks, {"x": [1]}, optimizer="grid", workers=workers)
    with pytest.raises((ValueError, TypeError), match=text):
        ExhaustiveSearchCV(Leaks(), {"a": [1]}, workers=workers).fit(X, Y)


def test_threads_cannot_be_kept():
    """Nor can what a cluster runs: said before the first fit."""
    with (
        parallel_config("threading"),
        pytest.raises(ValueError, match="only processes of joblib's loky backend"),
    ):
        minimize(leaks, {"x": [1]}, optimizer="grid", n_jobs=2, workers=Workers(max_fits=2))


def threads_of(params):
    """How many threads a call would take: of joblib, and of the libraries that are loaded."""
    pools = threadpoolctl.threadpool_info()
    return {
        "loss": params["x"],
        "joblib": joblib.effective_n_jobs(-1),
        "libraries": max(pool["num_threads"] for pool in pools),
    }


class Telling(ClassifierMixin, BaseEstimator):
    """Tells how many threads its fit may take."""

    def __init__(self, C=1):
        self.C = C

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.told_ = threads_of({"x": 0})
        return self

    def predict(self, X):
        return np.zeros(len(X), int)


@pytest.mark.parametrize("n_jobs", [2, 4])
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_threads_times_calls_do_not_exceed_the_cores(backend, n_jobs, monkeypatch):
    """An estimator with n_jobs=-1, OpenMP and linear algebra get a share each."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)  # the user's own word would count
    share = max(1, joblib.cpu_count() // n_jobs)
    before = threadpoolctl.threadpool_info()
    with parallel_config(backend):
        found = minimize(threads_of, {"x": [1, 2, 3]}, optimizer="grid", n_jobs=n_jobs)
    assert set(told(found, "joblib")) == {share}
    assert max(told(found, "libraries")) <= share
    assert threadpoolctl.threadpool_info() == before
    assert "LOKY_MAX_CPU_COUNT" not in os.environ


def test_one_call_at_a_time_has_all_cores():
    """Nothing is held back where nothing else runs."""
    found = minimize(threads_of, {"x": [1]}, optimizer="grid")
    assert told(found, "joblib") == [joblib.cpu_count()]


@pytest.mark.skipif(joblib.cpu_count() < 2, reason="one core is all cores")
@pytest.mark.parametrize("options", [{"workers": Workers()}, {"fit_timeout": 60}])
def test_one_call_at_a_time_has_all_cores_in_a_process_too(options, monkeypatch):
    """Also linear algebra, to which loky says how many threads it may take."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    found = minimize(threads_of, {"x": [1]}, optimizer="grid", n_jobs=1, **options)
    assert told(found, "joblib") == told(found, "libraries") == [joblib.cpu_count()]


@pytest.mark.skipif(joblib.cpu_count() < 2, reason="one core is all cores")
def test_a_refit_in_a_process_has_all_cores(monkeypatch):
    """Nothing runs beside it, whatever ran side by side before."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    search = ExhaustiveSearchCV(Telling(), {"C": [1, 2]}, cv=2, n_jobs=2, fit_timeout=60)
    told = search.fit(np.zeros((8, 1)), [0, 1] * 4).best_estimator_.told_
    assert told["joblib"] == told["libraries"] == joblib.cpu_count()


def test_as_many_cores_as_the_user_says():
    """`inner_max_num_threads` of joblib is what a call gets."""
    with parallel_config("loky", inner_max_num_threads=2):
        found = minimize(threads_of, {"x": [1, 2]}, optimizer="grid", n_jobs=2)
    assert set(told(found, "joblib")) == {min(2, joblib.cpu_count())}
