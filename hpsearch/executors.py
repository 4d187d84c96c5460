"""Running calls somewhere: here, or through any backend of joblib.

An executor takes calls with a key and gives back (key, result) or (key, exception), in whatever
order they end. It knows nothing of candidates.

`joblib.Parallel` alone will not do: it takes tasks from a generator that runs under its own lock,
before the caller has seen the result that freed the worker, so that an optimizer could never learn
from it in time, and waiting for results inside the generator deadlocks. Calls are therefore
submitted to the backend that Parallel has set up, with a callback that puts the outcome on a
queue. Whatever of joblib this needs beyond its public surface is in this file.

When a process of loky dies, the pool fails every call with the same exception, whoever was to
blame. Each call therefore leaves a note while it runs (see `notes`): those that were running are
reported lost, the others are sent again to a new pool. On a cluster there are no notes, and each
engine has its own way to say that a process is gone: see DEATHS.
"""

from __future__ import annotations

import queue
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, Self, TypeVar

from joblib import Parallel, cpu_count, effective_n_jobs, parallel_config
from joblib.parallel import BatchedCalls, ParallelBackendBase

from hpsearch.dask_workers import LOOK, DaskWorkers
from hpsearch.memory import Measured, measured
from hpsearch.notes import Notes
from hpsearch.ray_executor import RayExecutor
from hpsearch.serial_executor import SerialExecutor
from hpsearch.shipping import Broadcast, InHand, Shipment
from hpsearch.trial import FitTimeout, WorkerLost
from hpsearch.workers import Seated, Spent, Threads, Workers

T = TypeVar("T")
Outcome = Any  # what a call returned, or the exception that it raised
LOCAL_PROCESSES = ("LokyBackend", "MultiprocessingBackend")
KILLABLE = ("LokyBackend",)
THREADS = ("ThreadingBackend",)
DASK = ("DaskDistributedBackend",)
SPARK = ("SparkDistributedBackend",)
# Exceptions by which engines say that a process is gone, by the names of their classes, and what
# goes with it. When a worker of Dask goes, so does the data that was sent to it, and every call
# that was to read it; Dask after some deaths of one call, and Spark, mean that call alone.
DEATHS = {
    "TerminatedWorkerError": "pool",
    "FutureCancelledError": "pool",
    "KilledWorker": "call",
    "Py4JJavaError": "call",
}
NOT_OURS = (
    "workers: only processes of joblib's loky backend are kept by the search, and only where it is "
    "not itself in one. On Dask, Ray and Spark the engine has settings for the same: see "
    "docs/cluster.md."
)
TICK = 0.1  # seconds between two looks at calls that may have run for too long


