"""What a search would do, before it does it: candidates, fits, what they share, time, memory."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import clone

from hpsearch import _sklearn as bridge
from hpsearch.bench import PlainBench
from hpsearch.brief import short_params, short_time, typed_value
from hpsearch.memory import measured
from hpsearch.optimizers.plain import RandomOptimizer
from hpsearch.outcome import owner_of
from hpsearch.reuse import Planner
from hpsearch.reuse.unread import idle_parameters
from hpsearch.space import Space
from hpsearch.splits import sizes_of
from hpsearch.timing import TimeModel
from hpsearch.trial import Params, SplitResult, Task
from hpsearch.work import Work

MAX_SEEN = 2_000  # candidates that are looked at one by one
LEAST_TOLD = 2**20  # bytes that a fit took


@dataclass(frozen=True)
class Plan:
    """What `search.plan(X, y)` returns; its `str` tells it in words.

    Attributes
    ----------
    n_candidates : int or None
        How many there are at most; None if only a constraint knows.
    n_splits : int
        Splits of the cross-validation.
    n_fits : int or None
        Fits of a search that shares nothing.
    n_fits_saved : int
        Last fits that candidates share, by what was looked at.
    n_equivalent : int
        Candidates that are the same as an earlier one but for parameters that nothing reads.
    invalid : dict
        Why the estimator will refuse candidates, to how many of those looked at.
    n_seen : int
        Candidates that were looked at one by one.
    seconds : float
        Predicted duration of the search with its workers, from the probes; NaN without.
    n_bytes : int
        Memory by which the process grew at the largest probe.
    lines : tuple of str
        All this in words.
    """

    n_candidates: int | None
    n_splits: int
    n_fits: int | None
    n_fits_saved: int
    n_equivalent: int
    invalid: dict[str, int]
    n_seen: int
    seconds: float
    n_bytes: int
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(self.lines)

    __repr__ = __str__


@dataclass(frozen=True)
class Upcoming:
    """Candidates of a search that has not begun.

    `seen` are its first ones, or such as it may ask for if it learns.
    """

    n_candidates: int | None
    seen: list[Params]
    learns: bool

    @classmethod
    def of(
        cls, listed: Iterable[Params] | None, n_candidates: int | None, learns: bool, space: Space
    ) -> Upcoming:
        if listed is not None:
            return cls(n_candidates, list(itertools.islice(listed, MAX_SEEN)), learns)
        n = min(n_candidates or MAX_SEEN, MAX_SEEN)
        drawn = itertools.islice(RandomOptimizer(space, random_state=0), n)
        return cls(n_candidates, list(drawn), learns)


def planned(work: Work, upcoming: Upcoming, n_jobs: int | None, n_probes: int) -> Plan:
    """Return the plan of a search.

    Parameters
    ----------
    work : Work
        What is searched.
    upcoming : Upcoming
        Its candidates.
    n_jobs : int or None
        As joblib means it.
    n_probes : int
        Candidates to fit and score on the first split, for times and memory.
    """
    n_splits, n = len(work.splits), upcoming.n_candidates
    n_fits = None if n is None else n * n_splits
    refusals = [_refusal(work.estimator, params) for params in upcoming.seen]
    valid = [p for p, refusal in zip(upcoming.seen, refusals, strict=True) if refusal is None]
    invalid = dict(Counter(r for r in refusals if r is not None).most_common())
    n_equivalent, n_saved = _shared(work, valid, upcoming)
    seconds, n_bytes, probed = math.nan, 0, []
    workers = effective_n_jobs(n_jobs)
    if n_probes and valid:
        probed = _probed(work, _spread(valid, n_probes))
        seconds = _predicted(probed, valid, n, n_splits) / workers
        n_bytes = max(grown for _, _, grown in probed)
    lines = _told(work, upcoming, n_fits)
    lines += [f"{k} of those seen will be refused: {why}" for why, k in invalid.items()]
    if n_equivalent:
        lines.append(
            f"{n_equivalent} candidates are the same as another one: they differ only in "
            "parameters that nothing reads."
        )
    if n_saved:
        lines.append(f"{n_saved} of {len(valid) * n_splits} fits are saved by reuse.")
    lines += _told_probes(probed, seconds, n_bytes, workers)
    return Plan(
        n, n_splits, n_fits, n_saved, n_equivalent, invalid, len(upcoming.seen), seconds, n_bytes,
        tuple(lines),
    )  # fmt: skip


def _told(work: Work, upcoming: Upcoming, n_fits: int | None) -> list[str]:
    rows = [n_train for n_train, _ in sizes_of(work.splits)]
    n = upcoming.n_candidates
    counted = "Candidates until a constraint ends them" if n is None else f"{n} candidates"
    fits = "" if n_fits is None else f" = {n_fits} fits, and the refit"
    lines = [f"{counted} in {len(rows)} splits{fits}; about {round(np.mean(rows))} rows each."]
    seen = len(upcoming.seen)
    if upcoming.learns:
        lines.append(f"The search chooses them as it goes; {seen} were drawn to look at.")
    elif n is None or seen < n:
        lines.append(f"The first {seen} were looked at one by one.")
    return lines


def _refusal(estimator: Any, params: Params) -> str | None:
    """Why the estimator is sure to refuse a candidate, as far as it declares it."""
    for name, value in params.items():
        owner = owner_of(estimator, name, params)
        own = name.rpartition("__")[2]
        if owner is not None and bridge.refused_value(owner, own, value) is not None:
            return bridge.refused_value(owner, own, value)
    return None


def _shared(work: Work, candidates: list[Params], upcoming: Upcoming) -> tuple[int, int]:
    """Candidates that equal an earlier one, and fits that are saved, if it does not learn."""
    n_equivalent = len(candidates) - len({_identity(work.estimator, p) for p in candidates})
    if upcoming.learns or not work.reuse:
        return n_equivalent, 0
    planner = Planner(work.estimator, work.reuse, work.fit_params)
    tasks = [Task(i, params, 0) for i, params in enumerate(candidates)]
    return n_equivalent, (len(tasks) - planner.n_fits(tasks)) * len(work.splits)


def _identity(estimator: Any, params: Params) -> tuple[tuple[str, str], ...]:
    """The same for two candidates that differ only in what nothing reads."""
    try:
        whole = clone(estimator).set_params(**clone(params, safe=False))
    except (TypeError, ValueError):  # its own fit will say why
        whole = estimator
    parts = whole.get_params()
    read = {}
    for name, value in params.items():
        path, _, own = name.rpartition("__")
        holder = parts.get(path) if path else whole
        if holder is None or own not in idle_parameters(holder):
            read[name] = typed_value(value)
    return tuple(sorted(read.items()))


def _spread(candidates: list[Params], n: int) -> list[Params]:
    """Some candidates, from all over the list."""
    places = np.unique(np.linspace(0, len(candidates) - 1, n).round().astype(int))
    return [candidates[i] for i in places]


def _probed(work: Work, candidates: Sequence[Params]) -> list[tuple[Params, SplitResult, int]]:
    """Fit and score candidates on the first split; each with the bytes it took."""
    bench = PlainBench(work)
    bench.evaluate(Task(0, candidates[0], 0), None)  # the first fit of a process loads libraries
    found = []
    for params in candidates:
        call = measured(partial(bench.evaluate, Task(0, params, 0), None))
        found.append((params, call.value, call.growth))
    return found


def _predicted(
    probed: list[tuple[Params, SplitResult, int]],
    candidates: list[Params],
    n_candidates: int | None,
    n_splits: int,
) -> float:
    """Seconds of all fits, one after another."""
    params = [p for p, *_ in probed]
    seconds = [result.seconds for _, result, _ in probed]
    n = len(candidates) if n_candidates is None else n_candidates
    each = float(np.mean(TimeModel(params, seconds).predict(candidates)))
    return each * n * n_splits


def _told_probes(
    probed: list[tuple[Params, SplitResult, int]], seconds: float, n_bytes: int, workers: int
) -> list[str]:
    if not probed:
        return []
    slowest = max(probed, key=lambda p: p[1].seconds)
    with_workers = f"{workers} worker{'s' * (workers > 1)}"
    told = (
        f"About {short_time(seconds)} of fits with {with_workers}, nothing shared, "
        f"by {len(probed)} probes; the slowest took {short_time(slowest[1].seconds)} "
        f"({short_params(slowest[0])})."
    )
    lines = [told]
    if n_bytes >= LEAST_TOLD:
        lines.append(f"A fit took up to {n_bytes / 2**20:.3g} MiB.")
    failed = [result for _, result, _ in probed if result.status.is_failure]
    if failed:
        error = (failed[0].error or "").strip().splitlines()[-1:]
        lines.append(f"{len(failed)} of the probes failed: {' '.join(error)}")
    return lines
