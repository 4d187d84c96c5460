"""Fits that end their process, or try to."""

import threading

import numpy as np
import pytest

from hpsearch import ExhaustiveSearchCV, SearchAborted, minimize

from .victims import Misbehaving, data

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")


def searched(how, n_jobs, **options):
    """A search over these behaviours; returns it with the status of each."""
    search = ExhaustiveSearchCV(Misbehaving(), {"how": how}, cv=3, n_jobs=n_jobs, **options)
    search.fit(*data())
    return search, {t.params["how"]: t.status.value for t in search.trials_}


def test_a_dying_worker_costs_its_candidate():
    """Two culprits, side by side with others: they are found, the others have their scores."""
    search, status = searched(["well", "exit", "killed", "slow"], 2)
    assert [how for how in status if status[how] == "crashed"] == ["exit", "killed"]
    assert [how for how in status if status[how] == "complete"] == ["well", "slow"]
    crashed = search.cv_results_["param_how"] == "exit"
    assert np.isnan(search.cv_results_["mean_test_score"][crashed]).all()
    assert "process that ran the fit died" in search.trials_[1].error
    assert search.best_params_["how"] in ("well", "slow")


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_what_is_no_exception_does_not_end_the_search(n_jobs):
    """SystemExit, and a bare BaseException, in a fit are failures of that fit."""
    search, status = searched(["well", "system_exit", "base_exception"], n_jobs)
    assert status == {"well": "complete", "system_exit": "failed", "base_exception": "failed"}
    assert "SystemExit" in search.trials_[1].error


@pytest.mark.parametrize("how", ["exit", "hang"])
def test_the_first_failure_ends_a_search_that_is_to_raise(how):
    """A process that dies, or is ended, is a failure as any other; its reason is told."""
    options = {"error_score": "raise", "fit_timeout": 2.0}
    told = "process that ran the fit died" if how == "exit" else "ended after 2 seconds"
    with pytest.raises(SearchAborted, match=told):
        searched(["well", how], 2, **options)


class Odd(Exception):
    """Cannot be made again from what it says of itself."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class Locked(Exception):
    """Holds what no other process can be given."""

    def __init__(self, text):
        super().__init__(text)
        self.lock = threading.Lock()


def odd(params):
    raise Odd(7, "an odd one")


def locked(params):
    raise Locked("a locked one")


@pytest.mark.parametrize(("function", "text"), [(odd, "an odd one"), (locked, "a locked one")])
def test_exceptions_that_cannot_be_sent_are_told_by_their_text(function, text):
    """They end neither the process that sends them nor the one that receives them."""
    with pytest.raises(RuntimeError, match=f"(?s)Traceback.*{text}"):
        minimize(function, {"x": [1, 2, 3]}, optimizer="grid", n_jobs=2, raise_errors=True)


def test_culprit_in_every_candidate_stops_with_an_explanation():
    """If the first candidates all end their process, the search says so and stops."""
    grid = {"how": ["exit"], "n": list(range(50))}
    search = ExhaustiveSearchCV(Misbehaving(), grid, cv=2, n_jobs=2)
    with pytest.raises(SearchAborted, match="not with one of them"):
        search.fit(*data())
    assert {t.status.value for t in search.trials_} <= {"crashed", "pruned"}


def test_raising_keeps_what_was_done():
    """error_score="raise" raises the original exception; trials_ has what came before."""
    grid = {"how": ["well", "fail"]}
    search = ExhaustiveSearchCV(Misbehaving(), grid, cv=3, error_score="raise")
    with pytest.raises(ValueError, match="this one always fails"):
        search.fit(*data())
    assert sum(len(t.results) for t in search.trials_) == 3


def test_what_has_no_name_in_a_module_goes_to_processes():
    """Local classes and lambdas work with worker processes."""

    class Local(Misbehaving):
        def score(self, X, y):
            return float(-self.n)

    scoring = {"own": lambda estimator, X, y: estimator.score(X, y), "n": lambda e, X, y: e.n}
    search = ExhaustiveSearchCV(
        Local(), {"n": [3, 1, 2]}, cv=2, n_jobs=2, scoring=scoring, refit="own"
    )
    search.fit(*data())
    assert search.best_params_ == {"n": 1}
    assert list(search.cv_results_["mean_test_n"]) == [3, 1, 2]
