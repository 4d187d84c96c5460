"""Time limits, of one fit and of the search."""

import itertools
import os
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.datasets import load_iris
from sklearn.svm import SVC

from hpsearch import ExhaustiveSearchCV, GPSearchCV, SampledSearchCV, SearchAborted, StopSearch
from hpsearch.executors import JoblibExecutor

from .processes import in_proc, is_alive
from .victims import Misbehaving, data

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")


@pytest.mark.parametrize(("how", "n_jobs"), [("hang", 1), ("hang", 2), ("hang_in_c", 2)])
def test_a_hanging_fit_is_ended(how, n_jobs):
    """A fit that takes longer than fit_timeout, in compiled code too, costs its candidate."""
    grid = {"how": ["well", how, "slow"]}
    search = ExhaustiveSearchCV(Misbehaving(), grid, cv=2, n_jobs=n_jobs, fit_timeout=2.0)
    search.fit(*data())
    assert [t.status.value for t in search.trials_] == ["complete", "timeout", "complete"]
    assert "fit_timeout" in search.trials_[1].error
    assert np.isnan(search.cv_results_["mean_test_score"][1])


@in_proc
def test_children_of_a_hanging_fit_go_with_it(tmp_path):
    """A process that a fit has started does not outlive the fit."""
    note = tmp_path / "pid"
    grid = {"how": ["well", "hang_with_child"]}
    estimator = Misbehaving(note=str(note))
    ExhaustiveSearchCV(estimator, grid, cv=2, n_jobs=2, fit_timeout=2.0).fit(*data())
    pid = int(note.read_text())
    end = time.monotonic() + 20
    while is_alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_alive(pid)


def test_a_fit_timeout_needs_processes_that_can_be_ended():
    """Threads cannot be killed, and the search says so before the first fit."""
    search = ExhaustiveSearchCV(Misbehaving(), {"n": [1, 2]}, cv=2, n_jobs=2, fit_timeout=1.0)
    with parallel_config(backend="threading"), pytest.raises(ValueError, match="fit_timeout needs"):
        search.fit(*data())


def test_no_time_at_all_is_told():
    """Not as an empty iterator of splits, which it is not."""
    search = ExhaustiveSearchCV(Misbehaving(), {"n": [1, 2]}, cv=2, max_time=1e-9)
    with pytest.raises(SearchAborted, match="max_time=1e-09"):
        search.fit(*data())


def test_a_stop_before_the_first_result_is_told():
    """In the words of who stopped it."""

    def stop(event):
        raise StopSearch("not today")

    search = ExhaustiveSearchCV(Misbehaving(), {"n": [1, 2]}, cv=2, watch=stop)
    with pytest.raises(SearchAborted, match="not today"):
        search.fit(*data())


@pytest.mark.parametrize("n_fits", [3, 4])
def test_a_failure_does_not_win_over_what_was_not_done(n_fits):
    """Ended between two splits, a search has a best: the refit is not of what failed before."""
    done = []

    def stop(event):
        done.extend(["fit"] * (event.kind == "result"))
        if len(done) == n_fits:
            raise StopSearch

    grid = {"how": ["fail", "well"]}
    search = ExhaustiveSearchCV(Misbehaving(), grid, cv=2, watch=stop).fit(*data())
    assert [len(trial.results) for trial in search.trials_] == [2, n_fits - 2]
    assert search.best_params_ == {"how": "well"}
    assert np.isnan(search.best_score_) == (n_fits == 3)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("cls", [SampledSearchCV, GPSearchCV])
