"""The bridge: every private name of scikit-learn, and every difference between 1.6 and 1.9.

Nothing else in the package touches what scikit-learn does not document, so that a new version of
it is answered here and nowhere else. Differences are found by looking (a signature, an
attribute), not by version numbers, but for one sentence whose wording changed.
"""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import sklearn
from sklearn import metrics
from sklearn.base import ClassifierMixin, RegressorMixin, _fit_context
from sklearn.feature_selection import GenericUnivariateSelect, SelectKBest
from sklearn.metrics import accuracy_score, r2_score
from sklearn.metrics._scorer import _BaseScorer, _MultimetricScorer, _PassthroughScorer
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import (
    _insert_error_scores,
    _warn_or_raise_about_fit_failures,
)
from sklearn.utils import get_tags
from sklearn.utils._array_api import device, get_namespace
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.fixes import parse_version
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params, _num_samples

AT_MOST_ONE = {
    *(metrics.accuracy_score, metrics.balanced_accuracy_score, metrics.f1_score),
    *(metrics.precision_score, metrics.recall_score, metrics.jaccard_score),
    *(metrics.roc_auc_score, metrics.average_precision_score, metrics.top_k_accuracy_score),
    *(metrics.matthews_corrcoef, metrics.r2_score, metrics.explained_variance_score),
    *(metrics.cohen_kappa_score, metrics.fbeta_score, metrics.adjusted_rand_score),
    *(metrics.d2_absolute_error_score, metrics.d2_pinball_score, metrics.d2_tweedie_score),
    *(metrics.v_measure_score, metrics.homogeneity_score, metrics.completeness_score),
    *(metrics.normalized_mutual_info_score, metrics.fowlkes_mallows_score),
}
Fit = TypeVar("Fit", bound=Callable[..., Any])
SearchBase = BaseSearchCV
n_rows = _num_samples
# A word of its message about splitters that contradict themselves.
RETURN = "return" if parse_version(sklearn.__version__) >= parse_version("1.9") else "returned"
positive_number = Interval(numbers.Real, 0, None, closed="neither")
with_open = HasMethods(["open"])
one_of = StrOptions
a_pruner = HasMethods(["stage", "judge", "promote", "hasten"])
share = Interval(numbers.Real, 0, 1, closed="neither")
positive_int = Interval(numbers.Integral, 1, None, closed="left")  # for `_parameter_constraints`


class Accepted(HasMethods):
    """What a predicate is true of; for `_parameter_constraints`."""

    # scikit-learn takes constraints of its own classes alone; this one is the least of them.
    def __init__(self, accepts: Callable[[Any], bool], text: str) -> None:
        super().__init__(["__eq__"])
        self._accepts = accepts
        self._text = text

    def is_satisfied_by(self, val: Any) -> bool:
        return self._accepts(val)

    def __str__(self) -> str:
        return self._text


def is_estimator(value: Any) -> bool:
    """Whether `clone` takes a value for an estimator; a class of them is a value as any other."""
    return hasattr(value, "get_params") and not isinstance(value, type)


def clones_itself(estimator: Any) -> bool:
    """Whether its class has a clone of its own, such as FrozenEstimator: that may keep a state."""
    own = getattr(type(estimator), "__sklearn_clone__", None)
    return own is not None and own.__module__ != "sklearn.base"


def fit_context(fit: Fit) -> Fit:
    """Decorate a `fit`: validate the parameters, and take callbacks down at any end."""
    return _fit_context(prefer_skip_nested_validation=False)(fit)  # type: ignore[no-any-return]


def refused_value(estimator: Any, name: str, value: Any) -> str | None:
    """Why an estimator is sure to refuse a value for one of its own parameters, None if it is not.

    Only what the estimator declares is known: an estimator without declarations refuses nothing.
    """
    constraints = getattr(estimator, "_parameter_constraints", None)
    if not isinstance(constraints, Mapping) or name not in constraints:
        return None
    try:
        validate_parameter_constraints(
            {name: constraints[name]}, {name: value}, caller_name=type(estimator).__name__
        )
    except InvalidParameterError as error:
        return str(error)
    except Exception:  # noqa: BLE001 - a check that breaks proves nothing about the value
        return None
    return None


