"""What was started and is not submitted: tasks, then jobs of tasks that travel together."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from hpsearch.protocols import Evaluator
from hpsearch.trial import Job, SplitResult, Task

JOB_SECONDS = 0.2  # a job should take about so long, so that sending it costs next to nothing
TASK_SECONDS = 0.0005  # what a task costs beside its fit
MAX_JOB_GROWTH = 2  # from one job to the next, since the first fits may be the cheap ones


class Backlog:
    """Tasks that wait for a slot.

    Parameters
    ----------
    evaluator : Evaluator
        Groups tasks that share work.
    slots : int
        How many calls run at a time.
    is_single : bool
        Whether each task goes alone.

    Attributes
    ----------
    suspects : deque of Task
        One of them ended a process: each runs alone.
    job_size : int
        Tasks that a job should have.
    """

    def __init__(self, evaluator: Evaluator, slots: int, *, is_single: bool) -> None:
        self._evaluator = evaluator
        self._slots = slots
        self._is_single = is_single
        self._waiting: deque[Task] = deque()  # not in jobs yet
        self._jobs: deque[Job] = deque()
        self._n_in_jobs = 0
        self.suspects: deque[Task] = deque()
        self.job_size = 1

    def __len__(self) -> int:
        return len(self._waiting) + self._n_in_jobs

    @property
    def n_waiting(self) -> int:
        """Tasks that are in no job yet."""
        return len(self._waiting)

    @property
    def is_low(self) -> bool:
        """Whether there is not enough for a job."""
        return len(self._jobs) < self.job_size

    def add(self, task: Task) -> None:
        """Let a task wait."""
        self._waiting.append(task)

    def plan(self) -> None:
        """Group what waits into jobs."""
        tasks = list(self._waiting)
        self._waiting.clear()
        self._n_in_jobs += len(tasks)
        if self._is_single:
            self._jobs.extend((task,) for task in tasks)
        elif tasks:
            self._jobs.extend(self._evaluator.plan(tasks, self._slots))

    def take(self) -> Job | None:
        """Return the next job, with those after it as long as they are short; None if none is."""
        if not self._jobs:
            return None
        job = self._jobs.popleft()
        while self._jobs and len(job) + len(self._jobs[0]) <= self.job_size:
            job += self._jobs.popleft()
        self._n_in_jobs -= len(job)
        return job

    def withdraw(self, trials: set[int]) -> list[Task]:
        """Take back all tasks of some trials."""
        every = [*self._waiting, *self.suspects, *(task for job in self._jobs for task in job)]
        kept = [tuple(task for task in job if task.trial not in trials) for job in self._jobs]
        self._jobs = deque(filter(None, kept))
        self._n_in_jobs = sum(map(len, self._jobs))
        self._waiting = deque(task for task in self._waiting if task.trial not in trials)
        self.suspects = deque(task for task in self.suspects if task.trial not in trials)
        return [task for task in every if task.trial in trials]

    def size_jobs(self, results: Sequence[SplitResult], n_to_come: int | None) -> None:
        """Let short fits travel together, unless that would leave slots without work.

        Parameters
        ----------
        results : sequence of SplitResult
            Of the latest job.
        n_to_come : int or None
            Tasks that are not started; None if there is no end of them.
        """
        if self._slots == 1 or self._is_single:
            return
        seconds = sum(result.seconds for result in results) + TASK_SECONDS * len(results)
        wanted = int(min(JOB_SECONDS / seconds, MAX_JOB_GROWTH) * len(results))
        if n_to_come is not None:
            wanted = min(wanted, (n_to_come + len(self)) // (2 * self._slots))
        self.job_size = max(1, wanted)
