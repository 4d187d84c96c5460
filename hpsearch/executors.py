"""Running calls somewhere: here, or through any backend of joblib.

An executor takes calls with a key and gives back (key, result) or (key, exception), in whatever
order they end. It knows nothing of candidates.

`joblib.Parallel` alone will not do: it takes tasks from a generator that runs under its own lock,
before the caller has seen the result that freed the worker, so that an optimizer could never learn
from it in time, and waiting for results inside the generator deadlocks. Calls are therefore
submitted to the backend that Parallel has set up, with a callback that puts the outcome on a
queue. Whatever of joblib this needs beyond its public surface is in this file.
"""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, Self, TypeVar

from joblib import Parallel, effective_n_jobs
from joblib.parallel import BatchedCalls

from hpsearch.shipping import InHand, Shipment

T = TypeVar("T")
Outcome = Any  # what a call returned, or the exception that it raised
LOCAL_PROCESSES = ("LokyBackend", "MultiprocessingBackend")


class WorkerLost(Exception):
    """The process that ran a call went away."""


class SerialExecutor:
    """Calls run here, one after another, when they are waited for."""

    slots = 1

    def __init__(self) -> None:
        self._calls: deque[tuple[Hashable, Callable[[], Any]]] = deque()

    def share(self, value: T) -> Callable[[], T]:
        return InHand(value)

    def submit(self, key: Hashable, call: Callable[[], Any], timeout: float | None = None) -> None:
        self._calls.append((key, call))

    def wait(self, timeout: float | None = None) -> tuple[Any, Outcome]:
        key, call = self._calls.popleft()
        try:
            return key, call()
        except Exception as error:  # noqa: BLE001 - handed to whoever waits, not swallowed
            return key, error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._calls.clear()


class JoblibExecutor:
    """Calls run in the workers of the active joblib backend.

    Parameters
    ----------
    n_jobs : int or None
        As joblib means it.
    """

    def __init__(self, n_jobs: int | None) -> None:
        self._parallel = Parallel(n_jobs=n_jobs)
        self._done: queue.SimpleQueue[tuple[Hashable, Any]] = queue.SimpleQueue()
        self._n_running = 0
        self._shipments: list[Shipment[Any]] = []

    def __enter__(self) -> Self:
        self._parallel.__enter__()
        self._backend = self._parallel._backend  # noqa: SLF001 - see the module's text
        self.slots = self._backend.effective_n_jobs(self._parallel.n_jobs)
        if hasattr(self._backend, "start_call"):  # without it Dask never collects a result
            self._backend.start_call()
        return self

    def __exit__(self, *_: object) -> None:
        if self._n_running:  # the only way to end what runs; processes are killed, threads not
            self._backend.abort_everything(ensure_ready=False)
        if hasattr(self._backend, "stop_call"):
            self._backend.stop_call()
        self._parallel.__exit__(None, None, None)
        for shipment in self._shipments:
            shipment.close()

    def share(self, value: T) -> Callable[[], T]:
        if type(self._backend).__name__ not in LOCAL_PROCESSES:
            return InHand(value)
        shipment = Shipment(value)
        self._shipments.append(shipment)
        return shipment.source

    def submit(self, key: Hashable, call: Callable[[], Any], timeout: float | None = None) -> None:
        batch = BatchedCalls([(call, (), {})], self._backend.get_nested_backend())
        self._n_running += 1
        self._backend.submit(batch, partial(self._put, key))

    def _put(self, key: Hashable, out: Any) -> None:
        self._done.put((key, out))

    def wait(self, timeout: float | None = None) -> tuple[Any, Outcome]:
        key, out = self._done.get(timeout=timeout)
        self._n_running -= 1
        try:
            return key, self._backend.retrieve_result_callback(out)[0]
        except Exception as error:  # noqa: BLE001 - handed to whoever waits, not swallowed
            return key, error


def executor_for(n_jobs: int | None) -> SerialExecutor | JoblibExecutor:
    """Return the executor for `n_jobs` under the active joblib backend."""
    return SerialExecutor() if effective_n_jobs(n_jobs) == 1 else JoblibExecutor(n_jobs)
