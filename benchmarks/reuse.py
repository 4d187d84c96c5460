"""What sharing saves: our exhaustive search against scikit-learn's on the same grids, in one run.

    OMP_NUM_THREADS=1 python benchmarks/reuse.py [--n-jobs 2] [--only NAME ...] [--repeats 3]

For each grid: seconds of scikit-learn, the ratio of its time to ours (CPU of this process with
`--n-jobs 1`, wall time with more; the least of runs in turns), the ideal ratio, and the ratios of
Pipeline(memory=...) and of dask-ml where it is installed. The scores of every split are asserted
to be equal, bit for bit. The ideal is measured in the same run: the seconds of all fits and
scores in a plain loop, over the seconds when each distinct piece of work is done once.
"""

import argparse
import importlib.util
import math
import multiprocessing
import pickle
import platform
import shutil
import statistics
import tempfile
import time
import warnings
from concurrent.futures import ProcessPoolExecutor

import joblib
import numpy as np
import pandas as pd
import sklearn
from joblib.externals.loky import get_reusable_executor
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    make_classification,
    make_regression,
)
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, f_regression, mutual_info_classif
from sklearn.impute import KNNImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV, ParameterGrid, check_cv
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from hpsearch import ExhaustiveSearchCV

SETTINGS = {"refit": False, "error_score": "raise"}
SIZES = [10, 28, 46, 64, 82, 100]


def text(n=500):
    """Documents of random words, with words that tell the class; no download."""
    rng = np.random.default_rng(0)
    words = np.array([f"w{i}" for i in range(4000)])
    y = rng.integers(0, 2, n)
    weights = 1 / (1 + np.arange(4000))
    tilted = [weights * np.where(np.arange(4000) % 7 == k, 1.6, 1.0) for k in (0, 3)]
    docs = [" ".join(rng.choice(words, 100, p=tilted[k] / tilted[k].sum())) for k in y]
    return docs, y


def table(n=1500):
    """Numbers with holes and categories."""
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(n, 12))
    y = (numbers[:, 0] + rng.normal(size=n) > 0).astype(int)
    numbers[rng.random(numbers.shape) < 0.05] = np.nan
    frame = pd.DataFrame(numbers, columns=[f"x{i}" for i in range(12)])
    frame["kind"] = rng.choice(list("abcdefgh"), n)
    return frame, y


def sizes(name="n_estimators", **others):
    return {name: SIZES, **others}


C8 = list(np.logspace(-3, 2, 8))


