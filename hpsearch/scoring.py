"""Scoring a fitted estimator as scikit-learn does, in its words where a scorer fails."""

from __future__ import annotations

import math
import numbers
import traceback
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from hpsearch import _sklearn as bridge


def score(
    scorer: Any, estimator: Any, X: Any, y: Any, params: Mapping[str, Any], error_score: Any
) -> tuple[dict[str, float] | float, str | None]:
    """Score as scikit-learn does; also return the text of what a scorer raised, if one did."""
    error = None
    try:
        scores = scorer(estimator, X, **params) if y is None else scorer(estimator, X, y, **params)
    except Exception as exception:
        if bridge.is_multimetric(scorer) or error_score == "raise":
            raise
        scores, error = error_score, traceback_of(exception)
    if bridge.is_multimetric(scorer):
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


def report_scorer_failures(errors: Sequence[str | None]) -> None:
    """Raise if no fit could be scored: NaN is not a winner."""
    if errors and all(error is not None for error in errors):
        told = "\n".join(f"{n} times:\n{text}" for text, n in Counter(errors).items())
        raise ValueError(
            f"\nAll the {len(errors)} fits could not be scored: the scorer failed.\n"
            "Check `scoring`; error_score='raise' stops at the first failure.\n\n"
            f"Below are more details about the failures:\n{told}"
        )


def traceback_of(exception: BaseException) -> str:
    return "".join(traceback.format_exception(exception))


def _as_number(value: Any, scorer: Any) -> float:
    if hasattr(value, "item"):
        with suppress(ValueError):
            value = value.item()
    if not isinstance(value, numbers.Number):
        raise ValueError(  # noqa: TRY004 - scikit-learn's, and its users catch it
            f"scoring must return a number, got {value} ({type(value)}) instead. (scorer={scorer})"
        )
    return value  # type: ignore[return-value]
