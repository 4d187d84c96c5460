"""Parameters that a fit does not read: candidates that differ in nothing else share it.

Two kinds: those that the other parameters make idle (the degree of a linear kernel), and those
that are read only later (how many features a selector keeps of those it has ranked).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hpsearch.reuse.family import is_one_of

Names = frozenset[str]
NONE: Names = frozenset()
KERNEL = frozenset(["gamma", "degree", "coef0"])


def unread_by_fit(estimator: Any) -> Names:
    """Return the names of parameters that `fit` of this very estimator does not read."""
    for types, unread in _RULES_BY_NAME.get(type(estimator).__name__, ()):
        if is_one_of(estimator, types):
            return frozenset(unread(estimator))
    return NONE


# What their fits do not read, nothing reads: it is idle, and not only read later.
IDLE_ALTOGETHER = frozenset(
    (
        *("SVC", "SVR", "NuSVC", "NuSVR", "KernelRidge", "LogisticRegression"),
        *("SGDClassifier", "SGDRegressor", "MLPClassifier", "MLPRegressor"),
        *("GradientBoostingClassifier", "GradientBoostingRegressor"),
    )
)


def idle_parameters(estimator: Any) -> Names:
    """Return the names of parameters that this very estimator never reads."""
    return unread_by_fit(estimator) if type(estimator).__name__ in IDLE_ALTOGETHER else NONE


def _support_vectors(model: Any) -> Names:
    read = {"linear": (), "rbf": ("gamma",), "sigmoid": ("gamma", "coef0"), "precomputed": ()}
    return _less(KERNEL, read, model.kernel)


def _kernel_method(model: Any) -> Names:
    read = {
        "linear": (),
        "precomputed": (),
        "cosine": (),
        "rbf": ("gamma",),
        "laplacian": ("gamma",),
        "sigmoid": ("gamma", "coef0"),
    }
    return _less(KERNEL, read, model.kernel)


def _stochastic_gradient(model: Any) -> Names:
    unread = set()
    if model.penalty in ("l1", "l2"):
        unread.add("l1_ratio")
    if model.loss in ("hinge", "log_loss", "modified_huber", "squared_hinge", "squared_error"):
        unread.add("epsilon")
    if not model.early_stopping:
        unread.add("validation_fraction")
    return frozenset(unread)


_MOMENTUM = ("momentum", "nesterovs_momentum", "power_t", "learning_rate")
_ADAM = ("beta_1", "beta_2", "epsilon")


def _perceptron(model: Any) -> Names:
    idle = {"adam": _MOMENTUM, "sgd": _ADAM, "lbfgs": (*_MOMENTUM, *_ADAM, "learning_rate_init")}
    unread = set(idle.get(model.solver, ()))
    if model.early_stopping is False:
        unread.add("validation_fraction")
    return frozenset(unread)


def _logistic_regression(model: Any) -> Names:
    unread = set()
    if model.penalty in ("l1", "l2"):  # set, not left at a default that means something else
        unread.add("l1_ratio")
    if model.solver != "liblinear":
        unread.add("intercept_scaling")
    return frozenset(unread)


def _neighbors(model: Any) -> Names:
    unread = {"weights"}
    if model.algorithm in ("brute", "kd_tree", "ball_tree"):  # "auto" looks at the number
        unread.add("n_neighbors")
    if model.algorithm == "brute":
        unread.add("leaf_size")
    if model.metric in ("euclidean", "manhattan", "chebyshev", "cosine", "precomputed"):
        unread.add("p")
    return frozenset(unread)


def _gradient_boosting(model: Any) -> Names:
    unread = set()
    if model.n_iter_no_change is None:
        unread |= {"validation_fraction", "tol"}
    if model.loss in ("squared_error", "absolute_error"):
        unread.add("alpha")
    return frozenset(unread)


def _voting(model: Any) -> Names:
    fits = model.weights is None or len(model.weights) == len(model.estimators)
    return frozenset(["weights"] if fits else []) | {"voting", "flatten_transform"}


def _always(*names: str) -> Callable[[Any], Names]:
    return lambda _: frozenset(names)


def _less(names: Names, read: dict[str, tuple[str, ...]], by: Any) -> Names:
    """The names but those read for this kernel; none for a kernel that is not listed."""
    return names - frozenset(read[by]) if isinstance(by, str) and by in read else NONE


_RULES: tuple[tuple[tuple[str, ...], Callable[[Any], Names]], ...] = (
    (tuple(f"sklearn.svm.{n}" for n in ("SVC", "SVR", "NuSVC", "NuSVR")), _support_vectors),
    (("sklearn.kernel_ridge.KernelRidge",), _kernel_method),
    (
        ("sklearn.linear_model.SGDClassifier", "sklearn.linear_model.SGDRegressor"),
        _stochastic_gradient,
    ),
    (
        ("sklearn.neural_network.MLPClassifier", "sklearn.neural_network.MLPRegressor"),
        _perceptron,
    ),
    (("sklearn.linear_model.LogisticRegression",), _logistic_regression),
    (
        ("sklearn.neighbors.KNeighborsClassifier", "sklearn.neighbors.KNeighborsRegressor"),
        _neighbors,
    ),
    (
        (
            "sklearn.ensemble.GradientBoostingClassifier",
            "sklearn.ensemble.GradientBoostingRegressor",
        ),
        _gradient_boosting,
    ),
    (("sklearn.ensemble.VotingClassifier",), _voting),
    (("sklearn.model_selection.FixedThresholdClassifier",), _always("threshold", "pos_label")),
    (("sklearn.feature_selection.SelectKBest",), _always("k")),
    (("sklearn.feature_selection.SelectPercentile",), _always("percentile")),
    (
        tuple(f"sklearn.feature_selection.{n}" for n in ("SelectFpr", "SelectFdr", "SelectFwe")),
        _always("alpha"),
    ),
    (("sklearn.feature_selection.GenericUnivariateSelect",), _always("param")),
    (("sklearn.feature_selection.SelectFromModel",), _always("threshold")),
)


def _by_name(rules: Iterable[tuple[tuple[str, ...], Callable[[Any], Names]]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for types, rule in rules:
        for name in types:
            table.setdefault(name.rpartition(".")[2], []).append((types, rule))
    return table


_RULES_BY_NAME = _by_name(_RULES)


def may_be_unread(estimator: Any) -> bool:
    """Whether there is a rule for the estimator's type."""
    return type(estimator).__name__ in _RULES_BY_NAME