def pipelines():
    cancer, digits = load_breast_cancer(return_X_y=True), load_digits(return_X_y=True)
    wide = make_classification(600, 60, n_informative=20, random_state=0)
    few = tuple(part[:300] for part in cancer)
    docs, frame = text(), table()
    logistic = LogisticRegression(max_iter=15)
    mutual = SelectKBest(_mutual_info)
    yield (
        "tfidf(4) x SGD alpha 6",
        Pipeline([("tfidf", TfidfVectorizer()), ("clf", SGDClassifier(random_state=0))]),
        {
            "tfidf__ngram_range": [(1, 1), (1, 2)],
            "tfidf__min_df": [1, 2],
            "clf__alpha": list(np.logspace(-6, -2, 6)),
        },
        docs,
    )
    yield (
        "tfidf(2) x NB alpha 12",
        Pipeline([("tfidf", TfidfVectorizer()), ("clf", MultinomialNB())]),
        {"tfidf__ngram_range": [(1, 1), (1, 2)], "clf__alpha": list(np.logspace(-3, 1, 12))},
        docs,
    )
    yield (
        "count + tfidf(2) x NB alpha 12",
        Pipeline(
            [("count", CountVectorizer()), ("tf", TfidfTransformer()), ("nb", MultinomialNB())]
        ),
        {"tf__use_idf": [True, False], "nb__alpha": list(np.logspace(-3, 1, 12))},
        docs,
    )
    yield (
        "scale + PCA(3) x LR C 8",
        Pipeline([("scale", StandardScaler()), ("pca", PCA(svd_solver="full")), ("lr", logistic)]),
        {"pca__n_components": [3, 6, 10], "lr__C": C8},
        digits,
    )
    yield (
        "scale + poly + kbest(2) x LR C 8",
        Pipeline(
            [
                ("scale", StandardScaler()),
                ("poly", PolynomialFeatures(2)),
                ("best", SelectKBest()),
                ("lr", LogisticRegression(max_iter=30)),
            ]
        ),
        {"best__k": [5, 20], "lr__C": C8},
        cancer,
    )
    yield (
        "kbest(mutual info, 4) x tree depth 6",
        Pipeline(
            [
                ("best", mutual),
                ("tree", DecisionTreeClassifier(random_state=0)),
            ]
        ),
        {"best__k": [2, 5, 10, 20], "tree__max_depth": [1, 2, 3, 4, 6, 8]},
        few,
    )
    yield (
        "power + PCA x SVC 16",
        Pipeline([("power", PowerTransformer()), ("pca", PCA(10)), ("svc", SVC())]),
        {"svc__C": [0.1, 1, 10, 100], "svc__gamma": [0.001, 0.01, 0.1, 1]},
        few,
    )
    yield (
        "quantile(2) x ridge 8",
        Pipeline([("q", QuantileTransformer(random_state=0)), ("ridge", Ridge())]),
        {"q__n_quantiles": [100, 500], "ridge__alpha": C8},
        make_regression(2000, 30, noise=5, random_state=0),
    )
    yield (
        "scale + union(PCA, kbest 4) x tree 6",
        Pipeline(
            [
                ("scale", StandardScaler()),
                (
                    "union",
                    FeatureUnion([("pca", PCA(20, svd_solver="full")), ("best", mutual)]),
                ),
                ("tree", DecisionTreeClassifier(random_state=0)),
            ]
        ),
        {"union__best__k": [2, 5, 10, 20], "tree__max_depth": [1, 2, 3, 4, 6, 8]},
        wide,
    )
    yield (
        "columns(knn impute 3, one-hot) x LR C 8",
        Pipeline(
            [
                (
                    "columns",
                    ColumnTransformer(
                        [
                            (
                                "numbers",
                                Pipeline([("fill", KNNImputer()), ("scale", StandardScaler())]),
                                [f"x{i}" for i in range(12)],
                            ),
                            ("kinds", OneHotEncoder(), ["kind"]),
                        ]
                    ),
                ),
                ("lr", logistic),
            ]
        ),
        {"columns__numbers__fill__n_neighbors": [3, 5, 9], "lr__C": C8},
        frame,
    )
    yield (
        "scaler replaced(2) + nystroem x LR C 8",
        Pipeline(
            [
                ("scale", StandardScaler()),
                ("map", Nystroem(n_components=100, random_state=0)),
                ("lr", logistic),
            ]
        ),
        {"scale": [StandardScaler(), MinMaxScaler()], "lr__C": C8},
        digits,
    )
    yield (
        "nested(scale + poly) + kbest(2) x ridge 12",
        Pipeline(
            [
                (
                    "prep",
                    Pipeline([("scale", StandardScaler()), ("poly", PolynomialFeatures(3))]),
                ),
                ("best", SelectKBest(f_regression)),
                ("ridge", Ridge()),
            ]
        ),
        {"best__k": [20, 60], "ridge__alpha": list(np.logspace(-3, 3, 12))},
        load_diabetes(return_X_y=True),
    )
    yield (
        "scale + PCA x boosting 6",
        Pipeline(
            [
                ("scale", StandardScaler()),
                ("pca", PCA(10, svd_solver="full")),
                ("gb", GradientBoostingClassifier(random_state=0)),
            ]
        ),
        {"gb__n_estimators": SIZES},
        cancer,
    )


def _mutual_info(X, y):
    return mutual_info_classif(X, y, random_state=0)


def families():
    cancer, digits = load_breast_cancer(return_X_y=True), load_digits(return_X_y=True)
    diabetes = load_diabetes(return_X_y=True)
    digits = tuple(part[:800] for part in digits)
    large = make_classification(3000, 20, n_informative=8, random_state=0)
    rows = make_regression(1000, 15, noise=10, random_state=0)
    gb = GradientBoostingClassifier(random_state=0)
    yield "GB", gb, sizes(), cancer
    half = GradientBoostingRegressor(subsample=0.5, random_state=0)
    yield "GB regressor, subsample", half, sizes(), diabetes
    early = GradientBoostingRegressor(n_iter_no_change=5, random_state=0)
    yield "GB early stopping", early, sizes(), rows
    yield "HGB", HistGradientBoostingClassifier(random_state=0), sizes("max_iter"), large
    yield "HGB regressor", HistGradientBoostingRegressor(random_state=0), sizes("max_iter"), rows
    yield "RF", RandomForestClassifier(random_state=0), sizes(), digits
    yield "RF regressor", RandomForestRegressor(random_state=0), sizes(), diabetes
    yield "ExtraTrees", ExtraTreesClassifier(random_state=0), sizes(), digits
    yield "ExtraTrees regressor", ExtraTreesRegressor(random_state=0), sizes(), rows
    yield "Bagging", BaggingClassifier(random_state=0), sizes(), cancer
    yield "AdaBoost", AdaBoostClassifier(random_state=0), sizes(), cancer
    yield "AdaBoost regressor", AdaBoostRegressor(random_state=0), sizes(), diabetes
    alphas = [0.0, *np.logspace(-4, -1, 7)]
    yield "tree ccp_alpha", DecisionTreeClassifier(random_state=0), {"ccp_alpha": alphas}, large
    depths = RandomForestClassifier(random_state=0)
    yield "RF, 2 features", depths, sizes(max_features=[2, 4]), cancer
    if importlib.util.find_spec("xgboost"):
        from xgboost import XGBClassifier  # noqa: PLC0415 - where it is installed

        yield "XGBoost", XGBClassifier(n_jobs=1, random_state=0), sizes(), cancer
    if importlib.util.find_spec("lightgbm"):
        from lightgbm import LGBMClassifier  # noqa: PLC0415 - where it is installed

        quiet = LGBMClassifier(n_jobs=1, verbose=-1, random_state=0)
        yield "LightGBM", quiet, sizes(), large
    if importlib.util.find_spec("catboost"):
        from catboost import CatBoostClassifier  # noqa: PLC0415 - where it is installed

        quiet = CatBoostClassifier(
            learning_rate=0.1, thread_count=1, verbose=0, allow_writing_files=False, random_seed=0
        )
        yield "CatBoost", quiet, sizes("iterations"), cancer


