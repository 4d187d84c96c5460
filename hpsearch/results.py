"""Trials to tables: the records that `cv_results_` is made of, and `trials_`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

from hpsearch.trial import NAN_RETURNED, SplitResult, Status, Trial


class Trials(Sequence[Trial]):
    """The trials of a search, in order of number.

    Parameters
    ----------
    trials : iterable of Trial
        In order of number.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from hpsearch import ExhaustiveSearchCV
    >>> tree = DecisionTreeClassifier(random_state=0)
    >>> search = ExhaustiveSearchCV(tree, {"max_depth": [1, 2]})
    >>> trials = search.fit(*load_iris(return_X_y=True)).trials_
    >>> [(trial.number, trial.params, trial.status.value) for trial in trials]
    [(0, {'max_depth': 1}, 'complete'), (1, {'max_depth': 2}, 'complete')]
    """

    def __init__(self, trials: Iterable[Trial] = ()) -> None:
        self._trials = tuple(trials)

    @overload
    def __getitem__(self, index: int) -> Trial: ...
    @overload
    def __getitem__(self, index: slice) -> Trials: ...
    def __getitem__(self, index: int | slice) -> Trial | Trials:
        found = self._trials[index]
        return Trials(found) if isinstance(found, tuple) else found

    def __len__(self) -> int:
        return len(self._trials)

    def __iter__(self) -> Iterator[Trial]:
        return iter(self._trials)

    def __repr__(self) -> str:
        counts = {s.value: sum(t.status is s for t in self._trials) for s in Status}
        told = ", ".join(f"{n} {name}" for name, n in counts.items() if n)
        return f"<{len(self)} trials: {told or 'none'}>"

    def to_frame(self) -> Any:
        """Return a table with a row a trial.

        Returns
        -------
        frame : pandas.DataFrame
            Columns: number, status, one `param_*` a parameter, for each metric and split the
            score, fit_time and score_time (seconds, summed over the splits), error.

        Raises
        ------
        ImportError
            If pandas is not installed.

        Examples
        --------
        >>> from hpsearch.trial import SplitResult
        >>> trial = Trial(0, {"C": 1}, Status.COMPLETE, [SplitResult(0, scores={"score": 0.9})])
        >>> Trials([trial]).to_frame()[["number", "param_C", "split0_score"]].values.tolist()
        [[0.0, 1.0, 0.9]]
        """
        import pandas as pd  # noqa: PLC0415 - an optional extra

        return pd.DataFrame([_row(trial) for trial in self._trials])


def _row(trial: Trial) -> dict[str, Any]:
    row: dict[str, Any] = {"number": trial.number, "status": trial.status.value}
    row |= {f"param_{name}": value for name, value in trial.params.items()}
    for result in trial.results:
        row |= {f"split{result.split}_{name}": s for name, s in result.scores.items()}
    for name in ("fit_time", "score_time"):
        row[name] = math.fsum(r.details.get(name, 0.0) for r in trial.results)
    return row | {"error": trial.error}


def records(
    trials: Iterable[Trial], n_splits: int, error_score: Any, metrics: Sequence[str] | None
) -> list[dict[str, Any]]:
    """One record a trial and split, candidate by candidate, as scikit-learn's tables take them.

    A split that was not run on all rows, or with the full resource, scores NaN, so that its
    candidate cannot win on less than the others.
    """
    out = []
    for trial in trials:
        by_split = {result.split: result for result in trial.results if result.resource == 1.0}
        out += [_record(by_split.get(i), error_score, metrics) for i in range(n_splits)]
    return out


def _record(
    result: SplitResult | None, error_score: Any, metrics: Sequence[str] | None
) -> dict[str, Any]:
    if result is None:
        blank = _plain(dict.fromkeys(metrics or [], math.nan), math.nan)
        times = {"fit_time": math.nan, "score_time": math.nan}
        return {"fit_error": None, "test_scores": blank, "train_scores": blank, **times}
    failed_in_fit = result.details.get("failed_in") == "fit"
    return {
        "fit_error": result.error if failed_in_fit else None,
        "test_scores": _plain(result.scores, error_score),
        "train_scores": _plain(result.details.get("train_scores", result.scores), error_score),
        "fit_time": result.details["fit_time"],
        "score_time": result.details["score_time"],
    }


def _plain(scores: dict[str, float], if_none: float) -> dict[str, float] | float:
    """A single metric goes without a name."""
    if not scores:
        return if_none
    return scores["score"] if set(scores) == {"score"} else dict(scores)


def share_reached(trial: Trial) -> float:
    """The greatest share of the resource that a trial was fitted with."""
    return max((result.resource for result in trial.results), default=1.0)


def best_partial(trials: Sequence[Trial], metric: str) -> int:
    """The number of the trial that came farthest: most resource, most splits, best mean score."""

    def progress(trial: Trial) -> tuple[float, int, float]:
        last = [r for r in trial.results if r.resource == share_reached(trial)]
        scores = [r.scores.get(metric, math.nan) for r in last]
        total = math.fsum(scores)
        mean = total / len(scores) if scores and math.isfinite(total) else -math.inf
        return share_reached(trial) if last else 0.0, len(last), mean

    return max(trials, key=lambda trial: (progress(trial), -trial.number)).number


def fit_errors(trials: Iterable[Trial]) -> list[dict[str, Any]]:
    """Records of all fits that were run, as scikit-learn's warning of failures takes them."""
    results = [r for trial in trials for r in trial.results]
    return [
        {"fit_error": r.error if r.details.get("failed_in") == "fit" else None} for r in results
    ]


def scorer_errors(trials: Iterable[Trial], metric: Any, error_score: Any) -> list[str | None]:
    """What the scorer raised, for each fit; None where the fit failed.

    None too where the metric has a score all the same; any metric if `metric` is not the name of
    one.
    """
    results = [r for trial in trials for r in trial.results]
    return [
        None
        if r.details.get("failed_in") == "fit" or _has_score(r, metric, error_score)
        else r.error
        for r in results
    ]


def _has_score(result: SplitResult, metric: Any, error_score: Any) -> bool:
    if result.error is not None and result.error.startswith(NAN_RETURNED):
        return True  # scikit-learn's searches take it for one, and name a winner
    is_named = isinstance(metric, str) and metric in result.scores
    known = [result.scores[metric]] if is_named else result.scores.values()
    return any(value == value and value != error_score for value in known)  # noqa: PLR0124 - NaN
