"""How near best_score_ and its corrections are to the score on new rows.

Twenty problems, ten simulated and ten made of scikit-learn's data sets: a search of 50 candidates
on a small sample, and the score of its refitted winner on all rows that it never saw. Among them
are problems in which there is nothing to find, problems in which all candidates are about as good,
and problems in which the best one is clear; what each gives is printed.

    python benchmarks/honest.py [--repeats 3]
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import sklearn
from joblib import Parallel, delayed
from sklearn import datasets as d
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from threadpoolctl import threadpool_limits

from hpsearch import Integer, Real, SampledSearchCV

N_NEW = 5000  # new rows of simulated problems
SVM = (
    make_pipeline(StandardScaler(), SVC()),
    {"svc__C": Real(1e-3, 1e4, log=True), "svc__gamma": Real(1e-5, 10, log=True)},
)
TREE = (
    DecisionTreeClassifier(random_state=0),
    {
        "max_depth": Integer(1, 15),
        "min_samples_leaf": Integer(1, 20),
        "criterion": ["gini", "entropy"],
        "max_features": [None, "sqrt", 0.5],
    },
)
NEIGHBORS = (
    make_pipeline(StandardScaler(), KNeighborsClassifier()),
    {
        "kneighborsclassifier__n_neighbors": Integer(1, 30),
        "kneighborsclassifier__weights": ["uniform", "distance"],
        "kneighborsclassifier__p": [1, 2],
    },
)
SVM_R = (
    make_pipeline(StandardScaler(), SVR()),
    {"svr__C": Real(1e-1, 1e3, log=True), "svr__gamma": Real(1e-4, 1, log=True)},
)
TREE_R = (
    DecisionTreeRegressor(random_state=0),
    {"max_depth": Integer(1, 15), "min_samples_leaf": Integer(1, 20), "max_features": [None, 0.5]},
)
RIDGE = (Ridge(), {"alpha": Real(1e-4, 1e4, log=True), "fit_intercept": [True, False]})
BLOBS = partial(d.make_classification, n_features=20)
# Name, data (simulated ones take n_samples and a seed), rows to search on, what is searched.
PROBLEMS = [
    ("nothing to find, tree", partial(BLOBS, flip_y=1.0), 80, TREE),
    ("nothing to find, SVM", partial(BLOBS, flip_y=1.0), 100, SVM),
    ("easy, SVM", BLOBS, 100, SVM),
    ("noisy labels, SVM", partial(BLOBS, flip_y=0.4), 100, SVM),
    ("noisy labels, neighbors", partial(BLOBS, flip_y=0.4), 100, NEIGHBORS),
    ("many informative, SVM", partial(BLOBS, n_informative=10), 150, SVM),
    ("many informative, tree", partial(BLOBS, n_informative=10), 200, TREE),
    ("larger sample, SVM", partial(BLOBS, n_informative=8), 500, SVM),
    ("Friedman 1, SVM", partial(d.make_friedman1, noise=2.0), 100, SVM_R),
    ("Friedman 1, tree", partial(d.make_friedman1, noise=2.0), 100, TREE_R),
    ("breast cancer, SVM", d.load_breast_cancer, 100, SVM),
    ("breast cancer, tree", d.load_breast_cancer, 150, TREE),
    ("breast cancer, neighbors", d.load_breast_cancer, 80, NEIGHBORS),
    ("wine, tree", d.load_wine, 60, TREE),
    ("iris, tree", d.load_iris, 50, TREE),
    ("digits, SVM", d.load_digits, 200, SVM),
    ("digits, neighbors", d.load_digits, 150, NEIGHBORS),
    ("digits, tree", d.load_digits, 300, TREE),
    ("diabetes, ridge", d.load_diabetes, 100, RIDGE),
    ("diabetes, tree", d.load_diabetes, 100, TREE_R),
]
METHODS = ("rows", "splits", "bootstrap", "tibshirani")


def main() -> None:
    """Search, or read what an earlier run has written, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=20, help="samples of each (default: 20)")
    parser.add_argument("--first", type=int, default=0, help="seed of the first (default: 0)")
    parser.add_argument("--n-jobs", type=int, default=1, help="searches at a time (default: 1)")
    parser.add_argument("--candidates", type=int, default=50, help="of a search (default: 50)")
    parser.add_argument("--keep", type=Path, help="a file for the raw figures; read if it is there")
    told = parser.parse_args()
    seeds = range(told.first, told.first + told.repeats)
    if told.keep is not None and told.keep.exists():
        found = np.array(json.loads(told.keep.read_text()))
    else:
        jobs = (
            delayed(measured)(problem, seed, told.candidates)
            for problem in PROBLEMS
            for seed in seeds
        )
        flat = Parallel(n_jobs=told.n_jobs)(jobs)
        found = np.array(flat).reshape(len(PROBLEMS), told.repeats, -1)
        if told.keep is not None:
            told.keep.write_text(json.dumps(found.tolist()))
    print(
        f"scikit-learn {sklearn.__version__}, numpy {np.__version__}, Python "
        f"{platform.python_version()}; {len(PROBLEMS)} problems, {found.shape[1]} samples of each, "
        f"seeds from {told.first}"
    )
    show(found)


