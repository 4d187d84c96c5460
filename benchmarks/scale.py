"""Searches of very many candidates: ``python benchmarks/scale.py [--most 1000000]``.

Trivial candidates (a fit that does nothing, two splits), in a process each: seconds until the first
fit, microseconds and bytes of state a candidate. Times and memory should grow with the number of
candidates, not faster; the first fit should not wait for them.
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import time
import warnings

import numpy as np
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin

from hpsearch import ExhaustiveSearchCV, Real, SampledSearchCV


class Nothing(ClassifierMixin, BaseEstimator):
    """Learns nothing, and scores by its parameter."""

    first = None

    def __init__(self, x=0.0):
        self.x = x

    def fit(self, X, y):
        if Nothing.first is None:
            Nothing.first = time.perf_counter()
        self.classes_ = y
        return self

    def score(self, X, y):
        return -abs(self.x - 0.5)


def run(kind, n_candidates):
    """Search in this process; print what it took."""
    warnings.simplefilter("ignore")
    X, y = np.zeros((4, 1)), np.array([0, 1, 0, 1])
    if kind == "exhaustive":
        values = np.linspace(0, 1, n_candidates)
        search = ExhaustiveSearchCV(Nothing(), {"x": values}, cv=2, refit=False)
    else:
        search = SampledSearchCV(
            Nothing(), {"x": Real(0, 1)}, n_iter=n_candidates, cv=2, refit=False, random_state=0
        )
    before, began = peak(), time.perf_counter()
    search.fit(X, y)
    seconds = time.perf_counter() - began
    found = {
        "first": Nothing.first - began,
        "micros": seconds / n_candidates * 1e6,
        "bytes": (peak() - before) / n_candidates,
    }
    print(json.dumps(found))


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--most", type=int, default=1_000_000)
    parser.add_argument("--run", nargs=2)
    given = parser.parse_args()
    if given.run:
        run(given.run[0], int(given.run[1]))
        return
    print(f"Python {platform.python_version()}, scikit-learn {sklearn.__version__}")
    for kind in ("exhaustive", "sampled"):
        n = min(10_000, given.most)
        while n <= given.most:
            command = [sys.executable, __file__, "--run", kind, str(n)]
            out = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
            print(
                f"{kind:11} {n:9,} candidates  first fit after {out['first']:6.2f} s  "
                f"{out['micros']:7.0f} us  {out['bytes']:6.0f} bytes of state a candidate",
                flush=True,
            )
            n *= 10


if __name__ == "__main__":
    main()
