"""Running calls as tasks of Ray.

Ray's own backend of joblib gives calls to a fixed set of processes in turn, so that a call may wait
behind a long one while another process is idle, and a process that died takes its queue with it. A
task of Ray goes to whichever process is free, and dies alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

import cloudpickle

from hpsearch.shipping import received
from hpsearch.trial import FitTimeout, WorkerLost

T = TypeVar("T")
_references: dict[str, Any] = {}  # in a worker: what the latest call may read
PATIENCE = 5.0  # seconds for an actor to answer
TICK = 0.2  # seconds between two looks at calls that may have run for too long


@dataclass(frozen=True)
class Put(Generic[T]):
    """An object in Ray's store: goes to each machine once, and is read by a process once."""

    name: str

    def __call__(self) -> T:
        import ray  # noqa: PLC0415 - an optional extra

        # The reference itself travels beside the call: only Ray's own pickling takes it along.
        value: T = received(self.name, lambda: cloudpickle.loads(ray.get(_references[self.name])))
        return value


class Starters:
    """An actor that calls tell that they begin: before that they may wait for a process."""

    def __init__(self) -> None:
        self._keys: set[int] = set()

    def add(self, key: int) -> None:
        self._keys.add(key)

    def keys(self) -> set[int]:
        return self._keys


@dataclass(slots=True)
class Running:
    """A call that was sent: its key, its seconds, and when it was seen to have begun."""

    key: int
    timeout: float | None
    began: float | None = None


class RayExecutor:
    """Calls run as tasks of the Ray cluster that the program is connected to.

    Parameters
    ----------
    slots : int
        How many calls run at a time.
    options : dict
        Of each task, as `ray.remote` takes them: ``num_cpus``, ``num_gpus``, ``resources``.
    """

    can_kill = True

    def __init__(self, slots: int, options: dict[str, Any]) -> None:
        self.slots = slots
        self._options = {"num_cpus": 1, "max_retries": 0, "max_calls": 0, **options}
        self._shared: dict[str, Any] = {}
        self._running: dict[Any, Running] = {}  # by reference
        self._starters: Any = None

    def __enter__(self) -> Self:
        import ray  # noqa: PLC0415 - an optional extra

        self._ray = ray
        if not ray.is_initialized():
            ray.init()
        self._task = ray.remote(**self._options)(_run)
        return self

    def __exit__(self, *_: object) -> None:
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        self._running.clear()
        self._shared.clear()
        self._starters = None  # which ends the actor

    def share(self, value: T) -> Callable[[], T]:
        """Make an object available to calls."""
        reference = self._ray.put(cloudpickle.dumps(value))
        self._shared[reference.hex()] = reference
        return Put(reference.hex())

    def submit(self, key: int, call: Callable[[], Any], timeout: float | None = None) -> None:
        """Run a call as soon as there is a free process; end it after `timeout` seconds."""
        if timeout is not None and self._starters is None:
            actor = self._ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(Starters)
            self._starters = actor.remote()
        starter = None if timeout is None else (self._starters, key)
        reference = self._task.remote(cloudpickle.dumps(call), self._shared, starter)
        self._running[reference] = Running(key, timeout)

    def wait(self, timeout: float | None = None) -> tuple[int, Any] | None:
        """Return the key of a call that ended, and what it returned or raised.

        None after `timeout` seconds in which no call ended.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            done, _ = self._ray.wait(list(self._running), num_returns=1, timeout=TICK)
            if done:
                return self._running.pop(done[0]).key, self._outcome(done[0])
            overdue = self._overdue()
            if overdue is not None:
                return overdue
            if end is not None and time.monotonic() >= end:
                return None

    def _outcome(self, reference: Any) -> Any:
        try:
            return cloudpickle.loads(self._ray.get(reference))
        except self._ray.exceptions.RayTaskError as error:  # raised in the call
            return error.cause
        except self._ray.exceptions.RayError as error:
            reason = str(error).strip().splitlines()[0]
            return WorkerLost(f"The process that ran the fit died: {reason}")

    def _overdue(self) -> tuple[int, FitTimeout] | None:
        """End a call that has run for too long."""
        if self._starters is None:
            return None
        try:
            begun = self._ray.get(self._starters.keys.remote(), timeout=PATIENCE)
        except self._ray.exceptions.RayError:  # it starts, or starts again: asked at the next look
            return None
        now = time.monotonic()
        for reference, call in self._running.items():
            if call.began is None and call.key in begun:
                call.began = now
            if call.began is None or call.timeout is None:
                continue
            if now - call.began > call.timeout:
                self._ray.cancel(reference, force=True)
                del self._running[reference]
                text = f"The fit was ended after {call.timeout:g} seconds (fit_timeout)."
                return call.key, FitTimeout(text)
        return None


def _run(pickled: bytes, references: dict[str, Any], starter: tuple[Any, int] | None) -> bytes:
    """Run a call in a worker; cloudpickle's own result, so that both ends read it alike."""
    if starter is not None:
        starters, key = starter
        starters.add.remote(key)
    _references.clear()
    _references.update(references)
    result: bytes = cloudpickle.dumps(cloudpickle.loads(pickled)())
    return result