def test_max_time_ends_the_search_and_keeps_what_is_done(cls, n_jobs):
    """The search stops long before its candidates end, with results and a refitted best."""
    space = {"how": ["slow"], "n": list(range(2000))}
    # Starting processes takes seconds of its own: have them started.
    ExhaustiveSearchCV(Misbehaving(), {"n": [1, 2]}, cv=2, n_jobs=n_jobs).fit(*data())
    search = cls(
        Misbehaving(), space, n_iter=1000, cv=2, n_jobs=n_jobs, max_time=8.0, random_state=0
    )
    search.fit(*data())
    assert 0 < len(search.trials_) < 1000
    complete = [t for t in search.trials_ if t.status.value == "complete"]
    assert search.best_score_ == max(t.params["n"] for t in complete)
    assert search.best_estimator_.n == search.best_params_["n"]
    assert {t.status.value for t in search.trials_} <= {"complete", "pruned"}
    unfinished = [t.number for t in search.trials_ if t.status.value == "pruned"]
    assert np.isnan(search.cv_results_["mean_test_score"][unfinished]).all()


def test_nothing_is_left_of_a_search_with_limits(tmp_path, monkeypatch):
    """No temporary file stays behind."""
    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", str(tmp_path))
    grid = {"how": ["well", "hang"]}
    ExhaustiveSearchCV(Misbehaving(), grid, cv=2, n_jobs=2, fit_timeout=2.0).fit(*data())
    assert list(tmp_path.glob("hpsearch*")) == []


def takes_memory(folder, n_bytes):
    """Grow by so many bytes, and say how many others were at it meanwhile."""
    mark = Path(folder, str(os.getpid()))
    mark.touch()
    taken = np.ones(n_bytes, dtype=np.uint8)
    time.sleep(0.3)  # long enough for another one to begin
    others = len(list(Path(folder).iterdir()))
    mark.unlink()
    return others, int(taken[0])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how much a process takes")
def test_calls_that_do_not_fit_beside_each_other_wait(tmp_path):
    """Once a call has shown its need, no two run where there is memory for one."""
    mega = 2**20
    with JoblibExecutor(2, memory=300 * mega) as executor:
        executor.submit(0, partial(takes_memory, tmp_path, 200 * mega))
        assert executor.wait()[1] == (1, 1)
        executor.submit(1, os.getpid)  # what it needs less is no news of the others
        executor.wait()
        for key in range(2, 6):
            executor.submit(key, partial(takes_memory, tmp_path, 200 * mega))
        assert [executor.wait()[1] for _ in range(2, 6)] == [(1, 1)] * 4


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_crash_of_the_refit_does_not_end_the_program(tmp_path):
    """After a crash in the search, or with fit_timeout, the refit runs in its own process."""
    grid = {"how": ["well", "exit"], "n": [0, 5]}
    refit = lambda results: list(results["param_how"]).index("exit")  # noqa: E731
    search = ExhaustiveSearchCV(Misbehaving(), grid, cv=2, n_jobs=2, refit=refit)
    with pytest.raises(SearchAborted, match="The refit of the best candidate failed") as told:
        search.fit(*data())
    assert "refit_best" in "".join(told.value.__notes__)
    assert search.best_params_["how"] == "exit"
    search.best_params_ = {"how": "well", "n": 5}
    assert search.refit_best(*data()).best_estimator_.n == 5


def test_an_infinite_score_does_not_win():
    """A scorer that returns inf has failed, and the search says so."""
    scoring = lambda estimator, X, y: np.inf if estimator.n == 2 else estimator.n  # noqa: E731
    search = ExhaustiveSearchCV(Misbehaving(), {"n": [1, 2, 3]}, cv=2, scoring=scoring)
    with pytest.warns(UserWarning, match="the scorer returned inf"):
        search.fit(*data())
    assert search.best_params_ == {"n": 3}
    assert search.trials_[1].status.value == "failed"


def test_a_clock_that_is_set_back(monkeypatch):
    """Times are lengths of time, whatever the clock of the system does meanwhile."""
    ticks = itertools.count(1e9, -10)
    monkeypatch.setattr(time, "time", lambda: next(ticks))
    search = GPSearchCV(SVC(), {"C": (0.1, 10.0)}, n_iter=3, cv=3, max_time=100, random_state=0)
    search.fit(*load_iris(return_X_y=True))
    assert len(search.trials_) == 3
    assert search.refit_time_ > 0
    assert search.cv_results_["mean_fit_time"].min() > 0
