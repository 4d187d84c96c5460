"""What racing saves, and what it costs: ``python benchmarks/racing.py [--seeds 10] [--search gp]``.

Seven tasks on data that comes with scikit-learn, 60 candidates, 5 and 10 splits. Each search runs
in full, with ``pruner="race"`` and with ``pruner="bound"``, by the same seed. "fits" is the share
of the full search's fits; "winner" how often the winner is the full search's (of random search: the
GP goes another way once it is told something else); "lost" is the full winner's mean score less
that of the race's, in standard errors of the full winner's mean, on average and at worst.
"""

import argparse
import math
import platform
import statistics
import warnings

import joblib
import numpy as np
import sklearn
from sklearn.base import is_classifier
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier

from hpsearch import GPSearchCV, Integer, RacingPruner, Real, SampledSearchCV

PRUNERS = ("race", "bound")


def log(low, high):
    return Real(low, high, log=True)


def some(data, n):
    rows = np.random.RandomState(0).permutation(len(data[0]))[:n]
    return data[0][rows], data[1][rows]


DIGITS, CANCER = load_digits(return_X_y=True), load_breast_cancer(return_X_y=True)
DIABETES, WINE = load_diabetes(return_X_y=True), load_wine(return_X_y=True)
TREE = DecisionTreeClassifier(random_state=0)
TASKS = {
    "digits, SVC": (
        SVC(),
        {"C": log(1e-3, 1e3), "gamma": log(1e-6, 1)},
        some(DIGITS, 400),
        "accuracy",
    ),
    "digits, tree": (
        TREE,
        {
            "max_depth": Integer(2, 19),
            "min_samples_leaf": Integer(1, 19),
            "max_features": Real(0.1, 1.0),
        },
        some(DIGITS, 800),
        "accuracy",
    ),
    "cancer, tree": (
        TREE,
        {
            "max_depth": Integer(1, 19),
            "min_samples_leaf": Integer(1, 39),
            "ccp_alpha": log(1e-4, 1e-1),
        },
        CANCER,
        "roc_auc",
    ),
    "cancer, neighbours": (
        make_pipeline(StandardScaler(), KNeighborsClassifier()),
        {
            "kneighborsclassifier__n_neighbors": Integer(1, 59),
            "kneighborsclassifier__weights": ["uniform", "distance"],
            "kneighborsclassifier__p": [1, 2],
        },
        CANCER,
        "balanced_accuracy",
    ),
    "wine, logistic": (
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)),
        {"logisticregression__C": log(1e-4, 1e4)},
        WINE,
        "neg_log_loss",
    ),
    "diabetes, kernel ridge": (
        make_pipeline(StandardScaler(), KernelRidge(kernel="rbf")),
        {"kernelridge__alpha": log(1e-3, 1e2), "kernelridge__gamma": log(1e-5, 1)},
        DIABETES,
        "r2",
    ),
    "diabetes, SVR": (
        make_pipeline(StandardScaler(), SVR()),
        {"svr__C": log(1e-2, 1e3), "svr__gamma": log(1e-4, 1), "svr__epsilon": log(0.1, 50)},
        DIABETES,
        "neg_mean_squared_error",
    ),
}
SEARCHES = {"random": SampledSearchCV, "gp": GPSearchCV}


def run(search, task, n_splits, seed, pruner, n_candidates):
    estimator, space, (X, y), scoring = TASKS[task]
    splitter = StratifiedKFold if is_classifier(estimator) else KFold
    cv = splitter(n_splits, shuffle=True, random_state=seed)
    return SEARCHES[search](
        estimator,
        space,
        n_iter=n_candidates,
        scoring=scoring,
        cv=cv,
        random_state=seed,
        refit=False,
        pruner=pruner,
    ).fit(X, y)


def n_fits(search):
    return sum(len(trial.results) for trial in search.trials_)


def compare(search, task, n_splits, seed, pruners, level, n_candidates):
    """For each pruner: share of the fits, whether the winner is the same, what is lost."""
    full = run(search, task, n_splits, seed, None, n_candidates)
    row = [full.cv_results_[f"split{i}_test_score"][full.best_index_] for i in range(n_splits)]
    error = np.std(row, ddof=1) / np.sqrt(n_splits) or 1.0
    found = {}
    for pruner in pruners:
        given = RacingPruner(level=level) if pruner == "race" else pruner
        raced = run(search, task, n_splits, seed, given, n_candidates)
        lost = (full.best_score_ - raced.best_score_) / error
        found[pruner] = n_fits(raced) / n_fits(full), lost <= 1e-9, lost
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="seed")
    parser.add_argument("--candidates", type=int, default=60)
    parser.add_argument("--search", choices=SEARCHES, action="append")
    parser.add_argument("--splits", type=int, action="append")
    parser.add_argument("--pruner", choices=PRUNERS, action="append")
    parser.add_argument("--level", type=float, help="of the race; else the pruner's own")
    given = parser.parse_args()
    level = "auto" if given.level is None else given.level
    warnings.simplefilter("ignore")
    print(
        f"Python {platform.python_version()}, scikit-learn {sklearn.__version__}, "
        f"numpy {np.__version__}, joblib {joblib.__version__}"
    )
    pruners = given.pruner or PRUNERS
    for search in given.search or SEARCHES:
        for n_splits in given.splits or (5, 10):
            rows = {
                task: [
                    compare(search, task, n_splits, seed, pruners, level, given.candidates)
                    for seed in range(given.first, given.first + given.seeds)
                ]
                for task in TASKS
            }
            for pruner in pruners:
                print(f"\n{search} search, {n_splits} splits, {pruner}", flush=True)
                show(rows, pruner)


def show(rows, pruner):
    every = []
    for task, found in rows.items():
        own = [result[pruner] for result in found]
        every += own
        print(f"{task:24}{told(own)}")
    print(f"{'all':24}{told(every)}", flush=True)


def told(results):
    shares, same, lost = zip(*results, strict=True)
    error = statistics.stdev(lost) / len(lost) ** 0.5 if len(lost) > 1 else math.nan
    return (
        f"fits {statistics.fmean(shares):.2f}  winner {statistics.fmean(same):.2f}  "
        f"lost {statistics.fmean(lost):+.3f} ± {error:.3f}, at worst {max(lost):.2f}"
    )


if __name__ == "__main__":
    main()
