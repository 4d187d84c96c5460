"""The problems: what is to be maximised, over which space, and which of them are for tuning.

Three families. `real`: cross-validations of scikit-learn models on bundled and generated data,
error_score NaN, splits fixed. `mixed`: integers, categories, conditional spaces, real and made up.
`analytic`: known functions, their optimum moved away from the middle, some with noise.

Greater is better everywhere. A space is written as hpsearch takes it: a dict, or a list of dicts
(branches), of lists and of ranges (low, high[, "log-uniform"]).
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
)
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import ElasticNet, LogisticRegression, SGDClassifier
from sklearn.metrics import get_scorer
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier

Params = dict[str, Any]
SpaceLike = dict[str, Any] | list[dict[str, Any]]
N_SPLITS = 3


@dataclass(frozen=True)
class Problem:
    """One problem of the table."""

    name: str
    family: str
    space: SpaceLike
    score: Callable[[Params], float]
    noise: float = 0.0  # standard deviation of what is added to the score that an optimizer sees
    estimators: Sequence[Any] = ()  # whose values users start with, one for each branch
    purpose: str = "final"  # or "tuning"

    @property
    def branches(self) -> list[dict[str, Any]]:
        return self.space if isinstance(self.space, list) else [self.space]


# --- real cross-validations -----------------------------------------------------------------------


@cache
def data(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return X, y: a bundled data set (the first rows of a shuffle), or a generated one."""
    rng = np.random.RandomState(0)
    if name == "friedman":
        return datasets.make_friedman1(200, noise=1.0, random_state=rng)
    if name == "classes":
        return datasets.make_classification(
            200, 12, n_informative=5, n_classes=3, flip_y=0.1, random_state=rng
        )
    if name == "regression":
        return datasets.make_regression(150, 30, n_informative=8, noise=30.0, random_state=rng)
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    order = rng.permutation(len(X))[:200]
    return X[order], y[order]


@cache
def splits(name: str) -> list[tuple[np.ndarray, np.ndarray]]:
    X, y = data(name)
    splitter = StratifiedKFold if len(np.unique(y)) < 15 else KFold
    return list(splitter(N_SPLITS, shuffle=True, random_state=0).split(X, y))


def cv(estimator: BaseEstimator, data_name: str, scoring: str) -> Callable[[Params], float]:
    """Return the mean score of a cross-validation as a function of parameters."""
    scorer = get_scorer(scoring)

    def score(params: Params) -> float:
        X, y = data(data_name)
        scores = []
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for train, test in splits(data_name):
                model = clone(estimator).set_params(**params).fit(X[train], y[train])
                scores.append(scorer(model, X[test], y[test]))
        return float(np.mean(scores))

    return score


def validated(
    name: str,
    family: str,
    space: SpaceLike,
    estimator: BaseEstimator,
    data_name: str,
    scoring: str,
    purpose: str = "final",
) -> Problem:
    """Return the problem of an estimator's cross-validation."""
    score = cv(estimator, data_name, scoring)
    return Problem(name, family, space, score, estimators=[estimator], purpose=purpose)


def one_of(models: dict[str, BaseEstimator], data_name: str, scoring: str) -> Callable:
    """Return the score of a choice of models: `model` says which, the others are its own."""
    scores = {name: cv(model, data_name, scoring) for name, model in models.items()}

    def score(params: Params) -> float:
        given = dict(params)
        return scores[given.pop("model")](given)

    return score


@dataclass(frozen=True)
class Values:
    """Parameters as an estimator has them."""

    params: Params

    def get_params(self) -> Params:
        return self.params


def scaled(model: BaseEstimator) -> BaseEstimator:
    return make_pipeline(StandardScaler(), model)


C = (1e-3, 1e4, "log-uniform")
GAMMA = (1e-5, 1e2, "log-uniform")


