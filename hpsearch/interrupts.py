"""Ctrl-C at moments that lose nothing.

Between receiving a result and writing it down, Ctrl-C waits for the next safe moment; while the
search only waits, it takes effect at once. A second Ctrl-C takes effect wherever it comes.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Defers KeyboardInterrupt within `deferred` to the moments within `allowed`."""

    def __init__(self) -> None:
        self._n_received = 0
        self._is_allowed = False

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Take over SIGINT, unless somebody else has, or this is not the main thread."""
        ours = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        if not ours:
            self._is_allowed = True  # whoever handles the signal decides
            yield
            return
        signal.signal(signal.SIGINT, self._receive)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Let KeyboardInterrupt through, one that came before included."""
        if self._n_received:
            raise KeyboardInterrupt
        before, self._is_allowed = self._is_allowed, True
        try:
            yield
        finally:
            self._is_allowed = before

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self._n_received += 1
        if self._is_allowed or self._n_received > 1:
            raise KeyboardInterrupt
