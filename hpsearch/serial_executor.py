"""Running calls in this process, one after another."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Self, TypeVar

from hpsearch.shipping import InHand

T = TypeVar("T")


class SerialExecutor:
    """Calls run here, one after another, when they are waited for."""

    slots = 1
    can_kill = False

    def __init__(self) -> None:
        self._calls: deque[tuple[int, Callable[[], Any]]] = deque()

    def share(self, value: T) -> Callable[[], T]:
        """Make an object available to calls."""
        return InHand(value)

    def submit(self, key: int, call: Callable[[], Any], timeout: float | None = None) -> None:
        """Keep a call until it is waited for."""
        self._calls.append((key, call))

    def wait(self, timeout: float | None = None) -> tuple[int, Any] | None:
        """Run the next call; return its key, and what it returned or raised."""
        key, call = self._calls.popleft()
        try:
            return key, call()
        except Exception as error:  # noqa: BLE001 - handed to whoever waits, not swallowed
            return key, error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._calls.clear()
