"""Getting an object to workers once, however many calls need it.

Pickle's out-of-band buffers keep large arrays, whatever they sit in (arrays, data frames, sparse
matrices), out of the pickle: they are written beside it and mapped into memory by each process of
this machine, which then share one copy. What is no buffer is unpickled once a process.
"""

from __future__ import annotations

import mmap
import os
import pickle
import shutil
import tempfile
import threading
import time
import uuid
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import cloudpickle  # what loky pickles with: lambdas, local classes

from hpsearch.notes import given_folder, prefix

T = TypeVar("T")
PATIENCE = 1.0  # seconds between two looks at the file
ALIGNMENT = 64  # bytes; what numpy's vector loops like best
_received: dict[str, Any] = {}  # in a worker: the last object, by its file


@dataclass(frozen=True)
class InHand(Generic[T]):
    """An object that goes along with the call: to a thread as it is, to a cluster by its engine.

    Dask sends an argument to each worker once if it says that it is large.
    """

    value: T

    def __call__(self) -> T:
        return self.value

    def __sizeof__(self) -> int:
        return 2**20


@dataclass(frozen=True)
class Broadcast(Generic[T]):
    """An object that Spark sends to each of its machines once, and that a process reads once."""

    name: str
    sent: Any  # pyspark's, of the pickled object: its own pickling knows no local classes

    @classmethod
    def of(cls, value: T) -> Broadcast[T]:
        """Send an object to the cluster of the active Spark session."""
        from pyspark.sql import SparkSession  # noqa: PLC0415 - an optional extra

        context = SparkSession.active().sparkContext
        return cls(uuid.uuid4().hex, context.broadcast(cloudpickle.dumps(value)))

    def __call__(self) -> T:
        value: T = received(self.name, lambda: cloudpickle.loads(self.sent.value))
        return value


def received(name: str, fetch: Callable[[], Any]) -> Any:
    """Return an object that this process may have received before, or fetch it now."""
    if name not in _received:
        _received.clear()  # one search at a time holds its data
        _received[name] = fetch()
    return _received[name]


@dataclass(frozen=True)
class Shipped(Generic[T]):
    """An object in a file; calling it in any process of this machine gives the object."""

    path: str

    def __call__(self) -> T:
        value = _received.get(self.path)
        if value is None:
            _received.clear()  # one search at a time holds its data
            value = _received[self.path] = _read(self.path)
            watch = threading.Thread(target=_forget_when_gone, args=(self.path,), daemon=True)
            watch.start()
        return value  # type: ignore[no-any-return]


def _forget_when_gone(path: str) -> None:
    """Let go of an object once its file is removed: workers live on, idle, after a search."""
    while path in _received:
        if not Path(path).exists():
            _received.pop(path, None)
            return
        time.sleep(PATIENCE)


class Shipment(Generic[T]):
    """A file that holds an object while a search runs.

    Parameters
    ----------
    value : object
        Anything that cloudpickle takes.

    Attributes
    ----------
    source : Shipped
        What is sent with each call.
    """

    def __init__(self, value: T) -> None:
        buffers: list[pickle.PickleBuffer] = []
        head = cloudpickle.dumps(value, protocol=5, buffer_callback=buffers.append)
        views = [b.raw() for b in buffers]
        size = len(head) + sum(v.nbytes + ALIGNMENT for v in views)
        handle, path = tempfile.mkstemp(prefix=prefix(), dir=_folder(size))
        # Removed at exit and when collected too, should nobody close it.
        self.close: Callable[[], Any] = weakref.finalize(self, Path(path).unlink, missing_ok=True)
        with os.fdopen(handle, "wb") as file:
            _write(file, head, views)
        self.source: Shipped[T] = Shipped(path)


def _write(file: Any, head: bytes, views: list[memoryview]) -> None:
    """Index (its length first), head, buffers; buffers start at multiples of ALIGNMENT."""
    index = pickle.dumps([len(head), *(v.nbytes for v in views)])
    file.write(len(index).to_bytes(8, "little") + index + head)
    for view in views:
        file.write(b"\0" * (-file.tell() % ALIGNMENT))
        file.write(view)


def _read(path: str) -> Any:
    with open(path, "rb") as file:  # noqa: PTH123 - a descriptor for mmap
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    at = 8 + int.from_bytes(mapped[:8], "little")
    n_head, *sizes = pickle.loads(mapped[8:at])  # noqa: S301 - our own parent wrote it
    head = mapped[at : at + n_head]
    at += n_head
    buffers = []
    for size in sizes:
        at += -at % ALIGNMENT
        buffers.append(mapped[at : at + size])
        at += size
    return pickle.loads(head, buffers=buffers)  # noqa: S301 - our own parent wrote it


def _folder(size: int) -> str:
    """Where joblib would put it: its own folder, memory if there is room, else the disk."""
    given = given_folder()
    if given is not None:
        return given
    memory = "/dev/shm"  # noqa: S108 - as joblib does; mkstemp makes the name
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 * size:
        return memory
    return tempfile.gettempdir()
