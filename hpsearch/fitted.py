"""What a fitted search can be asked: a base of the searches that only reads what they found."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self

from sklearn.utils.validation import check_is_fitted

from hpsearch.honest import (
    Honest,
    Method,
    bootstrapped,
    resampled_rows,
    resampled_splits,
    stretch_of,
    tibshirani,
)
from hpsearch.keep import Kept
from hpsearch.keywords import OF_SEARCHES, TellsOfAttributes
from hpsearch.outcome import Outcome, observed_space
from hpsearch.report import page_of, summary_of
from hpsearch.results import Trials
from hpsearch.rowwise import measure_of
from hpsearch.rules import picked
from hpsearch.space import Space
from hpsearch.summary import Summary, summarised

METHODS = ("rows", "splits", "bootstrap", "tibshirani")


class FittedSearch(TellsOfAttributes):
    """Questions to a fitted search."""

    estimator: Any
    trials_: Trials
    stopped_: str | None
    split_sizes_: list[tuple[int, int]]
    refit: Any
    _elsewhere = OF_SEARCHES
    _is_exhaustive = False
    _by_process = False

    def _space(self) -> Space:
        """The space of the candidates."""
        return observed_space(self.trials_)

    def _outcome(self) -> Outcome:
        """What the search found, for those who read it."""
        check_is_fitted(self, "trials_")
        chosen = getattr(self, "best_index_", None)
        return Outcome(
            name=f"{type(self).__name__} of {type(self.estimator).__name__}",
            estimator=self.estimator,
            metric=self._told_by(),
            trials=self.trials_,
            split_sizes=self.split_sizes_,
            space=self._space(),
            chosen=None if chosen is None else int(chosen),
            stopped=self.stopped_,
            is_exhaustive=self._is_exhaustive,
            by_process=self._by_process,
        )

    def _told_by(self) -> str:
        """The metric that the results are told by: the winner's, or the first where none is."""
        judged: str = self._judged_by  # type: ignore[attr-defined]
        known = next((r.scores for trial in self.trials_ for r in trial.results if r.scores), {})
        if judged in known or not known:
            return judged
        return getattr(self.refit, "metric", None) or next(iter(known))

    def summary(self) -> Summary:
        """Return the result in some ten lines: what was found, how sure it is, what to do next.

        Returns
        -------
        summary : Summary
            Printed, it is the lines: counts; the best; what to expect on new rows, for the best of
            many noisy scores is too good; the estimator's own parameters beside it; who is tied
            with it; a best value at the edge of its range; parameters without effect; a curve that
            still rises; failures, and what they have in common. It also holds these as numbers.

        Notes
        -----
        Candidates are compared by the corrected resampled t-test of Nadeau & Bengio (2003). For the
        correction of the best score see `corrected_score`.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.svm import SVC
        >>> from hpsearch import ExhaustiveSearchCV
        >>> grid = {"C": [0.01, 1, 100], "gamma": [0.01, 0.1, 1]}
        >>> search = ExhaustiveSearchCV(SVC(), grid).fit(*load_iris(return_X_y=True))
        >>> print(search.summary().lines[1])
        Best: score 0.98 ± 0.012 with C=1, gamma=0.1 (candidate 4).
        """
        return summarised(self._outcome(), self._by_rows)

    def report(self, path: str | os.PathLike[str]) -> None:
        """Write the search as one HTML page: summary, pictures, table, failures.

        The page needs no network and no other file. The table sorts by a click on a head, and
        filters by words such as "complete C=10". Pictures need matplotlib.

        Parameters
        ----------
        path : path
            Where to write, "report.html" for example.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.svm import SVC
        >>> from hpsearch import ExhaustiveSearchCV
        >>> search = ExhaustiveSearchCV(SVC(), {"C": [0.1, 1, 10]})
        >>> search.fit(*load_iris(return_X_y=True)).report("report.html")
        """
        page = page_of(self._outcome(), self.summary())
        # An error may tell of a file whose name is no text.
        Path(path).write_text(page, encoding="utf-8", errors="backslashreplace")

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        """What a notebook shows: scikit-learn's diagram, below the summary once it is fitted."""
        bundle: dict[str, str] = super()._repr_mimebundle_(**options)  # type: ignore[misc]
        if "text/html" in bundle and len(getattr(self, "trials_", ())):
            bundle["text/html"] = summary_of(self.summary()) + bundle["text/html"]
        return bundle

    def corrected_score(self, method: Method | None = None) -> Honest:
        """Return the best score, less what it owes to having been chosen among many.

        Parameters
        ----------
        method : {"rows", "splits", "bootstrap", "tibshirani"} or None, default=None
            "rows" draws the rows of the out-of-fold predictions again, chooses the best anew, and
            sees how lucky it is (Efron, 1983); "bootstrap" is the bootstrap bias-corrected
            cross-validation of Tsamardinos et al. (2018), which is more careful. Both need
            `keep="predictions"`. "splits" draws the means of all
            candidates again as the scores of the splits say they vary, and sees how lucky the
            chosen one is. "tibshirani" is the correction of Tibshirani & Tibshirani (2009), which
            tends to be too much where candidates are many. None is the first of these that can be
            had.

        Returns
        -------
        honest : Honest
            `score`, `optimism`, and an interval from `low` to `high`.

        Raises
        ------
        ValueError
            If no candidate is complete, or what the method needs was not kept.

        Notes
        -----
        A search that was cut short by `max_time` or that prunes candidates has fewer of them to
        be lucky with; only complete ones are counted.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.svm import SVC
        >>> from hpsearch import ExhaustiveSearchCV
        >>> grid = {"C": [0.01, 1, 100], "gamma": [0.01, 0.1, 1]}
        >>> search = ExhaustiveSearchCV(SVC(), grid).fit(*load_iris(return_X_y=True))
        >>> honest = search.corrected_score()
        >>> bool(honest.low < honest.score < search.best_score_)
        True
        """
        outcome = self._outcome()
        if outcome.best is None:
            raise ValueError("No candidate has a score on every split: there is no best score.")
        if method not in (None, *METHODS):
            raise ValueError(f"method={method!r} is not one of {METHODS} or None.")
        if method in (None, "rows", "bootstrap"):
            found = self._by_rows(
                outcome, bootstrapped if method == "bootstrap" else resampled_rows
            )
            if found is not None:
                return found
            if method is not None:
                raise ValueError(
                    f"method={method!r} needs the out-of-fold predictions of the best candidate "
                    "and of another one, and a metric that can be computed from them: fit with "
                    "keep='predictions'."
                )
        correct = tibshirani if method == "tibshirani" else resampled_splits
        return correct(outcome.S, outcome.best, outcome.test_share)

    def select(
        self,
        rule: Callable[[Mapping[str, Any]], int] | str | None = None,
        X: Any = None,
        y: Any = None,
        *,
        where: Callable[[dict[str, Any]], bool] | None = None,
        **params: Any,
    ) -> Self:
        """Choose the winner again from the stored results, without a new search.

        Parameters
        ----------
        rule : callable, str or None, default=None
            A rule such as `OneStandardError()`, or any callable of `cv_results_` that returns a
            row; the name of a metric, whose greatest mean wins; None for the only metric.
        X, y : array-like, default=None
            The training rows and targets, to refit the new winner on. Without them there is a new
            `best_params_`, and no `best_estimator_`.
        where : callable or None, default=None
            Takes a row of `cv_results_` as a dict, returns whether that candidate may win.
        **params : dict
            Passed to the refit, as to `fit`.

        Returns
        -------
        search : object
            A copy with the new `best_index_`, `best_params_`, `best_score_` and, if X was given,
            `best_estimator_`. This search stays as it is.

        Raises
        ------
        ValueError
            If there is nothing to choose from.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.svm import SVC
        >>> from hpsearch import ExhaustiveSearchCV, OneStandardError
        >>> X, y = load_iris(return_X_y=True)
        >>> search = ExhaustiveSearchCV(SVC(), {"C": [0.1, 1, 10], "gamma": [0.1, 1]}).fit(X, y)
        >>> search.best_params_
        {'C': 1, 'gamma': 0.1}
        >>> search.select(OneStandardError(["C"]), X, y).best_estimator_
        SVC(C=1, gamma=0.1)
        >>> search.select(where=lambda row: row["param_C"] > 1).best_params_
        {'C': 10, 'gamma': 0.1}
        """
        check_is_fitted(self, "cv_results_")
        results = self.cv_results_  # type: ignore[attr-defined]
        chosen = copy.copy(self)
        place = chosen.best_index_ = picked(results, rule, where)  # type: ignore[attr-defined]
        chosen.best_params_ = results["params"][place]  # type: ignore[attr-defined]
        metric = rule if isinstance(rule, str) else getattr(rule, "metric", None)
        metric = metric or self._told_by()
        vars(chosen)["_judged_by"] = metric
        score = float(results[f"mean_test_{metric}"][place])
        chosen.best_score_ = score  # type: ignore[attr-defined]
        for name in ("best_estimator_", "refit_time_", "n_rounds_"):
            vars(chosen).pop(name, None)
        if X is not None:
            if not chosen.refit:  # else there would be no `predict`
                chosen.refit = metric if chosen.multimetric_ else True  # type: ignore[attr-defined]
            chosen.refit_best(X, y, **params)  # type: ignore[attr-defined]
        return chosen

    def _by_rows(
        self, outcome: Outcome, correct: Callable[..., Honest] = resampled_rows
    ) -> Honest | None:
        """Correct by out-of-fold predictions, if there are any."""
        kept: Kept | None = getattr(self, "kept_", None)
        if kept is None or outcome.best is None:
            return None
        best = outcome.complete[outcome.best].number
        numbers = [t.number for t in outcome.complete if t.number in kept]
        if best not in numbers or len(numbers) < 2:
            return None
        scorer = self.scorer_  # type: ignore[attr-defined]
        scorer = scorer[outcome.metric] if isinstance(scorer, dict) else scorer
        measure = measure_of(kept, numbers, scorer, self.estimator)
        if measure is None:
            return None
        n_rows = 1 + max(int(rows.max()) for rows in kept.rows)
        score = float(outcome.means[outcome.best])
        if correct is resampled_rows:
            stretch = stretch_of(len(self.split_sizes_), outcome.test_share)
            correct = partial(resampled_rows, stretch=stretch)
        return correct(measure, n_rows, numbers.index(best), score)
