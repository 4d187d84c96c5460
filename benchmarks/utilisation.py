"""How busy GPSearchCV keeps its workers: ``python benchmarks/utilisation.py``.

Fits sleep for lognormal times, so that a search which waits for the slowest of a batch is seen
at once, and other work on the machine is not. Utilisation is the time that workers spent in fits
over the time they had: from the first fit's start to the last one's end, times their number. Two
figures: over the whole, and until the last candidate was started, since at the end of any search
some workers have nothing left to do. Beside ours: the same candidates in batches of `n_jobs`, as
a search has them that waits for a batch, with the same times, computed and not run.
"""

import argparse
import heapq
import os
import platform
import tempfile
import time
from pathlib import Path

import joblib
import numpy as np
import scipy
import sklearn
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import KFold

from hpsearch import GPSearchCV

N_SPLITS = 5


class Sleeper(RegressorMixin, BaseEstimator):
    """Sleeps as long as its candidate and split say, and notes when."""

    def __init__(self, x=0.5, y=0.5, seconds=0.5, spread=1.0, notes=None):
        self.x = x
        self.y = y
        self.seconds = seconds
        self.spread = spread
        self.notes = notes

    def fit(self, X, y):
        began = time.time()
        seed = [int(1e9 * self.x), int(1e9 * self.y), int(X.sum())]
        time.sleep(self.seconds * np.random.default_rng(seed).lognormal(0, self.spread))
        with tempfile.NamedTemporaryFile("w", dir=self.notes, delete=False) as file:
            file.write(f"{began} {time.time()} {self.x!r}")
        self.mean_ = y.mean()
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)

    def score(self, X, y):
        return -((self.x - 0.3) ** 2) - (self.y - 0.6) ** 2


def run(n_jobs, n_iter, seconds, spread):
    """Return when fits began and ended, and which candidate each was of, (n, 3)."""
    X, y = np.arange(40.0)[:, None], np.arange(40.0)
    with tempfile.TemporaryDirectory() as folder:
        model = Sleeper(seconds=seconds, spread=spread, notes=folder)
        space = {"x": (0.0, 1.0), "y": (0.0, 1.0)}
        options = {"n_iter": n_iter, "random_state": 0, "refit": False}
        given = {"n_jobs": n_jobs, "cv": KFold(N_SPLITS)}
        GPSearchCV(model, space, **options | given | {"n_iter": n_jobs}).fit(X, y)  # workers start
        for note in Path(folder).iterdir():
            note.unlink()
        GPSearchCV(model, space, **options, **given).fit(X, y)
        rows = [note.read_text().split() for note in Path(folder).iterdir()]
    return np.array(sorted([float(v) for v in row] for row in rows))


def utilisation(rows, n_jobs, until):
    """Return the share of n_jobs workers' time, up to `until`, that was spent in fits."""
    began, ended = rows[:, 0], np.minimum(rows[:, 1], until)
    return np.maximum(ended - began, 0).sum() / (n_jobs * (until - began.min()))


def last_start(rows):
    """When the last candidate's first fit began."""
    return max(rows[rows[:, 2] == x, 0].min() for x in set(rows[:, 2]))


def in_batches(rows, n_jobs):
    """Return the utilisation if n_jobs candidates at a time were waited for together."""
    names = list(dict.fromkeys(rows[:, 2]))
    total = 0.0
    for start in range(0, len(names), n_jobs):
        free = [0.0] * n_jobs
        for name in names[start : start + n_jobs]:
            for row in rows[rows[:, 2] == name]:
                heapq.heapreplace(free, free[0] + row[1] - row[0])
        total += max(free)
    return (rows[:, 1] - rows[:, 0]).sum() / (n_jobs * total)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-jobs", type=int, nargs="*", default=[2, 4])
    parser.add_argument("--n-iter", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=0.5, help="median of a fit")
    options = parser.parse_args()
    print(
        f"Python {platform.python_version()}, scikit-learn {sklearn.__version__}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}, joblib {joblib.__version__}, "
        f"{os.cpu_count()} cores; {options.n_iter} candidates, {N_SPLITS} splits"
    )
    print(f"{'n_jobs':>7}{'spread':>8}{'while asking':>14}{'whole':>8}{'in batches':>12}")
    for n_jobs in options.n_jobs:
        for spread in (0.0, 0.5, 1.0):
            rows = run(n_jobs, options.n_iter, options.seconds, spread)
            asking = utilisation(rows, n_jobs, last_start(rows))
            whole = utilisation(rows, n_jobs, rows[:, 1].max())
            batches = in_batches(rows, n_jobs)
            print(f"{n_jobs:7d}{spread:8.1f}{asking:14.3f}{whole:8.3f}{batches:12.3f}", flush=True)


if __name__ == "__main__":
    main()