def real() -> list[Problem]:
    """Return cross-validations over ranges of numbers, tails included."""
    svc = {"svc__C": C, "svc__gamma": GAMMA}
    return [
        validated(
            "svc-wine",
            "real",
            svc,
            scaled(SVC(kernel="rbf")),
            "wine",
            "accuracy",
            purpose="tuning",
        ),
        validated(
            "kernelridge-diabetes-mse",
            "real",
            {"alpha": (1e-6, 1e3, "log-uniform"), "gamma": (1e-3, 1e3, "log-uniform")},
            KernelRidge(kernel="rbf"),
            "diabetes",
            "neg_mean_squared_error",
            purpose="tuning",
        ),
        validated(
            "tree-digits",
            "real",
            {
                "max_depth": (1, 30),
                "min_samples_split": (2, 50),
                "min_samples_leaf": (1, 30),
                "max_features": (0.05, 1.0),
                "ccp_alpha": (1e-6, 0.3, "log-uniform"),
            },
            DecisionTreeClassifier(random_state=0),
            "digits",
            "accuracy",
            purpose="tuning",
        ),
        validated(
            "logistic-wine-logloss",
            "real",
            {
                "logisticregression__C": (1e-4, 1e6, "log-uniform"),
                "logisticregression__tol": (1e-5, 1.0, "log-uniform"),
            },
            scaled(LogisticRegression(max_iter=60)),
            "wine",
            "neg_log_loss",
            purpose="tuning",
        ),
        validated(
            "svc-cancer",
            "real",
            svc,
            scaled(SVC(kernel="rbf")),
            "breast_cancer",
            "roc_auc",
        ),
        validated(
            "svr-diabetes-mse",
            "real",
            {"C": (1e-2, 1e5, "log-uniform"), "gamma": GAMMA, "epsilon": (1e-2, 50, "log-uniform")},
            SVR(max_iter=10_000),
            "diabetes",
            "neg_mean_squared_error",
        ),
        validated(
            "mlp-classes-logloss",
            "real",
            {
                "hidden_layer_sizes": (2, 64, "log-uniform"),
                "alpha": (1e-6, 10.0, "log-uniform"),
                "learning_rate_init": (1e-4, 1.0, "log-uniform"),
                "batch_size": (8, 128, "log-uniform"),
                "beta_1": (0.5, 0.99),
            },
            MLPClassifier(max_iter=4, random_state=0),
            "classes",
            "neg_log_loss",
        ),
        validated(
            "polynomial-regression-mse",
            "real",
            {
                "kernelridge__alpha": (1e-6, 1e4, "log-uniform"),
                "kernelridge__gamma": (1e-4, 10.0, "log-uniform"),
                "kernelridge__coef0": (1e-2, 1e2, "log-uniform"),
                "kernelridge__degree": (1, 6),
            },
            scaled(KernelRidge(kernel="poly")),
            "regression",
            "neg_mean_squared_error",
        ),
        validated(
            "sgd-cancer-logloss",
            "real",
            {
                "sgdclassifier__alpha": (1e-7, 1.0, "log-uniform"),
                "sgdclassifier__l1_ratio": (0.0, 1.0),
                "sgdclassifier__eta0": (1e-4, 10.0, "log-uniform"),
                "sgdclassifier__power_t": (0.1, 1.0),
            },
            scaled(
                SGDClassifier(
                    loss="log_loss",
                    penalty="elasticnet",
                    learning_rate="invscaling",
                    max_iter=20,
                    random_state=0,
                )
            ),
            "breast_cancer",
            "neg_log_loss",
        ),
    ]


# --- mixed, integer and conditional spaces --------------------------------------------------------


