"""What a worker takes over from where `fit` was called, so that a fit behaves the same there."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sklearn


@dataclass(frozen=True)
class Ambient:
    """scikit-learn's configuration and the warning filters where `fit` was called."""

    config: Mapping[str, Any]
    filters: Sequence[Any]
    process: int
    thread: int

    @classmethod
    def here(cls) -> Ambient:
        filters = list(_warning_filters())
        return cls(sklearn.get_config(), filters, os.getpid(), threading.get_ident())

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Make a worker behave as the caller would."""
        process = os.getpid()
        if (process, threading.get_ident()) == (self.process, self.thread):
            yield
            return
        with sklearn.config_context(**self.config), warnings.catch_warnings():
            if process != self.process:
                # In place: entering catch_warnings has just made the list a copy of its own.
                _warning_filters()[:] = self.filters
            yield


def _warning_filters() -> list[Any]:
    # Free-threaded Python keeps the filters in a context variable.
    get: Callable[[], Any] = getattr(warnings, "_get_filters", lambda: warnings.filters)
    return get()  # type: ignore[no-any-return]
