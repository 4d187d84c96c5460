"""Methods that stand before an estimator's own, on one instance."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from hpsearch.reuse.family import shallow_copy
from hpsearch.reuse.values import is_frozen


def unshadowed_copy(estimator: Any) -> Any:
    """Return a shallow copy of an estimator without what is put on it here."""
    twin = shallow_copy(estimator)
    for name in [n for n, a in vars(twin).items() if getattr(a, "is_shadow", False)]:
        del vars(twin)[name]
    return twin


@contextmanager
def shadowed(estimator: Any, **methods: Callable[..., Any]) -> Iterator[None]:
    """Put functions in the place of methods of an instance, for a while."""
    for name, method in methods.items():
        method.is_shadow = True  # type: ignore[attr-defined] # functions have room for it
        vars(estimator)[name] = method
    try:
        yield
    finally:
        for name in methods:
            vars(estimator).pop(name, None)


class SharedTransform:
    """The `transform` of a fitted step whose results are shared.

    It knows its step weakly, so that no cycle keeps large models alive, and a pickle or a deep
    copy of the step gets the plain method.

    Parameters
    ----------
    sharing : Sharing
        Asked for what was computed before.
    step : Step
        What it is asked about.
    fitted : estimator
        The fitted step that this is put on.
    """

    is_shadow = True

    def __init__(self, sharing: Any, step: Any, fitted: Any) -> None:
        self.sharing = sharing
        self.step = step
        self._fitted = weakref.ref(fitted)

    def __call__(self, X: Any, *args: Any, **kwargs: Any) -> Any:
        plain = self._plain()
        if args or kwargs:
            return plain(X, *args, **kwargs)
        return self.sharing.transformed(self.step, X, lambda: plain(X))

    def _plain(self) -> Callable[..., Any]:
        """The method that this stands before."""
        fitted: Any = self._fitted()  # its caller holds it
        if is_frozen(fitted):
            return fitted.estimator.transform  # type: ignore[no-any-return]
        return partial(type(fitted).transform, fitted)

    def __reduce__(self) -> Any:
        fitted: Any = self._fitted()
        return getattr, (fitted.estimator if is_frozen(fitted) else fitted, "transform")