def mixed_real() -> list[Problem]:
    """Return cross-validations over mixed and conditional spaces."""
    forest = {
        "n_estimators": (2, 12),
        "criterion": ["squared_error", "poisson"],
        "max_features": [0.2, 0.4, 0.6, 0.8, 1.0],
        "min_samples_leaf": (1, 20, "log-uniform"),
        "bootstrap": [True, False],
        "max_depth": (1, 20),
    }
    boosting = {
        "n_estimators": (2, 15),
        "learning_rate": (1e-2, 1.0, "log-uniform"),
        "max_depth": (1, 6),
        "subsample": (0.3, 1.0),
        "loss": ["squared_error", "absolute_error", "huber"],
        "min_samples_leaf": (1, 30, "log-uniform"),
    }
    models = {
        "svc": SVC(),
        "knn": KNeighborsClassifier(),
        "tree": DecisionTreeClassifier(random_state=0),
        "logistic": scaled(LogisticRegression(max_iter=40)),
        "bayes": GaussianNB(),
    }
    choice = [
        {"model": ["svc"], "kernel": ["rbf", "sigmoid"], "C": C, "gamma": GAMMA},
        {"model": ["svc"], "kernel": ["poly"], "C": C, "gamma": GAMMA, "degree": [2, 3, 4]},
        {
            "model": ["knn"],
            "n_neighbors": (1, 40),
            "weights": ["uniform", "distance"],
            "p": [1, 2, 3],
        },
        {
            "model": ["tree"],
            "max_depth": (1, 20),
            "min_samples_leaf": (1, 20),
            "criterion": ["gini", "entropy"],
        },
        {"model": ["logistic"], "logisticregression__C": C},
        {"model": ["bayes"], "var_smoothing": (1e-12, 1.0, "log-uniform")},
    ]
    pipelines = [
        {"scaler": [None], "alpha": (1e-4, 1e3, "log-uniform"), "l1_ratio": (0.0, 1.0)},
        {
            "scaler": ["standard", "minmax"],
            "degree": [1, 2],
            "interaction_only": [True, False],
            "alpha": (1e-4, 1e3, "log-uniform"),
            "l1_ratio": (0.0, 1.0),
        },
    ]

    # The names of the pipeline's parameters are written without their steps.
    joined = Values(PolynomialFeatures().get_params() | ElasticNet().get_params())

    def pipeline_score(params: Params) -> float:
        net = ElasticNet(params["alpha"], l1_ratio=params["l1_ratio"], max_iter=200)
        if params["scaler"] is None:
            return cv(net, "diabetes", "neg_mean_squared_error")({})
        scaler = {"standard": StandardScaler, "minmax": MinMaxScaler}[params["scaler"]]()
        features = PolynomialFeatures(
            params["degree"], interaction_only=params["interaction_only"], include_bias=False
        )
        model = make_pipeline(scaler, features, net)
        return cv(model, "diabetes", "neg_mean_squared_error")({})

    return [
        Problem(
            "models-wine",
            "mixed",
            choice,
            one_of(models, "wine", "accuracy"),
            estimators=[models[branch["model"][0]] for branch in choice],
            purpose="tuning",
        ),
        validated(
            "forest-friedman",
            "mixed",
            forest,
            ExtraTreesRegressor(random_state=0),
            "friedman",
            "r2",
            purpose="tuning",
        ),
        Problem(
            "models-classes",
            "mixed",
            choice,
            one_of(models, "classes", "balanced_accuracy"),
            estimators=[models[branch["model"][0]] for branch in choice],
        ),
        validated(
            "boosting-friedman-mse",
            "mixed",
            boosting,
            GradientBoostingRegressor(random_state=0),
            "friedman",
            "neg_mean_squared_error",
        ),
        validated(
            "boosting-cancer-logloss",
            "mixed",
            {k: v for k, v in boosting.items() if k != "loss"}
            | {"loss": ["log_loss", "exponential"], "max_features": [None, "sqrt", "log2"]},
            GradientBoostingClassifier(random_state=0),
            "breast_cancer",
            "neg_log_loss",
        ),
        Problem(
            "pipelines-diabetes-mse",
            "mixed",
            pipelines,
            pipeline_score,
            estimators=[ElasticNet(), joined],
        ),
        validated(
            "knn-digits",
            "mixed",
            {
                "n_neighbors": [1, 2, 3, 5, 8, 13, 21, 34],
                "weights": ["uniform", "distance"],
                "metric": ["euclidean", "manhattan", "chebyshev", "cosine"],
                "leaf_size": [10, 30, 50],
            },
            KNeighborsClassifier(),
            "digits",
            "accuracy",
        ),
    ]


