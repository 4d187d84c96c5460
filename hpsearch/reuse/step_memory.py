"""How fitted steps come into a pipeline: `Pipeline.memory` takes any object with `cache`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.utils.validation import check_memory

from hpsearch.reuse import values
from hpsearch.reuse.anatomy import Part
from hpsearch.reuse.family import shallow_copy


class StepMemory:
    """The `memory` of a pipeline while it is fitted: hands its steps to a Sharing.

    Parameters
    ----------
    sharing : Sharing
        What the steps are taken from.
    given : None, str or object with a cache method
        The pipeline's own memory, which computes what is new.
    pipeline, part : Pipeline, Part
        What is fitted, and its anatomy.
    root, token : hashable
        Stand for the rows, and for what the first step is given.
    """

    location = None  # the pipeline need not clone its steps: they are the candidate's own

    def __init__(
        self, sharing: Any, given: Any, pipeline: Any, part: Part, root: Any, token: Any
    ) -> None:
        self._sharing = sharing
        self._given = given
        self._parts = {
            id(step): part
            for (_, step), part in zip(pipeline.steps[:-1], part.steps[:-1], strict=True)
        }
        self._root = root
        self.token = token  # of what the next step is given; None: not to be shared

    def cache(self, function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        """Return a function like the given one that computes only what is new."""
        if self._given is not None:
            function = check_memory(self._given).cache(function, **options)

        def fit_transform(transformer: Any, X: Any, y: Any, *args: Any, **kwargs: Any) -> Any:
            part = self._parts.get(id(transformer))
            if values.is_frozen(transformer):  # one object for all: each gets a wrapper of its own
                transformer = shallow_copy(transformer)

            def run() -> Any:
                return function(transformer, X, y, *args, **kwargs)

            metadata = (kwargs.get("params") or {}).get("transform")
            is_known = values.is_frozen(transformer) or values.is_own(transformer, "transform")
            if part is None or self.token is None or metadata or not is_known:
                self.token = None
                return run()
            output, fitted, self.token = self._sharing.fit_step(
                transformer, part, self._root, self.token, X, run
            )
            return output, fitted

        return fit_transform
