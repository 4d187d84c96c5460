"""The bridge: every private name of scikit-learn, and every difference between 1.6 and 1.9.

Nothing else in the package touches what scikit-learn does not document, so that a new version of
it is answered here and nowhere else. Differences are found by looking (a signature, an
attribute), not by version numbers, but for one sentence whose wording changed.
"""

from __future__ import annotations

import math
import numbers
import os
import threading
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import sklearn
from sklearn import metrics
from sklearn.base import ClassifierMixin, RegressorMixin, _fit_context, clone, is_classifier
from sklearn.metrics import accuracy_score, r2_score
from sklearn.metrics._scorer import _BaseScorer, _MultimetricScorer, _PassthroughScorer
from sklearn.model_selection import (
    GroupShuffleSplit,
    ShuffleSplit,
    StratifiedShuffleSplit,
    check_cv,
)
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import (
    _insert_error_scores,
    _warn_or_raise_about_fit_failures,
)
from sklearn.utils import get_tags, indexable
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
from sklearn.utils.multiclass import type_of_target
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
ONE_LABEL = ("binary", "multiclass")
Fit = TypeVar("Fit", bound=Callable[..., Any])
SearchBase = BaseSearchCV
n_rows = _num_samples
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


def fit_context(fit: Fit) -> Fit:
    """Decorate a `fit`: validate the parameters, and take callbacks down at any end."""
    return _fit_context(prefer_skip_nested_validation=False)(fit)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Prepared:
    """What a search knows once its input was checked, before the first candidate.

    The three `params` go to the estimator's fit, to the scorers and to the splitter.
    `refit_metric` is the metric that picks the winner, "score" if there is only one.
    """

    estimator: Any  # a clone, the base of all candidates
    X: Any
    y: Any
    scorer: Any
    refit_metric: Any
    cv: Any
    fit_params: Mapping[str, Any]
    score_params: Mapping[str, Any]
    split_params: Mapping[str, Any]
    fit_metadata: Mapping[str, Any] | None


def prepare(search: Any, X: Any, y: Any, params: dict[str, Any]) -> Prepared:
    """Resolve scorers, route metadata, check the splitter: all that precedes the splits."""
    scorer, refit_metric = search._get_scorers()
    X, y = indexable(X, y)
    params = _check_method_params(X, params=params)
    routed = search._get_routed_params_for_fit(params)
    cv = splitter_of(search.cv, y, search, grouped=params.get("groups") is not None)
    weight = params.get("sample_weight")
    _check_weight(X, weight)
    _check_refit_name(search, scorer)
    _check_responses(search.estimator, scorer)
    return Prepared(
        estimator=clone(search.estimator),
        X=X,
        y=y,
        scorer=scorer,
        refit_metric=refit_metric,
        cv=cv,
        fit_params=routed.estimator.fit,
        score_params=routed.scorer.score,
        split_params=routed.splitter.split,
        fit_metadata=None if weight is None else {"sample_weight": weight},
    )


def splitter_of(cv: Any, y: Any, search: Any, *, grouped: bool = False) -> Any:
    """Return a splitter: scikit-learn's own, or for a share of the rows one stratified hold-out.

    A share is held out with the search's `random_state` if that is a number, and else with 0.
    """
    of_classes = is_classifier(search.estimator)
    if not isinstance(cv, (float, np.floating)):
        return check_cv(cv, y, classifier=of_classes)
    seed = getattr(search, "random_state", None)
    seed = int(seed) if isinstance(seed, numbers.Integral) else 0
    if grouped:
        return GroupShuffleSplit(1, test_size=float(cv), random_state=seed)
    stratified = of_classes and type_of_target(y) in ("binary", "multiclass")
    cls = StratifiedShuffleSplit if stratified else ShuffleSplit
    return cls(1, test_size=float(cv), random_state=seed)


def _check_weight(X: Any, weight: Any) -> None:
    if weight is not None and hasattr(weight, "__len__") and len(weight) != _num_samples(X):
        raise ValueError(
            f"sample_weight has {len(weight)} values, and X has {_num_samples(X)} rows: give one "
            "weight a row."
        )


def _check_responses(estimator: Any, scorer: Any) -> None:
    """Raise if a scorer asks for methods of which the estimator's class has none."""
    for name, single in (scorer._scorers if is_multimetric(scorer) else {"": scorer}).items():
        wanted = getattr(single, "_response_method", "default")
        wanted = [wanted] if isinstance(wanted, str) else list(wanted)
        if "default" not in wanted and not any(hasattr(type(estimator), m) for m in wanted):
            raise ValueError(
                f"scoring{f'[{name!r}]' if name else ''}: {single} needs "
                f"{' or '.join(wanted)}, which {type(estimator).__name__} does not have."
            )


def _check_refit_name(search: Any, scorer: Any) -> None:
    """With one metric `refit` may also be the name of it."""
    if isinstance(search.refit, str) and isinstance(scorer, (_BaseScorer, _PassthroughScorer)):
        names = ["score"] + ([search.scoring] if isinstance(search.scoring, str) else [])
        if search.refit not in names:
            warnings.warn(
                f"refit={search.refit!r} is not one of the metrics {names}: the best is picked by "
                f"{names[-1]!r}, as with refit=True.",
                UserWarning,
                stacklevel=5,
            )


