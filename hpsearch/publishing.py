"""From trials to what a fitted search shows: `cv_results_`, `best_params_` and what goes with them.

All of it is set before the refit, which may fail.
"""

from __future__ import annotations

import math
import threading
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sklearn.exceptions import FitFailedWarning

from hpsearch import _sklearn as bridge
from hpsearch import results, scoring, stopping
from hpsearch.prepared import Prepared
from hpsearch.protocols import SearchAborted
from hpsearch.resources import Resource
from hpsearch.trial import NAN_RETURNED, Params, Status, Trial

ONE_AT_A_TIME = threading.RLock()
NON_FINITE = "One or more of the test scores are non-finite"


def publish(
    search: Any,
    prepared: Prepared,
    trials: Sequence[Trial],
    metric: str,
    resource: Resource | None,
) -> None:
    """Set the attributes of a search that has ended.

    Parameters
    ----------
    search : BaseSearchCV
        To be given the attributes.
    prepared : Prepared
        Its input, checked.
    trials : sequence of Trial
        In order of number.
    metric : str
        The one that candidates were judged by while the search ran.
    resource : Resource or None
        What stages had shares of.

    Raises
    ------
    ValueError
        If nothing was fitted, or nothing could be scored.
    SearchAborted
        If there was no time for a single fit.
    """
    _check_any(search, trials)
    with _blanks_explained(trials):  # but for an error, which says more
        _set_table(search, prepared, trials, resource)
        bridge.report_fit_failures(results.fit_errors(trials), search.error_score)
        refit_metric = prepared.refit_metric
        if callable(search.scoring) and search.multimetric_:
            bridge.check_refit(search, _names(trials))
            refit_metric = search.refit
        unscored = results.scorer_errors(trials, refit_metric, search.error_score)
        scoring.report_scorer_failures(unscored)
    if isinstance(refit_metric, str) and search.multimetric_:
        search._judged_by = refit_metric  # noqa: SLF001 - of the search that is being fitted
    rivals = _all_with_a_score(search, trials)
    if all(trial.status is Status.PRUNED for trial in rivals):
        _set_best_partial(search, rivals, metric, resource)
    elif search.refit or not search.multimetric_:
        search.best_index_ = bridge.best_index(search, refit_metric, search.cv_results_)
        if not callable(search.refit):
            means = search.cv_results_[f"mean_test_{refit_metric}"]
            search.best_score_ = means[search.best_index_]
        search.best_params_ = search.cv_results_["params"][search.best_index_]


def _check_any(search: Any, trials: Sequence[Trial]) -> None:
    if any(trial.results for trial in trials):
        return
    if search.stopped_ == "max_time":
        raise SearchAborted(
            f"max_time={search.max_time!r} seconds were over before the first fit ended."
        )
    if search.stopped_ is not None:
        raise SearchAborted(f"The search was stopped before its first fit ended: {search.stopped_}")
    if search.constraint is not None:
        raise ValueError("constraint rejects every candidate of the space.")
    raise ValueError("No fits were performed. Was the CV iterator empty? Were there no candidates?")


def _set_table(
    search: Any, prepared: Prepared, trials: Sequence[Trial], resource: Resource | None
) -> None:
    """Set `cv_results_`, and what goes by the names of the metrics."""
    metrics = bridge.metric_names(prepared.scorer) or _names(trials)
    out = results.records(trials, search.n_splits_, search.error_score, metrics)
    shares = [results.share_reached(trial) for trial in trials]
    candidates: list[Params] = [trial.params for trial in trials]
    if resource is not None:
        candidates = [resource.params(*of) for of in zip(candidates, shares, strict=True)]
    search.scorer_ = bridge.public_scorer(prepared.scorer)
    search.cv_results_ = bridge.summarise(search, candidates, search.n_splits_, out)
    early = stopping.early_of(search.early_stopping)
    if early is not None:
        search.cv_results_ |= stopping.columns(early, trials, search.n_splits_)
    if resource is not None:
        amounts = resource.amounts(shares, bridge.n_rows(prepared.X))
        search.cv_results_["n_resources"] = amounts
    # The names that a callable gives are known only now.
    search.multimetric_ = isinstance(out[0]["test_scores"], dict)


def _names(trials: Sequence[Trial]) -> list[str]:
    """Names of the metrics, as a callable has given them; empty if it never came to that."""
    scores = (result.scores for trial in trials for result in trial.results)
    return next((list(given) for given in scores if given), [])


@contextmanager
def _blanks_explained(trials: Sequence[Trial]) -> Iterator[None]:
    """Add to scikit-learn's warning of scores that are not numbers what is known of them.

    It says nothing of those that are blank because a candidate was stopped early.
    """
    if all(trial.status is Status.COMPLETE for trial in trials):
        yield
        return
    # What catches warnings takes them from all threads, and puts back what it found: two at a time
    # would leave the first one's list, and nobody would hear a warning again.
    with ONE_AT_A_TIME, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    told = _told_of_nan(trials)
    is_pruned = any(trial.status is Status.PRUNED for trial in trials)
    for warning in sorted(caught, key=_is_no_failure):  # failures first: they are why
        text, is_blank = str(warning.message), str(warning.message).startswith(NON_FINITE)
        if is_blank and is_pruned and not told:
            continue
        more = f". {told}" if is_blank and told else ""
        warnings.warn(text + more, warning.category, stacklevel=6)


def _is_no_failure(warning: warnings.WarningMessage) -> bool:
    return not issubclass(warning.category, FitFailedWarning)


def _told_of_nan(trials: Sequence[Trial]) -> str:
    """Say which metrics were NaN by the scorer's own word, and how often."""
    errors = [result.error or "" for trial in trials for result in trial.results]
    counts = Counter(error for error in errors if error.startswith(NAN_RETURNED))
    said = [f"{e.removeprefix(NAN_RETURNED)[5:-1]} in {n} fits" for e, n in counts.items()]
    if not said:
        return ""
    return f"The scorer returned nan for {', '.join(said)} of {len(errors)}: see trials_."


def _all_with_a_score(search: Any, trials: Sequence[Trial]) -> Sequence[Trial]:
    """Candidates that can win: not those that failed, unless a number was given for it."""
    if search.error_score == "raise" or not math.isnan(search.error_score):
        return trials
    return [t for t in trials if t.results and not t.status.is_failure] or trials


def _set_best_partial(
    search: Any, trials: Sequence[Trial], metric: str, resource: Resource | None
) -> None:
    """Name the best where none was complete when the search ended, and say so."""
    best = results.best_partial(trials, metric)
    warnings.warn(
        "The search ended before any candidate was complete. The best is the one that came "
        f"farthest: number {best}, see trials_. Its score is not one on all splits and rows, so "
        "best_score_ is nan.",
        UserWarning,
        stacklevel=4,
    )
    params = next(trial.params for trial in trials if trial.number == best)
    search.best_index_, search.best_score_ = best, math.nan
    search.best_params_ = params if resource is None else resource.params(params, 1.0)
