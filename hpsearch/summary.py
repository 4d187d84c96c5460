"""The result of a search in ten lines: what was found, how sure it is, and what to do next."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hpsearch import _sklearn as bridge
from hpsearch.brief import (
    short_amount,
    short_names,
    short_params,
    short_score,
    short_time,
    short_value,
)
from hpsearch.dimensions import Dimension, Integer, Ordinal, Real
from hpsearch.failures import Failures, grouped
from hpsearch.honest import LEVEL, Honest, corrected_p_value, error_of_mean, resampled_splits
from hpsearch.importance import without_effect
from hpsearch.outcome import Array, Outcome, owner_of
from hpsearch.timing import cost_of
from hpsearch.trial import Status

MAX_GROUPS = 3  # of failures that are told
EDGE = 0.02  # of the range, at either end
LATE = 0.2  # the last part of a search, whose gain is held against that of the rest
MIN_TRIED = 10  # candidates, before a curve is said to rise


@dataclass(frozen=True)
class Summary:
    """What `search.summary()` returns; its `str` is the ten lines.

    Attributes
    ----------
    lines : tuple of str
        A sentence each.
    honest : Honest or None
        The best score, corrected for the choice among many; None if nothing was complete.
    tied : tuple of int
        Numbers of the candidates that the corrected test does not tell from the best.
    p_of_defaults : float
        p-value of the best being no other than the estimator's own parameters; NaN if those were
        not among the candidates.
    on_edge : tuple of str
        Parameters whose best value lies at an end of their range that could be moved.
    idle : tuple of str
        Parameters without an effect on any score.
    is_rising : bool
        Whether the best was still being improved upon when the search ended.
    failures : tuple of Failures
        Failed candidates, grouped by error.
    """

    lines: tuple[str, ...]
    honest: Honest | None
    tied: tuple[int, ...]
    p_of_defaults: float
    on_edge: tuple[str, ...]
    idle: tuple[str, ...]
    is_rising: bool
    failures: tuple[Failures, ...]

    def __str__(self) -> str:
        return "\n".join(self.lines)

    __repr__ = __str__


def summarised(
    outcome: Outcome, correct: Callable[[Outcome], Honest | None] | None = None
) -> Summary:
    """Return the summary of a finished search.

    Parameters
    ----------
    outcome : Outcome
        The search.
    correct : callable or None, default=None
        Corrects the best score, if something better than the scores of the splits is known.
    """
    failures = tuple(grouped(outcome.trials))
    lines = [_counted(outcome)]
    best = outcome.best
    if best is None:
        lines += ["No candidate has a score on every split.", *_told_failures(failures)]
        return Summary(tuple(lines), None, (), math.nan, (), (), False, failures)
    honest = (correct and correct(outcome)) or resampled_splits(outcome.S, best, outcome.test_share)
    p_values = p_values_against(outcome, best)
    tied = [i for i, p in enumerate(p_values) if p > 1 - LEVEL]
    default = outcome.defaults()
    edges = list(_edges(outcome, best))
    params = [trial.params for trial in outcome.complete]
    idle = without_effect(outcome.space, params, outcome.S)
    rising = _rise(outcome)
    lines += [
        _told_best(outcome, best),
        _told_honest(outcome, honest),
        _told_defaults(outcome, best, default, p_values),
        _told_tied(outcome, best, tied),
        *_told_edges(edges),
        *([f"Without any effect on the score: {_listed(idle)}."] if idle else []),
        *([rising] if rising else []),
        *_told_failures(failures),
    ]
    return Summary(
        tuple(lines),
        honest,
        tuple(outcome.complete[i].number for i in tied),
        math.nan if default is None else float(p_values[default]),
        tuple(name for name, _ in edges),
        tuple(idle),
        bool(rising),
        failures,
    )


def p_values_against(outcome: Outcome, best: int) -> Array:
    """Return the corrected p-value of each complete candidate against the best, (c,)."""
    S, share = outcome.S, outcome.test_share
    return np.array([corrected_p_value(S[best], scores, share) for scores in S])


def _counted(outcome: Outcome) -> str:
    counts = {status: sum(t.status is status for t in outcome.trials) for status in Status}
    n_failed = sum(n for status, n in counts.items() if status.is_failure)
    told = [f"{counts[Status.COMPLETE]} complete"]
    told += [f"{counts[Status.PRUNED]} pruned"] if counts[Status.PRUNED] else []
    told += [f"{n_failed} failed"] if n_failed else []
    n_fits = sum(len(trial.results) for trial in outcome.trials)
    seconds = short_time(math.fsum(map(cost_of, outcome.trials)))
    end = "" if outcome.stopped is None else f" Ended early: {outcome.stopped}."
    n = len(outcome.trials)
    return (
        f"{outcome.name}: {n} candidate{'s' * (n != 1)} ({', '.join(told)}), {n_fits} fits, "
        f"{seconds} of fitting.{end}"
    )


def _told_best(outcome: Outcome, best: int) -> str:
    trial = outcome.complete[best]
    error = error_of_mean(outcome.S[best], outcome.test_share)
    about = f" ± {short_amount(error)}" if math.isfinite(error) else ""
    params = short_params(trial.params, most=200) or "no parameters"
    score = short_score(float(outcome.means[best]))
    return f"Best: {outcome.metric} {score}{about} with {params} (candidate {trial.number})."


_HOW = {
    "rows": "by a bootstrap of its out-of-fold predictions",
    "bootstrap": "by a bootstrap of its out-of-fold predictions",
    "splits": "by the scores of the splits",
    "tibshirani": "by the scores of the splits",
}


def _told_honest(outcome: Outcome, honest: Honest) -> str:
    between = f" ({short_score(honest.low)} to {short_score(honest.high)} at {LEVEL:.0%})"
    expected = (
        f"Expect about {short_score(honest.score)} on new rows"
        f"{between if math.isfinite(honest.low) else ''}"
    )
    n, n_pruned = len(outcome.complete), sum(t.status is Status.PRUNED for t in outcome.trials)
    pruned = f" What choosing among the {n_pruned} pruned adds is not known." if n_pruned else ""
    if n == 1:
        return f"{expected}: no other candidate is complete, to correct for its choice.{pruned}"
    return (
        f"{expected}: as the best of {n} it is too good by {short_amount(abs(honest.optimism))}, "
        f"{_HOW[honest.method]}.{pruned}"
    )


def _told_defaults(outcome: Outcome, best: int, default: int | None, p_values: Array) -> str:
    if default is None:
        return "The estimator's own parameters were not among the candidates."
    if default == best:
        return "The estimator's own parameters are the best: nothing was gained."
    gain = float(outcome.means[best] - outcome.means[default])
    p = p_values[default]
    verdict = "" if math.isnan(p) else " which may be luck" if p > 1 - LEVEL else " more than luck"
    return (
        f"The estimator's own parameters give {short_score(float(outcome.means[default]))}: "
        f"{short_amount(gain)} less,{verdict} (p = {p:.2g}, corrected for shared rows)."
    )


def _told_tied(outcome: Outcome, best: int, tied: list[int]) -> str:
    others = [i for i in tied if i != best]
    if len(outcome.complete) == 1:
        return "There is no other candidate to compare with."
    if not others:
        return "No other candidate is as good."
    fastest = min(others, key=lambda i: outcome.seconds[i])
    n = len(others)
    told = (
        f"{n} other{'s are' if n > 1 else ' is'} as good (p > {1 - LEVEL:.2g}, corrected for "
        "shared rows)"
    )
    times = outcome.seconds[best] / max(outcome.seconds[fastest], 1e-9)
    if times < 1.5:
        return f"{told}."
    params = short_params(outcome.complete[fastest].params)
    number = outcome.complete[fastest].number
    return f"{told}; one takes {times:.2g} times less: {params} (candidate {number})."


def _edges(outcome: Outcome, best: int) -> Iterator[tuple[str, str]]:
    """Parameters whose best value is at an end that the estimator would let one move."""
    params = outcome.complete[best].params
    branch = outcome.space.branches[outcome.space.encode(params).branch]
    for name, dimension in branch.items():
        if dimension.levels is not None and dimension.levels < 3:
            continue
        for end, beyond in _ends(dimension):
            if abs(dimension.encode(params[name]) - end) <= EDGE:
                owner = owner_of(outcome.estimator, name, params)
                own = name.rpartition("__")[2]
                if owner is None or bridge.refused_value(owner, own, beyond) is None:
                    yield name, f"{short_value(params[name])} in {dimension!r}"


def _ends(dimension: Dimension) -> list[tuple[float, Any]]:
    """The coordinates of both ends, each with a value beyond it."""
    if isinstance(dimension, (Real, Integer)):
        low, high = dimension.low, dimension.high
        step = 1 if isinstance(dimension, Integer) else (high - low) / 10
        if isinstance(dimension, Real) and dimension.log:
            return [(0.0, low / 10), (1.0, high * 10)]
        return [(dimension.encode(low), low - step), (dimension.encode(high), high + step)]
    if isinstance(dimension, Ordinal):
        values = sorted(dimension)
        gaps = values[1] - values[0], values[-1] - values[-2]
        if values[0] > 0 and values[-1] >= 10 * values[0]:  # a list on a logarithmic scale
            below = type(values[0])(values[0] / 2)
        else:
            below = values[0] - gaps[0]
        first, last = dimension.encode(values[0]), dimension.encode(values[-1])
        return [(first, below), (last, values[-1] + gaps[1])]
    return []


def _told_edges(edges: list[tuple[str, str]]) -> list[str]:
    if not edges:
        return []
    names = short_names(name for name, _ in edges)
    told = "; ".join(f"{names[name]} = {where}" for name, where in edges)
    return [f"At the edge of its range: {told}. Look beyond."]


def _rise(outcome: Outcome) -> str:
    """Say so if the best was still being improved upon when the search ended."""
    means = outcome.means
    n_late = max(1, round(LATE * len(means)))
    if len(means) < MIN_TRIED or (outcome.is_exhaustive and outcome.stopped is None):
        return ""
    before = float(means[:-n_late].max())
    gain = float(means.max()) - before
    earlier = before - float(np.median(means))
    if gain <= 0 or gain < LATE * earlier / 2:
        return ""
    return (
        f"Still rising: the last {n_late} candidates brought {short_amount(gain)}. Go on with more "
        "of them."
    )


def _told_failures(failures: tuple[Failures, ...]) -> list[str]:
    told = [str(group) for group in failures[:MAX_GROUPS]]
    n_more = sum(len(group.trials) for group in failures[MAX_GROUPS:])
    told += [f"{n_more} failed otherwise"] if n_more else []
    return [f"Failures: {'. '.join(told)}."] if told else []


def _listed(names: list[str]) -> str:
    return ", ".join(short_names(names).values())
