"""What a search costs beside its fits: ours and scikit-learn's, above a bare loop.

    OMP_NUM_THREADS=1 python benchmarks/overhead.py [--candidates 200] [--repeats 12]

The floor is a loop that clones the estimator, sets the candidate, fits and scores, on rows cut
beforehand. Microseconds of CPU a fit, of this process and its workers, the least of runs in turns;
then the share of scikit-learn's overhead that is ours (the bar: 0.5), and the ratio of wall times.
"""

import argparse
import os
import platform
import time
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import sklearn
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.naive_bayes import GaussianNB

from hpsearch import ExhaustiveSearchCV

N_SPLITS = 5


def cases(n_candidates):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 5)), rng.integers(0, 2, 100)
    frame = pd.DataFrame(X).add_prefix("x")
    smoothing = {"var_smoothing": list(np.logspace(-9, -1, n_candidates))}
    seeds = {"random_state": list(range(n_candidates))}
    yield "Dummy, accuracy", DummyClassifier(), seeds, X, y, "accuracy"
    yield "GaussianNB", GaussianNB(), smoothing, X, y, None
    yield "GaussianNB, DataFrame", GaussianNB(), smoothing, frame, y, None


def cpu_seconds():
    """CPU of this process and of those it has started, which may still live."""
    tick = os.sysconf("SC_CLK_TCK")
    spent = time.process_time()
    me, found = os.getpid(), {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found[int(stat.parent.name)] = int(fields[1]), int(fields[11]) + int(fields[12])
    ours = {me}
    for _ in range(4):
        ours |= {pid for pid, (parent, _) in found.items() if parent in ours}
    return spent + sum(ticks for pid, (_, ticks) in found.items() if pid in ours - {me}) / tick


def floor(estimator, grid, X, y, scoring):
    splits = StratifiedKFold(N_SPLITS).split(X, y)
    take = (lambda rows: X.iloc[rows]) if hasattr(X, "iloc") else (lambda rows: X[rows])
    folds = [(take(a), y[a], take(b), y[b]) for a, b in splits]
    scorer = check_scoring(estimator, scoring)
    ((name, values),) = grid.items()
    for value in values:
        for X_train, y_train, X_test, y_test in folds:
            model = clone(estimator).set_params(**{name: value})
            model.fit(X_train, y_train)
            scorer(model, X_test, y_test)


def searched(cls, n_jobs):
    def search(estimator, grid, X, y, scoring):
        cls(estimator, grid, cv=N_SPLITS, n_jobs=n_jobs, scoring=scoring, refit=False).fit(X, y)

    return search


def measured(function, *case):
    cpu, wall = cpu_seconds(), time.perf_counter()
    function(*case)
    return cpu_seconds() - cpu, time.perf_counter() - wall


def compare(name, case, n_jobs, repeats):
    who = {"floor": floor}
    who |= {"theirs": searched(GridSearchCV, n_jobs), "ours": searched(ExhaustiveSearchCV, n_jobs)}
    spent = {key: [] for key in who}
    for function in who.values():
        function(*case)  # workers started, modules imported
    for _ in range(repeats):
        for key, function in who.items():
            spent[key].append(measured(function, *case))
    n_fits = len(next(iter(case[1].values()))) * N_SPLITS
    cpu, wall = (
        {k: min(v[i] for v in values) * 1e6 / n_fits for k, values in spent.items()} for i in (0, 1)
    )
    theirs, ours = cpu["theirs"] - cpu["floor"], cpu["ours"] - cpu["floor"]
    print(
        f"{name:24} n_jobs={n_jobs}  floor {cpu['floor']:6.0f}  scikit-learn {cpu['theirs']:6.0f}  "
        f"ours {cpu['ours']:6.0f} us  overhead {ours / theirs:5.2f} of theirs  "
        f"wall {wall['theirs'] / wall['ours']:5.2f} x",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--candidates", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=12)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    versions |= {"scikit-learn": sklearn.__version__, "joblib": joblib.__version__}
    print(", ".join(f"{k} {v}" for k, v in versions.items()), vars(args))
    for n_jobs in (1, 2):
        for name, *case in cases(args.candidates):
            compare(name, case, n_jobs, args.repeats)


if __name__ == "__main__":
    main()