def validate(estimator: Any) -> None:
    """Raise for a parameter that the estimator's `fit` would refuse before it does anything."""
    declares = hasattr(estimator, "_parameter_constraints")
    if declares and not sklearn.get_config()["skip_parameter_validation"]:
        estimator._validate_params()


def warn_as_its_fit(fitted: Any) -> None:
    """Tell what a selector's fit tells of the parameter that it is only to read later."""
    if isinstance(fitted, (SelectKBest, GenericUnivariateSelect)):
        fitted._check_params(np.empty((0, fitted.n_features_in_)), None)


def check_metrics(scoring: Any) -> None:
    """Raise for the name of a metric that scikit-learn does not know."""
    given = scoring.values() if isinstance(scoring, Mapping) else scoring
    names = [scoring] if isinstance(scoring, str) else given if isinstance(given, Iterable) else ()
    known = metrics.get_scorer_names()
    for name in names:
        if isinstance(name, str) and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise InvalidParameterError(
                f"scoring: {name!r} is not a metric that scikit-learn has a name for.{hint} "
                "sklearn.metrics.get_scorer_names() lists those; a scorer may be given too."
            )


def scorers_of(search: Any) -> tuple[Any, Any]:
    """The scorer, which may be several, and the metric that picks the winner."""
    return search._get_scorers()  # type: ignore[no-any-return]


def routed(search: Any, params: Mapping[str, Any]) -> Any:
    """What `fit` was given besides X and y, apart: for the estimator, the scorer, the splitter."""
    return search._get_routed_params_for_fit(params)


def check_refit(search: Any, names: Any) -> None:
    """Raise unless `refit` names one of the metrics, is callable or False."""
    search._check_refit_for_multimetric(names)


def summarise(
    search: Any, candidates: Sequence[Any], n_splits: int, out: list[dict[str, Any]]
) -> dict[str, Any]:
    """Make `cv_results_` of records as `_fit_and_score` returns them, a candidate's in a row."""
    if callable(search.scoring):
        _insert_error_scores(out, search.error_score)
    return search._format_results(candidates, n_splits, out)  # type: ignore[no-any-return]


def report_fit_failures(out: list[dict[str, Any]], error_score: Any) -> None:
    """Warn of failed fits, once a search; raise if every fit failed."""
    _warn_or_raise_about_fit_failures(out, error_score)


def best_index(search: Any, refit_metric: str, results: Mapping[str, Any]) -> int:
    return search._select_best_index(search.refit, refit_metric, results)  # type: ignore[no-any-return]


def callback_context(search: Any, n_tasks: int) -> Any:
    """The root of the tasks that callbacks are told of; None before 1.9."""
    make = getattr(search, "_init_callback_context", None)
    return None if make is None else make(max_subtasks=n_tasks)


def has_callbacks(search: Any, estimator: Any) -> bool:
    """Whether a search, its estimator or a part of it has callbacks of scikit-learn."""
    inner = [search, *search.get_params(deep=False).values(), *estimator.get_params().values()]
    return any(getattr(v, "_skl_callbacks", None) for v in [*inner, estimator])


def is_multimetric(scorer: Any) -> bool:
    """Whether the scorer is several, known by their names beforehand."""
    return isinstance(scorer, _MultimetricScorer)


def metric_names(scorer: Any) -> list[str] | None:
    """Names of the metrics; None for a callable, which may return a number or a dict."""
    if is_multimetric(scorer):
        return list(scorer._scorers)
    return ["score"] if isinstance(scorer, (_BaseScorer, _PassthroughScorer)) else None


def predicts_once(scorer: Any) -> bool:
    """Whether scoring is one call of one method of the estimator, as far as is known."""
    return isinstance(scorer, (_BaseScorer, _PassthroughScorer))


def public_scorer(scorer: Any) -> Any:
    """What `scorer_` holds: the scorer, or a dict of them."""
    return scorer._scorers if is_multimetric(scorer) else scorer


def singles(scorer: Any) -> dict[str, Any]:
    """The scorers by their names; one alone has none."""
    return dict(scorer._scorers) if is_multimetric(scorer) else {"": scorer}