class JoblibExecutor:
    """Calls run in the workers of the active joblib backend.

    Parameters
    ----------
    n_jobs : int or None
        As joblib means it.
    slots : int or None, default=None
        How many calls run at a time, if not as many as there are workers.
    memory : int or None, default=None
        Bytes that all calls together may take; None for any number.
    workers : Workers or None, default=None
        How processes are kept; with it they are of this executor alone.
    """

    def __init__(
        self,
        n_jobs: int | None,
        slots: int | None = None,
        memory: int | None = None,
        workers: Workers | None = None,
    ) -> None:
        self._parallel = Parallel(n_jobs=n_jobs)
        self._done: queue.SimpleQueue[tuple[int, int, Any]] = queue.SimpleQueue()
        self._calls: dict[int, tuple[Callable[[], Any], float | None]] = {}
        self._ready: deque[tuple[int, Outcome]] = deque()
        self._pool_number = 0  # outcomes of a pool that is gone are dropped
        self._shipments: list[Shipment[Any]] = []
        self._notes: Notes | None = None
        self._memory = memory
        self._most_needed = 1  # bytes, by a call
        self._held: deque[int] = deque()  # calls that there is no memory for yet
        self._workers = workers
        self._is_spent = False  # a process has had its fits: all are replaced before the next
        self._threads: Threads | None = None
        self._dask: DaskWorkers | None = None
        self.slots = slots or 0

    def __enter__(self) -> Self:
        self._parallel.__enter__()
        self._backend = self._parallel._backend  # noqa: SLF001 - see the module's text
        self.slots = self.slots or self._backend.effective_n_jobs(self._parallel.n_jobs)
        given = getattr(self._backend, "inner_max_num_threads", None)
        self._n_cores = given or max(1, cpu_count() // self.slots)
        if self._workers is not None:
            if not self.can_kill:
                self._parallel.__exit__(None, None, None)
                raise ValueError(NOT_OURS)
            self._backend.abort_everything(ensure_ready=True)  # those of before are no fresh ones
        if self._is_one_of(THREADS):
            self._threads = Threads(self._n_cores)
            self._threads.__enter__()
        if hasattr(self._backend, "start_call"):  # without it Dask never collects a result
            self._backend.start_call()
        if self._is_one_of(LOCAL_PROCESSES):
            self._notes = Notes()
        if self._is_one_of(DASK):
            self._dask = DaskWorkers(self._backend.client)
        return self

    def __exit__(self, *_: object) -> None:
        # The only way to end what runs; processes are killed, threads not.
        if self._calls or self._workers is not None:
            self._backend.abort_everything(ensure_ready=False)
        if hasattr(self._backend, "stop_call"):
            self._backend.stop_call()
        self._parallel.__exit__(None, None, None)
        if self._threads is not None:
            self._threads.__exit__()
        for shipment in self._shipments:
            shipment.close()
        if self._notes is not None:
            self._notes.close()

    def _is_one_of(self, names: tuple[str, ...]) -> bool:
        return type(self._backend).__name__ in names

    @property
    def can_kill(self) -> bool:
        """Whether a call can be ended before it returns."""
        return self._is_one_of(KILLABLE)

    def share(self, value: T) -> Callable[[], T]:
        """Make an object available to calls, sent to each process once."""
        if self._is_one_of(SPARK):
            return Broadcast.of(value)
        if self._notes is None:
            return InHand(value)
        try:
            shipment = Shipment(value)
        except Exception as error:
            raise TypeError(
                f"The estimator, the data or the scorer cannot be sent to worker processes: {error}"
                '. Use n_jobs=1, or threads: joblib.parallel_config(backend="threading").'
            ) from error
        self._shipments.append(shipment)
        self._notes.litter += [shipment.source.path, *getattr(value, "litter", ())]
        return shipment.source

    def submit(self, key: int, call: Callable[[], Any], timeout: float | None = None) -> None:
        """Run a call as soon as a slot is free; end it after `timeout` seconds."""
        self._calls[key] = (call, timeout)
        self._held.append(key)
        self._send_held()

    def _send_held(self) -> None:
        """Send as many calls as there is memory for; one at a time always."""
        if self._is_spent:
            if len(self._calls) > len(self._held):
                return  # what runs is to end first
            self._renew_pool()
        most = sys.maxsize
        if self._memory is not None and self._notes is not None:
            most = max(1, self._memory // self._most_needed)
        while self._held and len(self._calls) - len(self._held) < most:
            self._send(self._held.popleft())

    def _send(self, key: int) -> None:
        call, _ = self._calls[key]
        if self._memory is not None and self._notes is not None:
            call = partial(measured, call)
        item: tuple[Any, ...] = (call, (), {})
        if self._notes is not None:
            call = Seated(call, self._n_cores, self._notes.place, self._workers)
            item = (self._notes.around(key, call), (), {})
        elif self._threads is not None:
            item = (self._threads.around(call), (), {})
        elif isinstance(call, partial):  # a cluster's engine looks at arguments one by one
            item = (call.func, call.args, call.keywords)
        batch = BatchedCalls([item], self._backend.get_nested_backend())
        # Backends of before joblib 1.5 have the one and warn of the other.
        is_old = type(self._backend).submit is ParallelBackendBase.submit
        send = self._backend.apply_async if is_old else self._backend.submit
        send(batch, partial(self._put, self._pool_number, key))

    def _put(self, pool_number: int, key: int, out: Any) -> None:
        self._done.put((pool_number, key, out))

    def wait(self, timeout: float | None = None) -> tuple[int, Outcome] | None:
        """Return the key of a call that ended, and what it returned or raised.

        None after `timeout` seconds in which no call ended.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            if self._ready:
                return self._ready.popleft()
            try:
                pool_number, key, out = self._done.get(timeout=self._patience(end))
            except queue.Empty:
                if end is not None and time.monotonic() >= end:
                    return None
                self._end_overdue()
                if self._dask is not None and self._dask.have_returned():
                    self._replace_pool(WorkerLost("sent to no worker"), lost=set())
                continue
            if pool_number == self._pool_number and key in self._calls:
                outcome = self._retrieve(out)
                gone = _gone_with(outcome)
                if gone == "pool":
                    self._replace_pool(WorkerLost(_how_it_died(outcome)), self._running())
                    continue
                if isinstance(outcome, Spent):
                    self._is_spent = True
                    self._held.append(key)
                    self._send_held()
                    continue
                if gone == "call":
                    outcome = WorkerLost(_how_it_died(outcome))
                del self._calls[key]
                self._send_held()
                return key, outcome

    def abandon(self, keys: Iterable[int]) -> None:
        """End calls that nobody waits for; what ran beside them in a process starts again."""
        unwanted = set(keys)
        gone = unwanted & self._calls.keys()
        for key in gone & set(self._held):
            self._held.remove(key)
            del self._calls[key]
        if gone & self._calls.keys() and self.can_kill:
            self._replace_pool(WorkerLost("abandoned"), gone)
        for key in gone & self._calls.keys():
            del self._calls[key]  # a thread's outcome is dropped when it comes
        # An outcome may lie here since other calls were lost: it is no call any more.
        self._ready = deque(item for item in self._ready if item[0] not in unwanted)

    def unshare(self, source: Callable[[], Any]) -> None:
        """Let go of an object that was shared, before the executor is left."""
        for shipment in [s for s in self._shipments if s.source is source]:
            shipment.close()
            self._shipments.remove(shipment)

    def _patience(self, end: float | None) -> float | None:
        """Seconds until there is something to look after, though no call has ended."""
        waits = [] if end is None else [max(0.0, end - time.monotonic())]
        if any(timeout is not None for _, timeout in self._calls.values()):
            waits.append(TICK)
        if self._dask is not None:
            waits.append(LOOK)
        return min(waits, default=None)

    def _retrieve(self, out: Any) -> Outcome:
        try:
            if self._backend.supports_retrieve_callback:
                out = self._backend.retrieve_result_callback(out)
        except Exception as error:  # noqa: BLE001 - handed to whoever waits, not swallowed
            return error
        out = getattr(out, "exc", out)  # joblib's wrapper, that only pickling takes off
        if isinstance(out, BaseException):  # a backend without that hook says so itself
            return out
        value = out[0]
        if isinstance(value, Measured):
            self._most_needed = max(self._most_needed, value.growth)
            return value.value
        return value

    def _running(self) -> set[int]:
        """Calls that were running; all of them if none had got as far as to say so."""
        noted = set() if self._notes is None else self._notes.running().keys() & self._calls.keys()
        return noted or set(self._calls)

    def _end_overdue(self) -> None:
        """Kill what has run for too long; the others that ran beside it start again."""
        if self._notes is None:
            return
        for key, began in self._notes.running().items():
            _, timeout = self._calls.get(key, (None, None))
            if timeout is not None and time.monotonic() - began > timeout:
                text = f"The fit was ended after {timeout:g} seconds (fit_timeout)."
                self._replace_pool(FitTimeout(text), {key})
                return

    def _replace_pool(self, reason: Exception, lost: set[int]) -> None:
        """Start new workers; report the lost calls, and send the others again."""
        self._keep_finished()
        self._renew_pool()
        for key in sorted(lost & self._calls.keys()):
            del self._calls[key]
            self._ready.append((key, reason))
        for key in sorted(self._calls.keys() - set(self._held)):
            self._send(key)
        self._send_held()

    def _renew_pool(self) -> None:
        """Put new workers in the place of the old ones."""
        self._pool_number += 1
        self._is_spent = False
        # Dask forgets the data that it has sent, some of which may be gone, when a call ends.
        self._backend.stop_call()
        self._backend.abort_everything(ensure_ready=True)
        self._backend.start_call()
        if self._notes is not None:
            self._notes.clear()

    def _keep_finished(self) -> None:
        """Take from the queue what ended before the pool did."""
        while not self._done.empty():
            pool_number, key, out = self._done.get()
            outcome = self._retrieve(out)
            is_run = _gone_with(outcome) is None and not isinstance(outcome, Spent)
            if pool_number == self._pool_number and key in self._calls and is_run:
                del self._calls[key]
                self._ready.append((key, outcome))


def check_n_jobs(n_jobs: int | None) -> None:
    """Raise ValueError for a number of fits at a time that means nothing."""
    if n_jobs == 0:
        raise ValueError(
            "n_jobs=0: give how many fits to run at a time; -1 stands for as many as there are "
            "cores, None for one."
        )


def executor_for(
    n_jobs: int | None,
    fit_timeout: float | None = None,
    memory: int | None = None,
    workers: Workers | None = None,
) -> SerialExecutor | JoblibExecutor | RayExecutor:
    """Return the executor for `n_jobs` under the active joblib backend.

    Only a process can be ended from outside, or be given an environment: with `fit_timeout` or
    `workers` fits run in one even if there is only one at a time.
    """
    check_n_jobs(n_jobs)
    is_apart = fit_timeout is not None or workers is not None
    slots = effective_n_jobs(n_jobs)
    backend = Parallel(n_jobs=n_jobs)._backend  # noqa: SLF001 - see the module's text
    if type(backend).__name__ == "RayBackend" and (slots > 1 or is_apart):
        if workers is not None:
            raise ValueError(NOT_OURS)
        return RayExecutor(slots, dict(backend.ray_remote_args or {}))
    if slots > 1:
        return JoblibExecutor(n_jobs, memory=memory, workers=workers)
    return executor_of_one(memory, workers) if is_apart else SerialExecutor()


def executor_of_one(memory: int | None = None, workers: Workers | None = None) -> JoblibExecutor:
    """Return an executor of one process, beside this one, that has all cores."""
    backend = Parallel(n_jobs=2)._backend  # noqa: SLF001 - see the module's text
    config: AbstractContextManager[Any] = nullcontext()
    if type(backend).__name__ == "LokyBackend" and backend.inner_max_num_threads is None:
        # loky would keep half of them for a second process.
        config = parallel_config("loky", inner_max_num_threads=cpu_count())
    with config:
        return JoblibExecutor(2, 1, memory, workers)


def _gone_with(outcome: Outcome) -> str | None:
    """What went with a process, if the outcome says that one is gone; see DEATHS."""
    names = [cls.__name__ for cls in type(outcome).__mro__]
    return next((DEATHS[name] for name in names if name in DEATHS), None)


def _how_it_died(error: Exception) -> str:
    """What the pool or the engine says of how its process ended."""
    codes = re.search(r"exit codes of the workers are (\{.*\})", str(error))
    how = f" (exit codes of the workers: {codes.group(1)})" if codes else ""
    return (
        f"The process that ran the fit died{how}: a segmentation fault, os._exit, or the system's "
        "out-of-memory killer."
    )