def mixed_made_up() -> list[Problem]:
    """Return functions of integers, categories and branches."""
    letters = list("abcdef")
    rng = np.random.default_rng(7)
    affinity = rng.normal(size=(4, 4, 6, 6))

    def categories(params: Params) -> float:
        codes = [letters.index(params[f"c{i}"]) for i in range(4)]
        pairs = itertools.combinations(range(4), 2)
        return float(sum(affinity[i, j, codes[i], codes[j]] for i, j in pairs))

    shifts = rng.uniform(0.15, 0.85, (3, 4))

    def shifted(params: Params) -> float:
        shift = shifts["pqr".index(params["kind"])]
        x = np.array([params[f"x{i}"] for i in range(3)] + [params["n"] / 40])
        penalty = {"p": 0.0, "q": 0.3, "r": 0.1}[params["kind"]]
        return -float(np.sqrt(np.mean((x - shift) ** 2))) - penalty - 0.2 * params["flag"]

    def branching(params: Params) -> float:
        if params["arm"] == "ridge":
            return -((params["x"] - 0.7) ** 2) * 4 - abs(params["y"] - 0.2) - 0.4
        if params["arm"] == "valley":
            return -10 * abs(params["u"] - params["v"] ** 2) - (params["v"] - 0.6) ** 2 - 0.1
        return -((math.log10(params["z"]) + 2) ** 2) / 4 - 0.2

    def counts(params: Params) -> float:
        n = np.array([params[f"n{i}"] for i in range(5)])
        return -float(np.sum((n - [3, 11, 7, 14, 5]) ** 2 / 20 - np.cos(2 * np.pi * n / 3)))

    def shared(params: Params) -> float:
        rate = -((math.log10(params["rate"]) + 2.5) ** 2)
        if params["booster"] == "tree":
            return rate - abs(params["depth"] - 5) / 4 - (params["sample"] - 0.8) ** 2
        return rate * 0.8 - 1.0 - (params["decay"] - 0.3) ** 2

    return [
        Problem(
            "shifted-mixed",
            "mixed",
            {
                **{f"x{i}": (0.0, 1.0) for i in range(3)},
                "n": (0, 40),
                "kind": ["p", "q", "r"],
                "flag": [True, False],
            },
            shifted,
            purpose="tuning",
        ),
        Problem(
            "branching",
            "mixed",
            [
                {"arm": ["ridge"], "x": (0.0, 1.0), "y": (0.0, 1.0)},
                {"arm": ["valley"], "u": (0.0, 1.0), "v": (0.0, 1.0)},
                {"arm": ["line"], "z": (1e-5, 1e3, "log-uniform")},
            ],
            branching,
            noise=0.02,
            purpose="tuning",
        ),
        Problem("categories", "mixed", {f"c{i}": letters for i in range(4)}, categories),
        Problem("counts", "mixed", {f"n{i}": (0, 16) for i in range(5)}, counts),
        Problem(
            "shared",
            "mixed",
            [
                {
                    "booster": ["tree"],
                    "rate": (1e-4, 1.0, "log-uniform"),
                    "depth": (1, 12),
                    "sample": (0.1, 1.0),
                },
                {
                    "booster": ["linear"],
                    "rate": (1e-4, 1.0, "log-uniform"),
                    "decay": (0.0, 1.0),
                },
            ],
            shared,
            noise=0.05,
        ),
    ]


# --- analytic functions ---------------------------------------------------------------------------

HARTMANN = {
    3: (
        [[3, 10, 30], [0.1, 10, 35], [3, 10, 30], [0.1, 10, 35]],
        [[3689, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381, 5743, 8828]],
    ),
    6: (
        [
            [10, 3, 17, 3.5, 1.7, 8],
            [0.05, 10, 17, 0.1, 8, 14],
            [3, 3.5, 1.7, 10, 17, 8],
            [17, 8, 0.05, 10, 0.1, 14],
        ],
        [
            [1312, 1696, 5569, 124, 8283, 5886],
            [2329, 4135, 8307, 3736, 1004, 9991],
            [2348, 1451, 3522, 2883, 3047, 6650],
            [4047, 8828, 8732, 5743, 1091, 381],
        ],
    ),
}