def nothing_to_share():
    cancer, digits = load_breast_cancer(return_X_y=True), load_digits(return_X_y=True)
    svc = {"C": [0.1, 1, 10, 100], "gamma": [0.0001, 0.001, 0.01]}
    yield "SVC C x gamma", SVC(), svc, digits
    yield "LR C 8", LogisticRegression(max_iter=100), {"C": C8}, cancer


def seconds_now(n_jobs):
    return time.perf_counter() if n_jobs > 1 else time.process_time()


def ours(estimator, grid, n_jobs, cv):
    return ExhaustiveSearchCV(estimator, grid, cv=cv, n_jobs=n_jobs, **SETTINGS)


def theirs(estimator, grid, n_jobs, cv):
    return GridSearchCV(estimator, grid, cv=cv, n_jobs=n_jobs, **SETTINGS)


def remembering(estimator, grid, n_jobs, cv):
    memory = joblib.Memory(tempfile.mkdtemp(prefix="reuse-benchmark-"), verbose=0)
    return theirs(clone(estimator).set_params(memory=memory), grid, n_jobs, cv)


def dask_ml(estimator, grid, n_jobs, cv):
    from dask_ml import model_selection  # noqa: PLC0415 - where it is installed

    scheduler = "sync" if n_jobs == 1 else "threads"
    return model_selection.GridSearchCV(
        estimator, grid, cv=cv, n_jobs=n_jobs, scheduler=scheduler, **SETTINGS
    )


def run(make, estimator, grid, data, n_jobs, cv):
    search = make(estimator, grid, n_jobs, cv)
    began = seconds_now(n_jobs)
    search.fit(*data)
    seconds = seconds_now(n_jobs) - began
    memory = getattr(estimator, "memory", None) or getattr(search.estimator, "memory", None)
    if memory is not None:
        shutil.rmtree(memory.location, ignore_errors=True)
    results = search.cv_results_
    scores = np.array([results[k] for k in sorted(results) if k.startswith("split")])
    return seconds, scores


def ideal(estimator, grid, data, cv):
    """Seconds of all candidates over the seconds when each distinct step, or family, is done once.

    Of steps the unit is the step as a whole: an inner branch that stays the same, or a selector
    that has ranked the features before, is not counted, so more than the ideal can be reached.
    """
    X, y = data
    spent = {}
    for split, (train, test) in enumerate(splitter(cv, y).split(X, y)):
        for params in ParameterGrid(grid):
            model = clone(estimator).set_params(**clone(params, safe=False))
            rows = rows_of(X, train), rows_of(X, test)
            for key, seconds in pieces(model, params, rows, y[train], y[test]):
                spent.setdefault((split, *key), []).append(seconds)
    whole = sum(map(sum, spent.values()))
    return whole / sum(
        max(seconds) if key[1] == "family" else statistics.mean(seconds)
        for key, seconds in spent.items()
    )


def splitter(cv, y):
    return check_cv(cv, y, classifier=len(np.unique(y)) < 50)


def rows_of(X, rows):
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    return X[rows] if hasattr(X, "shape") else [X[i] for i in rows]


def pieces(model, params, rows, y_train, y_test):
    """Yield (what it is, seconds) of each step and its transforms, of the last fit, of scoring."""
    X_train, X_test = rows
    steps = model.steps if isinstance(model, Pipeline) else [("", model)]
    spelled = {name: repr(value) for name, value in sorted(params.items())}
    before = []
    for name, step in steps[:-1]:
        before += [pair for pair in spelled.items() if pair[0].split("__")[0] == name]
        began = time.process_time()
        X_train = step.fit_transform(X_train, y_train)
        X_test = step.transform(X_test)
        yield ("step", name, tuple(before)), time.process_time() - began
    last = steps[-1][1]
    began = time.process_time()
    last.fit(X_train, y_train)
    seconds = time.process_time() - began
    rest = tuple(pair for pair in spelled.items() if pair[0].split("__")[-1] not in NESTED)
    yield ("last" if len(rest) == len(spelled) else "family", rest), seconds
    began = time.process_time()
    last.score(X_test, y_test)
    yield ("score", *spelled.items()), time.process_time() - began


