"""How near best_score_ and its corrections are to the score on new rows.

Twenty problems, ten simulated and ten made of scikit-learn's data sets: a search of 50 candidates
on a small sample, and the score of its refitted winner on all rows that it never saw. Among them
are problems in which there is nothing to find, problems in which all candidates are about as good,
and problems in which the best one is clear; what each gives is printed.

    python benchmarks/honest.py [--repeats 3]
"""

from __future__ import annotations

import argparse
import platform
import warnings
from functools import partial

import numpy as np
import sklearn
from sklearn import datasets as d
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import hpsearch
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
METHODS = ("none", "tibshirani", "splits", "bootstrap", "rows")


def main() -> None:
    """Print the errors of each problem, and of all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3, help="samples of each (default: 3)")
    repeats = parser.parse_args().repeats
    print(
        f"hpsearch {hpsearch.__version__ if hasattr(hpsearch, '__version__') else 'dev'}, "
        f"scikit-learn {sklearn.__version__}, numpy {np.__version__}, "
        f"Python {platform.python_version()}; {repeats} samples of each problem"
    )
    print("estimate of the score, less the score on new rows; 'none' is best_score_")
    print(f"{'':26}" + "".join(f"{m:>12}" for m in METHODS))
    rows = []
    for name, data, n_rows, searched in PROBLEMS:
        errors = np.array([errors_of(data, n_rows, searched, seed) for seed in range(repeats)])
        rows.append(errors)
        means = "".join(f"{e:12.4f}" for e in errors.mean(axis=0))
        print(f"{name:26}{means}", flush=True)
    every = np.concatenate(rows)
    print(f"{'mean error':26}" + "".join(f"{e:12.4f}" for e in every.mean(axis=0)))
    sizes = np.abs(every).mean(axis=0)
    print(f"{'mean absolute error':26}" + "".join(f"{e:12.4f}" for e in sizes))
    squares = np.sqrt((every**2).mean(axis=0))
    print(f"{'root mean squared error':26}" + "".join(f"{e:12.4f}" for e in squares))
    by_problem = np.abs(np.array([e.mean(axis=0) for e in rows]))
    nearer = (by_problem < by_problem[:, :1]).sum(axis=0)
    print(f"{'nearer on problems':26}{'':12}" + "".join(f"{n:12d}" for n in nearer[1:]))


def errors_of(data, n_rows, searched, seed):
    """Search on some rows; return each estimate less the score on the others."""
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
    search = SampledSearchCV(*searched, n_iter=50, cv=cv, random_state=seed, keep="predictions")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, y)
    told = [search.best_score_] + [search.corrected_score(m).score for m in METHODS[1:]]
    return np.array(told) - search.score(X_new, y_new)


if __name__ == "__main__":
    main()