def check_responses(estimator: Any, scorer: Any) -> None:
    """Raise if a scorer asks for methods of which the estimator's class has none."""
    for name, single in singles(scorer).items():
        wanted = getattr(single, "_response_method", "default")
        wanted = [wanted] if isinstance(wanted, str) else list(wanted)
        if "default" not in wanted and not any(hasattr(type(estimator), m) for m in wanted):
            raise ValueError(
                f"scoring{f'[{name!r}]' if name else ''}: {single} needs "
                f"{' or '.join(wanted)}, which {type(estimator).__name__} does not have."
            )


def greatest_score(scorer: Any, metric: str) -> float:
    """The greatest value that a metric can take; inf where that is not known."""
    single = scorer._scorers.get(metric) if is_multimetric(scorer) else scorer
    if isinstance(single, _PassthroughScorer):
        own = getattr(type(single._estimator), "score", None)
        return 1.0 if own in (ClassifierMixin.score, RegressorMixin.score) else math.inf
    if not isinstance(single, _BaseScorer):
        return math.inf
    if single._sign < 0:  # a loss: of those of scikit-learn none is negative
        return 0.0 if single._score_func.__module__.startswith("sklearn.") else math.inf
    return 1.0 if single._score_func in AT_MOST_ONE else math.inf


@dataclass(frozen=True)
class Recipe:
    """How a scorer comes by its number: `sign * function(y, prediction, **options)`."""

    function: Callable[..., Any]
    sign: int
    methods: tuple[str, ...]
    options: Mapping[str, Any]


def recipe_of(scorer: Any, estimator: Any) -> Recipe | None:
    """Return how a single scorer works; None if that cannot be said."""
    if isinstance(scorer, _PassthroughScorer):
        while hasattr(estimator, "steps"):
            estimator = estimator.steps[-1][1]
        own = getattr(getattr(type(estimator), "score", None), "__qualname__", "")
        methods = ("predict",)
        if own in ("ClassifierMixin.score", "KNeighborsClassifier.score"):
            return Recipe(accuracy_score, 1, methods, {})
        is_r2 = own in ("RegressorMixin.score", "KNeighborsRegressor.score")
        return Recipe(r2_score, 1, methods, {}) if is_r2 else None
    if not hasattr(scorer, "_score_func") or scorer._kwargs.get("pos_label") is not None:
        return None
    given = scorer._response_method
    methods = (given,) if isinstance(given, str) else tuple(given)
    return Recipe(scorer._score_func, scorer._sign, methods, scorer._kwargs)


def as_indices(X: Any, rows: Any) -> Any:
    """Rows in the array library of X, on its device."""
    xp, _ = get_namespace(X)
    return xp.asarray(rows, device=device(X))


def take_rows(estimator: Any, X: Any, y: Any, rows: Any, columns: Any = None) -> tuple[Any, Any]:
    """Rows of X and y; of a precomputed kernel, the columns of the training rows too."""
    return _safe_split(estimator, X, y, rows, columns)  # type: ignore[no-any-return]


def is_pairwise(estimator: Any) -> bool:
    """Whether the estimator takes a square matrix, of which columns are rows too."""
    return bool(get_tags(estimator).input_tags.pairwise)


def params_of_rows(X: Any, params: Mapping[str, Any], rows: Any) -> dict[str, Any]:
    """Parameters of a method, with those that have a value a row cut to the rows."""
    return _check_method_params(X, params=params, indices=rows)  # type: ignore[no-any-return]


def cut_iterations(model: Any, n_iterations: int) -> None:
    """Leave a histogram model its first iterations."""
    model._predictors = model._predictors[:n_iterations]


def pruned(tree: Any, ccp_alpha: float) -> Any:
    """Prune a fitted tree in place; what it shares with others is not touched."""
    tree.ccp_alpha = ccp_alpha
    tree._prune_tree()
    return tree


def pca_is_svd(pca: Any) -> bool:
    """Whether a fitted PCA decomposed the rows, not their covariance."""
    return bool(pca._fit_svd_solver == "full")


def gives_arrays(transformer: Any) -> bool:
    """Whether `transform` gives what the transformer makes, not a table of it."""
    return bool(_get_output_config("transform", transformer)["dense"] == "default")
