"""Linear algebra on one thread: the matrices of an ask are small, and its neighbours are busy."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any, cast

from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[Any]:
    """Hold BLAS to one thread while the context lasts."""
    return cast(AbstractContextManager[Any], _controller().limit(limits=1, user_api="blas"))


@cache
def _controller() -> ThreadpoolController:
    # Kept: to make one looks through all loaded libraries (milliseconds), to limit takes none.
    return ThreadpoolController()