NESTED = ("n_estimators", "max_iter", "iterations", "ccp_alpha")


def compare(name, estimator, grid, data, args):
    """Run one grid in turns; print its line and return (ratio, ideal)."""
    cv = args.cv
    rivals = {"memory": remembering} if isinstance(estimator, Pipeline) and args.rivals else {}
    if rivals and importlib.util.find_spec("dask_ml"):
        rivals["dask-ml"] = dask_ml
    base, ratio = timed(name, estimator, grid, data, args)
    bound = ideal(estimator, grid, data, cv)
    others = []
    for rival, make in rivals.items():
        try:
            seconds, _ = run(make, estimator, grid, data, args.n_jobs, cv)
        except pickle.PicklingError:  # joblib's Memory does not take functions of this script
            others.append(f"{rival} fails")
            continue
        others.append(f"{rival} {base / seconds:5.2f}")
    n = len(ParameterGrid(grid))
    print(
        f"{name:44} {n:3}  {base:7.2f} s {ratio:6.2f} of {bound:5.2f} "
        f"({ratio / bound:4.0%})  {'  '.join(others)}",
        flush=True,
    )
    return ratio, bound


def timed(name, estimator, grid, data, args):
    """Return the seconds of scikit-learn and their ratio to ours, the least of runs in turns."""
    times, expected = {"ours": [], "theirs": []}, []
    turn = [("theirs", theirs), ("ours", ours)]
    while len(times["ours"]) < args.repeats or sum(times["theirs"]) < args.least_seconds:
        for who, make in turn:
            seconds, scores = run(make, estimator, grid, data, args.n_jobs, args.cv)
            times[who].append(seconds)
            expected.append(scores)
            assert np.array_equal(scores, expected[0]), f"{name}: the scores differ"
        turn.reverse()  # neither is always the one that finds the caches warm
    return min(times["theirs"]), min(times["theirs"]) / min(times["ours"])


def timed_again(place, args):
    """Time a grid with nothing to share, in a process of its own."""
    warnings.simplefilter("ignore")
    found = timed(*list(nothing_to_share())[place], args)
    if args.n_jobs > 1:  # it would wait for its idle workers for minutes
        get_reusable_executor().shutdown()
    return found


def report_apart(title, cases, args):
    """Report grids of which little differs: where arrays happen to lie is worth some per cent.

    So each is timed in several processes.
    """
    print(f"\n{title}; mean of {args.processes} processes")
    for place, (name, _, grid, _) in enumerate(cases):
        if args.only and not any(word in name for word in args.only):
            continue
        found = []
        for _ in range(args.processes):
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
                found.append(pool.submit(timed_again, place, args).result())
        bases, ratios = zip(*found, strict=True)
        error = statistics.stdev(ratios) / math.sqrt(len(ratios)) if len(ratios) > 1 else math.nan
        print(
            f"{name:44} {len(ParameterGrid(grid)):3}  {min(bases):7.2f} s "
            f"{mean(ratios):6.3f} ± {error:.3f}; least {min(ratios):.3f}",
            flush=True,
        )


def mean(values):
    return math.exp(statistics.mean(map(math.log, values)))


def report(title, cases, args):
    print(f"\n{title}")
    print(f"{'grid':44} {'n':>3}  {'sklearn':>9} {'ratio':>6}    ideal")
    found = [
        compare(*case, args)
        for case in cases
        if not args.only or any(word in case[0] for word in args.only)
    ]
    if found:
        ratios, bounds = zip(*found, strict=True)
        print(
            f"geometric means: {mean(ratios):.2f} of {mean(bounds):.2f} "
            f"({mean(ratios) / mean(bounds):.0%}); least {min(ratios):.2f}"
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--n-jobs", type=int, default=1)
    parser.add_argument("--cv", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--least-seconds",
        type=float,
        default=10,
        help="of scikit-learn's; short ones run more often",
    )
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--no-rivals", dest="rivals", action="store_false")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    versions |= {"scikit-learn": sklearn.__version__, "joblib": joblib.__version__}
    print(", ".join(f"{k} {v}" for k, v in versions.items()), vars(args))
    print("ratio: scikit-learn's", "CPU seconds" if args.n_jobs == 1 else "wall time", "over ours")
    report("pipelines", pipelines(), args)
    report("families", families(), args)
    report_apart("nothing to share", nothing_to_share(), args)


if __name__ == "__main__":
    main()
