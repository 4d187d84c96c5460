"""Ctrl-C at moments that lose nothing, and what else comes from outside of a fit.

Between receiving a result and writing it down, Ctrl-C waits for the next safe moment; while the
search only waits, it takes effect at once. A second Ctrl-C takes effect wherever it comes.
"""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


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


def is_from_outside(error: BaseException) -> bool:
    """Whether what a fit raised is not the fit's own: Ctrl-C, or raised by a handler of a signal.

    A handler that runs while a model is fitted raises there: the SystemExit of a program that is
    told to end, or the time limit of a test runner or scheduler. An Exception is a failed fit all
    the same, as it is for scikit-learn.
    """
    if isinstance(error, (Exception, KeyboardInterrupt)):
        return isinstance(error, KeyboardInterrupt)
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    codes = [_code_of(handler) for handler in handlers if callable(handler)]
    return any(frame.f_code in codes for frame, _ in traceback.walk_tb(error.__traceback__))


def _code_of(handler: Callable[..., Any]) -> Any:
    """The code of a function, a method, or an object that is called; None for what has none."""
    function = getattr(handler, "__func__", handler)
    if not hasattr(function, "__code__"):
        function = type(handler).__call__
    return getattr(function, "__code__", None)