def hartmann(x: np.ndarray) -> float:
    a, p = (np.array(part, dtype=float) for part in HARTMANN[len(x)])
    return float(np.array([1, 1.2, 3, 3.2]) @ np.exp(-np.sum(a * (x - p / 1e4) ** 2, axis=1)))


def branin(x: np.ndarray) -> float:
    u, v = 15 * x[0] - 5, 15 * x[1]
    bend = v - 5.1 * u**2 / (4 * math.pi**2) + 5 * u / math.pi - 6
    return -float(bend**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(u) + 10)


def camel(x: np.ndarray) -> float:
    u, v = 6 * x[0] - 3, 4 * x[1] - 2
    return -float((4 - 2.1 * u**2 + u**4 / 3) * u**2 + u * v + (4 * v**2 - 4) * v**2)


def ackley(x: np.ndarray) -> float:
    z = 30 * (x - np.linspace(0.3, 0.6, len(x)))
    root = math.sqrt(np.mean(z**2))
    return -float(
        20 - 20 * math.exp(-0.2 * root) + math.e - math.exp(np.mean(np.cos(2 * math.pi * z)))
    )


def rosenbrock(x: np.ndarray) -> float:
    z = 4 * x - 2
    return -float(np.sum(100 * (z[1:] - z[:-1] ** 2) ** 2 + (1 - z[:-1]) ** 2))


def levy(x: np.ndarray) -> float:
    w = 1 + (20 * x - 10 - np.linspace(-3, 3, len(x)) - 1) / 4
    middle = (w[:-1] - 1) ** 2 * (1 + 10 * np.sin(math.pi * w[:-1] + 1) ** 2)
    end = (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2)
    return -float(math.sin(math.pi * w[0]) ** 2 + middle.sum() + end)


def tang(x: np.ndarray) -> float:
    z = 10 * x - 5
    return -float(np.sum(z**4 - 16 * z**2 + 5 * z)) / 2


def michalewicz(x: np.ndarray) -> float:
    z, i = math.pi * x, np.arange(1, len(x) + 1)
    return float(np.sum(np.sin(z) * np.sin(i * z**2 / math.pi) ** 20))


def few_matter(x: np.ndarray) -> float:
    return hartmann(x[[2, 9, 14]])


def on_cube(
    name: str,
    function: Callable[[np.ndarray], float],
    d: int,
    noise: float = 0.0,
    purpose: str = "final",
) -> Problem:
    def score(params: Params) -> float:
        return function(np.array([params[f"x{i:02d}"] for i in range(d)]))

    space = {f"x{i:02d}": (0.0, 1.0) for i in range(d)}
    return Problem(name, "analytic", space, score, noise, purpose=purpose)


def analytic() -> list[Problem]:
    """Return functions of the unit cube."""
    return [
        on_cube("branin-noise", branin, 2, noise=5.0, purpose="tuning"),
        on_cube("hartmann6", hartmann, 6, purpose="tuning"),
        on_cube("ackley5", ackley, 5, purpose="tuning"),
        on_cube("rosenbrock4-noise", rosenbrock, 4, noise=20.0, purpose="tuning"),
        on_cube("camel-noise", camel, 2, noise=0.5),
        on_cube("hartmann3", hartmann, 3),
        on_cube("hartmann6-noise", hartmann, 6, noise=0.1),
        on_cube("levy8", levy, 8),
        on_cube("tang5-noise", tang, 5, noise=5.0),
        on_cube("michalewicz5", michalewicz, 5),
        on_cube("few-matter20", few_matter, 20),
    ]


def problems() -> list[Problem]:
    """Return all problems."""
    return [*real(), *mixed_real(), *mixed_made_up(), *analytic()]
