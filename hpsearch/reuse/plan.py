"""Grouping tasks into jobs: what shares work goes together, and no worker is left without any.

A unit is the tasks that one last fit serves, for one split. Units with the same fitted steps
before them are a group; a group may be cut, and then each piece fits those steps again. Which
groups (those that share all steps, or only the first few), and cut into how many pieces, is
settled by what is done first: the makespan of the pieces, longest first (Graham, 1969).
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hpsearch.reuse.anatomy import Part, Settings, anatomy, is_seeded
from hpsearch.reuse.blueprint import Blueprint
from hpsearch.reuse.values import Key
from hpsearch.trial import Job, Task

TASKS_AHEAD = 10_000  # that are looked at together; more is memory, less is lost sharing
CUTS = (1, 2, 3, 4, 6, 8)
STEP_COST = 1.0  # of fitting one step, in last fits: unknown, so neither is neglected
WORTH = 0.98  # more pieces must finish this much earlier

Levels = tuple[int, ...]  # numbers of its steps, its split and share of it, of its last fit
Unit = tuple[Levels, list[Task]]


class Planner:
    """Groups the tasks of a search.

    Parameters
    ----------
    estimator : estimator
        What the candidates are set on.
    settings : Settings
        What may be shared.
    fit_params : mapping
        What fits are given besides X and y.
    """

    def __init__(self, estimator: Any, settings: Settings, fit_params: Mapping[str, Any]) -> None:
        self._settings = settings
        self._blueprint = Blueprint(estimator)
        self._may_share = settings.may_share(estimator)
        self._fit_params = fit_params
        self._families: dict[int, list[Key]] = {}  # by trial: its steps that are nested models
        self._values: dict[Key, set[Any]] = {}  # that are wanted of such a step

    @property
    def horizon(self) -> int:
        """How many tasks are worth seeing at once."""
        return TASKS_AHEAD if self._may_share else 1

    def plan(self, tasks: Sequence[Task], slots: int) -> list[Job]:
        """Return the tasks in jobs, each a worker's, in the order in which to start them."""
        if len(tasks) == 1 or not self._may_share:
            return [(task,) for task in tasks]
        units = self._units(tasks)
        if not _share(units):
            # As they were asked: fits without a seed draw from one stream in this process.
            return [(task,) for task in tasks]
        if slots == 1:  # what is fitted stays here: no need to hold results back
            return [tuple(unit) for _, unit in units]
        return _jobs(units, slots)

    def wanted(self, job: Job) -> dict[Key, list[Any]]:
        """What other jobs will want of the steps that are fitted for this one."""
        keys = {key for task in job for key in self._families.get(task.trial, ())}
        return {key: list(self._values[key]) for key in keys}

    def n_fits(self, tasks: Sequence[Task]) -> int:
        """How many last fits tasks of one split need."""
        return len({tuple(self._keys(task)) for task in tasks})

    def _units(self, tasks: Sequence[Task]) -> list[Unit]:
        """Units in the order of a tree: the first step first, then the second, ..."""
        numbers: dict[Key, int] = {}  # each prefix, in the order in which it was first seen
        levels: dict[int, tuple[int, ...]] = {}
        rows = {place: i for i, place in enumerate(sorted({(t.split, t.resource) for t in tasks}))}
        units: dict[Levels, list[Task]] = {}
        for task in tasks:
            if task.trial not in levels:
                levels[task.trial] = tuple(
                    numbers.setdefault(key, len(numbers)) for key in self._keys(task)
                )
            *steps, last = levels[task.trial]
            share = rows[task.split, task.resource]
            units.setdefault((*steps, share, last), []).append(task)
        return sorted(units.items(), key=lambda unit: unit[0])

    def _keys(self, task: Task) -> Iterable[Key]:
        """What each fit depends on, one after another; the last one for the whole."""
        try:
            estimator = self._blueprint.make(task.params)
            whole = anatomy(estimator, task.params, self._settings, self._fit_params)
        except Exception:  # noqa: BLE001 - its own fit will fail, and say why
            return [task.trial]
        *before, _ = parts = _sequence(whole)
        for part in before:
            if part.family is not None:
                self._families.setdefault(task.trial, []).append(part.key)
                self._values.setdefault(part.key, set()).add(part.value)
        last = parts[-1]
        is_alone = not last.is_shareable and not is_seeded(estimator)
        return [*(part.key for part in before), (last.key, task.trial if is_alone else None)]


def _sequence(whole: Part) -> list[Part]:
    """The parts that are fitted one after another."""
    if not whole.steps:
        return [whole]
    *before, last = whole.steps
    parts = [part for part in before if part is not None]
    return [*parts, *(_sequence(last) if last is not None else [whole])]


def _share(units: list[Unit]) -> bool:
    """Whether any fit serves two tasks, the last one or one before it."""
    steps = [(*levels[:1], levels[-2]) for levels, _ in units if len(levels) > 2]
    return any(len(tasks) > 1 for _, tasks in units) or len(set(steps)) < len(steps)


def _jobs(units: list[Unit], slots: int) -> list[Job]:
    depth = max(len(levels) for levels, _ in units)
    best, least = None, float("inf")
    for level in range(depth - 2):
        groups = _grouped(units, level)
        sizes = [(len(group), len({levels[:-1] for levels, _ in group})) for group in groups]
        for n_pieces in CUTS:
            span = _makespan(sizes, n_pieces, depth, slots)
            if span < WORTH * least:
                best, least = (groups, n_pieces), span
    if best is None:  # nothing comes before the last fit
        pieces = [[unit] for unit in units]
    else:
        groups, n_pieces = best
        pieces = [piece for group in groups for piece in _cut(group, n_pieces)]
    pieces.sort(key=lambda piece: -sum(len(tasks) for _, tasks in piece))
    return [tuple(task for _, tasks in piece for task in tasks) for piece in pieces]


def _grouped(units: list[Unit], level: int) -> list[list[Unit]]:
    """Units that have the steps up to a level in common, and the split."""
    groups: dict[Levels, list[Unit]] = {}
    for unit in units:
        *steps, split, _ = unit[0]
        groups.setdefault((*steps[: level + 1], split), []).append(unit)
    return list(groups.values())


def _makespan(sizes: list[tuple[int, int]], n_pieces: int, depth: int, slots: int) -> float:
    """Time until all is done; sizes are (units, prefixes) of each group."""
    costs: list[float] = []
    for n_units, n_prefixes in sizes:
        n = min(n_pieces, n_units)
        steps = depth - 2 + (n_prefixes - 1) / n  # a piece fits the steps of its own prefixes
        costs += [STEP_COST * steps + n_units / n] * n
    busy = [0.0] * slots
    for cost in sorted(costs, reverse=True):
        heapq.heapreplace(busy, busy[0] + cost)
    return max(busy)


def _cut(group: list[Unit], n_pieces: int) -> list[list[Unit]]:
    n = min(n_pieces, len(group))
    bounds = [len(group) * i // n for i in range(n + 1)]
    return [group[a:b] for a, b in itertools.pairwise(bounds)]
