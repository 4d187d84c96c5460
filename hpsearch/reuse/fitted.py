"""A fitted part, and the estimators that it can make fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hpsearch import _sklearn as bridge
from hpsearch.reuse.anatomy import Part
from hpsearch.reuse.family import rebound


@dataclass(eq=False, slots=True)
class Fitted:
    """A fitted part, at `at` of its nested parameter, and what `fit_transform` gave.

    `rows` are the training rows, if the estimator holds them: some look whether the rows that they
    are to predict are that very object, and take distances to themselves for nought.
    """

    estimator: Any
    at: Any
    output: Any = None
    rows: Any = None

    def serves(self, part: Part) -> bool:
        """Whether it holds what a fit of this part would give."""
        family = part.family
        return family is None or family.serves(self.at, part.value, self.estimator)

    def give_to(self, estimator: Any, part: Part) -> None:
        """Give an estimator the fitted attributes; its parameters stay its own."""
        family, fitted = part.family, self.estimator
        own = set(estimator.get_params(deep=False))
        if family is not None:
            own.update(family.parameters_at)
            if self.at != part.value:
                fitted = family.view(fitted, part.value)
        for name, attribute in vars(fitted).items():
            if name not in own:
                setattr(estimator, name, rebound(attribute, fitted, estimator))
        bridge.warn_as_its_fit(estimator)
