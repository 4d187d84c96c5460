"""Who pays for what is shared: seconds are divided among the tasks of a job that used it.

What was fitted for an earlier job is free: its time has been charged there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum


class Phase(Enum):
    """What a time counts as."""

    FIT = "fit_time"
    SCORE = "score_time"
    UNTIMED = ""  # scoring the training rows: no time of a task has it


@dataclass(slots=True)
class Expense:
    """Seconds spent on one thing, and the tasks (places in the job) that used it."""

    phase: Phase
    seconds: float
    users: list[int] = field(default_factory=list)


class Ledger:
    """The expenses of one job.

    Attributes
    ----------
    task : int
        Place in the job of the task that runs.
    phase : Phase
        What it is at.
    """

    def __init__(self) -> None:
        self.task = 0
        self.phase = Phase.FIT
        self._expenses: dict[object, Expense] = {}
        self._inner = [0.0]  # seconds spent on shared things inside the one that is being made

    @contextmanager
    def making(self, thing: object) -> Iterator[None]:
        """Charge the enclosed time to a thing, but for that of things made inside."""
        began = time.perf_counter()
        self._inner.append(0.0)
        try:
            yield
        finally:
            total = time.perf_counter() - began
            own = total - self._inner.pop()
            self._inner[-1] += total
        self._expenses[thing] = Expense(self.phase, own, [self.task])

    def use(self, thing: object) -> None:
        """Note that the running task used a thing."""
        expense = self._expenses.get(thing)
        if expense is not None and expense.users[-1] != self.task:
            expense.users.append(self.task)

    def seconds_of(self, thing: object) -> float:
        expense = self._expenses.get(thing)
        return 0.0 if expense is None else expense.seconds

    def corrections(self) -> Iterator[tuple[int, Phase, float]]:
        """Yield what to add to the times of which task: the first user has paid all."""
        for expense in self._expenses.values():
            if len(expense.users) > 1 and expense.phase is not Phase.UNTIMED:
                share = expense.seconds / len(expense.users)
                yield expense.users[0], expense.phase, share - expense.seconds
                for user in expense.users[1:]:
                    yield user, expense.phase, share
