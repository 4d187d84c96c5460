"""What a fitted search can be asked: a base of the searches that only reads what they found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from hpsearch.honest import Honest, Method, resampled_splits, tibshirani
from hpsearch.outcome import Outcome, observed_space
from hpsearch.results import Trials
from hpsearch.space import Space
from hpsearch.summary import Summary, summarised


class FittedSearch:
    """Questions to a fitted search."""

    estimator: Any
    trials_: Trials
    stopped_: str | None
    split_sizes_: list[tuple[int, int]]
    _is_exhaustive = False

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
            metric=self._judged_by,  # type: ignore[attr-defined]
            trials=self.trials_,
            split_sizes=self.split_sizes_,
            space=self._space(),
            chosen=None if chosen is None else int(chosen),
            stopped=self.stopped_,
            is_exhaustive=self._is_exhaustive,
        )

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
        return summarised(self._outcome())

    def corrected_score(self, method: Method | None = None) -> Honest:
        """Return the best score, less what it owes to having been chosen among many.

        Parameters
        ----------
        method : {"splits", "tibshirani"} or None, default=None
            "splits" draws the means of all candidates again as the scores of the splits say they
            vary, and sees how lucky the chosen one is. "tibshirani" is the correction of
            Tibshirani & Tibshirani (2009), which tends to be too much where candidates are many.
            None takes the best that can be had.

        Returns
        -------
        honest : Honest
            `score`, `optimism`, and an interval from `low` to `high`.

        Raises
        ------
        ValueError
            If no candidate is complete.

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
        if method not in (None, "splits", "tibshirani"):
            raise ValueError(f"method={method!r} is not one of 'splits', 'tibshirani', None.")
        correct = tibshirani if method == "tibshirani" else resampled_splits
        return correct(outcome.S, outcome.best, outcome.test_share)


def sizes_of(splits: Sequence[tuple[Any, Any]]) -> list[tuple[int, int]]:
    """Return the numbers of training and test rows of splits, given as indices or masks."""
    return [(_size(train), _size(test)) for train, test in splits]


def _size(rows: Any) -> int:
    rows = np.asarray(rows)
    return int(rows.sum()) if rows.dtype == bool else len(rows)
