"""The callbacks that scikit-learn has from 1.9 on: told of a search, and of each of its fits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from hpsearch import _sklearn as bridge
from hpsearch.prepared import Prepared


class Callbacks:
    """The tasks of a search as scikit-learn's callbacks see them; nothing before 1.9.

    fit -> search -> one candidate-split-evaluation a fit, and fit -> refit-with-best-params.
    """

    def __init__(self, search: Any, prepared: Prepared) -> None:
        self._search = search
        self._given = {"X": prepared.X, "y": prepared.y, "metadata": prepared.fit_metadata}
        self._candidates: Any = None
        # Contexts of single fits are seen by callbacks alone, and each holds on to its siblings.
        self._anyone = bridge.has_callbacks(search, prepared.estimator)
        self._root = bridge.callback_context(search, 1 + bool(search.refit))
        if self._root is not None:
            self._root.call_on_fit_task_begin(estimator=search, **self._given)

    @contextmanager
    def searching(self, n_fits: int | None) -> Iterator[None]:
        """Enclose all fits but the refit; `n_fits` is the most there can be, None if unknown."""
        if self._root is None:
            yield
            return
        self._candidates = self._root.subcontext(
            task_name="search", max_subtasks=n_fits, sequential_subtasks=False
        )
        self._candidates.call_on_fit_task_begin(estimator=self._search)
        yield
        self._candidates.call_on_fit_task_end(estimator=self._search)

    def fit(self, number: int) -> FitCallbacks | None:
        """The callbacks of one fit, to travel with it: made in the parent, where the tree is."""
        if self._candidates is None or not self._anyone:
            return None
        context = self._candidates.subcontext(
            task_name="candidate-split-evaluation", task_id=number
        )
        return FitCallbacks(context, self._search)

    @contextmanager
    def refitting(self, estimator: Any) -> Iterator[None]:
        if self._root is None:
            yield
            return
        context = self._root.subcontext(task_name="refit-with-best-params")
        with context.propagate_callback_context(estimator):
            context.call_on_fit_task_begin(estimator=self._search, **self._given)
            yield
        context.call_on_fit_task_end(estimator=self._search, **self._given)

    def end(self) -> None:
        if self._root is not None:
            self._root.call_on_fit_task_end(estimator=self._search, **self._given)


class NoCallbacks:
    """A refit that no callback is told of."""

    def refitting(self, estimator: Any) -> nullcontext[None]:
        return nullcontext()


@dataclass(frozen=True)
class FitCallbacks:
    """The callbacks of one fit; travels to the worker."""

    context: Any
    search: Any

    @contextmanager
    def around(self, estimator: Any, X: Any, y: Any, weight: Any) -> Iterator[None]:
        given = {"X": X, "y": y, "metadata": None if weight is None else {"sample_weight": weight}}
        try:
            with self.context.propagate_callback_context(estimator):
                self.context.call_on_fit_task_begin(estimator=self.search, **given)
                yield
        finally:
            self.context.call_on_fit_task_end(estimator=self.search, **given)


def around(callbacks: FitCallbacks | None, estimator: Any, X: Any, y: Any, weight: Any) -> Any:
    """Enclose a fit in its callbacks, if it has any."""
    return nullcontext() if callbacks is None else callbacks.around(estimator, X, y, weight)
