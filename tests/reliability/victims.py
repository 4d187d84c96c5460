"""Estimators that misbehave, and a program that is killed. Run as a module by the tests."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from hpsearch import (
    ExhaustiveSearchCV,
    GPSearchCV,
    HalvingPruner,
    SampledSearchCV,
    TPESearchCV,
)

MOST = 9  # of the resource of the search that halves
N_ROWS = 60


class Classifier(ClassifierMixin, BaseEstimator):
    """Scores by a formula of its parameters and rows, so that a search has something to find."""

    def __init__(self, x=0.5, k=1, n=1, log=None, seconds=0.0):
        self.x = x
        self.k = k
        self.n = n
        self.log = log
        self.seconds = seconds

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        if self.log is not None:
            line = f"{self.x!r} {self.k!r} {self.n!r} {int(X[:, 0].sum())}\n"
            with Path(self.log).open("a") as file:
                file.write(line)
        time.sleep(self.seconds)
        return self

    def score(self, X, y):
        split = np.cos(X[:, 0].sum() + 3 * self.x)  # in part its own for each candidate
        return float(np.cos(7 * self.x + self.k) + 0.05 * split - 0.1 / self.n)


class Misbehaving(ClassifierMixin, BaseEstimator):
    """Does to its process what `how` says."""

    def __init__(self, how="well", n=0, note=None):
        self.how = how
        self.n = n
        self.note = note

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        getattr(self, f"_{self.how}")()
        return self

    def score(self, X, y):
        return float(self.n)

    def _well(self):
        pass

    def _exit(self):
        os._exit(3)

    def _killed(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def _system_exit(self):
        sys.exit(1)

    def _base_exception(self):
        raise BaseException("not an Exception")  # noqa: TRY002

    def _hang(self):
        time.sleep(1000)

    def _hang_in_c(self):
        re.match(r"(a+)+$", "a" * 40 + "b")  # exponential, and holds the interpreter's lock

    def _hang_with_child(self):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
        Path(self.note).write_text(str(child.pid))
        child.wait()

    def _slow(self):
        time.sleep(0.2)

    def _fail(self):
        raise ValueError("this one always fails")


def data():
    """Rows whose first column is their number, so that a split is known by a sum."""
    X = np.zeros((N_ROWS, 2))
    X[:, 0] = np.arange(N_ROWS)
    return X, np.arange(N_ROWS) % 2


def search(name, checkpoint, log, *, n_jobs=1, seconds=0.0):
    """The same search in the test and in the program."""
    space = {"x": (0.0, 1.0), "k": [1, 2, 3]}
    grid = {"x": list(np.linspace(0, 1, 4)), "k": [1, 2, 3]}
    estimator = Classifier(log=log, seconds=seconds)
    options = {"cv": 3, "n_jobs": n_jobs, "checkpoint": checkpoint}
    if name == "exhaustive":
        return ExhaustiveSearchCV(estimator, grid, **options)
    if name == "race":
        return GPSearchCV(estimator, space, n_iter=12, random_state=0, pruner="race", **options)
    if name == "halving":
        pruner = HalvingPruner("n", min_resources=1, max_resources=MOST)
        return TPESearchCV(estimator, space, n_iter=12, random_state=0, pruner=pruner, **options)
    if name == "sampled":
        return SampledSearchCV(estimator, grid, n_iter=10, random_state=0, **options)
    cls = {"gp": GPSearchCV, "tpe": TPESearchCV}[name]
    return cls(estimator, space, n_iter=10, random_state=0, **options)


def main():
    name, checkpoint, log, n_jobs, seconds = sys.argv[1:]
    found = search(name, checkpoint, log, n_jobs=int(n_jobs), seconds=float(seconds))
    found.fit(*data())


if __name__ == "__main__":
    # Under the name that the tests know it by: the class of the estimator is part of the work.
    import importlib

    importlib.import_module("tests.reliability.victims").main()
