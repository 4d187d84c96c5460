"""The pruners by the names that `pruner=` takes."""

from __future__ import annotations

from hpsearch.pruners.base import NoPruner, Pruner
from hpsearch.pruners.halving import HalvingPruner, HyperbandPruner
from hpsearch.pruners.racing import RacingPruner

NAMED: dict[str, Pruner] = {
    "race": RacingPruner(),
    "bound": RacingPruner(level=0),
    "halving": HalvingPruner(),
    "hyperband": HyperbandPruner(),
}


def pruner_of(given: str | Pruner | None) -> Pruner:
    """Return the pruner that a user's word, object or None stands for."""
    if given is None:
        return NoPruner()
    return NAMED[given] if isinstance(given, str) else given
