"""Halving beside its peers: ``python benchmarks/halving.py [--seeds 5] [--n-jobs 2]``.

HistGradientBoostingClassifier by `max_iter` and by rows, an MLP by `max_iter`; 40 candidates drawn.
The full random search sets the mark: its best score less a tenth of a standard error. Each method
searches the same space with the same splits; "time" is the seconds until it has evaluated a
candidate in full that reaches the mark, "reached" how many seeds it did in, "score" the mean score
of its winner in full cross-validation, done again for all, "all" the seconds of the search.
Optuna joins if it is installed.
"""

import argparse
import platform
import statistics
import time
import warnings

import joblib
import numpy as np
import sklearn
from sklearn.datasets import load_digits, make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingRandomSearchCV, StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier

from hpsearch import HalvingPruner, HyperbandPruner, Real, SampledSearchCV

try:
    import optuna
except ImportError:
    optuna = None

CV = StratifiedKFold(3, shuffle=True, random_state=0)
BOOSTING = {
    "learning_rate": Real(0.01, 1.0, log=True),
    "max_leaf_nodes": list(range(3, 48)),
    "min_samples_leaf": list(range(2, 80)),
    "l2_regularization": Real(1e-6, 10.0, log=True),
}
NETWORK = {
    "alpha": Real(1e-6, 1.0, log=True),
    "learning_rate_init": Real(1e-4, 1e-1, log=True),
    "hidden_layer_sizes": [(16,), (32,), (64,), (32, 16)],
}
ROWS = make_classification(4000, 20, n_informative=8, flip_y=0.1, random_state=0)
DIGITS = load_digits(return_X_y=True)
TASKS = {
    "boosting, max_iter": (
        HistGradientBoostingClassifier(max_iter=81, early_stopping=False, random_state=0),
        BOOSTING,
        (ROWS[0][:1000], ROWS[1][:1000]),
        "max_iter",
        3,
    ),
    "boosting, rows": (
        HistGradientBoostingClassifier(max_iter=30, early_stopping=False, random_state=0),
        BOOSTING,
        ROWS,
        "n_samples",
        200,
    ),
    "network, max_iter": (
        MLPClassifier(max_iter=54, random_state=0),
        NETWORK,
        (DIGITS[0][:900] / 16, DIGITS[1][:900]),
        "max_iter",
        2,
    ),
}


class Clock:
    """Notes when the best complete candidate became better."""

    def __init__(self):
        self.began, self.steps = time.perf_counter(), []

    def __call__(self, event):
        if event.kind == "closed" and event.trial.status == "complete":
            self.steps.append((time.perf_counter() - self.began, event.score))

    def reached(self, mark):
        return next((seconds for seconds, score in self.steps if score >= mark), None)


def ours(pruner):
    def search(task, seed, n_jobs, n_candidates):
        estimator, space, (X, y), resource, least = TASKS[task]
        given = None
        if pruner is not None:
            given = pruner(resource, min_resources=least)
        clock = Clock()
        found = SampledSearchCV(
            estimator,
            space,
            n_iter=n_candidates,
            cv=CV,
            n_jobs=n_jobs,
            random_state=seed,
            pruner=given,
            watch=clock,
            refit=False,
        ).fit(X, y)
        return found.best_params_, clock.steps, time.perf_counter() - clock.began

    return search


def scikit_learn(task, seed, n_jobs, n_candidates):
    estimator, space, (X, y), resource, least = TASKS[task]
    most = "auto" if resource == "n_samples" else estimator.get_params()[resource]
    began = time.perf_counter()
    found = HalvingRandomSearchCV(
        estimator,
        space,
        n_candidates=n_candidates,
        resource=resource,
        min_resources=least,
        max_resources=most,
        cv=CV,
        n_jobs=n_jobs,
        random_state=seed,
        refit=False,
    ).fit(X, y)
    seconds = time.perf_counter() - began
    # Nothing is known before it ends.
    return found.best_params_, [(seconds, None)], seconds


