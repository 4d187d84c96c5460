"""Failed candidates, grouped by what was raised, with what those of a group have in common."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hpsearch.brief import cut_text, short_names, short_value, typed_value
from hpsearch.dimensions import is_number
from hpsearch.trial import Params, Trial

RAISED = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Warning|Exit)")  # how such a line begins
MAX_ERROR = 100  # characters
MIN_GROUP = 2  # failures; a single one has everything in common with itself


@dataclass(frozen=True)
class Failures:
    """Candidates that failed alike.

    Attributes
    ----------
    error : str
        The last line of what was raised first.
    trials : tuple of int
        Their numbers.
    common : str or None
        What all of them have, and few others: "penalty='l1'", "C > 100". None if nothing does.
    n_others : int
        How many of the candidates that did not fail have it too.
    """

    error: str
    trials: tuple[int, ...]
    common: str | None
    n_others: int

    def __str__(self) -> str:
        told = f'{len(self.trials)} failed with "{cut_text(self.error, MAX_ERROR)}"'
        if self.common is None:
            return told
        quantity = "all" if len(self.trials) > 2 else "both"
        others = f", as have {self.n_others} that did not fail" if self.n_others else ""
        return f"{told}; {quantity} have {self.common}{others}"


def grouped(trials: Sequence[Trial]) -> list[Failures]:
    """Return the failures of a search, the most frequent first.

    Parameters
    ----------
    trials : sequence of Trial
        All trials of the search: those that went well tell what is not to blame.

    Examples
    --------
    >>> from hpsearch.trial import SplitResult, Status
    >>> bad = [SplitResult(0, status=Status.FAILED, error="ValueError: no l1")]
    >>> trials = [Trial(0, {"penalty": "l1", "C": 1}, Status.FAILED, bad)]
    >>> trials += [Trial(1, {"penalty": "l1", "C": 2}, Status.FAILED, bad)]
    >>> trials += [Trial(2, {"penalty": "l2", "C": 2}, Status.COMPLETE)]
    >>> print(grouped(trials)[0])
    2 failed with "ValueError: no l1"; both have penalty='l1'
    """
    groups: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.status.is_failure:
            groups.setdefault(_kind(trial.error or trial.status.value), []).append(trial)
    fine = [t.params for t in trials if not t.status.is_failure]
    found = [_described(group, fine) for group in groups.values()]
    return sorted(found, key=lambda group: -len(group.trials))


def last_line(error: str) -> str:
    """Return what was raised, without how it came to it."""
    lines = [line for line in error.strip().splitlines() if line.strip()]
    told = [line for line in lines if RAISED.match(line)]
    return (told or lines or [""])[-1].strip()


def _kind(error: str) -> str:
    """The same for two texts that differ in their numbers, addresses and quoted values."""
    return re.sub(r"0x[0-9a-f]+|\d+(\.\d+)?(e[-+]?\d+)?|'[^']*'", "#", last_line(error))


def _described(group: list[Trial], fine: list[Params]) -> Failures:
    error = last_line(group[0].error or group[0].status.value)
    failed = [trial.params for trial in group]
    numbers = tuple(trial.number for trial in group)
    if len(group) < MIN_GROUP:
        return Failures(error, numbers, None, 0)
    rules = _rules(failed, fine)
    pairs = [(f"{a} and {b}", _both(p, q)) for (a, p), (b, q) in itertools.combinations(rules, 2)]
    # The fewest that did not fail; then the shorter rule, since pairs come last.
    counted = [(sum(map(holds, fine)), text) for text, holds in [*rules, *pairs]]
    n_others, common = min(counted, key=lambda pair: pair[0], default=(len(fine), None))
    if not fine or n_others > len(fine) // 2:  # it tells failures from others no better than chance
        return Failures(error, numbers, None, 0)
    return Failures(error, numbers, common, n_others)


def _rules(failed: list[Params], fine: list[Params]) -> list[tuple[str, Any]]:
    """What is true of all that failed, and false of some that did not."""
    names = [name for name in failed[0] if all(name in params for params in failed)]
    short = short_names(name for params in [*failed, *fine] for name in params)
    found = []
    for name in names:
        values = [params[name] for params in failed]
        labels = {typed_value(value) for value in values}
        if len(labels) == 1:
            found.append((f"{short[name]}={_quoted(values[0])}", _equal(name, labels.pop())))
        elif all(map(is_number, values)):
            low, high = min(values), max(values)
            found.append((f"{short[name]} >= {short_value(low)}", _at_least(name, low)))
            found.append((f"{short[name]} <= {short_value(high)}", _at_most(name, high)))
    return [(text, holds) for text, holds in found if not all(map(holds, fine))]


def _equal(name: str, label: str) -> Any:
    return lambda params: name in params and typed_value(params[name]) == label


def _at_least(name: str, low: Any) -> Any:
    return lambda params: is_number(params.get(name)) and params[name] >= low


def _at_most(name: str, high: Any) -> Any:
    return lambda params: is_number(params.get(name)) and params[name] <= high


def _both(a: Any, b: Any) -> Any:
    return lambda params: a(params) and b(params)


def _quoted(value: Any) -> str:
    return repr(value) if isinstance(value, str) else short_value(value)