def count_splits(prepared: Prepared) -> int:
    return int(prepared.cv.get_n_splits(prepared.X, prepared.y, **prepared.split_params))


def split(prepared: Prepared, n_splits: int) -> list[tuple[Any, Any]]:
    """Make the splits, once a search: a shuffling splitter would make others the next time."""
    splits = list(prepared.cv.split(prepared.X, prepared.y, **prepared.split_params))
    if len(splits) != n_splits:
        word = (
            "return" if parse_version(sklearn.__version__) >= parse_version("1.9") else "returned"
        )
        raise ValueError(
            f"cv.split and cv.get_n_splits {word} inconsistent results. "
            f"Expected {n_splits} splits, got {len(splits)}"
        )
    return splits


def is_multimetric(scorer: Any) -> bool:
    """Whether the scorer is several, known by their names beforehand."""
    return isinstance(scorer, _MultimetricScorer)


def metric_names(scorer: Any) -> list[str] | None:
    """Names of the metrics; None for a callable, which may return a number or a dict."""
    if is_multimetric(scorer):
        return list(scorer._scorers)
    return ["score"] if isinstance(scorer, (_BaseScorer, _PassthroughScorer)) else None


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


def predicts_once(scorer: Any) -> bool:
    """Whether scoring is one call of one method of the estimator, as far as is known."""
    return isinstance(scorer, (_BaseScorer, _PassthroughScorer))


def public_scorer(scorer: Any) -> Any:
    """What `scorer_` holds: the scorer, or a dict of them."""
    return scorer._scorers if is_multimetric(scorer) else scorer


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


def score(
    scorer: Any, estimator: Any, X: Any, y: Any, params: Mapping[str, Any], error_score: Any
) -> tuple[dict[str, float] | float, str | None]:
    """Score as scikit-learn does; also return the text of what a scorer raised, if one did."""
    error = None
    try:
        scores = scorer(estimator, X, **params) if y is None else scorer(estimator, X, y, **params)
    except Exception as exception:
        if is_multimetric(scorer) or error_score == "raise":
            raise
        scores, error = error_score, traceback_of(exception)
    if is_multimetric(scorer):
        failures = {name: text for name, text in scores.items() if isinstance(text, str)}
        scores.update(dict.fromkeys(failures, error_score))
        error = "\n".join(failures.values()) or None
    if isinstance(scores, dict):
        numbers = {name: _as_number(value, name) for name, value in scores.items()}
    else:
        numbers = {"score": _as_number(scores, scorer)}
    infinite = [name for name, value in numbers.items() if value == math.inf]
    if infinite and error is None:  # it would win over every candidate
        error = f"ValueError: the scorer returned inf for {', '.join(infinite)}."
        if error_score == "raise":
            raise ValueError(error)
        numbers |= dict.fromkeys(infinite, error_score)
    return numbers if isinstance(scores, dict) else numbers["score"], error


def warn_of_scoring(error: str, error_score: Any) -> None:
    """Tell, in scikit-learn's words, of what a scorer raised."""
    warnings.warn(
        "Scoring failed. The score on this train-test partition for these parameters will be "
        f"set to {error_score}. Details: \n{error}",
        UserWarning,
        stacklevel=2,
    )


def _as_number(value: Any, scorer: Any) -> float:
    if hasattr(value, "item"):
        with suppress(ValueError):
            value = value.item()
    if not isinstance(value, numbers.Number):
        raise ValueError(  # noqa: TRY004 - scikit-learn's, and its users catch it
            f"scoring must return a number, got {value} ({type(value)}) instead. (scorer={scorer})"
        )
    return value  # type: ignore[return-value]


def traceback_of(exception: BaseException) -> str:
    return "".join(traceback.format_exception(exception))


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


def report_scorer_failures(errors: Sequence[str | None]) -> None:
    """Raise if no fit could be scored: NaN is not a winner."""
    if errors and all(error is not None for error in errors):
        told = "\n".join(f"{n} times:\n{text}" for text, n in Counter(errors).items())
        raise ValueError(
            f"\nAll the {len(errors)} fits could not be scored: the scorer failed.\n"
            "Check `scoring`; error_score='raise' stops at the first failure.\n\n"
            f"Below are more details about the failures:\n{told}"
        )


def best_index(search: Any, refit_metric: str, results: Mapping[str, Any]) -> int:
    return search._select_best_index(search.refit, refit_metric, results)  # type: ignore[no-any-return]


def check_refit(search: Any, names: Any) -> None:
    """Raise unless `refit` names one of the metrics, is callable or False."""
    search._check_refit_for_multimetric(names)


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


def n_training_rows(rows: Any) -> int:
    """How many rows a splitter's indices, or its mask, stand for."""
    rows = np.asarray(rows)
    return int(np.count_nonzero(rows)) if rows.dtype == bool else len(rows)


