"""Fits a second beside scikit-learn's searches: ``python benchmarks/throughput.py``.

Both classes search the same candidates with an estimator whose fit costs next to nothing, so that
what is left is the searches' own work. Runs alternate (theirs, ours, theirs, ...) and the ratio is
the median over pairs of neighbours, so that whatever else the machine does falls on both.
"""

import argparse
import platform
import statistics
import time

import joblib
import numpy as np
import scipy
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.tree import DecisionTreeClassifier

from hpsearch import ExhaustiveSearchCV, SampledSearchCV

X, Y = load_iris(return_X_y=True)
PAIRS = {
    "ExhaustiveSearchCV": (ExhaustiveSearchCV, GridSearchCV),
    "SampledSearchCV": (SampledSearchCV, RandomizedSearchCV),
}


class Nothing(ClassifierMixin, BaseEstimator):
    """Learns the classes and predicts the first."""

    def __init__(self, level=0):
        self.level = level

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


WORK = {  # an estimator, and a parameter of which no two values can share a fit
    "nothing": (Nothing(), "level"),
    "dummy": (DummyClassifier(), "random_state"),
    "tree": (DecisionTreeClassifier(), "random_state"),
}


def fits_a_second(cls, work, n_candidates, n_jobs):
    estimator, name = WORK[work]
    space = {name: list(range(n_candidates))}
    options = {"n_jobs": n_jobs, "refit": False, "cv": 5}
    if cls in PAIRS["SampledSearchCV"]:
        options |= {"n_iter": n_candidates, "random_state": 0}
    search = cls(estimator, space, **options)
    began = time.perf_counter()
    search.fit(X, Y)
    return n_candidates * 5 / (time.perf_counter() - began)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--candidates", type=int, default=200)
    parser.add_argument("--n-jobs", type=int, nargs="*", default=[1, 2])
    options = parser.parse_args()
    print(
        f"Python {platform.python_version()}, scikit-learn {sklearn.__version__}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}, joblib {joblib.__version__}, "
        f"{joblib.cpu_count()} cores; "
        f"{options.candidates} candidates, 5 splits, {options.repeats} pairs"
    )
    print(f"{'':30}{'n_jobs':>7}{'theirs/s':>10}{'ours/s':>10}{'ratio':>8}{'range':>16}")
    for n_jobs in options.n_jobs:
        for name, (ours, theirs) in PAIRS.items():
            for work in WORK:
                given = work, options.candidates, n_jobs
                for cls in (theirs, ours):
                    fits_a_second(cls, *given)  # workers start
                pairs = [
                    (fits_a_second(theirs, *given), fits_a_second(ours, *given))
                    for _ in range(options.repeats)
                ]
                ratios = sorted(mine / other for other, mine in pairs)
                other, mine = (statistics.median(column) for column in zip(*pairs, strict=True))
                print(
                    f"{name + ', ' + work:30}{n_jobs:7d}{other:10.0f}{mine:10.0f}"
                    f"{statistics.median(ratios):8.2f}{ratios[0]:9.2f}-{ratios[-1]:.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
