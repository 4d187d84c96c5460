"""Ctrl-C, in a program of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hpsearch import ExhaustiveSearchCV, minimize

from .victims import Classifier, data

PROGRAM = """
import signal
import sys
import time
import warnings
from pathlib import Path
from tests.reliability.victims import Classifier, data
from hpsearch import GPSearchCV, SampledSearchCV

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
warnings.simplefilter("always")
name, n_jobs, log, refit_seconds = sys.argv[1:]


class Slow(Classifier):
    def fit(self, X, y):
        if len(X) == 60:  # all rows: the refit
            Path(self.log + ".refit").touch()
            time.sleep(float(refit_seconds))
        return super().fit(X, y)


if __name__ == "__main__":
    cls = {"sampled": SampledSearchCV, "gp": GPSearchCV}[name]
    space = {"x": list(range(1000)), "k": list(range(1000))}
    options = {"n_iter": 1000, "cv": 3, "n_jobs": int(n_jobs), "random_state": 0}
    search = cls(Slow(log=log, seconds=0.1), space, **options)
    try:
        search.fit(*data())
    except KeyboardInterrupt:
        print("interrupted", len(search.trials_), hasattr(search, "cv_results_"))
    else:
        print("fitted", len(search.cv_results_["params"]), search.best_estimator_.x)
"""


def run(tmp_path, name, n_jobs, refit_seconds, interrupts):
    """Start the program; send an interrupt whenever the file named for it has the lines."""
    program, log = tmp_path / "program.py", tmp_path / "fits.log"
    program.write_text(PROGRAM)
    process = subprocess.Popen(
        [sys.executable, str(program), name, str(n_jobs), str(log), str(refit_seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])},
        start_new_session=True,
    )
    for ready in interrupts:
        while process.poll() is None and not ready(log):
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process
    return process.communicate(timeout=120)


def has_fits(log):
    return log.exists() and len(log.read_text().splitlines()) >= 8


def is_refitting(log):
    return log.with_name(log.name + ".refit").exists()


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("name", ["sampled", "gp"])
def test_the_first_interrupt_ends_in_order(name, n_jobs, tmp_path):
    """No new fits, what is done is in cv_results_, the best is refitted, and a warning says so."""
    out, err = run(tmp_path, name, n_jobs, 0, [has_fits])
    word, n_trials, _ = out.split()
    assert word == "fitted", err
    assert 2 <= int(n_trials) < 20
    assert "The search was interrupted" in err


def test_the_second_interrupt_ends_at_once(tmp_path):
    """During the refit Ctrl-C raises; the results are there."""
    out, err = run(tmp_path, "sampled", 1, 100, [has_fits, is_refitting])
    word, n_trials, has_results = out.split()
    assert (word, has_results) == ("interrupted", "True"), err
    assert 2 <= int(n_trials) < 20


class Ended(BaseException):
    """As what ends a task from outside raises: a test runner's time limit, a scheduler."""


class Handler:
    """Ways to handle a signal."""

    def method(self, number, frame):
        raise Ended

    def __call__(self, number, frame):
        sys.exit("told to end")


to_come = []


class Signalled(Classifier):
    """While one of its fits runs, the process is sent a signal, if one is to come."""

    def fit(self, X, y):
        if self.k == 3 and to_come:
            to_come.clear()
            os.kill(os.getpid(), signal.SIGUSR1)
        return super().fit(X, y)


@pytest.fixture(params=[Handler().method, Handler(), lambda *_: sys.exit(1)])
def handled(request):
    """A handler of SIGUSR1, of each kind."""
    before = signal.signal(signal.SIGUSR1, request.param)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("reuse", [True, False])
def test_what_a_handler_of_a_signal_raises_is_no_failed_fit(handled, reuse, tmp_path):
    """It ends the search, as it ends scikit-learn's; what was done is kept, and gone on from."""
    grid, options = {"k": [1, 2, 3, 4]}, {"cv": 3, "reuse": reuse}
    search = ExhaustiveSearchCV(Signalled(), grid, checkpoint=tmp_path / "run.sqlite", **options)
    to_come.append("a signal")
    with pytest.raises((Ended, SystemExit)):
        search.fit(*data())
    assert [str(t.status) for t in search.trials_[:2]] == ["complete", "complete"]
    assert all(t.status.value != "failed" for t in search.trials_)
    assert len(search.fit(*data()).trials_) == 4
    whole = ExhaustiveSearchCV(Classifier(), grid, **options).fit(*data())
    theirs, ours = (s.cv_results_["mean_test_score"].tolist() for s in (whole, search))
    assert ours == theirs


def test_nor_is_it_a_failed_call(handled):
    """The same for a function."""

    def signalled(params):
        if params["x"] == 2:
            os.kill(os.getpid(), signal.SIGUSR1)
        return params["x"]

    with pytest.raises((Ended, SystemExit)):
        minimize(signalled, {"x": [1, 2, 3]}, optimizer="grid")


@pytest.fixture
def heeds_interrupts():
    """Ctrl-C interrupts, even where a shell started the tests as a job that ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeds_interrupts")
def test_an_interrupt_is_told_where_minimize_was_called():
    """The best of what was done is returned, and the warning points at the caller's line."""

    def interrupted(params):
        if params["x"] == 2:
            signal.raise_signal(signal.SIGINT)
        return params["x"]

    with pytest.warns(UserWarning, match="The search was interrupted") as caught:
        found = minimize(interrupted, {"x": [3, 1, 2, 0]}, optimizer="grid")
    assert (found.best_params, caught[0].filename) == ({"x": 1}, __file__)