def n_classes(estimator: Any, y: Any) -> int:
    """How many classes a classifier has to tell apart; 1 for anything else."""
    if y is None or not is_classifier(estimator) or type_of_target(y) not in ONE_LABEL:
        return 1
    return len(np.unique(np.asarray(y)))


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


@dataclass(frozen=True)
class Ambient:
    """scikit-learn's configuration and the warning filters where `fit` was called."""

    config: Mapping[str, Any]
    filters: Sequence[Any]
    process: int
    thread: int

    @classmethod
    def here(cls) -> Ambient:
        filters = list(_warning_filters())
        return cls(sklearn.get_config(), filters, os.getpid(), threading.get_ident())

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Make a worker behave as the caller would."""
        process = os.getpid()
        if (process, threading.get_ident()) == (self.process, self.thread):
            yield
            return
        with sklearn.config_context(**self.config), warnings.catch_warnings():
            if process != self.process:
                # In place: entering catch_warnings has just made the list a copy of its own.
                _warning_filters()[:] = self.filters
            yield


def _warning_filters() -> list[Any]:
    # Free-threaded Python keeps the filters in a context variable.
    get: Callable[[], Any] = getattr(warnings, "_get_filters", lambda: warnings.filters)
    return get()  # type: ignore[no-any-return]


class Callbacks:
    """The tasks of a search as scikit-learn's callbacks see them; nothing before 1.9.

    fit -> search -> one candidate-split-evaluation a fit, and fit -> refit-with-best-params.
    """

    def __init__(self, search: Any, prepared: Prepared) -> None:
        self._search = search
        self._given = {"X": prepared.X, "y": prepared.y, "metadata": prepared.fit_metadata}
        self._candidates: Any = None
        self._root: Any = None
        # Contexts of single fits are seen by callbacks alone, and each holds on to its siblings.
        self._anyone = _has_callbacks(search, prepared.estimator)
        if hasattr(search, "_init_callback_context"):
            self._root = search._init_callback_context(max_subtasks=1 + (search.refit is not False))
            self._root.call_on_fit_task_begin(estimator=search, **self._given)

    @contextmanager
    def searching(self, n_fits: int | None) -> Iterator[None]:
        """Enclose all fits but the refit; `n_fits` is the most there can be, None if unknown."""
        if self._root is None:
            yield
            return
        self._candidates = self._root.subcontext(
            task_name="search", max_subtasks=n_fits, sequential_subtasks=False
        )
        self._candidates.call_on_fit_task_begin(estimator=self._search)
        yield
        self._candidates.call_on_fit_task_end(estimator=self._search)

    def fit(self, number: int) -> FitCallbacks | None:
        """The callbacks of one fit, to travel with it: made in the parent, where the tree is."""
        if self._candidates is None or not self._anyone:
            return None
        context = self._candidates.subcontext(
            task_name="candidate-split-evaluation", task_id=number
        )
        return FitCallbacks(context, self._search)

    @contextmanager
    def refitting(self, estimator: Any) -> Iterator[None]:
        if self._root is None:
            yield
            return
        context = self._root.subcontext(task_name="refit-with-best-params")
        with context.propagate_callback_context(estimator):
            context.call_on_fit_task_begin(estimator=self._search, **self._given)
            yield
        context.call_on_fit_task_end(estimator=self._search, **self._given)

    def end(self) -> None:
        if self._root is not None:
            self._root.call_on_fit_task_end(estimator=self._search, **self._given)


class NoCallbacks:
    """A refit that no callback is told of."""

    def refitting(self, estimator: Any) -> nullcontext[None]:
        return nullcontext()


@dataclass(frozen=True)
class FitCallbacks:
    """The callbacks of one fit; travels to the worker."""

    context: Any
    search: Any

    @contextmanager
    def around(self, estimator: Any, X: Any, y: Any, weight: Any) -> Iterator[None]:
        given = {"X": X, "y": y, "metadata": None if weight is None else {"sample_weight": weight}}
        try:
            with self.context.propagate_callback_context(estimator):
                self.context.call_on_fit_task_begin(estimator=self.search, **given)
                yield
        finally:
            self.context.call_on_fit_task_end(estimator=self.search, **given)


def around(callbacks: FitCallbacks | None, estimator: Any, X: Any, y: Any, weight: Any) -> Any:
    """Enclose a fit in its callbacks, if it has any."""
    return nullcontext() if callbacks is None else callbacks.around(estimator, X, y, weight)


def has_callbacks(search: Any) -> bool:
    """Whether a search, its estimator or a part of it has callbacks of scikit-learn."""
    return _has_callbacks(search, search.estimator)


def _has_callbacks(search: Any, estimator: Any) -> bool:
    inner = [search, *search.get_params(deep=False).values(), *estimator.get_params().values()]
    return any(getattr(v, "_skl_callbacks", None) for v in [*inner, estimator])


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
    if not hasattr(scorer, "_score_func") or "pos_label" in scorer._kwargs:
        return None
    given = scorer._response_method
    methods = (given,) if isinstance(given, str) else tuple(given)
    return Recipe(scorer._score_func, scorer._sign, methods, scorer._kwargs)