def asha_of_optuna(task, seed, n_jobs, n_candidates):
    """As its users write it: a fit a rung, from the start, the mean over the splits reported."""
    estimator, space, (X, y), resource, least = TASKS[task]
    splits = list(CV.split(X, y))
    most = len(splits[0][0]) if resource == "n_samples" else estimator.get_params()[resource]
    amounts = [most]
    while amounts[0] / 3 >= least:
        amounts.insert(0, amounts[0] / 3)
    clock = Clock()

    def objective(trial):
        params = {name: suggested(trial, name, values) for name, values in space.items()}
        trial.set_user_attr("params", params)
        for step, amount in enumerate(amounts, 1):
            score = mean_score(estimator, params, resource, int(amount), splits, X, y)
            trial.report(score, step)
            if step < len(amounts) and trial.should_prune():
                raise optuna.TrialPruned
        clock.steps.append((time.perf_counter() - clock.began, score))
        return score

    pruner = optuna.pruners.HyperbandPruner(1, len(amounts), 3)
    sampler = optuna.samplers.RandomSampler(seed)
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
    study.optimize(objective, n_trials=n_candidates, n_jobs=n_jobs)
    return study.best_trial.user_attrs["params"], clock.steps, time.perf_counter() - clock.began


def suggested(trial, name, values):
    if isinstance(values, Real):
        return trial.suggest_float(name, values.low, values.high, log=True)
    return values[trial.suggest_int(name, 0, len(values) - 1)]


def mean_score(estimator, params, resource, amount, splits, X, y):
    scores = []
    for train, test in splits:
        model = sklearn.base.clone(estimator).set_params(**params)
        rows = train
        if resource == "n_samples":
            rows = np.random.RandomState(0).permutation(train)[:amount]
        else:
            model.set_params(**{resource: amount})
        scores.append(model.fit(X[rows], y[rows]).score(X[test], y[test]))
    return statistics.fmean(scores)


METHODS = {
    "full random search": ours(None),
    "HalvingPruner": ours(HalvingPruner),
    "HyperbandPruner": ours(HyperbandPruner),
    "HalvingRandomSearchCV": scikit_learn,
}
if optuna is not None:
    METHODS["Optuna, Hyperband"] = asha_of_optuna


def full_scores(task, params):
    estimator, _, (X, y), resource, _ = TASKS[task]
    given = {k: v for k, v in params.items() if k != resource}
    return cross_val_score(sklearn.base.clone(estimator).set_params(**given), X, y, cv=CV)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--n-jobs", type=int, default=1)
    parser.add_argument("--candidates", type=int, default=40)
    parser.add_argument("--only", nargs="*", choices=TASKS, default=list(TASKS))
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    versions = {"scikit-learn": sklearn.__version__, "joblib": joblib.__version__}
    if optuna is not None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        versions["Optuna"] = optuna.__version__
    print(f"Python {platform.python_version()}", versions, vars(given))
    for task in given.only:
        compare(task, given.seeds, given.n_jobs, given.candidates)


def compare(task, n_seeds, n_jobs, n_candidates):
    rows = {name: [] for name in METHODS}
    for seed in range(n_seeds):
        mark = None
        for name, method in METHODS.items():
            params, steps, seconds = method(task, seed, n_jobs, n_candidates)
            scores = full_scores(task, params)
            if mark is None:
                mark = scores.mean() - 0.1 * scores.std(ddof=1) / np.sqrt(len(scores))
            steps = [(at, scores.mean() if score is None else score) for at, score in steps]
            at = next((at for at, score in steps if score >= mark), None)
            rows[name].append((at, scores.mean(), seconds))
    print(f"\n{task}")
    for name, found in rows.items():
        times, scores, seconds = zip(*found, strict=True)
        reached = [t for t in times if t is not None]
        middle = f"{statistics.median(reached):6.1f} s" if reached else "      -"
        print(
            f"{name:22} time {middle}  reached {len(reached)}/{n_seeds}  "
            f"score {statistics.fmean(scores):.4f}  all {statistics.fmean(seconds):6.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
