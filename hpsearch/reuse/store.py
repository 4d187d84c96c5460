"""A bounded store of things that took time to make.

What is least useful goes first: Greedy-Dual-Size (Cao & Irani, "Cost-aware WWW proxy caching
algorithms", 1997). Each entry has a priority, clock + seconds / bytes, renewed at each use; the
lowest is dropped, and the clock moves to its priority, so that what is not used ages.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hpsearch.memory import available
from hpsearch.reuse.values import Key

MEMORY_SHARE = 0.1  # of what is available when the search starts, for all workers together
MEMORY_IF_UNKNOWN = 2**30  # bytes


@dataclass(slots=True)
class _Entry:
    value: Any
    worth: float  # seconds a byte
    n_bytes: int
    priority: float


class Store:
    """Values by key, in so many bytes.

    Parameters
    ----------
    capacity : int
        Bytes that the values may take together.

    Examples
    --------
    >>> from hpsearch.reuse.store import Store
    >>> store = Store(capacity=100)
    >>> store.put("slow", 1, seconds=9.0, n_bytes=60)
    >>> store.put("fast", 2, seconds=0.1, n_bytes=60)
    >>> store.get("slow"), store.get("fast")
    (1, None)
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.n_bytes = 0
        self._clock = 0.0
        self._entries: dict[Key, _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Any:
        """Return the value, None if there is none."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        entry.priority = self._clock + entry.worth
        return entry.value

    def put(self, key: Key, value: Any, *, seconds: float, n_bytes: int) -> None:
        """Keep a value that took so many seconds, unless others are worth more."""
        self.drop(key)
        worth = seconds / max(n_bytes, 1)
        self._entries[key] = _Entry(value, worth, n_bytes, self._clock + worth)
        self.n_bytes += n_bytes
        while self.n_bytes > self.capacity:
            worst = min(self._entries, key=lambda k: self._entries[k].priority)
            self._clock = self._entries[worst].priority
            self.drop(worst)

    def grow(self, key: Key, n_bytes: int) -> None:
        """Take note that a value holds more than it did."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.n_bytes -= entry.n_bytes
            seconds = entry.worth * entry.n_bytes
            self.put(key, entry.value, seconds=seconds, n_bytes=entry.n_bytes + n_bytes)

    def drop(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.n_bytes -= entry.n_bytes

    def drop_if(self, unwanted: Callable[[Key], bool]) -> None:
        for key in [key for key in self._entries if unwanted(key)]:
            self.drop(key)


def capacity_for(n_workers: int) -> int:
    """Bytes that each of so many workers may keep."""
    return int(MEMORY_SHARE * _available_memory() / max(1, n_workers))


def _available_memory() -> int:
    """Bytes that could be had without swapping, as far as the system tells."""
    told = available()
    if told is not None:
        return max(told, 0)
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, OSError, ValueError):
        return MEMORY_IF_UNKNOWN