def measured(problem, seed, n_candidates):
    """Search on some rows; return the truth, the best score, and each method's three numbers."""
    _, data, n_rows, searched = problem
    if isinstance(data, partial):
        X, y = data(n_samples=n_rows + N_NEW, random_state=seed)
    else:
        X, y = data(return_X_y=True)
    labels = y if len(np.unique(y)) < 20 else None
    X, X_new, y, y_new = train_test_split(
        X, y, train_size=n_rows, random_state=seed, stratify=labels
    )
    splitter = KFold if labels is None else StratifiedKFold
    cv = splitter(5, shuffle=True, random_state=seed)
    search = SampledSearchCV(
        *searched, n_iter=n_candidates, cv=cv, random_state=seed, keep="predictions"
    )
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        search.fit(X, y)
    corrected = [search.corrected_score(method) for method in METHODS]
    each = [number for c in corrected for number in (c.score, c.low, c.high)]
    return [float(search.score(X_new, y_new)), float(search.best_score_), *each]


def show(found):
    """Print the tables of what was measured, (problems, samples, numbers)."""
    truth = found[..., 0]
    scores = np.concatenate([found[..., 1:2], found[..., 2::3]], axis=2)
    errors = scores - truth[..., None]
    names = ("best_score_", *METHODS)
    print("\nmean error: the estimate, less the score on new rows")
    print(f"{'':26}" + "".join(f"{name:>12}" for name in names))
    for (name, *_), row in zip(PROBLEMS, errors.mean(axis=1), strict=True):
        print(f"{name:26}" + "".join(f"{e:12.4f}" for e in row))
    print(f"{'all':26}" + "".join(f"{e:12.4f}" for e in errors.mean(axis=(0, 1))))
    optimism = errors[..., 0].mean(axis=1)
    seen = optimism > 2 * errors[..., 0].std(axis=1, ddof=1) / math.sqrt(errors.shape[1])
    groups = {
        "all": np.ones(len(PROBLEMS), bool),
        "optimism seen": seen,
        "not seen": ~seen,
    }
    for group, which in groups.items():
        if which.any():
            compare(group, names, errors[which])
    print("\nthe interval at 95 % held the score on new rows; its width")
    for i, method in enumerate(METHODS):
        low, high = found[..., 3 + 3 * i], found[..., 4 + 3 * i]
        held = (low <= truth) & (truth <= high)
        width = float(np.nanmean(high - low))
        print(f"{method:26}{held.mean():12.1%}{held.mean(axis=1).min():12.0%} at least{width:8.3f}")


def compare(group, names, errors):
    """Print how much nearer to the truth each correction is, over a group of problems."""
    sizes = np.abs(errors)  # (problems, samples, estimates)
    gain = (sizes[..., :1] - sizes).mean(axis=1)  # (problems, estimates)
    n = len(gain)
    print(f"\n{group}: {n} problems, {errors.shape[0] * errors.shape[1]} searches")
    print(f"{'':14}{'mean error':>12}{'absolute':>10}{'less by':>10}{'+-':>8}{'problems':>10}")
    for i, name in enumerate(names):
        line = f"{name:14}{errors[..., i].mean():12.4f}{sizes[..., i].mean():10.4f}"
        if i:
            error = gain[:, i].std(ddof=1) / math.sqrt(n) if n > 1 else math.nan
            nearer = int((gain[:, i] > 0).sum())
            line += f"{gain[:, i].mean():10.4f}{error:8.4f}{nearer:7d} of {n}"
        print(line)


if __name__ == "__main__":
    main()
