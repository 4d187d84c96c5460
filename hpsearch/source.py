"""What a class of searches gives to the base: its candidates."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from hpsearch.optimizers.base import Optimizer
from hpsearch.trial import Params


@dataclass(frozen=True)
class Source:
    """Where candidates come from.

    `n_candidates` is how many at most, None if only the optimizer knows. `spell` writes the place
    of a candidate as JSON can take it, `read` finds the candidate at a place; candidates are read
    in the order in which they were asked. `listed` are the candidates where they are known
    beforehand, in the order of their numbers; it can be gone through again.
    `by_process` is whether a Gaussian process proposes them, so that pictures show its like.
    """

    optimizer: Optimizer
    n_candidates: int | None
    spell: Callable[[Params], Any]
    read: Callable[[Any], Params]
    listed: Iterable[Params] | None = None
    by_process: bool = False
